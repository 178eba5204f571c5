//! Benchmarks that stand outside of the workspace, or beside other programs.

mod bed;
mod dissect;
mod echo;
mod exchange;
mod manager;
mod media;
mod office;
mod rtpengine;
mod script;
mod verdict;

use anyhow::Result;
use clap::Subcommand;

use crate::step::{call, cargo};

/// What is measured.
#[derive(Clone, Subcommand)]
pub(crate) enum Subject {
    /// Decoding and encoding, beside the crate `sccp-protocol`.
    Wire,
    /// `selsius dissect` beside tshark, on a capture made for it.
    Dissect(dissect::Options),
    /// The exchange without sockets at 1,000, 10,000 and 100,000 phones: a call, a keepalive, a digit, a phone.
    Exchange(exchange::Options),
    /// Emulated phones without sockets at 1,000, 10,000 and 100,000, in step with the clock: registering, idle, calling.
    Bed(bed::Options),
    /// Up to 18,000 phones register at once and are idle: time, memory, keepalives beside a bare echo.
    Phones(manager::StormOptions),
    /// Thousands of complete calls a second among up to 18,000 phones, beside a bare echo of the same bytes.
    Calls(manager::CallOptions),
    /// The manager beside a small one on the crate `sccp-protocol`, under the same load at rising rates.
    Peer(manager::PeerOptions),
    /// The guard beside HAProxy in TCP mode and a direct connection, at 1,000 and 9,000 phones.
    Guard(manager::GuardOptions),
    /// The media engine: packets, mixed parties and transcoded ones a core; and a relayed packet with its sockets.
    Media(media::Options),
    /// The media thread beside rtpengine in user space: the same streams of voice through both.
    Rtpengine(rtpengine::Options),
    /// From the start of a manager with 100,000 phones to the first registered one.
    Restart(manager::RestartOptions),
    /// A part of the echo that others are compared with.
    #[command(hide = true)]
    Echo {
        /// Which.
        #[command(subcommand)]
        part: echo::Part,
    },
}

/// Runs the benchmark; it prints its own table.
pub(crate) fn run(subject: &Subject) -> Result<()> {
    match subject {
        // That crate asks for a newer compiler than ours, and does without.
        Subject::Wire => call(&mut cargo(&[
            "run",
            "--release",
            "--quiet",
            "--locked",
            "--ignore-rust-version",
            "--manifest-path",
            "bench/peer/Cargo.toml",
        ])),
        Subject::Dissect(options) => dissect::run(options),
        Subject::Exchange(options) => exchange::run(options),
        Subject::Bed(options) => bed::run(options),
        Subject::Phones(options) => manager::storm(options),
        Subject::Calls(options) => manager::calls(options),
        Subject::Peer(options) => manager::peer(options),
        Subject::Guard(options) => manager::guard(options),
        Subject::Media(options) => media::run(options),
        Subject::Rtpengine(options) => rtpengine::run(options),
        Subject::Restart(options) => manager::restart(options),
        Subject::Echo { part } => echo::run(part),
    }
}
