//! The phone itself: its parts, its inputs, its clock.

use alloc::{collections::VecDeque, string::String};
use core::{net::IpAddr, time::Duration};

use selsius_wire::{Dialect, StationMessage, Time, message, value::Tone};

use crate::{
    CloseReason, Config, Event, Face, Input, MediaOrder, Output, Phase, RejectReason, Role,
    buttons::Buttons,
    calls::Calls,
    config::Traits,
    display::{self, Display},
    face::Clock,
    limits,
    media::{Reports, Streams},
    registration::Questions,
    screen::Screens,
    soft_keys::{Selection, SoftKeys},
    timer::{Timer, Timers},
};

/// One phone. See the [crate] for how to drive it.
#[derive(Debug)]
pub struct Station {
    pub(crate) config: Config,
    pub(crate) traits: Traits,
    pub(crate) phase: Phase,
    pub(crate) dialect: Dialect,
    pub(crate) session: Session,
    pub(crate) paths: Paths,
    /// Digits typed on an idle phone.
    pub(crate) typed: String,
    /// What the last refusal said.
    pub(crate) rejected: Option<String>,
    pub(crate) timers: Timers,
    pub(crate) counts: Counts,
    outputs: VecDeque<Output>,
}

/// Everything that ends with the connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) questions: Questions,
    pub(crate) keepalive: KeepAlive,
    pub(crate) display: Display,
    pub(crate) screens: Screens,
    pub(crate) soft_keys: SoftKeys,
    pub(crate) idle_keys: Option<Selection>,
    pub(crate) buttons: Buttons,
    pub(crate) calls: Calls,
    pub(crate) active_line: Option<u32>,
    pub(crate) receiving: Streams,
    pub(crate) transmitting: Streams,
    pub(crate) reports: Reports,
    pub(crate) tone: Option<Sound<Tone>>,
    pub(crate) ringing: Option<Sound<selsius_wire::value::RingMode>>,
    pub(crate) clock: Option<Clock>,
}

/// A sound, and the call it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sound<T> {
    pub(crate) what: T,
    pub(crate) line: u32,
    pub(crate) reference: u32,
}

impl<T> Sound<T> {
    /// Whether an order that names this line and call means this sound; zeros mean any.
    pub(crate) fn is_of(&self, line: u32, reference: u32) -> bool {
        let same = |mine, named| mine == 0 || named == 0 || mine == named;
        same(self.line, line) && same(self.reference, reference)
    }
}

/// Where the user's ears and mouth are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paths {
    pub(crate) handset: bool,
    pub(crate) headset: bool,
    pub(crate) speaker: bool,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeepAlive {
    pub(crate) interval: Duration,
    pub(crate) secondary: Duration,
    pub(crate) unacknowledged: u32,
}

/// What a station did and what it could not use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages sent.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Messages received that the phone does not know; a real 7912 restarts on those.
    pub unknown: u64,
    /// Questions of a registration that were not answered in time.
    pub unanswered: u64,
    /// Messages that do not fit the state: an answer to nothing, a call before registration, a stream or call too many.
    pub unexpected: u64,
}

/// The numbers of a call, as the manager told them; empty where it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallParties<'a> {
    /// The caller's.
    pub calling: &'a str,
    /// The called one's.
    pub called: &'a str,
}

impl Station {
    /// A phone that is plugged in, and waits for its connection.
    pub fn new(config: Config) -> Self {
        Self {
            traits: config.model.traits(),
            dialect: unsettled(&config),
            config,
            phase: Phase::Offline,
            session: Session::default(),
            paths: Paths::default(),
            typed: String::new(),
            rejected: None,
            timers: Timers::default(),
            counts: Counts::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Connected => self.connected(now),
            Input::Disconnected => self.reset_session(),
            Input::Message(message) => {
                self.counts.received += 1;
                self.message(now, message);
            }
            Input::User(action) => self.act(now, action),
            Input::ReceiveOpened { party, address } => self.receive_opened(party, address),
            Input::ReceiveFailed { party } => self.receive_failed(party),
            Input::TransmitStarted { party, address } => self.transmit_started(party, address),
            Input::TransmitFailed { party } => self.transmit_failed(party),
            Input::Counters { party, counters } => self.session.reports.set(party, counters),
        }
    }

    /// What shall happen outside, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let texts = [self.session.display.next_expiry(), self.session.calls.next_expiry()];
        texts.into_iter().flatten().chain(self.timers.next()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.session.display.expire(now);
        self.session.calls.expire(now);
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Registration => self.close(CloseReason::RegistrationTimeout),
                Timer::Token => self.ask_token(now),
                Timer::Answer => {
                    self.counts.unanswered += 1;
                    self.ask_next(now);
                }
                Timer::KeepAlive => self.keep_alive(now),
                Timer::Ring => self.session.ringing = None,
            }
        }
    }

    /// The forms of the messages of this connection, both ways. Version 0 before RegisterAck.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// How far the station is with its manager.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Which phone it is.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Gives the phone another address, as the network does; it tells it when it registers next.
    pub fn set_address(&mut self, address: IpAddr) {
        self.config.address = address;
    }

    /// What it did so far, over all connections.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Streams that it receives and sends now.
    pub fn streams(&self) -> (usize, usize) {
        (self.session.receiving.len(), self.session.transmitting.len())
    }

    /// How often the manager wants a keepalive from phones that have it as their standby, once it said so: the
    /// interval for [`Role::Standby`].
    pub fn secondary_keepalive(&self) -> Option<Duration> {
        Some(self.session.keepalive.secondary).filter(|interval| !interval.is_zero())
    }

    /// Who talks with whom in a call: what the [`Face`] says of it, without the cost of a whole face. `None` once
    /// it is over.
    pub fn parties(&self, reference: u32) -> Option<CallParties<'_>> {
        let call = self.session.calls.shown().find(|call| call.reference == reference)?;
        Some(CallParties { calling: &call.parties.calling.number, called: &call.parties.called.number })
    }

    /// What a person sees and hears now.
    pub fn face(&self) -> Face {
        Face::of(self)
    }

    pub(crate) fn send(&mut self, message: impl Into<StationMessage>) {
        self.counts.sent += 1;
        self.outputs.push_back(Output::Send(message.into()));
    }

    pub(crate) fn order(&mut self, order: MediaOrder) {
        self.outputs.push_back(Output::Media(order));
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn refuse(&mut self, reason: RejectReason) {
        self.tell(Event::Refused(reason));
    }

    /// A text from the manager as the display shows it.
    pub(crate) fn text(&self, bytes: &[u8]) -> String {
        display::shown(bytes, self.dialect.encoding())
    }

    /// Ends the connection from this side.
    pub(crate) fn close(&mut self, reason: CloseReason) {
        self.reset_session();
        self.outputs.push_back(Output::Close(reason));
    }

    /// Whether the manager accepted the phone.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self.phase, Phase::Loading | Phase::Registered | Phase::Leaving)
    }

    fn connected(&mut self, now: Time) {
        self.reset_session();
        match self.config.role {
            Role::Standby(interval) => {
                self.phase = Phase::Standby;
                self.session.keepalive.interval =
                    interval.clamp(limits::KEEPALIVE_MIN, limits::KEEPALIVE_MAX);
                self.keep_alive(now);
            }
            Role::Primary => self.register(now),
        }
    }

    /// Back to a phone without a manager. The handset stays where it is.
    fn reset_session(&mut self) {
        for party in self.session.transmitting.take() {
            self.order(MediaOrder::StopTransmit { party });
        }
        for party in self.session.receiving.take() {
            self.order(MediaOrder::CloseReceive { party });
        }
        self.session = Session::default();
        self.paths.speaker = false;
        self.timers.stop_all();
        self.phase = Phase::Offline;
        self.dialect = unsettled(&self.config);
    }

    /// The keepalive is due: sends one, unless too many were not acknowledged.
    fn keep_alive(&mut self, now: Time) {
        if self.session.keepalive.unacknowledged >= limits::KEEPALIVES_MISSED {
            return self.close(CloseReason::KeepAliveLost);
        }
        self.session.keepalive.unacknowledged += 1;
        self.send(message::KeepAlive);
        self.timers.set(Timer::KeepAlive, now + self.session.keepalive.interval);
    }
}

/// Before RegisterAck: what is sent then has the same form in every version, and header version 0.
fn unsettled(config: &Config) -> Dialect {
    Dialect::new(0, config.features, config.device_type)
}
