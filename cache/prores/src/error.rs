//! Why a packet gives no image.

use crate::{bits::Damage, header::MAX_PIXELS};

/// Why a packet gives no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin as ProRes frames do.
    #[error("the packet is not a ProRes frame: it has no 'icpf' at byte 4")]
    NotProRes,
    /// Allowed by the format, or by a later one, but not read here: another decoder may.
    #[error("{what} is not supported")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// Larger than this crate decodes.
    #[error("the frame is {width}x{height}, more than the limit of {MAX_PIXELS} pixels")]
    TooLarge {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// It ends before what its headers promise.
    #[error("the packet is cut off: {what} is longer than what is left of it")]
    Truncated {
        /// What.
        what: &'static str,
    },
    /// A header that contradicts itself.
    #[error("the packet is damaged: {what}")]
    Header {
        /// What is wrong.
        what: &'static str,
    },
    /// Coefficients that no encoder writes.
    #[error("slice {slice} of the packet is damaged")]
    Slice {
        /// Which, of its picture, from 0.
        slice: usize,
        /// What is wrong with it.
        #[source]
        source: Damage,
    },
}
