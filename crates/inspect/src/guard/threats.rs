//! What has broken other products (each a public report), and the attacks that need no bug: what each preset does.

use selsius_wire::value::{Data, KeypadKey, Number, SoftKey};

use super::{tests::*, *};

/// What the three presets do about what `attack` says: the hardest action of each, `None` where nothing is found.
fn acts(attack: impl Fn(&mut Bench)) -> [Option<(FindingKind, Action)>; 3] {
    Preset::ALL.map(|preset| {
        let mut bench = Bench::new(Policy::new(preset), Translation::default());
        attack(&mut bench);
        bench.findings().into_iter().max_by_key(|(_, action)| *action)
    })
}

/// The same finding everywhere, told in `monitor`, and these actions in `balanced` and `strict`.
fn expect(attack: impl Fn(&mut Bench), kind: FindingKind, balanced: Action, strict: Action) {
    let told = Some((kind, Action::Log));
    assert_eq!(acts(attack), [told, Some((kind, balanced)), Some((kind, strict))]);
}

fn raw(length: u32, id: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [length, 0, id] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(body);
    bytes
}

#[test]
fn a_length_that_is_negative_when_read_as_signed() {
    for length in [0xffff_fff0, 0x8000_0000, 0, 3, 100_000] {
        let attack = |bench: &mut Bench| drop(bench.say(Side::Station, &raw(length, 1, &[0; 64])));
        expect(attack, FindingKind::LengthImpossible, Action::Reset, Action::Block);
    }
}

#[test]
fn whoever_breaks_the_framing_is_kept_out_for_a_time() {
    let mut bench = Bench::strict();
    assert_eq!(bench.say(Side::Station, &raw(u32::MAX, 1, &[])), None);
    let mut comes = |seconds: u64| bench.guard.open(Time::from_millis(seconds * 1000), ends(PHONE)).is_some();
    assert!(!comes(10) && !comes(299) && comes(301));
}

#[test]
fn a_header_then_a_short_body_then_the_end() {
    for preset in Preset::ALL {
        let mut bench = Bench::new(Policy::new(preset), Translation::default());
        let bytes = raw(60, 1, &[0; 20]);
        assert_eq!(bench.say(Side::Station, &bytes), Some(Vec::new()));
        let mut onward = Vec::new();
        let flow = bench.guard.finish(bench.now, bench.id, Side::Station, &mut onward);
        assert_eq!((flow, &onward), (Flow::Go, &bytes), "the end of a connection breaks nothing: it goes on");
        assert_eq!(bench.findings(), [(FindingKind::MessageIncomplete, Action::Log)]);
    }
}

#[test]
fn a_message_that_never_ends() {
    for (preset, resets) in [(Preset::Monitor, false), (Preset::Balanced, true), (Preset::Strict, true)] {
        let mut bench = Bench::new(Policy::new(preset), Translation::default());
        bench.say(Side::Station, &raw(60, 1, &[0; 20])).unwrap();
        let most = bench.guard.policy().limits.message_time;
        assert!(bench.guard.overdue(bench.now + most / 2).is_empty());
        assert_eq!(!bench.guard.overdue(bench.now + most).is_empty(), resets, "{preset:?}");
    }
}

#[test]
fn a_capabilities_count_above_the_array() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        let mut body = 1000_u32.to_le_bytes().to_vec();
        body.extend([0; 288]);
        drop(bench.say(Side::Station, &raw(296, 0x10, &body)));
    };
    expect(attack, FindingKind::CountTooLarge, Action::Drop, Action::Reset);
}

#[test]
fn a_message_shorter_than_any_known_form() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        drop(bench.say(Side::Station, &raw(8, 0x26, &[0; 4])));
    };
    expect(attack, FindingKind::TooShort, Action::Drop, Action::Drop);
    let towards_the_phone = |bench: &mut Bench| {
        bench.register(11);
        drop(bench.say(Side::Manager, &raw(12, 0x105, &[0; 8])));
    };
    expect(towards_the_phone, FindingKind::TooShort, Action::Drop, Action::Drop);
}

#[test]
fn a_crafted_device_name() {
    for name in ["x'; drop table--", "", "%n%n%n%n", "SEP\x01\x02"] {
        let attack = |bench: &mut Bench| drop(bench.phone(register(name, 11)));
        expect(attack, FindingKind::DeviceName, Action::Drop, Action::Reset);
    }
    let mut policy = Policy::new(Preset::Balanced);
    policy.names = ["SEP0011*".into()].into();
    let mut bench = Bench::new(policy, Translation::default());
    assert_eq!(bench.phone(register("SEP998877665544", 11)), Some(Vec::new()));
    assert!(bench.phone(register("SEP001122334455", 11)).is_some_and(|bytes| !bytes.is_empty()));
}

#[test]
fn many_keys_in_one_call() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        bench.manager(call_state(77, CallState::OffHook)).unwrap();
        for _ in 0..200 {
            bench.now += core::time::Duration::from_millis(200);
            let key =
                message::KeypadButton { kp_button: KeypadKey::One, line_instance: 1, call_reference: 77 };
            if bench.phone(key).is_none() {
                return;
            }
        }
    };
    expect(attack, FindingKind::TooManyDigits, Action::Drop, Action::Reset);
}

#[test]
fn a_late_event_of_a_call_that_is_over() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        bench.manager(call_state(77, CallState::OffHook)).unwrap();
        bench.manager(call_state(77, CallState::OnHook)).unwrap();
        let key = message::KeypadButton { kp_button: KeypadKey::One, line_instance: 1, call_reference: 77 };
        assert!(bench.phone(key).is_some_and(|bytes| !bytes.is_empty()), "it was on its way");
        bench.now += core::time::Duration::from_secs(60);
        drop(bench.phone(key));
    };
    expect(attack, FindingKind::CallUnknown, Action::Log, Action::Drop);
}

#[test]
fn many_idle_connections_and_floods_of_them() {
    let mut guard = Guard::new(Config::default());
    let limits = guard.policy().limits.clone();
    let mut now = Time::from_millis(1);
    let mut opened = 0;
    for _ in 0..1000 {
        opened += usize::from(guard.open(now, ends(PHONE)).is_some());
        now += core::time::Duration::from_secs(1);
    }
    assert_eq!(opened, limits.connections_per_source);
    let another = (0..1000).filter(|_| guard.open(now, ends("192.0.2.11:5000")).is_some()).count();
    assert_eq!(another, 60, "the burst");
    for address in 0..20_000_u32 {
        let station = SocketAddr::new(IpAddr::from((0x0a00_0000 + address).to_be_bytes()), 5000);
        let _ = guard.open(now, Ends { station, ..ends(PHONE) });
    }
    assert_eq!(guard.connections().count(), limits.connections, "of all together");
}

#[test]
fn one_message_cut_into_single_bytes() {
    let mut bench = Bench::strict();
    let bytes = bench.encode_station(&register("SEP001122334455", 11).into());
    let mut onward = Vec::new();
    for byte in &bytes {
        onward.extend(bench.say(Side::Station, &[*byte]).unwrap());
    }
    assert_eq!(onward, bytes);
    assert_eq!(bench.findings(), []);
}

#[test]
fn user_data_with_a_large_length() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        let mut body: Vec<u8> =
            [1_u32, 1, 0, 1, 0x7fff_ffff].into_iter().flat_map(u32::to_le_bytes).collect();
        body.extend([b'x'; 100]);
        drop(bench.say(Side::Station, &raw(124, 0x2e, &body)));
    };
    expect(attack, FindingKind::CountTooLarge, Action::Drop, Action::Reset);
}

#[test]
fn messages_of_the_wrong_side() {
    let resets = |bench: &mut Bench| {
        bench.register(11);
        drop(bench.say(Side::Station, &raw(8, 0x9f, &1_u32.to_le_bytes())));
    };
    expect(resets, FindingKind::WrongDirection, Action::Drop, Action::Reset);
    let audio = |bench: &mut Bench| {
        bench.register(11);
        let mut bytes = Vec::new();
        bench.dialect().encode_manager(&start_media(5, "203.0.113.66", 4000).into(), &mut bytes);
        drop(bench.say(Side::Station, &bytes));
        assert!(bench.guard.counters().findings.keys().any(|(kind, _)| *kind == FindingKind::WrongDirection));
    };
    expect(audio, FindingKind::WrongDirection, Action::Drop, Action::Reset);
    let unregisters = |bench: &mut Bench| drop(bench.phone(message::UnregisterReq::default()));
    expect(unregisters, FindingKind::BeforeRegister, Action::Drop, Action::Reset);
}

#[test]
fn registering_with_another_phones_name() {
    for (preset, action) in
        [(Preset::Monitor, Action::Log), (Preset::Balanced, Action::Log), (Preset::Strict, Action::Drop)]
    {
        let mut bench = Bench::new(Policy::new(preset), Translation::default());
        bench.register(11);
        bench.id = bench.guard.open(bench.now, ends("192.0.2.66:5000")).unwrap();
        bench.version = 0;
        let passes = bench.phone(register("SEP001122334455", 11)).is_some_and(|bytes| !bytes.is_empty());
        assert_eq!(passes, action == Action::Log);
        assert_eq!(bench.findings(), [(FindingKind::DeviceElsewhere, action)]);
    }
}

#[test]
fn guessing_names() {
    let attack = |bench: &mut Bench| {
        for number in 0..200 {
            bench.now += core::time::Duration::from_secs(1);
            if bench.phone(register(&alloc::format!("SEP{number:012X}"), 11)).is_none() {
                return;
            }
        }
    };
    expect(attack, FindingKind::NameGuessing, Action::Block, Action::Block);
}

#[test]
fn an_ack_that_opens_a_port_for_a_third_host() {
    let foreign = |bench: &mut Bench| {
        bench.register(17);
        bench.manager(call_state(77, CallState::Connected)).unwrap();
        bench.manager(open_channel(5)).unwrap();
        drop(bench.phone(channel_ack(5, "203.0.113.66", 4000)));
    };
    expect(foreign, FindingKind::MediaAddressForeign, Action::Drop, Action::Reset);
    let unasked = |bench: &mut Bench| {
        bench.register(17);
        drop(bench.phone(channel_ack(5, "192.0.2.10", 4000)));
    };
    expect(unasked, FindingKind::AnswerUnasked, Action::Drop, Action::Reset);
    let low = |bench: &mut Bench| {
        bench.register(17);
        bench.manager(open_channel(5)).unwrap();
        drop(bench.phone(channel_ack(5, "192.0.2.10", 22)));
    };
    expect(low, FindingKind::MediaPort, Action::Drop, Action::Drop);
    for attack in [foreign as fn(&mut Bench), unasked, low] {
        let mut bench = Bench::strict();
        attack(&mut bench);
        assert!(bench.passages().iter().all(|passage| passage.inward.is_none()));
    }
}

#[test]
fn audio_to_where_it_is_not_allowed() {
    let group = |bench: &mut Bench| {
        bench.register(17);
        drop(bench.manager(start_media(5, "239.1.1.1", 4000)));
    };
    expect(group, FindingKind::MediaMulticast, Action::Log, Action::Drop);
    let mut policy = Policy::new(Preset::Strict);
    policy.media.targets = ["198.51.100.0/24".parse().unwrap()].into();
    policy.media.groups = ["239.1.0.0/16".parse().unwrap()].into();
    let mut bench = Bench::new(policy, Translation::default());
    group(&mut bench);
    bench.manager(start_media(6, "203.0.113.66", 4000)).unwrap();
    bench.manager(start_media(7, "198.51.100.66", 4000)).unwrap();
    let (allowed, all) = (["239.1.1.1:4000", "198.51.100.66:4000"], bench.passages());
    let open: Vec<_> = all.iter().filter_map(|passage| passage.outward.map(|hole| hole.to)).collect();
    assert_eq!(open, allowed.map(|place| place.parse().unwrap()));
}

#[test]
fn screens_that_make_a_phone_dial() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        let xmldata: Data =
            b"<CiscoIPPhoneExecute><ExecuteItem URL=\"Dial:0900\"/></CiscoIPPhoneExecute>".to_vec().into();
        let data_length = xmldata.0.len().try_into().unwrap();
        drop(bench.manager(message::UserToDeviceData { data_length, xmldata, ..Default::default() }));
    };
    expect(attack, FindingKind::XmlPushed, Action::Log, Action::Log);
}

#[test]
fn restarting_a_phone_again_and_again() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        for _ in 0..20 {
            bench.manager(message::Reset::default()).unwrap();
        }
    };
    expect(attack, FindingKind::ResetFlood, Action::Log, Action::Drop);
}

#[test]
fn calling_and_forwarding_to_numbers_that_cost() {
    let mut policy = Policy::new(Preset::Balanced);
    policy.denied_numbers = ["00900*".into()].into();
    let mut bench = Bench::new(policy, Translation::default());
    bench.register(11);
    bench.manager(call_state(77, CallState::OffHook)).unwrap();
    let mut onward = Vec::new();
    for digit in [0, 0, 9, 0, 0, 1, 2] {
        let key =
            message::KeypadButton { kp_button: KeypadKey::from(digit), line_instance: 1, call_reference: 77 };
        onward.push(!bench.phone(key).unwrap().is_empty());
    }
    assert_eq!(onward, [true, true, true, true, false, false, false]);
    assert!(bench.findings().contains(&(FindingKind::NumberDenied, Action::Drop)));
    // A call that was begun otherwise, by redial say, gets no audio.
    bench.manager(open_channel(5)).unwrap();
    bench.phone(channel_ack(5, "192.0.2.10", 24_576)).unwrap();
    assert_eq!(bench.passages(), []);

    let forward = message::ForwardStat {
        active_forward: 1,
        line_number: 1,
        forward_all_active: 1,
        forward_all_dirnum: Number::new("00900123"),
        ..Default::default()
    };
    bench.manager(forward).unwrap();
    assert_eq!(bench.findings(), [(FindingKind::ForwardDenied, Action::Log)]);
}

#[test]
fn more_calls_than_anybody_makes() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        for _ in 0..60 {
            let key = message::SoftKeyEvent { soft_key_event: SoftKey::NewCall, ..Default::default() };
            drop(bench.phone(key));
        }
    };
    expect(attack, FindingKind::CallRate, Action::Drop, Action::Drop);
}

#[test]
fn more_messages_than_anybody_says() {
    let attack = |bench: &mut Bench| {
        bench.register(11);
        for _ in 0..3000 {
            bench.now = bench.now - core::time::Duration::from_millis(19);
            if bench.phone(message::TimeDateReq).is_none() {
                return;
            }
        }
    };
    expect(attack, FindingKind::MessageRate, Action::Drop, Action::Reset);
}

#[test]
fn recorder_forks_are_told() {
    let attack = |bench: &mut Bench| {
        bench.register(17);
        let fork =
            message::StartMediaTransmission { party_direction: 1, ..start_media(9, "203.0.113.7", 30_000) };
        drop(bench.manager(fork));
    };
    expect(attack, FindingKind::RecorderFork, Action::Log, Action::Log);
}

#[test]
fn unknown_messages_go_on_unless_the_policy_says_otherwise() {
    let bytes = raw(12, 0x7777, &[1, 2, 3, 4, 5, 6, 7, 8]);
    for (preset, passes) in [(Preset::Monitor, true), (Preset::Balanced, true), (Preset::Strict, false)] {
        let mut bench = Bench::new(Policy::new(preset), Translation::default());
        bench.register(11);
        let onward = bench.say(Side::Manager, &bytes).unwrap();
        assert_eq!(onward, if passes { bytes.clone() } else { Vec::new() });
    }
}

#[test]
fn old_memory_is_cleaned_where_the_policy_says_so() {
    let mut bench = Bench::strict();
    bench.register(3);
    let mut prompt = Vec::new();
    bench.dialect().encode_manager(&message::DisplayText { text: Text::new("hello") }.into(), &mut prompt);
    let clean = prompt.clone();
    prompt[12 + 10..12 + 30].fill(0xAA);
    assert_eq!(bench.say(Side::Manager, &prompt).unwrap(), clean);
    assert_eq!(bench.findings(), [(FindingKind::DirtyPadding, Action::Scrub)]);
}
