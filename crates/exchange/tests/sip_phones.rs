//! SIP phones: they ring, call, and are seen as phones of their line, whatever speaks to them.

#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use std::net::SocketAddr;

use bench::{Bench, device_name, edit_line, office};
use selsius_exchange::{
    Config, Exchange, Input, LineUse, PhoneContact, RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder,
    WallClock,
    record::{DeviceEventKind, EndCause, Party, RedirectKind},
    remembered::ForwardKind,
};
use selsius_site::{
    Action, Button, CodecName, DeviceName, FeatureCode, HuntGroup, Line, LineNumber, MediaPath, Rights,
    Route, SipPhone, Site, Trunk, TrunkKind,
};
use selsius_wire::value::{SoftKey, StimulusType};

fn number(text: &str) -> LineNumber {
    text.parse().unwrap()
}

fn phone(name: &str) -> DeviceName {
    name.parse().unwrap()
}

/// 1005 is Erin's: on a SIP phone of her own, ERIN. FRED is one more phone of Dave's line, 1004. Bob watches both lines.
fn with_phones() -> Site {
    let mut site = office();
    site.lines.insert(number("1005"), Line { name: "Erin".into(), ..Line::default() });
    for (name, line) in [("erin", "1005"), ("fred", "1004")] {
        let direct = SipPhone { line: Some(number(line)), media: MediaPath::Direct, ..SipPhone::default() };
        site.sip_phones.insert(phone(name), direct);
    }
    let bob = site.devices.get_mut(&device_name("1002").parse().unwrap()).unwrap();
    bob.buttons.truncate(1);
    bob.buttons
        .extend(["1005", "1004"].map(|line| Button::BusyLamp { number: number(line), label: line.into() }));
    site
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], port))
}

fn audio() -> RemoteAudio {
    let (codecs, address) = ([CodecName::Pcma].into(), Some(address(4000)));
    RemoteAudio { codecs, address, ..RemoteAudio::default() }
}

fn contact(id: u64) -> PhoneContact {
    PhoneContact { id, address: address(5060), agent: "softphone/1".into() }
}

impl Bench {
    fn trunk(&mut self, event: TrunkEvent) {
        self.input(Input::Trunk(event));
    }

    fn registers(&mut self, name: &str, places: &[u64]) {
        let contacts = places.iter().copied().map(contact).collect();
        self.input(Input::Phone { phone: phone(name), contacts });
    }

    /// The SIP phone calls; the name of its call.
    fn sip_calls(&mut self, name: &str, leg: u64, number: &str) -> TrunkLegId {
        let leg = TrunkLegId(leg);
        self.trunk(TrunkEvent::Offer {
            leg,
            trunk: phone(name).as_str().into(),
            number: number.into(),
            calling: Party { number: "666".into(), name: "Mallory".into(), ..Party::default() },
            audio: audio(),
            redirecting: None,
        });
        leg
    }

    /// The calls that SIP phones were asked to take since the last time: each call and place.
    fn offers(&mut self) -> Vec<(TrunkLegId, u64)> {
        let offer = |order: &TrunkOrder| match order {
            TrunkOrder::Offer { leg, contact, .. } => Some((*leg, (*contact)?)),
            _ => None,
        };
        self.orders.iter().filter_map(offer).collect()
    }

    fn told(&mut self) -> Vec<String> {
        let show = |order: TrunkOrder| match order {
            TrunkOrder::Offer { trunk, number, calling, contact, .. } => {
                let contact = contact.map_or_else(String::new, |contact| format!(" at {contact}"));
                format!("Offer {trunk} {number} from {} {}{contact}", calling.number, calling.name)
            }
            TrunkOrder::Ringing { .. } => "Ringing".into(),
            TrunkOrder::Answer { by, .. } => format!("Answer {}", by.number),
            TrunkOrder::Media { address, .. } => format!("Media {}", address.ip()),
            TrunkOrder::Hold { held, .. } => format!("Hold {held}"),
            TrunkOrder::Party { party, .. } => format!("Party {}", party.number),
            TrunkOrder::Digit { digit, .. } => format!("Digit {digit}"),
            TrunkOrder::Messages { phone, new, old } => format!("Messages {phone} {new}/{old}"),
            TrunkOrder::HangUp { leg, cause } => format!("HangUp {} {}", leg.0, cause.name()),
            TrunkOrder::Refer { leg, .. } => format!("{} refer", leg.0),
        };
        std::mem::take(&mut self.orders).into_iter().map(show).collect()
    }

    fn answers(&mut self, leg: TrunkLegId) {
        self.trunk(TrunkEvent::Answered { leg, audio: audio() });
    }

    /// What Bob's two lamps show; an idle line is nothing to tell.
    fn lamp_of(&self, bob: selsius_exchange::SessionId) -> [u32; 2] {
        let buttons = self.view(bob).buttons;
        [1, 2].map(|at| buttons.iter().find(|button| button.instance == at).map_or(1, |button| button.status))
    }
}

#[test]
fn a_sip_phone_rings_is_seen_and_is_in_the_record() {
    let mut bench = Bench::new(with_phones());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    // Nobody has the line: 0 on the lamp, and callers hear so.
    assert_eq!(bench.lamp_of(bob), [0, 0]);
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    assert_eq!(bench.ended()[0].cause, EndCause::Unregistered);
    bench.on_hook(alice);

    bench.registers("erin", &[7]);
    assert_eq!(bench.lamp_of(bob), [1, 0]);
    assert_eq!(bench.told(), ["Messages ERIN 0/0"]);
    assert!(
        matches!(&bench.history("ERIN")[..], [DeviceEventKind::Registered { load, .. }] if load == "softphone/1")
    );
    let lines = bench.exchange.presence_after(None, 10).lines;
    assert_eq!(lines.get(&number("1005")), Some(&LineUse::Idle));

    bench.off_hook(alice);
    bench.dial(alice, "1005");
    assert_eq!(bench.states(alice), ["RingOut"]);
    assert_eq!(bench.lamp_of(bob), [4, 0]);
    let [(leg, 7)] = bench.offers()[..] else { panic!("{:?}", bench.orders) };
    assert_eq!(bench.told(), ["Offer ERIN 1005 from 1001 Alice at 7"]);
    bench.answers(leg);
    assert_eq!(bench.states(alice), ["Connected"]);
    assert_eq!(bench.lamp_of(bob), [2, 0]);
    assert_eq!(bench.exchange.presence_after(None, 10).lines.get(&number("1005")), Some(&LineUse::InUse));
    bench.trunk(TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
    assert_eq!(bench.lamp_of(bob), [1, 0]);
    let ended = &bench.ended()[0];
    assert_eq!((ended.cause, ended.trunk.as_str()), (EndCause::CalledHungUp, ""));
    assert_eq!(ended.called.device, Some(phone("erin")));
    assert_eq!((ended.called.number.as_str(), ended.called.name.as_str()), ("1005", "Erin"));

    bench.registers("erin", &[]);
    assert_eq!(bench.lamp_of(bob), [0, 0]);
    assert!(!bench.exchange.presence_after(None, 10).lines.contains_key(&number("1005")));
    bench.assert_quiet();
}

#[test]
fn all_places_ring_and_the_first_that_answers_has_the_call() {
    let mut bench = Bench::new(with_phones());
    let alice = bench.phone("1001");
    bench.registers("erin", &[1, 2, 3]);
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    let [(one, 1), (two, 2), (three, 3)] = bench.offers()[..] else { panic!("{:?}", bench.orders) };
    bench.told();
    // One that is busy is not the end of it.
    bench.trunk(TrunkEvent::HungUp { leg: one, cause: EndCause::Busy });
    assert_eq!(bench.states(alice), ["RingOut"]);
    bench.answers(three);
    assert_eq!(bench.states(alice), ["Connected"]);
    assert!(bench.told().contains(&format!("HangUp {} caller-hung-up", two.0)));
    bench.on_hook(alice);
    bench.assert_quiet();

    bench.told();
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    for (leg, _) in bench.offers() {
        bench.trunk(TrunkEvent::HungUp { leg, cause: EndCause::Busy });
    }
    assert_eq!(bench.ended().last().unwrap().cause, EndCause::Busy);
}

#[test]
fn a_line_on_phones_of_both_kinds_is_one_line() {
    let mut bench = Bench::new(with_phones());
    let [alice, bob, dave] = ["1001", "1002", "1004"].map(|number| bench.phone(number));
    bench.registers("fred", &[1]);
    bench.off_hook(alice);
    bench.dial(alice, "1004");
    assert_eq!(bench.states(dave), ["RingIn"]);
    let [(leg, 1)] = bench.offers()[..] else { panic!("{:?}", bench.orders) };
    bench.answers(leg);
    // The other phone of the line sees the call, and may not take it while somebody talks.
    assert_eq!(bench.states(dave), ["CallRemoteMultiline"]);
    assert_eq!(bench.lamp_of(bob), [0, 2]);
    bench.trunk(TrunkEvent::Hold { leg, held: true });
    let held = bench.exchange.view(&device_name("1004").parse().unwrap()).unwrap();
    assert_eq!(held.legs.len(), 1);
    bench.told();
    // On hold it is free to be taken by the line's other phone.
    bench.button(dave, StimulusType::Line, 1);
    assert_eq!(bench.states(dave), ["Connected"]);
    assert_eq!(bench.told(), [format!("HangUp {} caller-hung-up", leg.0)]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_line_forwards_what_its_sip_phone_does_not_take() {
    for (kind, cause, redirection) in [
        (ForwardKind::Busy, EndCause::Busy, RedirectKind::ForwardBusy),
        (ForwardKind::NoAnswer, EndCause::NoAnswer, RedirectKind::ForwardNoAnswer),
        (ForwardKind::Unregistered, EndCause::NoTrunk, RedirectKind::ForwardUnregistered),
    ] {
        let mut bench = Bench::new(with_phones());
        let (alice, carol) = (bench.phone("1001"), bench.phone("1003"));
        bench.registers("erin", &[1]);
        bench.forward("1005", kind, "1003").unwrap();
        bench.off_hook(alice);
        bench.dial(alice, "1005");
        let [(leg, 1)] = bench.offers()[..] else { panic!("{:?}", bench.orders) };
        bench.trunk(TrunkEvent::HungUp { leg, cause });
        assert_eq!(bench.states(carol), ["RingIn"], "{kind:?}");
        bench.on_hook(alice);
        assert_eq!(bench.redirections(), [(redirection, "1005".into())]);
    }
    // Registered nowhere, or ringing for too long.
    let mut bench = Bench::new(with_phones());
    let (alice, carol) = (bench.phone("1001"), bench.phone("1003"));
    bench.forward("1005", ForwardKind::Unregistered, "1003").unwrap();
    bench.forward("1005", ForwardKind::NoAnswer, "1003").unwrap();
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(alice);
    bench.registers("erin", &[1]);
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    let wait = bench.exchange.site().settings.timers.forward_no_answer;
    bench.wait(std::time::Duration::from_secs(wait.into()));
    assert_eq!(bench.states(carol), ["RingIn"]);
    assert!(bench.told().iter().any(|order| order.starts_with("HangUp")));
}

#[test]
fn it_calls_as_its_line_whatever_it_says() {
    let mut site = with_phones();
    site.trunks.insert("carrier".parse().unwrap(), Trunk { kind: TrunkKind::Sip, ..Trunk::default() });
    let out = Route {
        action: Action::Trunks(["carrier".parse().unwrap()].into()),
        partition: Some("far".parse().unwrap()),
        ..Route::default()
    };
    site.routes.insert("9.X!".parse().unwrap(), out);
    site.rights.insert("none".parse().unwrap(), Rights { partitions: Vec::new() });
    edit_line(&mut site, "1005", |line| line.rights = Some("none".parse().unwrap()));
    let mut bench = Bench::new(site);
    let (alice, dave) = (bench.phone("1001"), bench.phone("1004"));
    bench.registers("erin", &[1]);
    bench.told();
    let leg = bench.sip_calls("erin", 1, "1001");
    assert_eq!(bench.told(), ["Ringing"]);
    assert_eq!(bench.states(alice), ["RingIn"]);
    let info = bench.view(alice).legs[0].info.clone().unwrap();
    assert_eq!((info.calling_number.as_str(), info.calling_name.as_str()), ("1005", "Erin"));
    bench.off_hook(alice);
    bench.open_audio(&[alice]);
    assert_eq!(bench.told(), ["Answer 1001", "Media 10.0.0.1"]);
    bench.trunk(TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
    let ended = &bench.ended()[0];
    assert_eq!((ended.cause, ended.calling.device.clone()), (EndCause::CallerHungUp, Some(phone("erin"))));

    // The rights of the line: not out. Emergency numbers always.
    bench.sip_calls("erin", 3, "9123");
    assert_eq!(bench.told(), ["HangUp 3 blocked"]);
    bench.sip_calls("erin", 5, "77777");
    assert_eq!(bench.told(), ["HangUp 5 unknown-number"]);
    bench.sip_calls("erin", 7, "112");
    assert_eq!(bench.states(dave), ["RingIn"]);
    // Without a registration it can call, too: it has proved who it is.
    bench.registers("erin", &[]);
    bench.sip_calls("erin", 9, "1001");
    assert_eq!(bench.states(alice), ["RingIn"]);
    bench.input(Input::Shutdown);
    bench.assert_quiet();
}

#[test]
fn it_has_as_many_calls_as_it_may_and_one_more_for_help() {
    let mut site = with_phones();
    site.sip_phones.get_mut(&phone("erin")).unwrap().calls = 1;
    let mut bench = Bench::new(site);
    let [alice, _bob, dave] = ["1001", "1002", "1004"].map(|number| bench.phone(number));
    bench.registers("erin", &[1]);
    bench.sip_calls("erin", 1, "1001");
    bench.told();
    bench.sip_calls("erin", 3, "1002");
    assert_eq!(bench.told(), ["HangUp 3 busy"]);
    bench.sip_calls("erin", 5, "112");
    assert_eq!(bench.states(dave), ["RingIn"]);
    bench.off_hook(alice);
    let carol = bench.phone("1003");
    bench.off_hook(carol);
    bench.dial(carol, "1005");
    assert_eq!(bench.ended().last().unwrap().cause, EndCause::Busy);
}

#[test]
fn it_sends_calls_where_its_user_may_call() {
    let mut bench = Bench::new(with_phones());
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|number| bench.phone(number));
    bench.registers("erin", &[1]);
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    let [(leg, 1)] = bench.offers()[..] else { panic!("{:?}", bench.orders) };
    bench.answers(leg);
    bench.told();
    // To a number that nobody has nothing happens, and the conversation goes on.
    bench.trunk(TrunkEvent::Redirect { leg, number: "77777".into() });
    assert_eq!((bench.states(alice), bench.told().len()), (vec!["Connected"], 0));
    bench.trunk(TrunkEvent::Redirect { leg, number: "1003".into() });
    assert_eq!((bench.states(alice), bench.states(carol)), (vec!["RingOut"], vec!["RingIn"]));
    assert_eq!(bench.told(), [format!("HangUp {} caller-hung-up", leg.0)]);
    bench.off_hook(carol);
    bench.on_hook(alice);
    assert_eq!(bench.redirections(), [(RedirectKind::Transfer, "1005".into())]);

    // After asking: its own two calls become one.
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    let (first, _) = *bench.offers().last().unwrap();
    bench.answers(first);
    bench.trunk(TrunkEvent::Hold { leg: first, held: true });
    let second = bench.sip_calls("erin", 11, "1002");
    bench.off_hook(bob);
    bench.told();
    bench.trunk(TrunkEvent::Join { leg: first, with: second });
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Connected"], vec!["Connected"]));
    let told = bench.told();
    let ended = |leg: TrunkLegId| told.iter().any(|order| order.starts_with(&format!("HangUp {} ", leg.0)));
    assert!(ended(first) && ended(second), "{told:?}");
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn it_joins_nobody_else_s_calls() {
    let mut bench = Bench::new(with_phones());
    let [alice, bob] = ["1001", "1002"].map(|number| bench.phone(number));
    bench.registers("erin", &[1]);
    bench.registers("fred", &[2]);
    let erins = bench.sip_calls("erin", 1, "1001");
    bench.off_hook(alice);
    let freds = bench.sip_calls("fred", 3, "1002");
    bench.off_hook(bob);
    for with in [freds, TrunkLegId(99)] {
        bench.trunk(TrunkEvent::Join { leg: erins, with });
    }
    assert_eq!(bench.refused("transfer to a call that is not the phone's"), 2);
    assert_eq!(bench.view(alice).legs[0].info.as_ref().unwrap().calling_number, "1005");
}

#[test]
fn a_redirection_of_the_phone_s_leads_the_call_on() {
    let mut bench = Bench::new(with_phones());
    let [alice, carol, dave] = ["1001", "1003", "1004"].map(|number| bench.phone(number));
    bench.registers("fred", &[1]);
    bench.off_hook(alice);
    bench.dial(alice, "1004");
    let [(leg, 1)] = bench.offers()[..] else { panic!("{:?}", bench.orders) };
    bench.trunk(TrunkEvent::Redirect { leg, number: "1003".into() });
    assert_eq!((bench.states(carol), bench.states(dave)), (vec!["RingIn"], vec![]));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn groups_pick_ups_and_call_backs_know_it() {
    let mut site = with_phones();
    let group = HuntGroup { members: [number("1005"), number("1003")].into(), ..HuntGroup::default() };
    site.hunt_groups.insert(number("2000"), group);
    let mut bench = Bench::new(site);
    let [alice, bob, carol] = ["1001", "1002", "1003"].map(|number| bench.phone(number));
    bench.registers("erin", &[1]);
    bench.told();
    bench.off_hook(alice);
    bench.dial(alice, "2000");
    let [(leg, 1)] = bench.offers()[..] else { panic!("{:?}", bench.orders) };
    bench.trunk(TrunkEvent::HungUp { leg, cause: EndCause::Busy });
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(alice);
    bench.told();

    // Bob's lamp flashes, and pressing it takes the call.
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    let (leg, _) = bench.offers()[0];
    bench.told();
    bench.button(bob, StimulusType::BlfSpeedDial, 1);
    assert_eq!(bench.states(bob), ["Connected"]);
    assert_eq!(bench.told(), [format!("HangUp {} caller-hung-up", leg.0)]);
    bench.on_hook(bob);

    // Busy: Alice asks to be called back, and is when the phone is free.
    let busy = bench.sip_calls("erin", 1, "1002");
    bench.off_hook(bob);
    let mut site = bench.exchange.site().clone();
    edit_line(&mut site, "1005", |line| line.busy_trigger = 1);
    bench.input(Input::Site(Box::new(site)));
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    bench.press_on(alice, SoftKey::from(20), 0);
    bench.on_hook(alice);
    assert_eq!(bench.states(alice), Vec::<&str>::new());
    bench.trunk(TrunkEvent::HungUp { leg: busy, cause: EndCause::CallerHungUp });
    assert_eq!(bench.states(alice), ["RingIn"]);
}

#[test]
fn codes_that_need_no_display_work() {
    let mut site = with_phones();
    site.settings.voicemail = Some(number("1003"));
    let code = |site: &Site, code| site.settings.codes.iter().find(|(of, _)| *of == code).unwrap().1.clone();
    let (voicemail, cancel) = (code(&site, FeatureCode::Voicemail), code(&site, FeatureCode::ForwardCancel));
    let all = code(&site, FeatureCode::ForwardAll);
    edit_line(&mut site, "1005", |line| line.voicemail = true);
    let mut bench = Bench::new(site);
    let carol = bench.phone("1003");
    bench.registers("erin", &[1]);
    bench.sip_calls("erin", 1, voicemail.as_str());
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.trunk(TrunkEvent::HungUp { leg: TrunkLegId(1), cause: EndCause::CallerHungUp });
    bench.sip_calls("erin", 3, &format!("{all}1003"));
    assert_eq!(bench.stored("1005").unwrap().forwards.all, Some(number("1003")));
    bench.sip_calls("erin", 5, cancel.as_str());
    assert_eq!(bench.exchange.site().lines.len(), 5);
    assert_eq!(bench.stored("1005").unwrap().forwards.all, None);
    bench.assert_quiet();
    bench.told();
    // What waits for the line is told to its phone.
    bench.administer(|exchange: &mut Exchange, now| exchange.set_messages(now, &number("1005"), 2, 1));
    assert_eq!(bench.told(), ["Messages ERIN 2/1"]);
}

#[test]
fn another_site_moves_phones_or_takes_them_away() {
    let mut bench = Bench::new(with_phones());
    let [alice, bob, _dave] = ["1001", "1002", "1004"].map(|number| bench.phone(number));
    bench.registers("erin", &[1]);
    bench.registers("fred", &[2]);
    bench.sip_calls("erin", 1, "1001");
    bench.off_hook(alice);
    assert_eq!(bench.lamp_of(bob), [2, 1]);
    let mut site = with_phones();
    site.sip_phones.get_mut(&phone("erin")).unwrap().line = Some(number("1004"));
    site.sip_phones.remove(&phone("fred"));
    bench.told();
    bench.input(Input::Site(Box::new(site)));
    assert_eq!(bench.lamp_of(bob), [0, 1]);
    assert_eq!(bench.told(), ["HangUp 1 phone-lost", "Messages ERIN 0/0"]);
    // The call of a phone that is not in the site is nobody's.
    bench.sip_calls("fred", 3, "1001");
    assert_eq!(bench.told(), ["HangUp 3 no-trunk"]);
    assert!(bench.states(alice).is_empty());
}

#[test]
fn a_crash_of_the_exchange_forgets_no_registration() {
    let mut bench = Bench::new(with_phones());
    bench.registers("erin", &[1]);
    let old = std::mem::replace(
        &mut bench.exchange,
        Exchange::new(Config::default(), Site::default(), WallClock::default()),
    );
    bench.exchange = Exchange::after(old.remains(), WallClock::default());
    let alice = bench.phone("1001");
    bench.told();
    bench.off_hook(alice);
    bench.dial(alice, "1005");
    assert_eq!(bench.told(), ["Offer ERIN 1005 from 1001 Alice at 1"]);
}
