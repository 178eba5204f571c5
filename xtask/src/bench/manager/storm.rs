//! Phones that register all at once after a cold start, and then are idle: how long it takes, what each phone takes of the
//! manager's memory, and what its keepalives cost beside a bare echo.

use anyhow::Result;
use clap::Args;

use super::{
    MOST, Place, print_row,
    process::{Load, Manager, counts, figure},
};
use crate::bench::{
    echo::{self, KEEPALIVE},
    verdict::Verdict,
};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Two sizes and a minute of keepalives in place of four and two: 3 minutes in place of 11.
    #[arg(long)]
    quick: bool,
}

/// The goals: seconds until all are registered, bytes of memory, keepalive to echo.
const SECONDS: f64 = 15.0;
const PHONE: f64 = 6144.0;
const KEEPALIVES: f64 = 1.5;
/// Seconds between two keepalives of a phone, about: the site's interval, of which phones get up to a tenth less.
const INTERVAL: f64 = 28.5;

struct Row {
    phones: u32,
    registered: f64,
    seconds: f64,
    failed: f64,
    cpu_us: f64,
    bytes: f64,
    bytes_with_site: f64,
    keepalive_us: f64,
    echo_us: f64,
}

pub(super) fn run(options: &Options, place: &Place) -> Result<()> {
    let sizes: &[u32] = if options.quick { &[1_000, MOST] } else { &[1_000, 6_000, 12_000, MOST] };
    let duration = if options.quick { 60.0 } else { 120.0 };
    let empty = Manager::start(place, "empty", None)?;
    let bare = empty.process.now().resident;
    empty.process.end()?;
    let mut rows = Vec::new();
    for &phones in sizes {
        println!("    {phones} phones register at once, and are idle for {duration} s");
        rows.push(measured(place, phones, duration, bare)?);
    }
    print(&rows);
    let last = rows.last().expect("there are sizes");
    let mut verdict = Verdict::new();
    verdict.least("phones registered", last.registered, f64::from(last.phones));
    verdict.most("failed attempts to register", last.failed, 0.0);
    verdict.most("seconds until all are registered", last.seconds, SECONDS);
    verdict.most("memory of a phone, its entry in the site included, bytes", last.bytes_with_site, PHONE);
    verdict.most("a keepalive to its echo", last.keepalive_us / last.echo_us, KEEPALIVES);
    verdict.print();
    Ok(())
}

fn measured(place: &Place, phones: u32, duration: f64, bare: u64) -> Result<Row> {
    let load = Load { phones, register_rate: 0.0, call_rate: 0.0, duration };
    // From the store, as a manager starts that has been there before: reading a site file leaves memory behind.
    let data = format!("storm-{phones}");
    Manager::start(place, &data, Some(&load.site(place)?))?.process.end()?;
    let manager = Manager::start(place, &data, None)?;
    let before = manager.process.now();
    let report = load.run(place, manager.sccp)?;
    let seconds = figure(&report, "/registration/seconds");
    // A moment for what registrations leave behind, then whole seconds without them.
    let (from, to) = (before.at + seconds + 2.0, before.at + seconds + duration - 1.0);
    let (ready, idle, end) =
        (manager.process.at(before.at + seconds), manager.process.at(from), manager.process.at(to));
    manager.process.end()?;
    let count = f64::from(phones);
    let keepalives = (to - from) / INTERVAL * count;
    Ok(Row {
        phones,
        registered: figure(&report, "/registration/registered"),
        seconds,
        failed: counts(&report, "/registration/failed"),
        cpu_us: (ready.cpu - before.cpu) * 1e6 / count,
        bytes: end.resident.saturating_sub(before.resident) as f64 / count,
        bytes_with_site: end.resident.saturating_sub(bare) as f64 / count,
        keepalive_us: (end.cpu - idle.cpu) * 1e6 / keepalives,
        // Phones that registered together are spread over a tenth of the interval, and the echo's pieces come as fast.
        echo_us: echo::cost(&KEEPALIVE, phones / 2, count / (seconds + INTERVAL / 10.0), duration / 4.0)?.cpu,
    })
}

fn print(rows: &[Row]) {
    let line = |name: &str, of: &dyn Fn(&Row) -> f64| print_row(name, rows.iter().map(of));
    println!();
    line("phones", &|row| f64::from(row.phones));
    line("registered", &|row| row.registered);
    line("seconds until all are", &|row| row.seconds);
    line("CPU of a registration, µs", &|row| row.cpu_us);
    line("memory of a phone, bytes", &|row| row.bytes);
    line("with its entry in the site, bytes", &|row| row.bytes_with_site);
    line("CPU of a keepalive, µs", &|row| row.keepalive_us);
    line("CPU of its echo, µs", &|row| row.echo_us);
    line("  times", &|row| row.keepalive_us / row.echo_us);
}
