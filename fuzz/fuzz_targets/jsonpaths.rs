//! `cargo +nightly fuzz run jsonpaths`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| penstock_fuzz_targets::jsonpaths(data));
