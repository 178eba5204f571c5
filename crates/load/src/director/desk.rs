//! What the director knows of one phone.

use std::net::{Ipv4Addr, SocketAddr};

use selsius_wire::{Time, value::CallState};

use super::CallKey;

/// What a phone is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It makes and takes calls.
    Caller,
    /// It is registered, and nothing more.
    Idle,
    /// It reads nothing any more, and is not missed when the server drops it.
    Deaf,
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) number: u64,
    pub(super) role: Role,
    pub(super) online: bool,
    /// Times it tried to connect since it was last registered.
    pub(super) failures: u32,
    /// When its connection was due.
    pub(super) connect_due: Time,
    /// A storm takes its connection away; it connects again then.
    pub(super) back_at: Option<Time>,
    /// A storm took its connection away, and it is not back.
    pub(super) returning: bool,
    pub(super) call: Option<CallKey>,
    /// Its last call failed; it gets some time before it is used again, and what the server says meanwhile is not held
    /// against it.
    pub(super) mending: bool,
    /// It is among those that can be used for a call.
    pub(super) pooled: bool,
    /// The handset is up.
    pub(super) lifted: bool,
    /// Where it receives voice.
    pub(super) voice: SocketAddr,
    /// Its channel is open.
    pub(super) receives: bool,
    pub(super) sends_to: Option<SocketAddr>,
    /// References of the calls on its display; 0 is none. More than two are not made here.
    references: [u32; 2],
}

impl Desk {
    pub(super) fn new(number: u64, role: Role) -> Self {
        Self {
            number,
            role,
            online: false,
            failures: 0,
            connect_due: Time::ZERO,
            back_at: None,
            returning: false,
            call: None,
            mending: false,
            pooled: false,
            lifted: false,
            voice: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            receives: false,
            sends_to: None,
            references: [0; 2],
        }
    }

    /// Its connection is gone, and everything with it. The handset stays where it is, and so does the call, until whoever
    /// has it lets it go.
    pub(super) fn disconnect(&mut self) {
        self.online = false;
        self.receives = false;
        self.sends_to = None;
        self.references = [0; 2];
    }

    /// Takes in the state of a call.
    pub(super) fn note(&mut self, reference: u32, state: CallState) {
        let is_over = matches!(state, CallState::OnHook | CallState::Idle);
        let wanted = if self.references.contains(&reference) { reference } else { 0 };
        if is_over && wanted == 0 {
            return;
        }
        if let Some(place) = self.references.iter_mut().find(|known| **known == wanted) {
            *place = if is_over { 0 } else { reference };
        }
    }

    /// Whether a call is on its display.
    pub(super) fn has_calls(&self) -> bool {
        self.references != [0; 2]
    }

    /// The call on its display, the first of two.
    pub(super) fn reference(&self) -> Option<u32> {
        self.references.into_iter().find(|reference| *reference != 0)
    }

    /// Whether voice flows in either direction.
    pub(super) fn has_voice(&self) -> bool {
        self.receives || self.sends_to.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_known_from_their_first_state_to_their_last() {
        let mut desk = Desk::new(1001, Role::Caller);
        desk.note(7, CallState::OffHook);
        desk.note(7, CallState::Proceed);
        desk.note(8, CallState::RingIn);
        assert_eq!(desk.references, [7, 8]);
        desk.note(7, CallState::OnHook);
        desk.note(99, CallState::OnHook);
        assert_eq!((desk.reference(), desk.has_calls()), (Some(8), true));
        desk.note(8, CallState::OnHook);
        assert!(!desk.has_calls());
    }
}
