//! Whole runs against a real manager.

mod support;

use std::time::Duration;

use selsius_load::{Rate, Stop};

use crate::support::{Manager, phones, plan, run};

#[test]
fn idle_phones_register_at_their_rate_and_leave() {
    let mut phones = phones(20);
    phones.register_rate = Rate::PerSecond(200.0);
    let manager = Manager::of(&phones);
    let report = run(&plan(manager.address(), phones, None, Duration::from_millis(50)));
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.registration.attempts, report.registration.registered), (20, 20));
    assert_eq!(report.latency_us.register_to_ready.count, 20);
    assert!(report.registration.seconds >= 0.095, "the last of 20 is due after 95 ms: {report}");
    assert_eq!(report.calls.attempts, 0);
}

#[test]
fn calls_are_made_at_their_rate_and_come_to_their_end() {
    let phones = phones(20);
    let manager = Manager::of(&phones);
    let report = run(&plan(manager.address(), phones, Some(50.0), Duration::from_secs(1)));
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.calls.attempts, report.calls.completed), (50, 50), "{report}");
    for (name, latency) in report.latency_us.all().into_iter().skip(1).take(5) {
        assert_eq!(latency.count, 50, "{name}");
        assert!(
            latency.min <= latency.p50 && latency.p50 <= latency.p99 && latency.p99 <= latency.max,
            "{name}"
        );
    }
    assert_eq!(report.generator.behind_us.count, 20 + 50);
}

#[test]
fn users_take_their_time() {
    let phones = phones(4);
    let manager = Manager::of(&phones);
    let mut plan = plan(manager.address(), phones, Some(4.0), Duration::from_millis(500));
    plan.calls.answer_after = Duration::from_millis(200);
    plan.calls.hold = Duration::from_millis(300);
    let report = run(&plan);
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.calls.completed, 2, "{report}");
    // Two calls due at 0 and 250 ms; the second one is answered and hung up 750 ms after the start at the earliest.
    assert!(report.seconds >= 0.75, "{report}");
}

#[test]
fn a_run_that_is_stopped_ends_its_calls_and_reports() {
    let phones = phones(4);
    let manager = Manager::of(&phones);
    let mut plan = plan(manager.address(), phones, Some(1000.0), Duration::from_secs(3600));
    plan.calls.hold = Duration::from_secs(3600);
    let stop = Stop::default();
    // Two calls are all that four phones can make; they would talk for an hour.
    let report = selsius_load::run(&plan, &stop.clone(), |now| {
        if now.calls > 2 {
            stop.stop();
        }
    });
    let report = report.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.calls.attempts, report.calls.completed), (2, 2), "{report}");
    assert_eq!(report.ended, selsius_load::Ended::Interrupted);
}

#[test]
fn phones_that_the_server_does_not_know_are_told_apart() {
    let manager = Manager::of(&phones(2));
    let mut plan = plan(manager.address(), phones(4), None, Duration::ZERO);
    plan.patience = Duration::from_millis(300);
    let report = run(&plan);
    assert_eq!(report.registration.registered, 2, "{report}");
    let refused: Vec<_> = report.registration.failed.iter().collect();
    let [(reason, count)] = refused[..] else { panic!("{report}") };
    assert!(reason.starts_with("refused by the server: ") && *count == 2, "{report}");
    assert!(!report.is_clean());
}
