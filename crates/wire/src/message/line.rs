//! What a phone asks about its lines and keys, and the answers.

use selsius_wire_derive::Wire;

use crate::value::{ButtonType, DynText, Number, Text};

/// 0x0009, answered by ForwardStat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ForwardStatReq {
    /// The line, from 1. Anything may stand here: an invalid number stopped another manager (CVE-2010-0588).
    pub line_number: u32,
}

/// 0x000A, answered by SpeedDialStat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SpeedDialStatReq {
    /// The speed dial, from 1.
    pub speed_dial_number: u32,
}

/// 0x000B, answered by LineStat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct LineStatReq {
    /// The line, from 1.
    pub line_number: u32,
}

/// 0x0033, answered by ServiceUrlStat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ServiceUrlStatReq {
    /// The service, from 1.
    pub service_url_index: u32,
}

/// 0x0034, answered by FeatureStat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct FeatureStatReq {
    /// The feature button, from 1.
    pub feature_index: u32,
    /// What the phone can show (length 12: 7965 at v22).
    pub feature_capabilities: u32,
}

/// 0x0090. Where calls to a line are forwarded.
///
/// 96 long with 24-byte numbers, 100 with 25-byte ones. chan-sccp sends 100 at v3 and v17 too, with 24-byte
/// numbers and a spare word, so the length does not decide and the version does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ForwardStat {
    /// Whether anything is forwarded.
    pub active_forward: u32,
    /// The line, from 1.
    pub line_number: u32,
    /// Whether all calls are.
    pub forward_all_active: u32,
    /// Where to.
    pub forward_all_dirnum: Number,
    /// Whether calls are when the line is busy.
    pub forward_busy_active: u32,
    /// Where to.
    pub forward_busy_dirnum: Number,
    /// Whether calls are when nobody answers.
    pub forward_no_answer_active: u32,
    /// Where to.
    pub forward_no_answer_dirnum: Number,
}

/// 0x0091. A speed dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SpeedDialStat {
    /// The speed dial, from 1.
    pub speed_dial_number: u32,
    /// What it dials.
    pub speed_dial_dir_number: Text<24>,
    /// What stands beside the button.
    pub speed_dial_display_name: Text<40>,
}

/// 0x0149, the dynamic form of SpeedDialStat.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct SpeedDialStatV2 {
    /// The speed dial, from 1.
    pub speed_dial_number: u32,
    /// What it dials.
    pub speed_dial_dir_number: DynText<25>,
    /// What stands beside the button.
    pub speed_dial_display_name: DynText<121>,
}

/// 0x0092. A line. Lengths seen: 32 (CallManager 2.x: only the number), 72 (3.1), 112 (3.3), 116 (4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct LineStat {
    /// The line, from 1.
    pub line_number: u32,
    /// Its number.
    pub line_dir_number: Text<24>,
    /// The name that others see.
    pub line_fully_qualified_display_name: Text<40>,
    /// What stands beside the button.
    pub line_text_label: Text<40>,
    /// Which of number and name the phone shows for its calls.
    pub line_display_options: u32,
}

/// 0x0147, the dynamic form of LineStat.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct LineStatV2 {
    /// The line, from 1.
    pub line_number: u32,
    /// Bits: 1 originally dialled, 2 redirected dialled, 4 calling number, 8 calling name are shown.
    pub line_type: u32,
    /// Its number.
    pub line_dir_number: DynText<25>,
    /// The name that others see.
    pub line_fully_qualified_display_name: DynText<121>,
    /// What stands beside the button.
    pub line_text_label: DynText<121>,
}

/// 0x012F. A service behind a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ServiceUrlStat {
    /// The service, from 1.
    pub service_url_index: u32,
    /// What the phone fetches.
    pub service_url: Text<256>,
    /// What stands beside the button.
    pub service_url_display_name: Text<40>,
}

/// 0x0148, the dynamic form of ServiceUrlStat.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ServiceUrlStatV2 {
    /// The service, from 1.
    pub service_url_index: u32,
    /// What the phone fetches.
    pub service_url: DynText<257>,
    /// What stands beside the button.
    pub service_url_display_name: DynText<121>,
}

/// 0x011F. A feature button and its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct FeatureStat {
    /// The button, from 1.
    pub feature_index: u32,
    /// What it is.
    pub feature_id: ButtonType,
    /// What stands beside it. CallManager 4.1 sends `80 00` and then old memory (frame 106).
    pub feature_text_label: Text<40>,
    /// Its state; what it means depends on the feature.
    pub feature_status: u32,
}

/// 0x0146, the dynamic form of FeatureStat.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct FeatureStatV2 {
    /// The button, from 1.
    pub feature_index: u32,
    /// What it is.
    pub feature_id: ButtonType,
    /// Its state; what it means depends on the feature.
    pub feature_status: u32,
    /// What stands beside it.
    pub feature_text_label: DynText<121>,
}
