//! The far end sends us to somebody else (REFER, RFC 3515): the exchange leads the call there and takes our leg out of it.

use std::time::Duration;

use rsipstack::sip::{Method, Request};
use selsius_exchange::TrunkEvent;

use super::{Action, Call, State, Timer};
use crate::message::{self, addresses, number, put, respond, value};

/// A transfer that has led to nothing by then has failed.
const PATIENCE: Duration = Duration::from_secs(30);

impl Call {
    /// A request to transfer the call.
    pub(super) fn referred(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        let targets: Vec<_> = message::values(&request.headers, "Refer-To").take(2).collect();
        let [to] = targets[..] else { return self.reply(server, request, 400, out) };
        let target = addresses(to).into_iter().next().map(|address| number(&address.uri)).unwrap_or_default();
        let asked = to.to_ascii_lowercase().contains("replaces=");
        // Another call of a phone's is one that we have, too. One of another system's is nothing that the exchange could find
        // (RFC 3891).
        let other = if asked && self.trunk.phone.is_some() { replaced(to) } else { None };
        if target.is_empty() || asked && other.is_none() || self.referred {
            return self.reply(server, request, 603, out);
        }
        let quiet = value(&request.headers, "Refer-Sub").is_some_and(|text| text.trim().starts_with("false"));
        let mut response = respond(request, 202, &self.dialog.local_tag);
        put(&mut response.headers, "Contact", self.dialog.contact.as_str());
        if quiet {
            // RFC 4488: nobody wants to know what comes of it.
            put(&mut response.headers, "Refer-Sub", "false");
        }
        out.push(Action::Respond { server, response });
        if !quiet {
            self.referred = true;
            self.notify("100 Trying", "active;expires=60", out);
            out.push(Action::Timer(Timer::Refer, PATIENCE));
        }
        match other {
            Some((call_id, tags)) => out.push(Action::Join(call_id, tags)),
            None => self.tell(TrunkEvent::Redirect { leg: self.leg, number: target }, out),
        }
    }

    /// What came of it.
    pub(super) fn transfer_ends(&mut self, status: &str, out: &mut Vec<Action>) {
        if std::mem::take(&mut self.referred) {
            out.push(Action::Stop(Timer::Refer));
            self.notify(status, "terminated;reason=noresource", out);
        }
    }

    fn notify(&mut self, status: &str, state: &str, out: &mut Vec<Action>) {
        if !matches!(self.state, State::Up) {
            return;
        }
        let mut notify = self.dialog.request(Method::Notify);
        put(&mut notify.headers, "Contact", self.dialog.contact.as_str());
        put(&mut notify.headers, "Event", "refer");
        put(&mut notify.headers, "Subscription-State", state);
        let body = format!("SIP/2.0 {status}\r\n").into_bytes();
        message::set_body(&mut notify.headers, &mut notify.body, "message/sipfrag;version=2.0", body);
        self.send(notify, out);
    }
}

/// The dialog that a Refer-To names: Call-ID and both tags, in an escaped header of its URI (RFC 3891 section 3).
fn replaced(refer_to: &str) -> Option<(String, [String; 2])> {
    let at = refer_to.to_ascii_lowercase().find("replaces=")?;
    let text = refer_to.get(at + "replaces=".len()..)?;
    let text = text.split(['&', '>']).next()?;
    let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
    let mut parts = text.split(';').map(str::trim);
    let call_id = parts.next().filter(|id| !id.is_empty())?.to_string();
    let (mut to, mut from) = (None, None);
    for part in parts {
        match part.split_once('=') {
            Some((name, tag)) if name.eq_ignore_ascii_case("to-tag") => to = Some(tag.to_string()),
            Some((name, tag)) if name.eq_ignore_ascii_case("from-tag") => from = Some(tag.to_string()),
            _ => {}
        }
    }
    Some((call_id, [to?, from?]))
}
