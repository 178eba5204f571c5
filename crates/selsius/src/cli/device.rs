//! `selsius device`: one phone.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use hyper::{Method, body::Bytes};
use selsius_server::api::{DeviceEvent, DeviceEventKind, Done};
use selsius_site::DeviceName;

use super::{
    node::{Node, block_on},
    out,
};

/// Resets a phone, or shows its history.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct DeviceArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a phone register again, with its files fetched anew.
    Reset {
        #[command(flatten)]
        node: Node,
        /// The phone's name, such as SEP001122334455.
        name: DeviceName,
        /// Starts the phone again from its loader, as if it had been unplugged.
        #[arg(long)]
        hard: bool,
    },
    /// Shows registrations, rejections and alarms of a phone, newest first.
    History {
        #[command(flatten)]
        node: Node,
        /// The phone's name, such as SEP001122334455; it may be unknown to the site.
        name: DeviceName,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: DeviceArgs) -> Result<ExitCode> {
    match args.command {
        Command::Reset { node, name, hard } => {
            let kind = if hard { "reset" } else { "restart" };
            let path = format!("/v1/devices/{name}/reset?kind={kind}");
            let Done {} =
                block_on(async { node.connect().await?.json(Method::POST, &path, Bytes::new()).await })?;
            out::print(&format!("{name} was told to {kind}; it does so when it is idle\n"))?;
        }
        Command::History { node, name, last, json } => {
            let path = format!("/v1/devices/{name}/history?last={last}");
            let events: Vec<DeviceEvent> =
                block_on(async { node.connect().await?.json(Method::GET, &path, Bytes::new()).await })?;
            if json {
                out::json(&events)?;
            } else if events.is_empty() {
                out::print(&format!("nothing is known of {name}\n"))?;
            } else {
                let rows = events.iter().map(|event| {
                    let [kind, text] = words(&event.kind);
                    [out::time(event.at), kind, text]
                });
                out::print(&out::table(["WHEN", "WHAT", ""], rows))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn words(kind: &DeviceEventKind) -> [String; 2] {
    let (kind, text) = match kind {
        DeviceEventKind::Registered { address, version, load, .. } => {
            let load = if load.is_empty() { String::new() } else { format!(", load {load}") };
            ("registered", format!("from {address}, protocol version {version}{load}"))
        }
        DeviceEventKind::Unregistered { reason } => ("unregistered", reason.clone()),
        DeviceEventKind::Rejected { address, reason } => ("rejected", format!("from {address}: {reason}")),
        DeviceEventKind::Alarm { severity, text, parameters: [first, second] } => {
            ("alarm", format!("severity {severity}: {text} (0x{first:x}, 0x{second:x})"))
        }
    };
    [kind.into(), text]
}
