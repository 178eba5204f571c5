//! The media services of the bed: nothing is heard, but who has a place at them is kept, and each order has to make
//! sense.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use selsius_exchange::{
    AnchorOrder, Hears,
    record::{CallId, CallQuality, CountedBy},
};

/// The parties that have a place.
#[derive(Debug, Default)]
pub(crate) struct Services {
    parties: BTreeMap<u32, Party>,
    /// The recordings that have begun, and those of them that have ended.
    recordings: BTreeSet<String>,
    ended: BTreeSet<String>,
    /// How often one has left.
    left: u32,
    /// The same by the records of calls.
    counted: u32,
    qualities: BTreeSet<(CallId, u32, CountedBy)>,
    /// The first order that made no sense.
    pub(crate) wrong: Option<String>,
}

#[derive(Debug)]
struct Party {
    hears: Hears,
    sends_to: Option<SocketAddr>,
}

impl Services {
    /// The exchange wants something. Where the services listen to a party that is new.
    pub(crate) fn handle(&mut self, order: &AnchorOrder) -> Option<SocketAddr> {
        let (AnchorOrder::Join { party, .. }
        | AnchorOrder::Change { party, .. }
        | AnchorOrder::Send { party, .. }
        | AnchorOrder::Digit { party, .. }
        | AnchorOrder::Record { party, .. }
        | AnchorOrder::Leave { party }) = order
        else {
            self.recording_ends(order);
            return None;
        };
        let known = self.parties.get_mut(party);
        match (order, known) {
            (AnchorOrder::Join { hears, listens, .. }, None) => {
                self.parties.insert(*party, Party { hears: hears.clone(), sends_to: *listens });
                return Some(listens_at(*party));
            }
            (AnchorOrder::Change { hears, .. }, Some(party)) => party.hears = hears.clone(),
            (AnchorOrder::Send { address, .. }, Some(party)) => party.sends_to = Some(*address),
            (AnchorOrder::Digit { .. }, Some(_)) => {}
            (AnchorOrder::Record { recording, .. }, Some(party)) => {
                let name = recording.as_ref().map(|recording| recording.name.clone());
                let begins = name.as_ref().is_some_and(|_| !matches!(party.hears, Hears::Bridge(_)));
                if begins || name.as_ref().is_some_and(|name| self.ended.contains(name)) {
                    self.wrong.get_or_insert_with(|| format!("{order:?}, after its end or of nobody"));
                }
                self.recordings.extend(name);
            }
            (AnchorOrder::Leave { .. }, Some(_)) => {
                self.parties.remove(party);
                self.left += 1;
            }
            (order, known) => {
                let known = if known.is_some() { "is there" } else { "is not there" };
                self.wrong.get_or_insert_with(|| format!("{order:?}, and the party {known}"));
            }
        }
        None
    }

    fn recording_ends(&mut self, order: &AnchorOrder) {
        let AnchorOrder::RecordingEnds { name } = order else { return };
        if !self.recordings.contains(name) || !self.ended.insert(name.clone()) {
            self.wrong.get_or_insert_with(|| format!("{order:?}, which has not begun or is over"));
        }
    }

    /// Forgets the recordings, which have ended; says how many that were.
    pub(crate) fn forget_recordings(&mut self) -> usize {
        self.ended.clear();
        std::mem::take(&mut self.recordings).len()
    }

    /// How many recordings go on.
    pub(crate) fn recording(&self) -> usize {
        self.recordings.len() - self.ended.len()
    }

    /// The audio of a leg is recorded: each once for each who has counted.
    pub(crate) fn record(&mut self, quality: &CallQuality) {
        if quality.counted_by == CountedBy::Manager {
            self.counted += quality.figures.packets_sent;
        }
        if !self.qualities.insert((quality.call, quality.party, quality.counted_by)) {
            self.wrong.get_or_insert_with(|| format!("{quality:?} was recorded before"));
        }
    }

    /// How often a party has left without that anybody could tell by the records of calls.
    pub(crate) fn unrecorded(&self) -> u32 {
        self.left.abs_diff(self.counted)
    }

    /// How many parties have a place.
    pub(crate) fn len(&self) -> usize {
        self.parties.len()
    }
}

fn listens_at(party: u32) -> SocketAddr {
    let port = u16::try_from(party % 10_000).unwrap_or_default();
    SocketAddr::from(([10, 0, 0, 2], 20_000 + port * 2))
}
