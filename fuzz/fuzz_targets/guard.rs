//! See `selsius_fuzz::guard`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| selsius_fuzz::guard::both_directions(data));
