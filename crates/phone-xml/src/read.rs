//! Reading what was written for phones: what a phone would show of an object that it is given, and what it answers.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::screens::{MENU_ITEMS, SOFT_KEYS, ScreenKey, TEXT_CHARS, TITLE_CHARS};

/// The kind of an object, by the name of its root element.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// `CiscoIPPhoneText`.
    #[default]
    Text,
    /// `CiscoIPPhoneMenu`, `CiscoIPPhoneIconMenu` and the others with icons.
    Menu,
    /// `CiscoIPPhoneDirectory`.
    Directory,
    /// `CiscoIPPhoneInput`.
    Input,
    /// `CiscoIPPhoneExecute`: nothing to see, but something to do.
    Execute,
    /// `CiscoIPPhoneResponse`: how an [`Execute`](crate::Execute) went.
    Response,
    /// `CiscoIPPhoneError`: the object was refused.
    Error,
    /// `setBackground`: nothing to see of it but what is behind everything.
    Background,
    /// `setRingTone`.
    RingTone,
    /// Another one: pictures.
    Other,
}

/// What there is to see of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// What it is.
    pub kind: Kind,
    /// Above it.
    pub title: String,
    /// Below it.
    pub prompt: String,
    /// The text of a page.
    pub text: String,
    /// What one can choose: items of a menu, entries of a directory, fields of a form, orders.
    pub items: Vec<Item>,
    /// The soft keys.
    pub keys: Vec<ScreenKey>,
    /// The number of a [`Kind::Error`].
    pub error: Option<u32>,
}

/// Something to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What it says.
    pub name: String,
    /// What it opens, or dials.
    pub url: String,
}

/// Elements within elements; no object has more than three.
const DEPTH: usize = 8;

impl Shown {
    /// Reads an object. `None` if it is no XML or none of a phone's; what is beyond a phone's limits is left out.
    pub fn read(xml: &[u8]) -> Option<Self> {
        let text = match core::str::from_utf8(xml) {
            Ok(text) => text.into(),
            Err(_) => xml.iter().copied().map(char::from).collect::<String>(),
        };
        let mut reader = Reader::from_str(&text);
        let (mut shown, mut path, mut content) = (None::<Self>, Vec::<String>::new(), String::new());
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if path.len() < DEPTH => {
                    path.push(start.name().as_ref().to_owned());
                    content.clear();
                    begin(&mut shown, &path, &start)?;
                }
                Event::Start(_) => return None,
                Event::Empty(start) => {
                    path.push(start.name().as_ref().to_owned());
                    begin(&mut shown, &path, &start)?;
                    path.pop();
                }
                Event::End(_) => {
                    if let Some(shown) = &mut shown {
                        shown.leaf(&path, content.trim());
                    }
                    content.clear();
                    path.pop();
                }
                Event::Text(text) => content.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let name = reference.into_inner();
                    content.push_str(&quick_xml::escape::unescape(&format!("&{name};")).ok()?);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let mut shown = shown.filter(|_| path.is_empty())?;
        shown.items.truncate(MENU_ITEMS);
        shown.keys.truncate(SOFT_KEYS);
        Some(shown)
    }

    fn root(name: &str, start: &BytesStart<'_>) -> Option<Self> {
        let kind = match name {
            "setBackground" => Some(Kind::Background),
            "setRingTone" => Some(Kind::RingTone),
            _ => None,
        };
        if let Some(kind) = kind {
            return Some(Self { kind, ..Self::default() });
        }
        let kind = match name.strip_prefix("CiscoIPPhone")? {
            "Text" => Kind::Text,
            "Directory" => Kind::Directory,
            "Input" => Kind::Input,
            "Execute" => Kind::Execute,
            "Response" => Kind::Response,
            "Error" => Kind::Error,
            menu if menu.ends_with("Menu") => Kind::Menu,
            _ => Kind::Other,
        };
        let error = attribute(start, "Number").and_then(|number| number.parse().ok());
        Some(Self { kind, error, ..Self::default() })
    }

    /// A text in an element, which is the last of `path`.
    fn leaf(&mut self, path: &[String], text: &str) {
        let first = |chars: usize| text.chars().take(chars).collect::<String>();
        let mut names = path.iter().skip(1).map(String::as_str);
        match (names.next(), names.next()) {
            (Some("Title"), None) => self.title = first(TITLE_CHARS),
            (Some("Prompt"), None) => self.prompt = first(TITLE_CHARS),
            (Some("Text"), None) => self.text = first(TEXT_CHARS),
            (Some("SoftKeyItem"), Some(name)) => {
                let Some(key) = self.keys.last_mut() else { return };
                match name {
                    "Name" => key.name = text.into(),
                    "URL" => key.url = text.into(),
                    _ => {}
                }
            }
            (Some("MenuItem" | "DirectoryEntry" | "InputItem"), Some(name)) => {
                let Some(item) = self.items.last_mut() else { return };
                match name {
                    "Name" | "DisplayName" => item.name = text.into(),
                    "URL" | "Telephone" | "QueryStringParam" => item.url = text.into(),
                    _ => {}
                }
            }
            (Some("background"), Some("image")) | (Some("ringTone"), None) => {
                self.items.push(Item { name: String::new(), url: text.into() });
            }
            _ => {}
        }
    }
}

/// An element begins, the last of `path`: the root says what it all is, others make an item or a key.
fn begin(shown: &mut Option<Shown>, path: &[String], start: &BytesStart<'_>) -> Option<()> {
    let name = path.last().map(String::as_str).unwrap_or_default();
    match shown {
        None => *shown = Some(Shown::root(name, start)?),
        Some(shown) if path.len() == 2 => match name {
            "MenuItem" | "DirectoryEntry" | "InputItem" => shown.items.push(Item::default()),
            "SoftKeyItem" => shown.keys.push(ScreenKey::default()),
            "ExecuteItem" | "ResponseItem" => {
                let url = attribute(start, "URL").unwrap_or_default();
                shown.items.push(Item { name: attribute(start, "Data").unwrap_or_default(), url });
            }
            _ => {}
        },
        Some(_) => {}
    }
    Some(())
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = start.attributes().flatten();
    let found = all.find(|attribute| attribute.key.as_ref() == name)?;
    Some(quick_xml::escape::unescape(&found.value).ok()?.into_owned())
}

/// An object as plain ASCII, which every phone reads whatever its code page: without the declaration, and what is beyond
/// ASCII as references.
pub fn to_ascii(xml: &str) -> Vec<u8> {
    let body = match xml.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_, body)) => body.trim_start(),
        None => xml,
    };
    let mut ascii = String::with_capacity(body.len());
    for c in body.chars() {
        match c.is_ascii() {
            true => ascii.push(c),
            false => ascii.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    ascii.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Directory, DirectoryEntry, Encoding, Execute, Icon, IconMenu, Menu, MenuItem, Text};

    #[test]
    fn what_is_written_reads_back() {
        let key = ScreenKey { name: "Exit".into(), url: "SoftKey:Exit".into() };
        for encoding in [Encoding::Ascii, Encoding::Latin1, Encoding::Utf8] {
            let item = |name: &str| MenuItem { name: name.into(), url: "UserData:1:a&b".into() };
            let menu = Menu {
                title: "Größe & Co.".into(),
                items: vec![item("Smith & Sons"), item("Zoë")],
                keys: vec![key.clone()],
                ..Menu::default()
            };
            let shown = Shown::read(&menu.to_xml(encoding)).unwrap();
            assert_eq!((shown.kind, shown.title.as_str()), (Kind::Menu, "Größe & Co."), "{encoding:?}");
            let names: Vec<_> = shown.items.iter().map(|item| item.name.as_str()).collect();
            assert_eq!(names, ["Smith & Sons", "Zoë"]);
            assert_eq!(shown.items[1].url, "UserData:1:a&b");
            assert_eq!(shown.keys, std::slice::from_ref(&key));

            let icons = IconMenu {
                items: vec![(1, item("Zoë"))],
                icons: vec![Icon([[3; 16]; 10]); 12],
                ..IconMenu::default()
            };
            let xml = icons.to_xml(encoding);
            assert_eq!(
                Shown::read(&xml).unwrap().items,
                [Item { name: "Zoë".into(), url: "UserData:1:a&b".into() }]
            );
            let text = String::from_utf8_lossy(&xml).into_owned();
            assert_eq!(text.matches("<IconItem>").count(), 10);
            assert!(text.contains(&format!("<Data>{}</Data>", "FF".repeat(40))), "{text}");
        }
        let entry = DirectoryEntry { name: "Bob".into(), telephone: "1002".into() };
        let directory = Directory { entries: vec![entry; 40], ..Directory::default() };
        assert_eq!(Shown::read(&directory.to_xml(Encoding::Utf8)).unwrap().items.len(), 32);
        let text = Text { title: "x".repeat(50), text: "ü".repeat(5000), ..Text::default() };
        let shown = Shown::read(&text.to_xml(Encoding::Latin1)).unwrap();
        assert_eq!((shown.title.len(), shown.text.chars().count()), (32, 4000));
        let execute = Execute { urls: vec!["Dial:1?a&b".into(); 5] }.to_xml(Encoding::Ascii);
        let shown = Shown::read(&execute).unwrap();
        assert_eq!(
            (shown.kind, shown.items.len(), shown.items[0].url.as_str()),
            (Kind::Execute, 3, "Dial:1?a&b")
        );
    }

    #[test]
    fn what_phones_answer_is_understood() {
        let error = Shown::read(b"<CiscoIPPhoneError Number=\"4\"/>").unwrap();
        assert_eq!((error.kind, error.error), (Kind::Error, Some(4)));
        let response = b"<CiscoIPPhoneResponse><ResponseItem URL=\"Dial:1\" Data=\"Success\" Status=\"0\"/></CiscoIPPhoneResponse>";
        let shown = Shown::read(response).unwrap();
        assert_eq!((shown.kind, shown.items[0].name.as_str()), (Kind::Response, "Success"));
    }

    #[test]
    fn what_is_no_object_is_nothing() {
        for bad in [
            "",
            "hello",
            "<html></html>",
            "<CiscoIPPhoneText><Title>a",
            "<CiscoIPPhoneText><Title>a</CiscoIPPhoneText>",
            "<CiscoIPPhoneText><Title>&nothing;</Title></CiscoIPPhoneText>",
            &"<CiscoIPPhoneMenu>".repeat(100),
        ] {
            assert_eq!(Shown::read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn any_phone_reads_ascii() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneText><Title>Zoë €</Title></CiscoIPPhoneText>";
        assert_eq!(to_ascii(xml), b"<CiscoIPPhoneText><Title>Zo&#235; &#8364;</Title></CiscoIPPhoneText>");
        assert_eq!(Shown::read(&to_ascii(xml)).unwrap().title, "Zoë €");
    }
}
