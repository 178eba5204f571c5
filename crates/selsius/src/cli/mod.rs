//! The subcommands.

pub(crate) mod phone;
