//! The address of a frame: what stands after a movie's path, and the query, as old clients write them.

use std::{fmt, num::NonZeroU32, str::FromStr};

use crate::{
    path::{MoviePath, PathError},
    rendition::{Depth, MAX_OUTPUT_SIDE, Rendition},
};

/// A frame of a movie, 1-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameNumber(NonZeroU32);

/// How a frame is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// PNG, 8 bits, RGB.
    Png,
    /// JPEG.
    Jpeg,
    /// BMP, 24 bits.
    Bmp,
    /// Width * height * 4 bytes RGBA.
    Rgba,
    /// The same bytes as [`Format::Rgba`], under the other name old clients know.
    Raw,
    /// A `NumPy` array of 8-bit RGB, (height, width, 3).
    Npy,
}

/// One frame as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FrameAddress {
    /// The movie.
    pub movie: MoviePath,
    /// Which frame of it.
    pub number: FrameNumber,
    /// How it is answered.
    pub format: Format,
    /// How its pixels are wanted.
    pub rendition: Rendition,
}

/// Why a text is no address of a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The movie's path is not one.
    #[error(transparent)]
    Path(#[from] PathError),
    /// There is no number where the frame's should stand.
    #[error("{text:?} does not begin with a frame number (1, 2, …)")]
    Number {
        /// What stands there.
        text: String,
    },
    /// Frames count from 1.
    #[error("there is no frame 0: frames count from 1")]
    Zero,
    /// An extension that names no format.
    #[error("the extension {extension:?} is not known; known are png, jpg, jpeg, bmp, rgba, raw, npy")]
    Format {
        /// The extension.
        extension: String,
    },
    /// A width or height that is no number, or too large.
    #[error("{name}={value:?} is not a number of pixels from 1 to {MAX_OUTPUT_SIDE}")]
    Size {
        /// `width` or `height`.
        name: &'static str,
        /// As given.
        value: String,
    },
    /// A reduction that is not offered.
    #[error("scale={value:?} is not offered; 1, 2, 4 and 8 are")]
    Scale {
        /// As given.
        value: String,
    },
    /// Neither grey nor not.
    #[error("grey={value:?} is neither 1 nor 0")]
    Grey {
        /// As given.
        value: String,
    },
    /// No way to decode.
    #[error("decoder={value:?} is neither full nor reduced")]
    Decoder {
        /// As given.
        value: String,
    },
    /// No rectangle.
    #[error("crop={value:?} is not x,y,width,height in whole pixels")]
    Crop {
        /// As given.
        value: String,
    },
    /// A rectangle that is not all inside the frame.
    #[error("crop={crop} leaves the frame of {width}x{height} pixels")]
    OutsideFrame {
        /// As given.
        crop: String,
        /// Of the movie.
        width: u32,
        /// Of the movie.
        height: u32,
    },
    /// A reduction that leaves no pixel.
    #[error("nothing is left of {width}x{height} pixels at scale={scale}")]
    Nothing {
        /// Before the reduction.
        width: u32,
        /// Before the reduction.
        height: u32,
        /// The reduction.
        scale: u32,
    },
    /// A depth that is not offered.
    #[error("depth={value:?} is not offered; 8, 10 and 16 are")]
    Depth {
        /// As given.
        value: String,
    },
    /// A depth that the format has no room for.
    #[error("{format} has no values of {bits} bits: depth=10 is offered for npy, depth=16 for npy and png")]
    DepthOfFormat {
        /// The extension.
        format: &'static str,
        /// The depth.
        bits: u32,
    },
    /// A quality out of range.
    #[error("q={value:?} is not a JPEG quality from 1 to 100")]
    Quality {
        /// As given.
        value: String,
    },
    /// No second of a movie.
    #[error("{text:?} does not begin with a time in seconds, such as 12.5")]
    Time {
        /// What stands there.
        text: String,
    },
    /// No list of frames.
    #[error("{text:?} does not name frames: START-END or START-END/STRIDE, or ?numbers=6,16,26; {problem}")]
    Frames {
        /// What stands there.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Several frames in a format that holds one.
    #[error("several frames are answered as npy only, not as {format}")]
    FramesFormat {
        /// The extension.
        format: String,
    },
    /// Two ways to say how large at once.
    #[error("scale and grey cannot be had together with width and height")]
    SizeAndScale,
}

impl FrameNumber {
    /// Frame `number`, which must not be 0.
    pub fn new(number: u32) -> Result<Self, AddressError> {
        NonZeroU32::new(number).map(Self).ok_or(AddressError::Zero)
    }

    /// As counted by people, from 1.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// As counted by tables, from 0.
    pub fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl Format {
    /// The media type of the answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Bmp => "image/bmp",
            Self::Rgba => "image/x-raw-rgba",
            Self::Raw | Self::Npy => "application/octet-stream",
        }
    }

    /// Whether it is answered only where raw output is allowed.
    pub fn is_raw(self) -> bool {
        matches!(self, Self::Rgba | Self::Raw)
    }

    /// Whether it holds values of this depth.
    pub fn holds(self, depth: Depth) -> bool {
        match depth {
            Depth::Eight => true,
            Depth::Ten => self == Self::Npy,
            Depth::Sixteen => matches!(self, Self::Npy | Self::Png),
        }
    }

    /// The extension that names it, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Bmp => "bmp",
            Self::Rgba => "rgba",
            Self::Raw => "raw",
            Self::Npy => "npy",
        }
    }
}

impl FromStr for Format {
    type Err = AddressError;

    fn from_str(extension: &str) -> Result<Self, AddressError> {
        match extension.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg),
            "bmp" => Ok(Self::Bmp),
            "rgba" => Ok(Self::Rgba),
            "raw" => Ok(Self::Raw),
            "npy" => Ok(Self::Npy),
            _ => Err(AddressError::Format { extension: extension.to_owned() }),
        }
    }
}

impl FrameAddress {
    /// Reads `<movie>` and what stands after `/frame/`: digits, perhaps a fraction (Python clients send floats), perhaps
    /// an extension; png where there is none.
    pub fn parse(movie: &str, frame: &str, rendition: Rendition) -> Result<Self, AddressError> {
        let movie = MoviePath::parse(movie)?;
        let digits = frame.len() - frame.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = frame.split_at(digits);
        let number = number.parse().map_err(|_| AddressError::Number { text: frame.to_owned() })?;
        let number = FrameNumber::new(number)?;
        Self { movie, number, format: format_of(rest, frame)?, rendition }.checked()
    }

    /// Fails where the format cannot hold what the rendition asks for.
    pub fn checked(self) -> Result<Self, AddressError> {
        let Self { format, rendition: Rendition { depth, .. }, .. } = self;
        if format.holds(depth) {
            Ok(self)
        } else {
            Err(AddressError::DepthOfFormat { format: format.extension(), bits: depth.bits() })
        }
    }
}

/// What stands after `/frame/`: `5000.png`.
impl fmt::Display for FrameAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.number, self.format.extension())
    }
}

impl fmt::Display for FrameNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `""`, `.png`, `.7`, `.7.png`.
fn format_of(rest: &str, whole: &str) -> Result<Format, AddressError> {
    let Some(rest) = rest.strip_prefix('.') else {
        return if rest.is_empty() { Ok(Format::Png) } else { Err(AddressError::Number { text: whole.to_owned() }) };
    };
    let fraction = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    match rest.split_once('.') {
        Some((digits, extension)) if fraction(digits) => extension.parse(),
        None if fraction(rest) => Ok(Format::Png),
        _ => rest.parse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(frame: &str) -> Result<(u32, Format), AddressError> {
        FrameAddress::parse("A/X.mov", frame, Rendition::default())
            .map(|address| (address.number.get(), address.format))
    }

    #[test]
    fn frames_are_named_as_old_clients_name_them() {
        let table = [
            ("5000", 5000, Format::Png),
            ("5000.png", 5000, Format::Png),
            ("5000.7.png", 5000, Format::Png),
            ("5000.0", 5000, Format::Png),
            ("5000.", 5000, Format::Png),
            ("1.JPG", 1, Format::Jpeg),
            ("1.jpeg", 1, Format::Jpeg),
            ("1.bmp", 1, Format::Bmp),
            ("1.rgba", 1, Format::Rgba),
            ("1.0.raw", 1, Format::Raw),
            ("1.npy", 1, Format::Npy),
        ];
        for (text, number, format) in table {
            assert_eq!(parse(text), Ok((number, format)), "{text}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert_eq!(parse("0.png"), Err(AddressError::Zero));
        assert_eq!(parse("1.gif"), Err(AddressError::Format { extension: "gif".into() }));
        for text in ["", "png", ".png", "-1.png", "99999999999", "1x.png"] {
            assert_eq!(parse(text), Err(AddressError::Number { text: text.into() }), "{text}");
        }
    }

    #[test]
    fn a_format_holds_only_the_depths_it_has_room_for() {
        let parse =
            |frame: &str, depth| FrameAddress::parse("X.mov", frame, Rendition { depth, ..Rendition::default() });
        for (frame, depth, fits) in [
            ("1.npy", Depth::Ten, true),
            ("1.npy", Depth::Sixteen, true),
            ("1.png", Depth::Sixteen, true),
            ("1.png", Depth::Ten, false),
            ("1.jpg", Depth::Sixteen, false),
            ("1.raw", Depth::Ten, false),
            ("1.jpg", Depth::Eight, true),
        ] {
            assert_eq!(parse(frame, depth).is_ok(), fits, "{frame} {depth:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(movie in "\\PC{0,30}", frame in "\\PC{0,20}") {
            if let Ok(address) = FrameAddress::parse(&movie, &frame, Rendition::default()) {
                let again = FrameAddress::parse(address.movie.as_str(), &address.to_string(), Rendition::default()).unwrap();
                prop_assert_eq!(again, address);
            }
        }
    }
}
