//! Each rule, broken in an office that keeps all of them.

mod features;

use super::*;
use crate::{
    Action, AutoRegistration, Button, Device, Line, Model, Route, SideCar,
    validate::form::{is_date_format, is_zone_name},
};

fn number(text: &str) -> LineNumber {
    text.parse().unwrap()
}

fn line_button(text: &str) -> Button {
    Button::Line { number: number(text), label: String::new() }
}

/// Two lines, a 7912 with the first, a route to the second, an emergency route.
fn office() -> Site {
    let mut site = Site::default();
    site.lines.insert(number("1001"), Line { name: "Anna".into(), ..Line::default() });
    site.lines.insert(number("1002"), Line::default());
    let device =
        Device { model: Some(Model("7912".into())), buttons: vec![line_button("1001")], ..Device::default() };
    site.devices.insert("SEP001122334455".parse().unwrap(), device);
    let route = |line: &str, emergency| Route {
        action: Action::Lines(vec![number(line)]),
        emergency,
        ..Route::default()
    };
    site.routes.insert("0".parse().unwrap(), route("1002", false));
    site.routes.insert("112".parse().unwrap(), route("1002", true));
    site
}

fn device(site: &mut Site) -> &mut Device {
    site.devices.values_mut().next().unwrap()
}

#[track_caller]
fn faults(change: impl FnOnce(&mut Site)) -> Vec<String> {
    let mut site = office();
    change(&mut site);
    site.validate().iter().map(ToString::to_string).collect()
}

#[test]
fn an_office_and_an_empty_site_are_valid() {
    assert_eq!(faults(|_| {}), [""; 0]);
    assert_eq!(Site::default().validate(), []);
}

#[test]
fn buttons_and_routes_need_their_lines() {
    assert_eq!(
        faults(|site| {
            site.lines.remove(&number("1001"));
        }),
        [
            "devices.SEP001122334455.buttons[1].line: line 1001 does not exist; add it under [lines] or use one that exists"
        ],
    );
    assert_eq!(
        faults(|site| {
            site.lines.remove(&number("1002"));
        })
        .len(),
        2
    );
    let twice = Route {
        action: Action::Lines(vec![number("1001"), number("1001")]),
        emergency: false,
        ..Route::default()
    };
    assert_eq!(
        faults(|site| {
            site.routes.insert("9".parse().unwrap(), twice);
        }),
        ["routes.9.lines[2]: line 1001 is there twice"],
    );
    let nowhere = Route { action: Action::Lines(Vec::new()), emergency: false, ..Route::default() };
    assert_eq!(
        faults(|site| {
            site.routes.insert("9".parse().unwrap(), nowhere);
        }),
        ["routes.9.lines: is empty; expected at least one line"],
    );
}

#[test]
fn a_phone_has_only_so_many_buttons() {
    assert_eq!(
        faults(|site| device(site).buttons.push(line_button("1001"))),
        [
            "devices.SEP001122334455.buttons: 2 lines, but a 7912 has at most 1",
            "devices.SEP001122334455.buttons[2].line: line 1001 is there twice",
        ],
    );
    assert_eq!(
        faults(|site| device(site).buttons.resize(11, Button::Empty)),
        ["devices.SEP001122334455.buttons: 11 buttons, but a 7912 has at most 10"],
    );
    let many = faults(|site| {
        device(site).model = None;
        device(site).buttons.resize(43, Button::Empty);
    });
    assert_eq!(many, ["devices.SEP001122334455.buttons: 43 buttons, but a phone has at most 42"]);
    let with = |model: &str, buttons: usize, side_cars: &[SideCar]| {
        faults(|site| {
            device(site).model = Some(Model(model.into()));
            device(site).side_cars = side_cars.into();
            device(site).buttons.resize(buttons, Button::Empty);
        })
    };
    let (small, large) = (SideCar::C7914, SideCar::C7916);
    assert_eq!(with("7960", 34, &[small, small]), [""; 0]);
    assert_eq!(with("7975", 42, &[large, large]), [""; 0]);
    assert_eq!(
        with("7960", 21, &[small]),
        ["devices.SEP001122334455.buttons: 21 buttons, but a 7960 with these side cars has at most 20"]
    );
    assert_eq!(
        with("7960", 7, &[]),
        ["devices.SEP001122334455.buttons: 7 buttons, but a 7960 without side cars has at most 6"]
    );
    assert_eq!(with("7970", 8, &[large]), ["devices.SEP001122334455.side-cars[1]: a 7970 takes no 7916"]);
    assert_eq!(with("7942", 2, &[small]), ["devices.SEP001122334455.side-cars[1]: a 7942 takes no 7914"]);
    assert_eq!(
        with("7965", 6, &[large; 3]),
        ["devices.SEP001122334455.side-cars: 3 side cars; expected at most 2"]
    );
}

#[test]
fn backgrounds_and_rings_are_files_for_phones_that_take_them() {
    let with = |model: &str, background: &str| {
        faults(|site| {
            device(site).model = Some(Model(model.into()));
            device(site).buttons.truncate(1);
            device(site).background = background.into();
            device(site).ring_tone = "Chime.raw".into();
        })
    };
    for good in ["Desktops/320x212x16/Logo.png", "Logo.png", "http://10.0.0.7:80/Logo.png"] {
        assert_eq!(with("7975", good), [""; 0], "{good}");
    }
    for bad in ["../Logo.png", "/Logo.png", "a//b.png", "https://10.0.0.7/Logo.png", "http://", "my logo.png"]
    {
        let fault = format!(
            "devices.SEP001122334455.background: {bad:?} is neither a file in the folder of the phones' files nor an \
             http:// address"
        );
        assert_eq!(with("7975", bad), [fault]);
    }
    let cannot = "takes neither background nor ring tone from a manager";
    assert_eq!(
        with("7912", "Logo.png"),
        [
            format!("devices.SEP001122334455.background: a 7912 {cannot}"),
            format!("devices.SEP001122334455.ring-tone: a 7912 {cannot}")
        ]
    );
}

#[test]
fn device_names_and_models_are_real() {
    let misspelt = faults(|site| {
        let phone = device(site).clone();
        site.devices.insert("SEP00112233445".parse().unwrap(), phone.clone());
        site.devices.insert("softphone".parse().unwrap(), phone);
    });
    assert_eq!(misspelt.len(), 1, "{misspelt:?}");
    assert!(misspelt[0].starts_with("devices.SEP00112233445: a phone's name is SEP and the 12"));
    assert_eq!(
        faults(|site| device(site).model = Some(Model("7913".into()))),
        ["devices.SEP001122334455.model: no model is called \"7913\""]
    );
}

#[test]
fn texts_fit_the_wire() {
    let name_of =
        |length: usize| faults(|site| site.lines.values_mut().next().unwrap().name = "ü".repeat(length));
    assert_eq!(name_of(19), [""; 0]);
    assert_eq!(name_of(20), ["lines.1001.name: 40 bytes long; expected at most 39"]);
    assert_eq!(
        faults(|site| site.settings.name = "a\nb".into()),
        ["settings.name: contains a control character"]
    );
}

#[test]
fn service_addresses_are_ones_a_phone_can_open() {
    let url = |url: &str| {
        faults(|site| device(site).buttons.push(Button::Service { url: url.into(), label: "News".into() }))
    };
    for good in ["http://10.0.0.1/menu.xml", "https://[::1]:8443/a?b=c&d", "http://host"] {
        assert_eq!(url(good), [""; 0], "{good}");
    }
    for bad in [
        "",
        "ftp://host/",
        "http://",
        "http:///menu",
        "http://:80/",
        "http://ho st/",
        "http://hóst/",
        "Dial:0",
    ] {
        let found = url(bad);
        assert_eq!(found.len(), 1, "{bad}");
        assert!(found[0].contains("buttons[2].service") && found[0].contains("expected http"), "{found:?}");
    }
    assert!(url(&format!("http://host/{}", "a".repeat(244)))[0].contains("256 bytes long"));
    assert_eq!(url(&format!("http://host/{}", "a".repeat(243))), [""; 0]);
}

#[test]
fn settings_stay_in_their_ranges() {
    assert_eq!(
        faults(|site| site.settings.keepalive_seconds = 9),
        ["settings.keepalive-seconds: is 9; expected 10 to 600 seconds"]
    );
    assert_eq!(
        faults(|site| site.settings.packet_ms = 25),
        ["settings.packet-ms: is 25; expected 10, 20, 30, 40, 50 or 60 milliseconds"]
    );
    assert_eq!(faults(|site| site.settings.packet_ms = 70).len(), 1);
    assert_eq!(faults(|site| site.settings.timers.first_digit = 0).len(), 1);
    assert_eq!(faults(|site| site.settings.timers.inter_digit = 61).len(), 1);
    assert_eq!(faults(|site| site.settings.timers.no_answer = 4).len(), 1);
    assert_eq!(faults(|site| site.settings.codecs.clear()).len(), 1);
    assert_eq!(faults(|site| site.settings.codecs.push(site.settings.codecs[0])).len(), 1);
    let opus = faults(|site| site.settings.codecs.push(crate::CodecName::Opus));
    assert_eq!(opus, ["settings.codecs: phones do not have Opus; a trunk's `codecs` may name it"]);
    let trunk = crate::Trunk { codecs: vec![crate::CodecName::Opus], ..crate::Trunk::default() };
    assert!(faults(|site| drop(site.trunks.insert("carrier".parse().unwrap(), trunk))).is_empty());
    assert_eq!(
        faults(|site| drop(site.settings.firmware.insert(Model("7960".into()), "../x".into()))).len(),
        1
    );
    assert_eq!(
        faults(|site| drop(site.settings.firmware.insert(Model("7960".into()), "P0030801SR02".into()))),
        [""; 0]
    );
}

#[test]
fn dates_and_zones_have_their_form() {
    for good in ["D/M/Y", "M/D/YA", "D.M.Y", "Y-M-D", "DMY", "Y.M.DA"] {
        assert!(is_date_format(good), "{good}");
    }
    for bad in ["", "D/M", "D/M/Y/", "D/M/YY", "D//M//Y", "d/m/y", "H:M", "A", "/D/MY", "D M Y", "D/M/YAA"] {
        assert!(!is_date_format(bad), "{bad}");
    }
    for good in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
        assert!(is_zone_name(good), "{good}");
    }
    for bad in ["", "Europe/", "/etc/passwd", "../x", "Europe Berlin", "5", "Österreich"] {
        assert!(!is_zone_name(bad), "{bad}");
    }
}

#[test]
fn auto_registration_is_a_range_of_numbers() {
    let range = |text: &str| faults(|site| site.settings.auto_registration = Some(text.parse().unwrap()));
    assert_eq!(range("1001-1999"), [""; 0]);
    assert_eq!(range("0001-9999"), [""; 0]);
    assert_eq!(range("00000-09999"), [""; 0]);
    assert!(range("00000-10000")[0].contains("more than 10,000"));
    assert!(range("123456789012345678901234")[0].contains("more than 10,000"));
    assert!(range("1001-999")[0].contains("differ in length"));
    assert!(range("1999-1001")[0].contains("greater than last"));
    assert!(range("1001-*999")[0].contains("only digits"));
    assert_eq!(
        range("110-119"),
        ["settings.auto-registration: includes 112, which is the emergency number 112"]
    );
    let numbers: Vec<_> =
        "0098-0101".parse::<AutoRegistration>().unwrap().numbers().map(|number| number.to_string()).collect();
    assert_eq!(numbers, ["0098", "0099", "0100", "0101"]);
}

#[test]
fn nothing_hides_an_emergency_number() {
    let line = |site: &mut Site, text| drop(site.lines.insert(number(text), Line::default()));
    assert_eq!(
        faults(|site| line(site, "0")),
        ["routes.0: is also a line, which comes first; remove one of the two"]
    );
    assert!(
        faults(|site| line(site, "112"))[0]
            .starts_with("routes.112: a line with the number 112 hides this emergency number")
    );
    let blocked = faults(|site| {
        site.routes.insert(
            "11X".parse().unwrap(),
            Route { action: Action::Block, emergency: true, ..Route::default() },
        );
    });
    assert_eq!(blocked, ["routes.11X.block: an emergency route cannot block; expected lines"]);
    let narrow = faults(|site| {
        let route =
            Route { action: Action::Lines(vec![number("1002")]), emergency: true, ..Route::default() };
        site.routes.insert("11X".parse().unwrap(), route);
        site.routes.insert(
            "110".parse().unwrap(),
            Route { action: Action::Block, emergency: false, ..Route::default() },
        );
        site.routes.insert(
            "1XX".parse().unwrap(),
            Route { action: Action::Block, emergency: false, ..Route::default() },
        );
    });
    assert_eq!(
        narrow,
        ["routes.110.block: blocks a number of the emergency route 11X; remove one of the two"]
    );
}

#[test]
fn many_routes_in_a_row_are_followed_to_their_end() {
    let mut site = office();
    let count = 2000_u32;
    for at in 0..count {
        let route =
            Route { action: Action::Number(number(&(50_000 + at + 1).to_string())), ..Route::default() };
        site.routes.insert((50_000 + at).to_string().parse().unwrap(), route);
    }
    let end = Route { action: Action::Number(number("1001")), ..Route::default() };
    site.routes.insert((50_000 + count).to_string().parse().unwrap(), end);
    assert_eq!(site.validate(), []);
    let back = Route { action: Action::Number(number("50000")), ..Route::default() };
    site.routes.insert((50_000 + count).to_string().parse().unwrap(), back);
    let faults = site.validate();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].at.to_string(), format!("routes.{}.number", 50_000 + count));
}
