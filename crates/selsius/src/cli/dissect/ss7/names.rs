//! What messages, fields and causes are called.

use sccp::MessageType;

/// A message type that Q.713 does not have.
pub(super) const UNKNOWN: &str = "Unknown";

/// Every name of a message, for filters.
pub(super) const MESSAGES: [&str; 21] = [
    "CR", "CC", "CREF", "RLSD", "RLC", "DT1", "DT2", "AK", "UDT", "UDTS", "ED", "EA", "RSR", "RSC", "ERR",
    "IT", "XUDT", "XUDTS", "LUDT", "LUDTS", UNKNOWN,
];

/// Every name of a field, for filters.
pub(super) const FIELDS: [&str; 35] = [
    "address",
    "called",
    "calling",
    "class",
    "credit",
    "data",
    "data_length",
    "destination_reference",
    "digits",
    "encoding_scheme",
    "error_cause",
    "first",
    "global_title",
    "hop_counter",
    "importance",
    "more_data",
    "nature",
    "numbering_plan",
    "odd",
    "point_code",
    "receive_sequence",
    "reference",
    "refusal_cause",
    "release_cause",
    "remaining",
    "reset_cause",
    "return_cause",
    "return_on_error",
    "routing",
    "segmentation",
    "send_sequence",
    "source_reference",
    "ssn",
    "subsystem",
    "translation_type",
];

pub(super) fn message(kind: MessageType) -> &'static str {
    MESSAGES[kind as usize - 1]
}

/// What the name of a message stands for.
pub(in super::super) fn meaning(name: &str) -> &'static str {
    match name {
        "CR" => "connection request",
        "CC" => "connection confirm",
        "CREF" => "connection refused",
        "RLSD" => "released",
        "RLC" => "release complete",
        "DT1" => "data form 1",
        "DT2" => "data form 2",
        "AK" => "data acknowledgement",
        "UDT" => "unitdata",
        "UDTS" => "unitdata service",
        "ED" => "expedited data",
        "EA" => "expedited data acknowledgement",
        "RSR" => "reset request",
        "RSC" => "reset confirmation",
        "ERR" => "protocol data unit error",
        "IT" => "inactivity test",
        "XUDT" => "extended unitdata",
        "XUDTS" => "extended unitdata service",
        "LUDT" => "long unitdata",
        "LUDTS" => "long unitdata service",
        _ => "",
    }
}

/// Nature of address (Q.713, 3.4.2.3.1).
pub(super) fn nature(raw: u8) -> Option<String> {
    pick(raw, &["unknown", "subscriber", "reserved for national use", "national", "international"])
}

/// Numbering plan (Q.713, 3.4.2.3.3).
pub(super) fn numbering_plan(raw: u8) -> Option<String> {
    if raw == 14 {
        return Some("private network".into());
    }
    let names = [
        "unknown",
        "ISDN/telephony",
        "generic",
        "data",
        "telex",
        "maritime mobile",
        "land mobile",
        "ISDN/mobile",
    ];
    pick(raw, &names)
}

/// Encoding scheme (Q.713, 3.4.2.3.3).
pub(super) fn encoding_scheme(raw: u8) -> Option<String> {
    pick(raw, &["unknown", "BCD, odd", "BCD, even", "national specific"])
}

/// Release cause (Q.713, 3.11).
pub(super) fn release(raw: u8) -> Option<String> {
    let names = [
        "end user originated",
        "end user congestion",
        "end user failure",
        "SCCP user originated",
        "remote procedure error",
        "inconsistent connection data",
        "access failure",
        "access congestion",
        "subsystem failure",
        "subsystem congestion",
        "MTP failure",
        "network congestion",
        "expiration of reset timer",
        "expiration of receive inactivity timer",
        "",
        "unqualified",
        "SCCP failure",
    ];
    pick(raw, &names)
}

/// Reset cause (Q.713, 3.13).
pub(super) fn reset(raw: u8) -> Option<String> {
    let names = [
        "end user originated",
        "SCCP user originated",
        "message out of order, incorrect P(S)",
        "message out of order, incorrect P(R)",
        "remote procedure error, message out of window",
        "remote procedure error, incorrect P(S) after initialization",
        "remote procedure error, general",
        "remote end user operational",
        "network operational",
        "access operational",
        "network congestion",
        "",
        "unqualified",
    ];
    pick(raw, &names)
}

/// Error cause (Q.713, 3.14).
pub(super) fn error(raw: u8) -> Option<String> {
    let names = [
        "unassigned destination reference",
        "inconsistent source reference",
        "point code mismatch",
        "service class mismatch",
        "unqualified",
    ];
    pick(raw, &names)
}

/// Refusal cause (Q.713, 3.15).
pub(super) fn refusal(raw: u8) -> Option<String> {
    let names = [
        "end user originated",
        "end user congestion",
        "end user failure",
        "SCCP user originated",
        "destination address unknown",
        "destination inaccessible",
        "quality of service not available, for long",
        "quality of service not available, for now",
        "access failure",
        "access congestion",
        "subsystem failure",
        "subsystem congestion",
        "expiration of connection establishment timer",
        "incompatible user data",
        "",
        "unqualified",
        "hop counter violation",
        "SCCP failure",
        "no translation for an address of such nature",
        "unequipped user",
    ];
    pick(raw, &names)
}

/// An empty name is a number that is reserved.
fn pick(raw: u8, names: &[&str]) -> Option<String> {
    names.get(usize::from(raw)).filter(|name| !name.is_empty()).map(|name| (*name).into())
}
