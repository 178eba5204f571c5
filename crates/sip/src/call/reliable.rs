//! Provisional responses that are acknowledged (RFC 3262), both ways.

use std::time::Duration;

use rsipstack::sip::{Method, Request, Response};
use selsius_exchange::record::EndCause;

use super::{Action, Call, State, Timer};
use crate::message::{self, put, value, words};

/// The first repetition of ours, and when it is given up (T1 and 64 times T1).
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(32);

/// A provisional response of ours that waits for its PRACK.
#[derive(Debug)]
pub(super) struct Reliable {
    number: u32,
    response: Response,
    /// When it comes again, and for how long it has come.
    next: Duration,
    passed: Duration,
}

impl Call {
    /// A provisional response to our INVITE wants to be acknowledged: PRACK it, if it is the next one. `false` if it is an
    /// old or a later one, which counts as not received (section 4).
    pub(super) fn prack(&mut self, response: &Response, out: &mut Vec<Action>) -> bool {
        let reliable = words(&response.headers, "Require").any(|word| word.eq_ignore_ascii_case("100rel"));
        let number = value(&response.headers, "RSeq").and_then(|value| value.trim().parse::<u32>().ok());
        let (true, Some(number)) = (reliable, number) else { return true };
        let State::Calling(calling) = &mut self.state else { return true };
        let to = value(&response.headers, "To").and_then(message::tag).unwrap_or_default().to_string();
        // Each branch counts for itself; a new one begins anew.
        match &calling.reliable {
            Some((tag, last)) if *tag == to && number != last.wrapping_add(1) => return false,
            _ => calling.reliable = Some((to, number)),
        }
        let sequence = message::sequence(&response.headers).unwrap_or(1);
        // An early dialog; which one stays is known with the answer.
        self.dialog.established(response);
        let mut prack = self.dialog.request(Method::PRack);
        put(&mut prack.headers, "RAck", format!("{number} {sequence} INVITE"));
        self.send(prack, out);
        true
    }

    /// Sends a provisional response, reliably if the far end can and it says something that must not get lost, or if the far
    /// end insists.
    pub(super) fn provisional_response(&mut self, mut response: Response, out: &mut Vec<Action>) {
        let State::Offered(offered) = &mut self.state else { return };
        let says =
            |name| words(&offered.request.headers, name).any(|word| word.eq_ignore_ascii_case("100rel"));
        let wanted = says("Require") || (says("Supported") && !response.body.is_empty());
        let server = offered.server;
        if !wanted {
            out.push(Action::Respond { server, response });
            return;
        }
        if offered.reliable.is_some() {
            // One at a time (section 3); what it says is said by the answer, too.
            return;
        }
        offered.last_reliable = offered.last_reliable.wrapping_add(1);
        let number = offered.last_reliable;
        put(&mut response.headers, "Require", "100rel");
        put(&mut response.headers, "RSeq", number.to_string());
        out.push(Action::Respond { server, response: response.clone() });
        offered.reliable = Some(Reliable { number, response, next: FIRST * 2, passed: FIRST });
        out.push(Action::Timer(Timer::Reliable, FIRST));
    }

    /// Repeats it, as long as that makes sense.
    pub(super) fn repeat_reliable(&mut self, out: &mut Vec<Action>) {
        let State::Offered(offered) = &mut self.state else { return };
        let server = offered.server;
        let Some(reliable) = &mut offered.reliable else { return };
        if reliable.passed >= LAST {
            // Section 3 wants a 5xx; which one says why is the exchange's table.
            return self.fail(EndCause::NoTrunk, out);
        }
        out.push(Action::Respond { server, response: reliable.response.clone() });
        out.push(Action::Timer(Timer::Reliable, reliable.next));
        reliable.passed += reliable.next;
        reliable.next = reliable.next.saturating_mul(2);
    }

    /// Their PRACK.
    pub(super) fn pracked(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        let wanted = match &self.state {
            State::Offered(offered) => offered.reliable.as_ref().map(|reliable| {
                let sequence = message::sequence(&offered.request.headers).unwrap_or_default();
                (reliable.number, sequence)
            }),
            _ => None,
        };
        let named = value(&request.headers, "RAck").and_then(|text| {
            let mut words = text.split_ascii_whitespace();
            Some((words.next()?.parse::<u32>().ok()?, words.next()?.parse::<u32>().ok()?))
        });
        if wanted.is_none() || wanted != named {
            return self.reply(server, request, 481, out);
        }
        // A new offer in it would change what was just agreed on: nobody needs that while it rings.
        let code = if request.body.is_empty() { 200 } else { 488 };
        self.reply(server, request, code, out);
        out.push(Action::Stop(Timer::Reliable));
        if let State::Offered(offered) = &mut self.state {
            offered.reliable = None;
            if offered.answered.is_some() && self.session.local.is_some() {
                self.media_here(out);
            }
        }
    }
}
