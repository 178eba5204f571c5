//! Video and data channels. No capture has one of these; the fields are those of the field's layout list.

use selsius_wire_derive::Wire;

use super::{ChannelParams, EncryptionKeyInfo, alike};
use crate::value::{ChannelStatus, Codec, IpAddressType, MediaAddress, MediaStatus, PortHandling};

/// 0x0131. The phone opens a port for video or data, and answers with [`OpenMultiMediaReceiveChannelAck`].
///
/// Lengths 168, 176 (from v11), 180 (v16), 196 (from v17, tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 196)]
pub struct OpenMultiMediaReceiveChannel {
    /// Shared by the streams of a call.
    pub conference_id: u32,
    /// Identifies this stream.
    pub pass_through_party_id: u32,
    /// The format.
    pub compression_type: Codec,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
    /// Which payload.
    pub payload_rfc_number: u32,
    /// Which payload; by the layout list it chooses the form of what follows.
    pub payload_type: u32,
    /// Whether this phone made the conference.
    pub is_conference_creator: u32,
    /// More about the format.
    #[wire(union = "payload_type")]
    pub capability: ChannelParams,
    /// SRTP keys.
    pub encryption: EncryptionKeyInfo,
    /// Identifies a stream of a media service.
    pub stream_pass_through_id: u32,
    /// Identifies the stream that belongs with it.
    pub associated_stream_id: u32,
    /// Where the media will come from.
    #[wire(since = 11)]
    pub source_ip_addr: MediaAddress,
    /// From which port.
    #[wire(since = 11)]
    pub source_port_number: u32,
    /// Which kind of address the phone should open.
    #[wire(since = 16)]
    pub requested_ip_addr_type: IpAddressType,
}

/// 0x0031. Where the phone receives video or data. Lengths 24 and 40 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 40)]
pub struct OpenMultiMediaReceiveChannelAck {
    /// How it went.
    pub multimedia_reception_status: ChannelStatus,
    /// The phone's address.
    pub ip_addr: MediaAddress,
    /// The phone's port.
    pub port_number: u32,
    /// Of the order.
    pub pass_through_party_id: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x0132. The phone sends video or data there, and answers with [`StartMultiMediaTransmissionAck`]. Lengths
/// 172 and 188 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 188)]
pub struct StartMultiMediaTransmission {
    /// Shared by the streams of a call.
    pub conference_id: u32,
    /// Identifies this stream.
    pub passthru_party_id: u32,
    /// The format.
    pub compression_type: Codec,
    /// Where to.
    pub remote_ip_addr: MediaAddress,
    /// Which port.
    pub remote_port_number: u32,
    /// The call.
    pub call_reference: u32,
    /// Which payload.
    pub payload_rfc_number: u32,
    /// Which payload; by the layout list it chooses the form of what follows.
    pub payload_type: u32,
    /// How the packets are marked.
    pub dscp_value: u32,
    /// More about the format.
    #[wire(union = "payload_type")]
    pub capability: ChannelParams,
    /// SRTP keys.
    pub encryption: EncryptionKeyInfo,
    /// Identifies a stream of a media service.
    pub stream_pass_through_id: u32,
    /// Identifies the stream that belongs with it.
    pub associated_stream_id: u32,
}

/// 0x0155. From where the phone sends video or data. From the phone, as 0x0154 is; the layout list has it from
/// the manager. Lengths 28 and 44 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 44)]
pub struct StartMultiMediaTransmissionAck {
    /// Of the order.
    pub conference_id: u32,
    /// Of the order.
    pub pass_through_party_id: u32,
    /// The call.
    pub call_reference: u32,
    /// The phone's sending address.
    pub transmit_ip_addr: MediaAddress,
    /// The phone's sending port.
    pub port_number: u32,
    /// How it went.
    pub multimedia_transmission_status: MediaStatus,
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
        /// Whether the phone keeps the port.
        pub port_handling_flag: PortHandling,
    }
    /// 0x0133. The end of [`StartMultiMediaTransmission`]. Length 20.
    StopMultiMediaTransmission,
    /// 0x0136. The end of [`OpenMultiMediaReceiveChannel`]. Length 20.
    CloseMultiMediaReceiveChannel,
}
