//! What a run is, in plain values: which movies, which frames, which result names, what the ledger says, what is told
//! to whoever started it. No IO, no clock, no runtime: every function here can be tested with literals.
//!
//! ```text
//!   Selection ──folders(today)──▶ folders to list ──admits(path)──▶ items ──ledger──▶ Plan ──slice(index)──▶ items of one pod
//!   Analysis ──pairs(frames)──▶ which two frames each row compares
//!   Item ──names──▶ where its results live        Counts, Failure ──▶ Summary ──▶ Message (termination message), exit code
//! ```
//!
//! Read next: [`selection`] (which movies), [`analysis`] (which frames), [`ledger`] (what is already done), [`run`] and [`document`] (the
//! plan), [`cost`] (how many items an index does), [`message`] and [`exit`] (what is said at the end), [`parcel`]
//! (files of an output through a log).

pub mod analysis;
pub mod cost;
pub mod document;
pub mod exit;
pub mod ledger;
pub mod message;
pub mod names;
pub mod parcel;
pub mod run;
pub mod selection;
pub mod summary;

pub use analysis::{Analysis, Decoder, FrameRange, FrameStatistics, Method, OpticalFlow, Pair};
pub use document::Document;
pub use ledger::{Decision, OverwritePolicy, SourceIdentity};
pub use message::Message;
pub use names::ResultNames;
pub use run::{Plan, PlanHeader, RunId};
pub use selection::Selection;
pub use summary::{Counts, Failure, Summary};
