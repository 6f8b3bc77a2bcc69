//! One entry's file: written whole or not at all, checked when it is read.
//!
//! ```text
//!   "LZC1"  kind  0 0 0  digest (16)  length (8)  checksum of the bytes (4)  checksum of all before it (4)  the bytes
//! ```

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::Path,
};

use crate::tier::Key;

const MAGIC: &[u8; 4] = b"LZC1";
const HEADER: usize = 40;
/// Larger entries are not written, and none is believed to be.
const LARGEST: u64 = 1 << 30;

/// Why there is no entry.
#[derive(Debug)]
pub enum Damaged {
    /// There is no file.
    Missing,
    /// The file cannot be read.
    Unreadable(io::Error),
    /// The file does not hold what it should.
    Wrong(&'static str),
}

/// Bytes of the file of an entry.
pub fn length(bytes: &[u8]) -> u64 {
    (HEADER + bytes.len()) as u64
}

/// Writes an entry to `half` and, when it is whole, gives it its name.
pub fn write(half: &Path, whole: &Path, key: &Key, bytes: &[u8]) -> io::Result<()> {
    for path in [half, whole] {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
    }
    let mut file = File::create(half)?;
    file.write_all(&header(key, bytes))?;
    file.write_all(bytes)?;
    drop(file);
    fs::rename(half, whole)
}

/// Reads and checks an entry.
pub fn read(path: &Path, key: &Key) -> Result<Vec<u8>, Damaged> {
    let unreadable = |error: io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Damaged::Missing,
        ErrorKind::UnexpectedEof => Damaged::Wrong("it is cut off"),
        _ => Damaged::Unreadable(error),
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut head = [0; HEADER];
    file.read_exact(&mut head).map_err(unreadable)?;
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if number(36) != crc32fast::hash(&head[..36]) {
        return Err(Damaged::Wrong("its header's checksum differs"));
    }
    let length = size - HEADER as u64;
    let expected = header_without_checksums(key, length);
    if head[..32] != expected || length > LARGEST {
        return Err(Damaged::Wrong("its header is of another entry"));
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes).map_err(unreadable)?;
    if number(32) != crc32fast::hash(&bytes) {
        return Err(Damaged::Wrong("its checksum differs"));
    }
    Ok(bytes)
}

fn header_without_checksums(key: &Key, length: u64) -> [u8; 32] {
    let mut header = [0; 32];
    header[..4].copy_from_slice(MAGIC);
    header[4] = key.what as u8;
    header[8..24].copy_from_slice(&key.digest);
    header[24..].copy_from_slice(&length.to_le_bytes());
    header
}

fn header(key: &Key, bytes: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..32].copy_from_slice(&header_without_checksums(key, bytes.len() as u64));
    header[32..36].copy_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    let checksum = crc32fast::hash(&header[..36]);
    header[36..].copy_from_slice(&checksum.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_with_any_damage_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (half, whole) = (folder.path().join("half"), folder.path().join("a/whole"));
        let key = Key::index("x");
        let bytes: Vec<u8> = (0..=255).collect();
        write(&half, &whole, &key, &bytes).unwrap();
        assert!(!half.exists());
        assert_eq!(read(&whole, &key).unwrap(), bytes);
        assert!(matches!(read(&whole, &Key::index("y")), Err(Damaged::Wrong(_))), "another entry's file");
        let sound = fs::read(&whole).unwrap();
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x10;
            fs::write(&whole, &damaged).unwrap();
            assert!(matches!(read(&whole, &key), Err(Damaged::Wrong(_))), "byte {at}");
        }
        for length in 0..sound.len() {
            fs::write(&whole, &sound[..length]).unwrap();
            assert!(matches!(read(&whole, &key), Err(Damaged::Wrong(_))), "cut to {length}");
        }
        fs::write(&whole, [&sound[..], b"x"].concat()).unwrap();
        assert!(matches!(read(&whole, &key), Err(Damaged::Wrong(_))), "a byte more");
        fs::remove_file(&whole).unwrap();
        assert!(matches!(read(&whole, &key), Err(Damaged::Missing)));
    }
}
