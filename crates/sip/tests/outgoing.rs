//! Calls to a carrier (SIPp), as the exchange would make them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeSet;

use common::{Bed, LISTENS, Sipp, free_port, has_sipp, pcma, remote_audio};
use selsius_exchange::{
    RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_sip::Event;
use selsius_site::CodecName;

fn carrier_audio() -> RemoteAudio {
    remote_audio(&[CodecName::Pcma], 40000)
}

#[tokio::test]
async fn a_call_is_answered_and_ended_here() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-answer", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert_eq!(bed.happens().await, TrunkEvent::Progress { leg, ringing: true, early: None });
    let Event::Call(event) = bed.event().await else { panic!("an answer") };
    assert_eq!(event, TrunkEvent::Answered { leg, audio: carrier_audio() });
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn the_carrier_hangs_up() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-bye", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    assert_eq!(bed.settles().await, TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
    carrier.succeeds().await;
}

#[tokio::test]
async fn refusals_are_told_by_their_cause() {
    if !has_sipp() {
        return;
    }
    for (code, reason, cause) in [
        ("486", "SIP;cause=486", EndCause::Busy),
        ("404", "Q.850;cause=1", EndCause::UnknownNumber),
        ("503", "Q.850;cause=34", EndCause::NoTrunk),
        ("500", "Q.850;cause=17", EndCause::Busy),
        ("488", "SIP;cause=488", EndCause::NoCommonCodec),
        ("603", "SIP;cause=603", EndCause::Blocked),
    ] {
        let port = free_port();
        let carrier = Sipp::waits_with("uas-refuse", port, &[("CODE", code), ("REASON", reason)]);
        let mut bed = Bed::new(port).await;
        let leg = bed.call("+4930555", true);
        assert_eq!(bed.settles().await, TrunkEvent::HungUp { leg, cause }, "{code} {reason}");
        carrier.succeeds().await;
    }
}

#[tokio::test]
async fn a_call_that_nobody_answers_is_cancelled() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-cancel", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert_eq!(bed.happens().await, TrunkEvent::Progress { leg, ringing: true, early: None });
    bed.hang_up(leg);
    carrier.succeeds().await;
    assert!(bed.events.try_recv().is_err(), "nothing follows a hang-up");
}

#[tokio::test]
async fn announcements_are_heard_before_the_answer() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-early", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    let early = Some(carrier_audio());
    assert_eq!(bed.happens().await, TrunkEvent::Progress { leg, ringing: false, early });
    assert_eq!(bed.happens().await, TrunkEvent::Answered { leg, audio: carrier_audio() });
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn an_offer_can_come_with_the_answer() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-delayed", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", false);
    assert_eq!(bed.settles().await, TrunkEvent::Answered { leg, audio: carrier_audio() });
    bed.media(leg);
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn the_carrier_holds_the_call() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-hold", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    assert_eq!(bed.happens().await, TrunkEvent::Hold { leg, held: true });
    assert_eq!(
        bed.happens().await,
        TrunkEvent::Media { leg, audio: remote_audio(&[CodecName::Pcma], 40010) }
    );
    assert_eq!(bed.happens().await, TrunkEvent::Hold { leg, held: false });
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn we_hold_the_call() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-held", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    bed.media(leg);
    bed.order(TrunkOrder::Hold { leg, held: true });
    bed.order(TrunkOrder::Hold { leg, held: false });
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
    carrier.succeeds().await;
}

#[tokio::test]
async fn keys_go_both_ways_by_info() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-digits", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    bed.order(TrunkOrder::Digit { leg, digit: '5' });
    assert_eq!(bed.happens().await, TrunkEvent::Digit { leg, digit: '#' });
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn announcements_are_acknowledged() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-prack", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert!(matches!(bed.happens().await, TrunkEvent::Progress { early: Some(_), .. }));
    assert!(matches!(bed.happens().await, TrunkEvent::Answered { .. }));
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn the_carrier_transfers_the_call() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-refer", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    assert_eq!(bed.happens().await, TrunkEvent::Redirect { leg, number: "345".into() });
    bed.order(TrunkOrder::HangUp { leg, cause: EndCause::Transferred });
    carrier.succeeds().await;
}

#[tokio::test]
async fn an_exchange_that_does_not_listen_hears_of_every_end_later() {
    let mut bed = Bed::new(free_port()).await;
    let mut waiting = BTreeSet::new();
    for number in 1..=5000 {
        let leg = TrunkLegId(2 * number);
        waiting.insert(leg);
        let mut order = TrunkOrder::Offer {
            leg,
            trunk: "nowhere".into(),
            contact: None,
            number: "1".into(),
            calling: Party::default(),
            redirecting: None,
            codecs: Vec::new(),
            packet_ms: 20,
            emergency: false,
            meet_me: false,
            listens: None,
        };
        while let Err(back) = bed.handle.order(order) {
            order = *back;
            tokio::task::yield_now().await;
        }
    }
    while bed.handle.figures().lost == 0 {
        tokio::task::yield_now().await;
    }
    while !waiting.is_empty() {
        let TrunkEvent::HungUp { leg, .. } = bed.happens().await else { panic!("an end") };
        assert!(waiting.remove(&leg), "one end each");
    }
}

#[tokio::test]
async fn a_carrier_that_is_not_there_is_no_trunk() {
    let mut bed = Bed::with(selsius_sip::TrunkConfig {
        servers: vec!["carrier.invalid".into()],
        ..selsius_sip::TrunkConfig::peer("carrier", "")
    })
    .await;
    let leg = bed.call("+4930555", true);
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk });
    assert_eq!((LISTENS, pcma().packet_ms), ("192.0.2.77:30000", 20));
}
