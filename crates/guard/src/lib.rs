//! The guard's shell: what stands between phones and their manager on a real network.
//!
//! What may pass, and how it has to be changed, is decided by [`selsius_inspect::guard`], which does no I/O. Here are sockets, the ways
//! for audio, logs and figures.
//!
//! ```text
//!  phone ──TCP──> proxy (one thread, one poll) ──TCP──> manager        Guard::receive in between
//!                   │ Passage
//!                   └──> ways (a thread): nftables' sets, or the relay's sockets
//! ```

pub mod control;
pub mod event;
pub mod evidence;
pub mod policy;
pub mod proxy;
pub mod tftp;
pub mod ways;
