//! Busy lamps: the state of other people's lines, and what pressing them does. And privacy, which hides a line's calls.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bench;

use bench::{Bench, device_name, office};
use selsius_exchange::{Input, SessionId, record::Record, remembered::LineState};
use selsius_site::{Button, DeviceName, Feature, LineNumber, Site};
use selsius_wire::{
    ManagerMessage, message,
    value::{SoftKey, StimulusType, SubscriptionFeature, Text},
};

fn number(text: &str) -> LineNumber {
    text.parse().unwrap()
}

fn watch(text: &str) -> Button {
    Button::BusyLamp { number: number(text), label: format!("watch {text}") }
}

fn device<'a>(site: &'a mut Site, phone: &str) -> &'a mut selsius_site::Device {
    site.devices.get_mut(&device_name(phone).parse::<DeviceName>().unwrap()).unwrap()
}

/// Bob watches Carol (number 1 of his dials), Dave (2) and himself (3).
fn watching() -> Site {
    let mut site = office();
    let buttons = &mut device(&mut site, "1002").buttons;
    buttons.truncate(1);
    buttons.extend([watch("1003"), watch("1004"), watch("1002")]);
    site
}

#[test]
fn a_busy_lamp_follows_the_line() {
    let mut bench = Bench::new(watching());
    let bob = bench.phone("1002");
    assert_eq!(bench.told_states(bob), []);
    // Nobody has Carol's and Dave's lines yet: told when the phone was ready, as the view says.
    let unknown: Vec<_> = bench.view(bob).buttons.iter().map(|b| (b.instance, b.status)).collect();
    assert_eq!(unknown, [(1, 0), (2, 0)]);
    let carol = bench.phone("1003");
    assert_eq!(bench.told_states(bob), [(1, 1)]);
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "1003");
    assert_eq!(bench.told_states(bob), [(1, 4)]);
    bench.off_hook(carol);
    bench.open_audio(&[alice, carol]);
    assert_eq!(bench.told_states(bob), [(1, 2)]);
    bench.press(carol, SoftKey::Hold);
    // On hold is in use, for whoever looks at the lamp.
    assert_eq!(bench.told_states(bob), []);
    bench.on_hook(alice);
    assert_eq!(bench.told_states(bob), [(1, 1)]);
    // His own calls he sees too.
    bench.off_hook(bob);
    assert_eq!(bench.told_states(bob), [(3, 2)]);
    bench.on_hook(bob);
    assert_eq!(bench.told_states(bob), [(3, 1)]);
    bench.say(carol, message::UnregisterReq::default());
    assert_eq!(bench.told_states(bob), [(1, 0)]);
    // Bob is gone: nobody watches any more.
    bench.close(bob);
    bench.phone("1004");
    bench.assert_quiet();
}

#[test]
fn do_not_disturb_shows_while_the_line_is_idle() {
    let mut bench = Bench::new(watching());
    let quiet = LineState { do_not_disturb: true, ..LineState::default() };
    bench.exchange.remember([(number("1003"), quiet)], []);
    let (bob, carol) = (bench.phone("1002"), bench.phone("1003"));
    assert_eq!(bench.told_states(bob), [(1, 3)]);
    bench.off_hook(carol);
    assert_eq!(bench.told_states(bob), [(1, 2)]);
    bench.on_hook(carol);
    assert_eq!(bench.told_states(bob), [(1, 3)]);
}

#[test]
fn an_old_phone_has_lamps() {
    let mut bench = Bench::new(watching());
    let quiet = LineState { do_not_disturb: true, ..LineState::default() };
    bench.exchange.remember([(number("1004"), quiet)], []);
    let bob = bench.phone_as("1002", 11, 7);
    let (alice, carol, _dave) = (bench.phone("1001"), bench.phone("1003"), bench.phone("1004"));
    let lamps = |bench: &Bench| bench.lamps(bob, StimulusType::SpeedDial);
    assert_eq!(lamps(&bench), [(2, "Flash")]);
    bench.off_hook(alice);
    bench.dial(alice, "1003");
    assert_eq!(lamps(&bench), [(1, "Blink"), (2, "Flash")]);
    bench.off_hook(carol);
    assert_eq!(lamps(&bench), [(1, "On"), (2, "Flash")]);
    bench.press(carol, SoftKey::Hold);
    assert_eq!(lamps(&bench), [(1, "Wink"), (2, "Flash")]);
    bench.heard(bob);
    bench.on_hook(alice);
    assert_eq!(bench.heard(bob), ["SetLamp 1 Off"]);
    assert!(bench.view(bob).buttons.is_empty());
    // Pressing it is pressing a speed dial, and means the same.
    bench.button(bob, StimulusType::SpeedDial, 1);
    assert_eq!(bench.states(carol), ["RingIn"]);
}

#[test]
fn pressing_takes_the_call_that_rings_there() {
    let mut bench = Bench::new(watching());
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|phone| bench.phone(phone));
    bench.off_hook(alice);
    bench.dial(alice, "1003");
    bench.heard(carol);
    bench.button(bob, StimulusType::BlfSpeedDial, 1);
    // Carol missed nothing.
    let states: Vec<_> = bench.heard(carol).into_iter().filter(|m| m.starts_with("CallState")).collect();
    assert_eq!(states, ["CallState Connected", "CallState OnHook"]);
    bench.open_audio(&[alice, bob]);
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Connected"], vec!["Connected"]));
    assert_eq!(bench.sends_to(bob).unwrap(), "10.0.0.1:10000");
    assert_eq!(bench.sends_to(alice).unwrap(), "10.0.0.2:10000");
    bench.on_hook(bob);
    let ended = bench.ended();
    assert_eq!(ended[0].called.device.as_ref().unwrap().as_str(), device_name("1002"));
    bench.assert_quiet();
}

#[test]
fn taking_a_call_puts_the_own_one_on_hold() {
    let mut bench = Bench::new(watching());
    let [alice, bob, carol, dave] = ["1001", "1002", "1003", "1004"].map(|phone| bench.phone(phone));
    bench.talk(bob, dave, "1004");
    bench.off_hook(alice);
    bench.dial(alice, "1003");
    bench.heard(bob);
    bench.button(bob, StimulusType::BlfSpeedDial, 1);
    // As if it had rung here.
    let states: Vec<_> = bench.heard(bob).into_iter().filter(|m| m.starts_with("CallState")).collect();
    assert_eq!(states, ["CallState Hold", "CallState RingIn", "CallState OffHook", "CallState Connected"]);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["Hold", "Connected"], vec![]));
    bench.on_hook(bob);
    assert_eq!(bench.states(bob), ["Hold"]);
    bench.on_hook(dave);
    bench.assert_quiet();
}

#[test]
fn a_call_is_transferred_by_pressing_a_busy_lamp() {
    let mut bench = Bench::new(watching());
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|phone| bench.phone(phone));
    bench.talk(alice, bob, "1002");
    bench.press(bob, SoftKey::Transfer);
    bench.button(bob, StimulusType::BlfSpeedDial, 1);
    bench.press(bob, SoftKey::Transfer);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec![], vec!["RingIn"]));
    bench.off_hook(carol);
    assert_eq!(bench.states(alice), ["Connected"]);
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn nobody_takes_a_call_of_his_own() {
    let mut bench = Bench::new(watching());
    let [bob, carol] = ["1002", "1003"].map(|phone| bench.phone(phone));
    bench.off_hook(bob);
    bench.dial(bob, "1003");
    bench.button(bob, StimulusType::BlfSpeedDial, 1);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["RingOut"], vec!["RingIn"]));
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn on_a_shared_line_the_lamp_answers_here() {
    let mut site = watching();
    device(&mut site, "1002").buttons.push(Button::Line { number: number("1003"), label: String::new() });
    let mut bench = Bench::new(site);
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|phone| bench.phone(phone));
    bench.off_hook(alice);
    bench.dial(alice, "1003");
    bench.button(bob, StimulusType::BlfSpeedDial, 1);
    assert_eq!(bench.states(bob), ["Connected"]);
    // It is a call of the shared line, which Carol sees.
    assert_eq!(bench.states(carol), ["CallRemoteMultiline"]);
    bench.on_hook(bob);
    bench.assert_quiet();
}

/// Asks for the state of a number in a call list; what the answer and the notices say.
fn subscribe(bench: &mut Bench, phone: SessionId, transaction: u32, of: &str, timer: u32) -> Vec<String> {
    bench.heard(phone);
    let request = message::SubscriptionStatReq {
        transaction_id: transaction,
        subscription_feature_id: SubscriptionFeature::Blf,
        timer,
        subscription_id: Text::new(of.as_bytes()),
    };
    bench.say(phone, request);
    presence(bench, phone)
}

fn presence(bench: &mut Bench, phone: SessionId) -> Vec<String> {
    let messages = bench.messages(phone);
    let one = |message: &ManagerMessage| match message {
        ManagerMessage::SubscriptionStat(m) => Some(format!("{} {}", m.transaction_id, m.cause.name())),
        ManagerMessage::Notification(m) => Some(format!("{} is {}", m.transaction_id, m.notification_status)),
        _ => None,
    };
    messages.iter().filter_map(one).collect()
}

#[test]
fn call_lists_show_who_is_busy() {
    let mut bench = Bench::new(watching());
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|phone| bench.phone(phone));
    assert_eq!(subscribe(&mut bench, bob, 7, "1003", 60), ["7 OK", "7 is 1"]);
    assert_eq!(subscribe(&mut bench, bob, 8, "1004", 60), ["8 OK", "8 is 0"]);
    // Numbers that are no line of the office.
    assert_eq!(subscribe(&mut bench, bob, 9, "004930123", 60), ["9 RouteFail"]);
    assert_eq!(subscribe(&mut bench, bob, 10, "not a number", 60), ["10 RouteFail"]);
    bench.off_hook(alice);
    bench.dial(alice, "1003");
    assert_eq!(presence(&mut bench, bob), ["7 is 4"]);
    bench.off_hook(carol);
    assert_eq!(presence(&mut bench, bob), ["7 is 2"]);
    // Asked again, the state is told again.
    assert_eq!(subscribe(&mut bench, bob, 7, "1003", 60), ["7 OK", "7 is 2"]);
    assert_eq!(subscribe(&mut bench, bob, 7, "1003", 0), ["7 OK"]);
    bench.on_hook(alice);
    assert_eq!(presence(&mut bench, bob), Vec::<String>::new());
    // The busy lamp goes on.
    assert_eq!(bench.view(bob).buttons.iter().map(|b| b.instance).collect::<Vec<_>>(), [2]);
    // A phone that asks without end is told of the last hundred.
    for transaction in 100..300 {
        subscribe(&mut bench, bob, transaction, "1003", 60);
    }
    bench.off_hook(carol);
    assert_eq!(presence(&mut bench, bob).len(), 100);
    bench.on_hook(carol);
    bench.close(bob);
    bench.assert_quiet();
}

/// Alice and Bob share line 1009, their second one; Alice has a Privacy button, number 1.
fn sharing() -> Site {
    let mut site = office();
    site.lines.insert(number("1009"), selsius_site::Line::default());
    for phone in ["1001", "1002"] {
        let buttons = &mut device(&mut site, phone).buttons;
        buttons.truncate(1);
        buttons.push(Button::Line { number: number("1009"), label: String::new() });
    }
    let privacy = Button::Feature { feature: Feature::Privacy, label: String::new() };
    device(&mut site, "1001").buttons.push(privacy);
    site
}

/// Alice calls Carol on the shared line.
fn talks_on_shared_line(bench: &mut Bench) -> [SessionId; 3] {
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|phone| bench.phone(phone));
    bench.button(alice, StimulusType::Line, 2);
    bench.dial(alice, "1003");
    bench.off_hook(carol);
    bench.open_audio(&[alice, carol]);
    bench.heard(bob);
    [alice, bob, carol]
}

/// Whom Bob sees on the other phone.
fn seen(bench: &Bench, phone: SessionId) -> (String, String) {
    let info = bench.view(phone).legs[0].info.clone().unwrap();
    (info.calling_number.clone(), info.called_number.clone())
}

#[test]
fn privacy_hides_a_call_of_a_shared_line_and_closes_it() {
    let mut bench = Bench::new(sharing());
    let [alice, bob, carol] = talks_on_shared_line(&mut bench);
    assert_eq!(
        (bench.states(bob), bench.keys(bob, 0)),
        (vec!["CallRemoteMultiline"], vec!["Barge", "NewCall", "cBarge"])
    );
    assert_eq!(seen(&bench, bob), ("1009".into(), "1003".into()));

    bench.button(alice, StimulusType::Privacy, 1);
    assert_eq!(bench.told_states(alice), [(1, 1)]);
    assert!(bench.heard(bob).contains(&"CallInfo  to ".into()));
    // The line is in use; by whom, and what could be done about it, is nobody's business.
    assert_eq!((bench.states(bob), bench.keys(bob, 0)), (vec!["CallRemoteMultiline"], vec!["NewCall"]));
    assert_eq!(seen(&bench, bob), (String::new(), String::new()));
    bench.press_on(bob, SoftKey::from(21), 0);
    assert_eq!((bench.refused("barge that cannot be"), bench.states(bob).len()), (1, 1));
    bench.press(alice, SoftKey::Hold);
    assert_eq!(bench.states(bob), ["CallRemoteMultiline"]);
    bench.press_on(bob, SoftKey::Resume, 0);
    assert_eq!(bench.refused("resume of a call that is not on hold"), 1);
    bench.button(bob, StimulusType::Line, 2);
    assert_eq!(bench.states(bob), ["OffHook", "CallRemoteMultiline"]);
    bench.on_hook(bob);

    // Privacy off again: the call on hold is everybody's.
    bench.button(alice, StimulusType::Privacy, 1);
    assert_eq!(bench.told_states(alice), [(1, 0)]);
    bench.button(bob, StimulusType::Line, 2);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["Connected"], vec!["Connected"]));
    bench.on_hook(bob);
    bench.assert_quiet();
    let kept = bench.records.iter().filter_map(|record| match record {
        Record::DeviceState { state, .. } => state.privacy,
        _ => None,
    });
    assert_eq!(kept.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn privacy_of_the_site_and_its_changes() {
    let mut site = sharing();
    device(&mut site, "1001").privacy = true;
    let mut bench = Bench::new(site.clone());
    let [alice, bob, _] = talks_on_shared_line(&mut bench);
    assert_eq!(seen(&bench, bob), (String::new(), String::new()));
    assert_eq!(bench.view(alice).buttons.len(), 1);
    // The button overrides the site's word for the phone, but not for the line.
    bench.button(alice, StimulusType::Privacy, 1);
    assert_eq!(seen(&bench, bob).1, "1003");
    site.lines.get_mut(&number("1009")).unwrap().privacy = true;
    bench.input(Input::Site(Box::new(site)));
    assert_eq!(seen(&bench, bob).1, "");
    bench.on_hook(alice);
    bench.assert_quiet();
}
