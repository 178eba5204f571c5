//! What can be wrong with a site.

use core::net::SocketAddr;

use thiserror::Error;

use crate::{FeatureCode, LineNumber, Model, Name, SideCar, key::KeyPath};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Something leads to a line that is not there.
    #[error("line {0} does not exist; add it under [lines] or use one that exists")]
    UnknownLine(LineNumber),
    /// The same line twice on one phone or in one route.
    #[error("line {0} is there twice")]
    LineTwice(LineNumber),
    /// A name that nothing has.
    #[error("{what} {name} does not exist; add it under [{section}] or use one that exists")]
    Unknown {
        /// What it would be.
        what: &'static str,
        /// The name.
        name: String,
        /// Where it would be.
        section: &'static str,
        /// Names that look like it, closest first.
        near: Vec<String>,
    },
    /// A partition in which nothing lies.
    #[error("no line and no route lies in partition {0}")]
    UnknownPartition(Name),
    /// A park slot that is not there.
    #[error("{0} is no park slot; add it to the slots under [parking]")]
    UnknownSlot(LineNumber),
    /// Somebody is sent to a number that is nobody's.
    #[error("nobody has the number {0}; expected a number of the office, or one that a route matches")]
    Nowhere(LineNumber),
    /// What is no name of a file in a folder.
    #[error("{0:?} is no name of a file; expected one without / such as \"closed.wav\"")]
    NoFileName(String),
    /// The same thing twice in a list.
    #[error("{0} is there twice")]
    Twice(String),
    /// A number that is something else too.
    #[error("{number} is also {what}; a number is one thing")]
    NumberTaken {
        /// The number.
        number: LineNumber,
        /// What it is too.
        what: &'static str,
    },
    /// A feature code that begins another one.
    #[error("{code} begins {other}, the code of {feature}; expected codes of which none begins another")]
    CodeBeginsCode {
        /// The code.
        code: LineNumber,
        /// The other one.
        other: LineNumber,
        /// What the other one is for.
        feature: FeatureCode,
    },
    /// A feature code that begins a number of the office.
    #[error("{code} begins {number}, which is {what} and could not be dialled")]
    CodeBeginsNumber {
        /// The code.
        code: LineNumber,
        /// The number.
        number: LineNumber,
        /// What has the number.
        what: &'static str,
    },
    /// Calls that would go around in a circle.
    #[error("calls go around in a circle: {0}")]
    Loop(String),
    /// Something that a phone cannot fetch.
    #[error("{0:?} is neither a file in the folder of the phones' files nor an http:// address")]
    NotAFile(String),
    /// Side cars on a phone that has no place for them.
    #[error("a {model} takes no {side_car}")]
    NoSideCar {
        /// Its model.
        model: Model,
        /// The module.
        side_car: SideCar,
    },
    /// More of something than there can be.
    #[error("{given} {what}; expected at most {possible}")]
    TooMany {
        /// Given.
        given: usize,
        /// Possible.
        possible: usize,
        /// Of what.
        what: &'static str,
    },
    /// Something that this model does not do.
    #[error("a {model} {cannot}")]
    Cannot {
        /// Its model.
        model: Model,
        /// What it does not do.
        cannot: &'static str,
    },
    /// An address for multicast that is none.
    #[error("{0} is no multicast address; expected one such as \"239.192.1.1:20480\"")]
    NotMulticast(SocketAddr),
    /// RTP goes to even ports (RFC 3550, section 11).
    #[error("port {0} is odd; expected an even one")]
    OddPort(u16),
    /// Something that has to be different has the same value as this.
    #[error("is the same as that of {0}")]
    SameAs(KeyPath),
    /// A name that something else has already.
    #[error("is also the name of {0}; expected one of its own")]
    NameTaken(KeyPath),
    /// Something that only makes sense beside something else.
    #[error("has no meaning without {0}")]
    Without(&'static str),
    /// Digits that have to have a form, and are not shown.
    #[error("expected {0}")]
    Digits(&'static str),
    /// An index of an abbreviated number.
    #[error("is no index of an abbreviated number; expected 1 to 99")]
    Index,
    /// Two things where one is possible.
    #[error("expected either {0}")]
    Either(&'static str),
    /// More buttons than the phone has.
    #[error("{given} buttons, but a {model} has at most {possible}")]
    TooManyButtons {
        /// Its model, or "phone" where none is given.
        model: String,
        /// Buttons given.
        given: usize,
        /// Buttons possible, with add-on modules.
        possible: usize,
    },
    /// More lines than the phone can have.
    #[error("{given} lines, but a {model} has at most {possible}")]
    TooManyLines {
        /// Its model.
        model: Model,
        /// Lines given.
        given: usize,
        /// Lines possible, with add-on modules.
        possible: usize,
    },
    /// A model that is not in the table.
    #[error("no model is called {0:?}")]
    UnknownModel(String),
    /// A device name that starts like a phone's and goes on otherwise.
    #[error("a phone's name is SEP and the 12 hexadecimal digits of its MAC address")]
    NotAMac,
    /// Not an address that a phone can open.
    #[error("{0}; expected http://host/path or https://host/path")]
    Url(&'static str),
    /// Not a host that can be called.
    #[error(
        "is {0:?}; expected a name or an address, perhaps with a port, such as \"sip.example.net\" or \"192.0.2.5:5060\""
    )]
    Host(String),
    /// Only one of the two can be.
    #[error("cannot be beside {0}; expected one of them")]
    Beside(&'static str),
    /// Not the name of a file in the music folder.
    #[error("{0:?} is no file in the music folder; expected a name such as \"bells.wav\"")]
    MusicFile(String),
    /// Text that the wire has no room for.
    #[error("{bytes} bytes long; expected at most {max}")]
    TooLong {
        /// Bytes given, as UTF-8.
        bytes: usize,
        /// Bytes possible.
        max: usize,
    },
    /// A character that no display shows.
    #[error("contains a control character")]
    ControlCharacter,
    /// Nothing, where something is needed.
    #[error("is empty; expected {0}")]
    Empty(&'static str),
    /// A number outside its range.
    #[error("is {value}; expected {min} to {max} {unit}")]
    OutOfRange {
        /// Given.
        value: u32,
        /// Least possible.
        min: u32,
        /// Most possible.
        max: u32,
        /// Of what.
        unit: &'static str,
    },
    /// A packet time that phones do not know.
    #[error("is {0}; expected 10, 20, 30, 40, 50 or 60 milliseconds")]
    PacketTime(u32),
    /// Not a date format.
    #[error(
        "is {0:?}; expected D, M and Y (or YA) once each with separators, such as \"D.M.Y\" or \"M/D/YA\""
    )]
    DateFormat(String),
    /// Not the form of a time zone's name.
    #[error("is {0:?}; expected a zone such as \"Europe/Berlin\" or \"UTC\"")]
    TimeZone(String),
    /// The same codec twice.
    #[error("names the same codec twice")]
    CodecTwice,
    /// A codec that no phone has, where phones need one.
    #[error("phones do not have Opus; a trunk's `codecs` may name it")]
    NoPhoneSpeaks,
    /// Not a firmware load.
    #[error(
        "is {0:?}; expected the name of a load such as \"SCCP45.9-4-2SR3-1S\", without folder and spaces"
    )]
    Firmware(String),
    /// A range for auto-registration that is none.
    #[error("{0}")]
    AutoRange(&'static str),
    /// A number that unknown phones would get is taken.
    #[error("includes {number}, which is {what}")]
    AutoTaken {
        /// The number.
        number: LineNumber,
        /// What has it.
        what: &'static str,
    },
    /// A number that unknown phones would get is an emergency number.
    #[error("includes {number}, which is the emergency number {pattern}")]
    AutoEmergency {
        /// The first such number.
        number: String,
        /// The emergency route.
        pattern: String,
    },
    /// A route that no call ever takes, since something else has its number.
    #[error("is also {0}, which comes first; remove one of the two")]
    Hidden(&'static str),
    /// A line, group or slot with an emergency number, or a code that begins one.
    #[error("{what} with the number {number} hides this emergency number; give it another number")]
    EmergencyHidden {
        /// What hides it.
        what: &'static str,
        /// Its number.
        number: LineNumber,
    },
    /// A blocking route for a number that an emergency route means to let through.
    #[error("blocks a number of the emergency route {0}; remove one of the two")]
    BlocksEmergency(String),
    /// An emergency route that refuses calls.
    #[error("an emergency route cannot block; expected lines")]
    EmergencyBlocked,
    /// An emergency route that is not always there.
    #[error("an emergency route cannot ask for this; it always works")]
    EmergencyRestricted,
}

impl Problem {
    /// What was probably meant.
    pub(crate) fn near(&self) -> Vec<&str> {
        match self {
            Self::Unknown { near, .. } => near.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}
