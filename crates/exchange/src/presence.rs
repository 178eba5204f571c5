//! Who is there and who is busy, for directories and call lists.

use alloc::collections::BTreeMap;
use core::net::IpAddr;

use selsius_site::{DeviceName, LineNumber, PhoneFacts};
use selsius_wire::Encoding;

use crate::{call::LegState, exchange::Exchange};

/// What can be told of lines and phones to those who look at a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    /// Lines with a registered phone. The others are away.
    pub lines: BTreeMap<LineNumber, LineUse>,
    /// Registered phones.
    pub phones: BTreeMap<DeviceName, PresentPhone>,
}

/// What happens at a line; of several phones or calls, what is greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineUse {
    /// Nothing.
    Idle,
    /// It rings.
    Ringing,
    /// Somebody talks, dials or holds a call.
    InUse,
}

/// A registered phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentPhone {
    /// Where it registered from.
    pub address: IpAddr,
    /// Does it take UTF-8? Else its texts are ISO 8859-1.
    pub utf8: bool,
    /// What is known of the model that it registered as.
    pub facts: Option<&'static PhoneFacts>,
}

impl Presence {
    /// Adds what is known of other phones.
    pub fn extend(&mut self, others: Self) {
        self.phones.extend(others.phones);
        for (line, used) in others.lines {
            self.used(line, used);
        }
    }

    fn used(&mut self, line: LineNumber, used: LineUse) {
        let known = self.lines.entry(line).or_insert(used);
        *known = used.max(*known);
    }
}

impl Exchange {
    /// Who is there, and what is going on at their lines: of at most so many phones, by name, from the first one after `after`
    /// on. Less than so many are the last ones.
    pub fn presence_after(&self, after: Option<&DeviceName>, most: usize) -> Presence {
        let mut presence = Presence::default();
        if after.is_none() {
            // There are few of them, beside the others.
            for (_, phone) in self.extensions.iter().filter(|(_, phone)| !phone.contacts.is_empty()) {
                let uses = phone.legs.iter().filter_map(|&leg| self.legs.get(leg));
                let used = uses.map(|leg| line_use(leg.state)).max().unwrap_or(LineUse::Idle);
                presence.used(phone.line.clone(), used);
            }
        }
        for device in self.devices_after(after).take(most) {
            let utf8 = device.dialect.encoding() == Encoding::Utf8;
            let phone = PresentPhone { address: device.address.to_canonical(), utf8, facts: device.facts() };
            presence.phones.insert(device.name.clone(), phone);
            for line in &device.buttons.lines {
                let uses = device.legs.iter().filter_map(|&leg| self.legs.get(leg));
                let uses = uses.filter(|leg| leg.line() == line.instance).map(|leg| line_use(leg.state));
                let used = uses.max().unwrap_or(LineUse::Idle);
                presence.used(line.number.clone(), used);
            }
        }
        presence
    }
}

fn line_use(state: LegState) -> LineUse {
    match state {
        LegState::RingIn => LineUse::Ringing,
        _ => LineUse::InUse,
    }
}
