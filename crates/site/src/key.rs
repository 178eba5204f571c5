//! Where in a site something is, written as the site's file writes it.

use core::fmt;

/// The way to one value: `devices.SEP001122334455.buttons[2].line`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPath(Vec<Key>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Name(String),
    /// Position in a list, from 0; shown from 1, as buttons are counted.
    Index(usize),
}

impl KeyPath {
    /// The way to what these names lead to.
    pub(crate) fn new(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Key::Name((*name).into())).collect())
    }

    pub(crate) fn key(&self, name: impl Into<String>) -> Self {
        self.with(Key::Name(name.into()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Key::Index(index))
    }

    /// What holds it; `None` for the whole site.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, parent) = self.0.split_last()?;
        Some(Self(parent.to_vec()))
    }

    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    fn with(&self, key: Key) -> Self {
        let mut path = self.clone();
        path.0.push(key);
        path
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.0.iter().enumerate() {
            match key {
                Key::Index(index) => write!(f, "[{}]", index + 1)?,
                Key::Name(name) => write!(f, "{}{}", if at > 0 { "." } else { "" }, Quoted::key(name))?,
            }
        }
        Ok(())
    }
}

/// Text as TOML writes it.
pub(crate) struct Quoted<'a> {
    text: &'a str,
    bare: bool,
}

impl<'a> Quoted<'a> {
    /// A key: bare where it can be.
    pub(crate) fn key(text: &'a str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        Self { text, bare: !text.is_empty() && text.chars().all(plain) }
    }

    /// A string value.
    pub(crate) fn value(text: &'a str) -> Self {
        Self { text, bare: false }
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bare {
            return f.write_str(self.text);
        }
        f.write_str("\"")?;
        for c in self.text.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}
