//! The lowest coefficients of a slice: DC, then AC by frequency, as far as they are wanted.
//!
//! [`plain`] reads codeword by codeword and is the meaning of all else here. [`by_table`] takes what eleven bits decide
//! from a table; [`pair`] does so for two slices in turn, because each symbol waits for the one before it and a core has
//! room for a second such chain. Whatever is unusual (long codewords, the end of a plane, damage) goes through [`plain`].

use crate::{
    bits::{Bits, Damage},
    codebook::{DC, FIRST_DC},
    table::{Context, LOOK, Table, UNDECIDED},
};

/// The most blocks a slice has: 8 macroblocks of 4.
pub const MAX_BLOCKS: usize = 32;
/// The most coefficients of a block that are wanted.
pub const MAX_WANTED: usize = 32;
/// Symbols that a refilled window is sure to hold.
const SYMBOLS: usize = (56 / LOOK) as usize;

/// Coefficients of a slice, quantised: that of scan index `k` of block `b` at `k * blocks + b`.
pub type Coefficients = [i32; MAX_BLOCKS * MAX_WANTED];

/// What is read of one slice.
#[derive(Debug, Clone, Copy)]
pub struct Luma<'a> {
    /// The plane's bytes.
    pub bytes: &'a [u8],
    /// Luma blocks of the slice: 4, 8, 16 or 32.
    pub blocks: usize,
    /// How many coefficients of each block are wanted, in scan order: 1 to 32.
    pub wanted: usize,
}

/// Reading, somewhere within a plane.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bits: Bits<'a>,
    blocks: u32,
    /// Positions from here on are not wanted.
    limit: u32,
    position: u32,
    context: Context,
    previous: DcState,
}

/// What the next DC coefficient depends on.
#[derive(Clone, Copy)]
struct DcState {
    value: i32,
    code: u32,
    sign: i32,
}

/// Codeword by codeword.
pub fn plain(luma: Luma<'_>, coefficients: &mut Coefficients) -> Result<(), Damage> {
    let mut reader = Reader::new(luma, coefficients);
    reader.all_dc(coefficients)?;
    reader.rest(coefficients)
}

/// By the table where it decides.
pub fn by_table(table: &Table, luma: Luma<'_>, coefficients: &mut Coefficients) -> Result<(), Damage> {
    let mut reader = Reader::new(luma, coefficients);
    reader.all_dc(coefficients)?;
    reader.rest_by_table(table, coefficients)
}

/// Two slices in turn. Where one is damaged, that of the first counts, else that of the second.
pub fn pair(
    table: &Table,
    lumas: [Luma<'_>; 2],
    [first, second]: [&mut Coefficients; 2],
) -> Result<(), (usize, Damage)> {
    let (mut a, mut b) = (Reader::new(lumas[0], first), Reader::new(lumas[1], second));
    if both_dc(&mut a, &mut b, first, second).is_err() {
        // Which of them, and whether the first is sound to its end, is found out without haste.
        plain(lumas[0], first).map_err(|damage| (0, damage))?;
        return plain(lumas[1], second).map_err(|damage| (1, damage));
    }
    let is_done = a.limit <= a.blocks;
    let ended = if is_done { [true; 2] } else { in_turn(table, &mut a, &mut b, first, second) };
    if !ended[0] {
        a.rest_by_table(table, first).map_err(|damage| (0, damage))?;
    }
    if !ended[1] {
        b.rest_by_table(table, second).map_err(|damage| (1, damage))?;
    }
    Ok(())
}

fn both_dc(
    a: &mut Reader<'_>,
    b: &mut Reader<'_>,
    first: &mut Coefficients,
    second: &mut Coefficients,
) -> Result<(), Damage> {
    a.first_dc(first)?;
    b.first_dc(second)?;
    let both = a.blocks.min(b.blocks);
    for block in 1..both {
        a.next_dc(block, first)?;
        b.next_dc(block, second)?;
    }
    a.other_dc(both, first)?;
    b.other_dc(both, second)?;
    check(&first[..a.blocks as usize])?;
    check(&second[..b.blocks as usize])
}

/// Symbols of both in turn until one of them needs more than the table, or ends; says which have ended.
fn in_turn(
    table: &Table,
    a: &mut Reader<'_>,
    b: &mut Reader<'_>,
    first: &mut Coefficients,
    second: &mut Coefficients,
) -> [bool; 2] {
    while a.bits.has_plenty() && b.bits.has_plenty() {
        a.bits.refill();
        b.bits.refill();
        for _ in 0..SYMBOLS {
            let (of_a, of_b) = (a.symbol(table, first), b.symbol(table, second));
            if let (Symbol::Taken, Symbol::Taken) = (of_a, of_b) {
                continue;
            }
            if of_a == Symbol::End || of_b == Symbol::End {
                return [of_a == Symbol::End, of_b == Symbol::End];
            }
            let unread = |of, reader: &mut Reader<'_>, coefficients: &mut Coefficients| {
                of != Symbol::Undecided || reader.codewords(coefficients).is_ok_and(|ended| !ended)
            };
            let before = (*a, *b);
            if !unread(of_a, a, first) || !unread(of_b, b, second) {
                // An end or damage: left to who reads alone.
                (*a, *b) = before;
                return [false; 2];
            }
            break;
        }
    }
    [false; 2]
}

/// What a look into the table gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Taken,
    /// The wanted coefficients are all read.
    End,
    /// Too long for the table; nothing was read.
    Undecided,
}

impl<'a> Reader<'a> {
    /// At the beginning of a plane; sets all wanted coefficients to zero.
    #[inline(always)]
    fn new(luma: Luma<'a>, coefficients: &mut Coefficients) -> Self {
        let blocks = luma.blocks.clamp(1, MAX_BLOCKS);
        let limit = blocks * luma.wanted.clamp(1, MAX_WANTED);
        coefficients[blocks..limit].fill(0);
        Self {
            bits: Bits::new(luma.bytes),
            blocks: blocks as u32,
            limit: limit as u32,
            position: blocks as u32 - 1,
            context: Context::FIRST,
            previous: DcState { value: 0, code: 5, sign: 0 },
        }
    }

    fn all_dc(&mut self, coefficients: &mut Coefficients) -> Result<(), Damage> {
        self.first_dc(coefficients)?;
        self.other_dc(1, coefficients)?;
        check(&coefficients[..self.blocks as usize])
    }

    #[inline(always)]
    fn other_dc(&mut self, from: u32, coefficients: &mut Coefficients) -> Result<(), Damage> {
        (from..self.blocks).try_for_each(|block| self.next_dc(block, coefficients))
    }

    #[inline(always)]
    fn first_dc(&mut self, coefficients: &mut Coefficients) -> Result<(), Damage> {
        let code = FIRST_DC.read(&mut self.bits)?;
        self.previous.value = (code >> 1) as i32 ^ -((code & 1) as i32);
        coefficients[0] = self.previous.value;
        Ok(())
    }

    /// A difference to the block before, its sign relative to that of the difference before.
    #[inline(always)]
    fn next_dc(&mut self, block: u32, coefficients: &mut Coefficients) -> Result<(), Damage> {
        let DcState { value, code, sign } = self.previous;
        let code = DC[code.min(6) as usize].read(&mut self.bits)?;
        let sign = if code == 0 { 0 } else { sign ^ -((code & 1) as i32) };
        let size = (code.wrapping_add(1) >> 1) as i32;
        let value = value.wrapping_add((size ^ sign).wrapping_sub(sign));
        self.previous = DcState { value, code, sign };
        coefficients[block as usize % MAX_BLOCKS] = value;
        Ok(())
    }

    /// The AC coefficients from here on, codeword by codeword.
    fn rest(&mut self, coefficients: &mut Coefficients) -> Result<(), Damage> {
        if self.limit > self.blocks {
            while !self.codewords(coefficients)? {}
        }
        Ok(())
    }

    /// One coefficient by its codewords; says whether the wanted ones have ended, and then has read no level.
    fn codewords(&mut self, coefficients: &mut Coefficients) -> Result<bool, Damage> {
        if self.bits.at_end() {
            return Ok(true);
        }
        let run = self.context.run(&mut self.bits)?;
        let position = self.position.saturating_add(run).saturating_add(1);
        if position >= 64 * self.blocks {
            return Err(Damage::Run);
        }
        if position >= self.limit {
            return Ok(true);
        }
        let (size, level) = self.context.level(&mut self.bits)?;
        i16::try_from(level).map_err(|_| Damage::Coefficient)?;
        coefficients[position as usize % (MAX_BLOCKS * MAX_WANTED)] = level;
        (self.position, self.context) = (position, Context::after(run, size));
        Ok(false)
    }

    /// The AC coefficients from here on, by the table where it decides.
    fn rest_by_table(&mut self, table: &Table, coefficients: &mut Coefficients) -> Result<(), Damage> {
        if self.limit <= self.blocks {
            return Ok(());
        }
        while self.bits.has_plenty() {
            self.bits.refill();
            for _ in 0..SYMBOLS {
                match self.symbol(table, coefficients) {
                    Symbol::Taken => {}
                    Symbol::End => return Ok(()),
                    Symbol::Undecided if self.codewords(coefficients)? => return Ok(()),
                    Symbol::Undecided => break,
                }
            }
        }
        self.rest(coefficients)
    }

    /// One coefficient by the table; the window must hold [`LOOK`] bits. An entry leads at most 128 positions on, so it
    /// cannot pass the end of the slice unseen: at least 32 coefficients of each block stand behind the limit.
    #[inline(always)]
    fn symbol(&mut self, table: &Table, coefficients: &mut Coefficients) -> Symbol {
        let entry = table.entry(self.context, self.bits.window());
        let position = self.position.wrapping_add(entry.advance());
        if position >= self.limit {
            return if entry.advance() == UNDECIDED { Symbol::Undecided } else { Symbol::End };
        }
        coefficients[position as usize % (MAX_BLOCKS * MAX_WANTED)] = entry.level();
        self.bits.skip(entry.length());
        (self.position, self.context) = (position, entry.next());
        Symbol::Taken
    }
}

/// Coefficients have 16 bits; more are damage.
fn check(coefficients: &[i32]) -> Result<(), Damage> {
    let beyond = coefficients.iter().fold(0, |beyond, value| beyond | (value.wrapping_add(1 << 15) & !0xFFFF));
    if beyond == 0 { Ok(()) } else { Err(Damage::Coefficient) }
}
