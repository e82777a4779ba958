//! `windows` records; the body is in `habitus-fuzzing`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| habitus_fuzzing::run("windows", data));
