//! Decoded messages together with all that is needed to make the same bytes again.

use alloc::{vec, vec::Vec};

use super::{Direction, message_info};
use crate::{
    Context, RawFrame, ShortBytes,
    codec::{
        Field, FieldError, Kind, Layout, LayoutRule, Mode, Problem, Reader, Value, Visitor, Walk, Wire,
        Writer,
    },
    frame,
};

/// A message as it was received.
///
/// Nothing is lost: [`Received::encode`] gives the same bytes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received<M> {
    /// The message.
    pub message: M,
    /// The word after the length.
    pub header_version: u32,
    /// Bytes of the body that the message's fields took; fields beyond have their absent value.
    pub fields_end: usize,
    /// What followed the last known field: padding, or fields that nobody has documented.
    pub tail: ShortBytes,
    /// What is wrong; always empty after strict decoding.
    pub anomalies: Vec<Anomaly>,
    /// What the session knew when the message came.
    pub context: Context,
}

impl<M: MessageSet> Received<M> {
    /// Appends the frame as it was received.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = frame::begin(out, self.header_version, self.message.id());
        self.message.encode_body(&mut Writer::new(out, self.layout()));
        out.truncate(frame::body_start(start) + self.fields_end);
        out.extend_from_slice(&self.tail);
        frame::finish(out, start);
    }

    /// Shows every field that was there, by name and with its offset.
    pub fn visit(&self, visitor: &mut dyn Visitor) {
        self.message.visit_fields(&mut Walk::new(visitor, self.layout(), self.fields_end));
    }

    /// The value of the length field: id and body.
    pub fn length(&self) -> usize {
        self.fields_end + self.tail.len() + size_of::<u32>()
    }

    /// The widths that held for this message.
    pub fn layout(&self) -> Layout {
        Layout::received(self.message.rule(), self.context.effective(self.header_version), self.length())
    }
}

impl<M: From<Opaque>> Received<M> {
    /// The message kept whole, because of `anomaly`.
    pub(super) fn opaque(frame: RawFrame<'_>, context: Context, anomaly: Anomaly) -> Self {
        Self {
            message: Opaque { id: frame.id, body: frame.body.to_vec() }.into(),
            header_version: frame.header_version,
            fields_end: frame.body.len(),
            tail: ShortBytes::default(),
            anomalies: vec![anomaly],
            context,
        }
    }
}

/// A message that is kept whole: its layout is not known here, or the id is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    /// The message id.
    pub id: u32,
    /// The body.
    pub body: Vec<u8>,
}

impl Opaque {
    /// The message's name; `"Unknown"` for an id that nobody has documented.
    pub fn name(&self) -> &'static str {
        message_info(self.id).map_or("Unknown", |info| info.name)
    }

    pub(super) fn visit_fields(&self, walk: &mut Walk<'_>) {
        static BODY: Field = Field {
            name: "body",
            kind: Kind::Bytes(0),
            since: 0,
            until: u8::MAX,
            by: None,
            doc: "The whole body.",
        };
        walk.value(&BODY, self.body.len(), Value::Bytes(&self.body));
    }
}

/// A struct that is a message of its own.
pub trait Message: Wire {
    /// The id on the wire.
    const ID: u32;
    /// The name in this project.
    const NAME: &'static str;
}

/// All messages of one direction: [`crate::StationMessage`] and [`crate::ManagerMessage`].
pub trait MessageSet: Sized + From<Opaque> + Sealed {
    /// Decodes a frame.
    ///
    /// # Errors
    /// In strict mode as the enum's `decode`; in lenient mode only for the wrong direction.
    fn read(frame: RawFrame<'_>, context: Context, mode: Mode) -> Result<Received<Self>, DecodeError>;

    /// The id on the wire.
    fn id(&self) -> u32;

    /// How the layout follows from version and length.
    fn rule(&self) -> LayoutRule;

    /// Appends all fields, without header and padding.
    fn encode_body(&self, w: &mut Writer<'_>);

    /// Shows every field.
    fn visit_fields(&self, walk: &mut Walk<'_>);
}

/// Keeps [`MessageSet`] ours.
pub trait Sealed {}

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({id:#06x}), {field} at offset {offset}: {problem}")]
pub struct DecodeError {
    /// Its name.
    pub message: &'static str,
    /// Its id.
    pub id: u32,
    /// The innermost field; `"length"` or `"id"` for the header's.
    pub field: &'static str,
    /// Where the field begins, in bytes from the start of the body.
    pub offset: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// Something wrong with a message that was decoded anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} at offset {offset}: {problem}")]
pub struct Anomaly {
    /// The innermost field; `"length"` or `"id"` for the header's.
    pub field: &'static str,
    /// Where the field begins, in bytes from the start of the body.
    pub offset: usize,
    /// What is wrong.
    pub problem: Problem,
}

impl From<FieldError> for Anomaly {
    fn from(FieldError { field, offset, problem }: FieldError) -> Self {
        Self { field, offset, problem }
    }
}

impl From<DecodeError> for Anomaly {
    fn from(DecodeError { field, offset, problem, .. }: DecodeError) -> Self {
        Self { field, offset, problem }
    }
}

/// Decodes a message whose layout is known.
#[inline]
pub(super) fn read<T: Wire, M>(
    frame: RawFrame<'_>,
    context: Context,
    mode: Mode,
    least: u32,
    message: &'static str,
    wrap: impl FnOnce(T) -> M,
) -> Result<Received<M>, DecodeError> {
    let length = frame.length();
    let layout = Layout::received(T::RULE, context.effective(frame.header_version), length);
    let mut reader = Reader::new(frame.body, layout, mode);
    let named =
        |FieldError { field, offset, problem }| DecodeError { message, id: frame.id, field, offset, problem };
    if u32::try_from(length).is_ok_and(|length| length < least) {
        let problem = Problem::TooShort { length, least };
        reader.complain(FieldError { field: "length", offset: 0, problem }).map_err(named)?;
    }
    let decoded = T::decode(&mut reader).map_err(named)?;
    let (tail, anomalies) = reader.finish();
    Ok(Received {
        message: wrap(decoded),
        header_version: frame.header_version,
        fields_end: frame.body.len() - tail.len(),
        tail: tail.into(),
        anomalies,
        context,
    })
}

/// Keeps a message whole, unless the table says that only the other side sends it.
pub(super) fn unmodelled<M>(
    frame: RawFrame<'_>,
    context: Context,
    refused: Direction,
    wrap: impl FnOnce(Opaque) -> M,
) -> Result<Received<M>, DecodeError> {
    if let Some(info) = message_info(frame.id).filter(|info| info.direction == refused) {
        let problem = Problem::WrongDirection;
        return Err(DecodeError { message: info.name, id: frame.id, field: "id", offset: 0, problem });
    }
    Ok(Received {
        message: wrap(Opaque { id: frame.id, body: frame.body.to_vec() }),
        header_version: frame.header_version,
        fields_end: frame.body.len(),
        tail: ShortBytes::default(),
        anomalies: Vec::new(),
        context,
    })
}
