//! Sizes as people and Kubernetes write them: `500000`, `64MiB`, `10Gi`, `2 GB`.

use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size: bytes, or a number with k, M, G, T, Ki, Mi, Gi, Ti, and B or not");
        let text_of_number = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
        let unit = text.trim()[text_of_number.len()..].trim().to_ascii_lowercase();
        let factor: u64 = match unit.trim_end_matches('b') {
            "" => 1,
            "k" => 1000,
            "m" => 1000_u64.pow(2),
            "g" => 1000_u64.pow(3),
            "t" => 1000_u64.pow(4),
            "ki" => 1 << 10,
            "mi" => 1 << 20,
            "gi" => 1 << 30,
            "ti" => 1 << 40,
            _ => return Err(wrong()),
        };
        if let Ok(whole) = text_of_number.parse::<u64>() {
            return whole.checked_mul(factor).map(Self).ok_or_else(wrong);
        }
        let number: f64 = text_of_number.parse().map_err(|_| wrong())?;
        let bytes = number * factor as f64;
        if (0.0..u64::MAX as f64).contains(&bytes) { Ok(Self(bytes as u64)) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_the_units_of_people_and_of_kubernetes() {
        for (text, bytes) in [
            ("0", 0),
            ("123456", 123_456),
            ("64MiB", 64 << 20),
            ("10Gi", 10 << 30),
            ("2 GB", 2_000_000_000),
            ("1.5k", 1500),
            ("1T", 1_000_000_000_000),
            ("5b", 5),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "x", "-1", "1X", "1e99", "NaN", "99999999999Ti"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
