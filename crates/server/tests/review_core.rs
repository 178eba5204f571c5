//! The sockets' thread against phones that do not behave: nothing grows, nothing stays.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use selsius_exchange::{Config, Rate};
use selsius_server::core::{self, Command, Limits, NetworkCounters, Running, Start};
use selsius_site::{Device, Site};
use selsius_store::Remembered;
use selsius_wire::{
    Dialect, StationMessage, message,
    value::{DeviceType, Text},
};

const NAME: &str = "SEP000000000001";

fn start(limits: Limits) -> Running {
    let mut site = Site::default();
    site.devices.insert(NAME.parse().unwrap(), Device::default());
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let (exchange, remembered) = (Config::default(), Remembered::default());
    core::start(Start { listen, dscp: 0, exchange, site, remembered, limits }, Box::new(|_| true)).unwrap()
}

/// Limits of a manager that lets phones say as much as they like, to see the other limits.
fn talkative() -> Limits {
    Limits { message_rate: Rate::per_second(1_000_000, 1_000_000), ..Limits::default() }
}

fn bytes(message: impl Into<StationMessage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Dialect::default().encode_station(&message.into(), &mut bytes);
    bytes
}

fn register(name: &str) -> Vec<u8> {
    bytes(message::Register {
        device_name: Text::new(name.as_bytes()),
        device_type: DeviceType::from(7_u32),
        protocol_ver: 3,
        ..message::Register::default()
    })
}

fn network(running: &Running) -> NetworkCounters {
    let (answer, wait) = tokio::sync::oneshot::channel();
    running.handle.send(Command::Counts(answer)).unwrap();
    wait.blocking_recv().unwrap().network
}

/// Asks until it is so; a manager that never gets there fails the test.
fn until(running: &Running, what: impl Fn(&NetworkCounters) -> bool) -> NetworkCounters {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let counters = network(running);
        if what(&counters) {
            return counters;
        }
        assert!(Instant::now() < deadline, "{counters:?}");
        std::thread::yield_now();
    }
}

fn stop(running: Running) {
    running.handle.send(Command::Stop).unwrap();
    running.thread.join().unwrap();
}

/// It asks for long answers and reads none: dropped as soon as more than the limit is waiting for it, although its
/// socket never becomes writable again.
#[test]
fn a_phone_that_asks_and_does_not_read_is_dropped() {
    let running = start(Limits { unread: 64 * 1024, ..talkative() });
    let mut phone = TcpStream::connect(running.addresses[0]).unwrap();
    phone.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    phone.write_all(&register(NAME)).unwrap();
    let questions = bytes(message::SoftKeySetReq).repeat(1000);
    let dropped = (0..1000).any(|_| phone.write_all(&questions).is_err());
    assert!(dropped, "800 MB of answers were not too much");
    assert_eq!(until(&running, |counters| counters.connections == 0).slow, 1);
    stop(running);
}

/// What was to be closed after its last bytes is closed even if nobody takes them.
#[test]
fn a_connection_that_is_being_closed_does_not_stay() {
    let limits = Limits { unread: 64 * 1024 * 1024, linger: Duration::from_millis(1), ..talkative() };
    let running = start(limits);
    let mut phone = TcpStream::connect(running.addresses[0]).unwrap();
    phone.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    phone.write_all(&register(NAME)).unwrap();
    // Far more than both sockets' buffers take.
    phone.write_all(&bytes(message::SoftKeySetReq).repeat(20_000)).unwrap();
    // It registers as somebody unknown: rejected, and closed after what it has not read.
    phone.write_all(&register("SEP0000000000FF")).unwrap();
    until(&running, |counters| counters.connections == 0);
    stop(running);
}

#[test]
fn a_rejected_phone_reads_why_whatever_it_said_behind_register() {
    let running = start(Limits::default());
    for _ in 0..50 {
        let mut phone = TcpStream::connect(running.addresses[0]).unwrap();
        let mut said = register("SEP0000000000FF");
        said.extend(bytes(message::KeepAlive).repeat(2000));
        phone.write_all(&said).unwrap();
        let mut heard = Vec::new();
        // A reset after the last byte is no loss.
        let _ = phone.read_to_end(&mut heard);
        assert!(heard.windows(14).any(|window| window == b"unknown device"), "{heard:?}");
    }
    stop(running);
}

/// More than one turn takes, and all at once.
#[test]
fn a_storm_of_connections_is_taken_to_the_last_one() {
    let running = start(Limits { unregistered_per_address: 1000, ..Limits::default() });
    let storm: Vec<_> = (0..500).map(|_| TcpStream::connect(running.addresses[0]).unwrap()).collect();
    until(&running, |counters| counters.connections == storm.len());
    drop(storm);
    until(&running, |counters| counters.connections == 0);
    stop(running);
}

/// A burst longer than one read, and the end right behind it.
#[test]
fn what_came_before_the_end_is_heard() {
    let running = start(talkative());
    let mut phone = TcpStream::connect(running.addresses[0]).unwrap();
    phone.write_all(&bytes(message::KeepAlive).repeat(5000)).unwrap();
    phone.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = phone.read_to_end(&mut Vec::new());
    until(&running, |counters| counters.accepted == 1 && counters.connections == 0);
    let (answer, wait) = tokio::sync::oneshot::channel();
    running.handle.send(Command::Counts(answer)).unwrap();
    assert_eq!(wait.blocking_recv().unwrap().counters.messages_in, 5000);
    stop(running);
}
