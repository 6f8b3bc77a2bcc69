//! An AnalysisJob as this process runs it: read, lowered once, every later step sees only this. A person's file is read
//! strictly; the object a pod is given has passed an API server, and fields it does not know are a newer schema's.

mod lower;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use analysisjob::{AnalysisJob, yaml::ReadError};
use frame::{MoviePath, PathError};
use plan::{Analysis, OverwritePolicy, RunId, Selection, selection::PatternError};

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
    /// The bucket results go to, where it is one.
    pub s3: Option<analysisjob::S3>,
    /// The list it shares, where it is one of strategy Queue.
    pub queue: Option<analysisjob::Queue>,
    /// How often a failed item is tried again.
    pub retries_per_item: u32,
    /// The longest one item may take.
    pub item_deadline: Duration,
    /// Items one index does; `None` = as the cost of an item says.
    pub items_per_index: Option<u32>,
    /// Threads of each worker pod.
    pub worker_threads: u32,
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
    /// The object is no AnalysisJob.
    #[error("{file} does not hold an AnalysisJob as JSON")]
    Json {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A run's name is none.
    #[error("{run:?} is no name of a run: lower-case letters, digits and dashes, at most 63")]
    Run {
        /// As given.
        run: String,
    },
    /// A movie's path is none.
    #[error("{place} is not the path of a movie below the root")]
    Item {
        /// Where it stands: `spec.source.items[3]`, or a line of a file.
        place: String,
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
    /// Reads a person's `file` for this machine alone; `source_root` replaces the root it names.
    pub fn read(file: &Path, source_root: Option<&str>) -> Result<Self, JobError> {
        let bytes = read_file(file)?;
        let job =
            analysisjob::yaml::read(bytes).map_err(|source| JobError::Invalid { file: file.to_owned(), source })?;
        Self::lower(&job, source_root)
    }

    /// Reads the object a pod is given. The operator names the run; `items_file` holds the list of spec.source.itemsFrom.
    pub fn read_for_pod(file: &Path, run: &str, items_file: Option<&Path>) -> Result<Self, JobError> {
        let bytes = read_file(file)?;
        let mut job: AnalysisJob =
            serde_json::from_slice(&bytes).map_err(|source| JobError::Json { file: file.to_owned(), source })?;
        let run = RunId::named(run).ok_or_else(|| JobError::Run { run: run.to_owned() })?;
        let listed = match (&job.spec.source.items_from, items_file) {
            (None, _) => None,
            (Some(_), Some(file)) => Some(lower::items_of_file(file, &read_file(file)?, job.spec.source.limit)?),
            (Some(_), None) => {
                let what = "is set, but no file with its list is given (--items-file)";
                return Err(JobError::NotHere { field: "spec.source.itemsFrom", what });
            }
        };
        if listed.is_some() {
            // What it stands for is known now.
            job.spec.source.items_from = None;
            job.spec.source.items = Some(Vec::new());
        }
        let lowered = Self::lower(&job, None)?;
        let items_per_index = match job.spec.workers.items_per_index {
            analysisjob::ItemsPerIndex::Auto => None,
            analysisjob::ItemsPerIndex::Count(count) => Some(count),
        };
        let movies = listed.map_or(lowered.movies, Movies::Listed);
        Ok(Self { run, movies, items_per_index, notes: Vec::new(), ..lowered })
    }
}

fn read_file(file: &Path) -> Result<Vec<u8>, JobError> {
    std::fs::read(file).map_err(|source| JobError::File { file: file.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Decoder, FrameRange, Method, OpticalFlow};

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
        let flow = OpticalFlow { range, method: Method::Dis, decoder: Decoder::Reduced, regions: true };
        assert_eq!(job.analysis, Analysis::OpticalFlow(flow));
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

    fn for_pod(spec: &str, list: Option<&str>) -> Result<Job, JobError> {
        let folder = tempfile::tempdir().unwrap();
        let (file, items) = (folder.path().join("job.json"), folder.path().join("items"));
        let text = format!(
            r#"{{"apiVersion":"camhd.science/v1alpha1","kind":"AnalysisJob","metadata":{{"name":"ashes"}},"spec":{spec}}}"#
        );
        std::fs::write(&file, text).unwrap();
        if let Some(list) = list {
            std::fs::write(&items, list).unwrap();
        }
        Job::read_for_pod(&file, "4-7c9f", list.map(|_| items.as_path()))
    }

    fn spec(source: &str) -> String {
        format!(
            r#"{{"source":{{"http":{{"rootURL":"https://archive.example.org/files/"}},{source}}},"analysis":{{"opticalFlow":{{}}}},
            "output":{{"persistentVolumeClaim":{{"claimName":"r"}}}},"workers":{{"itemsPerIndex":7}},"laterField":{{"x":1}}}}"#
        )
    }

    #[test]
    fn a_pod_reads_an_object_with_fields_it_does_not_know() {
        let job = for_pod(&spec(r#""prefixes":["A/"]"#), None).unwrap();
        assert_eq!((job.run.to_string().as_str(), job.items_per_index, job.worker_threads), ("4-7c9f", Some(7), 1));
    }

    #[test]
    fn a_list_kept_elsewhere_is_read_line_by_line_and_each_movie_counts_once() {
        let from = r#""itemsFrom":{"configMapKeyRef":{"name":"l","key":"k"}},"limit":2"#;
        let job = for_pod(&spec(from), Some("# movies\n\nA/X.mov\r\nA/X.mov\n  A/Y.mov \nA/Z.mov\n")).unwrap();
        let Movies::Listed(items) = job.movies else { panic!("a list") };
        assert_eq!(items.iter().map(MoviePath::as_str).collect::<Vec<_>>(), ["A/X.mov", "A/Y.mov"]);
        let error = for_pod(&spec(from), Some("A/X.mov\n../Y.mov\n")).unwrap_err().to_string();
        assert!(error.contains("line 2 of "), "{error}");
        assert!(matches!(for_pod(&spec(from), None), Err(JobError::NotHere { .. })));
    }
}
