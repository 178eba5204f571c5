//! What an SCCP phone does, without I/O.
//!
//! A [`Station`] is one phone. It takes what its manager says and what its user does, and gives back the messages
//! that the phone sends, orders for whoever carries the voice, and - at any time - what a person would see and hear.
//!
//! ```text
//!   manager ──ManagerMessage──┐                       ┌──> Output::Send(StationMessage)   to the manager
//!   user    ──Action──────────┼─> Station::handle ────┼──> Output::Media(MediaOrder)      to the voice carrier
//!   voice   ──ReceiveOpened───┘   Station::face       ├──> Output::Event(Event)           for a script or a log
//!                                                     └──> Output::Close(CloseReason)     hang up the connection
//! ```
//!
//! It is the mirror of the exchange, but it knows nothing of it: it registers with any manager that speaks the protocol,
//! in the order in which the phones of its [`ModelClass`] ask, and believes what it is told.
//!
//! # The contract
//! - After every [`handle`](Station::handle) and [`handle_timeout`](Station::handle_timeout) take all of
//!   [`poll_output`](Station::poll_output), in order, then ask [`poll_timeout`](Station::poll_timeout) when to call
//!   `handle_timeout`. Time never goes back.
//! - Messages are sent in the form that [`dialect`](Station::dialect) gives them, and what comes in is decoded in its
//!   context. The dialect changes when the manager accepts the registration, so ask for it each time.
//! - Each [`MediaOrder::OpenReceive`] and [`MediaOrder::StartTransmit`] is answered by an input, at once if possible;
//!   an order that a later one took back is not answered any more.
//! - After [`Output::Close`] the station is deaf until [`Input::Connected`].
//!
//! ```
//! use selsius_station::{Config, Input, ModelClass, Output, Station};
//! use selsius_wire::Time;
//!
//! let mut phone = Station::new(Config::new("SEP001122334455", ModelClass::P7965));
//! phone.handle(Time::ZERO, Input::Connected);
//! let mut sent = Vec::new();
//! while let Some(output) = phone.poll_output() {
//!     if let Output::Send(message) = output {
//!         sent.push(message.name());
//!     }
//! }
//! assert_eq!(sent, ["Alarm", "Register"]);
//! ```
//!
//! # Panics and bounds
//! None of the inputs panics, and no manager can make a station grow: calls, lines, streams, prompts and everything
//! else that a manager can name has a limit ([`limits`]); what exceeds it is dropped and counted
//! ([`Counts`]).

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod buttons;
mod calls;
mod config;
mod display;
mod face;
mod few;
mod io;
pub mod limits;
mod link;
mod manager;
mod media;
mod registration;
mod screen;
mod soft_keys;
mod station;
mod timer;
mod user;

pub use config::{Config, ModelClass, Role};
pub use face::{ButtonFace, CallFace, Clock, Face};
pub use io::{Action, CloseReason, Counters, Event, Input, MediaOrder, Output, RejectReason};
pub use registration::Phase;
pub use screen::{Look, ScreenFace, ScreenItem};
pub use selsius_phone_xml::Picture;
pub use station::{CallParties, Counts, Station};
