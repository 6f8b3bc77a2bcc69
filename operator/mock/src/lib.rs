//! A Kubernetes API server and cluster in memory.

// Words of Kubernetes are names of the trade here; backticks around each would be noise.
#![allow(clippy::doc_markdown)]

mod answer;
mod clock;
mod delete;
mod fields;
mod gc;
mod kinds;
mod merge;
mod object;
mod route;
mod rules;
mod selector;
mod store;
mod strict;
mod watch;
mod write;

mod api;
mod process;
mod service;
mod snapshot;

pub mod cluster;
mod datapods;
mod ledger;

pub use answer::Refusal;
pub use api::{Kind, MockApi};
pub use cluster::Cluster;
pub use datapods::DataPods;
pub use ledger::{Hand, Item, Ledger, Run};
pub use process::{Entry, Fault, Process, When};
pub use route::{Call, Verb};
pub use service::{Connection, Lost};
pub use snapshot::Snapshot;
