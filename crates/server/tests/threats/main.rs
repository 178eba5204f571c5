//! What has broken other SCCP software, and what needs no bug, against the running exchange over real sockets.
//!
//! Each report (`threats.md`) has a test that is named after it. Everywhere two phones talk to each other all the while;
//! afterwards their call is still up, ends as it should, and another one works ([`Pair::assert_unaffected`]). The reason is
//! counted, and logged once. What the whole process may take is in `crates/selsius/tests/manager/ceiling.rs`.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

#[path = "../bench/mod.rs"]
mod bench;
mod connections;
mod contents;
mod emergency;
mod frames;
mod people;

use std::net::Ipv4Addr;

use bench::{Manager, Phone, device_name};
use selsius_exchange::record::{EndCause, Record};
use selsius_server::core::NetworkCounters;
use selsius_wire::{StationMessage, message};

/// Somebody else's address.
const MALLORY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// Connections of the pair.
const PAIR: usize = 2;

fn mallory(manager: &Manager) -> Phone {
    Phone::connect_from(MALLORY, manager.address()).unwrap()
}

/// Mallory as a registered phone.
fn insider(manager: &Manager) -> Phone {
    let mut phone = mallory(manager);
    phone.say_register(&device_name("1001"));
    phone.settle();
    assert_eq!(phone.dialect.version(), 17, "registered");
    phone
}

fn network(manager: &Manager) -> NetworkCounters {
    manager.status().network
}

/// What was refused is counted so often, and logged once.
fn assert_refused(manager: &Manager, reason: &str, times: u64) {
    assert_eq!(manager.refused(reason), times, "{reason}: {:?}", manager.status().counters.refused);
    assert_eq!(manager.logged(reason), 1, "{reason}: {:?}", manager.log());
}

/// Why calls have ended since the last time.
fn ended(manager: &Manager) -> Vec<EndCause> {
    let ended = manager.records().into_iter().filter_map(|record| match record {
        Record::CallEnded(call) => Some(call.cause),
        _ => None,
    });
    ended.collect()
}

/// What phones ask when they register.
fn questions() -> Vec<StationMessage> {
    vec![
        message::ButtonTemplateReq.into(),
        message::SoftKeyTemplateReq.into(),
        message::SoftKeySetReq.into(),
        message::ConfigStatReq.into(),
        message::TimeDateReq.into(),
    ]
}
