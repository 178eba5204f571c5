//! SCCP ("Skinny") on the wire: frames, messages, dialects. No I/O, no clock, no allocation for what is
//! frequent.
//!
//! ```text
//!  bytes ──cut / Framer──> RawFrame ──StationMessage::decode(frame, context)──> Received<StationMessage>
//!                                               .message            what was said
//!                                               .tail .anomalies    what else was there
//!                                               .encode()           the same bytes again
//!
//!  meaning ──Dialect::prompt, ..──> ManagerMessage ──Dialect::encode_manager──> bytes for this phone
//! ```
//!
//! | module | what lives there |
//! |---|---|
//! | [`frame`] | cutting a stream into frames; "need more" told from "absurd" |
//! | [`message`] | one struct per message: the struct is the specification |
//! | [`value`] | open enumerations, texts, numbers, addresses |
//! | [`srtp`] | keys of encrypted audio |
//! | [`text`] | what a phone displays: labels that it translates, and plain text |
//! | [`codec`] | what `#[derive(Wire)]` generates: reading, writing, descriptors, walking by field name |
//! | the root | [`StationMessage`], [`ManagerMessage`], [`MESSAGES`], [`Received`], [`Dialect`] |
//!
//! # Receiving
//! What a frame means depends on its length, on its header version and on the version that the session
//! negotiated, together: [`Context`] carries the last. Presence follows the length, word by word: a field
//! beyond the end of the body has its absent value, what follows the last known field is kept as the tail.
//!
//! There are two modes. `decode` is strict: it refuses a message of the wrong direction, a body below the
//! shortest known form, a field cut in two, and a count above what was sent; [`DecodeError`] names message,
//! field and offset. `decode_lenient` never fails and lists [`Anomaly`]s. Either way nothing is lost:
//! [`Received::encode`] gives the bytes that came, old memory behind a NUL and dirty slots included. An id
//! that is not modelled becomes [`Opaque`].
//!
//! # Sending
//! Which form a phone gets is a matter of its [`Dialect`]: which id, which length, which header version,
//! which encoding of text. It is settled at registration by [`Dialect::negotiate`], and it is the only place
//! that asks for a version.
//!
//! ```
//! use selsius_wire::{Cut, DEFAULT_LIMIT, DeviceType, Dialect, DisplayLabel, ManagerMessage, PhoneText, cut};
//!
//! // A 7912 gets the forms of CallManager 4.1, a 7965 the dynamic ones.
//! for (offered, model, id) in [(7, DeviceType::Cisco7912, 0x0112), (17, DeviceType::Cisco7965, 0x0145)] {
//!     let dialect = Dialect::negotiate(offered, [0x20, 0, 0x85], model);
//!     let prompt = dialect.prompt(0, 1, 77, &PhoneText::label(DisplayLabel::EnterNumber));
//!     let mut bytes = Vec::new();
//!     dialect.encode_manager(&prompt, &mut bytes);
//!
//!     let Ok(Cut::Frame { frame, .. }) = cut(&bytes, DEFAULT_LIMIT) else { panic!("half a frame") };
//!     assert_eq!(frame.id, id);
//!     let received = ManagerMessage::decode(frame, dialect.context())?;
//!     assert_eq!(received.message, prompt);
//! }
//! # Ok::<(), selsius_wire::DecodeError>(())
//! ```
//!
//! # Panics and bounds
//! Bytes from the network never panic: the crate does not index, does not cast, and every message is tested
//! cut at every length. A frame is at most [`DEFAULT_LIMIT`] long, and decoding keeps no more than a small
//! multiple of what was really sent, whatever counts claim.
//!
//! # A new message
//! Write its struct in [`message`], with the source of every fact; move its row in `table/list.rs` from
//! `opaque` to the modelled ones; add the lengths that are sent to `dialect/forms.rs` if they depend on the
//! version; add a row of bytes to `tests/forms.rs`; `cargo xtask messages` writes the reference in `docs/`
//! anew. Everything else follows.

#![cfg_attr(not(test), no_std)]
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

extern crate alloc;
// The derive names this crate, also within itself.
extern crate self as selsius_wire;

pub mod codec;
mod dialect;
pub mod frame;
pub mod message;
pub mod rate;
pub mod srtp;
mod table;
pub mod text;
mod time;
pub mod value;

pub use codec::{Context, Problem};
pub use dialect::{CallInformation, Dialect, ForwardStatus};
pub use frame::{Cut, DEFAULT_LIMIT, FrameError, Framer, RawFrame, cut};
pub use table::{
    Anomaly, Category, DecodeError, Direction, Kind, MESSAGES, ManagerMessage, Message, MessageInfo,
    MessageSet, Opaque, Received, StationMessage, message_info,
};
pub use text::{DisplayLabel, Encoding, LabelSupport, PhoneText};
pub use time::Time;
pub use value::*;
