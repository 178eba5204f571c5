//! Screens that phones show without having asked, and what comes back of them.
//!
//! An object goes out in plain ASCII with references, so that the code page of the phone does not matter.

use alloc::{string::String, vec::Vec};

use selsius_phone_xml::{Encoding, Kind, Shown, Text, to_ascii};
use selsius_site::{DeviceName, Generation};
use selsius_wire::{
    PhoneText, Time,
    message::{USER_DATA_MAX, UserToDeviceData, UserToDeviceDataVersion1},
    value::SequenceFlag,
};
use thiserror::Error;

use super::conference_list;
use crate::{arena::Handle, device::Device, exchange::Exchange};

/// What texts of the operator are sent as; nobody answers them.
const TEXT_APPLICATION: u32 = 0;

/// Why a phone does not show something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PushError {
    /// It is not registered.
    #[error("the phone is not registered")]
    NotRegistered,
    /// Its model or version has no screens that can be sent to it.
    #[error("the phone cannot be sent a screen")]
    NoScreen,
    /// The object is longer than phones take.
    #[error("the screen is longer than the phone takes")]
    TooLong,
    /// It is no object that phones know.
    #[error("the text is no object of a phone")]
    NoObject,
}

/// How a text reached a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownAs {
    /// As a page of its own.
    Page,
    /// As a notice at the foot of the display, as far as it fits there: the phone has no pages.
    Notice,
}

/// In which messages a phone takes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// UserToDeviceDataVersion1, in parts.
    Parts,
    /// UserToDeviceData, which has to hold all of it.
    Whole,
    /// None.
    Nothing,
}

impl Form {
    /// No capture has such messages. Those in parts are sent where later managers negotiate 11 and more; before that the plain
    /// form, but not to models that restart on messages that they do not know (7905, 7912 and 7920) or have no screens.
    fn of(device: &Device) -> Self {
        let small = device.facts().is_some_and(|facts| {
            !facts.services || facts.generation == Generation::Old && !matches!(facts.device_type, 7 | 8)
        });
        match device.dialect.version() {
            _ if small => Self::Nothing,
            11.. => Self::Parts,
            5..=10 => Self::Whole,
            _ => Self::Nothing,
        }
    }
}

/// Whom an object belongs to; it comes back with the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) application: u32,
    pub(crate) line: u32,
    pub(crate) reference: u32,
    pub(crate) transaction: u32,
}

impl Address {
    pub(crate) fn of(application: u32, (line, reference): (u32, u32), transaction: u32) -> Self {
        Self { application, line, reference, transaction }
    }
}

impl Exchange {
    /// Shows an object (`CiscoIPPhoneMenu`, `CiscoIPPhoneExecute` and so on) on a phone. Whatever the phone answers comes under
    /// `application`; no answer to an application that the exchange does not have does anything.
    ///
    /// # Errors
    /// If the phone is not there or does not take it; then nothing was sent.
    pub fn push(&mut self, device: &DeviceName, application: u32, xml: &str) -> Result<(), PushError> {
        let handle = *self.by_name.get(device).ok_or(PushError::NotRegistered)?;
        Shown::read(xml.as_bytes()).ok_or(PushError::NoObject)?;
        let transaction = self.next_reference();
        self.push_to(handle, Address { application, transaction, ..Address::default() }, &to_ascii(xml))
    }

    /// Shows a text on a phone, as a page where it has pages and else as a notice.
    ///
    /// # Errors
    /// If the phone is not there.
    pub fn show_text(&mut self, device: &DeviceName, title: &str, text: &str) -> Result<ShownAs, PushError> {
        let handle = *self.by_name.get(device).ok_or(PushError::NotRegistered)?;
        let page = Text { title: title.into(), text: text.into(), ..Text::default() };
        let transaction = self.next_reference();
        let address = Address { application: TEXT_APPLICATION, transaction, ..Address::default() };
        match self.push_to(handle, address, &page.to_xml(Encoding::Ascii)) {
            Ok(()) => Ok(ShownAs::Page),
            Err(_) => {
                self.notify(handle, &PhoneText::from(text));
                Ok(ShownAs::Notice)
            }
        }
    }

    /// Sends an object that is ASCII.
    pub(crate) fn push_to(
        &mut self,
        handle: Handle<Device>,
        address: Address,
        xml: &[u8],
    ) -> Result<(), PushError> {
        let device = self.devices.get(handle).ok_or(PushError::NotRegistered)?;
        let session = device.session;
        match Form::of(device) {
            Form::Nothing => Err(PushError::NoScreen),
            _ if xml.len() > self.config.limits.screen => Err(PushError::TooLong),
            Form::Whole if xml.len() > USER_DATA_MAX => Err(PushError::TooLong),
            Form::Whole => {
                self.send(
                    session,
                    UserToDeviceData {
                        application_id: address.application,
                        line_instance: address.line,
                        call_reference: address.reference,
                        transaction_id: address.transaction,
                        data_length: length(xml),
                        xmldata: xml.to_vec().into(),
                    },
                );
                Ok(())
            }
            Form::Parts => {
                let parts: Vec<_> = xml.chunks(USER_DATA_MAX).collect();
                for (at, part) in parts.iter().enumerate() {
                    self.send(session, part_of(address, part, flag(at, parts.len())));
                }
                Ok(())
            }
        }
    }

    /// A phone's application speaks: a user has chosen something.
    pub(crate) fn user_data(&mut self, now: Time, device: Handle<Device>, address: Address, data: &[u8]) {
        match address.application {
            conference_list::APPLICATION => self.conference_list_choice(now, device, address, data),
            _ => self.counters.refuse("answer to no application"),
        }
    }

    /// A phone says how it took an object.
    pub(crate) fn user_data_response(&mut self, data: &[u8]) {
        // Data that is no object says nothing: phones also answer in a word or with nothing at all.
        if Shown::read(data).is_some_and(|shown| shown.kind == Kind::Error) {
            self.counters.refuse("screen that the phone did not take");
        }
    }
}

/// First, then more, then last; an object in one part is its last.
fn flag(at: usize, parts: usize) -> SequenceFlag {
    match at {
        at if at + 1 == parts => SequenceFlag::Last,
        0 => SequenceFlag::First,
        _ => SequenceFlag::More,
    }
}

fn part_of(address: Address, part: &[u8], sequence_flag: SequenceFlag) -> UserToDeviceDataVersion1 {
    UserToDeviceDataVersion1 {
        application_id: address.application,
        line_instance: address.line,
        call_reference: address.reference,
        transaction_id: address.transaction,
        data_length: length(part),
        sequence_flag,
        // As implementations that send it do: above everything else, for one run of the application.
        display_priority: 2,
        conference_id: address.reference,
        app_instance_id: address.application,
        routing_id: 1,
        xmldata: part.to_vec().into(),
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// What a phone sends back when the user chooses an item with this address (the maker's service developer notes).
pub(crate) fn call_data(address: Address, data: &str) -> String {
    let Address { application, line, reference, transaction } = address;
    alloc::format!("UserCallData:{application}:{line}:{reference}:{transaction}:{data}")
}
