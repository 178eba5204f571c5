//! Objects that a phone shows when it opens an address: a text, a menu with or without icons, a page of a directory, an input
//! form, a picture; and the one that has it do something.
//! Names and limits are those of the maker's service developer notes: titles and prompts of 32 characters.

use crate::Encoding;
use crate::element::Document;
use crate::picture::{Picture, pack};

/// Characters of a title or a prompt.
pub const TITLE_CHARS: usize = 32;
/// Characters of a page of text.
pub const TEXT_CHARS: usize = 4000;
/// Items of a menu.
pub const MENU_ITEMS: usize = 100;
/// Entries of one page of a directory.
pub const DIRECTORY_ENTRIES: usize = 32;
/// Fields of an input form.
pub const INPUT_FIELDS: usize = 5;
/// Soft keys of an object.
pub const SOFT_KEYS: usize = 8;
/// Orders of one [`Execute`].
pub const EXECUTE_ITEMS: usize = 3;
/// Items of an [`IconMenu`].
pub const ICON_ITEMS: usize = 32;
/// Different icons of an [`IconMenu`].
pub const ICONS: usize = 10;

/// A soft key of an object. An object with any has no others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScreenKey {
    /// What it says.
    pub name: String,
    /// What it does: an address, or the phone's own action (`SoftKey:Dial`, `SoftKey:Exit`).
    pub url: String,
}

/// A page of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// Above the text.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// The text; what is beyond 4,000 characters is left out.
    pub text: String,
    /// The soft keys; without any the phone has its usual ones.
    pub keys: Vec<ScreenKey>,
}

/// A list to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Menu {
    /// Above the list.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// What one can choose, at most 100.
    pub items: Vec<MenuItem>,
    /// The soft keys; without any the phone has its usual ones.
    pub keys: Vec<ScreenKey>,
}

/// One choice of a menu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MenuItem {
    /// What it says.
    pub name: String,
    /// What it opens.
    pub url: String,
}

/// A list of numbers to dial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Above the list.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// The entries, at most 32.
    pub entries: Vec<DirectoryEntry>,
    /// The soft keys; without any the phone has its usual ones.
    pub keys: Vec<ScreenKey>,
}

/// One entry of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Whose number it is.
    pub name: String,
    /// The number.
    pub telephone: String,
}

/// A form to fill in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Above the form.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// Where the answer goes, as query parameters.
    pub url: String,
    /// The fields, at most 5.
    pub fields: Vec<InputField>,
}

/// One field of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputField {
    /// What it says.
    pub name: String,
    /// The name of its query parameter.
    pub parameter: String,
    /// What may be typed: `A` text, `T` a telephone number, `N` a number, `U` capital letters, with `P` behind
    /// it hidden.
    pub flags: String,
    /// What it starts with.
    pub value: String,
}

/// A menu whose items have icons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IconMenu {
    /// Above the list.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// What one can choose, at most 32, each with its icon; ten different ones at most.
    pub items: Vec<(Icon, MenuItem)>,
    /// The soft keys; without any the phone has its usual ones.
    pub keys: Vec<ScreenKey>,
}

/// A picture of 16 by 10 points beside an item, each point 0 (white) to 3 (black).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icon(pub [[u8; 16]; 10]);

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Above it.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// Its upper left corner, in points from the left and from the top; without one it is in the middle.
    pub corner: Option<(u16, u16)>,
    /// The picture.
    pub picture: Picture,
    /// The soft keys; without any the phone has its usual ones.
    pub keys: Vec<ScreenKey>,
}

/// What a phone does at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Execute {
    /// Addresses to open, or actions (`Dial:1002`, `Play:ring.raw`), at most 3.
    pub urls: Vec<String>,
}

fn screen(
    encoding: Encoding,
    name: &str,
    title: &str,
    prompt: &str,
    content: impl FnOnce(&mut Document),
) -> Vec<u8> {
    let mut xml = Document::new(encoding);
    xml.parent(name, &[], |xml| {
        xml.leaf("Title", first(title, TITLE_CHARS));
        xml.leaf("Prompt", first(prompt, TITLE_CHARS));
        content(xml);
    });
    xml.finish()
}

/// The text's first characters.
fn first(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

fn soft_keys(xml: &mut Document, keys: &[ScreenKey]) {
    for (position, key) in (1_u64..).zip(keys.iter().take(SOFT_KEYS)) {
        xml.parent("SoftKeyItem", &[], |xml| {
            xml.leaf("Name", &key.name);
            xml.leaf("URL", &key.url);
            xml.number("Position", position);
        });
    }
}

fn menu_item(xml: &mut Document, icon: Option<usize>, item: &MenuItem) {
    xml.parent("MenuItem", &[], |xml| {
        if let Some(icon) = icon {
            xml.number("IconIndex", icon as u64);
        }
        xml.leaf("Name", &item.name);
        xml.leaf("URL", &item.url);
    });
}

impl Text {
    /// The object.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneText", &self.title, &self.prompt, |xml| {
            xml.leaf("Text", first(&self.text, TEXT_CHARS));
            soft_keys(xml, &self.keys);
        })
    }
}

impl Menu {
    /// The object; items beyond the hundredth are left out.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneMenu", &self.title, &self.prompt, |xml| {
            self.items.iter().take(MENU_ITEMS).for_each(|item| menu_item(xml, None, item));
            soft_keys(xml, &self.keys);
        })
    }
}

impl Directory {
    /// The object; entries beyond the 32nd are left out.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneDirectory", &self.title, &self.prompt, |xml| {
            for entry in self.entries.iter().take(DIRECTORY_ENTRIES) {
                xml.parent("DirectoryEntry", &[], |xml| {
                    xml.leaf("Name", &entry.name);
                    xml.leaf("Telephone", &entry.telephone);
                });
            }
            soft_keys(xml, &self.keys);
        })
    }
}

impl Input {
    /// The object; fields beyond the fifth are left out.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneInput", &self.title, &self.prompt, |xml| {
            xml.leaf("URL", &self.url);
            for field in self.fields.iter().take(INPUT_FIELDS) {
                xml.parent("InputItem", &[], |xml| {
                    xml.leaf("DisplayName", &field.name);
                    xml.leaf("QueryStringParam", &field.parameter);
                    xml.leaf("InputFlags", &field.flags);
                    xml.leaf("DefaultValue", &field.value);
                });
            }
        })
    }
}

impl IconMenu {
    /// The object; items beyond the 32nd are left out, and so are different icons beyond the tenth.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        let items = self.items.get(..ICON_ITEMS).unwrap_or(&self.items);
        let mut icons = Vec::new();
        for (icon, _) in items {
            if !icons.contains(icon) && icons.len() < ICONS {
                icons.push(*icon);
            }
        }
        screen(encoding, "CiscoIPPhoneIconMenu", &self.title, &self.prompt, |xml| {
            for (icon, item) in items {
                menu_item(xml, icons.iter().position(|other| other == icon), item);
            }
            soft_keys(xml, &self.keys);
            for (index, Icon(rows)) in (0_u64..).zip(&icons) {
                xml.parent("IconItem", &[], |xml| {
                    xml.number("Index", index);
                    xml.number("Height", 10_u64);
                    xml.number("Width", 16_u64);
                    xml.number("Depth", 2_u64);
                    xml.leaf("Data", pack(rows.as_flattened()));
                });
            }
        })
    }
}

impl Image {
    /// The object.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        let place = |place: fn((u16, u16)) -> u16| self.corner.map_or(-1, |corner| i32::from(place(corner)));
        screen(encoding, "CiscoIPPhoneImage", &self.title, &self.prompt, |xml| {
            xml.leaf("LocationX", place(|(x, _)| x).to_string());
            xml.leaf("LocationY", place(|(_, y)| y).to_string());
            xml.number("Width", self.picture.width());
            xml.number("Height", self.picture.height());
            xml.number("Depth", 2_u64);
            xml.leaf("Data", self.picture.data());
            soft_keys(xml, &self.keys);
        })
    }
}

impl Execute {
    /// The object; orders beyond the third are left out.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        let mut xml = Document::new(encoding);
        xml.parent("CiscoIPPhoneExecute", &[], |xml| {
            for url in self.urls.iter().take(EXECUTE_ITEMS) {
                // 0: at once, whatever the phone is doing.
                xml.leaf_with("ExecuteItem", &[("Priority", "0"), ("URL", url)], "");
            }
        });
        xml.finish()
    }
}
