//! The buttons beside the display: what they are, what stands on them, and their lamps.

use alloc::{string::String, vec::Vec};

use selsius_wire::value::{ButtonType, LampMode, StimulusType};

use crate::{few::Few, limits};

/// One place of the button template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Button {
    pub(crate) instance: u32,
    pub(crate) kind: ButtonType,
}

/// What stands on a button.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Legend {
    /// The directory number, or the URL of a service.
    pub(crate) number: String,
    /// The name that callers see.
    pub(crate) name: String,
    pub(crate) label: String,
    /// Status of a feature.
    pub(crate) status: u32,
}

/// Where the calls of a line are forwarded to; empty is nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Forward {
    pub(crate) all: String,
    pub(crate) busy: String,
    pub(crate) no_answer: String,
}

/// All of them. The kind of a button and the stimulus it sends have the same number, and so has its lamp.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buttons {
    template: Vec<Button>,
    legends: Few<(u32, u32), Legend>,
    forwards: Few<u32, Forward>,
    lamps: Few<(u32, u32), LampMode>,
}

impl Buttons {
    /// Puts buttons of a template at their place; it can come in several messages.
    pub(crate) fn define(&mut self, offset: u32, buttons: impl Iterator<Item = Button>) {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(limits::BUTTONS);
        self.template.truncate(offset);
        self.template.resize(offset, Button { instance: 0, kind: ButtonType::Unused });
        self.template.extend(buttons.take(limits::BUTTONS - offset));
    }

    pub(crate) fn all(&self) -> &[Button] {
        &self.template
    }

    /// The instances of all buttons of a kind, in the template's order.
    pub(crate) fn instances(&self, kind: ButtonType) -> impl DoubleEndedIterator<Item = u32> {
        self.template.iter().filter(move |button| button.kind == kind).map(|button| button.instance)
    }

    pub(crate) fn has(&self, kind: ButtonType, instance: u32) -> bool {
        self.template.contains(&Button { instance, kind })
    }

    pub(crate) fn legend(&self, button: Button) -> Option<&Legend> {
        self.legends.get(&(button.kind.into(), button.instance))
    }

    pub(crate) fn set_legend(&mut self, kind: ButtonType, instance: u32, legend: Legend) {
        self.legends.insert((kind.into(), instance), legend, limits::BUTTONS);
    }

    pub(crate) fn forward(&self, line: u32) -> Option<&Forward> {
        self.forwards.get(&line)
    }

    pub(crate) fn set_forward(&mut self, line: u32, forward: Forward) {
        self.forwards.insert(line, forward, limits::BUTTONS);
    }

    /// SetLamp. A dark lamp needs no memory.
    pub(crate) fn set_lamp(&mut self, stimulus: StimulusType, instance: u32, mode: LampMode) {
        let key = (stimulus.into(), instance);
        match mode {
            LampMode::Off => self.lamps.remove(&key),
            _ => self.lamps.insert(key, mode, limits::LAMPS),
        }
    }

    pub(crate) fn lamp(&self, button: Button) -> LampMode {
        self.lamps.get(&(button.kind.into(), button.instance)).copied().unwrap_or(LampMode::Off)
    }

    /// The lamp of the handset: on as long as any message lamp is. Managers light it with instance 0, or with the line's.
    pub(crate) fn message_lamp(&self) -> LampMode {
        let voice_mail = u32::from(StimulusType::VoiceMail);
        let lamp = self.lamps.iter().find(|((stimulus, _), _)| *stimulus == voice_mail);
        lamp.map_or(LampMode::Off, |(_, mode)| *mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lamps_are_found_by_button_and_bounded() {
        let mut buttons = Buttons::default();
        let line = Button { instance: 1, kind: ButtonType::Line };
        buttons.define(0, [line].into_iter());
        buttons.set_lamp(StimulusType::Line, 1, LampMode::Blink);
        buttons.set_lamp(StimulusType::VoiceMail, 0, LampMode::On);
        assert_eq!((buttons.lamp(line), buttons.message_lamp()), (LampMode::Blink, LampMode::On));
        buttons.set_lamp(StimulusType::VoiceMail, 0, LampMode::Off);
        assert_eq!(buttons.message_lamp(), LampMode::Off);
        for instance in 0..1000 {
            buttons.set_lamp(StimulusType::from(instance), instance, LampMode::On);
            buttons.set_legend(ButtonType::from(instance), instance, Legend::default());
            buttons.set_forward(instance, Forward::default());
            buttons.define(instance, core::iter::repeat_n(line, 100));
        }
        assert_eq!(buttons.lamps.iter().count(), limits::LAMPS);
        assert_eq!(buttons.legends.iter().count(), limits::BUTTONS);
        assert_eq!(buttons.forwards.iter().count(), limits::BUTTONS);
        assert_eq!(buttons.template.len(), limits::BUTTONS);
    }
}
