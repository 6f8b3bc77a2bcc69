//! What the camera does: spells of rest, pan, tilt and zoom, and the pose of every frame that follows.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// One spell of the camera, as region files name it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spell {
    /// `static`, `zoom_in`, `N`, `SW`, …
    pub kind: String,
    /// Length in frames.
    pub frames: u32,
    /// Growth of the picture in ten frames.
    pub scale: f64,
    /// Shift of the picture to the right in ten frames, full-resolution pixels.
    pub tx: f64,
    /// Shift of the picture down in ten frames, full-resolution pixels.
    pub ty: f64,
}

/// The spells of a movie, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// The spells.
    pub spells: Vec<Spell>,
    /// Frames a move takes to come to speed, and to come to rest.
    pub ramp: u32,
}

/// Where the scene is in a picture: a point of the scene at p (from the scene's centre) is seen at `scale` p + (x, y) from
/// the picture's centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Picture pixels per scene pixel.
    pub scale: f64,
    /// Right of the picture's centre.
    pub x: f64,
    /// Below the picture's centre.
    pub y: f64,
}

/// A script that is none.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file could not be read.
    #[error("failed to read the script {path}")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// Rows that are out of order.
    #[error("the script's row from frame {start} to {end} does not follow the one before")]
    Order {
        /// First frame.
        start: u32,
        /// Last frame.
        end: u32,
    },
}

/// Kinds of move, for [`Script::typical`].
#[derive(Clone, Copy)]
enum Move {
    Pan,
    Tilt,
    Zoom,
    Diagonal,
}

impl Spell {
    /// A spell of rest.
    pub fn rest(frames: u32) -> Self {
        Self { kind: "static".into(), frames, scale: 1.0, tx: 0.0, ty: 0.0 }
    }

    /// A move by its region type, with the speed of the real camera: pans of 45 pixels, zooms of 7 % in ten frames.
    pub fn moving(kind: &str, frames: u32) -> Self {
        let toward = |positive: char, negative: char| {
            45.0 * (f64::from(u8::from(kind.contains(positive))) - f64::from(u8::from(kind.contains(negative))))
        };
        let (scale, tx, ty) = match kind {
            "zoom_in" => (1.075, 0.0, 0.0),
            "zoom_out" => (1.0 / 1.075, 0.0, 0.0),
            _ => (1.0, toward('W', 'E'), toward('N', 'S')),
        };
        Self { kind: kind.into(), frames, scale, tx, ty }
    }

    /// The same move, so many times as fast.
    #[must_use]
    pub fn at_speed(self, times: f64) -> Self {
        Self { scale: self.scale.powf(times), tx: self.tx * times, ty: self.ty * times, ..self }
    }

    fn moves(&self) -> bool {
        self.kind != "static"
    }
}

impl Script {
    /// Rests and moves in turn, over `frames` frames, chosen by `seed`: a pan, a tilt and a zoom in 300 frames, in another
    /// order for the next seed. Each kind of move goes back the next time, and zooms go in before they go out, so that the
    /// scene's own detail is always seen at its size or larger. Shorter than 230 frames, there are fewer moves.
    pub fn typical(frames: u32, seed: u64) -> Self {
        const ORDERS: [[Move; 4]; 4] = [
            [Move::Diagonal, Move::Zoom, Move::Pan, Move::Tilt],
            [Move::Zoom, Move::Pan, Move::Tilt, Move::Diagonal],
            [Move::Tilt, Move::Zoom, Move::Pan, Move::Diagonal],
            [Move::Pan, Move::Tilt, Move::Zoom, Move::Diagonal],
        ];
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let first = [0; 3].map(|_| usize::from(random.random_range(0..2_u8)));
        let mut spells = vec![Spell::rest(random.random_range(30..37))];
        for at in 0.. {
            let used: u32 = spells.iter().map(|spell| spell.frames).sum();
            if used + 82 > frames {
                if let Some(rest) = spells.last_mut() {
                    rest.frames = (rest.frames + frames).saturating_sub(used).max(1);
                }
                break;
            }
            let back = at / 4;
            let kind = match ORDERS[(seed % 4) as usize][at % 4] {
                Move::Pan => ["W", "E"][(first[0] + back) % 2],
                Move::Tilt => ["N", "S"][(first[1] + back) % 2],
                Move::Diagonal => ["NE", "SW"][(first[2] + back) % 2],
                Move::Zoom => ["zoom_in", "zoom_out"][back % 2],
            };
            let spell = Spell::moving(kind, random.random_range(46..53));
            spells.push(spell.at_speed(random.random_range(0.85..1.07)));
            spells.push(Spell::rest(random.random_range(30..37)));
        }
        Self { spells, ramp: 8 }
    }

    /// Reads rows `start,end,type,scale,tx,ty` (comments with `#`); what lies between two rows is rest.
    pub fn read(path: &std::path::Path) -> Result<Self, ScriptError> {
        let fail = |source| ScriptError::Read { path: path.to_owned(), source };
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_path(path).map_err(fail)?;
        let (mut spells, mut next) = (Vec::new(), 1);
        for row in reader.deserialize() {
            let (start, end, kind, scale, tx, ty): (u32, u32, String, f64, f64, f64) = row.map_err(fail)?;
            // Published neighbours share a frame: a move ends where the rest begins.
            let start = start.max(next);
            if end < start {
                return Err(ScriptError::Order { start, end });
            }
            if start > next {
                spells.push(Spell::rest(start - next));
            }
            let spell = Spell { kind, frames: end + 1 - start, scale, tx, ty };
            // The published rests drift by the estimator's noise; here a rest is one.
            spells.push(if spell.moves() { spell } else { Spell::rest(spell.frames) });
            next = end + 1;
        }
        Ok(Self { spells, ramp: 8 })
    }

    /// The script's length in frames.
    pub fn frames(&self) -> u32 {
        self.spells.iter().map(|spell| spell.frames).sum()
    }

    /// The pose of every frame and the spell it is in; the last spell lasts as long as needed.
    pub fn poses(&self, frames: u32) -> Vec<(Pose, String)> {
        let mut poses = Vec::with_capacity(frames as usize);
        let mut pose = Pose { scale: 1.0, x: 0.0, y: 0.0 };
        'spells: for (at, spell) in self.spells.iter().enumerate() {
            let last = at + 1 == self.spells.len();
            for frame in 0.. {
                if poses.len() as u32 >= frames {
                    break 'spells;
                }
                if frame >= spell.frames && !last {
                    break;
                }
                poses.push((pose, spell.kind.clone()));
                pose = pose.moved(spell, self.speed(spell, frame));
            }
        }
        poses
    }

    /// The share of its speed a spell has after `frame` frames: it rises over the ramp and falls at the end, smoothly.
    fn speed(&self, spell: &Spell, frame: u32) -> f64 {
        if !spell.moves() || frame >= spell.frames {
            return 0.0;
        }
        let ramp = f64::from(self.ramp.min(spell.frames / 2).max(1));
        let near = f64::from(frame + 1).min(f64::from(spell.frames - frame));
        let share = (near / (ramp + 1.0)).min(1.0);
        share * share * (3.0 - 2.0 * share)
    }
}

impl Pose {
    /// The next frame's pose: the picture grows about its centre, then shifts.
    fn moved(self, spell: &Spell, speed: f64) -> Self {
        let grow = spell.scale.powf(speed / 10.0);
        let shift = speed / 10.0;
        Self { scale: self.scale * grow, x: self.x * grow + spell.tx * shift, y: self.y * grow + spell.ty * shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pan_at_speed_shifts_the_picture_as_the_script_says() {
        let script = Script { spells: vec![Spell::rest(5), Spell::moving("W", 60), Spell::rest(5)], ramp: 8 };
        let poses = script.poses(70);
        let shift = poses[45].0.x - poses[35].0.x;
        assert!((shift - 45.0).abs() < 1e-9, "{shift}");
        assert_eq!(poses[0].0, poses[4].0);
        assert_eq!((poses[4].1.as_str(), poses[5].1.as_str()), ("static", "W"));
    }

    #[test]
    fn a_zoom_keeps_the_pictures_centre() {
        let script = Script { spells: vec![Spell::moving("W", 30), Spell::moving("zoom_in", 60)], ramp: 8 };
        let poses = script.poses(80);
        let ((a, _), (b, _)) = (&poses[55], &poses[65]);
        assert!((b.scale / a.scale - 1.075).abs() < 1e-9);
        assert!((b.x - b.scale / a.scale * a.x).abs() < 1e-9, "the picture's centre does not move");
    }

    #[test]
    fn typical_scripts_begin_and_end_at_rest_and_last_as_long_as_asked() {
        for seed in 0..20 {
            let script = Script::typical(300, seed);
            assert_eq!(script.frames(), 300);
            assert_eq!(
                (script.spells[0].kind.as_str(), script.spells[script.spells.len() - 1].kind.as_str()),
                ("static", "static")
            );
            assert_eq!(script.spells.len(), 7, "{script:?}");
        }
    }
}
