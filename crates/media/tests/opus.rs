//! Opus beside libopus, which FFmpeg brings: speech through both in all pairings, and what becomes of lost packets.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    reason = "helpers of tests, outside of any test function"
)]

mod speech;

use std::io::Cursor;
use std::time::Duration;

use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
use selsius_media::coder::{Decoder, Encoder};
use selsius_media::jitter::Delay;
use selsius_media::{
    Band, Codec, Level, PlayoutBuffer, RtpHeader, RtpPacket, RtpTimestamp, SequenceNumber, Ssrc, Time,
};
use speech::{ffmpeg, pcm, samples, speech};

/// Samples of 20 ms at 16 kHz.
const PACKET: usize = 320;

/// Packets as a file that FFmpeg reads (RFC 7845).
fn to_ogg(packets: &[Vec<u8>], packet_ms: u64) -> Vec<u8> {
    let mut writer = PacketWriter::new(Cursor::new(Vec::new()));
    let mut head = b"OpusHead\x01\x01".to_vec();
    // Nothing to skip, 16 kHz before it was coded, as loud as it is.
    head.extend([0, 0]);
    head.extend(16_000u32.to_le_bytes());
    head.extend([0, 0, 0]);
    writer.write_packet(head, 1, PacketWriteEndInfo::EndPage, 0).unwrap();
    writer.write_packet(b"OpusTags\0\0\0\0\0\0\0\0".to_vec(), 1, PacketWriteEndInfo::EndPage, 0).unwrap();
    for (n, packet) in packets.iter().enumerate() {
        let last = n + 1 == packets.len();
        let end = if last { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::EndPage };
        writer.write_packet(packet.clone(), 1, end, (n as u64 + 1) * packet_ms * 48).unwrap();
    }
    writer.into_inner().into_inner()
}

fn from_ogg(file: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = PacketReader::new(Cursor::new(file));
    let packets = std::iter::from_fn(|| reader.read_packet().unwrap()).map(|packet| packet.data);
    packets.skip(2).collect()
}

/// By libopus, not by FFmpeg's own decoder.
fn decoded_by_them(name: &str, packets: &[Vec<u8>], packet_ms: u64) -> Vec<i16> {
    let file = to_ogg(packets, packet_ms);
    samples(&ffmpeg(name, &file, &["-c:a", "libopus"], &["-ar", "16000", "-ac", "1", "-f", "s16le"]))
}

fn decoded_by_us(band: Band, packets: &[Vec<u8>]) -> Vec<i16> {
    let decoder = if band == Band::Wide { Decoder::new(Codec::Opus) } else { Decoder::narrow(Codec::Opus) };
    let (mut decoder, mut heard) = (decoder.unwrap(), Vec::new());
    for packet in packets {
        let (before, len) = (heard.len(), decoder.samples(packet));
        decoder.decode(packet, &mut heard);
        assert_eq!(heard.len() - before, len);
    }
    heard
}

fn coded_by_us(said: &[i16], packet: usize) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(Codec::Opus).unwrap();
    let packets = said.chunks_exact(packet).map(|samples| {
        let mut payload = Vec::new();
        encoder.encode(samples, &mut payload);
        assert!(!payload.is_empty());
        payload
    });
    packets.collect()
}

/// The mean signal to noise ratio of 20 ms pieces in which something is said, in dB, and the correlation of the whole, at the
/// delay that fits best.
fn likeness(original: &[i16], heard: &[i16]) -> (f64, f64) {
    let part = original.len() / 3..original.len() / 3 + 16_000;
    let product = |delay: usize| {
        let pairs = original[part.clone()].iter().zip(&heard[part.start + delay..]);
        pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>()
    };
    let delay = (0..400).max_by(|&a, &b| product(a).total_cmp(&product(b))).unwrap();
    let (mut dot, mut ours, mut theirs) = (0.0, 0.0, 0.0);
    let mut ratios = Vec::new();
    for (original, heard) in original.chunks_exact(PACKET).zip(heard[delay..].chunks_exact(PACKET)).skip(25) {
        let mut noise = 0.0;
        let mut signal = 0.0;
        for (&a, &b) in original.iter().zip(heard) {
            let (a, b) = (f64::from(a), f64::from(b));
            (dot, ours, theirs) = (dot + a * b, ours + a * a, theirs + b * b);
            (noise, signal) = (noise + (a - b).powi(2), signal + a * a);
        }
        if Level::of(original) > Level::dbm0(-30.0) {
            ratios.push((10.0 * (signal / f64::max(noise, 1.0)).log10()).clamp(-10.0, 80.0));
        }
    }
    assert!(ratios.len() > 100);
    (ratios.iter().sum::<f64>() / ratios.len() as f64, dot / (ours * theirs).sqrt())
}

/// The same for sound whose delay is no whole number of samples: libopus gives 48 kHz, and FFmpeg makes 16 of it.
fn finely(name: &str, original: &[i16], heard: &[i16]) -> (f64, f64) {
    let raw = ["-f", "s16le", "-ar", "16000", "-ac", "1"];
    let fine = samples(&ffmpeg(name, &pcm(heard), &raw, &["-ar", "128000", "-f", "s16le"]));
    let shifted = |shift: usize| fine[shift..].iter().copied().step_by(8).collect::<Vec<_>>();
    // Ours may be the earlier or the later one.
    let original = &original[8..];
    (0..8)
        .map(|shift| likeness(original, &shifted(shift)))
        .fold((f64::MIN, 0.0), |a, b| if a.0 > b.0 { a } else { b })
}

#[test]
fn all_pairings_with_libopus() {
    let Some(said) = speech("said-opus", 16_000) else { return };
    let raw = ["-f", "s16le", "-ar", "16000", "-ac", "1"];
    for packet_ms in [10, 20, 60] {
        let packet = packet_ms as usize * 16;
        let ours = coded_by_us(&said, packet);
        let millis = packet_ms.to_string();
        let options = [
            "-c:a",
            "libopus",
            "-application",
            "voip",
            "-b:a",
            "24k",
            "-frame_duration",
            &millis,
            "-f",
            "ogg",
        ];
        let theirs = from_ogg(&ffmpeg("opus-pcm", &pcm(&said), &raw, &options));
        let mut all = Vec::new();
        for (by, packets) in [("us", &ours), ("libopus", &theirs)] {
            let bytes: usize = packets.iter().map(Vec::len).sum();
            let rate = bytes as f64 * 8.0 / (packets.len() as f64 * packet_ms as f64);
            let by_us = decoded_by_us(Band::Wide, packets);
            let by_them = decoded_by_them(&format!("opus-{by}-{packet_ms}"), packets, packet_ms);
            assert!(by_us.len().abs_diff(by_them.len()) <= 320, "{} {}", by_us.len(), by_them.len());
            // The same packets sound the same; what is left is libopus making 48 kHz of the 16 that are in them, and FFmpeg 16 of those.
            let (same, correlation) = finely(&format!("opus-fine-{by}-{packet_ms}"), &by_them, &by_us);
            eprintln!(
                "{packet_ms} ms coded by {by} at {rate:.1} kbit/s: decoders differ by {same:.1} dB, {correlation:.4}"
            );
            assert!(same > 24.0 && correlation > 0.995, "{by} {packet_ms}: {same:.1} dB {correlation}");
            for (of, heard) in [("us", by_us), ("libopus", by_them)] {
                let (likeness, correlation) = likeness(&said, &heard);
                eprintln!(
                    "{packet_ms} ms coded by {by}, decoded by {of}: {likeness:.1} dB, {correlation:.3}"
                );
                assert!(
                    likeness > 6.0 && correlation > 0.92,
                    "{by} {of} {packet_ms}: {likeness:.1} dB {correlation}"
                );
                all.push(likeness);
            }
        }
        let (best, worst) = all.iter().fold((f64::MIN, f64::MAX), |(a, b), &c| (a.max(c), b.min(c)));
        assert!(best - worst < 3.0, "we are as good as they are: {all:?}");
    }
}

/// The narrow-band side: what a call of G.711 hears, and says.
#[test]
fn narrow_band_meets_opus() {
    let Some(said) = speech("said-opus-narrow", 16_000) else { return };
    let raw = ["-f", "s16le", "-ar", "16000", "-ac", "1"];
    let to_8 = ["-ar", "8000", "-f", "s16le"];
    let narrow = samples(&ffmpeg("opus-wide-pcm", &pcm(&said), &raw, &to_8));
    let heard = decoded_by_us(Band::Narrow, &coded_by_us(&said, PACKET));
    let up = |samples_8: &[i16], name: &str| {
        let raw = ["-f", "s16le", "-ar", "8000", "-ac", "1"];
        samples(&ffmpeg(name, &pcm(samples_8), &raw, &["-ar", "16000", "-f", "s16le"]))
    };
    let (hears, _) = likeness(&up(&narrow, "opus-n1"), &up(&heard, "opus-n2"));
    let mut encoder = Encoder::narrow(Codec::Opus).unwrap();
    let packets: Vec<_> = narrow
        .chunks_exact(160)
        .map(|frame| {
            let mut payload = Vec::new();
            encoder.encode(frame, &mut payload);
            payload
        })
        .collect();
    let (says, _) = likeness(&up(&narrow, "opus-n3"), &decoded_by_them("opus-n4", &packets, 20));
    eprintln!("narrow-band hears {hears:.1} dB and says {says:.1} dB");
    assert!(hears > 6.0 && says > 6.0, "{hears} {says}");
}

/// Packets with bits that fell over, that end too early, or that are nothing at all, and losses between them.
#[test]
fn broken_packets_are_survived() {
    let mut state = 7u32;
    let mut chance = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let noise: Vec<i16> = (0..320 * 60).map(|n| ((n * n / 7) % 20_000) as i16 - 10_000).collect();
    let good: Vec<_> = [320, 160, 960].into_iter().flat_map(|packet| coded_by_us(&noise, packet)).collect();
    let mut decoders = [Decoder::new(Codec::Opus).unwrap(), Decoder::narrow(Codec::Opus).unwrap()];
    let mut playout = PlayoutBuffer::at(Band::Wide, Delay::default());
    let mut timestamp = 0u32;
    for n in 0..4000u16 {
        let mut packet = match chance(4) {
            0 => (0..chance(200)).map(|_| chance(256) as u8).collect(),
            _ => good[chance(good.len())].clone(),
        };
        for _ in 0..chance(4) {
            if !packet.is_empty() {
                let at = chance(packet.len());
                packet[at] = chance(256) as u8;
            }
        }
        packet.truncate(if chance(5) == 0 { chance(packet.len() + 1) } else { packet.len() });
        for decoder in &mut decoders {
            let (mut heard, len) = (Vec::new(), decoder.samples(&packet));
            decoder.decode(&packet, &mut heard);
            assert!(heard.is_empty() || heard.len() == len);
        }
        timestamp =
            timestamp.wrapping_add(960 * [1, 1, 1, 2, 3][chance(5)] + u32::from(chance(20) == 0) * 123_457);
        let header = RtpHeader {
            marker: false,
            payload_type: Codec::Opus.payload_type(),
            sequence: SequenceNumber(n),
            timestamp: RtpTimestamp(timestamp),
            ssrc: Ssrc(1),
        };
        let now = Time::from_millis(u64::from(n) * 20);
        playout.push_as(now, Codec::Opus, &RtpPacket::new(header, &packet));
        playout.pull(now, &mut [0; PACKET]);
    }
    // And it hears what is right again.
    let (mut heard, len) = (Vec::new(), good.len());
    good[..len / 3].iter().for_each(|packet| decoders[0].decode(packet, &mut heard));
    assert!(heard.iter().any(|sample| sample.unsigned_abs() > 3000));
}

/// A tenth of all packets is lost. What they repeat of each other, and the decoder's guess, is better than a guess alone.
#[test]
fn what_is_lost_is_repaired() {
    let Some(said) = speech("said-opus-lost", 16_000) else { return };
    let packets = coded_by_us(&said, PACKET);
    let play = |lost: bool, delay_ms: u64| {
        let mut playout = PlayoutBuffer::at(Band::Wide, Delay::Fixed(Duration::from_millis(delay_ms)));
        let mut heard = Vec::new();
        for (n, payload) in packets.iter().enumerate() {
            let now = Time::from_millis(n as u64 * 20);
            let header = RtpHeader {
                marker: false,
                payload_type: Codec::Opus.payload_type(),
                sequence: SequenceNumber(n as u16),
                // Over the end of its numbers.
                timestamp: RtpTimestamp((n as u32 * 960).wrapping_sub(48_000)),
                ssrc: Ssrc(1),
            };
            if !lost || n % 10 != 7 {
                playout.push_as(now, Codec::Opus, &RtpPacket::new(header, payload));
            }
            let mut frame = [0; PACKET];
            playout.pull(now + Duration::from_millis(10), &mut frame);
            heard.extend_from_slice(&frame);
        }
        (heard, playout.stats())
    };
    let (_, stats) = play(false, 40);
    assert_eq!((stats.frames_concealed, stats.samples_lost, stats.restarts), (0, 0, 0), "{stats:?}");
    // With 40 ms the next packet is there in time; with 0 ms it comes when the gap was filled by a guess.
    let [repaired, guessed] = [40, 0].map(|delay| {
        let (heard, stats) = play(true, delay);
        eprintln!("{delay} ms: {stats:?}");
        let (whole, _) = play(false, delay);
        // Nothing else is wrong, so all of it is what the losses cost.
        let (mut signal, mut noise) = (0.0, 0.0);
        for (&a, &b) in whole.iter().zip(&heard) {
            (signal, noise) = (signal + f64::from(a).powi(2), noise + (f64::from(a) - f64::from(b)).powi(2));
        }
        10.0 * f64::log10(signal / noise)
    });
    eprintln!("repaired {repaired:.1} dB, guessed {guessed:.1} dB");
    assert!(repaired > guessed + 1.5 && repaired > 9.0, "{repaired} {guessed}");
}
