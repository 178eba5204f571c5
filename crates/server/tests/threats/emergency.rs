//! An emergency call passes before every limit.

use std::time::Duration;

use selsius_exchange::Config;
use selsius_server::core::Limits;
use selsius_site::{Action, Route, Site};
use selsius_wire::{ManagerMessage, message};

use crate::{
    bench::{Manager, Phone, limits, office, talkative},
    ended, insider, mallory,
};

/// The office, where 112 rings at Dave's.
fn site() -> Site {
    let mut site = office();
    let dave = Action::Lines(vec!["1004".parse().unwrap()]);
    let route = Route { action: dave, emergency: true, ..Route::default() };
    site.routes.insert("112".parse().unwrap(), route);
    site
}

/// It dials 112, and Dave's phone rings.
fn calls_for_help(phone: &mut Phone, dave: &mut Phone) {
    phone.off_hook();
    phone.dial("112");
    dave.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
    phone.on_hook();
    phone.settle();
    dave.settle();
}

#[test]
fn when_the_manager_is_overloaded() {
    // Whatever it does is too late, and stays so.
    let limits = Limits { late: Duration::ZERO, calm: Duration::from_secs(3600), ..limits() };
    let manager = Manager::with(limits, Config::default(), site());
    let (mut phone, mut dave) = (insider(&manager), Phone::register(&manager, "1004"));
    phone.off_hook();
    phone.dial("1004");
    let heard = phone.settle();
    assert!(heard.iter().any(|message| message.name() == "StartTone"), "{heard:?}");
    phone.on_hook();
    phone.settle();
    assert_eq!(dave.hears(), [""; 0], "other calls are refused");
    assert_eq!(ended(&manager), [selsius_exchange::record::EndCause::Overload]);
    assert_eq!(manager.refused("call while overloaded"), 1);
    assert!(manager.status().network.overloads > 0);
    assert_eq!(manager.logged("overloaded: new calls are refused"), 1);
    calls_for_help(&mut phone, &mut dave);
}

#[test]
fn when_the_phone_has_as_many_calls_as_it_may() {
    let mut config = Config::default();
    config.limits.legs_per_device = 1;
    let manager = Manager::with(talkative(), config, site());
    let (mut phone, mut bob) = (insider(&manager), Phone::register(&manager, "1002"));
    let mut dave = Phone::register(&manager, "1004");
    phone.off_hook();
    phone.dial("1002");
    bob.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
    bob.off_hook();
    phone.until(|message| matches!(message, ManagerMessage::OpenReceiveChannel(_)));
    phone.press(selsius_wire::SoftKey::Hold, 0);
    phone.off_hook();
    phone.dial("112");
    dave.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
}

#[test]
fn when_the_phone_says_too_much() {
    let manager = Manager::with(limits(), Config::default(), site());
    let (mut phone, mut dave) = (insider(&manager), Phone::register(&manager, "1004"));
    phone.send(&phone.frame(message::KeepAlive).repeat(600));
    phone.off_hook();
    phone.dial("112");
    dave.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
    assert!(manager.status().network.held > 0, "it was read more slowly, and nothing was lost");
}

#[test]
fn when_somebody_tries_names_out_behind_the_same_address() {
    let mut config = Config::default();
    config.limits.unknown_names = selsius_exchange::Rate::per_minute(1);
    let manager = Manager::with(limits(), config, site());
    let (mut phone, mut dave) = (insider(&manager), Phone::register(&manager, "1004"));
    for _ in 0..2 {
        let mut stranger = mallory(&manager);
        stranger.say_register("SEP00000000FFFF");
        stranger.ends();
    }
    assert_eq!(manager.refused("too many unknown names"), 1);
    calls_for_help(&mut phone, &mut dave);
}

#[test]
fn when_no_more_connections_are_taken() {
    let limits = Limits { connections: 2, ..limits() };
    let manager = Manager::with(limits, Config::default(), site());
    let (mut phone, mut dave) = (insider(&manager), Phone::register(&manager, "1004"));
    assert_eq!(mallory(&manager).ends(), []);
    calls_for_help(&mut phone, &mut dave);
}
