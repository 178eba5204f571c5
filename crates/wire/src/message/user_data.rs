//! Texts between a phone's applications and those of the manager: XML screens and what users do with them.
//!
//! No capture has one of these. Lengths and fields are those of the field's layout list, and of the one
//! implementation that sends them.

use selsius_wire_derive::Wire;

use super::alike;
use crate::value::{Data, SequenceFlag};

/// The most bytes of user data in one message; longer texts come in several (wire-facts, Framing). Other
/// software that believed the length overflowed its stack (threats.md).
pub const USER_DATA_MAX: usize = 2000;

alike! {
    #[derive(Debug, Clone, PartialEq, Eq, Wire)]
    fields {
        /// Which application.
        pub application_id: u32,
        /// The line; 0 for the phone itself.
        pub line_instance: u32,
        /// The call; 0 for none.
        pub call_reference: u32,
        /// Pairs question and answer.
        pub transaction_id: u32,
        /// Bytes that follow.
        pub data_length: u32,
        /// XML, or the text that the application wants.
        #[wire(count = "data_length", max = USER_DATA_MAX)]
        pub xmldata: Data,
    }
    /// 0x002E. A phone's application speaks. Lengths 24 to 2024.
    DeviceToUserData,
    /// 0x002F, the answer to [`UserToDeviceData`] (0x011E).
    DeviceToUserDataResponse,
    /// 0x011E. An application speaks to a phone: screens, `Dial:` and `URL:` orders. Lengths 24 to 2024.
    UserToDeviceData,
}

alike! {
    #[derive(Debug, Clone, PartialEq, Eq, Wire)]
    fields {
        /// Which application.
        pub application_id: u32,
        /// The line; 0 for the phone itself.
        pub line_instance: u32,
        /// The call; 0 for none.
        pub call_reference: u32,
        /// Pairs question and answer.
        pub transaction_id: u32,
        /// Bytes that follow the fixed part.
        pub data_length: u32,
        /// Which part of a longer text.
        pub sequence_flag: SequenceFlag,
        /// The greater wins the display.
        pub display_priority: u32,
        /// The conference; 0 for none.
        pub conference_id: u32,
        /// Which run of the application.
        pub app_instance_id: u32,
        /// For the manager's own routing.
        pub routing_id: u32,
        /// XML, or the text that the application wants.
        #[wire(count = "data_length", max = USER_DATA_MAX)]
        pub xmldata: Data,
    }
    /// 0x0041, the longer form of [`DeviceToUserData`]. Lengths 44 to 2044.
    DeviceToUserDataVersion1,
    /// 0x0042, the answer to [`UserToDeviceDataVersion1`] (0x013F).
    DeviceToUserDataResponseVersion1,
    /// 0x013F, the longer form of [`UserToDeviceData`]. Lengths 44 to 2044.
    UserToDeviceDataVersion1,
}
