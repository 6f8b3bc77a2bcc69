//! The index lists of an Indexed Job's status, such as `0-4,7,9-12`: how many, and which.

use std::ops::RangeInclusive;

/// Indexes in ascending, disjoint ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes(Vec<RangeInclusive<u32>>);

impl Indexes {
    /// Reads `completedIndexes` or `failedIndexes` of a Job's status. What is no number is passed over: a newer API
    /// server may write more than this release knows, and counts are shown, not acted on blindly.
    pub fn parse(text: &str) -> Self {
        let mut ranges: Vec<_> = text.split(',').filter_map(range).collect();
        ranges.sort_unstable_by_key(|range| *range.start());
        Self(ranges)
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|range| range.end() - range.start() + 1).sum()
    }

    /// Whether `index` is one of them.
    pub fn contains(&self, index: u32) -> bool {
        let at = self.0.partition_point(|range| *range.end() < index);
        self.0.get(at).is_some_and(|range| range.contains(&index))
    }

    /// All of them, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().cloned().flatten()
    }
}

fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.trim().split_once('-').unwrap_or((text.trim(), text.trim()));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last < u32::MAX).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_indexes_are_counted() {
        let indexes = Indexes::parse("0-4,7,9-12");
        assert_eq!(indexes.count(), 10);
        assert_eq!(
            [0, 4, 5, 7, 8, 12, 13].map(|index| indexes.contains(index)),
            [true, true, false, true, false, true, false]
        );
    }

    #[test]
    fn nothing_and_nonsense_are_none() {
        for text in ["", ",", "x", "3-1", "-1", "4294967295"] {
            assert_eq!(Indexes::parse(text).count(), 0, "{text}");
        }
    }
}
