//! `selsius serve` and its command line, as processes: real sockets on free ports, real clients of other people.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

mod admin;
mod baresip;
mod calls;
mod ceiling;
mod conference;
mod crash;
mod files;
mod import;
mod load;
mod music;
mod operator;
mod quality;
mod recording;
mod rooms;
mod service;
mod sip;
mod sip_phones;
mod srtp;
mod start;
mod support;
mod voice;
