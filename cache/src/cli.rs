//! The command line: serve an archive, look at a movie, save a frame.

mod serve;
mod size;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, builder::BoolishValueParser};
use clap_complete::Shell;
use frame::{FrameAddress, FrameNumber, MoviePath, Rendition, RenditionQuery};
use serve::ServeArguments;

use crate::{Error, Lazycache, config, error::chain, server::movie::description};

const SERVE_EXAMPLES: &str = "\
Examples:
  lazycache serve                                              the CamHD archive, on port 8080
  lazycache serve https://archive.example.org/files/ --port 9000
  lazycache serve --folder movies=/mnt/movies                  under /v1/movies/
  LAZYCACHE_MIRRORS=https://archive.example.org/files/ LAZYCACHE_PORT=9000 lazycache serve
  curl localhost:8080/v1/org/oceanobservatories/rawdata/files/RS03ASHS/PN03B/06-CAMHDA301/2018/07/24/";

const FRAME_EXAMPLES: &str = "\
Examples:
  lazycache frame https://archive.example.org/files/X.mov 5000 frame.png
  lazycache frame /mnt/movies/X.mov 1 small.jpg --width 480 --height 270
  lazycache frame /mnt/movies/X.mov 1 values.npy --depth 10                   every bit the movie has
  lazycache frame /mnt/movies/X.mp4 77 part.png --crop 800,400,320,240";

const INFO_EXAMPLES: &str = "\
Examples:
  lazycache info https://archive.example.org/files/X.mov
  lazycache info /mnt/movies/X.mp4 | jq .NumFrames";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  lazycache completions bash > ~/.local/share/bash-completion/completions/lazycache
  lazycache completions zsh > ~/.zfunc/_lazycache
  lazycache completions fish > ~/.config/fish/completions/lazycache.fish";

/// Serves single frames of remote QuickTime movies by byte range, without downloading them.
#[derive(Debug, Parser)]
#[command(name = "lazycache", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is one, for as long as the program runs
enum Command {
    /// Serve the v1 HTTP API over one or more archives.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArguments>),
    /// Print what is known of a movie, as JSON.
    #[command(after_help = INFO_EXAMPLES)]
    Info {
        /// The movie: an address or a file.
        movie: String,
    },
    /// Save one frame of a movie; the file's extension chooses the format (png, jpg, bmp, rgba, raw, npy).
    #[command(after_help = FRAME_EXAMPLES)]
    Frame {
        /// The movie: an address or a file.
        movie: String,
        /// Which frame, from 1.
        number: u32,
        /// Where it goes.
        output: PathBuf,
        #[command(flatten)]
        rendition: RenditionArguments,
    },
    /// Print the completions of a shell.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

// How the pixels are wanted: the words of the server's query. A doc comment here would become the command's.
#[derive(Debug, clap::Args)]
struct RenditionArguments {
    /// Width to scale to (with --height).
    #[arg(long, env = "LAZYCACHE_FRAME_WIDTH", requires = "height", value_name = "PIXELS")]
    width: Option<String>,
    /// Height to scale to (with --width).
    #[arg(long, env = "LAZYCACHE_FRAME_HEIGHT", requires = "width", value_name = "PIXELS")]
    height: Option<String>,
    /// Reduce by 2, 4 or 8 in both directions, every pixel the mean of a square.
    #[arg(long, env = "LAZYCACHE_FRAME_SCALE", value_name = "FACTOR")]
    scale: Option<String>,
    /// Only the brightness.
    #[arg(long, env = "LAZYCACHE_FRAME_GREY", value_parser = BoolishValueParser::new())]
    grey: bool,
    /// How what is smaller than the frame is made: reduced (of ProRes only the lowest frequencies are decoded), or full
    /// [default: reduced].
    #[arg(long, env = "LAZYCACHE_FRAME_DECODER", value_name = "DECODER")]
    decoder: Option<String>,
    /// Only this part, in pixels of the movie.
    #[arg(long, env = "LAZYCACHE_FRAME_CROP", value_name = "X,Y,WIDTH,HEIGHT")]
    crop: Option<String>,
    /// Bits a value: 8, 10 (npy) or 16 (npy, png).
    #[arg(long, env = "LAZYCACHE_FRAME_DEPTH", value_name = "BITS")]
    depth: Option<String>,
    /// Quality of a JPEG, 1 to 100 [default: 85].
    #[arg(long, env = "LAZYCACHE_FRAME_QUALITY", value_name = "PERCENT")]
    quality: Option<String>,
}

impl RenditionArguments {
    fn rendition(&self) -> Result<Rendition, Error> {
        Ok(Rendition::from_query(&RenditionQuery {
            width: self.width.as_deref(),
            height: self.height.as_deref(),
            scale: self.scale.as_deref(),
            grey: self.grey.then_some("1"),
            decoder: self.decoder.as_deref(),
            crop: self.crop.as_deref(),
            depth: self.depth.as_deref(),
            q: self.quality.as_deref(),
        })?)
    }
}

/// The command line, for the reference in `docs`.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    crate::allocator::give_large_blocks_back();
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "lazycache: {}", chain(&error));
            return ExitCode::from(2);
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("LAZYCACHE_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("failed to start: {error}")),
    };
    let done = match arguments.command {
        Command::Serve(arguments) => runtime.block_on(arguments.run()),
        Command::Info { movie } => runtime.block_on(info(&movie)),
        Command::Frame { movie, number, output, rendition } => {
            runtime.block_on(async { frame(&movie, number, &output, rendition.rendition()?).await })
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "lazycache", &mut std::io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Usage(text)) => {
            let _ = writeln!(std::io::stderr(), "lazycache: {text}");
            ExitCode::from(2)
        }
        Err(CommandError::Io { what, source }) => fail(&format!("failed to {what}: {source}")),
        Err(CommandError::Failed(error)) => fail(&format!("{}: {}", error.kind().as_str(), chain(&error))),
    }
}

/// The command line, with what a configuration file says as the defaults of `serve`.
fn arguments() -> Result<Arguments, config::ConfigError> {
    let command = Arguments::command();
    // Read once to learn which file is meant; what is wrong is told the second time.
    let first = command.clone().ignore_errors(true).get_matches();
    let file =
        if first.subcommand_name() == Some("serve") { config::find(config::named(&first).as_deref()) } else { None };
    let command = match file {
        Some(path) => {
            let serve = command.find_subcommand("serve").cloned().unwrap_or_default();
            let serve = config::apply(serve, &path)?;
            command.mut_subcommand("serve", |_| serve)
        }
        None => command,
    };
    Ok(Arguments::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit()))
}

enum CommandError {
    Usage(String),
    Io { what: String, source: std::io::Error },
    Failed(Error),
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Ends with the first Ctrl-C or SIGTERM.
async fn terminated() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
    tracing::info!("no longer accepting; requests under way are finished");
}

async fn info(movie: &str) -> Result<(), CommandError> {
    let (cache, path) = open(movie)?;
    let movie = cache.movie(&path).await?;
    let text = serde_json::to_string_pretty(&description(&movie)).unwrap_or_default();
    writeln!(std::io::stdout(), "{text}").map_err(|source| CommandError::Io { what: "print".into(), source })
}

async fn frame(movie: &str, number: u32, output: &std::path::Path, rendition: Rendition) -> Result<(), CommandError> {
    let (cache, path) = open(movie)?;
    let extension = output.extension().map(|extension| extension.to_string_lossy()).unwrap_or_default();
    let format = extension.parse().map_err(Error::from)?;
    let number = FrameNumber::new(number).map_err(Error::from)?;
    let address = FrameAddress { movie: path, number, format, rendition }.checked().map_err(Error::from)?;
    let encoded = cache.frame(&address).await?;
    std::fs::write(output, &encoded.bytes)
        .map_err(|source| CommandError::Io { what: format!("write {}", output.display()), source })
}

/// An address or a file as an archive of its own and the movie in it.
fn open(movie: &str) -> Result<(Lazycache, MoviePath), Error> {
    let root_of = |end: usize| if end == 0 { "." } else { &movie[..end] };
    let end = movie.rfind('/').map_or(0, |at| at + 1);
    let path = MoviePath::parse(&percent_encoding::percent_decode_str(&movie[end..]).decode_utf8_lossy())?;
    Ok((Lazycache::open(root_of(end))?, path))
}

fn fail(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "lazycache: {text}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_may_come_from_the_environment_and_every_command_has_examples() {
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            assert!(command.get_after_help().is_some_and(|help| help.to_string().starts_with("Examples:")), "{name}");
            for argument in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                let named = variable.is_some_and(|variable| variable.starts_with("LAZYCACHE_"));
                assert!(named, "--{} of {name}", argument.get_long().unwrap_or_default());
            }
        }
    }
}
