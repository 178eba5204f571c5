//! A call that begins there.

use std::sync::Arc;

use rsipstack::sip::{Request, Response};
use selsius_exchange::{
    RemoteAudio, TrunkEvent, TrunkLegId,
    record::{EndCause, Party},
};

use super::{Action, Call, MEDIA_TIME, Names, RINGING_TIME, Session, State, Timer, reliable::Reliable};
use crate::{
    cause,
    config::TrunkConfig,
    dialog::Dialog,
    identity,
    message::{self, put, respond},
    sdp::{self, Description, SdpError},
};

/// Their INVITE, unanswered.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) server: u64,
    pub(super) request: Request,
    offer: Option<Description>,
    /// Who answered here.
    pub(super) answered: Option<Party>,
    /// They were told that it rings.
    ringing: bool,
    /// Our answer to their offer, once it was sent: it stays the same.
    early: Option<Vec<u8>>,
    /// Our provisional response that is not acknowledged yet, and the number of the last one.
    pub(super) reliable: Option<Reliable>,
    pub(super) last_reliable: u32,
}

/// Why a call is not taken at all: the final response.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Response);

impl Call {
    /// Takes an INVITE that begins a call. The request has passed [`crate::screen`].
    pub(crate) fn incoming(
        leg: TrunkLegId,
        trunk: Arc<TrunkConfig>,
        names: Names,
        server: u64,
        request: &Request,
        out: &mut Vec<Action>,
    ) -> Result<Self, Box<Refusal>> {
        let refuse = |code| Box::new(Refusal(respond(request, code, &names.tag)));
        let domain = identity::domain(&trunk, &names.host).to_string();
        let dialog =
            Dialog::called(request, names.tag.clone(), names.contact.clone()).ok_or_else(|| refuse(400))?;
        let own = trunk.own_codecs();
        let offer = match request.body.is_empty() {
            true => None,
            false => match sdp::read(&request.body, trunk.srtp) {
                Ok(offer) if offer.codecs.iter().any(|codec| own.contains(codec)) => Some(offer),
                Err(SdpError::Malformed) => return Err(refuse(400)),
                Ok(_) | Err(_) => return Err(refuse(488)),
            },
        };
        let number = identity::called(&trunk, request);
        if number.is_empty() {
            return Err(refuse(484));
        }
        let mut session = Session::new(&trunk, &names);
        if let Some(offer) = &offer {
            let codecs = offer.codecs.iter().copied().filter(|codec| own.contains(codec));
            session.remote = session.said(offer, codecs.collect()).map_err(|_| refuse(488))?;
        }
        let event = TrunkEvent::Offer {
            leg,
            trunk: trunk.name.clone(),
            number,
            calling: identity::caller(request),
            audio: RemoteAudio { near: names.near, ..session.remote.clone() },
            redirecting: identity::redirecting(request).map(Box::new),
        };
        let offered = Offered {
            server,
            request: request.clone(),
            offer,
            answered: None,
            ringing: false,
            early: None,
            reliable: None,
            last_reliable: 0,
        };
        let state = State::Offered(Box::new(offered));
        let mut call = Self::new(leg, trunk, domain, dialog, state, session);
        call.learn(&request.headers);
        out.push(Action::Event(event.into()));
        out.push(Action::Timer(Timer::Ringing, RINGING_TIME));
        Ok(call)
    }

    /// The phone rings.
    pub(super) fn ring(&mut self, out: &mut Vec<Action>) {
        let State::Offered(offered) = &mut self.state else { return };
        if std::mem::replace(&mut offered.ringing, true) {
            return;
        }
        let mut response = respond(&offered.request, 180, &self.dialog.local_tag);
        put(&mut response.headers, "Contact", self.dialog.contact.as_str());
        put(&mut response.headers, "Allow", message::ALLOW);
        self.provisional_response(response, out);
    }

    /// The phone is answered. The far end hears of it once we know where we listen.
    pub(super) fn answer(&mut self, by: &Party, out: &mut Vec<Action>) {
        let State::Offered(offered) = &mut self.state else { return };
        offered.answered = Some(by.clone());
        if self.session.local.is_some() {
            self.media_here(out);
        } else {
            out.push(Action::Timer(Timer::Media, MEDIA_TIME));
        }
    }

    /// We know where we listen: the call is accepted if it is answered, else its audio opens early.
    pub(super) fn media_here(&mut self, out: &mut Vec<Action>) {
        let State::Offered(offered) = &mut self.state else { return };
        let body = match (&offered.early, &offered.offer) {
            (Some(body), _) => Some(body.clone()),
            (None, Some(offer)) => match self.session.answer(offer) {
                Ok(body) => {
                    // Whoever answers has chosen: that needs no event.
                    self.session.remote = self.session.heard(offer);
                    Some(body)
                }
                Err(_) => return self.fail(EndCause::NoCommonCodec, out),
            },
            // Their answer comes with the ACK, hence there is none before ours.
            (None, None) if offered.answered.is_some() => self.session.offer(),
            (None, None) => return,
        };
        let Some(body) = body else { return };
        let server = offered.server;
        let Some(by) = &offered.answered else {
            if offered.early.is_some() {
                return;
            }
            offered.early = Some(body.clone());
            let mut response = respond(&offered.request, 183, &self.dialog.local_tag);
            put(&mut response.headers, "Contact", self.dialog.contact.as_str());
            put(&mut response.headers, "Allow", message::ALLOW);
            message::set_body(&mut response.headers, &mut response.body, "application/sdp", body);
            return self.provisional_response(response, out);
        };
        if offered.reliable.is_some() {
            // What it says must have arrived before the answer (RFC 3262 section 3).
            return;
        }
        let mut response = respond(&offered.request, 200, &self.dialog.local_tag);
        let headers = &mut response.headers;
        put(headers, "Contact", self.dialog.contact.as_str());
        put(headers, "Allow", message::ALLOW);
        put(headers, "Supported", message::SUPPORTED);
        identity::assert(headers, &self.trunk, &self.domain, by);
        message::set_body(headers, &mut response.body, "application/sdp", body);
        let had_offer = offered.offer.is_some();
        let request = offered.request.clone();
        self.answer_timer(&request, &mut response, out);
        self.state = State::Accepted { server, offered: had_offer, ending: None };
        out.push(Action::Stop(Timer::Media));
        out.push(Action::Stop(Timer::Ringing));
        out.push(Action::Stop(Timer::Reliable));
        out.push(Action::Respond { server, response });
    }

    /// An ACK of a 2xx of ours.
    pub(super) fn acknowledged(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        match self.state {
            State::Accepted { server: waiting, ending: Some(cause), .. } if waiting == server => {
                self.bye(cause, out);
            }
            State::Accepted { server: waiting, offered, ending: None } if waiting == server => {
                self.state = State::Up;
                if offered {
                    return self.renew(out);
                }
                match self.session.read(&request.body).and_then(|answer| {
                    self.session.answered(&answer)?;
                    Ok(answer)
                }) {
                    Ok(answer) => {
                        self.changed(&answer, true, out);
                        self.renew(out);
                    }
                    Err(_) => self.fail(EndCause::NoCommonCodec, out),
                }
            }
            State::Up => self.reoffer_acknowledged(server, request, out),
            State::Calling(_)
            | State::Cancelling { .. }
            | State::Asked { .. }
            | State::Offered(_)
            | State::Accepted { .. }
            | State::Ending { .. }
            | State::Over => {}
        }
    }

    /// They do not want it any more.
    pub(super) fn cancelled(&mut self, server: u64, out: &mut Vec<Action>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Offered(offered) if offered.server == server => {
                self.refuse(&offered, 487, None, out);
                self.hung_up(EndCause::CallerHungUp, out);
                self.over(out);
            }
            state => self.state = state,
        }
    }

    /// The final response to their INVITE that is no answer.
    pub(super) fn refuse(&self, offered: &Offered, code: u16, q850: Option<u8>, out: &mut Vec<Action>) {
        let mut response = respond(&offered.request, code, &self.dialog.local_tag);
        if let Some(q850) = q850 {
            put(&mut response.headers, "Reason", cause::reason(q850));
        }
        out.push(Action::Respond { server: offered.server, response });
    }
}
