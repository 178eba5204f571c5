//! Sockets for files: binding them, and addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// IPv4 addresses as such, also where an IPv6 socket saw them.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A UDP socket, not blocking. An unspecified IPv6 address takes IPv4 as well.
pub(crate) fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    prepare(&socket, address)?;
    Ok(socket.into())
}

/// A listening TCP socket, not blocking. An unspecified IPv6 address takes IPv4 as well.
pub(crate) fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Otherwise connections of the last run would keep the port for a minute.
    socket.set_reuse_address(true)?;
    prepare(&socket, address)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn prepare(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    if let SocketAddr::V6(v6) = address {
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.bind(&address.into())
}

/// Everything and any port, of the family of `peer`.
pub(crate) fn any_like(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// The local address that what goes to `peer` has. Sends nothing.
pub fn local_towards(peer: SocketAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind(any_like(peer))?;
    socket.connect(peer)?;
    Ok(socket.local_addr()?.ip().to_canonical())
}

/// `address`, or its IPv4 counterpart where it means "any" and this machine has no IPv6.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip() == Ipv6Addr::UNSPECIFIED && UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_err() {
        return (Ipv4Addr::UNSPECIFIED, address.port()).into();
    }
    address
}
