//! Phones that run: the shell around [`selsius_station`].
//!
//! A [`Phone`] connects to a manager over TCP, keeps the station's timers, and carries its voice over UDP. It lives on
//! a task of its own, on any tokio runtime; whoever holds the [`Phone`] tells it what its user does and sees what a
//! person would see.
//!
//! ```text
//!               ┌──────────── task ────────────┐
//!  Phone::act ──┤> Station  <── Link ── TCP ───┼── manager
//!  snapshots <──┤    │                         │
//!  happened  <──┤    └──> Voice ── UDP ────────┼── the other phone
//!               └────────── Tap (if any) ──────┘
//! ```
//!
//! ```no_run
//! use selsius_client::{Options, Phone};
//! use selsius_station::{Action, Config, ModelClass};
//!
//! # async fn call() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::new("SEP001122334455", ModelClass::P7960);
//! let mut phone = Phone::start("192.0.2.1".parse()?, config, Options::default());
//! phone.wait_until(|now| now.face.registered).await?;
//! phone.act(Action::OffHook).await?;
//! phone.act(Action::Dial("1002".into())).await?;
//! phone.wait_until(|now| now.face.state() == selsius_wire::value::CallState::Connected).await?;
//! # Ok(())
//! # }
//! ```
//!
//! **Bounds.** Nothing that a manager or anybody else on the network does makes a phone grow: the station has its
//! limits, a manager that does not read is hung up on, floods on voice ports are read in portions, and whoever listens
//! to [`Phone::happened`] without reading loses the oldest.

mod audio;
mod clock;
mod link;
mod options;
mod phone;
mod tap;
mod target;
mod task;
mod voice;

pub use audio::{AudioSource, WavError};
pub use clock::Clock;
pub use link::LinkError;
pub use options::{Backoff, Options};
pub use phone::{ActError, Connection, End, Gone, Happened, Phone, Snapshot};
pub use tap::{Said, Tap, Tapped, Traffic, Way};
pub use target::{DEFAULT_PORT, Target, TargetError};
pub use voice::{Ports, StreamReport, Tone};
