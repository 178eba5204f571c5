//! What a person sees and hears in calls, and what the keys do, against an idle registered phone.

mod common;

use common::{
    Phone,
    manager::{info, keys, prompt, registered, state},
    s,
};
use selsius_station::{Action, Event, ModelClass, RejectReason};
use selsius_wire::{
    ManagerMessage, StationMessage,
    message::{
        ActivateCallPlane, BackSpaceReq, CallInfo, ClearNotify, ClearPriNotify, ClearPromptStatus,
        DialedNumber, DisplayNotify, DisplayPriNotify, DisplayPromptStatus, SetLamp, SetRinger,
        SetSpeakerMode, StartTone, StopTone,
    },
    value::{
        CallState, KeypadKey, LampMode, MediaPathEventKind, MediaPathId, Number, RingDuration, RingMode,
        SpeakerMode, StimulusType, Text, Tone,
    },
};

/// What was sent, short: name and the numbers in it.
fn sent(phone: &mut Phone) -> Vec<String> {
    let short = |message: &StationMessage| match message {
        StationMessage::OffHook(hook) => format!("OffHook {} {}", hook.line_instance, hook.call_reference),
        StationMessage::OnHook(hook) => format!("OnHook {} {}", hook.line_instance, hook.call_reference),
        StationMessage::HookFlash(hook) => {
            format!("HookFlash {} {}", hook.line_instance, hook.call_reference)
        }
        StationMessage::MediaPathEvent(path) => {
            let on = if path.media_path_event == MediaPathEventKind::On { "on" } else { "off" };
            format!("{} {on}", path.media_path_id.name())
        }
        StationMessage::KeypadButton(key) => {
            format!("Keypad {} {} {}", key.kp_button.name(), key.line_instance, key.call_reference)
        }
        StationMessage::EnblocCall(call) => format!("Enbloc {} {}", call.called_party, call.line_instance),
        StationMessage::Stimulus(stimulus) => {
            format!("{} {} {}", stimulus.stimulus.name(), stimulus.line_instance, stimulus.call_reference)
        }
        StationMessage::SoftKeyEvent(key) => {
            let event = u32::from(key.soft_key_event);
            format!("SoftKey {event} {} {}", key.line_instance, key.call_reference)
        }
        other => other.name().into(),
    };
    phone.take_sent().iter().map(short).collect()
}

fn ringing(phone: &mut Phone, line: u32, reference: u32) {
    phone.say(state(CallState::RingIn, line, reference));
    phone.say(keys(line, reference, 3));
    phone.say(prompt(line, reference, b"\x80\x171003"));
    phone.say(info(line, reference, "1003", "1001"));
    phone.say(lamp(line, LampMode::Blink));
    phone.say(ring(RingMode::Inside, RingDuration::Normal, line, reference));
}

fn talking(phone: &mut Phone, line: u32, reference: u32) {
    phone.say(state(CallState::OffHook, line, reference));
    phone.say(state(CallState::Connected, line, reference));
    phone.say(keys(line, reference, 1));
    phone.say(prompt(line, reference, b"\x80\x18"));
}

fn lamp(line: u32, mode: LampMode) -> ManagerMessage {
    SetLamp { stimulus: StimulusType::Line, stimulus_instance: line, lamp_mode: mode }.into()
}

fn ring(
    ring_mode: RingMode,
    ring_duration: RingDuration,
    line_instance: u32,
    call_reference: u32,
) -> ManagerMessage {
    SetRinger { ring_mode, ring_duration, line_instance, call_reference }.into()
}

fn tone(tone: Tone, line_instance: u32, call_reference: u32) -> ManagerMessage {
    StartTone { tone, line_instance, call_reference, ..Default::default() }.into()
}

fn stop_tone(line_instance: u32, call_reference: u32) -> ManagerMessage {
    StopTone { line_instance, call_reference, ..Default::default() }.into()
}

fn speaker(speaker_mode: SpeakerMode) -> ManagerMessage {
    SetSpeakerMode { speaker_mode }.into()
}

#[test]
fn an_incoming_call_is_seen_heard_and_answered() {
    let mut phone = registered(ModelClass::P7960);
    ringing(&mut phone, 1, 7);
    let face = phone.face();
    assert_eq!((face.ringing, face.prompt.as_str()), (Some(RingMode::Inside), "From 1003"));
    assert_eq!(
        (face.soft_keys.as_slice(), face.line(1).map(|line| line.lamp)),
        (&["Answer".into()][..], Some(LampMode::Blink))
    );
    let call = face.selected().expect("the call");
    assert_eq!((call.calling_name.as_str(), call.calling_number.as_str()), ("Caller", "1003"));
    assert_eq!(call.state, CallState::RingIn);
    let parties = phone.station.parties(7).expect("the call");
    assert_eq!((parties.calling, parties.called), ("1003", "1001"));
    assert_eq!(phone.station.parties(8), None);

    phone.act(Action::OffHook);
    assert_eq!(sent(&mut phone), ["Handset on", "OffHook 1 7"]);
    phone.say(ring(RingMode::Off, RingDuration::Normal, 0, 0));
    talking(&mut phone, 1, 7);
    let face = phone.face();
    assert_eq!((face.ringing, face.off_hook, face.prompt.as_str()), (None, true, "Connected"));
    assert_eq!(face.soft_keys, ["Hold", "EndCall", "Transfer"]);

    phone.act(Action::OnHook);
    assert_eq!(sent(&mut phone), ["Handset off", "OnHook 1 7"]);
    phone.say(state(CallState::OnHook, 1, 7));
    phone.say(ClearPromptStatus { line_instance: 1, call_reference: 7 });
    assert_eq!(phone.station.parties(7), None, "it is over");
    let face = phone.face();
    assert_eq!((face.calls.len(), face.prompt.as_str(), face.off_hook), (0, "Your current options", false));
    assert_eq!(face.soft_keys, ["Redial", "NewCall", "CFwdAll"]);
    assert_eq!(face.active_line, None);
}

#[test]
fn each_class_tells_its_hook_in_its_way() {
    let table: [(ModelClass, &[&str], &[&str]); 5] = [
        (ModelClass::P7912, &["OffHook 0 0"], &["OnHook 1 7"]),
        (ModelClass::P7960, &["Handset on", "OffHook 0 0"], &["Handset off", "OnHook 1 7"]),
        (ModelClass::P7965, &["Handset on", "OffHook 0 0"], &["Handset off", "OnHook 0 0"]),
        (ModelClass::P8945, &["Handset on", "OffHook 0 0"], &["Handset off", "OnHook 0 0"]),
        (ModelClass::P6901, &["Handset on"], &["Handset off"]),
    ];
    for (model, lifted, put_down) in table {
        let mut phone = registered(model);
        phone.act(Action::OffHook);
        assert_eq!(sent(&mut phone), lifted, "{model:?}");
        phone.act(Action::OffHook);
        assert_eq!((sent(&mut phone).len(), phone.take_events().len()), (0, 1), "{model:?}");
        phone.say(state(CallState::OffHook, 1, 7));
        phone.act(Action::OnHook);
        assert_eq!(sent(&mut phone), put_down, "{model:?}");
        phone.say(state(CallState::OnHook, 1, 7));
        phone.act(Action::OnHook);
        assert_eq!((sent(&mut phone).len(), phone.take_events().len()), (0, 3), "{model:?}");
    }
}

#[test]
fn digits_go_to_the_call_that_is_being_dialled() {
    let mut phone = registered(ModelClass::P7912);
    phone.act(Action::OffHook);
    phone.act(Action::Digit(KeypadKey::One));
    assert_eq!(sent(&mut phone), ["OffHook 0 0", "Keypad One 0 0"], "before the manager named the call");
    phone.say(state(CallState::OffHook, 1, 7));
    phone.say(keys(1, 7, 4));
    phone.say(tone(Tone::InsideDialTone, 1, 7));
    assert_eq!(phone.face().tone, Some(Tone::InsideDialTone));
    phone.act(Action::Dial("10-0*#".into()));
    assert_eq!(
        sent(&mut phone),
        ["Keypad One 1 7", "Keypad Zero 1 7", "Keypad Zero 1 7", "Keypad Star 1 7", "Keypad Pound 1 7"]
    );
    assert_eq!(phone.face().dialed, "100*#");
    phone.say(BackSpaceReq { line_instance: 1, call_reference: 7 });
    assert_eq!(phone.face().dialed, "100*");
    phone.say(stop_tone(1, 7));
    phone.say(state(CallState::Proceed, 1, 7));
    phone.say(DialedNumber { dialed_number: Number::new("1002"), line_instance: 1, call_reference: 7 });
    phone.act(Action::Digit(KeypadKey::Five));
    assert_eq!(
        (sent(&mut phone), phone.face().dialed),
        (vec!["Keypad Five 1 7".into()], "1002".into()),
        "DTMF"
    );
    assert_eq!(phone.face().tone, None);
}

#[test]
fn an_idle_phone_collects_digits_and_sends_them_as_a_whole() {
    let mut phone = registered(ModelClass::P7960);
    let type_in = |phone: &mut Phone| {
        for key in [KeypadKey::One, KeypadKey::Zero, KeypadKey::Zero, KeypadKey::Two] {
            phone.act(Action::Digit(key));
        }
        assert_eq!((phone.sent.len(), phone.face().dialed.as_str()), (0, "1002"));
    };
    let ways: [(Action, &[&str]); 4] = [
        (Action::OffHook, &["Handset on", "Enbloc 1002 1"]),
        (Action::Speaker, &["Speaker on", "Enbloc 1002 1"]),
        (Action::SoftKey("new call".into()), &["Enbloc 1002 1"]),
        (Action::Line(2), &["Enbloc 1002 2"]),
    ];
    for (action, expected) in ways {
        type_in(&mut phone);
        phone.act(action);
        assert_eq!(
            (sent(&mut phone).as_slice(), phone.face().dialed.as_str()),
            (&expected.iter().map(|s| String::from(*s)).collect::<Vec<_>>()[..], "")
        );
        phone.act(Action::OnHook);
        sent(&mut phone);
    }
    phone.act(Action::Dial("1002".into()));
    assert_eq!(sent(&mut phone), ["Enbloc 1002 1"]);
    phone.act(Action::Dial("nobody".into()));
    assert_eq!(sent(&mut phone), [""; 0]);
    type_in(&mut phone);
    phone.act(Action::SoftKey("Redial".into()));
    assert_eq!((sent(&mut phone), phone.face().dialed), (vec!["SoftKey 1 0 0".into()], "".into()));
}

#[test]
fn soft_keys_are_found_by_what_is_shown() {
    let mut phone = registered(ModelClass::P7960);
    phone.act(Action::SoftKey("redial".into()));
    phone.act(Action::SoftKeyAt(1));
    assert_eq!(sent(&mut phone), ["SoftKey 1 0 0", "SoftKey 2 0 0"]);
    for hidden in [Action::SoftKey("EndCall".into()), Action::SoftKeyAt(3), Action::SoftKey(String::new())] {
        phone.act(hidden);
        assert_eq!(phone.take_events(), [Event::Refused(RejectReason::NoSuchKey)]);
    }
    phone.say(state(CallState::OffHook, 1, 7));
    phone.say(keys(1, 7, 6));
    assert_eq!(phone.face().soft_keys, ["<<", "EndCall", "Dial"]);
    phone.act(Action::SoftKey("dial".into()));
    assert_eq!(sent(&mut phone), ["SoftKey 77 1 7"], "the manager's own number");
    phone.say(keys(1, 7, 5));
    assert_eq!(phone.face().soft_keys, ["", "EndCall", "Transfer"]);
    phone.act(Action::SoftKeyAt(0));
    assert_eq!(sent(&mut phone), [""; 0]);
    phone.say(selsius_wire::message::SelectSoftKeys {
        line_instance: 1,
        call_reference: 7,
        soft_key_set_index: 5.into(),
        valid_key_mask: 0b010,
    });
    assert_eq!(phone.face().soft_keys, ["", "EndCall"]);
}

#[test]
fn line_keys_speed_dials_and_other_buttons_send_their_stimulus() {
    let mut phone = registered(ModelClass::P7965);
    let table: [(Action, &str); 7] = [
        (Action::Line(2), "Line 2 0"),
        (Action::SpeedDial(2), "SpeedDial 2 0"),
        (Action::SpeedDial(3), "BLFSpeedDial 3 0"),
        (Action::Button(0), "Line 1 0"),
        (Action::Button(2), "SpeedDial 1 0"),
        (Action::Button(5), "ServiceURL 1 0"),
        (Action::Stimulus(StimulusType::VoiceMail, 1), "VoiceMail 1 0"),
    ];
    for (action, expected) in table {
        phone.act(action);
        assert_eq!(sent(&mut phone), [expected]);
    }
    phone.take_events();
    for missing in [Action::Line(3), Action::SpeedDial(9), Action::Button(7), Action::Button(99)] {
        phone.act(missing);
        assert_eq!(
            (sent(&mut phone).len(), phone.take_events()),
            (0, vec![Event::Refused(RejectReason::NoSuchKey)])
        );
    }
}

#[test]
fn two_calls_and_the_cursor_between_them() {
    let mut phone = registered(ModelClass::P7960);
    phone.act(Action::OffHook);
    talking(&mut phone, 1, 7);
    ringing(&mut phone, 2, 8);
    assert_eq!(phone.face().soft_keys, ["Hold", "EndCall", "Transfer"], "another line rings: one talks on");
    phone.act(Action::Select(8));
    assert_eq!(
        (phone.face().soft_keys.as_slice(), phone.face().prompt.as_str()),
        (&["Answer".into()][..], "From 1003")
    );
    sent(&mut phone);
    phone.act(Action::SoftKey("Answer".into()));
    assert_eq!(sent(&mut phone), ["SoftKey 11 2 8"]);
    phone.say(state(CallState::Hold, 1, 7));
    phone.say(keys(1, 7, 2));
    talking(&mut phone, 2, 8);
    phone.act(Action::Line(1));
    let face = phone.face();
    assert_eq!(
        (face.active_line, face.soft_keys.as_slice()),
        (Some(1), &["Resume".into(), "NewCall".into()][..])
    );
    phone.say(ActivateCallPlane { line_instance: 2 });
    assert_eq!((phone.face().active_line, phone.face().state()), (Some(2), CallState::Connected));
    phone.act(Action::OnHook);
    assert_eq!(sent(&mut phone)[1..], ["Handset off", "OnHook 2 8"], "the one that one talks in");
    phone.act(Action::Select(99));
    assert_eq!(phone.take_events().last(), Some(&Event::Refused(RejectReason::NoSuchCall)));
}

#[test]
fn the_speaker_follows_user_and_manager() {
    let mut phone = registered(ModelClass::P7965);
    phone.say(speaker(SpeakerMode::On));
    assert_eq!(sent(&mut phone), ["Speaker on"], "v20 capture, frame 18");
    phone.say(speaker(SpeakerMode::On));
    assert_eq!(sent(&mut phone), [""; 0]);
    talking(&mut phone, 1, 7);
    phone.act(Action::OffHook);
    assert_eq!(
        (sent(&mut phone), phone.face().path()),
        (vec!["Handset on".into()], Some(MediaPathId::Handset))
    );
    phone.act(Action::Speaker);
    assert_eq!(sent(&mut phone), ["Speaker on"]);
    phone.act(Action::Speaker);
    assert_eq!((sent(&mut phone), phone.face().off_hook), (vec!["Speaker off".into()], true));
    phone.act(Action::OnHook);
    assert_eq!(sent(&mut phone), ["Handset off", "OnHook 0 0"]);
    phone.say(state(CallState::OnHook, 1, 7));
    phone.say(speaker(SpeakerMode::Off));
    assert_eq!(sent(&mut phone), [""; 0]);
    phone.act(Action::Speaker);
    phone.act(Action::Speaker);
    assert_eq!(sent(&mut phone), ["Speaker on", "OffHook 0 0", "Speaker off", "OnHook 0 0"]);
    phone.act(Action::Headset);
    assert_eq!(
        (sent(&mut phone), phone.face().path()),
        (vec!["Headset on".into(), "OffHook 0 0".into()], Some(MediaPathId::Headset))
    );

    let mut phone = registered(ModelClass::P6901);
    phone.act(Action::Speaker);
    assert_eq!(
        (sent(&mut phone).len(), phone.take_events()),
        (0, vec![Event::Refused(RejectReason::NoSuchKey)])
    );
    phone.act(Action::OffHook);
    phone.say(state(CallState::OffHook, 1, 7));
    phone.say(speaker(SpeakerMode::On));
    phone.act(Action::HookFlash);
    assert_eq!(sent(&mut phone), ["Handset on", "HookFlash 1 7"]);
}

#[test]
fn tones_and_rings_that_end_by_themselves() {
    let mut phone = registered(ModelClass::P7960);
    phone.say(tone(Tone::Zip, 0, 0));
    assert_eq!((phone.face().tone, phone.take_events()), (None, vec![Event::Tone(Tone::Zip)]));
    phone.say(ring(RingMode::Feature, RingDuration::Single, 1, 7));
    assert_eq!(phone.face().ringing, Some(RingMode::Feature));
    phone.wait(s(2));
    assert_eq!(phone.face().ringing, None);
    phone.say(ring(RingMode::Inside, RingDuration::Normal, 1, 7));
    phone.say(ring(RingMode::Off, RingDuration::Normal, 2, 8));
    assert_eq!(phone.face().ringing, Some(RingMode::Inside), "another call's");
    phone.say(ring(RingMode::Off, RingDuration::Normal, 0, 0));
    assert_eq!(phone.face().ringing, None);
    phone.say(state(CallState::OffHook, 1, 7));
    phone.say(tone(Tone::ReorderTone, 1, 7));
    phone.say(stop_tone(1, 9));
    assert_eq!(phone.face().tone, Some(Tone::ReorderTone), "another call's");
    phone.say(state(CallState::OnHook, 1, 7));
    assert_eq!(phone.face().tone, None);
}

#[test]
fn prompts_and_notifications_pass_in_time() {
    let mut phone = registered(ModelClass::P7960);
    let notify = |timeout, priority, text: &str| DisplayPriNotify {
        time_out_value: timeout,
        priority,
        notify: Text::new(text),
    };
    ringing(&mut phone, 1, 7);
    phone.say(DisplayNotify { time_out_value: 0, notify: Text::new("note") });
    phone.say(notify(10, 5, "high"));
    phone.say(notify(20, 1, "low"));
    assert_eq!(phone.face().status(), "high");
    phone.wait(s(10));
    assert_eq!(phone.face().status(), "low");
    phone.say(ClearPriNotify { priority: 1 });
    assert_eq!(phone.face().status(), "note");
    phone.say(ClearNotify);
    assert_eq!(phone.face().status(), "From 1003");
    let passing = DisplayPromptStatus {
        time_out_value: 3,
        prompt_status: Text::new("Wait"),
        line_instance: 1,
        call_reference: 7,
    };
    phone.say(passing);
    assert_eq!(phone.face().status(), "Wait");
    phone.wait(s(3));
    assert_eq!(phone.face().status(), "From 1003");
    phone.say(passing);
    phone.say(ClearPromptStatus { line_instance: 1, call_reference: 7 });
    assert_eq!(phone.face().status(), "Your current options");
    phone.say(ClearPromptStatus { line_instance: 0, call_reference: 0 });
    assert_eq!(phone.face().status(), "");
    phone.say(prompt(0, 0, b"bell\x07 and\ttab\x01"));
    assert_eq!(phone.face().status(), "bell  and tab ");
}

#[test]
fn restricted_names_and_numbers_are_not_shown() {
    let mut phone = registered(ModelClass::P7960);
    for (bits, name, number) in [(0, "Caller", "1003"), (1, "", "1003"), (2, "Caller", ""), (3, "", "")] {
        phone.say(state(CallState::RingIn, 1, 7));
        phone.say(CallInfo {
            calling_party_name: Text::new("Caller"),
            calling_party: Text::new("1003"),
            called_party: Text::new("1001"),
            line_instance: 1,
            call_reference: 7,
            party_pi_restriction_bits: bits,
            ..Default::default()
        });
        let face = phone.face();
        let call = &face.calls[0];
        assert_eq!((call.calling_name.as_str(), call.calling_number.as_str()), (name, number));
        assert_eq!(call.called_number, "1001");
    }
}
