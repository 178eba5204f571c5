//! Corners of calls: what neither user meant must not happen, and what phones cannot know they are told.

mod bench;

use std::time::Duration;

use bench::{Bench, START, office};
use selsius_exchange::{Input, Time, WallClock, record::WallTime};
use selsius_wire::{
    ManagerMessage, message,
    value::{Codec, SoftKey},
};

/// From the speaker to the handset in mid-call, while an emergency call rings as a second one.
#[test]
fn lifting_the_handset_in_a_call_does_not_answer_another_one() {
    let mut bench = Bench::new(office());
    let [alice, bob, dave] = ["1001", "1002", "1004"].map(|number| bench.phone(number));
    bench.off_hook(bob);
    bench.dial(bob, "1004");
    bench.off_hook(dave);
    bench.off_hook(alice);
    bench.dial(alice, "112");
    bench.heard(dave);
    bench.off_hook(dave);
    assert_eq!(bench.heard(dave), [""; 0]);
    bench.press(dave, SoftKey::Answer);
    assert!(bench.heard(dave).contains(&"CallState Connected".into()));
}

/// Emergency calls ring a phone however many there are already; it can still dial.
#[test]
fn ringing_calls_do_not_keep_a_phone_from_dialling() {
    let mut site = office();
    let more: Vec<_> = (0..9).map(|at| format!("30{at:02}")).collect();
    for number in &more {
        let mut device = site.devices.values().next().unwrap().clone();
        let line = number.parse::<selsius_site::LineNumber>().unwrap();
        device.buttons = vec![selsius_site::Button::Line { number: line.clone(), label: String::new() }];
        site.lines.insert(line, selsius_site::Line::default());
        site.devices.insert(bench::device_name(number).parse().unwrap(), device);
    }
    let mut bench = Bench::new(site);
    let (alice, dave) = (bench.phone("1001"), bench.phone("1004"));
    for number in &more {
        let phone = bench.phone(number);
        bench.off_hook(phone);
        bench.dial(phone, "112");
    }
    bench.heard(dave);
    bench.press(dave, SoftKey::NewCall);
    assert!(bench.heard(dave).contains(&"CallState OffHook".into()));
    bench.dial(dave, "1001");
    assert!(bench.heard(alice).contains(&"CallState RingIn".into()));
}

#[test]
fn packets_hold_whole_frames() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let odd = message::AudioCapability::new(Codec::G711Ulaw64k, 15);
    bench.say(bob, message::CapabilitiesRes::new(&[odd]));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    let sizes = bench.messages(bob).into_iter().filter_map(|message| match message {
        ManagerMessage::OpenReceiveChannel(open) => Some(open.milli_second_packet_size),
        _ => None,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [10]);
}

#[test]
fn phones_hear_of_summer_time_and_of_a_clock_set_right() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    let second = 1_000_000;
    for (wall, offset_seconds, told) in [
        (START + 30 * second, 3600, false),
        (START + 60 * second, 7200, true),
        (START + 91 * second, 7200, false),
        (START + 3600 * second, 7200, true),
    ] {
        bench.now += Duration::from_secs(30);
        bench.input(Input::Wall(WallClock { at: bench.now, wall: WallTime(wall), offset_seconds }));
        let expected: &[&str] = if told { &["DefineTimeDate"] } else { &[] };
        assert_eq!(bench.heard(alice), expected, "{wall} {offset_seconds}");
    }
}

/// The clock is set back by an hour in mid-call.
#[test]
fn a_call_never_ends_before_it_began() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    let wall = WallClock { at: Time::ZERO, wall: WallTime(START - 3_600_000_000), offset_seconds: 3600 };
    bench.input(Input::Wall(wall));
    bench.on_hook(alice);
    let call = &bench.ended()[0];
    assert_eq!(Some(call.ended), call.answered);
}
