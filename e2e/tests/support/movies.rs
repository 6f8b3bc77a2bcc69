//! The movies of the tests: small, rendered once, the same version wherever they are served.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use archive::{Movie, layout};

use super::cluster::scratch;

/// How many movies differ; beyond, the same come again under other names.
const DIFFERENT: u32 = 4;
/// Frames of each.
pub const FRAMES: u32 = 40;

/// When every movie was last changed.
pub fn modified() -> SystemTime {
    UNIX_EPOCH + Duration::from_mins(25_540_000)
}

/// The file of movie `number`; rendered when it is not there.
pub fn file(number: u32) -> PathBuf {
    // Tests run at the same time, and each may be the first.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _held = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kind = number % DIFFERENT;
    let path = scratch("movies").join(format!("{kind}.mov"));
    let movie = Movie { frames: FRAMES, size: (640, 360), seed: kind.into(), particles: 10, ..Movie::default() };
    movie.render_missing(&path, |_| {}).unwrap();
    path
}

/// An archive of the first movies in a folder.
pub fn copy_to(folder: &Path, movies: u32) {
    for number in 0..movies {
        let path = folder.join(layout::movie_path(number));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(file(number), &path).unwrap();
        fs::File::options().append(true).open(&path).unwrap().set_modified(modified()).unwrap();
    }
}
