//! Trunks that change while calls are up.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bed, Carrier, header};
use selsius_exchange::{TrunkEvent, TrunkLegId, record::EndCause};
use selsius_sip::{Event, Limits, TrunkConfig, TrunkStatus};

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";

fn account(port: u16) -> TrunkConfig {
    TrunkConfig {
        port: Some(port),
        user: Some("office".into()),
        password: Some("secret".into()),
        register: true,
        ..TrunkConfig::peer("carrier", "127.0.0.1")
    }
}

/// A trunk that is registered, and a call over it.
async fn up(carrier: &Carrier, port: u16) -> (Bed, TrunkLegId) {
    let mut bed = Bed::with(account(port)).await;
    carrier.answers("REGISTER", "200 OK", "Expires: 3600\r\n", "").await;
    assert_eq!(bed.event().await, Event::Trunk { trunk: "carrier".into(), status: TrunkStatus::Up });
    let leg = answered(&mut bed, carrier).await;
    (bed, leg)
}

async fn answered(bed: &mut Bed, carrier: &Carrier) -> TrunkLegId {
    let leg = bed.call("111", true);
    let contact = format!("Contact: <sip:{}>\r\nContent-Type: application/sdp\r\n", carrier.address());
    carrier.answers("INVITE", "200 OK", &contact, SDP).await;
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    leg
}

#[tokio::test]
async fn other_limits_hold_at_once_and_nothing_else_happens() {
    let (carrier, port) = Carrier::new().await;
    let (mut bed, leg) = up(&carrier, port).await;
    let limits = Limits { calls: 1, ..Limits::default() };
    bed.handle.change(vec![TrunkConfig { limits, ..account(port) }]).await;
    let refused = bed.call("222", true);
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg: refused, cause: EndCause::NoTrunk });
    let limits = Limits { calls: 2, ..Limits::default() };
    bed.handle.change(vec![TrunkConfig { limits, ..account(port) }]).await;
    let second = answered(&mut bed, &carrier).await;
    bed.hang_up(leg);
    carrier.answers("BYE", "200 OK", "", "").await;
    bed.hang_up(second);
    carrier.answers("BYE", "200 OK", "", "").await;
    let registrations = carrier.heard.borrow().iter().filter(|text| text.starts_with("REGISTER")).count();
    assert_eq!(registrations, 1);
}

#[tokio::test]
async fn a_trunk_moves_and_its_calls_stay_where_they_are() {
    let (carrier, port) = Carrier::new().await;
    let (other, other_port) = Carrier::new().await;
    let (mut bed, leg) = up(&carrier, port).await;
    bed.handle.change(vec![account(other_port)]).await;
    let leaves = carrier.answers("REGISTER", "200 OK", "", "").await;
    assert_eq!(header(&leaves, "Expires"), "0");
    assert_eq!(bed.event().await, Event::Trunk { trunk: "carrier".into(), status: TrunkStatus::Unknown });
    let comes = other.answers("REGISTER", "200 OK", "Expires: 3600\r\n", "").await;
    assert_eq!(header(&comes, "Expires"), "3600");
    assert_eq!(bed.event().await, Event::Trunk { trunk: "carrier".into(), status: TrunkStatus::Up });
    let second = answered(&mut bed, &other).await;
    for (leg, carrier) in [(leg, &carrier), (second, &other)] {
        bed.hang_up(leg);
        carrier.answers("BYE", "200 OK", "", "").await;
    }
    // A new password is shown; the address that the carrier knows is still right.
    bed.handle.change(vec![TrunkConfig { password: Some("new".into()), ..account(other_port) }]).await;
    let comes = other.answers("REGISTER", "200 OK", "Expires: 3600\r\n", "").await;
    assert_eq!(header(&comes, "Expires"), "3600");
}

#[tokio::test]
async fn the_calls_of_a_trunk_that_is_taken_away_end_and_others_do_not() {
    let (carrier, port) = Carrier::new().await;
    let (mut bed, leg) = up(&carrier, port).await;
    let friend = TrunkConfig { name: "friend".into(), ..TrunkConfig::peer("friend", "127.0.0.1") };
    bed.handle.change(vec![account(port), friend.clone()]).await;
    bed.handle.change(vec![friend]).await;
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk });
    let leaves = carrier.answers("REGISTER", "200 OK", "", "").await;
    assert_eq!(header(&leaves, "Expires"), "0");
    carrier.answers("BYE", "200 OK", "", "").await;
    let leg = bed.call("111", true);
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk });
}
