//! `docs/site.md` says what is.

use std::{collections::BTreeSet, path::Path};

use crate::{Feature, Site, SoftKey, fields::Toml};

/// The rows of the tables of each section: key and last cell, or the second for codes.
fn documented(text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## [").and_then(|rest| rest.strip_suffix(']')) {
            section = name.into();
        }
        let Some(row) = line.strip_prefix("| `").and_then(|rest| rest.strip_suffix('|')) else { continue };
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        let (Some(key), true) = (cells[0].strip_suffix('`'), cells.len() >= 3) else { continue };
        let default = if key.starts_with("codes.") { cells[1] } else { cells[2] };
        rows.push((section.clone(), key.to_owned(), default.trim_matches('`').to_owned()));
    }
    rows
}

#[test]
fn the_documentation_has_every_key_and_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/site.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut expected = Vec::new();
    for (section, keys) in Site::every_key() {
        for (key, default) in keys {
            match default {
                Toml::Table(entries) if key == "codes" => {
                    expected.extend(
                        entries
                            .into_iter()
                            .map(|(code, dialled)| (section.to_owned(), format!("{key}.{code}"), dialled)),
                    );
                }
                default => expected.push((section.to_owned(), key.to_owned(), default.inline())),
            }
        }
    }
    let rows = documented(&text);
    let of = |rows: &[(String, String, String)]| -> BTreeSet<_> {
        rows.iter().map(|(section, key, _)| (section.clone(), key.clone())).collect()
    };
    assert_eq!(of(&rows), of(&expected));
    for (section, key, written) in rows {
        let (_, _, default) = expected.iter().find(|(s, k, _)| *s == section && *k == key).unwrap();
        // What has no default that a file could write says nothing, or that it is needed.
        let nothing = ["\"\"", "[]", "{}", "false"].contains(&default.as_str());
        let right = written == *default || (nothing && ["", "needed"].contains(&written.as_str()));
        assert!(right, "{section}.{key}: {written} is not the default {default}");
    }
    let words =
        Feature::ALL.iter().map(|word| word.name()).chain(SoftKey::ALL.iter().map(|word| word.name()));
    for word in words {
        assert!(text.contains(&format!("`{word}`")), "{word}");
    }
}
