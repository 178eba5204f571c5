//! Headers of SIP messages, as the rest of this crate wants to see and write them.

use rsipstack::sip::{
    Header, Headers, Method, Request, Response, Scheme, StatusCode, Uri, Version, headers::make_header, typed,
};

/// What this side understands (RFC 3261 section 20.5).
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY";
/// Extensions that this side understands (section 20.37).
pub(crate) const SUPPORTED: &str = "timer, 100rel";
/// Bodies that this side understands (section 20.1).
pub(crate) const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf, message/sipfrag";

/// The value of the first header with this name.
pub(crate) fn value<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name().eq_ignore_ascii_case(name)).map(Header::value)
}

/// The values of all headers with this name.
pub(crate) fn values<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |header| header.name().eq_ignore_ascii_case(name)).map(Header::value)
}

/// The words of a list that may be spread over several headers.
pub(crate) fn words<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a str> {
    values(headers, name).flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

/// Adds a header, unless its value is empty. Line breaks would be headers of their own: they do not get through.
pub(crate) fn put(headers: &mut Headers, name: &str, value: impl Into<String>) {
    let mut value: String = value.into();
    value.retain(|c| !c.is_control());
    if value.is_empty() {
        return;
    }
    headers.push(make_header(name, value));
}

/// The addresses in a header: display name, URI, parameters.
pub(crate) fn addresses(value: &str) -> Vec<typed::Contact> {
    typed::Contact::parse_header_list(value).unwrap_or_default()
}

/// The tag of a From or To.
pub(crate) fn tag(value: &str) -> Option<&str> {
    let after = value.rfind('>').map_or(value, |end| value.get(end..).unwrap_or_default());
    after.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("tag").then(|| value.trim())
    })
}

/// The number of CSeq.
pub(crate) fn sequence(headers: &Headers) -> Option<u32> {
    value(headers, "CSeq")?.split_ascii_whitespace().next()?.parse().ok()
}

/// The type of the body, in small letters and without parameters; empty if there is none.
pub(crate) fn content_type(headers: &Headers) -> String {
    let value = value(headers, "Content-Type").unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The user part of a URI as a number: of `sip:` and `tel:`, decoded, without parameters and visual separators
/// (RFC 3966 section 3).
pub(crate) fn number(uri: &Uri) -> String {
    // The stack ends the host at the first semicolon, also where that belongs to the user (`sip:1;phone-context=a@b`).
    let cut = || uri.params.iter().any(|parameter| parameter.to_string().contains('@'));
    let raw = match (&uri.auth, &uri.scheme) {
        (Some(auth), _) => auth.user.clone(),
        (None, Some(Scheme::Other(scheme))) if scheme.eq_ignore_ascii_case("tel") => {
            uri.host_with_port.host.to_string()
        }
        (None, _) if cut() => uri.host_with_port.host.to_string(),
        _ => return String::new(),
    };
    let raw = raw.split(';').next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
    let looks_dialled = decoded.chars().all(|c| c.is_ascii_digit() || "+*#-.() ".contains(c));
    decoded.chars().filter(|&c| !(c.is_control() || looks_dialled && "-.() ".contains(c))).take(128).collect()
}

/// What may stand in the user part of a URI as it is (RFC 3261 section 25.1, "user"). `#` may not, so it is `%23`.
const USER: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b',')
    .remove(b'/');

/// A SIP URI of a user at a host (with its port, if one has to be named).
pub(crate) fn uri(user: &str, host: &str) -> String {
    if user.is_empty() {
        return format!("sip:{host}");
    }
    format!("sip:{}@{host}", percent_encoding::utf8_percent_encode(user, USER))
}

/// A name and a URI, as headers have them. Quotes in the name are escaped (RFC 3261 section 25.1, "quoted-string").
pub(crate) fn name_addr(name: &str, uri: &str) -> String {
    if name.is_empty() {
        return format!("<{uri}>");
    }
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("\"{escaped}\" <{uri}>")
}

/// The text of a display name that was received.
pub(crate) fn display(name: &str) -> String {
    let mut text = String::new();
    let mut escaped = false;
    for c in name.trim().chars() {
        match c {
            '\\' if !escaped => escaped = true,
            c => {
                escaped = false;
                if !c.is_control() {
                    text.push(c);
                }
            }
        }
    }
    text.trim().chars().take(128).collect()
}

/// A response to a request: the headers that RFC 3261 section 8.2.6.2 wants copied, and our tag.
pub(crate) fn respond(request: &Request, code: u16, tag: &str) -> Response {
    let mut headers = Headers::default();
    for header in request.headers.iter() {
        match header {
            Header::Via(_) | Header::From(_) | Header::CallId(_) | Header::CSeq(_) => {
                headers.push(header.clone())
            }
            Header::RecordRoute(_) if (101..300).contains(&code) => headers.push(header.clone()),
            Header::Timestamp(_) if code == 100 => headers.push(header.clone()),
            Header::To(to) => {
                let to = to.value();
                let to = match crate::message::tag(to) {
                    None if code > 100 => format!("{to};tag={tag}"),
                    _ => to.to_string(),
                };
                put(&mut headers, "To", to);
            }
            _ => {}
        }
    }
    Response {
        status_code: StatusCode::from(code),
        wire_reason: None,
        version: Version::V2,
        headers,
        body: Vec::new(),
    }
}

/// A request with nothing but its first line.
pub(crate) fn request(method: Method, uri: Uri) -> Request {
    Request { method, uri, version: Version::V2, headers: Headers::default(), body: Vec::new() }
}

/// Puts a body and its type into a message.
pub(crate) fn set_body(headers: &mut Headers, place: &mut Vec<u8>, kind: &str, body: Vec<u8>) {
    put(headers, "Content-Type", kind);
    *place = body;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_the_header_not_of_the_uri() {
        assert_eq!(tag("<sip:a@b;tag=no>;tag=yes"), Some("yes"));
        assert_eq!(tag("\"x;tag=no\" <sip:a@b>"), None);
        assert_eq!(tag("sip:a@b;tag=1"), Some("1"));
        assert_eq!(tag("sip:a@b"), None);
    }

    #[test]
    fn numbers_are_read_and_written() {
        for (uri, expected) in [
            ("sip:+49-30-1234@example.net;user=phone", "+49301234"),
            ("sip:%2312@example.net", "#12"),
            ("sip:1234;phone-context=example@example.net", "1234"),
            ("tel:+1-201-555-0123", "+12015550123"),
            ("sip:alice.b@example.net", "alice.b"),
            ("sip:example.net", ""),
        ] {
            assert_eq!(number(&Uri::try_from(uri).unwrap()), expected, "{uri}");
        }
        assert_eq!(uri("#12*", "192.0.2.1:5070"), "sip:%2312*@192.0.2.1:5070");
        assert_eq!(uri("a@b;c", "h"), "sip:a%40b%3Bc@h");
    }

    #[test]
    fn names_cannot_break_out_of_their_header() {
        let value = name_addr("Eve\" <sip:x>\r\nX: y", "sip:1@h");
        assert_eq!(value, "\"Eve\\\" <sip:x>X: y\" <sip:1@h>");
        assert_eq!(display("\\\"Eve\\\\"), "\"Eve\\");
        let mut headers = Headers::default();
        put(&mut headers, "Subject", "a\r\nVia: b");
        assert_eq!(value_of(&headers), "aVia: b");
    }

    fn value_of(headers: &Headers) -> String {
        value(headers, "subject").unwrap().into()
    }
}
