//! Screens that a manager sends: menus and texts on the display, and what the user chooses in them.

use alloc::{
    borrow::ToOwned as _,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use selsius_phone_xml::{Item, Kind, Mark, Picture, Shown};
use selsius_wire::{
    message::{
        DeviceToUserData, DeviceToUserDataResponse, DeviceToUserDataResponseVersion1,
        DeviceToUserDataVersion1, UserToDeviceData, UserToDeviceDataVersion1,
    },
    value::SequenceFlag,
};

use crate::{RejectReason, Station, limits};

/// What the phone shows, and what has arrived of the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Screens {
    shown: Option<Shown>,
    /// In which form it came: what the user chooses goes back in the same.
    form: Form,
    parts: Vec<u8>,
    /// Of which transaction the parts are.
    transaction: (u32, u32),
    look: Look,
}

/// How the manager has the phone look and ring; empty is as its user has chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Where the picture behind its display is.
    pub background: String,
    /// Where its ring is.
    pub ring_tone: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    Plain,
    #[default]
    Version1,
}

/// A screen over the phone's own display.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScreenFace {
    /// Above it.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// The text of a page.
    pub text: String,
    /// A picture in place of a text.
    pub picture: Option<Picture>,
    /// What can be chosen.
    pub items: Vec<ScreenItem>,
    /// The soft keys, in place of those of the call.
    pub keys: Vec<String>,
}

/// Something on a screen that can be chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScreenItem {
    /// What stands for its icon, if it has one.
    pub sign: Option<char>,
    /// What it says.
    pub name: String,
}

/// What stands for an icon that a manager of another kind has drawn.
const UNKNOWN_ICON: char = '▪';

impl fmt::Display for ScreenItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sign) = self.sign {
            write!(f, "{sign} ")?;
        }
        f.write_str(&self.name)
    }
}

impl ScreenFace {
    /// What can be chosen, items before soft keys, from 0.
    pub fn choice(&self, place: usize) -> Option<&str> {
        self.names().nth(place)
    }

    /// Is there an item or a soft key of this name?
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| &item.name).chain(&self.keys).map(String::as_str)
    }

    /// Does title, text or an item, with the sign before it, contain this?
    pub fn says(&self, text: &str) -> bool {
        self.title.contains(text)
            || self.text.contains(text)
            || self.items.iter().any(|item| item.to_string().contains(text))
    }
}

impl Screens {
    pub(crate) fn look(&self) -> Look {
        self.look.clone()
    }

    pub(crate) fn face(&self) -> Option<ScreenFace> {
        let shown = self.shown.as_ref()?;
        Some(ScreenFace {
            title: shown.title.clone(),
            prompt: shown.prompt.clone(),
            text: shown.text.clone(),
            picture: shown.picture.clone(),
            items: shown.items.iter().map(item).collect(),
            keys: shown.keys.iter().map(|key| key.name.clone()).collect(),
        })
    }

    /// Where this item or key leads.
    fn url(&self, name: &str) -> Option<String> {
        let shown = self.shown.as_ref()?;
        let items = shown.items.iter().map(|item| (&item.name, &item.url));
        let keys = shown.keys.iter().map(|key| (&key.name, &key.url));
        items.chain(keys).find(|(other, _)| *other == name).map(|(_, url)| url.clone())
    }
}

/// The address in an order that has one.
fn only(shown: Shown) -> String {
    shown.items.into_iter().next().map(|item| item.url).unwrap_or_default()
}

fn item(item: &Item) -> ScreenItem {
    let sign = |icon| Mark::of(icon).map_or(UNKNOWN_ICON, Mark::sign);
    ScreenItem { sign: item.icon.as_ref().map(sign), name: item.name.clone() }
}

/// How a phone says that it has taken an object.
const TAKEN: &[u8] =
    b"<CiscoIPPhoneResponse><ResponseItem Status=\"0\" Data=\"Success\" URL=\"\"/></CiscoIPPhoneResponse>";
/// How it says that it cannot read one.
const NOT_READ: &[u8] = b"<CiscoIPPhoneError Number=\"1\"/>";

impl Station {
    pub(crate) fn user_data(&mut self, data: &UserToDeviceData) {
        self.session.screens.form = Form::Plain;
        let answer = self.take_object(&data.xmldata.0);
        self.send(DeviceToUserDataResponse {
            application_id: data.application_id,
            line_instance: data.line_instance,
            call_reference: data.call_reference,
            transaction_id: data.transaction_id,
            data_length: length(answer),
            xmldata: answer.to_vec().into(),
        });
    }

    pub(crate) fn user_data_version1(&mut self, data: &UserToDeviceDataVersion1) {
        let screens = &mut self.session.screens;
        screens.form = Form::Version1;
        let transaction = (data.application_id, data.transaction_id);
        if data.sequence_flag == SequenceFlag::First || screens.transaction != transaction {
            screens.parts.clear();
            screens.transaction = transaction;
        }
        if screens.parts.len() + data.xmldata.0.len() > limits::SCREEN {
            screens.parts.clear();
            return self.unexpected();
        }
        screens.parts.extend_from_slice(&data.xmldata.0);
        if data.sequence_flag != SequenceFlag::Last {
            return;
        }
        let object = core::mem::take(&mut screens.parts);
        let answer = self.take_object(&object);
        self.send(DeviceToUserDataResponseVersion1 {
            application_id: data.application_id,
            line_instance: data.line_instance,
            call_reference: data.call_reference,
            transaction_id: data.transaction_id,
            data_length: length(answer),
            sequence_flag: SequenceFlag::Last,
            display_priority: data.display_priority,
            conference_id: data.conference_id,
            app_instance_id: data.app_instance_id,
            routing_id: data.routing_id,
            xmldata: answer.to_vec().into(),
        });
    }

    /// Shows an object, or does what it says. What the phone answers.
    fn take_object(&mut self, object: &[u8]) -> &'static [u8] {
        let Some(shown) = Shown::read(object) else { return NOT_READ };
        match shown.kind {
            Kind::Execute => shown.items.iter().for_each(|item| self.open(&item.url)),
            Kind::Background => self.session.screens.look.background = only(shown),
            Kind::RingTone => self.session.screens.look.ring_tone = only(shown),
            Kind::Response | Kind::Error => return NOT_READ,
            Kind::Text | Kind::Menu | Kind::Directory | Kind::Input | Kind::Image | Kind::Other => {
                self.session.screens.shown = Some(shown);
            }
        }
        TAKEN
    }

    /// The user chooses an item of the screen, or presses its soft key.
    pub(crate) fn choose(&mut self, name: &str) {
        match self.session.screens.url(name) {
            Some(url) => self.open(&url),
            None => self.refuse(RejectReason::NoSuchKey),
        }
    }

    pub(crate) fn leave_screen(&mut self) {
        if self.session.screens.shown.take().is_none() {
            self.refuse(RejectReason::NoEffect);
        }
    }

    /// Does what an address of the phone's own kinds says. Pages of servers are not fetched.
    fn open(&mut self, url: &str) {
        let Some((kind, rest)) = url.split_once(':') else { return self.refuse(RejectReason::NoEffect) };
        match kind {
            "SoftKey" if rest == "Exit" => self.session.screens.shown = None,
            "Dial" => {
                let number = rest.split(':').next().unwrap_or_default().to_owned();
                self.session.screens.shown = None;
                self.dial(&number);
            }
            "UserData" => {
                let mut words = rest.splitn(2, ':');
                self.answer([number(words.next()), 0, 0, 0], words.next().unwrap_or_default());
            }
            "UserCallData" => {
                let mut words = rest.splitn(5, ':');
                let address = [(); 4].map(|()| number(words.next()));
                self.answer(address, words.next().unwrap_or_default());
            }
            _ => self.refuse(RejectReason::NoEffect),
        }
    }

    fn answer(&mut self, [application, line, reference, transaction]: [u32; 4], data: &str) {
        match self.session.screens.form {
            Form::Plain => self.send(DeviceToUserData {
                application_id: application,
                line_instance: line,
                call_reference: reference,
                transaction_id: transaction,
                data_length: length(data.as_bytes()),
                xmldata: data.as_bytes().to_vec().into(),
            }),
            Form::Version1 => self.send(DeviceToUserDataVersion1 {
                application_id: application,
                line_instance: line,
                call_reference: reference,
                transaction_id: transaction,
                data_length: length(data.as_bytes()),
                sequence_flag: SequenceFlag::Last,
                xmldata: data.as_bytes().to_vec().into(),
                ..DeviceToUserDataVersion1::default()
            }),
        }
    }
}

fn number(word: Option<&str>) -> u32 {
    word.and_then(|word| word.parse().ok()).unwrap_or_default()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
