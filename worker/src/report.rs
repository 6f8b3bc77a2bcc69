//! `report.html`: one page that reads by itself, and, of many movies, the others in files beside it.
//!
//! ```text
//!   result files ─▶ Overview ─▶ article ─┬─ the first page  ─▶ in report.html, as it is read without scripts
//!                      │                 ├─ up to 250 movies ─▶ in report.html, shown by its script
//!                      │                 └─ beyond          ─▶ report/0002.js, report/0003.js, …
//!                      └─▶ Index ─▶ in report.html, beyond 250 movies report/index.js
//! ```
//!
//! Scripts, and not JSON, because a page opened from a folder may load scripts only. Everything is made in Rust; the page's
//! script finds, orders and shows what is ready. How much memory it takes does not follow the number of movies, but for
//! the index.

pub mod command;
mod index;
pub mod overview;
mod page;
pub mod timeline;
pub mod totals;

use std::collections::BTreeMap;

use plan::Failure;

use index::{Index, page_script};
use overview::Overview;
use page::Page;
use timeline::{Pictures, article, failed_article};
use totals::Totals;

/// Movies on a page.
pub const PER_PAGE: usize = 25;
/// Up to so many movies report.html holds them all.
pub const EMBEDDED: usize = 250;
/// The folder of the files beside the page.
pub const FOLDER: &str = "report";

/// A file of the report: name in the output, content.
pub type File = (String, String);

/// A report in the making: movies are added one after the other, sorted by path.
#[derive(Debug)]
pub struct Report<'a> {
    name: &'a str,
    failures: &'a [Failure],
    /// Those whose movie has not been added yet.
    unseen: BTreeMap<&'a str, &'a Failure>,
    embeds: bool,
    totals: Totals,
    index: Index,
    first: Vec<String>,
    articles: Vec<String>,
    pages: usize,
    scripts: String,
}

impl<'a> Report<'a> {
    /// Begins a report on `movies` movies. `failures` are those of the newest run.
    pub fn new(name: &'a str, movies: usize, failures: &'a [Failure]) -> Self {
        Self {
            name,
            failures,
            unseen: failures.iter().map(|failure| (failure.item.as_str(), failure)).collect(),
            embeds: movies <= EMBEDDED,
            totals: Totals::default(),
            index: Index::default(),
            first: Vec::new(),
            articles: Vec::new(),
            pages: 0,
            scripts: String::new(),
        }
    }

    /// Whether the next movie is on the first page, whose pictures are best within it.
    pub fn is_on_first_page(&self) -> bool {
        self.pages == 0
    }

    /// Adds a movie; gives the file of a page that is full.
    pub fn add(&mut self, overview: &Overview, pictures: Option<&Pictures>) -> Result<Option<File>, serde_json::Error> {
        let failure = self.unseen.remove(overview.path.as_str());
        self.totals.add(overview);
        self.index.add(overview, failure);
        let article = article(overview, pictures, failure.map(|failure| failure.reason.as_str()));
        self.articles.push(article.into_string());
        if self.articles.len() == PER_PAGE { self.turn() } else { Ok(None) }
    }

    /// Ends the report. The files are to be written in this order: the page comes last.
    pub fn finish(mut self, now: jiff::Timestamp) -> Result<Vec<File>, serde_json::Error> {
        let mut files: Vec<File> = self.turn()?.into_iter().collect();
        for failure in self.unseen.values() {
            self.index.add_failed(failure);
            if self.totals.movies == 0 && self.first.len() < PER_PAGE {
                self.first.push(failed_article(&failure.item, &failure.reason, &failure.message).into_string());
            }
        }
        let here = if self.embeds { self.totals.movies } else { self.first.len() };
        let index = self.index.script()?;
        if self.embeds {
            self.scripts.push_str(&index);
        } else {
            files.push((format!("{FOLDER}/index.js"), index));
        }
        let Self { name, failures, totals, first, scripts, .. } = &self;
        files.push(("report.html".to_owned(), Page { name, totals, failures, first, here, scripts, now }.html()));
        Ok(files)
    }

    /// Closes the page in hand.
    fn turn(&mut self) -> Result<Option<File>, serde_json::Error> {
        let articles = std::mem::take(&mut self.articles);
        if articles.is_empty() {
            return Ok(None);
        }
        self.pages += 1;
        if self.pages == 1 {
            self.first = articles;
            return Ok(None);
        }
        let script = page_script(self.pages, &articles)?;
        if self.embeds {
            self.scripts.push_str(&script);
            return Ok(None);
        }
        Ok(Some((format!("{FOLDER}/{:04}.js", self.pages), script)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overview::Shares;

    fn movie(number: usize) -> Overview {
        Overview {
            path: format!("A/{number:05}<b>.mov"),
            num_frames: 100,
            duration: 3.0,
            file_size: None,
            regions: Vec::new(),
            doubts: Vec::new(),
            curve: Vec::new(),
            shares: Shares::default(),
        }
    }

    fn files(movies: usize, failures: &[Failure]) -> Vec<File> {
        let mut report = Report::new("<i>", movies, failures);
        let mut files: Vec<File> = (0..movies).filter_map(|number| report.add(&movie(number), None).unwrap()).collect();
        files.extend(report.finish(jiff::Timestamp::UNIX_EPOCH).unwrap());
        files
    }

    fn failure(item: &str) -> Failure {
        Failure { item: item.into(), reason: "NotFound".into(), attempts: 1, message: "<b>&".into() }
    }

    #[test]
    fn a_name_cannot_become_markup() {
        let files = files(1, &[failure("</script><script>\"&")]);
        let html = &files[0].1;
        assert!(html.contains("<h1>&lt;i&gt;</h1>") && html.contains("00000&lt;b&gt;.mov"));
        assert!(html.contains("&lt;/script&gt;&lt;script&gt;&quot;&amp;"));
        assert!(!html.contains("<b>") && html.matches("<script").count() == 2);
    }

    #[test]
    fn few_movies_are_one_file_and_many_are_pages_beside_it() {
        let names = |movies| files(movies, &[]).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(EMBEDDED), ["report.html"]);
        let many = names(EMBEDDED + 1);
        assert_eq!((many.len(), many[0].as_str(), many[9].as_str()), (12, "report/0002.js", "report/0011.js"));
        assert_eq!(many[10..], ["report/index.js", "report.html"], "the page comes last");
    }

    #[test]
    fn every_movie_and_every_failure_is_in_the_index_once() {
        let failures = [failure("A/00003<b>.mov"), failure("B/gone.mov")];
        let files = files(300, &failures);
        let (name, script) = &files[files.len() - 2];
        assert_eq!(name, "report/index.js");
        let json = script.trim_start_matches("report.index(").trim_end_matches(");\n");
        let index: serde_json::Value = serde_json::from_str(json).unwrap();
        let movies = index["movies"].as_array().unwrap();
        assert_eq!((movies.len(), movies.iter().filter(|movie| movie[5] == "NotFound").count()), (301, 2));
        assert_eq!((movies[3][1].as_str().unwrap(), movies[300][1].as_str().unwrap()), ("00003<b>.mov", "gone.mov"));
    }

    #[test]
    fn without_any_result_the_failures_are_shown() {
        let html = &files(0, &[failure("A/X.mov")])[0].1;
        assert!(html.contains("<article class=\"failed\"><h3>A/X.mov</h3>"));
    }
}
