//! Answers to requests that are not even looked at: what RFC 3261 section 8.2 wants checked before anything else.

use rsipstack::sip::{Headers, Method, Request, Response};

use crate::message::{ACCEPT, ALLOW, SUPPORTED, content_type, put, respond, value, words};

/// What this side supports may be required of it.
const EXTENSIONS: &[&str] = &["100rel", "timer"];
/// The shortest session timer that we take part in, in seconds (RFC 4028 section 5).
pub(crate) const LEAST_INTERVAL: u32 = 90;

/// Refuses a request outside of a dialog that cannot be served. INVITE and OPTIONS are what can.
pub(crate) fn screen(request: &Request, tag: &str) -> Option<Response> {
    if let Some(response) = extensions(request, tag) {
        return Some(response);
    }
    if let Some(hops) = value(&request.headers, "Max-Forwards")
        && hops.trim().parse::<u32>().is_err()
    {
        return Some(respond(request, 400, tag));
    }
    match request.method {
        Method::Options => Some(options(request, tag)),
        Method::Invite => None,
        // Within a dialog only, and there is none that this request belongs to.
        Method::Bye
        | Method::Info
        | Method::Update
        | Method::PRack
        | Method::Notify
        | Method::Refer
        | Method::Cancel
        | Method::Ack => Some(respond(request, 481, tag)),
        Method::Message | Method::Publish | Method::Register | Method::Subscribe => {
            Some(not_allowed(request, tag))
        }
    }
}

/// Refuses what requires an extension that we do not have (section 8.2.2.3), and bodies that we cannot read (8.2.3).
pub(crate) fn extensions(request: &Request, tag: &str) -> Option<Response> {
    let headers = &request.headers;
    let unknown: Vec<&str> = words(headers, "Require")
        .filter(|word| !EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(word)))
        .take(8)
        .collect();
    if !unknown.is_empty() {
        let mut response = respond(request, 420, tag);
        put(&mut response.headers, "Unsupported", unknown.join(", "));
        return Some(response);
    }
    if matches!(request.method, Method::Invite | Method::Update) && too_short(headers) {
        let mut response = respond(request, 422, tag);
        put(&mut response.headers, "Min-SE", LEAST_INTERVAL.to_string());
        return Some(response);
    }
    let encoded = value(headers, "Content-Encoding")
        .is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"));
    let session = matches!(request.method, Method::Invite | Method::Update | Method::PRack);
    let readable = !session || request.body.is_empty() || content_type(headers) == "application/sdp";
    (encoded || !readable).then(|| unsupported_body(request, tag))
}

/// Does it want a session timer that is too short, and would it understand the answer?
fn too_short(headers: &Headers) -> bool {
    let wanted = value(headers, "Session-Expires").or_else(|| value(headers, "x"));
    let wanted = wanted.and_then(|text| text.split(';').next()?.trim().parse::<u32>().ok());
    wanted.is_some_and(|seconds| seconds < LEAST_INTERVAL)
        && words(headers, "Supported").any(|word| word.eq_ignore_ascii_case("timer"))
}

/// 415 (section 21.4.13).
pub(crate) fn unsupported_body(request: &Request, tag: &str) -> Response {
    let mut response = respond(request, 415, tag);
    put(&mut response.headers, "Accept", ACCEPT);
    put(&mut response.headers, "Accept-Encoding", "identity");
    response
}

/// 405 (section 21.4.6).
pub(crate) fn not_allowed(request: &Request, tag: &str) -> Response {
    let mut response = respond(request, 405, tag);
    put(&mut response.headers, "Allow", ALLOW);
    response
}

/// The answer to OPTIONS (section 11.2).
pub(crate) fn options(request: &Request, tag: &str) -> Response {
    let mut response = respond(request, 200, tag);
    let headers = &mut response.headers;
    put(headers, "Allow", ALLOW);
    put(headers, "Supported", SUPPORTED);
    put(headers, "Accept", ACCEPT);
    response
}
