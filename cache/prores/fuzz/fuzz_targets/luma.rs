//! Any bytes: no panic, and the same reduced image by every way of decoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prores::{Decoding, Error, Planes, Range, Reduction};

fuzz_target!(|packet: &[u8]| {
    for reduction in [Reduction::Half, Reduction::Quarter, Reduction::Eighth] {
        let luma = prores::luma(packet, reduction, Range::Full);
        let by = |decoding| prores::colours_by(decoding, packet, reduction);
        let colours = by(Decoding::Plain);
        // Brightness is a part of colours: where these are read, all ways of reading it are tried with them.
        if let Err(Error::Unsupported { .. }) = colours {
            let by = |decoding| prores::luma_by(decoding, packet, reduction, Range::Full);
            assert_eq!(by(Decoding::Plain), luma);
            assert_eq!(by(Decoding::Table), luma);
        } else {
            assert_eq!(by(Decoding::Table), colours);
            assert_eq!(by(Decoding::Interleaved), colours);
            assert!(luma.is_ok() || colours.is_err(), "colours without brightness");
        }
    }
    let mut planes = Planes::default();
    if prores::planes(packet, &mut planes).is_ok() {
        assert_eq!(planes.y.data.len(), planes.cb.data.len() + planes.cr.data.len());
    }
});
