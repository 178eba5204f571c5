//! Packets as bytes.

use alloc::{string::String, vec::Vec};
use core::fmt::Write;

use thiserror::Error;

use super::{DEFAULT_BLOCK, MAX_BLOCK, MIN_BLOCK};

/// Options read of one packet; the protocol knows three.
const MAX_OPTIONS: usize = 16;
/// Characters shown of a remote's error text.
const MAX_MESSAGE: usize = 200;

/// A packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// RRQ, 1: somebody wants to read.
    Read(Request<'a>),
    /// WRQ, 2: somebody wants to write.
    Write,
    /// DATA, 3: a block; one shorter than agreed is the last.
    Data {
        /// Number of the block, modulo 65,536, from 1.
        block: u16,
        /// What is in it.
        data: &'a [u8],
    },
    /// ACK, 4.
    Ack {
        /// The block that arrived; 0 acknowledges the options.
        block: u16,
    },
    /// ERROR, 5: ends the transfer.
    Error {
        /// Why.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
    /// OACK, 6: the options that the server takes.
    OptionAck(TransferOptions),
}

/// What a read request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// Name of the file, as sent.
    pub name: &'a [u8],
    /// How its bytes travel.
    pub mode: Mode,
    /// What the client asks for beside that.
    pub options: TransferOptions,
}

/// How bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As they are.
    Octet,
    /// As text: line ends become CR LF, a single CR becomes CR NUL.
    Netascii,
}

/// The options of a request or of its acknowledgement; `None` is "not there". Unknown ones are not kept, as a
/// server has to ignore them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransferOptions {
    /// Length of a block, 8 to 65,464 bytes; a longer one is taken as the longest, a shorter one as not there.
    pub block_size: Option<u16>,
    /// Seconds until the sender repeats, 1 to 255.
    pub timeout: Option<u8>,
    /// Size of the file; 0 in a request asks for it.
    pub size: Option<u64>,
}

/// Why a transfer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// 0, see the message.
    Other,
    /// 1.
    NotFound,
    /// 2.
    AccessViolation,
    /// 3.
    DiskFull,
    /// 4.
    IllegalOperation,
    /// 5: the packet came from a port that is not part of the transfer.
    UnknownTransfer,
    /// 6.
    Exists,
    /// 7.
    NoUser,
    /// 8: the options are not acceptable.
    Options,
    /// Any other number.
    Unknown(u16),
}

/// Not a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It ends before its parts do.
    #[error("packet of {0} bytes is too short")]
    Short(usize),
    /// An operation code that does not exist.
    #[error("operation {0} does not exist")]
    Operation(u16),
    /// A mode other than octet and netascii ("mail" is obsolete).
    #[error("unknown transfer mode")]
    Mode,
}

impl<'a> Packet<'a> {
    /// Reads a packet.
    ///
    /// # Errors
    /// For what is none; options that are none are left out instead, as is all behind them.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let short = Malformed::Short(bytes.len());
        let Some((&[high, low], rest)) = bytes.split_first_chunk() else {
            return Err(short);
        };
        let number = || rest.first_chunk().map(|&bytes| u16::from_be_bytes(bytes)).ok_or(short);
        match u16::from_be_bytes([high, low]) {
            1 => {
                let (name, rest) = text(rest).ok_or(short)?;
                let (mode, rest) = text(rest).ok_or(short)?;
                let mode = Mode::parse(mode).ok_or(Malformed::Mode)?;
                Ok(Self::Read(Request { name, mode, options: TransferOptions::parse(rest) }))
            }
            2 => Ok(Self::Write),
            3 => Ok(Self::Data { block: number()?, data: rest.get(2..).unwrap_or_default() }),
            4 => Ok(Self::Ack { block: number()? }),
            5 => {
                let message = rest.get(2..).unwrap_or_default();
                let visible = message.iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte));
                let message = visible.filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
                Ok(Self::Error { code: ErrorCode::from_number(number()?), message })
            }
            6 => Ok(Self::OptionAck(TransferOptions::parse(rest))),
            operation => Err(Malformed::Operation(operation)),
        }
    }

    /// The packet as bytes. A write request is one that this house never sends; it comes out empty of names.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Read(Request { name, mode, options }) => {
                out.extend([0, 1]);
                for text in [*name, mode.name().as_bytes()] {
                    out.extend(text);
                    out.push(0);
                }
                options.write(&mut out);
            }
            Self::Write => out.extend([0, 2, 0, 0]),
            Self::Data { block, data } => {
                out.reserve_exact(4 + data.len());
                out.extend([0, 3]);
                out.extend(block.to_be_bytes());
                out.extend(*data);
            }
            Self::Ack { block } => {
                out.extend([0, 4]);
                out.extend(block.to_be_bytes());
            }
            Self::Error { code, message } => {
                out.extend([0, 5]);
                out.extend(code.number().to_be_bytes());
                out.extend(message.bytes().filter(|&byte| byte != 0));
                out.push(0);
            }
            Self::OptionAck(options) => {
                out.extend([0, 6]);
                options.write(&mut out);
            }
        }
        out
    }

    /// An error packet with the text that goes with its code.
    pub(super) fn error(code: ErrorCode) -> Self {
        Self::Error { code, message: code.text().into() }
    }
}

impl Mode {
    fn parse(mode: &[u8]) -> Option<Self> {
        [Self::Octet, Self::Netascii]
            .into_iter()
            .find(|known| mode.eq_ignore_ascii_case(known.name().as_bytes()))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Octet => "octet",
            Self::Netascii => "netascii",
        }
    }

    /// What travels for a file.
    pub(super) fn encode(self, file: &[u8]) -> Option<Vec<u8>> {
        if self == Self::Octet {
            return None;
        }
        let mut out = Vec::with_capacity(file.len() + file.len() / 16);
        for &byte in file {
            match byte {
                b'\n' => out.extend(b"\r\n"),
                b'\r' => out.extend(b"\r\0"),
                _ => out.push(byte),
            }
        }
        Some(out)
    }
}

impl TransferOptions {
    /// Are there any?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The length of a block that they agree on.
    pub fn block(&self) -> u16 {
        self.block_size.unwrap_or(DEFAULT_BLOCK)
    }

    fn parse(mut bytes: &[u8]) -> Self {
        let mut options = Self::default();
        for _ in 0..MAX_OPTIONS {
            let Some((name, rest)) = text(bytes) else { break };
            let Some((value, rest)) = text(rest) else { break };
            bytes = rest;
            let Some(value) = decimal(value) else { continue };
            // The first of two equal options counts.
            if name.eq_ignore_ascii_case(b"blksize") && value >= MIN_BLOCK.into() {
                let size = u16::try_from(value).unwrap_or(MAX_BLOCK).min(MAX_BLOCK);
                options.block_size = options.block_size.or(Some(size));
            } else if name.eq_ignore_ascii_case(b"timeout") && value > 0 {
                options.timeout = options.timeout.or(u8::try_from(value).ok());
            } else if name.eq_ignore_ascii_case(b"tsize") {
                options.size = options.size.or(Some(value));
            }
        }
        options
    }

    fn write(&self, out: &mut Vec<u8>) {
        let options = [
            ("blksize", self.block_size.map(u64::from)),
            ("timeout", self.timeout.map(u64::from)),
            ("tsize", self.size),
        ];
        let mut text = String::new();
        for (name, value) in options {
            if let Some(value) = value {
                write!(text, "{name}\0{value}\0").expect("a String takes any text");
            }
        }
        out.extend(text.into_bytes());
    }
}

impl ErrorCode {
    /// The code's number.
    pub fn number(self) -> u16 {
        match self {
            Self::Other => 0,
            Self::NotFound => 1,
            Self::AccessViolation => 2,
            Self::DiskFull => 3,
            Self::IllegalOperation => 4,
            Self::UnknownTransfer => 5,
            Self::Exists => 6,
            Self::NoUser => 7,
            Self::Options => 8,
            Self::Unknown(number) => number,
        }
    }

    fn from_number(number: u16) -> Self {
        let known = [
            Self::Other,
            Self::NotFound,
            Self::AccessViolation,
            Self::DiskFull,
            Self::IllegalOperation,
            Self::UnknownTransfer,
            Self::Exists,
            Self::NoUser,
            Self::Options,
        ];
        known.into_iter().find(|code| code.number() == number).unwrap_or(Self::Unknown(number))
    }

    /// The text of RFC 1350.
    const fn text(self) -> &'static str {
        match self {
            Self::Other | Self::Unknown(_) => "error",
            Self::NotFound => "File not found",
            Self::AccessViolation => "Access violation",
            Self::DiskFull => "Disk full or allocation exceeded",
            Self::IllegalOperation => "Illegal TFTP operation",
            Self::UnknownTransfer => "Unknown transfer ID",
            Self::Exists => "File already exists",
            Self::NoUser => "No such user",
            Self::Options => "Options not acceptable",
        }
    }
}

/// A text up to its NUL, and what is behind it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn decimal(text: &[u8]) -> Option<u64> {
    core::str::from_utf8(text).ok().filter(|text| text.bytes().all(|c| c.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(block_size: Option<u16>, timeout: Option<u8>, size: Option<u64>) -> TransferOptions {
        TransferOptions { block_size, timeout, size }
    }

    #[test]
    fn packets_are_these_bytes() {
        let request = |name, mode, options| Packet::Read(Request { name, mode, options });
        let none = TransferOptions::default();
        let table: [(&[u8], Packet<'_>); 8] = [
            // Frame 1 of the CallManager 4.1 capture.
            (
                b"\0\x01SEP001380AD9E5F.cnf.xml\0octet\0",
                request(b"SEP001380AD9E5F.cnf.xml", Mode::Octet, none),
            ),
            (b"\0\x01a\0netascii\0", request(b"a", Mode::Netascii, none)),
            (
                b"\0\x01a\0octet\0blksize\x001428\0timeout\x003\0tsize\x000\0",
                request(b"a", Mode::Octet, options(Some(1428), Some(3), Some(0))),
            ),
            (b"\0\x03\x01\x02data", Packet::Data { block: 0x0102, data: b"data" }),
            (b"\0\x03\0\x01", Packet::Data { block: 1, data: b"" }),
            (b"\0\x04\xFF\xFE", Packet::Ack { block: 0xFFFE }),
            (b"\0\x05\0\x01File not found\0", Packet::error(ErrorCode::NotFound)),
            (b"\0\x06tsize\x002623\0", Packet::OptionAck(options(None, None, Some(2623)))),
        ];
        for (bytes, packet) in table {
            assert_eq!(Packet::parse(bytes).as_ref(), Ok(&packet), "{}", bytes.escape_ascii());
            assert_eq!(packet.to_bytes(), bytes, "{packet:?}");
        }
        assert_eq!(Packet::parse(b"\0\x02a\0octet\0"), Ok(Packet::Write));
    }

    #[test]
    fn options_are_clamped_or_left_out() {
        let read = |tail: &[u8]| {
            let bytes = [b"\0\x01a\0OcTeT\0", tail].concat();
            match Packet::parse(&bytes) {
                Ok(Packet::Read(request)) => request.options,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read(b"BLKSIZE\x0065535\0"), options(Some(MAX_BLOCK), None, None));
        assert_eq!(read(b"blksize\x0099999999\0"), options(Some(MAX_BLOCK), None, None));
        assert_eq!(read(b"blksize\x008\0"), options(Some(8), None, None));
        assert_eq!(read(b"blksize\x007\0"), options(None, None, None));
        assert_eq!(read(b"blksize\0-8\0tsize\x000\0"), options(None, None, Some(0)));
        assert_eq!(read(b"timeout\x000\0"), options(None, None, None));
        assert_eq!(read(b"timeout\x00256\0"), options(None, None, None));
        assert_eq!(read(b"windowsize\x004\0timeout\x00255\0"), options(None, Some(255), None));
        assert_eq!(read(b"tsize\x001\0tsize\x002\0"), options(None, None, Some(1)));
        assert_eq!(read(b"tsize\0"), options(None, None, None));
        assert_eq!(read(b"tsize\x000"), options(None, None, None));
    }

    #[test]
    fn every_truncation_is_told_from_a_packet() {
        let whole = b"\0\x01a.xml\0octet\0";
        for end in 0..whole.len() {
            assert_eq!(Packet::parse(&whole[..end]), Err(Malformed::Short(end)));
        }
        assert_eq!(Packet::parse(b"\0\x04\0"), Err(Malformed::Short(3)));
        assert_eq!(Packet::parse(b"\0\x03\0"), Err(Malformed::Short(3)));
        assert_eq!(Packet::parse(b"\0\x07\0\0"), Err(Malformed::Operation(7)));
        assert_eq!(Packet::parse(b"\0\x01a\0mail\0"), Err(Malformed::Mode));
    }

    #[test]
    fn a_remotes_error_text_is_cut_and_cleaned() {
        let bytes = [b"\0\x05\0\x63\x1b[2J".as_slice(), &[b'x'; 400]].concat();
        let Ok(Packet::Error { code, message }) = Packet::parse(&bytes) else { panic!() };
        assert_eq!((code, message.len()), (ErrorCode::Unknown(99), MAX_MESSAGE));
        assert!(message.starts_with("[2Jxxx"));
    }

    #[test]
    fn netascii_has_the_networks_line_ends() {
        assert_eq!(Mode::Netascii.encode(b"a\nb\rc\r\n").unwrap(), b"a\r\nb\r\0c\r\0\r\n");
        assert_eq!(Mode::Octet.encode(b"a\n"), None);
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), operation in 0..8_u8) {
            let bytes = [&[0, operation], bytes.as_slice()].concat();
            if let Ok(packet) = Packet::parse(&bytes) {
                let again = packet.to_bytes();
                if packet != Packet::Write {
                    prop_assert!(Packet::parse(&again).is_ok());
                }
            }
        }
    }
}
