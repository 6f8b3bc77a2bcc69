//! `analysis-worker report`, and what a run's report holds.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::{path::Path, process::Command};

use support::{Ended, Lab, movie};

fn report(folder: &Path) -> (Ended, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_analysis-worker")).arg("report").arg(folder).output().unwrap();
    (Ended::of(&output), String::from_utf8(output.stdout).unwrap())
}

/// But for the time it was written.
fn timeless(html: &str) -> String {
    html.lines()
        .map(|line| line.split("Written ").next().unwrap().len().to_string() + &line[line.len() / 2..])
        .collect()
}

#[test]
fn a_report_made_anew_is_the_one_the_run_made() {
    let lab = Lab::of(2);
    std::fs::write(lab.root().join(movie(3)), "no movie").unwrap();
    lab.run_plain("out");
    let read = |name: &str| std::fs::read_to_string(lab.output("out").join(name)).unwrap();
    let names = ["regions.csv", "movie_metadata.csv", "datapackage.json", "failures.jsonl"];
    let (before, page) = (names.map(read), read("report.html"));
    std::fs::create_dir(lab.output("out/report")).unwrap();
    std::fs::write(lab.output("out/report/0002.js"), "of a larger report").unwrap();
    std::fs::remove_file(lab.output("out/report.html")).unwrap();
    let (ended, said) = report(&lab.output("out"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(said.starts_with("2 movies\nreport ") && said.contains("report.html"), "{said}");
    assert_eq!(names.map(read), before);
    assert_eq!(timeless(&read("report.html")), timeless(&page));
    assert!(
        page.contains("<title>lab</title>") && page.contains(&movie(3)) && page.contains("data:image/jpeg;base64,")
    );
    assert!(!lab.output("out/report/0002.js").exists(), "what an earlier report had more is removed");
}

#[test]
fn results_of_older_programs_make_a_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("RS03ASHS/2017");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(below.join("X_optical_flow.json"), include_str!("published/optical_flow.json")).unwrap();
    std::fs::write(below.join("X_optical_flow_regions.json"), include_str!("published/regions.json")).unwrap();
    std::fs::write(below.join("Y_optical_flow.json"), "half a fi").unwrap();
    let (ended, _) = report(folder.path());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("Y_optical_flow.json") && ended.stderr.contains("left out"), "{}", ended.stderr);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(
        read("regions.csv").lines().nth(1).unwrap(),
        "CAMHDA301-20170726T000000Z,2017-07-26T00:00:00,1,31,unknown"
    );
    let movie = "CAMHDA301-20170726T000000Z,2017-07-26T00:00:00,25149,839.1383056640625,,\
                 RS03ASHS/PN03B/06-CAMHDA301/2017/07/26/CAMHDA301-20170726T000000Z.mov,0.0012,0.0000";
    assert_eq!(read("movie_metadata.csv").lines().nth(1).unwrap(), movie);
    assert!(read("report.html").contains("static: frames 1 to 31"));
}

#[test]
fn a_folder_that_is_none_or_holds_no_result_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (ended, _) = report(&folder.path().join("nowhere"));
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("there is no folder") && ended.stderr.contains("nowhere"), "{}", ended.stderr);
    let (ended, _) = report(folder.path());
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("there is no result in"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left where nothing was");
}

#[test]
fn many_movies_are_pages_beside_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let published: serde_json::Value = serde_json::from_str(include_str!("published/regions.json")).unwrap();
    for number in 0..280 {
        let mut file = published.clone();
        file["movie"]["URL"] = format!("/A/{number:04}.mov").into();
        let path = folder.path().join(format!("{number:04}_optical_flow_regions.json"));
        std::fs::write(path, file.to_string()).unwrap();
    }
    assert_eq!(report(folder.path()).0.code, Some(0));
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("report"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        (names.len(), names[0].as_str(), names[10].as_str(), names[11].as_str()),
        (12, "0002.js", "0012.js", "index.js")
    );
    let page = std::fs::read_to_string(folder.path().join("report/0012.js")).unwrap();
    assert!(page.starts_with("report.page(12,[") && page.contains("0279.mov"));
    let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(html.contains("first 25 of 280 movies") && html.contains("name=\"movies\" content=\"25/280\""));
    assert_eq!(html.matches("<article").count(), 25);
}
