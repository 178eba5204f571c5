//! Phones and their buttons.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Language, MediaPath, word::words};
use crate::{LineNumber, Name};

/// One phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Device {
    /// What people call it ("Reception"); empty if nobody said.
    pub description: String,
    /// Which phone it is; `None` takes what the phone says of itself.
    pub model: Option<Model>,
    /// The buttons beside the display, first is button 1; those on side cars follow.
    pub buttons: Vec<Button>,
    /// May it register from a new address while the old one still answers?
    pub roam: bool,
    /// The pool whose settings it has where it has none of its own.
    pub pool: Option<Name>,
    /// The soft keys that it has instead of the usual ones.
    pub soft_keys: Option<Name>,
    /// The key modules beside it, at most two.
    pub side_cars: Vec<SideCar>,
    /// IANA time zone; `None` is what its pool or the settings say.
    pub time_zone: Option<String>,
    /// How it writes a date, as in the settings; `None` is what its pool or the settings say.
    pub date_format: Option<String>,
    /// The language of its texts; `None` is what its pool or the settings say.
    pub language: Option<Language>,
    /// Does it hide its calls on lines of several phones?
    pub privacy: bool,
    /// May people log in on it?
    pub mobility: bool,
    /// Abbreviated numbers, by their index: 1 to 99.
    pub abbreviated: BTreeMap<u32, LineNumber>,
    /// What its display shows while it is idle, at most 31 bytes.
    pub idle_text: String,
    /// Its background picture, as a file of the manager's folder or an `http://` address; empty leaves the choice to its user.
    pub background: String,
    /// Its ring, in the same way.
    pub ring_tone: String,
    /// Which line lifting the handset takes.
    pub prefer: Prefer,
    /// How its audio goes: through the manager, where others cannot reach the phone.
    pub media: MediaPath,
    /// Can it encrypt its audio (SRTP)? It does wherever whoever it talks to can, too.
    pub srtp: bool,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            description: String::new(),
            model: None,
            buttons: Vec::new(),
            roam: false,
            pool: None,
            soft_keys: None,
            side_cars: Vec::new(),
            time_zone: None,
            date_format: None,
            language: None,
            privacy: false,
            mobility: true,
            abbreviated: BTreeMap::new(),
            idle_text: String::new(),
            background: String::new(),
            ring_tone: String::new(),
            prefer: Prefer::default(),
            media: MediaPath::Direct,
            srtp: false,
        }
    }
}

impl Device {
    /// The lines on its buttons, in their order.
    pub fn lines(&self) -> impl Iterator<Item = &LineNumber> {
        self.buttons.iter().filter_map(Button::line)
    }
}

/// What one button of a phone is for. An empty label leaves the text to whoever shows the button.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Button {
    /// An appearance of a line.
    Line {
        /// The directory number.
        number: LineNumber,
        /// What the phone shows beside the button; empty shows the number.
        label: String,
    },
    /// A number to dial.
    SpeedDial {
        /// What is dialled.
        number: LineNumber,
        /// What the phone shows beside the button.
        label: String,
    },
    /// A number to dial, with a lamp for its state; picks up its calls.
    BusyLamp {
        /// Whose state is shown, and what is dialled.
        number: LineNumber,
        /// What the phone shows beside the button.
        label: String,
    },
    /// An XML service to open.
    Service {
        /// `http` or `https` address, at most 255 bytes.
        url: String,
        /// What the phone shows beside the button.
        label: String,
    },
    /// One of the site's services.
    Menu {
        /// Its name.
        service: Name,
        /// What the phone shows beside the button; empty shows the service's title.
        label: String,
    },
    /// A feature.
    Feature {
        /// Which one.
        feature: Feature,
        /// What the phone shows beside the button; empty shows the feature's name.
        label: String,
    },
    /// Speaks to a line through its speaker.
    Intercom {
        /// To whom.
        number: LineNumber,
        /// What the phone shows beside the button.
        label: String,
    },
    /// Parks a call there and takes it from there, with a lamp for its state.
    ParkSlot {
        /// The slot.
        number: LineNumber,
        /// What the phone shows beside the button.
        label: String,
    },
    /// Speaks to a paging group.
    Paging {
        /// The group.
        number: LineNumber,
        /// What the phone shows beside the button.
        label: String,
    },
    /// Nothing.
    #[default]
    Empty,
}

impl Button {
    /// The line, if it is one.
    pub fn line(&self) -> Option<&LineNumber> {
        match self {
            Self::Line { number, .. } => Some(number),
            _ => None,
        }
    }

    /// What the site has the phone show beside it; empty for none.
    pub fn label(&self) -> &str {
        match self {
            Self::Line { label, .. }
            | Self::SpeedDial { label, .. }
            | Self::BusyLamp { label, .. }
            | Self::Service { label, .. }
            | Self::Menu { label, .. }
            | Self::Feature { label, .. }
            | Self::Intercom { label, .. }
            | Self::ParkSlot { label, .. }
            | Self::Paging { label, .. } => label,
            Self::Empty => "",
        }
    }
}

words! {
    /// Features that a button can have.
    pub enum Feature {
        /// Parks the call.
        Park = "park",
        /// Takes a call that rings in the own group.
        Pickup = "pickup",
        /// Takes a call that rings in another group.
        GroupPickup = "group-pickup",
        /// Takes a call that rings at a line to be dialled.
        DirectedPickup = "directed-pickup",
        /// Lets nobody disturb, or everybody again.
        DoNotDisturb = "do-not-disturb",
        /// Forwards all calls, or none any more.
        ForwardAll = "forward-all",
        /// Calls the mailbox.
        Voicemail = "voicemail",
        /// Enters or leaves hunt groups.
        HuntLogin = "hunt-login",
        /// Rings back when the line last called is free or there.
        Callback = "callback",
        /// Hides the calls of lines of several phones, or no more.
        Privacy = "privacy",
        /// Makes a conference.
        Conference = "conference",
        /// Transfers the call.
        Transfer = "transfer",
        /// Holds the call, or takes it back.
        Hold = "hold",
        /// Dials the last number again.
        Redial = "redial",
        /// Logs in on the phone, or out of it.
        Mobility = "mobility",
        /// Records the call, or no longer.
        Record = "record",
        /// Opens a room to be dialled.
        MeetMe = "meet-me",
    }
}

words! {
    /// Which line lifting the handset takes.
    #[derive(Default)]
    pub enum Prefer {
        /// One that rings, else the first.
        #[default]
        Ringing = "ringing",
        /// The first.
        First = "first",
        /// The one last used.
        Last = "last",
    }
}

words! {
    /// Key modules beside a phone.
    pub enum SideCar {
        /// 14 keys.
        C7914 = "7914",
        /// 24 keys, monochrome.
        C7915 = "7915",
        /// 24 keys, in colour.
        C7916 = "7916",
    }
}

impl SideCar {
    /// How many keys it has.
    pub const fn keys(self) -> usize {
        match self {
            Self::C7914 => 14,
            Self::C7915 | Self::C7916 => 24,
        }
    }
}

/// A phone model, by the name printed on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Model(pub String);
