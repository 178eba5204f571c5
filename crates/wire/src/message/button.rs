//! The button template.

use selsius_wire_derive::Wire;

use super::{empty, filled, first};
use crate::value::ButtonType;

empty! {
    /// 0x000E, answered by ButtonTemplate. A repeated question must get the same answer.
    ButtonTemplateReq,
}

/// 0x0097. What the buttons beside the display are. 42 slots in CallManager (length 100), 56 from chan-sccp
/// (128).
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ButtonTemplate {
    /// How many buttons came in messages before this one.
    pub button_offset: u32,
    /// How many are in this one.
    pub button_count: u32,
    /// How many there are in all.
    pub total_button_count: u32,
    /// The buttons; unused slots are kept as they were.
    #[wire(count = "button_count")]
    pub definition: [ButtonDefinition; ButtonTemplate::CAPACITY],
}

/// One button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ButtonDefinition {
    /// Counts per type, from 1.
    pub instance_number: u8,
    /// What it is.
    #[wire(repr = "u8")]
    pub button_definition: ButtonType,
}

impl ButtonTemplate {
    /// The most slots that any manager sends.
    pub const CAPACITY: usize = 56;

    /// A template in one message. Unused slots are `00 FF`, as CallManager has them.
    pub fn new(buttons: &[ButtonDefinition]) -> Self {
        let unused = ButtonDefinition { instance_number: 0, button_definition: ButtonType::Undefined };
        let (definition, count) = filled(buttons, unused);
        Self { button_offset: 0, button_count: count, total_button_count: count, definition }
    }

    /// The buttons of this message.
    pub fn used(&self) -> &[ButtonDefinition] {
        first(&self.definition, self.button_count)
    }
}

impl ButtonDefinition {
    /// The button of that type with that instance.
    pub const fn new(instance_number: u8, button_definition: ButtonType) -> Self {
        Self { instance_number, button_definition }
    }
}
