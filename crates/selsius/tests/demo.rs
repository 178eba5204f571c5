//! `selsius demo` as a person runs it, and its capture file as tshark reads it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

use std::{path::Path, process::Command};

fn demo(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_selsius")).arg("demo").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[test]
fn the_demo_shows_a_call_and_writes_it_down() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("demo.pcap");
    let (code, text) = demo(&["--fast", "--pcap", capture.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{text}");
    let shown = [
        "          Alice 1001 ",
        "── Register ──",
        "<─ RegisterAck version 11, keepalive ",
        "── RegisterAck version 22, keepalive ",
        "Alice lifts her handset and dials 1002",
        "<─ StartTone InsideDialTone ──",
        "── KeypadButton 2 ──",
        "── DisplayPromptStatusV2 “From 1001” ──",
        "── SetRinger InsideRing ──",
        "<─ OpenReceiveChannelAck at 127.0.0.1:",
        "RTP PCMU, 440 Hz from Alice, 1000 Hz from Bob",
        "<─ ConnectionStatisticsReq ──",
        "  Alice  1001  1000 Hz for ",
        "  Bob    1002   440 Hz for ",
        " 0 lost, jitter ",
        "  Alice 1001 called Bob 1002: rang ",
        "caller-hung-up",
        "✓ both heard the other's tone without loss, and the manager recorded the call",
    ];
    for line in shown {
        assert!(text.contains(line), "`{line}` is missing in\n{text}");
    }
    assert!(!text.contains('✗') && !text.contains('\x1b'), "{text}");
    read_with_tshark(&capture, &text);
}

#[test]
fn the_demo_leads_a_call_over_a_trunk() {
    let (code, text) = demo(&["--fast", "--trunk"]);
    assert_eq!(code, Some(0), "{text}");
    let shown = [
        "a trunk that leads from 9 and a number back in, and two phones",
        "Alice lifts her handset and dials 91002",
        "── DisplayPromptStatusV2 “From 1001” ──",
        "RTP PCMU, 440 Hz from Alice, 1000 Hz from Bob",
        "  Alice 1001 called 91002 over the trunk \"outside\": rang ",
        "  SEP020000001001 counted ",
        "  SEP020000001002 counted ",
        "✓ both heard the other's tone without loss, and the manager recorded the call",
    ];
    for line in shown {
        assert!(text.contains(line), "`{line}` is missing in\n{text}");
    }
    assert!(!text.contains('✗'), "{text}");
}

/// The whole capture is SCCP and RTP without one malformed message, for somebody else's dissector.
fn read_with_tshark(capture: &Path, text: &str) {
    let port =
        text.split_once("A manager on 127.0.0.1:").and_then(|(_, rest)| rest.split(',').next()).unwrap();
    let tshark = |arguments: &[&str]| {
        let output = Command::new("tshark")
            .args(["-r", capture.to_str().unwrap(), "-d", &format!("tcp.port=={port},skinny")])
            .args(["--enable-heuristic", "rtp_udp"])
            .args(arguments)
            .output();
        output.map(|output| {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        })
    };
    let Ok(wrong) = tshark(&["-Y", "_ws.malformed || _ws.expert.severity >= 6291456 || tcp.analysis.flags"])
    else {
        eprintln!("skipped: tshark is not installed");
        return;
    };
    assert_eq!(wrong, "");
    let ids = tshark(&["-Y", "skinny", "-T", "fields", "-e", "skinny.messageId"]).unwrap();
    let ids: Vec<_> = ids.split([',', '\n']).filter(|id| !id.is_empty()).collect();
    assert!(ids.len() > 100, "{ids:?}");
    let voice = tshark(&["-Y", "rtp.p_type == 0", "-T", "fields", "-e", "udp.srcport"]).unwrap();
    assert!(voice.lines().count() > 50, "{voice}");
}

#[test]
fn a_capture_that_cannot_be_written_is_said_at_once() {
    let (code, text) = demo(&["--fast", "--pcap", "/no/such/folder/demo.pcap"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot write /no/such/folder/demo.pcap"), "{text}");
    assert!(!text.contains("Alice"), "{text}");
}
