//! Phones, calls and what happens to them, in words.

use jiff::Timestamp;
use selsius_server::api::{
    CallInProgress, CallOnPhone, Device, DeviceEventKind, Event, Face, Named, Phone, Room, RoomMember,
};

use crate::cli::out;

/// One phone on some lines.
pub(crate) fn phone(phone: &Phone) -> String {
    let Phone { device, face: shows } = phone;
    let mut lines = vec![title(device)];
    if let Some(registration) = &device.registration {
        let load = match registration.load.as_str() {
            "" => String::new(),
            load => format!(", load {load}"),
        };
        lines.push(format!(
            "from {} since {}, protocol version {}{load}",
            registration.address,
            out::time(registration.since),
            registration.version
        ));
    }
    lines.push(face(device, shows));
    out_clean(&lines.join("\n"))
}

/// Name, model and description.
pub(super) fn title(device: &Device) -> String {
    let Device { name, model, description, .. } = device;
    [name.as_str(), model, description]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("  ")
}

/// What a phone shows, a line for each thing, each with its end.
pub(super) fn face(device: &Device, face: &Face) -> String {
    if !face.registered {
        return "state   not registered\n".into();
    }
    let mut lines = Vec::new();
    for (instance, number) in (1..).zip(&device.lines) {
        lines.push(format!("line {instance}  {number}, lamp {}", lamp(face, "line", instance)));
    }
    for lamp in face.lamps.iter().filter(|lamp| lamp.button != "line") {
        lines.push(format!("lamp    {} {} {}", lamp.button, lamp.instance, lamp.mode));
    }
    lines.extend(face.calls.iter().map(|call| format!("call    {}", self::call(call))));
    let heard = [
        face.tone.as_ref().map(|tone| ("tone", tone.replace('-', " "))),
        face.ring
            .as_ref()
            .map(|ring| ("ring", format!("{} on line {}", ring.mode.replace('-', " "), ring.line))),
        face.speaker.then(|| ("audio", "on".into())),
        Some(("prompt", face.prompt.clone())).filter(|(_, prompt)| !prompt.is_empty()),
        Some(("keys", face.soft_keys.join("  "))).filter(|(_, keys)| !keys.is_empty()),
    ];
    lines.extend(heard.into_iter().flatten().map(|(what, value)| format!("{what:<7} {value}")));
    out_clean(&(lines.join("\n") + "\n"))
}

/// How a lamp is lit.
pub(super) fn lamp<'a>(face: &'a Face, button: &str, instance: u32) -> &'a str {
    let lamp = face.lamps.iter().find(|lamp| lamp.button == button && lamp.instance == instance);
    lamp.map_or("off", |lamp| lamp.mode.as_str())
}

/// A call on a phone: its state and the other party.
pub(super) fn call(call: &CallOnPhone) -> String {
    let state = match (call.state.as_str(), call.inbound) {
        ("off-hook", _) => "off hook",
        ("ring-in" | "ring-out", _) => "ringing",
        ("hold", _) => "on hold",
        ("proceed", _) => "calling",
        ("call-transfer", _) => "transfer",
        ("congestion", _) => "no way there",
        ("invalid-number", _) => "no such number",
        ("call-remote-multiline", _) => "in use elsewhere",
        (other, _) => other,
    };
    let (way, other) = match call.inbound {
        true => ("from", named(&call.calling)),
        false => ("to", named(&call.called)),
    };
    let other = if other.is_empty() { call.dialed.clone() } else { other };
    if other.is_empty() { state.into() } else { format!("{state} {way} {other}") }
}

fn named(party: &Named) -> String {
    match (party.name.as_str(), party.number.as_str()) {
        ("", number) => number.into(),
        (name, "") => name.into(),
        (name, number) => format!("{name} ({number})"),
    }
}

/// An event on one line, with the time of day.
pub(super) fn event(event: &Event) -> String {
    let (at, text) = match event {
        Event::Device { device, what } => {
            let [kind, text] = device_event(&what.kind);
            (what.at, format!("{device} {kind} {text}"))
        }
        Event::Call(call) => (Timestamp::now(), call_event(call)),
        Event::Room(room) => (Timestamp::now(), room_event(room)),
    };
    out::clean(&format!("{}  {}", out::time(at), text.trim_end())).into_owned()
}

fn call_event(call: &CallInProgress) -> String {
    let to = match (call.called.as_str(), call.dialed.as_str()) {
        ("", dialed) => dialed.to_owned(),
        (called, "") => called.to_owned(),
        (called, dialed) if called == dialed => called.to_owned(),
        (called, dialed) => format!("{dialed} -> {called}"),
    };
    let to = if to.is_empty() { String::new() } else { format!(" to {to}") };
    format!("call {} {} from {}{to}", call.id, call.phase, call.calling)
}

fn room_event(room: &Room) -> String {
    let member = |member: &RoomMember| {
        let marks = [(member.waiting, " waits"), (member.muted, " muted"), (member.talking, " talks")];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        format!("{}{marks}", member.who.number)
    };
    let members: Vec<_> = room.members.iter().map(member).collect();
    let members = if members.is_empty() { "empty".into() } else { members.join(", ") };
    format!("room {}{} {members}", room.number, if room.locked { " locked" } else { "" })
}

/// What happened to a device: the kind, and the rest.
pub(crate) fn device_event(kind: &DeviceEventKind) -> [String; 2] {
    let (kind, text) = match kind {
        DeviceEventKind::Registered { address, version, load, .. } => {
            let load = if load.is_empty() { String::new() } else { format!(", load {load}") };
            ("registered", format!("from {address}, protocol version {version}{load}"))
        }
        DeviceEventKind::Unregistered { reason } => ("unregistered", reason.clone()),
        DeviceEventKind::Rejected { address, reason } => ("rejected", format!("from {address}: {reason}")),
        DeviceEventKind::Alarm { severity, text, parameters: [first, second] } => {
            ("alarm", format!("severity {severity}: {text} (0x{first:x}, 0x{second:x})"))
        }
    };
    [kind.into(), text]
}

/// Without what would speak to the terminal, line by line.
fn out_clean(text: &str) -> String {
    text.lines().map(|line| out::clean(line) + "\n").collect()
}

#[cfg(test)]
pub(super) mod tests {
    use selsius_server::api::{PhoneLamp, PhoneRing};

    use super::*;

    pub(in crate::cli::watch) fn device() -> Device {
        Device {
            name: "SEP020000001002".into(),
            description: "Bob's desk".into(),
            model: "7960".into(),
            lines: vec!["1002".into(), "1003".into()],
            registration: None,
        }
    }

    pub(in crate::cli::watch) fn ringing() -> Face {
        let call = CallOnPhone {
            line: 1,
            reference: 7,
            remote: false,
            inbound: true,
            state: "ring-in".into(),
            prompt: "From 1001".into(),
            soft_keys: vec!["Answer".into()],
            calling: Named { number: "1001".into(), name: "Alice\u{1b}[2J".into() },
            called: Named { number: "1002".into(), name: "Bob".into() },
            dialed: String::new(),
        };
        Face {
            registered: true,
            ring: Some(PhoneRing { mode: "inside-ring".into(), line: 1 }),
            lamps: vec![PhoneLamp { button: "line".into(), instance: 1, mode: "blink".into() }],
            prompt: call.prompt.clone(),
            soft_keys: call.soft_keys.clone(),
            calls: vec![call],
            ..Face::default()
        }
    }

    #[test]
    fn a_phone_that_rings_in_words() {
        let text = face(&device(), &ringing());
        let expected = "line 1  1002, lamp blink\nline 2  1003, lamp off\n\
             call    ringing from Alice\u{FFFD}[2J (1001)\nring    inside ring on line 1\nprompt  From 1001\nkeys    Answer\n";
        assert_eq!(text, expected);
        assert_eq!(face(&device(), &Face::default()), "state   not registered\n");
    }
}
