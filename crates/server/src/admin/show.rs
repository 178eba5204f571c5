//! From what the server knows to what the API says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use selsius_exchange::{
    CallStatus, DeviceStatus, ParkedCall,
    record::{CallQuality, DeviceEvent, DeviceEventKind, LegEnd, Mos, Party, Redirection, WallTime},
    remembered::LineState,
    view::LegView,
};
use selsius_site::{Device, DeviceName, Line, LineNumber, PHONES, SipPhone, Site};
use selsius_store::{CallRecord, OperatorEntry, StoreStatus};
use selsius_voice::{Role, Stay};
use selsius_wire::{DisplayLabel, value::CallType};

use super::Admin;
use crate::{
    api,
    core::{self, Face},
    voice::{MemberStatus, RoomStatus},
};

pub(super) fn status(admin: &Admin, site: &Site, status: core::Status, health: api::Health) -> api::Status {
    let core::Status { devices, calls, counters, network } = status;
    let mut all: BTreeMap<String, api::Device> =
        site.devices.iter().map(|(name, device)| (name.to_string(), absent(name.as_str(), device))).collect();
    all.extend(site.sip_phones.iter().map(|(name, phone)| (name.to_string(), sip_phone(name, phone))));
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
            held: network.held,
            floods: network.floods,
            overloads: network.overloads,
            refused_messages: counters
                .refused
                .iter()
                .map(|(&reason, &count)| (reason.into(), count))
                .collect(),
        },
        store: store(admin.store.status()),
        health,
    }
}

/// One phone; nothing if nobody knows it.
pub(super) fn phone(
    site: &Site,
    name: &DeviceName,
    here: Option<(DeviceStatus, Face)>,
) -> Option<api::Phone> {
    if let Some(phone) = site.sip_phones.get(name) {
        let registration = here.map(|(status, _)| registration(status));
        let face = api::Face { registered: registration.is_some(), ..api::Face::default() };
        return Some(api::Phone { device: api::Device { registration, ..sip_phone(name, phone) }, face });
    }
    let configured = site.devices.get(name);
    if configured.is_none() && here.is_none() {
        return None;
    }
    let mut device = absent(name.as_str(), configured.unwrap_or(&Device::default()));
    let Some((status, shows)) = here else {
        return Some(api::Phone { device, face: api::Face::default() });
    };
    if device.model.is_empty() {
        device.model = model(status.device_type.into());
    }
    device.lines.clone_from(&status.lines);
    device.registration = Some(registration(status));
    Some(api::Phone { device, face: face(shows) })
}

/// What a registered phone shows.
pub(super) fn face(face: Face) -> api::Face {
    let Face { view, idle_keys, call_keys } = face;
    let calls: Vec<_> = view.legs.into_iter().zip(call_keys).map(call_on_phone).collect();
    // As phones do: the call that is up comes before one that rings, that before one that waits.
    let rank = |call: &&api::CallOnPhone| match call.state.as_str() {
        "ring-in" => 1,
        "hold" | "call-remote-multiline" | "call-park" => 2,
        _ => 0,
    };
    let selected = calls.iter().min_by_key(rank);
    let idle_prompt = match view.idle_prompt.is_empty() {
        true => DisplayLabel::YourCurrentOptions.english().to_owned(),
        false => view.idle_prompt.to_plain(),
    };
    api::Face {
        registered: true,
        speaker: view.speaker,
        ring: view.ring.map(|ring| api::PhoneRing { mode: kebab(ring.mode.name()), line: ring.line }),
        tone: view.tone.map(|tone| kebab(tone.tone.name())),
        active_line: view.active_line,
        lamps: view
            .lamps
            .into_iter()
            .map(|lamp| api::PhoneLamp {
                button: kebab(lamp.button.name()),
                instance: lamp.instance,
                mode: kebab(lamp.mode.name()),
            })
            .collect(),
        prompt: selected.map_or(idle_prompt, |call| call.prompt.clone()),
        soft_keys: selected.map_or(idle_keys, |call| call.soft_keys.clone()),
        calls,
    }
}

fn call_on_phone((leg, soft_keys): (LegView, Vec<String>)) -> api::CallOnPhone {
    let info = leg.info.unwrap_or_default();
    api::CallOnPhone {
        line: leg.line,
        reference: leg.reference,
        remote: leg.remote,
        inbound: info.call_type == CallType::Inbound,
        state: kebab(leg.state.name()),
        prompt: leg.prompt.to_plain(),
        soft_keys,
        calling: api::Named { number: info.calling_number.clone(), name: info.calling_name.clone() },
        called: api::Named { number: info.called_number.clone(), name: info.called_name.clone() },
        dialed: leg.dialed.unwrap_or_default(),
    }
}

/// The protocol's names as words with hyphens: `RingIn` is `ring-in`.
fn kebab(name: &str) -> String {
    let mut words = String::new();
    let mut last = '-';
    for char in name.chars() {
        if char.is_ascii_uppercase() && last != '-' && !last.is_ascii_uppercase() {
            words.push('-');
        }
        words.push(char.to_ascii_lowercase());
        last = char;
    }
    words
}

/// A line with the phones that have it and what it remembers.
pub(super) fn line(
    number: &LineNumber,
    line: &Line,
    devices: Vec<api::LineDevice>,
    state: LineState,
) -> api::Line {
    let LineState { forwards, do_not_disturb, messages, hunt_logged_out, hunt_logged_in } = state;
    let to = |number: Option<LineNumber>| number.map(|number| number.to_string());
    api::Line {
        number: number.to_string(),
        name: line.name.clone(),
        label: line.label.clone(),
        devices,
        forwards: api::Forwards {
            all: to(forwards.all),
            busy: to(forwards.busy),
            no_answer: to(forwards.no_answer),
            unregistered: to(forwards.unregistered),
        },
        do_not_disturb,
        messages: api::Messages { new: messages.new, old: messages.old },
        hunt_logged_out,
        hunt_logged_in,
    }
}

/// The groups of a site: pickup groups, then hunt groups, then paging groups.
pub(super) fn groups(site: &Site) -> Vec<api::Group> {
    let words = |numbers: &[LineNumber]| numbers.iter().map(ToString::to_string).collect();
    let pickup = site.pickup_groups.keys().map(|name| api::Group {
        kind: api::GroupKind::Pickup,
        key: name.to_string(),
        name: String::new(),
        how: String::new(),
        members: site
            .lines
            .iter()
            .filter(|(_, line)| line.pickup_group.as_ref() == Some(name))
            .map(|(number, _)| number.to_string())
            .collect(),
    });
    let hunt = site.hunt_groups.iter().map(|(number, group)| api::Group {
        kind: api::GroupKind::Hunt,
        key: number.to_string(),
        name: group.name.clone(),
        how: group.order.to_string(),
        members: words(&group.members),
    });
    let paging = site.paging_groups.iter().map(|(number, group)| api::Group {
        kind: api::GroupKind::Paging,
        key: number.to_string(),
        name: group.name.clone(),
        how: group.mode.to_string(),
        members: words(&group.lines),
    });
    pickup.chain(hunt).chain(paging).collect()
}

/// A parked call.
pub(super) fn parked(parked: ParkedCall) -> api::ParkedCall {
    let named = |party: Party| api::Named { number: party.number, name: party.name };
    let ParkedCall { slot, call, waits, by } = parked;
    api::ParkedCall { slot: slot.to_string(), call: call.0, waits: named(waits), by: named(by) }
}

/// A room, and who is in it.
pub(super) fn room(room: RoomStatus) -> api::Room {
    let member = |member: MemberStatus| api::RoomMember {
        id: member.id,
        who: api::Named { number: member.who.number, name: member.who.name },
        device: member.who.device.map(|device| device.to_string()),
        since: member.since,
        moderator: member.role == Role::Moderator,
        waiting: member.stay == Stay::Waiting,
        muted: member.muted,
        talking: member.talking,
    };
    let RoomStatus { number, locked, members } = room;
    api::Room { number, locked, members: members.into_iter().map(member).collect() }
}

/// An entry of the operators' log.
pub(super) fn log_entry(entry: OperatorEntry) -> api::LogEntry {
    let OperatorEntry { at, uid, user, login, process, what, changes } = entry;
    api::LogEntry { at: time(at), uid, user, login, process, what, changes }
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

fn sip_phone(name: &DeviceName, phone: &SipPhone) -> api::Device {
    api::Device {
        name: name.to_string(),
        description: phone.description.clone(),
        model: "SIP".into(),
        lines: phone.line.iter().map(ToString::to_string).collect(),
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

pub(super) fn call_in_progress(call: CallStatus) -> api::CallInProgress {
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
    api::StoreStatus {
        waiting: status.waiting,
        lost: status.lost.total(),
        failing: status.failing.map(|failing| failing.why),
    }
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
        recordings: call.recordings,
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
    let CallQuality { call: _, party: _, number, end, counted_by, codec, figures } = quality;
    let (device, trunk) = match end {
        LegEnd::Phone(device) => (device.to_string(), String::new()),
        LegEnd::Trunk(trunk) => (String::new(), trunk),
    };
    api::Quality {
        device,
        trunk,
        number,
        counted_by: counted_by.name().into(),
        codec,
        packets_sent: figures.packets_sent,
        octets_sent: figures.octets_sent,
        packets_received: figures.packets_received,
        octets_received: figures.octets_received,
        packets_lost: figures.packets_lost,
        jitter_ms: figures.jitter_ms,
        round_trip_ms: figures.round_trip_ms,
        mos: figures.mos.map(Mos::score),
        packets_lost_there: figures.packets_lost_there,
        jitter_there_ms: figures.jitter_there_ms,
        mos_there: figures.mos_there.map(Mos::score),
    }
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

#[cfg(test)]
mod tests {
    use selsius_wire::value::{CallState, LampMode, RingMode, StimulusType, Tone};

    use super::*;

    #[test]
    fn the_protocols_names_read_as_words() {
        let names = [
            kebab(CallState::RingIn.name()),
            kebab(CallState::CallRemoteMultiline.name()),
            kebab(LampMode::Blink.name()),
            kebab(RingMode::Inside.name()),
            kebab(Tone::InsideDialTone.name()),
            kebab(StimulusType::Line.name()),
        ];
        let words = ["ring-in", "call-remote-multiline", "blink", "inside-ring", "inside-dial-tone", "line"];
        assert_eq!(names, words);
    }
}
