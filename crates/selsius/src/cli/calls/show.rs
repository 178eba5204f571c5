//! One call, to read.

use selsius_server::api::{Call, Quality};

use super::party;
use crate::cli::out;

/// All that is known of a call.
pub(super) fn text(call: &Call) -> String {
    let mut text = format!("Call {}\n", call.id);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text += &format!("  {name:<11} {}\n", out::clean(value));
        }
    };
    line("from", &with_device(party(&call.calling), call.calling.device.as_deref()));
    line("dialed", &call.dialed);
    line("to", &with_device(party(&call.called), call.called.device.as_deref()));
    for on in &call.redirections {
        line(&on.kind, &format!("{} to {}, {}", party(&on.by), party(&on.to), out::time(on.at)));
    }
    line("started", &out::time(call.started));
    let rang = call.ringing.map(|from| out::duration(from, call.answered.unwrap_or(call.ended)));
    line("rang", &rang.unwrap_or_default());
    line("talked", &call.answered.map(|from| out::duration(from, call.ended)).unwrap_or_default());
    line("ended", &format!("{}, {}", out::time(call.ended), call.cause));
    line("trunk", &call.trunk);
    line("account", &call.account);
    line("codec", &call.codec);
    for recording in &call.recordings {
        line("recording", recording);
    }
    text.push('\n');
    match &call.quality[..] {
        [] => text += "Nobody has counted its audio.\n",
        quality => text += &table(quality),
    }
    text
}

fn with_device(party: String, device: Option<&str>) -> String {
    device.map_or(party.clone(), |device| format!("{party}, {device}"))
}

/// What was counted, a line for each leg and each who has counted.
fn table(quality: &[Quality]) -> String {
    let heading = [
        "LEG",
        "COUNTED BY",
        "CODEC",
        "SENT",
        "RECEIVED",
        "LOST",
        "JITTER",
        "ROUND TRIP",
        "MOS",
        "LOST THERE",
        "JITTER THERE",
        "MOS THERE",
    ];
    let mut text = out::table(heading, quality.iter().map(row));
    text += "\nRECEIVED to MOS is what came to who has counted, THERE what its other side says of what was sent. Packets and bytes.\n";
    text
}

fn row(quality: &Quality) -> [String; 12] {
    let leg = match &*quality.trunk {
        "" => format!("{} {}", quality.number, quality.device),
        trunk => format!("{} trunk {trunk}", quality.number),
    };
    let score = |mos: Option<f64>| mos.map(|mos| format!("{mos:.2}")).unwrap_or_default();
    let millis = |millis: Option<u32>| millis.map(|millis| format!("{millis} ms")).unwrap_or_default();
    let expected = u64::from(quality.packets_received) + u64::from(quality.packets_lost);
    let there = quality.packets_lost_there.map(|lost| share(lost, quality.packets_sent.into()));
    [
        leg.trim_start().into(),
        quality.counted_by.clone(),
        quality.codec.clone(),
        format!("{} ({})", quality.packets_sent, bytes(quality.octets_sent)),
        format!("{} ({})", quality.packets_received, bytes(quality.octets_received)),
        share(quality.packets_lost, expected),
        millis(Some(quality.jitter_ms)),
        millis(quality.round_trip_ms),
        score(quality.mos),
        there.unwrap_or_default(),
        millis(quality.jitter_there_ms),
        score(quality.mos_there),
    ]
}

/// `3 (1.5 %)`; a loss is never shown as none.
fn share(lost: u32, of: u64) -> String {
    if lost == 0 || of == 0 {
        return lost.to_string();
    }
    let percent = f64::from(lost) * 100.0 / of as f64;
    if percent < 0.1 { format!("{lost} (<0.1 %)") } else { format!("{lost} ({percent:.1} %)") }
}

fn bytes(bytes: u32) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use selsius_server::api::{Party, Redirection};

    use super::*;

    fn call() -> Call {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let party = |number: &str, name: &str, device: Option<&str>| Party {
            number: number.into(),
            name: name.into(),
            device: device.map(Into::into),
        };
        Call {
            id: 17,
            calling: party("1001", "Alice", Some("SEP1")),
            dialed: "0301".into(),
            called: party("0301", "E\u{1b}[1mve", None),
            started: at(0),
            ringing: Some(at(1)),
            answered: Some(at(4)),
            ended: at(66),
            cause: "caller-hung-up".into(),
            codec: "PCMU".into(),
            account: String::new(),
            trunk: "carrier".into(),
            redirections: vec![Redirection {
                kind: "pickup".into(),
                by: party("1002", "", None),
                to: party("1003", "", None),
                at: at(3),
            }],
            recordings: vec!["9-1-1001-0301.wav".into()],
            quality: vec![
                Quality {
                    device: "SEP1".into(),
                    number: "1001".into(),
                    counted_by: "phone".into(),
                    codec: "PCMU".into(),
                    packets_sent: 3100,
                    octets_sent: 496_000,
                    packets_received: 2000,
                    octets_received: 9_999,
                    packets_lost: 1,
                    jitter_ms: 4,
                    mos: Some(4.4),
                    ..Quality::default()
                },
                Quality {
                    trunk: "carrier".into(),
                    number: "0301".into(),
                    counted_by: "manager".into(),
                    packets_sent: 1000,
                    octets_received: 12_345_678,
                    round_trip_ms: Some(38),
                    mos: Some(4.25),
                    packets_lost_there: Some(25),
                    jitter_there_ms: Some(7),
                    mos_there: Some(3.9),
                    ..Quality::default()
                },
            ],
        }
    }

    #[test]
    fn a_call_with_all_that_can_be_known() {
        let text = text(&call());
        for line in [
            "Call 17",
            "  from        1001 (Alice), SEP1",
            "  to          0301 (E\u{FFFD}[1mve)",
            "  rang        0:03",
            "  talked      1:02",
            "  trunk       carrier",
            "  recording   9-1-1001-0301.wav",
            "LEG                 COUNTED BY  CODEC  SENT           RECEIVED       LOST       JITTER  ROUND TRIP  MOS   LOST THERE  JITTER THERE  MOS THERE",
            "1001 SEP1           phone       PCMU   3100 (496 kB)  2000 (9999 B)  1 (<0.1 %)  4 ms                4.40",
            "0301 trunk carrier  manager            1000 (0 B)     0 (12 MB)      0          0 ms    38 ms       4.25  25 (2.5 %)  7 ms          3.90",
        ] {
            let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.lines().any(|found| squeezed(found) == squeezed(line)), "{line}\n{text}");
        }
        assert!(text.contains("  pickup      1002 to 1003, ") && !text.contains("account"), "{text}");
    }

    #[test]
    fn a_call_that_nobody_counted_says_so() {
        let text = text(&Call { quality: vec![], answered: None, ringing: None, ..call() });
        assert!(text.ends_with("\nNobody has counted its audio.\n"), "{text}");
        assert!(!text.contains("talked") && !text.contains("rang"), "{text}");
    }
}
