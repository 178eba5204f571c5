//! What is received.

use std::{fmt, mem};

use libsrtp::{RecvSession, SrtpError};
use selsius_wire::srtp::Keys;

use crate::{RTCP_SOURCE, RTP_SOURCE, Refused, config, source, sources::Sources};

/// Unprotects what comes from one party. After a change of keys those before count until the first packet with the new ones: it is not
/// known which comes first, the word of it or the packet.
pub struct Incoming {
    keys: Keys,
    /// What is tried, in this order. More than one only after a change of keys; the last one then has the old ones.
    sessions: Vec<Session>,
    buffer: Vec<u8>,
}

struct Session {
    session: RecvSession,
    sources: Sources,
}

impl Session {
    fn new(keys: &Keys) -> Self {
        let mut session = RecvSession::new();
        session.add_stream(None, &config(keys)).expect("keys have the lengths of their suite");
        Self { session, sources: Sources::default() }
    }

    /// One with other keys for the streams of another one, which have begun over `more` times more often. `None` if none of
    /// them has begun over: a stream that does so for the first time is nothing special.
    fn after(before: &Self, keys: &Keys, more: u32) -> Option<Self> {
        let mut after = Self::new(keys);
        let mut any = false;
        for source in before.sources.iter() {
            let rollovers = before.session.get_roc(source).ok()?.checked_add(more)?;
            if rollovers > 0 {
                after.session.add_stream(Some(source), &config(keys)).ok()?;
                after.session.set_roc(source, rollovers).ok()?;
                after.sources.heard(source);
                any = true;
            }
        }
        any.then_some(after)
    }

    fn heard(&mut self, source: u32) {
        if let Some(forgotten) = self.sources.heard(source) {
            // It is there: it was heard.
            let _ = self.session.remove_stream(forgotten);
        }
    }
}

impl Incoming {
    /// With these keys.
    ///
    /// # Panics
    /// Never: keys are as long as their suite wants.
    pub fn new(keys: &Keys) -> Self {
        Self { keys: *keys, sessions: vec![Session::new(keys)], buffer: Vec::new() }
    }

    /// Its keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The party has other keys from now on.
    pub fn rekey(&mut self, keys: &Keys) {
        if self.keys == *keys {
            return;
        }
        self.keys = *keys;
        let before = self.sessions.pop();
        self.sessions.clear();
        // By RFC 3711 (section 3.3.1) sequence numbers that have begun over still count with new keys. There are others who begin anew.
        let counts = before.as_ref().into_iter();
        self.sessions
            .extend(counts.flat_map(|old| [0, 1].map(|more| Session::after(old, keys, more))).flatten());
        self.sessions.push(Session::new(keys));
        self.sessions.extend(before);
    }

    /// The plain form of an RTP packet.
    ///
    /// # Errors
    /// If it is none, is not authentic, or was there before.
    pub fn rtp(&mut self, packet: &[u8]) -> Result<&[u8], Refused> {
        let at = self.unprotect(packet, RTP_SOURCE, RecvSession::rtp_unprotect)?;
        // RTCP says which packet it is, so that only RTP proves how often its numbers have begun over.
        if at + 1 < self.sessions.len() {
            self.sessions.swap(0, at);
            self.sessions.truncate(1);
        }
        Ok(&self.buffer)
    }

    /// The plain form of an RTCP packet.
    ///
    /// # Errors
    /// If it is none, is not authentic, or was there before.
    pub fn rtcp(&mut self, packet: &[u8]) -> Result<&[u8], Refused> {
        self.unprotect(packet, RTCP_SOURCE, RecvSession::rtcp_unprotect)?;
        Ok(&self.buffer)
    }

    /// Tries what there is; says which it was.
    fn unprotect(
        &mut self,
        packet: &[u8],
        at: usize,
        unprotect: impl Fn(&mut RecvSession, Vec<u8>) -> Result<Vec<u8>, SrtpError>,
    ) -> Result<usize, Refused> {
        let source = source(packet, at).ok_or(Refused::Malformed)?;
        let mut refused = Refused::Forged;
        for (at, session) in self.sessions.iter_mut().enumerate() {
            let mut copy = mem::take(&mut self.buffer);
            copy.clear();
            copy.extend_from_slice(packet);
            match unprotect(&mut session.session, copy) {
                Ok(plain) => {
                    self.buffer = plain;
                    session.heard(source);
                    return Ok(at);
                }
                Err(error) => {
                    let why = Refused::from(error);
                    refused = if why == Refused::Forged { refused } else { why };
                }
            }
        }
        Err(refused)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("keys", &self.keys).finish_non_exhaustive()
    }
}
