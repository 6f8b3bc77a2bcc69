//! Deflate with Huffman codes alone: what is left of pixels after a PNG filter is noise, in which nothing repeats but zeros.
//! Of those, runs are matches; all else is a literal, by one code made of a sample of the picture. Four times as fast as the
//! fastest setting of the library, and a little smaller where there is noise. (RFC 1951)

/// Literals, the end of the block, the lengths of matches.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// Four codes of this length and what is left of a byte fit into 64 bits.
const LONGEST: u32 = 12;
/// The longest code in the code of the codes.
const LONGEST_OF_LENGTHS: u32 = 7;
/// In this order the header of a block gives the lengths of the codes of code lengths.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// The longest match.
const LONGEST_MATCH: usize = 258;

/// How often each symbol occurs.
pub(super) struct Counts([u32; SYMBOLS]);

impl Counts {
    /// Every symbol may occur, so each counts as if it had.
    pub fn new() -> Self {
        Self([1; SYMBOLS])
    }

    /// Counts the symbols of these bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        let Self(counts) = self;
        scan(bytes, |piece| match piece {
            Piece::Eight(bytes) => bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1),
            Piece::Few(bytes) => bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1),
            Piece::Match(length) => counts[length_symbol(length).0] += 1,
        });
    }
}

/// A stretch of bytes.
enum Piece<'a> {
    Eight(&'a [u8; 8]),
    /// Fewer than eight, or a zero before a match.
    Few(&'a [u8]),
    /// So many (3-258) zeros after a zero.
    Match(usize),
}

/// Hands the bytes to `each`, in pieces.
#[inline]
fn scan(bytes: &[u8], mut each: impl FnMut(Piece<'_>)) {
    let mut rest = bytes;
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        if u64::from_ne_bytes(*eight) != 0 {
            each(Piece::Eight(eight));
            rest = after;
            continue;
        }
        let more = after.iter().take_while(|byte| **byte == 0).count();
        each(Piece::Few(&eight[..1]));
        let mut left = more + 7;
        while left > 0 {
            // What is left over must not be too short for a match.
            let length = match left {
                0..=LONGEST_MATCH => left,
                259 | 260 => LONGEST_MATCH - 3,
                _ => LONGEST_MATCH,
            };
            each(Piece::Match(length));
            left -= length;
        }
        rest = after.get(more..).unwrap_or_default();
    }
    each(Piece::Few(rest));
}

/// The symbol of a match's length, its extra bits and how many they are.
fn length_symbol(length: usize) -> (usize, u64, u32) {
    match length {
        LONGEST_MATCH.. => (285, 0, 0),
        0..=10 => (254 + length, 0, 0),
        _ => {
            // From 11 on, four symbols share each number of extra bits.
            let over = length - 3;
            let extra = over.ilog2() - 2;
            let symbol = 257 + (extra as usize + 1) * 4 + ((over >> extra) & 3);
            (symbol, over as u64 & ((1 << extra) - 1), extra)
        }
    }
}

/// Codes: of each symbol its bits, first one lowest, and how many they are, above bit 16.
struct Codes(Vec<u32>);

impl Codes {
    /// Canonical codes of these lengths.
    fn canonical(lengths: &[u32]) -> Self {
        let mut next = [0_u32; 17];
        for length in 1..16 {
            let before = lengths.iter().filter(|other| **other == length).count() as u32;
            next[length as usize + 1] = (next[length as usize] + before) << 1;
        }
        let code = |length: &u32| {
            if *length == 0 {
                return 0;
            }
            let code = next[*length as usize];
            next[*length as usize] += 1;
            code.reverse_bits() >> (32 - length) | length << 16
        };
        Self(lengths.iter().map(code).collect())
    }

    fn get(&self, symbol: usize) -> (u64, u32) {
        let code = self.0.get(symbol).copied().unwrap_or_default();
        (u64::from(code & 0xFFFF), code >> 16)
    }
}

/// Lengths of Huffman codes, cut to `longest` and mended so that they are a code again.
fn lengths(counts: &[u32], longest: u32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..counts.len()).filter(|symbol| counts[*symbol] > 0).collect();
    order.sort_by_key(|symbol| (counts[*symbol], *symbol));
    let mut of_length = depths(&order.iter().map(|symbol| u64::from(counts[*symbol])).collect::<Vec<_>>(), longest);
    // Each code of length n takes 2^(longest - n) of 2^longest places.
    let mut taken: u64 = (1..).zip(&of_length[1..]).map(|(length, codes)| codes << (longest - length)).sum();
    while taken > 1 << longest {
        // A pair of the longest moves below a shorter one: one place less.
        let shorter = (1..longest as usize).rev().find(|length| of_length[*length] > 0).unwrap_or(1);
        of_length[longest as usize] -= 1;
        of_length[shorter] -= 1;
        of_length[shorter + 1] += 2;
        taken -= 1;
    }
    let mut lengths = vec![0; counts.len()];
    let mut rarest_first = order.into_iter();
    for length in (1..=longest).rev() {
        for symbol in rarest_first.by_ref().take(of_length[length as usize] as usize) {
            lengths[symbol] = length;
        }
    }
    lengths
}

/// How many leaves of a Huffman tree over `counts`, which ascend, lie at each depth; those deeper than `longest` count there.
fn depths(counts: &[u64], longest: u32) -> Vec<u64> {
    let leaves = counts.len();
    let mut of_length = vec![0; longest as usize + 1];
    if leaves < 2 {
        of_length[1] = leaves as u64;
        return of_length;
    }
    // Nodes: the leaves, then what joins them; joined nodes ascend too, so the two least are at the head of either queue.
    let (mut weights, mut parents) = (counts.to_vec(), vec![0; 2 * leaves - 1]);
    let (mut leaf, mut joined) = (0, leaves);
    for node in leaves..2 * leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let takes_leaf = leaf < leaves && (joined >= node || weights[leaf] <= weights[joined]);
            let least = if takes_leaf { &mut leaf } else { &mut joined };
            weight += weights[*least];
            parents[*least] = node;
            *least += 1;
        }
        weights.push(weight);
    }
    let mut depth = vec![0_u32; 2 * leaves - 1];
    for node in (0..2 * leaves - 2).rev() {
        depth[node] = depth[parents[node]] + 1;
    }
    for depth in &depth[..leaves] {
        of_length[(*depth).min(longest) as usize] += 1;
    }
    of_length
}

/// One block of deflated bytes, made piece by piece.
pub(super) struct Block {
    codes: Codes,
    bits: u64,
    count: u32,
}

impl Block {
    /// Begins the last block of a stream, whose symbols occur about as often as `counts` say.
    pub fn begin(counts: &Counts, out: &mut Vec<u8>) -> Self {
        let of_symbols = lengths(&counts.0, LONGEST);
        // One code of distances, of one bit: the byte before.
        let all: Vec<u32> = of_symbols.iter().copied().chain([1]).collect();
        let mut occur = [0; 19];
        for length in &all {
            occur[*length as usize] += 1;
        }
        let of_lengths = lengths(&occur, LONGEST_OF_LENGTHS);
        let mut block = Self { codes: Codes::canonical(&of_symbols), bits: 0, count: 0 };
        // Last block, codes of its own; how many codes for symbols, for distances, for lengths.
        for (value, bits) in [(1, 1), (2, 2), (SYMBOLS as u64 - 257, 5), (0, 5), (ORDER.len() as u64 - 4, 4)] {
            block.put(value, bits, out);
        }
        for length in ORDER {
            block.put(of_lengths[length].into(), 3, out);
        }
        let codes = Codes::canonical(&of_lengths);
        for length in all {
            let (code, bits) = codes.get(length as usize);
            block.put(code, bits, out);
        }
        block
    }

    /// About how many bytes a block with so many symbols of these counts takes, of which they are a sample.
    pub fn bytes_for(counts: &Counts, sampled: usize, all: usize) -> usize {
        let lengths = lengths(&counts.0, LONGEST);
        let bits: u64 =
            counts.0.iter().zip(&lengths).map(|(count, length)| u64::from(*count) * u64::from(*length)).sum();
        (bits / 8) as usize * all.div_ceil(sampled.max(1)) + 1024
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let codes: &[u32; END] = self.codes.0.first_chunk().unwrap_or(&[0; END]);
        let mut room = Room { bits: self.bits, count: self.count, at: 0, bytes: [0; ROOM] };
        scan(bytes, |piece| {
            match piece {
                Piece::Eight([a, b, c, d, e, f, g, h]) => {
                    room.put_codes([*a, *b, *c, *d].map(|byte| codes[usize::from(byte)]));
                    room.put_codes([*e, *f, *g, *h].map(|byte| codes[usize::from(byte)]));
                }
                Piece::Few(few) => few.iter().for_each(|byte| room.put_codes([codes[usize::from(*byte)]])),
                Piece::Match(length) => {
                    let (symbol, extra, extra_bits) = length_symbol(length);
                    let (code, bits) = self.codes.get(symbol);
                    // The distance is one bit, a zero.
                    room.put(code | extra << bits, bits + extra_bits + 1);
                }
            }
            if room.at > ROOM - 64 {
                out.extend_from_slice(&room.bytes[..room.at]);
                room.at = 0;
            }
        });
        out.extend_from_slice(&room.bytes[..room.at]);
        (self.bits, self.count) = (room.bits, room.count);
    }

    /// Ends the block, and the stream.
    pub fn end(mut self, out: &mut Vec<u8>) {
        let (code, bits) = self.codes.get(END);
        self.put(code, bits, out);
        if self.count > 0 {
            out.push(self.bits as u8);
        }
    }

    fn put(&mut self, value: u64, bits: u32, out: &mut Vec<u8>) {
        self.bits |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            out.push(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }
}

/// Bytes that are gathered before they go out.
const ROOM: usize = 4096;

/// Bits on their way out: whole bytes go into a small buffer at once.
struct Room {
    bits: u64,
    /// At most 7, but within a call.
    count: u32,
    at: usize,
    bytes: [u8; ROOM],
}

impl Room {
    /// Up to four codes of up to 14 bits each.
    #[inline]
    fn put_codes<const N: usize>(&mut self, codes: [u32; N]) {
        for code in codes {
            self.bits |= u64::from(code & 0xFFFF).wrapping_shl(self.count);
            self.count = self.count.wrapping_add(code >> 16);
        }
        self.settle();
    }

    /// Up to 56 bits.
    fn put(&mut self, value: u64, bits: u32) {
        self.bits |= value.wrapping_shl(self.count);
        self.count += bits;
        self.settle();
    }

    #[inline]
    fn settle(&mut self) {
        if let Some(place) = self.bytes.get_mut(self.at..self.at.wrapping_add(8)) {
            place.copy_from_slice(&self.bits.to_le_bytes());
        }
        self.at = self.at.wrapping_add((self.count >> 3) as usize);
        self.bits = self.bits.wrapping_shr(self.count & !7);
        self.count &= 7;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;

    fn deflated(bytes: &[u8], sample: &[u8], step: usize) -> Vec<u8> {
        let (mut counts, mut out) = (Counts::new(), Vec::new());
        counts.add(sample);
        let mut block = Block::begin(&counts, &mut out);
        bytes.chunks(step).for_each(|piece| block.add(piece, &mut out));
        block.end(&mut out);
        out
    }

    fn inflated(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn runs_of_every_length_read_back() {
        for zeros in (0..1100).chain([4096, 70_000]) {
            let bytes = [&[7, 1, 2][..], &vec![0; zeros], &[9]].concat();
            assert_eq!(inflated(&deflated(&bytes, &bytes, bytes.len())), bytes, "{zeros} zeros");
        }
    }

    #[test]
    fn what_occurs_often_takes_few_bits_and_no_code_is_too_long() {
        // Counts as Fibonacci's numbers make the deepest tree there is.
        let mut counts = vec![1_u32, 1];
        while counts.len() < 40 {
            counts.push(counts[counts.len() - 1].saturating_add(counts[counts.len() - 2]));
        }
        let found = lengths(&counts, LONGEST);
        assert!(
            found.iter().all(|length| (1..=LONGEST).contains(length)) && found.is_sorted_by(|a, b| a >= b),
            "{found:?}"
        );
        let places: u32 = found.iter().map(|length| 1 << (LONGEST - length)).sum();
        assert_eq!(places, 1 << LONGEST, "a code without gaps");
        assert_eq!(found[39], 1);
    }

    proptest! {
        #[test]
        fn any_bytes_read_back_whatever_the_code_was_made_of(
            bytes in prop::collection::vec(prop_oneof![3 => Just(0_u8), 2 => any::<u8>()], 0..5000),
            sample in prop::collection::vec(any::<u8>(), 0..300),
            step in 1..3000_usize,
        ) {
            prop_assert_eq!(inflated(&deflated(&bytes, &sample, step)), bytes);
        }
    }
}
