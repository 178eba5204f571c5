//! Complete calls, so many a second, beside a bare echo of the same bytes.

use anyhow::Result;
use clap::Args;

use super::{
    MOST, Place, print_row,
    process::{Load, Manager, counts, figure},
};
use crate::bench::{
    echo,
    verdict::{Verdict, short},
};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Two sizes and 10 s of calls in place of four and 60: 1 minute in place of 8.
    #[arg(long)]
    quick: bool,
    /// Calls that begin a second.
    #[arg(long, default_value_t = 3000.0)]
    rate: f64,
    /// Then the rate goes up by a fifth, at the largest size, until not all calls are completed in time.
    #[arg(long)]
    limit: bool,
}

/// The goals: milliseconds from the last digit to the bell, a call to its echo, and how much more a call may cost among
/// the most phones than among the fewest for the cost to count as flat.
const RING: f64 = 50.0;
const ECHO: f64 = 1.5;
const FLAT: f64 = 1.5;

struct Row {
    phones: u32,
    attempts: f64,
    completed: f64,
    wrong: f64,
    rate: f64,
    ring_ms: f64,
    cpu_us: f64,
    /// Of it, what the thread with the sockets and the exchange takes; the rest is call records.
    exchange_us: f64,
    /// Of that, what it takes in the kernel: reading, writing, waiting, which the echo does too.
    exchange_kernel_us: f64,
    echo: echo::Cost,
    generator_us: f64,
}

pub(super) fn run(options: &Options, place: &Place) -> Result<()> {
    let sizes: &[u32] = if options.quick { &[1_000, MOST] } else { &[1_000, 6_000, 12_000, MOST] };
    let duration = if options.quick { 10.0 } else { 60.0 };
    let steps = recorded(place)?;
    let sent: u32 = steps.iter().map(|step| u32::from(step.sent)).sum();
    let received: u32 = steps.iter().map(|step| u32::from(step.own) + u32::from(step.other)).sum();
    println!("    a call is {} pieces from phones, {sent} bytes, and {received} bytes to them", steps.len());
    let mut rows = Vec::new();
    for &phones in sizes {
        println!("    {phones} phones, {} calls a second for {duration} s", options.rate);
        rows.push(measured(place, &steps, phones, options.rate, duration)?);
    }
    print(&rows);
    let (first, last) = (rows.first().expect("there are sizes"), rows.last().expect("there are sizes"));
    let mut verdict = Verdict::new();
    verdict.least("completed calls of those that were due", last.completed / last.attempts, 1.0);
    verdict.least("calls a second", last.rate, options.rate * 0.999);
    verdict.most("from the last digit to the bell, p99, ms", last.ring_ms, RING);
    verdict.most("a call to its echo, call records included", last.cpu_us / last.echo.cpu, ECHO);
    verdict.most("a call to its echo, without its records", last.exchange_us / last.echo.cpu, ECHO);
    verdict.most(&format!("a call among {MOST} phones to one among 1,000"), last.cpu_us / first.cpu_us, FLAT);
    verdict.print();
    if options.limit { limit(place, &steps, options.rate) } else { Ok(()) }
}

/// Goes up until it is too much.
fn limit(place: &Place, steps: &[echo::Step], from: f64) -> Result<()> {
    println!();
    let mut rate = from;
    loop {
        rate *= 1.2;
        let row = measured(place, steps, MOST, rate, 20.0)?;
        println!(
            "{rate:.0} calls a second: {:.0} of {:.0} completed, p99 to the bell {} ms, CPU of a call {} µs",
            row.completed,
            row.attempts,
            short(row.ring_ms),
            short(row.cpu_us)
        );
        if row.completed < row.attempts || row.ring_ms > RING {
            return Ok(());
        }
    }
}

/// The pieces of one call.
fn recorded(place: &Place) -> Result<Vec<echo::Step>> {
    let load = Load { phones: 2, register_rate: 0.0, call_rate: 1.0, duration: 1.0 };
    let manager = Manager::start(place, "record", Some(&load.site(place)?))?;
    let steps = echo::record(manager.sccp, |target| load.run(place, target).map(drop))?;
    manager.process.end()?;
    Ok(steps)
}

fn measured(place: &Place, steps: &[echo::Step], phones: u32, rate: f64, duration: f64) -> Result<Row> {
    let load = Load { phones, register_rate: 2000.0, call_rate: rate, duration };
    let manager = Manager::start(place, &format!("calls-{phones}-{rate:.0}"), Some(&load.site(place)?))?;
    let before = manager.process.now();
    let report = load.run(place, manager.sccp)?;
    let from = before.at + figure(&report, "/registration/seconds");
    let seconds = figure(&report, "/calls/seconds");
    let (begin, end) = (manager.process.at(from), manager.process.at(from + seconds));
    manager.process.end()?;
    let completed = figure(&report, "/calls/completed");
    let each = |seconds: f64| seconds * 1e6 / completed;
    Ok(Row {
        phones,
        attempts: figure(&report, "/calls/attempts"),
        completed,
        wrong: counts(&report, "/wrong"),
        rate: completed / seconds,
        ring_ms: figure(&report, "/latency_us/digit_to_ring/p99") / 1e3,
        cpu_us: each(end.cpu - begin.cpu),
        exchange_us: each(end.exchange - begin.exchange),
        exchange_kernel_us: each(end.exchange_kernel - begin.exchange_kernel),
        echo: echo::cost(steps, phones / 2, rate, duration / 2.0)?,
        generator_us: figure(&report, "/generator/cpu_us_per_call"),
    })
}

fn print(rows: &[Row]) {
    let line = |name: &str, of: &dyn Fn(&Row) -> f64| print_row(name, rows.iter().map(of));
    println!();
    line("phones", &|row| f64::from(row.phones));
    line("calls that were due", &|row| row.attempts);
    line("completed", &|row| row.completed);
    line("wrong", &|row| row.wrong);
    line("completed a second", &|row| row.rate);
    line("from the last digit to the bell, p99, ms", &|row| row.ring_ms);
    line("the manager's CPU of a call, µs", &|row| row.cpu_us);
    line("  threads of the store", &|row| row.cpu_us - row.exchange_us);
    line("  the thread with sockets and exchange", &|row| row.exchange_us);
    line("    in the kernel", &|row| row.exchange_kernel_us);
    line("    messages and exchange", &|row| row.exchange_us - row.exchange_kernel_us);
    line("the echo's CPU of the same bytes, µs", &|row| row.echo.cpu);
    line("    in the kernel", &|row| row.echo.kernel);
    line("  times, all threads", &|row| row.cpu_us / row.echo.cpu);
    line("  times, the thread with the sockets alone", &|row| row.exchange_us / row.echo.cpu);
    line("the generator's CPU of a call, µs", &|row| row.generator_us);
}
