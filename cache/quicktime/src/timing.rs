//! Which sample is shown when: `stts` (durations), `ctts` (decode order to presentation order), `elst` (what is shown).
//!
//! Where every sample can be decoded alone, frames are counted as samples and an edit list does not renumber them: the old
//! frame server counted so. Where samples build upon each other, frames are counted as they are shown: by composition
//! time, only those that the edit list shows.

use crate::{
    Error,
    atom::{FourCc, Reader},
    movie::find,
};

const STBL: FourCc = FourCc(*b"stbl");
const STTS: FourCc = FourCc(*b"stts");
const CTTS: FourCc = FourCc(*b"ctts");
const ELST: FourCc = FourCc(*b"elst");

/// The most entries an edit list may have; those of cameras have one or two.
const MAX_EDITS: usize = 1024;

/// The most samples of a track whose samples build upon each other: 19 hours at 30 a second.
const MAX_BUILT_SAMPLES: u32 = 1 << 21;
/// A frame is looked for from no sync sample farther back than this.
const MAX_GROUPS_BACK: usize = 8;

/// When samples are shown, compact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timing {
    durations: Vec<Duration>,
    /// `None` = frame i is sample i.
    shown: Option<Shown>,
}

/// A sample that a frame is decoded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// The sample, from 0.
    pub sample: u32,
    /// It is decoded only so that the decoder remembers and forgets the pictures it would if the movie was decoded from its
    /// start: it is of the group before, or follows an open group's first sample and is shown before it. No picture that
    /// counts builds upon it, and its own may not be sound.
    pub passing: bool,
}

/// Samples from `sample` on take `ticks` each; the first of them is decoded at `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Duration {
    sample: u32,
    time: u64,
    ticks: u32,
}

/// Frames in presentation order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    /// The sample of each frame.
    samples: Vec<u32>,
    /// When each frame is shown, in units of the track's time scale.
    times: Vec<i64>,
    /// From which sync sample on each frame is decoded.
    starts: Vec<u32>,
    /// The composition time of each sample.
    composed: Vec<i64>,
}

/// A stretch of the track that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edit {
    /// In units of the movie's time scale; 0 = to the track's end.
    duration: u64,
    /// In units of the track's time scale; `None` = nothing is shown.
    from: Option<i64>,
}

impl Timing {
    /// Whether frame i is sample i: each can be decoded alone.
    pub fn counts_samples(&self) -> bool {
        self.shown.is_none()
    }

    /// Number of frames, of a track of `samples` samples.
    pub(crate) fn len(&self, samples: u32) -> u32 {
        self.shown.as_ref().map_or(samples, |shown| shown.samples.len() as u32)
    }

    /// The sample of frame `index`; `None` beyond the last frame of a track that is not counted by samples.
    pub(crate) fn sample(&self, index: u32) -> Option<u32> {
        self.shown.as_ref().map_or(Some(index), |shown| shown.samples.get(index as usize).copied())
    }

    /// The samples from which frame `index` is decoded, in decoding order, its own last. `None` where it is decoded alone.
    /// With the sync samples, an open group is begun early enough for the decoder to remember what it would in a row.
    pub(crate) fn group(&self, index: u32, sync: Option<&[u32]>) -> Option<Vec<Needed>> {
        let shown = self.shown.as_ref()?;
        let (start, own) = (*shown.starts.get(index as usize)?, *shown.samples.get(index as usize)?);
        let time = |sample: u32| shown.composed.get(sample as usize).copied();
        let passing = |sample| sample < start || time(sample) < time(start);
        let is_open = (start..=own).any(passing);
        let first = sync.filter(|_| is_open).map_or(start, |sync| run_in(sync, start));
        let needed = |sample| Needed { sample, passing: passing(sample) };
        (start < own).then(|| (first..=own).map(needed).collect())
    }

    /// When frame `index` is shown, in units of the track's time scale.
    pub(crate) fn time(&self, index: u32) -> Option<i64> {
        match &self.shown {
            Some(shown) => shown.times.get(index as usize).copied(),
            None => self.decode_time(index),
        }
    }

    /// The frame that is shown at `time`; before the first frame none is.
    pub(crate) fn frame_at(&self, time: i64, samples: u32) -> Option<u32> {
        let (mut low, mut high) = (0, self.len(samples));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.time(middle)? <= time { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }

    fn decode_time(&self, sample: u32) -> Option<i64> {
        let at = self.durations.partition_point(|run| run.sample <= sample).checked_sub(1)?;
        let run = self.durations.get(at)?;
        let time = run.time.checked_add(u64::from(sample - run.sample).checked_mul(run.ticks.into())?)?;
        i64::try_from(time).ok()
    }
}

/// Reads the times of a track of `samples` samples out of its `stbl`, its edit list and its sync samples.
pub(crate) fn read(
    stbl: &[u8],
    samples: u32,
    duration: u64,
    sync: Option<&[u32]>,
    edits: impl FnOnce() -> Result<Edits, Error>,
) -> Result<Timing, Error> {
    let durations = find(STBL, stbl, STTS)?.map(|body| read_durations(body, samples)).transpose();
    let alone = sync.is_none_or(|sync| sync.len() >= samples as usize);
    if alone {
        // Times are of no matter for which frame is which: a table that is damaged costs only the table.
        let durations = durations.ok().flatten().unwrap_or_else(|| even(samples, duration));
        return Ok(Timing { durations, shown: None });
    }
    if samples > MAX_BUILT_SAMPLES {
        let (size, limit) = (samples.into(), MAX_BUILT_SAMPLES.into());
        return Err(Error::TooLarge { what: "number of frames", size, limit });
    }
    let durations = durations?.ok_or(Error::Missing { atom: STTS })?;
    let timing = Timing { durations, shown: None };
    let offsets = find(STBL, stbl, CTTS)?.map(|body| read_offsets(body, samples)).transpose()?;
    let times = composition_times(&timing, samples, offsets.as_deref())?;
    let shown = show(&times, sync.unwrap_or_default(), &edits()?)?;
    Ok(Timing { shown: Some(Shown { composed: times, ..shown }), ..timing })
}

/// All samples take equally long.
fn even(samples: u32, duration: u64) -> Vec<Duration> {
    let ticks = duration.checked_div(samples.into()).unwrap_or_default();
    vec![Duration { sample: 0, time: 0, ticks: u32::try_from(ticks).unwrap_or(u32::MAX) }]
}

fn read_durations(body: &[u8], samples: u32) -> Result<Vec<Duration>, Error> {
    let damaged = |what| Error::Damaged { atom: STTS, what };
    let mut reader = Reader::new(STTS, body);
    reader.skip(4)?;
    let count = reader.count(8)?;
    let mut runs: Vec<Duration> = Vec::with_capacity(count);
    let (mut sample, mut time) = (0_u32, 0_u64);
    for _ in 0..count {
        let (many, ticks) = (reader.u32()?, reader.u32()?);
        runs.push(Duration { sample, time, ticks });
        sample = sample.checked_add(many).ok_or(damaged("it has more samples than there can be"))?;
        let took = u64::from(many) * u64::from(ticks);
        time = time
            .checked_add(took)
            .filter(|time| i64::try_from(*time).is_ok())
            .ok_or(damaged("its times are too large"))?;
    }
    if sample < samples { Err(damaged("it has fewer samples than the track")) } else { Ok(runs) }
}

/// The offset of every sample. Signed in both versions: so FFmpeg and QuickTime write them.
fn read_offsets(body: &[u8], samples: u32) -> Result<Vec<i32>, Error> {
    let mut reader = Reader::new(CTTS, body);
    reader.skip(4)?;
    let count = reader.count(8)?;
    let mut offsets = Vec::with_capacity(samples as usize);
    for _ in 0..count {
        let (many, offset) = (reader.u32()?, reader.u32()? as i32);
        let left = samples as usize - offsets.len();
        offsets.extend(std::iter::repeat_n(offset, left.min(many as usize)));
    }
    offsets.resize(samples as usize, 0);
    Ok(offsets)
}

fn composition_times(timing: &Timing, samples: u32, offsets: Option<&[i32]>) -> Result<Vec<i64>, Error> {
    let time = |sample: u32| {
        let offset = offsets.and_then(|offsets| offsets.get(sample as usize)).copied().unwrap_or_default();
        timing.decode_time(sample)?.checked_add(offset.into())
    };
    let damaged = Error::Damaged { atom: STTS, what: "its times are too large" };
    (0..samples).map(|sample| time(sample).ok_or_else(|| damaged.clone())).collect()
}

/// What the edit list shows of samples with these composition times.
fn show(times: &[i64], sync: &[u32], edits: &Edits) -> Result<Shown, Error> {
    let damaged = |what| Error::Damaged { atom: ELST, what };
    let mut order: Vec<u32> = (0..times.len() as u32).collect();
    let time_of = |sample: u32| times.get(sample as usize).copied().unwrap_or_default();
    order.sort_by_key(|sample| (time_of(*sample), *sample));
    let mut shown = Shown::default();
    let mut at = 0_i64;
    for (from, length) in edits.of_track(order.first().copied().map_or(0, time_of)) {
        let too_large = damaged("its times are too large");
        if let Some(from) = from {
            let end = from.checked_add(length).ok_or(too_large.clone())?;
            let first = order.partition_point(|sample| time_of(*sample) < from);
            for sample in order.iter().skip(first).copied().take_while(|sample| time_of(*sample) < end) {
                if shown.samples.len() >= times.len().saturating_mul(2) {
                    return Err(damaged("it shows the track more than twice"));
                }
                shown.samples.push(sample);
                shown.times.push((time_of(sample) - from).saturating_add(at));
                shown.starts.push(start_of(sample, sync, times)?);
            }
        }
        at = at.checked_add(length).ok_or(too_large)?;
    }
    if shown.samples.is_empty() { Err(damaged("it shows no frame")) } else { Ok(shown) }
}

/// Where decoding begins so that at the sync sample `start` the decoder remembers all it may be told about: at a sync sample
/// that is at least so many before as there are pictures a decoder ever keeps.
fn run_in(sync: &[u32], start: u32) -> u32 {
    const MOST_KEPT: u32 = 16;
    let before = sync.partition_point(|sample| sample.saturating_add(MOST_KEPT) <= start);
    before.checked_sub(1).and_then(|at| sync.get(at)).or(sync.first()).map_or(start, |first| start.min(*first))
}

/// The last sync sample before `sample` that is shown no later than it: a frame that comes after an open group's first
/// one in the file and is shown before it needs the group before, too.
fn start_of(sample: u32, sync: &[u32], times: &[i64]) -> Result<u32, Error> {
    let time = |sample: u32| times.get(sample as usize).copied().unwrap_or(i64::MAX);
    let before = sync.partition_point(|start| *start <= sample);
    let start = sync.iter().take(before).rev().take(MAX_GROUPS_BACK).find(|start| time(**start) <= time(sample));
    let damaged = Error::Damaged { atom: STBL, what: "a frame has no sync sample before it" };
    start.copied().ok_or(damaged)
}

/// The edit list of a track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edits {
    list: Vec<Edit>,
    movie_timescale: u32,
    timescale: u32,
}

impl Edits {
    /// Reads the body of an `elst`; without one, all is shown.
    pub(crate) fn read(body: Option<&[u8]>, movie_timescale: u32, timescale: u32) -> Result<Self, Error> {
        let list = body.map(read_edits).transpose()?.unwrap_or_default();
        Ok(Self { list, movie_timescale, timescale })
    }

    /// (from, length) of every edit in units of the track's time scale. Without any, all is shown from `first` on.
    fn of_track(&self, first: i64) -> Vec<(Option<i64>, i64)> {
        const TO_THE_END: i64 = i64::MAX / 4;
        if self.list.is_empty() {
            return vec![(Some(first), TO_THE_END)];
        }
        let (to, from) = (u128::from(self.timescale), u128::from(self.movie_timescale.max(1)));
        let length = |ticks: u64| match ticks {
            0 => TO_THE_END,
            // Rounded to the nearest, as FFmpeg does.
            ticks => i64::try_from((u128::from(ticks) * to + from / 2) / from).unwrap_or(TO_THE_END).min(TO_THE_END),
        };
        self.list.iter().map(|edit| (edit.from, length(edit.duration))).collect()
    }
}

fn read_edits(body: &[u8]) -> Result<Vec<Edit>, Error> {
    let mut reader = Reader::new(ELST, body);
    let version = reader.u8()?;
    reader.skip(3)?;
    let count = reader.count(if version == 1 { 20 } else { 12 })?;
    if count > MAX_EDITS {
        return Err(Error::TooLarge { what: "edit list", size: count as u64, limit: MAX_EDITS as u64 });
    }
    let mut edits = Vec::with_capacity(count);
    for _ in 0..count {
        let (duration, from) = if version == 1 {
            (reader.u64()?, reader.u64()? as i64)
        } else {
            (reader.u32()?.into(), i64::from(reader.u32()? as i32))
        };
        reader.skip(4)?;
        edits.push(Edit { duration, from: (from >= 0).then_some(from) });
    }
    Ok(edits)
}
