//! The command line: serve an archive, look at a movie, save a frame.

mod serve;
mod size;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use frame::{FrameAddress, FrameNumber, MoviePath, OutputSize, Rendition};
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
  lazycache frame /mnt/movies/X.mov 1 small.jpg --width 480 --height 270";

/// Serves single frames of remote QuickTime movies by byte range, without downloading them.
#[derive(Debug, Parser)]
#[command(name = "lazycache", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the v1 HTTP API over one or more archives.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArguments>),
    /// Print what is known of a movie, as JSON.
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
        /// Width to scale to (with --height).
        #[arg(long, requires = "height")]
        width: Option<String>,
        /// Height to scale to (with --width).
        #[arg(long, requires = "width")]
        height: Option<String>,
    },
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
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
        Command::Frame { movie, number, output, width, height } => {
            let size = OutputSize::from_query(width.as_deref(), height.as_deref()).map_err(Error::from);
            let rendition = size.map(|size| Rendition { size, ..Rendition::default() });
            runtime.block_on(async { frame(&movie, number, &output, rendition?).await })
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
    let encoded = cache.frame(&FrameAddress { movie: path, number, format, rendition }).await?;
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
}
