//! An exchange and its phones, driven event by event.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_exchange::{
    AnchorOrder, Config, Exchange, Input, Output, Peer, SessionId, Time, WallClock,
    loopback::Loopback,
    record::{CallEnded, CallId, Record, StreamFigures, WallTime},
    remembered::LineState,
};
use selsius_site::{LineNumber, Site};
use selsius_station::{Action, Counters, MediaOrder, Station};
use selsius_wire::{
    Dialect, ManagerMessage, StationMessage,
    frame::Framer,
    message,
    srtp::Keys,
    value::{RingMode, Text},
};

use crate::{
    chaos::{About, Answer, Answers, Cut, Notices, Way},
    meter::Meter,
    network::{Network, Wire},
    queue::Queue,
    services::Services,
    sip_phones::SipPhones,
};

/// When the virtual time begins: 2026-11-24 02:30:00 UTC.
pub(crate) const START: WallTime = WallTime(1_795_487_400_000_000);

/// Who wants to see the records.
pub type Recorder = Box<dyn FnMut(&Record)>;

/// A phone of the bed, with its connection and what its audio does.
#[derive(Debug)]
pub struct Phone {
    /// The phone itself.
    pub station: Station,
    /// Streams it listens to, by pass-through party id, and which of the bed's channels each is: what becomes of one that
    /// was closed meanwhile is no news.
    pub receiving: BTreeMap<u32, u64>,
    /// Multicast groups it listens to, by pass-through party id.
    pub groups: BTreeMap<u32, SocketAddr>,
    /// Streams it sends, and where to.
    pub transmitting: BTreeMap<u32, SocketAddr>,
    /// The keys of the streams that it listens to, or none.
    pub hears_by: BTreeMap<u32, Option<Keys>>,
    /// The keys of the streams that it sends, or none.
    pub sends_by: BTreeMap<u32, Option<Keys>>,
    /// Does it ring?
    pub rings: bool,
    address: IpAddr,
    link: Option<Link>,
    timer: Option<Time>,
}

impl Phone {
    /// Does it ring, or hear or send anything?
    pub(crate) fn is_busy(&self) -> bool {
        self.rings || !self.receiving.is_empty() || !self.groups.is_empty() || !self.transmitting.is_empty()
    }
}

/// A connection, both ends.
#[derive(Debug)]
struct Link {
    session: SessionId,
    up: Wire,
    down: Wire,
    /// Bytes of the manager, at the phone.
    at_phone: Framer,
}

/// The manager's end of a connection.
#[derive(Debug, Default)]
struct Session {
    phone: usize,
    framer: Framer,
    dialect: Dialect,
    output: Vec<u8>,
    closing: bool,
}

/// What happens at a time.
#[derive(Debug)]
enum Event {
    ToManager(SessionId, Vec<u8>),
    ToPhone(usize, SessionId, Vec<u8>),
    /// The manager notices that the connection is gone.
    ManagerLoses(SessionId),
    /// The phone notices.
    PhoneLoses(usize, SessionId),
    Connect(usize),
    /// The phone has opened a receive channel, or could not: phone, party, and which of the party's channels it is.
    Opened(usize, u32, u64),
    Failed(usize, u32, u64),
    StationTimer(usize),
    ExchangeTimer,
    /// A trunk or the mixer answers.
    Answer(Answer),
}

/// An exchange, phones and the network between them.
pub struct Bed {
    /// The exchange.
    pub exchange: Exchange,
    /// The phones.
    pub phones: Vec<Phone>,
    /// The virtual time.
    pub now: Time,
    /// Finished calls.
    pub ended: Vec<CallEnded>,
    /// Chance decides here, and nowhere else.
    pub rng: ChaCha8Rng,
    /// One in this many audio channels does not open, or never answers. 0: all open.
    pub bad_media: u32,
    /// Calls whose record has a beginning and no end yet.
    pub begun: BTreeSet<CallId>,
    /// How long the manager's side works.
    pub meter: Meter,
    /// Gets each record on the spot, as the store's queue does.
    pub recorder: Option<Recorder>,
    /// Larger than the id of any call so far: what a store tells at the next start.
    next_call: CallId,
    /// A connection that is to break after a certain message.
    pub(crate) cut: Option<Cut>,
    pub(crate) answers: Answers,
    /// What was stored of the lines: it survives the manager's crash.
    lines: BTreeMap<LineNumber, LineState>,
    loopback: Loopback,
    sip_phones: SipPhones,
    pub(crate) services: Services,
    network: Network,
    sessions: BTreeMap<SessionId, Session>,
    dirty: Vec<SessionId>,
    events: Queue<Event>,
    /// Events that are not timers.
    in_flight: usize,
    next_session: u64,
    /// Receive channels that phones were told to open so far.
    channels: u64,
    exchange_timer: Option<Time>,
}

impl Bed {
    /// A bed with this site, network and chance; phones are added with [`Self::add`].
    pub fn new(site: Site, network: Network, seed: u64) -> Self {
        let wall = WallClock { at: Time::ZERO, wall: START, offset_seconds: 0 };
        Self {
            exchange: Exchange::new(Config::default(), site, wall),
            phones: Vec::new(),
            now: Time::ZERO,
            ended: Vec::new(),
            begun: BTreeSet::new(),
            meter: Meter::default(),
            recorder: None,
            next_call: Config::default().first_call,
            rng: ChaCha8Rng::seed_from_u64(seed),
            bad_media: 0,
            cut: None,
            answers: Answers::default(),
            lines: BTreeMap::new(),
            loopback: Loopback::default(),
            sip_phones: SipPhones::default(),
            services: Services::default(),
            network,
            sessions: BTreeMap::new(),
            dirty: Vec::new(),
            events: Queue::default(),
            in_flight: 0,
            next_session: 1,
            channels: 0,
            exchange_timer: None,
        }
    }

    /// Adds a phone; it connects at once. Its number in the bed.
    pub fn add(&mut self, config: selsius_station::Config) -> usize {
        let phone = self.phones.len();
        let address = config.address;
        self.phones.push(Phone {
            station: Station::new(config),
            receiving: BTreeMap::new(),
            groups: BTreeMap::new(),
            transmitting: BTreeMap::new(),
            hears_by: BTreeMap::new(),
            sends_by: BTreeMap::new(),
            rings: false,
            address,
            link: None,
            timer: None,
        });
        self.schedule(self.now, Event::Connect(phone));
        phone
    }

    /// A user acts on a phone.
    pub fn act(&mut self, phone: usize, action: Action) {
        self.phones[phone].station.handle(self.now, selsius_station::Input::User(action));
        self.station_outputs(phone);
    }

    /// Sends a message as if the phone had: what hostile or broken phones do.
    pub fn forge(&mut self, phone: usize, message: &StationMessage) {
        self.send_up(phone, message);
        self.flush_up(phone);
    }

    /// Breaks a phone's connection.
    pub fn cut(&mut self, phone: usize, notices: Notices) {
        let Some(session) = self.phones[phone].link.as_ref().map(|link| link.session) else { return };
        // Nothing more gets through, in either direction.
        let gone = |event: &Event| match event {
            Event::ToManager(other, _) | Event::ToPhone(_, other, _) => *other == session,
            _ => false,
        };
        self.in_flight -= self.events.retain(|event| !gone(event));
        if let Some(link) = self.phones[phone].link.as_mut() {
            link.session = SessionId(u64::MAX);
        }
        if let Some(after) = notices.manager {
            self.schedule(self.now + after, Event::ManagerLoses(session));
        }
        if let Some(after) = notices.phone {
            self.schedule(self.now + after, Event::PhoneLoses(phone, SessionId(u64::MAX)));
        }
    }

    /// A phone is carried to another place: it connects from another address, and its old connection just falls silent.
    pub fn carry(&mut self, phone: usize, address: IpAddr) {
        self.phones[phone].address = address;
        self.cut(phone, Notices { manager: None, phone: Some(Duration::from_millis(1)) });
    }

    /// Nothing gets through between a phone and the manager for a while; then all of it does.
    pub fn stall(&mut self, phone: usize, span: Duration) {
        let until = self.now + span;
        if let Some(link) = self.phones[phone].link.as_mut() {
            link.up.stall(until);
            link.down.stall(until);
        }
    }

    /// Somebody else connects, says that he is this phone, never says anything more, and is gone after `span`.
    pub fn impostor(&mut self, phone: usize, address: IpAddr, span: Duration) {
        let config = self.phones[phone].station.config();
        let register = message::Register {
            device_name: Text::new(config.name.as_bytes()),
            device_type: config.device_type,
            protocol_ver: config.version,
            ..message::Register::default()
        };
        let session = self.open(phone, address);
        self.exchange(Input::Message { session, message: register.into() });
        self.schedule(self.now + span, Event::ManagerLoses(session));
    }

    /// The manager crashes and is there again at once, with its site and without its calls.
    pub fn restart_manager(&mut self) {
        let site = self.exchange.site().clone();
        let wall = WallClock { at: Time::ZERO, wall: START, offset_seconds: 0 };
        let (first_call, first_reference) = (self.next_call, self.rng.random());
        let config = Config { first_call, first_reference, ..Config::default() };
        self.exchange = Exchange::new(config, site, wall);
        self.exchange.remember(self.lines.clone(), []);
        // A store ends them at the next start.
        self.begun.clear();
        self.lose_connections();
    }

    /// The exchange alone crashes, and the next one goes on with what is left, as the server has it.
    pub fn crash_exchange(&mut self) {
        for record in self.exchange.cut_off(self.now) {
            self.store(record);
        }
        let wall = WallClock { at: Time::ZERO, wall: START, offset_seconds: 0 };
        let next = Exchange::new(Config::default(), Site::default(), wall);
        let failed = std::mem::replace(&mut self.exchange, next);
        self.exchange = Exchange::after(failed.remains(), wall);
        self.lose_connections();
    }

    /// Nothing is left of what the manager had to do with others.
    fn lose_connections(&mut self) {
        self.loopback = Loopback::default();
        self.sip_phones.lose_calls();
        self.services = Services::default();
        self.answers.forget();
        self.exchange_timer = None;
        for (session, state) in std::mem::take(&mut self.sessions) {
            let after = Duration::from_micros(self.rng.random_range(self.network.delay.clone()));
            self.schedule(self.now + after, Event::PhoneLoses(state.phone, session));
        }
    }

    /// What an operator does, through the exchange's own functions.
    pub fn administer(&mut self, act: impl FnOnce(&mut Exchange, Time)) {
        act(&mut self.exchange, self.now);
        self.exchange_outputs();
    }

    /// The office is another one from now on.
    pub fn change_site(&mut self, site: Site) {
        self.exchange(Input::Site(Box::new(site)));
    }

    /// Calls that the loopback trunk has, both sides counted.
    pub fn trunk_calls(&self) -> usize {
        self.loopback.calls()
    }

    /// Calls that SIP phones have.
    pub fn sip_calls(&self) -> usize {
        self.sip_phones.calls()
    }

    /// The user of a SIP phone does something, perhaps with this number.
    pub fn sip_phone_acts(&mut self, number: &str) {
        let input = self.sip_phones.act(&mut self.rng, number);
        self.sip_phone_says(input);
    }

    /// All users of SIP phones hang up.
    pub fn sip_phones_hang_up(&mut self) {
        for input in self.sip_phones.hang_up() {
            self.sip_phone_says(input);
        }
    }

    fn sip_phone_says(&mut self, input: Input) {
        let about = match &input {
            Input::Trunk(event) => Some(About::Trunk(event.leg())),
            _ => None,
        };
        match about {
            Some(about) => self.answer(about, input),
            None => self.exchange.handle(self.now, input),
        }
        self.exchange_outputs();
    }

    /// The loopback trunk's line is cut.
    pub fn cut_trunk(&mut self) {
        self.loopback.cut();
        self.exchange_outputs();
    }

    /// Is nothing on its way, in the network or to the audio?
    pub fn is_quiet(&self) -> bool {
        self.in_flight == 0
    }

    /// Lets time pass until nothing is on its way any more, at most `limit`. Timers that come due meanwhile fire.
    pub fn settle(&mut self, limit: Duration) -> bool {
        let until = self.now + limit;
        while self.in_flight > 0 {
            if !self.step(until) {
                return false;
            }
        }
        true
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while self.step(until) {}
        self.now = until;
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Time> {
        self.events.next_at()
    }

    /// The next event, if it is not after `until`. False if there was none.
    pub fn step(&mut self, until: Time) -> bool {
        let Some((at, event)) = self.events.pop(until) else { return false };
        self.now = self.now.max(at);
        if !matches!(event, Event::StationTimer(_) | Event::ExchangeTimer) {
            self.in_flight -= 1;
        }
        self.happen(at, event);
        true
    }

    fn happen(&mut self, at: Time, event: Event) {
        let now = self.now;
        match event {
            Event::ToManager(session, bytes) => self.at_manager(session, &bytes),
            Event::ToPhone(phone, session, bytes) => self.at_phone(phone, session, &bytes),
            Event::ManagerLoses(session) => {
                if self.sessions.remove(&session).is_some() {
                    self.exchange(Input::Closed { session, reason: "connection lost".into() });
                }
            }
            Event::PhoneLoses(phone, session) => {
                if self.phones[phone].link.as_ref().is_some_and(|link| link.session == session) {
                    self.phone_disconnected(phone);
                }
            }
            Event::Connect(phone) => self.connect(phone),
            Event::Opened(phone, party, channel) => {
                if self.phones[phone].receiving.get(&party) == Some(&channel) {
                    let address =
                        SocketAddr::new(self.phones[phone].address, 16_384 + (party % 8192) as u16 * 2);
                    self.station(phone, selsius_station::Input::ReceiveOpened { party, address });
                }
            }
            Event::Failed(phone, party, channel) => {
                if self.phones[phone].receiving.get(&party) == Some(&channel) {
                    self.phones[phone].receiving.remove(&party);
                    self.phones[phone].groups.remove(&party);
                    self.station(phone, selsius_station::Input::ReceiveFailed { party });
                }
            }
            Event::StationTimer(phone) => {
                if self.phones[phone].timer == Some(at) {
                    self.phones[phone].timer = None;
                    self.phones[phone].station.handle_timeout(now);
                    self.station_outputs(phone);
                }
            }
            Event::Answer(answer) => {
                if let Some(input) = self.answers.take(answer) {
                    self.exchange(input);
                }
            }
            Event::ExchangeTimer => {
                if self.exchange_timer == Some(at) {
                    self.exchange_timer = None;
                    self.meter.enter();
                    self.exchange.handle_timeout(now);
                    self.exchange_outputs();
                }
            }
        }
    }

    fn connect(&mut self, phone: usize) {
        if self.phones[phone].link.is_some() {
            return;
        }
        // The link is there before the manager may answer on it.
        let session = SessionId(self.next_session);
        self.phones[phone].link =
            Some(Link { session, up: Wire::default(), down: Wire::default(), at_phone: Framer::default() });
        self.open(phone, self.phones[phone].address);
        self.station(phone, selsius_station::Input::Connected);
    }

    /// A connection, at the manager's end.
    fn open(&mut self, phone: usize, address: IpAddr) -> SessionId {
        let session = SessionId(self.next_session);
        self.next_session += 1;
        self.sessions.insert(session, Session { phone, ..Session::default() });
        let remote = SocketAddr::new(address, 50_000 + (session.0 % 10_000) as u16);
        let local = SocketAddr::from(([10, 0, 0, 1], 2000));
        self.exchange(Input::Opened { session, peer: Peer { remote, local } });
        session
    }

    fn phone_disconnected(&mut self, phone: usize) {
        self.phones[phone].link = None;
        self.phones[phone].rings = false;
        self.phones[phone].receiving.clear();
        self.phones[phone].groups.clear();
        self.phones[phone].transmitting.clear();
        self.phones[phone].hears_by.clear();
        self.phones[phone].sends_by.clear();
        self.station(phone, selsius_station::Input::Disconnected);
        let again = Duration::from_millis(self.rng.random_range(100..5_000));
        self.schedule(self.now + again, Event::Connect(phone));
    }

    fn at_manager(&mut self, session: SessionId, bytes: &[u8]) {
        let Some(state) = self.sessions.get_mut(&session) else { return };
        let phone = state.phone;
        self.meter.enter();
        state.framer.feed(bytes);
        loop {
            self.meter.enter();
            let Some(state) = self.sessions.get_mut(&session).filter(|state| !state.closing) else { break };
            let input = match state.framer.next() {
                Ok(None) => break,
                Ok(Some(frame)) => match StationMessage::decode(frame, state.dialect.context()) {
                    Ok(received) => Input::Message { session, message: received.message },
                    Err(error) => Input::Malformed { session, problem: error.to_string() },
                },
                Err(error) => {
                    self.sessions.remove(&session);
                    Input::Closed { session, reason: error.to_string() }
                }
            };
            self.exchange(input);
            if self.cuts_now(phone, Way::Up) {
                break;
            }
        }
        self.meter.leave();
    }

    fn at_phone(&mut self, phone: usize, session: SessionId, bytes: &[u8]) {
        let Some(link) = self.phones[phone].link.as_mut().filter(|link| link.session == session) else {
            return;
        };
        link.at_phone.feed(bytes);
        loop {
            let state = &mut self.phones[phone];
            let Some(link) = state.link.as_mut() else { return };
            let Ok(Some(frame)) = link.at_phone.next() else { return };
            let received = ManagerMessage::decode(frame, state.station.dialect().context());
            let message = received.expect("the exchange sends what phones can decode").message;
            if let ManagerMessage::SetRinger(ringer) = &message {
                state.rings = ringer.ring_mode != RingMode::Off;
            }
            self.station(phone, selsius_station::Input::Message(message));
            if self.cuts_now(phone, Way::Down) {
                return;
            }
        }
    }

    pub(crate) fn exchange(&mut self, input: Input) {
        self.meter.enter();
        self.exchange.handle(self.now, input);
        self.exchange_outputs();
    }

    /// The bed's media services listen to each party on a port of its own.
    fn anchor(&mut self, order: &AnchorOrder) {
        let address = self.services.handle(order);
        match *order {
            AnchorOrder::Join { party, .. } if address.is_some() => {
                self.answer(About::Party(party), Input::Anchored { party, address });
            }
            AnchorOrder::Leave { party } => {
                // Each time one packet: the records tell then how often a party has left.
                let figures = StreamFigures { packets_sent: 1, ..StreamFigures::default() };
                self.answer(About::Party(party), Input::Left { party, figures: Some(Box::new(figures)) });
            }
            _ => {}
        }
        // A disk that is full.
        if let AnchorOrder::Record { party, recording: Some(recording) } = order
            && self.rng.random_ratio(1, 20)
        {
            let (name, kept) = (recording.name.clone(), self.rng.random());
            self.answer(About::Party(*party), Input::RecordingFailed { name, kept });
        }
    }

    fn exchange_outputs(&mut self) {
        loop {
            let Some(output) = self.exchange.poll_output() else {
                let Some(event) = self.loopback.poll_event() else { break };
                self.answer(About::Trunk(event.leg()), Input::Trunk(event));
                continue;
            };
            match output {
                Output::Send { session, message } => {
                    let Some(state) = self.sessions.get_mut(&session) else { continue };
                    if state.output.is_empty() {
                        self.dirty.push(session);
                    }
                    state.dialect.encode_manager(&message, &mut state.output);
                }
                Output::Dialect { session, dialect } => {
                    if let Some(state) = self.sessions.get_mut(&session) {
                        state.dialect = dialect;
                    }
                }
                Output::Close { session } => {
                    if let Some(state) = self.sessions.get_mut(&session) {
                        state.closing = true;
                        self.dirty.push(session);
                    }
                }
                Output::Store(record) => self.store(*record),
                Output::Trunk(order) => match self.sip_phones.handle(*order) {
                    Ok(Some(event)) => self.answer(About::Trunk(event.leg()), Input::Trunk(event)),
                    Ok(None) => {}
                    Err(order) => self.loopback.handle(*order),
                },
                Output::Anchor(order) => self.anchor(&order),
                Output::Notice(_) | Output::Event(_) => {}
            }
        }
        self.meter.leave();
        for session in std::mem::take(&mut self.dirty) {
            self.flush_down(session);
        }
        let at = self.exchange.poll_timeout();
        if at != self.exchange_timer {
            self.exchange_timer = at;
            if let Some(at) = at {
                self.schedule(at, Event::ExchangeTimer);
            }
        }
    }

    fn store(&mut self, record: Record) {
        if let Some(recorder) = &mut self.recorder {
            recorder(&record);
        }
        match record {
            Record::CallStarted(call) => {
                self.use_id(call.call);
                self.begun.insert(call.call);
            }
            Record::CallEnded(call) => {
                self.use_id(call.call);
                self.begun.remove(&call.call);
                self.ended.push(*call);
            }
            Record::LineState { line, state } => {
                self.lines.insert(line, state);
            }
            Record::CallQuality(quality) => self.services.record(&quality),
            Record::DeviceEvent(_) | Record::AutoRegistered(_) | Record::DeviceState { .. } => {}
        }
    }

    fn use_id(&mut self, call: CallId) {
        self.next_call = self.next_call.max(CallId(call.0 + 1));
    }

    /// A trunk or the mixer answers, some time.
    fn answer(&mut self, about: About, input: Input) {
        if self.answers.delay.is_empty() {
            return self.exchange.handle(self.now, input);
        }
        let (at, answer) = self.answers.delay(&mut self.rng, self.now, about, input);
        self.schedule(at, Event::Answer(answer));
    }

    /// One write per burst, as the server does it.
    fn flush_down(&mut self, session: SessionId) {
        let Some(state) = self.sessions.get_mut(&session) else { return };
        let (phone, bytes, closing) = (state.phone, std::mem::take(&mut state.output), state.closing);
        let (now, network) = (self.now, self.network.clone());
        let mut arrivals = Vec::new();
        let mut end = now;
        if let Some(link) = self.phones[phone].link.as_mut().filter(|link| link.session == session) {
            if !bytes.is_empty() {
                link.down.write(&network, &mut self.rng, now, bytes, |at, bytes| arrivals.push((at, bytes)));
            }
            end = arrivals.last().map_or(now, |&(at, _)| at);
        }
        for (at, bytes) in arrivals {
            self.schedule(at, Event::ToPhone(phone, session, bytes));
        }
        if closing {
            self.sessions.remove(&session);
            self.schedule(end, Event::PhoneLoses(phone, session));
        }
    }

    fn station(&mut self, phone: usize, input: selsius_station::Input) {
        self.phones[phone].station.handle(self.now, input);
        self.station_outputs(phone);
    }

    fn station_outputs(&mut self, phone: usize) {
        use selsius_station::Output;
        let mut pending = Vec::new();
        while let Some(output) = self.phones[phone].station.poll_output() {
            match output {
                Output::Send(message) => self.encode_up(phone, &message, &mut pending),
                Output::Media(order) => self.order(phone, order),
                Output::Event(_) => {}
                Output::Close(_) => {
                    self.write_up(phone, std::mem::take(&mut pending));
                    self.hang_up_connection(phone);
                }
            }
        }
        self.write_up(phone, pending);
        let state = &mut self.phones[phone];
        let at = state.station.poll_timeout();
        if at != state.timer {
            state.timer = at;
            if let Some(at) = at {
                self.schedule(at, Event::StationTimer(phone));
            }
        }
    }

    /// The phone closes its connection: what it sent before still arrives.
    fn hang_up_connection(&mut self, phone: usize) {
        let Some(link) = self.phones[phone].link.as_mut() else { return };
        let session = link.session;
        let mut at = self.now;
        link.up.write(&self.network, &mut self.rng, self.now, Vec::new(), |arrival, _| at = arrival);
        self.schedule(at, Event::ManagerLoses(session));
        self.phone_disconnected(phone);
    }

    fn order(&mut self, phone: usize, order: MediaOrder) {
        self.channels += 1;
        let channel = self.channels;
        let state = &mut self.phones[phone];
        match order {
            MediaOrder::OpenReceive { party, keys, .. } => {
                state.receiving.insert(party, channel);
                state.hears_by.insert(party, keys);
                let after = Duration::from_micros(self.rng.random_range(0..50_000));
                let bad = self.bad_media > 0 && self.rng.random_ratio(1, self.bad_media);
                match (bad, self.rng.random_ratio(1, 2)) {
                    (false, _) => self.schedule(self.now + after, Event::Opened(phone, party, channel)),
                    (true, true) => self.schedule(self.now + after, Event::Failed(phone, party, channel)),
                    (true, false) => {}
                }
            }
            MediaOrder::ReceiveMulticast { party, group, .. } => {
                state.receiving.insert(party, channel);
                state.groups.insert(party, group);
                let after = Duration::from_micros(self.rng.random_range(0..50_000));
                let bad = self.bad_media > 0 && self.rng.random_ratio(1, self.bad_media);
                let event = match bad {
                    true => Event::Failed(phone, party, channel),
                    false => Event::Opened(phone, party, channel),
                };
                self.schedule(self.now + after, event);
            }
            MediaOrder::CloseReceive { party } => {
                state.groups.remove(&party);
                state.receiving.remove(&party);
                state.hears_by.remove(&party);
            }
            MediaOrder::StartTransmit { party, remote, keys, .. } => {
                state.transmitting.insert(party, remote);
                state.sends_by.insert(party, keys);
                let counters = Counters { packets_sent: 7, packets_received: 5, ..Counters::default() };
                self.phones[phone]
                    .station
                    .handle(self.now, selsius_station::Input::Counters { party, counters });
            }
            MediaOrder::StopTransmit { party } => {
                state.transmitting.remove(&party);
                state.sends_by.remove(&party);
            }
            MediaOrder::ReceiveFixed { .. } => {}
        }
    }

    fn send_up(&mut self, phone: usize, message: &StationMessage) {
        let mut bytes = Vec::new();
        self.encode_up(phone, message, &mut bytes);
        self.write_up(phone, bytes);
    }

    fn flush_up(&mut self, phone: usize) {
        self.station_outputs(phone);
    }

    fn encode_up(&self, phone: usize, message: &StationMessage, bytes: &mut Vec<u8>) {
        self.phones[phone].station.dialect().encode_station(message, bytes);
    }

    fn write_up(&mut self, phone: usize, bytes: Vec<u8>) {
        let Some(link) = self.phones[phone].link.as_mut().filter(|_| !bytes.is_empty()) else { return };
        let session = link.session;
        if session == SessionId(u64::MAX) {
            return;
        }
        let mut arrivals = Vec::new();
        link.up.write(&self.network, &mut self.rng, self.now, bytes, |at, bytes| arrivals.push((at, bytes)));
        for (at, bytes) in arrivals {
            self.schedule(at, Event::ToManager(session, bytes));
        }
    }

    fn schedule(&mut self, at: Time, event: Event) {
        if !matches!(event, Event::StationTimer(_) | Event::ExchangeTimer) {
            self.in_flight += 1;
        }
        self.events.push(at, event);
    }
}
