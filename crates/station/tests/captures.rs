//! What real managers said, fed to a station: what its phone shows, and what it sends itself.

mod common;

use std::{collections::BTreeMap, net::SocketAddr};

use common::{
    Phone,
    capture::{self, Frame},
    manager,
};
use selsius_station::{Action, Config, Event, Face, Input, MediaOrder, ModelClass};
use selsius_wire::{
    Cut, DEFAULT_LIMIT, ManagerMessage, StationMessage, cut,
    value::{CallSecurity, CallState, Codec, LampMode, RingMode, Tone},
};

fn manager_message(phone: &Phone, frame: &Frame) -> ManagerMessage {
    let Ok(Cut::Frame { frame: raw, .. }) = cut(&frame.bytes, DEFAULT_LIMIT) else {
        panic!("packet {}", frame.packet)
    };
    let received = ManagerMessage::decode(raw, phone.station.dialect().context());
    received.unwrap_or_else(|error| panic!("packet {}: {error}", frame.packet)).message
}

fn station_message(phone: &Phone, frame: &Frame) -> StationMessage {
    let Ok(Cut::Frame { frame: raw, .. }) = cut(&frame.bytes, DEFAULT_LIMIT) else {
        panic!("packet {}", frame.packet)
    };
    let received = StationMessage::decode(raw, phone.station.dialect().context());
    received.unwrap_or_else(|error| panic!("packet {}: {error}", frame.packet)).message
}

/// What the user did, if this message is about that.
fn action_behind(message: &StationMessage, face: &Face) -> Option<Action> {
    Some(match message {
        StationMessage::OffHook(_) => Action::OffHook,
        StationMessage::OnHook(_) => Action::OnHook,
        StationMessage::KeypadButton(key) => Action::Digit(key.kp_button),
        StationMessage::UnregisterReq(_) => Action::Unregister,
        StationMessage::SoftKeyEvent(key) if u32::from(key.soft_key_event) == 9 => {
            assert!(face.has_soft_key("EndCall"), "{:?}", face.soft_keys);
            Action::SoftKey("EndCall".into())
        }
        _ => return None,
    })
}

fn encoded(phone: &Phone, message: &StationMessage) -> Vec<u8> {
    let mut bytes = Vec::new();
    phone.station.dialect().encode_station(message, &mut bytes);
    bytes
}

fn texts(face: &Face) -> (&str, Option<&str>, Vec<&str>) {
    (&face.prompt, face.notify.as_deref(), face.soft_keys.iter().map(String::as_str).collect())
}

/// Where a real 7912 sent other bytes than the station does, and why.
const DIFFERENCES: &[(usize, &str, &str)] = &[
    (86, "Alarm", "old memory after the NUL of the text: zeros from us"),
    (91, "CapabilitiesRes", "old memory in the parameters of the codecs: zeros from us"),
];

/// The phone's side is compared byte by byte, in its order; the user does what the real one did, at the same time.
#[test]
fn the_7912_of_the_callmanager_4_1_capture() {
    let Some(frames) = capture::read("callmanager-4.1-7912.pcapng", 2000) else { return };
    let mut config = Config::new("SEP001380AD9E5F", ModelClass::P7912);
    config.address = [10, 102, 10, 209].into();
    let mut phone = Phone::new(config);
    phone.rtp = Some(([10, 102, 10, 209], 16384).into());
    phone.now = frames[0].time;
    phone.input(Input::Connected);
    let mut differences = Vec::new();
    let mut checks = 0;
    for frame in &frames {
        phone.wait_until(frame.time);
        if frame.from_phone {
            let theirs = station_message(&phone, frame);
            if let Some(action) = action_behind(&theirs, &phone.face()) {
                phone.act(action);
            }
            assert!(!phone.sent.is_empty(), "packet {}: {} was not sent", frame.packet, theirs.name());
            let ours = phone.sent.remove(0);
            assert_eq!(ours.name(), theirs.name(), "packet {}", frame.packet);
            if encoded(&phone, &ours) != frame.bytes {
                assert_eq!(
                    encoded(&phone, &ours).len(),
                    frame.bytes.len(),
                    "packet {}: length",
                    frame.packet
                );
                differences.push((frame.packet, ours.name()));
            }
        } else {
            let message = manager_message(&phone, frame);
            phone.say(message);
            checks += usize::from(check_7912(frame.packet, &phone.face()));
        }
    }
    assert_eq!((checks, phone.sent.len()), (10, 0), "{:?}", phone.sent);
    let expected: Vec<_> = DIFFERENCES.iter().map(|(packet, name, _)| (*packet, *name)).collect();
    assert_eq!(differences, expected);
    let counts = phone.station.counts();
    assert_eq!((counts.unknown, counts.unexpected), (0, 0));

    let conference = 16_777_247;
    let party = 16_777_473;
    let codec = Codec::G711Ulaw64k;
    assert_eq!(
        phone.take_orders(),
        [
            MediaOrder::OpenReceive {
                party,
                conference,
                call: conference,
                codec,
                packet_ms: 20,
                source: None,
                dtmf_payload: None,
                keys: None,
            },
            MediaOrder::StartTransmit {
                party,
                conference,
                call: conference,
                remote: ([10, 102, 219, 27], 60186).into(),
                codec,
                packet_ms: 20,
                precedence: 184,
                dtmf_payload: None,
                keys: None,
            },
            MediaOrder::CloseReceive { party },
            MediaOrder::StopTransmit { party },
        ]
    );
    let states: Vec<_> = phone
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Call { state, .. } => Some(state),
            _ => None,
        })
        .collect();
    use CallState::{Connected, OffHook, OnHook, RingIn};
    assert_eq!(states, [RingIn, OffHook, Connected, OnHook]);
}

/// The face after a packet of the manager; whether there was something to check.
fn check_7912(packet: usize, face: &Face) -> bool {
    let options = "Your current options";
    let lamp = face.line(1).map(|line| line.lamp);
    let call = face.selected();
    match packet {
        94 => {
            let kinds: Vec<_> = face.lines.iter().map(|line| (u32::from(line.kind), line.instance)).collect();
            assert_eq!(kinds, [(9, 1), (2, 1), (2, 2), (2, 3), (2, 4), (3, 1), (0x12, 1)]);
        }
        101 => assert_eq!(face.soft_keys, ["Redial", "NewCall", "CFwdAll"]),
        102 => assert_eq!(texts(face).0, options),
        104 => {
            let line = face.line(1).expect("line 1");
            assert_eq!((&*line.number, &*line.name, &*line.label), ("1012", "8165551012", "1012"));
        }
        119 => {
            assert!(face.registered && lamp == Some(LampMode::Off));
            let clock = face.clock.expect("the time");
            assert_eq!((clock.year, clock.month, clock.day), (2026, 6, 3));
            assert_eq!((clock.hour, clock.minute, clock.second, clock.weekday), (20, 26, 40, 3));
        }
        138 => {
            assert_eq!((face.ringing, lamp), (Some(RingMode::Inside), Some(LampMode::Blink)));
            assert_eq!(texts(face), ("From 1003", Some("From 1003"), vec!["Answer"]));
            let call = call.expect("a call");
            assert_eq!((call.state, call.line, &*call.calling_name), (CallState::RingIn, 1, "Python"));
            assert_eq!((&*call.calling_number, &*call.called_number), ("1003", "1012"));
            assert_eq!(call.security, CallSecurity::Unspecified);
        }
        145 => assert_eq!((face.ringing, lamp, face.active_line), (None, Some(LampMode::On), Some(1))),
        153 => {
            let call = call.expect("a call");
            assert_eq!((call.state, call.security), (CallState::Connected, CallSecurity::NotAuthenticated));
            let keys =
                ["Hold", "EndCall", "Transfer", "Park", "Confrn", "ConfList", "Select", "Join", "DirTrfr"];
            // The notification of the caller has its 10 seconds yet; the mask hides VidMode.
            assert_eq!(texts(face), ("Connected", Some("From 1003"), keys.to_vec()));
            assert!(face.off_hook && !face.speaker, "the handset is lifted: the speaker stays silent");
        }
        1225 => assert_eq!(texts(face).1, None, "ten seconds are over"),
        3145 => {
            assert_eq!((face.calls.len(), lamp, face.speaker), (0, Some(LampMode::Off), false));
            assert_eq!(texts(face), (options, None, vec!["Redial", "NewCall", "CFwdAll"]));
            assert!(face.off_hook, "EndCall was pressed, the handset is still up");
        }
        _ => return false,
    }
    true
}

/// All phones of a capture whose manager is another product, by their addresses, and what they showed after the packet.
fn replay(
    name: &str,
    port: u16,
    checks: usize,
    check: impl Fn(usize, usize, &Face) -> bool,
) -> Option<Vec<Phone>> {
    let frames = capture::read(name, port)?;
    let mut phones: BTreeMap<SocketAddr, (usize, Phone)> = BTreeMap::new();
    let mut checked = 0;
    for frame in &frames {
        let index = phones.len();
        let (index, phone) = phones.entry(frame.phone).or_insert_with(|| {
            let mut phone = Phone::new(Config::new("", ModelClass::P7960));
            phone.now = frame.time;
            (index, phone)
        });
        phone.wait_until(frame.time);
        if !frame.from_phone {
            let message = manager_message(phone, frame);
            phone.say(message);
            checked += usize::from(check(frame.packet, *index, &phone.face()));
            continue;
        }
        match station_message(phone, frame) {
            StationMessage::Register(register) => {
                let mut config = Config::new(register.device_name.to_string(), ModelClass::P7960);
                config.version = register.protocol_ver;
                config.features = register.features.0;
                config.device_type = register.device_type;
                let now = phone.now;
                *phone = Phone::connected(config);
                phone.now = now;
            }
            message => {
                let Some(action) = action_behind(&message, &phone.face()) else { continue };
                phone.sent.clear();
                phone.act(action);
                let same = phone.sent.iter().find(|sent| sent.id() == message.id());
                let same = same
                    .unwrap_or_else(|| panic!("packet {}: {} was not sent", frame.packet, message.name()));
                if let (StationMessage::KeypadButton(ours), StationMessage::KeypadButton(theirs)) =
                    (same, &message)
                {
                    assert_eq!(ours, theirs, "packet {}", frame.packet);
                }
            }
        }
    }
    assert_eq!(checked, checks);
    Some(phones.into_values().map(|(_, phone)| phone).collect())
}

/// Both phones talked, in both directions, and nothing is left.
fn assert_complete(phones: &mut [Phone]) {
    assert_eq!(phones.len(), 2);
    for phone in phones {
        let orders = phone.take_orders();
        let [
            MediaOrder::OpenReceive { party: opened, codec: Codec::G711Ulaw64k, packet_ms: 20, .. },
            MediaOrder::StartTransmit { party: started, codec: Codec::G711Ulaw64k, .. },
            MediaOrder::CloseReceive { party: closed },
            MediaOrder::StopTransmit { party: stopped },
        ] = orders[..]
        else {
            panic!("{orders:?}")
        };
        assert_eq!((opened, started), (closed, stopped));
        assert_eq!(phone.station.streams(), (0, 0));
        let counts = phone.station.counts();
        assert_eq!((counts.unknown, counts.unexpected), (0, 0));
    }
}

fn check_idle(face: &Face) {
    assert_eq!((face.calls.len(), face.tone, face.ringing, face.speaker), (0, None, None, false));
    assert!(face.lines.iter().all(|line| line.lamp == LampMode::Off), "{:?}", face.lines);
    assert!(face.has_soft_key("NewCall") && !face.has_soft_key("EndCall"), "{:?}", face.soft_keys);
}

/// The same checks for both chan-sccp captures, whose packets have other numbers: registered, dial tone, dialled, rings
/// there, rings here, talks there, talks here, idle.
fn check_chan_sccp(packets: [usize; 8]) -> impl Fn(usize, usize, &Face) -> bool {
    move |packet, phone, face| {
        let at = packets.iter().position(|at| *at == packet);
        let (Some(at), call) = (at, face.selected()) else { return false };
        let state = face.state();
        match (at, phone) {
            (0, 0) => {
                assert_eq!(texts(face).0, "Your current options");
                assert_eq!(texts(face).1, Some("peer-chan-sccp Connected"));
                assert!(face.has_soft_key("NewCall"));
                let line = face.line(1).expect("line 1");
                assert_eq!((&*line.number, &*line.name), ("1001", "Phone 1001"));
            }
            (1, 0) => {
                assert_eq!((state, face.tone), (CallState::OffHook, Some(Tone::InsideDialTone)));
                assert_eq!(texts(face).0, "Enter number");
                assert!(face.off_hook && face.has_soft_key("EndCall"));
            }
            (2, 0) => {
                assert_eq!((state, face.tone, &*face.dialed), (CallState::Proceed, None, "1002"));
                assert_eq!(call.map(|call| &*call.called_number), Some("1002"));
            }
            (3, 1) => {
                assert_eq!((state, face.ringing), (CallState::RingIn, Some(RingMode::Outside)));
                let call = call.expect("a call");
                assert_eq!((&*call.calling_name, &*call.calling_number), ("Phone 1001", "1001"));
                assert_eq!(face.line(1).map(|line| line.lamp), Some(LampMode::Blink));
                assert!(face.has_soft_key("Answer"));
            }
            (4, 0) => assert_eq!((face.tone, texts(face).0), (Some(Tone::AlertingTone), "Ring out")),
            (5, 1) | (6, 0) => {
                assert_eq!((state, face.tone, face.ringing), (CallState::Connected, None, None));
                assert_eq!(
                    (texts(face).0, face.line(1).map(|line| line.lamp)),
                    ("Connected", Some(LampMode::On))
                );
            }
            (7, 0) => {
                check_idle(face);
                assert_eq!(texts(face).0, "Your current options");
            }
            other => panic!("packet {packet} is for {other:?}"),
        }
        true
    }
}

#[test]
fn chan_sccp_at_version_3() {
    let packets = [42, 95, 117, 135, 142, 164, 177, 523];
    let Some(mut phones) = replay("chan-sccp-v3-call.pcap", 2001, 8, check_chan_sccp(packets)) else {
        return;
    };
    assert_complete(&mut phones);
}

#[test]
fn chan_sccp_at_version_17() {
    let packets = [42, 93, 115, 133, 140, 162, 175, 510];
    let Some(mut phones) = replay("chan-sccp-v17-call.pcap", 2001, 8, check_chan_sccp(packets)) else {
        return;
    };
    assert_complete(&mut phones);
    let acks =
        |phone: &Phone| phone.sent.iter().filter(|sent| sent.name() == "StartMediaTransmissionAck").count();
    assert!(phones.iter().all(|phone| acks(phone) <= 1));
}

#[test]
fn freeswitch_at_version_3() {
    let check = |packet: usize, phone: usize, face: &Face| {
        match (packet, phone) {
            (92, 0) => {
                assert_eq!((face.state(), face.tone), (CallState::OffHook, Some(Tone::InsideDialTone)))
            }
            (109, 0) => assert_eq!((face.state(), &*face.dialed), (CallState::Proceed, "1002")),
            (139, 1) => {
                assert_eq!((face.state(), face.ringing), (CallState::RingIn, Some(RingMode::Inside)));
                assert_eq!(face.selected().map(|call| &*call.calling_name), Some("Phone 1001"));
                assert_eq!(face.soft_keys.first().map(String::as_str), Some("Answer"));
                // Its notification is one control character; nothing covers the prompt.
                assert_eq!(face.status(), "From internal/1002");
            }
            (157, 1) | (173, 0) => assert_eq!((face.state(), face.tone), (CallState::Connected, None)),
            (494, 1) | (518, 0) => check_idle(face),
            _ => return false,
        }
        true
    };
    let Some(mut phones) = replay("freeswitch-v3-call.pcap", 2003, 7, check) else { return };
    assert_complete(&mut phones);
}

/// A later CallManager: the capture begins in mid-session, so the phones are registered with a manager of our own first.
#[test]
fn a_recorded_call_at_version_20() {
    let Some(frames) = capture::read("cucm-v20-call.pcap", 2000) else { return };
    let mut phones: BTreeMap<SocketAddr, Phone> = BTreeMap::new();
    let mut acknowledged: Vec<(u32, u32, u32)> = Vec::new();
    let mut ours: Vec<(u32, u32, u32)> = Vec::new();
    for frame in &frames {
        let phone = phones.entry(frame.phone).or_insert_with(|| {
            let mut config = Config::new("SEP001122334455", ModelClass::P8945);
            config.version = 20;
            config.capabilities.push((Codec::G711Ulaw64k, 40));
            let mut phone = Phone::connected(config);
            manager::converse(&mut phone);
            phone
        });
        if !frame.from_phone {
            let message = manager_message(phone, frame);
            phone.say(message);
            continue;
        }
        match station_message(phone, frame) {
            StationMessage::OffHook(theirs) => {
                phone.act(Action::OffHook);
                let sent = phone.take_sent();
                let [StationMessage::MediaPathEvent(_), StationMessage::OffHook(ours)] = &sent[..] else {
                    panic!("{sent:?}")
                };
                assert_eq!(*ours, theirs, "it names the call that it answers");
            }
            StationMessage::StartMediaTransmissionAck(ack) => {
                acknowledged.push((ack.conference_id, ack.pass_through_party_id, ack.call_reference));
            }
            _ => {}
        }
    }
    for phone in phones.values_mut() {
        let face = phone.face();
        assert_eq!((face.state(), face.tone, face.ringing), (CallState::Connected, None, None));
        assert_eq!(face.selected().map(|call| call.security), Some(CallSecurity::NotAuthenticated));
        let (receiving, sending) = phone.station.streams();
        assert_eq!((receiving, sending), (1, 3), "the call, and two copies for the recorder");
        ours.extend(phone.take_sent().iter().filter_map(|sent| match sent {
            StationMessage::StartMediaTransmissionAck(ack) => {
                Some((ack.conference_id, ack.pass_through_party_id, ack.call_reference))
            }
            _ => None,
        }));
        assert_eq!(phone.station.counts().unknown, 0);
    }
    ours.sort_unstable();
    acknowledged.sort_unstable();
    assert_eq!(ours, acknowledged);
}
