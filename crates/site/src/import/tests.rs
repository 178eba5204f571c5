use proptest::prelude::*;

use super::*;
use crate::{Button, DoNotDisturb, Feature, KeySet, Music, Pool, SideCar, SoftKey};

fn csv(text: &str) -> Result<Imported, SiteFileError> {
    Site::default().import(ImportFormat::Csv, "phones.csv", text.as_bytes())
}

fn sccp_conf(text: &str) -> Result<Imported, SiteFileError> {
    Site::default().import(ImportFormat::SccpConf, "sccp.conf", text.as_bytes())
}

/// The faults as `line:column key: message`.
fn faults(result: Result<Imported, SiteFileError>) -> Vec<String> {
    let show = |problem: &FileProblem| {
        let at = problem.position.as_ref().map_or("?".into(), |at| format!("{}:{}", at.line, at.column));
        format!("{at} {}: {}", problem.key, problem.message)
    };
    result.unwrap_err().problems.iter().map(show).collect()
}

#[test]
fn the_template_is_an_office() {
    let site = csv(CSV_TEMPLATE).unwrap().site;
    assert_eq!(site.devices.len(), 2);
    let reception = &site.devices[&"SEP001BD5123456".parse().unwrap()];
    assert_eq!(reception.lines().map(LineNumber::as_str).collect::<Vec<_>>(), ["1001", "1000"]);
    assert_eq!(reception.buttons.len(), 4);
    assert_eq!(
        reception.buttons[2],
        Button::SpeedDial { number: "0".parse().unwrap(), label: "Outside".into() }
    );
    assert!(site.pickup_groups.contains_key(&"front".parse().unwrap()));
    assert_eq!(Site::from_toml("site.toml", &site.to_toml()).unwrap(), site);
}

/// As a German spreadsheet writes it: byte order mark, semicolons, quotes, blank rows and columns.
#[test]
fn a_spreadsheet_s_table_is_read() {
    let table = "\u{FEFF}MAC;Model;Line 1;Name 1;Label_1;Line2;Name2;Side cars;Pool;Language;;\r\n\
                 SEP001bd5123456;CP-7960G;1001;\"Müller; Anna\";\"Say \"\"A\"\"\";1000;Zentrale;7914 7914;Köln;de;;\r\n\
                 ;;;;;;;;;;;\r\n\
                 \r\n\
                 00-1B-D5-12-34-57;7941;1002;Bob;;1000;Zentrale;;Köln;;;\r\n";
    let site = csv(table).unwrap().site;
    let anna = &site.devices[&"SEP001BD5123456".parse().unwrap()];
    assert_eq!(site.lines[&"1001".parse().unwrap()].name, "Müller; Anna");
    assert_eq!(anna.buttons[0].label(), "Say \"A\"");
    assert_eq!(anna.side_cars, [SideCar::C7914, SideCar::C7914]);
    assert_eq!(anna.pool.as_ref().unwrap().as_str(), "Köln");
    let sharing = site.devices.values().filter(|device| device.lines().any(|line| line.as_str() == "1000"));
    assert_eq!(sharing.count(), 2, "a shared line is on both");
}

#[test]
fn every_fault_of_a_table_is_told_with_its_place() {
    let table = "device,modell,line1,name1,line2,label3,pool\n\
                 001BD5123456,7960,1001,Alice,10x2,,main\n\
                 001BD512345,7960,1002,Bob,,,main\n\
                 SEP001BD5123456,7960,1003,Carol,,,\n\
                 001BD5123459,7960,1001,\"Not\nAlice\",,Top,\n\
                 ,7960,1004,,,,,too much\n";
    assert_eq!(
        faults(csv(table)),
        [
            "1:8 modell: unknown column; did you mean `model`?",
            "2:30 line2: contains 'x'; digits, '*', '#' and a leading '+' are possible",
            "3:1 device: a MAC address has 12 hexadecimal digits, not 11",
            "4:1 device: SEP001BD5123456 is at line 2 already",
            "5:24 name1: line 1001 has the name \"Alice\" at line 2",
            "6:9 line3: stands without a number in the column line3",
            "7:7 device: this row has no device; expected the phone's MAC address",
            "7:16 \"column 8\": the first row has no name for it",
        ]
    );
    let rest = faults(csv("mac,model,line1,lamp1,rights\n001BD5123456,8000,1001,1009,none\n"));
    assert_eq!(rest, ["2:14 model: no model is called \"8000\""]);
    let rest = faults(csv("mac,model,line1,line2,lamp1,rights\n001BD5123456,7912,1001,1002,1009,none\n"));
    assert_eq!(
        rest,
        [
            "2:19 devices.SEP001BD5123456.buttons: 2 lines, but a 7912 has at most 1",
            "2:29 devices.SEP001BD5123456.buttons[3].busy-lamp: line 1009 does not exist; add it under [lines] or use one that exists",
            "2:34 lines.1001.rights: rights none does not exist; add it under [rights] or use one that exists",
            "2:34 lines.1002.rights: rights none does not exist; add it under [rights] or use one that exists",
        ]
    );
}

#[test]
fn a_table_needs_a_device_column_and_utf_8() {
    assert!(faults(csv(""))[0].contains("the table is empty"));
    assert!(faults(csv("model;line1\n7960;1001\n"))[0].starts_with("1:1 device: no column has this name"));
    let error =
        Site::default().import(ImportFormat::Csv, "phones.csv", b"mac,name1\n001BD5123456,M\xFCller\n");
    assert!(faults(error)[0].starts_with("2:15 : is not UTF-8"));
}

#[test]
fn a_table_goes_on_top_of_the_office() {
    let mut office = csv(CSV_TEMPLATE).unwrap().site;
    let pool = "main".parse().unwrap();
    office.music.insert("bells".parse().unwrap(), Music::default());
    office.pools.insert(pool, Pool { music: Some("bells".parse().unwrap()), ..Pool::default() });
    let table = "mac,pool,name1,line1\n001BD5123456,main,Front desk,1001\n001BD5123499,,Cellar,1005\n";
    let imported = office.import(ImportFormat::Csv, "more.csv", table.as_bytes()).unwrap();
    let changes: Vec<_> = crate::diff(&office, &imported.site).iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "~ line 1001 name: \"Reception\" -> \"Front desk\"",
            "+ line 1005 \"Cellar\"",
            "~ device SEP001BD5123456 pool: none -> main",
            "~ device SEP001BD5123456 button 2: line 1000 -> none",
            "~ device SEP001BD5123456 button 3: speed-dial 0 \"Outside\" -> none",
            "~ device SEP001BD5123456 button 4: busy-lamp 1002 \"Workshop\" -> none",
            "+ device SEP001BD5123499 line 1005",
        ]
    );
}

/// The constructs of chan-sccp's documentation: templates, comments, both arrows, inherited buttons.
const CONF: &str = "\
[general]
servername = Office ; shown on the phones
keepalive = 60
dateformat = D.M.Y
firstdigittimeout = 16
disallow = all
allow = alaw,ulaw
allow=gsm
bindaddr = 0.0.0.0
sccp_tos = 0x68
;-- a long
keepalive = 5
comment --;
#include more.conf

[desk](!)
type = device
devicetype => 7960
park = off
dtmfmode = inband
softkeyset = short
addon = 7914

[SEP001122334455](desk)
description = Phone Number One
button = line, 98011,default
button = empty
button = line, 98012@12:Second#Other!silent
button = speeddial,Helpdesk, 98112, 98112@hints
button = speeddial,Front, 98000, 98000@hints
button = feature,Private,privacy,callpresent
button = feature,Record calls,monitor
button = service,News,http://news.example/
privacy = on

[SEP002244668800](desk)
button = line, 98012
button = line, reception
dnd = silent

[98011]
type = line
label = Line 1
cid_name = First
cid_num = +493098011
mailbox = 10011@default
callgroup=1,3-4
pickupgroup=1,3
incominglimit = 6
dnd = reject
adhocnumber = 98012
secondary_dialtone_digits = 9
transfer = on

[98012]
type = line
description = Line two
callgroup = 3
pickupgroup = 3

[reception]
type = line
cid_num = 98000
cid_name = Reception
adhocnumber = 555

[short]
type = softkeyset
onhook = redial,newcall,empty,vidmode
onstealable = intrcpt
";

#[test]
fn a_sccp_conf_becomes_an_office() {
    let Imported { site, left_out } = sccp_conf(CONF).unwrap();
    assert_eq!(Site::from_toml("site.toml", &site.to_toml()).unwrap(), site);
    let first = &site.devices[&"SEP001122334455".parse().unwrap()];
    assert_eq!(
        (first.description.as_str(), first.model.as_ref().unwrap().as_str()),
        ("Phone Number One", "7960")
    );
    assert_eq!((&first.side_cars[..], first.privacy), (&[SideCar::C7914][..], true));
    let label = |text: &str| String::from(text);
    let number = |text: &str| text.parse::<LineNumber>().unwrap();
    assert_eq!(
        first.buttons,
        [
            Button::Line { number: number("98011"), label: label("") },
            Button::Empty,
            Button::Line { number: number("98012"), label: label("Other") },
            Button::SpeedDial { number: number("98112"), label: label("Helpdesk") },
            Button::BusyLamp { number: number("98000"), label: label("Front") },
            Button::Feature { feature: Feature::Privacy, label: label("Private") },
            Button::Empty,
            Button::Service { url: label("http://news.example/"), label: label("News") },
        ]
    );
    let line = &site.lines[&number("98011")];
    assert_eq!(
        (line.name.as_str(), line.label.as_str(), line.calls, line.busy_trigger),
        ("First", "Line 1", 6, 6)
    );
    assert_eq!(line.external_number.as_ref().unwrap().to_string(), "+493098011");
    assert_eq!((line.voicemail, line.mailbox.clone()), (true, Some(number("10011"))));
    assert_eq!(line.hotline.as_ref().unwrap().number, number("98012"));
    assert_eq!(line.pickup_group.as_ref().unwrap().as_str(), "group-1");
    let others = &site.pickup_groups[&"group-1".parse().unwrap()].others;
    assert_eq!(others.iter().map(ToString::to_string).collect::<Vec<_>>(), ["group-3"]);
    assert_eq!(site.lines[&number("98012")].do_not_disturb, DoNotDisturb::Silent, "as its phone says");
    assert_eq!(site.lines[&number("98000")].name, "Reception", "a line called by a word has its cid_num");
    let keys = &site.soft_keys[&"short".parse().unwrap()].0;
    assert_eq!(keys[&KeySet::OnHook], [SoftKey::Redial, SoftKey::NewCall]);
    let settings = &site.settings;
    assert_eq!(
        (settings.name.as_str(), settings.keepalive_seconds, settings.timers.first_digit),
        ("Office", 60, 16)
    );
    assert_eq!(settings.codecs.iter().map(|codec| codec.name()).collect::<Vec<_>>(), ["pcma", "pcmu"]);
    let told: Vec<_> = left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 8: allow: gsm: selsius has no such codec",
            "line 9: bindaddr: belongs to selsius.toml",
            "line 10: sccp_tos: selsius has no such setting",
            "line 14: #include more.conf: other files are not read; import them by themselves",
            "line 19: park: selsius cannot switch this off; soft keys can be taken away",
            "line 20: dtmfmode: selsius has no such setting",
            "line 28: button: a line has the same name and number on all its phones",
            "line 28: button: a line rings the same way on all its phones",
            "line 29: button: no line has the number 98112: the button dials it, without a lamp",
            "line 32: button: selsius has no feature \"monitor\" for buttons",
            "line 47: callgroup: a line is in one pickup group; [98011] is in group-1",
            "line 52: secondary_dialtone_digits: selsius has no such setting",
            "line 65: adhocnumber: nobody has the number 555; expected a number of the office, or one that a route matches",
            "line 69: onhook: selsius has no soft key \"vidmode\"",
            "line 70: onstealable: selsius has no soft keys of their own for this",
        ]
    );
}

#[test]
fn every_fault_of_a_sccp_conf_is_told_with_its_place() {
    let conf = "stray = 1\n\
                [SEP0011223344556677]\ntype = device\n\
                [front](nowhere)\ntype = line\n\
                [1001]\ntype = line\n\
                [1001]\ntype = line\n\
                [SEP001122334455]\ntype = device\nbutton = line, bob\n";
    assert_eq!(
        faults(sccp_conf(conf)),
        [
            "1:1 section: expected a section, such as [general], before this",
            "2:2 SEP0011223344556677: has 19 characters, at most 15 are possible",
            "4:2 front: no section [nowhere] stands before this one",
            "4:2 front: is no number: contains 'f'; digits, '*', '#' and a leading '+' are possible; give it a cid_num",
            "8:2 1001: this section is at line 6 already",
            "12:10 button: line \"bob\": contains 'b'; digits, '*', '#' and a leading '+' are possible",
        ]
    );
    let conf = "[SEP001122334455]\ntype=device\ndevicetype=7940\nbutton = line, 1001\nbutton = line,1002\nbutton = line,1003\n\
                [1001]\ntype=line\n[1002]\ntype=line\n";
    assert_eq!(
        faults(sccp_conf(conf)),
        [
            "4:10 devices.SEP001122334455.buttons: 3 buttons, but a 7940 has at most 2",
            "4:10 devices.SEP001122334455.buttons: 3 lines, but a 7940 has at most 2",
            "6:10 devices.SEP001122334455.buttons[3].line: line 1003 does not exist; add it under [lines] or use one that exists",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever is read is a valid site or a list of faults.
    #[test]
    fn any_bytes_are_a_site_or_faults(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [ImportFormat::Csv, ImportFormat::SccpConf] {
            valid_or_faults(format, &bytes);
        }
    }

    /// As above, with the words that the formats know, in any order.
    #[test]
    fn any_words_are_a_site_or_faults(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        for format in [ImportFormat::Csv, ImportFormat::SccpConf] {
            valid_or_faults(format, words.concat().as_bytes());
        }
    }

    /// As above, with files in which something is cut out.
    #[test]
    fn damaged_files_are_a_site_or_faults(from in 0..1500_usize, length in 0..200_usize) {
        for (format, text) in [(ImportFormat::Csv, CSV_TEMPLATE), (ImportFormat::SccpConf, CONF)] {
            let mut bytes = text.as_bytes().to_vec();
            let from = from % bytes.len();
            bytes.drain(from..(from + length).min(text.len()));
            valid_or_faults(format, &bytes);
        }
    }
}

const WORDS: &[&str] = &[
    "mac,line1,name1,model,dial1,pool\n",
    "device;line;lamp1;lamp-label1\r\n",
    "\n",
    ",",
    ";",
    "\"",
    "\r",
    "é",
    " ",
    "001BD5123456",
    "00:1b:d5:12:34:57",
    "1001",
    "1002",
    "7960",
    "Alice",
    "main",
    "x y",
    "[1001]\n",
    "[SEP001BD5123456]\n",
    "[t](!)\n",
    "[1002](t)\n",
    "[general]\n",
    "type = line\n",
    "type=device\n",
    "type=softkeyset\n",
    "button = line, 1001\n",
    "button = speeddial,A,5,5@h\n",
    "button=feature,A,dnd\n",
    "callgroup=1,2-99\n",
    "pickupgroup = 2\n",
    "adhocnumber=77\n",
    "cid_num=5\n",
    "dateformat=Q\n",
    "onhook=redial\n",
    "softkeyset=1001\n",
    "addon=7914,7914,7914\n",
    ";--",
    "--;",
    "[",
    "]",
    "=>",
];

fn valid_or_faults(format: ImportFormat, bytes: &[u8]) {
    match Site::default().import(format, "file", bytes) {
        Ok(imported) => {
            assert_eq!(imported.site.validate(), []);
            assert_eq!(Site::from_toml("site", &imported.site.to_toml()).unwrap(), imported.site);
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
}
