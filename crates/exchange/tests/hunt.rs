//! Hunt groups: the orders, the queue, overflow, logging in and out.
#![allow(clippy::unwrap_used, reason = "a test")]

mod bench;

use std::time::Duration;

use bench::{Bench, office};
use selsius_exchange::{Input, SessionId, record::EndCause};
use selsius_site::{Button, HuntGroup, HuntOrder, Line, Site};
use selsius_wire::{
    message,
    value::{SoftKey, StimulusType},
};

/// 600 rings Alice, Bob and Carol; Dave calls.
fn group(order: HuntOrder) -> Site {
    let mut site = office();
    let members = ["1001", "1002", "1003"].map(|number| number.parse().unwrap()).into();
    let group = HuntGroup { name: "Sales".into(), members, order, ..HuntGroup::default() };
    site.hunt_groups.insert("600".parse().unwrap(), group);
    site
}

fn change(site: &mut Site, change: impl FnOnce(&mut HuntGroup)) {
    change(site.hunt_groups.get_mut(&"600".parse().unwrap()).unwrap());
}

fn phones(bench: &mut Bench) -> [SessionId; 4] {
    ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number))
}

fn call(bench: &mut Bench, phone: SessionId, number: &str) {
    bench.off_hook(phone);
    bench.dial(phone, number);
}

/// Which of these phones ring.
fn ringing(bench: &Bench, phones: &[SessionId]) -> Vec<usize> {
    let rings = |&(_, phone): &(usize, &SessionId)| bench.states(*phone).contains(&"RingIn");
    phones.iter().enumerate().filter(rings).map(|(at, _)| at).collect()
}

const RING: Duration = Duration::from_secs(15);

#[test]
fn members_ring_one_after_the_other() {
    let mut bench = Bench::new(group(HuntOrder::Sequential));
    let all = phones(&mut bench);
    call(&mut bench, all[3], "600");
    assert_eq!(ringing(&bench, &all), [0]);
    assert_eq!(bench.states(all[3]), ["RingOut"]);
    let info = bench.view(all[0]).legs[0].info.clone().unwrap();
    assert_eq!((info.hunt_pilot_number.as_str(), info.hunt_pilot_name.as_str()), ("600", "Sales"));
    assert_eq!((info.calling_number.as_str(), info.called_number.as_str()), ("1004", "600"));
    bench.wait(RING);
    assert_eq!(ringing(&bench, &all), [1]);
    bench.off_hook(all[1]);
    bench.open_audio(&all);
    assert_eq!(bench.sends_to(all[3]).as_deref(), Some("10.0.0.2:10000"));
    let info = bench.view(all[3]).legs[0].info.clone().unwrap();
    assert_eq!((info.called_number.as_str(), info.hunt_pilot_number.as_str()), ("1002", "600"));
    // A second call: Alice again, then past Bob, who talks.
    bench.press_on(all[3], SoftKey::Hold, 0);
    call(&mut bench, all[3], "600");
    assert_eq!(ringing(&bench, &all), [0]);
    bench.wait(RING);
    assert_eq!(ringing(&bench, &all), [2]);
    bench.wait(RING);
    assert_eq!(bench.states(all[3]), ["Hold", "Congestion"], "nobody is left");
    bench.on_hook(all[3]);
    bench.on_hook(all[1]);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!(
        ended.iter().map(|call| call.cause).collect::<Vec<_>>(),
        [EndCause::NoAnswer, EndCause::CalledHungUp]
    );
    let [hunt] = &ended[1].redirections[..] else { panic!("{ended:?}") };
    assert_eq!((hunt.kind.name(), hunt.by.number.as_str(), hunt.to.number.as_str()), ("hunt", "600", "1002"));
    assert_eq!(ended[1].called.number, "1002");
}

#[test]
fn circular_groups_go_on_where_they_were() {
    let mut bench = Bench::new(group(HuntOrder::Circular));
    let all = phones(&mut bench);
    for expected in [0, 1, 2, 0] {
        call(&mut bench, all[3], "600");
        assert_eq!(ringing(&bench, &all), [expected]);
        bench.on_hook(all[3]);
    }
    bench.assert_quiet();
}

#[test]
fn who_had_no_call_for_longest_is_next() {
    let mut bench = Bench::new(group(HuntOrder::LongestIdle));
    let all = phones(&mut bench);
    for expected in [0, 1, 2, 0, 1] {
        bench.wait(Duration::from_secs(1));
        call(&mut bench, all[3], "600");
        assert_eq!(ringing(&bench, &all), [expected]);
        bench.off_hook(all[expected]);
        bench.on_hook(all[3]);
    }
    // A call of her own counts as well.
    bench.wait(Duration::from_secs(1));
    call(&mut bench, all[2], "1004");
    bench.on_hook(all[2]);
    call(&mut bench, all[3], "600");
    assert_eq!(ringing(&bench, &all), [0]);
    bench.on_hook(all[3]);
    bench.assert_quiet();
}

#[test]
fn a_broadcast_rings_all_that_are_free() {
    let mut bench = Bench::new(group(HuntOrder::Broadcast));
    let all = phones(&mut bench);
    bench.off_hook(all[1]);
    call(&mut bench, all[3], "600");
    assert_eq!(ringing(&bench, &all), [0, 2]);
    bench.off_hook(all[2]);
    assert_eq!(ringing(&bench, &all), [0; 0]);
    let heard = bench.heard(all[0]);
    assert!(heard.contains(&"CallState Connected".into()), "no missed call: {heard:?}");
    bench.on_hook(all[2]);
    bench.on_hook(all[1]);
    bench.assert_quiet();
}

#[test]
fn callers_wait_in_order_of_arrival() {
    let mut site = group(HuntOrder::Sequential);
    change(&mut site, |group| {
        group.members.truncate(1);
        group.queue = 2;
        group.queue_seconds = 100;
    });
    let mut bench = Bench::new(site);
    let [alice, bob, carol, dave] = phones(&mut bench);
    bench.off_hook(alice);
    call(&mut bench, bob, "600");
    bench.wait(Duration::from_secs(1));
    call(&mut bench, carol, "600");
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["RingOut"], vec!["RingOut"]));
    assert_eq!(bench.exchange.call_status()[1].phase, "queued");
    call(&mut bench, dave, "600");
    assert_eq!(bench.states(dave), ["Busy"], "two may wait");
    bench.on_hook(dave);
    bench.on_hook(alice);
    assert_eq!(bench.view(alice).legs[0].prompt.to_plain(), "From 1002", "Bob came first");
    bench.off_hook(alice);
    bench.on_hook(bob);
    assert_eq!(bench.view(alice).legs[0].prompt.to_plain(), "From 1003");
    // Nobody answers: Carol waits on, and Alice rings again until the time is over.
    bench.wait_alive(Duration::from_secs(60), &[alice, bob, carol, dave]);
    assert_eq!((bench.states(alice), bench.states(carol)), (vec!["RingIn"], vec!["RingOut"]));
    bench.wait_alive(Duration::from_secs(60), &[alice, bob, carol, dave]);
    assert_eq!((bench.states(alice), bench.states(carol)), (vec![], vec!["Busy"]));
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn a_caller_who_gives_up_leaves_the_queue() {
    let mut site = group(HuntOrder::Sequential);
    change(&mut site, |group| {
        group.members.truncate(1);
        group.queue = 1;
    });
    let mut bench = Bench::new(site);
    let [alice, bob, carol, _] = phones(&mut bench);
    bench.off_hook(alice);
    call(&mut bench, bob, "600");
    bench.on_hook(bob);
    call(&mut bench, carol, "600");
    bench.close(carol);
    bench.on_hook(alice);
    assert!(bench.states(alice).is_empty(), "nobody waits any more");
    bench.assert_quiet();
    let causes: Vec<_> = bench.ended().iter().map(|call| call.cause).collect();
    assert_eq!(causes, [EndCause::CallerHungUp, EndCause::PhoneLost]);
}

#[test]
fn calls_overflow_and_loops_end() {
    let mut site = group(HuntOrder::Sequential);
    change(&mut site, |group| {
        group.members.truncate(1);
        group.overflow = Some("601".parse().unwrap());
    });
    let mut second = site.hunt_groups[&"600".parse().unwrap()].clone();
    second.members = vec!["1002".parse().unwrap()];
    second.overflow = Some("600".parse().unwrap());
    site.hunt_groups.insert("601".parse().unwrap(), second);
    let mut bench = Bench::new(site);
    let [alice, bob, _, dave] = phones(&mut bench);
    bench.off_hook(alice);
    call(&mut bench, dave, "600");
    assert_eq!(bench.states(bob), ["RingIn"], "Alice is busy: her group overflows to Bob's");
    let info = bench.view(bob).legs[0].info.clone().unwrap();
    assert_eq!((info.original_called_number.as_str(), info.hunt_pilot_number.as_str()), ("600", "601"));
    bench.on_hook(dave);
    bench.off_hook(bob);
    call(&mut bench, dave, "600");
    assert_eq!(bench.states(dave), ["InvalidNumber"], "it does not go in circles for ever");
    bench.on_hook(dave);
    bench.on_hook(alice);
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn a_member_that_vanishes_gives_its_call_to_the_next() {
    let mut bench = Bench::new(group(HuntOrder::Sequential));
    let all = phones(&mut bench);
    call(&mut bench, all[3], "600");
    bench.close(all[0]);
    assert_eq!(ringing(&bench, &all[1..]), [0]);
    bench.close(all[1]);
    bench.close(all[2]);
    assert_eq!(bench.states(all[3]), ["Congestion"]);
    bench.on_hook(all[3]);
    bench.assert_quiet();
}

#[test]
fn a_phone_that_vanishes_does_not_ring_for_the_next_group() {
    let mut site = group(HuntOrder::Sequential);
    change(&mut site, |group| {
        group.members.truncate(1);
        group.overflow = Some("2001".parse().unwrap());
    });
    site.lines.insert("2001".parse().unwrap(), Line::default());
    let button = Button::Line { number: "2001".parse().unwrap(), label: String::new() };
    let alice = bench::device_name("1001").parse().unwrap();
    site.devices.get_mut(&alice).unwrap().buttons.push(button);
    let mut bench = Bench::new(site);
    let all = phones(&mut bench);
    call(&mut bench, all[3], "600");
    // The overflow is another line of the phone that is just going.
    bench.close(all[0]);
    assert_eq!(bench.states(all[3]), ["Congestion"]);
    bench.on_hook(all[3]);
    bench.assert_quiet();
}

#[test]
fn members_log_out_and_in() {
    let mut bench = Bench::new(group(HuntOrder::Sequential));
    let all = phones(&mut bench);
    call(&mut bench, all[0], "*95");
    assert_eq!(bench.view(all[0]).idle_prompt.to_plain(), "Logged out of hunt group");
    let heard = bench.heard(all[0]);
    assert_eq!(heard.last().map(String::as_str), Some("Prompt Logged out of hunt group"), "{heard:?}");
    call(&mut bench, all[3], "600");
    assert_eq!(ringing(&bench, &all), [1]);
    bench.on_hook(all[3]);
    // A phone that registers anew is told.
    bench.close(all[0]);
    let alice = bench.open(1);
    bench.register(alice, &bench::device_name("1001"), 17, 436);
    bench.heard(alice);
    bench.say(alice, message::TimeDateReq);
    assert_eq!(bench.heard(alice).last().map(String::as_str), Some("Prompt Logged out of hunt group"));
    // The button does both.
    for logged_out in [false, true, false] {
        let stimulus = StimulusType::HLog;
        bench.say(alice, message::Stimulus { stimulus, ..message::Stimulus::default() });
        assert_eq!(!bench.view(alice).idle_prompt.is_empty(), logged_out);
    }
    call(&mut bench, all[3], "600");
    assert_eq!(bench.states(alice), ["RingIn"]);
    bench.on_hook(all[3]);
    call(&mut bench, all[3], "*95");
    assert_eq!(bench.notices(all[3]), ["Key is not active"], "Dave is in no group");
    bench.on_hook(all[3]);
    bench.assert_quiet();
}

#[test]
fn a_group_with_log_in_calls_nobody_else() {
    let mut site = group(HuntOrder::Sequential);
    change(&mut site, |group| {
        group.login = true;
        group.queue = 5;
    });
    let mut bench = Bench::new(site);
    let all = phones(&mut bench);
    assert_eq!(bench.view(all[0]).idle_prompt.to_plain(), "Logged out of hunt group");
    call(&mut bench, all[3], "600");
    assert_eq!(bench.states(all[3]), ["Busy"], "there is nobody to wait for");
    bench.on_hook(all[3]);
    call(&mut bench, all[2], "*96");
    assert!(bench.view(all[2]).idle_prompt.is_empty());
    call(&mut bench, all[3], "600");
    assert_eq!(ringing(&bench, &all), [2]);
    bench.on_hook(all[3]);
    bench.assert_quiet();
}

#[test]
fn a_new_site_has_other_members() {
    let mut bench = Bench::new(group(HuntOrder::Sequential));
    let all = phones(&mut bench);
    call(&mut bench, all[0], "*95");
    bench.heard(all[0]);
    bench.input(Input::Site(Box::new(office())));
    assert_eq!(bench.heard(all[0]), ["Prompt Your current options"], "there is nothing to be logged out of");
    bench.input(Input::Site(Box::new(group(HuntOrder::Sequential))));
    assert_eq!(bench.heard(all[0]), ["Prompt Logged out of hunt group"]);
    // A caller in a group that is no more is not kept waiting.
    call(&mut bench, all[3], "600");
    bench.input(Input::Site(Box::new(office())));
    bench.wait(RING);
    assert_eq!(bench.states(all[3]), ["Congestion"]);
    bench.on_hook(all[3]);
    bench.assert_quiet();
}

#[test]
fn a_group_in_a_group_lends_its_members() {
    let mut site = group(HuntOrder::Broadcast);
    let mut outer = site.hunt_groups[&"600".parse().unwrap()].clone();
    outer.members = ["1001", "600", "601"].map(|number| number.parse().unwrap()).into();
    site.hunt_groups.insert("601".parse().unwrap(), outer);
    let mut bench = Bench::new(site);
    let all = phones(&mut bench);
    call(&mut bench, all[3], "601");
    assert_eq!(ringing(&bench, &all), [0, 1, 2]);
    bench.on_hook(all[3]);
    bench.assert_quiet();
}
