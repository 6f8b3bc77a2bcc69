//! Fitted motion against the truth, on rendered full-size movies: pan, tilt, zoom and rest, with a plume over a quarter of
//! the picture. Prints the table; `--nocapture` shows it. `ARCHIVE_STILL` takes the scene from a picture instead.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use archive::{Movie, Script, Spell, Truth};
use motion::{Similarity, Status};
use support::read_json;

/// Mean distance over centre and corners of a full-size picture that a fit may be off, in pixels.
const LIMIT: f64 = 0.2;

fn moves() -> Script {
    let spells = ["", "W", "", "N", "", "zoom_in", "", "SE", "", "zoom_out", ""]
        .map(|kind| if kind.is_empty() { Spell::rest(36) } else { Spell::moving(kind, 48) });
    Script { spells: spells.into(), ramp: 8 }
}

fn run(folder: &Path, method: &str) -> (Vec<serde_json::Value>, Vec<(u64, u64, String)>) {
    let job = format!(
        "apiVersion: camhd.science/v1alpha1\nkind: AnalysisJob\nmetadata: {{name: accuracy}}\nspec:\n  source:\n    http: {{rootURL: 'http://x.example/'}}\n    items: [X.mov]\n  \
         analysis: {{opticalFlow: {{method: {method}}}}}\n  output: {{persistentVolumeClaim: {{claimName: r}}}}\n"
    );
    let file = folder.join(format!("{method}.yaml"));
    std::fs::write(&file, job).unwrap();
    let output = folder.join(method);
    let mut command = Command::new(env!("CARGO_BIN_EXE_analysis-worker"));
    let status =
        command.arg("run").arg(file).arg("--source-root").arg(folder).arg("--output").arg(&output).status().unwrap();
    assert!(status.success());
    let rows = read_json(&output.join("X_optical_flow.json"))["frameStats"].as_array().unwrap().clone();
    let regions = read_json(&output.join("X_optical_flow_regions.json"))["regions"].as_array().unwrap().clone();
    let region = |region: &serde_json::Value| {
        (
            region["startFrame"].as_u64().unwrap(),
            region["endFrame"].as_u64().unwrap(),
            region["type"].as_str().unwrap().into(),
        )
    };
    (rows, regions.iter().map(region).collect())
}

/// (spell, error in pixels, status, milliseconds) of every row.
fn measured(rows: &[serde_json::Value], truth: &Truth) -> Vec<(String, f64, Status, f64)> {
    let row = |row: &serde_json::Value| {
        let flow = &row["opticalFlow"];
        let frame = |name: &str| flow[name].as_u64().unwrap() as u32;
        let (from, to) = (frame("fromFrame"), frame("toFrame"));
        let fitted: Similarity = serde_json::from_value(flow["similarity"].clone()).unwrap();
        let error = fitted.mean_difference(&Similarity::from(truth.motion(from, to).unwrap()), 1920.0, 1080.0);
        let spell = truth.spell(row["frameNumber"].as_u64().unwrap() as u32).unwrap().to_owned();
        let status: Status = serde_json::from_value(flow["status"].clone()).unwrap();
        let reasons: Vec<motion::Reason> = serde_json::from_value(flow["reasons"].clone()).unwrap();
        assert_eq!(reasons.is_empty(), status != Status::Undetermined, "a row is sure, or says why not: {flow}");
        (spell, error, status, flow["performance"]["timing"]["opticalFlow"].as_f64().unwrap() * 1000.0)
    };
    rows.iter().map(row).collect()
}

#[test]
fn motion_is_within_a_fifth_of_a_pixel_and_regions_get_the_right_type() {
    let folder = tempfile::tempdir().unwrap();
    let script = moves();
    let movie = Movie {
        frames: script.frames(),
        script: Some(script),
        still: std::env::var_os("ARCHIVE_STILL").map(PathBuf::from),
        plume: 0.25,
        ..Movie::default()
    };
    let truth = movie.render(&folder.path().join("X.mov")).unwrap();
    println!(
        "{:<8} {:<9} {:>4} {:>10} {:>9} {:>6} {:>8}",
        "method", "spell", "rows", "mean px", "max px", "sure", "ms/pair"
    );
    for method in ["Corners", "DIS"] {
        let (rows, regions) = run(folder.path(), method);
        let measured = measured(&rows, &truth);
        for kind in ["static", "W", "N", "SE", "zoom_in", "zoom_out"] {
            let of: Vec<_> = measured.iter().filter(|(spell, ..)| spell == kind).collect();
            let mean = of.iter().map(|(_, error, ..)| error).sum::<f64>() / of.len() as f64;
            let worst = of.iter().map(|(_, error, ..)| *error).fold(0.0, f64::max);
            let sure = of.iter().filter(|(_, _, status, _)| *status != Status::Undetermined).count();
            let ms = of.iter().map(|(.., ms)| ms).sum::<f64>() / of.len() as f64;
            println!("{method:<8} {kind:<9} {:>4} {mean:>10.3} {worst:>9.3} {sure:>6} {ms:>8.1}", of.len());
            assert!(mean <= LIMIT, "{method} {kind}: {mean} px");
        }
        let confident = measured.iter().filter(|(_, error, status, _)| *status != Status::Undetermined && *error > 1.0);
        assert_eq!(confident.count(), 0, "no answer is confident and wrong");
        let kinds: Vec<_> = regions.iter().map(|(_, _, kind)| kind.as_str()).collect();
        let expected =
            ["static", "W", "static", "N", "static", "zoom_in", "static", "SE", "static", "zoom_out", "static"];
        assert_eq!(kinds, expected, "{method}: {regions:?}");
        let rests: Vec<_> = truth.spells().into_iter().filter(|spell| spell.kind == "static").collect();
        for (rest, found) in rests.iter().zip(regions.iter().filter(|region| region.2 == "static")) {
            let near = found.0.abs_diff(rest.start.into()) <= 15 && found.1.abs_diff(rest.end.into()) <= 15;
            assert!(near, "{method}: {found:?} for {rest:?}");
        }
    }
}
