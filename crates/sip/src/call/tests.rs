//! Calls as timelines: what goes in, what comes out.

mod secrecy;

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rsipstack::sip::SipMessage;
use selsius_exchange::Audio;
use selsius_site::CodecName;
use selsius_wire::value::Codec;

use super::*;
use crate::message::{tag, value};

const LEG: TrunkLegId = TrunkLegId(2);
const PCMA: Audio = Audio { codec: Codec::G711Alaw64k, packet_ms: 20, tos: 0 };

fn names() -> Names {
    Names {
        call_id: "call".into(),
        tag: "ours".into(),
        session: 7,
        secret: Seed([7; 32]),
        host: "192.0.2.1:5060".into(),
        contact: "<sip:192.0.2.1:5060>".into(),
        target: None,
        near: None,
    }
}

fn trunk() -> Arc<TrunkConfig> {
    Arc::new(TrunkConfig::peer("carrier", "192.0.2.9"))
}

fn sdp(more: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\n{more}"
    )
}

/// A call and what it has asked for.
struct Bench {
    call: Call,
    actions: Vec<Action>,
    /// Our requests, by their numbers.
    requests: Vec<(u32, Request)>,
    next_server: u64,
    sequence: u32,
}

impl Bench {
    fn outgoing(listens: bool) -> Self {
        Self::outgoing_over(trunk(), listens)
    }

    fn outgoing_over(trunk: Arc<TrunkConfig>, listens: bool) -> Self {
        let order = TrunkOrder::Offer {
            leg: LEG,
            trunk: "carrier".into(),
            contact: None,
            number: "+4930".into(),
            calling: Party { number: "201".into(), ..Party::default() },
            redirecting: Some(Party { number: "250".into(), ..Party::default() }),
            codecs: vec![CodecName::G722, CodecName::Pcma],
            packet_ms: 20,
            emergency: false,
            meet_me: false,
            listens: listens.then(|| "192.0.2.5:30000".parse().unwrap()),
        };
        let mut actions = Vec::new();
        let call = Call::outgoing(trunk, names(), &order, &mut actions).unwrap();
        let mut bench = Self { call, actions, requests: Vec::new(), next_server: 100, sequence: 0 };
        bench.collect();
        bench
    }

    fn incoming(body: &str) -> Self {
        let request = request("INVITE", None, 1, body);
        let mut actions = Vec::new();
        let call = Call::incoming(LEG, trunk(), names(), 1, &request, &mut actions).unwrap();
        let mut bench = Self { call, actions, requests: Vec::new(), next_server: 100, sequence: 1 };
        bench.collect();
        bench
    }

    fn up() -> Self {
        let mut bench = Self::outgoing(true);
        bench.respond(0, 200, &sdp(""));
        bench.take();
        bench
    }

    fn collect(&mut self) {
        for action in &self.actions {
            if let Action::Request { id, request } = action
                && self.requests.iter().all(|(known, _)| known != id)
            {
                self.requests.push((*id, request.clone()));
            }
        }
    }

    fn take(&mut self) -> Vec<Action> {
        self.collect();
        std::mem::take(&mut self.actions)
    }

    fn order(&mut self, order: TrunkOrder) {
        self.call.order(&order, &mut self.actions);
        self.collect();
    }

    fn media(&mut self) {
        self.order(TrunkOrder::Media { leg: LEG, audio: PCMA, address: "192.0.2.5:30000".parse().unwrap() });
    }

    fn happens(&mut self, happening: Happening<'_>) {
        self.call.happened(happening, &mut self.actions);
        self.collect();
    }

    /// A response to one of our requests, by its place among them.
    fn respond(&mut self, at: usize, code: u16, body: &str) {
        let (id, request) = self.requests[at].clone();
        let response = response(&request, code, "theirs", body);
        self.happens(Happening::Response { id, response: &response });
    }

    /// A request of theirs within the call; the response codes that it got at once.
    fn asks(&mut self, method: &str, body: &str) -> Vec<u16> {
        self.sequence += 1;
        let request = request(method, Some("ours"), self.sequence, body);
        self.next_server += 1;
        let server = self.next_server;
        self.happens(Happening::Request { server, request: &request });
        self.codes(server)
    }

    fn codes(&self, wanted: u64) -> Vec<u16> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::Respond { server, response } if *server == wanted => {
                    Some(response.status_code.code())
                }
                _ => None,
            })
            .collect()
    }

    fn events(&self) -> Vec<&TrunkEvent> {
        events(&self.actions)
    }
}

fn events(actions: &[Action]) -> Vec<&TrunkEvent> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Event(Event::Call(event)) => Some(event),
            _ => None,
        })
        .collect()
}

/// What is sent, in short.
fn sent(actions: &[Action]) -> Vec<String> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Request { request, .. } => Some(request.method.to_string()),
            Action::Ack(ack) => Some(format!("ACK{}", if ack.body.is_empty() { "" } else { "+sdp" })),
            Action::Cancel { .. } => Some("CANCEL".into()),
            Action::Respond { response, .. } => Some(response.status_code.code().to_string()),
            Action::Over => Some("over".into()),
            Action::Join(..) | Action::Event(_) | Action::Timer(..) | Action::Stop(_) => None,
        })
        .collect()
}

fn request(method: &str, to_tag: Option<&str>, sequence: u32, body: &str) -> Request {
    let to = to_tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
    let kind = match (body.is_empty(), method) {
        (true, _) => "",
        (false, "INFO") => "Content-Type: application/dtmf-relay\r\n",
        (false, _) => "Content-Type: application/sdp\r\n",
    };
    let text = format!(
        "{method} sip:200@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{sequence}\r\n\
         From: <sip:1@192.0.2.9>;tag=theirs\r\nTo: <sip:200@192.0.2.1>{to}\r\nCall-ID: call\r\n\
         CSeq: {sequence} {method}\r\nContact: <sip:192.0.2.9:5070>\r\nAllow: UPDATE\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    match SipMessage::try_from(text.as_str()).unwrap() {
        SipMessage::Request(request) => request,
        SipMessage::Response(_) => panic!("a request"),
    }
}

fn response(request: &Request, code: u16, to_tag: &str, body: &str) -> Response {
    let mut response = message::respond(request, code, to_tag);
    put(&mut response.headers, "Contact", "<sip:192.0.2.9:5070>");
    put(&mut response.headers, "Allow", "INVITE, UPDATE");
    if !body.is_empty() {
        message::set_body(
            &mut response.headers,
            &mut response.body,
            "application/sdp",
            body.as_bytes().to_vec(),
        );
    }
    response
}

#[test]
fn a_call_says_who_calls_and_who_forwarded() {
    let bench = Bench::outgoing(true);
    let (_, invite) = &bench.requests[0];
    assert_eq!(invite.uri.to_string(), "sip:+4930@192.0.2.9");
    assert_eq!(value(&invite.headers, "From"), Some("<sip:201@192.0.2.1:5060>;tag=ours"));
    assert_eq!(value(&invite.headers, "P-Asserted-Identity"), Some("<sip:201@192.0.2.1:5060>"));
    assert!(value(&invite.headers, "Diversion").unwrap().starts_with("<sip:250@192.0.2.1:5060>;"));
    assert!(String::from_utf8_lossy(&invite.body).contains("m=audio 30000 RTP/AVP 9 8 101\r\n"));
}

#[test]
fn a_cancel_waits_for_the_first_response() {
    let mut bench = Bench::outgoing(true);
    bench.order(TrunkOrder::HangUp { leg: LEG, cause: EndCause::CallerHungUp });
    assert_eq!(sent(&bench.take()), ["INVITE"]);
    bench.respond(0, 100, "");
    assert_eq!(sent(&bench.take()), ["CANCEL"]);
    bench.respond(0, 180, "");
    assert!(bench.take().is_empty());
    bench.respond(0, 487, "");
    assert_eq!(sent(&bench.take()), ["over"]);
}

#[test]
fn a_cancel_that_leads_to_nothing_is_enough() {
    let mut bench = Bench::outgoing(true);
    bench.respond(0, 180, "");
    bench.order(TrunkOrder::HangUp { leg: LEG, cause: EndCause::CallerHungUp });
    assert_eq!(timers(&bench.take()), [(Timer::Cancel, 32)]);
    bench.happens(Happening::Timer(Timer::Cancel));
    assert_eq!(sent(&bench.take()), ["over"]);
}

#[test]
fn an_answer_that_crosses_the_cancel_is_ended() {
    let mut bench = Bench::outgoing(true);
    bench.respond(0, 180, "");
    bench.order(TrunkOrder::HangUp { leg: LEG, cause: EndCause::CallerHungUp });
    bench.take();
    bench.respond(0, 200, &sdp(""));
    let actions = bench.take();
    assert_eq!(sent(&actions), ["ACK", "BYE"]);
    assert!(events(&actions).is_empty());
    bench.respond(1, 200, "");
    assert_eq!(sent(&bench.take()), ["over"]);
}

#[test]
fn one_answer_is_enough() {
    let mut bench = Bench::up();
    let (_, invite) = bench.requests[0].clone();
    let other = response(&invite, 200, "another", &sdp(""));
    bench.happens(Happening::Fork(&other));
    let actions = bench.take();
    assert_eq!(sent(&actions), ["ACK", "BYE"]);
    let Action::Request { request: bye, .. } = &actions[1] else { panic!("a BYE") };
    assert_eq!(value(&bye.headers, "To").and_then(tag), Some("another"));
    assert!(events(&actions).is_empty());
    assert!(matches!(bench.call.state, State::Up));
}

#[test]
fn audio_that_nobody_here_speaks_ends_the_call() {
    let mut bench = Bench::outgoing(true);
    bench.take();
    bench.respond(0, 200, &sdp("").replace("AVP 8", "AVP 3"));
    assert_eq!(sent(&bench.actions), ["ACK", "BYE"]);
    assert_eq!(bench.events(), [&TrunkEvent::HungUp { leg: LEG, cause: EndCause::NoCommonCodec }]);
}

#[test]
fn an_offer_with_the_answer_waits_for_our_address_but_not_for_ever() {
    let mut bench = Bench::outgoing(false);
    assert!(bench.requests[0].1.body.is_empty());
    bench.take();
    bench.respond(0, 200, &sdp(""));
    assert!(
        matches!(bench.events()[..], [TrunkEvent::Answered { audio, .. }] if audio.codecs == [CodecName::Pcma])
    );
    assert!(sent(&bench.take()).is_empty());
    bench.happens(Happening::Timer(Timer::Media));
    assert_eq!(sent(&bench.actions), ["ACK", "BYE"]);
    assert_eq!(bench.events(), [&TrunkEvent::HungUp { leg: LEG, cause: EndCause::MediaFailure }]);
}

#[test]
fn both_sides_change_the_session_at_once() {
    let mut bench = Bench::up();
    bench.media();
    assert!(sent(&bench.take()).is_empty(), "nothing has changed");
    bench.order(TrunkOrder::Hold { leg: LEG, held: true });
    assert_eq!(sent(&bench.take()), ["INVITE"]);
    assert_eq!(bench.asks("INVITE", &sdp("a=sendonly\r\n")), [491]);
    bench.respond(1, 491, "");
    assert!(bench.actions.iter().any(|action| matches!(action, Action::Timer(Timer::Renewal, _))));
    bench.take();
    // Theirs comes again first.
    assert_eq!(bench.asks("INVITE", &sdp("a=sendonly\r\n")), [200]);
    assert_eq!(bench.events(), [&TrunkEvent::Hold { leg: LEG, held: true }]);
    bench.take();
    bench.happens(Happening::Timer(Timer::Renewal));
    let actions = bench.take();
    assert!(actions.is_empty(), "the answer has said it: {:?}", sent(&actions));
    bench.order(TrunkOrder::Hold { leg: LEG, held: false });
    assert_eq!(sent(&bench.take()), ["INVITE"]);
    bench.respond(2, 200, &sdp("a=sendonly\r\n"));
    assert_eq!(sent(&bench.take()), ["ACK"]);
}

#[test]
fn a_change_that_is_refused_leaves_the_call_as_it_was() {
    let mut bench = Bench::up();
    bench.order(TrunkOrder::Hold { leg: LEG, held: true });
    bench.respond(1, 488, "");
    assert!(matches!(bench.call.state, State::Up));
    bench.take();
    bench.order(TrunkOrder::Hold { leg: LEG, held: false });
    assert!(sent(&bench.take()).is_empty(), "the far end knows nothing else");
    bench.order(TrunkOrder::Hold { leg: LEG, held: true });
    bench.respond(2, 481, "");
    assert!(bench.events().contains(&&TrunkEvent::HungUp { leg: LEG, cause: EndCause::MediaFailure }));
    assert_eq!(sent(&bench.take()).last().unwrap(), "BYE");
}

#[test]
fn an_answer_that_nobody_acknowledges_ends_the_call() {
    let mut bench = Bench::incoming(&sdp(""));
    bench.order(TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: Some(PCMA) });
    assert!(sent(&bench.take()).is_empty(), "the address is not known yet");
    bench.media();
    assert_eq!(sent(&bench.take()), ["200"]);
    bench.happens(Happening::NoAck { server: 1 });
    assert_eq!(sent(&bench.actions), ["BYE"]);
    assert_eq!(bench.events(), [&TrunkEvent::HungUp { leg: LEG, cause: EndCause::NoTrunk }]);
}

#[test]
fn the_end_of_a_call_waits_for_the_ack() {
    let mut bench = Bench::incoming(&sdp(""));
    bench.media();
    bench.order(TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: Some(PCMA) });
    bench.order(TrunkOrder::HangUp { leg: LEG, cause: EndCause::CalledHungUp });
    assert_eq!(sent(&bench.take()), ["183", "200"]);
    let ack = request("ACK", Some("ours"), 1, "");
    bench.happens(Happening::Ack { server: 1, request: &ack });
    let actions = bench.take();
    assert_eq!(sent(&actions), ["BYE"]);
    assert!(events(&actions).is_empty());
}

#[test]
fn who_is_on_our_side_is_told_by_update() {
    let mut bench = Bench::up();
    bench.order(TrunkOrder::Party { leg: LEG, party: Party { number: "333".into(), ..Party::default() } });
    let actions = bench.take();
    assert_eq!(sent(&actions), ["UPDATE"]);
    let Action::Request { request, .. } = &actions[0] else { panic!("a request") };
    assert_eq!(value(&request.headers, "P-Asserted-Identity"), Some("<sip:333@192.0.2.1:5060>"));
}

#[test]
fn requests_out_of_order_are_refused() {
    let mut bench = Bench::up();
    bench.sequence = 10;
    assert_eq!(bench.asks("INFO", "Signal=1\r\n"), [200]);
    bench.sequence = 5;
    assert_eq!(bench.asks("INFO", "Signal=2\r\n"), [500]);
}

fn timers(actions: &[Action]) -> Vec<(Timer, u64)> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Timer(timer, after) => Some((*timer, after.as_secs())),
            _ => None,
        })
        .collect()
}

/// A response to our first request with more headers.
fn with(bench: &mut Bench, at: usize, code: u16, body: &str, headers: &[(&str, &str)]) {
    let (id, request) = bench.requests[at].clone();
    let mut response = response(&request, code, "theirs", body);
    for (name, value) in headers {
        put(&mut response.headers, name, *value);
    }
    bench.happens(Happening::Response { id, response: &response });
}

#[test]
fn a_session_is_refreshed_at_half_time() {
    let mut bench = Bench::outgoing(true);
    let (_, invite) = &bench.requests[0];
    assert_eq!(value(&invite.headers, "Session-Expires"), Some("1800"));
    bench.take();
    with(&mut bench, 0, 200, &sdp(""), &[("Session-Expires", "600;refresher=uac")]);
    assert_eq!(timers(&bench.take()), [(Timer::Refresh, 300), (Timer::Expire, 600)]);
    bench.happens(Happening::Timer(Timer::Refresh));
    let actions = bench.take();
    assert_eq!(sent(&actions), ["UPDATE"]);
    let Action::Request { request, .. } = &actions[0] else { panic!("a request") };
    assert_eq!(value(&request.headers, "Session-Expires"), Some("600;refresher=uac"));
    // It does not know UPDATE after all.
    bench.respond(1, 501, "");
    assert_eq!(sent(&bench.take()), ["INVITE"]);
    with(&mut bench, 2, 200, &sdp(""), &[("Session-Expires", "600;refresher=uac")]);
    let actions = bench.take();
    assert_eq!((sent(&actions), timers(&actions).len()), (vec!["ACK".to_string()], 2));
    bench.happens(Happening::Timer(Timer::Expire));
    assert_eq!(bench.events(), [&TrunkEvent::HungUp { leg: LEG, cause: EndCause::NoTrunk }]);
    assert_eq!(sent(&bench.take()), ["BYE"]);
}

#[test]
fn a_timer_that_is_too_short_is_lengthened_once() {
    let mut bench = Bench::outgoing(true);
    bench.take();
    with(&mut bench, 0, 422, "", &[("Min-SE", "3600")]);
    let actions = bench.take();
    let [Action::Request { id: 0, request }] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(value(&request.headers, "Session-Expires"), Some("3600"));
    assert_eq!(value(&request.headers, "CSeq"), Some("2 INVITE"));
    bench.requests[0].1 = request.clone();
    with(&mut bench, 0, 422, "", &[("Min-SE", "3600")]);
    assert_eq!(bench.events().len(), 1);
}

#[test]
fn the_far_end_refreshes_or_the_call_ends() {
    let mut request = request("INVITE", None, 1, &sdp(""));
    put(&mut request.headers, "Supported", "timer");
    put(&mut request.headers, "Session-Expires", "300");
    let mut actions = Vec::new();
    let mut call = Call::incoming(LEG, trunk(), names(), 1, &request, &mut actions).unwrap();
    call.order(&TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: Some(PCMA) }, &mut actions);
    actions.clear();
    call.order(
        &TrunkOrder::Media { leg: LEG, audio: PCMA, address: "192.0.2.5:30000".parse().unwrap() },
        &mut actions,
    );
    let answer = actions.iter().find_map(|action| match action {
        Action::Respond { response, .. } => Some(response),
        _ => None,
    });
    assert_eq!(value(&answer.unwrap().headers, "Session-Expires"), Some("300;refresher=uac"));
    assert_eq!(value(&answer.unwrap().headers, "Require"), Some("timer"));
    assert_eq!(timers(&actions), [(Timer::Expire, 268)]);
}

#[test]
fn reliable_responses_are_acknowledged_in_order() {
    let mut bench = Bench::outgoing(true);
    bench.take();
    let reliable = |number| [("Require", "100rel"), ("RSeq", number)];
    with(&mut bench, 0, 183, &sdp(""), &reliable("7"));
    let actions = bench.take();
    assert_eq!((sent(&actions), events(&actions).len()), (vec!["PRACK".to_string()], 1));
    let Action::Request { request, .. } = &actions[0] else { panic!("a PRACK") };
    assert_eq!(value(&request.headers, "RAck"), Some("7 1 INVITE"));
    with(&mut bench, 0, 180, "", &reliable("9"));
    assert!(bench.take().is_empty(), "one is missing");
    with(&mut bench, 0, 180, "", &reliable("8"));
    assert_eq!(sent(&bench.take()), ["PRACK"]);
    bench.respond(0, 200, "");
    let actions = bench.take();
    let Action::Ack(ack) = &actions.iter().find(|action| matches!(action, Action::Ack(_))).unwrap() else {
        panic!()
    };
    assert_eq!(value(&ack.headers, "CSeq"), Some("1 ACK"));
}

#[test]
fn an_answer_waits_until_early_audio_has_arrived() {
    let mut invite = request("INVITE", None, 1, &sdp(""));
    put(&mut invite.headers, "Supported", "100rel");
    let mut actions = Vec::new();
    let call = Call::incoming(LEG, trunk(), names(), 1, &invite, &mut actions).unwrap();
    let mut bench = Bench { call, actions: Vec::new(), requests: Vec::new(), next_server: 100, sequence: 1 };
    bench.order(TrunkOrder::Ringing { leg: LEG });
    bench.media();
    bench.order(TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: Some(PCMA) });
    assert_eq!(sent(&bench.take()), ["180", "183"]);
    bench.happens(Happening::Timer(Timer::Reliable));
    assert_eq!(sent(&bench.take()), ["183"]);
    let prack = |sequence: u32, rack: &str| {
        let mut prack = request("PRACK", Some("ours"), sequence, "");
        put(&mut prack.headers, "RAck", rack);
        prack
    };
    bench.happens(Happening::Request { server: 8, request: &prack(2, "2 1 INVITE") });
    assert_eq!(sent(&bench.take()), ["481"]);
    bench.happens(Happening::Request { server: 9, request: &prack(3, "1 1 INVITE") });
    assert_eq!(sent(&bench.take()), ["200", "200"]);
}

#[test]
fn a_reliable_response_that_nobody_hears_ends_the_call() {
    let mut invite = request("INVITE", None, 1, &sdp(""));
    put(&mut invite.headers, "Require", "100rel");
    let mut actions = Vec::new();
    let call = Call::incoming(LEG, trunk(), names(), 1, &invite, &mut actions).unwrap();
    let mut bench = Bench { call, actions: Vec::new(), requests: Vec::new(), next_server: 100, sequence: 1 };
    bench.order(TrunkOrder::Ringing { leg: LEG });
    let mut copies = 0;
    while bench.events().is_empty() {
        copies += bench.codes(1).iter().filter(|&&code| code == 180).count();
        bench.take();
        bench.happens(Happening::Timer(Timer::Reliable));
        assert!(copies < 20);
    }
    assert_eq!((copies, sent(&bench.take())), (7, vec!["503".to_string(), "over".to_string()]));
}

#[test]
fn a_transfer_by_the_far_end_is_reported_to_its_end() {
    let mut bench = Bench::up();
    bench.sequence = 1;
    let mut refer = request("REFER", Some("ours"), 2, "");
    put(&mut refer.headers, "Refer-To", "<sip:345@192.0.2.1>");
    bench.happens(Happening::Request { server: 5, request: &refer });
    let actions = bench.take();
    assert_eq!(sent(&actions), ["202", "NOTIFY"]);
    assert_eq!(events(&actions), [&TrunkEvent::Redirect { leg: LEG, number: "345".into() }]);
    bench.order(TrunkOrder::HangUp { leg: LEG, cause: EndCause::Transferred });
    let actions = bench.take();
    assert_eq!(sent(&actions), ["NOTIFY", "BYE"]);
    let Action::Request { request: notify, .. } =
        actions.iter().find(|action| matches!(action, Action::Request { .. })).unwrap()
    else {
        panic!("a NOTIFY")
    };
    assert_eq!(notify.body, b"SIP/2.0 200 OK\r\n");
    let mut other = request("REFER", Some("ours"), 3, "");
    put(&mut other.headers, "Refer-To", "<sip:345@h?Replaces=1%3Bto-tag%3D2>");
    let mut bench = Bench::up();
    bench.happens(Happening::Request { server: 5, request: &other });
    assert_eq!(sent(&bench.take()), ["603"]);
}

fn notify(bench: &mut Bench, state: &str, body: &str) -> Vec<u16> {
    bench.sequence += 1;
    let mut request = request("NOTIFY", Some("ours"), bench.sequence, "");
    put(&mut request.headers, "Event", "refer;id=2");
    put(&mut request.headers, "Subscription-State", state);
    request.body = body.as_bytes().to_vec();
    bench.next_server += 1;
    let server = bench.next_server;
    bench.happens(Happening::Request { server, request: &request });
    bench.codes(server)
}

#[test]
fn the_far_end_is_sent_to_somebody_else_and_says_what_comes_of_it() {
    let referred = |connected| TrunkEvent::Referred { leg: LEG, connected };
    let asked = || {
        let mut bench = Bench::up();
        bench.call.refer("+49 30#", None, &mut bench.actions);
        assert_eq!(sent(&bench.take()), ["REFER"]);
        let (_, refer) = bench.requests.last().unwrap();
        assert_eq!(value(&refer.headers, "Refer-To"), Some("<sip:+49%2030%23@192.0.2.9>"));
        assert_eq!(value(&refer.headers, "Referred-By"), Some("<sip:201@192.0.2.1:5060>"));
        bench
    };
    let mut bench = asked();
    let at = bench.requests.len() - 1;
    bench.respond(at, 202, "");
    assert_eq!(notify(&mut bench, "active;expires=60", "SIP/2.0 180 Ringing\r\n"), [200]);
    assert!(bench.events().is_empty());
    assert_eq!(notify(&mut bench, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n"), [200]);
    assert_eq!(bench.events(), [&referred(true)]);
    bench.take();
    // Once more is once too many for the exchange only.
    assert_eq!(notify(&mut bench, "terminated", "SIP/2.0 200 OK\r\n"), [200]);
    assert!(bench.events().is_empty());

    for (state, body) in [("active", "SIP/2.0 486 Busy Here\r\n"), ("terminated;reason=giveup", "")] {
        let mut bench = asked();
        assert_eq!(notify(&mut bench, state, body), [200], "also before the REFER is answered");
        assert_eq!(bench.events(), [&referred(false)]);
    }
    let mut bench = asked();
    bench.respond(at, 603, "");
    assert_eq!(bench.events(), [&referred(false)]);
    let mut bench = asked();
    bench.happens(Happening::Timer(Timer::Referral));
    assert_eq!(bench.events(), [&referred(false)]);
    let mut bench = Bench::up();
    assert_eq!(notify(&mut bench, "active", "SIP/2.0 200 OK\r\n"), [481], "nobody has asked");
}

#[test]
fn the_far_end_is_connected_with_another_call_of_the_trunk() {
    let mut other = Bench::up();
    let mut bench = Bench::up();
    bench.call.refer("345", Some(&other.call), &mut bench.actions);
    bench.take();
    let (_, refer) = bench.requests.last().unwrap();
    assert_eq!(
        value(&refer.headers, "Refer-To"),
        Some("<sip:192.0.2.9:5070?Replaces=call%3Bto-tag%3Dtheirs%3Bfrom-tag%3Dours>")
    );
    other.order(TrunkOrder::HangUp { leg: LEG, cause: EndCause::CallerHungUp });
    let mut bench = Bench::up();
    bench.call.refer("345", Some(&other.call), &mut bench.actions);
    assert_eq!(bench.events(), [&TrunkEvent::Referred { leg: LEG, connected: false }]);
    assert!(sent(&bench.take()).is_empty());
}

#[test]
fn a_redirection_is_the_exchanges_business() {
    let mut bench = Bench::outgoing(true);
    bench.take();
    let (id, request) = bench.requests[0].clone();
    let mut response = message::respond(&request, 302, "theirs");
    put(&mut response.headers, "Contact", "<sip:+49777@other.example>;q=0.9, <sip:+49778@other.example>");
    bench.happens(Happening::Response { id, response: &response });
    assert_eq!(bench.events(), [&TrunkEvent::Redirect { leg: LEG, number: "+49777".into() }]);
    assert_eq!(sent(&bench.take()), ["over"]);
}

/// Anything in any order: every request of theirs gets one final answer at once or when the call ends, each request of
/// ours is followed to its end, nothing is told after the exchange has hung up or was told the end, and every call ends.
#[test]
fn any_order_of_things_leads_to_an_end() {
    for seed in 0..3000 {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let kind = chance.random_range(0..4);
        let incoming = kind >= 2;
        let mut bench = match kind {
            0 => Bench::outgoing(true),
            1 => Bench::outgoing(false),
            2 => Bench::incoming(&sdp("")),
            _ => Bench::incoming(""),
        };
        let mut done = Vec::new();
        let mut over = false;
        let mut finals = 0;
        for step in 0..40 {
            let hold = if chance.random() { sdp("a=sendonly\r\n") } else { sdp("") };
            let body = if chance.random() { hold.as_str() } else { "" };
            let open: Vec<usize> = (0..bench.requests.len()).filter(|at| !done.contains(at)).collect();
            match chance.random_range(0..12) {
                0 => bench.media(),
                1 => bench.order(TrunkOrder::Ringing { leg: LEG }),
                2 => bench.order(TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: None }),
                3 if chance.random() => bench.call.refer("345", None, &mut bench.actions),
                3 => bench.order(TrunkOrder::Hold { leg: LEG, held: chance.random() }),
                4 => bench.order(TrunkOrder::Digit { leg: LEG, digit: '1' }),
                5..=7 if !open.is_empty() => {
                    let at = open[chance.random_range(0..open.len())];
                    let code = [100, 180, 183, 200, 200, 404, 408, 481, 487, 491][chance.random_range(0..10)];
                    if code >= 200 {
                        done.push(at);
                    }
                    bench.respond(at, code, body);
                }
                8 => {
                    let (server, request) =
                        (chance.random_range(0..3), request("ACK", Some("ours"), 1, body));
                    bench.happens(Happening::Ack { server, request: &request });
                }
                9 => {
                    let methods =
                        ["INVITE", "UPDATE", "INFO", "OPTIONS", "NOTIFY", "MESSAGE", "PRACK", "REFER", "BYE"];
                    let method = methods[chance.random_range(0..methods.len())];
                    let method = if chance.random_range(0..3) == 0 { method } else { "INVITE" };
                    let codes = bench.asks(method, if method == "INFO" { "Signal=9\r\n" } else { body });
                    let answered = matches!(codes[..], [code] if code >= 200);
                    assert!(answered, "seed {seed}, step {step}: {method} {codes:?}");
                }
                10 => {
                    let timer = Timer::ALL[chance.random_range(0..Timer::ALL.len())];
                    bench.happens(Happening::Timer(timer));
                }
                _ if chance.random_range(0..3) == 0 => bench.happens(Happening::Cancelled { server: 1 }),
                _ => bench.happens(Happening::NoAck { server: chance.random_range(0..3) }),
            }
            finals += bench.codes(1).iter().filter(|&&code| code >= 200).count();
            let actions = bench.take();
            let ends =
                events(&actions).iter().filter(|event| matches!(event, TrunkEvent::HungUp { .. })).count();
            assert!(ends <= 1 && (!over || events(&actions).is_empty()), "seed {seed}, step {step}");
            over |= ends == 1;
        }
        bench.order(TrunkOrder::HangUp { leg: LEG, cause: EndCause::CallerHungUp });
        finals += bench.codes(1).iter().filter(|&&code| code >= 200).count();
        assert_eq!(finals, usize::from(incoming), "seed {seed}: final answers to the first INVITE");
        for at in 0..bench.requests.len() {
            if !done.contains(&at) {
                bench.respond(at, 408, "");
                done.push(at);
            }
        }
        bench.happens(Happening::NoAck { server: 1 });
        // The BYE that this may have brought.
        for at in 0..bench.requests.len() {
            if !done.contains(&at) {
                bench.respond(at, 200, "");
            }
        }
        assert!(matches!(bench.call.state, State::Over), "seed {seed}: {:?}", bench.call.state);
        assert!(bench.events().is_empty(), "seed {seed}: {:?}", bench.events());
    }
}
