//! Benchmarks that stand outside of the workspace, or beside other programs.

mod dissect;
mod office;
mod script;

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
    }
}
