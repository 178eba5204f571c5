//! Streams of audio and video: which were ordered, where they go, and what has to be let through for them.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use selsius_wire::{ManagerMessage, StationMessage, message::ServerRes, value::MediaAddress};

use super::{finding::FindingKind, judge::Found, policy::MediaRules};

/// One way through the guard, for one stream and its reports (the port above).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Where the sender sends to. Without translation that is where the receiver listens.
    pub at: SocketAddr,
    /// Where the receiver listens.
    pub to: SocketAddr,
    /// The sender's address, where that is known. Its port may be any: RTP is sent from other ports than those announced
    /// (wire-facts, Media).
    pub from: Option<IpAddr>,
}

/// What has to be let through for one stream of one phone, now. Both empty: nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// Which; never used again.
    pub id: u64,
    /// Towards the phone.
    pub inward: Option<Hole>,
    /// From the phone.
    pub outward: Option<Hole>,
}

/// The streams of one phone.
#[derive(Debug, Default)]
pub(super) struct Media {
    /// By their party ids; those of CallManager 2.x have none and share 0.
    streams: BTreeMap<u32, Stream>,
    /// The port that a phone of CallManager 2.x told.
    port: Option<u16>,
    /// How it appears to the manager, as long as the connection is there.
    pub(super) appears: Option<SocketAddr>,
}

/// One stream, with both its ways.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) id: u64,
    pub(super) reference: u32,
    conference: u32,
    /// The manager waits for the phone's port.
    opening: bool,
    /// The manager waits for nothing else of it, but may be told from where the phone sends.
    starting: bool,
    /// A port was asked for, before a channel opens.
    asked_port: bool,
    /// Where the phone listens, by its own address.
    pub(super) local: Option<SocketAddr>,
    /// Where the phone sends to, as the manager said it.
    pub(super) remote: Option<SocketAddr>,
    /// From where the manager says that audio will come.
    pub(super) source: Option<IpAddr>,
    /// A group that the phone listens to.
    pub(super) heard: Option<SocketAddr>,
    /// A group that the phone speaks to.
    pub(super) spoken: Option<SocketAddr>,
    /// What was last told.
    pub(super) passage: Option<Passage>,
}

/// What the rules for addresses need to know of the two ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// The phone, as the guard sees it.
    pub(super) station: IpAddr,
    /// The address that it says is its own.
    pub(super) own: Option<IpAddr>,
}

/// Streams of one phone at once; with a recorder and video a call has up to eight.
const MOST_STREAMS: usize = 64;

impl Media {
    /// May a phone say this?
    pub(super) fn check_station(
        &self,
        said: &StationMessage,
        ends: Ends,
        rules: &MediaRules,
        is_whole: bool,
        found: &mut Found,
    ) {
        use StationMessage as S;
        let mut listens = |address: &MediaAddress, port: u32| {
            check_own(address.ip, port, ends, rules, found);
        };
        let (party, asked): (u32, fn(&Stream) -> bool) = match said {
            S::OpenReceiveChannelAck(ack) => {
                if u32::from(ack.media_reception_status) == 0 {
                    listens(&ack.ip_addr, ack.port_number);
                }
                (ack.pass_through_party_id, |stream| stream.opening)
            }
            S::OpenMultiMediaReceiveChannelAck(ack) => {
                if u32::from(ack.multimedia_reception_status) == 0 {
                    listens(&ack.ip_addr, ack.port_number);
                }
                (ack.pass_through_party_id, |stream| stream.opening)
            }
            S::PortRes(answer) => {
                listens(&answer.ip_addr, answer.port_number);
                (answer.pass_through_party_id, |stream| stream.asked_port)
            }
            S::StartMediaTransmissionAck(ack) => {
                if u32::from(ack.media_transmission_status) == 0 {
                    listens(&ack.transmit_ip_addr, ack.port_number);
                }
                // A 6901 fills in the call alone (wire-facts, Media).
                let known = self
                    .streams
                    .values()
                    .any(|stream| stream.starting && stream.reference == ack.call_reference);
                if is_whole && !known && !self.has(ack.pass_through_party_id, |stream| stream.starting) {
                    found.add(FindingKind::AnswerUnasked);
                }
                return;
            }
            S::IpPort(port) => {
                if u16::try_from(port.rtp_media_port).is_ok_and(|port| rules.ports.contains(&port)) {
                    return;
                }
                return found.say(FindingKind::MediaPort, format!("port {}", port.rtp_media_port));
            }
            _ => return,
        };
        if is_whole && !self.has(party, asked) {
            found.say(FindingKind::AnswerUnasked, format!("party {party}"));
        }
    }

    /// May a manager say this?
    pub(super) fn check_manager(&self, said: &ManagerMessage, rules: &MediaRules, found: &mut Found) {
        use ManagerMessage as M;
        match said {
            M::StartMediaTransmission(start) => {
                check_target(start.remote_ip_addr.ip, start.remote_port_number, rules, found);
                if matches!(start.party_direction, 1 | 2) {
                    found.say(FindingKind::RecorderFork, format!("to {}", start.remote_ip_addr.ip));
                }
            }
            M::StartMediaTransmissionCm2(start) => {
                check_target(start.remote_ip_addr.into(), start.remote_port_number, rules, found);
            }
            M::StartMultiMediaTransmission(start) => {
                check_target(start.remote_ip_addr.ip, start.remote_port_number, rules, found);
            }
            M::StartMulticastMediaReception(start) => {
                check_group(start.multicast_ip_addr.ip, start.multicast_port_number, rules, found);
            }
            M::StartMulticastMediaTransmission(start) => {
                check_group(start.multicast_ip_addr.ip, start.multicast_port_number, rules, found);
            }
            _ => {}
        }
    }

    /// A phone has said this. Gives out the party whose stream has changed.
    pub(super) fn learn_station(&mut self, said: &StationMessage, ends: Ends) -> Option<u32> {
        use StationMessage as S;
        let (party, listens) = match said {
            S::IpPort(port) => {
                self.port = u16::try_from(port.rtp_media_port).ok();
                return None;
            }
            S::OpenReceiveChannelAck(ack) => {
                let good = u32::from(ack.media_reception_status) == 0;
                (ack.pass_through_party_id, good.then(|| own(ack.ip_addr.ip, ack.port_number, ends)))
            }
            S::OpenMultiMediaReceiveChannelAck(ack) => {
                let good = u32::from(ack.multimedia_reception_status) == 0;
                (ack.pass_through_party_id, good.then(|| own(ack.ip_addr.ip, ack.port_number, ends)))
            }
            S::PortRes(answer) => {
                let stream = self.streams.get_mut(&answer.pass_through_party_id)?;
                stream.asked_port = false;
                return None;
            }
            _ => return None,
        };
        let stream = self.streams.get_mut(&party)?;
        stream.opening = false;
        stream.local = listens.flatten();
        Some(party)
    }

    /// A manager has said this. Gives out the party whose stream has changed. `next` names new streams.
    pub(super) fn learn_manager(
        &mut self,
        said: &ManagerMessage,
        station: IpAddr,
        next: &mut u64,
    ) -> Result<Option<u32>, NoRoom> {
        use ManagerMessage as M;
        let (party, reference, conference) = match said {
            M::OpenReceiveChannel(o) => (o.pass_through_party_id, o.call_reference, o.conference_id),
            M::OpenMultiMediaReceiveChannel(o) => {
                (o.pass_through_party_id, o.call_reference, o.conference_id)
            }
            M::StartMediaTransmission(s) => (s.pass_through_party_id, s.call_reference, s.conference_id),
            M::StartMultiMediaTransmission(s) => (s.passthru_party_id, s.call_reference, s.conference_id),
            M::StartMulticastMediaReception(s) => {
                (s.pass_through_party_id, s.call_reference, s.conference_id)
            }
            M::StartMulticastMediaTransmission(s) => {
                (s.pass_through_party_id, s.call_reference, s.conference_id)
            }
            M::PortReq(p) => (p.pass_through_party_id, p.call_reference, p.conference_id),
            M::StartMediaTransmissionCm2(_) | M::StartMediaReception(_) => (0, 0, 0),
            M::CloseReceiveChannel(c) => {
                return Ok(self.stop(c.pass_through_party_id, |s| s.stop_receiving()));
            }
            M::CloseMultiMediaReceiveChannel(c) => {
                return Ok(self.stop(c.pass_through_party_id, |s| s.stop_receiving()));
            }
            M::StopMediaTransmission(c) => {
                return Ok(self.stop(c.pass_through_party_id, |s| s.stop_sending()));
            }
            M::StopMultiMediaTransmission(c) => {
                return Ok(self.stop(c.pass_through_party_id, |s| s.stop_sending()));
            }
            M::StopMediaReception(_) => return Ok(self.stop(0, |s| s.stop_receiving())),
            M::StopMulticastMediaReception(c) => {
                return Ok(self.stop(c.pass_through_party_id, |s| s.heard = None));
            }
            M::StopMulticastMediaTransmission(c) => {
                return Ok(self.stop(c.pass_through_party_id, |s| s.spoken = None));
            }
            _ => return Ok(None),
        };
        if !self.streams.contains_key(&party) && self.streams.len() >= MOST_STREAMS {
            return Err(NoRoom);
        }
        let port = self.port;
        let stream = self.streams.entry(party).or_insert_with(|| {
            *next += 1;
            Stream { id: *next, ..Stream::default() }
        });
        stream.reference = if reference == 0 { stream.reference } else { reference };
        stream.conference = conference;
        match said {
            M::OpenReceiveChannel(open) => stream.open(open.source_ip_addr.ip),
            M::OpenMultiMediaReceiveChannel(open) => stream.open(open.source_ip_addr.ip),
            M::StartMediaTransmission(start) => {
                stream.start(start.remote_ip_addr.ip, start.remote_port_number)
            }
            M::StartMultiMediaTransmission(start) => {
                stream.start(start.remote_ip_addr.ip, start.remote_port_number);
            }
            M::StartMediaTransmissionCm2(start) => {
                stream.start(start.remote_ip_addr.into(), start.remote_port_number);
            }
            M::StartMediaReception(start) => {
                stream.source = Some(IpAddr::V4(start.remote_ip_addr)).filter(|ip| !ip.is_unspecified());
                stream.local = port.map(|port| SocketAddr::new(station, port));
            }
            M::StartMulticastMediaReception(start) => {
                stream.heard = place(start.multicast_ip_addr.ip, start.multicast_port_number);
            }
            M::StartMulticastMediaTransmission(start) => {
                stream.spoken = place(start.multicast_ip_addr.ip, start.multicast_port_number);
            }
            M::PortReq(_) => stream.asked_port = true,
            _ => {}
        }
        Ok(Some(party))
    }

    /// The streams of a call are over, or all of them. Gives out their parties.
    pub(super) fn end(&mut self, reference: Option<u32>) -> Vec<u32> {
        let mut ended = Vec::new();
        for (party, stream) in &mut self.streams {
            if reference.is_none_or(|reference| stream.reference == reference) {
                stream.stop_receiving();
                stream.stop_sending();
                (stream.heard, stream.spoken) = (None, None);
                ended.push(*party);
            }
        }
        ended
    }

    /// Where a phone listens by the port that it told before any call.
    pub(super) fn told(&self, station: IpAddr) -> Option<SocketAddr> {
        Some(SocketAddr::new(station, self.port?))
    }

    /// What has to be let through now.
    pub(super) fn passages(&self) -> impl Iterator<Item = Passage> {
        self.streams.values().filter_map(|stream| stream.passage)
    }

    pub(super) fn stream(&mut self, party: u32) -> Option<&mut Stream> {
        self.streams.get_mut(&party)
    }

    /// Forgets a stream that nothing is left of.
    pub(super) fn tidy(&mut self, party: u32) {
        let idle = |stream: &Stream| {
            stream.local.is_none()
                && stream.remote.is_none()
                && stream.heard.is_none()
                && stream.spoken.is_none()
                && stream.passage.is_none()
                && !stream.opening
                && !stream.asked_port
        };
        if self.streams.get(&party).is_some_and(idle) {
            self.streams.remove(&party);
        }
    }

    fn has(&self, party: u32, asked: impl Fn(&Stream) -> bool) -> bool {
        self.streams.get(&party).is_some_and(asked)
    }

    /// CallManager 2.x says only the conference at the end: then all streams end that have one.
    fn stop(&mut self, party: u32, stop: impl Fn(&mut Stream)) -> Option<u32> {
        let stream = self.streams.get_mut(&party)?;
        stop(stream);
        Some(party)
    }
}

/// A phone has more streams than it can have.
#[derive(Debug)]
pub(super) struct NoRoom;

impl Stream {
    fn open(&mut self, source: IpAddr) {
        self.opening = true;
        self.source = Some(source).filter(|source| !source.is_unspecified());
    }

    fn start(&mut self, address: IpAddr, port: u32) {
        self.starting = true;
        self.remote = place(address, port);
    }

    fn stop_receiving(&mut self) {
        (self.opening, self.local, self.source) = (false, None, None);
    }

    fn stop_sending(&mut self) {
        (self.starting, self.remote) = (false, None);
    }
}

/// Where a phone listens; one that does not know its address is where it speaks from.
fn own(address: IpAddr, port: u32, ends: Ends) -> Option<SocketAddr> {
    let address = if address.is_unspecified() { ends.station } else { address };
    place(address, port)
}

fn place(address: IpAddr, port: u32) -> Option<SocketAddr> {
    let port = u16::try_from(port).ok().filter(|port| *port != 0)?;
    (!address.is_unspecified()).then(|| SocketAddr::new(address, port))
}

fn check_own(address: IpAddr, port: u32, ends: Ends, rules: &MediaRules, found: &mut Found) {
    check_port(port, rules, found);
    let is_own =
        address.is_unspecified() || address == ends.station.to_canonical() || Some(address) == ends.own;
    if !is_own && !rules.receivers.iter().any(|net| net.contains(&address)) {
        let kind = if address.is_multicast() {
            FindingKind::MediaMulticast
        } else {
            FindingKind::MediaAddressForeign
        };
        found.say(kind, address_of(address, port));
    }
}

fn check_target(address: IpAddr, port: u32, rules: &MediaRules, found: &mut Found) {
    if address.is_unspecified() {
        return;
    }
    if address.is_multicast() {
        return check_group(address, port, rules, found);
    }
    check_port(port, rules, found);
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let listed = rules.targets.is_empty() || rules.targets.iter().any(|net| net.contains(&address));
    if is_broadcast || !listed {
        found.say(FindingKind::MediaTargetForeign, address_of(address, port));
    }
}

fn check_group(address: IpAddr, port: u32, rules: &MediaRules, found: &mut Found) {
    check_port(port, rules, found);
    if !rules.groups.iter().any(|net| net.contains(&address)) {
        found.say(FindingKind::MediaMulticast, address_of(address, port));
    }
}

fn check_port(port: u32, rules: &MediaRules, found: &mut Found) {
    if !u16::try_from(port).is_ok_and(|port| rules.ports.contains(&port)) {
        found.say(FindingKind::MediaPort, format!("port {port}"));
    }
}

fn address_of(address: IpAddr, port: u32) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    }
}

/// The managers of a list; slots without an address or a port are not used.
pub(super) fn servers(list: &ServerRes) -> Vec<SocketAddr> {
    let slots = list.server_ip_addr.iter().zip(&list.server_tcp_listen_port);
    slots.filter_map(|(address, port)| place(address.ip, *port)).collect()
}
