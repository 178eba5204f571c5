//! `selsius load`: many phones at once against a server.

use std::{
    fmt::Write as _,
    io::{IsTerminal, Write, stderr},
    net::{SocketAddr, ToSocketAddrs},
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use selsius_client::Target;
use selsius_load::{Calls, NamePattern, Phones, Plan, Progress, Rate, Report, Rtp, Sources, Stop, site_toml};
use selsius_station::Config;
use selsius_wire::value::DeviceType;
use tokio::sync::oneshot;

use super::{out, phone};

/// Many phones at once against any SCCP server: registers them, makes calls at a steady rate, checks what the phones see
/// and tells how long it took.
///
/// Exit codes: 0 all went well, 1 something failed or was wrong, 2 the command line is wrong or the run could not begin.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub(crate) struct LoadArgs {
    /// The server, as HOST or HOST:PORT. Other machines than this one need --really.
    #[arg(long, short, value_name = "ADDR", default_value = "127.0.0.1:2000")]
    target: Target,
    /// How many phones.
    #[arg(long, short, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    phones: u32,
    /// What they are called: a text with %d, %x or %X for the number of the phone, from 1.
    #[arg(long, value_name = "PATTERN", default_value = "SEP%012X")]
    name_pattern: NamePattern,
    /// The number of the first phone; the others follow. All must have the same length; by default 1001, or longer.
    #[arg(long, value_name = "N")]
    first_number: Option<u64>,
    /// Phones that connect a second; 0 is all at once.
    #[arg(long, value_name = "R", default_value = "100", value_parser = rate)]
    register_rate: f64,
    /// Calls that begin a second; 0 is none, for idle phones.
    #[arg(long, value_name = "R", default_value = "10", value_parser = rate)]
    call_rate: f64,
    /// Seconds from voice on both sides to hanging up.
    #[arg(long, value_name = "S", default_value = "3", value_parser = seconds)]
    hold: Duration,
    /// Seconds that a phone rings before it is answered.
    #[arg(long, value_name = "S", default_value = "0", value_parser = seconds)]
    answer_after: Duration,
    /// Seconds for which calls are made, or phones are idle, once they are registered.
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    duration: Duration,
    /// Seconds that a step of a call or a registration may take before it counts as failed.
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    patience: Duration,
    /// The model: 7960, 7912, 7965, 8945, 6901, ...
    #[arg(long, short, default_value = "7965")]
    model: String,
    /// The highest protocol version that the phones offer, 0 to 22; that of the model by default.
    #[arg(long = "version", id = "protocol", value_name = "N", value_parser = clap::value_parser!(u8).range(0..=22))]
    protocol: Option<u8>,
    /// Spreads the phones over these local addresses, such as 127.0.0.0/16.
    #[arg(long, value_name = "RANGE")]
    sources: Option<Sources>,
    /// Prints the report as JSON (docs/load.md).
    #[arg(long)]
    json: bool,
    /// Prints the site file for these phones, for `selsius site apply`, and ends.
    #[arg(long)]
    print_site: bool,
    /// Allows a server on another machine: it is yours, and you want this.
    #[arg(long)]
    really: bool,
}

/// The command line is wrong, or the run could not begin.
const WRONG: u8 = 2;
/// As a shell says it of a program that ended by SIGINT.
const INTERRUPTED: u8 = 130;

/// Runs the load; its exit codes stand in the help.
pub(crate) fn run(args: LoadArgs) -> anyhow::Result<ExitCode> {
    match prepared(&args) {
        Ok(code) => Ok(code),
        Err(error) => {
            // Nowhere else to say it, should standard error be closed.
            let _ = writeln!(stderr(), "selsius load: {error:#}");
            Ok(ExitCode::from(WRONG))
        }
    }
}

fn prepared(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let phones = phones(args)?;
    if args.print_site {
        phones.check()?;
        out::print(&site_toml(&phones, &phone_model(args)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan {
        target: resolve(&args.target)?,
        phones,
        calls: Calls {
            rate: Some(args.call_rate).filter(|rate| *rate > 0.0),
            hold: args.hold,
            answer_after: args.answer_after,
        },
        rtp: Rtp::Off,
        duration: args.duration,
        patience: args.patience,
        really: args.really,
    };
    plan.check()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let Some(report) = runtime.block_on(watched(plan))? else { return Ok(ExitCode::from(INTERRUPTED)) };
    match args.json {
        true => out::print(&(report.to_json() + "\n"))?,
        false => out::print(&report.to_string())?,
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the plan on a thread of its own. The first Ctrl-C ends it in order, the second at once, without a report.
async fn watched(plan: Plan) -> anyhow::Result<Option<Report>> {
    let (done, mut ended) = oneshot::channel();
    let stop = Stop::default();
    let of_thread = stop.clone();
    thread::Builder::new().name("load".into()).spawn(move || {
        let bar = Bar::new();
        let result = selsius_load::run(&plan, &of_thread, |progress| bar.show(&plan, progress));
        bar.0.finish_and_clear();
        // Nobody waits any more after a second Ctrl-C.
        let _ = done.send(result);
    })?;
    let mut interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    tokio::select! {
        result = &mut ended => return Ok(Some(result??)),
        _ = interrupts.recv() => stop.stop(),
    }
    tokio::select! {
        result = &mut ended => Ok(Some(result??)),
        _ = interrupts.recv() => Ok(None),
    }
}

/// One line on the terminal that says how far the run is.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let target = match stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{spinner} {msg}")
            .expect("the template is a constant that is right");
        Self(ProgressBar::with_draw_target(None, target).with_style(style))
    }

    fn show(&self, plan: &Plan, now: &Progress) {
        if self.0.is_hidden() {
            return;
        }
        let Progress { stage, elapsed, registered, calls, completed, failed, wrong } = now;
        let mut text =
            format!("{:.0} s  {stage}  {registered} of {} phones", elapsed.as_secs_f64(), plan.phones.count);
        if plan.calls.rate.is_some() {
            let _ = write!(text, "  {calls} calls, {completed} completed, {failed} failed, {wrong} wrong");
        }
        self.0.set_message(text);
        self.0.tick();
    }
}

fn phones(args: &LoadArgs) -> anyhow::Result<Phones> {
    let facts = phone::facts(&args.model)?;
    let mut config = Config::new("", phone::class(facts));
    config.device_type = DeviceType::from(facts.device_type);
    if let Some(version) = args.protocol {
        config.version = version;
    }
    Ok(Phones {
        count: args.phones,
        names: args.name_pattern.clone(),
        first_number: args.first_number.unwrap_or_else(|| Phones::default_first_number(args.phones)),
        config,
        register_rate: if args.register_rate > 0.0 {
            Rate::PerSecond(args.register_rate)
        } else {
            Rate::AtOnce
        },
        sources: args.sources,
    })
}

fn phone_model(args: &LoadArgs) -> anyhow::Result<String> {
    Ok(phone::facts(&args.model)?.name.to_owned())
}

fn resolve(target: &Target) -> anyhow::Result<SocketAddr> {
    let found = (target.host.as_str(), target.port).to_socket_addrs();
    let found = found.with_context(|| format!("cannot find the server {target}"))?.next();
    let Some(address) = found else { bail!("the server {target} has no address") };
    Ok(address)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.0..=1e6).contains(rate));
    rate.ok_or_else(|| "a rate is a number from 0 to 1000000, a second".into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds =
        text.trim_end_matches('s').parse().ok().filter(|seconds: &f64| (0.0..=1e6).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected a number of seconds, such as 0.5 or 60".into())
}
