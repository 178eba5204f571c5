//! Reading what was written for phones: what a phone would show of an object that it is given, and what it answers.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::picture::Picture;
use crate::screens::{ICONS, MENU_ITEMS, SOFT_KEYS, ScreenKey, TEXT_CHARS, TITLE_CHARS};

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
    /// `CiscoIPPhoneImage`.
    Image,
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
    /// Another one: pictures in files, and what lies over a call.
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
    /// The picture, if the object has one that can be read: of two bits a point, without a file.
    pub picture: Option<Picture>,
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
    /// What stands beside it.
    pub icon: Option<Picture>,
}

/// A picture as it is read, until its object is whole.
#[derive(Debug, Clone, Default)]
struct Drawing {
    /// The number that items name it by; a picture of its own has none.
    index: Option<u32>,
    width: u16,
    height: u16,
    depth: u8,
    data: String,
}

impl Drawing {
    /// A text in one of its elements.
    fn leaf(&mut self, name: &str, text: &str) {
        // What is no number is 0, which no picture has.
        match name {
            "Index" => self.index = text.parse().ok(),
            "Width" => self.width = text.parse().unwrap_or(0),
            "Height" => self.height = text.parse().unwrap_or(0),
            "Depth" => self.depth = text.parse().unwrap_or(0),
            "Data" => self.data = text.into(),
            _ => {}
        }
    }

    fn picture(&self) -> Option<Picture> {
        (self.depth == 2).then(|| Picture::from_data(self.width, self.height, &self.data))?
    }
}

/// An object as far as it is read.
#[derive(Debug, Default)]
struct Reading {
    shown: Shown,
    /// Its own picture.
    drawing: Drawing,
    /// The icons.
    icons: Vec<Drawing>,
    /// Which icon each item names.
    named: Vec<Option<u32>>,
}

impl Reading {
    /// A text in an element, which is the last of `path`.
    fn leaf(&mut self, path: &[String], text: &str) {
        match path {
            [_, name] => self.drawing.leaf(name, text),
            [_, parent, name] if parent == "IconItem" => {
                if let Some(icon) = self.icons.last_mut() {
                    icon.leaf(name, text);
                }
            }
            [_, parent, name] if parent == "MenuItem" && name == "IconIndex" => {
                self.named.resize(self.shown.items.len(), None);
                if let Some(named) = self.named.last_mut() {
                    *named = text.parse().ok();
                }
            }
            _ => {}
        }
        self.shown.leaf(path, text);
    }

    fn finish(self) -> Shown {
        let Self { mut shown, drawing, icons, named } = self;
        shown.items.truncate(MENU_ITEMS);
        shown.keys.truncate(SOFT_KEYS);
        shown.picture = drawing.picture();
        for (item, named) in shown.items.iter_mut().zip(named) {
            let icon =
                named.and_then(|named| icons.iter().take(ICONS).find(|icon| icon.index == Some(named)));
            item.icon = icon.and_then(Drawing::picture);
        }
        shown
    }
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
        let (mut reading, mut path, mut content) = (None::<Reading>, Vec::<String>::new(), String::new());
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if path.len() < DEPTH => {
                    path.push(start.name().as_ref().to_owned());
                    content.clear();
                    begin(&mut reading, &path, &start)?;
                }
                Event::Start(_) => return None,
                Event::Empty(start) => {
                    path.push(start.name().as_ref().to_owned());
                    begin(&mut reading, &path, &start)?;
                    path.pop();
                }
                Event::End(_) => {
                    if let Some(reading) = &mut reading {
                        reading.leaf(&path, content.trim());
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
        Some(reading.filter(|_| path.is_empty())?.finish())
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
            "Image" => Kind::Image,
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
                self.items.push(Item { url: text.into(), ..Item::default() });
            }
            _ => {}
        }
    }
}

/// An element begins, the last of `path`: the root says what it all is, others make an item or a key.
fn begin(reading: &mut Option<Reading>, path: &[String], start: &BytesStart<'_>) -> Option<()> {
    let name = path.last().map(String::as_str).unwrap_or_default();
    match reading {
        None => *reading = Some(Reading { shown: Shown::root(name, start)?, ..Reading::default() }),
        Some(Reading { shown, icons, .. }) if path.len() == 2 => match name {
            "MenuItem" | "DirectoryEntry" | "InputItem" => shown.items.push(Item::default()),
            "SoftKeyItem" => shown.keys.push(ScreenKey::default()),
            "IconItem" => icons.push(Drawing::default()),
            "ExecuteItem" | "ResponseItem" => {
                let url = attribute(start, "URL").unwrap_or_default();
                let name = attribute(start, "Data").unwrap_or_default();
                shown.items.push(Item { name, url, icon: None });
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
    use crate::{
        Directory, DirectoryEntry, Encoding, Execute, Icon, IconMenu, Image, Mark, Menu, MenuItem, Text,
    };

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
                items: vec![
                    (Mark::Away.icon(), item("Zoë")),
                    (Mark::Owner.icon(), item("<b>")),
                    (Mark::Away.icon(), item("")),
                ],
                keys: vec![key.clone()],
                ..IconMenu::default()
            };
            let shown = Shown::read(&icons.to_xml(encoding)).unwrap();
            let seen = |item: &Item| (item.name.clone(), Mark::of(item.icon.as_ref().unwrap()));
            assert_eq!(
                shown.items.iter().map(seen).collect::<Vec<_>>(),
                [
                    ("Zoë".into(), Some(Mark::Away)),
                    ("<b>".into(), Some(Mark::Owner)),
                    (String::new(), Some(Mark::Away))
                ]
            );
            assert_eq!(
                (shown.kind, &shown.items[0].url, shown.keys.len()),
                (Kind::Menu, &menu.items[0].url, 1)
            );

            let picture = Picture::new(3, vec![0, 1, 2, 3, 0, 1]).unwrap();
            let image = Image {
                title: "Zoë & Co.".into(),
                prompt: String::new(),
                corner: None,
                picture: picture.clone(),
                keys: vec![key.clone()],
            };
            let shown = Shown::read(&image.to_xml(encoding)).unwrap();
            assert_eq!(
                (shown.kind, shown.title.as_str(), shown.picture),
                (Kind::Image, "Zoë & Co.", Some(picture))
            );
            assert_eq!(shown.keys, std::slice::from_ref(&key));
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
    fn menus_have_no_more_icons_than_phones_take() {
        let shade = |at: usize| {
            let mut rows = [[0; 16]; 10];
            (rows[0], rows[1]) = ([(at % 4) as u8; 16], [(at / 4) as u8; 16]);
            Icon(rows)
        };
        let item = MenuItem { name: "x".into(), url: "Dial:1".into() };
        let menu = IconMenu {
            items: (0..40).map(|at| (shade(at % 12), item.clone())).collect(),
            ..IconMenu::default()
        };
        let xml = String::from_utf8(menu.to_xml(Encoding::Ascii)).unwrap();
        assert_eq!((xml.matches("<MenuItem>").count(), xml.matches("<IconItem>").count()), (32, 10));
        let shown = Shown::read(xml.as_bytes()).unwrap();
        let without: Vec<_> = (0..32).filter(|&at| shown.items[at].icon.is_none()).collect();
        assert_eq!(without, [10, 11, 22, 23], "an item without its icon is still there");
    }

    #[test]
    fn icons_are_named_by_their_numbers_whatever_their_order() {
        let icon = |index: &str, data: &str| {
            format!(
                "<IconItem><Data>{data}</Data><Index>{index}</Index><Height>1</Height><Width>4</Width>\
                 <Depth>2</Depth></IconItem>"
            )
        };
        let item = |index: &str| format!("<MenuItem><Name>x</Name><IconIndex>{index}</IconIndex></MenuItem>");
        let xml = format!(
            "<CiscoIPPhoneIconMenu>{}{}{}<MenuItem><Name>x</Name></MenuItem>{}{}{}</CiscoIPPhoneIconMenu>",
            icon("7", "2D"),
            item("2"),
            item("7"),
            item("9"),
            item("-1"),
            icon("2", "FF")
        );
        let items = Shown::read(xml.as_bytes()).unwrap().items;
        let icons: Vec<_> = items.into_iter().map(|item| item.icon).collect();
        let picture = |points: [u8; 4]| Picture::new(4, points.into());
        assert_eq!(icons, [picture([3; 4]), picture([1, 3, 2, 0]), None, None, None]);
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
