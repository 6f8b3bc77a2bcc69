//! Run, level and sign by one look at the next bits, for each of the 36 pairs of codebooks.
//!
//! How many bits are looked at is a trade: what they do not decide is read codeword by codeword, and what a table has beyond
//! the processor's nearest memory takes longer to look up. The lowest frequencies have the longest codewords and few of
//! them: 13 bits are best. Of whole frames most coefficients are small: 11.

use std::sync::LazyLock;

use crate::{
    bits::{Bits, Damage},
    codebook::{AFTER_LEVEL, AFTER_RUN, LEVEL, RUN},
};

/// Entries of a table that looks at so many bits: any context of six bits has its place, so that an index needs no check.
const fn entries(look: u32) -> usize {
    1 << (6 + look)
}

/// For the lowest frequencies: 13 bits.
pub type Long = Table<{ entries(13) }>;
/// For all: 11 bits.
pub type Short = Table<{ entries(11) }>;

/// What an entry that decides nothing adds to the position: more than there are coefficients.
const UNDECIDED: u32 = 0xFFF;

/// Which codebooks are next: that of the run in the upper three of six bits, that of the level in the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context(u32);

impl Context {
    /// At the first AC coefficient of a slice: as after a run of 4 and a level of 2.
    pub const FIRST: Self = Self::after(4, 2);

    /// After a run and a level.
    #[inline(always)]
    pub const fn after(run: u32, level: u32) -> Self {
        let run = if run > 15 { 15 } else { run };
        let level = if level > 9 { 9 } else { level };
        Self((AFTER_RUN[run as usize] as u32) << 3 | AFTER_LEVEL[level as usize] as u32)
    }

    /// Reads a run.
    pub fn run(self, bits: &mut Bits<'_>) -> Result<u32, Damage> {
        RUN[(self.0 >> 3) as usize % RUN.len()].read(bits)
    }

    /// Reads a level: its size, and the value with its sign.
    pub fn level(self, bits: &mut Bits<'_>) -> Result<(u32, i32), Damage> {
        let size = LEVEL[(self.0 & 7) as usize % LEVEL.len()].read(bits)?.wrapping_add(1);
        bits.refill();
        let value = if bits.take(1)? == 1 { (size as i32).wrapping_neg() } else { size as i32 };
        Ok((size, value))
    }
}

/// What the next bits say: level (8 bits, signed), run + 1 (12 bits), next context (6 bits), length (6 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(u32);

impl Entry {
    const NONE: Self = Self(UNDECIDED << 12);

    fn new(level: i32, run: u32, next: Context, length: u32) -> Self {
        Self((level as u32) << 24 | (run + 1) << 12 | next.0 << 6 | length)
    }

    /// The coefficient.
    #[inline(always)]
    pub fn level(self) -> i32 {
        self.0 as i32 >> 24
    }

    /// How far the position moves; farther than there are coefficients where the bits looked at are too few.
    #[inline(always)]
    pub fn advance(self) -> u32 {
        self.0 >> 12 & 0xFFF
    }

    /// The context after it.
    #[inline(always)]
    pub fn next(self) -> Context {
        Context(self.0 >> 6 & 63)
    }

    /// Bits it takes.
    #[inline(always)]
    pub fn length(self) -> u32 {
        self.0 & 63
    }
}

/// All entries, by context and the next bits.
pub struct Table<const ENTRIES: usize>(Box<[Entry; ENTRIES]>);

impl Long {
    /// The one table, made at the first call.
    pub fn shared() -> &'static Self {
        static TABLE: LazyLock<Long> = LazyLock::new(Table::new);
        &TABLE
    }
}

impl Short {
    /// The one table, made at the first call.
    pub fn shared() -> &'static Self {
        static TABLE: LazyLock<Short> = LazyLock::new(Table::new);
        &TABLE
    }
}

impl<const ENTRIES: usize> Table<ENTRIES> {
    /// Bits looked at.
    pub const LOOK: u32 = ENTRIES.trailing_zeros() - 6;

    fn new() -> Self {
        let mut entries = vec![Entry::NONE; ENTRIES].into_boxed_slice();
        for (index, entry) in entries.iter_mut().enumerate() {
            let context = Context((index >> Self::LOOK) as u32);
            let is_one = (context.0 >> 3) < RUN.len() as u32 && (context.0 & 7) < LEVEL.len() as u32;
            let window = (index as u64) << (64 - Self::LOOK);
            *entry = is_one.then(|| decide(context, window, Self::LOOK)).flatten().unwrap_or(Entry::NONE);
        }
        match entries.try_into() {
            Ok(entries) => Self(entries),
            Err(_) => unreachable!("the vector was made with this length"),
        }
    }

    /// What the bits at the top of `window` say.
    #[inline(always)]
    pub fn entry(&self, context: Context, window: u64) -> Entry {
        self.0[((context.0 << Self::LOOK) | (window >> (64 - Self::LOOK)) as u32) as usize & (ENTRIES - 1)]
    }
}

/// Run, level and sign where they fit the bits looked at.
fn decide(context: Context, window: u64, look: u32) -> Option<Entry> {
    let mut bits = Bits::of_window(window, look);
    let run = context.run(&mut bits).ok()?;
    let (size, level) = context.level(&mut bits).ok()?;
    let fits = size < 128 && run < 128;
    fits.then(|| Entry::new(level, run, Context::after(run, size), look - bits.count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const ENTRIES: usize>(table: &Table<ENTRIES>) {
        let look_bits = Table::<ENTRIES>::LOOK;
        let (mut decided, mut all) = (0, 0);
        for (context, run_book, level_book) in (0..36).map(|pair| (((pair / 6) << 3) | (pair % 6), pair / 6, pair % 6))
        {
            for look in 0..1_u64 << look_bits {
                all += 1;
                let window = look << (64 - look_bits);
                let entry = table.entry(Context(context), window);
                if entry == Entry::NONE {
                    continue;
                }
                let mut bits = Bits::of_window(window, 64);
                let run = RUN[run_book as usize].read(&mut bits).unwrap();
                let size = LEVEL[level_book as usize].read(&mut bits).unwrap() + 1;
                let sign = if bits.take(1).unwrap() == 1 { -1 } else { 1 };
                assert_eq!((entry.advance(), entry.level()), (run + 1, size as i32 * sign));
                assert_eq!((entry.length(), entry.next()), (64 - bits.count(), Context::after(run, size)));
                decided += 1;
            }
        }
        // Nearly all of what so many bits can begin with.
        assert!(decided > all * 3 / 4, "{decided} of {all}");
    }

    #[test]
    fn an_entry_says_what_the_codewords_say() {
        check(Short::shared());
        check(Long::shared());
    }
}
