//! Requests and their answers.
//!
//! Which message answers which is in the wire crate's table; bodies only matter where several requests of one kind can be
//! under way at a time. So KeepAlive, TimeDateReq and the others without a body are paired too.

use alloc::{collections::VecDeque, vec::Vec};
use core::time::Duration;

use selsius_wire::{Kind, MESSAGES, ManagerMessage, StationMessage, Time, message_info};

use super::{Message, Side};

/// The request that a message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Number of the request's [`super::Seen`].
    pub number: u64,
    /// The packet that completed the request.
    pub packet: u64,
    /// How long the answer took.
    pub after: Duration,
}

/// A request that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Number of its [`super::Seen`].
    pub number: u64,
    /// The packet that completed it.
    pub packet: u64,
    /// When that was.
    pub time: Time,
    /// Who asked.
    pub from: Side,
    /// The message id.
    pub id: u32,
    key: Key,
}

/// What tells requests of one kind apart; 0 says nothing. A 6901 fills only the call reference of
/// StartMediaTransmissionAck, CallManager 4.1 has none in OpenReceiveChannelAck (captured-details).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    first: u32,
    second: u32,
}

/// The requests of a conversation that wait for their answers.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    waiting: VecDeque<Request>,
}

/// RegisterReject, the other answer to Register.
const REGISTER_REJECT: u32 = 0x009d;
const REGISTER: u32 = 0x0001;

impl Pairing {
    /// More do not wait: the oldest is forgotten.
    const LIMIT: usize = 64;

    /// Takes the next message, and tells which request it answers.
    pub(super) fn take(
        &mut self,
        number: u64,
        from: Side,
        message: &Message,
        packet: u64,
        time: Time,
    ) -> Option<Answer> {
        let id = message.id();
        let key = Key::of(message);
        let answer = answered(id).and_then(|request| self.find(from.other(), request, key)).map(|request| {
            Answer { number: request.number, packet: request.packet, after: time.since(request.time) }
        });
        if wants_answer(id) {
            if self.waiting.len() == Self::LIMIT {
                self.waiting.pop_front();
            }
            self.waiting.push_back(Request { number, packet, time, from, id, key });
        }
        answer
    }

    pub(super) fn into_unanswered(self) -> Vec<Request> {
        self.waiting.into()
    }

    /// Takes out the oldest request that fits.
    fn find(&mut self, from: Side, id: u32, key: Key) -> Option<Request> {
        let fits = |request: &Request| request.from == from && request.id == id && request.key.fits(key);
        let index = self.waiting.iter().position(fits)?;
        self.waiting.remove(index)
    }
}

/// Whether some message answers this one. Most messages are events, for which the table need not be searched.
fn wants_answer(id: u32) -> bool {
    match message_info(id).map(|info| info.kind) {
        // Some events of the table are answered too: CapabilitiesReq always, the data messages where a reply is due.
        Some(Kind::Request | Kind::Event) => MESSAGES.iter().any(|info| info.answers == Some(id)),
        Some(Kind::Response) | None => false,
    }
}

/// The request that a message answers.
fn answered(id: u32) -> Option<u32> {
    match id {
        REGISTER_REJECT => Some(REGISTER),
        _ => message_info(id)?.answers,
    }
}

impl Key {
    /// What both sides know must be the same.
    fn fits(self, answer: Self) -> bool {
        let agree = |one: u32, other: u32| one == 0 || other == 0 || one == other;
        agree(self.first, answer.first) && agree(self.second, answer.second)
    }

    fn of(message: &Message) -> Self {
        match message {
            Message::Station(received) => Self::of_station(&received.message),
            Message::Manager(received) => Self::of_manager(&received.message),
        }
    }

    fn one(first: u32) -> Self {
        Self { first, second: 0 }
    }

    fn of_station(message: &StationMessage) -> Self {
        use StationMessage as M;
        match message {
            M::LineStatReq(request) => Self::one(request.line_number),
            M::ForwardStatReq(request) => Self::one(request.line_number),
            M::SpeedDialStatReq(request) => Self::one(request.speed_dial_number),
            M::ServiceUrlStatReq(request) => Self::one(request.service_url_index),
            M::FeatureStatReq(request) => Self::one(request.feature_index),
            M::OpenReceiveChannelAck(ack) => {
                Self { first: ack.pass_through_party_id, second: ack.call_reference }
            }
            M::StartMediaTransmissionAck(ack) => {
                Self { first: ack.pass_through_party_id, second: ack.call_reference }
            }
            M::MediaTransmissionFailure(failure) => {
                Self { first: failure.pass_through_party_id, second: failure.call_reference }
            }
            M::ConnectionStatisticsRes(statistics) => Self::one(statistics.call_reference),
            _ => Self::default(),
        }
    }

    fn of_manager(message: &ManagerMessage) -> Self {
        use ManagerMessage as M;
        match message {
            M::LineStat(answer) => Self::one(answer.line_number),
            M::LineStatV2(answer) => Self::one(answer.line_number),
            M::ForwardStat(answer) => Self::one(answer.line_number),
            M::SpeedDialStat(answer) => Self::one(answer.speed_dial_number),
            M::SpeedDialStatV2(answer) => Self::one(answer.speed_dial_number),
            M::ServiceUrlStat(answer) => Self::one(answer.service_url_index),
            M::ServiceUrlStatV2(answer) => Self::one(answer.service_url_index),
            M::FeatureStat(answer) => Self::one(answer.feature_index),
            M::FeatureStatV2(answer) => Self::one(answer.feature_index),
            M::OpenReceiveChannel(order) => {
                Self { first: order.pass_through_party_id, second: order.call_reference }
            }
            M::StartMediaTransmission(order) => {
                Self { first: order.pass_through_party_id, second: order.call_reference }
            }
            M::ConnectionStatisticsReq(request) => Self::one(request.call_reference),
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_answered_is_a_request() {
        for row in &MESSAGES {
            let answered = MESSAGES.iter().any(|info| info.answers == Some(row.id));
            assert_eq!(wants_answer(row.id), answered, "{}", row.name);
        }
    }
}
