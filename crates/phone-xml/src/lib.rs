//! The XML that phones of this protocol read: their configuration files, ring lists, and the objects that they
//! show on the screen.
//!
//! Everything is a plain struct with a `to_xml` that gives the bytes of a file. Escaping and encoding are the
//! business of this crate alone: texts go in as they are ("Smith & Sons"), a character that the [`Encoding`]
//! does not have goes out as a reference, one that XML cannot have is left out.
//!
//! ```
//! use selsius_phone_xml::{Encoding, Text};
//!
//! let text = Text { title: "Smith & Sons".into(), text: "Öffnet um 8 €".into(), ..Text::default() };
//! let xml = String::from_utf8(text.to_xml(Encoding::Ascii)).unwrap();
//! assert!(xml.contains("<Title>Smith &amp; Sons</Title>"));
//! assert!(xml.contains("<Text>&#214;ffnet um 8 &#8364;</Text>"));
//! ```

mod config;
mod element;
mod icons;
mod look;
mod picture;
mod read;
mod rings;
mod screens;

pub use config::{
    ConfigStyle, DefaultConfig, DefaultLoad, Manager, NetworkLocale, PhoneConfig, Urls, UserLocale,
    VendorSetting,
};
pub use element::Encoding;
pub use icons::Mark;
pub use look::{SetBackground, SetRingTone};
pub use picture::Picture;
pub use read::{Item, Kind, Shown, to_ascii};
pub use rings::{Ring, RingList};
pub use screens::{
    DIRECTORY_ENTRIES, Directory, DirectoryEntry, EXECUTE_ITEMS, Execute, ICON_ITEMS, ICONS, INPUT_FIELDS,
    Icon, IconMenu, Image, Input, InputField, MENU_ITEMS, Menu, MenuItem, SOFT_KEYS, ScreenKey, TEXT_CHARS,
    TITLE_CHARS, Text,
};
