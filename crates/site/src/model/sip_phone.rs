//! Phones that speak SIP.

use serde::{Deserialize, Serialize};

use super::{CodecName, Dtmf, MediaPath};
use crate::{LineNumber, Secret};

/// A SIP phone: it registers with its name and a password, and is one more phone of its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SipPhone {
    /// Whose calls ring there; other phones may have the same line.
    pub line: Option<LineNumber>,
    /// What it registers with, 8 characters or more.
    pub password: Secret,
    /// For people, at most 128 bytes.
    pub description: String,
    /// What may be spoken, the best first; empty is what the settings say.
    pub codecs: Vec<CodecName>,
    /// How digits are sent to it.
    pub dtmf: Dtmf,
    /// How its audio goes.
    pub media: MediaPath,
    /// Most calls at once, 1 to 100.
    pub calls: u32,
    /// From how many places it may be registered at once, 1 to 10.
    pub contacts: u32,
}

impl Default for SipPhone {
    fn default() -> Self {
        Self {
            line: None,
            password: Secret::default(),
            description: String::new(),
            codecs: Vec::new(),
            dtmf: Dtmf::default(),
            media: MediaPath::Relay,
            calls: 4,
            contacts: 3,
        }
    }
}
