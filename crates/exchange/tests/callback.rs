//! Callback: when the called line is free, or its user is back.

mod bench;

use std::time::Duration;

use bench::{Bench, office};
use selsius_site::Line;
use selsius_wire::value::SoftKey;

const CALLBACK: u32 = 20;

#[test]
fn a_busy_line_calls_back_when_it_is_free() {
    let mut site = office();
    site.lines.insert("1002".parse().unwrap(), Line { busy_trigger: 1, ..Line::default() });
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(carol, bob, "1002");
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.states(alice), ["Busy"]);
    assert!(bench.keys(alice, 0).contains(&"CallBack"));
    bench.press_on(alice, SoftKey::from(CALLBACK), 0);
    assert_eq!(bench.notices(alice), ["CallBack: waiting for 1002"]);
    bench.on_hook(alice);
    assert!(bench.states(alice).is_empty(), "Bob still talks");
    bench.on_hook(carol);
    assert_eq!(bench.states(alice), ["RingIn"]);
    assert_eq!(bench.exchange.call_status()[0].phase, "callback");
    assert_eq!(bench.view(alice).legs[0].prompt.to_plain(), "CallBack: 1002 is free");
    bench.off_hook(alice);
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["RingOut"], vec!["RingIn"]));
    bench.off_hook(bob);
    bench.open_audio(&[alice, bob]);
    assert!(bench.sends_to(alice).is_some());
    bench.on_hook(alice);
    bench.assert_quiet();
    assert_eq!(bench.ended().len(), 3, "the busy call, the one that it waited for, and the one called back");
}

#[test]
fn somebody_who_does_not_answer_is_called_when_he_is_back() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.press_on(alice, SoftKey::from(CALLBACK), 0);
    bench.on_hook(alice);
    assert!(bench.states(alice).is_empty(), "that his phone is free says nothing of him");
    bench.off_hook(bob);
    bench.on_hook(bob);
    assert_eq!(bench.states(alice), ["RingIn"], "he has used it");
    bench.heard(alice);
    bench.wait_alive(Duration::from_secs(21), &[alice, bob]);
    assert!(bench.states(alice).is_empty(), "she is not there in turn");
    let heard = bench.heard(alice);
    assert!(heard.contains(&"CallState Connected".into()), "no missed call: {heard:?}");
    bench.off_hook(bob);
    bench.on_hook(bob);
    assert!(bench.states(alice).is_empty(), "it was offered once");
    bench.assert_quiet();
}

#[test]
fn a_phone_that_comes_back_calls_back_by_code() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.on_hook(alice);
    bench.off_hook(alice);
    bench.dial(alice, "*66#");
    assert_eq!(bench.notices(alice), ["CallBack: waiting for 1002"]);
    assert!(bench.states(alice).is_empty());
    let bob = bench.phone("1002");
    assert_eq!(bench.states(alice), ["RingIn"]);
    bench.off_hook(alice);
    assert_eq!(bench.states(bob), ["RingIn"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn pressed_again_it_is_cancelled() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.press_on(alice, SoftKey::from(CALLBACK), 0);
    bench.press_on(alice, SoftKey::from(CALLBACK), 0);
    assert_eq!(bench.notices(alice), ["CallBack: waiting for 1002", "CallBack: 1002 cancelled"]);
    bench.on_hook(alice);
    bench.off_hook(bob);
    bench.on_hook(bob);
    assert!(bench.states(alice).is_empty());
    bench.assert_quiet();
}

#[test]
fn a_callback_expires() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.press_on(alice, SoftKey::from(CALLBACK), 0);
    bench.on_hook(alice);
    bench.wait_alive(Duration::from_secs(8 * 3600), &[alice, bob]);
    bench.off_hook(bob);
    bench.on_hook(bob);
    assert!(bench.states(alice).is_empty());
    bench.assert_quiet();
}

#[test]
fn there_is_no_callback_from_what_is_no_line() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "1999");
    assert!(!bench.keys(alice, 0).contains(&"CallBack"));
    bench.press_on(alice, SoftKey::from(CALLBACK), 0);
    assert_eq!(bench.notices(alice), ["Key is not active"]);
    bench.on_hook(alice);
    bench.off_hook(alice);
    bench.dial(alice, "*661001#");
    assert_eq!(bench.notices(alice), ["Key is not active"], "nor from oneself");
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn whom_a_call_was_transferred_to_is_called_back() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    bench.press_on(bob, SoftKey::from(4), 0);
    bench.dial(bob, "1003");
    bench.press_on(bob, SoftKey::from(4), 1);
    assert_eq!(bench.states(alice), ["RingOut"]);
    bench.press_on(alice, SoftKey::from(CALLBACK), 0);
    assert_eq!(bench.notices(alice), ["CallBack: waiting for 1003"]);
    bench.on_hook(alice);
    bench.off_hook(carol);
    bench.on_hook(carol);
    assert_eq!(bench.states(alice), ["RingIn"]);
    bench.wait(Duration::from_secs(20));
    bench.assert_quiet();
}
