//! A movie as a page: a frame, ways to the others, the storyboard, what is known.

use axum::response::Response;
use frame::{FrameNumber, MoviePath};
use maud::{Markup, html};

use super::{crumbs, encoded, page as whole};
use crate::{
    Error, Movie,
    server::{movie::Asked, storyboard::board},
    storyboard::Storyboard,
};

pub(super) async fn page(asked: Asked<'_>, below: &str, path: &str) -> Result<Response, Error> {
    let own = path.trim_end_matches("/info");
    let movie = asked.movie(&MoviePath::parse(below)?).await?;
    let number = number(asked.query.frame.as_deref(), &movie)?;
    let name = movie.path().file_name().to_owned();
    let base = encoded(own);
    let board = board(&movie, None, None)?;
    let body = html! {
        h1 { (name) }
        (viewer(&movie, number, &base))
        section aria-labelledby="storyboard" {
            h2 #storyboard { "Storyboard" }
            (storyboard(&movie, &board, &base))
        }
        section aria-labelledby="facts" {
            h2 #facts { "Facts" }
            (facts(&movie))
        }
        section aria-labelledby="programs" {
            h2 #programs { "For programs" }
            (programs(&base, number))
        }
    };
    Ok(whole(&name, &crumbs(&asked.mirror.root, own, below), &body))
}

/// The frame that the query names, the first without one.
fn number(text: Option<&str>, movie: &Movie) -> Result<FrameNumber, Error> {
    let Some(value) = text.filter(|text| !text.is_empty()) else { return Ok(FrameNumber::new(1)?) };
    let expected = "a frame number from 1";
    let number = value.parse().map_err(|_| Error::Query { name: "frame", value: value.to_owned(), expected })?;
    let frames = movie.num_frames();
    if number > frames {
        return Err(Error::NoFrame { number, frames });
    }
    Ok(FrameNumber::new(number)?)
}

fn viewer(movie: &Movie, number: FrameNumber, base: &str) -> Markup {
    let (frames, at) = (movie.num_frames(), number.get());
    let step = |by: i64| (i64::from(at) + by).clamp(1, i64::from(frames.max(1)));
    let link = |label: &str, by: i64| {
        let (to, name) = (step(by), format!("{} {}", if by < 0 { "Back" } else { "On" }, by.abs()));
        html! { a.step href={"?frame=" (to)} data-step=(by) aria-label=(name) { (label) } }
    };
    html! {
        section.viewer data-viewer data-movie=(base) data-frames=(frames) data-rate=(movie.frame_rate()) aria-label="Frame" {
            figure {
                img #frame src={(base) "/frame/" (at) ".jpg"} width=(movie.width()) height=(movie.height())
                    alt={"Frame " (at) " of " (movie.path().file_name())};
                figcaption #place aria-live="polite" { (place(movie, number)) }
            }
            form method="get" {
                label.scrub { span.hidden { "Place in the movie" }
                    input #scrub type="range" min="1" max=(frames) value=(at) aria-label="Place in the movie" aria-valuetext={"Frame " (at)};
                }
                div.steps {
                    (link("« 100", -100)) (link("‹ 10", -10)) (link("‹ 1", -1))
                    label { span.hidden { "Frame number" }
                        input #number name="frame" type="number" inputmode="numeric" min="1" max=(frames) value=(at) required;
                    }
                    button type="submit" { "Show" }
                    (link("1 ›", 1)) (link("10 ›", 10)) (link("100 »", 100))
                }
            }
            p.address {
                label for="address" { "Address of this frame" }
                input #address type="text" readonly value={(base) "/frame/" (at) ".png"};
                button #copy type="button" hidden { "Copy" }
                a #open href={(base) "/frame/" (at) ".png"} { "Open" }
            }
            p.hint.scripted hidden { kbd { "←" } " " kbd { "→" } " one frame, with " kbd { "Shift" } " ten, " kbd { "Home" } " and " kbd { "End" } " the first and the last" }
        }
    }
}

fn place(movie: &Movie, number: FrameNumber) -> String {
    let seconds = movie.seconds(number).unwrap_or_default();
    format!("Frame {number} of {}, {seconds:.3} s", movie.num_frames())
}

/// The sheet as one picture, and over each tile a link to its frame.
fn storyboard(movie: &Movie, board: &Storyboard, base: &str) -> Markup {
    let (width, height) = (board.columns * board.tile.width, board.rows * board.tile.height);
    html! {
        div.storyboard data-columns=(board.columns) {
            img src={(base) "/storyboard.jpg"} width=(width) height=(height) alt="Small frames from all over the movie" loading="lazy";
            ol class={"tiles columns-" (board.columns)} {
                @for number in &board.frames {
                    li { a href={"?frame=" (number)} data-frame=(number) title=(place(movie, *number)) { span.hidden { (place(movie, *number)) } } }
                }
            }
        }
    }
}

fn facts(movie: &Movie) -> Markup {
    let identity = movie.identity();
    let megabytes = identity.size as f64 / 1e6;
    html! {
        dl.facts {
            div { dt { "Frames" } dd { (movie.num_frames()) } }
            div { dt { "Duration" } dd { (format!("{:.3} s", movie.duration_seconds())) } }
            div { dt { "Frames a second" } dd { (format!("{:.3}", movie.frame_rate())) } }
            div { dt { "Size" } dd { (movie.width()) " × " (movie.height()) } }
            div { dt { "Codec" } dd { (movie.codec()) } }
            div { dt { "File" } dd { (format!("{megabytes:.1} MB")) } }
            @if let Some(time) = &identity.last_modified { div { dt { "Last changed" } dd { (time) } } }
        }
    }
}

fn programs(base: &str, number: FrameNumber) -> Markup {
    html! {
        ul.programs {
            li { code { (base) } " what is known, as JSON" }
            li { code { (base) "/frame/" (number) ".png" } " this frame; also .jpg .bmp .npy" }
            li { code { (base) "/frame/" (number) ".npy?depth=10" } " its values as they are, in 10 bits" }
            li { code { (base) "/frames/1-100/10.npy?grey=1&scale=4" } " several frames in one array" }
            li { a href="/openapi.json" { "all of it" } }
        }
    }
}
