//! What the numbers mean, and that they are the same every time.

mod scene;

use motion::{Error, Grey, Method, Prepared, Row, Settings, Status, estimate, regions};
use scene::Scene;

fn prepared(width: u32, height: u32, bytes: usize) -> Prepared {
    Prepared::new(Grey { width, height, data: vec![80; bytes] })
}

fn default(from: &Prepared, to: &Prepared) -> Result<motion::Estimate, Error> {
    estimate(from, to, 0.25, &Settings::default())
}

#[test]
fn equal_pictures_are_still_and_zero() {
    let (picture, _) = Scene::of(1, [1.0, 0.0, 0.0, 0.0]).busy(2.0, 20).pair();
    let again = Prepared::new(picture.grey().clone());
    for method in [Method::Corners, Method::Dis] {
        let found = estimate(&picture, &again, 0.25, &Settings { method }).unwrap();
        assert_eq!((found.status, found.valid, found.coverage, found.second), (Status::Still, true, 1.0, None));
        assert!(found.similarity.mean_displacement(1920.0, 1080.0) < 0.01, "{:?}", found.similarity);
    }
}

/// A picture that is shifted by whole pixels is cut from a larger one, so the truth needs no renderer to be believed.
#[test]
fn a_picture_shifted_right_and_down_has_positive_tx_and_ty() {
    let large = Scene::of(2, [1.0, 0.0, 0.0, 0.0]).picture(0.0);
    let cut = |left: usize, top: usize| {
        let rows = large.data.chunks(480).skip(top).take(240);
        Prepared::new(Grey {
            width: 440,
            height: 240,
            data: rows.flat_map(|row| row[left..left + 440].to_vec()).collect(),
        })
    };
    // The later cut begins 10 pixels further left and 5 further up: what it shows stands further right and down.
    let found = default(&cut(15, 10), &cut(5, 5)).unwrap();
    let [s, t, tx, ty] = found.similarity.to_array();
    assert!(
        (tx - 40.0).abs() < 0.05 && (ty - 20.0).abs() < 0.05 && (s - 1.0).abs() < 1e-4 && t.abs() < 1e-4,
        "{found:?}"
    );
}

#[test]
fn the_picture_turning_counter_clockwise_is_a_positive_angle() {
    let (from, _) = Scene::of(3, [1.0, 0.0, 0.0, 0.0]).pair();
    let Grey { width, height, data } = from.grey().clone();
    let (middle_x, middle_y) = (f64::from(width - 1) / 2.0, f64::from(height - 1) / 2.0);
    let angle: f64 = 0.02;
    // A quarter turn counter-clockwise on screen brings what was right of the centre above it: (1, 0) to (0, -1).
    let turned = (0..data.len()).map(|at| {
        let (x, y) = ((at % width as usize) as f64 - middle_x, (at / width as usize) as f64 - middle_y);
        let (u, v) = (x * angle.cos() - y * angle.sin() + middle_x, x * angle.sin() + y * angle.cos() + middle_y);
        let (column, row) = (u.clamp(0.0, f64::from(width) - 1.01), v.clamp(0.0, f64::from(height) - 1.01));
        let (left, top) = (column as usize, row as usize);
        let (a, b) = (column - left as f64, row - top as f64);
        let value = |dx: usize, dy: usize| f64::from(data[(top + dy) * width as usize + left + dx]);
        let upper = value(0, 0) * (1.0 - a) + value(1, 0) * a;
        let lower = value(0, 1) * (1.0 - a) + value(1, 1) * a;
        (upper * (1.0 - b) + lower * b).round() as u8
    });
    let to = Prepared::new(Grey { width, height, data: turned.collect() });
    let found = default(&from, &to).unwrap();
    assert!((found.similarity.t - angle).abs() < 2e-4 && found.status == Status::Moved, "{:?}", found.similarity);
}

#[test]
fn a_camera_that_turns_has_the_region_of_its_direction() {
    let directions = [
        ([1.0, 0.0, 45.0, 0.0], "W"),
        ([1.0, 0.0, -45.0, 0.0], "E"),
        ([1.0, 0.0, 0.0, 45.0], "N"),
        ([1.0, 0.0, 0.0, -45.0], "S"),
    ];
    for (at, (motion, name)) in directions.into_iter().enumerate() {
        let (from, to) = Scene::of(4 + at as u64, motion).pair();
        let (rest, moved) = (default(&from, &from).unwrap(), default(&from, &to).unwrap());
        let estimates = [&rest, &rest, &moved, &moved, &moved, &rest, &rest];
        let row = |(at, found): (usize, &&motion::Estimate)| Row {
            frame: 1 + 10 * at as u32,
            similarity: found.similarity.to_array(),
            valid: found.valid,
            status: found.status,
        };
        let found = regions(&estimates.iter().enumerate().map(row).collect::<Vec<_>>(), 10);
        assert_eq!(found.iter().map(|region| region.kind.as_str()).collect::<Vec<_>>(), ["static", name, "static"]);
    }
}

#[test]
fn the_same_pictures_give_the_same_bits_on_every_thread() {
    let (from, to) = Scene::of(8, [1.02, 0.005, 12.0, -7.0]).busy(3.0, 40).pair();
    for method in [Method::Corners, Method::Dis] {
        let run = || estimate(&from, &to, 0.25, &Settings { method }).unwrap();
        let first = run();
        let others = std::thread::scope(|scope| [0; 3].map(|_| scope.spawn(run)).map(|thread| thread.join().unwrap()));
        let bits = |found: &motion::Estimate| found.similarity.to_array().map(f64::to_bits);
        for other in others {
            assert_eq!((bits(&first), &first), (bits(&other), &other));
        }
        let fresh = |image: &Prepared| Prepared::new(image.grey().clone());
        assert_eq!(first, estimate(&fresh(&from), &fresh(&to), 0.25, &Settings { method }).unwrap());
    }
}

#[test]
fn images_that_cannot_be_compared_are_refused_by_name() {
    let text = |from, to| default(&from, &to).unwrap_err().to_string();
    assert_eq!(text(prepared(8, 8, 64), prepared(8, 8, 63)), "an image of 8x8 cannot have 63 bytes");
    assert_eq!(text(prepared(0, 0, 0), prepared(0, 0, 0)), "an image of 0x0 cannot have 0 bytes");
    assert_eq!(text(prepared(8, 8, 64), prepared(16, 4, 64)), "an image of 8x8 cannot be compared with one of 16x4");
}

#[test]
fn an_image_scale_that_is_no_reduction_is_refused() {
    for scale in [0.0, -0.25, 4.0, f64::NAN] {
        let found = estimate(&prepared(8, 8, 64), &prepared(8, 8, 64), scale, &Settings::default());
        assert!(matches!(found, Err(Error::Scale { .. })), "{scale}");
    }
}

#[test]
fn an_image_too_small_to_say_anything_is_undetermined() {
    for method in [Method::Corners, Method::Dis, Method::Auto] {
        let found = estimate(&prepared(4, 3, 12), &prepared(4, 3, 12), 0.25, &Settings { method }).unwrap();
        assert_eq!((found.status, found.valid, found.inliers), (Status::Undetermined, true, 0));
    }
}

#[test]
#[cfg(not(feature = "tvl1"))]
fn the_original_method_says_what_brings_it_in() {
    let (from, to) = (prepared(16, 16, 256), prepared(16, 16, 256));
    let error = estimate(&from, &to, 0.25, &Settings { method: Method::DualTvl1 }).unwrap_err();
    assert_eq!(error.to_string(), "the method DualTVL1 is not in this build (cargo feature tvl1)");
}

#[test]
#[cfg(feature = "tvl1")]
fn the_original_method_finds_the_same_motion() {
    let scene = Scene::of(9, [1.0, 0.0, 21.0, -8.0]);
    let (from, to) = scene.pair();
    let found = estimate(&from, &to, 0.25, &Settings { method: Method::DualTvl1 }).unwrap();
    assert!(found.similarity.mean_difference(&scene.motion, 1920.0, 1080.0) < 0.5, "{found:?}");
}
