//! How the exchange's thread starts, and what bounds it.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mio::{Interest, Poll, Token, Waker};
use selsius_exchange::{Config, Exchange, Rate, Time, record::Record};
use selsius_site::Site;
use selsius_store::Remembered;
use slab::Slab;
use thiserror::Error;

use super::{
    Core, Handle, LISTENER, NetworkCounters, READ, Tally, WAKER,
    admission::{Admission, Lateness, connection_rate},
    anchor::Anchors,
    clock::{ZoneTable, wall_clock, zone},
    crash,
    listener::Listener,
    trunks::Trunks,
    watch::Watchers,
};

/// Bounds on what the network can make this process hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections that have not registered.
    pub unregistered: usize,
    /// Those of one address, or of one network of IPv6 (64 bits).
    pub unregistered_per_address: usize,
    /// How fast one address may connect.
    pub connection_rate: Rate,
    /// How fast one connection may speak. It is read more slowly when it says more, which loses nothing. All of the burst is
    /// there again when it registers.
    pub message_rate: Rate,
    /// How long a connection may say more than that before it is dropped.
    pub flood: Duration,
    /// How late the exchange may be before it counts as overloaded.
    pub late: Duration,
    /// How long it does so after the last time that it was late, so that it does not waver.
    pub calm: Duration,
    /// Bytes that a phone may leave unread before it is dropped.
    pub unread: usize,
    /// Bytes that all phones together may leave unread. Above that, those are dropped first that leave more than a
    /// phone that reads ever does.
    pub unread_in_all: usize,
    /// How long a connection gets to take its last bytes when it or the manager ends.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 18_000,
            unregistered: 12_000,
            // A whole office behind one address.
            unregistered_per_address: 4096,
            connection_rate: connection_rate(1000),
            // A phone with two side cars asks some 200 questions when it registers, and its user presses ten keys a second.
            message_rate: Rate::per_second(100, 500),
            flood: Duration::from_secs(10),
            late: Duration::from_millis(500),
            calm: Duration::from_secs(1),
            unread: 256 * 1024,
            unread_in_all: 256 * 1024 * 1024,
            linger: Duration::from_secs(2),
        }
    }
}

impl Limits {
    /// Bytes that one phone may leave unread while all together leave so many.
    pub(super) fn most_unread(&self, in_all: usize) -> usize {
        if in_all > self.unread_in_all { self.unread.min(UNREAD_OF_SLOW) } else { self.unread }
    }
}

/// How to start.
#[derive(Debug)]
pub struct Start {
    /// Where to listen; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Differentiated services code point of what is sent to phones.
    pub dscp: u8,
    /// The exchange's own settings.
    pub exchange: Config,
    /// The office.
    pub site: Site,
    /// What its lines and phones were set to.
    pub remembered: Remembered,
    /// Bounds.
    pub limits: Limits,
}

/// Why the exchange's thread could not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address could not be listened on.
    #[error("cannot listen for phones on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The operating system refused something else.
    #[error("cannot start the exchange's thread")]
    System(#[from] io::Error),
}

/// Takes records; must not block. `false` means that the record is lost.
pub type RecordSink = Box<dyn FnMut(Record) -> bool + Send>;

/// A running exchange.
#[derive(Debug)]
pub struct Running {
    /// The way to it.
    pub handle: Handle,
    /// Where it listens, ports filled in.
    pub addresses: Vec<SocketAddr>,
    /// Its thread; ends after [`Command::Stop`](super::Command::Stop).
    pub thread: JoinHandle<()>,
}

/// Binds the sockets and starts the thread.
///
/// # Errors
/// If an address cannot be listened on.
pub fn start(start: Start, records: RecordSink) -> Result<Running, StartError> {
    let poll = Poll::new()?;
    let mut listeners = Vec::new();
    for &address in &start.listen {
        let listener =
            Listener::bind(address, start.dscp).map_err(|source| StartError::Listen { address, source })?;
        listeners.push(listener);
    }
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.address).collect();
    for (at, listener) in listeners.iter_mut().enumerate() {
        poll.registry().register(&mut listener.socket, Token(LISTENER + at), Interest::READABLE)?;
    }
    let (handle, receiver) = Handle::new(Waker::new(poll.registry(), Token(WAKER))?);
    let mut config = start.exchange;
    if let Some(address) = addresses.first() {
        config.port = address.port();
    }
    getrandom::fill(&mut config.seed.0).map_err(io::Error::from)?;
    let zone = zone(&start.site);
    let zones = ZoneTable::of(&start.site);
    let origin = Instant::now();
    let wall = wall_clock(Time::ZERO, &zone);
    let mut exchange = Exchange::new(config, start.site, wall);
    exchange.remember(start.remembered.lines, start.remembered.devices);
    let core = Core {
        poll,
        listeners,
        connections: Slab::new(),
        admission: Admission::default(),
        lateness: Lateness::default(),
        held: VecDeque::new(),
        zones,
        exchange,
        trunks: Trunks::default(),
        commands: receiver,
        late: VecDeque::new(),
        commands_wait: false,
        anchors: Anchors::default(),
        watchers: Watchers::default(),
        records,
        limits: start.limits,
        counters: NetworkCounters::default(),
        tally: Tally::default(),
        origin,
        zone,
        wall,
        serial: 0,
        buffer: vec![0; READ],
        pending: Vec::new(),
        unread: 0,
        closing: VecDeque::new(),
        accepting: true,
        draining: None,
        stopping: None,
    };
    let thread = std::thread::Builder::new().name("exchange".into()).spawn(move || crash::run(core))?;
    Ok(Running { handle, addresses, thread })
}

/// Unread bytes of a phone that is only slow: the longest burst, that of a registration, some times over.
const UNREAD_OF_SLOW: usize = 16 * 1024;
