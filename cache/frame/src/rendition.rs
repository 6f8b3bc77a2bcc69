//! How the pixels of a frame are wanted, as the query says it: `width` and `height` of old clients, and what is beyond v1.
//!
//! Applied in this order: `crop` (in pixels of the movie), then `scale` or `width` and `height`, then `depth`, then the
//! format with its quality `q`.

use std::{fmt, str::FromStr};

use crate::{address::AddressError, decoder::Decoder};

/// The largest width or height an answer may have, in pixels.
pub const MAX_OUTPUT_SIDE: u32 = 8192;

/// The size an answer is scaled to, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutputSize {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A reduction by a whole number in both directions, every pixel the mean of a square: 1 (none), 2, 4 or 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scale(u32);

/// A part of a frame, in pixels of the movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crop {
    /// Pixels left of it.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Its width, at least 1.
    pub width: u32,
    /// Its height, at least 1.
    pub height: u32,
}

/// How many bits a value of an answer has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 0-255, one byte.
    #[default]
    Eight,
    /// 0-1023, two bytes: what a 10-bit movie holds, nothing rounded away. `NumPy` arrays only.
    Ten,
    /// 0-65535, two bytes: the same values spread over the whole range. PNG and `NumPy` arrays only.
    Sixteen,
}

/// The quality of a JPEG, 1-100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quality(u8);

/// How the pixels of a frame are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rendition {
    /// Only this part; `None` = all of it.
    pub crop: Option<Crop>,
    /// Scaled to this size; `None` = as it is.
    pub size: Option<OutputSize>,
    /// Reduced so; excludes `size`.
    pub scale: Scale,
    /// Brightness only; excludes `size`.
    pub grey: bool,
    /// How what is smaller than the frame is made; see [`Rendition::may_be_reduced`].
    pub decoder: Decoder,
    /// Bits a value.
    pub depth: Depth,
    /// Quality, where the format has one.
    pub quality: Quality,
}

/// The words of a query, as they came. Empty ones count as absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct RenditionQuery<'a> {
    /// `width` (or the old header).
    pub width: Option<&'a str>,
    /// `height` (or the old header).
    pub height: Option<&'a str>,
    /// `scale`.
    pub scale: Option<&'a str>,
    /// `grey`.
    pub grey: Option<&'a str>,
    /// `decoder`.
    pub decoder: Option<&'a str>,
    /// `crop`.
    pub crop: Option<&'a str>,
    /// `depth`.
    pub depth: Option<&'a str>,
    /// `q`.
    pub q: Option<&'a str>,
}

impl OutputSize {
    /// The old query: both must be given; a missing, empty or zero one means full size.
    pub fn from_query(width: Option<&str>, height: Option<&str>) -> Result<Option<Self>, AddressError> {
        let (width, height) = (side("width", width)?, side("height", height)?);
        Ok(width.zip(height).map(|(width, height)| Self { width, height }))
    }
}

impl Scale {
    /// A reduction by `factor`; `None` for one that is not offered.
    pub fn new(factor: u32) -> Option<Self> {
        matches!(factor, 1 | 2 | 4 | 8).then_some(Self(factor))
    }

    /// How many pixels of a row become one.
    pub fn factor(self) -> u32 {
        self.0
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self(1)
    }
}

impl Quality {
    /// What is given where none is asked for.
    pub const DEFAULT: Self = Self(85);

    /// A quality of 1-100; `None` for another.
    pub fn new(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    /// 1-100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Quality {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Depth {
    /// 8, 10 or 16.
    pub fn bits(self) -> u32 {
        match self {
            Self::Eight => 8,
            Self::Ten => 10,
            Self::Sixteen => 16,
        }
    }
}

/// `x,y,width,height`.
impl FromStr for Crop {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let numbers: Option<Vec<u32>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[x, y, width, height]) if width > 0 && height > 0 => Ok(Self { x, y, width, height }),
            _ => Err(AddressError::Crop { value: text.to_owned() }),
        }
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.width, self.height)
    }
}

impl Rendition {
    /// Whether it is the whole frame in its own size.
    pub fn is_whole(&self) -> bool {
        self.crop.is_none() && self.size.is_none() && self.scale == Scale::default()
    }

    /// Whether the reduced decoder can make it, so far as the size of the movie and its codec allow: all of the frame, smaller,
    /// in 8 bits. Else `decoder` is of no effect.
    pub fn may_be_reduced(&self) -> bool {
        let smaller = self.size.is_some() || self.scale != Scale::default();
        smaller && self.crop.is_none() && self.depth == Depth::Eight
    }

    /// What the query asks for. Where it names no decoder, what may be reduced is.
    pub fn from_query(query: &RenditionQuery<'_>) -> Result<Self, AddressError> {
        let size = OutputSize::from_query(query.width, query.height)?;
        let scale = match given(query.scale) {
            Some(text) => {
                text.parse().ok().and_then(Scale::new).ok_or(AddressError::Scale { value: text.to_owned() })?
            }
            None => Scale::default(),
        };
        let grey = match given(query.grey) {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(other) => return Err(AddressError::Grey { value: other.to_owned() }),
        };
        if size.is_some() && (grey || scale != Scale::default()) {
            return Err(AddressError::SizeAndScale);
        }
        let crop = given(query.crop).map(str::parse).transpose()?;
        let decoder = Decoder::from_query(query.decoder)?.unwrap_or(Decoder::Reduced);
        let rendition =
            Self { crop, size, scale, grey, decoder, depth: depth(query.depth)?, quality: quality(query.q)? };
        Ok(if rendition.may_be_reduced() { rendition } else { Self { decoder: Decoder::Full, ..rendition } })
    }

    /// Grey at `1/scale` of the size.
    pub fn grey(scale: Scale) -> Self {
        Self { scale, grey: true, ..Self::default() }
    }

    /// Width and height of the answer for a movie of `width` x `height` pixels; an error where the crop leaves the frame
    /// or nothing is left of it.
    pub fn output_size(&self, width: u32, height: u32) -> Result<OutputSize, AddressError> {
        let (mut inner_width, mut inner_height) = (width, height);
        if let Some(crop) = self.crop {
            let fits = |start: u32, length: u32, whole: u32| start.checked_add(length).is_some_and(|end| end <= whole);
            if !fits(crop.x, crop.width, width) || !fits(crop.y, crop.height, height) {
                return Err(AddressError::OutsideFrame { crop: crop.to_string(), width, height });
            }
            (inner_width, inner_height) = (crop.width, crop.height);
        }
        if let Some(size) = self.size {
            return Ok(size);
        }
        let size = OutputSize { width: inner_width / self.scale.0, height: inner_height / self.scale.0 };
        if size.width == 0 || size.height == 0 {
            return Err(AddressError::Nothing { width: inner_width, height: inner_height, scale: self.scale.0 });
        }
        Ok(size)
    }
}

/// The query that asks for it, without a question mark; empty for a frame as it is.
impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(OutputSize { width, height }) = self.size {
            parts.push(format!("width={width}&height={height}"));
        }
        if let Some(crop) = self.crop {
            parts.push(format!("crop={crop}"));
        }
        if self.grey {
            parts.push("grey=1".to_owned());
        }
        if self.scale != Scale::default() {
            parts.push(format!("scale={}", self.scale.0));
        }
        if self.may_be_reduced() {
            parts.push(format!("decoder={}", self.decoder));
        }
        if self.depth != Depth::Eight {
            parts.push(format!("depth={}", self.depth.bits()));
        }
        if self.quality != Quality::DEFAULT {
            parts.push(format!("q={}", self.quality.0));
        }
        f.write_str(&parts.join("&"))
    }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn depth(text: Option<&str>) -> Result<Depth, AddressError> {
    match given(text) {
        None | Some("8") => Ok(Depth::Eight),
        Some("10") => Ok(Depth::Ten),
        Some("16") => Ok(Depth::Sixteen),
        Some(other) => Err(AddressError::Depth { value: other.to_owned() }),
    }
}

fn quality(text: Option<&str>) -> Result<Quality, AddressError> {
    let Some(text) = given(text) else { return Ok(Quality::DEFAULT) };
    text.parse().ok().and_then(Quality::new).ok_or(AddressError::Quality { value: text.to_owned() })
}

/// Old Python clients send floats here, too: the whole part counts.
fn side(name: &'static str, value: Option<&str>) -> Result<Option<u32>, AddressError> {
    let Some(value) = given(value) else { return Ok(None) };
    let whole = value
        .split_once('.')
        .map_or(value, |(whole, fraction)| if fraction.chars().all(|c| c.is_ascii_digit()) { whole } else { value });
    match whole.parse::<u32>() {
        Ok(0) => Ok(None),
        Ok(pixels) if pixels <= MAX_OUTPUT_SIDE => Ok(Some(pixels)),
        _ => Err(AddressError::Size { name, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: OutputSize = OutputSize { width: 480, height: 270 };

    fn read(query: &RenditionQuery<'_>) -> Result<Rendition, AddressError> {
        Rendition::from_query(query)
    }

    #[test]
    fn a_size_needs_both_sides_and_zero_or_nothing_is_full_size() {
        let size = |width, height| OutputSize::from_query(width, height);
        assert_eq!(size(Some("480"), Some("270")), Ok(Some(SMALL)));
        assert_eq!(size(Some("480.0"), Some("270.5")), Ok(Some(SMALL)), "floats, as Python sends them");
        for (width, height) in [
            (None, None),
            (Some(""), Some("")),
            (Some("0"), Some("0")),
            (Some("0.0"), Some("270")),
            (Some("480"), None),
        ] {
            assert_eq!(size(width, height), Ok(None));
        }
        for wrong in ["x", "9000", "-1", "1.x", ".5"] {
            assert!(size(Some(wrong), Some("1")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_read_is_written_alike() {
        for text in [
            "",
            "width=480&height=270&decoder=reduced",
            "crop=1,2,3,4",
            "crop=1,2,3,4&scale=2",
            "scale=8&decoder=full",
            "grey=1&scale=4&decoder=reduced",
            "scale=2&depth=10",
            "depth=16",
            "q=1",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("scale=4&grey=1&decoder=full").unwrap(), Rendition::grey(Scale(4)));
        for text in ["scale=&grey=&crop=&depth=&q=", "grey=0&depth=8&q=85&scale=1", "width=0&height=&decoder=full"] {
            assert_eq!(parse(text).unwrap(), Rendition::default(), "{text}");
        }
    }

    #[test]
    fn what_is_smaller_than_the_frame_is_reduced_unless_the_full_decoder_is_named() {
        let decoder = |text: &str| parse(text).unwrap().decoder;
        for text in ["scale=4", "grey=1&scale=2", "width=480&height=270", "scale=8&decoder=reduced&q=1"] {
            assert_eq!(decoder(text), Decoder::Reduced, "{text}");
            let full = format!("{text}&decoder=full");
            assert_eq!(decoder(&full), Decoder::Full, "{full}");
        }
        for text in ["", "grey=1", "decoder=reduced", "scale=2&crop=0,0,8,8", "scale=4&depth=10", "width=480&height="] {
            assert_eq!(decoder(text), Decoder::Full, "{text}");
        }
    }

    /// The words of `a=b&c=d`.
    fn parse(text: &str) -> Result<Rendition, AddressError> {
        let mut query = RenditionQuery::default();
        for (name, value) in text.split('&').filter_map(|part| part.split_once('=')) {
            let place = match name {
                "width" => &mut query.width,
                "height" => &mut query.height,
                "scale" => &mut query.scale,
                "grey" => &mut query.grey,
                "decoder" => &mut query.decoder,
                "crop" => &mut query.crop,
                "depth" => &mut query.depth,
                _ => &mut query.q,
            };
            *place = Some(value);
        }
        read(&query)
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        for scale in ["0", "3", "16", "-4", "4.0", "x"] {
            let refused = read(&RenditionQuery { scale: Some(scale), ..RenditionQuery::default() });
            assert_eq!(refused, Err(AddressError::Scale { value: scale.into() }));
        }
        assert_eq!(parse("grey=2"), Err(AddressError::Grey { value: "2".into() }));
        assert_eq!(parse("width=480&height=270&scale=2"), Err(AddressError::SizeAndScale));
        assert_eq!(parse("width=480&height=270&grey=1"), Err(AddressError::SizeAndScale));
        for text in ["crop=1,2,3", "crop=1,2,0,4", "crop=a", "crop=1,2,3,4,5", "crop=-1,0,2,2"] {
            assert!(matches!(parse(text), Err(AddressError::Crop { .. })), "{text}");
        }
        for text in ["depth=12", "depth=x", "q=0", "q=101", "q=x", "q=-1"] {
            assert!(matches!(parse(text), Err(AddressError::Depth { .. } | AddressError::Quality { .. })), "{text}");
        }
    }

    #[test]
    fn the_size_of_the_answer_is_known_beforehand() {
        let size = |text: &str| parse(text).unwrap().output_size(100, 50);
        let of = |width, height| Ok(OutputSize { width, height });
        assert_eq!(size(""), of(100, 50));
        assert_eq!(size("scale=8"), of(12, 6));
        assert_eq!(size("crop=90,40,10,10"), of(10, 10));
        assert_eq!(size("crop=0,0,10,10&scale=4"), of(2, 2));
        assert_eq!(size("crop=0,0,10,10&width=480&height=270"), Ok(SMALL));
        for outside in ["crop=91,0,10,10", "crop=0,41,10,10", "crop=4294967295,0,10,10"] {
            assert!(matches!(size(outside), Err(AddressError::OutsideFrame { .. })), "{outside}");
        }
        assert!(matches!(size("crop=0,0,7,10&scale=8"), Err(AddressError::Nothing { .. })));
    }

    proptest! {
        #[test]
        fn any_query_is_a_rendition_or_an_error(words in prop::collection::vec(prop::option::of("\\PC{0,12}"), 8)) {
            let word = |at: usize| words[at].as_deref();
            let query = RenditionQuery {
                width: word(0), height: word(1), scale: word(2), grey: word(3), crop: word(4), depth: word(5), q: word(6),
                decoder: word(7),
            };
            if let Ok(rendition) = read(&query) {
                prop_assert_eq!(parse(&rendition.to_string()), Ok(rendition));
            }
        }
    }
}
