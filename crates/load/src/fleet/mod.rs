//! The phones and their connections: one poll, one thread.

mod link;
mod stranger;
mod voice;

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, event::Event as Readiness};
use selsius_station::{CloseReason, Config, Event, Input, MediaOrder, Output, Station};
use selsius_wire::{Codec, ManagerMessage, Time};
use thiserror::Error;

use self::{
    link::{Fill, Link, connect},
    stranger::HalfOpen,
    voice::{VOICE, Voice},
};
use crate::{
    LimitError, Plan, PlanError, Report, Rtp,
    agenda::Agenda,
    director::{Act, Director, Phase},
    limits::raise_open_files,
    media::nominal_address,
    report::{self, Cpu},
};

/// Ends a run in order, from another thread.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// No more calls; those that are up are hung up, the phones unregister, and the report is made.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is going on.
    pub stage: &'static str,
    /// Since the start.
    pub elapsed: Duration,
    /// Phones that are registered.
    pub registered: u32,
    /// Calls that were due so far.
    pub calls: u64,
    /// Calls that came to their end.
    pub completed: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Cases of wrong behaviour.
    pub wrong: u64,
    /// Slow readers and half-open connections that the server ended.
    pub strangers_ended: u64,
}

/// Why a run could not be made.
#[derive(Debug, Error)]
pub enum RunError {
    /// The plan asks for something impossible or forbidden.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Too many phones for this process.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The system refused something else.
    #[error("cannot wait for the network")]
    System(#[from] io::Error),
}

/// Does what the plan says, on this thread, and calls `progress` some times a second.
///
/// # Errors
/// If the run cannot be begun. What goes wrong later is in the report.
pub fn run(plan: &Plan, stop: &Stop, mut progress: impl FnMut(&Progress)) -> Result<Report, RunError> {
    plan.check()?;
    raise_open_files(plan.open_files() + OTHER_FILES)?;
    let mut fleet = Fleet::new(plan)?;
    let mut events = Events::with_capacity(EVENTS);
    let mut cpu = Cpu { start: Cpu::now(), ..Cpu::default() };
    let mut next_progress = Time::ZERO;
    let mut stopped = false;
    while fleet.director.phase != Phase::Done {
        fleet.wait(&mut events)?;
        for event in &events {
            fleet.ready(event);
            fleet.act();
        }
        let now = fleet.now();
        if stop.is_wanted() && !stopped {
            stopped = true;
            fleet.director.interrupt(now);
        }
        let phase = fleet.director.phase;
        fleet.director.tick(now);
        match (phase, fleet.director.phase) {
            (Phase::Registering, Phase::Calling { .. }) => cpu.calls_begin = Cpu::now(),
            (before, Phase::Leaving { .. }) if before != fleet.director.phase => cpu.calls_end = Cpu::now(),
            _ => {}
        }
        fleet.act();
        fleet.due_stations(now);
        fleet.due_voices(now);
        fleet.ask(now);
        fleet.act();
        let Director { tally, online, .. } = &mut fleet.director;
        if tally.timeline.is_due(now) {
            tally.sample(now, *online);
        }
        if now >= next_progress {
            next_progress = now + LOOK;
            progress(&fleet.progress(now));
        }
    }
    let ended = if stopped { report::Ended::Interrupted } else { report::Ended::Finished };
    let now = fleet.now();
    fleet.director.tally.sample(now, fleet.director.online);
    Ok(Report::new(plan, &fleet.director, cpu, ended, now))
}

/// Files that are open besides the phones' connections.
const OTHER_FILES: u64 = 32;
/// Events that are taken before it is looked what is due.
const EVENTS: usize = 128;
/// How often progress is told, and how long the poll waits at most.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes read of one connection at a time.
const READ: usize = 64 * 1024;

/// A phone.
struct Handset {
    station: Station,
    link: Link,
    /// When the agenda looks after the station's timers; never, if it does not.
    armed: Time,
    /// Its voice port, while it needs one.
    voice: Option<Box<Voice>>,
    /// Nothing is read from its connection any more.
    deaf: bool,
}

struct Fleet {
    plan: Plan,
    poll: Poll,
    origin: Instant,
    handsets: Vec<Handset>,
    director: Director,
    /// Stations whose timers are to be looked at.
    timers: Agenda<u32>,
    /// Connections that are no phones; their tokens follow those of the phones.
    strangers: Vec<HalfOpen>,
    /// Phones that read nothing any more, and when they ask next.
    deaf: Vec<u32>,
    next_ask: Time,
    /// Phones whose next packet of voice is due.
    voices: Agenda<u32>,
    /// Streams that were sent so far.
    streams: u32,
    datagram: Vec<u8>,
    /// Why the server refused a phone that is about to close its connection.
    rejection: String,
    dirty: Vec<u32>,
    spare: Vec<Vec<u8>>,
    buffer: Vec<u8>,
}

impl Fleet {
    fn new(plan: &Plan) -> io::Result<Self> {
        let phones = &plan.phones;
        let handset = |index| {
            let mut config = Config { name: phones.name(index), ..phones.config.clone() };
            if plan.rtp != Rtp::Off {
                // What can be said and heard here.
                config
                    .capabilities
                    .retain(|(codec, _)| matches!(codec, Codec::G711Ulaw64k | Codec::G711Alaw64k));
            }
            // The hardware address follows from the name.
            let mac = Config::new(config.name.as_str(), config.model).mac;
            Handset {
                station: Station::new(Config { mac, ..config }),
                link: Link::default(),
                armed: Time::NEVER,
                voice: None,
                deaf: false,
            }
        };
        Ok(Self {
            poll: Poll::new()?,
            origin: Instant::now(),
            handsets: (0..phones.count).map(handset).collect(),
            director: Director::new(plan.clone(), Time::ZERO),
            plan: plan.clone(),
            timers: Agenda::new(),
            strangers: Vec::new(),
            deaf: Vec::new(),
            next_ask: Time::NEVER,
            voices: Agenda::new(),
            streams: 0,
            datagram: Vec::new(),
            rejection: String::new(),
            dirty: Vec::new(),
            spare: Vec::new(),
            buffer: vec![0; READ],
        })
    }

    fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timers =
            [self.director.next_at(), self.timers.next_at(), self.voices.next_at(), Some(self.next_ask)];
        let next = timers.into_iter().flatten().min();
        let wait = next.map_or(LOOK, |at| at.since(self.now())).min(LOOK);
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    fn ready(&mut self, event: &Readiness) {
        if let Some(phone) = event.token().0.checked_sub(VOICE) {
            return self.voice_ready(phone as u32);
        }
        let phone = event.token().0 as u32;
        let ended = event.is_error() || event.is_read_closed();
        if let Some(place) = event.token().0.checked_sub(self.handsets.len()) {
            return self.half_open_ready(place, ended);
        }
        let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
        if !handset.link.up {
            match handset.link.established() {
                Ok(false) if !event.is_error() && !event.is_write_closed() => return,
                Ok(true) => self.up(phone),
                Ok(false) => return self.down(phone, "the connection was refused"),
                Err(error) => return self.down(phone, &format!("cannot connect: {}", error.kind())),
            }
        } else if event.is_writable() && !handset.link.out.is_empty() {
            self.flush(phone);
        }
        match self.handsets.get(phone as usize) {
            Some(handset) if handset.deaf && !ended => {}
            Some(handset) if handset.deaf => self.down(phone, "the server closed the connection"),
            _ if event.is_readable() || ended => self.read(phone),
            _ => {}
        }
    }

    /// The connection is there.
    fn up(&mut self, phone: u32) {
        let now = self.now();
        let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
        let Some(stream) = &handset.link.stream else { return };
        // Signalling is small and urgent. A socket that refuses this works, only slower.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { return };
        let address = local.ip().to_canonical();
        handset.link.up = true;
        handset.station.set_address(address);
        self.director.connected(phone, nominal_address(address, phone));
        self.tell(now, phone, Input::Connected);
        self.arm(phone);
    }

    /// The connection is gone, or came to nothing.
    fn down(&mut self, phone: u32, reason: &str) {
        let now = self.now();
        let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
        if let Some(mut stream) = handset.link.stream.take() {
            let _ = self.poll.registry().deregister(&mut stream);
        }
        handset.link = Link { dirty: handset.link.dirty, ..Link::default() };
        self.drop_voice(phone);
        let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
        // Nothing that the station says now is sent: there is no connection.
        handset.station.handle(now, Input::Disconnected);
        while handset.station.poll_output().is_some() {}
        self.director.offline(now, phone, reason);
    }

    fn read(&mut self, phone: u32) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(handset) = self.handsets.get_mut(phone as usize) {
            match handset.link.fill(&mut buffer) {
                Fill::Some { length, more } => {
                    self.messages(phone, &buffer[..length]);
                    if !more {
                        break;
                    }
                }
                Fill::Nothing => break,
                Fill::Ended(reason) => {
                    self.down(phone, &reason);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn messages(&mut self, phone: u32, mut bytes: &[u8]) {
        let now = self.now();
        // Once the station closed its connection the rest is nothing to it.
        while let Some(handset) = self.handsets.get_mut(phone as usize).filter(|handset| handset.link.up) {
            match handset.link.next(&mut bytes) {
                Ok(Some(frame)) => {
                    let context = handset.station.dialect().context();
                    let message = ManagerMessage::decode_lenient(frame, context).message;
                    self.director.tally.received += 1;
                    self.tell(now, phone, Input::Message(message));
                }
                Ok(None) => break,
                Err(_) => return self.down(phone, "the server does not speak SCCP"),
            }
        }
        // Once for all of them: it looks through everything that can be due.
        self.arm(phone);
    }

    /// Tells a station what happened, and does what it wants.
    fn tell(&mut self, now: Time, phone: u32, input: Input) {
        if let Some(handset) = self.handsets.get_mut(phone as usize) {
            handset.station.handle(now, input);
            self.outputs(now, phone);
        }
    }

    fn outputs(&mut self, now: Time, phone: u32) {
        loop {
            let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
            match handset.station.poll_output() {
                Some(Output::Send(message)) => {
                    if handset.link.out.capacity() == 0 {
                        handset.link.out = self.spare.pop().unwrap_or_default();
                    }
                    handset.station.dialect().encode_station(&message, &mut handset.link.out);
                    self.director.tally.sent += 1;
                    if !std::mem::replace(&mut handset.link.dirty, true) {
                        self.dirty.push(phone);
                    }
                }
                Some(Output::Media(order)) => self.media(now, phone, order),
                Some(Output::Event(event)) => self.event(now, phone, &event),
                Some(Output::Close(reason)) => self.close(phone, reason),
                None => return,
            }
        }
    }

    fn event(&mut self, now: Time, phone: u32, event: &Event) {
        match event {
            Event::Registered => self.director.registered(now, phone),
            Event::Call { reference, state, .. } => self.director.call_state(now, phone, *reference, *state),
            Event::Ring(..) => self.director.rings(now, phone),
            Event::Rejected(text) => self.rejection = format!("refused by the server: {text}"),
            Event::Accepted { .. } | Event::TokenRefused { .. } | Event::Tone(_) => {}
            Event::Refused(_) => self.director.refused(now, phone),
        }
    }

    fn media(&mut self, now: Time, phone: u32, order: MediaOrder) {
        self.voice(now, phone, &order);
        self.director.media(now, phone, &order);
    }

    fn close(&mut self, phone: u32, reason: CloseReason) {
        let reason = match reason {
            // Event::Rejected came before, and has put down why.
            CloseReason::Rejected => std::mem::take(&mut self.rejection),
            CloseReason::Reset | CloseReason::Restart => "restarted by the server".into(),
            CloseReason::Unregistered => "unregistered".into(),
            CloseReason::RegistrationTimeout => "the server does not answer the registration".into(),
            CloseReason::KeepAliveLost => "the server does not answer keepalives".into(),
        };
        self.flush(phone);
        self.down(phone, &reason);
    }

    /// Does what the director wants, and writes what came of it.
    fn act(&mut self) {
        while let Some((phone, act)) = self.director.todo.pop_front() {
            let now = self.now();
            match act {
                Act::Connect => self.connect(phone),
                Act::User(action) => {
                    self.tell(now, phone, Input::User(action));
                    self.arm(phone);
                }
                Act::Look { reference } => {
                    let Some(handset) = self.handsets.get(phone as usize) else { continue };
                    let Some(parties) = handset.station.parties(reference) else { continue };
                    self.director.parties(phone, parties.calling, parties.called);
                }
                Act::Drop => self.down(phone, "dropped by the generator"),
                Act::Deafen => self.deafen(now, phone),
                Act::HalfOpen => self.half_open(),
            }
        }
        while let Some(phone) = self.dirty.pop() {
            self.flush(phone);
        }
    }

    fn flush(&mut self, phone: u32) {
        let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
        if let Err(reason) = handset.link.flush(&mut self.spare) {
            self.down(phone, &reason);
        }
    }

    fn source(&self, index: u32) -> Option<IpAddr> {
        self.plan.phones.sources.map(|sources| IpAddr::V4(sources.address(index)))
    }

    fn connect(&mut self, phone: u32) {
        let source = self.source(phone);
        let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
        let stream = connect(self.plan.target, source).and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(phone as usize), interest)?;
            Ok(stream)
        });
        match stream {
            Ok(stream) => handset.link.stream = Some(stream),
            Err(error) => self.down(phone, &format!("cannot connect: {error}")),
        }
    }

    /// Sees to it that the station's timers are looked at in time.
    fn arm(&mut self, phone: u32) {
        let Some(handset) = self.handsets.get_mut(phone as usize) else { return };
        if let Some(at) = handset.station.poll_timeout().filter(|at| *at < handset.armed) {
            handset.armed = at;
            self.timers.add(at, phone);
        }
    }

    fn due_stations(&mut self, now: Time) {
        while let Some((at, phone)) = self.timers.take_due(now) {
            let Some(handset) = self.handsets.get_mut(phone as usize) else { continue };
            // One that was set for earlier has done this one's work.
            if at != handset.armed {
                continue;
            }
            handset.armed = Time::NEVER;
            if handset.station.poll_timeout().is_some_and(|at| at <= now) {
                handset.station.handle_timeout(now);
            }
            self.outputs(now, phone);
            self.arm(phone);
        }
    }

    fn progress(&self, now: Time) -> Progress {
        let Director { phase, tally, online, .. } = &self.director;
        let stage = match phase {
            Phase::Registering => "registering",
            Phase::Calling { .. } if self.plan.calls.rate.is_none() => "idle",
            Phase::Calling { .. } => "calling",
            Phase::Draining { .. } => "last calls",
            Phase::Leaving { .. } | Phase::Done => "unregistering",
        };
        Progress {
            stage,
            elapsed: now.since(Time::ZERO),
            registered: *online,
            calls: tally.calls,
            completed: tally.completed.values().sum(),
            failed: tally.failed.values().sum(),
            wrong: tally.wrong.values().sum(),
            strangers_ended: tally.strangers.slow_readers_dropped + tally.strangers.half_open_closed,
        }
    }
}
