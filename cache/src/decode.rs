//! The only FFmpeg door: one compressed frame to pixels.
//!
//! ProRes 422 does not go through it: the crate `prores` gives the same samples in less time (its `tests/whole.rs`), and
//! what that crate refuses, damage above all, is FFmpeg's to judge.
//!
//! Decoders are kept per thread and reused. Each decodes with one thread: requests run side by side, so threads within a
//! frame would only cost. Functions here burn a core for 10-40 ms a full-size frame; they are not for async threads.

mod deep;
mod direct;
mod formats;
mod group;
mod own;

use std::cell::RefCell;

use ffmpeg_next as ffmpeg;
use frame::Crop;

use ffmpeg::{codec, decoder, format::Pixel, frame::Video};
use quicktime::FourCc;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

pub use deep::{deep_grey, deep_rgb};
pub(crate) use direct::{Decoded, Direct, Order, decoded};
pub(crate) use group::pack;
pub(crate) use own::{agrees_with_ffmpeg, is_prores_422, rgb_of};

use crate::{
    movie::Movie,
    picture::{GreyImage, Picture},
};
use formats::Other;

/// Larger frames are refused: 16 times 4K.
const MAX_PIXELS: u64 = 16 * 3840 * 2160;

/// Why a packet gave no picture.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A codec that is not served.
    #[error("the codec '{codec}' is not supported")]
    Codec {
        /// Its four-character code.
        codec: FourCc,
    },
    /// A pixel format that is not served.
    #[error("the pixel format {format} is not supported")]
    PixelFormat {
        /// FFmpeg's name for it.
        format: String,
    },
    /// FFmpeg refused the packet.
    #[error("failed to decode a frame of {bytes} bytes")]
    Packet {
        /// The packet's size.
        bytes: usize,
        /// Why.
        #[source]
        source: ffmpeg::Error,
    },
    /// FFmpeg gave a picture, but not all of it is the frame's.
    #[error("a part of a frame of {bytes} bytes is damaged")]
    Damaged {
        /// The packet's size.
        bytes: usize,
    },
    /// The packet holds another size than the movie says.
    #[error("the frame is {found_width}x{found_height}, the movie says {width}x{height}")]
    Size {
        /// Of the movie.
        width: u32,
        /// Of the movie.
        height: u32,
        /// Of the packet.
        found_width: u32,
        /// Of the packet.
        found_height: u32,
    },
    /// The lowest frequencies of a ProRes packet could not be read.
    #[error("failed to read the lowest frequencies of a frame of {bytes} bytes")]
    ProRes {
        /// The packet's size.
        bytes: usize,
        /// Why.
        #[source]
        source: prores::Error,
    },
    /// A frame that others are needed for, without them.
    #[error("the frame did not come out of the {packets} packets it is decoded from")]
    NoFrame {
        /// How many packets were decoded.
        packets: usize,
    },
    /// More bits than the movie has.
    #[error("the movie has {bits} bits a value: no greater depth is to be had")]
    Depth {
        /// Of the movie.
        bits: u32,
    },
    /// A reduction that is not offered.
    #[error("a reduction by {reduction} is not offered; 1, 2, 4 and 8 are")]
    Reduction {
        /// As asked for.
        reduction: u32,
    },
    /// The pixels could not be converted.
    #[error("failed to convert the colours of a frame")]
    Colours(#[source] yuv::YuvError),
}

/// What a decoder is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Format {
    codec: FourCc,
    width: u32,
    height: u32,
}

thread_local! {
    static DECODER: RefCell<Option<(Format, decoder::Video)>> = const { RefCell::new(None) };
}

/// A decoded frame.
enum Sampled<'a> {
    /// In one of the formats of ProRes.
    Planes(Planes<'a>),
    /// In a format of other codecs.
    Other(Other<'a>),
}

impl<'a> Sampled<'a> {
    fn of(frame: &'a Video) -> Result<Self, DecodeError> {
        Other::of(frame).map_or_else(|| Planes::of(frame).map(Self::Planes), |other| Ok(Self::Other(other)))
    }
}

/// The frame's brightness at 1, 1/2, 1/4 or 1/8 of the size: every pixel is the mean of `reduction` x `reduction` pixels of
/// the luma plane (a rest at the right or the bottom is left out), expanded from video range (16-235) to 0-255.
pub fn grey(movie: &Movie, packet: &[u8], reduction: u32) -> Result<GreyImage, DecodeError> {
    grey_part(movie, packet, None, reduction)
}

/// As [`grey`], of a part of the frame only.
pub fn grey_part(movie: &Movie, packet: &[u8], crop: Option<Crop>, reduction: u32) -> Result<GreyImage, DecodeError> {
    if !matches!(reduction, 1 | 2 | 4 | 8) {
        return Err(DecodeError::Reduction { reduction });
    }
    let crop = crop.unwrap_or(Crop { x: 0, y: 0, width: movie.width(), height: movie.height() });
    with_frame(movie, packet, |frame| {
        let planes = match frame {
            Sampled::Planes(planes) => planes,
            Sampled::Other(other) => return Ok(other.grey(crop, reduction)),
        };
        let part = part_of(planes.y, planes.y_stride, crop);
        Ok(reduce(part, planes.y_stride, (crop.width, crop.height), reduction, planes.depth))
    })
}

/// A plane from the corner of `crop` on.
fn part_of<T>(plane: &[T], stride: usize, crop: Crop) -> &[T] {
    plane.get(crop.y as usize * stride + crop.x as usize..).unwrap_or_default()
}

/// The frame in colour.
pub fn rgb(movie: &Movie, packet: &[u8]) -> Result<Picture, DecodeError> {
    with_frame(movie, packet, |frame| picture_of(movie, &frame))
}

fn picture_of(movie: &Movie, frame: &Sampled<'_>) -> Result<Picture, DecodeError> {
    let (size, matrix) = ((movie.width(), movie.height()), matrix_of(movie));
    match frame {
        Sampled::Planes(planes) => rgb_of_planes(planes, size, matrix),
        Sampled::Other(other) => other.rgb(size, matrix),
    }
}

fn rgb_of_planes(
    planes: &Planes<'_>,
    (width, height): (u32, u32),
    matrix: YuvStandardMatrix,
) -> Result<Picture, DecodeError> {
    let mut rgb = vec![0; width as usize * height as usize * 3];
    let image = planes.image(width, height);
    let stride = width * 3;
    match (planes.depth, planes.is_444) {
        (10, false) => yuv::i210_to_rgb(&image, &mut rgb, stride, YuvRange::Limited, matrix),
        (12, false) => yuv::i212_to_rgb(&image, &mut rgb, stride, YuvRange::Limited, matrix),
        (12, true) => yuv::i412_to_rgb(&image, &mut rgb, stride, YuvRange::Limited, matrix),
        _ => return rgb_of_444(&image, matrix),
    }
    .map_err(DecodeError::Colours)?;
    Ok(Picture { width, height, rgb })
}

/// The yuv crate converts 10-bit 4:4:4 to RGBA only.
fn rgb_of_444(image: &YuvPlanarImage<'_, u16>, matrix: YuvStandardMatrix) -> Result<Picture, DecodeError> {
    let (width, height) = (image.width, image.height);
    let mut rgba = vec![0; width as usize * height as usize * 4];
    yuv::i410_to_rgba(image, &mut rgba, width * 4, YuvRange::Limited, matrix).map_err(DecodeError::Colours)?;
    let rgb = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Ok(Picture { width, height, rgb })
}

/// What the movie says, else what its size makes likely.
fn matrix_of(movie: &Movie) -> YuvStandardMatrix {
    match movie.colour_matrix() {
        Some(5 | 6) => YuvStandardMatrix::Bt601,
        Some(9 | 10) => YuvStandardMatrix::Bt2020,
        Some(7) => YuvStandardMatrix::Smpte240,
        None | Some(2) if movie.height() < 720 => YuvStandardMatrix::Bt601,
        _ => YuvStandardMatrix::Bt709,
    }
}

/// Decodes `packet` and hands the frame to `use_frame`.
fn with_frame<T>(
    movie: &Movie,
    packet: &[u8],
    use_frame: impl FnOnce(Sampled<'_>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let format = Format { codec: movie.codec(), width: movie.width(), height: movie.height() };
    if let Some(planes) = own::decoded(format, packet) {
        let result = use_frame(Sampled::Planes(Planes::of_422(&planes)));
        own::keep(planes);
        return result;
    }
    with_video(movie, format, packet, |frame| use_frame(Sampled::of(frame)?))
}

/// As [`with_frame`], by FFmpeg.
fn with_video<T>(
    movie: &Movie,
    format: Format,
    packet: &[u8],
    use_frame: impl FnOnce(&Video) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    if matches!(codec_of(format.codec), Some(codec::Id::H264 | codec::Id::HEVC)) {
        let frame = group::decode(movie, format, packet)?;
        check_size(&frame, format)?;
        return use_frame(&frame);
    }
    DECODER.with_borrow_mut(|slot| {
        let mut decoder = match slot.take() {
            Some((of, decoder)) if of == format => decoder,
            _ => open(format, &[])?,
        };
        let frame = decode(&mut decoder, packet)?;
        // A decoder that failed is not kept: the next frame gets a fresh one. Nor is one of another codec than ProRes:
        // FFmpeg's of DNxHD gives wrong pixels after a frame of another profile.
        if codec_of(format.codec) == Some(codec::Id::PRORES) {
            *slot = Some((format, decoder));
        }
        check_size(&frame, format).inspect_err(|_| *slot = None)?;
        use_frame(&frame)
    })
}

fn check_size(frame: &Video, Format { width, height, .. }: Format) -> Result<(), DecodeError> {
    let (found_width, found_height) = (frame.width(), frame.height());
    if (found_width, found_height) == (width, height) {
        Ok(())
    } else {
        Err(DecodeError::Size { width, height, found_width, found_height })
    }
}

fn decode(decoder: &mut decoder::Video, packet: &[u8]) -> Result<Video, DecodeError> {
    let fail = |source| DecodeError::Packet { bytes: packet.len(), source };
    let mut frame = Video::empty();
    decoder.send_packet(&codec::packet::Packet::copy(packet)).map_err(fail)?;
    decoder.receive_frame(&mut frame).map_err(fail)?;
    // The ProRes decoder passes over slices it cannot read, whatever it is told about errors, and only marks the frame.
    if frame.has_decode_errors() || frame.is_corrupt() {
        return Err(DecodeError::Damaged { bytes: packet.len() });
    }
    Ok(frame)
}

fn open(format: Format, config: &[u8]) -> Result<decoder::Video, DecodeError> {
    let unsupported = DecodeError::Codec { codec: format.codec };
    let pixels = u64::from(format.width) * u64::from(format.height);
    let (Some(id), true) = (codec_of(format.codec), pixels <= MAX_PIXELS) else { return Err(unsupported) };
    let codec = decoder::find(id).ok_or(unsupported)?;
    let fail = |source| DecodeError::Packet { bytes: 0, source };
    // What FFmpeg would print about every bad slice is in the error already.
    ffmpeg::log::set_level(ffmpeg::log::Level::Quiet);
    let mut context = codec::Context::new_with_codec(codec);
    describe(&mut context, format, config);
    context.decoder().open_as(codec).and_then(decoder::Opened::video).map_err(fail)
}

/// Tells the decoder what the container says, and bounds what a damaged packet can make it allocate.
#[allow(unsafe_code)]
fn describe(context: &mut codec::Context, format: Format, config: &[u8]) {
    // SAFETY: the pointer is of a live context that nothing else holds; plain integer fields are set before it is opened.
    // The configuration is copied into memory of FFmpeg's own, padded with zeros as it wants it; the context frees it.
    unsafe {
        let raw = context.as_mut_ptr();
        if !config.is_empty() {
            let memory = ffmpeg::ffi::av_mallocz(config.len() + ffmpeg::ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize);
            if !memory.is_null() {
                std::ptr::copy_nonoverlapping(config.as_ptr(), memory.cast(), config.len());
                (*raw).extradata = memory.cast();
                (*raw).extradata_size = config.len() as i32;
                // Frames right after an open group's first one are held back as not yet sound, although they are: what
                // would not be is left out of the group, or is an error.
                (*raw).flags |= ffmpeg::ffi::AV_CODEC_FLAG_OUTPUT_CORRUPT as i32;
            }
        }
        (*raw).codec_tag = u32::from_le_bytes(format.codec.0);
        (*raw).width = format.width as i32;
        (*raw).height = format.height as i32;
        (*raw).thread_count = 1;
        // Decoders pad the size to whole macroblocks.
        (*raw).max_pixels = (i64::from(format.width) + 64) * (i64::from(format.height) + 64);
        // A damaged frame is an error, not a picture with a grey slice.
        (*raw).err_recognition = ffmpeg::ffi::AV_EF_EXPLODE;
    }
}

/// Whether the next packet's damage is to be an error, as it is until another is said.
#[allow(unsafe_code)]
fn insist(decoder: &mut decoder::Video, insists: bool) {
    // SAFETY: the pointer is of a live context that nothing else holds; it decodes in this thread, and looks at this plain
    // integer only while it does.
    unsafe {
        (*decoder.as_mut_ptr()).err_recognition = if insists { ffmpeg::ffi::AV_EF_EXPLODE } else { 0 };
    }
}

/// The decoders of the codecs that are served, by their code in the movie.
fn codec_of(code: FourCc) -> Option<codec::Id> {
    match &code.0 {
        b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => Some(codec::Id::PRORES),
        b"avc1" | b"avc3" => Some(codec::Id::H264),
        b"hvc1" | b"hev1" => Some(codec::Id::HEVC),
        b"jpeg" | b"mjpa" => Some(codec::Id::MJPEG),
        b"AVdn" | b"AVdh" => Some(codec::Id::DNXHD),
        b"v210" => Some(codec::Id::V210),
        _ => None,
    }
}

/// The planes of a decoded frame as 16-bit samples, checked to hold what the frame's size says.
struct Planes<'a> {
    y: &'a [u16],
    u: &'a [u16],
    v: &'a [u16],
    y_stride: usize,
    c_stride: usize,
    depth: u32,
    is_444: bool,
}

impl<'a> Planes<'a> {
    fn of(frame: &'a Video) -> Result<Self, DecodeError> {
        let (depth, is_444) = match frame.format() {
            Pixel::YUV422P10LE => (10, false),
            Pixel::YUV422P12LE => (12, false),
            Pixel::YUV444P10LE | Pixel::YUVA444P10LE => (10, true),
            Pixel::YUV444P12LE | Pixel::YUVA444P12LE => (12, true),
            other => return Err(DecodeError::PixelFormat { format: format!("{other:?}") }),
        };
        Ok(Self {
            y: samples(frame, 0),
            u: samples(frame, 1),
            v: samples(frame, 2),
            y_stride: frame.stride(0) / 2,
            c_stride: frame.stride(1) / 2,
            depth,
            is_444,
        })
    }

    fn of_422(planes: &'a prores::Planes) -> Self {
        Self {
            y: &planes.y.data,
            u: &planes.cb.data,
            v: &planes.cr.data,
            y_stride: planes.y.stride,
            c_stride: planes.cb.stride,
            depth: 10,
            is_444: false,
        }
    }

    fn image(&self, width: u32, height: u32) -> YuvPlanarImage<'a, u16> {
        YuvPlanarImage {
            y_plane: self.y,
            y_stride: self.y_stride as u32,
            u_plane: self.u,
            u_stride: self.c_stride as u32,
            v_plane: self.v,
            v_stride: self.c_stride as u32,
            width,
            height,
        }
    }
}

/// A plane as 16-bit samples. FFmpeg aligns planes to far more than two bytes.
#[allow(unsafe_code)]
fn samples(frame: &Video, plane: usize) -> &[u16] {
    // SAFETY: every bit pattern is a u16; `align_to` takes care of alignment and length.
    let (_, samples, _) = unsafe { frame.data(plane).align_to::<u16>() };
    samples
}

fn reduce(y: &[u16], stride: usize, size: (u32, u32), reduction: u32, depth: u32) -> GreyImage {
    reduce_to(y, stride, size, reduction, &Range::new(depth, reduction))
}

/// Means of `reduction` x `reduction` blocks, expanded to full range. Rows beyond the plane's end count as its end.
fn reduce_to(y: &[u16], stride: usize, size: (u32, u32), reduction: u32, range: &Range) -> GreyImage {
    let step = reduction as usize;
    let (width, height) = (size.0 as usize / step, size.1 as usize / step);
    let mut data = Vec::with_capacity(width * height);
    let mut sums = vec![0_u32; width];
    for rows in y.chunks(stride.max(1) * step).take(height) {
        sums.fill(0);
        for row in rows.chunks(stride.max(1)) {
            add_row(&mut sums, row, step);
        }
        data.extend(sums.iter().map(|sum| range.expand(*sum)));
    }
    data.resize(width * height, 0);
    GreyImage { width: width as u32, height: height as u32, data }
}

fn add_row(sums: &mut [u32], row: &[u16], step: usize) {
    // A fixed block size lets the compiler unroll and vectorise.
    match step {
        1 => add_blocks::<1>(sums, row),
        2 => add_blocks::<2>(sums, row),
        4 => add_blocks::<4>(sums, row),
        _ => add_blocks::<8>(sums, row),
    }
}

fn add_blocks<const STEP: usize>(sums: &mut [u32], row: &[u16]) {
    for (sum, block) in sums.iter_mut().zip(row.as_chunks::<STEP>().0) {
        *sum = sum.wrapping_add(block.iter().map(|sample| u32::from(*sample)).sum::<u32>());
    }
}

/// Video range to full range, rounded: (mean - 16 * 2^(depth-8)) * 255 / (219 * 2^(depth-8)).
struct Range {
    black: i64,
    span: i64,
}

impl Range {
    fn new(depth: u32, reduction: u32) -> Self {
        let unit = i64::from(reduction * reduction) << (depth - 8);
        Self { black: 16 * unit, span: 219 * unit }
    }

    /// Of a movie whose black is 0 and whose white is the largest value.
    fn full(depth: u32, reduction: u32) -> Self {
        Self { black: 0, span: i64::from(reduction * reduction) * ((1 << depth) - 1) }
    }

    fn expand(&self, sum: u32) -> u8 {
        self.spread(sum, 255) as u8
    }

    /// From 0 to `white`.
    fn spread(&self, sum: u32, white: i64) -> i64 {
        let value = (i64::from(sum) - self.black) * white + self.span / 2;
        (value / self.span).clamp(0, white)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_and_white_of_the_video_range_are_0_and_255() {
        let plane = [64_u16, 64, 940, 940, 64, 64, 940, 940, 502, 502, 0, 0, 502, 502, 1023, 1023];
        let image = reduce(&plane, 4, (4, 4), 2, 10);
        assert_eq!(image, GreyImage { width: 2, height: 2, data: vec![0, 255, 128, 130] });
    }

    #[test]
    fn a_rest_at_the_right_and_the_bottom_is_left_out() {
        let plane = vec![940_u16; 16 * 11];
        let image = reduce(&plane, 16, (11, 11), 4, 10);
        assert_eq!(image, GreyImage { width: 2, height: 2, data: vec![255; 4] });
    }
}
