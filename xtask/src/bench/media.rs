//! Audio that goes through the manager: the engine alone, and the media thread with its sockets.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;

use super::{
    exchange::example,
    verdict::{Verdict, short},
};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Shorter runs, and less certain.
    #[arg(long)]
    quick: bool,
}

/// What the example `engine` measures, in this order.
const ROWS: [(&str, &str); 7] = [
    ("relay", "relayed, two of one codec"),
    ("repacketised", "20 ms to 30 ms and back"),
    ("transcoded", "µ-law to A-law and back"),
    ("conference_8", "conferences of 8, all speak"),
    ("conference_100", "conferences of 100, all speak"),
    ("listeners_100", "conferences of 100, 3 speak"),
    ("music", "music for 1000 in two codecs"),
];
/// What the example `relay` measures, in this order.
const THREAD: [(&str, &str); 9] = [
    ("sockets_rate", "packets/s that came"),
    ("sockets", "packets/s of one core"),
    ("sockets_packet", "CPU of a packet, µs"),
    ("sockets_lost", "packets lost"),
    ("sockets_delay_median", "delay, median, µs"),
    ("sockets_delay_99", "delay, 99 %, µs"),
    ("sockets_delay_999", "delay, 99.9 %, µs"),
    ("sockets_added_median", "added by the thread, median, µs"),
    ("sockets_added_99", "added by the thread, 99 %, µs"),
];
/// With few of them each packet wakes the thread; with many it finds several.
const CALLS: [u32; 2] = [200, 800];
/// The goals, of one core: packets a second with sockets, and parties of conferences.
const PACKETS: f64 = 100_000.0;
const PARTIES: f64 = 5_000.0;

/// Builds and runs the examples, and prints tables.
pub(super) fn run(options: &Options) -> Result<()> {
    let seconds = if options.quick { "4" } else { "20" };
    println!("    measuring the engine");
    let engine = example("selsius-media", "engine", &["--seconds", seconds])?;
    println!(
        "\n{:34} {:>14} {:>12} {:>12}",
        "engine alone, of one core", "packets/s out", "parties", "ns a packet"
    );
    for (key, name) in ROWS {
        let of = |suffix: &str| of(&engine, &format!("{key}{suffix}"));
        println!(
            "{name:34} {:>14} {:>12} {:>12}",
            short(of("")),
            short(of("_parties")),
            short(of("_packet"))
        );
    }
    let mut sizes = Vec::new();
    println!();
    for calls in CALLS {
        println!("    measuring the thread with {calls} calls");
        let calls = calls.to_string();
        sizes.push(example("selsius-server", "relay", &["--calls", &calls, "--seconds", seconds])?);
    }
    println!("\n{:34} {:>14} {:>12}", "the thread with sockets, calls", CALLS[0], CALLS[1]);
    for (key, name) in THREAD {
        println!("{name:34} {:>14} {:>12}", short(of(&sizes[0], key)), short(of(&sizes[1], key)));
    }
    let mut verdict = Verdict::new();
    verdict.least("relayed with sockets, packets/s of one core", of(&sizes[1], "sockets"), PACKETS);
    verdict.least("parties of conferences of 8, of one core", of(&engine, "conference_8_parties"), PARTIES);
    verdict.print();
    Ok(())
}

fn of(figures: &BTreeMap<String, f64>, key: &str) -> f64 {
    figures.get(key).copied().unwrap_or(f64::NAN)
}
