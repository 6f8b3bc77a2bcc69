//! Grey images, and what is found in one once for all pairs it is in.

use std::sync::OnceLock;

use crate::{Error, corners::Corner, flow::Detail, pyramid::Pyramid};

/// A grey image: `width * height` bytes, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The pixels, 0 = black.
    pub data: Vec<u8>,
}

/// An image ready to be compared: its corners and its pyramid are made when they are first needed, and kept for the next
/// pair it is in. Threads may share it.
#[derive(Debug)]
pub struct Prepared {
    image: Grey,
    mean: f64,
    corners: OnceLock<Vec<Corner>>,
    pyramid: OnceLock<Pyramid>,
    even: OnceLock<Pyramid>,
}

impl Prepared {
    /// Takes an image; nothing but its mean is computed yet.
    pub fn new(image: Grey) -> Self {
        // A sum that cannot overflow, and that the compiler need not check: many pixels at once.
        let sum = image.data.iter().fold(0_u64, |sum, pixel| sum.wrapping_add(u64::from(*pixel)));
        let mean = sum as f64 / image.data.len().max(1) as f64;
        Self { image, mean, corners: OnceLock::new(), pyramid: OnceLock::new(), even: OnceLock::new() }
    }

    /// The image.
    pub fn grey(&self) -> &Grey {
        &self.image
    }

    /// Mean brightness, 0-255.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Fails unless the pixels fill the image.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Grey { width, height, data } = &self.image;
        if *width > 0 && *height > 0 && data.len() as u64 == u64::from(*width) * u64::from(*height) {
            return Ok(());
        }
        Err(Error::Image { width: *width, height: *height, bytes: data.len() })
    }

    pub(crate) fn corners(&self) -> &[Corner] {
        self.corners.get_or_init(|| crate::corners::find(&self.image))
    }

    pub(crate) fn pyramid(&self, detail: Detail) -> Result<&Pyramid, Error> {
        let kept = match detail {
            Detail::Plain => &self.pyramid,
            Detail::Even => &self.even,
        };
        if let Some(pyramid) = kept.get() {
            return Ok(pyramid);
        }
        let built = detail.pyramid(&self.image)?;
        Ok(kept.get_or_init(|| built))
    }
}
