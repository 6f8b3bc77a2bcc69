//! Finds and reads `moov`, telling which bytes it needs for that.

use std::ops::Range;

use crate::{
    Error, MAX_MOOV,
    atom::{FourCc, Header},
    movie::{self, Movie},
};

/// A missing header is asked for with so many bytes around it: the next atoms are often small.
const HEADER_READ: u64 = 64 << 10;
/// More atoms than this before `moov` are no movie.
const MAX_ATOMS: u32 = 4096;

/// The first atoms QuickTime and MP4 files begin with.
const FIRST_ATOMS: [&[u8; 4]; 9] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid", b"styp"];

/// What the probe wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These bytes of the file, to be given to [`Probe::supply`].
    Need(Range<u64>),
    /// Nothing more: the movie.
    Done(Box<Movie>),
}

/// Reads a movie's index out of pieces of its file.
#[derive(Debug)]
pub struct Probe {
    size: u64,
    pieces: Vec<(u64, Vec<u8>)>,
    /// Start of the top-level atom that is looked at next.
    offset: u64,
    atoms: u32,
}

impl Probe {
    /// A probe of a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { size, pieces: Vec::new(), offset: 0, atoms: 0 }
    }

    /// Gives the bytes at `offset`; asked for or not, in any order. What reaches beyond the file's end is dropped.
    pub fn supply(&mut self, offset: u64, mut bytes: Vec<u8>) {
        bytes.truncate(usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX));
        self.pieces.push((offset, bytes));
    }

    /// Goes on until bytes are missing or the movie is read.
    pub fn step(&mut self) -> Result<Step, Error> {
        while self.offset < self.size {
            let left = self.size - self.offset;
            let Some(header) = self.held(self.offset).and_then(Header::read) else {
                return self.header_missing(left);
            };
            if self.offset == 0 && !FIRST_ATOMS.contains(&&header.kind.0) {
                return Err(self.not_a_movie());
            }
            let size = header.size.unwrap_or(left);
            self.check(&header, size)?;
            if header.kind == FourCc(*b"moov") {
                return self.read_moov(&header, size);
            }
            self.offset += size;
        }
        Err(if self.size == 0 { self.not_a_movie() } else { Error::NoIndex })
    }

    /// The body of `moov`, after [`Step::Done`]: all that [`Movie::read`] needs to give the same movie again.
    pub fn index(&self) -> Option<&[u8]> {
        let bytes = self.held(self.offset)?;
        let header = Header::read(bytes).filter(|header| header.kind == FourCc(*b"moov"))?;
        let size = header.size.unwrap_or(self.size - self.offset);
        bytes.get(header.header as usize..usize::try_from(size).ok()?)
    }

    fn header_missing(&self, left: u64) -> Result<Step, Error> {
        let wanted = self.offset..self.offset + left.min(HEADER_READ);
        // Fewer than 16 bytes before the end: they may be there and still be no header.
        let known = self.held(self.offset).is_some_and(|bytes| bytes.len() as u64 >= left.min(16));
        match (known, self.offset) {
            (false, _) => Ok(Step::Need(wanted)),
            (true, 0) => Err(self.not_a_movie()),
            (true, _) => Err(Error::NoIndex),
        }
    }

    fn check(&mut self, header: &Header, size: u64) -> Result<(), Error> {
        let end = self.offset.checked_add(size);
        if size < header.header || self.atoms > MAX_ATOMS {
            return Err(if self.offset == 0 { self.not_a_movie() } else { Error::NoIndex });
        }
        self.atoms += 1;
        match end {
            Some(end) if end <= self.size => Ok(()),
            _ => {
                let needed = end.unwrap_or(u64::MAX);
                Err(Error::Truncated { atom: header.kind, offset: self.offset, needed, size: self.size })
            }
        }
    }

    fn read_moov(&mut self, header: &Header, size: u64) -> Result<Step, Error> {
        if size > MAX_MOOV {
            return Err(Error::TooLarge { what: "index (moov atom)", size, limit: MAX_MOOV });
        }
        let (start, end) = (self.offset, self.offset + size);
        match self.held(start).and_then(|bytes| bytes.get(header.header as usize..size as usize)) {
            Some(body) => Ok(Step::Done(Box::new(movie::read(body, self.size)?))),
            None => self.join_or_need(start, end),
        }
    }

    /// The atom is there in several pieces: they are joined. Or not whole yet: the part that is missing is asked for.
    fn join_or_need(&mut self, start: u64, end: u64) -> Result<Step, Error> {
        let mut joined = Vec::new();
        while start + (joined.len() as u64) < end {
            let at = start + joined.len() as u64;
            match self.held(at) {
                Some(bytes) if !bytes.is_empty() => joined.extend_from_slice(bytes),
                _ => {
                    // Up to the next piece that is held already.
                    let next = self.pieces.iter().map(|(offset, _)| *offset).filter(|offset| *offset > at).min();
                    return Ok(Step::Need(at..next.unwrap_or(end).min(end)));
                }
            }
        }
        self.pieces = vec![(start, joined)];
        self.step()
    }

    /// The held bytes from `offset` on, of the piece that reaches farthest.
    fn held(&self, offset: u64) -> Option<&[u8]> {
        let from = |(start, bytes): &'_ (u64, Vec<u8>)| -> Option<usize> {
            let skip = usize::try_from(offset.checked_sub(*start)?).ok()?;
            bytes.len().checked_sub(skip).filter(|left| *left > 0)
        };
        let (start, bytes) = self.pieces.iter().max_by_key(|piece| from(piece))?;
        let skip = usize::try_from(offset.checked_sub(*start)?).ok()?;
        bytes.get(skip..).filter(|rest| !rest.is_empty())
    }

    fn not_a_movie(&self) -> Error {
        let start = self.held(0).unwrap_or_default();
        let start = start.get(..16).unwrap_or(start);
        Error::NotAMovie { start: start.escape_ascii().to_string() }
    }
}
