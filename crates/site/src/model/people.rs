//! Who people are, and where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Button, Language};
use crate::{LineNumber, Name, Secret};

/// What phones of one place have in common, where they do not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pool {
    /// IANA time zone; `None` is what the settings say.
    pub time_zone: Option<String>,
    /// How a date is written; `None` is what the settings say.
    pub date_format: Option<String>,
    /// The language of screen texts; `None` is what the settings say.
    pub language: Option<Language>,
    /// What may be called from its phones' lines that say nothing themselves.
    pub rights: Option<Name>,
    /// The music that its phones' users play to those whom they put on hold; `None` is what the settings say.
    #[serde(deserialize_with = "name_or_nothing")]
    pub music: Option<Name>,
}

/// Stores of the time when music was any text, and had no effect, have "" for none, and words that are no names.
fn name_or_nothing<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Name>, D::Error> {
    let text = Option::<String>::deserialize(from)?.unwrap_or_default();
    Ok(text.parse().ok())
}

/// Somebody who can log in on a phone and finds the own lines and buttons there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// What people call them; needed, at most 39 bytes.
    pub name: String,
    /// What they enter to log in: 4 to 10 digits; needed.
    pub pin: Secret,
    /// The buttons that the phone gets while they are logged in.
    pub buttons: Vec<Button>,
    /// Their abbreviated numbers, by index: 1 to 99.
    pub abbreviated: BTreeMap<u32, LineNumber>,
    /// What they may call, whatever the phone's lines say; `None` leaves that to the lines.
    pub rights: Option<Name>,
}

/// An entry of the corporate directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contact {
    /// The numbers, by what they are ("work", "mobile"); at least one.
    pub numbers: BTreeMap<String, LineNumber>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_older_stores_are_read() {
        for (stored, music) in [
            (r#"{"music":""}"#, None),
            (r#"{"music":"Some old tune!"}"#, None),
            (r#"{"music":"bells"}"#, Some("bells")),
            ("{}", None),
        ] {
            let pool: Pool = serde_json::from_str(stored).unwrap();
            assert_eq!(pool.music.as_ref().map(Name::as_str), music, "{stored}");
        }
    }
}
