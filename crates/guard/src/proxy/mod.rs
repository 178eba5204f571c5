//! The proxy: phones connect to it, and it to their manager. One thread with one poll does all of it.

mod pair;
mod status;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use mio::{Events, Interest, Poll, Token, Waker, net::TcpListener};
use pair::Pair;
use selsius_inspect::{
    conversation::Side,
    guard::{Config, ConnectionId, Ends, Flow, Guard, Output, Severity},
};
use selsius_wire::Time;
use slab::Slab;
use socket2::{Domain, Protocol, Socket, Type};

pub use self::status::{PhoneStatus, Status};
use crate::{
    event::{Event, Log, What},
    evidence::Evidence,
    policy::{Fail, Rules},
    ways::Ways,
};

/// How the proxy is set.
#[derive(Debug)]
pub struct Options {
    /// Where phones connect to, and to which managers that leads: the first one that answers.
    pub routes: Vec<Route>,
    /// The rules.
    pub rules: Rules,
    /// Where what happens is told.
    pub log: Log,
    /// What opens the ways for audio.
    pub ways: Ways,
    /// What keeps what connections have said in which something was found.
    pub evidence: Option<Evidence>,
}

/// From an address of ours to managers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where phones connect to.
    pub listen: SocketAddr,
    /// Connections come with their own destination: nftables sent them here (`tproxy` or `redirect`).
    pub transparent: bool,
    /// The managers, in the order in which they are tried; none with a transparent route, which knows them by itself.
    pub managers: Vec<SocketAddr>,
}

/// What other threads ask of the proxy.
#[derive(Debug)]
pub enum Order {
    /// How it is.
    Status(SyncSender<Status>),
    /// Other rules from now on.
    Rules(Box<Rules>),
    /// A source may connect again. Whether it was blocked.
    Unblock(IpAddr, SyncSender<bool>),
    /// End.
    Stop,
}

/// The way to the proxy.
#[derive(Debug, Clone)]
pub struct Handle {
    orders: SyncSender<Order>,
    waker: Arc<Waker>,
    addresses: Vec<SocketAddr>,
}

impl Handle {
    /// Asks something of it. `false` if it has ended.
    pub fn send(&self, order: Order) -> bool {
        self.orders.send(order).is_ok() && self.waker.wake().is_ok()
    }

    /// How it is; `None` if it does not answer within five seconds.
    pub fn status(&self) -> Option<Status> {
        let (answer, status) = sync_channel(1);
        self.send(Order::Status(answer)).then(|| status.recv_timeout(Duration::from_secs(5)).ok())?
    }

    /// Where it listens, in the order of the routes.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

const WAKER: Token = Token(usize::MAX);
/// Tokens of listeners follow on those of connections.
const LISTENERS: usize = usize::MAX / 2;
/// Orders that may wait.
const ORDERS: usize = 64;
/// Bytes that are read at once.
const READ: usize = 64 * 1024;
/// Times that one connection is read before others have their turn.
const TURNS: usize = 8;
/// Bytes that wait for a side that does not read; then the other side is not read any further.
const BACKLOG: usize = 64 * 1024;
/// How long a manager may take to accept a connection before the next one is tried.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one side may keep its connection after the other one has closed its own.
const HALF_OVER: Duration = Duration::from_secs(30);
/// How often is looked for what is overdue.
const TICK: Duration = Duration::from_millis(500);
/// A turn of the loop that takes so long is one too many: until it takes half of that, the guard is overloaded.
const LATE: Duration = Duration::from_millis(500);
/// Connections that are accepted in one turn.
const ACCEPTS: usize = 256;

/// Starts the proxy. It ends by [`Order::Stop`].
///
/// # Errors
/// If it cannot listen at one of its addresses.
pub fn start(options: Options) -> io::Result<(Handle, JoinHandle<()>)> {
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
    let mut listeners = Vec::new();
    for (at, route) in options.routes.into_iter().enumerate() {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot listen at {}: {error}", route.listen))
        };
        let mut listener = listen(&route).map_err(named)?;
        poll.registry().register(&mut listener, Token(LISTENERS + at), Interest::READABLE)?;
        listeners.push((listener, route));
    }
    let addresses = listeners.iter().map(|(listener, _)| listener.local_addr()).collect::<io::Result<_>>()?;
    let (orders, waiting) = sync_channel(ORDERS);
    let handle = Handle { orders, waker, addresses };
    let Rules { policy, translation, overload } = options.rules;
    let proxy = Proxy {
        poll,
        listeners,
        pairs: Slab::new(),
        places: BTreeMap::new(),
        guard: Guard::new(Config { policy, translation }),
        overload,
        is_late: false,
        orders: waiting,
        log: options.log,
        ways: options.ways,
        evidence: options.evidence,
        told_order: Vec::new(),
        unread: Vec::new(),
        buffer: vec![0; READ],
        started: Instant::now(),
        origin: Timestamp::now(),
        figures: status::Figures::default(),
    };
    let thread = std::thread::Builder::new().name("guard".into()).spawn(move || {
        let mut proxy = proxy;
        proxy.run();
    })?;
    Ok((handle, thread))
}

fn listen(route: &Route) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(route.listen), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if route.listen.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    if route.transparent {
        // Without the right to it, destinations of `redirect` are still known.
        let _ = socket.set_ip_transparent_v4(true);
    }
    socket.bind(&route.listen.into())?;
    socket.listen(1024)?;
    Ok(TcpListener::from_std(socket.into()))
}

struct Proxy {
    poll: Poll,
    listeners: Vec<(TcpListener, Route)>,
    pairs: Slab<Pair>,
    /// The place of each connection that the guard knows.
    places: BTreeMap<ConnectionId, usize>,
    guard: Guard,
    overload: crate::policy::Overload,
    is_late: bool,
    orders: Receiver<Order>,
    log: Log,
    ways: Ways,
    evidence: Option<Evidence>,
    /// The order in which managers told phones to try them.
    told_order: Vec<SocketAddr>,
    /// Connections that have more to read than one turn took.
    unread: Vec<(usize, Side)>,
    buffer: Vec<u8>,
    started: Instant,
    origin: Timestamp,
    figures: status::Figures,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    Goes,
    Ends,
}

impl Proxy {
    fn run(&mut self) {
        let mut events = Events::with_capacity(1024);
        let mut tick = Instant::now() + TICK;
        loop {
            let patience = match self.unread.is_empty() {
                true => tick.saturating_duration_since(Instant::now()),
                false => Duration::ZERO,
            };
            if let Err(error) = self.poll.poll(&mut events, Some(patience))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "cannot wait for the network; the guard stops");
                return;
            }
            let begun = Instant::now();
            for event in &events {
                match event.token() {
                    WAKER => {
                        if self.orders() == Next::Ends {
                            return self.end();
                        }
                    }
                    Token(token) if token >= LISTENERS => self.accept(token - LISTENERS),
                    Token(token) => {
                        let (at, side) =
                            (token / 2, if token % 2 == 0 { Side::Station } else { Side::Manager });
                        self.ready(
                            at,
                            side,
                            event.is_readable() || event.is_read_closed(),
                            event.is_writable(),
                        );
                    }
                }
            }
            for (at, side) in std::mem::take(&mut self.unread) {
                self.ready(at, side, true, false);
            }
            self.tell();
            if begun >= tick {
                self.tick();
                tick = begun + TICK;
            }
            let took = begun.elapsed();
            self.is_late = took >= if self.is_late { LATE / 2 } else { LATE };
        }
    }

    fn now(&self) -> Time {
        let micros = self.started.elapsed().as_micros();
        Time::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    fn stamp(&self, time: Time) -> Timestamp {
        self.origin.checked_add(Duration::from_micros(time.as_micros())).unwrap_or(self.origin)
    }

    fn orders(&mut self) -> Next {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Status(answer)) => {
                    let _ = answer.try_send(self.status());
                }
                Ok(Order::Rules(rules)) => {
                    self.guard.set_policy(rules.policy);
                    self.overload = rules.overload;
                    tracing::info!("the rules were changed");
                }
                Ok(Order::Unblock(source, answer)) => {
                    let _ = answer.try_send(self.guard.unblock(source));
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return Next::Ends,
                Err(TryRecvError::Empty) => return Next::Goes,
            }
        }
    }

    /// Takes the phones that have connected.
    fn accept(&mut self, at: usize) {
        for _ in 0..ACCEPTS {
            let Some((listener, route)) = self.listeners.get(at) else { return };
            let (socket, station) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    // As a rule too many files are open; it goes on at the next tick.
                    self.figures.accepting = false;
                    tracing::error!(%error, "cannot accept a connection");
                    return;
                }
            };
            self.figures.accepting = true;
            let station = SocketAddr::new(station.ip().to_canonical(), station.port());
            let managers =
                if route.transparent { pair::destination(&socket) } else { route.managers.clone() };
            let Some(&manager) = managers.first() else {
                pair::reset(&socket);
                continue;
            };
            let ends = Ends { station, manager, whole: true };
            let fail = self.overload.of(station.ip());
            let id = match (self.is_late, fail) {
                (true, Fail::Closed) => {
                    self.figures.refused += 1;
                    pair::reset(&socket);
                    continue;
                }
                (true, Fail::Open) => {
                    self.figures.uninspected += 1;
                    None
                }
                (false, _) => match self.guard.open(self.now(), ends) {
                    Some(id) => Some(id),
                    None => {
                        pair::reset(&socket);
                        continue;
                    }
                },
            };
            let entry = self.pairs.vacant_entry();
            let key = entry.key();
            match Pair::new(id, ends, socket, managers, self.poll.registry(), key) {
                Ok(pair) => {
                    entry.insert(pair);
                    self.places.extend(id.map(|id| (id, key)));
                    let time = self.stamp(self.now());
                    self.log.tell(&Event::new(time, id.map(|id| id.0), &ends, None, What::Opened));
                }
                Err(error) => {
                    tracing::error!(%error, %manager, "cannot connect to a manager");
                    if let Some(id) = id {
                        self.guard.close(self.now(), id);
                    }
                }
            }
        }
    }

    /// A socket can be read or written.
    fn ready(&mut self, at: usize, side: Side, readable: bool, writable: bool) {
        if writable {
            let Some(pair) = self.pairs.get_mut(at) else { return };
            match pair.writable(side, self.poll.registry(), at) {
                pair::Written::Goes => {}
                pair::Written::Fails(reason) => return self.close(at, reason, true),
            }
            // Who waited for room is read again.
            let other = side.other();
            if pair.may_read_again(other) {
                self.read(at, other);
            }
        }
        if readable {
            self.read(at, side);
        }
        let Some(pair) = self.pairs.get_mut(at) else { return };
        if pair.is_over() {
            self.close(at, "closed", false);
        }
    }

    fn read(&mut self, at: usize, side: Side) {
        let now = self.now();
        for turn in 0.. {
            let Some(pair) = self.pairs.get_mut(at) else { return };
            if !pair.may_read(side) {
                return;
            }
            if turn == TURNS {
                self.unread.push((at, side));
                return;
            }
            match pair.read(side, &mut self.buffer) {
                pair::Read::Nothing => return,
                pair::Read::Bytes(count) => {
                    let bytes = &self.buffer[..count];
                    if self.evidence.is_some() {
                        let at = self
                            .origin
                            .checked_add(Duration::from_micros(now.as_micros()))
                            .unwrap_or(self.origin);
                        pair.said.add(at, side, bytes);
                    }
                    let id = pair.id;
                    let onward = pair.onward(side);
                    let flow = match id {
                        None => {
                            onward.extend_from_slice(bytes);
                            Ok(Flow::Go)
                        }
                        // A fault of ours ends this connection, and no other.
                        Some(id) => catch_unwind(AssertUnwindSafe(|| {
                            self.guard.receive(now, id, side, bytes, onward)
                        })),
                    };
                    let reason = match flow {
                        Ok(Flow::Go) => match pair.flush(side.other()) {
                            pair::Written::Goes => continue,
                            pair::Written::Fails(reason) => reason,
                        },
                        Ok(Flow::Reset) => "reset by the policy",
                        Err(_) => {
                            self.figures.crashes += 1;
                            tracing::error!(station = %pair.ends.station, "a fault of the guard's: this connection is reset");
                            "a fault of the guard's"
                        }
                    };
                    return self.close(at, reason, true);
                }
                pair::Read::End => {
                    let flow = match pair.id {
                        Some(id) => self.guard.finish(now, id, side, pair.onward(side)),
                        None => Flow::Go,
                    };
                    if flow == Flow::Reset {
                        return self.close(at, "reset by the policy", true);
                    }
                    pair.ended(side);
                    return;
                }
                pair::Read::Fails => return self.close(at, "connection lost", true),
            }
        }
    }

    fn close(&mut self, at: usize, reason: &'static str, hard: bool) {
        // What was found in it finds it still there.
        self.tell();
        let Some(mut pair) = self.pairs.try_remove(at) else { return };
        pair.close(self.poll.registry(), hard);
        let now = self.now();
        if let Some(id) = pair.id {
            self.guard.close(now, id);
            self.ways.forget(id);
            self.places.remove(&id);
        }
        let time = self.stamp(now);
        let what = What::Closed { reason, messages: pair.messages };
        self.log.tell(&Event::new(time, pair.id.map(|id| id.0), &pair.ends, pair.device.as_deref(), what));
    }

    /// Does and tells what the guard wants to be done and told.
    fn tell(&mut self) {
        while let Some(output) = self.guard.poll_output() {
            match output {
                Output::Finding(finding) => {
                    let time = self.stamp(finding.time);
                    let (connection, device) = (finding.connection.map(|id| id.0), finding.device.as_deref());
                    let place = finding.connection.and_then(|id| self.places.get(&id));
                    if let (Some(evidence), Some(pair)) =
                        (&mut self.evidence, place.and_then(|at| self.pairs.get_mut(*at)))
                        && finding.kind.severity() >= Severity::Medium
                    {
                        evidence.keep(&mut pair.said, &finding.ends, &finding, time);
                    }
                    self.log.tell(&Event::new(time, connection, &finding.ends, device, &finding));
                }
                Output::Passage { connection, passage } => {
                    self.ways.set(connection, passage);
                    self.about(connection, None, &passage);
                }
                Output::Registered { connection, device, version } => {
                    self.about(connection, Some(device), What::Registered { version });
                }
                Output::Call { connection, device, call } => self.about(connection, device, &call),
                Output::Servers { servers, .. } => self.told_order = servers,
            }
        }
        self.log.flush();
    }

    fn about<'e>(&mut self, id: ConnectionId, device: Option<Arc<str>>, what: impl Into<What<'e>>) {
        let Some(pair) = self.places.get(&id).and_then(|at| self.pairs.get_mut(*at)) else { return };
        pair.device = device.or(pair.device.take());
        let (ends, device) = (pair.ends, pair.device.clone());
        let time = self.stamp(self.now());
        let what = what.into();
        self.log.tell(&Event::new(time, Some(id.0), &ends, device.as_deref(), what));
    }

    fn tick(&mut self) {
        let now = self.now();
        for id in self.guard.overdue(now) {
            if let Some(&at) = self.places.get(&id) {
                self.close(at, "reset by the policy", true);
            }
        }
        let slow: Vec<usize> =
            self.pairs.iter().filter(|(_, pair)| pair.is_slow_to_connect()).map(|(at, _)| at).collect();
        for at in slow {
            let Some(pair) = self.pairs.get_mut(at) else { continue };
            if let pair::Written::Fails(reason) = pair.next_manager(self.poll.registry(), at) {
                self.close(at, reason, true);
            }
        }
        let left: Vec<usize> =
            self.pairs.iter().filter(|(_, pair)| pair.is_left_over()).map(|(at, _)| at).collect();
        for at in left {
            self.close(at, "closed by one side", true);
        }
        for at in 0..self.listeners.len() {
            if !self.figures.accepting {
                self.accept(at);
            }
        }
        self.tell();
    }

    fn end(&mut self) {
        let all: Vec<usize> = self.pairs.iter().map(|(at, _)| at).collect();
        for at in all {
            self.close(at, "the guard stops", true);
        }
        self.tell();
        self.ways.end();
    }
}
