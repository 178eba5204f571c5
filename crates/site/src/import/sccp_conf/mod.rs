//! chan-sccp's `sccp.conf`. Facts: its annotated sample (conf/sccp.conf.annotated) and sample files, of which no text is
//! used here.

mod buttons;
mod ini;
mod soft_keys;

use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};

use self::ini::{Entry, Section};
use super::{Import, line_path};
use crate::{
    CodecName, Device, DeviceName, DoNotDisturb, Hotline, Language, Line, LineNumber, Model, Name,
    NumberMask, SideCar, key::KeyPath,
};

/// Why most things are left out.
const NO_SUCH_SETTING: &str = "selsius has no such setting";

/// Switches of features that every phone and line has here: what they switch on is there, and cannot be switched off.
const ALWAYS_ON: &[&str] = &[
    "transfer",
    "park",
    "cfwdall",
    "cfwdbusy",
    "cfwdnoanswer",
    "dndfeature",
    "private",
    "directed_pickup",
    "conf_allow",
    "directrtp",
    "mwilamp",
    "pickup",
    "directed_pickup_modeanswer",
];

/// Reads the whole file.
pub(super) fn read(import: &mut Import<'_>) {
    let sections = ini::read(import);
    let of_type = |wanted: &'static str| {
        sections.iter().filter(move |section| !section.is_template && type_of(section) == wanted)
    };
    let mut general = None;
    if let Some(section) = sections.iter().find(|section| section.name.eq_ignore_ascii_case("general")) {
        settings(import, section);
        general = Some(section);
    }
    // Soft keys and lines first, since devices refer to them.
    for section in of_type("softkeyset") {
        soft_keys::read(import, section);
    }
    let mut numbers = BTreeMap::new();
    let mut groups = Groups::default();
    for section in of_type("line") {
        if let Some(number) = line(import, general, section, &mut groups) {
            numbers.insert(section.name.clone(), number);
        }
    }
    groups.finish(import);
    for section in of_type("device") {
        device(import, section, &numbers);
    }
    for section in sections.iter().filter(|section| !section.is_template && type_of(section).is_empty()) {
        let why = "a section whose type is not device, line or softkeyset";
        import.leave_out(&format!("[{}]", section.name), &section.place, why);
    }
}

/// What a section is; empty if that is unknown.
fn type_of(section: &Section) -> &'static str {
    let value = section.value("type");
    let known = ["device", "line", "softkeyset"].into_iter().find(|known| value.eq_ignore_ascii_case(known));
    known.unwrap_or(if section.name.eq_ignore_ascii_case("general") { "general" } else { "" })
}

impl Import<'_> {
    fn leave_entry_out(&mut self, entry: &Entry, why: impl Into<String>) {
        self.leave_out(&entry.key, &entry.place, why);
    }

    /// Reads the value of an entry, or leaves it out.
    fn value<T: FromStr<Err: core::fmt::Display>>(&mut self, entry: &Entry) -> Option<T> {
        match entry.value.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.leave_entry_out(entry, format!("{:?}: {error}", entry.value));
                None
            }
        }
    }

    /// A number within bounds.
    fn number(&mut self, entry: &Entry, min: u32, max: u32) -> Option<u32> {
        let number: u32 = self.value(entry)?;
        if (min..=max).contains(&number) {
            return Some(number);
        }
        self.leave_entry_out(entry, format!("is {number}; selsius can do {min} to {max}"));
        None
    }

    /// What has no place in a site.
    fn rest(&mut self, entry: &Entry) {
        if entry.value.is_empty() {
            return;
        }
        if !ALWAYS_ON.contains(&entry.key.as_str()) {
            return self.leave_entry_out(entry, NO_SUCH_SETTING);
        }
        if !is_on(&entry.value) {
            self.leave_entry_out(entry, "selsius cannot switch this off; soft keys can be taken away");
        }
    }
}

fn is_on(value: &str) -> bool {
    ["on", "yes", "true", "1"].iter().any(|on| value.eq_ignore_ascii_case(on))
}

fn settings(import: &mut Import<'_>, section: &Section) {
    let at = KeyPath::new(&["settings"]);
    let mut codecs: Vec<CodecName> = Vec::new();
    for entry in &section.entries {
        match entry.key.as_str() {
            "servername" => {
                import.place(at.key("name"), &entry.place);
                import.site.settings.name.clone_from(&entry.value);
            }
            "keepalive" => {
                if let Some(seconds) = import.number(entry, 10, 600) {
                    import.site.settings.keepalive_seconds = seconds;
                }
            }
            "dateformat" => {
                let old = import.site.settings.date_format.clone();
                import.optional(at.key("date-format"), &entry.key, &entry.place, move |site| {
                    site.settings.date_format = old;
                });
                import.site.settings.date_format.clone_from(&entry.value);
            }
            "firstdigittimeout" => {
                if let Some(seconds) = import.number(entry, 1, 120) {
                    import.site.settings.timers.first_digit = seconds;
                }
            }
            "digittimeout" => {
                if let Some(seconds) = import.number(entry, 1, 60) {
                    import.site.settings.timers.inter_digit = seconds;
                }
            }
            "transfer_on_hangup" => import.site.settings.on_hook_transfers = is_on(&entry.value),
            "language" => {
                match Language::ALL.iter().find(|language| entry.value.starts_with(language.name())) {
                    Some(&language) => import.site.settings.language = language,
                    None => {
                        import.leave_entry_out(entry, "phones can be told English, German, French or Spanish")
                    }
                }
            }
            "disallow" if entry.value.eq_ignore_ascii_case("all") => codecs.clear(),
            "allow" => read_codecs(import, entry, &mut codecs),
            "callgroup" | "pickupgroup" | "namedcallgroup" | "namedpickupgroup" => {}
            "bindaddr" | "port" => import.leave_entry_out(entry, "belongs to selsius.toml"),
            "hotline_enabled" if !is_on(&entry.value) => {}
            "hotline_enabled" => {
                import.leave_entry_out(entry, "set auto-registration for phones that nobody has configured");
            }
            _ => import.rest(entry),
        }
    }
    if !codecs.is_empty() {
        import.site.settings.codecs = codecs;
    }
}

fn read_codecs(import: &mut Import<'_>, entry: &Entry, codecs: &mut Vec<CodecName>) {
    for word in entry.value.split([',', '|']).map(str::trim).filter(|word| !word.is_empty()) {
        let codec = match word.to_ascii_lowercase().as_str() {
            "ulaw" => CodecName::Pcmu,
            "alaw" => CodecName::Pcma,
            "g722" => CodecName::G722,
            "g729" => CodecName::G729,
            _ => {
                import.leave_entry_out(entry, format!("{word}: selsius has no such codec"));
                continue;
            }
        };
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
}

/// Groups that pick up each other's calls, as their lines are read.
#[derive(Default)]
struct Groups {
    /// Which others the members of each may pick up from, and where that is said first.
    others: BTreeMap<Name, BTreeSet<Name>>,
}

impl Groups {
    fn finish(self, import: &mut Import<'_>) {
        for (group, others) in &self.others {
            // A group without a line has no calls that one could take.
            let others = others.iter().filter(|&other| other != group && self.others.contains_key(other));
            import.site.pickup_groups.entry(group.clone()).or_default().others = others.cloned().collect();
        }
    }

    /// Puts a line into the group whose calls are its own, and has that one pick up what the line may.
    fn join(
        &mut self,
        import: &mut Import<'_>,
        general: Option<&Section>,
        section: &Section,
    ) -> Option<Name> {
        let find = |numbered: &str, named: &str| {
            let of = |section: &Section| {
                let mut entries = vec![section.last(numbered).cloned(), section.last(named).cloned()];
                entries.retain(|entry| entry.as_ref().is_some_and(|entry| !entry.value.is_empty()));
                entries.into_iter().flatten().collect::<Vec<Entry>>()
            };
            let own = of(section);
            if own.is_empty() { general.map(of).unwrap_or_default() } else { own }
        };
        let read = |import: &mut Import<'_>, entries: &[Entry]| {
            entries.iter().flat_map(|entry| group_names(import, entry)).collect::<Vec<_>>()
        };
        let (called_in, picks_in) =
            (find("callgroup", "namedcallgroup"), find("pickupgroup", "namedpickupgroup"));
        let (called, picks) = (read(import, &called_in), read(import, &picks_in));
        let own = called.first().or(picks.first())?.clone();
        match (called_in.first(), picks_in.first()) {
            (Some(entry), _) if called.len() > 1 => {
                import.leave_entry_out(
                    entry,
                    format!("a line is in one pickup group; [{}] is in {own}", section.name),
                );
            }
            (None, Some(entry)) => {
                let why = format!(
                    "without a callgroup; [{}] is in {own}, which can pick up its calls too",
                    section.name
                );
                import.leave_entry_out(entry, why);
            }
            _ => {}
        }
        self.others.entry(own.clone()).or_default().extend(picks);
        Some(own)
    }
}

/// The groups of a list such as `1,3-4` or `sales,support`.
fn group_names(import: &mut Import<'_>, entry: &Entry) -> Vec<Name> {
    /// Groups that Asterisk has: 0 to 63.
    const MOST: u32 = 63;
    let mut names = Vec::new();
    for word in entry.value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        if let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
            names.extend((first..=last.min(MOST)).filter_map(|group| format!("group-{group}").parse().ok()));
        } else if let Ok(name) = word.parse::<Name>() {
            names.push(name);
        } else {
            import.leave_entry_out(entry, format!("{word:?} cannot be the name of a pickup group"));
        }
    }
    names
}

fn line(
    import: &mut Import<'_>,
    general: Option<&Section>,
    section: &Section,
    groups: &mut Groups,
) -> Option<LineNumber> {
    // A section can be called by a word; then its number is what others see.
    let by_name = section.name.parse::<LineNumber>();
    let number = match by_name.clone().or_else(|error| section.value("cid_num").parse().map_err(|_| error)) {
        Ok(number) => number,
        Err(error) => {
            import.fault(
                &section.name,
                section.place.clone(),
                format!("is no number: {error}; give it a cid_num"),
            );
            return None;
        }
    };
    let path = KeyPath::new(&["lines", number.as_str()]);
    if import.places.contains_key(&path) {
        import.fault(
            &section.name,
            section.place.clone(),
            format!("another section is line {number} already"),
        );
        return None;
    }
    import.place(path, &section.place);
    let mut line = Line { voicemail: false, ..Line::default() };
    for entry in &section.entries {
        line_entry(import, section, entry, &number, &mut line, by_name.is_ok());
    }
    if line.label.is_empty() {
        section.value("description").clone_into(&mut line.label);
    }
    if line.name.is_empty() {
        line.name.clone_from(&line.label);
    }
    line.pickup_group = groups.join(import, general, section);
    import.site.lines.insert(number.clone(), line);
    Some(number)
}

fn line_entry(
    import: &mut Import<'_>,
    section: &Section,
    entry: &Entry,
    number: &LineNumber,
    line: &mut Line,
    named_by_number: bool,
) {
    match entry.key.as_str() {
        "type" | "callgroup" | "pickupgroup" | "namedcallgroup" | "namedpickupgroup" => {}
        _ if entry.value.is_empty() => {}
        "label" => {
            import.place(line_path(number, "label"), &entry.place);
            line.label.clone_from(&entry.value);
        }
        "description" => {
            if !section.value("label").is_empty() {
                import.leave_entry_out(entry, "a line has a label, and no description beside it");
            }
            import.place(line_path(number, "label"), &entry.place);
        }
        "cid_name" => {
            import.place(line_path(number, "name"), &entry.place);
            line.name.clone_from(&entry.value);
        }
        "cid_num" if entry.value == number.as_str() || !named_by_number => {}
        "cid_num" => line.external_number = import.value::<NumberMask>(entry),
        "mailbox" => {
            let mut boxes = entry.value.split(',').map(str::trim);
            let first = boxes.next().unwrap_or_default();
            let first = first.split('@').next().unwrap_or_default();
            match first.parse::<LineNumber>() {
                Ok(mailbox) => {
                    line.voicemail = true;
                    line.mailbox = Some(mailbox).filter(|mailbox| mailbox != number);
                }
                Err(error) => import.leave_entry_out(entry, format!("{first:?}: {error}")),
            }
            if boxes.next().is_some() {
                import.leave_entry_out(entry, "a line has one mailbox; the first is taken");
            }
        }
        "incominglimit" => {
            if let Some(limit) = import.number(entry, 1, 200) {
                line.busy_trigger = limit;
                line.calls = Line::default().calls.max(limit);
            }
        }
        "dnd" => line.do_not_disturb = do_not_disturb(import, entry),
        "adhocnumber" => {
            if let Some(target) = import.value(entry) {
                line.hotline = Some(Hotline { number: target, after: 0 });
                let (path, own) = (line_path(number, "hotline").key("number"), number.clone());
                import.optional(path, &entry.key, &entry.place, move |site| {
                    if let Some(line) = site.lines.get_mut(&own) {
                        line.hotline = None;
                    }
                });
            }
        }
        "vmnum" => {
            let Some(target) = import.value::<LineNumber>(entry) else { return };
            let settings = &mut import.site.settings;
            match &settings.voicemail {
                Some(other) if *other != target => {
                    let why = format!("the messages key of all phones dials {other}");
                    import.leave_entry_out(entry, why);
                }
                _ => settings.voicemail = Some(target),
            }
        }
        _ => import.rest(entry),
    }
}

fn do_not_disturb(import: &mut Import<'_>, entry: &Entry) -> DoNotDisturb {
    match entry.value.to_ascii_lowercase().as_str() {
        "silent" => DoNotDisturb::Silent,
        "off" | "no" => {
            import.leave_entry_out(entry, "do not disturb cannot be switched off; it rejects calls");
            DoNotDisturb::Reject
        }
        _ => DoNotDisturb::Reject,
    }
}

fn device(import: &mut Import<'_>, section: &Section, numbers: &BTreeMap<String, LineNumber>) {
    let Some(name) = import.parse::<DeviceName>(&section.name, &section.name, &section.place) else { return };
    let at = KeyPath::new(&["devices", name.as_str()]);
    if import.places.contains_key(&at) {
        return import.fault(&section.name, section.place.clone(), "this phone is there twice");
    }
    import.place(at.clone(), &section.place);
    let mut device = Device::default();
    for entry in &section.entries {
        match entry.key.as_str() {
            "type" | "button" => {}
            _ if entry.value.is_empty() => {}
            "description" => {
                import.place(at.key("description"), &entry.place);
                device.description.clone_from(&entry.value);
            }
            "devicetype" | "device" => {
                import.place(at.key("model"), &entry.place);
                match entry.value.parse::<Model>() {
                    Ok(model) => device.model = Some(model),
                    Err(error) => {
                        import.leave_entry_out(entry, format!("{error}; the phone says what it is"))
                    }
                }
            }
            "addon" => {
                import.place(at.key("side-cars"), &entry.place);
                for word in entry.value.split([',', ' ']).filter(|word| !word.is_empty()) {
                    match SideCar::ALL.iter().find(|car| car.name() == word) {
                        Some(&car) => device.side_cars.push(car),
                        None => {
                            import.leave_entry_out(entry, format!("{word}: selsius knows no such key module"))
                        }
                    }
                }
            }
            "softkeyset" => {
                let own = entry.value.parse::<Name>().ok();
                device.soft_keys = own.filter(|own| import.site.soft_keys.contains_key(own));
                if device.soft_keys.is_none() && !entry.value.eq_ignore_ascii_case("default") {
                    import.leave_entry_out(entry, format!("there is no soft key set [{}]", entry.value));
                }
            }
            "privacy" => device.privacy = matches!(entry.value.to_ascii_lowercase().as_str(), "on" | "full"),
            "dnd" => {
                let mode = do_not_disturb(import, entry);
                // What a line says itself comes first; that it says nothing looks the same as that it says reject.
                let lines = section.entries.iter().filter(|entry| entry.key == "button");
                for number in lines.filter_map(|button| buttons::line_of(button, numbers)) {
                    if let Some(line) = import.site.lines.get_mut(&number)
                        && line.do_not_disturb == DoNotDisturb::default()
                    {
                        line.do_not_disturb = mode;
                    }
                }
            }
            "imageversion" => {
                import.leave_entry_out(entry, "set the firmware of the model in [settings.firmware]");
            }
            "tzoffset" if entry.value == "0" => {}
            "tzoffset" => import.leave_entry_out(entry, "give the phone or its pool a time-zone by name"),
            _ => import.rest(entry),
        }
    }
    device.buttons = buttons::read(import, section, &at, numbers);
    import.site.devices.insert(name, device);
}
