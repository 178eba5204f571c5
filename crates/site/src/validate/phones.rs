//! Lines, phones, their buttons, and what shapes their displays.

use std::collections::BTreeSet;

use super::{
    Check, MAX_BUTTONS, MAX_DESCRIPTION_BYTES, MAX_FILE_BYTES, MAX_NAME_BYTES, MAX_PROMPT_BYTES, Problem,
};
use crate::{Button, Device, Line, Model, PhoneFacts, SipPhone, key::KeyPath};

/// Fewest characters of a SIP phone's password: whoever guesses it calls at the office's cost.
const LEAST_PASSWORD: usize = 8;

impl Check<'_> {
    pub(super) fn lines(&mut self) {
        for (number, line) in &self.site.lines {
            self.line(&KeyPath::new(&["lines", number.as_str()]), line);
        }
    }

    fn line(&mut self, at: &KeyPath, line: &Line) {
        self.text(at.key("name"), &line.name, MAX_NAME_BYTES);
        self.text(at.key("label"), &line.label, MAX_NAME_BYTES);
        self.range(at.key("calls"), line.calls, 1, 200, "calls");
        self.range(at.key("busy-trigger"), line.busy_trigger, 1, line.calls.clamp(1, 200), "calls");
        let groups = &self.site.pickup_groups;
        self.known(
            at.key("pickup-group"),
            line.pickup_group.as_ref(),
            groups,
            "pickup group",
            "pickup-groups",
        );
        self.known_rights(at, line.rights.as_ref());
        if let Some(hotline) = &line.hotline {
            self.range(at.key("hotline").key("after"), hotline.after, 0, 60, "seconds");
            self.target(at.key("hotline").key("number"), Some(&hotline.number));
        }
        self.target(at.key("forward-unregistered"), line.forward_unregistered.as_ref());
    }

    pub(super) fn devices(&mut self) {
        for (name, device) in &self.site.devices {
            let at = KeyPath::new(&["devices", name.as_str()]);
            if name.as_str().starts_with("SEP") && name.mac().is_none() {
                self.add(at.clone(), Problem::NotAMac);
            }
            self.device(&at, device);
        }
    }

    pub(super) fn sip_phones(&mut self) {
        for (name, phone) in &self.site.sip_phones {
            let at = KeyPath::new(&["sip-phones", name.as_str()]);
            // Orders, records and lists name phones and trunks alike.
            let trunk =
                self.site.trunks.keys().find(|trunk| trunk.as_str().eq_ignore_ascii_case(name.as_str()));
            let device = self.site.devices.contains_key(name).then(|| ["devices", name.as_str()]);
            if let Some(other) = device.or(trunk.map(|trunk| ["trunks", trunk.as_str()])) {
                self.add(at.clone(), Problem::NameTaken(KeyPath::new(&other)));
            }
            self.sip_phone(&at, phone);
        }
    }

    fn sip_phone(&mut self, at: &KeyPath, phone: &SipPhone) {
        match &phone.line {
            None => self.add(at.key("line"), Problem::Empty("a line")),
            Some(line) if !self.site.lines.contains_key(line) => {
                self.add(at.key("line"), Problem::UnknownLine(line.clone()));
            }
            Some(_) => {}
        }
        if phone.password.as_str().chars().count() < LEAST_PASSWORD {
            self.add(at.key("password"), Problem::Digits("a password of 8 characters or more"));
        }
        self.text(at.key("description"), &phone.description, MAX_DESCRIPTION_BYTES);
        self.codecs(at.key("codecs"), &phone.codecs);
        self.range(at.key("calls"), phone.calls, 1, 100, "calls");
        self.range(at.key("contacts"), phone.contacts, 1, 10, "places");
    }

    fn device(&mut self, at: &KeyPath, device: &Device) {
        self.text(at.key("description"), &device.description, MAX_DESCRIPTION_BYTES);
        self.text(at.key("idle-text"), &device.idle_text, MAX_PROMPT_BYTES);
        self.phone_file(at.key("background"), &device.background);
        self.phone_file(at.key("ring-tone"), &device.ring_tone);
        self.time_zone(at, device.time_zone.as_ref());
        self.date_format(at, device.date_format.as_ref());
        self.abbreviated(at, &device.abbreviated);
        self.known(at.key("pool"), device.pool.as_ref(), &self.site.pools, "pool", "pools");
        let soft_keys = device.soft_keys.as_ref();
        self.known(at.key("soft-keys"), soft_keys, &self.site.soft_keys, "soft keys", "soft-keys");

        let facts = device.model.as_ref().and_then(Model::facts);
        if let Some(model) = device.model.as_ref().filter(|_| facts.is_none()) {
            self.add(at.key("model"), Problem::UnknownModel(model.to_string()));
        }
        self.side_cars(at, device, facts);
        self.capacity(at, device, facts);
        if let (Some(facts), Some(model)) = (facts, &device.model) {
            self.abilities(at, device, model, facts);
        }
        self.buttons(at, &device.buttons);
    }

    /// A file that a phone fetches from the manager or from elsewhere by HTTP, if any.
    fn phone_file(&mut self, at: KeyPath, file: &str) {
        self.text(at.clone(), file, MAX_FILE_BYTES);
        let odd = |c: char| c.is_whitespace() || c.is_control();
        let elsewhere = file.strip_prefix("http://").is_some_and(|rest| !rest.is_empty());
        let step = |step: &str| step.is_empty() || step == "..";
        let here = !file.contains("://") && !file.split('/').any(step);
        if !file.is_empty() && (file.contains(odd) || !(elsewhere || here)) {
            self.add(at, Problem::NotAFile(file.into()));
        }
    }

    fn side_cars(&mut self, at: &KeyPath, device: &Device, facts: Option<&PhoneFacts>) {
        let at = at.key("side-cars");
        if device.side_cars.len() > 2 {
            let given = device.side_cars.len();
            self.add(at.clone(), Problem::TooMany { given, possible: 2, what: "side cars" });
        }
        let (Some(facts), Some(model)) = (facts, &device.model) else { return };
        for (index, side_car) in device.side_cars.iter().enumerate() {
            if !facts.side_cars.contains(side_car) {
                let problem = Problem::NoSideCar { model: model.clone(), side_car: *side_car };
                self.add(at.index(index), problem);
            }
        }
    }

    fn capacity(&mut self, at: &KeyPath, device: &Device, facts: Option<&PhoneFacts>) {
        let at = at.key("buttons");
        let keys: usize = device.side_cars.iter().map(|side_car| side_car.keys()).sum();
        let given = device.buttons.len();
        let possible =
            facts.map_or(MAX_BUTTONS, |facts| (usize::from(facts.buttons) + keys).min(MAX_BUTTONS));
        if given > possible {
            let mut model = facts.map_or("phone", |facts| facts.name).to_owned();
            if facts.is_some_and(|facts| !facts.side_cars.is_empty()) {
                model.push_str(if keys == 0 { " without side cars" } else { " with these side cars" });
            }
            self.add(at.clone(), Problem::TooManyButtons { model, given, possible });
        }
        let (Some(facts), Some(model)) = (facts, &device.model) else { return };
        let (given, possible) = (device.lines().count(), usize::from(facts.lines) + keys);
        if given > possible {
            self.add(at, Problem::TooManyLines { model: model.clone(), given, possible });
        }
    }

    /// What a model does not do is refused rather than left to be found out.
    fn abilities(&mut self, at: &KeyPath, device: &Device, model: &Model, facts: &PhoneFacts) {
        let cannot = |cannot| Problem::Cannot { model: model.clone(), cannot };
        if facts.soft_keys == 0 && device.soft_keys.is_some() {
            self.add(at.key("soft-keys"), cannot("has no soft keys"));
        }
        for (key, file) in [("background", &device.background), ("ring-tone", &device.ring_tone)] {
            if !facts.look && !file.is_empty() {
                self.add(at.key(key), cannot("takes neither background nor ring tone from a manager"));
            }
        }
        if facts.services {
            return;
        }
        for (index, button) in device.buttons.iter().enumerate() {
            if matches!(button, Button::Service { .. } | Button::Menu { .. }) {
                self.add(at.key("buttons").index(index).key("service"), cannot("opens no services"));
            }
        }
    }

    /// Buttons of a phone or of a user.
    pub(super) fn buttons(&mut self, at: &KeyPath, buttons: &[Button]) {
        let site = self.site;
        let mut seen = BTreeSet::new();
        for (index, button) in buttons.iter().enumerate() {
            let at = at.key("buttons").index(index);
            self.text(at.key("label"), button.label(), MAX_NAME_BYTES);
            match button {
                Button::Line { number, .. } => {
                    if !site.lines.contains_key(number) {
                        self.add(at.key("line"), Problem::UnknownLine(number.clone()));
                    } else if !seen.insert(number) {
                        self.add(at.key("line"), Problem::LineTwice(number.clone()));
                    }
                }
                Button::Service { url, .. } => self.url(at.key("service"), url),
                Button::Menu { service, .. } => {
                    self.known(at.key("service"), Some(service), &site.services, "service", "services");
                }
                Button::BusyLamp { number, .. } | Button::Intercom { number, .. } => {
                    if !site.lines.contains_key(number) {
                        let key =
                            if matches!(button, Button::Intercom { .. }) { "intercom" } else { "busy-lamp" };
                        self.add(at.key(key), Problem::UnknownLine(number.clone()));
                    }
                }
                Button::ParkSlot { number, .. } if !self.numbers.is_slot(number) => {
                    self.add(at.key("park-slot"), Problem::UnknownSlot(number.clone()));
                }
                Button::Paging { number, .. } if !site.paging_groups.contains_key(number) => {
                    let (name, near) = (number.to_string(), Vec::new());
                    let (what, section) = ("paging group", "paging-groups");
                    self.add(at.key("paging"), Problem::Unknown { what, name, section, near });
                }
                Button::SpeedDial { .. }
                | Button::Feature { .. }
                | Button::ParkSlot { .. }
                | Button::Paging { .. }
                | Button::Empty => {}
            }
        }
    }
}
