//! SCCP (Skinny) on the wire: frames, messages, dialects.

#![cfg_attr(not(test), no_std)]
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

extern crate alloc;
// The derive names this crate, also within itself.
extern crate self as selsius_wire;

pub mod codec;
mod dialect;
pub mod frame;
pub mod message;
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
