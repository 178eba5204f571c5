//! Voice for a relay: so many streams of 20 ms G.711 from one thread, and how long each packet was under way.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use mio::{Events, Interest, Poll, Token, net::UdpSocket};

/// The time between two packets of a stream.
const STEP: Duration = Duration::from_millis(20);
/// Header and 20 ms of G.711.
const PACKET: usize = 172;
/// Streams share sockets: what a relay has to do is the same, and the generator has less to do.
const SOCKETS: usize = 64;
/// What is still under way when the last packet was sent.
const LATE: Duration = Duration::from_millis(300);
/// The room of a socket for what waits.
const BUFFER: usize = 1 << 20;

/// Where streams come from and go to.
pub(super) struct Generator {
    sockets: Vec<UdpSocket>,
    poll: Poll,
    origin: Instant,
    /// Of the run: what is still under way from the one before is not counted.
    run: u32,
}

/// What became of the packets of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    pub(super) sent: u64,
    pub(super) received: u64,
    /// How far behind its schedule the generator was at worst, in µs.
    pub(super) behind: u64,
    /// Of each packet, in ns, in order.
    delays: Vec<u64>,
}

impl Figures {
    /// The share of the packets that was lost.
    pub(super) fn lost(&self) -> f64 {
        1.0 - self.received as f64 / self.sent.max(1) as f64
    }

    /// What so many of a thousand packets took at most, in µs.
    pub(super) fn delay(&self, permille: usize) -> f64 {
        let last = self.delays.len().saturating_sub(1);
        self.delays.get(last * permille / 1000).map_or(f64::NAN, |&nanos| nanos as f64 / 1e3)
    }
}

impl Generator {
    pub(super) fn new() -> Result<Self> {
        let poll = Poll::new()?;
        let mut sockets = Vec::new();
        for at in 0..SOCKETS {
            let mut socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER)?;
            poll.registry().register(&mut socket, Token(at), Interest::READABLE)?;
            sockets.push(socket);
        }
        Ok(Self { sockets, poll, origin: Instant::now(), run: 0 })
    }

    /// Where a stream's own end listens.
    pub(super) fn address(&self, stream: usize) -> Result<SocketAddr> {
        self.sockets[stream % SOCKETS].local_addr().context("a socket without an address")
    }

    /// Sends for a while to where each stream goes. `begins` is called when the first part, which warms up and is not counted, is
    /// over, and `ends` after the last packet.
    pub(super) fn run(
        &mut self,
        streams: &[SocketAddr],
        warm_up: Duration,
        time: Duration,
        mut begins: impl FnMut(),
        mut ends: impl FnMut(),
    ) -> Result<Figures> {
        let mut figures = Figures::default();
        self.run += 1;
        let mut events = Events::with_capacity(SOCKETS);
        let begun = Instant::now();
        let (mut next, mut counts) = (0u64, false);
        let each = STEP.as_nanos() as u64 / streams.len().max(1) as u64;
        let first = warm_up.as_nanos() as u64 / each.max(1);
        let total = first + time.as_nanos() as u64 / each.max(1);
        while next < total {
            let now = begun.elapsed().as_nanos() as u64;
            while next < total && next * each <= now {
                if next >= first && !counts {
                    counts = true;
                    begins();
                }
                let stream = next as usize % streams.len();
                let sequence = (next / streams.len() as u64) as u16;
                let sent = self.send(stream, sequence, streams[stream], counts);
                if counts {
                    figures.sent += u64::from(sent);
                    figures.behind = figures.behind.max((now - next * each) / 1000);
                }
                next += 1;
                // Who is behind still has to read.
                if next.is_multiple_of(32) {
                    break;
                }
            }
            self.read(&mut events, Duration::ZERO, &mut figures)?;
        }
        ends();
        let over = Instant::now();
        while over.elapsed() < LATE {
            self.read(&mut events, Duration::from_millis(10), &mut figures)?;
        }
        figures.delays.sort_unstable();
        Ok(figures)
    }

    fn send(&self, stream: usize, sequence: u16, to: SocketAddr, counts: bool) -> bool {
        let mut packet = [0xFF; PACKET];
        packet[..2].copy_from_slice(&[0x80, 0]);
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
        packet[8..12].copy_from_slice(&(stream as u32 + 1).to_be_bytes());
        // What is not counted says so by a time that nothing has.
        let now = if counts { self.origin.elapsed().as_nanos() as u64 } else { u64::MAX };
        packet[12..20].copy_from_slice(&now.to_be_bytes());
        packet[20..24].copy_from_slice(&self.run.to_be_bytes());
        self.sockets[stream % SOCKETS].send_to(&packet, to).is_ok()
    }

    fn read(&mut self, events: &mut Events, patience: Duration, figures: &mut Figures) -> Result<()> {
        self.poll.poll(events, Some(patience))?;
        let mut buffer = [0; 2048];
        for event in events.iter() {
            while let Ok(length) = self.sockets[event.token().0].recv(&mut buffer) {
                let now = self.origin.elapsed().as_nanos() as u64;
                let sent = buffer[12..20].try_into().map(u64::from_be_bytes).unwrap_or(u64::MAX);
                let of_this_run = buffer[20..24] == self.run.to_be_bytes();
                if length == PACKET && of_this_run && sent != u64::MAX {
                    figures.received += 1;
                    figures.delays.push(now.saturating_sub(sent));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_and_are_counted() {
        let mut generator = Generator::new().unwrap();
        // Each stream goes to the socket of the one beside it, without a relay.
        let streams: Vec<_> = (0..10).map(|stream| generator.address(stream ^ 1).unwrap()).collect();
        let (mut begun, mut ended) = (0, 0);
        let tenth = Duration::from_millis(100);
        let figures = generator.run(&streams, tenth, tenth, || begun += 1, || ended += 1).unwrap();
        // Ten streams of 50 packets a second, for a tenth of a second.
        assert_eq!((figures.sent, figures.received, begun, ended), (50, 50, 1, 1));
        assert!(figures.delay(500) > 0.0 && figures.delay(500) <= figures.delay(990), "{figures:?}");
    }
}
