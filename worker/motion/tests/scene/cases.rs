//! The conditions under which motion is measured: per condition, any number of scenes drawn by a seed.

use motion::Similarity;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Lamps, Plume, Scene, Text};

/// What may be asked of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The pictures say enough: few answers may be left open, and those given are within the bounds of error.
    Clean,
    /// Answers that are given are within the bounds of error.
    Fair,
    /// Answers that are given are not wrong.
    Hard,
    /// The pictures do not show the camera's motion: every answer is wrong.
    Blind,
}

/// A condition.
#[derive(Debug, Clone, Copy)]
pub struct Condition {
    pub name: &'static str,
    pub class: Class,
    make: Make,
}

/// Makes a condition's scene of a plain one, by chance and the case's number.
type Make = fn(&mut Pcg64Mcg, usize, Scene) -> Scene;

/// Two pictures of a camera.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub scene: Scene,
    /// The second picture is the first one again.
    pub frozen: bool,
}

impl Condition {
    /// The case of a number; `set` tells sets of cases apart.
    pub fn case(&self, set: u64, number: usize) -> Case {
        let name = self.name.bytes().fold(set, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        let seed = name.wrapping_mul(31).wrapping_add(number as u64) % 1_000_000_007;
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let plain = Scene::of(seed, motion(&mut random, number)).busy(1.5, 40);
        Case { scene: (self.make)(&mut random, number, plain), frozen: self.name == FROZEN }
    }
}

const FROZEN: &str = "frozen: the same picture again";

/// All conditions.
pub fn conditions() -> Vec<Condition> {
    use Class::{Blind, Clean, Fair, Hard};
    let plain: [(&str, Class, Make); 44] = [
        ("rest", Clean, |_, _, scene| moving(scene, [1.0, 0.0, 0.0, 0.0])),
        ("creep, 1.5-6 px", Clean, |random, _, scene| moving(scene, shift(random, 1.5, 6.0))),
        ("pan, tilt: 10-50 px", Clean, |random, _, scene| moving(scene, shift(random, 10.0, 50.0))),
        ("pan, tilt: 50-110 px", Clean, |random, _, scene| moving(scene, shift(random, 50.0, 110.0))),
        ("zoom", Clean, |random, _, scene| moving(scene, zoom(random))),
        ("roll", Clean, |random, _, scene| {
            moving(scene, [1.0, span(random, -0.03, 0.03), span(random, -9.0, 9.0), 0.0])
        }),
        ("plume 0 %", Clean, |_, _, scene| scene),
        ("plume 10 %", Fair, |random, at, scene| plume(random, at, scene, 0.1)),
        ("plume 20 %", Fair, |random, at, scene| plume(random, at, scene, 0.2)),
        ("plume 30 %", Fair, |random, at, scene| plume(random, at, scene, 0.3)),
        ("plume 40 %", Fair, |random, at, scene| plume(random, at, scene, 0.4)),
        ("plume 50 %", Hard, |random, at, scene| plume(random, at, scene, 0.5)),
        ("plume 60 %", Hard, |random, at, scene| plume(random, at, scene, 0.6)),
        ("plume 70 %", Hard, |random, at, scene| plume(random, at, scene, 0.7)),
        ("noise 3", Clean, |_, _, scene| scene.busy(3.0, 40)),
        ("noise 6", Fair, |_, _, scene| scene.busy(6.0, 40)),
        ("noise 12", Fair, |_, _, scene| scene.busy(12.0, 40)),
        ("300 particles", Fair, |_, _, scene| scene.busy(1.5, 300)),
        ("1000 particles", Fair, |_, _, scene| scene.busy(1.5, 1000)),
        ("dim: mean grey 30", Fair, |_, _, scene| Scene { rock: (30.0, 14.0), ..scene }),
        ("dark: mean grey 14", Fair, |_, _, scene| Scene { rock: (14.0, 6.0), ..scene }),
        ("darker: mean grey 7", Fair, |_, _, scene| Scene { rock: (7.0, 2.5), ..scene }),
        ("weak texture", Fair, |random, _, scene| Scene { rock: (70.0, span(random, 2.0, 9.0)), ..scene }),
        ("out of focus in both", Fair, |random, _, scene| focus(scene, span(random, 1.0, 5.0), 1.0)),
        ("focus hunting", Fair, |random, _, scene| focus(scene, span(random, 1.0, 6.0), 0.0)),
        ("plume 30 %, focus hunting", Fair, |random, at, scene| {
            focus(plume(random, at, scene, 0.3), span(random, 1.0, 4.0), 0.0)
        }),
        ("text over 12 %", Fair, |_, _, scene| Scene { text: Text::Lines(0.12), ..scene }),
        ("text over 25 %", Fair, |_, _, scene| Scene { text: Text::Lines(0.25), ..scene }),
        ("text over 50 %", Hard, |_, _, scene| Scene { text: Text::Lines(0.5), ..scene }),
        ("plume 30 %, text over 25 %", Fair, |random, at, scene| Scene {
            text: Text::Lines(0.25),
            ..plume(random, at, scene, 0.3)
        }),
        ("light: 0.6-1.5 times", Fair, |random, _, scene| {
            lit(scene, Lamps { gain: span(random, 0.6, 1.5), ..Lamps::EVEN })
        }),
        ("lamps that turn with the camera", Fair, |random, _, scene| {
            let lamps = lamps(random, 0.3, 0.7);
            lit(scene, lamps)
        }),
        ("strong lamps that turn with it", Fair, |random, _, scene| {
            let lamps = lamps(random, 0.7, 0.97);
            lit(scene, lamps)
        }),
        ("lamps that swing and fade", Fair, |random, _, scene| {
            let (swing, gain) = (span(random, -0.1, 0.1), span(random, 0.75, 1.3));
            lit(scene, Lamps { gain, swing, ..lamps(random, 0.3, 0.9) })
        }),
        ("plume 30 %, lamps that turn", Fair, |random, at, scene| {
            let lamps = lamps(random, 0.3, 0.9);
            lit(plume(random, at, scene, 0.3), lamps)
        }),
        ("gap 1 frame, plume 25 %", Fair, |random, at, scene| gap(random, at, scene, 1.0)),
        ("gap 3 frames, plume 25 %", Fair, |random, at, scene| gap(random, at, scene, 3.0)),
        ("gap 20 frames, plume 25 %", Fair, |random, at, scene| gap(random, at, scene, 20.0)),
        ("gap 40 frames, plume 25 %", Hard, |random, at, scene| gap(random, at, scene, 40.0)),
        ("gap 60 frames, plume 25 %", Hard, |random, at, scene| gap(random, at, scene, 60.0)),
        ("title card, camera behind it", Blind, |_, _, scene| Scene { text: Text::Card, noise: 0.0, ..scene }),
        ("title card under noise", Blind, |_, _, scene| Scene { text: Text::Lines(1.0), ..scene }),
        ("no rock: plume all over", Blind, |random, at, scene| {
            // But not rigid: what fills the picture and moves as one without change is a camera's move, for all one sees.
            plume(random, at % 2 * 4, scene, 2.5)
        }),
        (FROZEN, Blind, |random, _, scene| moving(scene, shift(random, 10.0, 60.0))),
    ];
    plain.map(|(name, class, make)| Condition { name, class, make }).into()
}

fn span(random: &mut Pcg64Mcg, from: f64, to: f64) -> f64 {
    from + (to - from) * random.random::<f64>()
}

/// What cameras do, in turn: rest, creep, pan and tilt, zoom, roll, all at once.
fn motion(random: &mut Pcg64Mcg, number: usize) -> [f64; 4] {
    match number % 8 {
        0 | 5 => [1.0, 0.0, 0.0, 0.0],
        1 => shift(random, 1.5, 6.0),
        2 | 6 => shift(random, 10.0, 60.0),
        3 => zoom(random),
        4 => shift(random, 40.0, 100.0),
        _ => {
            let [_, _, tx, ty] = shift(random, 0.0, 30.0);
            [span(random, 0.96, 1.05), span(random, -0.015, 0.015), tx, ty]
        }
    }
}

fn moving(scene: Scene, motion: [f64; 4]) -> Scene {
    Scene { motion: Similarity::from(motion), ..scene }
}

/// A shift of a length within bounds: half of the time along an axis, as cameras on motors go.
fn shift(random: &mut Pcg64Mcg, least: f64, most: f64) -> [f64; 4] {
    let length = span(random, least, most);
    let turn = if random.random::<f64>() < 0.5 {
        f64::from(random.random_range(0..4_u8)) * std::f64::consts::FRAC_PI_2 + span(random, -0.03, 0.03)
    } else {
        span(random, 0.0, std::f64::consts::TAU)
    };
    [1.0, 0.0, length * turn.cos(), length * turn.sin()]
}

/// In or out, slow to fast, a little off the middle.
fn zoom(random: &mut Pcg64Mcg) -> [f64; 4] {
    let rate = span(random, 0.004, 0.09);
    let scale = if random.random::<f64>() < 0.5 { 1.0 + rate } else { 1.0 / (1.0 + rate) };
    [scale, 0.0, span(random, -3.0, 3.0), span(random, -3.0, 3.0)]
}

/// A plume somewhere in the picture, by turns sheer, rigid and hiding the rock, or boiling.
fn plume(random: &mut Pcg64Mcg, number: usize, scene: Scene, share: f64) -> Scene {
    let kind = match number / 2 % 3 {
        0 => Plume::of(share),
        1 => Plume::rigid(share),
        _ => Plume { churn: 0.35, swirl: span(random, 4.0, 16.0), ..Plume::of(share) },
    };
    let drift = if random.random::<f64>() < 0.5 { 0.0 } else { span(random, -25.0, 25.0) };
    let plume = Plume { middle: span(random, -0.3, 0.3), rise: span(random, 6.0, 60.0), drift, ..kind };
    scene.with_plume(plume)
}

fn focus(scene: Scene, second: f64, first: f64) -> Scene {
    Scene { blur: [first * second, second], ..scene }
}

fn lamps(random: &mut Pcg64Mcg, least: f64, most: f64) -> Lamps {
    Lamps::turning(span(random, least, most), [span(random, -0.2, 0.2), span(random, -0.25, 0.1)])
}

fn lit(scene: Scene, lamps: Lamps) -> Scene {
    Scene { lamps, ..scene }
}

/// What happens in ten frames, so many tenths of it: the camera goes on, the plume too, and it boils.
fn gap(random: &mut Pcg64Mcg, number: usize, scene: Scene, frames: f64) -> Scene {
    let tenths = frames / 10.0;
    let Similarity { s, t, tx, ty } = scene.motion;
    // Above half a pixel and below one and a half, still and moved are a matter of rounding.
    let motion = Similarity { s: s.powf(tenths), t: t * tenths, tx: tx * tenths, ty: ty * tenths };
    let far = motion.mean_displacement(1920.0, 1080.0);
    let grown = if (0.5..1.5).contains(&far) { 1.5 / far } else { 1.0 };
    let motion =
        Similarity { s: motion.s.powf(grown), t: motion.t * grown, tx: motion.tx * grown, ty: motion.ty * grown };
    let scene = plume(random, number, Scene { motion, ..scene }, 0.25);
    let plume = scene.plume.map(|plume| Plume {
        rise: plume.rise * tenths,
        drift: plume.drift * tenths,
        swirl: plume.swirl * tenths,
        churn: 1.0 - (1.0 - plume.churn).powf(tenths),
        ..plume
    });
    Scene { plume, ..scene }
}
