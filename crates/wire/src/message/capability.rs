//! What media a phone can do.

use selsius_wire_derive::Wire;

use super::{PayloadParams, ShortVideoParams, VideoParams, empty, filled, first};
use crate::value::{Codec, MediaDirection, VideoLayout};

empty! {
    /// 0x009B, answered by CapabilitiesRes or an update of capabilities.
    CapabilitiesReq,
}

/// 0x0010. The audio formats that a phone can do. Length 296: 18 slots; shorter forms end after the last one
/// in use.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CapabilitiesRes {
    /// How many slots are in use. More than 18 overflowed other managers (CVE-2007-4280, CVE-2010-0587).
    pub cap_count: u32,
    /// The formats; unused slots are kept as they were.
    #[wire(count = "cap_count")]
    pub caps: [AudioCapability; CapabilitiesRes::CAPACITY],
}

/// One audio format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct AudioCapability {
    /// The format.
    pub payload_capability: Codec,
    /// The most codec frames in a packet; managers take it as milliseconds for G.711.
    pub max_frames_per_packet: u32,
    /// More about the format.
    #[wire(union = "payload_capability")]
    pub payloads: PayloadParams,
}

impl AudioCapability {
    /// The format with that many frames in a packet.
    pub fn new(codec: Codec, max_frames_per_packet: u32) -> Self {
        Self { payload_capability: codec, max_frames_per_packet, ..Self::default() }
    }
}

impl CapabilitiesRes {
    /// Slots.
    pub const CAPACITY: usize = 18;

    /// These formats.
    pub fn new(caps: &[AudioCapability]) -> Self {
        let (caps, cap_count) = filled(caps, AudioCapability::default());
        Self { cap_count, caps }
    }

    /// The formats in use.
    pub fn used(&self) -> &[AudioCapability] {
        first(&self.caps, self.cap_count)
    }
}

/// A picture format of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct CustomPictureFormat {
    /// Pixels.
    pub picture_width: u32,
    /// Pixels.
    pub picture_height: u32,
    /// Shape of a pixel.
    pub pixel_aspect_ratio: u32,
    /// Clock conversion.
    pub clock_conversion_code: u32,
    /// Clock divisor.
    pub clock_divisor: u32,
}

/// What a phone can spend on conferences.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ConfResources {
    /// Streams at registration.
    pub active_streams_on_registration: u32,
    /// Bandwidth.
    pub max_bw: u32,
    /// Slots in use.
    pub service_resource_count: u32,
    /// The services.
    #[wire(count = "service_resource_count")]
    pub service_resource: [ServiceResource; 4],
}

/// One service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ServiceResource {
    /// Slots in use.
    pub layout_count: u32,
    /// Picture layouts.
    #[wire(count = "layout_count")]
    pub layouts: [VideoLayout; 5],
    /// Its number.
    pub service_num: u32,
    /// The most streams.
    pub max_streams: u32,
    /// The most conferences.
    pub max_conferences: u32,
    /// Conferences at registration.
    pub active_conference_on_registration: u32,
}

/// A preferred quality of video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct LevelPreference {
    /// How much it is preferred.
    pub transmit_preference: u32,
    /// Picture format.
    pub format: u32,
    /// Bit rate.
    pub max_bit_rate: u32,
    /// Bit rate.
    pub min_bit_rate: u32,
    /// Minimum picture interval.
    pub mpi: u32,
    /// Service.
    pub service_number: u32,
}

/// A video format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct VideoCapability {
    /// The format.
    pub payload_capability: Codec,
    /// Which ways it works.
    pub video_capability_direction: MediaDirection,
    /// Slots in use.
    pub level_preference_count: u32,
    /// Preferred qualities.
    #[wire(count = "level_preference_count")]
    pub level_preference: [LevelPreference; 4],
    /// More about the format.
    #[wire(union = "payload_capability")]
    pub capability: ShortVideoParams,
}

/// As [`VideoCapability`], with room for H.264.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct VideoCapabilityV2 {
    /// The format.
    pub payload_capability: Codec,
    /// Which ways it works.
    pub video_capability_direction: MediaDirection,
    /// Slots in use.
    pub level_preference_count: u32,
    /// Preferred qualities.
    #[wire(count = "level_preference_count")]
    pub level_preference: [LevelPreference; 4],
    /// More about the format.
    #[wire(union = "payload_capability")]
    pub capability: VideoParams,
}

/// A data format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DataCapability {
    /// The format.
    pub payload_capability: Codec,
    /// Which ways it works.
    pub data_capability_direction: MediaDirection,
    /// Depends on the format.
    pub protocol_dependent_data: u32,
    /// Bit rate.
    pub max_bit_rate: u32,
}

/// 0x0030. Audio, video and data formats, length 1844.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct UpdateCapabilities {
    /// Audio slots in use.
    pub audio_cap_count: u32,
    /// Video slots in use.
    pub video_cap_count: u32,
    /// Data slots in use.
    pub data_cap_count: u32,
    /// RTP payload format.
    pub rtp_payload_format: u32,
    /// Picture format slots in use.
    pub custom_picture_format_count: u32,
    /// Picture formats.
    #[wire(count = "custom_picture_format_count")]
    pub custom_picture_format: [CustomPictureFormat; 6],
    /// Conferences.
    pub conf_resources: ConfResources,
    /// Audio formats.
    #[wire(count = "audio_cap_count")]
    pub audiocaps: [AudioCapability; 18],
    /// Video formats.
    #[wire(count = "video_cap_count")]
    pub vid_caps: [VideoCapability; 10],
    /// Data formats.
    #[wire(count = "data_cap_count")]
    pub data_caps: [DataCapability; 5],
}

impl UpdateCapabilities {
    /// The audio formats in use.
    pub fn audio(&self) -> &[AudioCapability] {
        first(&self.audiocaps, self.audio_cap_count)
    }
}

/// 0x0043. As [`UpdateCapabilities`] with room for H.264, length 2004.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct UpdateCapabilitiesV2 {
    /// Audio slots in use.
    pub audio_cap_count: u32,
    /// Video slots in use.
    pub video_cap_count: u32,
    /// Data slots in use.
    pub data_cap_count: u32,
    /// RTP payload format.
    pub rtp_payload_format: u32,
    /// Picture format slots in use.
    pub custom_picture_format_count: u32,
    /// Picture formats.
    #[wire(count = "custom_picture_format_count")]
    pub custom_picture_format: [CustomPictureFormat; 6],
    /// Conferences.
    pub conf_resources: ConfResources,
    /// Audio formats.
    #[wire(count = "audio_cap_count")]
    pub audiocaps: [AudioCapability; 18],
    /// Video formats.
    #[wire(count = "video_cap_count")]
    pub vid_caps: [VideoCapabilityV2; 10],
    /// Data formats.
    #[wire(count = "data_cap_count")]
    pub data_caps: [DataCapability; 5],
}

impl UpdateCapabilitiesV2 {
    /// The audio formats in use.
    pub fn audio(&self) -> &[AudioCapability] {
        first(&self.audiocaps, self.audio_cap_count)
    }
}
