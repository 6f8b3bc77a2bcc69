//! Frame, picture and slice headers: what a packet says of itself, every stored size checked against the bytes there are.

use crate::Error;

/// Larger frames are refused: 16 times 4K.
pub const MAX_PIXELS: u32 = 16 * 3840 * 2160;
/// `MAX_SLICE_WIDTH` macroblocks are the widest slice: its binary logarithm.
const MAX_LOG2_WIDTH: u8 = 3;
/// Size and identifier before the frame header.
const CONTAINER: usize = 8;
/// Quantiser matrices are optional; the header is this long without.
const FRAME_HEADER: usize = 20;
const PICTURE_HEADER: usize = 8;
const SLICE_HEADER: usize = 6;
const MATRIX: usize = 64;

/// What a frame's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How the colours are sampled.
    pub chroma: Chroma,
    /// Whether the frame is stored as two fields.
    pub interlaced: bool,
}

/// How the colours are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    /// Half as wide as the brightness (ProRes 422).
    Yuv422,
    /// As wide as the brightness (ProRes 4444).
    Yuv444,
}

/// A frame: its header, its quantiser matrices in raster order, its pictures' bytes.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub header: Header,
    /// Of the luma.
    pub matrix: [u8; MATRIX],
    /// Of the colours.
    pub colour_matrix: [u8; MATRIX],
    pictures: &'a [u8],
}

/// One picture: a frame, or a field of one.
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    columns: u32,
    rows: u32,
    /// Of the widest slices, in macroblocks.
    slice_width: u32,
    sizes: &'a [[u8; 2]],
    data: &'a [u8],
}

/// One slice: where it stands, in macroblocks, and its planes.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// From the left.
    pub column: u32,
    /// From the top.
    pub row: u32,
    /// Its width: 1, 2, 4 or 8.
    pub width: u32,
    /// What all quantiser steps are multiplied by.
    pub scale: u16,
    /// The bytes of the luma's coefficients.
    pub bytes: &'a [u8],
    /// Those of the colours': blue and red differences.
    pub colours: [&'a [u8]; 2],
}

impl<'a> Frame<'a> {
    /// Reads the header of a packet.
    pub fn parse(packet: &'a [u8]) -> Result<Self, Error> {
        let size = u32_at(packet, 0).ok_or(Error::Truncated { what: "the packet" })? as usize;
        if packet.get(4..CONTAINER) != Some(b"icpf") {
            return Err(Error::NotProRes);
        }
        let frame = packet.get(CONTAINER..size).ok_or(Error::Truncated { what: "the frame" })?;
        let length = usize::from(u16_at(frame, 0).ok_or(Error::Truncated { what: "the frame header" })?);
        let (bytes, pictures) = frame.split_at_checked(length).ok_or(Error::Truncated { what: "the frame header" })?;
        let Some(fixed) = bytes.first_chunk::<FRAME_HEADER>() else {
            return Err(Error::Header { what: "the frame header is too short" });
        };
        let header = Header::parse(fixed)?;
        let (matrix, colour_matrix) = matrices(fixed, &bytes[FRAME_HEADER..])?;
        Ok(Self { header, matrix, colour_matrix, pictures })
    }

    /// Its one picture, or its two fields in the order they are stored.
    pub fn pictures(&self) -> Result<Vec<Picture<'a>>, Error> {
        let (first, rest) = self.picture(self.pictures)?;
        if !self.header.interlaced {
            return Ok(vec![first]);
        }
        let (second, _) = self.picture(rest)?;
        Ok(vec![first, second])
    }

    /// The picture at the beginning of `bytes`, and what stands behind it.
    fn picture(&self, bytes: &'a [u8]) -> Result<(Picture<'a>, &'a [u8]), Error> {
        let truncated = Error::Truncated { what: "a picture" };
        let size = u32::from_be_bytes(*bytes.get(1..).and_then(<[u8]>::first_chunk).ok_or(truncated.clone())?);
        let (bytes, rest) = bytes.split_at_checked(size as usize).ok_or(truncated)?;
        let fixed = bytes.first_chunk::<PICTURE_HEADER>().ok_or(Error::Truncated { what: "a picture header" })?;
        let length = usize::from(fixed[0] >> 3);
        let behind = bytes.get(length.max(PICTURE_HEADER)..).filter(|_| length >= PICTURE_HEADER);
        let behind = behind.ok_or(Error::Header { what: "a picture header has a wrong length" })?;
        let (log2_width, log2_height) = (fixed[7] >> 4, fixed[7] & 15);
        if log2_width > MAX_LOG2_WIDTH || log2_height > 0 {
            return Err(Error::Unsupported { what: "slices of this size" });
        }
        let Header { width, height, interlaced, .. } = self.header;
        let columns = width.div_ceil(16);
        let rows = if interlaced { height.div_ceil(32) } else { height.div_ceil(16) };
        // The stored number of slices is passed over, as QuickTime does: it follows from the size.
        let count = slices_of_row(columns, log2_width) * rows;
        let (sizes, data) =
            behind.split_at_checked(count as usize * 2).ok_or(Error::Truncated { what: "the table of slices" })?;
        Ok((Picture { columns, rows, slice_width: 1 << log2_width, sizes: sizes.as_chunks().0, data }, rest))
    }
}

impl Header {
    fn parse(bytes: &[u8; FRAME_HEADER]) -> Result<Self, Error> {
        if u16::from_be_bytes([bytes[2], bytes[3]]) > 1 {
            return Err(Error::Unsupported { what: "this version of the bitstream" });
        }
        let width = u32::from(u16::from_be_bytes([bytes[8], bytes[9]]));
        let height = u32::from(u16::from_be_bytes([bytes[10], bytes[11]]));
        if width == 0 || height == 0 {
            return Err(Error::Header { what: "the frame has no size" });
        }
        if width * height > MAX_PIXELS {
            return Err(Error::TooLarge { width, height });
        }
        let chroma = match bytes[12] >> 6 {
            2 => Chroma::Yuv422,
            3 => Chroma::Yuv444,
            _ => return Err(Error::Unsupported { what: "this sampling of the colours" }),
        };
        let interlaced = match bytes[12] >> 2 & 3 {
            0 => false,
            1 | 2 => true,
            _ => return Err(Error::Unsupported { what: "this order of fields" }),
        };
        Ok(Self { width, height, chroma, interlaced })
    }
}

/// The luma's, then the colours'. Where the luma has none, all its values are 4; where the colours have none, theirs is that
/// of the luma.
fn matrices(fixed: &[u8; FRAME_HEADER], behind: &[u8]) -> Result<([u8; MATRIX], [u8; MATRIX]), Error> {
    let mut rest = behind;
    let mut next = |is_stored: bool, else_of: [u8; MATRIX]| {
        if !is_stored {
            return Ok(else_of);
        }
        let too_short = Error::Header { what: "the frame header is too short for its matrix" };
        let (matrix, behind) = rest.split_first_chunk::<MATRIX>().ok_or(too_short)?;
        rest = behind;
        Ok(*matrix)
    };
    let luma = next(fixed[19] & 2 != 0, [4; MATRIX])?;
    Ok((luma, next(fixed[19] & 1 != 0, luma)?))
}

/// Whole ones of the widest, then one for each bit of the rest's number of macroblocks.
fn slices_of_row(columns: u32, log2_width: u8) -> u32 {
    (columns >> log2_width) + (columns & ((1 << log2_width) - 1)).count_ones()
}

impl<'a> Picture<'a> {
    /// Its slices, row by row, or for each one that is none why.
    pub fn slices(&self) -> Result<Vec<Slice<'a>>, Error> {
        let (mut slices, mut rest) = (Vec::with_capacity(self.sizes.len()), self.data);
        let mut sizes = self.sizes.iter();
        for row in 0..self.rows {
            let (mut column, mut width) = (0, self.slice_width);
            while column < self.columns {
                while width > self.columns - column {
                    width >>= 1;
                }
                let size = sizes.next().map_or(0, |size| usize::from(u16::from_be_bytes(*size)));
                let (bytes, behind) = rest.split_at_checked(size).ok_or(Error::Truncated { what: "a slice" })?;
                let (scale, [bytes, blue, red]) = planes_of(bytes)?;
                slices.push(Slice { column, row, width, scale, bytes, colours: [blue, red] });
                (rest, column) = (behind, column + width);
            }
        }
        Ok(slices)
    }
}

/// The factor of a slice and its planes: luma, blue and red differences.
fn planes_of(slice: &[u8]) -> Result<(u16, [&[u8]; 3]), Error> {
    let fixed = slice.first_chunk::<SLICE_HEADER>().ok_or(Error::Header { what: "a slice is too short" })?;
    let length = usize::from(fixed[0] >> 3);
    let part = |at: usize| u16_at(slice, at).map_or(0, usize::from);
    // Headers of eight bytes say the size of the last plane of colours, too; else it is what is left.
    let last = if length > 7 { part(6) } else { 0 };
    let (blue, red) = (length + part(2), length + part(2) + part(4));
    if length < SLICE_HEADER || red + last > slice.len() {
        return Err(Error::Header { what: "the planes of a slice are larger than the slice" });
    }
    let scale = u16::from(fixed[1].clamp(1, 224));
    let end = if length > 7 { red + last } else { slice.len() };
    let scale = if scale > 128 { (scale - 96) * 4 } else { scale };
    Ok((scale, [&slice[length..blue], &slice[blue..red], &slice[red..end]]))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_halve_until_they_fill_the_row() {
        assert_eq!(slices_of_row(120, 3), 15);
        assert_eq!(slices_of_row(46, 3), 5 + 2);
        assert_eq!(slices_of_row(7, 3), 3);
        assert_eq!(slices_of_row(7, 0), 7);
        let slice = [6 << 3, 7, 0, 0, 0, 0];
        let data = slice.repeat(14);
        let sizes = [[0, 6]; 14];
        let picture = Picture { columns: 46, rows: 2, slice_width: 8, sizes: &sizes, data: &data };
        let found: Vec<_> =
            picture.slices().unwrap().iter().map(|slice| (slice.row, slice.column, slice.width)).collect();
        let row =
            |row| [(row, 0, 8), (row, 8, 8), (row, 16, 8), (row, 24, 8), (row, 32, 8), (row, 40, 4), (row, 44, 2)];
        assert_eq!(found, [row(0), row(1)].concat());
    }

    #[test]
    fn the_scale_of_a_slice_grows_faster_above_128() {
        let scale = |code| planes_of(&[6 << 3, code, 0, 0, 0, 0]).unwrap().0;
        assert_eq!([0, 1, 128, 129, 224, 255].map(scale), [1, 1, 128, 132, 512, 512]);
    }

    #[test]
    fn colours_without_a_matrix_have_that_of_the_luma() {
        let mut fixed = [0; FRAME_HEADER];
        let stored = [[7; MATRIX], [9; MATRIX]].concat();
        let mut found = |flags| {
            fixed[19] = flags;
            matrices(&fixed, &stored).map(|(luma, colours)| (luma[0], colours[63]))
        };
        assert_eq!([0, 1, 2, 3].map(|flags| found(flags).unwrap()), [(4, 4), (4, 7), (7, 7), (7, 9)]);
        assert!(matrices(&fixed, &stored[..127]).is_err());
    }

    #[test]
    fn planes_that_do_not_fit_their_slice_are_damage() {
        for slice in
            [[6 << 3, 1, 0, 1, 0, 0], [6 << 3, 1, 0, 0, 0, 1], [5 << 3, 1, 0, 0, 0, 0], [31 << 3, 1, 0, 0, 0, 0]]
        {
            assert!(matches!(planes_of(&slice), Err(Error::Header { .. })), "{slice:?}");
        }
        let found = planes_of(&[7 << 3, 9, 0, 1, 0, 1, 77, 5, 6]).unwrap();
        assert_eq!(found, (9, [&[5_u8][..], &[6], &[]]));
    }
}
