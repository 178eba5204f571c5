//! Calls and their legs. A call owns its legs, a leg owns its media: what ends above ends below.

mod control;
mod keys;
mod media;

pub(crate) use self::media::variants;

use alloc::{string::String, vec::Vec};
use core::net::SocketAddr;

use selsius_wire::value::Codec;

use crate::{
    arena::Handle,
    device::Device,
    record::{CallId, EndCause, Party, WallTime},
};

/// A conversation, from lifting the handset to the last party's hanging up.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// The conference id in media messages, shared by all legs.
    pub(crate) conference: u32,
    pub(crate) legs: Vec<Handle<Leg>>,
    pub(crate) phase: Phase,
    /// The digits as dialled.
    pub(crate) dialed: String,
    /// Nothing may refuse it.
    pub(crate) emergency: bool,
    pub(crate) calling: Party,
    /// Who is called: who is rung, later who answered.
    pub(crate) called: Party,
    /// When the number was complete.
    pub(crate) started: Option<WallTime>,
    pub(crate) ringing: Option<WallTime>,
    pub(crate) answered: Option<WallTime>,
    pub(crate) audio: Option<Audio>,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The caller dials.
    Dialing,
    /// The called phones ring.
    Ringing,
    /// Two parties talk.
    Talking,
    /// It ended and is recorded; legs that still hear a tone keep it until they hang up.
    Over,
}

/// The audio that the parties agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audio {
    /// The codec.
    pub codec: Codec,
    /// Packet time in milliseconds.
    pub packet_ms: u32,
    /// Differentiated services code point, as the upper six bits of the byte that IP carries.
    pub tos: u8,
}

/// One party's part of a call: one line appearance of one phone.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) call: Handle<Call>,
    pub(crate) device: Handle<Device>,
    /// The line instance (the phone's number for the line button).
    pub(crate) line: u32,
    /// The call reference that the phone knows this leg by.
    pub(crate) reference: u32,
    /// The pass-through party id of its audio. It tells acks apart where a call reference is missing (CallManager
    /// 4.1's OpenReceiveChannelAck has none).
    pub(crate) party: u32,
    pub(crate) role: Role,
    pub(crate) state: LegState,
    pub(crate) receive: Receive,
}

/// Which side of the call a leg is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Caller,
    Called,
}

/// The state of a leg. What its phone shows follows from it (see `view`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegState {
    /// Dial tone; no digit yet.
    DialTone,
    /// Some digits.
    Dialing,
    /// The number is complete, the far end is looked for.
    Proceeding,
    /// The far end rings.
    RingOut,
    /// This phone rings.
    RingIn,
    /// This phone's user has answered; the same event connects it.
    Answering,
    /// Talking.
    Connected,
    /// It came to nothing; a tone tells so until the user hangs up.
    Failed(EndCause),
}

impl LegState {
    /// Does the leg occupy the phone's handset or speaker?
    pub(crate) fn is_off_hook(self) -> bool {
        self != Self::RingIn
    }
}

/// A leg's receive channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receive {
    /// None, or the phone was told to close it.
    Closed,
    /// The phone was asked to open it.
    Opening,
    /// The phone listens here.
    Open(SocketAddr),
}
