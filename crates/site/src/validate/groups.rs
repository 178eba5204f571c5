//! Pickup, parking, hunt and paging groups.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, MAX_NAME_BYTES, Problem, settings::check_range};
use crate::{HuntGroup, LineNumber, PagingGroup, PagingMode, key::KeyPath};

impl Check<'_> {
    pub(super) fn groups(&mut self) {
        let site = self.site;
        for (name, group) in &site.pickup_groups {
            let at = KeyPath::new(&["pickup-groups", name.as_str(), "others"]);
            self.known_list(&at, &group.others, &site.pickup_groups, "pickup group", "pickup-groups");
        }
        for (index, range) in site.parking.slots.iter().enumerate() {
            if let Err(why) = check_range(range) {
                let at = KeyPath::new(&["parking", "slots"]).index(index);
                self.add(at, Problem::AutoRange(why));
            }
        }
        for (number, group) in &site.hunt_groups {
            self.hunt_group(&KeyPath::new(&["hunt-groups", number.as_str()]), group);
        }
        let mut addresses = BTreeMap::new();
        for (number, group) in &site.paging_groups {
            let at = KeyPath::new(&["paging-groups", number.as_str()]);
            self.paging_group(&at, group);
            let Some(address) = group.address.filter(|_| group.mode == PagingMode::Multicast) else {
                continue;
            };
            match addresses.get(&address) {
                Some(other) => self.add(at.key("address"), Problem::SameAs(KeyPath::clone(other))),
                None => drop(addresses.insert(address, at)),
            }
        }
    }

    fn hunt_group(&mut self, at: &KeyPath, group: &HuntGroup) {
        self.text(at.key("name"), &group.name, MAX_NAME_BYTES);
        self.range(at.key("ring-seconds"), group.ring_seconds, 1, 600, "seconds");
        self.range(at.key("queue"), group.queue, 0, 1000, "callers");
        self.range(at.key("queue-seconds"), group.queue_seconds, 0, 3600, "seconds");
        self.known(at.key("music"), group.music.as_ref(), &self.site.music, "music", "music");
        self.target(at.key("overflow"), group.overflow.as_ref());
        let at = at.key("members");
        if group.members.is_empty() {
            self.add(at.clone(), Problem::Empty("at least one line"));
        }
        let mut seen: BTreeSet<&LineNumber> = BTreeSet::new();
        for (index, member) in group.members.iter().enumerate() {
            if !self.site.lines.contains_key(member) && !self.site.hunt_groups.contains_key(member) {
                self.add(at.index(index), Problem::UnknownLine(member.clone()));
            } else if !seen.insert(member) {
                self.add(at.index(index), Problem::Twice(member.to_string()));
            }
        }
    }

    fn paging_group(&mut self, at: &KeyPath, group: &PagingGroup) {
        self.text(at.key("name"), &group.name, MAX_NAME_BYTES);
        if group.lines.is_empty() {
            self.add(at.key("lines"), Problem::Empty("at least one line"));
        }
        self.known_lines(&at.key("lines"), &group.lines);
        let at = at.key("address");
        match (group.mode, group.address) {
            (PagingMode::Unicast, None) => {}
            (PagingMode::Unicast, Some(_)) => self.add(at, Problem::Without("mode = \"multicast\"")),
            (PagingMode::Multicast, None) => {
                self.add(at, Problem::Empty("a multicast address such as \"239.192.1.1:20480\""));
            }
            (PagingMode::Multicast, Some(address)) => {
                if !address.ip().is_multicast() {
                    self.add(at.clone(), Problem::NotMulticast(address));
                }
                if !address.port().is_multiple_of(2) {
                    self.add(at, Problem::OddPort(address.port()));
                } else if address.port() == 0 {
                    self.add(at, Problem::Empty("a port"));
                }
            }
        }
    }
}
