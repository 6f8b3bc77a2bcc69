//! The policies: one question each, answered from plain values. Time is an argument everywhere.

pub mod cache_size;
pub mod deadline;
pub mod failures;
pub mod indexes;
pub mod schedule;
pub mod shards;
