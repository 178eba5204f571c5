//! What must hold of any bytes that reach selsius-wire. A broken promise is a panic.

use selsius_wire::{
    Context, Cut, DEFAULT_LIMIT, Framer, MessageSet, RawFrame, Received,
    codec::{At, Layout, Mode, Value, Visitor, Writer},
    cut,
};

/// The first byte says in what pieces the rest arrives: however it is cut, the same frames come out, and what
/// is kept is bounded.
pub fn framer(data: &[u8]) {
    let Some((step, bytes)) = data.split_first() else { return };
    let mut whole = Vec::new();
    let mut rest = bytes;
    let end = loop {
        match cut(rest, DEFAULT_LIMIT) {
            Ok(Cut::Frame { frame, consumed }) => {
                assert_eq!(frame.length() + 8, consumed);
                whole.push((frame.header_version, frame.id, frame.body.to_vec()));
                rest = rest.get(consumed..).expect("a frame lies within the bytes");
            }
            Ok(Cut::Need(more)) => {
                assert!(more > 0);
                break Ok(());
            }
            Err(error) => break Err(error),
        }
    };

    let mut framer = Framer::new();
    let mut pieces = Vec::new();
    let mut outcome = Ok(());
    'all: for piece in bytes.chunks(usize::from(*step) + 1) {
        framer.feed(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => pieces.push((frame.header_version, frame.id, frame.body.to_vec())),
                Ok(None) => break,
                Err(error) => {
                    outcome = Err(error);
                    break 'all;
                }
            }
        }
        assert!(framer.pending() < 8 + usize::try_from(DEFAULT_LIMIT).expect("a small number"));
    }
    assert_eq!(pieces, whole);
    assert_eq!(outcome, end);
}

/// Two bytes of context, then a body: lenient decoding keeps every byte, strict decoding agrees or says why,
/// and every field that is shown lies within the body.
pub fn decoder<M: MessageSet + PartialEq + core::fmt::Debug>(data: &[u8]) {
    let Some((frame, context)) = input(data) else { return };
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    let Ok(lenient) = M::read(frame, context, Mode::Lenient) else {
        // Only the other side sends it.
        return;
    };
    let mut again = Vec::new();
    lenient.encode(&mut again);
    assert_eq!(again, bytes);
    let mut bounds = Bounds { end: lenient.fields_end, depth: 0 };
    lenient.visit(&mut bounds);
    assert_eq!(bounds.depth, 0);
    match M::read(frame, context, Mode::Strict) {
        Ok(strict) => assert_eq!(strict, lenient),
        Err(_) => assert!(!lenient.anomalies.is_empty()),
    }
}

/// A message that was taken strictly says the same when it is sent anew: decode(encode(message)) == message.
pub fn differential<M: MessageSet + PartialEq + core::fmt::Debug>(data: &[u8]) {
    let Some((frame, context)) = input(data) else { return };
    let Ok(received) = M::read(frame, context, Mode::Strict) else { return };
    let mut body = Vec::new();
    received.message.encode_body(&mut Writer::new(&mut body, received.layout()));
    body.truncate(received.fields_end);
    body.extend_from_slice(&received.tail);
    let anew = RawFrame { body: &body, ..frame };
    assert_eq!(anew, frame);
    let again: Received<M> = M::read(anew, context, Mode::Strict).expect("what was taken is taken again");
    assert_eq!(again, received);
    assert_eq!(
        again.layout(),
        Layout::received(again.message.rule(), context.effective(frame.header_version), frame.length())
    );
}

/// Version of the session, header version, the id in two bytes, and the body.
fn input(data: &[u8]) -> Option<(RawFrame<'_>, Context)> {
    let [version, header, low, high, body @ ..] = data else { return None };
    // 0x8000 and above are three messages of their own.
    let id = u32::from(u16::from_le_bytes([*low, *high & 0x81]));
    Some((RawFrame { header_version: u32::from(*header), id, body }, Context::new(*version)))
}

/// Every field that is shown begins within the fields.
struct Bounds {
    end: usize,
    depth: i32,
}

impl Visitor for Bounds {
    fn value(&mut self, at: At, value: Value<'_>) {
        assert!(at.offset < self.end, "{} at {}", at.field.name, at.offset);
        assert!(!value.to_string().contains('\n'));
    }

    fn enter(&mut self, _: At) {
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}
