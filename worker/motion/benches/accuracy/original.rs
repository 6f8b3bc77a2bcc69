//! The original program's method: dense DualTVL1 flow, read on a grid, and a RANSAC fit. Nothing is weighed, and the answer
//! is always taken for sure.

use motion::{Estimate, Method, Prepared, Similarity, Status};
use opencv::{
    calib3d,
    core::{Mat, Point2f, Vector},
    optflow,
    prelude::*,
};

/// The grid the flow is read on, in pixels of the image.
const GRID: usize = 8;

/// The motion between two images at a quarter of the full size.
pub fn estimate(from: &Prepared, to: &Prepared) -> Estimate {
    let [earlier, later] = [from, to].map(|image| {
        let grey = image.grey();
        Mat::new_rows_cols_with_data(grey.height as i32, grey.width as i32, &grey.data).unwrap()
    });
    let mut flow = Mat::default();
    optflow::create_opt_flow_dual_tvl1().unwrap().calc(&earlier, &later, &mut flow).unwrap();
    let similarity = fit(from, &flow);
    let still = similarity.mean_displacement(1920.0, 1080.0) < 1.0;
    Estimate {
        similarity,
        valid: true,
        status: if still { Status::Still } else { Status::Moved },
        inliers: 0,
        coverage: 1.0,
        residual: 0.0,
        second: None,
        method: Method::DualTvl1,
        reasons: Vec::new(),
    }
}

fn fit(image: &Prepared, flow: &Mat) -> Similarity {
    let (width, height) = (image.grey().width as usize, image.grey().height as usize);
    let (mut before, mut after) = (Vector::<Point2f>::new(), Vector::<Point2f>::new());
    for y in (GRID / 2..height).step_by(GRID) {
        for x in (GRID / 2..width).step_by(GRID) {
            let step = flow.at_2d::<Point2f>(y as i32, x as i32).unwrap();
            let centred = Point2f::new(x as f32 - (width - 1) as f32 / 2.0, y as f32 - (height - 1) as f32 / 2.0);
            before.push(centred);
            after.push(centred + *step);
        }
    }
    let mut inliers = Mat::default();
    let found =
        calib3d::estimate_affine_partial_2d(&before, &after, &mut inliers, calib3d::RANSAC, 3.0, 2000, 0.99, 10)
            .unwrap();
    if found.empty() {
        return Similarity::IDENTITY;
    }
    let value = |row: i32, column: i32| *found.at_2d::<f64>(row, column).unwrap();
    let (a, b) = (value(0, 0), -value(1, 0));
    Similarity { s: a.hypot(b), t: b.atan2(a), tx: value(0, 2) * 4.0, ty: value(1, 2) * 4.0 }
}
