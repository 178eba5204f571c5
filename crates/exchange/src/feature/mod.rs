//! What an office expects of its phones, a file each. A feature changes the states of calls, legs and lines; what phones
//! show of it follows in `view`.

pub(crate) mod busy_lamp;
mod buttons;
pub(crate) mod call_codes;
pub(crate) mod callback;
pub(crate) mod codes;
mod conference;
mod conference_list;
mod dial;
mod disturb;
mod forward;
pub(crate) mod freed;
mod hold_reminder;
pub(crate) mod hunt;
mod intercom;
mod lift;
mod look;
mod meet_me;
pub(crate) mod mobility;
pub(crate) mod paging;
pub(crate) mod park;
pub(crate) mod pickup;
pub(crate) mod presence;
mod privacy;
pub(crate) mod push;
pub(crate) mod recording;
pub(crate) mod shared;
mod transfer;
mod voicemail;

pub use self::forward::CannotForward;
pub(crate) use self::forward::forwarded_to;
