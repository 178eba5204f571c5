//! Why a call fails, in the three languages that know it: SIP's final responses, the cause values of Q.850 (in the
//! Reason header, RFC 3326), and the exchange's causes.
//!
//! The pairs of response and Q.850 value follow RFC 3398 section 8.2.6.1 (from ISUP) and 7.2.4.1 (to ISUP).

use selsius_exchange::record::EndCause;

/// A final response, the Q.850 value that means the same, and the exchange's word for it. The first row with a cause
/// says how the cause is sent.
const TABLE: &[(u16, u8, EndCause)] = &[
    (486, 17, EndCause::Busy),
    (600, 17, EndCause::Busy),
    (480, 19, EndCause::NoAnswer),
    (480, 18, EndCause::NoAnswer),
    (404, 1, EndCause::UnknownNumber),
    (404, 2, EndCause::UnknownNumber),
    (404, 3, EndCause::UnknownNumber),
    (410, 22, EndCause::UnknownNumber),
    (484, 28, EndCause::UnknownNumber),
    (604, 1, EndCause::UnknownNumber),
    (416, 28, EndCause::UnknownNumber),
    (485, 1, EndCause::UnknownNumber),
    (480, 20, EndCause::Unregistered),
    (502, 27, EndCause::Unregistered),
    (403, 21, EndCause::Blocked),
    (603, 21, EndCause::Blocked),
    (607, 21, EndCause::Blocked),
    (403, 57, EndCause::Blocked),
    (403, 55, EndCause::Blocked),
    (503, 34, EndCause::NoTrunk),
    (408, 102, EndCause::NoTrunk),
    (401, 57, EndCause::NoTrunk),
    (407, 57, EndCause::NoTrunk),
    (402, 21, EndCause::NoTrunk),
    (503, 38, EndCause::NoTrunk),
    (503, 41, EndCause::NoTrunk),
    (503, 42, EndCause::Overload),
    (503, 47, EndCause::Overload),
    (488, 65, EndCause::NoCommonCodec),
    (488, 88, EndCause::NoCommonCodec),
    (606, 88, EndCause::NoCommonCodec),
    (415, 79, EndCause::NoCommonCodec),
    (406, 79, EndCause::NoCommonCodec),
    (500, 111, EndCause::MediaFailure),
    (480, 16, EndCause::CalledHungUp),
    (487, 127, EndCause::CallerHungUp),
    (480, 31, EndCause::Transferred),
    (480, 31, EndCause::Joined),
    (480, 31, EndCause::Dropped),
    (480, 27, EndCause::PhoneLost),
    (503, 41, EndCause::Shutdown),
    (503, 41, EndCause::Interrupted),
];

/// The final response to a call that cannot be, and its Q.850 value.
pub fn refusal(cause: EndCause) -> (u16, u8) {
    TABLE.iter().find(|row| row.2 == cause).map_or((500, 127), |row| (row.0, row.1))
}

/// The Q.850 value for the end of a conversation: 16, normal clearing, unless something failed.
pub fn clearing(cause: EndCause) -> u8 {
    match cause {
        EndCause::CallerHungUp
        | EndCause::CalledHungUp
        | EndCause::Transferred
        | EndCause::Joined
        | EndCause::Dropped => 16,
        cause => refusal(cause).1,
    }
}

/// What a final response means. The Q.850 value of its Reason header says more than the response where it is one that
/// this table knows.
pub fn cause(response: u16, q850: Option<u8>) -> EndCause {
    let by_q850 = q850.filter(|&value| value != 16 && value != 31 && value != 127);
    if let Some(row) = by_q850.and_then(|value| TABLE.iter().find(|row| row.1 == value)) {
        return row.2;
    }
    if let Some(row) = TABLE.iter().find(|row| row.0 == response) {
        return row.2;
    }
    // RFC 3261 section 8.1.3.2: an unknown response counts as the x00 of its class.
    match response {
        300..400 => EndCause::UnknownNumber,
        600..700 => EndCause::Busy,
        _ => EndCause::NoTrunk,
    }
}

/// The cause in a BYE, by the Q.850 value of its Reason header: normal clearing is the called party's, which is what the
/// exchange corrects by the direction of the call.
pub fn ended(q850: Option<u8>) -> EndCause {
    match q850 {
        None | Some(16 | 31 | 127) => EndCause::CalledHungUp,
        Some(value) => cause(0, Some(value)),
    }
}

/// The Q.850 value in the text of a Reason header (`Q.850;cause=17;text="busy"`), of the first that has one.
pub fn q850(reason: &str) -> Option<u8> {
    reason.split(',').find_map(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next().filter(|protocol| protocol.eq_ignore_ascii_case("Q.850"))?;
        parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("cause").then(|| value.trim().parse().ok())?
        })
    })
}

/// The text of a Reason header with this Q.850 value.
pub fn reason(q850: u8) -> String {
    format!("Q.850;cause={q850}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_can_be_sent_as_a_final_response() {
        for &cause in EndCause::ALL {
            assert!(TABLE.iter().any(|row| row.2 == cause), "{}", cause.name());
            let (response, q850) = refusal(cause);
            assert!((400..700).contains(&response) && (1..=127).contains(&q850), "{}", cause.name());
        }
        assert_eq!(refusal(EndCause::NoTrunk), (503, 34));
        assert_eq!(refusal(EndCause::NoAnswer), (480, 19));
    }

    #[test]
    fn what_carriers_say_is_understood() {
        for (response, reason, expected) in [
            (486, None, EndCause::Busy),
            (600, None, EndCause::Busy),
            (404, None, EndCause::UnknownNumber),
            (484, None, EndCause::UnknownNumber),
            (480, None, EndCause::NoAnswer),
            (487, None, EndCause::CallerHungUp),
            (503, None, EndCause::NoTrunk),
            (503, Some(42), EndCause::Overload),
            (500, Some(17), EndCause::Busy),
            (480, Some(16), EndCause::NoAnswer),
            (488, None, EndCause::NoCommonCodec),
            (403, None, EndCause::Blocked),
            (500, None, EndCause::MediaFailure),
            (599, None, EndCause::NoTrunk),
            (499, None, EndCause::NoTrunk),
            (699, None, EndCause::Busy),
            (404, Some(99), EndCause::UnknownNumber),
        ] {
            assert_eq!(cause(response, reason), expected, "{response} {reason:?}");
        }
    }

    #[test]
    fn reason_headers_are_read() {
        assert_eq!(q850("Q.850;cause=17;text=\"User busy\""), Some(17));
        assert_eq!(q850("SIP;cause=486, q.850 ; cause = 34"), Some(34));
        assert_eq!(q850("SIP;cause=200"), None);
        assert_eq!(q850("Q.850;cause=999"), None);
        assert_eq!(q850("Q.850"), None);
        assert_eq!(q850(&reason(16)), Some(16));
        assert_eq!(ended(Some(16)), EndCause::CalledHungUp);
        assert_eq!(ended(Some(41)), EndCause::NoTrunk);
    }
}
