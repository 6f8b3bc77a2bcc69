//! Every shape of file the format allows and cameras use gives the same frames; damaged ones give errors, never panics.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use archive::movie_writer::{Frames, Shape, write};
use proptest::prelude::*;
use quicktime::{Error, FourCc, Movie, Probe, Step};

const SIZES: [u32; 7] = [100, 7, 2000, 31, 1, 500, 64];

/// The bytes of frame `index`.
fn bytes(index: u32) -> Vec<u8> {
    vec![index as u8 + 1; SIZES[index as usize] as usize]
}

fn file(shape: &Shape) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.mov");
    let all: Vec<Vec<u8>> = (0..SIZES.len() as u32).map(bytes).collect();
    write(&path, shape, &Frames { sizes: &SIZES, bytes: &|index| Some(&all[index as usize]) }).unwrap();
    std::fs::read(path).unwrap()
}

/// Answers every need from `file`; gives the movie and how many reads it took after the two at the start.
fn probe(file: &[u8], head: usize, tail: usize) -> Result<(Movie, usize), Error> {
    let mut probe = Probe::new(file.len() as u64);
    let start = file.len().saturating_sub(tail);
    probe.supply(0, file[..head.min(file.len())].to_vec());
    probe.supply(start as u64, file[start..].to_vec());
    for reads in 0..100 {
        match probe.step()? {
            Step::Done(movie) => return Ok((*movie, reads)),
            Step::Need(range) => {
                assert!(range.start < range.end && range.end <= file.len() as u64, "{range:?} of {}", file.len());
                probe.supply(range.start, file[range.start as usize..range.end as usize].to_vec());
            }
        }
    }
    panic!("no end of reads");
}

fn shapes() -> impl Iterator<Item = Shape> {
    let flags = (0..32_u8).map(|bits| [1, 2, 4, 8, 16].map(|bit| bits & bit != 0));
    flags.flat_map(|[moov_first, co64, large_mdat, extra_tracks, padding]| {
        [1, 2, 3, 7, 100].map(|samples_per_chunk| Shape {
            size: (320, 180),
            moov_first,
            co64,
            large_mdat,
            samples_per_chunk,
            extra_tracks,
            padding,
            ..Shape::default()
        })
    })
}

#[test]
fn every_shape_gives_the_same_frames() {
    for shape in shapes() {
        let file = file(&shape);
        let (movie, _) = probe(&file, 64, 64).unwrap();
        let found: Vec<_> = (0..7).map(|index| movie.sample(index).unwrap()).collect();
        for (index, range) in (0..).zip(&found) {
            assert_eq!(file[range.start as usize..range.end as usize], bytes(index), "{shape:?}");
        }
        let facts = (movie.num_frames(), movie.codec, movie.width, movie.height, movie.colour_matrix);
        assert_eq!(facts, (7, FourCc(*b"apcn"), 320, 180, Some(1)), "{shape:?}");
        assert_eq!((movie.sample(7), movie.duration_seconds()), (None, 7.0 * 1001.0 / 30000.0));
    }
}

#[test]
fn a_head_and_a_tail_that_hold_the_index_are_enough() {
    for shape in shapes() {
        let file = file(&shape);
        assert_eq!(probe(&file, 4096, 4096).unwrap().1, 0, "{shape:?}");
    }
}

#[test]
fn an_index_in_pieces_is_asked_for_piece_by_piece() {
    let file = file(&Shape::default());
    for size in [1, 8, 16, 17, 100, 700] {
        assert!(probe(&file, size, size).is_ok(), "{size}");
    }
}

#[test]
fn a_cut_movie_says_so() {
    let first = file(&Shape { moov_first: true, ..Shape::default() });
    let last = file(&Shape::default());
    assert!(matches!(probe(&first[..first.len() - 1], 4096, 4096), Err(Error::FrameMissing { frame: 7, .. })));
    assert!(
        matches!(probe(&last[..last.len() - 1], 4096, 4096), Err(Error::Truncated { atom, .. }) if atom.to_string() == "moov")
    );
    let frames_only = last.len() - last.windows(4).rev().position(|window| window == b"moov").unwrap() - 8;
    assert_eq!(probe(&last[..frames_only], 4096, 4096).unwrap_err(), Error::NoIndex);
}

#[test]
fn what_is_no_movie_says_how_it_begins() {
    let start = |text: &[u8]| probe(text, 4096, 4096).unwrap_err();
    assert_eq!(start(b"This is a text."), Error::NotAMovie { start: "This is a text.".into() });
    assert_eq!(start(b""), Error::NotAMovie { start: String::new() });
    assert_eq!(start(&[0; 100]), Error::NotAMovie { start: "\\x00".repeat(16) });
}

proptest! {
    #[test]
    fn any_bytes_give_a_movie_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..600), head in 0usize..64, tail in 0usize..64) {
        let _ = probe(&bytes, head, tail);
    }

    #[test]
    fn a_damaged_movie_gives_frames_inside_the_file_or_an_error(
        shape in 0usize..160, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 0usize..40,
    ) {
        let mut file = file(&shapes().nth(shape).unwrap());
        for (at, value) in damage {
            let at = at.index(file.len());
            file[at] = value;
        }
        file.truncate(file.len() - cut);
        if let Ok((movie, _)) = probe(&file, 4096, 4096) {
            for index in 0..movie.num_frames().min(1000) {
                let range = movie.sample(index).unwrap();
                prop_assert!(range.start <= range.end && range.end <= file.len() as u64);
            }
        }
    }
}
