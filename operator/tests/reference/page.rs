//! A page of Markdown, written line by line.

use std::fmt::Write as _;

/// A page under way.
pub struct Page(String);

impl Page {
    /// A page with its title, and what it is about.
    pub fn new(title: &str, about: &str) -> Self {
        let from = "<!-- Made from the code by `make reference`; changes by hand are lost. -->";
        Self(format!("# {title}\n\n{from}\n\n{about}\n"))
    }

    /// A heading, and what comes below it.
    pub fn section(&mut self, title: &str, about: &str) {
        let _ = writeln!(self.0, "\n## {title}");
        if !about.is_empty() {
            let _ = writeln!(self.0, "\n{about}");
        }
    }

    /// A table; its cells are Markdown.
    pub fn table<const N: usize>(&mut self, head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        let _ = writeln!(self.0, "\n| {} |\n|{}", head.join(" | "), "---|".repeat(N));
        for row in rows {
            let _ = writeln!(self.0, "| {} |", row.map(|cell| in_a_cell(&cell)).join(" | "));
        }
    }

    /// The whole page.
    pub fn text(self) -> String {
        self.0
    }
}

/// A literal, such as a path or a default.
pub fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

fn in_a_cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace("\n\n", "<br>").replace('\n', " ")
}
