//! What was found in one message, before it is known what becomes of it.

use alloc::{string::String, vec::Vec};

use super::finding::FindingKind;

/// What was found in one message.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<Item>);

/// One thing that was found.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: FindingKind,
    /// The field and its offset in the body, where it is about one.
    pub(super) field: Option<(&'static str, usize)>,
    /// What exactly, in words.
    pub(super) detail: String,
}

impl Found {
    pub(super) fn add(&mut self, kind: FindingKind) {
        self.say(kind, String::new());
    }

    pub(super) fn add_at(&mut self, kind: FindingKind, field: &'static str, offset: usize) {
        self.put(Item { kind, field: Some((field, offset)), detail: String::new() });
    }

    pub(super) fn say(&mut self, kind: FindingKind, detail: String) {
        self.put(Item { kind, field: None, detail });
    }

    /// Each kind once in a message: the first place says enough.
    fn put(&mut self, item: Item) {
        if !self.has(item.kind) {
            self.0.push(item);
        }
    }

    pub(super) fn has(&self, kind: FindingKind) -> bool {
        self.0.iter().any(|item| item.kind == kind)
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.0
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
