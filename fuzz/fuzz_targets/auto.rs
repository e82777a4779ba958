//! Records of any format, recognised by their content; the body is in `habitus-fuzzing`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| habitus_fuzzing::run("auto", data));
