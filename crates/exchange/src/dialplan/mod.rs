//! Digit analysis: where the digits dialled so far lead.

use alloc::{string::String, vec::Vec};

use selsius_site::{Action, FeatureCode, LineNumber, Name, NumberRange, Pattern, PatternMatch, Route, Site};

use crate::feature::codes::{self, Argument};

/// Where dialled digits lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) to: Destination,
    /// Never refused.
    pub(crate) emergency: bool,
}

/// What a number reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// One line of the office.
    Line(LineNumber),
    /// The first of these lines that is free and there.
    FirstOf(Vec<LineNumber>),
    /// The first of these trunks that can take the call, and the number that it is to call.
    Trunks(Vec<Name>, String),
    /// A member of a hunt group.
    Hunt(LineNumber),
    /// The call that is parked there.
    Park(LineNumber),
    /// A feature, by its code, and the digits behind it.
    Feature(FeatureCode, String),
    /// Nothing: the number is forbidden.
    Blocked,
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

/// Analyses `digits`. Lines win over routes, the more specific route over the less; an emergency number is
/// complete as soon as it matches, whatever longer number begins like it.
pub(crate) fn analyse(site: &Site, digits: &str) -> Analysis {
    if let Some(analysis) = feature(site, digits) {
        return analysis;
    }
    let mut best: Option<(usize, Target)> = None;
    let mut longer =
        longer_line(site, digits) || longer_group_or_slot(site, digits) || begins_code(site, digits);
    for (pattern, route) in &site.routes {
        let full = match pattern.matches(digits) {
            PatternMatch::No => continue,
            PatternMatch::Partial => {
                longer = true;
                continue;
            }
            PatternMatch::Full => true,
            PatternMatch::FullMayGrow => {
                longer = true;
                true
            }
        };
        let target = Target {
            to: match &route.action {
                Action::Lines(lines) => Destination::FirstOf(lines.clone()),
                Action::Trunks(trunks) => {
                    Destination::Trunks(trunks.clone(), sent_on(pattern, route, digits))
                }
                Action::Block | Action::Number(_) => Destination::Blocked,
            },
            emergency: route.emergency,
        };
        if target.emergency {
            return Analysis::Complete(target);
        }
        let weight = pattern.fixed_digits();
        if full && best.as_ref().is_none_or(|&(other, _)| weight > other) {
            best = Some((weight, target));
        }
    }
    let line = line(site, digits).map(Destination::Line).or_else(|| group_or_slot(site, digits));
    let line = line.map(|to| Target { to, emergency: false });
    match (line.or(best.map(|(_, target)| target)), longer) {
        (Some(target), true) => Analysis::MayGrow(target),
        (Some(target), false) => Analysis::Complete(target),
        (None, true) => Analysis::Incomplete,
        (None, false) => Analysis::Nowhere,
    }
}

/// A feature's code, and what follows it. No code is the beginning of another one or of a number.
fn feature(site: &Site, digits: &str) -> Option<Analysis> {
    let (feature, rest) = site
        .settings
        .codes
        .iter()
        .find_map(|(feature, code)| digits.strip_prefix(code.as_str()).map(|rest| (feature, rest)))?;
    let target =
        || Target { to: Destination::Feature(feature, rest.trim_end_matches('#').into()), emergency: false };
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

fn begins_code(site: &Site, digits: &str) -> bool {
    site.settings.codes.iter().any(|(_, code)| code.as_str().starts_with(digits))
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

/// What the digits reach if nothing follows them: after a time-out, `#`, or en bloc.
pub(crate) fn finish(site: &Site, digits: &str) -> Option<Target> {
    match analyse(site, digits) {
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

fn line(site: &Site, digits: &str) -> Option<LineNumber> {
    let number = digits.parse::<LineNumber>().ok()?;
    site.lines.contains_key(&number).then_some(number)
}

/// Numbers that are dialled like lines: those of hunt groups, and park slots.
fn group_or_slot(site: &Site, digits: &str) -> Option<Destination> {
    let number = digits.parse::<LineNumber>().ok()?;
    if site.hunt_groups.contains_key(&number) {
        return Some(Destination::Hunt(number));
    }
    let slot = |range: &NumberRange| {
        let (first, last) = (range.first.as_str(), range.last.as_str());
        // Numbers of equally many digits sort as text.
        range.count().is_some() && digits.len() == first.len() && (first..=last).contains(&digits)
    };
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits && site.parking.slots.iter().any(slot)).then_some(Destination::Park(number))
}

fn longer_group_or_slot(site: &Site, digits: &str) -> bool {
    let group =
        |number: &LineNumber| number.as_str().len() > digits.len() && number.as_str().starts_with(digits);
    let slot = |range: &NumberRange| {
        let (first, last) = (range.first.as_str(), range.last.as_str());
        let begins = |number: &str| number.get(..digits.len()).is_some_and(|begin| begin <= digits);
        let ends = |number: &str| number.get(..digits.len()).is_some_and(|begin| begin >= digits);
        first.len() > digits.len() && range.count().is_some() && begins(first) && ends(last)
    };
    site.hunt_groups.keys().any(group) || site.parking.slots.iter().any(slot)
}

fn longer_line(site: &Site, digits: &str) -> bool {
    use core::ops::Bound::{Excluded, Unbounded};
    if digits.is_empty() {
        return !site.lines.is_empty();
    }
    let Ok(start) = digits.parse::<LineNumber>() else { return false };
    let mut after = site.lines.range((Excluded(start), Unbounded));
    after.next().is_some_and(|(number, _)| number.as_str().starts_with(digits))
}

#[cfg(test)]
mod tests {
    use selsius_site::{Line, Route};

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
        Target { to: Destination::Line(number.parse().unwrap()), emergency: false }
    }

    fn first_of(number: &str, emergency: bool) -> Target {
        Target { to: Destination::FirstOf([number.parse().unwrap()].into()), emergency }
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
        let blocked = || Target { to: Destination::Blocked, emergency: false };
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
