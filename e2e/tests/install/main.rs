//! Every way to install the operator that the README names, on a real cluster: it comes up, does a job, is upgraded and
//! goes without a trace. Never by `make test`: see `e2e/tests/cluster`.
//!
//! One after the other, and before the other tests: one operator looks after a cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

#[path = "../support/mod.rs"]
mod support;

mod frames;
mod helm;
mod installation;
mod overlays;
