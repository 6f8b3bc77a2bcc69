//! Which of the ways from a packet to a small image is asked for.

use std::fmt;

use crate::address::AddressError;

/// How a frame that is wanted smaller is made. The pixels of the two differ by little, but they differ: whoever compares results
/// must know which it was. Where the frame itself is wanted, or a part of it, or more than 8 bits, there is only one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Decoder {
    /// The whole frame is decoded, then made smaller.
    #[default]
    Full,
    /// Of ProRes only the lowest frequencies are read: many times as fast. Other codecs are decoded in full.
    Reduced,
}

impl Decoder {
    /// The word of a query; `None` where there is none, or an empty one.
    pub fn from_query(text: Option<&str>) -> Result<Option<Self>, AddressError> {
        match text.map(str::trim) {
            None | Some("") => Ok(None),
            Some("full") => Ok(Some(Self::Full)),
            Some("reduced") => Ok(Some(Self::Reduced)),
            Some(other) => Err(AddressError::Decoder { value: other.to_owned() }),
        }
    }
}

impl fmt::Display for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Reduced => "reduced",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_is_read_as_it_is_written() {
        for decoder in [Decoder::Full, Decoder::Reduced] {
            assert_eq!(Decoder::from_query(Some(&decoder.to_string())), Ok(Some(decoder)));
        }
        assert_eq!([Decoder::from_query(None), Decoder::from_query(Some(" "))], [Ok(None), Ok(None)]);
        assert_eq!(Decoder::from_query(Some("fast")), Err(AddressError::Decoder { value: "fast".into() }));
    }
}
