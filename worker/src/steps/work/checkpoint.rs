//! The rows of a long item, kept in the output while it is not done, so that whoever takes it up goes on from there.
//!
//! ```text
//!   .analysis/checkpoints/<digest of the result's name>.jsonl:   sha256:… of the rest\n {"item", "digest", …}\n row\n row\n …
//! ```
//!
//! A checkpoint is written as every object of the output: complete or not at all. It counts only where its digest is that
//! of the result to be made (the same analysis, parameters and version of the movie), it is undamaged, and its rows are the
//! first rows of the result; anything else is left aside, and overwritten in time.

use std::time::{Duration, Instant};

use plan::{ledger::sha256, names::RUNS_FOLDER};
use serde::{Deserialize, Serialize};

use crate::{
    item_error::chain,
    result::Row,
    store::{Store, StoreError},
};

/// The checkpoint of one item, and when it was last written.
pub(super) struct Checkpoint<'a> {
    store: &'a Store,
    name: String,
    identity: Identity,
    every: Duration,
    last: Instant,
    /// Rows in the checkpoint that stands; `None` where none does.
    held: Option<usize>,
}

/// Which result the rows are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    /// The movie.
    pub item: String,
    /// The digest of the result.
    pub digest: String,
    /// The run, where rows of another one do not count (overwritePolicy Always).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// What has been done of an item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Saved<R> {
    /// The first rows.
    pub rows: Vec<R>,
    /// Those of their frames that were decoded in full.
    pub in_full: Vec<u32>,
    /// When the first row was begun, UTC, as result files write it.
    pub start_time: String,
    /// Seconds spent so far.
    pub elapsed_seconds: f64,
}

/// The second line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    #[serde(flatten)]
    identity: Identity,
    in_full: Vec<u32>,
    start_time: String,
    elapsed_seconds: f64,
}

/// Why a checkpoint does not count.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Useless {
    #[error("it is damaged")]
    Damaged,
    #[error("it is of another version of the movie, of other parameters or of another run")]
    Other,
    #[error("its rows are not those of this release")]
    Rows,
}

impl<'a> Checkpoint<'a> {
    /// Of the item whose rows will stand under `result`; written at most once in `every`.
    pub(super) fn new(store: &'a Store, result: &str, identity: Identity, every: Duration) -> Self {
        let digest = sha256(result.as_bytes());
        let name = format!("{RUNS_FOLDER}/checkpoints/{}.jsonl", digest.get(7..39).unwrap_or_default());
        Self { store, name, identity, every, last: Instant::now(), held: None }
    }

    /// What was saved, if it is the beginning of a series of rows named after `frames`. Also why it is not, where there
    /// is something.
    pub(super) async fn load<R: Row>(
        &mut self,
        frames: &[u32],
    ) -> Result<Result<Option<Saved<R>>, Useless>, StoreError> {
        let Some(bytes) = self.store.read(&self.name).await? else { return Ok(Ok(None)) };
        let read = read(&bytes, &self.identity, frames);
        // Even a useless one is there, and goes when the result stands.
        self.held = Some(read.as_ref().map_or(0, |saved: &Saved<R>| saved.rows.len()));
        Ok(read.map(Some))
    }

    /// Whether it is time to save.
    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    /// Saves what has been done, unless nothing has since. That it fails costs only what it would have saved later.
    pub(super) async fn save<R: Row>(&mut self, saved: &Saved<R>) {
        self.last = Instant::now();
        if saved.rows.is_empty() || self.held == Some(saved.rows.len()) {
            return;
        }
        let written = match write(saved, &self.identity) {
            Ok(text) => self.store.write(&self.name, text).await.map_err(|error| chain(&error)),
            Err(error) => Err(error.to_string()),
        };
        match written {
            Ok(()) => self.held = Some(saved.rows.len()),
            Err(error) => tracing::warn!(item = self.identity.item, error, "failed to save a checkpoint"),
        }
    }

    /// Removes it: the result stands.
    pub(super) async fn remove(self) {
        if self.held.is_some()
            && let Err(error) = self.store.delete(&self.name).await
        {
            tracing::warn!(item = self.identity.item, error = chain(&error), "failed to remove a checkpoint");
        }
    }
}

fn write<R: Row>(saved: &Saved<R>, identity: &Identity) -> Result<String, serde_json::Error> {
    let header = Header {
        identity: identity.clone(),
        in_full: saved.in_full.clone(),
        start_time: saved.start_time.clone(),
        elapsed_seconds: saved.elapsed_seconds,
    };
    let mut lines = serde_json::to_string(&header)?;
    for row in &saved.rows {
        lines.push('\n');
        lines.push_str(&serde_json::to_string(row)?);
    }
    Ok(format!("{}\n{lines}", sha256(lines.as_bytes())))
}

fn read<R: Row>(bytes: &[u8], identity: &Identity, frames: &[u32]) -> Result<Saved<R>, Useless> {
    let text = std::str::from_utf8(bytes).map_err(|_| Useless::Damaged)?;
    let (digest, rest) = text.split_once('\n').ok_or(Useless::Damaged)?;
    if digest != sha256(rest.as_bytes()) {
        return Err(Useless::Damaged);
    }
    let mut lines = rest.lines();
    let header: Header = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|_| Useless::Rows)?;
    if header.identity != *identity {
        return Err(Useless::Other);
    }
    let rows: Vec<R> = lines.map(serde_json::from_str).collect::<Result<_, _>>().map_err(|_| Useless::Rows)?;
    let named: Vec<u32> = rows.iter().map(Row::frame).collect();
    if !frames.starts_with(&named) {
        return Err(Useless::Rows);
    }
    let Header { in_full, start_time, elapsed_seconds, .. } = header;
    Ok(Saved { rows, in_full, start_time, elapsed_seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{result::StatisticsRow, statistics::statistics};
    use proptest::prelude::*;

    fn row(frame: u32) -> StatisticsRow {
        let picture = lazycache::picture::Picture { width: 1, height: 1, rgb: vec![frame as u8; 3] };
        StatisticsRow::new(frame, statistics(&picture), 0.25, 0.1)
    }

    fn saved(frames: &[u32]) -> Saved<StatisticsRow> {
        let rows = frames.iter().map(|frame| row(*frame)).collect();
        Saved { rows, in_full: frames.to_vec(), start_time: "2018-07-24 03:00:00.000000".into(), elapsed_seconds: 1.5 }
    }

    fn identity() -> Identity {
        Identity { item: "A/X.mov".into(), digest: "sha256:7c9f".into(), run: None }
    }

    const FRAMES: [u32; 4] = [1, 11, 21, 31];

    #[test]
    fn what_is_written_is_read_back_to_the_last_bit() {
        let text = write(&saved(&FRAMES[..3]), &identity()).unwrap();
        assert_eq!(read(text.as_bytes(), &identity(), &FRAMES), Ok(saved(&FRAMES[..3])));
    }

    #[test]
    fn a_checkpoint_of_something_else_does_not_count() {
        let text = write(&saved(&FRAMES[..3]), &identity()).unwrap();
        let read = |identity: &Identity, frames: &[u32]| read::<StatisticsRow>(text.as_bytes(), identity, frames);
        let digest = Identity { digest: "sha256:0000".into(), ..identity() };
        assert_eq!(read(&digest, &FRAMES), Err(Useless::Other));
        let run = Identity { run: Some("4-7c9f".into()), ..identity() };
        assert_eq!(read(&run, &FRAMES), Err(Useless::Other), "under Always only this run's rows count");
        assert_eq!(read(&identity(), &[1, 11]), Err(Useless::Rows), "more rows than there are");
        assert_eq!(read(&identity(), &[1, 12, 21]), Err(Useless::Rows));
        let flow = super::read::<crate::result::FlowRow>(text.as_bytes(), &identity(), &FRAMES);
        assert_eq!(flow, Err(Useless::Rows), "rows of another kind");
    }

    proptest! {
        #[test]
        fn a_damaged_checkpoint_never_counts(at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>()) {
            let mut bytes = write(&saved(&FRAMES[..3]), &identity()).unwrap().into_bytes();
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1 << bit;
            }
            prop_assert!(read::<StatisticsRow>(&bytes, &identity(), &FRAMES).is_err());
        }
    }
}
