//! What goes between the exchange and its SIP trunks: the exchange's own orders and events, with what SIP knows besides.

use std::net::SocketAddr;

use selsius_exchange::{
    TrunkEvent, TrunkLegId, TrunkOrder, codec_name,
    record::{EndCause, Party},
};
use selsius_site::CodecName;

/// What the exchange wants of a trunk: [`TrunkOrder`], with audio as SIP names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Call this number.
    Offer {
        /// The name of the call from now on.
        leg: TrunkLegId,
        /// Over which trunk, by its name in the site.
        trunk: String,
        /// Whom.
        number: String,
        /// Who calls.
        calling: Party,
        /// Who forwarded the call last.
        redirecting: Option<Party>,
        /// What this side can do, the best first.
        codecs: Vec<CodecName>,
        /// Packet time in milliseconds.
        packet_ms: u32,
        /// An emergency call: limits do not count.
        emergency: bool,
        /// Where this side listens. `None` if that is known only once the far end has said what it can do: then the
        /// INVITE has no offer (RFC 3261 section 13.2.1).
        listens: Option<SocketAddr>,
    },
    /// The phone that the trunk called rings.
    Ringing {
        /// Which call.
        leg: TrunkLegId,
    },
    /// The phone that the trunk called has answered. The far end is told when it is also known where it listens
    /// ([`Order::Media`]).
    Answer {
        /// Which call.
        leg: TrunkLegId,
        /// Who answered.
        by: Party,
        /// What is spoken.
        audio: Option<Audio>,
    },
    /// What is spoken on this side and where it listens. Before [`Order::Answer`] it opens the audio early.
    Media {
        /// Which call.
        leg: TrunkLegId,
        /// What is spoken.
        audio: Audio,
        /// Where this side listens.
        address: SocketAddr,
    },
    /// This side has put the call on hold, or takes it up again.
    Hold {
        /// Which call.
        leg: TrunkLegId,
        /// Is it on hold?
        held: bool,
    },
    /// Who is on this side has changed.
    Party {
        /// Which call.
        leg: TrunkLegId,
        /// Who it is now.
        party: Party,
    },
    /// A key, to be sent outside of the audio.
    Digit {
        /// Which call.
        leg: TrunkLegId,
        /// Which key: a digit, `*` or `#`.
        digit: char,
    },
    /// It is over.
    HangUp {
        /// Which call.
        leg: TrunkLegId,
        /// Why.
        cause: EndCause,
    },
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audio {
    /// The codec.
    pub codec: CodecName,
    /// Packet time in milliseconds.
    pub packet_ms: u32,
}

impl Order {
    /// The order of the exchange. `None` for audio that SIP trunks do not speak.
    pub fn new(order: TrunkOrder) -> Option<Self> {
        Some(match order {
            TrunkOrder::Offer {
                leg,
                trunk,
                number,
                calling,
                redirecting,
                codecs,
                packet_ms,
                emergency,
                listens,
                // Rooms are the manager's own.
                meet_me: _,
            } => Self::Offer {
                leg,
                trunk,
                number,
                calling,
                redirecting,
                codecs,
                packet_ms,
                emergency,
                listens,
            },
            TrunkOrder::Ringing { leg } => Self::Ringing { leg },
            TrunkOrder::Answer { leg, by, audio } => {
                let audio = match audio {
                    Some(audio) => {
                        Some(Audio { codec: codec_name(audio.codec)?, packet_ms: audio.packet_ms })
                    }
                    None => None,
                };
                Self::Answer { leg, by, audio }
            }
            TrunkOrder::Media { leg, audio, address } => {
                let audio = Audio { codec: codec_name(audio.codec)?, packet_ms: audio.packet_ms };
                Self::Media { leg, audio, address }
            }
            TrunkOrder::Hold { leg, held } => Self::Hold { leg, held },
            TrunkOrder::Party { leg, party } => Self::Party { leg, party },
            TrunkOrder::Digit { leg, digit } => Self::Digit { leg, digit },
            TrunkOrder::HangUp { leg, cause } => Self::HangUp { leg, cause },
        })
    }

    /// Which call it is about.
    pub fn leg(&self) -> TrunkLegId {
        match *self {
            Self::Offer { leg, .. }
            | Self::Ringing { leg }
            | Self::Answer { leg, .. }
            | Self::Media { leg, .. }
            | Self::Hold { leg, .. }
            | Self::Party { leg, .. }
            | Self::Digit { leg, .. }
            | Self::HangUp { leg, .. } => leg,
        }
    }
}

/// Something happened at a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// In a call.
    Call(TrunkEvent),
    /// The far end pressed a key, and said so by INFO.
    Digit {
        /// In which call.
        leg: TrunkLegId,
        /// Which key: a digit, `*`, `#` or a letter from A to D.
        digit: char,
    },
    /// A trunk can be used, or no longer.
    Trunk {
        /// Which, by its name in the site.
        trunk: String,
        /// How it is.
        status: TrunkStatus,
    },
}

impl From<TrunkEvent> for Event {
    fn from(event: TrunkEvent) -> Self {
        Self::Call(event)
    }
}

/// Can a trunk be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrunkStatus {
    /// Nothing is known: it is neither registered nor probed, or that has not been answered yet.
    #[default]
    Unknown,
    /// It is registered, or answers probes.
    Up,
    /// Its registration failed, or it does not answer.
    Down,
}
