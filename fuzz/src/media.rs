//! What must hold of the media engine, whatever comes to its ports. A broken promise is a panic.

use std::{net::SocketAddr, time::Duration};

use selsius_media::{
    Codec, PacketTime, RtpPacket, Ssrc, Time,
    engine::{BridgeId, Clip, Config, Engine, Format, Learning, Output, PartyId, Place, Port, SourceId},
    rtcp::{self, NtpTime},
};

/// Two who are relayed, two who are cut anew, three who are mixed, one who hears itself, one who hears music.
const PARTIES: [(Codec, u32, Place); 9] = [
    (Codec::G729, 20, Place::Bridge(BridgeId(0))),
    (Codec::G729, 20, Place::Bridge(BridgeId(0))),
    (Codec::Pcmu, 20, Place::Bridge(BridgeId(1))),
    (Codec::Pcmu, 30, Place::Bridge(BridgeId(1))),
    (Codec::Pcmu, 20, Place::Bridge(BridgeId(2))),
    (Codec::Pcma, 60, Place::Bridge(BridgeId(2))),
    (Codec::Pcma, 10, Place::Bridge(BridgeId(2))),
    (Codec::Pcmu, 20, Place::Echo),
    (Codec::Pcma, 20, Place::Source(SourceId(1))),
];
/// How much may come out for one thing that came in: reports of all, and the packets of a bridge that was late.
const MOST: usize = 100;

/// Datagrams come to the ports of parties that are placed in every way that there is, from the right address or from others.
/// Whatever they are: what goes out is RTP and RTCP with one source and one payload type for each party, to where the party
/// is, and bounded.
///
/// Each datagram has four bytes before it: its party and port, where it comes from, the milliseconds that have passed, and its
/// length.
pub fn datagrams(mut data: &[u8]) {
    let mut engine = Engine::new(Config { seed: 1, wall: NtpTime(0), name: "fuzz".into() });
    engine.set_source(SourceId(1), Clip::Loop([7; 100].into())).expect("it is the first one");
    let mut now = Time::ZERO;
    let mut parties: Vec<_> = PARTIES
        .iter()
        .enumerate()
        .map(|(at, &(codec, millis, place))| {
            let format = Format::new(codec, PacketTime::from_millis(millis).expect("one of the list"));
            let learning = if at % 2 == 0 { Learning::SameHost } else { Learning::Anywhere };
            let id = engine.open(now, format, Some(address(at, 0)), learning).expect("few");
            engine.place(now, id, place).expect("they fit");
            Party { id, format, learning, ssrc: None }
        })
        .collect();
    while let [to, from, millis, length, rest @ ..] = data {
        let length = usize::from(*length).min(rest.len());
        let (datagram, rest) = rest.split_at(length);
        data = rest;
        now += Duration::from_millis(u64::from(*millis));
        let party = usize::from(to >> 1) % PARTIES.len();
        let (id, from) = (parties[party].id, address(party, from % 4));
        if to & 1 == 0 {
            engine.receive(now, id, from, datagram);
        } else {
            engine.receive_control(now, id, from, datagram);
        }
        outputs(&mut engine, &mut parties);
        engine.handle_timeout(now);
        outputs(&mut engine, &mut parties);
        assert!(engine.poll_timeout().is_some_and(|at| at > now));
    }
    for party in parties {
        let figures = engine.close(now, party.id).expect("it is open");
        assert!(figures.received.lost <= figures.received.expected);
    }
    assert_eq!((engine.parties(), engine.bridges()), (0, 0));
}

struct Party {
    id: PartyId,
    format: Format,
    learning: Learning,
    ssrc: Option<Ssrc>,
}

/// The announced one, another port, another host.
fn address(party: usize, which: u8) -> SocketAddr {
    let port = 4000 + u16::from(which % 2) * 2;
    SocketAddr::from(([10, 0, which / 2, party as u8], port))
}

fn outputs(engine: &mut Engine, parties: &mut [Party]) {
    let mut count = 0;
    while let Some(output) = engine.poll_output() {
        count += 1;
        assert!(count < MOST);
        let Output::Packet { party, to, port, bytes } = output else { continue };
        let at = parties.iter().position(|known| known.id == party).expect("it is open");
        let party = &mut parties[at];
        match port {
            Port::Media => {
                if party.learning == Learning::SameHost {
                    assert_eq!(to, address(at, 0));
                }
                let packet = RtpPacket::parse(bytes).expect("it is well formed");
                assert_eq!(*party.ssrc.get_or_insert(packet.header.ssrc), packet.header.ssrc);
                let payload_type = Some(packet.header.payload_type);
                let known = [Some(party.format.payload_type), party.format.events];
                assert!(known.contains(&payload_type) || packet.header.payload_type.as_u8() == 13);
            }
            Port::Control => assert!(rtcp::parse(bytes).is_ok_and(|packets| packets.len() == 2)),
        }
    }
}
