//! Parts of video messages.

use selsius_wire_derive::Wire;

use super::CodecParameters;
use crate::{
    codec::union,
    value::{EchoCancellation, Spare},
};

/// A channel of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct AudioChannel {
    /// Milliseconds of media in a packet.
    pub milli_second_packet_size: u32,
    /// Whether echo is cancelled.
    pub ec_value: EchoCancellation,
    /// More about the format; the G.723.1 rate before v11, and for G.723.1.
    pub codec_params: CodecParameters,
}

/// A channel of video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct VideoChannel {
    /// Bit rate.
    pub bit_rate: u32,
    /// Slots in use.
    pub picture_format_count: u32,
    /// Picture formats.
    #[wire(count = "picture_format_count")]
    pub picture_format: [PictureFormat; 5],
    /// Which conference.
    pub conf_service_num: u32,
}

/// A picture format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct PictureFormat {
    /// Which.
    pub format: u32,
    /// Minimum picture interval.
    pub mpi: u32,
}

/// A channel of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DataChannel {
    /// Depends on the format.
    pub protocol_dependent_data: u32,
    /// Bit rate.
    pub max_bit_rate: u32,
}

/// H.261.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct H261Params {
    /// Whether sharpness can be traded for motion.
    pub temporal_spatial_trade_off_capability: u32,
    /// Whether still images can be sent.
    pub still_image_transmission: u32,
}

/// H.263.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct H263Params {
    /// One bit for each annex.
    pub h263_capability_bitfield: u32,
    /// Annexes N and W.
    pub annex_nand_w_future_use: u32,
}

/// H.264.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct H264Params {
    /// Profile.
    pub profile: u32,
    /// Level.
    pub level: u32,
    /// Macroblocks in a second, 0 for the level's.
    pub custom_max_mbps: u32,
    /// Macroblocks in a frame, 0 for the level's.
    pub custom_max_fs: u32,
    /// Decoded picture buffer, 0 for the level's.
    pub custom_max_dpb: u32,
    /// Bit rate and coded picture buffer, 0 for the level's.
    pub custom_max_b_rand_cpb: u32,
}

/// Vieo, a format of the first video phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct VieoParams {
    /// Model.
    pub model_number: u32,
    /// Bandwidth.
    pub bandwidth: u32,
}

union! {
    /// 24 bytes about a video format, chosen by it.
    VideoParams {
        /// For H.261.
        H261(h261: H261Params, spare: Spare<16>) = 0x64,
        /// For H.263.
        H263(h263: H263Params, spare: Spare<16>) = 0x65,
        /// For Vieo.
        Vieo(vieo: VieoParams, spare: Spare<16>) = 0x66,
        /// For H.264.
        H264(h264: H264Params) = 0x67,
        _ =>
        /// For everything else.
        Other(spare: Spare<24>)
    }
}

union! {
    /// 8 bytes about a video format, chosen by it, in messages that do not know H.264.
    ShortVideoParams {
        /// For H.261.
        H261(h261: H261Params) = 0x64,
        /// For H.263.
        H263(h263: H263Params) = 0x65,
        /// For Vieo.
        Vieo(vieo: VieoParams) = 0x66,
        _ =>
        /// For everything else.
        Other(spare: Spare<8>)
    }
}

union! {
    /// 76 bytes about a channel, chosen by its payload type: a format's number as in
    /// [`Codec`](crate::Codec), by the one source there is.
    ChannelParams {
        /// For audio, up to AMR-WB.
        Audio(audio: AudioChannel, spare: Spare<64>) = 0..=0x62,
        /// For H.261.
        H261(video: VideoChannel, h261: H261Params, spare: Spare<16>) = 0x64,
        /// For H.263.
        H263(video: VideoChannel, h263: H263Params, spare: Spare<16>) = 0x65,
        /// For Vieo.
        Vieo(video: VideoChannel, vieo: VieoParams, spare: Spare<16>) = 0x66,
        /// For H.264.
        H264(video: VideoChannel, h264: H264Params) = 0x67,
        /// For other video, up to H.264 FEC.
        Video(video: VideoChannel, spare: Spare<24>) = 0x68..=0x73,
        /// For data, from the clear channel on.
        Data(data: DataChannel, spare: Spare<68>) = 0x78..,
        _ =>
        /// For everything else.
        Other(spare: Spare<76>)
    }
}
