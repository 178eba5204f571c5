//! Call records, asked for and exported.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Stdio};

use selsius_exchange::record::{
    CallEnded, CallId, CallQuality, CountedBy, EndCause, LegEnd, Mos, Party, Record, RedirectKind,
    Redirection, StreamFigures, WallTime,
};
use selsius_server::api::Call;
use selsius_station::Action;
use selsius_store::Store;

use crate::support::{Manager, OFFICE, Pair, fails, output, until};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A second of the first of November 2026, in UTC.
fn second(second: u64) -> WallTime {
    WallTime((1_793_491_200 + second.cast_signed()) * 1_000_000)
}

fn call(id: u64) -> CallEnded {
    let party = |number: &str| Party { number: number.into(), ..Party::default() };
    CallEnded {
        call: CallId(id),
        calling: party("1001"),
        dialed: "1002".into(),
        called: party("1002"),
        started: second(id),
        ringing: None,
        answered: None,
        ended: second(id),
        cause: EndCause::Busy,
        codec: String::new(),
        redirections: Vec::new(),
        account: String::new(),
        trunk: String::new(),
        recordings: Vec::new(),
    }
}

/// Fills a data directory, as a manager would have done.
fn fill(data_dir: &Path, records: impl IntoIterator<Item = Record>) {
    runtime().block_on(async {
        let store = Store::open(data_dir).await.unwrap().store;
        for (at, record) in records.into_iter().enumerate() {
            store.recorder().record(record);
            if at % 5_000 == 0 {
                store.flush().await.unwrap();
            }
        }
        store.close().await.unwrap();
    });
}

#[test]
fn a_call_is_exported_with_all_that_is_known() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(&OFFICE.replace("\"Bob\"", "\"=HYPERLINK(1)\""));
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        pair.alice.act(Action::OnHook).await.unwrap();
        until(&mut pair.alice, |now| now.face.calls.is_empty()).await;
        // The counts of both phones come after the end.
        while manager.calls().first().is_none_or(|call| call.quality.len() < 2) {
            tokio::task::yield_now().await;
        }
    });
    let line = manager.ask(&["calls", "--format", "json"]);
    let call: Call = serde_json::from_str(line.trim_end()).unwrap();
    assert_eq!(call, manager.calls()[0]);

    let text = manager.ask(&["calls", "--format", "csv"]);
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<std::collections::BTreeMap<String, String>> =
        csv.deserialize().collect::<Result<_, _>>().unwrap();
    let [row] = &rows[..] else { panic!("{text}") };
    for (column, value) in [
        ("calling_number", "1001"),
        ("calling_device", "SEP020000001001"),
        ("called_name", "'=HYPERLINK(1)"),
        ("called_device", "SEP020000001002"),
        ("cause", "caller-hung-up"),
        ("trunk", ""),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    for column in ["talk_seconds", "calling_packets_sent", "called_jitter_ms"] {
        assert!(row[column].parse::<f64>().is_ok(), "{column}: {row:?}");
    }

    let file = top.path().join("calls.csv");
    let name = file.to_str().unwrap();
    fs::write(&file, "an older export").unwrap();
    assert_eq!(manager.ask(&["calls", "--format", "csv", "--output", name]), "");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let said = fails(manager.command(&["calls", "--format", "csv", "--cause", "bored", "--output", name]));
    assert!(said.contains("no call ends as `bored`"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "an export that fails leaves the older one");
    manager.stop();
}

#[test]
fn conditions_choose_calls() {
    let top = tempfile::tempdir().unwrap();
    let party = |number: &str, device: &str| Party {
        number: number.into(),
        device: Some(device.parse().unwrap()),
        ..Party::default()
    };
    let answered = CallEnded {
        called: party("1003", "SEP000000000003"),
        answered: Some(second(2)),
        cause: EndCause::CalledHungUp,
        redirections: vec![Redirection {
            kind: RedirectKind::Transfer,
            by: party("1009", "SEP000000000009"),
            to: party("1003", "SEP000000000003"),
            at: second(2),
        }],
        ..call(2)
    };
    let count = CallQuality {
        call: CallId(2),
        party: 4,
        number: "1003".into(),
        end: LegEnd::Phone("SEP000000000003".parse().unwrap()),
        counted_by: CountedBy::Phone,
        codec: "PCMA".into(),
        figures: StreamFigures {
            packets_sent: 5,
            packets_received: 6,
            packets_lost: 7,
            jitter_ms: 8,
            mos: Mos::from_hundredths(320),
            ..StreamFigures::default()
        },
    };
    let records = [
        Record::CallEnded(Box::new(call(1))),
        Record::CallEnded(Box::new(answered)),
        Record::CallEnded(Box::new(call(3))),
    ];
    fill(top.path(), records.into_iter().chain([Record::CallQuality(Box::new(count))]));
    let manager = Manager::start(top.path(), &[]);
    let ids = |conditions: &[&str]| {
        let said = manager.ask(&[&["calls", "--format", "json"], conditions].concat());
        said.lines().map(|line| serde_json::from_str::<Call>(line).unwrap().id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), [3, 2, 1]);
    for (conditions, expected) in [
        (&["--last", "2"][..], &[3, 2][..]),
        (&["--last", "0"], &[]),
        (&["--since", "2026-11-01T00:00:02Z"], &[3, 2]),
        (&["--since", "2026-11-01T00:00:02Z", "--until", "2026-11-01T00:00:03Z"], &[2]),
        (&["--number", "1003"], &[2]),
        (&["--number", "1009"], &[2]),
        (&["--device", "sep000000000003"], &[2]),
        (&["--cause", "busy"], &[3, 1]),
        (&["--answered"], &[2]),
        (&["--poor"], &[2]),
        (&["--poor=3.2"], &[]),
        (&["--missed", "--last", "1"], &[3]),
    ] {
        assert_eq!(ids(conditions), expected, "{conditions:?}");
    }
    let table = manager.ask(&["calls", "--answered"]);
    assert!(table.contains("1002 -> 1003") && table.contains("called-hung-up"), "{table}");
    assert!(table.lines().nth(1).is_some_and(|row| row.trim_end().ends_with("7     3.2")), "{table}");
    let said = fails(manager.command(&["calls", "--poor=9"]));
    assert!(said.contains("9 is no mean opinion score"), "{said}");
    let shown = manager.ask(&["calls", "show", "2"]);
    assert!(shown.starts_with("Call 2\n") && shown.contains("1003 SEP000000000003"), "{shown}");
    let shown: Call = serde_json::from_str(&manager.ask(&["calls", "show", "2", "--json"])).unwrap();
    assert_eq!((shown.id, shown.quality[0].mos), (2, Some(3.2)));
    let said = fails(manager.command(&["calls", "show", "4"]));
    assert!(said.contains("there is no record of a call 4"), "{said}");
    assert_eq!(manager.ask(&["calls", "--number", "4711"]), "no calls\n");
    manager.stop();
}

#[test]
fn many_calls_come_in_pages_and_old_ones_go_at_the_next_start() {
    const CALLS: u64 = 3_210;
    let top = tempfile::tempdir().unwrap();
    fill(top.path(), (1..=CALLS).map(|id| Record::CallEnded(Box::new(call(id)))));
    let manager = Manager::start(top.path(), &[]);
    let text = manager.ask(&["calls", "--format", "csv"]);
    let ids = text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse::<u64>().unwrap());
    assert!(ids.eq((1..=CALLS).rev()), "all of them, in order");

    let mut child = manager.command(&["calls", "--format", "csv"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = output(child);
    assert!(
        ended.status.success() && ended.stderr.is_empty(),
        "whoever stops reading is no error: {ended:?}"
    );
    manager.stop();

    let config = top.path().join("selsius.toml");
    fs::write(&config, "[records]\nkeep-calls = 10\n").unwrap();
    let manager = Manager::start(top.path(), &["--config", config.to_str().unwrap()]);
    // In the background: each question waits for its turn, and the test's own limit ends this.
    while manager.calls().len() > 10 || manager.ask(&["calls", "--format", "json"]).lines().count() > 10 {}
    let first = manager.calls().pop().unwrap();
    assert_eq!(first.id, CALLS - 9);
    manager.stop();
}
