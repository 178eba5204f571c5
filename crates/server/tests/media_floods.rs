//! Floods on the real media thread and its sockets, while two other calls are recorded: none of their packets is missing, and what
//! is heard has the pitch and the level that it has without.
//!
//! Whoever speaks takes its time from what comes from the manager: a packet for each packet. So nothing here waits by the clock,
//! and a machine that is busy with other things makes the test longer, not wrong.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use rand::{Rng, RngExt};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_media::{
    Codec, Law, Level, PacketTime, RtpPacket, RtpTimestamp, Sender, SequenceNumber, Ssrc, Tone,
    ToneGenerator,
    engine::{BridgeId, Format, Learning, Place},
    rtp::StreamStart,
    tone::{
        Sine, Sound,
        detect::{Content, analyze},
    },
};
use selsius_server::media::{self, Handle, Opening, Order, Status};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FORMAT: Format = Format::new(Codec::Pcmu, PacketTime::DEFAULT);
const DEADLINE: Duration = Duration::from_secs(20);
/// Packets of each kind of flood while which each of the two calls is recorded.
const RECORDED: usize = 75;
/// Packets that may be missing, of all: the kernel may drop where the machine has no time for anybody.
const MISSING: u32 = 2;
/// Samples before the pitch is measured: a conference waits for the first packets.
const SETTLES: usize = 160 * 15;
/// Samples of which the pitch is measured.
const WINDOW: usize = 800;
/// Hertz and dBm0 of what is said.
const PITCH: f32 = 1000.0;
const LOUDNESS: f32 = -16.0;

struct Phone {
    socket: UdpSocket,
    manager: SocketAddr,
    sender: Sender,
    tone: ToneGenerator,
}

/// What somebody has heard.
struct Heard {
    said: Vec<i16>,
    samples: Vec<i16>,
    missing: u32,
    /// The longest time that a packet took from one side to the other, or a conference for its next one.
    longest: Duration,
}

impl Phone {
    async fn join(media: &Handle, bridge: u64) -> Self {
        let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let (remote, place) = (socket.local_addr().unwrap(), Place::Bridge(BridgeId(bridge)));
        let opening = Opening {
            format: FORMAT,
            address: LOOPBACK,
            remote: Some(remote),
            learning: Learning::SameHost,
            place,
            srtp: None,
        };
        let (_, manager) = media.open(opening, None).await.unwrap().unwrap();
        let start = StreamStart {
            ssrc: Ssrc(remote.port().into()),
            sequence: SequenceNumber(65_500),
            timestamp: RtpTimestamp(1),
        };
        let sine = Sound::Single(Sine::new(PITCH as u16, Level::dbm0(LOUDNESS)));
        let tone = ToneGenerator::new(Tone::continuous(sine));
        Self { socket, manager, sender: Sender::new(Codec::Pcmu, PacketTime::DEFAULT, start), tone }
    }

    fn packet(&mut self) -> Vec<u8> {
        let (mut samples, mut payload, mut datagram) = ([0; 160], Vec::new(), Vec::new());
        self.tone.fill(&mut samples);
        Law::Mu.encode(&samples, &mut payload);
        self.sender.send(&payload, &mut datagram).unwrap();
        datagram
    }

    fn say(&mut self, said: &mut Vec<i16>) {
        let datagram = self.packet();
        Law::Mu.decode(&datagram[12..], said);
        self.socket.send_to(&datagram, self.manager).unwrap();
    }

    /// The next packet, and what is missing before it.
    fn hears(&self, last: &mut Option<SequenceNumber>, heard: &mut Heard) {
        let mut buffer = [0; 2000];
        let (len, from) = self.socket.recv_from(&mut buffer).unwrap();
        assert_eq!(from, self.manager);
        let packet = RtpPacket::parse(&buffer[..len]).unwrap();
        let sequence = packet.header.sequence;
        heard.missing += last.map_or(0, |last| u32::from(sequence.0.wrapping_sub(last.0).wrapping_sub(1)));
        *last = Some(sequence);
        Law::Mu.decode(packet.payload, &mut heard.samples);
    }
}

/// Of each pair one speaks to the other: of the first, who are relayed, at the pace of the second, who are mixed.
fn record(pairs: &mut [(Phone, Phone); 2]) -> [Heard; 2] {
    let mut heard = [(); 2].map(|()| Heard {
        said: Vec::new(),
        samples: Vec::new(),
        missing: 0,
        longest: Duration::ZERO,
    });
    let mut last = [None; 2];
    // What was on its way when the record before ended.
    for (_, listener) in &*pairs {
        listener.socket.set_nonblocking(true).unwrap();
        while listener.socket.recv_from(&mut [0; 2000]).is_ok() {}
        listener.socket.set_nonblocking(false).unwrap();
    }
    for _ in 0..RECORDED {
        for (at, (speaker, listener)) in pairs.iter_mut().enumerate() {
            let began = Instant::now();
            speaker.say(&mut heard[at].said);
            listener.hears(&mut last[at], &mut heard[at]);
            heard[at].longest = heard[at].longest.max(began.elapsed());
        }
    }
    heard
}

/// A datagram for a party's port, or for the one of its reports.
type Attack = fn(&mut ChaCha8Rng, good: &[u8]) -> Vec<u8>;

const ATTACKS: [(&str, Source, Attack); 7] = [
    ("strangers", Source::Stranger, |_, good| good.to_vec()),
    ("payload types", Source::Party, |chance, good| {
        let mut datagram = good.to_vec();
        datagram[1] = [3, 8, 18, 34, 96, 127][chance.random_range(0..6)];
        datagram
    }),
    ("huge", Source::Party, |chance, good| {
        let mut datagram = good.to_vec();
        datagram.resize(chance.random_range(1500..60_000), 0xFF);
        datagram
    }),
    ("tiny", Source::Party, |chance, good| good[..chance.random_range(0..13)].to_vec()),
    ("times", Source::Party, |chance, good| {
        let mut datagram = good.to_vec();
        // Number, time, and now and then the source.
        let changed = if chance.random_ratio(1, 50) { 2..12 } else { 2..8 };
        chance.fill_bytes(&mut datagram[changed]);
        datagram
    }),
    ("rate", Source::Party, |chance, good| {
        let mut datagram = good.to_vec();
        datagram[2..4].copy_from_slice(&chance.random_range(0..50_u16).to_be_bytes());
        datagram
    }),
    ("control", Source::PartysReports, |chance, _| {
        let mut datagram = vec![0; chance.random_range(4..200)];
        chance.fill_bytes(&mut datagram);
        datagram[..4].copy_from_slice(&[0x81, chance.random_range(200..205), 0, 7]);
        datagram
    }),
];

/// Where a flood comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Party,
    PartysReports,
    Stranger,
}

/// Sends until it is told to stop; what the network does not take is not counted.
fn flood(
    (source, attack): (Source, Attack),
    bad: &Phone,
    good: &[u8],
    (stop, sent): (&AtomicBool, &AtomicU64),
) {
    let mut chance = ChaCha8Rng::seed_from_u64(6);
    let stranger = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let (socket, port) = match source {
        Source::Party => (&bad.socket, bad.manager.port()),
        Source::PartysReports => (&bad.socket, bad.manager.port() + 1),
        Source::Stranger => (&stranger, bad.manager.port()),
    };
    while !stop.load(Ordering::Relaxed) {
        let datagram = attack(&mut chance, good);
        let taken = socket.send_to(&datagram, (LOOPBACK, port)).is_ok();
        sent.fetch_add(u64::from(taken), Ordering::Relaxed);
    }
}

fn refused(status: &Status) -> u64 {
    let counters = status.counters;
    counters.strangers + counters.malformed + counters.unexpected + counters.floods
}

fn sounds_as_it_should(name: &str, [relayed, mixed]: &[Heard; 2]) {
    for Heard { missing, longest, .. } in [relayed, mixed] {
        assert!(*missing <= MISSING, "{name}: {missing} packets are missing");
        assert!(*longest < Duration::from_secs(2), "{name}: {longest:?}");
    }
    if relayed.missing == 0 {
        assert!(
            relayed.said == relayed.samples,
            "{name}: what is relayed is what was said, sample by sample"
        );
    }
    // Where the machine lets whoever speaks wait, nothing is said for a moment.
    let is_tone = |window: &[i16]| match analyze(window).content {
        Content::Single(peak) => {
            (peak.frequency - PITCH).abs() < 5.0 && (peak.level.as_dbm0() - LOUDNESS).abs() < 0.5
        }
        _ => false,
    };
    for heard in [relayed, mixed] {
        let windows: Vec<_> = heard.samples[SETTLES..].chunks_exact(WINDOW).map(is_tone).collect();
        let good = windows.iter().filter(|good| **good).count();
        assert!(good * 2 > windows.len(), "{name}: {windows:?}");
    }
}

#[tokio::test]
async fn other_calls_sound_the_same_while_one_is_flooded() {
    let ports = "32000-33999".parse().unwrap();
    let (media, _ended) = media::start(media::Start { ports, tos: 0 }).unwrap();
    // Two who are relayed, two of three who are mixed, and two of whom one is flooded.
    let mut pairs = [
        (Phone::join(&media, 1).await, Phone::join(&media, 1).await),
        (Phone::join(&media, 2).await, Phone::join(&media, 2).await),
    ];
    let _third = Phone::join(&media, 2).await;
    let (mut bad, _beside) = (Phone::join(&media, 3).await, Phone::join(&media, 3).await);
    let good = bad.packet();
    // Nobody takes the place of a party that has said where it is.
    bad.socket.send_to(&good, bad.manager).unwrap();

    sounds_as_it_should("no flood", &record(&mut pairs));
    for (name, source, attack) in ATTACKS {
        let before = refused(&media.ask(Order::Status).await.unwrap());
        let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
        let began = Instant::now();
        let recorded = thread::scope(|scope| {
            let flood = scope.spawn(|| flood((source, attack), &bad, &good, (&stop, &sent)));
            // What panics must not leave it running.
            let recorded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                while sent.load(Ordering::Relaxed) < 100 && !flood.is_finished() {
                    thread::yield_now();
                }
                record(&mut pairs)
            }));
            stop.store(true, Ordering::Relaxed);
            recorded.unwrap()
        });
        let (took, sent) = (began.elapsed(), sent.into_inner());
        let status = media.ask(Order::Status).await.unwrap();
        let counted = refused(&status) - before;
        let [relayed, mixed] = recorded.each_ref().map(|heard| (heard.missing, heard.longest));
        println!(
            "{name}: {sent} datagrams in {took:?}, {counted} refused; relayed {relayed:?}, mixed {mixed:?}"
        );
        assert!(sent > 2000 && counted > 1000, "{name}: {sent} sent, {counted} counted");
        sounds_as_it_should(name, &recorded);
        assert_eq!((status.parties, status.crashes), (7, 0), "{name}");
    }
    media.send(Order::End).unwrap();
}
