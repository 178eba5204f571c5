//! The phone models of this protocol, and what each can do.

use core::{fmt, str::FromStr};

use thiserror::Error;

use crate::{Model, SideCar, near::near};

/// What is known about a model. Numbers of lines and buttons are the most that a site may give it; they come
/// from data sheets and the templates that managers send (the 7912 of the CallManager 4.1 capture has one line
/// and speed dials), so the phone's own keys can be fewer where a menu shows the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneFacts {
    /// The name printed on the phone, without the maker ("7960", "SPA525G").
    pub name: &'static str,
    /// The device type number of Register.
    pub device_type: u32,
    /// Lines that it can have; each key of a side car can be one more.
    pub lines: u8,
    /// Entries that its button template can have, on the phone itself.
    pub buttons: u8,
    /// The key modules that it takes, two at most.
    pub side_cars: &'static [SideCar],
    /// Soft keys beside the display; 0 where it has none.
    pub soft_keys: u8,
    /// Which kind of configuration file it reads.
    pub generation: Generation,
    /// Does it do G.722?
    pub wideband: bool,
    /// Does it open XML services?
    pub services: bool,
    /// Does it take its background picture and ring tone from a manager? Those to which chan-sccp sends them.
    pub look: bool,
    /// Where its services draw. `None` for models that show neither pictures nor icons.
    pub pictures: Option<PictureArea>,
}

/// The part of a display that services have for pictures, in points. Icons in menus go with it: the models that draw the one
/// draw the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureArea {
    /// From left to right.
    pub width: u16,
    /// From top to bottom.
    pub height: u16,
}

/// Which kind of configuration file a phone reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// Small fixed parser (7902 to 7940, 7960, ATA): only the elements that CallManager 4.1 wrote, in its
    /// order, in ISO 8859-1.
    Old,
    /// A whole XML parser (7906, 7911, 7941 and later): more elements, UTF-8.
    New,
}

const fn phone(name: &'static str, device_type: u32, lines: u8, buttons: u8, soft_keys: u8) -> PhoneFacts {
    PhoneFacts {
        name,
        device_type,
        lines,
        buttons,
        side_cars: &[],
        soft_keys,
        generation: Generation::New,
        wideband: true,
        services: true,
        look: false,
        pictures: None,
    }
}

impl PhoneFacts {
    const fn old(self) -> Self {
        Self { generation: Generation::Old, wideband: false, ..self }
    }

    const fn narrow(self) -> Self {
        Self { wideband: false, ..self }
    }

    const fn plain(self) -> Self {
        Self { services: false, ..self }
    }

    const fn look(self) -> Self {
        Self { look: true, ..self }
    }

    const fn pictures(self, width: u16, height: u16) -> Self {
        Self { pictures: Some(PictureArea { width, height }), ..self }
    }

    const fn side_cars(self, side_cars: &'static [SideCar]) -> Self {
        Self { side_cars, ..self }
    }
}

/// Every model that a site can name, by name. Device types: `enums.txt` of the protocol notes and
/// `wire-facts.md`, "Device types". Side cars: the 7914 came with the 7960; the 7915 and 7916 need the 7962, 7965 or
/// 7975 (data sheets).
///
/// Pictures: "IP Phone Services Application Development Notes" (OL-20949-01), table 3-1 for which models draw
/// `CiscoIPPhoneImage` and `CiscoIPPhoneIconMenu`, table 3-2 for how large; the 7921 by the `x-CiscoIPPhoneDisplay`
/// that it sends, the 7937 by table 3-2 of OL-22505-01. Without them: models whose icons have a footnote there (7905,
/// 7906, 7911, 7912, 7931, 69xx), the 7920 (half of the shades, clipped, and no way to send it a screen), and those that
/// the tables do not have (7985, 8941, 8945, SPA).
pub const PHONES: &[PhoneFacts] = &[
    phone("6901", 547, 1, 1, 0).narrow().plain(),
    phone("6911", 548, 1, 1, 0).plain(),
    phone("6921", 495, 2, 2, 4),
    phone("6941", 496, 4, 4, 4),
    phone("6945", 564, 4, 4, 4),
    phone("6961", 497, 12, 12, 4),
    phone("7902", 30008, 1, 5, 0).old().plain(),
    phone("7905", 20000, 1, 10, 4).old(),
    phone("7906", 369, 1, 10, 4),
    phone("7910", 6, 1, 5, 0).old().plain(),
    phone("7911", 307, 1, 10, 4),
    phone("7912", 30007, 1, 10, 4).old(),
    phone("7920", 30002, 6, 6, 2).old(),
    phone("7921", 365, 6, 6, 2).pictures(176, 140),
    phone("7925", 484, 6, 6, 2).pictures(176, 140),
    phone("7926", 577, 6, 6, 2).pictures(176, 140),
    phone("7931", 348, 24, 24, 4),
    phone("7935", 9, 1, 1, 4).old().plain(),
    phone("7936", 30019, 1, 1, 4).old().plain(),
    phone("7937", 431, 1, 1, 4).pictures(255, 128),
    phone("7940", 8, 2, 2, 4).old().pictures(133, 65),
    phone("7941", 115, 2, 2, 4).look().pictures(298, 144),
    phone("7941GE", 309, 2, 2, 4).look().pictures(298, 144),
    phone("7942", 434, 2, 2, 4).look().pictures(298, 144),
    phone("7945", 435, 2, 2, 4).look().pictures(298, 156),
    phone("7960", 7, 6, 6, 4).old().side_cars(&[SideCar::C7914]).pictures(133, 65),
    phone("7961", 30018, 6, 6, 4).look().side_cars(&[SideCar::C7914]).pictures(298, 144),
    phone("7961GE", 308, 6, 6, 4).look().side_cars(&[SideCar::C7914]).pictures(298, 144),
    phone("7962", 404, 6, 6, 4).look().side_cars(SideCar::ALL).pictures(298, 144),
    phone("7965", 436, 6, 6, 5).look().side_cars(SideCar::ALL).pictures(298, 156),
    phone("7970", 30006, 8, 8, 5).look().narrow().side_cars(&[SideCar::C7914]).pictures(298, 168),
    phone("7971", 119, 8, 8, 5).look().narrow().side_cars(&[SideCar::C7914]).pictures(298, 168),
    phone("7975", 437, 8, 8, 5).look().side_cars(SideCar::ALL).pictures(298, 168),
    phone("7985", 302, 1, 8, 5),
    phone("8941", 586, 4, 4, 4).look(),
    phone("8945", 585, 4, 4, 4).look(),
    phone("ATA186", 12, 1, 1, 0).old().plain(),
    phone("ATA188", 13, 1, 1, 0).old().plain(),
    phone("IP Communicator", 30016, 8, 8, 5).look().pictures(298, 168),
    phone("SPA303G", 80011, 3, 3, 4).plain(),
    phone("SPA502G", 80003, 1, 1, 4),
    phone("SPA504G", 80004, 4, 4, 4),
    phone("SPA509G", 80007, 12, 12, 4),
    phone("SPA521S", 80000, 1, 1, 4),
    phone("SPA525G", 80005, 5, 5, 4),
    phone("SPA525G2", 80009, 5, 5, 4),
    phone("VGC", 10, 1, 1, 0).old().plain(),
];

/// A name that no known phone has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no model is called {name:?}")]
pub struct UnknownModel {
    /// The name given.
    pub name: String,
    /// Names that look like it, closest first.
    pub near: Vec<&'static str>,
}

impl Model {
    /// What is known about it; `None` for a name that is not in [`PHONES`] (this type also keeps such names,
    /// for sites stored by a newer release).
    pub fn facts(&self) -> Option<&'static PhoneFacts> {
        PHONES.iter().find(|facts| facts.name == self.0)
    }

    /// The device type number that a phone of this model registers with.
    pub fn device_type(&self) -> Option<u32> {
        self.facts().map(|facts| facts.device_type)
    }

    /// The model that registers with this device type number.
    pub fn from_device_type(device_type: u32) -> Option<Self> {
        PHONES.iter().find(|facts| facts.device_type == device_type).map(|facts| Self(facts.name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Model {
    type Err = UnknownModel;

    /// Takes what is printed on phones and boxes: "7960", "7960G", "CP-7960G", "Cisco 7960", "spa 525g2".
    fn from_str(text: &str) -> Result<Self, UnknownModel> {
        let plain = |text: &str| -> String {
            let upper = text.to_ascii_uppercase();
            let bare = upper.trim().trim_start_matches("CISCO").trim().trim_start_matches("CP-");
            bare.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect()
        };
        let wanted = plain(text);
        let named = |name: &str| {
            PHONES.iter().find(|facts| plain(facts.name) == name).map(|facts| Self(facts.name.into()))
        };
        // 7960G is a 7960 and 7961G-GE a 7961GE, while the G of an SPA 525G stays.
        let found = named(&wanted)
            .or_else(|| named(wanted.strip_suffix('G')?))
            .or_else(|| named(&format!("{}GE", wanted.strip_suffix("GGE")?)));
        found.ok_or_else(|| UnknownModel {
            name: text.into(),
            near: near(&wanted, PHONES.iter().map(|facts| facts.name)),
        })
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_model_is_found_by_name_and_by_number() {
        assert!(PHONES.is_sorted_by_key(|facts| facts.name));
        assert_eq!(PHONES.iter().map(|facts| facts.device_type).collect::<BTreeSet<_>>().len(), PHONES.len());
        for facts in PHONES {
            let model: Model = facts.name.parse().unwrap();
            assert_eq!(model.facts(), Some(facts));
            assert_eq!(Model::from_device_type(facts.device_type), Some(model));
            assert!(
                facts.services || facts.pictures.is_none(),
                "{} draws where it has no services",
                facts.name
            );
            assert!(facts.lines <= facts.buttons, "{}", facts.name);
            assert!(
                usize::from(facts.buttons) <= crate::MAX_BUTTONS,
                "{} fits the button template",
                facts.name
            );
        }
        assert_eq!(Model::from_device_type(u32::MAX), None);
    }

    #[test]
    fn models_that_draw_are_those_of_the_makers_tables() {
        let area = |name: &str| {
            let model: Model = name.parse().unwrap();
            model.facts().unwrap().pictures.map(|area| (area.width, area.height))
        };
        for (name, expected) in [
            ("7912", None),
            ("7920", None),
            ("7911", None),
            ("6921", None),
            ("8945", None),
            ("SPA525G", None),
            ("7921", Some((176, 140))),
            ("7960", Some((133, 65))),
            ("7961", Some((298, 144))),
            ("7965", Some((298, 156))),
            ("7970", Some((298, 168))),
        ] {
            assert_eq!(area(name), expected, "{name}");
        }
    }

    #[test]
    fn names_are_taken_as_people_write_them() {
        let table = [
            ("7960", "7960"),
            ("7960G", "7960"),
            ("CP-7960G", "7960"),
            ("Cisco 7960", "7960"),
            (" cisco cp-7912g ", "7912"),
            ("7961G-GE", "7961GE"),
            ("7941GE", "7941GE"),
            ("spa 525g2", "SPA525G2"),
            ("SPA-525G", "SPA525G"),
            ("ata 186", "ATA186"),
            ("ip communicator", "IP Communicator"),
            ("Cisco IP Communicator", "IP Communicator"),
        ];
        for (written, name) in table {
            assert_eq!(written.parse::<Model>().unwrap().as_str(), name, "{written}");
        }
    }

    #[test]
    fn an_unknown_model_lists_near_ones() {
        let error = "7963".parse::<Model>().unwrap_err();
        assert_eq!(error.to_string(), "no model is called \"7963\"");
        assert_eq!(error.near.len(), 3);
        assert!(error.near.contains(&"7960"), "{:?}", error.near);
        assert!("toaster".parse::<Model>().unwrap_err().near.is_empty());
        assert_eq!(Model("toaster".into()).device_type(), None);
    }
}
