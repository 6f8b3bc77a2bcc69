//! How many frames are fetched at once: as many as are on their way while one is used. An archive next door needs few; one
//! far away, whose every answer is late, needs many for the same rate.

use std::time::Duration;

/// Never more at once from one archive: it serves others, too.
const MOST: usize = 24;
/// More than what seems needed, so that more is tried as long as more helps.
const HEADROOM: f64 = 1.5;
/// Share of the newest interval in the mean.
const NEWEST: f64 = 1.0 / 16.0;

/// By the time a frame takes to come and the time between two: their ratio are on their way. It is the shortest time that
/// counts: where frames wait for each other in a line that is full, asking for more makes all of them later, and no more come.
#[derive(Debug, Clone)]
pub(super) struct Ahead {
    least: usize,
    /// Seconds a frame took at the least.
    took: f64,
    /// Seconds between two, on average.
    interval: Option<f64>,
}

impl Ahead {
    /// At least so many at once.
    pub fn new(least: usize) -> Self {
        Self { least: least.max(1), took: f64::INFINITY, interval: None }
    }

    /// A frame came, that took so long, so long after the one before.
    pub fn came(&mut self, took: Duration, since_the_last: Duration) {
        self.took = self.took.min(took.as_secs_f64());
        let newest = since_the_last.as_secs_f64();
        self.interval = Some(self.interval.map_or(newest, |mean| mean + (newest - mean) * NEWEST));
    }

    /// So many at once now.
    pub fn frames(&self) -> usize {
        let needed = self.interval.map_or(0.0, |interval| HEADROOM * self.took / interval.max(1e-6));
        (needed.ceil() as usize).clamp(self.least, MOST.max(self.least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that take `latency`, no faster than one in `line` (the archive's end) or `used` (ours): how many at once in
    /// the end, and the interval then.
    fn settled(least: usize, latency: f64, line: f64, used: f64) -> (usize, f64) {
        let mut ahead = Ahead::new(least);
        let mut interval = 0.0;
        for _ in 0..500 {
            let frames = ahead.frames() as f64;
            interval = (latency / frames).max(line).max(used);
            // In a line that is full, what is asked for waits.
            let took = if line > used { latency.max(frames * line) } else { latency };
            ahead.came(Duration::from_secs_f64(took), Duration::from_secs_f64(interval));
        }
        (ahead.frames(), interval)
    }

    #[test]
    fn an_archive_that_answers_late_is_asked_for_more_at_once() {
        let (near, _) = settled(4, 0.001, 0.0, 0.005);
        assert_eq!(near, 4);
        let (far, interval) = settled(4, 0.05, 0.0, 0.005);
        assert!((10..=20).contains(&far) && interval <= 0.005, "{far} {interval}");
    }

    #[test]
    fn there_is_an_end_to_it() {
        assert_eq!(settled(4, 10.0, 0.0, 0.001).0, MOST);
        assert_eq!(settled(40, 10.0, 0.0, 0.001).0, 40);
    }

    #[test]
    fn a_full_line_is_not_filled_further() {
        let (frames, interval) = settled(4, 0.02, 0.01, 0.002);
        assert!(frames <= 8 && interval <= 0.01, "{frames}");
    }
}
