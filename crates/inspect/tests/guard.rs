//! The guard in front of real traffic: no false alarm.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside of any test function"
)]

use std::{collections::BTreeMap, fs, path::PathBuf};

use proptest::{collection::vec, prelude::*, sample::select};
use selsius_inspect::{
    capture::{Cut, Cutter},
    conversation::Side,
    guard::{
        Action, Config, Ends, Finding, FindingKind, Flow, Guard, Nat, Output, Passage, Policy, Preset,
        Replay, Translation,
    },
    packet::{Content, LinkType, Stamp, parse},
};
use selsius_wire::{MESSAGES, Time};

/// Replays a capture; `None` if it is not here.
fn replay(name: &str, preset: Preset) -> Option<(Replay, Vec<Output>)> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures")).join(name);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("skipped: {}: {error}", path.display());
            return None;
        }
    };
    let config = Config { policy: Policy::new(preset), ..Config::default() };
    let mut replay = Replay::new(config, vec![2000, 2001, 2003]);
    let mut outputs = Vec::new();
    let (mut cutter, mut rest, mut last) = (Cutter::default(), &bytes[..], Stamp::default());
    loop {
        let consumed = match cutter.cut(rest).unwrap() {
            Cut::Packet { packet, consumed } => {
                last = Stamp { number: last.number + 1, time: packet.time };
                if let Some(link) = LinkType::from_capture(packet.link)
                    && let Content::Tcp(segment) = parse(link, packet.bytes)
                {
                    replay.segment(last, &segment);
                    outputs.extend(std::iter::from_fn(|| replay.poll_output()));
                }
                consumed
            }
            Cut::Other(consumed) => consumed,
            Cut::Need(_) => break,
        };
        rest = &rest[consumed..];
    }
    replay.finish(last);
    outputs.extend(std::iter::from_fn(|| replay.poll_output()));
    Some((replay, outputs))
}

const CAPTURES: [&str; 5] = [
    "callmanager-4.1-7912.pcapng",
    "chan-sccp-v3-call.pcap",
    "chan-sccp-v17-call.pcap",
    "freeswitch-v3-call.pcap",
    "cucm-v20-call.pcap",
];

fn findings(outputs: &[Output]) -> Vec<&Finding> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Finding(finding) => Some(finding),
            _ => None,
        })
        .collect()
}

/// What is true of real managers: 4.1 sends old memory behind its texts (and so does its phone), and a later one has
/// phones send copies of their audio to a recorder.
const TRUE_OF_REAL_ONES: [FindingKind; 2] = [FindingKind::DirtyPadding, FindingKind::RecorderFork];

#[test]
fn real_traffic_passes_the_strict_policy() {
    for name in CAPTURES {
        let Some((replay, outputs)) = replay(name, Preset::Strict) else { continue };
        for finding in findings(&outputs) {
            assert!(TRUE_OF_REAL_ONES.contains(&finding.kind), "{name}: {finding:?}");
        }
        let counters = replay.guard().counters();
        assert_eq!((counters.dropped, counters.resets), ([0, 0], 0), "{name}");
        assert!(counters.messages.iter().sum::<u64>() >= 62, "{name}: {counters:?}");
    }
}

#[test]
fn audio_of_a_real_call_gets_its_ways_and_loses_them() {
    let Some((_, outputs)) = replay("callmanager-4.1-7912.pcapng", Preset::Strict) else { return };
    let passages: Vec<Passage> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Passage { passage, .. } => Some(*passage),
            _ => None,
        })
        .collect();
    // Frames 110 and 112: the phone listens at 16384, and sends to 60186.
    let [_, open, .., closed] = passages[..] else { panic!("{passages:?}") };
    let (inward, outward) = (open.inward.unwrap(), open.outward.unwrap());
    assert_eq!(inward.to, "10.102.10.209:16384".parse().unwrap());
    assert_eq!((inward.at, inward.from), (inward.to, Some("10.102.219.27".parse().unwrap())));
    assert_eq!(outward.to, "10.102.219.27:60186".parse().unwrap());
    assert_eq!(outward.from, Some("10.102.10.209".parse().unwrap()));
    assert_eq!((closed.inward, closed.outward), (None, None));
}

#[test]
fn calls_of_real_managers_are_summed_up() {
    for name in &CAPTURES[..4] {
        let Some((_, outputs)) = replay(name, Preset::Balanced) else { continue };
        let calls: Vec<_> = outputs
            .iter()
            .filter_map(|output| match output {
                Output::Call { call, .. } => Some(call),
                _ => None,
            })
            .collect();
        assert!(!calls.is_empty(), "{name}");
        for call in calls {
            assert!(call.answered.is_some_and(|answered| call.begun < answered && answered < call.ended));
            assert!(!call.calling.is_empty() && !call.called.is_empty(), "{name}: {call:?}");
        }
    }
}

#[test]
fn what_strict_would_do_is_told_by_monitor() {
    let Some((monitor, told)) = replay("cucm-v20-call.pcap", Preset::Monitor) else { return };
    assert!(findings(&told).iter().all(|finding| finding.action == Action::Log));
    assert_eq!(monitor.guard().counters().changed, 0);
}

/// What is said on a connection, piece by piece: messages with ids that exist, damage, and nonsense.
fn said() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    let ids: Vec<u32> = MESSAGES.iter().map(|info| info.id).collect();
    let message = (select(ids), 0..24_u32, vec(any::<u8>(), 0..200)).prop_map(|(id, version, body)| {
        let length = u32::try_from(body.len()).unwrap() + 4;
        let words = [length, version, id].into_iter().flat_map(u32::to_le_bytes);
        words.chain(body).collect::<Vec<u8>>()
    });
    let nonsense = vec(any::<u8>(), 1..60);
    vec((any::<bool>(), prop_oneof![12 => message, 1 => nonsense]), 1..40)
}

proptest! {
    #[test]
    fn monitor_passes_on_exactly_what_came_whatever_the_segments(said in said(), sizes in vec(1..400_usize, 1..20)) {
        let config = Config { policy: Policy::new(Preset::Monitor), ..Config::default() };
        let mut guard = Guard::new(config);
        let ends = Ends {
            station: "192.0.2.10:49152".parse().unwrap(),
            manager: "198.51.100.1:2000".parse().unwrap(),
            whole: true,
        };
        let id = guard.open(Time::from_millis(1), ends).unwrap();
        let (mut came, mut onward) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let mut sizes = sizes.iter().cycle();
        for (is_station, bytes) in &said {
            let (side, at) = if *is_station { (Side::Station, 0) } else { (Side::Manager, 1) };
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
                came[at].extend_from_slice(now);
                prop_assert_eq!(guard.receive(Time::from_millis(2), id, side, now, &mut onward[at]), Flow::Go);
                rest = later;
            }
        }
        for (side, at) in [(Side::Station, 0), (Side::Manager, 1)] {
            prop_assert_eq!(guard.finish(Time::from_millis(3), id, side, &mut onward[at]), Flow::Go);
        }
        prop_assert_eq!(came, onward);
    }

    #[test]
    fn nothing_that_is_said_breaks_a_guard_that_translates(said in said()) {
        let ports = |address: &str| Nat::Ports { address: address.parse().unwrap(), ports: 20_000..=20_009 };
        let translation = Translation { stations: ports("198.51.100.2"), managers: ports("192.0.2.1"), ..Translation::default() };
        let mut guard = Guard::new(Config { policy: Policy::new(Preset::Monitor), translation });
        let ends = Ends {
            station: "192.0.2.10:49152".parse().unwrap(),
            manager: "198.51.100.1:2000".parse().unwrap(),
            whole: false,
        };
        let id = guard.open(Time::from_millis(1), ends).unwrap();
        let (mut came, mut onward) = ([0; 2], [Vec::new(), Vec::new()]);
        let mut open = BTreeMap::new();
        for (is_station, bytes) in &said {
            let (side, at) = if *is_station { (Side::Station, 0) } else { (Side::Manager, 1) };
            came[at] += bytes.len();
            prop_assert_eq!(guard.receive(Time::from_millis(2), id, side, bytes, &mut onward[at]), Flow::Go);
            while let Some(output) = guard.poll_output() {
                if let Output::Passage { passage, .. } = output {
                    open.insert(passage.id, passage);
                }
            }
        }
        guard.close(Time::from_millis(3), id);
        while let Some(output) = guard.poll_output() {
            if let Output::Passage { passage, .. } = output {
                open.insert(passage.id, passage);
            }
        }
        prop_assert!(open.values().all(|passage| passage.inward.is_none() && passage.outward.is_none()));
        // Lengths are kept, whatever was translated.
        for at in 0..2 {
            prop_assert!(onward[at].len() <= came[at]);
        }
    }
}
