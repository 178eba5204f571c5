//! Well framed messages whose contents have broken others.

use std::time::Duration;

use selsius_exchange::{Config, record::DeviceEventKind, record::Record};
use selsius_wire::{KeypadKey, ManagerMessage, SoftKey, message};

use crate::{
    PAIR, assert_refused,
    bench::{Manager, Pair, Phone, office, talkative},
    insider, mallory,
};

/// CVE-2007-4280, CVE-2010-0587: CapabilitiesRes with a count above its array overflowed it.
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

/// CVE-2010-0588: RegisterAvailableLines or ForwardStatReq with an invalid line number stopped the process.
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

/// CVE-2011-4486, CVE-2011-4487: a crafted device name in Register reloaded the manager, or was SQL to its database.
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

/// CVE-2012-2415: many keys in one call overflowed the queue of digits.
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

/// CVE-2012-2948, CVE-2012-3553: a connection that ended while off hook, and a late event, met a null pointer.
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

/// DeviceToUserData with a large length overflowed the stack of a well-known server.
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
