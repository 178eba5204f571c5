//! The form of Asterisk's configuration files: sections with entries, templates, comments.

use core::ops::Range;
use std::collections::BTreeMap;

use crate::import::Import;

/// A line `key = value` (or `=>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// In small letters.
    pub(super) key: String,
    pub(super) value: String,
    /// Where the value is; where the key is, if there is no value.
    pub(super) place: Range<usize>,
}

/// A section, with what it has from its templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    /// Where its name is.
    pub(super) place: Range<usize>,
    /// Only there for others to build on.
    pub(super) is_template: bool,
    pub(super) entries: Vec<Entry>,
}

impl Section {
    /// The last entry with this key, which is the one that counts.
    pub(super) fn last(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key == key)
    }

    /// The value of that entry, empty without one.
    pub(super) fn value(&self, key: &str) -> &str {
        self.last(key).map_or("", |entry| &entry.value)
    }
}

/// Most entries after templates are filled in: a few short templates that build on each other could else make any number.
const MOST_ENTRIES: usize = 200_000;

/// Reads the sections of a file, in their order.
pub(super) fn read(import: &mut Import<'_>) -> Vec<Section> {
    let text = import.text;
    let mut sections: Vec<Section> = Vec::new();
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    let mut current = None;
    let mut in_comment = false;
    let mut entries = 0;
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line_start = start;
        start += raw.len();
        let (line, at) = trimmed(without_comment(raw, &mut in_comment), line_start);
        let place = at..at + line.len();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            import.leave_out(line, &place, "other files are not read; import them by themselves");
        } else if let Some(rest) = line.strip_prefix('[') {
            let Some((name, options)) = rest.split_once(']') else {
                import.fault("section", place, "the name of a section ends with ']'");
                current = None;
                continue;
            };
            let place = at + 1..at + 1 + name.len();
            let mut section = Section { name: name.trim().into(), place, ..Section::default() };
            let mut more = false;
            let options = options.trim();
            let options =
                options.strip_prefix('(').and_then(|options| options.strip_suffix(')')).unwrap_or_default();
            for option in options.split(',').map(str::trim).filter(|option| !option.is_empty()) {
                match (option, by_name.get(option).and_then(|&index| sections.get(index))) {
                    ("!", _) => section.is_template = true,
                    ("+", _) => more = true,
                    (_, Some(template)) => {
                        entries += template.entries.len();
                        if entries > MOST_ENTRIES {
                            import.fault(name, section.place, "the templates make too many entries");
                            return sections;
                        }
                        section.entries.extend(template.entries.iter().cloned());
                    }
                    (_, None) => {
                        let message = format!("no section [{option}] stands before this one");
                        import.fault(name, section.place.clone(), message);
                    }
                }
            }
            let known = by_name.get(&section.name).copied();
            current = match known {
                Some(index) if more => Some(index),
                Some(index) => {
                    let before = sections.get(index).map_or(0, |other| import.line(other.place.start));
                    let message = format!("this section is at line {before} already");
                    import.fault(&section.name, section.place, message);
                    None
                }
                None => {
                    by_name.insert(section.name.clone(), sections.len());
                    sections.push(section);
                    Some(sections.len() - 1)
                }
            };
        } else if let Some(section) = current.and_then(|index| sections.get_mut(index)) {
            section.entries.push(entry(line, at));
            entries += 1;
        } else if sections.is_empty() {
            import.fault("section", place, "expected a section, such as [general], before this");
        }
    }
    sections
}

fn entry(line: &str, at: usize) -> Entry {
    let (key, value) = line.split_once('=').unwrap_or((line, ""));
    let (value, value_at) = trimmed(value, at + line.len() - value.len());
    let value = value.strip_prefix('>').unwrap_or(value);
    let (value, value_at) = trimmed(value, value_at + usize::from(line.contains("=>")));
    let key_place = at..at + key.trim_end().len();
    Entry {
        key: key.trim().to_ascii_lowercase(),
        value: value.replace("\\;", ";"),
        place: if value.is_empty() { key_place } else { value_at..value_at + value.len() },
    }
}

/// A text without the blanks around it, and where it begins.
fn trimmed(text: &str, at: usize) -> (&str, usize) {
    (text.trim(), at + text.len() - text.trim_start().len())
}

/// What stands before a `;`, which `\;` is none. `;--` begins a comment that goes on to `--;`.
fn without_comment<'t>(line: &'t str, in_comment: &mut bool) -> &'t str {
    if *in_comment {
        *in_comment = !line.contains("--;");
        // What follows the end of such a comment is on a line of its own in all files there are.
        return "";
    }
    let mut before = '\0';
    for (at, c) in line.char_indices() {
        if c == ';' && before != '\\' {
            let comment = line.get(at..).unwrap_or_default();
            *in_comment =
                comment.starts_with(";--") && !comment.starts_with(";---") && !comment.contains("--;");
            return line.get(..at).unwrap_or_default();
        }
        before = c;
    }
    line
}
