//! Attacks that need no bug: each has its expectation in `docs/security.md`.

use std::net::{IpAddr, Ipv4Addr};

use selsius_exchange::{Config, record::EndCause};
use selsius_site::{Action, Name, Rights, Route, Secret, Trunk, User};
use selsius_wire::{KeypadKey, ManagerMessage, SoftKey, StimulusType, message};

use crate::{
    PAIR, assert_refused,
    bench::{Manager, Pair, Phone, device_name, office, talkative},
    ended, insider, mallory, questions,
};

/// A host that has nothing to do with the office.
const THIRD: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

#[test]
fn forged_media_answers() {
    let manager = Manager::with(talkative(), Config::default(), office());
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    for number in 0..200 {
        phone.ack(number, ([127, 0, 0, 66], 6666));
        phone.say(message::MediaTransmissionFailure {
            conference_id: number,
            pass_through_party_id: number,
            call_reference: number,
            ..message::MediaTransmissionFailure::default()
        });
        phone.say(message::StartMediaTransmissionAck {
            conference_id: number,
            pass_through_party_id: number,
            call_reference: number,
            media_transmission_status: selsius_wire::MediaStatus::OutOfSockets,
            ..message::StartMediaTransmissionAck::default()
        });
        phone.press(SoftKey::EndCall, number);
    }
    phone.settle();
    assert_eq!(manager.refused("media answer for another phone's leg"), 2, "the pair's two legs");
    assert_eq!(manager.logged("media answer for another phone's leg"), 1);
    pair.assert_unaffected();
}

#[test]
fn another_phones_name() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut thief = mallory(&manager);
    thief.say_register(&device_name("1003"));
    // The phone itself is asked whether it is still there, and answers as any phone does.
    let asked = pair.caller.next();
    assert!(matches!(asked, Some(ManagerMessage::CapabilitiesReq(_))), "{asked:?}");
    pair.caller.say(message::CapabilitiesRes::new(&[message::AudioCapability::new(
        selsius_wire::Codec::G711Ulaw64k,
        40,
    )]));
    let answer = thief.ends();
    let [ManagerMessage::RegisterReject(reject)] = &answer[..] else { panic!("{answer:?}") };
    assert_eq!(reject.text.to_string(), "registered elsewhere");
    assert_eq!(manager.refused("registered elsewhere"), 1);
    assert_eq!(manager.logged("refused: registered elsewhere"), 1, "{:?}", manager.log());
    pair.assert_unaffected();
}

#[test]
fn a_forged_unregister() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let (mut stranger, mut phone) = (mallory(&manager), insider(&manager));
    for liar in [&mut stranger, &mut phone] {
        liar.say(message::UnregisterReq::default());
        assert!(liar.hears().contains(&"UnregisterAck"), "whoever says it speaks for himself");
    }
    assert_eq!(manager.status().devices.len(), PAIR);
    pair.assert_unaffected();
}

#[test]
fn a_call_without_register() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut stranger = mallory(&manager);
    stranger.off_hook();
    stranger.dial("1003");
    stranger.press(SoftKey::NewCall, 0);
    for question in questions() {
        stranger.say(question);
    }
    assert_eq!(stranger.hears(), [""; 0]);
    assert_refused(&manager, "message before Register", 11);
    pair.assert_unaffected();
}

#[test]
fn names_tried_out() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut guesses = 0..;
    let shut_out = loop {
        let mut phone = mallory(&manager);
        phone.say_register(&format!("SEP0000FF{:06}", guesses.next().unwrap()));
        let answer = phone.ends();
        let [ManagerMessage::RegisterReject(reject)] = &answer[..] else { panic!("{answer:?}") };
        if reject.text.to_string() != "unknown device" {
            break reject.text.to_string();
        }
    };
    assert_eq!(shut_out, "too many unknown names");
    assert!(guesses.start >= 120, "an office with as many new phones is nothing bad: {guesses:?}");
    assert_eq!(manager.logged("nobody registers from 127.0.0.66 for now"), 1);
    // Somebody else's phone is let in all the while.
    drop(Phone::register(&manager, "1002"));
    pair.assert_unaffected();
}

#[test]
fn somebody_elses_forward() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    // By the key, with every line number that there could be; by the code, which goes for the own line.
    for line in [0, 1, 2, 3, 1003, u32::MAX] {
        phone.say(message::Stimulus {
            stimulus: StimulusType::ForwardAll,
            line_instance: line,
            ..message::Stimulus::default()
        });
        phone.dial("1002");
        phone.on_hook();
    }
    phone.off_hook();
    for key in [KeypadKey::Star, KeypadKey::from(7), KeypadKey::from(2)] {
        phone.say(message::KeypadButton { kp_button: key, ..message::KeypadButton::default() });
    }
    phone.dial("1002");
    phone.on_hook();
    phone.settle();
    let forwarded: Vec<_> = manager.remembered().lines.into_keys().map(|line| line.to_string()).collect();
    assert_eq!(forwarded, ["1001"], "only its own");
    pair.assert_unaffected();
}

/// Calls Bob, and says that a third host is where the audio goes.
fn name_a_third_host(phone: &mut Phone, bob: &mut Phone) {
    phone.off_hook();
    phone.dial("1002");
    bob.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
    bob.off_hook();
    let heard = phone.until(|message| matches!(message, ManagerMessage::OpenReceiveChannel(_)));
    let Some(ManagerMessage::OpenReceiveChannel(open)) = heard.last() else { unreachable!() };
    phone.ack(open.pass_through_party_id, (THIRD, 6666));
}

/// An OpenReceiveChannelAck that names a third host would have the other party send its audio there, through a pinhole that
/// a firewall opens for it.
#[test]
fn a_media_answer_that_names_a_third_host() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let (mut phone, mut bob) = (insider(&manager), Phone::register(&manager, "1002"));
    name_a_third_host(&mut phone, &mut bob);
    phone.settle();
    let heard = bob.settle();
    assert!(!heard.iter().any(|message| matches!(message, ManagerMessage::StartMediaTransmission(_))));
    assert_eq!(ended(&manager), [EndCause::MediaFailure]);
    assert_eq!(manager.refused("audio address of another host"), 1);
    assert_eq!(manager.logged("wants its audio sent to 203.0.113.9 while it speaks from 127.0.0.66"), 1);
    pair.assert_unaffected();
}

#[test]
fn a_media_answer_that_names_a_third_host_where_that_is_allowed() {
    let config = Config { media_addresses: selsius_exchange::MediaAddresses::Any, ..Config::default() };
    let manager = Manager::with(talkative(), config, office());
    let mut pair = Pair::new(&manager);
    let (mut phone, mut bob) = (insider(&manager), Phone::register(&manager, "1002"));
    name_a_third_host(&mut phone, &mut bob);
    let heard = bob.until(|message| matches!(message, ManagerMessage::StartMediaTransmission(_)));
    let Some(ManagerMessage::StartMediaTransmission(start)) = heard.last() else { unreachable!() };
    assert_eq!(start.remote_ip_addr.ip, IpAddr::from(THIRD));
    pair.assert_unaffected();
}

/// StartMediaTransmission, Reset, UserToDeviceData, SetRinger and CallInfo are a manager's words: a phone that says them, about
/// its own call or another one, is not believed, and nobody hears of it.
#[test]
fn forged_orders_of_a_manager() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    let forged = [0x008A, 0x0105, 0x009F, 0x001E, 0x013F, 0x0085, 0x008F];
    for id in forged {
        for party in 0..20_u32 {
            let mut body = [party, party].map(u32::to_le_bytes).concat();
            body.extend(THIRD.octets());
            body.resize(200, 0);
            phone.say_raw(id, &body);
        }
    }
    assert_eq!(phone.hears(), [""; 0]);
    let counters = manager.status().counters.refused;
    let refused: u64 = ["malformed message", "message without effect", "unknown message"]
        .map(|why| counters.get(why))
        .into_iter()
        .flatten()
        .sum();
    assert_eq!(refused, 20 * forged.len() as u64, "{counters:?}");
    pair.assert_unaffected();
}

/// What a phone's screen sends goes to the exchange's own screens and to nobody else's.
#[test]
fn screens_pushed_to_other_phones() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    let dial = b"<CiscoIPPhoneExecute><ExecuteItem URL=\"Dial:1003\"/></CiscoIPPhoneExecute>";
    for application in [0, 1, 2, 0x10, 9999, u32::MAX] {
        for line in 0..4 {
            phone.say(message::DeviceToUserData {
                application_id: application,
                line_instance: line,
                call_reference: line,
                data_length: u32::try_from(dial.len()).unwrap(),
                xmldata: dial.to_vec().into(),
                ..message::DeviceToUserData::default()
            });
        }
    }
    assert_eq!(phone.hears(), [""; 0]);
    assert!(manager.refused("answer to no application") > 0);
    pair.assert_unaffected();
}

/// A phone cannot have others restarted; its own resets, asked for by coming and going, disturb nobody.
#[test]
fn a_flood_of_restarts() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    for _ in 0..200 {
        let mut phone = mallory(&manager);
        phone.say_register(&device_name("1001"));
        phone.say(message::UnregisterReq::default());
        phone.until(|message| matches!(message, ManagerMessage::UnregisterAck(_)));
    }
    assert_eq!(manager.status_when(|status| status.network.connections == PAIR).devices.len(), PAIR);
    pair.assert_unaffected();
}

/// Numbers that cost money: who may not call them may not have others called through forwarding or transfer either.
#[test]
fn toll_fraud() {
    let mut site = office();
    let name = |text: &str| text.parse::<Name>().unwrap();
    site.trunks.insert(name("carrier"), Trunk::default());
    let action = Action::Trunks(vec![name("carrier")]);
    let outside = Route { action, partition: Some(name("outside")), ..Route::default() };
    site.routes.insert("0.XXXX".parse().unwrap(), outside);
    site.rights.insert(name("staff"), Rights { partitions: vec![name("inside")] });
    site.lines.get_mut(&"1001".parse().unwrap()).unwrap().rights = Some(name("staff"));
    let manager = Manager::with(talkative(), Config::default(), site);
    let mut pair = Pair::new(&manager);
    let (mut phone, mut bob) = (insider(&manager), Phone::register(&manager, "1002"));

    // To call it, and to forward to it.
    phone.off_hook();
    phone.dial("01234");
    phone.on_hook();
    phone.off_hook();
    for key in [KeypadKey::Star, KeypadKey::from(7), KeypadKey::from(2)] {
        phone.say(message::KeypadButton { kp_button: key, ..message::KeypadButton::default() });
    }
    phone.dial("01234");
    phone.say(message::KeypadButton { kp_button: KeypadKey::Pound, ..message::KeypadButton::default() });
    phone.on_hook();
    phone.settle();
    assert!(manager.remembered().lines.is_empty(), "{:?}", manager.remembered());

    // To transfer a caller to it: the consultation is a call like any other.
    bob.off_hook();
    bob.dial("1001");
    phone.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
    phone.off_hook();
    let heard = phone.settle();
    let reference = heard.iter().find_map(|message| match message {
        ManagerMessage::CallState(state) => Some(state.call_reference),
        _ => None,
    });
    phone.press(SoftKey::Transfer, reference.unwrap());
    phone.dial("01234");
    phone.press(SoftKey::Transfer, 0);
    phone.on_hook();
    phone.settle();
    bob.on_hook();
    bob.settle();
    let causes = ended(&manager);
    assert!(!causes.contains(&EndCause::Transferred), "{causes:?}");
    assert!(causes.iter().filter(|&&cause| cause == EndCause::Blocked).count() >= 2, "{causes:?}");
    assert!(manager.status().calls.iter().all(|call| call.dialed != "01234"));
    pair.assert_unaffected();
}

/// What is typed as a PIN goes over the network in the clear, as the protocol has it; but here it is neither logged nor
/// recorded nor shown to operators.
#[test]
fn pins_in_the_clear() {
    const PIN: &str = "8642";
    let mut site = office();
    let buttons = site.devices[&device_name("1002").parse().unwrap()].buttons.clone();
    let bob = User { pin: Secret::new(PIN), buttons, ..User::default() };
    site.users.insert("bob".parse().unwrap(), bob);
    let manager = Manager::with(talkative(), Config::default(), site);
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    let keys = |phone: &mut Phone, digits: &str| {
        for digit in digits.chars() {
            let kp_button = match digit {
                '*' => KeypadKey::Star,
                '#' => KeypadKey::Pound,
                digit => KeypadKey::from(digit.to_digit(10).unwrap()),
            };
            phone.say(message::KeypadButton { kp_button, ..message::KeypadButton::default() });
        }
    };
    phone.off_hook();
    keys(&mut phone, "*811002#");
    keys(&mut phone, PIN);
    phone.settle();
    let status = manager.status();
    assert!(!format!("{:?}", status.calls).contains(PIN), "{:?}", status.calls);
    keys(&mut phone, "#");
    let heard = phone.settle();
    assert!(!format!("{heard:?}").contains(PIN));
    let told = manager.records();
    assert!(!format!("{told:?}").contains(PIN), "{told:?}");
    assert!(!manager.log().iter().any(|line| line.contains(PIN)));
    assert!(manager.remembered().devices.values().any(|state| state.user.is_some()), "it was the right one");
    pair.assert_unaffected();
}

/// There is no recorder here, and nothing that a phone says makes one: whoever talks sends to one other party only.
#[test]
fn recorders_that_nobody_asked_for() {
    let manager = Manager::new();
    let mut pair = Pair::new(&manager);
    let mut phone = insider(&manager);
    for stimulus in [0x7F_u32, 0x80, 0x81, 0x82, 0x83, 0xFF] {
        for line in 0..4 {
            phone.say(message::Stimulus {
                stimulus: StimulusType::from(stimulus),
                line_instance: line,
                ..message::Stimulus::default()
            });
        }
    }
    for key in 0..0x40_u32 {
        phone.press(SoftKey::from(key), 1);
    }
    phone.on_hook();
    let heard = phone.settle();
    assert!(!heard.iter().any(|message| matches!(message, ManagerMessage::StartMediaTransmission(_))));
    pair.assert_unaffected();
}
