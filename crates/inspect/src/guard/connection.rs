//! One connection between a phone and its manager.

use alloc::{collections::BTreeMap, format, string::ToString, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use selsius_wire::{ManagerMessage, RawFrame, StationMessage, Time, rate::Meter};

use super::{
    Config, ConnectionId, Ends, Finding, Flow, Output, Shared, Status,
    calls::Calls,
    finding::{Action, FindingKind},
    form,
    judge::{Found, Item},
    media::{self, Hole, Media, Passage, Stream as MediaStream},
    nat::{self, Whose},
    policy::Policy,
    registration::Registration,
    stream::{Piece, Stream},
};
use crate::{
    conversation::{Message, Side},
    words::clean,
};

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) ends: Ends,
    /// The place of the source's rules in the policy.
    pub(super) source_rules: Option<usize>,
    since: Time,
    streams: [Stream; 2],
    registration: Registration,
    calls: Calls,
    media: Media,
    message_meter: Meter,
    byte_meter: Meter,
    /// Bytes that are not counted as 1024 yet.
    odd_bytes: usize,
    counts: BTreeMap<FindingKind, u64>,
    messages: [u64; 2],
}

const fn index(side: Side) -> usize {
    match side {
        Side::Station => 0,
        Side::Manager => 1,
    }
}

impl Connection {
    pub(super) fn new(now: Time, ends: Ends, source_rules: Option<usize>) -> Self {
        Self {
            ends,
            source_rules,
            since: now,
            streams: Default::default(),
            registration: Registration::new(),
            calls: Calls::new(),
            media: Media::default(),
            message_meter: Meter::UNUSED,
            byte_meter: Meter::UNUSED,
            odd_bytes: 0,
            counts: BTreeMap::new(),
            messages: [0; 2],
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the guard's parts, which it takes apart for this")]
    pub(super) fn receive(
        &mut self,
        now: Time,
        id: ConnectionId,
        from: Side,
        bytes: &[u8],
        onward: &mut Vec<u8>,
        config: &Config,
        shared: &mut Shared,
        found: &mut Found,
    ) -> Flow {
        let policy = &config.policy;
        if from == Side::Station && !self.pays_bytes(now, bytes.len(), policy) {
            found.clear();
            found.add(FindingKind::ByteRate);
            if self.judge(now, Some(id), from, None, policy, shared, found) >= Action::Reset {
                return Flow::Reset;
            }
        }
        let mut stream = core::mem::take(&mut self.streams[index(from)]);
        let limit = policy.limits(self.source_rules).message_length;
        let mut flow = Flow::Go;
        let cut = stream.push(now, bytes, limit, |piece| {
            match piece {
                Piece::Raw(bytes) => onward.extend_from_slice(bytes),
                Piece::Frame(frame, bytes) => {
                    flow = self.message(now, id, from, (frame, bytes), onward, config, shared, found);
                }
            }
            flow == Flow::Go
        });
        if let (Err(error), Flow::Go) = (cut, flow) {
            found.clear();
            found.say(FindingKind::LengthImpossible, error.to_string());
            match self.judge(now, Some(id), from, None, policy, shared, found) {
                Action::Allow | Action::Log => onward.extend_from_slice(&stream.pass()),
                _ => flow = Flow::Reset,
            }
        }
        self.streams[index(from)] = stream;
        flow
    }

    #[allow(clippy::too_many_arguments, reason = "the guard's parts, which it takes apart for this")]
    fn message(
        &mut self,
        now: Time,
        id: ConnectionId,
        from: Side,
        (frame, bytes): (RawFrame<'_>, &[u8]),
        onward: &mut Vec<u8>,
        config: &Config,
        shared: &mut Shared,
        found: &mut Found,
    ) -> Flow {
        let policy = &config.policy;
        self.messages[index(from)] += 1;
        shared.counters.messages[index(from)] += 1;
        if !self.ends.whole && !self.registration.is_registered() {
            self.registration.assume(frame.header_version);
        }
        let context = self.registration.context();
        let mut message = match from {
            Side::Station => Message::Station(StationMessage::decode_lenient(frame, context)),
            Side::Manager => Message::Manager(ManagerMessage::decode_lenient(frame, context)),
        };
        found.clear();
        form::header(&frame, from, found);
        let dirt = form::body(&frame, &message, found);
        if !policy.lets_pass(frame.id) {
            found.add(FindingKind::MessageDenied);
        }
        self.check(now, &message, policy, shared, found);

        let action = self.judge(now, Some(id), from, Some(frame.id), policy, shared, found);
        if found.has(FindingKind::NumberDenied) && action != Action::Allow {
            self.calls.bar(message.place().1);
        }
        match action {
            Action::Allow | Action::Log | Action::Scrub => {}
            Action::Drop => {
                shared.counters.dropped[index(from)] += 1;
                return Flow::Go;
            }
            Action::Reset | Action::Block => return Flow::Reset,
        }
        self.learn(now, id, &message, policy, shared);
        let start = onward.len();
        if self.translate(&mut message, shared) {
            onward.extend_from_slice(&message.bytes());
            shared.counters.changed += 1;
        } else {
            onward.extend_from_slice(bytes);
        }
        if action == Action::Scrub && !dirt.is_empty() {
            shared.counters.changed += 1;
            for range in dirt {
                if let Some(dirt) = onward.get_mut(start + HEADER + range.start..start + HEADER + range.end) {
                    dirt.fill(0);
                }
            }
        }
        Flow::Go
    }

    /// Holds a message against what was said before.
    fn check(
        &mut self,
        now: Time,
        message: &Message,
        policy: &Policy,
        shared: &mut Shared,
        found: &mut Found,
    ) {
        let limits = policy.limits(self.source_rules);
        let ends = self.media_ends();
        match message {
            Message::Station(received) => {
                let said = &received.message;
                if !self.message_meter.take(now, limits.message_rate) {
                    found.add(FindingKind::MessageRate);
                }
                if self.ends.whole {
                    self.registration.check_station(now, said, policy, found);
                    self.calls.check_station(now, message, said, (policy, limits), found);
                }
                if let StationMessage::Register(register) = said {
                    let name = clean(&register.device_name.to_string());
                    shared.sources.check_name(now, self.ends.station.ip(), &name, limits, found);
                    if let Some(elsewhere) = shared.elsewhere(&name, self.ends.station.ip()) {
                        found.say(FindingKind::DeviceElsewhere, format!("{name} is at {elsewhere}"));
                    }
                }
                self.media.check_station(said, ends, &policy.media, self.ends.whole, found);
            }
            Message::Manager(received) => {
                let said = &received.message;
                if self.ends.whole {
                    self.registration.check_manager(said, found);
                }
                self.calls.check_manager(now, said, message.place().1, (policy, limits), found);
                self.media.check_manager(said, &policy.media, found);
            }
        }
    }

    /// What a message that goes on changes.
    fn learn(
        &mut self,
        now: Time,
        id: ConnectionId,
        message: &Message,
        policy: &Policy,
        shared: &mut Shared,
    ) {
        match message {
            Message::Station(received) => {
                let said = &received.message;
                self.registration.learn_station(said);
                self.calls.learn_station(message, said);
                let ends = self.media_ends();
                if let Some(party) = self.media.learn_station(said, ends) {
                    self.settle(id, party, shared);
                }
                if let (StationMessage::IpPort(_), Some(told)) = (said, self.media.told(ends.station)) {
                    self.media.appears = shared.stations.stream(told, self.media.appears).ok();
                }
            }
            Message::Manager(received) => {
                let said = &received.message;
                self.registration.learn_manager(said);
                match said {
                    ManagerMessage::RegisterAck(_) => self.registered(id, shared),
                    ManagerMessage::ServerRes(list) => {
                        let servers = media::servers(list);
                        shared.out.push_back(Output::Servers { connection: id, servers });
                    }
                    _ => {}
                }
                let place = message.place();
                let limits = policy.limits(self.source_rules);
                if let Some(call) = self.calls.learn_manager(now, place, said, limits) {
                    for party in self.media.end(Some(place.1)) {
                        self.settle(id, party, shared);
                    }
                    let device = self.registration.device.clone();
                    shared.out.push_back(Output::Call { connection: id, device, call });
                }
                let station = self.ends.station.ip();
                if let Ok(Some(party)) = self.media.learn_manager(said, station, &mut shared.next) {
                    self.settle(id, party, shared);
                }
            }
        }
    }

    fn registered(&self, id: ConnectionId, shared: &mut Shared) {
        let Some(device) = &self.registration.device else { return };
        shared.devices.insert(device.clone(), (id, self.ends.station.ip()));
        let version = self.registration.context().version;
        shared.out.push_back(Output::Registered { connection: id, device: device.clone(), version });
    }

    fn media_ends(&self) -> media::Ends {
        media::Ends { station: self.ends.station.ip(), own: self.registration.own_address }
    }

    /// Brings what has to be let through for a stream up to date.
    fn settle(&mut self, id: ConnectionId, party: u32, shared: &mut Shared) {
        let station = self.ends.station.ip();
        let (told, appears) = (self.media.told(station), self.media.appears);
        let Some(stream) = self.media.stream(party) else { return };
        let may_speak = self.calls.may_speak(stream.reference);
        let inward = stream.local.filter(|_| may_speak).and_then(|local| {
            let held = stream.passage.and_then(|passage| passage.inward).map(|hole| hole.at);
            let held = held.or(appears.filter(|_| told == Some(local)));
            let at = shared.stations.stream(local, held).ok()?;
            let far = stream.remote.map(|remote| remote.ip()).or(stream.source);
            Some(Hole { at, to: local, from: far })
        });
        let inward = inward.or(stream.heard.filter(|_| may_speak).map(|group| Hole {
            at: group,
            to: group,
            from: stream.source,
        }));
        let to = stream.remote.or(stream.spoken).filter(|_| may_speak);
        let outward = to.and_then(|to| {
            // Another phone of this side, as it appears to the manager: the two reach each other without us.
            if let Some(&neighbour) = shared.appearances.get(&to) {
                return Some(Hole { at: neighbour, to: neighbour, from: Some(station) });
            }
            let held = stream.passage.and_then(|passage| passage.outward).map(|hole| hole.at);
            let at = if to.ip().is_multicast() { to } else { shared.managers.stream(to, held).ok()? };
            Some(Hole { at, to, from: Some(station) })
        });
        shared.tell(id, stream, Passage { id: stream.id, inward, outward }, appears);
        self.media.tidy(party);
    }

    /// Puts the addresses in a message that the other side has to see. Whether anything is different now.
    fn translate(&self, message: &mut Message, shared: &Shared) -> bool {
        let to_manager = matches!(message, Message::Station(_));
        let station = self.ends.station.ip();
        let mut changed = false;
        nat::addresses(message, &mut |whose, mut place| {
            let said = place.get(station);
            if said.ip().is_unspecified() {
                return;
            }
            let mut ways = self.media.passages();
            let to = match (whose, to_manager) {
                (Whose::Own, true) => {
                    let told = self.media.appears.filter(|_| self.media.told(station) == Some(said));
                    let way = ways.find_map(|passage| passage.inward.filter(|hole| hole.to == said));
                    way.map(|hole| hole.at).or(told)
                }
                (Whose::Far, true) => {
                    let way = ways.find_map(|passage| passage.outward.filter(|hole| hole.at == said));
                    way.map(|hole| hole.to)
                }
                (Whose::Far, false) => {
                    let neighbour = shared.appearances.get(&said);
                    let is_it = |hole: &Hole| hole.to == said || neighbour == Some(&hole.to);
                    ways.find_map(|passage| passage.outward.filter(is_it)).map(|hole| hole.at)
                }
                (Whose::Server, _) => shared.servers.get(&said).copied(),
                (Whose::Own, false) => None,
            };
            let alone = |ip: IpAddr| match (whose, to_manager) {
                (Whose::Own, true) => shared.stations.address(ip),
                (Whose::Far, true) => shared.managers.original(ip).unwrap_or(ip),
                (Whose::Far, false) if !ip.is_multicast() => shared.managers.address(ip),
                _ => ip,
            };
            let to = to.unwrap_or_else(|| (alone(said.ip()), said.port()).into());
            changed |= to != said && place.set(to);
        });
        changed
    }

    /// What is done about what was found: the hardest of all. Tells it.
    #[allow(clippy::too_many_arguments, reason = "what a finding says of itself")]
    pub(super) fn judge(
        &mut self,
        now: Time,
        id: Option<ConnectionId>,
        from: Side,
        message: Option<u32>,
        policy: &Policy,
        shared: &mut Shared,
        found: &Found,
    ) -> Action {
        let mut hardest = Action::Allow;
        for Item { kind, field, detail } in found.items() {
            let action = policy.action(self.source_rules, message, *kind);
            *shared.counters.findings.entry((*kind, action)).or_default() += 1;
            hardest = hardest.max(action);
            if action == Action::Allow {
                continue;
            }
            let count = self.counts.entry(*kind).or_default();
            *count += 1;
            if action == Action::Block {
                shared.sources.block(now, self.ends.station.ip(), now + policy.block);
            }
            if count.is_power_of_two() {
                shared.out.push_back(Output::Finding(Finding {
                    time: now,
                    connection: id,
                    ends: self.ends,
                    device: self.registration.device.clone(),
                    kind: *kind,
                    action,
                    from,
                    message,
                    field: *field,
                    detail: detail.clone(),
                    count: *count,
                }));
            }
        }
        hardest
    }

    /// Bytes of one side were not seen.
    pub(super) fn lose(&mut self, from: Side) {
        self.streams[index(from)] = Stream::default();
        self.ends.whole = false;
    }

    /// One side will say nothing more.
    #[allow(clippy::too_many_arguments, reason = "the guard's parts, which it takes apart for this")]
    pub(super) fn finish(
        &mut self,
        now: Time,
        id: ConnectionId,
        from: Side,
        onward: &mut Vec<u8>,
        policy: &Policy,
        shared: &mut Shared,
        found: &mut Found,
    ) -> Flow {
        let waiting = self.streams[index(from)].waiting();
        if waiting == 0 {
            return Flow::Go;
        }
        found.clear();
        found.say(FindingKind::MessageIncomplete, format!("{waiting} bytes"));
        match self.judge(now, Some(id), from, None, policy, shared, found) {
            Action::Allow | Action::Log => onward.extend_from_slice(&self.streams[index(from)].pass()),
            Action::Scrub | Action::Drop => drop(self.streams[index(from)].pass()),
            Action::Reset | Action::Block => return Flow::Reset,
        }
        Flow::Go
    }

    /// Is a message not complete although it should be?
    pub(super) fn overdue(
        &mut self,
        now: Time,
        id: ConnectionId,
        policy: &Policy,
        shared: &mut Shared,
        found: &mut Found,
    ) -> Flow {
        let most = policy.limits(self.source_rules).message_time;
        for from in [Side::Station, Side::Manager] {
            let stream = &self.streams[index(from)];
            if stream.deadline(most).is_none_or(|deadline| now < deadline) {
                continue;
            }
            found.clear();
            found.say(FindingKind::MessageSlow, format!("{} bytes of it came", stream.waiting()));
            if self.judge(now, Some(id), from, None, policy, shared, found) >= Action::Reset {
                return Flow::Reset;
            }
        }
        Flow::Go
    }

    /// The connection is over.
    pub(super) fn close(&mut self, now: Time, id: ConnectionId, shared: &mut Shared) {
        for party in self.media.end(None) {
            self.settle(id, party, shared);
        }
        if let Some(appears) = self.media.appears.take() {
            shared.stations.give_back(appears);
        }
        let device = self.registration.device.clone();
        for call in self.calls.end(now) {
            shared.out.push_back(Output::Call { connection: id, device: device.clone(), call });
        }
        if let Some(device) = device
            && shared.devices.get(&device).is_some_and(|(at, _)| *at == id)
        {
            shared.devices.remove(&device);
        }
        shared.sources.closed(self.ends.station.ip());
    }

    pub(super) fn status(&self, id: ConnectionId) -> Status<'_> {
        let version = self.registration.context().version;
        Status {
            connection: id,
            ends: self.ends,
            since: self.since,
            device: self.registration.device.as_deref(),
            registered: self.registration.is_registered().then_some(version),
            calls: self.calls.live(),
            messages: self.messages,
            findings: self.counts.values().sum(),
        }
    }

    /// Bytes are counted in units of 1024: one limit holds for few and large as for many and small messages.
    fn pays_bytes(&mut self, now: Time, bytes: usize, policy: &Policy) -> bool {
        let rate = policy.limits(self.source_rules).kilobyte_rate;
        self.odd_bytes += bytes;
        let mut pays = true;
        while self.odd_bytes >= 1024 {
            self.odd_bytes -= 1024;
            pays &= self.byte_meter.take(now, rate);
        }
        pays
    }
}

impl Shared {
    /// From where a device is registered, if that is another address.
    fn elsewhere(&self, name: &str, station: IpAddr) -> Option<IpAddr> {
        let (_, address) = self.devices.get(name)?;
        (*address != station).then_some(*address)
    }

    /// Tells what has to be let through for a stream, if that has changed.
    /// The place `kept` is not given back for it.
    fn tell(
        &mut self,
        id: ConnectionId,
        stream: &mut MediaStream,
        passage: Passage,
        kept: Option<SocketAddr>,
    ) {
        let before = stream.passage;
        let is_over = passage.inward.is_none() && passage.outward.is_none();
        if before == Some(passage) || before.is_none() && is_over {
            return;
        }
        let gone =
            |old: Option<Hole>, new: Option<Hole>| old.filter(|old| new.is_none_or(|new| new.at != old.at));
        if let Some(hole) = gone(before.and_then(|old| old.inward), passage.inward) {
            if kept != Some(hole.at) {
                self.stations.give_back(hole.at);
            }
            self.appearances.remove(&hole.at);
        }
        if let Some(hole) = gone(before.and_then(|old| old.outward), passage.outward) {
            self.managers.give_back(hole.at);
        }
        if let Some(hole) = passage.inward {
            self.appearances.insert(hole.at, hole.to);
        }
        stream.passage = (!is_over).then_some(passage);
        self.out.push_back(Output::Passage { connection: id, passage });
    }
}

/// Length, version and id.
const HEADER: usize = 12;
