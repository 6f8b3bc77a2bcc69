//! Where points of the earlier image are in the later one: by tracked corners, or by dense flow read at the corners.

use opencv::{core::Point2f, prelude::*, video};

use crate::{Error, Grey, Prepared, corners::Corner, door, lucas_kanade::follow, pyramid::Pyramid, similarity::Match};

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

/// The windows' sides, in pixels.
const WINDOW: usize = 11;
const LARGE_WINDOW: usize = 21;

impl Detail {
    /// The levels of an image in which this is seen.
    pub fn pyramid(self, image: &Grey) -> Result<Pyramid, Error> {
        match self {
            Self::Plain => Ok(Pyramid::build(image, WINDOW)),
            Self::Even => Ok(Pyramid::build(&door::evened(image)?, LARGE_WINDOW)),
        }
    }

    fn follow(self, from: &Pyramid, to: &Pyramid, points: &mut dyn Iterator<Item = [f32; 2]>) -> Vec<Option<[f32; 2]>> {
        match self {
            Self::Plain => follow::<WINDOW, 2>(from, to, points),
            Self::Even => follow::<LARGE_WINDOW, 3>(from, to, points),
        }
    }
}

/// A point tracked forward and back must come home within this, in pixels.
const HOME: f32 = 0.3;
/// What looks burned in and moves less than this, in pixels, is.
const BURNED: f64 = 0.25;
/// Half the size of the area around what is burned in where it is seen along with the scene, in pixels.
const AROUND: f64 = 14.0;

/// Follows corners by pyramidal Lucas-Kanade, forward and back; those that do not come home are dropped.
pub fn corners(from: &Prepared, to: &Prepared, detail: Detail) -> Result<Vec<Found>, Error> {
    let corners = from.corners();
    if corners.is_empty() {
        return Ok(Vec::new());
    }
    let (earlier, later) = (from.pyramid(detail)?, to.pyramid(detail)?);
    let ends = detail.follow(earlier, later, &mut corners.iter().map(|corner| [corner.x, corner.y]));
    let found: Vec<(&Corner, [f32; 2])> = corners.iter().zip(ends).filter_map(|(from, to)| Some((from, to?))).collect();
    let homes = detail.follow(later, earlier, &mut found.iter().map(|(_, end)| *end));
    let is_home = |corner: &Corner, [x, y]: [f32; 2]| (x - corner.x).hypot(y - corner.y) <= HOME;
    let came =
        found.into_iter().zip(homes).filter(|((corner, _), home)| home.is_some_and(|home| is_home(corner, home)));
    Ok(came.map(|((corner, end), _)| centred(corner, end, from)).collect())
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
