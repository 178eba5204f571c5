//! One call, step by step.

use selsius_station::Action;
use selsius_wire::{Time, value::CallState};

use super::{Act, CallKey, Director, Failure, MEND, REST, Task, Wrong};
use crate::tally::Timed;

/// A call in the making or under way.
#[derive(Debug)]
pub(super) struct Call {
    serial: u64,
    pub(super) caller: u32,
    pub(super) callee: u32,
    pub(super) step: Step,
    /// When the action was due whose effect the step waits for.
    since: Time,
    /// When that takes too long.
    deadline: Time,
    /// Voice flows at caller and called one.
    media: [bool; 2],
    /// The call is over for caller and called one.
    ended: [bool; 2],
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The caller lifted the handset, and waits for the dial tone.
    DialTone,
    /// The caller dialled, and waits for the far end to ring.
    Ring,
    /// It rings, and will be answered.
    Answer,
    /// It was answered, and waits for voice on both sides.
    Media,
    /// They talk.
    Talk,
    /// One of them hung up, and it waits for the end on both sides.
    End,
}

impl Call {
    pub(super) fn key(&self, slot: usize) -> CallKey {
        CallKey { slot, serial: self.serial }
    }

    /// Place of a phone: 0 is the caller's.
    fn side(&self, phone: u32) -> usize {
        usize::from(phone == self.callee)
    }

    fn other(&self, phone: u32) -> u32 {
        if phone == self.caller { self.callee } else { self.caller }
    }
}

impl Director {
    pub(super) fn call(&self, key: CallKey) -> Option<&Call> {
        self.calls.get(key.slot).filter(|call| call.serial == key.serial)
    }

    fn call_mut(&mut self, key: CallKey) -> Option<&mut Call> {
        self.calls.get_mut(key.slot).filter(|call| call.serial == key.serial)
    }

    /// The caller lifts the handset.
    pub(super) fn begin(&mut self, due: Time, now: Time, caller: u32, callee: u32) {
        self.serial += 1;
        let deadline = now + self.plan.patience;
        let call = Call {
            serial: self.serial,
            caller,
            callee,
            step: Step::DialTone,
            since: due,
            deadline,
            media: [false; 2],
            ended: [false; 2],
        };
        let key = CallKey { slot: self.calls.insert(call), serial: self.serial };
        for phone in [caller, callee] {
            if let Some(desk) = self.desks.get_mut(phone as usize) {
                desk.call = Some(key);
            }
        }
        self.agenda.add(deadline, Task::Deadline(key));
        self.lift(caller);
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

    /// The call waits for something new from `since` on.
    fn step(&mut self, now: Time, key: CallKey, step: Step, since: Time) {
        let deadline = now + self.plan.patience;
        if let Some(call) = self.call_mut(key) {
            (call.step, call.since, call.deadline) = (step, since, deadline);
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
        let (step, side, since) = (call.step, call.side(phone), call.since);
        use CallState as S;
        match (side, step, state) {
            (0, Step::DialTone, S::OffHook) => {
                self.tally.time(Timed::OffHookToTone, now.since(since));
                let number = self.number(self.call(key).map_or(phone, |call| call.callee));
                self.step(now, key, Step::Ring, now);
                self.todo.push_back((phone, Act::User(Action::Dial(number.to_string()))));
            }
            (_, _, S::Busy) => self.fail(now, key, Failure::Busy),
            (_, _, S::Congestion) => self.fail(now, key, Failure::Congestion),
            (_, _, S::InvalidNumber) => self.fail(now, key, Failure::InvalidNumber),
            (_, Step::End, S::OnHook | S::Idle) => self.ended(now, key, side),
            (_, _, S::OnHook | S::Idle) => self.fail(now, key, Failure::EndedEarly),
            // What fits, or says nothing that is waited for.
            (0, Step::Ring | Step::Answer, S::Proceed | S::RingOut)
            | (0, Step::Ring, S::OffHook)
            | (1, Step::Ring | Step::Answer, S::RingIn)
            | (1, Step::Media, S::OffHook)
            | (_, Step::Media | Step::Talk, S::Connected)
            | (_, Step::End, _) => {}
            (..) => {
                let number = self.number(phone);
                self.tally.wrong(Wrong::State, || {
                    format!("{number} is told {state:?} (call {reference}) in step {step:?}")
                });
            }
        }
    }

    pub(super) fn ring_in_call(&mut self, now: Time, key: CallKey, phone: u32) {
        let Some(call) = self.call(key).filter(|call| call.step == Step::Ring && phone == call.callee) else {
            return;
        };
        let since = call.since;
        self.tally.time(Timed::DigitToRing, now.since(since));
        self.step(now, key, Step::Answer, now);
        self.after(now, self.plan.calls.answer_after, key);
    }

    /// The next action of a call is due after a while; at once if there is none.
    fn after(&mut self, now: Time, wait: std::time::Duration, key: CallKey) {
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
        let (caller, callee) = (call.caller, call.callee);
        match call.step {
            Step::Answer => {
                self.step(due, key, Step::Media, due);
                self.lift(callee);
            }
            Step::Talk => {
                // One time the caller, one time the called one.
                let first = if call.serial % 2 == 0 { caller } else { callee };
                self.step(due, key, Step::End, due);
                self.hang_up(first);
            }
            Step::DialTone | Step::Ring | Step::Media | Step::End => {}
        }
    }

    pub(super) fn media_in_call(&mut self, now: Time, key: CallKey, phone: u32) {
        let Some(call) = self.call(key) else { return };
        let (side, since, step, seen) = (call.side(phone), call.since, call.step, call.media);
        let (Some(near), Some(far)) =
            (self.desks.get(phone as usize), self.desks.get(call.other(phone) as usize))
        else {
            return;
        };
        let (near_number, far_number, far_voice) = (near.number, far.number, far.voice);
        let (flows, far_receives, sends_to) =
            (near.receives && near.sends_to.is_some(), far.receives, near.sends_to);
        if let Some(remote) = sends_to.filter(|_| !(seen[side])) {
            if remote != far_voice {
                self.tally.wrong(Wrong::MediaAddress, || {
                    format!("{near_number} sends to {remote}, and {far_number} is at {far_voice}")
                });
            } else if !far_receives {
                self.tally
                    .wrong(Wrong::TransmitBeforeFarEnd, || format!("{near_number} sends to {far_number}"));
            }
        }
        if step != Step::Media || !flows || seen[side] {
            return;
        }
        self.tally.time([Timed::AnswerToMediaCaller, Timed::AnswerToMediaCallee][side], now.since(since));
        let Some(call) = self.call_mut(key) else { return };
        call.media[side] = true;
        if call.media == [true; 2] {
            self.talk(now, key);
        }
    }

    fn talk(&mut self, now: Time, key: CallKey) {
        let Some(call) = self.call(key) else { return };
        for phone in [call.caller, call.callee] {
            if let Some(reference) = self.desks.get(phone as usize).and_then(|desk| desk.reference()) {
                self.todo.push_back((phone, Act::Look { reference }));
            }
        }
        self.step(now, key, Step::Talk, now);
        self.after(now, self.plan.calls.hold, key);
    }

    /// The call is over for one of its phones.
    fn ended(&mut self, now: Time, key: CallKey, side: usize) {
        let Some(call) = self.call_mut(key) else { return };
        call.ended[side] = true;
        if call.ended != [true; 2] {
            return;
        }
        let since = call.since;
        self.tally.time(Timed::HangUpToIdle, now.since(since));
        self.tally.completed += 1;
        for phone in self.remove(key) {
            self.hang_up(phone);
            self.pool(now + REST, phone);
        }
    }

    pub(super) fn fail(&mut self, now: Time, key: CallKey, failure: Failure) {
        self.tally.fail(failure);
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
            Step::DialTone => Failure::NoDialTone,
            Step::Ring => Failure::NoRing,
            // The generator's own step: its user is late, and the call's time did not run.
            Step::Answer | Step::Talk => {
                return self.agenda.add(now + self.plan.patience, Task::Deadline(key));
            }
            Step::Media => Failure::NoMedia,
            Step::End => Failure::NotEnded,
        };
        self.fail(now, key, failure);
    }

    /// Forgets a call; its phones.
    fn remove(&mut self, key: CallKey) -> [u32; 2] {
        let call = self.calls.remove(key.slot);
        for phone in [call.caller, call.callee] {
            if let Some(desk) = self.desks.get_mut(phone as usize) {
                desk.call = None;
            }
        }
        [call.caller, call.callee]
    }
}
