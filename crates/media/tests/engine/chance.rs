//! Orders and datagrams by chance: nothing panics, and what the engine holds is bounded by what it was told to.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use selsius_media::engine::{
    BridgeId, Clip, Config, Engine, Format, Learning, Limits, Output, PartyId, Place, SourceId, Voice,
};
use selsius_media::rtcp::NtpTime;
use selsius_media::{Codec, Digit, PacketTime, PayloadType, Time, Tone};

#[derive(Debug, Clone)]
enum Step {
    Open(Format, Option<u8>, Learning),
    Close(usize),
    Place(usize, Place),
    Format(usize, Format),
    Remote(usize, Option<u8>, Learning),
    Voice(usize, Voice),
    Tap(usize, bool),
    Warn(usize, bool),
    Play(usize, u8),
    Stop(usize),
    Digit(usize, u8),
    Source(u32, u8),
    NoSource(u32),
    Live(u32, bool),
    Packet {
        party: usize,
        from: u8,
        first: u8,
        second: u8,
        sequence: u16,
        timestamp: u32,
        ssrc: u8,
        payload: Vec<u8>,
    },
    Garbage(usize, u8, Vec<u8>),
    Control(usize, u8, Vec<u8>),
    Wait(u32),
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number / 4], 4000 + u16::from(number % 4)))
}

fn format() -> impl Strategy<Value = Format> {
    let events = prop_oneof![Just(None), Just(PayloadType::new(101))];
    let codec = prop_oneof![
        4 => Just(Codec::Pcmu), 3 => Just(Codec::Pcma), 1 => Just(Codec::G722), 1 => Just(Codec::G729)
    ];
    (codec, 1..=6u32, events).prop_map(|(codec, tens, events)| {
        let packet_time = PacketTime::from_millis(tens * 10).unwrap();
        Format { events, ..Format::new(codec, packet_time) }
    })
}

fn learning() -> impl Strategy<Value = Learning> {
    prop_oneof![Just(Learning::SameHost), Just(Learning::Anywhere)]
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Nowhere),
        Just(Place::Echo),
        (0..3u64).prop_map(|at| Place::Bridge(BridgeId(at))),
        (0..3u32).prop_map(|at| Place::Source(SourceId(at))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let party = 0..8usize;
    let type_byte = prop_oneof![Just(0u8), Just(8), Just(9), Just(101), Just(13), Just(18), any::<u8>()];
    let packet = (
        party.clone(),
        0..8u8,
        prop_oneof![8 => Just(0x80u8), 1 => any::<u8>()],
        type_byte,
        any::<u16>(),
        any::<u32>(),
        0..3u8,
        prop_oneof![Just(vec![9; 160]), vec(any::<u8>(), 0..500)],
    );
    prop_oneof![
        2 => (format(), proptest::option::of(0..8u8), learning()).prop_map(|(f, r, l)| Step::Open(f, r, l)),
        1 => party.clone().prop_map(Step::Close),
        4 => (party.clone(), place()).prop_map(|(p, place)| Step::Place(p, place)),
        1 => (party.clone(), format()).prop_map(|(p, format)| Step::Format(p, format)),
        2 => (party.clone(), proptest::option::of(0..8u8), learning())
            .prop_map(|(p, r, l)| Step::Remote(p, r, l)),
        1 => (party.clone(), any::<bool>())
            .prop_map(|(p, on)| Step::Voice(p, if on { Voice::Heard } else { Voice::Muted })),
        1 => (party.clone(), any::<bool>()).prop_map(|(p, on)| Step::Tap(p, on)),
        1 => (party.clone(), any::<bool>()).prop_map(|(p, on)| Step::Warn(p, on)),
        1 => (party.clone(), any::<u8>()).prop_map(|(p, clip)| Step::Play(p, clip)),
        1 => party.clone().prop_map(Step::Stop),
        1 => (party.clone(), 0..16u8).prop_map(|(p, digit)| Step::Digit(p, digit)),
        1 => (0..3u32, any::<u8>()).prop_map(|(at, clip)| Step::Source(at, clip)),
        1 => (0..3u32).prop_map(Step::NoSource),
        1 => (0..3u32, any::<bool>()).prop_map(|(at, live)| Step::Live(at, live)),
        20 => packet.prop_map(|(party, from, first, second, sequence, timestamp, ssrc, payload)| {
            Step::Packet { party, from, first, second, sequence: sequence % 40, timestamp, ssrc, payload }
        }),
        3 => (party.clone(), 0..8u8, vec(any::<u8>(), 0..80)).prop_map(|(p, f, d)| Step::Garbage(p, f, d)),
        3 => (party, 0..8u8, vec(any::<u8>(), 0..80)).prop_map(|(p, f, d)| Step::Control(p, f, d)),
        8 => (0..60_000u32).prop_map(Step::Wait),
        1 => any::<u32>().prop_map(Step::Wait),
    ]
}

fn clip(number: u8) -> Clip {
    match number % 5 {
        0 => Clip::Pcm(vec![5; usize::from(number) * 40].into()),
        1 => Clip::Loop(vec![5; usize::from(number / 5)].into()),
        2 => Clip::Encoded(Codec::G729, vec![5; usize::from(number)].into()),
        3 => Clip::Encoded(Codec::Pcmu, vec![5; usize::from(number)].into()),
        _ => Clip::Tone(Tone::digit(Digit::A, u32::from(number))),
    }
}

/// Runs the steps, and then closes what is left.
fn run(steps: Vec<Step>) {
    let limits = Limits { parties: 8, bridge: 4, sources: 2, digits: 3 };
    let mut engine = Engine::new(Config { seed: 3, wall: NtpTime(0), name: "ü".repeat(300) });
    engine.set_limits(limits);
    let mut now = Time::ZERO;
    // The newest of each place, which may be closed: then orders name somebody who is gone.
    let mut ids: [Option<PartyId>; 8] = [None; 8];
    for step in steps {
        let id = |party: usize| ids[party].unwrap_or_else(|| ids.iter().flatten().next().copied().unwrap());
        if ids.iter().all(Option::is_none) && !matches!(step, Step::Open(..)) {
            continue;
        }
        match step {
            Step::Open(format, remote, learning) => {
                if let Ok(id) = engine.open(now, format, remote.map(address), learning) {
                    ids[id.index() as usize] = Some(id);
                }
            }
            Step::Close(party) => drop(engine.close(now, id(party))),
            Step::Place(party, place) => _ = engine.place(now, id(party), place),
            Step::Format(party, format) => _ = engine.set_format(now, id(party), format),
            Step::Remote(party, remote, learning) => {
                _ = engine.set_remote(now, id(party), remote.map(address), learning);
            }
            Step::Voice(party, voice) => _ = engine.set_voice(id(party), voice),
            Step::Tap(party, on) => _ = engine.tap(now, id(party), on),
            Step::Warn(party, on) => {
                _ = engine.set_warning(id(party), on.then(|| Tone::recorder_warning(2)));
            }
            Step::Play(party, number) => _ = engine.play(now, id(party), clip(number)),
            Step::Stop(party) => _ = engine.stop(now, id(party)),
            Step::Digit(party, digit) => {
                let digit = Digit::from_event(digit).unwrap();
                _ = engine.send_digit(now, id(party), digit, Duration::from_millis(70));
            }
            Step::Source(at, number) => _ = engine.set_source(SourceId(at), clip(number)),
            Step::NoSource(at) => engine.remove_source(now, SourceId(at)),
            Step::Live(at, live) => _ = engine.set_live(SourceId(at), live),
            Step::Packet { party, from, first, second, sequence, timestamp, ssrc, payload } => {
                let mut datagram = vec![first, second];
                datagram.extend_from_slice(&sequence.to_be_bytes());
                datagram.extend_from_slice(&timestamp.to_be_bytes());
                datagram.extend_from_slice(&[0, 0, 0, ssrc]);
                datagram.extend_from_slice(&payload);
                engine.receive(now, id(party), address(from), &datagram);
                engine.feed(now, SourceId(party as u32 % 3), address(from), &datagram);
            }
            Step::Garbage(party, from, datagram) => engine.receive(now, id(party), address(from), &datagram),
            Step::Control(party, from, datagram) => {
                engine.receive_control(now, id(party), address(from), &datagram);
            }
            Step::Wait(micros) => {
                now += Duration::from_micros(micros.into());
                engine.handle_timeout(now);
            }
        }
        let mut outputs = 0;
        while let Some(output) = engine.poll_output() {
            if let Output::Packet { bytes, .. } = output {
                assert!((8..2000).contains(&bytes.len()));
            }
            outputs += 1;
        }
        assert!(outputs < 500, "{outputs}");
        assert!(engine.parties() <= 8 && engine.bridges() <= 3);
        // Only what was ordered at this moment is still due.
        assert!(engine.poll_timeout().is_none_or(|at| at >= now));
    }
    for id in ids.into_iter().flatten() {
        engine.close(now, id);
    }
    // That nobody talks any more, where somebody did.
    while engine.poll_output().is_some() {}
    assert_eq!((engine.parties(), engine.bridges()), (0, 0));
    // What is left of timers leads nowhere.
    now += Duration::from_secs(60);
    engine.handle_timeout(now);
    assert_eq!(engine.poll_output(), None);
    assert_eq!(engine.poll_timeout(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_panics_and_nothing_is_left(steps in vec(step(), 1..120)) {
        run(steps);
    }
}
