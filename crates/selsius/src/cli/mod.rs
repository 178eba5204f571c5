//! The subcommands.

pub(crate) mod backup;
pub(crate) mod calls;
pub(crate) mod demo;
pub(crate) mod device;
mod dhcp;
pub(crate) mod dissect;
mod import;
mod node;
mod out;
pub(crate) mod phone;
pub(crate) mod serve;
pub(crate) mod site;
pub(crate) mod status;
