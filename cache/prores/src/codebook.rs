//! Codewords: adaptive combinations of Rice and exponential Golomb codes (SMPTE RDD 36, 7.1.1).

use crate::bits::{Bits, Damage};

/// A longer codeword stands in damaged data only.
const LONGEST: u32 = 31;

/// One code: up to `switch` leading zeros a Rice code, above it an exponential Golomb code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codebook {
    rice: u32,
    exponential: u32,
    switch: u32,
}

const fn book(rice: u32, exponential: u32, switch: u32) -> Codebook {
    Codebook { rice, exponential, switch }
}

/// Of a slice's first DC coefficient.
pub const FIRST_DC: Codebook = book(5, 6, 0);
/// Of the DC differences that follow, by the code before (all above 6 as 6).
pub const DC: [Codebook; 7] = {
    let (small, middle, large) = (book(1, 2, 0), book(2, 3, 1), book(3, 4, 0));
    [book(0, 1, 0), small, small, middle, middle, large, large]
};
/// Of runs.
pub const RUN: [Codebook; 6] =
    [book(0, 1, 2), book(0, 1, 1), book(0, 1, 0), book(1, 2, 1), book(1, 2, 0), book(2, 3, 0)];
/// Which of [`RUN`] follows a run (all above 15 as 15).
pub const AFTER_RUN: [u8; 16] = [0, 0, 1, 1, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5];
/// Of levels less one.
pub const LEVEL: [Codebook; 6] =
    [book(0, 1, 0), book(0, 2, 2), book(0, 1, 1), book(0, 1, 2), book(1, 2, 0), book(2, 3, 0)];
/// Which of [`LEVEL`] follows a level (all above 9 as 9).
pub const AFTER_LEVEL: [u8; 10] = [0, 1, 2, 3, 0, 4, 4, 4, 4, 5];

impl Codebook {
    /// Reads a value.
    #[inline(always)]
    pub fn read(self, bits: &mut Bits<'_>) -> Result<u32, Damage> {
        bits.refill();
        let zeros = bits.leading_zeros();
        // Either form is the codeword's bits as a number plus a constant: no branch but the choice of two numbers.
        let (length, plus) = if zeros > self.switch {
            (
                self.exponential + 2 * zeros - self.switch,
                ((self.switch + 1) << self.rice).wrapping_sub(1 << self.exponential),
            )
        } else {
            (zeros + 1 + self.rice, (zeros << self.rice).wrapping_sub(1 << self.rice))
        };
        if length > LONGEST {
            return Err(Damage::Codeword);
        }
        Ok(bits.take(length)?.wrapping_add(plus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of `text`, read until they end.
    fn values(book: Codebook, text: &str) -> Vec<u32> {
        let bits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').map(|byte| byte - b'0').collect();
        let bytes: Vec<u8> = bits
            .chunks(8)
            .map(|byte| (0..8).fold(0, |sum, bit| sum << 1 | byte.get(bit).copied().unwrap_or_default()))
            .collect();
        let mut bits_of = Bits::new(&bytes);
        (0..text.split(' ').count()).map(|_| book.read(&mut bits_of).unwrap()).collect()
    }

    #[test]
    fn codewords_read_as_the_standard_lists_them() {
        // Rice order 0, then from two leading zeros on exponential Golomb of order 1.
        assert_eq!(values(book(0, 1, 1), "1 01 0010 0011 000100"), [0, 1, 2, 3, 4]);
        // Rice order 1, exponential Golomb of order 2 from the first leading zero on.
        assert_eq!(values(book(1, 2, 0), "10 11 0100 0101 0110 0111 001000"), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(values(FIRST_DC, "100000 111111 01000000 01111111"), [0, 31, 32, 95]);
    }

    #[test]
    fn a_codeword_that_is_too_long_or_cut_off_is_damage() {
        assert_eq!(RUN[0].read(&mut Bits::new(&[0; 16])), Err(Damage::Codeword));
        assert_eq!(FIRST_DC.read(&mut Bits::new(&[0x10])), Err(Damage::End));
        assert_eq!(RUN[0].read(&mut Bits::new(&[])), Err(Damage::Codeword));
    }
}
