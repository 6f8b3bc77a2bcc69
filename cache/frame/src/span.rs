//! Several frames at once (`frames/10-500/10.npy`, `frames.npy?numbers=6,16,26`), and a frame by its time (`time/12.5.png`).

use std::str::FromStr;

use crate::address::{AddressError, Format, FrameNumber};

/// The most frames one answer may name.
pub const MAX_FRAMES: usize = 10_000;

/// Frames in the order they are answered in. Never empty, never more than [`MAX_FRAMES`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Span(Vec<FrameNumber>);

/// A second of a movie, and how its frame is answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Seconds from the movie's beginning.
    pub seconds: f64,
    /// How the frame is answered.
    pub format: Format,
}

impl Span {
    /// Reads what stands after `/frames/`: `START-END.npy` or `START-END/STRIDE.npy`; both ends count.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fail = |problem| AddressError::Frames { text: text.to_owned(), problem };
        let (range, stride) = match text.split_once('/') {
            Some((range, stride)) => {
                (range, number(without_extension(stride)?).ok_or(fail("the stride is no number"))?)
            }
            None => (without_extension(text)?, 1),
        };
        let (start, end) = range.split_once('-').ok_or(fail("there is no START-END"))?;
        let (start, end) = number(start).zip(number(end)).ok_or(fail("START or END is no number"))?;
        if stride == 0 || start > end {
            return Err(fail("END is before START, or the stride is 0"));
        }
        if (end - start) as usize / stride as usize >= MAX_FRAMES {
            return Err(fail("these are more frames than one answer may hold"));
        }
        (start..=end).step_by(stride as usize).map(FrameNumber::new).collect::<Result<_, _>>().map(Self)
    }

    /// Reads `6,16,26`: in any order, repeated if need be.
    pub fn listed(text: &str) -> Result<Self, AddressError> {
        let fail = |problem| AddressError::Frames { text: text.to_owned(), problem };
        let numbers = text.split(',').map(|part| number(part.trim()).ok_or(fail("a part is no number")));
        let numbers = numbers.take(MAX_FRAMES + 1).collect::<Result<Vec<_>, _>>()?;
        if numbers.len() > MAX_FRAMES {
            return Err(fail("these are more frames than one answer may hold"));
        }
        numbers.into_iter().map(FrameNumber::new).collect::<Result<_, _>>().map(Self)
    }

    /// The frames, in order.
    pub fn numbers(&self) -> &[FrameNumber] {
        &self.0
    }
}

/// Reads what stands after `/time/`: seconds, perhaps with a fraction, perhaps an extension; png where there is none.
impl FromStr for Moment {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (seconds, format) = match text.rsplit_once('.') {
            // `12.5`: the last part is a fraction, not an extension.
            Some((_, fraction)) if fraction.chars().all(|c| c.is_ascii_digit()) => (text, Format::Png),
            Some((seconds, extension)) => (seconds, extension.parse()?),
            None => (text, Format::Png),
        };
        let plain = seconds.starts_with(|c: char| c.is_ascii_digit())
            && seconds.chars().all(|c| c.is_ascii_digit() || c == '.');
        match seconds.parse() {
            Ok(seconds) if plain => Ok(Self { seconds, format }),
            _ => Err(AddressError::Time { text: text.to_owned() }),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn without_extension(text: &str) -> Result<&str, AddressError> {
    match text.rsplit_once('.') {
        Some((rest, extension)) if extension.eq_ignore_ascii_case("npy") => Ok(rest),
        Some((_, extension)) => Err(AddressError::FramesFormat { format: extension.to_owned() }),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(span: Result<Span, AddressError>) -> Vec<u32> {
        span.unwrap().numbers().iter().map(|number| number.get()).collect()
    }

    #[test]
    fn a_span_counts_both_ends_and_keeps_its_stride() {
        assert_eq!(numbers(Span::parse("3-5.npy")), [3, 4, 5]);
        assert_eq!(numbers(Span::parse("3-3")), [3]);
        assert_eq!(numbers(Span::parse("6-36/10.npy")), [6, 16, 26, 36]);
        assert_eq!(numbers(Span::parse("6-35/10")), [6, 16, 26]);
        assert_eq!(numbers(Span::listed("26,6, 16,6")), [26, 6, 16, 6]);
        assert_eq!(numbers(Span::parse("1-10000")).len(), MAX_FRAMES);
    }

    #[test]
    fn what_names_no_frames_is_refused() {
        for text in ["", "5", "5-3", "1-2/0", "a-b", "1-2/x", "-1-2", "1-10001", "1-4294967295", "+1-2"] {
            assert!(matches!(Span::parse(text), Err(AddressError::Frames { .. })), "{text}");
        }
        assert_eq!(Span::parse("0-3"), Err(AddressError::Zero));
        assert_eq!(Span::parse("1-3.png"), Err(AddressError::FramesFormat { format: "png".into() }));
        for text in ["", "1,,2", "1;2", "x"] {
            assert!(matches!(Span::listed(text), Err(AddressError::Frames { .. })), "{text}");
        }
        assert!(Span::listed(&vec!["1"; MAX_FRAMES + 1].join(",")).is_err());
    }

    #[test]
    fn a_moment_is_seconds_and_an_extension() {
        for (text, seconds, format) in [
            ("12.5.png", 12.5, Format::Png),
            ("12.5", 12.5, Format::Png),
            ("12", 12.0, Format::Png),
            ("12.jpg", 12.0, Format::Jpeg),
            ("0.npy", 0.0, Format::Npy),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap(), Moment { seconds, format }, "{text}");
        }
        for text in ["", ".5", "-1", "1e3.png", "inf", "nan.png", "1.2.3"] {
            assert!(
                matches!(text.parse::<Moment>(), Err(AddressError::Time { .. } | AddressError::Format { .. })),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_names_frames_or_is_an_error(text in "[0-9,./ -]{0,16}|\\PC{0,16}") {
            for span in [Span::parse(&text), Span::listed(&text)].into_iter().flatten() {
                prop_assert!((1..=MAX_FRAMES).contains(&span.numbers().len()));
            }
            if let Ok(moment) = text.parse::<Moment>() {
                prop_assert!(moment.seconds >= 0.0);
            }
        }
    }
}
