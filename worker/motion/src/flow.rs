//! Where points of the earlier image are in the later one: by tracked corners, or by dense flow read at the corners.

use opencv::{
    core::{self, Point2f, Size, TermCriteria, ToInputArray, Vector},
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
    /// Whether it looks burned in, and did not move.
    pub overlay: bool,
}

/// What is tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The image as it is, in small windows: quick, and exact on clear pictures.
    Plain,
    /// The image smoothed, and freed of what light does to it, in large windows: for what the other leaves open.
    Even,
}

impl Detail {
    /// The window's side, in pixels.
    fn window(self) -> Size {
        match self {
            Self::Plain => Size::new(11, 11),
            Self::Even => Size::new(21, 21),
        }
    }
}

/// The coarsest level is 1/8: a window of 11 there sees 44 pixels of the image to either side.
const LEVELS: i32 = 3;
/// A point tracked forward and back must come home within this, in pixels.
const HOME: f32 = 0.3;
/// Iterations a level, and the step below which they end, in pixels.
const STEPS: i32 = 12;
const STEP: f64 = 0.03;
/// What looks burned in and moves less than this, in pixels, is.
const BURNED: f64 = 0.25;
/// Half the size of the area around what is burned in where it is seen along with the scene, in pixels.
const AROUND: f64 = 14.0;
/// A window with a smaller least eigenvalue than this is too flat to follow (OpenCV's scale).
const FLAT: f64 = 1e-4;

/// Follows corners by pyramidal Lucas-Kanade, forward and back; those that do not come home are dropped.
pub fn corners(from: &Prepared, to: &Prepared, detail: Detail) -> Result<Vec<Found>, Error> {
    let corners = from.corners();
    if corners.is_empty() {
        return Ok(Vec::new());
    }
    let starts: Vector<Point2f> = corners.iter().map(|corner| Point2f::new(corner.x, corner.y)).collect();
    let (earlier, later) = (from.pyramid(detail)?, to.pyramid(detail)?);
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
pub struct Pyramid {
    levels: Vector<Mat>,
    window: Size,
}

impl Pyramid {
    /// Builds the levels of `image`.
    pub fn build(image: &Grey, detail: Detail) -> Result<Self, Error> {
        let pixels = door::pixels(image)?;
        let window = detail.window();
        let levels = match detail {
            Detail::Plain => levels(&pixels, window)?,
            Detail::Even => levels(&door::evened(&pixels)?, window)?,
        };
        Ok(Self { levels, window })
    }
}

fn levels(pixels: &impl ToInputArray, window: Size) -> Result<Vector<Mat>, Error> {
    let mut levels = Vector::<Mat>::new();
    let (border, outside) = (core::BORDER_REFLECT_101, core::BORDER_CONSTANT);
    build_optical_flow_pyramid(pixels, &mut levels, window, LEVELS, true, border, outside, false)?;
    Ok(levels)
}

fn track(from: &Pyramid, to: &Pyramid, points: &Vector<Point2f>) -> Result<(Vector<Point2f>, Vector<u8>), Error> {
    let (mut ends, mut status, mut errors) = (Vector::new(), Vector::new(), Vector::<f32>::new());
    let criteria = TermCriteria::new(core::TermCriteria_COUNT + core::TermCriteria_EPS, STEPS, STEP)?;
    calc_optical_flow_pyr_lk(
        &from.levels,
        &to.levels,
        points,
        &mut ends,
        &mut status,
        &mut errors,
        from.window,
        LEVELS,
        criteria,
        0,
        FLAT,
    )?;
    Ok((ends, status))
}

/// The points without those burned in, and without those so near to them that they were seen as one.
pub fn without_overlays(found: Vec<Found>) -> Vec<Found> {
    let burned: Vec<[f64; 2]> = found.iter().filter(|found| found.overlay).map(|found| found.point.from).collect();
    if burned.is_empty() {
        return found;
    }
    let near = |a: [f64; 2], b: &[f64; 2]| (a[0] - b[0]).abs() < AROUND && (a[1] - b[1]).abs() < AROUND;
    found.into_iter().filter(|found| !burned.iter().any(|burned| near(found.point.from, burned))).collect()
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
    let overlay = corner.drawn && (to[0] - from[0]).hypot(to[1] - from[1]) < BURNED;
    Found { point: Match { from, to }, cell: corner.cell, overlay }
}
