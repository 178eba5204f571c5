//! Databases that an older release has left.

use std::fs;

use selsius_exchange::record::{CountedBy, LegEnd, StreamFigures};
use selsius_site::{Site, SiteFile};
use tempfile::TempDir;

use super::{open, reopen};
use crate::{CallFilter, SiteVersion, Store, StoreError, sqlite::make_old};

/// Rows of the first form: the site that [`site`] is, and a call.
const ROWS: &str = r#"
UPDATE site SET version = 7;
INSERT INTO settings VALUES
  (1, 'Büro "Süd"', 'Europe/Berlin', 'M/D/YA', 'germany', 30, 60, 20, 7, 90, '0901', '0999');
INSERT INTO codecs VALUES (2, 'pcma'), (1, 'g729');
INSERT INTO firmware VALUES ('7960', 'P0030801SR02'), ('7912', 'CP7912080001SCCP051117A');
INSERT INTO lines VALUES ('1001', 'Müller', 'Büro'), ('*5', '', '');
INSERT INTO devices VALUES ('SEP001122334455', 'Entrance \\ "hall"', '7960', 1), ('SOFTPHONE', '', NULL, 0);
INSERT INTO buttons VALUES
  ('SEP001122334455', 5, 'line', '*5', NULL, ''),
  ('SEP001122334455', 1, 'line', '1001', NULL, 'mine'),
  ('SEP001122334455', 2, 'speed-dial', '*5', NULL, 'five'),
  ('SEP001122334455', 3, 'empty', NULL, NULL, ''),
  ('SEP001122334455', 4, 'service', NULL, 'http://news.example/menu.xml', 'News');
INSERT INTO routes VALUES ('0', 'lines', 0), ('112', 'lines', 1), ('00!', 'block', 0);
INSERT INTO route_lines VALUES ('0', 2, '1001'), ('0', 1, '*5'), ('112', 1, '1001');
INSERT INTO auto_registered VALUES ('SOFTPHONE', 30016, '*5');
INSERT INTO calls VALUES
  (41, '1001', 'Müller', NULL, '*5', '*5', '', NULL, 1, NULL, NULL, 2, 'caller-hung-up', 'PCMU');
"#;

fn site() -> Site {
    let text = r#"
        [settings]
        name = "Büro \"Süd\""
        time-zone = "Europe/Berlin"
        date-format = "M/D/YA"
        tones = "germany"
        codecs = ["g729", "pcma"]
        packet-ms = 30
        keepalive-seconds = 60
        auto-registration = { first = "0901", last = "0999" }
        timers = { first-digit = 20, inter-digit = 7, no-answer = 90 }
        firmware = { 7960 = "P0030801SR02", 7912 = "CP7912080001SCCP051117A" }
        [lines]
        1001 = { name = "Müller", label = "Büro" }
        "*5" = {}
        [devices.SEP001122334455]
        description = "Entrance \\\\ \"hall\""
        model = "7960"
        roam = true
        buttons = [
            { line = "1001", label = "mine" }, { speed-dial = "*5", label = "five" }, {},
            { service = "http://news.example/menu.xml", label = "News" }, { line = "*5" },
        ]
        [devices.SOFTPHONE]
        [routes]
        0 = { lines = ["*5", "1001"] }
        112 = { lines = ["1001"], emergency = true }
        "00!" = { block = true }
    "#;
    SiteFile::parse("old.toml", text).unwrap().apply(&Site::default(), true)
}

#[tokio::test]
async fn the_first_form_is_brought_up_to_date() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    make_old(&data.join("selsius.db"), 1, ROWS).await;

    let store = open(folder.path()).await.store;
    let stored = store.load_site().await.unwrap();
    assert_eq!((stored.site, stored.version), (site(), SiteVersion(7)));
    assert_eq!(store.auto_registered().await.unwrap().len(), 1);
    assert_eq!(store.calls(&CallFilter::default()).await.unwrap().len(), 1);

    // It is one of the present form from here on.
    let mut changed = site();
    changed.lines.remove(&"*5".parse().unwrap());
    store.save_site(&changed, SiteVersion(7)).await.unwrap();
    let store = reopen(folder.path(), store).await.store;
    assert_eq!(store.load_site().await.unwrap().site, changed);
}

#[tokio::test]
async fn what_phones_counted_stays_with_its_call() {
    let rows = "
        INSERT INTO calls VALUES
          (41, '1001', '', 'SEP000000000001', '1002', '1002', '', 'SEP000000000002', 1, 1, 1, 2, 'caller-hung-up', 'PCMA', '', '');
        INSERT INTO call_quality VALUES
          (41, 'SEP000000000001', 1, 2, 3, 4), (41, 'SEP000000000002', 5, 6, 7, 8), (41, 'SEP000000000003', 9, 9, 9, 9),
          (42, 'SEP000000000001', 9, 9, 9, 9);";
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    make_old(&data.join("selsius.db"), 5, rows).await;
    let store = open(folder.path()).await.store;
    let [record] = &store.calls(&CallFilter::default()).await.unwrap()[..] else { panic!("one call") };
    let quality = record.quality.iter().map(|quality| {
        let LegEnd::Phone(device) = &quality.end else { panic!("{quality:?}") };
        let StreamFigures { packets_sent, packets_received, packets_lost, jitter_ms, mos, .. } =
            quality.figures;
        assert_eq!((quality.counted_by, mos, &*quality.codec), (CountedBy::Phone, None, "PCMA"));
        let counts = [packets_sent, packets_received, packets_lost, jitter_ms];
        (quality.party, device.as_str(), quality.number.as_str(), counts)
    });
    assert_eq!(
        quality.collect::<Vec<_>>(),
        [
            (1, "SEP000000000001", "1001", [1, 2, 3, 4]),
            (2, "SEP000000000002", "1002", [5, 6, 7, 8]),
            (3, "SEP000000000003", "", [9, 9, 9, 9]),
        ]
    );
}

#[tokio::test]
async fn a_first_form_without_a_site_is_an_empty_site() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    make_old(&data.join("selsius.db"), 1, "").await;
    let store = open(folder.path()).await.store;
    assert_eq!(store.load_site().await.unwrap().site, Site::default());
}

#[tokio::test]
async fn a_backup_of_the_first_form_can_be_restored() {
    let folder = TempDir::new().unwrap();
    let backup = folder.path().join("backup.db");
    make_old(&backup, 1, ROWS).await;
    let store = open(folder.path()).await.store;
    store.restore(&backup).await.unwrap();
    assert_eq!(store.load_site().await.unwrap().site, site());
}

#[tokio::test]
async fn an_entry_that_nobody_can_read_is_named() {
    let rows = [
        (
            "INSERT INTO site_parts VALUES ('lines', '1001', '{\"lift\": 1}')",
            "entry \"1001\" of the site's lines: unknown field `lift`",
        ),
        ("INSERT INTO site_parts VALUES ('lifts', '1', '{}')", "there is no section \"lifts\" of a site"),
    ];
    for (sql, expected) in rows {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        make_old(&data.join("selsius.db"), i64::MAX, sql).await;
        let store: Store = open(folder.path()).await.store;
        let error = store.load_site().await.unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}
