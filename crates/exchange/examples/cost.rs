//! What a call and an idle phone cost the exchange alone: `cargo run --release -p selsius-exchange --example cost`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command for developers")]

use std::{collections::BTreeMap, net::SocketAddr, time::Instant};

use selsius_exchange::{Config, Exchange, Input, Output, Peer, SessionId, Time, WallClock};
use selsius_site::{Button, Device, Line, Site};
use selsius_wire::{
    ManagerMessage, StationMessage, message,
    value::{Codec, DeviceType, KeypadKey, Text},
};

const PHONES: u64 = 18_000;
const CALLS: u64 = 200_000;

fn main() {
    let mut site = Site::default();
    for phone in 1..=PHONES {
        let number: selsius_site::LineNumber = format!("{}", 10_000 + phone).parse().unwrap();
        site.lines.insert(number.clone(), Line { name: format!("User {phone}"), ..Line::default() });
        let buttons = vec![Button::Line { number, label: String::new() }];
        site.devices.insert(name(phone).parse().unwrap(), Device { buttons, ..Device::default() });
    }
    let before = resident();
    let mut exchange = Exchange::new(Config::default(), site, WallClock::default());
    let started = Instant::now();
    for phone in 1..=PHONES {
        let [.., a, b] = phone.to_be_bytes();
        let peer = Peer {
            remote: SocketAddr::from(([10, 1, a, b], 50_000)),
            local: SocketAddr::from(([10, 0, 0, 1], 2000)),
        };
        exchange.handle(Time::ZERO, Input::Opened { session: SessionId(phone), peer });
        let register = message::Register {
            device_name: Text::new(name(phone).as_bytes()),
            device_type: DeviceType::from(436),
            protocol_ver: 17,
            ..message::Register::default()
        };
        say(&mut exchange, phone, register);
        let codecs =
            [Codec::G711Ulaw64k, Codec::G711Alaw64k].map(|codec| message::AudioCapability::new(codec, 40));
        say(&mut exchange, phone, message::CapabilitiesRes::new(&codecs));
        say(&mut exchange, phone, message::TimeDateReq);
        while exchange.poll_output().is_some() {}
    }
    let took = started.elapsed();
    println!(
        "{PHONES} registrations: {:.1} µs and {} bytes each",
        took.as_secs_f64() * 1e6 / PHONES as f64,
        (resident() - before) / PHONES
    );

    let started = Instant::now();
    let mut messages = 0;
    let mut opened = BTreeMap::new();
    for call in 0..CALLS {
        let caller = call % (PHONES / 2) + 1;
        let called = caller + PHONES / 2;
        say(&mut exchange, caller, message::OffHook::default());
        for digit in (10_000 + called).to_string().chars() {
            let kp_button = KeypadKey::from(digit.to_digit(10).unwrap());
            say(
                &mut exchange,
                caller,
                message::KeypadButton { kp_button, ..message::KeypadButton::default() },
            );
        }
        say(&mut exchange, called, message::OffHook::default());
        opened.clear();
        while let Some(output) = exchange.poll_output() {
            messages += 1;
            if let Output::Send { session, message: ManagerMessage::OpenReceiveChannel(open) } = output {
                opened.insert(session.0, open.pass_through_party_id);
            }
        }
        for (&phone, &party) in &opened {
            let ack = message::OpenReceiveChannelAck {
                ip_addr: std::net::IpAddr::from([10, 1, 0, 1]).into(),
                port_number: 20_000,
                pass_through_party_id: party,
                ..message::OpenReceiveChannelAck::default()
            };
            say(&mut exchange, phone, ack);
        }
        say(&mut exchange, caller, message::OnHook::default());
        say(&mut exchange, called, message::OnHook::default());
        while exchange.poll_output().is_some() {
            messages += 1;
        }
    }
    let each = started.elapsed().as_secs_f64() * 1e6 / CALLS as f64;
    println!("{CALLS} calls: {each:.1} µs each, {:.1} outputs each", messages as f64 / CALLS as f64);
}

fn say(exchange: &mut Exchange, phone: u64, message: impl Into<StationMessage>) {
    exchange.handle(Time::ZERO, Input::Message { session: SessionId(phone), message: message.into() });
}

fn name(phone: u64) -> String {
    format!("SEP{phone:012X}")
}

/// Resident memory in bytes, where Linux tells it.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
