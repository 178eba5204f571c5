//! The media orders, from a channel.

use core::net::SocketAddr;

use selsius_wire::{
    ManagerMessage,
    message::{
        CloseReceiveChannel, CodecParams, EncryptionKeyInfo, OpenReceiveChannel, StartMediaTransmission,
        StartMulticastMediaReception, StartMulticastMediaTransmission, StopMediaTransmission,
        StopMulticastMediaReception, StopMulticastMediaTransmission,
    },
    value::{EchoCancellation, SilenceSuppression},
};

use super::{Channel, Multicast};

pub(super) fn open_receive(channel: &Channel, call: u32) -> OpenReceiveChannel {
    OpenReceiveChannel {
        conference_id: channel.conference,
        pass_through_party_id: channel.party,
        milli_second_packet_size: channel.audio.packet_ms,
        compression_type: channel.audio.codec,
        call_reference: call,
        encryption: encryption(channel),
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
        encryption: encryption(channel),
        ..StartMediaTransmission::default()
    }
}

/// The keys of a channel. Phones are only given those of suites that these fields know.
fn encryption(channel: &Channel) -> EncryptionKeyInfo {
    channel.keys.and_then(|keys| keys.for_phone()).unwrap_or_default()
}

pub(super) fn stop_transmit(channel: &Channel, call: u32) -> StopMediaTransmission {
    StopMediaTransmission {
        conference_id: channel.conference,
        pass_through_party_id: channel.party,
        call_reference: call,
        ..StopMediaTransmission::default()
    }
}

pub(super) fn start_multicast(multicast: &Multicast, call: u32) -> ManagerMessage {
    let Multicast { channel, group, speaks } = *multicast;
    if speaks {
        return StartMulticastMediaTransmission {
            conference_id: channel.conference,
            pass_through_party_id: channel.party,
            multicast_ip_addr: group.ip().into(),
            multicast_port_number: group.port().into(),
            milli_second_packet_size: channel.audio.packet_ms,
            compression_type: channel.audio.codec,
            precedence_value: channel.audio.tos.into(),
            ss_value: SilenceSuppression::Off,
            max_frames_per_packet: 0,
            padding: 0,
            codec_params: CodecParams::default(),
            call_reference: call,
        }
        .into();
    }
    StartMulticastMediaReception {
        conference_id: channel.conference,
        pass_through_party_id: channel.party,
        multicast_ip_addr: group.ip().into(),
        multicast_port_number: group.port().into(),
        milli_second_packet_size: channel.audio.packet_ms,
        compression_type: channel.audio.codec,
        ec_value: EchoCancellation::Off,
        codec_params: CodecParams::default(),
        call_reference: call,
    }
    .into()
}

pub(super) fn stop_multicast(multicast: &Multicast, call: u32) -> ManagerMessage {
    let Channel { conference, party, .. } = multicast.channel;
    let (conference_id, pass_through_party_id, call_reference) = (conference, party, call);
    if multicast.speaks {
        return StopMulticastMediaTransmission { conference_id, pass_through_party_id, call_reference }
            .into();
    }
    StopMulticastMediaReception { conference_id, pass_through_party_id, call_reference }.into()
}
