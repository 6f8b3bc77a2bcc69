//! Which movies an AnalysisJob means: folders to list, and which of the files found there count.

use globset::{Glob, GlobSet, GlobSetBuilder};
use jiff::{ToSpan, civil::Date};

/// Which days are looked at. Both ends count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// From a day to a day; an open end is today.
    Range {
        /// First day.
        from: Date,
        /// Last day; absent = today.
        to: Option<Date>,
    },
    /// Today and the days before it, so many in all.
    Last(u32),
}

/// Where the movies of a job are looked for, and which of them count.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Folders below the root, each ending in `/`; the empty one is the root.
    prefixes: Vec<String>,
    include: GlobSet,
    exclude: GlobSet,
    days: Option<Days>,
    layout: Option<String>,
    limit: Option<u64>,
}

/// A glob that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the pattern {pattern:?}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// Why.
    #[source]
    pub source: globset::Error,
}

/// A folder to look into, and how deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Below the root, ending in `/`; empty = the root.
    pub path: String,
    /// Whether the folders below it are looked into too.
    pub recursive: bool,
}

impl Selection {
    /// Reads the patterns. `include` empty = every `.mov`.
    pub fn new(prefixes: &[String], include: &[String], exclude: &[String]) -> Result<Self, PatternError> {
        let everything = ["**/*.mov".to_owned()];
        let include = if include.is_empty() { &everything } else { include };
        Ok(Self {
            prefixes: prefixes.iter().map(|prefix| as_folder(prefix)).collect(),
            include: glob_set(include)?,
            exclude: glob_set(exclude)?,
            days: None,
            layout: None,
            limit: None,
        })
    }

    /// Only these days. With a `layout` such as `{yyyy}/{mm}/{dd}/` their folders are listed; without one every folder
    /// is crawled and the day is read from the name.
    #[must_use]
    pub fn on_days(mut self, days: Days, layout: Option<String>) -> Self {
        (self.days, self.layout) = (Some(days), layout);
        self
    }

    /// At most so many movies.
    #[must_use]
    pub fn at_most(mut self, limit: Option<u64>) -> Self {
        self.limit = limit;
        self
    }

    /// The most movies wanted.
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(u64::MAX)
    }

    /// The folders to list, in order, as seen on `today` (UTC).
    pub fn folders(&self, today: Date) -> Vec<Folder> {
        match (&self.layout, self.days) {
            (Some(layout), Some(days)) => {
                let (first, last) = days.bounds(today);
                let per_prefix = |prefix: &String| -> Vec<Folder> {
                    days_between(first, last).map(|day| day_folder(prefix, layout, day)).collect()
                };
                let mut folders: Vec<Folder> = self.prefixes.iter().flat_map(per_prefix).collect();
                // A layout of months or years names the same folder for many days.
                folders.dedup();
                folders
            }
            _ => self.prefixes.iter().map(|path| Folder { path: path.clone(), recursive: true }).collect(),
        }
    }

    /// Whether the file at `path` (below the root) counts, by its name and, without a layout, by the day in it.
    pub fn admits(&self, path: &str, today: Date) -> bool {
        self.include.is_match(path) && !self.exclude.is_match(path) && self.day_fits(path, today)
    }

    fn day_fits(&self, path: &str, today: Date) -> bool {
        // Where the layout goes down to days, the folders have chosen already.
        let listed_by_day = self.layout.as_ref().is_some_and(|layout| layout.contains("{dd}"));
        let Some(days) = self.days.filter(|_| !listed_by_day) else { return true };
        let (first, last) = days.bounds(today);
        day_of(path).is_some_and(|day| first <= day && day <= last)
    }
}

impl Days {
    fn bounds(self, today: Date) -> (Date, Date) {
        match self {
            Self::Range { from, to } => (from, to.unwrap_or(today)),
            Self::Last(count) => {
                let before = i64::from(count.max(1) - 1).min(100_000);
                (today.checked_sub(before.days()).unwrap_or(Date::MIN), today)
            }
        }
    }
}

fn days_between(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(1.day()).take_while(move |day| *day <= last)
}

fn day_folder(prefix: &str, layout: &str, day: Date) -> Folder {
    let path = layout
        .replace("{yyyy}", &format!("{:04}", day.year()))
        .replace("{mm}", &format!("{:02}", day.month()))
        .replace("{dd}", &format!("{:02}", day.day()));
    Folder { path: format!("{prefix}{}", as_folder(&path)), recursive: true }
}

fn as_folder(path: &str) -> String {
    let trimmed = path.trim_matches('/');
    if trimmed.is_empty() { String::new() } else { format!("{trimmed}/") }
}

/// The day a movie is of: the first eight digits in a row in its file name that are a date (`CAMHDA301-20180724T030000Z.mov`), else
/// a `…/2018/07/24/…` in its folders.
pub fn day_of(path: &str) -> Option<Date> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let in_name = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 8).find_map(eight_digits);
    in_name.or_else(|| {
        let parts: Vec<&str> = folders.split('/').collect();
        parts.windows(3).rev().find_map(|window| match window {
            [year, month, day] if (year.len(), month.len(), day.len()) == (4, 2, 2) => {
                eight_digits(&[*year, *month, *day].concat())
            }
            _ => None,
        })
    })
}

fn eight_digits(digits: &str) -> Option<Date> {
    let number: u32 = digits.parse().ok()?;
    Date::new((number / 10_000) as i16, (number / 100 % 100) as i8, (number % 100) as i8).ok()
}

fn glob_set(patterns: &[String]) -> Result<GlobSet, PatternError> {
    let fail = |pattern: &str, source| PatternError { pattern: pattern.to_owned(), source };
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern).map_err(|source| fail(pattern, source))?);
    }
    builder.build().map_err(|source| fail(&patterns.join(" "), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn selection(prefixes: &[&str]) -> Selection {
        Selection::new(&strings(prefixes), &[], &[]).unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn paths(selection: &Selection, today: &str) -> Vec<String> {
        selection.folders(day(today)).into_iter().map(|folder| folder.path).collect()
    }

    const LAYOUT: &str = "{yyyy}/{mm}/{dd}/";

    #[test]
    fn days_with_a_layout_are_listed_not_crawled() {
        let days = Days::Range { from: day("2018-07-30"), to: Some(day("2018-08-01")) };
        let selection = selection(&["A", "/B/"]).on_days(days, Some(LAYOUT.into()));
        let expected =
            ["A/2018/07/30/", "A/2018/07/31/", "A/2018/08/01/", "B/2018/07/30/", "B/2018/07/31/", "B/2018/08/01/"];
        assert_eq!(paths(&selection, "2026-01-01"), expected);
    }

    #[test]
    fn an_open_end_is_today_and_last_days_counts_today() {
        let open = selection(&["A"]).on_days(Days::Range { from: day("2026-01-01"), to: None }, Some(LAYOUT.into()));
        assert_eq!(paths(&open, "2026-01-02"), ["A/2026/01/01/", "A/2026/01/02/"]);
        let last = selection(&["A"]).on_days(Days::Last(2), Some(LAYOUT.into()));
        assert_eq!(paths(&last, "2026-03-01"), ["A/2026/02/28/", "A/2026/03/01/"]);
    }

    #[test]
    fn without_a_layout_the_day_is_read_from_the_name() {
        let days = Days::Range { from: day("2018-07-24"), to: Some(day("2018-07-24")) };
        let selection = selection(&["A"]).on_days(days, None);
        assert_eq!(selection.folders(day("2026-01-01")), [Folder { path: "A/".into(), recursive: true }]);
        assert!(selection.admits("A/CAMHDA301-20180724T030000Z.mov", day("2026-01-01")));
        assert!(!selection.admits("A/CAMHDA301-20180725T030000Z.mov", day("2026-01-01")));
        assert!(selection.admits("A/2018/07/24/x.mov", day("2026-01-01")));
        assert!(!selection.admits("A/x.mov", day("2026-01-01")), "a movie of no day is of none of these days");
    }

    #[test]
    fn a_layout_of_months_lists_each_once_and_reads_the_day_from_the_name() {
        let days = Days::Range { from: day("2018-07-30"), to: Some(day("2018-08-02")) };
        let selection = selection(&["A"]).on_days(days, Some("{yyyy}-{mm}".into()));
        assert_eq!(paths(&selection, "2026-01-01"), ["A/2018-07/", "A/2018-08/"]);
        assert!(!selection.admits("A/2018-08/X-20180803T000000Z.mov", day("2026-01-01")));
        assert!(selection.admits("A/2018-08/X-20180802T000000Z.mov", day("2026-01-01")));
    }

    #[test]
    fn exclude_wins_over_include_and_only_movies_count_unless_said() {
        let one = Selection::new(&strings(&["A"]), &strings(&["**/*Z.mov"]), &strings(&["A/bad/**"])).unwrap();
        let today = day("2026-01-01");
        assert_eq!(["A/1Z.mov", "A/1.mov", "A/bad/1Z.mov"].map(|path| one.admits(path, today)), [true, false, false]);
        assert_eq!(["A/1.mov", "1.mov", "A/1.mp4"].map(|path| selection(&[]).admits(path, today)), [true, true, false]);
    }

    #[test]
    fn a_wrong_pattern_is_named() {
        let error = Selection::new(&[], &strings(&["a[b"]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "failed to read the pattern \"a[b\"");
    }

    #[test]
    fn no_prefix_text_names_the_root() {
        assert_eq!(selection(&[""]).folders(day("2026-01-01")), [Folder { path: String::new(), recursive: true }]);
    }
}
