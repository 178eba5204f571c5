//! Calls that are recorded: by rule and by key, and what becomes of them where they cannot be.

#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use std::net::SocketAddr;

use bench::{Bench, capabilities, edit_line, edit_phone, office};
use selsius_exchange::{
    AnchorOrder, Hears, Input, Recording, RemoteAudio, SessionId, Side, TrunkEvent, TrunkLegId, TrunkOrder,
    record::EndCause,
};
use selsius_site::{
    Action, Button, CodecName, Feature, MediaPath, Music, Name, RecordingRule, Route, Site, Trunk, TrunkKind,
};
use selsius_wire::value::{Codec, SoftKey, StimulusType};

const RECORD: SoftKey = SoftKey::Unknown(26);
const STOP: SoftKey = SoftKey::Unknown(27);

/// What Alice's line says.
fn with_rule(rule: RecordingRule) -> Site {
    let mut site = office();
    edit_line(&mut site, "1001", |line| line.record = Some(rule));
    site
}

fn near(party: u32) -> SocketAddr {
    SocketAddr::from(([10, 0, 9, 1], 20_000 + (party % 1000) as u16))
}

impl Bench {
    /// The media services answer whoever joined; what they were told of recordings.
    fn services(&mut self) -> Vec<String> {
        self.services_say(|party| Some(near(party)))
    }

    fn services_say(&mut self, answer: impl Fn(u32) -> Option<SocketAddr>) -> Vec<String> {
        let mut told = Vec::new();
        for order in std::mem::take(&mut self.mixer) {
            match order {
                AnchorOrder::Join { party, .. } => {
                    self.input(Input::Anchored { party, address: answer(party) });
                }
                AnchorOrder::Record { recording: Some(recording), .. } => {
                    let Recording { name, side, beep } = *recording;
                    let side = if side == Side::Caller { "caller" } else { "called" };
                    told.push(format!("record {side} {} every {beep}", numbers(&name)));
                }
                AnchorOrder::Record { recording: None, .. } => told.push("pause".into()),
                AnchorOrder::RecordingEnds { name } => told.push(format!("end {}", numbers(&name))),
                AnchorOrder::Change { hears: Hears::Music(_), .. } => told.push("music".into()),
                AnchorOrder::Leave { .. } => told.push("leave".into()),
                AnchorOrder::Change { .. } | AnchorOrder::Send { .. } | AnchorOrder::Digit { .. } => {}
            }
        }
        told
    }

    /// Two phones talk, and the services have answered.
    fn talks(&mut self, caller: SessionId, called: SessionId, number: &str) -> Vec<String> {
        self.talk(caller, called, number);
        let told = self.services();
        self.open_audio(&[caller, called]);
        told
    }

    fn is_direct(&self, phone: SessionId) -> bool {
        self.sends_to(phone).unwrap().starts_with("10.0.0.")
    }
}

/// Who called whom, by the name of a recording.
fn numbers(name: &str) -> &str {
    name.splitn(3, '-').nth(2).unwrap()
}

#[test]
fn calls_of_a_line_are_recorded_by_rule() {
    let mut bench = Bench::new(with_rule(RecordingRule::Always));
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    assert_eq!(bench.services(), ["record caller 1001-1002.wav every 15"]);
    let heard = bench.heard(alice);
    assert!(heard.contains(&"RecordingStatus".into()), "{heard:?}");
    assert!(!bench.heard(bob).contains(&"RecordingStatus".into()));
    bench.open_audio(&[alice, bob]);
    for phone in [alice, bob] {
        assert!(bench.sends_to(phone).unwrap().starts_with("10.0.9.1:"));
    }
    assert_eq!((bench.prompt(alice, 0).as_str(), bench.prompt(bob, 0).as_str()), ("Recording", "Connected"));
    for key in ["Record", "StopRec"] {
        assert!(!bench.keys(alice, 0).contains(&key), "it is not hers to decide");
    }
    bench.on_hook(bob);
    assert_eq!(bench.services(), ["pause", "end 1001-1002.wav", "leave", "leave"]);
    let ended = bench.ended();
    assert_eq!(ended[0].recordings.len(), 1);
    assert_eq!(numbers(&ended[0].recordings[0]), "1001-1002.wav");
    assert!(ended[0].recordings[0].starts_with("17954874"), "{:?}", ended[0].recordings);

    // The other way round she is who is called; and calls of others are nobody's business.
    assert_eq!(bench.talks(bob, alice, "1001"), ["record called 1002-1001.wav every 15"]);
    bench.on_hook(bob);
    bench.services();
    assert!(bench.talks(bob, carol, "1003").is_empty());
    assert!(bench.is_direct(bob) && bench.is_direct(carol));
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn a_key_moves_the_call_to_the_manager_and_back() {
    let mut site = with_rule(RecordingRule::Key);
    site.settings.recording_beep = 0;
    let record = Button::Feature { feature: Feature::Record, label: String::new() };
    edit_phone(&mut site, "1001", |phone| phone.buttons.push(record));
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    assert!(bench.talks(alice, bob, "1002").is_empty());
    assert!(bench.is_direct(alice) && bench.is_direct(bob));
    assert!(bench.keys(alice, 0).contains(&"Record") && !bench.keys(bob, 0).contains(&"Record"));

    bench.press(alice, RECORD);
    assert_eq!(bench.services(), ["record caller 1001-1002.wav every 0"]);
    bench.open_audio(&[alice, bob]);
    assert!(!bench.is_direct(alice) && !bench.is_direct(bob));
    assert_eq!(bench.prompt(alice, 0), "Recording");
    assert!(bench.keys(alice, 0).contains(&"StopRec") && !bench.keys(alice, 0).contains(&"Record"));
    assert_eq!(bench.view(alice).buttons.len(), 1, "the button is lit");

    bench.press(alice, STOP);
    assert_eq!(bench.services(), ["leave", "leave", "end 1001-1002.wav"]);
    bench.open_audio(&[alice, bob]);
    assert!(bench.is_direct(alice) && bench.is_direct(bob));
    assert_eq!(bench.prompt(alice, 0), "Connected");
    assert!(bench.view(alice).buttons.is_empty());

    // The button does the same, and a second recording is another one.
    bench.button(alice, StimulusType::GenericAppB1, 2);
    assert_eq!(bench.services(), ["record caller 1001-1002.wav every 0"]);
    bench.press(bob, RECORD);
    assert_eq!(bench.refused("recording of a call that cannot be recorded"), 1, "he has no key");
    bench.on_hook(alice);
    let recordings = bench.ended().remove(0).recordings;
    assert!(recordings.len() == 2 && recordings[0] != recordings[1], "{recordings:?}");
    bench.button(alice, StimulusType::GenericAppB1, 2);
    assert_eq!(bench.refused("recording without a call"), 1);
    bench.assert_quiet();
}

#[test]
fn on_hold_nothing_is_recorded_and_the_code_records_what_is_on_hold() {
    let mut site = with_rule(RecordingRule::Key);
    site.music.insert("bells".parse::<Name>().unwrap(), Music::default());
    site.settings.music = Some("bells".parse().unwrap());
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talks(alice, bob, "1002");
    bench.press(alice, SoftKey::Hold);
    bench.services();
    bench.press(alice, SoftKey::NewCall);
    bench.dial(alice, "*44");
    assert_eq!(bench.states(alice), ["Hold"], "the call that was made for the code is over");
    assert!(bench.services().is_empty());
    bench.press_on(alice, SoftKey::Resume, 0);
    let told = bench.services();
    assert!(told.contains(&"record caller 1001-1002.wav every 15".into()), "{told:?}");
    bench.open_audio(&[alice, bob]);

    bench.press(bob, SoftKey::Hold);
    let told = bench.services();
    assert!(told.contains(&"music".into()) && told.contains(&"pause".into()), "{told:?}");
    assert_eq!(bench.prompt(alice, 0), "Connected", "nothing of her is recorded");
    bench.press_on(bob, SoftKey::Resume, 0);
    assert!(bench.services().contains(&"record caller 1001-1002.wav every 15".into()));
    bench.on_hook(bob);
    assert_eq!(bench.ended().remove(0).recordings.len(), 1, "it went on");
    bench.assert_quiet();
}

#[test]
fn a_recording_ends_with_its_leg_and_a_transferred_call_has_its_own_rule() {
    let mut site = with_rule(RecordingRule::Always);
    edit_line(&mut site, "1003", |line| line.record = Some(RecordingRule::Always));
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talks(alice, bob, "1002");
    bench.press(alice, SoftKey::Transfer);
    bench.services();
    bench.dial(alice, "1004");
    bench.on_hook(alice);
    bench.services();
    bench.on_hook(bob);
    bench.services();
    bench.ended();

    bench.talks(alice, bob, "1002");
    bench.press(alice, SoftKey::Transfer);
    bench.services();
    bench.dial(alice, "1003");
    bench.off_hook(carol);
    assert_eq!(bench.services(), ["record caller 1001-1003.wav every 15"]);
    bench.press(alice, SoftKey::Transfer);
    let told = bench.services();
    assert!(told.contains(&"end 1001-1003.wav".into()), "{told:?}");
    assert!(told.contains(&"record called 1002-1003.wav every 15".into()), "{told:?}");
    bench.on_hook(carol);
    let told = bench.services();
    assert!(told.contains(&"end 1002-1003.wav".into()), "{told:?}");
    bench.assert_quiet();
}

#[test]
fn a_conference_is_recorded_by_who_wants_it() {
    let mut bench = Bench::new(with_rule(RecordingRule::Always));
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.talks(bob, alice, "1001");
    bench.press(bob, SoftKey::Confrn);
    bench.services();
    bench.dial(bob, "1003");
    bench.off_hook(carol);
    bench.services();
    bench.press(bob, SoftKey::Confrn);
    let told = bench.services();
    assert!(told.contains(&"record called 1002-1001.wav every 15".into()), "{told:?}");
    // Whose recording it is leaves; the others go on without.
    bench.on_hook(alice);
    let told = bench.services();
    assert!(told.contains(&"end 1002-1001.wav".into()), "{told:?}");
    assert_eq!(bench.states(bob), ["Connected"]);
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn an_emergency_call_goes_on_when_it_cannot_be_recorded() {
    let mut bench = Bench::new(with_rule(RecordingRule::Always));
    let (alice, dave) = (bench.phone("1001"), bench.phone("1004"));
    bench.talk(alice, dave, "112");
    bench.services_say(|_| None);
    bench.open_audio(&[alice, dave]);
    assert!(bench.is_direct(alice) && bench.is_direct(dave), "no place at the media services");
    assert_eq!(bench.logged("is not recorded"), 1);
    bench.on_hook(alice);
    bench.services();

    // Full disk: the call goes on as it would without the rule.
    bench.talks(alice, dave, "112");
    let name = bench.exchange_recording();
    bench.input(Input::RecordingFailed { name: name.clone(), kept: false });
    let told = bench.services();
    assert!(told.contains(&"end 1001-1004.wav".into()), "{told:?}");
    assert!(bench.notices(alice).contains(&"Recording failed".into()));
    bench.open_audio(&[alice, dave]);
    assert!(bench.is_direct(alice) && bench.is_direct(dave));
    bench.input(Input::RecordingFailed { name, kept: false });
    bench.on_hook(dave);
    assert!(
        bench
            .ended()
            .iter()
            .all(|ended| ended.recordings.is_empty() && ended.cause != EndCause::MediaFailure)
    );
    bench.assert_quiet();
}

impl Bench {
    /// The name of the recording of the only call.
    fn exchange_recording(&self) -> String {
        let [one] = &self.exchange.cut_off(self.now)[..] else { panic!("one call") };
        let selsius_exchange::record::Record::CallEnded(ended) = one else { panic!("{one:?}") };
        ended.recordings[0].clone()
    }
}

#[test]
fn what_is_not_understood_is_not_recorded() {
    let mut site = with_rule(RecordingRule::Always);
    edit_line(&mut site, "1002", |line| line.record = Some(RecordingRule::Key));
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    for phone in [alice, bob] {
        bench.say(phone, capabilities(&[Codec::G729AnnexA]));
    }
    assert!(bench.talks(alice, bob, "1002").is_empty());
    assert!(bench.is_direct(alice));
    bench.press(bob, RECORD);
    assert!(bench.notices(bob).contains(&"Recording failed".into()));
    assert!(bench.services().is_empty());
    bench.on_hook(alice);

    // Two that prefer wideband speak what is recorded as it is.
    for phone in [alice, bob] {
        bench.say(phone, capabilities(&[Codec::G722_64k, Codec::G711Ulaw64k]));
    }
    assert_eq!(bench.talks(alice, bob, "1002"), ["record caller 1001-1002.wav every 15"]);
    let codec = bench.view(alice).legs[0].receive.unwrap().audio.codec;
    assert_eq!(codec, Codec::G711Ulaw64k);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_trunk_has_its_own_rule() {
    let name = |name: &str| name.parse::<Name>().unwrap();
    for (rule, media) in [
        (RecordingRule::Always, MediaPath::Relay),
        (RecordingRule::Always, MediaPath::Direct),
        (RecordingRule::Key, MediaPath::Direct),
    ] {
        let mut site = office();
        let trunk =
            Trunk { kind: TrunkKind::Sip, media: Some(media), record: Some(rule), ..Trunk::default() };
        site.trunks.insert(name("carrier"), trunk);
        let action = Action::Trunks([name("carrier")].into());
        site.routes.insert("0.X".parse().unwrap(), Route { action, ..Route::default() });
        let mut bench = Bench::new(site);
        let alice = bench.phone("1001");
        bench.off_hook(alice);
        bench.dial(alice, "05");
        bench.services();
        let Some(TrunkOrder::Offer { leg, .. }) = bench.orders.last() else { panic!("{:?}", bench.orders) };
        let (leg, address): (TrunkLegId, _) = (*leg, Some(SocketAddr::from(([203, 0, 113, 9], 4000))));
        let audio = RemoteAudio { codecs: [CodecName::Pcma].into(), address, ..RemoteAudio::default() };
        bench.input(Input::Trunk(TrunkEvent::Answered { leg, audio }));
        let mut told = bench.services();
        bench.open_audio(&[alice]);
        if rule == RecordingRule::Key {
            assert!(told.is_empty() && bench.sends_to(alice).unwrap().starts_with("203.0.113.9:"));
            bench.press(alice, RECORD);
            told = bench.services();
            assert_eq!(told, ["record caller 1001-5.wav every 15"]);
        } else {
            assert_eq!(told, ["record called 1001-5.wav every 15"], "{media:?}");
        }
        let to_us = |order: &TrunkOrder| matches!(order, TrunkOrder::Media { address, .. } if address.ip().to_string() == "10.0.9.1");
        assert!(bench.orders.iter().any(to_us), "{rule:?} {media:?}: {:?}", bench.orders);
        bench.on_hook(alice);
        bench.services();
        bench.assert_quiet();
    }
}
