//! A whole number at once.

use crate::{
    codec::{Field, FieldError, Kind, LayoutRule, Reader, Walk, Wire, Writer},
    value::{Bytes, Number},
};

/// 0x0004. A whole number was dialled.
///
/// Lengths 28 (only the number), 32, and from v19 on 36 in two forms: the line follows the 25-byte number at
/// once (7970), or at offset 28 (8945). Only the content tells them apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EnblocCall {
    /// The number.
    pub called_party: Number,
    /// The line; 0 when the phone does not say.
    pub line_instance: u32,
    /// Where the line stands.
    pub form: EnblocForm,
}

/// Where the line number of an EnblocCall with a 25-byte number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnblocForm {
    /// At offset 28, after three bytes that are kept as they were.
    Aligned(Bytes<3>),
    /// At offset 25.
    Packed,
}

impl Default for EnblocForm {
    fn default() -> Self {
        Self::Aligned(Bytes::default())
    }
}

static FIELDS: [Field; 3] = [
    Field {
        name: "called_party",
        kind: Kind::Number,
        since: 0,
        until: u8::MAX,
        by: None,
        doc: "The number.",
    },
    Field { name: "padding", kind: Kind::Bytes(3), since: 19, until: u8::MAX, by: None, doc: "Unused." },
    Field { name: "line_instance", kind: Kind::U32, since: 0, until: u8::MAX, by: None, doc: "The line." },
];

impl Wire for EnblocCall {
    const KIND: Kind = Kind::Struct(&FIELDS);
    const DOC: &'static str = "A whole number was dialled. Lengths 28 (only the number), 32, and from v19 on 36 \
        in two forms: the line follows the 25-byte number at once (7970), or at offset 28 (8945). Only the content \
        tells them apart.";
    const RULE: LayoutRule = LayoutRule { wide_numbers_from: Some(36), ..LayoutRule::BY_VERSION };

    fn absent() -> Self {
        Self::default()
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        let called_party = r.field("called_party")?;
        if !r.layout().wide_numbers {
            return Ok(Self { called_party, line_instance: r.field("line_instance")?, ..Self::default() });
        }
        // Offset 28 if it is not 0, else 25 (wire-facts, Layout generations).
        let form = match r.peek() {
            [_, _, _, 0, 0, 0, 0, ..] => EnblocForm::Packed,
            _ => EnblocForm::Aligned(r.field("padding")?),
        };
        Ok(Self { called_party, line_instance: r.field("line_instance")?, form })
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.called_party.encode(w);
        if let (true, EnblocForm::Aligned(padding)) = (w.layout().wide_numbers, self.form) {
            padding.encode(w);
        }
        self.line_instance.encode(w);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        if walk.enter(field) {
            self.visit_fields(walk);
            walk.leave();
        }
    }

    fn visit_fields(&self, walk: &mut Walk<'_>) {
        let [called_party, padding, line_instance] = &FIELDS;
        self.called_party.visit(walk, called_party);
        if let (true, EnblocForm::Aligned(bytes)) = (walk.layout().wide_numbers, self.form) {
            bytes.visit(walk, padding);
        }
        self.line_instance.visit(walk, line_instance);
    }
}
