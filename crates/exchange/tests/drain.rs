//! Before the manager is stopped: calls go on, new ones are refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod bench;

use bench::{Bench, office};
use selsius_exchange::{Input, Limits, record::EndCause};
use selsius_wire::value::SoftKey;

#[test]
fn calls_go_on_and_new_ones_are_refused_but_emergency_calls() {
    let mut bench = Bench::new(office());
    let [alice, bob, carol, dave] = ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number));
    bench.talk(alice, bob, "1002");
    assert!(bench.exchange.has_calls());
    bench.input(Input::Drain);
    bench.off_hook(carol);
    bench.dial(carol, "1004");
    let causes = |bench: &mut Bench| bench.ended().iter().map(|call| call.cause).collect::<Vec<_>>();
    assert_eq!(causes(&mut bench), [EndCause::Shutdown]);
    assert_eq!(bench.states(dave), [""; 0], "nobody rings");
    bench.on_hook(carol);

    bench.off_hook(carol);
    bench.dial(carol, "112");
    assert_eq!(bench.states(dave), ["RingIn"], "an emergency call goes through");
    bench.on_hook(carol);
    assert_eq!(causes(&mut bench), [EndCause::CallerHungUp]);

    // A call that goes on may be transferred.
    bench.press(alice, SoftKey::Transfer);
    bench.dial(alice, "1003");
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.press(alice, SoftKey::Transfer);
    bench.off_hook(carol);
    assert!(bench.exchange.has_calls());
    bench.on_hook(bob);
    assert!(!bench.exchange.has_calls(), "{:?}", bench.exchange.call_status());
}

#[test]
fn a_call_that_is_over_is_none_though_its_tone_sounds() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    assert!(bench.exchange.has_calls(), "somebody dials");
    bench.dial(alice, "1002");
    assert_eq!((bench.exchange.has_calls(), bench.exchange.sizes().calls), (false, 1));
}

#[test]
fn other_limits_hold_at_once() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    bench.exchange.set_limits(Limits { digits: 2, ..Limits::default() });
    bench.off_hook(alice);
    bench.dial(alice, "112");
    assert_eq!(bench.ended().pop().unwrap().cause, EndCause::UnknownNumber);
}
