//! A trunk that leads back here: what is called through it comes in again as a call to the same number. For tests, for
//! the demo, and to try a dial plan without a telephone company.

use alloc::collections::{BTreeMap, VecDeque};

use crate::{
    call::{RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder, codec_name},
    record::EndCause,
};

/// The trunk. Orders in, events out; no time passes in it.
#[derive(Debug, Default)]
pub struct Loopback {
    /// Each call and its other side.
    pairs: BTreeMap<TrunkLegId, TrunkLegId>,
    events: VecDeque<TrunkEvent>,
    next: u64,
}

impl Loopback {
    /// The exchange wants something.
    pub fn handle(&mut self, order: TrunkOrder) {
        match order {
            TrunkOrder::Offer { leg, trunk, number, calling, codecs, .. } => {
                let back = TrunkLegId(self.next * 2 + 1);
                self.next += 1;
                self.pairs.insert(leg, back);
                self.pairs.insert(back, leg);
                let offer = TrunkEvent::Offer {
                    leg: back,
                    trunk,
                    number,
                    calling,
                    audio: RemoteAudio { codecs, ..RemoteAudio::default() },
                    redirecting: None,
                };
                self.events.push_back(offer);
            }
            TrunkOrder::Ringing { leg } => {
                self.tell(leg, |leg| TrunkEvent::Progress { leg, ringing: true, early: None });
            }
            TrunkOrder::Answer { leg, audio, .. } => {
                let codec = audio.and_then(|audio| codec_name(audio.codec));
                let audio = RemoteAudio { codecs: codec.into_iter().collect(), ..RemoteAudio::default() };
                self.tell(leg, |leg| TrunkEvent::Answered { leg, audio });
            }
            TrunkOrder::Media { leg, address, .. } => {
                let audio = RemoteAudio { address: Some(address), ..RemoteAudio::default() };
                self.tell(leg, |leg| TrunkEvent::Media { leg, audio });
            }
            TrunkOrder::Hold { leg, held } => self.tell(leg, |leg| TrunkEvent::Hold { leg, held }),
            // Nobody on the other side shows a name or hears a digit.
            TrunkOrder::Party { .. } | TrunkOrder::Digit { .. } | TrunkOrder::Messages { .. } => {}
            // Its far end is this side.
            TrunkOrder::Refer { leg, .. } => {
                self.events.push_back(TrunkEvent::Referred { leg, connected: false });
            }
            TrunkOrder::HangUp { leg, cause } => self.hang_up(leg, cause),
        }
    }

    /// The line is cut: every call ends, on both sides.
    pub fn cut(&mut self) {
        for (leg, _) in core::mem::take(&mut self.pairs) {
            self.events.push_back(TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
        }
    }

    /// The next thing that happens at the trunk.
    pub fn poll_event(&mut self) -> Option<TrunkEvent> {
        self.events.pop_front()
    }

    /// Calls that are up, both sides of each counted.
    pub fn calls(&self) -> usize {
        self.pairs.len()
    }

    fn tell(&mut self, leg: TrunkLegId, event: impl FnOnce(TrunkLegId) -> TrunkEvent) {
        if let Some(&other) = self.pairs.get(&leg) {
            self.events.push_back(event(other));
        }
    }

    fn hang_up(&mut self, leg: TrunkLegId, cause: EndCause) {
        let Some(other) = self.pairs.remove(&leg) else { return };
        self.pairs.remove(&other);
        self.events.push_back(TrunkEvent::HungUp { leg: other, cause });
    }
}
