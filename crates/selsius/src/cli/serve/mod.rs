//! `selsius serve`: the manager.

mod logging;
mod systemd;

use std::{
    fmt::Write,
    io::{self, stderr},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use selsius_server::{
    Notice, Options, ServeError, Server, api, chain,
    config::{Config, HTTP_PORT, RecordsConfig, SCCP_PORT, SipConfig, TFTP_PORT, parse_listen},
};
use selsius_site::{AutoRegistration, SiteFile};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::{logging::Log, systemd::Watchdog};
use super::{node::Node, out};

/// Runs the manager: SCCP, TFTP, HTTP and the admin socket.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    node: Node,
    /// Only checks the configuration, and says what it would do.
    #[arg(long)]
    check_config: bool,
    #[arg(long, help = "Where phones may connect, as IP or IP:PORT; can be given several times [default: [::]:2000]", value_name = "ADDR", value_parser = |text: &str| parse_listen(text, SCCP_PORT))]
    sccp: Vec<SocketAddr>,
    #[arg(long, help = "Where files are served by TFTP [default: [::]:69]", value_name = "ADDR", value_parser = |text: &str| parse_listen(text, TFTP_PORT))]
    tftp: Option<SocketAddr>,
    #[arg(long, help = "Where files are served by HTTP [default: [::]:6970]", value_name = "ADDR", value_parser = |text: &str| parse_listen(text, HTTP_PORT))]
    http: Option<SocketAddr>,
    /// The address that phones are told [default: the one that they asked].
    #[arg(long, value_name = "IP")]
    advertise: Option<IpAddr>,
    /// Applies a site file at the start, as `selsius site apply` does.
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Gives unknown phones the next free of these numbers, in this run; the site's own setting is not changed.
    #[arg(long, value_name = "FIRST-LAST")]
    auto_register: Option<AutoRegistration>,
}

const HELP: &str = "\
When everything listens, one line is printed on standard output:
  selsius ready: sccp ADDR tftp ADDR http ADDR admin PATH
The log goes to standard error; $SELSIUS_LOG (such as `debug` or `selsius_server=debug`) overrides its level.
SIGTERM lets calls in progress end by themselves for the grace time of [shutdown], and refuses new ones; Ctrl-C and a second
signal end calls and connections in order at once; one more does not wait for that. SIGHUP reads the configuration again.";

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    let config = args.config()?;
    let data_dir = args.node.data_dir(&config);
    let site = args.site.as_ref().map(|path| -> Result<_> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        Ok((name, text))
    });
    let auto_register = args.auto_register.clone();
    let options = Options { data_dir, config, site: site.transpose()?, auto_register, sip_tap: None };
    if args.check_config {
        return check(&options);
    }
    let log = Log::start(&options.config.log)?;
    check_files(&options.config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(serve(&args, options, &log));
    // A further signal does not wait for anybody.
    runtime.shutdown_background();
    code
}

impl ServeArgs {
    /// The configuration file's, with what the command line says instead.
    fn config(&self) -> Result<Config> {
        let mut config = self.node.config()?;
        if !self.sccp.is_empty() {
            config.sccp.clone_from(&self.sccp);
        }
        config.tftp = self.tftp.unwrap_or(config.tftp);
        config.http = self.http.unwrap_or(config.http);
        config.advertise = self.advertise.or(config.advertise);
        Ok(config)
    }
}

/// The exchange crashed again and again: an internal software error, as sysexits.h numbers them.
const CRASHED: u8 = 70;

/// The exit code of a manager that has stored everything. That nobody asked it to end is a failure.
fn code(asked: Option<Calls>) -> u8 {
    match asked {
        Some(Calls::MayFinish | Calls::End) => 0,
        None => CRASHED,
    }
}

async fn serve(args: &ServeArgs, options: Options, log: &Log) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let mut config = options.config.clone();
    let mut start = pin!(Server::start(options));
    let mut server = loop {
        tokio::select! {
            started = &mut start => break started.map_err(plain)?,
            told = signals.next() => if let Told::End { code, .. } = told { return Ok(code) },
        }
    };
    for notice in server.notices() {
        say(&words(notice));
    }
    out::print(&ready(server.addresses()))?;
    systemd::ready();
    let mut watchdog = Watchdog::new();
    let asked = loop {
        tokio::select! {
            told = signals.next() => match told {
                Told::Reload => {
                    systemd::reloading();
                    reload(args, &mut server, &mut config, log).await;
                    systemd::ready();
                }
                Told::End { calls, .. } => break Some(calls),
            },
            () = server.ended() => break None,
            () = watchdog.due() => sign_of_life(&server).await,
        }
    };
    if let Some(calls) = asked {
        let grace = match calls {
            Calls::MayFinish => Duration::from_secs(config.shutdown.grace_seconds as u64),
            Calls::End => Duration::ZERO,
        };
        systemd::stopping(grace);
        drain(&server, &mut signals, &mut watchdog, grace).await;
        tracing::info!("stopping: calls and connections end");
    }
    let mut stop = pin!(server.stop());
    let stopped = loop {
        tokio::select! {
            stopped = &mut stop => break stopped,
            told = signals.next() => if let Told::End { code, .. } = told { return Ok(code) },
        }
    };
    stopped.map_err(|error| anyhow!("not everything could be stored: {}", chain(&error)))?;
    match asked {
        Some(_) => tracing::info!("stopped"),
        None => say("the exchange has ended; the log above says why. It is to be started again"),
    }
    Ok(ExitCode::from(code(asked)))
}

/// Only given as long as the exchange answers: whatever hangs is to be started again.
async fn sign_of_life(server: &Server) {
    if server.health().await.live {
        Watchdog::alive();
    }
}

/// Lets calls end by themselves, until the time is over or somebody loses patience.
async fn drain(server: &Server, signals: &mut Signals, watchdog: &mut Watchdog, grace: Duration) {
    if grace.is_zero() {
        return;
    }
    tracing::info!(
        seconds = grace.as_secs(),
        "stopping: calls in progress may end by themselves, new ones are refused"
    );
    let mut drained = pin!(server.drain(grace));
    loop {
        tokio::select! {
            () = &mut drained => return,
            () = watchdog.due() => sign_of_life(server).await,
            told = signals.next() => if let Told::End { .. } = told { return },
        }
    }
}

/// Takes over a changed configuration; says in the log what came of it.
async fn reload(args: &ServeArgs, server: &mut Server, config: &mut Config, log: &Log) {
    let new = match args.config() {
        Ok(new) => new,
        Err(error) => {
            // The line of the file that follows is for a screen.
            let error = format!("{error:#}");
            let error = error.lines().next().unwrap_or_default();
            return tracing::error!(error, "the configuration stays as it is");
        }
    };
    let change = match server.reload(new.clone()).await {
        Ok(change) => change,
        Err(error) => {
            return tracing::error!(error = plain(error).to_string(), "the configuration stays as it is");
        }
    };
    if config.log.level != new.log.level
        && let Err(error) = log.level(new.log.level)
    {
        tracing::error!(%error, "the level of the log stays as it is");
    }
    check_files(&new);
    *config = new;
    let (live, at_restart) = (change.live.join(", "), change.at_restart.join(", "));
    if live.is_empty() && at_restart.is_empty() {
        tracing::info!("the configuration has not changed");
    }
    if !live.is_empty() {
        tracing::info!(changed = live, "configuration taken over");
    }
    if !at_restart.is_empty() {
        tracing::warn!(changed = at_restart, "this holds from the next start on");
    }
}

/// SIGTERM, Ctrl-C and SIGHUP.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What a signal wants.
enum Told {
    /// The configuration has changed.
    Reload,
    /// An end. The exit code of a process that it ends is 128 and its number.
    End { code: ExitCode, calls: Calls },
}

/// What is to become of calls in progress.
#[derive(Clone, Copy)]
enum Calls {
    /// A service manager asks, and is patient.
    MayFinish,
    /// Somebody at a terminal is not.
    End,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::End { code: ExitCode::from(128 + 15), calls: Calls::MayFinish },
            _ = self.interrupt.recv() => Told::End { code: ExitCode::from(128 + 2), calls: Calls::End },
            _ = self.hang_up.recv() => Told::Reload,
        }
    }
}

fn ready(addresses: &api::Addresses) -> String {
    let sccp: Vec<_> = addresses.sccp.iter().map(ToString::to_string).collect();
    let api::Addresses { tftp, http, admin, .. } = addresses;
    format!("selsius ready: sccp {} tftp {tftp} http {http} admin {}\n", sccp.join(","), admin.display())
}

/// What is in the way, and what to do about it.
fn plain(error: ServeError) -> anyhow::Error {
    match error.hint() {
        Some(hint) => anyhow!("{}; {hint}", chain(&error)),
        None => anyhow!(chain(&error)),
    }
}

fn words(notice: &Notice) -> String {
    match notice {
        Notice::TftpPort { port } => format!(
            "phones ask for their files on UDP port {TFTP_PORT} only, which this user may not bind; TFTP is on port \
             {port} instead. This grants the right, for the next start:\n    sudo setcap cap_net_bind_service=+ep {}",
            std::env::current_exe().unwrap_or_else(|_| "selsius".into()).display()
        ),
        Notice::EmptySite => "the site is empty: no phone can register yet. `selsius site init office.toml` writes a \
             sample, `selsius site apply office.toml` makes it so; or start with `--auto-register 1001-1999` to give \
             each phone that comes the next free number"
            .into(),
        Notice::AutoRegister(range) => {
            format!("unknown phones get the next free number of {range} in this run; the stored setting stays")
        }
        Notice::Interrupted(calls) => {
            format!("the last run did not end in order; {} closed as interrupted", out::count(*calls as usize, "call"))
        }
        Notice::SiteApplied { changes: 0 } => "the site file changes nothing".into(),
        Notice::SiteApplied { changes } => format!("site file applied: {}", out::count(*changes, "change")),
    }
}

/// For the person who started it, beside the log.
fn say(text: &str) {
    use io::Write as _;
    // Nowhere else to say it, should standard error be closed.
    let _ = writeln!(stderr(), "selsius: {text}");
}

/// Says so if this process may have fewer files open than connections.
fn check_files(config: &Config) {
    let (files, connections) = (raise_file_limit(), config.limits.connections);
    if files < connections as u64 {
        tracing::warn!(
            files,
            connections,
            "this process may have fewer files open than it may have connections (see `ulimit -n`)"
        );
    }
}

/// Takes as many files as this process may have, and says how many that are: each phone is one.
fn raise_file_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Without a limit nothing is to be raised; a refusal leaves what there is.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if raised.is_ok() { maximum } else { current }.unwrap_or(u64::MAX)
}

fn check(options: &Options) -> Result<ExitCode> {
    let Options { data_dir, config, site, auto_register, .. } = options;
    if let Some((name, text)) = site {
        SiteFile::parse(name, text)?;
    }
    let Config { sccp, tftp, http, advertise, dscp, records, log, metrics, shutdown, .. } = config;
    let mut text = String::from("configuration is good\n");
    let sccp: Vec<_> = sccp.iter().map(ToString::to_string).collect();
    let told = advertise.map_or("the address that each phone asked".into(), |address| address.to_string());
    let mut rows = vec![
        ["data directory".into(), data_dir.display().to_string()],
        ["files for phones".into(), config.files(data_dir).display().to_string()],
        ["phones (SCCP)".into(), sccp.join(", ")],
        ["files (TFTP)".into(), tftp.to_string()],
        ["files (HTTP)".into(), http.to_string()],
        ["phones are told".into(), told],
        ["class of service".into(), format!("{} for signalling, {} for voice", dscp.signalling, dscp.media)],
        ["audio, where it goes here".into(), format!("UDP ports {}", config.media.ports)],
        ["SIP, for trunks".into(), sip_addresses(&config.sip)],
        ["mailboxes' e-mail".into(), config.mail.server.clone().unwrap_or_else(|| "not sent".into())],
        ["connections".into(), format!("at most {}", config.limits.connections)],
        ["records".into(), kept(records)],
        ["log".into(), format!("{} and above", log.level.name())],
        ["metrics, health".into(), metrics.listen.map_or("not served".into(), |address| address.to_string())],
        [
            "at SIGTERM".into(),
            match shutdown.grace_seconds {
                0 => "calls end at once".into(),
                seconds => format!("calls get {} to end", out::count(seconds, "second")),
            },
        ],
    ];
    rows.extend(site.as_ref().map(|(name, _)| ["site file".into(), format!("{name} is well formed")]));
    rows.extend(auto_register.as_ref().map(|range| ["unknown phones get".into(), range.to_string()]));
    for [what, how] in rows {
        writeln!(text, "{what:26} {how}")?;
    }
    out::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Where SIP is served, by transport.
fn sip_addresses(sip: &SipConfig) -> String {
    let all = [("UDP", &sip.udp), ("TCP", &sip.tcp), ("TLS", &sip.tls)];
    let shown = all.iter().flat_map(|(how, addresses)| addresses.iter().map(move |at| format!("{how} {at}")));
    let shown: Vec<_> = shown.collect();
    if shown.is_empty() { "nowhere".into() } else { shown.join(", ") }
}

fn kept(records: &RecordsConfig) -> String {
    let RecordsConfig { keep_days, keep_calls } = *records;
    let days = (keep_days > 0).then(|| out::count(keep_days, "day"));
    let calls = (keep_calls > 0).then(|| format!("at most {}", out::count(keep_calls, "call")));
    let parts: Vec<_> = days.into_iter().chain(calls).collect();
    if parts.is_empty() { "kept for ever".into() } else { format!("kept: {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_the_exit_code_that_operators_were_told() {
        // crates/server/tests/crash.rs shows that a manager ends by itself when its exchange crashes again and again.
        let told = include_str!("../../../../../docs/operations.md");
        for (asked, expected, words) in [
            (Some(Calls::MayFinish), 0, "stopped as asked"),
            (Some(Calls::End), 0, "stopped as asked"),
            (None, 70, "the exchange crashed five times within a minute"),
        ] {
            assert_eq!(code(asked), expected, "{words}");
            assert!(told.contains(&format!("| {expected} | {words}")), "{words}");
        }
    }
}
