//! The exchange's thread: it owns the SCCP sockets and the exchange, and nothing else.
//!
//! One poll serves all connections. A readable connection is read into a shared buffer, cut into frames, decoded in
//! its session's dialect and handed to the exchange on the spot; what comes out is encoded into the connections' own
//! output and written once a burst. No channel lies between a phone and the exchange. Everything slow (store, HTTP,
//! TFTP, administration) is on other threads and speaks to this one through [`Handle`].

mod admission;
mod clock;
mod connection;
mod crash;
mod handle;
mod listener;
mod tally;
mod watch;

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::mpsc::TryRecvError,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use mio::{Events, Interest, Poll, Token, Waker};
use selsius_exchange::{
    CannotForward, Config, Event, Exchange, Input, Level, Load, Meter, MixerOrder, Output, Peer, Rate,
    SessionId, Time, WallClock, loopback::Loopback, record::Record,
};
use selsius_site::{LineNumber, Site};
use selsius_store::Remembered;
use slab::Slab;
use thiserror::Error;

pub use self::{
    admission::connection_rate,
    handle::{COMMANDS, Command, Handle, LineChange, NetworkCounters, Status, Unavailable},
    tally::{MessageCounts, Metrics, Tally},
    watch::{Face, News, WAITING_NEWS, Watch},
};
use self::{
    admission::{Admission, HOLD, Held, Lateness, Left, Refusal},
    clock::{ZoneTable, wall_clock, zone},
    connection::{Connection, Fill},
    handle::Commands,
    listener::Listener,
    watch::Watchers,
};
use crate::office::carry_over;

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
    fn most_unread(&self, in_all: usize) -> usize {
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
    let core = Core {
        poll,
        listeners,
        connections: Slab::new(),
        admission: Admission::default(),
        lateness: Lateness::default(),
        held: VecDeque::new(),
        zones,
        exchange,
        loopback: Loopback::default(),
        commands: receiver,
        late: Vec::new(),
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

const WAKER: usize = usize::MAX;
/// Listeners have the tokens from here on, connections those below.
const LISTENER: usize = usize::MAX / 2;
/// Bytes read of one connection in one turn, so that a busy one does not hold up the others. A phone's longest burst,
/// that of its registration, is a tenth of it.
const READ: usize = 8 * 1024;
/// Connections taken in one turn, so that a storm does not hold up the phones that are there.
const ACCEPTS: usize = 64;
/// What objects of operators are sent as: no application of the exchange, so that nothing comes of the answer.
const NO_APPLICATION: u32 = 0;
/// The same while it is late anyway.
const ACCEPTS_WHEN_LATE: usize = 4;
/// Unread bytes of a phone that is only slow: the longest burst, that of a registration, some times over.
const UNREAD_OF_SLOW: usize = 16 * 1024;
/// How often the time of day is looked at, for changes of the zone's offset and of the clock.
const WALL: Duration = Duration::from_secs(30);

struct Core {
    poll: Poll,
    listeners: Vec<Listener>,
    connections: Slab<Connection>,
    admission: Admission,
    lateness: Lateness,
    /// Connections that say too much, and when they are read again.
    held: VecDeque<(Time, SessionId)>,
    exchange: Exchange,
    /// The trunk that leads back here, for sites that have one.
    loopback: Loopback,
    commands: Commands,
    /// Commands that came while the exchange was down.
    late: Vec<Command>,
    watchers: Watchers,
    records: RecordSink,
    limits: Limits,
    counters: NetworkCounters,
    tally: Tally,
    origin: Instant,
    zone: TimeZone,
    zones: ZoneTable,
    wall: WallClock,
    serial: u64,
    buffer: Vec<u8>,
    /// Connections with something to write or to finish, in the order in which that came up.
    pending: Vec<usize>,
    /// Bytes that all phones together have left unread.
    unread: usize,
    /// Connections that are to be closed, and when at the latest.
    closing: VecDeque<(Time, SessionId)>,
    accepting: bool,
    /// When the calls in progress have had their time.
    draining: Option<Time>,
    stopping: Option<Instant>,
}

impl Core {
    /// Runs until it is stopped.
    fn run(&mut self) {
        let mut events = Events::with_capacity(1024);
        self.tell_zones();
        // After a crash nobody says again what was announced before it.
        self.accept_again();
        self.commands();
        self.outputs();
        self.write_pending();
        loop {
            if let Err(error) = self.poll.poll(&mut events, Some(self.patience()))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "cannot wait for the network; the exchange stops");
                return;
            }
            let began = self.now();
            let load = self.lateness.begin(began);
            self.load_changes(load);
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
            self.let_go();
            if self.draining.is_some_and(|end| end <= self.now() || !self.exchange.has_calls()) {
                self.stop();
                self.outputs();
            }
            self.write_pending();
            self.tally.turn(self.now().since(began));
            self.end_closing();
            let left = match events.iter().count() < events.capacity() {
                true => Left::Nothing,
                false => Left::Something,
            };
            let load = self.lateness.turn(began, self.now(), left, &self.limits);
            self.load_changes(load);
            if self.stopping.is_some_and(|deadline| self.connections.is_empty() || Instant::now() >= deadline)
            {
                return;
            }
        }
    }

    fn now(&self) -> Time {
        since(self.origin)
    }

    /// How long the poll may take: until the next deadline, at most until the clock has to be looked at.
    fn patience(&self) -> Duration {
        let most = if self.stopping.is_some() { Duration::from_millis(50) } else { WALL };
        let closing = self.closing.front().map(|&(at, _)| at);
        let held = self.held.front().map(|&(at, _)| at);
        let next = self.exchange.poll_timeout();
        let next = next.into_iter().chain(closing).chain(held).chain(self.draining).min();
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
        for command in std::mem::take(&mut self.late) {
            self.command(command);
        }
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
                let _ = answer.send(Status {
                    devices: self.exchange.device_status(),
                    calls: self.exchange.call_status(),
                    counters: self.exchange.counters().clone(),
                    network: self.network(),
                });
            }
            Command::Metrics(answer) => {
                let _ = answer.send(Box::new(self.metrics()));
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
                let _ = answer.send(self.exchange.shared_site());
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
            Command::Push(device, xml, answer) => {
                let _ = answer.send(self.exchange.push(&device, NO_APPLICATION, &xml));
            }
            Command::ChangeLine(line, change, answer) => {
                let _ = answer.send(change_line(&mut self.exchange, now, &line, change));
            }
            Command::Parked(answer) => {
                let _ = answer.send(self.exchange.parked_calls());
            }
            Command::Watch(watch, to) => self.watchers.add(&mut self.exchange, watch, to),
            Command::Limits(sockets, exchange) => {
                self.limits = *sockets;
                self.exchange.set_limits(*exchange);
            }
            Command::Drain(grace) => {
                self.draining = Some(now + grace);
                self.exchange.handle(now, Input::Drain);
            }
            Command::Stop => self.stop(),
        }
    }

    fn network(&self) -> NetworkCounters {
        NetworkCounters { connections: self.connections.len(), unread: self.unread, ..self.counters.clone() }
    }

    fn metrics(&self) -> Metrics {
        Metrics {
            sizes: self.exchange.sizes(),
            calls: self.exchange.calls_by_phase().into(),
            configured: self.exchange.site().devices.len(),
            unregistered: self.admission.unregistered(),
            accepting: self.accepting,
            overloaded: self.lateness.load() == Load::Overloaded,
            stopping: self.draining.is_some() || self.stopping.is_some(),
            counters: self.exchange.counters().clone(),
            network: self.network(),
            tally: self.tally.clone(),
        }
    }

    fn stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        self.draining = None;
        self.stopping = Some(Instant::now() + self.limits.linger);
        self.listeners.clear();
        let now = self.now();
        self.exchange.handle(now, Input::Shutdown);
    }

    /// Tells the exchange, and the log, that it is late or no longer.
    fn load_changes(&mut self, load: Option<Load>) {
        let Some(load) = load else { return };
        if load == Load::Overloaded {
            self.counters.overloads += 1;
            // Where it comes and goes the log does not fill.
            if self.counters.overloads.is_power_of_two() {
                tracing::warn!(
                    times = self.counters.overloads,
                    "overloaded: new calls are refused until the exchange keeps up again, but for emergency calls"
                );
            }
        }
        let now = self.now();
        self.exchange.handle(now, Input::Load(load));
    }

    fn accept(&mut self, listener: usize) {
        let most = match self.lateness.load() {
            Load::Normal => ACCEPTS,
            Load::Overloaded => ACCEPTS_WHEN_LATE,
        };
        for _ in 0..most {
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
        let mut admitted = self.admit(address);
        if admitted == Err(Refusal::Unregistered) {
            self.make_room();
            admitted = self.admit(address);
        }
        if let Err(refusal) = admitted {
            return self.refused(remote, refusal);
        }
        // Signalling is small and urgent. A socket that refuses this works, only slower.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { return self.admission.no_longer_unregistered(address) };
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        self.serial += 1;
        let session = session_id(self.serial, key);
        if let Err(error) = self.poll.registry().register(&mut stream, Token(key), Interest::READABLE) {
            tracing::warn!(%remote, %error, "connection refused");
            return self.admission.no_longer_unregistered(address);
        }
        entry.insert(Connection::new(stream, session, address));
        self.counters.accepted += 1;
        let peer = Peer { remote: canonical(remote), local: canonical(local) };
        let now = self.now();
        self.exchange.handle(now, Input::Opened { session, peer });
    }

    fn admit(&mut self, address: IpAddr) -> Result<(), Refusal> {
        self.admission.admit(self.now(), address, self.connections.len(), &self.limits)
    }

    fn refused(&mut self, remote: SocketAddr, refusal: Refusal) {
        self.counters.refused += 1;
        self.tally.refused(refusal);
        // A flood does not fill the log.
        if self.counters.refused.is_power_of_two() {
            let refused = self.counters.refused;
            tracing::warn!(%remote, refused, "connection refused: {}", refusal.words());
        }
    }

    /// Of those that have not registered, the ones that have had the longest time for it give way: phones register at
    /// once, and who only holds connections must not keep them out.
    fn make_room(&mut self) {
        let unregistered = self.connections.iter().filter(|(_, connection)| !connection.registered);
        // Sessions are numbered in their order.
        let mut oldest: Vec<_> = unregistered.map(|(key, connection)| (connection.session, key)).collect();
        oldest.sort_unstable();
        // Some at a time: to look for them costs more than they do.
        for &(_, key) in oldest.iter().take(oldest.len() / 16 + 1) {
            if let Some(remote) = self.connections.get(key).and_then(|c| c.stream.peer_addr().ok()) {
                self.refused(canonical(remote), Refusal::Unregistered);
            }
            self.drop_connection(key, "too many have not registered".into());
        }
    }

    /// Reads once. `ends` says that the phone has closed its side: then everything is read, up to the end.
    fn readable(&mut self, key: usize, ends: bool) {
        let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_read()) else {
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
    /// the message behind it is read. `false` if the connection is gone or not to be read any further for now.
    fn hand_over(&mut self, key: usize) -> bool {
        loop {
            let Some(connection) = self.connections.get_mut(key) else { return false };
            let session = connection.session;
            match connection.next_input() {
                Ok(Some(input)) => {
                    if let Input::Message { message, .. } = &input {
                        self.tally.received.count(message.id());
                    }
                    let now = self.now();
                    self.exchange.handle(now, input);
                    self.outputs();
                    // Short questions with long answers, asked faster than they are read: not more than this at once.
                    let unread = self.connections.get(key).map_or(0, |connection| connection.output.len());
                    if unread > self.limits.most_unread(self.unread) {
                        self.write(key);
                    }
                    if !self.may_say_more(key, now) {
                        return false;
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

    /// Counts a message of a connection. `false` if it has said too much: then it is not read for a moment, or gone if
    /// that goes on.
    fn may_say_more(&mut self, key: usize, now: Time) -> bool {
        let Some(connection) = self.connections.get_mut(key) else { return false };
        if connection.meter.take(now, self.limits.message_rate) {
            return true;
        }
        let session = connection.session;
        let first = connection.held.is_none();
        let span = Held::again(&mut connection.held, now);
        if span >= self.limits.flood {
            self.counters.floods += 1;
            tracing::warn!(session = session.0, "too many messages: connection dropped");
            self.drop_connection(key, "too many messages".into());
            return false;
        }
        self.counters.held += 1;
        if first {
            tracing::warn!(session = session.0, "too many messages: read more slowly (messages-per-second)");
        }
        self.held.push_back((now + HOLD, session));
        false
    }

    /// Reads those again that have said too much.
    fn let_go(&mut self) {
        let now = self.now();
        while let Some(&(_, session)) = self.held.front().filter(|&&(at, _)| at <= now) {
            self.held.pop_front();
            let Some((key, connection)) = find(&mut self.connections, session) else { continue };
            if let Some(held) = &mut connection.held {
                held.now = false;
            }
            if self.hand_over(key) {
                self.again(key);
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
        self.unread -= connection.output.len();
        let _ = self.poll.registry().deregister(&mut connection.stream);
        if !connection.registered {
            self.admission.no_longer_unregistered(connection.address);
        }
        drop(connection);
        self.accept_again();
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
                        let before = connection.output.len();
                        connection.dialect.encode_manager(&message, &mut connection.output);
                        self.tally.sent.count_frame(&connection.output[before..]);
                        let unread = connection.output.len();
                        self.unread += unread - before;
                        // A phone that does not read makes no event that would lead to a write: look at it here.
                        if before == 0 || unread > self.limits.most_unread(self.unread) {
                            self.pending.push(key);
                        }
                    }
                }
                Output::Dialect { session, dialect } => {
                    if let Some((_, connection)) = find(&mut self.connections, session) {
                        connection.dialect = dialect;
                        let address = connection.address;
                        if !std::mem::replace(&mut connection.registered, true) {
                            // A phone asks much when it registers.
                            connection.meter = Meter::UNUSED;
                            self.admission.no_longer_unregistered(address);
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
                    self.tally.record(&record);
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
        let before = connection.output.len();
        let written = connection.write(self.limits.most_unread(self.unread));
        self.unread -= before - connection.output.len();
        match written {
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

/// The exchange's time.
fn since(origin: Instant) -> Time {
    Time::from_micros(u64::try_from(origin.elapsed().as_micros()).unwrap_or(u64::MAX))
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
