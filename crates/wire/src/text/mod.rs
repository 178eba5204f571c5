//! What a phone displays: labels that it translates, mixed with plain text.

mod label;

use alloc::{
    borrow::{Cow, ToOwned as _},
    string::{String, ToString as _},
    vec::Vec,
};

use smallvec::SmallVec;

pub use label::{DisplayLabel, LabelSet};

/// How text is encoded for a phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// ISO 8859-1, the code page of the Western locales.
    #[default]
    Latin1,
    /// UTF-8, when both sides said so.
    Utf8,
}

/// Which labels a phone translates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelSupport {
    /// None: it gets the English text, as CallManager 3.x sends it.
    Plain,
    /// Those of the set after 0x80.
    Set200,
    /// Those of both sets.
    All,
}

/// What a phone displays.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneText {
    /// Most texts are one label.
    parts: SmallVec<[TextPart; 1]>,
}

/// A part of a [`PhoneText`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextPart {
    /// A text that the phone translates.
    Label(DisplayLabel),
    /// Plain text.
    Text(String),
}

impl PhoneText {
    /// One label.
    pub fn label(label: DisplayLabel) -> Self {
        Self::default().then_label(label)
    }

    /// Adds a label.
    #[must_use]
    pub fn then_label(mut self, label: DisplayLabel) -> Self {
        self.parts.push(TextPart::Label(label));
        self
    }

    /// Adds plain text.
    #[must_use]
    pub fn then_text(mut self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        if let Some(TextPart::Text(last)) = self.parts.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.parts.push(TextPart::Text(text.to_owned()));
        }
        self
    }

    /// The parts in order; no two texts follow one another.
    pub fn parts(&self) -> &[TextPart] {
        &self.parts
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// All of it in English.
    pub fn to_plain(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                TextPart::Label(label) => label.english(),
                TextPart::Text(text) => text,
            })
            .collect()
    }

    /// Reads what a message carries, up to the first NUL. A code that no set has becomes U+FFFD.
    pub fn parse(bytes: &[u8], encoding: Encoding) -> Self {
        let mut text = Self::default();
        let mut rest = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        loop {
            let plain = plain_len(rest, encoding);
            let (head, tail) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
            text = text.then_text(decode(head, encoding));
            rest = match *tail {
                [escape, code, ref tail @ ..] => {
                    let label =
                        LabelSet::of_escape(escape).and_then(|set| DisplayLabel::from_code(set, code));
                    text = match label {
                        Some(label) => text.then_label(label),
                        None => text.then_text("\u{fffd}"),
                    };
                    tail
                }
                // An escape at the very end: the label "empty", whose code is the NUL, or one that was cut.
                _ => return text,
            };
        }
    }

    /// The bytes for a phone, at most `most` of them: no character and no label is cut in two. Control
    /// characters are left out, so that nobody's name can pass for a label.
    pub fn render(&self, encoding: Encoding, labels: LabelSupport, most: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for part in &self.parts {
            let whole = match part {
                TextPart::Text(text) => push_text(&mut out, text, encoding, most),
                TextPart::Label(label) => match label.code() {
                    (set, code) if labels.has(set) => {
                        let fits = out.len().saturating_add(2) <= most;
                        if fits {
                            out.extend_from_slice(&[set.escape(), code]);
                        }
                        fits
                    }
                    _ => push_text(&mut out, label.english(), encoding, most),
                },
            };
            if !whole {
                break;
            }
        }
        out
    }
}

impl From<&str> for PhoneText {
    fn from(text: &str) -> Self {
        Self::default().then_text(text)
    }
}

impl From<String> for PhoneText {
    fn from(text: String) -> Self {
        Self::default().then_text(text)
    }
}

impl From<DisplayLabel> for PhoneText {
    fn from(label: DisplayLabel) -> Self {
        Self::label(label)
    }
}

impl LabelSupport {
    const fn has(self, set: LabelSet) -> bool {
        match (self, set) {
            (Self::Plain, _) | (Self::Set200, LabelSet::Set36) => false,
            (Self::Set200 | Self::All, LabelSet::Set200) | (Self::All, LabelSet::Set36) => true,
        }
    }
}

/// Bytes before the first escape. In UTF-8 an 0x80 within a character is none.
fn plain_len(bytes: &[u8], encoding: Encoding) -> usize {
    let is_escape = |byte: &u8| LabelSet::of_escape(*byte).is_some();
    match encoding {
        Encoding::Latin1 => bytes.iter().position(is_escape).unwrap_or(bytes.len()),
        Encoding::Utf8 => {
            let mut length: usize = 0;
            for chunk in bytes.utf8_chunks() {
                if let Some(at) = chunk.valid().bytes().position(|byte| byte == LabelSet::Set36.escape()) {
                    return length.saturating_add(at);
                }
                length = length.saturating_add(chunk.valid().len());
                if chunk.invalid().first().is_some_and(is_escape) {
                    return length;
                }
                length = length.saturating_add(chunk.invalid().len());
            }
            length
        }
    }
}

fn decode(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Encoding::Utf8 => String::from_utf8_lossy(bytes).to_string(),
    }
}

/// The bytes of plain text for a phone, at most `most` of them, as [`PhoneText::render`] makes them.
pub(crate) fn plain_bytes(text: &str, encoding: Encoding, most: usize) -> Cow<'_, [u8]> {
    if is_printable_ascii(text) {
        let bytes = text.as_bytes();
        return Cow::Borrowed(bytes.get(..most).unwrap_or(bytes));
    }
    let mut out = Vec::new();
    push_text(&mut out, text, encoding, most);
    Cow::Owned(out)
}

/// The same bytes in every encoding, and no control character among them: most names and all numbers.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Appends as much of `text` as fits; `true` when that was all.
fn push_text(out: &mut Vec<u8>, text: &str, encoding: Encoding, most: usize) -> bool {
    if is_printable_ascii(text) {
        let room = most.saturating_sub(out.len());
        let fits = text.as_bytes().get(..room);
        out.extend_from_slice(fits.unwrap_or(text.as_bytes()));
        return text.len() <= room;
    }
    for character in text.chars().filter(|character| !character.is_control()) {
        let mut utf8 = [0; 4];
        let latin1;
        let bytes = match encoding {
            Encoding::Utf8 => character.encode_utf8(&mut utf8).as_bytes(),
            Encoding::Latin1 => {
                latin1 = [u8::try_from(character).unwrap_or(b'?')];
                &latin1
            }
        };
        if out.len().saturating_add(bytes.len()) > most {
            return false;
        }
        out.extend_from_slice(bytes);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_text_mix_as_in_the_captures() {
        // 4.1, frame 134: the prompt of an incoming call.
        let from = PhoneText::label(DisplayLabel::From).then_text("1003");
        assert_eq!(from.render(Encoding::Latin1, LabelSupport::Set200, 31), b"\x80\x171003");
        assert_eq!(PhoneText::parse(b"\x80\x171003\0garbage", Encoding::Latin1), from);
        assert_eq!(from.to_plain(), "From 1003");
        // cm31, display: CallManager 3.x sends plain text.
        let options = PhoneText::label(DisplayLabel::YourCurrentOptions);
        assert_eq!(options.render(Encoding::Latin1, LabelSupport::Plain, 31), b"Your current options");
        // chan-sccp v17, frame 42: a label after text.
        let parsed = PhoneText::parse(b"peer-chan-sccp\x02\x80\x18", Encoding::Latin1);
        assert_eq!(parsed.to_plain(), "peer-chan-sccp\u{2}Connected");
    }

    #[test]
    fn the_second_set_falls_back_to_english() {
        let text = PhoneText::label(DisplayLabel::NightService);
        assert_eq!(text.render(Encoding::Latin1, LabelSupport::Set200, 31), b"Night service");
        assert_eq!(text.render(Encoding::Latin1, LabelSupport::All, 31), b"\x1e\x14");
        assert_eq!(PhoneText::parse(b"\x1e\x14", Encoding::Utf8), text);
    }

    #[test]
    fn utf8_continuation_bytes_are_no_labels() {
        // U+0400 is d0 80 in UTF-8.
        let text = PhoneText::from("\u{400}\u{413}").then_label(DisplayLabel::Busy);
        let bytes = text.render(Encoding::Utf8, LabelSupport::Set200, 99);
        assert_eq!(bytes, b"\xd0\x80\xd0\x93\x80\x19");
        assert_eq!(PhoneText::parse(&bytes, Encoding::Utf8), text);
    }

    #[test]
    fn nothing_is_cut_in_two_and_nothing_passes_for_a_label() {
        let text = PhoneText::from("ab\u{e9}").then_label(DisplayLabel::Busy);
        let utf8 = |most| text.render(Encoding::Utf8, LabelSupport::Set200, most);
        assert_eq!(utf8(3), b"ab");
        assert_eq!(utf8(5), b"ab\xc3\xa9");
        assert_eq!(utf8(6), b"ab\xc3\xa9\x80\x19");
        let fake = PhoneText::from("x\u{80}\u{1e}\u{5}y");
        assert_eq!(fake.render(Encoding::Latin1, LabelSupport::All, 99), b"xy");
        assert_eq!(PhoneText::from("\u{20ac}").render(Encoding::Latin1, LabelSupport::All, 99), b"?");
    }

    #[test]
    fn plain_text_is_rendered_the_same_the_short_way() {
        for text in ["", "User 17", "~ ", "tab\there", "\u{7f}", "caf\u{e9}", "\u{80}\u{1e}x", "\u{20ac}5"] {
            for (encoding, most) in [Encoding::Latin1, Encoding::Utf8].into_iter().zip(0..9).chain([
                (Encoding::Latin1, 2),
                (Encoding::Utf8, 4),
                (Encoding::Utf8, 99),
                (Encoding::Latin1, 99),
            ]) {
                let long = PhoneText::from(text).render(encoding, LabelSupport::All, most);
                assert_eq!(*plain_bytes(text, encoding, most), long, "{text:?} {most}");
            }
        }
    }

    #[test]
    fn a_cut_or_empty_label_at_the_end_shows_nothing() {
        assert!(PhoneText::parse(b"\x80", Encoding::Latin1).is_empty());
        assert!(PhoneText::parse(b"\x80\0\x01\0\0\0d", Encoding::Latin1).is_empty());
        assert_eq!(PhoneText::parse(b"\x80\x64", Encoding::Latin1).to_plain(), "\u{fffd}");
    }

    #[test]
    fn every_label_is_found_by_its_code() {
        for label in DisplayLabel::ALL {
            let (set, code) = label.code();
            assert_eq!(DisplayLabel::from_code(set, code), Some(*label));
        }
    }
}
