//! Registered phones: what is known of each while its connection lives.

mod quirks;
mod register;
mod requests;
pub(crate) mod soft_keys;

use alloc::{
    boxed::Box,
    collections::VecDeque,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, net::IpAddr, time::Duration};

use selsius_site::{Button, CodecName, DeviceName, LineNumber, Site};
use selsius_wire::{
    Dialect, Time,
    value::{CallState, Codec, DeviceType, ResetType},
};

pub(crate) use self::quirks::Quirks;
use crate::{
    arena::Handle,
    call::{self, Leg},
    io::SessionId,
    record::CallId,
    view::View,
};

/// A registered phone.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) name: DeviceName,
    pub(crate) session: SessionId,
    pub(crate) address: IpAddr,
    pub(crate) device_type: DeviceType,
    pub(crate) load: String,
    pub(crate) dialect: Dialect,
    pub(crate) quirks: Quirks,
    /// The buttons as this phone was told them: it keeps this template until it registers again.
    pub(crate) buttons: Buttons,
    pub(crate) capabilities: Vec<Capability>,
    pub(crate) legs: Vec<Handle<Leg>>,
    /// What the phone was last told; `None` is the idle face.
    pub(crate) told: Option<Box<View>>,
    pub(crate) last_dialed: String,
    /// The line that was used last; 0 for none.
    pub(crate) last_line: u32,
    /// Has it asked for everything it needs?
    pub(crate) ready: bool,
    pub(crate) registered: Time,
    pub(crate) last_heard: Time,
    pub(crate) keepalive: Duration,
    /// Restart it as soon as it is idle.
    pub(crate) restart: Option<ResetType>,
    /// Ended streams whose counts were asked for: call reference and call.
    quality: VecDeque<(u32, CallId)>,
}

/// One codec a phone can do, and the longest packet in milliseconds that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capability {
    pub(crate) codec: Codec,
    pub(crate) max_ms: u32,
}

/// The buttons of a phone, numbered as the protocol numbers them: instances count per kind, from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Buttons {
    pub(crate) lines: Vec<Appearance>,
    pub(crate) speed_dials: Vec<SpeedDial>,
    pub(crate) services: Vec<Service>,
    /// Kind of each physical button, in order.
    pub(crate) order: Vec<Place>,
}

/// A line on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appearance {
    pub(crate) instance: u32,
    pub(crate) number: LineNumber,
    pub(crate) name: String,
    pub(crate) label: String,
}

/// A number on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpeedDial {
    pub(crate) number: String,
    pub(crate) label: String,
}

/// A service on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) label: String,
}

/// What is on one physical button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Line,
    SpeedDial,
    Service,
    Empty,
}

/// Text that a phone chose, for logs, records and tables: without the control characters that would command the
/// terminal of whoever reads it.
pub(crate) fn printable(text: impl fmt::Display) -> String {
    text.to_string().replace(char::is_control, "\u{FFFD}")
}

impl Buttons {
    /// The buttons that the site gives a device.
    pub(crate) fn of(site: &Site, device: &selsius_site::Device) -> Self {
        let mut buttons = Self::default();
        for button in &device.buttons {
            let place = match button {
                Button::Line { number, label } => {
                    let line = site.lines.get(number).cloned().unwrap_or_default();
                    let label = [label, &line.label].into_iter().find(|label| !label.is_empty());
                    let appearance = Appearance {
                        instance: buttons.lines.len() as u32 + 1,
                        number: number.clone(),
                        label: label.map_or_else(|| number.as_str().into(), Clone::clone),
                        name: line.name,
                    };
                    buttons.lines.push(appearance);
                    Place::Line
                }
                Button::SpeedDial { number, label } => {
                    let dial = SpeedDial { number: number.as_str().into(), label: label.clone() };
                    buttons.speed_dials.push(dial);
                    Place::SpeedDial
                }
                Button::Service { url, label } => {
                    buttons.services.push(Service { url: url.clone(), label: label.clone() });
                    Place::Service
                }
                Button::BusyLamp { .. }
                | Button::Menu { .. }
                | Button::Feature { .. }
                | Button::Intercom { .. }
                | Button::ParkSlot { .. }
                | Button::Paging { .. }
                | Button::Empty => Place::Empty,
            };
            buttons.order.push(place);
        }
        buttons
    }
}

impl Device {
    pub(crate) fn appearance(&self, line: u32) -> Option<&Appearance> {
        self.buttons.lines.iter().find(|appearance| appearance.instance == line)
    }

    pub(crate) fn first_appearance(&self) -> Option<&Appearance> {
        self.buttons.lines.first()
    }

    pub(crate) fn speed_dial(&self, instance: u32) -> Option<String> {
        let at = usize::try_from(instance.checked_sub(1)?).ok()?;
        self.buttons.speed_dials.get(at).map(|dial| dial.number.clone())
    }

    /// The phone's own variant of a configured codec, and its longest packet. A phone that has not told its
    /// capabilities can do G.711: all of them can.
    pub(crate) fn best(&self, name: CodecName) -> Option<(Codec, u32)> {
        let variants = call::variants(name);
        if self.capabilities.is_empty() {
            let g711 = matches!(name, CodecName::Pcmu | CodecName::Pcma);
            return variants.first().filter(|_| g711).map(|&codec| (codec, u32::MAX));
        }
        variants.iter().find_map(|&codec| {
            let found = self.capabilities.iter().find(|capability| capability.codec == codec)?;
            Some((codec, found.max_ms))
        })
    }

    /// How long the phone may be silent: two intervals and a bit, three while it has a call.
    pub(crate) fn patience(&self) -> Duration {
        if self.legs.is_empty() { self.keepalive * 21 / 10 } else { self.keepalive * 3 }
    }

    /// How a call of another phone that is on hold is shown: red on phones that know it, else plain (call-flows: "8 on
    /// old phones"; the state is in no capture, the version is that of the phones with red and green lamps).
    pub(crate) fn remote_hold(&self) -> CallState {
        if self.dialect.version() >= 11 { CallState::RemoteHold } else { CallState::Hold }
    }

    pub(crate) fn expect_quality(&mut self, reference: u32, call: CallId) {
        /// More ended calls than this without an answer: the phone does not answer.
        const MOST: usize = 8;
        if self.quality.len() == MOST {
            self.quality.pop_front();
        }
        self.quality.push_back((reference, call));
    }

    pub(crate) fn quality_expected(&mut self, reference: u32) -> Option<CallId> {
        let at = self.quality.iter().position(|&(other, _)| other == reference)?;
        self.quality.remove(at).map(|(_, call)| call)
    }
}
