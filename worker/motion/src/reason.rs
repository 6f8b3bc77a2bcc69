//! Why an answer is left open.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why the camera's motion is undetermined. An answer that is sure has no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Either image is too dark.
    Dark,
    /// Too little of the picture has texture that can be followed.
    Texture,
    /// What is burned into the picture (text, a title card) is most of what could be followed.
    Overlay,
    /// Too few parts of the picture, or of its border, agree on one motion.
    Coverage,
    /// A second motion has about as much of the picture behind it.
    Rival,
    /// The points agree, but scatter too much to say the motion well enough.
    Precision,
    /// What agrees looks different in the two images: it boils, as a plume does.
    Change,
    /// The light changed too much between the images.
    Light,
    /// The images are not equally sharp: the camera hunts for its focus.
    Focus,
    /// The image is the same again while the camera moves: a frame was repeated.
    Duplicate,
    /// The rows before and after say otherwise.
    Jump,
}

impl Reason {
    /// As it is written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Texture => "texture",
            Self::Overlay => "overlay",
            Self::Coverage => "coverage",
            Self::Rival => "rival",
            Self::Precision => "precision",
            Self::Change => "change",
            Self::Light => "light",
            Self::Focus => "focus",
            Self::Duplicate => "duplicate",
            Self::Jump => "jump",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
