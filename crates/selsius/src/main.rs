//! The `selsius` command: a call manager for SCCP phones, and the tools around that protocol.

mod cli;

use std::process::ExitCode;

use clap::Parser;

/// A call manager for Cisco SCCP (Skinny) phones, and the tools around that protocol.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Phone(Box<cli::phone::PhoneArgs>),
}

fn main() -> ExitCode {
    let run = match Arguments::parse().command {
        Command::Phone(args) => cli::phone::run(*args),
    };
    match run {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write;
            // Nowhere else to say it, should standard error be closed.
            let _ = writeln!(std::io::stderr(), "selsius: {error:#}");
            ExitCode::FAILURE
        }
    }
}
