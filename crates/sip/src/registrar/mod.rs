//! Where phones are registered, without a socket or a clock (RFC 3261 section 10.3). Who asks has proved to be the phone.
//!
//! Calls go to the address that a registration has come from, by the stream that it came by: what a phone behind a
//! translation of addresses says of itself is only repeated to it, and leads nobody anywhere else.

pub(crate) mod asked;
pub(crate) mod guard;
pub(crate) mod mailbox;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use rsipstack::{
    sip::{Request, Response, Uri},
    transport::SipConnection,
};

use crate::{
    config::Transport,
    message::{addresses, put, respond, sequence, value, values},
};

/// For how many seconds a phone is registered: at least, and at most. A phone that nobody hears of any more is called in vain
/// for that long, and one that has been forgotten by a manager that was started again is not called at all.
const SECONDS: (u32, u32) = (60, 300);
/// Contacts in one request; nobody has more.
const MOST_CONTACTS: usize = 10;
/// Characters of what a phone calls itself that are kept.
const AGENT: usize = 64;

/// Where a request has come from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    /// The stream, if it is one.
    pub(crate) flow: Option<SipConnection>,
}

impl Source {
    /// Is it known that nothing gets there any more? The stack cancels a stream's token when it is closed.
    pub(crate) fn is_lost(&self) -> bool {
        let token = self.flow.as_ref().and_then(SipConnection::cancel_token);
        token.is_some_and(|token| token.is_cancelled())
    }
}

/// One place where a phone is registered.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// Never used for another one.
    pub(crate) id: u64,
    /// What requests to it are addressed to.
    pub(crate) uri: Uri,
    /// Where they go.
    pub(crate) source: Source,
    /// What the phone calls itself.
    pub(crate) agent: String,
    /// The phone's own name for itself at this place (RFC 5626 section 4.1), if it has one.
    instance: Option<String>,
    call_id: String,
    sequence: u32,
    /// When it is over, in seconds.
    until: u64,
}

/// Where phones are registered.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    phones: BTreeMap<String, Vec<Binding>>,
    next: u64,
    /// Phones whose places are others than was told.
    changed: BTreeSet<String>,
}

impl Registrar {
    /// Does what a REGISTER of a phone asks for. `most` is how many places it may have: the oldest one makes room.
    pub(crate) fn register(
        &mut self,
        phone: &str,
        most: usize,
        request: &Request,
        tag: &str,
        source: &Source,
        now: u64,
    ) -> Response {
        match self.take(phone, most, request, source, now) {
            Ok(()) => self.places(phone, request, tag, now),
            Err(code) => {
                let mut response = respond(request, code, tag);
                if code == 423 {
                    put(&mut response.headers, "Min-Expires", SECONDS.0.to_string());
                }
                response
            }
        }
    }

    /// All of the request's contacts, or none of them (section 10.3, step 7).
    fn take(
        &mut self,
        phone: &str,
        most: usize,
        request: &Request,
        source: &Source,
        now: u64,
    ) -> Result<(), u16> {
        let headers = &request.headers;
        let call_id = value(headers, "Call-ID").unwrap_or_default();
        let number = sequence(headers).ok_or(400u16)?;
        let wanted = value(headers, "Expires").and_then(|text| text.trim().parse::<u32>().ok());
        let known = self.phones.get(phone).map(Vec::as_slice).unwrap_or_default();
        let late = |binding: &Binding| binding.call_id == call_id && binding.sequence >= number;
        if values(headers, "Contact").any(|contact| contact.trim() == "*") {
            if wanted != Some(0) || values(headers, "Contact").count() > 1 {
                return Err(400);
            }
            if known.iter().any(late) {
                return Err(500);
            }
            self.forget(phone);
            return Ok(());
        }
        let contacts: Vec<_> = values(headers, "Contact").flat_map(addresses).collect();
        if contacts.len() > MOST_CONTACTS || (contacts.is_empty() && value(headers, "Contact").is_some()) {
            return Err(400);
        }
        let mut after = known.to_vec();
        for contact in contacts {
            let seconds = contact.expires().or(wanted).unwrap_or(SECONDS.1);
            if (1..SECONDS.0).contains(&seconds) {
                return Err(423);
            }
            let instance = contact.params.iter().find_map(|parameter| {
                let text = parameter.to_string();
                text.strip_prefix(";+sip.instance=").map(|instance| instance.trim_matches('"').to_string())
            });
            let same = |binding: &Binding| {
                binding.uri == contact.uri || instance.is_some() && binding.instance == instance
            };
            let at = after.iter().position(same);
            if at.and_then(|at| after.get(at)).is_some_and(late) {
                return Err(500);
            }
            let old = at.map(|at| after.remove(at));
            if seconds == 0 {
                continue;
            }
            let id = old.map_or_else(|| self.next_id(), |old| old.id);
            let agent = value(headers, "User-Agent").unwrap_or_default();
            after.push(Binding {
                id,
                uri: contact.uri,
                source: source.clone(),
                agent: agent.chars().filter(|c| !c.is_control()).take(AGENT).collect(),
                instance,
                call_id: call_id.into(),
                sequence: number,
                until: now + u64::from(seconds.min(SECONDS.1)),
            });
        }
        let over = after.len().saturating_sub(most.max(1));
        after.drain(..over);
        self.put(phone, after);
        Ok(())
    }

    fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn put(&mut self, phone: &str, bindings: Vec<Binding>) {
        let told = |bindings: &[Binding]| -> Vec<_> {
            bindings
                .iter()
                .map(|binding| (binding.id, binding.source.address, binding.agent.clone()))
                .collect()
        };
        let before = self.phones.get(phone).map(Vec::as_slice).unwrap_or_default();
        if told(before) != told(&bindings) {
            self.changed.insert(phone.into());
        }
        if bindings.is_empty() {
            self.phones.remove(phone);
        } else {
            self.phones.insert(phone.into(), bindings);
        }
    }

    /// 200 with all places and their times (section 10.3, step 8).
    fn places(&self, phone: &str, request: &Request, tag: &str, now: u64) -> Response {
        let mut response = respond(request, 200, tag);
        for binding in self.of(phone) {
            let left = binding.until.saturating_sub(now);
            put(&mut response.headers, "Contact", format!("<{}>;expires={left}", binding.uri));
        }
        response
    }

    /// Where a phone is registered, the newest place last.
    pub(crate) fn of(&self, phone: &str) -> &[Binding] {
        self.phones.get(phone).map(Vec::as_slice).unwrap_or_default()
    }

    /// One of its places.
    pub(crate) fn place(&self, phone: &str, id: u64) -> Option<&Binding> {
        self.of(phone).iter().find(|binding| binding.id == id)
    }

    /// Is the phone registered from this address? Then whoever guesses its password elsewhere does not shut it out.
    pub(crate) fn knows(&self, phone: &str, address: IpAddr) -> bool {
        self.of(phone).iter().any(|binding| binding.source.address.ip() == address)
    }

    /// Is it exactly here that a phone is registered from?
    pub(crate) fn is_place(&self, address: SocketAddr) -> bool {
        self.phones.values().flatten().any(|binding| binding.source.address == address)
    }

    /// Forgets all places of a phone.
    pub(crate) fn forget(&mut self, phone: &str) {
        self.put(phone, Vec::new());
    }

    /// Forgets places whose time is over, or whose stream is gone.
    pub(crate) fn expire(&mut self, now: u64) {
        let over = |binding: &Binding| binding.until <= now || binding.source.is_lost();
        let phones: Vec<_> = self.phones.iter().filter(|(_, places)| places.iter().any(over)).collect();
        let phones: Vec<_> = phones.into_iter().map(|(phone, _)| phone.clone()).collect();
        for phone in phones {
            let left = self.of(&phone).iter().filter(|binding| !over(binding)).cloned().collect();
            self.put(&phone, left);
        }
    }

    /// A phone whose places are to be told.
    pub(crate) fn changed(&self) -> Option<&str> {
        self.changed.first().map(String::as_str)
    }

    /// They have been told.
    pub(crate) fn told(&mut self, phone: &str) {
        self.changed.remove(phone);
    }
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::SipMessage;

    use super::*;

    fn request(call_id: &str, number: u32, lines: &[&str]) -> Request {
        let text = format!(
            "REGISTER sip:office SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:anna@office>;tag=1\r\n\
             To: <sip:anna@office>\r\nCall-ID: {call_id}\r\nCSeq: {number} REGISTER\r\nUser-Agent: phone/1\r\n{}\r\n\r\n",
            lines.join("\r\n")
        );
        match SipMessage::try_from(text.as_str()).unwrap() {
            SipMessage::Request(request) => request,
            SipMessage::Response(_) => panic!("a request"),
        }
    }

    fn source(host: u8) -> Source {
        let address = SocketAddr::from(([203, 0, 113, host], 5060));
        Source { address, transport: Transport::Udp, flow: None }
    }

    struct Office(Registrar);

    impl Office {
        /// The code, and the contacts that it names.
        fn says(&mut self, now: u64, call_id: &str, number: u32, lines: &[&str]) -> (u16, Vec<String>) {
            let request = request(call_id, number, lines);
            let response = self.0.register("ANNA", 2, &request, "t", &source(1), now);
            let contacts = values(&response.headers, "Contact").map(Into::into).collect();
            (response.status_code.code(), contacts)
        }

        fn ids(&self) -> Vec<u64> {
            self.0.of("ANNA").iter().map(|binding| binding.id).collect()
        }
    }

    const ONE: &str = "Contact: <sip:anna@192.168.0.5:5060>";
    const TWO: &str = "Contact: <sip:anna@192.168.0.6:5060>";

    #[test]
    fn a_phone_registers_refreshes_and_leaves() {
        let mut office = Office(Registrar::default());
        let one = |left: u32| (200, vec![format!("<sip:anna@192.168.0.5:5060>;expires={left}")]);
        assert_eq!(office.says(1000, "a", 1, &[ONE, "Expires: 120"]), one(120));
        assert_eq!(office.0.changed(), Some("ANNA"));
        office.0.told("ANNA");
        let binding = office.0.place("ANNA", 1).unwrap();
        assert_eq!((binding.source.address, binding.agent.as_str()), (source(1).address, "phone/1"));
        // A refresh is no news, a question neither.
        assert_eq!(office.says(1050, "a", 2, &[ONE, "Expires: 9999"]), one(300));
        assert_eq!(office.says(1060, "a", 3, &[]), one(290));
        assert_eq!((office.0.changed(), office.ids()), (None, vec![1]));
        // An old request that comes late changes nothing.
        assert_eq!(office.says(1061, "a", 2, &[ONE, "Expires: 0"]).0, 500);
        assert_eq!(
            office.says(1061, "a", 3, &["Contact: <sip:anna@192.168.0.5:5060>;expires=0"]),
            (200, vec![])
        );
        assert_eq!((office.0.changed(), office.ids().len()), (Some("ANNA"), 0));
        // What comes again has another name.
        assert_eq!(office.says(1062, "a", 4, &[ONE]), one(300));
        assert_eq!(office.ids(), [2]);
    }

    #[test]
    fn times_have_bounds_and_an_end() {
        let mut office = Office(Registrar::default());
        let request = request("a", 1, &[ONE, "Expires: 59"]);
        let response = office.0.register("ANNA", 2, &request, "t", &source(1), 0);
        assert_eq!(response.status_code.code(), 423);
        assert_eq!(value(&response.headers, "Min-Expires"), Some("60"));
        assert_eq!(office.0.changed(), None);
        office.says(0, "a", 1, &[ONE, "Expires: 60"]);
        office.0.told("ANNA");
        office.0.expire(59);
        assert_eq!((office.0.changed(), office.ids().len()), (None, 1));
        office.0.expire(60);
        assert_eq!((office.0.changed(), office.ids().len()), (Some("ANNA"), 0));
    }

    #[test]
    fn several_places_and_the_oldest_makes_room() {
        let mut office = Office(Registrar::default());
        office.says(0, "a", 1, &[ONE]);
        office.says(0, "b", 1, &[TWO]);
        assert_eq!(office.ids(), [1, 2]);
        office.says(1, "a", 2, &[ONE]);
        office.says(2, "c", 1, &["Contact: <sip:anna@192.168.0.7>"]);
        assert_eq!(office.ids(), [1, 3], "the one that was not heard of for longest has gone");
        // A phone that has begun anew says who it is, and takes its own place.
        let instance =
            |port| format!("Contact: <sip:anna@192.168.0.7:{port}>;+sip.instance=\"<urn:uuid:1>\"");
        office.says(3, "d", 1, &[&instance(1)]);
        office.says(4, "e", 1, &[&instance(2)]);
        assert_eq!(office.ids(), [3, 4]);
        assert_eq!(office.says(5, "f", 1, &["Contact: *", "Expires: 0"]), (200, vec![]));
        assert!(office.ids().is_empty());
    }

    #[test]
    fn nonsense_changes_nothing() {
        let mut office = Office(Registrar::default());
        office.says(0, "a", 5, &[ONE]);
        let many: Vec<String> = (0..11).map(|at| format!("Contact: <sip:anna@192.168.1.{at}>")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (lines, code) in [
            (&["Contact: *"][..], 400),
            (&["Contact: *", "Expires: 60"], 400),
            (&["Contact: *", ONE, "Expires: 0"], 400),
            (&["Contact: <<<"], 400),
            (&many, 400),
            (&[TWO, "Contact: <sip:anna@192.168.0.9>;expires=5"], 423),
        ] {
            assert_eq!(office.says(1, "b", 1, lines).0, code, "{lines:?}");
        }
        assert_eq!(office.says(1, "a", 5, &["Contact: *", "Expires: 0"]).0, 500);
        assert_eq!(office.ids(), [1]);
    }

    #[test]
    fn it_is_known_where_phones_are() {
        let mut office = Office(Registrar::default());
        office.says(0, "a", 1, &[ONE]);
        assert!(
            office.0.knows("ANNA", source(1).address.ip()) && !office.0.knows("ANNA", source(2).address.ip())
        );
        assert!(office.0.is_place(source(1).address) && !office.0.is_place(source(2).address));
        assert!(!office.0.knows("BERT", source(1).address.ip()));
        let moved = request("a", 2, &[ONE]);
        office.0.register("ANNA", 2, &moved, "t", &source(2), 1);
        assert_eq!(office.0.place("ANNA", 1).unwrap().source.address, source(2).address);
    }
}
