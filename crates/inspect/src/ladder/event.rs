//! What a ladder shows.

use alloc::{format, string::String};

use selsius_wire::{ManagerMessage, StationMessage, Time};

use crate::{
    conversation::{Message, Seen, Side},
    sip, summary,
};

/// Something that happened, to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: Time,
    /// What.
    pub step: Step,
}

/// What happened. Participants are counted from 0, as the ladder has them from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One participant sent another a message.
    Message {
        /// The sender.
        from: usize,
        /// The receiver.
        to: usize,
        /// Its name.
        name: String,
        /// The telling details; they go below the arrow where there is no room in it.
        details: String,
        /// How it is coloured.
        kind: Kind,
    },
    /// Media flowed both ways for a while.
    Stream {
        /// The two ends.
        between: (usize, usize),
        /// What there is to say about it.
        words: String,
    },
    /// A remark.
    Note {
        /// Beside whose line; `None` for the whole page.
        at: Option<usize>,
        /// The remark.
        words: String,
    },
}

/// Colour of an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// From a station.
    Station,
    /// From the manager.
    Manager,
    /// From another telephone system.
    Peer,
    /// About media.
    Media,
    /// Keepalives and other things that are always there.
    Quiet,
    /// A refusal or a failure.
    Trouble,
}

impl Event {
    /// A message that the station in column `station` sent to the manager in column `manager`.
    pub fn station(time: Time, station: usize, manager: usize, message: &StationMessage) -> Self {
        let name = message.name().into();
        let details = summary::station_details(message);
        let kind = Kind::of_station(message);
        Self { time, step: Step::Message { from: station, to: manager, name, details, kind } }
    }

    /// A message that the manager in column `manager` sent to the station in column `station`.
    pub fn manager(time: Time, station: usize, manager: usize, message: &ManagerMessage) -> Self {
        let name = message.name().into();
        let details = summary::manager_details(message);
        let kind = Kind::of_manager(message);
        Self { time, step: Step::Message { from: manager, to: station, name, details, kind } }
    }

    /// A message from a capture, between the station in column `station` and the manager in column `manager`.
    pub fn seen(seen: &Seen, station: usize, manager: usize) -> Self {
        match &seen.message {
            Message::Station(received) => Self::station(seen.time, station, manager, &received.message),
            Message::Manager(received) => Self::manager(seen.time, station, manager, &received.message),
        }
    }

    /// A SIP message between two participants. `by` is [`Side::Manager`] if the manager sent it, else another system did.
    pub fn sip(time: Time, (from, to): (usize, usize), by: Side, message: &sip::Message<'_>) -> Self {
        let session = if message.session { "SDP" } else { "" };
        let (name, what) = match message.start {
            sip::Start::Request { uri } if message.method == "INVITE" => (message.method.into(), uri.into()),
            sip::Start::Request { .. } => (message.method.into(), String::new()),
            sip::Start::Response { code, reason } => (format!("{code} {reason}"), message.method.into()),
        };
        let comma = if what.is_empty() || session.is_empty() { "" } else { ", " };
        let details = format!("{what}{comma}{session}");
        Self { time, step: Step::Message { from, to, name, details, kind: Kind::of_sip(message, by) } }
    }

    /// Media that flowed between two participants.
    pub fn stream(time: Time, between: (usize, usize), words: impl Into<String>) -> Self {
        Self { time, step: Step::Stream { between, words: words.into() } }
    }

    /// A remark beside a participant's line, or across the page.
    pub fn note(time: Time, at: Option<usize>, words: impl Into<String>) -> Self {
        Self { time, step: Step::Note { at, words: words.into() } }
    }
}

impl Kind {
    /// How a captured message is coloured.
    pub fn of(message: &Message) -> Self {
        match message {
            Message::Station(received) => Self::of_station(&received.message),
            Message::Manager(received) => Self::of_manager(&received.message),
        }
    }

    /// How a station's message is coloured.
    pub fn of_station(message: &StationMessage) -> Self {
        use StationMessage as M;
        match message {
            M::KeepAlive(_) => Self::Quiet,
            M::OpenReceiveChannelAck(ack) if u32::from(ack.media_reception_status) != 0 => Self::Trouble,
            M::StartMediaTransmissionAck(ack) if u32::from(ack.media_transmission_status) != 0 => {
                Self::Trouble
            }
            M::MediaTransmissionFailure(_) => Self::Trouble,
            M::OpenReceiveChannelAck(_) | M::StartMediaTransmissionAck(_) | M::ConnectionStatisticsRes(_) => {
                Self::Media
            }
            _ => Self::Station,
        }
    }

    /// How a SIP message is coloured. That credentials are missing, or that a call was given up, is no trouble.
    pub fn of_sip(message: &sip::Message<'_>, by: Side) -> Self {
        match (message.start, by) {
            _ if message.method == "OPTIONS" => Self::Quiet,
            (sip::Start::Response { code: 400.., .. }, _) if !usual(message.start) => Self::Trouble,
            (_, Side::Manager) => Self::Manager,
            (_, Side::Station) => Self::Peer,
        }
    }

    /// How a manager's message is coloured.
    pub fn of_manager(message: &ManagerMessage) -> Self {
        use ManagerMessage as M;
        match message {
            M::KeepAliveAck(_) => Self::Quiet,
            M::RegisterReject(_)
            | M::RegisterTokenReject(_)
            | M::SpcpRegisterTokenReject(_)
            | M::Reset(_) => Self::Trouble,
            M::OpenReceiveChannel(_)
            | M::CloseReceiveChannel(_)
            | M::StartMediaTransmission(_)
            | M::StartMediaTransmissionCm2(_)
            | M::StopMediaTransmission(_)
            | M::StartMediaReception(_)
            | M::StopMediaReception(_)
            | M::ConnectionStatisticsReq(_) => Self::Media,
            _ => Self::Manager,
        }
    }
}

fn usual(start: sip::Start<'_>) -> bool {
    matches!(start, sip::Start::Response { code: 401 | 407 | 487, .. })
}
