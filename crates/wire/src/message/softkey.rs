//! Soft keys: the template, the sets, and presses.

use selsius_wire_derive::Wire;

use super::{empty, filled, first};
use crate::value::{SoftKey, SoftKeySetId, Text};

empty! {
    /// 0x0028, answered by SoftKeyTemplate.
    SoftKeyTemplateReq,
    /// 0x0025, answered by SoftKeySet.
    SoftKeySetReq,
}

/// 0x0026. A soft key was pressed. Redial and New call on an idle phone carry line 0 and reference 0 (4.1,
/// v20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SoftKeyEvent {
    /// The event of the manager's own template.
    pub soft_key_event: SoftKey,
    /// The line that was selected.
    pub line_instance: u32,
    /// The call that was selected.
    pub call_reference: u32,
}

/// 0x0108. All soft keys. 32 slots in CallManager (length 656), 64 from chan-sccp (1296).
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct SoftKeyTemplate {
    /// How many keys came in messages before this one.
    pub soft_key_offset: u32,
    /// How many are in this one.
    pub soft_key_count: u32,
    /// How many there are in all.
    pub total_soft_key_count: u32,
    /// The keys; unused slots are kept as they were.
    #[wire(count = "soft_key_count")]
    pub definition: [SoftKeyDefinition; SoftKeyTemplate::CAPACITY],
}

/// One soft key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SoftKeyDefinition {
    /// A label of two bytes that the phone translates, or plain text.
    pub soft_key_label: Text<16>,
    /// What the phone sends when it is pressed.
    pub soft_key_event: SoftKey,
}

impl SoftKeyTemplate {
    /// The most slots that any manager sends.
    pub const CAPACITY: usize = 64;

    /// A template in one message.
    pub fn new(keys: &[SoftKeyDefinition]) -> Self {
        let (definition, count) = filled(keys, SoftKeyDefinition::default());
        Self { soft_key_offset: 0, soft_key_count: count, total_soft_key_count: count, definition }
    }

    /// The keys of this message.
    pub fn used(&self) -> &[SoftKeyDefinition] {
        first(&self.definition, self.soft_key_count)
    }
}

/// 0x0109. Which soft keys belong to which situation. 16 slots (length 784); FreeSWITCH adds a spare word.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct SoftKeySet {
    /// How many sets came in messages before this one.
    pub soft_key_set_offset: u32,
    /// How many are in this one.
    pub soft_key_set_count: u32,
    /// How many there are in all.
    pub total_soft_key_set_count: u32,
    /// The sets, by [`SoftKeySetId`]; unused slots are kept as they were.
    #[wire(count = "soft_key_set_count")]
    pub definition: [SoftKeySetDefinition; SoftKeySet::CAPACITY],
}

/// The soft keys of one situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SoftKeySetDefinition {
    /// Position in the template, from 1; 0 is an empty place.
    pub soft_key_template_index: [u8; 16],
    /// 300 + event of the key in CallManager 4.1; other managers send the position, or 0.
    pub soft_key_info_index: [u16; 16],
}

impl SoftKeySet {
    /// Slots in every form seen.
    pub const CAPACITY: usize = 16;

    /// The sets in one message.
    pub fn new(sets: &[SoftKeySetDefinition]) -> Self {
        let (definition, count) = filled(sets, SoftKeySetDefinition::default());
        Self {
            soft_key_set_offset: 0,
            soft_key_set_count: count,
            total_soft_key_set_count: count,
            definition,
        }
    }

    /// The sets of this message.
    pub fn used(&self) -> &[SoftKeySetDefinition] {
        first(&self.definition, self.soft_key_set_count)
    }
}

/// 0x0110. Which set the phone shows now, and which of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SelectSoftKeys {
    /// The line; 0 for the phone itself.
    pub line_instance: u32,
    /// The call; 0 for none.
    pub call_reference: u32,
    /// The set.
    pub soft_key_set_index: SoftKeySetId,
    /// Bit n shows the key at place n of the set. All ones as a rule; CallManager 4.1 hides one key of the
    /// connected set (`FFFFFDFF`).
    pub valid_key_mask: u32,
}
