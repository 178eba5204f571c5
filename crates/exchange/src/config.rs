//! What the exchange is told at its start: everything that is not the site's and not the protocol's.

use alloc::string::String;
use core::{fmt, time::Duration};

use selsius_wire::{Time, rate::Rate};

use crate::record::{CallId, WallTime};

/// Settings of one running exchange.
#[derive(Debug, Clone)]
pub struct Config {
    /// The manager's software version, told to phones that ask (VersionRes), at most 15 bytes are sent.
    pub version: String,
    /// The TCP port that phones reach the manager on; told in ServerRes.
    pub port: u16,
    /// The TCP port that phones fetch the manager's own services from; told in ServiceUrlStat.
    pub http_port: u16,
    /// The first call's id: larger than every id in the store.
    pub first_call: CallId,
    /// Where call references start, so that they differ from those before a restart; 0 counts as 1.
    pub first_reference: u32,
    /// Differentiated services code point that phones mark their audio with, 0 to 63.
    pub media_dscp: u8,
    /// Where phones may say that they listen.
    pub media_addresses: MediaAddresses,
    /// Chance, for the keys of phones whose audio is encrypted.
    pub seed: Seed,
    /// Limits.
    pub limits: Limits,
}

/// What keys are made of. It has to come from the operating system, anew for each exchange, and nobody else may know it: the same seed
/// gives the same keys. Nothing that is printed shows it.
#[derive(Clone, Default)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seed").finish_non_exhaustive()
    }
}

/// Which addresses a phone may give for its audio (OpenReceiveChannelAck): whoever talks to it sends there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MediaAddresses {
    /// The one that it speaks from. Else a phone could have others send to a third host.
    #[default]
    Own,
    /// Any: for phones behind a translation of addresses, or with an address of its own for audio.
    Any,
}

/// Bounds on what phones can make the exchange hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a connection may take to register, whatever else it says.
    pub register_within: Duration,
    /// How long a connection may be silent that has said KeepAlive instead: a phone that has us as its second manager. Phones do that
    /// each minute or so, by the secondary interval of the manager that they are registered with.
    pub silence_on_standby: Duration,
    /// How long the old connection of a device gets to answer when the device registers from another address.
    pub probe: Duration,
    /// How long a phone may take to open its audio channel.
    pub media_answer: Duration,
    /// Digits of one call; more end in reorder tone.
    pub digits: usize,
    /// Legs of one device that its user has begun or answered; what would make more is refused.
    pub legs_per_device: usize,
    /// Names that the office does not have, asked for by one address. More, and for a while nobody registers from there
    /// who is not registered: somebody tries names out.
    pub unknown_names: Rate,
    /// The longest screen that a phone is sent, in bytes.
    pub screen: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            port: 2000,
            http_port: 6970,
            first_call: CallId(1),
            first_reference: 1,
            // Expedited forwarding, as CallManager tells phones (4.1 capture, frame 154: 0xB8).
            media_dscp: 46,
            media_addresses: MediaAddresses::default(),
            seed: Seed::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            register_within: Duration::from_secs(60),
            silence_on_standby: Duration::from_secs(180),
            probe: Duration::from_secs(3),
            media_answer: Duration::from_secs(10),
            digits: 32,
            legs_per_device: 8,
            unknown_names: Rate::per_minute(120),
            // A page of 4000 characters, each of them a reference.
            screen: 32 * 1024,
        }
    }
}

/// The time of day, tied to the driver's clock at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock {
    /// The driver's time at which the rest holds.
    pub at: Time,
    /// Wall-clock time then.
    pub wall: WallTime,
    /// Seconds to add for local time, as phones show it.
    pub offset_seconds: i32,
}

impl WallClock {
    /// The wall-clock time at `now`.
    pub fn wall(&self, now: Time) -> WallTime {
        let passed = i64::try_from(now.since(self.at).as_micros()).unwrap_or(i64::MAX);
        WallTime(self.wall.0.saturating_add(passed))
    }
}
