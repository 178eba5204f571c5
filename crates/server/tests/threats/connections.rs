//! Connections that are too many, too silent, too deaf or too talkative.

use std::{io::Write, net::Ipv4Addr, time::Duration};

use selsius_exchange::{Config, record::EndCause};
use selsius_server::core::{Limits, connection_rate};
use selsius_wire::{ManagerMessage, message};

use crate::{
    PAIR,
    bench::{Manager, Pair, Phone, device_name, is_reset, limits, office, talkative},
    ended, insider, mallory, network,
};

/// CVE-2006-0368, CVE-2009-2053, CVE-2017-17090: idle connections and floods of them used up files and threads.
#[test]
fn cve_2006_0368_cve_2009_2053_and_cve_2017_17090_a_flood_of_connections() {
    let limits = Limits { unregistered_per_address: 16, ..limits() };
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
    let limits = Limits { connections: 10, ..limits() };
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
    let manager = Manager::with(limits(), config, office());
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
fn the_kernel_keeps_little_for_a_client_that_does_not_read() {
    const UNREAD: usize = 4096;
    /// Bytes that one question of 12 asks for.
    const ANSWER: u64 = 668;
    /// What the kernel of the manager takes, with what it counts for itself, and what that of the client does at least.
    const KERNEL: u64 = 2 * 32 * 1024 + 4 * 1024;
    let manager = Manager::with(Limits { unread: UNREAD, ..talkative() }, Config::default(), office());
    let mut deaf = Phone::connect_narrow(manager.address(), 1).unwrap();
    deaf.say_register(&device_name("1001"));
    deaf.settle();
    let before = manager.status().counters.messages_out;
    let question = deaf.frame(message::SoftKeyTemplateReq);
    while deaf.stream.write_all(&question).is_ok() {}
    let status = manager.status_when(|status| status.network.slow == 1);
    let said = (status.counters.messages_out - before) * ANSWER;
    assert!(said <= UNREAD as u64 + KERNEL, "{said} bytes were on their way");
}

#[test]
fn what_the_kernel_does_not_keep_waits_for_a_client_that_reads_late() {
    const QUESTIONS: usize = 300;
    let manager = Manager::with(talkative(), Config::default(), office());
    let mut late = Phone::connect_narrow(manager.address(), 16 * 1024).unwrap();
    late.say_register(&device_name("1001"));
    late.settle();
    late.stream.write_all(&late.frame(message::SoftKeyTemplateReq).repeat(QUESTIONS)).unwrap();
    // The manager has said all of it, and still has most.
    manager.status_when(|status| status.network.unread > 64 * 1024);
    assert_eq!(late.hears(), ["SoftKeyTemplate"; QUESTIONS]);
    assert_eq!(manager.status().network.unread, 0);
}

#[test]
fn many_clients_that_do_not_read() {
    // Each alone leaves less than it may.
    let limits = Limits { unread: 1 << 30, unread_in_all: 1 << 20, ..talkative() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    let mut deaf = [insider(&manager), Phone::register(&manager, "1002")];
    let question = deaf[0].frame(message::SoftKeyTemplateReq).repeat(100);
    while network(&manager).slow == 0 {
        for phone in &mut deaf {
            // One that was dropped cannot be written to.
            let _ = phone.stream.write_all(&question);
        }
    }
    let status = manager.status();
    assert!(status.network.unread <= (1 << 20) + 8192 * 60, "{}", status.network.unread);
    assert!(status.devices.len() >= PAIR);
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

#[test]
fn a_client_that_speaks_and_does_not_register() {
    let mut config = Config::default();
    config.limits.register_within = Duration::from_millis(500);
    let manager = Manager::with(limits(), config, office());
    let mut pair = Pair::new(&manager);
    let mut talker = mallory(&manager);
    let alarm = talker.frame(message::Alarm::default());
    // As slowly as the manager lets it.
    while talker.stream.write_all(&alarm).is_ok() && manager.refused("connection without Register") == 0 {}
    assert_eq!(talker.ends(), []);
    assert_eq!(manager.logged("alarm"), 0, "strangers do not fill the log");
    pair.assert_unaffected();
}

#[test]
fn who_holds_connections_without_registering_keeps_nobody_out() {
    let limits = Limits { unregistered: 20, ..limits() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    let from = |host| Ipv4Addr::new(127, 0, 1, host);
    let mut flood: Vec<_> =
        (1..=50).map(|host| Phone::connect_from(from(host), manager.address()).unwrap()).collect();
    let status = manager.status_when(|status| status.network.accepted == 52);
    assert!(status.network.connections <= PAIR + 20, "{:?}", status.network);
    assert!(manager.logged("that have not registered (unregistered)") > 0, "{:?}", manager.log());
    // Those that have waited longest have given way.
    for phone in &mut flood[..30] {
        assert_eq!(phone.ends(), []);
    }
    // The newest ones are there still; who registers is let in, and stays.
    flood[49].say_register(&device_name("1001"));
    assert!(flood[49].hears().contains(&"RegisterAck"));
    let mut late = mallory(&manager);
    late.say_register(&device_name("1002"));
    assert!(late.hears().contains(&"RegisterAck"));
    pair.assert_unaffected();
}

#[test]
fn connections_that_come_too_fast() {
    let limits = Limits { connection_rate: connection_rate(5), ..limits() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    // Each goes before the next one comes, so no other limit holds.
    while network(&manager).refused == 0 {
        drop(mallory(&manager));
    }
    assert!(network(&manager).accepted >= 10, "ten at once are nothing bad");
    assert!(manager.logged("too many a second from its address (connections-per-second)") >= 1);
    // Nobody else has to wait for that.
    drop(Phone::connect_from(Ipv4Addr::new(127, 0, 0, 67), manager.address()).unwrap());
    pair.assert_unaffected();
}

#[test]
fn a_phone_that_says_too_much_is_slowed_down_and_then_dropped() {
    let limits = Limits { flood: Duration::from_millis(500), ..limits() };
    let manager = Manager::with(limits, Config::default(), office());
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    // A burst that a phone may have some time is answered, whole.
    for _ in 0..2 {
        phone.send(&phone.frame(message::KeepAlive).repeat(240));
    }
    for _ in 0..480 {
        phone.until(|message| matches!(message, ManagerMessage::KeepAliveAck(_)));
    }
    assert_eq!(network(&manager).held, 0);
    let flood = phone.frame(message::KeepAlive).repeat(1000);
    let error = loop {
        if let Err(error) = phone.stream.write_all(&flood) {
            break error;
        }
    };
    assert!(is_reset(&error), "{error}");
    let status = manager.status_when(|status| status.network.floods == 1);
    assert_eq!((status.network.connections, status.devices.len()), (PAIR, PAIR));
    // Not a tenth of what there was room for in the sockets alone.
    assert!(status.counters.messages_in < 2_000, "{}", status.counters.messages_in);
    assert_eq!(manager.logged("too many messages: read more slowly"), 1);
    assert_eq!(manager.logged("too many messages: connection dropped"), 1);
    // It comes back and works.
    let mut phone = insider(&manager);
    phone.off_hook();
    assert!(phone.hears().contains(&"StartTone"));
    drop(phone);
    pair.assert_unaffected();
}
