//! A frame reduced, of its lowest frequencies: its brightness alone, or with its colours.

use crate::{
    Chroma, Error, Range, Reduction,
    bits::Damage,
    entropy::{self, SlicePlane},
    header::{Frame, Picture, Slice},
    plane::{Pixel, Plane},
    room::{Lowest, MAX_BLOCKS, MAX_WANTED},
    table::Long,
    transform::{Blocks, Codes, Transform},
};

/// How the coefficients are read. The result is the same; tests compare them, benchmarks say what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decoding {
    /// Codeword by codeword.
    Plain,
    /// Several codewords at once, from a table of 2 MiB that is made at the first use.
    Table,
    /// From the table, two planes of slices in turn: the fastest.
    #[default]
    Interleaved,
}

/// A grey image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Luma {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` codes, row by row from the top.
    pub data: Vec<u8>,
}

/// An image in colour, ten bits a sample, in video range: black is 64, white 940, no colour 512.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colours {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Brightness: `width * height` samples, row by row from the top.
    pub y: Vec<u16>,
    /// How the colours are sampled: at half the size of the frame in as many columns as there, half of `width` (rounded up);
    /// in smaller images for every pixel.
    pub chroma: Chroma,
    /// Blue differences, row by row from the top.
    pub cb: Vec<u16>,
    /// Red differences, alike.
    pub cr: Vec<u16>,
}

/// The brightness of a frame, reduced. A frame smaller than one square gives an image without pixels.
pub fn luma(packet: &[u8], reduction: Reduction, range: Range) -> Result<Luma, Error> {
    luma_by(Decoding::default(), packet, reduction, range)
}

/// As [`luma`], the coefficients read as `decoding` says.
pub fn luma_by(decoding: Decoding, packet: &[u8], reduction: Reduction, range: Range) -> Result<Luma, Error> {
    let reduced = Reduced::new(decoding, packet, reduction)?;
    let (width, height) = reduced.size();
    Ok(Luma { width, height, data: reduced.brightness(Codes::of_eight_bits(range))? })
}

/// A frame of ProRes 422 in colour, reduced. ProRes 4444 is refused by name.
pub fn colours(packet: &[u8], reduction: Reduction) -> Result<Colours, Error> {
    colours_by(Decoding::default(), packet, reduction)
}

/// As [`colours`], the coefficients read as `decoding` says.
pub fn colours_by(decoding: Decoding, packet: &[u8], reduction: Reduction) -> Result<Colours, Error> {
    let reduced = Reduced::new(decoding, packet, reduction)?;
    if reduced.frame.header.chroma != Chroma::Yuv422 {
        return Err(Error::Unsupported { what: "a reduced frame of ProRes 4444 in colour" });
    }
    let (width, height) = reduced.size();
    let y = reduced.brightness(Codes::TEN_BITS)?;
    let [cb, cr] = reduced.differences()?;
    Ok(Colours { width, height, y, chroma: reduced.chroma(), cb, cr })
}

/// One frame on its way.
struct Reduced<'a> {
    frame: Frame<'a>,
    /// The slices of its picture, or of each of its fields. Each has at least 8 bytes of the packet, so what is allocated for
    /// their pixels follows from its length.
    pictures: Vec<Vec<Slice<'a>>>,
    decoding: Decoding,
    reduction: Reduction,
}

impl<'a> Reduced<'a> {
    fn new(decoding: Decoding, packet: &'a [u8], reduction: Reduction) -> Result<Self, Error> {
        let frame = Frame::parse(packet)?;
        let pictures = frame.pictures()?.iter().map(Picture::slices).collect::<Result<_, _>>()?;
        Ok(Self { frame, pictures, decoding, reduction })
    }

    fn size(&self) -> (u32, u32) {
        (self.frame.header.width / self.reduction.factor(), self.frame.header.height / self.reduction.factor())
    }

    /// At half the size each pixel's own colours would take the other half of the coefficients: most of the time of a whole
    /// frame, for nearly nothing.
    fn chroma(&self) -> Chroma {
        if self.reduction == Reduction::Half { Chroma::Yuv422 } else { Chroma::Yuv444 }
    }

    /// Columns of the planes of brightness (`N` = 1) or colours.
    fn columns<const N: usize>(&self) -> u32 {
        let (width, _) = self.size();
        if N > 1 && self.chroma() == Chroma::Yuv422 { width.div_ceil(2) } else { width }
    }

    /// A square's lines are of both fields in equal parts, so its mean is the mean of the fields' means.
    fn brightness<P: Pixel>(&self, codes: Codes) -> Result<Vec<P>, Error> {
        let [plane] = match (self.frame.header.interlaced, self.reduction) {
            (false, Reduction::Half) => self.progressive::<P, 4, 4, 1>(codes),
            (false, Reduction::Quarter) => self.progressive::<P, 2, 2, 1>(codes),
            (false, Reduction::Eighth) => self.progressive::<P, 1, 1, 1>(codes),
            (true, Reduction::Half) => self.interlaced::<P, 4, 8, 1>(codes),
            (true, Reduction::Quarter) => self.interlaced::<P, 2, 4, 1>(codes),
            (true, Reduction::Eighth) => self.interlaced::<P, 1, 2, 1>(codes),
        }?;
        Ok(plane)
    }

    /// Those of blue and red. Their blocks cover twice as many columns as those of the brightness.
    fn differences(&self) -> Result<[Vec<u16>; 2], Error> {
        let codes = Codes::TEN_BITS;
        match (self.frame.header.interlaced, self.reduction) {
            (false, Reduction::Half) => self.progressive::<_, 4, 4, 2>(codes),
            (false, Reduction::Quarter) => self.progressive::<_, 4, 2, 2>(codes),
            (false, Reduction::Eighth) => self.progressive::<_, 2, 1, 2>(codes),
            (true, Reduction::Half) => self.interlaced::<_, 4, 8, 2>(codes),
            (true, Reduction::Quarter) => self.interlaced::<_, 4, 4, 2>(codes),
            (true, Reduction::Eighth) => self.interlaced::<_, 2, 2, 2>(codes),
        }
    }

    fn progressive<P: Pixel, const X: usize, const Y: usize, const N: usize>(
        &self,
        codes: Codes,
    ) -> Result<[Vec<P>; N], Error> {
        Ok(self.planes::<P, X, Y, N>(codes)?.map(Plane::into_pixels))
    }

    fn interlaced<P: Pixel, const X: usize, const Y: usize, const N: usize>(
        &self,
        codes: Codes,
    ) -> Result<[Vec<P>; N], Error> {
        Ok(self.planes::<f32, X, Y, N>(codes.halved())?.map(Plane::into_codes))
    }

    /// The one plane of the brightness (`N` = 1), or the two of the colours.
    fn planes<P: Pixel, const X: usize, const Y: usize, const N: usize>(
        &self,
        codes: Codes,
    ) -> Result<[Plane<P>; N], Error> {
        let (width, (_, height)) = (self.columns::<N>() as usize, self.size());
        let mut planes = std::array::from_fn(|_| Plane::new(width, height as usize));
        let (matrix, blocks) = match N {
            1 => (&self.frame.matrix, Blocks::Luma),
            _ => (&self.frame.colour_matrix, Blocks::Colour),
        };
        let transform = Transform::<X, Y>::new(matrix, self.frame.header.interlaced, codes, blocks);
        let mut rooms = [[0; MAX_BLOCKS * MAX_WANTED]; 2];
        for slices in &self.pictures {
            // Two are read in turn: the brightness of two slices, or the colours of one.
            for (index, slices) in slices.chunks(3 - N).enumerate() {
                self.fill(slices, &transform, &mut rooms, &mut planes)
                    .map_err(|(nth, source)| Error::Slice { slice: index * (3 - N) + nth, source })?;
            }
        }
        Ok(planes)
    }

    /// Two slices' brightness, or one slice's colours. The first damage, and in which of the slices.
    fn fill<P: Pixel, const X: usize, const Y: usize, const N: usize>(
        &self,
        slices: &[Slice<'_>],
        transform: &Transform<X, Y>,
        rooms: &mut [Lowest; 2],
        planes: &mut [Plane<P>; N],
    ) -> Result<(), (usize, Damage)> {
        let slice_of = |part: usize| if N == 1 { part } else { 0 };
        let part = |part: usize| {
            let slice = slices.get(slice_of(part))?;
            let (bytes, log2_blocks) = if N == 1 { (slice.bytes, 2) } else { (slice.colours[part], 1) };
            let log2_blocks = slice.width.trailing_zeros() + log2_blocks;
            Some((slice, SlicePlane { bytes, log2_blocks, wanted: Transform::<X, Y>::WANTED }))
        };
        let parts = [part(0), part(1)];
        self.read(parts.map(|part| part.map(|(_, plane)| plane)), rooms)
            .map_err(|(part, damage)| (slice_of(part), damage))?;
        for (nth, (part, coefficients)) in parts.iter().zip(rooms).enumerate() {
            if let Some((slice, _)) = part {
                let place = (slice.column, slice.row, slice.width);
                transform.put(coefficients, slice.scale, place, &mut planes[nth - slice_of(nth)]);
            }
        }
        Ok(())
    }

    /// The coefficients of one or two planes of slices; the first damage, and in which of them.
    fn read(&self, planes: [Option<SlicePlane<'_>>; 2], rooms: &mut [Lowest; 2]) -> Result<(), (usize, Damage)> {
        let [first, second] = rooms;
        if let (Decoding::Interleaved, [Some(a), Some(b)]) = (self.decoding, planes) {
            return entropy::pair(Long::shared(), [a, b], [first, second]);
        }
        for ((nth, plane), room) in planes.into_iter().flatten().enumerate().zip([first, second]) {
            match self.decoding {
                Decoding::Plain => entropy::plain(plane, room),
                Decoding::Table | Decoding::Interleaved => entropy::by_table(Long::shared(), plane, room),
            }
            .map_err(|damage| (nth, damage))?;
        }
        Ok(())
    }
}
