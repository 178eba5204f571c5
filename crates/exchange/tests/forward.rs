//! Forwarding.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod bench;

use std::time::Duration;

use bench::{Bench, brief, device_name, edit_line, office};
use selsius_exchange::{
    CannotForward, RemoteAudio, TrunkEvent, TrunkOrder,
    record::{EndCause, Party, RedirectKind},
    remembered::{ForwardKind, LineState},
};
use selsius_site::{Action, CodecName, LineNumber, Route, Site, Trunk};
use selsius_wire::{
    ManagerMessage, message,
    value::{LampMode, RingMode, SoftKey, StimulusType},
};

const FORWARD_ALL: u32 = 5;
const TRANSFER: u32 = 4;

fn number(text: &str) -> LineNumber {
    text.parse().unwrap()
}

fn key(event: u32) -> SoftKey {
    SoftKey::from(event)
}

/// Where a phone was told that its line forwards all calls.
fn told_forward(messages: &[ManagerMessage]) -> Option<String> {
    messages.iter().rev().find_map(|message| match message {
        ManagerMessage::ForwardStat(stat) => Some(stat.forward_all_dirnum.to_string()),
        _ => None,
    })
}

/// The office with a trunk behind 9.
fn with_trunk() -> Site {
    let mut site = office();
    let name: selsius_site::Name = "outside".parse().unwrap();
    let route = Route { action: Action::Trunks([name.clone()].into()), ..Route::default() };
    site.routes.insert("9.XXXX".parse().unwrap(), route);
    site.trunks.insert(name, Trunk::default());
    site
}

#[test]
fn the_key_forwards_and_ends_it() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.press(bob, key(FORWARD_ALL));
    let heard = bench.heard(bob);
    for expected in ["StartTone Zip", "Prompt Enter number to forward to", "SelectSoftKeys 6"] {
        assert!(heard.contains(&expected.into()), "{expected} in {heard:?}");
    }
    assert_eq!(bench.lamp(bob, StimulusType::ForwardAll, 1), LampMode::Flash);
    bench.dial(bob, "1003");
    let messages = bench.messages(bob);
    assert_eq!(told_forward(&messages).as_deref(), Some("1003"));
    let heard: Vec<_> = messages.iter().map(brief).collect();
    let stat = heard.iter().position(|line| line == "ForwardStat");
    let over = heard.iter().position(|line| line == "CallState OnHook");
    assert!(stat < over, "call-flows: store, ForwardStat, CallState(2): {heard:?}");
    assert_eq!(heard.last().unwrap(), "Prompt Forwarded to 1003");
    assert_eq!(bench.lamp(bob, StimulusType::ForwardAll, 1), LampMode::On);
    bench.assert_quiet();

    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert!(bench.states(bob).is_empty());
    let view = bench.view(carol);
    let info = view.legs[0].info.as_deref().unwrap();
    assert_eq!((info.original_called_number.as_str(), info.last_redirecting_name.as_str()), ("1002", "Bob"));
    assert_eq!((info.original_redirect_reason, info.last_redirect_reason), (4, 4));
    assert_eq!(info.called_number, "1003");
    bench.off_hook(carol);
    bench.open_audio(&[alice, carol]);
    bench.on_hook(alice);
    assert_eq!(bench.redirections(), [(RedirectKind::ForwardAll, "1002".into())]);

    bench.heard(bob);
    bench.press(bob, key(FORWARD_ALL));
    let heard = bench.heard(bob);
    assert_eq!(heard, ["ForwardStat", "SetLamp 1 Off", "Prompt Your current options", "DisplayNotifyV2"]);
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.states(bob), ["RingIn"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn codes_forward_the_line_that_they_are_dialled_on() {
    let mut bench = Bench::new(office());
    let bob = bench.phone("1002");
    for (code, kind) in
        [("*721003", ForwardKind::All), ("*901003", ForwardKind::Busy), ("*921003", ForwardKind::NoAnswer)]
    {
        bench.off_hook(bob);
        bench.dial(bob, code);
        bench.on_hook(bob);
        bench.assert_quiet();
        let state = bench.stored("1002").unwrap();
        assert_eq!(state.forwards.target(kind), Some(&number("1003")), "{code}: {state:?}");
    }
    bench.off_hook(bob);
    bench.dial(bob, "*73");
    assert_eq!(bench.stored("1002"), Some(LineState::default()));
    assert_eq!(bench.view(bob), selsius_exchange::view::View::default());
    assert!(bench.ended().is_empty(), "a feature is no call");
}

#[test]
fn what_cannot_be_forwarded_is_refused() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    assert_eq!(bench.forward("1003", ForwardKind::All, "1002"), Ok(()));
    for (line, to, error) in [
        ("1002", "1002", CannotForward::Loop),
        ("1002", "1003", CannotForward::Loop),
        ("1002", "5555", CannotForward::Nowhere),
        ("1002", "1999", CannotForward::Nowhere),
        ("1002", "112", CannotForward::Nowhere),
        ("1002", "*97", CannotForward::Nowhere),
        ("7777", "1001", CannotForward::UnknownLine),
    ] {
        assert_eq!(bench.forward(line, ForwardKind::All, to), Err(error), "{line} to {to}");
    }
    assert_eq!(bench.forward("1002", ForwardKind::Busy, "1003"), Ok(()), "no circle while it is free");

    bench.press(bob, key(FORWARD_ALL));
    bench.dial(bob, "1002");
    assert_eq!(bench.states(bob), ["Congestion"], "a tone tells so");
    let told = bench.messages(bob);
    let loops = told.iter().any(|message| match message {
        ManagerMessage::DisplayNotifyV2(notify) => {
            let text = selsius_wire::PhoneText::parse(notify.notify.bytes(), selsius_wire::Encoding::Latin1);
            text.to_plain() == "CFwdAll loop detected"
        }
        _ => false,
    });
    assert!(loops, "{told:?}");
    bench.on_hook(bob);

    // A circle that came about behind everybody's back ends as well: each of the two was free to do so.
    let busy = [("1003", ForwardKind::All), ("1002", ForwardKind::Busy)];
    assert!(busy.iter().all(|(line, kind)| {
        bench.stored(line).is_some_and(|state| state.forwards.target(*kind).is_some())
    }));
    bench.off_hook(bob);
    bench.dial(bob, "1001");
    bench.off_hook(alice);
    edit_line_now(&mut bench, "1002", |line| line.busy_trigger = 1);
    let dave = bench.phone("1004");
    bench.off_hook(dave);
    bench.dial(dave, "1002");
    assert_eq!(bench.states(dave), ["InvalidNumber"]);
    for phone in [alice, bob, dave] {
        bench.on_hook(phone);
    }
    bench.assert_quiet();
    let hops = bench.ended().iter().map(|call| call.redirections.len()).max();
    assert_eq!(hops, Some(10));
}

fn edit_line_now(bench: &mut Bench, line: &str, edit: impl FnOnce(&mut selsius_site::Line)) {
    let mut site = bench.exchange.site().clone();
    edit_line(&mut site, line, edit);
    bench.input(selsius_exchange::Input::Site(Box::new(site)));
}

#[test]
fn busy_and_unanswered_and_unregistered_calls_go_on() {
    let mut site = office();
    edit_line(&mut site, "1002", |line| line.busy_trigger = 1);
    edit_line(&mut site, "1004", |line| line.forward_unregistered = Some(number("1003")));
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    let phones = [alice, bob, carol];
    bench.forward("1002", ForwardKind::Busy, "1003").unwrap();
    bench.forward("1002", ForwardKind::NoAnswer, "1003").unwrap();
    assert!(bench.view(bob).idle_prompt.is_empty(), "calls still come: the phone looks as usual");

    bench.off_hook(bob);
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.states(carol), ["RingIn"]);
    let reason = |bench: &Bench| {
        bench.view(carol).legs[0].info.as_ref().map(|info| info.last_redirect_reason).unwrap()
    };
    assert_eq!(reason(&bench), 1);
    bench.on_hook(alice);
    bench.on_hook(bob);
    assert_eq!(bench.redirections(), [(RedirectKind::ForwardBusy, "1002".into())]);

    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.wait_alive(Duration::from_secs(19), &phones);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["RingIn"], vec![]));
    bench.heard(bob);
    bench.wait_alive(Duration::from_secs(1), &phones);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec![], vec!["RingIn"]));
    assert_eq!((reason(&bench), bench.states(alice)), (2, vec!["RingOut"]));
    assert!(!bench.heard(bob).contains(&"CallState Connected".into()), "it is a missed call");
    bench.off_hook(carol);
    bench.open_audio(&[alice, carol]);
    assert_eq!(bench.sends_to(alice).as_deref(), Some("10.0.0.3:10000"));
    bench.on_hook(carol);
    assert_eq!(bench.redirections(), [(RedirectKind::ForwardNoAnswer, "1002".into())]);

    bench.off_hook(alice);
    bench.dial(alice, "1004");
    assert_eq!((bench.states(carol), reason(&bench)), (vec!["RingIn"], 9));
    bench.on_hook(alice);
    assert_eq!(bench.redirections(), [(RedirectKind::ForwardUnregistered, "1004".into())]);
    bench.forward("1004", ForwardKind::Unregistered, "1002").unwrap();
    bench.off_hook(alice);
    bench.dial(alice, "1004");
    assert_eq!(bench.states(bob), ["RingIn"], "what was set at run time wins over the site");
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn an_answer_in_time_is_not_forwarded() {
    let mut bench = Bench::new(office());
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.forward("1002", ForwardKind::NoAnswer, "1003").unwrap();
    bench.talk(alice, bob, "1002");
    bench.wait_alive(Duration::from_secs(60), &[alice, bob, carol]);
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["Connected"], vec![]));
    bench.on_hook(alice);
    // Nor is one whose forwarding is ended meanwhile: it rings on.
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench
        .administer(|exchange, now| exchange.set_forward(now, &number("1002"), ForwardKind::NoAnswer, None))
        .unwrap();
    bench.wait_alive(Duration::from_secs(60), &[alice, bob, carol]);
    assert_eq!((bench.states(bob), bench.states(alice)), (vec!["RingIn"], vec!["RingOut"]));
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn the_target_and_emergencies_ring_through() {
    let mut site = office();
    site.settings.voicemail = Some(number("1002"));
    let mut bench = Bench::new(site);
    let (alice, carol, dave) = (bench.phone("1001"), bench.phone("1003"), bench.phone("1004"));
    bench.forward("1004", ForwardKind::All, "1003").unwrap();
    bench.administer(|exchange, now| exchange.set_do_not_disturb(now, &number("1004"), true));
    bench.off_hook(alice);
    bench.dial(alice, "112");
    assert_eq!((bench.states(dave), bench.states(carol)), (vec!["RingIn"], vec![]));
    assert_eq!(bench.view(dave).ring.unwrap().mode, RingMode::Inside);
    assert!(!bench.keys(dave, 0).contains(&"iDivert"));
    bench.on_hook(alice);
    bench.administer(|exchange, now| exchange.set_do_not_disturb(now, &number("1004"), false));
    bench.off_hook(carol);
    bench.dial(carol, "1004");
    assert_eq!(bench.states(dave), ["RingIn"], "whom the line is forwarded to may call it");
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn trunks_forward_and_are_forwarded_to() {
    let mut bench = Bench::new(with_trunk());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.forward("1002", ForwardKind::All, "95555").unwrap();
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    let Some(TrunkOrder::Offer { number, redirecting, .. }) = bench.orders.last() else { panic!() };
    assert_eq!((number.as_str(), redirecting.as_ref().unwrap().number.as_str()), ("5555", "1002"));
    bench.on_hook(alice);

    // What comes in cannot use codes, but is forwarded as any call.
    bench
        .administer(|exchange, now| exchange.set_forward(now, &self::number("1002"), ForwardKind::All, None))
        .unwrap();
    bench.forward("1002", ForwardKind::NoAnswer, "1001").unwrap();
    let offer = |leg, number: &str| TrunkEvent::Offer {
        leg: selsius_exchange::TrunkLegId(leg),
        trunk: "outside".into(),
        number: number.into(),
        calling: Party { number: "5556".into(), ..Party::default() },
        audio: RemoteAudio { codecs: [CodecName::Pcmu].into(), ..RemoteAudio::default() },
        redirecting: None,
    };
    bench.input(selsius_exchange::Input::Trunk(offer(1, "*721001")));
    assert!(matches!(bench.orders.last(), Some(TrunkOrder::HangUp { .. })));
    bench.input(selsius_exchange::Input::Trunk(offer(3, "1002")));
    assert_eq!(bench.states(bob), ["RingIn"]);
    bench.wait_alive(Duration::from_secs(20), &[alice, bob]);
    assert_eq!((bench.states(bob), bench.states(alice)), (vec![], vec!["RingIn"]));
    let hung_up = TrunkEvent::HungUp { leg: selsius_exchange::TrunkLegId(3), cause: EndCause::CallerHungUp };
    bench.input(selsius_exchange::Input::Trunk(hung_up));
    bench.assert_quiet();
}

#[test]
fn an_unanswered_call_goes_on_over_a_trunk() {
    let mut bench = Bench::new(with_trunk());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.forward("1002", ForwardKind::NoAnswer, "95555").unwrap();
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.heard(alice);
    bench.wait_alive(Duration::from_secs(20), &[alice, bob]);
    assert!(bench.heard(alice).contains(&"CallInfo 1001 to 5555".into()));
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Proceed"], vec![]));
    let Some(TrunkOrder::Offer { leg, .. }) = bench.orders.last() else { panic!() };
    let ringing = TrunkEvent::Progress { leg: *leg, ringing: true, early: None };
    bench.input(selsius_exchange::Input::Trunk(ringing));
    assert_eq!(bench.states(alice), ["RingOut"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn a_blind_transfer_to_a_forwarded_line_rings_where_it_is_forwarded_to() {
    let mut bench = Bench::new(office());
    let phones = ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number));
    let [alice, bob, carol, dave] = phones;
    bench.forward("1003", ForwardKind::NoAnswer, "1004").unwrap();
    bench.talk(alice, bob, "1002");
    bench.press_on(bob, key(TRANSFER), 0);
    bench.dial(bob, "1003");
    bench.press_on(bob, key(TRANSFER), 1);
    assert_eq!((bench.states(alice), bench.states(carol)), (vec!["RingOut"], vec!["RingIn"]));
    bench.wait_alive(Duration::from_secs(20), &phones);
    assert_eq!((bench.states(carol), bench.states(dave)), (vec![], vec!["RingIn"]));
    bench.off_hook(dave);
    bench.open_audio(&[alice, dave]);
    assert_eq!(bench.sends_to(dave).as_deref(), Some("10.0.0.1:10000"));
    bench.on_hook(alice);
    let kinds: Vec<_> = bench.redirections().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [RedirectKind::Transfer, RedirectKind::ForwardNoAnswer]);
    bench.assert_quiet();
}

#[test]
fn forwarding_is_kept_and_asked_for() {
    let mut bench = Bench::new(office());
    let mut state = LineState::default();
    state.forwards.set(ForwardKind::All, Some(number("1003")));
    bench.exchange.remember([(number("1002"), state)], []);
    let bob = bench.open(2);
    bench.register(bob, &device_name("1002"), 17, 436);
    bench.heard(bob);
    bench.say(bob, message::ForwardStatReq { line_number: 1 });
    assert_eq!(told_forward(&bench.messages(bob)).as_deref(), Some(""), "it is told when the phone is ready");
    bench.say(bob, message::TimeDateReq);
    let messages = bench.messages(bob);
    assert_eq!(told_forward(&messages).as_deref(), Some("1003"));
    let heard: Vec<_> = messages.iter().map(brief).collect();
    bench.say(bob, message::ForwardStatReq { line_number: 1 });
    assert_eq!(told_forward(&bench.messages(bob)).as_deref(), Some("1003"));
    bench.say(bob, message::ForwardStatReq { line_number: 9 });
    assert_eq!(told_forward(&bench.messages(bob)).as_deref(), Some(""), "no such line: nothing");
    assert!(heard.contains(&"Prompt Forwarded to 1003".into()), "{heard:?}");
    assert_eq!(bench.lamp(bob, StimulusType::ForwardAll, 1), LampMode::On);
    let (alice, carol) = (bench.phone("1001"), bench.phone("1003"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.states(carol), ["RingIn"]);
}

#[test]
fn nobody_forwards_to_where_he_may_not_call() {
    for rights in [None, Some("inside")] {
        let mut site = with_trunk();
        site.rights.insert("inside".parse().unwrap(), selsius_site::Rights::default());
        site.routes.values_mut().for_each(|route| route.partition = Some("far".parse().unwrap()));
        edit_line(&mut site, "1002", |line| line.rights = rights.map(|rights| rights.parse().unwrap()));
        let mut bench = Bench::new(site);
        let bob = bench.phone("1002");
        bench.off_hook(bob);
        bench.dial(bob, "*7290301#");
        let forwarded = bench.stored("1002").and_then(|state| state.forwards.all);
        assert_eq!(forwarded, rights.is_none().then(|| number("90301")), "{rights:?}");
        bench.on_hook(bob);
        bench.assert_quiet();
    }
}
