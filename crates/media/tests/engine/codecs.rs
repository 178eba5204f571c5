//! Parties of different codecs with each other.

use selsius_media::coder::Encoder;
use selsius_media::engine::{Clip, Event, Format, Place, SourceId};
use selsius_media::tone::detect::Content;
use selsius_media::{Codec, Level, PayloadType, RtpHeader, RtpPacket, RtpTimestamp, SequenceNumber, Ssrc};

use crate::bench::{BRIDGE, Bench, format, hears, level, tone, tones};

const UNDERSTOOD: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];

#[test]
fn every_codec_reaches_every_other_one() {
    for (one, other) in UNDERSTOOD.into_iter().flat_map(|one| UNDERSTOOD.map(|other| (one, other))) {
        for (ours, theirs) in [(20, 20), (20, 30), (60, 10)] {
            let mut bench = Bench::new();
            bench.bridge(&[(format(one, ours), 440), (format(other, theirs), 1000)]);
            bench.run(1000);
            let heard = (bench.tones(0), bench.tones(1));
            assert_eq!(heard, (vec![1000], vec![440]), "{one} {ours} ms, {other} {theirs} ms");
            for (phone, codec) in [(0, one), (1, other)] {
                let Content::Single(peak) = bench.hears(phone) else { panic!("{one} {other}") };
                assert!((peak.level.as_dbm0() + 16.0).abs() < 1.0, "{one} {other}: {}", peak.level);
                assert_eq!(bench.phones[phone].stats.quality().lost, 0);
                let datagrams = &bench.phones[phone].datagrams;
                let kind = |datagram: &[u8]| RtpPacket::parse(datagram).unwrap().header.payload_type;
                assert!(datagrams.iter().all(|(_, datagram)| kind(datagram) == codec.payload_type()));
            }
        }
    }
}

#[test]
fn opus_reaches_every_codec() {
    for other in [Codec::Pcma, Codec::G722, Codec::Opus] {
        for (ours, theirs) in [(20, 20), (60, 10)] {
            let mut bench = Bench::new();
            let opus = bench.wide_phone(format(Codec::Opus, ours), 440);
            let phone = bench.wide_phone(format(other, theirs), 1000);
            for phone in [opus, phone] {
                bench.place(phone, Place::Bridge(BRIDGE));
            }
            bench.run(1000);
            let heard = level(&bench.phones[opus].heard, 1000.0, 16_000);
            let rate = other.sample_rate();
            let said = level(&bench.phones[phone].heard, 440.0, rate);
            let back = level(&bench.phones[phone].heard, 1000.0, rate);
            assert!((heard + 16.0).abs() < 2.0 && (said + 16.0).abs() < 2.0, "{other}: {heard} {said}");
            assert!(back < -45.0, "{other}: {back}");
            let quality = bench.phones[opus].stats.quality();
            assert!(quality.lost == 0 && quality.packets >= 900 / u64::from(ours), "{quality:?}");
            // By its clock, whatever is transcoded into it.
            let stamps: Vec<_> = bench.phones[opus]
                .datagrams
                .iter()
                .rev()
                .take(9)
                .map(|(_, datagram)| RtpPacket::parse(datagram).unwrap().header.timestamp.0)
                .collect();
            let steps = if other == Codec::Opus { theirs } else { ours };
            assert!(
                stamps.windows(2).all(|pair| pair[0].wrapping_sub(pair[1]) == steps * 48),
                "{other}: {stamps:?}"
            );
        }
    }
}

#[test]
fn what_is_relayed_stays_as_it_is() {
    let wide = format(Codec::G722, 20);
    let mut bench = Bench::new();
    bench.bridge(&[(wide, 440), (wide, 1000)]);
    bench.run(500);
    let mut encoder = Encoder::narrow(Codec::G722).unwrap();
    let mut tone = tone(440);
    for (_, datagram) in &bench.phones[1].datagrams {
        let (mut samples, mut payload) = ([0; 160], Vec::new());
        tone.fill(&mut samples);
        encoder.encode(&samples, &mut payload);
        assert_eq!(datagram[12..], payload);
    }
    assert!(bench.phones[1].datagrams.len() > 20);
}

#[test]
fn a_conference_of_all_codecs() {
    let mut bench = Bench::new();
    let tones = [440, 1000, 1700];
    let formats = UNDERSTOOD.map(|codec| format(codec, 20));
    bench.bridge(&[(formats[0], tones[0]), (formats[1], tones[1]), (formats[2], tones[2])]);
    // One who says nothing, and has the same packets as whoever else says nothing.
    let quiet = bench.phone(formats[2], 600);
    bench.phones[quiet].silent = true;
    bench.place(quiet, Place::Bridge(BRIDGE));
    bench.run(1500);
    let all: Vec<_> = (0..3).map(|phone| bench.tones(phone)).collect();
    assert_eq!(all, [[1000, 1700], [440, 1700], [440, 1000]]);
    bench.phones[0].silent = true;
    bench.run(700);
    assert_eq!((bench.tones(quiet), bench.tones(0)), (vec![1000, 1700], vec![1000, 1700]));
    // He speaks, is quiet and speaks again: what he hears goes on without a crack.
    let from = bench.phones[2].heard.len();
    bench.phones[2].silent = true;
    bench.phones[1].silent = true;
    bench.phones[0].silent = false;
    bench.run(1000);
    for talks in [true, false, true] {
        bench.phones[2].silent = !talks;
        bench.run(1000);
        assert_eq!(bench.tones(2), [440], "{talks}");
    }
    let peak = bench.phones[2].heard[from + 8000..].iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    let tone = Level::dbm0(-16.0).sine_peak();
    assert!(f64::from(peak) < tone * 1.15, "{peak}, of a tone of {tone}");
}

#[test]
fn a_call_becomes_a_conference_without_a_crack() {
    let wide = format(Codec::G722, 20);
    for joins in [wide, format(Codec::Pcmu, 20)] {
        let mut bench = Bench::new();
        bench.bridge(&[(wide, 440), (wide, 1000)]);
        bench.run(1000);
        let third = bench.phone(joins, 1700);
        bench.phones[third].silent = true;
        bench.place(third, Place::Bridge(BRIDGE));
        let from = bench.phones[0].heard.len();
        bench.run(1000);
        assert_eq!((bench.tones(0), bench.tones(third)), (vec![1000], vec![440, 1000]));
        let heard = &bench.phones[0].heard[from..];
        let peak = heard.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        let tone = Level::dbm0(-16.0).sine_peak();
        assert!(f64::from(peak) < tone * 1.15, "{peak}, of a tone of {tone}");
    }
}

/// What is above 4 kHz reaches those who can hear it, and comes back to nobody as something else.
#[test]
fn a_conference_of_wide_band_phones_has_their_whole_band() {
    let wide = format(Codec::G722, 20);
    let mut bench = Bench::new();
    let (high, low) = (bench.wide_phone(wide, 6000), bench.wide_phone(wide, 1000));
    let narrow = bench.phone(format(Codec::Pcma, 20), 440);
    let quiet = bench.wide_phone(wide, 300);
    bench.phones[quiet].silent = true;
    for phone in [high, low, narrow] {
        bench.place(phone, Place::Bridge(BRIDGE));
    }
    bench.run(1500);
    let heard = |bench: &Bench, phone: usize, frequency: f64| {
        let rate = if phone == narrow { 8000 } else { 16_000 };
        level(&bench.phones[phone].heard, frequency, rate)
    };
    for _ in 0..2 {
        // G.722 itself is 40 dB clean.
        for (phone, frequency, expected) in [
            (low, 6000.0, true),
            (low, 440.0, true),
            (low, 1000.0, false),
            (low, 2000.0, false),
            // The image of 440 Hz.
            (low, 7560.0, false),
            (high, 1000.0, true),
            (high, 440.0, true),
            (high, 6000.0, false),
            (narrow, 1000.0, true),
            // The alias of 6 kHz.
            (narrow, 2000.0, false),
            (narrow, 440.0, false),
        ] {
            let level = heard(&bench, phone, frequency);
            let is_there = (level + 16.0).abs() < 1.0;
            assert!(if expected { is_there } else { level < -50.0 }, "{phone} {frequency} Hz: {level}");
        }
        assert!(
            (bench.phones[narrow].stats.quality().lost, bench.phones[low].stats.quality().lost) == (0, 0)
        );
        // One more who says nothing, and hears what all say.
        bench.place(quiet, Place::Bridge(BRIDGE));
        bench.run(1000);
        let all = [440.0, 1000.0, 6000.0].map(|frequency| heard(&bench, quiet, frequency));
        assert!(all.iter().all(|level| (level + 16.0).abs() < 1.0), "{all:?}");
    }
    // A recording of one of them is narrow-band, of both sides.
    bench.engine.tap(bench.now, bench.phones[low].id, true).unwrap();
    bench.run(1000);
    let (said, others) = bench.taps[&bench.phones[low].id].clone();
    assert!((level(&said, 1000.0, 8000) + 16.0).abs() < 1.0);
    assert!((level(&others, 440.0, 8000) + 16.0).abs() < 1.0 && level(&others, 2000.0, 8000) < -50.0);
    bench.engine.tap(bench.now, bench.phones[low].id, false).unwrap();

    // Alone with those of the old band he is understood all the same.
    bench.place(high, Place::Nowhere);
    bench.place(quiet, Place::Nowhere);
    bench.run(1000);
    let levels = (heard(&bench, narrow, 1000.0), heard(&bench, low, 440.0), heard(&bench, low, 7560.0));
    assert!((levels.0 + 16.0).abs() < 1.0 && (levels.1 + 16.0).abs() < 1.0 && levels.2 < -50.0, "{levels:?}");
}

#[test]
fn music_and_prompts_are_heard_in_every_codec() {
    let mut samples = vec![0; 8000];
    tone(500).fill(&mut samples);
    let mut bench = Bench::new();
    bench.engine.set_source(SourceId(1), Clip::Loop(samples.clone().into())).unwrap();
    for codec in UNDERSTOOD {
        let phone = bench.phone(format(codec, 20), 440);
        bench.place(phone, Place::Source(SourceId(1)));
    }
    bench.run(1000);
    for phone in 0..3 {
        assert_eq!(bench.tones(phone), [500]);
    }
    // Prompts of each codec for each: 400 ms.
    for from in UNDERSTOOD {
        let mut codes = Vec::new();
        let mut prompt = [0; 3200];
        tone(900).fill(&mut prompt);
        Encoder::narrow(from).unwrap().encode(&prompt, &mut codes);
        bench.events.clear();
        for phone in 0..3 {
            let id = bench.phones[phone].id;
            bench.engine.play(bench.now, id, Clip::Encoded(from, codes.clone().into())).unwrap();
        }
        bench.run(380);
        assert_eq!(bench.events, []);
        for phone in 0..3 {
            assert_eq!(bench.tones(phone), [900], "{from}");
        }
        bench.run(60);
        let ends: Vec<_> = bench.phones[..3].iter().map(|phone| (phone.id, Event::ClipFinished)).collect();
        assert_eq!(bench.events, ends);
        bench.run(500);
        assert_eq!(bench.tones(2), [500], "and music again");
    }
}

#[test]
fn losses_and_disorder_are_survived_in_every_codec() {
    for codec in UNDERSTOOD {
        let mut bench = Bench::new();
        let other = if codec == Codec::Pcmu { Codec::Pcma } else { Codec::Pcmu };
        bench.bridge(&[(format(codec, 20), 440), (format(other, 20), 1000)]);
        // One of ten lost, one of ten behind its follower.
        bench.phones[0].network = |n| match n % 10 {
            3 => None,
            7 => Some(25),
            _ => Some(0),
        };
        bench.run(4000);
        assert_eq!(bench.tones(1), [440], "{codec}");
        let heard = &bench.phones[1].heard[8000..];
        let (peak, wanted) = (heard.iter().map(|s| s.unsigned_abs()).max().unwrap(), Level::dbm0(-16.0));
        assert!(f64::from(peak) < wanted.sine_peak() * 2.0, "{codec}: {peak}");
        for part in heard.chunks(800) {
            let level = Level::of(part).as_dbm0();
            assert!((level + 16.0).abs() < 2.0, "{codec}: {level}");
        }
    }
}

#[test]
fn comfort_noise_is_quiet_and_no_loss() {
    let mut bench = Bench::new();
    let (mu, wide) = (format(Codec::Pcmu, 20), format(Codec::G722, 20));
    bench.bridge(&[(mu, 440), (wide, 1000)]);
    let id = bench.phones[0].id;
    bench.engine.tap(bench.now, id, true).unwrap();
    bench.run(500);
    bench.phones[0].silent = true;
    let last = bench.engine.figures(bench.now, id).unwrap().received;
    let noise = RtpHeader {
        marker: false,
        payload_type: PayloadType::COMFORT_NOISE,
        sequence: SequenceNumber(100u16.wrapping_mul(77)).plus(last.packets as u16),
        timestamp: RtpTimestamp(100 * 9999).plus(last.packets as u32 * 160),
        ssrc: Ssrc(100),
    };
    let mut datagram = Vec::new();
    RtpPacket::new(noise, &[55]).write(&mut datagram);
    let address = bench.phones[0].address;
    bench.engine.receive(bench.now, id, address, &datagram);
    bench.run(2000);
    let (said, _) = &bench.taps[&id];
    let level = Level::of(&said[said.len() - 4000..]).as_dbm0();
    assert!((level + 48.8).abs() < 1.0, "as loud as was told: {level}");
    // Whoever is with him hears silence, as of everybody who does not speak.
    assert_eq!(bench.tones(1), []);
    let figures = bench.engine.figures(bench.now, id).unwrap();
    assert_eq!((figures.received.lost, figures.unexpected, figures.late), (0, 0, 0));
    assert_eq!(tones(hears(&bench.phones[0].heard)), [1000]);
}

#[test]
fn a_codec_may_be_called_by_another_number() {
    let mut bench = Bench::new();
    let wide = Format { payload_type: PayloadType::new(96).unwrap(), ..format(Codec::G722, 20) };
    bench.bridge(&[(format(Codec::Pcmu, 20), 440), (wide, 1000)]);
    let (id, address) = (bench.phones[1].id, bench.phones[1].address);
    let mut encoder = Encoder::narrow(Codec::G722).unwrap();
    let mut tone = tone(700);
    bench.phones[1].silent = true;
    for n in 0..50u16 {
        let (mut samples, mut payload, mut datagram) = ([0; 160], Vec::new(), Vec::new());
        tone.fill(&mut samples);
        encoder.encode(&samples, &mut payload);
        let header = RtpHeader {
            marker: n == 0,
            payload_type: wide.payload_type,
            sequence: SequenceNumber(n),
            timestamp: RtpTimestamp(u32::from(n) * 160),
            ssrc: Ssrc(5),
        };
        RtpPacket::new(header, &payload).write(&mut datagram);
        bench.engine.receive(bench.now, id, address, &datagram);
        bench.run(20);
    }
    assert_eq!(bench.tones(0), [700]);
    let (_, datagram) = bench.phones[1].datagrams.last().unwrap();
    assert_eq!(RtpPacket::parse(datagram).unwrap().header.payload_type, wide.payload_type);
}
