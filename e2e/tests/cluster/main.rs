//! Promises that hold on real pods: `make e2e`. Never by `make test` or `make test-api`: every test here is ignored
//! unless asked for, and fails when it is asked for without a cluster.
//!
//! Waits are for states and are bounded; nothing is asserted about how long anything takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

#[path = "../support/mod.rs"]
mod support;

mod archive_trouble;
mod disruption;
mod kills;
mod outputs;
mod queue;
mod quickstart;
mod registry;
mod scaling;
mod standing;
mod upgrade;
