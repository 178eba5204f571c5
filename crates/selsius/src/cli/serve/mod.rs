//! `selsius serve`: the manager.

use std::{
    fmt::Write,
    io::{self, IsTerminal, stderr},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use selsius_server::{
    Notice, Options, ServeError, Server, api, chain,
    config::{Config, HTTP_PORT, LogConfig, LogFormat, RecordsConfig, SCCP_PORT, TFTP_PORT, parse_listen},
};
use selsius_site::{AutoRegistration, SiteFile};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

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
SIGTERM and Ctrl-C end calls and connections in order; a second one ends at once.";

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    let mut config = args.node.config()?;
    let data_dir = args.node.data_dir(&config);
    if !args.sccp.is_empty() {
        config.sccp = args.sccp;
    }
    config.tftp = args.tftp.unwrap_or(config.tftp);
    config.http = args.http.unwrap_or(config.http);
    config.advertise = args.advertise.or(config.advertise);
    let site = args.site.map(|path| -> Result<_> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        Ok((name, text))
    });
    let options = Options { data_dir, config, site: site.transpose()?, auto_register: args.auto_register };
    if args.check_config {
        return check(&options);
    }
    log(&options.config.log)?;
    let files = raise_file_limit();
    if files < options.config.limits.connections as u64 {
        tracing::warn!(
            files,
            connections = options.config.limits.connections,
            "this process may have fewer files open than it may have connections (see `ulimit -n`)"
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(serve(options));
    // A second signal does not wait for anybody.
    runtime.shutdown_background();
    code
}

async fn serve(options: Options) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let mut server = tokio::select! {
        started = Server::start(options) => started.map_err(plain)?,
        code = signals.next() => return Ok(code),
    };
    for notice in server.notices() {
        say(&words(notice));
    }
    out::print(&ready(server.addresses()))?;
    let asked = tokio::select! {
        _ = signals.next() => true,
        () = server.ended() => false,
    };
    if asked {
        tracing::info!("stopping: calls and connections end");
    }
    let stopped = tokio::select! {
        stopped = server.stop() => stopped,
        code = signals.next() => return Ok(code),
    };
    stopped.map_err(|error| anyhow!("not everything could be stored: {}", chain(&error)))?;
    if !asked {
        return Err(anyhow!("the exchange has ended; the log above says why"));
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one. The exit code of a process that it ends is 128 and its number.
    async fn next(&mut self) -> ExitCode {
        tokio::select! {
            _ = self.terminate.recv() => ExitCode::from(128 + 15),
            _ = self.interrupt.recv() => ExitCode::from(128 + 2),
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

fn log(config: &LogConfig) -> Result<()> {
    let filter = match std::env::var("SELSIUS_LOG") {
        Ok(text) if !text.is_empty() => text.parse().with_context(|| format!("$SELSIUS_LOG is `{text}`"))?,
        _ => EnvFilter::new(config.level.name()),
    };
    let colours = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colours);
    let set = match config.format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    set.map_err(|error| anyhow!(error))
}

/// Takes as many files as this process may have, and says how many that are: each phone is one.
fn raise_file_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Without a limit nothing is to be raised; a refusal leaves what there is.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if raised.is_ok() { maximum } else { current }.unwrap_or(u64::MAX)
}

fn check(options: &Options) -> Result<ExitCode> {
    let Options { data_dir, config, site, auto_register } = options;
    if let Some((name, text)) = site {
        SiteFile::parse(name, text)?;
    }
    let Config { sccp, tftp, http, advertise, dscp, records, log, .. } = config;
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
        ["connections".into(), format!("at most {}", config.limits.connections)],
        ["records".into(), kept(records)],
        ["log".into(), format!("{} and above", log.level.name())],
    ];
    rows.extend(site.as_ref().map(|(name, _)| ["site file".into(), format!("{name} is well formed")]));
    rows.extend(auto_register.as_ref().map(|range| ["unknown phones get".into(), range.to_string()]));
    for [what, how] in rows {
        writeln!(text, "{what:18} {how}")?;
    }
    out::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn kept(records: &RecordsConfig) -> String {
    let RecordsConfig { keep_days, keep_calls } = *records;
    let days = (keep_days > 0).then(|| out::count(keep_days, "day"));
    let calls = (keep_calls > 0).then(|| format!("at most {}", out::count(keep_calls, "call")));
    let parts: Vec<_> = days.into_iter().chain(calls).collect();
    if parts.is_empty() { "kept for ever".into() } else { format!("kept: {}", parts.join(", ")) }
}
