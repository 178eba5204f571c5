//! Timelines of a device that registers again: on the same connection, from the same address, from another one.

mod bench;

use std::time::Duration;

use bench::{Bench, device_name, office};
use selsius_exchange::{Input, SessionId, record::EndCause};
use selsius_wire::{message, value::Codec};

const SECOND: Duration = Duration::from_secs(1);
const ACCEPTED: [&str; 2] = ["RegisterAck", "CapabilitiesReq"];

/// Alice at 10.0.0.1 talks with Bob at 10.0.0.2.
fn talking() -> (Bench, SessionId, SessionId) {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.media(alice, 1, 10_000);
    bench.media(bob, 2, 20_000);
    bench.heard(alice);
    bench.heard(bob);
    (bench, alice, bob)
}

/// Somebody at 10.0.0.`host` registers as Alice.
fn newcomer(bench: &mut Bench, host: u8) -> SessionId {
    let session = bench.open(host);
    bench.register(session, &device_name("1001"), 17, 436);
    session
}

/// Whose phone Alice's is, by address.
fn holder(bench: &Bench) -> Option<String> {
    let devices = bench.exchange.device_status();
    let mut alice = devices.iter().filter(|device| device.name.as_str() == device_name("1001"));
    let address = alice.next().map(|device| device.address.to_string());
    assert!(alice.next().is_none(), "one device, one phone");
    address
}

/// The phone was told of its call's end, and then this.
fn assert_ends_call(heard: &[String], then: &[&str]) {
    let (end, last) = heard.split_at(heard.len() - then.len());
    assert_eq!(last, then);
    assert!(
        end.contains(&"CloseReceiveChannel".into()) && end.contains(&"CallState OnHook".into()),
        "{end:?}"
    );
}

/// The phone works in every respect: it can be called and talks.
fn assert_works(bench: &mut Bench, phone: SessionId, other: SessionId) {
    bench.on_hook(other);
    bench.heard(phone);
    bench.heard(other);
    bench.off_hook(other);
    bench.dial(other, "1001");
    assert!(bench.heard(phone).contains(&"CallState RingIn".into()));
    bench.off_hook(phone);
    let [host, other_host] = [phone, other].map(|session| bench.host(session));
    bench.media(phone, host, 7000);
    let told = format!("StartMediaTransmission 10.0.0.{host}:7000");
    assert!(bench.media(other, other_host, 8000).contains(&told));
    let told = format!("StartMediaTransmission 10.0.0.{other_host}:8000");
    assert!(bench.heard(phone).contains(&told));
    bench.on_hook(phone);
    bench.on_hook(other);
    bench.heard(other);
    bench.assert_quiet();
}

#[test]
fn on_the_same_connection_everything_begins_anew() {
    let (mut bench, alice, bob) = talking();
    bench.register(alice, &device_name("1001"), 11, 7);
    assert_ends_call(&bench.heard(alice), &ACCEPTED);
    assert!(bench.heard(bob).contains(&"CallState OnHook".into()));
    assert_eq!(bench.ended()[0].cause, EndCause::PhoneLost);
    assert!(!bench.is_closed(alice));
    assert_eq!(bench.dialect(alice).version(), 11);
    assert_works(&mut bench, alice, bob);
}

#[test]
fn from_the_same_address_the_newcomer_takes_over_at_once() {
    let (mut bench, alice, bob) = talking();
    let again = newcomer(&mut bench, 1);
    assert_eq!(bench.heard(again), ACCEPTED);
    assert!(bench.is_closed(alice));
    assert_ends_call(&bench.heard(alice), &[]);
    assert!(bench.heard(bob).contains(&"CallState OnHook".into()));
    assert_eq!(bench.ended()[0].cause, EndCause::PhoneLost);
    // What still arrives from the old connection means nothing, and its end is nobody's end.
    bench.off_hook(alice);
    bench.close(alice);
    assert_eq!(holder(&bench).as_deref(), Some("10.0.0.1"));
    assert_works(&mut bench, again, bob);
}

#[test]
fn from_another_address_a_living_phone_keeps_its_name() {
    let (mut bench, alice, bob) = talking();
    let thief = newcomer(&mut bench, 66);
    assert_eq!(bench.heard(alice), ["CapabilitiesReq"], "are you still there?");
    assert_eq!(bench.heard(thief), [""; 0]);
    bench.say(thief, message::KeepAlive);
    assert_eq!(bench.heard(thief), ["KeepAliveAck"], "it is kept waiting, not cut off");
    bench.off_hook(thief);
    bench.wait(2 * SECOND);
    bench.say(alice, bench::capabilities(&[Codec::G711Ulaw64k]));
    assert_eq!(bench.heard(thief), ["RegisterReject registered elsewhere"]);
    assert!(bench.is_closed(thief));
    assert_eq!(bench.refused("registered elsewhere"), 1);
    bench.wait(10 * SECOND);
    assert_eq!(holder(&bench).as_deref(), Some("10.0.0.1"));
    assert_eq!(bench.exchange.sizes().calls, 1, "the call never noticed");
    bench.on_hook(alice);
    bench.heard(alice);
    assert_works(&mut bench, alice, bob);
}

#[test]
fn from_another_address_a_silent_phone_loses_its_name_after_three_seconds() {
    let (mut bench, alice, bob) = talking();
    let again = newcomer(&mut bench, 5);
    bench.wait(3 * SECOND - Duration::from_millis(1));
    assert_eq!(bench.heard(again), [""; 0]);
    bench.wait(Duration::from_millis(1));
    assert_eq!(bench.heard(again), ACCEPTED);
    assert!(bench.is_closed(alice));
    assert_eq!(bench.ended()[0].cause, EndCause::PhoneLost);
    assert_eq!(holder(&bench).as_deref(), Some("10.0.0.5"));
    assert_works(&mut bench, again, bob);
}

#[test]
fn from_another_address_the_newcomer_gets_the_name_when_the_old_phone_goes() {
    for go in ["closes", "unregisters", "goes silent before"] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        if go == "goes silent before" {
            // Its silence is noticed while the newcomer waits.
            bench.wait_alive(Duration::from_secs(55), &[bob]);
        }
        let again = newcomer(&mut bench, 5);
        match go {
            "closes" => bench.close(alice),
            "unregisters" => {
                // Saying so proves that it is alive: the newcomer has to come back.
                bench.say(alice, message::UnregisterReq::default());
                assert_eq!(bench.heard(again), ["RegisterReject registered elsewhere"]);
                let again = newcomer(&mut bench, 5);
                assert_eq!(bench.heard(again), ACCEPTED);
                continue;
            }
            _ => bench.wait(3 * SECOND),
        }
        assert_eq!(bench.heard(again), ACCEPTED, "{go}");
        assert_eq!(holder(&bench).as_deref(), Some("10.0.0.5"));
        assert_works(&mut bench, again, bob);
    }
}

#[test]
fn a_device_that_may_roam_is_not_asked() {
    let mut site = office();
    site.devices.get_mut(&device_name("1001").parse().unwrap()).unwrap().roam = true;
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let again = newcomer(&mut bench, 5);
    assert_eq!(bench.heard(again), ACCEPTED);
    assert_eq!(bench.heard(alice), [""; 0]);
    assert!(bench.is_closed(alice));
    assert_works(&mut bench, again, bob);
}

#[test]
fn of_two_newcomers_the_last_one_waits() {
    // Wherever the phone is now, it asked from there last.
    for old_closes in [true, false] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        let first = newcomer(&mut bench, 5);
        bench.wait(SECOND);
        let second = newcomer(&mut bench, 6);
        assert_eq!(bench.heard(first), ["RegisterReject registered elsewhere"]);
        assert!(bench.is_closed(first));
        if old_closes {
            bench.close(alice);
        } else {
            bench.wait(3 * SECOND);
            assert!(bench.is_closed(alice));
        }
        assert_eq!(bench.heard(second), ACCEPTED);
        bench.wait(10 * SECOND);
        assert_eq!(holder(&bench).as_deref(), Some("10.0.0.6"));
        assert_works(&mut bench, second, bob);
    }
}

#[test]
fn a_newcomer_that_repeats_itself_waits_no_longer_for_it() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    let again = newcomer(&mut bench, 5);
    for _ in 0..2 {
        bench.wait(SECOND);
        bench.register(again, &device_name("1001"), 17, 436);
    }
    assert_eq!(bench.heard(alice), ["CapabilitiesReq"], "the old phone is asked once");
    bench.wait(SECOND);
    assert_eq!(bench.heard(again), ACCEPTED);
}

#[test]
fn a_newcomer_that_reconnects_all_the_time_waits_no_longer_for_it() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    let mut tries = Vec::new();
    for _ in 0..3 {
        tries.push(newcomer(&mut bench, 5));
        bench.wait(SECOND);
    }
    assert!(bench.is_closed(alice) && bench.is_closed(tries[0]) && bench.is_closed(tries[1]));
    assert_eq!(bench.heard(tries[2]), ACCEPTED);
}

#[test]
fn who_waits_may_give_up() {
    type GiveUp = fn(&mut Bench, SessionId);
    let ways: [(&str, GiveUp); 3] = [
        ("closes", |bench, session| bench.close(session)),
        ("unregisters", |bench, session| bench.say(session, message::UnregisterReq::default())),
        ("registers as somebody else", |bench, session| {
            bench.register(session, &device_name("1003"), 17, 436);
        }),
    ];
    for (way, give_up) in ways {
        let mut bench = Bench::new(office());
        let (_alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        let other = newcomer(&mut bench, 5);
        give_up(&mut bench, other);
        bench.wait(4 * SECOND);
        assert_eq!(holder(&bench).as_deref(), Some("10.0.0.1"), "{way}");
        if way == "registers as somebody else" {
            bench.heard(other);
            bench.off_hook(bob);
            bench.dial(bob, "1003");
            assert!(bench.heard(other).contains(&"CallState RingIn".into()), "{way}");
        }
    }
}

#[test]
fn one_connection_is_one_device() {
    let (mut bench, alice, bob) = talking();
    bench.register(alice, &device_name("1003"), 17, 436);
    assert_ends_call(&bench.heard(alice), &ACCEPTED);
    assert_eq!(holder(&bench), None, "Alice's phone is gone");
    assert!(bench.heard(bob).contains(&"CallState OnHook".into()));
    bench.close(alice);
    assert_eq!(bench.exchange.sizes().devices, 1, "Bob's");

    // Somebody else's name on top of one's own: the own one is given up while one waits.
    let mut bench = Bench::new(office());
    let (carol, bob) = (bench.phone("1003"), bench.phone("1002"));
    bench.register(carol, &device_name("1002"), 17, 436);
    assert_eq!(bench.heard(bob), ["CapabilitiesReq"]);
    assert_eq!(bench.exchange.sizes().devices, 1);
    bench.say(bob, bench::capabilities(&[Codec::G711Ulaw64k]));
    assert_eq!(bench.heard(carol), ["RegisterReject registered elsewhere"]);
}

#[test]
fn a_registered_phone_that_is_refused_is_gone() {
    // It may not stay as a device without a connection: nobody could ever reach or replace it.
    for (name, reason) in [("not a name", "invalid device name"), ("SEP999999999999", "unknown device")] {
        let (mut bench, alice, bob) = talking();
        bench.register(alice, name, 17, 436);
        assert!(bench.heard(alice).contains(&format!("RegisterReject {reason}")));
        assert!(bench.is_closed(alice));
        assert_eq!(holder(&bench), None);
        assert!(bench.heard(bob).contains(&"CallState OnHook".into()));
        bench.assert_quiet();
    }
    // Its device was taken out of the site in the meantime.
    let (mut bench, alice, _) = talking();
    let mut site = office();
    site.devices.remove(&device_name("1001").parse().unwrap());
    bench.input(Input::Site(Box::new(site)));
    bench.register(alice, &device_name("1001"), 17, 436);
    assert!(bench.heard(alice).contains(&"RegisterReject unknown device".into()));
    assert_eq!(holder(&bench), None);
}

#[test]
fn a_device_taken_out_of_the_site_is_not_given_to_who_waits_for_it() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    let other = newcomer(&mut bench, 5);
    bench.heard(alice);
    let mut site = office();
    site.devices.remove(&device_name("1001").parse().unwrap());
    bench.input(Input::Site(Box::new(site)));
    bench.wait(3 * SECOND);
    assert_eq!(bench.heard(other), ["RegisterReject unknown device"]);
}
