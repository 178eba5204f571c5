//! What is said about video while it runs. No capture has one of these; the fields are those of the field's
//! layout list.

use selsius_wire_derive::Wire;

use super::alike;
use crate::{
    codec::union,
    value::{Spare, VideoCommand},
};

/// 0x0134. The receiver of video asks something of the sender. Length 56.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MiscellaneousCommand {
    /// Of the media order.
    pub conference_id: u32,
    /// Of the media order.
    pub passthru_party_id: u32,
    /// The call.
    pub call_reference: u32,
    /// What.
    pub command: VideoCommand,
    /// More about it.
    #[wire(union = "command")]
    pub u: VideoCommandParams,
}

/// A run of groups of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct VideoFastUpdateGob {
    /// The first.
    pub first_gob: u32,
    /// How many.
    pub number_of_gobs: u32,
}

/// A run of macroblocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct VideoFastUpdateMb {
    /// The group of the first.
    pub first_gob: u32,
    /// The first.
    pub first_mb: u32,
    /// How many.
    pub number_of_mbs: u32,
}

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct PictureReference {
    /// Its number.
    pub picture_number: u32,
    /// Its long-term index.
    pub long_term_picture_index: u32,
}

/// A part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct LostPartialPicture {
    /// The picture.
    pub picture_reference: PictureReference,
    /// The first macroblock.
    pub first_mb: u32,
    /// How many.
    pub number_of_mbs: u32,
}

/// Pictures that the receiver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct PictureReferences {
    /// Slots in use.
    pub recovery_reference_picture_count: u32,
    /// The pictures.
    #[wire(count = "recovery_reference_picture_count")]
    pub recovery_reference_picture: [PictureReference; 4],
}

union! {
    /// 36 bytes, chosen by the command.
    VideoCommandParams {
        /// For a picture or a run of groups of blocks.
        UpdateGob(update: VideoFastUpdateGob, spare: Spare<28>) = 1 | 2,
        /// For a run of macroblocks.
        UpdateMb(update: VideoFastUpdateMb, spare: Spare<24>) = 3,
        /// For a lost picture.
        LostPicture(lost: PictureReference, spare: Spare<28>) = 4,
        /// For a part of one.
        LostPartialPicture(lost: LostPartialPicture, spare: Spare<20>) = 5,
        /// For recovery.
        Recovery(references: PictureReferences) = 6,
        /// For the trade of sharpness for motion.
        TradeOff(temporal_spatial_trade_off: u32, spare: Spare<32>) = 7,
        _ =>
        /// For everything else.
        Other(none: u32, spare: Spare<32>)
    }
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    fields {
        /// Of the media order.
        pub conference_id: u32,
        /// Of the media order.
        pub passthru_party_id: u32,
        /// The call.
        pub call_reference: u32,
        /// Bit rate; in units of 100 bit/s, as H.245 has it, or bit/s: nobody says.
        pub maximum_bit_rate: u32,
    }
    /// 0x0135. Send no more than that. Length 20.
    FlowControlCommand,
    /// 0x0141. No more than that will be sent. Length 20.
    FlowControlNotify,
}

/// 0x0140. How the pictures of a conference are arranged. Length 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct VideoDisplayCommand {
    /// The conference.
    pub conference_id: u32,
    /// The call.
    pub call_reference: u32,
    /// The layout.
    pub layout_id: u32,
}
