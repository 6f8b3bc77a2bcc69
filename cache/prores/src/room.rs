//! Where the coefficients of a plane of a slice are put as they are read.

/// The most blocks a plane of a slice has: 8 macroblocks of 4.
pub const MAX_BLOCKS: usize = 32;
/// The most coefficients of a block that are wanted of a frame that is reduced.
pub const MAX_WANTED: usize = 32;

/// Room for the coefficients of one plane of a slice.
pub trait Room {
    /// Whether all are wanted: then one beyond the last is damage, and not the end of what is wanted.
    const IS_WHOLE: bool;

    /// Sets the `wanted` lowest coefficients of each block to zero; DC may be left as it is.
    fn clear(&mut self, blocks: u32, wanted: u32);

    /// A coefficient, quantised: that of scan index `k` of block `b` has the position `(k << log2_blocks) + b`.
    fn put(&mut self, position: u32, log2_blocks: u32, level: i32);
}

/// The lowest coefficients: each at its position.
pub type Lowest = [i32; MAX_BLOCKS * MAX_WANTED];

impl Room for Lowest {
    const IS_WHOLE: bool = false;

    #[inline(always)]
    fn clear(&mut self, blocks: u32, wanted: u32) {
        self[blocks as usize..(blocks * wanted) as usize].fill(0);
    }

    #[inline(always)]
    fn put(&mut self, position: u32, _log2_blocks: u32, level: i32) {
        self[position as usize % (MAX_BLOCKS * MAX_WANTED)] = level;
    }
}

/// Coefficients of a block.
pub const BLOCK: usize = 64;

/// All coefficients, block by block, each in the order [`crate::inverse`] takes them in.
pub struct Whole {
    order: [u8; BLOCK],
    coefficients: [i16; MAX_BLOCKS * BLOCK],
}

impl Whole {
    /// `order` says where in a block the coefficient of each scan index goes.
    pub fn new(order: [u8; BLOCK]) -> Self {
        Self { order, coefficients: [0; MAX_BLOCKS * BLOCK] }
    }

    /// The first `blocks` blocks.
    pub fn blocks(&self, blocks: usize) -> &[[i16; BLOCK]] {
        let all = self.coefficients.as_chunks().0;
        all.get(..blocks).unwrap_or(all)
    }
}

impl Room for Whole {
    const IS_WHOLE: bool = true;

    #[inline(always)]
    fn clear(&mut self, blocks: u32, _wanted: u32) {
        self.coefficients[..blocks as usize * BLOCK].fill(0);
    }

    #[inline(always)]
    fn put(&mut self, position: u32, log2_blocks: u32, level: i32) {
        let block = position & ((1 << log2_blocks) - 1);
        let place = self.order[(position >> log2_blocks) as usize % BLOCK];
        // Values were found to have 16 bits, or will be: damage ends all.
        self.coefficients[(block as usize * BLOCK + usize::from(place)) % (MAX_BLOCKS * BLOCK)] = level as i16;
    }
}
