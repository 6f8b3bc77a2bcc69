//! More than 8 bits of a frame.

use frame::Crop;

use super::{DecodeError, Range, Sampled, add_row, matrix_of, part_of, with_frame};
use crate::{movie::Movie, picture::DeepImage};
use yuv::{YuvPlanarImage, YuvRange};

/// As [`super::grey_part`], in values of `bits` bits (10 or 16): the mean is rounded once, at the end.
pub fn deep_grey(
    movie: &Movie,
    packet: &[u8],
    crop: Option<Crop>,
    reduction: u32,
    bits: u32,
) -> Result<DeepImage, DecodeError> {
    if !matches!(reduction, 1 | 2 | 4 | 8) {
        return Err(DecodeError::Reduction { reduction });
    }
    let crop = crop.unwrap_or(Crop { x: 0, y: 0, width: movie.width(), height: movie.height() });
    with_frame(movie, packet, |frame| {
        let (plane, stride, depth) = match &frame {
            Sampled::Planes(planes) => (planes.y, planes.y_stride, planes.depth),
            Sampled::Other(other) => other.deep_luma()?,
        };
        Ok(reduce(part_of(plane, stride, crop), stride, crop, reduction, &Range::new(depth, reduction), bits))
    })
}

/// The frame in colour, in as many bits as the movie has (10 or 12).
pub fn deep_rgb(movie: &Movie, packet: &[u8]) -> Result<DeepImage, DecodeError> {
    with_frame(movie, packet, |frame| {
        let (width, height) = (movie.width(), movie.height());
        let mut data = vec![0_u16; width as usize * height as usize * 3];
        let (stride, matrix) = (width * 3, matrix_of(movie));
        let bits = match frame {
            Sampled::Other(other) => {
                other.deep_rgb((width, height), &mut data, matrix)?;
                10
            }
            Sampled::Planes(planes) => {
                let image: YuvPlanarImage<'_, u16> = planes.image(width, height);
                let convert = match (planes.depth, planes.is_444) {
                    (10, false) => yuv::i210_to_rgb10,
                    (10, true) => yuv::i410_to_rgb10,
                    (_, false) => yuv::i212_to_rgb12,
                    (_, true) => yuv::i412_to_rgb12,
                };
                convert(&image, &mut data, stride, YuvRange::Limited, matrix).map_err(DecodeError::Colours)?;
                planes.depth
            }
        };
        Ok(DeepImage { width, height, channels: 3, bits, data })
    })
}

fn reduce(y: &[u16], stride: usize, crop: Crop, reduction: u32, range: &Range, bits: u32) -> DeepImage {
    let step = reduction as usize;
    let (width, height) = (crop.width as usize / step, crop.height as usize / step);
    let white = (1_i64 << bits) - 1;
    let mut data = Vec::with_capacity(width * height);
    let mut sums = vec![0_u32; width];
    for rows in y.chunks(stride.max(1) * step).take(height) {
        sums.fill(0);
        for row in rows.chunks(stride.max(1)) {
            add_row(&mut sums, row, step);
        }
        data.extend(sums.iter().map(|sum| range.spread(*sum, white) as u16));
    }
    data.resize(width * height, 0);
    DeepImage { width: width as u32, height: height as u32, channels: 1, bits, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_and_white_of_the_video_range_are_0_and_1023() {
        let plane = [64_u16, 940, 502, 65, 0, 1023, 300, 301];
        let crop = Crop { x: 0, y: 0, width: 4, height: 2 };
        let image = reduce(&plane, 4, crop, 1, &Range::new(10, 1), 10);
        assert_eq!(image.data, [0, 1023, 512, 1, 0, 1023, 276, 277]);
        let image = reduce(&plane, 4, crop, 2, &Range::new(10, 2), 16);
        assert_eq!((image.width, image.height), (2, 1));
        // (64 + 940 + 0 + 1023) / 4 = 506.75; (506.75 - 64) / 876 of 65535.
        assert_eq!(image.data, [33123, 17057]);
    }
}
