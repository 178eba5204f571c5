//! Speech through our coders and through FFmpeg's, in all pairings.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside of any test function"
)]

mod speech;

use std::time::Duration;

use selsius_media::coder::{Decoder, Encoder};
use selsius_media::jitter::{Delay, FRAME};
use selsius_media::{
    Codec, Level, PlayoutBuffer, RtpHeader, RtpPacket, RtpTimestamp, SequenceNumber, Ssrc, Time,
};
use speech::{ffmpeg, pcm, samples, speech};

/// Names for FFmpeg, and how much like the original speech has to be after it (segmental signal to noise ratio in dB). All
/// have a little more.
const TABLE: [(Codec, &str, &str, f64); 3] = [
    (Codec::Pcmu, "pcm_mulaw", "mulaw", 35.0),
    (Codec::Pcma, "pcm_alaw", "alaw", 35.0),
    (Codec::G722, "g722", "g722", 27.0),
];

fn encode(mut encoder: Encoder, samples: &[i16], packet: usize) -> Vec<u8> {
    let mut payloads = Vec::new();
    samples.chunks(packet).for_each(|packet| encoder.encode(packet, &mut payloads));
    payloads
}

fn decode(mut decoder: Decoder, payloads: &[u8]) -> Vec<i16> {
    let mut heard = Vec::new();
    payloads.chunks(160).for_each(|payload| decoder.decode(payload, &mut heard));
    heard
}

/// How much like the original it is: the mean over the frames of 20 ms in which something is said, in dB, at the delay that fits
/// best.
fn likeness(original: &[i16], heard: &[i16]) -> f64 {
    assert!(heard.len().abs_diff(original.len()) < 400, "{} {}", heard.len(), original.len());
    let off = |(&a, &b): (&i16, &i16)| (f64::from(a) - f64::from(b)).powi(2);
    let noise = |original: &[i16], heard: &[i16]| original.iter().zip(heard).map(off).sum::<f64>();
    let second = original.len() / 3..original.len() / 3 + 8000;
    let fits = |&delay: &usize| noise(&original[second.clone()], &heard[second.start + delay..]);
    let delay = (0..80).min_by(|a, b| fits(a).total_cmp(&fits(b))).unwrap();

    let frames = original.chunks_exact(160).zip(heard[delay..].chunks_exact(160)).skip(10);
    let spoken = frames.filter(|(original, _)| Level::of(original) > Level::dbm0(-30.0));
    let ratios: Vec<f64> = spoken
        .map(|(original, heard)| {
            let signal: f64 = original.iter().map(|&sample| f64::from(sample).powi(2)).sum();
            (10.0 * (signal / noise(original, heard).max(1.0)).log10()).clamp(-10.0, 80.0)
        })
        .collect();
    assert!(ratios.len() > 100, "somebody speaks: {}", ratios.len());
    ratios.iter().sum::<f64>() / ratios.len() as f64
}

#[test]
fn all_pairings_of_our_coders_and_those_of_ffmpeg() {
    for (codec, name, container, least) in TABLE {
        let rate = codec.sample_rate();
        let Some(said) = speech(&format!("said-{name}"), rate) else { return };
        let (rate_name, packet) = (rate.to_string(), rate as usize / 50);
        let raw = ["-f", "s16le", "-ar", &rate_name, "-ac", "1"];
        let coded: [&str; 6] = ["-f", container, "-ar", &rate_name, "-ac", "1"];
        let from: &[&str] = if codec == Codec::G722 { &coded[..2] } else { &coded };
        let file = |what: &str| format!("{what}-{name}");

        let ours = encode(Encoder::new(codec).unwrap(), &said, packet);
        let theirs = ffmpeg(&file("pcm"), &pcm(&said), &raw, &["-c:a", name, "-f", container]);
        assert_eq!(ours.len(), theirs.len());
        let mut heard = Vec::new();
        for (by, payloads) in [("us", &ours), ("FFmpeg", &theirs)] {
            let by_us = decode(Decoder::new(codec).unwrap(), payloads);
            let by_them = samples(&ffmpeg(&file(by), payloads, from, &["-f", "s16le"]));
            // Ours begins with another step size, which it has forgotten soon.
            let settled = rate as usize / 2;
            assert!(by_us[settled..] == by_them[settled..], "{codec} coded by {by} is the same for both");
            for (of, heard_by) in [("us", by_us), ("FFmpeg", by_them)] {
                let likeness = likeness(&said, &heard_by);
                eprintln!("{codec} coded by {by}, decoded by {of}: {likeness:.1} dB");
                assert!(likeness > least, "{codec} coded by {by}, decoded by {of}: {likeness:.1} dB");
                heard.push(likeness);
            }
        }
        let (best, worst) = heard.iter().fold((f64::MIN, f64::MAX), |(a, b), &c| (a.max(c), b.min(c)));
        assert!(best - worst < 0.5, "{codec}: we are as good as they are: {heard:?}");
    }
}

/// The narrow-band side of G.722: what a call of G.711 hears of one, and says to it.
#[test]
fn wide_band_meets_narrow_band() {
    let Some(said) = speech("said-narrow", 8000) else { return };
    let ours = encode(Encoder::narrow(Codec::G722).unwrap(), &said, 160);
    let to_8 = ["-ar", "8000", "-f", "s16le"];
    let by_them = samples(&ffmpeg("narrow-g722", &ours, &["-f", "g722"], &to_8));
    let by_us = decode(Decoder::narrow(Codec::G722).unwrap(), &ours);
    for (of, heard) in [("FFmpeg", by_them), ("us", by_us)] {
        let likeness = band_likeness("fine-narrow", &said, &heard);
        eprintln!("from 8 to 16 kHz by us, decoded by {of}: {likeness:.1} dB");
        assert!(likeness > 30.0, "{of}: {likeness:.1} dB");
    }

    let said = speech("said-wide", 16_000).unwrap();
    let raw = ["-f", "s16le", "-ar", "16000", "-ac", "1"];
    let narrow = samples(&ffmpeg("wide-pcm", &pcm(&said), &raw, &to_8));
    let theirs = ffmpeg("wide-pcm", &pcm(&said), &raw, &["-c:a", "g722", "-f", "g722"]);
    let heard = decode(Decoder::narrow(Codec::G722).unwrap(), &theirs);
    let likeness = band_likeness("fine-wide", &narrow, &heard);
    eprintln!("from 16 to 8 kHz by us, coded by FFmpeg: {likeness:.1} dB");
    assert!(likeness > 26.0, "{likeness:.1} dB");
}

/// The same for sound whose delay is no whole number of samples.
fn band_likeness(name: &str, original: &[i16], heard: &[i16]) -> f64 {
    let raw = ["-f", "s16le", "-ar", "8000", "-ac", "1"];
    let fine = samples(&ffmpeg(name, &pcm(heard), &raw, &["-ar", "64000", "-f", "s16le"]));
    let shifted = |shift: usize| fine[shift..].iter().copied().step_by(8).collect::<Vec<_>>();
    (0..8).map(|shift| likeness(original, &shifted(shift))).fold(f64::MIN, f64::max)
}

/// Every 20th packet is lost. Where it was, sound is made up; a decoder that remembers needs some more packets to find back.
#[test]
fn lost_packets_cost_little_besides_themselves() {
    let Some(said) = speech("said-lost", 8000) else { return };
    for (codec, least) in [(Codec::Pcmu, [2.0, 90.0, 90.0]), (Codec::G722, [2.0, 8.0, 13.0])] {
        let payloads = encode(Encoder::narrow(codec).unwrap(), &said, 160);
        let (mut whole, mut gaps) = (Vec::new(), Vec::new());
        for (lost, heard) in [(false, &mut whole), (true, &mut gaps)] {
            let mut playout = PlayoutBuffer::new(Delay::Fixed(Duration::from_millis(20)));
            for (n, payload) in payloads.chunks(160).enumerate() {
                let now = Time::from_millis(n as u64 * 20);
                let header = RtpHeader {
                    marker: false,
                    payload_type: codec.payload_type(),
                    sequence: SequenceNumber(n as u16),
                    timestamp: RtpTimestamp(n as u32 * 160),
                    ssrc: Ssrc(1),
                };
                if !lost || n % 20 != 13 {
                    playout.push(now, &RtpPacket::new(header, payload));
                }
                let mut frame = [0; FRAME];
                playout.pull(now + Duration::from_millis(10), &mut frame);
                heard.push(frame);
            }
        }
        // By how long ago the loss was: how much softer the error is than the sound.
        let error = |since: usize| {
            let (mut signal, mut noise) = (0.0, 0.0);
            for n in (20 + 14 + since..whole.len()).step_by(20) {
                for (&a, &b) in whole[n].iter().zip(&gaps[n]) {
                    signal += f64::from(a).powi(2);
                    noise += (f64::from(a) - f64::from(b)).powi(2);
                }
            }
            10.0 * (signal / f64::max(noise, 1.0)).log10()
        };
        let errors = [0, 2, 5].map(error);
        eprintln!("{codec}: {errors:.1?} dB at the loss, 40 ms and 100 ms later");
        assert!(errors.iter().zip(least).all(|(&error, least)| error > least), "{codec}: {errors:?}");
    }
}

/// The measure would find what people get wrong.
#[test]
fn wrong_coders_are_told_from_right_ones() {
    let Some(said) = speech("said-wrong", 16_000) else { return };
    let payloads = encode(Encoder::new(Codec::G722).unwrap(), &said, 320);
    let heard = |payloads: &[u8]| decode(Decoder::new(Codec::G722).unwrap(), payloads);
    let change = |change: fn(u8) -> u8| heard(&payloads.iter().map(|&code| change(code)).collect::<Vec<_>>());
    let wrong = [
        ("bits from the other end", change(u8::reverse_bits)),
        ("bands in each other's place", change(|code| code.rotate_left(2))),
        ("half as loud", heard(&payloads).iter().map(|sample| sample / 2).collect()),
        (
            "3 dB louder",
            heard(&payloads).iter().map(|&sample| sample.saturating_add(sample / 5 * 2)).collect(),
        ),
        ("without memory", payloads.chunks(160).flat_map(heard).collect()),
    ];
    for (fault, heard) in wrong {
        let likeness = likeness(&said, &heard);
        eprintln!("{fault}: {likeness:.1} dB");
        assert!(likeness < 12.0, "{fault}: {likeness:.1} dB");
    }
    let narrow = speech("said-law", 8000).unwrap();
    let payloads = encode(Encoder::new(Codec::Pcmu).unwrap(), &narrow, 160);
    let likeness = likeness(&narrow, &decode(Decoder::new(Codec::Pcma).unwrap(), &payloads));
    assert!(likeness < 12.0, "the other law: {likeness:.1} dB");
}
