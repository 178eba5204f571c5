//! Transfers (REFER, RFC 3515). The far end sends us to somebody else: the exchange leads the call there and takes our leg out
//! of it. We send the far end to somebody else: it says what comes of it, and the exchange ends the call or keeps it.

use std::time::Duration;

use rsipstack::sip::{Method, Request};
use selsius_exchange::TrunkEvent;

use super::{Action, Call, State, Timer};
use crate::message::{self, addresses, number, put, respond, value};

/// A transfer that has led to nothing by then has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// One of ours: whom the far end calls may let it ring for some time.
const PATIENCE_WITH_THEM: Duration = Duration::from_secs(180);
/// What may not stand in a header within a URI as it is (RFC 3261 section 25.1, "hvalue").
const IN_URI: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*');

/// How far a transfer is that we have asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Referral {
    #[default]
    None,
    /// By this request of ours; the far end says what comes of it.
    Asked(u32),
    /// That is known; the far end may say it once more.
    Over,
}

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

    /// Sends the far end to a number, or to the far end of another call of the same trunk (RFC 3891).
    pub(crate) fn refer(&mut self, number: &str, replaces: Option<&Self>, out: &mut Vec<Action>) {
        let to = match replaces {
            Some(other) => other.replaced(),
            None => Some(format!("<{}>", message::uri(number, &self.trunk.host()))),
        };
        let busy = matches!(self.referral, Referral::Asked(_)) || !matches!(self.state, State::Up);
        let Some(to) = to.filter(|_| !busy) else { return self.connected(false, out) };
        let mut refer = self.dialog.request(Method::Refer);
        put(&mut refer.headers, "Refer-To", to);
        put(&mut refer.headers, "Referred-By", self.dialog.own_address());
        self.referral = Referral::Asked(self.send(refer, out));
        out.push(Action::Timer(Timer::Referral, PATIENCE_WITH_THEM));
    }

    /// The far end of this call, for somebody who shall take our place in it; `None` before it is a dialog.
    fn replaced(&self) -> Option<String> {
        let (dialog, State::Up) = (&self.dialog, &self.state) else { return None };
        let tags = format!(
            "{};to-tag={};from-tag={}",
            dialog.call_id,
            dialog.remote_tag.as_deref()?,
            dialog.local_tag
        );
        let tags = percent_encoding::utf8_percent_encode(&tags, IN_URI);
        Some(format!("<{}?Replaces={tags}>", dialog.target()))
    }

    /// The response to our REFER. `false` if it is not one to that.
    pub(super) fn refer_answered(&mut self, id: u32, code: u16, out: &mut Vec<Action>) -> bool {
        if self.referral != Referral::Asked(id) {
            return false;
        }
        if code >= 300 {
            self.referral_ends(false, out);
        }
        true
    }

    /// The far end says what has come of it so far: the first line of the response that it got (RFC 3420).
    pub(super) fn notified(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        let about = value(&request.headers, "Event").and_then(|event| event.split(';').next());
        let refer = about.is_some_and(|event| event.trim().eq_ignore_ascii_case("refer"));
        if self.referral == Referral::None || !refer {
            // No subscription is open here (RFC 6665 section 4.1.3).
            return self.reply(server, request, 481, out);
        }
        self.reply(server, request, 200, out);
        let text = String::from_utf8_lossy(&request.body);
        let code = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
        let ended = value(&request.headers, "Subscription-State")
            .is_some_and(|state| state.trim().to_ascii_lowercase().starts_with("terminated"));
        match code {
            Some(200..300) => self.referral_ends(true, out),
            Some(300..) => self.referral_ends(false, out),
            // It will say nothing more.
            Some(_) | None if ended => self.referral_ends(false, out),
            Some(_) | None => {}
        }
    }

    /// Nothing more is to be expected of it.
    pub(super) fn referral_ends(&mut self, connected: bool, out: &mut Vec<Action>) {
        if let Referral::Asked(_) = self.referral {
            self.referral = Referral::Over;
            out.push(Action::Stop(Timer::Referral));
            self.connected(connected, out);
        }
    }

    fn connected(&self, connected: bool, out: &mut Vec<Action>) {
        // Whoever has hung up wants to know nothing more.
        if let State::Up | State::Accepted { ending: None, .. } = self.state {
            self.tell(TrunkEvent::Referred { leg: self.leg, connected }, out);
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
