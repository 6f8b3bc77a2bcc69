//! Images on their way to OpenCV.

use std::sync::OnceLock;

use opencv::{
    boxed_ref::BoxedRef,
    core::{self, Point, Size},
    imgproc,
    prelude::*,
};

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

/// The smoothing of [`evened`], in pixels: takes noise away, and much of a difference of focus.
const SMOOTH: f64 = 1.2;
/// The area over which brightness and contrast are evened, in pixels.
const AREA: i32 = 31;
/// The contrast the result has, and the contrast that is taken for noise, in grey levels.
const CONTRAST: f32 = 40.0;
const NOISE: f32 = 2.0;

/// The image smoothed, with the same brightness and contrast everywhere: what lamps, shadows and fades do is gone.
pub fn evened(image: &Grey) -> Result<Grey, Error> {
    let (mut smooth, mut mean, mut energy) = (Mat::default(), Mat::default(), Mat::default());
    let (area, middle) = (Size::new(AREA, AREA), Point::new(-1, -1));
    let mut levels = Mat::default();
    pixels(image)?.convert_to_def(&mut levels, core::CV_32F)?;
    imgproc::gaussian_blur_def(&levels, &mut smooth, Size::default(), SMOOTH)?;
    imgproc::box_filter(&smooth, &mut mean, core::CV_32F, area, middle, true, core::BORDER_REFLECT)?;
    let mut detail = Mat::default();
    core::subtract_def(&smooth, &mean, &mut detail)?;
    imgproc::sqr_box_filter(&detail, &mut energy, core::CV_32F, area, middle, true, core::BORDER_REFLECT)?;
    let detail = detail.data_typed::<f32>()?.iter();
    let even = detail.zip(energy.data_typed::<f32>()?).map(|(detail, energy)| {
        let pixel = 128.0 + CONTRAST * detail / (energy + NOISE * NOISE).sqrt();
        pixel.round() as u8
    });
    Ok(Grey { width: image.width, height: image.height, data: even.collect() })
}
