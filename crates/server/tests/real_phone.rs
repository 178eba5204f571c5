//! A real phone against the running manager: what a 7912 said to CallManager 4.1 in a capture, byte for byte, with what
//! we answer held against what CallManager answered. Every difference is listed here with its reason.
//!
//! The phone's messages are sent as they were recorded, in the order of the capture, each as soon as the manager has
//! said what it has to say to the one before. Two kinds of numbers in them cannot be the recorded ones: the call
//! reference in SoftKeyEvent and the pass-through party id in OpenReceiveChannelAck. Managers choose both, and a phone
//! gives back what it was given; so the recorded number is replaced by the one that our manager put into the same place
//! (see [`Numbers`]). Everything else, old memory after the NUL of a text included, is the phone's own.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests; skipped tests say so")]

mod bench;

use std::{
    collections::BTreeMap,
    fs::File,
    net::{SocketAddr, UdpSocket},
    thread::JoinHandle,
};

use bench::{DEADLINE, Phone, device_name};
use pcap_file::pcapng::{Block, PcapNgReader};
use selsius_inspect::{
    conversation::{Config, Event, Message, Seen, Tracker},
    packet::{Content, Stamp, parse},
    summary,
};
use selsius_server::{Options, Server, api::Addresses, config::MediaAddresses};
use selsius_site::{Button, Device, Line, Site};
use selsius_wire::{Context, Cut, DEFAULT_LIMIT, ManagerMessage, Time, cut};
use tokio::sync::oneshot;

const PHONE: &str = "SEP001380AD9E5F";

/// What the manager said differently: after which message of the phone, what (`-` CallManager, `+` ours), and why.
const SAID: &[(&str, &[&str], &str)] = &[
    (
        "Register SEP001380AD9E5F version 7, 7912",
        &["- 24 RegisterAck version 6, keepalive 30 s", "+ 24 RegisterAck version 7, keepalive 27 s"],
        "CallManager 4.1 knew no higher version than 6, and its forms are those that we send at 7; our intervals are \
         spread, so that phones do not tick together",
    ),
    (
        "ButtonTemplateReq",
        &["- 100 ButtonTemplate 7 buttons", "+ 100 ButtonTemplate 5 buttons"],
        "CallManager's last two are the phone's Hold key and type 0x12; a site has lines, speed dials and services",
    ),
    (
        "SoftKeyTemplateReq",
        &["- 656 SoftKeyTemplate 20 keys", "+ 656 SoftKeyTemplate 27 keys"],
        "CallManager's twenty, and CallBack, iDivert, DND and Private after them, in the slots that it leaves empty",
    ),
    (
        "FeatureStatReq 1",
        &["- 56 FeatureStat 1: Hold, status 0", "+ 56 FeatureStat 1: Unused, status 0"],
        "there are no feature buttons yet: an empty answer, without the old memory of CallManager's",
    ),
    ("SpeedDialStatReq 4", &["- 72 SpeedDialStat 4: none", "+ 72 SpeedDialStat 4: 2004 “Dial 4”"], NUMBERS),
    ("SpeedDialStatReq 3", &["- 72 SpeedDialStat 3: none", "+ 72 SpeedDialStat 3: 2003 “Dial 3”"], NUMBERS),
    ("SpeedDialStatReq 2", &["- 72 SpeedDialStat 2: none", "+ 72 SpeedDialStat 2: 2002 “Dial 2”"], NUMBERS),
    ("SpeedDialStatReq 1", &["- 72 SpeedDialStat 1: none", "+ 72 SpeedDialStat 1: 2001 “Dial 1”"], NUMBERS),
    (
        "a call comes in",
        &[
            "- 20 SelectSoftKeys Ring In · line 1, call CALL",
            "+ 20 SelectSoftKeys Ring In, mask FFFFFFFD · line 1, call CALL",
        ],
        "our set has iDivert too, hidden where there is no voice mail",
    ),
    (
        "OffHook",
        &[
            "- 20 SetRinger RingOff",
            "+ 20 SetRinger RingOff · line 1, call CALL",
            "- 20 SetRinger RingOff · line 1, call CALL",
            "+ 20 SetRinger RingOff",
        ],
        "both stop the ringing twice; CallManager names line and call the second time, we the first time, when they ring",
    ),
    (
        "OffHook",
        &[
            "- 20 SelectSoftKeys Connected, mask FFFFFDFF · line 1, call CALL",
            "+ 20 SelectSoftKeys Connected, mask FFFFF017 · line 1, call CALL",
        ],
        "CallManager hides VidMode alone; we hide every key that would do nothing now: there is no park slot, no conference, no \
         other call and no other phone on the line",
    ),
    (
        "SoftKeyEvent EndCall · line 1, call 16777247",
        &["+ 48 DisplayPromptStatus “Your current options”"],
        "the idle prompt, which the capture does not show: CallManager's came later, or the phone's own is as good",
    ),
];

const NUMBERS: &str = "a speed dial of a site has a number; those of the capture were empty";

/// Elements of the configuration file that differ where the site does not say that the phone is a 7912, and why. Where
/// it does, there is no difference.
const CONFIGURED: &[(&str, &str)] = &[
    ("+ device/fullConfig", LATER),
    ("+ device/deviceProtocol", LATER),
    ("+ device/commonProfile", LATER),
    ("+ device/commonProfile/phonePassword", LATER),
    ("+ device/commonProfile/backgroundImageAccess", LATER),
    ("+ device/commonProfile/callLogBlfEnabled", LATER),
    ("+ device/deviceSecurityMode", LATER),
    ("+ device/transportLayerProtocol", LATER),
    ("+ device/certHash", LATER),
    ("+ device/encrConfig", LATER),
];

const LATER: &str = "later CallManagers wrote it for every model; later models want it";

// ---------------------------------------------------------------- the capture

/// One thing that happened in the capture, and what the manager then said to the phone.
struct Step {
    name: String,
    /// The phone's message, whole; `None` where somebody else did something.
    said: Option<Vec<u8>>,
    answers: Vec<Vec<u8>>,
}

/// What the capture holds.
struct Recorded {
    steps: Vec<Step>,
    /// The phone's TFTP requests as they were sent, and the files that it got.
    transfers: Vec<(Vec<u8>, Vec<u8>)>,
}

fn recorded() -> Option<Recorded> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/callmanager-4.1-7912.pcapng");
    let Ok(file) = File::open(path) else {
        eprintln!("skipped: {path} is not there");
        return None;
    };
    let mut reader = PcapNgReader::new(file).unwrap();
    let (mut tracker, mut seen) = (Tracker::new(Config::default()), Vec::new());
    let mut transfers = Vec::new();
    let mut number = 0;
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block.unwrap().into_owned() else { continue };
        number += 1;
        let link = reader.packet_interface(&packet).unwrap().linktype;
        let link = selsius_inspect::packet::LinkType::from_capture(u32::from(link)).unwrap();
        // The order is all that counts here.
        let stamp = Stamp { time: Time::from_millis(number), number };
        match parse(link, &packet.data) {
            Content::Tcp(segment) => tracker.segment(stamp, &segment),
            Content::Udp(datagram) => {
                tftp_packet(datagram.source, datagram.destination, datagram.payload, &mut transfers);
            }
            _ => {}
        }
        while let Some(event) = tracker.poll_event() {
            if let Event::Seen(message) = event {
                seen.push(*message);
            }
        }
    }
    let transfers = transfers.into_iter().map(|transfer| (transfer.request, transfer.file)).collect();
    Some(Recorded { steps: steps(&seen), transfers })
}

/// A transfer of the capture.
struct Transfer {
    phone: SocketAddr,
    request: Vec<u8>,
    file: Vec<u8>,
}

fn tftp_packet(source: SocketAddr, destination: SocketAddr, payload: &[u8], transfers: &mut Vec<Transfer>) {
    if destination.port() == 69 {
        transfers.push(Transfer { phone: source, request: payload.into(), file: Vec::new() });
        return;
    }
    let transfer = transfers.iter_mut().rfind(|transfer| transfer.phone == destination);
    // 3 is DATA; the blocks of this capture come in order, each once.
    if let (Some(transfer), Some((&[0, 3, _, _], block))) = (transfer, payload.split_first_chunk()) {
        transfer.file.extend_from_slice(block);
    }
}

fn steps(seen: &[Seen]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for seen in seen {
        let mut bytes = Vec::new();
        match &seen.message {
            Message::Station(received) => {
                received.encode(&mut bytes);
                let name = summary::station(&received.message);
                steps.push(Step { name, said: Some(bytes), answers: Vec::new() });
            }
            Message::Manager(received) => {
                received.encode(&mut bytes);
                // 4.1, frame 132: the phone had nothing to do with it.
                let comes = |message: &ManagerMessage| matches!(message, ManagerMessage::CallState(state) if state.call_state == selsius_wire::CallState::RingIn);
                if comes(&received.message) {
                    let name = "a call comes in".into();
                    steps.push(Step { name, said: None, answers: Vec::new() });
                }
                steps.last_mut().unwrap().answers.push(bytes);
            }
        }
    }
    steps
}

// ------------------------------------------------------------ the comparison

/// The call reference of the capture's one call.
const CALL: u32 = 16_777_247;

/// The numbers that a manager chooses: the recorded one, and ours in its place.
#[derive(Default)]
struct Numbers(BTreeMap<u32, u32>);

impl Numbers {
    /// Learns from the same message of both managers.
    fn learn(&mut self, theirs: &[u8], ours: &ManagerMessage) {
        match (decode(theirs), ours) {
            (ManagerMessage::CallState(theirs), ManagerMessage::CallState(ours)) => {
                self.0.insert(theirs.call_reference, ours.call_reference);
            }
            (ManagerMessage::OpenReceiveChannel(theirs), ManagerMessage::OpenReceiveChannel(ours)) => {
                self.0.insert(theirs.pass_through_party_id, ours.pass_through_party_id);
            }
            _ => {}
        }
    }

    /// Text in which the number of the call is `CALL`.
    fn unnamed(&self, text: &str) -> String {
        match self.0.get(&CALL) {
            Some(ours) => text.replace(&format!("call {ours}"), "call CALL"),
            None => text.into(),
        }
    }

    /// A recorded frame with our numbers in the place of the recorded ones. They are words at offsets that four
    /// divides, and too large to be anything else.
    fn put_into(&self, frame: &[u8]) -> Vec<u8> {
        let (head, body) = frame.split_at(12);
        let mut patched = head.to_vec();
        for word in body.chunks(4) {
            let number = word.try_into().ok().map(u32::from_le_bytes);
            match number.filter(|&number| number > 0xFFFF).and_then(|number| self.0.get(&number)) {
                Some(ours) => patched.extend_from_slice(&ours.to_le_bytes()),
                None => patched.extend_from_slice(word),
            }
        }
        patched
    }
}

fn decode(frame: &[u8]) -> ManagerMessage {
    let Cut::Frame { frame, .. } = cut(frame, DEFAULT_LIMIT).unwrap() else { panic!("half a frame") };
    ManagerMessage::decode(frame, Context::new(6)).unwrap().message
}

/// A message as it is compared: its length, and what it says.
fn line(message: &ManagerMessage, length: usize) -> String {
    match message {
        // The time of day is another one.
        ManagerMessage::DefineTimeDate(_) => format!("{length} DefineTimeDate"),
        message => format!("{length} {}", summary::manager(message)),
    }
}

/// The lines to take out of `theirs` and to put in, so that it becomes `ours`, by a longest common subsequence.
fn differences(theirs: &[String], ours: &[String]) -> Vec<String> {
    let mut common = vec![vec![0; ours.len() + 1]; theirs.len() + 1];
    for i in (0..theirs.len()).rev() {
        for j in (0..ours.len()).rev() {
            common[i][j] = if theirs[i] == ours[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut differences) = (0, 0, Vec::new());
    while i < theirs.len() || j < ours.len() {
        if i < theirs.len() && j < ours.len() && theirs[i] == ours[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == ours.len() || (i < theirs.len() && common[i + 1][j] >= common[i][j + 1]) {
            differences.push(format!("- {}", theirs[i]));
            i += 1;
        } else {
            differences.push(format!("+ {}", ours[j]));
            j += 1;
        }
    }
    differences
}

// --------------------------------------------------------------- the manager

/// A whole manager on a thread of its own.
struct Manager {
    addresses: Addresses,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Manager {
    /// With these files in its folder.
    fn start(site: &Site, files: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        for name in files {
            std::fs::write(folder.path().join("files").join(name), "").unwrap();
        }
        let mut options = Options::loopback(folder.path());
        options.site = Some(("office.toml".into(), site.to_toml()));
        // The capture's phones listen at their own addresses, and speak from this machine here.
        options.config.security.media_addresses = MediaAddresses::Any;
        let (ready, started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::start(options).await.unwrap();
                ready.send(server.addresses().clone()).unwrap();
                let _ = stopped.await;
                server.stop().await.unwrap();
            });
        });
        let addresses = started.blocking_recv().unwrap();
        Self { addresses, stop: Some(stop), thread: Some(thread), _folder: folder }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the manager stops in order");
    }
}

/// The office of the capture: the 7912's line and speed dials, and the phone that calls it.
fn office(model: Option<&str>) -> Site {
    let mut site = Site::default();
    site.settings.date_format = "M/D/Y".into();
    let line = |name: &str| Line { name: name.into(), ..Line::default() };
    site.lines.insert("1012".parse().unwrap(), line("1012"));
    site.lines.insert("1003".parse().unwrap(), line("Python"));
    let button = |number: &str| Button::Line { number: number.parse().unwrap(), label: String::new() };
    let mut buttons = vec![button("1012")];
    for at in 1..=4 {
        let (number, label) = (format!("200{at}").parse().unwrap(), format!("Dial {at}"));
        buttons.push(Button::SpeedDial { number, label });
    }
    let device = |buttons| Device { buttons, ..Device::default() };
    let model = model.map(|model| model.parse().unwrap());
    site.devices.insert(PHONE.parse().unwrap(), Device { model, ..device(buttons) });
    site.devices.insert(device_name("1003").parse().unwrap(), device(vec![button("1003")]));
    site
}

/// The phone that calls: it registers before the 7912 does anything.
fn caller(manager: &Manager) -> Phone {
    let mut phone = Phone::connect(manager.addresses.sccp[0]);
    phone.say_register(&device_name("1003"));
    phone.settle();
    phone
}

// ------------------------------------------------------------------ the tests

#[test]
fn the_manager_answers_a_7912_as_callmanager_did() {
    let Some(recorded) = recorded() else { return };
    assert_eq!(recorded.steps.len(), 19, "the phone's 18 messages, and the call that comes in");
    let manager = Manager::start(&office(Some("7912")), &[]);
    let mut caller = caller(&manager);
    let mut phone = Phone::connect(manager.addresses.sccp[0]);
    let (mut numbers, mut found, mut sends_to) = (Numbers::default(), Vec::new(), Vec::new());
    for step in &recorded.steps {
        let mut heard = perform(step, &numbers, &mut phone, &mut caller);
        // What the caller's phone does by itself: it says where it listens.
        for message in caller.settle() {
            match message {
                ManagerMessage::OpenReceiveChannel(open) => {
                    caller.ack(open.pass_through_party_id, OTHER_PHONE);
                    caller.settle();
                    heard.extend(phone.settle_raw());
                }
                ManagerMessage::StartMediaTransmission(start) => {
                    sends_to.push((start.remote_ip_addr.ip.to_string(), start.remote_port_number));
                }
                _ => {}
            }
        }
        for theirs in &step.answers {
            if let Some((ours, _)) = heard.iter().find(|(ours, _)| ours.id() == decode(theirs).id()) {
                numbers.learn(theirs, ours);
            }
        }
        let theirs = step.answers.iter().map(|frame| {
            let frame = numbers.put_into(frame);
            numbers.unnamed(&line(&decode(&frame), frame.len() - 8))
        });
        let ours = heard.iter().map(|(message, length)| numbers.unnamed(&line(message, *length)));
        let differences = differences(&theirs.collect::<Vec<_>>(), &ours.collect::<Vec<_>>());
        found.extend(differences.into_iter().map(|what| (step.name.clone(), what)));
    }
    let explained = SAID
        .iter()
        .flat_map(|(when, what, _)| what.iter().map(|what| (String::from(*when), String::from(*what))));
    assert_eq!(
        found,
        explained.collect::<Vec<_>>(),
        "a difference is unexplained, or an explained one has vanished"
    );
    // Where the 7912 listened, as its recorded ack says (4.1, frame 155).
    assert_eq!(sends_to, [("10.102.10.209".into(), 16_384)]);
}

/// Does what happened in the capture; what our manager says to the phone then.
///
/// A KeepAlive of ours behind each message marks the end of that: a connection's messages are done in their order. At
/// the recorded KeepAlive the phone's own does so.
fn perform(
    step: &Step,
    numbers: &Numbers,
    phone: &mut Phone,
    caller: &mut Phone,
) -> Vec<(ManagerMessage, usize)> {
    match &step.said {
        Some(frame) => phone.send(&numbers.put_into(frame)),
        None => {
            caller.off_hook();
            caller.dial("1012");
            caller.settle();
        }
    }
    if step.name == "KeepAlive" {
        let mut heard = phone.until_ack();
        heard.push((selsius_wire::message::KeepAliveAck.into(), 4));
        return heard;
    }
    phone.settle_raw()
}

#[test]
fn the_manager_serves_a_7912_the_files_that_it_asks_for() {
    let Some(recorded) = recorded() else { return };
    let names: Vec<_> = recorded.transfers.iter().map(|(request, _)| file_name(request)).collect();
    assert_eq!(names, ["SEP001380AD9E5F.cnf.xml", "SEP001380AD9E5F.cnf.xml", "Ringlist.xml"]);
    let rings = texts(&recorded.transfers[2].1, "FileName");
    assert!(rings.len() > 10, "{rings:?}");
    let manager = Manager::start(&office(Some("7912")), &rings);
    for (request, theirs) in &recorded.transfers {
        let ours = fetch(manager.addresses.tftp, request);
        let name = file_name(request);
        assert_eq!(differences(&elements(theirs), &elements(&ours)), [""; 0], "{name}");
        if name == "Ringlist.xml" {
            assert_eq!(texts(&ours, "FileName"), rings);
        } else {
            let said = |xml: &[u8], element| texts(xml, element).concat();
            assert_eq!(said(&ours, "dateTemplate"), said(theirs, "dateTemplate"));
            // The address that the phone asked, where CallManager had a name that no server knew (frames 14 to 17).
            assert_eq!(texts(&ours, "processNodeName")[0], "127.0.0.1");
            let port = manager.addresses.sccp[0].port().to_string();
            assert_eq!(said(&ours, "ethernetPhonePort"), port);
        }
    }

    let manager = Manager::start(&office(None), &rings);
    let (request, theirs) = &recorded.transfers[0];
    let ours = fetch(manager.addresses.tftp, request);
    let explained: Vec<_> = CONFIGURED.iter().map(|(what, _)| *what).collect();
    assert_eq!(differences(&elements(theirs), &elements(&ours)), explained);
}

/// Where the other phone of the capture listened (4.1, frame 154).
const OTHER_PHONE: ([u8; 4], u16) = ([10, 102, 219, 27], 60_186);

fn file_name(request: &[u8]) -> String {
    let name = request[2..].split(|&byte| byte == 0).next().unwrap();
    String::from_utf8(name.into()).unwrap()
}

/// Fetches a file as the phone does: its own request from a new port, an answer from a new port, an ack each block.
fn fetch(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.send_to(request, server).unwrap();
    let (mut file, mut next) = (Vec::new(), 1_u16);
    let mut buffer = [0; 1024];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        assert_ne!(from.port(), server.port(), "a transfer has a port of its own");
        let (&[0, 3, high, low], block) = buffer[..length].split_first_chunk().unwrap() else {
            panic!("no data: {:?}", &buffer[..length])
        };
        // Without options the blocks are 512 bytes. One that was sent again is acknowledged again.
        if u16::from_be_bytes([high, low]) == next {
            file.extend_from_slice(block);
            next += 1;
        }
        socket.send_to(&[0, 4, high, low], from).unwrap();
        if block.len() < 512 {
            return file;
        }
    }
}

/// The elements of an XML file in their order, each with the elements around it.
fn elements(xml: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(xml);
    let (mut path, mut elements) = (Vec::new(), Vec::new());
    for tag in text.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.split_whitespace().next().unwrap_or_default().trim_end_matches('/');
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if tag.starts_with('/') {
            path.pop();
            continue;
        }
        path.push(name);
        elements.push(path.join("/"));
        if tag.ends_with('/') {
            path.pop();
        }
    }
    assert!(path.is_empty(), "every element ends: {path:?}");
    elements
}

/// The texts of all elements of this name.
fn texts(xml: &[u8], element: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(xml);
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = text.split(&open).skip(1);
    parts.filter_map(|rest| rest.split(&close).next()).map(String::from).collect()
}
