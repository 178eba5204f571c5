//! Who talks to whom, as one party of a call may see it.

use alloc::string::String;

use selsius_wire::{
    CallInformation,
    value::{CallSecurity, CallType},
};

use crate::{
    call::{Call, Leg, LegState, Role},
    exchange::Exchange,
    record::{Party, Redirection},
};

/// Is this what [`call_information`] would say of the same leg? It is asked at each transition, and rarely isn't.
pub(super) fn still_holds(exchange: &Exchange, info: &CallInformation, leg: &Leg, call: &Call) -> bool {
    let calling = seen(leg, Role::Called, &call.calling);
    let called = seen(leg, Role::Caller, &call.called);
    let number = if leg.role == Role::Called { call.shown_calling() } else { &call.calling.number };
    let last = redirecting(call).map_or("", |last| if last.by.restricted { "" } else { &last.by.number });
    info.security == security(leg)
        && info.called_number == called.map_or(&call.dialed, |called| &called.number).as_str()
        && info.called_name == called.map_or("", |called| &called.name)
        && info.calling_number == if calling.is_some() { number } else { "" }
        && info.calling_name == calling.map_or("", |calling| &calling.name)
        && info.last_redirecting_number == last
        && info.last_redirect_reason == redirecting(call).map_or(0, |last| last.kind.reason())
        && info.hunt_pilot_number == call.pilot.as_ref().map_or("", |pilot| pilot.number.as_str())
        && mailboxes(exchange, call) == told_mailboxes(info)
        && info.call_type == call_type(leg)
}

/// How the call came here last, where it did not come straight.
fn redirecting(call: &Call) -> Option<&Redirection> {
    call.redirections.last()
}

/// The mailboxes that a voice mail system wants to know: of who calls it, of who was called first, and of who sent the
/// call there. Other calls have none.
fn mailboxes<'a>(exchange: &'a Exchange, call: &Call) -> [&'a str; 3] {
    if !exchange.is_for_voicemail(call) {
        return [""; 3];
    }
    let of =
        |party: Option<&Party>| party.and_then(|party| exchange.mailbox(&party.number)).unwrap_or_default();
    let by = |redirection: Option<&'_ Redirection>| of(redirection.map(|redirection| &redirection.by));
    [of(Some(&call.calling)), by(call.redirections.first()), by(redirecting(call))]
}

fn told_mailboxes(info: &CallInformation) -> [&str; 3] {
    [&info.calling_voice_mailbox, &info.original_called_voice_mailbox, &info.last_redirecting_voice_mailbox]
        .map(String::as_str)
}

pub(super) fn call_type(leg: &Leg) -> CallType {
    match leg.role {
        Role::Caller => CallType::Outbound,
        Role::Called => CallType::Inbound,
    }
}

fn security(leg: &Leg) -> CallSecurity {
    match leg.state {
        LegState::Connected => CallSecurity::NotAuthenticated,
        _ => CallSecurity::Unspecified,
    }
}

/// A party, unless it hides from whoever has this role.
fn seen<'a>(leg: &Leg, from: Role, party: &'a Party) -> Option<&'a Party> {
    (!party.restricted || leg.role != from).then_some(party)
}

/// Name and number of a party that hides (layouts, RestrictInformationType): phones that know the bits show "Private".
/// Others must not get the number at all.
mod hidden {
    pub(super) const CALLING: u32 = 0x3;
    /// The name: who has dialled the number knows it.
    pub(super) const CALLED: u32 = 0x4;
    pub(super) const ORIGINAL: u32 = 0x30;
    pub(super) const REDIRECTING: u32 = 0xC0;
}

/// Who talks to whom. The original called party is filled on the called phone, with the first called number as in
/// the v20 capture (frame 9).
pub(super) fn call_information(exchange: &Exchange, leg: &Leg, call: &Call) -> CallInformation {
    let nobody = Party::default();
    let [calling_box, original_box, last_box] = mailboxes(exchange, call);
    let pilot = call.pilot.as_ref();
    let mut restriction = 0;
    let mut show = |party: Option<&Party>, bits: u32| {
        restriction |= if party.is_some() { 0 } else { bits };
        let party = party.unwrap_or(&nobody);
        (party.name.clone(), party.number.clone())
    };
    let (calling_name, own) = show(seen(leg, Role::Called, &call.calling), hidden::CALLING);
    let calling_number =
        if leg.role == Role::Called && !own.is_empty() { String::from(call.shown_calling()) } else { own };
    let (called_name, mut called_number) = show(seen(leg, Role::Caller, &call.called), hidden::CALLED);
    if call.called.restricted && leg.role == Role::Caller {
        called_number.clone_from(&call.dialed);
    }
    let (first, last) = (call.redirections.first(), redirecting(call));
    let by = |redirection: &Redirection| (!redirection.by.restricted).then(|| redirection.by.clone());
    let (original_called_name, original_called_number) = match first {
        Some(first) => show(by(first).as_ref(), hidden::ORIGINAL),
        None => (called_name.clone(), called_number.clone()),
    };
    let (last_redirecting_name, last_redirecting_number) = match last {
        Some(last) => show(by(last).as_ref(), hidden::REDIRECTING),
        None => Default::default(),
    };
    CallInformation {
        line: leg.line(),
        call: leg.reference,
        call_type: call_type(leg),
        call_instance: 1,
        calling_name,
        calling_number,
        called_name,
        called_number,
        original_called_name,
        original_called_number,
        last_redirecting_name,
        last_redirecting_number,
        original_redirect_reason: first.map_or(0, |first| first.kind.reason()),
        last_redirect_reason: last.map_or(0, |last| last.kind.reason()),
        security: security(leg),
        restriction,
        calling_voice_mailbox: calling_box.into(),
        original_called_voice_mailbox: original_box.into(),
        last_redirecting_voice_mailbox: last_box.into(),
        hunt_pilot_name: pilot.map(|pilot| pilot.name.clone()).unwrap_or_default(),
        hunt_pilot_number: pilot.map(|pilot| pilot.number.clone()).unwrap_or_default(),
        ..CallInformation::default()
    }
}
