//! Where movies stand: as in the real archive, a folder per day, a name per start.

use std::path::PathBuf;

/// The camera's folder.
pub const CAMERA: &str = "RS03ASHS/PN03B/06-CAMHDA301";

/// The path of movie `number` (from 0), relative to the archive's root: two a day, from 24 July 2018.
pub fn movie_path(number: u32) -> PathBuf {
    let (day, hour) = (24 + number / 2, [3, 15][number as usize % 2]);
    let (month, day) = if day > 31 { (8, day - 31) } else { (7, day) };
    PathBuf::from(format!("{CAMERA}/2018/{month:02}/{day:02}/CAMHDA301-2018{month:02}{day:02}T{hour:02}0000Z.mov"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movies_stand_as_in_the_real_archive() {
        assert_eq!(
            movie_path(0).to_str(),
            Some("RS03ASHS/PN03B/06-CAMHDA301/2018/07/24/CAMHDA301-20180724T030000Z.mov")
        );
        assert_eq!(
            movie_path(17).to_str(),
            Some("RS03ASHS/PN03B/06-CAMHDA301/2018/08/01/CAMHDA301-20180801T150000Z.mov")
        );
    }
}
