//! `selsius calls`: call records.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hyper::{Method, body::Bytes};
use selsius_server::api::{Call, Party};

use super::{
    node::{Node, block_on},
    out,
};

/// Shows call records, newest first.
#[derive(Debug, Args)]
pub(crate) struct CallsArgs {
    #[command(flatten)]
    node: Node,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: CallsArgs) -> Result<ExitCode> {
    let path = format!("/v1/calls?last={}", args.last);
    let calls: Vec<Call> =
        block_on(async { args.node.connect().await?.json(Method::GET, &path, Bytes::new()).await })?;
    if args.json {
        out::json(&calls)?;
    } else if calls.is_empty() {
        out::print("no calls yet\n")?;
    } else {
        out::print(&out::table(
            ["CALL", "STARTED", "FROM", "TO", "TALKED", "END", "CODEC", "LOST"],
            calls.iter().map(row),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(call: &Call) -> [String; 8] {
    let talked = call.answered.map(|from| out::duration(from, call.ended)).unwrap_or_default();
    let called = party(&call.called);
    // Where the call went is of interest when it is not what was dialled.
    let to = match call.called.number == call.dialed || call.called.number.is_empty() {
        true if called.is_empty() => call.dialed.clone(),
        true => called,
        false => format!("{} -> {called}", call.dialed),
    };
    let lost: u32 = call.quality.iter().map(|quality| quality.packets_lost).sum();
    let lost = if call.quality.is_empty() { String::new() } else { lost.to_string() };
    [
        call.id.to_string(),
        out::time(call.started),
        party(&call.calling),
        to,
        talked,
        call.cause.clone(),
        call.codec.clone(),
        lost,
    ]
}

fn party(party: &Party) -> String {
    let Party { number, name, .. } = party;
    if name.is_empty() { number.clone() } else { format!("{number} ({name})") }
}
