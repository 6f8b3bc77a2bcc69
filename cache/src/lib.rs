//! Single frames out of remote (or local) QuickTime movies, by byte range, without downloading them.
//!
//! ```text
//!   MoviePath ─▶ index (two parallel reads, once per movie) ─▶ byte range ─▶ packet (one read) ─▶ decode ─▶ encode
//!                quicktime                                     origin                           decode.rs  encode.rs
//! ```
//!
//! [`Lazycache`] is one archive and what is known of its movies; [`server`] puts the v1 HTTP API before one or more. An
//! answer of the origin that is not exactly what was asked for (another range, fewer bytes, another version of the file) is
//! an error, never pixels. What was read and made is kept ([`tier`]), what is asked for twice at once is done once
//! ([`flight`]), and more than can be done is refused at once ([`gate`]). Read next: [`lazycache`], [`origin`], [`decode`],
//! [`render`], [`resources`], [`server`], [`error`].

pub mod allocator;
mod buffers;
pub mod cli;
pub mod config;
pub mod decode;
pub mod encode;
pub mod error;
pub mod flight;
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
mod identity;
pub mod image_store;
pub mod lazycache;
pub mod listing;
pub mod metrics;
pub mod movie;
pub mod object;
pub mod origin;
pub mod picture;
pub mod reduced;
pub mod render;
pub mod resources;
pub mod server;
pub mod storyboard;
pub mod tier;
pub mod tls;

pub use error::{Error, ErrorKind};
pub use lazycache::{Copies, Lazycache};
pub use listing::Listing;
pub use movie::Movie;
pub use origin::{HttpOptions, Identity};
pub use resources::{Resources, Settings};
