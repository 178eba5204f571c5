//! Audio that goes through the manager: relayed trunks and phones, codecs that have to be turned into each other, music.

#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use std::{collections::BTreeMap, net::SocketAddr};

use bench::{Bench, capabilities, edit_phone, office};
use selsius_exchange::{
    AnchorOrder, Hears, Input, OpusTypes, RemoteAudio, SessionId, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_site::{
    Action, CodecName, Dtmf, HuntGroup, MediaPath, Music, Name, Pool, Rights, Route, Site, Trunk, TrunkKind,
};
use selsius_wire::value::{Codec, MediaStatus, SoftKey};

fn name(name: &str) -> Name {
    name.parse().unwrap()
}

/// "0..." leads out over two SIP trunks.
fn with_trunks() -> Site {
    let mut site = office();
    for trunk in ["carrier", "backup"] {
        site.trunks.insert(name(trunk), Trunk { kind: TrunkKind::Sip, ..Trunk::default() });
    }
    site.routes.remove(&"0".parse().unwrap());
    let action = Action::Trunks([name("carrier"), name("backup")].into());
    site.routes.insert("0.X".parse().unwrap(), Route { action, ..Route::default() });
    site
}

fn with_music() -> Site {
    let mut site = with_trunks();
    site.music.insert(name("bells"), Music::default());
    site.settings.music = Some(name("bells"));
    site
}

fn far(port: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], port))
}

/// Where the media services listen to a party.
fn near(party: u32) -> SocketAddr {
    SocketAddr::from(([10, 0, 9, 1], 20_000 + (party % 1000) as u16))
}

impl Bench {
    fn trunk(&mut self, event: TrunkEvent) {
        self.input(Input::Trunk(event));
    }

    /// What the media services were told since the last time.
    fn anchored(&mut self) -> Vec<String> {
        let hears = |hears: &Hears| match hears {
            Hears::Bridge(_) => "bridge".into(),
            Hears::Music(music) => music.to_string(),
            Hears::Ringing => "ringing".into(),
        };
        let show = |order: AnchorOrder| match order {
            AnchorOrder::Join { hears: place, audio, near, .. } => {
                let near = near.map_or_else(String::new, |near| format!(" at {near}"));
                format!("Join {} {}{near}", hears(&place), audio.codec.name())
            }
            AnchorOrder::Change { hears: place, audio, .. } => {
                format!("Change {} {}", hears(&place), audio.codec.name())
            }
            AnchorOrder::Send { address, .. } => format!("Send {address}"),
            AnchorOrder::Digit { digit, .. } => format!("Digit {digit}"),
            AnchorOrder::Record { .. } | AnchorOrder::RecordingEnds { .. } => panic!("{order:?}"),
            AnchorOrder::Leave { .. } => "Leave".into(),
        };
        std::mem::take(&mut self.mixer).into_iter().map(show).collect()
    }

    /// The media services answer whoever joined; returns what they had been told.
    fn services(&mut self) -> Vec<String> {
        self.services_say(|party| Some(near(party)))
    }

    fn services_say(&mut self, answer: impl Fn(u32) -> Option<SocketAddr>) -> Vec<String> {
        let joined: Vec<_> = self
            .mixer
            .iter()
            .filter_map(|order| match order {
                AnchorOrder::Join { party, .. } => Some(*party),
                _ => None,
            })
            .collect();
        let told = self.anchored();
        for party in joined {
            self.input(Input::Anchored { party, address: answer(party) });
        }
        told
    }

    fn told(&mut self) -> Vec<String> {
        let show = |order: TrunkOrder| match order {
            TrunkOrder::Offer { trunk, listens, codecs, .. } => {
                let codecs: Vec<_> = codecs.iter().map(|codec| codec.name()).collect();
                format!("Offer {trunk} {} {}", listens.is_some(), codecs.join(","))
            }
            TrunkOrder::Answer { .. } => "Answer".into(),
            TrunkOrder::Ringing { .. } => "Ringing".into(),
            TrunkOrder::Media { address, .. } => format!("Media {}", address.ip()),
            TrunkOrder::Hold { held, .. } => format!("Hold {held}"),
            TrunkOrder::Party { party, .. } => format!("Party {}", party.number),
            TrunkOrder::Digit { digit, .. } => format!("Digit {digit}"),
            TrunkOrder::Refer { number, .. } => format!("Refer {number}"),
            TrunkOrder::HangUp { cause, .. } => format!("HangUp {}", cause.name()),
            TrunkOrder::Messages { .. } => "Messages".into(),
        };
        std::mem::take(&mut self.orders).into_iter().map(show).collect()
    }

    fn calls_out(&mut self, phone: SessionId) -> TrunkLegId {
        self.off_hook(phone);
        self.dial(phone, "05");
        self.services();
        let offers = self.orders.iter().rev().find_map(|order| match order {
            TrunkOrder::Offer { leg, .. } => Some(*leg),
            _ => None,
        });
        offers.unwrap()
    }

    fn answered(&mut self, leg: TrunkLegId, codec: CodecName, events: Option<u8>) {
        let audio = RemoteAudio {
            codecs: [codec].into(),
            address: Some(far(4000)),
            events,
            ..RemoteAudio::default()
        };
        self.trunk(TrunkEvent::Answered { leg, audio });
    }
}

#[test]
fn a_relayed_trunk_is_asked_when_it_is_known_where_this_side_listens() {
    let mut bench = Bench::new(with_trunks());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "05");
    assert!(bench.told().is_empty());
    assert_eq!(bench.services(), ["Join bridge G711Ulaw64k at 10.0.0.254"]);
    let Some(TrunkOrder::Offer { leg, .. }) = bench.orders.last() else { panic!("{:?}", bench.orders) };
    let leg = *leg;
    assert_eq!(bench.told(), ["Offer carrier true pcmu,pcma,g722"]);
    bench.answered(leg, CodecName::Pcma, Some(101));
    let joins = bench.services();
    assert!(joins.contains(&"Send 203.0.113.9:4000".into()), "{joins:?}");
    assert!(
        joins.iter().any(|join| join.starts_with("Join bridge") && join.ends_with("at 10.0.0.254")),
        "{joins:?}"
    );
    bench.open_audio(&[alice]);
    assert!(bench.anchored().contains(&"Send 10.0.0.1:10000".into()));
    assert!(bench.sends_to(alice).unwrap().starts_with("10.0.9.1:"));
    assert_eq!(bench.told(), ["Media 10.0.9.1"], "where it was told to send from the beginning");

    bench.dial(alice, "7");
    assert_eq!((bench.told(), bench.anchored()), (vec![], vec!["Digit 7".into()]));
    bench.on_hook(alice);
    assert_eq!(bench.told(), ["HangUp caller-hung-up"]);
    assert_eq!(bench.anchored(), ["Leave", "Leave"]);
    bench.assert_quiet();
}

#[test]
fn a_codec_that_can_only_be_carried_goes_out_too() {
    let mut site = with_trunks();
    site.settings.codecs = [CodecName::G729].into();
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    bench.say(alice, capabilities(&[Codec::G729AnnexA]));
    let leg = bench.calls_out(alice);
    assert_eq!(bench.told(), ["Offer carrier true g729"]);
    bench.answered(leg, CodecName::G729, None);
    bench.services();
    bench.open_audio(&[alice]);
    assert_eq!(bench.states(alice), ["Connected"]);
    assert!(bench.sends_to(alice).unwrap().starts_with("10.0.9.1:"));
    bench.press(alice, SoftKey::Hold);
    bench.press_on(alice, SoftKey::Resume, 0);
    bench.services();
    bench.open_audio(&[alice]);
    assert_eq!(bench.told(), ["Media 10.0.9.1", "Hold true", "Hold false"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_relayed_far_end_gets_the_packets_that_it_wants() {
    // The phone sends as many milliseconds in a packet as it can; the media services pack the rest.
    for (wanted, phone, trunk) in [(None, 20, 20), (Some(30), 30, 30), (Some(60), 40, 60)] {
        let mut bench = Bench::new(with_trunks());
        let alice = bench.phone("1001");
        bench.off_hook(alice);
        bench.dial(alice, "05");
        let Some(&AnchorOrder::Join { party: joined, .. }) = bench.mixer.last() else { panic!() };
        bench.services();
        let Some(TrunkOrder::Offer { leg, .. }) = bench.orders.last() else { panic!() };
        let leg = *leg;
        let audio = RemoteAudio {
            codecs: [CodecName::Pcmu].into(),
            address: Some(far(4000)),
            packet_ms: wanted,
            ..RemoteAudio::default()
        };
        bench.trunk(TrunkEvent::Answered { leg, audio });
        let mut packets = BTreeMap::from([(false, 20)]);
        for order in &bench.mixer {
            if let AnchorOrder::Join { party, audio, .. } | AnchorOrder::Change { party, audio, .. } = order {
                packets.insert(*party != joined, audio.packet_ms);
            }
        }
        assert_eq!(packets, BTreeMap::from([(false, trunk), (true, phone)]), "{wanted:?}");
    }
}

#[test]
fn opus_is_spoken_to_a_trunk_that_wants_it_and_to_nobody_else() {
    let mut site = with_trunks();
    site.trunks.get_mut(&name("carrier")).unwrap().codecs = [CodecName::Opus].into();
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    let leg = bench.calls_out(alice);
    let audio = RemoteAudio {
        codecs: [CodecName::Opus].into(),
        address: Some(far(4000)),
        // Not of this codec.
        events: Some(101),
        opus: Some(OpusTypes { payload: 111, events: Some(110) }),
        ..RemoteAudio::default()
    };
    bench.trunk(TrunkEvent::Answered { leg, audio });
    let orders = bench.mixer.iter().filter_map(|order| match order {
        AnchorOrder::Join { audio, payload, events, .. }
        | AnchorOrder::Change { audio, payload, events, .. } => {
            Some((audio.codec.name().to_string(), *payload, *events))
        }
        _ => None,
    });
    let orders: Vec<_> = orders.collect();
    assert!(orders.contains(&("OPUS".into(), Some(111), Some(110))), "{orders:?}");
    assert!(orders.contains(&("G711Ulaw64k".into(), None, Some(101))), "{orders:?}");
    bench.services();
    bench.told();
    bench.dial(alice, "#");
    assert_eq!(bench.anchored(), ["Digit #"]);
    assert!(bench.told().is_empty());
}

#[test]
fn digits_go_by_message_where_the_far_end_or_the_office_wants_that() {
    let (pcmu, g729) = (CodecName::Pcmu, CodecName::G729);
    for (codec, events, dtmf, by_message) in [
        (pcmu, Some(101), Dtmf::Auto, false),
        (pcmu, None, Dtmf::Auto, true),
        (pcmu, Some(101), Dtmf::Info, true),
        (pcmu, Some(101), Dtmf::Rfc4733, false),
        (pcmu, None, Dtmf::Inband, false),
        // Nobody here makes tones in it.
        (g729, None, Dtmf::Inband, true),
        (g729, Some(101), Dtmf::Auto, false),
    ] {
        let mut site = with_trunks();
        site.settings.codecs = vec![pcmu, g729];
        site.trunks.get_mut(&name("carrier")).unwrap().dtmf = dtmf;
        let mut bench = Bench::new(site);
        let alice = bench.phone("1001");
        bench.say(alice, capabilities(&[Codec::G711Ulaw64k, Codec::G729AnnexA]));
        let leg = bench.calls_out(alice);
        bench.answered(leg, codec, events);
        bench.services();
        bench.told();
        bench.dial(alice, "#");
        assert_eq!(bench.told() == ["Digit #"], by_message, "{codec:?} {events:?} {dtmf:?}");
        assert_eq!(bench.anchored() == ["Digit #"], !by_message, "{codec:?} {events:?} {dtmf:?}");
    }
}

#[test]
fn without_a_place_at_the_media_services_the_next_trunk_is_tried() {
    let mut bench = Bench::new(with_trunks());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "05");
    bench.services_say(|_| None);
    assert!(bench.told().is_empty(), "who was never asked need not be told that it is over");
    assert_eq!(bench.states(alice), ["Proceed"]);
    bench.services_say(|_| None);
    assert!(bench.told().is_empty());
    assert_eq!(bench.ended()[0].cause, EndCause::MediaFailure);
    bench.on_hook(alice);
    bench.assert_quiet();

    // Hung up before the services have answered.
    bench.off_hook(alice);
    bench.dial(alice, "05");
    bench.on_hook(alice);
    assert!(bench.told().is_empty());
    assert_eq!(bench.anchored().last().map(String::as_str), Some("Leave"));
    bench.assert_quiet();
}

#[test]
fn a_call_on_hold_hears_music_and_the_trunk_hears_it_too() {
    let mut bench = Bench::new(with_music());
    let alice = bench.phone("1001");
    let leg = bench.calls_out(alice);
    bench.answered(leg, CodecName::Pcmu, None);
    bench.services();
    bench.open_audio(&[alice]);
    bench.services();
    bench.told();
    bench.press(alice, SoftKey::Hold);
    assert_eq!(bench.anchored(), ["Leave", "Change bells G711Ulaw64k"]);
    assert!(bench.told().is_empty(), "nobody asks it to be silent");
    bench.press_on(alice, SoftKey::Resume, 0);
    let told = bench.services();
    assert!(told.contains(&"Change bridge G711Ulaw64k".into()), "{told:?}");
    bench.open_audio(&[alice]);
    assert!(bench.told().is_empty(), "it goes on sending where it did");
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_phone_on_hold_hears_the_music_of_whoever_holds_it() {
    let mut site = with_music();
    site.music.insert(name("waltz"), Music::default());
    site.pools.insert(name("berlin"), Pool { music: Some(name("waltz")), ..Pool::default() });
    edit_phone(&mut site, "1002", |phone| phone.pool = Some(name("berlin")));
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talk(alice, bob, "1002");
    bench.open_audio(&[alice, bob]);
    assert!(bench.anchored().is_empty(), "phones send to each other");

    bench.press(bob, SoftKey::Hold);
    assert_eq!(bench.services(), ["Join waltz G711Ulaw64k at 10.0.0.254"]);
    assert_eq!(bench.sends_to(alice), None, "who hears music sends nothing");
    let listens = |bench: &Bench, phone| bench.view(phone).legs[0].receive.is_some();
    assert!(listens(&bench, alice) && !listens(&bench, bob));
    bench.press_on(bob, SoftKey::Resume, 0);
    bench.open_audio(&[alice, bob]);
    assert_eq!(bench.anchored(), ["Leave"]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.2:10000"));

    bench.press(alice, SoftKey::Hold);
    assert_eq!(bench.services(), ["Join bells G711Ulaw64k at 10.0.0.254"]);
    bench.on_hook(bob);
    assert_eq!(bench.anchored(), ["Leave"]);
    bench.assert_quiet();
}

#[test]
fn a_phone_that_cannot_hear_the_music_stays_on_hold() {
    let mut site = with_music();
    site.settings.codecs = [CodecName::G729, CodecName::Pcmu].into();
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    for phone in [alice, bob] {
        bench.say(phone, capabilities(&[Codec::G711Ulaw64k, Codec::G729AnnexA]));
    }
    bench.talk(alice, bob, "1002");
    bench.open_audio(&[alice, bob]);
    bench.press(bob, SoftKey::Hold);
    assert_eq!(bench.services(), ["Join bells G711Ulaw64k at 10.0.0.254"]);
    let party = bench.view(alice).legs[0].receive.unwrap().party;
    let host = bench.host(alice);
    bench.ack(alice, party, host, 0, MediaStatus::OutOfSockets);
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Connected"], vec!["Hold"]));
    assert_eq!(bench.anchored(), ["Leave"]);
    assert!(bench.view(alice).legs[0].receive.is_none());
    bench.press_on(bob, SoftKey::Resume, 0);
    bench.open_audio(&[alice, bob]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.2:10000"));
}

#[test]
fn a_parked_call_hears_music_and_a_transferred_one_how_it_rings() {
    let mut site = with_music();
    site.parking.slots = ["701".parse().unwrap()].into();
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let leg = bench.calls_out(alice);
    bench.answered(leg, CodecName::Pcmu, None);
    bench.services();
    bench.open_audio(&[alice]);
    bench.services();
    bench.press(alice, SoftKey::Park);
    assert_eq!(bench.anchored(), ["Leave", "Change bells G711Ulaw64k"]);
    bench.off_hook(bob);
    bench.dial(bob, "701");
    let told = bench.services();
    assert!(told.contains(&"Change bridge G711Ulaw64k".into()), "{told:?}");
    bench.open_audio(&[bob]);
    bench.services();

    bench.press(bob, SoftKey::Transfer);
    bench.dial(bob, "1001");
    bench.anchored();
    bench.press(bob, SoftKey::Transfer);
    assert_eq!(bench.states(alice), ["RingIn"]);
    assert_eq!(bench.anchored(), ["Change ringing G711Ulaw64k"]);
    bench.off_hook(alice);
    assert!(bench.services().contains(&"Change bridge G711Ulaw64k".into()));
    bench.on_hook(alice);
    bench.assert_quiet();
}

/// 600 rings Bob, and three may wait for him.
fn with_queue() -> Site {
    let mut site = with_music();
    let members = ["1002".parse().unwrap()].into();
    let group = HuntGroup { members, queue: 3, music: Some(name("bells")), ..HuntGroup::default() };
    site.hunt_groups.insert("600".parse().unwrap(), group);
    site
}

#[test]
fn callers_in_a_queue_hear_its_music_and_then_how_it_rings() {
    let mut bench = Bench::new(with_queue());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    bench.open_audio(&[alice, bob]);
    bench.told();
    let leg = TrunkLegId(1);
    bench.trunk(TrunkEvent::Offer {
        leg,
        trunk: "carrier".into(),
        number: "600".into(),
        calling: Party { number: "0301234".into(), ..Party::default() },
        audio: RemoteAudio {
            codecs: [CodecName::Pcma].into(),
            address: Some(far(6000)),
            ..RemoteAudio::default()
        },
        redirecting: None,
    });
    assert_eq!(bench.services(), ["Join bells G711Alaw64k"]);
    assert_eq!(bench.told(), ["Ringing", "Media 10.0.9.1"], "before anybody answers");
    bench.off_hook(carol);
    bench.dial(carol, "600");
    assert_eq!(bench.services(), ["Join bells G711Ulaw64k at 10.0.0.254"]);
    let heard = bench.media(carol, 3, 10_000);
    assert!(heard.contains(&"OpenReceiveChannel".into()), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("StartTone Alerting")), "{heard:?}");
    bench.anchored();
    bench.heard(carol);

    bench.on_hook(alice);
    assert_eq!(bench.states(bob), ["RingIn"]);
    assert_eq!(bench.anchored(), ["Change ringing G711Alaw64k"], "its audio is open already");
    assert!(bench.told().is_empty());
    bench.off_hook(bob);
    bench.services();
    bench.open_audio(&[bob]);
    assert_eq!(bench.told(), ["Answer"], "it goes on listening where it does");
    bench.trunk(TrunkEvent::HungUp { leg, cause: EndCause::CallerHungUp });
    assert_eq!(bench.states(bob), ["RingIn"], "whoever waits is next");
    assert!(bench.anchored().contains(&"Leave".into()));
    let heard = bench.heard(carol);
    assert!(heard.contains(&"CloseReceiveChannel".into()), "{heard:?}");
    bench.on_hook(carol);
    bench.assert_quiet();
}

/// A mailbox answers somebody outside: no phone says by which address the manager is reached.
#[test]
fn a_caller_of_a_service_is_heard_where_his_trunk_reaches_us() {
    let mut site = with_trunks();
    site.trunks.insert(name("house"), Trunk { kind: TrunkKind::Services, ..Trunk::default() });
    let action = Action::Trunks([name("house")].into());
    site.routes.insert("1999".parse().unwrap(), Route { action, ..Route::default() });
    let mut bench = Bench::new(site);
    let near = "10.9.9.9".parse().unwrap();
    bench.trunk(TrunkEvent::Offer {
        leg: TrunkLegId(1),
        trunk: "carrier".into(),
        number: "1999".into(),
        calling: Party::default(),
        audio: RemoteAudio { address: Some(far(6000)), near: Some(near), ..RemoteAudio::default() },
        redirecting: None,
    });
    let Some(&TrunkOrder::Offer { leg, .. }) = bench.orders.last() else { panic!("{:?}", bench.orders) };
    assert_eq!(bench.exchange.reached_by(leg), Some(near));
    let audio =
        RemoteAudio { codecs: [CodecName::Pcmu].into(), address: Some(far(7000)), ..RemoteAudio::default() };
    bench.trunk(TrunkEvent::Answered { leg, audio });
    let joins = bench.services();
    assert_eq!(joins, ["Join bridge G711Ulaw64k at 10.9.9.9"; 2]);
}

#[test]
fn a_queue_rings_where_it_cannot_play() {
    let mut site = with_queue();
    for (trunk, media) in [("carrier", MediaPath::Relay), ("backup", MediaPath::Direct)] {
        site.trunks.get_mut(&name(trunk)).unwrap().media = Some(media);
    }
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talk(alice, bob, "1002");
    bench.told();
    for (at, trunk) in [(1, "carrier"), (3, "backup")] {
        let leg = TrunkLegId(at);
        bench.trunk(TrunkEvent::Offer {
            leg,
            trunk: trunk.into(),
            number: "600".into(),
            calling: Party::default(),
            audio: RemoteAudio { address: Some(far(6000)), ..RemoteAudio::default() },
            redirecting: None,
        });
        // The media services have no place.
        bench.services_say(|_| None);
        assert_eq!(bench.told(), ["Ringing"], "{trunk}");
        bench.trunk(TrunkEvent::HungUp { leg, cause: EndCause::CallerHungUp });
    }
    bench.anchored();
}

#[test]
fn a_phone_that_others_cannot_reach_speaks_to_the_manager() {
    let mut site = office();
    edit_phone(&mut site, "1002", |phone| phone.media = MediaPath::Relay);
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talk(alice, bob, "1002");
    bench.services();
    bench.open_audio(&[alice, bob]);
    for phone in [alice, bob] {
        assert!(bench.sends_to(phone).unwrap().starts_with("10.0.9.1:"));
    }
    bench.on_hook(alice);
    bench.anchored();
    bench.talk(alice, carol, "1003");
    bench.open_audio(&[alice, carol]);
    assert!(bench.anchored().is_empty());
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.3:10000"));
}

#[test]
fn codecs_are_turned_into_each_other_if_the_manager_knows_both() {
    for (of_bob, understood) in [(Codec::G711Alaw64k, true), (Codec::G729, false)] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        bench.say(alice, capabilities(&[Codec::G711Ulaw64k]));
        bench.say(bob, capabilities(&[of_bob]));
        bench.talk(alice, bob, "1002");
        let joined = bench.services();
        if understood {
            let mut codecs: Vec<_> = joined.iter().filter_map(|join| join.split(' ').nth(2)).collect();
            codecs.sort_unstable();
            assert_eq!(codecs, ["G711Alaw64k", "G711Ulaw64k"]);
            assert_eq!(bench.states(alice), ["Connected"]);
        } else {
            assert!(joined.is_empty());
            assert_eq!(bench.ended()[0].cause, EndCause::NoCommonCodec);
        }
    }
}

#[test]
fn nobody_outside_calls_out_again_without_a_right_to_it() {
    let offer = |leg, number: &str| TrunkEvent::Offer {
        leg: TrunkLegId(leg),
        trunk: "carrier".into(),
        number: number.into(),
        calling: Party { number: "0301234".into(), ..Party::default() },
        audio: RemoteAudio {
            codecs: [CodecName::Pcmu].into(),
            address: Some(far(6000)),
            ..RemoteAudio::default()
        },
        redirecting: None,
    };
    let mut site = with_trunks();
    site.routes.get_mut(&"0.X".parse().unwrap()).unwrap().partition = Some(name("outside"));
    for (rights, partitions, out) in
        [(None, "outside", false), (Some("transit"), "outside", true), (Some("transit"), "inside", false)]
    {
        site.rights.insert(name("transit"), Rights { partitions: [name(partitions)].into() });
        site.trunks.get_mut(&name("carrier")).unwrap().rights = rights.map(name);
        let mut bench = Bench::new(site.clone());
        let bob = bench.phone("1002");
        bench.trunk(offer(1, "05"));
        bench.services();
        let told = bench.told();
        assert_eq!(
            told.iter().any(|told| told.starts_with("Offer")),
            out,
            "{rights:?} {partitions}: {told:?}"
        );
        assert_eq!(told.contains(&"HangUp blocked".into()), !out, "{told:?}");
        bench.trunk(offer(3, "*681002"));
        assert!(bench.told().contains(&"HangUp blocked".into()), "features are for phones");

        // Lines are for everybody; and whoever is connected does not lead the call out either.
        bench.trunk(offer(5, "1002"));
        bench.off_hook(bob);
        assert_eq!(bench.states(bob), ["Connected"]);
        bench.told();
        bench.trunk(TrunkEvent::Redirect { leg: TrunkLegId(5), number: "05".into() });
        bench.services();
        let told = bench.told();
        assert_eq!(told.iter().any(|told| told.starts_with("Offer")), out, "{told:?}");
    }
}

#[test]
fn a_redirection_of_the_far_end_leads_to_nobody_outside() {
    let mut bench = Bench::new(with_trunks());
    let alice = bench.phone("1001");
    let leg = bench.calls_out(alice);
    bench.told();
    bench.trunk(TrunkEvent::Redirect { leg, number: "06".into() });
    bench.services();
    let told = bench.told();
    assert!(told.iter().any(|told| told.starts_with("Offer backup")), "the next trunk tries: {told:?}");
    assert_eq!(bench.refused("redirection from outside to what is not for it"), 1);
}
