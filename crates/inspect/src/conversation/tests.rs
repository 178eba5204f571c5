use alloc::{format, vec, vec::Vec};

use proptest::prelude::*;
use selsius_wire::{
    DeviceType, Dialect, ManagerMessage as M, StationMessage as S, Text,
    message::{
        Alarm, KeepAlive, KeepAliveAck, LineStatReq, OffHook, OpenReceiveChannel, OpenReceiveChannelAck,
        Register, RegisterAck, RegisterReject, StartMediaTransmission, StartMediaTransmissionAck,
        TimeDateReq,
    },
};

use super::*;
use crate::{
    packet::{Content, LinkType, build::TcpFlow, parse},
    reassembly::Way,
};

/// A frame of any id.
fn raw(version: u32, id: u32, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&length.to_le_bytes()[..], &version.to_le_bytes(), &id.to_le_bytes(), body].concat()
}

fn station(message: impl Into<S>) -> Vec<u8> {
    let mut frame = Vec::new();
    dialect().encode_station(&message.into(), &mut frame);
    frame
}

fn manager(message: impl Into<M>) -> Vec<u8> {
    let mut frame = Vec::new();
    dialect().encode_manager(&message.into(), &mut frame);
    frame
}

/// An old one, whose headers say nothing.
fn dialect() -> Dialect {
    Dialect::new(3, [0; 3], DeviceType::default())
}

/// A connection whose segments go into a tracker one by one.
struct Wire {
    tracker: Tracker,
    flow: TcpFlow,
    number: u64,
}

const PHONE: &str = "10.0.0.1:40000";

impl Wire {
    fn to(manager: &str) -> Self {
        let mut wire = Self::silent(manager);
        let frames = wire.flow.open();
        wire.capture(&frames);
        wire
    }

    /// One whose handshake is not captured.
    fn silent(manager: &str) -> Self {
        let flow = TcpFlow::new(PHONE.parse().unwrap(), manager.parse().unwrap());
        Self { tracker: Tracker::default(), flow, number: 0 }
    }

    fn capture(&mut self, frames: &[Vec<u8>]) {
        for frame in frames {
            self.number += 1;
            let Content::Tcp(segment) = parse(LinkType::Ethernet, frame) else { panic!("no segment") };
            let stamp = Stamp { time: Time::from_millis(self.number * 10), number: self.number };
            self.tracker.segment(stamp, &segment);
        }
    }

    fn say(&mut self, way: Way, bytes: &[u8]) -> Vec<String> {
        let frames = self.flow.send(way, bytes);
        self.capture(&frames);
        self.log()
    }

    fn phone(&mut self, bytes: &[u8]) -> Vec<String> {
        self.say(Way::Forward, bytes)
    }

    fn manager(&mut self, bytes: &[u8]) -> Vec<String> {
        self.say(Way::Backward, bytes)
    }

    /// Said, but not captured.
    fn lose(&mut self, way: Way, bytes: &[u8]) {
        self.flow.send(way, bytes);
    }

    fn finish(&mut self) -> Vec<String> {
        self.tracker.finish();
        self.log()
    }

    fn log(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(event) = self.tracker.poll_event() {
            lines.push(match event {
                Event::Opened(opened) => format!("station {}", opened.station),
                Event::Seen(seen) => {
                    let line = seen.message.summary();
                    let answers =
                        seen.answers.map(|answer| format!(" <- {}", answer.packet)).unwrap_or_default();
                    format!("{} {line}{answers}", seen.from)
                }
                Event::Trouble(trouble) => format!("{} {}", trouble.from, trouble.kind),
                Event::Closed(closed) => {
                    format!("closed {:?}, {} open", closed.reason, closed.unanswered.len())
                }
            });
        }
        lines
    }
}

#[test]
fn a_registration() {
    let mut wire = Wire::to("10.0.0.2:2000");
    let register = Register { device_name: Text::new("SEP1"), protocol_ver: 17, ..Register::default() };
    let ack = RegisterAck { max_protocol_ver: 20, keep_alive_interval: 30, ..RegisterAck::default() };
    assert_eq!(
        wire.phone(&[station(register), station(KeepAlive)].concat()),
        ["station 10.0.0.1:40000", "station Register SEP1 version 17, Unknown(0)", "station KeepAlive"]
    );
    assert_eq!(
        wire.manager(&[manager(KeepAliveAck), manager(ack)].concat()),
        ["manager KeepAliveAck <- 4", "manager RegisterAck version 20, keepalive 30 s <- 4"]
    );
    let frames = wire.flow.send(Way::Forward, &station(OffHook::default()));
    wire.capture(&frames);
    let Some(Event::Seen(seen)) = wire.tracker.poll_event() else { panic!("nothing seen") };
    assert_eq!((seen.device.as_deref(), seen.version, seen.number), (Some("SEP1"), 17, 5));
    assert_eq!(seen.time, Time::from_millis(60));

    let frames = wire.flow.close(Way::Backward);
    wire.capture(&frames);
    assert_eq!(wire.log(), ["closed Finished, 0 open"]);
}

#[test]
fn names_from_alarms_and_rejects_as_answers() {
    let mut wire = Wire::to("10.0.0.2:2000");
    let alarm = Alarm { text: Text::new("32: Name=SEP9 Load=x Last=y"), ..Alarm::default() };
    wire.phone(&[station(alarm), station(Register::default())].concat());
    assert_eq!(
        wire.manager(&manager(RegisterReject { text: Text::new("no") })),
        ["manager RegisterReject “no” <- 4"]
    );
    assert_eq!(wire.finish(), ["closed EndOfCapture, 0 open"]);
}

#[test]
fn frames_in_single_bytes() {
    let mut wire = Wire::to("10.0.0.2:2000");
    let bytes = [station(TimeDateReq), station(LineStatReq { line_number: 3 })].concat();
    let lines: Vec<String> = bytes.iter().flat_map(|byte| wire.phone(&[*byte])).collect();
    assert_eq!(lines[1..], ["station TimeDateReq", "station LineStatReq line 3"]);
    assert_eq!(wire.finish(), ["closed EndOfCapture, 2 open"]);
}

#[test]
fn acks_find_their_orders() {
    let order = |party, call_reference| StartMediaTransmission {
        pass_through_party_id: party,
        call_reference,
        ..StartMediaTransmission::default()
    };
    let ack = |party, call_reference| {
        station(StartMediaTransmissionAck {
            pass_through_party_id: party,
            call_reference,
            ..StartMediaTransmissionAck::default()
        })
    };
    let mut wire = Wire::to("10.0.0.2:2000");
    for (party, call) in [(11, 1), (12, 2), (13, 3)] {
        wire.manager(&manager(order(party, call)));
    }
    assert!(wire.phone(&ack(13, 3))[0].ends_with("<- 6"));
    // A 6901 leaves the party out.
    assert!(wire.phone(&ack(0, 2))[0].ends_with("<- 5"));
    assert!(!wire.phone(&ack(12, 2))[0].contains("<-"), "answered already");

    // CallManager 4.1 knows only the party in this one.
    wire.manager(&manager(OpenReceiveChannel {
        pass_through_party_id: 5,
        call_reference: 9,
        ..Default::default()
    }));
    let ack = OpenReceiveChannelAck { pass_through_party_id: 5, ..OpenReceiveChannelAck::default() };
    assert!(wire.phone(&station(ack))[0].ends_with("<- 10"));
    assert_eq!(wire.finish(), ["closed EndOfCapture, 1 open"]);
}

#[test]
fn absurd_length_is_passed_over() {
    let mut wire = Wire::to("10.0.0.2:2000");
    wire.phone(&station(KeepAlive));
    assert_eq!(
        wire.phone(&[&[0xff; 20][..], &station(TimeDateReq), &station(KeepAlive)].concat()),
        [
            "station length 4294967295 exceeds 4096",
            "station 20 bytes passed over",
            "station TimeDateReq",
            "station KeepAlive"
        ]
    );
    let nonsense = raw(0xdead_beef, 0xdead_beef, &[0; 8]);
    assert_eq!(wire.phone(&nonsense), ["station no message header (id 0xdeadbeef)"]);
    assert_eq!(wire.phone(&station(OffHook::default())), ["station 20 bytes passed over", "station OffHook"]);
}

#[test]
fn unknown_id_is_a_message_in_step() {
    let mut wire = Wire::to("10.0.0.2:2000");
    let lines = wire.phone(&[raw(0, 0x4321, &[1, 2]), station(KeepAlive)].concat());
    assert_eq!(lines[1..], ["station Unknown 0x4321, 2 bytes", "station KeepAlive"]);
}

#[test]
fn loss_in_the_middle_of_a_message() {
    let mut wire = Wire::to("10.0.0.2:2000");
    let register = station(Register { device_name: Text::new("SEP1"), ..Register::default() });
    wire.phone(&register[..30]);
    wire.lose(Way::Forward, &register[30..40]);
    wire.phone(&register[40..]);
    // Now the manager acknowledges.
    assert_eq!(
        wire.manager(&manager(KeepAliveAck)),
        [
            "station a message breaks off after 30 bytes",
            "station 10 bytes were not captured",
            "manager KeepAliveAck"
        ]
    );
    let skipped = format!("station {} bytes passed over", register.len() - 40);
    assert_eq!(wire.phone(&station(TimeDateReq)), [skipped.as_str(), "station TimeDateReq"]);
}

#[test]
fn seen_from_the_middle() {
    let mut wire = Wire::silent("10.0.0.2:2000");
    assert_eq!(
        wire.manager(&[&[0x5a; 7][..], &manager(KeepAliveAck), &raw(20, 0x0115, &[])].concat()),
        [
            "station 10.0.0.1:40000",
            "manager the beginning was not captured",
            "manager 7 bytes passed over",
            "manager KeepAliveAck",
            "manager ClearNotify"
        ]
    );
    let frames = wire.flow.send(Way::Forward, &station(OffHook::default()));
    wire.capture(&frames);
    wire.tracker.poll_event();
    let Some(Event::Seen(seen)) = wire.tracker.poll_event() else { panic!("nothing seen") };
    assert_eq!(seen.version, 20, "from the other side's header");
}

#[test]
fn the_other_way_round_on_unknown_ports() {
    // Whoever opens, the directions of the messages tell who is the manager.
    let mut wire = Wire::to("10.0.0.2:5555");
    assert_eq!(wire.manager(&station(KeepAlive)), [""; 0]);
    assert_eq!(
        wire.phone(&manager(KeepAliveAck)),
        ["station 10.0.0.2:5555", "station KeepAlive", "manager KeepAliveAck <- 4"]
    );
}

#[test]
fn a_single_message_on_an_unknown_port() {
    let mut wire = Wire::to("10.0.0.2:5555");
    wire.phone(&station(Register::default()));
    let lines = wire.finish();
    assert_eq!((lines.len(), lines[0].as_str()), (3, "station 10.0.0.1:40000"));
}

#[test]
fn what_is_not_sccp_is_forgotten() {
    for (opening, answer) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &b"HTTP/1.1 200 OK\r\n\r\n"[..]),
        (&[0; 64], &[0; 64]),
        // Reads like messages whose directions contradict each other.
        (&station(TimeDateReq), &station(TimeDateReq)),
    ] {
        let mut wire = Wire::to("10.0.0.2:5555");
        assert_eq!(wire.phone(opening), [""; 0]);
        assert_eq!(wire.manager(answer), [""; 0]);
        assert_eq!(wire.finish(), [""; 0]);
    }
    let mut wire = Wire::to("10.0.0.2:80");
    wire.phone(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(wire.tracker.memory().conversations, 0);
    // On a manager's port it takes longer to give up.
    let mut wire = Wire::to("10.0.0.2:2000");
    let lines = wire.phone(&[0x77; 80_000]);
    assert_eq!(lines.last().map(String::as_str), Some("closed Foreign, 0 open"));
    assert_eq!(wire.phone(&station(KeepAlive)), [""; 0]);
    assert_eq!(wire.finish(), [""; 0]);
}

#[test]
fn unfinished_message_at_the_end() {
    let mut wire = Wire::to("10.0.0.2:2000");
    wire.phone(&station(TimeDateReq)[..5]);
    assert_eq!(wire.finish(), ["station a message breaks off after 5 bytes", "closed EndOfCapture, 0 open"]);
}

#[test]
fn requests_that_wait_are_bounded() {
    let mut wire = Wire::to("10.0.0.2:2000");
    for _ in 0..1_000 {
        wire.phone(&station(TimeDateReq));
    }
    assert_eq!(wire.finish(), ["closed EndOfCapture, 64 open"]);
}

proptest! {
    /// Whatever is said, on whatever port: no panic, and little is kept.
    #[test]
    fn nonsense_is_survived(
        port in prop::sample::select(vec![2000u16, 5555]),
        handshake in any::<bool>(),
        pieces in proptest::collection::vec(
            (any::<bool>(), any::<bool>(), prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..600),
                proptest::collection::vec(prop::sample::select(vec![0u8, 1, 4, 12, 0x80]), 0..600),
                // Headers of known messages with arbitrary bodies, cut anywhere.
                (prop::sample::select(MESSAGE_IDS), 0u32..23, proptest::collection::vec(any::<u8>(), 0..300), 0usize..400)
                    .prop_map(|(id, version, body, cut)| {
                        let mut frame = raw(version, id, &body);
                        frame.truncate(cut.max(1));
                        frame
                    }),
            ]),
            1..40,
        ),
    ) {
        let manager = format!("10.0.0.2:{port}");
        let mut wire = if handshake { Wire::to(&manager) } else { Wire::silent(&manager) };
        for (forward, lost, bytes) in pieces {
            let way = if forward { Way::Forward } else { Way::Backward };
            if lost {
                wire.lose(way, &bytes);
            } else {
                wire.say(way, &bytes);
            }
            prop_assert!(wire.tracker.memory().held < 64 * 1024);
        }
        wire.finish();
        prop_assert_eq!(wire.tracker.memory(), Memory { connections: 0, conversations: 0, held: 0 });
    }

    /// However frames are cut into segments, the same messages come out.
    #[test]
    fn segmentation_does_not_matter(
        ids in proptest::collection::vec((prop::sample::select(MESSAGE_IDS), 0usize..120), 1..20),
        cuts in proptest::collection::vec(1usize..200, 1..60),
    ) {
        let frames: Vec<Vec<u8>> = ids.iter().map(|&(id, length)| raw(0, id, &vec![0; length])).collect();
        let mut whole = Wire::to("10.0.0.2:2000");
        let expected: Vec<String> = frames.iter().flat_map(|frame| whole.phone(frame)).collect();
        let mut wire = Wire::to("10.0.0.2:2000");
        let bytes = frames.concat();
        let mut rest = &bytes[..];
        let mut got = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (head, tail) = rest.split_at((*cut).min(rest.len()));
            got.extend(wire.phone(head));
            rest = tail;
        }
        prop_assert_eq!(got, expected);
    }
}

/// Of both directions, short and long.
const MESSAGE_IDS: &[u32] =
    &[0x0000, 0x0001, 0x0003, 0x0010, 0x0022, 0x0081, 0x0097, 0x0100, 0x0108, 0x0112, 0x014a];
