//! Timelines of calls: what each phone is told at each step.

mod bench;

use std::time::Duration;

use bench::{Bench, START, capabilities, device_name, office};
use selsius_exchange::record::EndCause;
use selsius_wire::{
    message,
    value::{Codec, KeypadKey, MediaStatus, SoftKey, StimulusType},
};

const SECOND: Duration = Duration::from_secs(1);

/// The idle face, as it is restored at the end of a call.
const END: [&str; 8] = [
    "CallState OnHook",
    "SelectSoftKeys 0",
    "DefineTimeDate",
    "SetSpeakerMode Off",
    "SetRinger RingOff",
    "Prompt Your current options",
    "ConnectionStatisticsReq",
    "",
];

#[test]
fn a_call_from_lifting_to_hanging_up() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));

    bench.off_hook(alice);
    // callmanager-frames.json, cm_cap_new_call, frames 80 to 87.
    assert_eq!(
        bench.heard(alice),
        [
            "SetRinger RingOff",
            "SetSpeakerMode On",
            "SetLamp 1 On",
            "CallState OffHook",
            "SelectSoftKeys 4",
            "Prompt Enter number",
            "ActivateCallPlane",
            "StartTone InsideDialTone",
        ]
    );
    bench.dial(alice, "1");
    assert_eq!(bench.heard(alice), ["StopTone", "SelectSoftKeys 6"]);
    bench.dial(alice, "00");
    assert_eq!(bench.heard(alice), [""; 0]);

    bench.wait(SECOND);
    bench.dial(alice, "2");
    // The called phone: 4.1, frames 132 to 138.
    assert_eq!(
        bench.heard(bob),
        [
            "CallState RingIn",
            "SelectSoftKeys 3",
            "Prompt From 1001",
            "PriNotify From 1001",
            "CallInfo 1001 to 1002",
            "SetLamp 1 Blink",
            "SetRinger InsideRing",
        ]
    );
    // The caller's phone: v20, frames 11 to 17.
    assert_eq!(
        bench.heard(alice),
        [
            "DialedNumber 1002",
            "CallState Proceed",
            "CallInfo 1001 to 1002",
            "StartTone AlertingTone",
            "CallState RingOut",
            "SelectSoftKeys 8",
            "Prompt Ring out",
            "CallInfo 1001 to 1002",
        ]
    );

    bench.wait(2 * SECOND);
    bench.off_hook(bob);
    // 4.1, frames 141 to 153.
    assert_eq!(
        bench.media(bob, 2, 20_000),
        [
            "SetRinger RingOff",
            "SetSpeakerMode On",
            "SetLamp 1 On",
            "CallState OffHook",
            "ActivateCallPlane",
            "SetRinger RingOff",
            "StopTone",
            "OpenReceiveChannel",
            "StopTone",
            "CallState Connected",
            "SelectSoftKeys 1",
            "Prompt Connected",
            "CallInfo 1001 to 1002",
        ]
    );
    // v20, frames 26 to 32, and 38 once the other phone has said where it listens.
    assert_eq!(
        bench.media(alice, 1, 10_000),
        [
            "StopTone",
            "OpenReceiveChannel",
            "CallState Connected",
            "SelectSoftKeys 1",
            "Prompt Connected",
            "CallInfo 1001 to 1002",
            "StopTone",
            "StartMediaTransmission 10.0.0.2:20000",
        ]
    );
    assert_eq!(bench.heard(bob), ["StartMediaTransmission 10.0.0.1:10000"]);

    bench.wait(60 * SECOND);
    bench.on_hook(bob);
    // 4.1, frames 3136 to 3145.
    let end =
        ["StopTone", "SetLamp 1 Off", "ClearPromptStatus", "CloseReceiveChannel", "StopMediaTransmission"];
    let end: Vec<_> = end.iter().chain(&END[..7]).copied().collect();
    assert_eq!(bench.heard(bob), end);
    assert_eq!(bench.heard(alice), end);
    bench.assert_quiet();

    let [call] = &bench.ended()[..] else { panic!("one record") };
    assert_eq!((call.calling.number.as_str(), call.calling.name.as_str()), ("1001", "Alice"));
    assert_eq!((call.called.number.as_str(), call.called.name.as_str()), ("1002", "Bob"));
    assert_eq!(call.called.device.as_ref().unwrap().as_str(), device_name("1002"));
    assert_eq!(call.cause, EndCause::CalledHungUp);
    assert_eq!(call.dialed, "1002");
    let second = 1_000_000;
    assert_eq!(call.started.0, START + second);
    assert_eq!(call.ringing.unwrap().0, START + second);
    assert_eq!(call.answered.unwrap().0, START + 3 * second);
    assert_eq!(call.ended.0, START + 63 * second);

    // Alice puts her handset down as well: nothing more to say.
    bench.on_hook(alice);
    assert_eq!(bench.heard(alice), [""; 0]);
}

#[test]
fn what_comes_to_nothing_says_so_and_ends_with_the_handset() {
    for (dialed, state, prompt, tone, cause) in [
        ("5", "InvalidNumber", "Unknown number", "ReorderTone", EndCause::UnknownNumber),
        ("1003", "Congestion", "Temp fail", "ReorderTone", EndCause::Unregistered),
        ("1001", "Busy", "Busy", "LineBusyTone", EndCause::Busy),
        ("1900", "Congestion", "Not permitted", "ReorderTone", EndCause::Blocked),
    ] {
        let mut bench = Bench::new(office());
        let alice = bench.phone("1001");
        bench.off_hook(alice);
        bench.dial(alice, dialed);
        let heard = bench.heard(alice);
        let expected = [
            format!("StartTone {tone}"),
            format!("CallState {state}"),
            "SelectSoftKeys 8".into(),
            format!("Prompt {prompt}"),
        ];
        assert!(heard.ends_with(&expected), "{dialed}: {heard:?}");
        bench.on_hook(alice);
        let heard = bench.heard(alice);
        assert_eq!(heard.first().unwrap(), "StopTone", "{dialed}");
        assert_eq!(heard.last().unwrap(), "Prompt Your current options", "{dialed}");
        let ended = bench.ended();
        let [call] = &ended[..] else { panic!("{dialed}: {ended:?}") };
        assert_eq!((call.cause, call.called.number.as_str()), (cause, dialed));
        bench.assert_quiet();
    }
}

#[test]
fn a_line_in_a_call_is_busy() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(alice);
    bench.off_hook(bob);
    bench.dial(bob, "1001");
    assert!(bench.heard(bob).contains(&"CallState Busy".into()));
    bench.off_hook(carol);
    bench.dial(carol, "1002");
    assert!(bench.heard(carol).contains(&"CallState Busy".into()), "a busy tone occupies the line");
}

#[test]
fn time_ends_dialling_and_ringing() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.wait(14 * SECOND);
    assert!(!bench.heard(alice).contains(&"StartTone ReorderTone".into()));
    bench.wait(SECOND);
    assert!(bench.heard(alice).contains(&"StartTone ReorderTone".into()), "no first digit in 15 s");
    bench.on_hook(alice);

    bench.off_hook(alice);
    bench.dial(alice, "10");
    bench.wait(6 * SECOND);
    assert!(bench.heard(alice).contains(&"CallState InvalidNumber".into()), "no next digit in 6 s");
    bench.on_hook(alice);

    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.heard(bob);
    bench.wait(29 * SECOND);
    bench.say(alice, message::KeepAlive);
    bench.say(bob, message::KeepAlive);
    for _ in 0..10 {
        bench.wait(15 * SECOND);
        bench.say(alice, message::KeepAlive);
        bench.say(bob, message::KeepAlive);
    }
    bench.heard(alice);
    bench.heard(bob);
    bench.wait(SECOND);
    assert!(bench.heard(alice).contains(&"Prompt No answer".into()), "after 180 s");
    assert!(bench.heard(bob).contains(&"CallState OnHook".into()));
    assert_eq!(bench.ended().last().unwrap().cause, EndCause::NoAnswer);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn numbers_can_be_dialled_in_several_ways() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let rings = |bench: &mut Bench| bench.heard(bob).contains(&"CallState RingIn".to_owned());

    bench.say(
        alice,
        message::EnblocCall {
            called_party: selsius_wire::value::Number::new(b"1002#"),
            ..message::EnblocCall::default()
        },
    );
    assert!(rings(&mut bench), "en bloc from an idle phone");
    bench.press(alice, SoftKey::EndCall);
    assert_eq!(bench.ended().last().unwrap().cause, EndCause::CallerHungUp);

    bench.heard(bob);
    bench.press(alice, SoftKey::Redial);
    assert!(rings(&mut bench), "redial");
    bench.press(alice, SoftKey::EndCall);

    bench.heard(bob);
    bench.press(alice, SoftKey::NewCall);
    bench.dial(alice, "1003");
    bench.press(alice, SoftKey::EndCall);
    bench.press(alice, SoftKey::NewCall);
    bench.dial(alice, "1009");
    bench.press(alice, SoftKey::EndCall);
    bench.off_hook(alice);
    bench.dial(alice, "109");
    bench.press(alice, SoftKey::EndCall);

    bench.heard(alice);
    bench.off_hook(alice);
    bench.dial(alice, "10");
    bench.heard(alice);
    bench.press(alice, SoftKey::BackSpace);
    assert_eq!(bench.heard(alice), ["BackSpace"]);
    bench.press(alice, SoftKey::BackSpace);
    let heard = bench.heard(alice);
    assert_eq!(heard, ["BackSpace", "StartTone InsideDialTone", "SelectSoftKeys 4"], "back at dial tone");
    bench.dial(alice, "1002");
    assert!(rings(&mut bench), "after the digits were taken back");
    bench.on_hook(alice);
    bench.assert_quiet();

    let dial = message::Stimulus {
        stimulus: StimulusType::SpeedDial,
        line_instance: 1,
        ..message::Stimulus::default()
    };
    bench.heard(alice);
    bench.say(bob, dial);
    assert!(bench.heard(alice).contains(&"CallState RingIn".to_owned()), "speed dial");
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn a_call_is_answered_in_every_way_a_phone_has() {
    type Way = fn(&mut Bench, selsius_exchange::SessionId);
    let ways: [(&str, Way); 3] = [
        ("handset", |bench, phone| bench.off_hook(phone)),
        ("soft key", |bench, phone| bench.press(phone, SoftKey::Answer)),
        ("line key", |bench, phone| {
            let key = message::Stimulus {
                stimulus: StimulusType::Line,
                line_instance: 1,
                ..message::Stimulus::default()
            };
            bench.say(phone, key);
        }),
    ];
    for (way, answer) in ways {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        bench.off_hook(alice);
        bench.dial(alice, "1002");
        answer(&mut bench, bob);
        assert!(bench.heard(bob).contains(&"CallState Connected".into()), "{way}");
        bench.on_hook(alice);
        assert_eq!(bench.ended()[0].cause, EndCause::CallerHungUp);
        bench.assert_quiet();
    }
}

#[test]
fn the_first_free_line_of_a_route_rings() {
    let mut bench = Bench::new(office());
    let (alice, carol, dave) = (bench.phone("1001"), bench.phone("1003"), bench.phone("1004"));
    bench.off_hook(carol);
    bench.off_hook(alice);
    bench.dial(alice, "0");
    assert!(bench.heard(dave).contains(&"CallState RingIn".into()), "Carol is busy");
    assert_eq!(bench.exchange.counters().calls, 1);
    bench.on_hook(alice);
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn an_emergency_call_reaches_a_busy_phone() {
    let mut bench = Bench::new(office());
    let (alice, bob, dave) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1004"));
    bench.off_hook(dave);
    bench.dial(dave, "1002");
    bench.off_hook(bob);
    bench.heard(dave);
    bench.heard(bob);
    bench.off_hook(alice);
    bench.dial(alice, "112");
    let heard = bench.heard(dave);
    assert!(
        heard.contains(&"CallState RingIn".into()) && heard.contains(&"StartTone CallWaitingTone".into())
    );
    bench.press(dave, SoftKey::Answer);
    assert!(bench.heard(dave).contains(&"CallState Connected".into()));
    assert!(bench.heard(bob).contains(&"CallState OnHook".into()), "the other call made way");
    bench.on_hook(dave);
    bench.on_hook(bob);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_phone_that_vanishes_ends_its_calls() {
    for caller_vanishes in [true, false] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        bench.off_hook(alice);
        bench.dial(alice, "1002");
        bench.off_hook(bob);
        bench.media(alice, 1, 10_000);
        bench.media(bob, 2, 20_000);
        let (gone, left) = if caller_vanishes { (alice, bob) } else { (bob, alice) };
        bench.heard(left);
        bench.close(gone);
        let heard = bench.heard(left);
        assert!(
            heard.contains(&"StopMediaTransmission".into()) && heard.contains(&"CallState OnHook".into())
        );
        assert_eq!(bench.ended()[0].cause, EndCause::PhoneLost);
        bench.assert_quiet();
    }
}

#[test]
fn media_that_does_not_open_ends_the_call() {
    for status in [None, Some(MediaStatus::OutOfSockets)] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        bench.off_hook(alice);
        bench.dial(alice, "1002");
        bench.off_hook(bob);
        bench.media(bob, 2, 20_000);
        match status {
            None => bench.wait(10 * SECOND),
            Some(status) => {
                let party = bench.messages(alice).iter().find_map(|message| match message {
                    selsius_wire::ManagerMessage::OpenReceiveChannel(open) => {
                        Some(open.pass_through_party_id)
                    }
                    _ => None,
                });
                bench.ack(alice, party.unwrap(), 1, 10_000, status);
            }
        }
        for phone in [alice, bob] {
            let heard = bench.heard(phone);
            assert!(heard.contains(&"Prompt Temp fail".into()), "{heard:?}");
            assert!(heard.contains(&"CloseReceiveChannel".into()), "{heard:?}");
        }
        assert_eq!(bench.ended()[0].cause, EndCause::MediaFailure);
        bench.on_hook(alice);
        bench.on_hook(bob);
        bench.assert_quiet();
    }
}

#[test]
fn phones_without_a_common_codec_are_told_so() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.say(alice, capabilities(&[Codec::G729AnnexA]));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    assert!(bench.heard(alice).contains(&"Prompt Incompatible device type".into()));
    assert_eq!(bench.ended()[0].cause, EndCause::NoCommonCodec);
    bench.on_hook(alice);
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn both_hanging_up_at_once_is_one_end() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.on_hook(alice);
    bench.on_hook(bob);
    assert_eq!(bench.ended().len(), 1);
    bench.assert_quiet();
}

#[test]
fn forged_media_answers_change_nothing() {
    let mut bench = Bench::new(office());
    let (alice, bob, mallory) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    let party = bench.messages(bob).iter().find_map(|message| match message {
        selsius_wire::ManagerMessage::OpenReceiveChannel(open) => Some(open.pass_through_party_id),
        _ => None,
    });
    bench.heard(alice);
    bench.ack(mallory, party.unwrap(), 66, 6666, MediaStatus::Ok);
    assert_eq!(bench.heard(alice), [""; 0], "audio would have gone to 10.0.0.66");
    let refused = &bench.exchange.counters().refused;
    assert_eq!(refused.get("media answer for another phone's leg"), Some(&1));
}

#[test]
fn digits_are_bounded() {
    // CVE-2012-2415: many KeypadButtons in one call.
    let mut site = office();
    let route = selsius_site::Route {
        action: selsius_site::Action::Block,
        emergency: false,
        ..selsius_site::Route::default()
    };
    site.routes.insert("9!".parse().unwrap(), route);
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, &"9".repeat(1000));
    assert!(bench.heard(alice).contains(&"CallState InvalidNumber".into()));
    for key in 10..200_u32 {
        let kp_button = KeypadKey::from(key);
        bench.say(alice, message::KeypadButton { kp_button, ..message::KeypadButton::default() });
    }
    bench.on_hook(alice);
    bench.assert_quiet();
}
