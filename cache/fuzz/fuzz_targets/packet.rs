//! Any bytes as a packet are a picture of the movie's size or an error: what stands before FFmpeg's decoders.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::fuzzing::packet(bytes));
