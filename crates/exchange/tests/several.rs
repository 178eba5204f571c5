//! Several calls on one phone: call waiting, hold, transfer, conference, shared lines.

#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use std::time::Duration;

use bench::{Bench, edit_phone, office};
use selsius_exchange::{AnchorOrder, SessionId, record::EndCause};
use selsius_site::{Button, Device, Line, Site};
use selsius_wire::{
    message,
    value::{SoftKey, StimulusType},
};

fn line_key(bench: &mut Bench, phone: SessionId, line: u32) {
    let key = message::Stimulus {
        stimulus: StimulusType::Line,
        line_instance: line,
        ..message::Stimulus::default()
    };
    bench.say(phone, key);
}

/// Key of the template that CallManager 4.1 has no name for in the wire crate.
fn key(event: u32) -> SoftKey {
    SoftKey::from(event)
}

const TRANSFER: u32 = 4;
const CONFERENCE: u32 = 13;
const JOIN: u32 = 15;
const BARGE: u32 = 21;
const CONFERENCE_BARGE: u32 = 25;
const DIRECT_TRANSFER: u32 = 28;
const SELECT: u32 = 29;
const PRIVATE_HOLD: u32 = 24;

#[test]
fn a_second_call_waits_and_the_first_goes_on_hold() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    bench.off_hook(carol);
    bench.dial(carol, "1002");
    let heard = bench.heard(bob);
    assert!(
        heard.contains(&"CallState RingIn".into()) && heard.contains(&"StartTone CallWaitingTone".into())
    );
    assert!(!heard.iter().any(|line| line == "SetRinger InsideRing"), "nothing rings in the ear: {heard:?}");
    bench.press_on(bob, SoftKey::Answer, 1);
    assert_eq!(bench.states(bob), ["Hold", "Connected"]);
    assert_eq!(bench.states(alice), ["Connected"]);
    bench.open_audio(&[bob, carol]);
    assert_eq!(bench.sends_to(carol).as_deref(), Some("10.0.0.2:10000"));
    assert_eq!(bench.sends_to(alice), None, "nobody listens to who is on hold");

    // Bob changes over: Carol waits in turn.
    bench.press_on(bob, SoftKey::Resume, 0);
    assert_eq!(bench.states(bob), ["Connected", "Hold"]);
    bench.open_audio(&[alice, bob]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.2:10000"));
    bench.on_hook(bob);
    assert_eq!(bench.states(bob), ["Hold"], "the call on hold stays when the handset is put down");
    bench.on_hook(carol);
    bench.on_hook(alice);
    bench.assert_quiet();
    assert_eq!(bench.ended().len(), 2);
}

#[test]
fn hold_closes_the_audio_and_resume_opens_it_anew() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talk(alice, bob, "1002");
    bench.press_on(alice, SoftKey::Hold, 0);
    // call-flows, hold.
    assert_eq!(
        bench.heard(alice),
        [
            "CloseReceiveChannel",
            "StopMediaTransmission",
            "SetLamp 1 Wink",
            "CallState Hold",
            "Prompt Hold",
            "CallInfo 1001 to 1002",
            "SetSpeakerMode Off",
            "SelectSoftKeys 2",
        ]
    );
    assert_eq!(bench.heard(bob), ["CloseReceiveChannel", "StopMediaTransmission"]);
    assert_eq!(bench.keys(alice, 0), ["Resume", "NewCall"]);
    line_key(&mut bench, alice, 1);
    assert_eq!(
        bench.media(alice, 1, 10_000),
        [
            "SetSpeakerMode On",
            "SetLamp 1 On",
            "ActivateCallPlane",
            "StopTone",
            "OpenReceiveChannel",
            "CallState Connected",
            "SelectSoftKeys 1",
            "Prompt Connected",
            "CallInfo 1001 to 1002",
        ]
    );
    bench.media(bob, 2, 10_000);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.2:10000"));
    assert_eq!(bench.sends_to(bob).as_deref(), Some("10.0.0.1:10000"));
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn both_parties_may_hold() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talk(alice, bob, "1002");
    bench.press_on(alice, SoftKey::Hold, 0);
    bench.press_on(bob, SoftKey::Hold, 0);
    bench.press_on(alice, SoftKey::Resume, 0);
    bench.open_audio(&[alice, bob]);
    assert_eq!((bench.sends_to(alice), bench.sends_to(bob)), (None, None), "Bob still holds");
    bench.press_on(bob, SoftKey::Resume, 0);
    bench.open_audio(&[alice, bob]);
    assert!(bench.sends_to(alice).is_some() && bench.sends_to(bob).is_some());
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_consulted_transfer_joins_the_other_two() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    bench.press_on(bob, key(TRANSFER), 0);
    assert_eq!(bench.states(bob), ["CallTransfer", "OffHook"]);
    bench.dial(bob, "1003");
    bench.off_hook(carol);
    bench.open_audio(&[bob, carol]);
    assert_eq!(bench.keys(bob, 1), ["EndCall", "Transfer"]);
    bench.press_on(bob, key(TRANSFER), 1);
    assert!(bench.states(bob).is_empty());
    assert_eq!((bench.states(alice), bench.states(carol)), (vec!["Connected"], vec!["Connected"]));
    let heard = bench.heard(carol);
    assert!(heard.contains(&"CallInfo 1001 to 1003".into()), "Carol sees who she talks to: {heard:?}");
    bench.open_audio(&[alice, carol]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.3:10000"));
    assert_eq!(bench.sends_to(carol).as_deref(), Some("10.0.0.1:10000"));
    bench.on_hook(alice);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!(ended[0].cause, EndCause::Transferred);
    let [transfer] = &ended[1].redirections[..] else { panic!("{ended:?}") };
    assert_eq!((transfer.by.number.as_str(), transfer.to.number.as_str()), ("1002", "1001"));
    assert_eq!(ended[1].calling.number, "1001");
}

#[test]
fn a_blind_transfer_rings_for_who_is_transferred() {
    for by_hanging_up in [false, true] {
        let mut bench = Bench::new(office());
        let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
        bench.talk(alice, bob, "1002");
        bench.press_on(bob, key(TRANSFER), 0);
        bench.dial(bob, "1003");
        bench.heard(carol);
        if by_hanging_up {
            bench.on_hook(bob);
        } else {
            bench.press_on(bob, key(TRANSFER), 1);
        }
        assert!(bench.states(bob).is_empty());
        assert_eq!(bench.states(alice), ["RingOut"]);
        let heard = bench.heard(carol);
        assert!(heard.contains(&"Prompt From 1001".into()), "{heard:?}");
        bench.off_hook(carol);
        bench.open_audio(&[alice, carol]);
        assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.3:10000"));
        bench.on_hook(carol);
        bench.assert_quiet();
    }
}

#[test]
fn a_transfer_that_is_cancelled_leaves_the_call_on_hold() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    bench.press_on(bob, key(TRANSFER), 0);
    bench.dial(bob, "1003");
    bench.press_on(bob, SoftKey::EndCall, 1);
    assert_eq!(bench.states(bob), ["Hold"]);
    assert!(bench.states(carol).is_empty());
    bench.press_on(bob, SoftKey::Resume, 0);
    bench.open_audio(&[alice, bob]);
    assert!(bench.sends_to(bob).is_some());
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn direct_transfer_joins_two_calls() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    bench.off_hook(carol);
    bench.dial(carol, "1002");
    bench.press_on(bob, SoftKey::Answer, 1);
    bench.press_on(bob, key(SELECT), 0);
    bench.press_on(bob, key(DIRECT_TRANSFER), 1);
    assert!(bench.states(bob).is_empty());
    bench.open_audio(&[alice, carol]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.3:10000"));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_conference_mixes_and_shrinks_to_a_call() {
    let mut bench = Bench::new(office());
    let phones = ["1001", "1002", "1003"].map(|number| bench.phone(number));
    let [alice, bob, carol] = phones;
    bench.talk(alice, bob, "1002");
    bench.press_on(alice, key(CONFERENCE), 0);
    bench.dial(alice, "1003");
    bench.off_hook(carol);
    bench.open_audio(&[alice, carol]);
    assert_eq!(bench.keys(alice, 1), ["EndCall", "Confrn"]);
    bench.press_on(alice, key(CONFERENCE), 1);
    for phone in phones {
        assert_eq!(bench.states(phone), ["Connected"]);
        assert!(bench.keys(phone, 0).contains(&"ConfList"));
    }
    let joins = bench.mixer.iter().filter(|order| matches!(order, AnchorOrder::Join { .. })).count();
    assert_eq!(joins, 3);
    bench.mixer_answers();
    bench.open_audio(&phones);
    for phone in phones {
        assert!(bench.sends_to(phone).unwrap().starts_with("10.0.9."), "audio goes to the mixer");
    }
    // One leaves: the others talk directly.
    bench.on_hook(alice);
    bench.open_audio(&[bob, carol]);
    assert_eq!(bench.sends_to(bob).as_deref(), Some("10.0.0.3:10000"));
    let leaves = bench.mixer.iter().filter(|order| matches!(order, AnchorOrder::Leave { .. })).count();
    assert_eq!(leaves, 3);
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn join_takes_the_selected_calls_in() {
    let mut bench = Bench::new(office());
    let phones = ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number));
    let [alice, bob, carol, dave] = phones;
    bench.talk(bob, alice, "1001");
    for other in [carol, dave] {
        bench.press(alice, SoftKey::Hold);
        bench.press(alice, SoftKey::NewCall);
        let number = if other == carol { "1003" } else { "1004" };
        bench.dial(alice, number);
        bench.off_hook(other);
    }
    assert_eq!(bench.states(alice), ["Hold", "Hold", "Connected"]);
    bench.press_on(alice, key(SELECT), 0);
    bench.press_on(alice, key(SELECT), 1);
    bench.press_on(alice, key(JOIN), 2);
    for phone in phones {
        assert_eq!(bench.states(phone), ["Connected"]);
    }
    for phone in phones {
        bench.on_hook(phone);
    }
    bench.assert_quiet();
}

/// 1001 on two phones, 1002 on a third.
fn shared() -> Site {
    let mut site = office();
    site.lines.insert("2000".parse().unwrap(), Line { name: "Reception".into(), ..Line::default() });
    for number in ["1001", "1002"] {
        let name = bench::device_name(number).parse().unwrap();
        let button = Button::Line { number: "2000".parse().unwrap(), label: String::new() };
        site.devices.entry(name).and_modify(|device: &mut Device| device.buttons.insert(1, button));
    }
    site
}

#[test]
fn a_shared_line_rings_everywhere_and_is_seen_in_use() {
    let mut bench = Bench::new(shared());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(carol);
    bench.dial(carol, "2000");
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["RingIn"], vec!["RingIn"]));
    bench.heard(bob);
    bench.off_hook(alice);
    bench.open_audio(&[alice, carol]);
    let heard = bench.heard(bob);
    let connected = heard.iter().position(|line| line == "CallState Connected");
    let gone = heard.iter().position(|line| line == "CallState OnHook");
    assert!(connected.is_some() && connected < gone, "no missed call: {heard:?}");
    let unlisted = heard.iter().position(|line| line == "CallHistory Ignore");
    assert!(unlisted.is_some() && unlisted < gone, "no missed call: {heard:?}");
    assert!(heard.contains(&"CallState CallRemoteMultiline".into()), "{heard:?}");
    assert!(heard.contains(&"Prompt In use remote".into()), "{heard:?}");
    assert_eq!(bench.states(bob), ["CallRemoteMultiline"]);

    // Held here, taken up there.
    bench.press_on(alice, SoftKey::Hold, 0);
    assert_eq!(bench.states(bob), ["RemoteHold"]);
    assert!(bench.keys(bob, 0).contains(&"Resume"));
    bench.press_on(bob, SoftKey::Resume, 0);
    assert_eq!(bench.states(bob), ["Connected"]);
    assert_eq!(bench.states(alice), ["CallRemoteMultiline"]);
    bench.open_audio(&[bob, carol]);
    assert_eq!(bench.sends_to(carol).as_deref(), Some("10.0.0.2:10000"));
    bench.on_hook(bob);
    assert!(bench.states(alice).is_empty());
    bench.assert_quiet();
}

#[test]
fn an_old_phone_logs_no_missed_call_without_a_word_about_lists() {
    let mut bench = Bench::new(shared());
    bench.version = 16;
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(carol);
    bench.dial(carol, "2000");
    bench.heard(bob);
    bench.off_hook(alice);
    let heard = bench.heard(bob);
    assert!(heard.contains(&"CallState Connected".into()), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("CallHistory")), "{heard:?}");
}

#[test]
fn private_hold_keeps_others_out_and_barge_lets_them_in() {
    let mut bench = Bench::new(shared());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(carol);
    bench.dial(carol, "2000");
    bench.off_hook(alice);
    bench.open_audio(&[alice, carol]);
    bench.press_on(alice, key(PRIVATE_HOLD), 0);
    assert_eq!(bench.states(bob), ["CallRemoteMultiline"], "it cannot be taken");
    bench.press_on(bob, SoftKey::Resume, 0);
    assert_eq!(bench.states(alice), ["Hold"]);
    bench.press_on(alice, SoftKey::Resume, 0);
    bench.press_on(bob, key(BARGE), 0);
    assert_eq!(bench.states(bob)[0], "Connected");
    let joins = bench.mixer.iter().filter(|order| matches!(order, AnchorOrder::Join { .. })).count();
    assert_eq!(joins, 3);
    bench.on_hook(bob);
    assert_eq!(bench.states(alice), ["Connected"]);
    bench.on_hook(carol);
    bench.assert_quiet();
}

/// Carol has called the line that Alice and Bob share; Alice has answered, and Bob entered her call with this key.
fn barged(bench: &mut Bench, with: u32) -> [SessionId; 3] {
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(carol);
    bench.dial(carol, "2000");
    bench.off_hook(alice);
    bench.open_audio(&[alice, carol]);
    bench.press_on(bob, key(with), 0);
    [alice, bob, carol]
}

#[test]
fn a_guest_leaves_with_the_phone_that_it_came_to() {
    let mut bench = Bench::new(shared());
    let [alice, bob, carol] = barged(&mut bench, BARGE);
    let prompts = |bench: &Bench| [alice, bob, carol].map(|phone| bench.prompt(phone, 0));
    assert_eq!(prompts(&bench), ["Connected", "Barge", "Connected"]);
    assert_eq!(bench.keys(bob, 0), ["Hold", "EndCall", "Private"], "it is not his to transfer or to park");
    bench.on_hook(alice);
    bench.assert_quiet();

    // Nor does he stay when the other side leaves.
    let [_, _, carol] = barged(&mut bench, BARGE);
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn a_guest_is_put_out_by_a_transfer_and_no_other_comes_in() {
    let mut site = shared();
    let button = Button::Line { number: "2000".parse().unwrap(), label: String::new() };
    edit_phone(&mut site, "1004", |dave| dave.buttons[1] = button);
    let mut bench = Bench::new(site);
    let [alice, bob, carol] = barged(&mut bench, BARGE);
    let dave = bench.phone("1004");
    bench.press_on(dave, key(BARGE), 0);
    assert_eq!(bench.refused("barge into a call with a guest"), 1);
    bench.press_on(alice, key(TRANSFER), 0);
    bench.dial(alice, "1004");
    bench.off_hook(dave);
    let consultation = bench.states(alice).iter().position(|state| *state == "Connected").unwrap();
    bench.press_on(alice, key(TRANSFER), consultation);
    assert_eq!((bench.states(carol), bench.states(dave)), (vec!["Connected"], vec!["Connected"]));
    assert!(bench.states(bob).is_empty(), "{:?}", bench.states(bob));
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn a_conference_barge_makes_a_conference_of_equals() {
    let mut bench = Bench::new(shared());
    let [alice, bob, carol] = barged(&mut bench, CONFERENCE_BARGE);
    for phone in [alice, bob, carol] {
        assert_eq!(bench.prompt(phone, 0), "Conference");
    }
    assert!(bench.keys(bob, 0).contains(&"ConfList"));
    bench.on_hook(alice);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["Connected"], vec!["Connected"]));
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn a_phone_that_registers_sees_what_its_line_does() {
    let mut bench = Bench::new(shared());
    let (alice, carol) = (bench.phone("1001"), bench.phone("1003"));
    bench.off_hook(carol);
    bench.dial(carol, "2000");
    bench.off_hook(alice);
    let bob = bench.phone("1002");
    assert_eq!(bench.states(bob), ["CallRemoteMultiline"]);
    bench.on_hook(carol);
    bench.wait(Duration::from_secs(1));
    assert!(bench.states(bob).is_empty());
    bench.assert_quiet();
}
