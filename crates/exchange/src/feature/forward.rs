//! Forwarding: calls to a line go to another number, always or when nobody there can take them.

use alloc::vec::Vec;

use selsius_site::{CodeDemand, FeatureCode, LineNumber};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use crate::{
    arena::Handle,
    call::{Call, Found, Leg, LegState, MOST_REDIRECTIONS, Phase, Role, seconds},
    device::Device,
    dialplan::{self, Destination, Target},
    exchange::{Exchange, Timer},
    record::{EndCause, Party, RedirectKind, Redirection},
    remembered::{ForwardKind, Forwards},
    view::Transition,
};

use super::codes;

/// Why calls cannot be forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotForward {
    /// The office has no such line.
    #[error("no such line")]
    UnknownLine,
    /// The target cannot be dialled: it leads nowhere, is forbidden, is a feature's code or an emergency number.
    #[error("calls cannot be forwarded to this number")]
    Nowhere,
    /// The target is the line itself, or forwards all its calls to it.
    #[error("calls would go in circles")]
    Loop,
}

impl Exchange {
    /// Has calls to a line go to another number, or no longer (`None`). Afterwards take all outputs.
    ///
    /// # Errors
    /// Nothing is changed if the line or the target is not there, or if the line would be forwarded to itself.
    pub fn set_forward(
        &mut self,
        now: Time,
        line: &LineNumber,
        kind: ForwardKind,
        to: Option<LineNumber>,
    ) -> Result<(), CannotForward> {
        if !self.site.lines.contains_key(line) {
            return Err(CannotForward::UnknownLine);
        }
        if let Some(to) = &to {
            self.may_forward(line, kind, to)?;
        }
        self.change_line(now, line, |state| state.forwards.set(kind, to));
        Ok(())
    }

    fn may_forward(
        &self,
        line: &LineNumber,
        kind: ForwardKind,
        to: &LineNumber,
    ) -> Result<(), CannotForward> {
        match dialplan::finish(&self.site, to.as_str()) {
            None | Some(Target { emergency: true, .. }) => return Err(CannotForward::Nowhere),
            Some(target) => match target.to {
                Destination::Feature(..) | Destination::Park(_) | Destination::Blocked => {
                    return Err(CannotForward::Nowhere);
                }
                _ => {}
            },
        }
        let mut next = Some(to);
        for _ in 0..=MOST_REDIRECTIONS {
            let Some(at) = next else { return Ok(()) };
            if at == line {
                return Err(CannotForward::Loop);
            }
            let onward = self.line_states.get(at).and_then(|state| state.forwards.all.as_ref());
            next = onward.filter(|_| kind == ForwardKind::All);
        }
        Err(CannotForward::Loop)
    }

    /// Who is to be asked for the call of `caller`, as [`Self::find`], after every forwarding that applies now.
    pub(crate) fn find_forwarded(
        &mut self,
        now: Time,
        caller: Handle<Leg>,
        target: &Target,
    ) -> Result<Found, EndCause> {
        let mut target = target.clone();
        loop {
            target = self.resolve(target)?;
            let found = self.find(caller, &target);
            let Some((line, kind, to)) = self.forwarding(caller, &target, &found) else { return found };
            let by = self.party(&line);
            let at = self.wall.wall(now);
            let call = self.legs.get(caller).and_then(|leg| self.calls.get_mut(leg.call));
            let Some(call) = call.filter(|call| call.redirections.len() < MOST_REDIRECTIONS) else {
                return Err(EndCause::UnknownNumber);
            };
            call.called = Party { number: to.as_str().into(), ..Party::default() };
            call.redirections.push(Redirection { kind, by, to: call.called.clone(), at });
            let next = dialplan::finish(&self.site, to.as_str()).ok_or(EndCause::UnknownNumber)?;
            target = Target { emergency: target.emergency || next.emergency, ..next };
        }
    }

    /// Does the line that was found, or was not free, forward this call? An emergency call goes through unless nobody is
    /// there, and whoever a line is forwarded to can call it.
    fn forwarding(
        &self,
        caller: Handle<Leg>,
        target: &Target,
        found: &Result<Found, EndCause>,
    ) -> Option<(LineNumber, RedirectKind, LineNumber)> {
        let line = match &target.to {
            Destination::Line(line) => line,
            Destination::FirstOf(lines) => match lines.as_slice() {
                [line] => line,
                _ => return None,
            },
            Destination::Trunks(..)
            | Destination::Number(_)
            | Destination::Hunt(_)
            | Destination::Paging(_)
            | Destination::Park(_)
            | Destination::Blocked
            | Destination::Feature(..) => return None,
        };
        let forwards = self.line_states.get(line).map(|state| &state.forwards);
        let calling = self.legs.get(caller).map(|leg| leg.who.number.as_str());
        let other = |to: &&LineNumber| calling != Some(to.as_str());
        let to = |kind| forwards.and_then(|forwards| forwards.target(kind)).filter(other);
        let (kind, to) = match (to(ForwardKind::All), found) {
            (Some(to), _) if !target.emergency => (RedirectKind::ForwardAll, to),
            (_, Err(EndCause::Busy)) => (RedirectKind::ForwardBusy, to(ForwardKind::Busy)?),
            (_, Err(EndCause::Unregistered)) => {
                let usual = self.site.lines.get(line).and_then(|line| line.forward_unregistered.as_ref());
                let to = to(ForwardKind::Unregistered).or(usual.filter(other))?;
                (RedirectKind::ForwardUnregistered, to)
            }
            _ => return None,
        };
        Some((line.clone(), kind, to.clone()))
    }

    /// Phones ring: if their line forwards what nobody answers, that has its time.
    pub(crate) fn watch_forward(&mut self, now: Time, call: Handle<Call>) {
        let timer = Timer::ForwardNoAnswer(call);
        if self.unanswered_target(call).is_none() {
            return self.timers.cancel(timer);
        }
        let wait = self.site.settings.timers.forward_no_answer;
        self.timers.set(timer, now + seconds(wait));
    }

    /// Nobody has answered in time: the call goes where its line forwards such calls. `false` if it does not.
    pub(crate) fn forward_unanswered(&mut self, now: Time, call: Handle<Call>) -> bool {
        let (Some(to), Some(caller)) = (self.unanswered_target(call), self.caller(call)) else {
            return false;
        };
        let ringing = self.ringing_phones(call);
        if ringing.is_empty() {
            return false;
        }
        self.send_on(now, caller, ringing, to.as_str(), RedirectKind::ForwardNoAnswer);
        true
    }

    /// Takes a call off the phones that ring, and leads it to another number.
    pub(crate) fn send_on(
        &mut self,
        now: Time,
        caller: Handle<Leg>,
        ringing: Vec<Handle<Leg>>,
        number: &str,
        kind: RedirectKind,
    ) {
        for leg in ringing {
            self.remove_leg(now, leg, Transition::End);
        }
        self.lead_on(now, caller, number, kind);
    }

    /// The phones that this call rings on.
    pub(crate) fn ringing_phones(&self, call: Handle<Call>) -> Vec<Handle<Leg>> {
        let legs = self.calls.get(call).filter(|call| call.phase == Phase::Ringing).map(|call| &call.legs);
        let rings = |&leg: &Handle<Leg>| {
            self.legs.get(leg).is_some_and(|leg| {
                leg.role == Role::Called && leg.state == LegState::RingIn && leg.is_inside()
            })
        };
        legs.into_iter().flatten().copied().filter(rings).collect()
    }

    /// Where this call goes if nobody answers. The one whom it would go to can wait as long as he likes.
    fn unanswered_target(&self, call: Handle<Call>) -> Option<LineNumber> {
        let call = self.calls.get(call).filter(|call| !call.emergency && !self.line_states.is_empty())?;
        let line: LineNumber = call.called.number.parse().ok()?;
        let to = self.line_states.get(&line)?.forwards.no_answer.as_ref()?;
        (call.calling.number != to.as_str()).then(|| to.clone())
    }

    /// The CFwdAll key: asks where to, or ends the forwarding that there is.
    pub(crate) fn forward_key(&mut self, now: Time, device: Handle<Device>, line: u32) {
        let dialing = self.active_leg(device).filter(|&leg| {
            self.legs.get(leg).is_some_and(|leg| matches!(leg.state, LegState::DialTone | LegState::Dialing))
        });
        let line = dialing.and_then(|leg| self.legs.get(leg)).map_or(line, Leg::line);
        let Some(state) = self.devices.get(device) else { return };
        let appearance = state.appearance(line).or_else(|| state.first_appearance());
        let Some((line, number)) = appearance.map(|line| (line.instance, line.number.clone())) else {
            return self.counters.refuse("phone without a line");
        };
        if self.line_state(&number).forwards.all.is_none() {
            return self.ask_number(now, device, line, FeatureCode::ForwardAll);
        }
        self.change_line(now, &number, |state| state.forwards.all = None);
        match dialing {
            Some(leg) => self.feature_done(now, leg, &ends()),
            None => self.notify(device, &ends()),
        }
    }

    /// The number to forward to is known.
    pub(crate) fn forward_code(&mut self, now: Time, leg: Handle<Leg>, kind: ForwardKind, number: &str) {
        let Some(line) = self.number_of(leg) else { return self.fail(now, leg, EndCause::Blocked) };
        let to =
            codes::as_number(number).filter(|to| self.may_lead_to(leg, to)).ok_or(CannotForward::Nowhere);
        let done = to.and_then(|to| self.set_forward(now, &line, kind, Some(to.clone())).map(|()| to));
        let label = match done {
            Ok(to) => return self.feature_done(now, leg, &forwarded_to(&to)),
            Err(CannotForward::Loop) => DisplayLabel::CFwdAllLoopDetected,
            Err(CannotForward::UnknownLine | CannotForward::Nowhere) => DisplayLabel::UnknownNumber,
        };
        self.refuse_feature(leg, label, "forwarding that cannot be");
        self.fail(now, leg, EndCause::Blocked);
    }

    /// May the user of this leg have others call the number? Whom he may call himself without a code; else a forwarded
    /// line would be everybody's way out.
    fn may_lead_to(&self, leg: Handle<Leg>, to: &LineNumber) -> bool {
        let target = dialplan::finish_for(&self.site, self.reach(leg), to.as_str());
        target
            .is_some_and(|target| target.to != Destination::Blocked && target.terms.code == CodeDemand::None)
    }

    /// Ends every forwarding of the line.
    pub(crate) fn forward_cancel(&mut self, now: Time, leg: Handle<Leg>) {
        let Some(line) = self.number_of(leg) else { return self.fail(now, leg, EndCause::Blocked) };
        self.change_line(now, &line, |state| state.forwards = Forwards::default());
        self.feature_done(now, leg, &ends());
    }
}

/// "Forwarded to 1003".
pub(crate) fn forwarded_to(number: &LineNumber) -> PhoneText {
    PhoneText::label(DisplayLabel::ForwardedTo).then_text(" ").then_text(number.as_str())
}

fn ends() -> PhoneText {
    PhoneText::from("Forwarding is off")
}
