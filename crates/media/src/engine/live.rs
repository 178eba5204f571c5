//! Sources whose sound comes from outside as it is made: a radio, a player.
//!
//! What comes is RTP in G.711 or G.722, by its static payload type. It is kept only while somebody listens. Whoever speaks
//! first is listened to; another one is heard only after he has been silent for a while.

use core::net::SocketAddr;
use core::time::Duration;

use super::clip::Player;
use super::voice::Frame;
use crate::jitter::{Delay, Played};
use crate::{Codec, PlayoutBuffer, RtpPacket, Time};

/// A source that is fed.
#[derive(Debug)]
pub(super) struct Live {
    playout: PlayoutBuffer,
    /// From where it comes, and when it came last.
    speaker: Option<(SocketAddr, Time)>,
    /// How long nothing was to be heard, in fifths of a frame.
    quiet: u32,
}

/// Another one than before is heard after this.
const CHANGE: Duration = Duration::from_secs(2);
/// Frames without packets count five, those that are only silent count one: after a second of the one, or five of the other,
/// the clip is played. Between pieces of music there may be a pause.
const ABSENT: u32 = 5;
const MOST_QUIET: u32 = 50 * ABSENT;
/// Sound whose samples are all smaller is silence (about -60 dBm0).
const SILENT: u16 = 32;

impl Live {
    pub(super) fn new() -> Self {
        Self { playout: PlayoutBuffer::new(Delay::default()), speaker: None, quiet: 0 }
    }

    /// Takes a datagram.
    pub(super) fn push(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) {
        let Ok(packet) = RtpPacket::parse(datagram) else { return };
        let codecs = [Codec::Pcmu, Codec::Pcma, Codec::G722];
        let codec = codecs.into_iter().find(|codec| codec.payload_type() == packet.header.payload_type);
        let Some(codec) = codec else { return };
        if self.speaker.is_some_and(|(speaker, at)| speaker != from && now.since(at) < CHANGE) {
            return;
        }
        self.speaker = Some((from, now));
        self.playout.push_as(now, codec, &packet);
    }

    /// Fills a frame with what came, or with the clip where nothing did for a while.
    pub(super) fn fill(&mut self, now: Time, clip: &mut Player, frame: &mut Frame) {
        let played = self.playout.pull(now, frame);
        let is_silent = || frame.iter().all(|sample| sample.unsigned_abs() < SILENT);
        self.quiet = match played {
            Played::Silence | Played::Comfort => (self.quiet + ABSENT).min(MOST_QUIET),
            Played::Sound | Played::Concealed if is_silent() => (self.quiet + 1).min(MOST_QUIET),
            Played::Sound | Played::Concealed => 0,
        };
        if self.quiet == MOST_QUIET {
            clip.fill(frame);
        }
    }
}
