//! The `selsius` command: a call manager for SCCP phones, and the tools around that protocol.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Calls are made of many small things that live for a moment: docs/performance.md has what this saves.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A call manager for Cisco SCCP (Skinny) phones, and the tools around that protocol.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Serve(Box<cli::serve::ServeArgs>),
    Site(cli::site::SiteArgs),
    Status(cli::status::StatusArgs),
    Health(cli::health::HealthArgs),
    Calls(cli::calls::CallsArgs),
    Recordings(cli::recordings::RecordingsArgs),
    Watch(cli::watch::WatchArgs),
    Device(cli::device::DeviceArgs),
    Line(cli::line::LineArgs),
    Group(cli::group::GroupArgs),
    Forward(cli::forward::ForwardArgs),
    Park(cli::forward::ParkArgs),
    #[command(visible_alias = "rooms")]
    Room(cli::room::RoomArgs),
    Log(cli::log::LogArgs),
    Backup(cli::backup::BackupArgs),
    Restore(cli::backup::RestoreArgs),
    Demo(cli::demo::DemoArgs),
    Phone(Box<cli::phone::PhoneArgs>),
    Load(Box<cli::load::LoadArgs>),
    Dissect(Box<cli::dissect::DissectArgs>),
    Guard(Box<cli::guard::GuardArgs>),
}

fn main() -> ExitCode {
    let run = match Arguments::parse().command {
        Command::Demo(args) => cli::demo::run(args),
        Command::Serve(args) => cli::serve::run(*args),
        Command::Site(args) => cli::site::run(args),
        Command::Status(args) => cli::status::run(args),
        Command::Health(args) => cli::health::run(args),
        Command::Calls(args) => cli::calls::run(args),
        Command::Recordings(args) => cli::recordings::run(args),
        Command::Watch(args) => cli::watch::run(args),
        Command::Device(args) => cli::device::run(args),
        Command::Line(args) => cli::line::run(args),
        Command::Group(args) => cli::group::run(args),
        Command::Forward(args) => cli::forward::run(args),
        Command::Park(args) => cli::forward::run_park(args),
        Command::Room(args) => cli::room::run(args),
        Command::Log(args) => cli::log::run(args),
        Command::Backup(args) => cli::backup::backup(args),
        Command::Restore(args) => cli::backup::restore(args),
        Command::Phone(args) => cli::phone::run(*args),
        Command::Load(args) => cli::load::run(*args),
        Command::Dissect(args) => cli::dissect::run(*args),
        Command::Guard(args) => cli::guard::run(*args),
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
