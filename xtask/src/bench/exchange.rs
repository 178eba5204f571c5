//! The exchange alone, without sockets: what a call, a keepalive, a digit and a phone cost it at several sizes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::verdict::Verdict;
use crate::step::{call, cargo};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Fewer runs: 30 s in place of 2 minutes, and less certain.
    #[arg(long)]
    quick: bool,
}

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// The goals: microseconds a call, bytes a phone, and how much more a call may cost among the most phones than among the
/// fewest for the cost to count as flat.
const CALL: f64 = 20.0;
const PHONE: f64 = 6144.0;
const FLAT: f64 = 1.5;

/// What the example `cost` prints, in this order.
const ROWS: [(&str, &str); 7] = [
    ("call", "CPU of a call, µs"),
    ("outputs", "outputs of a call"),
    ("digit", "analysis of a digit, ns"),
    ("keepalive", "keepalive from bytes to bytes, ns"),
    ("keepalive_bare", "decoding and encoding it alone, ns"),
    ("exchange", "memory of a phone, bytes"),
    ("site", "and of its entry in the site, bytes"),
];

/// Builds and runs the example at each size, each in a process of its own, and prints a table.
pub(super) fn run(options: &Options) -> Result<()> {
    call(&mut cargo(&[
        "build",
        "--profile",
        "dist",
        "--quiet",
        "--package",
        "selsius-exchange",
        "--example",
        "cost",
    ]))?;
    let (calls, runs) = if options.quick { ("5000", "5") } else { ("20000", "15") };
    let mut sizes = Vec::new();
    for phones in SIZES {
        println!("    measuring with {phones} phones");
        sizes.push(measured(phones, calls, runs)?);
    }
    println!("\n{:38} {:>10} {:>10} {:>10}", "registered phones", SIZES[0], SIZES[1], SIZES[2]);
    for (key, name) in ROWS {
        let values: Vec<String> = sizes
            .iter()
            .map(|size| size.get(key).map_or("-".into(), |value| format!("{value:.1}")))
            .collect();
        println!("{name:38} {:>10} {:>10} {:>10}", values[0], values[1], values[2]);
    }
    let of = |at: usize, key: &str| sizes[at].get(key).copied().unwrap_or(f64::NAN);
    let mut verdict = Verdict::new();
    verdict.most("a call among 10,000 phones, µs", of(1, "call"), CALL);
    verdict.most("a call among 100,000 phones to one among 1,000", of(2, "call") / of(0, "call"), FLAT);
    verdict.most("memory of a phone, bytes", of(2, "exchange") + of(2, "site"), PHONE);
    verdict.print();
    Ok(())
}

/// Runs the example. The numbers that it prints, by their names.
fn measured(phones: u64, calls: &str, runs: &str) -> Result<BTreeMap<String, f64>> {
    let phones = phones.to_string();
    example("selsius-exchange", "cost", &["--phones", &phones, "--calls", calls, "--runs", runs])
}

/// Runs an example of a package. The numbers that it prints, by their names.
pub(super) fn example(package: &str, name: &str, arguments: &[&str]) -> Result<BTreeMap<String, f64>> {
    let mut command =
        cargo(&["run", "--profile", "dist", "--quiet", "--package", package, "--example", name, "--"]);
    let output =
        command.args(arguments).output().with_context(|| format!("cannot run the example `{name}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("the example `{name}` ended with {}: {said}", output.status);
    }
    Ok(numbers(&String::from_utf8_lossy(&output.stdout)))
}

/// Each line is a name, a number and its unit.
pub(super) fn numbers(text: &str) -> BTreeMap<String, f64> {
    let line = |line: &str| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_example_prints_is_read() {
        let read = numbers("site 1230 bytes/phone\ncall 17.25 µs\n\nno number here\n");
        assert_eq!(read, BTreeMap::from([("site".into(), 1230.0), ("call".into(), 17.25)]));
    }
}
