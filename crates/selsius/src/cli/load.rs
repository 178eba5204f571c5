//! `selsius load`: many phones at once against a server.

use std::{
    fmt::Write as _,
    fs::File,
    io::{IsTerminal, Write, stderr},
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use selsius_client::Target;
use selsius_load::{
    Calls, NamePattern, Phones, Plan, Progress, Rate, Report, Rtp, Scenario, Sources, Stop, site_toml,
};
use selsius_site::PhoneFacts;
use selsius_station::Config;
use selsius_wire::value::DeviceType;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

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
    /// What to do, as a TOML file (docs/load.md); what else is said here goes before what it says.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// How many phones [default: 100].
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    phones: Option<u32>,
    /// What they are called: a text with %d, %x or %X for the number of the phone, from 1 [default: SEP%012X].
    #[arg(long, value_name = "PATTERN")]
    name_pattern: Option<NamePattern>,
    /// The number of the first phone; the others follow. All must have the same length [default: 1001, or longer].
    #[arg(long, value_name = "N")]
    first_number: Option<u64>,
    /// Phones that connect a second; 0 is all at once [default: 100].
    #[arg(long, value_name = "R", value_parser = rate)]
    register_rate: Option<f64>,
    /// Calls that begin a second; 0 is none, for idle phones [default: 10].
    #[arg(long, value_name = "R", value_parser = rate)]
    call_rate: Option<f64>,
    /// Seconds from voice on both sides to hanging up [default: 3].
    #[arg(long, value_name = "S", value_parser = seconds)]
    hold: Option<Duration>,
    /// Seconds that a phone rings before it is answered [default: 0].
    #[arg(long, value_name = "S", value_parser = seconds)]
    answer_after: Option<Duration>,
    /// Seconds for which calls are made, or phones are idle, once they are registered [default: 60].
    #[arg(long, value_name = "S", value_parser = seconds)]
    duration: Option<Duration>,
    /// Seconds that a step of a call or a registration may take before it counts as failed [default: 10].
    #[arg(long, value_name = "S", value_parser = seconds)]
    patience: Option<Duration>,
    /// The model: 7960, 7912, 7965, 8945, 6901, ... [default: 7965].
    #[arg(long, short)]
    model: Option<String>,
    /// The highest protocol version that the phones offer, 0 to 22; that of the model by default.
    #[arg(long = "version", id = "protocol", value_name = "N", value_parser = clap::value_parser!(u8).range(0..=22))]
    protocol: Option<u8>,
    /// Voice: off (channels are only acknowledged), count (packets of silence, counted) or full (a tone from each phone,
    /// which the other must hear) [default: off].
    #[arg(long, value_name = "MODE")]
    rtp: Option<Rtp>,
    /// Spreads the phones over these local addresses, such as 127.0.0.0/16.
    #[arg(long, value_name = "RANGE")]
    sources: Option<Sources>,
    /// Prints the report as JSON (docs/load.md).
    #[arg(long)]
    json: bool,
    /// Writes the report with charts as an HTML file, too.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Prints the site file for these phones, for `selsius site apply`, and ends.
    #[arg(long)]
    print_site: bool,
    /// Allows a server on another machine: it is yours, and you want this.
    #[arg(long)]
    really: bool,
}

const PHONES: u32 = 100;
const MODEL: &str = "7965";
const REGISTER_RATE: f64 = 100.0;
const CALL_RATE: f64 = 10.0;
const HOLD: Duration = Duration::from_secs(3);
const ABANDON_AFTER: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);
const DURATION: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(10);

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
    let scenario = match &args.scenario {
        Some(path) => {
            let file = path.display().to_string();
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
            Scenario::parse(&file, &text)?
        }
        None => Scenario::default(),
    };
    let facts = phone::facts(args.model.as_deref().or(scenario.phones.model.as_deref()).unwrap_or(MODEL))?;
    let phones = phones(args, &scenario, facts);
    if args.print_site {
        phones.check()?;
        out::print(&site_toml(&phones, facts.name))?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan {
        target: resolve(&args.target)?,
        phones,
        calls: calls(args, &scenario),
        storms: scenario.storms(),
        rtp: args.rtp.or(scenario.run.rtp).unwrap_or_default(),
        duration: args.duration.or(scenario.run.duration).unwrap_or(DURATION),
        patience: args.patience.or(scenario.run.patience).unwrap_or(PATIENCE),
        really: args.really,
    };
    plan.check()?;
    // Before the run: nobody wants to hear after it that its report has no place.
    let page = match &args.report {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Some((path, file))
        }
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let Some(report) = runtime.block_on(watched(plan))? else { return Ok(ExitCode::from(INTERRUPTED)) };
    if let Some((path, mut file)) = page {
        file.write_all(report.to_html().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    match args.json {
        true => out::print(&(report.to_json() + "\n"))?,
        false => out::print(&report.to_string())?,
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the plan on a thread of its own. The first Ctrl-C ends it in order, the second at once, without a report.
async fn watched(plan: Plan) -> anyhow::Result<Option<Report>> {
    let mut interrupts = signal(SignalKind::interrupt())?;
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
    tokio::select! {
        result = &mut ended => return Ok(Some(result??)),
        _ = interrupts.recv() => stop.stop(),
    }
    // Nowhere else to say it, should standard error be closed.
    let _ = writeln!(stderr(), "selsius load: ending the calls; Ctrl-C again ends at once, without a report");
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
        let style = ProgressStyle::with_template("{msg}").expect("the template is a constant that is right");
        Self(ProgressBar::with_draw_target(None, target).with_style(style))
    }

    fn show(&self, plan: &Plan, now: &Progress) {
        if self.0.is_hidden() {
            return;
        }
        let Progress { stage, elapsed, registered, calls, completed, failed, wrong, .. } = now;
        let mut text =
            format!("{:.0} s  {stage}  {registered} of {} phones", elapsed.as_secs_f64(), plan.phones.count);
        if plan.calls.rate.is_some() {
            let _ = write!(text, "  {calls} calls, {completed} completed, {failed} failed, {wrong} wrong");
        }
        self.0.set_message(text);
    }
}

fn phones(args: &LoadArgs, scenario: &Scenario, facts: &PhoneFacts) -> Phones {
    let said = &scenario.phones;
    let mut config = Config::new("", phone::class(facts));
    config.device_type = DeviceType::from(facts.device_type);
    if let Some(version) = args.protocol.or(said.version) {
        config.version = version;
    }
    let count = args.phones.or(said.count).unwrap_or(PHONES);
    let first_number = args.first_number.or(said.first_number);
    Phones {
        count,
        names: args.name_pattern.as_ref().or(said.name_pattern.as_ref()).cloned().unwrap_or_default(),
        first_number: first_number.unwrap_or_else(|| Phones::default_first_number(count)),
        config,
        register_rate: Rate::of(args.register_rate.or(said.register_rate).unwrap_or(REGISTER_RATE)),
        sources: args.sources.or(said.sources),
        idle: said.idle.unwrap_or(0),
    }
}

fn calls(args: &LoadArgs, scenario: &Scenario) -> Calls {
    let said = &scenario.calls;
    let rate = args.call_rate.or(said.rate).unwrap_or(CALL_RATE);
    Calls {
        rate: Some(rate).filter(|rate| *rate > 0.0),
        hold: args.hold.or(said.hold).unwrap_or(HOLD),
        answer_after: args.answer_after.or(said.answer_after).unwrap_or_default(),
        abandon_after: said.abandon_after.unwrap_or(ABANDON_AFTER),
        pause: said.pause.unwrap_or(PAUSE),
        mix: said.mix.unwrap_or_default(),
    }
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
