//! The numbers of the stream that a party hears: one source, one run of sequence numbers and one clock, whatever its
//! content comes from. A receiver does not notice that the other side of the call has changed.

use crate::dtmf::Press;
use crate::rtcp::{NtpTime, SenderInfo};
use crate::rtp::StreamStart;
use crate::{PacketTime, PayloadType, RtpHeader, RtpTimestamp, SequenceNumber, Ssrc, Time};

/// The sender's clock may differ from ours by so much from one packet to the next. Beyond that it has leapt.
const LEAP_SECONDS: i32 = 2;
/// Packets after which none from before the beginning can come any more.
const SETTLED: i16 = 200;

#[derive(Debug)]
pub(super) struct Outbound {
    clock_rate: u32,
    ssrc: Ssrc,
    /// Of the newest packet.
    sequence: SequenceNumber,
    /// Of the newest sound, and when it went out.
    timestamp: RtpTimestamp,
    at: Time,
    started: bool,
    follows: Follows,
    pub(super) packets: u32,
    pub(super) octets: u32,
}

/// Where the numbers come from.
#[derive(Debug, Clone, Copy)]
enum Follows {
    /// What comes next is a new beginning.
    Nothing,
    /// Sound that is made here: the timestamp of what comes next.
    Clock(RtpTimestamp),
    /// Another stream.
    Stream(Followed),
}

#[derive(Debug, Clone, Copy)]
struct Followed {
    ssrc: Ssrc,
    /// What is to be added; sequence numbers are counted here if packets do not go out as they came.
    sequence: Option<u16>,
    timestamp: u32,
    /// The newest sound that came, and when.
    newest: (RtpTimestamp, Time),
    /// Packets from before this one were another stream's, as long as such ones can come.
    first: Option<SequenceNumber>,
}

/// A packet that is to be passed on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    /// What came.
    pub(super) header: RtpHeader,
    /// Does its sender begin anew?
    pub(super) anew: bool,
    /// Is it sound, or a telephone event, which has the timestamp of its beginning?
    pub(super) sound: bool,
    /// What the party calls such a payload.
    pub(super) payload_type: PayloadType,
    /// Is it passed on as it came, or in other pieces?
    pub(super) whole: bool,
}

impl Outbound {
    pub(super) const fn new(clock_rate: u32, start: StreamStart) -> Self {
        Self {
            clock_rate,
            ssrc: start.ssrc,
            sequence: start.sequence,
            timestamp: start.timestamp,
            at: Time::ZERO,
            started: false,
            follows: Follows::Nothing,
            packets: 0,
            octets: 0,
        }
    }

    pub(super) const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Its timestamps count in another rate from now on.
    pub(super) const fn set_clock_rate(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate;
        self.interrupt();
    }

    /// What comes next has nothing to do with what came before.
    pub(super) const fn interrupt(&mut self) {
        self.follows = Follows::Nothing;
    }

    /// The header of a packet that is passed on; `None` if it is from before the stream that is passed on now.
    pub(super) fn pass(&mut self, now: Time, passed: Passed, octets: usize) -> Option<RtpHeader> {
        let header = passed.header;
        let known = match self.follows {
            Follows::Stream(stream) if stream.ssrc == header.ssrc && !passed.anew => {
                let same_form = stream.sequence.is_some() == passed.whole;
                Some(stream).filter(|stream| same_form && !self.has_leapt(now, stream, &passed))
            }
            _ => None,
        };
        let marker = header.marker || known.is_none();
        let mut stream = known.unwrap_or_else(|| self.follow(now, &passed));
        let sequence = match stream.sequence {
            Some(offset) => header.sequence.plus(offset),
            None => self.sequence.next(),
        };
        let timestamp = header.timestamp.plus(stream.timestamp);
        if let Some(first) = stream.first {
            match sequence.distance_from(first) {
                ..0 => return None,
                SETTLED.. => stream.first = None,
                _ => {}
            }
        }
        if passed.sound && header.timestamp.distance_from(stream.newest.0) >= 0 {
            stream.newest = (header.timestamp, now);
            (self.timestamp, self.at) = (timestamp, now);
        }
        self.follows = Follows::Stream(stream);
        let newer = !self.started || sequence.distance_from(self.sequence) > 0;
        if newer {
            self.sequence = sequence;
        }
        self.count(octets);
        let payload_type = passed.payload_type;
        Some(RtpHeader { marker, payload_type, sequence, timestamp, ssrc: self.ssrc })
    }

    /// The header of the next packet of sound that is made here.
    pub(super) fn make(
        &mut self,
        now: Time,
        packet_time: PacketTime,
        payload_type: PayloadType,
        octets: usize,
    ) -> RtpHeader {
        let (marker, timestamp) = self.clock(now);
        self.pass_time(now, timestamp, packet_time);
        self.next(marker, payload_type, timestamp, octets)
    }

    /// The next packet of a key that is pressed here; `None` when it is done.
    pub(super) fn press(
        &mut self,
        now: Time,
        press: &mut Press,
        packet_time: PacketTime,
        payload_type: PayloadType,
    ) -> Option<(RtpHeader, [u8; 4])> {
        let (_, timestamp) = self.clock(now);
        let (start, event) = press.next(timestamp, packet_time)?;
        let payload = event.to_bytes();
        self.pass_time(now, timestamp, packet_time);
        Some((self.next(start == timestamp, payload_type, start, payload.len()), payload))
    }

    /// What a sender report says at `now`.
    pub(super) fn info(&self, now: Time, wall: NtpTime) -> SenderInfo {
        let timestamp = self.timestamp.plus(self.ticks(now));
        SenderInfo { ntp: wall, timestamp, packets: self.packets, octets: self.octets }
    }

    fn clock(&self, now: Time) -> (bool, RtpTimestamp) {
        match self.follows {
            Follows::Clock(timestamp) => (false, timestamp),
            Follows::Nothing | Follows::Stream(_) => (true, self.resume(now)),
        }
    }

    fn pass_time(&mut self, now: Time, timestamp: RtpTimestamp, packet_time: PacketTime) {
        let ticks = packet_time.as_millis() * (self.clock_rate / 1000);
        self.follows = Follows::Clock(timestamp.plus(ticks));
        (self.timestamp, self.at) = (timestamp, now);
    }

    fn next(
        &mut self,
        marker: bool,
        payload_type: PayloadType,
        timestamp: RtpTimestamp,
        octets: usize,
    ) -> RtpHeader {
        self.sequence = if self.started { self.sequence.next() } else { self.sequence };
        self.count(octets);
        RtpHeader { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc }
    }

    fn follow(&self, now: Time, passed: &Passed) -> Followed {
        let sequence = if self.started { self.sequence.next() } else { self.sequence };
        Followed {
            ssrc: passed.header.ssrc,
            sequence: passed.whole.then_some(sequence.0.wrapping_sub(passed.header.sequence.0)),
            timestamp: self.resume(now).0.wrapping_sub(passed.header.timestamp.0),
            newest: (passed.header.timestamp, now),
            first: Some(sequence),
        }
    }

    fn has_leapt(&self, now: Time, stream: &Followed, passed: &Passed) -> bool {
        let (timestamp, at) = stream.newest;
        let there = passed.header.timestamp.distance_from(timestamp);
        let here = self.since(now, at).cast_signed();
        let leap = LEAP_SECONDS * self.clock_rate.cast_signed();
        // An event has the time of its beginning, which may be long ago.
        let late = if passed.sound { here.saturating_sub(leap) } else { -leap };
        !(late..=here.saturating_add(leap)).contains(&there)
    }

    /// The timestamp of a new beginning: the clock went on meanwhile.
    fn resume(&self, now: Time) -> RtpTimestamp {
        if self.started {
            self.timestamp.plus(self.ticks(now).max(self.clock_rate / 50))
        } else {
            self.timestamp
        }
    }

    fn ticks(&self, now: Time) -> u32 {
        if self.started { self.since(now, self.at) } else { 0 }
    }

    fn since(&self, now: Time, earlier: Time) -> u32 {
        Time::from_micros(now.since(earlier).as_micros() as u64).ticks(self.clock_rate)
    }

    const fn count(&mut self, octets: usize) {
        self.started = true;
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;

    fn outbound() -> Outbound {
        let start =
            StreamStart { ssrc: Ssrc(7), sequence: SequenceNumber(0xFFFE), timestamp: RtpTimestamp(1000) };
        Outbound::new(Codec::Pcmu.clock_rate(), start)
    }

    fn passed(ssrc: u32, sequence: u16, timestamp: u32) -> Passed {
        let header = RtpHeader {
            marker: false,
            payload_type: PayloadType::PCMU,
            sequence: SequenceNumber(sequence),
            timestamp: RtpTimestamp(timestamp),
            ssrc: Ssrc(ssrc),
        };
        Passed { header, anew: false, sound: true, payload_type: PayloadType::PCMU, whole: true }
    }

    /// Milliseconds, what comes (source, number, timestamp), what goes out (marker, number, timestamp).
    type Row = (u64, (u32, u16, u32), Option<(bool, u16, u32)>);

    #[test]
    fn another_source_goes_on_where_the_first_one_was() {
        let table: &[Row] = &[
            (0, (1, 10, 500), Some((true, 0xFFFE, 1000))),
            (20, (1, 11, 660), Some((false, 0xFFFF, 1160))),
            // Lost, then out of order: the receiver sees what was lost, and what came late.
            (60, (1, 13, 980), Some((false, 1, 1480))),
            (61, (1, 12, 820), Some((false, 0, 1320))),
            // Another source, and what is left of the first one's numbers does not come back.
            (160, (2, 9000, 77), Some((true, 2, 1480 + 100 * 8))),
            (165, (2, 8999, 0u32.wrapping_sub(83)), None),
            (180, (2, 9001, 237), Some((false, 3, 2440))),
            // Its clock leaps by minutes: the receiver's does not.
            (200, (2, 9002, 5_000_000), Some((true, 4, 2600))),
            (220, (2, 9003, 5_000_160), Some((false, 5, 2760))),
            // Three seconds of silence are no leap.
            (3220, (2, 9004, 5_024_160), Some((false, 6, 26_760))),
        ];
        let mut outbound = outbound();
        for &(millis, (ssrc, sequence, timestamp), expected) in table {
            let header = outbound.pass(Time::from_millis(millis), passed(ssrc, sequence, timestamp), 160);
            let seen = header.map(|header| (header.marker, header.sequence.0, header.timestamp.0));
            assert_eq!(seen, expected, "at {millis}");
            assert!(header.is_none_or(|header| header.ssrc == Ssrc(7)));
        }
        assert_eq!((outbound.packets, outbound.octets), (9, 9 * 160));
    }

    #[test]
    fn what_is_made_here_and_what_is_passed_on_follow_each_other() {
        let mut outbound = outbound();
        outbound.pass(Time::ZERO, passed(1, 10, 500), 160).unwrap();
        let make = |outbound: &mut Outbound, millis| {
            let header =
                outbound.make(Time::from_millis(millis), PacketTime::DEFAULT, PayloadType::PCMU, 160);
            (header.marker, header.sequence.0, header.timestamp.0)
        };
        assert_eq!(make(&mut outbound, 40), (true, 0xFFFF, 1320));
        // Late, but its place is the next.
        assert_eq!(make(&mut outbound, 75), (false, 0, 1480));
        let back = outbound.pass(Time::from_millis(95), passed(1, 15, 1260), 160).unwrap();
        assert_eq!((back.marker, back.sequence.0, back.timestamp.0), (true, 1, 1640));
        let info = outbound.info(Time::from_millis(195), NtpTime(9));
        assert_eq!((info.timestamp.0, info.packets), (1640 + 800, 4));
    }

    #[test]
    fn a_long_event_is_no_leap() {
        let mut outbound = outbound();
        outbound.pass(Time::ZERO, passed(1, 10, 500), 160).unwrap();
        let event = |n: u16| Passed { sound: false, ..passed(1, 11 + n, 660) };
        for n in 0..200u16 {
            let header = outbound.pass(Time::from_millis(20 + u64::from(n) * 20), event(n), 4).unwrap();
            assert_eq!((header.timestamp.0, header.sequence), (1160, SequenceNumber(0xFFFF).plus(n)));
        }
        let header = outbound.pass(Time::from_millis(4020), passed(1, 211, 660 + 32_000), 160).unwrap();
        assert_eq!((header.marker, header.timestamp.0), (false, 1160 + 32_000));
    }
}
