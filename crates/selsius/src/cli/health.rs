//! `selsius health`: whether all is well, for people and for whatever starts containers.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hyper::{Method, body::Bytes};
use selsius_server::api::{Health, Problem};

use super::{
    node::{Node, block_on},
    out,
};

/// Says whether phones can register and call, and what somebody should look at. The exit code is 0 if they can, else 1.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    #[command(flatten)]
    node: Node,
    /// Fail only if the exchange does not answer, so that the manager is to be started again.
    #[arg(long)]
    live: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: HealthArgs) -> Result<ExitCode> {
    let health: Health =
        block_on(async { args.node.connect().await?.json(Method::GET, "/v1/health", Bytes::new()).await })?;
    if args.json {
        out::json(&health)?;
    } else {
        let state = match health {
            Health { ready: true, .. } => "ready: phones can register and call",
            Health { live: true, .. } => "not ready: phones cannot register and call",
            Health { live: false, .. } => "not live",
        };
        out::print(&format!("{state}\n{}", problems(&health.problems)))?;
    }
    let well = if args.live { health.live } else { health.ready };
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A line for each.
pub(crate) fn problems(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{}\n", out::clean(&problem.text))).collect()
}
