//! From the API's types to what a run needs.

use std::{collections::HashSet, path::Path, time::Duration};

use analysisjob::{AnalysisJob, AnalysisJobSpec};
use frame::MoviePath;
use plan::{
    Analysis, Decoder, FrameRange, FrameStatistics, Method, OpticalFlow, OverwritePolicy, RunId, Selection,
    selection::Days,
};

use super::{Job, JobError, Movies};

impl Job {
    /// The same from an object that was read.
    pub fn lower(job: &AnalysisJob, source_root: Option<&str>) -> Result<Self, JobError> {
        let spec = &job.spec;
        let root = source_root.unwrap_or(&spec.source.http.root_url);
        let analysis = analysis(spec)?;
        // What the work depends on, and no more: another number of threads is the same run.
        let document =
            serde_json::json!([&spec.source, analysis.parameters(), &spec.output.overwrite_policy]).to_string();
        let generation = job.metadata.generation.and_then(|generation| u64::try_from(generation).ok()).unwrap_or(1);
        Ok(Self {
            name: job.metadata.name.clone().unwrap_or_else(|| "analysis".to_owned()),
            run: RunId::new(generation, &document),
            root: if root.ends_with('/') { root.to_owned() } else { format!("{root}/") },
            movies: movies(&spec.source)?,
            analysis,
            policy: policy(spec.output.overwrite_policy),
            marker: spec.output.marker_file.clone(),
            retries_per_item: spec.retry.limit_per_item,
            item_deadline: Duration::from_secs(spec.retry.item_deadline_seconds.into()),
            s3: spec.output.s3.clone(),
            queue: spec.workers.queue.clone(),
            items_per_index: Some(1),
            worker_threads: spec.workers.threads,
            dry_run: spec.dry_run,
            notes: notes(spec),
        })
    }
}

fn analysis(spec: &AnalysisJobSpec) -> Result<Analysis, JobError> {
    if let Some(statistics) = &spec.analysis.frame_statistics {
        let (start_frame, end_frame, stride) = (statistics.start_frame, statistics.end_frame, statistics.stride);
        return Ok(Analysis::FrameStatistics(FrameStatistics { range: FrameRange { start_frame, end_frame, stride } }));
    }
    let Some(flow) = &spec.analysis.optical_flow else {
        let what = "is missing: set opticalFlow or frameStatistics";
        return Err(JobError::NotHere { field: "spec.analysis", what });
    };
    let decoder = match flow.decoder {
        analysisjob::Decoder::Reduced => Decoder::Reduced,
        analysisjob::Decoder::Full => Decoder::Full,
    };
    let method = match flow.method {
        analysisjob::Method::Auto => Method::Auto,
        analysisjob::Method::Dis => Method::Dis,
        analysisjob::Method::Corners => Method::Corners,
        analysisjob::Method::DualTvl1 => Method::DualTvl1,
    };
    let range = FrameRange { start_frame: flow.start_frame, end_frame: flow.end_frame, stride: flow.stride };
    Ok(Analysis::OpticalFlow(OpticalFlow { range, method, decoder, regions: flow.regions }))
}

fn movies(source: &analysisjob::Source) -> Result<Movies, JobError> {
    if source.items_from.is_some() {
        let what = "is a ConfigMap and needs a cluster; on one machine list the movies in spec.source.items";
        return Err(JobError::NotHere { field: "spec.source.itemsFrom", what });
    }
    let limit = source.limit.map(u64::from);
    if let Some(items) = &source.items {
        let place = |at| format!("spec.source.items[{at}]");
        return Ok(Movies::Listed(parse_items(items.iter().map(String::as_str).enumerate(), place, source.limit)?));
    }
    // A consumer takes its movies from a list.
    let Some(prefixes) = &source.prefixes else { return Ok(Movies::Listed(Vec::new())) };
    let mut selection = Selection::new(prefixes, &source.include, &source.exclude)?.at_most(limit);
    if let Some(days) = source.date_range.as_ref().and_then(days) {
        selection = selection.on_days(days, source.date_layout.clone());
    }
    Ok(Movies::Selected(Box::new(selection)))
}

/// One path below the root per line; empty lines and those that begin with `#` do not count.
pub(super) fn items_of_file(file: &Path, bytes: &[u8], limit: Option<u32>) -> Result<Vec<MoviePath>, JobError> {
    let text = String::from_utf8_lossy(bytes);
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    parse_items(lines, |line| format!("line {line} of {}", file.display()), limit)
}

/// The first `limit` movies; one that is named twice counts once.
fn parse_items<'a>(
    items: impl Iterator<Item = (usize, &'a str)>,
    place: impl Fn(usize) -> String,
    limit: Option<u32>,
) -> Result<Vec<MoviePath>, JobError> {
    let most = limit.map_or(usize::MAX, |limit| limit as usize);
    let mut seen = HashSet::new();
    let new = items.filter(|(_, item)| seen.insert(*item)).take(most);
    new.map(|(at, item)| MoviePath::parse(item).map_err(|source| JobError::Item { place: place(at), source })).collect()
}

/// The reader has checked that the days exist and follow each other.
fn days(range: &analysisjob::DateRange) -> Option<Days> {
    if let Some(count) = range.last_days {
        return Some(Days::Last(count));
    }
    let day = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    Some(Days::Range { from: day(&range.from)?, to: day(&range.to) })
}

fn policy(policy: analysisjob::OverwritePolicy) -> OverwritePolicy {
    match policy {
        analysisjob::OverwritePolicy::IfMissing => OverwritePolicy::IfMissing,
        analysisjob::OverwritePolicy::IfStale => OverwritePolicy::IfStale,
        analysisjob::OverwritePolicy::Always => OverwritePolicy::Always,
    }
}

/// Fields that were set and mean nothing here, in one sentence.
fn notes(spec: &AnalysisJobSpec) -> Vec<String> {
    let set = [
        ("source.http.authSecretRef", spec.source.http.auth_secret_ref.is_some()),
        ("cache", spec.cache.is_some()),
        ("workers", spec.workers != analysisjob::Workers::default()),
        ("output.s3", spec.output.s3.is_some()),
        ("rescan", spec.rescan.is_some()),
        ("suspend", spec.suspend),
        ("activeDeadlineSeconds", spec.active_deadline_seconds.is_some()),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.is_some()),
    ];
    let names: Vec<String> = set.iter().filter(|(_, set)| *set).map(|(name, _)| format!("spec.{name}")).collect();
    if names.is_empty() { Vec::new() } else { vec![format!("unused on one machine: {}", names.join(", "))] }
}
