//! A ProRes packet to a small grey picture beside it: `cargo run --example luma -- FILE.icpf [2|4|8]`.
//!
//! A packet is one sample of a movie, such as `ffmpeg -i X.mov -map 0:v -frames:v 1 -c copy -f data FILE.icpf` writes.
//! The picture (PGM, expanded to 0-255) gets the extension `pgm`.

use std::{env, error::Error, fs, path::PathBuf};

use prores::{Luma, Range, Reduction};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("usage: luma FILE.icpf [2|4|8]")?);
    let factor = arguments.next().map_or(Ok(4), |text| text.to_string_lossy().parse())?;
    let reduction = Reduction::by(factor).ok_or("the reduction is 2, 4 or 8")?;
    let packet = fs::read(&path)?;
    println!("{:?}", prores::header(&packet)?);
    let Luma { width, height, data } = prores::luma(&packet, reduction, Range::Full)?;
    let picture = path.with_extension("pgm");
    fs::write(&picture, [format!("P5 {width} {height} 255\n").as_bytes(), &data].concat())?;
    println!("{}: {width}x{height}", picture.display());
    Ok(())
}
