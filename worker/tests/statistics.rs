//! Statistics of single frames, end to end: on one machine, in pods, through a frame server.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Lab, cache::Cache, movie, pods::RUN, read_json};

fn statistics(spec: &mut Value) {
    spec["analysis"] = json!({"frameStatistics": {"startFrame": 2, "stride": 10}});
}

fn result(lab: &Lab, output: &str) -> Value {
    read_json(&lab.output(output).join(movie(1).replace(".mov", "_frame_statistics.json")))
}

/// A movie of 12 frames, as FFmpeg's `source` and `filter` make it.
fn render(lab: &Lab, source: &str) {
    let file = lab.root().join(movie(1));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let arguments = ["-y", "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "12"];
    let codec = ["-c:v", "prores_ks", "-profile:v", "hq", "-pix_fmt", "yuv422p10le"];
    assert!(Command::new("ffmpeg").args(arguments).args(codec).arg(&file).status().unwrap().success());
}

#[test]
fn one_machine_pods_and_a_server_give_the_same_rows() {
    let lab = Lab::of(2);
    let asked = "frameStatistics: {startFrame: 2, stride: 10}";
    let file = lab.job(&[("opticalFlow: {stride: 10, method: Auto}", asked)]);
    let machine = lab.run(&file, "machine");
    assert_eq!((machine.code, machine.items(), machine.frames()), (Some(0), (2, 0, 0), 8), "{}", machine.stderr);
    let again = lab.run(&file, "machine");
    assert_eq!((again.items(), again.frames()), ((0, 2, 0), 0), "what stands is not computed again");
    let pods = lab.pods("pods", statistics).run();
    assert_eq!((pods.code, pods.items()), (Some(0), (2, 0, 2, 0)), "{}", pods.stderr);
    let cache = Cache::over(&lab.server.url());
    lab.pods("server", statistics).with("ANALYSIS_CACHE_URL", &cache.url).run();
    assert_eq!(lab.results("pods"), lab.results("machine"));
    assert_eq!(lab.results("server"), lab.results("machine"));
    assert_eq!(lab.results("machine").len(), 2, "a file a movie");
    let read = |name: &str| std::fs::read_to_string(lab.output("pods").join(name)).unwrap();
    assert_eq!(read("regions.csv").lines().count(), 1, "no regions");
    assert_eq!(
        (read("failures.jsonl"), read(&format!(".analysis/{RUN}/failures.jsonl"))),
        (String::new(), String::new())
    );
    assert!(lab.output("pods/report.html").exists());
}

#[test]
fn a_result_has_the_shape_of_the_published_files() {
    let lab = Lab::of(1);
    lab.pods("out", statistics).run();
    let file = result(&lab, "out");
    let versions = json!({"movie": "1.0", "frameStats": {"frameStatistics": "1.0"},
        "performance": {"timing": "1.0", "hostinfo": "1.1"}});
    assert_eq!(file["contents"], versions);
    assert_eq!(file["movie"]["NumFrames"], 40);
    let provenance = &file["provenance"];
    assert_eq!(provenance["analysis"], "frameStatistics");
    assert_eq!(provenance["parameters"], json!({"startFrame": 2, "stride": 10}));
    assert_eq!(provenance["decodedFrames"], json!({"reduced": 0, "full": 4}));
    let rows = file["frameStats"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["frameNumber"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 12, 22, 32]);
    for row in rows {
        let statistics = &row["frameStatistics"];
        for channel in ["red", "green", "blue", "grey"] {
            let value = |name: &str| statistics[channel][name].as_f64().unwrap();
            let (least, most) = (value("minimum"), value("maximum"));
            assert!(0.0 <= least && least < value("mean") && value("mean") < most && most <= 255.0, "{statistics}");
            assert!(0.0 < value("standardDeviation") && value("standardDeviation") < (most - least), "{statistics}");
        }
        let share = |name: &str| statistics[name].as_f64().unwrap();
        assert!((0.0..1.0).contains(&share("clippedShare")) && (0.0..1.0).contains(&share("blackShare")));
        assert!(statistics["sharpness"].as_f64().unwrap() > 0.0 && row["durationSeconds"].as_f64().unwrap() > 0.0);
        assert!(statistics["performance"]["timing"]["retrieveFrame"].is_f64());
    }
}

#[test]
fn known_pictures_have_the_numbers_they_must_have() {
    let lab = Lab::of(0);
    let of = |source: &str| {
        render(&lab, source);
        lab.pods("out", statistics).run();
        std::fs::remove_dir_all(lab.output("out/.analysis")).unwrap();
        result(&lab, "out")["frameStats"][0]["frameStatistics"].clone()
    };
    let near = |found: &Value, expected: f64| (found.as_f64().unwrap() - expected).abs() <= 2.0;
    let black = of("color=black:size=320x180");
    assert_eq!(
        (&black["blackShare"], &black["clippedShare"], &black["sharpness"]),
        (&json!(1.0), &json!(0.0), &json!(0.0))
    );
    let colour = of("color=0x4080C0:size=640x360");
    for (channel, expected) in [("red", 64.0), ("green", 128.0), ("blue", 192.0)] {
        assert!(near(&colour[channel]["mean"], expected), "{colour}");
        assert!(near(&colour[channel]["standardDeviation"], 0.0), "{colour}");
    }
    let white = of("color=white:size=320x180");
    assert!(near(&white["grey"]["mean"], 255.0) && white["blackShare"] == 0.0, "{white}");
    let (sharp, soft) = (of("testsrc2=size=320x180"), of("testsrc2=size=320x180,gblur=sigma=3"));
    let of = |statistics: &Value| statistics["sharpness"].as_f64().unwrap();
    assert!(of(&sharp) > 4.0 * of(&soft) && of(&soft) > 0.0, "{} and {}", of(&sharp), of(&soft));
}
