//! The files, read back with an XML parser and held against the ones that CallManager 4.1 served.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail where it likes")]

use std::fs::File;

use etherparse::{SlicedPacket, TransportSlice};
use pcap_file::pcapng::{Block, PcapNgReader};
use quick_xml::Reader;
use quick_xml::events::Event;
use selsius_phone_xml::{
    ConfigStyle, DefaultConfig, DefaultLoad, Directory, DirectoryEntry, Encoding, Icon, IconMenu, Image,
    Input, InputField, Manager, Menu, MenuItem, PhoneConfig, Picture, Ring, RingList, ScreenKey, Text, Urls,
    VendorSetting,
};

/// Each element as `parent/child`, with its text where it has one, in the order of the file.
fn elements(xml: &[u8]) -> Vec<(String, String)> {
    let text: String = match std::str::from_utf8(xml) {
        Ok(text) => text.into(),
        Err(_) => xml.iter().copied().map(char::from).collect(),
    };
    let mut reader = Reader::from_str(&text);
    let (mut found, mut open) = (Vec::<(String, String)>::new(), Vec::<usize>::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let parent = open.last().map(|&at| format!("{}/", found[at].0)).unwrap_or_default();
                open.push(found.len());
                found.push((format!("{parent}{}", start.name().as_ref()), String::new()));
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(content) => {
                if let Some(&at) = open.last() {
                    found[at].1.push_str(content.xml10_content().trim_matches(['\r', '\n']));
                }
            }
            Event::GeneralRef(reference) => {
                let name = reference.into_inner();
                let resolved = quick_xml::escape::unescape(&format!("&{name};")).unwrap().into_owned();
                found[*open.last().unwrap()].1.push_str(&resolved);
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn names(xml: &[u8]) -> Vec<String> {
    elements(xml).into_iter().map(|(name, _)| name).collect()
}

fn text_of<'a>(elements: &'a [(String, String)], name: &str) -> &'a str {
    let found = elements.iter().find(|(path, _)| path.ends_with(name));
    &found.unwrap_or_else(|| panic!("no {name}")).1
}

fn config(style: ConfigStyle) -> PhoneConfig {
    let setting = |name, value| VendorSetting { name, value };
    PhoneConfig {
        style,
        date_template: "D.M.Y".into(),
        time_zone: "Greenwich Standard Time".into(),
        managers: vec![Manager { address: "10.0.0.180".into(), port: 2000 }],
        load: "CP7912060000SCCP050124A".into(),
        vendor: vec![
            setting("disableSpeaker", "false"),
            setting("garp", "0"),
            setting("settingsAccess", "1"),
            setting("webAccess", "0"),
        ],
        version_stamp: "{1}".into(),
        urls: Urls { services: "http://10.0.0.180:6970/menu?a=1&b=<2>".into(), ..Urls::default() },
        signalling_tos: 96,
        ..PhoneConfig::default()
    }
}

/// The files that the TFTP server of the capture sent, by name; a later transfer of a name replaces the first.
fn captured_files() -> Option<Vec<(String, Vec<u8>)>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/callmanager-4.1-7912.pcapng");
    let Ok(file) = File::open(path) else {
        eprintln!("skipped: {path} is not there");
        return None;
    };
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(block) = reader.next_block() {
        let block = block.unwrap();
        let Block::EnhancedPacket(packet) = block else { continue };
        let Ok(sliced) = SlicedPacket::from_ethernet(&packet.data) else { continue };
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { continue };
        match udp.payload() {
            [0, 1, request @ ..] if udp.destination_port() == 69 => {
                let name = request.split(|&byte| byte == 0).next().unwrap();
                files.push((String::from_utf8(name.to_vec()).unwrap(), Vec::new()));
            }
            // The transfers follow each other, and nothing was lost.
            [0, 3, _, _, data @ ..] => files.last_mut().unwrap().1.extend(data),
            _ => {}
        }
    }
    Some(files)
}

#[test]
fn a_phones_file_has_the_elements_of_callmanager_in_its_order() {
    let Some(files) = captured_files() else { return };
    let (name, captured) = &files[0];
    assert_eq!((name.as_str(), captured.len()), ("SEP001380AD9E5F.cnf.xml", 2623));
    let ours = config(ConfigStyle::Old).to_xml();
    assert_eq!(names(&ours), names(captured));
    assert!(captured.starts_with(b"<device ") && ours.starts_with(b"<device "), "neither has a declaration");
    assert!(ours.windows(2).any(|pair| pair == b"\r\n"));
    // What it says about where to register and what to run is where this phone found it.
    let (ours, captured) = (elements(&ours), elements(captured));
    for name in
        ["ethernetPhonePort", "loadInformation", "winCharSet", "dscpForCm2Dvce", "connectionMonitorDuration"]
    {
        assert_eq!(text_of(&ours, name), text_of(&captured, name), "{name}");
    }
}

#[test]
fn a_newer_phones_file_has_the_same_elements_and_more() {
    let (old, new) = (config(ConfigStyle::Old).to_xml(), config(ConfigStyle::New).to_xml());
    let mut rest = names(&new).into_iter();
    for name in names(&old) {
        assert!(rest.any(|newer| newer == name), "{name} is missing or at another place");
    }
    let new = elements(&new);
    assert_eq!(text_of(&new, "deviceProtocol"), "SCCP");
    assert_eq!(text_of(&new, "deviceSecurityMode"), "1");
    assert_eq!(text_of(&new, "servicesURL"), "http://10.0.0.180:6970/menu?a=1&b=<2>");
}

#[test]
fn managers_are_listed_by_priority() {
    let manager = |address: &str| Manager { address: address.into(), port: 2001 };
    let managers = vec![manager("fd00::1"), manager("10.0.0.2")];
    let xml = PhoneConfig { managers, ..config(ConfigStyle::Old) }.to_xml();
    let text = String::from_utf8(xml.clone()).unwrap();
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part}"));
    assert!(at("<member priority=\"0\">") < at("<processNodeName>fd00::1</processNodeName>"));
    assert!(at("fd00::1") < at("<member priority=\"1\">") && at("priority=\"1\"") < at(">10.0.0.2<"));
    assert_eq!(names(&xml).iter().filter(|name| name.ends_with("/ethernetPhonePort")).count(), 2);
}

#[test]
fn the_default_file_lists_a_load_per_model() {
    let default = DefaultConfig {
        managers: vec![Manager { address: "10.0.0.1".into(), port: 2000 }],
        loads: vec![DefaultLoad { device_type: 7, model: "Cisco 7960".into(), load: "P0030801SR02".into() }],
        urls: Urls::default(),
    };
    let xml = default.to_xml();
    let text = String::from_utf8(xml.clone()).unwrap();
    assert!(
        text.contains("<loadInformation7 model=\"Cisco 7960\">P0030801SR02</loadInformation7>"),
        "{text}"
    );
    let top: Vec<_> = names(&xml).into_iter().filter(|name| name.matches('/').count() == 1).collect();
    let expected = [
        "Default/callManagerGroup",
        "Default/loadInformation7",
        "Default/authenticationURL",
        "Default/directoryURL",
        "Default/idleURL",
        "Default/informationURL",
        "Default/messagesURL",
        "Default/servicesURL",
    ];
    assert_eq!(top, expected);
}

#[test]
fn a_ring_list_has_the_form_of_callmanagers() {
    let ring = |name: &str, file: &str| Ring { display_name: name.into(), file_name: file.into() };
    let ours = RingList { rings: vec![ring("Smith & Sons", "smith.raw"), ring("Bass", "Bass.raw")] }.to_xml();
    let found = elements(&ours);
    assert_eq!(text_of(&found, "DisplayName"), "Smith & Sons");

    let Some(files) = captured_files() else { return };
    let (name, captured) = files.last().unwrap();
    assert_eq!((name.as_str(), captured.len()), ("Ringlist.xml", 2241));
    assert_eq!(names(&ours), names(captured)[..7], "the first two rings");
    let many = RingList { rings: vec![ring("Bass", "Bass.raw"); 60] }.to_xml();
    assert_eq!(names(&many).len(), 1 + 3 * RingList::MAX_RINGS);
}

#[test]
fn screens_read_back_in_every_encoding() {
    let odd = "Größe <5> & \"€\" 'Ω' \u{1F4DE}";
    for encoding in [Encoding::Ascii, Encoding::Latin1, Encoding::Utf8] {
        let text = Text { title: odd.into(), text: odd.into(), ..Text::default() }.to_xml(encoding);
        let found = elements(&text);
        assert_eq!(text_of(&found, "CiscoIPPhoneText/Title"), odd, "{encoding:?}");
        assert_eq!(text_of(&found, "Text/Text"), odd);

        let item = MenuItem { name: odd.into(), url: "http://h/?a&b".into() };
        let menu = Menu { title: "M".into(), items: vec![item; 101], ..Menu::default() }.to_xml(encoding);
        let found = elements(&menu);
        assert_eq!(text_of(&found, "MenuItem/URL"), "http://h/?a&b");
        assert_eq!(found.iter().filter(|(name, _)| name.ends_with("/MenuItem")).count(), 100);

        let entry = DirectoryEntry { name: odd.into(), telephone: "1001".into() };
        let directory = Directory { entries: vec![entry], ..Directory::default() }.to_xml(encoding);
        assert_eq!(text_of(&elements(&directory), "DirectoryEntry/Name"), odd);

        let field =
            InputField { name: odd.into(), parameter: "q".into(), flags: "A".into(), value: String::new() };
        let input =
            Input { url: "http://h/".into(), fields: vec![field], ..Input::default() }.to_xml(encoding);
        assert_eq!(text_of(&elements(&input), "InputItem/QueryStringParam"), "q");
    }
}

#[test]
fn an_icon_menu_is_written_byte_for_byte() {
    let item = |name: &str, number: &str| MenuItem { name: name.into(), url: format!("Dial:{number}") };
    let mut rows = [[0; 16]; 10];
    rows[0][..4].copy_from_slice(&[1, 3, 2, 0]);
    rows[9][15] = 3;
    let (black, drawn) = (Icon([[3; 16]; 10]), Icon(rows));
    let menu = IconMenu {
        title: "Büro & Co.".into(),
        prompt: "<€>".into(),
        items: vec![(drawn, item("Zoë", "1003")), (black, item("A\u{7}&B", "*1#")), (drawn, item("C", "1"))],
        keys: vec![ScreenKey { name: "Wählen".into(), url: "SoftKey:Select".into() }],
    };
    let expected = |ue: &str, ae: &str, oe: &str, euro: &str| {
        [
            format!("<CiscoIPPhoneIconMenu>\r\n<Title>B{ue}ro &amp; Co.</Title>\r\n<Prompt>&lt;{euro}&gt;</Prompt>\r\n"),
            format!("<MenuItem>\r\n<IconIndex>0</IconIndex>\r\n<Name>Zo{oe}</Name>\r\n<URL>Dial:1003</URL>\r\n</MenuItem>\r\n"),
            "<MenuItem>\r\n<IconIndex>1</IconIndex>\r\n<Name>A&amp;B</Name>\r\n<URL>Dial:*1#</URL>\r\n</MenuItem>\r\n".into(),
            "<MenuItem>\r\n<IconIndex>0</IconIndex>\r\n<Name>C</Name>\r\n<URL>Dial:1</URL>\r\n</MenuItem>\r\n".into(),
            format!("<SoftKeyItem>\r\n<Name>W{ae}hlen</Name>\r\n<URL>SoftKey:Select</URL>\r\n<Position>1</Position>\r\n</SoftKeyItem>\r\n"),
            format!("<IconItem>\r\n<Index>0</Index>\r\n<Height>10</Height>\r\n<Width>16</Width>\r\n<Depth>2</Depth>\r\n<Data>2D{}C0</Data>\r\n</IconItem>\r\n", "00".repeat(38)),
            format!("<IconItem>\r\n<Index>1</Index>\r\n<Height>10</Height>\r\n<Width>16</Width>\r\n<Depth>2</Depth>\r\n<Data>{}</Data>\r\n</IconItem>\r\n", "FF".repeat(40)),
            "</CiscoIPPhoneIconMenu>\r\n".into(),
        ]
        .concat()
    };
    let ascii = expected("&#252;", "&#228;", "&#235;", "&#8364;");
    assert_eq!(String::from_utf8(menu.to_xml(Encoding::Ascii)).unwrap(), ascii);
    let utf8 = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n{}", expected("ü", "ä", "ë", "€"));
    assert_eq!(String::from_utf8(menu.to_xml(Encoding::Utf8)).unwrap(), utf8);
    let latin1 =
        format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\r\n{}", expected("ü", "ä", "ë", "&#8364;"));
    let latin1: Vec<u8> = latin1.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(menu.to_xml(Encoding::Latin1), latin1);
}

#[test]
fn a_picture_is_written_byte_for_byte() {
    let image = Image {
        title: "Über & out".into(),
        prompt: String::new(),
        corner: None,
        // Five points are no whole bytes.
        picture: Picture::new(5, vec![1, 3, 2, 0, 3]).unwrap(),
        keys: vec![ScreenKey { name: "Exit".into(), url: "SoftKey:Exit".into() }],
    };
    let expected = |x: &str, y: &str| {
        format!(
            "<CiscoIPPhoneImage>\r\n<Title>&#220;ber &amp; out</Title>\r\n<Prompt></Prompt>\r\n\
             <LocationX>{x}</LocationX>\r\n<LocationY>{y}</LocationY>\r\n\
             <Width>5</Width>\r\n<Height>1</Height>\r\n<Depth>2</Depth>\r\n<Data>2D03</Data>\r\n\
             <SoftKeyItem>\r\n<Name>Exit</Name>\r\n<URL>SoftKey:Exit</URL>\r\n<Position>1</Position>\r\n\
             </SoftKeyItem>\r\n</CiscoIPPhoneImage>\r\n"
        )
    };
    assert_eq!(
        String::from_utf8(image.to_xml(Encoding::Ascii)).unwrap(),
        expected("-1", "-1"),
        "in the middle"
    );
    let image = Image { corner: Some((7, 300)), ..image };
    assert_eq!(String::from_utf8(image.to_xml(Encoding::Ascii)).unwrap(), expected("7", "300"));
}
