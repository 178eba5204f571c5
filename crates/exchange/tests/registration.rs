//! Timelines of registration: what a phone says on a new connection, in any order, and what it gets.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

mod bench;

use std::time::Duration;

use bench::{Bench, brief, device_name, office};
use rand::seq::SliceRandom;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_exchange::{
    Input, SessionId,
    record::{CountedBy, DeviceEventKind, EndCause, LegEnd, Mos, Record, StreamFigures},
};
use selsius_site::{Button, DeviceName, Model};
use selsius_wire::{
    Context, Cut, DEFAULT_LIMIT, ManagerMessage, StationMessage, cut,
    message::{self, ButtonTemplate, RegisterAck},
    value::{
        AlarmSeverity, ButtonType, Codec, DeviceType, Features, MediaPathEventKind, MediaPathId, ResetType,
        Text, UnregisterStatus,
    },
};

const SECOND: Duration = Duration::from_secs(1);
/// All versions that phones are known to offer.
const VERSIONS: [u8; 16] = [3, 5, 6, 7, 8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 21, 22];

/// Everything that a phone of ours asks or tells while it registers.
fn all_questions() -> Vec<StationMessage> {
    vec![
        bench::capabilities(&[Codec::G711Ulaw64k]).into(),
        message::ButtonTemplateReq.into(),
        message::SoftKeyTemplateReq.into(),
        message::SoftKeySetReq.into(),
        message::LineStatReq { line_number: 1 }.into(),
        message::LineStatReq { line_number: 2 }.into(),
        message::ForwardStatReq { line_number: 1 }.into(),
        message::SpeedDialStatReq { speed_dial_number: 2 }.into(),
        message::SpeedDialStatReq { speed_dial_number: 1 }.into(),
        message::ServiceUrlStatReq { service_url_index: 1 }.into(),
        message::FeatureStatReq { feature_index: 1, ..message::FeatureStatReq::default() }.into(),
        message::ConfigStatReq.into(),
        message::VersionReq.into(),
        message::ServerReq.into(),
        message::HeadsetStatus::default().into(),
        message::MediaPathCapability::default().into(),
        message::RegisterAvailableLines::default().into(),
        message::KeepAlive.into(),
        message::TimeDateReq.into(),
    ]
}

/// The 7912's order (4.1 capture, frames 87 to 120).
fn order_7912() -> Vec<StationMessage> {
    let mut questions: Vec<StationMessage> = vec![
        bench::capabilities(&[Codec::G711Ulaw64k]).into(),
        message::ButtonTemplateReq.into(),
        message::SoftKeyTemplateReq.into(),
        message::SoftKeySetReq.into(),
        message::LineStatReq { line_number: 1 }.into(),
        message::FeatureStatReq { feature_index: 1, ..message::FeatureStatReq::default() }.into(),
    ];
    let dials = (1..=4).rev();
    questions.extend(dials.map(|n| message::SpeedDialStatReq { speed_dial_number: n }.into()));
    questions.push(message::RegisterAvailableLines::default().into());
    questions.push(message::TimeDateReq.into());
    questions
}

/// Asks, and holds what comes back against the message table: one answer to a question, none to a statement.
fn ask(bench: &mut Bench, phone: SessionId, question: StationMessage) {
    let (id, name) = (question.id(), question.name());
    let wants = selsius_wire::MESSAGES.iter().any(|info| info.answers == Some(id));
    bench.say(phone, question);
    let messages = bench.messages(phone);
    let answers = messages.iter().filter(|message| message.info().and_then(|info| info.answers) == Some(id));
    assert_eq!(answers.count(), usize::from(wants), "{name}: {messages:?}");
    let more: Vec<_> = messages.iter().skip(usize::from(wants)).map(brief).collect();
    let expected: &[&str] = match name {
        // 4.1 capture, frames 101, 102 and 119.
        "SoftKeySetReq" => &["SelectSoftKeys 0", "Prompt Your current options"],
        "TimeDateReq" => &["Prompt Your current options"],
        _ => &[],
    };
    assert_eq!(more, expected, "{name}");
    for message in &messages {
        survives(bench, phone, message);
    }
}

/// A message in the phone's dialect decodes without a complaint.
fn survives(bench: &Bench, phone: SessionId, message: &ManagerMessage) {
    let dialect = bench.dialect(phone);
    let mut bytes = Vec::new();
    dialect.encode_manager(message, &mut bytes);
    let Cut::Frame { frame, consumed } = cut(&bytes, DEFAULT_LIMIT).unwrap() else { panic!("half a frame") };
    assert_eq!(consumed, bytes.len());
    let received = ManagerMessage::decode(frame, dialect.context()).unwrap();
    assert_eq!(received.message.id(), message.id());
}

fn status(bench: &Bench, number: &str) -> Option<selsius_exchange::DeviceStatus> {
    let name = device_name(number);
    bench.exchange.device_status().into_iter().find(|device| device.name.as_str() == name)
}

fn ack(bench: &mut Bench, phone: SessionId) -> RegisterAck {
    let messages = bench.messages(phone);
    let ack = messages.iter().find_map(|message| match message {
        ManagerMessage::RegisterAck(ack) => Some(*ack),
        _ => None,
    });
    ack.unwrap_or_else(|| panic!("no RegisterAck in {messages:?}"))
}

#[test]
fn any_order_of_questions_gets_its_answers() {
    for version in VERSIONS {
        let mut orders = vec![all_questions(), order_7912()];
        for seed in 0..20 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            // Some questions come twice.
            let mut questions = all_questions();
            questions.extend(all_questions().into_iter().step_by(3));
            questions.shuffle(&mut rng);
            orders.push(questions);
        }
        for order in orders {
            let mut bench = Bench::new(office());
            let phone = bench.open(1);
            bench.register(phone, &device_name("1001"), version, 436);
            let heard = bench.heard(phone);
            assert_eq!(heard, ["RegisterAck", "CapabilitiesReq"], "version {version}");
            for question in order {
                ask(&mut bench, phone, question);
            }
            assert!(status(&bench, "1001").unwrap().ready, "version {version}");
            assert_eq!(bench.exchange.counters().refused, Default::default());
        }
    }
}

#[test]
fn the_version_is_the_phone_s_or_the_newest_that_fits() {
    for offered in 0..=u8::MAX {
        for (device_type, held) in [(436, None), (12, Some(3)), (13, Some(3))] {
            let mut bench = Bench::new(office());
            let phone = bench.open(1);
            bench.register(phone, &device_name("1001"), offered, device_type);
            let expected = held.unwrap_or(match offered {
                0..=4 => 3,
                12..=14 => 11,
                5..=22 => offered,
                23.. => Context::NEWEST,
            });
            let ack = ack(&mut bench, phone);
            assert_eq!(ack.max_protocol_ver, expected, "offered {offered}, type {device_type}");
            assert_eq!(ack.features, bench.dialect(phone).answer_features().into(), "offered {offered}");
            assert_eq!(status(&bench, "1001").unwrap().version, expected);
        }
    }
}

#[test]
fn register_ack_tells_interval_and_date_format() {
    let mut site = office();
    site.settings.keepalive_seconds = 60;
    site.settings.date_format = "D.M.YA".into();
    let mut bench = Bench::new(site);
    let phone = bench.open(1);
    bench.register(phone, &device_name("1001"), 17, 436);
    let ack = ack(&mut bench, phone);
    assert!((54..=60).contains(&ack.keep_alive_interval), "{}", ack.keep_alive_interval);
    assert_eq!(ack.secondary_keep_alive_interval, 120);
    assert_eq!(ack.date_template.bytes(), b"D.M.YA");
    assert_eq!(ack.features, Features([0x20, 0xF1, 0xFF]));
    let [DeviceEventKind::Registered { address, device_type: 436, version: 17, .. }] =
        bench.history(&device_name("1001"))[..]
    else {
        panic!("{:?}", bench.records)
    };
    assert_eq!(address.to_string(), "10.0.0.1");
}

#[test]
fn a_repeated_question_for_the_buttons_gets_the_same_template_until_the_phone_restarts() {
    let mut bench = Bench::new(office());
    let phone = bench.phone("1001");
    let template = |bench: &mut Bench| {
        bench.say(phone, message::ButtonTemplateReq);
        match &bench.messages(phone)[..] {
            [ManagerMessage::ButtonTemplate(template)] => ButtonTemplate::clone(template),
            other => panic!("{other:?}"),
        }
    };
    let before = template(&mut bench);
    let kinds: Vec<_> = before.used().iter().map(|b| (b.instance_number, b.button_definition)).collect();
    assert_eq!(kinds, [(1, ButtonType::Line), (1, ButtonType::SpeedDial)]);

    bench.off_hook(phone);
    bench.heard(phone);
    let mut site = office();
    let device = site.devices.get_mut(&name("1001")).unwrap();
    device.buttons.push(Button::Empty);
    bench.input(Input::Site(Box::new(site)));
    assert_eq!(bench.heard(phone), [""; 0], "a call is up");
    assert_eq!(template(&mut bench), before);

    bench.on_hook(phone);
    let messages = bench.messages(phone);
    let Some(ManagerMessage::Reset(reset)) = messages.last() else { panic!("{messages:?}") };
    assert_eq!(reset.reset_type, ResetType::Restart);
    assert_eq!(template(&mut bench), before, "until it registers again");

    bench.close(phone);
    let again = bench.phone("1001");
    bench.say(again, message::ButtonTemplateReq);
    let messages = bench.messages(again);
    let [ManagerMessage::ButtonTemplate(after)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(after.button_count, 3);
}

#[test]
fn an_idle_phone_restarts_at_once_and_a_removed_one_is_told_why() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let mut site = office();
    site.devices.remove(&name("1001"));
    bench.input(Input::Site(Box::new(site)));
    assert_eq!(bench.heard(alice), ["Reset"]);
    assert_eq!(bench.heard(bob), [""; 0]);
    bench.close(alice);
    let again = bench.open(1);
    bench.register(again, &device_name("1001"), 17, 436);
    assert_eq!(bench.heard(again), ["RegisterReject unknown device"]);
    assert!(bench.is_closed(again));
}

#[test]
fn the_site_changes_while_a_call_is_up_and_the_call_goes_on() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.media(alice, 1, 10_000);
    bench.media(bob, 2, 20_000);
    bench.heard(alice);
    bench.heard(bob);

    // Nothing is left of the office: neither phones, nor lines, nor routes.
    bench.input(Input::Site(Box::default()));
    bench.wait(20 * SECOND);
    for phone in [alice, bob] {
        bench.say(phone, message::KeepAlive);
        bench.say(phone, message::ButtonTemplateReq);
        bench.say(phone, message::LineStatReq { line_number: 1 });
        let heard = bench.heard(phone);
        assert!(heard[..2] == ["KeepAliveAck", "ButtonTemplate"] && heard.len() == 3, "{heard:?}");
    }
    bench.on_hook(alice);
    for phone in [alice, bob] {
        let heard = bench.heard(phone);
        assert!(heard.contains(&"CallState OnHook".into()), "{heard:?}");
        assert!(heard.contains(&"Reset".into()), "{heard:?}");
    }
    assert_eq!(bench.ended()[0].cause, EndCause::CallerHungUp);
    bench.assert_quiet();
}

#[test]
fn keepalive_without_register_keeps_a_standby_connection() {
    let mut bench = Bench::new(office());
    let standby = bench.open(1);
    for _ in 0..20 {
        bench.wait(59 * SECOND);
        bench.say(standby, message::KeepAlive);
        assert_eq!(bench.heard(standby), ["KeepAliveAck"]);
    }
    // The phone comes over.
    bench.register(standby, &device_name("1001"), 20, 564);
    assert_eq!(bench.heard(standby), ["RegisterAck", "CapabilitiesReq"]);
}

#[test]
fn a_connection_that_does_not_register_is_closed_after_a_minute() {
    let mut bench = Bench::new(office());
    let silent = bench.open(1);
    bench.wait(59 * SECOND);
    assert!(!bench.is_closed(silent));
    bench.wait(SECOND);
    assert!(bench.is_closed(silent));
    assert_eq!(bench.refused("connection without Register"), 1);
    assert_eq!(bench.logged("it does not register"), 1, "{:?}", bench.events);
    assert_eq!(bench.exchange.sizes(), Default::default());
}

#[test]
fn a_silent_phone_is_lost_after_two_intervals_and_a_bit() {
    let mut bench = Bench::new(office());
    let phone = bench.open(1);
    bench.register(phone, &device_name("1001"), 17, 436);
    let interval = Duration::from_secs(ack(&mut bench, phone).keep_alive_interval.into());
    for _ in 0..5 {
        bench.wait(interval);
        bench.say(phone, message::KeepAlive);
        assert_eq!(bench.heard(phone), ["KeepAliveAck"]);
    }
    bench.wait(interval * 21 / 10 - SECOND);
    assert!(!bench.is_closed(phone));
    bench.wait(SECOND);
    assert!(bench.is_closed(phone));
    assert_eq!(bench.exchange.sizes(), Default::default());
    let lost = DeviceEventKind::Unregistered { reason: "no keepalive".into() };
    assert_eq!(bench.history(&device_name("1001")).last(), Some(&lost));
}

#[test]
fn a_phone_in_a_call_gets_three_intervals() {
    let mut bench = Bench::new(office());
    let alice = bench.open(1);
    bench.register(alice, &device_name("1001"), 17, 436);
    let interval = Duration::from_secs(ack(&mut bench, alice).keep_alive_interval.into());
    let bob = bench.phone("1002");
    bench.off_hook(alice);
    bench.dial(alice, "1002");
    bench.off_hook(bob);
    bench.media(alice, 1, 10_000);
    bench.media(bob, 2, 20_000);
    bench.wait_alive(3 * interval - SECOND, &[bob]);
    assert!(!bench.is_closed(alice));
    assert_eq!(bench.exchange.sizes().calls, 1);
    bench.heard(bob);
    bench.wait_alive(SECOND, &[bob]);
    assert!(bench.is_closed(alice));
    assert!(bench.heard(bob).contains(&"CallState OnHook".into()));
    assert_eq!(bench.ended()[0].cause, EndCause::PhoneLost);
    bench.assert_quiet();
}

#[test]
fn unregistering_frees_the_device_and_ends_its_call() {
    for in_call in [false, true] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
        if in_call {
            bench.off_hook(alice);
            bench.dial(alice, "1002");
            bench.off_hook(bob);
            bench.heard(bob);
        }
        bench.messages(alice);
        bench.say(alice, message::UnregisterReq::default());
        let messages = bench.messages(alice);
        let [rest @ .., ManagerMessage::UnregisterAck(ack)] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!(ack.status, UnregisterStatus::Ok);
        assert_eq!(!rest.is_empty(), in_call, "its own call ends as any other, since its connection stays");
        assert_eq!(status(&bench, "1001"), None);
        if in_call {
            assert!(bench.heard(bob).contains(&"CallState OnHook".into()));
            assert_eq!(bench.ended()[0].cause, EndCause::PhoneLost);
        }
        // The connection stays, and the phone may think again.
        bench.say(alice, message::KeepAlive);
        bench.say(alice, message::UnregisterReq::default());
        bench.register(alice, &device_name("1001"), 17, 436);
        assert_eq!(bench.heard(alice), ["KeepAliveAck", "UnregisterAck", "RegisterAck", "CapabilitiesReq"]);
        bench.assert_quiet();
    }
}

#[test]
fn an_unknown_device_is_told_so() {
    let mut bench = Bench::new(office());
    let phone = bench.open(1);
    bench.register(phone, "SEP0123456789AB", 17, 436);
    assert_eq!(bench.heard(phone), ["RegisterReject unknown device"]);
    assert!(bench.is_closed(phone));
    assert_eq!(bench.refused("unknown device"), 1);
    let [DeviceEventKind::Rejected { reason, .. }] = &bench.history("SEP0123456789AB")[..] else {
        panic!("{:?}", bench.records)
    };
    assert_eq!(reason, "unknown device");
    assert_eq!(bench.logged("refused: unknown device"), 1);
    assert_eq!(bench.exchange.sizes(), Default::default());
}

#[test]
fn an_unknown_device_gets_the_lowest_free_number_where_the_site_wants_that() {
    let mut site = office();
    site.settings.auto_registration = Some("1002-1005".parse().unwrap());
    site.lines.remove(&"1003".parse().unwrap());
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    let mut new = Vec::new();
    for (at, number) in [(0, "1003"), (1, "1005")] {
        let device = format!("SEP{at:012}");
        let phone = bench.open(50 + at);
        bench.register(phone, &device, 17, 436);
        assert_eq!(bench.heard(phone), ["RegisterAck", "CapabilitiesReq"]);
        let Some(Record::AutoRegistered(auto)) =
            bench.records.iter().rfind(|record| matches!(record, Record::AutoRegistered(_)))
        else {
            panic!("{:?}", bench.records)
        };
        assert_eq!((auto.device.as_str(), auto.line.as_str()), (&*device, number));
        assert_eq!(auto.device_type, 436);
        let model = bench.exchange.site().devices[&auto.device].model.clone();
        assert_eq!(model, Model::from_device_type(436));
        new.push((phone, device, number));
    }
    let third = bench.open(60);
    bench.register(third, "SEP999999999999", 17, 436);
    assert_eq!(bench.heard(third), ["RegisterReject no free number left"]);

    // The number works, and it is the same number next time.
    let (phone, device, number) = new.remove(0);
    bench.off_hook(alice);
    bench.dial(alice, number);
    assert!(bench.heard(phone).contains(&"CallState RingIn".into()));
    bench.on_hook(alice);
    bench.close(phone);
    let again = bench.open(50);
    bench.register(again, &device, 17, 436);
    bench.heard(again);
    bench.off_hook(alice);
    bench.dial(alice, number);
    assert!(bench.heard(again).contains(&"CallState RingIn".into()));
    let automatic = bench.records.iter().filter(|r| matches!(r, Record::AutoRegistered(_)));
    assert_eq!(automatic.count(), 2);
}

#[test]
fn names_that_are_none_are_refused_and_never_reach_the_log_raw() {
    // CVE-2011-4486, CVE-2011-4487: crafted device names in Register.
    let names: [&[u8]; 12] = [
        b"",
        b"'; DROP--",
        b"SEP' OR '1'='1",
        b"\" or 1=1;--",
        b"../../etc",
        b"SEP%s%n%x",
        b"SEP\x1b[2J\x07",
        b"SEP\r\nINFO x",
        b"SEP0000 0000",
        b"\xff\xfe\x80SEP",
        b"SEP00000000100\xe4",
        // No NUL: the name fills its area.
        b"SEP0000000010011",
    ];
    for raw in names {
        let mut site = office();
        site.settings.auto_registration = Some("2000-2999".parse().unwrap());
        let mut bench = Bench::new(site);
        let phone = bench.open(1);
        let register = message::Register {
            device_name: Text::full(raw),
            device_type: DeviceType::from(436),
            protocol_ver: 17,
            ..message::Register::default()
        };
        bench.say(phone, register);
        assert_eq!(bench.heard(phone), ["RegisterReject invalid device name"], "{}", raw.escape_ascii());
        assert!(bench.is_closed(phone));
        assert_eq!(bench.refused("invalid device name"), 1);
        assert_eq!(bench.exchange.sizes(), Default::default());
        let clean = |text: &str| !text.contains(char::is_control);
        assert!(bench.events.iter().all(|text| clean(text)), "{:?}", bench.events);
        for record in &bench.records {
            let Record::DeviceEvent(event) = record else { panic!("{record:?}") };
            assert!(clean(&event.device), "{event:?}");
        }
    }
}

#[test]
fn tokens_are_granted_before_and_after_register() {
    let mut bench = Bench::new(office());
    let phone = bench.open(1);
    for _ in 0..2 {
        bench.say(phone, message::RegisterTokenReq::default());
        bench.say(phone, message::SpcpRegisterTokenReq::default());
        assert_eq!(bench.heard(phone), ["RegisterTokenAck", "SpcpRegisterTokenAck"]);
        bench.register(phone, &device_name("1001"), 17, 436);
        bench.heard(phone);
    }
}

#[test]
fn alarms_are_kept_with_the_device_whenever_they_come() {
    let mut bench = Bench::new(office());
    let phone = bench.open(1);
    let alarm = |text: &str| message::Alarm {
        alarm_severity: AlarmSeverity::Informational,
        text: Text::new(text),
        parm1: 0x0001_0800,
        parm2: 7,
    };
    bench.say(phone, alarm("Name=SEP000000001001 Load=8.1.17 Last=Initialized"));
    assert_eq!(bench.history(&device_name("1001")), [], "nobody knows yet whose it is");
    bench.register(phone, &device_name("1001"), 17, 436);
    bench.say(phone, alarm("Last=\x1b]0;evil\x07"));
    assert_eq!(bench.heard(phone), ["RegisterAck", "CapabilitiesReq"]);
    let alarms: Vec<_> = bench
        .history(&device_name("1001"))
        .into_iter()
        .filter_map(|kind| match kind {
            DeviceEventKind::Alarm { severity, text, parameters } => Some((severity, text, parameters)),
            _ => None,
        })
        .collect();
    let [(2, first, [0x0001_0800, 7]), (2, second, _)] = &alarms[..] else { panic!("{alarms:?}") };
    assert_eq!(first, "Name=SEP000000001001 Load=8.1.17 Last=Initialized");
    assert_eq!(second, "Last=\u{FFFD}]0;evil\u{FFFD}", "terminals are not commanded by phones");
    assert!(bench.events.iter().all(|text| !text.contains(char::is_control)), "{:?}", bench.events);

    // A connection that never registers cannot make us keep much.
    let other = bench.open(9);
    for _ in 0..1000 {
        bench.say(other, alarm("again"));
    }
    assert!(bench.logged("again") < 10);
}

#[test]
fn a_6901_lifts_its_handset_by_media_path_events() {
    let mut bench = Bench::new(office());
    let phone = bench.open(1);
    bench.register(phone, &device_name("1001"), 20, 547);
    assert_eq!(bench.heard(phone), ["RegisterAck", "CapabilitiesReq", "SetHookFlashDetect"]);
    let path = |id, event| message::MediaPathEvent { media_path_id: id, media_path_event: event };
    for id in [MediaPathId::Handset, MediaPathId::Speaker] {
        bench.say(phone, path(id, MediaPathEventKind::On));
        assert!(bench.heard(phone).contains(&"StartTone InsideDialTone".into()));
        bench.say(phone, path(id, MediaPathEventKind::Off));
        assert!(bench.heard(phone).contains(&"CallState OnHook".into()));
    }
    bench.assert_quiet();

    // Others send both, and only the hook counts.
    let other = bench.phone("1002");
    bench.say(other, path(MediaPathId::Handset, MediaPathEventKind::On));
    assert_eq!(bench.heard(other), [""; 0]);
}

#[test]
fn a_7940_and_a_7960_are_never_told_ring_out() {
    for (device_type, told) in [(7, false), (8, false), (436, true), (30_007, true)] {
        let mut bench = Bench::new(office());
        let (phone, _called) = (bench.phone_as("1001", 11, device_type), bench.phone("1002"));
        bench.off_hook(phone);
        bench.dial(phone, "1002");
        let heard = bench.heard(phone);
        assert!(heard.contains(&"CallState Proceed".into()) && heard.contains(&"Prompt Ring out".into()));
        assert_eq!(heard.contains(&"CallState RingOut".into()), told, "type {device_type}");
    }
}

#[test]
fn counts_of_a_stream_become_a_record_and_a_7937_is_not_asked() {
    for (device_type, asked) in [(436, true), (431, false)] {
        let mut bench = Bench::new(office());
        let (alice, bob) = (bench.phone_as("1001", 17, device_type), bench.phone("1002"));
        bench.off_hook(alice);
        bench.dial(alice, "1002");
        bench.off_hook(bob);
        bench.media(alice, 1, 10_000);
        bench.media(bob, 2, 20_000);
        bench.heard(alice);
        bench.on_hook(alice);
        let messages = bench.messages(alice);
        let request = messages.iter().find_map(|message| match message {
            ManagerMessage::ConnectionStatisticsReq(request) => Some(*request),
            _ => None,
        });
        assert_eq!(request.is_some(), asked, "type {device_type}");
        let Some(request) = request else { continue };
        assert_eq!(request.directory_num.bytes(), b"1001");
        let answer = message::ConnectionStatisticsRes {
            directory_num: request.directory_num,
            call_reference: request.call_reference,
            stats_processing_mode: request.stats_processing_mode,
            number_packets_sent: 1489,
            number_packets_received: 1492,
            number_packets_lost: 3,
            jitter: 8,
            latency: 15,
            data_size: 39,
            data: b"MLQK=4.4000;MLQKav=4.2500;MLQKmn=3.9000".into(),
            ..message::ConnectionStatisticsRes::default()
        };
        bench.say(alice, answer.clone());
        let Some(Record::CallQuality(quality)) = bench.records.last() else { panic!("no record") };
        let figures = StreamFigures {
            packets_sent: 1489,
            packets_received: 1492,
            packets_lost: 3,
            jitter_ms: 8,
            round_trip_ms: Some(30),
            mos: Mos::from_hundredths(425),
            ..StreamFigures::default()
        };
        assert_eq!(quality.figures, figures);
        assert_eq!(
            (&quality.end, &*quality.number),
            (&LegEnd::Phone(device_name("1001").parse().unwrap()), "1001")
        );
        assert_eq!((quality.counted_by, &*quality.codec), (CountedBy::Phone, "PCMU"));
        let records = bench.records.len();
        bench.say(alice, answer);
        assert_eq!(bench.records.len(), records, "it was asked once");
        assert_eq!(bench.refused("statistics nobody asked for"), 1);
    }
}

#[test]
fn a_phone_is_ready_with_the_time_and_an_spa_with_its_lines() {
    for (device_type, ready_with_lines) in [(436, false), (80_004, true)] {
        let mut bench = Bench::new(office());
        let phone = bench.open(1);
        bench.register(phone, &device_name("1001"), 17, device_type);
        assert!(!status(&bench, "1001").unwrap().ready);
        bench.say(phone, message::RegisterAvailableLines { max_num_of_avail_lines: 1 });
        assert_eq!(status(&bench, "1001").unwrap().ready, ready_with_lines, "type {device_type}");
        bench.say(phone, message::TimeDateReq);
        assert!(status(&bench, "1001").unwrap().ready);
    }
}

#[test]
fn lines_and_buttons_that_do_not_exist_are_answered_empty() {
    // CVE-2010-0588: an invalid line number in RegisterAvailableLines or ForwardStatReq stops the process.
    for version in VERSIONS {
        let mut bench = Bench::new(office());
        let phone = bench.phone_as("1001", version, 436);
        for n in [0, 2, 43, 257, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
            for question in [
                StationMessage::from(message::LineStatReq { line_number: n }),
                message::ForwardStatReq { line_number: n }.into(),
                message::SpeedDialStatReq { speed_dial_number: n }.into(),
                message::ServiceUrlStatReq { service_url_index: n }.into(),
                message::FeatureStatReq { feature_index: n, ..message::FeatureStatReq::default() }.into(),
            ] {
                bench.say(phone, question.clone());
                let messages = bench.messages(phone);
                let [answer] = &messages[..] else { panic!("{question:?}: {messages:?}") };
                assert_eq!(answer.info().unwrap().answers, Some(question.id()));
                let (index, texts) = numbers_and_texts(answer);
                assert_eq!(index, n, "{answer:?}");
                assert_eq!(texts, "", "{answer:?}");
                survives(&bench, phone, answer);
            }
            bench.say(phone, message::RegisterAvailableLines { max_num_of_avail_lines: n });
            bench.say(phone, message::OffHook { line_instance: n, ..message::OffHook::default() });
            bench.say(phone, message::OnHook { line_instance: n, ..message::OnHook::default() });
            bench.say(
                phone,
                message::Stimulus {
                    stimulus: selsius_wire::value::StimulusType::SpeedDial,
                    line_instance: n,
                    ..message::Stimulus::default()
                },
            );
            bench.on_hook(phone);
            bench.messages(phone);
        }
        bench.assert_quiet();
    }
}

/// The number that a status is about, and all of its text.
fn numbers_and_texts(answer: &ManagerMessage) -> (u32, String) {
    use ManagerMessage as M;
    match answer {
        M::LineStat(m) => (
            m.line_number,
            format!("{}{}{}", m.line_dir_number, m.line_fully_qualified_display_name, m.line_text_label),
        ),
        M::LineStatV2(m) => (
            m.line_number,
            format!("{}{}{}", m.line_dir_number, m.line_fully_qualified_display_name, m.line_text_label),
        ),
        M::ForwardStat(m) => (
            m.line_number,
            format!("{}{}{}", m.forward_all_dirnum, m.forward_busy_dirnum, m.forward_no_answer_dirnum),
        ),
        M::SpeedDialStat(m) => {
            (m.speed_dial_number, format!("{}{}", m.speed_dial_dir_number, m.speed_dial_display_name))
        }
        M::SpeedDialStatV2(m) => {
            (m.speed_dial_number, format!("{}{}", m.speed_dial_dir_number, m.speed_dial_display_name))
        }
        M::ServiceUrlStat(m) => {
            (m.service_url_index, format!("{}{}", m.service_url, m.service_url_display_name))
        }
        M::ServiceUrlStatV2(m) => {
            (m.service_url_index, format!("{}{}", m.service_url, m.service_url_display_name))
        }
        M::FeatureStat(m) => (m.feature_index, m.feature_text_label.to_string()),
        M::FeatureStatV2(m) => (m.feature_index, m.feature_text_label.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_comes_before_register_is_ignored_counted_and_logged_once() {
    let mut bench = Bench::new(office());
    let stranger = bench.open(1);
    for _ in 0..5 {
        for question in all_questions().into_iter().filter(|q| !matches!(q, StationMessage::KeepAlive(_))) {
            bench.say(stranger, question);
        }
        bench.off_hook(stranger);
        bench.dial(stranger, "1002");
    }
    assert_eq!(bench.heard(stranger), [""; 0]);
    assert_eq!(bench.refused("message before Register"), 5 * (18 + 5));
    assert_eq!(bench.logged("message before Register"), 1, "{:?}", bench.events);
    assert_eq!(bench.exchange.sizes().calls, 0);
    bench.register(stranger, &device_name("1001"), 17, 436);
    assert_eq!(bench.heard(stranger), ["RegisterAck", "CapabilitiesReq"], "no harm done");
}

#[test]
fn the_clock_is_local_and_its_seconds_are_utc() {
    let mut bench = Bench::new(office());
    let phone = bench.phone("1001");
    let clock = |bench: &mut Bench| {
        bench.say(phone, message::TimeDateReq);
        match bench.messages(phone).first() {
            Some(ManagerMessage::DefineTimeDate(clock)) => *clock,
            other => panic!("{other:?}"),
        }
    };
    let at = |bench: &mut Bench, seconds: i64, offset_seconds: i32| {
        bench.input(Input::Wall(selsius_exchange::WallClock {
            at: bench.now,
            wall: selsius_exchange::record::WallTime(seconds * 1_000_000 + 250_000),
            offset_seconds,
        }));
        let c = clock(bench);
        assert_eq!(i64::from(c.system_time), seconds);
        assert_eq!(c.milliseconds, 250);
        (c.year, c.month, c.day, c.day_of_week, c.hour, c.minute, c.second)
    };
    // 2026-11-24 02:30:00 UTC, a Tuesday.
    assert_eq!(at(&mut bench, 1_795_487_400, 3600), (2026, 11, 24, 2, 3, 30, 0));
    // The evening before, further west.
    assert_eq!(at(&mut bench, 1_795_487_400, -5 * 3600), (2026, 11, 23, 1, 21, 30, 0));
    // 2024-03-03 00:00:00 UTC was a Sunday: 0. An hour west it is a Saturday (6) of a month before.
    assert_eq!(at(&mut bench, 1_709_424_000, 0), (2024, 3, 3, 0, 0, 0, 0));
    assert_eq!(at(&mut bench, 1_709_251_200, -1), (2024, 2, 29, 4, 23, 59, 59));
    // Kathmandu.
    assert_eq!(at(&mut bench, 1_709_424_000, 20_700), (2024, 3, 3, 0, 5, 45, 0));
    bench.wait(90 * SECOND / 2);
    let c = clock(&mut bench);
    assert_eq!((c.minute, c.second, c.milliseconds), (45, 45, 250));
}

fn name(number: &str) -> DeviceName {
    device_name(number).parse().unwrap()
}

#[test]
fn a_phone_that_is_refused_for_ever_is_told_of_once() {
    let mut bench = Bench::new(office());
    for _ in 0..50 {
        let session = bench.open(77);
        bench.register(session, "SEPFFFFFFFFFFFF", 17, 436);
        assert_eq!(bench.heard(session), ["RegisterReject unknown device"]);
    }
    let rejected = bench.records.iter().filter(|record| {
        matches!(record, Record::DeviceEvent(event) if matches!(event.kind, DeviceEventKind::Rejected { .. }))
    });
    assert_eq!(rejected.count(), 1);
    assert_eq!(bench.exchange.counters().refused.get("unknown device"), Some(&50));
}
