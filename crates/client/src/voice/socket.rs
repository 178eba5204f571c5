//! UDP ports for voice.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::UdpSocket;

/// Where voice ports are taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ports {
    /// Wherever the operating system has a free one.
    #[default]
    Any,
    /// The even ports of this range, as a firewall may demand it.
    Range(RangeInclusive<u16>),
}

/// How often the operating system is asked for an even port before an odd one is taken too.
const ATTEMPTS: usize = 16;

impl Ports {
    /// Binds a port. RTP has even ports, with RTCP on the odd one above (RFC 3550, section 11).
    pub(crate) fn bind(&self, address: IpAddr) -> io::Result<UdpSocket> {
        match self {
            Self::Any => {
                let mut odd = Vec::new();
                for _ in 0..ATTEMPTS {
                    let socket = bind(SocketAddr::new(address, 0))?;
                    if socket.local_addr()?.port().is_multiple_of(2) {
                        return Ok(socket);
                    }
                    // Kept until the end, so that it is not given out again.
                    odd.push(socket);
                }
                odd.pop().ok_or_else(|| io::ErrorKind::AddrInUse.into())
            }
            Self::Range(range) => range
                .clone()
                .filter(|port| port.is_multiple_of(2))
                .find_map(|port| bind(SocketAddr::new(address, port)).ok())
                .ok_or_else(|| io::ErrorKind::AddrInUse.into()),
        }
    }
}

pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Listens to a multicast group on the interface that has this address.
pub(crate) fn join(group: SocketAddr, interface: IpAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(group), Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Bound to the group, it does not hear what else comes to the port.
    socket.bind(&group.into())?;
    match (group.ip(), interface) {
        (IpAddr::V4(group), IpAddr::V4(interface)) => socket.join_multicast_v4(&group, &interface)?,
        // Interfaces have numbers there; 0 leaves the choice to the system.
        (IpAddr::V6(group), _) => socket.join_multicast_v6(&group, 0)?,
        (IpAddr::V4(_), IpAddr::V6(_)) => return Err(io::ErrorKind::Unsupported.into()),
    }
    UdpSocket::from_std(socket.into())
}

/// Sends to groups through the interface that has this address. Where the system does not let us, it chooses.
pub(crate) fn send_from(socket: &UdpSocket, interface: IpAddr) {
    let IpAddr::V4(interface) = interface else { return };
    if let Err(error) = SockRef::from(socket).set_multicast_if_v4(&interface) {
        tracing::debug!(%error, "multicast leaves by the system's choice of interface");
    }
}

/// Marks packets with a type of service byte. Voice goes without it where the system does not let us.
pub(crate) fn mark(socket: &UdpSocket, address: IpAddr, precedence: u8) {
    let socket = SockRef::from(socket);
    let marked = match address {
        IpAddr::V4(_) => socket.set_tos_v4(precedence.into()),
        IpAddr::V6(_) => socket.set_tclass_v6(precedence.into()),
    };
    if let Err(error) = marked {
        tracing::debug!(%error, precedence, "voice packets are not marked");
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    #[tokio::test]
    async fn all_who_have_joined_hear_the_group() {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let speaker = Ports::Any.bind(local).unwrap();
        send_from(&speaker, local);
        let group = SocketAddr::from(([239, 255, 4, 4], speaker.local_addr().unwrap().port()));
        let listeners = [join(group, local).unwrap(), join(group, local).unwrap()];
        speaker.send_to(b"hello", group).await.unwrap();
        for listener in listeners {
            let mut heard = [0; 16];
            let hears = listener.recv_from(&mut heard);
            let (length, from) = tokio::time::timeout(Duration::from_secs(5), hears).await.unwrap().unwrap();
            assert_eq!((&heard[..length], from), (&b"hello"[..], speaker.local_addr().unwrap()));
        }
        assert!(join(SocketAddr::from(([239, 255, 4, 4], 0)), IpAddr::from([0; 16])).is_err());
    }

    #[tokio::test]
    async fn ports_are_even_and_within_the_range() {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let free = Ports::Any.bind(local).unwrap();
        let port = free.local_addr().unwrap().port();
        let range = Ports::Range(port..=port.saturating_add(40));
        let next = range.bind(local).unwrap().local_addr().unwrap().port();
        assert!(next > port && next.is_multiple_of(2) && next <= port + 40, "{port} {next}");
        let full = Ports::Range(port..=port + 1).bind(local).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::AddrInUse);
    }
}
