//! Pickup: of the own group, of other groups, directed.
#![allow(clippy::unwrap_used, reason = "a test")]

mod bench;

use std::time::Duration;

use bench::{Bench, office};
use selsius_exchange::SessionId;
use selsius_site::{PickupGroup, Site};
use selsius_wire::value::SoftKey;

const PICKUP: u32 = 17;
const GROUP_PICKUP: u32 = 18;

/// Alice and Bob sell, Carol buys, Dave is in no group. Who buys may take the calls of who sells.
fn groups() -> Site {
    let mut site = office();
    let buyers = PickupGroup { others: vec!["sales".parse().unwrap()] };
    site.pickup_groups.insert("sales".parse().unwrap(), PickupGroup::default());
    site.pickup_groups.insert("buyers".parse().unwrap(), buyers);
    for (number, group) in [("1001", "sales"), ("1002", "sales"), ("1003", "buyers")] {
        site.lines.get_mut(&number.parse().unwrap()).unwrap().pickup_group = Some(group.parse().unwrap());
    }
    site
}

fn press(bench: &mut Bench, phone: SessionId, key: u32) {
    bench.press(phone, SoftKey::from(key));
}

#[test]
fn a_call_of_the_own_group_is_taken_from_an_idle_phone() {
    let mut bench = Bench::new(groups());
    let (alice, bob, dave) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1004"));
    bench.off_hook(dave);
    bench.dial(dave, "1001");
    bench.heard(alice);
    bench.heard(dave);
    press(&mut bench, bob, PICKUP);
    // As an answer of its own (4.1 capture, frames 141 to 153).
    assert_eq!(
        bench.media(bob, 2, 10_000),
        [
            "SetSpeakerMode On",
            "SetLamp 1 On",
            "CallState OffHook",
            "ActivateCallPlane",
            "SelectSoftKeys 3",
            "Prompt From 1004",
            "CallInfo 1004 to 1002",
            "SetRinger RingOff",
            "StopTone",
            "OpenReceiveChannel",
            "StopTone",
            "CallState Connected",
            "SelectSoftKeys 1",
            "Prompt Connected",
            "CallInfo 1004 to 1002",
        ]
    );
    let heard = bench.heard(alice);
    let position = |what: &str| heard.iter().position(|line| line == what);
    let (up, down) = (position("CallState Connected"), position("CallState OnHook"));
    assert!(up.is_some() && up < down, "no missed call is logged: {heard:?}");
    assert!(bench.states(alice).is_empty());
    let heard = bench.media(dave, 4, 10_000);
    assert!(heard.contains(&"CallInfo 1004 to 1002".into()), "Dave sees who has taken it: {heard:?}");
    bench.open_audio(&[bob, dave]);
    assert_eq!(bench.sends_to(dave).as_deref(), Some("10.0.0.2:10000"));
    let info = bench.view(bob).legs[0].info.clone().unwrap();
    assert_eq!((info.last_redirecting_number.as_str(), info.last_redirect_reason), ("1001", 5));
    bench.on_hook(bob);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!(ended[0].called.number, "1002");
    let [pickup] = &ended[0].redirections[..] else { panic!("{ended:?}") };
    assert_eq!((pickup.kind.name(), pickup.by.number.as_str()), ("pickup", "1001"));
}

#[test]
fn the_call_that_rings_longest_is_taken_first() {
    let mut bench = Bench::new(groups());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let (carol, dave) = (bench.phone("1003"), bench.phone("1004"));
    bench.off_hook(dave);
    bench.dial(dave, "1001");
    bench.wait(Duration::from_secs(1));
    bench.off_hook(carol);
    bench.dial(carol, "1001");
    assert_eq!(bench.states(alice).len(), 2);
    press(&mut bench, bob, PICKUP);
    assert_eq!((bench.states(dave), bench.states(carol)), (vec!["Connected"], vec!["RingOut"]));
    press(&mut bench, bob, PICKUP);
    assert_eq!(bench.states(bob), ["Hold", "Connected"], "the first one waits");
    assert_eq!(bench.states(carol), ["Connected"]);
    bench.on_hook(carol);
    bench.on_hook(dave);
    bench.assert_quiet();
}

#[test]
fn other_groups_are_picked_up_where_that_is_allowed() {
    let mut bench = Bench::new(groups());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let (carol, dave) = (bench.phone("1003"), bench.phone("1004"));
    bench.off_hook(dave);
    bench.dial(dave, "1001");
    press(&mut bench, carol, PICKUP);
    assert_eq!(bench.notices(carol), ["No call available for pickup"]);
    press(&mut bench, bob, GROUP_PICKUP);
    assert_eq!(bench.notices(bob), ["No call available for pickup"], "sales may not take others' calls");
    bench.off_hook(carol);
    assert!(bench.keys(carol, 0).contains(&"GPickUp"));
    press(&mut bench, carol, GROUP_PICKUP);
    assert_eq!(bench.states(carol), ["Connected"], "with the call that was being dialled");
    assert!(bench.states(alice).is_empty());
    bench.on_hook(carol);
    bench.assert_quiet();
    assert_eq!(bench.only_redirections(), ["pickup"]);
}

#[test]
fn codes_pick_up_as_keys_do() {
    for (who, code) in [("1002", "*84"), ("1003", "*88"), ("1003", "*871001#"), ("1003", "*871001")] {
        let mut bench = Bench::new(groups());
        let (alice, dave) = (bench.phone("1001"), bench.phone("1004"));
        let picker = bench.phone(who);
        bench.off_hook(dave);
        bench.dial(dave, "1001");
        bench.off_hook(picker);
        bench.dial(picker, code);
        bench.wait(Duration::from_secs(7));
        assert_eq!(bench.states(picker), ["Connected"], "{code}");
        assert_eq!(bench.states(alice), [""; 0], "{code}");
        bench.open_audio(&[picker, dave]);
        assert!(bench.sends_to(picker).is_some() && bench.sends_to(dave).is_some());
        bench.on_hook(picker);
        bench.assert_quiet();
        assert_eq!(bench.only_redirections(), ["pickup"], "the code itself is no call");
    }
}

#[test]
fn without_a_call_a_pickup_is_refused() {
    let mut bench = Bench::new(groups());
    let (bob, dave) = (bench.phone("1002"), bench.phone("1004"));
    bench.off_hook(bob);
    bench.dial(bob, "*84");
    assert_eq!(bench.notices(bob), ["No call available for pickup"]);
    assert_eq!(bench.states(bob), ["Congestion"]);
    bench.on_hook(bob);
    press(&mut bench, dave, PICKUP);
    assert_eq!(bench.notices(dave), ["No call available for pickup"], "Dave is in no group");
    bench.assert_quiet();
    assert!(bench.ended().is_empty());
}

#[test]
fn nobody_picks_up_their_own_call() {
    let mut bench = Bench::new(groups());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(bob);
    bench.dial(bob, "1001");
    press(&mut bench, bob, PICKUP);
    assert_eq!(bench.states(bob), ["RingOut"]);
    press(&mut bench, alice, PICKUP);
    assert_eq!(bench.states(alice), ["RingIn"], "what rings here is answered, not picked up");
    bench.on_hook(bob);
    bench.assert_quiet();
}
