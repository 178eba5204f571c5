//! Developer commands: `cargo xtask test` proves everything, the others are parts of it or stand beside it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its user by printing"
)]

mod bench;
mod debian;
mod deny;
mod deps;
mod messages;
mod prompts;
mod soak;
mod step;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands of selsius.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all tests: format, dependencies, lints, documentation, tests, and the long run of the test bed.
    Test {
        /// Leave out the slow steps: documentation, doctests, and the test bed's long run.
        #[arg(long)]
        quick: bool,
    },
    /// Prove that each crate uses only the rooms above it, and that the cores are free of std.
    Deps,
    /// Write the message reference, docs/messages.md, from the field descriptors.
    Messages {
        /// Write nothing; fail when it is stale.
        #[arg(long)]
        check: bool,
    },
    /// Measure, and print one table.
    Bench {
        /// What.
        #[command(subcommand)]
        subject: bench::Subject,
    },
    /// Make the spoken prompts from their texts, with espeak-ng and ffmpeg.
    Prompts,
    /// Run a manager under a mixed load, round after round, and look whether it holds more in the end than after its warm-up.
    Soak {
        /// How long, in minutes; a round that has begun is finished.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_080))]
        minutes: u64,
    },
    /// Check licences, bans and sources of all dependencies with cargo-deny.
    Deny {
        /// Install cargo-deny when it is missing (so does CI=true).
        #[arg(long)]
        install: bool,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Test { quick: true } => test::run(test::Extent::Quick),
        Command::Test { quick: false } => test::run(test::Extent::Full),
        Command::Messages { check: true } => messages::run(messages::Mode::Check),
        Command::Messages { check: false } => messages::run(messages::Mode::Write),
        Command::Bench { subject } => bench::run(&subject),
        Command::Soak { minutes } => soak::run(minutes),
        Command::Prompts => prompts::run(),
        Command::Deps => deps::run(),
        Command::Deny { install } => deny::run(install || step::in_ci()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
