//! Points worth following: the best corners of every cell, so that a bright middle does not take them all.

use opencv::{core, imgproc, prelude::*};

use crate::{
    Error, Grey,
    grid::{CELLS, cell_of},
};

/// A point whose neighbourhood can be found again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corner {
    /// From the left, in pixels.
    pub x: f32,
    /// From the top, in pixels.
    pub y: f32,
    /// The cell it is in.
    pub cell: usize,
}

/// At most so many corners a cell.
const PER_CELL: usize = 10;
/// Corners of a cell keep this distance, in pixels.
const DISTANCE: f32 = 6.0;
/// Nearer to the border the window of a corner would leave the picture.
const MARGIN: usize = 4;
/// The smaller eigenvalue of the gradient matrix (OpenCV's scale: brightness 0-1) a corner must have. Noise of one grey
/// level gives about a tenth of this.
const TEXTURE: f32 = 1.0e-4;
const BLOCK: i32 = 5;

/// The corners of an image, cell by cell, the best first (Shi and Tomasi's measure).
pub fn find(image: &Grey) -> Result<Vec<Corner>, Error> {
    let strength = strength(image)?;
    let (width, height) = (image.width as usize, image.height as usize);
    let mut cells = vec![Vec::<(f32, Corner)>::new(); CELLS];
    for y in MARGIN..height.saturating_sub(MARGIN) {
        for x in MARGIN..width.saturating_sub(MARGIN) {
            let value = strength[y * width + x];
            if value >= TEXTURE && is_peak(&strength, width, x, y) {
                let cell = cell_of(x as f64, y as f64, width as f64, height as f64);
                cells[cell].push((value, Corner { x: x as f32, y: y as f32, cell }));
            }
        }
    }
    Ok(cells.into_iter().flat_map(best_apart).collect())
}

fn strength(image: &Grey) -> Result<Vec<f32>, Error> {
    let pixels = Mat::new_rows_cols_with_data(image.height as i32, image.width as i32, &image.data)?;
    let mut strength = Mat::default();
    imgproc::corner_min_eigen_val(&pixels, &mut strength, BLOCK, 3, core::BORDER_DEFAULT)?;
    Ok(strength.data_typed::<f32>()?.to_vec())
}

fn is_peak(strength: &[f32], width: usize, x: usize, y: usize) -> bool {
    let value = strength[y * width + x];
    (y - 1..=y + 1).all(|row| strength[row * width + x - 1..=row * width + x + 1].iter().all(|other| *other <= value))
}

fn best_apart(mut found: Vec<(f32, Corner)>) -> Vec<Corner> {
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut kept: Vec<Corner> = Vec::with_capacity(PER_CELL);
    for (_, corner) in found {
        let apart = |other: &Corner| (other.x - corner.x).hypot(other.y - corner.y) >= DISTANCE;
        if kept.len() < PER_CELL && kept.iter().all(apart) {
            kept.push(corner);
        }
    }
    kept
}
