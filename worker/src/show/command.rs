//! What `analysis-worker show` is told.

use std::path::PathBuf;

/// Shown below its help.
pub const EXAMPLES: &str = "\
Examples:
  analysis-worker show movies/CAMHDA301-20180724T030000Z.mov 6 16
  analysis-worker show https://archive.example.org/files/2018/07/24/X.mov 1046 1056 --out why.png
  analysis-worker show X.mov 6 16 --method dis

Exit codes:
  0   the picture is written
  2   the command line was not understood
  65  the movie cannot be read, or has no such frame
  69  the archive does not answer
  78  there is no such folder, or the picture cannot be written";

/// How points are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ShowMethod {
    /// Corners, and DIS where they are too few to be sure.
    Auto,
    /// Dense inverse search flow.
    Dis,
    /// Tracked corners.
    Corners,
}

impl From<ShowMethod> for motion::Method {
    fn from(method: ShowMethod) -> Self {
        match method {
            ShowMethod::Auto => Self::Auto,
            ShowMethod::Dis => Self::Dis,
            ShowMethod::Corners => Self::Corners,
        }
    }
}

/// What it is told.
#[derive(Debug, Clone, clap::Args)]
pub struct ShowArguments {
    /// The movie: a path, or an http(s) address.
    #[arg(value_name = "MOVIE")]
    pub movie: String,
    /// The earlier frame, counted from 1; `fromFrame` of a row.
    #[arg(value_name = "FROM")]
    pub from: u32,
    /// The later frame; `toFrame` of a row.
    #[arg(value_name = "TO")]
    pub to: u32,
    /// Where the picture is written, as PNG [default: `STEM_FROM_TO.png` in the current folder].
    #[arg(long, short, value_name = "PNG")]
    pub out: Option<PathBuf>,
    /// How points are followed.
    #[arg(long, value_enum, default_value_t = ShowMethod::Auto)]
    pub method: ShowMethod,
}
