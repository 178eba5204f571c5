//! The director on a virtual clock: what is due when, and from when a latency counts.

use std::net::SocketAddr;

use proptest::prelude::*;
use selsius_wire::value::Codec;

use super::*;
use crate::{Calls, Rate, Rtp, report::Latency};

const fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn voice(phone: u32) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * phone as u16))
}

/// Phones that are registered at 0, and calls from then on at this rate.
fn director(count: u32, rate: f64) -> Director {
    let mut phones = crate::plan::tests::phones(count);
    phones.register_rate = Rate::AtOnce;
    let plan = Plan {
        target: SocketAddr::from(([127, 0, 0, 1], 2000)),
        phones,
        calls: Calls { rate: Some(rate), hold: Duration::from_millis(100), ..Calls::default() },
        storms: Vec::new(),
        rtp: Rtp::Off,
        duration: Duration::from_secs(60),
        patience: Duration::from_secs(5),
        really: false,
    };
    let mut director = Director::new(plan, at(0));
    director.tick(at(0));
    assert_eq!(acts(&mut director).len(), count as usize, "all connect at once");
    for phone in 0..count {
        director.connected(phone, voice(phone));
        director.registered(at(0), phone);
    }
    director
}

/// What the phones shall do, in words.
fn acts(director: &mut Director) -> Vec<String> {
    director.todo.drain(..).map(|(phone, act)| format!("{phone} {act:?}")).collect()
}

fn latency(director: &Director, timed: Timed) -> Latency {
    Latency::from(&director.tally.times[&timed])
}

/// Measured times are right to 0.1 %.
fn is_about(micros: u64, meant: u64) -> bool {
    micros.abs_diff(meant) <= meant / 1000
}

fn open(party: u32) -> MediaOrder {
    MediaOrder::OpenReceive {
        party,
        conference: 1,
        call: 1,
        codec: Codec::G711Ulaw64k,
        packet_ms: 20,
        source: None,
        dtmf_payload: None,
        keys: None,
    }
}

fn send(party: u32, remote: SocketAddr) -> MediaOrder {
    MediaOrder::StartTransmit {
        party,
        conference: 1,
        call: 1,
        remote,
        codec: Codec::G711Ulaw64k,
        packet_ms: 20,
        precedence: 184,
        dtmf_payload: None,
        keys: None,
    }
}

/// From the dial tone to the end, without any delay by the server.
fn call(director: &mut Director, now: Time, caller: u32, callee: u32) {
    director.call_state(now, caller, 1, CallState::OffHook);
    director.call_state(now, caller, 1, CallState::RingOut);
    director.call_state(now, callee, 2, CallState::RingIn);
    director.rings(now, callee);
    for phone in [callee, caller] {
        director.call_state(now, phone, 1 + u32::from(phone == callee), CallState::Connected);
        director.media(now, phone, &open(phone));
    }
    director.media(now, caller, &send(caller, voice(callee)));
    director.media(now, callee, &send(callee, voice(caller)));
}

fn end(director: &mut Director, now: Time, caller: u32, callee: u32) {
    for (phone, reference) in [(caller, 1), (callee, 2)] {
        director.media(now, phone, &MediaOrder::StopTransmit { party: phone });
        director.media(now, phone, &MediaOrder::CloseReceive { party: phone });
        director.call_state(now, phone, reference, CallState::OnHook);
    }
}

#[test]
fn a_call_is_a_row_of_actions_at_their_moments() {
    let mut director = director(2, 1.0);
    director.tick(at(0));
    assert!(matches!(director.phase, Phase::Calling { until } if until == at(60_000)));
    director.tick(at(0));
    assert_eq!(acts(&mut director), ["0 User(OffHook)"]);
    call(&mut director, at(10), 0, 1);
    let expected =
        ["0 User(Dial(\"1002\"))", "1 User(OffHook)", "0 Look { reference: 1 }", "1 Look { reference: 2 }"];
    assert_eq!(acts(&mut director), expected);
    assert_eq!(director.next_at(), Some(at(110)), "they hang up after 100 ms");
    director.tick(at(109));
    assert!(acts(&mut director).is_empty());
    director.tick(at(113));
    assert_eq!(acts(&mut director), ["0 User(OnHook)"]);
    end(&mut director, at(120), 0, 1);
    assert_eq!(acts(&mut director), ["1 User(OnHook)"]);
    assert_eq!(director.tally.completed.values().sum::<u64>(), 1);
    assert!(is_about(latency(&director, Timed::OffHookToTone).max, 10_000));
    // Hanging up was due at 110, though the generator was late; it says so.
    assert!(is_about(latency(&director, Timed::HangUpToIdle).max, 10_000));
    assert!(is_about(latency(&director, Timed::Behind).max, 3_000));
    assert!(director.tally.wrong.is_empty(), "{:?}", director.tally.examples);
}

#[test]
fn a_server_that_stands_still_does_not_hide_the_waits_behind_it() {
    // Ten calls a second by two phones, and a server that says nothing for 800 ms.
    let mut director = director(2, 10.0);
    director.tick(at(0));
    director.tick(at(0));
    director.tick(at(800));
    assert_eq!(director.tally.calls, 9, "what is due is due, whatever the server does");
    call(&mut director, at(800), 0, 1);
    director.tick(at(900));
    end(&mut director, at(900), 0, 1);
    // The second call was due at 100; its phones are free at 950, after their rest, and it counts all of that.
    director.tick(at(950));
    call(&mut director, at(960), 0, 1);
    let tone = latency(&director, Timed::OffHookToTone);
    assert!(tone.count == 2 && is_about(tone.min, 800_000) && is_about(tone.max, 860_000), "{tone:?}");
}

#[test]
fn a_late_generator_is_told_apart_and_waits_for_nobody() {
    let mut director = director(20, 10.0);
    director.tick(at(0));
    // The machine had no time for it until 450.
    director.tick(at(450));
    assert_eq!(acts(&mut director).len(), 5, "all that was due begins");
    let behind = latency(&director, Timed::Behind);
    assert!(behind.count == 20 + 5 && is_about(behind.max, 450_000), "{behind:?}");
}

#[test]
fn patience_ends_each_step_and_phones_start_anew() {
    let mut director = director(2, 1.0);
    director.tick(at(0));
    director.tick(at(0));
    director.call_state(at(10), 0, 1, CallState::OffHook);
    acts(&mut director);
    director.tick(at(5000));
    assert!(director.tally.failed.is_empty(), "the ring may take until 5010");
    director.tick(at(5010));
    assert_eq!(director.tally.failed, [(Failure::NoRing, 1)].into());
    assert_eq!(acts(&mut director), ["0 User(OnHook)"]);
    // The caller's phone still shows the call a second later; the other one is as it was.
    director.tick(at(6010));
    assert_eq!(acts(&mut director)[0], "0 Drop");
}

#[test]
fn two_connections_have_no_common_order() {
    let mut director = director(2, 1.0);
    director.tick(at(0));
    director.tick(at(0));
    director.call_state(at(1), 0, 1, CallState::OffHook);
    director.call_state(at(2), 1, 2, CallState::RingIn);
    director.rings(at(2), 1);
    // What the caller was told before the bell rang is read after it was answered.
    director.call_state(at(3), 0, 1, CallState::Proceed);
    director.call_state(at(3), 0, 1, CallState::RingOut);
    assert!(director.tally.wrong.is_empty(), "{:?}", director.tally.examples);
    // Nobody has dialled again, though.
    director.call_state(at(4), 0, 1, CallState::OffHook);
    assert_eq!(director.tally.wrong, [(Wrong::State, 1)].into());
}

#[test]
fn a_bell_that_is_rung_at_the_wrong_phone_is_wrong() {
    let mut director = director(4, 1.0);
    director.tick(at(0));
    director.tick(at(0));
    director.call_state(at(1), 0, 1, CallState::OffHook);
    director.call_state(at(2), 3, 9, CallState::RingIn);
    assert_eq!(director.tally.wrong, [(Wrong::StrayRing, 1)].into());
}

#[test]
fn a_call_without_phones_waits_for_a_moment_and_not_busily() {
    let mut director = director(3, 10.0);
    director.tick(at(0));
    director.tick(at(0));
    director.tick(at(100));
    assert_eq!(acts(&mut director), ["0 User(OffHook)"], "the second call has one phone of two");
    assert_eq!(director.next_at(), Some(at(200)), "the third call is what comes next");
    call(&mut director, at(110), 0, 1);
    director.tick(at(210));
    end(&mut director, at(215), 0, 1);
    acts(&mut director);
    director.tick(at(216));
    assert_eq!(director.next_at(), Some(at(265)), "the first phone has rested by then");
    director.tick(at(265));
    assert_eq!(acts(&mut director), ["2 User(OffHook)"]);
}

#[test]
fn a_run_waits_for_phones_that_a_storm_took() {
    let mut director = director(2, 10.0);
    let storm = crate::Storm {
        at: Duration::from_millis(10),
        kind: crate::StormKind::DropAndReturn,
        count: Some(1),
        back_after: Duration::from_secs(70),
        rate: Rate::AtOnce,
    };
    director.plan.calls.rate = None;
    director.plan.storms = vec![storm];
    director.tick(at(0));
    director.tick(at(10));
    assert_eq!(acts(&mut director), ["0 Drop"]);
    director.offline(at(10), 0, "dropped");
    director.tick(at(60_000));
    assert!(matches!(director.phase, Phase::Draining { until } if until == at(65_000)));
    director.tick(at(64_999));
    assert!(matches!(director.phase, Phase::Draining { .. }));
    director.tick(at(65_000));
    assert!(matches!(director.phase, Phase::Leaving { .. }), "patience has ended");
    assert!(director.tally.offline.is_empty(), "a storm is no failure of the server");
}

/// Something that a server, however strange, can make happen at a phone, or the passing of time.
#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    State(u32, u32, CallState),
    Ring(u32),
    Open(u32),
    Send(u32, u32),
    Close(u32),
    Stop(u32),
    Refused(u32),
    Registered(u32),
    Offline(u32),
    Interrupt,
}

fn happening() -> impl Strategy<Value = Happening> {
    let phone = 0..6_u32;
    let states = prop::sample::select(CallState::ALL.to_vec());
    prop_oneof![
        8 => (0..400_u64).prop_map(Happening::Wait),
        12 => (phone.clone(), 0..4_u32, states).prop_map(|(phone, reference, state)| Happening::State(phone, reference, state)),
        4 => phone.clone().prop_map(Happening::Ring),
        3 => phone.clone().prop_map(Happening::Open),
        3 => (phone.clone(), phone.clone()).prop_map(|(phone, remote)| Happening::Send(phone, remote)),
        2 => phone.clone().prop_map(Happening::Close),
        2 => phone.clone().prop_map(Happening::Stop),
        1 => phone.clone().prop_map(Happening::Refused),
        2 => phone.clone().prop_map(Happening::Registered),
        1 => phone.prop_map(Happening::Offline),
        1 => Just(Happening::Interrupt),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_servers_do_each_call_ends_once(happenings in prop::collection::vec(happening(), 1..200)) {
        let mut director = director(6, 20.0);
        director.plan.calls.mix = crate::Mix::new([2, 1, 1, 1, 1]).unwrap();
        director.plan.patience = Duration::from_millis(500);
        let mut now = at(0);
        director.tick(now);
        for happening in happenings {
            match happening {
                Happening::Wait(millis) => now += Duration::from_millis(millis),
                Happening::State(phone, reference, state) => director.call_state(now, phone, reference, state),
                Happening::Ring(phone) => director.rings(now, phone),
                Happening::Open(phone) => director.media(now, phone, &open(phone)),
                Happening::Send(phone, remote) => director.media(now, phone, &send(phone, voice(remote))),
                Happening::Close(phone) => director.media(now, phone, &MediaOrder::CloseReceive { party: phone }),
                Happening::Stop(phone) => director.media(now, phone, &MediaOrder::StopTransmit { party: phone }),
                Happening::Refused(phone) => director.refused(now, phone),
                Happening::Registered(phone) => director.registered(now, phone),
                Happening::Offline(phone) => director.offline(now, phone, "gone"),
                Happening::Interrupt => director.interrupt(now),
            }
            director.tick(now);
            director.todo.clear();
            check(&director);
        }
    }
}

/// What holds at any time: calls and their phones know each other, and every call that was due is accounted for.
fn check(director: &Director) {
    for (slot, call) in &director.calls {
        for phone in call.phones() {
            assert_eq!(director.desks[phone as usize].call, Some(call.key(slot)), "{call:?}");
        }
    }
    let busy = director.desks.iter().filter(|desk| desk.call.is_some()).count();
    assert_eq!(busy, director.calls.iter().map(|(_, call)| call.phones().count()).sum::<usize>());
    assert_eq!(director.online as usize, director.desks.iter().filter(|desk| desk.online).count());
    let tally = &director.tally;
    let ended = tally.completed.values().sum::<u64>() + tally.failed.values().sum::<u64>() + tally.cut;
    assert_eq!(tally.calls, ended + director.calls.len() as u64 + director.waiting.len() as u64);
}
