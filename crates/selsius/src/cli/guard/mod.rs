//! `selsius guard`: a firewall that understands SCCP.

mod ask;
mod replay;
mod run;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;
use selsius_guard::policy::Rules;
use selsius_inspect::guard::{FindingKind, Preset};

use super::out;

/// Stands between phones and their manager (selsius or any other), lets through what is right, and tells the rest.
///
/// Phones connect to --listen as if it were their manager. docs/guard.md has the placements, the presets and all findings.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub(crate) struct GuardArgs {
    #[command(subcommand)]
    ask: Option<ask::Ask>,
    /// Where phones connect to, such as 0.0.0.0:2000; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// The managers behind it, the first one that answers; may be given several times, or with commas.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    upstream: Vec<SocketAddr>,
    /// Connections were sent here by nftables (tproxy or redirect); each leads to the manager that it was meant for.
    #[arg(long, conflicts_with = "upstream", requires = "listen")]
    transparent: bool,
    /// The rules: a file, or `monitor`, `balanced` or `strict`.
    #[arg(long, value_name = "FILE|PRESET", default_value = "balanced")]
    policy: String,
    /// Say whether the policy can be used, and what it does about each finding.
    #[arg(long, conflicts_with_all = ["listen", "upstream", "replay"])]
    check_policy: bool,
    /// Say what would have happened to the traffic of a capture (pcap or pcapng, also gzipped).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "upstream"])]
    replay: Option<PathBuf>,
    /// A manager's port in the capture, besides 2000; may be given several times.
    #[arg(long = "port", value_name = "PORT", requires = "replay")]
    ports: Vec<u16>,
    /// Open ways for audio in nftables, for phones in these networks; all other audio from and to them is dropped.
    #[arg(long, value_name = "NETWORK", value_delimiter = ',', conflicts_with = "relay")]
    nftables: Vec<ipnet::IpNet>,
    /// Pass audio on by sockets of our own, where addresses are translated (`nat` in the policy).
    #[arg(long)]
    relay: bool,
    /// Ports of audio that are closed unless a call opens them, with --nftables.
    #[arg(long, value_name = "FIRST-LAST", default_value = "1024-65535", value_parser = ports)]
    media_ports: (u16, u16),
    /// Give phones the files of --tftp-upstream here, with the managers' addresses as `nat.servers` of the policy has them.
    #[arg(long, value_name = "ADDRESS", requires = "tftp_upstream")]
    tftp: Option<SocketAddr>,
    /// The managers' TFTP server.
    #[arg(long, value_name = "ADDRESS", requires = "tftp")]
    tftp_upstream: Option<SocketAddr>,
    /// Append what happens to this file, one JSON object a line, instead of writing it to standard output.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Keep what a connection has said in which something of medium or high severity was found, as pcapng files in this folder.
    #[arg(long, value_name = "FOLDER")]
    evidence: Option<PathBuf>,
    /// Tell figures to Prometheus here, at /metrics.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// The socket for `selsius guard status` and the other questions.
    #[arg(long, value_name = "PATH", default_value = ask::SOCKET)]
    control: PathBuf,
}

fn ports(text: &str) -> Result<(u16, u16)> {
    let ends = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match ends {
        Some((first, last)) if first <= last => Ok((first, last)),
        _ => bail!("a range of ports is written as 16384-32767"),
    }
}

pub(crate) fn run(args: GuardArgs) -> Result<ExitCode> {
    if let Some(ask) = args.ask {
        return ask::run(ask);
    }
    let rules = rules(&args.policy)?;
    if args.check_policy {
        return check(&rules);
    }
    match &args.replay {
        Some(file) => replay::run(file, rules, &args.ports),
        None => run::run(args, rules),
    }
}

/// The rules that are meant: a preset by its name, else those of a file.
fn rules(policy: &str) -> Result<Rules> {
    match Preset::ALL.into_iter().find(|preset| preset.name() == policy) {
        Some(preset) => Ok(Rules::preset(preset)),
        None => Ok(Rules::read(policy.as_ref())?),
    }
}

fn check(rules: &Rules) -> Result<ExitCode> {
    let policy = &rules.policy;
    out::print(&format!("the policy can be used; its preset is {}\n\n", policy.preset.name()))?;
    let rows = FindingKind::ALL.map(|kind| {
        let usual = policy.preset.action(kind);
        let action = policy.actions.get(&kind).copied().unwrap_or(usual);
        let changed = if action == usual { String::new() } else { format!("{usual} in the preset") };
        [kind.name().into(), kind.severity().name().into(), action.name().into(), changed]
    });
    out::print(&out::table(["finding", "severity", "action", ""], rows))?;
    Ok(ExitCode::SUCCESS)
}
