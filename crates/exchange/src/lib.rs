//! The call control core of selsius: from a phone's registration to hanging up, without I/O.
//!
//! # Contract
//! The driver owns sockets, clock and store. It calls [`Exchange::handle`] with what happened and
//! [`Exchange::handle_timeout`] when [`Exchange::poll_timeout`] has come, each with the present [`Time`], and then takes
//! every [`Output`] with [`Exchange::poll_output`]. Nothing here blocks, sleeps or reads a clock; the same inputs give
//! the same outputs, so any run can be recorded and replayed.
//!
//! # Panics
//! None that bytes from the network can reach.
//!
//! # The way of one message
//! [`Input::Message`] is looked at by `device` (questions, registration) or `call::keys` (what the user does);
//! `call::control` and `call::media` change states and name a transition; `view` derives what the phones concerned
//! should show and sends the difference to what they were told.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod arena;
mod call;
mod config;
mod counters;
mod device;
mod dialplan;
mod exchange;
mod feature;
mod io;
pub mod language;
pub mod loopback;
mod operator;
mod presence;
pub mod record;
mod remains;
pub mod remembered;
mod status;
mod timer;
pub mod view;

pub use selsius_wire::{
    Time,
    rate::{Meter, Meters, Rate, network_of},
    srtp,
};

pub use self::{
    call::{Audio, OpusTypes, PhoneContact, RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder, codec_name},
    config::{Config, Limits, MediaAddresses, Seed, WallClock},
    counters::{Counters, Durations},
    exchange::Exchange,
    feature::{
        CannotForward,
        push::{PushError, ShownAs},
    },
    io::{AnchorOrder, Event, Hears, Input, Level, Load, Output, Peer, Recording, SessionId, Side},
    operator::{Notice, Operation, OperationError},
    presence::{LineUse, Presence, PresentPhone},
    remains::Remains,
    status::{CallStatus, DeviceStatus, ParkedCall, Sizes},
};
