//! An independent reader of what we send: `tshark` decodes it without a malformed packet, and finds the same
//! names and values in it. Where it is known to be wrong (end of wire-facts), the list below says so.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code: it says what it skips")]

mod common;
#[path = "common/generate.rs"]
mod generate;
#[path = "common/sample.rs"]
mod sample;

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use common::{Either, frame};
use etherparse::PacketBuilder;
use pcap_file::pcap::{PcapPacket, PcapWriter};
use selsius_wire::{
    Context, DeviceType, Dialect, Direction, Features, MESSAGES, ManagerMessage, RawFrame, codec,
    codec::{At, Layout, Value},
    message, message_info,
    srtp::{Keys, Suite},
};

const VERSIONS: [u8; 9] = [0, 3, 7, 11, 15, 17, 18, 20, 22];

/// A message, a field (none: tshark says "malformed"; `*`: any), the versions, and why.
type KnownWrong = (&'static str, &'static str, fn(u8) -> bool, &'static str);

/// Where tshark disagrees and is known to be wrong.
const KNOWN_WRONG: [KnownWrong; 17] = [
    // It flags the short forms of CallManager 4.1 and of phones of that time.
    ("OpenReceiveChannel", "", |version| version == 7, "ends after the salt: 4.1, frame 148"),
    ("StartMediaTransmission", "", |version| version == 7, "ends after the salt: 4.1, frame 154"),
    ("CloseReceiveChannel", "", |version| version == 7, "16 long: 4.1"),
    ("StopMediaTransmission", "", |version| version == 7, "16 long: 4.1"),
    ("Stimulus", "", |version| matches!(version, 7 | 11), "16 long: wire-facts"),
    // It reads 25-byte numbers at version 18, where captures have 24.
    ("DialedNumber", "", |version| version == 18, "24-byte numbers"),
    ("EnblocCall", "", |version| version == 18, "24-byte numbers"),
    ("ForwardStat", "*", |version| version == 18, "24-byte numbers"),
    ("OffHookWithCallingPartyNumber", "", |version| version == 18, "24-byte numbers"),
    // It reads the number of the statistics with 28 bytes; captures have 24 at 18 and 25 at 20.
    ("ConnectionStatisticsReq", "*", |version| version >= 18, "28-byte number"),
    ("ConnectionStatisticsRes", "*", |version| version >= 18, "28-byte number"),
    // It knows the line of a 7970, at offset 25; an 8945 has it at 28.
    ("EnblocCall", "lineinstance", |version| version >= 20, "the form of an 8945"),
    // It reads an alternate caller in every version; up to 15 there is none.
    ("CallInfoV2", "*", |version| version < 16, "12 strings"),
    // An address in network order, which it reads as a little-endian number.
    ("RegisterTokenReq", "stationipaddr", |_| true, "network order"),
    ("SpcpRegisterTokenReq", "stationipaddr", |_| true, "network order"),
    ("QoSErrorNotify", "failurenodeipaddr", |_| true, "network order"),
    // It wants all 2048 bytes, though the text is as long as the message.
    ("EnhancedAlarm", "", |_| true, "a text of any length"),
];

fn known_wrong(message: &str, field: &str, version: u8) -> bool {
    KNOWN_WRONG
        .iter()
        .any(|(name, of, when, _)| *name == message && when(version) && (*of == field || *of == "*"))
}

/// Behind the parameters of an audio or data channel, and of video that it does not know, tshark passes over
/// too little room; what follows is at the wrong place.
const BEHIND_CHANNEL: [&str; 10] = [
    "algorithmid",
    "keylen",
    "saltlen",
    "ismkipresent",
    "keyderivationrate",
    "streampassthroughid",
    "associatedstreamid",
    "sourceipaddr",
    "sourceportnumber",
    "requestedipaddrtype",
];

fn is_astray(message: &Either, field: &str) -> bool {
    use selsius_wire::{ManagerMessage as M, message::ChannelParams as P};
    let channel = match message {
        Either::Manager(received) => match &received.message {
            M::OpenMultiMediaReceiveChannel(open) => open.capability,
            M::StartMultiMediaTransmission(start) => start.capability,
            _ => return false,
        },
        Either::Station(_) => return false,
    };
    let whole = matches!(channel, P::H261(..) | P::H263(..) | P::Vieo(..) | P::H264(..));
    !whole && BEHIND_CHANNEL.contains(&field)
}

/// Fields that we call otherwise.
const TSHARK_NAMES: [(&str, &str); 12] = [
    ("secondipaddressingmode", "ipaddressingmode"),
    ("year", "wyear"),
    ("month", "wmonth"),
    ("dayofweek", "wdayofweek"),
    ("day", "wday"),
    ("hour", "whour"),
    ("minute", "wminute"),
    ("second", "wsecond"),
    ("milliseconds", "wmilliseconds"),
    ("version", "versionstr"),
    ("reserved", "reservedforfutureuse"),
    ("forwardnoanswerdirnum", "forwardnoanswerldirnum"),
];

#[test]
fn tshark_reads_what_we_send() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    for version in VERSIONS {
        let features = Features([0x20, 0x00, 0x85]);
        // Negotiation never ends below 3.
        let dialect = match version {
            0 => Dialect::new(0, features, DeviceType::Cisco7965),
            version => Dialect::negotiate(version, features, DeviceType::Cisco7965),
        };
        let mut sent = Vec::new();
        for message in sample::manager(&dialect) {
            let mut bytes = Vec::new();
            dialect.encode_manager(&message, &mut bytes);
            sent.push((true, bytes));
        }
        for message in sample::station(&dialect) {
            let mut bytes = Vec::new();
            dialect.encode_station(&message, &mut bytes);
            sent.push((false, bytes));
        }
        let agreed = compare("sample", version, &sent);
        assert!(agreed > 300, "version {version}: only {agreed} values were compared");
    }
}

/// The bytes of keys, which the comparison of all fields leaves out.
#[test]
fn tshark_finds_the_keys_of_streams() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    let keys = Keys::random(Suite::AesCm128HmacSha1_32, |bytes| {
        bytes.iter_mut().zip(0xA0..).for_each(|(byte, at)| *byte = at);
    });
    let encryption = keys.for_phone().unwrap();
    for version in [11, 15, 17, 18, 20, 22] {
        let dialect = Dialect::negotiate(version, [0x20, 0, 0x85], DeviceType::Cisco7965);
        let orders: [ManagerMessage; 2] = [
            message::OpenReceiveChannel { encryption, ..Default::default() }.into(),
            message::StartMediaTransmission { encryption, ..Default::default() }.into(),
        ];
        let sent = orders.map(|order| {
            let mut bytes = Vec::new();
            dialect.encode_manager(&order, &mut bytes);
            (true, bytes)
        });
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{version}.pcap"));
        write_capture(&path, &sent);
        for theirs in dissect(&path) {
            let field = |name: &str| theirs.fields[name].join(",");
            let bytes = |bytes: &[u8]| bytes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            assert!(!theirs.malformed, "{version} {}", theirs.name);
            assert_eq!(
                (field("algorithmid"), field("keylen"), field("saltlen")),
                ("1".into(), "16".into(), "14".into())
            );
            assert_eq!(
                (field("key"), field("salt")),
                (bytes(keys.key()), bytes(keys.salt())),
                "{version} {}",
                theirs.name
            );
        }
    }
}

/// tshark does not know the messages of CallManager 2.x. It counts the slots of templates by the total of all
/// messages, and takes the area of a device name in ConfigStatV2 for a text: the samples above have one
/// message with all slots, and a name that fills its area.
const ONLY_SAMPLES: [u32; 6] = [0x8C, 0x8D, 0x97, 0x108, 0x109, 0x142];

/// Every message that has a layout, with something in every field: bytes that round_trip.rs proves to be what
/// we encode.
#[test]
fn tshark_reads_every_message() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    for version in [0, 11, 15, 17, 18, 20, 22] {
        let mut sent = Vec::new();
        for info in MESSAGES.iter().filter(|info| info.modelled && !ONLY_SAMPLES.contains(&info.id)) {
            for seed in 0..8 {
                let mut draw = generate::seeded(u64::from(info.id) << 8 | seed);
                // It reads UpdateCapabilitiesV3 with all slots only.
                let layout = Layout { all_slots: info.id == 0x44, ..Layout::of_version(version) };
                let mut body = generate::body(info, layout, false, &mut draw);
                if info.id != 0x015A {
                    body.resize(body.len().next_multiple_of(4), 0);
                }
                let mut bytes = Vec::new();
                RawFrame { header_version: version.into(), id: info.id, body: &body }.encode(&mut bytes);
                sent.push((info.direction != Direction::StationToManager, bytes));
            }
        }
        let agreed = compare("every", version, &sent);
        assert!(agreed > 5000, "version {version}: only {agreed} values were compared");
    }
}

/// Compares our reading of these frames with tshark's; how many values were the same.
fn compare(name: &str, version: u8, sent: &[(bool, Vec<u8>)]) -> usize {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{version}.pcap"));
    write_capture(&path, sent);
    let packets = dissect(&path);
    assert_eq!(packets.len(), sent.len());

    let mut agreed = 0;
    for ((from_manager, bytes), theirs) in sent.iter().zip(packets) {
        let received = Either::strict(frame(bytes), *from_manager, Context::new(version)).unwrap();
        let info = message_info(frame(bytes).id).unwrap();
        let place = format!("version {version}, {}", info.name);
        assert_eq!(theirs.name, info.standard_name.replace("Message", ""), "{place}");
        if theirs.malformed {
            assert!(known_wrong(info.name, "", version), "{place} is malformed");
            continue;
        }
        let mut ours = Ours::default();
        received.visit(&mut ours);
        for (name, values) in ours.0 {
            // What it does not show at all (bit fields, fields of other versions) cannot be compared.
            for (ours, theirs) in values.iter().zip(theirs.fields.get(&name).into_iter().flatten()) {
                if !known_wrong(info.name, &name, version) && !is_astray(&received, &name) {
                    assert_eq!(ours, theirs, "{place}: {name}");
                    agreed += 1;
                }
            }
        }
    }
    agreed
}

/// Our values by tshark's way to write a name.
#[derive(Default)]
struct Ours(BTreeMap<String, Vec<String>>);

impl codec::Visitor for Ours {
    fn value(&mut self, at: At, value: Value<'_>) {
        let value = match value {
            Value::Unsigned(value) | Value::Enum { raw: value, .. } => value.to_string(),
            Value::Signed(value) => value.cast_unsigned().to_string(),
            Value::Text(text) if text.is_ascii() => String::from_utf8_lossy(text).into_owned(),
            Value::Address(address) => address.to_string(),
            Value::Text(_) | Value::Bytes(_) => return,
        };
        let name = at.field.name.replace('_', "");
        let name = TSHARK_NAMES
            .iter()
            .find(|(ours, _)| *ours == name)
            .map_or(name, |(_, theirs)| (*theirs).to_owned());
        self.0.entry(name).or_default().push(value);
    }
}

/// What tshark says of one packet.
#[derive(Default)]
struct Theirs {
    name: String,
    malformed: bool,
    fields: BTreeMap<String, Vec<String>>,
}

fn dissect(path: &std::path::Path) -> Vec<Theirs> {
    let output = Command::new("tshark").arg("-r").arg(path).args(["-T", "pdml"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut packets = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with("<packet>") {
            packets.push(Theirs::default());
        }
        let Some(packet) = packets.last_mut() else { continue };
        packet.malformed |= line.contains("_ws.malformed");
        let name = attribute(line, "name").and_then(|name| name.strip_prefix("skinny."));
        // The header's own length has nearly the name of a field.
        let Some(name) = name.filter(|name| *name != "data_length") else { continue };
        let show = attribute(line, "show").unwrap_or_default();
        if name == "messageId" {
            let shown = attribute(line, "showname").unwrap_or_default();
            packet.name =
                shown.trim_start_matches("Message ID: ").split(' ').next().unwrap_or_default().to_owned();
        }
        let name = name.trim_end_matches(".ipv4").trim_end_matches(".ipv6");
        let name = name.replace(['.', '_'], "").to_ascii_lowercase();
        let value = match show.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap().to_string(),
            None => show.to_owned(),
        };
        packet.fields.entry(name).or_default().push(value);
    }
    packets
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_once(&format!(" {name}=\""))?.1.split_once('"').map(|(value, _)| value)
}

/// One message per packet, between a manager at port 2000 and a phone.
fn write_capture(path: &std::path::Path, sent: &[(bool, Vec<u8>)]) {
    let mut writer = PcapWriter::new(std::fs::File::create(path).unwrap()).unwrap();
    let mut sequence = [1_u32, 1];
    for (from_manager, payload) in sent {
        let side = usize::from(*from_manager);
        let (source, destination) = if *from_manager { ([1], [2]) } else { ([2], [1]) };
        let (from, to) = if *from_manager { (2000, 50000) } else { (50000, 2000) };
        let address = |host: [u8; 1]| [192, 0, 2, host[0]];
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, source[0]], [2, 0, 0, 0, 0, destination[0]])
            .ipv4(address(source), address(destination), 64)
            .tcp(from, to, sequence[side], 65535)
            .ack(sequence[1 - side])
            .psh();
        sequence[side] += u32::try_from(payload.len()).unwrap();
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).unwrap();
        let length = u32::try_from(packet.len()).unwrap();
        writer.write_packet(&PcapPacket::new(std::time::Duration::ZERO, length, &packet)).unwrap();
    }
}
