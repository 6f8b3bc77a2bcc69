//! Single frames out of remote (or local) QuickTime movies, by byte range, without downloading them.
//!
//! ```text
//!   MoviePath ─▶ index (two parallel reads, once per movie) ─▶ byte range ─▶ packet (one read) ─▶ decode ─▶ encode
//!                quicktime                                     origin                           decode.rs  encode.rs
//! ```
//!
//! [`Lazycache`] is one archive and what is known of its movies; [`server`] puts the v1 HTTP API before one or more. An
//! answer of the origin that is not exactly what was asked for (another range, fewer bytes, another version of the file) is
//! an error, never pixels. Read next: [`lazycache`], [`origin`], [`decode`], [`render`], [`server`], [`error`].

pub mod cli;
pub mod decode;
pub mod encode;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod lazycache;
pub mod listing;
pub mod movie;
pub mod origin;
pub mod picture;
pub mod render;
pub mod server;
pub mod storyboard;
pub mod tls;

pub use error::{Error, ErrorKind};
pub use lazycache::Lazycache;
pub use listing::Listing;
pub use movie::Movie;
pub use origin::Identity;
