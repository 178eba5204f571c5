//! The playout buffer: packets go in as the network brings them, sound comes out evenly.
//!
//! Sound is kept by the sample, in a ring that begins at the timestamp which is to be played next. So packets
//! of any length, in any order, twice or partly too late all come out right, and what is missing is filled by
//! concealment, or by noise where the sender said that it is quiet (RFC 3389).

mod conceal;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use conceal::Concealer;

use crate::coder::Decoder;
use crate::comfort::ComfortNoise;
use crate::{Band, Codec, Level, PayloadType, RtpHeader, RtpPacket, RtpTimestamp, SAMPLE_RATE, Ssrc, Time};

/// Samples that come out of a narrow-band buffer at a time: 20 ms.
pub const FRAME: usize = Band::Narrow.frame();

/// Frames in the ring: 1 second. What does not fit pushes out the oldest.
const CAPACITY: usize = 50;
/// After so many frames with nothing to play the stream counts as paused, and what comes next is a new beginning.
const PAUSE: usize = 5;
/// The same if the sender has said that it is quiet, which it need not repeat: a minute.
const LONG_PAUSE: usize = 3000;
/// After so many packets in a row that all were too late, the delay is wrong and not the packets.
const LATE_IN_A_ROW: u32 = 5;
/// Packets over which the fastest one is sought: 5 seconds of 20 ms. Two such windows follow clock drift.
const WINDOW: u32 = 250;
/// Longer gaps are not filled by a decoder that could.
const REPAIRED: i32 = 5;
/// A delay too long by so many frames is corrected even where it can be heard.
const TOO_LONG: i32 = 3;
/// Sound below this can be shortened without being missed.
const QUIET: Level = Level::dbm0(-40.0);

/// How long packets wait before they are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Always so long.
    Fixed(Duration),
    /// As long as the network's jitter demands, between these.
    Adaptive {
        /// At least.
        min: Duration,
        /// At most.
        max: Duration,
    },
}

impl Default for Delay {
    /// 20 to 200 ms.
    fn default() -> Self {
        Self::Adaptive { min: Duration::from_millis(20), max: Duration::from_millis(200) }
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It will be played.
    Queued,
    /// All of it was there before.
    Duplicate,
    /// Its time has passed.
    Late,
    /// Nothing that can be played here: another codec, a telephone event, an empty packet.
    Ignored,
    /// It begins the stream, begins it anew after a pause, or is from another source.
    Began,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// What was sent.
    Sound,
    /// Partly or wholly made up.
    Concealed,
    /// Noise, since the sender has said that it is quiet.
    Comfort,
    /// Nothing, since there is no stream, or not yet.
    Silence,
}

/// What happened in a buffer since its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlayoutStats {
    /// Packets that could be played.
    pub queued: u64,
    /// Packets too late.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets of something else.
    pub ignored: u64,
    /// Frames of 20 ms that were played as they were sent.
    pub frames_played: u64,
    /// Frames of 20 ms with something made up in them.
    pub frames_concealed: u64,
    /// Frames of 20 ms of noise, which the sender wanted.
    pub frames_quiet: u64,
    /// Samples made up because their packet was missing while later ones were there: lost or late.
    pub samples_lost: u64,
    /// Samples made up because nothing was there: late, or the end.
    pub samples_starved: u64,
    /// Samples left out to shorten the delay, or because the buffer was full.
    pub samples_dropped: u64,
    /// Samples added to lengthen the delay.
    pub samples_inserted: u64,
    /// Beginnings after the first.
    pub restarts: u64,
}

/// Turns the packets of one call direction into even sound, whatever codec that is understood they are of.
///
/// The sound device asks for a frame every 20 ms by [`pull`](Self::pull). Everything that arrives goes in by
/// [`push`](Self::push). Its memory is fixed.
///
/// A decoder that has a memory gets packets as they come, without those that are too late or there already. One that came before
/// its turn, or is lost, costs it accuracy for some packets (`tests/ffmpeg.rs` measures it).
#[derive(Debug)]
pub struct PlayoutBuffer {
    band: Band,
    /// Ticks of the stream's clock in a second.
    clock: u32,
    /// The delay in samples.
    min: i32,
    max: i32,
    ring: Box<[Option<i16>]>,
    /// Place of the next sample in the ring, and its timestamp.
    head: usize,
    timestamp: RtpTimestamp,
    /// Samples from the head to the end of the newest packet.
    depth: usize,
    state: State,
    source: Option<Ssrc>,
    transit: Transit,
    late_in_a_row: u32,
    /// Samples since something real was played.
    starved: usize,
    concealer: Concealer,
    background: Option<Background>,
    decoder: Option<Decoder>,
    decoded: Vec<i16>,
    /// The end of the newest packet that was decoded.
    decoded_until: RtpTimestamp,
    stats: PlayoutStats,
}

/// What is to be heard where nothing comes.
#[derive(Debug)]
struct Background {
    since: RtpTimestamp,
    noise: ComfortNoise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing to play.
    Idle,
    /// Collecting until then.
    Filling(Time),
    Playing,
}

impl PlayoutBuffer {
    /// An empty buffer that gives narrow-band sound. Delays are cut to 500 ms.
    pub fn new(delay: Delay) -> Self {
        Self::at(Band::Narrow, delay)
    }

    /// The same for sound of any band. What is of a narrower one is not played by it.
    pub fn at(band: Band, delay: Delay) -> Self {
        let (min, max) = match delay {
            Delay::Fixed(delay) => (delay, delay),
            Delay::Adaptive { min, max } => (min, max.max(min)),
        };
        let samples =
            |delay: Duration| delay.as_millis().min(500) as i32 * (band.sample_rate() / 1000) as i32;
        Self {
            band,
            clock: SAMPLE_RATE,
            min: samples(min),
            max: samples(max),
            ring: vec![None; CAPACITY * band.frame()].into_boxed_slice(),
            head: 0,
            timestamp: RtpTimestamp(0),
            depth: 0,
            state: State::Idle,
            source: None,
            transit: Transit::default(),
            late_in_a_row: 0,
            starved: 0,
            concealer: Concealer::new(band),
            background: None,
            decoder: None,
            decoded: Vec::new(),
            decoded_until: RtpTimestamp(0),
            stats: PlayoutStats::default(),
        }
    }

    /// Takes a packet that arrived at `now`, of a codec or of comfort noise by its static payload type.
    pub fn push(&mut self, now: Time, packet: &RtpPacket<'_>) -> Pushed {
        if packet.header.payload_type == PayloadType::COMFORT_NOISE {
            return self.quiet(now, packet);
        }
        match Codec::from_payload_type(packet.header.payload_type) {
            Some(codec) => self.push_as(now, codec, packet),
            None => self.ignore(),
        }
    }

    /// Takes a packet of a codec that arrived at `now`, whatever its payload type is called.
    pub fn push_as(&mut self, now: Time, codec: Codec, packet: &RtpPacket<'_>) -> Pushed {
        let is_next = self.source == Some(packet.header.ssrc);
        let known = self.decoder.take().filter(|decoder| is_next && decoder.codec() == codec);
        let anew = || match self.band {
            Band::Narrow => Decoder::narrow(codec),
            Band::Wide => Decoder::new(codec).filter(|_| codec.band() == Band::Wide),
        };
        let Some(mut decoder) = known.or_else(anew) else { return self.ignore() };
        if self.clock != codec.clock_rate() {
            // Nothing of what was there has a place in what comes.
            (self.clock, self.source) = (codec.clock_rate(), None);
        }
        if is_next && decoder.conceals() {
            self.repair(&mut decoder, packet);
        }
        let len = decoder.samples(packet.payload);
        let end = packet.header.timestamp.plus(self.ticks(len));
        let pushed = self.insert(now, &packet.header, len, |samples| decoder.decode(packet.payload, samples));
        self.decoder = Some(decoder);
        let is_first = pushed == Pushed::Began;
        if is_first || pushed == Pushed::Queued && end.distance_from(self.decoded_until) > 0 {
            self.decoded_until = end;
        }
        pushed
    }

    /// Puts what the decoder makes of it where something is missing before a packet.
    fn repair(&mut self, decoder: &mut Decoder, packet: &RtpPacket<'_>) {
        let missing = self.samples(packet.header.timestamp.distance_from(self.decoded_until));
        let place = self.place(self.decoded_until);
        let step = self.band.frame() as i32 / 8;
        let fits = missing > 0 && missing <= self.band.frame() as i32 * REPAIRED && missing % step == 0;
        if !fits || self.state == State::Idle || place.saturating_add(missing) > self.ring.len() as i32 {
            return;
        }
        self.decoded.clear();
        decoder.conceal(packet.payload, missing as usize, &mut self.decoded);
        for (offset, &sample) in (place..).zip(&self.decoded) {
            let Ok(offset) = usize::try_from(offset) else { continue };
            let at = (self.head + offset) % self.ring.len();
            self.stats.samples_lost += u64::from(self.ring[at].is_none());
            self.ring[at].get_or_insert(sample);
        }
    }

    /// From here on the sender is quiet.
    fn quiet(&mut self, now: Time, packet: &RtpPacket<'_>) -> Pushed {
        let mut began = self.meet(now, &packet.header);
        let far = self.ring.len() as i32;
        match self.place(packet.header.timestamp) {
            place if place < -far => {
                self.stats.late += 1;
                return Pushed::Late;
            }
            place if place <= far => {}
            // The sender's clock leapt.
            _ => {
                self.transit = Transit::default();
                began = self.begin(now, packet.header.ssrc, packet.header.timestamp);
            }
        }
        self.transit.note(self.arrival(now, &packet.header));
        let noise = ComfortNoise::parse(packet.payload);
        self.background = Some(Background { since: packet.header.timestamp, noise });
        self.starved = 0;
        self.stats.queued += 1;
        if began { Pushed::Began } else { Pushed::Queued }
    }

    fn ignore(&mut self) -> Pushed {
        self.stats.ignored += 1;
        Pushed::Ignored
    }

    /// Begins with this packet, if it is of another source or follows a pause.
    fn meet(&mut self, now: Time, header: &RtpHeader) -> bool {
        if self.source != Some(header.ssrc) {
            self.concealer.reset();
            self.transit = Transit::default();
        } else if self.state != State::Idle {
            return false;
        }
        self.begin(now, header.ssrc, header.timestamp)
    }

    /// Puts so many samples in their place. They are asked for if something of them is new.
    fn insert(
        &mut self,
        now: Time,
        header: &RtpHeader,
        len: usize,
        decode: impl FnOnce(&mut Vec<i16>),
    ) -> Pushed {
        if len == 0 || len > self.ring.len() {
            return self.ignore();
        }
        let mut began = self.meet(now, header);
        let arrived = self.arrival(now, header);
        self.transit.note(arrived);

        let len = len as i32;
        let mut place = self.place(header.timestamp);
        if place < 0
            && place >= -(self.max + self.band.frame() as i32)
            && matches!(self.state, State::Filling(_))
        {
            // The first packets changed places on their way: begin with the older one.
            place = self.step_back(place);
        }
        if place.saturating_add(len) <= 0 {
            self.late_in_a_row += 1;
            if self.late_in_a_row < LATE_IN_A_ROW {
                self.stats.late += 1;
                return Pushed::Late;
            }
            self.transit = Transit::default();
            self.transit.note(arrived);
            began = self.begin(now, header.ssrc, header.timestamp);
            place = 0;
        }
        self.late_in_a_row = 0;
        let excess = place.saturating_add(len) - self.ring.len() as i32;
        if excess > self.depth as i32 {
            // Further ahead than anything here: the sender's clock leapt.
            self.transit = Transit::default();
            self.transit.note(arrived);
            began = self.begin(now, header.ssrc, header.timestamp);
            place = 0;
        } else if excess > 0 {
            self.skip(excess as usize);
            place -= excess;
        }

        if (place.max(0)..place + len).all(|offset| self.peek(offset as usize).is_some()) {
            self.stats.duplicates += 1;
            return Pushed::Duplicate;
        }
        self.decoded.clear();
        decode(&mut self.decoded);
        for (offset, &sample) in (place..).zip(&self.decoded) {
            let Ok(offset) = usize::try_from(offset) else { continue };
            let at = (self.head + offset) % self.ring.len();
            self.ring[at].get_or_insert(sample);
        }
        self.depth = self.depth.max((place + len) as usize);
        self.stats.queued += 1;
        if began { Pushed::Began } else { Pushed::Queued }
    }

    /// Gives the next 20 ms, at `now`: [`Band::frame`] samples. More than those are left as they are.
    ///
    /// # Panics
    /// If there is no room for so many.
    pub fn pull(&mut self, now: Time, out: &mut [i16]) -> Played {
        let frame = self.band.frame();
        let out = &mut out[..frame];
        match self.state {
            State::Idle => return self.rest(out),
            State::Filling(until) if now < until => return self.rest(out),
            State::Filling(_) => self.state = State::Playing,
            State::Playing => {}
        }
        if (0..frame).all(|n| self.peek(n).is_none()) {
            return self.gap(now, out);
        }
        self.shorten(now);

        let mut missing = 0;
        let mut start = 0;
        while start < frame {
            let is_there = self.peek(start).is_some();
            let run = (start..frame).take_while(|&n| self.peek(n).is_some() == is_there).count();
            let part = &mut out[start..start + run];
            if is_there {
                for (n, sample) in part.iter_mut().enumerate() {
                    *sample = self.peek(start + n).unwrap_or(0);
                }
                self.concealer.heard(part);
                let until = start + run;
                if self.quiet_begins() < until {
                    self.background = None;
                }
            } else {
                missing += run - self.make_up(start, part);
            }
            start += run;
        }
        let beyond = frame.saturating_sub(self.depth).min(missing);
        self.stats.samples_starved += beyond as u64;
        self.stats.samples_lost += (missing - beyond) as u64;
        self.advance(frame);
        self.starved = 0;
        if missing == 0 {
            self.stats.frames_played += 1;
            Played::Sound
        } else {
            self.stats.frames_concealed += 1;
            Played::Concealed
        }
    }

    /// What happened so far.
    pub const fn stats(&self) -> PlayoutStats {
        self.stats
    }

    /// How much sound waits now.
    pub fn depth(&self) -> Duration {
        self.duration(self.depth as i32)
    }

    /// How long packets should wait at present.
    pub fn target(&self) -> Duration {
        self.duration(self.wanted())
    }

    /// Starts at this timestamp; what waits is dropped.
    fn begin(&mut self, now: Time, source: Ssrc, timestamp: RtpTimestamp) -> bool {
        self.stats.restarts += u64::from(self.source.is_some());
        self.stats.samples_dropped += self.ring.iter().flatten().count() as u64;
        self.ring.fill(None);
        (self.head, self.depth, self.starved, self.late_in_a_row) = (0, 0, 0, 0);
        self.timestamp = timestamp;
        self.background = None;
        self.source = Some(source);
        self.state = State::Filling(now + self.target());
        true
    }

    /// Before anything is played: lets the ring begin `-place` samples earlier. The new place is zero.
    fn step_back(&mut self, place: i32) -> i32 {
        let back = place.unsigned_abs() as usize;
        if self.depth + back > self.ring.len() {
            return place;
        }
        self.head = (self.head + self.ring.len() - back) % self.ring.len();
        self.timestamp = self.timestamp.plus(self.ticks(back).wrapping_neg());
        self.depth += back;
        0
    }

    fn peek(&self, n: usize) -> Option<i16> {
        self.ring[(self.head + n) % self.ring.len()]
    }

    fn advance(&mut self, samples: usize) {
        for n in 0..samples {
            let at = (self.head + n) % self.ring.len();
            self.ring[at] = None;
        }
        self.head = (self.head + samples) % self.ring.len();
        self.timestamp = self.timestamp.plus(self.ticks(samples));
        self.depth = self.depth.saturating_sub(samples);
    }

    fn skip(&mut self, samples: usize) {
        self.stats.samples_dropped += samples as u64;
        self.advance(samples);
    }

    /// No stream: whatever the last one left fades away.
    fn rest(&mut self, out: &mut [i16]) -> Played {
        self.concealer.fill(out);
        Played::Silence
    }

    /// Makes up what is missing so many samples after the head; says how much of it the sender wanted to be noise.
    fn make_up(&mut self, start: usize, out: &mut [i16]) -> usize {
        let begins = self.quiet_begins();
        let (lost, noise) = out.split_at_mut(begins.saturating_sub(start).min(out.len()));
        if !lost.is_empty() {
            self.concealer.fill(lost);
        }
        if let Some(quiet) = self.background.as_mut().filter(|_| !noise.is_empty()) {
            quiet.noise.fill(noise);
            self.concealer.heard(noise);
        }
        noise.len()
    }

    /// A whole frame is not there. If the delay is too short, time stands still while the gap is filled, which
    /// lengthens it.
    fn gap(&mut self, now: Time, out: &mut [i16]) -> Played {
        let frame = self.band.frame();
        let missing = frame - self.make_up(0, out);
        let played = if missing == 0 { Played::Comfort } else { Played::Concealed };
        match played {
            Played::Comfort => self.stats.frames_quiet += 1,
            _ => self.stats.frames_concealed += 1,
        }
        if self.delay(now) + (frame as i32) <= self.wanted() {
            self.stats.samples_inserted += frame as u64;
        } else {
            let before_others = self.depth.min(missing);
            self.stats.samples_lost += before_others as u64;
            self.stats.samples_starved += (missing - before_others) as u64;
            self.advance(frame);
        }
        self.starved += frame;
        let pause = if played == Played::Comfort { LONG_PAUSE } else { PAUSE };
        if self.depth == 0 && self.starved >= pause * frame {
            self.state = State::Idle;
        }
        played
    }

    /// Leaves out 10 ms where the delay is too long and nobody notices, or where it is far too long.
    fn shorten(&mut self, now: Time) {
        let excess = self.delay(now) - self.wanted();
        let frame = self.band.frame();
        // 10 ms.
        let correction = frame / 2;
        if excess < frame as i32 || self.depth < frame + correction {
            return;
        }
        let quiet = || {
            let samples = (0..frame).map(|n| f64::from(self.peek(n).unwrap_or(0)));
            let mean_square = samples.map(|sample| sample * sample).sum::<f64>() / frame as f64;
            Level::from_mean_square(mean_square) < QUIET
        };
        if excess >= TOO_LONG * frame as i32 || quiet() {
            self.skip(correction);
        }
    }

    /// How long the fastest packet would wait now, in samples: the head against the sender's clock.
    fn delay(&self, now: Time) -> i32 {
        let sender = now.ticks(self.clock).wrapping_sub(self.transit.fastest());
        self.samples(sender.wrapping_sub(self.timestamp.0).cast_signed())
    }

    fn wanted(&self) -> i32 {
        let needed = self.samples(self.transit.spread).saturating_add(self.band.frame() as i32);
        needed.clamp(self.min, self.max)
    }

    /// How many samples behind the head a timestamp is.
    fn place(&self, timestamp: RtpTimestamp) -> i32 {
        self.samples(timestamp.distance_from(self.timestamp))
    }

    /// Samples in so many ticks of the stream's clock.
    fn samples(&self, ticks: i32) -> i32 {
        let samples = i64::from(ticks) * i64::from(self.band.sample_rate()) / i64::from(self.clock);
        i32::try_from(samples).unwrap_or(if samples < 0 { i32::MIN } else { i32::MAX })
    }

    /// Ticks of the stream's clock in so many samples, of which there are never more than some seconds.
    fn ticks(&self, samples: usize) -> u32 {
        (samples as u64 * u64::from(self.clock) / u64::from(self.band.sample_rate())) as u32
    }

    /// When a packet came, against the sender's clock.
    fn arrival(&self, now: Time, header: &RtpHeader) -> u32 {
        now.ticks(self.clock).wrapping_sub(header.timestamp.0)
    }

    /// How many samples behind the head the sender is quiet.
    fn quiet_begins(&self) -> usize {
        let begins = |quiet: &Background| usize::try_from(self.place(quiet.since)).unwrap_or(0);
        self.background.as_ref().map_or(usize::MAX, begins)
    }

    fn duration(&self, samples: i32) -> Duration {
        let samples = u64::from(samples.max(0).cast_unsigned());
        Duration::from_micros(samples * 1_000_000 / u64::from(self.band.sample_rate()))
    }
}

impl Default for PlayoutBuffer {
    fn default() -> Self {
        Self::new(Delay::default())
    }
}

/// How long packets travel: against the fastest, since clocks share no zero.
#[derive(Debug, Clone, Copy, Default)]
struct Transit {
    /// Travel time of the fastest packet in this window and in the one before, on a circle of 2^32.
    current: Option<u32>,
    previous: Option<u32>,
    seen: u32,
    /// How much slower than the fastest the slow ones are: the highest of late, forgotten by half in two seconds.
    spread: i32,
}

impl Transit {
    fn note(&mut self, transit: u32) {
        if self.seen == WINDOW {
            (self.previous, self.current, self.seen) = (self.current, None, 0);
        }
        self.seen += 1;
        self.current = Some(self.current.map_or(transit, |fastest| faster(fastest, transit)));
        let slower = transit.wrapping_sub(self.fastest()).cast_signed();
        self.spread = slower.max(self.spread - self.spread / 128 - i32::from(self.spread > 0));
    }

    fn fastest(&self) -> u32 {
        match (self.previous, self.current) {
            (Some(a), Some(b)) => faster(a, b),
            (a, b) => a.or(b).unwrap_or(0),
        }
    }
}

fn faster(a: u32, b: u32) -> u32 {
    if b.wrapping_sub(a).cast_signed() < 0 { b } else { a }
}

#[cfg(test)]
mod tests;
