//! The manager beside a small one on the crate `sccp-protocol` (`bench/peer-manager`), under the same load: so many phones,
//! first idle, then with more and more calls a second.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{
    Place,
    process::{Load, Manager, counts, figure},
};
use crate::{
    bench::verdict::{load_average, short},
    step::{call, cargo},
};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Two rates and 5 s of each in place of four and 20 s, half as long idle: 4 minutes in place of 11.
    #[arg(long)]
    quick: bool,
}

/// Phones; the other manager has two files open for each, of 20,000 that a process may have here.
const SIZES: [u32; 2] = [1_000, 6_000];

/// What is compared.
struct Pair<'a> {
    place: &'a Place,
    /// The other manager's program.
    program: PathBuf,
}

#[derive(Clone, Copy)]
enum Who {
    Selsius,
    Peer,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Selsius => "selsius",
            Self::Peer => "sccp-protocol",
        }
    }
}

/// What registered phones take that do nothing.
#[derive(Clone, Copy)]
struct Idle {
    registered: f64,
    seconds: f64,
    /// Milliseconds of processor time a second.
    cpu_ms: f64,
    bytes: f64,
    bytes_with_site: f64,
}

/// What calls take.
#[derive(Clone, Copy)]
struct Calls {
    due: f64,
    completed: f64,
    wrong: f64,
    ring_ms: f64,
    cpu_us: f64,
    /// Without what the phones take when they are idle.
    beyond_idle_us: f64,
}

pub(super) fn run(options: &Options, place: &Place) -> Result<()> {
    let pair = Pair { place, program: built(place)? };
    // Idle phones are measured from 2 s after the last one came to 1 s before the end: whole intervals of their keepalives.
    let (rates, duration, idle): (&[f64], _, _) = if options.quick {
        (&[100.0, 1000.0], 5.0, 33.0)
    } else {
        (&[100.0, 300.0, 1000.0, 3000.0], 20.0, 63.0)
    };
    for phones in SIZES {
        pair.compare(phones, rates, duration, idle)?;
    }
    println!("\nat load {}; ratio: the other's figure to ours", load_average());
    Ok(())
}

/// The other manager's program; its crate asks for a newer compiler than ours, and does without.
fn built(place: &Place) -> Result<PathBuf> {
    let target = place.folder.with_file_name("peer-manager");
    let mut command = cargo(&["build", "--release", "--quiet", "--locked", "--ignore-rust-version"]);
    command.args(["--manifest-path", "bench/peer-manager/Cargo.toml", "--target-dir"]).arg(&target);
    call(&mut command)?;
    Ok(target.join("release/selsius-bench-peer-manager"))
}

impl Pair<'_> {
    /// Both managers with so many phones; prints the table.
    fn compare(&self, phones: u32, rates: &[f64], duration: f64, idle: f64) -> Result<()> {
        println!("    {phones} phones, idle for {idle} s");
        let both = [self.idle(Who::Selsius, phones, idle)?, self.idle(Who::Peer, phones, idle)?];
        let mut calls = Vec::new();
        for &rate in rates {
            println!("    {phones} phones, {rate} calls a second for {duration} s");
            let of = |who, idle: Idle| self.calls(who, phones, rate, duration, idle.cpu_ms);
            calls.push((rate, [of(Who::Selsius, both[0])?, of(Who::Peer, both[1])?]));
        }
        print(phones, both, &calls);
        Ok(())
    }

    fn start(&self, who: Who, data: &str, load: Load) -> Result<Manager> {
        let site = load.site(self.place)?;
        match who {
            Who::Selsius => Manager::start(self.place, &format!("beside-{data}"), Some(&site)),
            Who::Peer => Manager::start_other(self.place, &self.program, &format!("peer-{data}"), &site),
        }
    }

    /// Resident bytes of a manager that knows next to no phones.
    fn bare(&self, who: Who) -> Result<u64> {
        let few = Load { phones: 2, register_rate: 0.0, call_rate: 0.0, duration: 0.0 };
        let manager = self.start(who, "bare", few)?;
        let resident = manager.process.now().resident;
        manager.process.end()?;
        Ok(resident)
    }

    fn idle(&self, who: Who, phones: u32, duration: f64) -> Result<Idle> {
        let bare = self.bare(who)?;
        let load = Load { phones, register_rate: 0.0, call_rate: 0.0, duration };
        let data = format!("idle-{phones}");
        let mut manager = self.start(who, &data, load)?;
        if let Who::Selsius = who {
            // From the store, as a manager starts that has been there before: reading a site file leaves memory behind.
            manager.process.end()?;
            manager = Manager::start(self.place, &format!("beside-{data}"), None)?;
        }
        let before = manager.process.now();
        let report = load.run(self.place, manager.sccp)?;
        let seconds = figure(&report, "/registration/seconds");
        // A moment for what registrations leave behind, and whole seconds without the end.
        let from = manager.process.at(before.at + seconds + 2.0);
        let to = manager.process.at(before.at + seconds + duration - 1.0);
        manager.process.end()?;
        let share = |bytes: u64| to.resident.saturating_sub(bytes) as f64 / f64::from(phones);
        Ok(Idle {
            registered: figure(&report, "/registration/registered"),
            seconds,
            cpu_ms: (to.cpu - from.cpu) * 1e3 / (to.at - from.at),
            bytes: share(before.resident),
            bytes_with_site: share(bare),
        })
    }

    fn calls(&self, who: Who, phones: u32, rate: f64, duration: f64, idle_ms: f64) -> Result<Calls> {
        let load = Load { phones, register_rate: 2000.0, call_rate: rate, duration };
        let manager = self.start(who, &format!("calls-{phones}-{rate:.0}"), load)?;
        let before = manager.process.now();
        let report = load.run(self.place, manager.sccp)?;
        let from = before.at + figure(&report, "/registration/seconds");
        let seconds = figure(&report, "/calls/seconds");
        let (begin, end) = (manager.process.at(from), manager.process.at(from + seconds));
        manager.process.end()?;
        for what in ["/calls/failed", "/wrong"] {
            if counts(&report, what) > 0.0 {
                let reasons = report.pointer(what).map(ToString::to_string).unwrap_or_default();
                println!("    {}, {what}: {reasons}", who.name());
            }
        }
        let completed = figure(&report, "/calls/completed");
        let cpu = end.cpu - begin.cpu;
        Ok(Calls {
            due: figure(&report, "/calls/attempts"),
            completed,
            wrong: counts(&report, "/wrong"),
            ring_ms: figure(&report, "/latency_us/digit_to_ring/p99") / 1e3,
            cpu_us: cpu * 1e6 / completed,
            beyond_idle_us: (cpu - idle_ms / 1e3 * seconds) * 1e6 / completed,
        })
    }
}

fn print(phones: u32, idle: [Idle; 2], calls: &[(f64, [Calls; 2])]) {
    println!("\n{:48} {:>9} {:>9} {:>9}", format!("{phones} phones"), "selsius", "sccp-prot", "ratio");
    let row = |name: &str, of: &dyn Fn(&Idle) -> f64| print_row(name, idle.each_ref().map(of));
    row("registered", &|idle| idle.registered);
    row("seconds until all are", &|idle| idle.seconds);
    row("memory of a phone, bytes", &|idle| idle.bytes);
    row("with its entry in the site, bytes", &|idle| idle.bytes_with_site);
    row("CPU of all phones when idle, ms a second", &|idle| idle.cpu_ms);
    for (rate, both) in calls {
        println!("{rate:.0} calls a second");
        let row = |name: &str, of: &dyn Fn(&Calls) -> f64| print_row(name, both.each_ref().map(of));
        row("  calls that were due", &|calls| calls.due);
        row("  completed", &|calls| calls.completed);
        row("  wrong", &|calls| calls.wrong);
        row("  from the last digit to the bell, p99, ms", &|calls| calls.ring_ms);
        row("  CPU of a call, µs", &|calls| calls.cpu_us);
        row("  without what idle phones take, µs", &|calls| calls.beyond_idle_us);
    }
}

/// A figure of both, and the other's to ours.
fn print_row(name: &str, [ours, other]: [f64; 2]) {
    let ratio = if ours == 0.0 { "-".to_owned() } else { short(other / ours) };
    println!("{name:48} {:>9} {:>9} {ratio:>9}", short(ours), short(other));
}
