//! G.722 in the audio of a call.
//!
//! `wideband.g722` is a second of 1 kHz and 5 kHz, encoded by FFmpeg 9.0:
//!
//! ```text
//! ffmpeg -f lavfi -i "aevalsrc=0.25*sin(2*PI*1000*t)+0.1*sin(2*PI*5000*t):s=16000:d=1" -c:a g722 -f g722 wideband.g722
//! ```

use std::f64::consts::TAU;

use selsius_media::Law;

use crate::support::{Made, dissect, words};

const CODES: &[u8] = include_bytes!("wideband.g722");
/// What FFmpeg 9.0 decodes from them, from sample 12,000 on.
const DECODED: [i16; 32] = [
    -3287, -6093, -11618, -6506, -3191, -6046, -232, 6232, 3505, 6324, 11525, 6213, 3621, 6125, -87, -6029,
    -3511, -6316, -11578, -6152, -3613, -6208, 51, 6171, 3324, 6337, 11618, 6111, 3720, 5998, 138, -6168,
];

const PHONE: &str = "10.0.0.7:20000";
const OTHER: &str = "10.0.0.9:20002";
const G722: u8 = 9;
const PCMU: u8 = 0;

/// A phone in a call, with media in both directions announced.
fn call() -> Made {
    let (here, there) = (0x0700_000a, 0x0900_000a);
    let media = |rest: &[u32]| words(&[&[1, 5], rest, &[0; 20]].concat());
    Made::new()
        .manager(0, 0x0111, &words(&[12, 1, 7]))
        .manager(0, 0x0105, &media(&[20, 4, 0, 0, 7]))
        .station(0, 0x0022, &words(&[0, here, 20_000, 5, 7]))
        .manager(0, 0x008a, &media(&[there, 20_002, 20, 6, 0, 0, 0, 0, 7]))
        .manager(0, 0x0111, &words(&[5, 1, 7]))
}

/// What is heard of the call, left and right, and samples per second.
fn heard(made: &Made) -> ([Vec<i16>; 2], u32) {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("call.pcapng");
    std::fs::write(&capture, &made.bytes).unwrap();
    let to = folder.path().join("audio");
    let ran = dissect(&["--export-audio", to.to_str().unwrap(), capture.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let mut wav = hound::WavReader::open(to.join("call-1.wav")).expect(&ran.err);
    let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
    let side = |side: usize| samples.iter().skip(side).step_by(2).copied().collect();
    ([side(0), side(1)], wav.spec().sample_rate)
}

/// 20 ms of µ-law, 1 kHz, which goes on from packet to packet.
fn tone() -> Vec<u8> {
    let samples: Vec<i16> = (0..160).map(|at| sine(at * 2)).collect();
    let mut codes = Vec::new();
    Law::Mu.encode(&samples, &mut codes);
    codes
}

/// 1 kHz, at 16 kHz.
fn sine(at: usize) -> i16 {
    (8_000.0 * (TAU * at as f64 / 16.0).sin()) as i16
}

fn assert_sine(samples: &[i16], from: usize) {
    for (at, sample) in samples.iter().enumerate() {
        let off = i32::from(*sample) - i32::from(sine(from + at));
        // µ-law's steps are 256 at this level.
        assert!(off.abs() < 200, "{off} at {}", from + at);
    }
}

/// Left G.722, right G.711: both at 16 kHz, both where they belong.
#[test]
fn sides_of_different_rates() {
    let mut made = call();
    made.micros = made.micros.next_multiple_of(20_000);
    for number in 0..50 {
        let at = usize::from(number) * 160;
        made.rtp([PHONE, OTHER], G722, number, &CODES[at..at + 160]);
        // From here, 80 ms and 4 ms after the first packet.
        made.micros += 3_000;
        if number >= 4 {
            made.rtp([OTHER, PHONE], PCMU, number, &tone());
        }
        made.micros = made.micros.next_multiple_of(20_000);
    }
    let ([left, right], rate) = heard(&made);
    assert_eq!((rate, left.len()), (16_000, right.len()));
    assert_eq!(left[12_000..12_032], DECODED);
    let first = 84 * 16;
    assert!(right[..first - 24].iter().all(|sample| *sample == 0));
    assert_sine(&right[first + 100..][..14_500], 100);
    assert_eq!(right.len(), first + 46 * 320);
}

/// The phone speaks G.711, then G.722, then G.711, with one row of timestamps.
#[test]
fn a_codec_that_changes_in_the_middle() {
    let mut made = call();
    for number in 0..100_u16 {
        let (payload_type, sound) = match number {
            25..75 => (G722, CODES[usize::from(number - 25) * 160..][..160].to_vec()),
            _ => (PCMU, tone()),
        };
        made.rtp([PHONE, OTHER], payload_type, number, &sound);
        made.micros += 19_000;
    }
    let ([left, right], rate) = heard(&made);
    assert_eq!((rate, left.len()), (16_000, 32_000));
    assert!(right.iter().all(|sample| *sample == 0));
    // Apart from the edges, where the filter of the new rate rings.
    assert_sine(&left[100..7_900], 100);
    assert_eq!(left[8_000 + 12_000..][..32], DECODED);
    assert_sine(&left[24_100..31_900], 100 + 24_000);
}

/// Packets that come late or twice change nothing, and lost ones are silence.
#[test]
fn disorder_does_not_reach_the_decoder() {
    let send = |numbers: &[u16]| {
        let mut made = call();
        for &number in numbers {
            let at = usize::from(number) * 160;
            made.rtp([PHONE, OTHER], G722, number, &CODES[at..at + 160]);
            made.micros += 19_000;
        }
        heard(&made).0
    };
    let ordered: Vec<u16> = (0..50).collect();
    let mixed: Vec<u16> = ordered.chunks(2).flat_map(|pair| [pair[0], pair[1], pair[0]]).collect();
    let mut swapped = mixed.clone();
    swapped[1..].chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
    let [expected, _] = send(&ordered);
    assert_eq!(expected[12_000..12_032], DECODED);
    for numbers in [mixed, swapped] {
        let [left, _] = send(&numbers[..50]);
        assert_eq!(left[..], expected[..left.len()]);
        assert!(left.len() > 10_000);
    }
    let lossy: Vec<u16> = ordered.iter().copied().filter(|number| *number != 10).collect();
    let [left, _] = send(&lossy);
    assert_eq!(left.len(), expected.len());
    assert!(left[3_200..3_520].iter().all(|sample| *sample == 0));
    assert_eq!(left[..3_200], expected[..3_200]);
}
