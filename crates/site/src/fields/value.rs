//! The kinds of values that keys have.

use core::{fmt::Display, net::SocketAddr, str::FromStr};
use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::civil::Date;
use toml::de::DeValue;

use super::Differences;
use crate::{
    DeviceName, FeatureCode, FeatureCodes, LineNumber, Model, Name, NumberMask, NumberRange, OpenHours,
    Pattern, Secret,
    file::{Reader, Value},
    key::{KeyPath, Quoted},
};

/// A value of the file.
pub(crate) trait FieldValue: Clone + PartialEq {
    /// What is expected where there is something else.
    const EXPECTED: &'static str;
    /// Do lists of it take a line for each?
    const LINES: bool = false;

    /// Reads it, or names what is wrong.
    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self>;

    /// As the file writes it.
    fn toml(&self) -> Toml;

    /// As a person reads it.
    fn show(&self) -> String;

    /// What becomes of another value when a file mentions this one.
    fn merge(&self, into: &mut Self) {
        *into = self.clone();
    }

    /// Names what is different in `new`.
    fn differences(&self, new: &Self, key: &str, out: &mut Differences<'_>) {
        if self != new {
            out(key, self.show(), new.show());
        }
    }
}

/// A value as TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Toml {
    /// Behind its key.
    Inline(String),
    /// A list whose elements take a line each.
    Lines(Vec<String>),
    /// Keys and values of a table of its own.
    Table(Vec<(String, String)>),
}

impl Toml {
    pub(crate) fn text(text: &str) -> Self {
        Self::Inline(Quoted::value(text).to_string())
    }

    /// All in one line, as an element of something else.
    pub(crate) fn inline(self) -> String {
        match self {
            Self::Inline(text) => text,
            Self::Lines(elements) => format!("[{}]", elements.join(", ")),
            Self::Table(entries) if entries.is_empty() => "{}".into(),
            Self::Table(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| format!("{} = {value}", Quoted::key(key))).collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }
}

/// Reads a value, of which something particular may be expected.
pub(super) fn read<V: FieldValue>(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    value: &Value<'_>,
    expected: Option<&str>,
) -> Option<V> {
    V::read(reader, path, value, expected.unwrap_or(V::EXPECTED))
}

impl FieldValue for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(boolean) => Some(*boolean),
            other => reader.wrong_type(path, value.span(), other, expected),
        }
    }

    fn toml(&self) -> Toml {
        Toml::Inline(self.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl FieldValue for u32 {
    const EXPECTED: &'static str = "a number such as 2";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let DeValue::Integer(integer) = value.get_ref() else {
            return reader.wrong_type(path, value.span(), value.get_ref(), expected);
        };
        let number = Self::from_str_radix(integer.as_str(), integer.radix()).ok();
        if number.is_none() {
            reader.problem(path, value.span(), format!("is {integer}; expected {expected}"));
        }
        number
    }

    fn toml(&self) -> Toml {
        Toml::Inline(self.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl FieldValue for String {
    const EXPECTED: &'static str = "a text";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        reader.string(path, value, expected)
    }

    fn toml(&self) -> Toml {
        Toml::text(self)
    }

    fn show(&self) -> String {
        Quoted::value(self).to_string()
    }
}

impl FieldValue for Secret {
    const EXPECTED: &'static str = "digits in quotes such as \"4711\"";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        reader.digits(path, value, expected).map(Self::new)
    }

    fn toml(&self) -> Toml {
        Toml::text(self.as_str())
    }

    /// Differences go to screens and logs.
    fn show(&self) -> String {
        "hidden".into()
    }
}

/// What has a form of its own as a text, and is expected as one.
pub(crate) trait Described {
    /// For messages.
    const EXPECTED: &'static str;

    /// What was probably meant.
    fn near(_text: &str) -> Vec<&'static str> {
        Vec::new()
    }
}

macro_rules! text_values {
    ($($value:ty, $expected:literal;)+) => {
        $(
            impl Described for $value {
                const EXPECTED: &'static str = $expected;
            }

            text_values!(@value $value);
        )+
    };
    (@value $value:ty) => {
        impl FieldValue for $value {
            const EXPECTED: &'static str = <Self as Described>::EXPECTED;

            fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
                let text = reader.string(path, value, expected)?;
                reader.parse(path, value, &text)
            }

            fn toml(&self) -> Toml {
                Toml::text(&self.to_string())
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    };
}

text_values! {
    Name, "a name such as \"sales\"";
    NumberMask, "a number such as \"+4930123XX\"";
    NumberRange, "a number or a range such as \"701-709\"";
    OpenHours, "days and hours such as \"mon-fri 08:00-18:00\"";
    Pattern, "a pattern such as \"0.!\" or \"1XX\"";
    IpNet, "an address or a network such as \"192.0.2.0/24\"";
    SocketAddr, "an address and port such as \"239.192.1.1:20480\"";
}

text_values!(@value Model);

impl Described for Model {
    const EXPECTED: &'static str = "a model such as \"7960\", \"7965\" or \"SPA525G2\"";

    fn near(text: &str) -> Vec<&'static str> {
        text.parse::<Self>().err().map(|error| error.near).unwrap_or_default()
    }
}

impl Described for DeviceName {
    const EXPECTED: &'static str = "a device name such as SEP001122334455";
}

impl Described for LineNumber {
    const EXPECTED: &'static str = "a number such as \"1001\"";
}

impl Described for String {
    const EXPECTED: &'static str = "a text";
}

impl Described for u32 {
    const EXPECTED: &'static str = "a number such as 1";
}

impl FieldValue for LineNumber {
    const EXPECTED: &'static str = "a number in quotes such as \"1001\"";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let text = reader.digits(path, value, expected)?;
        reader.parse(path, value, &text)
    }

    fn toml(&self) -> Toml {
        Toml::text(self.as_str())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl FieldValue for Date {
    const EXPECTED: &'static str = "a day such as \"2026-12-25\"";

    /// In quotes or without: TOML has dates of its own.
    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            _ => reader.string(path, value, expected)?,
        };
        let date = Self::from_str(&text).ok().filter(|date| date.to_string() == text);
        if date.is_none() {
            reader.problem(path, value.span(), format!("is {text:?}; expected {expected}"));
        }
        date
    }

    fn toml(&self) -> Toml {
        Toml::text(&self.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// An empty text is none.
impl<T: FieldValue> FieldValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => Some(None),
            _ => T::read(reader, path, value, expected).map(Some),
        }
    }

    fn toml(&self) -> Toml {
        self.as_ref().map_or_else(|| Toml::text(""), T::toml)
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "none".into(), T::show)
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        reader.list(path, value, expected, |reader, path, value| T::read(reader, path, value, T::EXPECTED))
    }

    fn toml(&self) -> Toml {
        let elements = self.iter().map(|element| element.toml().inline()).collect();
        if T::LINES && !self.is_empty() {
            return Toml::Lines(elements);
        }
        Toml::Inline(Toml::Lines(elements).inline())
    }

    fn show(&self) -> String {
        if self.is_empty() {
            return "none".into();
        }
        self.iter().map(T::show).collect::<Vec<_>>().join(", ")
    }

    fn differences(&self, new: &Self, key: &str, out: &mut Differences<'_>) {
        if !T::LINES {
            if self != new {
                out(key, self.show(), new.show());
            }
            return;
        }
        let singular = key.strip_suffix('s').unwrap_or(key);
        for index in 0..self.len().max(new.len()) {
            let (old, new) = (self.get(index), new.get(index));
            if old != new {
                let show = |value: Option<&T>| value.map_or_else(|| "none".into(), T::show);
                out(&format!("{singular} {}", index + 1), show(old), show(new));
            }
        }
    }
}

impl<K, V> FieldValue for BTreeMap<K, V>
where
    K: FromStr<Err: Display> + Display + Ord + Clone + Described,
    V: FieldValue,
{
    const EXPECTED: &'static str = "a table such as { 1 = \"1001\" }";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let table = reader.table(path, value, expected)?;
        let read = reader.named(path, table, |reader, path, value| V::read(reader, path, value, V::EXPECTED));
        let whole = read.len() == table.len();
        let values: Self = read.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        (whole && values.len() == table.len()).then_some(values)
    }

    fn toml(&self) -> Toml {
        let entries = self.iter().map(|(key, value)| (key.to_string(), value.toml().inline())).collect();
        Toml::Inline(Toml::Table(entries).inline())
    }

    fn show(&self) -> String {
        if self.is_empty() {
            return "none".into();
        }
        self.iter().map(|(key, value)| format!("{key} {}", value.show())).collect::<Vec<_>>().join(", ")
    }
}

/// Firmware loads by model. Each is a value of its own: a model that is not mentioned keeps its load, an empty
/// text takes it away.
#[derive(Clone, PartialEq)]
pub(super) struct Loads(pub(super) BTreeMap<Model, String>);

impl FieldValue for Loads {
    const EXPECTED: &'static str = "entries, each a load such as firmware.\"7960\" = \"P0030801SR02\"";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let table = reader.table(path, value, expected)?;
        let loads = reader.named(path, table, |reader, path, value| {
            reader.string(path, value, "the name of a load, or \"\" for none")
        });
        Some(Self(loads.into_iter().filter_map(|(model, load)| Some((model, load?))).collect()))
    }

    fn toml(&self) -> Toml {
        Toml::Table(
            self.0.iter().map(|(model, load)| (model.to_string(), Toml::text(load).inline())).collect(),
        )
    }

    fn show(&self) -> String {
        self.0.show()
    }

    fn merge(&self, into: &mut Self) {
        for (model, load) in &self.0 {
            if load.is_empty() {
                into.0.remove(model);
            } else {
                into.0.insert(model.clone(), load.clone());
            }
        }
    }

    fn differences(&self, new: &Self, key: &str, out: &mut Differences<'_>) {
        let models: BTreeSet<&Model> = self.0.keys().chain(new.0.keys()).collect();
        for model in models {
            let key = format!("{key}.{}", Quoted::key(model.as_str()));
            self.0.get(model).cloned().differences(&new.0.get(model).cloned(), &key, out);
        }
    }
}

/// Each code is a value of its own too.
impl FieldValue for FeatureCodes {
    const EXPECTED: &'static str = "codes such as park = \"*68\"";

    fn read(reader: &mut Reader<'_>, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<Self> {
        let table = reader.table(path, value, expected)?;
        let known: Vec<&str> = FeatureCode::ALL.iter().map(|feature| feature.name()).collect();
        let mut codes = Self::none();
        reader.fields(path, table, &known, |reader, key, path, value| {
            let feature = FeatureCode::ALL.iter().find(|feature| feature.name() == key);
            let code = Option::read(reader, &path, value, "a code such as \"*68\", or \"\" for none");
            if let (Some(&feature), Some(code)) = (feature, code) {
                codes.set(feature, code);
            }
        });
        Some(codes)
    }

    fn toml(&self) -> Toml {
        let entry =
            |&feature: &FeatureCode| (feature.name().to_owned(), self.code(feature).cloned().toml().inline());
        Toml::Table(FeatureCode::ALL.iter().map(entry).collect())
    }

    fn show(&self) -> String {
        self.iter().map(|(feature, code)| format!("{feature} {code}")).collect::<Vec<_>>().join(", ")
    }

    fn merge(&self, into: &mut Self) {
        into.extend(self);
    }

    fn differences(&self, new: &Self, key: &str, out: &mut Differences<'_>) {
        for &feature in FeatureCode::ALL {
            let (old, new) = (self.code(feature).cloned(), new.code(feature).cloned());
            old.differences(&new, &format!("{key}.{feature}"), out);
        }
    }
}
