//! Opening a room by key, button or code: who answers its number is told that the caller opens it.
#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use bench::{Bench, edit_phone, office};
use selsius_exchange::TrunkOrder;
use selsius_site::{Action, Application, ApplicationKind, Button, Feature, Route, Site, Trunk, TrunkKind};
use selsius_wire::{
    message,
    value::{SoftKey, StimulusType},
};

/// 3000 is a room, 3001 the clock.
fn with_rooms() -> Site {
    let mut site = office();
    let house = Trunk { kind: TrunkKind::Services, ..Trunk::default() };
    site.trunks.insert("house".parse().unwrap(), house);
    let route = Route { action: Action::Trunks(["house".parse().unwrap()].into()), ..Route::default() };
    site.routes.insert("300X".parse().unwrap(), route);
    let mut application = |number: &str, kind| {
        site.applications.insert(number.parse().unwrap(), Application { kind, ..Application::default() });
    };
    application("3000", ApplicationKind::Room);
    application("3001", ApplicationKind::Clock);
    site
}

impl Bench {
    /// What was offered last: the number, and whether the caller opens it.
    fn opened(&mut self) -> Option<(String, bool)> {
        std::mem::take(&mut self.orders).into_iter().rev().find_map(|order| match order {
            TrunkOrder::Offer { number, meet_me, .. } => Some((number, meet_me)),
            _ => None,
        })
    }
}

#[test]
fn the_key_asks_for_a_room_and_opens_it() {
    let mut bench = Bench::new(with_rooms());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    assert!(bench.keys(alice, 0).contains(&"MeetMe"));
    bench.press(alice, SoftKey::MeetMe);
    assert_eq!(bench.prompt(alice, 0), "Enter number of the room");
    bench.dial(alice, "3000");
    assert_eq!(bench.opened(), Some(("3000".into(), true)));
    bench.on_hook(alice);
    bench.calls(alice, "3000");
    assert_eq!(bench.opened(), Some(("3000".into(), false)), "who calls it opens nothing");
    bench.on_hook(alice);
    bench.calls(alice, "*633000");
    assert_eq!(bench.opened(), Some(("3000".into(), true)));
    bench.on_hook(alice);
}

#[test]
fn a_button_does_the_same_and_goes_off_hook_for_it() {
    let mut site = with_rooms();
    let button = Button::Feature { feature: Feature::MeetMe, label: String::new() };
    edit_phone(&mut site, "1001", |phone| phone.buttons.push(button));
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    let stimulus = StimulusType::MeetMeConference;
    bench.say(alice, message::Stimulus { stimulus, line_instance: 2, ..message::Stimulus::default() });
    assert_eq!(bench.prompt(alice, 0), "Enter number of the room");
    bench.dial(alice, "3000");
    assert_eq!(bench.opened(), Some(("3000".into(), true)));
    bench.on_hook(alice);
}

#[test]
fn what_is_no_room_cannot_be_opened() {
    let mut bench = Bench::new(with_rooms());
    let alice = bench.phone("1001");
    bench.phone("1002");
    for number in ["1002", "3001"] {
        bench.off_hook(alice);
        bench.press(alice, SoftKey::MeetMe);
        bench.dial(alice, number);
        assert_eq!(
            (bench.opened(), bench.notices(alice)),
            (None, vec!["MeetMe is unavailable".into()]),
            "{number}"
        );
        bench.on_hook(alice);
    }
    bench.assert_quiet();
}

#[test]
fn without_a_room_there_is_no_key() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    assert!(!bench.keys(alice, 0).contains(&"MeetMe"));
    bench.press(alice, SoftKey::MeetMe);
    assert_eq!(bench.prompt(alice, 0), "Enter number");
    bench.on_hook(alice);
    bench.assert_quiet();
}
