//! What the exchange counts.

use alloc::{collections::BTreeMap, vec::Vec};

/// Counts since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages from phones.
    pub messages_in: u64,
    /// Messages to phones.
    pub messages_out: u64,
    /// Successful registrations.
    pub registrations: u64,
    /// Calls with a complete number.
    pub calls: u64,
    /// What was refused or ignored, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Reasons counted since the log last looked.
    recent: Vec<&'static str>,
}

impl Counters {
    pub(crate) fn refuse(&mut self, reason: &'static str) {
        *self.refused.entry(reason).or_default() += 1;
        if !self.recent.contains(&reason) {
            self.recent.push(reason);
        }
    }

    pub(crate) fn take_recent(&mut self) -> Vec<&'static str> {
        core::mem::take(&mut self.recent)
    }
}
