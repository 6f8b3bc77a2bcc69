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

use crate::{Movie, Script, fault::Rule, layout::movie_path, movie_writer, server};

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

Faults: delay {ms}, stall {after}, drop {after}, short {missing}, ignore_range, wrong_range {shift},
status {status, retry_after}, swapped. A rule may have path (a part of it), times, skip.";

/// A synthetic video archive with known camera motion.
#[derive(Debug, Parser)]
#[command(name = "archive", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render ProRes movies in the real archive's folders, with the true motion beside them.
    #[command(after_help = RENDER_EXAMPLES)]
    Render(Box<RenderArguments>),
    /// Serve a folder as the real archive is served; sick on request.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArguments),
    /// Make a movie of many frames out of a short one, as a sparse file.
    Long {
        /// The short movie its packets come from.
        short: PathBuf,
        /// The movie to make.
        out: PathBuf,
        /// Number of frames.
        #[arg(long, default_value_t = 25_155)]
        frames: u32,
        /// Which frames (from 1) are really there; the others are holes.
        #[arg(long, value_delimiter = ',', default_value = "1")]
        present: Vec<u32>,
    },
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
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
    #[arg(long, env = "ARCHIVE_FRAMES", default_value_t = 300)]
    frames: u32,
    /// Width and height.
    #[arg(long, env = "ARCHIVE_SIZE", default_value = "1920x1080", value_parser = parse_size)]
    size: (u32, u32),
    /// Decides scene, script, noise and particles; movie n takes seed + n.
    #[arg(long, env = "ARCHIVE_SEED", default_value_t = 1)]
    seed: u64,
    /// Share of the picture the plume covers, 0-0.7.
    #[arg(long, env = "ARCHIVE_PLUME", default_value_t = 0.25)]
    plume: f64,
    /// Noise, in levels of 255.
    #[arg(long, env = "ARCHIVE_NOISE", default_value_t = 0.8)]
    noise: f64,
    /// Number of drifting particles.
    #[arg(long, env = "ARCHIVE_PARTICLES", default_value_t = 60)]
    particles: u32,
    /// Brightness of the lamps; 1 = usual.
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
    /// Write the root's address to this file once it is served.
    #[arg(long, env = "ARCHIVE_URL_FILE")]
    url_file: Option<PathBuf>,
    /// A fault, as JSON; may be given several times.
    #[arg(long = "fault", value_parser = parse_rule)]
    faults: Vec<Rule>,
}

type Failure = Box<dyn std::error::Error>;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let done = match arguments.command {
        Command::Render(arguments) => render(&arguments),
        Command::Serve(arguments) => serve(&arguments),
        Command::Long { short, out, frames, present } => long(&short, &out, frames, &present),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "archive", &mut std::io::stdout());
            Ok(())
        }
    };
    if let Err(error) = done {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        let _ = writeln!(std::io::stderr(), "archive: {text}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn render(arguments: &RenderArguments) -> Result<(), Failure> {
    let script = arguments.script.as_deref().map(Script::read).transpose()?;
    for number in 0..arguments.movies {
        let movie = Movie {
            frames: arguments.frames,
            size: arguments.size,
            seed: arguments.seed + u64::from(number),
            script: script.clone(),
            still: arguments.still.clone(),
            plume: arguments.plume,
            noise: arguments.noise,
            particles: arguments.particles,
            light: arguments.light,
            extra_tracks: arguments.extra_tracks,
        };
        let path = arguments.out.join(movie_path(number));
        let (stamp_path, stamp) =
            (path.with_extension("made"), format!("archive {} {movie:?}\n", env!("CARGO_PKG_VERSION")));
        // A hidden file beside the movie says what it was made from: the same is not made twice.
        let stamp_path = hidden(&stamp_path);
        let there = path.exists() && std::fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp);
        if there {
            say(&format!("{} is there", path.display()));
            continue;
        }
        render_one(&movie, &path)?;
        std::fs::write(&stamp_path, stamp)?;
    }
    Ok(())
}

fn hidden(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}"))
}

fn render_one(movie: &Movie, path: &Path) -> Result<(), Failure> {
    let (start, terminal) = (Instant::now(), std::io::stderr().is_terminal());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    movie.render_with(path, |done| {
        if terminal && done % 10 == 0 {
            let rate = f64::from(done) / start.elapsed().as_secs_f64();
            let left = f64::from(movie.frames - done) / rate;
            let _ = write!(
                std::io::stderr(),
                "\r{name}: {done}/{} frames, {rate:.0} frames/s, {left:.0} s left   ",
                movie.frames
            );
        }
    })?;
    let cleared = if terminal { "\r\x1b[K" } else { "" };
    let size = std::fs::metadata(path)?.len() as f64 / 1e6;
    say(&format!(
        "{cleared}{}: {} frames, {size:.0} MB, {:.0} s",
        path.display(),
        movie.frames,
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(arguments.bind).await?;
        let url = format!("http://{}{}", listener.local_addr()?, server::PREFIX);
        if let Some(path) = &arguments.url_file {
            // Written whole: who waits for the file never reads half an address.
            let partial = path.with_extension("partial");
            std::fs::write(&partial, &url)?;
            std::fs::rename(&partial, path)?;
        }
        say(&format!("serving {} at {url}", arguments.root.display()));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let _ = tokio::signal::ctrl_c().await;
            let _ = stop.send(());
        });
        Ok(server::serve_until(listener, &arguments.root, arguments.faults.clone(), stopped).await?)
    })
}

fn long(short: &Path, out: &Path, frames: u32, present: &[u32]) -> Result<(), Failure> {
    let packets = movie_writer::packets(short)?;
    let present: Vec<u32> = present.iter().map(|frame| frame.saturating_sub(1)).collect();
    movie_writer::write_long(out, &movie_writer::Shape::default(), &packets, frames, &present)?;
    Ok(())
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| format!("{text:?} is not a size such as 1920x1080"))
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
