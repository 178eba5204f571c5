//! Held against the C library (Debian's `libsrtp2-dev`): each packet byte for byte, and what one protects the other one takes. Skips
//! where the library or a compiler is missing.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code: it says what it skips")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selsius_srtp::{Incoming, Outgoing};
use selsius_wire::srtp::{Keys, Suite};

/// The C library, in a process of its own.
struct Oracle {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Oracle {
    fn start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = folder.join("srtp-oracle");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle.c");
        let compiled =
            Command::new("cc").arg("-O1").arg("-o").arg(&program).arg(source).arg("-lsrtp2").output();
        if !compiled.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: no C compiler with libsrtp2 (apt-get install libsrtp2-dev)");
            return None;
        }
        let mut process = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Some(Self { process, to, from })
    }

    fn ask(&mut self, words: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(self.to, "{words} {hex}").unwrap();
        let mut answer = String::new();
        self.from.read_line(&mut answer).unwrap();
        match answer.trim() {
            "error" => None,
            "ok" => Some(Vec::new()),
            hex => Some(
                (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..][..2], 16).unwrap()).collect(),
            ),
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn rtp(chance: &mut ChaCha8Rng, ssrc: u32, sequence: u16) -> Vec<u8> {
    let sources = if chance.random_range(0..8) == 0 { chance.random_range(1..4) } else { 0_u8 };
    let mut packet = vec![0x80 | sources, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..u32::from(sources)).flat_map(u32::to_be_bytes));
    let payload = if chance.random_range(0..16) == 0 { 0 } else { chance.random_range(1..400) };
    packet.extend((0..payload).map(|_| chance.random::<u8>()));
    packet
}

fn rtcp(chance: &mut ChaCha8Rng, ssrc: u32) -> Vec<u8> {
    let words: u16 = chance.random_range(1..30);
    let mut packet = vec![0x80, 201];
    packet.extend(words.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((4..words * 4).map(|_| chance.random::<u8>()));
    packet
}

#[test]
fn the_c_library_says_the_same() {
    let Some(mut oracle) = Oracle::start() else { return };
    let mut chance = ChaCha8Rng::seed_from_u64(4568);
    for suite in Suite::ALL {
        let keys = Keys::random(suite, |bytes| chance.fill(bytes));
        let all = [keys.key(), keys.salt()].concat();
        let name = suite.name();
        if oracle.ask(&format!("keys {name}"), &all).is_none() {
            assert!(name.contains("GCM"), "{name}");
            eprintln!("skipped {name}: this C library was built without it");
            continue;
        }
        let (mut outgoing, mut incoming) = (Outgoing::new(&keys), Incoming::new(&keys));
        // Theirs begins to number RTCP with 1, ours with 0; RFC 3711 lets both.
        outgoing.rtcp(&rtcp(&mut chance, 7)).unwrap();
        let mut sequence = 65_000_u16;
        for round in 0..2500 {
            // One source at first, so that its numbers begin over.
            let ssrc = if round < 1000 { 7 } else { chance.random_range(7..10) };
            let (kind, plain) = if round % 10 == 9 {
                ("rtcp", rtcp(&mut chance, 7))
            } else {
                sequence = sequence.wrapping_add(chance.random_range(1..4));
                ("rtp", rtp(&mut chance, ssrc, sequence))
            };
            let ours = match kind {
                "rtp" => outgoing.rtp(&plain).unwrap(),
                _ => outgoing.rtcp(&plain).unwrap(),
            };
            let theirs = oracle.ask(&format!("protect {kind}"), &plain).unwrap();
            assert_eq!(ours, theirs, "{name}, packet {round}");
            assert!(plain.len() < 32 || ours[24..32] != plain[24..32], "{name}: packet {round} is in clear");
            let back = oracle.ask(&format!("unprotect {kind}"), &theirs).unwrap();
            let ours = match kind {
                "rtp" => incoming.rtp(&theirs).unwrap(),
                _ => incoming.rtcp(&theirs).unwrap(),
            };
            assert!(ours == plain && back == plain, "{name}, packet {round}");
            // Both refuse what was there, and what was changed.
            let mut changed = theirs.clone();
            let at = chance.random_range(0..changed.len());
            changed[at] ^= 1 << chance.random_range(0..8);
            for wrong in [theirs, changed] {
                let refused = match kind {
                    "rtp" => incoming.rtp(&wrong).is_err(),
                    _ => incoming.rtcp(&wrong).is_err(),
                };
                assert!(refused, "{name}, packet {round}");
                assert_eq!(oracle.ask(&format!("unprotect {kind}"), &wrong), None, "{name}, packet {round}");
            }
        }
    }
}
