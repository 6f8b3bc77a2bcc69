//! `report.html`: one self-contained page, without scripts or anything from elsewhere. Totals, a timeline and motion
//! curves per movie, failures. Colours keep apart under the common colour blindnesses and every region names itself.

use std::fmt::Write;

use motion::{Region, RegionKind};
use plan::Failure;

use crate::result::{FlowRow, RegionsFile};

const WIDTH: f64 = 960.0;
const TIMELINE: f64 = 22.0;
const CURVES: f64 = 90.0;
/// The table on the page ends after so many.
const FAILURES_SHOWN: usize = 1000;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1010px;margin:2rem auto;padding:0 1rem;color:#1b2733;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1rem;margin:1.6rem 0 .3rem;font-weight:600}table{border-collapse:collapse}\
td,th{padding:.2rem .9rem .2rem 0;text-align:left;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
svg{display:block;width:100%;height:auto}.note{color:#5a6b7b;font-size:.85rem}\
.key span{display:inline-block;margin-right:1rem}.key i{display:inline-block;width:.9em;height:.9em;margin-right:.35em;vertical-align:-.1em}\
details summary{cursor:pointer;color:#1b5e8c;font-size:.9rem}";

/// One movie as the page needs it.
#[derive(Debug, Clone)]
pub struct MovieReport {
    /// Below the archive's root.
    pub path: String,
    /// Its regions.
    pub file: RegionsFile,
    /// Its rows, for the curves; empty = no curves.
    pub rows: Vec<FlowRow>,
}

/// What is said of all movies together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    movies: usize,
    frames: u64,
    seconds: f64,
    static_regions: u64,
    static_frames: u64,
}

impl Totals {
    /// Counts one movie more.
    pub fn add(&mut self, file: &RegionsFile) {
        self.movies += 1;
        self.frames += u64::from(file.movie.num_frames);
        self.seconds += file.movie.duration;
        for region in file.regions.iter().filter(|region| region.kind == RegionKind::Static) {
            self.static_regions += 1;
            self.static_frames += length(region);
        }
    }
}

/// The whole page: totals of all movies, timelines of those in `shown`.
pub fn page(name: &str, totals: &Totals, shown: &[MovieReport], failures: &[Failure], now: jiff::Timestamp) -> String {
    let mut html = String::new();
    let title = escape(name);
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
    );
    totals_table(&mut html, totals, failures, now);
    failures_table(&mut html, failures);
    legend(&mut html);
    for movie in shown {
        one_movie(&mut html, movie);
    }
    if shown.len() < totals.movies {
        let more = totals.movies - shown.len();
        let _ = write!(html, "<p class=note>{more} more movies are in regions.csv.</p>");
    }
    html.push_str("</body></html>\n");
    html
}

fn totals_table(html: &mut String, totals: &Totals, failures: &[Failure], now: jiff::Timestamp) {
    let Totals { movies, frames, seconds, static_regions, static_frames } = *totals;
    let (hours, share) = (seconds / 3600.0, 100.0 * static_frames as f64 / (frames as f64).max(1.0));
    let _ = write!(
        html,
        "<table><tr><th>Movies<td class=n>{movies}<tr><th>Frames<td class=n>{frames}<tr><th>Hours of video<td class=n>{hours:.2}\
         <tr><th>Static regions<td class=n>{static_regions} ({share:.0} % of all frames)<tr><th>Failed in the last run<td class=n>{}</table>\
         <p class=note>Written {} UTC. Tables beside this page: regions.csv, failures.jsonl.</p>",
        failures.len(),
        now.strftime("%Y-%m-%d %H:%M:%S"),
    );
}

fn failures_table(html: &mut String, failures: &[Failure]) {
    if failures.is_empty() {
        return;
    }
    html.push_str("<h2>Failed</h2><table><tr><th>Movie<th>Reason<th class=n>Tries<th>What happened");
    for failure in failures.iter().take(FAILURES_SHOWN) {
        let (item, reason, message) = (escape(&failure.item), escape(&failure.reason), escape(&failure.message));
        let _ = write!(html, "<tr><td>{item}<td>{reason}<td class=n>{}<td>{message}", failure.attempts);
    }
    html.push_str("</table>");
    if failures.len() > FAILURES_SHOWN {
        let _ = write!(html, "<p class=note>{} more are in failures.jsonl.</p>", failures.len() - FAILURES_SHOWN);
    }
}

fn legend(html: &mut String) {
    html.push_str("<p class=\"key note\">");
    for (label, colour) in [
        ("static", "#4477aa"),
        ("pan, tilt", "#ddaa33"),
        ("zoom in", "#bb5566"),
        ("zoom out", "#aa88bb"),
        ("unknown, short", "#bbbbbb"),
        ("no region", "#eef1f4"),
    ] {
        let _ = write!(html, "<span><i style=\"background:{colour}\"></i>{label}</span>");
    }
    html.push_str("<br>");
    for (label, colour, _) in SERIES {
        let _ =
            write!(html, "<span><i style=\"background:{colour};height:.2em;vertical-align:.3em\"></i>{label}</span>");
    }
    html.push_str("</p>");
}

/// Colours of Paul Tol's high-contrast and light schemes, chosen to stay apart under colour blindness.
fn colour(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Static => "#4477aa",
        RegionKind::ZoomIn => "#bb5566",
        RegionKind::ZoomOut => "#aa88bb",
        RegionKind::Unknown | RegionKind::Short => "#bbbbbb",
        _ => "#ddaa33",
    }
}

fn one_movie(html: &mut String, movie: &MovieReport) {
    let frames = f64::from(movie.file.movie.num_frames).max(1.0);
    let x = |frame: f64| (frame - 1.0) / frames * WIDTH;
    let height = if movie.rows.is_empty() { TIMELINE } else { TIMELINE + CURVES };
    let path = escape(&movie.path);
    let _ = write!(
        html,
        "<h2>{path}</h2><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"timeline of {path}\">\
         <rect width=\"{WIDTH}\" height=\"{TIMELINE}\" fill=\"#eef1f4\"/>"
    );
    for region in &movie.file.regions {
        let (start, end) = (x(f64::from(region.start_frame)), x(f64::from(region.end_frame)));
        let (label, fill) = (region.kind.as_str(), colour(region.kind));
        // Dark on the light colours, white on the dark ones: a contrast above 4.5 each (WCAG AA).
        let ink = if matches!(region.kind, RegionKind::Static | RegionKind::ZoomIn) { "#ffffff" } else { "#1b2733" };
        let wide = (end - start).max(1.0);
        let _ = write!(
            html,
            "<g><title>{label}: frames {} to {}, scale {:.4}, tx {:.2}, ty {:.2}</title>\
             <rect x=\"{start:.1}\" width=\"{wide:.1}\" height=\"{TIMELINE}\" fill=\"{fill}\"/>",
            region.start_frame, region.end_frame, region.stats.scale_mean, region.stats.tx_mean, region.stats.ty_mean,
        );
        if wide > 9.0 * label.len() as f64 {
            let _ =
                write!(html, "<text x=\"{:.1}\" y=\"15\" font-size=\"12\" fill=\"{ink}\">{label}</text>", start + 5.0);
        }
        html.push_str("</g>");
    }
    curves(html, &movie.rows, x);
    html.push_str("</svg>");
    regions_table(html, &movie.file.regions);
}

/// Name, colour, and what of a similarity is drawn.
type Series = (&'static str, &'static str, fn(&[f64; 4]) -> f64);

const SERIES: [Series; 3] = [
    ("tx, pixels in ten frames", "#ddaa33", |s| s[2]),
    ("ty, pixels in ten frames", "#004488", |s| s[3]),
    ("scale, 1,000 (s - 1)", "#bb5566", |s| (s[0] - 1.0) * 1000.0),
];

/// tx, ty (pixels per ten frames) and 1,000 (s - 1) over the frames; gaps where the answer is undetermined.
fn curves(html: &mut String, rows: &[FlowRow], x: impl Fn(f64) -> f64) {
    if rows.is_empty() {
        return;
    }
    let sure = |row: &&FlowRow| row.optical_flow.valid && row.optical_flow.status != motion::Status::Undetermined;
    let values =
        rows.iter().filter(sure).flat_map(|row| SERIES.map(|(_, _, value)| value(&row.optical_flow.similarity).abs()));
    let top = values.fold(10.0_f64, f64::max);
    let middle = TIMELINE + CURVES / 2.0;
    let y = |value: f64| middle - value / top * (CURVES / 2.0 - 6.0);
    let _ = write!(html, "<line x1=\"0\" x2=\"{WIDTH}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"#cdd6de\"/>");
    for (label, colour, value) in SERIES {
        let mut path = String::new();
        let mut pen_down = false;
        for row in rows {
            if !sure(&row) {
                pen_down = false;
                continue;
            }
            let (px, py) = (x(f64::from(row.frame_number)), y(value(&row.optical_flow.similarity)));
            let _ = write!(path, "{}{px:.1} {py:.1}", if pen_down { 'L' } else { 'M' });
            pen_down = true;
        }
        let _ = write!(
            html,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"><title>{label}</title></path>"
        );
    }
    let _ = write!(
        html,
        "<text x=\"{:.0}\" y=\"{:.0}\" font-size=\"10\" text-anchor=\"end\" fill=\"#5a6b7b\">±{top:.0}</text>",
        WIDTH - 2.0,
        TIMELINE + 11.0
    );
}

fn regions_table(html: &mut String, regions: &[Region]) {
    let _ = write!(
        html,
        "<details><summary>{} regions</summary><table><tr><th>Type<th class=n>From<th class=n>To<th class=n>Rows<th class=n>Scale<th class=n>tx<th class=n>ty",
        regions.len()
    );
    for region in regions {
        let stats = &region.stats;
        let _ = write!(
            html,
            "<tr><td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{:.4}<td class=n>{:.2}<td class=n>{:.2}",
            region.kind.as_str(),
            region.start_frame,
            region.end_frame,
            stats.size,
            stats.scale_mean,
            stats.tx_mean,
            stats.ty_mean
        );
    }
    html.push_str("</table></details>");
}

fn length(region: &Region) -> u64 {
    u64::from(region.end_frame.saturating_sub(region.start_frame) + 1)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movies_name_cannot_become_markup() {
        let failure =
            Failure { item: "<script>\"&".into(), reason: "NotFound".into(), attempts: 1, message: "<b>".into() };
        let html = page("<i>", &Totals::default(), &[], &[failure], jiff::Timestamp::UNIX_EPOCH);
        assert!(
            html.contains("&lt;script&gt;&quot;&amp;")
                && html.contains("&lt;b&gt;")
                && html.contains("<h1>&lt;i&gt;</h1>")
        );
        assert!(!html.contains("<script") && !html.contains("<b>"));
    }
}
