//! Pools, users, contacts, codes, services and soft keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, MAX_BUTTONS, MAX_DESCRIPTION_BYTES, MAX_NAME_BYTES, Problem};
use crate::{CallCode, Contact, ItemTarget, Music, Secret, Service, SoftKeys, key::KeyPath};

/// Most soft keys of one state: the places of SoftKeySetRes.
const MAX_SOFT_KEYS: usize = 16;
/// Most entries of a menu, as phones read them.
const MAX_ITEMS: usize = 100;

impl Check<'_> {
    pub(super) fn pools(&mut self) {
        for (name, pool) in &self.site.pools {
            let at = KeyPath::new(&["pools", name.as_str()]);
            self.time_zone(&at, pool.time_zone.as_ref());
            self.date_format(&at, pool.date_format.as_ref());
            self.known_rights(&at, pool.rights.as_ref());
            self.known(at.key("music"), pool.music.as_ref(), &self.site.music, "music", "music");
        }
    }

    pub(super) fn users(&mut self) {
        for (name, user) in &self.site.users {
            let at = KeyPath::new(&["users", name.as_str()]);
            self.needed_text(at.key("name"), &user.name, MAX_NAME_BYTES, "what people call them");
            if !is_digits(&user.pin, 4, 10) {
                self.add(at.key("pin"), Problem::Digits("a PIN of 4 to 10 digits"));
            }
            let given = user.buttons.len();
            if given > MAX_BUTTONS {
                let problem = Problem::TooMany { given, possible: MAX_BUTTONS, what: "buttons" };
                self.add(at.key("buttons"), problem);
            }
            self.buttons(&at, &user.buttons);
            self.abbreviated(&at, &user.abbreviated);
            self.known_rights(&at, user.rights.as_ref());
        }
    }

    fn music(&mut self, at: &KeyPath, music: &Music) {
        for (index, file) in music.files.iter().enumerate() {
            if !is_file_name(file) {
                self.add(at.key("files").index(index), Problem::MusicFile(file.clone()));
            }
        }
        if music.stream.is_some_and(|stream| stream.port() == 0) {
            self.add(at.key("stream"), Problem::Empty("a port"));
        }
        if music.stream.is_some() && !music.command.is_empty() {
            self.add(at.key("command"), Problem::Beside("stream"));
        }
        if music.command.first().is_some_and(String::is_empty) {
            self.add(at.key("command").index(0), Problem::Empty("a program"));
        }
    }

    /// What needs little of the rest.
    pub(super) fn rest(&mut self) {
        let site = self.site;
        let mut codes: BTreeMap<&Secret, KeyPath> = BTreeMap::new();
        for (name, code) in &site.codes {
            let at = KeyPath::new(&["codes", name.as_str()]);
            self.call_code(&at, code);
            match codes.get(&code.code) {
                Some(other) => self.add(at.key("code"), Problem::SameAs(other.clone())),
                None => drop(codes.insert(&code.code, at)),
            }
        }
        for (name, music) in &site.music {
            self.music(&KeyPath::new(&["music", name.as_str()]), music);
        }
        for (name, keys) in &site.soft_keys {
            self.soft_keys(&KeyPath::new(&["soft-keys", name.as_str()]), keys);
        }
        for (name, service) in &site.services {
            self.service(&KeyPath::new(&["services", name.as_str()]), service);
        }
        for (name, contact) in &site.contacts {
            self.contact(&KeyPath::new(&["contacts", name]), name, contact);
        }
    }

    fn call_code(&mut self, at: &KeyPath, code: &CallCode) {
        if !is_digits(&code.code, 1, 16) {
            self.add(at.key("code"), Problem::Digits("a code of 1 to 16 digits"));
        }
        self.known_rights(at, code.rights.as_ref());
        self.text(at.key("description"), &code.description, MAX_DESCRIPTION_BYTES);
    }

    fn soft_keys(&mut self, at: &KeyPath, keys: &SoftKeys) {
        for (set, keys) in &keys.0 {
            let at = at.key(set.name());
            if keys.len() > MAX_SOFT_KEYS {
                let (given, possible) = (keys.len(), MAX_SOFT_KEYS);
                self.add(at.clone(), Problem::TooMany { given, possible, what: "soft keys" });
            }
            let mut seen = BTreeSet::new();
            for (index, key) in keys.iter().enumerate() {
                if !seen.insert(key) {
                    self.add(at.index(index), Problem::Twice(key.to_string()));
                }
            }
        }
    }

    fn service(&mut self, at: &KeyPath, service: &Service) {
        self.text(at.key("title"), &service.title, MAX_NAME_BYTES);
        if service.url.is_empty() == service.items.is_empty() {
            self.add(at.clone(), Problem::Either("url or items"));
        }
        if !service.url.is_empty() {
            self.url(at.key("url"), &service.url);
        }
        if service.items.len() > MAX_ITEMS {
            let (given, possible) = (service.items.len(), MAX_ITEMS);
            self.add(at.key("items"), Problem::TooMany { given, possible, what: "items" });
        }
        for (index, item) in service.items.iter().enumerate() {
            let at = at.key("items").index(index);
            self.needed_text(at.key("name"), &item.name, MAX_NAME_BYTES, "what phones show");
            if let ItemTarget::Url(url) = &item.target {
                self.url(at.key("url"), url);
            }
        }
    }

    fn contact(&mut self, at: &KeyPath, name: &str, contact: &Contact) {
        self.needed_text(at.clone(), name, MAX_NAME_BYTES, "a name");
        if contact.numbers.is_empty() {
            self.add(at.key("numbers"), Problem::Empty("at least one number"));
        }
        for kind in contact.numbers.keys() {
            let at = at.key("numbers").key(kind);
            self.needed_text(at, kind, MAX_NAME_BYTES, "what the number is, such as work");
        }
    }
}

/// A file directly in the music folder.
fn is_file_name(file: &str) -> bool {
    let plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    (1..=255).contains(&file.len()) && file.chars().all(plain) && !file.starts_with('.')
}

pub(super) fn is_digits(secret: &Secret, min: usize, max: usize) -> bool {
    let text = secret.as_str();
    (min..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
