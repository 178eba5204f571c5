//! What was counted, of one party and of all.

use core::net::SocketAddr;
use core::time::Duration;

use super::Mos;
use crate::Codec;
use crate::rtp::Quality;

/// How a party's streams were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The codec.
    pub codec: Codec,
    /// For how long it was open.
    pub lasted: Duration,
    /// From where its packets came.
    pub source: Option<SocketAddr>,
    /// What came.
    pub received: Quality,
    /// Packets that came too late for a mix.
    pub late: u64,
    /// Packets sent, modulo 2^32.
    pub sent_packets: u32,
    /// Bytes of payload sent, modulo 2^32.
    pub sent_octets: u32,
    /// Datagrams of others.
    pub strangers: u64,
    /// Datagrams that were no packets.
    pub malformed: u64,
    /// Packets of a payload type that was not agreed, or of an impossible size.
    pub unexpected: u64,
    /// Packets, and reports, above the highest rate.
    pub floods: u64,
    /// To the party and back, by its reports.
    pub round_trip: Option<Duration>,
    /// Share of our packets that it did not get (0.0 to 1.0), by its reports.
    pub loss_there: Option<f64>,
    /// How unevenly our packets reach it, by its reports.
    pub jitter_there: Option<Duration>,
    /// How good it sounded to us; `None` if nothing came.
    pub score: Option<Mos>,
    /// How good we sounded there, if it reports.
    pub score_there: Option<Mos>,
}

/// What was counted since the beginning, over all parties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams for parties that came.
    pub received: u64,
    /// Packets that went out, reports included.
    pub sent: u64,
    /// Datagrams of others than the party.
    pub strangers: u64,
    /// Datagrams that were no packets.
    pub malformed: u64,
    /// Packets of a payload type that was not agreed, or of an impossible size.
    pub unexpected: u64,
    /// Packets, and reports, above the highest rate.
    pub floods: u64,
    /// Packets too late for a mix.
    pub late: u64,
    /// Packets given up since nobody asked for them.
    pub dropped: u64,
}
