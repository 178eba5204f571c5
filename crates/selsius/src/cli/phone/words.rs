//! What a phone shows and sounds like, in words.

use std::time::Duration;

use selsius_client::{Connection, Snapshot};
use selsius_station::{CallFace, Event, Face, Phase, Picture};
use selsius_wire::value::{ButtonType, CallState, CallType, LampMode, RingMode, Tone};

/// A situation that a script can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Situation {
    Registered,
    Unregistered,
    Idle,
    DialTone,
    Ringing,
    Ringback,
    Proceed,
    Connected,
    Hold,
    RemoteInUse,
    CallWaiting,
    Busy,
    Reorder,
    Silence,
}

impl Situation {
    pub(in crate::cli) const ALL: [Self; 14] = [
        Self::Registered,
        Self::Unregistered,
        Self::Idle,
        Self::DialTone,
        Self::Ringing,
        Self::Ringback,
        Self::Proceed,
        Self::Connected,
        Self::Hold,
        Self::RemoteInUse,
        Self::CallWaiting,
        Self::Busy,
        Self::Reorder,
        Self::Silence,
    ];

    pub(in crate::cli) const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Unregistered => "unregistered",
            Self::Idle => "idle",
            Self::DialTone => "dialtone",
            Self::Ringing => "ringing",
            Self::Ringback => "ringback",
            Self::Proceed => "proceed",
            Self::Connected => "connected",
            Self::Hold => "hold",
            Self::RemoteInUse => "remote-in-use",
            Self::CallWaiting => "call-waiting",
            Self::Busy => "busy",
            Self::Reorder => "reorder",
            Self::Silence => "silence",
        }
    }

    pub(in crate::cli) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|situation| situation.name() == name)
    }

    /// How long one waits for it, unless told otherwise: a person's patience.
    pub(in crate::cli) const fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::Registered | Self::Unregistered => 15,
            Self::Ringing | Self::Connected => 30,
            _ => 10,
        })
    }

    /// Whether the phone is in it.
    pub(in crate::cli) fn is_now(self, face: &Face) -> bool {
        let any = |states: &[CallState]| face.calls.iter().any(|call| states.contains(&call.state));
        let sounds = |tones: &[Tone]| face.tone.is_some_and(|tone| tones.contains(&tone));
        match self {
            Self::Registered => face.registered,
            Self::Unregistered => face.phase == Phase::Offline,
            Self::Idle => {
                let used = |call: &CallFace| call.state != CallState::CallRemoteMultiline;
                face.registered && !face.calls.iter().any(used) && face.tone.is_none() && !rings(face)
            }
            Self::DialTone => sounds(&[Tone::InsideDialTone, Tone::OutsideDialTone, Tone::RecallDialTone]),
            Self::Ringing => rings(face) || any(&[CallState::RingIn]),
            Self::Ringback => any(&[CallState::RingOut]) || sounds(&[Tone::AlertingTone]),
            Self::Proceed => any(&[CallState::Proceed]),
            Self::Connected => any(&[CallState::Connected]),
            Self::Hold => any(&[CallState::Hold]),
            Self::RemoteInUse => any(&[CallState::CallRemoteMultiline]),
            Self::CallWaiting => any(&[CallState::CallWaiting]),
            Self::Busy => any(&[CallState::Busy]) || sounds(&[Tone::LineBusyTone]),
            Self::Reorder => {
                any(&[CallState::Congestion, CallState::InvalidNumber])
                    || sounds(&[Tone::ReorderTone, Tone::NoSuchNumberTone])
            }
            Self::Silence => face.tone.is_none() && !rings(face),
        }
    }
}

impl Situation {
    /// Whether this is how it begins. What a person cannot miss (idle, registered) has no such moment.
    pub(in crate::cli) fn begins_with(self, event: &Event) -> bool {
        use CallState as S;
        match (self, event) {
            (Self::DialTone, Event::Tone(tone)) => {
                matches!(tone, Tone::InsideDialTone | Tone::OutsideDialTone | Tone::RecallDialTone)
            }
            (Self::Ringing, Event::Ring(mode, _)) => *mode != RingMode::Off,
            (Self::Ringing, Event::Call { state: S::RingIn, .. })
            | (Self::Ringback, Event::Call { state: S::RingOut, .. } | Event::Tone(Tone::AlertingTone))
            | (Self::Proceed, Event::Call { state: S::Proceed, .. })
            | (Self::Connected, Event::Call { state: S::Connected, .. })
            | (Self::Hold, Event::Call { state: S::Hold, .. })
            | (Self::RemoteInUse, Event::Call { state: S::CallRemoteMultiline, .. })
            | (Self::CallWaiting, Event::Call { state: S::CallWaiting, .. })
            | (Self::Busy, Event::Call { state: S::Busy, .. } | Event::Tone(Tone::LineBusyTone))
            | (Self::Reorder, Event::Call { state: S::Congestion | S::InvalidNumber, .. })
            | (Self::Reorder, Event::Tone(Tone::ReorderTone | Tone::NoSuchNumberTone)) => true,
            _ => false,
        }
    }
}

fn rings(face: &Face) -> bool {
    face.ringing.is_some_and(|ring| ring != RingMode::Off)
}

/// The state of a call.
pub(in crate::cli) fn state(state: CallState) -> &'static str {
    match state {
        CallState::OffHook => "off hook",
        CallState::OnHook | CallState::Idle => "on hook",
        CallState::RingOut | CallState::RingIn => "ringing",
        CallState::Connected => "connected",
        CallState::Busy => "busy",
        CallState::Congestion => "no way there",
        CallState::Hold | CallState::HoldRevert => "on hold",
        CallState::CallWaiting => "waits",
        CallState::CallTransfer => "transfer",
        CallState::CallPark => "parked",
        CallState::Proceed => "calling",
        CallState::CallRemoteMultiline => "in use elsewhere",
        CallState::InvalidNumber => "no such number",
        CallState::Whisper => "whisper",
        CallState::RemoteHold => "held elsewhere",
        CallState::Max | CallState::Unknown(_) => "unknown state",
    }
}

/// Who a call is with: the other party's name and number.
pub(in crate::cli) fn other_party(call: &CallFace) -> String {
    let (name, number) = match call.call_type {
        CallType::Outbound => (&call.called_name, &call.called_number),
        _ => (&call.calling_name, &call.calling_number),
    };
    match (name.is_empty(), number.is_empty()) {
        (true, true) => call.dialed.clone(),
        (true, false) => number.clone(),
        (false, true) => name.clone(),
        (false, false) => format!("{name} ({number})"),
    }
}

/// Which way a call goes.
pub(in crate::cli) fn direction(call: &CallFace) -> &'static str {
    match call.call_type {
        _ if call.state == CallState::Proceed => "",
        CallType::Inbound => "from",
        CallType::Forward => "forwarded from",
        _ => "to",
    }
}

/// A lamp.
pub(in crate::cli) fn lamp(mode: LampMode) -> &'static str {
    match mode {
        LampMode::On => "on",
        LampMode::Wink => "wink",
        LampMode::Flash => "flash",
        LampMode::Blink => "blink",
        LampMode::Off | LampMode::Unknown(_) => "off",
    }
}

/// A lamp by its name.
pub(in crate::cli) fn lamp_from_name(name: &str) -> Option<LampMode> {
    [LampMode::Off, LampMode::On, LampMode::Wink, LampMode::Flash, LampMode::Blink]
        .into_iter()
        .find(|mode| lamp(*mode) == name)
}

/// A call progress tone: `inside dial`, `line busy`, `Zip`.
pub(in crate::cli) fn tone(tone: Tone) -> String {
    let name = tone.name().trim_end_matches("Tone");
    let mut words = String::new();
    for (at, char) in name.char_indices() {
        if at > 0 && char.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(char.to_ascii_lowercase());
    }
    words
}

/// How the bell rings.
pub(in crate::cli) fn ring(mode: RingMode) -> &'static str {
    match mode {
        RingMode::Off => "off",
        RingMode::Inside => "inside ring",
        RingMode::Outside => "outside ring",
        RingMode::Feature => "feature ring",
        RingMode::FlashOnly => "flashes",
        RingMode::Precedence => "precedence ring",
        RingMode::Unknown(_) => "rings",
    }
}

/// How the phone is with its manager, for the top line.
pub(in crate::cli) fn connection(now: &Snapshot) -> String {
    match (&now.connection, now.face.phase) {
        (Connection::Connecting, _) => "connecting".into(),
        (Connection::Waiting { why, wait }, _) => format!("{why}; again in {} s", wait.as_secs()),
        (Connection::Down { why }, _) => why.clone(),
        (Connection::Up { remote, .. }, Phase::Registered) => format!("registered at {remote}"),
        (Connection::Up { remote, .. }, Phase::Standby) => format!("standby at {remote}"),
        (Connection::Up { remote, .. }, Phase::AskingToken) => format!("waits for a token of {remote}"),
        (Connection::Up { remote, .. }, Phase::Leaving) => format!("leaves {remote}"),
        (Connection::Up { remote, .. }, _) => format!("registering at {remote}"),
    }
}

/// What is heard from the other party.
pub(in crate::cli) fn heard(now: &Snapshot) -> String {
    let voice = &now.voice;
    if voice.codec.is_none() {
        return "nothing".into();
    }
    let heard = match voice.heard {
        Some(content) => content.to_string(),
        None if voice.level.is_some() => "sound".into(),
        None => "silence".into(),
    };
    let level = voice.level.map(|level| format!(", {:.0} dBm0", level.as_dbm0())).unwrap_or_default();
    format!("{heard}{level}, {} packets, {} lost", voice.received.packets, voice.received.lost)
}

/// Everything as plain text, for scripts and for messages about what went wrong.
pub(in crate::cli) fn display(name: &str, now: &Snapshot) -> String {
    let face = &now.face;
    let mut lines = vec![format!("phone   {name}, {}", connection(now))];
    if let Some(text) = &face.reject {
        lines.push(format!("reject  {text}"));
    }
    for button in face.lines.iter().filter(|button| button.kind == ButtonType::Line) {
        let name = if button.name.is_empty() || button.name == button.label { "" } else { &button.name };
        let text = format!("line {}  {} {} {name}", button.instance, button.number, button.label);
        let forward = match button.forward_all.as_str() {
            "" => String::new(),
            number => format!(", forwarded to {number}"),
        };
        lines.push(format!("{}, lamp {}{forward}", text.trim_end(), lamp(button.lamp)));
    }
    for call in &face.calls {
        let mark = if call.selected { "* " } else { "" };
        let party = format!("{} {}", direction(call), other_party(call));
        lines.push(
            format!("call    {mark}{} {}", state(call.state), party.trim_start()).trim_end().to_owned(),
        );
    }
    if let Some(screen) = &face.screen {
        lines.push(format!("screen  {}", screen.title));
        lines.extend(screen.text.lines().map(|line| format!("text    {line}")));
        if let Some(picture) = &screen.picture {
            lines.push(format!("picture {}x{}", picture.width(), picture.height()));
            lines.extend(blocks(picture, 60).into_iter().map(|row| format!("        {row}")));
        }
        lines.extend(screen.items.iter().map(|item| format!("item    {item}")));
        lines.push(format!("choice  {}", screen.keys.join(" | ")));
    }
    if !face.dialed.is_empty() {
        lines.push(format!("number  {}", face.dialed));
    }
    lines.push(format!("prompt  {}", face.status()));
    let keys: Vec<_> = face.soft_keys.iter().filter(|label| !label.is_empty()).map(String::as_str).collect();
    lines.push(format!("keys    {}", keys.join(" | ")));
    let hook = match face.path() {
        Some(path) => path.name().to_lowercase(),
        None => "on hook".into(),
    };
    let tone = face.tone.map_or_else(|| "none".into(), tone);
    let ringer = face.ringing.map_or("off", ring);
    lines.push(format!("sound   {hook}, tone {tone}, ringer {ringer}"));
    lines.push(format!("voice   {}", heard(now)));
    lines.join("\n")
}

/// A picture in blocks, so many columns wide at most. One block stands for twice as many rows as columns, since it is as high.
pub(in crate::cli) fn blocks(picture: &Picture, columns: usize) -> Vec<String> {
    const SHADES: [char; 4] = [' ', '░', '▒', '█'];
    let side = usize::from(picture.width()).div_ceil(columns.max(1));
    let rows: Vec<&[u8]> = picture.rows().collect();
    let bands = rows.chunks(side * 2);
    let block = |band: &[&[u8]], left: usize| {
        let points = || band.iter().flat_map(|row| row.iter().skip(left).take(side));
        let (sum, count) = (points().map(|&point| usize::from(point)).sum::<usize>(), points().count());
        // Rounded to the nearest shade.
        SHADES.get((sum * 2 + count) / (count * 2).max(1)).copied().unwrap_or(' ')
    };
    let lefts = || (0..picture.width().into()).step_by(side);
    bands
        .map(|band| lefts().map(|left| block(band, left)).collect::<String>().trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_seen_in_blocks() {
        // Black, dark, light and white columns, then a black row at the foot.
        let picture =
            Picture::new(4, [[3, 2, 1, 0]; 4].concat().into_iter().chain([3; 4]).collect()).unwrap();
        assert_eq!(blocks(&picture, 60), ["█▒░", "█▒░", "████"]);
        assert_eq!(blocks(&picture, 2), ["█░", "██"], "of 2.5 and 0.5 the darker shade");
        assert_eq!(blocks(&picture, 1), ["▒"]);
    }

    #[test]
    fn names_lead_back() {
        for situation in Situation::ALL {
            assert_eq!(Situation::from_name(situation.name()), Some(situation));
        }
        assert_eq!(lamp_from_name("wink"), Some(LampMode::Wink));
        assert_eq!(lamp_from_name("dark"), None);
        assert_eq!(tone(Tone::InsideDialTone), "inside dial");
        assert_eq!(tone(Tone::LineBusyTone), "line busy");
    }
}
