//! `docs/messages.md`: the message reference, written from the field descriptors of selsius-wire.

use std::{
    fmt::{self, Write as _},
    fs,
};

use anyhow::{Context as _, Result, bail};
use selsius_wire::{
    Category, Direction, Kind, MESSAGES, MessageInfo,
    codec::{self, Field, Member},
    message_info,
};

use crate::step::top;

/// From the top of the workspace.
const PATH: &str = "docs/messages.md";

/// What happens to the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is written.
    Write,
    /// It is read, and has to be what would be written.
    Check,
}

/// Writes the reference, or fails when it is stale.
pub(crate) fn run(mode: Mode) -> Result<()> {
    let path = top().join(PATH);
    let text = reference()?;
    if mode == Mode::Write {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{PATH}: {} messages", MESSAGES.len());
        return Ok(());
    }
    let is = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if is != text {
        let line = is.lines().zip(text.lines()).take_while(|(is, should)| is == should).count() + 1;
        bail!("{PATH} is stale from line {line} on: run `cargo xtask messages`");
    }
    println!("{PATH} is up to date");
    Ok(())
}

const HEAD: &str = "# Messages

Written by `cargo xtask messages` from the field descriptors of `selsius-wire`; edit the structs in
`crates/wire/src/message` instead.

A frame is `u32 length | u32 header version | u32 id | body`, little-endian; the length counts id and body.
Fields follow each other without gaps. Presence follows the length: a field beyond the end of the body is
absent. Names that the field's message list uses are in brackets where they differ from ours.

| type | on the wire |
|---|---|
| `u8` `u16` `u32` `i32` | little-endian |
| `Name: u32` | an enumeration; values without a name are kept |
| `text(n)` | text in n bytes; what follows the NUL is kept and means nothing |
| `text(..n)` | text that ends with a NUL, of at most n bytes with it |
| `number` | a directory number: 24 bytes, 25 from version 19 on |
| `address` | 4 bytes in network order; from version 17 on a tag and 16 bytes |
| `ipv4` `ipv6` | 4 or 16 bytes in network order |
| `bytes(n)` | n bytes without a structure |
| `[..; n]` | n slots, of which the named field counts those in use |
| `[..; ..n]` | as many elements as the named field says, at most n |
| `one of` | a form that the named field chooses; all forms have the same size |
";

fn reference() -> Result<String, fmt::Error> {
    let mut out = String::from(HEAD);
    out.push_str("\n| id | message | from | kind | answers | least length |\n|---|---|---|---|---|---|\n");
    for info in &MESSAGES {
        let answers = info.answers.and_then(message_info).map_or("", |asked| asked.name);
        writeln!(
            out,
            "| {:#06x} | [{}](#{}) | {} | {} | {answers} | {} |",
            info.id,
            info.name,
            anchor(info),
            sender(info.direction),
            kind(info.kind),
            info.min_length
        )?;
    }
    for info in &MESSAGES {
        message(&mut out, info)?;
    }
    Ok(out)
}

fn message(out: &mut String, info: &MessageInfo) -> fmt::Result {
    writeln!(out, "\n## {:#06x} {}\n", info.id, info.name)?;
    let standard = info.standard_name.trim_end_matches("Message");
    let also = if standard == info.name { String::new() } else { format!(" ({standard})") };
    write!(
        out,
        "{} from {}{also}, {}",
        capital(kind(info.kind)),
        sender(info.direction),
        category(info.category)
    )?;
    match info.answers.and_then(message_info) {
        Some(asked) => writeln!(out, "; answers [{}](#{}).", asked.name, anchor(asked))?,
        None => writeln!(out, ".")?,
    }
    if !info.modelled {
        return writeln!(out, "\nThe layout is not known; the body is kept whole.");
    }
    if !info.doc.is_empty() {
        writeln!(out, "\n{}", links_as_code(without_id(info)))?;
    }
    if info.fields.is_empty() {
        return writeln!(out, "\nNo body.");
    }
    out.push_str("\n| field | type | versions | |\n|---|---|---|---|\n");
    fields(out, info.fields, 0)
}

/// One row per field; the fields of a part follow it, indented.
fn fields(out: &mut String, of: &[Field], depth: usize) -> fmt::Result {
    for field in of {
        let indent = "· ".repeat(depth);
        let by = field.by.map_or(String::new(), |by| format!(" by `{by}`"));
        let doc = links_as_code(field.doc);
        writeln!(out, "| {indent}{} | {}{by} | {} | {doc} |", field.name, Type(field.kind), versions(field))?;
        parts(out, field.kind, depth + 1)?;
    }
    Ok(())
}

fn parts(out: &mut String, kind: codec::Kind, depth: usize) -> fmt::Result {
    match kind {
        codec::Kind::Struct(of) => fields(out, of, depth),
        codec::Kind::Array { of, .. } | codec::Kind::List { of, .. } => parts(out, *of, depth),
        codec::Kind::Union { members, .. } => members.iter().try_for_each(|each| member(out, each, depth)),
        _ => Ok(()),
    }
}

fn member(out: &mut String, member: &Member, depth: usize) -> fmt::Result {
    let when = if member.when == "_" { "else".to_owned() } else { member.when.replace('|', "or") };
    let doc = links_as_code(member.doc.trim());
    writeln!(out, "| {}*{}* | {when} | | {doc} |", "· ".repeat(depth), member.name)?;
    // Their own names say nothing: `spare` fills the room, and a part is the member itself.
    for part in member.parts.iter().filter(|part| part.name != "spare") {
        match part.kind {
            codec::Kind::Struct(of) => fields(out, of, depth + 1)?,
            _ => fields(out, core::slice::from_ref(part), depth + 1)?,
        }
    }
    Ok(())
}

/// What is on the wire, in a few characters.
struct Type(codec::Kind);

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use codec::Kind as K;
        match self.0 {
            K::U8 => f.write_str("u8"),
            K::U16 => f.write_str("u16"),
            K::U32 => f.write_str("u32"),
            K::I32 => f.write_str("i32"),
            K::Enum { name, width } => write!(f, "{name}: u{}", 8 * width),
            K::Text(area) => write!(f, "text({area})"),
            K::Number => f.write_str("number"),
            K::DynText(most) => write!(f, "text(..{most})"),
            K::MediaAddress => f.write_str("address"),
            K::Ipv4 => f.write_str("ipv4"),
            K::Ipv6 => f.write_str("ipv6"),
            K::Bytes(count) => write!(f, "bytes({count})"),
            K::Union { .. } => f.write_str("one of"),
            K::Struct(_) => f.write_str("part"),
            K::Array { of, len } => write!(f, "[{}; {len}]", Self(*of)),
            K::List { of, max } => write!(f, "[{}; ..{max}]", Self(*of)),
        }
    }
}

fn versions(field: &Field) -> String {
    match (field.since, field.until) {
        (0, u8::MAX) => String::new(),
        (since, u8::MAX) => format!("{since}+"),
        (0, until) => format!("to {until}"),
        (since, until) => format!("{since} to {until}"),
    }
}

/// Where the reader jumps to: the heading as Markdown renderers name it.
fn anchor(info: &MessageInfo) -> String {
    format!("{:#06x}-{}", info.id, info.name.to_lowercase())
}

fn sender(direction: Direction) -> &'static str {
    match direction {
        Direction::StationToManager => "station",
        Direction::ManagerToStation => "manager",
        Direction::Both => "either side",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "request",
        Kind::Response => "response",
        Kind::Event => "event",
    }
}

fn category(category: Category) -> &'static str {
    match category {
        Category::Registration => "registration and management",
        Category::CallControl => "call control",
        Category::MediaControl => "media control",
        Category::Conference => "conferences",
        Category::BetweenManagers => "managers and their service nodes",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The documentation without the id that it begins with: `0x0022. Where ..`, `0x0094, DefineTimeDate: ..`.
fn without_id(info: &MessageInfo) -> &'static str {
    let id = info.doc.split(['.', ',']).next().unwrap_or_default();
    let is_id = id.eq_ignore_ascii_case(&format!("{:#06x}", info.id));
    let rest = info.doc.get(id.len() + 1..).filter(|rest| is_id && !rest.is_empty());
    rest.unwrap_or(info.doc).trim_start()
}

/// Links of Rust's documentation lead nowhere here: `[`Name`](path)` becomes `` `Name` ``.
fn links_as_code(doc: &str) -> String {
    let mut out = String::new();
    let mut rest = doc;
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((name, after)) = after.split_once("`]") else { break };
        let name = name.rsplit("::").next().unwrap_or(name);
        out.push_str(before);
        out.push_str(&format!("`{name}`"));
        rest = match after.strip_prefix('(').and_then(|target| target.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    out.push_str(rest);
    out.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_names() {
        let doc = "For [`Codec::G7231`](crate::Codec::G7231), see [`Other`] | [`open";
        assert_eq!(links_as_code(doc), "For `G7231`, see `Other` \\| [`open");
    }

    #[test]
    fn every_message_has_a_heading_and_its_fields() {
        let text = reference().expect("writing to a string");
        assert_eq!(text.matches("\n## 0x").count(), MESSAGES.len());
        assert!(text.contains("\n| source_ip_addr | address | 11+ | Where the media will come from. |\n"));
        assert!(text.contains("\n| xmldata | [u8; ..2000] by `data_length` |  | XML, or"));
        assert_eq!(text.matches("The layout is not known").count(), 2);
    }
}
