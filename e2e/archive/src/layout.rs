//! Where movies stand: as in the real archive, a folder per day, a name per start.

use std::path::PathBuf;

/// The camera's folder.
pub const CAMERA: &str = "RS03ASHS/PN03B/06-CAMHDA301";

/// The path of movie `number` (from 0), relative to the archive's root: two a day, from 24 July 2018.
pub fn movie_path(number: u32) -> PathBuf {
    let (mut year, mut month, mut day) = (2018, 7, 24 + number / 2);
    while day > days(year, month) {
        day -= days(year, month);
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let hour = [3, 15][number as usize % 2];
    PathBuf::from(format!("{CAMERA}/{year}/{month:02}/{day:02}/CAMHDA301-{year}{month:02}{day:02}T{hour:02}0000Z.mov"))
}

/// The days of a month (Gregorian).
fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
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
        // 587 days after 24 July 2018.
        assert_eq!(
            movie_path(2 * 587).to_str(),
            Some("RS03ASHS/PN03B/06-CAMHDA301/2020/03/02/CAMHDA301-20200302T030000Z.mov")
        );
    }
}
