//! The seam to other telephone systems, with a trunk that says exactly what a test lets it say, and with the loopback.

#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use std::net::SocketAddr;

use bench::{Bench, office};
use selsius_exchange::{
    Input, RemoteAudio, SessionId, TrunkEvent, TrunkLegId, TrunkOrder,
    loopback::Loopback,
    record::{EndCause, Party},
};
use selsius_site::{Action, CodecName, MediaPath, Name, Route, Site, Trunk, TrunkKind};
use selsius_wire::value::SoftKey;

/// Two trunks: "0..." goes out over the first that can, 8 and four digits over one that leads back here.
fn with_trunks() -> Site {
    let mut site = office();
    let name = |name: &str| name.parse::<Name>().unwrap();
    for trunk in ["carrier", "backup", "loop"] {
        site.trunks.insert(name(trunk), Trunk { calls: 2, ..Trunk::default() });
    }
    site.routes.remove(&"0".parse().unwrap());
    let out = Action::Trunks([name("carrier"), name("backup")].into());
    site.routes.insert("0.X".parse().unwrap(), Route { action: out.clone(), ..Route::default() });
    let prefix = Some("0049".parse().unwrap());
    site.routes.insert("00.X".parse().unwrap(), Route { action: out, prefix, ..Route::default() });
    let back = Action::Trunks([name("loop")].into());
    site.routes.insert("8.XXXX".parse().unwrap(), Route { action: back, ..Route::default() });
    site
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], port))
}

fn listens(port: u16) -> RemoteAudio {
    RemoteAudio { address: Some(address(port)), ..RemoteAudio::default() }
}

fn speaks(codec: CodecName, port: u16) -> RemoteAudio {
    RemoteAudio { codecs: [codec].into(), ..listens(port) }
}

impl Bench {
    fn trunk(&mut self, event: TrunkEvent) {
        self.input(Input::Trunk(event));
    }

    /// The order that offered the latest call: its name, trunk and number.
    fn offered_call(&self) -> (TrunkLegId, String, String) {
        let offer = self.orders.iter().rev().find_map(|order| match order {
            TrunkOrder::Offer { leg, trunk, number, .. } => Some((*leg, trunk.clone(), number.clone())),
            _ => None,
        });
        offer.unwrap()
    }

    /// What trunks were told since the last time, by name.
    fn told(&mut self) -> Vec<String> {
        let orders = std::mem::take(&mut self.orders);
        orders
            .iter()
            .map(|order| match order {
                TrunkOrder::Offer { trunk, number, .. } => format!("Offer {trunk} {number}"),
                TrunkOrder::Ringing { .. } => "Ringing".into(),
                TrunkOrder::Answer { by, .. } => format!("Answer {}", by.number),
                TrunkOrder::Media { address, .. } => format!("Media {address}"),
                TrunkOrder::Hold { held, .. } => format!("Hold {held}"),
                TrunkOrder::Party { party, .. } => format!("Party {}", party.number),
                TrunkOrder::Digit { digit, .. } => format!("Digit {digit}"),
                TrunkOrder::Refer { number, replaces, .. } => {
                    format!("Refer {number}{}", if replaces.is_some() { " replaces" } else { "" })
                }
                TrunkOrder::HangUp { cause, .. } => format!("HangUp {}", cause.name()),
                TrunkOrder::Messages { .. } => "Messages".into(),
            })
            .collect()
    }

    /// Lets the loopback do what it was told until nothing more happens.
    fn run_loopback(&mut self, trunk: &mut Loopback) {
        loop {
            for order in std::mem::take(&mut self.orders) {
                trunk.handle(order);
            }
            let Some(event) = trunk.poll_event() else { return };
            self.trunk(event);
        }
    }
}

#[test]
fn a_call_goes_out_and_its_audio_with_it() {
    let mut bench = Bench::new(with_trunks());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "05");
    assert_eq!(bench.told(), ["Offer carrier 5"]);
    bench.dial(alice, "");
    bench.on_hook(alice);
    assert_eq!(bench.told(), ["HangUp caller-hung-up"]);
    bench.assert_quiet();

    bench.off_hook(alice);
    bench.dial(alice, "05");
    let (leg, ..) = bench.offered_call();
    bench.trunk(TrunkEvent::Progress { leg, ringing: true, early: None });
    assert_eq!(bench.states(alice), ["RingOut"]);
    bench.told();
    bench.trunk(TrunkEvent::Answered { leg, audio: speaks(CodecName::Pcma, 4000) });
    assert_eq!(bench.states(alice), ["Connected"]);
    bench.open_audio(&[alice]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("203.0.113.9:4000"));
    assert_eq!(bench.told(), ["Media 10.0.0.1:10000"]);
    bench.dial(alice, "7");
    assert_eq!(bench.told(), ["Digit 7"]);

    bench.press(alice, SoftKey::Hold);
    assert_eq!(bench.told(), ["Hold true"]);
    bench.press_on(alice, SoftKey::Resume, 0);
    bench.open_audio(&[alice]);
    assert_eq!(bench.told(), ["Hold false"], "it goes on where it was");
    bench.trunk(TrunkEvent::Hold { leg, held: true });
    assert_eq!(bench.sends_to(alice), None);
    bench.trunk(TrunkEvent::Hold { leg, held: false });
    bench.open_audio(&[alice]);
    bench.trunk(TrunkEvent::Media { leg, audio: listens(5000) });
    assert_eq!(bench.sends_to(alice).as_deref(), Some("203.0.113.9:5000"));
    bench.trunk(TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
    assert!(bench.states(alice).is_empty());
    assert!(bench.told().is_empty(), "the trunk knows that it is over");
    let ended = bench.ended();
    assert_eq!((ended[1].cause, ended[1].codec.as_str()), (EndCause::CalledHungUp, "PCMA"));
    bench.assert_quiet();
}

#[test]
fn both_ends_use_packets_that_the_far_end_wants_and_the_phone_can_send() {
    for (wanted, used) in [(None, 20), (Some(30), 30), (Some(15), 10), (Some(60), 40)] {
        let mut bench = Bench::new(with_trunks());
        let alice = bench.phone("1001");
        bench.off_hook(alice);
        bench.dial(alice, "05");
        let (leg, ..) = bench.offered_call();
        let audio = RemoteAudio { packet_ms: wanted, ..speaks(CodecName::Pcma, 4000) };
        bench.trunk(TrunkEvent::Answered { leg, audio });
        bench.open_audio(&[alice]);
        let view = bench.view(alice);
        let (channel, _) = view.legs[0].transmit.unwrap();
        assert_eq!(channel.audio.packet_ms, used, "{wanted:?}");
        let Some(TrunkOrder::Media { audio, .. }) = bench.orders.last() else { panic!("{:?}", bench.orders) };
        assert_eq!(audio.packet_ms, used, "{wanted:?}");
        // It thinks better of it.
        let audio = RemoteAudio { packet_ms: Some(20), ..RemoteAudio::default() };
        bench.trunk(TrunkEvent::Media { leg, audio });
        bench.open_audio(&[alice]);
        assert_eq!(bench.view(alice).legs[0].transmit.unwrap().0.audio.packet_ms, 20);
    }
}

#[test]
fn announcements_are_heard_before_the_answer() {
    let mut bench = Bench::new(with_trunks());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "05");
    let (leg, ..) = bench.offered_call();
    bench.heard(alice);
    let early = Some(speaks(CodecName::Pcmu, 4000));
    bench.trunk(TrunkEvent::Progress { leg, ringing: true, early });
    let heard = bench.media(alice, 1, 10_000);
    assert!(heard.contains(&"OpenReceiveChannel".into()), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("StartTone")), "the network plays its own: {heard:?}");
    assert_eq!(bench.sends_to(alice).as_deref(), Some("203.0.113.9:4000"));
    bench.trunk(TrunkEvent::Answered { leg, audio: RemoteAudio::default() });
    let heard = bench.heard(alice);
    assert!(!heard.contains(&"OpenReceiveChannel".into()), "the channel stays open: {heard:?}");
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn the_next_trunk_tries_what_the_first_could_not() {
    let mut bench = Bench::new(with_trunks());
    let alice = bench.phone("1001");
    for (first, second) in [
        (EndCause::NoTrunk, Some("backup")),
        (EndCause::MediaFailure, Some("backup")),
        (EndCause::Busy, None),
        (EndCause::UnknownNumber, None),
    ] {
        bench.off_hook(alice);
        bench.dial(alice, "05");
        let (leg, trunk, _) = bench.offered_call();
        assert_eq!(trunk, "carrier");
        bench.trunk(TrunkEvent::HungUp { leg, cause: first });
        let (again, trunk, number) = bench.offered_call();
        match second {
            Some(name) => {
                assert_eq!((trunk.as_str(), number.as_str()), (name, "5"));
                bench.trunk(TrunkEvent::HungUp { leg: again, cause: first });
            }
            None => assert_eq!(again, leg),
        }
        assert_eq!(bench.ended()[0].cause, first);
        bench.on_hook(alice);
        bench.assert_quiet();
    }
}

#[test]
fn a_full_trunk_is_passed_over_and_all_full_say_so() {
    let mut bench = Bench::new(with_trunks());
    let phones = ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number));
    let mut over = Vec::new();
    for &phone in &phones {
        bench.off_hook(phone);
        bench.dial(phone, "05");
        over.push(bench.offered_call().1);
    }
    assert_eq!(over, ["carrier", "carrier", "backup", "backup"]);
    bench.dial(phones[0], "");
    bench.press(phones[0], SoftKey::EndCall);
    bench.off_hook(phones[0]);
    bench.dial(phones[0], "05");
    assert_eq!(bench.offered_call().1, "carrier", "there is room again");
    for phone in phones {
        bench.on_hook(phone);
    }
    bench.assert_quiet();
}

#[test]
fn a_call_comes_in_rings_and_is_answered() {
    let mut bench = Bench::new(with_trunks());
    let bob = bench.phone("1002");
    let leg = TrunkLegId(1);
    let offer = |number: &str| TrunkEvent::Offer {
        leg,
        trunk: "carrier".into(),
        number: number.into(),
        calling: Party { number: "0301234".into(), name: "Berlin".into(), ..Party::default() },
        audio: speaks(CodecName::Pcma, 6000),
        redirecting: None,
    };
    bench.trunk(offer("1002"));
    assert_eq!(bench.told(), ["Ringing"]);
    assert!(bench.heard(bob).contains(&"Prompt From 0301234".into()));
    bench.off_hook(bob);
    bench.open_audio(&[bob]);
    assert_eq!(bench.told(), ["Answer 1002", "Media 10.0.0.2:10000"]);
    assert_eq!(bench.sends_to(bob).as_deref(), Some("203.0.113.9:6000"));
    bench.on_hook(bob);
    assert_eq!(bench.told(), ["HangUp called-hung-up"]);
    bench.assert_quiet();

    bench.trunk(offer("4711"));
    assert_eq!(bench.told(), ["HangUp unknown-number"]);
    bench.trunk(offer("1003"));
    assert_eq!(bench.told(), ["HangUp unregistered"]);
    bench.assert_quiet();
}

#[test]
fn a_call_of_a_trunk_is_transferred_by_the_phone_and_by_the_far_end() {
    let mut bench = Bench::new(with_trunks());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "05");
    let (leg, ..) = bench.offered_call();
    bench.trunk(TrunkEvent::Answered { leg, audio: listens(4000) });
    bench.open_audio(&[alice]);
    bench.press(alice, SoftKey::from(4));
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.open_audio(&[alice, bob]);
    bench.told();
    bench.press_on(alice, SoftKey::from(4), 1);
    bench.open_audio(&[bob]);
    assert_eq!(bench.sends_to(bob).as_deref(), Some("203.0.113.9:4000"));
    let told = bench.told();
    assert!(told.contains(&"Media 10.0.0.2:10000".into()) && told.contains(&"Party 1002".into()), "{told:?}");

    // The far end sends Bob on to Alice.
    bench.trunk(TrunkEvent::Redirect { leg, number: "1001".into() });
    assert_eq!(bench.states(bob), ["RingOut"]);
    assert_eq!(bench.states(alice), ["RingIn"]);
    bench.off_hook(alice);
    bench.open_audio(&[alice, bob]);
    assert_eq!(bench.sends_to(bob).as_deref(), Some("10.0.0.1:10000"));
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn an_office_may_forbid_to_connect_two_parties_outside() {
    for allowed in [true, false] {
        let mut site = with_trunks();
        site.settings.outside_transfers = allowed;
        let mut bench = Bench::new(site);
        let alice = bench.phone("1001");
        bench.off_hook(alice);
        for (call, number) in ["05", "06"].into_iter().enumerate() {
            bench.dial(alice, number);
            let (leg, ..) = bench.offered_call();
            bench.trunk(TrunkEvent::Answered { leg, audio: listens(4000) });
            bench.open_audio(&[alice]);
            bench.press_on(alice, SoftKey::Transfer, call);
        }
        if allowed {
            assert_eq!(bench.states(alice), [""; 0], "they talk to each other");
            continue;
        }
        assert_eq!(bench.states(alice), ["CallTransfer", "Connected"]);
        assert_eq!(bench.refused("transfer that cannot be completed"), 1);
        // Nor by putting the handset down.
        bench.on_hook(alice);
        assert_eq!(bench.states(alice), ["Hold"]);
        bench.press_on(alice, SoftKey::EndCall, 0);
        bench.assert_quiet();
    }
}

fn that_refers() -> Site {
    let mut site = with_trunks();
    let carrier =
        Trunk { kind: TrunkKind::Sip, media: Some(MediaPath::Direct), refer: true, ..Trunk::default() };
    site.trunks.insert("carrier".parse().unwrap(), carrier);
    site
}

/// A phone in a conversation over a trunk, and calling a second number for it.
fn consults(site: Site) -> (Bench, SessionId, TrunkLegId, TrunkLegId) {
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "05");
    let (first, ..) = bench.offered_call();
    bench.trunk(TrunkEvent::Answered { leg: first, audio: listens(4000) });
    bench.open_audio(&[alice]);
    bench.press(alice, SoftKey::Transfer);
    bench.dial(alice, "06");
    let (second, ..) = bench.offered_call();
    bench.trunk(TrunkEvent::Progress { leg: second, ringing: true, early: None });
    (bench, alice, first, second)
}

#[test]
fn the_far_end_connects_two_of_its_calls_or_they_stay_connected_here() {
    for connected in [true, false] {
        let (mut bench, alice, first, second) = consults(that_refers());
        bench.trunk(TrunkEvent::Answered { leg: second, audio: listens(5000) });
        bench.open_audio(&[alice]);
        bench.told();
        bench.press_on(alice, SoftKey::Transfer, 1);
        assert_eq!(bench.states(alice), [""; 0]);
        let told = bench.told();
        assert!(told.contains(&"Refer 6 replaces".into()), "{told:?}");
        assert!(
            !told.iter().any(|told| told.starts_with("HangUp")),
            "they hear each other meanwhile: {told:?}"
        );
        bench.trunk(TrunkEvent::Referred { leg: first, connected });
        if connected {
            assert_eq!(bench.told(), ["HangUp transferred", "HangUp transferred"]);
            assert_eq!(bench.ended().last().unwrap().cause, EndCause::Transferred);
            bench.assert_quiet();
            continue;
        }
        assert!(bench.told().is_empty());
        bench.trunk(TrunkEvent::Referred { leg: first, connected: true });
        assert_eq!(bench.refused("end of a transfer that nobody asked for"), 1);
        bench.trunk(TrunkEvent::HungUp { leg: second, cause: EndCause::CalledHungUp });
        assert_eq!(bench.told(), ["HangUp called-hung-up"]);
        assert_eq!(bench.ended().last().unwrap().cause, EndCause::CalledHungUp);
        bench.assert_quiet();
    }
}

#[test]
fn the_far_end_calls_whom_it_is_sent_to_while_it_rings_or_is_connected_here() {
    for end in ["connected", "refused", "hung up"] {
        let (mut bench, alice, first, _) = consults(that_refers());
        bench.told();
        bench.press_on(alice, SoftKey::Transfer, 1);
        assert_eq!(bench.states(alice), [""; 0]);
        let told = bench.told();
        assert_eq!(told[told.len() - 2..], ["HangUp caller-hung-up", "Refer 6"], "{told:?}");
        match end {
            "connected" => {
                bench.trunk(TrunkEvent::Referred { leg: first, connected: true });
                assert_eq!(bench.told(), ["HangUp transferred"]);
            }
            "hung up" => bench.trunk(TrunkEvent::HungUp { leg: first, cause: EndCause::CalledHungUp }),
            _ => {
                bench.trunk(TrunkEvent::Referred { leg: first, connected: false });
                let (again, ..) = bench.offered_call();
                assert_eq!(bench.told(), ["Offer carrier 6"]);
                bench.trunk(TrunkEvent::Answered { leg: again, audio: listens(5000) });
                bench.trunk(TrunkEvent::HungUp { leg: again, cause: EndCause::CalledHungUp });
                assert_eq!(bench.told().last().unwrap(), "HangUp called-hung-up");
                bench.assert_quiet();
                continue;
            }
        }
        assert_eq!(bench.ended().last().unwrap().cause, EndCause::Transferred, "{end}");
        bench.assert_quiet();
    }
}

#[test]
fn calls_are_connected_here_where_the_far_end_is_not_to_do_it() {
    let mut off = that_refers();
    off.trunks.get_mut(&"carrier".parse().unwrap()).unwrap().refer = false;
    let mut other = that_refers();
    // The second call finds no room, and goes over the other trunk.
    other.trunks.get_mut(&"carrier".parse().unwrap()).unwrap().calls = 1;
    let mut forbidden = that_refers();
    forbidden.settings.outside_transfers = false;
    for (what, site) in [("off", off), ("other", other), ("forbidden", forbidden)] {
        let (mut bench, alice, _, second) = consults(site);
        bench.trunk(TrunkEvent::Answered { leg: second, audio: listens(5000) });
        bench.open_audio(&[alice]);
        bench.told();
        bench.press_on(alice, SoftKey::Transfer, 1);
        let told = bench.told();
        assert!(!told.iter().any(|told| told.starts_with("Refer")), "{what}: {told:?}");
        assert_eq!(bench.states(alice).is_empty(), what != "forbidden");
    }
}

#[test]
fn the_loopback_brings_a_call_back() {
    let mut bench = Bench::new(with_trunks());
    let mut trunk = Loopback::default();
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "81002");
    bench.run_loopback(&mut trunk);
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["RingOut"], vec!["RingIn"]));
    bench.off_hook(bob);
    bench.run_loopback(&mut trunk);
    bench.open_audio(&[alice, bob]);
    bench.run_loopback(&mut trunk);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.2:10000"));
    assert_eq!(bench.sends_to(bob).as_deref(), Some("10.0.0.1:10000"));
    for (holder, other) in [(alice, bob), (bob, alice)] {
        bench.press(holder, SoftKey::Hold);
        bench.run_loopback(&mut trunk);
        assert_eq!(bench.sends_to(other), None);
        bench.press_on(holder, SoftKey::Resume, 0);
        bench.run_loopback(&mut trunk);
        bench.open_audio(&[alice, bob]);
        bench.run_loopback(&mut trunk);
        assert!(bench.sends_to(other).is_some() && bench.sends_to(holder).is_some());
    }
    bench.on_hook(bob);
    bench.run_loopback(&mut trunk);
    assert!(bench.states(alice).is_empty());
    assert_eq!(trunk.calls(), 0);
    // Both calls have Alice's number, but only the one that she made is her phone's.
    let ended = bench.ended().into_iter();
    let mut calling: Vec<_> =
        ended.map(|call| (call.dialed, call.calling.number, call.calling.device.is_some())).collect();
    calling.sort();
    assert_eq!(calling, [("1002".into(), "1001".into(), false), ("81002".into(), "1001".into(), true)]);
    bench.assert_quiet();
}

#[test]
fn words_about_calls_that_are_over_change_nothing() {
    let mut bench = Bench::new(with_trunks());
    let leg = TrunkLegId(40);
    for event in [
        TrunkEvent::Progress { leg, ringing: true, early: None },
        TrunkEvent::Answered { leg, audio: RemoteAudio::default() },
        TrunkEvent::Media { leg, audio: listens(1) },
        TrunkEvent::Hold { leg, held: true },
        TrunkEvent::Redirect { leg, number: "1001".into() },
        TrunkEvent::HungUp { leg, cause: EndCause::Busy },
    ] {
        bench.trunk(event);
    }
    assert_eq!(bench.refused("event for no call of a trunk"), 6);
    bench.assert_quiet();
}
