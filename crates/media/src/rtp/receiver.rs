//! How good a received stream is: RFC 3550, appendices A.1 (validity), A.3 (loss) and A.8 (jitter).
//!
//! Three things differ from the text of A.1, and each makes the figures what a person expects of them: the packets
//! that prove a source valid are counted, duplicates are recognised and do not hide a loss, and a packet from
//! before the first one counted moves the beginning back.

use core::time::Duration;

use super::{RtpHeader, RtpTimestamp, SequenceNumber, Ssrc};
use crate::Time;
use crate::rtcp::{NtpTime, ReportBlock};

/// A gap in sequence numbers up to this is loss; a larger one is a jump (RFC 3550, A.1).
const MAX_DROPOUT: u16 = 3000;
/// A packet up to this far behind is late; one further behind is a jump (RFC 3550, A.1).
const MAX_MISORDER: u16 = 100;

/// Watches one receiving port. Give it every RTP packet that arrives there.
#[derive(Debug, Clone)]
pub struct ReceiverStats {
    clock_rate: u32,
    source: Option<Source>,
    /// A packet that did not fit in. If the next one that does not fit follows it, they are a new stream.
    candidate: Option<Arrival>,
    /// Sums of the streams before the current one.
    past: Quality,
    strays: u64,
    ssrc_changes: u64,
    restarts: u64,
    last_report: Option<(NtpTime, Time)>,
}

/// What a packet was for the stream it arrived in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The next one, or a later one after a gap.
    InOrder,
    /// Older than one that came before, and not seen yet.
    Reordered,
    /// Seen before: do not play it.
    Duplicate,
    /// From a source, or a place in the numbers, that is not proven yet; the next packet may prove it.
    OnProbation,
    /// The second in sequence from a new source: it and the one on probation count.
    NewSource,
    /// The second in sequence at another place in the numbers: the sender started anew.
    Restarted,
}

/// The figures of a receiving port since its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quality {
    /// Packets received, each counted once.
    pub packets: u64,
    /// Bytes of payload in them.
    pub octets: u64,
    /// Packets that should have come, by their numbers.
    pub expected: u64,
    /// Packets that did not come.
    pub lost: u64,
    /// Packets that came once more than they should.
    pub duplicates: u64,
    /// Packets that came after one with a higher number.
    pub reordered: u64,
    /// Packets that belonged to no proven stream.
    pub strays: u64,
    /// How often the source changed, the first not counted.
    pub ssrc_changes: u64,
    /// How often a source started its numbers anew.
    pub restarts: u64,
    /// Interarrival jitter in ticks of the stream's clock, as receiver reports carry it.
    pub jitter_ticks: u32,
    /// The same as time.
    pub jitter: Duration,
    /// The largest value that the jitter had.
    pub max_jitter: Duration,
}

impl Quality {
    /// Share of the expected packets that did not come, in 0.0..=1.0.
    pub fn loss_ratio(&self) -> f64 {
        if self.expected == 0 { 0.0 } else { self.lost as f64 / self.expected as f64 }
    }
}

impl ReceiverStats {
    /// For a port whose streams have this many timestamp ticks per second
    /// ([`Codec::clock_rate`](crate::Codec::clock_rate)); zero counts as one.
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate: clock_rate.max(1),
            source: None,
            candidate: None,
            past: Quality::default(),
            strays: 0,
            ssrc_changes: 0,
            restarts: 0,
            last_report: None,
        }
    }

    /// Counts a packet with `payload_len` bytes of payload that arrived at `now`.
    pub fn receive(&mut self, now: Time, header: &RtpHeader, payload_len: usize) -> Received {
        let arrival = Arrival { header: *header, ticks: now.ticks(self.clock_rate), len: payload_len as u64 };
        if let Some(source) = &mut self.source
            && source.ssrc == header.ssrc
            && let Some(received) = source.receive(&arrival)
        {
            // The proven stream lives, so what did not fit in was a stray.
            self.strays += u64::from(self.candidate.take().is_some());
            return received;
        }
        match self.candidate.replace(arrival) {
            Some(first) if first.header == arrival.header => {
                self.past.duplicates += 1;
                Received::Duplicate
            }
            Some(first) if first.leads_to(&arrival) => {
                self.candidate = None;
                self.begin(Source::new(&first, &arrival))
            }
            Some(_) => {
                self.strays += 1;
                Received::OnProbation
            }
            None => Received::OnProbation,
        }
    }

    /// The source of the current stream, once it is proven.
    pub fn ssrc(&self) -> Option<Ssrc> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// The figures up to now.
    pub fn quality(&self) -> Quality {
        let current = self.source.as_ref().map_or_else(Quality::default, Source::quality);
        Quality {
            packets: self.past.packets + current.packets,
            octets: self.past.octets + current.octets,
            expected: self.past.expected + current.expected,
            lost: self.past.lost + current.lost,
            duplicates: self.past.duplicates + current.duplicates,
            reordered: self.past.reordered + current.reordered,
            strays: self.strays,
            ssrc_changes: self.ssrc_changes,
            restarts: self.restarts,
            jitter_ticks: current.jitter_ticks,
            jitter: self.duration(current.jitter_ticks),
            max_jitter: self.past.max_jitter.max(
                self.source.as_ref().map_or(Duration::ZERO, |source| self.duration(source.max_jitter >> 4)),
            ),
        }
    }

    /// Notes that a sender report with this wall clock came at `now`, so that report blocks refer to it and the
    /// other side can tell the round trip.
    pub fn sender_report(&mut self, now: Time, ntp: NtpTime) {
        self.last_report = Some((ntp, now));
    }

    /// A report block on the current stream (RFC 3550, section 6.4.1). Its fraction lost covers the time since
    /// the block before. `None` while there is no stream.
    pub fn report_block(&mut self, now: Time) -> Option<ReportBlock> {
        let source = self.source.as_mut()?;
        let (last_sender_report, delay) = match self.last_report {
            Some((ntp, at)) => {
                let delay = now.since(at).as_micros() * 65_536 / 1_000_000;
                (ntp.middle(), u32::try_from(delay).unwrap_or(u32::MAX))
            }
            None => (0, 0),
        };
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost: source.fraction_lost(),
            cumulative_lost: source.cumulative_lost(),
            extended_highest: source.extended_highest(),
            jitter: source.jitter >> 4,
            last_sender_report,
            delay_since_last_report: delay,
        })
    }

    fn begin(&mut self, source: Source) -> Received {
        let received = match &self.source {
            None => Received::NewSource,
            Some(old) if old.ssrc == source.ssrc => {
                self.restarts += 1;
                Received::Restarted
            }
            Some(_) => {
                self.ssrc_changes += 1;
                self.last_report = None;
                Received::NewSource
            }
        };
        self.past = self.quality();
        self.source = Some(source);
        received
    }

    fn duration(&self, ticks: u32) -> Duration {
        Duration::from_micros(u64::from(ticks) * 1_000_000 / u64::from(self.clock_rate))
    }
}

/// What is kept of a packet until its stream is proven.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    header: RtpHeader,
    ticks: u32,
    len: u64,
}

impl Arrival {
    fn leads_to(&self, next: &Self) -> bool {
        self.header.ssrc == next.header.ssrc && self.header.sequence.next() == next.header.sequence
    }

    /// Arrival on the stream's own clock, up to a constant.
    fn transit(&self) -> u32 {
        self.ticks.wrapping_sub(self.header.timestamp.0)
    }
}

/// A proven stream.
#[derive(Debug, Clone)]
struct Source {
    ssrc: Ssrc,
    /// Sequence numbers are extended from here on, one circle ahead, so that they can also go back.
    base: u64,
    highest: u64,
    /// Bit n: packet `highest - n` was received.
    seen: u128,
    packets: u64,
    octets: u64,
    duplicates: u64,
    reordered: u64,
    /// Expected and received when the last report block was made.
    prior: (u64, u64),
    transit: u32,
    timestamp: RtpTimestamp,
    /// In sixteenths of a tick, as RFC 3550 A.8 keeps it.
    jitter: u32,
    max_jitter: u32,
}

impl Source {
    fn new(first: &Arrival, second: &Arrival) -> Self {
        let base = (1 << 16) + u64::from(first.header.sequence.0);
        let mut source = Self {
            ssrc: first.header.ssrc,
            base,
            highest: base,
            seen: 1,
            packets: 1,
            octets: first.len,
            duplicates: 0,
            reordered: 0,
            prior: (0, 0),
            transit: first.transit(),
            timestamp: first.header.timestamp,
            jitter: 0,
            max_jitter: 0,
        };
        source.advance(1);
        source.count(second);
        source
    }

    /// Counts a packet of this source; `None` if its number is from somewhere else.
    fn receive(&mut self, arrival: &Arrival) -> Option<Received> {
        let highest = SequenceNumber(self.highest as u16);
        let ahead = arrival.header.sequence.0.wrapping_sub(highest.0);
        let behind = ahead.wrapping_neg();
        if (1..MAX_DROPOUT).contains(&ahead) {
            self.advance(ahead);
            self.count(arrival);
            Some(Received::InOrder)
        } else if behind <= MAX_MISORDER {
            let bit = 1u128 << behind;
            if self.seen & bit != 0 {
                self.duplicates += 1;
                return Some(Received::Duplicate);
            }
            self.seen |= bit;
            self.base = self.base.min(self.highest - u64::from(behind));
            self.reordered += 1;
            self.count(arrival);
            Some(Received::Reordered)
        } else {
            None
        }
    }

    fn advance(&mut self, ahead: u16) {
        self.highest += u64::from(ahead);
        self.seen = self.seen.checked_shl(ahead.into()).unwrap_or(0) | 1;
    }

    fn count(&mut self, arrival: &Arrival) {
        self.packets += 1;
        self.octets += arrival.len;
        // Packets with one timestamp are parts of one thing (a telephone event and its repetitions), and when
        // they come says nothing about the network.
        if arrival.header.timestamp == self.timestamp {
            return;
        }
        let transit = arrival.transit();
        let difference = transit.wrapping_sub(self.transit).cast_signed().unsigned_abs();
        self.transit = transit;
        self.timestamp = arrival.header.timestamp;
        // A leap of the sender's clock is no jitter and would spoil the figure for seconds: RFC 3550 leaves the
        // bound open; a minute at 8 kHz is far beyond any queue.
        if difference < 480_000 {
            self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4);
            self.max_jitter = self.max_jitter.max(self.jitter);
        }
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    fn extended_highest(&self) -> u32 {
        (self.highest - (1 << 16)) as u32
    }

    /// With duplicates counted as received, as RFC 3550 A.3 wants it; may be negative. Fits in 24 bits.
    fn cumulative_lost(&self) -> i32 {
        let lost = self.expected().cast_signed() - (self.packets + self.duplicates).cast_signed();
        lost.clamp(-0x80_0000, 0x7F_FFFF) as i32
    }

    fn fraction_lost(&mut self) -> u8 {
        let now = (self.expected(), self.packets + self.duplicates);
        let expected = now.0.saturating_sub(self.prior.0);
        let received = now.1.saturating_sub(self.prior.1);
        self.prior = now;
        match expected.checked_sub(received) {
            Some(lost) if expected > 0 => ((lost << 8) / expected).min(255) as u8,
            _ => 0,
        }
    }

    fn quality(&self) -> Quality {
        Quality {
            packets: self.packets,
            octets: self.octets,
            expected: self.expected(),
            lost: self.expected().saturating_sub(self.packets),
            duplicates: self.duplicates,
            reordered: self.reordered,
            jitter_ticks: self.jitter >> 4,
            ..Quality::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PayloadType;

    fn header(ssrc: u32, sequence: u16, timestamp: u32) -> RtpHeader {
        RtpHeader {
            marker: false,
            payload_type: PayloadType::PCMU,
            sequence: SequenceNumber(sequence),
            timestamp: RtpTimestamp(timestamp),
            ssrc: Ssrc(ssrc),
        }
    }

    /// Feeds packets of source 1 in this order, each as if sent and received on the beat of its number.
    fn feed(stats: &mut ReceiverStats, sequences: impl IntoIterator<Item = u16>) -> Vec<Received> {
        let feed_one = |sequence: u16| {
            let beat = u64::from(sequence.wrapping_sub(60_000));
            stats.receive(Time::from_millis(beat * 20), &header(1, sequence, beat as u32 * 160), 160)
        };
        sequences.into_iter().map(feed_one).collect()
    }

    #[test]
    fn counts_a_clean_stream_around_the_wrap() {
        let mut stats = ReceiverStats::new(8000);
        let verdicts = feed(&mut stats, (65_000..=65_535).chain(0..1000));
        assert_eq!(verdicts[..3], [Received::OnProbation, Received::NewSource, Received::InOrder]);
        let quality = stats.quality();
        assert_eq!((quality.packets, quality.expected, quality.lost), (1536, 1536, 0));
        assert_eq!((quality.octets, quality.jitter_ticks, quality.strays), (1536 * 160, 0, 0));
        let block = stats.report_block(Time::ZERO).unwrap();
        assert_eq!((block.extended_highest, block.cumulative_lost, block.fraction_lost), (0x1_03E7, 0, 0));
    }

    #[test]
    fn tells_loss_disorder_and_duplicates() {
        let mut stats = ReceiverStats::new(8000);
        let verdicts = feed(&mut stats, [100, 101, 104, 103, 103, 104, 105, 106, 106]);
        use Received::*;
        assert_eq!(
            verdicts,
            [OnProbation, NewSource, InOrder, Reordered, Duplicate, Duplicate, InOrder, InOrder, Duplicate]
        );
        let quality = stats.quality();
        assert_eq!((quality.packets, quality.expected, quality.lost), (6, 7, 1));
        assert_eq!((quality.duplicates, quality.reordered), (3, 1));
        assert!((quality.loss_ratio() - 1.0 / 7.0).abs() < 1e-9);
        // By the RFC's count three duplicates more than outweigh one loss.
        assert_eq!(stats.report_block(Time::ZERO).unwrap().cumulative_lost, -2);
    }

    #[test]
    fn a_packet_from_before_the_first_moves_the_beginning() {
        let mut stats = ReceiverStats::new(8000);
        feed(&mut stats, [11, 12, 10, 13]);
        let quality = stats.quality();
        assert_eq!((quality.packets, quality.expected, quality.lost, quality.reordered), (4, 4, 0, 1));
    }

    #[test]
    fn fraction_lost_covers_the_time_since_the_last_report() {
        let mut stats = ReceiverStats::new(8000);
        feed(&mut stats, 0..10);
        assert_eq!(stats.report_block(Time::ZERO).unwrap().fraction_lost, 0);
        feed(&mut stats, [10, 12, 14, 16, 17]);
        let block = stats.report_block(Time::ZERO).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), ((3 * 256 / 8) as u8, 3));
        feed(&mut stats, 18..20);
        assert_eq!(stats.report_block(Time::ZERO).unwrap().fraction_lost, 0);
    }

    #[test]
    fn refers_to_the_last_sender_report() {
        let mut stats = ReceiverStats::new(8000);
        feed(&mut stats, 0..2);
        stats.sender_report(Time::from_millis(1000), NtpTime(0x1111_2222_3333_4444));
        let block = stats.report_block(Time::from_millis(3500)).unwrap();
        assert_eq!((block.last_sender_report, block.delay_since_last_report), (0x2222_3333, 0x2_8000));
    }

    #[test]
    fn a_first_packet_that_comes_twice_is_a_duplicate() {
        let mut stats = ReceiverStats::new(8000);
        let verdicts = feed(&mut stats, [7, 7, 8, 8]);
        use Received::*;
        assert_eq!(verdicts, [OnProbation, Duplicate, NewSource, Duplicate]);
        let quality = stats.quality();
        assert_eq!((quality.packets, quality.duplicates, quality.strays, quality.lost), (2, 2, 0, 0));
    }

    #[test]
    fn another_source_needs_two_in_sequence_and_silence_of_the_first() {
        let mut stats = ReceiverStats::new(8000);
        feed(&mut stats, 0..5);
        let stranger = |stats: &mut ReceiverStats, sequence| {
            stats.receive(Time::from_millis(100), &header(9, sequence, 0), 160)
        };
        // Interleaved with the living stream it stays a stray.
        assert_eq!(stranger(&mut stats, 500), Received::OnProbation);
        feed(&mut stats, [5]);
        assert_eq!(stranger(&mut stats, 501), Received::OnProbation);
        feed(&mut stats, [6]);
        assert_eq!((stats.ssrc(), stats.quality().strays), (Some(Ssrc(1)), 2));
        // Alone it takes over, and what was before is not forgotten.
        assert_eq!(stranger(&mut stats, 502), Received::OnProbation);
        assert_eq!(stranger(&mut stats, 503), Received::NewSource);
        assert_eq!(stranger(&mut stats, 505), Received::InOrder);
        let quality = stats.quality();
        assert_eq!((stats.ssrc(), quality.ssrc_changes, quality.restarts), (Some(Ssrc(9)), 1, 0));
        assert_eq!((quality.packets, quality.lost, quality.strays), (10, 1, 2));
    }

    #[test]
    fn a_restart_is_no_loss_of_thousands() {
        let mut stats = ReceiverStats::new(8000);
        feed(&mut stats, 0..10);
        let verdicts = feed(&mut stats, [40_000, 40_001, 40_002]);
        assert_eq!(verdicts, [Received::OnProbation, Received::Restarted, Received::InOrder]);
        let quality = stats.quality();
        assert_eq!((quality.packets, quality.lost, quality.restarts), (13, 0, 1));
    }

    #[test]
    fn jitter_follows_the_formula_of_the_rfc() {
        let mut stats = ReceiverStats::new(8000);
        // Every second packet comes 5 ms (40 ticks) late: |D| is 40 each time, so jitter tends to 40 ticks.
        let mut reference = 0.0f64;
        for n in 0..500u16 {
            let late = if n % 2 == 0 { 0 } else { 5 };
            stats.receive(
                Time::from_millis(u64::from(n) * 20 + late),
                &header(1, n, u32::from(n) * 160),
                160,
            );
            if n > 0 {
                reference += (40.0 - reference) / 16.0;
            }
        }
        let quality = stats.quality();
        assert!((f64::from(quality.jitter_ticks) - reference).abs() <= 1.0, "{quality:?} {reference}");
        assert!((4875..=5000).contains(&(quality.jitter.as_micros() as u32)));
        assert!(quality.max_jitter >= quality.jitter);
    }

    #[test]
    fn an_event_and_its_repetitions_are_no_jitter() {
        let mut stats = ReceiverStats::new(8000);
        feed(&mut stats, 0..3);
        for n in 3..12u16 {
            stats.receive(Time::from_millis(u64::from(n.wrapping_sub(60_000)) * 20), &header(1, n, 480), 4);
        }
        assert!(stats.quality().max_jitter < Duration::from_millis(100));
    }
}
