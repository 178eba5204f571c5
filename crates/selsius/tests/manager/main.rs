//! `selsius serve` and its command line, as processes: real sockets on free ports, real clients of other people.

mod admin;
mod crash;
mod files;
mod start;
mod support;
