//! Calls: which legs belong together, and what became of them.
//!
//! A leg is what one phone sees of a call; it has a call reference of its own. Legs are taken for one call when they overlap and
//! share the reference (of one manager), the conference, the address of a stream, or both numbers.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use selsius_wire::{
    ManagerMessage, StationMessage, Time,
    value::{CallState, CallType},
};

use super::{DeviceIndex, Signalled};
use crate::{
    conversation::{Message, Opened, Seen},
    summary::display,
};

/// A party as the manager named it on a display.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
}

/// What one phone saw of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The phone.
    pub device: DeviceIndex,
    /// The call reference.
    pub reference: u32,
    /// The line.
    pub line: u32,
    /// Its first message.
    pub first: Time,
    /// Its last message.
    pub last: Time,
    /// Its states with their times, the first sixteen; without those that were only repeated.
    pub states: Vec<(Time, CallState)>,
    /// Who calls, if that was shown.
    pub calling: Party,
    /// Who is called, if that was shown.
    pub called: Party,
    /// Which way, if that was shown.
    pub call_type: Option<CallType>,
    /// The state before it ended was left because this phone hung up.
    pub hung_up: Option<Time>,
    /// It is over.
    pub ended: Option<Time>,
    manager: IpAddr,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// From 1, in the order of their beginning.
    pub number: usize,
    /// Its legs, the caller's first.
    pub legs: Vec<Leg>,
    /// Who calls.
    pub calling: Party,
    /// Who is called.
    pub called: Party,
    /// Its first message.
    pub start: Time,
    /// A phone rang.
    pub rang: Option<Time>,
    /// It was answered.
    pub answered: Option<Time>,
    /// The last leg ended; `None` if the capture ends before.
    pub ended: Option<Time>,
    /// The phone that hung up first; `None` if the manager or somebody outside of the capture ended it.
    pub hung_up: Option<DeviceIndex>,
    /// Its streams, by their places in [`super::Report::streams`].
    pub streams: Vec<usize>,
}

const MOST_STATES: usize = 16;
/// The soft key event EndCall (captured-details, a).
const END_CALL: u32 = 9;

#[derive(Debug, Default)]
pub(super) struct Legs {
    legs: Vec<Leg>,
    live: BTreeMap<(DeviceIndex, u32), usize>,
}

impl Legs {
    pub(super) fn seen(&mut self, seen: &Seen, device: DeviceIndex, ends: &Opened) {
        let (line, reference) = seen.message.place();
        match &seen.message {
            Message::Station(received) => match &received.message {
                StationMessage::OnHook(_) => self.hang_up(device, reference, seen.time),
                StationMessage::SoftKeyEvent(key) if u32::from(key.soft_key_event) == END_CALL => {
                    self.hang_up(device, reference, seen.time);
                }
                _ => {}
            },
            Message::Manager(received) => {
                let message = &received.message;
                let state = match message {
                    ManagerMessage::CallState(state) => Some(state.call_state),
                    _ => None,
                };
                if let Some(leg) = self.leg(device, reference, state, seen.time, ends) {
                    leg.last = seen.time;
                    leg.line = leg.line.max(line);
                    leg.manager(message, seen.time);
                }
            }
        }
    }

    /// The leg that the manager speaks of.
    fn leg(
        &mut self,
        device: DeviceIndex,
        reference: u32,
        state: Option<CallState>,
        time: Time,
        ends: &Opened,
    ) -> Option<&mut Leg> {
        if reference == 0 {
            return None;
        }
        let over = |state: CallState| matches!(state, CallState::OnHook | CallState::Idle);
        let known = self.live.get(&(device, reference)).copied();
        // What is said of a finished leg is its end; only a new state makes it another one.
        let known = known.filter(|&at| self.legs[at].ended.is_none() || state.is_none_or(over));
        let at = match known {
            Some(at) => at,
            // A leg that is not known does not begin with its end.
            None if state.is_some_and(over) => return None,
            None => {
                super::make_room(&mut self.legs);
                self.legs.push(Leg {
                    device,
                    reference,
                    line: 0,
                    first: time,
                    last: time,
                    states: Vec::new(),
                    calling: Party::default(),
                    called: Party::default(),
                    call_type: None,
                    hung_up: None,
                    ended: None,
                    manager: ends.manager.ip(),
                });
                self.live.insert((device, reference), self.legs.len() - 1);
                self.legs.len() - 1
            }
        };
        self.legs.get_mut(at)
    }

    /// A user hung up; without a reference that is the call which talks or rings.
    fn hang_up(&mut self, device: DeviceIndex, reference: u32, time: Time) {
        let (from, to) = match reference {
            0 => (0, u32::MAX),
            reference => (reference, reference),
        };
        for (_, &at) in self.live.range((device, from)..=(device, to)) {
            let leg = &mut self.legs[at];
            let held = matches!(leg.state(), Some(CallState::Hold));
            if leg.ended.is_none() && !(reference == 0 && held) {
                leg.hung_up.get_or_insert(time);
                leg.last = time;
            }
        }
    }

    /// Puts legs together.
    pub(super) fn finish(self, streams: &[Signalled]) -> Vec<Call> {
        let legs = self.legs;
        let mut groups = Groups::new(legs.len());
        let mut of_key = BTreeMap::<Key, usize>::new();
        let mut streams_of = BTreeMap::<(DeviceIndex, u32), Vec<usize>>::new();
        for (index, stream) in streams.iter().enumerate() {
            for leg in &stream.legs {
                streams_of.entry(*leg).or_default().push(index);
            }
        }
        for (at, leg) in legs.iter().enumerate() {
            let mut keys = alloc::vec![Key::Reference(leg.manager, leg.reference)];
            if !leg.calling.number.is_empty() && !leg.called.number.is_empty() {
                keys.push(Key::Numbers(&leg.calling.number, &leg.called.number));
            }
            for &index in streams_of.get(&(leg.device, leg.reference)).into_iter().flatten() {
                let stream = &streams[index];
                if stream.start >= leg.first && stream.start <= leg.last {
                    keys.push(Key::Stream(stream.to));
                    keys.extend(stream.conferences.iter().map(|id| Key::Conference(leg.manager, *id)));
                }
            }
            for key in keys {
                match of_key.get(&key).copied() {
                    Some(other) if legs[other].last >= leg.first => groups.join(at, other),
                    _ => {}
                }
                let latest = of_key.entry(key).or_insert(at);
                if legs[*latest].last <= leg.last {
                    *latest = at;
                }
            }
        }
        // Not needed beside the calls: a long capture has many.
        drop(of_key);
        let mut sizes = alloc::vec![0; legs.len()];
        (0..legs.len()).for_each(|at| sizes[groups.of(at)] += 1);
        let mut calls = BTreeMap::<usize, Vec<Leg>>::new();
        for (at, leg) in legs.into_iter().enumerate() {
            let group = groups.of(at);
            calls.entry(group).or_insert_with(|| Vec::with_capacity(sizes[group])).push(leg);
        }
        let mut calls: Vec<Call> =
            calls.into_values().filter_map(|legs| Call::new(legs, &streams_of)).collect();
        calls.sort_by_key(|call| call.start);
        for (index, call) in calls.iter_mut().enumerate() {
            call.number = index + 1;
        }
        calls
    }
}

/// What legs of one call have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'l> {
    Reference(IpAddr, u32),
    Conference(IpAddr, u32),
    Stream(SocketAddr),
    Numbers(&'l str, &'l str),
}

/// Which legs are one: each knows an earlier one of its group, or itself.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[one.max(other)] = one.min(other);
    }
}

impl Leg {
    /// Its latest state.
    pub fn state(&self) -> Option<CallState> {
        self.states.last().map(|(_, state)| *state)
    }

    /// When it first had this state.
    pub fn since(&self, state: CallState) -> Option<Time> {
        self.states.iter().find(|(_, other)| *other == state).map(|(time, _)| *time)
    }

    /// This phone makes the call.
    pub fn calls(&self) -> bool {
        match self.call_type {
            Some(CallType::Inbound) => false,
            Some(CallType::Outbound) => true,
            _ => !self.rings(),
        }
    }

    fn rings(&self) -> bool {
        self.since(CallState::RingIn).is_some() || self.since(CallState::CallWaiting).is_some()
    }

    fn manager(&mut self, message: &ManagerMessage, time: Time) {
        use ManagerMessage as M;
        match message {
            M::CallState(state) => {
                let state = state.call_state;
                if self.state() != Some(state) && self.states.len() < MOST_STATES {
                    self.states.push((time, state));
                }
                if matches!(state, CallState::OnHook | CallState::Idle) {
                    self.ended.get_or_insert(time);
                    self.states.shrink_to_fit();
                }
            }
            M::CallInfo(info) => {
                self.call_type = Some(info.call_type);
                self.calling.learn(info.calling_party.bytes(), info.calling_party_name.bytes());
                self.called.learn(info.called_party.bytes(), info.called_party_name.bytes());
            }
            M::CallInfoV2(info) => {
                self.call_type = Some(info.call_type);
                self.calling.learn(info.calling_party.bytes(), info.calling_party_name.bytes());
                self.called.learn(info.called_party.bytes(), info.called_party_name.bytes());
            }
            M::DialedNumber(dialed) if self.called.number.is_empty() => {
                self.called.number = display(dialed.dialed_number.bytes());
            }
            _ => {}
        }
    }
}

impl Party {
    fn learn(&mut self, number: &[u8], name: &[u8]) {
        if !number.is_empty() {
            self.number = display(number);
        }
        if !name.is_empty() {
            self.name = display(name);
        }
    }

    fn or(&self, other: &Self) -> Self {
        let choose = |one: &String, other: &String| if one.is_empty() { other.clone() } else { one.clone() };
        Self { number: choose(&self.number, &other.number), name: choose(&self.name, &other.name) }
    }
}

impl Call {
    /// `None` if the legs are nothing but streams that nobody called for.
    fn new(mut legs: Vec<Leg>, streams_of: &BTreeMap<(DeviceIndex, u32), Vec<usize>>) -> Option<Self> {
        if legs.iter().all(|leg| leg.states.is_empty()) {
            return None;
        }
        // Recorders' legs, which have no state, come last.
        legs.sort_by_key(|leg| (leg.states.is_empty(), !leg.calls(), leg.first));
        let talking = || legs.iter().filter(|leg| !leg.states.is_empty());
        let start = talking().map(|leg| leg.first).min()?;
        let rang =
            talking().filter_map(|leg| leg.since(CallState::RingIn).or(leg.since(CallState::RingOut))).min();
        let answered = talking().filter_map(|leg| leg.since(CallState::Connected)).max_by_key(|time| {
            // The caller is connected when the called one is.
            core::cmp::Reverse(*time)
        });
        let ended = talking().map(|leg| leg.ended).collect::<Option<Vec<_>>>();
        let ended = ended.and_then(|times| times.into_iter().max());
        let hung_up =
            talking().filter_map(|leg| Some((leg.hung_up?, leg.device))).min().map(|(_, device)| device);
        let unknown = Party::default();
        let calling = talking().fold(unknown.clone(), |known, leg| known.or(&leg.calling));
        let called = talking().fold(unknown, |known, leg| known.or(&leg.called));
        let mut streams: Vec<usize> = legs
            .iter()
            .filter_map(|leg| streams_of.get(&(leg.device, leg.reference)))
            .flatten()
            .copied()
            .collect();
        streams.sort_unstable();
        streams.dedup();
        Some(Self { number: 0, legs, calling, called, start, rang, answered, ended, hung_up, streams })
    }
}
