//! Digit analysis: where the digits dialled so far lead.
//!
//! It is asked at each digit: it looks at every route once and makes nothing anew but the target that it finds.

mod clock;
mod format;
mod rights;

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::cmp::Ordering;

use selsius_site::{
    Action, CodeDemand, FeatureCode, Line, LineNumber, Name, NumberMask, NumberRange, Pattern, PatternMatch,
    Route, Site,
};

pub(crate) use self::format::national;
use crate::feature::codes::{self, Argument};

/// Where dialled digits lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) to: Destination,
    /// Never refused.
    pub(crate) emergency: bool,
    /// On what terms its route takes calls.
    pub(crate) terms: Terms,
}

/// What a route wants of the calls that it takes. The default wants nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Where its numbers lie.
    pub(crate) partition: Option<Name>,
    /// When it holds, and who gets the calls otherwise.
    pub(crate) hours: Option<(Name, Option<LineNumber>)>,
    /// A code that has to be entered.
    pub(crate) code: CodeDemand,
    /// The calling number that the other side sees.
    pub(crate) calling: Option<NumberMask>,
}

/// What a number reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// One line of the office.
    Line(LineNumber),
    /// The first of these lines that is free and there.
    FirstOf(Vec<LineNumber>),
    /// Another number.
    Number(LineNumber),
    /// The first of these trunks that can take the call, and the number that it is to call.
    Trunks(Vec<Name>, String),
    /// A member of a hunt group.
    Hunt(LineNumber),
    /// The call that is parked there.
    Park(LineNumber),
    /// The phones of a paging group.
    Paging(LineNumber),
    /// A feature, by its code, and the digits behind it.
    Feature(FeatureCode, String),
    /// Nothing: the number is forbidden.
    Blocked,
}

impl Target {
    /// A destination that no route has terms for.
    pub(crate) fn plain(to: Destination) -> Self {
        Self { to, emergency: false, terms: Terms::default() }
    }

    fn of_route(pattern: &Pattern, route: &Route, digits: &str) -> Self {
        let to = match &route.action {
            Action::Lines(lines) => Destination::FirstOf(lines.clone()),
            Action::Number(number) => Destination::Number(number.clone()),
            Action::Trunks(trunks) => Destination::Trunks(trunks.clone(), sent_on(pattern, route, digits)),
            Action::Block => Destination::Blocked,
        };
        let terms = if route.emergency {
            Terms { calling: route.calling.clone(), ..Terms::default() }
        } else {
            Terms {
                partition: route.partition.clone(),
                hours: route.schedule.clone().map(|schedule| (schedule, route.otherwise.clone())),
                code: route.code,
                calling: route.calling.clone(),
            }
        };
        Self { to, emergency: route.emergency, terms }
    }
}

/// What is known after some digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Analysis {
    /// No number begins like this.
    Nowhere,
    /// More digits are needed.
    Incomplete,
    /// This is it, and no other number begins like this.
    Complete(Target),
    /// This is it if no more digits come.
    MayGrow(Target),
}

/// What a caller may reach. The default is everything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reach<'a> {
    /// The partitions; numbers without one may always be called. `None` is all of them.
    pub(crate) partitions: Option<&'a [Name]>,
    /// Nothing but emergency numbers.
    pub(crate) emergency_only: bool,
}

impl Reach<'_> {
    fn allows(self, partition: Option<&Name>) -> bool {
        let lies_in = |partitions: &[Name]| partition.is_none_or(|partition| partitions.contains(partition));
        !self.emergency_only && self.partitions.is_none_or(lies_in)
    }

    /// A code that says that the caller may is right enough to be asked for it.
    fn allows_route(self, route: &Route) -> bool {
        let asks = route.code == CodeDemand::Authorisation && !self.emergency_only;
        asks || self.allows(route.partition.as_ref())
    }
}

/// Analyses `digits` for a caller who may call everything.
pub(crate) fn analyse(site: &Site, digits: &str) -> Analysis {
    analyse_for(site, Reach::default(), digits)
}

/// Analyses `digits`. Lines and groups win over routes, the more specific route over the less; a number that the caller
/// has no right to is not there, unless nothing else is: then it is forbidden. An emergency number is complete as soon
/// as it matches, whatever longer number begins like it, and so is one of an urgent route.
pub(crate) fn analyse_for(site: &Site, reach: Reach<'_>, digits: &str) -> Analysis {
    match feature(site, reach, digits) {
        Some(analysis) => analysis,
        None => number(site, reach, digits, site.settings.codes.begins(digits)),
    }
}

fn number(site: &Site, reach: Reach<'_>, digits: &str, mut longer: bool) -> Analysis {
    let dialled = digits.parse::<LineNumber>().ok();
    longer |= digits.is_empty() && !site.lines.is_empty();
    let (line, longer_line) = at_and_after(&site.lines, dialled.as_ref());
    longer |= longer_line || at_and_after(&site.paging_groups, dialled.as_ref()).1;
    longer |= at_and_after(&site.hunt_groups, dialled.as_ref()).1 || longer_slot(site, digits);
    let mut best: Option<(&Pattern, &Route)> = None;
    let mut denied = false;
    for (pattern, route) in &site.routes {
        match pattern.matches(digits) {
            PatternMatch::No => continue,
            PatternMatch::Partial => {
                longer = true;
                continue;
            }
            PatternMatch::Full => {}
            PatternMatch::FullMayGrow => longer = true,
        }
        if route.emergency {
            return Analysis::Complete(Target::of_route(pattern, route, digits));
        }
        if !reach.allows_route(route) {
            denied = true;
        } else if best.is_none_or(|(other, _)| pattern.precedence(other) == Ordering::Greater) {
            best = Some((pattern, route));
        }
    }
    let mut own = None;
    if let Some((partition, to)) = dialled.and_then(|dialled| own_number(site, line, dialled)) {
        own = reach.allows(partition).then_some(to);
        denied |= own.is_none();
    }
    let target = match (own, best) {
        (Some(to), _) => Target::plain(to),
        (None, Some((pattern, route))) => {
            longer &= !route.urgent;
            Target::of_route(pattern, route, digits)
        }
        (None, None) if denied => Target::plain(Destination::Blocked),
        (None, None) if longer => return Analysis::Incomplete,
        (None, None) => return Analysis::Nowhere,
    };
    if longer { Analysis::MayGrow(target) } else { Analysis::Complete(target) }
}

/// A number that is no route's: what it reaches, and where it lies.
fn own_number<'a>(
    site: &Site,
    line: Option<&'a Line>,
    number: LineNumber,
) -> Option<(Option<&'a Name>, Destination)> {
    if let Some(line) = line {
        return Some((line.partition.as_ref(), Destination::Line(number)));
    }
    let to = if site.paging_groups.contains_key(&number) {
        Destination::Paging(number)
    } else if site.hunt_groups.contains_key(&number) {
        Destination::Hunt(number)
    } else if is_slot(site, number.as_str()) {
        Destination::Park(number)
    } else {
        return None;
    };
    Some((None, to))
}

/// A feature's code, and what follows it. No code is the beginning of another one or of a number.
fn feature(site: &Site, reach: Reach<'_>, digits: &str) -> Option<Analysis> {
    let (feature, rest) = site.settings.codes.dialled(digits)?;
    if let FeatureCode::CallerIdBlock | FeatureCode::Intercom | FeatureCode::MeetMe = feature {
        return Some(before_number(feature, number(site, reach, rest, false), rest));
    }
    if reach.emergency_only {
        return Some(Analysis::Complete(Target::plain(Destination::Blocked)));
    }
    let target = || Target::plain(Destination::Feature(feature, rest.trim_end_matches('#').into()));
    Some(match codes::argument(feature) {
        Argument::None if rest.is_empty() => Analysis::Complete(target()),
        Argument::None => Analysis::Nowhere,
        _ if rest.ends_with('#') => Analysis::Complete(target()),
        Argument::Number => match analyse(site, rest) {
            Analysis::Nowhere => Analysis::Nowhere,
            Analysis::Incomplete => Analysis::Incomplete,
            Analysis::Complete(_) => Analysis::Complete(target()),
            Analysis::MayGrow(_) => Analysis::MayGrow(target()),
        },
        Argument::Needed if rest.is_empty() => Analysis::Incomplete,
        Argument::Needed | Argument::Possible => Analysis::MayGrow(target()),
    })
}

/// A code in front of a number that is called: it ends where the number does.
fn before_number(feature: FeatureCode, number: Analysis, digits: &str) -> Analysis {
    let with = |target: Target| Target {
        to: Destination::Feature(feature, digits.into()),
        emergency: target.emergency,
        terms: Terms::default(),
    };
    match number {
        Analysis::Complete(target) => Analysis::Complete(with(target)),
        Analysis::MayGrow(target) => Analysis::MayGrow(with(target)),
        Analysis::Nowhere | Analysis::Incomplete => number,
    }
}

/// The number that a route sends on: without the access code (or as many digits as the route says), and with its prefix.
fn sent_on(pattern: &Pattern, route: &Route, digits: &str) -> String {
    let rest = match route.strip.and_then(|strip| usize::try_from(strip).ok()) {
        Some(strip) => digits.get(strip..).unwrap_or_default(),
        None => pattern.sent_on(digits),
    };
    let prefix = route.prefix.as_ref().map_or("", LineNumber::as_str);
    [prefix, rest].concat()
}

/// What the digits reach if nothing follows them, for a caller who may call everything.
pub(crate) fn finish(site: &Site, digits: &str) -> Option<Target> {
    finish_for(site, Reach::default(), digits)
}

/// What the digits reach if nothing follows them: after a time-out, `#`, or en bloc.
pub(crate) fn finish_for(site: &Site, reach: Reach<'_>, digits: &str) -> Option<Target> {
    match analyse_for(site, reach, digits) {
        Analysis::Complete(target) | Analysis::MayGrow(target) => Some(target),
        Analysis::Nowhere | Analysis::Incomplete => None,
    }
}

/// Does a `#` after these digits end the number, or is it a digit of one?
pub(crate) fn hash_ends(site: &Site, digits: &str) -> bool {
    let mut with_hash = String::from(digits);
    with_hash.push('#');
    !digits.is_empty() && matches!(analyse(site, &with_hash), Analysis::Nowhere)
}

/// Is a call parked under this number, if one is?
fn is_slot(site: &Site, digits: &str) -> bool {
    let slot = |range: &NumberRange| {
        let (first, last) = (range.first.as_str(), range.last.as_str());
        // Numbers of equally many digits sort as text.
        range.count().is_some() && digits.len() == first.len() && (first..=last).contains(&digits)
    };
    digits.bytes().all(|byte| byte.is_ascii_digit()) && site.parking.slots.iter().any(slot)
}

fn longer_slot(site: &Site, digits: &str) -> bool {
    let slot = |range: &NumberRange| {
        let (first, last) = (range.first.as_str(), range.last.as_str());
        let begins = |number: &str| number.get(..digits.len()).is_some_and(|begin| begin <= digits);
        let ends = |number: &str| number.get(..digits.len()).is_some_and(|begin| begin >= digits);
        first.len() > digits.len() && range.count().is_some() && begins(first) && ends(last)
    };
    site.parking.slots.iter().any(slot)
}

/// What these digits are the number of, and does a longer number begin with them?
fn at_and_after<'a, T>(
    numbers: &'a BTreeMap<LineNumber, T>,
    digits: Option<&LineNumber>,
) -> (Option<&'a T>, bool) {
    let Some(digits) = digits else { return (None, false) };
    let mut from = numbers.range(digits..);
    let mut next = from.next();
    let at = next.filter(|(number, _)| *number == digits).map(|(_, value)| value);
    if at.is_some() {
        next = from.next();
    }
    (at, next.is_some_and(|(number, _)| number.as_str().starts_with(digits.as_str())))
}

#[cfg(test)]
mod tests {
    use selsius_site::Route;

    use super::*;

    fn site(lines: &[&str], routes: &[(&str, Action, bool)]) -> Site {
        let mut site = Site::default();
        for number in lines {
            site.lines.insert(number.parse().unwrap(), Line::default());
        }
        for (pattern, action, emergency) in routes {
            let route = Route { action: action.clone(), emergency: *emergency, ..Route::default() };
            site.routes.insert(pattern.parse().unwrap(), route);
        }
        site
    }

    fn to(number: &str) -> Target {
        Target::plain(Destination::Line(number.parse().unwrap()))
    }

    fn first_of(number: &str, emergency: bool) -> Target {
        Target { emergency, ..Target::plain(Destination::FirstOf([number.parse().unwrap()].into())) }
    }

    #[test]
    fn digits_lead_somewhere() {
        let reception = || Action::Lines(["1001".parse().unwrap()].into());
        let site = site(
            &["1001", "1002", "10021", "*5"],
            &[
                ("0", reception(), false),
                ("112", reception(), true),
                ("1[^0]X", Action::Block, false),
                ("9.!", reception(), false),
                ("#21", reception(), false),
            ],
        );
        let blocked = || Target::plain(Destination::Blocked);
        for (digits, expected) in [
            ("", Analysis::Incomplete),
            ("1", Analysis::Incomplete),
            ("1001", Analysis::Complete(to("1001"))),
            ("1002", Analysis::MayGrow(to("1002"))),
            ("10021", Analysis::Complete(to("10021"))),
            ("1003", Analysis::Nowhere),
            ("0", Analysis::Complete(first_of("1001", false))),
            ("11", Analysis::Incomplete),
            ("112", Analysis::Complete(first_of("1001", true))),
            ("113", Analysis::Complete(blocked())),
            ("9", Analysis::Incomplete),
            ("95", Analysis::MayGrow(first_of("1001", false))),
            ("*5", Analysis::Complete(to("*5"))),
            ("7", Analysis::Nowhere),
        ] {
            assert_eq!(analyse(&site, digits), expected, "{digits:?}");
        }
        assert_eq!(finish(&site, "1002"), Some(to("1002")));
        assert_eq!(finish(&site, "100"), None);
        assert!(hash_ends(&site, "1002"));
        assert!(!hash_ends(&site, ""), "a leading # is a digit");
    }
}
