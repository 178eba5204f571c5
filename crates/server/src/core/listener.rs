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

/// Bytes that the kernel may keep of what a phone has not taken yet: a whole screen (`screen-bytes`), and bursts of every
/// other kind several times over. What does not fit waits here, where it is counted and bounded. Without this the
/// kernel lets it grow to megabytes for a phone that reads nothing. Linux takes as much again for its bookkeeping.
const SEND_BUFFER: usize = 32 * 1024;

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
        // The connections of a listener have what it has.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener: std::net::TcpListener = socket.into();
        let address = listener.local_addr()?;
        Ok(Self { socket: mio::net::TcpListener::from_std(listener), address })
    }
}
