//! What the file says of each part of a site: which keys a table has, and for each how it is read, written,
//! compared and taken over. A key is declared once, in the table of its part ([`parts`]); reading, writing and
//! `diff` go by these tables.

mod button;
mod parts;
mod sections;
mod value;

use core::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use toml::de::DeTable;

use crate::{
    file::{Reader, Value},
    key::KeyPath,
};

pub(crate) use sections::Content;
pub(crate) use value::{Described, FieldValue, Toml};

/// A part of a site that the file has as a table.
pub(crate) trait Part: Debug + Clone + Default + Eq + Serialize + DeserializeOwned + 'static {
    /// What is expected where there is something else than a table.
    const EXPECTED: &'static str;
    /// Its keys, in the order in which they are written. `timers.queue` is one of a table in the table.
    const FIELDS: &'static [Field<Self>];
    /// Does a file that mentions it replace all of it?
    const WHOLE: bool = false;
    /// Are keys written that have their default?
    const ALWAYS: bool = false;

    /// What a person wants to know of it when it comes or goes; may be empty.
    fn summary(&self) -> String {
        String::new()
    }

    /// Looks for what is wrong with keys that are right by themselves.
    fn finish(_reader: &mut Reader<'_>, _path: &KeyPath, _table: &DeTable<'_>) {}
}

/// Takes a key, its old and its new value, as people read them.
pub(crate) type Differences<'a> = dyn FnMut(&str, String, String) + 'a;

/// One key of a part.
pub(crate) struct Field<T> {
    /// As the file has it.
    pub(crate) key: &'static str,
    /// Reads it into the part; says whether it could.
    pub(crate) read: fn(&mut Reader<'_>, &KeyPath, &Value<'_>, &mut T) -> bool,
    /// As the file writes it.
    pub(crate) write: fn(&T) -> Toml,
    /// Takes it over from another one.
    pub(crate) merge: fn(&T, &mut T),
    /// Names what is different.
    pub(crate) differences: fn(&T, &T, &str, &mut Differences<'_>),
}

/// What a file mentions of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mentioned<T> {
    /// Has what is mentioned, and else the defaults.
    pub(crate) value: T,
    /// Positions in [`Part::FIELDS`].
    pub(crate) fields: Vec<usize>,
}

impl<T: Part> Default for Mentioned<T> {
    fn default() -> Self {
        Self { value: T::default(), fields: Vec::new() }
    }
}

impl<T: Part> Mentioned<T> {
    /// Gives `part` what is mentioned.
    pub(crate) fn apply(&self, part: &mut T) {
        if T::WHOLE {
            *part = T::default();
        }
        for field in self.fields.iter().filter_map(|&index| T::FIELDS.get(index)) {
            (field.merge)(&self.value, part);
        }
    }
}

/// Declares the keys of a part: `"key" field, "what is expected";`. A value that is not a field of its own has
/// two functions instead: `"key" (get, set), "what is expected";`. Without a text it is what its type expects.
macro_rules! fields {
    (@expected) => { None };
    (@expected $expected:literal) => { Some($expected) };
    ($($key:literal $at:tt $(. $below:ident)? $(, $expected:literal)?;)+) => {
        &[$($crate::fields::fields!(@field $key $at $(. $below)? [$($expected)?])),+]
    };
    (@field $key:literal ($get:expr, $set:expr) [$($expected:literal)?]) => {
        $crate::fields::Field {
            key: $key,
            read: |reader, path, value, part| {
                match $crate::fields::value::read(reader, path, value, $crate::fields::fields!(@expected $($expected)?)) {
                    Some(value) => {
                        $set(part, value);
                        true
                    }
                    None => false,
                }
            },
            write: |part| $crate::fields::FieldValue::toml(&$get(part)),
            merge: |from, into| {
                let mut value = $get(into);
                $crate::fields::FieldValue::merge(&$get(from), &mut value);
                $set(into, value);
            },
            differences: |old, new, key, out| {
                $crate::fields::FieldValue::differences(&$get(old), &$get(new), key, out);
            },
        }
    };
    (@field $key:literal $field:ident $(. $below:ident)? [$($expected:literal)?]) => {
        $crate::fields::Field {
            key: $key,
            read: |reader, path, value, part| {
                match $crate::fields::value::read(reader, path, value, $crate::fields::fields!(@expected $($expected)?)) {
                    Some(value) => {
                        part.$field $(.$below)? = value;
                        true
                    }
                    None => false,
                }
            },
            write: |part| $crate::fields::FieldValue::toml(&part.$field $(.$below)?),
            merge: |from, into| {
                $crate::fields::FieldValue::merge(&from.$field $(.$below)?, &mut into.$field $(.$below)?);
            },
            differences: |old, new, key, out| {
                let (old, new) = (&old.$field $(.$below)?, &new.$field $(.$below)?);
                $crate::fields::FieldValue::differences(old, new, key, out);
            },
        }
    };
}

pub(crate) use fields;
