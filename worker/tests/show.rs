//! `analysis-worker show`: a picture that says why.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::{path::Path, process::Command};

use archive::{
    Movie, Server,
    camera::{Script, Spell},
};
use support::Ended;

fn show(movie: &str, from: &str, to: &str, out: &Path) -> (Ended, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_analysis-worker"));
    let output = command.args(["show", movie, from, to, "--out"]).arg(out).output().unwrap();
    (Ended::of(&output), String::from_utf8(output.stdout).unwrap())
}

/// A movie in which the picture moves right by 30 pixels in ten frames.
fn panning(path: &Path) {
    let spell = Spell { kind: "W".into(), frames: 24, scale: 1.0, tx: 30.0, ty: 0.0 };
    let script = Some(Script { spells: vec![spell], ramp: 1 });
    Movie { frames: 24, size: (640, 360), script, particles: 0, plume: 0.0, ..Movie::default() }.render(path).unwrap();
}

#[test]
fn a_picture_shows_the_points_and_says_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let movie = folder.path().join("A/M.mov");
    panning(&movie);
    let out = folder.path().join("why.png");
    let (ended, said) = show(movie.to_str().unwrap(), "6", "16", &out);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        said.contains("M.mov  frames 6 -> 16  moved") && said.contains("points agree") && said.contains("why.png"),
        "{said}"
    );
    let tx: f64 = said.split("tx ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((tx - 30.0).abs() < 0.5, "{said}");
    let picture = image::open(&out).unwrap().into_rgb8();
    assert!(picture.width() == 1280 && picture.height() > 720, "the frame and the lines below it");
    let blue = |pixel: &&image::Rgb<u8>| pixel.0[2] > 200 && pixel.0[0] < 140;
    assert!(picture.pixels().filter(blue).count() > 1000, "points and cells that agree");
    // Through a server, the same picture.
    let server = Server::start(folder.path()).unwrap();
    let (ended, _) = show(&format!("{}A/M.mov", server.url()), "6", "16", &folder.path().join("again.png"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(image::open(folder.path().join("again.png")).unwrap().into_rgb8(), picture);
}

#[test]
fn what_is_wrong_is_named_with_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let movie = folder.path().join("M.mov");
    panning(&movie);
    let (out, name) = (folder.path().join("why.png"), movie.to_str().unwrap().to_owned());
    let told = |movie: &str, to: &str, out: &Path, code: i32, words: &str| {
        let (ended, _) = show(movie, "6", to, out);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    };
    told(&name, "25", &out, 65, "has no frame 25: its frames are 1 to 24");
    told(&name, "0", &out, 65, "has no frame 0");
    told(&name.replace("M.mov", "N.mov"), "16", &out, 65, "N.mov");
    told(&name, "16", &folder.path().join("nowhere/why.png"), 78, "nowhere/why.png");
    told(&format!("{name}/M.mov"), "16", &out, 78, "failed to open");
    assert!(!out.exists());
}
