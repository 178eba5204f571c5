//! The calls on the display, and which of them the keys are about.

use alloc::{collections::VecDeque, string::String, vec::Vec};

use selsius_wire::{
    Time,
    value::{CallSecurity, CallState, CallType},
};

use crate::{display::Note, limits, soft_keys::Selection};

/// One call as the manager described it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) line: u32,
    pub(crate) reference: u32,
    /// None: named by a manager that has not given it a state yet, so not seen.
    pub(crate) state: Option<CallState>,
    pub(crate) parties: Parties,
    pub(crate) selection: Option<Selection>,
    pub(crate) prompt: Note,
    pub(crate) dialed: String,
}

/// Who talks with whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parties {
    pub(crate) call_type: CallType,
    pub(crate) calling: Party,
    pub(crate) called: Party,
    pub(crate) original_called: Party,
    pub(crate) last_redirecting: Party,
    pub(crate) instance: u32,
    pub(crate) security: CallSecurity,
}

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) name: String,
    pub(crate) number: String,
}

/// What a call state means for the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not a call any more.
    Over,
    /// The user talks, listens to a tone or dials.
    Engaged,
    /// The bell.
    Ringing,
    /// There, but not now.
    Waiting,
    /// Somebody else's, on a shared line.
    Remote,
}

/// The table of states.
fn standing(state: CallState) -> Standing {
    match state {
        CallState::Idle | CallState::OnHook => Standing::Over,
        CallState::OffHook
        | CallState::RingOut
        | CallState::Connected
        | CallState::Busy
        | CallState::Congestion
        | CallState::Proceed
        | CallState::InvalidNumber
        | CallState::Whisper => Standing::Engaged,
        CallState::RingIn | CallState::CallWaiting => Standing::Ringing,
        CallState::Hold
        | CallState::HoldRevert
        | CallState::RemoteHold
        | CallState::CallTransfer
        | CallState::CallPark => Standing::Waiting,
        CallState::CallRemoteMultiline => Standing::Remote,
        // A manager of tomorrow: shown, and left alone.
        CallState::Max | CallState::Unknown(_) => Standing::Waiting,
    }
}

impl Call {
    fn standing(&self) -> Option<Standing> {
        self.state.map(standing)
    }
}

/// All calls, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    calls: Vec<Call>,
    /// Line and reference of the call that soft keys and prompt belong to.
    focus: Option<(u32, u32)>,
    ended: VecDeque<(u32, u32)>,
}

impl Calls {
    /// The calls that can be seen.
    pub(crate) fn shown(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.calls.iter().filter(|call| call.state.is_some())
    }

    /// The call that soft keys and prompt belong to.
    pub(crate) fn focus(&self) -> Option<&Call> {
        self.focus.and_then(|(line, reference)| {
            self.shown().find(|call| (call.line, call.reference) == (line, reference))
        })
    }

    /// The call that the user talks in, dials or hears a tone of.
    pub(crate) fn engaged(&self) -> Option<&Call> {
        let engaged = |call: &&Call| call.standing() == Some(Standing::Engaged);
        self.focus().filter(engaged).or_else(|| self.shown().rev().find(engaged))
    }

    /// The call that lifting the handset answers: the one under the cursor, else the first that rang.
    pub(crate) fn ringing(&self) -> Option<&Call> {
        let ringing = |call: &&Call| call.standing() == Some(Standing::Ringing);
        self.focus().filter(ringing).or_else(|| self.shown().find(ringing))
    }

    /// A call that a manager names, for what it says about it. Line 0 or a wrong line is forgiven where the reference
    /// is known. A call that is not known is announced by it; one that just ended is not.
    pub(crate) fn named(&mut self, line: u32, reference: u32) -> Option<&mut Call> {
        if let Some(index) = self.index(line, reference) {
            return self.calls.get_mut(index);
        }
        if reference == 0 || self.ended.iter().any(|(_, ended)| *ended == reference) {
            return None;
        }
        let announced = |call: &Call| call.state.is_none();
        if self.calls.iter().filter(|call| announced(call)).count() >= limits::ANNOUNCED_CALLS {
            let oldest = self.calls.iter().position(announced)?;
            self.calls.remove(oldest);
        }
        self.calls.push(Call { line, reference, ..Call::default() });
        self.calls.last_mut()
    }

    /// A call that is there already.
    pub(crate) fn known(&mut self, line: u32, reference: u32) -> Option<&mut Call> {
        let index = self.index(line, reference)?;
        self.calls.get_mut(index)
    }

    /// CallState. False if there is no room for one more call.
    pub(crate) fn set_state(&mut self, line: u32, reference: u32, state: CallState) -> bool {
        let was_engaged = self.engaged().map(|call| (call.line, call.state));
        if standing(state) == Standing::Over {
            self.end(line, reference);
            return true;
        }
        self.ended.retain(|(_, ended)| *ended != reference);
        let Some(index) = self.index(line, reference).or_else(|| self.begin(line, reference)) else {
            return false;
        };
        let call = &mut self.calls[index];
        if line != 0 {
            call.line = line;
        }
        if state == CallState::OffHook && call.state != Some(state) {
            call.dialed.clear();
        }
        call.state = Some(state);
        let key = (call.line, call.reference);
        match standing(state) {
            Standing::Engaged => self.focus = Some(key),
            Standing::Ringing => {
                // A ringing call gets the cursor on an idle phone, and on the line that one talks on ("auto call
                // select", which phones have switched on); while one dials, or on another line, it does not.
                let takes = match was_engaged {
                    None => self.focus().is_none_or(|call| call.standing() != Some(Standing::Ringing)),
                    Some((line, state)) => line == key.0 && state == Some(CallState::Connected),
                };
                if takes {
                    self.focus = Some(key);
                }
            }
            Standing::Waiting | Standing::Remote => {
                if self.focus().is_none_or(|call| call.standing() == Some(Standing::Remote)) {
                    self.refocus();
                }
            }
            Standing::Over => {}
        }
        true
    }

    /// Moves the cursor to a call.
    pub(crate) fn select(&mut self, reference: u32) -> bool {
        let Some(key) =
            self.shown().find(|call| call.reference == reference).map(|call| (call.line, call.reference))
        else {
            return false;
        };
        self.focus = Some(key);
        true
    }

    /// Moves the cursor to the line, if it is elsewhere and the line has a call.
    pub(crate) fn select_line(&mut self, line: u32) {
        if self.focus().is_some_and(|call| call.line == line) {
            return;
        }
        if let Some(key) = self.best(Some(line)) {
            self.focus = Some(key);
        }
    }

    pub(crate) fn next_expiry(&self) -> Option<Time> {
        self.calls.iter().filter_map(|call| call.prompt.until()).min()
    }

    pub(crate) fn expire(&mut self, now: Time) {
        self.calls.iter_mut().for_each(|call| call.prompt.expire(now));
    }

    fn index(&self, line: u32, reference: u32) -> Option<usize> {
        let exact = self.calls.iter().position(|call| (call.line, call.reference) == (line, reference));
        exact.or_else(|| self.calls.iter().position(|call| call.reference == reference && reference != 0))
    }

    fn begin(&mut self, line: u32, reference: u32) -> Option<usize> {
        if self.shown().count() >= limits::CALLS {
            return None;
        }
        self.calls.push(Call { line, reference, ..Call::default() });
        Some(self.calls.len() - 1)
    }

    fn end(&mut self, line: u32, reference: u32) {
        let Some(index) = self.index(line, reference) else { return };
        let call = self.calls.remove(index);
        self.ended.truncate(limits::ENDED_CALLS - 1);
        self.ended.push_front((call.line, call.reference));
        if self.focus().is_none() {
            self.refocus();
        }
    }

    /// After the call under the cursor is gone.
    fn refocus(&mut self) {
        self.focus = self.best(None);
    }

    /// Which call one would look at: the one in progress, else the one that rings longest, else the newest.
    fn best(&self, line: Option<u32>) -> Option<(u32, u32)> {
        let on_line = || self.shown().filter(move |call| line.is_none_or(|line| call.line == line));
        let with = |standing| move |call: &&Call| call.standing() == Some(standing);
        on_line()
            .rev()
            .find(with(Standing::Engaged))
            .or_else(|| on_line().find(with(Standing::Ringing)))
            .or_else(|| on_line().rev().find(with(Standing::Waiting)))
            .map(|call| (call.line, call.reference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn focus_after(steps: &[(u32, u32, CallState)]) -> Option<u32> {
        let mut calls = Calls::default();
        for (line, reference, state) in steps {
            assert!(calls.set_state(*line, *reference, *state));
        }
        calls.focus().map(|call| call.reference)
    }

    #[test]
    fn the_cursor_is_where_one_looks() {
        use CallState::{CallRemoteMultiline as Remote, Connected, Hold, OffHook, OnHook, RingIn, RingOut};
        type Steps = &'static [(u32, u32, CallState)];
        let table: &[(Steps, Option<u32>)] = &[
            (&[], None),
            (&[(1, 7, OffHook)], Some(7)),
            (&[(1, 7, RingIn), (1, 8, RingIn)], Some(7)),
            (&[(1, 7, RingIn), (1, 8, RingIn), (1, 7, OnHook)], Some(8)),
            (&[(1, 7, Connected), (1, 8, RingIn)], Some(8)),
            (&[(1, 7, Connected), (1, 8, RingIn), (1, 8, OnHook)], Some(7)),
            (&[(1, 7, Connected), (2, 8, RingIn)], Some(7)),
            (&[(1, 7, OffHook), (1, 8, RingIn)], Some(7)),
            (&[(1, 7, RingOut), (1, 8, RingIn)], Some(7)),
            (&[(1, 7, Connected), (1, 7, Hold), (1, 8, OffHook)], Some(8)),
            (&[(1, 7, Connected), (1, 7, Hold), (1, 8, OffHook), (1, 8, OnHook)], Some(7)),
            (&[(1, 7, Hold), (1, 8, RingIn)], Some(8)),
            (&[(1, 7, Remote)], None),
            (&[(1, 7, Remote), (1, 8, RingIn)], Some(8)),
            (&[(1, 7, RingIn), (1, 7, Remote)], None),
            (&[(1, 7, Connected), (0, 7, OnHook)], None),
        ];
        for (steps, focus) in table {
            assert_eq!(focus_after(steps), *focus, "{steps:?}");
        }
    }

    #[test]
    fn a_call_is_announced_before_it_has_a_state_and_stays_ended() {
        let mut calls = Calls::default();
        calls.named(1, 7).expect("announced").dialed = "1".into();
        assert_eq!(calls.shown().count(), 0);
        calls.set_state(1, 7, CallState::Proceed);
        assert_eq!(calls.focus().map(|call| call.dialed.as_str()), Some("1"));
        calls.set_state(1, 7, CallState::OnHook);
        assert!(calls.named(1, 7).is_none(), "ClearPromptStatus comes after the end");
        calls.set_state(1, 7, CallState::RingIn);
        assert!(calls.named(1, 7).is_some(), "a manager may use the number again");
    }

    #[test]
    fn hostile_managers_do_not_make_it_grow() {
        let mut calls = Calls::default();
        for reference in 1..10_000 {
            calls.named(1, reference);
            calls.set_state(1, reference + 20_000, CallState::Hold);
        }
        assert_eq!(calls.calls.len(), limits::CALLS + limits::ANNOUNCED_CALLS);
        for reference in 1..40_000 {
            calls.set_state(0, reference, CallState::OnHook);
        }
        assert!(calls.calls.is_empty() && calls.focus().is_none());
        assert_eq!(calls.ended.len(), limits::ENDED_CALLS);
    }
}
