//! The test bed: an exchange and any number of stations in one process, on a virtual clock and a simulated network.
//!
//! A [`Bed`] moves bytes, not messages: what a station or the exchange says is encoded in its dialect, delayed, cut into
//! segments at random, framed and decoded again at the other end, and connections break. [`run`] lets seeded random
//! users act on the phones and checks after every step that calls, legs and phones hang together, whenever nothing is
//! in flight that every phone shows what the exchange thinks it shows, and that nothing is left once everybody has
//! hung up. A failing run names its seed and replays.

mod agree;
mod bed;
mod chaos;
pub mod crowd;
mod meter;
mod network;
mod office;
mod plan;
mod queue;
mod random;
mod services;
mod sip_phones;

pub use self::{
    agree::disagreement,
    bed::{Bed, Phone, Recorder},
    chaos::{Notices, Way},
    crowd::{Calls, Crowd, CrowdError, Tally},
    meter::Meter,
    network::{Network, Wire},
    random::{Failure, Report, Users, run, run_recorded},
};
