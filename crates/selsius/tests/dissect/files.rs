//! Files of every kind and condition.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};

use crate::support::{Made, dissect, dissect_input, shared};

fn keepalives(count: usize) -> Made {
    (0..count).fold(Made::new(), |made, _| made.station(0, 0, &[]).manager(0, 0x100, &[]))
}

#[test]
fn a_file_gzip_and_standard_input_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("made.pcapng");
    let packed = folder.path().join("made.pcapng.gz");
    let made = keepalives(20);
    std::fs::write(&plain, &made.bytes).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&made.bytes).unwrap();
    let gzip = gzip.finish().unwrap();
    std::fs::write(&packed, &gzip).unwrap();

    let text = dissect(&[plain.to_str().unwrap()]).good();
    assert_eq!(text.lines().count(), 1 + 40, "{text}");
    assert!(text.contains("10.0.0.7:50000  <── v0  KeepAliveAck  (1.0 ms after 4)\n"), "{text}");
    assert_eq!(dissect(&[packed.to_str().unwrap()]).good(), text);
    assert_eq!(dissect_input(&["-"], &made.bytes).good(), text);
    assert_eq!(dissect_input(&["-"], &gzip).good(), text);
}

#[test]
fn a_damaged_file_gives_what_it_holds() {
    let made = keepalives(20);
    let whole = dissect_input(&["-"], &made.bytes).good();

    let ran = dissect_input(&["-"], &made.bytes[..made.bytes.len() - 10]);
    assert_eq!(ran.code, Some(1));
    assert!(whole.starts_with(&ran.out) && ran.out.lines().count() == 40, "{}", ran.out);
    let place = made.bytes.len() - 100;
    let expected = format!(
        "selsius: standard input is damaged after packet 42, at byte {place}: it breaks off in the middle of the next one; \
         everything before that was shown\n"
    );
    assert_eq!(ran.err, expected);

    let mut wrong = made.bytes.clone();
    wrong[place + 4] = 0xff;
    let ran = dissect_input(&["-"], &wrong);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(1), 40));
    assert!(ran.err.contains("a block claims 255 bytes"), "{}", ran.err);

    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(&made.bytes).unwrap();
    let gzip = gzip.finish().unwrap();
    let ran = dissect_input(&["-"], &gzip[..gzip.len() - 200]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.lines().count() > 30, "{}", ran.out);
}

#[test]
fn what_is_no_capture_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for (arguments, input, expected) in [
        (vec!["/no/such/file"], &b""[..], "cannot read /no/such/file: No such file"),
        (vec![path], b"", "is a folder: name a capture file"),
        (vec!["-"], b"", "standard input is empty"),
        (vec!["--interface", "no0"], b"", "there is no network interface no0: there are lo"),
        (vec!["--interface", "lo", "--call", "1"], b"", "need a whole capture: keep one with --write FILE"),
        (
            vec!["-"],
            b"#!/bin/sh",
            "is no capture file (pcap or pcapng; it begins with 23 21 2f 62): make one with",
        ),
        (vec!["-"], b"PK\x03\x04....", "is a zip archive: unpack it first"),
    ] {
        let ran = dissect_input(&arguments, input);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (Some(1), "", 1), "{}", ran.err);
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
}

#[test]
fn fragments_are_put_together() {
    let made = Made::new()
        .station(0, 0, &[])
        .fragmented(0x0003, &[7, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0])
        .station(0, 0, &[]);
    let messages = made.json();
    let names: Vec<_> = messages.iter().map(|message| message["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["KeepAlive", "KeypadButton", "KeepAlive"]);
    assert_eq!(
        (&messages[1]["fields"]["call_reference"], &messages[1]["anomalies"]),
        (&9.into(), &vec![0; 0].into())
    );
}

#[test]
fn readers_may_leave() {
    let Some(capture) = shared("callmanager-4.1-7912.pcapng") else { return };
    let mut child = Command::new(env!("CARGO_BIN_EXE_selsius"))
        .args(["dissect", "-x", &capture])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert_eq!((child.wait().unwrap().code(), complaints.as_str()), (Some(0), ""));
}

#[test]
fn a_port_can_be_told() {
    let Some(capture) = shared("chan-sccp-v3-call.pcap") else { return };
    let told = dissect(&["--port", "2001", &capture]).good();
    assert_eq!(told, dissect(&[&capture]).good());
    assert_eq!(told.lines().count(), 172 + 1);
}
