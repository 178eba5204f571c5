//! SIP (RFC 3261), as much of it as a ladder shows: first line, whose call it is, and the numbers in it.
//!
//! Nothing here proves that a message is right; whoever wants that has other tools. What is no SIP is `None`.

/// Longer than any head of a message that somebody means.
const MOST_HEAD: usize = 16 * 1024;

/// A message, or as much of one as was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The first line.
    pub start: Start<'a>,
    /// What all messages of a call have in common.
    pub call_id: &'a str,
    /// The method of the request, also in what answers it.
    pub method: &'a str,
    /// The user part of the From header; empty if there is none.
    pub from: &'a str,
    /// The user part of the To header; empty if there is none.
    pub to: &'a str,
    /// It carries the description of a session (SDP).
    pub session: bool,
    /// Bytes of head and body; the body's by Content-Length, and to the end where there is none.
    pub length: usize,
}

/// The first line of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request.
    Request {
        /// Whom it is for.
        uri: &'a str,
    },
    /// An answer.
    Response {
        /// From 100 to 699.
        code: u16,
        /// The code in words.
        reason: &'a str,
    },
}

impl<'a> Message<'a> {
    /// Reads the message at the beginning of these bytes.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        // Most of what comes here is audio.
        if !bytes.first()?.is_ascii_uppercase() {
            return None;
        }
        let end = bytes.windows(4).take(MOST_HEAD).position(|four| four == b"\r\n\r\n");
        let head = bytes.get(..end.unwrap_or(bytes.len().min(MOST_HEAD)))?;
        let body = end.map_or(bytes.len(), |end| end + 4);
        let mut lines = head.split(|&byte| byte == b'\n').map_while(|line| core::str::from_utf8(line).ok());
        let start = Start::parse(lines.next()?.trim_end())?;
        let (mut call_id, mut cseq, mut from, mut to) = ("", "", "", "");
        let (mut session, mut length) = (false, None);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            // The letters are the compact forms.
            match name {
                _ if is(name, "Call-ID", "i") => call_id = value,
                _ if is(name, "CSeq", "CSeq") => cseq = value,
                _ if is(name, "From", "f") => from = user(value),
                _ if is(name, "To", "t") => to = user(value),
                _ if is(name, "Content-Type", "c") => session = value.starts_with("application/sdp"),
                _ if is(name, "Content-Length", "l") => length = value.parse().ok(),
                _ => {}
            }
        }
        let method = cseq.split_ascii_whitespace().nth(1).filter(|_| !call_id.is_empty())?;
        let length = length.map_or(bytes.len(), |length: usize| body.saturating_add(length).min(bytes.len()));
        Some(Self { start, call_id, method, from, to, session, length })
    }

    /// The number that it is for: of the request's address, else of To.
    pub fn called(&self) -> &'a str {
        match self.start {
            Start::Request { uri } => Some(user(uri)).filter(|user| !user.is_empty()).unwrap_or(self.to),
            Start::Response { .. } => self.to,
        }
    }
}

impl<'a> Start<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let code = code.parse().ok().filter(|code| (100..700).contains(code))?;
            return Some(Self::Response { code, reason });
        }
        let (method, uri) = line.strip_suffix(" SIP/2.0")?.split_once(' ')?;
        let proper = method.bytes().all(|byte| byte.is_ascii_uppercase()) && !uri.contains(' ');
        proper.then_some(Self::Request { uri })
    }
}

fn is(name: &str, long: &str, compact: &str) -> bool {
    name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(compact)
}

/// The user of the first address in a value: `1001` of `"Anna" <sip:1001@10.0.0.1;user=phone>;tag=7`.
fn user(value: &str) -> &str {
    let Some(at) = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| {
        let from = value.find(scheme)?;
        Some(from + scheme.len())
    }) else {
        return "";
    };
    let rest = value.get(at..).unwrap_or_default();
    let end = rest.find(['@', '>', ';', ' ']).unwrap_or(rest.len());
    let (user, after) = rest.split_at(end);
    // Without an @ there is only a host, unless it is a telephone number by itself.
    if after.starts_with('@') || value.contains("tel:") { user } else { "" }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use super::*;

    const INVITE: &str = "INVITE sip:2000@10.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n\
        From: \"Anna\" <sip:1001@10.0.0.1>;tag=1\r\nt: <sip:2000@10.0.0.9>\r\ni: abc@10.0.0.1\r\nCSeq: 1 INVITE\r\n\
        Content-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n";

    #[test]
    fn messages_tell_what_they_are() {
        let message = Message::parse(INVITE.as_bytes()).unwrap();
        assert_eq!(message.start, Start::Request { uri: "sip:2000@10.0.0.9" });
        assert_eq!((message.call_id, message.method, message.session), ("abc@10.0.0.1", "INVITE", true));
        assert_eq!((message.from, message.to, message.called()), ("1001", "2000", "2000"));
        assert_eq!(message.length, INVITE.len());

        let answer = "SIP/2.0 486 Busy Here\r\nFrom: <sip:host>\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\n\r\n";
        let message = Message::parse(answer.as_bytes()).unwrap();
        assert_eq!(message.start, Start::Response { code: 486, reason: "Busy Here" });
        assert_eq!((message.method, message.from, message.session), ("INVITE", "", false));
    }

    #[test]
    fn messages_follow_each_other_on_a_stream() {
        let two = format!("{INVITE}{INVITE}");
        let first = Message::parse(two.as_bytes()).unwrap();
        assert_eq!(first.length, INVITE.len());
        assert!(Message::parse(&two.as_bytes()[first.length..]).is_some());
    }

    #[test]
    fn what_is_cut_off_is_read_as_far_as_it_goes_and_nothing_panics() {
        for length in 0..INVITE.len() {
            let bytes = &INVITE.as_bytes()[..length];
            if let Some(message) = Message::parse(bytes) {
                assert!(message.length <= length && !message.call_id.is_empty(), "{length}");
            }
        }
    }

    #[test]
    fn other_things_are_no_sip() {
        let line = |first: &str| format!("{first}\r\nCall-ID: x\r\nCSeq: 1 X\r\n\r\n").into_bytes();
        let others: [Vec<u8>; 8] = [
            line("GET / HTTP/1.1"),
            line("SIP/2.0 99 Early"),
            line("SIP/3.0 200 OK"),
            line("INVITE sip:a b SIP/2.0"),
            line("Invite sip:a SIP/2.0"),
            String::from("OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n").into_bytes(),
            Vec::from([0x80, 0, 0, 1]),
            Vec::new(),
        ];
        for other in others {
            assert_eq!(Message::parse(&other), None, "{}", String::from_utf8_lossy(&other));
        }
    }

    #[test]
    fn users_of_addresses() {
        for (value, expected) in [
            ("sip:1001@host", "1001"),
            ("<sips:+4930@host;x=y>;tag=1", "+4930"),
            ("tel:+4930;phone-context=x", "+4930"),
            ("<sip:host:5060>", ""),
            ("*", ""),
        ] {
            assert_eq!(user(value), expected, "{value}");
        }
    }
}
