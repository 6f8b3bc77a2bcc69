//! Any bytes are a movie, all of whose frames lie in the file, or an error.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::fuzzing::quicktime(bytes));
