//! What an exchange that has failed leaves, and how the next one goes on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod bench;

use bench::{Bench, office};
use selsius_exchange::{
    Config, Exchange, Input, Sizes, TrunkEvent, TrunkOrder, WallClock,
    record::{CallEnded, EndCause, Record},
    remembered::ForwardKind,
};
use selsius_site::Site;

fn ended(records: Vec<Record>) -> Vec<CallEnded> {
    let ended = records.into_iter().filter_map(|record| match record {
        Record::CallEnded(ended) => Some(*ended),
        _ => None,
    });
    ended.collect()
}

#[test]
fn calls_that_are_cut_off_have_records_and_others_have_theirs_already() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let (carol, _) = (bench.phone("1003"), bench.phone("1004"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.off_hook(carol);
    bench.dial(carol, "100");
    let cut = ended(bench.exchange.cut_off(bench.now));
    let [call] = &cut[..] else { panic!("a number that is not complete is no call: {cut:?}") };
    assert_eq!((call.dialed.as_str(), call.cause), ("1002", EndCause::Interrupted));
    assert!(call.answered.is_some() && call.ended >= call.started, "{call:?}");
    bench.dial(carol, "4");
    let rings = ended(bench.exchange.cut_off(bench.now));
    assert_eq!(rings.iter().map(|call| call.answered.is_some()).collect::<Vec<_>>(), [true, false]);

    // Asking changes nothing: both calls end as they would have.
    bench.on_hook(alice);
    bench.on_hook(carol);
    assert_eq!(bench.ended().iter().map(|call| call.cause).collect::<Vec<_>>(), [EndCause::CallerHungUp; 2]);
    assert_eq!(bench.exchange.cut_off(bench.now), [], "what is over is recorded");
}

#[test]
fn the_next_exchange_has_the_office_what_lines_remember_and_new_ids() {
    let mut bench = Bench::new(office());
    let (alice, _) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.forward("1002", ForwardKind::All, "1004").unwrap();
    let (lines, devices) = bench.exchange.remembered();
    let remembered = (lines.clone(), devices.clone());
    let site = bench.exchange.site().clone();
    let counters = bench.exchange.counters().clone();
    let first = ended(bench.exchange.cut_off(bench.now))[0].call;

    let nothing = Exchange::new(Config::default(), Site::default(), WallClock::default());
    let failed = std::mem::replace(&mut bench.exchange, nothing);
    bench.exchange = Exchange::after(failed.remains(), WallClock::default());
    assert_eq!(bench.exchange.site(), &site);
    let (lines, devices) = bench.exchange.remembered();
    assert_eq!((lines.clone(), devices.clone()), remembered);
    assert_eq!(bench.exchange.counters(), &counters, "counters only grow");
    assert_eq!(bench.exchange.sizes(), Sizes::default(), "no phone is there");

    let alice = bench.phone("1001");
    bench.phone("1004");
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.on_hook(alice);
    let call = bench.ended().pop().unwrap();
    assert!(call.call > first, "{call:?} after {first:?}");
    assert_eq!(call.called.number, "1004", "the forwarding holds");
}

#[test]
fn what_a_trunk_still_says_of_an_old_call_is_of_no_new_one() {
    let mut site = office();
    let name: selsius_site::Name = "carrier".parse().unwrap();
    site.trunks.insert(name.clone(), selsius_site::Trunk::default());
    let action = selsius_site::Action::Trunks([name].into());
    let route = selsius_site::Route { action, ..selsius_site::Route::default() };
    site.routes.insert("9.X".parse().unwrap(), route);
    let mut bench = Bench::new(site);
    let mut legs = Vec::new();
    for _ in 0..2 {
        let alice = bench.phone("1001");
        bench.off_hook(alice);
        bench.dial(alice, "95");
        let Some(TrunkOrder::Offer { leg, .. }) = bench.orders.last() else { panic!("{:?}", bench.orders) };
        legs.push(*leg);
        let next = Exchange::new(Config::default(), Site::default(), WallClock::default());
        let failed = std::mem::replace(&mut bench.exchange, next);
        bench.exchange = Exchange::after(failed.remains(), WallClock::default());
    }
    assert!(legs[1] > legs[0], "{legs:?}");
    let cause = EndCause::CalledHungUp;
    bench.input(Input::Trunk(TrunkEvent::HungUp { leg: legs[0], cause }));
    assert_eq!(bench.refused("event for no call of a trunk"), 1);
}
