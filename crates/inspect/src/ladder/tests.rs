use alloc::{format, string::String};

use selsius_wire::{
    CallState as State, Codec, KeypadKey, LampMode, ManagerMessage as M, MediaAddress, RingMode,
    SoftKeySetId, StationMessage as S, StimulusType, Text, Tone,
    message::{
        CallInfo, CallState, DisplayPromptStatus, KeepAlive, KeepAliveAck, KeypadButton, OffHook,
        OpenReceiveChannel, OpenReceiveChannelAck, RegisterReject, SelectSoftKeys, SetLamp, SetRinger,
        StartMediaTransmission, StartTone,
    },
};

use super::*;

const ANNA: usize = 0;
const MANAGER: usize = 1;
const BEN: usize = 2;

fn phone(millis: u64, who: usize, message: impl Into<S>) -> Event {
    Event::station(Time::from_millis(millis), who, MANAGER, &message.into())
}

fn manager(millis: u64, who: usize, message: impl Into<M>) -> Event {
    Event::manager(Time::from_millis(millis), who, MANAGER, &message.into())
}

fn state(call_state: State) -> CallState {
    CallState { call_state, line_instance: 1, call_reference: 16_777_217, ..CallState::default() }
}

fn digit(kp_button: KeypadKey) -> KeypadButton {
    KeypadButton { kp_button, ..KeypadButton::default() }
}

fn a_call() -> Vec<Event> {
    let lamp = |lamp_mode| SetLamp { stimulus: StimulusType::Line, stimulus_instance: 1, lamp_mode };
    let soft_keys = SelectSoftKeys {
        soft_key_set_index: SoftKeySetId::OffHook,
        valid_key_mask: u32::MAX,
        ..SelectSoftKeys::default()
    };
    let prompt =
        DisplayPromptStatus { prompt_status: Text::new(b"\x80\x20"), ..DisplayPromptStatus::default() };
    let call_info = CallInfo {
        calling_party_name: Text::new("Anna"),
        calling_party: Text::new("1001"),
        called_party_name: Text::new("Ben"),
        called_party: Text::new("1002"),
        ..CallInfo::default()
    };
    let address = MediaAddress::new([127, 0, 0, 1].into());
    let open = OpenReceiveChannel {
        compression_type: Codec::G711Ulaw64k,
        milli_second_packet_size: 20,
        ..OpenReceiveChannel::default()
    };
    let ack =
        OpenReceiveChannelAck { ip_addr: address, port_number: 20_002, ..OpenReceiveChannelAck::default() };
    let start = StartMediaTransmission {
        remote_ip_addr: address,
        remote_port_number: 20_002,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        ..StartMediaTransmission::default()
    };
    vec![
        Event::note(Time::from_millis(40), Some(ANNA), "lifts the handset"),
        phone(40, ANNA, OffHook::default()),
        manager(40, ANNA, lamp(LampMode::On)),
        manager(40, ANNA, state(State::OffHook)),
        manager(40, ANNA, soft_keys),
        manager(41, ANNA, prompt),
        manager(41, ANNA, StartTone { tone: Tone::InsideDialTone, ..StartTone::default() }),
        phone(1_040, ANNA, digit(KeypadKey::One)),
        phone(1_140, ANNA, digit(KeypadKey::Zero)),
        manager(1_141, BEN, state(State::RingIn)),
        manager(1_141, BEN, call_info),
        manager(1_141, BEN, SetRinger { ring_mode: RingMode::Inside, ..SetRinger::default() }),
        Event::note(Time::from_millis(3_141), Some(BEN), "answers"),
        phone(3_141, BEN, OffHook { line_instance: 1, call_reference: 16_777_218 }),
        manager(3_142, BEN, open),
        phone(3_143, BEN, ack),
        manager(3_143, ANNA, start),
        manager(3_143, ANNA, state(State::Connected)),
        Event::stream(Time::from_millis(6_143), (ANNA, BEN), "RTP G.711 µ-law, 150 packets each way"),
        phone(61_000, BEN, KeepAlive),
        Event::note(Time::from_millis(3_600_000), None, "an hour later"),
    ]
}

fn draw(width: usize, style: Style, events: &[Event]) -> String {
    let mut ladder = Ladder::new(["Anna 1001", "manager", "Ben 1002"], width, style).starting_at(Time::ZERO);
    let mut page = ladder.head();
    for event in events {
        page += &ladder.push(event);
    }
    page
}

#[test]
fn a_call_on_a_page() {
    let page = draw(100, Style::Plain, &a_call());
    assert_eq!(page, include_str!("call.txt"), "the page is now:\n{page}");
}

#[test]
fn every_width_fits() {
    for width in [0, 80, 81, 99, 120, 200, 1_000] {
        for line in draw(width, Style::Plain, &a_call()).lines() {
            assert!(line.chars().count() <= width.clamp(80, 200), "{width}: {line}");
        }
    }
}

#[test]
fn colours_do_not_change_the_text() {
    let plain = draw(100, Style::Plain, &a_call());
    let coloured = draw(100, Style::Ansi, &a_call());
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        stripped += before;
        rest = after.split_once('m').unwrap().1;
    }
    stripped += rest;
    assert_eq!(stripped, plain);
    assert!(
        coloured.contains("\x1b[0;36m") && coloured.contains("\x1b[0;32m") && coloured.contains("\x1b[0;35m")
    );
    for line in coloured.lines().filter(|line| line.contains('\x1b')) {
        assert!(line.ends_with("\x1b[0m"), "a line must not colour the next: {line:?}");
    }
}

#[test]
fn hostile_text_cannot_leave_its_line() {
    let prompt = DisplayPromptStatus {
        prompt_status: Text::new("\x1b[2J\r\nx\u{202e}y"),
        ..DisplayPromptStatus::default()
    };
    let reject = RegisterReject { text: Text::new("a\nb") };
    let page = draw(80, Style::Plain, &[manager(0, ANNA, prompt), manager(0, BEN, reject)]);
    assert!(page.chars().all(|letter| letter == '\n' || !letter.is_control()), "{page}");
}

#[test]
fn participants_who_do_not_exist() {
    let mut ladder = Ladder::new(["only one"], 80, Style::Plain);
    let time = Time::ZERO;
    assert_eq!(ladder.push(&Event::stream(time, (0, 7), "x")), "");
    assert_eq!(ladder.push(&Event::note(time, Some(7), "x")), "");
    assert_eq!(ladder.push(&phone(0, 7, KeepAlive)), "");
    // To oneself.
    assert!(ladder.push(&phone(0, 1, KeepAlive)).is_empty());
    assert!(ladder.head().contains("only one"));
    let none: [&str; 0] = [];
    let mut empty = Ladder::new(none, 80, Style::Plain);
    assert_eq!(empty.push(&phone(0, 0, KeepAlive)), "");
    assert_eq!(empty.head(), "\n");
    assert!(empty.push(&Event::note(time, None, "x")).contains('x'));

    // Many are given the width that they need.
    let mut many = Ladder::new((0..30).map(|n| alloc::format!("phone {n}")), 80, Style::Plain);
    let line = many.push(&Event::manager(time, 0, 29, &KeepAliveAck.into()));
    assert!(line.contains("KeepAliveAck"));
    assert!(many.push(&Event::manager(time, 3, 4, &KeepAliveAck.into())).contains("Keep…"));
}

#[test]
fn another_system_stands_on_the_same_page() {
    use crate::{conversation::Side, sip};
    let message = |start: &str, cseq: &str| format!("{start}\r\nCall-ID: x\r\nCSeq: 1 {cseq}\r\n\r\n");
    let invite = "INVITE sip:2000@10.0.0.9 SIP/2.0\r\nContent-Type: application/sdp\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n";
    let said = [
        (Side::Manager, invite.into()),
        (Side::Station, message("SIP/2.0 180 Ringing", "INVITE")),
        (Side::Station, message("SIP/2.0 486 Busy Here", "INVITE")),
        (Side::Manager, message("ACK sip:2000@10.0.0.9 SIP/2.0", "ACK")),
    ];
    let mut ladder = Ladder::new(["Anna", "manager", "carrier"], 96, Style::Plain);
    let mut svg = Svg::new("", ["Anna", "manager", "carrier"]);
    let mut drawn = ladder.push(&phone(0, ANNA, OffHook::default()));
    for (by, message) in &said {
        let columns = if *by == Side::Manager { (MANAGER, BEN) } else { (BEN, MANAGER) };
        let message = sip::Message::parse(message.as_bytes()).unwrap();
        let event = Event::sip(Time::from_millis(5), columns, *by, &message);
        drawn += &ladder.push(&event);
        svg.push(&event);
    }
    let expected = [
        "    0.000 │── OffHook ─────────────────────────────>│                                          │",
        "    0.005 │                                         │── INVITE sip:2000@10.0.0.9, SDP ────────>│",
        "          │                                         │<─ 180 Ringing INVITE ────────────────────│",
        "          │                                         │<─ 486 Busy Here INVITE ──────────────────│",
        "          │                                         │── ACK ──────────────────────────────────>│",
    ];
    assert_eq!(drawn.lines().collect::<Vec<_>>(), expected, "{drawn}");
    let picture = svg.finish();
    assert!(picture.contains("from another system") && picture.contains("url(#trouble)"), "{picture}");
}
