//! Movies: a scene seen by a moving camera, with plume, particles and noise, encoded as ProRes 422 by the `ffmpeg` command.

use std::{
    io::{Read, Write},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use crate::{
    camera::{Pose, Script, ScriptError},
    scene::{Scene, StillError, View, smooth},
    truth::Truth,
};

/// How a movie is made. The same values give the same bytes.
#[derive(Debug, Clone)]
pub struct Movie {
    /// Number of frames.
    pub frames: u32,
    /// Width and height in pixels; both even.
    pub size: (u32, u32),
    /// Decides scene, script, noise and particles.
    pub seed: u64,
    /// What the camera does; default a typical script by the seed.
    pub script: Option<Script>,
    /// A picture to take the scene from; default the sea floor.
    pub still: Option<PathBuf>,
    /// Share of the picture a rising plume covers, 0-0.7.
    pub plume: f64,
    /// Standard deviation of the sensor's noise, in levels of 255.
    pub noise: f64,
    /// Drifting particles in the picture.
    pub particles: u32,
    /// Brightness of the lamps; 1 = usual, 0 = dark.
    pub light: f64,
    /// With a sound and a timecode track, as cameras write them.
    pub extra_tracks: bool,
}

impl Default for Movie {
    fn default() -> Self {
        Self {
            frames: 300,
            size: (1920, 1080),
            seed: 1,
            script: None,
            still: None,
            plume: 0.25,
            noise: 0.8,
            particles: 60,
            light: 1.0,
            extra_tracks: false,
        }
    }
}

/// Why a movie could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Width or height is odd or nothing.
    #[error("a movie of {width}x{height} cannot be made: both must be even and at least 16")]
    Size {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
    },
    /// The script.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The still.
    #[error(transparent)]
    Still(#[from] StillError),
    /// The encoder is not there.
    #[error("failed to start ffmpeg, which encodes the movies. Mend: apt-get install ffmpeg")]
    NoEncoder(#[source] std::io::Error),
    /// The encoder gave up.
    #[error("ffmpeg ended with {status}: {message}")]
    Encoder {
        /// Its exit status.
        status: String,
        /// What it said.
        message: String,
    },
    /// A file.
    #[error("failed to write {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Movie {
    /// Renders to `path` and writes the truth beside it; both are complete or absent.
    pub fn render(&self, path: &Path) -> Result<Truth, RenderError> {
        self.render_with(path, |_| {})
    }

    /// Like [`Movie::render`]; says after every frame how many are done.
    pub fn render_with(&self, path: &Path, mut done: impl FnMut(u32)) -> Result<Truth, RenderError> {
        let (width, height) = self.size;
        if width % 2 == 1 || height % 2 == 1 || width < 16 || height < 16 {
            return Err(RenderError::Size { width, height });
        }
        let io = |source| RenderError::Io { path: path.to_owned(), source };
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(io)?;
        let script = self.script.clone().unwrap_or_else(|| Script::typical(self.frames, self.seed));
        let truth = Truth::new(script.poses(self.frames));
        let (stage, mut scratch) = (Stage::new(self)?, Scratch::default());
        let partial = path.with_extension("partial.mov");
        let mut encoder = self.encoder(&partial)?;
        let mut pipe = encoder.stdin.take();
        for (at, (pose, _)) in script.poses(self.frames).iter().enumerate() {
            stage.picture(at as u32, *pose, &mut scratch);
            let written = pipe.as_mut().map_or(Ok(()), |pipe| pipe.write_all(&scratch.bytes));
            if written.is_err() {
                break;
            }
            done(at as u32 + 1);
        }
        drop(pipe);
        finish(encoder)?;
        let truth_path = Truth::path_of(path);
        std::fs::write(&truth_path, truth.to_csv()).map_err(|source| RenderError::Io { path: truth_path, source })?;
        std::fs::rename(&partial, path).map_err(io)?;
        Ok(truth)
    }

    /// ProRes 422 in QuickTime with `moov` at the end, as the camera's recorder writes it; nothing in it depends on the time.
    fn encoder(&self, output: &Path) -> Result<Child, RenderError> {
        let size = format!("{}x{}", self.size.0, self.size.1);
        let mut command = Command::new("ffmpeg");
        command.args([
            "-v",
            "error",
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "yuv422p10le",
            "-s",
            &size,
            "-r",
            "30000/1001",
            "-i",
            "-",
        ]);
        if self.extra_tracks {
            let seconds = format!("{:.3}", f64::from(self.frames) * 1001.0 / 30000.0);
            command.args(["-f", "lavfi", "-t", &seconds, "-i", "anullsrc=r=48000:cl=stereo", "-c:a", "pcm_s16le"]);
            command.args(["-timecode", "01:00:00:00", "-map", "1:a", "-map", "0:v"]);
        }
        command.args(["-c:v", "prores_aw", "-profile:v", "2", "-vendor", "apl0"]);
        command.args([
            "-colorspace",
            "bt709",
            "-color_primaries",
            "bt709",
            "-color_trc",
            "bt709",
            "-color_range",
            "tv",
        ]);
        command
            .args([
                "-movflags",
                "+write_colr",
                "-map_metadata",
                "-1",
                "-fflags",
                "+bitexact",
                "-flags",
                "+bitexact",
                "-f",
                "mov",
            ])
            .arg(output);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().map_err(RenderError::NoEncoder)
    }
}

fn finish(mut encoder: Child) -> Result<(), RenderError> {
    let mut message = String::new();
    if let Some(mut errors) = encoder.stderr.take() {
        let _ = errors.read_to_string(&mut message);
    }
    let status = encoder.wait().map_err(RenderError::NoEncoder)?;
    if status.success() {
        return Ok(());
    }
    Err(RenderError::Encoder { status: status.to_string(), message: message.trim().to_owned() })
}

/// What is filled anew for every frame.
#[derive(Default)]
struct Scratch {
    view: View,
    smoke: View,
    bytes: Vec<u8>,
}

/// What does not change from frame to frame.
struct Stage {
    width: usize,
    height: usize,
    scene: Scene,
    smoke: Option<Scene>,
    plume: Vec<f32>,
    plume_columns: Range<usize>,
    lamps: Vec<f32>,
    grain: Vec<f32>,
    particles: Vec<Particle>,
    light: f32,
    seed: u64,
}

/// A particle: where it is in frame 0, how it drifts per frame (picture pixels), its radius and its brightness.
struct Particle {
    at: [f32; 2],
    drift: [f32; 2],
    radius: f32,
    bright: f32,
}

/// The plume's own rise, in pixels of a 1920 wide picture per frame: 26 in ten frames.
const RISE: f64 = 2.6;
/// The plume hides this share of what is behind it where it is thickest.
const OPACITY: f32 = 0.85;
const GRAIN: usize = 1 << 21;

impl Stage {
    fn new(movie: &Movie) -> Result<Self, RenderError> {
        let (width, height) = (movie.size.0 as usize, movie.size.1 as usize);
        let scene = match &movie.still {
            Some(path) => Scene::still(path, width)?,
            None => Scene::sea_floor(width, height, movie.seed),
        };
        let smoke = (movie.plume > 0.0).then(|| Scene::sea_floor(width, height, movie.seed ^ 0xf00d));
        let mut random = Pcg64Mcg::seed_from_u64(movie.seed ^ 0x5eed);
        let sigma = movie.noise as f32 / 255.0;
        let grain = (0..GRAIN).map(|_| sigma * normal(&mut random)).collect();
        let unit = width as f32 / 1920.0;
        let particles = (0..movie.particles).map(|_| Particle::random(&mut random, width, height, unit)).collect();
        let plume = plume_mask(width, height, movie.plume);
        let inside = |column: &usize| (0..height).any(|row| plume[row * width + column] > 0.0);
        let first = (0..width).find(inside).unwrap_or(0);
        let plume_columns = first..(first..width).rev().find(inside).map_or(first, |last| last + 1);
        let smoke = smoke.filter(|_| !plume_columns.is_empty());
        let lamps = lamps(width, height);
        let (light, seed) = (movie.light as f32, movie.seed);
        Ok(Self { width, height, scene, smoke, plume, plume_columns, lamps, grain, particles, light, seed })
    }

    /// A frame as planar 4:2:2, ten bits, little-endian, into `scratch.bytes`.
    fn picture(&self, frame: u32, pose: Pose, scratch: &mut Scratch) {
        self.scene.view(pose, (self.width, self.height), &mut scratch.view);
        self.add_plume(&mut scratch.view, &mut scratch.smoke, frame, pose);
        self.add_particles(&mut scratch.view.y, frame);
        self.develop(&scratch.view, frame, &mut scratch.bytes);
    }

    /// The plume turns with the camera like everything else, and rises.
    fn add_plume(&self, view: &mut View, smoke_view: &mut View, frame: u32, pose: Pose) {
        let Some(smoke) = &self.smoke else { return };
        let rise = RISE * self.width as f64 / 1920.0 * f64::from(frame);
        let (columns, pose) = (self.plume_columns.clone(), Pose { y: pose.y - rise, ..pose });
        smoke.brightness(pose, (self.width, self.height), columns.clone(), smoke_view);
        let rows = view.y.par_chunks_mut(self.width).zip(smoke_view.y.par_chunks(columns.len()));
        rows.zip(self.plume.par_chunks(self.width)).for_each(|((line, smoke), shares)| {
            let line = line[columns.clone()].iter_mut().zip(smoke).zip(&shares[columns.clone()]);
            line.for_each(|((out, smoke), share)| *out += share * (0.25 + 0.8 * smoke - *out));
        });
        for plane in [&mut view.u, &mut view.v] {
            plane.par_chunks_mut(self.width / 2).zip(self.plume.par_chunks(self.width)).for_each(|(line, shares)| {
                line.iter_mut().zip(shares.iter().step_by(2)).for_each(|(out, share)| *out *= 1.0 - share);
            });
        }
    }

    fn add_particles(&self, plane: &mut [f32], frame: u32) {
        let (width, height) = (self.width as f32, self.height as f32);
        for particle in &self.particles {
            let [x, y] = [0, 1].map(|axis| particle.at[axis] + particle.drift[axis] * frame as f32);
            let (x, y) = (x.rem_euclid(width), y.rem_euclid(height));
            let reach = particle.radius * 3.0;
            let columns = ((x - reach).max(0.0) as usize)..((x + reach) as usize + 1).min(self.width);
            for row in ((y - reach).max(0.0) as usize)..((y + reach) as usize + 1).min(self.height) {
                for column in columns.clone() {
                    let far =
                        ((column as f32 + 0.5 - x).powi(2) + (row as f32 + 0.5 - y).powi(2)) / particle.radius.powi(2);
                    plane[row * self.width + column] += particle.bright * (-far).exp();
                }
            }
        }
    }

    /// Lamps, noise, and the numbers of the ten-bit video range.
    fn develop(&self, view: &View, frame: u32, bytes: &mut Vec<u8>) {
        let mut random = Pcg64Mcg::seed_from_u64(self.seed ^ (u64::from(frame) << 20));
        let start = random.random_range(0..GRAIN);
        let (width, half) = (self.width, self.width / 2);
        let luma = width * self.height * 2;
        bytes.resize(luma * 2, 0);
        let (y_bytes, c_bytes) = bytes.split_at_mut(luma);
        // A stride that shares no factor with the grain's length keeps rows from repeating side by side.
        let grain_at = |row: usize| (start + row * 7919) % (GRAIN - width);
        y_bytes.par_chunks_mut(width * 2).enumerate().for_each(|(row, line)| {
            let grain = &self.grain[grain_at(row)..];
            let at = row * width;
            let samples = view.y[at..at + width].iter().zip(&self.lamps[at..at + width]).zip(grain);
            for (out, ((value, lamp), grain)) in line.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
                let bright = (value * lamp * self.light + grain).clamp(0.0, 1.0);
                *out = ((64.5 + 876.0 * bright) as u16).to_le_bytes();
            }
        });
        let (u_bytes, v_bytes) = c_bytes.split_at_mut(luma / 2);
        for (plane, out) in [(&view.u, u_bytes), (&view.v, v_bytes)] {
            out.par_chunks_mut(half * 2).enumerate().for_each(|(row, line)| {
                let lamps = self.lamps[row * width..(row + 1) * width].iter().step_by(2);
                let samples = plane[row * half..(row + 1) * half].iter().zip(lamps);
                for (out, (value, lamp)) in line.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
                    *out = ((512.5 + 896.0 * value * lamp * self.light).clamp(64.0, 960.0) as u16).to_le_bytes();
                }
            });
        }
    }
}

impl Particle {
    fn random(random: &mut Pcg64Mcg, width: usize, height: usize, unit: f32) -> Self {
        let mut within = |low: f32, high: f32| random.random_range(low..high);
        Self {
            at: [within(0.0, width as f32), within(0.0, height as f32)],
            drift: [unit * within(-1.5, 1.5), unit * within(-0.8, 2.0)],
            radius: unit * within(1.2, 3.5),
            bright: within(0.08, 0.35),
        }
    }
}

/// A column that widens as it rises, soft at its edges; about `share` of the picture is inside.
fn plume_mask(width: usize, height: usize, share: f64) -> Vec<f32> {
    let share = share.clamp(0.0, 0.7) as f32;
    let value = |at: usize| {
        let (x, y) = ((at % width) as f32 / width as f32, (at / width) as f32 / height as f32);
        let half = share * 0.5 * (1.25 - 0.5 * y);
        let middle = 0.56 + 0.03 * (y * 5.0).sin();
        OPACITY * (1.0 - smooth((x - middle).abs(), half - 0.04, half + 0.04))
    };
    if share == 0.0 { vec![0.0; width * height] } else { (0..width * height).into_par_iter().map(value).collect() }
}

/// Lamps light the middle; the corners get half of it.
fn lamps(width: usize, height: usize) -> Vec<f32> {
    let value = |at: usize| {
        let (x, y) = ((at % width) as f32 / width as f32 - 0.5, (at / width) as f32 / height as f32 - 0.45);
        1.1 - 1.15 * (x * x + 0.8 * y * y)
    };
    (0..width * height).into_par_iter().map(value).collect()
}

/// About normal: the sum of four uniform numbers, scaled to a deviation of 1.
fn normal(random: &mut Pcg64Mcg) -> f32 {
    let sum: f32 = (0..4).map(|_| random.random_range(-1.0_f32..1.0)).sum();
    sum * 0.866
}
