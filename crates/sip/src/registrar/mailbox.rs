//! Telling phones how many messages wait (RFC 3842): those that have subscribed to it, and others when they register.

use rsipstack::sip::{Method, Request, Response};

use crate::{
    dialog::Dialog,
    message::{put, respond, set_body, value},
    registrar::Source,
};

/// For how many seconds a subscription holds at most; a phone that asks for longer asks again in time.
const SECONDS: u32 = 3600;
/// The one event that can be subscribed to.
pub(crate) const EVENT: &str = "message-summary";

/// How many messages wait for somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) new: u32,
    pub(crate) old: u32,
}

impl Waiting {
    /// The body of a NOTIFY; `account` is the address of the mailbox.
    fn body(self, account: &str) -> Vec<u8> {
        let waits = if self.new > 0 { "yes" } else { "no" };
        let Self { new, old } = self;
        let text = format!(
            "Messages-Waiting: {waits}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n"
        );
        text.into_bytes()
    }
}

/// A phone that has subscribed.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) phone: String,
    pub(crate) source: Source,
    dialog: Dialog,
    /// When it is over, in seconds.
    pub(crate) until: u64,
}

impl Subscription {
    /// Takes a SUBSCRIBE of a phone that has proved who it is. With the response.
    pub(crate) fn new(
        phone: &str,
        request: &Request,
        source: Source,
        tag: &str,
        contact: &str,
        now: u64,
    ) -> Result<(Self, Response), Response> {
        if !is_ours(request) {
            let mut response = respond(request, 489, tag);
            put(&mut response.headers, "Allow-Events", EVENT);
            return Err(response);
        }
        let dialog =
            Dialog::called(request, tag.into(), contact.into()).ok_or_else(|| respond(request, 400, tag))?;
        let mut subscription = Self { phone: phone.into(), source, dialog, until: now };
        let response = subscription.extend(request, now);
        Ok((subscription, response))
    }

    /// Call-ID and our tag.
    pub(crate) fn name(&self) -> (String, String) {
        (self.dialog.call_id.clone(), self.dialog.local_tag.clone())
    }

    /// Takes a SUBSCRIBE in the dialog: it holds for longer, or no longer.
    pub(crate) fn again(&mut self, request: &Request, now: u64) -> Response {
        if !self.dialog.follows(&request.headers) {
            return respond(request, 500, &self.dialog.local_tag);
        }
        self.dialog.refresh(&request.headers);
        self.extend(request, now)
    }

    fn extend(&mut self, request: &Request, now: u64) -> Response {
        let wanted = value(&request.headers, "Expires").and_then(|text| text.trim().parse().ok());
        let seconds = wanted.unwrap_or(SECONDS).min(SECONDS);
        self.until = now + u64::from(seconds);
        let mut response = respond(request, 200, &self.dialog.local_tag);
        put(&mut response.headers, "Expires", seconds.to_string());
        put(&mut response.headers, "Contact", self.dialog.contact.as_str());
        response
    }

    /// The NOTIFY that says how it is now.
    pub(crate) fn notify(&mut self, waiting: Waiting, account: &str, now: u64) -> Request {
        let left = self.until.saturating_sub(now);
        let state = match left {
            0 => "terminated;reason=timeout".to_string(),
            left => format!("active;expires={left}"),
        };
        let request = self.dialog.request(Method::Notify);
        summary(request, &self.dialog.contact, &state, waiting, account)
    }
}

/// A NOTIFY to a phone that has not subscribed, which phones take since there were those that could not.
pub(crate) fn unasked(mut dialog: Dialog, waiting: Waiting, account: &str) -> Request {
    let request = dialog.request(Method::Notify);
    summary(request, &dialog.contact, "active", waiting, account)
}

fn summary(mut request: Request, contact: &str, state: &str, waiting: Waiting, account: &str) -> Request {
    put(&mut request.headers, "Contact", contact);
    put(&mut request.headers, "Event", EVENT);
    put(&mut request.headers, "Subscription-State", state);
    let body = waiting.body(account);
    set_body(&mut request.headers, &mut request.body, "application/simple-message-summary", body);
    request
}

fn is_ours(request: &Request) -> bool {
    let event = value(&request.headers, "Event").or_else(|| value(&request.headers, "o"));
    event.is_some_and(|event| event.split(';').next().is_some_and(|name| name.trim() == EVENT))
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::SipMessage;

    use super::*;
    use crate::config::Transport;

    fn subscribe(number: u32, event: &str, expires: &str) -> Request {
        let text = format!(
            "SUBSCRIBE sip:anna@office SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:anna@office>;tag=1\r\n\
             To: <sip:anna@office>\r\nCall-ID: c\r\nCSeq: {number} SUBSCRIBE\r\nContact: <sip:anna@192.168.0.5>\r\n\
             Event: {event}\r\nExpires: {expires}\r\n\r\n"
        );
        match SipMessage::try_from(text.as_str()).unwrap() {
            SipMessage::Request(request) => request,
            SipMessage::Response(_) => panic!("a request"),
        }
    }

    fn source() -> Source {
        Source { address: ([203, 0, 113, 1], 5060).into(), transport: Transport::Udp, flow: None }
    }

    #[test]
    fn a_subscription_is_told_as_long_as_it_holds() {
        let request = subscribe(1, "message-summary", "60");
        let (mut own, response) =
            Subscription::new("ANNA", &request, source(), "t", "<sip:office>", 1000).unwrap();
        assert_eq!(response.status_code.code(), 200);
        assert_eq!(value(&response.headers, "Expires"), Some("60"));
        let notify = own.notify(Waiting { new: 2, old: 1 }, "sip:anna@office", 1010);
        assert_eq!(notify.uri.to_string(), "sip:anna@192.168.0.5");
        assert_eq!(value(&notify.headers, "Subscription-State"), Some("active;expires=50"));
        let body = String::from_utf8(notify.body).unwrap();
        assert_eq!(
            body,
            "Messages-Waiting: yes\r\nMessage-Account: sip:anna@office\r\nVoice-Message: 2/1 (0/0)\r\n"
        );
        assert_eq!(own.again(&subscribe(1, EVENT, "60"), 1020).status_code.code(), 500);
        assert_eq!(own.again(&subscribe(2, EVENT, "0"), 1020).status_code.code(), 200);
        let last = own.notify(Waiting::default(), "sip:anna@office", 1020);
        assert_eq!(value(&last.headers, "Subscription-State"), Some("terminated;reason=timeout"));
        assert!(last.body.starts_with(b"Messages-Waiting: no\r\n"));
    }

    #[test]
    fn other_events_are_refused() {
        let request = subscribe(1, "presence", "60");
        let refused = Subscription::new("ANNA", &request, source(), "t", "<sip:office>", 0).unwrap_err();
        assert_eq!(refused.status_code.code(), 489);
        assert_eq!(value(&refused.headers, "Allow-Events"), Some(EVENT));
    }
}
