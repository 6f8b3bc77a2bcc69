//! Which of the ways from a packet to a small grey image is asked for.

use std::fmt;

use crate::address::AddressError;

/// How a grey image at 1/2, 1/4 or 1/8 of the size is made. Their pixels differ by little, but they differ: whoever
/// compares results must know which it was. Where the frame itself is wanted, or colours, there is only one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Decoder {
    /// The whole frame is decoded; every pixel is the mean of a square of it.
    #[default]
    Full,
    /// Of ProRes only the lowest frequencies are read: 5 to 50 times as fast. Other codecs are decoded in full.
    Reduced,
}

impl Decoder {
    /// The word of a query; an empty one counts as absent.
    pub fn from_query(text: Option<&str>) -> Result<Self, AddressError> {
        match text.map(str::trim) {
            None | Some("" | "full") => Ok(Self::Full),
            Some("reduced") => Ok(Self::Reduced),
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
    fn a_decoder_is_read_as_it_is_written_and_the_full_one_is_meant_where_none_is_named() {
        for decoder in [Decoder::Full, Decoder::Reduced] {
            assert_eq!(Decoder::from_query(Some(&decoder.to_string())), Ok(decoder));
        }
        assert_eq!([Decoder::from_query(None), Decoder::from_query(Some(" "))], [Ok(Decoder::Full), Ok(Decoder::Full)]);
        assert_eq!(Decoder::from_query(Some("fast")), Err(AddressError::Decoder { value: "fast".into() }));
    }
}
