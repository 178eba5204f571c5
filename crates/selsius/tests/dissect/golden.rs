//! What the formats look like over the captures. `UPDATE_GOLDEN=1 cargo test -p selsius --test dissect golden` writes the
//! files anew; look at the difference.

use std::path::PathBuf;

use crate::support::{CAPTURES, dissect, shared};

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
