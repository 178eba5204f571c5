//! What a complete call allocates: the cost of a call is mostly looking things up, copying and allocating, and only the last
//! of these can be counted the same on every machine.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../examples/cost.rs"]
#[allow(dead_code, reason = "its other half is a command")]
mod cost;

use selsius_exchange::{Config, Exchange, WallClock};

const PHONES: u64 = 100;
/// The messages that phones get are a third of them; the rest is records, parties and faces.
const MOST: u64 = 160;

#[test]
fn a_call_allocates_little() {
    let mut exchange = Exchange::new(Config::default(), cost::site(PHONES), WallClock::default());
    for phone in 1..=PHONES {
        cost::register(&mut exchange, phone);
    }
    let mut calls = |from: u64| {
        let outputs: u64 = (from..from + PHONES).map(|at| cost::call(&mut exchange, PHONES, at)).sum();
        assert!(outputs > 50 * PHONES, "{outputs} outputs are no complete calls");
    };
    // The first time phones remember what they dialled, and queues grow to their size.
    calls(0);
    let counted = allocation_counter::measure(|| calls(PHONES));
    let each = counted.count_total / PHONES;
    assert!(each <= MOST, "{each} allocations a call, {} bytes", counted.bytes_total / PHONES);
    assert_eq!(counted.count_current, 0, "a call leaves nothing behind");
}
