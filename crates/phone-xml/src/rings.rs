//! The ring list: which ring tones a person can choose from on the phone.

use crate::Encoding;
use crate::element::Document;

/// `Ringlist.xml`, or `DISTINCTIVERINGLIST.XML` for the ring tones of single lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RingList {
    /// The rings; phones take at most 50.
    pub rings: Vec<Ring>,
}

/// One ring tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// What the phone shows, at most 25 characters.
    pub display_name: String,
    /// The file that it fetches, at most 25 characters: raw µ-law of 240 to 16,080 bytes.
    pub file_name: String,
}

impl RingList {
    /// Most rings that phones take.
    pub const MAX_RINGS: usize = 50;

    /// The file.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut xml = Document::new(Encoding::Ascii);
        xml.parent("CiscoIPPhoneRingList", &[], |xml| {
            for ring in self.rings.iter().take(Self::MAX_RINGS) {
                xml.parent("Ring", &[], |xml| {
                    xml.leaf("DisplayName", &ring.display_name);
                    xml.leaf("FileName", &ring.file_name);
                });
            }
        });
        xml.finish()
    }
}
