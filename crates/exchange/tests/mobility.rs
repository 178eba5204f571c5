//! Extension mobility: logging in on any phone with number and PIN, and what becomes of it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

mod bench;

use std::time::Duration;

use bench::{Bench, device_name, office};
use selsius_exchange::{Input, SessionId, record::Record, remembered::DeviceState};
use selsius_site::{Button, Line, Secret, Site, User};
use selsius_wire::{
    ManagerMessage, message,
    value::{KeypadKey, SoftKey, StimulusType},
};

const PIN: &str = "4711";

/// The office, and Erin, who has a PIN and two lines but no phone.
fn site() -> Site {
    let mut site = office();
    let mut buttons = Vec::new();
    for number in ["1009", "1008"] {
        site.lines.insert(number.parse().unwrap(), Line { name: "Erin".into(), ..Line::default() });
        buttons.push(Button::Line { number: number.parse().unwrap(), label: String::new() });
    }
    let erin = User { name: "Erin".into(), pin: Secret::new(PIN), buttons, ..User::default() };
    site.users.insert("erin".parse().unwrap(), erin);
    site
}

/// Enters number and PIN.
fn log_in(bench: &mut Bench, phone: SessionId, number: &str, pin: &str) {
    bench.off_hook(phone);
    bench.dial(phone, &format!("*81{number}#"));
    bench.dial(phone, &format!("{pin}#"));
}

/// Was the phone told to restart since the last time?
fn restarts(bench: &mut Bench, phone: SessionId) -> bool {
    bench.messages(phone).iter().any(|message| matches!(message, ManagerMessage::Reset(_)))
}

/// The lines of a registered phone.
fn lines(bench: &Bench, number: &str) -> Vec<String> {
    let name = device_name(number).parse().unwrap();
    let status = bench.exchange.device_status().into_iter().find(|device| device.name == name);
    status.unwrap().lines
}

/// What the phones were last said to remember.
fn user_on(bench: &Bench, number: &str) -> Option<String> {
    let name = device_name(number);
    let mut states = bench.records.iter().filter_map(|record| match record {
        Record::DeviceState { device, state } if device.as_str() == name => Some(state),
        _ => None,
    });
    states.next_back()?.user.as_ref().map(ToString::to_string)
}

#[test]
fn somebody_logs_in_by_code_and_finds_the_own_lines() {
    let mut bench = Bench::new(site());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "*811009#");
    assert_eq!(bench.view(alice).legs[0].prompt.to_plain(), "Please enter PIN");
    bench.dial(alice, "4712");
    bench.press(alice, SoftKey::from(8));
    assert!(bench.heard(alice).contains(&"BackSpace".into()));
    bench.dial(alice, "1#");
    assert_eq!(bench.notices(alice), ["Login successful"]);
    bench.assert_quiet();
    assert_eq!(user_on(&bench, "1001").as_deref(), Some("erin"));
    assert_eq!(bench.logged("told to restart"), 1);

    bench.close(alice);
    let alice = bench.phone("1001");
    assert_eq!(lines(&bench, "1001"), ["1009", "1008"]);
    bench.talk(bob, alice, "1009");
    assert_eq!(bench.states(alice), ["Connected"]);
    bench.on_hook(bob);

    bench.off_hook(alice);
    bench.dial(alice, "*82");
    assert_eq!(user_on(&bench, "1001"), None);
    assert!(restarts(&mut bench, alice));
    bench.close(alice);
    bench.phone("1001");
    assert_eq!(lines(&bench, "1001"), ["1001"]);
}

#[test]
fn the_button_asks_for_number_and_pin_and_logs_out_again() {
    let mut bench = Bench::new(site());
    let alice = bench.phone("1001");
    let button = message::Stimulus { stimulus: StimulusType::Mobility, ..message::Stimulus::default() };
    bench.say(alice, button);
    assert_eq!(bench.view(alice).legs[0].prompt.to_plain(), "Enter your number");
    bench.dial(alice, "1009");
    bench.dial(alice, PIN);
    bench.wait(Duration::from_secs(7));
    assert_eq!(user_on(&bench, "1001").as_deref(), Some("erin"), "the PIN ends when no more digits come");
    bench.close(alice);
    let alice = bench.phone("1001");
    bench.say(alice, button);
    assert_eq!(user_on(&bench, "1001"), None);
    assert!(restarts(&mut bench, alice));
    bench.assert_quiet();
}

#[test]
fn nobody_is_in_two_places() {
    let mut bench = Bench::new(site());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    log_in(&mut bench, alice, "1009", PIN);
    bench.close(alice);
    let alice = bench.phone("1001");
    bench.talk(carol, alice, "1008");
    log_in(&mut bench, bob, "1009", PIN);
    assert_eq!((user_on(&bench, "1001"), user_on(&bench, "1002").as_deref()), (None, Some("erin")));
    assert!(restarts(&mut bench, bob));
    assert!(!restarts(&mut bench, alice), "not in a call");
    bench.on_hook(carol);
    assert!(restarts(&mut bench, alice));
    bench.assert_quiet();
}

#[test]
fn wrong_pins_make_a_phone_wait() {
    let mut bench = Bench::new(site());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let both = [alice, bob];
    // Whether there is such a user is not told.
    for (number, pin) in [("1009", "4712"), ("1003", PIN), ("1009", "47110")] {
        log_in(&mut bench, alice, number, pin);
        assert_eq!(bench.states(alice), ["Congestion"]);
        bench.on_hook(alice);
        assert_eq!(bench.notices(alice), ["Wrong PIN"]);
    }
    let refused = |bench: &mut Bench| {
        bench.off_hook(alice);
        bench.dial(alice, "*811009#");
        let refused = bench.notices(alice) == ["Too many wrong PINs; try later"];
        bench.on_hook(alice);
        bench.messages(alice);
        refused
    };
    assert!(refused(&mut bench));
    log_in(&mut bench, bob, "1009", PIN);
    assert_eq!(user_on(&bench, "1002").as_deref(), Some("erin"), "other phones do not wait");
    bench.wait_alive(Duration::from_secs(59), &both);
    assert!(refused(&mut bench));
    bench.wait_alive(Duration::from_secs(2), &both);
    log_in(&mut bench, alice, "1009", "1111");
    bench.on_hook(alice);
    bench.messages(alice);
    bench.wait_alive(Duration::from_secs(119), &both);
    assert!(refused(&mut bench), "each further one doubles the time");
    bench.wait_alive(Duration::from_secs(2), &both);
    log_in(&mut bench, alice, "1009", PIN);
    assert_eq!(user_on(&bench, "1001").as_deref(), Some("erin"));
    bench.assert_quiet();
}

#[test]
fn a_pin_is_in_no_record_and_on_no_screen() {
    let mut bench = Bench::new(site());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.exchange.watch_calls(true);
    bench.exchange.watch(&device_name("1001").parse().unwrap(), true);
    for pin in ["98765", PIN] {
        bench.off_hook(alice);
        bench.dial(alice, "*811009#");
        bench.dial(alice, pin);
        assert_eq!(bench.exchange.call_status()[0].dialed, "");
        bench.dial(alice, "#");
        bench.on_hook(alice);
        let shown = format!("{:?}{:?}{:?}", bench.records, bench.events, bench.notices);
        assert!(!shown.contains(pin), "{shown}");
        assert!(!format!("{:?}", bench.messages(alice)).contains(pin));
    }
    assert_eq!(bench.ended(), []);
    // Hanging up in between leaves nothing, nor does a PIN that never comes.
    bench.off_hook(bob);
    bench.dial(bob, "*811009#");
    bench.wait(Duration::from_secs(16));
    assert_eq!(bench.states(bob), ["Congestion"]);
    bench.on_hook(bob);
    bench.off_hook(bob);
    bench.dial(bob, "*811009#47");
    bench.on_hook(bob);
    bench.say(bob, message::KeypadButton { kp_button: KeypadKey::Pound, ..message::KeypadButton::default() });
    bench.assert_quiet();
}

#[test]
fn who_is_logged_in_outlasts_a_restart_until_the_site_has_them_no_more() {
    let mut bench = Bench::new(site());
    let erin = DeviceState { user: Some("erin".parse().unwrap()), ..DeviceState::default() };
    bench.exchange.remember([], [(device_name("1001").parse().unwrap(), erin)]);
    let alice = bench.phone("1001");
    assert_eq!(lines(&bench, "1001"), ["1009", "1008"]);

    let mut changed = site();
    changed.users.values_mut().for_each(|user| user.buttons.truncate(1));
    bench.input(Input::Site(Box::new(changed)));
    assert!(restarts(&mut bench, alice), "the user has other buttons now");
    bench.close(alice);
    let alice = bench.phone("1001");
    assert_eq!(lines(&bench, "1001"), ["1009"]);

    bench.input(Input::Site(Box::new(office())));
    assert_eq!((user_on(&bench, "1001"), restarts(&mut bench, alice)), (None, true));
}

#[test]
fn a_phone_may_go_while_the_pin_is_entered() {
    let mut bench = Bench::new(site());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "*811009#");
    let mut smaller = site();
    smaller.devices.remove(&device_name("1001").parse().unwrap());
    bench.input(Input::Site(Box::new(smaller)));
    bench.dial(alice, "1111#");
    assert_eq!(bench.notices(alice), ["Key is not active"]);
    bench.on_hook(alice);
    assert!(bench.is_closed(alice));
    bench.assert_quiet();
}

#[test]
fn who_shares_a_first_line_is_known_by_the_pin() {
    let mut shared = site();
    let frank = User { pin: Secret::new("9999"), ..shared.users.values().next().unwrap().clone() };
    shared.users.insert("frank".parse().unwrap(), frank);
    let mut bench = Bench::new(shared);
    let alice = bench.phone("1001");
    log_in(&mut bench, alice, "1009", "9999");
    assert_eq!(user_on(&bench, "1001").as_deref(), Some("frank"));
}

#[test]
fn a_phone_of_its_own_takes_no_log_ins() {
    let mut fixed = site();
    fixed.devices.values_mut().for_each(|device| device.mobility = false);
    let mut bench = Bench::new(fixed);
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "*811009#");
    assert_eq!(bench.notices(alice), ["Key is not active"]);
    bench.on_hook(alice);
    bench.off_hook(alice);
    bench.dial(alice, "*82");
    assert_eq!(bench.notices(alice), ["Key is not active"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}
