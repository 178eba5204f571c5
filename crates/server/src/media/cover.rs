//! The encryption of a party's audio, between its sockets and the engine.

use selsius_media::engine::Port;
use selsius_srtp::{Incoming, Outgoing, Refused};
use selsius_wire::srtp::PartyKeys;

/// What stands around a party with keys.
#[derive(Debug)]
pub(super) struct Cover {
    incoming: Incoming,
    outgoing: Outgoing,
}

impl Cover {
    pub(super) fn new(keys: &PartyKeys) -> Self {
        Self { incoming: Incoming::new(&keys.sends), outgoing: Outgoing::new(&keys.hears) }
    }

    /// Other keys from now on. Those that stay go on counting, so that nothing is protected twice in the same way.
    pub(super) fn change(&mut self, keys: &PartyKeys) {
        self.incoming.rekey(&keys.sends);
        if *self.outgoing.keys() != keys.hears {
            self.outgoing = Outgoing::new(&keys.hears);
        }
    }

    /// What the engine is given of a datagram that has come.
    pub(super) fn open(&mut self, port: Port, datagram: &[u8]) -> Result<&[u8], Refused> {
        match port {
            Port::Media => self.incoming.rtp(datagram),
            Port::Control => self.incoming.rtcp(datagram),
        }
    }

    /// What is sent of what the engine gives.
    pub(super) fn close(&mut self, port: Port, bytes: &[u8]) -> Result<&[u8], Refused> {
        match port {
            Port::Media => self.outgoing.rtp(bytes),
            Port::Control => self.outgoing.rtcp(bytes),
        }
    }
}
