//! Registration of every class, and everything that can go wrong with it, on the virtual clock.

mod common;

use common::{
    Phone,
    manager::{answer, converse, registered},
    s,
};
use selsius_station::{Action, CloseReason, Config, Event, Input, ModelClass, Phase, RejectReason, Role};
use selsius_wire::{
    StationMessage, Time,
    message::{
        CapabilitiesReq, FeatureStatV2, KeepAliveAck, RegisterAck, RegisterReject, RegisterTokenAck,
        RegisterTokenReject, Reset, UnregisterAck,
    },
    value::{ButtonType, DeviceType, DynText, Features, LampMode, ResetType, Text, UnregisterStatus},
};

const ALL: [ModelClass; 5] =
    [ModelClass::P7912, ModelClass::P7960, ModelClass::P7965, ModelClass::P8945, ModelClass::P6901];

fn config(model: ModelClass) -> Config {
    Config::new("SEP001122334455", model)
}

#[test]
fn each_class_asks_in_its_own_order_and_is_registered_at_the_end() {
    for model in ALL {
        let mut phone = Phone::connected(config(model));
        let asked: Vec<_> = converse(&mut phone).iter().map(StationMessage::name).collect();
        assert_eq!(asked[..2], ["Alarm", "Register"], "{model:?}");
        assert_eq!(asked[2], "CapabilitiesRes", "{model:?}");
        assert_eq!(asked.last(), Some(&"TimeDateReq"), "{model:?}");
        assert_eq!(asked[asked.len() - 2], "RegisterAvailableLines", "{model:?}");
        let face = phone.face();
        assert!(face.registered && face.phase == Phase::Registered, "{model:?}");
        assert_eq!(phone.take_events().last(), Some(&Event::Registered), "{model:?}");
        assert_eq!(face.clock.map(|clock| clock.year), Some(2026));
        assert_eq!(
            face.line(1).map(|line| (line.number.as_str(), line.label.as_str())),
            Some(("1001", "Line 1"))
        );
        assert_eq!(
            (phone.station.counts().unanswered, phone.station.counts().unexpected),
            (0, 0),
            "{model:?}"
        );
    }
}

#[test]
fn a_7912_asks_as_captured_and_a_6901_has_no_keys() {
    let mut phone = Phone::connected(config(ModelClass::P7912));
    let asked: Vec<_> = converse(&mut phone).iter().map(StationMessage::name).collect();
    let expected = [
        "Alarm",
        "Register",
        "CapabilitiesRes",
        "ButtonTemplateReq",
        "SoftKeyTemplateReq",
        "SoftKeySetReq",
        "LineStatReq",
        "FeatureStatReq",
        "SpeedDialStatReq",
        "SpeedDialStatReq",
        "SpeedDialStatReq",
        "RegisterAvailableLines",
        "TimeDateReq",
    ];
    assert_eq!(asked, expected);

    let face = registered(ModelClass::P6901).face();
    assert!(face.soft_keys.is_empty() && face.prompt.is_empty());
}

#[test]
fn the_buttons_show_what_the_manager_said() {
    let face = registered(ModelClass::P7965).face();
    let shown: Vec<_> = face
        .lines
        .iter()
        .map(|line| (line.kind, line.instance, line.number.as_str(), line.label.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (ButtonType::Line, 1, "1001", "Line 1"),
            (ButtonType::Line, 2, "1002", "Line 2"),
            (ButtonType::SpeedDial, 1, "2001", "Friend"),
            (ButtonType::SpeedDial, 2, "2002", "Friend"),
            (ButtonType::BlfSpeedDial, 3, "2003", "Friend"),
            (ButtonType::ServiceUrl, 1, "http://example.org/", "News"),
            (ButtonType::Feature, 1, "", "Privacy"),
            (ButtonType::Undefined, 1, "", ""),
        ]
    );
    assert_eq!(face.soft_keys, ["Redial", "NewCall", "CFwdAll"]);
    assert_eq!(face.prompt, "Your current options");
}

#[test]
fn a_busy_lamp_is_lit_by_its_state() {
    let mut phone = registered(ModelClass::P7965);
    let mut light = |kind: ButtonType, index: u32, status: u32| {
        phone.say(FeatureStatV2 {
            feature_index: index,
            feature_id: kind,
            feature_status: status,
            feature_text_label: DynText::new("Friend"),
        });
        let face = phone.face();
        let button =
            face.lines.iter().find(|button| (button.kind, button.instance) == (kind, index)).unwrap();
        (button.number.clone(), button.status, button.light())
    };
    let states = [
        (0, LampMode::Off),
        (1, LampMode::Off),
        (2, LampMode::On),
        (3, LampMode::Flash),
        (4, LampMode::Blink),
        (99, LampMode::Off),
    ];
    for (status, lamp) in states {
        // The number came with SpeedDialStat, and stays.
        assert_eq!(light(ButtonType::BlfSpeedDial, 3, status), ("2003".into(), status, lamp));
    }
    assert_eq!(light(ButtonType::Feature, 1, 1).2, LampMode::On);
    assert_eq!(light(ButtonType::Feature, 1, 0).2, LampMode::Off);
}

#[test]
fn register_says_what_the_configuration_says() {
    let mut phone = Phone::connected(config(ModelClass::P7960));
    let sent = phone.take_sent();
    let [StationMessage::Alarm(alarm), StationMessage::Register(register)] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(alarm.text.to_string(), "Name=SEP001122334455 Load=P00308010200 Last=Initialized");
    assert_eq!(register.device_name.to_string(), "SEP001122334455");
    assert_eq!((register.device_type, register.protocol_ver), (DeviceType::Cisco7960, 11));
    assert_eq!(register.mac_address.0[..6], [0x00, 0x11, 0x22, 0x33, 0x44, 0x55]);
}

#[test]
fn the_version_is_never_more_than_the_phone_offers() {
    for (offered, answered, agreed) in [(22, 22, 22), (22, 17, 17), (7, 6, 6), (7, 22, 7), (3, 0, 0)] {
        let mut phone = Phone::connected(Config { version: offered, ..config(ModelClass::P7960) });
        phone.say(RegisterAck {
            keep_alive_interval: 30,
            max_protocol_ver: answered,
            features: Features([0xff; 3]),
            ..Default::default()
        });
        assert_eq!(phone.station.dialect().version(), agreed);
        assert_eq!(phone.take_events(), [Event::Accepted { version: agreed, keepalive_s: 30 }]);
    }
}

#[test]
fn a_manager_that_does_not_answer_a_question_is_asked_the_next_after_two_seconds() {
    let mut phone = Phone::connected(config(ModelClass::P7912));
    let register = phone.take_sent().pop().expect("Register");
    answer(&register).into_iter().for_each(|answer| phone.say(answer));
    assert_eq!(phone.take_names(), ["CapabilitiesRes", "ButtonTemplateReq"]);
    phone.wait_until(Time::from_millis(1999));
    assert!(phone.sent.is_empty());
    phone.wait_until(Time::from_millis(2000));
    assert_eq!(phone.take_names(), ["SoftKeyTemplateReq"]);
    phone.wait(s(2));
    assert_eq!(phone.take_names(), ["SoftKeySetReq"]);
    phone.wait(s(2));
    let sent = phone.take_sent();
    assert!(matches!(&sent[..], [StationMessage::LineStatReq(ask)] if ask.line_number == 1), "{sent:?}");
    phone.wait(s(4));
    assert_eq!(phone.take_names(), ["RegisterAvailableLines", "TimeDateReq"]);
    assert!(phone.face().registered);
    assert_eq!((phone.station.counts().unanswered, phone.station.counts().unexpected), (5, 0));
}

#[test]
fn a_manager_that_never_asks_for_capabilities_is_asked_all_the_same() {
    let mut phone = Phone::connected(config(ModelClass::P7912));
    phone.take_sent();
    phone.say(RegisterAck { keep_alive_interval: 30, ..Default::default() });
    assert!(phone.sent.is_empty());
    phone.wait(s(2));
    assert_eq!(phone.take_names(), ["ButtonTemplateReq"]);
    phone.say(CapabilitiesReq);
    assert_eq!(phone.take_names(), ["CapabilitiesRes"], "and only the capabilities when it asks later");
}

#[test]
fn keepalives_follow_the_interval_and_three_unacknowledged_ones_end_it() {
    let mut phone = registered(ModelClass::P7960);
    for _ in 0..5 {
        phone.wait(s(30) - std::time::Duration::from_micros(1));
        assert!(phone.sent.is_empty());
        phone.wait(std::time::Duration::from_micros(1));
        assert_eq!(phone.take_names(), ["KeepAlive"]);
        phone.say(KeepAliveAck);
    }
    phone.wait(s(90));
    assert_eq!(phone.take_names(), ["KeepAlive"; 3]);
    assert_eq!((phone.closed, phone.face().registered), (None, true));
    phone.wait(s(30));
    assert_eq!((phone.closed, phone.face().registered), (Some(CloseReason::KeepAliveLost), false));
    assert_eq!(phone.station.poll_timeout(), None);
}

#[test]
fn keepalive_intervals_have_bounds() {
    for (given, used) in [(0, 30), (1, 1), (30, 30), (u32::MAX, 3600)] {
        let mut phone = Phone::connected(config(ModelClass::P7960));
        phone.say(RegisterAck {
            keep_alive_interval: given,
            secondary_keep_alive_interval: given,
            ..Default::default()
        });
        let events = phone.take_events();
        assert!(
            matches!(&events[..], [Event::Accepted { keepalive_s, .. }] if *keepalive_s == used),
            "{events:?}"
        );
        assert_eq!(phone.station.secondary_keepalive(), Some(s(used.into())));
    }
}

#[test]
fn a_standby_connection_only_lives_until_it_takes_over() {
    let mut phone = Phone::connected(Config { role: Role::Standby(s(60)), ..config(ModelClass::P7965) });
    assert_eq!((phone.take_names(), phone.face().phase), (vec!["KeepAlive"], Phase::Standby));
    phone.say(KeepAliveAck);
    phone.wait(s(60));
    assert_eq!(phone.take_names(), ["KeepAlive"]);
    phone.say(KeepAliveAck);
    phone.act(Action::OffHook);
    assert!(phone.sent.is_empty());
    phone.act(Action::TakeOver);
    assert_eq!(phone.take_names(), ["Alarm", "Register"]);
    phone.act(Action::TakeOver);
    assert_eq!(phone.take_events().last(), Some(&Event::Refused(RejectReason::NoEffect)));
}

#[test]
fn a_token_is_asked_for_until_it_is_granted() {
    let mut phone = Phone::connected(Config { token: true, ..config(ModelClass::P7965) });
    assert_eq!(phone.take_names(), ["Alarm", "RegisterTokenReq"]);
    phone.say(RegisterTokenReject { wait_time_before_next_req: 60 });
    assert_eq!(phone.take_events(), [Event::TokenRefused { wait_s: 60 }]);
    phone.wait(s(59));
    assert!(phone.sent.is_empty());
    phone.wait(s(1));
    assert_eq!(phone.take_names(), ["RegisterTokenReq"]);
    phone.say(RegisterTokenAck);
    assert_eq!(phone.take_names(), ["Register"]);
}

#[test]
fn what_ends_a_connection() {
    let reject = || RegisterReject { text: Text::new("No such phone") }.into();
    let reset = |kind| Reset { reset_type: kind }.into();
    type Case = (selsius_wire::ManagerMessage, CloseReason);
    let table: [Case; 4] = [
        (reject(), CloseReason::Rejected),
        (reset(ResetType::Reset), CloseReason::Reset),
        (reset(ResetType::Restart), CloseReason::Restart),
        (reset(ResetType::ApplyConfig), CloseReason::Restart),
    ];
    for (message, reason) in table {
        let mut phone = Phone::connected(config(ModelClass::P7960));
        phone.say(message);
        assert_eq!(phone.closed, Some(reason));
        assert_eq!((phone.face().phase, phone.station.poll_timeout()), (Phase::Offline, None));
        phone.say(KeepAliveAck);
        phone.act(Action::OffHook);
        assert_eq!(phone.station.counts().unexpected, 1);
        assert_eq!(phone.take_events().last(), Some(&Event::Refused(RejectReason::NotRegistered)));
    }
    let mut phone = Phone::connected(config(ModelClass::P7960));
    phone.say(reject());
    assert_eq!(phone.face().reject.as_deref(), Some("No such phone"));
    assert_eq!(phone.events, [Event::Rejected("No such phone".into())]);

    let mut phone = Phone::connected(config(ModelClass::P7960));
    phone.wait(s(30));
    assert_eq!(phone.closed, Some(CloseReason::RegistrationTimeout));

    let mut phone = registered(ModelClass::P7960);
    phone.say(RegisterReject::default());
    assert_eq!((phone.closed, phone.station.counts().unexpected), (None, 1), "a late or forged one");
}

#[test]
fn leaving_in_order() {
    let mut phone = registered(ModelClass::P7960);
    phone.act(Action::Unregister);
    assert_eq!(phone.take_names(), ["UnregisterReq"]);
    phone.say(UnregisterAck { status: UnregisterStatus::Nak });
    assert!(phone.face().registered);
    phone.act(Action::Unregister);
    phone.say(UnregisterAck { status: UnregisterStatus::Ok });
    assert_eq!(phone.closed, Some(CloseReason::Unregistered));

    let mut phone = registered(ModelClass::P7960);
    phone.say(UnregisterAck::default());
    assert_eq!(phone.closed, None, "nobody asked");
}

#[test]
fn a_lost_connection_leaves_nothing_but_the_handset() {
    let mut phone = registered(ModelClass::P7960);
    phone.act(Action::OffHook);
    phone.input(Input::Disconnected);
    let face = phone.face();
    assert!(face.off_hook && face.lines.is_empty() && face.calls.is_empty() && face.prompt.is_empty());
    phone.input(Input::Connected);
    phone.take_sent();
    assert_eq!(phone.face().phase, Phase::Registering);
}

/// Every phase meets every message about the connection; `-` is a phase that stays, and a message that is counted.
#[test]
fn the_table_of_phases() {
    type Enter = fn() -> Phone;
    let phases: [(Phase, Enter); 7] = [
        (Phase::Offline, || Phone::new(config(ModelClass::P7960))),
        (Phase::Standby, || {
            Phone::connected(Config { role: Role::Standby(s(60)), ..config(ModelClass::P7960) })
        }),
        (Phase::AskingToken, || Phone::connected(Config { token: true, ..config(ModelClass::P7960) })),
        (Phase::Registering, || Phone::connected(config(ModelClass::P7960))),
        (Phase::Loading, || {
            let mut phone = Phone::connected(config(ModelClass::P7960));
            phone.say(RegisterAck::default());
            phone
        }),
        (Phase::Registered, || registered(ModelClass::P7960)),
        (Phase::Leaving, || {
            let mut phone = registered(ModelClass::P7960);
            phone.act(Action::Unregister);
            phone
        }),
    ];
    let messages: [selsius_wire::ManagerMessage; 8] = [
        RegisterTokenAck.into(),
        RegisterTokenReject::default().into(),
        RegisterAck::default().into(),
        RegisterReject::default().into(),
        UnregisterAck::default().into(),
        Reset::default().into(),
        KeepAliveAck.into(),
        CapabilitiesReq.into(),
    ];
    let (kept, alive) = ("-", "alive");
    let table = [
        // token granted, refused, accepted, rejected, may go, reset, keepalive, capabilities
        (Phase::Offline, [kept, kept, kept, kept, kept, kept, kept, kept]),
        (Phase::Standby, [kept, kept, kept, kept, kept, "Offline", alive, kept]),
        (Phase::AskingToken, ["Registering", alive, kept, "Offline", kept, "Offline", alive, kept]),
        (Phase::Registering, [kept, kept, "Loading", "Offline", kept, "Offline", alive, kept]),
        (Phase::Loading, [kept, kept, kept, kept, kept, "Offline", alive, alive]),
        (Phase::Registered, [kept, kept, kept, kept, kept, "Offline", alive, alive]),
        (Phase::Leaving, [kept, kept, kept, kept, "Offline", "Offline", alive, alive]),
    ];
    for ((phase, enter), (row, expected)) in phases.iter().zip(table) {
        assert_eq!(*phase, row);
        for (message, expected) in messages.iter().zip(expected) {
            let mut phone = enter();
            assert_eq!(phone.face().phase, *phase);
            phone.say(message.clone());
            let after = phone.face().phase;
            let counted = phone.station.counts().unexpected == 1;
            let seen = match (after == *phase, counted) {
                (true, true) => kept.into(),
                (true, false) => alive.into(),
                (false, _) => format!("{after:?}"),
            };
            assert_eq!(seen, expected, "{phase:?} meets {}", message.name());
        }
    }
}
