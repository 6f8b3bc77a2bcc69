//! The video packets of a movie, read back. Enough for what is written here and by FFmpeg; the product's own reader is
//! `quicktime`, which this must not lean on, because it is tested with these movies.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

/// The packets of a movie's video track, in order. Holes read as zeros.
pub fn packets(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let file = File::open(path)?;
    let moov = moov(&file)?.ok_or_else(|| wrong("the movie has no index"))?;
    let table = video_table(&moov).ok_or_else(|| wrong("the movie has no video track"))?;
    let ranges = samples(table).ok_or_else(|| wrong("the movie's sample table is misshapen"))?;
    let packet = |(at, size): (u64, u32)| {
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, at).map(|()| bytes)
    };
    ranges.into_iter().map(packet).collect()
}

fn wrong(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// The contents of the file's `moov`.
fn moov(file: &File) -> io::Result<Option<Vec<u8>>> {
    let (mut at, end) = (0, file.metadata()?.len());
    while at + 8 <= end {
        let mut header = [0; 16];
        let read = (end - at).min(16) as usize;
        file.read_exact_at(&mut header[..read], at)?;
        let (size, start) = match (word(&header, 0), long(&header, 8)) {
            (Some(1), Some(size)) => (size, 16),
            (Some(size), _) => (u64::from(size), 8),
            _ => (0, 8),
        };
        if size < start || size > end - at {
            return Ok(None);
        }
        if &header[4..8] == b"moov" {
            let mut bytes = vec![0; (size - start) as usize];
            file.read_exact_at(&mut bytes, at + start)?;
            return Ok(Some(bytes));
        }
        at += size;
    }
    Ok(None)
}

/// The `stbl` of the first track whose handler is `vide`.
fn video_table(moov: &[u8]) -> Option<&[u8]> {
    let media = |track| child(child(Some(track), *b"mdia"), *b"hdlr").filter(|hdlr| hdlr.get(8..12) == Some(b"vide"));
    let track = children(moov).find(|(kind, track)| *kind == b"trak" && media(track).is_some())?.1;
    child(child(child(Some(track), *b"mdia"), *b"minf"), *b"stbl")
}

/// Place and size of every sample.
fn samples(table: &[u8]) -> Option<Vec<(u64, u32)>> {
    let [stsz, stsc] = [*b"stsz", *b"stsc"].map(|kind| child(Some(table), kind));
    let (stsz, stsc) = (stsz?, stsc?);
    let (uniform, count) = (word(stsz, 4)?, word(stsz, 8)? as usize);
    let size = |sample: usize| if uniform > 0 { Some(uniform) } else { word(stsz, 12 + 4 * sample) };
    let (mut samples, mut run, mut chunk) = (Vec::new(), 0, 0);
    while samples.len() < count {
        let mut at = offset(table, chunk)?;
        while word(stsc, 8 + 12 * (run + 1)).is_some_and(|first| first as usize <= chunk + 1) {
            run += 1;
        }
        for _ in 0..word(stsc, 8 + 12 * run + 4)? {
            let size = size(samples.len())?;
            samples.push((at, size));
            at += u64::from(size);
        }
        chunk += 1;
    }
    Some(samples)
}

fn offset(table: &[u8], chunk: usize) -> Option<u64> {
    match child(Some(table), *b"co64") {
        Some(co64) => long(co64, 8 + 8 * chunk),
        None => word(child(Some(table), *b"stco")?, 8 + 4 * chunk).map(u64::from),
    }
}

fn children(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let size = word(rest, 0)? as usize;
        let (atom, behind) = rest.split_at_checked(size)?;
        rest = behind;
        Some((atom.get(4..8)?.first_chunk()?, atom.get(8..)?))
    })
}

fn child(bytes: Option<&[u8]>, wanted: [u8; 4]) -> Option<&[u8]> {
    children(bytes?).find(|(kind, _)| **kind == wanted).map(|(_, contents)| contents)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
