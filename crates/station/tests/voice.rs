//! Streams: orders, acknowledgements, refusals, statistics.

mod common;

use std::net::Ipv4Addr;

use common::{Phone, manager::registered};
use selsius_station::{Counters, Input, MediaOrder, ModelClass};
use selsius_wire::{
    StationMessage,
    message::{
        CloseReceiveChannel, CodecParams, ConnectionStatisticsReq, EncryptionKeyInfo, OpenReceiveChannel,
        StartMediaReception, StartMediaTransmission, StartMulticastMediaReception,
        StartMulticastMediaTransmission, StopMediaReception, StopMediaTransmission,
        StopMulticastMediaReception, StopMulticastMediaTransmission,
    },
    srtp::{Keys, Suite},
    value::{
        ChannelStatus, Codec, EchoCancellation, EncryptionAlgorithm, MediaAddress, MediaStatus, Number,
        SilenceSuppression, StatsProcessing,
    },
};

fn open(party: u32, codec: Codec, packet_ms: u32) -> OpenReceiveChannel {
    OpenReceiveChannel {
        conference_id: 70,
        pass_through_party_id: party,
        milli_second_packet_size: packet_ms,
        compression_type: codec,
        call_reference: 7,
        ..Default::default()
    }
}

fn start(party: u32, port: u32) -> StartMediaTransmission {
    StartMediaTransmission {
        conference_id: 70,
        pass_through_party_id: party,
        remote_ip_addr: MediaAddress::from(Ipv4Addr::new(10, 0, 0, 9)),
        remote_port_number: port,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        precedence_value: 184,
        call_reference: 7,
        ..Default::default()
    }
}

fn close(party: u32) -> CloseReceiveChannel {
    CloseReceiveChannel { pass_through_party_id: party, ..Default::default() }
}

#[test]
fn voice_is_ordered_acknowledged_and_stopped() {
    for (model, acknowledged) in [(ModelClass::P7912, 1), (ModelClass::P7965, 2)] {
        let mut phone = registered(model);
        phone.say(open(5, Codec::G711Ulaw64k, 20));
        phone.say(start(5, 4000));
        let sent = phone.take_sent();
        assert_eq!(
            sent.len(),
            acknowledged,
            "{model:?}: StartMediaTransmissionAck is of version 17 and later"
        );
        let StationMessage::OpenReceiveChannelAck(ack) = &sent[0] else { panic!("{sent:?}") };
        assert_eq!(
            (ack.media_reception_status, ack.port_number, ack.call_reference),
            (MediaStatus::Ok, 16384, 7)
        );
        assert_eq!(phone.station.streams(), (1, 1));
        phone.say(close(5));
        phone.say(StopMediaTransmission { pass_through_party_id: 5, ..Default::default() });
        phone.say(close(5));
        phone.say(StopMediaTransmission { pass_through_party_id: 5, ..Default::default() });
        let orders = phone.take_orders();
        assert!(
            matches!(
                &orders[..],
                [
                    MediaOrder::OpenReceive { party: 5, conference: 70, call: 7, packet_ms: 20, source: None, .. },
                    MediaOrder::StartTransmit { party: 5, remote, precedence: 184, .. },
                    MediaOrder::CloseReceive { party: 5 },
                    MediaOrder::StopTransmit { party: 5 },
                ] if remote.port() == 4000
            ),
            "{orders:?}"
        );
        assert_eq!(phone.station.streams(), (0, 0));
    }
}

fn listen(party: u32, group: [u8; 4], port: u32) -> StartMulticastMediaReception {
    StartMulticastMediaReception {
        conference_id: 70,
        pass_through_party_id: party,
        multicast_ip_addr: MediaAddress::from(Ipv4Addr::from(group)),
        multicast_port_number: port,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        ec_value: EchoCancellation::Off,
        codec_params: CodecParams::default(),
        call_reference: 7,
    }
}

#[test]
fn a_group_is_listened_to_and_spoken_to() {
    let mut phone = registered(ModelClass::P7965);
    phone.say(listen(5, [239, 1, 2, 3], 20_480));
    let [StationMessage::MulticastMediaReceptionAck(ack)] = &phone.take_sent()[..] else { panic!() };
    assert_eq!((ack.multicast_reception_status, ack.pass_through_party_id), (ChannelStatus::Ok, 5));
    let speak = StartMulticastMediaTransmission {
        conference_id: 70,
        pass_through_party_id: 6,
        multicast_ip_addr: MediaAddress::from(Ipv4Addr::new(239, 1, 2, 3)),
        multicast_port_number: 20_480,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        precedence_value: 184,
        ss_value: SilenceSuppression::Off,
        max_frames_per_packet: 0,
        padding: 0,
        codec_params: CodecParams::default(),
        call_reference: 7,
    };
    phone.say(speak);
    assert_eq!((phone.take_names(), phone.station.streams()), (vec![""; 0], (1, 1)));
    let (conference_id, call_reference) = (70, 7);
    phone.say(StopMulticastMediaReception { conference_id, pass_through_party_id: 5, call_reference });
    phone.say(StopMulticastMediaTransmission { conference_id, pass_through_party_id: 6, call_reference });
    let orders = phone.take_orders();
    let group = ([239, 1, 2, 3], 20_480).into();
    assert!(
        matches!(
            &orders[..],
            [
                MediaOrder::ReceiveMulticast { party: 5, call: 7, group: listened, packet_ms: 20, .. },
                MediaOrder::StartTransmit { party: 6, remote, precedence: 184, .. },
                MediaOrder::CloseReceive { party: 5 },
                MediaOrder::StopTransmit { party: 6 },
            ] if (listened, remote) == (&group, &group)
        ),
        "{orders:?}"
    );
    assert_eq!(phone.station.streams(), (0, 0));
}

#[test]
fn what_is_no_group_is_not_joined() {
    let mut phone = registered(ModelClass::P7965);
    let refused = |phone: &mut Phone| match &phone.take_sent()[..] {
        [StationMessage::MulticastMediaReceptionAck(ack)] => {
            ack.multicast_reception_status == ChannelStatus::Error
        }
        _ => false,
    };
    for order in [
        listen(5, [10, 0, 0, 9], 20_480),
        listen(5, [239, 1, 2, 3], 0),
        StartMulticastMediaReception { milli_second_packet_size: 5, ..listen(5, [239, 1, 2, 3], 20_480) },
        StartMulticastMediaReception {
            compression_type: Codec::Unknown(99_999),
            ..listen(5, [239, 1, 2, 3], 20_480)
        },
    ] {
        phone.say(order);
        assert!(refused(&mut phone) && phone.take_orders().is_empty(), "{order:?}");
    }
    phone.rtp = None;
    phone.say(listen(5, [239, 1, 2, 3], 20_480));
    assert!(refused(&mut phone));
    assert_eq!(phone.station.streams(), (0, 0));
}

#[test]
fn the_keys_of_a_stream_are_told_and_what_cannot_be_encrypted_is_refused() {
    let mut phone = registered(ModelClass::P7965);
    let keys = [1, 2].map(|byte| Keys::random(Suite::AesCm128HmacSha1_32, |bytes| bytes.fill(byte)));
    let [hears, sends] = keys.map(|keys| keys.for_phone().unwrap());
    phone.say(OpenReceiveChannel { encryption: hears, ..open(5, Codec::G711Ulaw64k, 20) });
    phone.say(StartMediaTransmission { encryption: sends, ..start(5, 4000) });
    let orders = phone.take_orders();
    assert!(
        matches!(
            orders[..],
            [MediaOrder::OpenReceive { keys: Some(one), .. }, MediaOrder::StartTransmit { keys: Some(other), .. }]
                if [one, other] == keys
        ),
        "{orders:?}"
    );
    phone.take_sent();
    let unknown = EncryptionKeyInfo { algorithm_id: EncryptionAlgorithm::F8_128HmacSha1_80, ..hears };
    phone.say(OpenReceiveChannel { encryption: unknown, ..open(6, Codec::G711Ulaw64k, 20) });
    let [StationMessage::OpenReceiveChannelAck(ack)] = &phone.take_sent()[..] else { panic!() };
    assert_eq!(ack.media_reception_status, MediaStatus::EncoderOrDecoderFailed);
    phone.say(StartMediaTransmission { encryption: unknown, ..start(6, 4000) });
    assert_eq!((phone.take_names(), phone.take_orders().len()), (vec!["MediaTransmissionFailure"], 0));
}

#[test]
fn voice_that_cannot_be_is_refused() {
    let status = |phone: &mut Phone| match &phone.take_sent()[..] {
        [StationMessage::OpenReceiveChannelAck(ack)] => Some(ack.media_reception_status),
        _ => None,
    };
    let mut phone = registered(ModelClass::P7912);
    for (order, expected) in [
        (open(5, Codec::G722_64k, 20), MediaStatus::InvalidCodec),
        (open(5, Codec::Unknown(99_999), 20), MediaStatus::InvalidCodec),
        (open(5, Codec::G711Ulaw64k, 5), MediaStatus::InvalidPacketSize),
        (open(5, Codec::G711Ulaw64k, u32::MAX), MediaStatus::InvalidPacketSize),
    ] {
        phone.say(order);
        assert_eq!((status(&mut phone), phone.take_orders().len()), (Some(expected), 0));
    }
    for order in [
        start(5, 0),
        start(5, 65_536),
        StartMediaTransmission { remote_ip_addr: MediaAddress::UNSPECIFIED, ..start(5, 4000) },
    ] {
        phone.say(order);
        assert_eq!((phone.take_names(), phone.take_orders().len()), (vec!["MediaTransmissionFailure"], 0));
    }
    phone.rtp = None;
    phone.say(open(5, Codec::G711Ulaw64k, 0));
    assert_eq!(status(&mut phone), Some(MediaStatus::OutOfSockets));
    phone.say(start(5, 4000));
    assert_eq!((phone.take_names(), phone.station.streams()), (vec!["MediaTransmissionFailure"], (0, 0)));
    phone.rtp = Some(([10, 0, 0, 7], 16384).into());
    let answers: Vec<_> = (0..20)
        .map(|party| {
            phone.say(open(party, Codec::G711Ulaw64k, 20));
            status(&mut phone)
        })
        .collect();
    assert!(answers[..16].iter().all(|answer| *answer == Some(MediaStatus::Ok)));
    assert!(answers[16..].iter().all(|answer| *answer == Some(MediaStatus::NotEnoughChannels)));
}

#[test]
fn a_late_answer_about_a_closed_stream_is_not_told() {
    let mut phone = registered(ModelClass::P7965);
    phone.station.handle(phone.now, Input::Message(open(5, Codec::G711Ulaw64k, 20).into()));
    phone.station.handle(phone.now, Input::Message(close(5).into()));
    phone.input(Input::ReceiveOpened { party: 5, address: ([10, 0, 0, 7], 16384).into() });
    phone.input(Input::TransmitStarted { party: 5, address: ([10, 0, 0, 7], 16384).into() });
    assert_eq!(phone.take_names(), [""; 0]);
}

#[test]
fn streams_end_with_the_connection() {
    let mut phone = registered(ModelClass::P7965);
    phone.say(open(5, Codec::G711Ulaw64k, 20));
    phone.say(start(6, 4000));
    phone.take_orders();
    phone.input(Input::Disconnected);
    assert_eq!(
        phone.take_orders(),
        [MediaOrder::StopTransmit { party: 6 }, MediaOrder::CloseReceive { party: 5 }]
    );
}

#[test]
fn statistics_are_answered_after_the_stream_is_closed() {
    let mut phone = registered(ModelClass::P7960);
    let counters = Counters { packets_sent: 100, octets_sent: 16_000, jitter: 3, ..Counters::default() };
    phone.say(open(5, Codec::G711Ulaw64k, 20));
    phone.say(start(5, 4000));
    phone.say(close(5));
    phone.input(Input::Counters { party: 5, counters });
    phone.take_sent();
    let ask = ConnectionStatisticsReq {
        directory_num: Number::new("1003"),
        call_reference: 7,
        stats_processing_mode: StatsProcessing::Clear,
    };
    for packets in [100, 0] {
        phone.say(ask);
        let sent = phone.take_sent();
        let [StationMessage::ConnectionStatisticsRes(answer)] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!((answer.number_packets_sent, answer.call_reference), (packets, 7));
        assert_eq!(answer.directory_num, ask.directory_num);
    }
}

#[test]
fn callmanager_2_receives_on_the_fixed_port() {
    let mut phone = registered(ModelClass::P7960);
    phone.say(StartMediaReception {
        remote_ip_addr: Ipv4Addr::new(10, 0, 0, 9),
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        ..Default::default()
    });
    phone.say(StopMediaReception::default());
    let orders = phone.take_orders();
    assert!(
        matches!(
            &orders[..],
            [MediaOrder::ReceiveFixed { packet_ms: 20, .. }, MediaOrder::CloseReceive { party: 0 }]
        ),
        "{orders:?}"
    );
    assert!(phone.take_sent().is_empty());
}

#[test]
fn a_6901_names_only_the_call() {
    let mut phone = registered(ModelClass::P6901);
    phone.say(start(5, 4000));
    let sent = phone.take_sent();
    let [StationMessage::StartMediaTransmissionAck(ack)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((ack.conference_id, ack.pass_through_party_id, ack.call_reference), (0, 0, 7));
}
