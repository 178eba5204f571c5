//! Bytes that are no frames, and frames that are no messages.

use std::{io::Write, net::Shutdown};

use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_exchange::Config;
use selsius_wire::{Direction, MESSAGES, ManagerMessage, message};

use crate::{
    PAIR, assert_refused,
    bench::{Manager, Pair, device_name, office, talkative},
    insider, mallory, network, questions,
};

/// CVE-2006-5444, CVE-2007-3764: a length that is negative when read as signed, or below 4, overflowed the heap or copied
/// for ever.
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

/// CVE-2017-9358: a header, a short body and the end made a loop that filled memory with its log.
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

/// CVE-2008-3810, CVE-2008-3811, CVE-2010-0584: one message cut into many segments reloaded firewalls.
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

/// CVE-2007-1833: packets to port 2000 of which nobody has said what was in them stopped the manager.
#[test]
fn cve_2007_1833_crafted_packets_of_all_kinds() {
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

/// CVE-2010-0151, CVE-2011-0394: malformed messages reloaded firewalls.
#[test]
fn cve_2010_0151_and_cve_2011_0394_frames_of_nonsense() {
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

/// CVE-2005-0186, CVE-2010-0585, CVE-2010-0586: malformed messages reloaded a gateway's call manager. Each message that a
/// phone can send, with a body that ends after each of its bytes.
#[test]
fn cve_2005_0186_cve_2010_0585_and_cve_2010_0586_messages_that_end_early() {
    let manager = Manager::with(talkative(), Config::default(), office());
    let mut pair = Pair::new(&manager);
    // These end a session by themselves: Register, Unregister.
    let ends = [0x0001, 0x0027];
    let of_phones = MESSAGES.iter().filter(|info| info.direction != Direction::ManagerToStation);
    for info in of_phones.filter(|info| !ends.contains(&info.id)) {
        let mut phone = insider(&manager);
        let whole = usize::try_from(info.min_length).unwrap().clamp(8, 512) - 4;
        for length in 0..=whole {
            for filling in [0, 0x41, 0xFF] {
                phone.say_raw(info.id, &vec![filling; length]);
            }
        }
        phone.settle();
    }
    assert!(manager.refused("malformed message") > 1000);
    pair.assert_unaffected();
}

/// FreeBSD's libalias compared the length with what was there and forgot the 8 bytes of the header.
#[test]
fn lengths_that_are_wrong_by_the_header() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let register = mallory(&manager).frame(message::Register::default());
    let length = u32::try_from(register.len() - 8).unwrap();
    for wrong in [length - 8, length + 8, length - 12, length + 12] {
        let mut phone = mallory(&manager);
        let mut frames = register.clone();
        frames[..4].copy_from_slice(&wrong.to_le_bytes());
        // What is too long swallows the beginning of what follows; what is too short leaves an end that is no header.
        frames.extend(phone.frame(message::KeepAlive).repeat(20));
        let _ = phone.stream.write_all(&frames);
        let _ = phone.stream.shutdown(Shutdown::Write);
        phone.ends();
    }
    let status = manager.status_when(|status| status.network.connections == PAIR);
    assert_eq!(status.devices.len(), PAIR, "nobody has become a phone by that");
    pair.assert_unaffected();
}

/// A fixed message that is too short makes phones read beyond it and hang up. What a phone is sent, from its first word to
/// the end of a call, is as long as the shortest form that is known, in each generation of the protocol.
#[test]
fn no_short_message_is_sent_to_a_phone() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    for version in [3, 5, 7, 11, 17, 20, 22] {
        let (mut phone, mut bob) = (mallory(&manager), mallory(&manager));
        let mut heard = Vec::new();
        for (phone, number) in [(&mut phone, "1001"), (&mut bob, "1002")] {
            phone.say(message::Register {
                device_name: selsius_wire::Text::new(device_name(number)),
                device_type: selsius_wire::DeviceType::from(436),
                protocol_ver: version,
                ..message::Register::default()
            });
            heard.extend(phone.settle_raw());
            for question in questions() {
                phone.say(question);
            }
            heard.extend(phone.settle_raw());
        }
        phone.off_hook();
        phone.dial("1002");
        heard.extend(phone.settle_raw());
        bob.off_hook();
        let connected = bob.settle_raw();
        let party = connected.iter().find_map(|(message, _)| match message {
            ManagerMessage::OpenReceiveChannel(open) => Some(open.pass_through_party_id),
            _ => None,
        });
        bob.ack(party.unwrap(), (crate::MALLORY, 4000));
        bob.settle();
        heard.extend(connected);
        heard.extend(phone.settle_raw());
        phone.on_hook();
        heard.extend(phone.settle_raw());
        heard.extend(bob.settle_raw());
        for (message, length) in &heard {
            let least = selsius_wire::message_info(message.id()).unwrap().min_length;
            assert!(
                *length >= usize::try_from(least).unwrap(),
                "version {version}: {} with a length of {length}, at least {least} is known",
                message.name()
            );
        }
        let names: Vec<_> = heard.iter().map(|(message, _)| message.name()).collect();
        for name in ["StartMediaTransmission", "StopMediaTransmission", "CloseReceiveChannel", "SetRinger"] {
            assert!(names.contains(&name), "version {version}: {names:?}");
        }
    }
    pair.assert_unaffected();
}
