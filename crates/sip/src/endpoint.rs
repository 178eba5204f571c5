//! The shell: sockets, transactions and clocks around the calls.

mod accept;
mod driver;
mod flows;
mod names;
mod transactions;
mod ways;

use std::{
    net::{IpAddr, SocketAddr, UdpSocket as StdSocket},
    sync::Arc,
    time::Duration,
};

use rsipstack::{
    EndpointBuilder,
    platform::CancellationToken,
    transaction::endpoint::EndpointOption,
    transport::{
        SipAddr, SipConnection, TransportLayer,
        udp::{UdpConnection, UdpInner},
    },
};
use selsius_exchange::TrunkOrder;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::sync::mpsc;

use self::{
    accept::{Door, Places, acceptor},
    driver::{Around, Driver, Wanted},
    transactions::Watcher,
};
use crate::{
    config::{Listener, Transport, TrunkConfig},
    gate::{Figures, Gate, GatedSocket},
    seam::Event,
};

/// Orders that wait.
const ORDERS: usize = 4096;
/// Events that wait for the exchange. One that finds no room ends its call.
const EVENTS: usize = 4096;
/// What transactions have to say.
const HAPPENINGS: usize = 4096;
/// The kernel's room for datagrams that wait: a second's worth of a busy trunk.
const RECEIVE_BUFFER: usize = 1 << 20;

/// Why SIP could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// TLS without a certificate.
    #[error("no certificate for {0}")]
    NoCertificate(SocketAddr),
    /// Two trunks have the same name.
    #[error("two trunks are called {0}")]
    SameName(String),
    /// The stack refused.
    #[error("the SIP stack does not start: {0}")]
    Stack(String),
}

/// SIP trunks at work.
#[derive(Debug)]
pub struct Sip;

impl Sip {
    /// Listens and serves these trunks on the tokio runtime of the caller, until the handle is dropped. What happens comes
    /// out of the receiver, which is bounded: an event that finds no room ends its call.
    ///
    /// # Errors
    ///
    /// If an address cannot be listened on.
    pub async fn start(
        trunks: Vec<TrunkConfig>,
        listeners: Vec<Listener>,
    ) -> Result<(Handle, mpsc::Receiver<Event>), StartError> {
        let mut names: Vec<&str> = trunks.iter().map(|trunk| trunk.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(StartError::SameName(pair[0].into()));
        }
        let gate = Arc::new(Gate::new(Vec::new(), false));
        let stop = CancellationToken::new();
        let transports = TransportLayer::new(stop.clone());
        let (mut bound, mut doors) = (Vec::new(), Vec::new());
        for listener in &listeners {
            if listener.transport == Transport::Udp {
                bound.push(listen(listener, &transports, &gate, &stop).await?);
            } else {
                let door = open(listener).await?;
                bound.push(door.bound.clone());
                doors.push(door);
            }
        }
        let admits = gate.clone();
        transports.set_whitelist(move |address: IpAddr| {
            let admits = admits.clone();
            async move { admits.accepts(address) }
        });
        let watcher = Watcher::default();
        let (happen, happenings) = mpsc::channel(HAPPENINGS);
        let option = EndpointOption {
            timerc: Duration::from_secs(600),
            auto_ack_2xx: false,
            ..EndpointOption::default()
        };
        let endpoint = EndpointBuilder::new()
            .with_transport_layer(transports)
            .with_cancel_token(stop.clone())
            .with_user_agent(USER_AGENT)
            .with_option(option)
            .with_transport_inspector(Box::new(watcher.hook(happen.clone(), gate.clone())))
            .build();
        let incoming =
            endpoint.incoming_transactions().map_err(|error| StartError::Stack(error.to_string()))?;
        let (orders, wanted) = mpsc::channel(ORDERS);
        let (events, seen) = mpsc::channel(EVENTS);
        let addresses: Vec<_> = bound.iter().map(|bound| (bound.transport, bound.local)).collect();
        let stack = endpoint.inner.clone();
        let places = Places::default();
        for door in doors {
            tokio::spawn(door.keep(stack.clone(), gate.clone(), places.clone(), stop.clone()));
        }
        let around = Around { endpoint: stack, listeners: bound, gate: gate.clone(), watcher, happen, stop };
        let driver = Driver::new(trunks, around, events);
        tokio::spawn(async move { endpoint.serve().await });
        tokio::spawn(driver.run(wanted, incoming, happenings));
        Ok((Handle { orders, addresses, gate }, seen))
    }
}

/// How we call ourselves in messages.
pub(crate) const USER_AGENT: &str = concat!("selsius/", env!("CARGO_PKG_VERSION"));

/// The way to the trunks.
#[derive(Debug, Clone)]
pub struct Handle {
    orders: mpsc::Sender<Wanted>,
    addresses: Vec<(Transport, SocketAddr)>,
    gate: Arc<Gate>,
}

impl Handle {
    /// Gives an order; never waits.
    ///
    /// # Errors
    ///
    /// The order back, if there is no room for it. The call concerned should end.
    pub fn order(&self, order: TrunkOrder) -> Result<(), Box<TrunkOrder>> {
        match self.orders.try_reserve() {
            Ok(place) => place.send(Wanted::Order(Box::new(order))),
            Err(_) => return Err(Box::new(order)),
        }
        Ok(())
    }

    /// Serves these trunks from now on. Calls of a trunk that is still there go on as they are, also if it is at another
    /// place from now on; calls of a trunk that is gone end. A registration that is still the same is kept.
    pub async fn change(&self, trunks: Vec<TrunkConfig>) {
        // Without a driver there is nobody to tell: the events end.
        let _ = self.orders.send(Wanted::Trunks(trunks)).await;
    }

    /// Where SIP is listened for.
    pub fn addresses(&self) -> &[(Transport, SocketAddr)] {
        &self.addresses
    }

    /// How much was refused so far.
    pub fn figures(&self) -> Figures {
        self.gate.counters.figures()
    }

    /// The same for whoever shows it. It keeps nothing running.
    pub fn counts(&self) -> Counts {
        Counts(Arc::clone(&self.gate))
    }
}

/// What is counted of SIP at work.
#[derive(Debug, Clone)]
pub struct Counts(Arc<Gate>);

impl Counts {
    /// How much was refused so far.
    pub fn figures(&self) -> Figures {
        self.0.counters.figures()
    }
}

/// A socket that is listened on.
#[derive(Debug, Clone)]
struct Bound {
    transport: Transport,
    /// The address that it was bound to.
    local: SocketAddr,
    public: Option<SocketAddr>,
    /// For datagrams.
    connection: Option<SipConnection>,
}

impl Bound {
    /// Our address as this peer sees it.
    fn seen_by(&self, peer: SocketAddr) -> SocketAddr {
        if let Some(public) = self.public {
            return public;
        }
        if !self.local.ip().is_unspecified() {
            return self.local;
        }
        SocketAddr::new(local_for(peer).unwrap_or(self.local.ip()), self.local.port())
    }
}

/// The address that this machine speaks to a peer from.
fn local_for(peer: SocketAddr) -> Option<IpAddr> {
    // The kernel knows by which address it would speak to the peer; connecting a datagram socket sends nothing.
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = StdSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

async fn listen(
    listener: &Listener,
    transports: &TransportLayer,
    gate: &Arc<Gate>,
    stop: &CancellationToken,
) -> Result<Bound, StartError> {
    let failed = |source| StartError::Listen { address: listener.address, source };
    let (transport, public) = (listener.transport, listener.public);
    let socket = datagrams(listener.address).map_err(failed)?;
    let local = socket.local_addr().map_err(failed)?;
    let socket = GatedSocket::new(
        tokio::net::UdpSocket::from_std(socket).map_err(failed)?,
        gate.clone(),
        listener.tap.clone(),
    );
    let inner = UdpInner { conn: Arc::new(socket), addr: address_of(transport, local) };
    let connection = SipConnection::Udp(UdpConnection::attach(inner, public, Some(stop.clone())).await);
    transports.add_transport(connection.clone());
    Ok(Bound { transport, local, public, connection: Some(connection) })
}

/// Listens for streams.
async fn open(listener: &Listener) -> Result<Door, StartError> {
    let &Listener { transport, address, public, .. } = listener;
    let failed = |source| StartError::Listen { address, source };
    let tls = match (&listener.certificate, transport) {
        (Some((certificate, key)), Transport::Tls) => {
            Some(acceptor(certificate, key).map_err(|error| StartError::Stack(error.to_string()))?)
        }
        (None, Transport::Tls) => return Err(StartError::NoCertificate(address)),
        (_, Transport::Tcp | Transport::Udp) => None,
    };
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(failed)?;
    let listen = || {
        if address.is_ipv6() {
            // As with datagrams.
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(128)?;
        socket.local_addr()
    };
    let local = listen().map_err(failed)?.as_socket().unwrap_or(address);
    let listener = tokio::net::TcpListener::from_std(socket.into()).map_err(failed)?;
    Ok(Door { bound: Bound { transport, local, public, connection: None }, listener, tls })
}

fn datagrams(address: SocketAddr) -> std::io::Result<StdSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // IPv4 has a listener of its own: its addresses are not to be seen as IPv6 ones.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    // The kernel may give less; that is no reason not to start.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// An address in the stack's words.
fn address_of(transport: Transport, address: SocketAddr) -> SipAddr {
    SipAddr { r#type: Some(stack_transport(transport)), addr: address.into() }
}

fn stack_transport(transport: Transport) -> rsipstack::sip::Transport {
    match transport {
        Transport::Udp => rsipstack::sip::Transport::Udp,
        Transport::Tcp => rsipstack::sip::Transport::Tcp,
        Transport::Tls => rsipstack::sip::Transport::Tls,
    }
}
