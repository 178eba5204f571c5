//! The exchange's thread: it owns the SCCP sockets and the exchange, and nothing else.
//!
//! One poll serves all connections. A readable connection is read into a shared buffer, cut into frames, decoded in
//! its session's dialect and handed to the exchange on the spot; what comes out is encoded into the connections' own
//! output and written once a burst. No channel lies between a phone and the exchange. Everything slow (store, HTTP,
//! TFTP, administration) is on other threads and speaks to this one through [`Handle`].

mod clock;
mod connection;
mod handle;
mod listener;
mod watch;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    sync::mpsc::{Receiver, TryRecvError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use mio::{Events, Interest, Poll, Token, Waker};
use selsius_exchange::{
    CannotForward, Config, Event, Exchange, Input, Level, MixerOrder, Output, Peer, SessionId, Time,
    WallClock, loopback::Loopback, record::Record,
};
use selsius_site::{LineNumber, Site};
use selsius_store::Remembered;
use slab::Slab;
use thiserror::Error;

use self::{
    clock::{ZoneTable, wall_clock, zone},
    connection::{Connection, Fill},
    listener::Listener,
    watch::Watchers,
};
pub use self::{
    handle::{Command, Handle, LineChange, NetworkCounters, Status, Unavailable},
    watch::{Face, News, WAITING_NEWS, Watch},
};
use crate::office::carry_over;

/// Bounds on what the network can make this process hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address that have not registered.
    pub unregistered_per_address: usize,
    /// Bytes that a phone may leave unread before it is dropped.
    pub unread: usize,
    /// How long a connection gets to take its last bytes when it or the manager ends.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 18_000,
            unregistered_per_address: 256,
            unread: 256 * 1024,
            linger: Duration::from_secs(2),
        }
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
    /// Its thread; ends after [`Command::Stop`].
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
    let zone = zone(&start.site);
    let zones = ZoneTable::of(&start.site);
    let origin = Instant::now();
    let wall = wall_clock(Time::ZERO, &zone);
    let mut exchange = Exchange::new(config, start.site, wall);
    exchange.remember(start.remembered.lines, start.remembered.devices);
    let mut core = Core {
        poll,
        listeners,
        connections: Slab::new(),
        unregistered: BTreeMap::new(),
        zones,
        exchange,
        loopback: Loopback::default(),
        commands: receiver,
        watchers: Watchers::default(),
        records,
        limits: start.limits,
        counters: NetworkCounters::default(),
        origin,
        zone,
        wall,
        serial: 0,
        buffer: vec![0; READ],
        pending: Vec::new(),
        closing: VecDeque::new(),
        accepting: true,
        stopping: None,
    };
    core.tell_zones();
    let thread = std::thread::Builder::new().name("exchange".into()).spawn(move || core.run())?;
    Ok(Running { handle, addresses, thread })
}

const WAKER: usize = usize::MAX;
/// Listeners have the tokens from here on, connections those below.
const LISTENER: usize = usize::MAX / 2;
/// Bytes read of one connection in one turn, so that a busy one does not hold up the others. A phone's longest burst,
/// that of its registration, is a tenth of it.
const READ: usize = 8 * 1024;
/// Connections taken in one turn, so that a storm does not hold up the phones that are there.
const ACCEPTS: usize = 64;
/// How often the time of day is looked at, for changes of the zone's offset and of the clock.
const WALL: Duration = Duration::from_secs(30);

struct Core {
    poll: Poll,
    listeners: Vec<Listener>,
    connections: Slab<Connection>,
    /// Connections that have not registered, by address.
    unregistered: BTreeMap<IpAddr, usize>,
    exchange: Exchange,
    /// The trunk that leads back here, for sites that have one.
    loopback: Loopback,
    commands: Receiver<Command>,
    watchers: Watchers,
    records: RecordSink,
    limits: Limits,
    counters: NetworkCounters,
    origin: Instant,
    zone: TimeZone,
    zones: ZoneTable,
    wall: WallClock,
    serial: u64,
    buffer: Vec<u8>,
    /// Connections with something to write or to finish, in the order in which that came up.
    pending: Vec<usize>,
    /// Connections that are to be closed, and when at the latest.
    closing: VecDeque<(Time, SessionId)>,
    accepting: bool,
    stopping: Option<Instant>,
}

impl Core {
    fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        loop {
            if let Err(error) = self.poll.poll(&mut events, Some(self.patience()))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "cannot wait for the network; the exchange stops");
                return;
            }
            self.look_at_the_clock();
            for event in &events {
                match event.token().0 {
                    WAKER => self.commands(),
                    token if token >= LISTENER => self.accept(token - LISTENER),
                    key => {
                        if event.is_readable() {
                            self.readable(key, event.is_read_closed());
                        }
                        if event.is_writable() {
                            self.pending.push(key);
                        }
                    }
                }
                self.outputs();
            }
            let now = self.now();
            if self.exchange.poll_timeout().is_some_and(|at| at <= now) {
                self.exchange.handle_timeout(now);
                self.outputs();
            }
            self.write_pending();
            self.end_closing();
            if self.stopping.is_some_and(|deadline| self.connections.is_empty() || Instant::now() >= deadline)
            {
                return;
            }
        }
    }

    fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// How long the poll may take: until the next deadline, at most until the clock has to be looked at.
    fn patience(&self) -> Duration {
        let most = if self.stopping.is_some() { Duration::from_millis(50) } else { WALL };
        let closing = self.closing.front().map(|&(at, _)| at);
        let next = self.exchange.poll_timeout().into_iter().chain(closing).min();
        let next = next.map_or(most, |at| at.since(self.now()));
        // Up to a millisecond late instead of busy.
        next.min(most) + Duration::from_millis(u64::from(next > Duration::ZERO))
    }

    fn look_at_the_clock(&mut self) {
        let now = self.now();
        if now.since(self.wall.at) >= WALL {
            self.wall = wall_clock(now, &self.zone);
            self.exchange.handle(now, Input::Wall(self.wall));
            self.tell_zones();
            self.watchers.forget_gone(&mut self.exchange);
            self.accept_again();
        }
    }

    /// Tells the offsets of the zones that phones have of their own; none have, mostly.
    fn tell_zones(&mut self) {
        if let Some(offsets) = self.zones.news() {
            let now = self.now();
            self.exchange.handle(now, Input::Zones(offsets));
        }
    }

    fn commands(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.command(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.stop(),
            }
        }
    }

    fn command(&mut self, command: Command) {
        let now = self.now();
        // Whoever asked may have gone; then the answer is not needed.
        match command {
            Command::Status(answer) => {
                let mut network = self.counters.clone();
                network.connections = self.connections.len();
                let _ = answer.send(Status {
                    devices: self.exchange.device_status(),
                    calls: self.exchange.call_status(),
                    counters: self.exchange.counters().clone(),
                    network,
                });
            }
            Command::Site { mut site, base, answer } => {
                carry_over(self.exchange.site(), &base, &mut site);
                self.zone = zone(&site);
                self.wall = wall_clock(now, &self.zone);
                self.exchange.handle(now, Input::Wall(self.wall));
                self.zones = ZoneTable::of(&site);
                self.tell_zones();
                let _ = answer.send(site.clone());
                self.exchange.handle(now, Input::Site(site));
            }
            Command::Remembered(answer) => {
                let (lines, devices) = self.exchange.remembered();
                let _ = answer.send(Remembered { lines: lines.clone(), devices: devices.clone() });
            }
            Command::Recall(Remembered { lines, devices }, answer) => {
                self.exchange.handle(now, Input::Recall { lines, devices });
                let _ = answer.send(());
            }
            Command::CurrentSite(answer) => {
                let _ = answer.send(Box::new(self.exchange.site().clone()));
            }
            Command::Presence(answer) => {
                let _ = answer.send(self.exchange.presence());
            }
            Command::Reset(device, kind, answer) => {
                self.exchange.handle(now, Input::Reset { device, kind });
                let _ = answer.send(());
            }
            Command::Device(name, answer) => {
                let status = self.exchange.device_status_of(&name).zip(self.exchange.view(&name));
                let found = status.map(|(status, view)| (status, Face::new(&self.exchange, &name, view)));
                let _ = answer.send(found);
            }
            Command::Operate(device, operation, answer) => {
                let _ = answer.send(self.exchange.operate(now, &device, &operation));
            }
            Command::ChangeLine(line, change, answer) => {
                let _ = answer.send(change_line(&mut self.exchange, now, &line, change));
            }
            Command::Parked(answer) => {
                let _ = answer.send(self.exchange.parked_calls());
            }
            Command::Watch(watch, to) => self.watchers.add(&mut self.exchange, watch, to),
            Command::Stop => self.stop(),
        }
    }

    fn stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        self.stopping = Some(Instant::now() + self.limits.linger);
        self.listeners.clear();
        let now = self.now();
        self.exchange.handle(now, Input::Shutdown);
    }

    fn accept(&mut self, listener: usize) {
        for _ in 0..ACCEPTS {
            let Some(socket) = self.listeners.get(listener).map(|listener| listener.socket.accept()) else {
                return;
            };
            match socket {
                Ok((stream, remote)) => self.accepted(stream, remote),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_shortage(&error) => {
                    // A connection that ends makes room, see `remove`; so may others in this process, see the clock.
                    if std::mem::take(&mut self.accepting) {
                        tracing::warn!(%error, "cannot accept connections for now");
                    }
                    return;
                }
                // This one connection came to nothing; those behind it are waiting still.
                Err(_) => {}
            }
        }
        // Edge-triggered: nobody would say again that more are waiting.
        if let Some(listener_socket) = self.listeners.get_mut(listener) {
            let socket = &mut listener_socket.socket;
            let _ = self.poll.registry().reregister(socket, Token(LISTENER + listener), Interest::READABLE);
        }
    }

    fn accept_again(&mut self) {
        if !std::mem::replace(&mut self.accepting, true) {
            for at in 0..self.listeners.len() {
                self.accept(at);
            }
        }
    }

    fn accepted(&mut self, mut stream: mio::net::TcpStream, remote: SocketAddr) {
        let address = remote.ip().to_canonical();
        let waiting = self.unregistered.get(&address).copied().unwrap_or(0);
        if self.connections.len() >= self.limits.connections
            || waiting >= self.limits.unregistered_per_address
        {
            if self.counters.refused.is_power_of_two() || self.counters.refused == 0 {
                tracing::warn!(%remote, refused = self.counters.refused + 1, "connection refused: too many");
            }
            self.counters.refused += 1;
            return;
        }
        // Signalling is small and urgent. A socket that refuses this works, only slower.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { return };
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        self.serial += 1;
        let session = session_id(self.serial, key);
        if let Err(error) = self.poll.registry().register(&mut stream, Token(key), Interest::READABLE) {
            tracing::warn!(%remote, %error, "connection refused");
            return;
        }
        entry.insert(Connection::new(stream, session, address));
        self.counters.accepted += 1;
        *self.unregistered.entry(address).or_default() += 1;
        let peer = Peer { remote: canonical(remote), local: canonical(local) };
        let now = self.now();
        self.exchange.handle(now, Input::Opened { session, peer });
    }

    /// Reads once. `ends` says that the phone has closed its side: then everything is read, up to the end.
    fn readable(&mut self, key: usize, ends: bool) {
        let Some(connection) = self.connections.get_mut(key).filter(|connection| !connection.closing) else {
            return;
        };
        let more = match connection.fill(&mut self.buffer) {
            Fill::Some { full } => full || ends,
            Fill::Nothing => return,
            Fill::Ended(reason) => return self.drop_connection(key, reason),
        };
        // What was read did not fill the buffer: the socket was empty, and the poll reports what comes later. Otherwise
        // the others come first, then this one again.
        if self.hand_over(key) && more {
            self.again(key);
        }
    }

    /// Hands each whole message to the exchange, and does at once what follows: the answer to Register decides how
    /// the message behind it is read. `false` if the connection is gone.
    fn hand_over(&mut self, key: usize) -> bool {
        loop {
            let Some(connection) = self.connections.get_mut(key) else { return false };
            let session = connection.session;
            match connection.next_input() {
                Ok(Some(input)) => {
                    let now = self.now();
                    self.exchange.handle(now, input);
                    self.outputs();
                    // Short questions with long answers, asked faster than they are read: not more than this at once.
                    let unread = self.connections.get(key).map_or(0, |connection| connection.output.len());
                    if unread > self.limits.unread {
                        self.write(key);
                    }
                }
                Ok(None) => return true,
                Err(error) => {
                    self.counters.garbage += 1;
                    tracing::warn!(session = session.0, %error, "no SCCP frame: connection dropped");
                    self.drop_connection(key, format!("not SCCP: {error}"));
                    return false;
                }
            }
        }
    }

    /// Asks the poll to report a connection again although nothing new arrived on it.
    fn again(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let interest = connection.interest();
        connection.watched = interest;
        // Edge-triggered readiness is reported anew after re-registering.
        let _ = self.poll.registry().reregister(&mut connection.stream, Token(key), interest);
    }

    /// Takes a connection down and tells the exchange.
    fn drop_connection(&mut self, key: usize, reason: String) {
        let Some(session) = self.connections.get(key).map(|connection| connection.session) else { return };
        self.remove(key);
        let now = self.now();
        self.exchange.handle(now, Input::Closed { session, reason });
    }

    fn remove(&mut self, key: usize) {
        let Some(mut connection) = self.connections.try_remove(key) else { return };
        let _ = self.poll.registry().deregister(&mut connection.stream);
        if !connection.registered {
            self.no_longer_unregistered(connection.address);
        }
        drop(connection);
        self.accept_again();
    }

    fn no_longer_unregistered(&mut self, address: IpAddr) {
        if let Some(count) = self.unregistered.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.unregistered.remove(&address);
            }
        }
    }

    /// Does what the exchange wants done.
    fn outputs(&mut self) {
        loop {
            let Some(output) = self.exchange.poll_output() else {
                let Some(event) = self.loopback.poll_event() else { return };
                let now = self.now();
                self.exchange.handle(now, Input::Trunk(event));
                continue;
            };
            match output {
                Output::Send { session, message } => {
                    if let Some((key, connection)) = find(&mut self.connections, session) {
                        let first = connection.output.is_empty();
                        connection.dialect.encode_manager(&message, &mut connection.output);
                        // A phone that does not read makes no event that would lead to a write: look at it here.
                        if first || connection.output.len() > self.limits.unread {
                            self.pending.push(key);
                        }
                    }
                }
                Output::Dialect { session, dialect } => {
                    if let Some((_, connection)) = find(&mut self.connections, session) {
                        connection.dialect = dialect;
                        let address = connection.address;
                        if !std::mem::replace(&mut connection.registered, true) {
                            self.no_longer_unregistered(address);
                        }
                    }
                }
                Output::Close { session } => {
                    if let Some((key, connection)) = find(&mut self.connections, session) {
                        connection.closing = true;
                        self.pending.push(key);
                        let at = self.now() + self.limits.linger;
                        self.closing.push_back((at, session));
                    }
                }
                Output::Trunk(order) => self.loopback.handle(*order),
                Output::Mixer(order) => self.mix(order),
                Output::Store(record) => {
                    if let Record::DeviceEvent(event) = &*record {
                        self.watchers.tell(&mut self.exchange, &News::Device(event.clone()));
                    }
                    if !(self.records)(*record) {
                        self.counters.records_lost += 1;
                    }
                }
                Output::Notice(notice) => self.watchers.notice(&mut self.exchange, *notice),
                Output::Event(event) => log(&event),
            }
        }
    }

    /// There is no mixer in this process: parties of a conference are told so, and hear nothing.
    fn mix(&mut self, order: MixerOrder) {
        if let MixerOrder::Join { party, .. } = order {
            let now = self.now();
            self.exchange.handle(now, Input::Mixer { party, address: None });
        }
    }

    /// Writes once to each connection that has something to write.
    fn write_pending(&mut self) {
        // Dropping a slow phone makes the exchange say more, to others.
        while !self.pending.is_empty() {
            let mut keys = std::mem::take(&mut self.pending);
            for key in keys.drain(..) {
                self.write(key);
            }
            if self.pending.is_empty() {
                self.pending = keys;
            }
            self.outputs();
        }
    }

    /// Takes connections down that were to be closed and whose phones do not take their last bytes.
    fn end_closing(&mut self) {
        let now = self.now();
        while let Some(&(_, session)) = self.closing.front().filter(|&&(at, _)| at <= now) {
            self.closing.pop_front();
            if let Some((key, _)) = find(&mut self.connections, session) {
                self.remove(key);
            }
        }
    }

    fn write(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.write(self.limits.unread) {
            Ok(true) if connection.closing => {
                connection.discard(&mut self.buffer);
                self.remove(key);
            }
            Ok(_) => {
                let wanted = connection.interest();
                if wanted != connection.watched {
                    connection.watched = wanted;
                    let _ = self.poll.registry().reregister(&mut connection.stream, Token(key), wanted);
                }
            }
            Err(_) if connection.closing => self.remove(key),
            Err(error) => {
                let slow = error.kind() == io::ErrorKind::TimedOut;
                let reason =
                    if slow { "the phone does not read".into() } else { format!("connection lost: {error}") };
                if slow {
                    self.counters.slow += 1;
                    tracing::warn!(
                        session = connection.session.0,
                        "the phone does not read: connection dropped"
                    );
                }
                self.drop_connection(key, reason);
            }
        }
    }
}

fn change_line(
    exchange: &mut Exchange,
    now: Time,
    line: &LineNumber,
    change: LineChange,
) -> Result<(), CannotForward> {
    if !exchange.site().lines.contains_key(line) {
        return Err(CannotForward::UnknownLine);
    }
    match change {
        LineChange::Forward(kind, to) => exchange.set_forward(now, line, kind, to)?,
        LineChange::DoNotDisturb(on) => exchange.set_do_not_disturb(now, line, on),
        LineChange::Messages { new, old } => exchange.set_messages(now, line, new, old),
    }
    Ok(())
}

/// Session ids are never used twice; the low bits find the connection.
const KEY_BITS: u32 = 24;

fn session_id(serial: u64, key: usize) -> SessionId {
    SessionId(serial << KEY_BITS | key as u64 & ((1 << KEY_BITS) - 1))
}

fn find(connections: &mut Slab<Connection>, session: SessionId) -> Option<(usize, &mut Connection)> {
    let key = usize::try_from(session.0 & ((1 << KEY_BITS) - 1)).ok()?;
    let connection = connections.get_mut(key)?;
    (connection.session == session).then_some((key, connection))
}

/// Is it for want of file descriptors or memory that nothing can be accepted?
fn is_shortage(error: &io::Error) -> bool {
    // ENOMEM, ENFILE, EMFILE, ENOBUFS (Linux).
    matches!(error.raw_os_error(), Some(12 | 23 | 24 | 105))
}

/// IPv4 addresses as such, also where an IPv6 socket took the connection.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn log(event: &Event) {
    let session = event.session.map(|session| session.0);
    let device = Some(event.device.as_str()).filter(|device| !device.is_empty());
    let text = &event.text;
    match event.level {
        Level::Debug => tracing::debug!(session, device, "{text}"),
        Level::Info => tracing::info!(session, device, "{text}"),
        Level::Warn => tracing::warn!(session, device, "{text}"),
    }
}
