//! Movies made by FFmpeg, their packets, and FFmpeg's own decode of them to compare with.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // each user needs a part; tests may panic

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use quicktime::{Probe, Step};

/// Runs FFmpeg and gives its standard output.
pub fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "ffmpeg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A movie of `frames` frames of a source of FFmpeg's, encoded as `encoder` says.
pub fn movie(folder: &Path, source: &str, frames: usize, encoder: &str) -> PathBuf {
    let path = folder.join("movie.mov");
    let frames = frames.to_string();
    let mut arguments = vec!["-f", "lavfi", "-i", source, "-frames:v", &frames];
    arguments.extend(encoder.split_whitespace());
    arguments.push(path.to_str().unwrap());
    ffmpeg(&arguments);
    path
}

/// The packets of a movie.
pub fn packets(path: &Path) -> Vec<Vec<u8>> {
    let file = std::fs::read(path).unwrap();
    let mut probe = Probe::new(file.len() as u64);
    loop {
        match probe.step().unwrap() {
            Step::Need(range) => probe.supply(range.start, file[range.start as usize..range.end as usize].to_vec()),
            Step::Done(movie) => {
                let packet = |index| {
                    let range = movie.sample(index).unwrap();
                    file[range.start as usize..range.end as usize].to_vec()
                };
                return (0..movie.num_frames()).map(packet).collect();
            }
        }
    }
}

/// FFmpeg's decode of a movie's luma, 16 bits a sample, frame after frame; and how many bits are used.
pub fn decoded(path: &Path) -> (Vec<u16>, u32) {
    // The luma plane alone, as it is: no conversion of its values.
    let raw = |format: &str| {
        ffmpeg(&["-i", path.to_str().unwrap(), "-vf", "extractplanes=y", "-pix_fmt", format, "-f", "rawvideo", "-"])
    };
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=pix_fmt", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let depth = if String::from_utf8_lossy(&probe.stdout).contains("12le") { 12 } else { 10 };
    let bytes = raw(&format!("gray{depth}le"));
    (bytes.as_chunks::<2>().0.iter().map(|sample| u16::from_le_bytes(*sample)).collect(), depth)
}

/// FFmpeg's decode of a frame (from 0) of a movie in 4:2:2, ten bits: its planes, of these widths and this height.
pub fn planes(path: &Path, number: usize, (width, half, height): (usize, usize, usize)) -> [Vec<u16>; 3] {
    let bytes = ffmpeg(&["-i", path.to_str().unwrap(), "-pix_fmt", "yuv422p10le", "-f", "rawvideo", "-"]);
    let samples: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|sample| u16::from_le_bytes(*sample)).collect();
    let frame = &samples[number * (width + 2 * half) * height..];
    let (y, rest) = frame.split_at(width * height);
    let (u, rest) = rest.split_at(half * height);
    [y.to_vec(), u.to_vec(), rest[..half * height].to_vec()]
}
