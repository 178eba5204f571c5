//! One call, without a socket or a clock: orders of the exchange and what happens on the wire go in, actions come out.
//!
//! The states are those of [`State`]; each input is one `match` over them. Transactions are not here: who drives a call
//! sends its requests, repeats them, and brings exactly one final response for each of them, if need be one that it made up
//! (408).

mod incoming;
mod outgoing;
mod reliable;
mod requests;
mod session;
#[cfg(test)]
mod tests;
mod timers;
mod transfer;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use rsipstack::sip::{Method, Request, Response};
use selsius_exchange::{
    Seed, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};

use self::{incoming::Offered, outgoing::Calling, session::Session, timers::Expiry, transfer::Referral};
use crate::{
    cause,
    config::TrunkConfig,
    dialog::Dialog,
    digest, identity,
    message::{self, put},
    sdp::Description,
    seam::Event,
};

/// How long the other side of this program may take to say where it listens once a call is answered.
const MEDIA_TIME: Duration = Duration::from_secs(8);
/// Requests of ours that wait for a response: more than this are not repeated with credentials.
const MOST_OPEN: usize = 32;
/// How long an INVITE that was cancelled waits for its end: 64 times T1 (RFC 3261 section 9.1).
const CANCEL_TIME: Duration = Duration::from_secs(32);
/// How long a call may ring here. The exchange has its own limits, which are shorter.
const RINGING_TIME: Duration = Duration::from_secs(600);

/// What a call wants done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send a request as a transaction; the responses come back with the number.
    Request {
        /// Names the request in this call.
        id: u32,
        /// Without Via.
        request: Request,
    },
    /// Cancel the INVITE with this number (RFC 3261 section 9.1).
    Cancel {
        /// Of [`Action::Request`].
        id: u32,
    },
    /// Send the ACK of a 2xx, again for each time that the 2xx comes again (section 13.2.2.4).
    Ack(Request),
    /// Answer a request of the far end.
    Respond {
        /// Of [`Happening::Request`].
        server: u64,
        /// With the Via of the request.
        response: Response,
    },
    /// Tell the exchange.
    Event(Event),
    /// Find the call of the same far end that has this dialog, and have the exchange join the two (RFC 3891): Call-ID, and
    /// both tags.
    Join(String, [String; 2]),
    /// Bring [`Happening::Timer`] later, instead of when it was asked for before.
    Timer(Timer, Duration),
    /// Do not bring it.
    Stop(Timer),
    /// The call is over on the wire, too: forget it.
    Over,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The exchange says where its side listens.
    Media,
    /// The phone answers.
    Ringing,
    /// It is time to try to change the session again, after both sides did so at once (RFC 3261 section 14.1).
    Renewal,
    /// The session has to be refreshed (RFC 4028).
    Refresh,
    /// Nobody has refreshed it.
    Expire,
    /// A provisional response is acknowledged (RFC 3262).
    Reliable,
    /// A transfer that the far end wants comes to something (RFC 3515).
    Refer,
    /// A transfer that we want comes to something.
    Referral,
    /// An INVITE that was cancelled gets its final response (RFC 3261 section 9.1).
    Cancel,
}

impl Timer {
    /// All there are.
    pub(crate) const ALL: [Self; 9] = [
        Self::Media,
        Self::Ringing,
        Self::Renewal,
        Self::Refresh,
        Self::Expire,
        Self::Reliable,
        Self::Refer,
        Self::Referral,
        Self::Cancel,
    ];
}

/// What happens to a call on the wire.
#[derive(Debug)]
pub(crate) enum Happening<'a> {
    /// A response to a request of ours.
    Response {
        /// Of [`Action::Request`].
        id: u32,
        /// What came.
        response: &'a Response,
    },
    /// Another branch of our INVITE was answered, too (section 13.2.2.4).
    Fork(&'a Response),
    /// A request in the dialog.
    Request {
        /// Names it in [`Action::Respond`].
        server: u64,
        /// What came.
        request: &'a Request,
    },
    /// The ACK of a 2xx of ours.
    Ack {
        /// Of the INVITE.
        server: u64,
        /// What came.
        request: &'a Request,
    },
    /// A 2xx of ours was never acknowledged.
    NoAck {
        /// Of the INVITE.
        server: u64,
    },
    /// The far end cancels its INVITE. That is answered already.
    Cancelled {
        /// Of the INVITE.
        server: u64,
    },
    /// Time has passed.
    Timer(Timer),
}

/// What a new call gets from outside: names that nobody else has, and our address as the far end sees it.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Call-ID of a call that begins here.
    pub(crate) call_id: String,
    /// Our tag.
    pub(crate) tag: String,
    /// Names our session descriptions.
    pub(crate) session: u64,
    /// What the keys of its audio are made of.
    pub(crate) secret: Seed,
    /// Our address, with the port: `192.0.2.1:5060`.
    pub(crate) host: String,
    /// Where requests of theirs reach us: `<sip:192.0.2.1:5060>`.
    pub(crate) contact: String,
    /// Whom a call that begins here asks for, where that is not the number at the trunk's server: a phone's own contact.
    pub(crate) target: Option<rsipstack::sip::Uri>,
    /// This machine's address towards them; another one than they see, behind a translation of addresses.
    pub(crate) near: Option<IpAddr>,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) leg: TrunkLegId,
    pub(crate) trunk: Arc<TrunkConfig>,
    domain: String,
    dialog: Dialog,
    state: State,
    session: Session,
    expiry: Expiry,
    /// The far end wants to hear what comes of a transfer.
    referred: bool,
    /// We want to hear what comes of one.
    referral: Referral,
    /// The next request's number.
    next: u32,
    /// Requests without a final response, which may have to be sent again with credentials.
    open: BTreeMap<u32, Request>,
    /// The far end can be told about a change without an offer (RFC 3311).
    updates: bool,
}

#[derive(Debug)]
enum State {
    /// Our INVITE has no final response yet.
    Calling(Box<Calling>),
    /// It shall not get an answer any more: CANCEL is sent, or will be with the first response.
    Cancelling { invite: u32, sent: bool },
    /// The far end has answered with an offer; our answer goes into the ACK, once we know where we listen.
    Asked { sequence: u32, offer: Box<Description> },
    /// Their INVITE has no final response yet.
    Offered(Box<Offered>),
    /// It has a 2xx, which is not acknowledged yet. The ACK has an answer in it if they made no offer. A call that shall
    /// end waits for it, too (RFC 3261 section 15).
    Accepted { server: u64, offered: bool, ending: Option<EndCause> },
    /// A conversation.
    Up,
    /// Our BYE has no response yet.
    Ending { bye: u32 },
    /// Nothing goes on.
    Over,
}

impl Call {
    fn new(
        leg: TrunkLegId,
        trunk: Arc<TrunkConfig>,
        domain: String,
        dialog: Dialog,
        state: State,
        session: Session,
    ) -> Self {
        Self {
            leg,
            trunk,
            domain,
            dialog,
            state,
            session,
            expiry: Expiry::default(),
            referred: false,
            referral: Referral::None,
            next: 0,
            open: BTreeMap::new(),
            updates: false,
        }
    }

    /// Names the dialog of this call among others.
    pub(crate) fn name(&self) -> (&str, &str) {
        (&self.dialog.call_id, &self.dialog.local_tag)
    }

    /// The far end's tag, if there is one already.
    pub(crate) fn remote_tag(&self) -> Option<&str> {
        self.dialog.remote_tag.as_deref()
    }

    /// Has our INVITE no final response, and is one wanted?
    pub(crate) fn is_calling(&self) -> bool {
        matches!(self.state, State::Calling(_))
    }

    /// Is it this INVITE that the call began with?
    pub(crate) fn began_with(&self, call_id: &str, remote_tag: &str) -> bool {
        self.dialog.call_id == call_id && self.remote_tag() == Some(remote_tag)
    }

    /// The exchange wants something.
    pub(crate) fn order(&mut self, order: &TrunkOrder, out: &mut Vec<Action>) {
        match order {
            // The beginning of a call, which this one has behind it; and what concerns two calls: see [`Self::refer`].
            TrunkOrder::Offer { .. } | TrunkOrder::Refer { .. } => {}
            TrunkOrder::Ringing { .. } => self.ring(out),
            TrunkOrder::Answer { by, .. } => self.answer(by, out),
            TrunkOrder::Media { audio, address, .. } => {
                if !self.session.set_local(*audio, *address) {
                    return self.fail(EndCause::NoCommonCodec, out);
                }
                match &self.state {
                    State::Asked { .. } => self.answer_in_ack(out),
                    State::Offered(_) => self.media_here(out),
                    State::Up => self.renew(out),
                    State::Calling(_)
                    | State::Accepted { .. }
                    | State::Cancelling { .. }
                    | State::Ending { .. }
                    | State::Over => {}
                }
            }
            TrunkOrder::Hold { held, .. } => {
                self.session.held_here = *held;
                if let State::Up = self.state {
                    self.renew(out);
                }
            }
            TrunkOrder::Party { party, .. } => self.party(party, out),
            TrunkOrder::Digit { digit, .. } => self.digit(*digit, out),
            TrunkOrder::HangUp { cause, .. } => self.hang_up(*cause, out),
            // Nothing of a call's.
            TrunkOrder::Messages { .. } => {}
        }
    }

    /// Something happened on the wire, or time has passed.
    pub(crate) fn happened(&mut self, happening: Happening<'_>, out: &mut Vec<Action>) {
        match happening {
            Happening::Response { id, response } => self.response(id, response, out),
            Happening::Fork(response) => self.fork(response, out),
            Happening::Request { server, request } => self.request(server, request, out),
            Happening::Ack { server, request } => self.acknowledged(server, request, out),
            Happening::NoAck { server } => match self.state {
                State::Accepted { server: waiting, ending, .. } if waiting == server => {
                    self.bye(ending.unwrap_or(EndCause::NoTrunk), out);
                    if ending.is_none() {
                        self.hung_up(EndCause::NoTrunk, out);
                    }
                }
                // RFC 3261 section 14.2 for a change of a session.
                State::Up => self.fail(EndCause::NoTrunk, out),
                _ => {}
            },
            Happening::Cancelled { server } => self.cancelled(server, out),
            Happening::Timer(Timer::Media) => match self.state {
                State::Asked { .. } | State::Offered(_) => self.fail(EndCause::MediaFailure, out),
                _ => {}
            },
            Happening::Timer(Timer::Ringing) => {
                if let State::Offered(_) = self.state {
                    self.fail(EndCause::NoAnswer, out);
                }
            }
            Happening::Timer(Timer::Renewal) => self.renew_again(out),
            Happening::Timer(Timer::Refresh) => self.refresh(out),
            Happening::Timer(Timer::Expire) => self.expired(out),
            Happening::Timer(Timer::Reliable) => self.repeat_reliable(out),
            Happening::Timer(Timer::Cancel) => {
                if let State::Cancelling { .. } = self.state {
                    self.over(out);
                }
            }
            Happening::Timer(Timer::Referral) => self.referral_ends(false, out),
            Happening::Timer(Timer::Refer) => self.transfer_ends("503 Service Unavailable", out),
        }
    }

    /// Ends the call from this side, whatever state it is in.
    fn hang_up(&mut self, cause: EndCause, out: &mut Vec<Action>) {
        // The exchange takes this leg out of a call that it has led somewhere else.
        self.transfer_ends("200 OK", out);
        match std::mem::replace(&mut self.state, State::Over) {
            State::Calling(calling) => {
                let invite = calling.invite;
                if calling.provisional {
                    self.cancel(invite, out);
                }
                self.state = State::Cancelling { invite, sent: calling.provisional };
            }
            State::Asked { sequence, .. } => {
                // The 2xx has to be acknowledged before the end; the ACK owes an answer, which refuses the stream.
                self.refuse_in_ack(sequence, out);
                self.bye(cause, out);
            }
            State::Offered(offered) => {
                let (code, q850) = cause::refusal(cause);
                self.refuse(&offered, code, Some(q850), out);
                self.over(out);
            }
            State::Accepted { server, offered, ending } => {
                self.state = State::Accepted { server, offered, ending: ending.or(Some(cause)) };
            }
            State::Up => self.bye(cause, out),
            state @ (State::Cancelling { .. } | State::Ending { .. }) => self.state = state,
            State::Over => {}
        }
    }

    /// Ends the call for a reason that the exchange does not know yet.
    pub(crate) fn fail(&mut self, cause: EndCause, out: &mut Vec<Action>) {
        self.transfer_ends("503 Service Unavailable", out);
        self.hang_up(cause, out);
        self.hung_up(cause, out);
    }

    fn cancel(&self, invite: u32, out: &mut Vec<Action>) {
        out.push(Action::Cancel { id: invite });
        out.push(Action::Timer(Timer::Cancel, CANCEL_TIME));
    }

    fn hung_up(&self, cause: EndCause, out: &mut Vec<Action>) {
        self.tell(TrunkEvent::HungUp { leg: self.leg, cause }, out);
    }

    fn over(&mut self, out: &mut Vec<Action>) {
        self.state = State::Over;
        out.push(Action::Over);
    }

    fn bye(&mut self, cause: EndCause, out: &mut Vec<Action>) {
        let mut bye = self.dialog.request(Method::Bye);
        put(&mut bye.headers, "Reason", cause::reason(cause::clearing(cause)));
        let id = self.send(bye, out);
        self.state = State::Ending { bye: id };
        for timer in Timer::ALL {
            out.push(Action::Stop(timer));
        }
    }

    fn send(&mut self, request: Request, out: &mut Vec<Action>) -> u32 {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let repeats = self.trunk.password.is_some() || request.method == Method::Invite;
        if repeats && self.open.len() < MOST_OPEN {
            self.open.insert(id, request.clone());
        }
        out.push(Action::Request { id, request });
        id
    }

    /// Sends a request again that was answered by a challenge. `false` if that would not help.
    fn repeat(&mut self, id: u32, mut request: Request, response: &Response, out: &mut Vec<Action>) -> bool {
        if matches!(self.state, State::Cancelling { .. } | State::Over) {
            return false;
        }
        let (Some(user), Some(password)) = (self.trunk.user.as_deref(), self.trunk.password.as_deref())
        else {
            return false;
        };
        let (code, method, uri) =
            (response.status_code.code(), request.method.to_string(), request.uri.to_string());
        let cnonce = format!("{:016x}{id:08x}", self.session.number());
        let account = digest::Account { user, password };
        let Some((name, credentials)) =
            digest::answer(&response.headers, code, account, &method, &uri, &cnonce)
        else {
            return false;
        };
        self.dialog.repeat(&mut request, name, credentials);
        out.push(Action::Request { id, request });
        true
    }

    fn tell(&self, event: TrunkEvent, out: &mut Vec<Action>) {
        out.push(Action::Event(event.into()));
    }

    /// A key outside of the audio, in the body that Cisco's gateways introduced and others understand.
    fn digit(&mut self, digit: char, out: &mut Vec<Action>) {
        let valid = matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D');
        match self.state {
            State::Up | State::Accepted { ending: None, .. } if valid => {
                let mut info = self.dialog.request(Method::Info);
                let body = format!("Signal={digit}\r\nDuration=160\r\n");
                message::set_body(
                    &mut info.headers,
                    &mut info.body,
                    "application/dtmf-relay",
                    body.into_bytes(),
                );
                self.send(info, out);
            }
            State::Calling(_)
            | State::Cancelling { .. }
            | State::Asked { .. }
            | State::Offered(_)
            | State::Accepted { .. }
            | State::Up
            | State::Ending { .. }
            | State::Over => {}
        }
    }

    /// Who is on this side has changed. A far end that knows UPDATE is told (RFC 3311, RFC 3325); others would have to
    /// be asked to agree on the same audio again for it.
    fn party(&mut self, party: &Party, out: &mut Vec<Action>) {
        if !(self.updates && matches!(self.state, State::Up)) {
            return;
        }
        let mut update = self.dialog.request(Method::Update);
        identity::assert(&mut update.headers, &self.trunk, &self.domain, party);
        self.send(update, out);
    }

    /// What the headers of the far end say that it can do.
    fn learn(&mut self, headers: &rsipstack::sip::Headers) {
        if message::value(headers, "Allow").is_some() {
            self.updates =
                message::words(headers, "Allow").any(|method| method.eq_ignore_ascii_case("UPDATE"));
        }
    }
}
