//! The parsers of foreign bytes by themselves: the same source files as lazycache's, without the server, the clients and the
//! stores around them. With a sanitizer these would take minutes to compile, and nothing of them is tried.

#![allow(dead_code, unused_imports)] // what the rest of lazycache uses

#[path = "../../src"]
mod source {
    pub mod decode;
    pub mod fuzzing;
    pub mod identity;
    pub mod listing;
    pub mod movie;
    pub mod picture;
}

pub use source::fuzzing;
use source::{decode, identity, listing, movie, picture};

/// What pictures need of the encoders: why they could not be scaled.
mod encode {
    #[derive(Debug, thiserror::Error)]
    pub enum EncodeError {
        #[error(transparent)]
        Size(#[from] fast_image_resize::ImageBufferError),
        #[error(transparent)]
        Resize(#[from] fast_image_resize::ResizeError),
    }
}
