//! Any page is an index or none; its names are those of children.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::fuzzing::listing(bytes));
