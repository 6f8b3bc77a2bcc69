//! JPEG by libjpeg-turbo: of a picture, or straight from a decoder's planes.
//!
//! A JPEG's colours are those of BT.601 in full range, whatever a movie's are. From one matrix to the other is a linear step
//! that leaves grey as it is, so it is done on brightness and colour differences, without RGB in between: the same values but
//! for rounding, except where RGB would have been cut to its range.

use std::cell::RefCell;

use frame::Quality;
use turbojpeg::{Compressor, Image, OutputBuf, PixelFormat, Subsamp, YuvPlanesImage, compressed_buf_len};
use yuv::YuvStandardMatrix;

use super::EncodeError;
use crate::{buffers::Buffer, decode::Direct, picture::Picture};

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor>> = const { RefCell::new(None) };
}

/// Compresses into a buffer large enough for anything, of which what is used is copied: what is kept has no idle room.
fn compressed(
    (width, height): (usize, usize),
    quality: Quality,
    compress: impl FnOnce(&mut Compressor, &mut OutputBuf<'_>) -> turbojpeg::Result<()>,
) -> Result<Vec<u8>, EncodeError> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let mut compressor = slot.take().map_or_else(Compressor::new, Ok)?;
        compressor.set_quality(quality.get().into())?;
        compressor.set_subsamp(Subsamp::Sub2x1)?;
        let mut room = Buffer::of(compressed_buf_len(width, height, Subsamp::Sub2x1)?);
        let mut output = OutputBuf::borrowed(&mut room);
        compress(&mut compressor, &mut output)?;
        let bytes = output.to_vec();
        // One that failed is not kept.
        *slot = Some(compressor);
        Ok(bytes)
    })
}

pub(super) fn of_picture(picture: &Picture, quality: Quality) -> Result<Vec<u8>, EncodeError> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let image = Image { pixels: picture.rgb.as_slice(), width, pitch: width * 3, height, format: PixelFormat::RGB };
    compressed((width, height), quality, |compressor, output| compressor.compress(image, output))
}

pub(super) fn of_planes(frame: &Direct<'_>, quality: Quality) -> Result<Vec<u8>, EncodeError> {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let (half, stride) = (width.div_ceil(2), width.next_multiple_of(2));
    let mut room = Buffer::of((stride + 2 * half) * height);
    let (y_plane, colours) = room.split_at_mut(stride * height);
    let (u_plane, v_plane) = colours.split_at_mut(half * height);
    let step = Step::of(frame.matrix, frame.planes.depth);
    let planes = &frame.planes;
    let ys = y_plane.chunks_exact_mut(stride).zip(planes.y.chunks(planes.y_stride));
    let us = u_plane.chunks_exact_mut(half).zip(planes.u.chunks(planes.c_stride));
    let vs = v_plane.chunks_exact_mut(half).zip(planes.v.chunks(planes.c_stride));
    for (((y_out, y), (u_out, u)), (v_out, v)) in ys.zip(us).zip(vs) {
        step.row((y, u, v), (y_out, u_out, v_out));
    }
    let (y_plane, u_plane, v_plane) = (&*y_plane, &*u_plane, &*v_plane);
    let (y_stride, u_stride, v_stride, subsamp) = (stride, half, half, Subsamp::Sub2x1);
    let image = YuvPlanesImage { y_plane, u_plane, v_plane, width, height, y_stride, u_stride, v_stride, subsamp };
    compressed((width, height), quality, |compressor, output| compressor.compress_yuv_planes(&image, output))
}

/// Fractions have so many bits.
const BITS: u32 = 13;

/// From a movie's values to a JPEG's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    black: i16,
    /// No colour.
    middle: i16,
    /// What a pixel's brightness gets of its own and of its colours.
    luma: [i16; 3],
    /// What the colour differences get of both.
    blue: [i16; 2],
    red: [i16; 2],
    /// By so many bits the sums are too large.
    shift: u32,
}

impl Step {
    fn of(matrix: YuvStandardMatrix, depth: u32) -> Self {
        // BT.601's shares of red and blue; the movie's.
        const RED: f64 = 0.299;
        const BLUE: f64 = 0.114;
        let (red, blue) = match matrix {
            YuvStandardMatrix::Bt601 => (RED, BLUE),
            YuvStandardMatrix::Bt2020 => (0.2627, 0.0593),
            YuvStandardMatrix::Smpte240 => (0.212, 0.087),
            _ => (0.2126, 0.0722),
        };
        let green = 1.0 - red - blue;
        // R = Y + r Cr, B = Y + b Cb, G = Y - g Cb - h Cr.
        let (r, b) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
        let (g, h) = (b * blue / green, r * red / green);
        let of_blue = BLUE * b - (1.0 - RED - BLUE) * g;
        let of_red = RED * r - (1.0 - RED - BLUE) * h;
        let (to_blue, to_red) = (2.0 * (1.0 - BLUE), 2.0 * (1.0 - RED));
        let (luma, colour) = (255.0 / 219.0, 255.0 / 224.0);
        let fixed = |factor: f64, scale: f64| (factor * scale * f64::from(1 << BITS)).round() as i16;
        Self {
            black: 16 << (depth - 8),
            middle: 128 << (depth - 8),
            luma: [fixed(1.0, luma), fixed(of_blue, colour), fixed(of_red, colour)],
            blue: [fixed((b - of_blue) / to_blue, colour), fixed(-of_red / to_blue, colour)],
            red: [fixed(-of_blue / to_red, colour), fixed((r - of_red) / to_red, colour)],
            shift: BITS + depth - 8,
        }
    }
    /// One row: brightness, blue and red differences.
    fn row(&self, (y, u, v): (&[u16], &[u16], &[u16]), (y_out, u_out, v_out): (&mut [u8], &mut [u8], &mut [u8])) {
        let (shift, half) = (self.shift, 1 << (self.shift - 1));
        // Values of 16 bits, whose products the processor makes many at a time.
        let product = |value: i16, factor: i16| i32::from(value).wrapping_mul(i32::from(factor));
        let narrow = |sum: i32| (sum >> shift).clamp(0, 255) as u8;
        let colour = |value: u16| (value as i16).wrapping_sub(self.middle);
        let no_colour = (128 << shift) + half;
        for ((out, u), v) in u_out.iter_mut().zip(u).zip(v) {
            *out = narrow(product(colour(*u), self.blue[0]) + product(colour(*v), self.blue[1]) + no_colour);
        }
        for ((out, u), v) in v_out.iter_mut().zip(u).zip(v) {
            *out = narrow(product(colour(*u), self.red[0]) + product(colour(*v), self.red[1]) + no_colour);
        }
        let pairs = y_out.as_chunks_mut::<2>().0.iter_mut().zip(y.as_chunks::<2>().0);
        for (((out, pair), u), v) in pairs.zip(u).zip(v) {
            let own = product(colour(*u), self.luma[1]) + product(colour(*v), self.luma[2]) + half;
            let bright = |value: u16| narrow(product((value as i16).wrapping_sub(self.black), self.luma[0]) + own);
            *out = pair.map(bright);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_grey_and_the_ends_of_the_range_are_black_and_white() {
        for matrix in [YuvStandardMatrix::Bt601, YuvStandardMatrix::Bt709, YuvStandardMatrix::Bt2020] {
            for (depth, factor) in [(10, 4_u16), (12, 16)] {
                let step = Step::of(matrix, depth);
                let y: Vec<u16> = [0, 16, 126, 235, 236, 255].map(|value| value * factor).to_vec();
                let (grey, mut out) = (vec![128 * factor; 3], (vec![0; 6], vec![0; 3], vec![0; 3]));
                step.row((&y, &grey, &grey), (&mut out.0, &mut out.1, &mut out.2));
                assert_eq!(out, (vec![0, 0, 128, 255, 255, 255], vec![128; 3], vec![128; 3]), "{matrix:?}");
            }
        }
    }

    #[test]
    fn colours_are_those_that_rgb_in_between_would_give() {
        // (Y, Cb, Cr) in BT.709, 10 bits, that lie within RGB.
        for (y, u, v) in [(300, 500, 540), (600, 450, 560), (500, 600, 430), (700, 512, 400), (400, 620, 512)] {
            let (mut out_y, mut out_u, mut out_v) = ([0; 2], [0; 1], [0; 1]);
            Step::of(YuvStandardMatrix::Bt709, 10).row((&[y, y], &[u], &[v]), (&mut out_y, &mut out_u, &mut out_v));
            let (y, u, v) = (f64::from(y - 64) / 876.0, (f64::from(u) - 512.0) / 896.0, (f64::from(v) - 512.0) / 896.0);
            let (r, b) = (y + 1.5748 * v, y + 1.8556 * u);
            let g = (y - 0.2126 * r - 0.0722 * b) / 0.7152;
            let wanted_y = 0.299 * r + 0.587 * g + 0.114 * b;
            let wanted =
                [wanted_y * 255.0, (b - wanted_y) / 1.772 * 255.0 + 128.0, (r - wanted_y) / 1.402 * 255.0 + 128.0];
            for (found, wanted) in [out_y[1], out_u[0], out_v[0]].into_iter().zip(wanted) {
                assert!((f64::from(found) - wanted).abs() < 0.51, "{found} {wanted}");
            }
        }
    }
}
