//! Forwarding, do not disturb, hotlines, voice mail, and how lines ring.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod bench;

use std::time::Duration;

use bench::{Bench, brief, device_name, office};
use selsius_exchange::{
    CannotForward, SessionId, TrunkEvent, TrunkOrder,
    record::{EndCause, Party, Record, RedirectKind},
    remembered::{ForwardKind, LineState, Messages},
};
use selsius_site::{
    Action, ActiveRing, Button, CodecName, DoNotDisturb, Hotline, LineNumber, Prefer, Ring, Route, Site,
    Trunk,
};
use selsius_wire::{
    ManagerMessage, message,
    value::{LampMode, MwiResult, RingMode, SoftKey, StimulusType, Text},
};

const FORWARD_ALL: u32 = 5;
const DIVERT: u32 = 22;
const DND: u32 = 23;
const TRANSFER: u32 = 4;

fn number(text: &str) -> LineNumber {
    text.parse().unwrap()
}

fn key(event: u32) -> SoftKey {
    SoftKey::from(event)
}

fn stimulus(bench: &mut Bench, phone: SessionId, stimulus: StimulusType, line_instance: u32) {
    bench.say(phone, message::Stimulus { stimulus, line_instance, ..message::Stimulus::default() });
}

fn forward(bench: &mut Bench, line: &str, kind: ForwardKind, to: &str) -> Result<(), CannotForward> {
    bench.administer(|exchange, now| exchange.set_forward(now, &number(line), kind, Some(number(to))))
}

/// The lamp of a button, off if it is dark.
fn lamp(bench: &Bench, phone: SessionId, button: StimulusType, instance: u32) -> LampMode {
    let view = bench.view(phone);
    let found = view.lamps.iter().find(|lamp| (lamp.button, lamp.instance) == (button, instance));
    found.map_or(LampMode::Off, |lamp| lamp.mode)
}

/// Where a phone was told that its line forwards all calls.
fn told_forward(messages: &[ManagerMessage]) -> Option<String> {
    messages.iter().rev().find_map(|message| match message {
        ManagerMessage::ForwardStat(stat) => Some(stat.forward_all_dirnum.to_string()),
        _ => None,
    })
}

/// The kinds of a finished call's redirections, and who made them.
fn redirections(bench: &mut Bench) -> Vec<(RedirectKind, String)> {
    let ended = bench.ended();
    let last = ended.last().unwrap();
    last.redirections.iter().map(|by| (by.kind, by.by.number.clone())).collect()
}

fn edit_line(site: &mut Site, line: &str, edit: impl FnOnce(&mut selsius_site::Line)) {
    edit(site.lines.get_mut(&number(line)).unwrap());
}

fn edit_phone(site: &mut Site, line: &str, edit: impl FnOnce(&mut selsius_site::Device)) {
    edit(site.devices.get_mut(&device_name(line).parse().unwrap()).unwrap());
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
    assert_eq!(lamp(&bench, bob, StimulusType::ForwardAll, 1), LampMode::Flash);
    bench.dial(bob, "1003");
    let messages = bench.messages(bob);
    assert_eq!(told_forward(&messages).as_deref(), Some("1003"));
    let heard: Vec<_> = messages.iter().map(brief).collect();
    let stat = heard.iter().position(|line| line == "ForwardStat");
    let over = heard.iter().position(|line| line == "CallState OnHook");
    assert!(stat < over, "call-flows: store, ForwardStat, CallState(2): {heard:?}");
    assert_eq!(heard.last().unwrap(), "Prompt Forwarded to 1003");
    assert_eq!(lamp(&bench, bob, StimulusType::ForwardAll, 1), LampMode::On);
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
    assert_eq!(redirections(&mut bench), [(RedirectKind::ForwardAll, "1002".into())]);

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
        let state = last_state(&bench, "1002").unwrap();
        assert_eq!(state.forwards.target(kind), Some(&number("1003")), "{code}: {state:?}");
    }
    bench.off_hook(bob);
    bench.dial(bob, "*73");
    assert_eq!(last_state(&bench, "1002"), Some(LineState::default()));
    assert_eq!(bench.view(bob), selsius_exchange::view::View::default());
    assert!(bench.ended().is_empty(), "a feature is no call");
}

/// What was stored of a line last.
fn last_state(bench: &Bench, line: &str) -> Option<LineState> {
    bench.records.iter().rev().find_map(|record| match record {
        Record::LineState { line: of, state } if of.as_str() == line => Some(state.clone()),
        _ => None,
    })
}

#[test]
fn what_cannot_be_forwarded_is_refused() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    assert_eq!(forward(&mut bench, "1003", ForwardKind::All, "1002"), Ok(()));
    for (line, to, error) in [
        ("1002", "1002", CannotForward::Loop),
        ("1002", "1003", CannotForward::Loop),
        ("1002", "5555", CannotForward::Nowhere),
        ("1002", "1999", CannotForward::Nowhere),
        ("1002", "112", CannotForward::Nowhere),
        ("1002", "*97", CannotForward::Nowhere),
        ("7777", "1001", CannotForward::UnknownLine),
    ] {
        assert_eq!(forward(&mut bench, line, ForwardKind::All, to), Err(error), "{line} to {to}");
    }
    assert_eq!(forward(&mut bench, "1002", ForwardKind::Busy, "1003"), Ok(()), "no circle while it is free");

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
        last_state(&bench, line).is_some_and(|state| state.forwards.target(*kind).is_some())
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
    forward(&mut bench, "1002", ForwardKind::Busy, "1003").unwrap();
    forward(&mut bench, "1002", ForwardKind::NoAnswer, "1003").unwrap();
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
    assert_eq!(redirections(&mut bench), [(RedirectKind::ForwardBusy, "1002".into())]);

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
    assert_eq!(redirections(&mut bench), [(RedirectKind::ForwardNoAnswer, "1002".into())]);

    bench.off_hook(alice);
    bench.dial(alice, "1004");
    assert_eq!((bench.states(carol), reason(&bench)), (vec!["RingIn"], 9));
    bench.on_hook(alice);
    assert_eq!(redirections(&mut bench), [(RedirectKind::ForwardUnregistered, "1004".into())]);
    forward(&mut bench, "1004", ForwardKind::Unregistered, "1002").unwrap();
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
    forward(&mut bench, "1002", ForwardKind::NoAnswer, "1003").unwrap();
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
    let mut bench = Bench::new(office());
    let (alice, carol, dave) = (bench.phone("1001"), bench.phone("1003"), bench.phone("1004"));
    forward(&mut bench, "1004", ForwardKind::All, "1003").unwrap();
    bench.administer(|exchange, now| exchange.set_do_not_disturb(now, &number("1004"), true));
    bench.off_hook(alice);
    bench.dial(alice, "112");
    assert_eq!((bench.states(dave), bench.states(carol)), (vec!["RingIn"], vec![]));
    assert_eq!(bench.view(dave).ring.unwrap().mode, RingMode::Inside);
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
    let mut site = office();
    let name: selsius_site::Name = "outside".parse().unwrap();
    let route = Route { action: Action::Trunks([name.clone()].into()), ..Route::default() };
    site.routes.insert("9.XXXX".parse().unwrap(), route);
    site.trunks.insert(name, Trunk::default());
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    forward(&mut bench, "1002", ForwardKind::All, "95555").unwrap();
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    let Some(TrunkOrder::Offer { number, redirecting, .. }) = bench.orders.last() else { panic!() };
    assert_eq!((number.as_str(), redirecting.as_ref().unwrap().number.as_str()), ("5555", "1002"));
    bench.on_hook(alice);

    // What comes in cannot use codes, but is forwarded as any call.
    bench
        .administer(|exchange, now| exchange.set_forward(now, &self::number("1002"), ForwardKind::All, None))
        .unwrap();
    forward(&mut bench, "1002", ForwardKind::NoAnswer, "1001").unwrap();
    let offer = |leg, number: &str| TrunkEvent::Offer {
        leg: selsius_exchange::TrunkLegId(leg),
        trunk: "outside".into(),
        number: number.into(),
        calling: Party { number: "5556".into(), ..Party::default() },
        codecs: [CodecName::Pcmu].into(),
        address: None,
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
    let mut site = office();
    let name: selsius_site::Name = "outside".parse().unwrap();
    let route = Route { action: Action::Trunks([name.clone()].into()), ..Route::default() };
    site.routes.insert("9.XXXX".parse().unwrap(), route);
    site.trunks.insert(name, Trunk::default());
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    forward(&mut bench, "1002", ForwardKind::NoAnswer, "95555").unwrap();
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
    forward(&mut bench, "1003", ForwardKind::NoAnswer, "1004").unwrap();
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
    let kinds: Vec<_> = redirections(&mut bench).into_iter().map(|(kind, _)| kind).collect();
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
    assert_eq!(told_forward(&bench.messages(bob)).as_deref(), Some("1003"));
    bench.say(bob, message::ForwardStatReq { line_number: 9 });
    assert_eq!(told_forward(&bench.messages(bob)).as_deref(), Some(""), "no such line: nothing");
    bench.say(bob, message::TimeDateReq);
    let heard = bench.heard(bob);
    assert!(heard.contains(&"Prompt Forwarded to 1003".into()), "{heard:?}");
    assert_eq!(lamp(&bench, bob, StimulusType::ForwardAll, 1), LampMode::On);
    let (alice, carol) = (bench.phone("1001"), bench.phone("1003"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.states(carol), ["RingIn"]);
}

#[test]
fn do_not_disturb_rejects_or_silences() {
    let mut site = office();
    edit_line(&mut site, "1003", |line| line.do_not_disturb = DoNotDisturb::Silent);
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    for phone in [bob, carol] {
        bench.press(phone, key(DND));
        let heard = bench.heard(phone);
        assert_eq!(heard, ["SetLamp 1 On", "Prompt Do not disturb is active", "DisplayNotifyV2"]);
        assert_eq!(lamp(&bench, phone, StimulusType::DoNotDisturb, 1), LampMode::On);
    }
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Busy"], vec![]));
    bench.on_hook(alice);

    bench.off_hook(alice);
    bench.dial(alice, "1003");
    assert_eq!(bench.view(carol).ring.unwrap().mode, RingMode::FlashOnly);
    assert_eq!(lamp(&bench, carol, StimulusType::Line, 1), LampMode::Blink);
    bench.press_on(carol, key(DND), 0);
    assert_eq!(bench.view(carol).ring.unwrap().mode, RingMode::Inside, "she may be disturbed after all");
    bench.on_hook(alice);

    forward(&mut bench, "1002", ForwardKind::Busy, "1003").unwrap();
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.states(carol), ["RingIn"], "a rejected call is one to a busy line");
    bench.on_hook(alice);

    bench.off_hook(bob);
    bench.dial(bob, "*79");
    assert_eq!(bench.heard(bob).last().unwrap(), "Prompt Your current options");
    bench.off_hook(bob);
    bench.dial(bob, "*78");
    assert!(bench.view(bob).idle_prompt.to_plain().starts_with("Do not disturb"));
    stimulus(&mut bench, bob, StimulusType::DoNotDisturb, 0);
    assert_eq!(lamp(&bench, bob, StimulusType::DoNotDisturb, 1), LampMode::Off);
    bench.assert_quiet();
}

#[test]
fn the_key_silences_all_lines_of_the_phone() {
    let mut site = office();
    site.lines.insert(number("2001"), selsius_site::Line::default());
    let second = Button::Line { number: number("2001"), label: String::new() };
    edit_phone(&mut site, "1001", |phone| phone.buttons.push(second));
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "*78");
    bench.off_hook(bob);
    bench.dial(bob, "2001");
    assert_eq!(bench.states(alice), ["RingIn"], "the code is for one line");
    bench.on_hook(bob);
    bench.press(alice, key(DND));
    bench.off_hook(bob);
    bench.dial(bob, "2001");
    assert_eq!(bench.states(bob), ["Busy"]);
    bench.on_hook(bob);
    bench.press(alice, key(DND));
    assert_eq!(bench.view(alice), selsius_exchange::view::View::default());
    bench.assert_quiet();
}

#[test]
fn a_hotline_calls_at_once_or_after_a_while() {
    let mut site = office();
    let hotline = |after| Some(Hotline { number: number("1003"), after });
    edit_line(&mut site, "1001", |line| line.hotline = hotline(0));
    edit_line(&mut site, "1002", |line| line.hotline = hotline(4));
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    bench.off_hook(alice);
    assert_eq!((bench.states(alice), bench.states(carol)), (vec!["RingOut"], vec!["RingIn"]));
    bench.on_hook(alice);

    bench.off_hook(bob);
    bench.wait(Duration::from_secs(3));
    assert_eq!(bench.states(bob), ["OffHook"]);
    bench.wait(Duration::from_secs(1));
    assert_eq!((bench.states(bob), bench.states(carol)), (vec!["RingOut"], vec!["RingIn"]));
    bench.on_hook(bob);

    bench.press(bob, SoftKey::NewCall);
    bench.dial(bob, "10");
    bench.wait(Duration::from_secs(5));
    assert_eq!(bench.states(bob), ["OffHook"], "who dials is not interrupted");
    bench.dial(bob, "01");
    assert_eq!(bench.states(alice), ["RingIn"]);
    bench.on_hook(bob);

    // What the key asks for has the usual time.
    bench.off_hook(bob);
    bench.press(bob, key(FORWARD_ALL));
    bench.wait(Duration::from_secs(10));
    assert_eq!(bench.states(bob), ["OffHook"]);
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn messages_wait_with_a_lamp_and_are_one_key_away() {
    let mut site = office();
    site.settings.voicemail = Some(number("1004"));
    edit_line(&mut site, "1002", |line| line.mailbox = Some(number("8002")));
    let mut bench = Bench::new(site);
    let (alice, bob, dave) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1004"));
    bench.administer(|exchange, now| exchange.set_messages(now, &number("1002"), 2, 1));
    assert_eq!(bench.heard(bob), ["SetLamp 0 On", "SetLamp 1 On", "Prompt You have voicemail"]);
    stimulus(&mut bench, bob, StimulusType::VoiceMail, 0);
    let info = |bench: &Bench| bench.view(dave).legs[0].info.clone().unwrap();
    assert_eq!(info(&bench).calling_voice_mailbox, "8002");
    bench.on_hook(bob);
    bench.administer(|exchange, now| exchange.set_messages(now, &number("1002"), 0, 3));
    assert_eq!(lamp(&bench, bob, StimulusType::VoiceMail, 0), LampMode::Off);
    assert_eq!(last_state(&bench, "1002").unwrap().messages.old, 3);
    bench.off_hook(bob);
    bench.dial(bob, "*97");
    assert_eq!(bench.states(dave), ["RingIn"]);
    bench.on_hook(bob);
    assert_eq!(bench.ended().last().unwrap().called.number, "1004");

    // iDivert: the mailbox is that of whom the call was for.
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.keys(bob, 0), ["Answer", "iDivert", "DND"]);
    bench.press_on(bob, key(DIVERT), 0);
    assert_eq!((bench.states(bob), bench.states(dave)), (vec![], vec!["RingIn"]));
    let shown = info(&bench);
    assert_eq!((shown.original_called_voice_mailbox.as_str(), shown.last_redirect_reason), ("8002", 4));
    bench.off_hook(dave);
    bench.open_audio(&[alice, dave]);
    bench.on_hook(alice);
    assert_eq!(redirections(&mut bench), [(RedirectKind::Divert, "1002".into())]);
    bench.assert_quiet();
}

#[test]
fn only_a_voicemail_system_lights_the_lamps_of_others() {
    let mut site = office();
    site.settings.voicemail = Some(number("1004"));
    edit_line(&mut site, "1002", |line| line.mailbox = Some(number("8002")));
    let mut bench = Bench::new(site);
    let (alice, bob, system) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1004"));
    let notification = |target: &str, waiting, new, old| message::MwiNotification {
        mwi_target_number: Text::new(target),
        are_messages_waiting: waiting,
        total_vm_counts: message::MwiMessageCounts { num_new_msgs: new, num_old_msgs: old },
        ..message::MwiNotification::default()
    };
    let mut tell = |who, target, waiting, new, old| {
        bench.say(who, notification(target, waiting, new, old));
        let result = bench.messages(who).into_iter().find_map(|message| match message {
            ManagerMessage::MwiRes(answer) => Some(answer.mwi_notification_result),
            _ => None,
        });
        (result.unwrap(), lamp(&bench, bob, StimulusType::VoiceMail, 0))
    };
    assert_eq!(tell(alice, "8002", 1, 2, 0), (MwiResult::RequestRejected, LampMode::Off));
    assert_eq!(tell(system, "7777", 1, 2, 0), (MwiResult::GeneralError, LampMode::Off));
    assert_eq!(tell(system, "8002", 1, 0, 4), (MwiResult::Ok, LampMode::On));
    assert_eq!(tell(system, "1002", 0, 0, 4), (MwiResult::Ok, LampMode::Off));
    assert_eq!(last_state(&bench, "1002").unwrap().messages, Messages { new: 0, old: 4 });
}

#[test]
fn without_voicemail_the_phone_says_so() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    stimulus(&mut bench, bob, StimulusType::VoiceMail, 0);
    assert_eq!(bench.heard(bob), ["DisplayNotifyV2"]);
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(bench.keys(bob, 0), ["Answer", "DND"]);
    bench.press_on(bob, key(DIVERT), 0);
    assert_eq!(bench.states(bob), ["RingIn"], "the call is not lost");
    bench.on_hook(alice);
    bench.off_hook(alice);
    bench.dial(alice, "*97");
    assert_eq!(bench.states(alice), ["InvalidNumber"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn lines_ring_as_the_site_says() {
    let rings = [
        (Ring::Normal, RingMode::Inside, 1),
        (Ring::Silent, RingMode::FlashOnly, 1),
        (Ring::Once, RingMode::Inside, 2),
        (Ring::Feature, RingMode::Feature, 1),
    ];
    for (ring, mode, duration) in rings {
        let mut site = office();
        edit_line(&mut site, "1002", |line| line.ring = ring);
        let mut bench = Bench::new(site);
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        bench.off_hook(alice);
        bench.dial(alice, "1002");
        let told = bench.messages(bob).into_iter().rev().find_map(|message| match message {
            ManagerMessage::SetRinger(ringer) => Some((ringer.ring_mode, u32::from(ringer.ring_duration))),
            _ => None,
        });
        assert_eq!(told, Some((mode, duration)), "{ring:?}");
        bench.on_hook(alice);
        bench.assert_quiet();
    }
}

#[test]
fn a_phone_in_use_beeps_rings_or_is_left_alone() {
    for (active, ring, tone) in [
        (ActiveRing::Beep, None, true),
        (ActiveRing::Silent, None, false),
        (ActiveRing::Normal, Some(RingMode::Inside), false),
    ] {
        let mut site = office();
        edit_line(&mut site, "1002", |line| line.ring_active = active);
        let mut bench = Bench::new(site);
        let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
        bench.talk(alice, bob, "1002");
        bench.off_hook(carol);
        bench.dial(carol, "1002");
        let view = bench.view(bob);
        assert_eq!((view.ring.map(|ring| ring.mode), view.tone.is_some()), (ring, tone), "{active:?}");
        for phone in [alice, carol] {
            bench.on_hook(phone);
        }
        bench.assert_quiet();
    }
}

#[test]
fn lifting_the_handset_takes_the_line_that_the_phone_prefers() {
    for (prefer, rings_on, answers, line) in [
        (Prefer::Ringing, 2, true, 2),
        (Prefer::First, 2, false, 1),
        (Prefer::First, 1, true, 1),
        (Prefer::Last, 2, true, 2),
        (Prefer::Last, 1, false, 2),
    ] {
        let mut site = office();
        site.lines.insert(number("2001"), selsius_site::Line::default());
        let second = Button::Line { number: number("2001"), label: String::new() };
        edit_phone(&mut site, "1001", |phone| {
            phone.buttons.push(second);
            phone.prefer = prefer;
        });
        let mut bench = Bench::new(site);
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        // The second line is the one used last.
        stimulus(&mut bench, alice, StimulusType::Line, 2);
        bench.on_hook(alice);
        bench.off_hook(bob);
        bench.dial(bob, if rings_on == 1 { "1001" } else { "2001" });
        bench.off_hook(alice);
        let states = bench.states(alice);
        assert_eq!(states.contains(&"Connected"), answers, "{prefer:?}: {states:?}");
        assert_eq!(bench.view(alice).active_line, Some(line), "{prefer:?}");
        bench.on_hook(alice);
        bench.on_hook(bob);
        bench.assert_quiet();
    }
}

#[test]
fn a_phone_that_holds_a_call_beeps() {
    let mut site = office();
    site.settings.timers.hold_reminder = 30;
    let mut bench = Bench::new(site);
    let phones = [bench.phone("1001"), bench.phone("1002")];
    let [alice, bob] = phones;
    bench.talk(alice, bob, "1002");
    bench.press_on(bob, SoftKey::Hold, 0);
    bench.heard(bob);
    for _ in 0..2 {
        bench.wait_alive(Duration::from_secs(31), &phones);
        let heard: Vec<_> =
            bench.heard(bob).into_iter().filter(|line| !line.starts_with("KeepAlive")).collect();
        assert_eq!(heard, ["StartTone Zip", "StopTone"]);
    }
    bench.press_on(bob, SoftKey::Resume, 0);
    bench.open_audio(&phones);
    bench.wait_alive(Duration::from_secs(60), &phones);
    assert!(!bench.heard(bob).contains(&"StartTone Zip".into()), "nothing is on hold any more");
    bench.press_on(bob, SoftKey::Hold, 0);
    bench.on_hook(alice);
    bench.assert_quiet();
}
