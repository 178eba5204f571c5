//! The engine with phones around it, on a virtual clock.

#![allow(clippy::unwrap_used, reason = "tests")]

mod attacks;
mod bench;
mod chance;
mod codecs;
mod hostile;
mod keys;
mod live;

use std::time::Duration;

use bench::{BRIDGE, Bench, format, hears, tone, tones};
use selsius_media::engine::{Clip, Event, Learning, OrderError, Output, Place, SourceId, Voice};
use selsius_media::rtcp::{self, NtpTime, ReportBlock, RtcpPacket, SenderInfo};
use selsius_media::rtp::Quality;
use selsius_media::tone::detect::{Content, DtmfDetector};
use selsius_media::{Codec, Digit, Law, Level, PayloadType, RtpPacket, RtpTimestamp, Ssrc, Time, Tone};

use Codec::{G729, Pcma, Pcmu};

const MU: selsius_media::engine::Format =
    selsius_media::engine::Format::new(Pcmu, selsius_media::PacketTime::DEFAULT);

#[test]
fn two_with_the_same_codec_are_relayed_as_they_are() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(1000);
    assert_eq!((bench.tones(0), bench.tones(1)), (vec![1000], vec![440]));
    for phone in &bench.phones {
        let Quality { packets, lost, ssrc_changes, .. } = phone.stats.quality();
        assert_eq!((packets, lost, ssrc_changes), (phone.datagrams.len() as u64, 0, 0));
        // At once: a millisecond is the bench's step.
        assert!(packets >= 49 && phone.stats.quality().max_jitter < Duration::from_millis(2));
    }
    // Bytes for bytes what the other one said.
    let mut said = vec![0; 160];
    let mut payload = Vec::new();
    tone(440).fill(&mut said);
    Law::Mu.encode(&said, &mut payload);
    assert_eq!(RtpPacket::parse(&bench.phones[1].datagrams[0].1).unwrap().payload, payload);
}

#[test]
fn relayed_packets_take_no_memory() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(200);
    let mut datagram = bench.phones[1].datagrams.last().unwrap().1.clone();
    let (one, from) = (bench.phones[0].id, bench.phones[0].address);
    let mut relay = |bench: &mut Bench, packets: u16| {
        for n in 0..packets {
            datagram[2..4].copy_from_slice(&n.to_be_bytes());
            bench.engine.receive(bench.now, one, from, &datagram);
            while let Some(output) = bench.engine.poll_output() {
                std::hint::black_box(output);
            }
        }
    };
    relay(&mut bench, 10);
    let before = bench.engine.counters().sent;
    let counted = allocation_counter::measure(|| relay(&mut bench, 300));
    assert_eq!(counted.count_total, 0);
    assert!(bench.engine.counters().sent - before > 250);
}

#[test]
fn who_hears_does_not_notice_that_the_other_side_has_changed() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(400);
    // A phone that begins anew; then another phone in its place; then a third one beside; then two again.
    bench.restart(0, 900);
    bench.run(400);
    bench.place(0, Place::Nowhere);
    let other = bench.phone(MU, 700);
    bench.place(other, Place::Bridge(BRIDGE));
    bench.run(400);
    assert_eq!(bench.tones(1), [700]);
    bench.place(0, Place::Bridge(BRIDGE));
    bench.run(500);
    assert_eq!(bench.tones(1), [440, 700]);
    bench.place(other, Place::Nowhere);
    bench.run(500);
    assert_eq!(bench.tones(1), [440]);
    let Quality { lost, ssrc_changes, restarts, duplicates, strays, max_jitter, .. } =
        bench.phones[1].stats.quality();
    assert_eq!((lost, ssrc_changes, restarts, duplicates, strays), (0, 0, 0, 0, 0));
    assert!(max_jitter < Duration::from_millis(12), "{max_jitter:?}");
}

#[test]
fn packets_of_another_length_are_cut_anew() {
    for (ours, theirs) in [(20, 30), (30, 20), (10, 60), (60, 10), (20, 40)] {
        let mut bench = Bench::new();
        bench.bridge(&[(format(Pcmu, ours), 440), (format(Pcmu, theirs), 1000)]);
        bench.run(1000);
        assert_eq!((bench.tones(0), bench.tones(1)), (vec![1000], vec![440]), "{ours} {theirs}");
        for (phone, millis) in [(0, ours), (1, theirs)] {
            let phone = &bench.phones[phone];
            let len = |(_, datagram): &(Time, Vec<u8>)| datagram.len() == 12 + millis as usize * 8;
            assert!(phone.datagrams.iter().all(len), "{ours} {theirs}");
            assert_eq!(phone.stats.quality().lost, 0);
        }
    }
}

#[test]
fn what_is_not_understood_is_passed_on_between_two_and_refused_among_more() {
    let mut bench = Bench::new();
    bench.bridge(&[(format(G729, 20), 440), (format(G729, 30), 1000)]);
    bench.run(500);
    assert!(bench.phones.iter().all(|phone| phone.stats.quality().packets > 12));
    let third = bench.phone(MU, 700);
    let id = bench.phones[third].id;
    assert_eq!(
        bench.engine.place(bench.now, id, Place::Bridge(BRIDGE)),
        Err(OrderError::NotUnderstood(G729))
    );
    // Nor can one of them be recorded.
    let one = bench.phones[0].id;
    assert_eq!(bench.engine.tap(bench.now, one, true), Err(OrderError::NotUnderstood(G729)));
    let before = bench.phones[1].datagrams.len();
    bench.run(500);
    assert!(bench.phones[1].datagrams.len() > before + 12, "the two go on");
    assert!(bench.phones[third].datagrams.is_empty());
}

#[test]
fn both_of_two_can_change_one_after_the_other() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(300);
    for codec in [G729, Pcma] {
        for phone in 0..2 {
            bench.change(phone, format(codec, 20));
            // Where it is already: nothing is interrupted.
            bench.place(phone, Place::Bridge(BRIDGE));
            bench.run(100);
        }
        let before = bench.phones[1].datagrams.len();
        bench.run(400);
        assert!(bench.phones[1].datagrams.len() >= before + 19, "{codec}");
    }
    assert_eq!((bench.tones(0), bench.tones(1)), (vec![1000], vec![440]));
    // Among three nobody can become one who is not understood.
    let third = bench.phone(MU, 1700);
    bench.place(third, Place::Bridge(BRIDGE));
    let id = bench.phones[0].id;
    let changed = bench.engine.set_format(bench.now, id, format(G729, 20));
    assert_eq!(changed, Err(OrderError::NotUnderstood(G729)));
    bench.run(600);
    assert_eq!(bench.tones(1), [440, 1700]);
}

#[test]
fn two_with_different_codecs_understand_each_other_and_each_others_keys() {
    let mut bench = Bench::new();
    bench.bridge(&[(format(Pcmu, 20), 440), (format(Pcma, 30), 1000)]);
    bench.run(1000);
    assert_eq!(bench.tones(0), [1000]);
    // The bench's phones play by payload type: both are static.
    assert_eq!(bench.tones(1), [440]);
    let packet = RtpPacket::parse(&bench.phones[1].datagrams[20].1).unwrap();
    assert_eq!((packet.header.payload_type, packet.payload.len()), (PayloadType::PCMA, 240));

    press(&mut bench, 0, Digit::Five);
    bench.run(300);
    assert_eq!(bench.events, [(bench.phones[0].id, Event::Digit(Digit::Five))]);
    let events = events_of(&bench, 1);
    assert!(events.iter().all(|&(digit, _)| digit == 5) && events.len() >= 5, "{events:?}");
    assert!(events.windows(2).all(|pair| pair[0].1 == pair[1].1), "one press: {events:?}");
    assert_eq!(bench.phones[1].stats.quality().lost, 0);
}

/// The phone presses a key, of which the first packets are lost.
fn press(bench: &mut Bench, phone: usize, digit: Digit) {
    let phone = &mut bench.phones[phone];
    let mut press = selsius_media::dtmf::Press::new(digit, 10, Duration::from_millis(80));
    let mut n = 0;
    loop {
        let mut datagram = Vec::new();
        if phone.sender.send_event(&mut press, PayloadType::TELEPHONE_EVENT, &mut datagram).is_none() {
            return;
        }
        n += 1;
        if n > 2 {
            bench.engine.receive(bench.now, phone.id, phone.address, &datagram);
        }
    }
}

/// Events that a phone got: their codes and timestamps.
fn events_of(bench: &Bench, phone: usize) -> Vec<(u8, RtpTimestamp)> {
    let packets =
        bench.phones[phone].datagrams.iter().map(|(_, datagram)| RtpPacket::parse(datagram).unwrap());
    let events = packets.filter(|packet| packet.header.payload_type == PayloadType::TELEPHONE_EVENT);
    events.map(|packet| (packet.payload[0], packet.header.timestamp)).collect()
}

#[test]
fn keys_pass_a_relay_and_are_told() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(400);
    press(&mut bench, 0, Digit::Pound);
    bench.run(400);
    press(&mut bench, 0, Digit::Pound);
    bench.run(20);
    bench.outputs();
    let id = bench.phones[0].id;
    assert_eq!(bench.events, [(id, Event::Digit(Digit::Pound)); 2]);
    let events = events_of(&bench, 1);
    assert_eq!(events.len(), 8, "{events:?}");
    assert_ne!(events[0].1, events[7].1);
}

#[test]
fn three_hear_the_others_and_not_themselves() {
    for millis in [[20, 20, 20], [10, 30, 60]] {
        let mut bench = Bench::new();
        let [a, b, c] = millis;
        bench.bridge(&[(format(Pcmu, a), 440), (format(Pcma, b), 1000), (format(Pcmu, c), 1700)]);
        bench.run(1500);
        let all: Vec<_> = (0..3).map(|phone| bench.tones(phone)).collect();
        assert_eq!(all, [[1000, 1700], [440, 1700], [440, 1000]], "{millis:?}");
        for phone in &bench.phones {
            assert_eq!(phone.stats.quality().lost, 0);
        }
        // One leaves: the other two are still there for each other, and nobody hears her.
        bench.place(2, Place::Nowhere);
        bench.run(500);
        assert_eq!((bench.tones(0), bench.tones(1), bench.tones(2)), (vec![1000], vec![440], vec![]));
    }
}

#[test]
fn who_is_muted_hears_and_is_not_heard() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000), (MU, 1700)]);
    bench.engine.set_voice(bench.phones[0].id, Voice::Muted).unwrap();
    bench.run(1000);
    assert_eq!((bench.tones(0), bench.tones(1)), (vec![1000, 1700], vec![1700]));
    bench.place(2, Place::Nowhere);
    bench.run(500);
    assert_eq!((bench.tones(0), bench.tones(1)), (vec![1000], vec![]));
    bench.engine.set_voice(bench.phones[0].id, Voice::Heard).unwrap();
    bench.run(500);
    assert_eq!(bench.tones(1), [440]);
    assert_eq!(bench.phones[1].stats.quality().lost, 0, "silence is no loss");
}

#[test]
fn those_who_say_nothing_all_get_the_same_bytes() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000), (format(Pcma, 20), 700), (MU, 900)]);
    for quiet in 1..4 {
        bench.phones[quiet].silent = true;
    }
    bench.run(1000);
    let payloads = |phone: usize| {
        let datagrams = bench.phones[phone].datagrams.iter();
        datagrams.map(|(_, datagram)| datagram[12..].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(payloads(1), payloads(3));
    assert_eq!((bench.tones(1), bench.tones(2), bench.tones(0)), (vec![440], vec![440], vec![]));
    // One of them speaks up, and is quiet again: neither hears a gap.
    bench.phones[3].silent = false;
    bench.run(700);
    assert_eq!((bench.tones(1), bench.tones(3)), (vec![440, 900], vec![440]));
    bench.phones[3].silent = true;
    bench.run(700);
    assert_eq!(bench.tones(3), [440]);
    assert!(bench.phones.iter().all(|phone| phone.stats.quality().lost == 0));
}

#[test]
fn the_talker_is_named() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000), (MU, 700)]);
    for phone in &mut bench.phones {
        phone.silent = true;
    }
    bench.run(300);
    let mut speak = |phone: usize| {
        bench.phones[phone].silent = false;
        bench.run(500);
        bench.phones[phone].silent = true;
        bench.run(1000);
        (bench.phones[phone].id, std::mem::take(&mut bench.talkers))
    };
    for phone in [1, 2, 1] {
        let (id, talkers) = speak(phone);
        assert_eq!(talkers, [Some(id), None]);
    }
}

#[test]
fn talkers_who_interrupt_each_other_are_named_no_faster_than_one_can_read() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000), (MU, 700)]);
    for turn in 0..50 {
        for (at, phone) in bench.phones.iter_mut().enumerate() {
            phone.silent = at != turn % 2;
        }
        bench.run(100);
    }
    let named = bench.talkers.len();
    assert!((3..=10).contains(&named) && !bench.talkers.contains(&None), "{named} in five seconds");
}

#[test]
fn what_is_played_takes_the_place_of_the_others_and_tells_its_end() {
    for members in [2, 3] {
        let mut bench = Bench::new();
        bench.bridge(&[(MU, 440), (MU, 1000), (MU, 1700)][..members]);
        bench.run(500);
        let mut samples = vec![0; 6000];
        tone(620).fill(&mut samples);
        let id = bench.phones[0].id;
        bench.engine.play(bench.now, id, Clip::Pcm(samples.into())).unwrap();
        bench.run(600);
        assert_eq!(bench.tones(0), [620]);
        assert!(bench.tones(1).contains(&440), "the others go on");
        bench.run(600);
        assert_eq!(bench.events, [(id, Event::ClipFinished)]);
        assert_eq!(bench.tones(0).len(), members - 1);
        assert_eq!(bench.phones[0].stats.quality().lost, 0);
    }
}

#[test]
fn a_clip_that_is_encoded_goes_out_as_it_is() {
    let mut bench = Bench::new();
    let phone = bench.phone(format(G729, 30), 440);
    let id = bench.phones[phone].id;
    let clip: Vec<u8> = (0..100).collect();
    bench.engine.play(bench.now, id, Clip::Encoded(G729, clip.clone().into())).unwrap();
    bench.run(300);
    let sent: Vec<_> =
        bench.phones[phone].datagrams.iter().flat_map(|(_, datagram)| datagram[12..].to_vec()).collect();
    assert_eq!(sent, clip[..90], "the last third of a packet is left out");
    assert_eq!(bench.events, [(id, Event::ClipFinished)]);
    assert_eq!(
        bench.engine.play(bench.now, id, Clip::Pcm([0; 9].into())),
        Err(OrderError::NotUnderstood(G729))
    );
}

#[test]
fn digits_are_pressed_one_after_the_other() {
    for members in [1, 2, 3] {
        let mut bench = Bench::new();
        bench.bridge(&[(MU, 440), (MU, 1000), (MU, 1700)][..members]);
        bench.run(300);
        let id = bench.phones[0].id;
        for digit in [Digit::One, Digit::One, Digit::Star] {
            bench.engine.send_digit(bench.now, id, digit, Duration::from_millis(60)).unwrap();
        }
        bench.run(700);
        let mut events = events_of(&bench, 0);
        assert!(events.len() >= 15);
        events.dedup();
        assert_eq!(events.iter().map(|&(code, _)| code).collect::<Vec<_>>(), [1, 1, 10], "{members}");
        assert_eq!(bench.phones[0].stats.quality().lost, 0);
    }
    let mut bench = Bench::new();
    let format = selsius_media::engine::Format { events: None, ..MU };
    let phone = bench.phone(format, 440);
    let id = bench.phones[phone].id;
    bench.engine.play(bench.now, id, Clip::Tone(Tone::digit(Digit::One, 100))).unwrap();
    bench.run(300);
    let keys = DtmfDetector::new().push(&bench.phones[phone].heard).len();
    assert_eq!(keys, 1);
}

#[test]
fn music_is_the_same_for_all_who_hear_it() {
    let mut bench = Bench::new();
    let music = SourceId(4);
    let mut samples = vec![0; 8000];
    tone(500).fill(&mut samples);
    bench.engine.set_source(music, Clip::Loop(samples.into())).unwrap();
    let phones: Vec<_> = (0..3).map(|_| bench.phone(MU, 440)).collect();
    let other = bench.phone(format(Pcma, 30), 440);
    bench.place(phones[0], Place::Source(music));
    bench.run(300);
    for &phone in &phones[1..] {
        bench.place(phone, Place::Source(music));
    }
    bench.place(other, Place::Source(music));
    bench.run(1500);
    for phone in 0..4 {
        assert_eq!(bench.tones(phone), [500], "{phone}");
        assert_eq!(bench.phones[phone].stats.quality().lost, 0);
    }
    let last = |phone: usize| bench.phones[phone].datagrams.last().unwrap().1[12..].to_vec();
    assert!(last(0) == last(1) && last(1) == last(2));
    // Back to a call, and nothing of the music is left.
    bench.place(phones[0], Place::Bridge(BRIDGE));
    bench.place(phones[1], Place::Bridge(BRIDGE));
    bench.engine.remove_source(bench.now, music);
    bench.run(500);
    assert_eq!((bench.tones(0), bench.tones(1), bench.tones(2)), (vec![440], vec![440], vec![]));
    assert_eq!(
        bench.engine.place(bench.now, bench.phones[2].id, Place::Source(music)),
        Err(OrderError::NoSource)
    );
}

#[test]
fn an_echo_comes_back() {
    let mut bench = Bench::new();
    let phone = bench.phone(MU, 440);
    bench.place(phone, Place::Echo);
    bench.run(500);
    assert_eq!(bench.tones(phone), [440]);
}

#[test]
fn a_tap_has_both_sides_in_step() {
    for members in [1, 2, 3] {
        let mut bench = Bench::new();
        bench.bridge(&[(MU, 440), (MU, 1000), (MU, 1700)][..members]);
        let id = bench.phones[0].id;
        bench.engine.tap(bench.now, id, true).unwrap();
        bench.run(1000);
        let (said, heard) = &bench.taps[&id];
        assert_eq!(said.len(), heard.len());
        assert!((7600..=8160).contains(&said.len()), "{}", said.len());
        assert_eq!(tones(hears(said)), [440]);
        assert_eq!(tones(hears(heard)), [vec![], vec![1000], vec![1000, 1700]][members - 1]);
        bench.engine.tap(bench.now, id, false).unwrap();
        let before = said.len();
        bench.run(200);
        assert_eq!(bench.taps[&id].0.len(), before);
        assert_eq!(bench.tones(0).len(), members - 1);
    }
}

#[test]
fn what_is_recorded_is_aligned_and_all_hear_the_warning() {
    let beep = 1400;
    for members in [2, 3] {
        let mut bench = Bench::new();
        bench.bridge(&[(MU, 440), (MU, 1000), (MU, 700)][..members]);
        let (id, now) = (bench.phones[0].id, bench.now);
        bench.engine.tap(now, id, true).unwrap();
        bench.phones.iter_mut().for_each(|phone| phone.silent = true);
        bench.run(2000);
        // Both begin to speak within the same 20 ms, and that is where they are in what is recorded.
        bench.phones[..2].iter_mut().for_each(|phone| phone.silent = false);
        bench.run(1000);
        let (said, heard) = &bench.taps[&id];
        assert_eq!(said.len(), heard.len());
        let begins = |side: &[i16]| side.iter().position(|sample| sample.unsigned_abs() > 500).unwrap();
        let (one, other) = (begins(said), begins(heard));
        assert!(one.abs_diff(other) <= 160, "{one} {other}");
        assert_eq!((tones(hears(said)), tones(hears(heard))), (vec![440], vec![1000]));

        // The warning is beside what is said: the third phone, which says nothing, hears it alone.
        bench.phones[1].silent = true;
        bench.engine.set_warning(id, Some(Tone::recorder_warning(2))).unwrap();
        bench.run(400);
        let quiet: Vec<_> = (2..members).map(|phone| bench.tones(phone)).collect();
        assert_eq!((bench.tones(0), bench.tones(1)), (vec![beep], vec![440, beep]));
        assert!(quiet.iter().all(|heard| *heard == [440, beep]), "{quiet:?}");
        let (said, heard) = &bench.taps[&id];
        assert_eq!((tones(hears(said)), tones(hears(heard))), (vec![440], vec![beep]));
        bench.run(600);
        assert_eq!((bench.tones(0), bench.tones(1)), (vec![], vec![440]), "half a second of it");
        bench.run(1400);
        assert_eq!(bench.tones(0), [beep], "every other second");
        bench.engine.set_warning(id, None).unwrap();
        bench.run(400);
        assert_eq!(bench.tones(0), []);
        bench.engine.tap(bench.now, id, false).unwrap();
        bench.engine.set_warning(id, Some(Tone::recorder_warning(0))).unwrap();
        bench.phones[1].silent = false;
        bench.run(500);
        let last = if members == 2 { vec![1000] } else { vec![1000, beep] };
        assert_eq!(bench.tones(0), last, "relayed packets are as they are");
    }
}

#[test]
fn reports_go_both_ways_and_become_figures() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.phones[0].network = |n| (n % 20 != 3).then_some(0);
    bench.run(9000);
    let (id, address) = (bench.phones[0].id, bench.phones[0].address);
    let report = bench.phones[0].reports.last().expect("reports go out");
    let packets = rtcp::parse(report).unwrap();
    let [RtcpPacket::SenderReport { ssrc, info, reports, .. }, RtcpPacket::SourceDescription(_)] =
        &packets[..]
    else {
        panic!("{packets:?}")
    };
    assert!(info.packets > 100 && info.octets == info.packets * 160);
    assert!((10..=15).contains(&reports[0].fraction_lost), "one in twenty: {reports:?}");
    assert_eq!(reports[0].ssrc, Ssrc(100));

    // The phone answers 40 ms after it got the report, which was 30 ms under way, as long as the answer.
    bench.run(100);
    let wall = NtpTime(0x1234_5678_0000_0000 + ((bench.now.as_micros() << 32) / 1_000_000));
    let block = ReportBlock {
        ssrc: *ssrc,
        fraction_lost: 5,
        cumulative_lost: 9,
        extended_highest: 0,
        jitter: 80,
        last_sender_report: wall.middle() - 100 * 65_536 / 1000,
        delay_since_last_report: 40 * 65_536 / 1000,
    };
    let info = SenderInfo { ntp: NtpTime(77 << 32), timestamp: RtpTimestamp(5), packets: 3, octets: 3 };
    let mut answer = Vec::new();
    let report = RtcpPacket::SenderReport { ssrc: Ssrc(100), info, reports: vec![block], extension: vec![] };
    rtcp::write(&[report], &mut answer).unwrap();
    let from = (address.ip(), address.port() + 1).into();
    bench.engine.receive_control(bench.now, id, from, &answer);
    let figures = bench.engine.figures(bench.now, id).unwrap();
    let millis = figures.round_trip.unwrap().as_millis();
    assert!((58..=61).contains(&millis), "{millis}");
    assert_eq!(figures.jitter_there, Some(Duration::from_millis(10)));
    let loss = figures.loss_there.unwrap();
    assert!((0.015..0.025).contains(&loss), "{loss}");
    assert!((0.04..0.06).contains(&figures.received.loss_ratio()));
    // 5 % lost: R is about 93.2 - 15.8 - delay.
    let score = figures.score.unwrap().score();
    assert!((3.6..4.1).contains(&score), "{score}");
    assert!(figures.score_there.unwrap() > figures.score.unwrap());
    // And the next report of ours refers to his.
    bench.phones[0].reports.clear();
    bench.run(9000);
    let packets = rtcp::parse(&bench.phones[0].reports[0]).unwrap();
    let RtcpPacket::SenderReport { reports, .. } = &packets[0] else { panic!("{packets:?}") };
    assert_eq!(reports[0].last_sender_report, NtpTime(77 << 32).middle());

    let closed = bench.engine.close(bench.now, id).unwrap();
    assert!(closed.sent_packets > 800 && closed.lasted == bench.now.since(Time::ZERO));
    assert_eq!(bench.engine.close(bench.now, id), None);
    assert_eq!((bench.engine.parties(), bench.engine.bridges()), (1, 1));
}

#[test]
fn a_party_that_has_moved_is_heard_from_its_new_place_alone() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(300);
    let id = bench.phones[0].id;
    let old = bench.phones[0].address;
    let new = "198.51.100.1:9000".parse().unwrap();
    bench.engine.set_remote(bench.now, id, Some(new), Learning::SameHost).unwrap();
    bench.phones[0].address = new;
    bench.run(300);
    let stray = bench.phones[1].datagrams[3].1.clone();
    bench.engine.receive(bench.now, id, old, &stray);
    assert_eq!(bench.engine.figures(bench.now, id).unwrap().strangers, 1);
    assert_eq!((bench.tones(0), bench.tones(1)), (vec![1000], vec![440]));
    assert_eq!(bench.engine.poll_output(), None::<Output<'_>>);
    assert!(matches!(bench.hears(0), Content::Single(peak) if peak.level > Level::dbm0(-17.0)));
}
