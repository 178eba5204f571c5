//! See `selsius_fuzz::capture`.
#![no_main]

use selsius_fuzz::capture;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    capture::any_file(data);
    capture::made_file(data);
});
