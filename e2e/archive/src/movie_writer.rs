//! QuickTime files out of a few packets, in every shape the format allows and cameras use. The `moov` of a movie of any
//! length; packets only where they are wanted, holes elsewhere: a 14 GB movie that takes no room.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

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
    /// A sound and a timecode track before the video.
    pub extra_tracks: bool,
    /// `wide` and `free` atoms in between.
    pub padding: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            size: (1920, 1080),
            codec: *b"apcn",
            moov_first: false,
            co64: true,
            large_mdat: true,
            samples_per_chunk: 1,
            extra_tracks: false,
            padding: true,
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

/// Writes a movie.
pub fn write(path: &Path, shape: &Shape, frames: &Frames<'_>) -> io::Result<()> {
    let mut head = atom(*b"ftyp", &[&b"qt  "[..], &0x0200_0000_u32.to_be_bytes(), b"qt  "]);
    if shape.padding {
        head.extend(atom(*b"wide", &[]));
        head.extend(atom(*b"free", &[&[0; 24]]));
    }
    let body: u64 = frames.sizes.iter().map(|size| u64::from(*size)).sum();
    let mdat_header: u64 = if shape.large_mdat { 16 } else { 8 };
    // The offsets do not change the index's length, so its place can be computed with any.
    let moov_length = moov(shape, frames.sizes, 0).len() as u64;
    let before = head.len() as u64 + if shape.moov_first { moov_length } else { 0 };
    let first = before + mdat_header;
    let moov = moov(shape, frames.sizes, first);
    let mut file = File::create(path)?;
    file.write_all(&head)?;
    if shape.moov_first {
        file.write_all(&moov)?;
    }
    file.write_all(&mdat(shape, body + mdat_header)?)?;
    let mut at = first;
    for (index, size) in (0..).zip(frames.sizes) {
        if let Some(bytes) = (frames.bytes)(index) {
            file.write_all_at(bytes, at)?;
        }
        at += u64::from(*size);
    }
    file.set_len(at)?;
    if !shape.moov_first {
        file.write_all_at(&moov, at)?;
    }
    file.sync_all()
}

fn mdat(shape: &Shape, size: u64) -> io::Result<Vec<u8>> {
    if shape.large_mdat {
        return Ok([&1_u32.to_be_bytes()[..], b"mdat", &size.to_be_bytes()].concat());
    }
    let size = u32::try_from(size).map_err(|_| io::Error::other("the frames need a 64-bit mdat"))?;
    Ok([&size.to_be_bytes()[..], b"mdat"].concat())
}

fn moov(shape: &Shape, sizes: &[u32], first: u64) -> Vec<u8> {
    let duration = sizes.len() as u32 * 1001;
    let mut mvhd = words(&[0, 0, 0, 30000, duration, 0x0001_0000]);
    mvhd.extend([0x01, 0x00].iter().chain(&[0; 10]));
    mvhd.extend(matrix());
    mvhd.extend(words(&[0, 0, 0, 0, 0, 0, 4]));
    let mut tracks = Vec::new();
    if shape.extra_tracks {
        tracks.extend(other_track(1, *b"soun", *b"sowt", duration));
        tracks.extend(other_track(2, *b"tmcd", *b"tmcd", duration));
    }
    tracks.extend(video_track(shape, sizes, first, duration));
    atom(*b"moov", &[&atom(*b"mvhd", &[&mvhd]), &tracks])
}

fn video_track(shape: &Shape, sizes: &[u32], first: u64, duration: u32) -> Vec<u8> {
    let (width, height) = shape.size;
    let mut entry = vec![0; 16 + 8];
    entry[7] = 1;
    entry.extend([width, height].iter().flat_map(|side| side.to_be_bytes()));
    entry.extend(words(&[0x0048_0000, 0x0048_0000, 0]));
    entry.extend(1_u16.to_be_bytes());
    entry.extend([0; 32]);
    entry.extend([24_u16.to_be_bytes(), 0xffff_u16.to_be_bytes()].concat());
    entry.extend(atom(*b"colr", &[b"nclc", &[0, 1, 0, 1, 0, 1]]));
    let chunks = sizes.chunks(shape.samples_per_chunk.max(1) as usize);
    let mut at = first;
    let mut offsets = Vec::new();
    for chunk in chunks.clone() {
        offsets.push(at);
        at += chunk.iter().map(|size| u64::from(*size)).sum::<u64>();
    }
    let table = [
        full(*b"stsd", &[&words(&[1]), &atom(shape.codec, &[&entry])]),
        full(*b"stts", &[&words(&[1, sizes.len() as u32, 1001])]),
        full(*b"stsc", &[&runs(shape.samples_per_chunk.max(1), sizes.len() as u32)]),
        full(*b"stsz", &[&words(&[0, sizes.len() as u32]), &words(sizes)]),
        chunk_offsets(shape.co64, &offsets),
    ];
    let vmhd = [&[0, 0, 0, 1][..], &[0; 8]].concat();
    track(
        3,
        *b"vide",
        (width, height),
        duration,
        &[atom(*b"vmhd", &[&vmhd]), atom(*b"stbl", &[&table.concat()])].concat(),
    )
}

/// One entry for the full chunks, one for a shorter last.
fn runs(per_chunk: u32, samples: u32) -> Vec<u8> {
    let (chunks, rest) = (samples / per_chunk, samples % per_chunk);
    match (chunks, rest) {
        (0, rest) => words(&[1, 1, rest.max(1), 1]),
        (_, 0) => words(&[1, 1, per_chunk, 1]),
        (chunks, rest) => words(&[2, 1, per_chunk, 1, chunks + 1, rest, 1]),
    }
}

fn chunk_offsets(co64: bool, offsets: &[u64]) -> Vec<u8> {
    let count = words(&[offsets.len() as u32]);
    if co64 {
        let bytes: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_be_bytes()).collect();
        return full(*b"co64", &[&count, &bytes]);
    }
    let bytes: Vec<u8> = offsets.iter().flat_map(|offset| (*offset as u32).to_be_bytes()).collect();
    full(*b"stco", &[&count, &bytes])
}

/// A track that is not video and has no samples.
fn other_track(id: u32, kind: [u8; 4], codec: [u8; 4], duration: u32) -> Vec<u8> {
    let entry = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 20]].concat();
    let table = [
        full(*b"stsd", &[&words(&[1]), &atom(codec, &[&entry])]),
        full(*b"stts", &[&words(&[0])]),
        full(*b"stsc", &[&words(&[0])]),
        full(*b"stsz", &[&words(&[0, 0])]),
        full(*b"stco", &[&words(&[0])]),
    ];
    track(id, kind, (0, 0), duration, &atom(*b"stbl", &[&table.concat()]))
}

fn track(id: u32, kind: [u8; 4], size: (u16, u16), duration: u32, media_info: &[u8]) -> Vec<u8> {
    // Version 0, enabled and in the movie.
    let mut tkhd = words(&[0x0000_0003, 0, 0, id, 0, duration, 0, 0, 0, 0]);
    tkhd.extend(matrix());
    tkhd.extend(words(&[u32::from(size.0) << 16, u32::from(size.1) << 16]));
    let mdhd = words(&[0, 0, 0, 30000, duration, 0]);
    let hdlr = [&[0; 4][..], b"mhlr", &kind, &[0; 12], b"\0"].concat();
    let media = [atom(*b"mdhd", &[&mdhd]), atom(*b"hdlr", &[&hdlr]), atom(*b"minf", &[media_info])].concat();
    atom(*b"trak", &[&atom(*b"tkhd", &[&tkhd]), &atom(*b"mdia", &[&media])])
}

fn atom(kind: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let size: usize = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend((size as u32).to_be_bytes());
    bytes.extend(kind);
    for part in parts {
        bytes.extend(*part);
    }
    bytes
}

/// An atom with version and flags 0.
fn full(kind: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let mut all: Vec<&[u8]> = vec![&[0; 4]];
    all.extend(parts);
    atom(kind, &all)
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn matrix() -> Vec<u8> {
    words(&[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000])
}

/// The packets of a short movie, read back: stuff for [`write`].
pub fn packets(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let bytes = std::fs::read(path)?;
    let mut probe = quicktime::Probe::new(bytes.len() as u64);
    probe.supply(0, bytes.clone());
    let quicktime::Step::Done(movie) = probe.step().map_err(io::Error::other)? else {
        return Err(io::Error::other("the movie is not whole"));
    };
    let ranges = (0..movie.num_frames()).filter_map(|index| movie.sample(index));
    Ok(ranges.map(|range| bytes[range.start as usize..range.end as usize].to_vec()).collect())
}

/// A movie of `frames` frames of the sizes `packets` have in turn, of which only those in `present` (from 0) are there;
/// the others are holes.
pub fn write_long(path: &Path, shape: &Shape, packets: &[Vec<u8>], frames: u32, present: &[u32]) -> io::Result<()> {
    let of = |index: u32| &packets[index as usize % packets.len()];
    let sizes: Vec<u32> = (0..frames).map(|index| of(index).len() as u32).collect();
    let bytes = |index: u32| present.contains(&index).then(|| of(index).as_slice());
    write(path, shape, &Frames { sizes: &sizes, bytes: &bytes })
}
