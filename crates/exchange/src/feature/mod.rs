//! What an office expects of its phones, a file each. A feature changes the states of calls, legs and lines; what phones
//! show of it follows in `view`.

pub(crate) mod codes;
mod conference;
mod disturb;
mod forward;
mod hold_reminder;
mod lift;
mod shared;
mod transfer;
mod voicemail;

pub use self::forward::CannotForward;
pub(crate) use self::forward::forwarded_to;
