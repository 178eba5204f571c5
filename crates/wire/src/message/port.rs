//! Media ports that are asked for before a channel opens, and what service nodes have to offer.

use selsius_wire_derive::Wire;

use super::CodecParams;
use crate::value::{
    Codec, DeviceType, EchoCancellation, IpAddressType, MediaAddress, MediaTransport, MediaType,
};

/// 0x014B. Which port would the phone use? Only for phones that said so at registration
/// ([`crate::Features::PORT_REQUEST`]). Length 28; from the layout list alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct PortReq {
    /// Shared by the streams of a call.
    pub conference_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Identifies this stream.
    pub pass_through_party_id: u32,
    /// What carries the stream.
    pub media_transport_type: MediaTransport,
    /// Which kind of address is wanted.
    pub ip_address_type: IpAddressType,
    /// What the stream carries.
    pub media_type: MediaType,
}

/// 0x0045, the answer to [`PortReq`]. Lengths 28, 44 (tagged), 48 (from v19); from the layout list alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 44)]
pub struct PortRes {
    /// As asked.
    pub conference_id: u32,
    /// As asked.
    pub call_reference: u32,
    /// As asked.
    pub pass_through_party_id: u32,
    /// The phone's address.
    pub ip_addr: MediaAddress,
    /// Its port.
    pub port_number: u32,
    /// Its port for RTCP.
    pub rtcp_port_number: u32,
    /// As asked.
    #[wire(since = 19)]
    pub media_type: MediaType,
}

/// 0x014C. The phone may forget that port. Length 20; from the layout list alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct PortClose {
    /// As asked.
    pub conference_id: u32,
    /// As asked.
    pub call_reference: u32,
    /// As asked.
    pub pass_through_party_id: u32,
    /// As asked.
    pub media_type: MediaType,
}

/// 0x002C. What a service node can carry. An IOS bridge at v18 sends it (length 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MediaResourceNotification {
    /// The kind of service.
    pub device_type: DeviceType,
    /// Streams that work.
    pub number_of_in_service_streams: u32,
    /// The most streams in one conference.
    pub max_streams_per_conf: u32,
    /// Streams that do not work.
    pub number_of_out_of_service_streams: u32,
}

/// 0x011C. Report a stream that falls silent. Length 32; from the layout list alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StartMediaFailureDetection {
    /// Of the media order.
    pub conference_id: u32,
    /// Of the media order.
    pub pass_through_party_id: u32,
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
