//! The shell: sockets, transactions and clocks around the calls.

mod driver;
mod transactions;
mod ways;

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener as StdListener, UdpSocket as StdSocket},
    sync::Arc,
    time::Duration,
};

use rsipstack::{
    EndpointBuilder,
    platform::CancellationToken,
    transaction::endpoint::EndpointOption,
    transport::{
        SipAddr, SipConnection, TcpListenerConnection, TlsConfig, TlsListenerConnection, TransportLayer,
        udp::{UdpConnection, UdpInner},
    },
};
use selsius_exchange::TrunkOrder;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::sync::mpsc;

use self::{
    driver::{Around, Driver},
    transactions::Watcher,
};
use crate::{
    config::{Listener, Network, Transport, TrunkConfig},
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
        let friends =
            trunks.iter().flat_map(|trunk| trunk.allow.iter().copied().chain(servers(trunk))).collect();
        let gate = Arc::new(Gate::new(friends, trunks.iter().any(|trunk| trunk.authenticate)));
        let stop = CancellationToken::new();
        let transports = TransportLayer::new(stop.clone());
        let mut bound = Vec::new();
        for listener in &listeners {
            bound.push(listen(listener, &transports, &gate, &stop).await?);
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
        let around = Around { endpoint: stack, listeners: bound, gate: gate.clone(), watcher, happen, stop };
        let driver = Driver::new(trunks, around, events);
        tokio::spawn(async move { endpoint.serve().await });
        tokio::spawn(driver.run(wanted, incoming, happenings));
        for &(transport, address) in &addresses {
            if transport != Transport::Udp {
                listening(address).await?;
            }
        }
        Ok((Handle { orders, addresses, gate }, seen))
    }
}

/// How we call ourselves in messages.
pub(crate) const USER_AGENT: &str = concat!("selsius/", env!("CARGO_PKG_VERSION"));

/// The way to the trunks.
#[derive(Debug, Clone)]
pub struct Handle {
    orders: mpsc::Sender<TrunkOrder>,
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
        self.orders.try_send(order).map_err(|error| Box::new(error.into_inner()))
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

/// The servers of a trunk that are addresses.
fn servers(trunk: &TrunkConfig) -> impl Iterator<Item = Network> + '_ {
    trunk.servers.iter().filter_map(|server| server.parse::<IpAddr>().ok()).map(Network::from)
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
    let refused = |error: rsipstack::Error| StartError::Stack(error.to_string());
    let (transport, public) = (listener.transport, listener.public);
    if transport == Transport::Udp {
        let socket = datagrams(listener.address).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        let socket = GatedSocket::new(tokio::net::UdpSocket::from_std(socket).map_err(failed)?, gate.clone());
        let inner = UdpInner { conn: Arc::new(socket), addr: address_of(transport, local) };
        let connection = SipConnection::Udp(UdpConnection::attach(inner, public, Some(stop.clone())).await);
        transports.add_transport(connection.clone());
        return Ok(Bound { transport, local, public, connection: Some(connection) });
    }
    // The stack binds when it starts, and only logs that it cannot: whether it can is seen here.
    let local = StdListener::bind(listener.address).and_then(|socket| socket.local_addr()).map_err(failed)?;
    let connection = match &listener.certificate {
        Some((certificate, key)) if transport == Transport::Tls => {
            let config =
                TlsConfig { cert: Some(certificate.clone()), key: Some(key.clone()), ..TlsConfig::default() };
            SipConnection::TlsListener(
                TlsListenerConnection::new(local, public, config).await.map_err(refused)?,
            )
        }
        _ if transport == Transport::Tls => return Err(StartError::NoCertificate(listener.address)),
        _ => SipConnection::TcpListener(TcpListenerConnection::new(local, public).await.map_err(refused)?),
    };
    transports.add_transport(connection);
    Ok(Bound { transport, local, public, connection: None })
}

/// Waits until a stream can be opened here: the stack binds when it runs.
async fn listening(address: SocketAddr) -> Result<(), StartError> {
    let here: IpAddr = if address.is_ipv4() { [127, 0, 0, 1].into() } else { Ipv6Addr::LOCALHOST.into() };
    let ip = if address.ip().is_unspecified() { here } else { address.ip() };
    let mut tried = 0;
    loop {
        match tokio::net::TcpStream::connect((ip, address.port())).await {
            Ok(_) => return Ok(()),
            Err(_) if tried < 100 => {
                tried += 1;
                tokio::task::yield_now().await;
            }
            Err(source) => return Err(StartError::Listen { address, source }),
        }
    }
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
