//! From a connection to a registered phone, and back.

use alloc::{
    boxed::Box,
    collections::VecDeque,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::{net::IpAddr, time::Duration};

use selsius_site::{AutoRegistration, Button, DeviceName, Line, LineNumber, Local, MediaPath, Model, Site};
use selsius_wire::{
    Dialect, StationMessage, Time, message,
    message::{CapabilitiesReq, KeepAliveAck, Register, RegisterAck, RegisterReject},
    value::{ResetType, Text, UnregisterStatus},
};

use super::{Buttons, Device, Quirks, printable, soft_keys};
use crate::{
    arena::Handle,
    call::Appears,
    exchange::{Exchange, SessionState, Timer},
    io::{Level, Output, SessionId},
    operator::Notice,
    record::{AutoRegistered, DeviceEvent, DeviceEventKind, EndCause, Record},
    view::Transition,
};

/// Refused devices that are remembered, so that each is told of once.
const REJECTIONS: usize = 1024;
/// Alarms kept of a connection that has not registered yet.
const ALARMS: usize = 4;

impl Exchange {
    /// A message on a connection that has not registered.
    pub(crate) fn before_register(&mut self, now: Time, session: SessionId, message: StationMessage) {
        match message {
            StationMessage::Register(register) => self.register(now, session, register),
            // Standby connections say nothing else (v20 capture, frame 2643); a 7985 and 6911 begin with it.
            StationMessage::KeepAlive(_) => {
                if let Some(state) = self.sessions.get_mut(&session) {
                    (state.standby, state.last_heard) = (true, now);
                }
                self.send(session, KeepAliveAck);
            }
            StationMessage::Alarm(alarm) => {
                let text = format!("alarm {}: {}", u32::from(alarm.alarm_severity), printable(alarm.text));
                if let Some(state) = self.sessions.get_mut(&session)
                    && state.alarms.len() < ALARMS
                {
                    state.alarms.push(*alarm);
                    // Of somebody whom nobody knows yet: it must not fill the log. The history of a phone that registers has it.
                    self.event(Level::Debug, Some(session), "", text);
                }
            }
            // The right to register is asked for by phones that come back from another manager.
            StationMessage::RegisterTokenReq(_) => self.send(session, message::RegisterTokenAck),
            StationMessage::SpcpRegisterTokenReq(_) => {
                self.send(session, message::SpcpRegisterTokenAck::default())
            }
            StationMessage::UnregisterReq(_) => {
                self.stop_waiting(session);
                self.acknowledge_unregister(session);
            }
            // CallManager 2.x phones tell their RTP port around Register.
            StationMessage::IpPort(_) => {}
            _ => self.counters.refuse("message before Register"),
        }
    }

    pub(crate) fn register(&mut self, now: Time, session: SessionId, register: Box<Register>) {
        let Some(peer) = self.sessions.get(&session).map(|session| session.peer) else { return };
        let text = printable(register.device_name);
        let Ok(name) = text.parse::<DeviceName>() else {
            return self.reject(now, session, &text, "invalid device name");
        };
        if self.waiting.get(&name) == Some(&session) {
            // It repeats itself while the old connection is asked; the first deadline stands.
            return;
        }
        self.stop_waiting(session);
        self.be_only(now, session, &name);
        if self.is_stopping() {
            return self.reject(now, session, &text, "manager is stopping");
        }
        if self.is_shut_out(now, &name, peer.remote.ip()) {
            return self.shut_out(now, session, peer.remote.ip());
        }
        if !self.site.devices.contains_key(&name)
            && !self.auto_register(&name, u32::from(register.device_type))
        {
            let reason = match self.site.settings.auto_registration {
                Some(_) => "no free number left",
                None => "unknown device",
            };
            self.unknown_names.take(now, peer.remote.ip(), self.config.limits.unknown_names);
            return self.reject(now, session, &text, reason);
        }
        if let Some(&old) = self.by_name.get(&name)
            && let Some(device) = self.devices.get(old)
            && device.session != session
        {
            let roams = self.site.devices.get(&name).is_some_and(|device| device.roam);
            if device.address != peer.remote.ip() && !roams {
                return self.probe(now, session, register, old);
            }
        }
        self.accept(now, session, name, &register);
    }

    /// Asks the old connection of a device whether it is still alive, while the new one waits.
    fn probe(&mut self, now: Time, session: SessionId, register: Box<Register>, old: Handle<Device>) {
        let Some((old_session, name)) = self.devices.get(old).map(|old| (old.session, old.name.clone()))
        else {
            return;
        };
        if let Some(state) = self.sessions.get_mut(&session) {
            state.state = SessionState::Waiting(register);
        }
        let mut until = now + self.config.limits.probe;
        // The last one who asks is where the phone is, if it is any of them. It waits no longer for those before it.
        if let Some(before) = self.waiting.insert(name.clone(), session) {
            until = self.timers.deadline(Timer::Probe(before)).unwrap_or(until);
            self.reject(now, before, name.as_str(), "registered elsewhere");
        }
        self.timers.set(Timer::Probe(session), until);
        // The only question that every phone answers.
        self.send(old_session, CapabilitiesReq);
        let text = "registers from another address; asking the old one whether it is still there";
        self.event(Level::Info, Some(session), name.as_str(), text);
    }

    /// A probed connection has not answered in time: the waiting one gets the device.
    pub(crate) fn take_over(&mut self, now: Time, session: SessionId) {
        let Some((name, register)) = self.stop_waiting(session) else { return };
        self.accept(now, session, name, &register);
    }

    /// Makes a waiting session a new one. What it waited for.
    pub(crate) fn stop_waiting(&mut self, session: SessionId) -> Option<(DeviceName, Box<Register>)> {
        let state = &mut self.sessions.get_mut(&session)?.state;
        if !matches!(state, SessionState::Waiting(_)) {
            return None;
        }
        let SessionState::Waiting(register) = core::mem::replace(state, SessionState::New) else {
            return None;
        };
        self.timers.cancel(Timer::Probe(session));
        let name = register.device_name.to_string().parse().ok()?;
        if self.waiting.get(&name) == Some(&session) {
            self.waiting.remove(&name);
        }
        Some((name, register))
    }

    /// A connection speaks for one device: the one that it was before, under another name, is gone.
    fn be_only(&mut self, now: Time, session: SessionId, name: &DeviceName) {
        let Some(handle) = self.registered(session) else { return };
        if self.devices.get(handle).is_some_and(|device| device.name == *name) {
            return;
        }
        self.lose_device(now, handle, "registered as another device");
        if let Some(state) = self.sessions.get_mut(&session) {
            state.state = SessionState::New;
        }
    }

    /// The old connection of a device has answered: those who wanted to replace it are refused.
    pub(crate) fn still_alive(&mut self, now: Time, device: Handle<Device>) {
        if self.waiting.is_empty() {
            return;
        }
        let Some(name) = self.devices.get(device).map(|device| device.name.clone()) else { return };
        if let Some(&session) = self.waiting.get(&name) {
            self.reject(now, session, name.as_str(), "registered elsewhere");
        }
    }

    /// Sessions that wait for a device which is gone get it now.
    pub(crate) fn retry_waiting(&mut self, now: Time) {
        let gone = self.waiting.iter().filter(|(name, _)| !self.by_name.contains_key(name));
        for session in gone.map(|(_, &session)| session).collect::<Vec<_>>() {
            self.take_over(now, session);
        }
    }

    fn accept(&mut self, now: Time, session: SessionId, name: DeviceName, register: &Register) {
        let Some(peer) = self.sessions.get(&session).map(|session| session.peer) else { return };
        if self.as_used(&name).is_none() {
            // The site changed while it waited.
            return self.reject(now, session, name.as_str(), "unknown device");
        }
        let keepalive = spread(self.site.settings.keepalive_seconds, name.as_str());
        if let Some(&old) = self.by_name.get(&name) {
            let old_session = self.devices.get(old).map(|old| old.session);
            self.lose_device(now, old, "registered again");
            if let Some(old_session) = old_session.filter(|&old| old != session) {
                self.close(old_session);
            }
        }
        let dialect = Dialect::negotiate(register.protocol_ver, register.features, register.device_type);
        let quirks = Quirks::of(register.device_type);
        let Some(configured) = self.as_used(&name) else { return };
        let buttons = Buttons::of(&self.site, &configured, quirks, dialect.version());
        let soft_keys = soft_keys::Sets::of(&self.site, &configured, quirks);
        let Local { language, date_format, .. } = self.site.local_of(Some(&configured));
        let date_format = String::from(date_format);
        let lines: Vec<_> = buttons.lines.iter().map(|line| (line.number.clone(), line.instance)).collect();
        let device = Device {
            name: name.clone(),
            session,
            address: peer.remote.ip(),
            device_type: register.device_type,
            load: printable(register.firmware_load_name),
            dialect: dialect.clone(),
            quirks,
            language,
            date_format,
            relayed: configured.media == MediaPath::Relay,
            encrypts: configured.srtp,
            buttons,
            soft_keys,
            capabilities: Vec::new(),
            legs: Vec::new(),
            told: None,
            last_dialed: self.remembered_number(&name),
            last_line: 0,
            ready: false,
            registered: now,
            last_heard: now,
            keepalive,
            restart: None,
            subscriptions: Vec::new(),
            quality: VecDeque::new(),
        };
        let load = device.load.clone();
        let date_template = Text::full(&device.date_format);
        let hook_flash = device.quirks.media_path_is_hook;
        let handle = self.devices.insert(device);
        self.by_name.insert(name.clone(), handle);
        self.light_lamps_of(handle);
        for (line, instance) in lines {
            let all = self.appearances.entry(line.clone()).or_default();
            all.push(Appears { device: handle, line: instance });
            if all.len() > 1 {
                self.shared.insert(line.clone());
                self.render_line(now, &line, handle);
            }
            self.render_watchers(now, &line);
        }
        let mut alarms = Vec::new();
        if let Some(state) = self.sessions.get_mut(&session) {
            state.state = SessionState::Registered(handle);
            alarms = core::mem::take(&mut state.alarms);
        }
        self.counters.registrations += 1;
        let patience = self.devices.get(handle).map_or(keepalive, Device::patience);
        self.timers.set(Timer::Silence(session), now + patience);

        let ack = RegisterAck {
            keep_alive_interval: whole_seconds(keepalive),
            date_template,
            secondary_keep_alive_interval: 2 * self.site.settings.keepalive_seconds,
            ..RegisterAck::default()
        };
        let version = dialect.version();
        self.out.push_back(Output::Dialect { session, dialect: dialect.clone() });
        self.send(session, dialect.register_ack(ack));
        self.send(session, CapabilitiesReq);
        if hook_flash {
            self.send(session, message::SetHookFlashDetect);
        }

        for alarm in alarms {
            self.store_alarm(now, name.as_str(), &alarm);
        }
        self.rejected.retain(|(rejected, _)| rejected != name.as_str());
        let device_type = u32::from(register.device_type);
        let kind = DeviceEventKind::Registered { address: peer.remote.ip(), device_type, version, load };
        self.device_event(now, name.as_str(), kind);
        let model = register.device_type.model_name();
        let text = format!("registered from {}: {model}, version {version}", peer.remote);
        self.event(Level::Info, Some(session), name.as_str(), text);
        self.tell_face(&name);
    }

    fn reject(&mut self, now: Time, session: SessionId, name: &str, reason: &'static str) {
        let address = self.sessions.get(&session).map(|session| session.peer.remote);
        if let Some(device) = self.registered(session) {
            self.lose_device(now, device, "refused when it registered again");
        }
        self.counters.refuse(reason);
        self.send(session, RegisterReject { text: Text::new(reason.as_bytes()) });
        if let Some(address) = address {
            let text = format!("registration from {address} refused: {reason}");
            // Phones try again for ever: the second time is no news.
            let news = self.rejected.insert((name.into(), reason));
            self.event(if news { Level::Warn } else { Level::Debug }, Some(session), name, text);
            if news {
                let kind = DeviceEventKind::Rejected { address: address.ip(), reason: reason.into() };
                self.device_event(now, name, kind);
            }
            self.forget_rejections();
        }
        self.close(session);
    }

    /// Has somebody at this address asked for too many names that the office does not have? A phone that is registered
    /// from there may register again.
    fn is_shut_out(&self, now: Time, name: &DeviceName, address: IpAddr) -> bool {
        let registered = self.by_name.get(name).and_then(|&handle| self.devices.get(handle));
        registered.is_none_or(|device| device.address != address)
            && !self.unknown_names.allows(now, address, self.config.limits.unknown_names)
    }

    /// Refuses a name without a look whether the office has it. Told once for the address: the names are many.
    fn shut_out(&mut self, now: Time, session: SessionId, address: IpAddr) {
        const REASON: &str = "too many unknown names";
        self.counters.refuse(REASON);
        let news = self.is_news(session, REASON) && self.rejected.insert((address.to_string(), REASON));
        if news {
            let text = format!(
                "nobody registers from {address} for now: it has asked for too many names that the office does not \
                 have (unknown-names-per-minute in [limits] of selsius.toml)"
            );
            self.event(Level::Warn, Some(session), "", text);
            let kind = DeviceEventKind::Rejected { address, reason: REASON.into() };
            self.device_event(now, "", kind);
        }
        self.send(session, RegisterReject { text: Text::new(REASON.as_bytes()) });
        self.close(session);
        self.forget_rejections();
    }

    fn forget_rejections(&mut self) {
        if self.rejected.len() > REJECTIONS {
            self.rejected.pop_first();
        }
    }

    /// Gives an unknown phone the lowest free number, if the site wants that.
    fn auto_register(&mut self, name: &DeviceName, device_type: u32) -> bool {
        let Some(range) = &self.site.settings.auto_registration else { return false };
        let (found, next) = first_free(&self.site, range, self.auto_from);
        self.auto_from = next;
        let Some(line) = found else { return false };
        let button = Button::Line { number: line.clone(), label: String::new() };
        let device = selsius_site::Device {
            model: Model::from_device_type(device_type),
            buttons: [button].into(),
            ..selsius_site::Device::default()
        };
        let site = Arc::make_mut(&mut self.site);
        site.lines.insert(line.clone(), Line::default());
        site.devices.insert(name.clone(), device);
        self.store(Record::AutoRegistered(AutoRegistered { device: name.clone(), device_type, line }));
        true
    }

    pub(crate) fn unregister(&mut self, now: Time, session: SessionId, device: Handle<Device>) {
        self.lose_device(now, device, "unregistered");
        self.acknowledge_unregister(session);
        if let Some(state) = self.sessions.get_mut(&session) {
            state.state = SessionState::New;
        }
        self.retry_waiting(now);
    }

    fn acknowledge_unregister(&mut self, session: SessionId) {
        self.send(session, message::UnregisterAck { status: UnregisterStatus::Ok });
    }

    /// A device is gone, whatever the reason: its calls end, its lines no longer appear there. The phone is told of
    /// its calls' end: if its connection lives on, it would else keep its audio open.
    pub(crate) fn lose_device(&mut self, now: Time, handle: Handle<Device>, reason: &str) {
        let Some(device) = self.devices.get_mut(handle) else { return };
        device.restart = None;
        let legs = device.legs.clone();
        // First of all no call finds its way here any more: one that rings goes on to somebody else, perhaps.
        for line in &device.buttons.lines {
            if let Some(appearances) = self.appearances.get_mut(&line.number) {
                appearances.retain(|other| other.device != handle);
                if appearances.len() < 2 {
                    self.shared.remove(&line.number);
                }
                if appearances.is_empty() {
                    self.appearances.remove(&line.number);
                }
            }
        }
        for leg in legs {
            self.end_leg(now, leg, EndCause::PhoneLost);
        }
        let Some(device) = self.devices.remove(handle) else { return };
        self.by_name.remove(&device.name);
        self.stop_watching(handle, &device.clone_watched());
        for line in &device.buttons.lines {
            self.render_line(now, &line.number, handle);
            self.render_watchers(now, &line.number);
        }
        if self.watched.contains(&device.name) {
            let notice = Notice::FaceGone { device: device.name.clone() };
            self.out.push_back(Output::Notice(Box::new(notice)));
        }
        let kind = DeviceEventKind::Unregistered { reason: reason.into() };
        self.device_event(now, device.name.as_str(), kind);
        self.event(Level::Info, Some(device.session), device.name.as_str(), format!("gone: {reason}"));
    }

    pub(crate) fn device_event(&mut self, now: Time, device: &str, kind: DeviceEventKind) {
        let at = self.wall.wall(now);
        self.store(Record::DeviceEvent(DeviceEvent { device: device.into(), at, kind }));
    }

    pub(crate) fn store_alarm(&mut self, now: Time, device: &str, alarm: &message::Alarm) {
        let kind = DeviceEventKind::Alarm {
            severity: u32::from(alarm.alarm_severity),
            text: printable(alarm.text),
            parameters: [alarm.parm1, alarm.parm2],
        };
        self.device_event(now, device, kind);
    }

    /// Resets a phone now if it is idle, else when it is.
    pub(crate) fn restart(&mut self, now: Time, handle: Handle<Device>, kind: ResetType) {
        if let Some(device) = self.devices.get_mut(handle) {
            device.restart = Some(kind);
        }
        self.restart_if_idle(now, handle);
    }

    pub(crate) fn restart_if_idle(&mut self, now: Time, handle: Handle<Device>) {
        let Some(device) = self.devices.get_mut(handle).filter(|device| device.legs.is_empty()) else {
            return;
        };
        let Some(reset_type) = device.restart.take() else { return };
        let (session, name) = (device.session, device.name.clone());
        self.send(session, message::Reset { reset_type });
        self.event(Level::Info, Some(session), name.as_str(), "told to restart");
        if !self.site.devices.contains_key(&name) {
            // It has no place here any more, whether it heeds the order or not.
            self.lose_device(now, handle, "no longer in the site");
            self.close(session);
        }
    }

    /// Takes a new site. Phones that are no longer in it, or whose buttons, language or date format changed, restart when
    /// they are idle.
    pub(crate) fn change_site(&mut self, now: Time, site: Site) {
        let mut before = Arc::new(site);
        self.tell_clocks(now, |exchange| core::mem::swap(&mut exchange.site, &mut before));
        self.look_changed(&before);
        self.auto_from = 0;
        self.parking_changed(now);
        self.hunting_changed();
        self.extensions_changed(now);
        self.mobility_changed(now);
        self.restart_changed(now);
        // How a line rings, which groups it is in and which keys make sense may have changed while a phone shows it.
        let all: Vec<_> = self.devices.iter().map(|(handle, _)| handle).collect();
        for handle in all {
            if let Some(device) = self.devices.get_mut(handle) {
                let configured = self.site.devices.get(&device.name);
                device.relayed = configured.is_some_and(|configured| configured.media == MediaPath::Relay);
                device.encrypts = configured.is_some_and(|configured| configured.srtp);
            }
            self.render(now, handle, Transition::Change, None);
        }
    }

    /// Has phones restart whose buttons are no longer those that they were told.
    pub(crate) fn restart_changed(&mut self, now: Time) {
        let all = self.devices.iter().map(|(handle, _)| handle);
        let changed: Vec<_> = all.filter(|&handle| self.has_other_buttons(handle)).collect();
        for handle in changed {
            self.restart(now, handle, ResetType::Restart);
        }
    }
}

/// A device's own interval, up to a tenth shorter than the site's, so that phones do not tick together.
fn spread(seconds: u32, name: &str) -> Duration {
    // FNV-1a: the same device keeps the same interval.
    let hash =
        name.bytes().fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let less = hash % (seconds / 10 + 1);
    Duration::from_secs((seconds - less).into())
}

fn whole_seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

/// The lowest number of the range that is no line yet, and where to look on next time: a range that is full, or whose
/// beginning is, must not be searched again for each phone that asks.
fn first_free(site: &Site, range: &AutoRegistration, from: u64) -> (Option<LineNumber>, u64) {
    let width = range.first.as_str().len();
    let ends = (range.first.as_str().parse::<u64>(), range.last.as_str().parse::<u64>());
    let (Ok(first), Ok(last)) = ends else { return (None, from) };
    for number in first.max(from)..=last {
        let line = format!("{number:0width$}").parse::<LineNumber>();
        if let Some(line) = line.ok().filter(|line| !site.lines.contains_key(line)) {
            return (Some(line), number.saturating_add(1));
        }
    }
    (None, last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_spread_but_never_exceed_the_site_s() {
        let mut seen = alloc::collections::BTreeSet::new();
        for device in 0..1000_u32 {
            let interval = spread(30, &format!("SEP{device:012X}")).as_secs();
            assert!((27..=30).contains(&interval), "{interval}");
            seen.insert(interval);
        }
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn the_lowest_free_number_keeps_its_width() {
        let range = AutoRegistration { first: "0099".parse().unwrap(), last: "0101".parse().unwrap() };
        let mut site = Site::default();
        let mut from = 0;
        for expected in ["0099", "0100", "0101"] {
            let (free, next) = first_free(&site, &range, from);
            let free = free.unwrap();
            assert_eq!(free.as_str(), expected);
            site.lines.insert(free, Line::default());
            from = next;
        }
        assert_eq!(first_free(&site, &range, from), (None, 102));
        assert_eq!(first_free(&site, &range, 102), (None, 102), "a full range is not searched again");
    }
}
