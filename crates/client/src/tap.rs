//! Listening in on a phone's wire.

use std::net::SocketAddr;

use selsius_wire::{ManagerMessage, StationMessage, Time};

/// Which way something went, from the phone's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The phone sent it.
    Sent,
    /// The phone received it.
    Received,
}

/// Something on the wire of a phone.
#[derive(Debug, Clone, Copy)]
pub struct Tapped<'a> {
    /// When, on the phone's clock.
    pub at: Time,
    /// What.
    pub traffic: Traffic<'a>,
}

/// What is on the wire of a phone.
#[derive(Debug, Clone, Copy)]
pub enum Traffic<'a> {
    /// The connection to the manager is up.
    Opened {
        /// The phone's end.
        local: SocketAddr,
        /// The manager's end.
        remote: SocketAddr,
    },
    /// A message.
    Message {
        /// What it says; who says it tells its way.
        message: Said<'a>,
        /// The whole frame.
        bytes: &'a [u8],
    },
    /// A packet of voice, or whatever else came to a port for voice.
    Voice {
        /// Which way it went.
        way: Way,
        /// Where it came from.
        from: SocketAddr,
        /// Where it went.
        to: SocketAddr,
        /// The payload of the datagram.
        datagram: &'a [u8],
    },
    /// The connection to the manager ended.
    Closed {
        /// Sent where the phone closed it, received where the manager did.
        way: Way,
    },
}

/// A message of either side.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    /// The phone said it.
    Station(&'a StationMessage),
    /// The manager said it.
    Manager(&'a ManagerMessage),
}

/// Gets everything that is on the wire of a phone, at once and in order. It is called on the phone's task, so it must
/// not block: hand over what you need.
pub type Tap = Box<dyn FnMut(Tapped<'_>) + Send>;
