//! Sites as files, read and written.

mod documentation;
mod random;

use proptest::prelude::*;

use self::random::sites;
use super::*;
use crate::{Settings, diff};

fn read(text: &str) -> Site {
    Site::from_toml("office.toml", text).unwrap_or_else(|e| panic!("{e}"))
}

fn mistakes(text: &str) -> Vec<String> {
    let error = Site::from_toml("office.toml", text).expect_err(text);
    let show = |problem: &FileProblem| {
        let (line, column) = problem.position.as_ref().map_or((0, 0), |at| (at.line, at.column));
        let hint = problem.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{line}:{column} {}: {}{hint}", problem.key, problem.message)
    };
    error.problems.iter().map(show).collect()
}

#[test]
fn the_sample_is_a_valid_site() {
    let site = Site::from_toml("sample.toml", SAMPLE).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((site.devices.len(), site.lines.len(), site.routes.len()), (2, 2, 3));
    assert_eq!(site.settings, Settings::default(), "what is commented out is the default");
}

/// The sample with its comments taken in, where they are TOML.
fn uncommented() -> String {
    let is_toml = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        line.starts_with('[') || (line.contains(" = ") && key.chars().all(plain))
    };
    let take = |line: &'static str| line.strip_prefix("# ").filter(|rest| is_toml(rest)).unwrap_or(line);
    SAMPLE.lines().map(take).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_samples_comments_are_valid_too() {
    let site = Site::from_toml("sample.toml", &uncommented()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(site.hunt_groups.len(), 1, "the comments were taken in");
    let settings = Settings {
        time_zone: None,
        voicemail: None,
        music: None,
        auto_registration: None,
        firmware: BTreeMap::new(),
        ..site.settings
    };
    assert_eq!(settings, Settings::default(), "what has a default shows it");
}

#[test]
fn the_sample_has_every_key() {
    let text = uncommented();
    let file = SiteFile::parse("sample.toml", text).unwrap();
    for (section, keys) in Site::every_key() {
        for (key, _) in keys {
            let names: Vec<&str> = key.split('.').collect();
            let mentioned = file.places.keys().any(|path| {
                let path = path.to_string();
                path.starts_with(section) && path.ends_with(&format!(".{}", names.join(".")))
            });
            assert!(mentioned, "{section}.{key}");
        }
    }
}

#[test]
fn a_problem_shows_file_line_key_and_what_was_expected() {
    let text = "[lines.1001]\nname = \"Reception\"\n\n[devices.SEP001122334455]\n\tmodle = \"7960\"\n";
    let error = Site::from_toml("office.toml", text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "office.toml:5:2: devices.SEP001122334455.modle: unknown key; expected `description`, `model`, `roam`, \
         `pool`, `soft-keys`, `side-cars`, `time-zone`, `date-format`, `language`, `privacy`, `mobility`, `abbreviated`, \
         `idle-text`, `background`, `ring-tone`, `prefer`, `media`, `srtp` or `buttons`\n   |\n 5 |  modle = \"7960\"\n   |  ^^^^^ did you mean `model`?"
    );
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = r#"
colour = "red"
[settings]
name = 7
tones = "german"
codecs = ["g722", "g711"]
packet-ms = "20"
keepalive-seconds = -5
auto-registration = { first = "1001" }
firmware.7961X = "load"
[lines.1001]
nam = "Anna"
[lines."10 02"]
[devices.SEP001122334455]
model = "7963"
roam = 1
buttons = [{ line = 1001 }, { lin = "1001", label = "A" }, { label = "A" }, { line = "1001", service = "x" }, 5]
[routes.0]
[routes."1["]
block = true
[routes.2]
block = true
lines = ["1001"]
"#;
    let expected = [
        "2:1 colour: unknown key; expected `settings`, `lines`, `devices`, … or `contacts`",
        "4:8 settings.name: is an integer; expected a text",
        "5:9 settings.tones: is \"german\"; expected `united-states`, `germany`, `united-kingdom` or `france` (did you mean `germany`?)",
        "6:19 settings.codecs[2]: is \"g711\"; expected `pcmu`, `pcma`, `g722`, `g729` or `opus`…",
        "7:13 settings.packet-ms: is a text; expected milliseconds such as 20",
        "8:21 settings.keepalive-seconds: is -5; expected seconds such as 30",
        "9:1 settings.auto-registration: has no `last`; expected false, or the ends of a range such as { first = \"1001\", last = \"1999\" }",
        "10:10 settings.firmware.7961X: no model is called \"7961X\"; expected a model such as \"7960\", \"7965\" or \"SPA525G2\"…",
        "12:1 lines.1001.nam: unknown key; expected `name`, `label`, … (did you mean `name`?)",
        "13:8 lines.\"10 02\": contains ' '; digits, '*', '#' and a leading '+' are possible; expected a number such as \"1001\"",
        "15:9 devices.SEP001122334455.model: no model is called \"7963\"; expected a model such as \"7960\", \"7965\" or \"SPA525G2\"…",
        "16:8 devices.SEP001122334455.roam: is an integer; expected true or false",
        "17:21 devices.SEP001122334455.buttons[1].line: is an integer; expected a number in quotes, as they can begin with 0 (write \"1001\")",
        "17:31 devices.SEP001122334455.buttons[2].lin: unknown key; expected `line`, `speed-dial`, … or `label` (did you mean `line`?)",
        "17:60 devices.SEP001122334455.buttons[3]: has only a label; expected one of line, … paging too",
        "17:77 devices.SEP001122334455.buttons[4]: is several things; expected one of line, … paging",
        "17:111 devices.SEP001122334455.buttons[5]: is an integer; expected a button such as { line = \"1001\" }, or {} for none",
        "18:9 routes.0: leads nowhere; expected lines = [..], number = \"..\", trunks = [..] or block = true",
        "19:9 routes.\"1[\": a '[' that is never closed at character 2; expected a pattern such as \"0.!\" or \"1XX\"",
        "21:9 routes.2: has lines and block; expected one of them",
    ];
    assert_mistakes(text, &expected);
}

/// Checks the mistakes of a file; `…` in an expected one stands for anything.
#[track_caller]
fn assert_mistakes(text: &str, expected: &[&str]) {
    let found = mistakes(text);
    for (found, expected) in found.iter().zip(expected) {
        let (begin, end) = expected.split_once('…').unwrap_or((expected, expected));
        let right = found.starts_with(begin) && found.ends_with(end);
        assert!(right, "found    {found}\nexpected {expected}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn mistakes_in_the_features_are_named_too() {
    let text = r#"
[settings]
language = "german"
conference-drop = true
[settings.timers]
park-return = "60"
[settings.codes]
park = 68
parc = "*68"
pickup = "8 4"
[lines.1001]
calls = "4"
call-waiting = "yes"
pickup-group = "the sales"
external-number = "+49-30"
hotline = { after = 5 }
ring = "loud"
[devices.SEP001122334455]
side-cars = ["7914", "7917"]
abbreviated = { one = "1001", 2 = 1002 }
buttons = [{ feature = "parc" }, { park-slot = "x" }, { service = 7 }]
[users.anna]
pin = 1234
[parking]
slots = ["701-7o9", "1-2-3"]
[hunt-groups.sales]
[paging-groups.800]
address = "239.192.1.1"
mode = "anycast"
[routes.1]
trunks = "carrier"
[routes.2]
number = "1001"
block = true
[schedules.office]
open = ["mon-fry 08:00-18:00", "sat 9-13", "sun 08:00-25:00", "mon", "tue 08:00-08:00"]
closed-on = [2026-12-25, "25.12.2026"]
[trunks.carrier]
kind = "isdn"
[blocked]
calling = ["1+"]
[soft-keys.reception]
on-hook = ["redail"]
[services.news]
items = [{ name = "A" }, { name = "B", url = "http://h", number = "1" }, { number = "1" }]
[contacts.Smith]
numbers = { work = 5 }
"#;
    let expected = [
        "3:12 settings.language: is \"german\"; expected `en`, `de`, `fr` or `es`",
        "4:19 settings.conference-drop: is true or false; expected `owner` or `anyone`",
        "6:15 settings.timers.park-return: is a text; expected seconds, or 0 for never",
        "8:8 settings.codes.park: is an integer; … (write \"68\")",
        "9:1 settings.codes.parc: unknown key; … (did you mean `park`?)",
        "10:10 settings.codes.pickup: contains ' '; …",
        "12:9 lines.1001.calls: is a text; expected a number such as 4",
        "13:16 lines.1001.call-waiting: is a text; expected true, false, or \"\" for what the settings say",
        "14:16 lines.1001.pickup-group: contains ' '; … expected a name such as \"sales\"",
        "15:19 lines.1001.external-number: contains '-'; …",
        "16:11 lines.1001.hotline: has no `number`; …",
        "17:8 lines.1001.ring: is \"loud\"; expected `normal`, `silent`, `once` or `feature`",
        "19:22 devices.SEP001122334455.side-cars[2]: is \"7917\"; … (did you mean `7914`, `7915` or `7916`?)",
        "20:17 devices.SEP001122334455.abbreviated.one: invalid digit found in string; …",
        "20:35 devices.SEP001122334455.abbreviated.2: is an integer; …",
        "21:24 devices.SEP001122334455.buttons[1].feature: is \"parc\"; … (did you mean `park`?)",
        "21:48 devices.SEP001122334455.buttons[2].park-slot: contains 'x'; …",
        "21:67 devices.SEP001122334455.buttons[3].service: is an integer; expected a service's name, …",
        "23:7 users.anna.pin: is an integer; … (write \"1234\")",
        "25:10 parking.slots[1]: contains 'o'; …",
        "25:21 parking.slots[2]: contains '-'; …",
        "26:14 hunt-groups.sales: contains 's'; …",
        "28:11 paging-groups.800.address: invalid socket address syntax; expected an address and port …",
        "29:8 paging-groups.800.mode: is \"anycast\"; expected `multicast` or `unicast`…",
        "31:10 routes.1.trunks: is a text; expected a list such as [\"carrier\"]",
        "32:9 routes.2: has number and block; expected one of them",
        "36:9 schedules.office.open[1]: \"fry\" is no day; …",
        "36:32 schedules.office.open[2]: \"9\" is no time …",
        "36:44 schedules.office.open[3]: \"25:00\" is no time …",
        "36:63 schedules.office.open[4]: is not days and hours; …",
        "36:70 schedules.office.open[5]: ends when it begins; …",
        "37:26 schedules.office.closed-on[2]: is \"25.12.2026\"; expected a day such as \"2026-12-25\"",
        "39:8 trunks.carrier.kind: is \"isdn\"; expected `loopback`, `sip` or `services`",
        "41:12 blocked.calling[1]: '+' can only come first …",
        "43:12 soft-keys.reception.on-hook[1]: is \"redail\"; … (did you mean `redial`?)",
        "45:10 services.news.items[1]: expected either url or number",
        "45:26 services.news.items[2]: expected either url or number",
        "45:74 services.news.items[3]: has no `name`",
        "47:20 contacts.Smith.numbers.work: is an integer; …",
    ];
    assert_mistakes(text, &expected);
}

#[test]
fn what_was_written_by_mistake_can_be_taken_back() {
    let base = read(
        "[settings]\nvoicemail = \"1999\"\ncodes = { park = \"*1\" }\n[lines.1001]\ncall-waiting = false\n\
         hotline = { number = \"1002\" }\n[soft-keys.few]\non-hook = [\"redial\"]\nconnected = []\n[lines.1002]\n",
    );
    let text = "[settings]\nvoicemail = \"\"\ncodes.park = \"\"\n[lines.1001]\ncall-waiting = \"\"\nhotline = \"\"\n\
                [soft-keys.few]\non-hook = \"\"\n";
    let file = SiteFile::parse("change.toml", text).unwrap();
    let lines: Vec<_> = diff(&base, &base.apply(&file, false)).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "~ settings voicemail: 1999 -> none",
            "~ settings codes.park: *1 -> none",
            "~ line 1001 call-waiting: false -> none",
            "~ line 1001 hotline: 1002 -> none",
            "~ soft keys few on-hook: redial -> none",
        ]
    );
}

#[test]
fn secrets_are_only_in_the_file() {
    let old = read("[users.anna]\nname = \"Anna\"\npin = \"12345\"\n");
    let new = read("[users.anna]\nname = \"Anna\"\npin = \"54321\"\n[codes.x]\ncode = \"4711\"\n");
    let lines: Vec<_> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["~ user anna pin: hidden -> hidden", "+ code x account"]);
    assert!(new.to_toml().contains("pin = \"54321\""), "a backup has to have it");
}

#[test]
fn faults_of_the_whole_carry_their_line() {
    let text = "[devices.SEP001122334455]\nbuttons = [\n  { line = \"1001\", label = \"Desk\" },\n]\n[settings.timers]\nno-answer = 1\n";
    assert_eq!(
        mistakes(text),
        [
            "3:12 devices.SEP001122334455.buttons[1].line: line 1001 does not exist; add it under [lines] or use one that exists",
            "6:13 settings.timers.no-answer: is 1; expected 5 to 600 seconds",
        ]
    );
}

#[test]
fn a_fault_that_the_file_does_not_mention_is_shown_without_a_line() {
    let mut base = read("[lines.1001]\n[devices.SEP001122334455]\nbuttons = [{ line = \"1001\" }]");
    base.lines.clear();
    let file = SiteFile::parse("more.toml", "[lines.1002]\n").unwrap();
    let error = file.check(&file.apply(&base, false)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "more.toml: devices.SEP001122334455.buttons[1].line: line 1001 does not exist; add it under [lines] or use one that exists"
    );
}

#[test]
fn broken_syntax_and_duplicates_are_refused() {
    let found = mistakes("[lines.1001]\nname = \"Anna\nlabel = = 3\n");
    assert!(found[0].starts_with("2:"), "{found:?}");
    let found = mistakes("[lines.1001]\nname = \"a\"\nname = \"b\"\n");
    assert!(found.len() == 1 && found[0].starts_with("3:1 "), "{found:?}");
    let found = mistakes("[devices.SEP0011223344aa]\n[devices.sep0011223344AA]\n");
    assert_eq!(found, ["2:10 devices.sep0011223344AA: is there twice; the first is in line 1"]);
    let found = mistakes("[routes.1X]\nblock = true\n[routes.1x]\nblock = true\n");
    assert_eq!(found, ["3:9 routes.1x: is there twice; the first is in line 1"]);
    let found = mistakes("[settings.firmware]\n7960 = \"a\"\nCP-7960G = \"b\"\n");
    assert_eq!(found, ["3:1 settings.firmware.CP-7960G: is there twice; the first is in line 2"]);
    assert_eq!(
        mistakes("lines = 5"),
        ["1:9 lines: is an integer; expected entries, each a line such as [lines.1001]"]
    );
}

#[test]
fn a_long_list_of_mistakes_is_cut_and_a_long_line_too() {
    let many: String = (0..30).map(|n| format!("wrong{n} = 1\n")).collect();
    let shown = Site::from_toml("office.toml", &many).unwrap_err().to_string();
    assert!(shown.ends_with("\noffice.toml: and 10 more"), "{shown}");

    let long = format!("[settings]\nname = {{ a = \"{}\", b = \u{1b} }}", "ü".repeat(500));
    let shown = Site::from_toml("office.toml", &long).unwrap_err().to_string();
    assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
    assert!(!shown.contains('\u{1b}'), "nothing speaks to the terminal");
}

#[test]
fn what_a_file_does_not_mention_stays() {
    let base = read(
        "[settings]\nname = \"Office\"\ntime-zone = \"UTC\"\nauto-registration = { first = \"1901\", last = \"1999\" }\n\
         firmware.7960 = \"a\"\nfirmware.7912 = \"b\"\n[lines.1001]\nname = \"Anna\"\nlabel = \"A\"\n[lines.1002]\n\
         [devices.SEP001122334455]\nmodel = \"7960\"\ndescription = \"Desk\"\nbuttons = [{ line = \"1001\" }]\n\
         [routes.0]\nlines = [\"1001\"]\n",
    );
    let text = "[settings]\ntime-zone = \"\"\nauto-registration = false\nfirmware.7960 = \"\"\n[lines.1001]\nname = \"Ann\"\n\
                [devices.SEP001122334455]\nmodel = \"\"\n";
    let file = SiteFile::parse("change.toml", text).unwrap();

    let kept = base.apply(&file, false);
    let lines: Vec<_> = diff(&base, &kept).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "~ settings time-zone: \"UTC\" -> none",
            "~ settings auto-registration: 1901-1999 -> none",
            "~ settings firmware.7960: \"a\" -> none",
            "~ line 1001 name: \"Anna\" -> \"Ann\"",
            "~ device SEP001122334455 model: 7960 -> none",
        ]
    );
    assert!(file.check(&kept).is_ok());

    let pruned = base.apply(&file, true);
    assert_eq!(pruned, read(text));
    assert_eq!((pruned.lines.len(), pruned.devices.len(), pruned.routes.len()), (1, 1, 0));
    assert_eq!(pruned.settings, Settings::default());
    assert_eq!(base.apply(&SiteFile::parse("empty.toml", "").unwrap(), false), base);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(site in sites(), other in sites()) {
        let text = site.to_toml();
        let file = SiteFile::parse("export.toml", text.as_str()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&file.apply(&Site::default(), true), &site);
        prop_assert_eq!(&file.apply(&other, true), &site);
        prop_assert_eq!(&file.apply(&site, false), &site);
        prop_assert_eq!(text, file.apply(&site, false).to_toml());
        prop_assert_eq!(diff(&site, &other).is_empty(), site == other);
        let mut stored = Site::default();
        for part in stored.clone().changed_parts(&site) {
            let body = part.body.unwrap_or_default();
            stored.take_part(part.section, &part.name, &body).map_err(|e| TestCaseError::fail(e.to_string()))?;
        }
        prop_assert_eq!(stored, site);
    }

    #[test]
    fn reading_never_panics(
        at in 0..SAMPLE.len(),
        length in 0..40_usize,
        inserted in "[\\[\\]{}=.,\"'#\\\\a-z0-9ü\n]{0,12}",
    ) {
        let (at, end) = (SAMPLE.floor_char_boundary(at), SAMPLE.floor_char_boundary((at + length).min(SAMPLE.len())));
        let text = format!("{}{inserted}{}", &SAMPLE[..at], &SAMPLE[end.max(at)..]);
        if let Err(error) = Site::from_toml("broken.toml", &text) {
            prop_assert!(!error.problems.is_empty());
            prop_assert!(error.to_string().starts_with("broken.toml:"));
        }
    }
}
