//! The numbers of the office: each is one thing, and none leads around in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Problem, settings::check_range};
use crate::{Action, LineNumber, Pattern, Site, key::KeyPath, pattern::is_match};

const LINE: &str = "a line";
const HUNT_GROUP: &str = "a hunt group";
const PAGING_GROUP: &str = "a paging group";
const PARK_SLOT: &str = "a park slot";

/// Which number is what.
pub(super) struct Numbers {
    what: BTreeMap<LineNumber, &'static str>,
    /// Numbers that are a second thing: where, and what they are already.
    taken: Vec<(KeyPath, LineNumber, &'static str)>,
}

impl Numbers {
    pub(super) fn of(site: &Site) -> Self {
        let mut numbers = Self {
            what: site.lines.keys().map(|number| (number.clone(), LINE)).collect(),
            taken: Vec::new(),
        };
        for number in site.hunt_groups.keys() {
            numbers.insert(KeyPath::new(&["hunt-groups", number.as_str()]), number.clone(), HUNT_GROUP);
        }
        for number in site.paging_groups.keys() {
            numbers.insert(KeyPath::new(&["paging-groups", number.as_str()]), number.clone(), PAGING_GROUP);
        }
        for (index, range) in site.parking.slots.iter().enumerate() {
            if check_range(range).is_err() {
                continue;
            }
            let at = KeyPath::new(&["parking", "slots"]).index(index);
            for number in range.numbers() {
                numbers.insert(at.clone(), number, PARK_SLOT);
            }
        }
        numbers
    }

    fn insert(&mut self, at: KeyPath, number: LineNumber, what: &'static str) {
        match self.what.get(&number) {
            Some(other) => self.taken.push((at, number, other)),
            None => drop(self.what.insert(number, what)),
        }
    }

    /// What this number is; `None` if it is nothing in the office.
    pub(super) fn what(&self, number: &LineNumber) -> Option<&'static str> {
        self.what.get(number).copied()
    }

    pub(super) fn is_slot(&self, number: &LineNumber) -> bool {
        self.what(number) == Some(PARK_SLOT)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&LineNumber, &'static str)> {
        self.what.iter().map(|(number, what)| (number, *what))
    }
}

/// Does a call to this number reach anything?
pub(super) fn leads_somewhere(site: &Site, numbers: &Numbers, number: &LineNumber) -> bool {
    let code = |(_, code): (_, &LineNumber)| number.as_str().starts_with(code.as_str());
    numbers.what(number).is_some()
        || site.settings.voicemail.as_ref() == Some(number)
        || site.settings.codes.iter().any(code)
        || route(site, number).is_some()
}

/// The route that a number takes.
fn route<'s>(site: &'s Site, number: &LineNumber) -> Option<&'s Pattern> {
    let matching = site.routes.keys().filter(|pattern| is_match(pattern.matches(number.as_str())));
    matching.max_by(|one, other| one.precedence(other))
}

/// Something that sends calls on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'s> {
    Hunt(&'s LineNumber),
    Route(&'s Pattern),
}

impl<'s> Node<'s> {
    fn at(self) -> KeyPath {
        match self {
            Self::Hunt(number) => KeyPath::new(&["hunt-groups", number.as_str()]),
            Self::Route(pattern) => KeyPath::new(&["routes", pattern.as_str()]),
        }
    }

    fn name(self) -> &'s str {
        match self {
            Self::Hunt(number) => number.as_str(),
            Self::Route(pattern) => pattern.as_str(),
        }
    }

    /// What it sends calls on to: the key that says so, and to what.
    fn next(self, site: &'s Site, numbers: &Numbers) -> Vec<(KeyPath, Self)> {
        let lead = |number: &LineNumber| {
            if let Some((number, _)) = site.hunt_groups.get_key_value(number) {
                return Some(Self::Hunt(number));
            }
            if numbers.what(number).is_some() { None } else { route(site, number).map(Self::Route) }
        };
        let mut next = Vec::new();
        match self {
            Self::Hunt(number) => {
                let Some(group) = site.hunt_groups.get(number) else { return next };
                for (index, member) in group.members.iter().enumerate() {
                    let group = site.hunt_groups.get_key_value(member).map(|(number, _)| Self::Hunt(number));
                    next.extend(group.map(|group| (self.at().key("members").index(index), group)));
                }
                let overflow = group.overflow.as_ref().and_then(lead);
                next.extend(overflow.map(|overflow| (self.at().key("overflow"), overflow)));
            }
            Self::Route(pattern) => {
                let Some(route) = site.routes.get(pattern) else { return next };
                if let Action::Number(number) = &route.action {
                    next.extend(lead(number).map(|node| (self.at().key("number"), node)));
                }
                let otherwise = route.otherwise.as_ref().and_then(lead);
                next.extend(otherwise.map(|node| (self.at().key("otherwise"), node)));
            }
        }
        next
    }
}

impl Check<'_> {
    /// Numbers that are several things, and feature codes that stand before them.
    pub(super) fn numbers(&mut self) {
        for (at, number, what) in self.numbers.taken.clone() {
            self.add(at, Problem::NumberTaken { number, what });
        }
        let codes: Vec<_> = self.site.settings.codes.iter().collect();
        for &(feature, code) in &codes {
            let at = KeyPath::new(&["settings", "codes", feature.name()]);
            let other = codes
                .iter()
                .find(|&&(other, longer)| other != feature && longer.as_str().starts_with(code.as_str()));
            if let Some(&(feature, other)) = other {
                let (code, other) = (code.clone(), other.clone());
                self.add(at.clone(), Problem::CodeBeginsCode { code, other, feature });
            }
            let number = self.numbers.what.range(code..).next();
            if let Some((number, what)) =
                number.filter(|(number, _)| number.as_str().starts_with(code.as_str()))
            {
                let (code, number) = (code.clone(), number.clone());
                let problem = Problem::CodeBeginsNumber { code, number, what };
                self.add(at, problem);
            }
        }
    }

    /// Hunt groups and routes that send calls on to themselves, however many are between.
    pub(super) fn loops(&mut self) {
        let site = self.site;
        let hunts = site.hunt_groups.keys().map(Node::Hunt);
        let mut done = BTreeSet::new();
        for start in hunts.chain(site.routes.keys().map(Node::Route)) {
            if !done.insert(start) {
                continue;
            }
            // The way from the start, each node with what it leads to and was not gone yet.
            let mut way = vec![(start, start.next(site, &self.numbers).into_iter())];
            let mut on_way = BTreeSet::from([start]);
            while let Some((node, further)) = way.last_mut() {
                match further.next() {
                    None => {
                        on_way.remove(node);
                        way.pop();
                    }
                    Some((at, next)) if on_way.contains(&next) => {
                        let circle = way.iter().map(|(node, _)| *node).skip_while(|node| *node != next);
                        let names: Vec<_> = circle.chain([next]).map(Node::name).collect();
                        self.add(at, Problem::Loop(names.join(", ")));
                    }
                    Some((_, next)) if done.insert(next) => {
                        on_way.insert(next);
                        way.push((next, next.next(site, &self.numbers).into_iter()));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
