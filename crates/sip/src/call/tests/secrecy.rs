//! Calls whose audio is encrypted, or shall be.

use selsius_exchange::srtp::{PartyKeys, Suite};
use selsius_site::Srtp;

use super::*;

const THEIRS: &str = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const OTHERS: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn with(srtp: Srtp) -> Arc<TrunkConfig> {
    Arc::new(TrunkConfig { srtp, ..TrunkConfig::peer("carrier", "192.0.2.9") })
}

fn secure(lines: &str) -> String {
    sdp(lines).replace("RTP/AVP", "RTP/SAVP")
}

fn line(tag: u32, key: &str) -> String {
    format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 {key}\r\n")
}

fn invited(srtp: Srtp, body: &str) -> Result<Bench, u16> {
    let request = request("INVITE", None, 1, body);
    let mut actions = Vec::new();
    let call = Call::incoming(LEG, with(srtp), names(), 1, &request, &mut actions)
        .map_err(|refusal| refusal.0.status_code.code())?;
    Ok(Bench { call, actions, requests: Vec::new(), next_server: 100, sequence: 1 })
}

/// The keys of the last event that says something of audio.
fn keys(bench: &Bench) -> Option<PartyKeys> {
    bench.events().into_iter().rev().find_map(|event| match event {
        TrunkEvent::Offer { audio, .. }
        | TrunkEvent::Answered { audio, .. }
        | TrunkEvent::Media { audio, .. } => audio.srtp.as_deref().copied(),
        _ => None,
    })
}

/// What our last description says: its stream, and its lines of keys.
fn described(body: &[u8]) -> (String, Vec<String>) {
    let text = String::from_utf8_lossy(body);
    let stream = text.lines().find(|line| line.starts_with("m=")).unwrap().to_owned();
    (stream, text.lines().filter(|line| line.starts_with("a=crypto")).map(str::to_owned).collect())
}

fn body_of_200(bench: &Bench) -> Vec<u8> {
    let mut answers = bench.actions.iter().filter_map(|action| match action {
        Action::Respond { response, .. } if response.status_code.code() == 200 => Some(response.body.clone()),
        _ => None,
    });
    answers.next_back().unwrap()
}

/// The ACK of our 200 to their first INVITE.
fn acknowledge(bench: &mut Bench, body: &str) {
    let ack = request("ACK", Some("ours"), 1, body);
    bench.happens(Happening::Ack { server: 1, request: &ack });
}

#[test]
fn an_offer_says_what_the_trunk_wants() {
    for (srtp, stream, lines) in [
        (Srtp::Off, "m=audio 30000 RTP/AVP 9 8 101", 0),
        (Srtp::Optional, "m=audio 30000 RTP/AVP 9 8 101", 4),
        (Srtp::Required, "m=audio 30000 RTP/SAVP 9 8 101", 4),
    ] {
        let bench = Bench::outgoing_over(with(srtp), true);
        let (said, keys) = described(&bench.requests[0].1.body);
        assert_eq!((said.as_str(), keys.len()), (stream, lines));
        for (name, key) in
            ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]
                .iter()
                .zip(&keys)
        {
            assert!(key.contains(name), "{key}");
        }
    }
}

#[test]
fn the_answer_chooses_among_our_keys() {
    let mut bench = Bench::outgoing_over(with(Srtp::Required), true);
    let (_, ours) = described(&bench.requests[0].1.body);
    bench.respond(0, 200, &secure(&line(3, THEIRS)));
    let keys = keys(&bench).unwrap();
    assert_eq!(
        (keys.sends.key(), keys.hears.suite()),
        (&b"YS___semctl () {"[..], Suite::AesCm128HmacSha1_80)
    );
    assert_ne!(keys.sends, keys.hears);
    // A later offer names the same keys, and no others.
    bench.take();
    bench.order(TrunkOrder::Hold { leg: LEG, held: true });
    let (stream, again) = described(&bench.requests.last().unwrap().1.body);
    assert!(stream.contains("RTP/SAVP") && again == [ours[2].clone()], "{again:?}");
    // And an answer in clear ends the call.
    bench.respond(1, 200, &sdp(""));
    assert_eq!(sent(&bench.take()).last().unwrap(), "BYE");
}

#[test]
fn an_answer_without_keys_is_taken_where_they_are_not_required() {
    for (srtp, body, up) in [
        (Srtp::Optional, sdp(""), true),
        (Srtp::Optional, sdp(&line(3, THEIRS)), true),
        (Srtp::Required, sdp(""), false),
        (Srtp::Required, secure(""), false),
        // A line that was not offered: its sender believes that all is encrypted.
        (Srtp::Optional, sdp(&line(1, THEIRS)), false),
        (Srtp::Optional, sdp(&line(7, THEIRS)), false),
    ] {
        let mut bench = Bench::outgoing_over(with(srtp), true);
        bench.take();
        bench.respond(0, 200, &body);
        let sent = sent(&bench.actions);
        assert_eq!(sent == ["ACK"], up, "{srtp} {body} {sent:?}");
        assert_eq!(keys(&bench).is_some(), up && body.contains("crypto"), "{srtp} {body}");
    }
}

#[test]
fn offers_are_answered_by_what_the_trunk_wants() {
    let keyed = line(5, THEIRS);
    // A stream in clear beside an encrypted one: the encrypted one is taken where that is wanted.
    let both = format!("{}m=audio 4002 RTP/SAVP 8\r\n{keyed}", sdp(""));
    for (srtp, body, expected) in [
        (Srtp::Off, secure(&keyed), Err(488)),
        (Srtp::Off, sdp(&keyed), Ok("m=audio 30000 RTP/AVP 8 101")),
        (Srtp::Off, both.clone(), Ok("m=audio 30000 RTP/AVP 8 101")),
        (Srtp::Optional, sdp(""), Ok("m=audio 30000 RTP/AVP 8 101")),
        (Srtp::Optional, sdp(&keyed), Ok("m=audio 30000 RTP/AVP 8 101")),
        (Srtp::Optional, secure(&keyed), Ok("m=audio 30000 RTP/SAVP 8 101")),
        (Srtp::Optional, secure(""), Err(488)),
        (Srtp::Optional, both.clone(), Ok("m=audio 0 RTP/AVP 8 101")),
        (Srtp::Required, sdp(""), Err(488)),
        (Srtp::Required, sdp(&keyed), Ok("m=audio 30000 RTP/AVP 8 101")),
        (Srtp::Required, secure(&keyed), Ok("m=audio 30000 RTP/SAVP 8 101")),
        (Srtp::Required, secure("a=crypto:1 F8_128_HMAC_SHA1_80 inline:x\r\n"), Err(488)),
    ] {
        let mut bench = match (invited(srtp, &body), expected) {
            (Ok(bench), Ok(_)) => bench,
            (Err(code), Err(expected)) => {
                assert_eq!(code, expected, "{srtp} {body}");
                continue;
            }
            (got, _) => panic!("{srtp} {body}: {:?}", got.err()),
        };
        let keys = keys(&bench);
        bench.media();
        bench.order(TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: Some(PCMA) });
        let (stream, lines) = described(&body_of_200(&bench));
        assert_eq!(Ok(stream.as_str()), expected, "{srtp} {body}");
        let encrypted = srtp != Srtp::Off && body.contains("crypto");
        assert_eq!((lines.len(), keys.is_some()), (usize::from(encrypted), encrypted), "{srtp} {body}");
        if encrypted {
            assert!(lines[0].starts_with("a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:"), "{lines:?}");
        }
    }
}

#[test]
fn the_far_end_changes_its_keys_and_never_goes_back_to_clear() {
    let mut bench = invited(Srtp::Optional, &secure(&line(1, THEIRS))).unwrap();
    let first = keys(&bench).unwrap();
    bench.media();
    bench.order(TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: Some(PCMA) });
    let (_, ours) = described(&body_of_200(&bench));
    acknowledge(&mut bench, "");
    bench.take();
    assert_eq!(bench.asks("INVITE", &secure(&line(1, OTHERS))), [200]);
    let second = keys(&bench).unwrap();
    assert_ne!(second.sends, first.sends);
    assert_eq!(second.hears, first.hears, "ours stay");
    assert_eq!(described(&body_of_200(&bench)).1, ours);
    bench.take();
    assert_eq!(bench.asks("INVITE", &sdp("")), [488]);
    assert_eq!(bench.asks("INVITE", &secure("")), [488]);
    assert!(matches!(bench.call.state, State::Up) && bench.events().is_empty());
}

#[test]
fn delayed_offers_have_keys_too() {
    // Theirs comes with the 2xx, and our answer with the ACK.
    let mut bench = Bench::outgoing_over(with(Srtp::Required), false);
    bench.take();
    bench.respond(0, 200, &secure(&line(4, THEIRS)));
    let told = keys(&bench).unwrap();
    bench.media();
    let ack = bench.actions.iter().find_map(|action| match action {
        Action::Ack(ack) => Some(ack.body.clone()),
        _ => None,
    });
    let (stream, lines) = described(&ack.unwrap());
    assert!(stream.contains("RTP/SAVP") && lines[0].starts_with("a=crypto:4 AES_CM_128_HMAC_SHA1_80 "));
    assert_eq!(told.hears.suite(), Suite::AesCm128HmacSha1_80);
    // Ours comes with the 2xx, and their answer with the ACK.
    let mut bench = invited(Srtp::Required, "").unwrap();
    bench.media();
    bench.order(TrunkOrder::Answer { leg: LEG, by: Party::default(), audio: Some(PCMA) });
    assert_eq!(described(&body_of_200(&bench)).1.len(), 4);
    bench.take();
    acknowledge(&mut bench, &secure(&line(3, THEIRS)));
    assert_eq!(keys(&bench).unwrap().sends.key(), b"YS___semctl () {");
}
