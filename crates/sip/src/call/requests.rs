//! Requests of the far end within a call.

use rsipstack::sip::{Method, Request};
use selsius_exchange::{TrunkEvent, record::EndCause};

use super::{Action, Call, State};
use crate::{
    cause,
    message::{self, put, respond, value},
    screen,
};

impl Call {
    /// A request within the dialog, other than ACK and CANCEL. Each is answered exactly once.
    pub(super) fn request(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        if let Some(response) = screen::extensions(request, &self.dialog.local_tag) {
            return out.push(Action::Respond { server, response });
        }
        if !self.dialog.follows(&request.headers) {
            // An old one that comes late (RFC 3261 section 12.2.2).
            return self.reply(server, request, 500, out);
        }
        match (&self.state, request.method) {
            (State::Over, _) => self.reply(server, request, 481, out),
            (_, Method::Bye) => self.far_end_hangs_up(server, request, out),
            (State::Up, Method::Invite | Method::Update) => self.reoffered(server, request, out),
            (_, Method::Invite | Method::Update) => {
                // Something is open already (RFC 3261 section 14.2, RFC 3311 section 5.2).
                let mut response = respond(request, 500, &self.dialog.local_tag);
                put(&mut response.headers, "Retry-After", "2");
                out.push(Action::Respond { server, response });
            }
            (_, Method::PRack) => self.pracked(server, request, out),
            (State::Up, Method::Refer) => self.referred(server, request, out),
            (_, Method::Refer) => self.reply(server, request, 603, out),
            (_, Method::Info) => self.info(server, request, out),
            (_, Method::Options) => out
                .push(Action::Respond { server, response: screen::options(request, &self.dialog.local_tag) }),
            // No subscription is open here (RFC 6665 section 4.1.3).
            (_, Method::Notify) => self.reply(server, request, 481, out),
            _ => out.push(Action::Respond {
                server,
                response: screen::not_allowed(request, &self.dialog.local_tag),
            }),
        }
    }

    fn far_end_hangs_up(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        self.reply(server, request, 200, out);
        let cause = cause::ended(value(&request.headers, "Reason").and_then(cause::q850));
        match std::mem::replace(&mut self.state, State::Over) {
            State::Offered(offered) => {
                self.refuse(&offered, 487, None, out);
                self.hung_up(EndCause::CallerHungUp, out);
            }
            State::Calling(_) | State::Asked { .. } | State::Accepted { ending: None, .. } | State::Up => {
                self.hung_up(cause, out)
            }
            // The exchange has ended it itself.
            State::Accepted { .. } | State::Cancelling { .. } | State::Ending { .. } | State::Over => {}
        }
        self.over(out);
    }

    /// A key, in one of the two bodies in use: lines of which one is `Signal=`, or the key alone.
    fn info(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        let text = String::from_utf8_lossy(&request.body);
        let signal = match message::content_type(&request.headers).as_str() {
            "application/dtmf-relay" => text.lines().find_map(|line| {
                let (name, value) = line.split_once('=')?;
                name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().to_string())
            }),
            "application/dtmf" => Some(text.trim().to_string()),
            // An INFO without a body asks for nothing but an answer.
            "" if request.body.is_empty() => return self.reply(server, request, 200, out),
            _ => {
                return out.push(Action::Respond {
                    server,
                    response: screen::unsupported_body(request, &self.dialog.local_tag),
                });
            }
        };
        let digit = match signal.as_deref() {
            Some("10") => Some('*'),
            Some("11") => Some('#'),
            Some(one) if one.chars().count() == 1 => one
                .chars()
                .next()
                .map(|c| c.to_ascii_uppercase())
                .filter(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')),
            _ => None,
        };
        let Some(digit) = digit else { return self.reply(server, request, 400, out) };
        self.reply(server, request, 200, out);
        if let State::Up | State::Accepted { ending: None, .. } = self.state {
            self.tell(TrunkEvent::Digit { leg: self.leg, digit }, out);
        }
    }
}
