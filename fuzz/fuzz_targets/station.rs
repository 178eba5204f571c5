//! See `selsius_fuzz::wire`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| selsius_fuzz::wire::decoder::<selsius_wire::StationMessage>(data));
