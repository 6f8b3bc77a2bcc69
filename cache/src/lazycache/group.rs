//! Reads the samples that a frame is decoded from, where one is not enough.

use std::ops::Range;

use bytes::Bytes;
use frame::{FrameNumber, MoviePath};

use super::Lazycache;
use crate::{Error, Identity, decode};

/// The most samples one frame is decoded from: ten seconds of a camera's movie are 300.
const MAX_FRAMES: usize = 600;
/// The most bytes that are read for one frame.
const MAX_BYTES: u64 = 64 << 20;
/// Gaps up to this (sound between the pictures) are read with what is around them.
const GAP: u64 = 128 << 10;

/// The samples at `samples`, which are in decoding order, packed; each with whether it is decoded in passing.
pub(super) async fn read(
    cache: &Lazycache,
    path: &MoviePath,
    identity: &Identity,
    number: FrameNumber,
    samples: &[(Range<u64>, bool)],
) -> Result<Bytes, Error> {
    let reads = joined(samples);
    let bytes = reads.iter().map(|range| range.end - range.start).sum();
    if samples.len() > MAX_FRAMES || bytes > MAX_BYTES {
        let (number, frames) = (number.get(), samples.len());
        return Err(Error::LongGroup { number, frames, bytes, max_frames: MAX_FRAMES, max_bytes: MAX_BYTES });
    }
    let mut pieces = Vec::with_capacity(reads.len());
    for range in reads {
        pieces.push((range.start, cache.bytes(path, identity, range).await?));
    }
    let packets: Vec<_> = samples.iter().map(|(range, passing)| (slice(&pieces, range), *passing)).collect();
    Ok(decode::pack(&packets))
}

/// As few reads as possible that cover all samples and little more.
fn joined(samples: &[(Range<u64>, bool)]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = samples.iter().map(|(range, _)| range.clone()).collect();
    sorted.sort_by_key(|range| range.start);
    let mut reads: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match reads.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
            _ => reads.push(range),
        }
    }
    reads
}

/// The bytes of `range` out of the piece that covers it.
fn slice(pieces: &[(u64, Bytes)], range: &Range<u64>) -> Bytes {
    let at = pieces.partition_point(|(start, _)| *start <= range.start).saturating_sub(1);
    let Some((start, bytes)) = pieces.get(at) else { return Bytes::new() };
    let (from, to) = (range.start.saturating_sub(*start) as usize, range.end.saturating_sub(*start) as usize);
    bytes.slice(from.min(bytes.len())..to.min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_near_each_other_are_one_read_and_each_gets_its_own_bytes() {
        let far = 10 * GAP;
        let samples = [30..40, 0..10, 10..20, far..far + 5].map(|range| (range, false));
        assert_eq!(joined(&samples), [0..40, far..far + 5]);
        let all: Bytes = (0..40).collect();
        let pieces = [(0, all), (far, Bytes::from_static(b"after"))];
        assert_eq!(slice(&pieces, &(30..40))[..], (30..40).collect::<Vec<u8>>());
        assert_eq!(slice(&pieces, &(far + 1..far + 5))[..], *b"fter");
    }
}
