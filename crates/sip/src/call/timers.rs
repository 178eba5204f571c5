//! Session timers (RFC 4028): a call whose far end has vanished ends by itself.

use rsipstack::sip::{Headers, Method, Request, Response};
use selsius_exchange::record::EndCause;
use std::time::Duration;

use super::{Action, Call, State, Timer};
use crate::{
    message::{self, put, value, words},
    screen::LEAST_INTERVAL,
};

/// Longer intervals are as good as none.
const MOST_INTERVAL: u32 = 24 * 3600;
/// When a refresh was refused for no good reason, the next one is tried then.
const AGAIN: Duration = Duration::from_secs(10);

/// What was agreed on.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    /// Seconds between refreshes; `None` without a timer.
    interval: Option<u32>,
    /// Do we refresh?
    ours: bool,
    /// Our UPDATE on its way.
    refresh: Option<u32>,
}

/// The seconds and who refreshes, of a Session-Expires header; `x` is its short name.
fn session_expires(headers: &Headers) -> Option<(u32, Option<String>)> {
    let text = value(headers, "Session-Expires").or_else(|| value(headers, "x"))?;
    let mut parts = text.split(';').map(str::trim);
    let seconds: u32 = parts.next()?.parse().ok()?;
    let refresher = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("refresher").then(|| value.trim().to_ascii_lowercase())
    });
    Some((seconds.clamp(LEAST_INTERVAL, MOST_INTERVAL), refresher))
}

impl Call {
    /// Asks for a timer in an INVITE that begins a call.
    pub(super) fn ask_for_timer(headers: &mut Headers, seconds: u32) {
        if seconds > 0 {
            put(headers, "Session-Expires", seconds.max(LEAST_INTERVAL).to_string());
            put(headers, "Min-SE", LEAST_INTERVAL.to_string());
        }
    }

    /// Keeps a timer that runs, in a request of ours within the call.
    pub(super) fn keep_timer(&self, headers: &mut Headers) {
        if let Some(interval) = self.expiry.interval {
            put(headers, "Supported", message::SUPPORTED);
            // In this request we are the UAC.
            let refresher = if self.expiry.ours { "uac" } else { "uas" };
            put(headers, "Session-Expires", format!("{interval};refresher={refresher}"));
        }
    }

    /// A 2xx to our INVITE or UPDATE says what timer there is (section 7.2).
    pub(super) fn timer_agreed(&mut self, headers: &Headers, out: &mut Vec<Action>) {
        let Some((interval, refresher)) = session_expires(headers) else {
            self.expiry = Expiry::default();
            out.extend([Action::Stop(Timer::Refresh), Action::Stop(Timer::Expire)]);
            return;
        };
        self.expiry.interval = Some(interval);
        self.expiry.ours = refresher.as_deref() != Some("uas");
        self.arm_timer(out);
    }

    /// Answers what their INVITE or UPDATE wants of a timer (section 9).
    pub(super) fn answer_timer(&mut self, request: &Request, response: &mut Response, out: &mut Vec<Action>) {
        let Some((interval, refresher)) = session_expires(&request.headers) else {
            if self.expiry.interval.is_some() {
                self.arm_timer(out);
            }
            return;
        };
        let knows = words(&request.headers, "Supported").any(|word| word.eq_ignore_ascii_case("timer"));
        let theirs = knows && refresher.as_deref() != Some("uas");
        let name = if theirs { "uac" } else { "uas" };
        put(&mut response.headers, "Session-Expires", format!("{interval};refresher={name}"));
        if theirs {
            put(&mut response.headers, "Require", "timer");
        }
        self.expiry.interval = Some(interval);
        self.expiry.ours = !theirs;
        self.arm_timer(out);
    }

    fn arm_timer(&self, out: &mut Vec<Action>) {
        let Some(interval) = self.expiry.interval else { return };
        if self.expiry.ours {
            out.push(Action::Timer(Timer::Refresh, Duration::from_secs((interval / 2).into())));
            out.push(Action::Timer(Timer::Expire, Duration::from_secs(interval.into())));
        } else {
            // Section 10: a third of it, or 32 seconds, before the end.
            let early = (interval / 3).min(32);
            out.push(Action::Stop(Timer::Refresh));
            out.push(Action::Timer(Timer::Expire, Duration::from_secs((interval - early).into())));
        }
    }

    /// It is time to refresh: by UPDATE where the far end knows it, else by the same offer again.
    pub(super) fn refresh(&mut self, out: &mut Vec<Action>) {
        if !matches!(self.state, State::Up) {
            return;
        }
        if !self.updates {
            return self.renew_anyway(out);
        }
        let mut update = self.dialog.request(Method::Update);
        self.keep_timer(&mut update.headers);
        self.expiry.refresh = Some(self.send(update, out));
    }

    /// The response to our refresh. `false` if it is not one to that.
    pub(super) fn refreshed(&mut self, id: u32, response: &Response, out: &mut Vec<Action>) -> bool {
        if self.expiry.refresh != Some(id) {
            return false;
        }
        let code = response.status_code.code();
        if code < 200 {
            return true;
        }
        self.expiry.refresh = None;
        match code {
            200..300 => self.timer_agreed(&response.headers, out),
            405 | 501 => {
                self.updates = false;
                self.refresh(out);
            }
            // It does not know the call, or is not there: the caller of this ends the call.
            408 | 481 => return false,
            _ => self.refresh_later(out),
        }
        true
    }

    /// A request that would have refreshed the session was refused: another one follows.
    pub(super) fn refresh_later(&self, out: &mut Vec<Action>) {
        if self.expiry.interval.is_some() && self.expiry.ours {
            out.push(Action::Timer(Timer::Refresh, AGAIN));
        }
    }

    /// Nobody has refreshed.
    pub(super) fn expired(&mut self, out: &mut Vec<Action>) {
        if matches!(self.state, State::Up) {
            self.fail(EndCause::NoTrunk, out);
        }
    }

    /// Their 422 says which timer our INVITE may ask for (section 7.4): the INVITE to send instead, once.
    pub(super) fn longer_timer(response: &Response, request: &Request) -> Option<u32> {
        let least: u32 = value(&response.headers, "Min-SE")?.split(';').next()?.trim().parse().ok()?;
        let (asked, _) = session_expires(&request.headers)?;
        (least > asked && least <= MOST_INTERVAL).then_some(least)
    }
}
