//! Rendered movies: what is in the file, the same bytes for the same seed, and the truth against the picture.

#![allow(clippy::unwrap_used)] // a test may

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use archive::{Movie, RenderError, Script, Spell, Truth, movie_writer};

/// A small movie that takes a fraction of a second.
fn small(frames: u32) -> Movie {
    Movie { frames, size: (320, 180), ..Movie::default() }
}

fn rendered(movie: &Movie) -> (tempfile::TempDir, PathBuf, Truth) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("A/X.mov");
    let truth = movie.render(&path).unwrap();
    (folder, path, truth)
}

/// What `ffprobe` says of the file, as JSON.
fn probe(path: &Path) -> serde_json::Value {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "json", "-show_streams", "-count_packets"]).arg(path);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The brightness of all frames, 8 bits.
fn decoded(path: &Path) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(path).args(["-f", "rawvideo", "-pix_fmt", "gray", "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Names and sizes of the atoms of a file, in order.
fn atoms(path: &Path) -> Vec<(String, usize)> {
    let bytes = std::fs::read(path).unwrap();
    let (mut at, mut atoms) = (0, Vec::new());
    while at < bytes.len() {
        let size = u32::from_be_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
        let size = if size == 1 { u64::from_be_bytes(*bytes[at + 8..].first_chunk().unwrap()) as usize } else { size };
        atoms.push((String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned(), size));
        at += size;
    }
    atoms
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |movie: &Movie| {
        let (_folder, path, _) = rendered(movie);
        (std::fs::read(&path).unwrap(), std::fs::read(Truth::path_of(&path)).unwrap())
    };
    let first = bytes(&small(12));
    assert_eq!(first, bytes(&small(12)));
    assert_ne!(first.0, bytes(&Movie { seed: 2, ..small(12) }).0);
    assert_ne!(first.0, bytes(&Movie { plume: 0.5, ..small(12) }).0);
}

#[test]
fn a_full_size_movie_is_as_the_camera_writes_it() {
    let (_folder, path, _) = rendered(&Movie { frames: 3, ..Movie::default() });
    let video = &probe(&path)["streams"][0];
    let facts = [
        "codec_name",
        "codec_tag_string",
        "profile",
        "pix_fmt",
        "r_frame_rate",
        "nb_read_packets",
        "color_space",
        "color_range",
    ];
    let facts = facts.map(|name| video[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(facts, ["prores", "apcn", "Standard", "yuv422p10le", "30000/1001", "3", "bt709", "tv"]);
    assert_eq!((video["width"].as_u64(), video["height"].as_u64()), (Some(1920), Some(1080)));
    let names: Vec<String> = atoms(&path).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ftyp", "wide", "mdat", "moov"]);
    let sizes: Vec<usize> = movie_writer::packets(&path).unwrap().iter().map(Vec::len).collect();
    assert!(sizes.len() == 3 && sizes.iter().all(|size| (400_000..750_000).contains(size)), "{sizes:?}");
}

#[test]
fn sound_and_timecode_tracks_come_on_request() {
    let (_folder, path, _) = rendered(&Movie { extra_tracks: true, ..small(6) });
    let streams = probe(&path)["streams"].clone();
    let kinds: Vec<&str> = streams.as_array().unwrap().iter().map(|s| s["codec_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["audio", "video", "data"]);
}

/// The mean absolute difference of two pictures where the second is shifted by whole pixels, over their middle.
fn difference(a: &[u8], b: &[u8], (dx, dy): (i32, i32)) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for y in 70..110 {
        for x in 120..200 {
            let at = |x: i32, y: i32| (y * 320 + x) as usize;
            sum += f64::from(a[at(x, y)].abs_diff(b[at(x + dx, y + dy)]));
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn the_picture_moves_as_the_truth_says() {
    for (kind, shift) in [("W", (9, 0)), ("E", (-9, 0)), ("N", (0, 9)), ("S", (0, -9)), ("NE", (-9, 9))] {
        // A fifth of the real speed suits a small picture: nine pixels in ten frames.
        let spells = vec![Spell::rest(3), Spell::moving(kind, 40).at_speed(0.2)];
        let script = Some(Script { spells, ramp: 4 });
        let (_folder, path, truth) = rendered(&Movie { script, plume: 0.0, particles: 0, ..small(32) });
        let moved = truth.similarity(15, 25).unwrap();
        let (dx, dy) = moved.displacement(20.0, -10.0);
        assert!((dx - f64::from(shift.0)).abs() < 1e-9 && (dy - f64::from(shift.1)).abs() < 1e-9, "{kind} {moved:?}");
        let pixels = decoded(&path);
        let frame = |number: usize| &pixels[(number - 1) * 320 * 180..number * 320 * 180];
        let near = (-12..=12).flat_map(|dx| (-12..=12).map(move |dy| (dx, dy)));
        let found =
            near.min_by(|a, b| difference(frame(15), frame(25), *a).total_cmp(&difference(frame(15), frame(25), *b)));
        assert_eq!(found, Some(shift), "{kind}");
    }
}

#[test]
fn a_zoom_keeps_the_middle_and_spreads_the_rest() {
    let script = Script { spells: vec![Spell::moving("zoom_in", 40)], ramp: 4 };
    let moved = Truth::new(script.poses(40)).similarity(15, 25).unwrap();
    assert_eq!(moved.displacement(0.0, 0.0), (0.0, 0.0));
    let (dx, dy) = moved.displacement(100.0, -40.0);
    assert!((dx - 7.5).abs() < 1e-9 && (dy + 3.0).abs() < 1e-9, "{dx} {dy}");
}

#[test]
fn a_movie_that_is_there_is_not_made_again_unless_its_values_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.mov");
    let made = |movie: &Movie| movie.render_missing(&path, |_| {}).unwrap();
    assert_eq!([made(&small(2)), made(&small(2)), made(&small(3)), made(&small(3))], [true, false, true, false]);
    std::fs::remove_file(Truth::path_of(&path)).unwrap();
    assert!(made(&small(3)), "a movie without its truth is not there");
    let mut names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".X.made", "X.mov", "X_truth.csv"], "nothing half made is left");
}

#[test]
fn a_movie_that_cannot_be_made_leaves_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.mov");
    let odd = Movie { size: (321, 180), ..small(2) }.render(&path).unwrap_err();
    assert_eq!(odd.to_string(), "a movie of 321x180 cannot be made: both must be even and at least 16");
    let still = folder.path().join("none.jpg");
    let missing = Movie { still: Some(still.clone()), ..small(2) }.render(&path).unwrap_err();
    assert!(matches!(&missing, RenderError::Still(error) if error.path == still), "{missing}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_dark_movie_is_dark() {
    let mean = |light| {
        let (_folder, path, _) = rendered(&Movie { light, particles: 0, ..small(2) });
        let pixels = decoded(&path);
        pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / pixels.len() as f64
    };
    let (usual, dark) = (mean(1.0), mean(0.0));
    assert!((40.0..120.0).contains(&usual), "{usual}");
    assert!(dark < 5.0, "{dark}");
}

#[test]
fn a_still_becomes_the_scene() {
    let folder = tempfile::tempdir().unwrap();
    let still = folder.path().join("still.png");
    image::RgbImage::from_fn(200, 100, |x, _| image::Rgb([if x < 100 { 20 } else { 220 }; 3])).save(&still).unwrap();
    let movie = Movie { still: Some(still), plume: 0.0, particles: 0, noise: 0.0, ..small(1) };
    let (_folder, path, _) = rendered(&movie);
    let pixels = decoded(&path);
    let at = |x: usize| f64::from(pixels[90 * 320 + x]);
    assert!(at(190) > 4.0 * at(130), "{} {}", at(130), at(190));
}
