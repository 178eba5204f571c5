//! What an office expects of its phones, a file each. A feature changes the states of calls, legs and lines; what phones
//! show of it follows in `view`.

pub(crate) mod busy_lamp;
mod buttons;
pub(crate) mod codes;
mod conference;
mod dial;
pub(crate) mod presence;
mod privacy;
mod shared;
mod transfer;
