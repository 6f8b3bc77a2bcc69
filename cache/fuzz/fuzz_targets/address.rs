//! Any text is a name or an error; what was read is written so that it reads back.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::fuzzing::address(bytes));
