//! Atoms (boxes): a size, a type, a body that may hold more atoms.

use std::fmt;

use crate::Error;

/// A four-character code: an atom's type, a codec.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{self}'")
    }
}

/// The start of an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its type.
    pub kind: FourCc,
    /// Bytes of the header itself: 8 or 16.
    pub header: u64,
    /// Bytes in all, header included; `None` = to the end of what holds it.
    pub size: Option<u64>,
}

impl Header {
    /// Reads the header at the start of `bytes`; `None` while too few bytes are there (16 always suffice).
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(FourCc(*b"atom"), bytes);
        let size = reader.u32().ok()?;
        let kind = FourCc(reader.array().ok()?);
        match size {
            0 => Some(Self { kind, header: 8, size: None }),
            1 => Some(Self { kind, header: 16, size: Some(reader.u64().ok()?) }),
            _ => Some(Self { kind, header: 8, size: Some(u64::from(size)) }),
        }
    }
}

/// The atoms in `bytes`, as (type, body). Ends with an error at the first that does not fit.
pub fn children(parent: FourCc, bytes: &[u8]) -> impl Iterator<Item = Result<(FourCc, &[u8]), Error>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        // Four zero bytes may end a list (user data does so); fewer than a header's are padding.
        if rest.len() < 8 || rest.iter().take(8).all(|byte| *byte == 0) {
            return None;
        }
        let child = next_child(parent, rest);
        rest = match &child {
            Ok((_, _, after)) => after,
            Err(_) => &[],
        };
        Some(child.map(|(kind, body, _)| (kind, body)))
    })
}

type Child<'a> = (FourCc, &'a [u8], &'a [u8]);

fn next_child(parent: FourCc, bytes: &[u8]) -> Result<Child<'_>, Error> {
    let damaged = Error::Damaged { atom: parent, what: "an atom inside it does not fit" };
    let header = Header::read(bytes).ok_or_else(|| damaged.clone())?;
    let size = header.size.unwrap_or(bytes.len() as u64);
    let fits = size >= header.header && size <= bytes.len() as u64;
    if !fits {
        return Err(damaged);
    }
    let (atom, after) = bytes.split_at(size as usize);
    Ok((header.kind, &atom[header.header as usize..], after))
}

/// Reads big-endian numbers off the front of an atom's body.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    atom: FourCc,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, the body of `atom` (named in errors).
    pub fn new(atom: FourCc, bytes: &'a [u8]) -> Self {
        Self { atom, rest: bytes }
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Passes over `count` bytes.
    pub fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.rest = self.rest.get(count..).ok_or_else(|| self.short())?;
        Ok(())
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    /// A count of entries of `size` bytes each that must be there: checked before anything is allocated.
    pub fn count(&mut self, size: usize) -> Result<usize, Error> {
        let count = self.u32()? as usize;
        match count.checked_mul(size) {
            Some(bytes) if bytes <= self.rest.len() => Ok(count),
            _ => Err(Error::Damaged { atom: self.atom, what: "it has fewer entries than it says" }),
        }
    }

    fn short(&self) -> Error {
        Error::Damaged { atom: self.atom, what: "it ends too early" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOOV: FourCc = FourCc(*b"moov");

    #[test]
    fn the_three_kinds_of_size_are_read() {
        assert_eq!(Header::read(b"\0\0\0\x09wide."), Some(Header { kind: FourCc(*b"wide"), header: 8, size: Some(9) }));
        assert_eq!(Header::read(b"\0\0\0\0mdat"), Some(Header { kind: FourCc(*b"mdat"), header: 8, size: None }));
        let long = b"\0\0\0\x01mdat\0\0\0\x03\0\0\0\0";
        assert_eq!(Header::read(long), Some(Header { kind: FourCc(*b"mdat"), header: 16, size: Some(3 << 32) }));
        assert_eq!(Header::read(&long[..12]), None);
    }

    #[test]
    fn a_child_that_does_not_fit_is_an_error_and_the_end() {
        let found: Vec<_> = children(MOOV, b"\0\0\0\x09free!\0\0\0\xffskip").collect();
        assert_eq!(found[0], Ok((FourCc(*b"free"), &b"!"[..])));
        assert!(matches!(found[1], Err(Error::Damaged { atom: MOOV, .. })));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_count_larger_than_the_atom_is_refused_before_it_is_believed() {
        let mut reader = Reader::new(MOOV, &[0xff; 12]);
        assert!(matches!(reader.count(4), Err(Error::Damaged { .. })));
    }
}
