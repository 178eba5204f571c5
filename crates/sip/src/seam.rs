//! What SIP trunks say: the exchange's own events, and what it is not told.

use selsius_exchange::{PhoneContact, TrunkEvent};
use selsius_site::DeviceName;

/// Something happened at a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// In a call.
    Call(TrunkEvent),
    /// Where a phone is registered from now on.
    Phone {
        /// Which.
        phone: DeviceName,
        /// All its places; nowhere if there is none.
        contacts: Vec<PhoneContact>,
    },
    /// A trunk can be used, or no longer.
    Trunk {
        /// Which, by its name in the site.
        trunk: String,
        /// How it is.
        status: TrunkStatus,
    },
}

impl From<TrunkEvent> for Event {
    fn from(event: TrunkEvent) -> Self {
        Self::Call(event)
    }
}

/// Can a trunk be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrunkStatus {
    /// Nothing is known: it is neither registered nor probed, or that has not been answered yet.
    #[default]
    Unknown,
    /// It is registered, or answers probes.
    Up,
    /// Its registration failed, or it does not answer.
    Down,
}
