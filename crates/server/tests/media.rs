//! The media thread with real sockets: what phones send goes where it should, and what goes wrong stays where it is.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::mpsc::channel,
    time::Duration,
};

use selsius_media::{
    Codec, Digit, PacketTime, PayloadType, RtpPacket, RtpTimestamp, Sender, SequenceNumber, Ssrc,
    dtmf::Press,
    engine::{BridgeId, Event, Format, Learning, Place},
    rtp::StreamStart,
};
use selsius_server::{
    config::PortRange,
    core::Unavailable,
    media::{self, Answer, Handle, Happening, Opening, Order, Party, Status, Watcher},
};
use selsius_srtp::{Incoming, Outgoing};
use selsius_wire::srtp::{Keys, PartyKeys, Suite};

const DEADLINE: Duration = Duration::from_secs(20);
const FORMAT: Format = Format::new(Codec::Pcmu, PacketTime::DEFAULT);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A media thread that ends with the test.
struct Thread {
    media: Handle,
    ended: tokio::sync::oneshot::Receiver<()>,
}

impl Thread {
    fn start(ports: &str) -> Self {
        let ports = ports.parse::<PortRange>().unwrap();
        let (media, ended) = media::start(media::Start { ports, tos: 0xB8 }).unwrap();
        Self { media, ended }
    }

    async fn status(&self) -> Status {
        self.media.ask(Order::Status).await.unwrap()
    }

    /// Asks until it is as wanted: for what comes by a socket.
    async fn until(&self, wanted: impl Fn(&Status) -> bool) {
        let waits = async {
            while !wanted(&self.status().await) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, waits).await.unwrap();
    }
}

/// A phone's port, and the manager's for it.
struct Phone {
    socket: UdpSocket,
    /// If its audio is encrypted.
    cover: Option<(Outgoing, Incoming)>,
    sender: Sender,
    party: Party,
    manager: SocketAddr,
}

impl Phone {
    async fn join(media: &Handle, address: IpAddr, bridge: u64, watcher: Option<Watcher>) -> Option<Self> {
        Self::join_with(media, address, bridge, watcher, None).await
    }

    async fn join_with(
        media: &Handle,
        address: IpAddr,
        bridge: u64,
        watcher: Option<Watcher>,
        srtp: Option<PartyKeys>,
    ) -> Option<Self> {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let (remote, place) = (socket.local_addr().unwrap(), Place::Bridge(BridgeId(bridge)));
        let learning = Learning::SameHost;
        let opening = Opening { format: FORMAT, address, remote: Some(remote), learning, place, srtp };
        let (party, manager) = media.open(opening, watcher).await.unwrap()?;
        let start = StreamStart {
            ssrc: Ssrc(remote.port().into()),
            sequence: SequenceNumber(1),
            timestamp: RtpTimestamp(1),
        };
        let sender = Sender::new(Codec::Pcmu, PacketTime::DEFAULT, start);
        let cover = srtp.map(|keys| (Outgoing::new(&keys.sends), Incoming::new(&keys.hears)));
        Some(Self { socket, cover, sender, party, manager })
    }

    fn say(&mut self, byte: u8) {
        let datagram = self.packet(byte);
        self.socket.send_to(&datagram, self.manager).unwrap();
    }

    /// Its next packet, as it goes over the network.
    fn packet(&mut self, byte: u8) -> Vec<u8> {
        let mut datagram = Vec::new();
        self.sender.send(&[byte; 160], &mut datagram).unwrap();
        match &mut self.cover {
            Some((outgoing, _)) => outgoing.rtp(&datagram).unwrap().to_vec(),
            None => datagram,
        }
    }

    /// The next packet: its first byte, and that it comes from where the manager listens.
    fn hears(&mut self) -> u8 {
        let mut buffer = [0; 2000];
        let (len, from) = self.socket.recv_from(&mut buffer).unwrap();
        assert_eq!(from, self.manager);
        let plain = match &mut self.cover {
            Some((_, incoming)) => incoming.rtp(&buffer[..len]).unwrap(),
            None => &buffer[..len],
        };
        RtpPacket::parse(plain).unwrap().payload[0]
    }
}

#[tokio::test]
async fn two_hear_each_other_by_both_families_and_strangers_are_not_heard() {
    for address in [LOOPBACK, Ipv6Addr::LOCALHOST.into()] {
        if UdpSocket::bind((address, 0)).is_err() {
            continue;
        }
        let thread = Thread::start("20000-29999");
        let mut one = Phone::join(&thread.media, address, 1, None).await.unwrap();
        let mut other = Phone::join(&thread.media, address, 1, None).await.unwrap();
        assert_eq!((one.manager.ip(), one.manager.port() % 2), (address, 0));
        assert_ne!(one.manager, other.manager);
        for byte in 1..=50 {
            one.say(byte);
            assert_eq!(other.hears(), byte);
            other.say(100 + byte);
            assert_eq!(one.hears(), 100 + byte);
        }
        let stranger = UdpSocket::bind((address, 0)).unwrap();
        let mut datagram = Vec::new();
        other.sender.clone().send(&[9; 160], &mut datagram).unwrap();
        stranger.send_to(&datagram, one.manager).unwrap();
        stranger.send_to(b"garbage", one.manager).unwrap();
        thread.until(|status| (status.counters.strangers, status.counters.malformed) == (1, 1)).await;
        let (figures, party) = (thread.media.ask(|answer| Order::Figures(one.party, answer)), one.party);
        assert_eq!(figures.await.unwrap().unwrap().received.packets, 50);
        let closed = thread.media.ask(|answer| Order::Close { party, answer: Some(answer) }).await;
        assert_eq!(closed.unwrap().unwrap().sent_packets, 50);
        // Its ports are closed, and nobody has them.
        let status = thread.status().await;
        assert_eq!((status.parties, status.bridges, status.free_ports), (1, 1, 4999));
        assert!(UdpSocket::bind(one.manager).is_ok());
        thread.media.send(Order::End).unwrap();
        assert!(thread.ended.await.is_err(), "it ends");
        assert_eq!(thread.media.send(Order::End), Err(Unavailable::Stopped));
    }
}

fn party_keys(suite: Suite, byte: u8) -> PartyKeys {
    PartyKeys {
        sends: Keys::random(suite, |bytes| bytes.fill(byte)),
        hears: Keys::random(suite, |bytes| bytes.fill(byte + 1)),
    }
}

#[tokio::test]
async fn what_is_encrypted_is_so_on_the_network_only_and_nothing_else_is_taken() {
    let thread = Thread::start("30000-30999");
    let keys = party_keys(Suite::AeadAes128Gcm, 1);
    let mut one = Phone::join_with(&thread.media, LOOPBACK, 1, None, Some(keys)).await.unwrap();
    let mut other = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    for byte in 1..=20 {
        one.say(byte);
        assert_eq!(other.hears(), byte);
        other.say(100 + byte);
        assert_eq!(one.hears(), 100 + byte);
    }
    // Its own packet again, one that was changed, one in clear, one with other keys, a report in clear.
    let again = one.packet(7);
    one.socket.send_to(&again, one.manager).unwrap();
    assert_eq!(other.hears(), 7);
    one.socket.send_to(&again, one.manager).unwrap();
    let mut changed = one.packet(8);
    changed[20] ^= 1;
    let mut clear = Vec::new();
    one.sender.send(&[9; 160], &mut clear).unwrap();
    let strange = Outgoing::new(&party_keys(Suite::AeadAes128Gcm, 5).sends).rtp(&clear).unwrap().to_vec();
    for wrong in [changed, clear, strange] {
        one.socket.send_to(&wrong, one.manager).unwrap();
    }
    let control = SocketAddr::new(one.manager.ip(), one.manager.port() + 1);
    one.socket.send_to(&[&[0x80, 201, 0, 1][..], &[0; 4]].concat(), control).unwrap();
    thread.until(|status| (status.replayed, status.forged) == (1, 4)).await;
    // None of them was heard, and what follows is.
    one.say(10);
    assert_eq!(other.hears(), 10);
    let figures = thread.media.ask(|answer| Order::Figures(one.party, answer)).await.unwrap().unwrap();
    assert_eq!(figures.received.packets, 22);
    // Other keys, which the phone has a moment later.
    let keys = PartyKeys { hears: keys.hears, ..party_keys(Suite::AeadAes128Gcm, 40) };
    thread.media.send(Order::Srtp(one.party, Some(keys))).unwrap();
    one.say(11);
    assert_eq!(other.hears(), 11);
    one.cover.as_mut().unwrap().0 = Outgoing::new(&keys.sends);
    one.say(12);
    assert_eq!(other.hears(), 12);
    other.say(13);
    assert_eq!(one.hears(), 13, "the other direction goes on counting");
    // And in clear again.
    thread.media.send(Order::Srtp(one.party, None)).unwrap();
    one.cover = None;
    one.say(14);
    assert_eq!(other.hears(), 14);
    thread.media.send(Order::End).unwrap();
}

#[tokio::test]
async fn where_no_port_is_left_nobody_is_opened_and_the_others_go_on() {
    let thread = Thread::start("15921-15925");
    let mut one = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    let mut other = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    assert!(Phone::join(&thread.media, LOOPBACK, 1, None).await.is_none());
    let status = thread.status().await;
    assert_eq!((status.parties, status.free_ports, status.refused), (2, 0, 1));
    one.say(7);
    assert_eq!(other.hears(), 7);
    thread.media.send(Order::Close { party: one.party, answer: None }).unwrap();
    let mut third = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    third.say(8);
    assert_eq!(other.hears(), 8);
    thread.media.send(Order::End).unwrap();
}

#[tokio::test]
async fn an_exchange_that_begins_anew_leaves_no_party_of_its_own() {
    let thread = Thread::start("24000-24999");
    for number in 0..3 {
        let (place, learning) = (Place::Bridge(BridgeId(1)), Learning::SameHost);
        let opening =
            Opening { format: FORMAT, address: LOOPBACK, remote: None, learning, place, srtp: None };
        let (party, watcher) = (Party::of_exchange(number), None);
        let opening = Box::new(opening);
        let open = |answer| Order::Open { party, opening, watcher, answer: Answer::Waiting(answer) };
        assert!(thread.media.ask(open).await.unwrap().is_some());
    }
    let mut others = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    thread.media.send(Order::CloseExchange).unwrap();
    let status = thread.status().await;
    assert_eq!((status.parties, status.free_ports), (1, 499));
    let mut other = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    others.say(5);
    assert_eq!(other.hears(), 5);
    thread.media.send(Order::End).unwrap();
}

#[tokio::test]
async fn a_crash_is_told_to_those_who_have_parties_and_it_begins_again() {
    let thread = Thread::start("30000-31999");
    let (told, happened) = channel();
    let lost: Watcher = Box::new(move |happening| {
        if let Happening::Lost = happening {
            told.send(()).unwrap();
        }
    });
    let fatal: Watcher = Box::new(|happening| {
        if let Happening::Event(Event::Digit(Digit::Nine)) = happening {
            panic!("the test wants it so");
        }
    });
    let _one = Phone::join(&thread.media, LOOPBACK, 1, Some(lost)).await.unwrap();
    let mut other = Phone::join(&thread.media, LOOPBACK, 1, Some(fatal)).await.unwrap();
    let mut press = Press::new(Digit::Nine, 10, Duration::from_millis(50));
    let mut datagram = Vec::new();
    other.sender.send_event(&mut press, PayloadType::TELEPHONE_EVENT, &mut datagram).unwrap();
    other.socket.send_to(&datagram, other.manager).unwrap();
    thread.until(|status| status.crashes == 1).await;
    happened.recv_timeout(DEADLINE).unwrap();
    let status = thread.status().await;
    assert_eq!((status.parties, status.free_ports), (0, 1000));
    assert_eq!(status.counters.received, 1, "counters only grow");
    let mut one = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    let mut other = Phone::join(&thread.media, LOOPBACK, 1, None).await.unwrap();
    one.say(3);
    assert_eq!(other.hears(), 3);
    thread.media.send(Order::End).unwrap();
}
