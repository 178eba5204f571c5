//! What an office expects of its phones, a file each. A feature changes the states of calls, legs and lines; what phones
//! show of it follows in `view`.

pub(crate) mod call_codes;
pub(crate) mod codes;
mod conference;
mod intercom;
pub(crate) mod paging;
mod shared;
mod transfer;
