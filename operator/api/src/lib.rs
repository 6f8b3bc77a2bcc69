//! The AnalysisJob API, `camhd.science/v1alpha1`: the one place that says what may be asked for.
//!
//! ```text
//!            derive + doc comments                     crds/analysisjobs.camhd.science.yaml
//!   spec.rs ─────────────────────────▶ crd::definition ───────────────▶ API server, kubectl explain
//!   status.rs                              │ schema: types, ranges, defaults, CEL rules
//!                                          ▼
//!   a file ──▶ yaml::read ── the same checks ──▶ AnalysisJob ──▶ validate ──▶ operator, worker
//!              every problem, by field and line                  what a schema cannot say
//! ```
//!
//! In: YAML of a person, or objects of an API server. Out: typed values, or every problem there is with the file.
//! The schema is the single source: [`yaml::read`] checks a file against it as an API server would, so what runs on
//! one machine is admitted by a cluster and the other way round. [`validate()`] adds what no schema can say (cron, time
//! zones, globs). Objects from an API server are read with plain serde, which ignores fields it does not know: a newer
//! schema must not stop an older program.
//!
//! Absent on purpose: a client, a clock, IO. Read [`AnalysisJobSpec`] first, then [`AnalysisJobStatus`].

// Doc comments are the text of `kubectl explain`, where a backtick around every field's name would be noise.
#![allow(clippy::doc_markdown)]

mod number;
mod rule;
mod word;

pub mod spec;

pub mod analysis;
pub mod cache;
pub mod output;
pub mod pod;
pub mod policy;
pub mod source;
pub mod workers;

pub mod status;

pub mod crd;
pub mod validate;
pub mod yaml;

pub mod conditions;
pub mod labels;
pub mod managers;
pub mod reasons;

pub use analysis::{Analysis, Decoder, FrameStatistics, Method, OpticalFlow};
pub use cache::{Cache, FrameCache, ManagedCache};
pub use number::{ItemsPerIndex, MaxFailedItems};
pub use output::{Output, OutputClaim, OverwritePolicy, S3};
pub use policy::{Rescan, Retry, UpdatePolicy};
pub use source::{DateRange, HttpArchive, ItemsFrom, Source};
pub use spec::{AnalysisJob, AnalysisJobSpec};
pub use status::AnalysisJobStatus;
pub use validate::{Problem, validate};
pub use word::Word;
pub use workers::{Queue, QueueRole, Strategy, Workers};
