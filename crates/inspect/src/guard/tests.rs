pub(super) use selsius_wire::{
    Context, Cut, DEFAULT_LIMIT, Dialect, ManagerMessage, StationMessage, Time, cut,
    message::{self, Register},
    value::{CallState, DeviceType, MediaAddress, Text},
};

use super::*;

pub(super) const PHONE: &str = "192.0.2.10:49152";
const MANAGER: &str = "198.51.100.1:2000";

/// A guard with one phone that has connected.
pub(super) struct Bench {
    pub(super) guard: Guard,
    pub(super) id: ConnectionId,
    pub(super) now: Time,
    pub(super) version: u8,
}

impl Bench {
    pub(super) fn new(policy: Policy, translation: Translation) -> Self {
        let mut guard = Guard::new(Config { policy, translation });
        let id = guard.open(Time::from_millis(1), ends(PHONE)).unwrap();
        Self { guard, id, now: Time::from_millis(1), version: 0 }
    }

    pub(super) fn strict() -> Self {
        Self::new(Policy::new(Preset::Strict), Translation::default())
    }

    /// Says something; gives what goes on, or `None` if the connection is reset.
    pub(super) fn say(&mut self, from: Side, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut onward = Vec::new();
        self.now += core::time::Duration::from_millis(20);
        match self.guard.receive(self.now, self.id, from, bytes, &mut onward) {
            Flow::Go => Some(onward),
            Flow::Reset => None,
        }
    }

    pub(super) fn phone(&mut self, message: impl Into<StationMessage>) -> Option<Vec<u8>> {
        let bytes = self.encode_station(&message.into());
        self.say(Side::Station, &bytes)
    }

    pub(super) fn manager(&mut self, message: impl Into<ManagerMessage>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.dialect().encode_manager(&message.into(), &mut bytes);
        self.say(Side::Manager, &bytes)
    }

    pub(super) fn encode_station(&self, message: &StationMessage) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.dialect().encode_station(message, &mut bytes);
        bytes
    }

    pub(super) fn dialect(&self) -> Dialect {
        Dialect::negotiate(self.version, [0x20, 0xF1, 0xFF], DeviceType::Cisco7965)
    }

    pub(super) fn register(&mut self, version: u8) {
        assert!(self.phone(register("SEP001122334455", version)).is_some_and(|bytes| !bytes.is_empty()));
        let ack = message::RegisterAck {
            keep_alive_interval: 30,
            date_template: Text::full("D/M/Y"),
            alignment_padding: 0,
            secondary_keep_alive_interval: 60,
            max_protocol_ver: version,
            features: [0x20, 0xF1, 0xFF].into(),
        };
        assert!(self.manager(ManagerMessage::RegisterAck(ack)).is_some_and(|bytes| !bytes.is_empty()));
        self.version = version;
    }

    pub(super) fn findings(&mut self) -> Vec<(FindingKind, Action)> {
        std::iter::from_fn(|| self.guard.poll_output())
            .filter_map(|output| match output {
                Output::Finding(finding) => Some((finding.kind, finding.action)),
                _ => None,
            })
            .collect()
    }

    pub(super) fn passages(&mut self) -> Vec<Passage> {
        std::iter::from_fn(|| self.guard.poll_output())
            .filter_map(|output| match output {
                Output::Passage { passage, .. } => Some(passage),
                _ => None,
            })
            .collect()
    }
}

pub(super) fn ends(station: &str) -> Ends {
    Ends { station: station.parse().unwrap(), manager: MANAGER.parse().unwrap(), whole: true }
}

pub(super) fn register(name: &str, version: u8) -> Register {
    Register {
        device_name: Text::new(name),
        station_ip_addr: "192.0.2.10".parse().unwrap(),
        device_type: DeviceType::Cisco7965,
        protocol_ver: version,
        ..Register::default()
    }
}

pub(super) fn call_state(reference: u32, state: CallState) -> message::CallState {
    message::CallState {
        call_state: state,
        line_instance: 1,
        call_reference: reference,
        ..Default::default()
    }
}

pub(super) fn open_channel(party: u32) -> message::OpenReceiveChannel {
    message::OpenReceiveChannel {
        conference_id: 7,
        pass_through_party_id: party,
        milli_second_packet_size: 20,
        call_reference: 77,
        ..Default::default()
    }
}

pub(super) fn channel_ack(party: u32, address: &str, port: u32) -> message::OpenReceiveChannelAck {
    message::OpenReceiveChannelAck {
        ip_addr: MediaAddress::new(address.parse().unwrap()),
        port_number: port,
        pass_through_party_id: party,
        call_reference: 77,
        ..Default::default()
    }
}

pub(super) fn start_media(party: u32, address: &str, port: u32) -> message::StartMediaTransmission {
    message::StartMediaTransmission {
        conference_id: 7,
        pass_through_party_id: party,
        remote_ip_addr: MediaAddress::new(address.parse().unwrap()),
        remote_port_number: port,
        milli_second_packet_size: 20,
        call_reference: 77,
        ..Default::default()
    }
}

#[test]
fn a_call_goes_through_untouched_in_every_version_and_its_ways_open_and_close() {
    for version in [0, 3, 11, 17, 20, 22] {
        let mut bench = Bench::strict();
        bench.register(version);
        let passes =
            |onward: Option<Vec<u8>>| assert!(onward.is_some_and(|bytes| !bytes.is_empty()), "{version}");
        passes(bench.manager(call_state(77, CallState::OffHook)));
        passes(bench.manager(call_state(77, CallState::Connected)));
        passes(bench.manager(open_channel(5)));
        passes(bench.phone(channel_ack(5, "192.0.2.10", 24576)));
        passes(bench.manager(start_media(5, "203.0.113.9", 30000)));
        let passages = bench.passages();
        let last = passages.last().unwrap();
        let (inward, outward) = (last.inward.unwrap(), last.outward.unwrap());
        assert_eq!((inward.to, inward.at), ("192.0.2.10:24576".parse().unwrap(), inward.to));
        assert_eq!(inward.from, Some("203.0.113.9".parse().unwrap()));
        assert_eq!((outward.to, outward.at), ("203.0.113.9:30000".parse().unwrap(), outward.to));
        passes(bench.manager(call_state(77, CallState::OnHook)));
        let last = bench.passages().pop().unwrap();
        assert_eq!((last.inward, last.outward), (None, None));
    }
}

#[test]
fn ports_are_translated_in_both_directions_and_given_back() {
    for version in [0, 11, 17, 20, 22] {
        let (outside, inside): (IpAddr, IpAddr) =
            ("198.51.100.2".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let translation = Translation {
            stations: Nat::Ports { address: outside, ports: 20_000..=20_003 },
            managers: Nat::Ports { address: inside, ports: 30_000..=30_003 },
            servers: BTreeMap::new(),
        };
        let mut bench = Bench::new(Policy::new(Preset::Strict), translation);
        bench.register(version);
        for round in 0..3 {
            bench.manager(call_state(77, CallState::Connected)).unwrap();
            bench.manager(open_channel(5)).unwrap();
            let ack = bench.phone(channel_ack(5, "192.0.2.10", 24_576)).unwrap();
            assert_eq!(ack.len(), bench.encode_station(&channel_ack(5, "192.0.2.10", 24_576).into()).len());
            let StationMessage::OpenReceiveChannelAck(ack) = decode_station(&ack, version) else { panic!() };
            assert_eq!(ack.ip_addr.ip, outside);
            assert!((20_000..=20_002).contains(&ack.port_number) && ack.port_number % 2 == 0, "{round}");
            let start = bench.manager(start_media(5, "203.0.113.9", 40_000)).unwrap();
            let ManagerMessage::StartMediaTransmission(start) = decode_manager(&start, version) else {
                panic!()
            };
            assert_eq!(start.remote_ip_addr.ip, inside);
            let passage = bench.passages().pop().unwrap();
            let (inward, outward) = (passage.inward.unwrap(), passage.outward.unwrap());
            assert_eq!(inward.at, SocketAddr::new(outside, ack.port_number.try_into().unwrap()));
            assert_eq!(outward.at, SocketAddr::new(inside, start.remote_port_number.try_into().unwrap()));
            assert_eq!(outward.to, "203.0.113.9:40000".parse().unwrap());
            bench.manager(call_state(77, CallState::OnHook)).unwrap();
        }
    }
}

#[test]
fn two_phones_of_one_side_find_each_other_without_a_detour() {
    let translation = Translation {
        stations: Nat::Networks([("192.0.2.0/24".parse().unwrap(), "10.1.2.0/24".parse().unwrap())].into()),
        ..Translation::default()
    };
    let mut bench = Bench::new(Policy::new(Preset::Strict), translation);
    bench.register(17);
    bench.manager(open_channel(5)).unwrap();
    let ack = bench.phone(channel_ack(5, "192.0.2.10", 24_576)).unwrap();
    let StationMessage::OpenReceiveChannelAck(ack) = decode_station(&ack, 17) else { panic!() };
    assert_eq!(ack.ip_addr.ip, "10.1.2.10".parse::<IpAddr>().unwrap());
    // The manager tells another phone of ours to send there.
    let start = bench.manager(start_media(6, "10.1.2.10", 24_576)).unwrap();
    let ManagerMessage::StartMediaTransmission(start) = decode_manager(&start, 17) else { panic!() };
    assert_eq!(start.remote_ip_addr.ip, "192.0.2.10".parse::<IpAddr>().unwrap());
}

#[test]
fn servers_in_the_list_are_the_guards_own() {
    let translation = Translation {
        servers: [("198.51.100.1:2000".parse().unwrap(), "192.0.2.1:2000".parse().unwrap())].into(),
        ..Translation::default()
    };
    let mut bench = Bench::new(Policy::new(Preset::Strict), translation);
    for version in [3, 17, 20] {
        bench.register(version);
        let mut list = message::ServerRes::default();
        list.server_ip_addr[0] = MediaAddress::new("198.51.100.1".parse().unwrap());
        list.server_tcp_listen_port[0] = 2000;
        let list = bench.manager(list).unwrap();
        let ManagerMessage::ServerRes(list) = decode_manager(&list, version) else { panic!() };
        assert_eq!(list.server_ip_addr[0].ip, "192.0.2.1".parse::<IpAddr>().unwrap());
        bench.version = 0;
    }
}

#[test]
fn a_phone_of_callmanager_2_has_its_port_translated_and_its_stream_let_through() {
    let translation = Translation {
        stations: Nat::Ports { address: "198.51.100.2".parse().unwrap(), ports: 20_000..=20_099 },
        ..Translation::default()
    };
    let mut bench = Bench::new(Policy::new(Preset::Strict), translation);
    bench.phone(register("SEP001122334455", 0)).unwrap();
    let told = bench.phone(message::IpPort { rtp_media_port: 16_384 }).unwrap();
    let StationMessage::IpPort(told) = decode_station(&told, 0) else { panic!() };
    assert_eq!(told.rtp_media_port, 20_000);
    bench.manager(message::RegisterAck::default()).unwrap();
    bench.manager(message::StartMediaReception::default()).unwrap();
    let inward = bench.passages().pop().unwrap().inward.unwrap();
    assert_eq!((inward.at.port(), inward.to), (20_000, "192.0.2.10:16384".parse().unwrap()));
}

fn decode_station(bytes: &[u8], version: u8) -> StationMessage {
    let Ok(Cut::Frame { frame, .. }) = cut(bytes, DEFAULT_LIMIT) else { panic!("{bytes:02x?}") };
    StationMessage::decode(frame, Context::new(version)).unwrap().message
}

fn decode_manager(bytes: &[u8], version: u8) -> ManagerMessage {
    let Ok(Cut::Frame { frame, .. }) = cut(bytes, DEFAULT_LIMIT) else { panic!("{bytes:02x?}") };
    ManagerMessage::decode(frame, Context::new(version)).unwrap().message
}
