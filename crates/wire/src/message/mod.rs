//! One plain struct per message.
//!
//! The struct is the specification: its fields, in order, are what is on the wire; decoder, encoder, field
//! descriptors and the absent values follow from it. Field names are the standard ones in snake case.
//! "Length" in the documentation is the value of the header's length field, which counts the message id and
//! the body. "v20" and so on are protocol versions, "4.1" is the CallManager 4.1 capture, "cm31" and "cm33"
//! are frames of CallManager 3.1 and 3.3.

mod announcement;
mod button;
mod call;
mod capability;
mod capability_v3;
mod conference;
mod display;
mod dtmf;
mod enbloc;
mod line;
mod media;
mod media_parts;
mod multicast;
mod notice;
mod port;
mod qos;
mod registration;
mod report;
mod softkey;
mod statistics;
mod user_data;
mod video;
mod video_control;
mod video_parts;

pub use announcement::*;
pub use button::*;
pub use call::*;
pub use capability::*;
pub use capability_v3::*;
pub use conference::*;
pub use display::*;
pub use dtmf::*;
pub use enbloc::*;
pub use line::*;
pub use media::*;
pub use media_parts::*;
pub use multicast::*;
pub use notice::*;
pub use port::*;
pub use qos::*;
pub use registration::*;
pub use report::*;
pub use softkey::*;
pub use statistics::*;
pub use user_data::*;
pub use video::*;
pub use video_control::*;
pub use video_parts::*;

/// The slots of an array that are meaningful: as many as `count` says, at most all.
pub(crate) fn first<T>(slots: &[T], count: u32) -> &[T] {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    slots.get(..count).unwrap_or(slots)
}

/// An array that begins with `items`; what exceeds it is left out. The second part is the count.
pub(crate) fn filled<T: Copy, const N: usize>(items: &[T], rest: T) -> ([T; N], u32) {
    let mut slots = [rest; N];
    let mut count = 0;
    for (slot, item) in slots.iter_mut().zip(items) {
        *slot = *item;
        count += 1;
    }
    (slots, count)
}

/// Declares messages without a body.
macro_rules! empty {
    ($( $(#[$meta:meta])* $name:ident, )*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, selsius_wire_derive::Wire)]
            pub struct $name;
        )*
    };
}

/// Declares messages that have the same fields.
macro_rules! alike {
    ($(#[$all:meta])* fields $fields:tt) => {};
    ($(#[$all:meta])* fields $fields:tt $(#[$meta:meta])* $name:ident, $($rest:tt)*) => {
        $(#[$meta])*
        $(#[$all])*
        pub struct $name $fields

        $crate::message::alike! { $(#[$all])* fields $fields $($rest)* }
    };
}

pub(crate) use {alike, empty};
