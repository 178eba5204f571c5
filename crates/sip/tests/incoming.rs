//! Calls from a carrier (SIPp).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bed, Sipp, free_port, has_sipp, remote_audio};
use selsius_exchange::{TrunkEvent, TrunkLegId, TrunkOrder, record::EndCause};
use selsius_sip::Event;
use selsius_site::CodecName;

async fn offered(bed: &mut Bed) -> TrunkLegId {
    match bed.happens().await {
        TrunkEvent::Offer { leg, .. } => leg,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_comes_in_with_all_that_is_known_of_it() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = Bed::new(port).await;
    let carrier = Sipp::calls("uac-answer", port, bed.address(), &[]);
    let Event::Call(event) = bed.event().await else { panic!("an offer") };
    let TrunkEvent::Offer { leg, trunk, number, calling, audio, redirecting } = event else {
        panic!("an offer")
    };
    assert_eq!((leg.0 % 2, trunk.as_str(), number.as_str()), (1, "carrier", "200"));
    assert_eq!(
        (calling.number.as_str(), calling.name.as_str(), calling.restricted),
        ("+4930999", "Real Name", true)
    );
    assert_eq!(audio, remote_audio(&[CodecName::Pcma, CodecName::Pcmu], 40000));
    assert_eq!(redirecting.unwrap().number, "300");
    bed.order(TrunkOrder::Ringing { leg });
    bed.answer(leg);
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn the_caller_hangs_up() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = Bed::new(port).await;
    let carrier = Sipp::calls("uac-bye", port, bed.address(), &[]);
    let leg = offered(&mut bed).await;
    bed.answer(leg);
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
    carrier.succeeds().await;
}

#[tokio::test]
async fn the_caller_gives_up() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = Bed::new(port).await;
    let carrier = Sipp::calls("uac-cancel", port, bed.address(), &[]);
    let leg = offered(&mut bed).await;
    bed.order(TrunkOrder::Ringing { leg });
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::CallerHungUp });
    carrier.succeeds().await;
}

#[tokio::test]
async fn a_call_without_an_offer_gets_ours() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = Bed::new(port).await;
    let carrier = Sipp::calls("uac-delayed", port, bed.address(), &[]);
    let leg = offered(&mut bed).await;
    bed.answer(leg);
    let audio = remote_audio(&[CodecName::Pcma], 40000);
    assert_eq!(bed.happens().await, TrunkEvent::Media { leg, audio });
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn the_caller_hears_us_before_the_answer() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = Bed::new(port).await;
    let carrier = Sipp::calls("uac-early", port, bed.address(), &[]);
    let leg = offered(&mut bed).await;
    bed.media(leg);
    bed.answer(leg);
    bed.hang_up(leg);
    carrier.succeeds().await;
}

#[tokio::test]
async fn the_caller_acknowledges_what_he_hears_before_the_answer() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = Bed::new(port).await;
    let carrier = Sipp::calls("uac-prack", port, bed.address(), &[]);
    let leg = offered(&mut bed).await;
    bed.media(leg);
    bed.answer(leg);
    assert!(matches!(bed.happens().await, TrunkEvent::HungUp { .. }));
    carrier.succeeds().await;
}

#[tokio::test]
async fn a_busy_line_refuses() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = Bed::new(port).await;
    let carrier = Sipp::calls("uac-refused", port, bed.address(), &[]);
    let leg = offered(&mut bed).await;
    bed.order(TrunkOrder::HangUp { leg, cause: EndCause::Busy });
    carrier.succeeds().await;
}
