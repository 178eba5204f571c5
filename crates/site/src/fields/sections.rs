//! The sections of a site's file: single ones, such as `[settings]`, and those that have an entry for each name,
//! such as `[lines.1001]`.

use core::{
    fmt::{Debug, Display},
    str::FromStr,
};
use std::collections::{BTreeMap, BTreeSet};

use super::{Mentioned, Part, Toml, value::Described};
use crate::{
    Application, Blocked, CallCode, Contact, Device, DeviceName, HuntGroup, Line, LineNumber, Music, Name,
    PagingGroup, Parking, Pattern, PickupGroup, Pool, Rights, Route, Schedule, Service, Settings, SipPhone,
    Site, SitePart, SoftKeys, StoredPartError, Trunk, User,
    diff::{Change, ChangeKind, Subject},
    entry::NoEntry,
    file::{Reader, Value},
    key::{KeyPath, Quoted},
};

/// What a site has in one section of its file.
pub(super) trait Section {
    /// What a file mentions of it.
    type Mentioned: Debug + Clone + Default + PartialEq + Eq;

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Self::Mentioned;
    fn apply(&mut self, mentioned: &Self::Mentioned);
    fn write(&self, section: &str, out: &mut String);
    fn differences(&self, new: &Self, noun: &'static str, out: &mut Vec<Change>);
    /// The entries that are other ones in `new`, for a store.
    fn changes(&self, new: &Self, section: &'static str, out: &mut Vec<SitePart>);
    /// Takes an entry from a store.
    fn take(&mut self, section: &'static str, name: &str, body: &str) -> Result<(), StoredPartError>;
    /// Makes an entry what it is in `from`. Is it there? `None` if no entry can have this name.
    fn copy(&mut self, from: &Self, name: &str) -> Option<bool>;
    /// The keys of its tables, and how their defaults are written.
    #[cfg(test)]
    fn keys() -> Vec<(&'static str, Toml)>;
}

macro_rules! sections {
    ($($section:ident: $site:ty = $key:literal, $noun:literal, $expected:literal;)+) => {
        /// What a file mentions.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub(crate) struct Content {
            $($section: <$site as Section>::Mentioned,)+
        }

        /// The keys of the sections.
        const SECTIONS: &[&str] = &[$($key),+];

        impl Content {
            /// Reads all sections.
            pub(crate) fn read(reader: &mut Reader<'_>, root: &toml::de::DeTable<'_>) -> Self {
                let mut content = Self::default();
                reader.fields(&KeyPath::default(), root, SECTIONS, |reader, key, path, value| match key {
                    $($key => content.$section = <$site as Section>::read(reader, &path, value, $expected),)+
                    _ => {}
                });
                content
            }

            /// Gives `site` what is mentioned.
            pub(crate) fn apply(&self, site: &mut Site) {
                $(site.$section.apply(&self.$section);)+
            }
        }

        impl Site {
            /// All sections as TOML.
            pub(crate) fn write(&self, out: &mut String) {
                $(self.$section.write($key, out);)+
            }

            /// What is different in `new`.
            pub(crate) fn differences(&self, new: &Self, out: &mut Vec<Change>) {
                $(self.$section.differences(&new.$section, $noun, out);)+
            }

            /// The entries that are other ones in `new`.
            pub(crate) fn changes(&self, new: &Self, out: &mut Vec<SitePart>) {
                $(self.$section.changes(&new.$section, $key, out);)+
            }

            /// Takes an entry from a store.
            pub(crate) fn take(&mut self, section: &str, name: &str, body: &str) -> Result<(), StoredPartError> {
                match section {
                    $($key => self.$section.take($key, name, body),)+
                    _ => Err(StoredPartError::Section(section.into())),
                }
            }

            /// Makes an entry what it is in `from`. Is it there?
            pub(crate) fn copy(&mut self, from: &Self, section: &str, name: &str) -> Result<bool, NoEntry> {
                let (noun, copied) = match section {
                    $($key => ($noun, self.$section.copy(&from.$section, name)),)+
                    _ => return Err(NoEntry::Section { section: section.into(), known: SECTIONS }),
                };
                copied.ok_or_else(|| NoEntry::Name { noun, name: name.into() })
            }

            /// Writes the sections that are not empty or at their default.
            pub(crate) fn write_used(&self, out: &mut String) {
                let default = Self::default();
                $(if self.$section != default.$section {
                    self.$section.write($key, out);
                })+
            }

            /// Every key of every section with its default, as the file writes it.
            #[cfg(test)]
            pub(crate) fn every_key() -> Vec<(&'static str, Vec<(&'static str, Toml)>)> {
                vec![$(($key, <$site as Section>::keys())),+]
            }
        }
    };
}

sections! {
    settings: Settings = "settings", "settings", "a table [settings]";
    lines: BTreeMap<LineNumber, Line> = "lines", "line", "a line such as [lines.1001]";
    devices: BTreeMap<DeviceName, Device> =
        "devices", "device", "a device such as [devices.SEP001122334455]";
    pools: BTreeMap<Name, Pool> = "pools", "pool", "a pool such as [pools.berlin]";
    users: BTreeMap<Name, User> = "users", "user", "a user such as [users.anna]";
    pickup_groups: BTreeMap<Name, PickupGroup> =
        "pickup-groups", "pickup group", "a group such as [pickup-groups.sales]";
    parking: Parking = "parking", "parking", "a table [parking]";
    hunt_groups: BTreeMap<LineNumber, HuntGroup> =
        "hunt-groups", "hunt group", "a group such as [hunt-groups.2000]";
    paging_groups: BTreeMap<LineNumber, PagingGroup> =
        "paging-groups", "paging group", "a group such as [paging-groups.800]";
    rights: BTreeMap<Name, Rights> = "rights", "rights", "rights such as [rights.staff]";
    routes: BTreeMap<Pattern, Route> = "routes", "route", "a route such as [routes.\"0.!\"]";
    trunks: BTreeMap<Name, Trunk> = "trunks", "trunk", "a trunk such as [trunks.carrier]";
    sip_phones: BTreeMap<DeviceName, SipPhone> =
        "sip-phones", "SIP phone", "a SIP phone such as [sip-phones.anna]";
    music: BTreeMap<Name, Music> = "music", "music", "music such as [music.bells]";
    applications: BTreeMap<LineNumber, Application> =
        "applications", "application", "an application such as [applications.1999]";
    schedules: BTreeMap<Name, Schedule> = "schedules", "schedule", "a schedule such as [schedules.office]";
    codes: BTreeMap<Name, CallCode> = "codes", "code", "a code such as [codes.project]";
    blocked: Blocked = "blocked", "blocked", "a table [blocked]";
    soft_keys: BTreeMap<Name, SoftKeys> =
        "soft-keys", "soft keys", "soft keys such as [soft-keys.reception]";
    services: BTreeMap<Name, Service> = "services", "service", "a service such as [services.news]";
    contacts: BTreeMap<String, Contact> = "contacts", "contact", "a contact such as [contacts.\"Smith & Sons\"]";
}

impl<T: Part> Section for T {
    type Mentioned = Mentioned<T>;

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, _expected: &str) -> Mentioned<T> {
        reader.part(path, value)
    }

    fn apply(&mut self, mentioned: &Mentioned<T>) {
        mentioned.apply(self);
    }

    fn write(&self, section: &str, out: &mut String) {
        write_part(self, section, out);
    }

    fn differences(&self, new: &Self, noun: &'static str, out: &mut Vec<Change>) {
        part_differences(self, new, &Subject { kind: noun, name: String::new() }, out);
    }

    fn changes(&self, new: &Self, section: &'static str, out: &mut Vec<SitePart>) {
        if self != new {
            out.push(SitePart { section, name: String::new(), body: Some(body(new)) });
        }
    }

    fn take(&mut self, section: &'static str, name: &str, body: &str) -> Result<(), StoredPartError> {
        if !name.is_empty() {
            return Err(StoredPartError::Name { section, name: name.into() });
        }
        *self = part(section, name, body)?;
        Ok(())
    }

    fn copy(&mut self, from: &Self, name: &str) -> Option<bool> {
        if !name.is_empty() {
            return None;
        }
        *self = from.clone();
        Some(true)
    }

    #[cfg(test)]
    fn keys() -> Vec<(&'static str, Toml)> {
        T::FIELDS.iter().map(|field| (field.key, (field.write)(&T::default()))).collect()
    }
}

impl<K, T> Section for BTreeMap<K, T>
where
    K: FromStr<Err: Display> + Display + Debug + Ord + Clone + Described,
    T: Part,
{
    type Mentioned = BTreeMap<K, Mentioned<T>>;

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Self::Mentioned {
        match reader.table(path, value, &format!("entries, each {expected}")) {
            Some(table) => reader.named(path, table, Reader::part),
            None => BTreeMap::new(),
        }
    }

    fn apply(&mut self, mentioned: &Self::Mentioned) {
        for (key, part) in mentioned {
            part.apply(self.entry(key.clone()).or_default());
        }
    }

    fn write(&self, section: &str, out: &mut String) {
        for (key, part) in self {
            write_part(part, &format!("{section}.{}", Quoted::key(&key.to_string())), out);
        }
    }

    fn differences(&self, new: &Self, noun: &'static str, out: &mut Vec<Change>) {
        let keys: BTreeSet<&K> = self.keys().chain(new.keys()).collect();
        for key in keys {
            let subject = Subject { kind: noun, name: key.to_string() };
            match (self.get(key), new.get(key)) {
                (Some(old), Some(new)) => part_differences(old, new, &subject, out),
                (Some(old), None) => {
                    out.push(Change { kind: ChangeKind::Removed, subject, detail: old.summary() });
                }
                (None, Some(new)) => {
                    out.push(Change { kind: ChangeKind::Added, subject, detail: new.summary() });
                }
                (None, None) => {}
            }
        }
    }

    fn changes(&self, new: &Self, section: &'static str, out: &mut Vec<SitePart>) {
        for key in self.keys().filter(|key| !new.contains_key(key)) {
            out.push(SitePart { section, name: key.to_string(), body: None });
        }
        for (key, part) in new.iter().filter(|(key, part)| self.get(key) != Some(part)) {
            out.push(SitePart { section, name: key.to_string(), body: Some(body(part)) });
        }
    }

    fn take(&mut self, section: &'static str, name: &str, body: &str) -> Result<(), StoredPartError> {
        let key = name.parse().map_err(|_| StoredPartError::Name { section, name: name.into() })?;
        self.insert(key, part(section, name, body)?);
        Ok(())
    }

    fn copy(&mut self, from: &Self, name: &str) -> Option<bool> {
        let key = name.parse().ok()?;
        let Some(part) = from.get(&key) else {
            self.remove(&key);
            return Some(false);
        };
        self.insert(key, part.clone());
        Some(true)
    }

    #[cfg(test)]
    fn keys() -> Vec<(&'static str, Toml)> {
        <T as Section>::keys()
    }
}

fn body<T: Part>(part: &T) -> String {
    serde_json::to_string(part).expect("the keys of all maps are texts or numbers")
}

fn part<T: Part>(section: &'static str, name: &str, body: &str) -> Result<T, StoredPartError> {
    serde_json::from_str(body).map_err(|error| StoredPartError::Body {
        section,
        name: name.into(),
        problem: error.to_string(),
    })
}

fn part_differences<T: Part>(old: &T, new: &T, subject: &Subject, out: &mut Vec<Change>) {
    if old == new {
        return;
    }
    for field in T::FIELDS {
        (field.differences)(old, new, field.key, &mut |key, old, new| {
            let detail = format!("{key}: {old} -> {new}");
            out.push(Change { kind: ChangeKind::Changed, subject: subject.clone(), detail });
        });
    }
}

fn write_part<T: Part>(part: &T, header: &str, out: &mut String) {
    let default = T::default();
    let mut tables: Vec<(&str, Vec<(String, String)>)> = Vec::new();
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&format!("[{header}]\n"));
    for field in T::FIELDS {
        let value = (field.write)(part);
        if !T::ALWAYS && value == (field.write)(&default) {
            continue;
        }
        match (value, field.key.split_once('.')) {
            (Toml::Inline(value), None) => out.push_str(&format!("{} = {value}\n", field.key)),
            (Toml::Lines(elements), None) => {
                out.push_str(&format!("{} = [\n", field.key));
                for element in elements {
                    out.push_str(&format!("    {element},\n"));
                }
                out.push_str("]\n");
            }
            (Toml::Table(entries), _) => tables.push((field.key, entries)),
            (value, Some((table, key))) => {
                let entry = (key.to_owned(), value.inline());
                match tables.last_mut() {
                    Some((last, entries)) if *last == table => entries.push(entry),
                    _ => tables.push((table, vec![entry])),
                }
            }
        }
    }
    for (table, entries) in tables {
        if !entries.is_empty() {
            out.push_str(&format!("\n[{header}.{table}]\n"));
        }
        for (key, value) in entries {
            out.push_str(&format!("{} = {value}\n", Quoted::key(&key)));
        }
    }
}
