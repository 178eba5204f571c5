//! `selsius log`: what operators changed.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hyper::{Method, body::Bytes};
use selsius_server::api::LogEntry;

use super::{
    node::{Node, block_on},
    out,
};

/// Shows what operators changed, when, and who they were; newest first.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    node: Node,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: u32,
    /// As JSON, with each change of the site.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: LogArgs) -> Result<ExitCode> {
    let path = format!("/v1/log?last={}", args.last);
    let entries: Vec<LogEntry> =
        block_on(async { args.node.connect().await?.json(Method::GET, &path, Bytes::new()).await })?;
    if args.json {
        out::json(&entries)?;
    } else if entries.is_empty() {
        out::print("nobody has changed anything yet\n")?;
    } else {
        out::print(&out::table(["WHEN", "WHO", "WHAT", ""], entries.iter().map(row)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &LogEntry) -> [String; 4] {
    let user = if entry.user.is_empty() { format!("user {}", entry.uid) } else { entry.user.clone() };
    // Who became this user, where the machine knows.
    let who = if entry.login.is_empty() { user } else { format!("{} as {user}", entry.login) };
    let changes = match entry.changes.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        several => out::count(several.len(), "change"),
    };
    [out::time(entry.at), who, entry.what.clone(), changes]
}
