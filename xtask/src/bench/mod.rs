//! Benchmarks that stand outside of the workspace.

use anyhow::Result;
use clap::ValueEnum;

use crate::step::{call, cargo};

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Decoding and encoding, beside the crate `sccp-protocol`.
    Wire,
}

/// Runs the benchmark; it prints its own table.
pub(crate) fn run(subject: Subject) -> Result<()> {
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
    }
}
