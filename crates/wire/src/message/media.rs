//! Orders to open, start, close and stop media, and what the phone says to them.

use core::net::Ipv4Addr;

use selsius_wire_derive::Wire;

use super::{CodecParams, EncryptionKeyInfo, LatentCaps};
use crate::value::{
    Codec, EchoCancellation, IpAddressType, MediaAddress, MediaStatus, PortHandling, SilenceSuppression,
};

/// 0x0105. The phone opens a port for receiving and answers with OpenReceiveChannelAck.
///
/// Lengths 72 (4.1), 96 (v3 to v10), 112 (from v11), 116 (v16), 132 (from v17, tagged), 136, 172 (from v21).
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(tagged_from = 132)]
pub struct OpenReceiveChannel {
    /// Shared by the streams of a call.
    pub conference_id: u32,
    /// Identifies this stream; the acks of 4.1 carry nothing else.
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
    /// SRTP keys.
    pub encryption: EncryptionKeyInfo,
    /// Identifies a stream of a media service.
    pub stream_pass_through_id: u32,
    /// Identifies the stream that belongs with it.
    pub associated_stream_id: u32,
    /// RTP payload type of DTMF events; 0 for none.
    pub rfc2833_payload_type: u32,
    /// How DTMF is sent; 10 at v17 and v20.
    pub dtmf_type: u32,
    /// Whether the stream is mixed; 1 for a recorder's (v20).
    #[wire(since = 11)]
    pub mixing_mode: u32,
    /// Which party a recorder hears: 1 or 2 (v20).
    #[wire(since = 11)]
    pub party_direction: u32,
    /// Where the media will come from.
    #[wire(since = 11)]
    pub source_ip_addr: MediaAddress,
    /// From which port; 4000 at v20, whatever the far end uses.
    #[wire(since = 11)]
    pub source_port_number: u32,
    /// Which kind of address the phone should open.
    #[wire(since = 16)]
    pub requested_ip_addr_type: IpAddressType,
    /// Gain.
    #[wire(since = 17)]
    pub audio_level_adjustment: i32,
    /// Modem relay.
    #[wire(since = 21)]
    pub latent_caps: LatentCaps,
}

/// 0x0022. Where the phone receives. Lengths 20 (4.1: no call reference), 24, 40 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 36)]
pub struct OpenReceiveChannelAck {
    /// How it went.
    pub media_reception_status: MediaStatus,
    /// The phone's address; anything else is an attempt to redirect the audio.
    pub ip_addr: MediaAddress,
    /// The phone's port.
    pub port_number: u32,
    /// Of the order. Match acks by it.
    pub pass_through_party_id: u32,
    /// Of the order; 0 on 4.1, which does not send it.
    pub call_reference: u32,
}

/// 0x0106. Lengths 16 (4.1) and 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct CloseReceiveChannel {
    /// Of the order.
    pub conference_id: u32,
    /// Of the order.
    pub pass_through_party_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Whether the phone keeps the port.
    pub port_handling_flag: PortHandling,
}

/// 0x008A. The phone sends media there.
///
/// Lengths 44 (CallManager 3.x), 88 (4.1), 116, 120 (from v15), 136 (from v17, tagged), 172 (from v21).
/// CallManager 2.x has another layout: [`StartMediaTransmissionCm2`].
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(tagged_from = 136)]
pub struct StartMediaTransmission {
    /// Shared by the streams of a call.
    pub conference_id: u32,
    /// Identifies this stream.
    pub pass_through_party_id: u32,
    /// Where to.
    pub remote_ip_addr: MediaAddress,
    /// Which port.
    pub remote_port_number: u32,
    /// Milliseconds of media in a packet.
    pub milli_second_packet_size: u32,
    /// The format.
    pub compression_type: Codec,
    /// Type of service of the packets; 0xB8 from 4.1 to v20.
    pub precedence_value: u32,
    /// Whether silence is not sent.
    pub ss_value: SilenceSuppression,
    /// The most codec frames in a packet; CallManager 3.x has it as 32 bits, with the next field.
    pub max_frames_per_packet: u16,
    /// Unused.
    pub padding: u16,
    /// More about the format; the G.723.1 rate before v11.
    #[wire(union = "compression_type")]
    pub codec_params: CodecParams,
    /// The call.
    pub call_reference: u32,
    /// SRTP keys.
    pub encryption: EncryptionKeyInfo,
    /// Identifies a stream of a media service.
    pub stream_pass_through_id: u32,
    /// Identifies the stream that belongs with it.
    pub associated_stream_id: u32,
    /// RTP payload type of DTMF events; 0 for none.
    pub rfc2833_payload_type: u32,
    /// How DTMF is sent; 10 at v17 and v20.
    pub dtmf_type: u32,
    /// Whether the stream is mixed; 1 for a recorder's (v20).
    pub mixing_mode: u32,
    /// Which party a recorder hears: 1 or 2 (v20).
    #[wire(since = 15)]
    pub party_direction: u32,
    /// Modem relay.
    #[wire(since = 21)]
    pub latent_caps: LatentCaps,
}

/// 0x008A of CallManager 2.x, length 40: no conference, no party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StartMediaTransmissionCm2 {
    /// Where to.
    pub remote_ip_addr: Ipv4Addr,
    /// Which port.
    pub remote_port_number: u32,
    /// Milliseconds of media in a packet.
    pub milli_second_packet_size: u32,
    /// The format.
    pub compression_type: Codec,
    /// Unknown; in the order of later versions: precedence, silence suppression, frames per packet, G.723.1
    /// rate.
    pub words: [u32; 5],
}

/// 0x0154. From where the phone sends (v17 and later). Lengths 28, 44 (tagged), 52 (a 6901 at v20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 44)]
pub struct StartMediaTransmissionAck {
    /// Of the order; 0 from a 6901.
    pub conference_id: u32,
    /// Of the order; 0 from a 6901.
    pub pass_through_party_id: u32,
    /// The call: always filled.
    pub call_reference: u32,
    /// The phone's sending address.
    pub transmit_ip_addr: MediaAddress,
    /// The phone's sending port, as it says: real packets may have another.
    pub port_number: u32,
    /// How it went.
    pub media_transmission_status: MediaStatus,
}

/// 0x002A. The phone cannot send. Lengths 24 and 40 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 40)]
pub struct MediaTransmissionFailure {
    /// Of the order.
    pub conference_id: u32,
    /// Of the order.
    pub pass_through_party_id: u32,
    /// Of the order.
    pub remote_ip_addr: MediaAddress,
    /// Of the order.
    pub remote_port_number: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x008B. Lengths 8 (CallManager 2.x: only the conference), 16 (4.1) and 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StopMediaTransmission {
    /// Of the order.
    pub conference_id: u32,
    /// Of the order.
    pub pass_through_party_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Whether the phone keeps the port.
    pub port_handling_flag: PortHandling,
}

/// 0x008C, CallManager 2.x only, length 28: the phone receives at the port that IpPort told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StartMediaReception {
    /// Where the media comes from.
    pub remote_ip_addr: Ipv4Addr,
    /// Milliseconds of media in a packet.
    pub milli_second_packet_size: u32,
    /// The format.
    pub compression_type: Codec,
    /// Unknown.
    pub words: [u32; 3],
}

/// 0x008D, CallManager 2.x only, length 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StopMediaReception {
    /// Unknown.
    pub word: u32,
}
