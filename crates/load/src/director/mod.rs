//! Says what the phones do and when, and judges what comes of it. No socket and no clock is in here.

mod call;
mod desk;
mod storm;
#[cfg(test)]
mod tests;
mod verdict;

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use selsius_station::{Action, MediaOrder};
use selsius_wire::{Time, value::CallState};
use slab::Slab;

pub(crate) use self::verdict::Failure;
pub use self::verdict::Wrong;
use self::{
    call::{Call, Step},
    desk::{Desk, Role},
};
use crate::{
    CallKind, Plan,
    agenda::Agenda,
    media::tone_of,
    schedule::Schedule,
    tally::{Tally, Timed},
};

/// What a phone shall do.
#[derive(Debug)]
pub(crate) enum Act {
    /// Connect and register.
    Connect,
    /// Something that a user does.
    User(Action),
    /// Tell [`Director::parties`] who the phone says is in a call.
    Look { reference: u32 },
    /// Break the connection, as a phone does that lost its power.
    Drop,
    /// Ask and ask, and read nothing any more.
    Deafen,
    /// Open another connection that says nothing, or half a message; no phone of its own.
    HalfOpen,
}

/// A call, as long as it is the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallKey {
    slot: usize,
    serial: u64,
}

/// Something that is due later.
#[derive(Debug, Clone, Copy)]
enum Task {
    /// A phone connects again.
    Connect(u32),
    /// A call may have waited too long.
    Deadline(CallKey),
    /// A user does the next thing in a call.
    Next(CallKey),
    /// A phone whose call failed should be as new.
    Mend(u32),
    /// A storm breaks out.
    Storm(usize),
}

/// How far the run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The phones connect.
    Registering,
    /// Calls are made until then, or the phones are idle.
    Calling {
        /// When it ends.
        until: Time,
    },
    /// The last calls come to their end, and phones that a storm took come back, until then at the latest.
    Draining {
        /// When phones are not waited for any longer.
        until: Time,
    },
    /// The phones unregister, until then at the latest.
    Leaving {
        /// When it ends.
        until: Time,
    },
    /// It is all over.
    Done,
}

/// How long a phone is left alone after a call. The manager has its last OnHook by then, so it is not busy.
const REST: Duration = Duration::from_millis(50);
/// How long a phone gets to be idle again after a call that failed.
const MEND: Duration = Duration::from_secs(1);
/// How long a phone waits before it connects again, after its first failure; twice as long after each.
const BACKOFF: Duration = Duration::from_secs(1);
/// At most.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// Tones that differ by less are the same, in Hz.
const TONE_WIDTH: f32 = 8.0;

/// See the module.
#[derive(Debug)]
pub(crate) struct Director {
    plan: Plan,
    pub(crate) phase: Phase,
    pub(crate) tally: Tally,
    pub(crate) todo: VecDeque<(u32, Act)>,
    desks: Vec<Desk>,
    calls: Slab<Call>,
    agenda: Agenda<Task>,
    connects: Schedule,
    /// Phones that connected for the first time.
    connected: u32,
    dues: Option<Schedule>,
    /// Calls taken from the schedule.
    due: u64,
    /// Phones that can be used for a call, and from when on; the longest idle first.
    free: VecDeque<(Time, u32)>,
    /// Calls that are due and have no phones yet.
    waiting: VecDeque<(Time, CallKind)>,
    serial: u64,
    /// The run was stopped: nobody talks or holds any longer.
    hurry: bool,
    /// Phones that a storm took and that are not back.
    returning: u32,
    /// Phones that are registered now.
    pub(crate) online: u32,
    /// Phones that were registered when the run began to end.
    pub(crate) registered: u32,
    /// When the last phone became ready, before calls began.
    pub(crate) ready_at: Time,
    /// When calls began and ended.
    pub(crate) span: Option<(Time, Time)>,
}

impl Director {
    pub(crate) fn new(plan: Plan, now: Time) -> Self {
        let phones = &plan.phones;
        let callers = phones.count.saturating_sub(phones.idle);
        let role = |index| if index < callers { Role::Caller } else { Role::Idle };
        let desks = (0..phones.count).map(|index| Desk::new(phones.number(index), role(index))).collect();
        Self {
            connects: Schedule::new(now, phones.register_rate),
            desks,
            plan,
            phase: Phase::Registering,
            tally: Tally::new(),
            todo: VecDeque::new(),
            calls: Slab::new(),
            agenda: Agenda::new(),
            connected: 0,
            dues: None,
            due: 0,
            free: VecDeque::new(),
            waiting: VecDeque::new(),
            serial: 0,
            hurry: false,
            returning: 0,
            online: 0,
            registered: 0,
            ready_at: now,
            span: None,
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn next_at(&self) -> Option<Time> {
        let phase = match self.phase {
            Phase::Registering if self.connected < self.plan.phones.count => {
                Some(self.connects.due(self.connected.into()))
            }
            Phase::Registering => Some(self.registered_by()),
            Phase::Calling { until } => Some(self.dues.map_or(until, |dues| dues.due(self.due).min(until))),
            Phase::Draining { until } => Some(until).filter(|_| self.returning > 0 && self.calls.is_empty()),
            Phase::Leaving { until } => Some(until),
            Phase::Done => None,
        };
        // The last of the phones that the next call takes.
        let free =
            self.waiting.front().and_then(|(_, kind)| self.free.get(kind.phones() - 1)).map(|(at, _)| *at);
        let waiting = self.waiting.front().map(|(due, _)| *due + self.plan.patience);
        [phase, free, waiting, self.agenda.next_at()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now: Time) {
        while let Some((at, task)) = self.agenda.take_due(now) {
            match task {
                Task::Connect(phone) => self.connect(phone),
                Task::Deadline(key) => self.deadline(now, key),
                Task::Next(key) => {
                    self.tally.time(Timed::Behind, now.since(at));
                    self.next(at, key);
                }
                Task::Mend(phone) => self.mend(now, phone),
                Task::Storm(index) => self.storm(now, index),
            }
        }
        match self.phase {
            Phase::Registering => self.register(now),
            Phase::Calling { until } => self.due_calls(now, until),
            Phase::Draining { .. } => {}
            Phase::Leaving { until } if until <= now => self.phase = Phase::Done,
            Phase::Leaving { .. } | Phase::Done => {}
        }
        self.start_waiting(now);
        if let Phase::Draining { until } = self.phase
            && self.calls.is_empty()
            && self.waiting.is_empty()
            && (self.returning == 0 || self.hurry || until <= now)
        {
            self.leave(now);
        }
        if matches!(self.phase, Phase::Leaving { .. }) && self.online == 0 {
            self.phase = Phase::Done;
        }
    }

    /// Ends the run in order: no new calls, and those that are up are hung up.
    pub(crate) fn interrupt(&mut self, now: Time) {
        if !matches!(self.phase, Phase::Registering | Phase::Calling { .. }) {
            return;
        }
        self.hurry = true;
        self.finish_calling(now);
        self.tally.calls -= self.waiting.len() as u64;
        self.waiting.clear();
        let talking: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, call)| call.step == Step::Talk)
            .map(|(slot, call)| call.key(slot))
            .collect();
        for key in talking {
            self.next(now, key);
        }
    }

    /// A phone has its connection, from this address; it receives voice at `voice`.
    pub(crate) fn connected(&mut self, phone: u32, voice: SocketAddr) {
        if let Some(desk) = self.desks.get_mut(phone as usize) {
            desk.voice = voice;
        }
    }

    /// A phone can be used.
    pub(crate) fn registered(&mut self, now: Time, phone: u32) {
        let Some(desk) = self.desks.get_mut(phone as usize) else { return };
        // A station is ready once more when the server does not let it unregister.
        if std::mem::replace(&mut desk.online, true) {
            return;
        }
        desk.failures = 0;
        self.online += 1;
        self.tally.registrations += 1;
        self.tally.time(Timed::RegisterToReady, now.since(desk.connect_due));
        self.returning -= u32::from(std::mem::take(&mut desk.returning));
        if self.phase == Phase::Registering {
            self.ready_at = now;
        }
        if matches!(self.phase, Phase::Leaving { .. }) {
            // It was on its way when the others left.
            self.todo.push_back((phone, Act::User(Action::Unregister)));
        }
        self.pool(now, phone);
    }

    /// Puts a phone among those that can be used for a call from `at` on, unless it is there.
    fn pool(&mut self, at: Time, phone: u32) {
        let usable = |desk: &&mut Desk| desk.role == Role::Caller && !desk.pooled && !desk.mending;
        if let Some(desk) = self.desks.get_mut(phone as usize).filter(usable) {
            desk.pooled = true;
            self.free.push_back((at, phone));
        }
    }

    /// A phone has no connection any more, or got none.
    pub(crate) fn offline(&mut self, now: Time, phone: u32, reason: &str) {
        let Some(desk) = self.desks.get_mut(phone as usize) else { return };
        let was_online = desk.online;
        self.online -= u32::from(was_online);
        let (call, failures, role) = (desk.call, desk.failures, desk.role);
        let back_at = desk.back_at.take();
        if back_at.is_some() && !std::mem::replace(&mut desk.returning, true) {
            self.returning += 1;
        }
        desk.disconnect();
        if role == Role::Deaf {
            // One that the generator left itself is not online any more.
            self.tally.strangers.slow_readers_dropped += u64::from(was_online);
            return;
        }
        if matches!(self.phase, Phase::Leaving { .. } | Phase::Done) {
            return;
        }
        if let Some(key) = call {
            match back_at {
                Some(_) => self.cut(now, key),
                None => self.fail(now, key, Failure::ConnectionLost),
            }
        }
        let at = back_at.unwrap_or_else(|| {
            self.tally.offline(reason);
            now + BACKOFF.saturating_mul(1 << failures.min(5)).min(LONGEST_BACKOFF)
        });
        if let Some(desk) = self.desks.get_mut(phone as usize) {
            desk.connect_due = at;
        }
        self.agenda.add(at, Task::Connect(phone));
    }

    /// A user pressed a key that the phone does not show, or did something else that does nothing.
    pub(crate) fn refused(&mut self, now: Time, phone: u32) {
        let call = self.desks.get(phone as usize).and_then(|desk| desk.call);
        if let Some(key) = call {
            self.fail(now, key, Failure::NoSuchKey);
        }
    }

    /// A call of a phone got a state.
    pub(crate) fn call_state(&mut self, now: Time, phone: u32, reference: u32, state: CallState) {
        let Some(desk) = self.desks.get_mut(phone as usize) else { return };
        desk.note(reference, state);
        match desk.call {
            Some(key) => self.state_in_call(now, key, phone, reference, state),
            None if matches!(state, CallState::RingIn | CallState::CallWaiting)
                && !desk.mending
                && desk.role != Role::Deaf =>
            {
                let number = desk.number;
                self.tally.wrong(Wrong::StrayRing, || format!("{number} rings, and nobody called it"));
            }
            None => {}
        }
    }

    /// The bell of a phone began.
    pub(crate) fn rings(&mut self, now: Time, phone: u32) {
        if let Some(key) = self.desks.get(phone as usize).and_then(|desk| desk.call) {
            self.ring_in_call(now, key, phone);
        }
    }

    /// A phone was given an order about its voice, and does it.
    pub(crate) fn media(&mut self, now: Time, phone: u32, order: &MediaOrder) {
        let Some(desk) = self.desks.get_mut(phone as usize) else { return };
        let stray = desk.call.is_none() && !desk.mending && desk.role == Role::Caller;
        let number = desk.number;
        match *order {
            MediaOrder::OpenReceive { .. } => desk.receives = true,
            MediaOrder::CloseReceive { .. } => return desk.receives = false,
            MediaOrder::StartTransmit { remote, .. } => {
                let in_order = desk.receives;
                desk.sends_to = Some(remote);
                if !in_order {
                    self.tally.wrong(Wrong::TransmitBeforeReceive, || format!("{number} sends to {remote}"));
                }
            }
            MediaOrder::StopTransmit { .. } => return desk.sends_to = None,
            MediaOrder::ReceiveMulticast { .. } | MediaOrder::ReceiveFixed { .. } => return,
        }
        if stray {
            self.tally.wrong(Wrong::StrayChannel, || format!("{number} has no call: {order:?}"));
        }
        if let Some(key) = self.desks.get(phone as usize).and_then(|desk| desk.call) {
            self.media_in_call(now, key, phone, order);
        }
    }

    /// What a phone shows of a call: the answer to [`Act::Look`].
    pub(crate) fn parties(&mut self, phone: u32, calling: &str, called: &str) {
        let Some(call) =
            self.desks.get(phone as usize).and_then(|desk| desk.call).and_then(|key| self.call(key))
        else {
            return;
        };
        let (caller, callee) = (self.number(call.caller), self.number(call.callee));
        let (wrong, shown, meant) = match phone == call.callee {
            true => (Wrong::CallerId, calling, caller),
            false => (Wrong::CalledId, called, callee),
        };
        if shown.parse() != Ok(meant) {
            self.tally
                .wrong(wrong, || format!("in a call from {caller} to {callee} the display says `{shown}`"));
        }
    }

    /// Something was wrong at a phone.
    pub(crate) fn judge(&mut self, wrong: Wrong, phone: u32, what: &str) {
        let number = self.number(phone);
        self.tally.wrong(wrong, || format!("at {number} {what}"));
    }

    /// A phone got voice from another address than the one it sends to.
    pub(crate) fn voice_from_elsewhere(&mut self, phone: u32, from: SocketAddr) {
        // The last packets of who was there before come from a phone of the same call.
        let call = self.desks.get(phone as usize).and_then(|desk| desk.call).and_then(|key| self.call(key));
        let of_call = |phone: u32| self.desks.get(phone as usize).is_some_and(|desk| desk.voice == from);
        if call.is_some_and(|call| !call.phones().any(of_call)) {
            self.judge(Wrong::VoiceSource, phone, &format!("voice came from {from}"));
        }
    }

    /// A phone hears a tone of so many Hz; 0 is something that is no tone.
    pub(crate) fn heard(&mut self, phone: u32, hertz: f32) {
        let call = self.desks.get(phone as usize).and_then(|desk| desk.call).and_then(|key| self.call(key));
        let Some(call) = call else { return };
        let others = || call.phones().filter(|other| *other != phone);
        if !others().any(|other| (f32::from(tone_of(other)) - hertz).abs() < TONE_WIDTH) {
            let meant: Vec<_> = others().map(|other| format!("{} Hz", tone_of(other))).collect();
            self.judge(
                Wrong::OtherVoice,
                phone,
                &format!("{hertz:.0} Hz is heard, and not {}", meant.join(" or ")),
            );
        }
    }

    fn number(&self, phone: u32) -> u64 {
        self.desks.get(phone as usize).map_or(0, |desk| desk.number)
    }

    /// Connects the phones that are due; begins with calls once all phones are there, or were waited for long enough.
    fn register(&mut self, now: Time) {
        while self.connected < self.plan.phones.count {
            let due = self.connects.due(self.connected.into());
            if due > now {
                return;
            }
            let phone = self.connected;
            self.connected += 1;
            self.tally.time(Timed::Behind, now.since(due));
            if let Some(desk) = self.desks.get_mut(phone as usize) {
                desk.connect_due = due;
            }
            self.connect(phone);
        }
        if self.online == self.plan.phones.count || self.registered_by() <= now {
            if self.online == 0 {
                self.finish_calling(now);
                return;
            }
            let until = now + self.plan.duration;
            self.span = Some((now, until));
            for (index, storm) in self.plan.storms.iter().enumerate() {
                self.agenda.add(now + storm.at, Task::Storm(index));
            }
            self.phase = Phase::Calling { until };
            self.dues = self.plan.calls.rate.map(|rate| Schedule::new(now, crate::Rate::PerSecond(rate)));
        }
    }

    /// When phones that are not registered are not waited for any longer.
    fn registered_by(&self) -> Time {
        let last = u64::from(self.plan.phones.count.saturating_sub(1));
        self.connects.due(last) + self.plan.patience
    }

    fn connect(&mut self, phone: u32) {
        if matches!(self.phase, Phase::Leaving { .. } | Phase::Done) {
            return;
        }
        self.tally.connects += 1;
        if let Some(desk) = self.desks.get_mut(phone as usize) {
            desk.failures += 1;
        }
        self.todo.push_back((phone, Act::Connect));
    }

    fn due_calls(&mut self, now: Time, until: Time) {
        while let Some(due) =
            self.dues.map(|dues| dues.due(self.due)).filter(|due| *due <= now && *due < until)
        {
            self.waiting.push_back((due, self.plan.calls.mix.kind(self.due)));
            self.due += 1;
            self.tally.calls += 1;
            self.tally.time(Timed::Behind, now.since(due));
        }
        if until <= now {
            self.finish_calling(now);
        }
    }

    fn finish_calling(&mut self, now: Time) {
        if let Some((_, until)) = &mut self.span {
            *until = now;
        }
        self.phase = Phase::Draining { until: now + self.plan.patience };
    }

    /// Gives calls that are due their phones.
    fn start_waiting(&mut self, now: Time) {
        while let Some(&(due, kind)) = self.waiting.front() {
            let mut phones = [0; 3];
            if !self.free_phones(now, &mut phones[..kind.phones()]) {
                break;
            }
            let ([caller, callee, third], is_transfer) = (phones, kind == CallKind::Transfer);
            self.waiting.pop_front();
            self.begin(due, now, kind, [caller, callee], is_transfer.then_some(third));
        }
        while self.waiting.front().is_some_and(|(due, _)| *due + self.plan.patience <= now) {
            self.waiting.pop_front();
            self.tally.fail(Failure::NoFreePhone);
        }
    }

    /// Takes as many free phones as there are places; all or none.
    fn free_phones(&mut self, now: Time, places: &mut [u32]) -> bool {
        for taken in 0..places.len() {
            let Some(phone) = self.free_phone(now) else {
                for &phone in places.iter().take(taken).rev() {
                    if let Some(desk) = self.desks.get_mut(phone as usize) {
                        desk.pooled = true;
                    }
                    self.free.push_front((now, phone));
                }
                return false;
            };
            places[taken] = phone;
        }
        true
    }

    fn free_phone(&mut self, now: Time) -> Option<u32> {
        loop {
            let (at, phone) = *self.free.front()?;
            if at > now {
                return None;
            }
            self.free.pop_front();
            let Some(desk) = self.desks.get_mut(phone as usize) else { continue };
            desk.pooled = false;
            // Those that lost their connection come back when they are registered again.
            if !desk.online || desk.role != Role::Caller {
                continue;
            }
            let (number, left_open, left) = (desk.number, desk.has_voice(), desk.has_calls());
            if left_open {
                self.tally.wrong(Wrong::ChannelLeftOpen, || format!("at {number}"));
            }
            if left {
                self.tally.wrong(Wrong::CallLeft, || format!("at {number}"));
            }
            if left_open || left {
                self.todo.push_back((phone, Act::Drop));
                continue;
            }
            return Some(phone);
        }
    }

    /// After a call that failed: a phone that is not idle by now starts anew.
    fn mend(&mut self, now: Time, phone: u32) {
        let Some(desk) = self.desks.get_mut(phone as usize) else { return };
        desk.mending = false;
        if !desk.online {
            return;
        }
        match desk.has_calls() || desk.has_voice() {
            true => self.todo.push_back((phone, Act::Drop)),
            false => self.pool(now, phone),
        }
    }

    fn leave(&mut self, now: Time) {
        for desk in self.desks.iter_mut().filter(|desk| desk.role == Role::Deaf) {
            self.online -= u32::from(std::mem::take(&mut desk.online));
        }
        self.registered = self.online;
        self.phase = Phase::Leaving { until: now + self.plan.patience };
        for (phone, desk) in (0..).zip(&self.desks) {
            if desk.online {
                self.todo.push_back((phone, Act::User(Action::Unregister)));
            }
        }
    }
}
