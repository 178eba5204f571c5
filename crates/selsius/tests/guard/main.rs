//! The guard as a process: between phones and a manager in networks of their own, and what it tells.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside of any test function"
)]

mod calls;
mod command;
mod networks;
