//! What is sent.

use std::{fmt, mem};

use libsrtp::{SendSession, SrtpError};
use selsius_wire::srtp::Keys;

use crate::{MOST_ADDED, RTCP_SOURCE, RTP_SOURCE, Refused, config, source, sources::Sources};

/// Protects what one party is sent.
pub struct Outgoing {
    keys: Keys,
    session: SendSession,
    sources: Sources,
    buffer: Vec<u8>,
}

impl Outgoing {
    /// With these keys.
    ///
    /// # Panics
    /// Never: keys are as long as their suite wants.
    pub fn new(keys: &Keys) -> Self {
        let mut session = SendSession::new();
        session.add_stream(None, &config(keys)).expect("keys have the lengths of their suite");
        Self { keys: *keys, session, sources: Sources::default(), buffer: Vec::new() }
    }

    /// Its keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The protected form of an RTP packet.
    ///
    /// # Errors
    /// If it is none, or has a sequence number that was used: that would give the plain audio away.
    pub fn rtp(&mut self, plain: &[u8]) -> Result<&[u8], Refused> {
        self.protect(plain, RTP_SOURCE, SendSession::rtp_protect)
    }

    /// The protected form of an RTCP packet.
    ///
    /// # Errors
    /// If it is none.
    pub fn rtcp(&mut self, plain: &[u8]) -> Result<&[u8], Refused> {
        self.protect(plain, RTCP_SOURCE, SendSession::rtcp_protect)
    }

    fn protect(
        &mut self,
        plain: &[u8],
        at: usize,
        protect: impl FnOnce(&mut SendSession, Vec<u8>) -> Result<Vec<u8>, SrtpError>,
    ) -> Result<&[u8], Refused> {
        let source = source(plain, at).ok_or(Refused::Malformed)?;
        let mut packet = mem::take(&mut self.buffer);
        packet.clear();
        packet.reserve(plain.len() + MOST_ADDED);
        packet.extend_from_slice(plain);
        self.buffer = protect(&mut self.session, packet)?;
        if let Some(forgotten) = self.sources.heard(source) {
            // It is there: it was heard.
            let _ = self.session.remove_stream(forgotten);
        }
        Ok(&self.buffer)
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("keys", &self.keys).finish_non_exhaustive()
    }
}
