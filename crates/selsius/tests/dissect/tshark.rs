//! The same captures in the well-known dissector: the same messages in the same packets.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::support::{CAPTURES, dissect, shared};

#[test]
fn both_see_the_same_messages() {
    for name in CAPTURES {
        let Some(capture) = shared(name) else { return };
        let port = if name.starts_with("chan") {
            "2001"
        } else if name.starts_with("free") {
            "2003"
        } else {
            "2000"
        };
        let output = Command::new("tshark")
            .args(["-r", &capture, "-d", &format!("tcp.port=={port},skinny"), "-Y", "skinny", "-T", "json"])
            .args(["-e", "frame.number", "-e", "skinny.messageId"])
            .output();
        let Ok(output) = output else {
            eprintln!("skipped: tshark is not installed");
            return;
        };
        let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
        let number = |value: &Value| {
            let text = value.as_str().unwrap();
            let hex = text.strip_prefix("0x").map(|hex| u64::from_str_radix(hex, 16));
            hex.unwrap_or_else(|| text.parse()).unwrap()
        };
        let mut expected = BTreeMap::<u64, Vec<u64>>::new();
        for packet in theirs.as_array().unwrap() {
            let layers = &packet["_source"]["layers"];
            let ids = layers["skinny.messageId"].as_array().unwrap().iter().map(number);
            expected.entry(number(&layers["frame.number"][0])).or_default().extend(ids);
        }
        let mut ours = BTreeMap::<u64, Vec<u64>>::new();
        for message in dissect(&["--format", "json", &capture]).json() {
            let id = u64::from_str_radix(&message["id"].as_str().unwrap()[2..], 16).unwrap();
            ours.entry(message["frame"].as_u64().unwrap()).or_default().push(id);
        }
        assert_eq!(ours, expected, "{name}");
    }
}
