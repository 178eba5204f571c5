//! Screens that phones are sent, what they answer, and language and time of single phones.
#![allow(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod bench;

use bench::{Bench, device_name, edit_phone, office};
use selsius_exchange::{Input, LineUse, PushError, SessionId, ShownAs, WallClock, record::WallTime};
use selsius_phone_xml::{Kind, Mark, Shown};
use selsius_site::{ConferenceDrop, Language, Pool};
use selsius_wire::{
    ManagerMessage, message,
    value::{SequenceFlag, SoftKey, StimulusType},
};

const CONFERENCE: u32 = 13;
const CONFERENCE_LIST: u32 = 30;

/// The objects that a phone was sent since the last time, put together, with the lengths of their parts.
fn screens(bench: &mut Bench, phone: SessionId) -> Vec<(Shown, Vec<usize>)> {
    let (mut found, mut parts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for message in bench.messages(phone) {
        let last = match message {
            ManagerMessage::UserToDeviceDataVersion1(data) => {
                assert_eq!(data.data_length as usize, data.xmldata.0.len());
                let first = data.sequence_flag != SequenceFlag::More;
                assert!(first || !parts.is_empty(), "a part without a beginning");
                parts.extend_from_slice(&data.xmldata.0);
                lengths.push(data.xmldata.0.len());
                data.sequence_flag == SequenceFlag::Last
            }
            ManagerMessage::UserToDeviceData(data) => {
                parts.extend_from_slice(&data.xmldata.0);
                lengths.push(data.xmldata.0.len());
                true
            }
            _ => false,
        };
        if last {
            assert!(parts.is_ascii(), "whatever the phone's code page is");
            let shown = Shown::read(&std::mem::take(&mut parts)).unwrap();
            found.push((shown, std::mem::take(&mut lengths)));
        }
    }
    found
}

/// The only screen that a phone was sent.
fn screen(bench: &mut Bench, phone: SessionId) -> Shown {
    let mut all = screens(bench, phone);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).0
}

fn names(shown: &Shown) -> Vec<&str> {
    shown.items.iter().map(|item| item.name.as_str()).collect()
}

/// Names with what stands beside them.
fn marked(shown: &Shown) -> Vec<(Option<Mark>, &str)> {
    let mark = |icon: &Option<_>| icon.as_ref().map(|icon| Mark::of(icon).unwrap());
    shown.items.iter().map(|item| (mark(&item.icon), item.name.as_str())).collect()
}

/// The user chooses what leads to this address.
fn choose(bench: &mut Bench, phone: SessionId, url: &str) {
    let words: Vec<_> = url.splitn(6, ':').collect();
    let ["UserCallData", application, line, reference, transaction, data] = words[..] else {
        panic!("{url}")
    };
    let number = |word: &str| word.parse().unwrap();
    bench.say(
        phone,
        message::DeviceToUserDataVersion1 {
            application_id: number(application),
            line_instance: number(line),
            call_reference: number(reference),
            transaction_id: number(transaction),
            data_length: data.len() as u32,
            xmldata: data.as_bytes().to_vec().into(),
            ..message::DeviceToUserDataVersion1::default()
        },
    );
}

/// Alice, who owns it, Bob and Carol in a conference.
fn conference(bench: &mut Bench) -> [SessionId; 3] {
    conference_at(bench, 436)
}

/// The same, with Alice at a phone of another model.
fn conference_at(bench: &mut Bench, device_type: u32) -> [SessionId; 3] {
    let alice = bench.phone_as("1001", bench.version, device_type);
    let [bob, carol] = ["1002", "1003"].map(|number| bench.phone(number));
    let phones = [alice, bob, carol];
    bench.talk(alice, bob, "1002");
    bench.press_on(alice, SoftKey::from(CONFERENCE), 0);
    bench.dial(alice, "1003");
    bench.off_hook(carol);
    bench.open_audio(&[alice, carol]);
    bench.press_on(alice, SoftKey::from(CONFERENCE), 1);
    bench.mixer_answers();
    bench.open_audio(&phones);
    assert!(bench.keys(alice, 0).contains(&"ConfList"));
    phones.map(|phone| {
        bench.messages(phone);
        phone
    })
}

#[test]
fn the_owner_sees_who_is_there_and_puts_one_out() {
    let mut bench = Bench::new(office());
    let [alice, bob, carol] = conference(&mut bench);
    bench.press_on(alice, SoftKey::from(CONFERENCE_LIST), 0);
    let list = screen(&mut bench, alice);
    assert_eq!((list.kind, list.title.as_str()), (Kind::Menu, "Conference"));
    let mut listed = names(&list);
    listed.sort_unstable();
    assert_eq!(listed, ["Alice (1001)", "Bob (1002)", "Carol (1003)"]);
    let of = |list: &Shown, name: &str| {
        list.items.iter().find(|item| item.name.contains(name)).unwrap().url.clone()
    };
    assert!(of(&list, "Bob").starts_with("UserCallData:9081:1:"));

    choose(&mut bench, alice, &of(&list, "Alice"));
    assert_eq!(names(&screen(&mut bench, alice)), ["Update"], "nobody removes herself, she hangs up");
    choose(&mut bench, alice, &of(&list, "Carol"));
    let carols = screen(&mut bench, alice);
    assert_eq!((carols.title.as_str(), names(&carols)), ("Carol (1003)", vec!["Remove", "Update"]));
    choose(&mut bench, alice, &of(&carols, "Remove"));
    assert!(bench.states(carol).is_empty());
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["Connected"], vec!["Connected"]));
    assert!(screens(&mut bench, alice).is_empty(), "two talk: it is no conference any more");

    // The old list is still on the display; nothing comes of it.
    choose(&mut bench, alice, &of(&list, "Bob"));
    assert_eq!(bench.refused("conference list of no conference"), 1);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn only_who_may_is_offered_to_remove() {
    for (drop, offered) in
        [(ConferenceDrop::Owner, vec!["Update"]), (ConferenceDrop::Anyone, vec!["Remove", "Update"])]
    {
        let mut site = office();
        site.settings.conference_drop = drop;
        let mut bench = Bench::new(site);
        let [alice, bob, carol] = conference(&mut bench);
        bench.press_on(bob, SoftKey::from(CONFERENCE_LIST), 0);
        let list = screen(&mut bench, bob);
        let carols = list.items.iter().find(|item| item.name.contains("Carol")).unwrap().url.clone();
        choose(&mut bench, bob, &carols);
        assert_eq!(names(&screen(&mut bench, bob)), offered);
        // Whatever a phone makes up.
        choose(&mut bench, bob, &carols.replace("PARTY", "REMOVE"));
        assert_eq!(bench.states(carol).is_empty(), drop == ConferenceDrop::Anyone);
        choose(&mut bench, bob, "UserCallData:9081:1:999999:1:UPDATE");
        choose(&mut bench, bob, "UserCallData:9081:1:999999:1:REMOVE/1");
        assert_eq!(bench.refused("conference list of no conference"), 2, "of a call that Bob does not have");
        choose(&mut bench, bob, "UserCallData:1:1:1:1:hello");
        assert_eq!(bench.refused("answer to no application"), 1);
        for phone in [alice, bob, carol] {
            bench.on_hook(phone);
        }
        bench.assert_quiet();
    }
}

#[test]
fn the_list_is_as_it_is_now_after_update() {
    let mut bench = Bench::new(office());
    let [alice, bob, carol] = conference(&mut bench);
    let dave = bench.phone("1004");
    bench.press_on(alice, SoftKey::from(CONFERENCE), 0);
    bench.dial(alice, "1004");
    bench.off_hook(dave);
    bench.open_audio(&[alice, dave]);
    bench.press_on(alice, SoftKey::from(CONFERENCE), 1);
    bench.mixer_answers();
    bench.open_audio(&[alice, bob, carol, dave]);
    bench.messages(alice);
    bench.press_on(alice, SoftKey::from(CONFERENCE_LIST), 0);
    let list = screen(&mut bench, alice);
    assert_eq!(list.items.len(), 4);
    let bobs = list.items.iter().find(|item| item.name.contains("Bob")).unwrap().url.clone();
    bench.on_hook(bob);
    bench.messages(alice);
    choose(&mut bench, alice, &bobs);
    let now = screen(&mut bench, alice);
    assert_eq!(
        (now.title.as_str(), now.items.len()),
        ("Conference", 3),
        "Bob has left: the list comes instead"
    );
    choose(&mut bench, alice, &list.keys.iter().find(|key| key.name == "Update").unwrap().url);
    assert_eq!(screen(&mut bench, alice).items.len(), 3);
    // Who is removed while another list is open: the rest of the conference goes on.
    let carols =
        now.items.iter().find(|item| item.name.contains("Carol")).unwrap().url.replace("PARTY", "REMOVE");
    choose(&mut bench, alice, &carols);
    assert_eq!(bench.states(alice), ["Connected"]);
    for phone in [alice, dave] {
        bench.on_hook(phone);
    }
    bench.assert_quiet();
}

#[test]
fn icons_say_who_owns_talks_and_holds_where_the_phone_draws() {
    const HOLD: u32 = 3;
    // Models by the table of the site: 7965, 7960, 7911, 8945, and one that nobody knows.
    for (device_type, draws) in [(436, true), (7, true), (307, false), (585, false), (9999, false)] {
        let mut bench = Bench::new(office());
        let [alice, bob, _] = conference_at(&mut bench, device_type);
        bench.press_on(bob, SoftKey::from(HOLD), 0);
        bench.messages(alice);
        bench.press_on(alice, SoftKey::from(CONFERENCE_LIST), 0);
        let list = screen(&mut bench, alice);
        let mut found = marked(&list);
        found.sort_unstable_by_key(|(_, name)| name.trim_start_matches("* ").to_owned());
        let expected = match draws {
            true => [
                (Some(Mark::Owner), "Alice (1001)"),
                (Some(Mark::OnHold), "Bob (1002)"),
                (Some(Mark::InUse), "Carol (1003)"),
            ],
            false => [(None, "* Alice (1001)"), (None, "Bob (1002)"), (None, "Carol (1003)")],
        };
        assert_eq!(found, expected, "device type {device_type}");
        // The media services say that Carol talks, and after her nobody.
        let carols = list.items.iter().find(|item| item.name.contains("Carol")).unwrap().url.clone();
        let party = carols.rsplit('/').next().unwrap().parse().unwrap();
        for talks in [true, false] {
            bench.input(Input::Talks { party, talks });
            bench.press_on(alice, SoftKey::from(CONFERENCE_LIST), 0);
            let now = screen(&mut bench, alice);
            let carol = *marked(&now).iter().find(|(_, name)| name.contains("Carol")).unwrap();
            let expected = match (draws, talks) {
                (true, true) => (Some(Mark::Talking), "Carol (1003)"),
                (true, false) => (Some(Mark::InUse), "Carol (1003)"),
                (false, true) => (None, "> Carol (1003)"),
                (false, false) => (None, "Carol (1003)"),
            };
            assert_eq!(carol, expected, "device type {device_type}");
        }
        bench.input(Input::Talks { party: 4_000_000, talks: true });
        let keys: Vec<_> = list.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(
            (list.kind, list.title.as_str(), keys),
            (Kind::Menu, "Conference", vec!["Select", "Update", "Exit"])
        );
        // An icon does not change what an item leads to.
        let bobs = list.items.iter().find(|item| item.name.contains("Bob")).unwrap().url.clone();
        choose(&mut bench, alice, &bobs);
        assert_eq!(screen(&mut bench, alice).title, "Bob (1002)");
    }
}

#[test]
fn a_list_that_is_too_long_with_icons_comes_without() {
    // Before version 11 an object has to fit into one message of 2000 bytes; each ö is a reference of six.
    for (name, draws) in [("Bob".to_owned(), true), ("ö".repeat(140), false)] {
        let mut site = office();
        site.lines.get_mut(&"1002".parse().unwrap()).unwrap().name = name;
        let mut bench = Bench::new(site);
        bench.version = 8;
        let [alice, ..] = conference_at(&mut bench, 7);
        bench.press_on(alice, SoftKey::from(CONFERENCE_LIST), 0);
        let list = screen(&mut bench, alice);
        assert_eq!(list.items.len(), 3);
        assert!(list.items.iter().all(|item| item.icon.is_some() == draws), "{list:?}");
        assert_eq!(names(&list).contains(&"* Alice (1001)"), !draws, "{list:?}");
    }
}

#[test]
fn phones_without_menus_get_the_names_as_a_notice() {
    let mut bench = Bench::new(office());
    bench.version = 3;
    let [alice, ..] = conference(&mut bench);
    bench.press_on(alice, SoftKey::from(CONFERENCE_LIST), 0);
    let messages = bench.messages(alice);
    let [ManagerMessage::DisplayNotify(notice)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(notice.notify.to_string(), "With: Bob (1002), Carol (1003)");
}

#[test]
fn long_screens_go_out_in_parts() {
    let mut bench = Bench::new(office());
    let phone = bench.phone("1001");
    let name = device_name("1001").parse().unwrap();
    let text = |length: usize| {
        let around = "<CiscoIPPhoneText><Text></Text></CiscoIPPhoneText>".len();
        format!("<CiscoIPPhoneText><Text>{}</Text></CiscoIPPhoneText>", "x".repeat(length - around))
    };
    for (length, parts) in
        [(2000, vec![2000]), (2001, vec![2000, 1]), (4000, vec![2000, 2000]), (4321, vec![2000, 2000, 321])]
    {
        bench.exchange.push(&name, 7, &text(length)).unwrap();
        bench.close(SessionId(99));
        let all = screens(&mut bench, phone);
        assert_eq!(all[0].1, parts, "{length}");
    }
    assert_eq!(bench.exchange.push(&name, 7, &text(40_000)), Err(PushError::TooLong));
    assert_eq!(bench.exchange.push(&name, 7, "<html/>"), Err(PushError::NoObject));
    let nobody = device_name("1009").parse().unwrap();
    assert_eq!(bench.exchange.push(&nobody, 7, &text(100)), Err(PushError::NotRegistered));
}

#[test]
fn a_text_is_shown_as_the_phone_can() {
    let mut bench = Bench::new(office());
    let new = bench.phone("1001");
    let middle = bench.phone_as("1002", 8, 7);
    let old = bench.phone_as("1003", 6, 30_007);
    let shown = |bench: &mut Bench, number: &str| {
        let name = device_name(number).parse().unwrap();
        bench.exchange.show_text(&name, "Größe & Co.", "Fire drill at 3 — \"all\" <out>").unwrap()
    };
    let how = ["1001", "1002", "1003"].map(|number| shown(&mut bench, number));
    assert_eq!(how, [ShownAs::Page, ShownAs::Page, ShownAs::Notice]);
    bench.close(SessionId(99));
    for phone in [new, middle] {
        let page = screen(&mut bench, phone);
        assert_eq!(page.title, "Größe & Co.");
        assert_eq!(page.text, "Fire drill at 3 — \"all\" <out>");
    }
    let notice = bench.heard(old);
    assert_eq!(notice, ["DisplayNotify"], "a 7912 restarts on messages that it does not know");

    // What the phone thinks of it.
    let error = b"<CiscoIPPhoneError Number=\"4\"/>".to_vec();
    bench.say(
        new,
        message::DeviceToUserDataResponseVersion1 {
            data_length: error.len() as u32,
            xmldata: error.into(),
            ..message::DeviceToUserDataResponseVersion1::default()
        },
    );
    assert_eq!(bench.refused("screen that the phone did not take"), 1);
    bench.say(new, message::DeviceToUserDataResponseVersion1::default());
    assert_eq!(bench.refused("screen that the phone did not take"), 1);
}

/// Kind and address of the orders that a phone was sent.
fn orders(bench: &mut Bench, phone: SessionId) -> Vec<(Kind, String)> {
    let all = screens(bench, phone).into_iter();
    all.map(|(shown, _)| (shown.kind, shown.items.into_iter().next().unwrap().url)).collect()
}

#[test]
fn a_phone_gets_the_background_and_the_ring_of_the_site() {
    let mut site = office();
    for number in ["1001", "1002", "1003"] {
        edit_phone(&mut site, number, |device| {
            device.background = "Desktops/320x212x16/Logo.png".into();
            device.ring_tone = "http://10.0.0.7/Chime.raw".into();
        });
    }
    let mut bench = Bench::new(site.clone());
    // As the bench registers a phone, but what it is told meanwhile is kept.
    let register = |bench: &mut Bench, number: &str, version, model| {
        let phone = bench.open(number[2..].parse().unwrap());
        bench.register(phone, &device_name(number), version, model);
        bench.say(phone, message::TimeDateReq);
        bench.say(phone, message::TimeDateReq);
        phone
    };
    let there = [
        (Kind::Background, "http://10.0.0.254:6970/Desktops/320x212x16/Logo.png".to_owned()),
        (Kind::RingTone, "http://10.0.0.7/Chime.raw".to_owned()),
    ];
    let phone = register(&mut bench, "1001", 17, 437);
    assert_eq!(orders(&mut bench, phone), there, "once, although it asks for the time twice");
    let older = register(&mut bench, "1002", 9, 30_006);
    assert_eq!(orders(&mut bench, older), there);
    // A 7960 has neither.
    let old = register(&mut bench, "1003", 11, 7);
    assert_eq!(orders(&mut bench, old), []);
    let none = register(&mut bench, "1004", 17, 437);
    assert_eq!(orders(&mut bench, none), []);

    edit_phone(&mut site, "1001", |device| device.ring_tone = "Bell.raw".into());
    edit_phone(&mut site, "1002", |device| device.ring_tone = String::new());
    bench.input(Input::Site(Box::new(site)));
    assert_eq!(orders(&mut bench, phone), [(Kind::RingTone, "http://10.0.0.254:6970/Bell.raw".to_owned())]);
    assert_eq!(orders(&mut bench, older), [], "its user chooses from now on");
}

#[test]
fn texts_are_in_the_phones_language() {
    let mut site = office();
    site.settings.language = Language::Spanish;
    let pool = Pool { language: Some(Language::German), ..Pool::default() };
    site.pools.insert("berlin".parse().unwrap(), pool);
    for (number, language) in [("1001", None), ("1002", Some(Language::French))] {
        let device = site.devices.get_mut(&device_name(number).parse().unwrap()).unwrap();
        device.pool = Some("berlin".parse().unwrap());
        device.language = language;
    }
    let mut bench = Bench::new(site.clone());
    for (number, text) in [("1001", "Nicht erlaubt"), ("1002", "Non autorisé"), ("1003", "No permitido")] {
        let phone = bench.phone(number);
        bench.off_hook(phone);
        bench.dial(phone, "1900");
        assert!(bench.heard(phone).contains(&format!("Prompt {text}")));
        bench.on_hook(phone);
    }
    // Another language is told when the phone registers again.
    let spoken = bench.phone("1001");
    site.pools.clear();
    site.devices.get_mut(&device_name("1001").parse().unwrap()).unwrap().pool = None;
    bench.input(Input::Site(Box::new(site)));
    assert_eq!(bench.heard(spoken), ["Reset"]);
}

#[test]
fn each_phone_has_its_own_time_and_date() {
    let mut site = office();
    site.settings.time_zone = Some("Europe/Berlin".into());
    let pool = Pool {
        time_zone: Some("America/New_York".into()),
        date_format: Some("M/D/YA".into()),
        ..Pool::default()
    };
    site.pools.insert("york".parse().unwrap(), pool);
    let of = |number: &str| device_name(number).parse().unwrap();
    site.devices.get_mut(&of("1002")).unwrap().pool = Some("york".parse().unwrap());
    site.devices.get_mut(&of("1003")).unwrap().time_zone = Some("Asia/Tokyo".into());
    let mut bench = Bench::new(site.clone());
    bench.input(Input::Zones(
        [("America/New_York".into(), -5 * 3600), ("Asia/Tokyo".into(), 9 * 3600)].into(),
    ));
    let time = |message: &ManagerMessage| match message {
        ManagerMessage::DefineTimeDate(time) => Some((time.day, time.hour, time.minute)),
        _ => None,
    };
    let (mut phones, mut told) = (Vec::new(), Vec::new());
    for number in ["1001", "1002", "1003"] {
        let phone = bench.open(number[2..].parse().unwrap());
        bench.register(phone, &device_name(number), 17, 436);
        bench.say(phone, message::TimeDateReq);
        let messages = bench.messages(phone);
        let format = messages.iter().find_map(|message| match message {
            ManagerMessage::RegisterAck(ack) => Some(ack.date_template.to_string()),
            _ => None,
        });
        told.push((messages.iter().find_map(time).unwrap(), format.unwrap()));
        phones.push(phone);
    }
    // 02:30 UTC; the office is an hour ahead.
    let expected = [((24, 3, 30), "D/M/Y"), ((23, 21, 30), "M/D/YA"), ((24, 11, 30), "D/M/Y")];
    assert_eq!(told, expected.map(|(time, format)| (time, format.to_owned())));

    // Summer comes to New York: only that phone is told.
    bench.input(Input::Zones(
        [("America/New_York".into(), -4 * 3600), ("Asia/Tokyo".into(), 9 * 3600)].into(),
    ));
    let told: Vec<_> = phones.iter().map(|&phone| bench.messages(phone).iter().find_map(time)).collect();
    assert_eq!(told, [None, Some((23, 22, 30)), None]);
    // And to Berlin.
    let wall = WallClock { at: bench.now, wall: WallTime(bench::START), offset_seconds: 7200 };
    bench.input(Input::Wall(wall));
    let told: Vec<_> = phones.iter().map(|&phone| bench.messages(phone).iter().find_map(time)).collect();
    assert_eq!(told, [Some((24, 4, 30)), None, None]);
    // The phone in Tokyo comes home.
    site.devices.get_mut(&of("1003")).unwrap().time_zone = None;
    bench.input(Input::Site(Box::new(site)));
    let told: Vec<_> = phones.iter().map(|&phone| bench.messages(phone).iter().find_map(time)).collect();
    assert_eq!(told, [None, None, Some((24, 4, 30))]);
    // The end of a call sets the clock, in the phone's own zone.
    bench.off_hook(phones[1]);
    bench.on_hook(phones[1]);
    assert_eq!(bench.messages(phones[1]).iter().find_map(time), Some((23, 22, 30)));
}

#[test]
fn a_directory_can_tell_who_is_there_and_free() {
    let mut bench = Bench::new(office());
    let (alice, _) = (bench.phone("1001"), bench.phone("1002"));
    let uses = |bench: &Bench| {
        let presence = bench.exchange.presence_after(None, usize::MAX);
        ["1001", "1002", "1003"].map(|number| presence.lines.get(&number.parse().unwrap()).copied())
    };
    assert_eq!(uses(&bench), [Some(LineUse::Idle), Some(LineUse::Idle), None]);
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    assert_eq!(uses(&bench), [Some(LineUse::InUse), Some(LineUse::Ringing), None]);
    let phone = bench.exchange.presence_after(None, usize::MAX).phones[&device_name("1001").parse().unwrap()];
    assert_eq!((phone.address.to_string().as_str(), phone.utf8), ("10.0.0.1", false));
}

#[test]
fn a_button_puts_out_who_came_last() {
    let mut bench = Bench::new(office());
    let [alice, bob, carol] = conference(&mut bench);
    let button =
        message::Stimulus { stimulus: StimulusType::RemoveLastParticipant, ..message::Stimulus::default() };
    bench.say(carol, button);
    assert_eq!(bench.refused("drop by somebody who may not"), 1);
    bench.say(alice, button);
    assert!(bench.states(carol).is_empty());
    assert_eq!(bench.states(bob), ["Connected"]);
    bench.on_hook(bob);
    bench.say(alice, button);
    assert_eq!(bench.refused("drop outside a conference"), 1);
    bench.assert_quiet();
}
