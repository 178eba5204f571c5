//! Pairs of ports for RTP and RTCP out of a range.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use mio::net::UdpSocket;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::PortRange;

/// Pairs that are tried before there counts as none: others on this machine may have some of the range.
const ATTEMPTS: usize = 256;
/// Bytes that the kernel may hold of a stream: a second and more of it, with what the kernel adds to each packet.
const MEDIA_BUFFER: usize = 128 * 1024;
/// The same for reports, which are few.
const CONTROL_BUFFER: usize = 16 * 1024;

/// The ports that are there, and which of them are taken.
#[derive(Debug)]
pub(super) struct Ports {
    /// The first one, which is even, and how many pairs there are.
    first: u16,
    pairs: u16,
    /// The pair to be tried next. All others come before one is used again, so that what is still under way to its old
    /// owner has died away.
    next: u16,
    taken: BTreeSet<u16>,
    /// Byte of the IP header for what is sent.
    tos: u8,
}

/// Two sockets of neighbouring ports.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) media: UdpSocket,
    pub(super) control: UdpSocket,
    /// Of the media socket; even.
    pub(super) port: u16,
}

impl Ports {
    /// Those of a range. `chance` says where to begin.
    pub(super) fn new(range: PortRange, tos: u8, chance: u64) -> Self {
        let first = range.first().next_multiple_of(2);
        // Both of a pair are in the range.
        let pairs = (range.last() - first).div_ceil(2);
        Self { first, pairs, next: (chance % u64::from(pairs)) as u16, taken: BTreeSet::new(), tos }
    }

    /// How many pairs nobody here has.
    pub(super) fn free(&self) -> usize {
        usize::from(self.pairs) - self.taken.len()
    }

    /// Binds the next pair that is free at this address, or at all addresses if it is none of this machine's.
    ///
    /// # Errors
    /// If all are taken, or the system refuses.
    pub(super) fn bind(&mut self, address: IpAddr) -> io::Result<Pair> {
        let mut attempts = 0;
        let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..self.pairs {
            let port = self.first + 2 * self.next;
            self.next = (self.next + 1) % self.pairs;
            if self.taken.contains(&port) {
                continue;
            }
            match bind_pair(address, port, self.tos) {
                Ok(pair) => {
                    self.taken.insert(port);
                    return Ok(pair);
                }
                Err(error) => failure = error,
            }
            attempts += 1;
            if attempts == ATTEMPTS || failure.kind() != io::ErrorKind::AddrInUse {
                break;
            }
        }
        Err(failure)
    }

    /// A pair is closed.
    pub(super) fn release(&mut self, port: u16) {
        self.taken.remove(&port);
    }
}

fn bind_pair(address: IpAddr, port: u16, tos: u8) -> io::Result<Pair> {
    let both = |address: IpAddr| {
        let media = bind(SocketAddr::new(address, port), tos, MEDIA_BUFFER)?;
        let control = bind(SocketAddr::new(address, port + 1), tos, CONTROL_BUFFER)?;
        Ok(Pair { media, control, port })
    };
    both(address).or_else(|error: io::Error| {
        let any = match address {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // What phones are told may be the address of a router before this machine.
        if error.kind() == io::ErrorKind::AddrNotAvailable && address != any { both(any) } else { Err(error) }
    })
}

fn bind(address: SocketAddr, tos: u8, buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    match address {
        SocketAddr::V4(_) => socket.set_tos_v4(tos.into())?,
        SocketAddr::V6(_) => {
            // IPv4 has sockets of its own: replies must come from the address that was asked.
            socket.set_only_v6(true)?;
            socket.set_tclass_v6(tos.into())?;
        }
    }
    socket.set_recv_buffer_size(buffer)?;
    socket.bind(&address.into())?;
    Ok(UdpSocket::from_std(socket.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> PortRange {
        text.parse().unwrap()
    }

    #[test]
    fn pairs_are_even_and_odd_and_come_to_an_end() {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        // A range that nothing else here uses: 5 ports have 2 pairs.
        let mut ports = Ports::new(range("15901-15905"), 0xB8, 1);
        assert_eq!(ports.free(), 2);
        let one = ports.bind(local).unwrap();
        let other = ports.bind(local).unwrap();
        assert_eq!((one.port, other.port, ports.free()), (15904, 15902, 0));
        assert_eq!(one.control.local_addr().unwrap().port(), 15905);
        assert_eq!(ports.bind(local).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(one);
        ports.release(15904);
        // Somebody else has the odd one.
        let _taken = std::net::UdpSocket::bind((local, 15905)).unwrap();
        assert_eq!(ports.bind(local).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(other);
        ports.release(15902);
        assert_eq!(ports.bind(local).unwrap().port, 15902);
    }

    #[test]
    fn an_address_that_this_machine_does_not_have_is_served_by_all() {
        let mut ports = Ports::new(range("15910-15911"), 0, 0);
        let pair = ports.bind("192.0.2.1".parse().unwrap()).unwrap();
        assert_eq!(pair.media.local_addr().unwrap(), "0.0.0.0:15910".parse().unwrap());
    }
}
