//! What a call, a keepalive, a dialled number and an idle phone cost the exchange alone, without sockets:
//! `cargo run --release -p selsius-exchange --example cost -- --phones 18000 --calls 20000 --runs 9`.
//!
//! Times are CPU time (`/proc/thread-self/schedstat`), the medians of the runs, so that what else runs on the machine spoils
//! few of them. Each line is a name, a value and its unit, which `cargo xtask bench` reads. What a call allocates is in
//! `tests/allocations.rs`, since counting costs time.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command for developers")]

use std::{
    fs,
    hint::black_box,
    mem,
    net::{IpAddr, SocketAddr},
    process::ExitCode,
};

use selsius_exchange::{Config, Exchange, Input, Output, Peer, SessionId, Time, WallClock};
use selsius_site::{Button, Device, Line, LineNumber, Site};
use selsius_wire::{
    Cut, DEFAULT_LIMIT, Dialect, ManagerMessage, RawFrame, StationMessage, cut, message,
    value::{Codec, DeviceType, KeypadKey, Text},
};

/// Of the phones: one of the models and versions that are met most.
const DEVICE_TYPE: u32 = 436;
const VERSION: u8 = 17;
/// Each number has so many digits.
const FIRST_NUMBER: u64 = 200_000;

struct Options {
    phones: u64,
    calls: u64,
    runs: usize,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        println!("usage: cost [--phones N] [--calls N] [--runs N], each a number from 1");
        return ExitCode::from(2);
    };
    let empty = resident();
    let site = site(options.phones);
    let with_site = resident();
    println!("site {} bytes/phone", (with_site - empty) / options.phones);

    let mut exchange = Exchange::new(Config::default(), site, WallClock::default());
    let started = cpu_time();
    let mut dialect = Dialect::default();
    for phone in 1..=options.phones {
        dialect = register(&mut exchange, phone);
    }
    println!("registration {:.2} µs", (cpu_time() - started) / options.phones as f64);
    println!("exchange {} bytes/phone", resident().saturating_sub(with_site) / options.phones);

    keepalives(&mut exchange, &options, &dialect);
    digits(&exchange, &options);
    calls(&mut exchange, &options);
    ExitCode::SUCCESS
}

/// From the command line; all have a default.
fn options() -> Option<Options> {
    let mut options = Options { phones: 18_000, calls: 20_000, runs: 9 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|number| number.parse::<u64>().ok()).filter(|&number| number > 0);
        match (word.as_str(), number) {
            ("--phones", Some(number)) => options.phones = number.max(2),
            ("--calls", Some(number)) => options.calls = number,
            ("--runs", Some(number)) => options.runs = usize::try_from(number).unwrap(),
            _ => return None,
        }
    }
    Some(options)
}

/// An office in which each phone has a line of its own.
pub(crate) fn site(phones: u64) -> Site {
    let mut site = Site::default();
    for phone in 1..=phones {
        let number = number(phone);
        site.lines.insert(number.clone(), Line { name: format!("User {phone}"), ..Line::default() });
        let buttons = vec![Button::Line { number, label: String::new() }];
        site.devices.insert(name(phone).parse().unwrap(), Device { buttons, ..Device::default() });
    }
    site
}

/// A phone registers and asks until it is ready. Gives its dialect.
pub(crate) fn register(exchange: &mut Exchange, phone: u64) -> Dialect {
    let peer = Peer {
        remote: SocketAddr::new(address(phone), 50_000),
        local: SocketAddr::from(([10, 0, 0, 1], 2000)),
    };
    exchange.handle(Time::ZERO, Input::Opened { session: SessionId(phone), peer });
    let register = message::Register {
        device_name: Text::new(name(phone).as_bytes()),
        device_type: DeviceType::from(DEVICE_TYPE),
        protocol_ver: VERSION,
        ..message::Register::default()
    };
    say(exchange, phone, register);
    let codecs =
        [Codec::G711Ulaw64k, Codec::G711Alaw64k].map(|codec| message::AudioCapability::new(codec, 40));
    say(exchange, phone, message::CapabilitiesRes::new(&codecs));
    say(exchange, phone, message::TimeDateReq);
    let mut spoken = None;
    while let Some(output) = exchange.poll_output() {
        if let Output::Dialect { dialect, .. } = output {
            spoken = Some(dialect);
        }
    }
    spoken.expect("the phone is accepted")
}

/// A KeepAlive from its bytes to the bytes of its answer, and the same without the exchange.
fn keepalives(exchange: &mut Exchange, options: &Options, dialect: &Dialect) {
    let mut bytes = Vec::new();
    dialect.encode_station(&message::KeepAlive.into(), &mut bytes);
    let context = dialect.context();
    let decode = |bytes: &[u8]| StationMessage::decode(frame(black_box(bytes)), context).unwrap().message;
    let mut out = Vec::with_capacity(64);
    // The clock moves in steps of some milliseconds.
    let count = 25 * options.calls;
    let bare = median(options.runs, count, |_| {
        black_box(decode(&bytes));
        out.clear();
        dialect.encode_manager(black_box(&message::KeepAliveAck.into()), &mut out);
    });
    let whole = median(options.runs, count, |at| {
        let session = SessionId(at % options.phones + 1);
        let message = decode(&bytes);
        exchange.handle(Time::ZERO, Input::Message { session, message });
        out.clear();
        while let Some(output) = exchange.poll_output() {
            if let Output::Send { message, .. } = output {
                dialect.encode_manager(&message, &mut out);
            }
        }
        black_box(&out);
    });
    println!("keepalive_bare {:.1} ns", bare * 1e3);
    println!("keepalive {:.1} ns", whole * 1e3);
}

/// Where the digits of a whole number lead, asked at each of them.
fn digits(exchange: &Exchange, options: &Options) {
    let numbers: Vec<String> =
        (0..4096).map(|at| number(at * 7919 % options.phones + 1).as_str().to_owned()).collect();
    let each = median(options.runs, options.calls, |at| {
        let number = &numbers[usize::try_from(at).unwrap() % numbers.len()];
        for end in 1..=number.len() {
            assert_eq!(exchange.reaches(black_box(&number[..end])), end == number.len());
        }
    });
    println!("digit {:.1} ns", each * 1e3 / 6.0);
}

/// Complete calls. A profiler finds them by this name: `valgrind --tool=callgrind --toggle-collect=cost::calls`.
#[inline(never)]
fn calls(exchange: &mut Exchange, options: &Options) {
    let mut outputs = 0;
    let each = median(options.runs, options.calls, |at| outputs += call(exchange, options.phones, at));
    println!("call {each:.2} µs");
    println!("outputs {:.1} /call", outputs as f64 / options.calls as f64 / options.runs as f64);
}

/// A complete call, one of many between the phones: dialled digit by digit, answered, audio both ways, hung up. Gives how
/// many outputs it made.
pub(crate) fn call(exchange: &mut Exchange, phones: u64, at: u64) -> u64 {
    let caller = at % (phones / 2) + 1;
    let called = caller + phones / 2;
    let mut seen = Seen::default();
    say(exchange, caller, message::OffHook::default());
    let mut outputs = take(exchange, &mut seen);
    for digit in number(called).as_str().bytes() {
        let kp_button = KeypadKey::from(u32::from(digit - b'0'));
        say(exchange, caller, message::KeypadButton { kp_button, ..message::KeypadButton::default() });
        outputs += take(exchange, &mut seen);
    }
    say(exchange, called, message::OffHook::default());
    outputs += take(exchange, &mut seen);
    for (phone, party) in mem::take(&mut seen.opened) {
        let ack = message::OpenReceiveChannelAck {
            ip_addr: address(phone).into(),
            port_number: 20_000,
            pass_through_party_id: party,
            ..message::OpenReceiveChannelAck::default()
        };
        say(exchange, phone, ack);
        outputs += take(exchange, &mut seen);
    }
    assert_eq!(seen.transmits, 2, "both phones talk");
    for phone in [caller, called] {
        say(exchange, phone, message::OnHook::default());
        outputs += take(exchange, &mut seen);
    }
    outputs
}

/// What was wanted of the phones of a call.
#[derive(Default)]
struct Seen {
    /// The channels to be opened, and by whom.
    opened: Vec<(u64, u32)>,
    /// Phones that were told where to send.
    transmits: u32,
}

/// Takes all outputs, as a driver does after each input.
fn take(exchange: &mut Exchange, seen: &mut Seen) -> u64 {
    let mut outputs = 0;
    while let Some(output) = exchange.poll_output() {
        outputs += 1;
        let Output::Send { session, message } = output else { continue };
        match message {
            ManagerMessage::OpenReceiveChannel(open) => {
                seen.opened.push((session.0, open.pass_through_party_id));
            }
            ManagerMessage::StartMediaTransmission(_) => seen.transmits += 1,
            _ => {}
        }
    }
    outputs
}

fn say(exchange: &mut Exchange, phone: u64, message: impl Into<StationMessage>) {
    exchange.handle(Time::ZERO, Input::Message { session: SessionId(phone), message: message.into() });
}

/// Where a phone is, and listens.
fn address(phone: u64) -> IpAddr {
    let [.., a, b, c] = phone.to_be_bytes();
    IpAddr::from([10, 1 + a, b, c])
}

fn name(phone: u64) -> String {
    format!("SEP{phone:012X}")
}

fn number(phone: u64) -> LineNumber {
    (FIRST_NUMBER + phone).to_string().parse().unwrap()
}

fn frame(bytes: &[u8]) -> RawFrame<'_> {
    match cut(bytes, DEFAULT_LIMIT) {
        Ok(Cut::Frame { frame, .. }) => frame,
        other => unreachable!("a whole frame: {other:?}"),
    }
}

/// Microseconds of one of `count` pieces of work, the median of so many runs.
fn median(runs: usize, count: u64, mut work: impl FnMut(u64)) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let started = cpu_time();
            (0..count).for_each(&mut work);
            (cpu_time() - started) / count as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

/// Microseconds that this thread has run.
fn cpu_time() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap() / 1e3
}

/// Resident memory in bytes, where Linux tells it.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
