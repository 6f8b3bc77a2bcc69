//! How a frame of a movie is named. Text in, names out: no IO, nothing to decode.
//!
//! ```text
//!   https://rawdata.oceanobservatories.org/files/            a mirror's root   ── MirrorRoot
//!   /v1/org/oceanobservatories/rawdata/files/                its API path
//!   …RS03ASHS/PN03B/…/CAMHDA301-20180724T030000Z.mov         a movie below it  ── MoviePath
//!   …/frame/1234.png?width=480&height=270                    a frame of it     ── FrameAddress
//! ```
//!
//! Names are built only by parsing, so that what holds one holds a checked one. Read next: [`path`] (what a path may
//! hold), [`address`] (the v1 contract of frame paths), [`rendition`] (its query), [`mirror`] (addresses with the host
//! reversed), [`span`] (several frames at once, and a frame by its time).

pub mod address;
pub mod decoder;
pub mod mirror;
pub mod path;
pub mod rendition;
pub mod span;

pub use address::{AddressError, Format, FrameAddress, FrameNumber};
pub use decoder::Decoder;
pub use mirror::{MirrorError, MirrorRoot};
pub use path::{DirectoryPath, MoviePath, PathError};
pub use rendition::{Crop, Depth, OutputSize, Quality, Rendition, RenditionQuery, Scale};
pub use span::{MAX_FRAMES, Moment, Span};
