//! Floods of everything that is no audio of the call, while other calls are recorded: what these get is the same, byte for byte.

use std::net::SocketAddr;

use rand::{Rng, RngExt};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_media::engine::{BridgeId, Clip, Counters, Place, SourceId};
use selsius_media::rtcp::{self, NtpTime, ReportBlock, RtcpPacket, SenderInfo};
use selsius_media::{Codec, RtpTimestamp, Ssrc};

use super::MU;
use super::bench::{BRIDGE, Bench, format};

/// Two who are relayed, two whose codecs differ, three who are mixed, one with music: nothing of theirs may change.
const OTHERS: usize = 8;
/// The party under attack, or that attacks.
const BAD: usize = 8;
/// Those in a conference with it.
const BESIDE: [usize; 2] = [9, 10];
/// Milliseconds of it, and datagrams in each.
const LASTS: u64 = 1000;
const AT_ONCE: u32 = 40;

fn office() -> Bench {
    let mut bench = Bench::new();
    bench.engine.set_source(SourceId(1), Clip::Loop((0..4000).collect())).unwrap();
    for (format, frequency, place) in [
        (MU, 440, Place::Bridge(BridgeId(10))),
        (MU, 1000, Place::Bridge(BridgeId(10))),
        (format(Codec::Pcma, 30), 500, Place::Bridge(BridgeId(11))),
        (MU, 1100, Place::Bridge(BridgeId(11))),
        (MU, 600, Place::Bridge(BridgeId(12))),
        (format(Codec::G722, 20), 1200, Place::Bridge(BridgeId(12))),
        (MU, 1700, Place::Bridge(BridgeId(12))),
        (MU, 700, Place::Source(SourceId(1))),
        (MU, 440, Place::Bridge(BRIDGE)),
        (MU, 900, Place::Bridge(BRIDGE)),
        (MU, 1500, Place::Bridge(BRIDGE)),
    ] {
        let phone = bench.phone(format, frequency);
        bench.place(phone, place);
    }
    bench
}

/// A packet of RTP with these numbers.
fn rtp(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: usize) -> Vec<u8> {
    let mut datagram = vec![0x80, payload_type];
    datagram.extend_from_slice(&sequence.to_be_bytes());
    datagram.extend_from_slice(&timestamp.to_be_bytes());
    datagram.extend_from_slice(&ssrc.to_be_bytes());
    datagram.resize(12 + payload, 0x55);
    datagram
}

/// One datagram of an attack: to the port of media or of control, and from where.
struct Shot {
    control: bool,
    from: SocketAddr,
    datagram: Vec<u8>,
}

type Attack = fn(&mut ChaCha8Rng, SocketAddr) -> Shot;

/// The stream that the bench's phone of this number sends.
const BADS_SSRC: u32 = BAD as u32 + 100;

fn media(from: SocketAddr, datagram: Vec<u8>) -> Shot {
    Shot { control: false, from, datagram }
}

fn control(from: SocketAddr, datagram: Vec<u8>) -> Shot {
    Shot { control: true, from: SocketAddr::new(from.ip(), from.port() + 1), datagram }
}

/// How it is called, what it sends, and what that is counted as.
type Kind = (&'static str, Attack, fn(&Counters) -> u64);

const ATTACKS: [Kind; 12] = [
    ("strangers", strangers, |counters| counters.strangers),
    ("payload types", payload_types, |counters| counters.unexpected),
    ("huge", huge, |counters| counters.unexpected),
    ("tiny", tiny, |counters| counters.malformed),
    ("headers", headers, |counters| counters.malformed + counters.floods),
    ("times", times, |counters| counters.floods),
    ("sources", sources, |counters| counters.floods),
    ("keys", keys, |counters| counters.floods),
    ("silence", silence, |counters| counters.floods),
    ("reports", reports, |counters| counters.floods),
    ("control", garbage, |counters| counters.floods),
    ("everything", everything, |counters| counters.floods + counters.malformed + counters.unexpected),
];

fn strangers(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    // Good packets of the party's own stream, from other hosts and from other ports of its own.
    let other = match chance.random_range(0..3) {
        0 => SocketAddr::new(from.ip(), chance.random_range(1..4000)),
        1 => SocketAddr::from(([203, 0, 113, chance.random()], from.port())),
        _ => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, chance.random()], 4000)),
    };
    media(other, rtp(0, chance.random(), chance.random(), BADS_SSRC, 160))
}

fn payload_types(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    // Neither its codec, nor keys, nor comfort noise; 64 to 95 would be RTCP.
    let wrong = [1, 3, 8, 9, 18, 34, 63, 96, 100, 102, 127];
    let payload_type = wrong[chance.random_range(0..wrong.len())];
    media(from, rtp(payload_type, chance.random(), chance.random(), BADS_SSRC, 160))
}

fn huge(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    media(from, rtp(0, chance.random(), chance.random(), BADS_SSRC, chance.random_range(1401..65_000)))
}

fn tiny(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    let mut datagram = rtp(0, chance.random(), chance.random(), BADS_SSRC, 0);
    datagram.truncate(chance.random_range(0..12));
    media(from, datagram)
}

fn headers(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    // Versions, padding, extensions and sources that are there or not, and lengths that do not fit.
    let mut datagram = rtp(0, chance.random(), chance.random(), BADS_SSRC, chance.random_range(0..200));
    datagram[0] = chance.random();
    for _ in 0..chance.random_range(0..4) {
        let at = chance.random_range(0..datagram.len());
        datagram[at] = chance.random();
    }
    media(from, datagram)
}

fn times(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    // Times jump, numbers go on; or the other way round; or both jump.
    let (sequence, timestamp) = match chance.random_range(0..3) {
        0 => (chance.random_range(0..100), chance.random()),
        1 => (chance.random(), chance.random_range(0..100_000)),
        _ => (chance.random(), chance.random()),
    };
    media(from, rtp(0, sequence, timestamp, BADS_SSRC, 160))
}

fn sources(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    // Two packets in a row prove a source: a new one again and again.
    let pair: u32 = chance.random_range(0..50);
    media(from, rtp(0, (pair % 2) as u16, pair % 2 * 160, pair / 2, 160))
}

fn keys(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    let mut datagram = rtp(101, chance.random(), chance.random(), BADS_SSRC, 4);
    datagram[12..].copy_from_slice(&[chance.random(), chance.random(), chance.random(), chance.random()]);
    media(from, datagram)
}

fn silence(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    // Comfort noise as loud as can be, of any length.
    let mut datagram = rtp(13, chance.random(), chance.random(), BADS_SSRC, chance.random_range(0..1400));
    datagram[12..].fill(0);
    media(from, datagram)
}

fn reports(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    // Of streams that are its own, ours, others' or nobody's; and the end of them.
    let ssrc = Ssrc(chance.random_range(95..120));
    let block = ReportBlock {
        ssrc: Ssrc(chance.random()),
        fraction_lost: chance.random(),
        cumulative_lost: chance.random_range(-8_388_608..8_388_607),
        extended_highest: chance.random(),
        jitter: chance.random(),
        last_sender_report: chance.random(),
        delay_since_last_report: chance.random(),
    };
    let info = SenderInfo {
        ntp: NtpTime(chance.random()),
        timestamp: RtpTimestamp(chance.random()),
        packets: chance.random(),
        octets: chance.random(),
    };
    let (reports, extension) = (vec![block; chance.random_range(0..20)], Vec::new());
    let packet = match chance.random_range(0..3) {
        0 => RtcpPacket::SenderReport { ssrc, info, reports, extension },
        1 => RtcpPacket::ReceiverReport { ssrc, reports, extension },
        _ => RtcpPacket::Goodbye { sources: vec![ssrc; 3], reason: None },
    };
    let mut datagram = Vec::new();
    rtcp::write(&[packet], &mut datagram).unwrap();
    control(from, datagram)
}

fn garbage(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    let mut datagram = vec![0; chance.random_range(0..2000)];
    chance.fill_bytes(&mut datagram);
    if let [first, second, ..] = &mut datagram[..] {
        (*first, *second) = (0x80 | *first & 0x3F, chance.random_range(200..208));
    }
    control(from, datagram)
}

fn everything(chance: &mut ChaCha8Rng, from: SocketAddr) -> Shot {
    let (_, attack, _) = ATTACKS[chance.random_range(0..ATTACKS.len() - 1)];
    attack(chance, from)
}

/// The office for a while, under attack or not.
fn play(attack: Option<Attack>) -> Bench {
    let mut bench = office();
    bench.run(500);
    let mut chance = ChaCha8Rng::seed_from_u64(6);
    let (id, from) = (bench.phones[BAD].id, bench.phones[BAD].address);
    for _ in 0..LASTS {
        for _ in 0..AT_ONCE {
            let Some(attack) = attack else { break };
            let Shot { control, from, datagram } = attack(&mut chance, from);
            match control {
                true => bench.engine.receive_control(bench.now, id, from, &datagram),
                false => bench.engine.receive(bench.now, id, from, &datagram),
            }
            bench.outputs();
        }
        bench.run(1);
    }
    // Reports of some are due by then.
    bench.run(2500);
    bench
}

#[test]
fn other_calls_get_the_same_bytes_at_the_same_moments() {
    let quiet = play(None);
    let reports: usize = quiet.phones[..OTHERS].iter().map(|phone| phone.reports.len()).sum();
    assert!(reports > 1, "{reports} reports");
    for phone in &quiet.phones[..OTHERS] {
        assert!(phone.datagrams.len() > 120, "{} packets", phone.datagrams.len());
        assert_eq!(phone.stats.quality().lost, 0);
    }
    for (name, attack, refused) in ATTACKS {
        let bench = play(Some(attack));
        let shots = LASTS * u64::from(AT_ONCE);
        let counters = bench.engine.counters();
        let counted = refused(&counters);
        assert!(counted > shots / 2, "{name}: {counters:?}");
        for phone in 0..OTHERS {
            let (before, after) = (&quiet.phones[phone], &bench.phones[phone]);
            assert!(before.datagrams == after.datagrams, "{name}: phone {phone}");
            assert!(before.reports == after.reports, "{name}: reports to phone {phone}");
            assert!(before.heard == after.heard, "{name}: what phone {phone} hears");
        }
        // Those in a conference with it get a packet whenever they did before, and each other when it is over.
        for (phone, other) in BESIDE.into_iter().zip([1500, 900]) {
            let moments =
                |bench: &Bench| bench.phones[phone].datagrams.iter().map(|(at, _)| *at).collect::<Vec<_>>();
            assert!(moments(&quiet) == moments(&bench), "{name}: phone {phone}");
            assert!(bench.tones(phone).contains(&other), "{name}: {:?}", bench.hears(phone));
        }
        // It gets no more than what it would: nothing that comes in makes more go out.
        let (before, after) = (quiet.phones[BAD].datagrams.len(), bench.phones[BAD].datagrams.len());
        assert!(after <= before, "{name}: {after} packets instead of {before}");
    }
}

#[test]
fn a_peer_that_never_says_anything_costs_its_call_alone() {
    let mut bench = office();
    for phone in [BAD, 0] {
        bench.phones[phone].silent = true;
    }
    bench.run(3000);
    // It gets all that the others say, and its own call hears silence without a gap.
    assert_eq!(bench.tones(BAD), [900, 1500]);
    assert_eq!(bench.tones(BESIDE[0]), [1500]);
    assert_eq!(bench.tones(0), [1000]);
    assert_eq!(bench.tones(1), [0_u32; 0]);
    let figures = bench.engine.figures(bench.now, bench.phones[BAD].id).unwrap();
    assert_eq!((figures.received.packets, figures.score, figures.source), (0, None, None));
    assert!(figures.sent_packets > 140);
}
