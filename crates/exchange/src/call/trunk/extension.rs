//! SIP phones: phones of the office that are spoken to as trunks are. What others see of them - lamps, presence, records,
//! rights - is that of their line.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::ops::Bound;

use selsius_site::{CodeDemand, DeviceName, Dtmf, LineNumber, MediaPath, SipPhone, Site};
use selsius_wire::Time;

use super::{PhoneContact, TrunkEnd, TrunkLegId, TrunkOrder};
use crate::{
    arena::Handle,
    call::{Call, End, Leg, LegState, Phase, Role},
    dialplan::{self, Destination, Target},
    exchange::Exchange,
    io::Level,
    record::{DeviceEventKind, EndCause, Party, RedirectKind, WallTime},
    remembered::ForwardKind,
    view::Transition,
};

/// A SIP phone and the line that it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnLine {
    pub(crate) phone: DeviceName,
    pub(crate) line: LineNumber,
}

/// The SIP phones.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    /// Those that are registered or in a call.
    phones: BTreeMap<DeviceName, Extension>,
    /// Those that the site gives to each line.
    of_line: BTreeMap<LineNumber, Vec<DeviceName>>,
}

/// A SIP phone that is registered or in a call.
#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) line: LineNumber,
    /// Where it is registered.
    pub(crate) contacts: Vec<PhoneContact>,
    /// Since when it is registered.
    pub(crate) since: WallTime,
    pub(crate) legs: Vec<Handle<Leg>>,
}

impl Extensions {
    pub(crate) fn of(site: &Site) -> Self {
        let mut of_line: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, phone) in &site.sip_phones {
            if let Some(line) = &phone.line {
                of_line.entry(line.clone()).or_default().push(name.clone());
            }
        }
        Self { phones: BTreeMap::new(), of_line }
    }

    /// Those that are registered or in a call, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&DeviceName, &Extension)> {
        self.phones.iter()
    }

    /// Those that are registered, from the first one after a name on.
    pub(crate) fn after<'e>(
        &'e self,
        from: Bound<&'e DeviceName>,
    ) -> impl Iterator<Item = (&'e DeviceName, &'e Extension)> {
        self.phones.range((from, Bound::Unbounded)).filter(|(_, phone)| !phone.contacts.is_empty())
    }

    pub(crate) fn get(&self, phone: &DeviceName) -> Option<&Extension> {
        self.phones.get(phone)
    }

    fn on_line(&self, line: &LineNumber) -> impl Iterator<Item = (&DeviceName, &Extension)> {
        let names = self.of_line.get(line).map(Vec::as_slice).unwrap_or_default();
        names.iter().filter_map(|name| self.phones.get_key_value(name))
    }

    /// The SIP phones of a line that are registered.
    pub(crate) fn registered(&self, line: &LineNumber) -> impl Iterator<Item = (&DeviceName, &Extension)> {
        self.on_line(line).filter(|(_, phone)| !phone.contacts.is_empty())
    }

    /// Where all of them are registered.
    pub(crate) fn contacts(self) -> BTreeMap<DeviceName, Vec<PhoneContact>> {
        self.phones.into_iter().map(|(name, phone)| (name, phone.contacts)).collect()
    }
}

impl Exchange {
    pub(super) fn site_phone(&self, name: &str) -> Option<&SipPhone> {
        self.site.sip_phones.get(&name.parse::<DeviceName>().ok()?)
    }

    /// Is a phone with this line registered, of whatever kind?
    pub(crate) fn has_phone(&self, line: &LineNumber) -> bool {
        self.appearances.contains_key(line) || self.extensions.registered(line).next().is_some()
    }

    /// The calls of SIP phones on a line.
    pub(crate) fn extension_legs(&self, line: &LineNumber) -> impl Iterator<Item = (Handle<Leg>, &Leg)> {
        let legs = self.extensions.on_line(line).flat_map(|(_, phone)| &phone.legs);
        legs.filter_map(|&leg| Some((leg, self.legs.get(leg)?)))
    }

    /// A SIP phone is registered at these places, and nowhere else.
    pub(crate) fn phone_registered(&mut self, now: Time, phone: DeviceName, contacts: Vec<PhoneContact>) {
        let Some(line) = self.site.sip_phones.get(&phone).and_then(|phone| phone.line.clone()) else {
            return self.counters.refuse("registration of a SIP phone that the site does not have");
        };
        let since = self.wall.wall(now);
        let state = self.extensions.phones.entry(phone.clone()).or_insert_with(|| Extension {
            line: line.clone(),
            contacts: Vec::new(),
            since,
            legs: Vec::new(),
        });
        let before = core::mem::replace(&mut state.contacts, contacts);
        let newest = state.contacts.last().cloned();
        match (before.is_empty(), newest) {
            (true, Some(contact)) => {
                state.since = since;
                let (address, load) = (contact.address.ip(), contact.agent);
                let kind = DeviceEventKind::Registered { address, device_type: 0, version: 0, load };
                self.device_event(now, phone.as_str(), kind);
                let text = alloc::format!("SIP phone registered from {} (line {line})", contact.address);
                self.event(Level::Info, None, phone.as_str(), text);
                self.line_there(&line);
            }
            (false, None) => {
                let kind = DeviceEventKind::Unregistered { reason: "unregistered".into() };
                self.device_event(now, phone.as_str(), kind);
                self.event(Level::Info, None, phone.as_str(), "SIP phone is registered no more");
            }
            _ => {}
        }
        // A call that rings at a place that is gone is given up by the trunk's side, which knows the place.
        self.tell_messages(&phone);
        self.forget_idle(&phone);
        self.render_line_of(now, &line);
    }

    fn forget_idle(&mut self, phone: &DeviceName) {
        let idle = |phone: &Extension| phone.contacts.is_empty() && phone.legs.is_empty();
        if self.extensions.phones.get(phone).is_some_and(idle) {
            self.extensions.phones.remove(phone);
        }
    }

    /// The site has changed: phones may be gone from it, or be on another line. Calls of these end.
    pub(crate) fn extensions_changed(&mut self, now: Time) {
        self.extensions.of_line = Extensions::of(&self.site).of_line;
        let line_of =
            |phone: &DeviceName| self.site.sip_phones.get(phone).and_then(|phone| phone.line.clone());
        let other = |(phone, state): (&DeviceName, &Extension)| {
            let line = line_of(phone);
            (line.as_ref() != Some(&state.line)).then(|| (phone.clone(), line))
        };
        let moved: Vec<_> = self.extensions.phones.iter().filter_map(other).collect();
        for (phone, line) in moved {
            let Some(state) = self.extensions.phones.get_mut(&phone) else { continue };
            let (mut before, legs) = (state.line.clone(), state.legs.clone());
            // First of all no call finds its way there any more.
            match &line {
                Some(line) => before = core::mem::replace(&mut state.line, line.clone()),
                None if state.contacts.is_empty() => {}
                None => {
                    state.contacts.clear();
                    let kind = DeviceEventKind::Unregistered { reason: "no longer in the site".into() };
                    self.device_event(now, phone.as_str(), kind);
                }
            }
            for leg in legs {
                self.end_leg(now, leg, EndCause::PhoneLost);
            }
            self.forget_idle(&phone);
            for line in [Some(before), line].into_iter().flatten() {
                self.render_line_of(now, &line);
            }
            self.tell_messages(&phone);
        }
    }

    /// What is known of SIP phones by an exchange that has failed.
    pub(crate) fn remember_phones(&mut self, phones: BTreeMap<DeviceName, Vec<PhoneContact>>) {
        let since = self.wall.wall(self.now);
        for (name, contacts) in phones.into_iter().filter(|(_, contacts)| !contacts.is_empty()) {
            let line = self.site.sip_phones.get(&name).and_then(|phone| phone.line.clone());
            let Some(line) = line else { continue };
            self.extensions.phones.insert(name, Extension { line, contacts, since, legs: Vec::new() });
        }
    }

    /// Tells a SIP phone how many messages wait for its line.
    fn tell_messages(&mut self, phone: &DeviceName) {
        let Some(state) = self.extensions.get(phone).filter(|phone| !phone.contacts.is_empty()) else {
            return;
        };
        let messages = self.line_states.get(&state.line).map(|state| state.messages).unwrap_or_default();
        let (new, old) = (messages.new, messages.old);
        self.order(TrunkOrder::Messages { phone: phone.clone(), new, old });
    }

    /// What waits for a line has changed.
    pub(crate) fn messages_changed(&mut self, line: &LineNumber) {
        let phones: Vec<_> = self.extensions.registered(line).map(|(name, _)| name.clone()).collect();
        for phone in phones {
            self.tell_messages(&phone);
        }
    }

    /// A leg of a SIP phone begins.
    pub(crate) fn extension_leg_added(&mut self, leg: Handle<Leg>, at: OnLine) {
        let since = self.wall.wall(self.now);
        let OnLine { phone, line } = at;
        let new = || Extension { line, contacts: Vec::new(), since, legs: Vec::new() };
        self.extensions.phones.entry(phone).or_insert_with(new).legs.push(leg);
    }

    /// A leg of a SIP phone is over.
    pub(crate) fn extension_leg_gone(&mut self, now: Time, handle: Handle<Leg>, leg: &Leg, at: &OnLine) {
        if let Some(phone) = self.extensions.phones.get_mut(&at.phone) {
            phone.legs.retain(|&other| other != handle);
        }
        self.forget_idle(&at.phone);
        self.line_gone(now, leg, &at.line);
        self.render_line_of(now, &at.line);
    }

    /// Tells all phones that show something of this line.
    pub(crate) fn render_line_of(&mut self, now: Time, line: &LineNumber) {
        let devices = self.appearances.get(line).map(Vec::as_slice).unwrap_or_default();
        for device in devices.iter().map(|appears| appears.device).collect::<Vec<_>>() {
            self.render(now, device, Transition::Remote, None);
        }
        self.render_watchers(now, line);
    }

    /// How many calls a SIP phone is in; one that rings at several of its places is one.
    pub(crate) fn calls_of(&self, phone: &Extension) -> usize {
        let mut calls: Vec<_> = phone.legs.iter().filter_map(|&leg| Some(self.legs.get(leg)?.call)).collect();
        calls.sort_unstable();
        calls.dedup();
        calls.len()
    }

    /// May a SIP phone have one more call?
    pub(crate) fn extension_has_room(&self, phone: &DeviceName) -> bool {
        let most = self.site.sip_phones.get(phone).map_or(0, |phone| phone.calls);
        let calls = self.extensions.get(phone).map_or(0, |phone| self.calls_of(phone));
        calls < usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// May one more call ring at a SIP phone of a line that takes so many?
    pub(crate) fn extension_has_room_for(&self, phone: &DeviceName, most: usize) -> bool {
        let calls = self.extensions.get(phone).map_or(0, |phone| self.calls_of(phone));
        calls < most && self.extension_has_room(phone)
    }

    /// Is nothing going on at a SIP phone?
    pub(crate) fn extension_is_idle(&self, phone: &DeviceName) -> bool {
        self.extensions.get(phone).is_some_and(|phone| phone.legs.is_empty())
    }

    /// The call rings at a SIP phone, wherever that is registered.
    pub(crate) fn ring_extension(
        &mut self,
        now: Time,
        call_handle: Handle<Call>,
        phone: &DeviceName,
        called: &Party,
    ) {
        let Some(state) = self.extensions.get(phone) else { return };
        let (line, contacts) = (state.line.clone(), state.contacts.clone());
        let relays = self.site.sip_phones.get(phone).is_some_and(|phone| phone.media == MediaPath::Relay);
        for contact in contacts {
            // What failed at one place may have been all that kept the call.
            let rings = self.calls.get(call_handle).is_some_and(|call| call.phase == Phase::Ringing);
            let Some(caller) = self.caller(call_handle).filter(|_| rings) else { return };
            let codecs = self.codecs_of(caller, phone.as_str());
            let id = TrunkLegId(self.next_trunk_leg());
            let mut end = TrunkEnd::new(id, phone.as_str().into(), relays);
            end.extension = Some(OnLine { phone: phone.clone(), line: line.clone() });
            end.asked = true;
            end.audio.codecs.clone_from(&codecs);
            let who = Party { device: Some(phone.clone()), ..called.clone() };
            let Some(leg) =
                self.add_leg(call_handle, End::Trunk(Box::new(end)), who, Role::Called, LegState::RingIn)
            else {
                return;
            };
            let Some(call) = self.calls.get(call_handle) else { return };
            let offer = TrunkOrder::Offer {
                leg: id,
                trunk: phone.as_str().into(),
                contact: Some(contact.id),
                number: line.as_str().into(),
                calling: Party { number: call.shown_calling().into(), ..call.calling.clone() },
                redirecting: call.redirections.last().map(|redirection| redirection.by.clone()),
                codecs,
                packet_ms: self.site.settings.packet_ms,
                listens: None,
                meet_me: false,
                emergency: call.emergency,
            };
            self.transition(now, leg, Transition::RingIn);
            if !relays {
                self.order(offer);
                continue;
            }
            if let Some(End::Trunk(trunk)) = self.legs.get_mut(leg).map(|leg| &mut leg.end) {
                trunk.offer = Some(Box::new(offer));
            }
            if self.settle_media(now, call_handle).is_err() {
                self.trunk_failed(now, leg, EndCause::NoCommonCodec);
            }
        }
    }

    /// A SIP phone has dialled a number, and proved who it is.
    pub(super) fn extension_calls(&mut self, now: Time, leg: Handle<Leg>, phone: &DeviceName, number: &str) {
        let target = dialplan::finish_for(&self.site, self.reach(leg), number);
        let emergency = target.as_ref().is_some_and(|target| target.emergency);
        let phone = self.extensions.get(phone);
        let most = phone.and_then(|phone| {
            let name = self.legs.get(leg)?.extension()?;
            Some((self.calls_of(phone), self.site.sip_phones.get(&name.phone)?.calls))
        });
        let full = most.is_none_or(|(calls, most)| calls > usize::try_from(most).unwrap_or(usize::MAX));
        match target {
            _ if full && !emergency => {
                self.counters.refuse("more calls of a SIP phone than it may have");
                self.fail(now, leg, EndCause::Busy);
            }
            Some(target) => self.complete(now, leg, target),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
        // What asks for more digits, or for a phone with a display, is not for it: nothing follows the number.
        let call = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call));
        if call.is_some_and(|call| call.phase == Phase::Dialing) {
            self.fail(now, leg, EndCause::Blocked);
        }
    }

    /// May a SIP phone send a call there, by a transfer or a redirection? Where its user may call without a code; and nobody
    /// outside is sent outside again if the office does not want that.
    pub(super) fn extension_may_send(&self, leg: Handle<Leg>, target: Option<Target>) -> bool {
        let Some(target) = target else { return false };
        if target.terms.code != CodeDemand::None {
            return false;
        }
        match target.to {
            Destination::Feature(..) | Destination::Park(_) | Destination::Blocked => false,
            Destination::Trunks(..) => {
                let inside = |&leg: &Handle<Leg>| self.legs.get(leg).is_some_and(Leg::is_inside);
                self.site.settings.outside_transfers || self.others(leg).iter().any(inside)
            }
            _ => true,
        }
    }

    /// A SIP phone joins two of its calls.
    pub(super) fn extension_joins(&mut self, now: Time, leg: Handle<Leg>, with: TrunkLegId) {
        let phone = |leg| self.legs.get(leg).and_then(Leg::extension).map(|at| at.phone.clone());
        let other = self.trunk_legs.get(&with).copied();
        let Some(other) = other.filter(|&other| phone(other).is_some() && phone(other) == phone(leg)) else {
            return self.counters.refuse("transfer to a call that is not the phone's");
        };
        if self.transfer(now, leg, other).is_err() {
            self.counters.refuse("transfer that cannot be");
        }
    }

    /// The only phone that rang does not take the call: its line may forward that. `false` if it does not.
    pub(crate) fn forward_refused(&mut self, now: Time, call: Handle<Call>, cause: EndCause) -> bool {
        let (kind, redirection) = match cause {
            EndCause::Busy => (ForwardKind::Busy, RedirectKind::ForwardBusy),
            EndCause::NoAnswer => (ForwardKind::NoAnswer, RedirectKind::ForwardNoAnswer),
            EndCause::Unregistered => (ForwardKind::Unregistered, RedirectKind::ForwardUnregistered),
            _ => return false,
        };
        let (Some(caller), Some(state)) = (self.caller(call), self.calls.get(call)) else { return false };
        let Ok(line) = state.called.number.parse::<LineNumber>() else { return false };
        let set = self.line_states.get(&line).and_then(|state| state.forwards.target(kind));
        let usual = self.site.lines.get(&line).and_then(|line| line.forward_unregistered.as_ref());
        let to = set.or(usual.filter(|_| kind == ForwardKind::Unregistered));
        let Some(to) = to.filter(|to| state.calling.number != to.as_str()).cloned() else { return false };
        self.lead_on(now, caller, to.as_str(), redirection);
        true
    }

    /// What the far end of a trunk or a SIP phone has been set to: how keys are sent.
    pub(super) fn dtmf_of(&self, name: &str) -> Dtmf {
        let phone = self.site_phone(name).map(|phone| phone.dtmf);
        phone.or_else(|| Some(self.site_trunk(name)?.dtmf)).unwrap_or_default()
    }

    /// Checks that SIP phones and their calls hang together. For [`Exchange::check`].
    pub(crate) fn check_extensions(&self) -> Result<(), String> {
        let mut known = 0;
        for (name, phone) in self.extensions.iter() {
            known += phone.legs.len();
            if phone.legs.is_empty() && phone.contacts.is_empty() {
                return Err(alloc::format!("{name} is neither registered nor in a call"));
            }
            let right = |&leg: &Handle<Leg>| {
                let at = self.legs.get(leg).and_then(Leg::extension);
                at.is_some_and(|at| at.phone == *name && at.line == phone.line)
            };
            if !phone.legs.iter().all(right) {
                return Err(alloc::format!("{name} has a leg that is not its own"));
            }
            let configured = self.site.sip_phones.get(name).and_then(|phone| phone.line.as_ref());
            if configured != Some(&phone.line) {
                return Err(alloc::format!(
                    "{name} is on line {} and should be on {configured:?}",
                    phone.line
                ));
            }
        }
        let legs = self.legs.iter().filter(|(_, leg)| leg.extension().is_some()).count();
        if legs == known { Ok(()) } else { Err("a leg of a SIP phone is on no SIP phone".into()) }
    }
}
