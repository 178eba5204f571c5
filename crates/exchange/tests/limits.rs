//! What is refused although nothing is wrong with it: too much, too often, or not of the phone that says it.

mod bench;

use std::time::Duration;

use bench::{Bench, device_name, office};
use selsius_exchange::{Config, Exchange, Input, Load, MediaAddresses, Output, WallClock, record::EndCause};
use selsius_wire::{
    ManagerMessage, message,
    value::{MediaStatus, SoftKey},
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_connection_registers_in_time_whatever_else_it_says() {
    let mut bench = Bench::new(office());
    let talker = bench.open(66);
    let standby = bench.open(67);
    for _ in 0..6 {
        bench.wait(seconds(9));
        bench.say(talker, message::Alarm::default());
        bench.say(standby, message::KeepAlive);
    }
    assert!(!bench.is_closed(talker));
    bench.wait(seconds(7));
    assert!(bench.is_closed(talker), "a minute is over");
    assert_eq!(bench.refused("connection without Register"), 1);
    bench.wait(seconds(120));
    assert!(
        !bench.is_closed(standby),
        "a phone that has us as its second manager waits for its first one to fail"
    );
}

#[test]
fn overloaded_it_takes_no_new_calls_but_emergency_calls_and_keeps_those_it_has() {
    let mut bench = Bench::new(office());
    let phones = ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number));
    let [alice, bob, carol, dave] = phones;
    bench.talk(alice, bob, "1002");
    bench.off_hook(carol);
    bench.dial(carol, "100");

    bench.input(Input::Load(Load::Overloaded));
    bench.dial(carol, "4");
    assert_eq!(bench.states(carol), ["Congestion"]);
    assert_eq!(bench.prompt(carol, 0), "High traffic try again later");
    assert_eq!(bench.states(dave), [""; 0], "nobody was rung for it");
    assert_eq!(bench.refused("call while overloaded"), 1);
    assert_eq!(bench.ended().iter().map(|call| call.cause).collect::<Vec<_>>(), [EndCause::Overload]);
    bench.on_hook(carol);

    // An emergency goes through.
    assert_eq!(bench.calls(carol, "112"), ["RingOut"]);
    bench.off_hook(dave);
    bench.open_audio(&[carol, dave]);
    assert_eq!(bench.states(dave), ["Connected"]);
    // Who talks may hold, resume and hang up as ever.
    bench.press_on(alice, SoftKey::Hold, 0);
    assert_eq!(bench.states(alice), ["Hold"]);
    bench.press_on(alice, SoftKey::Resume, 0);
    bench.open_audio(&[alice, bob]);
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Connected"], vec!["Connected"]));

    bench.input(Input::Load(Load::Normal));
    for phone in phones {
        bench.on_hook(phone);
    }
    assert_eq!(bench.calls(carol, "1004"), ["RingOut"]);
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn audio_goes_to_the_phone_that_asks_for_it_and_to_no_third_host() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    let party = opened(&mut bench, bob);
    bench.ack(bob, party, 99, 4000, MediaStatus::Ok);
    let told = bench.heard(alice);
    assert!(!told.iter().any(|told| told.starts_with("StartMediaTransmission")), "{told:?}");
    assert_eq!(bench.refused("audio address of another host"), 1);
    assert_eq!(bench.logged("wants its audio sent to 10.0.0.99 while it speaks from 10.0.0.2: refused"), 1);
    assert_eq!(bench.states(bob), ["Congestion"]);
    assert_eq!(bench.ended().iter().map(|call| call.cause).collect::<Vec<_>>(), [EndCause::MediaFailure]);
}

#[test]
fn a_phone_that_does_not_know_its_address_is_heard_where_it_speaks_from() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    let party = opened(&mut bench, bob);
    bench.say(
        bob,
        message::OpenReceiveChannelAck {
            port_number: 4000,
            pass_through_party_id: party,
            ..message::OpenReceiveChannelAck::default()
        },
    );
    assert_eq!(bench.sends_to(alice), Some("10.0.0.2:4000".into()));
}

#[test]
fn where_the_office_wants_it_a_phone_names_any_address() {
    let mut bench = Bench::new(office());
    let config = Config { media_addresses: MediaAddresses::Any, ..Config::default() };
    bench.exchange = Exchange::new(config, office(), WallClock::default());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    let party = opened(&mut bench, bob);
    bench.ack(bob, party, 99, 4000, MediaStatus::Ok);
    assert_eq!(bench.sends_to(alice), Some("10.0.0.99:4000".into()));
}

fn opened(bench: &mut Bench, phone: selsius_exchange::SessionId) -> u32 {
    let messages = bench.messages(phone);
    let open = messages.iter().find_map(|message| match message {
        ManagerMessage::OpenReceiveChannel(open) => Some(open.pass_through_party_id),
        _ => None,
    });
    open.expect("the phone is asked to open its audio")
}

/// Asks for a name; what was answered.
fn asks(bench: &mut Bench, host: u8, name: &str) -> String {
    let session = bench.open(host);
    bench.register(session, name, 17, 436);
    bench.heard(session).remove(0)
}

#[test]
fn who_tries_names_out_is_shut_out_and_nobody_else() {
    let mut bench = Bench::new(office());
    let there = bench.open(66);
    bench.register(there, &device_name("1001"), 17, 436);
    for guess in 0..120 {
        let answer = asks(&mut bench, 66, &format!("SEP{guess:012}"));
        assert_eq!(answer, "RegisterReject unknown device");
    }
    for guess in 120..140 {
        let answer = asks(&mut bench, 66, &format!("SEP{guess:012}"));
        assert_eq!(answer, "RegisterReject too many unknown names");
    }
    assert_eq!(bench.logged("nobody registers from 10.0.0.66 for now"), 1);
    // The right name is no better there, so that nobody learns which ones are right.
    assert_eq!(asks(&mut bench, 66, &device_name("1002")), "RegisterReject too many unknown names");
    // Who is registered there already may come back; and there are other addresses.
    assert_eq!(asks(&mut bench, 66, &device_name("1001")), "RegisterAck");
    assert_eq!(asks(&mut bench, 67, &device_name("1003")), "RegisterAck");
    bench.wait(seconds(1));
    assert_eq!(asks(&mut bench, 66, &device_name("1002")), "RegisterAck");
}

#[test]
fn a_screen_has_a_longest_length() {
    let mut bench = Bench::new(office());
    let mut config = Config::default();
    config.limits.screen = 1024;
    bench.exchange = Exchange::new(config, office(), WallClock::default());
    let alice = bench.phone("1001");
    let name = device_name("1001").parse().unwrap();
    let screen = |length| format!("<CiscoIPPhoneText><Text>{}</Text></CiscoIPPhoneText>", "x".repeat(length));
    bench.exchange.push(&name, 1, &screen(900)).unwrap();
    let refused = bench.exchange.push(&name, 1, &screen(1000)).unwrap_err();
    assert_eq!(refused.to_string(), "the screen is longer than the phone takes");
    let mut sent = 0;
    while let Some(output) = bench.exchange.poll_output() {
        sent += usize::from(matches!(output, Output::Send { session, .. } if session == alice));
    }
    assert_eq!(sent, 1);
}
