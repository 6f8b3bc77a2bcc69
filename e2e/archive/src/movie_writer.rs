//! QuickTime files out of a few packets, in every shape the format allows and cameras use. The `moov` of a movie of any
//! length; packets only where they are wanted, holes elsewhere: a 14 GB movie that takes no room.
//!
//! [`packets`] takes the packets out of a rendered movie, [`write_long`] makes the long movie, [`write()`] anything.
//! (QuickTime File Format, Apple; the atoms are named after its chapters.)

mod moov;
mod packets;

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

pub use packets::packets;

/// The shape of a movie.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // each is one independent freedom the format leaves
pub struct Shape {
    /// Width and height.
    pub size: (u16, u16),
    /// The codec.
    pub codec: [u8; 4],
    /// `moov` before the frames.
    pub moov_first: bool,
    /// 64-bit chunk offsets.
    pub co64: bool,
    /// A 64-bit size for `mdat`.
    pub large_mdat: bool,
    /// Samples in a chunk; the last chunk may hold fewer.
    pub samples_per_chunk: u32,
    /// Where not empty, chunks hold these numbers of samples in turn, so that `stsc` has many runs.
    pub chunk_pattern: Vec<u32>,
    /// A timecode and a sound track before the video, with samples (silence), interleaved as one chunk each.
    pub extra_tracks: bool,
    /// `wide` and `free` atoms in between.
    pub padding: bool,
    /// One size for all frames in `stsz`, without a table; all must have it.
    pub uniform_size: bool,
}

impl Default for Shape {
    /// As the camera's recorder: `moov` last, 64-bit, a frame a chunk.
    fn default() -> Self {
        Self {
            size: (1920, 1080),
            codec: *b"apcn",
            moov_first: false,
            co64: true,
            large_mdat: true,
            samples_per_chunk: 1,
            chunk_pattern: Vec::new(),
            extra_tracks: false,
            padding: true,
            uniform_size: false,
        }
    }
}

/// The frames of a movie: how large each is, and the bytes of those that are to be there.
pub struct Frames<'a> {
    /// The size of every frame in bytes.
    pub sizes: &'a [u32],
    /// The bytes of a frame (from 0); `None` = a hole. Must be as long as its size.
    pub bytes: &'a dyn Fn(u32) -> Option<&'a [u8]>,
}

/// Writes a movie. It is complete or absent: written under a hidden name, then renamed.
pub fn write(path: &Path, shape: &Shape, frames: &Frames<'_>) -> io::Result<()> {
    let partial = crate::render::hidden(path, "partial.mov");
    let written = write_partial(&partial, shape, frames).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written
}

fn write_partial(path: &Path, shape: &Shape, frames: &Frames<'_>) -> io::Result<()> {
    let layout = Layout::new(shape, frames.sizes)?;
    let mut file = File::create(path)?;
    file.write_all(&layout.head)?;
    if shape.moov_first {
        file.write_all(&layout.moov)?;
    }
    file.write_all(&layout.mdat)?;
    let mut at = layout.video;
    for (index, size) in (0..).zip(frames.sizes) {
        if let Some(bytes) = (frames.bytes)(index) {
            if bytes.len() != *size as usize {
                return Err(io::Error::other(format!("frame {index} has {} bytes, not {size}", bytes.len())));
            }
            file.write_all_at(bytes, at)?;
        }
        at += u64::from(*size);
    }
    file.set_len(at)?;
    if !shape.moov_first {
        file.write_all_at(&layout.moov, at)?;
    }
    file.sync_all()
}

/// Everything but the frames, and where they begin.
struct Layout {
    head: Vec<u8>,
    moov: Vec<u8>,
    mdat: Vec<u8>,
    video: u64,
}

impl Layout {
    fn new(shape: &Shape, sizes: &[u32]) -> io::Result<Self> {
        if shape.uniform_size && sizes.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(io::Error::other("frames of different sizes need a table of sizes"));
        }
        let mut head = moov::atom(*b"ftyp", &[&b"qt  "[..], &0x0200_0000_u32.to_be_bytes(), b"qt  "]);
        if shape.padding {
            head.extend(moov::atom(*b"wide", &[]));
            head.extend(moov::atom(*b"free", &[&[0; 24]]));
        }
        let mdat_header: u64 = if shape.large_mdat { 16 } else { 8 };
        // The offsets do not change the index's length, so its place can be computed with any.
        let moov_length = moov::moov(shape, sizes, 0)?.0.len() as u64;
        let before = head.len() as u64 + if shape.moov_first { moov_length } else { 0 };
        let (moov, video) = moov::moov(shape, sizes, before + mdat_header)?;
        let body: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
        let mdat = mdat(shape, video + body - before)?;
        Ok(Self { head, moov, mdat, video })
    }
}

fn mdat(shape: &Shape, size: u64) -> io::Result<Vec<u8>> {
    if shape.large_mdat {
        return Ok([&1_u32.to_be_bytes()[..], b"mdat", &size.to_be_bytes()].concat());
    }
    let size = u32::try_from(size).map_err(|_| io::Error::other("the frames need a 64-bit mdat"))?;
    Ok([&size.to_be_bytes()[..], b"mdat"].concat())
}

/// A movie of `frames` frames of the sizes `packets` have in turn, of which only those in `present` (from 0) are there;
/// the others are holes. Frame n has the bytes of packet n modulo their number.
pub fn write_long(path: &Path, shape: &Shape, packets: &[Vec<u8>], frames: u32, present: &[u32]) -> io::Result<()> {
    if packets.is_empty() {
        return Err(io::Error::other("there are no packets to make a movie of"));
    }
    let present: HashSet<u32> = present.iter().copied().collect();
    let of = |index: u32| &packets[index as usize % packets.len()];
    let sizes: Vec<u32> = (0..frames).map(|index| of(index).len() as u32).collect();
    let bytes = |index: u32| present.contains(&index).then(|| of(index).as_slice());
    write(path, shape, &Frames { sizes: &sizes, bytes: &bytes })
}
