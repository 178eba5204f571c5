//! TFTP's sockets around [`selsius_provision::tftp::Server`], which knows the protocol.
//!
//! A machine has many addresses, and a phone takes an answer only from the one that it asked. The kernel says for
//! each request which one that was; the transfer's socket is bound to it, and it is what the phone is told as the
//! manager's address.

use std::{
    collections::BTreeMap,
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    sync::Arc,
    time::Instant,
};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use selsius_provision::{
    FileName,
    tftp::{Answer, Input, Limits, Outcome, Output, Report, Server, TransferId},
};
use socket2::SockRef;
use tokio::{
    io::Interest,
    net::UdpSocket,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant as Wake, sleep_until},
};

use crate::{
    error::chain,
    files::{Files, Found},
    net,
};

/// Requests taken from the socket before transfers get their turn.
const REQUESTS: usize = 32;
/// Acknowledgements are 4 bytes long, errors rarely more than 100.
const LONGEST_DATAGRAM: usize = 1024;
/// What transfers and files may have waiting; more waits in their own sockets and tasks.
const EVENTS: usize = 256;

/// The bound TFTP port.
pub(crate) struct Tftp {
    socket: UdpSocket,
    ancillary: UdpSocketState,
    address: SocketAddr,
}

impl Tftp {
    /// Binds `address`. An unspecified IPv6 address takes IPv4 phones as well.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = net::udp(address)?;
        let ancillary = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let address = socket.local_addr()?;
        Ok(Self { socket: UdpSocket::from_std(socket)?, ancillary, address })
    }

    /// Where it is bound, with its port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves for ever.
    pub(crate) async fn run(self, files: Arc<Files>, limits: Limits) {
        let (events, mut happened) = mpsc::channel(EVENTS);
        let mut driver = Driver {
            tftp: self,
            server: Server::new(limits),
            transfers: BTreeMap::new(),
            files,
            events,
            origin: Instant::now(),
            refused: 0,
        };
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let deadline = driver.server.poll_timeout().map(|at| Wake::from_std(driver.origin + at));
            tokio::select! {
                ready = driver.tftp.socket.readable() => {
                    if let Err(error) = ready {
                        tracing::error!(%error, "tftp has stopped");
                        return;
                    }
                    driver.requests(&mut buffer);
                }
                Some(event) = happened.recv() => driver.event(event),
                () = sleep_until(deadline.unwrap_or_else(Wake::now)), if deadline.is_some() => {
                    driver.handle(Input::Timeout, None);
                }
            }
        }
    }

    /// Takes one datagram, and the local address that it was sent to.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<RecvMeta> {
        self.socket.try_io(Interest::READABLE, || {
            let mut about = [RecvMeta::default()];
            self.ancillary.recv(
                UdpSockRef::from(&self.socket),
                &mut [IoSliceMut::new(buffer)],
                &mut about,
            )?;
            Ok(about[0])
        })
    }

    /// Answers from the port itself, at the address that was asked.
    fn reply(&self, to: SocketAddr, asked: Option<IpAddr>, datagram: &[u8]) -> io::Result<()> {
        let destination = match (self.address, to.ip()) {
            (SocketAddr::V6(_), IpAddr::V4(ip)) => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        let transmit =
            Transmit { destination, ecn: None, contents: datagram, segment_size: None, src_ip: asked };
        self.ancillary.try_send(UdpSockRef::from(&self.socket), &transmit)
    }
}

/// What comes from other tasks.
enum Event {
    File(TransferId, Answer),
    Datagram(TransferId, Vec<u8>),
}

struct Driver {
    tftp: Tftp,
    server: Server,
    transfers: BTreeMap<TransferId, Transfer>,
    files: Arc<Files>,
    events: mpsc::Sender<Event>,
    origin: Instant,
    /// Requests that became no transfer.
    refused: u64,
}

/// A transfer, as far as sockets go.
struct Transfer {
    peer: SocketAddr,
    /// The local address that the phone asked.
    local: IpAddr,
    /// Opened when the first block goes out: what is not found takes none.
    socket: Option<Open>,
}

struct Open {
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Driver {
    fn requests(&mut self, buffer: &mut [u8]) {
        for _ in 0..REQUESTS {
            let about = match self.tftp.receive(buffer) {
                Ok(about) => about,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An answer to nobody comes back as an error of the next read; the socket is as good as before.
                Err(error) => {
                    tracing::debug!(%error, "tftp: receiving");
                    continue;
                }
            };
            let from = net::canonical(about.addr);
            let asked = about.dst_ip.map(|ip| ip.to_canonical()).filter(|ip| is_ours(*ip));
            // The kernel may put several datagrams of one sender together.
            for datagram in buffer[..about.len.min(buffer.len())].chunks(about.stride.max(1)) {
                self.handle(Input::Request { from, datagram }, asked);
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::File(transfer, answer) => self.handle(Input::File { transfer, answer }, None),
            Event::Datagram(transfer, datagram) => {
                // Its socket is connected: nobody else is heard there.
                let Some(from) = self.peer(transfer) else { return };
                self.handle(Input::Datagram { transfer, from, datagram: &datagram }, None);
            }
        }
    }

    fn peer(&self, transfer: TransferId) -> Option<SocketAddr> {
        let open = self.transfers.get(&transfer)?.socket.as_ref()?;
        open.socket.peer_addr().ok().map(net::canonical)
    }

    /// Hands something to the machine and does what follows. `asked` is the local address of a request.
    fn handle(&mut self, input: Input<'_>, asked: Option<IpAddr>) {
        self.server.handle(self.origin.elapsed(), input);
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Open { transfer, peer, name } => self.open(transfer, peer, asked, &name),
                Output::Send { transfer, to, datagram } => self.send(transfer, to, &datagram),
                Output::Reply { to, datagram } => {
                    self.sent(to, self.tftp.reply(to, asked.or_else(|| self.local(to)), &datagram));
                }
                Output::Closed { transfer, report } => {
                    self.transfers.remove(&transfer);
                    log(&report);
                }
                Output::Refused { from, reason } => {
                    self.refused += 1;
                    if self.refused.is_power_of_two() {
                        tracing::warn!(%from, reason = chain(&reason), count = self.refused, "tftp request refused");
                    }
                }
            }
        }
    }

    /// The local address that a transfer's phone asked, when all that is known is the phone.
    fn local(&self, peer: SocketAddr) -> Option<IpAddr> {
        let mut transfers = self.transfers.values();
        transfers.find(|transfer| transfer.peer == peer).map(|transfer| transfer.local)
    }

    fn open(&mut self, transfer: TransferId, peer: SocketAddr, asked: Option<IpAddr>, name: &FileName) {
        // Where the kernel does not say: the address that the answer will have.
        let local = asked.or_else(|| net::local_towards(peer).ok()).unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        self.transfers.insert(transfer, Transfer { peer, local, socket: None });
        let (files, events, name) = (Arc::clone(&self.files), self.events.clone(), name.clone());
        tokio::spawn(async move {
            let answer = match files.find(name.as_str(), local).await {
                Found::File(bytes) => Answer::Found(bytes),
                Found::Nothing => Answer::NotFound,
                Found::Unreadable => Answer::Unreadable,
            };
            // Fails only when the server has gone.
            let _ = events.send(Event::File(transfer, answer)).await;
        });
    }

    fn send(&mut self, id: TransferId, to: SocketAddr, datagram: &[u8]) {
        let Some(transfer) = self.transfers.get_mut(&id) else { return };
        let sent = match &mut transfer.socket {
            Some(open) => Ok(open),
            none => connect(transfer.local, to, id, self.events.clone()).map(|open| none.insert(open)),
        }
        // Past the runtime's idea of readiness, which knows nothing of a new socket yet.
        .and_then(|open| SockRef::from(&*open.socket).send(datagram).map(drop));
        self.sent(to, sent);
    }

    /// What does not go out is lost, as on the network; the machine repeats it.
    fn sent(&self, to: SocketAddr, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::debug!(%to, %error, "tftp: sending");
        }
    }
}

/// A transfer's own socket, and a task that reads from it.
fn connect(local: IpAddr, peer: SocketAddr, id: TransferId, events: mpsc::Sender<Event>) -> io::Result<Open> {
    let local = match (local, peer) {
        // A link-local address is one only together with its link.
        (IpAddr::V6(ip), SocketAddr::V6(peer)) => SocketAddrV6::new(ip, 0, 0, peer.scope_id()).into(),
        _ => SocketAddr::new(local, 0),
    };
    let socket = net::udp(local).or_else(|_| net::udp(net::any_like(peer)))?;
    socket.connect(peer)?;
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let reading = Arc::clone(&socket);
    let reader = tokio::spawn(async move {
        let mut buffer = [0; LONGEST_DATAGRAM];
        loop {
            match reading.recv(&mut buffer).await {
                Ok(length) => {
                    let datagram = buffer[..length].to_vec();
                    if events.send(Event::Datagram(id, datagram)).await.is_err() {
                        return;
                    }
                }
                // The phone has closed its port; the machine's clock notices.
                Err(error) => tracing::debug!(%error, "tftp: receiving"),
            }
        }
    });
    Ok(Open { socket, reader })
}

/// Could a phone be told this address? (Requests to a broadcast address say nothing about ours.)
fn is_ours(ip: IpAddr) -> bool {
    !ip.is_unspecified() && !ip.is_multicast() && ip != Ipv4Addr::BROADCAST && ip != Ipv6Addr::UNSPECIFIED
}

fn log(report: &Report) {
    let Report { peer, name, outcome, bytes, repeated } = report;
    match outcome {
        Outcome::Complete | Outcome::LastUnconfirmed => {
            tracing::info!(%peer, file = %name, bytes, repeated, "file sent by tftp");
        }
        Outcome::NotFound => tracing::info!(%peer, file = %name, "no such file (tftp)"),
        Outcome::Replaced => tracing::debug!(%peer, file = %name, "tftp transfer replaced by another"),
        Outcome::Refused { code, message } => {
            // How phones end a transfer when all they wanted was the size.
            tracing::info!(%peer, file = %name, ?code, message, "tftp transfer ended by the phone");
        }
        Outcome::GaveUp => {
            tracing::warn!(%peer, file = %name, bytes, repeated, "tftp: the phone fell silent")
        }
        Outcome::Unanswered => {
            tracing::warn!(%peer, file = %name, "tftp: the file could not be read in time")
        }
    }
}
