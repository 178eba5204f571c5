//! See `selsius_fuzz::wire`.
#![no_main]

use selsius_fuzz::wire::differential;
use selsius_wire::{ManagerMessage, StationMessage};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    differential::<StationMessage>(data);
    differential::<ManagerMessage>(data);
});
