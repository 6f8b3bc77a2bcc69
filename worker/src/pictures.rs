//! Small pictures of a movie, for the report: a sheet of up to twenty frames from all over it, made of frames that are
//! decoded anyway. So they cost neither a read nor a decode, and are there where the archive is not: a report is read
//! offline, or long after the frame server has gone.

use std::sync::{Mutex, PoisonError};

use frame::MoviePath;
use image::{GrayImage, ImageError, codecs::jpeg::JpegEncoder, imageops};
use motion::Grey;

/// What the name of a sheet ends in, after the movie's.
pub const ENDING: &str = "_frames.jpg";
/// Tiles in a row.
pub const COLUMNS: u32 = 5;
/// Tiles on a sheet at most.
const TILES: u32 = 20;
/// A tile stands for at least so many frames: short movies have fewer tiles.
const FRAMES_PER_TILE: u32 = 20;
/// Width of a tile in pixels; its height follows from the movie's shape.
const WIDTH: u32 = 160;
const QUALITY: u8 = 65;

/// The name of `movie`'s sheet in the output.
pub fn name(movie: &MoviePath) -> String {
    let path = movie.as_str();
    format!("{}{ENDING}", path.rsplit_once('.').map_or(path, |(base, _)| base))
}

/// How many tiles the sheet of a movie of so many frames has.
pub fn tiles(frames: u32) -> u32 {
    (frames / FRAMES_PER_TILE).clamp(1, TILES)
}

/// Takes pictures of a movie whose frames come by. Threads may share it.
#[derive(Debug)]
pub struct Pictures {
    frames: u32,
    taken: Mutex<Vec<Option<GrayImage>>>,
}

impl Pictures {
    /// Of a movie of so many frames.
    pub fn of(frames: u32) -> Self {
        Self { frames, taken: Mutex::new(vec![None; tiles(frames) as usize]) }
    }

    /// Shows a decoded frame. Of each part of the movie, the first one shown from its middle on is taken.
    pub fn see(&self, number: u32, frame: &Grey) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, count) = (u64::from(number.saturating_sub(1)), taken.len() as u64);
        let part = at * count / u64::from(self.frames.max(1));
        let is_in_second_half = at * count * 2 >= (part * 2 + 1) * u64::from(self.frames);
        if let Some(place @ None) = taken.get_mut(part as usize)
            && is_in_second_half
        {
            *place = small(frame);
        }
    }

    /// The sheet as JPEG; `None` where no frame was seen. A part without a picture has that of the nearest part.
    pub fn sheet(&self) -> Result<Option<Vec<u8>>, ImageError> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.len();
        let nearest = |at: usize| {
            let distance = |other: &usize| at.abs_diff(*other);
            (0..count)
                .filter(|other| taken[*other].is_some())
                .min_by_key(distance)
                .and_then(|other| taken[other].as_ref())
        };
        let Some(first) = nearest(0) else { return Ok(None) };
        let ((width, height), columns) = (first.dimensions(), COLUMNS.min(count as u32));
        let rows = (count as u32).div_ceil(COLUMNS);
        let mut sheet = GrayImage::new(width * columns, height * rows);
        for at in 0..count {
            let (column, row) = (at as u32 % COLUMNS, at as u32 / COLUMNS);
            if let Some(tile) = nearest(at) {
                imageops::replace(&mut sheet, tile, (column * width).into(), (row * height).into());
            }
        }
        let mut jpeg = Vec::new();
        sheet.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))?;
        Ok(Some(jpeg))
    }
}

fn small(frame: &Grey) -> Option<GrayImage> {
    let image = GrayImage::from_raw(frame.width, frame.height, frame.data.clone())?;
    let width = WIDTH.min(frame.width).max(1);
    let height = (width * frame.height / frame.width.max(1)).max(1);
    Some(imageops::thumbnail(&image, width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(brightness: u8) -> Grey {
        Grey { width: 480, height: 270, data: vec![brightness; 480 * 270] }
    }

    fn brightness(sheet: &[u8]) -> Vec<u8> {
        let sheet = image::load_from_memory(sheet).unwrap().into_luma8();
        assert_eq!(sheet.dimensions(), (800, 360));
        (0..20).map(|tile| sheet.get_pixel(tile % 5 * 160 + 80, tile / 5 * 90 + 45).0[0]).collect()
    }

    #[test]
    fn every_part_of_a_movie_has_a_picture_from_its_middle() {
        let pictures = Pictures::of(2000);
        for number in (1..=2000).step_by(5) {
            pictures.see(number, &frame((number / 10) as u8));
        }
        let middles: Vec<u8> = (0..20).map(|part| (part * 10 + 5) as u8).collect();
        let seen = brightness(&pictures.sheet().unwrap().unwrap());
        assert!(seen.iter().zip(&middles).all(|(seen, middle)| seen.abs_diff(*middle) <= 1), "{seen:?}");
    }

    #[test]
    fn a_part_that_was_not_seen_borrows_of_the_nearest() {
        let pictures = Pictures::of(2000);
        assert_eq!(pictures.sheet().unwrap(), None);
        pictures.see(60, &frame(50));
        pictures.see(1960, &frame(200));
        let seen = brightness(&pictures.sheet().unwrap().unwrap());
        assert!(
            seen[..10].iter().all(|value| *value == 50) && seen[10..].iter().all(|value| *value == 200),
            "{seen:?}"
        );
    }

    #[test]
    fn a_short_movie_has_fewer_tiles() {
        assert_eq!([0, 1, 39, 40, 100, 399, 25_150].map(tiles), [1, 1, 1, 2, 5, 19, 20]);
    }
}
