//! What changes from one site to another, in words.

use core::fmt::{self, Display};

use crate::Site;

/// One change. Its `Display` is a line for people: `+ line 1001 "Reception"`,
/// `~ device SEP001122334455 model: 7960 -> 7965`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happens to it.
    pub kind: ChangeKind,
    /// To what it happens; several changes can have the same subject.
    pub subject: Subject,
    /// The rest of the line: a summary of what is added or removed, or what it was and what it becomes. It has
    /// no PIN and no code in it.
    pub detail: String,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is no more.
    Removed,
    /// Something of it changes.
    Changed,
}

/// To what it happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What it is: `settings`, `line`, `hunt group`.
    pub kind: &'static str,
    /// Which one; empty where there is only one.
    pub name: String,
}

/// The changes that make `new` out of `old`, in the order of a site's file, each section in the order of its names.
/// Nothing for equal sites.
pub fn diff(old: &Site, new: &Site) -> Vec<Change> {
    let mut changes = Vec::new();
    old.differences(new, &mut changes);
    changes
}

impl Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        let gap = if self.detail.is_empty() { "" } else { " " };
        write!(f, "{sign} {}{gap}{}", self.subject, self.detail)
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.name.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Site {
        Site::from_toml("test.toml", text).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn every_kind_of_change_is_one_readable_line() {
        let old = site(
            r#"
            [settings]
            keepalive-seconds = 30
            [lines.1001]
            name = "Anna"
            [lines.1002]
            [devices.SEP000000000001]
            model = "7960"
            buttons = [{ line = "1001" }, { speed-dial = "1002", label = "Bob" }]
            [devices.SEP000000000002]
            buttons = [{ line = "1002" }]
            [routes.0]
            lines = ["1001"]
            "#,
        );
        let new = site(
            r#"
            [settings]
            keepalive-seconds = 60
            auto-registration = { first = "1901", last = "1999" }
            firmware.7960 = "P0030801SR02"
            [lines.1001]
            name = "Anna \"Ann\" Ott"
            [lines.1003]
            name = "Carl"
            [devices.SEP000000000001]
            model = "7965"
            buttons = [{ line = "1001" }, {}, { service = "http://host/" }]
            [routes.0]
            lines = ["1003", "1001"]
            emergency = true
            [routes."9.!"]
            block = true
            "#,
        );
        let lines: Vec<_> = diff(&old, &new).iter().map(ToString::to_string).collect();
        let expected = [
            "~ settings keepalive-seconds: 30 -> 60",
            "~ settings auto-registration: none -> 1901-1999",
            "~ settings firmware.7960: none -> \"P0030801SR02\"",
            r#"~ line 1001 name: "Anna" -> "Anna \"Ann\" Ott""#,
            "- line 1002",
            "+ line 1003 \"Carl\"",
            "~ device SEP000000000001 model: 7960 -> 7965",
            "~ device SEP000000000001 button 2: speed-dial 1002 \"Bob\" -> empty",
            "~ device SEP000000000001 button 3: none -> service http://host/",
            "- device SEP000000000002 line 1002",
            "~ route 0 lines: 1001 -> 1003, 1001",
            "~ route 0 emergency: false -> true",
            "+ route 9.! block",
        ];
        assert_eq!(lines, expected);
        assert_eq!(diff(&old, &old), []);
    }
}
