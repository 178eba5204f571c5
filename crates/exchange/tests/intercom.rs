//! Phones that answer by themselves: intercom, and lines that are set so.
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

mod bench;

use bench::{Bench, edit_phone, office};
use selsius_exchange::{record::EndCause, remembered::LineState};
use selsius_site::{AutoAnswer, Button, Site};
use selsius_wire::{
    message,
    value::{SoftKey, StimulusType},
};

fn answers(number: &str, how: AutoAnswer) -> Site {
    let mut site = office();
    site.lines.get_mut(&number.parse().unwrap()).unwrap().auto_answer = how;
    site
}

/// The code and a number.
const BOB: &str = "*801002";

#[test]
fn an_intercom_call_is_heard_at_once_and_one_way() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    assert_eq!(bench.calls(alice, BOB), ["Connected"]);
    assert_eq!((bench.states(bob), bench.prompt(bob, 0).as_str()), (vec!["Whisper"], "Whisper"));
    let heard = bench.media(bob, 2, 10_000);
    assert!(!heard.iter().any(|line| line.starts_with("SetRinger Inside")), "it does not ring: {heard:?}");
    assert!(heard.contains(&"SetSpeakerMode On".into()) && heard.last() == Some(&"StartTone Zip".into()));
    bench.open_audio(&[alice, bob]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.2:10000"));
    assert_eq!(bench.sends_to(bob), None, "nobody hears Bob's room");
    assert_eq!(bench.keys(bob, 0), ["EndCall"]);
    bench.on_hook(alice);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!((ended[0].cause, ended[0].dialed.as_str()), (EndCause::CallerHungUp, "1002"));
}

#[test]
fn who_is_spoken_to_talks_back_by_handset_line_key_or_intercom_key() {
    let key = |stimulus| message::Stimulus { stimulus, line_instance: 1, ..message::Stimulus::default() };
    for way in 0..4 {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        bench.calls(alice, BOB);
        bench.open_audio(&[alice, bob]);
        match way {
            0 => bench.off_hook(bob),
            1 => bench.say(bob, key(StimulusType::Line)),
            2 => bench.say(bob, key(StimulusType::Intercom)),
            _ => bench.press_on(bob, SoftKey::Answer, 0),
        }
        assert_eq!(bench.states(bob), ["Connected"], "way {way}");
        assert_eq!(bench.sends_to(bob).as_deref(), Some("10.0.0.1:10000"));
        assert!(bench.keys(bob, 0).contains(&"Hold"));
        bench.on_hook(bob);
        bench.assert_quiet();
    }
}

#[test]
fn a_line_may_let_its_phone_be_heard_at_once() {
    let mut bench = Bench::new(answers("1002", AutoAnswer::TwoWay));
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    for number in [BOB, "1002"] {
        bench.calls(alice, number);
        bench.open_audio(&[alice, bob]);
        assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Connected"], vec!["Connected"]));
        assert_eq!(bench.sends_to(bob).as_deref(), Some("10.0.0.1:10000"));
        bench.on_hook(bob);
        bench.on_hook(alice);
        bench.assert_quiet();
    }
}

#[test]
fn a_line_that_answers_one_way_does_so_for_every_call() {
    let mut bench = Bench::new(answers("1002", AutoAnswer::OneWay));
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.calls(alice, "1002");
    bench.open_audio(&[alice, bob]);
    assert_eq!((bench.states(bob), bench.sends_to(bob)), (vec!["Whisper"], None));
    // A new call of Bob's ends it: it cannot be put on hold.
    bench.press(bob, SoftKey::NewCall);
    assert_eq!((bench.states(bob), bench.states(alice).len()), (vec!["OffHook"], 0));
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn a_phone_in_use_rings_as_usual_or_is_busy() {
    for (waiting, alice_hears, bob_sees) in [(true, "RingOut", 2), (false, "Busy", 1)] {
        let mut site = answers("1002", AutoAnswer::TwoWay);
        site.settings.call_waiting = waiting;
        let mut bench = Bench::new(site);
        let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
        bench.talk(carol, bob, "1002");
        for number in [BOB, "1002"] {
            assert_eq!(bench.calls(alice, number), [alice_hears]);
            assert_eq!(bench.states(bob).len(), bob_sees);
            bench.on_hook(alice);
        }
        bench.on_hook(carol);
        bench.assert_quiet();
    }
}

#[test]
fn a_line_that_is_not_to_be_disturbed_does_not_answer_by_itself() {
    let mut bench = Bench::new(answers("1002", AutoAnswer::OneWay));
    let quiet = LineState { do_not_disturb: true, ..LineState::default() };
    bench.exchange.remember([("1002".parse().unwrap(), quiet)], []);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    for number in [BOB, "1002"] {
        bench.calls(alice, number);
        assert!(!bench.states(bob).contains(&"Whisper"));
        bench.on_hook(alice);
    }
    bench.assert_quiet();
}

#[test]
fn the_spoken_to_phone_neither_holds_nor_transfers() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.calls(alice, BOB);
    bench.open_audio(&[alice, bob]);
    for key in [SoftKey::Hold, SoftKey::from(4), SoftKey::from(13), SoftKey::from(24)] {
        bench.press_on(bob, key, 0);
        assert_eq!((bench.states(bob), bench.states(alice)), (vec!["Whisper"], vec!["Connected"]), "{key:?}");
    }
    // The caller may: the phone stays silent to whoever comes.
    bench.press_on(alice, SoftKey::Hold, 0);
    bench.press_on(alice, SoftKey::Resume, 0);
    bench.open_audio(&[alice, bob]);
    assert_eq!((bench.states(bob), bench.sends_to(bob)), (vec!["Whisper"], None));
    bench.press_on(bob, SoftKey::EndCall, 0);
    bench.assert_quiet();
}

#[test]
fn private_hold_of_a_call_that_cannot_be_held_closes_it_to_nobody() {
    let mut site = office();
    let button = Button::Line { number: "1002".parse().unwrap(), label: String::new() };
    edit_phone(&mut site, "1003", |carol| carol.buttons[1] = button);
    let mut bench = Bench::new(site);
    let (alice, phones) = (bench.phone("1001"), [bench.phone("1002"), bench.phone("1003")]);
    bench.calls(alice, BOB);
    let spoken_to = phones.into_iter().find(|&phone| bench.states(phone) == ["Whisper"]).unwrap();
    let other = phones.into_iter().find(|&phone| phone != spoken_to).unwrap();
    bench.open_audio(&[alice, spoken_to]);
    let keys = bench.keys(other, 0);
    assert!(keys.contains(&"Barge"), "{keys:?}");
    bench.press_on(spoken_to, SoftKey::from(24), 0);
    assert_eq!(bench.keys(other, 0), keys, "as it was told, and as it is");
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_phone_that_answered_by_itself_is_not_left_with_a_tone() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.calls(alice, BOB);
    // Neither opens its channel.
    bench.wait(std::time::Duration::from_secs(10));
    assert_eq!((bench.states(bob).len(), bench.states(alice)), (0, vec!["Congestion"]));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn it_ends_with_the_phone_and_with_the_caller_s() {
    for bob_goes in [false, true] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        bench.calls(alice, BOB);
        bench.close(if bob_goes { bob } else { alice });
        bench.assert_quiet();
    }
}
