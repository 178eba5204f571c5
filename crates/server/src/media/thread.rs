//! The thread itself: its loop, its sockets, and what orders do.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{BuildHasher, RandomState},
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::TryRecvError,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mio::{Events, Interest, Poll, Token, Waker, net::UdpSocket};
use selsius_exchange::record::StreamFigures;
use selsius_media::{
    Time,
    engine::{BridgeId, Clip, Config, Counters, Engine, Figures, Output, PartyId, Port, SourceId},
    rtcp::NtpTime,
};
use selsius_srtp::Refused;
use tokio::sync::oneshot;

use super::{
    Answer, Handle, Happening, Live, Opening, Order, Party, Status, Watcher,
    cover::Cover,
    feed::HERE,
    handle::{Orders, complain},
    ports::{Pair, Ports},
};
use crate::{
    config::PortRange,
    core::{self, Command, Unavailable},
    net::canonical,
    quality,
};

const WAKER: usize = usize::MAX;
/// Ports of sources have the tokens from here on, those of parties the ones below.
const FEEDS: usize = usize::MAX / 2;
/// Datagrams that are read of one socket in one turn, so that a flood does not hold up the others.
const READS: usize = 32;
/// Sockets that are served before the engine is asked what is due.
const SOCKETS: usize = 64;
/// What is longer than any packet that the engine takes is cut off, and refused there.
const DATAGRAM: usize = 2048;
/// How soon the exchange is told again what it had no room for.
const AGAIN: Duration = Duration::from_millis(5);
/// Crashes after which the thread is given up, if they come within [`APART`].
const CRASHES: usize = 5;
const APART: Duration = Duration::from_secs(60);

/// How to start.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Ports for RTP and RTCP.
    pub ports: PortRange,
    /// The byte of the IP header that carries the class of service.
    pub tos: u8,
}

/// Starts the thread, which ends by [`Order::End`]. The receiver is told nothing, and ends with it.
///
/// # Errors
/// If the system refuses a thread or a poll.
pub fn start(start: Start) -> io::Result<(Handle, oneshot::Receiver<()>)> {
    let poll = Poll::new()?;
    let (handle, orders) = Handle::new(Waker::new(poll.registry(), Token(WAKER))?);
    let origin = Instant::now();
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall = NtpTime::from_unix_micros(u64::try_from(wall.as_micros()).unwrap_or(u64::MAX));
    let media = Media {
        ports: Ports::new(start.ports, start.tos, chance()),
        engine: engine(wall),
        poll,
        orders,
        exchange: None,
        answers: VecDeque::new(),
        legs: Vec::new(),
        parties: BTreeMap::new(),
        talkers: BTreeMap::new(),
        sources: BTreeMap::new(),
        feeds: BTreeMap::new(),
        unread: VecDeque::new(),
        past: Counters::default(),
        status: Status::default(),
        buffer: vec![0; DATAGRAM],
        origin,
        wall,
    };
    let (alive, ended) = oneshot::channel();
    std::thread::Builder::new().name("media".into()).spawn(move || {
        // Dropped after the media, in the reverse order: who hears of the end finds all ports closed.
        let _alive = alive;
        let mut media = media;
        let mut crashes = VecDeque::new();
        while catch_unwind(AssertUnwindSafe(|| media.run())).is_err() {
            tracing::error!("the media thread has crashed; the calls that it served are silent");
            media.begin_again();
            let now = Instant::now();
            crashes.retain(|&crash| now.duration_since(crash) < APART);
            crashes.push_back(now);
            if crashes.len() == CRASHES {
                tracing::error!("the media thread crashes again and again; it stops");
                return;
            }
        }
    })?;
    Ok((handle, ended))
}

struct Media {
    poll: Poll,
    orders: Orders,
    engine: Engine,
    ports: Ports,
    /// The way to the exchange.
    exchange: Option<core::Handle>,
    /// What it had no room for.
    answers: VecDeque<Told>,
    /// By the index of the engine's party.
    legs: Vec<Option<Leg>>,
    parties: BTreeMap<Party, PartyId>,
    /// Who talks in bridges of several.
    talkers: BTreeMap<BridgeId, Party>,
    /// What the sources give: an engine that begins again has none.
    sources: BTreeMap<SourceId, Clip>,
    /// Those that are live, and the ports at which what they give arrives.
    feeds: BTreeMap<SourceId, Option<UdpSocket>>,
    /// Sockets that have more than was read in one turn.
    unread: VecDeque<usize>,
    /// What was counted before the last crash.
    past: Counters,
    status: Status,
    buffer: Vec<u8>,
    origin: Instant,
    wall: NtpTime,
}

/// A party's sockets.
struct Leg {
    id: PartyId,
    party: Party,
    pair: Pair,
    watcher: Option<Watcher>,
    /// If its audio is encrypted.
    cover: Option<Box<Cover>>,
}

/// What the exchange is told of a party of its own.
enum Told {
    /// Where the manager listens to it, if it does.
    Anchored(u32, Option<SocketAddr>),
    /// That it is gone, and how it was.
    Left(u32, Option<StreamFigures>),
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    Goes,
    Ends,
}

impl Media {
    /// Runs until it is stopped.
    fn run(&mut self) {
        let mut events = Events::with_capacity(1024);
        // After a crash nobody says again what was announced before it.
        if self.orders() == Next::Ends {
            return;
        }
        self.answer();
        loop {
            if let Err(error) = self.poll.poll(&mut events, self.patience())
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "cannot wait for the network; the media thread stops");
                return;
            }
            for (at, event) in events.iter().enumerate() {
                match event.token().0 {
                    WAKER => {
                        if self.orders() == Next::Ends {
                            return;
                        }
                    }
                    token => self.read(token),
                }
                if at % SOCKETS == SOCKETS - 1 {
                    self.timeouts();
                }
            }
            for _ in 0..self.unread.len() {
                if let Some(token) = self.unread.pop_front() {
                    self.read(token);
                }
            }
            self.timeouts();
            self.answer();
        }
    }

    fn now(&self) -> Time {
        since(self.origin)
    }

    fn patience(&self) -> Option<Duration> {
        if !self.unread.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = self.now();
        let due = self.engine.poll_timeout().map(|at| at.since(now));
        let again = (!self.answers.is_empty()).then_some(AGAIN);
        due.into_iter().chain(again).min()
    }

    fn timeouts(&mut self) {
        let now = self.now();
        if self.engine.poll_timeout().is_some_and(|at| at <= now) {
            self.engine.handle_timeout(now);
            self.outputs();
        }
    }

    /// Reads what has come to a socket, up to a bound; the rest follows in the next turn.
    fn read(&mut self, token: usize) {
        if token >= FEEDS {
            return self.read_feed(token);
        }
        for _ in 0..READS {
            let Some(leg) = self.legs.get_mut(token / 2).and_then(Option::as_mut) else { return };
            let id = leg.id;
            let (socket, port) = match token.is_multiple_of(2) {
                true => (&leg.pair.media, Port::Media),
                false => (&leg.pair.control, Port::Control),
            };
            match socket.recv_from(&mut self.buffer) {
                Ok((len, from)) => {
                    let now = since(self.origin);
                    let (datagram, from) = (&self.buffer[..len], canonical(from));
                    let opened = leg.cover.as_mut().map(|cover| cover.open(port, datagram));
                    let datagram = match opened {
                        None => datagram,
                        Some(Ok(plain)) => plain,
                        Some(Err(refused)) => {
                            match refused {
                                Refused::Replayed => self.status.replayed += 1,
                                Refused::Malformed | Refused::Forged | Refused::Spent => {
                                    self.status.forged += 1
                                }
                            }
                            continue;
                        }
                    };
                    match port {
                        Port::Media => self.engine.receive(now, id, from, datagram),
                        Port::Control => self.engine.receive_control(now, id, from, datagram),
                    }
                    self.outputs();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // That of a packet which we sent to a port that is closed by now.
                Err(_) => {}
            }
        }
        self.unread.push_back(token);
    }

    /// The same for what comes for a source.
    fn read_feed(&mut self, token: usize) {
        let Ok(source) = u32::try_from(token - FEEDS).map(SourceId) else { return };
        for _ in 0..READS {
            let Some(Some(socket)) = self.feeds.get(&source) else { return };
            match socket.recv_from(&mut self.buffer) {
                Ok((len, from)) => {
                    let now = self.now();
                    self.engine.feed(now, source, canonical(from), &self.buffer[..len]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
        self.unread.push_back(token);
    }

    /// What a source gives before its clip.
    fn live(&mut self, source: SourceId, live: Live) {
        // A port that it had is closed with this, and so out of the poll.
        self.feeds.remove(&source);
        let (socket, is_live) = match live {
            Live::No => (None, false),
            Live::Fed => (None, true),
            Live::Socket(mut socket) => {
                let token = Token(FEEDS + source.0 as usize);
                if let Err(error) = self.poll.registry().register(&mut socket, token, Interest::READABLE) {
                    tracing::warn!(source = source.0, %error, "live music cannot be heard");
                }
                (Some(socket), true)
            }
        };
        if is_live {
            self.feeds.insert(source, socket);
        }
        if let Err(error) = self.engine.set_live(source, is_live) {
            tracing::warn!(source = source.0, %error, "media source refused");
        }
    }

    /// Does what the engine wants done.
    fn outputs(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Packet { party, to, port, bytes } => {
                    let Some(leg) = leg(&mut self.legs, party) else { continue };
                    let socket = match port {
                        Port::Media => &leg.pair.media,
                        Port::Control => &leg.pair.control,
                    };
                    let closed = leg.cover.as_mut().map(|cover| cover.close(port, bytes));
                    let sent = match closed {
                        None => send(socket, to, bytes).is_ok(),
                        Some(closed) => closed.is_ok_and(|bytes| send(socket, to, bytes).is_ok()),
                    };
                    self.status.unsent += u64::from(!sent);
                }
                Output::Sound { party, said, heard } => {
                    if let Some(watcher) = watcher(&mut self.legs, party) {
                        watcher(Happening::Sound { said, heard });
                    }
                }
                Output::Event { party, event } => {
                    if let Some(watcher) = watcher(&mut self.legs, party) {
                        watcher(Happening::Event(event));
                    }
                }
                Output::Talker { bridge, party } => {
                    let talker = party.and_then(|id| leg(&mut self.legs, id)).map(|leg| leg.party);
                    self.talks(bridge, talker);
                }
            }
        }
    }

    /// Somebody else talks in a bridge, or nobody any more.
    fn talks(&mut self, bridge: BridgeId, talker: Option<Party>) {
        let before = match talker {
            Some(party) => self.talkers.insert(bridge, party),
            None => self.talkers.remove(&bridge),
        };
        for (party, talks) in [(before, false), (talker, true)] {
            let Some(party) = party else { continue };
            match (party.number(), self.parties.get(&party)) {
                (Some(party), _) => {
                    // It is a mark in a list: if the exchange has no time for it, the next one is soon there.
                    let _ =
                        self.exchange.as_ref().map(|exchange| exchange.send(Command::Talks { party, talks }));
                }
                (None, Some(&id)) => {
                    if let Some(watcher) = watcher(&mut self.legs, id) {
                        watcher(Happening::Talks(talks));
                    }
                }
                (None, None) => {}
            }
        }
    }

    /// Carries out the orders that wait.
    fn orders(&mut self) -> Next {
        loop {
            match self.orders.try_recv() {
                Ok(Order::End) | Err(TryRecvError::Disconnected) => return Next::Ends,
                Ok(order) => self.order(order),
                Err(TryRecvError::Empty) => return Next::Goes,
            }
            self.outputs();
        }
    }

    fn order(&mut self, order: Order) {
        let now = self.now();
        let id = |party: Party| self.parties.get(&party).copied();
        let (party, done) = match order {
            Order::Open { party, opening, watcher, answer } => {
                let address = self.open(now, party, *opening, watcher);
                self.status.refused += u64::from(address.is_none());
                match (answer, party.number()) {
                    (Answer::Waiting(answer), _) => {
                        // Whoever asked may have gone, and does not know that there is a party.
                        if answer.send(address).is_err() {
                            self.close(now, party);
                        }
                    }
                    (Answer::Exchange, Some(number)) => {
                        self.answers.push_back(Told::Anchored(number, address))
                    }
                    (Answer::Exchange, None) => {}
                }
                return;
            }
            Order::Close { party, answer } => {
                let figures = self.close(now, party);
                if let Some(number) = party.number() {
                    self.answers.push_back(Told::Left(number, figures.as_ref().map(quality::counted)));
                }
                if let Some(answer) = answer {
                    let _ = answer.send(figures);
                }
                return;
            }
            Order::CloseExchange => {
                let of_exchange = self.parties.keys().copied().filter(|party| party.number().is_some());
                for party in of_exchange.collect::<Vec<_>>() {
                    self.close(now, party);
                }
                self.answers.clear();
                return;
            }
            Order::Record(party, recording) => {
                let Some(id) = id(party) else { return };
                let (watcher, tone) = recording.map_or((None, None), |(watcher, tone)| (Some(watcher), tone));
                let tapped = watcher.is_some();
                if let Some(leg) = leg(&mut self.legs, id) {
                    leg.watcher = watcher;
                }
                let warned = self.engine.set_warning(id, tone);
                (party, Some(warned.and_then(|()| self.engine.tap(now, id, tapped))))
            }
            Order::Source(source, Some(clip)) => {
                self.sources.insert(source, clip.clone());
                if let Err(error) = self.engine.set_source(source, clip) {
                    tracing::warn!(source = source.0, %error, "media source refused");
                }
                return;
            }
            Order::Live(source, live) => return self.live(source, live),
            Order::Feed(source, datagram) => return self.engine.feed(now, source, HERE, &datagram),
            Order::Source(source, None) => {
                self.sources.remove(&source);
                self.feeds.remove(&source);
                return self.engine.remove_source(now, source);
            }
            Order::Figures(party, answer) => {
                let figures = id(party).and_then(|id| self.engine.figures(now, id));
                let _ = answer.send(figures);
                return;
            }
            Order::Status(answer) => {
                let _ = answer.send(self.status());
                return;
            }
            Order::Exchange(handle) => {
                self.exchange = Some(handle);
                return;
            }
            Order::End => return,
            Order::Remote(party, remote, learning) => {
                (party, id(party).map(|id| self.engine.set_remote(now, id, Some(remote), learning)))
            }
            Order::Format(party, format) => {
                (party, id(party).map(|id| self.engine.set_format(now, id, format)))
            }
            Order::Srtp(party, keys) => {
                if let Some(leg) = id(party).and_then(|id| leg(&mut self.legs, id)) {
                    match (&mut leg.cover, keys) {
                        (Some(cover), Some(keys)) => cover.change(&keys),
                        (cover, keys) => *cover = keys.map(|keys| Box::new(Cover::new(&keys))),
                    }
                }
                return;
            }
            Order::Place(party, place) => (party, id(party).map(|id| self.engine.place(now, id, place))),
            Order::Voice(party, voice) => (party, id(party).map(|id| self.engine.set_voice(id, voice))),
            Order::Play(party, clip) => (party, id(party).map(|id| self.engine.play(now, id, clip))),
            Order::Stop(party) => (party, id(party).map(|id| self.engine.stop(now, id))),
            Order::Digit(party, digit, length) => {
                (party, id(party).map(|id| self.engine.send_digit(now, id, digit, length)))
            }
            Order::Tap(party, tapped) => (party, id(party).map(|id| self.engine.tap(now, id, tapped))),
        };
        // A party that is not there was refused, or has been closed meanwhile.
        if let Some(Err(error)) = done {
            complain(party, error);
        }
    }

    fn open(
        &mut self,
        now: Time,
        party: Party,
        opening: Opening,
        watcher: Option<Watcher>,
    ) -> Option<SocketAddr> {
        self.close(now, party);
        let Opening { format, address, remote, learning, place, srtp } = opening;
        let opened = self.engine.open(now, format, remote, learning);
        let id = opened.inspect_err(|&error| complain(party, error)).ok()?;
        let placed = self.engine.place(now, id, place);
        if let Err(error) = placed {
            complain(party, error);
            self.engine.close(now, id);
            return None;
        }
        let index = id.index() as usize;
        let bound = self.ports.bind(address).and_then(|pair| self.register(index, pair));
        let pair = match bound {
            Ok(pair) => pair,
            Err(error) => {
                tracing::warn!(%error, %address, free = self.ports.free(), "no ports for voice");
                self.engine.close(now, id);
                return None;
            }
        };
        let port = pair.port;
        self.legs.resize_with(self.legs.len().max(index + 1), || None);
        if let Some(slot) = self.legs.get_mut(index) {
            let cover = srtp.map(|keys| Box::new(Cover::new(&keys)));
            *slot = Some(Leg { id, party, pair, watcher, cover });
        }
        self.parties.insert(party, id);
        Some(SocketAddr::new(address, port))
    }

    fn register(&mut self, index: usize, mut pair: Pair) -> io::Result<Pair> {
        let registry = self.poll.registry();
        let registered = registry
            .register(&mut pair.media, Token(index * 2), Interest::READABLE)
            .and_then(|()| registry.register(&mut pair.control, Token(index * 2 + 1), Interest::READABLE));
        if let Err(error) = registered {
            self.ports.release(pair.port);
            return Err(error);
        }
        Ok(pair)
    }

    fn close(&mut self, now: Time, party: Party) -> Option<Figures> {
        let id = self.parties.remove(&party)?;
        let figures = self.engine.close(now, id);
        // What it still had to say goes out by the sockets that close now.
        self.outputs();
        if let Some(leg) = self.legs.get_mut(id.index() as usize).and_then(Option::take) {
            // Closing a socket takes it out of the poll.
            self.ports.release(leg.pair.port);
        }
        if let Some(figures) = &figures {
            tell(party, figures);
        }
        figures
    }

    /// Tells the exchange what it has room for.
    fn answer(&mut self) {
        while let Some(told) = self.answers.front() {
            let Some(exchange) = &self.exchange else { return };
            let command = match *told {
                Told::Anchored(party, address) => Command::Anchored { party, address },
                Told::Left(party, figures) => Command::Left { party, figures: figures.map(Box::new) },
            };
            match exchange.send(command) {
                Err(Unavailable::Busy) => return,
                Ok(()) | Err(Unavailable::Stopped) => drop(self.answers.pop_front()),
            }
        }
    }

    fn status(&self) -> Status {
        Status {
            parties: self.engine.parties(),
            bridges: self.engine.bridges(),
            free_ports: self.ports.free(),
            counters: sum(self.past, self.engine.counters()),
            ..self.status
        }
    }

    /// After a crash: all parties are lost, and those who have them are told so.
    fn begin_again(&mut self) {
        self.status.crashes += 1;
        self.past = sum(self.past, self.engine.counters());
        self.engine = engine(self.wall);
        for (&source, clip) in &self.sources {
            // It took as many before.
            let _ = self.engine.set_source(source, clip.clone());
        }
        for &source in self.feeds.keys() {
            let _ = self.engine.set_live(source, true);
        }
        self.unread.clear();
        for mut leg in std::mem::take(&mut self.legs).into_iter().flatten() {
            self.ports.release(leg.pair.port);
            if let Some(number) = leg.party.number() {
                self.answers.push_back(Told::Anchored(number, None));
            }
            if let Some(watcher) = &mut leg.watcher {
                // It may be what crashes.
                let _ = catch_unwind(AssertUnwindSafe(|| watcher(Happening::Lost)));
            }
        }
        self.parties.clear();
        self.talkers.clear();
        self.answer();
    }
}

fn since(origin: Instant) -> Time {
    Time::from_micros(u64::try_from(origin.elapsed().as_micros()).unwrap_or(u64::MAX))
}

fn leg(legs: &mut [Option<Leg>], id: PartyId) -> Option<&mut Leg> {
    legs.get_mut(id.index() as usize)?.as_mut().filter(|leg| leg.id == id)
}

fn watcher(legs: &mut [Option<Leg>], id: PartyId) -> Option<&mut Watcher> {
    leg(legs, id)?.watcher.as_mut()
}

/// Sends a datagram. What the network does not take now is lost, as on any other part of its way.
fn send(socket: &UdpSocket, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    match socket.send_to(bytes, to) {
        Ok(_) => Ok(()),
        // Of an earlier packet, to a port that is closed: this one has not been tried.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            socket.send_to(bytes, to).map(|_| ())
        }
        Err(error) => Err(error),
    }
}

fn engine(wall: NtpTime) -> Engine {
    Engine::new(Config { seed: chance(), wall, name: "selsius".into() })
}

/// A random number: the keys of std's hasher are.
fn chance() -> u64 {
    RandomState::new().hash_one(0)
}

fn tell(party: Party, figures: &Figures) {
    let received = figures.received;
    tracing::debug!(
        ?party,
        codec = %figures.codec,
        received = received.packets,
        lost = received.lost,
        late = figures.late,
        jitter_ms = received.jitter.as_secs_f64() * 1000.0,
        sent = figures.sent_packets,
        strangers = figures.strangers,
        score = figures.score.map(|score| score.score()),
        "audio of a party has ended"
    );
}

fn sum(a: Counters, b: Counters) -> Counters {
    Counters {
        received: a.received + b.received,
        sent: a.sent + b.sent,
        strangers: a.strangers + b.strangers,
        malformed: a.malformed + b.malformed,
        unexpected: a.unexpected + b.unexpected,
        floods: a.floods + b.floods,
        late: a.late + b.late,
        dropped: a.dropped + b.dropped,
    }
}
