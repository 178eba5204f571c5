//! What is told of all phones and calls of a large office does not hold up the exchange's thread: it tells a page at a time,
//! however many ask.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

mod bench;

use std::sync::mpsc::channel;

use bench::{Manager, Phone, device_name, limits};
use selsius_exchange::{
    Config,
    record::{DeviceEventKind, Record},
};
use selsius_server::core::{Command, Metrics, PAGE};
use selsius_site::{Button, Device, Line, Site};
use tokio::sync::oneshot;

/// More than a page.
const PHONES: usize = PAGE + 2;
/// How many ask at once.
const ASKERS: usize = 12;

fn number(phone: usize) -> String {
    (1001 + phone).to_string()
}

fn large_office() -> Site {
    let mut site = Site::default();
    for phone in 0..PHONES {
        let number = number(phone);
        site.lines.insert(number.parse().unwrap(), Line::default());
        let button = Button::Line { number: number.parse().unwrap(), label: String::new() };
        let device = Device { buttons: vec![button], ..Device::default() };
        site.devices.insert(device_name(&number).parse().unwrap(), device);
    }
    site
}

fn metrics(manager: &Manager) -> Metrics {
    let (answer, wait) = oneshot::channel();
    manager.handle().send(Command::Metrics(answer)).unwrap();
    *wait.blocking_recv().unwrap()
}

#[test]
fn no_turn_tells_more_than_a_page() {
    // A phone that nobody knows holds the exchange up until everybody has asked.
    let (begins, wait_for_it) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let manager = Manager::with_sink(limits(), Config::default(), large_office(), move |record| {
        if let Record::DeviceEvent(event) = record
            && matches!(event.kind, DeviceEventKind::Rejected { .. })
        {
            begins.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
    });
    let _phones: Vec<_> = (0..PHONES).map(|phone| Phone::register(&manager, &number(phone))).collect();
    let before = metrics(&manager).tally.turns.count();

    let mut stranger = Phone::connect(manager.address());
    stranger.say_register("SEPDEADDEADDEAD");
    wait_for_it.recv().unwrap();
    let mut devices = Vec::new();
    let mut calls = Vec::new();
    let mut presence = Vec::new();
    for _ in 0..ASKERS {
        let (answer, wait) = oneshot::channel();
        manager.handle().send(Command::Devices(None, answer)).unwrap();
        devices.push(wait);
        let (answer, wait) = oneshot::channel();
        manager.handle().send(Command::Calls(0, answer)).unwrap();
        calls.push(wait);
        let (answer, wait) = oneshot::channel();
        manager.handle().send(Command::Presence(None, answer)).unwrap();
        presence.push(wait);
    }
    go_on.send(()).unwrap();
    for wait in devices {
        assert_eq!(wait.blocking_recv().unwrap().len(), PAGE);
    }
    for wait in calls {
        assert_eq!(wait.blocking_recv().unwrap(), (vec![], None));
    }
    for wait in presence {
        assert_eq!(wait.blocking_recv().unwrap().phones.len(), PAGE);
    }
    let turns = metrics(&manager).tally.turns.count() - before;
    assert!(turns >= 3 * ASKERS as u64, "{} pages in {turns} turns", 3 * ASKERS);
}

#[test]
fn all_pages_together_are_everybody() {
    let manager = Manager::with(limits(), Config::default(), large_office());
    let mut phones: Vec<_> = (0..PHONES).map(|phone| Phone::register(&manager, &number(phone))).collect();
    for phone in &mut phones {
        phone.off_hook();
        phone.settle();
    }
    let status = manager.status();
    let names: Vec<_> = status.devices.iter().map(|device| device.name.to_string()).collect();
    let expected: Vec<_> = (0..PHONES).map(|phone| device_name(&number(phone))).collect();
    assert_eq!(names, expected);
    assert!(status.calls.is_sorted_by(|one, next| one.call < next.call));
    assert_eq!(status.calls.len(), PHONES);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let presence = runtime.block_on(manager.handle().presence()).unwrap();
    assert_eq!((presence.phones.len(), presence.lines.len()), (PHONES, PHONES));
}
