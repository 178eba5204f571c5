//! From TOML to what a site file mentions. Every mistake is noted and reading goes on, so that one run shows
//! them all.

use core::{fmt::Display, ops::Range, str::FromStr};
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FileProblem, SiteFileError, error::one_of};
use crate::{
    fields::{Content, Described, Mentioned, Part},
    key::{KeyPath, Quoted},
    near::near,
};

/// A value with its place in the text.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;
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
    let content = if reader.problems.is_empty() {
        Content::read(&mut reader, root.get_ref())
    } else {
        Content::default()
    };
    if reader.problems.is_empty() {
        Ok((content, reader.places))
    } else {
        Err(SiteFileError::new(name, reader.problems))
    }
}

/// Reads values and notes what is wrong with them.
pub(crate) struct Reader<'t> {
    text: &'t str,
    problems: Vec<FileProblem>,
    places: Places,
}

impl Reader<'_> {
    /// A part of the site: what is mentioned of it.
    pub(crate) fn part<T: Part>(&mut self, path: &KeyPath, value: &Value<'_>) -> Mentioned<T> {
        let mut mentioned = Mentioned::default();
        if let Some(table) = self.table(path, value, T::EXPECTED) {
            self.keys(path, table, "", &mut mentioned);
            T::finish(self, path, table);
        }
        mentioned
    }

    /// The keys of a part, or of a table in its table: those that begin with `prefix`.
    fn keys<T: Part>(
        &mut self,
        path: &KeyPath,
        table: &DeTable<'_>,
        prefix: &str,
        mentioned: &mut Mentioned<T>,
    ) {
        let mut known: Vec<&str> = Vec::new();
        for field in T::FIELDS {
            let key = field.key.strip_prefix(prefix).map(|rest| rest.split('.').next().unwrap_or(rest));
            known.extend(key.filter(|key| !known.contains(key)));
        }
        self.fields(path, table, &known, |reader, key, path, value| {
            let key = format!("{prefix}{key}");
            match T::FIELDS.iter().position(|field| field.key == key) {
                Some(index) if (T::FIELDS[index].read)(reader, &path, value, &mut mentioned.value) => {
                    mentioned.fields.push(index);
                }
                Some(_) => {}
                None => {
                    let expected = format!("a table [{path}]");
                    if let Some(table) = reader.table(&path, value, &expected) {
                        reader.keys(&path, table, &format!("{key}."), mentioned);
                    }
                }
            }
        });
    }

    /// Where the file says this.
    pub(crate) fn place(&self, path: &KeyPath) -> Option<Range<usize>> {
        self.places.get(path).cloned()
    }

    /// The entries of a table whose keys are names of one kind.
    pub(crate) fn named<K, V>(
        &mut self,
        path: &KeyPath,
        table: &DeTable<'_>,
        mut each: impl FnMut(&mut Self, &KeyPath, &Value<'_>) -> V,
    ) -> BTreeMap<K, V>
    where
        K: FromStr<Err: Display> + Display + Ord + Described,
    {
        let mut entries: BTreeMap<K, V> = BTreeMap::new();
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
    pub(crate) fn fields(
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

    pub(crate) fn table<'v, 't>(
        &mut self,
        path: &KeyPath,
        value: &'v Value<'t>,
        expected: &str,
    ) -> Option<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => self.wrong_type(path, value.span(), other, expected),
        }
    }

    /// A list; `None` if it is none or one of its elements is wrong.
    pub(crate) fn list<T>(
        &mut self,
        path: &KeyPath,
        value: &Value<'_>,
        expected: &str,
        mut each: impl FnMut(&mut Self, &KeyPath, &Value<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let DeValue::Array(elements) = value.get_ref() else {
            return self.wrong_type(path, value.span(), value.get_ref(), expected);
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

    pub(crate) fn string(&mut self, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            other => self.wrong_type(path, value.span(), other, expected),
        }
    }

    /// Digits are a text: as an integer they would lose the zeros that they begin with.
    pub(crate) fn digits(&mut self, path: &KeyPath, value: &Value<'_>, expected: &str) -> Option<String> {
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
        self.string(path, value, expected)
    }

    /// A text that has its own type.
    pub(crate) fn parse<K: FromStr<Err: Display> + Described>(
        &mut self,
        path: &KeyPath,
        value: &Value<'_>,
        text: &str,
    ) -> Option<K> {
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.unparsed::<K>(path, value.span(), text, &error);
                None
            }
        }
    }

    pub(crate) fn word<T: Copy>(
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

    /// Names a value of the wrong type; nothing can be made of it.
    pub(crate) fn wrong_type<T>(
        &mut self,
        path: &KeyPath,
        place: Range<usize>,
        value: &DeValue<'_>,
        expected: &str,
    ) -> Option<T> {
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
        None
    }

    pub(crate) fn problem(&mut self, path: &KeyPath, place: Range<usize>, message: impl Into<String>) {
        self.problems.push(FileProblem::new(self.text, Some(place), path.clone(), message));
    }

    /// Adds what was probably meant to the last problem.
    fn hint(&mut self, near: Vec<&str>) {
        let last = self.problems.pop();
        self.problems.extend(last.map(|problem| problem.meant(&near)));
    }
}

/// The entries of a table as the file has them; the map itself is ordered by name.
fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Spanned<toml::de::DeString<'t>>, &'v Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}
