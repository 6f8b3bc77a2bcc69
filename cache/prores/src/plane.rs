//! The plane that is filled slice by slice.

/// What a plane is made of.
pub trait Pixel: Copy + Default {
    /// Takes a value in codes of the output.
    fn put(&mut self, value: f32);
}

/// The nearest code, at most the largest; of two equally near ones the even one.
impl Pixel for u8 {
    #[inline(always)]
    fn put(&mut self, value: f32) {
        // 2^23 + n has n in its lowest bits; the processor rounds. A cast of a float would not vectorise.
        *self = (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8;
    }
}

/// The nearest code of ten bits.
impl Pixel for u16 {
    #[inline(always)]
    fn put(&mut self, value: f32) {
        *self = (value.clamp(0.0, 1023.0) + 8_388_608.0).to_bits() as u16;
    }
}

/// A sum: fields give half of each value.
impl Pixel for f32 {
    #[inline(always)]
    fn put(&mut self, value: f32) {
        *self += value;
    }
}

/// Pixels row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane<P> {
    width: usize,
    height: usize,
    pixels: Vec<P>,
}

impl<P: Pixel> Plane<P> {
    /// A plane of `width` x `height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![P::default(); width * height] }
    }

    /// Puts values into a row from `left` on; what lies outside is left out.
    #[inline(always)]
    pub fn put(&mut self, left: usize, row: usize, values: &[f32]) {
        if row >= self.height || left >= self.width {
            return;
        }
        let pixels = &mut self.pixels[row * self.width + left..(row + 1) * self.width];
        for (pixel, value) in pixels.iter_mut().zip(values) {
            pixel.put(*value);
        }
    }
}

impl<P> Plane<P> {
    /// The pixels.
    pub fn into_pixels(self) -> Vec<P> {
        self.pixels
    }
}

impl Plane<f32> {
    /// Each value as the nearest code.
    pub fn into_codes<C: Pixel>(self) -> Vec<C> {
        let code = |value: &f32| {
            let mut code = C::default();
            code.put(*value);
            code
        };
        self.pixels.iter().map(code).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_codes_and_clipped() {
        let mut plane = Plane::<u8>::new(7, 1);
        plane.put(0, 0, &[-1e9, 0.4, 0.6, 127.49, 254.6, 255.4, 1e9]);
        assert_eq!(plane.into_pixels(), [0, 0, 1, 127, 255, 255, 255]);
    }

    #[test]
    fn codes_of_ten_bits_are_rounded_and_clipped_alike() {
        let mut plane = Plane::<u16>::new(5, 1);
        plane.put(0, 0, &[-1.0, 0.6, 511.5, 1023.4, 2000.0]);
        assert_eq!(plane.into_pixels(), [0, 1, 512, 1023, 1023]);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut plane = Plane::<u8>::new(3, 2);
        plane.put(2, 1, &[7.0, 8.0]);
        plane.put(3, 0, &[9.0]);
        plane.put(0, 2, &[9.0]);
        assert_eq!(plane.into_pixels(), [0, 0, 0, 0, 0, 7]);
    }
}
