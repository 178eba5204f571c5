//! What both sides have agreed on about the audio, and how that changes: hold, resume, another address (RFC 3264 section 8,
//! RFC 3261 section 14).

use std::{net::SocketAddr, time::Duration};

use rsipstack::sip::{Method, Request, Response};
use selsius_exchange::{
    Audio, OpusTypes, RemoteAudio, TrunkEvent, codec_name, record::EndCause, srtp::PartyKeys,
};
use selsius_site::CodecName;

use super::{Action, Call, Names, State, Timer};
use crate::{
    config::{Dtmf, TrunkConfig},
    message::{self, respond},
    sdp::{self, Agreed, Description, Direction, Local, SdpError, Secrecy, Version},
};

/// The audio of a call.
#[derive(Debug)]
pub(super) struct Session {
    /// What we say of ours, once it is known.
    pub(super) local: Option<Local>,
    version: Version,
    /// Are telephone events wanted?
    events: bool,
    /// Encryption.
    secrecy: Secrecy,
    /// The audio of the far end, as the exchange was told.
    pub(super) remote: RemoteAudio,
    /// What was agreed on last.
    pub(super) agreed: Option<Agreed>,
    /// What the far end was told last: address, direction and codecs.
    told: Option<Local>,
    /// And what it was told before an offer that it has not accepted yet.
    before: Option<Local>,
    /// This side has put the call on hold.
    pub(super) held_here: bool,
    /// The far end has.
    held_there: bool,
    renewal: Renewal,
    /// Their INVITE without an offer, which our 2xx made one for: the answer comes with the ACK.
    owed: Option<u64>,
}

/// How far a change of the session has got that we want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewal {
    None,
    /// Our INVITE is on its way; is another one needed after it?
    Sent {
        id: u32,
        again: bool,
    },
    /// Both sides tried at once; we try again.
    Waits,
}

impl Session {
    pub(super) fn new(trunk: &TrunkConfig, names: &Names) -> Self {
        Self {
            local: None,
            version: Version { session: names.session, version: 0 },
            events: matches!(trunk.dtmf, Dtmf::Auto | Dtmf::Rfc4733),
            secrecy: Secrecy::new(trunk.srtp, names.secret.0),
            remote: RemoteAudio::default(),
            agreed: None,
            told: None,
            before: None,
            held_here: false,
            held_there: false,
            renewal: Renewal::None,
            owed: None,
        }
    }

    /// The number in our descriptions, which no other call has.
    pub(super) fn number(&self) -> u64 {
        self.version.session
    }

    /// What we offer in the beginning.
    pub(super) fn begin(&mut self, address: SocketAddr, codecs: Vec<CodecName>, packet_ms: u32) {
        self.local = Some(Local {
            address,
            direction: Direction::SendRecv,
            codecs,
            events: self.events,
            packet_ms,
            secrecy: Secrecy::default(),
        });
    }

    /// The exchange says what is spoken and where its side listens. `false` if SIP has no name for it.
    pub(super) fn set_local(&mut self, audio: Audio, address: SocketAddr) -> bool {
        let Some(codec) = codec_name(audio.codec) else { return false };
        let direction = self.direction();
        self.local = Some(Local {
            address,
            direction,
            codecs: vec![codec],
            events: self.events,
            packet_ms: audio.packet_ms,
            secrecy: Secrecy::default(),
        });
        true
    }

    fn direction(&self) -> Direction {
        // Somebody on hold may be played something; where nothing is sent, the far end hears nothing either way.
        if self.held_here { Direction::SendOnly } else { Direction::SendRecv }
    }

    /// What we want now.
    fn wanted(&self) -> Option<Local> {
        let secrecy = self.secrecy.clone();
        self.local.clone().map(|local| Local { direction: self.direction(), secrecy, ..local })
    }

    /// Does the far end know something else than what we want?
    fn differs(&self) -> bool {
        match (&self.told, self.wanted()) {
            (Some(told), Some(wanted)) => {
                let speaks = self.agreed.map(|agreed| agreed.codec);
                told.address != wanted.address
                    || told.direction != wanted.direction
                    || speaks.is_some_and(|codec| !wanted.codecs.contains(&codec))
            }
            _ => false,
        }
    }

    pub(super) fn offer(&mut self) -> Option<Vec<u8>> {
        let wanted = self.wanted()?;
        self.version.version += 1;
        let body = sdp::offer(&wanted, self.version);
        self.told = Some(wanted);
        Some(body)
    }

    pub(super) fn answer(&mut self, offer: &Description) -> Result<Vec<u8>, SdpError> {
        let wanted = self.wanted().ok_or(SdpError::NoAudio)?;
        self.version.version += 1;
        let (body, agreed) = sdp::answer(offer, &wanted, self.version)?;
        self.agree(offer, agreed)?;
        self.told = Some(wanted);
        Ok(body)
    }

    /// Takes in the answer to our offer.
    pub(super) fn answered(&mut self, answer: &Description) -> Result<Agreed, SdpError> {
        let told = self.told.as_ref().ok_or(SdpError::NoAudio)?;
        let agreed = sdp::agreed(told, answer)?;
        self.agree(answer, agreed)?;
        Ok(agreed)
    }

    fn agree(&mut self, theirs: &Description, agreed: Agreed) -> Result<(), SdpError> {
        self.secrecy.keep(&theirs.crypto, agreed.srtp)?;
        self.agreed = Some(agreed);
        Ok(())
    }

    /// Reads a description of the far end's.
    pub(super) fn read(&self, body: &[u8]) -> Result<Description, SdpError> {
        sdp::read(body, self.secrecy.wanted())
    }

    /// The far end's audio by its description, as it was agreed on.
    pub(super) fn heard(&self, description: &Description) -> RemoteAudio {
        let codecs = self.agreed.map(|agreed| agreed.codec).into_iter().collect();
        let srtp = self.agreed.and_then(|agreed| agreed.srtp);
        self.remote(description, codecs, srtp)
    }

    /// The far end's audio by its offer, with these of its codecs.
    ///
    /// # Errors
    /// If one side insists on encryption, and the other does not do it.
    pub(super) fn said(&self, offer: &Description, codecs: Vec<CodecName>) -> Result<RemoteAudio, SdpError> {
        Ok(self.remote(offer, codecs, offer.keys(&self.secrecy)?))
    }

    fn remote(
        &self,
        description: &Description,
        codecs: Vec<CodecName>,
        srtp: Option<PartyKeys>,
    ) -> RemoteAudio {
        let &Description { address, packet_ms, .. } = description;
        let events = description.events(CodecName::Pcma).filter(|_| self.events);
        let opus = description.dynamic(CodecName::Opus).map(|payload| {
            let events = description.events(CodecName::Opus).filter(|_| self.events);
            OpusTypes { payload, events }
        });
        RemoteAudio { codecs, address, events, packet_ms, opus, near: None, srtp: srtp.map(Box::new) }
    }
}

impl Call {
    /// Tells the far end what has changed here, unless it knows.
    pub(super) fn renew(&mut self, out: &mut Vec<Action>) {
        match self.session.renewal {
            Renewal::Sent { id, .. } => self.session.renewal = Renewal::Sent { id, again: true },
            Renewal::Waits => {}
            Renewal::None => {
                if self.session.differs() && self.session.owed.is_none() {
                    self.renew_anyway(out);
                }
            }
        }
    }

    /// Offers what we want, also if it is what the far end knows.
    pub(super) fn renew_anyway(&mut self, out: &mut Vec<Action>) {
        if self.session.renewal != Renewal::None || self.session.owed.is_some() {
            return;
        }
        self.session.before = self.session.told.clone();
        let Some(body) = self.session.offer() else { return };
        let mut invite = self.dialog.request(Method::Invite);
        message::put(&mut invite.headers, "Allow", message::ALLOW);
        self.keep_timer(&mut invite.headers);
        message::set_body(&mut invite.headers, &mut invite.body, "application/sdp", body);
        let id = self.send(invite, out);
        self.session.renewal = Renewal::Sent { id, again: false };
    }

    /// The time after a collision has passed.
    pub(super) fn renew_again(&mut self, out: &mut Vec<Action>) {
        if self.session.renewal == Renewal::Waits {
            self.session.renewal = Renewal::None;
            if let State::Up = self.state {
                self.renew(out);
            }
        }
    }

    /// A response to an INVITE that changes the session. `false` if it is not one to that.
    pub(super) fn renewed(&mut self, id: u32, response: &Response, out: &mut Vec<Action>) -> bool {
        let Renewal::Sent { id: sent, again } = self.session.renewal else { return false };
        if sent != id {
            return false;
        }
        let code = response.status_code.code();
        match code {
            0..200 => return true,
            200..300 => {
                self.dialog.refresh(&response.headers);
                let sequence = message::sequence(&response.headers).unwrap_or(self.dialog.last_sequence());
                out.push(Action::Ack(self.dialog.ack(sequence)));
                self.session.renewal = Renewal::None;
                if !matches!(self.state, State::Up) {
                    return true;
                }
                self.timer_agreed(&response.headers, out);
                match self.session.read(&response.body).and_then(|answer| {
                    self.session.answered(&answer)?;
                    Ok(answer)
                }) {
                    Ok(answer) => {
                        let hears = self
                            .session
                            .told
                            .as_ref()
                            .is_some_and(|told| told.direction == Direction::SendRecv);
                        self.changed(&answer, hears, out);
                    }
                    Err(_) => return self.fail_renewal(out),
                }
            }
            491 => {
                self.session.renewal = Renewal::Waits;
                // Whoever made the Call-ID waits longer (RFC 3261 section 14.1).
                let chance = self.session.version.session;
                let wait = if self.leg.0.is_multiple_of(2) { 2100 + chance % 1900 } else { chance % 2000 };
                out.push(Action::Timer(Timer::Renewal, Duration::from_millis(wait)));
                self.session.told = self.session.before.take();
                self.refresh_later(out);
                return true;
            }
            // The far end does not know the call any more (RFC 3261 section 12.2.1.2).
            408 | 481 => return self.fail_renewal(out),
            // It goes on as it was.
            _ => {
                self.session.renewal = Renewal::None;
                self.session.told = self.session.before.take();
                self.refresh_later(out);
            }
        }
        if again && matches!(self.state, State::Up) {
            self.renew(out);
        }
        true
    }

    fn fail_renewal(&mut self, out: &mut Vec<Action>) -> bool {
        self.session.renewal = Renewal::None;
        if matches!(self.state, State::Up) {
            self.fail(EndCause::MediaFailure, out);
        }
        true
    }

    /// Their offer in a conversation, by INVITE or UPDATE; without one, they want ours.
    pub(super) fn reoffered(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        let collides = matches!(self.session.renewal, Renewal::Sent { .. }) || self.session.owed.is_some();
        if collides {
            return self.reply(server, request, 491, out);
        }
        self.dialog.refresh(&request.headers);
        if request.body.is_empty() {
            if request.method == Method::Update {
                return self.accept(server, request, None, out);
            }
            let Some(body) = self.session.offer() else { return self.reply(server, request, 488, out) };
            self.session.owed = Some(server);
            return self.accept(server, request, Some(body), out);
        }
        let offer = match self.session.read(&request.body) {
            Ok(offer) => offer,
            Err(SdpError::Malformed) => return self.reply(server, request, 400, out),
            Err(_) => return self.reply(server, request, 488, out),
        };
        match self.session.answer(&offer) {
            Ok(body) => {
                self.accept(server, request, Some(body), out);
                self.changed(&offer, true, out);
            }
            Err(_) => self.reply(server, request, 488, out),
        }
    }

    /// The ACK of a 2xx to an INVITE that changed the session.
    pub(super) fn reoffer_acknowledged(&mut self, server: u64, request: &Request, out: &mut Vec<Action>) {
        if self.session.owed != Some(server) {
            return;
        }
        self.session.owed = None;
        match self.session.read(&request.body).and_then(|answer| {
            self.session.answered(&answer)?;
            Ok(answer)
        }) {
            Ok(answer) => self.changed(&answer, true, out),
            Err(_) => self.fail(EndCause::MediaFailure, out),
        }
        self.renew(out);
    }

    /// Tells the exchange what has changed at the far end. `says` whether its direction says if it holds the call: to a
    /// side that does not listen it cannot.
    pub(super) fn changed(&mut self, description: &Description, says: bool, out: &mut Vec<Action>) {
        let audio = self.session.heard(description);
        if audio.address.is_some() && audio != self.session.remote {
            self.session.remote = audio.clone();
            self.tell(TrunkEvent::Media { leg: self.leg, audio }, out);
        }
        let held = description.direction.is_hold();
        if says && held != self.session.held_there {
            self.session.held_there = held;
            self.tell(TrunkEvent::Hold { leg: self.leg, held }, out);
        }
    }

    pub(super) fn reply(&self, server: u64, request: &Request, code: u16, out: &mut Vec<Action>) {
        let response = respond(request, code, &self.dialog.local_tag);
        out.push(Action::Respond { server, response });
    }

    fn accept(&mut self, server: u64, request: &Request, body: Option<Vec<u8>>, out: &mut Vec<Action>) {
        let mut response = respond(request, 200, &self.dialog.local_tag);
        message::put(&mut response.headers, "Contact", self.dialog.contact.as_str());
        message::put(&mut response.headers, "Allow", message::ALLOW);
        message::put(&mut response.headers, "Supported", message::SUPPORTED);
        if let Some(body) = body {
            message::set_body(&mut response.headers, &mut response.body, "application/sdp", body);
        }
        self.answer_timer(request, &mut response, out);
        out.push(Action::Respond { server, response });
    }
}
