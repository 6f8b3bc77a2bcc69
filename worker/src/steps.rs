//! The three steps of a run: plan what is to do, work on items, collect what stands. Each can be called alone.

pub mod collect;
pub mod plan;
pub mod work;
