//! `selsius forward` and `selsius park`: calls that are led elsewhere.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use hyper::{Method, body::Bytes};
use selsius_server::api::{Done, Forward, ForwardKind, Forwards, Named, ParkedCall};
use selsius_site::LineNumber;

use super::{
    line::{Which, forwards},
    node::{Node, block_on},
    out,
};

/// Shows, sets, clears where calls to a line go instead.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct ForwardArgs {
    #[command(subcommand)]
    command: ForwardCommand,
}

#[derive(Debug, Subcommand)]
enum ForwardCommand {
    /// Shows where calls to a line go instead, and when.
    Show {
        #[command(flatten)]
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Has calls to a line go to another number.
    Set {
        #[command(flatten)]
        which: Which,
        /// When.
        when: When,
        /// Where to, as somebody at the phone would dial it.
        to: LineNumber,
    },
    /// Has calls to a line no longer go elsewhere.
    Clear {
        #[command(flatten)]
        which: Which,
        /// When; without it, in no case.
        when: Option<When>,
    },
}

/// When calls go elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    /// Always.
    All,
    /// While the line is busy.
    Busy,
    /// When nobody answers in time.
    NoAnswer,
    /// While no phone with the line is registered.
    Unregistered,
}

impl When {
    fn kind(self) -> ForwardKind {
        match self {
            Self::All => ForwardKind::All,
            Self::Busy => ForwardKind::Busy,
            Self::NoAnswer => ForwardKind::NoAnswer,
            Self::Unregistered => ForwardKind::Unregistered,
        }
    }

    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Calls that are parked.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct ParkArgs {
    #[command(subcommand)]
    command: ParkCommand,
}

#[derive(Debug, Subcommand)]
enum ParkCommand {
    /// Lists the calls that are parked: where, who waits, who parked them.
    List {
        #[command(flatten)]
        node: Node,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: ForwardArgs) -> Result<ExitCode> {
    match args.command {
        ForwardCommand::Show { which, json } => {
            let found: Forwards = which.ask("/forward")?;
            let lines = forwards(&found);
            match json {
                true => out::json(&found)?,
                false if lines.is_empty() => out::print(&format!("{} is not forwarded\n", which.number))?,
                false => out::print(&(lines.join("\n") + "\n"))?,
            }
        }
        ForwardCommand::Set { which, when, to } => {
            which.put("/forward", &Forward { kind: when.kind(), to: to.to_string() })?;
            out::print(&format!("{}: {} -> {to}\n", which.number, when.word()))?;
        }
        ForwardCommand::Clear { which, when } => {
            let query = when.map(|when| format!("?kind={}", when.word())).unwrap_or_default();
            let path = which.path(&format!("/forward{query}"));
            let Done {} = block_on(async {
                which.node.connect().await?.json(Method::DELETE, &path, Bytes::new()).await
            })?;
            let when = when.map(|when| format!(" ({})", when.word())).unwrap_or_default();
            out::print(&format!("{} is no longer forwarded{when}\n", which.number))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn run_park(args: ParkArgs) -> Result<ExitCode> {
    let ParkCommand::List { node, json } = args.command;
    let parked: Vec<ParkedCall> =
        block_on(async { node.connect().await?.json(Method::GET, "/v1/parked", Bytes::new()).await })?;
    if json {
        out::json(&parked)?;
    } else if parked.is_empty() {
        out::print("no call is parked\n")?;
    } else {
        let rows = parked.iter().map(|parked| {
            let party = |party: &Named| format!("{} {}", party.number, party.name).trim_end().to_owned();
            [parked.slot.clone(), parked.call.to_string(), party(&parked.waits), party(&parked.by)]
        });
        out::print(&out::table(["SLOT", "CALL", "WAITS", "PARKED BY"], rows))?;
    }
    Ok(ExitCode::SUCCESS)
}
