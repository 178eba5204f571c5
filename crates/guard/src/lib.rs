//! The guard's shell: what stands between phones and their manager on a real network.
//!
//! What may pass, and how it has to be changed, is decided by [`selsius_inspect::guard`], which does no I/O. Here are sockets, the ways
//! for audio, logs and figures.

pub mod policy;
