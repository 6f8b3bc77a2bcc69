//! What is said of all movies together.

use motion::RegionKind;

use super::overview::Overview;

/// Sums over the movies.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// Movies that have a result.
    pub movies: usize,
    /// Their frames.
    pub frames: u64,
    /// Their length in seconds.
    pub seconds: f64,
    /// Their static regions.
    pub static_regions: u64,
    still_frames: f64,
    moving_frames: f64,
    undetermined_frames: f64,
}

impl Totals {
    /// Counts one movie more.
    pub fn add(&mut self, overview: &Overview) {
        let frames = f64::from(overview.num_frames);
        self.movies += 1;
        self.frames += u64::from(overview.num_frames);
        self.seconds += overview.duration;
        self.static_regions +=
            overview.regions.iter().filter(|region| region.kind == RegionKind::Static).count() as u64;
        self.still_frames += overview.shares.still * frames;
        self.moving_frames += overview.shares.moving * frames;
        self.undetermined_frames += overview.shares.undetermined * frames;
    }

    /// Share of all frames in static regions, 0-1.
    pub fn still(&self) -> f64 {
        self.share(self.still_frames)
    }

    /// Share of all frames in turns and zooms, 0-1.
    pub fn moving(&self) -> f64 {
        self.share(self.moving_frames)
    }

    /// Share of all rows that are not determined, 0-1; a movie counts by its length.
    pub fn undetermined(&self) -> f64 {
        self.share(self.undetermined_frames)
    }

    fn share(&self, frames: f64) -> f64 {
        frames / (self.frames as f64).max(1.0)
    }
}
