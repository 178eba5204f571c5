//! `button = line, 1001` and its kin.

use std::collections::BTreeMap;

use super::{Import, Section, ini::Entry};
use crate::{Button, Feature, LineNumber, key::KeyPath};

/// The buttons of a phone. What cannot be taken over leaves its button empty, so that the others stay where they are.
pub(super) fn read(
    import: &mut Import<'_>,
    section: &Section,
    at: &KeyPath,
    numbers: &BTreeMap<String, LineNumber>,
) -> Vec<Button> {
    let mut buttons = Vec::new();
    for entry in section.entries.iter().filter(|entry| entry.key == "button") {
        if buttons.is_empty() {
            import.place(at.key("buttons"), &entry.place);
        }
        import.place(at.key("buttons").index(buttons.len()), &entry.place);
        let lines = buttons.iter().filter(|button| matches!(button, Button::Line { .. })).count();
        buttons.push(button(import, entry, numbers, lines == 0));
    }
    while buttons.last() == Some(&Button::Empty) {
        buttons.pop();
    }
    buttons
}

fn button(
    import: &mut Import<'_>,
    entry: &Entry,
    numbers: &BTreeMap<String, LineNumber>,
    first_line: bool,
) -> Button {
    let fields: Vec<&str> = entry.value.split(',').map(str::trim).collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    match field(0).to_ascii_lowercase().as_str() {
        "line" => line(import, entry, field(1), field(2), numbers, first_line),
        "speeddial" => speed_dial(import, entry, field(1), field(2), field(3)),
        "service" => Button::Service { url: field(2).into(), label: field(1).into() },
        "feature" => feature(import, entry, &fields),
        "empty" | "" => Button::Empty,
        other => {
            import.leave_entry_out(entry, format!("{other:?} is no kind of button"));
            Button::Empty
        }
    }
}

/// The line of such a button.
pub(super) fn line_of(button: &Entry, numbers: &BTreeMap<String, LineNumber>) -> Option<LineNumber> {
    let (kind, rest) = button.value.split_once(',')?;
    let name = rest.split([',', '@', '!', '#']).next()?.trim();
    kind.trim().eq_ignore_ascii_case("line").then(|| numbers.get(name).cloned())?
}

/// `1001`, and behind it who the caller seems to be on this phone (`@11:Name`), a label (`#Label`), and options (`!silent`).
fn line(
    import: &mut Import<'_>,
    entry: &Entry,
    name: &str,
    option: &str,
    numbers: &BTreeMap<String, LineNumber>,
    first_line: bool,
) -> Button {
    let (bare, rest) = name.find(['@', '!', '#']).map_or((name, ""), |at| name.split_at(at));
    let label =
        rest.split_once('#').map_or("", |(_, label)| label.split('!').next().unwrap_or_default().trim());
    let label = label.to_owned();
    if rest.starts_with('@') {
        import.leave_entry_out(entry, "a line has the same name and number on all its phones");
    }
    if rest.contains('!') {
        import.leave_entry_out(entry, "a line rings the same way on all its phones");
    }
    if option.eq_ignore_ascii_case("default") && !first_line {
        import.leave_entry_out(entry, "lifting the handset takes the first line");
    }
    match numbers.get(bare).cloned().map_or_else(|| bare.parse(), Ok) {
        Ok(number) => Button::Line { number, label },
        Err(error) => {
            import.fault(&entry.key, entry.place.clone(), format!("line {bare:?}: {error}"));
            Button::Empty
        }
    }
}

/// With a hint (`1001@hints`) it has a lamp, if it is a line's.
fn speed_dial(import: &mut Import<'_>, entry: &Entry, label: &str, number: &str, hint: &str) -> Button {
    let number = match number.parse::<LineNumber>() {
        Ok(number) => number,
        Err(error) => {
            import.leave_entry_out(entry, format!("speed dial {number:?}: {error}"));
            return Button::Empty;
        }
    };
    if hint.is_empty() {
        return Button::SpeedDial { number, label: label.into() };
    }
    if !import.site.lines.contains_key(&number) {
        import.leave_entry_out(
            entry,
            format!("no line has the number {number}: the button dials it, without a lamp"),
        );
        return Button::SpeedDial { number, label: label.into() };
    }
    let watched = hint.split('@').next().unwrap_or_default();
    if watched != number.as_str() {
        import.leave_entry_out(entry, format!("its lamp shows {number}, not {watched}"));
    }
    Button::BusyLamp { number, label: label.into() }
}

/// `feature, Label, kind, argument`; some write `feature, kind, argument`.
fn feature(import: &mut Import<'_>, entry: &Entry, fields: &[&str]) -> Button {
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let (label, found, argument) = match (kind(field(2)), kind(field(1))) {
        (Some(feature), _) => (field(1), Some(feature), field(3)),
        (None, found) => ("", found, field(2)),
    };
    let Some(feature) = found else {
        let name = if field(2).is_empty() { field(1) } else { field(2) };
        import.leave_entry_out(entry, format!("selsius has no feature {name:?} for buttons"));
        return Button::Empty;
    };
    let why = match feature {
        _ if argument.is_empty() => None,
        Feature::ForwardAll => Some("the button asks where to forward to"),
        Feature::DoNotDisturb => Some("what do not disturb does is a setting of the line"),
        Feature::Park => Some("the button parks in the first free slot"),
        _ => None,
    };
    if let Some(why) = why {
        import.leave_entry_out(entry, format!("{argument}: {why}"));
    }
    Button::Feature { feature, label: label.into() }
}

fn kind(name: &str) -> Option<Feature> {
    match name.to_ascii_lowercase().as_str() {
        "privacy" => Some(Feature::Privacy),
        "dnd" => Some(Feature::DoNotDisturb),
        "cfwdall" => Some(Feature::ForwardAll),
        "parkinglot" | "park" => Some(Feature::Park),
        "pickup" => Some(Feature::Pickup),
        "transfer" => Some(Feature::Transfer),
        "hold" => Some(Feature::Hold),
        "conference" | "conf" => Some(Feature::Conference),
        "voicemail" => Some(Feature::Voicemail),
        "redial" => Some(Feature::Redial),
        "mobility" => Some(Feature::Mobility),
        "meetme" => Some(Feature::MeetMe),
        _ => None,
    }
}
