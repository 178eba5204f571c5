//! Transfers that a carrier makes itself, over the wire.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bed, Carrier, header};
use selsius_exchange::{TrunkEvent, TrunkLegId, TrunkOrder};

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";

/// A call that the carrier answers; its INVITE.
async fn up(bed: &mut Bed, carrier: &Carrier, number: &str) -> (TrunkLegId, String) {
    let leg = bed.call(number, true);
    let contact =
        format!("Contact: <sip:{number}@{}>\r\nContent-Type: application/sdp\r\n", carrier.address());
    let invite = carrier.answers("INVITE", "200 OK", &contact, SDP).await;
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    (leg, invite)
}

#[tokio::test]
async fn a_carrier_connects_two_of_its_calls() {
    let (carrier, port) = Carrier::new().await;
    let mut bed = Bed::new(port).await;
    let (first, invite) = up(&mut bed, &carrier, "111").await;
    let (second, other) = up(&mut bed, &carrier, "222").await;
    bed.order(TrunkOrder::Refer { leg: first, number: "222".into(), replaces: Some(second) });
    let refer = carrier.answers("REFER", "202 Accepted", "", "").await;
    assert_eq!(header(&refer, "Call-ID"), header(&invite, "Call-ID"));
    let to = header(&refer, "Refer-To");
    let ours = header(&other, "From").split(";tag=").nth(1).unwrap();
    let place = format!("?Replaces={}%3Bto-tag%3Dcarrier%3Bfrom-tag%3D{ours}>", header(&other, "Call-ID"));
    assert!(to.starts_with(&format!("<sip:222@127.0.0.1:{port}")) && to.ends_with(&place), "{to}");
    let body = "SIP/2.0 200 OK\r\n";
    let notify = format!(
        "NOTIFY sip:{0} SIP/2.0\r\nVia: SIP/2.0/UDP {1};branch=z9hG4bKnotify\r\nFrom: {2};tag=carrier\r\nTo: {3}\r\n\
         Call-ID: {4}\r\nCSeq: 7 NOTIFY\r\nMax-Forwards: 70\r\nEvent: refer\r\nSubscription-State: terminated\r\n\
         Content-Type: message/sipfrag\r\nContent-Length: {5}\r\n\r\n{body}",
        bed.address(),
        carrier.address(),
        header(&invite, "To"),
        header(&invite, "From"),
        header(&invite, "Call-ID"),
        body.len()
    );
    carrier.send_to(&notify, bed.address()).await;
    assert_eq!(bed.happens().await, TrunkEvent::Referred { leg: first, connected: true });
    bed.hang_up(first);
    bed.hang_up(second);
    for _ in 0..2 {
        carrier.answers("BYE", "200 OK", "", "").await;
    }
}

#[tokio::test]
async fn a_carrier_refuses_to_call_somebody_itself() {
    let (carrier, port) = Carrier::new().await;
    let mut bed = Bed::new(port).await;
    let (leg, _) = up(&mut bed, &carrier, "111").await;
    bed.order(TrunkOrder::Refer { leg, number: "333".into(), replaces: None });
    let refer = carrier.answers("REFER", "603 Decline", "", "").await;
    assert_eq!(header(&refer, "Refer-To"), format!("<sip:333@127.0.0.1:{port}>"));
    assert_eq!(bed.happens().await, TrunkEvent::Referred { leg, connected: false });
    // A call that is gone is nobody to be connected with.
    let replaces = Some(TrunkLegId(4000));
    bed.order(TrunkOrder::Refer { leg, number: "333".into(), replaces });
    assert_eq!(bed.happens().await, TrunkEvent::Referred { leg, connected: false });
    bed.hang_up(leg);
    carrier.answers("BYE", "200 OK", "", "").await;
}
