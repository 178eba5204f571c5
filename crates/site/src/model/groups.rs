//! What several lines do together.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::word::words;
use crate::{LineNumber, Name, NumberRange};

/// Lines that pick up each other's calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PickupGroup {
    /// Groups whose calls its members may take too, with group pickup.
    pub others: Vec<Name>,
}

/// Where calls are parked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parking {
    /// The numbers of the slots. Calls are parked in the first free one.
    pub slots: Vec<NumberRange>,
}

impl Parking {
    /// The numbers of all slots, in their order.
    pub fn numbers(&self) -> impl Iterator<Item = LineNumber> + use<'_> {
        self.slots.iter().flat_map(NumberRange::numbers)
    }
}

/// A number that rings one of several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HuntGroup {
    /// What phones show of it, at most 39 bytes.
    pub name: String,
    /// Its lines and perhaps other hunt groups, at least one.
    pub members: Vec<LineNumber>,
    /// Whom a call tries first.
    pub order: HuntOrder,
    /// How long a member rings before the next one does, 1 to 600.
    pub ring_seconds: u32,
    /// Most callers that wait while no member is free, 0 to 1000; 0 has none wait.
    pub queue: u32,
    /// How long one waits at most, 0 to 3600; 0 is what the settings say.
    pub queue_seconds: u32,
    /// What callers hear while they wait; `None` is how it rings.
    pub music: Option<Name>,
    /// Who gets the call that no member takes.
    pub overflow: Option<LineNumber>,
    /// Do members have to log in before they get calls?
    pub login: bool,
}

impl Default for HuntGroup {
    fn default() -> Self {
        Self {
            name: String::new(),
            members: Vec::new(),
            order: HuntOrder::default(),
            ring_seconds: 15,
            queue: 0,
            queue_seconds: 0,
            music: None,
            overflow: None,
            login: false,
        }
    }
}

words! {
    /// Whom of a hunt group a call tries first.
    #[derive(Default)]
    pub enum HuntOrder {
        /// The first member.
        #[default]
        Sequential = "sequential",
        /// The one after the last who was tried.
        Circular = "circular",
        /// Who has had no call for the longest time.
        LongestIdle = "longest-idle",
        /// All at once.
        Broadcast = "broadcast",
    }
}

/// A number that speaks to several phones at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PagingGroup {
    /// What phones show of it, at most 39 bytes.
    pub name: String,
    /// The lines whose phones are spoken to, at least one.
    pub lines: Vec<LineNumber>,
    /// How the voice gets to them.
    pub mode: PagingMode,
    /// The multicast address and the even port; needed for [`PagingMode::Multicast`].
    pub address: Option<SocketAddr>,
    /// Does a tone come first?
    pub beep: bool,
}

impl Default for PagingGroup {
    fn default() -> Self {
        Self {
            name: String::new(),
            lines: Vec::new(),
            mode: PagingMode::default(),
            address: None,
            beep: true,
        }
    }
}

words! {
    /// How the voice gets to the phones of a paging group.
    #[derive(Default)]
    pub enum PagingMode {
        /// Once, to an address that all listen at.
        #[default]
        Multicast = "multicast",
        /// To each by itself.
        Unicast = "unicast",
    }
}
