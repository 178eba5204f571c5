//! Paging groups, by multicast and by unicast.
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

mod bench;

use bench::{Bench, office};
use selsius_exchange::{
    AnchorOrder, Input, RemoteAudio, TrunkEvent, TrunkLegId, record::EndCause, remembered::LineState,
};
use selsius_site::{PagingGroup, PagingMode, Site, Trunk};
use selsius_wire::{
    ManagerMessage, message,
    value::{ChannelStatus, SoftKey},
};

/// The number of the group of Bob, Carol and Dave.
const GROUP: &str = "700";

fn with_group(mode: PagingMode) -> Site {
    let mut site = office();
    let group = PagingGroup {
        name: "Hall".into(),
        lines: ["1002", "1003", "1004"].map(|number| number.parse().unwrap()).into(),
        mode,
        address: Some("239.1.2.3:20480".parse().unwrap()),
        ..PagingGroup::default()
    };
    site.paging_groups.insert(GROUP.parse().unwrap(), group);
    site
}

fn brief(messages: &[ManagerMessage]) -> Vec<String> {
    messages.iter().map(bench::brief).collect()
}

#[test]
fn a_multicast_page_is_heard_by_all_who_are_free() {
    let mut bench = Bench::new(with_group(PagingMode::Multicast));
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let (carol, dave) = (bench.phone("1003"), bench.phone("1004"));
    // Dave dials: he is not disturbed.
    bench.off_hook(dave);
    bench.heard(dave);
    assert_eq!(bench.calls(alice, GROUP), ["Connected"]);
    for phone in [bob, carol] {
        assert_eq!((bench.states(phone), bench.prompt(phone, 0).as_str()), (vec!["Whisper"], "Paging"));
        assert_eq!(bench.keys(phone, 0), ["EndCall"]);
        let messages = bench.messages(phone);
        assert_eq!(
            brief(&messages),
            [
                "SetSpeakerMode On",
                "SetLamp 1 On",
                "CallState OffHook",
                "ActivateCallPlane",
                "SelectSoftKeys 3",
                "Prompt From 1001",
                "CallInfo 1001 to 700",
                "SetRinger RingOff",
                "StopTone",
                "StopTone",
                "CallState Whisper",
                "SelectSoftKeys 1",
                "Prompt Paging",
                "CallInfo 1001 to 700",
                "StartMulticastMediaReception",
                "StartTone Zip",
            ]
        );
        let start = messages.iter().find_map(|message| match message {
            ManagerMessage::StartMulticastMediaReception(start) => Some(start),
            _ => None,
        });
        let start = start.unwrap();
        assert_eq!(start.multicast_ip_addr.ip.to_string(), "239.1.2.3");
        assert_eq!(start.multicast_port_number, 20_480);
    }
    assert_eq!(bench.prompt(alice, 0), "Paging");
    let heard = bench.heard(alice);
    assert!(heard.contains(&"StartMulticastMediaTransmission".into()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("StartTone Zip"));
    assert!(bench.heard(dave).is_empty());

    bench.on_hook(alice);
    let heard = bench.heard(bob);
    assert!(heard.contains(&"StopMulticastMediaReception".into()), "{heard:?}");
    assert!(bench.heard(alice).contains(&"StopMulticastMediaTransmission".into()));
    bench.on_hook(dave);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!((ended[0].cause, ended[0].called.number.as_str()), (EndCause::CallerHungUp, GROUP));
    assert_eq!((ended[0].called.name.as_str(), ended[0].codec.as_str()), ("Hall", "PCMU"));
}

#[test]
fn who_lifts_the_handset_leaves_the_page() {
    let mut bench = Bench::new(with_group(PagingMode::Multicast));
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.calls(alice, GROUP);
    bench.off_hook(bob);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["OffHook"], vec!["Whisper"]));
    bench.dial(bob, "1001");
    assert_eq!(bench.states(alice), ["Connected", "RingIn"]);
    bench.on_hook(bob);
    // The last one leaves: there is nobody to speak to.
    bench.press_on(carol, SoftKey::EndCall, 0);
    assert!(bench.states(alice).is_empty());
    bench.assert_quiet();
}

#[test]
fn a_page_that_nobody_hears_is_busy() {
    let mut bench = Bench::new(with_group(PagingMode::Multicast));
    let alice = bench.phone("1001");
    assert_eq!(bench.calls(alice, GROUP), ["Busy"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn who_is_not_to_be_disturbed_hears_no_page() {
    let mut bench = Bench::new(with_group(PagingMode::Multicast));
    let quiet = LineState { do_not_disturb: true, ..LineState::default() };
    bench.exchange.remember([("1002".parse().unwrap(), quiet)], []);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.calls(alice, GROUP);
    assert_eq!((bench.states(bob).len(), bench.states(carol)), (0, vec!["Whisper"]));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_phone_that_cannot_listen_leaves() {
    let mut bench = Bench::new(with_group(PagingMode::Multicast));
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.calls(alice, GROUP);
    for (phone, status) in [(carol, ChannelStatus::Ok), (bob, ChannelStatus::Error)] {
        let party = bench.view(phone).legs[0].multicast.unwrap().channel.party;
        bench.say(
            phone,
            message::MulticastMediaReceptionAck {
                multicast_reception_status: status,
                pass_through_party_id: party,
                call_reference: 0,
            },
        );
    }
    assert_eq!((bench.states(bob).len(), bench.states(carol)), (0, vec!["Whisper"]));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_page_cannot_be_held_transferred_or_made_a_conference() {
    let mut bench = Bench::new(with_group(PagingMode::Multicast));
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.phone("1003");
    bench.calls(alice, GROUP);
    for phone in [alice, bob] {
        let state = bench.states(phone);
        for key in [SoftKey::Hold, SoftKey::from(4), SoftKey::from(13), SoftKey::from(15), SoftKey::Answer] {
            bench.press_on(phone, key, 0);
            assert_eq!(bench.states(phone), state, "{key:?}");
        }
    }
    // Another call of the caller's ends it.
    bench.press(alice, SoftKey::NewCall);
    assert_eq!((bench.states(alice), bench.states(bob).len()), (vec!["OffHook"], 0));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_unicast_page_goes_through_the_mixer_and_only_the_caller_is_heard() {
    let mut bench = Bench::new(with_group(PagingMode::Unicast));
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.calls(alice, GROUP);
    let joined = bench.mixer.iter().filter(|order| matches!(order, AnchorOrder::Join { .. })).count();
    assert_eq!(joined, 3);
    bench.mixer_answers();
    bench.open_audio(&[alice, bob, carol]);
    assert!(bench.sends_to(alice).unwrap().starts_with("10.0.9.1:"));
    assert_eq!((bench.sends_to(bob), bench.sends_to(carol)), (None, None));
    let listening = bench.mixer.iter().filter(|order| matches!(order, AnchorOrder::Send { .. })).count();
    assert_eq!(listening, 3, "the mixer knows where all listen");
    // Who does not open a channel only leaves.
    bench.on_hook(bob);
    assert_eq!((bench.states(carol), bench.states(alice)), (vec!["Whisper"], vec!["Connected"]));
    bench.on_hook(alice);
    bench.assert_quiet();
    let left = bench.mixer.iter().filter(|order| matches!(order, AnchorOrder::Leave { .. })).count();
    assert_eq!(left, 3);
}

#[test]
fn a_phone_without_audio_only_leaves_a_unicast_page() {
    let mut bench = Bench::new(with_group(PagingMode::Unicast));
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.calls(alice, GROUP);
    bench.open_audio(&[alice, carol]);
    bench.wait(std::time::Duration::from_secs(10));
    assert_eq!((bench.states(bob).len(), bench.states(carol)), (0, vec!["Whisper"]));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_page_from_outside_goes_through_the_mixer() {
    let mut site = with_group(PagingMode::Multicast);
    site.trunks.insert("city".parse().unwrap(), Trunk::default());
    let mut bench = Bench::new(site);
    let bob = bench.phone("1002");
    bench.input(Input::Trunk(TrunkEvent::Offer {
        leg: TrunkLegId(1),
        trunk: "city".into(),
        number: GROUP.into(),
        calling: Default::default(),
        audio: RemoteAudio { address: Some("192.0.2.1:4000".parse().unwrap()), ..RemoteAudio::default() },
        redirecting: None,
    }));
    assert_eq!(bench.states(bob), ["Whisper"]);
    assert_eq!(bench.view(bob).legs[0].multicast, None);
    assert!(bench.mixer.iter().any(|order| matches!(order, AnchorOrder::Join { .. })));
    for held in [true, false] {
        bench.input(Input::Trunk(TrunkEvent::Hold { leg: TrunkLegId(1), held }));
    }
    bench.input(Input::Trunk(TrunkEvent::Redirect { leg: TrunkLegId(1), number: "1003".into() }));
    assert_eq!(bench.states(bob), ["Whisper"]);
    bench.input(Input::Trunk(TrunkEvent::HungUp { leg: TrunkLegId(1), cause: EndCause::CallerHungUp }));
    bench.assert_quiet();
}

#[test]
fn it_ends_with_the_phones() {
    for mode in [PagingMode::Multicast, PagingMode::Unicast] {
        let mut bench = Bench::new(with_group(mode));
        let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
        bench.calls(alice, GROUP);
        bench.close(bob);
        assert_eq!((bench.states(alice), bench.states(carol)), (vec!["Connected"], vec!["Whisper"]));
        bench.close(carol);
        assert!(bench.states(alice).is_empty());
        let bob = bench.phone("1002");
        bench.calls(alice, GROUP);
        assert_eq!(bench.states(bob), ["Whisper"]);
        bench.close(alice);
        bench.assert_quiet();
    }
}
