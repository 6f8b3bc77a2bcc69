//! How near the fitted motion comes to the truth, spell by spell, for each method.

mod scene;

use std::time::Instant;

use motion::{Method, Prepared, Settings, Status, estimate};
use scene::{Plume, Scene};

const PLUME: f64 = 0.25;
/// Mean over centre and corners, full-resolution pixels.
const BOUND: f64 = 0.2;

fn spells() -> Vec<(&'static str, Scene)> {
    let busy = |seed, motion| Scene::of(seed, motion).busy(1.5, 60);
    let plume = |seed, motion| busy(seed, motion).with_plume(Plume::of(PLUME));
    vec![
        ("static", Scene::of(1, [1.0, 0.0, 0.0, 0.0])),
        ("static, noise, particles", busy(2, [1.0, 0.0, 0.0, 0.0])),
        ("static, plume", plume(3, [1.0, 0.0, 0.0, 0.0])),
        ("creep of 0.7 px", busy(4, [1.0, 0.0, 0.7, 0.0])),
        ("creep of 3.3 px", plume(5, [1.0, 0.0, -2.5, 2.2])),
        ("pan of 21 px", busy(6, [1.0, 0.0, 21.0, 0.3])),
        ("pan of 50 px", plume(7, [1.0, 0.0, -50.0, 0.0])),
        ("pan of 90 px", busy(8, [1.0, 0.0, 90.0, -1.0])),
        ("tilt of 46 px", plume(9, [1.0, 0.0, 0.0, 46.0])),
        ("pan and tilt", plume(10, [1.0, 0.0, 33.0, -39.0])),
        ("slow zoom", plume(11, [1.006, 0.0, 0.0, 0.0])),
        ("zoom in", plume(12, [1.08, 0.0, 2.0, -1.0])),
        ("zoom out", busy(13, [0.92, 0.0, 0.0, 0.0])),
        ("roll", plume(14, [1.0, 0.012, 4.0, 0.0])),
        ("zoom, roll and pan", plume(15, [1.03, -0.01, 18.0, 12.0])),
    ]
}

#[test]
fn fitted_motion_is_near_the_truth() {
    let spells: Vec<_> = spells().into_iter().map(|(name, scene)| (name, scene, scene.pair())).collect();
    let mut wrong = Vec::new();
    println!("{:<26}{:>9}{:>10}{:>8}  status", "spell", "method", "error px", "ms");
    for method in [Method::Corners, Method::Dis] {
        let mut errors = Vec::new();
        for (name, scene, (from, to)) in &spells {
            // As in a movie: the earlier picture is prepared, it was the later one of the pair before.
            let to = Prepared::new(to.grey().clone());
            estimate(from, from, 0.25, &Settings { method: Method::Corners }).unwrap();
            let start = Instant::now();
            let found = estimate(from, &to, 0.25, &Settings { method }).unwrap();
            let ms = start.elapsed().as_secs_f64() * 1e3;
            let error = found.similarity.mean_difference(&scene.motion, 1920.0, 1080.0);
            println!("{name:<26}{:>9}{error:>10.3}{ms:>8.1}  {:?}", format!("{method:?}"), found.status);
            let still = scene.motion.mean_displacement(1920.0, 1080.0) < 1.0;
            let expected = if still { Status::Still } else { Status::Moved };
            if error > BOUND || found.status != expected {
                wrong.push(format!("{name} by {method:?}: {error:.3} px, {:?}", found.status));
            }
            errors.push(error);
        }
        let (mean, most) =
            (errors.iter().sum::<f64>() / errors.len() as f64, errors.iter().copied().fold(0.0, f64::max));
        println!("{:<26}{:>9}{mean:>10.3}  most {most:.3}", "mean", format!("{method:?}"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
