//! A picture to PNG, JPEG, BMP, a `NumPy` array or raw pixels; or a frame, straight from the decoder's planes.

mod huffman;
mod jpeg;
mod png;

use bytes::Bytes;
use frame::{Format, Quality};

use crate::{
    Error,
    buffers::Buffer,
    decode::{Direct, Order},
    picture::{DeepImage, GreyImage, Picture},
};

/// Goes up with every change that gives other bytes for the same frame: entity tags are made of it.
pub const ENCODER: &str = concat!(env!("CARGO_PKG_VERSION"), "-5");

/// An encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The bytes.
    pub bytes: Bytes,
    /// Their media type.
    pub content_type: &'static str,
}

/// Why a picture could not be scaled or encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// PNG.
    #[error("failed to encode a PNG")]
    Png(#[from] ::png::EncodingError),
    /// JPEG.
    #[error("failed to encode a JPEG")]
    Jpeg(#[from] turbojpeg::Error),
    /// A format without room for the values.
    #[error("{format:?} has no values of more than 8 bits")]
    Depth {
        /// The format.
        format: Format,
    },
    /// Scaling.
    #[error("failed to scale a picture")]
    Scale(#[from] fast_image_resize::ResizeError),
    /// A buffer of the wrong size.
    #[error("failed to scale a picture")]
    Buffer(#[from] fast_image_resize::ImageBufferError),
}

/// Encodes `picture` as `format`.
pub fn encode(picture: &Picture, format: Format, quality: Quality) -> Result<Encoded, EncodeError> {
    let bytes = match format {
        Format::Png => png_of((picture.width, picture.height), 3, &picture.rgb),
        Format::Jpeg => jpeg::encode((picture.width, picture.height), &picture.rgb, quality)?,
        Format::Bmp => bmp(picture),
        Format::Rgba | Format::Raw => rgba(picture),
        Format::Npy => npy("|u1", &format!("({}, {}, 3)", picture.height, picture.width), &picture.rgb),
    };
    Ok(Encoded { bytes: bytes.into(), content_type: format.content_type() })
}

/// Encodes a frame as it comes out of the decoder: the bytes [`encode()`] gives of its picture.
pub(crate) fn direct(frame: &Direct<'_>, format: Format, quality: Quality) -> Result<Encoded, Error> {
    let (width, height) = (frame.width, frame.height);
    let pixels = width as usize * height as usize;
    let bytes = match format {
        Format::Png => {
            let write = |first, out: &mut [u8]| frame.rows(Order::Rgb, first, out);
            png::Rows { width, height, channels: 3, write }.encode()?.into()
        }
        Format::Jpeg => {
            let mut rgb = Buffer::of(pixels * 3);
            frame.rows(Order::Rgb, 0, &mut rgb)?;
            jpeg::encode((width, height), &rgb, quality)?.into()
        }
        Format::Bmp => direct_bmp(frame)?,
        Format::Rgba | Format::Raw => {
            let mut out = Buffer::of(pixels * 4);
            frame.rows(Order::Rgba, 0, &mut out)?;
            Bytes::from_owner(out)
        }
        Format::Npy => {
            let header = npy_header("|u1", &format!("({height}, {width}, 3)"));
            let mut out = Buffer::of(header.len() + pixels * 3);
            let (start, rows) = out.split_at_mut(header.len());
            start.copy_from_slice(&header);
            frame.rows(Order::Rgb, 0, rows)?;
            Bytes::from_owner(out)
        }
    };
    Ok(Encoded { bytes, content_type: format.content_type() })
}

/// Encodes a grey image: one channel in PNG, in `NumPy` arrays (height, width) and in raw pixels, three equal ones in the
/// formats that know no other.
pub fn grey(image: &GreyImage, format: Format, quality: Quality) -> Result<Encoded, EncodeError> {
    let bytes = match format {
        Format::Png => png_of((image.width, image.height), 1, &image.data),
        Format::Raw => image.data.clone(),
        Format::Npy => npy("|u1", &format!("({}, {})", image.height, image.width), &image.data),
        Format::Jpeg | Format::Bmp | Format::Rgba => return encode(&image.to_picture(), format, quality),
    };
    Ok(Encoded { bytes: bytes.into(), content_type: format.content_type() })
}

/// Encodes an image of more than 8 bits: as a `NumPy` array of little-endian 16-bit values, or as a 16-bit PNG.
pub fn deep(image: &DeepImage, format: Format) -> Result<Encoded, EncodeError> {
    let DeepImage { width, height, channels, .. } = image;
    let grey = *channels == 1;
    let bytes = match format {
        Format::Npy => {
            let shape = if grey { format!("({height}, {width})") } else { format!("({height}, {width}, {channels})") };
            let pixels: Vec<u8> = image.data.iter().flat_map(|value| value.to_le_bytes()).collect();
            npy("<u2", &shape, &pixels)
        }
        Format::Png => {
            let color = if grey { ::png::ColorType::Grayscale } else { ::png::ColorType::Rgb };
            let pixels: Vec<u8> = image.data.iter().flat_map(|value| value.to_be_bytes()).collect();
            deep_png(*width, *height, color, &pixels)?
        }
        Format::Jpeg | Format::Bmp | Format::Rgba | Format::Raw => return Err(EncodeError::Depth { format }),
    };
    Ok(Encoded { bytes: bytes.into(), content_type: format.content_type() })
}

/// A PNG of 8 bits a value.
fn png_of((width, height): (u32, u32), channels: u32, pixels: &[u8]) -> Vec<u8> {
    let row = width as usize * channels as usize;
    let write = |first: u32, out: &mut [u8]| -> Result<(), std::convert::Infallible> {
        let rows = pixels.get(first as usize * row..).unwrap_or_default();
        out.iter_mut().zip(rows).for_each(|(out, value)| *out = *value);
        Ok(())
    };
    let Ok(bytes) = png::Rows { width, height, channels, write }.encode();
    bytes
}

/// A PNG of 16 bits a value, with the library's fast setting: the usual one takes twenty times as long for a tenth fewer
/// bytes.
fn deep_png(width: u32, height: u32, color: ::png::ColorType, pixels: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::with_capacity(pixels.len() / 2);
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(::png::BitDepth::Sixteen);
    encoder.set_compression(::png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// What stands before a BMP's rows.
const BMP_HEADERS: u32 = 54;

/// The headers of a 24-bit BMP (BITMAPINFOHEADER), and the bytes of one of its rows: from the bottom up, BGR, padded to four
/// bytes.
fn bmp_header(width: u32, height: u32) -> (Vec<u8>, usize) {
    let row = (width as usize * 3).next_multiple_of(4);
    let pixels = row as u32 * height;
    let mut bytes = b"BM".to_vec();
    // File size, two reserved halves, where the pixels begin; size of the second header, width, height.
    for value in [BMP_HEADERS + pixels, 0, BMP_HEADERS, 40, width, height] {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    // One plane, 24 bits; then: no compression, size, 72 dpi twice, no palette.
    bytes.extend_from_slice(&[1, 0, 24, 0]);
    for value in [0, pixels, 2835, 2835, 0, 0] {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    (bytes, row)
}

fn bmp(picture: &Picture) -> Vec<u8> {
    let (mut bytes, row) = bmp_header(picture.width, picture.height);
    bytes.reserve_exact(row * picture.height as usize);
    for line in picture.rgb.chunks_exact((picture.width as usize * 3).max(1)).rev() {
        bytes.extend(line.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*b, *g, *r]));
        bytes.resize(bytes.len() + row - line.len(), 0);
    }
    bytes
}

fn direct_bmp(frame: &Direct<'_>) -> Result<Bytes, Error> {
    let (header, row) = bmp_header(frame.width, frame.height);
    let mut out = Buffer::of(header.len() + row * frame.height as usize);
    let (start, rows) = out.split_at_mut(header.len());
    start.copy_from_slice(&header);
    for (at, line) in (0..).zip(rows.chunks_exact_mut(row).rev()) {
        let (pixels, padding) = line.split_at_mut(frame.width as usize * 3);
        frame.rows(Order::Bgr, at, pixels)?;
        padding.fill(0);
    }
    Ok(Bytes::from_owner(out))
}

fn rgba(picture: &Picture) -> Vec<u8> {
    picture.rgb.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect()
}

fn npy(kind: &str, shape: &str, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = npy_header(kind, shape);
    bytes.extend_from_slice(pixels);
    bytes
}

/// What stands before the values of a `NumPy` array, format version 1.0: magic, the length of the header, the header padded
/// so that the values begin at a multiple of 64. `kind` is `|u1` or `<u2`, `shape` a Python tuple.
pub fn npy_header(kind: &str, shape: &str) -> Vec<u8> {
    const BEFORE_HEADER: usize = 10;
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let start = (BEFORE_HEADER + header.len() + 1).next_multiple_of(64);
    let mut bytes = Vec::with_capacity(start);
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&((start - BEFORE_HEADER) as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(start - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        Picture { width: 2, height: 2, rgb: vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }
    }

    #[test]
    fn a_png_reads_back_as_it_was() {
        let bytes = encode(&picture(), Format::Png, Quality::DEFAULT).unwrap().bytes;
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut rgb).unwrap();
        assert_eq!(rgb, picture().rgb);
    }

    #[test]
    fn a_bmp_is_written_bottom_up_in_blue_green_red_and_padded() {
        let bytes = bmp(&picture());
        assert_eq!((&bytes[..2], bytes.len()), (&b"BM"[..], 70));
        assert_eq!(&bytes[54..], [9, 8, 7, 12, 11, 10, 0, 0, 3, 2, 1, 6, 5, 4, 0, 0]);
    }

    #[test]
    fn a_numpy_array_is_written_as_numpy_reads_it() {
        let bytes = encode(&picture(), Format::Npy, Quality::DEFAULT).unwrap().bytes;
        assert_eq!((&bytes[..8], u16::from_le_bytes([bytes[8], bytes[9]])), (&b"\x93NUMPY\x01\x00"[..], 118));
        assert_eq!(bytes[10..128].trim_ascii(), b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 3), }");
        assert_eq!((bytes[127], &bytes[128..]), (b'\n', &picture().rgb[..]));
    }

    #[test]
    fn grey_is_one_channel_where_the_format_knows_it_and_three_equal_ones_elsewhere() {
        let image = GreyImage { width: 3, height: 1, data: vec![7, 8, 9] };
        let bytes = |format| grey(&image, format, Quality::DEFAULT).unwrap().bytes;
        assert_eq!(bytes(Format::Raw)[..], [7, 8, 9]);
        assert_eq!(bytes(Format::Rgba)[..8], [7, 7, 7, 255, 8, 8, 8, 255]);
        let array = bytes(Format::Npy);
        assert_eq!(array[10..128].trim_ascii(), b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3), }");
        assert_eq!(array[128..], [7, 8, 9]);
        let encoded = bytes(Format::Png);
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(encoded)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.color_type, pixels), (::png::ColorType::Grayscale, vec![7, 8, 9]));
    }

    #[test]
    fn deep_values_are_little_endian_in_an_array_and_read_back_from_a_png() {
        let image = DeepImage { width: 2, height: 1, channels: 3, bits: 10, data: vec![1, 2, 3, 0x0102, 1023, 0] };
        let array = deep(&image, Format::Npy).unwrap().bytes;
        assert_eq!(array[10..128].trim_ascii(), b"{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2, 3), }");
        assert_eq!(array[128..], [1, 0, 2, 0, 3, 0, 2, 1, 255, 3, 0, 0]);
        let encoded = deep(&image, Format::Png).unwrap().bytes;
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(encoded)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (::png::ColorType::Rgb, ::png::BitDepth::Sixteen));
        assert_eq!(pixels, [0, 1, 0, 2, 0, 3, 1, 2, 3, 255, 0, 0]);
        assert!(deep(&image, Format::Jpeg).is_err());
    }

    #[test]
    fn a_higher_quality_takes_more_bytes() {
        let rgb = (0..64 * 64 * 3).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let picture = Picture { width: 64, height: 64, rgb };
        let size = |quality| encode(&picture, Format::Jpeg, Quality::new(quality).unwrap()).unwrap().bytes.len();
        assert!(size(10) < size(85) && size(85) < size(100));
    }

    #[test]
    fn colours_keep_all_their_rows_from_quality_90_on() {
        // Rows of red and blue in turn: of half the rows only their mean is left.
        let rgb =
            (0..32).flat_map(|row| [if row % 2 == 0 { [200, 0, 0] } else { [0, 0, 200] }; 32]).flatten().collect();
        let picture = Picture { width: 32, height: 32, rgb };
        let red_of_first = |quality| {
            let bytes = encode(&picture, Format::Jpeg, Quality::new(quality).unwrap()).unwrap().bytes;
            turbojpeg::decompress(&bytes, turbojpeg::PixelFormat::RGB).unwrap().pixels[0]
        };
        assert!(red_of_first(90) > 150 && red_of_first(89) < 150, "{} {}", red_of_first(90), red_of_first(89));
    }

    #[test]
    fn raw_pixels_are_opaque() {
        assert_eq!(rgba(&picture())[..8], [1, 2, 3, 255, 4, 5, 6, 255]);
    }
}
