//! What is refused, what lives on over changes of keys and sources, and vectors of others.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

use selsius_srtp::{Incoming, Outgoing, Refused};
use selsius_wire::srtp::{Keys, Suite};

fn keys(suite: Suite, byte: u8) -> Keys {
    Keys::random(suite, |bytes| bytes.iter_mut().zip(0..).for_each(|(to, at)| *to = byte ^ at))
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let head = [&[0x80, 0][..], &sequence.to_be_bytes(), &[0; 4], &ssrc.to_be_bytes()].concat();
    [&head[..], &[0xAB; 160]].concat()
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    [&[0x80, 201, 0, 3][..], &ssrc.to_be_bytes(), &[0xCD; 8]].concat()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// The reference packet that the C library checks itself with; its master key and salt are those of RFC 3711 section B.3.
#[test]
fn the_reference_packet_of_rfc_3711() {
    let all = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let keys = Keys::new(Suite::AesCm128HmacSha1_80, &all).unwrap();
    let plain = hex("800f1234decafbadcafebabe abababab abababab abababab abababab");
    let protected =
        hex("800f1234decafbadcafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb");
    assert_eq!(Outgoing::new(&keys).rtp(&plain).unwrap(), protected);
    assert_eq!(Incoming::new(&keys).rtp(&protected).unwrap(), plain);
}

#[test]
fn what_is_not_theirs_is_refused_and_told_apart() {
    for suite in Suite::ALL {
        let mut outgoing = Outgoing::new(&keys(suite, 1));
        let mut incoming = Incoming::new(&keys(suite, 1));
        let plain = rtp(7, 100);
        let protected = outgoing.rtp(&plain).unwrap().to_vec();
        // Sequence numbers are never used twice.
        assert_eq!(outgoing.rtp(&plain), Err(Refused::Replayed));
        assert_eq!(incoming.rtp(&plain), Err(Refused::Forged), "{suite:?}: in clear");
        assert_eq!(
            Incoming::new(&keys(suite, 2)).rtp(&protected),
            Err(Refused::Forged),
            "{suite:?}: other keys"
        );
        let mut changed = protected.clone();
        changed[20] ^= 1;
        assert_eq!(incoming.rtp(&changed), Err(Refused::Forged), "{suite:?}: changed");
        // None of that has spoilt anything.
        assert_eq!(incoming.rtp(&protected), Ok(&plain[..]));
        assert_eq!(incoming.rtp(&protected), Err(Refused::Replayed));
        let report = outgoing.rtcp(&rtcp(7)).unwrap().to_vec();
        // What stands where its number would be may look like an old one.
        assert!(incoming.rtcp(&rtcp(7)).is_err(), "{suite:?}: a report in clear");
        assert_eq!(incoming.rtcp(&report), Ok(&rtcp(7)[..]));
        assert_eq!(incoming.rtcp(&report), Err(Refused::Replayed));
        // Older than the window.
        let late = outgoing.rtp(&rtp(7, 101)).unwrap().to_vec();
        for sequence in 102..300 {
            let packet = outgoing.rtp(&rtp(7, sequence)).unwrap();
            assert!(incoming.rtp(packet).is_ok());
        }
        assert_eq!(incoming.rtp(&late), Err(Refused::Replayed));
    }
}

#[test]
fn no_length_and_no_byte_makes_it_panic() {
    for suite in Suite::ALL {
        let (mut outgoing, mut incoming) = (Outgoing::new(&keys(suite, 1)), Incoming::new(&keys(suite, 1)));
        let media = outgoing.rtp(&rtp(7, 1)).unwrap().to_vec();
        let report = outgoing.rtcp(&rtcp(7)).unwrap().to_vec();
        for len in 0..media.len() {
            assert!(incoming.rtp(&media[..len]).is_err(), "{suite:?} {len}");
            let _ = outgoing.rtp(&media[..len]);
            let _ = incoming.rtcp(&media[..len]);
        }
        for len in 0..report.len() {
            assert!(incoming.rtcp(&report[..len]).is_err(), "{suite:?} {len}");
            let _ = outgoing.rtcp(&report[..len]);
        }
        for first in (0..=255).filter(|&first| first != media[0]) {
            // All counts of sources, extensions with and without room for them, all versions.
            let mut packet = media.clone();
            packet[0] = first;
            for len in [0, 12, 16, 30, 76, packet.len()] {
                let _ = incoming.rtp(&packet[..len]);
                let _ = outgoing.rtp(&packet[..len]);
                let _ = incoming.rtcp(&packet[..len]);
                let _ = outgoing.rtcp(&packet[..len]);
            }
        }
        assert!(incoming.rtp(&media).is_ok() && incoming.rtcp(&report).is_ok());
    }
}

#[test]
fn sources_come_and_go_within_bounds() {
    let suite = Suite::AesCm128HmacSha1_32;
    let (mut outgoing, mut incoming) = (Outgoing::new(&keys(suite, 1)), Incoming::new(&keys(suite, 1)));
    let first = outgoing.rtp(&rtp(0, 5)).unwrap().to_vec();
    assert!(incoming.rtp(&first).is_ok());
    for source in 1..16 {
        let packet = outgoing.rtp(&rtp(source, 5)).unwrap().to_vec();
        assert!(incoming.rtp(&packet).is_ok());
        assert_eq!(incoming.rtp(&first), Err(Refused::Replayed));
    }
    // The seventeenth makes the first one unknown.
    assert!(incoming.rtp(outgoing.rtp(&rtp(16, 5)).unwrap()).is_ok());
    assert!(incoming.rtp(&first).is_ok());
}

#[test]
fn old_keys_count_until_the_first_packet_with_new_ones() {
    let suite = Suite::AesCm128HmacSha1_80;
    let (mut before, mut after) = (Outgoing::new(&keys(suite, 1)), Outgoing::new(&keys(suite, 2)));
    let mut incoming = Incoming::new(&keys(suite, 1));
    assert!(incoming.rtp(before.rtp(&rtp(7, 1)).unwrap()).is_ok());
    incoming.rekey(&keys(suite, 2));
    // The same again changes nothing.
    incoming.rekey(&keys(suite, 2));
    let on_its_way = before.rtp(&rtp(7, 2)).unwrap().to_vec();
    assert!(incoming.rtp(&on_its_way).is_ok());
    assert_eq!(incoming.rtp(&on_its_way), Err(Refused::Replayed));
    assert!(incoming.rtcp(after.rtcp(&rtcp(7)).unwrap()).is_ok());
    assert!(incoming.rtp(before.rtp(&rtp(7, 3)).unwrap()).is_ok());
    assert!(incoming.rtp(after.rtp(&rtp(7, 4)).unwrap()).is_ok());
    assert_eq!(incoming.rtp(before.rtp(&rtp(7, 5)).unwrap()), Err(Refused::Forged));
    // And once more, before anything has come with the ones in between.
    incoming.rekey(&keys(suite, 3));
    incoming.rekey(&keys(suite, 4));
    assert!(incoming.rtp(after.rtp(&rtp(7, 6)).unwrap()).is_ok());
    assert!(incoming.rtp(Outgoing::new(&keys(suite, 4)).rtp(&rtp(7, 7)).unwrap()).is_ok());
    assert_eq!(incoming.rtp(after.rtp(&rtp(7, 8)).unwrap()), Err(Refused::Forged));
}

#[test]
fn numbers_that_have_begun_over_still_count_with_new_keys_or_begin_anew() {
    let suite = Suite::AesCm128HmacSha1_80;
    // Some 20 minutes of audio, then new keys; at the moment when the numbers begin over once more, too.
    for (ends, keeps_counting) in [(1000_u16, true), (1000, false), (65535, true)] {
        let (mut before, mut after) = (Outgoing::new(&keys(suite, 1)), Outgoing::new(&keys(suite, 2)));
        let mut incoming = Incoming::new(&keys(suite, 1));
        let old = (0_u32..).map(|at| (at * 1000) as u16).take(66).chain(Some(ends));
        for sequence in old {
            assert!(incoming.rtp(before.rtp(&rtp(7, sequence)).unwrap()).is_ok());
            if keeps_counting {
                after.rtp(&rtp(7, sequence)).unwrap();
            }
        }
        incoming.rekey(&keys(suite, 2));
        for more in 1..100 {
            let packet = after.rtp(&rtp(7, ends.wrapping_add(more))).unwrap();
            assert!(incoming.rtp(packet).is_ok(), "{ends} {keeps_counting} {more}");
        }
    }
}
