//! Decoding and encoding the twenty commonest messages with selsius-wire and with sccp-protocol, in one run on
//! the same frames. Times are the best of many batches, in nanoseconds for one message.

#[path = "../../frames.rs"]
mod frames;

use std::{hint::black_box, time::Instant};

use frames::{Case, Either, VERSION};
use sccp_protocol::{ClientMessage, Frame, ProtocolVersion, ServerMessage};
use selsius_wire::{Cut, DEFAULT_LIMIT, ManagerMessage, RawFrame, StationMessage, cut};

fn main() {
    let dialect = frames::dialect();
    let mut rows = Vec::new();
    for case in frames::commonest() {
        let context = dialect.context();
        let ours_decode = best(|| {
            let frame = raw(black_box(&case.bytes));
            match case.message {
                Either::Station(_) => drop(black_box(StationMessage::decode(frame, context))),
                Either::Manager(_) => drop(black_box(ManagerMessage::decode(frame, context))),
            }
        });
        let mut out = Vec::with_capacity(4096);
        let ours_encode = best(|| {
            out.clear();
            match black_box(&case.message) {
                Either::Station(message) => dialect.encode_station(message, &mut out),
                Either::Manager(message) => dialect.encode_manager(message, &mut out),
            }
            black_box(&out);
        });
        let (theirs_decode, theirs_encode) = peer(&case);
        rows.push((case, [Some(ours_decode), theirs_decode, Some(ours_encode), theirs_encode]));
    }

    println!("{:28} {:>5}  {:>24}  {:>24}", "", "", "decode, ns", "encode, ns");
    println!(
        "{:28} {:>5}  {:>7} {:>9} {:>6}  {:>7} {:>9} {:>6}",
        "message", "bytes", "selsius", "sccp-prot", "ratio", "selsius", "sccp-prot", "ratio"
    );
    for (case, times) in &rows {
        print_row(case.name, &(case.bytes.len() - 8).to_string(), *times);
    }
    // The sum over what both can do.
    let both =
        |at: usize| rows.iter().filter(move |(_, times)| times[at].is_some() && times[at | 1].is_some());
    let sum = |at: usize| Some(both(at & !1).filter_map(|(_, times)| times[at]).sum::<f64>());
    print_row("sum, where both can", "", [sum(0), sum(1), sum(2), sum(3)]);

    // Our own goals: 40 and 25 ns up to 44 bytes, and 1 ns for each byte beyond when decoding.
    for (case, times) in &rows {
        let beyond = (case.bytes.len() - 8).saturating_sub(44);
        let [Some(decode), _, Some(encode), _] = *times else { continue };
        let decode_goal = 40.0 + u32::try_from(beyond).map_or(0.0, f64::from);
        if decode > decode_goal {
            println!("beyond the goal: decode {} {decode:.0} ns > {decode_goal:.0} ns", case.name);
        }
        if beyond == 0 && encode > 25.0 {
            println!("beyond the goal: encode {} {encode:.0} ns > 25 ns", case.name);
        }
    }
}

fn print_row(name: &str, bytes: &str, [decode, peer_decode, encode, peer_encode]: [Option<f64>; 4]) {
    let time = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.1}"));
    let ratio = |ours: Option<f64>, theirs: Option<f64>| {
        ours.zip(theirs).map_or("-".to_owned(), |(ours, theirs)| format!("{:.1}", theirs / ours))
    };
    println!(
        "{name:28} {bytes:>5}  {:>7} {:>9} {:>6}  {:>7} {:>9} {:>6}",
        time(decode),
        time(peer_decode),
        ratio(decode, peer_decode),
        time(encode),
        time(peer_encode),
        ratio(encode, peer_encode)
    );
}

/// The other crate's times; its messages own their payload, so making the frame belongs to decoding it.
fn peer(case: &Case) -> (Option<f64>, Option<f64>) {
    let version = ProtocolVersion::new(u32::from(VERSION)).expect("a version that it knows");
    let frame = || {
        let raw = raw(black_box(&case.bytes));
        Frame::new(raw.header_version, raw.id, raw.body.to_vec())
    };
    match case.message {
        Either::Station(_) => {
            let Ok(message) = ClientMessage::decode_with_version(frame(), version) else {
                return (None, None);
            };
            let decode = best(|| drop(black_box(ClientMessage::decode_with_version(frame(), version))));
            let encode =
                message.encode(version).is_ok().then(|| best(|| drop(black_box(message.encode(version)))));
            (Some(decode), encode)
        }
        Either::Manager(_) => {
            let Ok(message) = ServerMessage::decode(frame(), version) else { return (None, None) };
            let decode = best(|| drop(black_box(ServerMessage::decode(frame(), version))));
            let encode =
                message.encode(version).is_ok().then(|| best(|| drop(black_box(message.encode(version)))));
            (Some(decode), encode)
        }
    }
}

fn raw(bytes: &[u8]) -> RawFrame<'_> {
    match cut(bytes, DEFAULT_LIMIT) {
        Ok(Cut::Frame { frame, .. }) => frame,
        other => unreachable!("a whole frame: {other:?}"),
    }
}

/// Nanoseconds for one call, the best of many batches of half a millisecond.
fn best(mut work: impl FnMut()) -> f64 {
    let mut rounds = 1_u32;
    let took = |rounds: u32, work: &mut dyn FnMut(u32)| {
        let started = Instant::now();
        work(rounds);
        started.elapsed()
    };
    let mut batch = |rounds: u32| (0..rounds).for_each(|_| work());
    while took(rounds, &mut batch).as_micros() < 500 {
        rounds *= 2;
    }
    let fastest = (0..60).map(|_| took(rounds, &mut batch)).min().unwrap_or_default();
    fastest.as_secs_f64() * 1e9 / f64::from(rounds)
}
