//! Figures beside their goals, printed and written into the page.

use std::{fmt::Write as _, fs, path::Path};

/// One figure.
pub struct Figure {
    what: String,
    value: String,
    /// The goal, and whether it is met.
    goal: Option<(&'static str, bool)>,
}

impl Figure {
    /// A figure that has a goal.
    pub fn of(what: impl Into<String>, value: impl Into<String>, goal: &'static str, met: bool) -> Self {
        Self { what: what.into(), value: value.into(), goal: Some((goal, met)) }
    }

    /// A figure that explains another.
    pub fn aside(what: impl Into<String>, value: impl Into<String>) -> Self {
        Self { what: what.into(), value: value.into(), goal: None }
    }
}

/// The machine that measures, in a few words.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("a machine of {cores} cores ({})", std::env::consts::ARCH)
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in KiB.
pub fn kib(bytes: usize) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}

/// A part of the page: its title, and how its figures come about.
pub struct Section {
    /// Such as `Operator`.
    pub title: &'static str,
    /// What the title does not say: by which command, under which conditions.
    pub about: String,
}

impl Section {
    fn heading(&self) -> String {
        format!("## {}\n", self.title)
    }
}

/// Prints the figures of a part of a benchmark.
#[allow(dead_code)] // not every benchmark has parts
pub fn print(about: &Section, figures: &[Figure]) {
    println!("{}", section(about, figures));
}

/// Prints the figures, and writes them into the page if the build is one to be judged.
pub fn tell(about: &Section, figures: &[Figure]) {
    let section = section(about, figures);
    println!("{section}");
    if cfg!(debug_assertions) {
        println!("not optimised: the figures are no measure, and docs/benchmarks.md stays as it is");
        return;
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("docs/benchmarks.md"));
    let path = above.into_iter().find(|path| path.exists()).expect("docs/benchmarks.md");
    let page = fs::read_to_string(&path).unwrap_or_else(|_| "# Benchmarks\n\nWritten by `make bench`.\n".to_owned());
    fs::write(&path, with_section(&page, &about.heading(), &section)).unwrap();
}

fn section(about: &Section, figures: &[Figure]) -> String {
    let mut text = format!("{}\n{}\n\n| what | figure | goal | |\n|---|---|---|---|\n", about.heading(), about.about);
    for Figure { what, value, goal } in figures {
        let (goal, verdict) = goal.map_or(("", ""), |(goal, met)| (goal, if met { "met" } else { "MISSED" }));
        let _ = writeln!(text, "| {what} | {value} | {goal} | {verdict} |");
    }
    text
}

/// The page with its section of this name replaced, or added at its end.
fn with_section(page: &str, heading: &str, section: &str) -> String {
    let Some(start) = page.find(heading) else { return format!("{}\n\n{section}", page.trim_end()) };
    let after = start + heading.len();
    let end = page[after..].find("\n## ").map_or(page.len(), |at| after + at + 1);
    let gap = if end == page.len() { "" } else { "\n" };
    format!("{}{section}{gap}{}", &page[..start], &page[end..])
}
