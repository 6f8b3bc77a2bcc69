//! The seeds and finds of the fuzz targets, replayed: what held once holds on.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::path::Path;

/// Every seed of a target; there must be some.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        println!("{}", path.display());
        check(&bytes);
        // Cut anywhere and with any of its first bytes another, too.
        for at in (0..bytes.len()).step_by(bytes.len() / 64 + 1) {
            check(&bytes[..at]);
            let mut other = bytes.clone();
            other[at] ^= 0xff;
            check(&other);
        }
        seeds += 1;
    }
    assert!(seeds > 0, "{} is empty", folder.display());
}

#[test]
fn any_bytes_are_a_movie_or_an_error() {
    replay("quicktime", lazycache::fuzzing::quicktime);
}

#[test]
fn any_text_is_a_name_or_an_error() {
    replay("address", lazycache::fuzzing::address);
}

#[test]
fn any_page_is_an_index_or_none() {
    replay("listing", lazycache::fuzzing::listing);
}

#[test]
fn any_packet_is_a_picture_or_an_error() {
    replay("packet", lazycache::fuzzing::packet);
}
