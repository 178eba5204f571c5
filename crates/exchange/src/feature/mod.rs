//! What an office expects of its phones, a file each. A feature changes the states of calls, legs and lines; what phones
//! show of it follows in `view`.

pub(crate) mod callback;
pub(crate) mod codes;
mod conference;
pub(crate) mod freed;
pub(crate) mod hunt;
pub(crate) mod mobility;
pub(crate) mod park;
pub(crate) mod pickup;
mod shared;
mod transfer;
