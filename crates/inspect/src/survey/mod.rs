//! What a capture tells as a whole: phones, calls, media streams, response times, what was odd.
//!
//! ```text
//! Tracker events ──> Survey::opened, seen, trouble, closed ──> Survey::finish ──> Report
//! ```
//!
//! Memory grows with phones (about 0.5 KiB each) and calls (about 0.6 KiB for each leg), not with messages. Which RTP belongs
//! to a [`Signalled`] stream is for the shell to find: packets of media are not read here.

mod calls;
mod media;
mod times;

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::net::SocketAddr;

use calls::Legs;
pub use calls::{Call, Leg, Party};
use media::Media;
pub use media::Signalled;
use selsius_wire::{DeviceType, ManagerMessage, StationMessage, Time, message_info};
pub use times::Times;

use crate::{
    conversation::{Closed, ConnectionId, Message, Opened, Seen, Side, Trouble, TroubleKind},
    summary::{display, text},
};

/// A phone by its place in [`Report::devices`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceIndex(pub usize);

/// A phone that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its name; where no Register or Alarm was captured, its address.
    pub name: String,
    /// The name is one that it said.
    pub named: bool,
    /// Its model, from Register.
    pub kind: Option<DeviceType>,
    /// Its latest address.
    pub address: SocketAddr,
    /// The manager's.
    pub manager: SocketAddr,
    /// The latest version of its messages.
    pub version: u8,
    /// The firmware that its Alarm or Register told.
    pub load: String,
    /// When it was last accepted.
    pub registered: Option<Time>,
    /// How often it was accepted.
    pub registrations: u32,
    /// When it was refused, with the manager's words; the first eight.
    pub rejects: Vec<(Time, String)>,
    /// Numbers of its lines; the first eight.
    pub lines: Vec<String>,
    /// Its connections.
    pub connections: u32,
    /// Messages of both sides.
    pub messages: u64,
}

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// When.
    pub time: Time,
    /// In which packet.
    pub packet: u64,
    /// On which phone's connection.
    pub device: Option<DeviceIndex>,
    /// What.
    pub words: String,
}

/// How often a message was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// From stations.
    pub station: u64,
    /// From managers.
    pub manager: u64,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Report {
    /// When the first and the last message was seen.
    pub span: Option<(Time, Time)>,
    /// Phones in the order of their appearance.
    pub devices: Vec<Device>,
    /// Calls in the order of their beginning.
    pub calls: Vec<Call>,
    /// Streams that were signalled, in the order of their beginning.
    pub streams: Vec<Signalled>,
    /// Messages by id.
    pub counts: BTreeMap<u32, Count>,
    /// Response times by the id of the request.
    pub times: BTreeMap<u32, Times>,
    /// What was odd; the first thousand.
    pub oddities: Vec<Oddity>,
    /// How many odd things there were.
    pub odd: u64,
}

/// Takes in what a tracker finds.
#[derive(Debug, Default)]
pub struct Survey {
    report: Report,
    names: BTreeMap<String, DeviceIndex>,
    talks: BTreeMap<ConnectionId, Talk>,
    legs: Legs,
    media: Media,
}

/// A connection that is open.
#[derive(Debug)]
struct Talk {
    device: DeviceIndex,
    /// The name that its messages came with: most come with the same one.
    name: Option<Arc<str>>,
}

/// Oddities, rejects and lines beyond these are counted, not kept.
const MOST_ODDITIES: usize = 1_000;
const MOST_OF_A_PHONE: usize = 8;

impl Survey {
    /// A conversation begins.
    pub fn opened(&mut self, opened: &Opened) {
        let device = self.device(&opened.station.to_string(), opened);
        self.report.devices[device.0].connections += 1;
        self.talks.insert(opened.connection, Talk { device, name: None });
    }

    /// A message.
    pub fn seen(&mut self, seen: &Seen, ends: &Opened) {
        let device = self.who(seen, ends);
        let report = &mut self.report;
        let first = report.span.map_or(seen.time, |(first, _)| first);
        report.span = Some((first, seen.time));
        let count = report.counts.entry(seen.message.id()).or_default();
        match seen.from {
            Side::Station => count.station += 1,
            Side::Manager => count.manager += 1,
        }
        let phone = &mut report.devices[device.0];
        phone.messages += 1;
        phone.version = seen.version;
        phone.learn(seen);
        if let Some(answer) = &seen.answers
            && let Some(request) = answered(seen)
        {
            report.times.entry(request).or_default().add(answer.after);
        }
        for anomaly in seen.message.anomalies() {
            let words = format!("{}: {anomaly}", seen.message.name());
            self.odd(seen.time, seen.packets.last, device, words);
        }
        self.legs.seen(seen, device, ends);
        self.media.seen(seen, device, ends);
    }

    /// Something missing or damaged.
    pub fn trouble(&mut self, trouble: &Trouble) {
        // Where a capture begins in the middle that is so for every connection.
        if trouble.kind == TroubleKind::Missing(None) {
            return;
        }
        let Some(device) = self.talks.get(&trouble.connection).map(|talk| talk.device) else { return };
        let words = format!("from the {}: {}", trouble.from, trouble.kind);
        self.odd(trouble.stamp.time, trouble.stamp.number, device, words);
    }

    /// A conversation is over.
    pub fn closed(&mut self, closed: &Closed) {
        for request in &closed.unanswered {
            self.report.times.entry(request.id).or_default().unanswered += 1;
        }
        self.talks.remove(&closed.connection);
    }

    /// Everything was seen.
    pub fn finish(mut self) -> Report {
        self.report.streams = self.media.finish();
        self.report.calls = self.legs.finish(&self.report.streams);
        self.report
    }

    /// The phone of a message; it may have told its name now.
    fn who(&mut self, seen: &Seen, ends: &Opened) -> DeviceIndex {
        let talk = self.talks.get(&seen.connection);
        let same = |name: &Arc<str>| seen.device.as_ref().is_some_and(|other| Arc::ptr_eq(name, other));
        if let Some(talk) = talk
            && talk.name.as_ref().is_some_and(same)
        {
            return talk.device;
        }
        let talk = talk.map(|talk| talk.device);
        let Some(name) = &seen.device else {
            return talk.unwrap_or_else(|| self.device(&ends.station.to_string(), ends));
        };
        let device = match (self.names.get(&**name), talk) {
            // Until now it had the name of its address.
            (None, Some(known)) if !self.report.devices[known.0].named => {
                let phone = &mut self.report.devices[known.0];
                self.names.remove(&phone.name);
                phone.name = (**name).into();
                self.names.insert((**name).into(), known);
                known
            }
            (known, talk) => {
                // What was counted under its address moves along; an empty row is not shown.
                let moved = talk.filter(|talk| !self.report.devices[talk.0].named);
                let known = known.copied();
                let device = known.unwrap_or_else(|| self.device(name, ends));
                if let Some(from) = moved {
                    let (messages, connections) =
                        (self.report.devices[from.0].messages, self.report.devices[from.0].connections);
                    (self.report.devices[from.0].messages, self.report.devices[from.0].connections) = (0, 0);
                    self.report.devices[device.0].messages += messages;
                    self.report.devices[device.0].connections += connections;
                }
                device
            }
        };
        let phone = &mut self.report.devices[device.0];
        phone.named = true;
        (phone.address, phone.manager) = (ends.station, ends.manager);
        self.talks.insert(seen.connection, Talk { device, name: Some(Arc::clone(name)) });
        device
    }

    fn device(&mut self, name: &str, ends: &Opened) -> DeviceIndex {
        if let Some(&known) = self.names.get(name) {
            return known;
        }
        let index = DeviceIndex(self.report.devices.len());
        self.report.devices.push(Device {
            name: name.into(),
            named: false,
            kind: None,
            address: ends.station,
            manager: ends.manager,
            version: 0,
            load: String::new(),
            registered: None,
            registrations: 0,
            rejects: Vec::new(),
            lines: Vec::new(),
            connections: 0,
            messages: 0,
        });
        self.names.insert(name.into(), index);
        index
    }

    fn odd(&mut self, time: Time, packet: u64, device: DeviceIndex, words: String) {
        self.report.odd += 1;
        if self.report.oddities.len() < MOST_ODDITIES {
            self.report.oddities.push(Oddity { time, packet, device: Some(device), words });
        }
    }
}

impl Device {
    fn learn(&mut self, seen: &Seen) {
        match &seen.message {
            Message::Station(received) => match &received.message {
                StationMessage::Register(register) => {
                    self.kind = Some(register.device_type);
                    if !register.firmware_load_name.is_empty() {
                        self.load = text(&register.firmware_load_name);
                    }
                }
                StationMessage::Alarm(alarm) => {
                    let said = text(&alarm.text);
                    let load = said.split("Load=").nth(1).and_then(|rest| rest.split_whitespace().next());
                    if let Some(load) = load.filter(|_| self.load.is_empty()) {
                        self.load = load.into();
                    }
                }
                _ => {}
            },
            Message::Manager(received) => match &received.message {
                ManagerMessage::RegisterAck(_) => {
                    self.registered = Some(seen.time);
                    self.registrations += 1;
                }
                ManagerMessage::RegisterReject(reject) if self.rejects.len() < MOST_OF_A_PHONE => {
                    self.rejects.push((seen.time, display(reject.text.bytes())));
                }
                ManagerMessage::LineStat(line) => self.line(text(&line.line_dir_number)),
                ManagerMessage::LineStatV2(line) => self.line(text(&line.line_dir_number)),
                _ => {}
            },
        }
    }

    fn line(&mut self, number: String) {
        if !number.is_empty() && self.lines.len() < MOST_OF_A_PHONE && !self.lines.contains(&number) {
            self.lines.push(number);
        }
    }
}

/// Room for another one, and little more: a vector doubles otherwise, and these are the largest of a long capture.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 8 + 8);
    }
}

/// The id of the request that a message answers: as its table row says, but for RegisterReject, which has none there.
fn answered(seen: &Seen) -> Option<u32> {
    match seen.message.id() {
        0x009d => Some(0x0001),
        id => message_info(id)?.answers,
    }
}

#[cfg(test)]
mod tests;
