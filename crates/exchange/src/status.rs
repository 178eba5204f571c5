//! What an operator can see: registered phones and calls in progress.

use alloc::{boxed::Box, collections::BTreeSet, string::String, vec::Vec};
use core::{
    net::{IpAddr, Ipv4Addr},
    ops::Bound,
};

use selsius_site::{DeviceName, LineNumber};
use selsius_wire::value::DeviceType;

use crate::{
    arena::Handle,
    call::{Call, End, Extension, Leg, LegState, MOST_OWED, Phase, Receive, Role},
    counters::Counters,
    device::Device,
    exchange::{Exchange, SessionState, Timer},
    io::Output,
    operator::Notice,
    record::{CallId, Party, WallTime},
    view::{self, View},
};

/// A registered phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStatus {
    /// Its name.
    pub name: DeviceName,
    /// What it is.
    pub device_type: DeviceType,
    /// From where.
    pub address: IpAddr,
    /// The protocol version agreed on.
    pub version: u8,
    /// Its firmware load, as far as it told.
    pub load: String,
    /// Its numbers, by line button.
    pub lines: Vec<String>,
    /// Since when.
    pub registered: WallTime,
    /// Has it asked for everything it needs to work?
    pub ready: bool,
    /// Calls on it.
    pub calls: usize,
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStatus {
    /// Which.
    pub call: CallId,
    /// How far it is: `dialing`, `ringing`, `queued` (at a hunt group), `talking`, `parked`, `paging`, `callback` (a phone
    /// rings because whom it called is free) or `over` (a failed call whose caller still hears the tone).
    pub phase: &'static str,
    /// The calling number.
    pub calling: String,
    /// The digits as dialled.
    pub dialed: String,
    /// The called number, once known.
    pub called: String,
    /// When the number was complete.
    pub started: Option<WallTime>,
    /// When somebody answered.
    pub answered: Option<WallTime>,
}

/// A call that waits in a park slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedCall {
    /// The number that takes it from there.
    pub slot: LineNumber,
    /// Which.
    pub call: CallId,
    /// Who waits.
    pub waits: Party,
    /// Who parked it.
    pub by: Party,
}

/// How much of everything there is; all zero when nobody is connected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Connections.
    pub sessions: usize,
    /// Registered phones.
    pub devices: usize,
    /// Calls.
    pub calls: usize,
    /// Legs.
    pub legs: usize,
    /// Deadlines.
    pub timers: usize,
    /// Streams.
    pub parties: usize,
}

impl Exchange {
    /// Registered phones, by name.
    pub fn device_status(&self) -> Vec<DeviceStatus> {
        self.by_name
            .values()
            .filter_map(|&handle| self.devices.get(handle))
            .map(|d| self.one_device(d))
            .collect()
    }

    /// Registered phones by name, at most so many, from the first one after `after` on: for who must not be held up by all
    /// of a large office at once. Less than so many are the last ones.
    pub fn device_status_after(&self, after: Option<&DeviceName>, most: usize) -> Vec<DeviceStatus> {
        let phones = self.devices_after(after).take(most).map(|device| self.one_device(device));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let extensions = self.extensions.after(from).take(most);
        let extensions = extensions.map(|(name, phone)| self.one_extension(name, phone));
        let mut found: Vec<_> = phones.chain(extensions).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found.truncate(most);
        found
    }

    /// Registered phones in the order of their names, from the first one after `after` on.
    pub(crate) fn devices_after(&self, after: Option<&DeviceName>) -> impl Iterator<Item = &Device> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_name.range((from, Bound::Unbounded)).filter_map(|(_, &handle)| self.devices.get(handle))
    }

    /// One phone, if it is registered.
    pub fn device_status_of(&self, name: &DeviceName) -> Option<DeviceStatus> {
        if let Some(phone) = self.extensions.get(name).filter(|phone| !phone.contacts.is_empty()) {
            return Some(self.one_extension(name, phone));
        }
        self.devices.get(*self.by_name.get(name)?).map(|device| self.one_device(device))
    }

    /// A SIP phone: its newest place, and what it calls itself there.
    fn one_extension(&self, name: &DeviceName, phone: &Extension) -> DeviceStatus {
        let newest = phone.contacts.last();
        DeviceStatus {
            name: name.clone(),
            device_type: DeviceType::from(0),
            address: newest.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |place| place.address.ip()),
            version: 0,
            load: newest.map(|place| place.agent.clone()).unwrap_or_default(),
            lines: [phone.line.as_str().into()].into(),
            registered: phone.since,
            ready: true,
            calls: self.calls_of(phone),
        }
    }

    fn one_device(&self, device: &Device) -> DeviceStatus {
        DeviceStatus {
            name: device.name.clone(),
            device_type: device.device_type,
            address: device.address,
            version: device.dialect.version(),
            load: device.load.clone(),
            lines: device.buttons.lines.iter().map(|line| line.number.as_str().into()).collect(),
            registered: self.wall.wall(device.registered),
            ready: device.ready,
            calls: device.legs.len(),
        }
    }

    /// Calls in progress, in the order in which they began.
    pub fn call_status(&self) -> Vec<CallStatus> {
        let mut calls: Vec<_> = self.calls.iter().map(|(_, call)| one_call(call)).collect();
        calls.sort_by_key(|call| call.call);
        calls
    }

    /// Calls in progress, at most so many, in no order; and where the next ones are, if there are any. Begins at 0. A call
    /// that is there all the while is told once.
    pub fn call_status_from(&self, place: usize, most: usize) -> (Vec<CallStatus>, Option<usize>) {
        let (calls, next) = self.calls.some(place, most);
        (calls.map(one_call).collect(), next)
    }

    /// How many calls there are in each phase, by the names of [`CallStatus::phase`].
    pub fn calls_by_phase(&self) -> [(&'static str, usize); Phase::ALL.len()] {
        let mut counted = Phase::ALL.map(|phase| (phase.name(), 0));
        for (_, call) in self.calls.iter() {
            if let Some((_, count)) = counted.get_mut(call.phase as usize) {
                *count += 1;
            }
        }
        counted
    }

    /// Is any call in progress? One that only sounds a tone to who has not hung up yet is none.
    pub fn has_calls(&self) -> bool {
        self.calls.iter().any(|(_, call)| call.phase != Phase::Over)
    }

    /// Tells of a call, those who want to know.
    pub(crate) fn tell_watchers(&mut self, call: Handle<Call>) {
        if let Some(call) = self.calls.get(call) {
            self.out.push_back(Output::Notice(Box::new(Notice::Call(one_call(call)))));
        }
    }

    /// The calls that are parked, by their slots.
    pub fn parked_calls(&self) -> Vec<ParkedCall> {
        let parked = self.parked.iter().filter_map(|(slot, parked)| {
            let call = self.calls.get(parked.call)?;
            let leg = call.legs.iter().find_map(|&leg| self.legs.get(leg))?;
            let waits = match leg.role {
                Role::Caller => &call.calling,
                Role::Called => &call.called,
            };
            Some(ParkedCall {
                slot: slot.clone(),
                call: call.id,
                waits: waits.clone(),
                by: parked.by.clone(),
            })
        });
        parked.collect()
    }

    /// What the exchange has counted since its start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How much of everything there is.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            sessions: self.sessions.len(),
            devices: self.devices.len(),
            calls: self.calls.len(),
            legs: self.legs.len(),
            timers: self.timers.len(),
            parties: self.parties.len(),
        }
    }

    /// The soft keys that a registered phone shows for this call, or without one, by their English labels.
    pub fn soft_keys(&self, name: &DeviceName, leg: Option<&view::LegView>) -> Vec<&'static str> {
        let device = self.by_name.get(name).and_then(|&handle| self.devices.get(handle));
        let Some(device) = device else { return Vec::new() };
        let (set, mask) = match leg {
            Some(leg) => (leg.keys, leg.mask),
            None => {
                let idle = view::idle_keys(&device.soft_keys);
                (idle.soft_key_set_index, idle.valid_key_mask)
            }
        };
        device.soft_keys.labels(set, mask)
    }

    /// What a registered phone should show and do now.
    pub fn view(&self, name: &DeviceName) -> Option<View> {
        let handle = *self.by_name.get(name)?;
        self.devices.get(handle)?;
        Some(view::render(self, handle, &View::default()))
    }

    /// Checks what must hold after every input: the tree of calls, legs and phones hangs together, and what phones
    /// were told is what they should show. For tests and the test bed.
    ///
    /// # Errors
    /// A description of the first thing that is wrong.
    pub fn check(&self) -> Result<(), String> {
        for (handle, leg) in self.legs.iter() {
            let Some(call) = self.calls.get(leg.call) else {
                return Err(alloc::format!("leg {handle:?} has no call"));
            };
            if !call.legs.contains(&handle) {
                return Err(alloc::format!("call {} does not know leg {handle:?}", call.id.0));
            }
            match &leg.end {
                End::Station(station) => match self.devices.get(station.device) {
                    Some(device) if device.legs.contains(&handle) => {}
                    _ => return Err(alloc::format!("leg {handle:?} is on no phone")),
                },
                End::Trunk(trunk) => {
                    if self.trunk_legs.get(&trunk.id) != Some(&handle) {
                        return Err(alloc::format!("leg {handle:?} is not found by its trunk's name"));
                    }
                    continue;
                }
            }
            let reminds = leg.reminds || self.timers.deadline(Timer::HoldReminder(handle)).is_some();
            if reminds && leg.state != LegState::Held {
                return Err(alloc::format!("leg {handle:?} is called to mind in state {:?}", leg.state));
            }
            if self.parties.get(&leg.party) != Some(&handle) {
                return Err(alloc::format!("leg {handle:?} is not found by its party id"));
            }
            if leg.answers_itself {
                return Err(alloc::format!("leg {handle:?} was to answer by itself and did not"));
            }
            if self.is_paging(handle) && !leg.one_way && leg.role == Role::Called {
                return Err(alloc::format!("leg {handle:?} is heard in a page"));
            }
            let early = self.calls.get(leg.call).is_some_and(|call| call.early);
            let may_listen = leg.state == LegState::Connected
                || early && leg.state != LegState::Held
                || leg.keeps_anchor();
            if let Some(with) = self.unmatched(leg) {
                return Err(alloc::format!("leg {handle:?} has keys for {with:?} that do not fit"));
            }
            if leg.anchor.is_some() && leg.audio.is_none() {
                return Err(alloc::format!("leg {handle:?} has a place at the media services and no audio"));
            }
            if (leg.receive != Receive::Closed || leg.audio.is_some()) && !may_listen {
                return Err(alloc::format!("leg {handle:?} listens in state {:?}", leg.state));
            }
        }
        let shared = self.appearances.iter().filter(|(_, all)| all.len() > 1).map(|(number, _)| number);
        if !shared.eq(&self.shared) {
            return Err("the lines that phones share are others than those that appear on several".into());
        }
        let trunks = self.legs.iter().filter(|(_, leg)| matches!(leg.end, End::Trunk(_))).count();
        if trunks != self.trunk_legs.len() {
            return Err("the name of a trunk's call outlived its leg".into());
        }
        if self.parties.len() != self.legs.len() {
            return Err("a party id outlived its leg".into());
        }
        if self.owed.len() > MOST_OWED || self.owed.keys().any(|party| self.parties.contains_key(party)) {
            return Err("figures are owed of a leg that is there, or of too many".into());
        }
        for (handle, call) in self.calls.iter() {
            self.check_call(handle, call)?;
        }
        for (handle, device) in self.devices.iter() {
            if self.by_name.get(&device.name) != Some(&handle) {
                return Err(alloc::format!("{} is not found by its name", device.name));
            }
            let state = self.sessions.get(&device.session).map(|session| &session.state);
            if !matches!(state, Some(SessionState::Registered(other)) if *other == handle) {
                return Err(alloc::format!("{} is registered on a session that is {state:?}", device.name));
            }
            let off_hook =
                |leg: &&Handle<Leg>| self.legs.get(**leg).is_some_and(|leg| leg.state.is_off_hook());
            if device.legs.iter().filter(off_hook).count() > 1 {
                return Err(alloc::format!("{} is in two calls at once", device.name));
            }
            let view = view::render(self, handle, &View::default());
            let idle = View::default();
            let told = device.told.as_deref().unwrap_or(&idle);
            if *told != view {
                return Err(alloc::format!("{} was told {told:?} and should show {view:?}", device.name));
            }
        }
        self.check_extensions()?;
        self.check_waiting()?;
        self.check_watchers()?;
        self.check_mobility()?;
        self.check_sessions()
    }

    /// Park slots and queues hold calls that wait there, and nothing else.
    fn check_waiting(&self) -> Result<(), String> {
        let calls = |phase: Phase| self.calls.iter().filter(|(_, call)| call.phase == phase).count();
        if self.parked.len() != calls(Phase::Parked) {
            return Err("a park slot is taken by a call that is not parked".into());
        }
        if self.hunting.waiting() != calls(Phase::Queued) {
            return Err("somebody waits in the queue of a hunt group who does not wait".into());
        }
        Ok(())
    }

    fn check_watchers(&self) -> Result<(), String> {
        let indexed =
            self.watchers.iter().flat_map(|(number, all)| all.iter().map(move |&one| (number, one)));
        let indexed: BTreeSet<_> = indexed.collect();
        let wanted = self
            .devices
            .iter()
            .flat_map(|(handle, device)| device.watched().map(move |number| (number, handle)));
        if indexed != wanted.collect() {
            return Err("busy lamps and their index differ".into());
        }
        Ok(())
    }

    fn check_sessions(&self) -> Result<(), String> {
        let (mut registered, mut waiting) = (0, 0);
        for (id, session) in &self.sessions {
            match &session.state {
                SessionState::New => {}
                SessionState::Waiting(_) => waiting += 1,
                SessionState::Registered(device) => match self.devices.get(*device) {
                    Some(device) if device.session == *id => registered += 1,
                    _ => return Err(alloc::format!("session {} is a device that is not there", id.0)),
                },
            }
        }
        if registered != self.by_name.len() || waiting != self.waiting.len() {
            return Err(alloc::format!("{registered} sessions are registered, {waiting} wait"));
        }
        // Silence of each session, digits or no answer of each call (and that it is forwarded then), media of each leg
        // or that it is on hold, a probe; reminder and return of each parked call.
        let most = self.sessions.len() + 2 * self.calls.len() + self.legs.len() + waiting + self.parked.len();
        if self.timers.len() > most {
            return Err(alloc::format!(
                "{} deadlines where there should be at most {most}",
                self.timers.len()
            ));
        }
        Ok(())
    }

    fn check_call(&self, handle: Handle<Call>, call: &Call) -> Result<(), String> {
        let legs: Vec<_> = call.legs.iter().filter_map(|&leg| self.legs.get(leg)).collect();
        if legs.is_empty() || legs.len() != call.legs.len() {
            return Err(alloc::format!("call {} ({handle:?}) has lost a leg", call.id.0));
        }
        let recorded = call.recording.as_ref().map(|recorded| recorded.leg);
        if recorded.is_some_and(|leg| call.phase != Phase::Talking || !call.legs.contains(&leg)) {
            return Err(alloc::format!("call {} is recorded by who is not in it", call.id.0));
        }
        for (&leg, state) in call.legs.iter().zip(&legs) {
            if state.anchor.as_ref().is_some_and(|anchor| anchor.recorded) && recorded != Some(leg) {
                return Err(alloc::format!("call {} is recorded, and does not know it", call.id.0));
            }
        }
        let forwards = self.timers.deadline(Timer::ForwardNoAnswer(handle)).is_some();
        if forwards && call.phase != Phase::Ringing {
            return Err(alloc::format!(
                "call {} waits to be forwarded while it is {:?}",
                call.id.0,
                call.phase
            ));
        }
        let callers = legs.iter().filter(|leg| leg.role == Role::Caller).count();
        let up = |leg: &&&Leg| matches!(leg.state, LegState::Connected | LegState::Held);
        let connected = legs.iter().filter(up).count();
        let ringing = legs.iter().filter(|leg| leg.state == LegState::RingIn).count();
        let right = match call.phase {
            Phase::Dialing => callers == 1 && legs.len() == 1,
            Phase::Ringing => callers == 1 && ringing == legs.len() - 1 && ringing > 0,
            Phase::Queued => callers == 1 && legs.len() == 1 && ringing == 0 && self.is_queued(handle, call),
            Phase::Parked => callers == 1 && legs.len() == 1 && connected == 1 && self.is_parked(handle),
            Phase::Callback => callers == 1 && legs.len() == 1 && ringing == 1,
            Phase::Talking if legs.len() == 2 => callers == 1 && connected == 2 && call.mixed.is_none(),
            Phase::Talking => connected == legs.len() && legs.len() > 2 && call.mixed.is_some(),
            Phase::Paging => {
                // One speaks to at least one other, by multicast or at the mixer.
                let listening = legs.iter().filter(|leg| leg.one_way && leg.role == Role::Called).count();
                let multicast = call.page.map(|page| page.multicast.is_some());
                let all_up = legs.iter().all(|leg| leg.state == LegState::Connected);
                let mixed = call.mixed.is_some();
                all_up
                    && callers == 1
                    && listening == legs.len() - 1
                    && listening > 0
                    && multicast == Some(!mixed)
            }
            Phase::Over => connected == 0 && ringing == 0,
        };
        if right {
            Ok(())
        } else {
            Err(alloc::format!("call {} is {:?} with {legs:?}", call.id.0, call.phase))
        }
    }
}

fn one_call(call: &Call) -> CallStatus {
    CallStatus {
        call: call.id,
        phase: call.phase.name(),
        calling: call.calling.number.clone(),
        dialed: call.dialed.clone(),
        called: call.called.number.clone(),
        started: call.started,
        answered: call.answered,
    }
}
