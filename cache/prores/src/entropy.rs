//! The coefficients of a plane of a slice: DC, then AC by frequency, as far as they are wanted.
//!
//! [`plain`] reads codeword by codeword and is the meaning of all else here. [`by_table`] takes what the next bits decide
//! from a table; [`pair`] does so for two slices in turn, because each symbol waits for the one before it and a core has
//! room for a second such chain. Whatever is unusual (long codewords, the end of a plane, damage) goes through [`plain`].

use crate::{
    bits::{Bits, Damage},
    codebook::{DC, FIRST_DC},
    room::Room,
    table::{Context, Table},
};

/// Symbols of so many bits that a refilled window is sure to hold.
const fn symbols(look: u32) -> u32 {
    56 / look
}

/// What is read of one slice.
#[derive(Debug, Clone, Copy)]
pub struct SlicePlane<'a> {
    /// The plane's bytes.
    pub bytes: &'a [u8],
    /// Its blocks are two to the power of this: 1 to 5.
    pub log2_blocks: u32,
    /// How many coefficients of each block are wanted, in scan order: 1 to 32, or all 64.
    pub wanted: u32,
}

/// Reading, somewhere within a plane.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bits: Bits<'a>,
    log2_blocks: u32,
    blocks: u32,
    /// Positions from here on are not wanted.
    limit: u32,
    position: u32,
    context: Context,
    previous: DcState,
    /// Bits FFmpeg looks at to see whether the plane ends: what is left of 32 after the last level.
    known: u32,
}

/// What the next DC coefficient depends on.
#[derive(Clone, Copy)]
struct DcState {
    value: i32,
    code: u32,
    sign: i32,
    /// Bits that any value had beyond its 16.
    beyond: i32,
}

/// Codeword by codeword.
pub fn plain(plane: SlicePlane<'_>, room: &mut impl Room) -> Result<(), Damage> {
    let mut reader = Reader::new(plane, room);
    reader.all_dc(room)?;
    reader.rest(room)
}

/// By the table where it decides.
pub fn by_table<const ENTRIES: usize>(
    table: &Table<ENTRIES>,
    plane: SlicePlane<'_>,
    room: &mut impl Room,
) -> Result<(), Damage> {
    let mut reader = Reader::new(plane, room);
    reader.all_dc(room)?;
    reader.rest_by_table(table, room)
}

/// Two slices in turn. Where one is damaged, that of the first counts, else that of the second.
pub fn pair<R: Room, const ENTRIES: usize>(
    table: &Table<ENTRIES>,
    planes: [SlicePlane<'_>; 2],
    [first, second]: [&mut R; 2],
) -> Result<(), (usize, Damage)> {
    let (mut a, mut b) = (Reader::new(planes[0], first), Reader::new(planes[1], second));
    if both_dc(&mut a, &mut b, first, second).is_err() {
        // Which of them, and whether the first is sound to its end, is found out without haste.
        plain(planes[0], first).map_err(|damage| (0, damage))?;
        return plain(planes[1], second).map_err(|damage| (1, damage));
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
    first: &mut impl Room,
    second: &mut impl Room,
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
    a.check_dc()?;
    b.check_dc()
}

/// Symbols of both in turn until one of them needs more than the table, or ends; says which have ended.
fn in_turn<R: Room, const ENTRIES: usize>(
    table: &Table<ENTRIES>,
    a: &mut Reader<'_>,
    b: &mut Reader<'_>,
    first: &mut R,
    second: &mut R,
) -> [bool; 2] {
    while a.bits.has_plenty() && b.bits.has_plenty() {
        a.refill();
        b.refill();
        for _ in 0..symbols(Table::<ENTRIES>::LOOK) {
            let (of_a, of_b) = (a.symbol(table, first), b.symbol(table, second));
            if let (Symbol::Taken, Symbol::Taken) = (of_a, of_b) {
                continue;
            }
            if of_a == Symbol::End || of_b == Symbol::End {
                return [of_a == Symbol::End, of_b == Symbol::End];
            }
            let unread = |of, reader: &mut Reader<'_>, room: &mut R| {
                of != Symbol::Undecided || reader.codewords(room).is_ok_and(|ended| !ended)
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
    fn new(plane: SlicePlane<'a>, room: &mut impl Room) -> Self {
        let blocks = 1 << plane.log2_blocks;
        room.clear(blocks, plane.wanted);
        Self {
            bits: Bits::new(plane.bytes),
            log2_blocks: plane.log2_blocks,
            blocks,
            limit: blocks * plane.wanted,
            position: blocks - 1,
            context: Context::FIRST,
            previous: DcState { value: 0, code: 5, sign: 0, beyond: 0 },
            known: 32,
        }
    }

    fn all_dc(&mut self, room: &mut impl Room) -> Result<(), Damage> {
        self.first_dc(room)?;
        self.other_dc(1, room)?;
        self.check_dc()
    }

    /// Coefficients have 16 bits; more are damage.
    fn check_dc(&self) -> Result<(), Damage> {
        if self.previous.beyond == 0 { Ok(()) } else { Err(Damage::Coefficient) }
    }

    #[inline(always)]
    fn other_dc(&mut self, from: u32, room: &mut impl Room) -> Result<(), Damage> {
        (from..self.blocks).try_for_each(|block| self.next_dc(block, room))
    }

    #[inline(always)]
    fn first_dc(&mut self, room: &mut impl Room) -> Result<(), Damage> {
        let code = FIRST_DC.read(&mut self.bits)?;
        let value = (code >> 1) as i32 ^ -((code & 1) as i32);
        self.previous = DcState { value, beyond: beyond_16_bits(value), ..self.previous };
        room.put(0, self.log2_blocks, value);
        Ok(())
    }

    /// A difference to the block before, its sign relative to that of the difference before.
    #[inline(always)]
    fn next_dc(&mut self, block: u32, room: &mut impl Room) -> Result<(), Damage> {
        let DcState { value, code, sign, beyond } = self.previous;
        let code = DC[code.min(6) as usize].read(&mut self.bits)?;
        let sign = if code == 0 { 0 } else { sign ^ -((code & 1) as i32) };
        let size = (code.wrapping_add(1) >> 1) as i32;
        let value = value.wrapping_add((size ^ sign).wrapping_sub(sign));
        self.previous = DcState { value, code, sign, beyond: beyond | beyond_16_bits(value) };
        room.put(block, self.log2_blocks, value);
        Ok(())
    }

    /// The AC coefficients from here on, codeword by codeword.
    fn rest(&mut self, room: &mut impl Room) -> Result<(), Damage> {
        if self.limit > self.blocks {
            while !self.codewords(room)? {}
        }
        Ok(())
    }

    /// Fills the window. What the table decides is so short that FFmpeg sees the plane's end as it is.
    #[inline(always)]
    fn refill(&mut self) {
        self.bits.refill();
        self.known = 32;
    }

    /// One coefficient by its codewords; says whether the wanted ones have ended, and then has read no level.
    fn codewords<R: Room>(&mut self, room: &mut R) -> Result<bool, Damage> {
        if self.bits.at_end() {
            return Ok(true);
        }
        if R::IS_WHOLE && self.bits.may_end(self.known) {
            return Err(Damage::Ending);
        }
        let run = self.context.run(&mut self.bits)?;
        let position = self.position.saturating_add(run).saturating_add(1);
        if position >= 64 * self.blocks {
            return Err(Damage::Run);
        }
        if position >= self.limit {
            return Ok(true);
        }
        let before = self.bits.left();
        let (size, level) = self.context.level(&mut self.bits)?;
        self.known = 32_usize.saturating_sub(before - self.bits.left()) as u32;
        i16::try_from(level).map_err(|_| Damage::Coefficient)?;
        room.put(position, self.log2_blocks, level);
        (self.position, self.context) = (position, Context::after(run, size));
        Ok(false)
    }

    /// The AC coefficients from here on, by the table where it decides.
    fn rest_by_table<const ENTRIES: usize>(
        &mut self,
        table: &Table<ENTRIES>,
        room: &mut impl Room,
    ) -> Result<(), Damage> {
        if self.limit <= self.blocks {
            return Ok(());
        }
        while self.bits.has_plenty() {
            self.refill();
            for _ in 0..symbols(Table::<ENTRIES>::LOOK) {
                match self.symbol(table, room) {
                    Symbol::Taken => {}
                    Symbol::End => return Ok(()),
                    Symbol::Undecided if self.codewords(room)? => return Ok(()),
                    Symbol::Undecided => break,
                }
            }
        }
        self.rest(room)
    }

    /// One coefficient by the table; the window must hold [`Table::LOOK`] bits. What leads beyond the plane's coefficients, as
    /// damage does and an entry that decides nothing, is left to whoever reads by codewords.
    #[inline(always)]
    fn symbol<R: Room, const ENTRIES: usize>(&mut self, table: &Table<ENTRIES>, room: &mut R) -> Symbol {
        let entry = table.entry(self.context, self.bits.window());
        let position = self.position.wrapping_add(entry.advance());
        if position >= self.limit {
            return if R::IS_WHOLE || position >= 64 * self.blocks { Symbol::Undecided } else { Symbol::End };
        }
        room.put(position, self.log2_blocks, entry.level());
        self.bits.skip(entry.length());
        (self.position, self.context) = (position, entry.next());
        Symbol::Taken
    }
}

/// What a value has beyond 16 bits.
#[inline(always)]
fn beyond_16_bits(value: i32) -> i32 {
    value.wrapping_add(1 << 15) & !0xFFFF
}
