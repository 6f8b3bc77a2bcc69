//! Any bytes give an image or an error, the same one for every way of decoding.

#![allow(clippy::unwrap_used)] // a test may

use std::path::Path;

use proptest::{collection::vec, prelude::*, sample::Index};
use prores::{Chroma, Decoding, Error, Luma, Planes, Range, Reduction};

const REDUCTIONS: [Reduction; 3] = [Reduction::Half, Reduction::Quarter, Reduction::Eighth];

/// What the fuzzer starts from: small packets of FFmpeg's encoders, and what it once found of interest.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/luma");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The grey image all ways of decoding agree on; sizes are the header's. They agree on colours, too, and where these come out,
/// brightness does.
fn agreed(packet: &[u8], reduction: Reduction) -> Result<Luma, Error> {
    let by = |decoding| prores::luma_by(decoding, packet, reduction, Range::Full);
    let result = by(Decoding::Plain);
    assert_eq!(by(Decoding::Table), result);
    assert_eq!(by(Decoding::Interleaved), result);
    let by = |decoding| prores::colours_by(decoding, packet, reduction);
    let colours = by(Decoding::Plain);
    assert_eq!(by(Decoding::Table), colours);
    assert_eq!(by(Decoding::Interleaved), colours);
    if let Ok(colours) = &colours {
        let pixels = result.as_ref().unwrap().data.len();
        let columns = if reduction == Reduction::Half { colours.width.div_ceil(2) } else { colours.width };
        let samples = columns as usize * colours.height as usize;
        assert_eq!([&colours.y, &colours.cb, &colours.cr].map(Vec::len), [pixels, samples, samples]);
        assert!(2 * (pixels + 2 * samples) <= 256 * packet.len());
    }
    if let Ok(image) = &result {
        let header = prores::header(packet).unwrap();
        let size = (header.width / reduction.factor(), header.height / reduction.factor());
        assert_eq!((image.width, image.height), size);
        assert_eq!(image.data.len(), size.0 as usize * size.1 as usize);
        assert!(image.data.len() <= 64 * packet.len());
    }
    result
}

#[test]
fn the_corpus_holds_packets_of_each_kind_and_they_decode() {
    let kind = |packet: &[u8]| prores::header(packet).ok().map(|header| (header.chroma, header.interlaced));
    let sound: Vec<_> = corpus().into_iter().filter(|packet| agreed(packet, Reduction::Half).is_ok()).collect();
    let in_colour = sound.iter().filter(|packet| prores::colours(packet, Reduction::Half).is_ok());
    assert!(in_colour.count() >= 2, "a progressive one and an interlaced one");
    let mut kinds: Vec<_> = sound.iter().filter_map(|packet| kind(packet)).collect();
    kinds.sort_by_key(|kind| format!("{kind:?}"));
    kinds.dedup();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

#[test]
fn the_corpus_of_the_fuzzer_is_read_by_all_ways_alike() {
    for packet in corpus() {
        for reduction in REDUCTIONS {
            let _ = agreed(&packet, reduction);
        }
    }
}

/// Whether a whole frame comes out; then its planes have the header's size, in whole macroblocks, and its codes.
fn is_whole(packet: &[u8], planes: &mut Planes) -> bool {
    if prores::planes(packet, planes).is_err() {
        return false;
    }
    let header = prores::header(packet).unwrap();
    assert_eq!((planes.width, planes.height), (header.width, header.height));
    let rows = header.height.next_multiple_of(16) as usize;
    let columns = header.width.next_multiple_of(16) as usize;
    for (samples, stride) in [(&planes.y, columns), (&planes.cb, columns / 2), (&planes.cr, columns / 2)] {
        assert_eq!((samples.stride, samples.data.len()), (stride, stride * rows));
        assert!(samples.data.iter().all(|code| (4..=1019).contains(code)));
    }
    true
}

#[test]
fn a_whole_frame_cut_off_anywhere_is_an_error() {
    let mut planes = Planes::default();
    let mut sound = 0;
    for packet in corpus() {
        if !is_whole(&packet, &mut planes) {
            continue;
        }
        sound += 1;
        let stored = u32::from_be_bytes(*packet.first_chunk().unwrap()) as usize;
        assert!((0..stored).all(|length| !is_whole(&packet[..length], &mut planes)));
    }
    assert!(sound > 0);
}

#[test]
fn a_packet_cut_off_anywhere_is_an_error() {
    for packet in corpus().into_iter().filter(|packet| prores::luma(packet, Reduction::Half, Range::Full).is_ok()) {
        let stored = u32::from_be_bytes(*packet.first_chunk().unwrap()) as usize;
        for length in 0..stored {
            for reduction in REDUCTIONS {
                assert!(agreed(&packet[..length], reduction).is_err(), "{length} of {stored}");
            }
        }
    }
}

#[test]
fn what_is_no_prores_or_another_kind_of_it_is_refused_by_name() {
    let sound = || corpus().into_iter().find(|packet| prores::header(packet).is_ok_and(|it| !it.interlaced)).unwrap();
    let changed = |at: usize, value: u8| {
        let mut packet = sound();
        packet[at] = value;
        prores::luma(&packet, Reduction::Quarter, Range::Full)
    };
    assert_eq!(changed(4, b'j'), Err(Error::NotProRes));
    assert_eq!(changed(11, 2), Err(Error::Unsupported { what: "this version of the bitstream" }));
    assert_eq!(changed(20, 0x40), Err(Error::Unsupported { what: "this sampling of the colours" }));
    assert_eq!(changed(20, 0x8C), Err(Error::Unsupported { what: "this order of fields" }));
    let picture = 8 + usize::from(sound()[9]);
    assert_eq!(changed(picture + 7, 0x31), Err(Error::Unsupported { what: "slices of this size" }));
    assert_eq!(changed(picture, 7 << 3), Err(Error::Header { what: "a picture header has a wrong length" }));
    let mut huge = sound();
    huge[16..20].fill(0xFF);
    let refused = prores::luma(&huge, Reduction::Eighth, Range::Full);
    assert_eq!(refused, Err(Error::TooLarge { width: 65535, height: 65535 }));
}

/// A frame that is sound but for its coefficients, which are `bits`; headers of unusual lengths.
#[derive(Debug, Clone)]
struct Made {
    size: (u16, u16),
    flags: u8,
    log2_width: u8,
    matrix: Option<Vec<u8>>,
    lengths: (u16, u8, u8),
    scale: u8,
    plane: usize,
    bits: Vec<u8>,
}

impl Made {
    fn packet(&self) -> Vec<u8> {
        let matrix = self.matrix.clone().unwrap_or_default();
        let mut frame = vec![0; usize::from(self.lengths.0) + 20 + matrix.len()];
        let length = frame.len() as u16;
        frame[..2].copy_from_slice(&length.to_be_bytes());
        frame[8..10].copy_from_slice(&self.size.0.to_be_bytes());
        frame[10..12].copy_from_slice(&self.size.1.to_be_bytes());
        (frame[12], frame[19]) = (self.flags, if matrix.is_empty() { 0 } else { 2 });
        frame[20..20 + matrix.len()].copy_from_slice(&matrix);
        let interlaced = self.flags & 0x0C != 0;
        for field in 0..=usize::from(interlaced) {
            frame.extend(self.picture(interlaced, field));
        }
        let size = (frame.len() + 8) as u32;
        [&size.to_be_bytes()[..], b"icpf", &frame].concat()
    }

    fn picture(&self, interlaced: bool, field: usize) -> Vec<u8> {
        let columns = self.size.0.div_ceil(16);
        let rows = self.size.1.div_ceil(if interlaced { 32 } else { 16 });
        let widest = columns >> self.log2_width;
        let slices = (widest + (columns - (widest << self.log2_width)).count_ones() as u16) * rows;
        let header = usize::from(self.lengths.1.clamp(8, 31));
        let mut picture = vec![0; header];
        (picture[0], picture[7]) = ((header as u8) << 3, self.log2_width << 4);
        let data: Vec<_> = (0..slices).map(|slice| self.slice(usize::from(slice) + field)).collect();
        picture.extend(data.iter().flat_map(|slice| (slice.len() as u16).to_be_bytes()));
        picture.extend(data.concat());
        let size = picture.len() as u32;
        picture[1..5].copy_from_slice(&size.to_be_bytes());
        picture
    }

    fn slice(&self, nth: usize) -> Vec<u8> {
        let header = usize::from(self.lengths.2.clamp(6, 31));
        let mut slice = vec![0; header];
        (slice[0], slice[1]) = ((header as u8) << 3, self.scale);
        slice[2..4].copy_from_slice(&(self.plane as u16).to_be_bytes());
        let colour = self.plane / 2;
        slice[4..6].copy_from_slice(&(colour as u16).to_be_bytes());
        if let Some(last) = slice.get_mut(6..8) {
            last.copy_from_slice(&(colour as u16).to_be_bytes());
        }
        slice.extend((0..self.plane + 2 * colour).map(|at| self.bits[(nth * 131 + at) % self.bits.len()]));
        slice
    }
}

fn made() -> impl Strategy<Value = Made> {
    let flags = prop::sample::select(vec![0x80, 0x84, 0x88, 0xC0]);
    let bits = prop_oneof![vec(any::<u8>(), 1..400), vec(0x80..=0xFF_u8, 1..400)];
    let lengths = (0_u16..40, 0_u8..40, 0_u8..40);
    let matrix = prop::option::of(vec(any::<u8>(), 64));
    ((1_u16..300, 1_u16..80), flags, 0_u8..4, matrix, lengths, any::<u8>(), 0_usize..300, bits).prop_map(
        |(size, flags, log2_width, matrix, lengths, scale, plane, bits)| Made {
            size,
            flags,
            log2_width,
            matrix,
            lengths,
            scale,
            plane,
            bits,
        },
    )
}

/// No slice can be said to have coefficients beyond its bytes: these are well-formed but for what stands in them.
fn is_about_coefficients<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Ok(_) | Err(Error::Slice { .. }))
}

proptest! {
    // What fails goes into the fuzzer's corpus, not into a file of seeds.
    // They are small: many more than the usual 256 take a second.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: ProptestConfig::default().cases.max(4000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn changed_bytes_give_an_image_or_an_error(
        which in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>()), 1..12),
    ) {
        let corpus = corpus();
        let mut packet = which.get(&corpus).clone();
        for (at, value) in changes {
            if !packet.is_empty() {
                let at = at.index(packet.len());
                packet[at] = value;
            }
        }
        for reduction in REDUCTIONS {
            let _ = agreed(&packet, reduction);
        }
        is_whole(&packet, &mut Planes::default());
    }

    #[test]
    fn headers_of_any_length_and_any_coefficients_are_read_alike_by_all_ways(made in made()) {
        let packet = made.packet();
        for reduction in REDUCTIONS {
            let result = agreed(&packet, reduction);
            prop_assert!(is_about_coefficients(&result), "{:?}", result);
            if prores::header(&packet).is_ok_and(|header| header.chroma == Chroma::Yuv422) {
                let colours = prores::colours(&packet, reduction);
                prop_assert!(is_about_coefficients(&colours), "{:?}", colours);
            }
        }
        is_whole(&packet, &mut Planes::default());
    }

    #[test]
    fn any_bytes_give_an_error_or_an_image(mut bytes in vec(any::<u8>(), 0..600)) {
        for reduction in REDUCTIONS {
            let _ = agreed(&bytes, reduction);
        }
        if let Some(start) = bytes.first_chunk_mut::<8>() {
            *start = *b"\0\0\0\x20icpf";
        }
        for reduction in REDUCTIONS {
            let _ = agreed(&bytes, reduction);
        }
        is_whole(&bytes, &mut Planes::default());
    }
}
