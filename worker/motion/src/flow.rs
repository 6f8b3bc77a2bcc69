//! Where points of the earlier image are in the later one: by tracked corners, or by dense flow read at the corners.

use opencv::{
    core::{self, Point2f, Size, TermCriteria, Vector},
    prelude::*,
    video::{self, build_optical_flow_pyramid, calc_optical_flow_pyr_lk},
};

use crate::{Error, Grey, Prepared, corners::Corner, door, similarity::Match};

/// A point that was found again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Where it was and is, from the image's centre, in pixels of the image.
    pub point: Match,
    /// The cell it was in.
    pub cell: usize,
}

const WINDOW: i32 = 11;
/// The coarsest level is 1/8: a window of 11 there sees 44 pixels of the image to either side.
const LEVELS: i32 = 3;
/// A point tracked forward and back must come home within this, in pixels.
const HOME: f32 = 0.3;
/// Iterations a level, and the step below which they end, in pixels.
const STEPS: i32 = 12;
const STEP: f64 = 0.03;
/// A window with a smaller least eigenvalue than this is too flat to follow (OpenCV's scale).
const FLAT: f64 = 1e-4;

/// Follows corners by pyramidal Lucas-Kanade, forward and back; those that do not come home are dropped.
pub fn corners(from: &Prepared, to: &Prepared) -> Result<Vec<Found>, Error> {
    let corners = from.corners();
    if corners.is_empty() {
        return Ok(Vec::new());
    }
    let starts: Vector<Point2f> = corners.iter().map(|corner| Point2f::new(corner.x, corner.y)).collect();
    let (earlier, later) = (from.pyramid()?, to.pyramid()?);
    let (ends, forth) = track(earlier, later, &starts)?;
    let (homes, back) = track(later, earlier, &ends)?;
    let mut found = Vec::with_capacity(corners.len());
    for (at, corner) in corners.iter().enumerate() {
        let (end, home) = (ends.get(at)?, homes.get(at)?);
        let home = (home.x - corner.x).hypot(home.y - corner.y) <= HOME;
        if home && forth.get(at)? == 1 && back.get(at)? == 1 {
            found.push(centred(corner, [end.x, end.y], from));
        }
    }
    Ok(found)
}

/// An image and its reductions with their gradients, as Lucas-Kanade wants them.
#[derive(Debug)]
pub struct Pyramid(Vector<Mat>);

impl Pyramid {
    /// Builds the levels of `image`.
    pub fn build(image: &Grey) -> Result<Self, Error> {
        let mut levels = Vector::<Mat>::new();
        let (window, gradients) = (Size::new(WINDOW, WINDOW), true);
        let (border, outside) = (core::BORDER_REFLECT_101, core::BORDER_CONSTANT);
        let pixels = door::pixels(image)?;
        build_optical_flow_pyramid(&pixels, &mut levels, window, LEVELS, gradients, border, outside, false)?;
        Ok(Self(levels))
    }
}

fn track(from: &Pyramid, to: &Pyramid, points: &Vector<Point2f>) -> Result<(Vector<Point2f>, Vector<u8>), Error> {
    let (mut ends, mut status, mut errors) = (Vector::new(), Vector::new(), Vector::<f32>::new());
    let criteria = TermCriteria::new(core::TermCriteria_COUNT + core::TermCriteria_EPS, STEPS, STEP)?;
    let window = Size::new(WINDOW, WINDOW);
    calc_optical_flow_pyr_lk(
        &from.0,
        &to.0,
        points,
        &mut ends,
        &mut status,
        &mut errors,
        window,
        LEVELS,
        criteria,
        0,
        FLAT,
    )?;
    Ok((ends, status))
}

/// Dense inverse search flow (Kroeger and others, 2016), read at the corners.
pub fn dis(from: &Prepared, to: &Prepared) -> Result<Vec<Found>, Error> {
    if from.corners().is_empty() {
        return Ok(Vec::new());
    }
    let mut algorithm = video::DISOpticalFlow::create(video::DISOpticalFlow_PRESET_MEDIUM)?;
    let mut flow = Mat::default();
    algorithm.calc(&door::pixels(from.grey())?, &door::pixels(to.grey())?, &mut flow)?;
    read_at_corners(from, &flow)
}

/// The original program's method.
#[cfg(feature = "tvl1")]
pub fn dual_tvl1(from: &Prepared, to: &Prepared) -> Result<Vec<Found>, Error> {
    if from.corners().is_empty() {
        return Ok(Vec::new());
    }
    let mut algorithm = opencv::optflow::create_opt_flow_dual_tvl1()?;
    let mut flow = Mat::default();
    algorithm.calc(&door::pixels(from.grey())?, &door::pixels(to.grey())?, &mut flow)?;
    read_at_corners(from, &flow)
}

/// The original program's method: not in this build.
#[cfg(not(feature = "tvl1"))]
pub fn dual_tvl1(_: &Prepared, _: &Prepared) -> Result<Vec<Found>, Error> {
    Err(Error::NotBuilt { method: "DualTVL1", feature: "tvl1" })
}

fn read_at_corners(from: &Prepared, flow: &Mat) -> Result<Vec<Found>, Error> {
    let read = |corner: &Corner| -> Result<Found, Error> {
        let step = flow.at_2d::<Point2f>(corner.y as i32, corner.x as i32)?;
        Ok(centred(corner, [corner.x + step.x, corner.y + step.y], from))
    };
    from.corners().iter().map(read).collect()
}

/// The centre of the image is the corner between its four middle pixels, whose own centres are at half pixels.
fn centred(corner: &Corner, end: [f32; 2], image: &Prepared) -> Found {
    let (x, y) = (f64::from(image.grey().width - 1) / 2.0, f64::from(image.grey().height - 1) / 2.0);
    let from = [f64::from(corner.x) - x, f64::from(corner.y) - y];
    let to = [f64::from(end[0]) - x, f64::from(end[1]) - y];
    Found { point: Match { from, to }, cell: corner.cell }
}
