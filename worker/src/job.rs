//! An AnalysisJob file as this machine runs it: read strictly, lowered once, every later step sees only this.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use analysisjob::{AnalysisJob, AnalysisJobSpec, yaml::ReadError};
use frame::{MoviePath, PathError};
use plan::{
    Analysis, FrameRange, Method, OpticalFlow, OverwritePolicy, RunId, Selection,
    selection::{Days, PatternError},
};

/// What a run needs to know of an AnalysisJob.
#[derive(Debug)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// The run.
    pub run: RunId,
    /// Where the movies are: an address or a folder, with a slash at its end.
    pub root: String,
    /// Which movies.
    pub movies: Movies,
    /// Which analysis.
    pub analysis: Analysis,
    /// When an existing result is computed again.
    pub policy: OverwritePolicy,
    /// A file that must exist in the output.
    pub marker: Option<String>,
    /// How often a failed item is tried again.
    pub retries_per_item: u32,
    /// The longest one item may take.
    pub item_deadline: Duration,
    /// Items one index does.
    pub items_per_index: u32,
    /// Only the plan.
    pub dry_run: bool,
    /// What is said to the user: fields that mean nothing on one machine.
    pub notes: Vec<String>,
}

/// Which movies a job means.
#[derive(Debug)]
pub enum Movies {
    /// These.
    Listed(Vec<MoviePath>),
    /// Those found in the archive.
    Selected(Box<Selection>),
}

/// Why a file cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The file is not there.
    #[error("failed to read {file}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no valid AnalysisJob.
    #[error("{file} is not a valid AnalysisJob")]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Every problem, with its field.
        #[source]
        source: ReadError,
    },
    /// A movie's path is none.
    #[error("spec.source.items[{at}] is not the path of a movie below the root")]
    Item {
        /// From 0.
        at: usize,
        /// Why.
        #[source]
        source: PathError,
    },
    /// A glob.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Something that needs a cluster, or is not built yet.
    #[error("{field} {what}")]
    NotHere {
        /// The field.
        field: &'static str,
        /// What is the matter with it, and the mend.
        what: &'static str,
    },
}

impl Job {
    /// Reads `file`; `source_root` replaces the root it names.
    pub fn read(file: &Path, source_root: Option<&str>) -> Result<Self, JobError> {
        let bytes = std::fs::read(file).map_err(|source| JobError::File { file: file.to_owned(), source })?;
        let job =
            analysisjob::yaml::read(bytes).map_err(|source| JobError::Invalid { file: file.to_owned(), source })?;
        Self::lower(&job, source_root)
    }

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
            items_per_index: 1,
            dry_run: spec.dry_run,
            notes: notes(spec),
        })
    }
}

fn analysis(spec: &AnalysisJobSpec) -> Result<Analysis, JobError> {
    let Some(flow) = &spec.analysis.optical_flow else {
        let what = "is not computed by this version yet; opticalFlow is";
        return Err(JobError::NotHere { field: "spec.analysis.frameStatistics", what });
    };
    let method = match flow.method {
        analysisjob::Method::Auto => Method::Auto,
        analysisjob::Method::Dis => Method::Dis,
        analysisjob::Method::Corners => Method::Corners,
        analysisjob::Method::DualTvl1 => Method::DualTvl1,
    };
    let range = FrameRange { start_frame: flow.start_frame, end_frame: flow.end_frame, stride: flow.stride };
    Ok(Analysis::OpticalFlow(OpticalFlow { range, method, regions: flow.regions }))
}

fn movies(source: &analysisjob::Source) -> Result<Movies, JobError> {
    if source.items_from.is_some() {
        let what = "is a ConfigMap and needs a cluster; on one machine list the movies in spec.source.items";
        return Err(JobError::NotHere { field: "spec.source.itemsFrom", what });
    }
    let limit = source.limit.map(u64::from);
    if let Some(items) = &source.items {
        let parse =
            |(at, item): (usize, &String)| MoviePath::parse(item).map_err(|source| JobError::Item { at, source });
        let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        return Ok(Movies::Listed(items.iter().enumerate().take(most).map(parse).collect::<Result<_, _>>()?));
    }
    let Some(prefixes) = &source.prefixes else {
        let what = "are missing: a queue's consumer needs a cluster";
        return Err(JobError::NotHere { field: "spec.source.prefixes", what });
    };
    let mut selection = Selection::new(prefixes, &source.include, &source.exclude)?.at_most(limit);
    if let Some(days) = source.date_range.as_ref().and_then(days) {
        selection = selection.on_days(days, source.date_layout.clone());
    }
    Ok(Movies::Selected(Box::new(selection)))
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

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
apiVersion: camhd.science/v1alpha1
kind: AnalysisJob
metadata: {name: ashes}
spec:
  source:
    http: {rootURL: 'https://archive.example.org/files'}
    items: [A/X.mov, A/Y.mov]
    limit: 1
  analysis:
    opticalFlow: {stride: 20, method: DIS}
  output:
    persistentVolumeClaim: {claimName: results}
";

    fn read(text: &str, root: Option<&str>) -> Result<Job, JobError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("job.yaml");
        std::fs::write(&file, text).unwrap();
        Job::read(&file, root)
    }

    #[test]
    fn a_file_becomes_a_job_with_the_defaults_filled_in() {
        let job = read(FILE, None).unwrap();
        let range = FrameRange { start_frame: 1, end_frame: None, stride: 20 };
        assert_eq!(job.analysis, Analysis::OpticalFlow(OpticalFlow { range, method: Method::Dis, regions: true }));
        assert_eq!((job.root.as_str(), job.policy), ("https://archive.example.org/files/", OverwritePolicy::IfStale));
        assert!(matches!(&job.movies, Movies::Listed(items) if items.len() == 1));
        assert!(job.notes.is_empty());
    }

    #[test]
    fn the_run_is_named_by_what_the_work_depends_on() {
        let run = |text: &str, root| read(text, root).unwrap().run;
        assert_eq!(run(FILE, None), run(FILE, Some("/mnt/movies")), "the root given by hand changes nothing");
        assert_eq!(run(FILE, None), run(&format!("{FILE}  workers: {{threads: 8}}\n"), None));
        assert_ne!(run(FILE, None), run(&FILE.replace("stride: 20", "stride: 10"), None));
    }

    #[test]
    fn fields_for_a_cluster_are_accepted_and_named() {
        let text = format!("{FILE}  workers: {{threads: 8}}\n  ttlSecondsAfterFinished: 60\n");
        let notes = read(&text, None).unwrap().notes;
        assert_eq!(notes, ["unused on one machine: spec.workers, spec.ttlSecondsAfterFinished"]);
    }

    #[test]
    fn a_wrong_file_names_every_problem_with_its_field() {
        let text = FILE.replace("stride: 20", "stride: 0, strid: 3");
        let error = read(&text, None).unwrap_err();
        let text = crate::item_error::chain(&error);
        assert!(
            text.contains("spec.analysis.opticalFlow.stride:") && text.contains("spec.analysis.opticalFlow.strid:"),
            "{text}"
        );
    }
}
