//! The way of audio that cannot go from phone to phone: what the exchange orders, for the media thread.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::mpsc::TrySendError,
    time::Duration,
};

use selsius_exchange::{AnchorOrder, Audio, Hears, Input, Recording, Time};
use selsius_media::{
    Codec, Digit, PacketTime, PayloadType, Tone,
    engine::{BridgeId, Format, Learning, Place, SourceId},
};
use selsius_site::Name;
use selsius_wire::value;

use super::Core;
use crate::{
    media::{Answer, Handle, Opening, Order, Party, RINGING},
    recordings::{Recorder, Tapes},
};

/// Orders that the media thread has no room for wait; beyond so many no party is added any more.
const WAITING: usize = 4096;
/// How long a key is pressed that a party is sent.
const PRESS: Duration = Duration::from_millis(120);
/// How soon it is asked again.
const AGAIN: Duration = Duration::from_millis(5);

/// Where audio goes that cannot go from phone to phone.
#[derive(Debug, Clone)]
pub struct Anchoring {
    /// The media thread.
    pub media: Handle,
    /// The address that phones are told; `None` tells each the one at which it reaches the manager.
    pub address: Option<IpAddr>,
    /// From where else than announced their audio may come.
    pub learning: Learning,
    /// What records.
    pub(crate) recorder: Recorder,
}

/// The way to the media thread. Orders keep their order, and only those that add a party can be refused.
#[derive(Default)]
pub(super) struct Anchors {
    to: Option<Anchoring>,
    waiting: VecDeque<Order>,
    tapes: Tapes,
    /// What the engine calls the site's music.
    pub(super) music: BTreeMap<Name, SourceId>,
}

impl Anchors {
    pub(super) fn connect(&mut self, anchoring: Anchoring) {
        self.to = Some(anchoring);
    }

    /// The address that phones are told, if it is configured.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.to.as_ref().and_then(|anchoring| anchoring.address)
    }

    /// The exchange begins anew, and its parties are no more.
    pub(super) fn begin_again(&mut self) {
        self.waiting.clear();
        self.tapes.end_all();
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

    /// Where at the engine a party belongs.
    fn place(&self, hears: &Hears) -> Place {
        match hears {
            Hears::Bridge(bridge) => Place::Bridge(BridgeId((*bridge).into())),
            Hears::Ringing => Place::Source(RINGING),
            Hears::Music(name) => {
                self.music.get(name).map_or(Place::Nowhere, |&source| Place::Source(source))
            }
        }
    }

    /// Records what a party says and hears from now on, or no longer.
    fn record(&mut self, party: Party, recording: Option<Recording>) {
        let Some(recorder) = self.to.as_ref().map(|anchoring| anchoring.recorder.clone()) else { return };
        let recording = recording.map(|Recording { name, side, beep }| {
            let tape = self.tapes.tape(name, |name| recorder.begin(name));
            (tape.watcher(side), (beep > 0).then(|| Tone::recorder_warning(beep)))
        });
        self.send(Order::Record(party, recording));
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
        let Some(anchoring) = &self.to else { return Ok(()) };
        match anchoring.media.offer(order) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
            Err(TrySendError::Full(order)) => Err(order),
        }
    }
}

impl Core {
    pub(super) fn anchor(&mut self, order: AnchorOrder) {
        match order {
            AnchorOrder::Join { party, hears, audio, payload, events, srtp, listens, near } => {
                let address = self.anchors.address().or(near);
                let address = address.map(|address| address.to_canonical());
                let order = self.anchors.to.as_ref().zip(address).zip(format(audio, payload, events));
                let order = order.filter(|_| self.anchors.waiting.len() < WAITING);
                let Some(((anchoring, address), format)) = order else {
                    let now = self.now();
                    return self.exchange.handle(now, Input::Anchored { party, address: None });
                };
                let (place, learning) = (self.anchors.place(&hears), anchoring.learning);
                let opening = Opening { format, address, remote: listens, learning, place, srtp };
                let party = Party::of_exchange(party);
                let opening = Box::new(opening);
                self.anchors.send(Order::Open { party, opening, watcher: None, answer: Answer::Exchange });
            }
            AnchorOrder::Change { party, hears, audio, payload, events, srtp } => {
                let party = Party::of_exchange(party);
                if let Some(format) = format(audio, payload, events) {
                    self.anchors.send(Order::Format(party, format));
                }
                self.anchors.send(Order::Srtp(party, srtp));
                let place = self.anchors.place(&hears);
                self.anchors.send(Order::Place(party, place));
            }
            AnchorOrder::Send { party, address } => {
                let Some(anchoring) = &self.anchors.to else { return };
                let order = Order::Remote(Party::of_exchange(party), address, anchoring.learning);
                self.anchors.send(order);
            }
            AnchorOrder::Digit { party, digit } => {
                if let Some(digit) = Digit::from_char(digit) {
                    self.anchors.send(Order::Digit(Party::of_exchange(party), digit, PRESS));
                }
            }
            AnchorOrder::Record { party, recording } => {
                self.anchors.record(Party::of_exchange(party), recording.map(|recording| *recording));
            }
            AnchorOrder::RecordingEnds { name } => self.anchors.tapes.end(&name),
            AnchorOrder::Leave { party } if self.anchors.to.is_none() => {
                let now = self.now();
                self.exchange.handle(now, Input::Left { party, figures: None });
            }
            AnchorOrder::Leave { party } => {
                self.anchors.send(Order::Close { party: Party::of_exchange(party), answer: None });
            }
        }
    }
}

/// How the streams of a party are packed; `None` for what the engine does not know.
fn format(audio: Audio, payload: Option<u8>, events: Option<u8>) -> Option<Format> {
    let codec = match audio.codec {
        value::Codec::G711Ulaw64k => Codec::Pcmu,
        value::Codec::G711Alaw64k => Codec::Pcma,
        value::Codec::G722_64k => Codec::G722,
        value::Codec::Opus => Codec::Opus,
        value::Codec::G729
        | value::Codec::G729AnnexA
        | value::Codec::G729AnnexB
        | value::Codec::G729AnnexAwAnnexB => Codec::G729,
        _ => return None,
    };
    let packet_time = PacketTime::from_millis(audio.packet_ms)?;
    let events = match events {
        None => None,
        Some(events) => Some(PayloadType::new(events)?),
    };
    let format = Format { events, ..Format::new(codec, packet_time) };
    match payload.filter(|_| codec == Codec::Opus) {
        Some(payload) => Some(Format { payload_type: PayloadType::new(payload)?, ..format }),
        None => Some(format),
    }
}
