//! A contact sheet: frames from all over a movie, small, in rows.

use frame::{FrameNumber, OutputSize};

use crate::picture::Picture;

/// Width of a tile in pixels; its height follows from the movie's shape.
const TILE_WIDTH: u32 = 240;

/// Which frames stand where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storyboard {
    /// Tiles in a row.
    pub columns: u32,
    /// Rows; the last may be short.
    pub rows: u32,
    /// Size of a tile.
    pub tile: OutputSize,
    /// The frames, row by row.
    pub frames: Vec<FrameNumber>,
}

impl Storyboard {
    /// Up to `columns` x `rows` frames of a movie of `frames` frames of `width` x `height` pixels: each from the middle of
    /// an equally long part, so that neither the first nor the last, often black, is among them.
    pub fn of(frames: u32, (width, height): (u32, u32), columns: u32, rows: u32) -> Self {
        let columns = columns.clamp(1, frames.max(1));
        let tiles = columns.saturating_mul(rows.max(1)).min(frames);
        let middle = |tile: u32| (u64::from(tile) * 2 + 1) * u64::from(frames) / (u64::from(tiles) * 2);
        let numbers = (0..tiles).filter_map(|tile| FrameNumber::new(middle(tile) as u32 + 1).ok());
        let tile_width = TILE_WIDTH.min(width).max(1);
        let tile_height = u64::from(tile_width) * u64::from(height) / u64::from(width.max(1));
        let tile = OutputSize { width: tile_width, height: (tile_height as u32).clamp(1, 4 * TILE_WIDTH) };
        Self { columns, rows: tiles.div_ceil(columns), tile, frames: numbers.collect() }
    }

    /// The sheet of these tiles, row by row; places without one stay black.
    pub fn sheet(&self, tiles: &[Picture]) -> Picture {
        let (width, height) = (self.columns * self.tile.width, self.rows * self.tile.height);
        let row = width as usize * 3;
        let mut rgb = vec![0; row * height as usize];
        let tile_row = self.tile.width as usize * 3;
        for (at, tile) in tiles.iter().enumerate() {
            let (column, first) = (at % self.columns as usize, at / self.columns as usize * self.tile.height as usize);
            for (line, pixels) in tile.rgb.chunks_exact(tile_row).enumerate() {
                let start = (first + line) * row + column * tile_row;
                if let Some(place) = rgb.get_mut(start..start + tile_row) {
                    place.copy_from_slice(pixels);
                }
            }
        }
        Picture { width, height, rgb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(board: &Storyboard) -> Vec<u32> {
        board.frames.iter().map(|frame| frame.get()).collect()
    }

    #[test]
    fn frames_come_from_the_middle_of_equal_parts() {
        let board = Storyboard::of(100, (1920, 1080), 5, 2);
        assert_eq!(numbers(&board), [6, 16, 26, 36, 46, 56, 66, 76, 86, 96]);
        assert_eq!((board.columns, board.rows, board.tile), (5, 2, OutputSize { width: 240, height: 135 }));
    }

    #[test]
    fn a_short_movie_has_each_frame_once() {
        let board = Storyboard::of(7, (64, 48), 6, 5);
        assert_eq!(numbers(&board), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!((board.columns, board.rows), (6, 2));
        let board = Storyboard::of(1, (64, 48), 6, 5);
        assert_eq!((numbers(&board), board.columns, board.rows), (vec![1], 1, 1));
    }

    #[test]
    fn tiles_stand_row_by_row() {
        let board = Storyboard::of(3, (1, 1), 2, 2);
        let tile = |value| Picture { width: 1, height: 1, rgb: vec![value; 3] };
        let sheet = board.sheet(&[tile(1), tile(2), tile(3)]);
        assert_eq!((sheet.width, sheet.height), (2, 2));
        assert_eq!(sheet.rgb, [1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0, 0]);
    }
}
