//! From TOML to what a site file mentions. Every mistake is noted and reading goes on, so that one run shows
//! them all.

use core::{fmt::Display, ops::Range, str::FromStr};
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Content, DevicePart, FileProblem, LinePart, SettingsPart, SiteFileError};
use crate::key::{KeyPath, Quoted};
use crate::{Action, AutoRegistration, Button, CodecName, LineNumber, Model, Route, TonePlan, near::near};

type Value<'t> = Spanned<DeValue<'t>>;
type Places = BTreeMap<KeyPath, Range<usize>>;

/// Reads a file's text.
pub(super) fn read(name: &str, text: &str) -> Result<(Content, Places), SiteFileError> {
    let mut reader = Reader { text, problems: Vec::new(), places: BTreeMap::new() };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        // What follows a mistake in the syntax is guesswork; the key names are not looked at then.
        let place = error.span().unwrap_or(0..0);
        reader.problem(&KeyPath::default(), place, error.message().trim().replace('\n', "; "));
    }
    let content = if reader.problems.is_empty() { reader.site(root.get_ref()) } else { Content::default() };
    if reader.problems.is_empty() {
        Ok((content, reader.places))
    } else {
        Err(SiteFileError::new(name, reader.problems))
    }
}

struct Reader<'t> {
    text: &'t str,
    problems: Vec<FileProblem>,
    places: Places,
}

impl Reader<'_> {
    fn site(&mut self, root: &DeTable<'_>) -> Content {
        let mut content = Content::default();
        let known = ["settings", "lines", "devices", "routes"];
        self.fields(&KeyPath::default(), root, &known, |reader, key, path, value| match key {
            "settings" => content.settings = reader.settings(&path, value),
            "lines" => content.lines = reader.named(&path, value, "a line such as [lines.1001]", Self::line),
            "devices" => {
                let what = "a device such as [devices.SEP001122334455]";
                content.devices = reader.named(&path, value, what, Self::device);
            }
            _ => {
                let what = "a route such as [routes.\"0.!\"]";
                let routes = reader.named(&path, value, what, Self::route);
                content.routes =
                    routes.into_iter().filter_map(|(pattern, route)| Some((pattern, route?))).collect();
            }
        });
        content
    }

    fn settings(&mut self, path: &KeyPath, value: &Value<'_>) -> SettingsPart {
        let mut part = SettingsPart::default();
        let known = [
            "name",
            "time-zone",
            "date-format",
            "tones",
            "codecs",
            "packet-ms",
            "keepalive-seconds",
            "timers",
            "auto-registration",
            "firmware",
        ];
        let Some(table) = self.table(path, value, "a table [settings]") else {
            return part;
        };
        self.fields(path, table, &known, |reader, key, path, value| match key {
            "name" => part.name = reader.string(&path, value, "a text"),
            "time-zone" => {
                let zone = reader.string(
                    &path,
                    value,
                    "a zone such as \"Europe/Berlin\", or \"\" for the machine's",
                );
                part.time_zone = zone.map(|zone| Some(zone).filter(|zone| !zone.is_empty()));
            }
            "date-format" => part.date_format = reader.string(&path, value, "a format such as \"D.M.Y\""),
            "tones" => part.tones = reader.word(&path, value, TonePlan::ALL, TonePlan::name),
            "codecs" => {
                let codecs = reader.list(
                    &path,
                    value,
                    "a list such as [\"g722\", \"pcmu\"]",
                    |reader, path, value| reader.word(path, value, CodecName::ALL, CodecName::name),
                );
                part.codecs = codecs;
            }
            "packet-ms" => part.packet_ms = reader.integer(&path, value, "milliseconds such as 20"),
            "keepalive-seconds" => {
                part.keepalive_seconds = reader.integer(&path, value, "seconds such as 30")
            }
            "timers" => reader.timers(&path, value, &mut part),
            "auto-registration" => part.auto_registration = reader.auto_registration(&path, value),
            _ => {
                let what = "a load such as firmware.\"7960\" = \"P0030801SR02\"";
                let loads = reader.named::<Model, _>(&path, value, what, |reader, path, value| {
                    reader.string(path, value, "the name of a load, or \"\" for none")
                });
                part.firmware = loads
                    .into_iter()
                    .filter_map(|(model, load)| Some((model, Some(load?).filter(|load| !load.is_empty()))))
                    .collect();
            }
        });
        part
    }

    fn timers(&mut self, path: &KeyPath, value: &Value<'_>, part: &mut SettingsPart) {
        let Some(table) = self.table(path, value, "a table [settings.timers]") else {
            return;
        };
        self.fields(path, table, &["first-digit", "inter-digit", "no-answer"], |reader, key, path, value| {
            let seconds = reader.integer(&path, value, "seconds");
            match key {
                "first-digit" => part.first_digit = seconds,
                "inter-digit" => part.inter_digit = seconds,
                _ => part.no_answer = seconds,
            }
        });
    }

    /// `false`, or a table with both ends of the range.
    fn auto_registration(&mut self, path: &KeyPath, value: &Value<'_>) -> Option<Option<AutoRegistration>> {
        if matches!(value.get_ref(), DeValue::Boolean(false)) {
            return Some(None);
        }
        let what = "false, or the ends of a range such as { first = \"1001\", last = \"1999\" }";
        let table = self.table(path, value, what)?;
        let (mut first, mut last) = (None, None);
        self.fields(path, table, &["first", "last"], |reader, key, path, value| match key {
            "first" => first = reader.number(&path, value),
            _ => last = reader.number(&path, value),
        });
        for key in ["first", "last"] {
            if !table.contains_key(key) {
                let place = self.places.get(path).cloned().unwrap_or_else(|| value.span());
                self.problem(path, place, format!("has no `{key}`; expected {what}"));
            }
        }
        Some(Some(AutoRegistration { first: first?, last: last? }))
    }

    fn line(&mut self, path: &KeyPath, value: &Value<'_>) -> LinePart {
        let mut part = LinePart::default();
        let Some(table) = self.table(path, value, "a table with name and label") else {
            return part;
        };
        self.fields(path, table, &["name", "label"], |reader, key, path, value| match key {
            "name" => part.name = reader.string(&path, value, "a text"),
            _ => part.label = reader.string(&path, value, "a text"),
        });
        part
    }

    fn device(&mut self, path: &KeyPath, value: &Value<'_>) -> DevicePart {
        let mut part = DevicePart::default();
        let Some(table) = self.table(path, value, "a table with model and buttons") else {
            return part;
        };
        let known = ["description", "model", "buttons", "roam"];
        self.fields(path, table, &known, |reader, key, path, value| match key {
            "description" => part.description = reader.string(&path, value, "a text"),
            "model" => part.model = reader.model(&path, value),
            "buttons" => {
                part.buttons =
                    reader.list(&path, value, "a list such as [{ line = \"1001\" }, {}]", Self::button);
            }
            _ => part.roam = reader.boolean(&path, value),
        });
        part
    }

    fn button(&mut self, path: &KeyPath, value: &Value<'_>) -> Option<Button> {
        let table = self.table(path, value, "a button such as { line = \"1001\" }, or {} for none")?;
        let (mut buttons, mut label) = (Vec::new(), None);
        self.fields(path, table, &["line", "speed-dial", "service", "label"], |reader, key, path, value| {
            let empty = String::new();
            match key {
                "line" => {
                    let number = reader.number(&path, value);
                    buttons.push(number.map(|number| Button::Line { number, label: empty }));
                }
                "speed-dial" => {
                    let number = reader.number(&path, value);
                    buttons.push(number.map(|number| Button::SpeedDial { number, label: empty }));
                }
                "service" => {
                    let url = reader.string(&path, value, "an address such as \"http://host/menu.xml\"");
                    buttons.push(url.map(|url| Button::Service { url, label: empty }));
                }
                _ => label = Some(reader.string(&path, value, "a text").unwrap_or(empty)),
            }
        });
        match (buttons.len(), label) {
            (0, None) => Some(Button::Empty),
            (1, text) => {
                let mut button = buttons.pop().flatten()?;
                if let Button::Line { label, .. }
                | Button::SpeedDial { label, .. }
                | Button::Service { label, .. } = &mut button
                {
                    *label = text.unwrap_or_default();
                }
                Some(button)
            }
            (0, Some(_)) => {
                // A misspelt kind has been named already.
                if table.keys().all(|key| key.get_ref() == "label") {
                    self.problem(
                        path,
                        value.span(),
                        "has only a label; expected line, speed-dial or service too",
                    );
                }
                None
            }
            _ => {
                self.problem(
                    path,
                    value.span(),
                    "is several things; expected one of line, speed-dial, service",
                );
                None
            }
        }
    }

    fn route(&mut self, path: &KeyPath, value: &Value<'_>) -> Option<Route> {
        let table = self.table(path, value, "a table with lines, or block = true")?;
        let (mut lines, mut block, mut emergency) = (None, None, Some(false));
        self.fields(path, table, &["lines", "block", "emergency"], |reader, key, path, value| match key {
            "lines" => lines = reader.list(&path, value, "a list such as [\"1001\", \"1002\"]", Self::number),
            "block" => block = reader.boolean(&path, value),
            _ => emergency = reader.boolean(&path, value),
        });
        let place = self.places.get(path).cloned().unwrap_or_else(|| value.span());
        let action = match (table.contains_key("lines"), block == Some(true)) {
            (true, false) => Action::Lines(lines?),
            (false, true) => Action::Block,
            (true, true) => {
                self.problem(path, place, "has lines and block = true; expected one of the two");
                return None;
            }
            (false, false) => {
                self.problem(path, place, "leads nowhere; expected lines = [..] or block = true");
                return None;
            }
        };
        Some(Route { action, emergency: emergency?, ..Route::default() })
    }

    /// The entries of a table whose keys are names of one kind.
    fn named<K, V>(
        &mut self,
        path: &KeyPath,
        value: &Value<'_>,
        expected: &str,
        mut each: impl FnMut(&mut Self, &KeyPath, &Value<'_>) -> V,
    ) -> BTreeMap<K, V>
    where
        K: FromStr<Err: Display> + Display + Ord + Described,
    {
        let mut entries: BTreeMap<K, V> = BTreeMap::new();
        let Some(table) = self.table(path, value, &format!("entries, each {expected}")) else {
            return entries;
        };
        for (key, value) in in_order(table) {
            let written = path.key(key.get_ref().as_ref());
            let name: K = match key.get_ref().parse() {
                Ok(name) => name,
                Err(error) => {
                    self.unparsed::<K>(&written, key.span(), key.get_ref(), &error);
                    continue;
                }
            };
            // Names are compared as they are kept: sep.. is SEP.., and CP-7960 a 7960.
            let path = path.key(name.to_string());
            if let Some(first) = self.places.get(&path) {
                let line = self.text[..first.start.min(self.text.len())].matches('\n').count() + 1;
                self.problem(&written, key.span(), format!("is there twice; the first is in line {line}"));
                continue;
            }
            self.places.insert(path.clone(), key.span());
            let entry = each(self, &path, value);
            entries.insert(name, entry);
        }
        entries
    }

    /// Calls `each` for every known key of a table, in the order of the file, and names the others.
    fn fields(
        &mut self,
        path: &KeyPath,
        table: &DeTable<'_>,
        known: &[&str],
        mut each: impl FnMut(&mut Self, &str, KeyPath, &Value<'_>),
    ) {
        for (key, value) in in_order(table) {
            let (name, path) = (key.get_ref().as_ref(), path.key(key.get_ref().as_ref()));
            if !known.contains(&name) {
                self.problem(&path, key.span(), format!("unknown key; expected {}", one_of(known)));
                self.hint(near(name, known.iter().copied()));
                continue;
            }
            let is_table = matches!(value.get_ref(), DeValue::Table(_));
            self.places.insert(path.clone(), if is_table { key.span() } else { value.span() });
            each(self, name, path, value);
        }
    }

    fn table<'v, 't>(
        &mut self,
        path: &KeyPath,
        value: &'v Value<'t>,
        expected: &str,
    ) -> Option<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.wrong_type(path, value.span(), other, expected);
                None
            }
        }
    }

    /// A list; `None` if it is none or one of its elements is wrong.
    fn list<T>(
        &mut self,
        path: &KeyPath,
        value: &Value<'_>,
        expected: &str,
        mut each: impl FnMut(&mut Self, &KeyPath, &Value<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let DeValue::Array(elements) = value.get_ref() else {
            self.wrong_type(path, value.span(), value.get_ref(), expected);
            return None;
        };
        let mut list = Vec::new();
        let mut whole = true;
        for (index, element) in elements.iter().enumerate() {
            let path = path.index(index);
            self.places.insert(path.clone(), element.span());
            match each(self, &path, element) {
                Some(element) => list.push(element),
                None => whole = false,
            }
        }
        whole.then_some(list)
    }

    fn string(&mut self, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            other => {
                self.wrong_type(path, value.span(), other, expected);
                None
            }
        }
    }

    fn boolean(&mut self, path: &KeyPath, value: &Value<'_>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(boolean) => Some(*boolean),
            other => {
                self.wrong_type(path, value.span(), other, "true or false");
                None
            }
        }
    }

    fn integer(&mut self, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<u32> {
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(path, value.span(), value.get_ref(), expected);
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        if number.is_none() {
            self.problem(path, value.span(), format!("is {integer}; expected {expected}"));
        }
        number
    }

    /// A directory number, which is a text: as an integer it would lose its leading zeros.
    fn number(&mut self, path: &KeyPath, value: &Value<'_>) -> Option<LineNumber> {
        if let DeValue::Integer(integer) = value.get_ref() {
            self.problem(
                path,
                value.span(),
                "is an integer; expected a number in quotes, as they can begin with 0",
            );
            let text = integer.to_string();
            self.problems.last_mut()?.hint = Some(format!("write {}", Quoted::value(&text)));
            return None;
        }
        let text = self.string(path, value, "a number in quotes such as \"1001\"")?;
        let number = text.parse::<LineNumber>();
        number
            .map_err(|error| {
                self.problem(path, value.span(), format!("{error}; expected a number such as \"1001\""))
            })
            .ok()
    }

    /// A model; an empty text is "whatever the phone says".
    fn model(&mut self, path: &KeyPath, value: &Value<'_>) -> Option<Option<Model>> {
        let text = self.string(path, value, "a model such as \"7960\", or \"\" for what the phone says")?;
        if text.is_empty() {
            return Some(None);
        }
        match text.parse() {
            Ok(model) => Some(Some(model)),
            Err(error) => {
                self.unparsed::<Model>(path, value.span(), &text, &error);
                None
            }
        }
    }

    fn word<T: Copy>(
        &mut self,
        path: &KeyPath,
        value: &Value<'_>,
        words: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|&word| name(word)).collect();
        let text = self.string(path, value, &one_of(&names))?;
        let found = words.iter().copied().find(|&word| name(word) == text);
        if found.is_none() {
            self.problem(path, value.span(), format!("is {text:?}; expected {}", one_of(&names)));
            self.hint(near(&text, names));
        }
        found
    }

    fn unparsed<K: FromStr<Err: Display> + Described>(
        &mut self,
        path: &KeyPath,
        place: Range<usize>,
        text: &str,
        error: &K::Err,
    ) {
        self.problem(path, place, format!("{error}; expected {}", K::EXPECTED));
        self.hint(K::near(text));
    }

    fn wrong_type(&mut self, path: &KeyPath, place: Range<usize>, value: &DeValue<'_>, expected: &str) {
        let given = match value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problem(path, place, format!("is {given}; expected {expected}"));
    }

    fn problem(&mut self, path: &KeyPath, place: Range<usize>, message: impl Into<String>) {
        self.problems.push(FileProblem::new(self.text, Some(place), path.clone(), message));
    }

    /// Adds what was probably meant to the last problem.
    fn hint(&mut self, near: Vec<&str>) {
        if let (Some(problem), false) = (self.problems.last_mut(), near.is_empty()) {
            problem.hint = Some(format!("did you mean {}?", one_of(&near)));
        }
    }
}

/// What the keys of a table are, for messages.
trait Described {
    const EXPECTED: &'static str;

    fn near(_text: &str) -> Vec<&'static str> {
        Vec::new()
    }
}

impl Described for crate::DeviceName {
    const EXPECTED: &'static str = "a device name such as SEP001122334455";
}

impl Described for LineNumber {
    const EXPECTED: &'static str = "a number such as 1001";
}

impl Described for crate::Pattern {
    const EXPECTED: &'static str = "a pattern such as \"0.!\" or \"1XX\"";
}

impl Described for Model {
    const EXPECTED: &'static str = "a model such as \"7960\", \"7965\" or \"SPA525G2\"";

    fn near(text: &str) -> Vec<&'static str> {
        text.parse::<Self>().err().map(|error| error.near).unwrap_or_default()
    }
}

/// The entries of a table as the file has them; the map itself is ordered by name.
fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Spanned<toml::de::DeString<'t>>, &'v Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
