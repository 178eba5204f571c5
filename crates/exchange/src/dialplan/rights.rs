//! Who may call what, and what becomes of a number before somebody is asked: translations, the time of day, callers
//! that are refused, the number that the other side sees.

use selsius_site::{CallerId, CodeDemand, LineNumber, Name, NumberMask, PatternMatch};

use super::{Destination, Reach, Target, finish};
use crate::{
    arena::Handle,
    call::{CallingAs, Leg},
    exchange::Exchange,
    record::{EndCause, Party},
};

/// A number that leads on more often goes in circles.
const MOST_TRANSLATIONS: usize = 8;

impl Exchange {
    /// What the user of this leg may call. Trunks may call everything that their numbers lead to.
    pub(crate) fn reach(&self, leg: Handle<Leg>) -> Reach<'_> {
        let emergency_only = self
            .legs
            .get(leg)
            .and_then(|leg| self.calls.get(leg.call))
            .is_some_and(|call| call.emergency_only);
        let partitions = self.rights_of(leg).map(|rights| {
            self.site.rights.get(rights).map(|rights| rights.partitions.as_slice()).unwrap_or_default()
        });
        Reach { partitions, emergency_only }
    }

    /// The rights of who is logged in, else those of the line, else those of the phone's pool.
    fn rights_of(&self, leg: Handle<Leg>) -> Option<&Name> {
        let leg = self.legs.get(leg)?;
        if let Some(at) = leg.extension() {
            return self.site.lines.get(&at.line)?.rights.as_ref();
        }
        let station = leg.station()?;
        let device = self.devices.get(station.device)?;
        // Mostly there are neither users nor pools; this is asked at each digit.
        let users = !self.site.users.is_empty();
        let state = users.then(|| self.device_states.get(&device.name)).flatten();
        let user = state.and_then(|state| state.user.as_ref());
        let of_user = user.and_then(|user| self.site.users.get(user)?.rights.as_ref());
        let number = device.appearance(station.line).map(|appearance| &appearance.number);
        let of_line = || number.and_then(|number| self.site.lines.get(number)?.rights.as_ref());
        let of_pool = || {
            if self.site.pools.is_empty() {
                return None;
            }
            let pool = self.site.devices.get(&device.name)?.pool.as_ref()?;
            self.site.pools.get(pool)?.rights.as_ref()
        };
        of_user.or_else(of_line).or_else(of_pool)
    }

    /// Where a target leads at this time of day, through all numbers that stand for other ones. What the office has
    /// decided needs no right of the caller's.
    pub(crate) fn resolve(&self, mut target: Target) -> Result<Target, EndCause> {
        for _ in 0..MOST_TRANSLATIONS {
            let closed = match target.terms.hours.take() {
                Some((schedule, otherwise)) => (!self.is_open(&schedule)).then_some(otherwise),
                None => None,
            };
            let number = match (closed, &target.to) {
                (Some(otherwise), _) => otherwise.ok_or(EndCause::Blocked)?,
                (None, Destination::Number(number)) => number.clone(),
                (None, _) => return Ok(target),
            };
            let mut next = finish(&self.site, number.as_str()).ok_or(EndCause::UnknownNumber)?;
            next.emergency |= target.emergency;
            next.terms.calling = next.terms.calling.or(target.terms.calling);
            if next.terms.code == CodeDemand::None {
                next.terms.code = target.terms.code;
                next.terms.partition = next.terms.partition.or(target.terms.partition);
            }
            if next.emergency {
                next.terms.code = CodeDemand::None;
                next.terms.hours = None;
            }
            target = next;
        }
        Err(EndCause::Blocked)
    }

    /// Does the office refuse this caller?
    pub(crate) fn refuses_caller(&self, number: &str) -> bool {
        let matches = |found| matches!(found, PatternMatch::Full | PatternMatch::FullMayGrow);
        self.site.blocked.calling.iter().any(|pattern| matches(pattern.matches(number)))
    }

    /// Does this line hide its number?
    pub(crate) fn hides_number(&self, line: &LineNumber) -> bool {
        self.site.lines.get(line).is_some_and(|line| line.caller_id == CallerId::Restricted)
    }

    /// The number that the other side is to see, where it is not the caller's own: what the route says, and outside of
    /// the office what the line says.
    pub(crate) fn calling_as(&self, caller: Handle<Leg>, target: &Target) -> Option<CallingAs> {
        let own = &self.legs.get(caller)?.who.number;
        let outside = matches!(target.to, Destination::Trunks(..));
        let mask = target.terms.calling.as_ref().or_else(|| self.external_number(own).filter(|_| outside))?;
        Some(CallingAs { own: own.clone(), shown: mask.apply(own) })
    }

    /// The caller as another telephone system sees it.
    pub(crate) fn caller_outside(&self, leg: &Leg) -> Party {
        let Some(call) = self.calls.get(leg.call) else { return Party::default() };
        let own = &call.calling.number;
        let shown = call.shown_calling();
        let number = match self.external_number(own) {
            Some(mask) if shown == own => mask.apply(own),
            _ => shown.into(),
        };
        Party { number, ..call.calling.clone() }
    }

    fn external_number(&self, line: &str) -> Option<&NumberMask> {
        self.site.lines.get(&line.parse::<LineNumber>().ok()?)?.external_number.as_ref()
    }
}
