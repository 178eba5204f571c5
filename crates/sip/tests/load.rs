//! Many calls at once, both ways: all of them complete. What they cost is printed (`cargo test --release -p selsius-sip
//! --test load -- --nocapture`).

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it found")]

mod common;

use std::{collections::BTreeSet, time::Duration};

use common::{Bed, Sipp, free_port, has_sipp};
use rustix::time::{ClockId, clock_gettime};
use selsius_exchange::{TrunkEvent, TrunkOrder};
use selsius_sip::{Limits, TrunkConfig};
use tokio::time::timeout;

const A_SECOND: u32 = 200;
const CALLS: u32 = 5 * A_SECOND;

/// On a busy machine messages come again; SIPp would end calls over the copies.
const LENIENT: &[&str] = &["-default_behaviors", "all,-abortunexp"];

fn trunk(port: u16) -> TrunkConfig {
    let limits = Limits { calls: 2000, rate: 1000 };
    TrunkConfig { port: Some(port), limits, ..TrunkConfig::peer("carrier", "127.0.0.1") }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.try_into().unwrap())
}

fn report(way: &str, before: Duration) {
    let each = (cpu() - before) / CALLS;
    eprintln!("{CALLS} calls {way} at {A_SECOND} a second: {} µs of CPU each", each.as_micros());
}

// One test, since CPU time is counted for the whole process.
#[tokio::test]
async fn two_hundred_calls_a_second_complete() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-answer", port, &[&["-m", &CALLS.to_string()], LENIENT].concat());
    let mut bed = Bed::with(trunk(port)).await;
    let before = cpu();
    let mut beat = tokio::time::interval(Duration::from_secs(1) / A_SECOND);
    let mut open = BTreeSet::new();
    let (mut begun, mut answered) = (0, 0);
    while begun < CALLS || !open.is_empty() {
        tokio::select! {
            _ = beat.tick(), if begun < CALLS => {
                open.insert(bed.call("+4930555", true));
                begun += 1;
            }
            event = bed.settles() => match event {
                TrunkEvent::Answered { leg, .. } => {
                    answered += 1;
                    open.remove(&leg);
                    bed.hang_up(leg);
                }
                other => panic!("{other:?}"),
            },
        }
    }
    carrier.succeeds().await;
    assert_eq!(answered, CALLS);
    report("out", before);

    let mut bed = Bed::with(trunk(port)).await;
    let (calls, rate) = (CALLS.to_string(), A_SECOND.to_string());
    let more = [&["-m", &calls, "-r", &rate, "-l", "2000"], LENIENT].concat();
    let mut carrier = Sipp::calls("uac-bye", free_port(), bed.address(), &more);
    let before = cpu();
    let (mut offered, mut open) = (0, BTreeSet::new());
    loop {
        match timeout(Duration::from_secs(1), bed.settles()).await {
            Ok(TrunkEvent::Offer { leg, .. }) => {
                offered += 1;
                open.insert(leg);
                bed.order(TrunkOrder::Ringing { leg });
                bed.answer(leg);
            }
            Ok(TrunkEvent::HungUp { leg, .. }) => assert!(open.remove(&leg)),
            Ok(other) => panic!("{other:?}"),
            Err(_) if carrier.has_ended() => break,
            Err(_) => {}
        }
    }
    // On a machine that is too busy for it SIPp forgets some of its calls.
    let few = usize::try_from(CALLS / 20).unwrap();
    assert!(
        offered >= CALLS - CALLS / 20 && open.len() <= few,
        "{offered} calls came, {} did not end",
        open.len()
    );
    report("in", before);
    assert_eq!(bed.handle.figures(), selsius_sip::Figures::default());
}
