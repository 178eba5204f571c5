//! What the records of a call cost the store: `cargo run --release -p selsius-store --example records -- --calls 60000 --batch 60`.
//!
//! CPU time of all threads (`schedstat`), for batches of so many calls that began and ended within them, as at 3,000 short calls a
//! second; and for the same calls when they begin in one batch and end in the next, as calls do that last. Each line is a name, a
//! value and its unit.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command for developers")]

use std::{fs, process::ExitCode};

use selsius_exchange::{
    record::{
        CallEnded, CallId, CallQuality, CallStarted, CountedBy, EndCause, LegEnd, Mos, Party, Record,
        StreamFigures, WallTime,
    },
    remembered::DeviceState,
};
use selsius_store::Store;

/// Phones, each with a line of its own.
const PHONES: u64 = 18_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some((calls, batch)) = options() else {
        println!("usage: records [--calls N] [--batch N], each a number from 1");
        return ExitCode::from(2);
    };
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("data")).await.unwrap().store;
    let short = measured(&store, 1, calls, batch, Lasts::WithinABatch).await;
    println!("short {short:.2} µs/call");
    let long = measured(&store, 1 + calls, calls, batch, Lasts::IntoTheNext).await;
    println!("long {long:.2} µs/call");
    store.close().await.unwrap();
    ExitCode::SUCCESS
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lasts {
    WithinABatch,
    IntoTheNext,
}

/// From the command line; all have a default.
fn options() -> Option<(u64, usize)> {
    let (mut calls, mut batch) = (60_000, 60);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|number| number.parse().ok()).filter(|&number| number > 0)?;
        match word.as_str() {
            "--calls" => calls = number,
            "--batch" => batch = usize::try_from(number).ok()?,
            _ => return None,
        }
    }
    Some((calls, batch))
}

/// Microseconds of CPU that each of these calls takes.
async fn measured(store: &Store, first: u64, calls: u64, batch: usize, lasts: Lasts) -> f64 {
    let recorder = store.recorder();
    let began = cpu_time();
    let ids: Vec<u64> = (first..first + calls).collect();
    for ids in ids.chunks(batch) {
        for &id in ids {
            recorder.record(Record::CallStarted(started(id)));
            let state =
                DeviceState { last_dialed: number(called(id)).parse().ok(), ..DeviceState::default() };
            recorder.record(Record::DeviceState { device: name(calling(id)).parse().unwrap(), state });
        }
        if lasts == Lasts::IntoTheNext {
            store.flush().await.unwrap();
        }
        for &id in ids {
            recorder.record(Record::CallEnded(Box::new(ended(id))));
            for phone in [calling(id), called(id)] {
                recorder.record(Record::CallQuality(Box::new(quality(id, phone))));
            }
        }
        store.flush().await.unwrap();
    }
    (cpu_time() - began) / calls as f64
}

/// The phones of a call: each pair as seldom as the numbers allow, in no order.
fn calling(call: u64) -> u64 {
    call * 7919 % PHONES
}

fn called(call: u64) -> u64 {
    (call * 104_729 + 1) % PHONES
}

fn number(phone: u64) -> String {
    (200_000 + phone).to_string()
}

fn name(phone: u64) -> String {
    format!("SEP{phone:012X}")
}

fn party(phone: u64) -> Party {
    Party {
        number: number(phone),
        name: format!("Phone {phone}"),
        device: name(phone).parse().ok(),
        restricted: false,
    }
}

fn started(id: u64) -> CallStarted {
    CallStarted { call: CallId(id), calling: party(calling(id)), dialed: number(called(id)), started: at(id) }
}

fn ended(id: u64) -> CallEnded {
    CallEnded {
        call: CallId(id),
        calling: party(calling(id)),
        dialed: number(called(id)),
        called: party(called(id)),
        started: at(id),
        ringing: Some(at(id)),
        answered: Some(at(id)),
        ended: at(id),
        cause: EndCause::CallerHungUp,
        codec: "PCMU".into(),
        redirections: Vec::new(),
        account: String::new(),
        trunk: String::new(),
        recordings: Vec::new(),
    }
}

fn quality(id: u64, phone: u64) -> CallQuality {
    CallQuality {
        call: CallId(id),
        party: u32::from(phone == called(id)),
        number: number(phone),
        end: LegEnd::Phone(name(phone).parse().unwrap()),
        counted_by: CountedBy::Phone,
        codec: "PCMU".into(),
        figures: StreamFigures {
            packets_sent: 1500,
            packets_received: 1500,
            jitter_ms: 1,
            mos: Mos::from_hundredths(441),
            ..StreamFigures::default()
        },
    }
}

/// 3,000 calls a second.
fn at(id: u64) -> WallTime {
    WallTime(1_700_000_000_000_000 + id.cast_signed() * 333)
}

/// Microseconds that the threads of this process have run.
fn cpu_time() -> f64 {
    let nanos = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("schedstat")).unwrap();
        stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap()
    };
    fs::read_dir("/proc/self/task").unwrap().flatten().map(nanos).sum::<f64>() / 1e3
}
