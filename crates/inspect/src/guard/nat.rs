//! Translation of addresses: how each side appears to the other one, and every place in a message that has an address.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
};

use ipnet::IpNet;
use selsius_wire::{ManagerMessage, StationMessage, value::MediaAddress};

use crate::conversation::Message;

/// How the addresses of one side appear to the other one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Nat {
    /// As they are.
    #[default]
    None,
    /// Each network as another one of the same size; ports stay.
    Networks(Vec<(IpNet, IpNet)>),
    /// All as one address. Each stream gets a pair of ports out of the range, the even one for the media.
    Ports {
        /// The address.
        address: IpAddr,
        /// The ports.
        ports: RangeInclusive<u16>,
    },
}

/// The translation of both sides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Translation {
    /// How phones appear to the manager's side.
    pub stations: Nat,
    /// How the manager's side appears to phones.
    pub managers: Nat,
    /// How managers appear in the list of servers that phones are given: the guard's own addresses, if phones are to stay with it.
    pub servers: BTreeMap<SocketAddr, SocketAddr>,
}

/// One side's translation at work.
#[derive(Debug, Default)]
pub(super) struct Translator {
    nat: Nat,
    used: BTreeSet<u16>,
    next: u16,
}

/// All ports are in use.
#[derive(Debug)]
pub(super) struct PortsUsedUp;

impl Translator {
    pub(super) fn new(nat: Nat) -> Self {
        Self { nat, used: BTreeSet::new(), next: 0 }
    }

    /// The address alone.
    pub(super) fn address(&self, address: IpAddr) -> IpAddr {
        match &self.nat {
            Nat::None => address,
            Nat::Networks(networks) => {
                networks.iter().find_map(|(from, to)| moved(address, from, to)).unwrap_or(address)
            }
            Nat::Ports { address: one, .. } if one.is_ipv4() == address.is_ipv4() => *one,
            Nat::Ports { .. } => address,
        }
    }

    /// The address that was translated into this one, where that can be said.
    pub(super) fn original(&self, address: IpAddr) -> Option<IpAddr> {
        match &self.nat {
            Nat::Networks(networks) => networks.iter().find_map(|(from, to)| moved(address, to, from)),
            Nat::None | Nat::Ports { .. } => None,
        }
    }

    /// Where a stream appears; `held` is what it has already.
    pub(super) fn stream(
        &mut self,
        place: SocketAddr,
        held: Option<SocketAddr>,
    ) -> Result<SocketAddr, PortsUsedUp> {
        let Nat::Ports { address, ports } = &self.nat else {
            return Ok(SocketAddr::new(self.address(place.ip()), place.port()));
        };
        if address.is_ipv4() != place.is_ipv4() {
            return Ok(place);
        }
        if let Some(held) = held {
            return Ok(held);
        }
        let even = |port: u16| port.saturating_add(port % 2);
        let (first, last) = (even(*ports.start()), ports.end().saturating_sub(1));
        let from = self.next.clamp(first, last.max(first));
        let mut candidates = (from..=last).step_by(2).chain((first..from).step_by(2));
        let port = candidates.find(|port| !self.used.contains(port)).ok_or(PortsUsedUp)?;
        self.used.insert(port);
        self.next = port.saturating_add(2);
        Ok(SocketAddr::new(*address, port))
    }

    /// A stream needs its place no more.
    pub(super) fn give_back(&mut self, place: SocketAddr) {
        if matches!(&self.nat, Nat::Ports { address, .. } if *address == place.ip()) {
            self.used.remove(&place.port());
        }
    }
}

/// The address at the same place in another network.
fn moved(address: IpAddr, from: &IpNet, to: &IpNet) -> Option<IpAddr> {
    if !from.contains(&address) {
        return None;
    }
    match (address, from.hostmask(), to.network()) {
        (IpAddr::V4(address), IpAddr::V4(mask), IpAddr::V4(network)) => {
            Some(Ipv4Addr::from_bits(network.to_bits() | address.to_bits() & mask.to_bits()).into())
        }
        (IpAddr::V6(address), IpAddr::V6(mask), IpAddr::V6(network)) => Some(
            core::net::Ipv6Addr::from_bits(network.to_bits() | address.to_bits() & mask.to_bits()).into(),
        ),
        _ => None,
    }
}

/// Whose address stands at a place of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The phone's own.
    Own,
    /// That of whom the phone talks to.
    Far,
    /// A manager's.
    Server,
}

/// A place of a message that has an address, with its port.
pub(super) enum Place<'m> {
    Media(&'m mut MediaAddress, Option<&'m mut u32>),
    V4(&'m mut Ipv4Addr, Option<&'m mut u32>),
    /// The address is that from which the phone speaks.
    PortOnly(&'m mut u32),
}

impl Place<'_> {
    /// What stands there; `station` where only a port does. A port that is none is 0.
    pub(super) fn get(&self, station: IpAddr) -> SocketAddr {
        let port = |port: &Option<&mut u32>| {
            port.as_ref().and_then(|port| u16::try_from(**port).ok()).unwrap_or_default()
        };
        match self {
            Self::Media(address, at) => SocketAddr::new(address.ip, port(at)),
            Self::V4(address, at) => SocketAddr::new(IpAddr::V4(**address), port(at)),
            Self::PortOnly(at) => SocketAddr::new(station, u16::try_from(**at).unwrap_or_default()),
        }
    }

    /// Puts something else there, of the same family. Whether it is something else.
    pub(super) fn set(&mut self, to: SocketAddr) -> bool {
        let (changed, port) = match self {
            Self::Media(address, port) => {
                let changed = address.ip != to.ip() && address.ip.is_ipv4() == to.is_ipv4();
                if changed {
                    address.ip = to.ip();
                }
                (changed, port.as_deref_mut())
            }
            Self::V4(address, port) => match to.ip() {
                IpAddr::V4(ip) => {
                    let changed = **address != ip;
                    **address = ip;
                    (changed, port.as_deref_mut())
                }
                IpAddr::V6(_) => (false, None),
            },
            Self::PortOnly(port) => (false, Some(&mut **port)),
        };
        match port {
            Some(port) if *port != u32::from(to.port()) => {
                *port = to.port().into();
                true
            }
            _ => changed,
        }
    }
}

/// Shows every place of a message that has an address.
pub(super) fn addresses(message: &mut Message, show: &mut dyn FnMut(Whose, Place<'_>)) {
    match message {
        Message::Station(received) => of_station(&mut received.message, show),
        Message::Manager(received) => of_manager(&mut received.message, show),
    }
}

/// The messages that either side sends.
macro_rules! of_both {
    ($set:ident, $message:expr, $show:expr) => {
        match $message {
            $set::QoSResvNotify(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, $show),
            $set::QoSErrorNotify(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, $show),
            $set::QoSListen(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, $show),
            $set::QoSPath(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, $show),
            $set::QoSTeardown(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, $show),
            $set::QoSModify(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, $show),
            $set::UpdateDscp(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, $show),
            $set::StartSessionTransmission(m) => $show(Whose::Far, Place::Media(&mut m.remote_ip_addr, None)),
            $set::StopSessionTransmission(m) => $show(Whose::Far, Place::Media(&mut m.remote_ip_addr, None)),
            _ => {}
        }
    };
}

fn far(address: &mut MediaAddress, port: &mut u32, show: &mut dyn FnMut(Whose, Place<'_>)) {
    show(Whose::Far, Place::Media(address, Some(port)));
}

fn of_station(message: &mut StationMessage, show: &mut dyn FnMut(Whose, Place<'_>)) {
    use StationMessage as S;
    match message {
        S::Register(m) => show(Whose::Own, Place::V4(&mut m.station_ip_addr, None)),
        S::RegisterTokenReq(m) => {
            show(Whose::Own, Place::V4(&mut m.station_ip_addr, None));
            show(Whose::Own, Place::Media(&mut m.station_ipv6_addr, None));
        }
        S::SpcpRegisterTokenReq(m) => show(Whose::Own, Place::V4(&mut m.station_ip_addr, None)),
        S::IpPort(m) => show(Whose::Own, Place::PortOnly(&mut m.rtp_media_port)),
        S::OpenReceiveChannelAck(m) => {
            show(Whose::Own, Place::Media(&mut m.ip_addr, Some(&mut m.port_number)));
        }
        S::OpenMultiMediaReceiveChannelAck(m) => {
            show(Whose::Own, Place::Media(&mut m.ip_addr, Some(&mut m.port_number)));
        }
        S::StartMediaTransmissionAck(m) => {
            show(Whose::Own, Place::Media(&mut m.transmit_ip_addr, Some(&mut m.port_number)));
        }
        S::StartMultiMediaTransmissionAck(m) => {
            show(Whose::Own, Place::Media(&mut m.transmit_ip_addr, Some(&mut m.port_number)));
        }
        S::PortRes(m) => {
            let distance = m.rtcp_port_number.wrapping_sub(m.port_number);
            show(Whose::Own, Place::Media(&mut m.ip_addr, Some(&mut m.port_number)));
            if m.rtcp_port_number != 0 {
                m.rtcp_port_number = m.port_number.wrapping_add(distance);
            }
        }
        S::MediaTransmissionFailure(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, show),
        other => of_both!(S, other, show),
    }
}

fn of_manager(message: &mut ManagerMessage, show: &mut dyn FnMut(Whose, Place<'_>)) {
    use ManagerMessage as M;
    match message {
        M::OpenReceiveChannel(m) => far(&mut m.source_ip_addr, &mut m.source_port_number, show),
        M::OpenMultiMediaReceiveChannel(m) => far(&mut m.source_ip_addr, &mut m.source_port_number, show),
        M::StartMediaTransmission(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, show),
        M::StartMediaTransmissionCm2(m) => {
            show(Whose::Far, Place::V4(&mut m.remote_ip_addr, Some(&mut m.remote_port_number)));
        }
        M::StartMediaReception(m) => show(Whose::Far, Place::V4(&mut m.remote_ip_addr, None)),
        M::StartMultiMediaTransmission(m) => far(&mut m.remote_ip_addr, &mut m.remote_port_number, show),
        M::ServerRes(m) => {
            for (address, port) in m.server_ip_addr.iter_mut().zip(&mut m.server_tcp_listen_port) {
                show(Whose::Server, Place::Media(address, Some(port)));
            }
        }
        other => of_both!(M, other, show),
    }
}
