//! Tests against real files in temporary directories.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod backup;
mod bed;
mod calls;
mod failure;
mod old;
mod open;
mod operator;
mod records;
mod remembered;
mod retention;
mod site;

use std::path::Path;

use selsius_exchange::record::{
    CallEnded, CallId, CallQuality, CallStarted, CountedBy, DeviceEvent, DeviceEventKind, EndCause, LegEnd,
    Party, StreamFigures, WallTime,
};
use selsius_site::Site;
use tempfile::TempDir;

use crate::{Opened, Store};

/// A directory that goes away with the test, and the store in it.
async fn fresh() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.store;
    (folder, store)
}

async fn open(folder: &Path) -> Opened {
    Store::open(&folder.join("data")).await.unwrap()
}

/// Closes a store and opens it again, as a restart does.
async fn reopen(folder: &Path, store: Store) -> Opened {
    store.close().await.unwrap();
    open(folder).await
}

pub(crate) fn party(number: &str, device: Option<&str>) -> Party {
    Party {
        number: number.into(),
        name: format!("Room {number}"),
        device: device.map(|name| name.parse().unwrap()),
        restricted: false,
    }
}

pub(crate) fn started(call: u64, at: i64) -> CallStarted {
    CallStarted {
        call: CallId(call),
        calling: party("1001", Some("SEP001122334455")),
        dialed: "1002".into(),
        started: WallTime(at),
    }
}

pub(crate) fn ended(call: u64, at: i64) -> CallEnded {
    CallEnded {
        call: CallId(call),
        calling: party("1001", Some("SEP001122334455")),
        dialed: "1002".into(),
        called: party("1002", Some("SEP0011223344AA")),
        started: WallTime(at - 9),
        ringing: Some(WallTime(at - 8)),
        answered: Some(WallTime(at - 5)),
        ended: WallTime(at),
        cause: EndCause::CallerHungUp,
        redirections: Vec::new(),
        account: String::new(),
        trunk: String::new(),
        recordings: Vec::new(),
        codec: "PCMU".into(),
    }
}

pub(crate) fn quality(call: u64, party: u32, device: &str) -> CallQuality {
    CallQuality {
        call: CallId(call),
        party,
        number: "1001".into(),
        end: LegEnd::Phone(device.parse().unwrap()),
        counted_by: CountedBy::Phone,
        codec: "PCMU".into(),
        figures: StreamFigures {
            packets_sent: u32::MAX,
            packets_received: 1400,
            packets_lost: 3,
            jitter_ms: 12,
            ..StreamFigures::default()
        },
    }
}

pub(crate) fn event(device: &str, at: i64) -> DeviceEvent {
    let kind = DeviceEventKind::Unregistered { reason: "keepalive missed".into() };
    DeviceEvent { device: device.into(), at: WallTime(at), kind }
}

fn office() -> Site {
    Site::from_toml("sample.toml", selsius_site::SAMPLE).unwrap()
}
