//! Any bytes: no panic, and the same result by every way of decoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prores::{Decoding, Range, Reduction};

fuzz_target!(|packet: &[u8]| {
    for reduction in [Reduction::Half, Reduction::Quarter, Reduction::Eighth] {
        let by = |decoding| prores::luma_by(decoding, packet, reduction, Range::Full);
        let plain = by(Decoding::Plain);
        assert_eq!(by(Decoding::Table), plain);
        assert_eq!(by(Decoding::Interleaved), plain);
    }
});
