//! What a manager does with the streams of calls: it passes them on, puts them together, plays to them and listens for
//! digits.
//!
//! A *party* is one RTP stream each way, with an address pair of its own that the caller knows. Parties meet in *bridges*, hear
//! *sources*, or are alone. What happens in a bridge follows from who is in it:
//!
//! | parties | what happens |
//! |---|---|
//! | two with the same codec and packet time | each packet goes on at once, with numbers of our own: nothing is decoded, and no memory taken |
//! | two with the same codec | the same, cut into packets of the other length |
//! | others | each 20 ms the sum of all is made, and everybody gets it without his own part |
//!
//! The engine does no I/O. Datagrams go in by [`Engine::receive`] and [`Engine::receive_control`], time by
//! [`Engine::handle_timeout`] whenever [`Engine::poll_timeout`] is over; what is to be sent, and what happened, comes out of
//! [`Engine::poll_output`], which is to be emptied after each of them.
//!
//! ```
//! use selsius_media::engine::*;
//! use selsius_media::rtcp::NtpTime;
//! use selsius_media::rtp::StreamStart;
//! use selsius_media::*;
//!
//! let mut engine = Engine::new(Config { seed: 7, wall: NtpTime(0), name: "selsius".into() });
//! let format = Format::new(Codec::Pcmu, PacketTime::DEFAULT);
//! let (alice, bob) = ("192.0.2.1:4000".parse()?, "192.0.2.2:4000".parse()?);
//! let one = engine.open(Time::ZERO, format, Some(alice), Learning::SameHost)?;
//! let other = engine.open(Time::ZERO, format, Some(bob), Learning::SameHost)?;
//! engine.place(Time::ZERO, one, Place::Bridge(BridgeId(1)))?;
//! engine.place(Time::ZERO, other, Place::Bridge(BridgeId(1)))?;
//!
//! let start = StreamStart { ssrc: Ssrc(7), sequence: SequenceNumber(9), timestamp: RtpTimestamp(11) };
//! let mut datagram = Vec::new();
//! Sender::new(Codec::Pcmu, PacketTime::DEFAULT, start).send(&[0; 160], &mut datagram)?;
//! engine.receive(Time::ZERO, one, alice, &datagram);
//! let Some(Output::Packet { party, to, bytes, .. }) = engine.poll_output() else { panic!() };
//! assert_eq!((party, to, bytes.len()), (other, bob, datagram.len()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Bounds.** What a party may send is limited by rate and size; what does not fit is counted and dropped. Memory grows with
//! the orders of the caller, and those have limits ([`Limits`]).

mod arena;
mod bridge;
mod clip;
mod control;
mod figures;
mod gate;
mod keys;
mod live;
mod outbound;
mod packets;
mod party;
mod quality;
mod queue;
mod voice;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

pub use clip::Clip;
pub use figures::{Counters, Figures};
pub use gate::Learning;
pub use party::Format;
pub use quality::Mos;

use crate::coder::Converter;
use crate::dtmf::Press;
use crate::rtcp::{self, NtpTime};
use crate::rtp::StreamStart;
use crate::{Codec, Digit, RtpTimestamp, SequenceNumber, Ssrc, Time, Tone, ToneGenerator};
use arena::Arena;
use bridge::{Bridge, Due, Source};
use clip::Player;
use control::{Wall, next_report};
use gate::Gate;
use live::Live;
use outbound::Outbound;
use party::{Party, Way};
use queue::Queue;

/// One party, as the engine names it. A number is not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId {
    index: u32,
    generation: u32,
}

impl PartyId {
    /// Its place among the parties that are open: small, and used again after it was closed.
    pub const fn index(self) -> u32 {
        self.index
    }
}

/// A bridge, as the caller names it. It is there as long as somebody is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BridgeId(pub u64);

/// A source, as the caller names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// Where a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// Alone: it hears only what is played to it.
    #[default]
    Nowhere,
    /// With others.
    Bridge(BridgeId),
    /// It hears a source, and nobody hears it.
    Source(SourceId),
    /// It hears itself.
    Echo,
}

/// Whether others hear a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Voice {
    /// They do.
    #[default]
    Heard,
    /// They do not.
    Muted,
}

/// What the engine has to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Random: sources and numbers of streams follow from it.
    pub seed: u64,
    /// The wall clock at [`Time::ZERO`].
    pub wall: NtpTime,
    /// The canonical name (RFC 3550, section 6.5.1) of all streams from here.
    pub name: String,
}

/// Bounds on what orders can make the engine hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Parties.
    pub parties: usize,
    /// Parties in one bridge.
    pub bridge: usize,
    /// Sources.
    pub sources: usize,
    /// Digits that wait to be sent to a party.
    pub digits: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parties: 20_000, bridge: 500, sources: 1000, digits: 32 }
    }
}

/// Why an order is not carried out. Then nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// It was closed.
    #[error("party does not exist")]
    NoParty,
    /// There is no such source.
    #[error("source does not exist")]
    NoSource,
    /// One of [`Limits`].
    #[error("too many parties")]
    TooManyParties,
    /// One of [`Limits`].
    #[error("bridge is full")]
    BridgeFull,
    /// One of [`Limits`].
    #[error("too many sources")]
    TooManySources,
    /// One of [`Limits`].
    #[error("too many digits")]
    TooManyDigits,
    /// Sound of this codec can be passed on, not made or heard.
    #[error("{0} can only be passed on")]
    NotUnderstood(Codec),
}

/// To which of a party's two ports a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// RTP.
    Media,
    /// RTCP.
    Control,
}

/// What shall happen outside, or what has happened here.
#[derive(Debug, PartialEq)]
pub enum Output<'a> {
    /// Send a datagram.
    Packet {
        /// From whose socket.
        party: PartyId,
        /// Where.
        to: SocketAddr,
        /// From which port.
        port: Port,
        /// What.
        bytes: &'a [u8],
    },
    /// 20 ms of a party that is tapped.
    Sound {
        /// Whose.
        party: PartyId,
        /// What it said.
        said: &'a [i16],
        /// What it heard.
        heard: &'a [i16],
    },
    /// Something happened at a party.
    Event {
        /// Whose.
        party: PartyId,
        /// What.
        event: Event,
    },
    /// Another party of a mixed bridge speaks now, or nobody any more.
    Talker {
        /// Where.
        bridge: BridgeId,
        /// Who.
        party: Option<PartyId>,
    },
}

/// What happened at a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its packets come from another address than the announced one.
    Learnt(SocketAddr),
    /// It pressed a key.
    Digit(Digit),
    /// What was played to it is over.
    ClipFinished,
}

/// The media of all calls.
#[derive(Debug)]
pub struct Engine {
    limits: Limits,
    wall: Wall,
    random: u64,
    parties: Arena<Party>,
    bridges: BTreeMap<BridgeId, Bridge>,
    sources: BTreeMap<SourceId, Source>,
    /// What falls due when. What is no longer true is recognised when it is due.
    timers: BTreeSet<(Time, Due)>,
    queue: Queue,
    counters: Counters,
    // Used again each time, so that a packet costs no allocation.
    payload: Vec<u8>,
    speakers: Vec<PartyId>,
}

impl Engine {
    /// An engine without parties.
    pub fn new(config: Config) -> Self {
        Self {
            limits: Limits::default(),
            wall: Wall { origin: config.wall, name: config.name.chars().take(MOST_NAME).collect() },
            random: config.seed,
            parties: Arena::new(),
            bridges: BTreeMap::new(),
            sources: BTreeMap::new(),
            timers: BTreeSet::new(),
            queue: Queue::default(),
            counters: Counters::default(),
            payload: Vec::new(),
            speakers: Vec::new(),
        }
    }

    /// Keeps to other limits from now on. What is there stays.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Adds a party that listens at `remote`, if that is known already. Nothing is taken of it before.
    ///
    /// # Errors
    /// If there are too many.
    pub fn open(
        &mut self,
        now: Time,
        format: Format,
        remote: Option<SocketAddr>,
        learning: Learning,
    ) -> Result<PartyId, OrderError> {
        if self.parties.len() >= self.limits.parties {
            return Err(OrderError::TooManyParties);
        }
        let (name, numbers) = (self.chance(), self.chance());
        let start = StreamStart {
            ssrc: Ssrc(name as u32),
            sequence: SequenceNumber(numbers as u16),
            timestamp: RtpTimestamp((numbers >> 32) as u32),
        };
        let outbound = Outbound::new(format.codec.clock_rate(), start);
        let report_at = next_report(now, self.chance());
        let party = Party::new(now, format, Gate::new(now, remote, learning), outbound, report_at);
        let id = self.parties.insert(party);
        self.timers.insert((report_at, Due::Report(id)));
        self.resettle(now, id);
        Ok(id)
    }

    /// Ends a party, and says how it was; `None` if there is none.
    pub fn close(&mut self, now: Time, id: PartyId) -> Option<Figures> {
        let place = self.parties.get(id)?.place;
        self.leave(now, id, place);
        let party = self.parties.remove(id)?;
        self.timers.remove(&(party.report_at, Due::Report(id)));
        Some(party.figures(now))
    }

    /// How a party has been up to now.
    pub fn figures(&self, now: Time, id: PartyId) -> Option<Figures> {
        self.parties.get(id).map(|party| party.figures(now))
    }

    /// A party's streams are packed in another way from now on. Where two are together this never fails: until the other one
    /// has changed too, they may not hear each other.
    ///
    /// # Errors
    /// If it would no longer be understood where it is.
    pub fn set_format(&mut self, now: Time, id: PartyId, format: Format) -> Result<(), OrderError> {
        let party = self.party(id)?;
        let (old, place) = (party.format, party.place);
        if old == format {
            return Ok(());
        }
        party.format = format;
        let fits = match place {
            Place::Bridge(at) if self.is_pair(at) => Ok(()),
            Place::Bridge(at) => self.still_fits(at),
            Place::Source(_) if !voice::is_understood(format.codec) => {
                Err(OrderError::NotUnderstood(format.codec))
            }
            Place::Source(_) | Place::Nowhere | Place::Echo => Ok(()),
        };
        let party = self.party(id)?;
        if let Err(error) = fits {
            party.format = old;
            return Err(error);
        }
        party.packer = voice::Packer::new(format.form());
        party.keys_change();
        party.outbound.set_clock_rate(format.codec.clock_rate());
        party.deafen();
        if party.player.as_ref().is_some_and(|player| !player.fits(format.codec)) {
            party.player = None;
            self.queue.event(id, Event::ClipFinished);
        }
        self.resettle(now, id);
        Ok(())
    }

    /// A party listens here from now on. Another address than before ends what was learnt of the old one.
    ///
    /// # Errors
    /// If there is no such party.
    pub fn set_remote(
        &mut self,
        now: Time,
        id: PartyId,
        remote: Option<SocketAddr>,
        learning: Learning,
    ) -> Result<(), OrderError> {
        let party = self.party(id)?;
        party.gate.announce(now, remote, learning);
        party.control.source = None;
        Ok(())
    }

    /// Puts a party somewhere else. Where it is already, nothing changes.
    ///
    /// # Errors
    /// If it cannot be there. Then it is nowhere.
    pub fn place(&mut self, now: Time, id: PartyId, place: Place) -> Result<(), OrderError> {
        let party = self.party(id)?;
        if party.place == place {
            return Ok(());
        }
        let old = core::mem::take(&mut party.place);
        party.way = Way::Nowhere;
        party.shares = false;
        party.packer.clear();
        party.outbound.interrupt();
        self.leave(now, id, old);
        let placed = match place {
            Place::Bridge(at) => self.join(now, id, at),
            Place::Source(at) => self.listen_to(now, id, at),
            Place::Nowhere | Place::Echo => Ok(()),
        };
        let party = self.party(id)?;
        if placed.is_ok() {
            party.place = place;
            if place == Place::Echo {
                party.way = Way::Relay(id);
            }
        }
        party.listen();
        self.pace(now, id);
        placed
    }

    /// Lets others hear a party, or not.
    ///
    /// # Errors
    /// If there is no such party.
    pub fn set_voice(&mut self, id: PartyId, voice: Voice) -> Result<(), OrderError> {
        let party = self.party(id)?;
        party.voice = voice;
        if let Way::Relay(to) = party.way
            && let Some(other) = self.parties.get_mut(to)
        {
            // What was not passed on meanwhile was not lost.
            other.outbound.interrupt();
        }
        Ok(())
    }

    /// Gives what a party says and hears as [`Output::Sound`] from now on, or no longer. In a bridge of two its packets are
    /// not passed on as they are then.
    ///
    /// # Errors
    /// If its codec, or that of somebody who is with it, can only be passed on.
    pub fn tap(&mut self, now: Time, id: PartyId, tapped: bool) -> Result<(), OrderError> {
        let party = self.party(id)?;
        let codec = party.format.codec;
        if tapped && !voice::is_understood(codec) {
            return Err(OrderError::NotUnderstood(codec));
        }
        let before = core::mem::replace(&mut party.tapped, tapped);
        if let Place::Bridge(at) = party.place
            && let Err(error) = self.still_fits(at)
        {
            self.party(id)?.tapped = before;
            return Err(error);
        }
        self.resettle(now, id);
        Ok(())
    }

    /// Lets all who are with a party hear a tone beside what is said, the party included, from now on; `None` ends that. Where
    /// packets are passed on as they are nobody hears it: whoever is tapped is not relayed.
    ///
    /// # Errors
    /// If there is no such party.
    pub fn set_warning(&mut self, id: PartyId, tone: Option<Tone>) -> Result<(), OrderError> {
        self.party(id)?.warning = tone.map(|tone| (ToneGenerator::new(tone), Converter::new()));
        Ok(())
    }

    /// Plays something to a party, in place of what it would hear else and of what was played before.
    /// [`Event::ClipFinished`] tells its end.
    ///
    /// # Errors
    /// If it does not fit the party's codec.
    pub fn play(&mut self, now: Time, id: PartyId, clip: Clip) -> Result<(), OrderError> {
        let party = self.party(id)?;
        let player = Player::new(clip);
        if !player.fits(party.format.codec) {
            return Err(OrderError::NotUnderstood(party.format.codec));
        }
        party.player = Some(player);
        self.pace(now, id);
        Ok(())
    }

    /// Ends what is played to a party.
    ///
    /// # Errors
    /// If there is no such party.
    pub fn stop(&mut self, now: Time, id: PartyId) -> Result<(), OrderError> {
        self.party(id)?.player = None;
        self.pace(now, id);
        Ok(())
    }

    /// Presses a key for so long at a party, after those that wait: as telephone events, or as tones if these were not agreed.
    ///
    /// # Errors
    /// If the party knows no telephone events and tones of its codec cannot be made, or too many wait.
    pub fn send_digit(
        &mut self,
        now: Time,
        id: PartyId,
        digit: Digit,
        length: Duration,
    ) -> Result<(), OrderError> {
        let most = self.limits.digits;
        let party = self.party(id)?;
        let codec = party.format.codec;
        if party.presses.len() + party.tones.len() >= most {
            return Err(OrderError::TooManyDigits);
        }
        if party.format.events.is_some() {
            party.presses.push_back(Press::at(codec.clock_rate(), digit, KEY_VOLUME, length));
        } else if voice::is_understood(codec) {
            let softly = party.tones.is_empty() && party.packer.begins_softly();
            party.tones.press(digit, length, softly);
        } else {
            return Err(OrderError::NotUnderstood(codec));
        }
        self.pace(now, id);
        Ok(())
    }

    /// Adds a source, or lets an existing one give something else.
    ///
    /// # Errors
    /// If there are too many.
    pub fn set_source(&mut self, at: SourceId, clip: Clip) -> Result<(), OrderError> {
        if !self.sources.contains_key(&at) && self.sources.len() >= self.limits.sources {
            return Err(OrderError::TooManySources);
        }
        self.put_source(at, Player::new(clip));
        Ok(())
    }

    /// Lets a source give what [`Engine::feed`] brings, and its clip while nothing comes; or the clip alone again.
    ///
    /// # Errors
    /// If there is no such source.
    pub fn set_live(&mut self, at: SourceId, live: bool) -> Result<(), OrderError> {
        let source = self.sources.get_mut(&at).ok_or(OrderError::NoSource)?;
        source.live = live.then(Live::new);
        Ok(())
    }

    /// Takes a datagram that came at `now` from `from` for a source that is live: RTP in G.711 or G.722, with its static
    /// payload type. All else is dropped, and so is what nobody listens to.
    pub fn feed(&mut self, now: Time, at: SourceId, from: SocketAddr, datagram: &[u8]) {
        let source = self.sources.get_mut(&at).filter(|source| !source.listeners.is_empty());
        if let Some(live) = source.and_then(|source| source.live.as_mut()) {
            live.push(now, from, datagram);
        }
    }

    /// Takes a source away. Who hears it is nowhere then.
    pub fn remove_source(&mut self, now: Time, at: SourceId) {
        let Some(source) = self.sources.remove(&at) else { return };
        for id in source.listeners {
            if let Some(party) = self.parties.get_mut(id) {
                party.place = Place::Nowhere;
                party.outbound.interrupt();
                self.pace(now, id);
            }
        }
    }

    /// When [`Engine::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&(at, due)) = self.timers.first()
            && at <= now
        {
            self.timers.pop_first();
            match due {
                Due::Bridge(bridge) => self.bridge_due(now, at, bridge),
                Due::Source(source) => self.source_due(now, at, source),
                Due::Party(party) => self.party_due(now, at, party),
                Due::Report(party) => self.report_due(now, party),
            }
        }
    }

    /// What shall happen, or has happened.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        let output = self.queue.pop();
        self.counters.sent += u64::from(matches!(output, Some(Output::Packet { .. })));
        output
    }

    /// Parties that are open.
    pub fn parties(&self) -> usize {
        self.parties.len()
    }

    /// Bridges that have parties.
    pub fn bridges(&self) -> usize {
        self.bridges.len()
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        Counters { dropped: self.queue.dropped, ..self.counters }
    }

    fn report_due(&mut self, now: Time, id: PartyId) {
        let next = next_report(now, self.chance());
        let Some(party) = self.parties.get_mut(id) else { return };
        party.report_at = next;
        self.timers.insert((next, Due::Report(id)));
        let wall = self.wall.at(now);
        let report = party.control.report(now, wall, &self.wall.name, &party.outbound, &mut party.stats);
        let above = || {
            let target = party.gate.target()?;
            Some(SocketAddr::new(target.ip(), target.port().checked_add(1)?))
        };
        if let (Some(packets), Some(to)) = (report, party.control.source.or_else(above)) {
            self.queue.packet(id, to, Port::Control, |bytes| {
                // One report and one short name always fit.
                let _ = rtcp::write(&packets, bytes);
            });
        }
    }

    fn party(&mut self, id: PartyId) -> Result<&mut Party, OrderError> {
        self.parties.get_mut(id).ok_or(OrderError::NoParty)
    }

    /// Something of a party has changed that decides how it hears others.
    fn resettle(&mut self, now: Time, id: PartyId) {
        let Some(party) = self.parties.get_mut(id) else { return };
        match party.place {
            Place::Bridge(at) => self.settle(now, at),
            Place::Echo => party.way = Way::Relay(id),
            Place::Source(_) | Place::Nowhere => {}
        }
        if let Some(party) = self.parties.get_mut(id) {
            party.listen();
        }
        self.pace(now, id);
    }

    /// The next random number (splitmix64, by Sebastiano Vigna, in the public domain).
    fn chance(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// How loud keys are said to be, in dB below 0 dBm0.
const KEY_VOLUME: u8 = 10;
/// Letters of the canonical name: its field has 255 bytes.
const MOST_NAME: usize = 60;
