//! The media thread beside rtpengine in user space: the same packets from the same generator, one after the other.
//!
//! The generator has one processor, the relay the other, and does not know which relay it is. Processor time is the kernel's own count for
//! the process (`schedstat`, its time in the kernel included); delays are those of the whole way, so the same packets without a relay are
//! measured first.

mod generator;
mod ng;
mod relay;

use std::{net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;

use self::{
    generator::{Figures, Generator},
    relay::Relay,
};
use super::verdict::{Verdict, short};
use crate::step::{call, cargo, find_program, top};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Shorter runs, and less certain.
    #[arg(long)]
    quick: bool,
    /// Streams in each direction, for each row of the table; each is 50 packets a second.
    #[arg(long, value_delimiter = ',', default_values_t = [200, 400, 800, 1600])]
    streams: Vec<usize>,
}

/// More are lost by somebody else than a relay that keeps up.
const LOST: f64 = 0.001;
/// Packets of a stream in a second.
const RATE: f64 = 50.0;
/// The first seconds of a call are others: rtpengine watches for three of them where packets come from.
const WARM_UP: Duration = Duration::from_secs(4);
/// More streams than this find no ports.
const MOST: usize = 4800;
/// How much more is tried each time when the limit is looked for.
const GROWTH: f64 = 1.2;
/// A generator that was this much too late, in µs, could not keep up itself.
const BEHIND: u64 = 250_000;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Selsius,
    RtpEngine,
}

/// What one run gave.
struct Run {
    figures: Figures,
    /// Seconds of processor time of the relay, and of those in the kernel.
    cpu: f64,
    kernel: f64,
}

impl Run {
    /// Of so many seconds of processor time, what a packet took, in µs. One that was lost took next to nothing, and does not count.
    fn each(&self, seconds: f64) -> f64 {
        seconds * 1e6 / self.figures.received as f64
    }

    /// Packets a second that one processor could pass on.
    fn of_core(&self) -> f64 {
        self.figures.received as f64 / self.cpu
    }

    fn keeps_up(&self) -> bool {
        self.figures.lost() <= LOST && self.figures.behind < BEHIND
    }
}

struct Bench {
    generator: Generator,
    selsius: PathBuf,
    rtpengine: PathBuf,
    time: Duration,
}

/// Builds what is ours, looks for what is not, and prints the tables.
pub(super) fn run(options: &Options) -> Result<()> {
    let rtpengine = find_program("rtpengine").context(
        "rtpengine is not installed: `apt-get install --no-install-recommends rtpengine-daemon`, and stop its service",
    )?;
    if std::thread::available_parallelism()?.get() < 2 {
        bail!("generator and relay need a processor each");
    }
    call(&mut cargo(&[
        "build",
        "--profile",
        "dist",
        "--quiet",
        "--package",
        "selsius-server",
        "--example",
        "relay_process",
    ]))?;
    let selsius = top().join("target/dist/examples/relay_process");
    pin()?;
    let time = Duration::from_secs(if options.quick { 4 } else { 15 });
    let mut bench = Bench { generator: Generator::new()?, selsius, rtpengine, time };
    let mut least = f64::INFINITY;
    for &streams in &options.streams {
        least = least.min(bench.compare(streams.clamp(2, MOST) & !1)?);
    }
    let limits = [Who::Selsius, Who::RtpEngine].map(|who| bench.limit(who));
    let [ours, theirs] = limits;
    let (ours, theirs) = (ours?, theirs?);
    println!("\n{:44} {:>12} {:>12}", "most packets/s without loss", "selsius", "rtpengine");
    println!("{:44} {:>12} {:>12}", "", short(ours.0), short(theirs.0));
    println!("{:44} {:>12} {:>12}", "bound by", ours.1, theirs.1);
    let mut verdict = Verdict::new();
    verdict.least("packets/s of one core, to rtpengine's, at the worst rate", least, 1.0);
    verdict.print();
    Ok(())
}

impl Bench {
    /// Both at one rate; prints the table, and gives what we can to what rtpengine can.
    fn compare(&mut self, streams: usize) -> Result<f64> {
        println!("    {streams} streams, {} s each", self.time.as_secs());
        let direct = self.measure(Who::Nobody, streams)?;
        let ours = self.measure(Who::Selsius, streams)?;
        let theirs = self.measure(Who::RtpEngine, streams)?;
        let rate = streams as f64 * RATE;
        println!(
            "\n{:44} {:>12} {:>12} {:>12}",
            format!("{rate} packets/s"),
            "no relay",
            "selsius",
            "rtpengine"
        );
        let row = |name: &str, of: &dyn Fn(&Run) -> f64, relays_only: bool| {
            let none = if relays_only { String::new() } else { short(of(&direct)) };
            println!("{name:44} {none:>12} {:>12} {:>12}", short(of(&ours)), short(of(&theirs)));
        };
        row("lost, %", &|run| run.figures.lost() * 100.0, false);
        row("CPU of a packet, µs", &|run| run.each(run.cpu), true);
        row("  of it in the kernel, µs", &|run| run.each(run.kernel), true);
        row("packets/s of one core", &Run::of_core, true);
        row("delay, median, µs", &|run| run.figures.delay(500), false);
        row("delay, 99 %, µs", &|run| run.figures.delay(990), false);
        row("added, median, µs", &|run| run.figures.delay(500) - direct.figures.delay(500), true);
        row("added, 99 %, µs", &|run| run.figures.delay(990) - direct.figures.delay(990), true);
        row("the generator late at worst, µs", &|run| run.figures.behind as f64, false);
        println!();
        Ok(ours.of_core() / theirs.of_core())
    }

    /// The highest rate without loss, and what stands in the way of more.
    fn limit(&mut self, who: Who) -> Result<(f64, &'static str)> {
        let (mut streams, mut best) = (400, 0.0);
        loop {
            let run = self.measure(who, streams)?;
            let rate = run.figures.sent as f64 / self.time.as_secs_f64();
            println!("    {who:?}: {rate:.0} packets/s, {:.2} % lost", run.figures.lost() * 100.0);
            if run.figures.behind >= BEHIND {
                return Ok((best, "generator"));
            }
            if !run.keeps_up() {
                return Ok((best, "loss"));
            }
            best = rate;
            if streams == MOST {
                return Ok((best, "ports"));
            }
            streams = ((streams as f64 * GROWTH) as usize & !1).min(MOST);
        }
    }

    fn measure(&mut self, who: Who, streams: usize) -> Result<Run> {
        let mut relay = match who {
            Who::Nobody => None,
            Who::Selsius => Some(Relay::selsius(&self.selsius)?),
            Who::RtpEngine => Some(Relay::rtpengine(&self.rtpengine)?),
        };
        let mut to: Vec<SocketAddr> = Vec::with_capacity(streams);
        for call in 0..streams / 2 {
            let ends = [self.generator.address(2 * call)?, self.generator.address(2 * call + 1)?];
            to.extend(match &mut relay {
                Some(relay) => relay.open(call, ends)?,
                None => [ends[1], ends[0]],
            });
        }
        let used = || relay.as_ref().map(Relay::used).unwrap_or_default();
        let (mut before, mut after) = (used(), used());
        let figures = self.generator.run(&to, WARM_UP, self.time, || before = used(), || after = used())?;
        Ok(Run { figures, cpu: after.cpu - before.cpu, kernel: after.kernel - before.kernel })
    }
}

/// Keeps this thread, which is the generator, on the first processor.
fn pin() -> Result<()> {
    let id = std::process::id().to_string();
    call(Command::new("taskset").args(["-pc", "0", &id]).stdout(std::process::Stdio::null()))
}
