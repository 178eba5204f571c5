use proptest::prelude::*;

use super::*;
use crate::{Action, DialTimers, diff};

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

#[test]
fn the_samples_commented_settings_are_valid_too() {
    let is_setting = |line: &str| {
        let word = line.trim_start_matches('[').split([' ', ']', '=']).next().unwrap_or_default();
        let settings =
            ["name", "time-zone", "date-format", "tones", "codecs", "packet-ms", "keepalive-seconds"];
        let rest = ["auto-registration", "settings.timers", "first-digit", "inter-digit", "no-answer"];
        settings.contains(&word)
            || rest.contains(&word)
            || ["settings.firmware", "7960", "roam"].contains(&word)
    };
    let mut uncommented = 0;
    let live: Vec<&str> = SAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ").filter(|line| is_setting(line)) {
            Some(setting) => {
                uncommented += 1;
                setting
            }
            None => line,
        })
        .collect();
    assert_eq!(uncommented, 15);
    let site = Site::from_toml("sample.toml", &live.join("\n")).unwrap_or_else(|e| panic!("{e}"));
    let settings =
        Settings { time_zone: None, auto_registration: None, firmware: BTreeMap::new(), ..site.settings };
    assert_eq!(settings, Settings::default());
}

#[test]
fn a_problem_shows_file_line_key_and_what_was_expected() {
    let text = "[lines.1001]\nname = \"Reception\"\n\n[devices.SEP001122334455]\n\tmodle = \"7960\"\n";
    let error = Site::from_toml("office.toml", text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "office.toml:5:2: devices.SEP001122334455.modle: unknown key; expected `description`, `model`, `buttons` \
         or `roam`\n   |\n 5 |  modle = \"7960\"\n   |  ^^^^^ did you mean `model`?"
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
        "2:1 colour: unknown key; expected `settings`, `lines`, `devices` or `routes`",
        "4:8 settings.name: is an integer; expected a text",
        "5:9 settings.tones: is \"german\"; expected `united-states`, `germany`, `united-kingdom` or `france` (did you mean `germany`?)",
        "6:19 settings.codecs[2]: is \"g711\"; expected `pcmu`, `pcma`, `g722` or `g729`",
        "7:13 settings.packet-ms: is a text; expected milliseconds such as 20",
        "8:21 settings.keepalive-seconds: is -5; expected seconds such as 30",
        "9:1 settings.auto-registration: has no `last`; expected false, or the ends of a range such as { first = \"1001\", last = \"1999\" }",
        "10:10 settings.firmware.7961X: no model is called \"7961X\"; expected a model such as \"7960\", \"7965\" or \"SPA525G2\"",
        "12:1 lines.1001.nam: unknown key; expected `name` or `label` (did you mean `name`?)",
        "13:8 lines.\"10 02\": contains ' '; digits, '*', '#' and a leading '+' are possible; expected a number such as 1001",
        "15:9 devices.SEP001122334455.model: no model is called \"7963\"; expected a model such as \"7960\", \"7965\" or \"SPA525G2\"",
        "16:8 devices.SEP001122334455.roam: is an integer; expected true or false",
        "17:21 devices.SEP001122334455.buttons[1].line: is an integer; expected a number in quotes, as they can begin with 0 (write \"1001\")",
        "17:31 devices.SEP001122334455.buttons[2].lin: unknown key; expected `line`, `speed-dial`, `service` or `label` (did you mean `line`?)",
        "17:60 devices.SEP001122334455.buttons[3]: has only a label; expected line, speed-dial or service too",
        "17:77 devices.SEP001122334455.buttons[4]: is several things; expected one of line, speed-dial, service",
        "17:111 devices.SEP001122334455.buttons[5]: is an integer; expected a button such as { line = \"1001\" }, or {} for none",
        "18:9 routes.0: leads nowhere; expected lines = [..] or block = true",
        "19:9 routes.\"1[\": a '[' that is never closed at character 2; expected a pattern such as \"0.!\" or \"1XX\"",
        "21:9 routes.2: has lines and block = true; expected one of the two",
    ];
    let found = mistakes(text);
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "found    {found}\nexpected {expected}");
    }
    assert_eq!(found.len(), expected.len());
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

fn names() -> impl Strategy<Value = String> {
    "[ -~äß€\"\\\\]{0,12}"
}

fn numbers() -> impl Strategy<Value = LineNumber> {
    "\\+?[0-9*#]{1,6}".prop_map(|text| text.parse().unwrap())
}

fn models() -> impl Strategy<Value = Model> {
    prop::sample::select(crate::PHONES).prop_map(|facts| Model(facts.name.into()))
}

fn buttons() -> impl Strategy<Value = Button> {
    prop_oneof![
        Just(Button::Empty),
        (numbers(), names()).prop_map(|(number, label)| Button::Line { number, label }),
        (numbers(), names()).prop_map(|(number, label)| Button::SpeedDial { number, label }),
        (names(), names()).prop_map(|(url, label)| Button::Service { url, label }),
    ]
}

fn sites() -> impl Strategy<Value = Site> {
    let devices =
        (names(), prop::option::of(models()), prop::collection::vec(buttons(), 0..5), any::<bool>())
            .prop_map(|(description, model, buttons, roam)| Device {
                description,
                model,
                buttons,
                roam,
                ..Device::default()
            });
    let lines = (names(), names()).prop_map(|(name, label)| Line { name, label, ..Line::default() });
    let action =
        prop_oneof![Just(Action::Block), prop::collection::vec(numbers(), 0..3).prop_map(Action::Lines)];
    let routes = (action, any::<bool>()).prop_map(|(action, emergency)| Route {
        action,
        emergency,
        ..Route::default()
    });
    let settings = (
        (names(), prop::option::of("[A-Za-z/]{1,9}"), names(), prop::sample::select(TonePlan::ALL)),
        (prop::collection::vec(prop::sample::select(CodecName::ALL), 0..4), any::<u32>(), any::<u32>()),
        (any::<u32>(), any::<u32>(), any::<u32>()),
        prop::option::of((numbers(), numbers())),
        prop::collection::btree_map(models(), "[a-z.-]{1,9}", 0..3),
    )
        .prop_map(|(texts, audio, timers, range, firmware)| Settings {
            name: texts.0,
            time_zone: texts.1,
            date_format: texts.2,
            tones: texts.3,
            codecs: audio.0,
            packet_ms: audio.1,
            keepalive_seconds: audio.2,
            timers: DialTimers {
                first_digit: timers.0,
                inter_digit: timers.1,
                no_answer: timers.2,
                ..DialTimers::default()
            },
            auto_registration: range.map(|(first, last)| AutoRegistration { first, last }),
            firmware,
            ..Settings::default()
        });
    (
        settings,
        prop::collection::btree_map(
            "[A-Z0-9._-]{1,15}".prop_map(|name| name.parse().unwrap()),
            devices,
            0..4,
        ),
        prop::collection::btree_map(numbers(), lines, 0..4),
        prop::collection::btree_map(
            "[0-9XN*]{1,4}(\\.[0-9])?!?".prop_map(|p| p.parse().unwrap()),
            routes,
            0..4,
        ),
    )
        .prop_map(|(settings, devices, lines, routes)| Site {
            settings,
            devices,
            lines,
            routes,
            ..Site::default()
        })
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
