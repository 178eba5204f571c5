//! The values that fields have: open enumerations, texts, numbers, addresses.
//!
//! Every value keeps what was received: unknown enumeration values, bytes after a NUL, the padding of a
//! tagged address.

mod address;
mod bytes;
mod call;
mod conference;
mod device;
mod features;
mod key;
mod media;
mod number;
mod service;
mod short;
mod stream;
mod text;

pub use address::MediaAddress;
pub use bytes::{Bytes, Data, Spare};
pub use call::{
    CallHistoryDisposition, CallPrivacy, CallSecurity, CallState, CallType, KeypadKey, RingDuration,
    RingMode, StatsProcessing, Tone, ToneDirection,
};
pub use conference::{
    AddParticipantResult, AnnouncementMode, AnnouncementStatus, AuditParticipantResult, ConferenceResource,
    CreateConferenceResult, DeleteConferenceResult, EndOfAnnouncement, ModifyConferenceResult, SessionType,
};
pub use device::{
    AlarmSeverity, DeviceType, HeadsetMode, MediaPathAbility, MediaPathEventKind, MediaPathId,
    MicrophoneMode, ResetType, SpeakerMode, UnregisterReason, UnregisterStatus,
};
pub use features::Features;
pub use key::{ButtonType, LampMode, SoftKey, SoftKeySetId, StimulusType};
pub use media::{
    Codec, EchoCancellation, EncryptionAlgorithm, EncryptionCapability, G723BitRate, IpAddressMode,
    IpAddressType, MediaDirection, MediaStatus, PortHandling, SilenceSuppression, VideoLayout,
};
pub use number::Number;
pub use service::{MwiResult, RecordingState, SequenceFlag, SubscribeCause, SubscriptionFeature};
pub use short::ShortBytes;
pub use stream::{
    ChannelStatus, MediaTransport, MediaType, QoSErrorCode, ReservationStyle, RsvpDirection, RsvpErrorCode,
    VideoCommand,
};
pub use text::{DynText, Text};
