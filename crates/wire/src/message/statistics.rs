//! Statistics of a call's media.

use selsius_wire_derive::Wire;

use crate::value::{Data, Number, StatsProcessing};

/// 0x0107. Lengths 36, and 40 with a 25-byte number (v20). A 7937 never answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(wide_numbers_from = 37)]
pub struct ConnectionStatisticsReq {
    /// The far end's number.
    pub directory_num: Number,
    /// The call.
    pub call_reference: u32,
    /// What happens to the counters.
    pub stats_processing_mode: StatsProcessing,
}

/// 0x0023. At v20 the number has 25 bytes and what follows is unaligned; unlike all others the answer is not
/// padded (length 180).
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(unpadded)]
pub struct ConnectionStatisticsRes {
    /// As asked.
    pub directory_num: Number,
    /// As asked.
    pub call_reference: u32,
    /// As asked.
    pub stats_processing_mode: StatsProcessing,
    /// RTP packets.
    pub number_packets_sent: u32,
    /// RTP payload bytes.
    pub number_octets_sent: u32,
    /// RTP packets.
    pub number_packets_received: u32,
    /// RTP payload bytes.
    pub number_octets_received: u32,
    /// RTP packets.
    pub number_packets_lost: u32,
    /// Milliseconds.
    pub jitter: u32,
    /// Milliseconds.
    pub latency: u32,
    /// Bytes that follow.
    pub data_size: u32,
    /// Text such as `MLQK=4.5000;..`.
    #[wire(count = "data_size", max = 600)]
    pub data: Data,
}
