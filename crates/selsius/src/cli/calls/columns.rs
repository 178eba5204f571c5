//! A call as a row of CSV. `docs/call-records.md` describes the columns.

use jiff::{SignedDuration, Timestamp};
use selsius_server::api::{Call, Party, Quality};

use crate::cli::out;

/// The heading. Programs know columns by these names: a new one goes to the end.
pub(super) const NAMES: [&str; 42] = [
    "id",
    "started",
    "ringing",
    "answered",
    "ended",
    "ring_seconds",
    "talk_seconds",
    "calling_number",
    "calling_name",
    "calling_device",
    "dialed",
    "called_number",
    "called_name",
    "called_device",
    "cause",
    "account",
    "trunk",
    "codec",
    "redirections",
    "calling_packets_sent",
    "calling_packets_received",
    "calling_packets_lost",
    "calling_jitter_ms",
    "called_packets_sent",
    "called_packets_received",
    "called_packets_lost",
    "called_jitter_ms",
    "others_packets_lost",
    "calling_mos",
    "calling_round_trip_ms",
    "calling_relayed_packets_received",
    "calling_relayed_packets_lost",
    "calling_relayed_jitter_ms",
    "calling_relayed_mos",
    "called_mos",
    "called_round_trip_ms",
    "called_relayed_packets_received",
    "called_relayed_packets_lost",
    "called_relayed_jitter_ms",
    "called_relayed_mos",
    "lowest_mos",
    "recordings",
];

/// The row of a call.
pub(super) fn of(call: &Call) -> [String; NAMES.len()] {
    let rang = call.ringing.map(|from| seconds(from, call.answered.unwrap_or(call.ended)));
    let talked = call.answered.map(|from| seconds(from, call.ended));
    let [calling_device, called_device] = [&call.calling, &call.called].map(device);
    let calling = Side::of(call, &call.calling);
    // A phone that calls itself has one count, that of the caller.
    let same = !called_device.is_empty() && called_device == calling_device;
    let called = if same { Side::default() } else { Side::of(call, &call.called) };
    let others: Vec<_> = call
        .quality
        .iter()
        .filter(|quality| !is_managers(quality))
        .filter(|quality| quality.device != calling_device && quality.device != called_device)
        .map(|quality| u64::from(quality.packets_lost))
        .collect();
    let others = if others.is_empty() { String::new() } else { others.iter().sum::<u64>().to_string() };
    let [calling_sent, calling_received, calling_lost, calling_jitter] = counts(calling.own);
    let [called_sent, called_received, called_lost, called_jitter] = counts(called.own);
    let [calling_mos, calling_way, calling_came, calling_missing, calling_uneven, calling_said] =
        calling.heard();
    let [called_mos, called_way, called_came, called_missing, called_uneven, called_said] = called.heard();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    [
        call.id.to_string(),
        call.started.to_string(),
        time(call.ringing),
        time(call.answered),
        call.ended.to_string(),
        rang.unwrap_or_default(),
        talked.unwrap_or_default(),
        text(&call.calling.number),
        text(&call.calling.name),
        text(calling_device),
        text(&call.dialed),
        text(&call.called.number),
        text(&call.called.name),
        text(called_device),
        text(&call.cause),
        text(&call.account),
        text(&call.trunk),
        text(&call.codec),
        text(&redirections(call)),
        calling_sent,
        calling_received,
        calling_lost,
        calling_jitter,
        called_sent,
        called_received,
        called_lost,
        called_jitter,
        others,
        calling_mos,
        calling_way,
        calling_came,
        calling_missing,
        calling_uneven,
        calling_said,
        called_mos,
        called_way,
        called_came,
        called_missing,
        called_uneven,
        called_said,
        known(super::lowest_mos(call)),
        call.recordings.join("; "),
    ]
}

/// What was counted of a party's leg.
#[derive(Clone, Copy, Default)]
struct Side<'a> {
    /// By its phone.
    own: Option<&'a Quality>,
    /// By the manager.
    managers: Option<&'a Quality>,
}

impl<'a> Side<'a> {
    fn of(call: &'a Call, party: &Party) -> Self {
        let is_its = |quality: &&Quality| match party.device.as_deref() {
            Some(device) => !device.is_empty() && quality.device == device,
            None => !quality.trunk.is_empty() && quality.number == party.number,
        };
        let counts = || call.quality.iter().filter(is_its);
        Self {
            own: counts().find(|quality| !is_managers(quality)),
            managers: counts().find(|quality| is_managers(quality)),
        }
    }

    /// What the party has heard, how far away it is, and what came from it to the manager.
    fn heard(self) -> [String; 6] {
        let (own, managers) = (self.own, self.managers);
        let mos = own.and_then(|own| own.mos).or_else(|| managers?.mos_there);
        let count = |count: fn(&Quality) -> u32| known(managers.map(count));
        [
            known(mos),
            known(own.and_then(|own| own.round_trip_ms).or_else(|| managers?.round_trip_ms)),
            count(|quality| quality.packets_received),
            count(|quality| quality.packets_lost),
            count(|quality| quality.jitter_ms),
            known(managers.and_then(|managers| managers.mos)),
        ]
    }
}

pub(super) fn is_managers(quality: &Quality) -> bool {
    quality.counted_by == "manager"
}

fn known(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn device(party: &Party) -> &str {
    party.device.as_deref().unwrap_or_default()
}

fn counts(quality: Option<&Quality>) -> [String; 4] {
    let count = |count: fn(&Quality) -> u32| known(quality.map(count));
    [
        count(|quality| quality.packets_sent),
        count(|quality| quality.packets_received),
        count(|quality| quality.packets_lost),
        count(|quality| quality.jitter_ms),
    ]
}

/// `transfer 1002 1009; redirect 49301 1005`: how, by whom, to whom.
fn redirections(call: &Call) -> String {
    let one = call.redirections.iter().map(|on| format!("{} {} {}", on.kind, on.by.number, on.to.number));
    one.collect::<Vec<_>>().join("; ")
}

/// With milliseconds, so that every tariff can round as it likes.
fn seconds(from: Timestamp, to: Timestamp) -> String {
    let span = to.duration_since(from).max(SignedDuration::ZERO);
    format!("{}.{:03}", span.as_secs(), span.subsec_millis())
}

/// A text that a spreadsheet takes for a text. Names come from phones and from outside, and a cell that begins with one
/// of these characters is a formula, which can call programs. A plus and digits is a number in any case: it stays.
fn text(text: &str) -> String {
    let text = out::clean(text);
    let number = text.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    match text.starts_with(['=', '+', '-', '@']) && !number {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use selsius_server::api::Redirection;

    use super::*;

    fn party(number: &str, device: Option<&str>) -> Party {
        Party { number: number.into(), name: String::new(), device: device.map(Into::into) }
    }

    fn quality(device: &str, number: u32) -> Quality {
        Quality {
            device: device.into(),
            counted_by: "phone".into(),
            packets_sent: number,
            packets_received: number + 1,
            packets_lost: number + 2,
            jitter_ms: number + 3,
            ..Quality::default()
        }
    }

    fn managers(device: &str, number: u32) -> Quality {
        Quality {
            counted_by: "manager".into(),
            mos: Some(f64::from(number) / 100.0),
            mos_there: Some(4.5),
            round_trip_ms: Some(number + 4),
            ..quality(device, number)
        }
    }

    fn call() -> Call {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        Call {
            id: 7,
            calling: party("1001", Some("SEP1")),
            dialed: "0301".into(),
            called: Party { name: "=cmd|'/c calc'!A1".into(), ..party("+49301", Some("SEP2")) },
            started: at(1000),
            ringing: Some(at(1500)),
            answered: Some(at(4750)),
            ended: at(64_751),
            cause: "caller-hung-up".into(),
            codec: "PCMA".into(),
            account: "-7".into(),
            trunk: "carrier".into(),
            redirections: vec![Redirection {
                kind: "transfer".into(),
                by: party("1002", None),
                to: party("1009", None),
                at: at(5000),
            }],
            recordings: vec!["9-1-1001-0301.wav".into(), "12-2-1001-0301.wav".into()],
            quality: vec![
                managers("SEP1", 310),
                Quality { mos: Some(4.25), ..quality("SEP1", 10) },
                quality("SEP2", 20),
                managers("SEP2", 320),
                quality("SEP3", 30),
                managers("SEP3", 330),
                quality("SEP4", 40),
            ],
        }
    }

    fn cell(call: &Call, name: &str) -> String {
        let at = NAMES.iter().position(|one| *one == name).unwrap();
        of(call)[at].clone()
    }

    #[test]
    fn every_cell_is_under_its_name() {
        let expected = [
            ("id", "7"),
            ("started", "1970-01-01T00:00:01Z"),
            ("ringing", "1970-01-01T00:00:01.5Z"),
            ("answered", "1970-01-01T00:00:04.75Z"),
            ("ended", "1970-01-01T00:01:04.751Z"),
            ("ring_seconds", "3.250"),
            ("talk_seconds", "60.001"),
            ("calling_number", "1001"),
            ("calling_name", ""),
            ("calling_device", "SEP1"),
            ("dialed", "0301"),
            ("called_number", "+49301"),
            ("called_name", "'=cmd|'/c calc'!A1"),
            ("called_device", "SEP2"),
            ("cause", "caller-hung-up"),
            ("account", "'-7"),
            ("trunk", "carrier"),
            ("codec", "PCMA"),
            ("redirections", "transfer 1002 1009"),
            ("calling_packets_sent", "10"),
            ("calling_packets_received", "11"),
            ("calling_packets_lost", "12"),
            ("calling_jitter_ms", "13"),
            ("called_packets_sent", "20"),
            ("called_packets_received", "21"),
            ("called_packets_lost", "22"),
            ("called_jitter_ms", "23"),
            ("others_packets_lost", "74"),
            ("calling_mos", "4.25"),
            ("calling_round_trip_ms", "314"),
            ("calling_relayed_packets_received", "311"),
            ("calling_relayed_packets_lost", "312"),
            ("calling_relayed_jitter_ms", "313"),
            ("calling_relayed_mos", "3.1"),
            ("called_mos", "4.5"),
            ("called_round_trip_ms", "324"),
            ("called_relayed_packets_received", "321"),
            ("called_relayed_packets_lost", "322"),
            ("called_relayed_jitter_ms", "323"),
            ("called_relayed_mos", "3.2"),
            ("lowest_mos", "3.1"),
            ("recordings", "9-1-1001-0301.wav; 12-2-1001-0301.wav"),
        ];
        let call = call();
        assert_eq!(expected.map(|(name, _)| name), NAMES);
        assert_eq!(of(&call), expected.map(|(_, value)| value));
    }

    #[test]
    fn what_is_not_known_is_empty() {
        let missed = Call { answered: None, quality: vec![], calling: party("1001", None), ..call() };
        assert_eq!(cell(&missed, "ring_seconds"), "63.251");
        for name in [
            "answered",
            "talk_seconds",
            "calling_device",
            "calling_jitter_ms",
            "others_packets_lost",
            "called_mos",
            "called_relayed_mos",
            "lowest_mos",
        ] {
            assert_eq!(cell(&missed, name), "", "{name}");
        }
        // A count without a name of a phone is nobody's.
        let stray = Call { quality: vec![quality("", 1)], called: party("1002", None), ..missed.clone() };
        assert_eq!(cell(&stray, "called_packets_sent"), "");
        // Whoever is at the other end of a trunk is known by the number.
        let outside = Call {
            quality: vec![
                Quality { trunk: "carrier".into(), number: "+49301".into(), ..managers("", 100) },
                Quality { trunk: "carrier".into(), number: "+49302".into(), ..managers("", 200) },
            ],
            called: party("+49302", None),
            ..missed.clone()
        };
        assert_eq!(
            (cell(&outside, "called_relayed_mos"), cell(&outside, "called_mos")),
            ("2".into(), "4.5".into())
        );
        assert_eq!(
            (cell(&outside, "calling_mos"), cell(&outside, "called_packets_sent")),
            ("".into(), "".into())
        );
        let itself =
            Call { called: party("1002", Some("SEP1")), quality: vec![quality("SEP1", 1)], ..call() };
        assert_eq!(
            (cell(&itself, "calling_jitter_ms"), cell(&itself, "called_jitter_ms")),
            ("4".into(), "".into())
        );
    }

    #[test]
    fn no_text_is_a_formula() {
        for (from, to) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-1", "'-1"),
            ("+1|cmd", "'+1|cmd"),
            ("+49301", "+49301"),
            ("*21#", "*21#"),
            ("\t=1", "\u{FFFD}=1"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(text(from), to);
        }
    }

    #[test]
    fn the_manual_names_every_column() {
        let manual = include_str!("../../../../../docs/call-records.md");
        for name in NAMES {
            assert!(manual.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
