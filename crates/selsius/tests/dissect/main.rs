//! `selsius dissect` as a person runs it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

mod choose;
mod files;
mod golden;
mod media;
mod others;
mod sip;
mod ss7;
mod support;
mod tshark;
mod wideband;
