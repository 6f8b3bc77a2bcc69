//! The plan document while it is written and checked: its text alone. Of a million movies the text is some 80 MB, and their
//! names beside it would be as much again.

use frame::MoviePath;
use serde::{Deserialize, Serialize};

use crate::run::{PlanError, PlanHeader};

#[derive(Serialize, Deserialize)]
struct PlanItem<'a> {
    #[serde(borrow)]
    item: std::borrow::Cow<'a, str>,
}

/// The items' lines, before the header is known.
#[derive(Debug, Clone, Default)]
pub struct Items {
    lines: String,
    count: u64,
}

/// A whole plan as JSON lines: the header, then the items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    header: PlanHeader,
    text: String,
}

impl Items {
    /// Adds a movie.
    pub fn push(&mut self, movie: &MoviePath) -> Result<(), serde_json::Error> {
        self.lines.push_str(&serde_json::to_string(&PlanItem { item: movie.as_str().into() })?);
        self.lines.push('\n');
        self.count += 1;
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The movie at `index`, from 0.
    pub fn get(&self, index: u64) -> Option<MoviePath> {
        let line = self.lines.lines().nth(usize::try_from(index).ok()?)?;
        parse_item(0, line).ok()
    }

    /// The document of these items; `header` says how many they are.
    pub fn under(self, header: PlanHeader) -> Result<Document, serde_json::Error> {
        let mut text = self.lines;
        text.insert_str(0, &format!("{}\n", serde_json::to_string(&header)?));
        Ok(Document { header, text })
    }
}

impl Document {
    /// Checks a document that was read, each of its lines.
    pub fn parse(text: String) -> Result<Self, PlanError> {
        let (header, lines) = header_and_lines(&text)?;
        let mut found = 0;
        for (number, line) in lines {
            parse_item(number, line)?;
            found += 1;
        }
        let wanted = header.items;
        if wanted == found { Ok(Self { header, text }) } else { Err(PlanError::Items { wanted, found }) }
    }

    /// The header.
    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// The movies, in order.
    pub fn items(&self) -> impl Iterator<Item = MoviePath> {
        // Each line was written or checked here.
        self.text.lines().skip(1).filter_map(|line| parse_item(0, line).ok())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text, given away.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// The header, and the lines of items with their numbers from 1.
pub(crate) fn header_and_lines(text: &str) -> Result<(PlanHeader, impl Iterator<Item = (usize, &str)>), PlanError> {
    let mut lines = (1..).zip(text.lines());
    let (line, first) = lines.next().ok_or(PlanError::Empty)?;
    let header = serde_json::from_str(first).map_err(|source| PlanError::Line { line, source })?;
    Ok((header, lines))
}

pub(crate) fn parse_item(line: usize, text: &str) -> Result<MoviePath, PlanError> {
    let item: PlanItem<'_> = serde_json::from_str(text).map_err(|source| PlanError::Line { line, source })?;
    MoviePath::parse(&item.item).map_err(|source| PlanError::Item { line, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Plan, RunId};

    fn items(names: &[&str]) -> Items {
        let mut items = Items::default();
        for name in names {
            items.push(&MoviePath::parse(name).unwrap()).unwrap();
        }
        items
    }

    fn header(items: u64) -> PlanHeader {
        PlanHeader { run: RunId::new(4, "{}"), discovered: 9, up_to_date: 2, items_per_index: 2, items }
    }

    #[test]
    fn a_document_is_that_of_the_plan_with_its_items_and_reads_back() {
        let names = ["A/1.mov", "A/quoted \"2\".mov", "A/ö 3.mov"];
        let items = items(&names);
        assert_eq!((items.count(), items.get(1).unwrap().as_str()), (3, names[1]));
        assert_eq!((items.get(3), Items::default().get(0)), (None, None));
        let document = items.under(header(3)).unwrap();
        let plan = Plan::from_json_lines(document.as_str()).unwrap();
        assert_eq!(plan.items, document.items().collect::<Vec<_>>());
        assert_eq!(plan.to_json_lines().unwrap(), document.as_str());
        assert_eq!(Document::parse(document.as_str().to_owned()).unwrap(), document);
    }

    #[test]
    fn a_document_that_is_not_whole_is_refused() {
        let text = items(&["A/1.mov", "A/2.mov"]).under(header(2)).unwrap().into_text();
        let cut = text.trim_end().rsplit_once('\n').unwrap().0;
        let error = Document::parse(cut.to_owned()).unwrap_err().to_string();
        assert_eq!(error, "the plan holds 1 items instead of 2: it is not whole");
        let error = Document::parse(text.replace("2.mov", "../2.mov")).unwrap_err();
        assert_eq!(error.to_string(), "line 3 of the plan names no movie");
        assert!(matches!(Document::parse(String::new()), Err(PlanError::Empty)));
    }
}
