//! Sources that are fed from outside.

use std::net::SocketAddr;

use selsius_media::engine::{Clip, OrderError, Place, SourceId};
use selsius_media::rtp::StreamStart;
use selsius_media::{Codec, Law, PacketTime, RtpTimestamp, Sender, SequenceNumber, Ssrc, ToneGenerator};

use crate::bench::{Bench, format, tone};

const RADIO: SourceId = SourceId(7);
/// What the stream says, and the clip.
const STREAM: u16 = 600;
const CLIP: u16 = 900;

/// Somebody who sends a stream.
struct Radio {
    from: SocketAddr,
    sender: Sender,
    tone: ToneGenerator,
}

impl Radio {
    fn new(host: u8, frequency: u16) -> Self {
        let (ssrc, sequence, timestamp) = (Ssrc(host.into()), SequenceNumber(65_500), RtpTimestamp(9));
        let start = StreamStart { ssrc, sequence, timestamp };
        let sender = Sender::new(Codec::Pcma, PacketTime::DEFAULT, start);
        Self { from: SocketAddr::from(([192, 0, 2, host], 5004)), sender, tone: tone(frequency) }
    }

    /// 20 ms of it; silence if it is not loud.
    fn send(&mut self, bench: &mut Bench, loud: bool) {
        let mut samples = [0; 160];
        if loud {
            self.tone.fill(&mut samples);
        }
        let (mut payload, mut datagram) = (Vec::new(), Vec::new());
        Law::A.encode(&samples, &mut payload);
        self.sender.send(&payload, &mut datagram).unwrap();
        bench.engine.feed(bench.now, RADIO, self.from, &datagram);
    }
}

/// A listener in each of these codecs, and a source that is live.
fn listeners(codecs: &[Codec]) -> Bench {
    let mut bench = Bench::new();
    assert_eq!(bench.engine.set_live(RADIO, true), Err(OrderError::NoSource));
    let mut samples = vec![0; 8000];
    tone(CLIP).fill(&mut samples);
    bench.engine.set_source(RADIO, Clip::Loop(samples.into())).unwrap();
    bench.engine.set_live(RADIO, true).unwrap();
    for &codec in codecs {
        let phone = bench.phone(format(codec, 20), 440);
        bench.place(phone, Place::Source(RADIO));
    }
    bench
}

fn play(bench: &mut Bench, radios: &mut [&mut Radio], frames: u32, loud: bool) {
    for _ in 0..frames {
        for radio in &mut *radios {
            radio.send(bench, loud);
        }
        bench.run(20);
    }
}

#[test]
fn a_stream_is_heard_by_all_and_the_clip_while_there_is_none() {
    let mut bench = listeners(&[Codec::Pcmu, Codec::Pcma, Codec::G722]);
    let mut radio = Radio::new(9, STREAM);
    play(&mut bench, &mut [&mut radio], 50, true);
    for phone in 0..3 {
        assert_eq!(bench.tones(phone), [STREAM.into()]);
    }
    // It breaks off, and comes back.
    bench.run(1800);
    assert_eq!(bench.tones(0), [u32::from(CLIP)]);
    play(&mut bench, &mut [&mut radio], 50, true);
    assert_eq!(bench.tones(0), [u32::from(STREAM)]);
    // A pause of a second is one; five are none.
    play(&mut bench, &mut [&mut radio], 50, false);
    assert_eq!(bench.tones(0), []);
    play(&mut bench, &mut [&mut radio], 250, false);
    assert_eq!(bench.tones(0), [u32::from(CLIP)]);
    assert!(bench.phones.iter().all(|phone| phone.stats.quality().lost == 0));
    bench.engine.set_live(RADIO, false).unwrap();
    play(&mut bench, &mut [&mut radio], 50, true);
    assert_eq!(bench.tones(0), [u32::from(CLIP)]);
}

#[test]
fn another_sender_is_heard_only_when_the_first_is_silent() {
    let mut bench = listeners(&[Codec::Pcmu]);
    let (mut radio, mut stranger) = (Radio::new(9, STREAM), Radio::new(10, 1500));
    play(&mut bench, &mut [&mut radio, &mut stranger], 60, true);
    assert_eq!(bench.tones(0), [u32::from(STREAM)]);
    play(&mut bench, &mut [&mut stranger], 150, true);
    assert_eq!(bench.tones(0), [1500]);
    // What is no stream changes nothing.
    for n in 0..50_u8 {
        stranger.send(&mut bench, true);
        bench.engine.feed(bench.now, RADIO, stranger.from, &vec![n; usize::from(n)]);
        bench.run(20);
    }
    assert_eq!(bench.tones(0), [1500]);
}

#[test]
fn nothing_is_kept_for_nobody() {
    let mut bench = listeners(&[Codec::Pcmu]);
    let mut radio = Radio::new(9, STREAM);
    bench.place(0, Place::Nowhere);
    play(&mut bench, &mut [&mut radio], 100, true);
    bench.place(0, Place::Source(RADIO));
    // Nothing comes any more: what came while nobody listened is not heard.
    bench.run(400);
    assert_eq!(bench.tones(0), []);
}
