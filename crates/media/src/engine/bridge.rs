//! Parties who hear each other, and sound that many hear: what is done every 20 ms.
//!
//! Two parties whose packets fit are not here: theirs are passed on as they come. All others of a bridge are mixed: the
//! sum is made once, and each hears it without what he says himself. Those who say nothing all hear the same, which is packed
//! once for all who want it in the same form, unless the codec remembers what was said: whoever begins to speak would
//! hear a crack.
//!
//! A bridge is mixed at 8 kHz, and at 16 kHz as long as two of its parties have wide-band codecs: then these hear all of each other,
//! and the others what 8 kHz can carry.

use alloc::vec::Vec;

use super::clip::Player;
use super::live::Live;
use super::party::{Party, Way};
use super::queue::Queue;
use super::voice::{Form, Frame, MOST, Packer, is_understood};
use super::{BridgeId, Engine, Event, OrderError, PartyId, Place, SourceId};
use crate::rtp::Pacer;
use crate::{Band, PacketTime, Time};

/// Somebody speaks if he is louder than this of late: -40 dBm0.
const SPEAKING: u64 = 25_666;

/// Frames for which a talker stays the one: half a second.
const SHOWN: u32 = 25;
/// Frames of silence after which nobody talks, on top of the half second in which loudness dies away.
const PAUSE: u32 = 10;

/// Parties who hear each other.
#[derive(Debug, Default)]
pub(super) struct Bridge {
    pub(super) members: Vec<PartyId>,
    /// In which they are mixed.
    band: Band,
    /// When the next frame is due, if they are mixed.
    pacer: Option<Pacer>,
    shared: Shared,
    talker: Option<PartyId>,
    /// Frames since the talker was named, and since he was heard last.
    named: u32,
    unheard: u32,
}

/// Sound that many hear, and nobody of them makes.
#[derive(Debug)]
pub(super) struct Source {
    player: Player,
    /// What comes from outside in place of that.
    pub(super) live: Option<Live>,
    pub(super) listeners: Vec<PartyId>,
    /// When the next frame is due, if somebody listens.
    pacer: Option<Pacer>,
    shared: Shared,
}

/// One frame, in each form that somebody wants it in.
#[derive(Debug, Default)]
struct Shared {
    tick: u64,
    streams: Vec<Stream>,
}

#[derive(Debug)]
struct Stream {
    packer: Packer,
    /// The frame that it has taken last.
    tick: u64,
    /// The packets that became full by it: two, if they have 10 ms each.
    payloads: [Vec<u8>; 2],
    full: usize,
}

impl Shared {
    /// The packets that became full by the frame, in the form of somebody who had packets of his own before.
    fn packets(&mut self, own: &Packer, frame: &Frame) -> impl Iterator<Item = &[u8]> {
        let form = own.form();
        let at = self.streams.iter().position(|stream| stream.packer.form() == form).unwrap_or_else(|| {
            let mut packer = Packer::new(form);
            packer.learn(own);
            self.streams.push(Stream { packer, tick: 0, payloads: Default::default(), full: 0 });
            self.streams.len() - 1
        });
        let stream = &mut self.streams[at];
        if stream.tick != self.tick {
            if stream.tick + 1 != self.tick {
                // Nobody has listened for a while.
                stream.packer.clear();
                stream.packer.learn(own);
            }
            stream.tick = self.tick;
            stream.full = 0;
            stream.packer.add(frame);
            while let Some(payload) = stream.payloads.get_mut(stream.full)
                && stream.packer.pack(payload)
            {
                stream.full += 1;
            }
        }
        stream.payloads.iter().take(stream.full).map(Vec::as_slice)
    }

    fn packer(&self, form: Form) -> Option<&Packer> {
        let mut streams = self.streams.iter().filter(|stream| stream.tick == self.tick);
        streams.find(|stream| stream.packer.form() == form).map(|stream| &stream.packer)
    }

    /// Sends a frame to somebody who hears what others hear too.
    fn send(&mut self, now: Time, id: PartyId, party: &mut Party, frame: &Frame, queue: &mut Queue) {
        let Some(to) = party.gate.target() else { return };
        let format = party.format;
        for payload in self.packets(&party.packer, frame) {
            let header = party.outbound.make(now, format.packet_time, format.payload_type, payload.len());
            queue.rtp(id, to, header, payload);
        }
    }
}

/// Sums of frames, and what is left of one without one of its parts.
#[derive(Debug)]
struct Sum {
    band: Band,
    samples: [i32; MOST],
}

impl Sum {
    const fn new(band: Band) -> Self {
        Self { band, samples: [0; MOST] }
    }

    fn add(&mut self, frame: &Frame) {
        self.samples.iter_mut().zip(frame.iter()).for_each(|(sum, &sample)| *sum += i32::from(sample));
    }

    fn all(&self) -> Frame {
        let mut frame = Frame::silence(self.band);
        frame.iter_mut().zip(&self.samples).for_each(|(out, &sum)| *out = saturated(sum));
        frame
    }

    fn without(&self, own: &Frame) -> Frame {
        let mut frame = Frame::silence(self.band);
        for ((out, &sum), &own) in frame.iter_mut().zip(&self.samples).zip(own.iter()) {
            *out = saturated(sum - i32::from(own));
        }
        frame
    }
}

fn saturated(sample: i32) -> i16 {
    sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// What the engine does next at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Bridge(BridgeId),
    Source(SourceId),
    Party(PartyId),
    Report(PartyId),
}

/// How the members of a bridge hear each other.
enum Mode {
    Alone,
    Relay(PartyId, PartyId),
    Mix,
}

impl Engine {
    /// Adds a party to a bridge.
    pub(super) fn join(&mut self, now: Time, id: PartyId, at: BridgeId) -> Result<(), OrderError> {
        let members = self.bridges.get(&at).map_or(&[][..], |bridge| &bridge.members);
        if members.len() >= self.limits.bridge {
            return Err(OrderError::BridgeFull);
        }
        let with: Vec<_> = members.iter().copied().chain([id]).collect();
        self.mode(&with)?;
        self.bridges.entry(at).or_default().members = with;
        self.settle(now, at);
        Ok(())
    }

    /// Takes a party out of its bridge or source.
    pub(super) fn leave(&mut self, now: Time, id: PartyId, place: Place) {
        match place {
            Place::Bridge(at) => {
                let Some(bridge) = self.bridges.get_mut(&at) else { return };
                bridge.members.retain(|&member| member != id);
                if bridge.members.is_empty() {
                    self.bridges.remove(&at);
                } else {
                    self.settle(now, at);
                }
            }
            Place::Source(at) => {
                let Some(source) = self.sources.get_mut(&at) else { return };
                source.listeners.retain(|&listener| listener != id);
                if source.listeners.is_empty() {
                    source.pacer = None;
                    // What was kept for them is old when the next one comes.
                    source.live = source.live.take().map(|_| Live::new());
                }
            }
            Place::Nowhere | Place::Echo => {}
        }
    }

    /// How these would hear each other.
    fn mode(&self, members: &[PartyId]) -> Result<Mode, OrderError> {
        let parties: Vec<_> = members.iter().filter_map(|&id| self.parties.get(id)).collect();
        match (members, &parties[..]) {
            (_, [] | [_]) => return Ok(Mode::Alone),
            (&[one, other], [a, b]) if a.format.codec == b.format.codec && !a.tapped && !b.tapped => {
                return Ok(Mode::Relay(one, other));
            }
            _ => {}
        }
        match parties.iter().find(|party| !is_understood(party.format.codec)) {
            Some(party) => Err(OrderError::NotUnderstood(party.format.codec)),
            None => Ok(Mode::Mix),
        }
    }

    /// Whether all of a bridge still hear each other after one of them has changed.
    pub(super) fn still_fits(&self, at: BridgeId) -> Result<(), OrderError> {
        let members = self.bridges.get(&at).map_or(&[][..], |bridge| &bridge.members);
        self.mode(members).map(|_| ())
    }

    pub(super) fn is_pair(&self, at: BridgeId) -> bool {
        self.bridges.get(&at).is_some_and(|bridge| bridge.members.len() == 2)
    }

    /// Decides anew how the members of a bridge hear each other.
    pub(super) fn settle(&mut self, now: Time, at: BridgeId) {
        let Some(members) = self.bridges.get(&at).map(|bridge| bridge.members.clone()) else { return };
        // Two who do not fit hear nothing until the other one has changed too; all else was refused before it came here.
        let mode = self.mode(&members).unwrap_or(Mode::Alone);
        let mixed = matches!(mode, Mode::Mix);
        for &id in &members {
            let Some(party) = self.parties.get_mut(id) else { continue };
            party.way = match mode {
                Mode::Relay(one, other) if id == one => Way::Relay(other),
                Mode::Relay(one, _) => Way::Relay(one),
                Mode::Mix => Way::Mix,
                Mode::Alone => Way::Nowhere,
            };
            party.pieces.clear();
            if !mixed {
                party.outbound.interrupt();
                party.packer.clear();
                party.shares = false;
            }
            party.listen();
            self.pace(now, id);
        }
        // A single one has nobody to hear his upper band.
        let wide = members.iter().filter_map(|&id| self.parties.get(id));
        let wide = wide.filter(|party| party.format.codec.band() == Band::Wide).count();
        let Some(bridge) = self.bridges.get_mut(&at) else { return };
        bridge.band = if wide > 1 { Band::Wide } else { Band::Narrow };
        match (mixed, &bridge.pacer) {
            (true, None) => {
                bridge.pacer = Some(Pacer::new(now, PacketTime::DEFAULT));
                self.timers.insert((now, Due::Bridge(at)));
            }
            (false, Some(_)) => {
                bridge.pacer = None;
                bridge.shared = Shared::default();
                if bridge.talker.take().is_some() {
                    self.queue.talker(at, None);
                }
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// A bridge's next frame is due.
    pub(super) fn bridge_due(&mut self, now: Time, due: Time, at: BridgeId) {
        let Some(bridge) = self.bridges.get_mut(&at) else { return };
        let Some(pacer) = bridge.pacer.as_mut().filter(|pacer| pacer.poll_timeout() == due) else { return };
        let frames = pacer.take(now);
        self.timers.insert((pacer.poll_timeout(), Due::Bridge(at)));
        // Out of the map, so that parties can be changed beside it.
        let mut bridge = core::mem::take(bridge);
        if frames.skip > 0 {
            self.interrupt(&bridge.members);
        }
        for _ in 0..frames.send {
            self.mix(now, at, &mut bridge);
        }
        self.bridges.insert(at, bridge);
    }

    fn mix(&mut self, now: Time, at: BridgeId, bridge: &mut Bridge) {
        let mut sum = Sum::new(bridge.band);
        self.speakers.clear();
        for &id in &bridge.members {
            let Some(party) = self.parties.get_mut(id) else { continue };
            let speaks = party.hear(now, id, bridge.band, &mut self.queue);
            let Some(hearing) = &party.hearing else { continue };
            if speaks {
                sum.add(&hearing.frame);
                self.speakers.push(id);
            }
            // Before any of the shared streams goes on: whoever leaves one takes along what it has collected.
            let same = !speaks && !party.is_played_to() && !party.packer.remembers();
            let shares = party.packer.may_share(same);
            if party.shares && !shares {
                match bridge.shared.packer(party.format.form()) {
                    Some(packer) => party.packer.take_over(packer),
                    None => party.packer.clear(),
                }
            }
            party.shares = shares;
        }
        for &id in &bridge.members {
            let warning = self.parties.get_mut(id).and_then(|party| party.warning.as_mut());
            if let Some((tone, converter)) = warning {
                let mut frame = Frame::silence(Band::Narrow);
                tone.fill(&mut frame);
                sum.add(&frame.in_band(bridge.band, converter));
            }
        }
        let all = sum.all();
        bridge.shared.tick += 1;
        let mut speakers = self.speakers.iter().copied().peekable();
        for &id in &bridge.members {
            let Some(party) = self.parties.get_mut(id) else { continue };
            let speaks = speakers.next_if_eq(&id).is_some();
            let heard = match &party.hearing {
                Some(hearing) if speaks => sum.without(&hearing.frame),
                _ => all,
            };
            let heard = match party.shares {
                true => {
                    bridge.shared.send(now, id, party, &all, &mut self.queue);
                    all
                }
                false => send(now, id, party, &heard, &mut self.payload, &mut self.queue),
            };
            tap(id, party, &heard, &mut self.queue);
        }
        self.name_talker(at, bridge);
    }

    /// Tells who speaks, if it is somebody else than before; not more often than people can read it, and not that nobody does
    /// in each pause between words.
    fn name_talker(&mut self, at: BridgeId, bridge: &mut Bridge) {
        let loudness = |id: PartyId| {
            let hearing = self.parties.get(id).and_then(|party| party.hearing.as_ref());
            hearing.map_or(0, |hearing| hearing.loudness)
        };
        let now = bridge.talker.filter(|id| bridge.members.contains(id));
        let before = now.map_or(0, loudness);
        bridge.named = bridge.named.saturating_add(1);
        bridge.unheard = if before > SPEAKING / 8 { 0 } else { bridge.unheard.saturating_add(1) };
        let loudest = bridge.members.iter().map(|&id| (loudness(id), id)).max();
        let talker = match loudest {
            Some((level, id)) if level > SPEAKING && level > 2 * before => Some(id),
            _ if bridge.unheard < PAUSE => now,
            _ => None,
        };
        let is_due = bridge.talker.is_none() || now.is_none() || bridge.named >= SHOWN;
        if talker != bridge.talker && is_due {
            (bridge.talker, bridge.named) = (talker, 0);
            self.queue.talker(at, talker);
        }
    }

    /// Adds a source, in place of another one of that name.
    pub(super) fn put_source(&mut self, at: SourceId, player: Player) {
        match self.sources.get_mut(&at) {
            Some(source) => source.player = player,
            None => {
                let source = Source {
                    player,
                    live: None,
                    listeners: Vec::new(),
                    pacer: None,
                    shared: Shared::default(),
                };
                self.sources.insert(at, source);
            }
        }
    }

    /// Lets a party hear a source.
    pub(super) fn listen_to(&mut self, now: Time, id: PartyId, at: SourceId) -> Result<(), OrderError> {
        let Some(party) = self.parties.get_mut(id) else { return Err(OrderError::NoParty) };
        let Some(source) = self.sources.get_mut(&at) else { return Err(OrderError::NoSource) };
        if !is_understood(party.format.codec) {
            return Err(OrderError::NotUnderstood(party.format.codec));
        }
        party.outbound.interrupt();
        source.listeners.push(id);
        if source.pacer.is_none() {
            source.pacer = Some(Pacer::new(now, PacketTime::DEFAULT));
            self.timers.insert((now, Due::Source(at)));
        }
        Ok(())
    }

    /// A source's next frame is due.
    pub(super) fn source_due(&mut self, now: Time, due: Time, at: SourceId) {
        let Some(source) = self.sources.get_mut(&at) else { return };
        let Some(pacer) = source.pacer.as_mut().filter(|pacer| pacer.poll_timeout() == due) else { return };
        let frames = pacer.take(now);
        self.timers.insert((pacer.poll_timeout(), Due::Source(at)));
        let Some(mut source) = self.sources.remove(&at) else { return };
        if frames.skip > 0 {
            self.interrupt(&source.listeners);
        }
        for _ in 0..frames.send {
            let mut frame = Frame::silence(Band::Narrow);
            match &mut source.live {
                Some(live) => live.fill(now, &mut source.player, &mut frame),
                None => source.player.fill(&mut frame),
            }
            source.shared.tick += 1;
            for &id in &source.listeners {
                let Some(party) = self.parties.get_mut(id) else { continue };
                let mut heard = frame;
                if party.packer.may_share(!party.is_played_to()) {
                    source.shared.send(now, id, party, &frame, &mut self.queue);
                    party.packer.rest();
                } else {
                    heard = send(now, id, party, &frame, &mut self.payload, &mut self.queue);
                }
                party.hear(now, id, Band::Narrow, &mut self.queue);
                tap(id, party, &heard, &mut self.queue);
            }
        }
        self.sources.insert(at, source);
    }

    /// Lets a party's own frames come, or no longer: where something is played or pressed to it, or it is listened to, and no
    /// bridge or source makes frames anyhow.
    pub(super) fn pace(&mut self, now: Time, id: PartyId) {
        let Some(party) = self.parties.get_mut(id) else { return };
        let driven = party.way == Way::Mix || matches!(party.place, Place::Source(_));
        let needed = !driven && (party.is_played_to() || party.is_listened_to());
        match (needed, &party.pacer) {
            (true, None) => {
                party.pacer = Some(Pacer::new(now, PacketTime::DEFAULT));
                party.packer.clear();
                self.timers.insert((now, Due::Party(id)));
            }
            (false, Some(_)) => {
                party.pacer = None;
                party.outbound.interrupt();
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// A party's own next frame is due.
    pub(super) fn party_due(&mut self, now: Time, due: Time, id: PartyId) {
        let Some(party) = self.parties.get_mut(id) else { return };
        let Some(pacer) = party.pacer.as_mut().filter(|pacer| pacer.poll_timeout() == due) else { return };
        let frames = pacer.take(now);
        self.timers.insert((pacer.poll_timeout(), Due::Party(id)));
        if frames.skip > 0 {
            party.outbound.interrupt();
        }
        for _ in 0..frames.send {
            let mut heard = Frame::silence(Band::Narrow);
            party.hear(now, id, Band::Narrow, &mut self.queue);
            if party.is_played_to() {
                heard = send(now, id, party, &heard, &mut self.payload, &mut self.queue);
            }
            tap(id, party, &heard, &mut self.queue);
        }
        self.pace(now, id);
    }

    /// So much time was missed that what comes next is a new beginning.
    fn interrupt(&mut self, parties: &[PartyId]) {
        for &id in parties {
            if let Some(party) = self.parties.get_mut(id) {
                party.outbound.interrupt();
            }
        }
    }
}

/// Sends a frame to one party alone, or in its place what is played or pressed to it; says what it was.
fn send(
    now: Time,
    id: PartyId,
    party: &mut Party,
    frame: &Frame,
    payload: &mut Vec<u8>,
    queue: &mut Queue,
) -> Frame {
    let format = party.format;
    let mut played = *frame;
    if party.player.is_some() || !party.tones.is_empty() {
        // Clips and tones are narrow-band.
        played = Frame::silence(Band::Narrow);
    }
    if let Some(player) = party.player.as_mut().filter(|_| is_understood(format.codec)) {
        player.fill(&mut played);
    }
    party.tones.fill(&mut played);
    party.packer.add(&played);
    while party.packer.pack(payload) {
        let Some(to) = party.gate.target() else { continue };
        if let (Some(press), Some(events)) = (party.presses.front_mut(), format.events) {
            if let Some((header, event)) = party.outbound.press(now, press, format.packet_time, events) {
                queue.rtp(id, to, header, &event);
                continue;
            }
            party.presses.pop_front();
        }
        let encoded = party.player.as_mut().filter(|_| payload.is_empty());
        let payload = match encoded {
            Some(player) => player.payload(format.codec.payload_len(format.packet_time)).unwrap_or_default(),
            None => &payload[..],
        };
        if !payload.is_empty() {
            let header = party.outbound.make(now, format.packet_time, format.payload_type, payload.len());
            queue.rtp(id, to, header, payload);
        }
    }
    let payload_len = format.codec.payload_len(format.packet_time);
    if party.player.take_if(|player| player.is_finished(payload_len)).is_some() {
        queue.event(id, Event::ClipFinished);
    }
    played
}

/// Gives what a party said and heard to whoever records it.
fn tap(id: PartyId, party: &mut Party, heard: &Frame, queue: &mut Queue) {
    if let (true, Some(hearing)) = (party.tapped, &party.hearing) {
        let [said, of_others] = &mut party.taps;
        let said = hearing.frame.in_band(Band::Narrow, said);
        queue.sound(id, &said, &heard.in_band(Band::Narrow, of_others));
    }
}
