//! JPEG by libjpeg-turbo.

use std::cell::RefCell;

use frame::Quality;
use turbojpeg::{Compressor, Image, OutputBuf, PixelFormat, Subsamp, compressed_buf_len};

use super::EncodeError;
use crate::buffers::Buffer;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor>> = const { RefCell::new(None) };
}

/// From this quality on, colours keep all their rows.
const FINE: u8 = 90;

/// How colours are sampled: below [`FINE`] in half the rows and columns, as common encoders do and as the service this one
/// replaces always did; a quarter less to transform and to code.
fn subsampling(quality: Quality) -> Subsamp {
    if quality.get() < FINE { Subsamp::Sub2x2 } else { Subsamp::Sub2x1 }
}

/// Compresses rows of RGB, into a buffer large enough for anything, of which what is used is copied: what is kept has no idle
/// room. The compressor is the thread's own.
pub(super) fn encode((width, height): (u32, u32), rgb: &[u8], quality: Quality) -> Result<Vec<u8>, EncodeError> {
    let (width, height) = (width as usize, height as usize);
    COMPRESSOR.with_borrow_mut(|slot| {
        let mut compressor = slot.take().map_or_else(Compressor::new, Ok)?;
        compressor.set_quality(quality.get().into())?;
        compressor.set_subsamp(subsampling(quality))?;
        let mut room = Buffer::of(compressed_buf_len(width, height, subsampling(quality))?);
        let mut output = OutputBuf::borrowed(&mut room);
        let image = Image { pixels: rgb, width, pitch: width * 3, height, format: PixelFormat::RGB };
        compressor.compress(image, &mut output)?;
        let bytes = output.to_vec();
        // One that failed is not kept.
        *slot = Some(compressor);
        Ok(bytes)
    })
}
