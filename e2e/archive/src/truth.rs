//! The true pose of every frame, beside the movie: `<stem>_truth.csv` with frame, scale, theta, x, y, spell.

use std::path::{Path, PathBuf};

use crate::camera::Pose;

/// The true poses of a movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    rows: Vec<(Pose, String)>,
}

/// A truth file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("failed to read or write the truth in {path}")]
pub struct TruthError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: csv::Error,
}

/// A motion as the result files have it: a point that stands at (x, y) in the first frame, from the picture's centre, y down,
/// stands at (x + dx, y + dy) in the second, with
///
/// ```text
/// dx = s( cos t * x + sin t * y) + tx - x
/// dy = s(-sin t * x + cos t * y) + ty - y
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Growth of the picture.
    pub s: f64,
    /// Rotation in radians; 0 with this camera.
    pub t: f64,
    /// Shift to the right in pixels: the camera turned W.
    pub tx: f64,
    /// Shift down in pixels: the camera turned N.
    pub ty: f64,
}

impl Similarity {
    /// Where the point at (x, y) goes: (dx, dy), in pixels.
    pub fn displacement(self, x: f64, y: f64) -> (f64, f64) {
        let (sin, cos) = self.t.sin_cos();
        (self.s * (cos * x + sin * y) + self.tx - x, self.s * (-sin * x + cos * y) + self.ty - y)
    }
}

impl From<[f64; 4]> for Similarity {
    /// `[s, t, tx, ty]`
    fn from([s, t, tx, ty]: [f64; 4]) -> Self {
        Self { s, t, tx, ty }
    }
}

impl From<Similarity> for [f64; 4] {
    fn from(Similarity { s, t, tx, ty }: Similarity) -> Self {
        [s, t, tx, ty]
    }
}

/// Frames in a row in which the camera does one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrueSpell {
    /// First frame, 1-based.
    pub start: u32,
    /// Last frame.
    pub end: u32,
    /// As region files name it.
    pub kind: String,
}

impl Truth {
    /// From the poses and spells of frames 1, 2, …
    pub fn new(rows: Vec<(Pose, String)>) -> Self {
        Self { rows }
    }

    /// The pose in every frame.
    pub fn poses(&self) -> Vec<Pose> {
        self.rows.iter().map(|(pose, _)| *pose).collect()
    }

    /// Where the truth of `movie` stands.
    pub fn path_of(movie: &Path) -> PathBuf {
        let stem = movie.file_stem().unwrap_or_default().to_string_lossy();
        movie.with_file_name(format!("{stem}_truth.csv"))
    }

    /// Reads a truth file.
    pub fn read(path: &Path) -> Result<Self, TruthError> {
        let fail = |source| TruthError { path: path.to_owned(), source };
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path).map_err(fail)?;
        let mut rows = Vec::new();
        for row in reader.deserialize() {
            let (_, scale, _, x, y, spell): (u32, f64, f64, f64, f64, String) = row.map_err(fail)?;
            rows.push((Pose { scale, x, y }, spell));
        }
        Ok(Self { rows })
    }

    /// As CSV text.
    pub fn to_csv(&self) -> String {
        use std::fmt::Write;
        let mut text = String::from(
            "# The true pose of the scene in every frame: a scene point at p, from the scene's centre, is seen at scale * p + (x, y)\n\
             # from the picture's centre, in full-resolution pixels, y down. theta is the rotation; this camera has none.\n\
             frame,scale,theta,x,y,spell\n",
        );
        for (at, (pose, spell)) in self.rows.iter().enumerate() {
            let _ = writeln!(text, "{},{},0,{},{},{spell}", at + 1, pose.scale, pose.x, pose.y);
        }
        text
    }

    /// Number of frames.
    pub fn frames(&self) -> u32 {
        self.rows.len() as u32
    }

    /// The motion from one frame to another (1-based) as `[s, t, tx, ty]` of the result files; `None` beyond the movie.
    pub fn motion(&self, from: u32, to: u32) -> Option<[f64; 4]> {
        let pose = |frame: u32| self.rows.get((frame as usize).checked_sub(1)?).map(|(pose, _)| *pose);
        let (a, b) = (pose(from)?, pose(to)?);
        let s = b.scale / a.scale;
        Some([s, 0.0, b.x - s * a.x, b.y - s * a.y])
    }

    /// The motion from one frame to another (1-based), with names; `None` beyond the movie.
    pub fn similarity(&self, from: u32, to: u32) -> Option<Similarity> {
        self.motion(from, to).map(Similarity::from)
    }

    /// What the camera does in a frame.
    pub fn spell(&self, frame: u32) -> Option<&str> {
        self.rows.get((frame as usize).checked_sub(1)?).map(|(_, spell)| spell.as_str())
    }

    /// The spells in order.
    pub fn spells(&self) -> Vec<TrueSpell> {
        let mut spells: Vec<TrueSpell> = Vec::new();
        for (at, (_, kind)) in self.rows.iter().enumerate() {
            let frame = at as u32 + 1;
            match spells.last_mut() {
                Some(spell) if spell.kind == *kind => spell.end = frame,
                _ => spells.push(TrueSpell { start: frame, end: frame, kind: kind.clone() }),
            }
        }
        spells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{Script, Spell};

    #[test]
    fn a_truth_reads_back_as_written() {
        let script =
            Script { spells: vec![Spell::rest(3), Spell::moving("NE", 20), Spell::moving("zoom_in", 20)], ramp: 4 };
        let truth = Truth::new(script.poses(40));
        let folder = tempfile::tempdir().unwrap();
        let path = Truth::path_of(&folder.path().join("X.mov"));
        std::fs::write(&path, truth.to_csv()).unwrap();
        assert_eq!(Truth::read(&path).unwrap(), truth);
        assert_eq!(truth.spells()[0], TrueSpell { start: 1, end: 3, kind: "static".into() });
    }

    #[test]
    fn a_camera_that_turns_west_moves_the_picture_right() {
        let script = Script { spells: vec![Spell::moving("W", 60)], ramp: 4 };
        let [s, t, tx, ty] = Truth::new(script.poses(60)).motion(20, 30).unwrap();
        assert!((s - 1.0).abs() < 1e-12 && t == 0.0 && (tx - 45.0).abs() < 1e-9 && ty == 0.0);
    }
}
