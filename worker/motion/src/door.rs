//! Images on their way to OpenCV.

use std::sync::OnceLock;

use opencv::{boxed_ref::BoxedRef, core, prelude::*};

use crate::{Error, Grey};

/// The image as OpenCV sees it, without a copy. The first call also takes OpenCV's own threads away, for the whole process:
/// the cores are used by pairs that are compared side by side.
pub fn pixels(image: &Grey) -> Result<BoxedRef<'_, Mat>, Error> {
    static ALONE: OnceLock<()> = OnceLock::new();
    if ALONE.get().is_none() {
        core::set_num_threads(1)?;
        ALONE.get_or_init(|| ());
    }
    Ok(Mat::new_rows_cols_with_data(image.height as i32, image.width as i32, &image.data)?)
}
