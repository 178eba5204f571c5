//! Who speaks SRTP, and with which keys.
//!
//! Two phones that can do it speak it with each other, and a phone speaks it with the media services wherever its audio goes there. Keys
//! are as old as the channel that they are for: whoever has left a call cannot hear it any more.

use alloc::{vec, vec::Vec};

use rand_chacha::rand_core::Rng;
use selsius_site::TrunkKind;
use selsius_wire::srtp::{Keys, PartyKeys, Suite};

use super::{Audio, End, Leg, Receive, media::Way};
use crate::{arena::Handle, exchange::Exchange};

/// What phones are told to use: the suite that each phone knows which knows any.
const SUITE: Suite = Suite::AesCm128HmacSha1_32;

/// The keys of a leg, and what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secured {
    pub(crate) with: With,
    pub(crate) keys: PartyKeys,
}

/// With whom a phone speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// The phone of another leg.
    Leg(Handle<Leg>),
    /// The media services.
    Services,
}

impl Exchange {
    /// Has the manager to be between these two, so that a phone's audio is encrypted in its network? With its own services it
    /// can be; they know nothing of keys.
    pub(super) fn is_encrypted_here(&self, a: Handle<Leg>, b: Handle<Leg>) -> bool {
        let is_services = |leg| match self.legs.get(leg).map(|leg| &leg.end) {
            Some(End::Trunk(trunk)) => {
                self.site_trunk(&trunk.trunk).is_some_and(|trunk| trunk.kind == TrunkKind::Services)
            }
            _ => false,
        };
        self.encrypts(a) && is_services(b) || is_services(a) && self.encrypts(b)
    }

    fn encrypts(&self, leg: Handle<Leg>) -> bool {
        let device = self.legs.get(leg).and_then(|leg| self.devices.get(leg.device()?));
        device.is_some_and(|device| device.encrypts)
    }

    /// The keys of legs whose audio goes these ways: those that they have, where nothing is opened anew.
    pub(super) fn secure(&mut self, ways: &[(Handle<Leg>, Way)]) -> Vec<Option<Secured>> {
        if !ways.iter().any(|&(leg, _)| self.encrypts(leg)) {
            return vec![None; ways.len()];
        }
        if let &[(a, Way::Direct(audio)), (b, Way::Direct(_))] = ways {
            if !self.encrypts(a) || !self.encrypts(b) {
                return vec![None; 2];
            }
            let [with_b, with_a] = [With::Leg(b), With::Leg(a)];
            let kept = [self.kept(a, with_b, audio), self.kept(b, with_a, audio)];
            if kept.iter().all(Option::is_some) {
                return kept.into();
            }
            let (sends, hears) = (self.new_keys(), self.new_keys());
            let one = Secured { with: with_b, keys: PartyKeys { sends, hears } };
            let other = Secured { with: with_a, keys: PartyKeys { sends: hears, hears: sends } };
            return vec![Some(one), Some(other)];
        }
        let mut of = |(leg, way): &(Handle<Leg>, Way)| {
            let Way::Anchored(_, audio) = way else { return None };
            if !self.encrypts(*leg) {
                return None;
            }
            let with = With::Services;
            let keys =
                |exchange: &mut Self| PartyKeys { sends: exchange.new_keys(), hears: exchange.new_keys() };
            Some(self.kept(*leg, with, *audio).unwrap_or_else(|| Secured { with, keys: keys(self) }))
        };
        ways.iter().map(&mut of).collect()
    }

    /// The keys of a leg whose channels stay as they are.
    fn kept(&self, leg: Handle<Leg>, with: With, audio: Audio) -> Option<Secured> {
        let leg = self.legs.get(leg)?;
        let open = leg.receive != Receive::Closed && leg.audio == Some(audio);
        leg.secured.filter(|secured| open && secured.with == with)
    }

    /// With whom a leg has keys that are not the other's, or are for another way than its audio has. For tests.
    pub(crate) fn unmatched(&self, leg: &Leg) -> Option<With> {
        let Secured { with, keys } = leg.secured?;
        let fits = match with {
            With::Services => leg.anchor.as_ref().is_some_and(|anchor| anchor.srtp == Some(keys)),
            With::Leg(other) => self.legs.get(other).and_then(|other| other.secured).is_some_and(|other| {
                leg.anchor.is_none() && (other.keys.sends, other.keys.hears) == (keys.hears, keys.sends)
            }),
        };
        (!fits).then_some(with)
    }

    fn new_keys(&mut self) -> Keys {
        Keys::random(SUITE, |bytes| self.chance.fill_bytes(bytes))
    }
}
