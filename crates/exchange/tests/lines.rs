//! What lines do by themselves: do not disturb, hotlines, voice mail, and how they ring.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod bench;

use std::time::Duration;

use bench::{Bench, edit_line, edit_phone, office};
use selsius_exchange::{
    record::RedirectKind,
    remembered::{ForwardKind, Messages},
};
use selsius_site::{ActiveRing, Button, DoNotDisturb, Hotline, LineNumber, Prefer, Ring};
use selsius_wire::{
    ManagerMessage, message,
    value::{LampMode, MwiResult, RingMode, SoftKey, StimulusType, Text},
};

const FORWARD_ALL: u32 = 5;
const DIVERT: u32 = 22;
const DND: u32 = 23;

fn number(text: &str) -> LineNumber {
    text.parse().unwrap()
}

fn key(event: u32) -> SoftKey {
    SoftKey::from(event)
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
        assert_eq!(bench.lamp(phone, StimulusType::DoNotDisturb, 1), LampMode::On);
    }
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Busy"], vec![]));
    bench.on_hook(alice);

    bench.off_hook(alice);
    bench.dial(alice, "1003");
    assert_eq!(bench.view(carol).ring.unwrap().mode, RingMode::FlashOnly);
    assert_eq!(bench.lamp(carol, StimulusType::Line, 1), LampMode::Blink);
    bench.press_on(carol, key(DND), 0);
    assert_eq!(bench.view(carol).ring.unwrap().mode, RingMode::Inside, "she may be disturbed after all");
    bench.on_hook(alice);

    bench.forward("1002", ForwardKind::Busy, "1003").unwrap();
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
    bench.stimulus(bob, StimulusType::DoNotDisturb, 0);
    assert_eq!(bench.lamp(bob, StimulusType::DoNotDisturb, 1), LampMode::Off);
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
    assert_eq!(bench.heard(bob), ["SetLamp 0 On", "SetLamp 1 On", "Prompt You have voicemail (2)"]);
    bench.stimulus(bob, StimulusType::VoiceMail, 0);
    let info = |bench: &Bench| bench.view(dave).legs[0].info.clone().unwrap();
    assert_eq!(info(&bench).calling_voice_mailbox, "8002");
    bench.on_hook(bob);
    bench.administer(|exchange, now| exchange.set_messages(now, &number("1002"), 0, 3));
    assert_eq!(bench.lamp(bob, StimulusType::VoiceMail, 0), LampMode::Off);
    assert_eq!(bench.stored("1002").unwrap().messages.old, 3);
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
    assert_eq!(bench.redirections(), [(RedirectKind::Divert, "1002".into())]);
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
        (result.unwrap(), bench.lamp(bob, StimulusType::VoiceMail, 0))
    };
    assert_eq!(tell(alice, "8002", 1, 2, 0), (MwiResult::RequestRejected, LampMode::Off));
    assert_eq!(tell(system, "7777", 1, 2, 0), (MwiResult::GeneralError, LampMode::Off));
    assert_eq!(tell(system, "8002", 1, 0, 4), (MwiResult::Ok, LampMode::On));
    assert_eq!(tell(system, "1002", 0, 0, 4), (MwiResult::Ok, LampMode::Off));
    assert_eq!(bench.stored("1002").unwrap().messages, Messages { new: 0, old: 4 });
}

#[test]
fn without_voicemail_the_phone_says_so() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.stimulus(bob, StimulusType::VoiceMail, 0);
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
        bench.stimulus(alice, StimulusType::Line, 2);
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
