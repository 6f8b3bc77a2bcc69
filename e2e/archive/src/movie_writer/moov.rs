//! The index of a movie.

use std::io;

use super::Shape;

/// 30000/1001 frames a second.
const SCALE: u32 = 30_000;
const FRAME: u32 = 1001;
/// Sound: stereo, 16 bits, little-endian.
const RATE: u64 = 48_000;
const SOUND_FRAME: u32 = 4;

/// The `moov` of a movie whose samples begin at `first`; and where its video samples begin, behind the other tracks'.
pub fn moov(shape: &Shape, sizes: &[u32], first: u64) -> io::Result<(Vec<u8>, u64)> {
    let count = u32::try_from(sizes.len()).map_err(io::Error::other)?;
    let duration = count.checked_mul(FRAME).ok_or_else(|| io::Error::other("the movie is too long"))?;
    let mut mvhd = words(&[0, 0, 0, SCALE, duration, 0x0001_0000]);
    mvhd.extend([0x01, 0x00].iter().chain(&[0; 10]));
    mvhd.extend(matrix());
    mvhd.extend(words(&[0, 0, 0, 0, 0, 0, 4]));
    let (mut tracks, mut video) = (Vec::new(), first);
    if shape.extra_tracks {
        let (timecode, sound) = (Timed { id: 1, duration }, Timed { id: 2, duration });
        tracks.extend(timecode.timecode(first));
        let samples = (u64::from(duration) * RATE / u64::from(SCALE)) as u32;
        tracks.extend(sound.sound(first + 4, samples));
        video += 4 + u64::from(samples) * u64::from(SOUND_FRAME);
    }
    tracks.extend(Timed { id: 3, duration }.video(shape, sizes, video)?);
    Ok((atom(*b"moov", &[&atom(*b"mvhd", &[&mvhd]), &tracks]), video))
}

/// A track's number and length.
struct Timed {
    id: u32,
    duration: u32,
}

impl Timed {
    fn video(&self, shape: &Shape, sizes: &[u32], first: u64) -> io::Result<Vec<u8>> {
        let (width, height) = shape.size;
        let mut entry = vec![0; 16 + 8];
        entry[7] = 1;
        entry.extend([width, height].iter().flat_map(|side| side.to_be_bytes()));
        entry.extend(words(&[0x0048_0000, 0x0048_0000, 0]));
        entry.extend(1_u16.to_be_bytes());
        entry.extend([0; 32]);
        entry.extend([24_u16.to_be_bytes(), 0xffff_u16.to_be_bytes()].concat());
        entry.extend(atom(*b"colr", &[b"nclc", &[0, 1, 0, 1, 0, 1]]));
        let count = sizes.len() as u32;
        let chunks = chunks(shape, count);
        let sizes_table = match sizes.first() {
            Some(size) if shape.uniform_size => words(&[*size, count]),
            _ => [words(&[0, count]), words(sizes)].concat(),
        };
        let table = [
            full(*b"stsd", &[&words(&[1]), &atom(shape.codec, &[&entry])]),
            full(*b"stts", &[&words(&[1, count, FRAME])]),
            full(*b"stsc", &[&runs(&chunks)]),
            full(*b"stsz", &[&sizes_table]),
            chunk_offsets(shape.co64, &offsets(&chunks, sizes, first))?,
        ];
        let header = atom(*b"vmhd", &[&words(&[1, 0, 0])]);
        Ok(self.track(*b"vide", (width, height), SCALE, self.duration, &header, &table.concat()))
    }

    fn sound(&self, first: u64, samples: u32) -> Vec<u8> {
        let mut entry = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        entry.extend([0, 2, 0, 16, 0, 0, 0, 0]);
        entry.extend(words(&[(RATE as u32) << 16]));
        let table = [
            full(*b"stsd", &[&words(&[1]), &atom(*b"sowt", &[&entry])]),
            full(*b"stts", &[&words(&[1, samples, 1])]),
            full(*b"stsc", &[&words(&[1, 1, samples, 1])]),
            full(*b"stsz", &[&words(&[SOUND_FRAME, samples])]),
            full(*b"co64", &[&words(&[1]), &first.to_be_bytes()]),
        ];
        let header = atom(*b"smhd", &[&words(&[0, 0])]);
        self.track(*b"soun", (0, 0), RATE as u32, samples, &header, &table.concat())
    }

    /// One sample, the number of the first frame, lasts as long as the movie.
    fn timecode(&self, first: u64) -> Vec<u8> {
        let entry = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &words(&[0, 0, SCALE, FRAME]), &[30, 0]].concat();
        let table = [
            full(*b"stsd", &[&words(&[1]), &atom(*b"tmcd", &[&entry])]),
            full(*b"stts", &[&words(&[1, 1, self.duration])]),
            full(*b"stsc", &[&words(&[1, 1, 1, 1])]),
            full(*b"stsz", &[&words(&[4, 1])]),
            full(*b"co64", &[&words(&[1]), &first.to_be_bytes()]),
        ];
        let header = atom(*b"gmhd", &[&full(*b"gmin", &[&[0, 0x40, 0x80, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0]])]);
        self.track(*b"tmcd", (0, 0), SCALE, self.duration, &header, &table.concat())
    }

    fn track(
        &self,
        kind: [u8; 4],
        size: (u16, u16),
        scale: u32,
        duration: u32,
        header: &[u8],
        table: &[u8],
    ) -> Vec<u8> {
        // Version 0, enabled and in the movie.
        let mut tkhd = words(&[0x0000_0003, 0, 0, self.id, 0, self.duration, 0, 0, 0, 0]);
        tkhd.extend(matrix());
        tkhd.extend(words(&[u32::from(size.0) << 16, u32::from(size.1) << 16]));
        let mdhd = words(&[0, 0, 0, scale, duration, 0]);
        let hdlr = [&[0; 4][..], b"mhlr", &kind, &[0; 12], b"\0"].concat();
        // All data is in this file.
        let data = atom(*b"dinf", &[&full(*b"dref", &[&words(&[1]), &atom(*b"alis", &[&words(&[1])])])]);
        let info = atom(*b"minf", &[header, &data, &atom(*b"stbl", &[table])]);
        let media = [atom(*b"mdhd", &[&mdhd]), atom(*b"hdlr", &[&hdlr]), info].concat();
        atom(*b"trak", &[&atom(*b"tkhd", &[&tkhd]), &atom(*b"mdia", &[&media])])
    }
}

/// The number of samples in every chunk.
fn chunks(shape: &Shape, samples: u32) -> Vec<u32> {
    let one = [shape.samples_per_chunk];
    let pattern = if shape.chunk_pattern.is_empty() { &one[..] } else { &shape.chunk_pattern };
    let (mut chunks, mut left) = (Vec::new(), samples);
    for size in pattern.iter().cycle() {
        if left == 0 {
            break;
        }
        let size = (*size).clamp(1, left);
        chunks.push(size);
        left -= size;
    }
    chunks
}

/// `stsc`: an entry wherever the number of samples in a chunk changes.
fn runs(chunks: &[u32]) -> Vec<u8> {
    let mut entries: Vec<[u32; 3]> = Vec::new();
    for (at, size) in (1..).zip(chunks) {
        if entries.last().is_none_or(|[_, last, _]| last != size) {
            entries.push([at, *size, 1]);
        }
    }
    [words(&[entries.len() as u32]), words(&entries.concat())].concat()
}

fn offsets(chunks: &[u32], sizes: &[u32], first: u64) -> Vec<u64> {
    let (mut at, mut rest) = (first, sizes);
    let offset = |size: &u32| {
        let here = at;
        let (chunk, behind) = rest.split_at(*size as usize);
        at += chunk.iter().map(|size| u64::from(*size)).sum::<u64>();
        rest = behind;
        here
    };
    chunks.iter().map(offset).collect()
}

fn chunk_offsets(co64: bool, offsets: &[u64]) -> io::Result<Vec<u8>> {
    let count = words(&[offsets.len() as u32]);
    if co64 {
        let bytes: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_be_bytes()).collect();
        return Ok(full(*b"co64", &[&count, &bytes]));
    }
    let narrow: Result<Vec<u32>, _> = offsets.iter().map(|offset| u32::try_from(*offset)).collect();
    let narrow = narrow.map_err(|_| io::Error::other("the frames need 64-bit chunk offsets"))?;
    Ok(full(*b"stco", &[&count, &words(&narrow)]))
}

/// An atom: its size, its name, its contents.
pub fn atom(kind: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
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
