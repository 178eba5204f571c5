//! What is said before a call, for this call only: account and authorisation codes, and that the own number is hidden.

use alloc::string::String;

use selsius_site::{CodeDemand, CodeKind, Name};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use crate::{
    arena::Handle,
    call::{Leg, LegState, Purpose},
    dialplan::{self, Destination, Target},
    exchange::{Exchange, Timer},
    record::EndCause,
    view::Transition,
};

/// The codes of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entered {
    /// The digits so far of the one that is asked for.
    pub(crate) digits: String,
    /// Who pays.
    account: Option<Name>,
    /// By what the caller may.
    authorisation: Option<Name>,
}

impl Entered {
    /// The name for the call's record.
    pub(crate) fn name(&self) -> String {
        let name = self.account.as_ref().or(self.authorisation.as_ref());
        name.map(|name| name.as_str().into()).unwrap_or_default()
    }
}

/// What the phone asks for.
pub(crate) fn question(demand: CodeDemand) -> PhoneText {
    PhoneText::label(match demand {
        CodeDemand::Authorisation => DisplayLabel::EnterAuthorizationCode,
        CodeDemand::Account | CodeDemand::None => DisplayLabel::EnterClientMatterCode,
    })
}

impl Exchange {
    /// The code that this caller has to enter before the target can be called. Emergency numbers want none.
    pub(crate) fn demanded_code(&self, leg: Handle<Leg>, target: &Target) -> Option<CodeDemand> {
        let state = self.legs.get(leg)?;
        let call = self.calls.get(state.call)?;
        if target.emergency || !state.is_inside() {
            return None;
        }
        let demand = target.terms.code;
        if demand == CodeDemand::Authorisation && call.codes.authorisation.is_none() {
            return Some(demand);
        }
        let outside = matches!(target.to, Destination::Trunks(..));
        let of_line = || self.site.lines.get(&self.number_of(leg)?).map(|line| line.account_code);
        let of_line = outside && of_line().unwrap_or_default();
        let wanted = demand == CodeDemand::Account || of_line;
        (wanted && call.codes.account.is_none()).then_some(CodeDemand::Account)
    }

    /// May this call go where an authorisation is wanted? Whoever is led there without having been asked for one may not.
    pub(crate) fn has_code_for(&self, leg: Handle<Leg>, target: &Target) -> bool {
        if target.terms.code != CodeDemand::Authorisation {
            return true;
        }
        let call = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call));
        let code = call.and_then(|call| call.codes.authorisation.as_ref());
        let Some(code) = code.and_then(|name| self.site.codes.get(name)) else { return false };
        match (&code.rights, &target.terms.partition) {
            (None, _) | (_, None) => true,
            (Some(rights), Some(partition)) => {
                self.site.rights.get(rights).is_some_and(|rights| rights.partitions.contains(partition))
            }
        }
    }

    /// The number is complete: the phone asks for a code, with a beep.
    pub(crate) fn ask_code(&mut self, now: Time, leg: Handle<Leg>, demand: CodeDemand) {
        let Some(call) = self.legs.get(leg).map(|leg| leg.call) else { return };
        let Some(state) = self.calls.get_mut(call) else { return };
        state.purpose = Purpose::Code(demand);
        state.codes.digits.clear();
        let wait = self.site.settings.timers.first_digit;
        self.timers.set(Timer::Digits(call), now + core::time::Duration::from_secs(wait.into()));
        self.enter(now, leg, LegState::Dialing, Transition::Dialing);
        self.beep(leg);
    }

    /// One more digit of a code; `#` ends it.
    pub(crate) fn code_digit(&mut self, now: Time, leg: Handle<Leg>, digit: char) {
        let Some(call) = self.legs.get(leg).map(|leg| leg.call) else { return };
        let limit = self.config.limits.digits;
        let Some(state) = self.calls.get_mut(call) else { return };
        if digit == '#' || state.codes.digits.len() >= limit {
            return self.digits_end(now, leg);
        }
        state.codes.digits.push(digit);
        let wait = self.site.settings.timers.inter_digit;
        self.timers.set(Timer::Digits(call), now + core::time::Duration::from_secs(wait.into()));
    }

    /// The code is there: the call goes on, or is not permitted.
    pub(crate) fn code_entered(&mut self, now: Time, leg: Handle<Leg>, demand: CodeDemand) {
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call)) else { return };
        let kind = match demand {
            CodeDemand::Authorisation => CodeKind::Authorisation,
            CodeDemand::Account | CodeDemand::None => CodeKind::Account,
        };
        let code = self.find_code(kind, &call.codes.digits, str::eq).map(|(name, _)| name);
        self.take_code(now, leg, kind, code);
    }

    /// `*71`, a code, and the number that it pays for; or the code alone, `#`, and then the number.
    pub(crate) fn account_code(&mut self, now: Time, leg: Handle<Leg>, argument: &str) {
        let found = self.find_code(CodeKind::Account, argument, |argument, code| argument.starts_with(code));
        let Some(call) = self.legs.get(leg).map(|leg| leg.call) else { return };
        let Some(state) = self.calls.get_mut(call) else { return };
        let Some((name, length)) = found else {
            // The record shows what was tried, and not which code.
            let dialed = state.dialed.trim_end_matches('#');
            state.dialed = dialed.strip_suffix(argument).unwrap_or_default().into();
            return self.take_code(now, leg, CodeKind::Account, None);
        };
        let number = argument.get(length..).unwrap_or_default().trim_start_matches('#');
        state.dialed = number.into();
        if !number.is_empty() {
            return self.take_code(now, leg, CodeKind::Account, Some(name));
        }
        (state.codes.account, state.purpose) = (Some(name), Purpose::Talk);
        let wait = self.site.settings.timers.first_digit;
        self.timers.set(Timer::Digits(call), now + core::time::Duration::from_secs(wait.into()));
        self.enter(now, leg, LegState::DialTone, Transition::Dialing);
    }

    /// `*67` and a number: it is called, and does not see whose call it is.
    pub(crate) fn hide_number(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.who.restricted = true;
        }
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call)) else { return };
        call.calling.restricted = true;
        call.purpose = Purpose::Talk;
        let dialed = core::mem::replace(&mut call.dialed, number.into());
        call.prefix = dialed.strip_suffix(number).unwrap_or_default().into();
        self.digits_end(now, leg);
    }

    /// The code of this kind that the digits are, or begin with, the longest one first; and how long it is.
    fn find_code(
        &self,
        kind: CodeKind,
        digits: &str,
        is: impl Fn(&str, &str) -> bool,
    ) -> Option<(Name, usize)> {
        let codes = self.site.codes.iter().filter(|(_, code)| code.kind == kind);
        let fitting =
            codes.filter(|(_, code)| !code.code.as_str().is_empty() && is(digits, code.code.as_str()));
        let longest = fitting.max_by_key(|(_, code)| code.code.as_str().len());
        longest.map(|(name, code)| (name.clone(), code.code.as_str().len()))
    }

    fn take_code(&mut self, now: Time, leg: Handle<Leg>, kind: CodeKind, code: Option<Name>) {
        let started = self.wall.wall(now);
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call)) else { return };
        call.purpose = Purpose::Talk;
        call.codes.digits.clear();
        if code.is_none() {
            // A wrong code leaves a record: somebody may be trying them out.
            call.started = Some(started);
            call.called.number.clone_from(&call.dialed);
            return self.fail(now, leg, EndCause::Blocked);
        }
        match kind {
            CodeKind::Account => call.codes.account = code,
            CodeKind::Authorisation => call.codes.authorisation = code,
        }
        let dialed = call.dialed.clone();
        match dialplan::finish_for(&self.site, self.reach(leg), &dialed) {
            Some(target) => self.complete(now, leg, target),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
    }
}
