//! Movies: a scene seen by a moving camera, with plume, particles and noise, encoded as ProRes 422 by the `ffmpeg` command.

mod stage;
mod water;

use std::{
    io::{Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
};

use crate::{
    camera::{Pose, Script, ScriptError},
    scene::StillError,
    truth::Truth,
};
use stage::Stage;

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
    /// Renders to `path` and writes the truth beside it; a movie is complete or absent, and never without its truth.
    pub fn render(&self, path: &Path) -> Result<Truth, RenderError> {
        self.render_with(path, |_| {})
    }

    /// Like [`Movie::render`]; says after every frame how many are done.
    pub fn render_with(&self, path: &Path, done: impl FnMut(u32)) -> Result<Truth, RenderError> {
        let (width, height) = self.size;
        if width % 2 == 1 || height % 2 == 1 || width < 16 || height < 16 {
            return Err(RenderError::Size { width, height });
        }
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| RenderError::Io { path, source }
        };
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(io(path))?;
        let script = self.script.clone().unwrap_or_else(|| Script::typical(self.frames, self.seed));
        let truth = Truth::new(script.poses(self.frames));
        let (partial, truth_path) = (hidden(path, "partial.mov"), Truth::path_of(path));
        let made =
            self.encode(&truth.poses(), &partial, done).and_then(|()| label_as_422(&partial).map_err(io(&partial)));
        if let Err(error) = made {
            let _ = std::fs::remove_file(&partial);
            return Err(error);
        }
        let partial_truth = hidden(path, "truth.partial");
        std::fs::write(&partial_truth, truth.to_csv()).map_err(io(&partial_truth))?;
        std::fs::rename(&partial_truth, &truth_path).map_err(io(&truth_path))?;
        std::fs::rename(&partial, path).map_err(io(path))?;
        Ok(truth)
    }

    /// Like [`Movie::render_with`], unless the movie is there, made of the same values; says whether it was made. A hidden
    /// file beside the movie says of what.
    pub fn render_missing(&self, path: &Path, done: impl FnMut(u32)) -> Result<bool, RenderError> {
        let (stamp_path, stamp) = (hidden(path, "made"), self.stamp());
        let made = std::fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp);
        if made && path.exists() && Truth::path_of(path).exists() {
            return Ok(false);
        }
        // A run that ends between truth and movie must not leave a stamp that vouches for both.
        let _ = std::fs::remove_file(&stamp_path);
        self.render_with(path, done)?;
        std::fs::write(&stamp_path, stamp).map_err(|source| RenderError::Io { path: stamp_path, source })?;
        Ok(true)
    }

    /// Everything the movie's bytes depend on, as text.
    fn stamp(&self) -> String {
        let still = self.still.as_ref().and_then(|path| std::fs::metadata(path).ok());
        let still = still.map(|still| (still.len(), still.modified().ok()));
        format!("archive {}, edition {EDITION}: {self:?} {still:?}\n", env!("CARGO_PKG_VERSION"))
    }

    /// Frames are made while the ones before are encoded.
    fn encode(&self, poses: &[Pose], output: &Path, mut done: impl FnMut(u32)) -> Result<(), RenderError> {
        let mut encoder = self.encoder(output)?;
        let mut stage = match Stage::new(self) {
            Ok(stage) => stage,
            Err(error) => {
                let _ = encoder.kill();
                let _ = encoder.wait();
                return Err(error.into());
            }
        };
        let (full, to_write) = sync_channel(1);
        let (empty, to_fill) = channel();
        let pipe = encoder.stdin.take();
        std::thread::scope(|scope| {
            scope.spawn(|| feed(pipe, to_write, &empty));
            fill(&mut stage, poses, &full, &to_fill, &mut done);
            drop(full);
        });
        finish(encoder)
    }

    /// ProRes 422 in QuickTime with `moov` at the end, as the camera's recorder writes it; nothing in it depends on the time.
    ///
    /// The encoder's profile LT has the rate the camera's 422 has, 0.57 MB a frame; its own 422 spends half as much again.
    /// Profiles differ in rate and label only, so [`label_as_422`] gives the movie the camera's label afterwards.
    fn encoder(&self, output: &Path) -> Result<Child, RenderError> {
        let (width, height) = self.size;
        let raw = format!("-v error -y -f rawvideo -pix_fmt yuv422p10le -s {width}x{height} -r 30000/1001 -i -");
        let mut command = Command::new("ffmpeg");
        command.args(raw.split(' '));
        if self.extra_tracks {
            let seconds = format!("{:.3}", f64::from(self.frames) * 1001.0 / 30000.0);
            command.args(["-f", "lavfi", "-t", &seconds, "-i", "anullsrc=r=48000:cl=stereo", "-c:a", "pcm_s16le"]);
            command.args(["-timecode", "01:00:00:00", "-map", "1:a", "-map", "0:v"]);
        }
        // The encoder writes what the frames say of their colours, not what its options say.
        command.args(["-vf", "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"]);
        let out = "-c:v prores_aw -profile:v 1 -vendor apl0 -movflags +write_colr -map_metadata -1 -fflags +bitexact \
                   -flags +bitexact -f mov";
        command.args(out.split(' ')).arg(output);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().map_err(RenderError::NoEncoder)
    }
}

/// Counts up when the same values make other pictures than before, so that movies made before are made anew.
const EDITION: u32 = 2;

/// Makes all frames, as long as there is someone to take them.
fn fill(
    stage: &mut Stage,
    poses: &[Pose],
    full: &SyncSender<Vec<u8>>,
    to_fill: &Receiver<Vec<u8>>,
    done: &mut impl FnMut(u32),
) {
    for (frame, pose) in (0..).zip(poses) {
        let mut bytes = to_fill.try_recv().unwrap_or_default();
        stage.picture(frame, *pose, &mut bytes);
        if full.send(bytes).is_err() {
            return;
        }
        done(frame + 1);
    }
}

/// Hands frames to the encoder and gives the buffers back, until there are no more or the encoder takes none: why it does
/// not, it says itself.
fn feed(pipe: Option<ChildStdin>, to_write: Receiver<Vec<u8>>, empty: &Sender<Vec<u8>>) {
    let Some(mut pipe) = pipe else { return };
    for bytes in to_write {
        if pipe.write_all(&bytes).is_err() {
            return;
        }
        let _ = empty.send(bytes);
    }
}

/// Writes the four-character code of ProRes 422 in the place of 422 LT's, in the index at the movie's end.
fn label_as_422(path: &Path) -> std::io::Result<()> {
    let file = std::fs::File::options().read(true).write(true).open(path)?;
    let mut tail = vec![0; file.metadata()?.len().min(4 << 20) as usize];
    let from = file.metadata()?.len() - tail.len() as u64;
    file.read_exact_at(&mut tail, from)?;
    // A frame may hold these bytes by chance, so only a whole sample description counts.
    let label = tail.windows(8).rposition(|bytes| bytes == *b"apcs\0\0\0\0");
    let label = label.ok_or_else(|| std::io::Error::other("the encoder wrote no sample description"))?;
    file.write_all_at(b"apcn", from + label as u64)
}

/// A hidden name beside `path`, for what is not to be listed.
pub(crate) fn hidden(path: &Path, ending: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{stem}.{ending}"))
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
