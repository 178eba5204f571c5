//! `selsius status`: how everything is.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hyper::{Method, body::Bytes};
use jiff::Timestamp;
use selsius_server::api::{CallInProgress, Device, Status};

use super::{
    health::problems,
    node::{Node, block_on},
    out::{self, count, table},
};

/// Shows phones, registrations, calls in progress and counters.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    node: Node,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: StatusArgs) -> Result<ExitCode> {
    let status: Status =
        block_on(async { args.node.connect().await?.json(Method::GET, "/v1/status", Bytes::new()).await })?;
    if args.json {
        out::json(&status)?
    } else {
        out::print(&show(&status, Timestamp::now()))?
    }
    Ok(ExitCode::SUCCESS)
}

fn show(status: &Status, now: Timestamp) -> String {
    let registered = status.devices.iter().filter(|device| device.registration.is_some()).count();
    let mut parts = vec![format!(
        "{} (selsius {}), up {}: {registered} of {} registered, {}\n",
        out::clean(&status.site),
        status.version,
        out::duration(status.started, now),
        count(status.devices.len(), "device"),
        count(status.calls.len(), "call"),
    )];
    parts[0] += &problems(&status.health.problems);
    if status.store.lost > 0 {
        parts[0] += &format!("{} lost since the start\n", count(status.store.lost as usize, "record"));
    }
    if !status.devices.is_empty() {
        let heading =
            ["DEVICE", "MODEL", "LINES", "STATE", "ADDRESS", "VERSION", "LOAD", "SINCE", "DESCRIPTION"];
        parts.push(table(heading, status.devices.iter().map(device)));
    }
    if !status.calls.is_empty() {
        let calls = status.calls.iter().map(|in_progress| call(in_progress, now));
        parts.push(table(["CALL", "PHASE", "FROM", "DIALED", "TO", "TIME"], calls));
    }
    let counters = &status.counters;
    let counted = [
        ("registrations", counters.registrations),
        ("calls", counters.calls),
        ("messages in", counters.messages_in),
        ("messages out", counters.messages_out),
        ("connections", counters.connections as u64),
        ("connections accepted", counters.accepted),
        ("connections refused", counters.refused),
        ("phones that did not read", counters.slow),
        ("connections without SCCP", counters.garbage),
        ("connections that said too much", counters.floods),
        ("times overloaded", counters.overloads),
    ];
    let counted = counted.map(|(what, number)| (what.to_owned(), number)).into_iter();
    let refused =
        counters.refused_messages.iter().map(|(reason, number)| (format!("refused: {reason}"), *number));
    let counted: Vec<_> = counted.chain(refused).filter(|(_, number)| *number > 0).collect();
    if !counted.is_empty() {
        let rows = counted.into_iter().map(|(what, number)| [what, number.to_string()]);
        parts.push(table(["SINCE THE START", ""], rows));
    }
    parts.join("\n")
}

fn device(device: &Device) -> [String; 9] {
    let [mut state, mut address, mut version, mut load, mut since] =
        ["absent", "", "", "", ""].map(String::from);
    if let Some(registration) = &device.registration {
        state = match (registration.ready, registration.calls) {
            (false, _) => "registering".into(),
            (true, 0) => "idle".into(),
            (true, calls) => count(calls, "call"),
        };
        address = registration.address.to_string();
        version = match registration.version {
            0 => String::new(),
            version => version.to_string(),
        };
        load = registration.load.clone();
        since = out::time(registration.since);
    }
    let (name, model, lines) = (device.name.clone(), device.model.clone(), device.lines.join(", "));
    [name, model, lines, state, address, version, load, since, device.description.clone()]
}

fn call(call: &CallInProgress, now: Timestamp) -> [String; 6] {
    let time = call.answered.or(call.started).map(|from| out::duration(from, now)).unwrap_or_default();
    [
        call.id.to_string(),
        call.phase.clone(),
        call.calling.clone(),
        call.dialed.clone(),
        call.called.clone(),
        time,
    ]
}
