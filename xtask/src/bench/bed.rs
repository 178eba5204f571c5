//! The test bed in step with the clock: emulated phones, network and exchange on one thread, at several sizes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{
    exchange::numbers,
    verdict::{Verdict, short},
};
use crate::step::{call, cargo};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Calls for 10 s in place of 60 s at each size: 3 minutes in place of 6.
    #[arg(long)]
    quick: bool,
    /// Calls that are due in a second. 1,000 phones make up to 3,800.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..3_800))]
    rate: u32,
}

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// The goals: milliseconds that the bed may be behind the clock, bytes of a phone at the manager, and how much more a call may cost it
/// among the most phones than among the fewest for the cost to count as flat.
const LAG: f64 = 50.0;
const PHONE: f64 = 6144.0;
const FLAT: f64 = 1.5;

/// What the example `crowd` prints.
const ROWS: [(&str, &str); 27] = [
    ("storm", "seconds until all are registered"),
    ("unanswered", "questions without an answer in time"),
    ("again", "registrations more than phones"),
    ("registration", "CPU of a registration, all, µs"),
    ("registration_manager", "of it the manager's, µs"),
    ("keepalives", "keepalives in 30 s"),
    ("keepalive", "CPU of a keepalive, all, µs"),
    ("keepalive_manager", "of it the manager's, µs"),
    ("idle_lag_p50", "behind the clock meanwhile, p50, ms"),
    ("idle_lag_p99", "p99, ms"),
    ("idle_lag_max", "at most, ms"),
    ("due", "calls that were due"),
    ("completed", "completed"),
    ("recorded", "with their record"),
    ("compared", "comparisons of a phone"),
    ("wrong", "wrong"),
    ("call", "CPU of a call, all, µs"),
    ("call_manager", "of it the manager's, µs"),
    ("busy", "the thread's part of a core, %"),
    ("calling_lag_p50", "behind the clock meanwhile, p50, ms"),
    ("calling_lag_p99", "p99, ms"),
    ("calling_lag_max", "at most, ms"),
    ("late", "in the end, s"),
    ("memory", "memory of a phone, all, bytes"),
    ("manager", "exchange and session, bytes"),
    ("site", "entry in the site, bytes"),
    ("emulated", "the emulated phone and its network, bytes"),
];

/// Builds the example and runs it at each size, each in processes of its own, and prints a table.
pub(super) fn run(options: &Options) -> Result<()> {
    call(&mut cargo(&[
        "build",
        "--profile",
        "dist",
        "--quiet",
        "--package",
        "selsius-testkit",
        "--example",
        "crowd",
    ]))?;
    let mut sizes = Vec::new();
    for phones in SIZES {
        println!("    measuring with {phones} phones");
        sizes.push(measured(phones, options)?);
    }
    let of = |at: usize, key: &str| sizes[at].get(key).copied().unwrap_or(f64::NAN);
    println!("\n{:44} {:>10} {:>10} {:>10} {:>10}", "phones", SIZES[0], SIZES[1], SIZES[2], "ratio");
    for (key, name) in ROWS {
        print!("{name:44}");
        for size in &sizes {
            print!(" {:>10}", size.get(key).map_or("-".into(), |value| short(*value)));
        }
        let ratio = Some(of(2, key) / of(0, key)).filter(|ratio| ratio.is_finite());
        println!(" {:>10}", ratio.map_or("-".into(), short));
    }
    let sum = |key: &str| (0..SIZES.len()).map(|at| of(at, key)).sum::<f64>();
    let mut verdict = Verdict::new();
    verdict.least("calls completed, all sizes", sum("completed"), sum("due"));
    verdict.most("wrong, all sizes", sum("wrong"), 0.0);
    verdict.most("behind the clock among 100,000 phones, p99, ms", of(2, "calling_lag_p99"), LAG);
    verdict.most(
        "a call among 100,000 phones to one among 1,000, manager",
        of(2, "call_manager") / of(0, "call_manager"),
        FLAT,
    );
    verdict.most("memory of a phone at the manager, bytes", of(2, "manager") + of(2, "site"), PHONE);
    verdict.print();
    Ok(())
}

/// The figures of one size. Memory is measured in a process of its own.
fn measured(phones: u32, options: &Options) -> Result<BTreeMap<String, f64>> {
    let (phones, rate) = (phones.to_string(), options.rate.to_string());
    let seconds = if options.quick { "10" } else { "60" };
    let mut figures = figures(&["--phones", &phones, "--rate", &rate, "--seconds", seconds])?;
    figures.append(&mut self::figures(&["--phones", &phones, "--memory"])?);
    let of = |key: &str| figures.get(key).copied().unwrap_or(f64::NAN);
    let emulated = of("memory") - of("manager") - of("site");
    figures.insert("emulated".into(), emulated);
    Ok(figures)
}

fn figures(arguments: &[&str]) -> Result<BTreeMap<String, f64>> {
    let mut command =
        cargo(&["run", "--profile", "dist", "--quiet", "--package", "selsius-testkit", "--example", "crowd"]);
    let output = command.arg("--").args(arguments).output().context("cannot run the example `crowd`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    eprint!("{said}");
    if !output.status.success() {
        bail!("the example `crowd` ended with {}", output.status);
    }
    Ok(numbers(&String::from_utf8_lossy(&output.stdout)))
}
