//! What a phone tells of itself without being asked, and the calls that its lines can hold. No capture has
//! one of these; the fields are those of the field's layout list.

use selsius_wire_derive::Wire;

use super::{empty, first};
use crate::value::{Data, Text};

empty! {
    /// 0x015E, answered by [`CallCountResp`]. Sources disagree on who asks: taken both ways.
    CallCountReq,
}

/// 0x0157. Where a wireless phone is. A comment in one implementation says that 7925 and 7926 send it; the
/// layout list has it from the manager. Length 2405, 2408 with its padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct LocationInfo {
    /// Text of the phone's own making.
    pub location_info: Text<2401>,
}

/// 0x0159. What an add-on module can do. Length 168; nobody knows what the fields mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct AddOnDeviceCapabilities {
    /// Unknown.
    pub unknown1: u32,
    /// Unknown.
    pub unknown2: u32,
    /// Unknown.
    pub unknown3: u32,
    /// Unknown.
    pub unknown_string: Text<152>,
}

/// 0x015A. What went wrong, as XML. Two implementations have it from the phone, the layout list from the
/// manager. Lengths 4 to 2052: the text is the whole body, so nothing is added to it.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(unpadded)]
pub struct EnhancedAlarm {
    /// XML.
    #[wire(max = 2048)]
    pub alarm_info: Data,
}

/// 0x015F, the answer to [`CallCountReq`]: how many calls each line takes. Length 184: 42 slots.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CallCountResp {
    /// Lines of the phone.
    pub total_num_of_configured_lines: u32,
    /// The line of the first slot.
    pub starting_line_instance: u32,
    /// Slots in use.
    pub line_data_entries: u32,
    /// The lines; unused slots are kept as they were.
    #[wire(count = "line_data_entries")]
    pub line_data: [LineData; 42],
}

/// What one line can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct LineData {
    /// The most calls.
    pub max_num_calls: u16,
    /// From so many calls on it is busy.
    pub busy_trigger: u16,
}

impl CallCountResp {
    /// The lines of this message.
    pub fn used(&self) -> &[LineData] {
        first(&self.line_data, self.line_data_entries)
    }
}
