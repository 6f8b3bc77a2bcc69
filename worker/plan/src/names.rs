//! Where the results of a movie live, relative to the output.

use frame::MoviePath;

use crate::analysis::Analysis;

/// Folder of a run's own papers (plan, failures), below the output.
pub const RUNS_FOLDER: &str = ".analysis";

/// The files one item has, relative to the output, `/`-separated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultNames {
    /// The rows: `<folder>/<stem>_optical_flow.json` or `…_frame_statistics.json`. Written last: it is the ledger entry.
    pub rows: String,
    /// `<folder>/<stem>_optical_flow_regions.json`, where the analysis derives regions.
    pub regions: Option<String>,
}

impl ResultNames {
    /// The names of `movie`'s results under `analysis`.
    pub fn of(movie: &MoviePath, analysis: &Analysis) -> Self {
        let text = movie.to_string();
        let base = text.rsplit_once('.').map_or(text.as_str(), |(base, _)| base);
        match analysis {
            Analysis::OpticalFlow(flow) => Self {
                rows: format!("{base}_optical_flow.json"),
                regions: flow.regions.then(|| format!("{base}_optical_flow_regions.json")),
            },
            Analysis::FrameStatistics(_) => Self { rows: format!("{base}_frame_statistics.json"), regions: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Decoder, FrameRange, FrameStatistics, Method, OpticalFlow};

    const RANGE: FrameRange = FrameRange { start_frame: 1, end_frame: None, stride: 10 };

    #[test]
    fn results_stand_beside_each_other_under_the_movies_folder() {
        let movie = MoviePath::parse("A/2018/07/24/X.mov").unwrap();
        let decoder = Decoder::Reduced;
        let flow = Analysis::OpticalFlow(OpticalFlow { range: RANGE, method: Method::Dis, decoder, regions: true });
        let names = ResultNames {
            rows: "A/2018/07/24/X_optical_flow.json".into(),
            regions: Some("A/2018/07/24/X_optical_flow_regions.json".into()),
        };
        assert_eq!(ResultNames::of(&movie, &flow), names);
    }

    #[test]
    fn only_the_last_extension_is_dropped() {
        let movie = MoviePath::parse("X.v2.mov").unwrap();
        let analysis = Analysis::FrameStatistics(FrameStatistics { range: RANGE });
        let names = ResultNames { rows: "X.v2_frame_statistics.json".into(), regions: None };
        assert_eq!(ResultNames::of(&movie, &analysis), names);
    }
}
