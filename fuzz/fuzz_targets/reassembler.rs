//! See `selsius_fuzz::reassembly`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| selsius_fuzz::reassembly::reassembler(data));
