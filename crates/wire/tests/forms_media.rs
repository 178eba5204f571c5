//! One row per form of media messages: bytes as captures have them (with values of our own), and the
//! struct that they mean.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/rows.rs"]
mod rows;

use common::frame;
use rows::{
    ConcatParts as _, HERE,
    Part::{T, W, X, Z},
    THERE, framed, manager, station,
};
use selsius_wire::{
    Bytes, Codec, Context, IpAddressType, MediaAddress, MediaStatus, Number, PortHandling, StationMessage,
    StatsProcessing,
    message::{self, CodecParameters, CodecParams, EncryptionKeyInfo},
};

#[test]
fn open_receive_channel_of_four_generations() {
    let open = message::OpenReceiveChannel {
        conference_id: 5,
        pass_through_party_id: 6,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        call_reference: 9,
        ..Default::default()
    };
    // 4.1, frame 148: ends after the salt.
    let start = || [W(&[5, 6, 20, 4, 0, 0, 9]), Z(40)];
    manager(6, 0, 72, &start(), 0, open.clone());
    // FreeSWITCH; the layout up to version 10.
    let dtmf = message::OpenReceiveChannel { rfc2833_payload_type: 101, dtmf_type: 10, ..open.clone() };
    let upto_dtmf = || [start().into(), vec![Z(16), W(&[101, 10])]].concat_parts();
    manager(3, 0, 96, &upto_dtmf(), 0, dtmf.clone());
    // chan-sccp v3.
    let source = message::OpenReceiveChannel {
        source_ip_addr: MediaAddress::from(THERE),
        source_port_number: 4000,
        ..dtmf
    };
    manager(
        3,
        0,
        112,
        &[upto_dtmf(), vec![Z(8), X("c6336409"), W(&[4000])]].concat_parts(),
        0,
        source.clone(),
    );
    // chan-sccp v17 and v20: tagged, whatever the header says.
    let tagged = [upto_dtmf(), vec![Z(12), X("c6336409"), Z(12), W(&[4000, 0])]].concat_parts();
    manager(0, 0, 132, &tagged, 0, source.clone());
    manager(20, 20, 132, &tagged, 0, source.clone());
    // The layout from version 21: gain, modem relay.
    let mut newest = source;
    newest.requested_ip_addr_type = IpAddressType::Both;
    newest.audio_level_adjustment = -3;
    newest.latent_caps.active = 1;
    newest.latent_caps.payload_param = Bytes([1, 2, 3, 4, 5, 6, 7, 8]);
    let tagged =
        vec![Z(12), X("c6336409"), Z(12), W(&[4000, 2, 0xFFFF_FFFD, 1]), Z(24), X("0102030405060708")];
    manager(22, 22, 172, &[upto_dtmf(), tagged].concat_parts(), 0, newest);
}

#[test]
fn open_receive_channel_ack_of_three_generations() {
    let ack = message::OpenReceiveChannelAck {
        media_reception_status: MediaStatus::Ok,
        ip_addr: MediaAddress::from(HERE),
        port_number: 16384,
        pass_through_party_id: 6,
        call_reference: 0,
    };
    station(6, 0, 20, &[W(&[0]), X("c0000207"), W(&[16384, 6])], 0, ack);
    let ack = message::OpenReceiveChannelAck { call_reference: 9, ..ack };
    station(3, 0, 24, &[W(&[0]), X("c0000207"), W(&[16384, 6, 9])], 0, ack);
    station(20, 20, 40, &[W(&[0, 0]), X("c0000207"), Z(12), W(&[16384, 6, 9])], 0, ack);
    // IPv6, and a failure.
    let six = message::OpenReceiveChannelAck {
        media_reception_status: MediaStatus::OutOfSockets,
        ip_addr: MediaAddress::from("2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap()),
        ..ack
    };
    let address = X("20010db8000000000000000000000007");
    station(17, 17, 40, &[W(&[8, 1]), address, W(&[16384, 6, 9])], 0, six);
}

#[test]
fn old_memory_after_a_tagged_address_survives() {
    let bytes = framed(40, 20, 0x22, &[W(&[0, 0]), X("c0000207"), T("old memory!!", 12), W(&[16384, 6, 9])]);
    let received = StationMessage::decode(frame(&bytes), Context::new(20)).unwrap();
    let mut out = Vec::new();
    received.encode(&mut out);
    assert_eq!(out, bytes);
}

#[test]
fn start_media_transmission_of_every_generation() {
    // CallManager 2.x: another layout.
    let cm2 = message::StartMediaTransmissionCm2 {
        remote_ip_addr: THERE,
        remote_port_number: 25000,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        words: [1, 2, 3, 4, 5],
    };
    manager(0, 0, 40, &[X("c6336409"), W(&[25000, 20, 4, 1, 2, 3, 4, 5])], 0, cm2);
    // CallManager 3.x (FreeSWITCH too): ends before the call reference.
    let short = message::StartMediaTransmission {
        conference_id: 5,
        pass_through_party_id: 6,
        remote_ip_addr: MediaAddress::from(THERE),
        remote_port_number: 25000,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        precedence_value: 0xB8,
        max_frames_per_packet: 2,
        ..Default::default()
    };
    let start = || vec![W(&[5, 6]), X("c6336409"), W(&[25000, 20, 4, 0xB8, 0, 2, 0])];
    manager(0, 0, 44, &start(), 0, short.clone());
    // 4.1, frame 154: ends after the salt.
    let keys = EncryptionKeyInfo { keylen: 16, key: Bytes([7; 16]), ..Default::default() };
    let salted = message::StartMediaTransmission { call_reference: 9, encryption: keys, ..short };
    let upto_salt = || {
        let key = "07".repeat(16).leak();
        [start(), vec![W(&[9, 0, 16]), X(key), Z(16)]].concat_parts()
    };
    manager(6, 0, 88, &upto_salt(), 0, salted.clone());
    // chan-sccp v3.
    let long =
        message::StartMediaTransmission { dtmf_type: 10, mixing_mode: 1, party_direction: 2, ..salted };
    let rest = || vec![Z(20), W(&[10, 1, 2])];
    manager(3, 0, 120, &[upto_salt(), rest()].concat_parts(), 0, long.clone());
    // v20, frame 35: tagged.
    let start = vec![W(&[5, 6, 0]), X("c6336409"), Z(12), W(&[25000, 20, 4, 0xB8, 0, 2, 0])];
    let upto_salt = [start, vec![W(&[9, 0, 16]), X("07".repeat(16).leak()), Z(16)]].concat_parts();
    manager(20, 20, 136, &[upto_salt, rest()].concat_parts(), 0, long);
}

#[test]
fn the_codec_chooses_the_parameters() {
    let g723 = message::OpenReceiveChannel {
        compression_type: Codec::G7231,
        codec_params: CodecParams::G723(selsius_wire::G723BitRate::R5_3),
        ..Default::default()
    };
    manager(6, 0, 72, &[W(&[0, 0, 0, 9, 0, 1, 0]), Z(40)], 0, g723);
    let opus = message::OpenReceiveChannel {
        compression_type: Codec::Opus,
        codec_params: CodecParams::Codec(CodecParameters { dynamic_payload: 0x60, ..Default::default() }),
        ..Default::default()
    };
    manager(22, 22, 72, &[W(&[0, 0, 0, 0x5A, 0]), X("00600000"), W(&[0]), Z(40)], 0, opus);
}

#[test]
fn media_acks_and_failures() {
    let ack = message::StartMediaTransmissionAck {
        conference_id: 5,
        pass_through_party_id: 6,
        call_reference: 9,
        transmit_ip_addr: MediaAddress::from(HERE),
        port_number: 16384,
        media_transmission_status: MediaStatus::Ok,
    };
    station(11, 0, 28, &[W(&[5, 6, 9]), X("c0000207"), W(&[16384, 0])], 0, ack);
    station(20, 20, 44, &[W(&[5, 6, 9, 0]), X("c0000207"), Z(12), W(&[16384, 0])], 0, ack);
    // A 6901: no ids, and 8 bytes more than anybody knows.
    let bare = message::StartMediaTransmissionAck { conference_id: 0, pass_through_party_id: 0, ..ack };
    station(20, 20, 52, &[W(&[0, 0, 9, 0]), X("c0000207"), Z(12), W(&[16384, 0, 1, 2])], 8, bare);

    let failure = message::MediaTransmissionFailure {
        conference_id: 5,
        pass_through_party_id: 6,
        remote_ip_addr: MediaAddress::from(THERE),
        remote_port_number: 25000,
        call_reference: 9,
    };
    station(3, 0, 24, &[W(&[5, 6]), X("c6336409"), W(&[25000, 9])], 0, failure);
    station(17, 17, 40, &[W(&[5, 6, 0]), X("c6336409"), Z(12), W(&[25000, 9])], 0, failure);
}

#[test]
fn stops_short_and_long() {
    let stop = message::StopMediaTransmission { conference_id: 5, ..Default::default() };
    manager(0, 0, 8, &[W(&[5])], 0, stop);
    let stop = message::StopMediaTransmission { pass_through_party_id: 6, call_reference: 9, ..stop };
    manager(6, 0, 16, &[W(&[5, 6, 9])], 0, stop);
    let stop = message::StopMediaTransmission { port_handling_flag: PortHandling::Keep, ..stop };
    manager(20, 20, 20, &[W(&[5, 6, 9, 1])], 0, stop);
    let close = message::CloseReceiveChannel {
        conference_id: 5,
        pass_through_party_id: 6,
        call_reference: 9,
        ..Default::default()
    };
    manager(6, 0, 16, &[W(&[5, 6, 9])], 0, close);
    let start = message::StartMediaReception {
        remote_ip_addr: THERE,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        words: [1, 2, 3],
    };
    manager(0, 0, 28, &[X("c6336409"), W(&[20, 4, 1, 2, 3])], 0, start);
    manager(0, 0, 8, &[W(&[7])], 0, message::StopMediaReception { word: 7 });
}

#[test]
fn statistics_are_unaligned_behind_a_wide_number() {
    let ask = message::ConnectionStatisticsReq {
        directory_num: Number::new("307"),
        call_reference: 9,
        stats_processing_mode: StatsProcessing::Keep,
    };
    manager(17, 17, 36, &[T("307", 24), W(&[9, 1])], 0, ask);
    // v20: 25 bytes, padded; the length says so even when the session is unknown.
    manager(20, 20, 40, &[T("307", 25), W(&[9, 1]), Z(3)], 3, ask);
    manager(0, 0, 40, &[T("307", 25), W(&[9, 1]), Z(3)], 3, ask);

    let answer = message::ConnectionStatisticsRes {
        directory_num: Number::new("307"),
        call_reference: 9,
        number_packets_sent: 100,
        number_octets_sent: 16000,
        number_packets_received: 99,
        number_octets_received: 15840,
        number_packets_lost: 1,
        jitter: 2,
        latency: 3,
        data_size: 11,
        data: b"MLQK=4.5000".into(),
        ..Default::default()
    };
    let counters = || W(&[9, 0, 100, 16000, 99, 15840, 1, 2, 3, 11]);
    // v20: not padded.
    station(20, 20, 80, &[T("307", 25), counters(), T("MLQK=4.5000", 11)], 0, answer.clone());
    station(17, 17, 80, &[T("307", 24), counters(), T("MLQK=4.5000", 12)], 1, answer);
}
