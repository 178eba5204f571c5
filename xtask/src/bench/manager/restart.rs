//! How long a manager with many phones takes from its start to its first registered phone.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use selsius_wire::{
    Dialect, message,
    value::{DeviceType, Text},
};

use super::{
    Place,
    process::{Load, Manager},
};
use crate::bench::verdict::{Verdict, short};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Phones in the store. 100,000 take about a minute, most of it to get them in.
    #[arg(long, default_value_t = 100_000)]
    phones: u32,
}

/// The goal, in seconds.
const SECONDS: f64 = 2.0;
const RUNS: usize = 5;

pub(super) fn run(options: &Options, place: &Place) -> Result<()> {
    let load = Load { phones: options.phones, register_rate: 0.0, call_rate: 0.0, duration: 0.0 };
    println!("    putting {} phones into the store", options.phones);
    let site = load.site(place)?;
    let started = Instant::now();
    Manager::start(place, "restart", Some(&site))?.process.end()?;
    let first = started.elapsed().as_secs_f64();
    let mut times = Vec::new();
    let mut resident = 0;
    for _ in 0..RUNS {
        let started = Instant::now();
        let manager = Manager::start(place, "restart", None)?;
        let ready = started.elapsed().as_secs_f64();
        register(manager.sccp)?;
        times.push((started.elapsed().as_secs_f64(), ready));
        resident = manager.process.now().resident;
        manager.process.end()?;
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (registered, ready) = times[RUNS / 2];
    println!("\n{:52} {:>9}", "phones in the store", options.phones);
    println!("{:52} {:>9}", "first start, with the site file, and stop, s", short(first));
    println!("{:52} {:>9}", "start to \"ready\", s", short(ready));
    println!("{:52} {:>9}", "start to the first registered phone, s", short(registered));
    println!("{:52} {:>9}", "resident memory then, MiB", short(resident as f64 / f64::from(1 << 20)));
    let mut verdict = Verdict::new();
    verdict.most("seconds from the start to the first registered phone", registered, SECONDS);
    verdict.print();
    Ok(())
}

/// Registers the first phone of the site, and waits for the answer.
fn register(manager: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect(manager)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let register = message::Register {
        device_name: Text::new("SEP000000000001"),
        device_type: DeviceType::from(436),
        protocol_ver: 17,
        ..message::Register::default()
    };
    let mut bytes = Vec::new();
    Dialect::default().encode_station(&register.into(), &mut bytes);
    stream.write_all(&bytes)?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).context("no answer to Register")?;
    let [.., a, b, c, d] = answer;
    let id = u32::from_le_bytes([a, b, c, d]);
    ensure!(id == REGISTER_ACK, "the answer to Register is message {id:#06x}");
    Ok(())
}

const REGISTER_ACK: u32 = 0x0081;
