//! Reservations of bandwidth (RSVP) by an agent beside the phone. No capture has one of these; the fields are
//! those of the field's layout list, and who sends them is not known: taken both ways.

use core::net::Ipv4Addr;

use selsius_wire_derive::Wire;

use super::alike;
use crate::value::{Codec, MediaAddress, QoSErrorCode, ReservationStyle, RsvpDirection, RsvpErrorCode, Text};

/// Who reserves, for the policy of the network (RFC 2872).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct RsvpApplicationId {
    /// The vendor.
    pub vendor_id: Text<32>,
    /// Its version.
    pub version: Text<16>,
    /// The application.
    pub app_name: Text<32>,
    /// A part of it.
    pub sub_app_id: Text<32>,
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    #[wire(tagged_from = 44)]
    fields {
        /// Of the media order.
        pub conference_id: u32,
        /// The call.
        pub call_reference: u32,
        /// Of the media order.
        pub pass_through_party_id: u32,
        /// The far end.
        pub remote_ip_addr: MediaAddress,
        /// Its port.
        pub remote_port_number: u32,
        /// Which ways.
        pub direction: RsvpDirection,
    }
    /// 0x0046. The reservation is made. Lengths 28 and 44 (tagged).
    QoSResvNotify,
    /// 0x014F. The reservation is not needed any more. Lengths 28 and 44 (tagged).
    QoSTeardown,
}

/// 0x0047. The reservation failed. Lengths 48 and 64 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 64)]
pub struct QoSErrorNotify {
    /// Of the media order.
    pub conference_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Of the media order.
    pub pass_through_party_id: u32,
    /// The far end.
    pub remote_ip_addr: MediaAddress,
    /// Its port.
    pub remote_port_number: u32,
    /// Which ways.
    pub direction: RsvpDirection,
    /// Why.
    pub error_code: QoSErrorCode,
    /// Where on the way.
    pub failure_node_ip_addr: Ipv4Addr,
    /// What RSVP says.
    pub rsvp_error_code: RsvpErrorCode,
    /// More of that.
    pub rsvp_error_sub_code_val: u32,
    /// Flags of RSVP.
    pub rsvp_error_flag: u32,
}

/// 0x014D. Wait for the far end's reservation. Lengths 176 and 192 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 192)]
pub struct QoSListen {
    /// Of the media order.
    pub conference_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Of the media order.
    pub pass_through_party_id: u32,
    /// The far end.
    pub remote_ip_addr: MediaAddress,
    /// Its port.
    pub remote_port_number: u32,
    /// Which senders share it.
    pub resv_style: ReservationStyle,
    /// How often it is tried; negative for ever, as it seems.
    pub max_retry_number: i32,
    /// Seconds between tries.
    pub retry_timer: u32,
    /// Whether success is reported.
    pub confirm_required: u32,
    /// How much it may take from others.
    pub preemption_priority: u32,
    /// How well it is kept from others.
    pub defending_priority: u32,
    /// The format.
    pub compression_type: Codec,
    /// Bit rate.
    pub average_bit_rate: u32,
    /// Bytes.
    pub burst_size: u32,
    /// Bit rate.
    pub peak_rate: u32,
    /// Who reserves.
    pub application_id: RsvpApplicationId,
}

/// 0x014E. Announce the stream on its way. Lengths 172 and 188 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 188)]
pub struct QoSPath {
    /// Of the media order.
    pub conference_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Of the media order.
    pub pass_through_party_id: u32,
    /// The far end.
    pub remote_ip_addr: MediaAddress,
    /// Its port.
    pub remote_port_number: u32,
    /// Which senders share it.
    pub resv_style: ReservationStyle,
    /// How often it is tried; negative for ever, as it seems.
    pub max_retry_number: i32,
    /// Seconds between tries.
    pub retry_timer: u32,
    /// How much it may take from others.
    pub preemption_priority: u32,
    /// How well it is kept from others.
    pub defending_priority: u32,
    /// The format.
    pub compression_type: Codec,
    /// Bit rate.
    pub average_bit_rate: u32,
    /// Bytes.
    pub burst_size: u32,
    /// Bit rate.
    pub peak_rate: u32,
    /// Who reserves.
    pub application_id: RsvpApplicationId,
}

/// 0x0150. Mark the stream's packets otherwise. Lengths 28 and 44 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 44)]
pub struct UpdateDscp {
    /// Of the media order.
    pub conference_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Of the media order.
    pub pass_through_party_id: u32,
    /// The far end.
    pub remote_ip_addr: MediaAddress,
    /// Its port.
    pub remote_port_number: u32,
    /// The mark.
    pub dscp_value: u32,
}

/// 0x0151. Change a reservation. Lengths 156 and 172 (tagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 172)]
pub struct QoSModify {
    /// Of the media order.
    pub conference_id: u32,
    /// The call.
    pub call_reference: u32,
    /// Of the media order.
    pub pass_through_party_id: u32,
    /// The far end.
    pub remote_ip_addr: MediaAddress,
    /// Its port.
    pub remote_port_number: u32,
    /// Which ways.
    pub direction: RsvpDirection,
    /// The format.
    pub compression_type: Codec,
    /// Bit rate.
    pub average_bit_rate: u32,
    /// Bytes.
    pub burst_size: u32,
    /// Bit rate.
    pub peak_rate: u32,
    /// Who reserves.
    pub application_id: RsvpApplicationId,
}
