//! A call that begins here.

use std::sync::Arc;

use rsipstack::sip::{Headers, Method, Request, Response, Uri};
use selsius_exchange::{RemoteAudio, TrunkEvent, TrunkOrder, record::EndCause};

use super::{Action, Call, MEDIA_TIME, Names, Session, State, Timer};
use crate::{
    cause,
    config::TrunkConfig,
    dialog::Dialog,
    identity,
    message::{self, put, value},
    sdp,
};

/// Our INVITE on its way.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) invite: u32,
    /// There was a response: it may be cancelled.
    pub(super) provisional: bool,
    /// Has the INVITE an offer?
    offered: bool,
    /// What the far end agreed on before it answered.
    early: Option<RemoteAudio>,
    /// The last reliable provisional response: whose, and its number.
    pub(super) reliable: Option<(String, u32)>,
}

impl Call {
    /// Begins the call that an offer of the exchange wants. `None` if the order is another one, or its number cannot be
    /// called.
    pub(crate) fn outgoing(
        trunk: Arc<TrunkConfig>,
        names: Names,
        order: &TrunkOrder,
        out: &mut Vec<Action>,
    ) -> Option<Self> {
        let TrunkOrder::Offer { leg, number, calling, redirecting, codecs, packet_ms, listens, .. } = order
        else {
            return None;
        };
        let mut session = Session::new(&trunk, &names);
        let host = if trunk.phone.is_some() { names.host.clone() } else { trunk.host() };
        let to = message::uri(number, &host);
        let target = names.target.map_or_else(|| Uri::try_from(to.as_str()).ok(), Some)?;
        let domain = identity::domain(&trunk, &names.host).to_string();
        let from = identity::from(&trunk, &domain, calling);
        let mut dialog = Dialog::calling(
            names.call_id,
            names.tag,
            &from,
            &message::name_addr("", &to),
            target,
            names.contact,
        );
        if let Some(address) = listens {
            session.begin(*address, trunk.allowed(codecs), *packet_ms);
        }
        let mut invite = dialog.request(Method::Invite);
        let headers = &mut invite.headers;
        identity::assert(headers, &trunk, &domain, calling);
        if let Some(by) = redirecting {
            identity::divert(headers, &trunk, &domain, by);
        }
        put(headers, "Allow", message::ALLOW);
        // An offer in a reliable response would have to be answered by PRACK: without an offer of ours there are none.
        let supported = if listens.is_some() { message::SUPPORTED } else { "timer" };
        put(headers, "Supported", supported);
        Self::ask_for_timer(headers, trunk.session_timer);
        put(headers, "Accept", message::ACCEPT);
        let offer = session.offer();
        let offered = offer.is_some();
        if let Some(body) = offer {
            message::set_body(headers, &mut invite.body, "application/sdp", body);
        }
        let calling = Calling { invite: 0, provisional: false, offered, early: None, reliable: None };
        let state = State::Calling(Box::new(calling));
        let mut call = Self::new(*leg, trunk, domain, dialog, state, session);
        call.send(invite, out);
        Some(call)
    }

    /// A response to a request of ours.
    pub(super) fn response(&mut self, id: u32, response: &Response, out: &mut Vec<Action>) {
        let code = response.status_code.code();
        let open = if code >= 200 { self.open.remove(&id) } else { None };
        match (code, open) {
            (401 | 407, Some(request)) if self.repeat(id, request.clone(), response, out) => return,
            (422, Some(request)) if self.ask_for_longer(id, request.clone(), response, out) => return,
            _ => {}
        }
        match &mut self.state {
            State::Calling(calling) if calling.invite == id => match code {
                0..200 => self.provisional(code, response, out),
                200..300 => self.answered(response, out),
                _ => self.refused(code, response, out),
            },
            State::Cancelling { invite, sent } if *invite == id => match code {
                0..200 if !*sent => {
                    *sent = true;
                    self.cancel(id, out);
                }
                0..200 => {}
                // It was answered before the CANCEL got there.
                200..300 => {
                    self.dialog.established(response);
                    self.acknowledge(response, out);
                    self.bye(EndCause::CallerHungUp, out);
                }
                _ => self.over(out),
            },
            State::Ending { bye } if *bye == id => {
                if code >= 200 {
                    self.over(out);
                }
            }
            State::Calling(_)
            | State::Cancelling { .. }
            | State::Asked { .. }
            | State::Offered(_)
            | State::Accepted { .. }
            | State::Up
            | State::Ending { .. }
            | State::Over => {
                let known = self.renewed(id, response, out)
                    || self.refreshed(id, response, out)
                    || self.refer_answered(id, code, out);
                // A response within the call that says so ends it (RFC 3261 section 12.2.1.2), unless it is about no more
                // than what comes of a transfer (RFC 5057 section 5.1). Keys that nobody answers end nothing.
                let about =
                    |method| value(&response.headers, "CSeq").is_some_and(|cseq| cseq.ends_with(method));
                let ends = match code {
                    481 => !about("NOTIFY"),
                    408 => about("UPDATE"),
                    _ => false,
                };
                if !known && ends && matches!(self.state, State::Up) {
                    self.fail(EndCause::NoTrunk, out);
                }
            }
        }
    }

    /// Our INVITE wanted a timer that is too short for somebody on the way.
    fn ask_for_longer(
        &mut self,
        id: u32,
        mut request: Request,
        response: &Response,
        out: &mut Vec<Action>,
    ) -> bool {
        let State::Calling(_) = self.state else { return false };
        let Some(seconds) = Self::longer_timer(response, &request) else { return false };
        self.dialog.renumber(&mut request, &["Session-Expires", "Min-SE"]);
        put(&mut request.headers, "Session-Expires", seconds.to_string());
        put(&mut request.headers, "Min-SE", seconds.to_string());
        self.open.insert(id, request.clone());
        out.push(Action::Request { id, request });
        true
    }

    fn provisional(&mut self, code: u16, response: &Response, out: &mut Vec<Action>) {
        let leg = self.leg;
        let State::Calling(calling) = &mut self.state else { return };
        calling.provisional = true;
        if code == 100 || !self.prack(response, out) {
            return;
        }
        let State::Calling(calling) = &mut self.state else { return };
        // An answer to our offer (RFC 3261 section 13.2.1). What comes without one would be an offer, which only a
        // reliable response may have.
        let heard = (calling.offered && is_sdp(response))
            .then(|| self.session.read(&response.body).ok())
            .flatten()
            .filter(|answer| self.session.answered(answer).is_ok())
            .map(|answer| self.session.heard(&answer));
        if let Some(audio) = &heard {
            calling.early = Some(audio.clone());
            self.session.remote.clone_from(audio);
        }
        let early = heard.filter(|audio| audio.address.is_some());
        self.learn(&response.headers);
        self.tell(TrunkEvent::Progress { leg, ringing: code == 180, early }, out);
    }

    fn answered(&mut self, response: &Response, out: &mut Vec<Action>) {
        let State::Calling(calling) = std::mem::replace(&mut self.state, State::Over) else { return };
        self.dialog.established(response);
        self.learn(&response.headers);
        self.timer_agreed(&response.headers, out);
        let leg = self.leg;
        if !calling.offered {
            return match self.session.read(&response.body).and_then(|offer| {
                let codecs = self.trunk.own_codecs();
                let first = offer.codecs.iter().copied().find(|codec| codecs.contains(codec));
                let codec = first.ok_or(sdp::SdpError::NoCodec)?;
                Ok((self.session.said(&offer, vec![codec])?, offer))
            }) {
                Ok((audio, offer)) => {
                    self.session.remote = audio.clone();
                    let sequence = message::sequence(&response.headers).unwrap_or(1);
                    self.state = State::Asked { sequence, offer: Box::new(offer) };
                    out.push(Action::Timer(Timer::Media, MEDIA_TIME));
                    self.tell(TrunkEvent::Answered { leg, audio }, out);
                }
                Err(_) => {
                    let sequence = message::sequence(&response.headers).unwrap_or(1);
                    self.refuse_in_ack(sequence, out);
                    self.no_codec(out);
                }
            };
        }
        self.acknowledge(response, out);
        // Without a description it means what an earlier response said (RFC 3261 section 13.2.2.4).
        let agreed = match (is_sdp(response), calling.early) {
            (true, _) => self.session.read(&response.body).and_then(|answer| {
                self.session.answered(&answer)?;
                Ok((self.session.heard(&answer), Some(answer)))
            }),
            (false, Some(audio)) => Ok((audio, None)),
            (false, None) => Err(sdp::SdpError::NoAudio),
        };
        match agreed {
            Ok((audio, answer)) => {
                self.state = State::Up;
                self.session.remote = audio.clone();
                self.tell(TrunkEvent::Answered { leg, audio }, out);
                if let Some(answer) = answer {
                    self.changed(&answer, true, out);
                }
                self.renew(out);
            }
            Err(_) => self.no_codec(out),
        }
    }

    /// They answered with audio that we cannot speak.
    fn no_codec(&mut self, out: &mut Vec<Action>) {
        self.bye(EndCause::NoCommonCodec, out);
        self.hung_up(EndCause::NoCommonCodec, out);
    }

    fn refused(&mut self, code: u16, response: &Response, out: &mut Vec<Action>) {
        // A redirection is the exchange's business: it has rules for where calls may go.
        if (300..400).contains(&code)
            && let Some(number) = redirected(&response.headers)
        {
            self.tell(TrunkEvent::Redirect { leg: self.leg, number }, out);
            return self.over(out);
        }
        let reason = value(&response.headers, "Reason").and_then(cause::q850);
        self.hung_up(cause::cause(code, reason), out);
        self.over(out);
    }

    fn acknowledge(&mut self, response: &Response, out: &mut Vec<Action>) {
        let sequence = message::sequence(&response.headers).unwrap_or(1);
        out.push(Action::Ack(self.dialog.ack(sequence)));
    }

    /// We know where we listen: the ACK takes our answer to their offer.
    pub(super) fn answer_in_ack(&mut self, out: &mut Vec<Action>) {
        let State::Asked { sequence, offer } = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        out.push(Action::Stop(Timer::Media));
        match self.session.answer(&offer) {
            Ok(body) => {
                let mut ack = self.dialog.ack(sequence);
                message::set_body(&mut ack.headers, &mut ack.body, "application/sdp", body);
                out.push(Action::Ack(ack));
                self.state = State::Up;
                self.changed(&offer, true, out);
                self.renew(out);
            }
            Err(_) => {
                self.refuse_in_ack(sequence, out);
                self.no_codec(out);
            }
        }
    }

    /// An ACK to an offer that we cannot answer; the BYE follows.
    pub(super) fn refuse_in_ack(&mut self, sequence: u32, out: &mut Vec<Action>) {
        out.push(Action::Ack(self.dialog.ack(sequence)));
    }

    /// Another branch of our INVITE answered. One conversation is enough: this one is acknowledged and ended.
    pub(super) fn fork(&mut self, response: &Response, out: &mut Vec<Action>) {
        let mut other = self.dialog.clone();
        other.established(response);
        let sequence = message::sequence(&response.headers).unwrap_or(1);
        out.push(Action::Ack(other.ack(sequence)));
        let bye: Request = other.request(Method::Bye);
        self.send(bye, out);
    }
}

/// Where a 3xx sends the call (RFC 3261 section 8.1.3.4): the first of its contacts that is a number.
fn redirected(headers: &Headers) -> Option<String> {
    message::values(headers, "Contact")
        .flat_map(message::addresses)
        .map(|contact| message::number(&contact.uri))
        .find(|number| !number.is_empty())
}

fn is_sdp(response: &Response) -> bool {
    !response.body.is_empty() && message::content_type(&response.headers) == "application/sdp"
}
