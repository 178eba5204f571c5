//! What can go wrong: calls that fail, and servers that misbehave.

/// Why a call did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    /// No phone was free until patience ended.
    NoFreePhone,
    NoDialTone,
    NoRing,
    NoMedia,
    NotEnded,
    /// It was not put on hold.
    NotHeld,
    /// It rang where it should have been busy.
    NotBusy,
    /// The phone shows no such key.
    NoSuchKey,
    Busy,
    Congestion,
    InvalidNumber,
    /// The server ended it before the user did.
    EndedEarly,
    ConnectionLost,
}

/// What a server can do wrong, other than being slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The called phone shows another number than the caller's.
    CallerId,
    /// The calling phone shows another number than it dialled.
    CalledId,
    /// A phone rings that nobody called.
    StrayRing,
    /// A call got a state that does not fit what its phones did.
    State,
    /// A phone was told to send before it was told to receive.
    TransmitBeforeReceive,
    /// A phone was told to send to the far end before the far end had opened its channel.
    TransmitBeforeFarEnd,
    /// A phone was told to send elsewhere than to the far end of its call.
    MediaAddress,
    /// A channel was opened on a phone that has no call.
    StrayChannel,
    /// A channel was still open when its call was over.
    ChannelLeftOpen,
    /// A call was still on the phone's display when it was over.
    CallLeft,
    /// A phone in a call heard nothing, though it spoke.
    NoVoice,
    /// Voice came from somebody who has nothing to do with the call.
    VoiceSource,
    /// A phone heard another voice than that of the far end.
    OtherVoice,
}

impl Failure {
    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoFreePhone => "no-free-phone",
            Self::NoDialTone => "no-dial-tone",
            Self::NoRing => "no-ring",
            Self::NoMedia => "no-media",
            Self::NotEnded => "not-ended",
            Self::NotHeld => "not-held",
            Self::NotBusy => "not-busy",
            Self::NoSuchKey => "no-such-key",
            Self::Busy => "busy",
            Self::Congestion => "congestion",
            Self::InvalidNumber => "invalid-number",
            Self::EndedEarly => "ended-early",
            Self::ConnectionLost => "connection-lost",
        }
    }
}

impl Wrong {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallerId => "caller-id",
            Self::CalledId => "called-id",
            Self::StrayRing => "stray-ring",
            Self::State => "state",
            Self::TransmitBeforeReceive => "transmit-before-receive",
            Self::TransmitBeforeFarEnd => "transmit-before-far-end",
            Self::MediaAddress => "media-address",
            Self::StrayChannel => "stray-channel",
            Self::ChannelLeftOpen => "channel-left-open",
            Self::CallLeft => "call-left",
            Self::NoVoice => "no-voice",
            Self::VoiceSource => "voice-source",
            Self::OtherVoice => "other-voice",
        }
    }
}
