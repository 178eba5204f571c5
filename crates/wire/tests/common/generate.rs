//! Bodies made from the field descriptors: every message, every member of a union, counts that hold.

#![allow(dead_code, reason = "every test uses its own part of this")]

use std::collections::BTreeMap;

use selsius_wire::{
    MessageInfo,
    codec::{Field, Kind, Layout, Member},
};

/// Where the numbers come from: `draw(n)` is below `n`.
pub(crate) type Draw<'a> = &'a mut dyn FnMut(u32) -> u32;

/// A body of that message as somebody who speaks `layout.version` would send it. With `dirty`, old memory
/// stands behind every NUL and in every slot and byte that is not used, and not all slots are.
pub(crate) fn body(info: &MessageInfo, layout: Layout, dirty: bool, draw: Draw<'_>) -> Vec<u8> {
    let mut generator = Generator { out: Vec::new(), layout, dirty, draw };
    generator.fields(info.fields);
    generator.out
}

/// A repeatable source of numbers (xorshift).
pub(crate) fn seeded(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from((state >> 33) % u64::from(below)).expect("below a u32")
    }
}

struct Generator<'a> {
    out: Vec<u8>,
    layout: Layout,
    dirty: bool,
    draw: Draw<'a>,
}

impl Generator<'_> {
    fn fields(&mut self, fields: &[Field]) {
        let mut places = BTreeMap::new();
        for (index, field) in fields.iter().enumerate() {
            let rest = fields.get(index + 1..).unwrap_or_default();
            if self.is_missing(field, rest) {
                continue;
            }
            places.insert(field.name, self.out.len());
            match (field.kind, field.by) {
                (Kind::Array { of, len }, Some(by)) => {
                    let used =
                        if self.dirty { (self.draw)(u32::try_from(len).unwrap() + 1) } else { len as u32 };
                    self.patch(places[by], used);
                    (0..len).for_each(|_| self.value(*of));
                }
                (Kind::List { of, max }, by) => {
                    let most = u32::try_from(max.min(40)).unwrap();
                    let least = u32::from(!self.dirty);
                    let used = least + (self.draw)(most + 1 - least);
                    let all = self.layout.all_slots && *of != Kind::U8;
                    let used = if all && !self.dirty { most } else { used };
                    if let Some(by) = by {
                        self.patch(places[by], used);
                    }
                    match of {
                        Kind::U8 => self.letters(used as usize),
                        of => (0..if all { most } else { used }).for_each(|_| self.value(*of)),
                    }
                }
                (Kind::Union { members, .. }, Some(by)) => self.member(members, places[by]),
                (kind, _) => self.value(kind),
            }
        }
    }

    /// A field of a newer version ends the message, or is passed over where others follow it. An unknown
    /// version counts as new there.
    fn is_missing(&self, field: &Field, rest: &[Field]) -> bool {
        let shifts = rest.iter().any(|later| later.since < field.since);
        match field.kind {
            // The padding of a wide number.
            Kind::Bytes(_) => field.since > self.layout.version,
            _ if shifts => !self.layout.has(field.since),
            _ => field.since > self.layout.version,
        }
    }

    fn value(&mut self, kind: Kind) {
        match kind {
            Kind::U8 => self.out.push((self.draw)(256) as u8),
            Kind::U16 => {
                let value = (self.draw)(0x1_0000) as u16;
                self.out.extend(value.to_le_bytes());
            }
            Kind::U32 | Kind::I32 => self.word(),
            Kind::Enum { width, .. } => {
                let below =
                    [9, 0x140][(self.draw)(2) as usize].min(if width == 1 { 0x100 } else { u32::MAX });
                let value = (self.draw)(below);
                self.out.extend(&value.to_le_bytes()[..width]);
            }
            Kind::Text(area) => self.text(area),
            Kind::Number => self.text(if self.layout.wide_numbers { 25 } else { 24 }),
            Kind::DynText(max) => {
                let length = (self.draw)(u32::try_from(max.min(20)).unwrap()) as usize;
                self.letters(length);
                self.out.push(0);
            }
            Kind::MediaAddress if self.layout.tagged_addresses => {
                let tag = (self.draw)(2);
                self.out.extend(tag.to_le_bytes());
                let address = self.out.len();
                (0..4).for_each(|_| self.word());
                if tag == 0 && !self.dirty {
                    self.out.truncate(address + 4);
                    self.out.resize(address + 16, 0);
                }
            }
            Kind::MediaAddress | Kind::Ipv4 => self.word(),
            Kind::Ipv6 => (0..4).for_each(|_| self.word()),
            Kind::Bytes(count) => {
                for _ in 0..count {
                    let byte = if self.dirty { (self.draw)(256) } else { 0 };
                    self.out.push(byte as u8);
                }
            }
            Kind::Struct(fields) => self.fields(fields),
            Kind::Array { of, len } => (0..len).for_each(|_| self.value(*of)),
            Kind::Union { .. } | Kind::List { .. } => unreachable!("they are fields, with `by`"),
        }
    }

    /// A member of the union, and a selector that belongs to it.
    fn member(&mut self, members: &[Member], selector: usize) {
        // tshark goes astray behind a member that it does not know.
        let known =
            |member: &&Member| self.dirty || !matches!(member.parts, [Field { kind: Kind::Bytes(_), .. }]);
        let members: Vec<_> = members.iter().filter(known).collect();
        let chosen = (self.draw)(u32::try_from(members.len()).unwrap()) as usize;
        if let Some((low, high)) = range(members[chosen].when) {
            let value = low + (self.draw)(high.saturating_sub(low).saturating_add(1));
            self.patch(selector, value);
        }
        // For the last one the selector stays what it is, and may belong to another.
        let bytes = *self.out[selector..].first_chunk().unwrap();
        let is = u32::from_le_bytes(bytes);
        let taken =
            |member: &&&Member| range(member.when).is_none_or(|(low, high)| (low..=high).contains(&is));
        let member = members.iter().find(taken).unwrap();
        self.fields(member.parts);
    }

    fn word(&mut self) {
        let value = match (self.draw)(4) {
            0 => (self.draw)(16),
            1 => (self.draw)(0x1_0000),
            _ => (self.draw)(u32::MAX),
        };
        self.out.extend(value.to_le_bytes());
    }

    fn text(&mut self, area: usize) {
        let end = self.out.len() + area;
        let length = (self.draw)(u32::try_from(area.min(30)).unwrap()) as usize;
        self.letters(length);
        self.out.push(0);
        while self.out.len() < end {
            let byte = if self.dirty { (self.draw)(256) } else { 0 };
            self.out.push(byte as u8);
        }
    }

    fn letters(&mut self, count: usize) {
        for _ in 0..count {
            let letter = b'a' + (self.draw)(26) as u8;
            self.out.push(letter);
        }
    }

    fn patch(&mut self, place: usize, value: u32) {
        self.out[place..place + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// The bounds of a pattern such as `3`, `1 | 2`, `0 ..= 0x62`, `0x78 ..`; `None` for `_`.
fn range(pattern: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        let text = text.trim();
        text.strip_prefix("0x")
            .map_or_else(|| text.parse().unwrap(), |hex| u32::from_str_radix(hex, 16).unwrap())
    };
    if pattern == "_" {
        return None;
    }
    Some(match pattern.split_once("..").or_else(|| pattern.split_once('|')) {
        Some((low, high)) if high.trim().is_empty() => (number(low), u32::MAX - 1),
        Some((low, high)) => (number(low), number(high.trim_start_matches('='))),
        None => (number(pattern), number(pattern)),
    })
}
