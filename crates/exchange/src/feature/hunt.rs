//! Hunt groups: a number that rings one of several lines, and callers who wait for one of them.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use selsius_site::{HuntGroup, HuntOrder, LineNumber, Name, Site};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use crate::{
    arena::Handle,
    call::{Appears, Call, End, Leg, LegState, Phase, Role, Seat, seconds},
    device::Device,
    exchange::{Exchange, Timer},
    record::{EndCause, Party, RedirectKind, Redirection},
    view::Transition,
};

/// What is known of hunt groups beside the site.
#[derive(Debug)]
pub(crate) struct Hunting {
    /// The lines that are members of groups: do they have to log in to one?
    members: BTreeMap<LineNumber, Login>,
    /// The member of each group that was rung last.
    last: BTreeMap<LineNumber, LineNumber>,
    /// When a member was in a call last.
    used: BTreeMap<LineNumber, Time>,
    /// Who waits for a member of a group, in order of arrival.
    waiting: BTreeMap<LineNumber, Vec<Handle<Call>>>,
}

/// Does a member get calls before it has logged in?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Login {
    /// It does.
    Free,
    /// Not of all its groups.
    Needed,
}

/// A call that looks for a member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hunt {
    group: LineNumber,
    /// Members to be tried in this round.
    left: Vec<LineNumber>,
    /// Has one been rung in this round?
    rung: bool,
    /// When it came to the group.
    since: Time,
    /// Until when it may wait, once it has had to.
    until: Option<Time>,
}

/// Into the hunt groups, or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HuntLog {
    In,
    Out,
}

impl Hunting {
    pub(crate) fn of(site: &Site) -> Self {
        let mut members = BTreeMap::new();
        for (number, group) in &site.hunt_groups {
            let login = if group.login { Login::Needed } else { Login::Free };
            for member in members_of(site, number) {
                let known = members.entry(member).or_insert(login);
                *known = login.max(*known);
            }
        }
        Self { members, last: BTreeMap::new(), used: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Are there any groups?
    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// A line was in a call until now.
    pub(crate) fn used(&mut self, line: &LineNumber, now: Time) {
        if self.members.contains_key(line) {
            self.used.insert(line.clone(), now);
        }
    }

    /// How many wait in all.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }
}

/// The lines of a group, those of groups in it too, each once.
fn members_of(site: &Site, group: &LineNumber) -> Vec<LineNumber> {
    let mut lines = Vec::new();
    let mut seen = BTreeSet::from([group]);
    let mut open: Vec<_> = site.hunt_groups.get(group).into_iter().flat_map(|group| &group.members).collect();
    open.reverse();
    while let Some(member) = open.pop() {
        if !seen.insert(member) {
            continue;
        }
        match site.hunt_groups.get(member) {
            Some(group) => open.extend(group.members.iter().rev()),
            None => lines.push(member.clone()),
        }
    }
    lines
}

impl Exchange {
    /// A group as callers see it.
    pub(crate) fn hunt_party(&self, group: &LineNumber) -> Party {
        let name = self.site.hunt_groups.get(group).map(|group| group.name.clone()).unwrap_or_default();
        Party { number: group.as_str().into(), name, ..Party::default() }
    }

    /// Looks for a member of a group to take the call.
    pub(crate) fn hunt(&mut self, now: Time, caller: Handle<Leg>, group: &LineNumber) {
        let Some(handle) = self.legs.get(caller).map(|leg| leg.call) else { return };
        let (left, pilot, wall) = (self.hunt_order(group), self.hunt_party(group), self.wall.wall(now));
        let Some(call) = self.calls.get_mut(handle) else { return };
        call.ringing.get_or_insert(wall);
        call.pilot = Some(pilot);
        call.hunt = Some(Hunt { group: group.clone(), left, rung: false, since: now, until: None });
        self.hunt_on(now, handle);
    }

    /// The members of a group in the order in which a call that comes now tries them.
    fn hunt_order(&self, number: &LineNumber) -> Vec<LineNumber> {
        let Some(group) = self.site.hunt_groups.get(number) else { return Vec::new() };
        let mut members = members_of(&self.site, number);
        match group.order {
            HuntOrder::Sequential | HuntOrder::Broadcast => {}
            HuntOrder::Circular => {
                let last = self.hunting.last.get(number);
                if let Some(at) = members.iter().position(|member| Some(member) == last) {
                    members.rotate_left(at + 1);
                }
            }
            // Who had no call since the start has been idle for longest; among equals the first member is.
            HuntOrder::LongestIdle => members.sort_by_key(|member| self.hunting.used.get(member).copied()),
        }
        members
    }

    /// Rings the next member that can take the call. Where none is left, the caller waits or is led on.
    fn hunt_on(&mut self, now: Time, handle: Handle<Call>) {
        let Some(caller) = self.caller(handle) else { return };
        loop {
            let Some(hunt) = self.calls.get_mut(handle).and_then(|call| call.hunt.as_mut()) else { return };
            let Some(group) = self.site.hunt_groups.get(&hunt.group) else { break };
            if hunt.left.is_empty() {
                break;
            }
            let together = if group.order == HuntOrder::Broadcast { hunt.left.len() } else { 1 };
            let batch: Vec<_> = hunt.left.drain(..together).collect();
            let seats: Vec<_> =
                batch.into_iter().flat_map(|member| self.hunt_seats(handle, member)).collect();
            if !seats.is_empty() {
                return self.ring_members(now, handle, caller, seats);
            }
        }
        if !self.queue_up(now, handle, caller) {
            self.overflow(now, handle, caller);
        }
    }

    /// Where a member can be rung for a call: on its idle phones, if it is logged in.
    fn hunt_seats(&self, handle: Handle<Call>, member: LineNumber) -> Vec<(LineNumber, Seat)> {
        let Some(hunt) = self.calls.get(handle).and_then(|call| call.hunt.as_ref()) else {
            return Vec::new();
        };
        let group = self.site.hunt_groups.get(&hunt.group);
        if !group.is_some_and(|group| self.is_logged_in(group, &member)) {
            return Vec::new();
        }
        let caller = self.caller(handle).and_then(|caller| self.legs.get(caller));
        let own = caller.and_then(Leg::device);
        let own_phone = caller.and_then(Leg::extension).map(|at| &at.phone);
        let all = self.appearances.get(&member).map(Vec::as_slice).unwrap_or_default();
        let free = |station: &Appears| Some(station.device) != own && self.is_idle_at(&member, *station);
        let stations = all.iter().copied().filter(free).map(Seat::Station);
        let phones = self.idle_extensions(&member).filter(|&phone| Some(phone) != own_phone);
        let seats = stations.chain(phones.map(|phone| Seat::Extension(phone.clone())));
        seats.map(|seat| (member.clone(), seat)).collect()
    }

    fn is_logged_in(&self, group: &HuntGroup, member: &LineNumber) -> bool {
        let state = self.line_state(member);
        if group.login { state.hunt_logged_in } else { !state.hunt_logged_out }
    }

    fn ring_members(
        &mut self,
        now: Time,
        handle: Handle<Call>,
        caller: Handle<Leg>,
        seats: Vec<(LineNumber, Seat)>,
    ) {
        let Some(call) = self.calls.get_mut(handle) else { return };
        call.phase = Phase::Ringing;
        let Some(hunt) = call.hunt.as_mut() else { return };
        hunt.rung = true;
        let group = hunt.group.clone();
        if let Some((member, _)) = seats.last() {
            self.hunting.last.insert(group.clone(), member.clone());
        }
        let wait = self.site.hunt_groups.get(&group).map_or(1, |group| group.ring_seconds.max(1));
        self.timers.set(Timer::NoAnswer(handle), now + seconds(wait));
        self.music_ends(now, handle);
        let mut phones = Vec::new();
        for (member, seat) in seats {
            let station = match seat {
                Seat::Station(station) => station,
                Seat::Extension(phone) => {
                    phones.push((member, phone));
                    continue;
                }
            };
            let device = self.devices.get(station.device).map(|device| device.name.clone());
            let who = Party { device, ..self.party(&member) };
            let end = End::Station(station);
            if let Some(leg) = self.add_leg(handle, end, who, Role::Called, LegState::RingIn) {
                self.transition(now, leg, Transition::RingIn);
            }
        }
        self.hears_ringing(now, caller);
        for (member, phone) in phones {
            let who = self.party(&member);
            self.ring_extension(now, handle, &phone, &who);
        }
    }

    /// Whoever heard the music of the queue hears how it rings.
    fn music_ends(&mut self, now: Time, handle: Handle<Call>) {
        let Some(call) = self.calls.get_mut(handle) else { return };
        if core::mem::take(&mut call.early) {
            let _ = self.settle_media(now, handle);
        }
    }

    fn hears_ringing(&mut self, now: Time, caller: Handle<Leg>) {
        match self.legs.get(caller).map(|leg| leg.state) {
            Some(LegState::Held | LegState::RingOut) => self.transition(now, caller, Transition::Parties),
            _ => self.enter(now, caller, LegState::RingOut, Transition::RingOut),
        }
    }

    /// Nobody can be rung now: the caller waits, if there is somebody to wait for and room. One who has waited before
    /// keeps its place and its time.
    fn queue_up(&mut self, now: Time, handle: Handle<Call>, caller: Handle<Leg>) -> bool {
        let Some(hunt) = self.calls.get(handle).and_then(|call| call.hunt.clone()) else { return false };
        let Some(group) = self.site.hunt_groups.get(&hunt.group) else { return false };
        let until = match hunt.until {
            Some(until) if until > now => until,
            Some(_) => return false,
            None => {
                let waiting = self.hunting.waiting.get(&hunt.group).map_or(0, Vec::len);
                let room = waiting < usize::try_from(group.queue).unwrap_or(usize::MAX);
                if hunt.rung || !room || !self.has_staff(&hunt.group) {
                    return false;
                }
                let usual = self.site.settings.timers.queue;
                now + seconds(if group.queue_seconds == 0 { usual } else { group.queue_seconds })
            }
        };
        if let Some(call) = self.calls.get_mut(handle) {
            call.phase = Phase::Queued;
            if let Some(hunt) = call.hunt.as_mut() {
                hunt.until = Some(until);
            }
        }
        self.timers.set(Timer::NoAnswer(handle), until);
        let mut waiting = self.hunting.waiting.remove(&hunt.group).unwrap_or_default();
        waiting.push(handle);
        waiting.sort_by_key(|&waits| {
            let call = self.calls.get(waits);
            call.map(|call| (call.hunt.as_ref().map(|hunt| hunt.since), call.id))
        });
        self.hunting.waiting.insert(hunt.group, waiting);
        let hears_music = self.hears_music(handle, caller);
        if let Some(call) = self.calls.get_mut(handle) {
            call.early = hears_music;
        }
        self.hears_ringing(now, caller);
        if hears_music {
            let _ = self.settle_media(now, handle);
            self.transition(now, caller, Transition::Media);
        }
        true
    }

    /// What callers in the queue of a call's group hear instead of how it rings.
    pub(crate) fn queue_music(&self, call: &Call) -> Option<&Name> {
        self.site.hunt_groups.get(&call.hunt.as_ref()?.group)?.music.as_ref()
    }

    /// Is this caller played the music of the queue? A far end that only talks to phones directly is not: it has no place of
    /// its own at the media services.
    fn hears_music(&self, handle: Handle<Call>, caller: Handle<Leg>) -> bool {
        let Some(leg) = self.legs.get(caller) else { return false };
        let music = self.calls.get(handle).and_then(|call| self.queue_music(call));
        let can = leg.device().is_some() || self.is_relayed(leg);
        music.is_some() && can && leg.state != LegState::Held && self.mixed_audio(caller).is_some()
    }

    /// Is there a member that takes calls at all, if not now?
    fn has_staff(&self, number: &LineNumber) -> bool {
        let Some(group) = self.site.hunt_groups.get(number) else { return false };
        let there = |member: &LineNumber| self.has_phone(member) && self.is_logged_in(group, member);
        members_of(&self.site, number).iter().any(there)
    }

    /// No member takes the call: it goes where the group's calls overflow, or ends.
    fn overflow(&mut self, now: Time, handle: Handle<Call>, caller: Handle<Leg>) {
        let Some(hunt) = self.calls.get_mut(handle).and_then(|call| call.hunt.take()) else { return };
        self.timers.cancel(Timer::NoAnswer(handle));
        let to = self.site.hunt_groups.get(&hunt.group).and_then(|group| group.overflow.clone());
        if let Some(to) = to {
            return self.lead_on(now, caller, to.as_str(), RedirectKind::Hunt);
        }
        let there = |member: &LineNumber| self.has_phone(member);
        let cause = if hunt.rung && hunt.until.is_none() {
            EndCause::NoAnswer
        } else if members_of(&self.site, &hunt.group).iter().any(there) {
            EndCause::Busy
        } else {
            EndCause::Unregistered
        };
        self.fail(now, caller, cause);
    }

    /// The time of a ringing member, or of a caller in a queue, is over. `false` if the call does not hunt.
    pub(crate) fn hunt_timeout(&mut self, now: Time, handle: Handle<Call>) -> bool {
        let Some(call) = self.calls.get(handle).filter(|call| call.hunt.is_some()) else { return false };
        let (phase, legs) = (call.phase, call.legs.clone());
        match phase {
            Phase::Queued => {
                self.leave_queue(handle);
                if let Some(caller) = self.caller(handle) {
                    self.overflow(now, handle, caller);
                }
            }
            Phase::Ringing => {
                for leg in legs {
                    if self.legs.get(leg).is_some_and(|leg| leg.role == Role::Called) {
                        self.remove_leg(now, leg, Transition::End);
                    }
                }
                self.hunt_on(now, handle);
            }
            _ => return false,
        }
        true
    }

    /// The only ringing member is gone: the next one rings. `false` if the call does not hunt.
    pub(crate) fn member_gone(&mut self, now: Time, handle: Handle<Call>) -> bool {
        let hunts = self.calls.get(handle).is_some_and(|call| call.hunt.is_some());
        if hunts {
            self.hunt_on(now, handle);
        }
        hunts
    }

    /// A member has answered: the call is with it.
    pub(crate) fn hunt_ends(&mut self, now: Time, handle: Handle<Call>, leg: Handle<Leg>) {
        let who = self.legs.get(leg).map(|leg| leg.who.clone()).unwrap_or_default();
        let at = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(handle) else { return };
        if call.hunt.take().is_some() {
            let by = core::mem::replace(&mut call.called, who.clone());
            call.redirections.push(Redirection { kind: RedirectKind::Hunt, by, to: who, at });
        }
    }

    /// The call waits no longer, if it did.
    pub(crate) fn leave_queue(&mut self, call: Handle<Call>) {
        self.hunting.waiting.retain(|_, waiting| {
            waiting.retain(|&waits| waits != call);
            !waiting.is_empty()
        });
    }

    /// Is the call where it waits?
    pub(crate) fn is_queued(&self, handle: Handle<Call>, call: &Call) -> bool {
        let waiting = call.hunt.as_ref().and_then(|hunt| self.hunting.waiting.get(&hunt.group));
        waiting.is_some_and(|waiting| waiting.contains(&handle))
    }

    /// Members have become free: those who wait get them, in order of arrival.
    pub(crate) fn serve_queues(&mut self, now: Time) {
        let waiting: Vec<_> = self.hunting.waiting.values().flatten().copied().collect();
        for handle in waiting {
            let Some(hunt) = self.calls.get(handle).and_then(|call| call.hunt.as_ref()) else { continue };
            let left = self.hunt_order(&hunt.group);
            if left.iter().all(|member| self.hunt_seats(handle, member.clone()).is_empty()) {
                continue;
            }
            self.leave_queue(handle);
            if let Some(hunt) = self.calls.get_mut(handle).and_then(|call| call.hunt.as_mut()) {
                (hunt.left, hunt.rung) = (left, false);
            }
            self.hunt_on(now, handle);
        }
    }

    /// The key or button that enters all hunt groups of the phone's lines, or leaves them.
    pub(crate) fn hunt_toggle(&mut self, now: Time, device: Handle<Device>) {
        let out = self.devices.get(device).is_some_and(|device| self.is_logged_out(device));
        let log = if out { HuntLog::In } else { HuntLog::Out };
        match self.hunt_log(now, device, log) {
            Some(text) => self.notify(device, &text),
            None => self.refuse_on(device, DisplayLabel::KeyIsNotActive, "hunt log-in of no member"),
        }
    }

    /// The codes that do so.
    pub(crate) fn hunt_log_by_code(&mut self, now: Time, leg: Handle<Leg>, log: HuntLog) {
        let device = self.legs.get(leg).and_then(Leg::device);
        match device.and_then(|device| self.hunt_log(now, device, log)) {
            Some(text) => self.feature_done(now, leg, &text),
            None => {
                let label = DisplayLabel::KeyIsNotActive;
                self.refuse_code(now, leg, label, "hunt log-in of no member");
            }
        }
    }

    /// What the phone says of it; `None` if none of its lines is a member of a group.
    fn hunt_log(&mut self, now: Time, device: Handle<Device>, log: HuntLog) -> Option<PhoneText> {
        let device = self.devices.get(device)?;
        let lines = device.buttons.lines.iter().map(|line| &line.number);
        let members: Vec<_> =
            lines.filter(|line| self.hunting.members.contains_key(*line)).cloned().collect();
        for member in &members {
            self.change_line(now, member, |state| {
                (state.hunt_logged_in, state.hunt_logged_out) = (log == HuntLog::In, log == HuntLog::Out);
            });
        }
        let text = match log {
            HuntLog::In => PhoneText::from("Logged in to hunt group"),
            HuntLog::Out => PhoneText::label(DisplayLabel::LoggedOutOfHuntGroup),
        };
        (!members.is_empty()).then_some(text)
    }

    /// Does one of the phone's lines get no calls of a hunt group that it is a member of?
    fn is_logged_out(&self, device: &Device) -> bool {
        device.buttons.lines.iter().any(|line| match self.hunting.members.get(&line.number) {
            Some(Login::Needed) => !self.line_state(&line.number).hunt_logged_in,
            Some(Login::Free) => self.line_state(&line.number).hunt_logged_out,
            None => false,
        })
    }

    /// Do hunt groups call this phone?
    pub(crate) fn is_hunted(&self, device: &Device) -> bool {
        let member = device.buttons.lines.iter().any(|line| self.hunting.members.contains_key(&line.number));
        member && !self.is_logged_out(device)
    }

    /// Is this phone's user a member of hunt groups who has logged out?
    pub(crate) fn is_out_of_hunting(&self, device: &Device) -> bool {
        self.hunting.has_members() && self.is_logged_out(device)
    }

    /// The site has changed: other lines may be members. Calls that hunt go on by what they find.
    pub(crate) fn hunting_changed(&mut self) {
        let members = Hunting::of(&self.site).members;
        self.hunting.used.retain(|line, _| members.contains_key(line));
        self.hunting.last.retain(|group, _| self.site.hunt_groups.contains_key(group));
        self.hunting.members = members;
    }
}
