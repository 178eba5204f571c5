//! Multicast media: paging and music on hold to many phones at once. No capture has one of these; the fields
//! are those of the field's layout list.

use selsius_wire_derive::Wire;

use super::{CodecParams, alike};
use crate::value::{ChannelStatus, Codec, EchoCancellation, MediaAddress, SilenceSuppression};

/// 0x0101. The phone listens to a multicast stream, and answers with [`MulticastMediaReceptionAck`]. Lengths
/// 40 and 56 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 56)]
pub struct StartMulticastMediaReception {
    /// Shared by the streams of a call.
    pub conference_id: u32,
    /// Identifies this stream.
    pub pass_through_party_id: u32,
    /// The group.
    pub multicast_ip_addr: MediaAddress,
    /// Its port.
    pub multicast_port_number: u32,
    /// Milliseconds of media in a packet.
    pub milli_second_packet_size: u32,
    /// The format.
    pub compression_type: Codec,
    /// Whether echo is cancelled.
    pub ec_value: EchoCancellation,
    /// More about the format; the G.723.1 rate before v11.
    #[wire(union = "compression_type")]
    pub codec_params: CodecParams,
    /// The call.
    pub call_reference: u32,
}

/// 0x0102. The phone speaks to a multicast group. Lengths 48 and 64 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 64)]
pub struct StartMulticastMediaTransmission {
    /// Shared by the streams of a call.
    pub conference_id: u32,
    /// Identifies this stream.
    pub pass_through_party_id: u32,
    /// The group.
    pub multicast_ip_addr: MediaAddress,
    /// Its port.
    pub multicast_port_number: u32,
    /// Milliseconds of media in a packet.
    pub milli_second_packet_size: u32,
    /// The format.
    pub compression_type: Codec,
    /// Type of service of the packets.
    pub precedence_value: u32,
    /// Whether silence is not sent.
    pub ss_value: SilenceSuppression,
    /// The most codec frames in a packet.
    pub max_frames_per_packet: u16,
    /// Unused.
    pub padding: u16,
    /// More about the format; the G.723.1 rate before v11.
    #[wire(union = "compression_type")]
    pub codec_params: CodecParams,
    /// The call.
    pub call_reference: u32,
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    fields {
        /// Of the order.
        pub conference_id: u32,
        /// Of the order.
        pub pass_through_party_id: u32,
        /// The call.
        pub call_reference: u32,
    }
    /// 0x0103. The end of [`StartMulticastMediaReception`]. Length 16.
    StopMulticastMediaReception,
    /// 0x0104. The end of [`StartMulticastMediaTransmission`]. Length 16.
    StopMulticastMediaTransmission,
}

/// 0x0021. Whether the phone listens. Length 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MulticastMediaReceptionAck {
    /// How it went.
    pub multicast_reception_status: ChannelStatus,
    /// Of the order.
    pub pass_through_party_id: u32,
    /// The call.
    pub call_reference: u32,
}
