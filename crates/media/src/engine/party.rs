//! One party: a stream each way, and all that is known of both.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::clip::Player;
use super::control::Control;
use super::gate::Gate;
use super::keys::{Listener, Tones};
use super::outbound::Outbound;
use super::queue::Queue;
use super::voice::{Form, Frame, Packer, is_understood};
use super::{Event, Figures, Mos, PartyId, Place, Voice};
use crate::coder::Converter;
use crate::dtmf::{Press, TelephoneEvent};
use crate::jitter::{Delay, Played, Pushed};
use crate::rtp::Pacer;
use crate::{
    Band, Codec, Digit, PacketTime, PayloadType, PlayoutBuffer, ReceiverStats, RtpHeader, RtpPacket,
    RtpTimestamp, Ssrc, Time, ToneGenerator,
};

/// How a party's streams are packed, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The codec.
    pub codec: Codec,
    /// How much sound one of our packets carries. Packets of other lengths are taken too.
    pub packet_time: PacketTime,
    /// What payloads of the codec are called.
    pub payload_type: PayloadType,
    /// What telephone events (RFC 4733) are called; `None` if there are none.
    pub events: Option<PayloadType>,
    /// Whether its keys are looked for as tones in its sound too, as long as no telephone event has come from it.
    pub tones: bool,
}

impl Format {
    /// A codec by its static payload type, with telephone events as Cisco phones call them.
    pub const fn new(codec: Codec, packet_time: PacketTime) -> Self {
        let (payload_type, events) = (codec.payload_type(), Some(PayloadType::TELEPHONE_EVENT));
        let packet_time = codec.packet_time(packet_time);
        Self { codec, packet_time, payload_type, events, tones: false }
    }

    pub(super) const fn form(self) -> Form {
        Form { codec: self.codec, packet_time: self.packet_time }
    }

    /// What a packet of the party is; `None` if it is nothing that was agreed.
    pub(super) fn kind(self, packet: &RtpPacket<'_>) -> Option<Kind> {
        let payload_type = packet.header.payload_type;
        match packet.payload.len() {
            1..=MOST_PAYLOAD if payload_type == self.payload_type => Some(Kind::Sound),
            4..=MOST_PAYLOAD if Some(payload_type) == self.events => Some(Kind::Event),
            0..=MOST_PAYLOAD if payload_type == PayloadType::COMFORT_NOISE => Some(Kind::Comfort),
            _ => None,
        }
    }
}

/// What is in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sound,
    Event,
    Comfort,
}

/// More than 60 ms of any codec, less than a packet that the network would have to cut.
const MOST_PAYLOAD: usize = 1400;
/// Packets a second that a party may send in the long run: five times those of 10 ms.
const PACKET_COST: Duration = Duration::from_millis(2);
/// What may come at once, after the network or this process stood still.
const BURST: Duration = Duration::from_secs(1);
/// Digits closer together than this come from no finger.
const DIGIT_APART: Duration = Duration::from_millis(30);
/// Sound whose samples are all smaller is background (about -50 dBm0), and not passed to the others of a conference.
const AUDIBLE: u16 = 100;
/// Frames for which somebody who has become quiet still counts as speaking: the ends of words are soft.
const HANGOVER: u8 = 10;

/// Where what a party says goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Nowhere,
    /// To this one, packet by packet.
    Relay(PartyId),
    /// Into the sum of its bridge.
    Mix,
}

#[derive(Debug)]
pub(super) struct Party {
    pub(super) format: Format,
    pub(super) opened: Time,
    pub(super) gate: Gate,
    pub(super) control: Control,
    pub(super) stats: ReceiverStats,
    pub(super) outbound: Outbound,
    pub(super) place: Place,
    pub(super) way: Way,
    pub(super) voice: Voice,
    pub(super) tapped: bool,
    /// What all who are with it hear beside, and what makes it fit a wide band.
    pub(super) warning: Option<(ToneGenerator, Converter)>,
    /// To narrow-band for whoever taps it: what it says, and what it hears.
    pub(super) taps: [Converter; 2],
    /// Its sound, as long as somebody needs it as samples.
    pub(super) hearing: Option<Hearing>,
    pub(super) packer: Packer,
    /// Does it hear what many hear, packed once for all of them?
    pub(super) shares: bool,
    /// What is left of a packet that was passed on in other pieces.
    pub(super) pieces: Pieces,
    pub(super) player: Option<Player>,
    pub(super) presses: VecDeque<Press>,
    pub(super) tones: Tones,
    listener: Option<Box<Listener>>,
    digit: Option<(Ssrc, RtpTimestamp, Time)>,
    /// When its own frames are due, where no bridge or source makes them.
    pub(super) pacer: Option<Pacer>,
    pub(super) report_at: Time,
    /// By when the packets so far would have come at the highest rate.
    paid_until: Time,
    pub(super) counts: Counts,
}

/// What was not as it should be.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) strangers: u64,
    pub(super) malformed: u64,
    pub(super) unexpected: u64,
    pub(super) floods: u64,
    pub(super) late: u64,
}

impl Party {
    pub(super) fn new(now: Time, format: Format, gate: Gate, outbound: Outbound, report_at: Time) -> Self {
        Self {
            format,
            opened: now,
            gate,
            control: Control::default(),
            stats: ReceiverStats::new(format.codec.clock_rate()),
            outbound,
            place: Place::Nowhere,
            way: Way::Nowhere,
            voice: Voice::Heard,
            tapped: false,
            warning: None,
            taps: [Converter::new(), Converter::new()],
            hearing: None,
            packer: Packer::new(format.form()),
            shares: false,
            pieces: Pieces::default(),
            player: None,
            presses: VecDeque::new(),
            tones: Tones::default(),
            listener: listener(format),
            digit: None,
            pacer: None,
            report_at,
            paid_until: Time::ZERO,
            counts: Counts::default(),
        }
    }

    /// Whether something is played or pressed to it, in place of what it would hear else.
    pub(super) fn is_played_to(&self) -> bool {
        self.player.is_some() || !self.presses.is_empty() || !self.tones.is_empty()
    }

    /// Whether somebody needs its sound as samples although nobody else hears it.
    pub(super) fn is_listened_to(&self) -> bool {
        self.tapped || self.listener.as_ref().is_some_and(|listener| listener.listens())
    }

    /// Its format has changed, and with it the ways of keys.
    pub(super) fn keys_change(&mut self) {
        if self.format.events.is_none() {
            self.presses.clear();
        }
        if !is_understood(self.format.codec) {
            self.tones.clear();
        }
        self.listener = listener(self.format);
    }

    /// Takes the next frame of what it says, for listeners of this band; whether there is anything in it that others should hear.
    pub(super) fn hear(&mut self, now: Time, id: PartyId, band: Band, queue: &mut Queue) -> bool {
        let Some(hearing) = &mut self.hearing else { return false };
        let speaks = hearing.pull(now, self.voice, band);
        let found = self.listener.as_mut().map(|listener| listener.hear(now, &hearing.frame));
        found.into_iter().flatten().for_each(|digit| queue.event(id, Event::Digit(digit)));
        speaks
    }

    /// Begins or ends to make samples of what comes.
    pub(super) fn listen(&mut self) {
        let needed = self.way == Way::Mix || self.is_listened_to();
        match (&self.hearing, needed) {
            (None, true) => self.hearing = Hearing::new(self.format.codec),
            (Some(_), false) => self.deafen(),
            (Some(_), true) | (None, false) => {}
        }
    }

    /// Forgets the samples of what has come.
    pub(super) fn deafen(&mut self) {
        self.counts.late += self.hearing.take().map_or(0, |hearing| hearing.late());
    }

    /// Whether one more packet is within what a party may send.
    pub(super) fn pays(&mut self, now: Time) -> bool {
        if self.paid_until.since(now) >= BURST {
            return false;
        }
        self.paid_until = self.paid_until.max(now) + PACKET_COST;
        true
    }

    /// The digit that a telephone event begins; `None` for the rest of one. The end alone is enough, if all before it
    /// was lost.
    pub(super) fn digit(&mut self, now: Time, header: &RtpHeader, payload: &[u8]) -> Option<Digit> {
        let digit = TelephoneEvent::parse(payload)?.digit()?;
        let known = self.digit.is_some_and(|(ssrc, timestamp, at)| {
            (ssrc, timestamp) == (header.ssrc, header.timestamp) || now.since(at) < DIGIT_APART
        });
        self.digit = Some((header.ssrc, header.timestamp, now));
        let new = !known && self.listener.as_mut().is_none_or(|listener| listener.event(now, digit));
        new.then_some(digit)
    }

    pub(super) fn figures(&self, now: Time) -> Figures {
        let received = self.stats.quality();
        let late = self.counts.late + self.hearing.as_ref().map_or(0, Hearing::late);
        let jitter = |ticks: u32| {
            Duration::from_micros(u64::from(ticks) * 1_000_000 / u64::from(self.format.codec.clock_rate()))
        };
        let control = &self.control;
        let score = |loss, jitter| {
            let Format { codec, packet_time, .. } = self.format;
            Mos::of_stream(codec, loss, jitter, packet_time, control.round_trip)
        };
        let unplayed = received.loss_ratio() + late as f64 / received.packets.max(1) as f64;
        let there = control.heard.map(|block| {
            let expected = f64::from(self.outbound.packets.max(1));
            let loss = (f64::from(block.cumulative_lost.max(0)) / expected).min(1.0);
            (loss, jitter(block.jitter))
        });
        Figures {
            codec: self.format.codec,
            lasted: now.since(self.opened),
            source: self.gate.source(),
            received,
            late,
            sent_packets: self.outbound.packets,
            sent_octets: self.outbound.octets,
            strangers: self.counts.strangers,
            malformed: self.counts.malformed,
            unexpected: self.counts.unexpected,
            floods: self.counts.floods,
            round_trip: control.round_trip,
            loss_there: there.map(|(loss, _)| loss),
            jitter_there: there.map(|(_, jitter)| jitter),
            score: (received.packets > 0).then(|| score(unplayed, received.jitter)),
            score_there: there.map(|(loss, jitter)| score(loss, jitter)),
        }
    }
}

/// Listens for keys, where that is wanted and possible.
fn listener(format: Format) -> Option<Box<Listener>> {
    (format.tones && is_understood(format.codec)).then(Box::default)
}

/// What a party says, as samples.
#[derive(Debug)]
pub(super) struct Hearing {
    codec: Codec,
    playout: PlayoutBuffer,
    /// From the codec's band to that of the listeners.
    converter: Converter,
    pub(super) frame: Frame,
    /// Frames for which it still counts as speaking.
    hangover: u8,
    /// Mean square of late: by a quarter of each frame.
    pub(super) loudness: u64,
}

impl Hearing {
    fn new(codec: Codec) -> Option<Self> {
        let playout = PlayoutBuffer::at(codec.band(), Delay::default());
        let (converter, frame) = (Converter::new(), Frame::silence(codec.band()));
        is_understood(codec).then_some(Self { codec, playout, converter, frame, hangover: 0, loudness: 0 })
    }

    /// Takes a packet of sound, or of noise in its place; `true` if it came too late to be heard.
    pub(super) fn push(&mut self, now: Time, packet: &RtpPacket<'_>, kind: Kind) -> bool {
        let pushed = match kind {
            Kind::Sound => self.playout.push_as(now, self.codec, packet),
            Kind::Comfort | Kind::Event => self.playout.push(now, packet),
        };
        pushed == Pushed::Late
    }

    /// Takes the next frame out; whether there is anything in it that others should hear.
    pub(super) fn pull(&mut self, now: Time, voice: Voice, band: Band) -> bool {
        let mut frame = Frame::silence(self.codec.band());
        let played = self.playout.pull(now, &mut frame);
        self.frame = frame.in_band(band, &mut self.converter);
        let loud = self.frame.iter().any(|sample| sample.unsigned_abs() > AUDIBLE);
        self.hangover = match (played, voice) {
            (Played::Silence | Played::Comfort, _) | (_, Voice::Muted) => 0,
            _ if loud => HANGOVER,
            _ => self.hangover.saturating_sub(1),
        };
        let speaks = self.hangover > 0;
        let square = |&sample: &i16| u64::from(sample.unsigned_abs()).pow(2);
        let power =
            if speaks { self.frame.iter().map(square).sum::<u64>() / self.frame.len() as u64 } else { 0 };
        self.loudness = self.loudness - self.loudness / 4 + power / 4;
        speaks
    }

    fn late(&self) -> u64 {
        self.playout.stats().late
    }
}

/// Cuts packets of one length into those of another, without looking into them: each codec here has a fixed number of bytes
/// for 10 ms.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    bytes: Vec<u8>,
    /// When the first of them was taken.
    start: RtpTimestamp,
}

impl Pieces {
    /// Adds a payload. What is not in its place ends the piece before: late ones are left out, and so is what a lost one
    /// leaves incomplete.
    pub(super) fn add(&mut self, codec: Codec, timestamp: RtpTimestamp, payload: &[u8]) {
        let expected = self.start.plus(ticks(codec, self.bytes.len()));
        match timestamp.distance_from(expected) {
            0 => {}
            // Late, unless it is so far away that it belongs to something new.
            -8000..0 if !self.bytes.is_empty() => return,
            _ => {
                self.bytes.clear();
                self.start = timestamp;
            }
        }
        if self.bytes.is_empty() {
            self.start = timestamp;
        }
        self.bytes.extend_from_slice(payload);
    }

    /// Takes a piece of this form out, if there is a whole one.
    pub(super) fn take(&mut self, form: Form, piece: &mut Vec<u8>) -> Option<RtpTimestamp> {
        let len = form.codec.payload_len(form.packet_time);
        piece.clear();
        piece.extend_from_slice(self.bytes.get(..len)?);
        self.bytes.drain(..len);
        let start = self.start;
        self.start = start.plus(ticks(form.codec, len));
        Some(start)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// The time of so many bytes of a codec.
fn ticks(codec: Codec, bytes: usize) -> u32 {
    (bytes / codec.bytes_per_10_ms()) as u32 * (codec.clock_rate() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_another_length_are_the_same_sound() {
        let form =
            |millis| Form { codec: Codec::G729, packet_time: PacketTime::from_millis(millis).unwrap() };
        let (mut pieces, mut piece) = (Pieces::default(), Vec::new());
        let mut out = Vec::new();
        // 20 ms each, of which the fifth is lost and the sixth comes again later.
        for n in [0u8, 1, 2, 3, 5, 6, 5, 7] {
            pieces.add(Codec::G729, RtpTimestamp(u32::from(n) * 160), &[n; 20]);
            while let Some(start) = pieces.take(form(30), &mut piece) {
                out.push((start.0, piece[0], piece[29]));
            }
        }
        assert_eq!(out, [(0, 0, 1), (240, 1, 2), (5 * 160, 5, 6), (5 * 160 + 240, 6, 7)]);
        pieces.clear();
        pieces.add(Codec::G729, RtpTimestamp(0), &[9; 60]);
        assert_eq!(core::iter::from_fn(|| pieces.take(form(10), &mut piece)).count(), 6);
    }
}
