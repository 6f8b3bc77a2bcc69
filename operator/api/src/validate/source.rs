//! `spec.source`: address, paths, globs and days.

use globset::GlobBuilder;
use jiff::civil::Date;

use super::{Problem, add, add_path, add_url};
use crate::{DateRange, Source, reasons};

pub(super) fn check(source: &Source, problems: &mut Vec<Problem>) {
    add_url(problems, "spec.source.http.rootURL", Some(&source.http.root_url), "authSecretRef");
    for (field, paths) in [("prefixes", &source.prefixes), ("items", &source.items)] {
        for (index, path) in paths.iter().flatten().enumerate() {
            add_path(problems, format!("spec.source.{field}[{index}]"), Some(path));
        }
    }
    for (field, globs) in [("include", &source.include), ("exclude", &source.exclude)] {
        for (index, pattern) in globs.iter().enumerate() {
            add(problems, format!("spec.source.{field}[{index}]"), reasons::INVALID_GLOB, glob(pattern));
        }
    }
    if let Some(range) = &source.date_range {
        check_days(range, problems);
    }
    if let Some(layout) = &source.date_layout {
        add(problems, "spec.source.dateLayout", reasons::INVALID_DATE_LAYOUT, date_layout(layout));
        add_path(problems, "spec.source.dateLayout", Some(layout));
    }
}

fn glob(pattern: &str) -> Result<(), String> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map(drop).map_err(|error| format!("{pattern:?} is no glob: {}", error.kind()))
}

fn check_days(range: &DateRange, problems: &mut Vec<Problem>) {
    let ends = [("from", &range.from), ("to", &range.to)].map(|(field, text)| {
        let day = text.as_deref().map(day).transpose();
        let found = day.as_ref().copied().ok().flatten();
        add(problems, format!("spec.source.dateRange.{field}"), reasons::INVALID_DATE, day.map(drop));
        found
    });
    if let [Some(from), Some(to)] = ends
        && to < from
    {
        let message = "to is before from: exchange them";
        problems.push(Problem::new("spec.source.dateRange.to", reasons::INVALID_DATE, message));
    }
}

fn day(text: &str) -> Result<Date, String> {
    let refuse = || format!("{text:?} is no day that exists; write it as yyyy-mm-dd");
    let numbers: Vec<i16> = text.split('-').map_while(|number| number.parse().ok()).collect();
    let [year, month, day] = numbers[..] else { return Err(refuse()) };
    let small = |number: i16| i8::try_from(number).map_err(|_| refuse());
    Date::new(year, small(month)?, small(day)?).map_err(|_| refuse())
}

const TOKENS: [&str; 3] = ["{yyyy}", "{mm}", "{dd}"];

/// Literal text and at least one of the three tokens.
fn date_layout(layout: &str) -> Result<(), String> {
    let literal = TOKENS.iter().fold(layout.to_owned(), |rest, token| rest.replace(token, ""));
    if literal.contains(['{', '}']) {
        return Err(format!("{layout:?} holds a token that is none of {}", TOKENS.join(", ")));
    }
    if literal == layout {
        return Err(format!("{layout:?} holds none of the tokens {}", TOKENS.join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_days() {
        assert_eq!(day("2020-02-29"), Date::new(2020, 2, 29).map_err(|_| String::new()));
        for bad in ["2019-02-29", "2018-13-01", "2018-00-10", "2018-1", "yesterday", "2018-07-300"] {
            assert!(day(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_layout_has_known_tokens_and_at_least_one() {
        for good in ["{yyyy}/{mm}/{dd}/", "{yyyy}-{mm}", "days/{yyyy}{mm}{dd}"] {
            assert_eq!(date_layout(good), Ok(()), "{good}");
        }
        for bad in ["2018/07/", "{yyyy}/{MM}/", "{yy}/", "{yyyy/", "yyyy/mm/dd"] {
            assert!(date_layout(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn globs_cross_folders_only_with_two_stars() {
        assert_eq!(glob("**/*.mov"), Ok(()));
        assert!(glob("[a-").is_err());
        assert!(glob("{a,b").is_err());
    }
}
