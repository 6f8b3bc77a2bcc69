//! Movies as FFmpeg writes them: where frames are is checked against what ffprobe, an independent reader, says.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

use quicktime::{FourCc, Movie, Probe, Step};

/// Runs a program of FFmpeg's and gives what it prints.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(["-v", "error"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A movie of a test picture, `arguments` choosing codecs, tracks and the place of the index.
fn movie(folder: &Path, name: &str, arguments: &str) -> PathBuf {
    let path = folder.join(name);
    let mut all = vec!["-y", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=30000/1001:duration=2"];
    all.extend(arguments.split_whitespace());
    all.push(path.to_str().unwrap());
    run("ffmpeg", &all);
    path
}

fn read(path: &Path) -> Movie {
    let file = std::fs::read(path).unwrap();
    let mut probe = Probe::new(file.len() as u64);
    loop {
        match probe.step().unwrap() {
            Step::Done(movie) => return *movie,
            Step::Need(range) => probe.supply(range.start, file[range.start as usize..range.end as usize].to_vec()),
        }
    }
}

/// What ffprobe says of the first video track: (bytes, whether it can be decoded alone) of every frame, in file order.
fn packets(path: &Path) -> Vec<(Range<u64>, bool)> {
    let entries = ["-select_streams", "v:0", "-show_entries", "packet=size,pos,flags", "-of", "csv=p=0"];
    let text = run("ffprobe", &[&entries[..], &[path.to_str().unwrap()]].concat());
    let packet = |line: &str| {
        let fields: Vec<_> = line.split(',').collect();
        let (size, start): (u64, u64) = (fields[0].parse().unwrap(), fields[1].parse().unwrap());
        (start..start + size, fields[2].starts_with('K'))
    };
    text.lines().map(packet).collect()
}

const SOUND: &str = "-f lavfi -i sine=frequency=440:duration=2";

#[test]
fn frames_are_where_ffprobe_says() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("prores.mov", "-c:v prores_ks -profile:v 2 -pix_fmt yuv422p10le".to_owned()),
        ("first.mov", "-c:v prores_ks -pix_fmt yuv422p10le -movflags +faststart".to_owned()),
        ("sound.mov", format!("{SOUND} -map 1:a -map 0:v -c:a pcm_s16le -c:v prores_ks -pix_fmt yuv422p10le")),
        ("timecode.mov", "-c:v prores_ks -pix_fmt yuv422p10le -timecode 01:00:00:00".to_owned()),
        ("uniform.mov", "-c:v rawvideo -pix_fmt uyvy422".to_owned()),
        ("h264.mov", format!("{SOUND} -c:a aac -c:v libx264 -g 12 -bf 0 -pix_fmt yuv420p")),
    ] {
        let path = movie(folder.path(), name, &arguments);
        let (found, expected) = (read(&path), packets(&path));
        let ranges: Vec<_> = (0..found.num_frames()).map(|index| found.sample(index).unwrap()).collect();
        assert_eq!(ranges, expected.iter().map(|(range, _)| range.clone()).collect::<Vec<_>>(), "{name}");
        let alone: Vec<u32> = (0..).zip(&expected).filter(|(_, (_, alone))| *alone).map(|(index, _)| index).collect();
        let sync = found.samples.sync_samples().map_or_else(|| (0..60).collect(), <[u32]>::to_vec);
        assert_eq!((sync, found.num_frames()), (alone, 60), "{name}");
        assert_eq!((found.width, found.height), (64, 48), "{name}");
        assert!((found.frame_rate() - 30000.0 / 1001.0).abs() < 1e-9, "{name}: {}", found.frame_rate());
        assert!((found.duration_seconds() - 60.0 * 1001.0 / 30000.0).abs() < 1e-9, "{name}");
    }
}

#[test]
fn frames_that_build_upon_each_other_are_counted_as_they_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = movie(folder.path(), "both.mov", "-c:v libx264 -g 12 -bf 3 -pix_fmt yuv420p");
    let found = read(&path);
    let entries = ["-select_streams", "v:0", "-show_entries", "packet=pts,size,pos,flags", "-of", "csv=p=0"];
    let text = run("ffprobe", &[&entries[..], &[path.to_str().unwrap()]].concat());
    // (time, bytes, whether it can be decoded alone), in decoding order.
    let packet = |line: &str| {
        let fields: Vec<_> = line.split(',').collect();
        let (time, size, start): (i64, u64, u64) =
            (fields[0].parse().unwrap(), fields[1].parse().unwrap(), fields[2].parse().unwrap());
        (time, start..start + size, fields[3].starts_with('K'))
    };
    let coded: Vec<_> = text.lines().map(packet).collect();
    let mut shown = coded.clone();
    shown.sort_by_key(|(time, ..)| *time);
    assert!(coded != shown, "the encoder did reorder");
    assert_eq!(found.num_frames() as usize, shown.len());
    for (index, (time, range, alone)) in (0..).zip(&shown) {
        assert_eq!(found.sample(index).as_ref(), Some(range), "{index}");
        let seconds = *time as f64 / f64::from(found.timescale);
        assert!((found.seconds(index).unwrap() - seconds).abs() < 1e-9, "{index}");
        match found.group(index) {
            None => assert!(alone, "{index}"),
            Some(group) => {
                let (first, last) = (group.iter().find(|needed| !needed.passing).unwrap(), group.last().unwrap());
                let (first, last) = (&coded[first.sample as usize], &coded[last.sample as usize]);
                assert!(first.2 && !alone && last.1 == *range, "{index}");
            }
        }
    }
}

#[test]
fn of_two_video_tracks_the_first_that_is_enabled_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let two = "-f lavfi -i testsrc=size=32x32:rate=25:duration=1 -map 0:v -map 1:v -c:v:0 prores_ks -c:v:1 mjpeg \
               -pix_fmt:v:0 yuv422p10le -pix_fmt:v:1 yuvj422p";
    let path = movie(folder.path(), "two.mov", two);
    assert_eq!((read(&path).width, read(&path).num_frames()), (64, 60));
    let mut file = std::fs::read(&path).unwrap();
    let headers: Vec<_> = (4..file.len()).filter(|at| file[at - 4..*at] == *b"tkhd").collect();
    // Version, then three bytes of flags, of which the lowest bit says "enabled". FFmpeg enables the first track only.
    file[headers[0] + 3] &= !1;
    file[headers[1] + 3] |= 1;
    std::fs::write(&path, file).unwrap();
    let second = read(&path);
    assert_eq!((second.width, second.codec, second.num_frames()), (32, FourCc(*b"jpeg"), 25));
}

#[test]
fn a_movie_of_sound_only_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.mov");
    run(
        "ffmpeg",
        &[&SOUND.split(' ').collect::<Vec<_>>()[..], &["-c:a", "pcm_s16le", path.to_str().unwrap()]].concat(),
    );
    let file = std::fs::read(path).unwrap();
    let mut probe = Probe::new(file.len() as u64);
    probe.supply(0, file);
    assert_eq!(probe.step().unwrap_err(), quicktime::Error::NoVideo);
}
