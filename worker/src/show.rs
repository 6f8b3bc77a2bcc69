//! `analysis-worker show`: why two frames gave the motion they gave, as a picture.

pub mod command;

use std::path::{Path, PathBuf};

use frame::{Decoder, MoviePath, PathError};
use motion::{Estimate, Explanation, Grey, Prepared, Settings, explain, sketch};
use plan::exit;

use crate::{
    item_error::ItemError,
    pipeline::REDUCTION,
    source::{Greys, Movie, Source, SourceError},
};

use command::ShowArguments;

/// The frame below the drawing is reduced by this: sharp enough at the drawing's size.
const BACKGROUND: u32 = 2;

/// Why nothing was drawn.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// Not a movie's path.
    #[error("{movie:?} is not the path or the address of a movie")]
    Path {
        /// As given.
        movie: String,
        /// Why.
        #[source]
        source: PathError,
    },
    /// The folder or address cannot be.
    #[error("failed to open {root}")]
    Root {
        /// What comes before the movie's name.
        root: String,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// The movie cannot be had.
    #[error("failed to read {movie}")]
    Movie {
        /// As given.
        movie: String,
        /// Why.
        #[source]
        source: ItemError,
    },
    /// A frame it does not have.
    #[error("{movie} has no frame {number}: its frames are 1 to {frames}")]
    NoFrame {
        /// As given.
        movie: String,
        /// As asked for.
        number: u32,
        /// How many there are.
        frames: u32,
    },
    /// The estimate or the drawing failed.
    #[error("failed to compare frames {from} and {to}")]
    Motion {
        /// The earlier.
        from: u32,
        /// The later.
        to: u32,
        /// Why.
        #[source]
        source: motion::Error,
    },
    /// The picture cannot be written.
    #[error("failed to write {}", .file.display())]
    Write {
        /// Where to.
        file: PathBuf,
        /// Why.
        #[source]
        source: image::ImageError,
    },
}

impl ShowError {
    /// The exit code (see `plan::exit`).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Movie { source, .. } if source.is_outage() => exit::UNAVAILABLE,
            Self::Root { .. } | Self::Write { .. } => exit::CONFIGURATION,
            Self::Path { .. } | Self::Movie { .. } | Self::NoFrame { .. } | Self::Motion { .. } => exit::BAD_INPUT,
        }
    }
}

/// What was drawn.
#[derive(Debug)]
pub struct Shown {
    /// The picture.
    pub file: PathBuf,
    /// What stands on it.
    pub lines: Vec<String>,
}

/// Compares two frames as the analysis does, and draws why.
pub async fn show(arguments: &ShowArguments) -> Result<Shown, ShowError> {
    let name = &arguments.movie;
    let (root, file) = name.rsplit_once('/').map_or((".", name.as_str()), |(root, file)| (root, file));
    let root = if root.is_empty() { "/".to_owned() } else { format!("{root}/") };
    let path = MoviePath::parse(file).map_err(|source| ShowError::Path { movie: name.clone(), source })?;
    let source = Source::open(&root).map_err(|source| ShowError::Root { root: root.clone(), source })?;
    let failed = |error: ItemError| ShowError::Movie { movie: name.clone(), source: error };
    let movie = source.movie(&path).await.map_err(|error| failed(error.into()))?;
    let (from, to) = (arguments.from, arguments.to);
    if let Some(number) = [from, to].into_iter().find(|number| !(1..=movie.num_frames()).contains(number)) {
        return Err(ShowError::NoFrame { movie: name.clone(), number, frames: movie.num_frames() });
    }
    let earlier = Prepared::new(grey(&source, &movie, from, REDUCTION).await.map_err(failed)?);
    let later = Prepared::new(grey(&source, &movie, to, REDUCTION).await.map_err(failed)?);
    let background = grey(&source, &movie, from, BACKGROUND).await.map_err(failed)?;
    let compared = |source| ShowError::Motion { from, to, source };
    let settings = Settings { method: arguments.method.into() };
    let explained = explain(&earlier, &later, 1.0 / f64::from(REDUCTION), &settings).map_err(compared)?;
    let lines = lines(file, from, to, &explained);
    let drawn = sketch(&explained, &background, &lines).map_err(compared)?;
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}_{from}_{to}.png", path.stem())));
    write(&out, &drawn).map_err(|source| ShowError::Write { file: out.clone(), source })?;
    Ok(Shown { file: out, lines })
}

async fn grey(source: &Source, movie: &Movie, number: u32, reduction: u32) -> Result<Grey, ItemError> {
    let pixels = Greys { reduction, decoder: if reduction == REDUCTION { Decoder::Reduced } else { Decoder::Full } };
    Ok(source.fetch(movie, number, pixels).await?.decode()?.image)
}

fn write(file: &Path, drawn: &motion::Sketch) -> Result<(), image::ImageError> {
    let (format, colour) = (image::ImageFormat::Png, image::ExtendedColorType::Rgb8);
    image::save_buffer_with_format(file, &drawn.rgb, drawn.width, drawn.height, colour, format)
}

/// The numbers behind the picture.
fn lines(file: &str, from: u32, to: u32, explained: &Explanation) -> Vec<String> {
    let Estimate { similarity, valid, status, inliers, coverage, residual, second, method, reasons } =
        &explained.estimate;
    let status = format!("{status:?}").to_lowercase();
    let dark = if *valid { "" } else { "; an image is too dark to say anything" };
    let (points, agreeing) = (explained.points.len(), explained.cells.iter().filter(|cell| cell.agrees()).count());
    let cells = explained.cells.iter().filter(|cell| cell.points > 0).count();
    let mut lines = vec![
        format!("{file}  frames {from} -> {to}  {status}{dark}  (method {method:?})"),
        format!(
            "scale {:.5}  theta {:.5} rad  tx {:.2} px  ty {:.2} px  (full-size pixels, from the centre, y down)",
            similarity.s, similarity.t, similarity.tx, similarity.ty
        ),
        format!(
            "{inliers} of {points} points agree  {agreeing} of {cells} cells with points agree  coverage {coverage:.3}  residual {residual:.3} px"
        ),
    ];
    if !reasons.is_empty() {
        let reasons: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
        lines.push(format!("left open because of: {}", reasons.join(", ")));
    }
    if let Some(second) = second {
        let motion = &second.similarity;
        lines.push(format!(
            "a second motion in {:.0} % of the picture: scale {:.5}  theta {:.5}  tx {:.2} px  ty {:.2} px",
            second.share * 100.0,
            motion.s,
            motion.t,
            motion.tx,
            motion.ty
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use motion::Reason;

    use super::*;

    #[test]
    fn what_leaves_a_motion_open_is_said() {
        // Nothing to follow, and light enough to say so.
        let flat = || Prepared::new(Grey { width: 160, height: 90, data: vec![90; 160 * 90] });
        let explained = explain(&flat(), &flat(), 0.25, &Settings::default()).unwrap();
        assert!(explained.estimate.reasons.contains(&Reason::Texture), "{:?}", explained.estimate.reasons);
        let lines = lines("X.mov", 1, 6, &explained);
        assert!(lines[0].contains("undetermined"), "{lines:?}");
        let reasons = explained.estimate.reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ");
        assert!(lines.contains(&format!("left open because of: {reasons}")), "{lines:?}");
    }
}
