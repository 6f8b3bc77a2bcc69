//! Written movies of every shape: FFmpeg reads them, and the packets come back as they went in.

#![allow(clippy::unwrap_used)] // a test may

use std::{os::unix::fs::MetadataExt, path::Path, process::Command};

use archive::{
    Movie,
    movie_writer::{Frames, Shape, packets, write, write_long},
};

const SIZE: (u16, u16) = (64, 48);

/// Packets of a rendered movie.
fn real(frames: u32) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.mov");
    Movie { frames, size: (64, 48), ..Movie::default() }.render(&path).unwrap();
    packets(&path).unwrap()
}

fn written(path: &Path, shape: &Shape, packets: &[Vec<u8>]) -> std::io::Result<()> {
    let sizes: Vec<u32> = packets.iter().map(|packet| packet.len() as u32).collect();
    write(path, shape, &Frames { sizes: &sizes, bytes: &|index| Some(&packets[index as usize]) })
}

/// The digest FFmpeg gives every packet of the video, after it has decoded the movie without complaint.
fn judged(path: &Path) -> Vec<String> {
    let run = |arguments: &[&str]| {
        let mut command = Command::new("ffmpeg");
        let output = command.args(["-v", "error", "-xerror", "-i"]).arg(path).args(arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && complaint.is_empty(), "{complaint}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["-f", "null", "-"]);
    let digests = run(&["-map", "0:v", "-c", "copy", "-f", "framemd5", "-"]);
    let digest = |line: &str| line.rsplit(", ").next().unwrap().to_owned();
    digests.lines().filter(|line| !line.starts_with('#')).map(digest).collect()
}

#[test]
fn every_shape_holds_the_same_movie() {
    let (folder, real) = (tempfile::tempdir().unwrap(), real(11));
    let usual = Shape { size: SIZE, ..Shape::default() };
    let shapes = [
        ("usual", usual.clone()),
        ("moov first", Shape { moov_first: true, ..usual.clone() }),
        ("32 bits", Shape { co64: false, large_mdat: false, ..usual.clone() }),
        ("bare", Shape { padding: false, ..usual.clone() }),
        ("chunks of 4", Shape { samples_per_chunk: 4, ..usual.clone() }),
        ("one chunk", Shape { samples_per_chunk: 99, moov_first: true, ..usual.clone() }),
        ("many runs", Shape { chunk_pattern: vec![3, 1, 1, 2], co64: false, ..usual.clone() }),
        ("other tracks", Shape { extra_tracks: true, ..usual.clone() }),
        (
            "other tracks, moov first",
            Shape { extra_tracks: true, moov_first: true, large_mdat: false, ..usual.clone() },
        ),
    ];
    let mut expected = None;
    for (name, shape) in shapes {
        let path = folder.path().join(format!("{name}.mov"));
        written(&path, &shape, &real).unwrap();
        assert_eq!(packets(&path).unwrap(), real, "{name}");
        let judged = judged(&path);
        assert_eq!(judged.len(), 11, "{name}");
        assert_eq!(expected.get_or_insert_with(|| judged.clone()), &judged, "{name}");
    }
}

#[test]
fn frames_of_one_size_need_no_table_and_others_do() {
    let folder = tempfile::tempdir().unwrap();
    let (path, shape) = (folder.path().join("X.mov"), Shape { size: SIZE, uniform_size: true, ..Shape::default() });
    let same = vec![real(1).remove(0); 5];
    written(&path, &shape, &same).unwrap();
    assert_eq!((packets(&path).unwrap(), judged(&path).len()), (same, 5));
    let error = written(&path, &shape, &[vec![0; 8], vec![0; 9]]).unwrap_err();
    assert_eq!(error.to_string(), "frames of different sizes need a table of sizes");
}

#[test]
fn a_14_gb_movie_takes_no_room_and_has_the_frames_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.mov");
    // As large as the camera's, so that the whole is.
    let large: Vec<Vec<u8>> = (0..3_u8).map(|n| vec![n + 1; 550_000 + usize::from(n) * 10_000]).collect();
    write_long(&path, &Shape::default(), &large, 25_155, &[0, 5, 25_154]).unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert!((13_000_000_000..15_000_000_000).contains(&metadata.len()), "{}", metadata.len());
    assert!(metadata.blocks() * 512 < 8_000_000, "{} blocks", metadata.blocks());
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_entries", "stream=nb_frames,codec_name", "-of", "csv=p=0"]).arg(&path);
    assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap().trim(), "prores,25155");
}

#[test]
fn a_movie_that_does_not_fit_its_shape_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.mov");
    let sizes = vec![1_000_000_000; 6];
    let frames = Frames { sizes: &sizes, bytes: &|_| None };
    let narrow = Shape { co64: false, large_mdat: true, ..Shape::default() };
    let error = write(&path, &narrow, &frames).unwrap_err();
    assert_eq!(error.to_string(), "the frames need 64-bit chunk offsets");
    let error = write(&path, &Shape { large_mdat: false, ..Shape::default() }, &frames).unwrap_err();
    assert_eq!(error.to_string(), "the frames need a 64-bit mdat");
    let wrong = Frames { sizes: &[10], bytes: &|_| Some(&[0; 9]) };
    assert!(write(&path, &Shape::default(), &wrong).is_err());
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}
