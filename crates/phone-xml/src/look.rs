//! Orders that change how a phone looks and rings. They are no `CiscoIPPhone` objects; the names and what a phone does with
//! them are those of chan-sccp, the one known manager that sends them. Phones fetch the files by HTTP.

use crate::Encoding;
use crate::element::Document;

/// The picture behind a phone's display.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetBackground {
    /// Where the picture is (`http://`).
    pub image: String,
    /// Where a small one is, for the phone's menu of pictures.
    pub icon: String,
}

/// The ring of a phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetRingTone {
    /// Where it is (`http://`).
    pub ring_tone: String,
}

impl SetBackground {
    /// The order.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        let mut xml = Document::new(encoding);
        xml.parent("setBackground", &[], |xml| {
            xml.parent("background", &[], |xml| {
                xml.leaf("image", &self.image);
                xml.leaf("icon", &self.icon);
            });
        });
        xml.finish()
    }
}

impl SetRingTone {
    /// The order.
    pub fn to_xml(&self, encoding: Encoding) -> Vec<u8> {
        let mut xml = Document::new(encoding);
        xml.parent("setRingTone", &[], |xml| xml.leaf("ringTone", &self.ring_tone));
        xml.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Shown};

    fn lines(xml: Vec<u8>) -> String {
        String::from_utf8(xml).unwrap().lines().map(str::trim).collect()
    }

    #[test]
    fn orders_are_written_as_phones_know_them() {
        let background =
            SetBackground { image: "http://10.0.0.1:6970/a&b.png".into(), icon: "http://x/TN.png".into() };
        let xml = background.to_xml(Encoding::Ascii);
        let shown = Shown::read(&xml).unwrap();
        assert_eq!(
            (shown.kind, shown.items[0].url.as_str()),
            (Kind::Background, "http://10.0.0.1:6970/a&b.png")
        );
        assert_eq!(
            lines(xml),
            "<setBackground><background><image>http://10.0.0.1:6970/a&amp;b.png</image>\
             <icon>http://x/TN.png</icon></background></setBackground>"
        );
        let ring = SetRingTone { ring_tone: "http://10.0.0.1:6970/Chime.raw".into() };
        let xml = ring.to_xml(Encoding::Ascii);
        let shown = Shown::read(&xml).unwrap();
        assert_eq!(
            (shown.kind, shown.items[0].url.as_str()),
            (Kind::RingTone, "http://10.0.0.1:6970/Chime.raw")
        );
        assert_eq!(
            lines(xml),
            "<setRingTone><ringTone>http://10.0.0.1:6970/Chime.raw</ringTone></setRingTone>"
        );
    }
}
