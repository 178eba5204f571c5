//! The site goes in and comes out as it was.

use selsius_exchange::record::{AutoRegistered, Record};
use selsius_site::{Button, Model, Site};

use super::{fresh, office, reopen};
use crate::{SiteVersion, StoreError};

/// A site that has everything that a site can have.
fn everything() -> Site {
    Site::from_toml(
        "everything.toml",
        r##"
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
        "*5" = { name = "" }

        [devices.SEP001122334455]
        description = "Entrance hall"
        model = "7960"
        side-cars = ["7914"]
        roam = true
        buttons = [
            { line = "1001", label = "mine" },
            { speed-dial = "*5", label = "five" },
            {},
            { service = "http://news.example/menu.xml", label = "News" },
            { line = "*5" },
        ]

        [devices.SOFTPHONE]

        [routes.0]
        lines = ["*5", "1001"]

        [routes.112]
        lines = ["1001"]
        emergency = true

        [routes."00!"]
        block = true

        [pools.berlin]
        language = "de"

        [users.anna]
        name = "Anna"
        pin = "4711"
        abbreviated = { 7 = "1001" }

        [pickup-groups.sales]

        [parking]
        slots = ["701-709"]

        [hunt-groups.2000]
        members = ["1001"]

        [paging-groups.800]
        lines = ["1001"]
        address = "239.192.1.1:20480"

        [rights.staff]
        partitions = ["national"]

        [routes."9.!"]
        trunks = ["carrier"]
        partition = "national"
        schedule = "office"

        [trunks.carrier]

        [schedules.office]
        open = ["mon-fri 08:00-18:00"]
        closed-on = ["2026-12-25"]

        [codes.boss]
        code = "4711"

        [blocked]
        calling = ["0900!"]

        [soft-keys.few]
        on-hook = ["redial"]

        [services.news]
        items = [{ name = "News", url = "http://host/news.xml" }]

        [contacts."Smith & Sons"]
        numbers = { work = "030123" }
        "##,
    )
    .unwrap()
}

#[tokio::test]
async fn a_new_store_has_the_empty_site() {
    let (_folder, store) = fresh().await;
    let stored = store.load_site().await.unwrap();
    assert_eq!((stored.site, stored.version), (Site::default(), SiteVersion(0)));
}

#[tokio::test]
async fn every_part_of_a_site_comes_back() {
    let (folder, store) = fresh().await;
    for (before, site) in (0..).zip([everything(), office(), Site::default(), everything()]) {
        let version = store.save_site(&site, SiteVersion(before)).await.unwrap();
        assert_eq!(version, SiteVersion(before + 1));
        let stored = store.load_site().await.unwrap();
        assert_eq!((stored.site, stored.version), (site, version));
    }
    let store = reopen(folder.path(), store).await.store;
    assert_eq!(store.load_site().await.unwrap().site, everything());
}

#[tokio::test]
async fn small_changes_leave_the_rest_as_it_was() {
    let (_folder, store) = fresh().await;
    let mut site = everything();
    let mut version = store.save_site(&site, SiteVersion(0)).await.unwrap();
    let changes: [fn(&mut Site); 5] = [
        |site| {
            site.devices.pop_last();
        },
        |site| site.devices.values_mut().for_each(|device| device.buttons.truncate(2)),
        |site| site.lines.values_mut().for_each(|line| line.label.push('!')),
        |site| {
            site.routes.pop_first();
        },
        |site| {
            site.settings.firmware.insert(Model("7965".into()), "SCCP45".into());
        },
    ];
    for change in changes {
        change(&mut site);
        version = store.save_site(&site, version).await.unwrap();
        assert_eq!(store.load_site().await.unwrap().site, site);
    }
}

#[tokio::test]
async fn a_change_made_from_an_old_version_is_refused() {
    let (_folder, store) = fresh().await;
    store.save_site(&office(), SiteVersion(0)).await.unwrap();
    let error = store.save_site(&everything(), SiteVersion(0)).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { expected: SiteVersion(0), found: SiteVersion(1) }),
        "{error}"
    );
    assert_eq!(store.load_site().await.unwrap().site, office());
}

#[tokio::test]
async fn phones_that_register_themselves_join_the_site() {
    let (_folder, store) = fresh().await;
    let before = store.save_site(&office(), SiteVersion(0)).await.unwrap();
    let phone = AutoRegistered {
        device: "SEP00AA00BB00CC".parse().unwrap(),
        device_type: 7,
        line: "1901".parse().unwrap(),
    };
    store.recorder().record(Record::AutoRegistered(phone.clone()));
    // Registers again before its record was read, and one that is configured.
    store.recorder().record(Record::AutoRegistered(phone.clone()));
    let configured = AutoRegistered { device: "SEP001122334455".parse().unwrap(), ..phone.clone() };
    store.recorder().record(Record::AutoRegistered(configured));

    let mut expected = office();
    let buttons = vec![Button::Line { number: phone.line.clone(), label: String::new() }];
    expected.devices.insert(phone.device.clone(), selsius_site::Device { buttons, ..Default::default() });
    expected.lines.insert(phone.line.clone(), selsius_site::Line::default());
    let stored = store.load_site().await.unwrap();
    assert_eq!(stored.site, expected);
    assert_eq!(stored.version, SiteVersion(before.0 + 1), "who changes the site has to know of the phone");
    assert_eq!(store.auto_registered().await.unwrap(), std::slice::from_ref(&phone));

    // Removed by the administrator, it may register itself anew.
    store.save_site(&office(), stored.version).await.unwrap();
    assert_eq!(store.auto_registered().await.unwrap(), []);
    store.recorder().record(Record::AutoRegistered(phone.clone()));
    assert_eq!(store.load_site().await.unwrap().site, expected);
}

#[tokio::test]
async fn a_large_office_is_saved_in_one_piece() {
    let (_folder, store) = fresh().await;
    let mut site = Site::default();
    for number in 0..2000 {
        let line: selsius_site::LineNumber = format!("{}", 10_000 + number).parse().unwrap();
        let buttons = vec![Button::Line { number: line.clone(), label: String::new() }, Button::Empty];
        let device = selsius_site::Device { buttons, ..Default::default() };
        site.devices.insert(format!("SEP{number:012X}").parse().unwrap(), device);
        site.lines.insert(
            line,
            selsius_site::Line { name: format!("Room {number}"), ..selsius_site::Line::default() },
        );
    }
    store.save_site(&site, SiteVersion(0)).await.unwrap();
    assert_eq!(store.load_site().await.unwrap().site, site);
}
