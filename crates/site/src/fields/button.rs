//! Small tables within a value: buttons, the entries of menus, hotlines, the range of auto-registration.

use toml::de::DeValue;

use super::value::{FieldValue, Toml};
use crate::{
    Button, Feature, Hotline, ItemTarget, LineNumber, Name, NumberRange, ServiceItem,
    file::{Reader, Value},
    key::{KeyPath, Quoted},
};

/// What a button can be, by its key.
const KINDS: [&str; 8] =
    ["line", "speed-dial", "busy-lamp", "service", "feature", "intercom", "park-slot", "paging"];
const KINDS_AND_LABEL: [&str; 9] =
    ["line", "speed-dial", "busy-lamp", "service", "feature", "intercom", "park-slot", "paging", "label"];

impl Button {
    /// Its key and what stands behind it; `None` if it is empty.
    fn kind(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Self::Line { number, .. } => ("line", number.as_str()),
            Self::SpeedDial { number, .. } => ("speed-dial", number.as_str()),
            Self::BusyLamp { number, .. } => ("busy-lamp", number.as_str()),
            Self::Service { url, .. } => ("service", url),
            Self::Menu { service, .. } => ("service", service.as_str()),
            Self::Feature { feature, .. } => ("feature", feature.name()),
            Self::Intercom { number, .. } => ("intercom", number.as_str()),
            Self::ParkSlot { number, .. } => ("park-slot", number.as_str()),
            Self::Paging { number, .. } => ("paging", number.as_str()),
            Self::Empty => return None,
        })
    }

    fn read_kind(
        reader: &mut Reader<'_>,
        key: &str,
        path: &KeyPath,
        value: &Value<'_>,
        label: String,
    ) -> Option<Self> {
        if key == "service" {
            let url = reader.string(
                path,
                value,
                "a service's name, or an address such as \"http://host/menu.xml\"",
            )?;
            return Some(match url.parse::<Name>() {
                Ok(service) => Self::Menu { service, label },
                Err(_) => Self::Service { url, label },
            });
        }
        if key == "feature" {
            return Some(Self::Feature {
                feature: Feature::read(reader, path, value, Feature::EXPECTED)?,
                label,
            });
        }
        let number = LineNumber::read(reader, path, value, <LineNumber as FieldValue>::EXPECTED)?;
        Some(match key {
            "line" => Self::Line { number, label },
            "speed-dial" => Self::SpeedDial { number, label },
            "busy-lamp" => Self::BusyLamp { number, label },
            "intercom" => Self::Intercom { number, label },
            "park-slot" => Self::ParkSlot { number, label },
            _ => Self::Paging { number, label },
        })
    }
}

impl FieldValue for Button {
    const EXPECTED: &'static str = "a button such as { line = \"1001\" }, or {} for none";
    const LINES: bool = true;

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let table = reader.table(path, value, expected)?;
        // The label first: it is part of every kind.
        let label = match table.get("label").map(|label| label.get_ref()) {
            Some(DeValue::String(text)) => text.to_string(),
            _ => String::new(),
        };
        let (mut buttons, mut labelled) = (Vec::new(), false);
        reader.fields(path, table, &KINDS_AND_LABEL, |reader, key, path, value| {
            if key == "label" {
                labelled = reader.string(&path, value, "a text").is_some() || labelled;
            } else {
                buttons.push(Self::read_kind(reader, key, &path, value, label.clone()));
            }
        });
        match (buttons.len(), table.contains_key("label")) {
            (0, false) => Some(Self::Empty),
            (1, has_label) => buttons.pop().flatten().filter(|_| labelled == has_label),
            (0, true) => {
                // A misspelt kind has been named already.
                if table.len() == 1 {
                    let message = format!("has only a label; expected one of {} too", KINDS.join(", "));
                    reader.problem(path, value.span(), message);
                }
                None
            }
            _ => {
                let message = format!("is several things; expected one of {}", KINDS.join(", "));
                reader.problem(path, value.span(), message);
                None
            }
        }
    }

    fn toml(&self) -> Toml {
        let mut entries = Vec::new();
        entries.extend(self.kind().map(|(key, value)| (key.to_owned(), Toml::text(value).inline())));
        if !self.label().is_empty() {
            entries.push(("label".into(), Toml::text(self.label()).inline()));
        }
        Toml::Table(entries)
    }

    fn show(&self) -> String {
        match (self.kind(), self.label()) {
            (None, _) => "empty".into(),
            (Some((key, value)), "") => format!("{key} {value}"),
            (Some((key, value)), label) => format!("{key} {value} {}", Quoted::value(label)),
        }
    }
}

impl FieldValue for ServiceItem {
    const EXPECTED: &'static str = "an entry such as { name = \"News\", url = \"http://host/news.xml\" }";
    const LINES: bool = true;

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let table = reader.table(path, value, expected)?;
        let (mut name, mut targets) = (None, Vec::new());
        reader.fields(path, table, &["name", "url", "number"], |reader, key, path, value| match key {
            "name" => name = reader.string(&path, value, "a text"),
            "url" => {
                let url = reader.string(&path, value, "an address such as \"http://host/news.xml\"");
                targets.push(url.map(ItemTarget::Url));
            }
            _ => {
                let number = LineNumber::read(reader, &path, value, <LineNumber as FieldValue>::EXPECTED);
                targets.push(number.map(ItemTarget::Number));
            }
        });
        if targets.len() != 1 {
            reader.problem(path, value.span(), "expected either url or number");
        } else if !table.contains_key("name") {
            reader.problem(path, value.span(), "has no `name`");
        }
        match targets.as_mut_slice() {
            [target] => Some(Self { name: name?, target: target.take()? }),
            _ => None,
        }
    }

    fn toml(&self) -> Toml {
        let (key, value) = match &self.target {
            ItemTarget::Url(url) => ("url", url.as_str()),
            ItemTarget::Number(number) => ("number", number.as_str()),
        };
        Toml::Table(vec![
            ("name".into(), Toml::text(&self.name).inline()),
            (key.into(), Toml::text(value).inline()),
        ])
    }

    fn show(&self) -> String {
        let target = match &self.target {
            ItemTarget::Url(url) => url.as_str(),
            ItemTarget::Number(number) => number.as_str(),
        };
        format!("{} {target}", Quoted::value(&self.name))
    }
}

impl FieldValue for Hotline {
    const EXPECTED: &'static str = "a hotline such as { number = \"1000\", after = 5 }, or \"\" for none";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let table = reader.table(path, value, expected)?;
        let (mut number, mut after) = (None, Some(0));
        reader.fields(path, table, &["number", "after"], |reader, key, path, value| match key {
            "number" => number = LineNumber::read(reader, &path, value, <LineNumber as FieldValue>::EXPECTED),
            _ => after = u32::read(reader, &path, value, "seconds such as 5"),
        });
        if !table.contains_key("number") {
            reader.problem(path, value.span(), format!("has no `number`; expected {expected}"));
        }
        Some(Self { number: number?, after: after? })
    }

    fn toml(&self) -> Toml {
        let mut entries = vec![("number".into(), self.number.toml().inline())];
        if self.after > 0 {
            entries.push(("after".into(), self.after.toml().inline()));
        }
        Toml::Inline(Toml::Table(entries).inline())
    }

    fn show(&self) -> String {
        if self.after == 0 {
            self.number.to_string()
        } else {
            format!("{} after {} s", self.number, self.after)
        }
    }
}

/// The range of auto-registration: `false`, or a table with both ends.
#[derive(Clone, PartialEq)]
pub(super) struct AutoRange(pub(super) Option<NumberRange>);

impl FieldValue for AutoRange {
    const EXPECTED: &'static str =
        "false, or the ends of a range such as { first = \"1001\", last = \"1999\" }";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        if matches!(value.get_ref(), DeValue::Boolean(false)) {
            return Some(Self(None));
        }
        let table = reader.table(path, value, expected)?;
        let (mut first, mut last) = (None, None);
        reader.fields(path, table, &["first", "last"], |reader, key, path, value| {
            let number = LineNumber::read(reader, &path, value, <LineNumber as FieldValue>::EXPECTED);
            if key == "first" {
                first = number;
            } else {
                last = number;
            }
        });
        for key in ["first", "last"] {
            if !table.contains_key(key) {
                let place = reader.place(path).unwrap_or_else(|| value.span());
                reader.problem(path, place, format!("has no `{key}`; expected {expected}"));
            }
        }
        Some(Self(Some(NumberRange { first: first?, last: last? })))
    }

    fn toml(&self) -> Toml {
        let Some(NumberRange { first, last }) = &self.0 else {
            return false.toml();
        };
        let entries = vec![("first".into(), first.toml().inline()), ("last".into(), last.toml().inline())];
        Toml::Inline(Toml::Table(entries).inline())
    }

    fn show(&self) -> String {
        self.0.show()
    }
}
