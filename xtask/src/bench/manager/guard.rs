//! The guard beside HAProxy in TCP mode and a direct connection, under the same load. What stands between has a core of its own; phones
//! and manager share the other one.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{
    Place,
    process::{Load, Manager, Watched, counts, figure},
};
use crate::{
    bench::verdict::{Verdict, load_average},
    step::find_program,
};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// 5 s of calls in place of 30: 1 minute in place of 4.
    #[arg(long)]
    quick: bool,
    /// Calls that begin a second at full load; half as many for the latencies.
    #[arg(long, default_value_t = 1500.0)]
    rate: f64,
}

/// A proxy has two files open for each, of 20,000 that a process may have here.
const SIZES: [u32; 2] = [1_000, 9_000];
/// The goals: the guard's messages a second of a core to HAProxy's, and what it adds at half load, at most, in milliseconds.
const RATE: f64 = 0.7;
const ADDED: f64 = 1.0;
/// The core of what stands between, and that of the others.
const CORES: [&str; 2] = ["0", "1"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Direct,
    Haproxy,
    Guard,
}

/// What one run gave.
struct Run {
    completed: f64,
    attempts: f64,
    wrong: f64,
    messages: f64,
    /// Processor time of what stands between, in microseconds a message.
    cpu_us: f64,
    /// From off hook to dial tone, in milliseconds: one message there, some back.
    tone_ms: [f64; 2],
    resident: f64,
}

pub(super) fn run(options: &Options, place: &Place) -> Result<()> {
    if find_program("haproxy").is_none() || find_program("taskset").is_none() {
        bail!("this compares with HAProxy: apt-get install haproxy util-linux");
    }
    let duration = if options.quick { 5.0 } else { 30.0 };
    let mut verdict = Verdict::new();
    for phones in SIZES {
        let mut all = Vec::new();
        for who in [Who::Direct, Who::Haproxy, Who::Guard] {
            println!("    {phones} phones, {}", who.name());
            let full = measured(place, who, phones, options.rate, duration)?;
            let half = measured(place, who, phones, options.rate / 2.0, duration)?;
            all.push((who, full, half));
        }
        print(phones, options.rate, &all);
        let [(_, _, direct), (_, haproxy, _), (_, guard, half)] = &all[..] else { bail!("three runs") };
        let of_core = haproxy.cpu_us / guard.cpu_us;
        verdict.least(&format!("{phones} phones: messages of a core, to HAProxy's"), of_core, RATE);
        let added = half.tone_ms[1] - direct.tone_ms[1];
        verdict.most(&format!("{phones} phones: added at half load, p99, ms"), added, ADDED);
        verdict.most(&format!("{phones} phones: wrong with the guard"), guard.wrong + half.wrong, 0.0);
    }
    verdict.print();
    println!("\nat load {}", load_average());
    Ok(())
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Haproxy => "HAProxy",
            Self::Guard => "guard",
        }
    }
}

fn measured(place: &Place, who: Who, phones: u32, rate: f64, duration: f64) -> Result<Run> {
    let load = Load { phones, register_rate: 2000.0, call_rate: rate, duration };
    let data = format!("{}-{phones}-{rate:.0}", who.name());
    let manager = Manager::start(place, &data, Some(&load.site(place)?))?;
    pin(manager.process.id(), CORES[1])?;
    let between = start(place, who, &data, manager.sccp)?;
    let target = between.as_ref().map_or(manager.sccp, |(_, address)| *address);
    let before = between.as_ref().map(|(process, _)| process.now()).unwrap_or_default();
    let report = load.run_on(place, target, Some(CORES[1]))?;
    let after = between.as_ref().map(|(process, _)| process.now()).unwrap_or_default();
    if let Some((process, _)) = between {
        process.end()?;
    }
    manager.process.end()?;
    let messages = figure(&report, "/messages/sent") + figure(&report, "/messages/received");
    let tone = |share: &str| figure(&report, &format!("/latency_us/off_hook_to_tone/{share}")) / 1e3;
    Ok(Run {
        completed: figure(&report, "/calls/completed"),
        attempts: figure(&report, "/calls/attempts"),
        wrong: counts(&report, "/wrong"),
        messages,
        cpu_us: (after.cpu - before.cpu) * 1e6 / messages,
        tone_ms: [tone("p50"), tone("p99")],
        resident: after.resident as f64,
    })
}

/// Starts what stands between; where it listens.
fn start(place: &Place, who: Who, data: &str, manager: SocketAddr) -> Result<Option<(Watched, SocketAddr)>> {
    let folder = place.folder.join(data);
    let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new("taskset");
    command.args(["-c", CORES[0]]);
    match who {
        Who::Direct => return Ok(None),
        Who::Haproxy => {
            let config = folder.join("haproxy.cfg");
            let text = format!(
                "global\n  nbthread 1\n  maxconn 9900\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
                 listen sccp\n  bind {listen}\n  server manager {manager}\n"
            );
            fs::write(&config, text)?;
            let run = format!("echo ready; exec haproxy -db -f {}", config.display());
            command.args(["sh", "-c", &run]);
        }
        Who::Guard => {
            let policy = folder.join("policy.toml");
            fs::write(&policy, POLICY)?;
            command.arg(&place.selsius).args(["guard", "--listen", &listen.to_string()]);
            command.args(["--upstream", &manager.to_string(), "--policy"]).arg(&policy);
            command
                .arg("--log")
                .arg(folder.join("events.jsonl"))
                .arg("--control")
                .arg(folder.join("guard.sock"));
        }
    }
    command.stderr(fs::File::create(folder.join("between.log"))?);
    let (process, _) = Watched::start(&mut command)
        .with_context(|| format!("its log is {}", folder.join("between.log").display()))?;
    wait(listen)?;
    Ok(Some((process, listen)))
}

/// All phones of the load come from one machine, and call more than phones do.
const POLICY: &str = r#"
preset = "strict"
[limits]
connections-per-source = 20000
connection-rate = { per-second = 20000 }
register-rate = { per-second = 20000 }
names-per-source = 20000
call-rate = { per-second = 1000 }
message-rate = { per-second = 10000 }
kilobyte-rate = { per-second = 10000 }
[nat.stations]
networks = { "127.2.0.0/16" = "127.3.0.0/16" }
[nat.managers]
networks = { "127.4.0.0/16" = "127.5.0.0/16" }
"#;

fn wait(address: SocketAddr) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::yield_now();
    }
    bail!("nobody listens at {address}")
}

fn pin(process: u32, core: &str) -> Result<()> {
    let pinned = Command::new("taskset").args(["-a", "-p", "-c", core, &process.to_string()]).output()?;
    if !pinned.status.success() {
        bail!("taskset: {}", String::from_utf8_lossy(&pinned.stderr));
    }
    Ok(())
}

fn print(phones: u32, rate: f64, all: &[(Who, Run, Run)]) {
    print!("\n{:44}", format!("{phones} phones, {rate} calls a second"));
    all.iter().for_each(|(who, ..)| print!(" {:>9}", who.name()));
    println!();
    type Of = fn(&Run, &Run) -> f64;
    let rows: [(&str, Of); 10] = [
        ("calls that were due", |full, _| full.attempts),
        ("completed", |full, _| full.completed),
        ("wrong", |full, _| full.wrong),
        ("messages", |full, _| full.messages),
        ("CPU of what is between, µs a message", |full, _| full.cpu_us),
        ("messages a second of a core", |full, _| 1e6 / full.cpu_us),
        ("its memory, bytes", |full, _| full.resident),
        ("off hook to tone at half load, median, ms", |_, half| half.tone_ms[0]),
        ("the same, 99 %, ms", |_, half| half.tone_ms[1]),
        ("the same at full load, 99 %, ms", |full, _| full.tone_ms[1]),
    ];
    for (name, of) in rows {
        super::print_row(name, all.iter().map(|(_, full, half)| of(full, half)));
    }
}
