//! What turns movies into results: plan, work and collect as library steps; `run` joins them on one machine, `pods` are
//! the same steps as programs of a cluster's pods.
//!
//! ```text
//!   job (AnalysisJob, lowered) ─▶ steps::plan ─▶ steps::work ─▶ steps::collect
//!                                          │              │               │
//!                     source (lazycache) ──┴── pipeline ──┤               ├─▶ regions.csv, report.html, failures.jsonl
//!                     store (the output, the ledger) ─────┴───────────────┘
//! ```
//!
//! Read next: [`run`] (the whole in one function), [`pods`], [`steps`], [`pipeline`] (frames to rows), [`result`] (the files),
//! [`statistics`] (what is said of a frame, with the definitions).
//!
//! Invariants, each held by a test: a name in the output holds a whole object or does not exist ([`store`]); a frame is
//! decoded once for all pairs it is in ([`pipeline`]); an item that fails costs that item only ([`steps::work`]).

pub mod cli;
pub mod cpu;
pub mod export;
pub mod item_error;
pub mod job;
pub mod outage;
pub mod pictures;
pub mod pipeline;
pub mod pods;
pub mod progress;
pub mod report;
pub mod result;
pub mod run;
pub mod schemas;
pub mod show;
pub mod signal;
pub mod source;
pub mod statistics;
pub mod steps;
pub mod store;
