//! Screens that a manager sends, and what the user chooses in them.
#![allow(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod common;

use common::{Phone, manager::registered};
use selsius_phone_xml::{
    Encoding, Execute, Icon, IconMenu, Image, Mark, Menu, MenuItem, Picture, ScreenKey, Shown, Text,
};
use selsius_station::{Action, Event, ModelClass, RejectReason, ScreenFace, ScreenItem, limits};
use selsius_wire::{
    StationMessage,
    message::{UserToDeviceData, UserToDeviceDataVersion1},
    value::SequenceFlag,
};

fn part(transaction: u32, flag: SequenceFlag, data: &[u8]) -> UserToDeviceDataVersion1 {
    UserToDeviceDataVersion1 {
        application_id: 7,
        transaction_id: transaction,
        data_length: data.len() as u32,
        sequence_flag: flag,
        xmldata: data.to_vec().into(),
        ..UserToDeviceDataVersion1::default()
    }
}

/// What the phone answered to objects since the last time: `taken`, or the number of the error.
fn answers(phone: &mut Phone) -> Vec<String> {
    let answer = |data: &[u8]| match Shown::read(data).unwrap().error {
        Some(error) => format!("error {error}"),
        None => "taken".into(),
    };
    let answers = phone.take_sent().into_iter().filter_map(|message| match message {
        StationMessage::DeviceToUserDataResponseVersion1(data) => {
            assert_eq!((data.application_id, data.sequence_flag), (7, SequenceFlag::Last));
            Some(answer(&data.xmldata.0))
        }
        StationMessage::DeviceToUserDataResponse(data) => Some(answer(&data.xmldata.0)),
        _ => None,
    });
    answers.collect()
}

fn menu() -> Vec<u8> {
    let item = |name: &str, url: &str| MenuItem { name: name.into(), url: url.into() };
    Menu {
        title: "Smith & Sons".into(),
        prompt: "Choose".into(),
        items: vec![
            item("Zoë", "UserCallData:9081:1:77:5:PARTY/3:x"),
            item("All", "UserData:9:hello"),
            item("Call", "Dial:1002"),
            item("Web", "http://192.0.2.1/"),
        ],
        keys: vec![ScreenKey { name: "Exit".into(), url: "SoftKey:Exit".into() }],
    }
    .to_xml(Encoding::Ascii)
}

#[test]
fn a_menu_in_parts_is_shown_when_it_is_whole() {
    let mut phone = registered(ModelClass::P7965);
    let menu = menu();
    let (first, rest) = menu.split_at(100);
    let (more, last) = rest.split_at(50);
    phone.take_sent();
    phone.say(part(1, SequenceFlag::First, b"left over of a screen that never came"));
    phone.say(part(2, SequenceFlag::First, first));
    phone.say(part(2, SequenceFlag::More, more));
    assert_eq!((phone.face().screen, answers(&mut phone)), (None, vec![]));
    phone.say(part(2, SequenceFlag::Last, last));
    assert_eq!(answers(&mut phone), ["taken"]);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let screen = ScreenFace {
        title: "Smith & Sons".into(),
        prompt: "Choose".into(),
        items: ["Zoë", "All", "Call", "Web"].map(|name| ScreenItem { sign: None, name: name.into() }).into(),
        keys: words(&["Exit"]),
        ..ScreenFace::default()
    };
    assert_eq!(phone.face().screen, Some(screen));
}

#[test]
fn background_and_ring_are_taken_and_cover_no_screen() {
    let mut phone = registered(ModelClass::P7965);
    phone.take_sent();
    phone.say(part(1, SequenceFlag::Last, &menu()));
    let background: &[u8] =
        b"<setBackground><background><image>http://h/a.png</image><icon>http://h/TN-a.png</icon></background></setBackground>";
    phone.say(part(2, SequenceFlag::Last, background));
    phone.say(part(3, SequenceFlag::Last, b"<setRingTone><ringTone>http://h/b.raw</ringTone></setRingTone>"));
    let face = phone.face();
    assert_eq!(face.look.background, "http://h/a.png");
    assert_eq!(face.look.ring_tone, "http://h/b.raw");
    assert!(face.screen.is_some());
    assert_eq!(answers(&mut phone), ["taken"; 3]);
}

#[test]
fn icons_are_signs_and_pictures_are_kept() {
    let mut phone = registered(ModelClass::P7965);
    let item = |name: &str, url: &str| MenuItem { name: name.into(), url: url.into() };
    let menu = IconMenu {
        title: "People".into(),
        items: vec![
            (Mark::Away.icon(), item("Zoë", "Dial:1003")),
            (Icon([[1; 16]; 10]), item("Bob", "Dial:1002")),
        ],
        ..IconMenu::default()
    };
    phone.say(part(1, SequenceFlag::Last, &menu.to_xml(Encoding::Ascii)));
    let screen = phone.face().screen.unwrap();
    let items: Vec<_> = screen.items.iter().map(ToString::to_string).collect();
    assert_eq!(items, ["× Zoë", "▪ Bob"]);
    assert!(screen.says("× Zoë") && screen.has("Zoë") && !screen.has("× Zoë"));
    assert_eq!((screen.choice(1), &screen.picture), (Some("Bob"), &None));
    phone.take_sent();
    phone.act(Action::Choose("Zoë".into()));
    assert_eq!(phone.take_names(), ["EnblocCall"], "chosen by its name");

    // As large as the largest that a phone is sent.
    let picture = Picture::new(298, (0..298 * 168).map(|at| (at % 4) as u8).collect()).unwrap();
    let image = Image {
        title: "Door".into(),
        prompt: String::new(),
        corner: None,
        picture: picture.clone(),
        keys: Vec::new(),
    };
    let xml = image.to_xml(Encoding::Ascii);
    let parts: Vec<_> = xml.chunks(2000).collect();
    let (last, before) = parts.split_last().unwrap();
    for (at, data) in before.iter().enumerate() {
        let flag = if at == 0 { SequenceFlag::First } else { SequenceFlag::More };
        phone.say(part(2, flag, data));
    }
    phone.say(part(2, SequenceFlag::Last, last));
    let screen = phone.face().screen.unwrap();
    assert_eq!((screen.title.as_str(), screen.picture), ("Door", Some(picture)));
}

#[test]
fn what_is_chosen_goes_back_or_is_done() {
    let mut phone = registered(ModelClass::P7965);
    phone.say(part(1, SequenceFlag::Last, &menu()));
    phone.take_sent();
    let choose = |phone: &mut Phone, name: &str| phone.act(Action::Choose(name.into()));
    choose(&mut phone, "Zoë");
    choose(&mut phone, "All");
    let chosen: Vec<_> = phone
        .take_sent()
        .into_iter()
        .map(|message| match message {
            StationMessage::DeviceToUserDataVersion1(data) => (
                [data.application_id, data.line_instance, data.call_reference, data.transaction_id],
                String::from_utf8(data.xmldata.0).unwrap(),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(chosen, [([9081, 1, 77, 5], "PARTY/3:x".into()), ([9, 0, 0, 0], "hello".to_owned())]);
    phone.take_events();
    choose(&mut phone, "Web");
    choose(&mut phone, "nothing");
    let refused = [RejectReason::NoEffect, RejectReason::NoSuchKey].map(Event::Refused);
    assert_eq!(phone.take_events(), refused);
    assert!(phone.face().screen.is_some());
    choose(&mut phone, "Exit");
    assert_eq!(phone.face().screen, None);

    phone.say(part(2, SequenceFlag::Last, &menu()));
    phone.take_sent();
    choose(&mut phone, "Call");
    assert_eq!(phone.take_names(), ["EnblocCall"]);
    assert_eq!(phone.face().screen, None, "the call is to be seen");

    phone.say(part(
        3,
        SequenceFlag::Last,
        &Execute { urls: vec!["Dial:1003".into()] }.to_xml(Encoding::Ascii),
    ));
    assert!(phone.take_names().contains(&"EnblocCall"), "the manager dials from this phone");
}

#[test]
fn the_short_form_is_answered_in_its_own() {
    let mut phone = registered(ModelClass::P7960);
    let text = Text { title: "Fire".into(), text: "drill at 3".into(), ..Text::default() };
    phone.take_sent();
    let say = |phone: &mut Phone, data: Vec<u8>| {
        phone.say(UserToDeviceData {
            application_id: 7,
            data_length: data.len() as u32,
            xmldata: data.into(),
            ..UserToDeviceData::default()
        });
    };
    say(&mut phone, text.to_xml(Encoding::Latin1));
    assert_eq!(answers(&mut phone), ["taken"]);
    assert!(phone.face().screen.unwrap().says("drill at 3"));
    phone.act(Action::LeaveScreen);
    assert_eq!(phone.face().screen, None);
    for bad in ["", "hello", "<html/>", "<CiscoIPPhoneText>", "<CiscoIPPhoneError Number=\"1\"/>"] {
        say(&mut phone, bad.into());
        assert_eq!(answers(&mut phone), ["error 1"], "{bad}");
    }
    say(&mut phone, menu());
    phone.take_sent();
    phone.act(Action::Choose("All".into()));
    assert_eq!(phone.take_names(), ["DeviceToUserData"]);
}

#[test]
fn a_screen_without_end_is_given_up() {
    let mut phone = registered(ModelClass::P7965);
    let before = phone.station.counts().unexpected;
    let parts = limits::SCREEN / 2000 + 1;
    phone.say(part(1, SequenceFlag::First, &[b'<'; 2000]));
    for _ in 1..parts {
        phone.say(part(1, SequenceFlag::More, &[b'<'; 2000]));
    }
    assert_eq!(phone.station.counts().unexpected, before + 1);
    phone.say(part(2, SequenceFlag::Last, &menu()));
    assert!(phone.face().screen.is_some());
}
