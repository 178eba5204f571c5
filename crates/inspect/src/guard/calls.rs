//! The calls of one phone, as far as they were told to it.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use selsius_wire::{
    ManagerMessage, StationMessage, Time,
    message::ForwardStat,
    rate::Meter,
    value::{CallState, CallType, KeypadKey, Number, SoftKey},
};

use super::{
    finding::FindingKind,
    judge::Found,
    policy::{Limits, Policy},
};
use crate::{conversation::Message, summary::display};

/// The calls of one phone.
#[derive(Debug)]
pub(super) struct Calls {
    /// By their references.
    calls: BTreeMap<u32, Call>,
    attempts: Meter,
    resets: Meter,
}

/// One call, as its phone sees it.
#[derive(Debug, Clone)]
struct Call {
    line: u32,
    state: Option<CallState>,
    begun: Time,
    answered: Option<Time>,
    ended: Option<Time>,
    /// Keys before the answer.
    keys: usize,
    dialled: String,
    outgoing: bool,
    /// Its number is denied: it gets no audio.
    barred: bool,
    calling: String,
    called: String,
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSummary {
    /// The reference by which its phone knew it.
    pub reference: u32,
    /// On which line of the phone.
    pub line: u32,
    /// The phone began it.
    pub outgoing: bool,
    /// Who called, as far as that was shown.
    pub calling: String,
    /// Who was called, as far as that was shown or dialled.
    pub called: String,
    /// When it began.
    pub begun: Time,
    /// When it was answered.
    pub answered: Option<Time>,
    /// When it ended.
    pub ended: Time,
}

/// After its end a call may still be spoken of for so long: what was on its way, and slow fingers.
const GRACE: Duration = Duration::from_secs(10);
/// Calls that are remembered above the limit, so that those that ended do not crowd out others.
const SPARE: usize = 16;

impl Calls {
    pub(super) const fn new() -> Self {
        Self { calls: BTreeMap::new(), attempts: Meter::UNUSED, resets: Meter::UNUSED }
    }

    /// May a phone say this?
    pub(super) fn check_station(
        &mut self,
        now: Time,
        message: &Message,
        said: &StationMessage,
        (policy, limits): (&Policy, &Limits),
        found: &mut Found,
    ) {
        let (_, reference) = message.place();
        if reference != 0 && !self.is_known(now, reference) && !is_answer(said) {
            found.say(FindingKind::CallUnknown, format!("call {reference}"));
        }
        if self.begins(said) && !self.attempts.take(now, limits.call_rate) {
            found.add(FindingKind::CallRate);
        }
        match said {
            StationMessage::KeypadButton(button) => {
                let Some(call) = self.dialling(reference) else { return };
                if call.keys >= limits.digits {
                    return found.say(FindingKind::TooManyDigits, format!("{} keys", call.keys + 1));
                }
                if call.answered.is_some() {
                    return;
                }
                let mut number = call.dialled.clone();
                number.extend(digit(button.kp_button));
                // Once denied, further keys do not make another number of it.
                if call.barred || policy.denies_number(number.as_bytes()) {
                    found.say(FindingKind::NumberDenied, number);
                }
            }
            StationMessage::EnblocCall(call) => {
                let number = call.called_party.bytes();
                if policy.denies_number(number) {
                    found.say(FindingKind::NumberDenied, display(number));
                }
            }
            _ => {}
        }
    }

    /// May a manager say this?
    pub(super) fn check_manager(
        &mut self,
        now: Time,
        message: &ManagerMessage,
        reference: u32,
        (policy, limits): (&Policy, &Limits),
        found: &mut Found,
    ) {
        use ManagerMessage as M;
        let live = || self.calls.values().filter(|call| call.ended.is_none()).count();
        if let M::CallState(state) = message
            && reference != 0
            && !is_over(state.call_state)
            && !self.calls.contains_key(&reference)
            && live() >= limits.calls
        {
            found.say(FindingKind::TooManyCalls, format!("{} calls", live() + 1));
        }
        match message {
            M::DialedNumber(dialed) if policy.denies_number(dialed.dialed_number.bytes()) => {
                found.say(FindingKind::NumberDenied, display(dialed.dialed_number.bytes()));
            }
            M::ForwardStat(forward) => {
                for number in forwards(forward) {
                    if policy.denies_number(number.bytes()) {
                        found.say(FindingKind::ForwardDenied, display(number.bytes()));
                    }
                }
            }
            M::Reset(_) if !self.resets.take(now, limits.reset_rate) => found.add(FindingKind::ResetFlood),
            M::UserToDeviceData(data) => check_screen(&data.xmldata.0, found),
            M::UserToDeviceDataVersion1(data) => check_screen(&data.xmldata.0, found),
            _ => {}
        }
    }

    /// A phone has said this.
    pub(super) fn learn_station(&mut self, message: &Message, said: &StationMessage) {
        let (_, reference) = message.place();
        if let StationMessage::KeypadButton(button) = said
            && let Some(call) = self.dialling(reference)
            && call.answered.is_none()
        {
            call.keys += 1;
            call.dialled.extend(digit(button.kp_button));
        }
    }

    /// A manager has said this. Gives out the call if it is over by it.
    pub(super) fn learn_manager(
        &mut self,
        now: Time,
        (line, reference): (u32, u32),
        message: &ManagerMessage,
        limits: &Limits,
    ) -> Option<CallSummary> {
        use ManagerMessage as M;
        if reference == 0 {
            return None;
        }
        let is_end = matches!(message, M::CallState(state) if is_over(state.call_state));
        if !self.calls.contains_key(&reference) {
            if is_end {
                return None;
            }
            self.make_room(now, limits);
            self.calls.insert(reference, Call::new(now));
        }
        let call = self.calls.get_mut(&reference)?;
        call.line = call.line.max(line);
        match message {
            M::CallState(state) => {
                let state = state.call_state;
                if !is_end && call.ended.is_some() {
                    // The reference is used again.
                    *call = Call::new(now);
                    call.line = line;
                }
                call.outgoing |= call.state.is_none() && state == CallState::OffHook;
                call.state = Some(state);
                if state == CallState::Connected {
                    call.answered.get_or_insert(now);
                }
                if is_end && call.ended.is_none() {
                    call.ended = Some(now);
                    return Some(call.summary(reference, now));
                }
            }
            M::CallInfo(info) => {
                call.learn(info.call_type, [info.calling_party.bytes(), info.called_party.bytes()])
            }
            M::CallInfoV2(info) => {
                call.learn(info.call_type, [info.calling_party.bytes(), info.called_party.bytes()])
            }
            M::DialedNumber(dialed) => call.called = display(dialed.dialed_number.bytes()),
            _ => {}
        }
        None
    }

    /// The connection is over: so are its calls.
    pub(super) fn end(&mut self, now: Time) -> Vec<CallSummary> {
        let calls = core::mem::take(&mut self.calls);
        let live = calls.into_iter().filter(|(_, call)| call.ended.is_none() && call.state.is_some());
        live.map(|(reference, call)| call.summary(reference, now)).collect()
    }

    /// The number of this call is denied.
    pub(super) fn bar(&mut self, reference: u32) {
        if let Some(call) = self.calls.get_mut(&reference) {
            call.barred = true;
        }
    }

    /// May audio of this call flow? Old managers do not say which call it is.
    pub(super) fn may_speak(&self, reference: u32) -> bool {
        self.calls.get(&reference).is_none_or(|call| !call.barred)
    }

    pub(super) fn live(&self) -> usize {
        self.calls.values().filter(|call| call.ended.is_none()).count()
    }

    fn is_known(&self, now: Time, reference: u32) -> bool {
        self.calls.get(&reference).is_some_and(|call| call.ended.is_none_or(|ended| now <= ended + GRACE))
    }

    /// Does the phone begin a call by this?
    fn begins(&self, said: &StationMessage) -> bool {
        use StationMessage as S;
        let rings = || self.calls.values().any(|call| call.state == Some(CallState::RingIn));
        match said {
            S::OffHook(_) => !rings(),
            S::EnblocCall(_) => true,
            S::SoftKeyEvent(key) => matches!(key.soft_key_event, SoftKey::NewCall | SoftKey::Redial),
            _ => false,
        }
    }

    /// The call that a key belongs to; old phones do not say which.
    fn dialling(&mut self, reference: u32) -> Option<&mut Call> {
        if reference != 0 {
            return self.calls.get_mut(&reference);
        }
        let live = self.calls.values_mut().filter(|call| call.ended.is_none());
        live.max_by_key(|call| (call.answered.is_none(), call.begun))
    }

    fn make_room(&mut self, now: Time, limits: &Limits) {
        if self.calls.len() < limits.calls.saturating_add(SPARE) {
            return;
        }
        self.calls.retain(|_, call| call.ended.is_none_or(|ended| now <= ended + GRACE));
        while self.calls.len() >= limits.calls.saturating_add(SPARE) {
            let oldest = self.calls.iter().min_by_key(|(_, call)| (call.ended.is_none(), call.begun));
            let Some(reference) = oldest.map(|(reference, _)| *reference) else { return };
            self.calls.remove(&reference);
        }
    }
}

impl Call {
    fn new(now: Time) -> Self {
        Self {
            line: 0,
            state: None,
            begun: now,
            answered: None,
            ended: None,
            keys: 0,
            dialled: String::new(),
            outgoing: false,
            barred: false,
            calling: String::new(),
            called: String::new(),
        }
    }

    fn learn(&mut self, call_type: CallType, [calling, called]: [&[u8]; 2]) {
        self.outgoing = call_type == CallType::Outbound || self.outgoing && call_type != CallType::Inbound;
        for (known, said) in [(&mut self.calling, calling), (&mut self.called, called)] {
            if !said.is_empty() {
                *known = display(said);
            }
        }
    }

    fn summary(&self, reference: u32, now: Time) -> CallSummary {
        let called = if self.called.is_empty() { &self.dialled } else { &self.called };
        CallSummary {
            reference,
            line: self.line,
            outgoing: self.outgoing,
            calling: self.calling.clone(),
            called: called.clone(),
            begun: self.begun,
            answered: self.answered,
            ended: now,
        }
    }
}

fn is_over(state: CallState) -> bool {
    matches!(state, CallState::OnHook | CallState::Idle)
}

/// Answers to media orders are judged by their orders.
fn is_answer(said: &StationMessage) -> bool {
    use StationMessage as S;
    matches!(
        said,
        S::OpenReceiveChannelAck(_)
            | S::OpenMultiMediaReceiveChannelAck(_)
            | S::StartMediaTransmissionAck(_)
            | S::StartMultiMediaTransmissionAck(_)
            | S::MediaTransmissionFailure(_)
            | S::PortRes(_)
            | S::ConnectionStatisticsRes(_)
            | S::DeviceToUserData(_)
            | S::DeviceToUserDataResponse(_)
            | S::DeviceToUserDataVersion1(_)
            | S::DeviceToUserDataResponseVersion1(_)
    )
}

/// What a key of a keypad dials.
fn digit(key: KeypadKey) -> Option<char> {
    match key {
        KeypadKey::Star => Some('*'),
        KeypadKey::Pound => Some('#'),
        KeypadKey::Plus => Some('+'),
        key => char::from_digit(key.into(), 10),
    }
}

/// The numbers to which calls are forwarded.
fn forwards(forward: &ForwardStat) -> impl Iterator<Item = &Number> {
    let ways = [
        (forward.forward_all_active, &forward.forward_all_dirnum),
        (forward.forward_busy_active, &forward.forward_busy_dirnum),
        (forward.forward_no_answer_active, &forward.forward_no_answer_dirnum),
    ];
    ways.into_iter().filter(|(active, _)| *active != 0).map(|(_, number)| number)
}

/// A screen that does not only show something: it has the phone dial, press keys, or send its audio somewhere.
fn check_screen(data: &[u8], found: &mut Found) {
    const ORDERS: [&[u8]; 5] = [b"CiscoIPPhoneExecute", b"Dial:", b"RTPTx:", b"RTPRx:", b"RTPMRx:"];
    let has = |word: &&[u8]| data.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    if let Some(word) = ORDERS.iter().find(|word| has(word)) {
        found.say(FindingKind::XmlPushed, String::from_utf8_lossy(word).to_string());
    }
}
