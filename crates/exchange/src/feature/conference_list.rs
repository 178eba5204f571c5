//! The list of a conference's participants on a phone (ConfList), and what one does with it.
//!
//! It is a menu; each item brings back `PARTY/` and the party, which shows that one with what can be done. `REMOVE/` puts the
//! party out, `UPDATE` shows the list anew. Phones that draw have an icon beside each, the others a star before the owner and an
//! angle before who talks; phones without menus get the names as a notice.

use alloc::{borrow::ToOwned as _, format, string::String, vec, vec::Vec};

use selsius_phone_xml::{Encoding, IconMenu, Mark, Menu, MenuItem, ScreenKey};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use super::{
    conference::Participant,
    push::{Address, call_data},
};
use crate::{arena::Handle, call::Leg, device::Device, exchange::Exchange, language::say};

/// The application that other managers have their conference list under (call-flows).
pub(crate) const APPLICATION: u32 = 9081;

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// To see a participant.
    Party(u32),
    /// To put a participant out.
    Remove(u32),
    /// To see the list as it is now.
    Update,
}

impl Choice {
    /// The data of an item. Phones put words of their own in front when a soft key brought it.
    fn parse(data: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(data).ok()?.trim_matches(|c: char| c.is_control() || c == ' ');
        let mut words =
            text.split(['/', ':']).skip_while(|word| !["PARTY", "REMOVE", "UPDATE"].contains(word));
        let action = words.next()?;
        let party = words.next().and_then(|party| party.parse().ok());
        match (action, party) {
            ("PARTY", Some(party)) => Some(Self::Party(party)),
            ("REMOVE", Some(party)) => Some(Self::Remove(party)),
            ("UPDATE", _) => Some(Self::Update),
            _ => None,
        }
    }
}

impl Exchange {
    /// The ConfList key: shows who is in the conference.
    pub(crate) fn conference_list(&mut self, leg: Handle<Leg>) {
        let participants = self.participants(leg);
        if participants.is_empty() {
            return self.refuse_feature(
                leg,
                DisplayLabel::KeyIsNotActive,
                "conference list outside a conference",
            );
        }
        let Some((handle, device, address)) = self.list_address(leg) else { return };
        let (language, draws) =
            (device.language, device.facts().is_some_and(|facts| facts.pictures.is_some()));
        let menu = Menu {
            title: say(language, "Conference").to_owned(),
            prompt: say(language, "Select a participant").to_owned(),
            items: participants.iter().map(|party| self.party_item(address, party)).collect(),
            keys: vec![
                key(say(language, "Select"), "SoftKey:Select".into()),
                key(say(language, "Update"), call_data(address, "UPDATE")),
                key(say(language, "Exit"), "SoftKey:Exit".into()),
            ],
        };
        // With icons it is longer: what does not fit into one message of an older phone may do without.
        let shown = draws && self.push_to(handle, address, &with_icons(&menu, &participants)).is_ok()
            || self.push_to(handle, address, &with_stars(menu, &participants)).is_ok();
        if !shown {
            let others: Vec<_> = participants.iter().filter(|party| party.leg != leg).map(who).collect();
            let text = format!("{}: {}", say(language, "With"), others.join(", "));
            self.notify(handle, &PhoneText::from(text));
        }
    }

    /// A participant in the list.
    fn party_item(&self, address: Address, party: &Participant) -> MenuItem {
        let reference = self.legs.get(party.leg).map(|leg| leg.party).unwrap_or_default();
        MenuItem { name: who(party), url: call_data(address, &format!("PARTY/{reference}")) }
    }

    /// The user has chosen something in a list.
    pub(crate) fn conference_list_choice(
        &mut self,
        now: Time,
        device: Handle<Device>,
        address: Address,
        data: &[u8],
    ) {
        let leg = self.leg_by_reference(device, address.reference);
        let Some(leg) = leg.filter(|&leg| !self.participants(leg).is_empty()) else {
            return self.refuse_on(device, DisplayLabel::KeyIsNotActive, "conference list of no conference");
        };
        let party = |exchange: &Self, party: u32| exchange.parties.get(&party).copied();
        match Choice::parse(data) {
            Some(Choice::Update) => self.conference_list(leg),
            Some(Choice::Party(id)) => match party(self, id) {
                Some(whom) => self.show_participant(leg, whom, id),
                None => self.conference_list(leg),
            },
            Some(Choice::Remove(id)) => {
                // Somebody who has left meanwhile is out already.
                if let Some(whom) = party(self, id) {
                    self.drop_participant(now, leg, whom);
                }
                // Without a third party it is no conference any more, and there is nothing to list.
                if !self.participants(leg).is_empty() {
                    self.conference_list(leg);
                }
            }
            None => self.counters.refuse("unknown choice in a conference list"),
        }
    }

    /// One participant, and what can be done.
    fn show_participant(&mut self, leg: Handle<Leg>, whom: Handle<Leg>, id: u32) {
        let participants = self.participants(leg);
        let Some(party) = participants.iter().find(|party| party.leg == whom) else {
            return self.conference_list(leg);
        };
        let Some((handle, device, address)) = self.list_address(leg) else { return };
        let language = device.language;
        let item = |text: &str, data: &str| MenuItem {
            name: say(language, text).to_owned(),
            url: call_data(address, data),
        };
        let remove = (whom != leg && self.may_drop(leg)).then(|| item("Remove", &format!("REMOVE/{id}")));
        let menu = Menu {
            title: who(party),
            items: remove.into_iter().chain([item("Update", "UPDATE")]).collect(),
            keys: vec![
                key(say(language, "Select"), "SoftKey:Select".into()),
                key(say(language, "Exit"), "SoftKey:Exit".into()),
            ],
            ..Menu::default()
        };
        // Whoever chose from a list can be sent one.
        let _ = self.push_to(handle, address, &menu.to_xml(Encoding::Ascii));
    }

    fn list_address(&mut self, leg: Handle<Leg>) -> Option<(Handle<Device>, &Device, Address)> {
        let transaction = self.next_reference();
        let leg = self.legs.get(leg)?;
        let handle = leg.device()?;
        let address =
            Address { application: APPLICATION, line: leg.line(), reference: leg.reference, transaction };
        Some((handle, self.devices.get(handle)?, address))
    }
}

fn key(name: &str, url: String) -> ScreenKey {
    ScreenKey { name: name.to_owned(), url }
}

/// The list for a phone that draws.
fn with_icons(menu: &Menu, participants: &[Participant]) -> Vec<u8> {
    let mark = |party: &Participant| match party {
        Participant { holds: true, .. } => Mark::OnHold,
        Participant { talks: true, .. } => Mark::Talking,
        Participant { owner: true, .. } => Mark::Owner,
        _ => Mark::InUse,
    };
    let Menu { title, prompt, items, keys } = menu.clone();
    let items = participants.iter().map(|party| mark(party).icon()).zip(items).collect();
    IconMenu { title, prompt, items, keys }.to_xml(Encoding::Ascii)
}

/// The list for a phone that has only text.
fn with_stars(mut menu: Menu, participants: &[Participant]) -> Vec<u8> {
    for (item, party) in menu.items.iter_mut().zip(participants) {
        let marks = [(party.talks, "> "), (party.owner, "* ")];
        marks.iter().filter(|(is, _)| *is).for_each(|(_, mark)| item.name.insert_str(0, mark));
    }
    menu.to_xml(Encoding::Ascii)
}

fn who(party: &Participant) -> String {
    match (party.name.as_str(), party.number.as_str()) {
        ("", number) => number.into(),
        (name, "") => name.into(),
        (name, number) => format!("{name} ({number})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_whatever_stands_in_front() {
        assert_eq!(Choice::parse(b"PARTY/17"), Some(Choice::Party(17)));
        assert_eq!(Choice::parse(b"Select/REMOVE/17\0"), Some(Choice::Remove(17)));
        assert_eq!(Choice::parse(b" UPDATE "), Some(Choice::Update));
        for bad in [&b""[..], b"PARTY", b"PARTY/x", b"REMOVE/-1", b"EXIT", b"\xFF\xFE"] {
            assert_eq!(Choice::parse(bad), None, "{bad:?}");
        }
    }
}
