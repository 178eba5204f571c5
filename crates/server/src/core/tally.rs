//! What the exchange's thread counts for whoever watches over the manager: plain numbers that only this thread touches, and
//! that are copied when somebody asks.

use std::time::Duration;

use selsius_exchange::{
    Counters, Durations, Sizes,
    record::{CallEnded, DeviceEventKind, EndCause, Record},
};
use selsius_wire::MESSAGES;

use super::{NetworkCounters, admission::Refusal, heard::Heard};

/// Everything that is counted or measured, at one moment. Small, however many phones and calls there are.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// How much of everything there is.
    pub sizes: Sizes,
    /// Calls in progress, by the name of their phase.
    pub calls: Vec<(&'static str, usize)>,
    /// Phones that the site has.
    pub configured: usize,
    /// Connections that have not registered.
    pub unregistered: usize,
    /// Can connections be accepted? `false` while the operating system has no more of something.
    pub accepting: bool,
    /// Are new calls refused because there is too much to do?
    pub overloaded: bool,
    /// Are calls and connections being ended?
    pub stopping: bool,
    /// What the exchange counted.
    pub counters: Counters,
    /// What the sockets counted.
    pub network: NetworkCounters,
    /// What is counted beside.
    pub tally: Tally,
}

/// Counts since the start of what passes through.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Messages that phones sent.
    pub received: MessageCounts,
    /// Messages that phones were sent.
    pub sent: MessageCounts,
    /// Calls that ended, in the order of [`EndCause::ALL`].
    pub ended: [u64; EndCause::ALL.len()],
    /// Connections that were refused, in the order of [`Refusal::ALL`].
    refused: [u64; Refusal::ALL.len()],
    /// Phones that went, in order or not.
    pub unregistered: u64,
    /// Phones that were refused.
    pub rejected: u64,
    /// Alarms of phones.
    pub alarms: u64,
    /// How long the thread was busy each time that it had something to do: nobody waited longer within it.
    pub turns: Durations,
    /// From the moment when a call's last digits were read until all that followed was written: the ringing of the other
    /// phone, or the tone that it cannot be called.
    pub call_setup: Durations,
    /// How long calls rang that were answered.
    pub ringing: Durations,
    /// How long answered calls were.
    pub talking: Durations,
    /// How good the audio of their legs was.
    pub heard: Heard,
    /// Calls whose number became complete in this turn.
    begun: u32,
}

const TURNS: [Duration; 12] = [
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_secs(1),
];
const RINGING: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
const TALKING: [Duration; 8] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(180),
    Duration::from_secs(300),
    Duration::from_secs(600),
    Duration::from_secs(1800),
    Duration::from_secs(3600),
];

impl Default for Tally {
    fn default() -> Self {
        Self {
            received: MessageCounts::default(),
            sent: MessageCounts::default(),
            ended: [0; EndCause::ALL.len()],
            refused: [0; Refusal::ALL.len()],
            unregistered: 0,
            rejected: 0,
            alarms: 0,
            turns: Durations::new(&TURNS),
            call_setup: Durations::new(&TURNS),
            ringing: Durations::new(&RINGING),
            talking: Durations::new(&TALKING),
            heard: Heard::default(),
            begun: 0,
        }
    }
}

impl Tally {
    /// Counts what is to be remembered.
    pub(super) fn record(&mut self, record: &Record) {
        match record {
            Record::CallStarted(_) => self.begun += 1,
            Record::CallEnded(call) => self.ended(call),
            Record::DeviceEvent(event) => match event.kind {
                DeviceEventKind::Registered { .. } => {}
                DeviceEventKind::Unregistered { .. } => self.unregistered += 1,
                DeviceEventKind::Rejected { .. } => self.rejected += 1,
                DeviceEventKind::Alarm { .. } => self.alarms += 1,
            },
            Record::CallQuality(quality) => self.heard.add(quality),
            Record::AutoRegistered(_) | Record::LineState { .. } | Record::DeviceState { .. } => {}
        }
    }

    /// Counts a connection that is refused.
    pub(super) fn refused(&mut self, refusal: Refusal) {
        // Refusals are declared in the order of their list.
        if let Some(count) = self.refused.get_mut(refusal as usize) {
            *count += 1;
        }
    }

    /// Connections that were refused, by the key of `[limits]`.
    pub fn connections_refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Refusal::ALL.iter().map(|refusal| refusal.key()).zip(self.refused)
    }

    fn ended(&mut self, call: &CallEnded) {
        // Causes are declared in the order of their list.
        if let Some(count) = self.ended.get_mut(call.cause as usize) {
            *count += 1;
        }
        let Some(answered) = call.answered else { return };
        // The clock may have been set back.
        let between = |from: i64, to: i64| Duration::from_micros(u64::try_from(to - from).unwrap_or(0));
        self.talking.add(between(answered.0, call.ended.0));
        if let Some(ringing) = call.ringing {
            self.ringing.add(between(ringing.0, answered.0));
        }
    }

    /// All that was to do is done, after so long.
    pub(super) fn turn(&mut self, took: Duration) {
        self.turns.add(took);
        for _ in 0..std::mem::take(&mut self.begun) {
            self.call_setup.add(took);
        }
    }
}

/// How often each message was seen.
#[derive(Debug, Clone)]
pub struct MessageCounts {
    /// In the order of [`MESSAGES`].
    known: Vec<u64>,
    /// Those with an id that nobody has documented.
    unknown: u64,
}

impl Default for MessageCounts {
    fn default() -> Self {
        Self { known: vec![0; MESSAGES.len()], unknown: 0 }
    }
}

/// Where the ids below 0x200 stand in [`MESSAGES`], which all have but a few of SPCP; [`NO_ROW`] for those that nobody has
/// documented. A hundred messages a call are counted, and a search among so large rows misses the cache at each step.
static ROWS: [u8; 0x200] = rows();
const NO_ROW: u8 = u8::MAX;

const fn rows() -> [u8; 0x200] {
    assert!(MESSAGES.len() < NO_ROW as usize);
    let mut rows = [NO_ROW; 0x200];
    let mut row = 0;
    while row < MESSAGES.len() {
        let id = MESSAGES[row].id as usize;
        if id < rows.len() {
            rows[id] = row as u8;
        }
        row += 1;
    }
    rows
}

impl MessageCounts {
    pub(super) fn count(&mut self, id: u32) {
        let row = match ROWS.get(id as usize) {
            Some(&row) => usize::from(row),
            None => MESSAGES.binary_search_by_key(&id, |info| info.id).unwrap_or(usize::MAX),
        };
        match self.known.get_mut(row) {
            Some(count) => *count += 1,
            None => self.unknown += 1,
        }
    }

    /// Counts the frame that stands here, if one does.
    pub(super) fn count_frame(&mut self, frame: &[u8]) {
        // Length, header version, id: four bytes each.
        if let Some((id, _)) = frame.get(8..).and_then(|rest| rest.split_first_chunk()) {
            self.count(u32::from_le_bytes(*id));
        }
    }

    /// Those that were seen, by name; all that are unknown are `Unknown`.
    pub fn seen(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let known = MESSAGES.iter().map(|info| info.name).zip(self.known.iter().copied());
        known.chain([("Unknown", self.unknown)]).filter(|&(_, count)| count > 0)
    }
}

#[cfg(test)]
mod tests {
    use selsius_exchange::record::{CallId, Party, WallTime};

    use super::*;

    #[test]
    fn messages_are_counted_by_the_id_of_their_frame() {
        let mut counts = MessageCounts::default();
        counts.count_frame(&[4, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x01, 0, 0]);
        counts.count_frame(&[4, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        counts.count_frame(&[4, 0, 0]);
        counts.count(0);
        assert_eq!(
            counts.seen().collect::<Vec<_>>(),
            [("KeepAlive", 1), ("KeepAliveAck", 1), ("Unknown", 1)]
        );
    }

    #[test]
    fn each_message_is_counted_by_its_name() {
        for info in &MESSAGES {
            let mut counts = MessageCounts::default();
            counts.count(info.id);
            assert_eq!(counts.seen().collect::<Vec<_>>(), [(info.name, 1)], "{:#06x}", info.id);
        }
    }

    #[test]
    fn refusals_stand_in_the_order_of_their_list() {
        let mut tally = Tally::default();
        for (at, &refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(refusal as usize, at, "{}", refusal.key());
            assert!(refusal.words().contains(&format!("({})", refusal.key())), "{refusal:?}");
            tally.refused(refusal);
        }
        assert!(tally.connections_refused().all(|(_, count)| count == 1));
    }

    #[test]
    fn causes_stand_in_the_order_of_their_list() {
        let mut tally = Tally::default();
        for (at, &cause) in EndCause::ALL.iter().enumerate() {
            assert_eq!(cause as usize, at, "{}", cause.name());
            tally.record(&Record::CallEnded(Box::new(CallEnded {
                call: CallId(1),
                calling: Party::default(),
                dialed: String::new(),
                called: Party::default(),
                started: WallTime(0),
                ringing: Some(WallTime(1_000_000)),
                answered: Some(WallTime(4_000_000)),
                ended: WallTime(64_000_000),
                cause,
                codec: String::new(),
                redirections: Vec::new(),
                account: String::new(),
                trunk: String::new(),
                recordings: Vec::new(),
            })));
        }
        assert_eq!(tally.ended, [1; EndCause::ALL.len()]);
        assert_eq!(tally.ringing.sum(), Duration::from_secs(3) * EndCause::ALL.len() as u32);
        assert_eq!(tally.talking.sum(), Duration::from_secs(60) * EndCause::ALL.len() as u32);
    }
}
