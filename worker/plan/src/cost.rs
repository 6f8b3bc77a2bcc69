//! How long an item takes, roughly, and from that how many items one index of an Indexed Job does.
//!
//! An index is a pod: its start costs seconds, its loss costs the items in hand. So an index does enough for about ten
//! minutes, and an item that takes longer than about two is an index of its own. The numbers are those of one core of
//! 2024 on 1080p ProRes; a factor of two either way changes nothing that matters.

use crate::analysis::{Analysis, Decoder, Method};

/// An item that takes longer is an index of its own.
const LONG_ITEM_SECONDS: f64 = 120.0;
/// What an index should take.
const INDEX_SECONDS: f64 = 600.0;
/// The most items an index does, as in spec.workers.itemsPerIndex.
pub const MAX_ITEMS_PER_INDEX: u32 = 1000;
/// The pixels the costs below were measured at.
const MEASURED_PIXELS: f64 = 1920.0 * 1080.0;
/// Decoding one frame in full.
const DECODE_SECONDS: f64 = 0.011;
/// Decoding its lowest frequencies.
const REDUCED_DECODE_SECONDS: f64 = 0.001;
/// Reading one frame of 0.57 MB, when many workers share an archive: about 30 MB/s for each.
const READ_SECONDS: f64 = 0.02;
/// Finding and opening an item, whatever its length.
const OPEN_SECONDS: f64 = 1.0;

/// A movie, as far as its cost goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovieSize {
    /// Number of frames.
    pub frames: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl MovieSize {
    /// A movie of the archive this was made for: what is assumed where none can be opened.
    pub const CAMHD: Self = Self { frames: 25_150, width: 1920, height: 1080 };
}

/// How many seconds a worker of `threads` threads takes for one movie: reading and computing overlap, the slower of the
/// two decides.
pub fn item_seconds(analysis: &Analysis, movie: MovieSize, threads: u32) -> f64 {
    let share = f64::from(movie.width) * f64::from(movie.height) / MEASURED_PIXELS;
    let rows = analysis.rows(movie.frames) as f64;
    let compute = rows * share * row_seconds(analysis) / f64::from(threads.max(1));
    let read = rows * share * READ_SECONDS;
    OPEN_SECONDS + compute.max(read)
}

/// Decoding and computing one row of a 1080p movie.
fn row_seconds(analysis: &Analysis) -> f64 {
    match analysis {
        Analysis::OpticalFlow(flow) => {
            let decode = match flow.decoder {
                Decoder::Reduced => REDUCED_DECODE_SECONDS,
                Decoder::Full => DECODE_SECONDS,
            };
            let estimate = match flow.method {
                Method::Auto | Method::Dis | Method::Corners => 0.015,
                Method::DualTvl1 => 1.9,
            };
            decode + estimate
        }
        // Colours are made of a full decode, and looked at pixel by pixel.
        Analysis::FrameStatistics(_) => DECODE_SECONDS + 0.011,
    }
}

/// How many items of `seconds` each one index does, 1 to [`MAX_ITEMS_PER_INDEX`]: one when it takes more than about two
/// minutes, else enough for about ten. How many indexes there are in all is not looked at: a run of more than one Job
/// can hold is divided into several Jobs.
pub fn items_per_index(seconds: f64) -> u32 {
    if seconds.is_nan() || seconds > LONG_ITEM_SECONDS {
        return 1;
    }
    // A conversion from a float that is too large gives the largest integer, which the bound then cuts.
    ((INDEX_SECONDS / seconds.max(f64::MIN_POSITIVE)).ceil() as u32).clamp(1, MAX_ITEMS_PER_INDEX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{FrameRange, OpticalFlow};
    use proptest::prelude::*;

    fn flow(method: Method, stride: u32) -> Analysis {
        let range = FrameRange { start_frame: 1, end_frame: None, stride };
        Analysis::OpticalFlow(OpticalFlow { range, method, decoder: Decoder::Reduced, regions: true })
    }

    #[test]
    fn a_camhd_movie_takes_about_a_minute_and_an_index_does_ten() {
        let seconds = item_seconds(&flow(Method::Auto, 10), MovieSize::CAMHD, 1);
        assert!((50.0..80.0).contains(&seconds), "{seconds}");
        assert_eq!(items_per_index(seconds), 12);
    }

    #[test]
    fn an_item_of_more_than_two_minutes_is_an_index_of_its_own() {
        assert_eq!((items_per_index(120.0), items_per_index(121.0)), (5, 1));
        assert_eq!(items_per_index(item_seconds(&flow(Method::DualTvl1, 10), MovieSize::CAMHD, 1)), 1);
        assert_eq!(items_per_index(item_seconds(&flow(Method::Auto, 1), MovieSize::CAMHD, 1)), 1);
    }

    #[test]
    fn short_items_fill_ten_minutes_but_no_index_is_endless() {
        assert_eq!((items_per_index(6.0), items_per_index(0.0), items_per_index(f64::NAN)), (100, 1000, 1));
        let short = MovieSize { frames: 40, width: 640, height: 360 };
        assert_eq!(items_per_index(item_seconds(&flow(Method::Auto, 10), short, 1)), 595);
    }

    #[test]
    fn threads_help_until_reading_is_what_takes_the_time() {
        let Analysis::OpticalFlow(reduced) = flow(Method::Auto, 10) else { panic!("optical flow") };
        let full = Analysis::OpticalFlow(OpticalFlow { decoder: Decoder::Full, ..reduced });
        let seconds = |threads| item_seconds(&full, MovieSize::CAMHD, threads);
        assert!(seconds(2) < seconds(1));
        assert!((seconds(8) - seconds(64)).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn an_index_takes_about_ten_minutes_unless_an_item_is_long_or_tiny(seconds in 0.6f64..120.0) {
            let takes = f64::from(items_per_index(seconds)) * seconds;
            prop_assert!((INDEX_SECONDS..=INDEX_SECONDS + seconds).contains(&takes), "{takes}");
        }
    }
}
