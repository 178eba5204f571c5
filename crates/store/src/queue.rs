//! The bounded queue between whoever has something to remember and the writer, who may be held up by a disk.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use selsius_exchange::{
    record::{AutoRegistered, CallEnded, CallQuality, CallStarted, DeviceEvent, Record},
    remembered::{DeviceState, LineState},
};
use selsius_site::{DeviceName, LineNumber};
use tokio::sync::Notify;

/// Takes records from any thread, without ever waiting. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(crate) queue: Arc<Queue>,
}

impl Recorder {
    /// Has it remembered. It is on disk (as far as a killed process goes) within 50 ms, as long as the disk
    /// takes it; if the queue is full, something less important gives way and is counted in [`Lost`].
    pub fn record(&self, record: Record) {
        self.queue.push(record);
    }
}

/// What gave way because the queue was full, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Events of devices: the first to go, the oldest first.
    pub device_events: u64,
    /// Figures of legs.
    pub call_qualities: u64,
    /// Starts of calls. Their ends are recorded all the same; only a crash before that end would hide them.
    pub calls_started: u64,
    /// Phones that registered themselves: they get a number again when they come back.
    pub auto_registered: u64,
    /// Call records: the last to go.
    pub calls_ended: u64,
}

impl Lost {
    /// All of them, by the name of their kind.
    pub fn by_kind(&self) -> [(&'static str, u64); 5] {
        let Self { device_events, call_qualities, calls_started, auto_registered, calls_ended } = *self;
        [
            ("device-event", device_events),
            ("call-quality", call_qualities),
            ("call-started", calls_started),
            ("auto-registered", auto_registered),
            ("call-ended", calls_ended),
        ]
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.by_kind().iter().map(|(_, count)| count).sum()
    }
}

/// Records of each kind, oldest first. Between kinds no order is kept; the writer has one that is right.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) started: VecDeque<CallStarted>,
    pub(crate) ended: VecDeque<CallEnded>,
    pub(crate) quality: VecDeque<CallQuality>,
    pub(crate) auto_registered: VecDeque<AutoRegistered>,
    pub(crate) events: VecDeque<DeviceEvent>,
    /// The newest state of each line that has changed. Nothing has to give way to it and nothing makes it give way: there
    /// are no more of these than lines, and without it a forwarding would come back that its user has ended.
    pub(crate) lines: BTreeMap<LineNumber, LineState>,
    /// The same of phones.
    pub(crate) devices: BTreeMap<DeviceName, DeviceState>,
}

/// What waits for the writer: at most `capacity` records beside the states, and once more as many in the writer's hands.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    batch: Batch,
    lost: Lost,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { waiting: Mutex::default(), arrived: Notify::new(), capacity }
    }

    pub(crate) fn push(&self, record: Record) {
        let mut waiting = self.lock();
        waiting.batch.push(record);
        waiting.shrink(self.capacity);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Waits until something was pushed since the last time.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub(crate) fn take(&self) -> Batch {
        mem::take(&mut self.lock().batch)
    }

    /// Takes back what could not be written: it is older than what waits.
    pub(crate) fn put_back(&self, older: Batch) {
        let mut waiting = self.lock();
        let newer = mem::replace(&mut waiting.batch, older);
        waiting.batch.append(newer);
        waiting.shrink(self.capacity);
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().batch.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn lost(&self) -> Lost {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that panics runs under this lock, so a poisoned one holds whole data.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        self.records() + self.lines.len() + self.devices.len()
    }

    /// What the capacity bounds.
    fn records(&self) -> usize {
        let Self { started, ended, quality, auto_registered, events, lines: _, devices: _ } = self;
        started.len() + ended.len() + quality.len() + auto_registered.len() + events.len()
    }

    pub(crate) fn push(&mut self, record: Record) {
        match record {
            Record::CallStarted(started) => self.started.push_back(started),
            Record::CallEnded(ended) => self.ended.push_back(*ended),
            Record::CallQuality(quality) => self.quality.push_back(*quality),
            Record::DeviceEvent(event) => self.events.push_back(event),
            Record::AutoRegistered(device) => self.auto_registered.push_back(device),
            Record::LineState { line, state } => {
                self.lines.insert(line, state);
            }
            Record::DeviceState { device, state } => {
                self.devices.insert(device, state);
            }
        }
    }

    fn append(&mut self, mut newer: Self) {
        self.started.append(&mut newer.started);
        self.ended.append(&mut newer.ended);
        self.quality.append(&mut newer.quality);
        self.auto_registered.append(&mut newer.auto_registered);
        self.events.append(&mut newer.events);
        // Of two states of one line the appended one stays.
        self.lines.append(&mut newer.lines);
        self.devices.append(&mut newer.devices);
    }
}

impl Waiting {
    /// Lets the oldest of the least important kind go until the rest fits.
    fn shrink(&mut self, capacity: usize) {
        while self.batch.records() > capacity {
            let Self { batch, lost } = self;
            let count = if batch.events.pop_front().is_some() {
                &mut lost.device_events
            } else if batch.quality.pop_front().is_some() {
                &mut lost.call_qualities
            } else if batch.started.pop_front().is_some() {
                &mut lost.calls_started
            } else if batch.auto_registered.pop_front().is_some() {
                &mut lost.auto_registered
            } else if batch.ended.pop_front().is_some() {
                &mut lost.calls_ended
            } else {
                return;
            };
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use selsius_exchange::remembered::Messages;

    use super::*;
    use crate::tests::{ended, event, started};

    #[test]
    fn a_full_queue_gives_up_device_events_first_and_call_records_last() {
        let queue = Queue::new(3);
        queue.push(Record::DeviceEvent(event("SEP1", 1)));
        queue.push(Record::DeviceEvent(event("SEP2", 2)));
        queue.push(Record::CallStarted(started(1, 10)));
        queue.push(Record::CallEnded(Box::new(ended(1, 10))));
        assert_eq!(queue.lost(), Lost { device_events: 1, ..Lost::default() });
        queue.push(Record::CallEnded(Box::new(ended(2, 20))));
        queue.push(Record::CallEnded(Box::new(ended(3, 30))));
        assert_eq!(queue.lost(), Lost { device_events: 2, calls_started: 1, ..Lost::default() });
        queue.push(Record::CallEnded(Box::new(ended(4, 40))));
        assert_eq!(
            queue.lost(),
            Lost { device_events: 2, calls_started: 1, calls_ended: 1, ..Lost::default() }
        );
        let left = queue.take();
        assert_eq!(left.ended, [ended(2, 20), ended(3, 30), ended(4, 40)]);
        assert_eq!(left.len(), 3);
    }

    #[test]
    fn what_could_not_be_written_stands_before_what_came_since() {
        let queue = Queue::new(3);
        queue.push(Record::DeviceEvent(event("SEP1", 1)));
        queue.push(Record::DeviceEvent(event("SEP2", 2)));
        let batch = queue.take();
        queue.push(Record::DeviceEvent(event("SEP3", 3)));
        queue.push(Record::DeviceEvent(event("SEP4", 4)));
        queue.put_back(batch);
        assert_eq!(queue.take().events, [event("SEP2", 2), event("SEP3", 3), event("SEP4", 4)]);
        assert_eq!(queue.lost().device_events, 1);
    }

    #[test]
    fn an_event_that_finds_the_queue_full_of_calls_is_its_own_victim() {
        let queue = Queue::new(1);
        queue.push(Record::CallEnded(Box::new(ended(1, 10))));
        queue.push(Record::DeviceEvent(event("SEP1", 1)));
        assert_eq!(queue.take().ended.len(), 1);
        assert_eq!(queue.lost().device_events, 1);
    }

    #[test]
    fn the_newest_state_of_a_line_stays_however_full_the_queue_is() {
        let line = |number: &str| number.parse::<LineNumber>().unwrap();
        let state = |new| LineState { messages: Messages { new, old: 0 }, ..LineState::default() };
        let record = |number: &str, new| Record::LineState { line: line(number), state: state(new) };
        let queue = Queue::new(1);
        queue.push(Record::CallEnded(Box::new(ended(1, 10))));
        queue.push(record("1001", 1));
        queue.push(record("1001", 2));
        queue.push(record("1002", 3));
        assert_eq!(queue.len(), 3);
        let batch = queue.take();
        queue.push(record("1001", 4));
        queue.put_back(batch);
        let batch = queue.take();
        assert_eq!(batch.lines, BTreeMap::from([(line("1001"), state(4)), (line("1002"), state(3))]));
        assert_eq!((batch.ended.len(), queue.lost()), (1, Lost::default()));
    }
}
