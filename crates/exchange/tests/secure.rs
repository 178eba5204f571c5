//! Audio that is encrypted: who speaks SRTP with whom, and with which keys.

#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use std::net::SocketAddr;

use bench::{Bench, edit_phone, office};
use selsius_exchange::{
    AnchorOrder, Config, Input, RemoteAudio, Seed, SessionId, TrunkEvent, TrunkLegId, TrunkOrder,
    record::Party,
    srtp::{Keys, PartyKeys, Suite},
};
use selsius_site::{Action, CodecName, MediaPath, Name, Route, Site, Trunk, TrunkKind};
use selsius_wire::{
    ManagerMessage,
    value::{MediaStatus, SoftKey},
};

const CONFERENCE: u32 = 13;

/// 1001, 1002 and 1003 can encrypt, 1004 cannot; "9..." leads out, and "5" to the manager's own services.
fn secured() -> Site {
    let mut site = office();
    for number in ["1001", "1002", "1003"] {
        edit_phone(&mut site, number, |device| device.srtp = true);
    }
    let name = |name: &str| name.parse::<Name>().unwrap();
    site.trunks.insert(name("carrier"), Trunk { kind: TrunkKind::Sip, ..Trunk::default() });
    site.trunks.insert(name("services"), Trunk { kind: TrunkKind::Services, ..Trunk::default() });
    let mut route = |pattern: &str, trunk: &str| {
        let action = Action::Trunks([name(trunk)].into());
        site.routes.insert(pattern.parse().unwrap(), Route { action, ..Route::default() });
    };
    route("9X", "carrier");
    route("5", "services");
    site
}

/// The keys that phones were told, by the media orders that they got: of what to hear, and of what to send.
#[derive(Debug, Default)]
struct Told {
    hears: Vec<Option<Keys>>,
    sends: Vec<Option<Keys>>,
}

/// Answers what these phones are asked, and says what keys they were told.
fn told<const N: usize>(bench: &mut Bench, phones: [SessionId; N]) -> [Told; N] {
    let mut all = [(); N].map(|()| Told::default());
    for _ in 0..3 {
        for (phone, told) in phones.iter().zip(&mut all) {
            for message in bench.messages(*phone) {
                match message {
                    ManagerMessage::OpenReceiveChannel(open) => {
                        told.hears.push(open.encryption.keys().unwrap());
                        let host = bench.host(*phone);
                        bench.ack(*phone, open.pass_through_party_id, host, 10_000, MediaStatus::Ok);
                    }
                    ManagerMessage::StartMediaTransmission(start) => {
                        told.sends.push(start.encryption.keys().unwrap());
                    }
                    _ => {}
                }
            }
        }
        bench.mixer_answers();
    }
    all
}

/// The keys of each party of the media services, as they were told last.
fn parties(bench: &Bench) -> Vec<(u32, Option<PartyKeys>)> {
    let mut parties = Vec::new();
    for order in &bench.mixer {
        match order {
            AnchorOrder::Join { party, srtp, .. } => parties.push((*party, *srtp)),
            AnchorOrder::Change { party, srtp, .. } => {
                parties.iter_mut().filter(|(known, _)| known == party).for_each(|(_, keys)| *keys = *srtp);
            }
            AnchorOrder::Leave { party } => parties.retain(|(known, _)| known != party),
            AnchorOrder::Send { .. }
            | AnchorOrder::Digit { .. }
            | AnchorOrder::Record { .. }
            | AnchorOrder::RecordingEnds { .. } => {}
        }
    }
    parties
}

fn ring_and_answer(bench: &mut Bench, caller: SessionId, called: SessionId, number: &str) {
    bench.off_hook(caller);
    bench.dial(caller, number);
    bench.off_hook(called);
}

/// The one key that a phone was told for each direction, the last one.
fn last(told: &Told) -> (Option<Keys>, Option<Keys>) {
    (*told.hears.last().unwrap(), *told.sends.last().unwrap())
}

#[test]
fn two_that_can_have_a_key_each_way_and_new_ones_after_a_hold() {
    let mut bench = Bench::new(secured());
    let [alice, bob] = ["1001", "1002"].map(|number| bench.phone(number));
    ring_and_answer(&mut bench, alice, bob, "1002");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let [one, other] = told(&mut bench, [alice, bob]);
        assert_eq!((one.hears.len(), one.sends.len(), other.hears.len(), other.sends.len()), (1, 1, 1, 1));
        let (hears, sends) = last(&one);
        assert_eq!(last(&other), (sends, hears), "each hears by what the other sends");
        let (hears, sends) = (hears.unwrap(), sends.unwrap());
        assert_eq!(hears.suite(), Suite::AesCm128HmacSha1_32);
        assert!(hears != sends && !seen.contains(&hears) && !seen.contains(&sends), "no key twice");
        seen.extend([hears, sends]);
        bench.press(alice, SoftKey::Hold);
        bench.press_on(alice, SoftKey::Resume, 0);
    }
    assert!(bench.mixer.is_empty(), "they talk to each other directly");
    bench.on_hook(alice);
    bench.assert_quiet();
    // Another exchange has other keys, if it has another seed.
    let mut same = Bench::new(secured());
    let [alice, bob] = ["1001", "1002"].map(|number| same.phone(number));
    ring_and_answer(&mut same, alice, bob, "1002");
    assert_eq!(told(&mut same, [alice, bob])[0].hears, [Some(seen[0])]);
    let config = Config { seed: Seed([1; 32]), ..Config::default() };
    let mut unlike = Bench::with(config, secured());
    let [alice, bob] = ["1001", "1002"].map(|number| unlike.phone(number));
    ring_and_answer(&mut unlike, alice, bob, "1002");
    assert_ne!(told(&mut unlike, [alice, bob])[0].hears, [Some(seen[0])]);
}

#[test]
fn with_one_that_cannot_all_goes_in_clear() {
    let mut bench = Bench::new(secured());
    let [alice, dave] = ["1001", "1004"].map(|number| bench.phone(number));
    ring_and_answer(&mut bench, alice, dave, "1004");
    for told in told(&mut bench, [alice, dave]) {
        assert_eq!(last(&told), (None, None));
    }
    assert!(bench.mixer.is_empty());
}

#[test]
fn in_a_conference_each_has_keys_with_the_manager_and_who_left_has_none_of_what_follows() {
    let mut bench = Bench::new(secured());
    let phones = ["1001", "1002", "1003"].map(|number| bench.phone(number));
    let [alice, bob, carol] = phones;
    ring_and_answer(&mut bench, alice, bob, "1002");
    let before = told(&mut bench, [alice, bob]);
    bench.press_on(alice, SoftKey::from(CONFERENCE), 0);
    bench.dial(alice, "1003");
    bench.off_hook(carol);
    told(&mut bench, phones);
    bench.press_on(alice, SoftKey::from(CONFERENCE), 1);
    let mixed = told(&mut bench, phones);
    let parties = parties(&bench);
    assert_eq!(parties.len(), 3);
    for told in &mixed {
        let (hears, sends) = last(told);
        let keys = PartyKeys { sends: sends.unwrap(), hears: hears.unwrap() };
        assert!(parties.iter().any(|(_, known)| *known == Some(keys)), "the services have the same");
        assert!(before.iter().all(|before| before.hears[0] != hears && before.hears[0] != sends));
    }
    bench.on_hook(alice);
    let direct = told(&mut bench, [bob, carol]);
    assert_eq!((last(&direct[0]).0, last(&direct[0]).1), (last(&direct[1]).1, last(&direct[1]).0));
    for told in &direct {
        assert!(
            mixed.iter().all(|mixed| mixed.hears.last() != told.hears.last()),
            "alice knows none of them"
        );
        assert!(told.hears.last().unwrap().is_some());
    }
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn a_phone_that_is_relayed_has_keys_of_its_own_and_the_other_side_needs_none() {
    let mut site = secured();
    edit_phone(&mut site, "1001", |device| device.media = MediaPath::Relay);
    let mut bench = Bench::new(site);
    let [alice, dave] = ["1001", "1004"].map(|number| bench.phone(number));
    ring_and_answer(&mut bench, alice, dave, "1004");
    let [one, other] = told(&mut bench, [alice, dave]);
    let (hears, sends) = last(&one);
    assert!(hears.is_some() && sends.is_some() && hears != sends);
    assert_eq!(last(&other), (None, None));
    let mut keys: Vec<_> = parties(&bench).into_iter().map(|(_, keys)| keys).collect();
    keys.sort_by_key(Option::is_some);
    let expected = PartyKeys { sends: sends.unwrap(), hears: hears.unwrap() };
    assert_eq!(keys, [None, Some(expected)]);
}

#[test]
fn the_managers_own_services_are_reached_through_the_media_services() {
    let mut bench = Bench::new(secured());
    let [alice, dave] = ["1001", "1004"].map(|number| bench.phone(number));
    for (phone, encrypted) in [(alice, true), (dave, false)] {
        bench.off_hook(phone);
        bench.dial(phone, "5");
        let Some(TrunkOrder::Offer { leg, codecs, .. }) = bench.orders.last().cloned() else { panic!() };
        let address = Some(SocketAddr::from(([10, 0, 9, 1], 30_000)));
        let audio = RemoteAudio { codecs: codecs[..1].to_vec(), address, ..RemoteAudio::default() };
        bench.input(Input::Trunk(TrunkEvent::Answered { leg, audio }));
        let [told] = told(&mut bench, [phone]);
        let (hears, sends) = last(&told);
        assert_eq!((hears.is_some(), sends.is_some()), (encrypted, encrypted));
        assert_eq!(parties(&bench).len(), if encrypted { 2 } else { 0 });
        bench.on_hook(phone);
    }
}

#[test]
fn the_keys_of_a_trunk_are_known_before_anything_is_sent_there() {
    let mut bench = Bench::new(secured());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "91");
    told(&mut bench, [alice]);
    let Some(TrunkOrder::Offer { leg, listens, .. }) = bench.orders.last().cloned() else { panic!() };
    assert!(listens.is_some());
    let far = |byte| PartyKeys {
        sends: Keys::random(Suite::AeadAes256Gcm, |bytes| bytes.fill(byte)),
        hears: Keys::random(Suite::AeadAes256Gcm, |bytes| bytes.fill(0xFF)),
    };
    let audio = |port, keys| RemoteAudio {
        codecs: [CodecName::Pcma].into(),
        address: Some(SocketAddr::from(([203, 0, 113, 9], port))),
        srtp: Some(Box::new(keys)),
        ..RemoteAudio::default()
    };
    let party = bench.mixer.iter().find_map(|order| match order {
        AnchorOrder::Join { party, .. } => Some(*party),
        _ => None,
    });
    bench.mixer.clear();
    bench.input(Input::Trunk(TrunkEvent::Answered { leg, audio: audio(4000, far(1)) }));
    let of_trunk = |bench: &Bench| {
        let of_it = bench.mixer.iter().filter_map(|order| match order {
            AnchorOrder::Change { party: it, srtp, .. } if Some(*it) == party => Some(*srtp),
            AnchorOrder::Send { party: it, .. } if Some(*it) == party => Some(None),
            _ => None,
        });
        of_it.collect::<Vec<_>>()
    };
    assert_eq!(of_trunk(&bench)[..2], [Some(far(1)), None], "keys, and then where to send");
    told(&mut bench, [alice]);
    // It changes its keys, and its address; and then only its address.
    for (port, keys, expected) in [(4002, far(2), vec![Some(far(2)), None]), (4004, far(2), vec![None])] {
        bench.mixer.clear();
        bench.input(Input::Trunk(TrunkEvent::Media { leg, audio: audio(port, keys) }));
        assert_eq!(of_trunk(&bench), expected);
    }
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_call_that_comes_in_brings_its_keys() {
    let mut bench = Bench::new(secured());
    let alice = bench.phone("1001");
    let keys = PartyKeys {
        sends: Keys::random(Suite::AesCm128HmacSha1_80, |bytes| bytes.fill(1)),
        hears: Keys::random(Suite::AesCm128HmacSha1_80, |bytes| bytes.fill(2)),
    };
    let audio = RemoteAudio {
        codecs: [CodecName::Pcma].into(),
        address: Some(SocketAddr::from(([203, 0, 113, 9], 4000))),
        srtp: Some(Box::new(keys)),
        ..RemoteAudio::default()
    };
    bench.input(Input::Trunk(TrunkEvent::Offer {
        leg: TrunkLegId(1),
        trunk: "carrier".into(),
        number: "1001".into(),
        calling: Party { number: "0301".into(), ..Party::default() },
        audio,
        redirecting: None,
    }));
    bench.off_hook(alice);
    let [told] = told(&mut bench, [alice]);
    let (hears, sends) = last(&told);
    let alices = PartyKeys { sends: sends.unwrap(), hears: hears.unwrap() };
    let parties: Vec<_> = parties(&bench).into_iter().map(|(_, keys)| keys).collect();
    assert!(
        parties.len() == 2 && parties.contains(&Some(keys)) && parties.contains(&Some(alices)),
        "{parties:?}"
    );
}
