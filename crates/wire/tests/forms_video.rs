//! One row per form of multicast, video and data channels, ports and reservations. No capture has them: the
//! lengths are those of the field's layout list.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/rows.rs"]
mod rows;

use rows::{
    HERE,
    Part::{T, W, X, Z},
    manager, station,
};
use selsius_wire::{
    ChannelStatus, Codec, DeviceType, EncryptionAlgorithm, G723BitRate, IpAddressType, MediaStatus,
    MediaTransport, MediaType, PortHandling, QoSErrorCode, ReservationStyle, RsvpDirection, RsvpErrorCode,
    Spare, Text, VideoCommand,
    message::{
        self, AudioChannel, ChannelParams, CodecParameters, CodecParams, DataChannel, EncryptionKeyInfo,
        H261Params, H263Params, H264Params, PictureFormat, PictureReference, PictureReferences, VideoChannel,
        VideoCommandParams, VideoFastUpdateGob, VieoParams,
    },
};

/// Versions of both widths of an address, how much longer the wider one makes a message, and 192.0.2.7 so.
const WIDTHS: [(u8, u32, &str); 2] =
    [(16, 0, "c0000207"), (17, 16, "00000000 c0000207 00000000 00000000 00000000")];

#[test]
fn multicast_in_both_widths_of_an_address() {
    for (version, more, address) in WIDTHS {
        let header = version.into();
        let receive = message::StartMulticastMediaReception {
            conference_id: 1,
            pass_through_party_id: 2,
            multicast_ip_addr: HERE.into(),
            multicast_port_number: 20480,
            milli_second_packet_size: 20,
            compression_type: Codec::G7231,
            codec_params: CodecParams::G723(G723BitRate::R6_3),
            call_reference: 9,
            ..Default::default()
        };
        let parts = [W(&[1, 2]), X(address), W(&[20480, 20, 9, 0, 2, 9])];
        manager(version, header, 40 + more, &parts, 0, receive);
        let transmit = message::StartMulticastMediaTransmission {
            conference_id: 1,
            pass_through_party_id: 2,
            multicast_ip_addr: HERE.into(),
            multicast_port_number: 20480,
            milli_second_packet_size: 20,
            compression_type: Codec::G711Ulaw64k,
            precedence_value: 0xB8,
            max_frames_per_packet: 1,
            codec_params: CodecParams::Codec(CodecParameters { dynamic_payload: 3, ..Default::default() }),
            call_reference: 9,
            ..Default::default()
        };
        let parts = [W(&[1, 2]), X(address), W(&[20480, 20, 4, 0xB8, 0, 1, 0x300, 9])];
        manager(version, header, 48 + more, &parts, 0, transmit);
    }
    let (conference_id, pass_through_party_id, call_reference) = (1, 2, 9);
    let stop = message::StopMulticastMediaReception { conference_id, pass_through_party_id, call_reference };
    manager(11, 11, 16, &[W(&[1, 2, 9])], 0, stop);
    let stop =
        message::StopMulticastMediaTransmission { conference_id, pass_through_party_id, call_reference };
    manager(11, 11, 16, &[W(&[1, 2, 9])], 0, stop);
    let ack = message::MulticastMediaReceptionAck {
        multicast_reception_status: ChannelStatus::Error,
        pass_through_party_id,
        call_reference,
    };
    station(11, 11, 16, &[W(&[1, 2, 9])], 0, ack);
}

/// Each member of the union with its 76 bytes.
fn channels() -> Vec<(u32, Vec<u32>, ChannelParams)> {
    let video = VideoChannel {
        bit_rate: 384,
        picture_format_count: 1,
        picture_format: [
            PictureFormat { format: 3, mpi: 1 },
            Default::default(),
            Default::default(),
            Default::default(),
            Default::default(),
        ],
        conf_service_num: 7,
    };
    let with = |capability: &[u32]| {
        let mut words = vec![384, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        words.extend(capability);
        words.resize(19, 0);
        words
    };
    let filled = |words: &[u32]| {
        let mut words = words.to_vec();
        words.resize(19, 0);
        words
    };
    let audio = AudioChannel { milli_second_packet_size: 20, ..Default::default() };
    let h264 = H264Params { profile: 66, level: 30, custom_max_b_rand_cpb: 5, ..Default::default() };
    let data = DataChannel { protocol_dependent_data: 4, max_bit_rate: 64 };
    let h261 = H261Params { temporal_spatial_trade_off_capability: 1, still_image_transmission: 2 };
    let h263 = H263Params { h263_capability_bitfield: 1, annex_nand_w_future_use: 2 };
    let vieo = VieoParams { model_number: 1, bandwidth: 2 };
    let spare = Spare::default();
    vec![
        (4, filled(&[20]), ChannelParams::Audio(audio, Spare::default())),
        (0x64, with(&[1, 2]), ChannelParams::H261(video, h261, spare)),
        (0x65, with(&[1, 2]), ChannelParams::H263(video, h263, spare)),
        (0x66, with(&[1, 2]), ChannelParams::Vieo(video, vieo, spare)),
        (0x67, with(&[66, 30, 0, 0, 0, 5]), ChannelParams::H264(video, h264)),
        (0x68, with(&[]), ChannelParams::Video(video, Spare::default())),
        (0x78, filled(&[4, 64]), ChannelParams::Data(data, Spare::default())),
        (0x63, filled(&[]), ChannelParams::Other(Spare::default())),
    ]
}

#[test]
fn video_channels_of_every_kind_in_four_generations() {
    for (payload_type, words, capability) in channels() {
        let words: &'static [u32] = Vec::leak(words);
        let key = EncryptionKeyInfo {
            algorithm_id: EncryptionAlgorithm::AesCm128HmacSha1_32,
            keylen: 16,
            saltlen: 14,
            ..Default::default()
        };
        let open = message::OpenMultiMediaReceiveChannel {
            conference_id: 1,
            pass_through_party_id: 2,
            compression_type: Codec::H264,
            line_instance: 1,
            call_reference: 9,
            payload_rfc_number: 3,
            payload_type,
            is_conference_creator: 1,
            capability,
            encryption: key,
            stream_pass_through_id: 5,
            associated_stream_id: 6,
            ..Default::default()
        };
        let payload: &'static [u32] = Vec::leak(vec![1, 2, 0x67, 1, 9, 3, payload_type, 1]);
        let upto_stream = || vec![W(payload), W(words), W(&[1]), X("1000 0e00"), Z(40), W(&[5, 6])];
        manager(10, 10, 168, &upto_stream(), 0, open);
        let source = message::OpenMultiMediaReceiveChannel {
            source_ip_addr: HERE.into(),
            source_port_number: 4000,
            ..open
        };
        let mut parts = upto_stream();
        parts.extend([X("c0000207"), W(&[4000])]);
        manager(11, 11, 176, &parts, 0, source);
        let requested =
            message::OpenMultiMediaReceiveChannel { requested_ip_addr_type: IpAddressType::Both, ..source };
        parts.push(W(&[2]));
        manager(16, 16, 180, &parts, 0, requested);
        let mut parts = upto_stream();
        parts.extend([X(WIDTHS[1].2), W(&[4000, 2])]);
        manager(17, 17, 196, &parts, 0, requested);

        let start = message::StartMultiMediaTransmission {
            conference_id: 1,
            passthru_party_id: 2,
            compression_type: Codec::H264,
            remote_ip_addr: HERE.into(),
            remote_port_number: 20480,
            call_reference: 9,
            payload_rfc_number: 3,
            payload_type,
            dscp_value: 0x88,
            capability,
            encryption: key,
            stream_pass_through_id: 5,
            associated_stream_id: 6,
        };
        let payload: &'static [u32] = Vec::leak(vec![20480, 9, 3, payload_type, 0x88]);
        for (version, more, address) in WIDTHS {
            let parts = [
                W(&[1, 2, 0x67]),
                X(address),
                W(payload),
                W(words),
                W(&[1]),
                X("1000 0e00"),
                Z(40),
                W(&[5, 6]),
            ];
            manager(version, version.into(), 172 + more, &parts, 0, start);
        }
    }
}

#[test]
fn video_acks_and_ends() {
    for (version, more, address) in WIDTHS {
        let ack = message::OpenMultiMediaReceiveChannelAck {
            multimedia_reception_status: ChannelStatus::Ok,
            ip_addr: HERE.into(),
            port_number: 20480,
            pass_through_party_id: 2,
            call_reference: 9,
        };
        let parts = [W(&[0]), X(address), W(&[20480, 2, 9])];
        station(version, version.into(), 24 + more, &parts, 0, ack);
        let ack = message::StartMultiMediaTransmissionAck {
            conference_id: 1,
            pass_through_party_id: 2,
            call_reference: 9,
            transmit_ip_addr: HERE.into(),
            port_number: 20480,
            multimedia_transmission_status: MediaStatus::OutOfSockets,
        };
        let parts = [W(&[1, 2, 9]), X(address), W(&[20480, 8])];
        station(version, version.into(), 28 + more, &parts, 0, ack);
    }
    let (conference_id, pass_through_party_id, call_reference) = (1, 2, 9);
    let port_handling_flag = PortHandling::Keep;
    let parts = [W(&[1, 2, 9, 1])];
    let stop = message::StopMultiMediaTransmission {
        conference_id,
        pass_through_party_id,
        call_reference,
        port_handling_flag,
    };
    manager(20, 20, 20, &parts, 0, stop);
    let close = message::CloseMultiMediaReceiveChannel {
        conference_id,
        pass_through_party_id,
        call_reference,
        port_handling_flag,
    };
    manager(20, 20, 20, &parts, 0, close);
}

#[test]
fn what_the_receiver_of_video_asks() {
    let mut recovery = PictureReferences { recovery_reference_picture_count: 1, ..Default::default() };
    recovery.recovery_reference_picture[0] =
        PictureReference { picture_number: 4, long_term_picture_index: 5 };
    let gob = VideoFastUpdateGob { first_gob: 3, number_of_gobs: 4 };
    let picture = PictureReference { picture_number: 3, long_term_picture_index: 4 };
    let lost = message::LostPartialPicture { picture_reference: picture, first_mb: 5, number_of_mbs: 6 };
    let mb = message::VideoFastUpdateMb { first_gob: 3, first_mb: 4, number_of_mbs: 5 };
    use VideoCommandParams as P;
    for (command, words, u) in [
        (
            VideoCommand::FreezePicture,
            &[0, 3, 4][..],
            P::Other(3, Spare([&[4][..], &[0; 31]].concat().try_into().unwrap())),
        ),
        (VideoCommand::FastUpdatePicture, &[1, 3, 4], P::UpdateGob(gob, Spare::default())),
        (VideoCommand::FastUpdateGob, &[2, 3, 4], P::UpdateGob(gob, Spare::default())),
        (VideoCommand::FastUpdateMb, &[3, 3, 4, 5], P::UpdateMb(mb, Spare::default())),
        (VideoCommand::LostPicture, &[4, 3, 4], P::LostPicture(picture, Spare::default())),
        (VideoCommand::LostPartialPicture, &[5, 3, 4, 5, 6], P::LostPartialPicture(lost, Spare::default())),
        (VideoCommand::RecoveryReferencePicture, &[6, 1, 4, 5], P::Recovery(recovery)),
        (VideoCommand::TemporalSpatialTradeOff, &[7, 31], P::TradeOff(31, Spare::default())),
    ] {
        let words: &'static [u32] = Vec::leak(words.to_vec());
        let asked = message::MiscellaneousCommand {
            conference_id: 1,
            passthru_party_id: 2,
            call_reference: 9,
            command,
            u,
        };
        manager(11, 11, 56, &[W(&[1, 2, 9]), W(words), Z(40 - 4 * words.len())], 0, asked);
    }
    let (conference_id, passthru_party_id, call_reference, maximum_bit_rate) = (1, 2, 9, 3840);
    let parts = [W(&[1, 2, 9, 3840])];
    let asked =
        message::FlowControlCommand { conference_id, passthru_party_id, call_reference, maximum_bit_rate };
    manager(11, 11, 20, &parts, 0, asked);
    let told =
        message::FlowControlNotify { conference_id, passthru_party_id, call_reference, maximum_bit_rate };
    manager(11, 11, 20, &parts, 0, told);
    let layout = message::VideoDisplayCommand { conference_id, call_reference, layout_id: 2 };
    manager(11, 11, 16, &[W(&[1, 9, 2])], 0, layout);
}

#[test]
fn ports_and_resources() {
    let asked = message::PortReq {
        conference_id: 1,
        call_reference: 9,
        pass_through_party_id: 2,
        media_transport_type: MediaTransport::Rtp,
        ip_address_type: IpAddressType::V6,
        media_type: MediaType::MainVideo,
    };
    manager(20, 20, 28, &[W(&[1, 9, 2, 1, 1, 2])], 0, asked);
    let answer = message::PortRes {
        conference_id: 1,
        call_reference: 9,
        pass_through_party_id: 2,
        ip_addr: HERE.into(),
        port_number: 20480,
        rtcp_port_number: 20481,
        ..Default::default()
    };
    for (version, more, address) in WIDTHS {
        let parts = [W(&[1, 9, 2]), X(address), W(&[20480, 20481])];
        station(version, version.into(), 28 + more, &parts, 0, answer);
    }
    let newer = message::PortRes { media_type: MediaType::Audio, ..answer };
    station(19, 19, 48, &[W(&[1, 9, 2]), X(WIDTHS[1].2), W(&[20480, 20481, 1])], 0, newer);
    let close = message::PortClose {
        conference_id: 1,
        call_reference: 9,
        pass_through_party_id: 2,
        media_type: MediaType::T38,
    };
    manager(20, 20, 20, &[W(&[1, 9, 2, 7])], 0, close);
    // A v18 capture: an IOS bridge.
    let resources = message::MediaResourceNotification {
        device_type: DeviceType::ConferenceBridge,
        number_of_in_service_streams: 24,
        max_streams_per_conf: 8,
        number_of_out_of_service_streams: 0,
    };
    station(18, 18, 20, &[W(&[50, 24, 8, 0])], 0, resources);
    let watch = message::StartMediaFailureDetection {
        conference_id: 1,
        pass_through_party_id: 2,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        call_reference: 9,
        ..Default::default()
    };
    manager(11, 11, 32, &[W(&[1, 2, 20, 4, 0, 0, 9])], 0, watch);
}

#[test]
fn reservations_in_both_widths_of_an_address() {
    let application = message::RsvpApplicationId {
        vendor_id: Text::new("vendor"),
        version: Text::new("1"),
        app_name: Text::new("audio"),
        sub_app_id: Text::new("call"),
    };
    let name = || [T("vendor", 32), T("1", 16), T("audio", 32), T("call", 32)];
    for (version, more, address) in WIDTHS {
        let start = || vec![W(&[1, 9, 2]), X(address), W(&[20480])];
        let parts =
            |words: &'static [u32]| [start(), vec![W(words)]].into_iter().flatten().collect::<Vec<_>>();
        let (conference_id, call_reference, pass_through_party_id) = (1, 9, 2);
        let (remote_ip_addr, remote_port_number) = (HERE.into(), 20480);
        let header = version.into();
        let reserved = message::QoSResvNotify {
            conference_id,
            call_reference,
            pass_through_party_id,
            remote_ip_addr,
            remote_port_number,
            direction: RsvpDirection::Both,
        };
        // Nobody knows who sends these: both ways.
        manager(version, header, 28 + more, &parts(&[3]), 0, reserved);
        station(version, header, 28 + more, &parts(&[3]), 0, reserved);
        let over = message::QoSTeardown {
            conference_id,
            call_reference,
            pass_through_party_id,
            remote_ip_addr,
            remote_port_number,
            direction: RsvpDirection::Send,
        };
        manager(version, header, 28 + more, &parts(&[1]), 0, over);
        let mark = message::UpdateDscp {
            conference_id,
            call_reference,
            pass_through_party_id,
            remote_ip_addr,
            remote_port_number,
            dscp_value: 46,
        };
        manager(version, header, 28 + more, &parts(&[46]), 0, mark);
        let failed = message::QoSErrorNotify {
            conference_id,
            call_reference,
            pass_through_party_id,
            remote_ip_addr,
            remote_port_number,
            direction: RsvpDirection::Receive,
            error_code: QoSErrorCode::ResvTear,
            failure_node_ip_addr: HERE,
            rsvp_error_code: RsvpErrorCode::RoutingProblem,
            rsvp_error_sub_code_val: 5,
            rsvp_error_flag: 6,
        };
        let mut with_node = parts(&[2, 12]);
        with_node.extend([X("c0000207"), W(&[24, 5, 6])]);
        station(version, header, 48 + more, &with_node, 0, failed);
        let listen = message::QoSListen {
            conference_id,
            call_reference,
            pass_through_party_id,
            remote_ip_addr,
            remote_port_number,
            resv_style: ReservationStyle::FixedFilter,
            max_retry_number: -1,
            retry_timer: 5,
            confirm_required: 1,
            preemption_priority: 2,
            defending_priority: 3,
            compression_type: Codec::G729,
            average_bit_rate: 24,
            burst_size: 60,
            peak_rate: 25,
            application_id: application,
        };
        let mut row = parts(&[1, u32::MAX, 5, 1, 2, 3, 11, 24, 60, 25]);
        row.extend(name());
        manager(version, header, 176 + more, &row, 0, listen);
        let path = message::QoSPath {
            conference_id,
            call_reference,
            pass_through_party_id,
            remote_ip_addr,
            remote_port_number,
            resv_style: ReservationStyle::SharedExplicit,
            max_retry_number: 3,
            retry_timer: 5,
            preemption_priority: 2,
            defending_priority: 3,
            compression_type: Codec::G729,
            average_bit_rate: 24,
            burst_size: 60,
            peak_rate: 25,
            application_id: application,
        };
        let mut row = parts(&[2, 3, 5, 2, 3, 11, 24, 60, 25]);
        row.extend(name());
        manager(version, header, 172 + more, &row, 0, path);
        let modify = message::QoSModify {
            conference_id,
            call_reference,
            pass_through_party_id,
            remote_ip_addr,
            remote_port_number,
            direction: RsvpDirection::Both,
            compression_type: Codec::G729,
            average_bit_rate: 24,
            burst_size: 60,
            peak_rate: 25,
            application_id: application,
        };
        let mut row = parts(&[3, 11, 24, 60, 25]);
        row.extend(name());
        manager(version, header, 156 + more, &row, 0, modify);
    }
}
