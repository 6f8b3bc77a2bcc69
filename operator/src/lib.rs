//! The operator: reconciles `AnalysisJob`s into lazycache and worker pods.
//!
//! ```text
//!   API server ──watches──▶ stores ──▶ reconcile ──apply──▶ API server
//!                  │                      ▲   │
//!                  └──── queue of work ───┘   └──▶ status, events, metrics
//! ```
//!
//! In: AnalysisJobs and their children, as the watches see them. Out: children, a status, events, metrics. The operator
//! never touches a movie, a result or a secret: it meets workers at a Job, an exit code and a termination message.
//!
//! Read next: [`reconcile`] (one AnalysisJob made what it should be), [`run`] (how it all hangs together), [`lease`] (one
//! process writes). The types and rules of the API are the crate `analysisjob`.
//!
//! Absent on purpose: webhooks, finalizers, per-movie objects, state outside the API server.

// Kinds of Kubernetes (ConfigMap, AnalysisJob) are words of the trade here; a backtick around each would be noise.
#![allow(clippy::doc_markdown)]

pub mod cli;
pub mod run;

pub mod context;
pub mod health;
pub mod lease;
pub mod metrics;
pub mod reconcile;
pub mod requests;
pub mod stores;
pub mod telemetry;
pub mod watches;

pub mod plugin;
