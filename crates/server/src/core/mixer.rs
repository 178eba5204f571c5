//! The way of audio that cannot go from phone to phone: what the exchange orders, for the media thread.

use std::{collections::VecDeque, net::IpAddr, sync::mpsc::TrySendError, time::Duration};

use selsius_exchange::{Audio, Input, MixerOrder, Time};
use selsius_media::{
    Codec, PacketTime,
    engine::{BridgeId, Format, Learning, Place},
};
use selsius_wire::value;

use super::Core;
use crate::{
    media::{Answer, Handle, Opening, Order, Party},
    net::local_towards,
};

/// Orders that the media thread has no room for wait; beyond so many no party is added any more.
const WAITING: usize = 4096;
/// How soon it is asked again.
const AGAIN: Duration = Duration::from_millis(5);

/// Where audio goes that cannot go from phone to phone.
#[derive(Debug, Clone)]
pub struct Mixing {
    /// The media thread.
    pub media: Handle,
    /// The address that phones are told; `None` tells each the one at which it reaches the manager.
    pub address: Option<IpAddr>,
    /// From where else than announced their audio may come.
    pub learning: Learning,
}

/// The way to the media thread. Orders keep their order, and only those that add a party can be refused.
#[derive(Default)]
pub(super) struct Mixer {
    to: Option<Mixing>,
    waiting: VecDeque<Order>,
}

impl Mixer {
    pub(super) fn connect(&mut self, mixing: Mixing) {
        self.to = Some(mixing);
    }

    /// The address that phones are told, if it is configured.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.to.as_ref().and_then(|mixing| mixing.address)
    }

    /// The exchange begins anew, and its parties are no more.
    pub(super) fn begin_again(&mut self) {
        self.waiting.clear();
        self.send(Order::CloseExchange);
    }

    /// Hands over what had to wait.
    pub(super) fn go_on(&mut self) {
        while let Some(order) = self.waiting.pop_front() {
            if let Err(order) = self.offer(order) {
                return self.waiting.push_front(order);
            }
        }
    }

    /// When to try that again.
    pub(super) fn again(&self, now: Time) -> Option<Time> {
        (!self.waiting.is_empty()).then(|| now + AGAIN)
    }

    fn send(&mut self, order: Order) {
        if !self.waiting.is_empty() {
            return self.waiting.push_back(order);
        }
        if let Err(order) = self.offer(order) {
            self.waiting.push_back(order);
        }
    }

    /// Gives an order back if there is no room for it at present.
    fn offer(&self, order: Order) -> Result<(), Order> {
        let Some(mixing) = &self.to else { return Ok(()) };
        match mixing.media.offer(order) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
            Err(TrySendError::Full(order)) => Err(order),
        }
    }
}

impl Core {
    pub(super) fn mix(&mut self, order: MixerOrder) {
        match order {
            MixerOrder::Join { conference, party, audio, listens } => {
                let address = self
                    .address_for(party)
                    .or_else(|| listens.and_then(|address| local_towards(address).ok()));
                let order = self.mixer.to.as_ref().zip(address).zip(format(audio));
                let order = order.filter(|_| self.mixer.waiting.len() < WAITING);
                let Some(((mixing, address), format)) = order else {
                    let now = self.now();
                    return self.exchange.handle(now, Input::Mixer { party, address: None });
                };
                let place = Place::Bridge(BridgeId(conference.into()));
                let learning = mixing.learning;
                let opening = Opening { format, address, remote: listens, learning, place };
                let party = Party::of_exchange(party);
                self.mixer.send(Order::Open { party, opening, watcher: None, answer: Answer::Exchange });
            }
            MixerOrder::Send { party, address, .. } => {
                let Some(mixing) = &self.mixer.to else { return };
                let order = Order::Remote(Party::of_exchange(party), address, mixing.learning);
                self.mixer.send(order);
            }
            MixerOrder::Leave { party, .. } => {
                self.mixer.send(Order::Close { party: Party::of_exchange(party), answer: None });
            }
        }
    }

    /// The address that a party is told.
    fn address_for(&self, party: u32) -> Option<IpAddr> {
        self.mixer.address().or_else(|| self.exchange.reached(party)).map(|address| address.to_canonical())
    }
}

/// How the streams of a party are packed; `None` for what the engine does not know.
fn format(audio: Audio) -> Option<Format> {
    let codec = match audio.codec {
        value::Codec::G711Ulaw64k => Codec::Pcmu,
        value::Codec::G711Alaw64k => Codec::Pcma,
        value::Codec::G722_64k => Codec::G722,
        value::Codec::G729
        | value::Codec::G729AnnexA
        | value::Codec::G729AnnexB
        | value::Codec::G729AnnexAwAnnexB => Codec::G729,
        _ => return None,
    };
    PacketTime::from_millis(audio.packet_ms).map(|time| Format::new(codec, time))
}
