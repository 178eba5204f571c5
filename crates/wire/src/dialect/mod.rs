//! Which form of a message one phone gets.
//!
//! A [`Dialect`] is what manager and phone agreed on at registration: a version, features, and the model. It
//! is the one place that knows ids, lengths and header versions; nothing else in the house asks for the
//! version. Others speak in meanings ("prompt", "call information"), which become messages here, or hand over
//! a message whose length is chosen here.

mod forms;
mod meaning;

use alloc::vec::Vec;

pub use meaning::{CallInformation, ForwardStatus};

use crate::{
    Context, DeviceType, Encoding, Features, LabelSupport, ManagerMessage, MessageSet, StationMessage,
    codec::{Layout, Writer},
    frame, message,
};

/// The forms of messages that one phone is spoken to in, and speaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialect {
    /// What was agreed on; 0 before registration.
    version: u8,
    /// What both sides understand.
    features: Features,
    device_type: DeviceType,
    /// A phone that says nothing of versions: it gets plain text.
    ancient: bool,
}

impl Dialect {
    /// What the manager settles with a phone that offers `offered_version` (0 when Register ends before it).
    pub fn negotiate(offered_version: u8, features: impl Into<Features>, device_type: DeviceType) -> Self {
        let version = match (device_type, offered_version) {
            // Managers hold these at version 3 whatever they offer (wire-facts, Version negotiation).
            (DeviceType::Ata186 | DeviceType::Ata188, _) => 3,
            // No version, as the phones of CallManager 3.0 and before; 4 was never seen.
            (_, 0..=4) => 3,
            (_, 5..=11) => offered_version,
            // Never seen: the next older one that was.
            (_, 12..=14) => 11,
            (_, 15..) => offered_version.min(Context::NEWEST),
        };
        let Features(theirs) = features.into();
        let Features(ours) = forms::answer_features(version);
        let mut common = theirs;
        common.iter_mut().zip(ours).for_each(|(byte, ours)| *byte &= ours);
        Self { version, features: Features(common), device_type, ancient: offered_version < 3 }
    }

    /// A dialect that was settled elsewhere: `version` and `features` as agreed on, version 0 before
    /// registration.
    pub fn new(version: u8, features: impl Into<Features>, device_type: DeviceType) -> Self {
        Self { version, features: features.into(), device_type, ancient: matches!(version, 1 | 2) }
    }

    /// The protocol version; 0 before registration.
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// What both sides understand.
    pub const fn features(&self) -> Features {
        self.features
    }

    /// The model.
    pub const fn device_type(&self) -> DeviceType {
        self.device_type
    }

    /// The features that RegisterAck answers.
    pub fn answer_features(&self) -> [u8; 3] {
        forms::answer_features(self.version).0
    }

    /// For decoding what the other side sends.
    pub const fn context(&self) -> Context {
        Context::new(self.version)
    }

    /// How text is encoded: UTF-8 only when both sides said so.
    pub const fn encoding(&self) -> Encoding {
        if self.features.has_utf8() { Encoding::Utf8 } else { Encoding::Latin1 }
    }

    /// Which labels the phone translates.
    pub const fn labels(&self) -> LabelSupport {
        forms::labels(self.version, self.ancient)
    }

    /// Whether a phone of this dialect answers StartMediaTransmission: from version 17 on.
    pub const fn sends_start_media_ack(&self) -> bool {
        self.version >= 17
    }

    /// The word after the length, as managers of that version send it.
    pub fn header_version(&self) -> u32 {
        forms::header_version(self.version)
    }

    /// RegisterAck with the version and the features of this dialect.
    #[must_use]
    pub fn register_ack(&self, ack: message::RegisterAck) -> message::RegisterAck {
        message::RegisterAck {
            max_protocol_ver: self.version,
            features: forms::answer_features(self.version),
            ..ack
        }
    }

    /// Appends a frame to the phone.
    pub fn encode_manager(&self, message: &ManagerMessage, out: &mut Vec<u8>) {
        let header = forms::manager_header(message, self.version);
        self.encode(message, header, forms::manager_length(message, self.version), out);
    }

    /// Appends a frame from the phone.
    pub fn encode_station(&self, message: &StationMessage, out: &mut Vec<u8>) {
        let header = forms::station_header(message, self.version);
        self.encode(message, header, forms::station_length(message, self.version), out);
    }

    /// Appends a frame with a body cut or filled with zeros to `length` (id and body); without one the body
    /// is whole and padded to four bytes.
    #[inline]
    fn encode<M: MessageSet>(&self, message: &M, header: u32, length: Option<usize>, out: &mut Vec<u8>) {
        let start = frame::begin(out, header, message.id());
        message.encode_body(&mut Writer::new(out, Layout::of_version(self.version)));
        if let Some(length) = length {
            out.resize(start + frame::PREFIX + length, 0);
        } else if message.rule().padded {
            let body = out.len() - frame::body_start(start);
            out.resize(frame::body_start(start) + body.next_multiple_of(4), 0);
        }
        frame::finish(out, start);
    }
}
