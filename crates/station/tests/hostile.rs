//! Managers that mean no good: nothing panics, nothing grows, and the clock always moves on.

mod common;

use common::{Phone, manager::registered, s};
use proptest::{collection::vec, prelude::*};
use selsius_station::{Action, Config, Face, Input, ModelClass, limits};
use selsius_wire::{MESSAGES, ManagerMessage, RawFrame, value::KeypadKey};

const MODELS: [ModelClass; 5] =
    [ModelClass::P7912, ModelClass::P7960, ModelClass::P7965, ModelClass::P8945, ModelClass::P6901];

#[derive(Debug, Clone)]
enum Step {
    Frame { version: u32, id: u32, body: Vec<u8> },
    Act(Action),
    Voice { party: u32, works: bool },
    Wait(u64),
    Disconnect,
    Connect,
}

/// Bytes of any kind, or words that are small enough to mean something together.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let words = vec(prop_oneof![0_u32..6, 0_u32..20, any::<u32>()], 0..60);
    prop_oneof![
        1 => vec(any::<u8>(), 0..300),
        3 => words.prop_map(|words| words.into_iter().flat_map(u32::to_le_bytes).collect()),
    ]
}

fn id() -> impl Strategy<Value = u32> {
    let known: Vec<u32> = MESSAGES.iter().map(|message| message.id).collect();
    // What a call is made of, more often than the rest; what ends the connection, less.
    let calls = vec![
        0x82, 0x83, 0x85, 0x86, 0x88, 0x8a, 0x8b, 0x8f, 0x97, 0x105, 0x106, 0x107, 0x108, 0x109, 0x110,
        0x111, 0x112, 0x116, 0x11d, 0x120, 0x145, 0x14a,
    ];
    prop_oneof![6 => proptest::sample::select(calls), 2 => proptest::sample::select(known), 1 => any::<u32>()]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::OffHook),
        Just(Action::OnHook),
        Just(Action::Speaker),
        Just(Action::Headset),
        Just(Action::HookFlash),
        Just(Action::Unregister),
        Just(Action::TakeOver),
        any::<u32>().prop_map(|key| Action::Digit(KeypadKey::from(key))),
        "[0-9*#x]{0,80}".prop_map(Action::Dial),
        ".{0,20}".prop_map(Action::SoftKey),
        (0_usize..20).prop_map(Action::SoftKeyAt),
        (0_u32..6).prop_map(Action::Line),
        (0_u32..6).prop_map(Action::SpeedDial),
        (0_usize..70).prop_map(Action::Button),
        (0_u32..20).prop_map(Action::Select),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (prop_oneof![Just(0_u32), Just(17), Just(20), any::<u32>()], id(), body())
            .prop_map(|(version, id, body)| Step::Frame { version, id, body }),
        4 => action().prop_map(Step::Act),
        2 => (0_u32..20, any::<bool>()).prop_map(|(party, works)| Step::Voice { party, works }),
        2 => (0_u64..100).prop_map(Step::Wait),
        1 => Just(Step::Disconnect),
        2 => Just(Step::Connect),
    ]
}

fn assert_bounded(face: &Face) {
    let text =
        |text: &str| assert!(text.chars().count() <= limits::TEXT && !text.chars().any(char::is_control));
    assert!(face.calls.len() <= limits::CALLS && face.lines.len() <= limits::BUTTONS);
    assert!(face.soft_keys.len() <= 16 && face.dialed.chars().count() <= limits::TEXT);
    assert!(face.calls.iter().filter(|call| call.selected).count() <= 1);
    text(&face.prompt);
    text(face.notify.as_deref().unwrap_or_default());
    for call in &face.calls {
        text(&call.calling_name);
        text(&call.prompt);
    }
}

fn run(model: ModelClass, steps: Vec<Step>) {
    let mut phone = registered(model);
    for step in steps {
        match step {
            Step::Frame { version, id, body } => {
                let frame = RawFrame { header_version: version, id, body: &body };
                let received = ManagerMessage::decode_lenient(frame, phone.station.dialect().context());
                phone.say(received.message);
            }
            Step::Act(action) => phone.act(action),
            Step::Voice { party, works: true } => {
                phone.input(Input::ReceiveOpened { party, address: ([10, 0, 0, 7], 5000).into() });
                phone.input(Input::TransmitStarted { party, address: ([10, 0, 0, 7], 5000).into() });
            }
            Step::Voice { party, works: false } => {
                phone.input(Input::ReceiveFailed { party });
                phone.input(Input::TransmitFailed { party });
            }
            Step::Wait(seconds) => phone.wait(s(seconds)),
            Step::Disconnect => phone.input(Input::Disconnected),
            Step::Connect => {
                phone.closed = None;
                phone.input(Input::Connected);
            }
        }
        // Nothing that comes in makes more than a handful go out: no manager can use a phone to flood.
        assert!(phone.take_sent().len() <= 100, "a wait of 100 s is 100 keepalives of one second at most");
        let (receiving, transmitting) = phone.station.streams();
        assert!(receiving <= limits::STREAMS && transmitting <= limits::STREAMS);
        assert_bounded(&phone.face());
        if phone.closed.is_some() {
            assert_eq!((phone.station.poll_timeout(), phone.station.streams()), (None, (0, 0)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn random_managers_and_users_do_no_harm(
        model in proptest::sample::select(&MODELS[..]),
        steps in vec(step(), 0..120),
    ) {
        run(model, steps);
    }
}

#[test]
fn a_manager_that_opens_calls_and_texts_without_end() {
    let mut phone = registered(ModelClass::P7965);
    for round in 0..1_000_u32 {
        for id in [0x111_u32, 0x8f, 0x112, 0x110, 0x11d, 0x86, 0x120, 0x92, 0x91, 0x90, 0x105, 0x8a] {
            let body: Vec<u8> =
                (0..100_u32).flat_map(|word| (round.wrapping_mul(7) + word % 5 + 1).to_le_bytes()).collect();
            let frame = RawFrame { header_version: 0, id, body: &body };
            phone.say(ManagerMessage::decode_lenient(frame, phone.station.dialect().context()).message);
        }
        phone.take_sent();
        phone.take_events();
        phone.take_orders();
    }
    assert_bounded(&phone.face());
}

#[test]
fn messages_before_registration_and_after_the_end_change_nothing() {
    let mut phone = Phone::connected(Config::new("SEP001122334455", ModelClass::P7960));
    let before = phone.face();
    for message in MESSAGES.iter().filter(|message| ![0x81, 0x9d, 0x9f, 0x100].contains(&message.id)) {
        let frame = RawFrame { header_version: 0, id: message.id, body: &[1; 200] };
        phone.say(ManagerMessage::decode_lenient(frame, phone.station.dialect().context()).message);
    }
    assert_eq!(phone.face(), before);
    assert_eq!(phone.take_names(), ["Alarm", "Register"]);
}
