//! The name that was meant.

/// The name nearest to `given`, when it is near enough to have been meant.
pub fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    let distance_to = |name: &'a str| (distance(&lower, &name.to_lowercase()), name);
    let (distance, name) = names.map(distance_to).min()?;
    let letters = given.chars().count().max(name.chars().count());
    (distance <= 1.max(letters / 3)).then_some(name)
}

/// Levenshtein's distance: how many letters are put in, left out or changed.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let changed = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_the_name_that_was_meant() {
        let fields = ["startFrame", "endFrame", "stride", "method", "regions"];
        let meant = |given: &str| nearest(given, fields.into_iter());
        assert_eq!(meant("strid"), Some("stride"));
        assert_eq!(meant("startframe"), Some("startFrame"));
        assert_eq!(meant("start_frame"), Some("startFrame"));
        assert_eq!(meant("metod"), Some("method"));
        assert_eq!(meant("colour"), None);
        assert_eq!(nearest("x", std::iter::empty()), None);
    }

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("größe", "grosse"), 3);
    }
}
