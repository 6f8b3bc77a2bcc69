//! The line a field stands in.
//!
//! The parser knows it only while it reads, so the file is read once more with a visitor that goes down one path and
//! fails on purpose where it ends: the error then carries the parser's own position. That holds for every way YAML can
//! write a mapping.

use std::{cell::Cell, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The line (from 1) of the field at `path`, or of the nearest field around it that is in `text`.
pub(super) fn of(text: &str, path: &str) -> Option<usize> {
    let steps = steps(path);
    (1..=steps.len()).rev().find_map(|length| find(text, &steps[..length]))
}

/// One step down a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// `a.b[2]["c.d"]` as steps. A path is made by this crate; what it cannot be is left out.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = match rest.strip_prefix('[') {
            Some(inner) if inner.starts_with('"') => quoted(inner),
            Some(inner) => {
                let (index, after) = inner.split_once(']').unwrap_or((inner, ""));
                (index.parse().ok().map(Step::Index), after)
            }
            None => {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                (Some(Step::Key(rest[..end].to_owned())), &rest[end..])
            }
        };
        steps.extend(step);
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    steps
}

fn quoted(text: &str) -> (Option<Step>, &str) {
    let mut keys = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let key = keys.next().and_then(Result::ok).map(Step::Key);
    let after = text.get(keys.byte_offset()..).unwrap_or("");
    (key, after.strip_prefix(']').unwrap_or(""))
}

fn find(text: &str, steps: &[Step]) -> Option<usize> {
    let found = Cell::new(false);
    serde_yaml::Deserializer::from_str(text).find_map(|document| {
        let error = Seek { steps, found: &found }.deserialize(document).err()?;
        error.location().filter(|_| found.get()).map(|location| location.line())
    })
}

const STOP: &str = "found";

/// Goes down the steps, and stops with an error at their end.
struct Seek<'a> {
    steps: &'a [Step],
    found: &'a Cell<bool>,
}

impl Seek<'_> {
    fn stop<E: de::Error>(&self) -> E {
        self.found.set(true);
        E::custom(STOP)
    }

    /// A scalar: it is where the steps end, or they lead nowhere.
    fn scalar<E: de::Error>(&self) -> Result<(), E> {
        if self.steps.is_empty() { Err(self.stop()) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.steps.split_first() else { return Err(self.stop()) };
        let wanted = |last| Key { step, last, found: self.found };
        while let Some(is_it) = map.next_key_seed(wanted(rest.is_empty()))? {
            if is_it {
                map.next_value_seed(Seek { steps: rest, found: self.found })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.steps.split_first() else { return Err(self.stop()) };
        if let Step::Index(index) = step {
            for _ in 0..*index {
                items.next_element::<IgnoredAny>()?;
            }
            items.next_element_seed(Seek { steps: rest, found: self.found })?;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.scalar()
    }
}

/// Compares a key; at the last step the key itself is where the reading stops.
struct Key<'a> {
    step: &'a Step,
    last: bool,
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        let is_it = matches!(self.step, Step::Key(wanted) if wanted == key);
        if is_it && self.last {
            self.found.set(true);
            return Err(E::custom(STOP));
        }
        Ok(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a comment
a: 1
b:
  c: {d: 2,
      e.f: 3}
  g:
    - x
    - h: 4
      i: 5
";

    #[test]
    fn a_field_is_found_in_every_way_of_writing() {
        let lines =
            ["a", "b", "b.c", "b.c.d", "b.c[\"e.f\"]", "b.g[0]", "b.g[1]", "b.g[1].i"].map(|path| of(TEXT, path));
        assert_eq!(lines, [2, 3, 4, 4, 5, 7, 8, 9].map(Some));
    }

    #[test]
    fn a_missing_field_is_sought_around() {
        assert_eq!(of(TEXT, "b.c.missing.deeper"), Some(4));
        assert_eq!(of(TEXT, "b.g[7]"), Some(6));
        assert_eq!(of(TEXT, "missing"), None);
        assert_eq!(of("a: [", "a"), Some(1));
    }
}
