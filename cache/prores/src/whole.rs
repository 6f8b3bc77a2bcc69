//! A whole frame: all coefficients, all three planes, as FFmpeg decodes it, in about half its time.

use crate::{
    Chroma, Error,
    bits::Damage,
    entropy::{SlicePlane, by_table, pair},
    header::{Frame, Picture, Slice},
    inverse::{ORDER, Pixels, Steps, pixels},
    room::{BLOCK, Whole},
    table::Short,
};

/// A frame's samples, ten bits each: brightness, and colours in half as many columns. Video range: black is 64, white 940.
///
/// To be kept and used again: frames of one size then need no new memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planes {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Brightness.
    pub y: Samples,
    /// Blue differences.
    pub cb: Samples,
    /// Red differences.
    pub cr: Samples,
}

/// The samples of one plane, row by row. Rows and columns beyond the frame's size are padding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    /// Samples from a row to the next: the frame's width, or half of it, in whole macroblocks.
    pub stride: usize,
    /// The samples.
    pub data: Vec<u16>,
}

/// Decodes a frame of ProRes 422 that is not interlaced into `planes`. Others are refused by name. After an error, what
/// stands in `planes` is of no use.
pub fn planes(packet: &[u8], planes: &mut Planes) -> Result<(), Error> {
    let frame = Frame::parse(packet)?;
    if frame.header.interlaced {
        return Err(Error::Unsupported { what: "a whole frame of two fields" });
    }
    if frame.header.chroma != Chroma::Yuv422 {
        return Err(Error::Unsupported { what: "a whole frame of ProRes 4444" });
    }
    let pictures = frame.pictures()?;
    let slices = pictures.first().map_or_else(|| Ok(Vec::new()), Picture::slices)?;
    // Only now, when each slice was found to have at least 6 bytes of the packet.
    planes.set_size(frame.header.width, frame.header.height);
    let mut decoder = Decoder::new(&frame);
    for (index, two) in slices.chunks(2).enumerate() {
        decoder.put(two, planes).map_err(|(nth, source)| Error::Slice { slice: index * 2 + nth, source })?;
    }
    Ok(())
}

impl Planes {
    fn set_size(&mut self, width: u32, height: u32) {
        (self.width, self.height) = (width, height);
        let (columns, rows) = (width.div_ceil(16) as usize, height.div_ceil(16) as usize);
        for (samples, stride) in [(&mut self.y, columns * 16), (&mut self.cb, columns * 8), (&mut self.cr, columns * 8)]
        {
            samples.stride = stride;
            samples.data.resize(stride * rows * 16, 0);
        }
    }
}

impl Samples {
    /// A block, whose place follows from the frame's size and so is there.
    #[inline(always)]
    fn put(&mut self, left: usize, top: usize, pixels: &Pixels) {
        for (row, pixels) in (top..).zip(pixels) {
            if let Some(samples) = self.data.get_mut(row * self.stride + left..).and_then(<[u16]>::first_chunk_mut) {
                *samples = *pixels;
            }
        }
    }
}

/// What decoding a frame needs beside its slices.
struct Decoder {
    table: &'static Short,
    /// Of luma and of colours.
    steps: [Steps; 2],
    rooms: [Whole; 2],
}

impl Decoder {
    fn new(frame: &Frame<'_>) -> Self {
        let rooms = [Whole::new(ORDER), Whole::new(ORDER)];
        let steps = [Steps::new(&frame.matrix), Steps::new(&frame.colour_matrix)];
        Self { table: Short::shared(), steps, rooms }
    }

    /// One slice or two; the first damage, and in which of them.
    fn put(&mut self, slices: &[Slice<'_>], planes: &mut Planes) -> Result<(), (usize, Damage)> {
        let luma = |slice: &Slice<'_>| slice.width.trailing_zeros() + 2;
        if let [a, b] = slices {
            self.read([(a.bytes, luma(a)), (b.bytes, luma(b))])?;
        } else if let [only] = slices {
            self.read_one(only.bytes, luma(only)).map_err(|damage| (0, damage))?;
        }
        for (nth, slice) in slices.iter().enumerate() {
            self.put_plane(nth, slice, 0, &mut planes.y).map_err(|damage| (nth, damage))?;
        }
        for (nth, slice) in slices.iter().enumerate() {
            let [blue, red] = slice.colours;
            let blocks = slice.width.trailing_zeros() + 1;
            self.read([(blue, blocks), (red, blocks)]).map_err(|(_, damage)| (nth, damage))?;
            self.put_plane(0, slice, 1, &mut planes.cb).map_err(|damage| (nth, damage))?;
            self.put_plane(1, slice, 1, &mut planes.cr).map_err(|damage| (nth, damage))?;
        }
        Ok(())
    }

    /// Two planes in turn.
    fn read(&mut self, planes: [(&[u8], u32); 2]) -> Result<(), (usize, Damage)> {
        let [first, second] = &mut self.rooms;
        pair(self.table, planes.map(whole), [first, second])
    }

    fn read_one(&mut self, bytes: &[u8], log2_blocks: u32) -> Result<(), Damage> {
        by_table(self.table, whole((bytes, log2_blocks)), &mut self.rooms[0])
    }

    /// Puts what was read into the room `room`: luma (`kind` 0), whose blocks come as top left, top right, bottom left, bottom
    /// right, or colours (1), as top, bottom.
    fn put_plane(&self, room: usize, slice: &Slice<'_>, kind: usize, samples: &mut Samples) -> Result<(), Damage> {
        let steps = self.steps[kind].scaled(slice.scale);
        let (across, per_macroblock) = if kind == 0 { (2, 4) } else { (1, 2) };
        let blocks = self.rooms[room].blocks(slice.width as usize * per_macroblock);
        for (index, block) in blocks.iter().enumerate() {
            let (macroblock, part) = (index / per_macroblock, index % per_macroblock);
            let left = ((slice.column as usize + macroblock) * across + part % across) * 8;
            let top = slice.row as usize * 16 + part / across * 8;
            samples.put(left, top, &pixels(block, &steps)?);
        }
        Ok(())
    }
}

fn whole((bytes, log2_blocks): (&[u8], u32)) -> SlicePlane<'_> {
    SlicePlane { bytes, log2_blocks, wanted: BLOCK as u32 }
}
