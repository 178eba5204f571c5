//! Calls through the guard, with real nftables and real datagrams.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    time::Duration,
};

use rustix::process::Signal;
use selsius_wire::{
    Context, Cut, DEFAULT_LIMIT, Dialect, ManagerMessage, StationMessage, cut, message,
    value::{CallState, DeviceType, MediaAddress, Text},
};

use crate::networks::{Guard, Host, Networks, PATIENCE, until};

/// A phone and its manager, on their hosts, with a guard between.
struct Call {
    phone: TcpStream,
    manager: TcpStream,
    version: u8,
    phone_audio: UdpSocket,
    far_audio: UdpSocket,
    stranger: UdpSocket,
}

/// Where the phone listens, as the far end was told, and the other way round.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    phone: SocketAddr,
    far: SocketAddr,
}

impl Call {
    fn new(networks: &Networks, version: u8) -> Self {
        let listener = networks.on(Host::Manager, || TcpListener::bind("10.77.2.2:2000").unwrap());
        let phone = networks.on(Host::Phones, || TcpStream::connect("10.77.1.1:2000").unwrap());
        let (manager, _) = listener.accept().unwrap();
        for socket in [&phone, &manager] {
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        let bind = |host, address: &str| networks.on(host, || UdpSocket::bind(address).unwrap());
        Self {
            phone,
            manager,
            version,
            phone_audio: bind(Host::Phones, "10.77.1.2:24576"),
            far_audio: bind(Host::Manager, "10.77.2.2:40000"),
            stranger: bind(Host::Manager, "10.77.2.3:40000"),
        }
    }

    fn dialect(&self, version: u8) -> Dialect {
        Dialect::negotiate(version, [0x20, 0xF1, 0xFF], DeviceType::Cisco7965)
    }

    /// The phone says something, and the manager hears it.
    fn phone(&mut self, version: u8, message: impl Into<StationMessage>) -> StationMessage {
        let mut bytes = Vec::new();
        self.dialect(version).encode_station(&message.into(), &mut bytes);
        self.phone.write_all(&bytes).unwrap();
        let bytes = frame(&mut self.manager);
        let Ok(Cut::Frame { frame, .. }) = cut(&bytes, DEFAULT_LIMIT) else { panic!() };
        StationMessage::decode(frame, Context::new(version)).unwrap().message
    }

    /// The manager says something, and the phone hears it.
    fn manager(&mut self, version: u8, message: impl Into<ManagerMessage>) -> ManagerMessage {
        let mut bytes = Vec::new();
        self.dialect(version).encode_manager(&message.into(), &mut bytes);
        self.manager.write_all(&bytes).unwrap();
        let bytes = frame(&mut self.phone);
        let Ok(Cut::Frame { frame, .. }) = cut(&bytes, DEFAULT_LIMIT) else { panic!() };
        ManagerMessage::decode(frame, Context::new(version)).unwrap().message
    }

    fn register(&mut self) {
        let register = message::Register {
            device_name: Text::new("SEP001122334455"),
            station_ip_addr: "10.77.1.2".parse().unwrap(),
            device_type: DeviceType::Cisco7965,
            protocol_ver: self.version,
            ..Default::default()
        };
        self.phone(0, register);
        let ack = message::RegisterAck {
            keep_alive_interval: 30,
            date_template: Text::full("D/M/Y"),
            alignment_padding: 0,
            secondary_keep_alive_interval: 60,
            max_protocol_ver: self.version,
            features: [0x20, 0xF1, 0xFF].into(),
        };
        self.manager(0, ManagerMessage::RegisterAck(ack));
    }

    fn state(&mut self, state: CallState) {
        let state = message::CallState {
            call_state: state,
            line_instance: 1,
            call_reference: 77,
            ..Default::default()
        };
        self.manager(self.version, state);
    }

    /// Opens the audio; what the two sides were told.
    fn open(&mut self) -> Told {
        self.state(CallState::Connected);
        let open = message::OpenReceiveChannel {
            conference_id: 7,
            pass_through_party_id: 5,
            milli_second_packet_size: 20,
            call_reference: 77,
            ..Default::default()
        };
        self.manager(self.version, open);
        let ack = message::OpenReceiveChannelAck {
            ip_addr: MediaAddress::new("10.77.1.2".parse().unwrap()),
            port_number: 24576,
            pass_through_party_id: 5,
            call_reference: 77,
            ..Default::default()
        };
        let StationMessage::OpenReceiveChannelAck(ack) = self.phone(self.version, ack) else { panic!() };
        let start = message::StartMediaTransmission {
            conference_id: 7,
            pass_through_party_id: 5,
            remote_ip_addr: MediaAddress::new("10.77.2.2".parse().unwrap()),
            remote_port_number: 40000,
            milli_second_packet_size: 20,
            call_reference: 77,
            ..Default::default()
        };
        let ManagerMessage::StartMediaTransmission(start) = self.manager(self.version, start) else {
            panic!()
        };
        let place = |ip: IpAddr, port: u32| SocketAddr::new(ip, port.try_into().unwrap());
        Told {
            phone: place(ack.ip_addr.ip, ack.port_number),
            far: place(start.remote_ip_addr.ip, start.remote_port_number),
        }
    }

    /// Audio goes both ways, and comes from where each side sends to; a stranger's does not arrive.
    fn talks(&self, told: &Told) {
        // Ways are opened beside the messages: the first packets of a call may be early.
        until("the phone hears the far end", || {
            self.far_audio.send_to(b"to the phone", told.phone).unwrap();
            hears(&self.phone_audio).is_some_and(|(text, from)| text == b"to the phone" && from == told.far)
        });
        until("the far end hears the phone", || {
            self.phone_audio.send_to(b"to the far end", told.far).unwrap();
            hears(&self.far_audio).is_some_and(|(text, from)| text == b"to the far end" && from == told.phone)
        });
        self.stranger.send_to(b"a stranger", told.phone).unwrap();
        self.far_audio.send_to(b"the last one", told.phone).unwrap();
        let mut heard = Vec::new();
        while let Some((text, _)) = hears(&self.phone_audio) {
            heard.push(text);
        }
        assert!(heard.contains(&b"the last one".to_vec()), "{heard:?}");
        assert!(!heard.contains(&b"a stranger".to_vec()), "{heard:?}");
    }

    /// No audio passes.
    fn is_silent(&self, told: &Told) -> bool {
        while hears(&self.phone_audio).is_some() {}
        while hears(&self.far_audio).is_some() {}
        self.far_audio.send_to(b"still there?", told.phone).unwrap();
        let _ = self.phone_audio.send_to(b"still there?", told.far);
        hears(&self.phone_audio).is_none() && hears(&self.far_audio).is_none()
    }
}

/// What arrives within a moment.
fn hears(socket: &UdpSocket) -> Option<(Vec<u8>, SocketAddr)> {
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut buffer = [0; 256];
    let (count, from) = socket.recv_from(&mut buffer).ok()?;
    Some((buffer[..count].to_vec(), from))
}

/// The next message of a connection.
fn frame(socket: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    socket.read_exact(&mut bytes).unwrap();
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize + 8;
    bytes.resize(length, 0);
    socket.read_exact(&mut bytes[12..]).unwrap();
    bytes
}

const VERSIONS: [u8; 5] = [0, 11, 17, 20, 22];
const NAT: &str = r#"
    preset = "strict"
    [nat.stations]
    address = "10.77.2.1"
    ports = "20000-20099"
    [nat.managers]
    address = "10.77.1.1"
    ports = "30000-30099"
"#;

fn calls_pass_and_their_ways_vanish(networks: &Networks, expected: impl Fn(&Told)) {
    for version in VERSIONS {
        let mut call = Call::new(networks, version);
        call.register();
        let told = call.open();
        expected(&told);
        call.talks(&told);
        call.state(CallState::OnHook);
        until("the ways are closed", || call.is_silent(&told));
        // The same for a phone whose connection breaks.
        let told = call.open();
        call.talks(&told);
        let Call { phone, manager, .. } = &call;
        phone.shutdown(std::net::Shutdown::Both).unwrap();
        manager.shutdown(std::net::Shutdown::Both).unwrap();
        until("the ways are closed", || call.is_silent(&told));
    }
    let findings: Vec<_> =
        networks.events().into_iter().filter(|event| event["event"] == "finding").collect();
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn with_nftables_and_translation_in_both_directions() {
    let Some(networks) = Networks::new(false) else { return };
    let policy = networks.policy(NAT);
    let _guard = networks.guard(&["--policy", policy.to_str().unwrap(), "--nftables", "10.77.1.0/24"]);
    calls_pass_and_their_ways_vanish(&networks, |told| {
        assert_eq!(told.phone.ip(), "10.77.2.1".parse::<IpAddr>().unwrap());
        assert_eq!(told.far.ip(), "10.77.1.1".parse::<IpAddr>().unwrap());
    });
    let ruleset = networks.nft(&["list", "ruleset"]);
    assert!(!ruleset.contains("elements"), "{ruleset}");
}

#[test]
fn with_nftables_on_a_router() {
    let Some(networks) = Networks::new(true) else { return };
    let _guard = networks.guard(&["--policy", "strict", "--nftables", "10.77.1.0/24"]);
    calls_pass_and_their_ways_vanish(&networks, |told| {
        assert_eq!(told.phone, "10.77.1.2:24576".parse().unwrap());
        assert_eq!(told.far, "10.77.2.2:40000".parse().unwrap());
    });
}

#[test]
fn with_the_relay_and_translation_in_both_directions() {
    let Some(networks) = Networks::new(false) else { return };
    let policy = networks.policy(NAT);
    let _guard = networks.guard(&["--policy", policy.to_str().unwrap(), "--relay"]);
    calls_pass_and_their_ways_vanish(&networks, |told| {
        assert_eq!(told.phone.ip(), "10.77.2.1".parse::<IpAddr>().unwrap());
    });
}

#[test]
fn what_a_guard_leaves_behind_that_was_killed_goes_on_and_ends_by_itself() {
    let Some(networks) = Networks::new(true) else { return };
    let arguments = ["--policy", "strict", "--nftables", "10.77.1.0/24"];
    let guard: Guard = networks.guard(&arguments);
    let mut call = Call::new(&networks, 17);
    call.register();
    let told = call.open();
    call.talks(&told);
    guard.signal(Signal::KILL);
    drop(guard);
    call.talks(&told);
    // The next one takes over what is in the kernel, where each way has an end of its own.
    let _guard = networks.guard(&arguments);
    call.talks(&told);
    let set = networks.nft(&["list", "set", "inet", "selsius_guard", "known4"]);
    assert!(set.contains("timeout 3m expires"), "{set}");
}

#[test]
fn connections_that_nftables_sends_here_reach_the_manager_that_they_were_meant_for() {
    let Some(networks) = Networks::new(true) else { return };
    let redirect = "add table ip steer; add chain ip steer in { type nat hook prerouting priority dstnat; }; \
                    add rule ip steer in tcp dport 2000 redirect to :2100";
    let made = networks.command(Host::Guard, "nft").arg(redirect).status().unwrap();
    assert!(made.success());
    let control = networks.folder.path().join("guard.sock");
    let mut command = networks.command(Host::Guard, env!("CARGO_BIN_EXE_selsius"));
    command.args(["guard", "--transparent", "--listen", "0.0.0.0:2100", "--policy", "strict", "--control"]);
    command.arg(&control).arg("--log").arg(networks.folder.path().join("events.jsonl"));
    let _guard = Guard::start(command, control);
    let listener = networks.on(Host::Manager, || TcpListener::bind("10.77.2.2:2000").unwrap());
    let mut phone = networks.on(Host::Phones, || TcpStream::connect("10.77.2.2:2000").unwrap());
    let (mut manager, _) = listener.accept().unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let keep_alive = [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    phone.write_all(&keep_alive).unwrap();
    assert_eq!(frame(&mut manager), keep_alive);
}
