//! How structs become bytes and bytes become structs.
//!
//! A message is a plain struct with `#[derive(Wire)]`. Its fields are read in order, and **presence follows
//! the length, word by word**: a field that begins at or beyond the end of the body takes its absent value
//! ([`Wire::absent`], which is also its `Default`), and the position where the body ended is remembered. A
//! field that the end cuts in two is an error ([`Problem::Cut`]) when decoding strictly; a lenient reader
//! leaves that field and all bytes from its start on to the tail and notes an anomaly. What follows the last
//! known field is the tail too.
//!
//! Two things change the width of a field. Media addresses are 4 bytes, or 20 with a tag in front; directory
//! numbers are 24 bytes or 25. Which one holds is the [`Layout`] of a message: by the header's length where
//! that decides (`tagged_from`, `wide_numbers_from`), else by the effective version.

mod field;
mod layout;
mod leaf;
mod reader;
mod union;
mod visit;
mod writer;

pub use field::{Field, FieldError, Kind, Member, Problem};
pub use layout::{Context, Layout, LayoutRule};
pub use leaf::{List, OpenEnum};
pub use reader::{Mode, Reader};
pub use union::Union;
pub use visit::{At, Value, Visitor, Walk};
pub use writer::Writer;

pub(crate) use leaf::open_enum;
pub(crate) use union::{shown_as, union};

/// Something with a place on the wire: a message, a part of one, or a single field.
pub trait Wire: Sized {
    /// What it is, for tables and dissectors.
    const KIND: Kind;
    /// How its layout follows from version and length; only a message's own rule counts.
    const RULE: LayoutRule = LayoutRule::BY_VERSION;

    /// Its documentation; empty for a single field.
    const DOC: &'static str = "";

    /// The value when the body ends before the field: zero, empty.
    fn absent() -> Self;

    /// Reads it.
    ///
    /// # Errors
    /// When the body ends in the middle of it, or a count exceeds what there is room for.
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError>;

    /// As [`Wire::decode`], when the reader's layout is settled.
    ///
    /// # Errors
    /// As [`Wire::decode`].
    #[inline]
    fn decode_fields(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        Self::decode(r)
    }

    /// Reads `N` of them, as far as the body reaches.
    ///
    /// # Errors
    /// As [`Wire::decode`], when reading strictly.
    #[inline]
    fn decode_array<const N: usize>(r: &mut Reader<'_>) -> Result<[Self; N], FieldError> {
        let mut slots = core::array::from_fn(|_| Self::absent());
        for slot in &mut slots {
            if r.at_end() {
                break;
            }
            *slot = r.part()?;
        }
        Ok(slots)
    }

    /// Appends all of them.
    #[inline]
    fn encode_array<const N: usize>(slots: &[Self; N], w: &mut Writer<'_>) {
        slots.iter().for_each(|slot| slot.encode(w));
    }

    /// Appends it.
    fn encode(&self, w: &mut Writer<'_>);

    /// Shows it, as the value of `field`.
    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field);

    /// Shows the fields of a struct without the struct itself; nothing for a single field.
    fn visit_fields(&self, walk: &mut Walk<'_>) {
        let _ = walk;
    }
}
