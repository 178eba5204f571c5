//! Keeping a trunk alive, without a socket or a clock: registrations (RFC 3261 section 10) and probes by OPTIONS.
//!
//! Both go to the first server that answers; a failure tries the next one at once, and after the last one there is a
//! pause that grows (RFC 5626 section 4.5).

use std::{sync::Arc, time::Duration};

use rsipstack::sip::{Headers, Method, Request, Response, Uri};

use crate::{
    config::TrunkConfig,
    digest,
    message::{self, addresses, put, value, values},
    seam::TrunkStatus,
};

/// What we ask for.
const WANTED: u32 = 3600;
/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(1800));

/// What has to be done.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send a request to one of the servers; its response comes back.
    Send {
        /// Which server, by its place.
        server: usize,
        /// Without Via.
        request: Box<Request>,
    },
    /// Call [`Upkeep::due`] then.
    Wait(Duration),
    /// The trunk is now like this.
    Status(TrunkStatus),
}

/// What keeps one trunk alive.
#[derive(Debug)]
pub(crate) struct Upkeep {
    trunk: Arc<TrunkConfig>,
    method: Method,
    /// The server, To and From.
    target: String,
    who: String,
    contact: String,
    call_id: String,
    tag: String,
    sequence: u32,
    expires: u32,
    /// The server in use.
    server: usize,
    /// How many servers failed since the last success.
    failures: u32,
    /// The last request had credentials already.
    answered: bool,
    /// A longer time was asked for once.
    lengthened: bool,
    status: TrunkStatus,
    chance: u64,
}

impl Upkeep {
    /// For a trunk that registers or is probed. `host` is our address as the trunk's server sees it, `contact` the
    /// parameters of our contact (`;transport=tcp`), `chance` something that no other trunk has.
    pub(crate) fn new(
        trunk: Arc<TrunkConfig>,
        host: &str,
        contact: &str,
        call_id: String,
        tag: String,
        chance: u64,
    ) -> Option<Self> {
        let server = trunk.servers.first()?;
        let domain = crate::identity::domain(&trunk, host).to_string();
        let (method, target, who, contact) = match (&trunk.user, trunk.register) {
            (Some(user), true) => (
                Method::Register,
                message::uri("", &domain),
                message::uri(user, &domain),
                format!("<{}{contact}>", message::uri(user, host)),
            ),
            _ if trunk.probe.is_some() => {
                (Method::Options, message::uri("", server), message::uri("selsius", &domain), String::new())
            }
            _ => return None,
        };
        Some(Self {
            trunk,
            method,
            target,
            who,
            contact,
            call_id,
            tag,
            sequence: 0,
            expires: WANTED,
            server: 0,
            failures: 0,
            answered: false,
            lengthened: false,
            status: TrunkStatus::Unknown,
            chance,
        })
    }

    /// The server that answered last.
    pub(crate) fn server(&self) -> usize {
        self.server
    }

    /// It is time. `servers` is how many there are.
    pub(crate) fn due(&mut self, servers: usize) -> Vec<Step> {
        if servers == 0 {
            return self.failed(0);
        }
        self.server %= servers;
        self.answered = false;
        self.lengthened = false;
        vec![self.ask(None)]
    }

    /// The last request of all: the registration ends.
    pub(crate) fn leave(&mut self) -> Option<Step> {
        (self.method == Method::Register && self.status == TrunkStatus::Up).then(|| {
            self.expires = 0;
            self.ask(None)
        })
    }

    fn ask(&mut self, credentials: Option<(&'static str, String)>) -> Step {
        self.sequence = self.sequence.wrapping_add(1);
        let uri = Uri::try_from(self.target.as_str()).unwrap_or_default();
        let mut request = message::request(self.method, uri);
        let headers = &mut request.headers;
        put(headers, "Max-Forwards", "70");
        put(headers, "From", format!("<{}>;tag={}", self.who, self.tag));
        let to = if self.method == Method::Register { &self.who } else { &self.target };
        put(headers, "To", format!("<{to}>"));
        put(headers, "Call-ID", self.call_id.as_str());
        put(headers, "CSeq", format!("{} {}", self.sequence, self.method));
        put(headers, "Contact", self.contact.as_str());
        if self.method == Method::Register {
            put(headers, "Expires", self.expires.to_string());
            put(headers, "Allow", message::ALLOW);
        } else {
            put(headers, "Accept", message::ACCEPT);
        }
        if let Some((name, value)) = credentials {
            put(headers, name, value);
        }
        Step::Send { server: self.server, request: Box::new(request) }
    }

    /// The final response to the last request; 408 and 503 also stand for none.
    pub(crate) fn answered(&mut self, response: &Response, servers: usize) -> Vec<Step> {
        let code = response.status_code.code();
        let headers = &response.headers;
        match (self.method, code) {
            (_, 0..200) => Vec::new(),
            // A server that says anything lives.
            (Method::Options, code) if code != 408 && code != 503 => {
                self.works(self.trunk.probe.unwrap_or(Duration::from_secs(60)))
            }
            (Method::Register, 200..300) => {
                let granted = self.granted(headers).max(1);
                // A tenth earlier, or ten seconds where that is less (RFC 3261 leaves it open).
                let early = (granted / 10).clamp(1, 60).max(10.min(granted / 2));
                self.works(Duration::from_secs((granted - early.min(granted - 1)).into()))
            }
            (Method::Register, 401 | 407) if !self.answered || is_stale(headers) => {
                self.answered = true;
                let account = self.trunk.user.as_deref().zip(self.trunk.password.as_deref());
                let credentials = account.and_then(|(user, password)| {
                    let cnonce = format!("{:016x}{:08x}", self.chance, self.sequence);
                    let account = digest::Account { user, password };
                    digest::answer(headers, code, account, "REGISTER", &self.target, &cnonce)
                });
                match credentials {
                    Some(credentials) => vec![self.ask(Some(credentials))],
                    None => self.failed(servers),
                }
            }
            (Method::Register, 423) if !self.lengthened => {
                let least = value(headers, "Min-Expires").and_then(|value| value.trim().parse::<u32>().ok());
                match least.filter(|&least| least > self.expires && least <= 30 * 24 * 3600) {
                    Some(least) => {
                        self.lengthened = true;
                        self.answered = false;
                        self.expires = least;
                        vec![self.ask(None)]
                    }
                    None => self.failed(servers),
                }
            }
            _ => self.failed(servers),
        }
    }

    /// For how long: what the response says of our contact, else of all.
    fn granted(&self, headers: &Headers) -> u32 {
        let own = addresses(&self.contact).into_iter().next();
        let ours = values(headers, "Contact").flat_map(addresses).find(|contact| {
            own.as_ref().is_some_and(|own| {
                own.uri.host_with_port == contact.uri.host_with_port && own.uri.auth == contact.uri.auth
            })
        });
        ours.and_then(|contact| contact.expires())
            .or_else(|| value(headers, "Expires")?.trim().parse().ok())
            .unwrap_or(self.expires)
    }

    fn works(&mut self, next: Duration) -> Vec<Step> {
        self.failures = 0;
        let mut steps = self.becomes(TrunkStatus::Up);
        steps.push(Step::Wait(next));
        steps
    }

    fn failed(&mut self, servers: usize) -> Vec<Step> {
        self.failures = self.failures.saturating_add(1);
        self.answered = false;
        if servers > 0 {
            self.server = (self.server + 1) % servers;
        }
        let tried = u32::try_from(servers.max(1)).unwrap_or(u32::MAX);
        if !self.failures.is_multiple_of(tried) {
            return vec![self.ask(None)];
        }
        let rounds = (self.failures / tried).saturating_sub(1).min(16);
        let pause = PAUSES.0.saturating_mul(1 << rounds).min(PAUSES.1);
        // Between half and all of it, so that not all come back at once.
        let half = pause / 2;
        let rest = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut steps = self.becomes(TrunkStatus::Down);
        steps.push(Step::Wait(half + Duration::from_millis(self.chance % rest)));
        steps
    }

    fn becomes(&mut self, status: TrunkStatus) -> Vec<Step> {
        if std::mem::replace(&mut self.status, status) == status {
            Vec::new()
        } else {
            vec![Step::Status(status)]
        }
    }
}

fn is_stale(headers: &Headers) -> bool {
    ["WWW-Authenticate", "Proxy-Authenticate"]
        .into_iter()
        .flat_map(|name| values(headers, name))
        .any(|value| value.to_ascii_lowercase().replace('"', "").contains("stale=true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk() -> TrunkConfig {
        TrunkConfig {
            user: Some("office".into()),
            password: Some("secret".into()),
            register: true,
            ..TrunkConfig::peer("carrier", "sip.example.net")
        }
    }

    fn upkeep(trunk: TrunkConfig) -> Upkeep {
        Upkeep::new(Arc::new(trunk), "192.0.2.1:5060", ";transport=tcp", "call".into(), "tag".into(), 7)
            .unwrap()
    }

    fn request(steps: &[Step]) -> (usize, &Request) {
        steps
            .iter()
            .find_map(|step| match step {
                Step::Send { server, request } => Some((*server, &**request)),
                _ => None,
            })
            .expect("a request")
    }

    fn wait(steps: &[Step]) -> u64 {
        steps
            .iter()
            .find_map(|step| match step {
                Step::Wait(time) => Some(time.as_secs()),
                _ => None,
            })
            .expect("a pause")
    }

    fn status(steps: &[Step]) -> Option<TrunkStatus> {
        steps.iter().find_map(|step| match step {
            Step::Status(status) => Some(*status),
            _ => None,
        })
    }

    fn response(request: &Request, code: u16, headers: &[(&str, &str)]) -> Response {
        let mut response = message::respond(request, code, "theirs");
        for (name, value) in headers {
            put(&mut response.headers, name, *value);
        }
        response
    }

    #[test]
    fn a_registration_is_challenged_granted_and_refreshed() {
        let mut upkeep = upkeep(trunk());
        let steps = upkeep.due(1);
        let (_, first) = request(&steps);
        assert_eq!(first.uri.to_string(), "sip:sip.example.net");
        assert_eq!(value(&first.headers, "Contact"), Some("<sip:office@192.0.2.1:5060;transport=tcp>"));
        let asks = ("WWW-Authenticate", "Digest realm=\"x\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256");
        let steps = upkeep.answered(&response(first, 401, &[asks]), 1);
        let (_, second) = request(&steps);
        assert!(value(&second.headers, "Authorization").unwrap().contains("username=\"office\""));
        assert_eq!(value(&second.headers, "CSeq"), Some("2 REGISTER"));
        let contacts =
            ("Contact", "<sip:other@h>;expires=9, <sip:office@192.0.2.1:5060;transport=tcp>;expires=600");
        let steps = upkeep.answered(&response(second, 200, &[contacts]), 1);
        assert_eq!((status(&steps), wait(&steps)), (Some(TrunkStatus::Up), 540));
        let steps = upkeep.due(1);
        let steps = upkeep.answered(&response(request(&steps).1, 200, &[("Expires", "60")]), 1);
        assert_eq!((status(&steps), wait(&steps)), (None, 50));
        let Some(Step::Send { request: last, .. }) = upkeep.leave() else { panic!("a farewell") };
        assert_eq!(value(&last.headers, "Expires"), Some("0"));
    }

    #[test]
    fn times_that_are_too_short_are_lengthened_once() {
        let mut upkeep = upkeep(trunk());
        let steps = upkeep.due(1);
        let steps = upkeep.answered(&response(request(&steps).1, 423, &[("Min-Expires", "7200")]), 1);
        assert_eq!(value(&request(&steps).1.headers, "Expires"), Some("7200"));
        let steps = upkeep.answered(&response(request(&steps).1, 423, &[("Min-Expires", "9000")]), 1);
        assert_eq!(status(&steps), Some(TrunkStatus::Down));
    }

    #[test]
    fn wrong_passwords_are_not_tried_again_and_again() {
        let mut upkeep = upkeep(trunk());
        let mut steps = upkeep.due(1);
        let asks = [("WWW-Authenticate", "Digest realm=\"x\", nonce=\"1\"")];
        steps = upkeep.answered(&response(request(&steps).1, 401, &asks), 1);
        steps = upkeep.answered(&response(request(&steps).1, 401, &asks), 1);
        assert_eq!(status(&steps), Some(TrunkStatus::Down));
        let mut last = 0;
        for _ in 0..12 {
            let pause = wait(&steps);
            assert!(pause >= last && (15..=1800).contains(&pause), "{pause} after {last}");
            last = pause;
            steps = upkeep.due(1);
            steps = upkeep.answered(&response(request(&steps).1, 403, &[]), 1);
        }
        assert!(last >= 900);
    }

    #[test]
    fn the_next_server_is_tried_at_once() {
        let mut upkeep = upkeep(trunk());
        let steps = upkeep.due(2);
        assert_eq!(request(&steps).0, 0);
        let steps = upkeep.answered(&response(request(&steps).1, 408, &[]), 2);
        assert_eq!((request(&steps).0, status(&steps)), (1, None));
        let steps = upkeep.answered(&response(request(&steps).1, 200, &[]), 2);
        assert_eq!((upkeep.server(), status(&steps)), (1, Some(TrunkStatus::Up)));
    }

    #[test]
    fn probes_want_any_answer() {
        let probed = TrunkConfig { probe: Some(Duration::from_secs(20)), register: false, ..trunk() };
        let mut upkeep = upkeep(probed);
        let steps = upkeep.due(1);
        assert_eq!(request(&steps).1.method, Method::Options);
        let steps = upkeep.answered(&response(request(&steps).1, 404, &[]), 1);
        assert_eq!((status(&steps), wait(&steps)), (Some(TrunkStatus::Up), 20));
        let steps = upkeep.due(1);
        let steps = upkeep.answered(&response(request(&steps).1, 408, &[]), 1);
        assert_eq!(status(&steps), Some(TrunkStatus::Down));
        assert!(
            Upkeep::new(Arc::new(TrunkConfig::peer("p", "192.0.2.1")), "h", "", "c".into(), "t".into(), 1)
                .is_none()
        );
    }
}
