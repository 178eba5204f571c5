//! `selsius demo`: a manager, phones and calls between them, over real sockets on loopback.

mod baresip;
mod conference;
mod office;
mod outside;
mod play;
mod report;
mod scribe;
mod sipp;
mod stage;
mod voicemail;

use std::{
    io::{IsTerminal, stdout},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use selsius_client::Clock;
use selsius_inspect::ladder::Style;
use selsius_server::Server;
use tokio::signal::unix::{SignalKind, signal};

use self::{
    office::Office,
    outside::Outside,
    scribe::{Files, Scribe, Voice},
    stage::{Stage, Told},
};

/// Shows a call: starts a manager and two phones, lets them talk, and draws every message.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 0 if everything happened that should, with 1 if anything is missing.")]
pub(crate) struct DemoArgs {
    /// Writes the traffic, signalling and voice, to a capture file.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Also draws the ladder as a picture.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Waits and talks for as short as possible.
    #[arg(long)]
    fast: bool,
    /// A call out over a SIP trunk to SIPp or baresip, and one in from there. Where neither is installed, the call leads out over a
    /// trunk and back in.
    #[arg(long, group = "scene")]
    trunk: bool,
    /// Three phones in a conference: what each of them hears is analysed.
    #[arg(long, group = "scene")]
    conference: bool,
    /// A message is left in a mailbox and heard.
    #[arg(long, group = "scene")]
    voicemail: bool,
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

/// What is shown.
enum Scene {
    Call(Office),
    Outside(Outside),
    Conference,
    Voicemail,
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
    let scene = Scene::new(args)?;
    let (style, width) = match stdout().is_terminal() {
        true => (Style::Ansi, crossterm::terminal::size().map_or(WIDTH, |(width, _)| width)),
        false => (Style::Plain, WIDTH),
    };
    let files = Files { pcap: args.pcap.as_deref(), svg: args.svg.as_deref() };
    let scribe = Scribe::start(scene.titles(), style, width.into(), files)?;
    let clock = Clock::start();
    let mut options = selsius_server::Options::loopback(folder.path());
    options.site = Some(("demo.toml".into(), scene.site()));
    if let Scene::Outside(outside) = &scene {
        options.config.sip.udp = vec![outside.own];
        options.sip_tap = Some(scribe.sip_tap(outside::COLUMN, clock));
    }
    let server = Server::start(options).await.context("cannot start the manager")?;
    let manager = *server.addresses().sccp.first().context("the manager listens nowhere")?;

    scribe.say(&scene.introduction(manager));
    scribe.head();
    let pace = if args.fast { Pace::FAST } else { Pace::NORMAL };
    let stage = Stage { manager, clock, scribe: &scribe, pace, voice: scene.voice() };
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let played = tokio::select! {
        played = scene.play(&stage, &server, folder.path()) => Some(played),
        _ = end.recv() => None,
        _ = interrupt.recv() => None,
    };
    server.stop().await.context("the manager did not end in order")?;
    let Some(told) = played else {
        scribe.finish()?;
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let told = told?;
    scribe.say(&told.text());
    if let Some(path) = &args.pcap {
        let sip = match &scene {
            Scene::Outside(outside) => Some(outside.own.port()),
            _ => None,
        };
        scribe.say(&report::how_to_read(path, manager, sip));
    }
    scribe.say(&told.verdict());
    scribe.finish()?;
    Ok(if told.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Scene {
    fn new(args: &DemoArgs) -> anyhow::Result<Self> {
        Ok(match args {
            DemoArgs { conference: true, .. } => Self::Conference,
            DemoArgs { voicemail: true, .. } => Self::Voicemail,
            DemoArgs { trunk: true, .. } => match Outside::find()? {
                Some(outside) => Self::Outside(outside),
                None => Self::Call(Office::new(true)),
            },
            _ => Self::Call(Office::new(false)),
        })
    }

    fn site(&self) -> String {
        match self {
            Self::Call(office) => office::site(office.with_trunk),
            Self::Outside(outside) => outside.site(),
            Self::Conference => conference::site(),
            Self::Voicemail => voicemail::site(),
        }
    }

    /// Who stands over the columns of the ladder.
    fn titles(&self) -> Vec<String> {
        let manager = String::from("manager");
        match self {
            Self::Call(Office { alice, bob, .. }) => vec![alice.title(), manager, bob.title()],
            Self::Outside(outside) => outside.titles(),
            Self::Conference => {
                let [alice, bob, carol] = conference::PEOPLE.map(|person| person.title());
                vec![alice, manager, bob, carol]
            }
            Self::Voicemail => vec![office::ALICE.title(), manager, office::BOB.title()],
        }
    }

    fn introduction(&self, manager: SocketAddr) -> String {
        match self {
            Self::Call(office) => office.introduction(manager),
            Self::Outside(outside) => outside.introduction(manager),
            Self::Conference => conference::introduction(manager),
            Self::Voicemail => voicemail::introduction(manager),
        }
    }

    fn voice(&self) -> Voice {
        match self {
            Self::Call(_) => Voice::Sent,
            _ => Voice::Both,
        }
    }

    async fn play(&self, stage: &Stage<'_>, server: &Server, folder: &Path) -> anyhow::Result<Told> {
        match self {
            Self::Call(office) => play::call(stage, office, server).await,
            Self::Outside(outside) => outside.play(stage, server, folder).await,
            Self::Conference => conference::play(stage, server, folder).await,
            Self::Voicemail => voicemail::play(stage, server).await,
        }
    }
}
