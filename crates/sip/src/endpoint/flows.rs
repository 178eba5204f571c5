//! What each stream brings: so much a second, and nothing twice. What one brings is taken from the time of all, and a
//! repeated request makes the stack wait for its peer to take the answer.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use rsipstack::{sip::SipMessage, transport::SipConnection};

use crate::{gate::Bucket, message::value};

/// Messages a second of one stream, and twice as many at once. A stream that brings more is cut off.
const A_SECOND: f64 = 2000.0;
/// Requests that are remembered, to know them again.
const REMEMBERED: usize = 1024;

/// The streams, by the addresses of their peers.
#[derive(Debug, Default)]
pub(super) struct Flows {
    flows: Mutex<BTreeMap<String, Flow>>,
    hash: RandomState,
}

#[derive(Debug)]
struct Flow {
    rate: Bucket,
    requests: VecDeque<u64>,
}

impl Flows {
    /// Shall this message of a stream get to the stack?
    pub(super) fn admits(&self, message: &SipMessage, connection: &SipConnection) -> bool {
        let admits = self.takes(name(connection), message, Instant::now());
        if admits == Some(false)
            && let Some(token) = connection.cancel_token()
            && !token.is_cancelled()
        {
            tracing::warn!(peer = name(connection), "a stream brings more than it may, and is closed");
            token.cancel();
        }
        admits == Some(true)
    }

    /// `None` for a request that has come before.
    fn takes(&self, name: String, message: &SipMessage, now: Instant) -> Option<bool> {
        let mut flows = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        let flow = flows
            .entry(name)
            .or_insert_with(|| Flow { rate: Bucket::new(A_SECOND), requests: VecDeque::new() });
        if !flow.rate.take(now) {
            return Some(false);
        }
        let SipMessage::Request(request) = message else { return Some(true) };
        // On a stream nobody repeats anything (RFC 3261 section 17.1), and ACK of a 2xx has a name of its own.
        let via = value(&request.headers, "Via").unwrap_or_default();
        let known = self.hash.hash_one((request.method.to_string(), via));
        if flow.requests.contains(&known) {
            return None;
        }
        if flow.requests.len() >= REMEMBERED {
            flow.requests.pop_front();
        }
        flow.requests.push_back(known);
        Some(true)
    }

    /// A stream is closed.
    pub(super) fn forget(&self, connection: &SipConnection) {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner).remove(&name(connection));
    }
}

fn name(connection: &SipConnection) -> String {
    connection.get_remote_addr().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request(branch: usize) -> SipMessage {
        let text = format!(
            "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK{branch}\r\nContent-Length: 0\r\n\r\n"
        );
        SipMessage::try_from(text.as_str()).unwrap()
    }

    #[test]
    fn a_stream_brings_nothing_twice_and_not_too_much() {
        let (flows, now) = (Flows::default(), Instant::now());
        let takes = |name: &str, branch| flows.takes(name.into(), &request(branch), now);
        assert_eq!((takes("a", 1), takes("a", 1), takes("b", 1)), (Some(true), None, Some(true)));
        for branch in 2..4000 {
            assert_eq!(takes("a", branch), Some(true));
        }
        assert_eq!(takes("a", 4000), Some(false));
        assert_eq!(takes("b", 4000), Some(true), "another one has its own");
        let later = now + Duration::from_secs(1);
        assert_eq!(flows.takes("a".into(), &request(3999), later), None);
        assert_eq!(flows.takes("a".into(), &request(1), later), Some(true), "what is long ago is forgotten");
        assert_eq!(flows.flows.lock().unwrap()["a"].requests.len(), REMEMBERED);
    }
}
