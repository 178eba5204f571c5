//! See `selsius_fuzz::media`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| selsius_fuzz::media::datagrams(data));
