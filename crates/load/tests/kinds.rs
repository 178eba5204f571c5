//! What can happen in a call, and what can happen to many phones at once, against a real manager.
#![allow(clippy::unwrap_used, reason = "plans for tests")]

mod support;

use std::time::Duration;

use selsius_load::{CallKind, Mix, Plan, Rate, Report, Stop, Storm, StormKind, site_toml};

use selsius_server::core::Limits;
use selsius_site::Site;
use selsius_station::{Config, ModelClass};

use crate::support::{Manager, phones, plan, run, site};

/// A short run with calls of one kind.
fn run_kind(kind: CallKind) -> Report {
    let phones = phones(20);
    let manager = Manager::of(&phones);
    let mut plan = plan(manager.address(), phones, Some(20.0), Duration::from_millis(500));
    let parts = CallKind::ALL.map(|of| u32::from(of == kind));
    plan.calls.mix = Mix::new(parts).unwrap();
    plan.calls.pause = Duration::from_millis(20);
    let report = run(&plan);
    assert!(report.is_clean(), "{report}");
    let by_kind: Vec<_> = report.calls.completed_by_kind.clone().into_iter().collect();
    assert_eq!((report.calls.attempts, by_kind), (10, vec![(kind.name(), 10)]), "{report}");
    report
}

#[test]
fn callers_give_up() {
    let report = run_kind(CallKind::Abandoned);
    assert_eq!(report.latency_us.digit_to_ring.count, 10);
    assert_eq!(report.latency_us.answer_to_media_callee.count, 0, "nobody answers");
}

#[test]
fn called_phones_are_busy() {
    let report = run_kind(CallKind::Busy);
    assert_eq!(report.latency_us.digit_to_ring.count, 0, "nothing rings");
}

#[test]
fn calls_are_held_and_resumed() {
    assert_eq!(run_kind(CallKind::Hold).latency_us.resume_to_media.count, 10);
}

#[test]
fn calls_are_transferred() {
    assert_eq!(run_kind(CallKind::Transfer).latency_us.transfer_to_media.count, 10);
}

#[test]
fn kinds_are_mixed_and_some_phones_stay_idle() {
    let mut phones = phones(30);
    phones.idle = 10;
    let manager = Manager::of(&phones);
    let mut plan = plan(manager.address(), phones, Some(40.0), Duration::from_millis(500));
    plan.calls.mix = Mix::new([4, 2, 2, 1, 1]).unwrap();
    let report = run(&plan);
    assert!(report.is_clean(), "{report}");
    let kinds: Vec<_> = report.calls.completed_by_kind.into_iter().collect();
    assert_eq!(kinds, [("abandoned", 4), ("busy", 4), ("hold", 2), ("plain", 8), ("transfer", 2)]);
}

fn storm(kind: StormKind, count: Option<u32>) -> Storm {
    Storm { at: Duration::from_millis(100), kind, count, back_after: Duration::ZERO, rate: Rate::AtOnce }
}

/// A run in which this storm breaks out in the midst of calls.
fn stormy(storm: Storm) -> (Report, Plan) {
    let phones = phones(30);
    let manager = Manager::of(&phones);
    let mut plan = plan(manager.address(), phones, Some(50.0), Duration::from_secs(1));
    plan.storms = vec![storm];
    (run(&plan), plan)
}

#[test]
fn all_phones_drop_and_return() {
    let (report, plan) = stormy(storm(StormKind::DropAndReturn, None));
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.registration.completed, 2 * u64::from(plan.phones.count), "{report}");
    assert_eq!(report.calls.completed + report.calls.cut, 50, "{report}");
}

#[test]
fn some_phones_drop_in_the_midst_of_a_call() {
    let phones = phones(2);
    let manager = Manager::of(&phones);
    let mut plan = plan(manager.address(), phones, Some(1.0), Duration::from_millis(1500));
    plan.calls.hold = Duration::from_millis(300);
    plan.storms = vec![storm(StormKind::DropAndReturn, Some(1))];
    let report = run(&plan);
    // The first call is up when the storm comes, the second one is due when all is well again.
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.calls.completed, report.calls.cut), (1, 1), "{report}");
}

#[test]
fn phones_that_do_not_read_are_dropped_and_the_others_call_on() {
    let phones = phones(30);
    let manager = Manager::with(site(&phones), Limits { unread: 32 * 1024, ..Limits::default() });
    // On loopback the system itself takes 3 MB for a phone that does not read, before the manager notices.
    let mut plan = plan(manager.address(), phones, Some(20.0), Duration::from_secs(60));
    plan.storms = vec![storm(StormKind::SlowReaders, Some(2))];
    let stop = Stop::default();
    let report = selsius_load::run(&plan, &stop.clone(), |now| {
        if now.strangers_ended == 2 {
            stop.stop();
        }
    });
    let report = report.unwrap();
    assert!(report.is_clean() && report.calls.completed > 0, "{report}");
    assert_eq!((report.strangers.slow_readers, report.strangers.slow_readers_dropped), (2, 2), "{report}");
}

#[test]
fn half_open_connections_do_not_disturb_the_others() {
    let (report, _) = stormy(storm(StormKind::HalfOpen, Some(20)));
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.calls.completed, report.strangers.half_open), (50, 20), "{report}");
}

/// The models that behave differently, and a version of the protocol that each speaks.
const MODELS: [(ModelClass, u8, &str); 6] = [
    (ModelClass::P7912, 7, "7912"),
    (ModelClass::P7960, 3, "7960"),
    (ModelClass::P7960, 11, "7960"),
    (ModelClass::P7965, 17, "7965"),
    (ModelClass::P7965, 22, "7965"),
    (ModelClass::P8945, 22, "8945"),
];

#[test]
fn phones_of_all_models_make_calls_of_all_kinds() {
    for (class, version, model) in MODELS {
        let mut phones = phones(20);
        phones.config = Config { version, ..Config::new("", class) };
        let site = Site::from_toml("site.toml", &site_toml(&phones, model)).unwrap();
        let manager = Manager::with(site, Limits::default());
        let mut plan = plan(manager.address(), phones, Some(20.0), Duration::from_millis(500));
        plan.calls.mix = Mix::new([2; 5]).unwrap();
        let report = run(&plan);
        assert!(report.is_clean() && report.calls.completed == 10, "{model} {version}: {report}");
    }
}

#[test]
fn phones_without_soft_keys_make_calls() {
    let mut phones = phones(10);
    phones.config = Config::new("", ModelClass::P6901);
    let site = Site::from_toml("site.toml", &site_toml(&phones, "6901")).unwrap();
    let manager = Manager::with(site, Limits::default());
    let mut plan = plan(manager.address(), phones, Some(20.0), Duration::from_millis(500));
    plan.calls.mix = Mix::new([3, 1, 1, 0, 0]).unwrap();
    let report = run(&plan);
    assert!(report.is_clean() && report.calls.completed == 10, "{report}");
    // They have no key for it, and the report says so.
    plan.calls.mix = Mix::new([0, 0, 0, 1, 0]).unwrap();
    let report = run(&plan);
    assert_eq!(report.calls.failed.keys().collect::<Vec<_>>(), [&"no-such-key"], "{report}");
}
