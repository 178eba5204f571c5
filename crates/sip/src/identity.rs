//! Who calls, and who forwarded: From, P-Asserted-Identity (RFC 3325), Privacy (RFC 3323), Diversion (RFC 5806) and
//! History-Info (RFC 7044).

use rsipstack::sip::{Headers, Request, Uri};
use selsius_exchange::record::Party;

use crate::{
    config::TrunkConfig,
    message::{addresses, display, name_addr, number, put, uri, value, values},
};

/// Who does not want to be seen is this in From (RFC 3323 section 4.1.1.3).
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// The domain of our own addresses on this trunk. `own` is our address as the trunk's server sees it.
pub(crate) fn domain<'a>(trunk: &'a TrunkConfig, own: &'a str) -> &'a str {
    match (&trunk.from, trunk.servers.first()) {
        (Some(domain), _) => domain,
        (None, Some(server)) if trunk.user.is_some() => server,
        _ => own,
    }
}

/// The From header for a caller, without a tag.
pub(crate) fn from(trunk: &TrunkConfig, domain: &str, calling: &Party) -> String {
    if calling.restricted {
        return ANONYMOUS.into();
    }
    name_addr(&calling.name, &own_uri(trunk, domain, calling))
}

fn own_uri(trunk: &TrunkConfig, domain: &str, party: &Party) -> String {
    let user =
        if party.number.is_empty() { trunk.user.as_deref().unwrap_or("anonymous") } else { &party.number };
    uri(user, domain)
}

/// Adds what says who is on this side: to a request that begins a call, and to an answer.
pub(crate) fn assert(headers: &mut Headers, trunk: &TrunkConfig, domain: &str, party: &Party) {
    if party.restricted {
        put(headers, "Privacy", "id");
    }
    if trunk.trusted && !party.number.is_empty() {
        put(headers, "P-Asserted-Identity", name_addr(&party.name, &own_uri(trunk, domain, party)));
    }
}

/// Adds who forwarded the call.
pub(crate) fn divert(headers: &mut Headers, trunk: &TrunkConfig, domain: &str, by: &Party) {
    if by.number.is_empty() {
        return;
    }
    let privacy = if by.restricted { "full" } else { "off" };
    let address = name_addr(&by.name, &own_uri(trunk, domain, by));
    put(headers, "Diversion", format!("{address};reason=unknown;privacy={privacy};counter=1"));
}

/// Who calls, by a request that begins a call. What the other system asserts counts more than what its phone says.
pub(crate) fn caller(request: &Request) -> Party {
    let headers = &request.headers;
    let asserted = values(headers, "P-Asserted-Identity")
        .flat_map(addresses)
        .find(|address| !number(&address.uri).is_empty());
    let from = value(headers, "From").and_then(|from| addresses(from).into_iter().next());
    let hidden = values(headers, "Privacy")
        .flat_map(|value| value.split([';', ',']))
        .any(|word| ["id", "user", "header"].contains(&word.trim().to_ascii_lowercase().as_str()));
    let anonymous = from.as_ref().is_none_or(|from| is_anonymous(&from.uri));
    let Some(address) = asserted.or(from.filter(|from| !is_anonymous(&from.uri))) else {
        return Party { restricted: true, ..Party::default() };
    };
    Party {
        number: number(&address.uri),
        name: address.display_name.as_deref().map(display).unwrap_or_default(),
        device: None,
        restricted: hidden || anonymous,
    }
}

fn is_anonymous(uri: &Uri) -> bool {
    uri.host_with_port.host.to_string().eq_ignore_ascii_case("anonymous.invalid")
        || uri.user().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
}

/// Who forwarded the call last: the first Diversion (RFC 5806 section 4), else the last entry of History-Info but one
/// (the last is where the call goes now).
pub(crate) fn redirecting(request: &Request) -> Option<Party> {
    let headers = &request.headers;
    if let Some(by) = values(headers, "Diversion").flat_map(addresses).next() {
        let hidden = by.params.iter().any(|parameter| {
            let parameter = parameter.to_string().to_ascii_lowercase();
            parameter.starts_with(";privacy=") && !parameter.trim_matches('"').ends_with("off")
        });
        return party(&by, hidden);
    }
    let history: Vec<_> = values(headers, "History-Info").flat_map(addresses).take(64).collect();
    let by = history.len().checked_sub(2).and_then(|at| history.get(at))?;
    party(by, false)
}

fn party(address: &rsipstack::sip::typed::Contact, restricted: bool) -> Option<Party> {
    let number = number(&address.uri);
    let name = address.display_name.as_deref().map(display).unwrap_or_default();
    (!number.is_empty()).then_some(Party { number, name, device: None, restricted })
}

/// The number that a request calls. A trunk that registers gets calls at its own contact; the number is in To then.
pub(crate) fn called(trunk: &TrunkConfig, request: &Request) -> String {
    let called = number(&request.uri);
    if trunk.user.as_deref() != Some(called.as_str()) && !called.is_empty() {
        return called;
    }
    let to = value(&request.headers, "To").and_then(|to| addresses(to).into_iter().next());
    to.map(|to| number(&to.uri)).filter(|to| !to.is_empty()).unwrap_or(called)
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::SipMessage;

    use super::*;

    fn request(lines: &[&str]) -> Request {
        let text = format!("INVITE sip:+4930555@192.0.2.1 SIP/2.0\r\n{}\r\n\r\n", lines.join("\r\n"));
        match SipMessage::try_from(text.as_str()).unwrap() {
            SipMessage::Request(request) => request,
            SipMessage::Response(_) => panic!("a request"),
        }
    }

    #[test]
    fn callers_are_found_where_they_are_asserted() {
        let plain = caller(&request(&["From: \"Bob\" <sip:200@example.net>;tag=1"]));
        assert_eq!((plain.number.as_str(), plain.name.as_str(), plain.restricted), ("200", "Bob", false));
        let asserted = caller(&request(&[
            "From: <sip:anonymous@anonymous.invalid>;tag=1",
            "P-Asserted-Identity: \"Real\" <sip:+49301@example.net>, <tel:+49301>",
            "Privacy: id;critical",
        ]));
        assert_eq!(
            (asserted.number.as_str(), asserted.name.as_str(), asserted.restricted),
            ("+49301", "Real", true)
        );
        let nobody = caller(&request(&["From: <sip:anonymous@anonymous.invalid>;tag=1"]));
        assert_eq!((nobody.number.as_str(), nobody.restricted), ("", true));
        assert!(caller(&request(&["From: ;;<<"])).restricted);
    }

    #[test]
    fn forwarders_are_found() {
        let by =
            redirecting(&request(&["Diversion: <sip:300@h>;reason=user-busy;privacy=full, <sip:301@h>"]))
                .unwrap();
        assert_eq!((by.number.as_str(), by.restricted), ("300", true));
        let by =
            redirecting(&request(&["History-Info: <sip:400@h>;index=1, <sip:401@h;cause=302>;index=1.1"]))
                .unwrap();
        assert_eq!(by.number, "400");
        assert_eq!(redirecting(&request(&["History-Info: <sip:400@h>;index=1"])), None);
    }

    #[test]
    fn callers_are_written_as_they_want_to_be_seen() {
        let trunk = TrunkConfig::peer("carrier", "192.0.2.9");
        let mut party = Party { number: "201".into(), name: "Ann".into(), ..Party::default() };
        assert_eq!(from(&trunk, "example.net", &party), "\"Ann\" <sip:201@example.net>");
        party.restricted = true;
        assert_eq!(from(&trunk, "example.net", &party), ANONYMOUS);
        let mut headers = Headers::default();
        assert(&mut headers, &trunk, "example.net", &party);
        assert_eq!(value(&headers, "Privacy"), Some("id"));
        assert_eq!(value(&headers, "P-Asserted-Identity"), Some("\"Ann\" <sip:201@example.net>"));
        let mut headers = Headers::default();
        assert(&mut headers, &TrunkConfig { trusted: false, ..trunk }, "example.net", &party);
        assert_eq!(value(&headers, "P-Asserted-Identity"), None);
    }
}
