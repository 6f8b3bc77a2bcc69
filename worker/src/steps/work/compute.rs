//! One item: its rows, from the beginning or from a checkpoint, and the files they are written to.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use frame::MoviePath;
use futures::StreamExt;
use motion::Region;
use plan::{Analysis, OpticalFlow, OverwritePolicy, ResultNames, SourceIdentity};

use super::{
    AttemptError, Work,
    checkpoint::{Checkpoint, Identity, Saved},
    series::{FlowSeries, Series, StatisticsSeries},
};
use crate::{
    item_error::ItemError,
    pipeline::{Witness, doubt},
    result::{
        DecodedFrames, FileTiming, FlowRow, HostInfo, MovieInfo, OpticalFlowFile, Performance, Provenance, RegionsFile,
        ResultFile, Row, regions_contents,
    },
    source::Movie,
};

/// What has been done of an item in this attempt and before it.
struct Progressed<R> {
    rows: Vec<R>,
    witness: Witness,
    start: Instant,
    start_time: String,
    elapsed_before: Duration,
}

impl Work {
    /// Makes an item's rows and writes its files.
    pub(super) async fn compute(
        &self,
        path: &MoviePath,
        movie: &Arc<Movie>,
        digest: String,
    ) -> Result<(), AttemptError> {
        match &self.job.analysis {
            Analysis::OpticalFlow(flow) => {
                let (mut file, checkpoint) = self.rows(&FlowSeries::new(flow, movie), path, movie, digest).await?;
                doubt(&mut file.frame_stats);
                // The rows go last: they are the ledger entry, so a result that counts as done is whole.
                self.write_regions(path, &file, flow).await?;
                self.write_pictures(path, movie).await?;
                self.write_rows(path, &file).await?;
                checkpoint.remove().await;
            }
            Analysis::FrameStatistics(statistics) => {
                let series = StatisticsSeries::new(statistics, movie);
                let (file, checkpoint) = self.rows(&series, path, movie, digest).await?;
                self.write_rows(path, &file).await?;
                checkpoint.remove().await;
            }
        }
        Ok(())
    }

    /// Only the regions are missing: they are made from the rows that stand.
    pub(super) async fn derive(&self, path: &MoviePath) -> Result<(), AttemptError> {
        let Analysis::OpticalFlow(flow) = &self.job.analysis else { return Ok(()) };
        let name = ResultNames::of(path, &self.job.analysis).rows;
        let bytes = self.store.read(&name).await.map_err(AttemptError::Store)?.unwrap_or_default();
        let file: OpticalFlowFile =
            serde_json::from_slice(&bytes).map_err(|source| ItemError::Rows { name, source })?;
        self.write_regions(path, &file, flow).await
    }

    /// The rows of a movie as a file; also the checkpoint, which goes when the file stands.
    async fn rows<S: Series>(
        &self,
        series: &S,
        path: &MoviePath,
        movie: &Arc<Movie>,
        digest: String,
    ) -> Result<(ResultFile<S::Row>, Checkpoint<'_>), AttemptError> {
        let names = series.names();
        let mut checkpoint = self.checkpoint(path, &digest);
        let mut progressed = self.begin(&mut checkpoint, path, &names).await?;
        let first = progressed.rows.len();
        let planned = series.frames(first).len();
        let progress = &self.pipeline.progress;
        progress.opened(planned);
        if let Err(error) = self.go_on(series, movie, &mut progressed, &mut checkpoint).await {
            progress.again(planned, progressed.witness.frames());
            return Err(error);
        }
        let needed = series.frames(0).len() as u64;
        let full = progressed.witness.in_full().len() as u64;
        let decoded = DecodedFrames { reduced: needed.saturating_sub(full), full };
        let file = ResultFile {
            provenance: self.provenance(movie, digest, decoded),
            movie: movie.info(path),
            contents: S::Row::contents(),
            performance: Performance { timing: progressed.timing(), hostinfo: HostInfo::here() },
            frame_stats: progressed.rows,
        };
        Ok((file, checkpoint))
    }

    fn checkpoint(&self, path: &MoviePath, digest: &str) -> Checkpoint<'_> {
        // Under Always, nothing that another run has computed counts.
        let run = (self.job.policy == OverwritePolicy::Always).then(|| self.job.run.to_string());
        let identity = Identity { item: path.to_string(), digest: digest.to_owned(), run };
        Checkpoint::new(&self.store, &ResultNames::of(path, &self.job.analysis).rows, identity, self.checkpoint_every)
    }

    /// From where a checkpoint left off, or from nothing.
    async fn begin<R: Row>(
        &self,
        checkpoint: &mut Checkpoint<'_>,
        path: &MoviePath,
        names: &[u32],
    ) -> Result<Progressed<R>, AttemptError> {
        let say = |text: &str| self.pipeline.progress.say(&format!("{path}: {text}"));
        let saved = match checkpoint.load(names).await.map_err(AttemptError::Store)? {
            Ok(None) => return Ok(Progressed::nothing()),
            Err(useless) => {
                say(&format!("its checkpoint is left aside: {useless}"));
                return Ok(Progressed::nothing());
            }
            Ok(Some(saved)) => saved,
        };
        say(&format!("goes on from a checkpoint with {} of {} rows", saved.rows.len(), names.len()));
        Ok(Progressed {
            rows: saved.rows,
            witness: Witness::knowing(&saved.in_full),
            start: Instant::now(),
            start_time: saved.start_time,
            elapsed_before: Duration::try_from_secs_f64(saved.elapsed_seconds).unwrap_or_default(),
        })
    }

    /// The rows that are missing, saved now and then.
    async fn go_on<S: Series>(
        &self,
        series: &S,
        movie: &Movie,
        progressed: &mut Progressed<S::Row>,
        checkpoint: &mut Checkpoint<'_>,
    ) -> Result<(), AttemptError> {
        let Progressed { rows, witness, start, start_time, elapsed_before } = progressed;
        let (witness, start_time) = (&*witness, &*start_time);
        let saved = |rows: &[S::Row]| Saved {
            rows: rows.to_vec(),
            in_full: witness.in_full(),
            start_time: start_time.clone(),
            elapsed_seconds: (*elapsed_before + start.elapsed()).as_secs_f64(),
        };
        let mut stream = series.rows(&self.pipeline, movie, rows.len(), witness);
        let mut told = false;
        loop {
            tokio::select! {
                biased;
                () = self.halt.cancelled() => {
                    checkpoint.save(&saved(rows)).await;
                    return Err(AttemptError::Halted);
                }
                // Whoever is told to stop may be killed at any time.
                () = self.stop.cancelled(), if !told => {
                    told = true;
                    checkpoint.save(&saved(rows)).await;
                }
                row = stream.next() => match row {
                    Some(row) => rows.push(row?),
                    None => return Ok(()),
                },
            }
            if checkpoint.is_due() {
                checkpoint.save(&saved(rows)).await;
            }
        }
    }

    async fn write_rows<R: Row>(&self, path: &MoviePath, file: &ResultFile<R>) -> Result<(), AttemptError> {
        let name = ResultNames::of(path, &self.job.analysis).rows;
        let bytes = serde_json::to_vec(file).map_err(|source| ItemError::Encode { name: name.clone(), source })?;
        self.store.write(&name, bytes).await.map_err(AttemptError::Store)
    }

    async fn write_regions(
        &self,
        path: &MoviePath,
        rows: &OpticalFlowFile,
        flow: &OpticalFlow,
    ) -> Result<(), AttemptError> {
        let Some(name) = ResultNames::of(path, &self.job.analysis).regions else { return Ok(()) };
        let (movie, regions): (MovieInfo, _) = (rows.movie.clone(), regions_of(rows, flow.range.stride));
        let file = RegionsFile { movie, contents: regions_contents(), regions };
        let bytes = serde_json::to_vec(&file).map_err(|source| ItemError::Encode { name: name.clone(), source })?;
        self.store.write(&name, bytes).await.map_err(AttemptError::Store)
    }

    /// Pictures for the report. No result hangs on them: one that cannot be made is missing.
    async fn write_pictures(&self, path: &MoviePath, movie: &Movie) -> Result<(), AttemptError> {
        match movie.pictures().sheet() {
            Ok(Some(sheet)) => self.store.write(&crate::pictures::name(path), sheet).await.map_err(AttemptError::Store),
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::warn!(movie = %path, %error, "failed to make the pictures for the report");
                Ok(())
            }
        }
    }

    fn provenance(&self, movie: &Movie, digest: String, decoded: DecodedFrames) -> Provenance {
        let SourceIdentity { size, etag, last_modified } = movie.identity().clone();
        Provenance {
            analyzer: concat!("analysis-worker ", env!("CARGO_PKG_VERSION")).to_owned(),
            analysis: self.job.analysis.name().to_owned(),
            revision: self.job.analysis.revision(),
            parameters: self.job.analysis.parameters(),
            decoded_frames: Some(decoded),
            source_url: movie.url().to_owned(),
            etag,
            size,
            last_modified,
            digest,
        }
    }
}

impl<R> Progressed<R> {
    fn nothing() -> Self {
        Self {
            rows: Vec::new(),
            witness: Witness::default(),
            start: Instant::now(),
            start_time: stamp(jiff::Timestamp::now()),
            elapsed_before: Duration::ZERO,
        }
    }

    fn timing(&self) -> FileTiming {
        FileTiming {
            elapsed_seconds: (self.elapsed_before + self.start.elapsed()).as_secs_f64(),
            start_time: self.start_time.clone(),
            end_time: stamp(jiff::Timestamp::now()),
        }
    }
}

fn regions_of(file: &OpticalFlowFile, stride: u32) -> Vec<Region> {
    let rows: Vec<motion::Row> = file.frame_stats.iter().map(FlowRow::motion_row).collect();
    motion::regions(&rows, stride)
}

/// UTC as the old files write it: `2017-07-26 01:22:55.069721`.
fn stamp(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_the_published_files() {
        let time: jiff::Timestamp = "2017-07-26T01:22:55.069721Z".parse().unwrap();
        assert_eq!(stamp(time), "2017-07-26 01:22:55.069721");
    }
}
