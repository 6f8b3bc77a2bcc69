//! The bits of one plane of a slice, most significant first.

/// Why a plane's bits are none an encoder writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A codeword that claims more bits than any value needs.
    #[error("a codeword is longer than any value needs")]
    Codeword,
    /// The plane ends within a codeword.
    #[error("it ends within a codeword")]
    End,
    /// A run leads beyond the slice's last coefficient.
    #[error("a run leads beyond the last coefficient")]
    Run,
    /// It ends, or goes on, by how far ahead one looks: decoders differ.
    #[error("it may end here, or go on")]
    Ending,
    /// A coefficient of more than 16 bits.
    #[error("a coefficient has more than 16 bits")]
    Coefficient,
}

/// A reader of bits. `refill` before each look; it provides 56 bits, or all that are left.
#[derive(Debug, Clone, Copy)]
pub struct Bits<'a> {
    rest: &'a [u8],
    /// The next bits, first at the top. Below the `count` known ones may stand more of the same stream, or zeros.
    window: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// At the first bit of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, window: 0, count: 0 }
    }

    /// The upper `count` bits of `window` and nothing behind them.
    pub fn of_window(window: u64, count: u32) -> Self {
        Self { rest: &[], window, count }
    }

    /// Whether 8 whole bytes follow, so that a refill is one load and 56 bits are there for certain.
    #[inline(always)]
    pub fn has_plenty(&self) -> bool {
        self.rest.len() >= 8
    }

    /// At least 56 bits, or all that are left, into the window.
    #[inline(always)]
    pub fn refill(&mut self) {
        if let Some(word) = self.rest.first_chunk::<8>() {
            // The bits of the byte that does not fit whole are written too; the next refill writes the same ones again.
            self.window |= u64::from_be_bytes(*word) >> self.count;
            let bytes = (63 - self.count) >> 3;
            self.rest = &self.rest[bytes as usize..];
            self.count |= 0x38;
        } else {
            self.refill_last();
        }
    }

    #[cold]
    fn refill_last(&mut self) {
        while self.count <= 56 {
            let Some((byte, rest)) = self.rest.split_first() else { return };
            self.window |= u64::from(*byte) << (56 - self.count);
            self.count += 8;
            self.rest = rest;
        }
    }

    /// Zeros before the next one; after a refill.
    #[inline(always)]
    pub fn leading_zeros(&self) -> u32 {
        self.window.leading_zeros()
    }

    /// The next 64 bits as far as they are known; after a refill.
    #[inline(always)]
    pub fn window(&self) -> u64 {
        self.window
    }

    /// Takes 1 to 32 bits; after a refill.
    #[inline(always)]
    pub fn take(&mut self, length: u32) -> Result<u32, Damage> {
        if length > self.count {
            return Err(Damage::End);
        }
        let value = (self.window >> (64 - length)) as u32;
        self.skip(length);
        Ok(value)
    }

    /// Passes over `length` bits (at most 63), which the caller knows to be there.
    #[inline(always)]
    pub fn skip(&mut self, length: u32) {
        self.window <<= length & 63;
        self.count = self.count.wrapping_sub(length);
    }

    /// Bits known to the window.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bits that were not taken yet.
    pub fn left(&self) -> usize {
        self.rest.len() * 8 + self.count as usize
    }

    /// Whether the coefficients end here for who looks at no more than the next `known` bits (up to 32); after a refill.
    pub fn may_end(&self, known: u32) -> bool {
        self.rest.is_empty() && self.count < 32 && self.window.checked_shr(64 - known).unwrap_or(0) == 0
    }

    /// Whether the coefficients end here: there is no end code, only fewer than 32 bits, all of them zero.
    #[inline(always)]
    pub fn at_end(&mut self) -> bool {
        self.refill();
        self.count < 32 && self.rest.is_empty() && self.window == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_in_order_whatever_lengths_they_are_taken_in(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            lengths in prop::collection::vec(1_u32..=32, 1..40),
        ) {
            let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
            let (mut bits, mut at) = (Bits::new(&bytes), 0_usize);
            for length in lengths {
                bits.refill();
                let end = at + length as usize;
                if end > bytes.len() * 8 {
                    prop_assert_eq!(bits.take(length), Err(Damage::End));
                    break;
                }
                let expected = (at..end).fold(0_u32, |sum, at| sum << 1 | u32::from(bit(at)));
                prop_assert_eq!(bits.take(length), Ok(expected));
                at = end;
            }
        }
    }

    #[test]
    fn zeros_are_the_end_only_where_fewer_than_32_are_left() {
        assert!(Bits::new(&[]).at_end() && Bits::new(&[0; 3]).at_end());
        assert!(!Bits::new(&[0; 4]).at_end() && !Bits::new(&[0, 0, 1]).at_end());
    }
}
