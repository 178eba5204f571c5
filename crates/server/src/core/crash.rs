//! A crash of the exchange, contained: it is logged, nothing that it had recorded is lost, and it begins again.
//!
//! A panic ends the connections and the calls in progress. The listening sockets, the office, what lines and phones remember,
//! all counts, waiting commands and whoever watches outlive it. Phones see their connection end and register again.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use selsius_exchange::{Exchange, Output, record::Record};
use slab::Slab;

use super::{
    Command, Core, ZoneTable,
    admission::{Admission, Lateness},
    since, wall_clock,
};
use crate::quality;

/// How long an exchange stays down after its first crash, its second, and so on, as long as they come close together.
/// After one more it is given up: what crashes at once each time is better off in a new process.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];
/// Crashes that lie further apart than this have nothing to do with each other.
const APART: Duration = Duration::from_secs(60);

/// The crashes of the last while.
#[derive(Debug, Default)]
struct Crashes(VecDeque<Instant>);

impl Crashes {
    /// One more: how long to stay down; `None` gives up.
    fn pause(&mut self, now: Instant) -> Option<Duration> {
        self.0.retain(|&crash| now.duration_since(crash) < APART);
        let pause = PAUSES.get(self.0.len()).copied();
        self.0.push_back(now);
        pause
    }
}

/// Runs the exchange until it is stopped, or crashes too often.
pub(super) fn run(mut core: Core) {
    let mut crashes = Crashes::default();
    loop {
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| core.run())) else { return };
        core.counters.crashes += 1;
        core.counters.last_crash = Some(Timestamp::now());
        let interrupted = save_records(&mut core);
        let problem = message(&*panic);
        tracing::error!(
            problem,
            interrupted,
            "the exchange has crashed; its calls are over, phones register again"
        );
        if core.draining.is_some() || core.stopping.is_some() {
            return;
        }
        let Some(pause) = crashes.pause(Instant::now()) else {
            let count = PAUSES.len() + 1;
            tracing::error!(count, "the exchange crashes again and again; it stops");
            return;
        };
        core = core.begin_again();
        if !core.stay_down(pause) {
            return;
        }
    }
}

/// Hands over what the exchange still wanted to have recorded, and the records of the calls that are cut off; says how
/// many those are. Whatever state it is in: what crashes here is left out.
fn save_records(core: &mut Core) -> usize {
    while let Some(output) = core.exchange.poll_output() {
        if let Output::Store(record) = output {
            save(core, *record);
        }
    }
    let now = core.now();
    let cut_off = catch_unwind(AssertUnwindSafe(|| core.exchange.cut_off(now)));
    // The store finds calls that only have a beginning, at the next start of the process.
    let records = cut_off.unwrap_or_default();
    let count = records.len();
    for record in records {
        save(core, record);
    }
    count
}

fn save(core: &mut Core, mut record: Record) {
    quality::estimate(&mut record);
    core.tally.record(&record);
    let saved = catch_unwind(AssertUnwindSafe(|| (core.records)(record)));
    if !saved.unwrap_or(false) {
        core.counters.records_lost += 1;
    }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
}

impl Core {
    /// All that outlives a crash, with a new exchange.
    fn begin_again(self) -> Self {
        let Self {
            poll,
            listeners,
            commands,
            records,
            limits,
            watchers,
            counters,
            tally,
            mut anchors,
            trunks,
            ..
        } = self;
        anchors.begin_again();
        let (origin, serial, buffer, zone) = (self.origin, self.serial, self.buffer, self.zone);
        // Their sockets close: phones notice at once.
        drop(self.connections);
        let wall = wall_clock(since(origin), &zone);
        let mut exchange = Exchange::after(self.exchange.remains(), wall);
        watchers.begin_again(&mut exchange);
        Self {
            poll,
            listeners,
            connections: Slab::new(),
            admission: Admission::default(),
            lateness: Lateness::default(),
            held: VecDeque::new(),
            zones: ZoneTable::of(exchange.site()),
            exchange,
            trunks: trunks.begin_again(),
            commands,
            late: self.late,
            commands_wait: true,
            anchors,
            watchers,
            records,
            limits,
            counters,
            tally,
            origin,
            zone,
            wall,
            serial,
            buffer,
            pending: Vec::new(),
            unread: 0,
            closing: VecDeque::new(),
            // Whoever waits there has been announced to the exchange that crashed.
            accepting: false,
            draining: None,
            stopping: None,
        }
    }

    /// Keeps what is asked meanwhile for later; `false` if it is asked to stop.
    fn stay_down(&mut self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        loop {
            match self.commands.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(command) => self.late.push_back(command),
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_it_is_given_up_and_are_forgotten() {
        let (start, mut crashes) = (Instant::now(), Crashes::default());
        for (at, pause) in PAUSES.iter().enumerate() {
            assert_eq!(crashes.pause(start + Duration::from_secs(at as u64)), Some(*pause));
        }
        assert_eq!(crashes.pause(start + Duration::from_secs(10)), None);
        assert_eq!(crashes.pause(start + Duration::from_secs(10) + APART), Some(PAUSES[0]));
        // One a minute can go on for ever.
        for minute in 2..100 {
            assert_eq!(crashes.pause(start + Duration::from_secs(10) + APART * minute), Some(PAUSES[0]));
        }
    }
}
