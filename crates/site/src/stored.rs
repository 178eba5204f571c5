//! A site in pieces, as a store keeps it: an entry of a section each, with JSON as its body.

use thiserror::Error;

use crate::Site;

/// One entry of a site: the line 1001, or the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePart {
    /// As the site's file calls its section: `lines`.
    pub section: &'static str,
    /// Its name in the section; empty where the section is one entry.
    pub name: String,
    /// What it is, as JSON; `None` if it is no more.
    pub body: Option<String>,
}

/// Why a stored entry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoredPartError {
    /// No section is called so.
    #[error("there is no section {0:?} of a site")]
    Section(String),
    /// A name that nothing in this section can have.
    #[error("the site's {section} cannot have the name {name:?}")]
    Name {
        /// The section.
        section: &'static str,
        /// The name.
        name: String,
    },
    /// A body that is not one of this section.
    #[error("the entry {name:?} of the site's {section}: {problem}")]
    Body {
        /// The section.
        section: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Site {
    /// The entries that make `new` out of this site: those that are new or other ones, and those that are no more.
    pub fn changed_parts(&self, new: &Self) -> Vec<SitePart> {
        let mut parts = Vec::new();
        self.changes(new, &mut parts);
        parts
    }

    /// Takes an entry that [`Site::changed_parts`] gave.
    ///
    /// # Errors
    /// When it was not one of these, or one of another release.
    pub fn take_part(&mut self, section: &str, name: &str, body: &str) -> Result<(), StoredPartError> {
        self.take(section, name, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Line, Model, SAMPLE};

    fn office() -> Site {
        Site::from_toml("sample.toml", SAMPLE).unwrap()
    }

    fn rebuilt(mut from: Site, parts: &[SitePart]) -> Site {
        for part in parts {
            match &part.body {
                Some(body) => from.take_part(part.section, &part.name, body).unwrap(),
                None => panic!("{part:?}"),
            }
        }
        from
    }

    #[test]
    fn a_site_is_its_parts() {
        let parts = Site::default().changed_parts(&office());
        assert_eq!(rebuilt(Site::default(), &parts), office());
        assert_eq!(office().changed_parts(&office()), []);
    }

    #[test]
    fn only_what_changes_is_a_change() {
        let mut new = office();
        new.lines.remove(&"1001".parse().unwrap());
        new.lines.insert("1003".parse().unwrap(), Line { name: "Carl".into(), ..Line::default() });
        new.settings.firmware.insert(Model("7960".into()), "P0030801SR02".into());
        let parts = office().changed_parts(&new);
        let names: Vec<_> =
            parts.iter().map(|part| (part.section, part.name.as_str(), part.body.is_some())).collect();
        assert_eq!(names, [("settings", "", true), ("lines", "1001", false), ("lines", "1003", true)]);
    }

    #[test]
    fn what_is_not_a_part_is_named() {
        let table = [
            ("lifts", "1", "{}", r#"there is no section "lifts" of a site"#),
            ("lines", "10 01", "{}", r#"the site's lines cannot have the name "10 01""#),
            ("settings", "x", "{}", r#"the site's settings cannot have the name "x""#),
            (
                "lines",
                "1001",
                r#"{"nmae": ""}"#,
                r#"the entry "1001" of the site's lines: unknown field `nmae`"#,
            ),
            ("lines", "1001", r#"{"calls": "4"}"#, "invalid type"),
            ("lines", "1001", r#"{"mailbox": "10 01"}"#, r#""10 01": contains ' '"#),
            ("devices", "SEP001122334455", r#"{"buttons": [{"lift": {}}]}"#, "unknown variant `lift`"),
            ("routes", "0", "", "EOF while parsing"),
        ];
        for (section, name, body, expected) in table {
            let error = Site::default().take_part(section, name, body).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}\n{expected}");
        }
        let mut site = Site::default();
        site.take_part("lines", "1001", "{}").unwrap();
        assert_eq!(
            site.lines.values().next(),
            Some(&Line::default()),
            "what a body leaves out is the default"
        );
    }
}
