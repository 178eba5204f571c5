//! `selsius demo` as a person runs it, and its capture file as tshark reads it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

use std::{path::Path, process::Command};

fn demo(arguments: &[&str]) -> (Option<i32>, String) {
    run(Command::new(env!("CARGO_BIN_EXE_selsius")).arg("demo").args(arguments))
}

fn run(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
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
fn where_no_sip_program_is_found_the_call_leads_out_and_back_in() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selsius"));
    let (code, text) = run(command.args(["demo", "--fast", "--trunk"]).env("PATH", "/no/such/folder"));
    assert_eq!(code, Some(0), "{text}");
    shows(
        &text,
        &[
            "Neither SIPp nor baresip is installed here. With one of them (Debian: sip-tester, baresip)",
            "a trunk that leads from 9 and a number back in, and two phones",
            "Alice lifts her handset and dials 91002",
            "── DisplayPromptStatusV2 “From 1001” ──",
            "RTP PCMU, 440 Hz from Alice, 1000 Hz from Bob",
            "  Alice 1001 called 91002 over the trunk \"outside\": rang ",
            "  SEP020000001001 counted ",
            "  SEP020000001002 counted ",
            "✓ both heard the other's tone without loss, and the manager recorded the call",
        ],
    );
}

/// What stands in the ladder in this order, and nothing is missing.
fn shows(text: &str, lines: &[&str]) {
    let mut rest = text;
    for line in lines {
        let Some((_, after)) = rest.split_once(line) else {
            panic!("`{line}` is missing, or out of order, in\n{text}");
        };
        rest = after;
    }
    assert!(!text.contains('✗') && !text.contains('\x1b'), "{text}");
}

#[test]
fn a_sip_call_goes_out_and_one_comes_in_with_both_protocols_in_one_picture() {
    if Command::new("sipp").arg("-v").output().is_err() {
        eprintln!("skipped: no sipp (Debian: sip-tester)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [capture, picture] = ["demo.pcap", "demo.svg"].map(|name| folder.path().join(name));
    let (capture, picture) = (capture.to_str().unwrap(), picture.to_str().unwrap());
    let (code, text) = demo(&["--fast", "--trunk", "--pcap", capture, "--svg", picture]);
    assert_eq!(code, Some(0), "{text}");
    let ladder = [
        "          Alice 1001 ",
        "Alice lifts her handset and dials 92000",
        "── KeypadButton 0 ──",
        "── INVITE sip:2000@127.0.0.1:",
        "<─ 180 Ringing INVITE ──",
        "<─ StartTone AlertingTone ──",
        "<─ 200 OK INVITE, SDP ──",
        "── ACK ──",
        "RTP PCMU through the manager, 440 Hz there, 440 Hz back",
        "── OnHook ──",
        "── BYE ──",
        "<─ 200 OK BYE ──",
        "SIPp calls 1001",
        "<─ INVITE sip:1001@127.0.0.1:",
        "── 180 Ringing INVITE ──",
        "── OffHook ──",
        "── 200 OK INVITE, SDP ──",
        "<─ ACK ──",
        "── OnHook ──",
        "── BYE ──",
        "<─ 200 OK BYE ──",
    ];
    let report = [
        "  Alice  1001  440 Hz for ",
        "in the call that went out",
        "  Alice  1001  440 Hz for ",
        "in the call that came in",
        "  Alice 1001 called 92000 over the trunk \"outside\": rang ",
        "  Zoe 2000 called Alice 1001, in over the trunk \"outside\": rang ",
        "✓ Alice called out over SIP, SIPp answered, and she heard herself come back",
        "✓ SIPp called in, Alice's phone showed 2000, she answered and heard 440 Hz",
        "✓ the manager recorded both calls with their trunk",
    ];
    shows(&text, &[&ladder[..], &report].concat());
    let port =
        text.split_once("A manager on 127.0.0.1:").and_then(|(_, rest)| rest.split(',').next()).unwrap();
    let mut dissect = Command::new(env!("CARGO_BIN_EXE_selsius"));
    dissect.args(["dissect", "--port", port, "--format", "ladder", "--call", "2", capture]);
    let (code, page) = run(&mut dissect);
    assert_eq!(code, Some(0), "{page}");
    shows(
        &page,
        &["<─ INVITE sip:1001@127.0.0.1:", "── OffHook ──", "── 200 OK INVITE, SDP ──", "── BYE ──"],
    );
    assert!(!page.contains("sip:2000@"), "the first call is no part of the second: {page}");
    let svg = std::fs::read_to_string(picture).unwrap();
    for part in ["KeypadButton", ">INVITE<", ">200 OK<", "from another system", "SIPp 2000", "</svg>"] {
        assert!(svg.contains(part), "`{part}` is missing in the picture");
    }
}

#[test]
fn without_sipp_baresip_takes_the_call_and_calls() {
    let Some(baresip) = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("baresip"))
        .find(|path| path.exists())
    else {
        eprintln!("skipped: no baresip");
        return;
    };
    // A path with nothing else in it.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(baresip, folder.path().join("baresip")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_selsius"));
    let (code, text) = run(command.args(["demo", "--fast", "--trunk"]).env("PATH", folder.path()));
    assert_eq!(code, Some(0), "{text}");
    let shown = [
        "── INVITE sip:2000@127.0.0.1:",
        "<─ 200 Answering INVITE, SDP ──",
        "── ACK ──",
        "── BYE ──",
        "baresip calls 1001",
        "<─ INVITE sip:1001@127.0.0.1:",
        "✓ Alice called out over SIP, baresip answered, and she heard herself come back",
        "✓ baresip called in, Alice's phone showed 2000, she answered and heard 600 Hz",
    ];
    shows(&text, &shown);
}

#[test]
fn a_conference_is_mixed_and_nobody_hears_himself() {
    let (code, text) = demo(&["--fast", "--conference"]);
    assert_eq!(code, Some(0), "{text}");
    let report = [
        "all three are together",
        "440 Hz; the others mixed",
        "  Alice  1001  Bob (1000 Hz) at -",
        "of the own 440 Hz -",
        "  Bob    1002  Alice (440 Hz) at -",
        "  Carol  1003  Alice (440 Hz) at -",
        "✓ Alice heard Bob and Carol, and nothing of Alice",
        "✓ Bob heard Alice and Carol, and nothing of Bob",
        "✓ Carol heard Alice and Bob, and nothing of Carol",
        "✓ when Alice had left Bob and Carol heard each other alone",
    ];
    shows(&text, &report);
}

#[test]
fn a_message_is_left_and_heard() {
    let (code, text) = demo(&["--fast", "--voicemail"]);
    assert_eq!(code, Some(0), "{text}");
    let report = [
        "the greeting",
        "a beep, and then 440 Hz from Alice",
        "Bob calls 1999",
        "440 Hz, the message",
        "  Bob    1002  440 Hz for ",
        " s at -10.",
        "✓ Alice heard the greeting and the beep, and left 440 Hz",
        "✓ when Bob's phone came its lamp for messages was lit",
        "✓ Bob heard Alice's 440 Hz, deleted the message, and the lamp went out",
    ];
    shows(&text, &report);
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
