//! Timelines: what arrives when, and what is heard.

use super::*;
use crate::coder::Encoder;
use crate::tone::{Sine, Sound, Tone, ToneGenerator};
use crate::{Law, PayloadType, RtpHeader, SequenceNumber};
use proptest::prelude::*;

const MS_20: Duration = Duration::from_millis(20);

/// A buffer and a sender whose packet `n` holds 20 ms of the code for `n`.
struct Bench {
    buffer: PlayoutBuffer,
    heard: Vec<(Played, i16)>,
}

fn code(n: u32) -> u8 {
    0x80 | (n % 100) as u8
}

fn sample(n: u32) -> i16 {
    Law::Mu.decode_sample(code(n))
}

fn header(ssrc: u32, n: u32) -> RtpHeader {
    RtpHeader {
        marker: false,
        payload_type: PayloadType::PCMU,
        sequence: SequenceNumber(n as u16),
        // Begins just before the wrap.
        timestamp: RtpTimestamp(n.wrapping_mul(160).wrapping_sub(1000)),
        ssrc: Ssrc(ssrc),
    }
}

impl Bench {
    fn new(delay: Delay) -> Self {
        Self { buffer: PlayoutBuffer::new(delay), heard: Vec::new() }
    }

    fn fixed(millis: u64) -> Self {
        Self::new(Delay::Fixed(Duration::from_millis(millis)))
    }

    fn push(&mut self, millis: u64, n: u32) -> Pushed {
        self.buffer.push(Time::from_millis(millis), &RtpPacket::new(header(1, n), &[code(n); FRAME]))
    }

    /// Pulls one frame; its last sample is kept, as the first may be blended.
    fn pull(&mut self, millis: u64) -> Played {
        let mut out = [0; FRAME];
        let played = self.buffer.pull(Time::from_millis(millis), &mut out);
        self.heard.push((played, out[FRAME - 1]));
        played
    }

    /// Runs packets `range` on their beat, each with its delay in ms (`None`: lost), and pulls on the half beat.
    fn run(&mut self, range: core::ops::Range<u32>, delay: impl Fn(u32) -> Option<u64>) {
        let mut arrivals: Vec<(u64, u32)> =
            range.clone().filter_map(|n| Some((u64::from(n) * 20 + delay(n)?, n))).collect();
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        for beat in range {
            let now = u64::from(beat) * 20 + 10;
            while let Some((at, n)) = arrivals.next_if(|&(at, _)| at <= now) {
                self.push(at, n);
            }
            self.pull(now);
        }
    }
}

#[test]
fn a_clean_stream_comes_out_as_it_went_in() {
    let mut bench = Bench::fixed(40);
    bench.run(0..100, |_| Some(0));
    // The first packet, from 0 ms, may be played from 40 ms on: at the pull of 50 ms, the third.
    assert_eq!(bench.heard[..2], [(Played::Silence, 0); 2]);
    for (n, &heard) in bench.heard[2..].iter().enumerate() {
        assert_eq!(heard, (Played::Sound, sample(n as u32)), "frame {n}");
    }
    let stats = bench.buffer.stats();
    assert_eq!((stats.queued, stats.frames_played, stats.frames_concealed), (100, 98, 0));
    assert_eq!(bench.buffer.depth(), MS_20 * 2);
}

#[test]
fn a_lost_packet_is_concealed_and_the_rest_stays_in_time() {
    let mut bench = Bench::fixed(40);
    bench.run(0..60, |n| (n != 20).then_some(0));
    for (n, &(played, heard)) in bench.heard[2..].iter().enumerate() {
        let expected = if n == 20 { Played::Concealed } else { Played::Sound };
        assert_eq!(played, expected, "frame {n}");
        assert!(n == 20 || heard == sample(n as u32), "frame {n}");
    }
    let stats = bench.buffer.stats();
    assert_eq!((stats.samples_lost, stats.samples_starved, stats.late), (160, 0, 0));
}

#[test]
fn disorder_and_duplicates_do_no_harm() {
    let mut bench = Bench::fixed(60);
    // The first two change places, and so do others later; 30 comes twice.
    bench.push(0, 1);
    assert_eq!(bench.push(1, 0), Pushed::Queued);
    bench.run(2..60, |n| Some(if n % 5 == 0 { 25 } else { 0 }));
    assert_eq!(bench.push(1200, 59), Pushed::Duplicate);
    let sounds: Vec<_> = bench.heard.iter().filter(|heard| heard.0 != Played::Silence).collect();
    for (n, &&heard) in sounds.iter().enumerate() {
        assert_eq!(heard, (Played::Sound, sample(n as u32)), "frame {n}");
    }
    assert_eq!(bench.buffer.stats().duplicates, 1);
}

#[test]
fn a_late_packet_is_told_and_not_played() {
    let mut bench = Bench::fixed(40);
    bench.run(0..30, |n| Some(if n == 10 { 100 } else { 0 }));
    let stats = bench.buffer.stats();
    assert_eq!((stats.late, stats.frames_concealed, stats.samples_lost), (1, 1, 160));
}

#[test]
fn the_delay_follows_the_network() {
    let jittery = |n: u32| Some(if n % 7 == 3 { 75 } else { 0 });
    let mut bench = Bench::new(Delay::default());
    // Up to where no packet is on its way.
    bench.run(0..297, jittery);
    let learning = bench.buffer.stats();
    assert!(learning.late > 0 && learning.samples_inserted > 0, "{learning:?}");
    assert!(bench.buffer.target() >= Duration::from_millis(80), "{:?}", bench.buffer.target());
    bench.run(297..1297, jittery);
    let learned = bench.buffer.stats();
    assert_eq!((learned.late, learned.frames_concealed), (learning.late, learning.frames_concealed));

    // When the network calms down, so does the delay, as far as silences allow.
    let mut quiet = RtpPacket::new(header(1, 0), &[0xFF; FRAME]);
    for n in 1297..3297u32 {
        quiet.header = header(1, n);
        bench.buffer.push(Time::from_millis(u64::from(n) * 20), &quiet);
        bench.pull(u64::from(n) * 20 + 10);
    }
    assert!(bench.buffer.target() <= Duration::from_millis(25), "{:?}", bench.buffer.target());
    assert!(bench.buffer.depth() <= Duration::from_millis(50), "{:?}", bench.buffer.depth());
}

#[test]
fn a_pause_fades_and_a_new_talkspurt_waits_again() {
    let mut bench = Bench::fixed(40);
    bench.run(0..10, |_| Some(0));
    for beat in 10..40 {
        bench.pull(beat * 20 + 10);
    }
    assert_eq!(bench.heard.last(), Some(&(Played::Silence, 0)));
    assert_eq!(bench.push(800, 40), Pushed::Began);
    assert_eq!(bench.pull(810), Played::Silence);
    bench.push(820, 41);
    bench.pull(830);
    assert_eq!(bench.pull(850), Played::Sound);
    assert_eq!(bench.heard.last().map(|heard| heard.1), Some(sample(40)));
    assert_eq!(bench.buffer.stats().restarts, 1);
}

#[test]
fn the_oldest_gives_way_when_nobody_listens() {
    let mut bench = Bench::fixed(40);
    for n in 0..100 {
        bench.push(u64::from(n) * 20, n);
    }
    assert_eq!(bench.buffer.depth(), Duration::from_secs(1));
    assert_eq!(bench.buffer.stats().samples_dropped, 50 * 160);
    assert_eq!(bench.pull(2000), Played::Sound);
    // Far behind, so that it also hurries.
    assert!(bench.buffer.stats().samples_dropped > 50 * 160);
}

#[test]
fn another_source_and_a_leap_of_the_clock_begin_anew() {
    let mut bench = Bench::fixed(40);
    bench.run(0..10, |_| Some(0));
    let mut push = |millis, n| {
        let payload = [code(n); FRAME];
        bench.buffer.push(Time::from_millis(millis), &RtpPacket::new(header(2, n), &payload))
    };
    assert_eq!(push(200, 7_000_000), Pushed::Began);
    assert_eq!(push(220, 8_000_000), Pushed::Began);
    // Backwards, it takes some packets to believe.
    let verdicts: Vec<_> = (100..105).map(|n| push(240, n)).collect();
    assert_eq!(verdicts, [Pushed::Late, Pushed::Late, Pushed::Late, Pushed::Late, Pushed::Began]);
}

#[test]
fn ignores_what_it_cannot_play() {
    let mut buffer = PlayoutBuffer::default();
    for payload_type in [PayloadType::G729, PayloadType::TELEPHONE_EVENT] {
        let header = RtpHeader { payload_type, ..header(1, 0) };
        assert_eq!(buffer.push(Time::ZERO, &RtpPacket::new(header, &[0; 20])), Pushed::Ignored);
    }
    assert_eq!(buffer.push(Time::ZERO, &RtpPacket::new(header(1, 0), &[])), Pushed::Ignored);
    assert_eq!(buffer.push(Time::ZERO, &RtpPacket::new(header(1, 0), &[0; 60_000])), Pushed::Ignored);
    assert_eq!(buffer.stats().ignored, 4);
    assert_eq!(buffer.pull(Time::ZERO, &mut [0; FRAME]), Played::Silence);
}

/// Comfort noise of -49 dBm0 in the place of packet `n`.
fn quiet(n: u32) -> (RtpHeader, [u8; 1]) {
    (RtpHeader { payload_type: PayloadType::COMFORT_NOISE, ..header(1, n) }, [55])
}

#[test]
fn a_sender_that_says_it_is_quiet_loses_nothing() {
    let mut bench = Bench::fixed(40);
    bench.run(0..10, |_| Some(0));
    let (header, payload) = quiet(10);
    assert_eq!(bench.buffer.push(Time::from_millis(200), &RtpPacket::new(header, &payload)), Pushed::Queued);
    // Two frames of sound wait; then noise for seven seconds, and sound at once where its packet belongs.
    let mut out = [0; FRAME];
    let mut played = Vec::new();
    for beat in 10..360 {
        let now = Time::from_millis(beat * 20 + 10);
        played.push(bench.buffer.pull(now, &mut out));
        if beat > 12 {
            let level = Level::of(&out).as_dbm0();
            assert!((level + 48.8).abs() < 1.5, "{beat}: {level}");
        }
    }
    assert_eq!((&played[..2], &played[2..]), (&[Played::Sound; 2][..], &[Played::Comfort; 348][..]));
    bench.heard.clear();
    bench.run(360..400, |_| Some(0));
    assert_eq!(bench.heard[..2].iter().map(|heard| heard.0).collect::<Vec<_>>(), [Played::Comfort; 2]);
    for (n, &heard) in bench.heard[2..].iter().enumerate() {
        assert_eq!(heard, (Played::Sound, sample(360 + n as u32)), "frame {n}");
    }
    let PlayoutStats { frames_quiet, frames_concealed, samples_lost, samples_starved, restarts, .. } =
        bench.buffer.stats();
    assert_eq!((frames_quiet, frames_concealed, samples_lost, samples_starved), (350, 0, 0, 0));
    assert_eq!(restarts, 0);
    // What is lost from now on is a gap again.
    bench.run(400..420, |n| (n != 410).then_some(0));
    assert_eq!(bench.buffer.stats().frames_concealed, 1);
}

#[test]
fn quiet_ends_after_a_minute_and_may_be_the_beginning() {
    let mut buffer = PlayoutBuffer::new(Delay::Fixed(MS_20));
    let (header, payload) = quiet(0);
    assert_eq!(buffer.push(Time::ZERO, &RtpPacket::new(header, &payload)), Pushed::Began);
    let mut out = [0; FRAME];
    let mut pull = |beat: u64| buffer.pull(Time::from_millis(beat * 20 + 10), &mut out);
    assert_eq!((pull(0), pull(1)), (Played::Silence, Played::Comfort));
    assert!((2..3001).all(|beat| pull(beat) == Played::Comfort));
    assert_eq!(pull(3001), Played::Silence);
}

#[test]
fn quiet_from_another_time_is_not_believed() {
    let mut bench = Bench::fixed(40);
    bench.run(0..20, |_| Some(0));
    let push = |bench: &mut Bench, n| {
        let (header, payload) = quiet(n);
        bench.buffer.push(Time::from_millis(400), &RtpPacket::new(header, &payload))
    };
    // Of long ago: what stops now is a gap all the same.
    assert_eq!(push(&mut bench, 0u32.wrapping_sub(1000)), Pushed::Late);
    let played: Vec<_> = (20..30).map(|beat| bench.pull(beat * 20 + 10)).collect();
    assert_eq!((played[2], played[9]), (Played::Concealed, Played::Silence));
    // Of a clock that leapt: a new beginning.
    bench.run(30..40, |_| Some(0));
    assert_eq!(push(&mut bench, 5000), Pushed::Began);
}

#[test]
fn g722_is_played_and_its_gaps_are_concealed() {
    let sound = Sound::Single(Sine::new(400, Level::dbm0(-10.0)));
    let mut tone = ToneGenerator::new(Tone::continuous(sound));
    let mut encoder = Encoder::narrow(Codec::G722).unwrap();
    let mut buffer = PlayoutBuffer::new(Delay::Fixed(MS_20 * 2));
    let mut frames = Vec::new();
    for n in 0..100u32 {
        let now = Time::from_millis(u64::from(n) * 20);
        let (mut samples, mut payload) = ([0; FRAME], Vec::new());
        tone.fill(&mut samples);
        encoder.encode(&samples, &mut payload);
        let header = RtpHeader { payload_type: PayloadType::G722, ..header(1, n) };
        let packet = RtpPacket::new(header, &payload);
        if n % 10 != 5 {
            buffer.push(now, &packet);
            // Twice, and once more when its time has passed: the decoder does not get these.
            assert_eq!(buffer.push(now, &packet), Pushed::Duplicate);
        }
        let mut out = [0; FRAME];
        let played = buffer.pull(now + Duration::from_millis(10), &mut out);
        frames.push((played, Level::of(&out).as_dbm0()));
        if n % 10 == 8 {
            let late = RtpHeader { payload_type: PayloadType::G722, ..self::header(1, n - 3) };
            assert_eq!(buffer.push(now, &RtpPacket::new(late, &[0; FRAME])), Pushed::Late);
        }
    }
    for (n, &(played, level)) in frames.iter().enumerate().skip(10) {
        let expected = if n % 10 == 7 { Played::Concealed } else { Played::Sound };
        assert_eq!(played, expected, "frame {n}");
        assert!((level + 10.0).abs() < 2.5, "frame {n}: {level}");
    }
    assert_eq!(buffer.stats().samples_lost, 10 * 160);
}

#[test]
fn packets_of_other_lengths_and_the_other_law() {
    let mut buffer = PlayoutBuffer::new(Delay::Fixed(MS_20 * 3));
    let mut out = [0; FRAME];
    let mut played = Vec::new();
    for tick in 0..60u32 {
        let now = Time::from_millis(u64::from(tick) * 10);
        if tick % 3 == 0 {
            let mut header = header(1, tick);
            header.payload_type = PayloadType::PCMA;
            header.timestamp = RtpTimestamp(tick * 80);
            buffer.push(now, &RtpPacket::new(header, &[0x80; 240]));
        }
        if tick % 2 == 0 {
            played.push(buffer.pull(now, &mut out));
        }
    }
    assert_eq!(played[..3], [Played::Silence; 3]);
    assert_eq!(played[3..], [Played::Sound; 27]);
    assert_eq!(out, [Law::A.decode_sample(0x80); FRAME]);
}

#[test]
fn clocks_that_differ_do_not_fill_or_drain_it() {
    // 300 millionths, both ways, for twenty minutes: 360 ms of difference, with quiet in between.
    for step in [19_994, 20_006] {
        let mut buffer = PlayoutBuffer::new(Delay::Fixed(MS_20 * 2));
        let mut next = 0u32;
        let mut out = [0; FRAME];
        for beat in 0..60_000u64 {
            let now = Time::from_micros(beat * 20_000 + 10_000);
            while u64::from(next) * step <= now.as_micros() {
                let payload = if next % 100 < 80 { [code(9); FRAME] } else { [0xFF; FRAME] };
                let at = Time::from_micros(u64::from(next) * step);
                buffer.push(at, &RtpPacket::new(header(1, next), &payload));
                next += 1;
            }
            buffer.pull(now, &mut out);
        }
        let stats = buffer.stats();
        assert!(buffer.depth() <= MS_20 * 5, "{step}: {:?}", buffer.depth());
        assert!(stats.frames_concealed <= 60, "{step}: {stats:?}");
        assert_eq!(stats.restarts, 0, "{step}: {stats:?}");
    }
}

proptest! {
    /// Whatever comes in whatever order, nothing panics and the memory keeps its bound.
    #[test]
    fn survives_anything(steps in proptest::collection::vec(
        (any::<bool>(), 0u64..60_000, any::<u32>(), 0u8..4, 0usize..1000, any::<bool>()), 1..200,
    )) {
        let mut buffer = PlayoutBuffer::default();
        let mut now = Time::ZERO;
        let mut last = 0u32;
        for (pull, later, timestamp, ssrc, len, near) in steps {
            now += Duration::from_micros(later);
            if pull {
                buffer.pull(now, &mut [0; FRAME]);
                continue;
            }
            last = if near { last.wrapping_add(timestamp % 4000).wrapping_sub(1000) } else { timestamp };
            let types = [PayloadType::PCMU, PayloadType::G722, PayloadType::COMFORT_NOISE, PayloadType::G729];
            let payload_type = types[len % types.len()];
            let header = RtpHeader { payload_type, timestamp: RtpTimestamp(last), ..header(ssrc.into(), 0) };
            buffer.push(now, &RtpPacket::new(header, &vec![0x55; len]));
            prop_assert!(buffer.depth() <= Duration::from_secs(1));
        }
    }
}
