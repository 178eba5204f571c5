//! Registered phones: what is known of each while its connection lives.

mod buttons;
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

use selsius_site::{CodecName, DeviceName, Language, LineNumber, Local, PHONES, PhoneFacts, Site};
use selsius_wire::{
    Dialect, Time,
    value::{CallState, Codec, DeviceType, ResetType},
};

pub(crate) use self::{
    buttons::{Appearance, Buttons, Does, Key, feature_of, soft_key_of},
    quirks::Quirks,
};
use crate::{
    arena::Handle,
    call::{self, Asked, Leg},
    feature::presence::Subscription,
    io::SessionId,
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
    /// The language of its texts and how it writes a date, as it was told: both hold until it registers again.
    pub(crate) language: Language,
    pub(crate) date_format: String,
    /// Its audio goes through the manager, since others cannot reach it.
    pub(crate) relayed: bool,
    /// It can speak SRTP, and shall wherever that is possible.
    pub(crate) encrypts: bool,
    /// The buttons as this phone was told them: it keeps this template until it registers again.
    pub(crate) buttons: Buttons,
    /// Its soft keys, as it was told them.
    pub(crate) soft_keys: soft_keys::Sets,
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
    /// The numbers in its call lists whose state it shows.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Ended streams whose counts were asked for.
    quality: VecDeque<Asked>,
}

/// One codec a phone can do, and the longest packet in milliseconds that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capability {
    pub(crate) codec: Codec,
    pub(crate) max_ms: u32,
}

/// Text that a phone chose, for logs, records and tables: without the control characters that would command the
/// terminal of whoever reads it.
pub(crate) fn printable(text: impl fmt::Display) -> String {
    text.to_string().replace(char::is_control, "\u{FFFD}")
}

impl Device {
    pub(crate) fn appearance(&self, line: u32) -> Option<&Appearance> {
        self.buttons.lines.iter().find(|appearance| appearance.instance == line)
    }

    /// What is known of its model.
    pub(crate) fn facts(&self) -> Option<&'static PhoneFacts> {
        let number = u32::from(self.device_type);
        PHONES.iter().find(|facts| facts.device_type == number)
    }

    pub(crate) fn first_appearance(&self) -> Option<&Appearance> {
        self.buttons.lines.first()
    }

    /// The numbers whose state it shows: on busy lamps, in call lists.
    pub(crate) fn watched(&self) -> impl Iterator<Item = &LineNumber> {
        self.buttons.watched().chain(self.subscriptions.iter().map(|one| &one.number))
    }

    /// As [`Self::watched`], to be kept.
    pub(crate) fn clone_watched(&self) -> Vec<LineNumber> {
        self.watched().cloned().collect()
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

    /// Does the site give it another language or another way to write a date than it was told?
    pub(crate) fn is_elsewhere(&self, site: &Site) -> bool {
        let Local { language, date_format, .. } = site.local(&self.name);
        self.language != language || self.date_format != date_format
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

    pub(crate) fn expect_quality(&mut self, asked: Asked) {
        /// More ended calls than this without an answer: the phone does not answer.
        const MOST: usize = 8;
        if self.quality.len() == MOST {
            self.quality.pop_front();
        }
        self.quality.push_back(asked);
    }

    pub(crate) fn quality_expected(&mut self, reference: u32) -> Option<Asked> {
        let at = self.quality.iter().position(|asked| asked.reference == reference)?;
        self.quality.remove(at)
    }
}
