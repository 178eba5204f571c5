//! The buttons beside the display: which kind each is on which phone, what they say and what they do.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bench;

use bench::{Bench, device_name, office};
use selsius_exchange::{
    SessionId,
    record::Record,
    remembered::{DeviceState, Forwards, LineState, Messages},
};
use selsius_site::{Button, DeviceName, Feature, FeatureCode, HuntGroup, Service, Site};
use selsius_wire::{
    ManagerMessage, message,
    value::{ButtonType, SoftKey, StimulusType},
};

fn number<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

fn feature(feature: Feature) -> Button {
    Button::Feature { feature, label: String::new() }
}

fn label(text: &str) -> String {
    text.into()
}

/// One button of each kind on Bob's phone.
fn one_of_each() -> Site {
    let mut site = office();
    site.services.insert(number("menu"), Service { title: label("Canteen"), ..Service::default() });
    let url = label("http://news/");
    site.services.insert(number("news"), Service { url, ..Service::default() });
    site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap().buttons = [
        Button::Line { number: number("1002"), label: String::new() },
        Button::SpeedDial { number: number("1001"), label: label("Alice") },
        feature(Feature::Privacy),
        Button::BusyLamp { number: number("1003"), label: label("Carol") },
        Button::Menu { service: number("menu"), label: String::new() },
        Button::Menu { service: number("news"), label: label("News") },
        Button::Service { url: label("http://other/"), label: label("Other") },
        Button::Empty,
        Button::Intercom { number: number("1004"), label: label("Dave!") },
        Button::ParkSlot { number: number("71"), label: label("Slot") },
        Button::Paging { number: number("80"), label: label("All") },
        feature(Feature::DoNotDisturb),
    ]
    .into();
    site
}

/// The template as (instance, kind).
fn template(bench: &mut Bench, phone: SessionId) -> Vec<(u8, u32)> {
    bench.heard(phone);
    bench.say(phone, message::ButtonTemplateReq);
    let messages = bench.messages(phone);
    let mut all = Vec::new();
    for message in &messages {
        let ManagerMessage::ButtonTemplate(template) = message else { panic!("{message:?}") };
        assert_eq!(template.button_offset as usize, all.len());
        all.extend(template.used().iter().map(|b| (b.instance_number, u32::from(b.button_definition))));
    }
    all
}

#[test]
fn each_model_gets_the_kinds_that_it_knows() {
    const LINE: u32 = 9;
    const DIAL: u32 = 2;
    const URL: u32 = 0x14;
    // 7965, version 17: everything. Dials first count the numbers, then the features.
    let modern = [
        (1, LINE),
        (1, DIAL),
        (4, 0x13),
        (2, 0x15),
        (1, URL),
        (2, URL),
        (3, URL),
        (1, 0xFF),
        (5, 0x17),
        (6, 0x16),
        (3, DIAL),
        (7, 0x82),
    ];
    // 7960: features have a key and a lamp, what has a state in FeatureStat is a speed dial.
    let lamps = [
        (1, LINE),
        (1, DIAL),
        (6, 0x13),
        (2, DIAL),
        (1, URL),
        (2, URL),
        (3, URL),
        (1, 0xFF),
        (3, DIAL),
        (4, DIAL),
        (5, DIAL),
        (7, 0x82),
    ];
    // 7912: lines, dials, services.
    let plain = [
        (1, LINE),
        (1, DIAL),
        (2, DIAL),
        (3, DIAL),
        (1, URL),
        (2, URL),
        (3, URL),
        (1, 0xFF),
        (4, DIAL),
        (5, DIAL),
        (6, DIAL),
        (7, DIAL),
    ];
    for (device_type, version, expected) in
        [(436, 17, modern), (585, 22, modern), (436, 11, lamps), (7, 11, lamps), (30_007, 7, plain)]
    {
        let mut bench = Bench::new(one_of_each());
        let bob = bench.phone_as("1002", version, device_type);
        assert_eq!(template(&mut bench, bob), expected, "{device_type} at {version}");
    }
}

#[test]
fn more_buttons_than_a_template_has_slots_come_in_two_messages() {
    let mut site = office();
    let device = site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap();
    // A 7965 with two 7916: their keys go on where the phone's own end.
    let lamps = (0..53)
        .map(|at| Button::BusyLamp { number: number(&format!("{}", 2000 + at)), label: String::new() });
    device.buttons.truncate(1);
    device.buttons.extend(lamps);
    let mut bench = Bench::new(site);
    let bob = bench.phone("1002");
    bench.say(bob, message::ButtonTemplateReq);
    let sizes: Vec<_> = bench
        .messages(bob)
        .iter()
        .map(|message| match message {
            ManagerMessage::ButtonTemplate(t) => (t.button_offset, t.button_count, t.total_button_count),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sizes, [(0, 42, 54), (42, 12, 54)]);
    let all = template(&mut bench, bob);
    assert_eq!((all.len(), all[0], all[53]), (54, (1, 9), (53, 0x15)));
}

#[test]
fn a_7920_has_six_lines_and_no_more() {
    let mut site = office();
    let device = site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap();
    device.buttons = (0..8)
        .map(|at| Button::Line { number: number(&format!("{}", 1002 + at)), label: String::new() })
        .collect();
    let mut bench = Bench::new(site);
    let bob = bench.phone_as("1002", 11, 30_002);
    let lines = template(&mut bench, bob).iter().filter(|(_, kind)| *kind == 9).count();
    assert_eq!((lines, bench.exchange.device_status()[0].lines.len()), (6, 6));
}

/// What is answered to the questions about a button: number or address, label, state.
fn ask(bench: &mut Bench, phone: SessionId, question: impl Into<selsius_wire::StationMessage>) -> String {
    bench.heard(phone);
    bench.say(phone, question);
    match &bench.messages(phone)[..] {
        [ManagerMessage::SpeedDialStatV2(m)] => {
            format!("{} {}", m.speed_dial_dir_number, m.speed_dial_display_name)
        }
        [ManagerMessage::SpeedDialStat(m)] => {
            format!("{} {}", m.speed_dial_dir_number, m.speed_dial_display_name)
        }
        [ManagerMessage::ServiceUrlStatV2(m)] => format!("{} {}", m.service_url, m.service_url_display_name),
        [ManagerMessage::FeatureStatV2(m)] => {
            format!("{:#x} {} {}", u32::from(m.feature_id), m.feature_text_label, m.feature_status)
        }
        other => panic!("{other:?}"),
    }
}

fn dial(speed_dial_number: u32) -> message::SpeedDialStatReq {
    message::SpeedDialStatReq { speed_dial_number }
}

fn service(service_url_index: u32) -> message::ServiceUrlStatReq {
    message::ServiceUrlStatReq { service_url_index }
}

fn state(feature_index: u32) -> message::FeatureStatReq {
    message::FeatureStatReq { feature_index, ..message::FeatureStatReq::default() }
}

#[test]
fn every_button_says_what_stands_beside_it() {
    let mut bench = Bench::new(one_of_each());
    let bob = bench.phone("1002");
    for (instance, expected) in [(1, "1001 Alice"), (2, "1003 Carol"), (3, "80 All"), (4, " "), (99, " ")] {
        assert_eq!(ask(&mut bench, bob, dial(instance)), expected);
    }
    let services = [
        (1, "http://10.0.0.254:6970/services/menu Canteen"),
        (2, "http://news/ News"),
        (3, "http://other/ Other"),
        (4, " "),
    ];
    for (instance, expected) in services {
        assert_eq!(ask(&mut bench, bob, service(instance)), expected);
    }
    // Carol's phone is not there.
    let states = [
        (1, "0x0  0"),
        (2, "0x15 Carol 0"),
        (4, "0x13 Private 0"),
        (5, "0x17 Dave! 0"),
        (6, "0x16 Slot 0"),
        (7, "0x82 Do Not Disturb 0"),
        (8, "0x0  0"),
    ];
    for (instance, expected) in states {
        assert_eq!(ask(&mut bench, bob, state(instance)), expected);
    }
    bench.phone("1003");
    assert_eq!(ask(&mut bench, bob, state(2)), "0x15 Carol 1");

    // A phone that knows no features sees them as speed dials of their codes.
    let mut bench = Bench::new(one_of_each());
    let bob = bench.phone_as("1002", 7, 30_007);
    assert_eq!(ask(&mut bench, bob, dial(2)), "* Private");
    assert_eq!(ask(&mut bench, bob, dial(7)), "*78 Do Not Disturb");
}

#[test]
fn a_site_change_of_a_button_or_a_soft_key_restarts_the_phone() {
    use selsius_site::{KeySet, SoftKey as Key, SoftKeys};
    let mut site = one_of_each();
    let mut bench = Bench::new(site.clone());
    let bob = bench.phone("1002");
    bench.input(selsius_exchange::Input::Site(Box::new(site.clone())));
    assert!(!bench.heard(bob).contains(&"Reset".into()));
    let name: DeviceName = number(&device_name("1002"));
    site.devices.get_mut(&name).unwrap().soft_keys = Some(number("few"));
    let keys = [(KeySet::OnHook, [Key::NewCall].into())].into();
    site.soft_keys.insert(number("few"), SoftKeys(keys));
    bench.input(selsius_exchange::Input::Site(Box::new(site)));
    assert!(bench.heard(bob).contains(&"Reset".into()));
}

#[test]
fn dials_call_and_a_conversation_waits_meanwhile() {
    let mut bench = Bench::new(one_of_each());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.button(bob, StimulusType::SpeedDial, 1);
    assert_eq!(bench.states(alice), ["RingIn"]);
    bench.off_hook(alice);
    bench.open_audio(&[alice, bob]);
    // The busy lamp of somebody who is free calls.
    bench.button(bob, StimulusType::BlfSpeedDial, 2);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["Hold", "RingOut"], vec!["RingIn"]));
    bench.on_hook(bob);
    assert_eq!(bench.states(bob), ["Hold"]);
    // Unknown buttons are refused.
    bench.button(bob, StimulusType::SpeedDial, 9);
    bench.button(bob, StimulusType::T120Chat, 1);
    assert_eq!((bench.refused("unknown speed dial"), bench.refused("button without meaning here")), (1, 1));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn feature_buttons_do_what_soft_keys_do() {
    let mut site = one_of_each();
    let buttons = &mut site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap().buttons;
    buttons.truncate(1);
    for button in [Feature::Hold, Feature::Transfer, Feature::Conference, Feature::Redial] {
        buttons.push(feature(button));
    }
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(bob, alice, "1001");
    bench.button(bob, StimulusType::Hold, 1);
    assert_eq!(bench.states(bob), ["Hold"]);
    bench.button(bob, StimulusType::Hold, 1);
    assert_eq!(bench.states(bob), ["Connected"]);
    bench.button(bob, StimulusType::Transfer, 2);
    bench.dial(bob, "1003");
    bench.off_hook(carol);
    bench.button(bob, StimulusType::Transfer, 2);
    assert_eq!((bench.states(alice), bench.states(carol)), (vec!["Connected"], vec!["Connected"]));
    assert!(bench.states(bob).is_empty());
    bench.on_hook(alice);
    bench.button(bob, StimulusType::LastNumberRedial, 4);
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(bob);
    // A key that is no button of the template works all the same.
    bench.talk(bob, alice, "1001");
    bench.button(bob, StimulusType::Conference, 0);
    assert_eq!(bench.states(bob), ["Hold", "OffHook"]);
    bench.on_hook(bob);
    bench.press(bob, SoftKey::Resume);
    bench.button(bob, StimulusType::EndCall, 0);
    assert!(bench.states(bob).is_empty());
    bench.button(bob, StimulusType::NewCall, 0);
    assert_eq!(bench.states(bob), ["OffHook"]);
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn buttons_of_features_show_their_state() {
    let mut site = one_of_each();
    let members = [number("1002")].into();
    site.hunt_groups.insert(number("500"), HuntGroup { members, login: true, ..HuntGroup::default() });
    let buttons = &mut site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap().buttons;
    buttons.truncate(1);
    let features =
        [Feature::DoNotDisturb, Feature::ForwardAll, Feature::Voicemail, Feature::HuntLogin, Feature::Park];
    buttons.extend(features.map(feature));
    let mut bench = Bench::new(site);
    let state = LineState {
        do_not_disturb: true,
        forwards: Forwards { all: Some(number("1003")), ..Forwards::default() },
        messages: Messages { new: 2, old: 0 },
        hunt_logged_out: true,
        hunt_logged_in: false,
    };
    bench.exchange.remember([(number("1002"), state)], []);
    let bob = bench.phone("1002");
    let shown: Vec<_> = bench.view(bob).buttons.iter().map(|b| (b.button.name(), b.instance)).collect();
    assert_eq!(shown, [("DoNotDisturb", 1), ("Forward All", 2), ("Voicemail", 3)]);
    bench.button(bob, StimulusType::HLog, 4);
    assert_eq!(bench.told_states(bob), [(4, 1)]);
    let logged_in =
        |record: &Record| matches!(record, Record::LineState { state, .. } if state.hunt_logged_in);
    assert!(bench.records.iter().any(logged_in));
    bench.button(bob, StimulusType::HLog, 4);
    assert_eq!(bench.told_states(bob), [(4, 0)]);
    // Nobody logs in to a group that wants no login.
    let alice = bench.phone("1001");
    bench.button(alice, StimulusType::HLog, 0);
    assert_eq!(bench.refused("hunt log-in of no member"), 1);
}

#[test]
fn abbreviated_numbers_are_dialled_by_code_and_by_the_phone_s_own_key() {
    let mut site = office();
    let device = site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap();
    let code = site.settings.codes.code(FeatureCode::Abbreviated).unwrap();
    device.abbreviated = [
        (5, number("1003")),
        // One that leads to itself leads nowhere.
        (6, number(&format!("{code}6"))),
        (7, number("*69")),
    ]
    .into();
    let mut bench = Bench::new(site);
    let (bob, carol) = (bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(bob);
    bench.dial(bob, "**5#");
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["RingOut"], vec!["RingIn"]));
    bench.on_hook(bob);
    let ended = bench.ended();
    assert_eq!((ended[0].dialed.as_str(), ended[0].called.number.as_str()), ("1003", "1003"));
    // Without the hash it waits whether more digits come.
    bench.off_hook(bob);
    bench.dial(bob, "**5");
    assert_eq!(bench.states(carol), Vec::<&str>::new());
    bench.wait(std::time::Duration::from_secs(6));
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(bob);
    bench.button(bob, StimulusType::SpeedDial, 5);
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(bob);
    for nowhere in ["**6#", "**7#", "**8#", "***#"] {
        bench.off_hook(bob);
        bench.dial(bob, nowhere);
        assert_eq!(bench.states(bob), ["InvalidNumber"], "{nowhere}");
        bench.on_hook(bob);
    }
    bench.assert_quiet();
}

#[test]
fn redial_is_kept_over_restarts_and_stored_only_when_it_changes() {
    let mut bench = Bench::new(office());
    let (bob, carol) = (bench.phone("1002"), bench.phone("1003"));
    let stored = |bench: &Bench| {
        let of_device = bench.records.iter().filter_map(|record| match record {
            Record::DeviceState { state, .. } => state.last_dialed.clone(),
            _ => None,
        });
        of_device.map(|number| number.to_string()).collect::<Vec<_>>()
    };
    for dialed in ["1003", "1003", "0", "1003"] {
        bench.off_hook(bob);
        bench.dial(bob, dialed);
        bench.on_hook(bob);
    }
    assert_eq!(stored(&bench), ["1003", "0", "1003"]);
    // By code, after the phone was away.
    bench.close(bob);
    let bob = bench.phone("1002");
    bench.off_hook(bob);
    bench.dial(bob, "*69");
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(bob);

    let mut bench = Bench::new(office());
    let state = DeviceState { last_dialed: Some(number("1003")), ..DeviceState::default() };
    bench.exchange.remember([], [(number(&device_name("1002")), state)]);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.press(bob, SoftKey::Redial);
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(bob);
    // Who has dialled nothing yet redials nothing.
    bench.off_hook(alice);
    bench.dial(alice, "*69");
    assert_eq!(bench.states(alice), ["InvalidNumber"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_phone_shows_its_own_soft_keys_and_they_work() {
    use selsius_site::{KeySet, SoftKey as Key, SoftKeys};
    let mut site = office();
    let keys = [
        (KeySet::OnHook, [Key::NewCall].into()),
        (KeySet::Connected, [Key::EndCall, Key::PrivateHold, Key::Hold].into()),
    ];
    site.soft_keys.insert(number("few"), SoftKeys(keys.into()));
    site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap().soft_keys =
        Some(number("few"));
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let name: DeviceName = number(&device_name("1002"));
    assert_eq!(bench.exchange.soft_keys(&name, None), ["NewCall"]);
    bench.talk(bob, alice, "1001");
    // The line is on no other phone: private hold makes no sense, and its place is the second one.
    assert_eq!(bench.keys(bob, 0), ["EndCall", "Hold"]);
    assert_eq!(bench.view(bob).legs[0].mask, 0xFFFF_FFFD);
    assert!(bench.keys(alice, 0).contains(&"Transfer"));
    bench.press_on(bob, SoftKey::Hold, 0);
    assert_eq!(bench.keys(bob, 0)[..2], ["Resume", "NewCall"]);
}

#[test]
fn a_phone_without_soft_keys_is_never_told_of_any() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone_as("1002", 11, 30_008));
    bench.say(bob, message::SoftKeySetReq);
    assert_eq!(bench.heard(bob), ["SoftKeySet", "Prompt Your current options"]);
    bench.off_hook(bob);
    bench.dial(bob, "1001");
    bench.off_hook(alice);
    bench.on_hook(bob);
    let heard = bench.heard(bob);
    assert!(
        heard.len() > 10 && !heard.iter().any(|message| message.starts_with("SelectSoftKeys")),
        "{heard:?}"
    );
    bench.assert_quiet();
}

#[test]
fn a_7911_hears_off_hook_before_connected_and_a_7936_the_time_after_each_call() {
    let mut site = office();
    for phone in ["1001", "1002"] {
        let device = site.devices.get_mut(&number::<DeviceName>(&device_name(phone))).unwrap();
        device.buttons.push(Button::Line { number: number("1004"), label: String::new() });
    }
    // What a phone of this type hears when it takes a call up that another phone of the line has on hold.
    let takes_up = |device_type: u32| {
        let mut bench = Bench::new(site.clone());
        let (alice, bob, carol) =
            (bench.phone("1001"), bench.phone_as("1002", 17, device_type), bench.phone("1003"));
        bench.say(alice, message::OffHook { line_instance: 2, ..message::OffHook::default() });
        bench.dial(alice, "1003");
        bench.off_hook(carol);
        bench.press(alice, SoftKey::Hold);
        bench.heard(bob);
        bench.button(bob, StimulusType::Line, 2);
        let heard = bench.heard(bob);
        bench.on_hook(bob);
        let end = bench.heard(bob);
        let states = heard.into_iter().filter(|message| message.starts_with("CallState")).collect::<Vec<_>>();
        (states, end.contains(&"DefineTimeDate".into()))
    };
    // It was on hold on the other phone, and so begins here.
    let (states, _) = takes_up(436);
    let own = states.iter().position(|state| state == "CallState Connected").unwrap();
    assert!(!states[..own].contains(&"CallState OffHook".into()), "{states:?}");
    let (states, _) = takes_up(307);
    let own = states.iter().position(|state| state == "CallState Connected").unwrap();
    assert_eq!(states[own - 1], "CallState OffHook", "{states:?}");
    assert!(takes_up(30_019).1);
}

#[test]
fn buttons_of_features_to_come_leave_no_call_behind() {
    let mut site = one_of_each();
    let buttons = &mut site.devices.get_mut(&number::<DeviceName>(&device_name("1002"))).unwrap().buttons;
    buttons.truncate(1);
    buttons.extend(Feature::ALL.iter().map(|&one| feature(one)));
    buttons.push(Button::Intercom { number: number("1004"), label: String::new() });
    buttons.push(Button::ParkSlot { number: number("71"), label: String::new() });
    buttons.push(Button::Paging { number: number("80"), label: String::new() });
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let template = template(&mut bench, bob);
    assert!(!template.iter().any(|(_, kind)| ButtonType::from(*kind) == ButtonType::Undefined));
    for &(instance, kind) in &template[1..] {
        for talking in [false, true] {
            if talking {
                bench.talk(alice, bob, "1002");
            }
            bench.button(bob, StimulusType::from(kind), instance.into());
            for _ in 0..2 {
                bench.on_hook(bob);
                bench.press(bob, SoftKey::Resume);
            }
            bench.on_hook(bob);
            bench.on_hook(alice);
            bench.assert_quiet();
        }
    }
}
