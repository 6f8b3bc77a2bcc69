//! The page around the movies: totals, failures, the key to the colours, what finds a movie.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plan::Failure;

use super::{
    PER_PAGE,
    timeline::{SERIES, thousands},
    totals::Totals,
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The table on the page ends after so many; the list of movies and failures.jsonl hold all.
const FAILURES_SHOWN: usize = 200;

/// What a page is made of.
#[derive(Debug)]
pub struct Page<'a> {
    /// Its title.
    pub name: &'a str,
    /// What is true of all movies.
    pub totals: &'a Totals,
    /// Of the newest run.
    pub failures: &'a [Failure],
    /// The movies that are read without scripts: at most `PER_PAGE`.
    pub first: &'a [String],
    /// How many movies can be read without the files beside the page.
    pub here: usize,
    /// What hands the page the movies it holds besides.
    pub scripts: &'a str,
    /// When it is written.
    pub now: jiff::Timestamp,
}

impl Page<'_> {
    /// As HTML.
    pub fn html(&self) -> String {
        let facts = serde_json::json!({"perPage": PER_PAGE, "movies": self.totals.movies, "here": self.here});
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="movies" content=(format!("{}/{}", self.here, self.totals.movies));
                    // Else a browser asks the site's root for one, which in a bucket is refused.
                    link rel="icon" href="data:,";
                    title { (self.name) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (self.name) }
                    p.note { "Written " (self.now.strftime("%Y-%m-%d %H:%M:%S")) " UTC. Tables beside this page: "
                        a href="regions.csv" { "regions.csv" } ", " a href="movie_metadata.csv" { "movie_metadata.csv" } ", "
                        a href="failures.jsonl" { "failures.jsonl" } ", described by " a href="datapackage.json" { "datapackage.json" } "." }
                    (totals(self.totals, self.failures.len()))
                    (failures(self.failures))
                    h2 { "Movies" }
                    (key())
                    (tools())
                    (self.scriptless())
                    p #warning .warning role="status" hidden {}
                    main #movies { @for movie in self.first { (PreEscaped(movie)) } }
                    div #cursor hidden {}
                    div #lens hidden { div {} span {} }
                    script #facts type="application/json" { (PreEscaped(facts.to_string())) }
                    script { (PreEscaped(SCRIPT)) (PreEscaped(self.scripts)) }
                }
            }
        };
        markup.into_string()
    }

    fn scriptless(&self) -> Markup {
        let (first, all) = (self.first.len(), self.totals.movies);
        html! {
            @if first < all {
                p.note.scriptless { "These are the first " (first) " of " (thousands(all as u64))
                    " movies; scripts, which are off, find and show the others." }
            }
        }
    }
}

fn totals(totals: &Totals, failed: usize) -> Markup {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let (still, moving) = (totals.still(), totals.moving());
    let facts = [
        ("movies", thousands(totals.movies as u64)),
        ("frames", thousands(totals.frames)),
        ("hours of video", hours(totals.seconds)),
        ("static regions", thousands(totals.static_regions)),
        ("static", percent(still)),
        ("moving", percent(moving)),
        ("rows undetermined", percent(totals.undetermined())),
        ("failed in last run", thousands(failed as u64)),
    ];
    html! {
        dl { @for (name, value) in &facts { div { dt { (name) } dd { (value) } } } }
        div.whole role="img" aria-label=(format!("{} of all frames static, {} moving", percent(still), percent(moving))) {
            i.static style=(format!("width:{:.2}%", still * 100.0)) {}
            i.turn style=(format!("width:{:.2}%", moving * 100.0)) {}
        }
    }
}

/// A small archive has minutes, a large one thousands of hours.
fn hours(seconds: f64) -> String {
    let hours = seconds / 3600.0;
    if hours < 100.0 { format!("{hours:.2}") } else { thousands(hours.round() as u64) }
}

fn failures(failures: &[Failure]) -> Markup {
    html! {
        @if !failures.is_empty() {
            h2 #failed { "Failed in the last run" }
            div.table tabindex="0" role="region" aria-labelledby="failed" {
                table {
                    thead { tr { th scope="col" { "Movie" } th scope="col" { "Reason" } th.n scope="col" { "Tries" } th scope="col" { "What happened" } } }
                    tbody {
                        @for failure in failures.iter().take(FAILURES_SHOWN) {
                            tr { td { (failure.item) } td.word { (failure.reason) } td.n { (failure.attempts) } td { (failure.message) } }
                        }
                    }
                }
            }
            @if failures.len() > FAILURES_SHOWN {
                p.note { (thousands((failures.len() - FAILURES_SHOWN) as u64)) " more are in failures.jsonl, and among the movies below." }
            }
        }
    }
}

/// The colours are of Paul Tol's schemes, chosen to stay apart under the common colour blindnesses; every region also names
/// itself.
fn key() -> Markup {
    let regions = [
        ("static", "static"),
        ("turn", "pan, tilt (N, E, S, W)"),
        ("zoom-in", "zoom in"),
        ("zoom-out", "zoom out"),
        ("unknown", "unknown, short"),
        ("none", "no region"),
        ("doubt", "undetermined"),
    ];
    html! {
        div.key { @for (class, name) in regions { span { i class=(class) {} (name) } } }
        div.key { @for (class, name) in SERIES { span { i class={ "line " (class) } {} (name) } } }
        svg width="0" height="0" aria-hidden="true" style="position:absolute" {
            defs { pattern #doubt width="5" height="5" patternUnits="userSpaceOnUse" { path d="M-1 1L1 -1M0 5L5 0M4 6L6 4" {} } }
        }
    }
}

fn tools() -> Markup {
    let orders = [
        ("name", "name"),
        ("still", "most static first"),
        ("restless", "least static first"),
        ("moving", "most moving first"),
        ("undetermined", "most undetermined first"),
        ("failed", "failed first"),
    ];
    html! {
        div #tools hidden {
            label { "Find by name or folder" input #search type="search" placeholder="2018/07 T030000"; }
            label { "Order" select #order { @for (value, name) in orders { option value=(value) { (name) } } } }
            button #previous type="button" { "‹ Previous" }
            label { "Page" input #page type="number" min="1" value="1"; }
            button #next type="button" { "Next ›" }
            span #place aria-live="polite" {}
        }
    }
}
