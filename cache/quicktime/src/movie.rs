//! `moov` to what is known of a movie.

use std::ops::Range;

use crate::{
    Error,
    atom::{FourCc, Reader, children},
    sample_table::{self, SampleTable},
    timing::{self, Edits, Needed, Timing},
};

const MOOV: FourCc = FourCc(*b"moov");
const TRAK: FourCc = FourCc(*b"trak");
const MDIA: FourCc = FourCc(*b"mdia");
const MINF: FourCc = FourCc(*b"minf");
const STBL: FourCc = FourCc(*b"stbl");
const STSD: FourCc = FourCc(*b"stsd");
const TKHD: FourCc = FourCc(*b"tkhd");
const MDHD: FourCc = FourCc(*b"mdhd");
const HDLR: FourCc = FourCc(*b"hdlr");
const MVHD: FourCc = FourCc(*b"mvhd");
const EDTS: FourCc = FourCc(*b"edts");
const ELST: FourCc = FourCc(*b"elst");
/// What a decoder must know before the first sample, by codec.
const CONFIGS: [FourCc; 2] = [FourCc(*b"avcC"), FourCc(*b"hvcC")];

/// The video track of a movie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movie {
    /// The codec, such as `apcn` (ProRes 422).
    pub codec: FourCc,
    /// Width of a frame in pixels.
    pub width: u32,
    /// Height of a frame in pixels.
    pub height: u32,
    /// Units of time in a second.
    pub timescale: u32,
    /// Duration in these units.
    pub duration: u64,
    /// The colour matrix of the `colr` atom (1 = BT.709, 6 = BT.601), where there is one.
    pub colour_matrix: Option<u16>,
    /// What the decoder must know beforehand (the body of `avcC` or `hvcC`); empty for other codecs.
    pub config: Vec<u8>,
    /// Where every sample's bytes are.
    pub samples: SampleTable,
    /// Which sample is shown when.
    pub timing: Timing,
}

impl Movie {
    /// Reads the body of the `moov` of a file of `file_size` bytes.
    pub fn read(body: &[u8], file_size: u64) -> Result<Self, Error> {
        read(body, file_size)
    }

    /// Number of frames.
    pub fn num_frames(&self) -> u32 {
        self.timing.len(self.samples.len())
    }

    /// Duration in seconds.
    pub fn duration_seconds(&self) -> f64 {
        self.duration as f64 / f64::from(self.timescale)
    }

    /// Frames per second, on average.
    pub fn frame_rate(&self) -> f64 {
        if self.duration == 0 { 0.0 } else { f64::from(self.samples.len()) / self.duration_seconds() }
    }

    /// The bytes of the frame of `index` (from 0); `None` beyond the last.
    pub fn sample(&self, index: u32) -> Option<Range<u64>> {
        self.samples.get(self.timing.sample(index)?)
    }

    /// The samples that the frame of `index` is decoded from, in decoding order and its own last, where it cannot be
    /// decoded alone; else `None`.
    pub fn group(&self, index: u32) -> Option<Vec<Needed>> {
        // HEVC says of each picture what is to be remembered, so nothing before the group is asked for.
        let run_in = matches!(&self.codec.0, b"avc1" | b"avc3");
        self.timing.group(index, run_in.then(|| self.samples.sync_samples()).flatten())
    }

    /// When the frame of `index` is shown, in seconds; `None` beyond the last.
    pub fn seconds(&self, index: u32) -> Option<f64> {
        let index = (index < self.num_frames()).then_some(index)?;
        Some(self.timing.time(index)? as f64 / f64::from(self.timescale))
    }

    /// The index of the frame that is shown at `seconds`; `None` before the first and from the movie's end on.
    pub fn frame_at(&self, seconds: f64) -> Option<u32> {
        let last = self.num_frames().checked_sub(1)?;
        // The end of the last frame, where its own length is not known: one average frame after its beginning.
        let end = self.seconds(last)? + if self.frame_rate() > 0.0 { 1.0 / self.frame_rate() } else { 0.0 };
        if !(0.0..end.max(self.duration_seconds())).contains(&seconds) {
            return None;
        }
        // A time that was printed with a few decimals still names the frame that begins then.
        let ticks = (seconds * f64::from(self.timescale) + 1e-6 * f64::from(self.timescale)).floor();
        self.timing.frame_at(ticks as i64, self.samples.len())
    }
}

/// Reads the body of `moov` of a file of `file_size` bytes.
pub(crate) fn read(body: &[u8], file_size: u64) -> Result<Movie, Error> {
    let timescale =
        find(MOOV, body, MVHD).ok().flatten().and_then(|body| media_header(body).ok()).map_or(0, |found| found.0);
    let mut disabled = None;
    for child in children(MOOV, body) {
        let (kind, body) = child?;
        if kind != TRAK {
            continue;
        }
        let Some(track) = Track::of(body)? else { continue };
        if track.enabled {
            return track.movie(file_size, timescale);
        }
        disabled.get_or_insert(track);
    }
    // Cameras exist that forget the enabled flag: a disabled video track is better than none.
    disabled.ok_or(Error::NoVideo)?.movie(file_size, timescale)
}

/// The atoms of a video track that matter.
struct Track<'a> {
    enabled: bool,
    timescale: u32,
    duration: u64,
    table: &'a [u8],
    edits: Option<&'a [u8]>,
}

impl<'a> Track<'a> {
    /// The track in the body of a `trak`; `None` when it is not video.
    fn of(body: &'a [u8]) -> Result<Option<Self>, Error> {
        let media = find(TRAK, body, MDIA)?.ok_or(Error::Missing { atom: MDIA })?;
        let Some(handler) = find(MDIA, media, HDLR)? else { return Ok(None) };
        let mut reader = Reader::new(HDLR, handler);
        reader.skip(8)?;
        if reader.array()? != *b"vide" {
            return Ok(None);
        }
        let header = find(MDIA, media, MDHD)?.ok_or(Error::Missing { atom: MDHD })?;
        let (timescale, duration) = media_header(header)?;
        let info = find(MDIA, media, MINF)?.ok_or(Error::Missing { atom: MINF })?;
        let table = find(MINF, info, STBL)?.ok_or(Error::Missing { atom: STBL })?;
        let enabled = find(TRAK, body, TKHD)?.and_then(|tkhd| tkhd.get(3)).is_some_and(|flags| flags & 1 == 1);
        let edits = find(TRAK, body, EDTS)?.map(|edits| find(EDTS, edits, ELST)).transpose();
        // A list that is damaged matters only where frames are counted by it, which is found out later.
        let edits = edits.ok().flatten().flatten();
        Ok(Some(Self { enabled, timescale, duration, table, edits }))
    }

    fn movie(&self, file_size: u64, movie_timescale: u32) -> Result<Movie, Error> {
        let description = find(STBL, self.table, STSD)?.ok_or(Error::Missing { atom: STSD })?;
        let format = description_of(description)?;
        let samples = sample_table::read(self.table, file_size)?;
        let edits = || Edits::read(self.edits, movie_timescale, self.timescale);
        let timing = timing::read(self.table, samples.len(), self.duration, samples.sync_samples(), edits)?;
        Ok(Movie {
            codec: format.codec,
            width: u32::from(format.width),
            height: u32::from(format.height),
            timescale: self.timescale,
            duration: self.duration,
            colour_matrix: format.colour_matrix,
            config: format.config,
            samples,
            timing,
        })
    }
}

/// The body of the first `wanted` in the body of `parent`.
pub(crate) fn find(parent: FourCc, body: &[u8], wanted: FourCc) -> Result<Option<&[u8]>, Error> {
    for child in children(parent, body) {
        let (kind, body) = child?;
        if kind == wanted {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// Time scale and duration of a `mdhd`.
fn media_header(body: &[u8]) -> Result<(u32, u64), Error> {
    let mut reader = Reader::new(MDHD, body);
    let version = reader.u8()?;
    reader.skip(3)?;
    let (timescale, duration) = if version == 1 {
        reader.skip(16)?;
        (reader.u32()?, reader.u64()?)
    } else {
        reader.skip(8)?;
        (reader.u32()?, u64::from(reader.u32()?))
    };
    if timescale == 0 {
        return Err(Error::Damaged { atom: MDHD, what: "its time scale is 0" });
    }
    Ok((timescale, duration))
}

struct Description {
    codec: FourCc,
    width: u16,
    height: u16,
    colour_matrix: Option<u16>,
    config: Vec<u8>,
}

/// The first sample description of a `stsd`.
fn description_of(body: &[u8]) -> Result<Description, Error> {
    let mut reader = Reader::new(STSD, body);
    reader.skip(4)?;
    if reader.u32()? == 0 {
        return Err(Error::Damaged { atom: STSD, what: "it describes no format" });
    }
    let (codec, entry) = children(STSD, reader.rest()).next().ok_or(Error::Missing { atom: STSD })??;
    let mut reader = Reader::new(STSD, entry);
    reader.skip(24)?;
    let (width, height) = (reader.u16()?, reader.u16()?);
    if width == 0 || height == 0 {
        return Err(Error::Damaged { atom: STSD, what: "its frames have no size" });
    }
    // Resolution, data size, frame count, compressor name, depth, colour table: then atoms. A damaged tail costs only them.
    let extensions = entry.get(78..).unwrap_or_default();
    let colour = find(STSD, extensions, FourCc(*b"colr")).ok().flatten();
    let config = CONFIGS.iter().find_map(|kind| find(STSD, extensions, *kind).ok().flatten());
    let config = config.unwrap_or_default().to_vec();
    Ok(Description { codec, width, height, colour_matrix: colour.and_then(colour_matrix), config })
}

/// The matrix of a `colr` atom of kind `nclc` or `nclx`.
fn colour_matrix(body: &[u8]) -> Option<u16> {
    let kind = body.get(..4)?;
    let known = kind == b"nclc" || kind == b"nclx";
    known.then(|| body.get(8..10).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))).flatten()
}
