//! One movie of the page: a line of facts, its timeline coloured by region, what is undetermined hatched below it, and its
//! motion curves. SVG, so that it is readable without scripts; every region names itself.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};
use motion::{Region, RegionKind};

use super::overview::{Doubt, Overview, Point};

/// Width of a timeline in its own units; it is stretched to the page's.
pub const WIDTH: f64 = 960.0;
const TIMELINE: f64 = 22.0;
/// The band of what is undetermined, below the timeline.
const DOUBTS: f64 = 7.0;
const CURVES: f64 = 76.0;
/// A region is labelled where it has this room for each letter.
const LETTER: f64 = 8.0;

/// Class and name of the curves.
pub const SERIES: [(&str, &str); 3] =
    [("tx", "tx, pixels in ten frames"), ("ty", "ty, pixels in ten frames"), ("zoom", "zoom, 1,000 (scale - 1)")];

/// What a timeline's pictures are, where there are some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// Address of the sheet, from the page: a path, or the picture itself.
    pub address: String,
    /// Tiles on it.
    pub tiles: u32,
    /// Tiles in a row.
    pub columns: u32,
}

/// One movie.
pub fn article(overview: &Overview, pictures: Option<&Pictures>, failure: Option<&str>) -> Markup {
    let (folder, name) = overview.path.rsplit_once('/').unwrap_or(("", &overview.path));
    html! {
        article data-path=(overview.path) data-frames=(overview.num_frames) data-pictures=[pictures.map(|pictures| &pictures.address)]
            data-tiles=[pictures.map(|pictures| pictures.tiles)] data-columns=[pictures.map(|pictures| pictures.columns)] {
            h3 { @if !folder.is_empty() { span.folder { (folder) "/" } wbr; } (name) }
            p.facts { (facts(overview)) @if let Some(reason) = failure { " · " strong { "failed in the last run: " (reason) } } }
            (timeline(overview))
        }
    }
}

/// A movie that has no result.
pub fn failed_article(item: &str, reason: &str, message: &str) -> Markup {
    html! {
        article.failed {
            h3 { (item) }
            p.facts { strong { "failed: " (reason) } " · " (message) }
        }
    }
}

fn facts(overview: &Overview) -> String {
    let (shares, whole) = (overview.shares, overview.duration.round() as u64);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let mut text = format!("{} frames, {}:{:02}", thousands(overview.num_frames.into()), whole / 60, whole % 60);
    if !overview.regions.is_empty() {
        let _ = write!(text, " · static {} · moving {}", percent(shares.still), percent(shares.moving));
    }
    if !overview.curve.is_empty() {
        let _ = write!(text, " · undetermined {}", percent(shares.undetermined));
    }
    if overview.regions.is_empty() { text + " · no regions" } else { text }
}

/// `25150` as `25,150`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn timeline(overview: &Overview) -> PreEscaped<String> {
    let frames = f64::from(overview.num_frames).max(1.0);
    let x = |frame: f64| ((frame - 1.0) / frames * WIDTH).clamp(0.0, WIDTH);
    let bottom = TIMELINE + if overview.curve.is_empty() { 0.0 } else { DOUBTS + CURVES };
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {bottom}\" role=\"img\" tabindex=\"0\" aria-label=\"timeline: {}\">\
         <rect class=\"none\" width=\"{WIDTH}\" height=\"{TIMELINE}\"/>",
        spoken(overview)
    );
    for region in &overview.regions {
        region_box(&mut svg, region, x(f64::from(region.start_frame)), x(f64::from(region.end_frame) + 1.0));
    }
    if !overview.curve.is_empty() {
        for doubt in &overview.doubts {
            doubt_box(&mut svg, doubt, x(f64::from(doubt.start_frame)), x(f64::from(doubt.end_frame) + 1.0));
        }
        curves(&mut svg, &overview.curve, x);
    }
    svg.push_str("</svg>");
    PreEscaped(svg)
}

/// For who does not see it. Numbers only, so nothing to escape.
fn spoken(overview: &Overview) -> String {
    let still = overview.regions.iter().filter(|region| region.kind == RegionKind::Static).count();
    format!(
        "{} regions, {still} of them static; {} stretches undetermined",
        overview.regions.len(),
        overview.doubts.len()
    )
}

fn region_box(svg: &mut String, region: &Region, start: f64, end: f64) {
    let (label, class, stats, wide) = (region.kind.as_str(), class(region.kind), &region.stats, (end - start).max(1.0));
    let _ = write!(
        svg,
        "<g class=\"{class}\"><title>{label}: frames {} to {}, scale {:.4}, tx {:.2}, ty {:.2}</title>\
         <rect x=\"{start:.1}\" width=\"{wide:.1}\" height=\"{TIMELINE}\"/>",
        region.start_frame, region.end_frame, stats.scale_mean, stats.tx_mean, stats.ty_mean,
    );
    if wide > LETTER * (label.len() + 1) as f64 {
        let _ = write!(svg, "<text x=\"{:.1}\" y=\"15\">{label}</text>", start + LETTER / 2.0);
    }
    svg.push_str("</g>");
}

fn doubt_box(svg: &mut String, doubt: &Doubt, start: f64, end: f64) {
    let reasons = html! { (doubt.reasons.join(", ")) }.into_string();
    let _ = write!(
        svg,
        "<g class=\"doubt\"><title>undetermined: frames {} to {}; {reasons}</title>\
         <rect x=\"{start:.1}\" y=\"{TIMELINE}\" width=\"{:.1}\" height=\"{DOUBTS}\"/></g>",
        doubt.start_frame,
        doubt.end_frame,
        (end - start).max(1.5)
    );
}

/// How a kind of region is coloured.
pub fn class(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Static => "static",
        RegionKind::ZoomIn => "zoom-in",
        RegionKind::ZoomOut => "zoom-out",
        RegionKind::Unknown | RegionKind::Short => "unknown",
        _ => "turn",
    }
}

/// The curves, with gaps where the motion is not determined. Whole units: what moves less is not seen, and a rest is two
/// points, not hundreds.
fn curves(svg: &mut String, curve: &[Point], x: impl Fn(f64) -> f64) {
    let values = curve.iter().filter_map(|point| point.values).flatten();
    let top = values.fold(10.0_f64, |top, value| top.max(value.abs()));
    let middle = TIMELINE + DOUBTS + CURVES / 2.0;
    let y = |value: f64| (middle - value / top * (CURVES / 2.0 - 4.0)).round();
    let _ = write!(svg, "<path class=\"axis\" d=\"M0 {middle}H{WIDTH}\"/>");
    for (at, (class, name)) in SERIES.iter().enumerate() {
        let heights = curve.iter().map(|point| (x(f64::from(point.frame)), point.values.map(|values| y(values[at]))));
        let _ = write!(svg, "<path class=\"{class}\" d=\"{}\"><title>{name}</title></path>", path(heights));
    }
    let _ = write!(
        svg,
        "<text class=\"scale\" x=\"{:.0}\" y=\"{:.0}\">±{top:.0}</text>",
        WIDTH - 2.0,
        TIMELINE + DOUBTS + 11.0
    );
}

/// A path through the points; one between two of its own height is left out.
fn path(points: impl Iterator<Item = (f64, Option<f64>)>) -> String {
    let (mut path, mut last, mut held) = (String::new(), None, None);
    for (x, height) in points {
        let Some(height) = height else {
            finish(&mut path, held.take());
            last = None;
            continue;
        };
        if last == Some(height) {
            held = Some(x);
            continue;
        }
        finish(&mut path, held.take());
        let _ = write!(path, "{}{x:.0} {height:.0}", if last.is_none() { 'M' } else { 'L' });
        last = Some(height);
    }
    finish(&mut path, held);
    path
}

/// Goes on at the same height.
fn finish(path: &mut String, held: Option<f64>) {
    if let Some(x) = held {
        let _ = write!(path, "H{x:.0}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_two_points_and_a_gap_lifts_the_pen() {
        let points = [Some(5.0), Some(5.0), Some(5.0), Some(1.0), None, Some(5.0), Some(5.0)];
        let points = points.into_iter().enumerate().map(|(at, height)| (at as f64 * 10.0, height));
        assert_eq!(path(points), "M0 5H20L30 1M50 5H60");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 25_150, 1_234_567].map(thousands), ["0", "999", "1,000", "25,150", "1,234,567"]);
    }
}
