//! The third form of a capability update.

use alloc::vec::Vec;

use selsius_wire_derive::Wire;

use super::{AudioCapability, CustomPictureFormat, LevelPreference, VideoParams, first};
use crate::{
    codec::{Field, FieldError, Kind, Layout, Mode, Reader, Walk, Wire, Writer},
    value::{Codec, EncryptionCapability, IpAddressMode, MediaDirection, VideoLayout},
};

/// 0x0044. Audio, video and data formats, with encryption.
///
/// Nobody has a capture. One source says that only the slots in use are sent, another reads all slots as in
/// [`super::UpdateCapabilities`] (length 2104, from v16 on 2144); both are understood, and which one it is
/// follows from the length.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(form = "UpdateCapabilitiesV3::form")]
pub struct UpdateCapabilitiesV3 {
    /// Audio formats in use.
    pub audio_cap_count: u32,
    /// Video formats in use.
    pub video_cap_count: u32,
    /// Data formats in use.
    pub data_cap_count: u32,
    /// RTP payload format.
    pub rtp_payload_format: u32,
    /// Picture formats in use.
    pub custom_picture_format_count: u32,
    /// Picture formats, as many as were sent.
    #[wire(count = "custom_picture_format_count", max = 6)]
    pub custom_picture_format: Vec<CustomPictureFormat>,
    /// Conferences.
    pub conf_resources: ConfResourcesV3,
    /// Audio formats, as many as were sent.
    #[wire(count = "audio_cap_count", max = 18)]
    pub audiocaps: Vec<AudioCapability>,
    /// Video formats, as many as were sent.
    #[wire(count = "video_cap_count", max = 10)]
    pub vid_caps: Vec<VideoCapabilityV3>,
    /// Data formats, as many as were sent.
    #[wire(count = "data_cap_count", max = 5)]
    pub data_caps: Vec<DataCapabilityV2>,
}

/// What a phone can spend on conferences.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ConfResourcesV3 {
    /// Streams at registration.
    pub active_streams_on_registration: u32,
    /// Bandwidth.
    pub max_bw: u32,
    /// Services in use.
    pub service_resource_count: u32,
    /// Services, as many as were sent.
    #[wire(count = "service_resource_count", max = 4)]
    pub service_resource: Vec<ServiceResourceV3>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ServiceResourceV3 {
    /// Layouts in use.
    pub layout_count: u32,
    /// Picture layouts, as many as were sent.
    #[wire(count = "layout_count", max = 5)]
    pub layouts: Vec<VideoLayout>,
    /// Its number.
    pub service_num: u32,
    /// The most streams.
    pub max_streams: u32,
    /// The most conferences.
    pub max_conferences: u32,
    /// Conferences at registration.
    pub active_conference_on_registration: u32,
}

/// A video format.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct VideoCapabilityV3 {
    /// The format.
    pub payload_capability: Codec,
    /// Which ways it works.
    pub video_capability_direction: MediaDirection,
    /// Preferred qualities in use.
    pub level_preference_count: u32,
    /// Preferred qualities, as many as were sent.
    #[wire(count = "level_preference_count", max = 4)]
    pub level_preference: Vec<LevelPreference>,
    /// Whether it can be encrypted.
    pub encryption_capability: EncryptionCapability,
    /// More about the format.
    #[wire(union = "payload_capability")]
    pub capability: VideoParams,
    /// Which addresses it can use.
    pub ip_addressing_mode: IpAddressMode,
    /// The same once more, from v16 on.
    #[wire(since = 16)]
    pub second_ip_addressing_mode: SecondIpAddressMode,
}

/// A data format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DataCapabilityV2 {
    /// The format.
    pub payload_capability: Codec,
    /// Which ways it works.
    pub data_capability_direction: MediaDirection,
    /// Depends on the format.
    pub protocol_dependent_data: u32,
    /// Bit rate.
    pub max_bit_rate: u32,
    /// Whether it can be encrypted.
    pub encryption_capability: EncryptionCapability,
}

/// A word that video formats have from v16 on; `None` before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondIpAddressMode(pub Option<IpAddressMode>);

impl SecondIpAddressMode {
    const SINCE: u8 = 16;
}

impl Wire for SecondIpAddressMode {
    const KIND: Kind = IpAddressMode::KIND;

    fn absent() -> Self {
        Self::default()
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        if !r.layout().has(Self::SINCE) {
            return Ok(Self(None));
        }
        r.part().map(|mode| Self(Some(mode)))
    }

    fn encode(&self, w: &mut Writer<'_>) {
        if let Self(Some(mode)) = self {
            mode.encode(w);
        }
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        if let Self(Some(mode)) = self {
            mode.visit(walk, field);
        }
    }
}

impl UpdateCapabilitiesV3 {
    /// The most audio formats.
    pub const AUDIO: usize = 18;

    const DATA: usize = 5;

    /// These audio formats, nothing else, only the slots in use.
    pub fn new(audio: &[AudioCapability]) -> Self {
        let audiocaps: Vec<_> = audio.iter().copied().take(Self::AUDIO).collect();
        let audio_cap_count = u32::try_from(audiocaps.len()).unwrap_or_default();
        Self { audio_cap_count, audiocaps, ..Self::absent() }
    }

    /// The audio formats in use.
    pub fn audio(&self) -> &[AudioCapability] {
        first(&self.audiocaps, self.audio_cap_count)
    }

    /// The video formats in use.
    pub fn video(&self) -> &[VideoCapabilityV3] {
        first(&self.vid_caps, self.video_cap_count)
    }

    /// Which form a body has: the one that accounts for every byte, with the second address mode or without
    /// (its version is not always known).
    fn form(body: &[u8], layout: Layout) -> Layout {
        let before = Layout { version: SecondIpAddressMode::SINCE - 1, ..layout };
        let after = Layout { version: SecondIpAddressMode::SINCE, ..layout };
        let modes = if layout.has(SecondIpAddressMode::SINCE) { [after, before] } else { [before, after] };
        let forms =
            [false, true].into_iter().flat_map(|all_slots| modes.map(|mode| Layout { all_slots, ..mode }));
        let accounts = |form: &Layout| {
            let mut probe = Reader::new(body, *form, Mode::Strict);
            let Ok(message) = Self::decode_fields(&mut probe) else { return false };
            // Not only nothing left over: a field beyond the end is absent, and not an error.
            let mut again = Vec::with_capacity(body.len());
            message.encode(&mut Writer::new(&mut again, *form));
            // Ten video formats of one width and three data formats are as long as ten of the other and five.
            again.len() == body.len() && (!form.all_slots || message.data_caps.len() == Self::DATA)
        };
        let [mode, _] = modes;
        forms.into_iter().find(accounts).unwrap_or(Layout { all_slots: true, ..mode })
    }
}
