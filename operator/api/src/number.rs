//! The two fields that are a number or a word.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many movies one index of the Indexed Job handles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ItemsPerIndex {
    /// As the analysis's cost model says.
    #[default]
    Auto,
    /// So many, 1 to 1,000.
    Count(u32),
}

/// How many movies may fail before the run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxFailedItems {
    /// So many.
    Count(u32),
    /// This share of the selected movies, 0 to 100 %.
    Percent(u8),
}

impl MaxFailedItems {
    /// How many of `total` movies may fail. A share is rounded up, so that 1 % of 20 movies still lets one fail.
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Count(count) => u64::from(count),
            Self::Percent(percent) => total.saturating_mul(u64::from(percent)).div_ceil(100),
        }
    }
}

impl Default for MaxFailedItems {
    fn default() -> Self {
        Self::Percent(1)
    }
}

impl Serialize for ItemsPerIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("Auto"),
            Self::Count(count) => serializer.serialize_u32(*count),
        }
    }
}

impl Serialize for MaxFailedItems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::Percent(percent) => serializer.collect_str(&format_args!("{percent}%")),
        }
    }
}

impl<'de> Deserialize<'de> for ItemsPerIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = |text: &str| (text == "Auto").then_some(Self::Auto);
        deserializer.deserialize_any(NumberOr { expected: "Auto or a number of movies", count: Self::Count, word })
    }
}

impl<'de> Deserialize<'de> for MaxFailedItems {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word =
            |text: &str| text.strip_suffix('%')?.parse().ok().filter(|percent| *percent <= 100).map(Self::Percent);
        deserializer.deserialize_any(NumberOr {
            expected: "a number of movies, or a share such as \"1%\"",
            count: Self::Count,
            word,
        })
    }
}

struct NumberOr<T, W: Fn(&str) -> Option<T>> {
    expected: &'static str,
    count: fn(u32) -> T,
    word: W,
}

impl<T, W: Fn(&str) -> Option<T>> de::Visitor<'_> for NumberOr<T, W> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.word)(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self.expected))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        let out_of_range = |_| E::invalid_value(de::Unexpected::Unsigned(number), &self.expected);
        u32::try_from(number).map(self.count).map_err(out_of_range)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        let out_of_range = |_| E::invalid_value(de::Unexpected::Signed(number), &self.expected);
        u32::try_from(number).map(self.count).map_err(out_of_range)
    }
}

impl JsonSchema for ItemsPerIndex {
    fn schema_name() -> Cow<'static, str> {
        "ItemsPerIndex".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "minimum": 1,
            "maximum": 1000,
            "maxLength": 4,
            "pattern": "^Auto$",
        })
    }
}

impl JsonSchema for MaxFailedItems {
    fn schema_name() -> Cow<'static, str> {
        "MaxFailedItems".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "minimum": 0,
            "maximum": 10_000_000,
            "maxLength": 4,
            "pattern": "^(100|[1-9]?[0-9])%$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up() {
        let allowed: Vec<u64> = [0, 1, 20, 100, 101, 248].map(|total| MaxFailedItems::Percent(1).of(total)).into();
        assert_eq!(allowed, [0, 1, 1, 1, 2, 3]);
        assert_eq!(MaxFailedItems::Percent(0).of(u64::MAX), 0);
        assert_eq!(MaxFailedItems::Count(5).of(2), 5);
    }

    #[test]
    fn numbers_and_words_survive_a_round_trip() {
        for json in ["\"Auto\"", "1", "1000"] {
            let value: ItemsPerIndex = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
        for json in ["\"0%\"", "\"100%\"", "7"] {
            let value: MaxFailedItems = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
    }

    #[test]
    fn other_words_are_refused() {
        for json in ["\"auto\"", "\"1\"", "-1", "4294967296", "true"] {
            assert!(serde_json::from_str::<ItemsPerIndex>(json).is_err(), "{json}");
        }
        for json in ["\"101%\"", "\"1\"", "\"%\"", "-1"] {
            assert!(serde_json::from_str::<MaxFailedItems>(json).is_err(), "{json}");
        }
    }
}
