//! Gradients of rows of pixels: differences of the neighbours on either side, smoothed across. Of values of eight bits no sum
//! needs more than 16, so none is checked, and the compiler takes eight at once.

/// Weights 3 10 3 across: 32 for a slope of one grey level a pixel.
pub type Scharr = Gradient<3, 10>;
/// Weights 1 2 1 across: 8 for a slope of one grey level a pixel.
pub type Sobel = Gradient<1, 2>;

/// The weights of the rows (or columns) beside, and of that in the middle.
#[derive(Debug)]
pub struct Gradient<const SIDE: i16, const MIDDLE: i16> {
    /// Of three rows: smoothed down the columns, and the step from the upper to the lower.
    smooth: Vec<i16>,
    step: Vec<i16>,
}

impl<const SIDE: i16, const MIDDLE: i16> Gradient<SIDE, MIDDLE> {
    /// For rows of so many gradients.
    pub fn new(width: usize) -> Self {
        let [smooth, step] = [(); 2].map(|()| vec![0; width + 2]);
        Self { smooth, step }
    }

    /// The gradients to the right and down of the middle one of three rows, which begin a pixel earlier and end a pixel later.
    pub fn row(&mut self, rows: [&[i16]; 3], right: &mut [i16], down: &mut [i16]) {
        let smooth = &mut self.smooth[..];
        let step = &mut self.step[..smooth.len()];
        let [above, here, below] = rows.map(|row| &row[..smooth.len()]);
        for x in 0..smooth.len() {
            smooth[x] = across::<SIDE, MIDDLE>([above[x], here[x], below[x]]);
            step[x] = below[x].wrapping_sub(above[x]);
        }
        let count = right.len();
        let down = &mut down[..count];
        let [left_smooth, right_smooth] = [0, 2].map(|from| &smooth[from..][..count]);
        let [left, here, beyond] = [0, 1, 2].map(|from| &step[from..][..count]);
        for x in 0..count {
            right[x] = right_smooth[x].wrapping_sub(left_smooth[x]);
            down[x] = across::<SIDE, MIDDLE>([left[x], here[x], beyond[x]]);
        }
    }
}

#[inline]
fn across<const SIDE: i16, const MIDDLE: i16>([one, middle, other]: [i16; 3]) -> i16 {
    one.wrapping_add(other).wrapping_mul(SIDE).wrapping_add(middle.wrapping_mul(MIDDLE))
}
