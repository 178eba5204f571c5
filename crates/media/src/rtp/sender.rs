//! The sending end of a stream: numbers for its packets, and when each is due.

use alloc::vec::Vec;
use core::time::Duration;

use super::{PayloadType, RtpHeader, RtpPacket, RtpTimestamp, SequenceNumber, Ssrc};
use crate::dtmf::Press;
use crate::rtcp::{NtpTime, SenderInfo};
use crate::{Codec, PacketTime, Time};

/// Where a stream's numbers begin. RFC 3550 wants them random; randomness comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamStart {
    /// Name of the stream's source.
    pub ssrc: Ssrc,
    /// Number of its first packet.
    pub sequence: SequenceNumber,
    /// Timestamp of its first sample.
    pub timestamp: RtpTimestamp,
}

/// Makes the packets of one stream, each of the same packet time.
///
/// Call one of [`send`](Self::send), [`send_event`](Self::send_event) and [`pause`](Self::pause) for each
/// packet time that passes (a [`Pacer`] tells when): then the timestamps follow the clock.
#[derive(Debug, Clone)]
pub struct Sender {
    codec: Codec,
    packet_time: PacketTime,
    ssrc: Ssrc,
    sequence: SequenceNumber,
    timestamp: RtpTimestamp,
    /// Whether the packet before was sound, so that this one starts no talkspurt.
    talking: bool,
    packets: u32,
    octets: u32,
}

/// A payload that is not what the stream promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{codec} payload is {len} bytes long, but {packet_time} are {expected}")]
pub struct SendError {
    /// The stream's codec.
    pub codec: Codec,
    /// The stream's packet time.
    pub packet_time: PacketTime,
    /// Bytes that were given.
    pub len: usize,
    /// Bytes of a full packet.
    pub expected: usize,
}

impl Sender {
    /// A stream that has not sent anything.
    pub const fn new(codec: Codec, packet_time: PacketTime, start: StreamStart) -> Self {
        Self {
            codec,
            packet_time,
            ssrc: start.ssrc,
            sequence: start.sequence,
            timestamp: start.timestamp,
            talking: false,
            packets: 0,
            octets: 0,
        }
    }

    /// Appends the next packet of sound to `out`. The first after a pause carries the marker.
    ///
    /// # Errors
    /// Where the payload is not as long as the codec's packet, if that has a fixed length. Nothing is sent and no time has passed then.
    pub fn send(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<RtpHeader, SendError> {
        let expected = self.codec.payload_len(self.packet_time);
        if payload.len() != expected && self.codec.has_fixed_size() {
            let (codec, packet_time, len) = (self.codec, self.packet_time, payload.len());
            return Err(SendError { codec, packet_time, len, expected });
        }
        let (marker, timestamp) = (!self.talking, self.timestamp);
        self.talking = true;
        self.pass();
        Ok(self.emit(marker, self.codec.payload_type(), timestamp, payload, out))
    }

    /// Appends the next packet of a pressed key in place of sound: `None` when the key is done, and no time has
    /// passed then. The packets of one key share the timestamp of its start (RFC 4733, section 2.5.1).
    pub fn send_event(
        &mut self,
        press: &mut Press,
        payload_type: PayloadType,
        out: &mut Vec<u8>,
    ) -> Option<RtpHeader> {
        let (start, event) = press.next(self.timestamp, self.packet_time)?;
        let marker = start == self.timestamp;
        self.talking = false;
        self.pass();
        Some(self.emit(marker, payload_type, start, &event.to_bytes(), out))
    }

    /// Lets one packet time pass in silence, without a packet.
    pub fn pause(&mut self) {
        self.talking = false;
        self.pass();
    }

    /// The stream's codec.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// How much sound a packet carries.
    pub const fn packet_time(&self) -> PacketTime {
        self.packet_time
    }

    /// Name of the stream's source.
    pub const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Packets sent so far, modulo 2^32.
    pub const fn packets(&self) -> u32 {
        self.packets
    }

    /// Bytes of payload sent so far, modulo 2^32.
    pub const fn octets(&self) -> u32 {
        self.octets
    }

    /// What a sender report says of this stream. Ask when a packet is due, so that the wall clock's `now` and the
    /// timestamp of that packet are the same moment.
    pub const fn info(&self, now: NtpTime) -> SenderInfo {
        SenderInfo { ntp: now, timestamp: self.timestamp, packets: self.packets, octets: self.octets }
    }

    fn pass(&mut self) {
        self.timestamp = self.timestamp.plus(self.codec.ticks(self.packet_time));
    }

    fn emit(
        &mut self,
        marker: bool,
        payload_type: PayloadType,
        timestamp: RtpTimestamp,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> RtpHeader {
        let header = RtpHeader { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc };
        RtpPacket::new(header, payload).write(out);
        self.sequence = self.sequence.next();
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        header
    }
}

/// Tells when packets are due, at even distances from its start, however late it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    next: Time,
    step: Duration,
}

/// What fell due since a [`Pacer`] was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Packet times to let pass in silence first, since they are too long gone to be sent.
    pub skip: u64,
    /// Packets to send now, at most [`Pacer::BURST`].
    pub send: u32,
}

impl Pacer {
    /// Packets that are sent at once to catch up. More than that would overflow the other side's playout
    /// buffer; it happens when a process was stopped or a machine slept.
    pub const BURST: u32 = 5;

    /// A stream whose first packet is due at `start`.
    pub const fn new(start: Time, packet_time: PacketTime) -> Self {
        Self { next: start, step: packet_time.duration() }
    }

    /// When the next packet is due.
    pub const fn poll_timeout(&self) -> Time {
        self.next
    }

    /// Takes what is due at `now`.
    pub fn take(&mut self, now: Time) -> Due {
        if now < self.next {
            return Due { skip: 0, send: 0 };
        }
        let step = self.step.as_micros() as u64;
        let due = (now.as_micros() - self.next.as_micros()) / step + 1;
        self.next = Time::from_micros(self.next.as_micros().saturating_add(due.saturating_mul(step)));
        let send = due.min(u64::from(Self::BURST)) as u32;
        Due { skip: due - u64::from(send), send }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digit;

    const START: StreamStart = StreamStart {
        ssrc: Ssrc(7),
        sequence: SequenceNumber(0xFFFF),
        timestamp: RtpTimestamp(u32::MAX - 79),
    };

    fn sender() -> Sender {
        Sender::new(Codec::Pcmu, PacketTime::DEFAULT, START)
    }

    #[test]
    fn numbers_follow_the_clock_and_wrap() {
        let (mut sender, mut out) = (sender(), Vec::new());
        let mut seen = Vec::new();
        for talks in [true, true, false, false, true, true] {
            if talks {
                let header = sender.send(&[0; 160], &mut out).unwrap();
                seen.push((header.marker, header.sequence.0, header.timestamp.0));
            } else {
                sender.pause();
            }
        }
        let expected = [(true, 0xFFFF, u32::MAX - 79), (false, 0, 80), (true, 1, 560), (false, 2, 720)];
        assert_eq!(seen, expected);
        assert_eq!((sender.packets(), sender.octets()), (4, 640));
        assert_eq!(out.len(), 4 * 172);
        assert_eq!(RtpPacket::parse(&out[..172]).unwrap().header.sequence, START.sequence);
        assert_eq!(sender.info(NtpTime(5)).timestamp, RtpTimestamp(880));
    }

    #[test]
    fn refuses_a_payload_of_another_length() {
        let (mut sender, mut out) = (sender(), Vec::new());
        let error = sender.send(&[0; 80], &mut out).unwrap_err();
        assert_eq!(error.to_string(), "PCMU payload is 80 bytes long, but 20 ms are 160");
        assert!(out.is_empty());
        assert_eq!(sender.send(&[0; 160], &mut out).unwrap().timestamp, START.timestamp);
    }

    #[test]
    fn a_key_keeps_the_timestamp_of_its_start() {
        let (mut sender, mut out) = (sender(), Vec::new());
        sender.send(&[0; 160], &mut out).unwrap();
        let mut press = Press::new(Digit::Five, 10, Duration::from_millis(50));
        let mut packets = Vec::new();
        loop {
            let mut out = Vec::new();
            let Some(header) = sender.send_event(&mut press, PayloadType::TELEPHONE_EVENT, &mut out) else {
                break;
            };
            assert_eq!(header.timestamp, RtpTimestamp(80));
            packets.push((header.marker, out[12], out[13], u16::from_be_bytes([out[14], out[15]])));
        }
        let expected = [
            (true, 5, 10, 160),
            (false, 5, 10, 320),
            (false, 5, 0x8A, 400),
            (false, 5, 0x8A, 400),
            (false, 5, 0x8A, 400),
        ];
        assert_eq!(packets, expected);
        // Sound goes on where the clock is, as a new talkspurt.
        let header = sender.send(&[0; 160], &mut out).unwrap();
        assert_eq!(
            (header.marker, header.timestamp, header.sequence.0),
            (true, RtpTimestamp(80 + 5 * 160), 5)
        );
    }

    #[test]
    fn pacer_keeps_the_beat() {
        let mut pacer = Pacer::new(Time::from_millis(100), PacketTime::DEFAULT);
        let mut at = |millis| {
            let due = pacer.take(Time::from_millis(millis));
            (due.skip, due.send, pacer.poll_timeout().as_millis())
        };
        assert_eq!(at(99), (0, 0, 100));
        assert_eq!(at(100), (0, 1, 120));
        assert_eq!(at(100), (0, 0, 120));
        // Asked late: the beat stays where it was.
        assert_eq!(at(145), (0, 2, 160));
        // Ten minutes of sleep: no flood.
        assert_eq!(at(600_145), (29_995, 5, 600_160));
    }
}
