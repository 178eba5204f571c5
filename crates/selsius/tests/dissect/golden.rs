//! What the formats look like over the captures. `UPDATE_GOLDEN=1 cargo test -p selsius --test dissect golden` writes the
//! files anew; look at the difference.

use std::path::PathBuf;

use crate::support::{CAPTURES, dissect, dissect_input, shared};

/// The capture of an own recording may be shown whole; of the others, the tests below quote a few lines.
const OWN: &str = "freeswitch-v3-call.pcap";

fn golden(name: &str, arguments: &[&str]) {
    let Some(capture) = shared(OWN) else { return };
    let mut arguments = arguments.to_vec();
    arguments.push(&capture);
    let shown = dissect(&arguments).good();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dissect/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, shown).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (number, (shown, expected)) in shown.lines().zip(expected.lines()).enumerate() {
        assert_eq!(shown, expected, "{name}:{}", number + 1);
    }
    assert_eq!(shown.lines().count(), expected.lines().count(), "{name}");
}

#[test]
fn text() {
    golden("text.txt", &[]);
}

#[test]
fn summary() {
    golden("summary.txt", &["--format", "summary"]);
}

#[test]
fn ladder() {
    golden("ladder.txt", &["--format", "ladder", "--call", "1"]);
}

#[test]
fn a_ladder_as_a_picture() {
    let Some(capture) = shared("cucm-v20-call.pcap") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.svg");
    let shown =
        dissect(&["--format", "ladder", "--call", "1", &capture, "--output", path.to_str().unwrap()]).good();
    assert_eq!(shown, "");
    let svg = std::fs::read_to_string(path).unwrap();
    for part in [
        "<svg xmlns=",
        ">Call 1: 321 (RIX Meeting Room) → 307 (Ervins Gailiss)</text>",
        ">192.168.193.24</text>",
        ">StartMediaTransmission</tspan>",
        ">RTP PCMU, packets ← 17  → 18</text>",
        "</svg>\n",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
}

#[test]
fn calls_and_phones_are_chosen() {
    let Some(capture) = shared(OWN) else { return };
    let lines = |arguments: &[&str]| {
        let mut arguments = arguments.to_vec();
        arguments.push(&capture);
        dissect(&arguments).good().lines().count()
    };
    assert_eq!(lines(&["--device", "SEP000000000001", "--format", "json"]), 75);
    assert_eq!(lines(&["--device", "sep000000000002", "--format", "json"]), 62);
    let call = lines(&["--call", "1", "--format", "json"]);
    assert!((50..130).contains(&call), "{call}");
    for (arguments, complaint) in [
        (["--call", "2"], "there is no call 2: the calls are 1 to 1 (see --format summary)"),
        (["--device", "Ben"], "there is no phone Ben: there are SEP000000000001, SEP000000000002"),
    ] {
        let ran = dissect(&[&arguments[..], &[&capture]].concat());
        assert_eq!((ran.code, ran.err), (Some(1), format!("selsius: {complaint}\n")));
    }
    // Standard input is read twice as well.
    let input = std::fs::read(&capture).unwrap();
    let piped = dissect_input(&["-", "--call", "1"], &input).good();
    assert_eq!(piped, dissect(&[&capture, "--call", "1"]).good());
}

#[test]
fn a_summary_tells_who_did_what() {
    for (name, expected) in [
        (
            "callmanager-4.1-7912.pcapng",
            &[
                "65 messages of 1 phone in 49.30 s, 2026-06-03 20:26:39.896 to 20:27:29.196\n",
                "\n1     20:26:50.205  1003 (Python)  1012 (1012)  0 µs        9.00 s          29.99 s  20:27:29.195  SEP001380AD9E5F\n",
                "SEP001380AD9E5F (reference 16777247): RingIn +0 µs, OffHook +9.00 s, Connected +9.00 s, OnHook +38.99 s\n",
                // From another port than the one that was signalled.
                "\n1     10.102.219.27:64037  SEP001380AD9E5F at 10.102.10.209:16384  G711Ulaw64k 20 ms  PCMU  1492     0     1.4 ms  7.0 ms\n",
                "\nStartMediaTransmission  0         1\n",
                " from 10.102.10.209 to 10.102.172.11:2000 without a message\n",
                "\nAnomalies\n  none\n",
            ][..],
        ),
        (
            "cucm-v20-call.pcap",
            &[
                "\n1     07:52:10.506  321 (RIX Meeting Room)  307 (Ervins Gailiss)  0 µs        3.63 s                  goes on\n",
                // To a recorder.
                "\n1     192.168.195.50:51532  192.168.193.24:9399                           G711Ulaw64k 20 ms  PCMU  17       0 ",
                "\nStartMediaTransmission  6                     62.3 ms  77.5 ms  165.2 ms  165.2 ms\n",
            ],
        ),
    ] {
        let Some(capture) = shared(name) else { return };
        let text = dissect(&["--format", "summary", &capture]).good();
        for line in expected {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}

#[test]
fn a_line_a_message() {
    let Some(capture) = shared("callmanager-4.1-7912.pcapng") else { return };
    let text = dissect(&[&capture]).good();
    for line in [
        "20:26:39.993789      89 SEP001380AD9E5F <── v6  RegisterAck version 6, keepalive 30 s  (1.8 ms after 87)\n",
        "20:26:50.205532     134 SEP001380AD9E5F <── v6  DisplayPromptStatus “From 1003” · line 1, call 16777247\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains('!') && !text.contains('\x1b'), "{text}");
}

#[test]
fn fields_and_bytes() {
    let Some(capture) = shared("cucm-v20-call.pcap") else { return };
    let text = dissect(&["-v", &capture]).good();
    assert!(text.contains("\n        call_state                       RingIn (4)\n"), "{text}");
    let text = dissect(&["-x", &capture]).good();
    for line in [
        "\n         8..12  11 01 00 00                                      message id                       0x0111\n",
        "\n        12..16  04 00 00 00                                      call_state                       RingIn (4)\n",
        "\n        24..30  80 17 33 32 31 00                                prompt_status                    “From 321”\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

/// With `-x` every byte of every message is shown exactly once, in order.
#[test]
fn every_byte_is_shown_once() {
    for name in CAPTURES {
        let Some(capture) = shared(name) else { return };
        let text = dissect(&["-x", &capture]).good();
        let mut at = 0;
        let mut length = 0;
        let mut messages = 0;
        for line in text.lines() {
            let Some(row) = line.strip_prefix("    ") else {
                assert_eq!(at, length, "{name}: before {line}");
                (at, length) = (0, 0);
                continue;
            };
            let (place, rest) = row.trim_start().split_once(' ').unwrap_or_default();
            let Some((start, end)) = place.split_once("..") else { continue };
            let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
            assert_eq!(start, at, "{name}: {line}");
            if start == 0 {
                messages += 1;
                length = rest.split_whitespace().last().unwrap().parse::<usize>().unwrap() + 8;
            }
            let bytes = rest.trim_start().split(' ').take_while(|byte| byte.len() == 2).count();
            assert_eq!(bytes, (end - start).min(16), "{name}: {line}");
            at = start + bytes;
        }
        assert!(messages > 60, "{name}");
    }
}

#[test]
fn json_has_what_it_promises() {
    for name in CAPTURES {
        let Some(capture) = shared(name) else { return };
        for message in dissect(&["--format", "json", &capture]).json() {
            let keys: Vec<_> = message.as_object().unwrap().keys().cloned().collect();
            let mut expected = [
                "frame",
                "time",
                "stream",
                "src",
                "dst",
                "from",
                "device",
                "version",
                "id",
                "name",
                "length",
                "fields",
                "anomalies",
                "answers",
            ];
            expected.sort_unstable();
            let mut keys: Vec<_> = keys.iter().map(String::as_str).collect();
            keys.sort_unstable();
            assert_eq!(keys, expected, "{name}");
            let id = message["id"].as_str().unwrap();
            assert!(id.starts_with("0x") && id.len() == 6, "{id}");
            assert!(["station", "manager"].contains(&message["from"].as_str().unwrap()));
        }
    }
}
