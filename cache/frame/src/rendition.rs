//! How the pixels of a frame are wanted, as the query says it: `width` and `height` of old clients, `scale` and `grey`.

use std::fmt;

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

/// How the pixels of a frame are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rendition {
    /// Scaled to this size; `None` = as it is.
    pub size: Option<OutputSize>,
    /// Reduced so; excludes `size`.
    pub scale: Scale,
    /// Brightness only; excludes `size`.
    pub grey: bool,
    /// How a reduced grey image is made; of no effect elsewhere.
    pub decoder: Decoder,
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

impl Rendition {
    /// The query beyond the old one: `scale` and `grey` are whole-number words, empty ones count as absent.
    pub fn from_query(size: Option<OutputSize>, scale: Option<&str>, grey: Option<&str>) -> Result<Self, AddressError> {
        let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(String::from);
        let scale = match given(scale) {
            Some(value) => value.parse().ok().and_then(Scale::new).ok_or(AddressError::Scale { value })?,
            None => Scale::default(),
        };
        let grey = match given(grey).as_deref() {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(other) => return Err(AddressError::Grey { value: other.to_owned() }),
        };
        if size.is_some() && (grey || scale != Scale::default()) {
            return Err(AddressError::SizeAndScale);
        }
        Ok(Self { size, scale, grey, ..Self::default() })
    }

    /// Grey at `1/scale` of the size.
    pub fn grey(scale: Scale) -> Self {
        Self { scale, grey: true, ..Self::default() }
    }
}

/// The query that asks for it, without a question mark; empty for a frame as it is.
impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(OutputSize { width, height }) = self.size {
            parts.push(format!("width={width}&height={height}"));
        }
        if self.grey {
            parts.push("grey=1".to_owned());
        }
        if self.scale != Scale::default() {
            parts.push(format!("scale={}", self.scale.0));
        }
        if self.decoder != Decoder::default() {
            parts.push(format!("decoder={}", self.decoder));
        }
        f.write_str(&parts.join("&"))
    }
}

fn side(name: &'static str, value: Option<&str>) -> Result<Option<u32>, AddressError> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return Ok(None) };
    match value.parse::<u32>() {
        Ok(0) => Ok(None),
        Ok(pixels) if pixels <= MAX_OUTPUT_SIDE => Ok(Some(pixels)),
        _ => Err(AddressError::Size { name, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: OutputSize = OutputSize { width: 480, height: 270 };

    #[test]
    fn a_size_needs_both_sides_and_zero_or_nothing_is_full_size() {
        let size = |width, height| OutputSize::from_query(width, height);
        assert_eq!(size(Some("480"), Some("270")), Ok(Some(SMALL)));
        for (width, height) in [(None, None), (Some(""), Some("")), (Some("0"), Some("0")), (Some("480"), None)] {
            assert_eq!(size(width, height), Ok(None));
        }
        assert!(size(Some("x"), Some("1")).is_err() && size(Some("9000"), Some("1")).is_err());
    }

    #[test]
    fn grey_and_scale_are_read_and_written_alike() {
        let rendition = |scale, grey| Rendition::from_query(None, scale, grey);
        assert_eq!(rendition(Some("4"), Some("1")), Ok(Rendition::grey(Scale(4))));
        assert_eq!(rendition(Some(""), Some("")), Ok(Rendition::default()));
        assert_eq!(Rendition::grey(Scale(4)).to_string(), "grey=1&scale=4");
        assert_eq!(Rendition { size: Some(SMALL), ..Rendition::default() }.to_string(), "width=480&height=270");
        assert_eq!(Rendition::default().to_string(), "");
        let reduced = Rendition { decoder: Decoder::Reduced, ..Rendition::grey(Scale(4)) };
        assert_eq!(reduced.to_string(), "grey=1&scale=4&decoder=reduced");
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        for scale in ["0", "3", "16", "-4", "4.0", "x"] {
            assert_eq!(
                Rendition::from_query(None, Some(scale), None),
                Err(AddressError::Scale { value: scale.into() })
            );
        }
        assert_eq!(Rendition::from_query(None, None, Some("2")), Err(AddressError::Grey { value: "2".into() }));
        assert_eq!(Rendition::from_query(Some(SMALL), Some("2"), None), Err(AddressError::SizeAndScale));
        assert_eq!(Rendition::from_query(Some(SMALL), None, Some("1")), Err(AddressError::SizeAndScale));
    }
}
