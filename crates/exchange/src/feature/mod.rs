//! What an office expects of its phones, a file each. A feature changes the states of calls, legs and lines; what phones
//! show of it follows in `view`.

pub(crate) mod callback;
pub(crate) mod codes;
mod conference;
mod disturb;
mod forward;
pub(crate) mod freed;
mod hold_reminder;
pub(crate) mod hunt;
mod lift;
pub(crate) mod park;
pub(crate) mod pickup;
mod shared;
mod transfer;
mod voicemail;

pub use self::forward::CannotForward;
pub(crate) use self::forward::forwarded_to;
