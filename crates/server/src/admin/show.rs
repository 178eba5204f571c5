//! From what the server knows to what the API says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use selsius_exchange::{
    CallStatus, DeviceStatus,
    record::{CallQuality, DeviceEvent, DeviceEventKind, Party, Redirection, WallTime},
};
use selsius_site::{Device, PHONES, Site};
use selsius_store::{CallRecord, StoreStatus};

use super::Admin;
use crate::{api, core};

pub(super) fn status(admin: &Admin, site: &Site, status: core::Status) -> api::Status {
    let core::Status { devices, calls, counters, network } = status;
    let mut all: BTreeMap<String, api::Device> =
        site.devices.iter().map(|(name, device)| (name.to_string(), absent(name.as_str(), device))).collect();
    for device in devices {
        let shown =
            all.entry(device.name.to_string()).or_insert_with_key(|name| absent(name, &Device::default()));
        if shown.model.is_empty() {
            shown.model = model(device.device_type.into());
        }
        shown.lines.clone_from(&device.lines);
        shown.registration = Some(registration(device));
    }
    api::Status {
        version: env!("CARGO_PKG_VERSION").into(),
        started: admin.started,
        addresses: admin.addresses.clone(),
        site: site.settings.name.clone(),
        devices: all.into_values().collect(),
        calls: calls.into_iter().map(call_in_progress).collect(),
        counters: api::Counters {
            messages_in: counters.messages_in,
            messages_out: counters.messages_out,
            registrations: counters.registrations,
            calls: counters.calls,
            connections: network.connections,
            accepted: network.accepted,
            refused: network.refused,
            slow: network.slow,
            garbage: network.garbage,
            refused_messages: counters
                .refused
                .iter()
                .map(|(&reason, &count)| (reason.into(), count))
                .collect(),
        },
        store: store(admin.store.status()),
    }
}

fn absent(name: &str, device: &Device) -> api::Device {
    api::Device {
        name: name.into(),
        description: device.description.clone(),
        model: device.model.as_ref().map(ToString::to_string).unwrap_or_default(),
        lines: device.lines().map(ToString::to_string).collect(),
        registration: None,
    }
}

/// The name of a device type, or its number.
fn model(device_type: u32) -> String {
    let known = PHONES.iter().find(|phone| phone.device_type == device_type);
    known.map_or_else(|| format!("type {device_type}"), |phone| phone.name.into())
}

fn registration(device: DeviceStatus) -> api::Registration {
    api::Registration {
        address: device.address.to_canonical(),
        device_type: device.device_type.into(),
        version: device.version,
        load: device.load,
        since: time(device.registered),
        ready: device.ready,
        calls: device.calls,
    }
}

fn call_in_progress(call: CallStatus) -> api::CallInProgress {
    api::CallInProgress {
        id: call.call.0,
        phase: call.phase.into(),
        calling: call.calling,
        dialed: call.dialed,
        called: call.called,
        started: call.started.map(time),
        answered: call.answered.map(time),
    }
}

fn store(status: StoreStatus) -> api::StoreStatus {
    let StoreStatus { waiting, lost, failing } = status;
    let lost = lost.device_events
        + lost.call_qualities
        + lost.calls_started
        + lost.auto_registered
        + lost.calls_ended;
    api::StoreStatus { waiting, lost, failing }
}

pub(super) fn call(record: CallRecord) -> api::Call {
    let CallRecord { call, quality } = record;
    api::Call {
        id: call.call.0,
        calling: party(call.calling),
        dialed: call.dialed,
        called: party(call.called),
        started: time(call.started),
        ringing: call.ringing.map(time),
        answered: call.answered.map(time),
        ended: time(call.ended),
        cause: call.cause.name().into(),
        codec: call.codec,
        account: call.account,
        trunk: call.trunk,
        redirections: call.redirections.into_iter().map(redirection).collect(),
        quality: quality.into_iter().map(self::quality).collect(),
    }
}

fn party(party: Party) -> api::Party {
    let Party { number, name, device, .. } = party;
    api::Party { number, name, device: device.map(|device| device.to_string()) }
}

fn redirection(redirection: Redirection) -> api::Redirection {
    let Redirection { kind, by, to, at } = redirection;
    api::Redirection { kind: kind.name().into(), by: party(by), to: party(to), at: time(at) }
}

fn quality(quality: CallQuality) -> api::Quality {
    let CallQuality { call: _, device, packets_sent, packets_received, packets_lost, jitter_ms } = quality;
    api::Quality { device: device.to_string(), packets_sent, packets_received, packets_lost, jitter_ms }
}

pub(super) fn device_event(event: DeviceEvent) -> api::DeviceEvent {
    let kind = match event.kind {
        DeviceEventKind::Registered { address, device_type, version, load } => {
            api::DeviceEventKind::Registered { address, device_type, version, load }
        }
        DeviceEventKind::Unregistered { reason } => api::DeviceEventKind::Unregistered { reason },
        DeviceEventKind::Rejected { address, reason } => api::DeviceEventKind::Rejected { address, reason },
        DeviceEventKind::Alarm { severity, text, parameters } => {
            api::DeviceEventKind::Alarm { severity, text, parameters }
        }
    };
    api::DeviceEvent { at: time(event.at), kind }
}

/// A clock that is out of all range shows as 1970.
fn time(at: WallTime) -> Timestamp {
    Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}
