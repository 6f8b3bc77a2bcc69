//! The tables: `regions.csv` and `movie_metadata.csv`, in the columns of the published data set.

use motion::RegionKind;

use crate::report::overview::Overview;

/// The table of static regions.
pub const REGIONS_CSV: &str = "regions.csv";
/// The table of movies.
pub const MOVIE_METADATA_CSV: &str = "movie_metadata.csv";

/// Columns of [`REGIONS_CSV`].
pub const REGION_COLUMNS: [&str; 5] = ["mov_basename", "date_time", "start_frame", "end_frame", "scene_tag"];
/// Columns of [`MOVIE_METADATA_CSV`]; the first five are the published ones.
pub const MOVIE_COLUMNS: [&str; 8] =
    ["mov_basename", "date_time", "num_frames", "duration", "file_size", "path", "static_share", "undetermined_share"];

/// The tables in the making.
#[derive(Debug)]
pub struct Tables {
    regions: csv::Writer<Vec<u8>>,
    movies: csv::Writer<Vec<u8>>,
}

/// The tables as files.
#[derive(Debug)]
pub struct Written {
    /// Of [`REGIONS_CSV`].
    pub regions: Vec<u8>,
    /// Of [`MOVIE_METADATA_CSV`].
    pub movies: Vec<u8>,
}

impl Tables {
    /// Without a row yet.
    pub fn new() -> Result<Self, csv::Error> {
        let [mut regions, mut movies] = [(); 2].map(|()| csv::Writer::from_writer(Vec::new()));
        regions.write_record(REGION_COLUMNS)?;
        movies.write_record(MOVIE_COLUMNS)?;
        Ok(Self { regions, movies })
    }

    /// A movie and its static regions.
    pub fn add(&mut self, movie: &Overview) -> Result<(), csv::Error> {
        let (stem, time) = (movie.stem(), date_time(movie.stem()).unwrap_or_default());
        for region in movie.regions.iter().filter(|region| region.kind == RegionKind::Static) {
            let (start, end) = (region.start_frame.to_string(), region.end_frame.to_string());
            // There is no scene tagger yet: the column stands so that readers of the published table go on working.
            self.regions.write_record([stem, &time, &start, &end, "unknown"])?;
        }
        let size = movie.file_size.map(|size| size.to_string()).unwrap_or_default();
        let (frames, duration) = (movie.num_frames.to_string(), movie.duration.to_string());
        let [still, doubt] = [movie.shares.still, movie.shares.undetermined].map(|share| format!("{share:.4}"));
        self.movies.write_record([stem, &time, &frames, &duration, &size, &movie.path, &still, &doubt])
    }

    /// The files.
    pub fn finish(self) -> Result<Written, csv::Error> {
        let finish = |table: csv::Writer<Vec<u8>>| table.into_inner().map_err(csv::IntoInnerError::into_error);
        Ok(Written { regions: finish(self.regions)?, movies: finish(self.movies)? })
    }
}

/// `CAMHDA301-20180724T030000Z` -> `2018-07-24T03:00:00`; `None` where the name holds no time.
fn date_time(stem: &str) -> Option<String> {
    let is_time = |part: &&str| part.len() == 15 && part.as_bytes()[8] == b'T';
    let part = stem.split(|c: char| !c.is_ascii_digit() && c != 'T').find(is_time)?;
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", part).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_from_the_movies_name() {
        assert_eq!(date_time("CAMHDA301-20180724T030000Z").unwrap(), "2018-07-24T03:00:00");
        assert_eq!(date_time("CAMHDA301-20150716T010015Z_01").unwrap(), "2015-07-16T01:00:15");
        assert_eq!(date_time("CAMHDA301-20189924T030000Z"), None);
        assert_eq!(date_time("dive-7"), None);
    }
}
