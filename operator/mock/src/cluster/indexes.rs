//! Sets of indexes as Jobs write them: `0-4,7,9-11`.

use std::collections::BTreeSet;

/// The set as text.
pub(crate) fn text(indexes: &BTreeSet<u32>) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut range: Option<(u32, u32)> = None;
    for index in indexes {
        range = match range {
            Some((first, last)) if last + 1 == *index => Some((first, *index)),
            other => {
                parts.extend(other.map(part));
                Some((*index, *index))
            }
        };
    }
    parts.extend(range.map(part));
    parts.join(",")
}

fn part((first, last): (u32, u32)) -> String {
    match last - first {
        0 => first.to_string(),
        // Two in a row are written as two, as the job controller does.
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_a_row_are_a_range() {
        for (indexes, expected) in
            [(vec![], ""), (vec![3], "3"), (vec![0, 1], "0,1"), (vec![0, 1, 2, 4, 6, 7, 8, 9], "0-2,4,6-9")]
        {
            assert_eq!(text(&indexes.into_iter().collect()), expected);
        }
    }
}
