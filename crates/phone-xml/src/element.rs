//! Writing elements: escaping, encoding, and the plain form that old parsers take.

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;

/// How characters become bytes, and what the XML declaration says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// No declaration, as CallManager 4.1 wrote it; everything beyond ASCII is a reference. Any parser reads it.
    Ascii,
    /// ISO 8859-1, which phones of old understand in screens.
    Latin1,
    /// UTF-8.
    Utf8,
}

impl Encoding {
    fn has(self, c: char) -> bool {
        match self {
            Self::Ascii => c.is_ascii(),
            Self::Latin1 => u8::try_from(u32::from(c)).is_ok(),
            Self::Utf8 => true,
        }
    }

    fn declared(self) -> Option<&'static str> {
        match self {
            Self::Ascii => None,
            Self::Latin1 => Some("ISO-8859-1"),
            Self::Utf8 => Some("UTF-8"),
        }
    }

    /// `text` has been written for this encoding, so that each character has its byte.
    fn bytes(self, text: String) -> Vec<u8> {
        match self {
            Self::Ascii | Self::Utf8 => text.into_bytes(),
            Self::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        }
    }

    /// The text with markup escaped, what the encoding lacks as references, what XML lacks left out.
    fn escape(self, text: &str) -> String {
        let possible: String = text.chars().filter(|&c| is_xml(c)).collect();
        let mut escaped = String::with_capacity(possible.len());
        for c in escape(possible.as_str()).chars() {
            if self.has(c) {
                escaped.push(c);
            } else {
                escaped.push_str(&format!("&#{};", u32::from(c)));
            }
        }
        escaped
    }
}

/// The characters of XML 1.0 (production 2), less those of C1 that displays take for commands.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7E}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

/// A document on its way out: one element per line, lines end in CR LF, empty elements have both tags, since
/// that is all that CallManager 4.1 ever sent to a parser of its time.
pub(crate) struct Document {
    writer: Writer<Vec<u8>>,
    encoding: Encoding,
}

const IN_MEMORY: &str = "writing to memory does not fail";

impl Document {
    pub(crate) fn new(encoding: Encoding) -> Self {
        let mut document = Self { writer: Writer::new(Vec::new()), encoding };
        if let Some(name) = encoding.declared() {
            document.event(Event::Decl(BytesDecl::new("1.0", Some(name), None)));
            document.line_end();
        }
        document
    }

    /// An element with others in it.
    pub(crate) fn parent(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        children: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes);
        self.line_end();
        children(self);
        self.end(name);
    }

    /// An element with a text in it, perhaps an empty one.
    pub(crate) fn leaf(&mut self, name: &str, text: impl AsRef<str>) {
        self.leaf_with(name, &[], text);
    }

    pub(crate) fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: impl AsRef<str>) {
        self.start(name, attributes);
        let text = self.encoding.escape(text.as_ref());
        self.event(Event::Text(BytesText::from_escaped(text)));
        self.end(name);
    }

    pub(crate) fn number(&mut self, name: &str, number: impl Into<u64>) {
        self.leaf(name, number.into().to_string());
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let text = String::from_utf8(self.writer.into_inner()).expect("only strings were written");
        self.encoding.bytes(text)
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let mut start = BytesStart::new(name);
        for (key, value) in attributes {
            let value = self.encoding.escape(value);
            // Built by hand, since `From` would escape the value again.
            start.push_attribute(Attribute { key: QName(key), value: value.into() });
        }
        self.event(Event::Start(start));
    }

    fn end(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
        self.line_end();
    }

    fn line_end(&mut self) {
        self.event(Event::Text(BytesText::from_escaped("\r\n")));
    }

    fn event(&mut self, event: Event<'_>) {
        self.writer.write_event(event).expect(IN_MEMORY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(encoding: Encoding, text: &str) -> Vec<u8> {
        let mut document = Document::new(encoding);
        document.leaf("a", text);
        document.finish()
    }

    #[test]
    fn each_encoding_writes_what_it_has_and_refers_to_the_rest() {
        assert_eq!(leaf(Encoding::Ascii, "Ä€"), b"<a>&#196;&#8364;</a>\r\n");
        let latin = leaf(Encoding::Latin1, "Ä€");
        assert_eq!(latin, b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\r\n<a>\xC4&#8364;</a>\r\n");
        let utf8 = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<a>Ä€</a>\r\n";
        assert_eq!(leaf(Encoding::Utf8, "Ä€"), utf8.as_bytes());
    }

    #[test]
    fn markup_is_escaped_and_control_characters_vanish() {
        assert_eq!(
            leaf(Encoding::Ascii, "<\"Smith\" & 'Sons'>"),
            b"<a>&lt;&quot;Smith&quot; &amp; &apos;Sons&apos;&gt;</a>\r\n"
        );
        assert_eq!(leaf(Encoding::Ascii, "a\0b\u{1b}[2Jc\u{80}\u{FFFF}d"), b"<a>ab[2Jcd</a>\r\n");
        assert_eq!(leaf(Encoding::Ascii, "]]>"), b"<a>]]&gt;</a>\r\n");
        assert_eq!(leaf(Encoding::Ascii, ""), b"<a></a>\r\n");
    }

    #[test]
    fn attributes_are_escaped_once() {
        let mut document = Document::new(Encoding::Ascii);
        document.leaf_with("a", &[("b", "x & \"ü\"")], "");
        assert_eq!(document.finish(), b"<a b=\"x &amp; &quot;&#252;&quot;\"></a>\r\n");
    }
}
