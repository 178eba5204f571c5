//! The media thread: it owns the RTP sockets and the media engine, and nothing else.
//!
//! One poll serves all sockets, as on the exchange's thread. Orders come by [`Handle`], which never waits; answers go to the
//! exchange as its own commands, and to others by the channels that they gave along. Nothing that is slow is done here: a packet
//! that waits is a packet that is late. Encrypted audio is so outside of the engine only: what goes in and comes out of it is plain.

mod cover;
mod feed;
mod handle;
mod ports;
mod sounds;
mod thread;

pub use self::{
    handle::{Answer, Handle, Happening, Live, ORDERS, Opening, Order, Party, Status, Watcher},
    thread::{Start, start},
};
pub(crate) use feed::Commands;
pub(crate) use sounds::{RINGING, SILENCE, follow};
