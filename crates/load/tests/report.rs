//! What a report looks like, to the letter: programs and people read it.
#![allow(clippy::unwrap_used, reason = "a report for tests")]

use std::collections::BTreeMap;

use selsius_load::{
    CallReport, Ended, GeneratorReport, Latencies, Latency, MessageReport, RegistrationReport, Report,
    SCHEMA, Sample, StrangerReport, VoiceReport,
};

fn latency(count: u64) -> Latency {
    Latency { count, min: 90, mean: 250.5, p50: 200, p90: 400, p99: 1500, p99_9: 20_000, max: 25_000 }
}

fn report() -> Report {
    let sample = Sample {
        at: 0.0,
        seconds: 1.0,
        registered: 10,
        due: 50,
        completed: 48,
        failed: 1,
        sent: 900,
        received: 2900,
        ring_p50_us: 200,
        ring_p99_us: 1500,
        behind_us: 1000,
    };
    Report {
        schema: SCHEMA,
        target: "127.0.0.1:2000".parse().unwrap(),
        phones: 10,
        ended: Ended::Finished,
        seconds: 2.5,
        registration: RegistrationReport {
            attempts: 11,
            completed: 10,
            registered: 10,
            seconds: 0.5,
            failed: BTreeMap::from([("refused by the server: <b>no</b>".into(), 1)]),
        },
        calls: CallReport {
            rate: 50.0,
            seconds: 2.0,
            attempts: 100,
            completed: 97,
            completed_by_kind: BTreeMap::from([("hold", 7), ("plain", 90)]),
            cut: 1,
            failed: BTreeMap::from([("no-ring", 2)]),
        },
        wrong: BTreeMap::from([("caller-id", 1)]),
        examples: vec!["caller-id: in a call from 1001 to 1002 the display says `1009`".into()],
        strangers: StrangerReport {
            slow_readers: 2,
            slow_readers_dropped: 1,
            half_open: 20,
            half_open_closed: 3,
        },
        messages: MessageReport {
            sent: 1800,
            received: 5800,
            sent_per_second: 720.0,
            received_per_second: 2320.0,
        },
        voice: VoiceReport { sent: 5000, received: 4990, lost: 10 },
        latency_us: Latencies {
            register_to_ready: latency(10),
            off_hook_to_tone: latency(100),
            digit_to_ring: latency(98),
            answer_to_media_caller: latency(98),
            answer_to_media_callee: latency(98),
            hang_up_to_idle: latency(97),
            resume_to_media: latency(7),
            transfer_to_media: Latency::default(),
        },
        generator: GeneratorReport {
            behind_us: latency(110),
            cpu_seconds: 0.25,
            cpu_us_per_call: 150.0,
            resident_bytes: 12_582_912,
        },
        timeline: vec![sample, Sample { at: 1.0, due: 50, ..sample }],
    }
}

/// Compares with a file; with `SELSIUS_GOLDEN=write` it writes the file instead.
fn golden(name: &str, is: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SELSIUS_GOLDEN").is_some_and(|what| what == "write") {
        std::fs::write(&path, is).unwrap();
    }
    assert_eq!(is, std::fs::read_to_string(&path).unwrap(), "{path}");
}

#[test]
fn json() {
    golden("report.json", &(report().to_json() + "\n"));
}

#[test]
fn text() {
    golden("report.txt", &report().to_string());
}

#[test]
fn html_stands_alone_and_shows_what_there_is() {
    let html = report().to_html();
    for forbidden in ["http:", "https:", "<script", "<link", "url(", "<b>no</b>", "NaN", "inf"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("refused by the server: &lt;b&gt;no&lt;/b&gt;"));
    assert_eq!(html.matches("<svg ").count(), html.matches("</svg>").count());
    // Latencies, calls, milliseconds, messages, phones.
    assert_eq!(html.matches("<svg ").count(), 5);
    for row in ["register to ready", "digit to ring", "resume to media", "generator behind by", "no-ring"] {
        assert!(html.contains(row), "{row}");
    }
    assert!(!html.contains("transfer to media"), "nothing was transferred");
}

#[test]
fn a_run_without_calls_has_no_charts_of_calls() {
    let mut report = report();
    report.calls.attempts = 0;
    report.timeline.truncate(1);
    assert_eq!(report.to_html().matches("<svg ").count(), 3);
}
