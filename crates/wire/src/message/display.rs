//! Texts on the display.

use selsius_wire_derive::Wire;

use super::empty;
use crate::value::{DynText, Text};

empty! {
    /// 0x009A. The end of a DisplayText.
    ClearDisplay,
    /// 0x0115. The end of a DisplayNotify.
    ClearNotify,
}

/// 0x0099. Text on the whole display. CallManager 2.x sends length 40: 33 bytes of text, padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DisplayText {
    /// What is shown.
    pub text: Text<32>,
}

/// 0x0112. The prompt of a call, or of the idle phone (line 0, reference 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DisplayPromptStatus {
    /// Seconds; 0 is for ever.
    pub time_out_value: u32,
    /// What is shown: labels and text.
    pub prompt_status: Text<32>,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x0145, the dynamic form of DisplayPromptStatus.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DisplayPromptStatusV2 {
    /// Seconds; 0 is for ever.
    pub time_out_value: u32,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
    /// What is shown: labels and text.
    pub prompt_status: DynText<97>,
}

/// 0x0113. The end of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ClearPromptStatus {
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x0114. A notice over everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DisplayNotify {
    /// Seconds; 0 is for ever.
    pub time_out_value: u32,
    /// What is shown.
    pub notify: Text<32>,
}

/// 0x0143, the dynamic form of DisplayNotify.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DisplayNotifyV2 {
    /// Seconds; 0 is for ever.
    pub time_out_value: u32,
    /// What is shown.
    pub notify: DynText<97>,
}

/// 0x0120. A notice with a priority: CallManager 4.1 and v20 announce a caller with it (10 s, priority 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DisplayPriNotify {
    /// Seconds; 0 is for ever.
    pub time_out_value: u32,
    /// The greater wins.
    pub priority: u32,
    /// What is shown.
    pub notify: Text<32>,
}

/// 0x0144, the dynamic form of DisplayPriNotify.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DisplayPriNotifyV2 {
    /// Seconds; 0 is for ever.
    pub time_out_value: u32,
    /// The greater wins.
    pub priority: u32,
    /// What is shown.
    pub notify: DynText<97>,
}

/// 0x0121. The end of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ClearPriNotify {
    /// Of which priority.
    pub priority: u32,
}
