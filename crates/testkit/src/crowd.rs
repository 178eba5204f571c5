//! Very many phones in step with a clock: all register at once, and then call each other by an open-loop schedule.
//!
//! When each user acts follows from the place of the call in the schedule alone. Since the bed has a clock of its own, a machine
//! that is too slow makes it fall behind, and changes nothing else: the same crowd has the same calls on every machine.

use std::{collections::BTreeSet, time::Duration};

use selsius_exchange::Time;
use selsius_site::{Button, Device, DeviceName, Line, LineNumber, NameError, Site};
use selsius_station::{Action, Config, Phase};

use crate::{
    agree::disagreement,
    bed::Bed,
    network::Network,
    office::{config, name},
};

/// The calls of a [`Crowd`].
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    /// When the first is due.
    pub start: Time,
    /// So many are due in a second, above 0.
    pub rate: f64,
    /// How many there are.
    pub count: u64,
    /// In one of so many, 1 or more, everything that the phones show is compared with the exchange, while they talk and at the end. In
    /// all of them it is looked at who talks to whom, and that nothing is left.
    pub compare: u64,
}

/// What came of the calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that were due.
    pub due: u64,
    /// Those that rang, had audio both ways between the right two, and left nothing.
    pub completed: u64,
    /// Calls of which the exchange says in its records that they were answered and ended.
    pub recorded: u64,
    /// Phones that were compared with the exchange.
    pub compared: u64,
    /// Calls and phones that were not as they should be.
    pub wrong: u64,
    /// The first of those.
    pub examples: Vec<String>,
}

/// What a user does in a call, and how long after its beginning. Between two steps there is time for a way there and back, at the
/// slowest; voice takes up to 50 ms to open (see [`Bed`]).
const STEPS: [(Step, Duration); 6] = [
    (Step::Lift, Duration::ZERO),
    (Step::Dial, Duration::from_millis(10)),
    (Step::Answer, Duration::from_millis(20)),
    (Step::HangUp, Duration::from_millis(100)),
    (Step::PutDown, Duration::from_millis(110)),
    (Step::End, Duration::from_millis(120)),
];
/// How long two phones are busy with a call.
const LENGTH: Duration = Duration::from_millis(130);
/// A local network, with every fourth write cut.
const NETWORK: Network = Network { delay: 100..2_000, cut: 4 };
/// Before the number of the first phone; all numbers have as many digits.
const NUMBERS: usize = 1_000_000;
/// Descriptions of what was wrong that are kept.
const EXAMPLES: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The caller lifts the handset.
    Lift,
    /// The caller dials.
    Dial,
    /// The called one lifts the handset.
    Answer,
    /// They talk; one of them hangs up.
    HangUp,
    /// The other one puts the handset down.
    PutDown,
    /// Nothing is left.
    End,
}

/// A bed with very many phones, each with a line of its own.
pub struct Crowd {
    /// The bed.
    pub bed: Bed,
    /// What came of the calls.
    pub tally: Tally,
    calls: Option<Calls>,
    /// For each step the call that is to make it next: steps come in the order of the calls.
    next: [u64; STEPS.len()],
    /// The earliest of these.
    due: Option<(Time, usize)>,
    /// Calls that were wrong and have not ended.
    failed: BTreeSet<u64>,
}

impl Crowd {
    /// So many phones, an even number of at most 1,000,000, which connect at once.
    ///
    /// # Errors
    /// There are more than have names and numbers.
    pub fn new(phones: usize, seed: u64) -> Result<Self, CrowdError> {
        let mut bed = Bed::new(office(phones)?, NETWORK, seed);
        for phone in 0..phones {
            bed.add(phone_config(phone));
        }
        let (tally, failed) = (Tally::default(), BTreeSet::new());
        Ok(Self { bed, tally, calls: None, next: [0; STEPS.len()], due: None, failed })
    }

    /// Are all phones ready?
    pub fn is_registered(&self) -> bool {
        // The exchange counts those that have asked for all they need, which is quicker to see, and a little earlier.
        let ready = self.bed.exchange.counters().register_to_ready.count();
        let phones = &self.bed.phones;
        ready >= phones.len() as u64 && phones.iter().all(|phone| phone.station.phase() == Phase::Registered)
    }

    /// How many calls a second these phones can make: each is in one call at a time.
    pub fn most_calls(phones: usize) -> f64 {
        (phones / 2) as f64 / LENGTH.as_secs_f64()
    }

    /// Has the phones call each other, in pairs, one pair after the other.
    ///
    /// # Errors
    /// More calls a second than [`Self::most_calls`].
    pub fn call(&mut self, calls: Calls) -> Result<(), CrowdError> {
        let most = Self::most_calls(self.bed.phones.len());
        if calls.rate > most {
            return Err(CrowdError::TooManyCalls { most });
        }
        (self.calls, self.next, self.tally) = (Some(calls), [0; STEPS.len()], Tally::default());
        self.find_due();
        Ok(())
    }

    /// Are all calls over?
    pub fn is_done(&self) -> bool {
        self.due.is_none()
    }

    /// When something is due: an event of the bed, or a user's act.
    pub fn next_at(&self) -> Option<Time> {
        self.due.map(|(at, _)| at).into_iter().chain(self.bed.next_at()).min()
    }

    /// The next of these, if it is not after `until`. When it was due.
    pub fn step(&mut self, until: Time) -> Option<Time> {
        let at = self.next_at().filter(|at| *at <= until)?;
        match self.due {
            // What is on its way arrives first.
            Some((due, step)) if due == at && self.bed.next_at() != Some(at) => {
                self.bed.now = self.bed.now.max(at);
                self.act(step);
            }
            _ => {
                self.bed.step(until);
            }
        }
        Some(at)
    }

    /// Compares every phone with the exchange; what is wrong is counted. There should be no calls.
    pub fn compare_all(&mut self) {
        for phone in 0..self.bed.phones.len() {
            if let Some(what) = self.compare(phone) {
                self.wrong(what);
            }
        }
    }

    fn find_due(&mut self) {
        let Some(calls) = self.calls else { return };
        let of = |step: usize| {
            let call = self.next[step];
            let start = calls.start + Duration::from_secs_f64(call as f64 / calls.rate);
            (call < calls.count).then_some((start + STEPS[step].1, step))
        };
        self.due = (0..STEPS.len()).filter_map(of).min();
    }

    /// The next call makes this step.
    fn act(&mut self, step: usize) {
        let call = self.next[step];
        self.next[step] += 1;
        self.find_due();
        let pairs = self.bed.phones.len() / 2;
        // No call beyond the range of usize: it would take longer than the universe.
        let turn = usize::try_from(call).unwrap_or(usize::MAX);
        let caller = turn % pairs;
        let callee = caller + pairs;
        let (first, last) =
            if (turn / pairs).is_multiple_of(2) { (caller, callee) } else { (callee, caller) };
        match STEPS[step].0 {
            Step::Lift => {
                self.tally.due += 1;
                self.bed.act(caller, Action::OffHook);
            }
            Step::Dial => self.bed.act(caller, Action::Dial(number(callee))),
            Step::Answer => {
                if !self.bed.phones[callee].rings {
                    self.fail(call, format!("phone {callee} does not ring"));
                }
                self.bed.act(callee, Action::OffHook);
            }
            Step::HangUp => {
                let wrong = self.not_talking(caller, callee).or_else(|| self.not_talking(callee, caller));
                if let Some(what) = wrong.or_else(|| self.compare_call(call, [caller, callee])) {
                    self.fail(call, what);
                }
                self.bed.act(first, Action::OnHook);
            }
            Step::PutDown => self.bed.act(last, Action::OnHook),
            Step::End => {
                let left = |phone: &usize| self.bed.phones[*phone].is_busy();
                let left = [caller, callee].into_iter().find(left);
                let wrong = left.map(|phone| format!("phone {phone} is left with audio or its bell"));
                if let Some(what) = wrong.or_else(|| self.compare_call(call, [caller, callee])) {
                    self.fail(call, what);
                }
                self.tally.completed += u64::from(!self.failed.remove(&call));
                let answered = self.bed.ended.drain(..).filter(|call| call.answered.is_some());
                self.tally.recorded += answered.count() as u64;
            }
        }
    }

    /// Why these two do not talk, as far as one of them knows.
    fn not_talking(&self, phone: usize, other: usize) -> Option<String> {
        let (own, theirs) = (&self.bed.phones[phone], &self.bed.phones[other]);
        let to: Vec<_> = own.transmitting.values().map(|to| to.ip()).collect();
        if to != [theirs.station.config().address] || own.receiving.len() != 1 {
            return Some(format!("phone {phone} sends to {to:?} and not to phone {other}"));
        }
        let named = own.station.face().calls.first().map(|call| match phone < other {
            true => call.called_number.clone(),
            false => call.calling_number.clone(),
        });
        (named.as_deref() != Some(&number(other))).then(|| format!("phone {phone} shows {named:?}"))
    }

    fn compare_call(&mut self, call: u64, phones: [usize; 2]) -> Option<String> {
        let every = self.calls.map_or(1, |calls| calls.compare.max(1));
        if !call.is_multiple_of(every) {
            return None;
        }
        phones.into_iter().find_map(|phone| self.compare(phone))
    }

    fn compare(&mut self, phone: usize) -> Option<String> {
        self.tally.compared += 1;
        let Ok(device) = name(phone).parse::<DeviceName>() else { return None };
        let exchange = &self.bed.exchange;
        let Some(view) = exchange.view(&device) else { return Some(format!("{device} is not registered")) };
        disagreement(&self.bed.phones[phone], exchange, &device, &view)
            .map(|what| format!("{device}: {what}"))
    }

    fn fail(&mut self, call: u64, what: String) {
        if self.failed.insert(call) {
            self.wrong(format!("call {call}: {what}"));
        }
    }

    fn wrong(&mut self, what: String) {
        self.tally.wrong += 1;
        if self.tally.examples.len() < EXAMPLES {
            self.tally.examples.push(what);
        }
    }
}

/// Why there is no such crowd.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CrowdError {
    /// A phone has no name or number.
    #[error("a phone without a name or number")]
    Name(#[from] NameError),
    /// More calls at a time than phones.
    #[error("these phones make at most {most:.0} calls a second")]
    TooManyCalls {
        /// Calls a second.
        most: f64,
    },
}

/// An office in which each phone has a line of its own.
///
/// # Errors
/// There are more phones than names and numbers.
pub fn office(phones: usize) -> Result<Site, CrowdError> {
    let mut site = Site::default();
    for phone in 0..phones {
        let number: LineNumber = number(phone).parse()?;
        site.lines.insert(number.clone(), Line { name: format!("User {phone}"), ..Line::default() });
        let buttons = vec![Button::Line { number, label: String::new() }];
        site.devices.insert(name(phone).parse()?, Device { buttons, ..Device::default() });
    }
    Ok(site)
}

/// A phone of one of the bed's classes and versions, at an address of its own.
pub fn phone_config(phone: usize) -> Config {
    let [.., a, b, c] = phone.to_be_bytes();
    Config { address: [10, 1 + a, b, c].into(), ..config(phone) }
}

fn number(phone: usize) -> String {
    (NUMBERS + phone).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phones that are registered and idle.
    fn registered(phones: usize, seed: u64) -> Crowd {
        let mut crowd = Crowd::new(phones, seed).unwrap();
        crowd.bed.run(Duration::from_secs(5));
        assert!(crowd.is_registered());
        crowd
    }

    fn calls(crowd: &Crowd, rate: f64, count: u64) -> Calls {
        Calls { start: crowd.bed.now, rate, count, compare: 1 }
    }

    /// The crowd makes its calls. When each act and event was due.
    fn all(crowd: &mut Crowd) -> Vec<Time> {
        let mut moments = Vec::new();
        while !crowd.is_done() {
            moments.extend(crowd.step(Time::NEVER));
        }
        moments
    }

    #[test]
    fn all_calls_are_completed_and_moments_only_go_on() {
        let mut crowd = registered(32, 1);
        let begin = crowd.bed.now;
        crowd.call(calls(&crowd, 100.0, 150)).unwrap();
        let moments = all(&mut crowd);
        assert!(moments.is_sorted());
        assert_eq!(crowd.bed.now.since(begin), Duration::from_millis(1_490 + 120));
        let tally = &crowd.tally;
        assert_eq!(
            (tally.due, tally.completed, tally.recorded, tally.wrong),
            (150, 150, 150, 0),
            "{tally:?}"
        );
        assert_eq!(tally.compared, 2 * 2 * 150);
        crowd.compare_all();
        assert_eq!((crowd.tally.compared, crowd.tally.wrong), (600 + 32, 0), "{:?}", crowd.tally);
    }

    #[test]
    fn nothing_happens_before_its_time() {
        let mut crowd = registered(4, 2);
        let start = crowd.bed.now + Duration::from_secs(1);
        crowd.call(Calls { start, ..calls(&crowd, 1.0, 1) }).unwrap();
        while crowd.step(start - Duration::from_micros(1)).is_some() {}
        assert_eq!((crowd.tally.due, crowd.bed.now < start), (0, true));
        assert_eq!(crowd.step(start), Some(start));
        assert_eq!((crowd.tally.due, crowd.bed.now), (1, start));
    }

    #[test]
    fn a_call_that_does_not_get_through_is_wrong_once() {
        let mut crowd = registered(8, 3);
        crowd.call(calls(&crowd, 10.0, 4)).unwrap();
        // The second caller's bytes come too late.
        crowd.bed.stall(1, Duration::from_secs(2));
        all(&mut crowd);
        let tally = &crowd.tally;
        assert_eq!((tally.due, tally.completed, tally.wrong), (4, 3, 1), "{tally:?}");
        assert!(tally.examples[0].contains("does not ring"), "{tally:?}");
    }

    #[test]
    fn more_calls_than_phones_are_refused() {
        let mut crowd = Crowd::new(26, 0).unwrap();
        assert_eq!(Crowd::most_calls(26), 100.0);
        assert!(crowd.call(calls(&crowd, 101.0, 1)).is_err() && crowd.is_done());
        assert!(crowd.call(calls(&crowd, 100.0, 1)).is_ok());
    }
}
