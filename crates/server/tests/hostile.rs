//! What has broken other SCCP software, against the running exchange over real sockets.
//!
//! Named after the reports (`threats.md`). Everywhere two phones talk to each other all the while; afterwards their
//! call is still up, ends as it should, and another one works ([`Pair::assert_unaffected`]). The reason is counted, and
//! logged once.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

mod bench;

use std::{
    io::Write,
    net::{Ipv4Addr, Shutdown},
    time::Duration,
};

use bench::{Manager, Pair, Phone, device_name, is_reset, office, talkative};
use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_exchange::{
    Config,
    record::{DeviceEventKind, EndCause, Record},
};
use selsius_server::core::{Limits, NetworkCounters};
use selsius_wire::{KeypadKey, ManagerMessage, SoftKey, StationMessage, message};

/// Somebody else's address.
const MALLORY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// Connections of the pair.
const PAIR: usize = 2;

fn mallory(manager: &Manager) -> Phone {
    Phone::connect_from(MALLORY, manager.address()).unwrap()
}

/// Mallory as a registered phone.
fn insider(manager: &Manager) -> Phone {
    let mut phone = mallory(manager);
    phone.say_register(&device_name("1001"));
    phone.settle();
    assert_eq!(phone.dialect.version(), 17, "registered");
    phone
}

fn network(manager: &Manager) -> NetworkCounters {
    manager.status().network
}

/// What was refused is counted so often, and logged once.
fn assert_refused(manager: &Manager, reason: &str, times: u64) {
    assert_eq!(manager.refused(reason), times, "{reason}: {:?}", manager.status().counters.refused);
    assert_eq!(manager.logged(reason), 1, "{reason}: {:?}", manager.log());
}

// ------------------------------------------------------------------- frames

#[test]
fn cve_2006_5444_and_cve_2007_3764_lengths_that_no_message_has() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let lengths = [0, 1, 2, 3, 4097, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF8, 0xFFFF_FFFC, u32::MAX];
    for (at, length) in lengths.into_iter().enumerate() {
        for registered in [false, true] {
            let mut phone = if registered { insider(&manager) } else { mallory(&manager) };
            // The length alone tells: nothing more has to come.
            phone.send(&length.to_le_bytes());
            assert_eq!(phone.ends(), [], "length {length:#x}");
        }
        let counters = network(&manager);
        assert_eq!(counters.garbage, 2 * (at as u64 + 1));
        assert_eq!(counters.connections, PAIR);
    }
    assert_eq!(manager.logged("no SCCP frame"), 2 * lengths.len(), "{:?}", manager.log());
    assert_eq!(manager.status().devices.len(), PAIR, "who sent them is gone");
    pair.assert_unaffected();
}

#[test]
fn cve_2017_9358_a_header_a_short_body_and_the_end() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    for sent in 1..20 {
        let mut phone = mallory(&manager);
        let mut bytes = phone.frame(message::Register::default());
        bytes.truncate(sent);
        phone.send(&bytes);
        phone.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(phone.ends(), [], "{sent} bytes");
    }
    let status = manager.status_when(|status| status.network.connections == PAIR);
    assert_eq!(status.network.garbage, 0, "half a message is no message");
    assert!(manager.log().len() < 30, "it does not go round: {:?}", manager.log());
    pair.assert_unaffected();
}

#[test]
fn cve_2008_3810_cve_2008_3811_and_cve_2010_0584_one_byte_a_segment() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = mallory(&manager);
    let mut script = phone.frame(message::Register {
        device_name: selsius_wire::Text::new(device_name("1001")),
        device_type: selsius_wire::DeviceType::from(436),
        protocol_ver: 17,
        ..message::Register::default()
    });
    for question in questions() {
        script.extend(phone.frame(question));
    }
    for byte in script {
        phone.send(&[byte]);
    }
    let heard = phone.hears();
    let expected = [
        "RegisterAck",
        "CapabilitiesReq",
        "ButtonTemplate",
        "SoftKeyTemplate",
        "SoftKeySet",
        "SelectSoftKeys",
        "DisplayPromptStatusV2",
        "ConfigStat",
        "DefineTimeDate",
        "DisplayPromptStatusV2",
    ];
    assert_eq!(heard, expected);
    pair.assert_unaffected();
}

fn questions() -> Vec<StationMessage> {
    vec![
        message::ButtonTemplateReq.into(),
        message::SoftKeyTemplateReq.into(),
        message::SoftKeySetReq.into(),
        message::ConfigStatReq.into(),
        message::TimeDateReq.into(),
    ]
}

#[test]
fn many_messages_in_one_segment() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = mallory(&manager);
    // What a phone says from its first word to its first call, in one write.
    let mut script = phone.frame(message::Register {
        device_name: selsius_wire::Text::new(device_name("1001")),
        device_type: selsius_wire::DeviceType::from(436),
        protocol_ver: 17,
        ..message::Register::default()
    });
    for question in questions() {
        script.extend(phone.frame(question));
    }
    script.extend(phone.frame(message::OffHook::default()));
    for _ in 0..1000 {
        script.extend(phone.frame(message::KeepAlive));
    }
    script.extend(phone.frame(message::OnHook::default()));
    phone.send(&script);
    for _ in 0..1000 {
        phone.until(|message| matches!(message, ManagerMessage::KeepAliveAck(_)));
    }
    phone.settle();
    assert_eq!(manager.status().calls.len(), 1, "the pair's");
    pair.assert_unaffected();
}

#[test]
fn a_header_that_is_split() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    let bytes = phone.frame(message::LineStatReq { line_number: 1 });
    for cut in 1..bytes.len() {
        phone.send(&bytes[..cut]);
        // Others are served while the rest is on its way, so the first part has been read.
        pair.caller.settle();
        manager.status();
        phone.send(&bytes[cut..]);
        let heard = phone.hears();
        assert!(matches!(heard[..], ["LineStatV2" | "LineStat"]), "cut at {cut}: {heard:?}");
    }
    pair.assert_unaffected();
}

#[test]
fn garbage() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut random = vec![0; 100_000];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut random);
    // Nothing that is no SCCP begins with four bytes that read as a sensible length.
    random[..4].copy_from_slice(&[0xDE, 0xAD, 0xBE, 0xEF]);
    let garbage: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\nHost: phone\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"OPTIONS sip:nm SIP/2.0\r\n\r\n",
        &[0; 100_000],
        &[0xFF; 100_000],
        &random,
    ];
    for (at, bytes) in garbage.into_iter().enumerate() {
        let mut phone = mallory(&manager);
        // The manager may close before all is written.
        let _ = phone.stream.write_all(bytes);
        assert_eq!(phone.ends(), []);
        assert_eq!(network(&manager).garbage, at as u64 + 1);
    }
    assert_eq!(manager.logged("no SCCP frame"), garbage.len(), "{:?}", manager.log());
    pair.assert_unaffected();
}

#[test]
fn frames_of_nonsense() {
    // Well framed, so the connection can go on; every id, every length, random contents.
    let manager = Manager::with(talkative(), Config::default(), office());
    let mut pair = Pair::new(&manager);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut body = vec![0; 512];
    let ends_session = |id: u32| matches!(id, 0x0001 | 0x0027 | 0x0006);
    for registered in [false, true] {
        let mut phone = if registered { insider(&manager) } else { mallory(&manager) };
        for id in (0..0x170).chain([0x8000, 0x8100, 0xDEAD_BEEF, u32::MAX]).filter(|&id| !ends_session(id)) {
            for length in [0, 1, 2, 3, 4, 7, 8, 12, 16, 24, 52, 100, 511] {
                rng.fill_bytes(&mut body);
                phone.say_raw(id, &body[..length]);
            }
            phone.settle();
        }
    }
    assert!(manager.refused("malformed message") > 100);
    assert!(manager.logged("malformed message") <= 2, "once a connection: {:?}", manager.log());
    pair.assert_unaffected();
}

#[test]
fn messages_of_the_wrong_direction() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    // RegisterAck, StartMediaTransmission, CallInfo, RegisterReject, Reset, OpenReceiveChannel.
    for id in [0x0081, 0x008A, 0x008F, 0x009D, 0x009F, 0x0105] {
        phone.say_raw(id, &[0; 128]);
    }
    assert_eq!(phone.hears(), [""; 0]);
    assert_refused(&manager, "malformed message", 6);
    pair.assert_unaffected();
}

// -------------------------------------------------------------- connections

#[test]
fn cve_2006_0368_cve_2009_2053_and_cve_2017_17090_a_flood_of_connections() {
    let limits = Limits { unregistered_per_address: 16, ..Limits::default() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    let mut flood: Vec<_> = (0..300).map(|_| mallory(&manager)).collect();
    let status = manager.status_when(|status| status.network.refused == 284);
    assert_eq!(status.network.connections, PAIR + 16);
    let refusals = manager.logged("connection refused: too many");
    assert!((1..=10).contains(&refusals), "a flood does not fill the log: {refusals} lines");
    // Those that were refused are closed; those that were there first can still register.
    for phone in &mut flood[16..] {
        assert_eq!(phone.ends(), []);
    }
    flood[0].say_register(&device_name("1001"));
    assert!(flood[0].hears().contains(&"RegisterAck"));
    // Somebody else is let in all the while.
    drop(Phone::register(&manager, "1002"));
    // Mallory's connections go, and Mallory may come again; the registered one does not count.
    flood.truncate(1);
    manager.status_when(|status| status.network.connections == PAIR + 1);
    let mut again: Vec<_> = (0..16).map(|_| mallory(&manager)).collect();
    for phone in &mut again {
        phone.settle();
    }
    pair.assert_unaffected();
}

#[test]
fn connections_in_all_are_bounded() {
    let limits = Limits { connections: 10, ..Limits::default() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    let from = |host| Ipv4Addr::new(127, 0, 1, host);
    let mut flood: Vec<_> =
        (1..=50).map(|host| Phone::connect_from(from(host), manager.address()).unwrap()).collect();
    let status = manager.status_when(|status| status.network.refused == 42);
    assert_eq!(status.network.connections, 10);
    for phone in &mut flood[8..] {
        assert_eq!(phone.ends(), []);
    }
    pair.assert_unaffected();
}

#[test]
fn a_client_that_says_nothing() {
    let mut config = Config::default();
    config.limits.register_within = Duration::from_millis(500);
    let manager = Manager::with(Limits::default(), config, office());
    let mut pair = Pair::new(&manager);
    let mut silent = mallory(&manager);
    assert_eq!(silent.ends(), []);
    assert_eq!(manager.refused("connection without Register"), 1);
    assert_eq!(manager.logged("closed: it does not register"), 1);
    // Bytes are no words.
    let mut slow = mallory(&manager);
    slow.send(&[12, 0, 0, 0, 0]);
    assert_eq!(slow.ends(), []);
    assert_eq!(manager.refused("connection without Register"), 2);
    pair.assert_unaffected();
}

#[test]
fn a_client_that_does_not_read() {
    let limits = Limits { unread: 4096, ..talkative() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    let mut deaf = insider(&manager);
    // Each 12 bytes ask for 668.
    let question = deaf.frame(message::SoftKeyTemplateReq).repeat(100);
    let error = loop {
        if let Err(error) = deaf.stream.write_all(&question) {
            break error;
        }
    };
    assert!(is_reset(&error), "{error}");
    let status = manager.status_when(|status| status.network.slow == 1);
    assert_eq!(status.network.connections, PAIR);
    assert_eq!(status.devices.len(), PAIR);
    assert_eq!(manager.logged("does not read"), 2, "the connection, and the phone: {:?}", manager.log());
    pair.assert_unaffected();
}

#[test]
fn a_phone_in_a_call_that_does_not_read() {
    // The victim is the phone that does not read, not the one that talks to it.
    let limits = Limits { unread: 4096, ..talkative() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    let (mut deaf, mut bob) = (insider(&manager), Phone::register(&manager, "1002"));
    deaf.off_hook();
    deaf.dial("1002");
    bob.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
    bob.off_hook();
    bob.settle();
    let question = deaf.frame(message::SoftKeyTemplateReq).repeat(100);
    while deaf.stream.write_all(&question).is_ok() {}
    bob.until(|message| matches!(message, ManagerMessage::SetSpeakerMode(_)));
    let ended = ended(&manager);
    assert_eq!(ended, [EndCause::PhoneLost]);
    pair.assert_unaffected();
}

fn ended(manager: &Manager) -> Vec<EndCause> {
    let ended = manager.records().into_iter().filter_map(|record| match record {
        Record::CallEnded(call) => Some(call.cause),
        _ => None,
    });
    ended.collect()
}

// ----------------------------------------------------------------- contents

#[test]
fn cve_2007_4280_and_cve_2010_0587_counts_above_the_array() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    let mut times = 0;
    // CapabilitiesRes: count, then 18 slots of 16 bytes.
    for count in [19_u32, 255, 0x1000_0000, 0x7FFF_FFFF, u32::MAX] {
        for slots in [0, 1, 18] {
            let mut body = count.to_le_bytes().to_vec();
            body.resize(4 + 16 * slots, 4);
            phone.say_raw(0x0010, &body);
            times += 1;
        }
    }
    assert_eq!(phone.hears(), [""; 0], "the connection stays");
    assert_refused(&manager, "malformed message", times);
    // All counts in the other messages that have some.
    for id in [0x0030, 0x0043, 0x0044, 0x0023] {
        for length in [20, 100, 1000, 3000] {
            phone.say_raw(id, &vec![0xFF; length]);
        }
    }
    phone.settle();
    pair.assert_unaffected();
}

#[test]
fn cve_2010_0588_invalid_line_numbers() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    for line in [0, 2, 43, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
        phone.say(message::RegisterAvailableLines { max_num_of_avail_lines: line });
        phone.say(message::ForwardStatReq { line_number: line });
        phone.say(message::LineStatReq { line_number: line });
        phone.say(message::SpeedDialStatReq { speed_dial_number: line });
        let heard = phone.hears();
        assert_eq!(heard.len(), 3, "each question has its empty answer: {heard:?}");
    }
    pair.assert_unaffected();
}

#[test]
fn cve_2011_4486_and_cve_2011_4487_crafted_device_names() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    manager.records();
    let names = ["", "'; DROP--", "SEP' OR '1'='1", "../../etc", "SEP%s%n%x", "\x1b[2J", "SEP0000000010011"];
    for name in names {
        let mut phone = mallory(&manager);
        phone.say_register(name);
        let answer = phone.ends();
        let [ManagerMessage::RegisterReject(reject)] = &answer[..] else { panic!("{name:?}: {answer:?}") };
        assert_eq!(reject.text.to_string(), "invalid device name");
    }
    assert_eq!(manager.refused("invalid device name"), names.len() as u64);
    assert_eq!(manager.logged("refused: invalid device name"), names.len());
    let raw = |text: &str| text.contains(char::is_control);
    assert!(!manager.log().iter().any(|line| raw(line)));
    let records = manager.records();
    let rejected = records.iter().filter(|record| {
        matches!(record, Record::DeviceEvent(event)
            if matches!(event.kind, DeviceEventKind::Rejected { .. }) && !raw(&event.device))
    });
    assert_eq!(rejected.count(), names.len());
    pair.assert_unaffected();
}

#[test]
fn cve_2012_2415_many_keypad_buttons_in_one_call() {
    let manager = Manager::with(talkative(), Config::default(), office());
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    phone.off_hook();
    let mut keys = Vec::new();
    for at in 0..20_000 {
        let kp_button = KeypadKey::from(at % 20);
        keys.extend(phone.frame(message::KeypadButton { kp_button, ..message::KeypadButton::default() }));
    }
    phone.send(&keys);
    phone.on_hook();
    phone.settle();
    let status = manager.status();
    assert_eq!(status.calls.len(), 1, "the pair's");
    assert!(status.counters.refused["digit outside dialling"] > 10_000);
    assert_eq!(manager.logged("digit outside dialling"), 1, "{:?}", manager.log());
    pair.assert_unaffected();
}

#[test]
fn cve_2012_2948_and_cve_2012_3553_closed_while_off_hook() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    type Doing = fn(&mut Phone);
    let doings: [(&str, Doing); 5] = [
        ("off hook", |phone| phone.off_hook()),
        ("a digit", |phone| {
            phone.off_hook();
            phone.dial("1");
        }),
        ("ringing out", |phone| {
            phone.off_hook();
            phone.dial("1002");
        }),
        ("busy", |phone| {
            phone.off_hook();
            phone.dial("1003");
        }),
        ("half a digit", |phone| {
            phone.off_hook();
            let key = phone.frame(message::KeypadButton::default());
            phone.send(&key[..7]);
        }),
    ];
    let mut bob = Phone::register(&manager, "1002");
    for (doing, begin) in doings {
        for reset in [false, true] {
            let mut phone = insider(&manager);
            begin(&mut phone);
            if reset {
                // A reset in place of an end, which throws away what was not read yet.
                let socket = socket2::SockRef::from(&phone.stream);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
            }
            drop(phone);
            let status = manager.status_when(|status| status.devices.len() == PAIR + 1);
            assert_eq!(status.calls.len(), 1, "{doing}: the pair's");
            bob.settle();
        }
    }
    pair.assert_unaffected();
}

#[test]
fn events_that_come_too_late() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let (mut phone, mut bob) = (insider(&manager), Phone::register(&manager, "1002"));
    phone.off_hook();
    phone.dial("1002");
    bob.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
    bob.off_hook();
    let heard = phone.until(|message| matches!(message, ManagerMessage::OpenReceiveChannel(_)));
    let Some(ManagerMessage::OpenReceiveChannel(open)) = heard.last() else { unreachable!() };
    let (party, call) = (open.pass_through_party_id, open.call_reference);
    phone.on_hook();
    phone.settle();
    // The call is over; the phone has not noticed.
    phone.ack(party, ([127, 0, 0, 66], 6666));
    phone.press(SoftKey::EndCall, call);
    phone.press(SoftKey::Answer, call);
    phone.say(message::KeypadButton {
        kp_button: KeypadKey::from(5),
        line_instance: 1,
        call_reference: call,
    });
    phone.say(message::MediaTransmissionFailure {
        pass_through_party_id: party,
        call_reference: call,
        ..message::MediaTransmissionFailure::default()
    });
    phone.on_hook();
    // "Key is not active", as to any user.
    assert_eq!(phone.hears(), ["DisplayNotifyV2"]);
    for reason in ["soft key without a call", "answer without ringing", "digit outside dialling"] {
        assert_refused(&manager, reason, 1);
    }
    assert_refused(&manager, "media answer for no leg", 2);
    pair.assert_unaffected();
}

#[test]
fn device_to_user_data_with_a_large_length() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    for id in [0x002E, 0x002F, 0x0041, 0x0042] {
        // Application, line, call, transaction, length of the data, data.
        let mut body = [1_u32, 1, 1, 1, u32::MAX].map(u32::to_le_bytes).concat();
        body.resize(3000, 0x41);
        phone.say_raw(id, &body);
    }
    assert_eq!(phone.hears(), [""; 0]);
    assert_refused(&manager, "malformed message", 4);
    pair.assert_unaffected();
}

// -------------------------------------------------- attacks that need no bug

#[test]
fn forged_media_answers() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    for number in 0..200 {
        phone.ack(number, ([127, 0, 0, 66], 6666));
        phone.say(message::MediaTransmissionFailure {
            conference_id: number,
            pass_through_party_id: number,
            call_reference: number,
            ..message::MediaTransmissionFailure::default()
        });
        phone.say(message::StartMediaTransmissionAck {
            conference_id: number,
            pass_through_party_id: number,
            call_reference: number,
            media_transmission_status: selsius_wire::MediaStatus::OutOfSockets,
            ..message::StartMediaTransmissionAck::default()
        });
        phone.press(SoftKey::EndCall, number);
    }
    phone.settle();
    assert_eq!(manager.refused("media answer for another phone's leg"), 2, "the pair's two legs");
    assert_eq!(manager.logged("media answer for another phone's leg"), 1);
    pair.assert_unaffected();
}

#[test]
fn another_phones_name() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut thief = mallory(&manager);
    thief.say_register(&device_name("1003"));
    // The phone itself is asked whether it is still there, and answers as any phone does.
    let asked = pair.caller.next();
    assert!(matches!(asked, Some(ManagerMessage::CapabilitiesReq(_))), "{asked:?}");
    pair.caller.say(message::CapabilitiesRes::new(&[message::AudioCapability::new(
        selsius_wire::Codec::G711Ulaw64k,
        40,
    )]));
    let answer = thief.ends();
    let [ManagerMessage::RegisterReject(reject)] = &answer[..] else { panic!("{answer:?}") };
    assert_eq!(reject.text.to_string(), "registered elsewhere");
    assert_eq!(manager.refused("registered elsewhere"), 1);
    assert_eq!(manager.logged("refused: registered elsewhere"), 1, "{:?}", manager.log());
    pair.assert_unaffected();
}

#[test]
fn a_forged_unregister() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let (mut stranger, mut phone) = (mallory(&manager), insider(&manager));
    for liar in [&mut stranger, &mut phone] {
        liar.say(message::UnregisterReq::default());
        assert!(liar.hears().contains(&"UnregisterAck"), "whoever says it speaks for himself");
    }
    assert_eq!(manager.status().devices.len(), PAIR);
    pair.assert_unaffected();
}

#[test]
fn a_call_without_register() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut stranger = mallory(&manager);
    stranger.off_hook();
    stranger.dial("1003");
    stranger.press(SoftKey::NewCall, 0);
    for question in questions() {
        stranger.say(question);
    }
    assert_eq!(stranger.hears(), [""; 0]);
    assert_refused(&manager, "message before Register", 11);
    pair.assert_unaffected();
}
