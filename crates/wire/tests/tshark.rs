//! An independent reader of what we send: `tshark` decodes it without a malformed packet, and finds the same
//! names and values in it. Where it is known to be wrong (end of wire-facts), the list below says so.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code: it says what it skips")]

mod common;
#[path = "common/sample.rs"]
mod sample;

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use common::{Either, frame};
use etherparse::PacketBuilder;
use pcap_file::pcap::{PcapPacket, PcapWriter};
use selsius_wire::{
    DeviceType, Dialect, Features, codec,
    codec::{At, Value},
    message_info,
};

const VERSIONS: [u8; 8] = [3, 7, 11, 15, 17, 18, 20, 22];

/// A message, a field (none: tshark says "malformed"; `*`: any), the versions, and why.
type KnownWrong = (&'static str, &'static str, fn(u8) -> bool, &'static str);

/// Where tshark disagrees and is known to be wrong.
const KNOWN_WRONG: [KnownWrong; 14] = [
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
];

fn known_wrong(message: &str, field: &str, version: u8) -> bool {
    KNOWN_WRONG
        .iter()
        .any(|(name, of, when, _)| *name == message && when(version) && (*of == field || *of == "*"))
}

/// Fields that we call otherwise.
const TSHARK_NAMES: [(&str, &str); 11] = [
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
        let agreed = read_version(version);
        assert!(agreed > 300, "version {version}: only {agreed} values were compared");
    }
}

fn read_version(version: u8) -> usize {
    let features = Features([0x20, 0x00, 0x85]);
    let dialect = Dialect::negotiate(version, features, DeviceType::Cisco7965);
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
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("version-{version}.pcap"));
    write_capture(&path, &sent);
    let packets = dissect(&path);
    assert_eq!(packets.len(), sent.len());

    let mut agreed = 0;
    for ((from_manager, bytes), theirs) in sent.iter().zip(packets) {
        let received = Either::strict(frame(bytes), *from_manager, dialect.context()).unwrap();
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
                if !known_wrong(info.name, &name, version) {
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
        let Some(name) = attribute(line, "name").and_then(|name| name.strip_prefix("skinny.")) else {
            continue;
        };
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
