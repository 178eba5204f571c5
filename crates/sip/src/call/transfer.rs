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
        // Another call of the far end's, by its dialog, is nothing that the exchange could find (RFC 3891).
        if target.is_empty() || to.to_ascii_lowercase().contains("replaces=") || self.referred {
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
        self.tell(TrunkEvent::Redirect { leg: self.leg, number: target }, out);
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
