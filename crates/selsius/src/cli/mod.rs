//! The subcommands.

pub(crate) mod backup;
pub(crate) mod calls;
mod change;
pub(crate) mod demo;
pub(crate) mod device;
mod dhcp;
pub(crate) mod dissect;
mod fetch;
pub(crate) mod forward;
pub(crate) mod group;
pub(crate) mod guard;
pub(crate) mod health;
mod import;
pub(crate) mod line;
pub(crate) mod load;
pub(crate) mod log;
mod node;
mod out;
pub(crate) mod phone;
pub(crate) mod recordings;
pub(crate) mod room;
pub(crate) mod serve;
pub(crate) mod site;
pub(crate) mod status;
pub(crate) mod watch;
