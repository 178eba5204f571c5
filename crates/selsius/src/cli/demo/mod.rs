//! `selsius demo`: a manager, two phones and a call between them, over real sockets on loopback.

mod office;
mod play;
mod report;
mod scribe;

use std::{
    io::{IsTerminal, stdout},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use selsius_inspect::ladder::Style;
use selsius_server::Server;
use tokio::signal::unix::{SignalKind, signal};

use self::{
    office::{Office, site},
    play::Play,
    report::Report,
    scribe::Scribe,
};

/// Shows a call: starts a manager and two phones, lets them talk, and draws every message.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 0 if everything happened that should, with 1 if anything is missing.")]
pub(crate) struct DemoArgs {
    /// Writes the traffic, signalling and voice, to a capture file.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Waits and talks for as short as possible.
    #[arg(long)]
    fast: bool,
    /// Leads the call out over a trunk and back in, as one to and from another telephone system.
    #[arg(long)]
    trunk: bool,
}

/// How long the people of the demonstration take for things.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Between two keys.
    key: Duration,
    /// Until somebody picks up.
    ring: Duration,
    /// The conversation.
    talk: Duration,
}

impl Pace {
    const NORMAL: Self = Self {
        key: Duration::from_millis(200),
        ring: Duration::from_millis(1500),
        talk: Duration::from_secs(3),
    };
    const FAST: Self = Self {
        key: Duration::from_millis(10),
        ring: Duration::from_millis(50),
        talk: Duration::from_millis(600),
    };
}

/// As a shell says it of a program that ended by SIGINT.
const INTERRUPTED: u8 = 130;
const WIDTH: u16 = 110;

/// Runs the demonstration.
pub(crate) fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(show(&args))
}

async fn show(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let folder =
        tempfile::Builder::new().prefix("selsius-demo-").tempdir().context("no temporary directory")?;
    let mut options = selsius_server::Options::loopback(folder.path());
    options.site = Some(("demo.toml".into(), site(args.trunk)));
    let server = Server::start(options).await.context("cannot start the manager")?;
    let manager = *server.addresses().sccp.first().context("the manager listens nowhere")?;

    let (style, width) = match stdout().is_terminal() {
        true => (Style::Ansi, crossterm::terminal::size().map_or(WIDTH, |(width, _)| width)),
        false => (Style::Plain, WIDTH),
    };
    let office = Office::new(manager, args.trunk);
    let scribe = Scribe::start(style, width.into(), args.pcap.as_deref())?;
    scribe.say(&office.introduction());
    scribe.head();
    let pace = if args.fast { Pace::FAST } else { Pace::NORMAL };
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let played = tokio::select! {
        played = Play::new(&office, &scribe, pace).call() => Some(played),
        _ = end.recv() => None,
        _ = interrupt.recv() => None,
    };
    let Some(played) = played else {
        server.stop().await.context("the manager did not end in order")?;
        scribe.finish()?;
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let record = report::record(&server, &office).await;
    server.stop().await.context("the manager did not end in order")?;
    let report = Report::new(&office, played, record?, pace);
    scribe.say(&report.text());
    if let Some(path) = &args.pcap {
        scribe.say(&report.how_to_read(path));
    }
    scribe.say(&report.verdict());
    scribe.finish()?;
    Ok(if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
