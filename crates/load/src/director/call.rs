//! One call, step by step.

use std::time::Duration;

use selsius_station::{Action, MediaOrder};
use selsius_wire::{Time, value::CallState};

use super::{Act, CallKey, Director, Failure, MEND, REST, Task, Wrong};
use crate::{CallKind, tally::Timed};

/// A call in the making or under way.
#[derive(Debug)]
pub(super) struct Call {
    serial: u64,
    pub(super) kind: CallKind,
    pub(super) caller: u32,
    pub(super) callee: u32,
    /// The phone that the call is transferred to.
    third: Option<u32>,
    pub(super) step: Step,
    /// When the action was due whose effect the step waits for.
    since: Time,
    /// When that takes too long.
    deadline: Time,
    /// Voice flows at the two that talk, or are about to.
    media: [bool; 2],
    /// Phones for which the call is over: caller, callee, third.
    ended: [bool; 3],
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The called phone lifted its handset to be busy, and waits for its dial tone.
    Occupy,
    /// The caller lifted the handset, and waits for the dial tone.
    DialTone,
    /// The caller dialled, and waits for the far end to ring, or to be busy.
    Ring,
    /// It rings; its user will answer, or the caller will give up.
    Answer,
    /// It was answered, and waits for voice on both sides.
    Media,
    /// They talk.
    Talk,
    /// The caller put the call on hold, and waits for that.
    Hold,
    /// It is on hold; the caller will resume it.
    Held,
    /// The caller took it back, and waits for voice on both sides.
    Resume,
    /// The caller pressed Transfer, and waits for a dial tone.
    Consult,
    /// The caller dialled the third phone, and waits for it to ring.
    ConsultRing,
    /// The third phone answered, and waits for voice between it and the caller.
    ConsultMedia,
    /// The caller pressed Transfer again, and waits for voice between the other two.
    Join,
    /// They talk again, after a hold or a transfer.
    TalkOn,
    /// One of them hung up, and it waits for the end.
    End,
}

/// A phone's part in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Caller = 0,
    Callee = 1,
    Third = 2,
}

impl Call {
    pub(super) fn key(&self, slot: usize) -> CallKey {
        CallKey { slot, serial: self.serial }
    }

    fn part(&self, phone: u32) -> Part {
        match phone {
            phone if phone == self.caller => Part::Caller,
            phone if phone == self.callee => Part::Callee,
            _ => Part::Third,
        }
    }

    /// Who has to hang up and be idle at the end.
    fn last_two(&self) -> [u32; 2] {
        match (self.kind, self.third) {
            (CallKind::Transfer, Some(third)) => [self.callee, third],
            _ => [self.caller, self.callee],
        }
    }

    /// Who talks, or is about to.
    fn pair(&self) -> [u32; 2] {
        match (self.step, self.third) {
            (Step::Consult | Step::ConsultRing | Step::ConsultMedia, Some(third)) => [self.caller, third],
            (Step::Join | Step::TalkOn | Step::End, Some(third)) => [self.callee, third],
            _ => [self.caller, self.callee],
        }
    }

    pub(super) fn phones(&self) -> impl Iterator<Item = u32> + use<> {
        [self.caller, self.callee].into_iter().chain(self.third)
    }
}

impl Director {
    pub(super) fn call(&self, key: CallKey) -> Option<&Call> {
        self.calls.get(key.slot).filter(|call| call.serial == key.serial)
    }

    fn call_mut(&mut self, key: CallKey) -> Option<&mut Call> {
        self.calls.get_mut(key.slot).filter(|call| call.serial == key.serial)
    }

    /// The first user lifts a handset.
    pub(super) fn begin(
        &mut self,
        due: Time,
        now: Time,
        kind: CallKind,
        phones: [u32; 2],
        third: Option<u32>,
    ) {
        let [caller, callee] = phones;
        self.serial += 1;
        let deadline = now + self.plan.patience;
        let call = Call {
            serial: self.serial,
            kind,
            caller,
            callee,
            third,
            step: if kind == CallKind::Busy { Step::Occupy } else { Step::DialTone },
            since: due,
            deadline,
            media: [false; 2],
            ended: [false; 3],
        };
        let phones = call.phones();
        let key = CallKey { slot: self.calls.insert(call), serial: self.serial };
        for phone in phones {
            if let Some(desk) = self.desks.get_mut(phone as usize) {
                desk.call = Some(key);
            }
        }
        self.agenda.add(deadline, Task::Deadline(key));
        self.lift(if kind == CallKind::Busy { callee } else { caller });
    }

    fn lift(&mut self, phone: u32) {
        if let Some(desk) = self.desks.get_mut(phone as usize) {
            desk.lifted = true;
        }
        self.todo.push_back((phone, Act::User(Action::OffHook)));
    }

    /// Puts the handset down, if it is up.
    fn hang_up(&mut self, phone: u32) {
        let Some(desk) = self.desks.get_mut(phone as usize) else { return };
        if std::mem::take(&mut desk.lifted) {
            self.todo.push_back((phone, Act::User(Action::OnHook)));
        }
    }

    fn dial(&mut self, phone: u32, other: u32) {
        let number = self.number(other);
        self.todo.push_back((phone, Act::User(Action::Dial(number.to_string()))));
    }

    fn press(&mut self, phone: u32, key: &str) {
        self.todo.push_back((phone, Act::User(Action::SoftKey(key.into()))));
    }

    /// The call waits for something new from `since` on.
    fn step(&mut self, now: Time, key: CallKey, step: Step, since: Time) {
        let deadline = now + self.plan.patience;
        if let Some(call) = self.call_mut(key) {
            (call.step, call.since, call.deadline) = (step, since, deadline);
            call.media = [false; 2];
        }
    }

    pub(super) fn state_in_call(
        &mut self,
        now: Time,
        key: CallKey,
        phone: u32,
        reference: u32,
        state: CallState,
    ) {
        let Some(call) = self.call(key) else { return };
        let (step, part, since, kind) = (call.step, call.part(phone), call.since, call.kind);
        let (caller, callee, third) = (call.caller, call.callee, call.third);
        use CallState as S;
        match (part, step, state) {
            (Part::Callee, Step::Occupy, S::OffHook) => {
                self.step(now, key, Step::DialTone, now);
                self.lift(caller);
            }
            (Part::Caller, Step::DialTone, S::OffHook) => {
                self.tally.time(Timed::OffHookToTone, now.since(since));
                self.step(now, key, Step::Ring, now);
                self.dial(caller, callee);
            }
            (Part::Caller, Step::Consult, S::OffHook) => {
                self.step(now, key, Step::ConsultRing, now);
                self.dial(caller, third.unwrap_or(callee));
            }
            (Part::Caller, Step::Ring, S::Busy) if kind == CallKind::Busy => {
                self.step(now, key, Step::End, now);
                self.hang_up(caller);
                self.hang_up(callee);
            }
            (_, Step::End, S::OnHook | S::Idle) => self.ended(now, key, part),
            (_, Step::End, _) => {}
            (_, _, S::Busy) => self.fail(now, key, Failure::Busy),
            (_, _, S::Congestion) => self.fail(now, key, Failure::Congestion),
            (_, _, S::InvalidNumber) => self.fail(now, key, Failure::InvalidNumber),
            (Part::Caller, Step::Hold, S::Hold) => {
                self.step(now, key, Step::Held, now);
                self.after(now, self.plan.calls.pause, key);
            }
            // Its part is over, of both of its calls; it puts the handset down when the others talk.
            (Part::Caller, Step::Join | Step::TalkOn, S::OnHook | S::Idle) => {}
            (_, _, S::OnHook | S::Idle) => self.fail(now, key, Failure::EndedEarly),
            (part, step, state) if fits(kind, part, step, state) => {}
            (..) => {
                let number = self.number(phone);
                self.tally.wrong(Wrong::State, || {
                    format!("{number} is told {state:?} (call {reference}) in step {step:?}")
                });
            }
        }
    }

    pub(super) fn ring_in_call(&mut self, now: Time, key: CallKey, phone: u32) {
        let Some(call) = self.call(key) else { return };
        let (since, kind) = (call.since, call.kind);
        match (call.part(phone), call.step, kind) {
            (Part::Callee, Step::Ring, CallKind::Busy) => self.fail(now, key, Failure::NotBusy),
            (Part::Callee, Step::Ring, _) => {
                self.tally.time(Timed::DigitToRing, now.since(since));
                self.step(now, key, Step::Answer, now);
                let calls = &self.plan.calls;
                let wait = if kind == CallKind::Abandoned { calls.abandon_after } else { calls.answer_after };
                self.after(now, wait, key);
            }
            (Part::Third, Step::ConsultRing, _) => {
                self.step(now, key, Step::ConsultMedia, now);
                self.lift(phone);
            }
            _ => {}
        }
    }

    /// The next action of a call is due after a while; at once if there is none.
    fn after(&mut self, now: Time, wait: Duration, key: CallKey) {
        if wait.is_zero() {
            return self.next(now, key);
        }
        if let Some(call) = self.call_mut(key) {
            call.deadline += wait;
        }
        self.agenda.add(now + wait, Task::Next(key));
    }

    /// A user does the next thing, which was due at `due`.
    pub(super) fn next(&mut self, due: Time, key: CallKey) {
        let Some(call) = self.call(key) else { return };
        let (kind, caller, callee) = (call.kind, call.caller, call.callee);
        match (call.step, kind) {
            (Step::Answer, CallKind::Abandoned) => {
                self.step(due, key, Step::End, due);
                self.hang_up(caller);
            }
            (Step::Answer, _) => {
                self.step(due, key, Step::Media, due);
                self.lift(callee);
            }
            (Step::Talk, CallKind::Hold) if !self.hurry => {
                self.step(due, key, Step::Hold, due);
                self.press(caller, "Hold");
            }
            (Step::Talk, CallKind::Transfer) if !self.hurry => {
                self.step(due, key, Step::Consult, due);
                self.press(caller, "Transfer");
            }
            (Step::Held, _) => {
                self.step(due, key, Step::Resume, due);
                self.press(caller, "Resume");
            }
            (Step::Talk | Step::TalkOn, _) => {
                // One time the caller, one time the called one.
                let last_two = if call.step == Step::Talk { [caller, callee] } else { call.last_two() };
                let first = last_two[usize::from(call.serial % 2 == 0)];
                if let Some(call) = self.call_mut(key).filter(|call| call.step == Step::Talk) {
                    // A call that was stopped before it was transferred is a plain one.
                    call.kind = CallKind::Plain;
                }
                self.step(due, key, Step::End, due);
                self.hang_up(first);
            }
            _ => {}
        }
    }

    /// A phone of a call was given an order about its voice.
    pub(super) fn media_in_call(&mut self, now: Time, key: CallKey, phone: u32, order: &MediaOrder) {
        let Some(call) = self.call(key) else { return };
        let (pair, step, since) = (call.pair(), call.step, call.since);
        let Some(side) = pair.iter().position(|of_pair| *of_pair == phone) else { return };
        let (Some(near), Some(far)) =
            (self.desks.get(phone as usize), self.desks.get(pair[1 - side] as usize))
        else {
            return;
        };
        let (near_number, far_number, far_voice) = (near.number, far.number, far.voice);
        let flows =
            near.receives && near.sends_to.is_some_and(|remote| remote == far_voice || step == Step::Media);
        // A call on hold may hear music from anywhere.
        if let (MediaOrder::StartTransmit { remote, .. }, false) =
            (order, matches!(step, Step::Hold | Step::Held))
        {
            if *remote != far_voice {
                self.tally.wrong(Wrong::MediaAddress, || {
                    format!("{near_number} sends to {remote}, and {far_number} is at {far_voice}")
                });
            } else if !far.receives && step != Step::End {
                self.tally
                    .wrong(Wrong::TransmitBeforeFarEnd, || format!("{near_number} sends to {far_number}"));
            }
        }
        let waits = matches!(step, Step::Media | Step::Resume | Step::ConsultMedia | Step::Join);
        let Some(call) = self.call_mut(key) else { return };
        if !waits || !flows || std::mem::replace(&mut call.media[side], true) {
            return;
        }
        let both = call.media == [true; 2];
        match step {
            Step::Media => {
                self.tally
                    .time([Timed::AnswerToMediaCaller, Timed::AnswerToMediaCallee][side], now.since(since));
            }
            Step::Resume if both => self.tally.time(Timed::ResumeToMedia, now.since(since)),
            Step::Join if both => self.tally.time(Timed::TransferToMedia, now.since(since)),
            _ => {}
        }
        if both {
            self.media_is_there(now, key);
        }
    }

    /// Voice flows both ways between those who wait for it.
    fn media_is_there(&mut self, now: Time, key: CallKey) {
        let Some(call) = self.call(key) else { return };
        let (step, caller) = (call.step, call.caller);
        let hold = if self.hurry { Duration::ZERO } else { self.plan.calls.hold };
        match step {
            Step::Media => {
                for phone in call.pair() {
                    if let Some(reference) = self.desks.get(phone as usize).and_then(|desk| desk.reference())
                    {
                        self.todo.push_back((phone, Act::Look { reference }));
                    }
                }
                self.step(now, key, Step::Talk, now);
                self.after(now, hold, key);
            }
            Step::ConsultMedia => {
                self.step(now, key, Step::Join, now);
                self.press(caller, "Transfer");
            }
            Step::Resume => {
                self.step(now, key, Step::TalkOn, now);
                self.after(now, hold, key);
            }
            Step::Join => {
                self.hang_up(caller);
                self.step(now, key, Step::TalkOn, now);
                self.after(now, hold, key);
            }
            _ => {}
        }
    }

    /// The call is over for one of its phones.
    fn ended(&mut self, now: Time, key: CallKey, part: Part) {
        let Some(call) = self.call_mut(key) else { return };
        call.ended[part as usize] = true;
        let (since, kind) = (call.since, call.kind);
        let last_two = call.last_two().map(|phone| call.part(phone));
        if !last_two.into_iter().all(|part| call.ended[part as usize]) {
            return;
        }
        self.tally.time(Timed::HangUpToIdle, now.since(since));
        self.tally.complete(kind);
        for phone in self.remove(key) {
            self.hang_up(phone);
            self.pool(now + REST, phone);
        }
    }

    pub(super) fn fail(&mut self, now: Time, key: CallKey, failure: Failure) {
        self.tally.fail(failure);
        self.let_go(now, key);
    }

    /// Ends a call that cannot go on; its phones get some time to be idle again.
    pub(super) fn let_go(&mut self, now: Time, key: CallKey) {
        for phone in self.remove(key) {
            self.hang_up(phone);
            if let Some(desk) = self.desks.get_mut(phone as usize) {
                desk.mending = true;
            }
            self.agenda.add(now + MEND, Task::Mend(phone));
        }
    }

    pub(super) fn deadline(&mut self, now: Time, key: CallKey) {
        let Some(call) = self.call(key) else { return };
        if call.deadline > now {
            return self.agenda.add(call.deadline, Task::Deadline(key));
        }
        let failure = match call.step {
            Step::Occupy | Step::DialTone | Step::Consult => Failure::NoDialTone,
            Step::Ring | Step::ConsultRing => Failure::NoRing,
            // The generator's own steps: its user is late, and the call's time does not run.
            Step::Answer | Step::Talk | Step::Held | Step::TalkOn => {
                return self.agenda.add(now + self.plan.patience, Task::Deadline(key));
            }
            Step::Media | Step::Resume | Step::ConsultMedia | Step::Join => Failure::NoMedia,
            Step::Hold => Failure::NotHeld,
            Step::End => Failure::NotEnded,
        };
        self.fail(now, key, failure);
    }

    /// Forgets a call; its phones.
    fn remove(&mut self, key: CallKey) -> impl Iterator<Item = u32> + use<> {
        let call = self.calls.remove(key.slot);
        for phone in call.phones() {
            if let Some(desk) = self.desks.get_mut(phone as usize) {
                desk.call = None;
            }
        }
        call.phones()
    }
}

/// Whether a state, of those that no step waits for, fits what the phones did.
fn fits(kind: CallKind, part: Part, step: Step, state: CallState) -> bool {
    use CallState as S;
    match (part, step) {
        (Part::Caller, Step::Ring | Step::Answer) => matches!(state, S::Proceed | S::RingOut | S::OffHook),
        (Part::Callee, Step::Ring | Step::Answer) => {
            matches!(state, S::RingIn)
                || kind == CallKind::Busy && matches!(state, S::OffHook | S::CallWaiting)
        }
        (Part::Callee, Step::Media) => matches!(state, S::OffHook | S::Connected),
        // The bell at the far end can be read before what the caller was told at the same time: two connections have
        // no common order.
        (Part::Caller, Step::Media) => matches!(state, S::Proceed | S::RingOut | S::Connected),
        (_, Step::Talk) => state == S::Connected,
        // From here on a phone can have two calls, and the held one is told what the manager thinks fit.
        (_, Step::Hold | Step::Held | Step::Resume | Step::TalkOn) => {
            matches!(state, S::Hold | S::Connected | S::RemoteHold)
        }
        (_, Step::Consult | Step::ConsultRing | Step::ConsultMedia | Step::Join) => matches!(
            state,
            S::Hold
                | S::OffHook
                | S::Proceed
                | S::RingOut
                | S::RingIn
                | S::Connected
                | S::CallTransfer
                | S::RemoteHold
        ),
        _ => false,
    }
}
