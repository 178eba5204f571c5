//! SIP trunks behind the exchange's seam: dialogs, offers and answers, and who may call.
//!
//! The parts that decide have no socket and no clock: `call` is one call as a state machine (orders of the exchange and
//! happenings on the wire go in, actions come out), [`sdp`] offers and answers, [`cause`] the one table of failures,
//! `identity` who calls. `endpoint` is the shell on the transactions and transports of the crate `rsipstack`
//! (`docs/adr/0003-sip-on-a-transaction-layer.md` says why those and no more), one task that owns all calls.
//!
//! ```no_run
//! # async fn example() -> Result<(), selsius_sip::StartError> {
//! use selsius_sip::{Listener, Sip, TrunkConfig};
//!
//! let trunk = TrunkConfig::peer("carrier", "192.0.2.1");
//! let listener = Listener::udp(([0, 0, 0, 0], 5060).into());
//! let (handle, mut events) = Sip::start(vec![trunk], vec![listener]).await?;
//! while let Some(event) = events.recv().await {
//!     // The exchange hears of it; its orders go to `handle.order`.
//! }
//! # drop(handle);
//! # Ok(())
//! # }
//! ```
//!
//! The stack logs every message in full at its level "info", secrets included: give `rsipstack` the level "warn".

mod call;
pub mod cause;
mod config;
mod dialog;
mod digest;
mod endpoint;
mod gate;
mod identity;
mod message;
mod registrar;
mod registration;
mod screen;
pub mod sdp;
mod seam;
mod tap;

pub use self::{
    config::{Dtmf, Limits, Listener, Network, PhoneTerms, Transport, TrunkConfig},
    endpoint::{Counts, Handle, Sip, StartError},
    gate::Figures,
    seam::{Event, TrunkStatus},
    tap::{Tap, Tapped},
};
