//! Park: at the next free slot, at a chosen one, taken from there, and back to who parked.
#![allow(clippy::unwrap_used, reason = "a test")]

mod bench;

use std::time::Duration;

use bench::{Bench, office};
use selsius_exchange::{Input, SessionId};
use selsius_site::{NumberRange, Site};
use selsius_wire::value::SoftKey;

const PARK: u32 = 14;
const TRANSFER: u32 = 4;

fn slots(range: &str) -> Site {
    let mut site = office();
    site.parking.slots = vec![range.parse::<NumberRange>().unwrap()];
    site
}

/// Alice talks to Bob, who parks her at 701.
fn parked(bench: &mut Bench) -> [SessionId; 3] {
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    assert!(bench.keys(bob, 0).contains(&"Park"));
    bench.press_on(bob, SoftKey::from(PARK), 0);
    [alice, bob, carol]
}

#[test]
fn a_parked_call_is_taken_by_dialling_its_slot() {
    let mut bench = Bench::new(slots("701-702"));
    let [alice, bob, carol] = parked(&mut bench);
    assert_eq!(bench.notices(bob), ["Call park at 701"]);
    assert!(bench.states(bob).is_empty());
    assert_eq!(bench.states(alice), ["Connected"], "she waits");
    assert_eq!(bench.keys(alice, 0), ["Hold", "EndCall"]);
    assert_eq!(
        bench.heard(alice),
        ["CloseReceiveChannel", "StopMediaTransmission", "CallInfo 1001 to 701", "SelectSoftKeys 1"]
    );
    assert_eq!(bench.exchange.call_status()[0].phase, "parked");
    bench.off_hook(carol);
    bench.dial(carol, "701");
    assert_eq!(bench.states(carol), ["Connected"]);
    bench.open_audio(&[alice, carol]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.3:10000"));
    assert_eq!(bench.sends_to(carol).as_deref(), Some("10.0.0.1:10000"));
    let info = bench.view(carol).legs[0].info.clone().unwrap();
    assert_eq!((info.calling_number.as_str(), info.called_number.as_str()), ("1001", "1003"));
    bench.on_hook(carol);
    bench.assert_quiet();
    assert_eq!(bench.only_redirections(), ["park", "park-retrieve"]);
}

#[test]
fn slots_fill_and_are_free_again_when_the_caller_gives_up() {
    let mut bench = Bench::new(slots("701"));
    let [alice, bob, carol] = parked(&mut bench);
    bench.notices(bob);
    bench.talk(carol, bob, "1002");
    bench.press_on(bob, SoftKey::from(PARK), 0);
    assert_eq!(bench.notices(bob), ["No park number available"]);
    assert_eq!(bench.states(bob), ["Connected"]);
    bench.on_hook(alice);
    bench.press_on(bob, SoftKey::from(PARK), 0);
    assert_eq!(bench.notices(bob), ["Call park at 701"]);
    bench.on_hook(carol);
    bench.assert_quiet();
    assert_eq!(bench.ended().len(), 2);
}

#[test]
fn a_slot_is_chosen_by_code_or_by_transfer() {
    for consults in [false, true] {
        let mut bench = Bench::new(slots("701-709"));
        let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
        bench.talk(alice, bob, "1002");
        if consults {
            bench.press_on(bob, SoftKey::from(TRANSFER), 0);
            bench.dial(bob, "705");
        } else {
            bench.press_on(bob, SoftKey::Hold, 0);
            bench.off_hook(bob);
            bench.dial(bob, "*68705#");
        }
        assert_eq!(bench.notices(bob), ["Call park at 705"]);
        assert!(bench.states(bob).is_empty());
        bench.off_hook(carol);
        bench.dial(carol, "705");
        assert_eq!((bench.states(alice), bench.states(carol)), (vec!["Connected"], vec!["Connected"]));
        bench.on_hook(alice);
        bench.assert_quiet();
        assert_eq!(bench.only_redirections(), ["park", "park-retrieve"]);
    }
}

#[test]
fn a_call_that_nobody_takes_reminds_and_comes_back() {
    let mut bench = Bench::new(slots("701-709"));
    let [alice, bob, carol] = parked(&mut bench);
    let all = [alice, bob, carol];
    bench.notices(bob);
    bench.wait_alive(Duration::from_secs(65), &all);
    let heard = bench.heard(bob);
    let reminder = ["DisplayNotifyV2", "StartTone Zip"];
    assert!(heard.windows(2).any(|two| two == reminder), "{heard:?}");
    bench.wait_alive(Duration::from_secs(60), &all);
    assert_eq!(bench.notices(bob), ["Call park at 701"], "each minute");
    bench.wait_alive(Duration::from_secs(60), &all);
    assert_eq!((bench.states(bob), bench.states(alice)), (vec!["RingIn"], vec!["RingOut"]));
    assert_eq!(bench.view(bob).legs[0].prompt.to_plain(), "Callpark reversion 1001");
    bench.off_hook(bob);
    bench.open_audio(&[alice, bob]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.2:10000"));
    bench.on_hook(bob);
    bench.assert_quiet();
    assert_eq!(bench.only_redirections(), ["park", "park-return"]);
}

#[test]
fn a_parked_call_outlives_the_phone_that_parked_it() {
    let mut bench = Bench::new(slots("701-709"));
    let [alice, bob, carol] = parked(&mut bench);
    bench.close(bob);
    bench.wait_alive(Duration::from_secs(200), &[alice, carol]);
    assert_eq!(bench.states(alice), ["Connected"], "there is nobody to go back to: it waits");
    bench.phone("1002");
    bench.off_hook(carol);
    bench.dial(carol, "701");
    assert_eq!(bench.states(alice), ["Connected"]);
    assert_eq!(bench.states(carol), ["Connected"]);
    bench.on_hook(alice);
    assert_eq!(bench.only_redirections(), ["park", "park-retrieve"]);
}

#[test]
fn a_slot_that_the_site_no_longer_has_gives_its_call_back() {
    let mut bench = Bench::new(slots("701-709"));
    let [alice, bob, _] = parked(&mut bench);
    bench.input(Input::Site(Box::new(slots("801-809"))));
    bench.wait(Duration::ZERO);
    assert_eq!((bench.states(bob), bench.states(alice)), (vec!["RingIn"], vec!["RingOut"]));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn what_cannot_be_parked_or_taken_is_refused() {
    let mut bench = Bench::new(slots("701-702"));
    let [alice, bob, carol] = parked(&mut bench);
    bench.notices(bob);
    bench.off_hook(carol);
    bench.dial(carol, "702");
    assert_eq!(bench.notices(carol), ["Cannot retrieve parked call"]);
    bench.on_hook(carol);
    bench.off_hook(bob);
    bench.dial(bob, "*68#");
    assert_eq!(bench.notices(bob), ["Key is not active"], "there is nothing to park");
    bench.on_hook(bob);
    bench.talk(carol, bob, "1002");
    bench.press_on(bob, SoftKey::Hold, 0);
    bench.off_hook(bob);
    bench.dial(bob, "*68701#");
    assert_eq!(bench.notices(bob), ["Park slot unavailable"]);
    assert_eq!(bench.states(alice), ["Connected"]);
    bench.on_hook(alice);
    bench.on_hook(carol);
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn the_park_key_comes_and_goes_with_the_slots() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talk(alice, bob, "1002");
    assert!(!bench.keys(bob, 0).contains(&"Park"));
    bench.input(Input::Site(Box::new(slots("701"))));
    assert!(bench.keys(bob, 0).contains(&"Park"));
    assert_eq!(bench.heard(bob), ["SelectSoftKeys 1"], "the phone is told");
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn the_park_code_is_about_the_call_that_was_put_on_hold_last() {
    let mut bench = Bench::new(slots("701"));
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|number| bench.phone(number));
    bench.talk(alice, bob, "1002");
    bench.wait(Duration::from_secs(1));
    bench.press_on(bob, SoftKey::Hold, 0);
    bench.talk(carol, bob, "1002");
    bench.wait(Duration::from_secs(1));
    bench.press_on(bob, SoftKey::Resume, 0);
    assert_eq!(bench.states(bob), ["Connected", "Hold"]);
    bench.wait(Duration::from_secs(1));
    bench.press_on(bob, SoftKey::from(2), 0);
    bench.dial(bob, "*68701#");
    assert_eq!(bench.states(bob), ["Hold"], "Carol's");
    bench.on_hook(carol);
    assert_eq!(bench.exchange.call_status()[0].calling, "1001");
    assert_eq!(bench.exchange.call_status()[0].phase, "parked");
    bench.on_hook(alice);
    bench.assert_quiet();
}
