//! What an office expects of its phones, a file each. A feature changes the states of calls, legs and lines; what phones
//! show of it follows in `view`.

pub(crate) mod codes;
mod conference;
mod conference_list;
pub(crate) mod push;
mod shared;
mod transfer;
