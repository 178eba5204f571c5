//! The exchange's thread: it owns the SCCP sockets and the exchange, and nothing else.
//!
//! One poll serves all connections. A readable connection is read into a shared buffer, cut into frames, decoded in
//! its session's dialect and handed to the exchange on the spot; what comes out is encoded into the connections' own
//! output and written once a burst. No channel lies between a phone and the exchange. Everything slow (store, HTTP,
//! TFTP, administration) is on other threads and speaks to this one through [`Handle`].

mod admission;
mod anchor;
mod clock;
mod commands;
mod connection;
mod crash;
mod handle;
mod heard;
mod listener;
mod start;
mod tally;
mod traffic;
mod trunks;
mod watch;

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use mio::{Events, Poll};
use selsius_exchange::{
    Event, Exchange, Input, Level, Load, Meter, Output, SessionId, Time, WallClock, record::Record,
};
use slab::Slab;

pub(crate) use self::clock::zone;
pub use self::{
    admission::connection_rate,
    anchor::Anchoring,
    handle::{COMMANDS, Command, Counts, Handle, LineChange, NetworkCounters, PAGE, Status, Unavailable},
    heard::{Ear, Heard, HeardBy, Spread, Spreads},
    start::{Limits, RecordSink, Running, Start, StartError, start},
    tally::{MessageCounts, Metrics, Tally},
    trunks::{FarEnd, Ordered},
    watch::{Face, News, WAITING_NEWS, Watch},
};
use self::{
    admission::{Admission, Lateness, Left},
    anchor::Anchors,
    clock::{ZoneTable, wall_clock},
    connection::Connection,
    handle::Commands,
    listener::Listener,
    trunks::Trunks,
    watch::Watchers,
};
use crate::quality;
pub use crate::voice::{MemberStatus, RoomStatus};

const WAKER: usize = usize::MAX;
/// Listeners have the tokens from here on, connections those below.
const LISTENER: usize = usize::MAX / 2;
/// Bytes read of one connection in one turn, so that a busy one does not hold up the others. A phone's longest burst,
/// that of its registration, is a tenth of it.
const READ: usize = 8 * 1024;
/// Bytes that a phone is told at once, mostly: room for them is made in one go.
const BURST: usize = 1024;
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
    trunks: Trunks,
    commands: Commands,
    /// Where audio goes that cannot go from phone to phone.
    anchors: Anchors,
    /// Commands that came while the exchange was down.
    late: VecDeque<Command>,
    /// There are commands, or there may be.
    commands_wait: bool,
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
        self.commands_wait = true;
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
                    WAKER => self.commands_wait = true,
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
            if std::mem::take(&mut self.commands_wait) {
                self.commands();
                self.outputs();
            }
            let now = self.now();
            if self.exchange.poll_timeout().is_some_and(|at| at <= now) {
                self.exchange.handle_timeout(now);
                self.outputs();
            }
            self.let_go();
            self.anchors.go_on();
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
        if self.commands_wait {
            return Duration::ZERO;
        }
        let most = if self.stopping.is_some() { Duration::from_millis(50) } else { WALL };
        let closing = self.closing.front().map(|&(at, _)| at);
        let held = self.held.front().map(|&(at, _)| at);
        let next = self.exchange.poll_timeout();
        let again = self.anchors.again(self.now());
        let next = next.into_iter().chain(closing).chain(held).chain(self.draining).chain(again).min();
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

    /// Does what the exchange wants done.
    fn outputs(&mut self) {
        loop {
            let Some(output) = self.exchange.poll_output() else {
                let Some(event) = self.trunks.poll_event() else { return };
                let now = self.now();
                self.exchange.handle(now, Input::Trunk(event));
                continue;
            };
            match output {
                Output::Send { session, message } => {
                    if let Some((key, connection)) = find(&mut self.connections, session) {
                        let before = connection.output.len();
                        if before == 0 {
                            connection.output.reserve(BURST);
                        }
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
                Output::Trunk(order) => self.order(*order),
                Output::Anchor(order) => self.anchor(*order),
                Output::Store(mut record) => {
                    quality::estimate(&mut record);
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
}

/// The exchange's time.
fn since(origin: Instant) -> Time {
    Time::from_micros(u64::try_from(origin.elapsed().as_micros()).unwrap_or(u64::MAX))
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
