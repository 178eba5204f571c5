//! What is known of a message besides its layout.

use super::list;
use crate::codec::Field;

/// One row of the message table.
#[derive(Debug, Clone, Copy)]
pub struct MessageInfo {
    /// The id on the wire.
    pub id: u32,
    /// Its name in this project.
    pub name: &'static str,
    /// Its name in the field's message list.
    pub standard_name: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// Its part in a dialogue.
    pub kind: Kind,
    /// The id of the request that it answers.
    pub answers: Option<u32>,
    /// What it is about.
    pub category: Category,
    /// The shortest length (id and body) that is known.
    pub min_length: u32,
    /// Its fields; empty for a message without a body and for one that is kept whole.
    pub fields: &'static [Field],
    /// The documentation of its struct.
    pub doc: &'static str,
    /// Whether its layout is known here; else it is an [`super::Opaque`].
    pub modelled: bool,
}

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The phone.
    StationToManager,
    /// The manager.
    ManagerToStation,
    /// Either, or managers among themselves.
    Both,
}

/// The part of a message in a dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Wants an answer.
    Request,
    /// Answers.
    Response,
    /// Stands alone.
    Event,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Registration and management.
    Registration,
    /// Calls.
    CallControl,
    /// Media streams.
    MediaControl,
    /// Conferences.
    Conference,
    /// Managers and their service nodes.
    BetweenManagers,
}

/// The row of a message id; `None` for an id that nobody has documented.
pub fn message_info(id: u32) -> Option<&'static MessageInfo> {
    let row = list::MESSAGES.binary_search_by_key(&id, |info| info.id).ok()?;
    list::MESSAGES.get(row)
}

/// The rows in the order of their ids.
#[allow(
    clippy::indexing_slicing,
    reason = "runs at compile time, where an index out of bounds does not compile"
)]
pub(super) const fn sorted<const N: usize>(mut rows: [MessageInfo; N]) -> [MessageInfo; N] {
    let mut end = 1;
    while end < N {
        let mut at = end;
        while at > 0 && rows[at - 1].id > rows[at].id {
            (rows[at - 1], rows[at]) = (rows[at], rows[at - 1]);
            at -= 1;
        }
        end += 1;
    }
    rows
}
