//! What the record of a call says of the trunk that it used, by which trunk and which way the call went.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod bench;

use bench::{Bench, office};
use selsius_exchange::{
    Input, RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_site::{Action, Name, Route, Site, Trunk};
use selsius_wire::value::SoftKey;

/// "9..." goes out over the first of two trunks that can.
fn with_trunks() -> Site {
    let mut site = office();
    let names = ["carrier", "backup"].map(|name| name.parse::<Name>().unwrap());
    for name in &names {
        site.trunks.insert(name.clone(), Trunk { calls: 2, ..Trunk::default() });
    }
    let out = Route { action: Action::Trunks(names.into()), ..Route::default() };
    site.routes.insert("9.XXX".parse().unwrap(), out);
    site
}

/// The call that a trunk was offered last.
fn offered(bench: &Bench) -> TrunkLegId {
    let offer = bench.orders.iter().rev().find_map(|order| match order {
        TrunkOrder::Offer { leg, .. } => Some(*leg),
        _ => None,
    });
    offer.unwrap()
}

fn trunks(bench: &mut Bench) -> Vec<(EndCause, String)> {
    bench.ended().into_iter().map(|call| (call.cause, call.trunk)).collect()
}

fn comes_in(bench: &mut Bench, number: &str) -> TrunkLegId {
    let leg = TrunkLegId(1);
    let calling = Party { number: "+49301".into(), ..Party::default() };
    bench.input(Input::Trunk(TrunkEvent::Offer {
        leg,
        trunk: "carrier".into(),
        number: number.into(),
        calling,
        audio: RemoteAudio::default(),
        redirecting: None,
    }));
    leg
}

#[test]
fn a_call_within_the_office_has_none() {
    let mut bench = Bench::new(with_trunks());
    let (alice, _) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.on_hook(alice);
    assert_eq!(trunks(&mut bench), [(EndCause::CallerHungUp, String::new())]);
}

#[test]
fn the_trunk_that_was_tried_last_is_the_one() {
    let mut bench = Bench::new(with_trunks());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "9123");
    let leg = offered(&bench);
    bench.input(Input::Trunk(TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk }));
    assert_ne!(offered(&bench), leg, "the other one is tried");
    bench.on_hook(alice);
    assert_eq!(trunks(&mut bench), [(EndCause::CallerHungUp, "backup".into())]);
}

#[test]
fn a_call_that_comes_in_has_the_one_that_it_came_over() {
    let mut bench = Bench::new(with_trunks());
    bench.phone("1001");
    let leg = comes_in(&mut bench, "1001");
    bench.input(Input::Trunk(TrunkEvent::HungUp { leg, cause: EndCause::CallerHungUp }));
    assert_eq!(trunks(&mut bench), [(EndCause::CallerHungUp, "carrier".into())]);
    comes_in(&mut bench, "7777");
    assert_eq!(trunks(&mut bench), [(EndCause::UnknownNumber, "carrier".into())], "nowhere to go");
}

#[test]
fn a_transfer_takes_the_trunk_along() {
    let mut bench = Bench::new(with_trunks());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let leg = comes_in(&mut bench, "1001");
    bench.off_hook(alice);
    bench.press(alice, SoftKey::Transfer);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.press(alice, SoftKey::Transfer);
    assert_eq!(trunks(&mut bench), [(EndCause::Transferred, "carrier".into())]);
    bench.input(Input::Trunk(TrunkEvent::HungUp { leg, cause: EndCause::CallerHungUp }));
    assert_eq!(trunks(&mut bench), [(EndCause::CallerHungUp, "carrier".into())]);
}
