//! The exchange itself: what it owns, what goes in, what comes out.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
    sync::Arc,
    vec::Vec,
};

use core::time::Duration;

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use selsius_site::{DeviceName, LineNumber, Site};
use selsius_wire::{ManagerMessage, StationMessage, Time, message, rate::Meters};

use crate::{
    arena::{Arena, Handle},
    call::{Appears, Call, Extensions, Leg, Owed, TrunkLegId},
    config::{Config, Limits, WallClock},
    counters::Counters,
    device::Device,
    dialplan,
    feature::{callback::Callbacks, freed::Freed, hunt::Hunting, mobility::WrongPins, park::Parked},
    io::{Event, Input, Level, Load, Output, Peer, SessionId},
    operator::Notice,
    record::{CallId, EndCause, Record},
    remembered::{DeviceState, LineState},
    view::{self, Teller, Transition, View},
};

/// The call control core. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Exchange {
    pub(crate) config: Config,
    /// Shared with whoever reads it elsewhere, so that nobody has to copy a large office to look at it.
    pub(crate) site: Arc<Site>,
    pub(crate) wall: WallClock,
    /// Seconds to add for local time in the zones that the site names beside its own: those of phones, pools and schedules.
    pub(crate) zones: BTreeMap<String, i32>,
    /// The time of what is being handled.
    pub(crate) now: Time,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) devices: Arena<Device>,
    pub(crate) by_name: BTreeMap<DeviceName, Handle<Device>>,
    /// Where each line appears on registered phones.
    pub(crate) appearances: BTreeMap<LineNumber, Vec<Appears>>,
    /// Those that appear more than once: mostly few, so that each transition asks here first.
    pub(crate) shared: BTreeSet<LineNumber>,
    /// Registered phones that show the state of a line on a busy lamp.
    pub(crate) watchers: BTreeMap<LineNumber, Vec<Handle<Device>>>,
    /// What lines remember; those that are not here have changed nothing.
    pub(crate) line_states: BTreeMap<LineNumber, LineState>,
    /// What phones remember, registered or not.
    pub(crate) device_states: BTreeMap<DeviceName, DeviceState>,
    pub(crate) calls: Arena<Call>,
    pub(crate) legs: Arena<Leg>,
    /// Legs by pass-through party id.
    pub(crate) parties: BTreeMap<u32, Handle<Leg>>,
    /// Legs that are gone and of which the media services have not told yet what they counted, by party id.
    pub(crate) owed: BTreeMap<u32, Owed>,
    /// Legs of trunks, by the name that the trunk knows them by.
    pub(crate) trunk_legs: BTreeMap<TrunkLegId, Handle<Leg>>,
    /// The phones that speak SIP.
    pub(crate) extensions: Extensions,
    /// Who wants to be a device whose old connection is being probed: one at a time.
    pub(crate) waiting: BTreeMap<DeviceName, SessionId>,
    /// Devices that were refused, and why, since they last registered.
    pub(crate) rejected: BTreeSet<(String, &'static str)>,
    /// Names that the office does not have, by who asked for them.
    pub(crate) unknown_names: Meters,
    pub(crate) load: Load,
    /// Phones whose face is told with each change.
    pub(crate) watched: BTreeSet<DeviceName>,
    /// Are calls told of with each change?
    pub(crate) calls_watched: bool,
    pub(crate) timers: Timers,
    /// Calls that wait in park slots.
    pub(crate) parked: BTreeMap<LineNumber, Parked>,
    /// Who is to be called back, on which phone, about which line.
    pub(crate) callbacks: Callbacks,
    pub(crate) hunting: Hunting,
    /// Where keys come from.
    pub(crate) chance: ChaCha20Rng,
    /// Wrong PINs of those who log in.
    pub(crate) wrong_pins: WrongPins,
    /// What has become free while this input was handled.
    pub(crate) freed: Freed,
    pub(crate) out: VecDeque<Output>,
    pub(crate) counters: Counters,
    /// No number of the auto-registration range below this one is free.
    pub(crate) auto_from: u64,
    pub(crate) next_reference: u32,
    pub(crate) next_call: u64,
    pub(crate) next_trunk_leg: u64,
    /// New calls are refused.
    pub(crate) draining: bool,
    stopping: bool,
}

/// How much the clock may be corrected before phones are told: they show minutes.
const CLOCK_DRIFT: Duration = Duration::from_secs(5);

pub(crate) type Timers = crate::timer::Timers<Timer>;

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The caller dials the first or next digit.
    Digits(Handle<Call>),
    /// Somebody answers, or the next member of a hunt group is tried, or the wait in its queue is over.
    NoAnswer(Handle<Call>),
    /// Who parked the call is reminded of it.
    ParkReminder(Handle<Call>),
    /// The parked call goes back to who parked it.
    ParkReturn(Handle<Call>),
    /// Somebody answers before the call is forwarded.
    ForwardNoAnswer(Handle<Call>),
    /// The phone opens its audio channel.
    Media(Handle<Leg>),
    /// The phone beeps, or stops, since it holds a call.
    HoldReminder(Handle<Leg>),
    /// The connection says something.
    Silence(SessionId),
    /// The old connection of a device that this session wants to be answers.
    Probe(SessionId),
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) peer: Peer,
    pub(crate) last_heard: Time,
    pub(crate) state: SessionState,
    /// Has it said KeepAlive without Register, as phones do on the connection to their second manager?
    pub(crate) standby: bool,
    /// What it sent before it registered; kept for the device's history.
    pub(crate) alarms: Vec<message::Alarm>,
    /// The problems that were logged already.
    logged: BTreeSet<&'static str>,
}

/// How far a connection is.
#[derive(Debug)]
pub(crate) enum SessionState {
    /// Not registered: a phone that will, or one that only keeps us as its standby manager.
    New,
    /// Wants to be a device whose old connection is being probed.
    Waiting(Box<message::Register>),
    /// Is this device.
    Registered(Handle<Device>),
}

impl Exchange {
    /// An exchange without phones.
    pub fn new(config: Config, site: Site, wall: WallClock) -> Self {
        Self {
            next_reference: config.first_reference.max(1),
            next_call: config.first_call.0,
            next_trunk_leg: 0,
            hunting: Hunting::of(&site),
            extensions: Extensions::of(&site),
            chance: ChaCha20Rng::from_seed(config.seed.0),
            config,
            site: Arc::new(site),
            wall,
            zones: BTreeMap::new(),
            now: Time::ZERO,
            sessions: BTreeMap::new(),
            devices: Arena::new(),
            by_name: BTreeMap::new(),
            appearances: BTreeMap::new(),
            shared: BTreeSet::new(),
            watchers: BTreeMap::new(),
            line_states: BTreeMap::new(),
            device_states: BTreeMap::new(),
            calls: Arena::new(),
            legs: Arena::new(),
            parties: BTreeMap::new(),
            owed: BTreeMap::new(),
            trunk_legs: BTreeMap::new(),
            waiting: BTreeMap::new(),
            rejected: BTreeSet::new(),
            unknown_names: Meters::new(),
            load: Load::Normal,
            watched: BTreeSet::new(),
            calls_watched: false,
            timers: Timers::new(),
            parked: BTreeMap::new(),
            callbacks: Callbacks::new(),
            wrong_pins: WrongPins::new(),
            freed: Freed::new(),
            out: VecDeque::new(),
            counters: Counters::default(),
            auto_from: 0,
            draining: false,
            stopping: false,
        }
    }

    /// Takes what the store has kept of lines and phones. To be called before the first input.
    pub fn remember(
        &mut self,
        lines: impl IntoIterator<Item = (LineNumber, LineState)>,
        devices: impl IntoIterator<Item = (DeviceName, DeviceState)>,
    ) {
        self.line_states.extend(lines);
        self.device_states.extend(devices);
    }

    /// Other bounds from now on. What is there stays, though it be more.
    pub fn set_limits(&mut self, limits: Limits) {
        self.config.limits = limits;
    }

    /// Something happened outside. Afterwards take all outputs.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = now;
        let about = match &input {
            Input::Message { session, .. } | Input::Malformed { session, .. } => Some(*session),
            _ => None,
        };
        match input {
            Input::Opened { session, peer } => self.opened(now, session, peer),
            Input::Message { session, message } => self.message(now, session, message),
            Input::Malformed { session, problem } => self.malformed(session, &problem),
            Input::Closed { session, reason } => self.closed(now, session, &reason),
            Input::Wall(wall) => self.set_wall(now, wall),
            Input::Zones(zones) => self.tell_clocks(now, |exchange| exchange.zones = zones),
            Input::Site(site) => self.change_site(now, *site),
            Input::Recall { lines, devices } => self.recall(now, lines, devices),
            Input::Reset { device, kind } => {
                if let Some(&handle) = self.by_name.get(&device) {
                    self.restart(now, handle, kind);
                }
            }
            Input::Trunk(event) => self.trunk_event(now, event),
            Input::Phone { phone, contacts } => self.phone_registered(now, phone, contacts),
            Input::Anchored { party, address } => self.anchor_answered(now, party, address),
            Input::RecordingFailed { name, kept } => self.recording_failed(now, &name, kept),
            Input::Left { party, figures } => self.services_counted(party, figures.map(|figures| *figures)),
            Input::Talks { party, talks } => self.talks(party, talks),
            Input::Load(load) => self.load = load,
            Input::Drain => self.draining = true,
            Input::Shutdown => self.shut_down(now),
        }
        self.settle_freed(now);
        self.log_refusals(about);
    }

    /// A deadline of [`Self::poll_timeout`] has come. Afterwards take all outputs.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Digits(call) => {
                    if let Some(leg) = self.caller(call)
                        && !self.hotline_due(now, leg)
                    {
                        self.digits_end(now, leg);
                    }
                }
                Timer::NoAnswer(call) => {
                    if self.hunt_timeout(now, call)
                        || self.callback_unanswered(now, call)
                        || self.forward_unanswered(now, call)
                    {
                        continue;
                    }
                    if let Some(leg) = self.caller(call) {
                        self.fail(now, leg, EndCause::NoAnswer);
                    }
                }
                Timer::ParkReminder(call) => self.park_reminds(now, call),
                Timer::ParkReturn(call) => self.park_returns(now, call),
                Timer::ForwardNoAnswer(call) => {
                    self.forward_unanswered(now, call);
                }
                Timer::HoldReminder(leg) => self.hold_reminder(now, leg),
                Timer::Media(leg) => self.media_failed(now, leg),
                Timer::Silence(session) => self.silent(now, session),
                Timer::Probe(session) => self.take_over(now, session),
            }
        }
        self.settle_freed(now);
        self.log_refusals(None);
    }

    /// The next thing to do outside.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// The site as it is now, phones that registered themselves included.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The same as it is now, for another thread: it does not follow later changes.
    pub fn shared_site(&self) -> Arc<Site> {
        Arc::clone(&self.site)
    }

    /// What a dialled number would reach, for `selsius site` and tests: `None` leads nowhere.
    pub fn reaches(&self, digits: &str) -> bool {
        dialplan::finish(&self.site, digits).is_some()
    }

    pub(crate) fn opened(&mut self, now: Time, session: SessionId, peer: Peer) {
        let state = Session {
            peer,
            last_heard: now,
            state: SessionState::New,
            standby: false,
            alarms: Vec::new(),
            logged: BTreeSet::new(),
        };
        self.sessions.insert(session, state);
        self.timers.set(Timer::Silence(session), now + self.config.limits.register_within);
    }

    fn message(&mut self, now: Time, session: SessionId, message: StationMessage) {
        let Some(state) = self.sessions.get_mut(&session) else { return };
        self.counters.messages_in += 1;
        match state.state {
            SessionState::Registered(device) => {
                state.last_heard = now;
                self.message_of_device(now, session, device, message);
            }
            SessionState::New | SessionState::Waiting(_) => self.before_register(now, session, message),
        }
    }

    /// Takes the time of day. Phones go on counting from the time that they were told last, and know nothing of the
    /// zone: they are told when it or the clock has jumped.
    fn set_wall(&mut self, now: Time, wall: WallClock) {
        let drift = (wall.wall(now).0).abs_diff(self.wall.wall(now).0);
        let jumped = drift > CLOCK_DRIFT.as_micros() as u64;
        if !jumped && wall.offset_seconds != self.wall.offset_seconds {
            return self.tell_clocks(now, |exchange| exchange.wall = wall);
        }
        self.wall = wall;
        if !jumped {
            return;
        }
        for (handle, _) in self.offsets() {
            self.send_clock(now, handle);
        }
    }

    /// Does something that can change the zones of phones, and tells the time to those whose offset it has changed.
    pub(crate) fn tell_clocks(&mut self, now: Time, change: impl FnOnce(&mut Self)) {
        let before = self.offsets();
        change(self);
        for (handle, offset) in before {
            if self.offset_of(handle) != offset {
                self.send_clock(now, handle);
            }
        }
    }

    fn send_clock(&mut self, now: Time, handle: Handle<Device>) {
        let clock = self.clock(now, handle);
        if let Some(session) = self.devices.get(handle).map(|device| device.session) {
            self.send(session, clock);
        }
    }

    /// The offsets of all phones that have a clock already.
    fn offsets(&self) -> Vec<(Handle<Device>, i32)> {
        let ready = self.devices.iter().filter(|(_, device)| device.ready);
        ready.map(|(handle, _)| (handle, self.offset_of(handle))).collect()
    }

    /// Seconds to add for local time at a phone: those of its zone, or of the office where that is not known.
    pub(crate) fn offset_of(&self, handle: Handle<Device>) -> i32 {
        let local = self.devices.get(handle).map(|device| self.site.local(&device.name));
        let zone = local.and_then(|local| local.time_zone);
        let own = zone.filter(|_| zone != self.site.settings.time_zone.as_deref());
        own.and_then(|zone| self.zones.get(zone)).copied().unwrap_or(self.wall.offset_seconds)
    }

    /// Is this the first time that this connection has this problem? It counts as logged.
    pub(crate) fn is_news(&mut self, session: SessionId, problem: &'static str) -> bool {
        self.sessions.get_mut(&session).is_some_and(|state| state.logged.insert(problem))
    }

    fn malformed(&mut self, session: SessionId, problem: &str) {
        self.counters.refuse("malformed message");
        if self.is_news(session, "malformed message") {
            let text = alloc::format!("malformed message dropped: {problem}");
            self.event(Level::Warn, Some(session), "", text);
        }
    }

    fn closed(&mut self, now: Time, session: SessionId, reason: &str) {
        if let Some(device) = self.registered(session) {
            self.lose_device(now, device, reason);
        }
        self.forget_session(session);
        self.retry_waiting(now);
    }

    /// The device of a session.
    pub(crate) fn registered(&self, session: SessionId) -> Option<Handle<Device>> {
        match self.sessions.get(&session)?.state {
            SessionState::Registered(device) => Some(device),
            SessionState::New | SessionState::Waiting(_) => None,
        }
    }

    pub(crate) fn forget_session(&mut self, session: SessionId) {
        self.stop_waiting(session);
        self.sessions.remove(&session);
        self.timers.cancel(Timer::Silence(session));
    }

    /// Closes a connection from our side.
    pub(crate) fn close(&mut self, session: SessionId) {
        self.forget_session(session);
        self.out.push_back(Output::Close { session });
    }

    /// Has the connection been silent for too long? Messages do not move the deadline, they only leave their time.
    fn silent(&mut self, now: Time, session: SessionId) {
        let Some(state) = self.sessions.get(&session) else { return };
        let device = self.registered(session);
        let patience = match device.and_then(|device| self.devices.get(device)) {
            Some(device) => device.patience(),
            None if state.standby => self.config.limits.silence_on_standby,
            None => self.config.limits.register_within,
        };
        let deadline = state.last_heard + patience;
        if deadline > now {
            return self.timers.set(Timer::Silence(session), deadline);
        }
        match device {
            Some(device) => {
                self.counters.refuse("no keepalive");
                self.lose_device(now, device, "no keepalive");
            }
            None => {
                self.counters.refuse("connection without Register");
                self.event(Level::Warn, Some(session), "", "closed: it does not register");
            }
        }
        self.close(session);
        self.retry_waiting(now);
    }

    fn shut_down(&mut self, now: Time) {
        self.stopping = true;
        let legs: Vec<_> = self.legs.iter().map(|(handle, _)| handle).collect();
        for leg in legs {
            self.end_leg(now, leg, EndCause::Shutdown);
        }
        let sessions: Vec<_> = self.sessions.keys().copied().collect();
        for session in sessions {
            if let Some(device) = self.registered(session) {
                self.lose_device(now, device, "manager stopped");
            }
            self.close(session);
        }
    }

    /// Is the exchange being stopped?
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Renders a phone's view and sends what it has not been told.
    pub(crate) fn render(
        &mut self,
        now: Time,
        handle: Handle<Device>,
        transition: Transition,
        reference: Option<u32>,
    ) {
        let clock = transition.sets_clock().then(|| self.clock(now, handle));
        let Some(device) = self.devices.get_mut(handle) else { return };
        let mut told = device.told.take().unwrap_or_default();
        let view = view::render(self, handle, &told);
        let Some(device) = self.devices.get_mut(handle) else { return };
        let before = self.out.len();
        let mut teller = Teller {
            told: &mut told,
            view: &view,
            dialect: &device.dialect,
            quirks: device.quirks,
            soft_keys: &device.soft_keys,
            buttons: &device.buttons,
            clock,
            idle: view::Idle::default(),
            messages: view::Messages { session: device.session, out: &mut self.out },
        };
        teller.tell(transition, reference);
        device.told = (*told != View::default()).then_some(told);
        let messages = self.out.len() - before;
        self.counters.messages_out += messages as u64;
        if messages > 0 && self.watched.contains(&device.name) {
            let notice = Notice::Face { device: device.name.clone(), view: Box::new(view) };
            self.out.push_back(Output::Notice(Box::new(notice)));
        }
    }

    pub(crate) fn send(&mut self, session: SessionId, message: impl Into<ManagerMessage>) {
        self.counters.messages_out += 1;
        self.out.push_back(Output::Send { session, message: message.into() });
    }

    pub(crate) fn store(&mut self, record: Record) {
        self.out.push_back(Output::Store(Box::new(record)));
    }

    pub(crate) fn event(
        &mut self,
        level: Level,
        session: Option<SessionId>,
        device: &str,
        text: impl Into<String>,
    ) {
        self.out.push_back(Output::Event(Event { level, session, device: device.into(), text: text.into() }));
    }

    /// Logs what was refused while handling one input: each reason once a session.
    fn log_refusals(&mut self, session: Option<SessionId>) {
        for reason in self.counters.take_recent() {
            let Some(session) = session else { continue };
            let device = match self.registered(session).and_then(|device| self.devices.get(device)) {
                Some(device) => String::from(device.name.as_str()),
                None => String::new(),
            };
            if self.is_news(session, reason) {
                let text = alloc::format!("ignored: {reason} (told once for this connection)");
                self.event(Level::Warn, Some(session), &device, text);
            }
        }
    }

    pub(crate) fn next_call_id(&mut self) -> CallId {
        let id = CallId(self.next_call);
        self.next_call += 1;
        id
    }

    /// The name of a trunk's call that begins here: even, see [`TrunkLegId`].
    pub(crate) fn next_trunk_leg(&mut self) -> u64 {
        self.next_trunk_leg += 2;
        self.next_trunk_leg
    }

    /// A pass-through party id: never 0, never in use.
    pub(crate) fn next_party(&mut self) -> u32 {
        loop {
            let party = self.next_reference();
            if !self.parties.contains_key(&party) && !self.owed.contains_key(&party) {
                return party;
            }
        }
    }

    /// A number for a leg or a conference: never 0, and another one for the next four thousand million.
    pub(crate) fn next_reference(&mut self) -> u32 {
        let number = self.next_reference;
        self.next_reference = self.next_reference.checked_add(1).unwrap_or(1);
        number
    }
}
