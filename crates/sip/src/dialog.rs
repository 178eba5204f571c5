//! A dialog (RFC 3261 section 12): what requests within a call have in common.

use rsipstack::sip::{Headers, Method, Request, Response, Uri};

use crate::message::{addresses, put, request, sequence, tag, value, values};

/// Routes beyond this many are not kept: nobody has them, and each request repeats them.
const MOST_ROUTES: usize = 16;

/// The two ends of a call and the way between them.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// Our From or To, with our tag.
    local: String,
    pub(crate) local_tag: String,
    /// Theirs, with their tag once it is known.
    remote: String,
    pub(crate) remote_tag: Option<String>,
    /// Where requests go: the URI in their Contact.
    target: Uri,
    routes: Vec<String>,
    /// Of our last request.
    sequence: u32,
    /// Of their last one.
    remote_sequence: Option<u32>,
    /// Our Contact.
    pub(crate) contact: String,
    /// What our INVITE was let in with: its ACK repeats it (RFC 3261 section 22.1).
    credentials: Option<(&'static str, String)>,
}

impl Dialog {
    /// The dialog that a call of ours may become.
    pub(crate) fn calling(
        call_id: String,
        local_tag: String,
        from: &str,
        to: &str,
        target: Uri,
        contact: String,
    ) -> Self {
        Self {
            call_id,
            local: format!("{from};tag={local_tag}"),
            local_tag,
            remote: to.into(),
            remote_tag: None,
            target,
            routes: Vec::new(),
            sequence: 0,
            remote_sequence: None,
            contact,
            credentials: None,
        }
    }

    /// The dialog that a call of theirs makes (section 12.1.1). `None` if the request lacks what a dialog needs.
    pub(crate) fn called(invite: &Request, local_tag: String, contact: String) -> Option<Self> {
        let headers = &invite.headers;
        let remote = value(headers, "From")?;
        let target = value(headers, "Contact").and_then(|contact| addresses(contact).into_iter().next())?.uri;
        Some(Self {
            call_id: value(headers, "Call-ID")?.into(),
            local: format!("{};tag={local_tag}", value(headers, "To")?),
            local_tag,
            remote: remote.into(),
            remote_tag: Some(tag(remote)?.into()),
            target,
            routes: record_routes(headers),
            sequence: 0,
            remote_sequence: sequence(headers),
            contact,
            credentials: None,
        })
    }

    /// A response to our INVITE says who is there and which way (section 12.1.2).
    pub(crate) fn established(&mut self, response: &Response) {
        let headers = &response.headers;
        if let Some(to) = value(headers, "To") {
            self.remote = to.into();
            self.remote_tag = tag(to).map(Into::into);
        }
        self.routes = record_routes(headers);
        self.routes.reverse();
        self.refresh(headers);
    }

    /// The target of a request or response that refreshes it (section 12.2).
    pub(crate) fn refresh(&mut self, headers: &Headers) {
        if let Some(contact) =
            value(headers, "Contact").and_then(|contact| addresses(contact).into_iter().next())
        {
            self.target = contact.uri;
        }
    }

    /// Takes note of the number of a request of theirs. `false` if it is not newer than the last one.
    pub(crate) fn follows(&mut self, headers: &Headers) -> bool {
        let Some(sequence) = sequence(headers) else { return false };
        if self.remote_sequence.is_some_and(|last| sequence <= last) {
            return false;
        }
        self.remote_sequence = Some(sequence);
        true
    }

    /// A new request of ours.
    pub(crate) fn request(&mut self, method: Method) -> Request {
        self.sequence = self.sequence.saturating_add(1);
        self.numbered(method, self.sequence)
    }

    /// A request of ours once more, with credentials.
    pub(crate) fn repeat(&mut self, request: &mut Request, name: &'static str, credentials: String) {
        self.renumber(request, &[name]);
        put(&mut request.headers, name, credentials.as_str());
        if request.method == Method::Invite {
            self.credentials = Some((name, credentials));
        }
    }

    /// A request of ours once more, without these headers.
    pub(crate) fn renumber(&mut self, request: &mut Request, without: &[&str]) {
        self.sequence = self.sequence.saturating_add(1);
        let method = request.method;
        request.headers.retain(|header| {
            let name = header.name();
            !name.eq_ignore_ascii_case("CSeq")
                && !without.iter().any(|other| name.eq_ignore_ascii_case(other))
        });
        put(&mut request.headers, "CSeq", format!("{} {method}", self.sequence));
    }

    /// Where requests to the far end go.
    pub(crate) fn target(&self) -> &Uri {
        &self.target
    }

    /// Our own address, as the far end was told, without the tag.
    pub(crate) fn own_address(&self) -> &str {
        let end = self.local.rfind('>').map(|end| end + 1).or_else(|| self.local.find(';'));
        end.and_then(|end| self.local.get(..end)).unwrap_or(&self.local)
    }

    /// The number of our last request.
    pub(crate) fn last_sequence(&self) -> u32 {
        self.sequence
    }

    /// The ACK of a 2xx to the INVITE with this number: a request of its own (section 13.2.2.4).
    pub(crate) fn ack(&self, sequence: u32) -> Request {
        self.numbered(Method::Ack, sequence)
    }

    fn numbered(&self, method: Method, sequence: u32) -> Request {
        let mut made = request(method, self.target.clone());
        let headers = &mut made.headers;
        put(headers, "Max-Forwards", "70");
        for route in &self.routes {
            put(headers, "Route", route.as_str());
        }
        put(headers, "From", self.local.as_str());
        put(headers, "To", self.remote.as_str());
        put(headers, "Call-ID", self.call_id.as_str());
        put(headers, "CSeq", format!("{sequence} {method}"));
        if let (Method::Ack, Some((name, credentials))) = (method, &self.credentials) {
            put(headers, name, credentials.as_str());
        }
        if matches!(method, Method::Invite | Method::Update | Method::Refer) {
            put(headers, "Contact", self.contact.as_str());
        }
        made
    }
}

fn record_routes(headers: &Headers) -> Vec<String> {
    values(headers, "Record-Route")
        .flat_map(addresses)
        .take(MOST_ROUTES)
        .map(|route| route.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::SipMessage;

    use super::*;

    #[test]
    fn the_way_of_an_answer_is_the_way_of_requests() {
        let mut dialog = Dialog::calling(
            "c1".into(),
            "ours".into(),
            "<sip:1@h>",
            "<sip:2@h>",
            Uri::try_from("sip:2@h").unwrap(),
            "<sip:h>".into(),
        );
        let invite = dialog.request(Method::Invite);
        assert_eq!(value(&invite.headers, "CSeq"), Some("1 INVITE"));
        let text = "SIP/2.0 200 OK\r\nTo: <sip:2@h>;tag=theirs\r\nContact: <sip:2@192.0.2.5:5080>\r\n\
                    Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n\r\n";
        let Ok(SipMessage::Response(response)) = SipMessage::try_from(text) else { panic!("a response") };
        dialog.established(&response);
        let bye = dialog.request(Method::Bye);
        assert_eq!(bye.uri.to_string(), "sip:2@192.0.2.5:5080");
        assert_eq!(
            values(&bye.headers, "Route").collect::<Vec<_>>(),
            ["<sip:p3;lr>", "<sip:p2;lr>", "<sip:p1;lr>"]
        );
        assert_eq!(value(&bye.headers, "To"), Some("<sip:2@h>;tag=theirs"));
        assert_eq!(value(&bye.headers, "CSeq"), Some("2 BYE"));
        assert_eq!(value(&dialog.ack(1).headers, "CSeq"), Some("1 ACK"));
    }
}
