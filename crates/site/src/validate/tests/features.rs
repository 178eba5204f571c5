//! The rules of features, broken in the file of an office that uses all of them.

use crate::{LineNumber, Site};

/// An office that uses everything.
const FEATURES: &str = r##"
[settings]
voicemail = "1999"
[lines.1001]
pickup-group = "sales"
partition = "internal"
rights = "staff"
hotline = { number = "1002" }
forward-unregistered = "1999"
[lines.1002]
partition = "internal"
[devices.SEP001122334455]
model = "7960"
pool = "berlin"
soft-keys = "few"
buttons = [{ line = "1001" }, { busy-lamp = "1002" }, { park-slot = "701" }, { park-slot = "701" }, { paging = "800" }, { service = "news" }]
[pools.berlin]
rights = "staff"
[users.anna]
name = "Anna"
pin = "1234"
buttons = [{ line = "1002" }, { intercom = "1001" }]
rights = "staff"
[pickup-groups.sales]
others = ["support"]
[pickup-groups.support]
[parking]
slots = ["701-709", "720"]
[hunt-groups.2000]
members = ["1001", "2001"]
overflow = "1999"
[hunt-groups.2001]
members = ["1002"]
[paging-groups.800]
lines = ["1001"]
address = "239.192.1.1:20480"
[rights.staff]
partitions = ["internal", "national"]
[routes.0]
number = "2000"
schedule = "office"
otherwise = "1999"
[routes."9.!"]
trunks = ["carrier"]
partition = "national"
code = "authorisation"
[routes.112]
trunks = ["carrier"]
emergency = true
[trunks.carrier]
[schedules.office]
open = ["mon-fri 08:00-18:00"]
[codes.boss]
code = "4711"
kind = "authorisation"
rights = "staff"
[soft-keys.few]
on-hook = ["redial", "new-call"]
[services.news]
items = [{ name = "News", url = "http://host/news.xml" }]
[contacts."Smith & Sons"]
numbers = { work = "030123" }
"##;

/// The faults of that office with one text of it exchanged for another, each with its line.
#[track_caller]
fn broken(old: &str, new: &str) -> Vec<String> {
    assert!(FEATURES.contains(old), "{old}");
    let text = FEATURES.replacen(old, new, 1);
    let Err(error) = Site::from_toml("office.toml", &text) else { return Vec::new() };
    let show = |problem: &crate::FileProblem| {
        let line = problem.position.as_ref().map_or("", |at| at.source.as_str());
        let hint = problem.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{line} | {}: {}{hint}", problem.key, problem.message)
    };
    error.problems.iter().map(show).collect()
}

/// One fault, in the line that `at` begins, with `message` in it.
#[track_caller]
fn assert_broken(old: &str, new: &str, at: &str, message: &str) {
    let found = broken(old, new);
    let right = matches!(found.as_slice(), [one] if one.starts_with(at) && one.contains(message));
    assert!(right, "{old} -> {new}\nexpected {at} | {message}\nfound    {found:#?}");
}

#[test]
fn an_office_can_use_everything() {
    assert_eq!(broken("staff", "staff"), [""; 0]);
}

#[test]
fn whatever_is_referred_to_is_there() {
    let table = [
        (
            "pickup-group = \"sales\"",
            "pickup-group = \"sale\"",
            "pickup group sale does not exist; add it under [pickup-groups] or use one that exists (did you mean `sales`?)",
        ),
        ("rights = \"staff\"\nhotline", "rights = \"boss\"\nhotline", "rights boss does not exist"),
        (
            "{ number = \"1002\" }",
            "{ number = \"1003\" }",
            "lines.1001.hotline.number: nobody has the number 1003",
        ),
        ("forward-unregistered = \"1999\"", "forward-unregistered = \"1998\"", "nobody has the number 1998"),
        ("pool = \"berlin\"", "pool = \"paris\"", "pool paris does not exist; add it under [pools]"),
        (
            "soft-keys = \"few\"",
            "soft-keys = \"fwe\"",
            "soft keys fwe does not exist; add it under [soft-keys] or use one that exists (did you mean `few`?)",
        ),
        ("busy-lamp = \"1002\"", "busy-lamp = \"1003\"", "buttons[2].busy-lamp: line 1003 does not exist"),
        (
            "intercom = \"1001\"",
            "intercom = \"1003\"",
            "users.anna.buttons[2].intercom: line 1003 does not exist",
        ),
        ("park-slot = \"701\"", "park-slot = \"710\"", "buttons[3].park-slot: 710 is no park slot"),
        ("paging = \"800\"", "paging = \"801\"", "buttons[5].paging: paging group 801 does not exist"),
        (
            "service = \"news\"",
            "service = \"newz\"",
            "service newz does not exist; add it under [services] or use one that exists (did you mean `news`?)",
        ),
        ("others = [\"support\"]", "others = [\"suport\"]", "others[1]: pickup group suport does not exist"),
        (
            "others = [\"support\"]",
            "others = [\"support\", \"support\"]",
            "others[2]: support is there twice",
        ),
        ("members = [\"1001\", ", "members = [\"1004\", ", "members[1]: line 1004 does not exist"),
        ("members = [\"1001\", ", "members = [\"2001\", ", "members[2]: 2001 is there twice"),
        ("overflow = \"1999\"", "overflow = \"3000\"", "nobody has the number 3000"),
        ("lines = [\"1001\"]", "lines = [\"1001\", \"1001\"]", "lines[2]: line 1001 is there twice"),
        (
            "\"internal\", \"national\"",
            "\"internal\", \"abroad\"",
            "partitions[2]: no line and no route lies in partition abroad",
        ),
        ("number = \"2000\"", "number = \"2002\"", "nobody has the number 2002"),
        ("schedule = \"office\"", "schedule = \"night\"", "schedule night does not exist"),
        (
            "trunks = [\"carrier\"]\npartition",
            "trunks = [\"carier\"]\npartition",
            "trunk carier does not exist; add it under [trunks] or use one that exists (did you mean `carrier`?)",
        ),
    ];
    for (old, new, message) in table {
        let line = |text: &str| text.split('\n').next().unwrap_or_default().to_owned();
        let text = FEATURES.replacen(old, new, 1);
        let at = text.lines().find(|other| other.contains(&line(new))).unwrap();
        assert_broken(old, new, at, message);
    }
}

#[test]
fn a_number_is_one_thing() {
    let hunt = "[hunt-groups.2001]";
    assert_broken(
        hunt,
        "[hunt-groups.720]\nmembers = [\"1001\"]\n[hunt-groups.2001]",
        "slots",
        "720 is also a hunt group",
    );
    assert_broken(
        "[paging-groups.800]",
        "[paging-groups.1002]\nlines = [\"1001\"]\nmode = \"unicast\"\n[paging-groups.800]",
        "[paging-groups.1002]",
        "1002 is also a line",
    );
    assert_broken("\"720\"", "\"709\"", "slots", "709 is also a park slot");
    assert_broken("\"720\"", "\"72-1\"", "slots", "differ in length");
    assert_broken(
        "[routes.0]",
        "[routes.2001]\nblock = true\n[routes.0]",
        "[routes.2001]",
        "is also a hunt group, which comes first",
    );
    assert_broken(
        "[routes.112]",
        "[routes.\"70X\"]\nemergency = true\ntrunks = [\"carrier\"]\n[routes.112]",
        "[routes.\"70X\"]",
        "a park slot with the number 701 hides this emergency number",
    );
    assert_broken(
        "[settings]",
        "[settings]\nauto-registration = { first = \"700\", last = \"720\" }\n",
        "auto-registration",
        "includes 701, which is a park slot",
    );
}

#[test]
fn codes_begin_nothing_else() {
    let codes = |new: &str| format!("[settings]\ncodes = {{ {new} }}");
    assert_broken(
        "[settings]",
        &codes("pickup = \"*8\""),
        "codes",
        "codes.pickup: *8 begins *88, the code of group-pickup",
    );
    assert_broken(
        "[settings]",
        &codes("park = \"70\""),
        "codes",
        "70 begins 701, which is a park slot and could not be dialled",
    );
    assert_broken("[settings]", &codes("park = \"1002\""), "codes", "1002 begins 1002, which is a line");
    assert_broken(
        "[settings]",
        &codes("park = \"11\""),
        "[routes.112]",
        "a feature code with the number 11 hides",
    );
    assert_eq!(
        broken("[settings]", &codes("park = \"*72\"")).len(),
        2,
        "the same code twice is wrong at both"
    );
    assert_eq!(
        broken(
            "[settings]",
            &codes(
                "pickup = \"*8\", group-pickup = \"\", directed-pickup = \"\", intercom = \"\", login = \"\", logout = \"\""
            )
        ),
        [""; 0]
    );
    let usual: Vec<_> = crate::FeatureCode::ALL.iter().map(|feature| feature.usual()).collect();
    for (at, code) in usual.iter().enumerate() {
        assert!(code.parse::<LineNumber>().is_ok());
        let begun =
            usual.iter().enumerate().filter(|(other, longer)| *other != at && longer.starts_with(code));
        assert_eq!(begun.count(), 0, "{code}");
    }
}

#[test]
fn no_call_goes_around_in_a_circle() {
    assert_broken(
        "members = [\"1002\"]",
        "members = [\"1002\", \"2000\"]",
        "members = [\"1002\", \"2000\"]",
        "members[2]: calls go around in a circle: 2000, 2001, 2000",
    );
    assert_broken(
        "members = [\"1002\"]",
        "members = [\"1002\"]\noverflow = \"2001\"",
        "overflow",
        "circle: 2001, 2001",
    );
    assert_broken("overflow = \"1999\"", "overflow = \"2000\"", "overflow", "circle: 2000, 2000");
    assert_broken(
        "overflow = \"1999\"",
        "overflow = \"0\"",
        "number = \"2000\"",
        "routes.0.number: calls go around in a circle: 2000, 0, 2000",
    );
}

#[test]
fn values_have_their_ranges() {
    let table = [
        (
            "[settings]",
            "[settings]\nconference-size = 2",
            "conference-size: is 2; expected 3 to 64 participants",
        ),
        ("[settings]", "[settings]\ntransfer-recall-seconds = 601", "is 601; expected 0 to 600 seconds"),
        ("[settings]", "[settings]\nrecording-beep = 1", "recording-beep: is 1; expected 2 to 600 seconds"),
        ("[settings]", "[settings]\nrecordings-keep = 40000", "is 40000; expected 0 to 36500 days"),
        ("[settings]", "[settings]\ntimers.forward-no-answer = 0", "is 0; expected 1 to 600 seconds"),
        ("[settings]", "[settings]\ntimers.queue = 0", "is 0; expected 1 to 3600 seconds"),
        ("[lines.1002]", "[lines.1002]\ncalls = 201", "is 201; expected 1 to 200 calls"),
        ("[lines.1002]", "[lines.1002]\ncalls = 1", "busy-trigger: is 2; expected 1 to 1 calls"),
        ("[lines.1002]", "[lines.1002]\nbusy-trigger = 5", "is 5; expected 1 to 4 calls"),
        ("{ number = \"1002\" }", "{ number = \"1002\", after = 61 }", "is 61; expected 0 to 60 seconds"),
        ("pool = ", "abbreviated = { 0 = \"1002\" }\npool = ", "abbreviated.0: is no index"),
        (
            "pool = ",
            "idle-text = \"12345678901234567890123456789012\"\npool = ",
            "32 bytes long; expected at most 31",
        ),
        ("pool = ", "time-zone = \"Berlin time\"\npool = ", "expected a zone such as"),
        ("[pools.berlin]", "[pools.berlin]\ndate-format = \"DD\"", "expected D, M and Y"),
        ("name = \"Anna\"", "", "users.anna.name: is empty"),
        ("pin = \"1234\"", "pin = \"123\"", "pin: expected a PIN of 4 to 10 digits"),
        ("pin = \"1234\"", "pin = \"12a4\"", "pin: expected a PIN of 4 to 10 digits"),
        ("members = [\"1002\"]", "", "hunt-groups.2001.members: is empty"),
        ("members = [\"1002\"]", "members = [\"1002\"]\nring-seconds = 0", "is 0; expected 1 to 600"),
        ("members = [\"1002\"]", "members = [\"1002\"]\nqueue = 1001", "is 1001; expected 0 to 1000"),
        ("239.192.1.1:20480", "192.168.1.1:20480", "192.168.1.1:20480 is no multicast address"),
        ("239.192.1.1:20480", "239.192.1.1:20481", "port 20481 is odd"),
        ("address = \"239.192.1.1:20480\"", "", "address: is empty; expected a multicast address"),
        ("address = ", "mode = \"unicast\"\naddress = ", "address: has no meaning without mode"),
        (
            "[rights.staff]",
            "[paging-groups.801]\nlines = [\"1002\"]\naddress = \"239.192.1.1:20480\"\n[rights.staff]",
            "is the same as that of paging-groups.800",
        ),
        ("partitions = [\"internal\", \"national\"]", "", "rights.staff.partitions: is empty"),
        ("schedule = \"office\"", "", "otherwise: has no meaning without a schedule"),
        ("schedule = \"office\"", "schedule = \"office\"\nstrip = 25", "is 25; expected 0 to 24 digits"),
        (
            "emergency = true",
            "emergency = true\ncode = \"account\"",
            "code: an emergency route cannot ask for this",
        ),
        (
            "emergency = true",
            "emergency = true\nschedule = \"office\"",
            "schedule: an emergency route cannot ask for this",
        ),
        (
            "[trunks.carrier]",
            "[sip-phones.anna]\npassword = \"12345678\"\n[trunks.carrier]",
            "sip-phones.ANNA.line: is empty; expected a line",
        ),
        (
            "[trunks.carrier]",
            "[sip-phones.anna]\nline = \"1999\"\npassword = \"12345678\"\n[trunks.carrier]",
            "line 1999 does not exist",
        ),
        (
            "[trunks.carrier]",
            "[sip-phones.anna]\nline = \"1001\"\npassword = \"1234567\"\n[trunks.carrier]",
            "sip-phones.ANNA.password: expected a password of 8 characters or more",
        ),
        (
            "[trunks.carrier]",
            "[sip-phones.carrier]\nline = \"1001\"\npassword = \"12345678\"\n[trunks.carrier]",
            "sip-phones.CARRIER: is also the name of trunks.carrier; expected one of its own",
        ),
        (
            "[trunks.carrier]",
            "[sip-phones.anna]\nline = \"1001\"\npassword = \"12345678\"\ncontacts = 11\n[trunks.carrier]",
            "is 11; expected 1 to 10 places",
        ),
        ("[trunks.carrier]", "[trunks.carrier]\ncalls = 0", "is 0; expected 1 to 10000 calls"),
        ("[trunks.carrier]", "[trunks.carrier]\nrate = 0", "is 0; expected 1 to 1000 calls a second"),
        (
            "[trunks.carrier]",
            "[trunks.carrier]\nkind = \"sip\"",
            "trunks.carrier.servers: is empty; expected at least one host, or addresses in allow",
        ),
        (
            "[trunks.carrier]",
            "[trunks.carrier]\nkind = \"sip\"\nservers = [\"sip.example.net:70000\"]",
            "servers[1]: is \"sip.example.net:70000\"; expected a name or an address",
        ),
        (
            "[trunks.carrier]",
            "[trunks.carrier]\nservers = [\"[::1]:5060\"]",
            "trunks.carrier.servers: has no meaning without kind = \"sip\"",
        ),
        (
            "[trunks.carrier]",
            "[trunks.carrier]\nkind = \"sip\"\nservers = [\"::1\"]\nregister = true",
            "trunks.carrier.register: has no meaning without servers and a user",
        ),
        (
            "[trunks.carrier]",
            "[trunks.carrier]\nsrtp = \"required\"",
            "trunks.carrier.srtp: has no meaning without kind = \"sip\" and its audio through the manager",
        ),
        (
            "[trunks.carrier]",
            "[trunks.carrier]\nkind = \"sip\"\nservers = [\"::1\"]\nmedia = \"direct\"\nsrtp = \"optional\"",
            "trunks.carrier.srtp: has no meaning without kind = \"sip\" and its audio through the manager",
        ),
        (
            "[trunks.carrier]",
            "[trunks.carrier]\nrights = \"everybody\"",
            "trunks.carrier.rights: rights everybody does not exist",
        ),
        (
            "[trunks.carrier]",
            "[music.bells]\nfiles = [\"../a.wav\"]\n[trunks.carrier]",
            "is no file in the music folder",
        ),
        (
            "[trunks.carrier]",
            "[music.bells]\nstream = \"127.0.0.1:0\"\n[trunks.carrier]",
            "music.bells.stream: is empty; expected a port",
        ),
        (
            "[trunks.carrier]",
            "[music.bells]\nstream = \"127.0.0.1:5004\"\ncommand = [\"radio\"]\n[trunks.carrier]",
            "music.bells.command: cannot be beside stream; expected one of them",
        ),
        (
            "[trunks.carrier]",
            "[music.bells]\ncommand = [\"\", \"-v\"]\n[trunks.carrier]",
            "music.bells.command[1]: is empty; expected a program",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\nkind = \"announcement\"\n[trunks.carrier]",
            "applications.1998.file: is empty; expected the name of a file",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\nkind = \"announcement\"\nfile = \"../a.wav\"\n[trunks.carrier]",
            "\"../a.wav\" is no name of a file",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\nkind = \"message\"\n[trunks.carrier]",
            "applications.1998.line: is empty; expected a line",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\nkind = \"message\"\nline = \"1234\"\n[trunks.carrier]",
            "applications.1998.line: line 1234 does not exist",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\nkind = \"room\"\npin = \"12\"\n[trunks.carrier]",
            "applications.1998.pin: expected a PIN of 4 to 10 digits",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\nkind = \"room\"\npin = \"4711\"\nmoderator-pin = \"4711\"\n[trunks.carrier]",
            "applications.1998.moderator-pin: expected another PIN than that of the guests",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\nkind = \"room\"\nmost = 1\n[trunks.carrier]",
            "applications.1998.most: is 1; expected 2 to 500 participants",
        ),
        (
            "[trunks.carrier]",
            "[applications.1998]\npin = \"4711\"\n[trunks.carrier]",
            "applications.1998.pin: has no meaning without kind = \"room\"",
        ),
        ("[trunks.carrier]", "[applications.1001]\n[trunks.carrier]", "1001 is also a line"),
        ("open = [\"mon-fri 08:00-18:00\"]", "", "schedules.office.open: is empty"),
        ("code = \"4711\"", "code = \"47 11\"", "code: expected a code of 1 to 16 digits"),
        (
            "[codes.boss]",
            "[codes.other]\ncode = \"4711\"\n[codes.boss]",
            "code: is the same as that of codes.boss",
        ),
        ("\"redial\", \"new-call\"", "\"redial\", \"redial\"", "on-hook[2]: redial is there twice"),
        (
            "[services.news]",
            "[services.news]\nurl = \"http://host/\"",
            "services.news: expected either url or items",
        ),
        ("http://host/news.xml", "host/news.xml", "items[1].url: is not an http or https address"),
        ("name = \"News\"", "name = \"\"", "items[1].name: is empty"),
        (
            "[contacts.\"Smith & Sons\"]",
            "[contacts.\"Smith & Sons of the 1234567890 1234567890\"]",
            "bytes long; expected at most 39",
        ),
        ("numbers = { work = \"030123\" }", "", "numbers: is empty; expected at least one number"),
    ];
    for (old, new, message) in table {
        assert_broken(old, new, "", message);
    }
}

#[test]
fn what_a_model_cannot_do_is_refused() {
    let simple = |line: &str| {
        let new = format!("[devices.SEP00112233445A]\nmodel = \"7910\"\n{line}\n[pools.berlin]");
        broken("[pools.berlin]", &new)
    };
    assert_eq!(simple("description = \"Lift\""), [""; 0]);
    let keys = simple("soft-keys = \"few\"");
    assert!(
        matches!(keys.as_slice(), [one] if one.ends_with("soft-keys: a 7910 has no soft keys")),
        "{keys:?}"
    );
    let services =
        simple("buttons = [{ line = \"1001\" }, { service = \"news\" }, { service = \"http://host/\" }]");
    assert_eq!(services.len(), 2, "{services:?}");
    assert!(services[1].ends_with("buttons[3].service: a 7910 opens no services"), "{services:?}");
}
