//! How good audio was, of all calls: by the kind of leg, and for each trunk.

use std::collections::BTreeMap;

use selsius_exchange::record::{CallQuality, CountedBy, LegEnd, Mos};

/// Trunks that are told apart; further ones are [`OTHERS`]. Sites have fewer, and whoever renames them all day does not fill
/// the memory.
const TRUNKS: usize = 64;
/// Not the name of a trunk.
const OTHERS: &str = "(others)";

/// What was heard on legs since the start.
#[derive(Debug, Clone)]
pub struct Heard(BTreeMap<Ear, Spreads>);

impl Default for Heard {
    /// Phones are there before they have heard anything, so that their first figures are a change.
    fn default() -> Self {
        let phones = [HeardBy::Party, HeardBy::Manager].map(|heard_by| Ear { trunk: None, heard_by });
        Self(phones.map(|ear| (ear, Spreads::default())).into())
    }
}

/// Who has heard what of which legs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ear {
    /// The trunk that they are of; `None` for those of phones.
    pub trunk: Option<String>,
    /// Who.
    pub heard_by: HeardBy,
}

/// Who has heard it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeardBy {
    /// The party: what went to it.
    Party,
    /// The manager: what came from the party, where the audio passed through it.
    Manager,
}

/// Of each figure how often it was how large. A figure that is not known is not counted.
#[derive(Debug, Clone)]
pub struct Spreads {
    /// Estimated mean opinion scores.
    pub mos: Spread,
    /// Shares of packets lost.
    pub loss: Spread,
    /// Jitter in seconds.
    pub jitter: Spread,
    /// There and back, in seconds.
    pub round_trip: Spread,
}

impl Default for Spreads {
    fn default() -> Self {
        Self {
            mos: Spread::new(&[2.0, 2.5, 3.0, 3.5, 3.75, 4.0, 4.25, 4.5]),
            loss: Spread::new(&[0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]),
            jitter: Spread::new(&[0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1]),
            round_trip: Spread::new(&[0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0]),
        }
    }
}

/// Figures by how large they are: a count for each range.
#[derive(Debug, Clone)]
pub struct Spread {
    /// The largest of each range, ascending. What is larger than all of them is in a range of its own.
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl Spread {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    fn add(&mut self, figure: Option<f64>) {
        let Some(figure) = figure else { return };
        let range = self.bounds.partition_point(|&bound| bound < figure);
        if let Some(count) = self.counts.get_mut(range) {
            *count += 1;
        }
        self.sum += figure;
    }

    /// Each bound with how many were at most as large.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        self.bounds.iter().copied().zip(counts)
    }

    /// How many in all.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

impl Heard {
    pub(super) fn add(&mut self, quality: &CallQuality) {
        let figures = &quality.figures;
        let trunk = match &quality.end {
            LegEnd::Phone(_) => None,
            LegEnd::Trunk(trunk) => Some(trunk.as_str()),
        };
        let heard_by = match quality.counted_by {
            CountedBy::Phone => HeardBy::Party,
            CountedBy::Manager => HeardBy::Manager,
        };
        if figures.packets_received > 0 {
            let spreads = self.spreads(trunk, heard_by);
            spreads.mos.add(figures.mos.map(Mos::score));
            spreads.loss.add(figures.loss());
            spreads.jitter.add(Some(seconds(figures.jitter_ms)));
            spreads.round_trip.add(figures.round_trip_ms.map(seconds));
        }
        // Phones tell themselves what they have heard.
        if heard_by == HeardBy::Manager && trunk.is_some() && figures.loss_there().is_some() {
            let spreads = self.spreads(trunk, HeardBy::Party);
            spreads.mos.add(figures.mos_there.map(Mos::score));
            spreads.loss.add(figures.loss_there());
            spreads.jitter.add(figures.jitter_there_ms.map(seconds));
        }
    }

    fn spreads(&mut self, trunk: Option<&str>, heard_by: HeardBy) -> &mut Spreads {
        let ear = Ear { trunk: trunk.map(Into::into), heard_by };
        // Each has two ears at most, and so have phones.
        let full = self.0.len() >= 2 + 2 * TRUNKS && !self.0.contains_key(&ear);
        let ear = match (full, &ear.trunk) {
            (true, Some(_)) => Ear { trunk: Some(OTHERS.into()), ..ear },
            _ => ear,
        };
        self.0.entry(ear).or_default()
    }

    /// All that was heard.
    pub fn iter(&self) -> impl Iterator<Item = (&Ear, &Spreads)> {
        self.0.iter()
    }
}

/// What a phone says may be anything: one wrong figure must not drown all others in the sum.
fn seconds(millis: u32) -> f64 {
    f64::from(millis.min(10_000)) / 1000.0
}

#[cfg(test)]
mod tests {
    use selsius_exchange::record::{CallId, StreamFigures};

    use super::*;

    fn quality(end: LegEnd, counted_by: CountedBy) -> CallQuality {
        CallQuality {
            call: CallId(1),
            party: 1,
            number: String::new(),
            end,
            counted_by,
            codec: "PCMU".into(),
            figures: StreamFigures {
                packets_sent: 100,
                packets_received: 99,
                packets_lost: 1,
                jitter_ms: 3,
                round_trip_ms: Some(40),
                mos: Mos::from_hundredths(340),
                packets_lost_there: Some(50),
                mos_there: Mos::from_hundredths(150),
                ..StreamFigures::default()
            },
        }
    }

    #[test]
    fn each_ear_has_its_own_figures() {
        let mut heard = Heard::default();
        let phone = LegEnd::Phone("SEP001122334455".parse().unwrap());
        heard.add(&quality(phone.clone(), CountedBy::Phone));
        heard.add(&quality(phone.clone(), CountedBy::Manager));
        heard.add(&quality(LegEnd::Trunk("carrier".into()), CountedBy::Manager));
        let mut silent = quality(phone, CountedBy::Phone);
        silent.figures.packets_received = 0;
        heard.add(&silent);
        let seen: Vec<_> = heard
            .iter()
            .map(|(ear, spreads)| {
                (ear.trunk.as_deref(), ear.heard_by, spreads.loss.count(), spreads.mos.sum())
            })
            .collect();
        assert_eq!(
            seen,
            [
                (None, HeardBy::Party, 1, 3.4),
                (None, HeardBy::Manager, 1, 3.4),
                (Some("carrier"), HeardBy::Party, 1, 1.5),
                (Some("carrier"), HeardBy::Manager, 1, 3.4),
            ]
        );
        let (_, first) = heard.iter().next().unwrap();
        let below = |spread: &Spread, bound: f64| spread.cumulative().find(|(at, _)| *at == bound).unwrap().1;
        assert_eq!((below(&first.mos, 3.0), below(&first.mos, 3.5)), (0, 1));
        assert_eq!((below(&first.loss, 0.005), below(&first.loss, 0.01)), (0, 1));
        assert_eq!((below(&first.jitter, 0.002), below(&first.jitter, 0.005)), (0, 1));
        assert_eq!((below(&first.round_trip, 0.02), below(&first.round_trip, 0.05)), (0, 1));
    }

    #[test]
    fn trunks_without_end_are_counted_together() {
        let mut heard = Heard::default();
        assert_eq!(heard.iter().count(), 2, "phones");
        for name in 0..1000 {
            heard.add(&quality(LegEnd::Trunk(format!("t{name}")), CountedBy::Manager));
        }
        assert_eq!(heard.iter().count(), 2 * TRUNKS + 4);
        let others = heard.iter().find(|(ear, _)| ear.trunk.as_deref() == Some(OTHERS)).unwrap().1;
        assert_eq!(others.mos.count(), 1000 - TRUNKS as u64);
    }
}
