//! The command line: serve an archive, look at a movie, save a frame.

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser, Subcommand, builder::BoolishValueParser};
use clap_complete::Shell;
use frame::{FrameAddress, FrameNumber, MirrorRoot, MoviePath, OutputSize, Rendition};

use crate::{
    Error, Lazycache,
    error::chain,
    server::{self, Served, movie::description},
};

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

const DEFAULT_ROOT: &str = "https://rawdata.oceanobservatories.org/files/";

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
    Serve(ServeArguments),
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

#[derive(Debug, clap::Args)]
struct ServeArguments {
    /// Roots of archives on HTTP.
    #[arg(env = "LAZYCACHE_MIRRORS", value_delimiter = ',', value_name = "URL")]
    roots: Vec<String>,
    /// A folder of movies, served under /v1/NAME/.
    #[arg(long, env = "LAZYCACHE_FOLDER", value_name = "NAME=DIR", value_delimiter = ',')]
    folder: Vec<String>,
    /// The port; 0 = any that is free.
    #[arg(long, env = "LAZYCACHE_PORT", default_value_t = 8080)]
    port: u16,
    /// The address to listen on.
    #[arg(long, env = "LAZYCACHE_BIND", default_value = "0.0.0.0")]
    bind: std::net::IpAddr,
    /// Answer .rgba and .raw.
    #[arg(long, env = "LAZYCACHE_ALLOW_RAW_OUTPUT", value_parser = BoolishValueParser::new())]
    allow_raw_output: bool,
    /// Mark answers as a public instance's (X-lazycache-public).
    #[arg(long, env = "LAZYCACHE_PUBLIC", value_parser = BoolishValueParser::new())]
    public: bool,
    /// After SIGTERM, requests under way may take so long to end.
    #[arg(long, env = "LAZYCACHE_DRAIN_SECONDS", default_value_t = 20, value_name = "SECONDS")]
    drain_seconds: u64,
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("LAZYCACHE_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("failed to start: {error}")),
    };
    let done = match arguments.command {
        Command::Serve(arguments) => runtime.block_on(serve(&arguments)),
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

async fn serve(arguments: &ServeArguments) -> Result<(), CommandError> {
    let nothing_given = arguments.roots.is_empty() && arguments.folder.is_empty();
    let default = [DEFAULT_ROOT.to_owned()];
    let roots = if nothing_given { &default[..] } else { &arguments.roots };
    let parse = |root: &String| MirrorRoot::parse(root).map_err(|error| CommandError::Usage(chain(&error)));
    let roots = roots.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut served = Served::new(&roots, cores)?.allow_raw_output(arguments.allow_raw_output).public(arguments.public);
    for folder in &arguments.folder {
        let usage = || CommandError::Usage(format!("--folder {folder:?} is not NAME=DIR"));
        let (name, root) = folder.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(usage)?;
        served = served.with_folder(name, Lazycache::open(root)?);
    }
    let address = SocketAddr::new(arguments.bind, arguments.port);
    let io = |source| CommandError::Io { what: format!("listen on {address}"), source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(io)?;
    tracing::info!(address = %listener.local_addr().map_err(io)?, mirrors = roots.len(), "listening");
    let drain = Duration::from_secs(arguments.drain_seconds);
    server::run(listener, served, terminated(), drain).await.map_err(io)
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
