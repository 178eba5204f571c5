//! The test bed in step with the clock: `cargo run --release -p selsius-testkit --example crowd -- --phones 100000 --rate 1000
//! --seconds 60`.
//!
//! All phones register at once, are idle for a while and then call each other, over the bed's network. Each line is a name, a value
//! and its unit, which `cargo xtask bench bed` reads. With `--memory` it tells how much of the memory is the manager's.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers")]

use std::{
    error::Error,
    fs,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use selsius_exchange::Time;
use selsius_station::{Config, ModelClass, Station};
use selsius_testkit::{Bed, Calls, Crowd, Network, Phone, crowd};

struct Options {
    phones: usize,
    /// Calls a second.
    rate: f64,
    /// Of calls.
    seconds: u64,
    /// One call in this many is compared with the exchange in all that its phones show.
    compare: u64,
    seed: u64,
    memory: bool,
}

/// A lag that is no longer told from a longer one: an hour, in microseconds.
const LONGEST_LAG: u64 = 3_600_000_000;

/// How long nobody calls: as long as the longest interval between keepalives.
const IDLE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: crowd [--phones N] [--rate N] [--seconds N] [--compare N] [--seed N] [--memory]");
        return ExitCode::from(2);
    };
    match if options.memory { memory(options.phones) } else { run(&options) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// From the command line; all have a default.
fn options() -> Option<Options> {
    let mut options =
        Options { phones: 10_000, rate: 1_000.0, seconds: 60, compare: 10, seed: 0, memory: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--memory" {
            options.memory = true;
            continue;
        }
        let number = words.next().and_then(|number| number.parse::<u64>().ok())?;
        match word.as_str() {
            "--phones" => options.phones = usize::try_from(number.max(2)).ok()?,
            "--rate" => options.rate = number.max(1) as f64,
            "--seconds" => options.seconds = number.max(1),
            "--compare" => options.compare = number.max(1),
            "--seed" => options.seed = number,
            _ => return None,
        }
    }
    Some(options)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let before = resident();
    let mut crowd = Crowd::new(options.phones, options.seed)?;
    crowd.bed.meter.start();
    let mut pace = Pace::new()?;
    let storm = Part::begin(&crowd, &pace);

    pace.storm(&mut crowd);
    println!("storm {:.2} s", pace.started.elapsed().as_secs_f64());
    let storm = storm.end(&crowd, &pace);
    println!("registration {:.1} µs", storm.cpu / options.phones as f64);
    println!("registration_manager {:.1} µs", storm.manager() / options.phones as f64);
    println!("memory {} bytes/phone", resident().saturating_sub(before) / options.phones as u64);

    let unanswered: u64 = crowd.bed.phones.iter().map(|phone| phone.station.counts().unanswered).sum();
    println!("unanswered {unanswered} questions");
    let again = crowd.bed.exchange.counters().registrations - options.phones as u64;
    println!("again {again} registrations");

    let mut last = crowd.bed.now;
    let idle = Part::begin(&crowd, &pace);
    pace.forget();
    last += IDLE;
    pace.follow(&mut crowd, last);
    let idle = idle.end(&crowd, &pace);
    println!("keepalives {} messages", idle.messages);
    println!("keepalive {:.2} µs", idle.cpu / idle.messages as f64);
    println!("keepalive_manager {:.2} µs", idle.manager() / idle.messages as f64);
    pace.print("idle");

    let count = (options.rate * options.seconds as f64) as u64;
    crowd.call(Calls { start: last, rate: options.rate, count, compare: options.compare })?;
    let calling = Part::begin(&crowd, &pace);
    pace.forget();
    let (began, from) = (Instant::now(), last);
    while !crowd.is_done() {
        last += Duration::from_millis(10);
        pace.follow(&mut crowd, last);
    }
    let calling = calling.end(&crowd, &pace);
    // Keepalives go on meanwhile.
    let share = last.since(from).as_secs_f64() / IDLE.as_secs_f64();
    let (due, tally) = (crowd.tally.due as f64, crowd.tally.clone());
    println!("due {} calls", tally.due);
    println!("completed {} calls", tally.completed);
    println!("recorded {} calls", tally.recorded);
    println!("call {:.1} µs", (calling.cpu - share * idle.cpu) / due);
    println!("call_manager {:.1} µs", (calling.manager() - share * idle.manager()) / due);
    println!("busy {:.1} %", calling.cpu / 1e4 / began.elapsed().as_secs_f64());
    println!("late {:.2} s", pace.now().since(last).as_secs_f64());
    pace.print("calling");

    crowd.compare_all();
    crowd.bed.exchange.check()?;
    println!("compared {} phones", crowd.tally.compared);
    println!("wrong {} calls", crowd.tally.wrong);
    for example in &crowd.tally.examples {
        eprintln!("{example}");
    }
    if !crowd.bed.begun.is_empty() {
        return Err(format!("{} calls have no end in the records", crowd.bed.begun.len()).into());
    }
    Ok(())
}

/// Keeps a crowd in step with the clock.
struct Pace {
    started: Instant,
    /// Time in which nothing was due.
    waited: Duration,
    /// How late each event was, in microseconds.
    lag: Histogram<u64>,
}

impl Pace {
    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            started: Instant::now(),
            waited: Duration::ZERO,
            lag: Histogram::new_with_max(LONGEST_LAG, 3)?,
        })
    }

    fn now(&self) -> Time {
        Time::ZERO + self.started.elapsed()
    }

    /// Lets all phones register, on the clock itself: what is late happens late, and phones that wait too long for an answer act
    /// on that.
    fn storm(&mut self, crowd: &mut Crowd) {
        loop {
            let now = self.now();
            crowd.bed.now = now;
            if crowd.step(now).is_some() {
                continue;
            }
            if crowd.is_registered() {
                return;
            }
            self.wait(crowd.next_at().unwrap_or(now).since(now));
        }
    }

    /// Lets happen what is due until then, nothing of it before its time. What is late happens when it was due by the bed's own
    /// clock, which is behind meanwhile.
    fn follow(&mut self, crowd: &mut Crowd, until: Time) {
        loop {
            let now = self.now();
            if let Some(at) = crowd.step(now.min(until)) {
                self.lag.saturating_record(micros(now.since(at)) as u64);
                continue;
            }
            let next = crowd.next_at().map_or(until, |next| next.min(until));
            if now >= until {
                return;
            }
            self.wait(next.since(now));
        }
    }

    fn wait(&mut self, span: Duration) {
        let began = Instant::now();
        thread::park_timeout(span);
        self.waited += began.elapsed();
    }

    fn forget(&mut self) {
        self.lag.reset();
    }

    fn print(&self, part: &str) {
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            println!("{part}_lag_{name} {:.2} ms", self.lag.value_at_quantile(quantile) as f64 / 1e3);
        }
    }
}

/// What a part of the run took, in microseconds.
struct Part {
    messages: u64,
    /// Of the processor.
    cpu: f64,
    /// By the clock, without waiting for what was due next.
    busy: f64,
    /// The manager's side of that.
    metered: f64,
}

impl Part {
    fn begin(crowd: &Crowd, pace: &Pace) -> Self {
        Self {
            messages: crowd.bed.exchange.counters().messages_in,
            cpu: cpu_time(),
            busy: micros(pace.started.elapsed().saturating_sub(pace.waited)),
            metered: micros(crowd.bed.meter.worked()),
        }
    }

    fn end(self, crowd: &Crowd, pace: &Pace) -> Self {
        let end = Self::begin(crowd, pace);
        Self {
            messages: end.messages - self.messages,
            cpu: end.cpu - self.cpu,
            busy: end.busy - self.busy,
            metered: end.metered - self.metered,
        }
    }

    /// The manager's share of the processor's time: on a busy machine the clock alone says too much.
    fn manager(&self) -> f64 {
        self.metered * self.cpu / self.busy
    }
}

/// How much memory a registered phone takes at the manager: one after the other registers, and its station is thrown away.
fn memory(phones: usize) -> Result<(), Box<dyn Error>> {
    let before = resident();
    let site = crowd::office(phones)?;
    let with_site = resident();
    println!("site {} bytes/phone", (with_site - before) / phones as u64);
    let mut bed = Bed::new(site, Network { delay: 1..2, cut: 0 }, 0);
    for phone in 0..phones {
        bed.add(crowd::phone_config(phone));
        bed.settle(Duration::from_secs(1));
        let nothing = Config {
            name: String::new(),
            load: String::new(),
            last: String::new(),
            capabilities: Vec::new(),
            ..Config::new("", ModelClass::P7912)
        };
        bed.phones[phone].station = Station::new(nothing);
    }
    let ready = bed.exchange.counters().register_to_ready.count();
    if ready != phones as u64 {
        return Err(format!("{ready} of {phones} phones are registered").into());
    }
    let manager = (resident() - with_site) / phones as u64;
    println!("manager {} bytes/phone", manager.saturating_sub(size_of::<Phone>() as u64));
    Ok(())
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

/// Microseconds that this thread has run.
fn cpu_time() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e3
}

/// Resident memory in bytes, where Linux tells it.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
