//! A socket that phones connect to.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// A bound listener.
pub(super) struct Listener {
    pub(super) socket: mio::net::TcpListener,
    pub(super) address: SocketAddr,
}

/// Connections that the kernel may hold while the exchange is at work; a registration storm needs room.
const BACKLOG: i32 = 4096;

impl Listener {
    /// Binds `address`. An unspecified IPv6 address takes IPv4 phones as well.
    pub(super) fn bind(address: SocketAddr, dscp: u8) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        let tos = u32::from(dscp) << 2;
        match address {
            SocketAddr::V4(_) => socket.set_tos_v4(tos)?,
            SocketAddr::V6(v6) => {
                socket.set_only_v6(!v6.ip().is_unspecified())?;
                socket.set_tclass_v6(tos)?;
                // For the IPv4 phones of a socket that takes both; not every kernel has it.
                let _ = socket.set_tos_v4(tos);
            }
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener: std::net::TcpListener = socket.into();
        let address = listener.local_addr()?;
        Ok(Self { socket: mio::net::TcpListener::from_std(listener), address })
    }
}
