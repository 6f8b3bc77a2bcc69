//! The command line: render an archive, serve it, make a long movie.

use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{Movie, RenderError, Script, fault::Rule, layout::movie_path, movie_writer, server};

const RENDER_EXAMPLES: &str = "\
Examples:
  archive render --out movies                              three movies of 300 frames
  archive render --out movies --movies 8 --plume 0.4 --seed 7
  archive render --out movies --still photo.jpg            the scene from a picture
  archive render --out movies --movies 1 --script moves.csv --frames 2500";

const SERVE_EXAMPLES: &str = "\
Examples:
  archive serve --root movies --bind 127.0.0.1:8000
  archive serve --root movies --fault '{\"path\":\".mov\",\"fault\":{\"delay\":{\"ms\":500}}}'
  archive serve --root movies --fault '{\"path\":\"T03\",\"fault\":{\"status\":{\"status\":503,\"retry_after\":1}},\"times\":2}'
  curl -X POST localhost:8000/_control/faults -H 'content-type: application/json' -d '{\"fault\":{\"drop\":{\"after\":1000}}}'
  curl localhost:8000/_control/counts

Faults: delay {ms}, stall {after}, drop {after}, close, short {missing}, ignore_range, wrong_range {shift},
status {status, retry_after}, swapped. A rule may have path (a part of it, or a pattern with * and ?), times, skip,
only_ranges. DELETE /_control/faults ends them, DELETE /_control/counts counts anew, PUT /_control/down with
milliseconds closes every connection for so long. GET /_control/files lists what there is.";

const LONG_EXAMPLES: &str = "\
Examples:
  archive long X.mov long.mov                              25,155 frames, only the first is there
  archive long X.mov long.mov --present 1,6,16,26 --moov-first
The packets of X.mov are used in turn, so frame n of the long movie is frame ((n - 1) mod frames of X.mov) + 1 of X.mov.";

const AFTER: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong command line, 69 the ffmpeg command is missing.";

/// A synthetic video archive with known camera motion.
#[derive(Debug, Parser)]
#[command(name = "archive", version, about, max_term_width = 110, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render ProRes movies in the real archive's folders, with the true motion beside them.
    ///
    /// What is there already, made of the same values, is not made again.
    #[command(after_help = RENDER_EXAMPLES)]
    Render(Box<RenderArguments>),
    /// Serve a folder as the real archive is served; sick on request.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArguments),
    /// Make a movie of many frames out of a short one, as a sparse file.
    #[command(after_help = LONG_EXAMPLES)]
    Long(LongArguments),
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, clap::Args)]
struct LongArguments {
    /// The short movie its packets come from.
    short: PathBuf,
    /// The movie to make.
    out: PathBuf,
    /// Number of frames.
    #[arg(long, env = "ARCHIVE_LONG_FRAMES", default_value_t = 25_155, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    frames: u32,
    /// Which frames (from 1) are really there; the others are holes.
    #[arg(long, env = "ARCHIVE_LONG_PRESENT", value_delimiter = ',', default_value = "1")]
    present: Vec<u32>,
    /// Width and height, for the index.
    #[arg(long, env = "ARCHIVE_SIZE", default_value = "1920x1080", value_parser = parse_size)]
    size: (u32, u32),
    /// The index before the frames.
    #[arg(long, env = "ARCHIVE_LONG_MOOV_FIRST")]
    moov_first: bool,
    /// With a timecode and a sound track before the video.
    #[arg(long, env = "ARCHIVE_EXTRA_TRACKS")]
    extra_tracks: bool,
}

#[derive(Debug, clap::Args)]
struct RenderArguments {
    /// The archive's root; made if missing.
    #[arg(long, env = "ARCHIVE_OUT")]
    out: PathBuf,
    /// Number of movies.
    #[arg(long, env = "ARCHIVE_MOVIES", default_value_t = 3)]
    movies: u32,
    /// Frames of each.
    #[arg(long, env = "ARCHIVE_FRAMES", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,
    /// Width and height.
    #[arg(long, env = "ARCHIVE_SIZE", default_value = "1920x1080", value_parser = parse_size)]
    size: (u32, u32),
    /// Decides scene, script, noise and particles; movie n takes seed + n.
    #[arg(long, env = "ARCHIVE_SEED", default_value_t = 1)]
    seed: u64,
    /// Share of the picture the plume covers, 0-0.7.
    #[arg(long, env = "ARCHIVE_PLUME", default_value_t = 0.25, value_parser = parse_share)]
    plume: f64,
    /// Noise, in levels of 255.
    #[arg(long, env = "ARCHIVE_NOISE", default_value_t = 0.8)]
    noise: f64,
    /// Number of drifting particles.
    #[arg(long, env = "ARCHIVE_PARTICLES", default_value_t = 60)]
    particles: u32,
    /// Brightness of the lamps; 1 = usual, 0 = dark.
    #[arg(long, env = "ARCHIVE_LIGHT", default_value_t = 1.0)]
    light: f64,
    /// Take the scene from a picture (JPEG, PNG).
    #[arg(long, env = "ARCHIVE_STILL")]
    still: Option<PathBuf>,
    /// Take the moves from a CSV file: start,end,type,scale,tx,ty (motion between frames ten apart).
    #[arg(long, env = "ARCHIVE_SCRIPT")]
    script: Option<PathBuf>,
    /// With a sound and a timecode track.
    #[arg(long, env = "ARCHIVE_EXTRA_TRACKS")]
    extra_tracks: bool,
}

#[derive(Debug, clap::Args)]
struct ServeArguments {
    /// The archive's root.
    #[arg(long, env = "ARCHIVE_ROOT")]
    root: PathBuf,
    /// Where to listen; port 0 = any that is free.
    #[arg(long, env = "ARCHIVE_BIND", default_value = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// The path the root is served under.
    #[arg(long, env = "ARCHIVE_PREFIX", default_value = server::PREFIX)]
    prefix: String,
    /// Write the root's address to this file once it is served.
    #[arg(long, env = "ARCHIVE_URL_FILE")]
    url_file: Option<PathBuf>,
    /// A fault, as JSON; may be given several times.
    #[arg(long = "fault", env = "ARCHIVE_FAULT", value_parser = parse_rule)]
    faults: Vec<Rule>,
    /// Let files be put and deleted (PUT, DELETE), by whoever reaches the port.
    #[arg(long, env = "ARCHIVE_WRITABLE")]
    writable: bool,
}

type Failure = Box<dyn std::error::Error>;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let done = match arguments.command {
        Command::Render(arguments) => render(&arguments),
        Command::Serve(arguments) => serve(&arguments),
        Command::Long(arguments) => long(&arguments),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "archive", &mut std::io::stdout());
            Ok(())
        }
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    say(&format!("archive: {text}"));
    let unavailable = matches!(error.downcast_ref(), Some(RenderError::NoEncoder(_)));
    if unavailable { ExitCode::from(69) } else { ExitCode::FAILURE }
}

fn render(arguments: &RenderArguments) -> Result<(), Failure> {
    let script = arguments.script.as_deref().map(Script::read).transpose()?;
    for number in 0..arguments.movies {
        let movie = Movie {
            frames: arguments.frames,
            size: arguments.size,
            seed: arguments.seed.wrapping_add(u64::from(number)),
            script: script.clone(),
            still: arguments.still.clone(),
            plume: arguments.plume,
            noise: arguments.noise,
            particles: arguments.particles,
            light: arguments.light,
            extra_tracks: arguments.extra_tracks,
        };
        render_one(&movie, &arguments.out.join(movie_path(number)))?;
    }
    Ok(())
}

fn render_one(movie: &Movie, path: &Path) -> Result<(), Failure> {
    let (start, terminal) = (Instant::now(), std::io::stderr().is_terminal());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let made = movie.render_missing(path, |done| {
        if terminal && done % 10 == 0 {
            let rate = f64::from(done) / start.elapsed().as_secs_f64();
            let left = f64::from(movie.frames - done) / rate;
            let frames = movie.frames;
            let line = format!("\r{name}: {done}/{frames} frames, {rate:.0} frames/s, {left:.0} s left   ");
            let _ = write!(std::io::stderr(), "{line}");
        }
    })?;
    let cleared = if terminal { "\r\x1b[K" } else { "" };
    let (path, seconds) = (path.display(), start.elapsed().as_secs_f64());
    if made {
        let size = std::fs::metadata(path.to_string())?.len() as f64 / 1e6;
        say(&format!("{cleared}{path}: {} frames, {size:.0} MB, {seconds:.0} s", movie.frames));
    } else {
        say(&format!("{path}: is there"));
    }
    Ok(())
}

fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    let options = server::Options {
        address: arguments.bind,
        prefix: arguments.prefix.clone(),
        faults: arguments.faults.clone(),
        writable: arguments.writable,
    };
    let listening = |url: &str| {
        if let Some(path) = &arguments.url_file {
            // Written whole: who waits for the file never reads half an address.
            let partial = path.with_extension("partial");
            std::fs::write(&partial, url)?;
            std::fs::rename(&partial, path)?;
        }
        say(&format!("serving {} at {url}", arguments.root.display()));
        Ok(())
    };
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let served = tokio::runtime::Runtime::new()?.block_on(async {
        tokio::spawn(async {
            asked_to_end().await;
            let _ = stop.send(());
        });
        server::serve_until(&arguments.root, options, listening, stopped).await
    });
    served
        .map_err(|error| format!("failed to serve {} at {}: {error}", arguments.root.display(), arguments.bind).into())
}

/// Ends on the first signal to end.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn long(arguments: &LongArguments) -> Result<(), Failure> {
    let LongArguments { short, out, frames, present, size, moov_first, extra_tracks } = arguments;
    if let Some(frame) = present.iter().find(|frame| !(1..=*frames).contains(frame)) {
        return Err(format!("the movie has no frame {frame}: it has {frames}, from 1").into());
    }
    let packets =
        movie_writer::packets(short).map_err(|error| format!("failed to read {}: {error}", short.display()))?;
    let present: Vec<u32> = present.iter().map(|frame| frame - 1).collect();
    let size = (u16::try_from(size.0)?, u16::try_from(size.1)?);
    let shape = movie_writer::Shape {
        size,
        moov_first: *moov_first,
        extra_tracks: *extra_tracks,
        ..movie_writer::Shape::default()
    };
    movie_writer::write_long(out, &shape, &packets, *frames, &present)
        .map_err(|error| format!("failed to write {}: {error}", out.display()))?;
    let bytes = std::fs::metadata(out)?.len() as f64 / 1e9;
    say(&format!("{}: {frames} frames, {bytes:.1} GB, of which {} frames are there", out.display(), present.len()));
    Ok(())
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| format!("{text:?} is not a size such as 1920x1080"))
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=0.7).contains(share));
    share.ok_or_else(|| format!("{text:?} is not a share from 0 to 0.7"))
}

fn parse_rule(text: &str) -> Result<Rule, String> {
    serde_json::from_str(text).map_err(|error| format!("not a fault: {error}"))
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
