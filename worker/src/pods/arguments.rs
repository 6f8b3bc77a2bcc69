//! What the operator tells a data pod: flags, each with its environment variable.

use std::path::PathBuf;

use crate::{progress::Style, steps::work::CHECKPOINT_EVERY};

/// Shown below the help of every step.
pub const ENDINGS: &str = "\
Exit codes:
  0   done; single items that failed are in the termination message and in .analysis/RUN/failures/
  2   the command line was not understood
  65  work: the one item of this index can never succeed (bad input)
  69  the archive or the output could not be reached, or an item failed that may go better another time
  75  interrupted, or the whole archive is silent; finished results are kept, start again to go on
  78  the AnalysisJob, the output, its marker or its keys are not as they should be";

/// Shown below the help of `plan`.
pub const PLAN_EXAMPLES: &str = "\
Examples:
  analysis-worker plan --job job.json --run 1-7c9f --output results
  analysis-worker plan --job job.json --run 1-7c9f --output s3 --cache-url http://localhost:8080
";
/// Shown below the help of `work`.
pub const WORK_EXAMPLES: &str = "\
Examples:
  analysis-worker work --job job.json --run 1-7c9f --output results --index 0
  JOB_COMPLETION_INDEX=3 ANALYSIS_FIRST_INDEX=10000 analysis-worker work --job job.json --run 1-7c9f --output results
";
/// Shown below the help of `collect`.
pub const COLLECT_EXAMPLES: &str = "\
Examples:
  analysis-worker collect --job job.json --run 1-7c9f --output results
";
/// Shown below the help of `feed`.
pub const FEED_EXAMPLES: &str = "\
Examples:
  analysis-worker feed --job job.json --run 1-7c9f --output results --redis redis://redis:6379 --stream camhd
";
/// Shown below the help of `drain`.
pub const DRAIN_EXAMPLES: &str = "\
Examples:
  analysis-worker drain --job job.yaml --output /mnt/results --redis redis://redis:6379 --stream camhd
  ANALYSIS_REDIS=rediss://drain:PASSWORD@redis.example.org:6380 analysis-worker drain --job job.yaml --output s3 --threads 8 --movies 4
  analysis-worker drain --job job.yaml --output /mnt/results --until-empty
";

/// What every step is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// The AnalysisJob, as JSON.
    #[arg(long, env = "ANALYSIS_JOB", value_name = "FILE")]
    pub job: PathBuf,
    /// The run's id, such as 4-7c9f; its papers are in .analysis/RUN/ in the output.
    #[arg(long, env = "ANALYSIS_RUN", value_name = "ID")]
    pub run: String,
    /// Folder the results go to, which must exist; or `s3`: the bucket of spec.output.s3, with the keys of
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    #[arg(long, env = "ANALYSIS_OUTPUT", value_name = "DIR|s3")]
    pub output: String,
    /// A lazycache server to get listings and frames from [default: the archive is read from this process].
    #[arg(long, env = "ANALYSIS_CACHE_URL", value_name = "URL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub cache_url: Option<String>,
    /// The list of spec.source.itemsFrom: one path a line.
    #[arg(long, env = "ANALYSIS_ITEMS_FILE", value_name = "FILE")]
    pub items_file: Option<PathBuf>,
    /// Seconds the archive may be silent before the pod ends.
    #[arg(long, env = "ANALYSIS_PATIENCE", default_value_t = 3600, value_name = "SECONDS")]
    pub patience: u64,
    /// How progress is shown, on standard error.
    #[arg(long, env = "ANALYSIS_PROGRESS", value_enum, default_value_t = Style::Plain)]
    pub progress: Style,
    /// Where the termination message is written, besides standard output.
    #[arg(long, env = TERMINATION_LOG, value_name = "FILE")]
    pub termination_log: Option<PathBuf>,
}

/// Also read when the command line was not understood.
pub const TERMINATION_LOG: &str = "ANALYSIS_TERMINATION_LOG";

/// What a worker is told besides.
#[derive(Debug, Clone, clap::Args)]
pub struct WorkArguments {
    /// What every step is told.
    #[command(flatten)]
    pub common: Common,
    /// Which index of the Job this is, from 0.
    #[arg(long, env = "JOB_COMPLETION_INDEX", value_name = "N")]
    pub index: u32,
    /// What is added to the index: the Job's first, where a run is divided into several Jobs.
    #[arg(long, env = "ANALYSIS_FIRST_INDEX", default_value_t = 0, value_name = "N")]
    pub first_index: u32,
    /// Threads to compute with.
    #[arg(long, short, env = "ANALYSIS_THREADS", default_value_t = 1)]
    pub threads: usize,
    /// Seconds from SIGTERM to SIGKILL; the movie in hand goes on until 10 s before.
    #[arg(long, env = "ANALYSIS_GRACE_SECONDS", default_value_t = 120, value_name = "SECONDS")]
    pub grace_seconds: u64,
    /// Seconds between two checkpoints of a movie that is not done: what a killed pod loses at most. 0: after every row.
    #[arg(long, env = "ANALYSIS_CHECKPOINT_SECONDS", default_value_t = CHECKPOINT_EVERY.as_secs(), value_name = "SECONDS")]
    pub checkpoint_seconds: u64,
}
