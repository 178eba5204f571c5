//! Runs with voice, against a real manager.
#![allow(clippy::unwrap_used, reason = "plans for tests")]

mod support;

use std::time::Duration;

use selsius_load::{CallKind, Mix, Plan, Rtp};

use crate::support::{Manager, phones, plan, run};

/// Calls in which everybody talks for as long as it takes to hear who it is.
fn talkative(manager: &Manager, rtp: Rtp, kind: CallKind) -> Plan {
    let mut plan = plan(manager.address(), phones(12), Some(8.0), Duration::from_millis(500));
    plan.rtp = rtp;
    plan.calls.hold = Duration::from_millis(400);
    plan.calls.pause = Duration::from_millis(100);
    plan.calls.mix = Mix::new(CallKind::ALL.map(|of| u32::from(of == kind))).unwrap();
    plan
}

#[test]
fn packets_are_counted() {
    let manager = Manager::of(&phones(12));
    let report = run(&talkative(&manager, Rtp::Count, CallKind::Plain));
    assert!(report.is_clean(), "{report}");
    // Four calls of two phones: 20 packets each in 400 ms, and fewer where the machine had no time.
    assert!((4 * 2 * 10..4 * 2 * 60).contains(&report.voice.sent), "{report}");
    assert!(report.voice.received > report.voice.sent / 2, "{report}");
    assert!(report.voice.received <= report.voice.sent, "{report}");
}

#[test]
fn everybody_hears_the_far_end() {
    for kind in [CallKind::Plain, CallKind::Hold, CallKind::Transfer] {
        let manager = Manager::of(&phones(12));
        let report = run(&talkative(&manager, Rtp::Full, kind));
        assert!(report.is_clean(), "{kind:?}: {report}");
        assert!(report.voice.received > 100, "{kind:?}: {report}");
    }
}
