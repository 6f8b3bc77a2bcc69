//! Numbers and times as people read them. Pure.

use k8s_openapi::jiff::Timestamp;

/// A bar of `width` characters, `done` of `total` filled.
pub fn bar(done: u32, total: u32, width: usize) -> String {
    let filled = (u64::from(done) * width as u64).checked_div(u64::from(total)).unwrap_or(0) as usize;
    let filled = filled.min(width);
    let head = if filled > 0 && filled < width { ">" } else { "" };
    let line = "=".repeat(filled - head.len());
    format!("[{line}{head}{}]", " ".repeat(width - filled))
}

/// A number of seconds in its two biggest units, such as `2 h 10 min`.
pub fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big} {unit}"),
        _ => format!("{big} {unit} {small} {small_unit}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

/// A time to the minute, UTC.
pub fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A rate per hour: two digits that count.
pub fn rate(per_hour: f64) -> String {
    if per_hour < 10.0 { format!("{per_hour:.1}") } else { format!("{per_hour:.0}") }
}

/// `1 movie`, `2 movies`.
pub fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A word as a POSIX shell takes it back: in quotes where it holds anything that is not plain.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// `text` without characters that would steer a terminal: what a worker or a server wrote is shown, never obeyed.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_wide_whatever_it_shows() {
        assert_eq!(bar(0, 10, 10), "[          ]");
        assert_eq!(bar(1, 10, 10), "[>         ]");
        assert_eq!(bar(5, 10, 10), "[====>     ]");
        assert_eq!(bar(10, 10, 10), "[==========]");
        assert_eq!(bar(11, 10, 10), "[==========]");
        assert_eq!(bar(0, 0, 10), "[          ]");
    }

    #[test]
    fn durations_have_their_two_biggest_units() {
        let said = [-5, 0, 59, 60, 3599, 3600, 7800, 86_400, 100_000].map(duration);
        assert_eq!(said, ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "2 h 10 min", "1 d", "1 d 3 h"]);
    }

    #[test]
    fn small_rates_keep_a_digit_after_the_point() {
        assert_eq!([0.25, 9.94, 43.2, 1234.5].map(rate), ["0.2", "9.9", "43", "1234"]);
    }

    #[test]
    fn a_quoted_word_is_one_word_of_the_shell() {
        assert_eq!(quoted("motion/2018"), "motion/2018");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn nothing_shown_steers_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc"), "a [2Jb c");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|number| count(number, "movie")), ["0 movies", "1 movie", "2 movies"]);
    }
}
