//! `o365` records; the body is in `habitus-fuzzing`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| habitus_fuzzing::run("o365", data));
