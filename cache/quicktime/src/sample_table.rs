//! Where every frame's bytes are: `stsz` (sizes), `stsc` (samples per chunk), `stco` or `co64` (where chunks begin).

use std::ops::Range;

use crate::{
    Error, MAX_SAMPLE,
    atom::{FourCc, Reader},
    movie::find,
};

const STBL: FourCc = FourCc(*b"stbl");
const STSZ: FourCc = FourCc(*b"stsz");
const STZ2: FourCc = FourCc(*b"stz2");
const STSC: FourCc = FourCc(*b"stsc");
const STCO: FourCc = FourCc(*b"stco");
const CO64: FourCc = FourCc(*b"co64");
const STSS: FourCc = FourCc(*b"stss");

/// The most samples of a table that does not list them one by one (there the atom's size is the bound): 6 days at 30 a second.
const MAX_SAMPLES: u32 = 1 << 24;

/// The byte ranges of all samples, compact: 4 bytes a sample, 8 a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleTable {
    sizes: Sizes,
    chunks: Vec<u64>,
    runs: Vec<Run>,
    sync: Option<Vec<u32>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Sizes {
    Uniform { size: u32, count: u32 },
    Each(Vec<u32>),
}

/// Chunks in a row that hold equally many samples. `chunk` and `sample` count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    chunk: u32,
    sample: u32,
    samples_per_chunk: u32,
}

impl SampleTable {
    /// Number of samples.
    pub fn len(&self) -> u32 {
        match &self.sizes {
            Sizes::Uniform { count, .. } => *count,
            Sizes::Each(sizes) => sizes.len() as u32,
        }
    }

    /// Whether there is no sample at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of sample `index` (from 0); `None` beyond the last.
    pub fn get(&self, index: u32) -> Option<Range<u64>> {
        let size = self.size(index)?;
        let run =
            self.runs.partition_point(|run| run.sample <= index).checked_sub(1).and_then(|at| self.runs.get(at))?;
        let in_run = index - run.sample;
        let chunk = run.chunk.checked_add(in_run / run.samples_per_chunk)?;
        let first = index - in_run % run.samples_per_chunk;
        let start = self.chunks.get(chunk as usize)?.checked_add(self.bytes_between(first, index)?)?;
        Some(start..start.checked_add(u64::from(size))?)
    }

    /// Samples that can be decoded alone, counted from 0; `None` = all of them (`stss` is absent).
    pub fn sync_samples(&self) -> Option<&[u32]> {
        self.sync.as_deref()
    }

    fn size(&self, index: u32) -> Option<u32> {
        match &self.sizes {
            Sizes::Uniform { size, count } => (index < *count).then_some(*size),
            Sizes::Each(sizes) => sizes.get(index as usize).copied(),
        }
    }

    /// Bytes of the samples `first..index`.
    fn bytes_between(&self, first: u32, index: u32) -> Option<u64> {
        match &self.sizes {
            Sizes::Uniform { size, .. } => Some(u64::from(*size) * u64::from(index - first)),
            Sizes::Each(sizes) => {
                Some(sizes.get(first as usize..index as usize)?.iter().map(|size| u64::from(*size)).sum())
            }
        }
    }

    /// Fails unless every sample lies in the file.
    fn check(&self, file_size: u64) -> Result<(), Error> {
        let damaged = |what| Err(Error::Damaged { atom: STBL, what });
        if self.is_empty() {
            return damaged("it holds no sample");
        }
        let mut position = Position::default();
        for index in 0..self.len() {
            let size = self.size(index).unwrap_or_default();
            if size > MAX_SAMPLE {
                return Err(Error::TooLarge { what: "largest frame", size: size.into(), limit: MAX_SAMPLE.into() });
            }
            let Some(start) = position.next(self, index, size) else {
                return damaged("it has fewer chunks than samples need");
            };
            let needed = start.saturating_add(u64::from(size));
            if needed > file_size {
                return Err(Error::FrameMissing { frame: index + 1, needed, size: file_size });
            }
        }
        Ok(())
    }
}

/// Walks all samples in order in linear time, where looking each up would be quadratic in the size of a chunk.
#[derive(Default)]
struct Position {
    run: usize,
    chunk: u32,
    left: u32,
    offset: u64,
}

impl Position {
    fn next(&mut self, table: &SampleTable, index: u32, size: u32) -> Option<u64> {
        if self.left == 0 {
            if table.runs.get(self.run + 1).is_some_and(|run| run.sample <= index) {
                self.run += 1;
            }
            let run = table.runs.get(self.run)?;
            self.chunk = run.chunk.checked_add((index - run.sample) / run.samples_per_chunk)?;
            self.left = run.samples_per_chunk;
            self.offset = *table.chunks.get(self.chunk as usize)?;
        }
        let start = self.offset;
        self.left -= 1;
        self.offset = self.offset.checked_add(u64::from(size))?;
        Some(start)
    }
}

/// Reads the body of a `stbl`.
pub(crate) fn read(stbl: &[u8], file_size: u64) -> Result<SampleTable, Error> {
    let sizes = read_sizes(stbl)?;
    let chunks = read_chunks(stbl)?;
    let runs = read_runs(stbl, chunks.len())?;
    let sync = find(STBL, stbl, STSS)?.map(read_sync).transpose()?;
    let table = SampleTable { sizes, chunks, runs, sync };
    table.check(file_size)?;
    Ok(table)
}

fn read_sizes(stbl: &[u8]) -> Result<Sizes, Error> {
    let Some(body) = find(STBL, stbl, STSZ)? else {
        let compact = find(STBL, stbl, STZ2)?.is_some();
        let missing = Error::Missing { atom: STSZ };
        return Err(if compact { Error::Unsupported { what: "a compact sample size table (stz2)" } } else { missing });
    };
    let mut reader = Reader::new(STSZ, body);
    reader.skip(4)?;
    match reader.u32()? {
        0 => {
            let count = reader.count(4)?;
            let sizes = (0..count).map(|_| reader.u32()).collect::<Result<_, _>>()?;
            Ok(Sizes::Each(sizes))
        }
        size => {
            let count = reader.u32()?;
            if count > MAX_SAMPLES {
                return Err(Error::TooLarge {
                    what: "number of frames",
                    size: count.into(),
                    limit: MAX_SAMPLES.into(),
                });
            }
            Ok(Sizes::Uniform { size, count })
        }
    }
}

fn read_chunks(stbl: &[u8]) -> Result<Vec<u64>, Error> {
    if let Some(body) = find(STBL, stbl, CO64)? {
        let mut reader = Reader::new(CO64, body);
        reader.skip(4)?;
        let count = reader.count(8)?;
        return (0..count).map(|_| reader.u64()).collect();
    }
    let body = find(STBL, stbl, STCO)?.ok_or(Error::Missing { atom: STCO })?;
    let mut reader = Reader::new(STCO, body);
    reader.skip(4)?;
    let count = reader.count(4)?;
    (0..count).map(|_| reader.u32().map(u64::from)).collect()
}

fn read_runs(stbl: &[u8], chunks: usize) -> Result<Vec<Run>, Error> {
    let body = find(STBL, stbl, STSC)?.ok_or(Error::Missing { atom: STSC })?;
    let mut reader = Reader::new(STSC, body);
    reader.skip(4)?;
    let count = reader.count(12)?;
    let mut runs: Vec<Run> = Vec::with_capacity(count);
    for _ in 0..count {
        let (first, samples_per_chunk, description) = (reader.u32()?, reader.u32()?, reader.u32()?);
        if description > 1 {
            return Err(Error::Unsupported { what: "a video track that changes its format" });
        }
        let run = next_run(runs.last(), first, samples_per_chunk, chunks)?;
        runs.push(run);
    }
    Ok(runs)
}

fn next_run(last: Option<&Run>, first: u32, samples_per_chunk: u32, chunks: usize) -> Result<Run, Error> {
    let damaged = Error::Damaged { atom: STSC, what: "its chunks are not in order" };
    let chunk = first.checked_sub(1).ok_or_else(|| damaged.clone())?;
    if samples_per_chunk == 0 || chunk as usize >= chunks.max(1) {
        return Err(Error::Damaged { atom: STSC, what: "it names a chunk or a count that cannot be" });
    }
    let sample = match last {
        None if chunk == 0 => 0,
        Some(last) if last.chunk < chunk => {
            let samples = (chunk - last.chunk).checked_mul(last.samples_per_chunk);
            samples.and_then(|samples| samples.checked_add(last.sample)).ok_or(damaged)?
        }
        _ => return Err(damaged),
    };
    Ok(Run { chunk, sample, samples_per_chunk })
}

fn read_sync(body: &[u8]) -> Result<Vec<u32>, Error> {
    let mut reader = Reader::new(STSS, body);
    reader.skip(4)?;
    let count = reader.count(4)?;
    let damaged = Error::Damaged { atom: STSS, what: "it counts from 0" };
    (0..count).map(|_| reader.u32()?.checked_sub(1).ok_or_else(|| damaged.clone())).collect()
}
