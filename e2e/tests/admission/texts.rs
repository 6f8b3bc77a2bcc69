//! Texts for the patterns of the schema.

/// A pattern, how a text that fits it begins and goes on, and a text that does not fit.
const PATTERNS: [(&str, &str, &str, &str); 14] = [
    (r"^[^/\s][^\s]*$", "", "a", "/a"),
    (r"^https?://[^\s?#]+$", "http://", "a", "ftp://host/"),
    (r"^rediss?://[^\s]+$", "redis://", "a", "http://host"),
    ("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2018-07-01", "0", "2018/07/01"),
    ("^[-._a-zA-Z0-9]+$", "", "a", "a b"),
    ("^[-._:a-zA-Z0-9]+$", "", "a", "a b"),
    ("^[-._a-zA-Z][-._a-zA-Z0-9]*$", "", "a", "1a"),
    ("^[-+_/a-zA-Z0-9]+$", "", "a", "a b"),
    ("^[-a-zA-Z0-9]+$", "", "a", "a b"),
    ("^[a-z0-9][-.a-z0-9]*[a-z0-9]$", "", "a", "ab-"),
    ("^[a-z]([-a-z0-9]*[a-z0-9])?$", "", "a", "1a"),
    ("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", "", "a", "a b"),
    ("^Auto$", "Auto", "x", "auto"),
    ("^(100|[1-9]?[0-9])%$", "100%", "%", "101%"),
];

/// What fits a pattern, at any length (where the pattern allows that length), and what does not.
pub struct Examples {
    start: &'static str,
    fill: &'static str,
    /// A text that does not fit; none where everything fits.
    pub bad: Option<&'static str>,
}

impl Examples {
    /// Those of a pattern, or of no pattern; none when nobody has thought of any.
    pub fn of(pattern: Option<&str>) -> Option<Self> {
        let Some(pattern) = pattern else { return Some(Self { start: "", fill: "a", bad: None }) };
        if pattern.starts_with("^[+]?([0-9]+") {
            return Some(Self { start: "", fill: "1", bad: Some("1 Gi") });
        }
        let (_, start, fill, bad) = PATTERNS.into_iter().find(|known| known.0 == pattern)?;
        Some(Self { start, fill, bad: Some(bad) })
    }

    /// A text of so many characters.
    pub fn good(&self, length: usize) -> String {
        let start = &self.start[..length.min(self.start.len())];
        format!("{start}{}", self.fill.repeat(length - start.len()))
    }
}
