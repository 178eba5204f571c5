//! Objects that a phone shows when it opens an address: a text, a menu, a page of a directory, an input form.
//! Names and limits are those of the maker's service developer notes: titles and prompts of 32 characters.

use crate::Encoding;
use crate::element::Document;

/// A page of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// Above the text.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// The text, at most 4,000 characters.
    pub text: String,
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

fn screen(
    encoding: Encoding,
    name: &str,
    title: &str,
    prompt: &str,
    content: impl FnOnce(&mut Document),
) -> Vec<u8> {
    let mut xml = Document::new(encoding);
    xml.parent(name, &[], |xml| {
        xml.leaf("Title", title);
        xml.leaf("Prompt", prompt);
        content(xml);
    });
    xml.finish()
}

impl Text {
    /// The object.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneText", &self.title, &self.prompt, |xml| xml.leaf("Text", &self.text))
    }
}

impl Menu {
    /// The object; items beyond the hundredth are left out.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneMenu", &self.title, &self.prompt, |xml| {
            for item in self.items.iter().take(100) {
                xml.parent("MenuItem", &[], |xml| {
                    xml.leaf("Name", &item.name);
                    xml.leaf("URL", &item.url);
                });
            }
        })
    }
}

impl Directory {
    /// The object; entries beyond the 32nd are left out.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneDirectory", &self.title, &self.prompt, |xml| {
            for entry in self.entries.iter().take(32) {
                xml.parent("DirectoryEntry", &[], |xml| {
                    xml.leaf("Name", &entry.name);
                    xml.leaf("Telephone", &entry.telephone);
                });
            }
        })
    }
}

impl Input {
    /// The object; fields beyond the fifth are left out.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        screen(encoding, "CiscoIPPhoneInput", &self.title, &self.prompt, |xml| {
            xml.leaf("URL", &self.url);
            for field in self.fields.iter().take(5) {
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
