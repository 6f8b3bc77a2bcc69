//! Two grey images to camera motion with a confidence; motions over a movie to regions. No IO; the only OpenCV door.
//!
//! ```text
//!   Grey ─▶ Prepared ─┐  corners and pyramid, made once for all pairs the image is in        image.rs, corners.rs, pyramid.rs
//!                     ├─▶ correspondences (tracked corners, or dense flow at the corners)     flow.rs, lucas_kanade.rs
//!   Grey ─▶ Prepared ─┘        │
//!                              ▼
//!                         hypotheses ─▶ verdict ─▶ doubts ─▶ Estimate, reasons                consensus.rs, verdict.rs, look.rs
//!
//!   Estimate, Estimate, … ─▶ Row ─▶ doubts() of neighbours ─▶ regions()                       sequence.rs, regions.rs
//! ```
//!
//! The camera looks at rock, past a plume that rises on its own and can fill half of the picture. A plain consensus would
//! take the plume's motion where it has more corners than the rock. Here cells of the picture vote, not corners; borders,
//! where the plume rarely is, count double; a rest is recognised by the rock that stands still; and where two answers are
//! about as good, or the points leave the motion open, the status is `undetermined`, with the reasons. What is burned into
//! the picture does not vote; rock keeps its pattern from one image to the next, while a plume boils and a lens that hunts for
//! its focus blurs. What no pair can tell, the rows around it may: a frame that was repeated, a leap. And what no rule can
//! tell: a plume that fills most of the picture and moves as one, without hiding that it does. `make accuracy` measures all
//! this against the truth (docs/accuracy.md).
//!
//! Conventions, as the published files have them: x to the right, y down, from the image's centre; `[s, t, tx, ty]` takes a
//! point at (x, y) to (s(cos t x + sin t y) + tx, s(-sin t x + cos t y) + ty), in full-resolution pixels.

mod consensus;
mod corners;
mod crowd;
mod door;
mod estimate;
mod explain;
mod flow;
mod gradient;
mod grid;
mod image;
mod look;
mod lucas_kanade;
mod profile;
mod pyramid;
mod reason;
mod regions;
mod sequence;
mod similarity;
mod sketch;
mod verdict;

pub use estimate::{Estimate, Method, SecondMotion, Settings, Status, estimate};
pub use explain::{Cell, Explanation, Tracked, explain};
pub use image::{Grey, Prepared};
pub use profile::{Profile, profile};
pub use reason::Reason;
pub use regions::{Region, RegionKind, RegionStats, Row, regions};
pub use sequence::doubts;
pub use similarity::Similarity;
pub use sketch::{Sketch, sketch};

/// Why no motion could be estimated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pixels do not fill the image.
    #[error("an image of {width}x{height} cannot have {bytes} bytes")]
    Image {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes given.
        bytes: usize,
    },
    /// Only images of one size can be compared.
    #[error("an image of {}x{} cannot be compared with one of {}x{}", .from.0, .from.1, .to.0, .to.1)]
    Sizes {
        /// Width and height of the earlier.
        from: (u32, u32),
        /// Width and height of the later.
        to: (u32, u32),
    },
    /// The image is some part of the full size, or all of it.
    #[error("an image of {scale} times the full size has no place in the picture (above 0, up to 1)")]
    Scale {
        /// Image size over full size.
        scale: f64,
    },
    /// The method is not in this build.
    #[error("the method {method} is not in this build (cargo feature {feature})")]
    NotBuilt {
        /// The method.
        method: &'static str,
        /// What brings it in.
        feature: &'static str,
    },
    /// OpenCV.
    #[error("OpenCV failed")]
    OpenCv(#[from] opencv::Error),
}
