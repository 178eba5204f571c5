//! A station on a virtual clock, with everything that came out of it.
#![allow(dead_code, reason = "every test uses a part of it")]

pub(crate) mod capture;
pub(crate) mod manager;

use std::{net::SocketAddr, time::Duration};

use selsius_station::{Action, CloseReason, Config, Event, Face, Input, MediaOrder, Output, Station};
use selsius_wire::{ManagerMessage, StationMessage, Time};

/// A station and its surroundings: orders for voice are answered at once.
pub(crate) struct Phone {
    pub(crate) station: Station,
    pub(crate) now: Time,
    pub(crate) sent: Vec<StationMessage>,
    pub(crate) orders: Vec<MediaOrder>,
    pub(crate) events: Vec<Event>,
    pub(crate) closed: Option<CloseReason>,
    /// Where streams are opened; None: they fail.
    pub(crate) rtp: Option<SocketAddr>,
}

impl Phone {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            station: Station::new(config),
            now: Time::ZERO,
            sent: Vec::new(),
            orders: Vec::new(),
            events: Vec::new(),
            closed: None,
            rtp: Some(([10, 0, 0, 7], 16384).into()),
        }
    }

    /// Connected, and what it sent until then.
    pub(crate) fn connected(config: Config) -> Self {
        let mut phone = Self::new(config);
        phone.input(Input::Connected);
        phone
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.station.handle(self.now, input);
        self.drain();
    }

    pub(crate) fn say(&mut self, message: impl Into<ManagerMessage>) {
        self.input(Input::Message(message.into()));
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.input(Input::User(action));
    }

    /// Lets time pass, with every time-out at its moment.
    pub(crate) fn wait(&mut self, span: Duration) {
        self.wait_until(self.now + span);
    }

    pub(crate) fn wait_until(&mut self, end: Time) {
        while let Some(due) = self.station.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.station.handle_timeout(self.now);
            assert!(
                self.station.poll_timeout().is_none_or(|next| next > self.now),
                "a time-out that does not pass"
            );
            self.drain();
        }
        self.now = self.now.max(end);
    }

    pub(crate) fn face(&self) -> Face {
        self.station.face()
    }

    /// What was sent since the last time.
    pub(crate) fn take_sent(&mut self) -> Vec<StationMessage> {
        std::mem::take(&mut self.sent)
    }

    /// The names of what was sent since the last time.
    pub(crate) fn take_names(&mut self) -> Vec<&'static str> {
        self.take_sent().iter().map(StationMessage::name).collect()
    }

    pub(crate) fn take_orders(&mut self) -> Vec<MediaOrder> {
        std::mem::take(&mut self.orders)
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn drain(&mut self) {
        while let Some(output) = self.station.poll_output() {
            match output {
                Output::Send(message) => {
                    assert!(self.closed.is_none(), "sent {} after the end", message.name());
                    self.sent.push(message);
                }
                Output::Close(reason) => self.closed = Some(reason),
                Output::Event(event) => self.events.push(event),
                Output::Media(order) => self.media(order),
            }
        }
    }

    fn media(&mut self, order: MediaOrder) {
        self.orders.push(order);
        let input = match (order, self.rtp) {
            (
                MediaOrder::OpenReceive { party, .. } | MediaOrder::ReceiveMulticast { party, .. },
                Some(address),
            ) => Input::ReceiveOpened { party, address },
            (MediaOrder::OpenReceive { party, .. } | MediaOrder::ReceiveMulticast { party, .. }, None) => {
                Input::ReceiveFailed { party }
            }
            (MediaOrder::StartTransmit { party, .. }, Some(address)) => {
                Input::TransmitStarted { party, address }
            }
            (MediaOrder::StartTransmit { party, .. }, None) => Input::TransmitFailed { party },
            _ => return,
        };
        self.station.handle(self.now, input);
    }
}

/// Seconds.
pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
