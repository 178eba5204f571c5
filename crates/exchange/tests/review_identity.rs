//! One connection speaks for one device, whatever it says: no device and no session is left half alive.

mod bench;

use std::time::Duration;

use bench::{Bench, device_name, office};
use selsius_exchange::{Input, SessionId};
use selsius_site::AutoRegistration;
use selsius_wire::message;

const SECOND: Duration = Duration::from_secs(1);

fn registered(bench: &Bench) -> Vec<String> {
    bench.exchange.device_status().iter().map(|device| device.name.to_string()).collect()
}

#[test]
fn a_phone_that_registers_under_another_name_is_only_that_one() {
    let mut bench = Bench::new(office());
    let phone = bench.phone("1001");
    bench.register(phone, &device_name("1002"), 17, 436);
    assert_eq!(registered(&bench), [device_name("1002")]);
    bench.close(phone);
    assert_eq!(registered(&bench), [""; 0]);
}

#[test]
fn a_registered_phone_that_is_then_refused_is_gone() {
    for name in ["no good", "SEP0000000099FF"] {
        let mut bench = Bench::new(office());
        let phone = bench.phone("1001");
        bench.register(phone, name, 17, 436);
        assert_eq!(registered(&bench), [""; 0], "{name}");
        assert_eq!(bench.exchange.sizes().sessions, 0);
    }
}

/// A session that waits for one device and then registers as another, before the first one's old connection answers.
#[test]
fn a_waiting_phone_may_change_its_mind() {
    let mut bench = Bench::new(office());
    let old = bench.phone("1001");
    let other = bench.open(77);
    bench.register(other, &device_name("1001"), 17, 436);
    bench.register(other, &device_name("1002"), 17, 436);
    bench.wait(10 * SECOND);
    assert_eq!(registered(&bench), [device_name("1001"), device_name("1002")]);
    bench.close(other);
    bench.close(old);
    assert_eq!(registered(&bench), [""; 0]);
}

#[test]
fn repeating_register_while_the_old_connection_is_asked_does_not_put_it_off() {
    let mut bench = Bench::new(office());
    let old = bench.phone("1001");
    let new = bench.open(77);
    for _ in 0..4 {
        bench.register(new, &device_name("1001"), 17, 436);
        bench.wait(SECOND);
    }
    assert!(bench.closed.contains(&old));
    let questions = bench.heard(old).iter().filter(|heard| *heard == "CapabilitiesReq").count();
    assert_eq!(questions, 1);
    assert!(bench.heard(new).contains(&"RegisterAck".into()));
}

#[test]
fn of_two_who_wait_for_one_device_the_last_one_gets_it() {
    let mut bench = Bench::new(office());
    let _silent = bench.phone("1001");
    let (first, second) = (bench.open(77), bench.open(78));
    bench.register(first, &device_name("1001"), 17, 436);
    bench.register(second, &device_name("1001"), 17, 436);
    assert_eq!(bench.heard(first), ["RegisterReject registered elsewhere"]);
    bench.wait(3 * SECOND);
    assert!(bench.heard(second).contains(&"RegisterAck".into()));
}

#[test]
fn a_site_change_while_a_phone_waits_is_answered() {
    let mut bench = Bench::new(office());
    let old = bench.phone("1001");
    let new = bench.open(77);
    bench.register(new, &device_name("1001"), 17, 436);
    let mut site = office();
    site.devices.remove(&device_name("1001").parse().unwrap());
    bench.input(Input::Site(Box::new(site)));
    assert!(bench.closed.contains(&old), "an idle phone that the site no longer has is put out at once");
    bench.wait(4 * SECOND);
    assert_eq!(bench.heard(new), ["RegisterReject unknown device"]);
    assert_eq!(bench.exchange.sizes().sessions, 0);
}

#[test]
fn a_phone_taken_out_of_the_site_ends_its_call_in_peace() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    let mut site = office();
    site.devices.remove(&device_name("1001").parse().unwrap());
    bench.input(Input::Site(Box::new(site)));
    assert_eq!(bench.closed, [SessionId(0); 0], "a call is up");
    bench.on_hook(bob);
    assert!(bench.heard(alice).contains(&"Reset".into()));
    assert_eq!(bench.closed, [alice]);
    assert_eq!(registered(&bench), [device_name("1002")]);
    bench.assert_quiet();
}

/// A Register in the middle of a call, on the connection that has the call: the phone keeps its audio open until told.
#[test]
fn a_phone_that_registers_again_in_a_call_is_told_to_stop() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.media(alice, 1, 10_000);
    bench.media(bob, 2, 20_000);
    bench.heard(alice);
    bench.register(alice, &device_name("1001"), 17, 436);
    let heard = bench.heard(alice);
    for said in
        ["CloseReceiveChannel", "StopMediaTransmission", "SetLamp 1 Off", "CallState OnHook", "RegisterAck"]
    {
        assert!(heard.contains(&said.into()), "{said} in {heard:?}");
    }
    bench.assert_quiet();
}

#[test]
fn a_phone_on_standby_is_left_alone_while_it_ticks() {
    let mut bench = Bench::new(office());
    let standby = bench.open(5);
    for _ in 0..5 {
        bench.say(standby, message::KeepAlive);
        // The secondary interval that CallManagers and we tell.
        bench.wait(61 * SECOND);
    }
    assert_eq!(bench.closed, [SessionId(0); 0]);
    bench.wait(180 * SECOND);
    assert_eq!(bench.closed, [standby]);
}

#[test]
fn a_full_range_gives_no_more_numbers_until_the_site_changes() {
    let mut site = office();
    let ends = ["2001", "2002"].map(|number| number.parse().unwrap());
    let [first, last] = ends;
    site.settings.auto_registration = Some(AutoRegistration { first, last });
    let mut bench = Bench::new(site);
    for (at, answer) in
        ["RegisterAck", "RegisterAck", "RegisterReject no free number left"].iter().enumerate()
    {
        let phone = bench.open(10 + at as u8);
        bench.register(phone, &format!("SEP0000000077{at:02}"), 17, 436);
        assert_eq!(bench.heard(phone)[0], *answer);
    }
    let mut site = bench.exchange.site().clone();
    site.devices.remove(&"SEP000000007700".parse().unwrap());
    site.lines.remove(&"2001".parse().unwrap());
    bench.input(Input::Site(Box::new(site)));
    let phone = bench.open(20);
    bench.register(phone, "SEP000000007799", 17, 436);
    assert_eq!(bench.heard(phone)[0], "RegisterAck");
}
