//! The media orders, from a channel.

use core::net::SocketAddr;

use selsius_wire::message::{
    CloseReceiveChannel, OpenReceiveChannel, StartMediaTransmission, StopMediaTransmission,
};

use super::Channel;

pub(super) fn open_receive(channel: &Channel, call: u32) -> OpenReceiveChannel {
    OpenReceiveChannel {
        conference_id: channel.conference,
        pass_through_party_id: channel.party,
        milli_second_packet_size: channel.audio.packet_ms,
        compression_type: channel.audio.codec,
        call_reference: call,
        ..OpenReceiveChannel::default()
    }
}

pub(super) fn close_receive(channel: &Channel, call: u32) -> CloseReceiveChannel {
    CloseReceiveChannel {
        conference_id: channel.conference,
        pass_through_party_id: channel.party,
        call_reference: call,
        ..CloseReceiveChannel::default()
    }
}

pub(super) fn start_transmit(channel: &Channel, call: u32, remote: SocketAddr) -> StartMediaTransmission {
    StartMediaTransmission {
        conference_id: channel.conference,
        pass_through_party_id: channel.party,
        remote_ip_addr: remote.ip().into(),
        remote_port_number: remote.port().into(),
        milli_second_packet_size: channel.audio.packet_ms,
        compression_type: channel.audio.codec,
        precedence_value: channel.audio.tos.into(),
        call_reference: call,
        ..StartMediaTransmission::default()
    }
}

pub(super) fn stop_transmit(channel: &Channel, call: u32) -> StopMediaTransmission {
    StopMediaTransmission {
        conference_id: channel.conference,
        pass_through_party_id: channel.party,
        call_reference: call,
        ..StopMediaTransmission::default()
    }
}
