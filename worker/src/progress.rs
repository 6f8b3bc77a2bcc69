//! How far a run is: a bar with rate and time left on a terminal, a plain line every ten seconds elsewhere.

use std::{
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Distance between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    /// A bar on a terminal, plain lines elsewhere.
    Auto,
    /// A bar.
    Bar,
    /// Plain lines.
    Plain,
    /// Nothing.
    None,
}

/// Counts of a run, shared by all who work on it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress {
    counts: Arc<Counters>,
    bar: Option<ProgressBar>,
    plain: bool,
}

#[derive(Debug)]
struct Counters {
    movies: AtomicU64,
    opened: AtomicU64,
    done: AtomicU64,
    failed: AtomicU64,
    frames_known: AtomicU64,
    frames_done: AtomicU64,
    started: Instant,
}

/// One look at the counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Movies to do.
    pub movies: u64,
    /// Movies done.
    pub done: u64,
    /// Movies failed.
    pub failed: u64,
    /// Frames decoded.
    pub frames_done: u64,
    /// Frames to decode in all, estimated from the movies opened so far.
    pub frames: u64,
    /// Since the start.
    pub elapsed: Duration,
}

impl Progress {
    /// Progress shown in `style` on standard error.
    pub fn new(style: Style) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = matches!((style, terminal), (Style::Bar, _) | (Style::Auto, true)).then(new_bar);
        let plain = matches!((style, terminal), (Style::Plain, _) | (Style::Auto, false));
        let zero = AtomicU64::default;
        let counts = Counters {
            movies: zero(),
            opened: zero(),
            done: zero(),
            failed: zero(),
            frames_known: zero(),
            frames_done: zero(),
            started: Instant::now(),
        };
        Self { counts: Arc::new(counts), bar, plain }
    }

    /// Says a sentence, above the bar where there is one. Silent when progress is.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprint_line(text)),
            None if self.plain => eprint_line(text),
            None => {}
        }
    }

    /// So many movies are to be done.
    pub fn planned(&self, movies: u64) {
        self.counts.movies.store(movies, Relaxed);
        self.redraw();
    }

    /// A movie is open; it needs `frames` frames.
    pub fn opened(&self, frames: usize) {
        self.counts.opened.fetch_add(1, Relaxed);
        self.counts.frames_known.fetch_add(frames as u64, Relaxed);
        self.redraw();
    }

    /// A frame is decoded.
    pub fn frame(&self) {
        let done = self.counts.frames_done.fetch_add(1, Relaxed) + 1;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// A movie is done, or failed for good.
    pub fn finished(&self, ok: bool) {
        if ok { &self.counts.done } else { &self.counts.failed }.fetch_add(1, Relaxed);
        self.redraw();
    }

    /// A movie is tried anew: the `frames` decoded of it do not count twice.
    pub fn again(&self, planned: usize, decoded: u64) {
        self.counts.opened.fetch_sub(1, Relaxed);
        self.counts.frames_known.fetch_sub(planned as u64, Relaxed);
        self.counts.frames_done.fetch_sub(decoded, Relaxed);
        self.redraw();
    }

    /// The counts now.
    pub fn snapshot(&self) -> Snapshot {
        let counts = &self.counts;
        let (known, opened) = (counts.frames_known.load(Relaxed), counts.opened.load(Relaxed));
        let movies = counts.movies.load(Relaxed);
        let unopened = movies.saturating_sub(opened + counts.failed.load(Relaxed));
        Snapshot {
            movies,
            done: counts.done.load(Relaxed),
            failed: counts.failed.load(Relaxed),
            frames_done: counts.frames_done.load(Relaxed),
            frames: known + known.checked_div(opened).unwrap_or(0) * unopened,
            elapsed: counts.started.elapsed(),
        }
    }

    /// Prints plain lines until dropped or aborted; does nothing where a bar is shown.
    pub async fn print_plain_lines(self) {
        if !self.plain {
            return std::future::pending().await;
        }
        let mut ticks = tokio::time::interval(PLAIN_EVERY);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if self.counts.movies.load(Relaxed) > 0 {
                eprint_line(&self.snapshot().to_string());
            }
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn redraw(&self) {
        if let Some(bar) = &self.bar {
            let snapshot = self.snapshot();
            bar.set_length(snapshot.frames);
            bar.set_position(snapshot.frames_done);
            bar.set_message(snapshot.movies_text());
        }
    }
}

impl Snapshot {
    /// Frames per second since the start.
    pub fn rate(&self) -> f64 {
        self.frames_done as f64 / self.elapsed.as_secs_f64().max(1e-3)
    }

    /// Time left at this rate; `None` before the first frame.
    pub fn left(&self) -> Option<Duration> {
        let rate = self.rate();
        (self.frames_done > 0)
            .then(|| Duration::from_secs_f64(self.frames.saturating_sub(self.frames_done) as f64 / rate))
    }

    fn movies_text(&self) -> String {
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        format!("{}/{} movies{failed}", self.done, self.movies)
    }
}

impl std::fmt::Display for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = self.left().map_or_else(|| "unknown".to_owned(), clock);
        let (movies, rate) = (self.movies_text(), self.rate());
        write!(f, "{movies}, {}/{} frames, {rate:.1} frames/s, ETA {left}", self.frames_done, self.frames)
    }
}

/// A duration as `h:mm:ss`.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn new_bar() -> ProgressBar {
    let template = "{msg:<24} [{bar:32}] {pos}/{len} frames  {rate}  ETA {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // Writing to the bar's own text does not fail.
        let _ = write!(out, "{:.1} frames/s", state.per_sec());
    });
    let bar = ProgressBar::new(0).with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Writes a line to standard error; a closed one is no reason to stop computing.
fn eprint_line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_movies_not_yet_opened_are_estimated_from_the_others() {
        let progress = Progress::new(Style::None);
        progress.planned(4);
        progress.opened(100);
        progress.opened(300);
        progress.finished(false);
        assert_eq!(progress.snapshot().frames, 600, "two open, one failed unopened, one to come");
    }

    #[test]
    fn a_plain_line_says_movies_frames_rate_and_eta() {
        let elapsed = Duration::from_secs(10);
        let snapshot = Snapshot { movies: 7, done: 3, failed: 1, frames_done: 100, frames: 400, elapsed };
        assert_eq!(snapshot.to_string(), "3/7 movies, 1 failed, 100/400 frames, 10.0 frames/s, ETA 0:00:30");
    }

    #[test]
    fn a_second_try_does_not_count_frames_twice() {
        let progress = Progress::new(Style::None);
        progress.planned(1);
        progress.opened(50);
        (0..20).for_each(|_| progress.frame());
        progress.again(50, 20);
        assert_eq!((progress.snapshot().frames_done, progress.snapshot().frames), (0, 0));
    }
}
