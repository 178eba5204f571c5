//! The forms of texts that only look like any text.

use core::net::{IpAddr, SocketAddr};

use super::MAX_DATE_FORMAT_BYTES;

/// The form of an IANA zone name; whether there is such a zone is known to whoever has the zones.
pub(super) fn is_zone_name(zone: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    zone.len() <= 64 && zone.split('/').all(part)
}

/// D, M and Y once each, separators between them, perhaps an A for a 12-hour clock at the end.
pub(super) fn is_date_format(format: &str) -> bool {
    let letters: String = format.chars().filter(char::is_ascii_alphabetic).collect();
    let order = letters.strip_suffix('A').unwrap_or(&letters);
    let mut sorted: Vec<char> = order.chars().collect();
    sorted.sort_unstable();
    format.len() <= MAX_DATE_FORMAT_BYTES
        && sorted == ['D', 'M', 'Y']
        && format.chars().all(|c| c.is_ascii_graphic())
        && format.starts_with(|c: char| c.is_ascii_alphabetic())
        && format.ends_with(|c: char| c.is_ascii_alphabetic())
}

/// Can a phone open it?
pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Err("is not an http or https address");
    };
    if !url.chars().all(|c| c.is_ascii_graphic()) {
        return Err("contains a space or a character outside ASCII");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') { Err("names no host") } else { Ok(()) }
}

/// A name or an address, perhaps with a port. An IPv6 address with a port stands in brackets.
pub(super) fn is_host(host: &str) -> bool {
    if host.parse::<IpAddr>().is_ok() || host.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "5060"));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
