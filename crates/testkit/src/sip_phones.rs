//! The SIP phones of the bed: their users do what comes to their minds, and hear what the exchange wants of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use rand::{Rng, RngExt};
use selsius_exchange::{
    Input, PhoneContact, RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_site::{CodecName, DeviceName, LineNumber, MediaPath, SipPhone, Site};

/// Their names, and the lines that they are on: the one that is shared, and that of the first phone.
pub(crate) const PHONES: [(&str, &str); 2] = [("SIP-1", super::office::SHARED), ("SIP-2", "1001")];

/// Gives the office its SIP phones.
pub(crate) fn add(site: &mut Site) {
    for (name, line) in PHONES {
        let (Ok(name), Ok(line)) = (name.parse::<DeviceName>(), line.parse::<LineNumber>()) else { continue };
        let (line, media) = (Some(line), MediaPath::Direct);
        site.sip_phones.insert(name, SipPhone { line, media, ..SipPhone::default() });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The phone rings.
    Rings,
    /// It waits for whom it has called.
    Calls,
    Up {
        held: bool,
    },
}

/// What they know.
#[derive(Debug)]
pub(crate) struct SipPhones {
    places: BTreeMap<&'static str, BTreeSet<u64>>,
    calls: BTreeMap<TrunkLegId, (String, State)>,
    next_place: u64,
    next_leg: u64,
}

impl Default for SipPhones {
    fn default() -> Self {
        // Odd, and never one of the loopback's.
        Self { places: BTreeMap::new(), calls: BTreeMap::new(), next_place: 1, next_leg: (1 << 33) + 1 }
    }
}

impl SipPhones {
    /// The exchange wants something. What happens then, or the order back if it is for somebody else.
    pub(crate) fn handle(&mut self, order: TrunkOrder) -> Result<Option<TrunkEvent>, Box<TrunkOrder>> {
        match &order {
            TrunkOrder::Messages { .. } => return Ok(None),
            TrunkOrder::Offer { leg, trunk, contact: Some(contact), .. } => {
                let leg = *leg;
                if !self.places.values().any(|places| places.contains(contact)) {
                    return Ok(Some(TrunkEvent::HungUp { leg, cause: EndCause::Unregistered }));
                }
                self.calls.insert(leg, (trunk.clone(), State::Rings));
                return Ok(Some(TrunkEvent::Progress { leg, ringing: true, early: None }));
            }
            _ => {}
        }
        let Some(call) = order.leg().filter(|leg| self.calls.contains_key(leg)) else {
            return Err(Box::new(order));
        };
        match order {
            TrunkOrder::HangUp { .. } => drop(self.calls.remove(&call)),
            TrunkOrder::Answer { .. } => {
                if let Some((_, state)) = self.calls.get_mut(&call) {
                    *state = State::Up { held: false };
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// How many calls they have.
    pub(crate) fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The manager is another one: the calls are no more.
    pub(crate) fn lose_calls(&mut self) {
        self.calls.clear();
    }

    /// All hang up.
    pub(crate) fn hang_up(&mut self) -> Vec<Input> {
        let calls = std::mem::take(&mut self.calls).into_keys();
        calls.map(|leg| Input::Trunk(TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp })).collect()
    }

    /// What one of their users does. `number` is one that somebody might call.
    pub(crate) fn act(&mut self, rng: &mut impl Rng, number: &str) -> Input {
        let (phone, _) = PHONES[rng.random_range(0..PHONES.len())];
        let place = self.calls.len().checked_sub(1).map(|last| rng.random_range(0..=last));
        let call = place.and_then(|place| self.calls.iter().nth(place));
        let call = call.map(|(leg, (phone, state))| (*leg, phone.clone(), *state));
        match (rng.random_range(0..10_u32), call) {
            (0, _) => self.register(rng, phone),
            (1 | 2, _) | (_, None) => self.call(phone, number),
            (choice, Some((leg, phone, state))) => {
                Input::Trunk(self.act_in(choice, leg, &phone, state, number))
            }
        }
    }

    fn register(&mut self, rng: &mut impl Rng, phone: &'static str) -> Input {
        let places = self.places.entry(phone).or_default();
        if rng.random_ratio(1, 4) {
            places.clear();
        } else {
            places.insert(self.next_place);
            self.next_place += 1;
            while places.len() > 3 {
                places.pop_first();
            }
        }
        let contact = |&id: &u64| PhoneContact { id, address: address(5060), agent: "bed".into() };
        let contacts = places.iter().map(contact).collect();
        let phone = phone.parse().expect("a constant that is a name");
        Input::Phone { phone, contacts }
    }

    fn call(&mut self, phone: &str, number: &str) -> Input {
        let leg = TrunkLegId(self.next_leg);
        self.next_leg += 2;
        self.calls.insert(leg, (phone.into(), State::Calls));
        Input::Trunk(TrunkEvent::Offer {
            leg,
            trunk: phone.into(),
            number: number.into(),
            calling: Party::default(),
            audio: audio(),
            redirecting: None,
        })
    }

    fn act_in(
        &mut self,
        choice: u32,
        leg: TrunkLegId,
        phone: &str,
        state: State,
        number: &str,
    ) -> TrunkEvent {
        let other =
            self.calls.iter().find(|(with, (of, _))| **with != leg && of == phone).map(|(with, _)| *with);
        match (state, choice) {
            (State::Rings, 3) => {
                self.calls.remove(&leg);
                TrunkEvent::Redirect { leg, number: number.into() }
            }
            (State::Rings, 5..) => {
                self.calls.insert(leg, (phone.into(), State::Up { held: false }));
                TrunkEvent::Answered { leg, audio: audio() }
            }
            (State::Up { held }, 5 | 6) => {
                self.calls.insert(leg, (phone.into(), State::Up { held: !held }));
                TrunkEvent::Hold { leg, held: !held }
            }
            (State::Up { .. }, 7) => TrunkEvent::Redirect { leg, number: number.into() },
            (State::Up { .. }, 8) => TrunkEvent::Digit { leg, digit: '5' },
            (State::Up { .. }, 9) => match other {
                Some(with) => TrunkEvent::Join { leg, with },
                None => {
                    TrunkEvent::Media { leg, audio: RemoteAudio { address: Some(address(4002)), ..audio() } }
                }
            },
            _ => {
                self.calls.remove(&leg);
                let cause = if state == State::Rings { EndCause::Busy } else { EndCause::CalledHungUp };
                TrunkEvent::HungUp { leg, cause }
            }
        }
    }
}

fn audio() -> RemoteAudio {
    let (codecs, address) = ([CodecName::Pcmu, CodecName::Pcma].into(), Some(address(4000)));
    RemoteAudio { codecs, address, ..RemoteAudio::default() }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 3, 1], port))
}
