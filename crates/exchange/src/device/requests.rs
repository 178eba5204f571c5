//! What registered phones ask and tell. Every question gets an answer, in whatever order a model asks.

use alloc::{
    format,
    string::{String, ToString},
};
use core::net::{IpAddr, SocketAddr};

use selsius_wire::{
    ForwardStatus, StationMessage, Time, message,
    value::{ButtonType, ChannelStatus, MediaPathEventKind, MediaPathId, MediaStatus, Text},
};

use super::{Capability, buttons::ServiceUrl, printable};
use crate::{
    arena::Handle,
    config::MediaAddresses,
    device::Device,
    exchange::Exchange,
    feature::push::Address,
    io::{Level, SessionId},
    view,
};

impl Exchange {
    /// A message of a registered phone.
    pub(crate) fn message_of_device(
        &mut self,
        now: Time,
        session: SessionId,
        handle: Handle<Device>,
        message: StationMessage,
    ) {
        if let Some(device) = self.devices.get_mut(handle) {
            device.last_heard = now;
        }
        self.still_alive(now, handle);
        match message {
            StationMessage::KeepAlive(_) => self.send(session, message::KeepAliveAck),
            StationMessage::Register(register) => self.register(now, session, register),
            StationMessage::UnregisterReq(_) => self.unregister(now, session, handle),
            StationMessage::RegisterTokenReq(_) => self.send(session, message::RegisterTokenAck),
            StationMessage::SpcpRegisterTokenReq(_) => {
                self.send(session, message::SpcpRegisterTokenAck::default())
            }
            StationMessage::Alarm(alarm) => self.alarm(now, session, handle, &alarm),

            StationMessage::CapabilitiesRes(capabilities) => {
                self.capabilities(
                    handle,
                    capabilities.used().iter().map(|c| (c.payload_capability, c.max_frames_per_packet)),
                );
            }
            StationMessage::UpdateCapabilities(capabilities) => {
                self.capabilities(
                    handle,
                    capabilities.audio().iter().map(|c| (c.payload_capability, c.max_frames_per_packet)),
                );
            }
            StationMessage::UpdateCapabilitiesV2(capabilities) => {
                self.capabilities(
                    handle,
                    capabilities.audio().iter().map(|c| (c.payload_capability, c.max_frames_per_packet)),
                );
            }
            StationMessage::UpdateCapabilitiesV3(capabilities) => {
                self.capabilities(
                    handle,
                    capabilities.audio().iter().map(|c| (c.payload_capability, c.max_frames_per_packet)),
                );
            }
            StationMessage::ButtonTemplateReq(_)
            | StationMessage::SoftKeyTemplateReq(_)
            | StationMessage::SoftKeySetReq(_)
            | StationMessage::LineStatReq(_)
            | StationMessage::SpeedDialStatReq(_)
            | StationMessage::ServiceUrlStatReq(_)
            | StationMessage::FeatureStatReq(_)
            | StationMessage::ForwardStatReq(_)
            | StationMessage::ConfigStatReq(_)
            | StationMessage::VersionReq(_)
            | StationMessage::ServerReq(_)
            | StationMessage::TimeDateReq(_) => self.question(now, session, handle, &message),
            StationMessage::RegisterAvailableLines(_) => {
                if self.devices.get(handle).is_some_and(|device| device.quirks.ready_with_lines) {
                    self.ready(now, handle);
                }
            }

            StationMessage::OffHook(hook) => self.off_hook(now, handle, hook.line_instance),
            StationMessage::OnHook(_) => self.on_hook(now, handle),
            StationMessage::KeypadButton(key) => self.keypad(now, handle, key.kp_button, key.call_reference),
            StationMessage::EnblocCall(call) => {
                self.en_bloc(now, handle, &call.called_party.to_string(), call.line_instance);
            }
            StationMessage::SoftKeyEvent(key) => {
                self.soft_key(now, handle, key.soft_key_event, key.line_instance, key.call_reference);
            }
            StationMessage::SubscriptionStatReq(request) => self.subscribe(now, handle, &request),
            StationMessage::Stimulus(key) => self.stimulus(now, handle, key.stimulus, key.line_instance),
            StationMessage::MediaPathEvent(path) => self.media_path(now, handle, &path),

            StationMessage::OpenReceiveChannelAck(ack) => {
                let opened = match ack.media_reception_status {
                    MediaStatus::Ok => self.media_address(session, handle, ack.ip_addr.ip, ack.port_number),
                    _ => None,
                };
                self.receive_answered(now, handle, ack.pass_through_party_id, opened);
            }
            StationMessage::StartMediaTransmissionAck(ack) => {
                if ack.media_transmission_status != MediaStatus::Ok {
                    self.transmit_failed(now, handle, ack.pass_through_party_id, ack.call_reference);
                }
            }
            StationMessage::MediaTransmissionFailure(failure) => {
                self.transmit_failed(now, handle, failure.pass_through_party_id, failure.call_reference);
            }
            StationMessage::MulticastMediaReceptionAck(ack) => {
                if ack.multicast_reception_status != ChannelStatus::Ok {
                    self.multicast_failed(now, handle, ack.pass_through_party_id);
                }
            }
            StationMessage::ConnectionStatisticsRes(counted) => self.phone_counted(handle, &counted),
            StationMessage::MwiNotification(notification) => {
                self.messages_wait(now, session, handle, &notification);
            }
            StationMessage::DeviceToUserData(data) => {
                let call = (data.line_instance, data.call_reference);
                let address = Address::of(data.application_id, call, data.transaction_id);
                self.user_data(now, handle, address, &data.xmldata.0);
            }
            StationMessage::DeviceToUserDataVersion1(data) => {
                let call = (data.line_instance, data.call_reference);
                let address = Address::of(data.application_id, call, data.transaction_id);
                self.user_data(now, handle, address, &data.xmldata.0);
            }
            StationMessage::DeviceToUserDataResponse(data) => self.user_data_response(&data.xmldata.0),
            StationMessage::DeviceToUserDataResponseVersion1(data) => {
                self.user_data_response(&data.xmldata.0);
            }
            // Told for information; nothing follows from them here.
            StationMessage::IpPort(_)
            | StationMessage::HeadsetStatus(_)
            | StationMessage::MediaPathCapability(_) => {}
            StationMessage::Opaque(opaque) => {
                let known = selsius_wire::message_info(opaque.id);
                self.counters.refuse(if known.is_some() {
                    "message without effect"
                } else {
                    "unknown message"
                });
            }
            _ => self.counters.refuse("message without effect"),
        }
    }

    fn question(&mut self, now: Time, session: SessionId, handle: Handle<Device>, message: &StationMessage) {
        let Some(device) = self.devices.get(handle) else { return };
        let dialect = device.dialect.clone();
        match message {
            StationMessage::ButtonTemplateReq(_) => {
                for template in device.buttons.templates() {
                    self.send(session, template);
                }
            }
            StationMessage::SoftKeyTemplateReq(_) => {
                let template = device.soft_keys.template(&dialect);
                self.send(session, template);
            }
            StationMessage::SoftKeySetReq(_) => {
                let prompt = view::idle_prompt(&dialect, &view::idle_text(self, device));
                let (sets, idle) = (device.soft_keys.message(), view::idle_keys(&device.soft_keys));
                let has_none = device.soft_keys.is_none();
                self.send(session, sets);
                // As CallManager 4.1 does (frames 101, 102), once the phone knows the keys.
                if !has_none {
                    self.send(session, idle);
                }
                self.send(session, prompt);
            }
            StationMessage::LineStatReq(request) => {
                let line = device.appearance(request.line_number);
                let (number, name, label) =
                    line.map_or(("", "", ""), |line| (line.number.as_str(), &line.name, &line.label));
                let answer = dialect.line_status(request.line_number, number, name, label);
                self.send(session, answer);
            }
            StationMessage::SpeedDialStatReq(request) => {
                let dial = device.buttons.dial(request.speed_dial_number);
                let (number, label) = dial.map_or(("", ""), |dial| (&dial.number, &dial.label));
                let answer = dialect.speed_dial_status(request.speed_dial_number, number, label);
                self.send(session, answer);
            }
            StationMessage::ServiceUrlStatReq(request) => {
                let service = place(&device.buttons.services, request.service_url_index);
                let url = service.map(|service| self.service_url(session, &service.url)).unwrap_or_default();
                let label = service.map_or("", |service| &service.label);
                let answer = dialect.service_url_status(request.service_url_index, &url, label);
                self.send(session, answer);
            }
            StationMessage::FeatureStatReq(request) => {
                // Nothing there: the answer is empty, as CallManager's to a 7912 (4.1, frame 106).
                let key = device.buttons.feature(request.feature_index);
                let (kind, label) = key.map_or((ButtonType::Unused, ""), |key| (key.kind, &key.label));
                let status = key.map_or(0, |key| view::told_status(device, key));
                let answer = dialect.feature_status(request.feature_index, kind, label, status);
                self.send(session, answer);
            }
            StationMessage::ForwardStatReq(request) => {
                let line = request.line_number;
                // What the phone was told last: what has changed meanwhile follows when it is ready.
                let mut told = device.told.iter().flat_map(|told| &told.forwards);
                let status = told.find(|status| status.line == line).cloned();
                let status = status.unwrap_or(ForwardStatus { line, ..ForwardStatus::default() });
                self.send(session, dialect.forward_status(&status));
            }
            StationMessage::ConfigStatReq(_) => {
                let description =
                    self.site.devices.get(&device.name).map_or("", |device| &device.description);
                let answer = dialect.config_status(
                    device.name.as_str(),
                    description,
                    &self.site.settings.name,
                    count(device.buttons.lines.len()),
                    count(device.buttons.dials()),
                );
                self.send(session, answer);
            }
            StationMessage::VersionReq(_) => {
                let load = self.load_for(device);
                self.send(session, message::Version { version: Text::new(load.as_bytes()) });
            }
            StationMessage::ServerReq(_) => self.servers(session),
            StationMessage::TimeDateReq(_) => {
                let prompt = view::idle_prompt(&dialect, &view::idle_text(self, device));
                let clock = self.clock(now, handle);
                self.send(session, clock);
                // The 4.1 capture, frame 119: the idle prompt again.
                self.send(session, prompt);
                self.ready(now, handle);
            }
            _ => {}
        }
    }

    /// The firmware that the phone should run: what the site says for its model, else what it runs.
    fn load_for(&self, device: &Device) -> String {
        let configured = self.site.devices.get(&device.name).and_then(|device| device.model.clone());
        let model =
            configured.or_else(|| selsius_site::Model::from_device_type(u32::from(device.device_type)));
        let load = model.and_then(|model| self.site.settings.firmware.get(&model).cloned());
        load.unwrap_or_else(|| {
            if device.load.is_empty() { self.config.version.clone() } else { device.load.clone() }
        })
    }

    /// The address of a service, as the phone reaches it.
    fn service_url(&self, session: SessionId, url: &ServiceUrl) -> String {
        match url {
            ServiceUrl::At(url) => url.clone(),
            ServiceUrl::Here(name) => {
                self.here(session).map(|here| format!("http://{here}/services/{name}")).unwrap_or_default()
            }
        }
    }

    /// The manager's HTTP server, as the phone reaches it.
    pub(crate) fn here(&self, session: SessionId) -> Option<SocketAddr> {
        let peer = self.sessions.get(&session)?.peer;
        Some(SocketAddr::new(peer.local.ip().to_canonical(), self.config.http_port))
    }

    fn servers(&mut self, session: SessionId) {
        let Some(peer) = self.sessions.get(&session).map(|session| session.peer) else { return };
        let local = SocketAddr::new(peer.local.ip().to_canonical(), self.config.port);
        let mut answer = message::ServerRes::default();
        answer.server_name[0] = Text::new(&self.site.settings.name);
        answer.server_tcp_listen_port[0] = local.port().into();
        answer.server_ip_addr[0] = local.ip().into();
        self.send(session, answer);
    }

    fn alarm(&mut self, now: Time, session: SessionId, handle: Handle<Device>, alarm: &message::Alarm) {
        let Some(name) = self.devices.get(handle).map(|device| device.name.clone()) else { return };
        self.store_alarm(now, name.as_str(), alarm);
        let text = format!("alarm {}: {}", u32::from(alarm.alarm_severity), printable(alarm.text));
        self.event(Level::Info, Some(session), name.as_str(), text);
    }

    fn capabilities(
        &mut self,
        handle: Handle<Device>,
        codecs: impl Iterator<Item = (selsius_wire::value::Codec, u32)>,
    ) {
        let Some(device) = self.devices.get_mut(handle) else { return };
        // A phone that says 0 means no limit.
        device.capabilities = codecs
            .map(|(codec, max)| Capability { codec, max_ms: if max < 10 { u32::MAX } else { max } })
            .collect();
    }

    fn ready(&mut self, now: Time, handle: Handle<Device>) {
        let Some(device) = self.devices.get_mut(handle) else { return };
        if !device.ready {
            device.ready = true;
            let (session, name) = (device.session, device.name.clone());
            self.counters.register_to_ready.add(now.since(device.registered));
            self.event(Level::Debug, Some(session), name.as_str(), "ready");
            self.render(now, handle, view::Transition::Ready, None);
            self.tell_look(handle);
            self.device_freed(handle);
        }
    }

    /// A 6901 says this in place of OffHook and OnHook; others say both, and are believed the hook messages.
    fn media_path(&mut self, now: Time, handle: Handle<Device>, path: &message::MediaPathEvent) {
        let hook = self.devices.get(handle).is_some_and(|device| device.quirks.media_path_is_hook);
        match (hook, path.media_path_id, path.media_path_event) {
            (true, MediaPathId::Handset | MediaPathId::Speaker, MediaPathEventKind::On) => {
                self.off_hook(now, handle, 0)
            }
            (true, MediaPathId::Handset | MediaPathId::Speaker, MediaPathEventKind::Off) => {
                self.on_hook(now, handle)
            }
            _ => {}
        }
    }

    /// Where a phone listens. An unspecified address means the one it speaks from. Another one than that is refused where
    /// the phone could have others send to a third host.
    fn media_address(
        &mut self,
        session: SessionId,
        handle: Handle<Device>,
        ip: IpAddr,
        port: u32,
    ) -> Option<SocketAddr> {
        const PROBLEM: &str = "audio address of another host";
        let port = u16::try_from(port).ok().filter(|&port| port != 0)?;
        let device = self.devices.get(handle)?;
        let (own, ip) = (device.address.to_canonical(), ip.to_canonical());
        if ip.is_unspecified() || ip == own {
            return Some(SocketAddr::new(own, port));
        }
        if self.config.media_addresses == MediaAddresses::Any {
            return Some(SocketAddr::new(ip, port));
        }
        let name = device.name.clone();
        self.counters.refuse(PROBLEM);
        if self.is_news(session, PROBLEM) {
            let text = format!(
                "wants its audio sent to {ip} while it speaks from {own}: refused \
                 (media-addresses in [security] of selsius.toml)"
            );
            self.event(Level::Warn, Some(session), name.as_str(), text);
        }
        None
    }

    /// The time as this phone shows it.
    pub(crate) fn clock(&self, now: Time, handle: Handle<Device>) -> message::DefineTimeDate {
        use jiff::{Timestamp, tz::Offset};
        let wall = self.wall.wall(now);
        let stamp = Timestamp::from_microsecond(wall.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset = Offset::from_seconds(self.offset_of(handle)).unwrap_or(Offset::UTC);
        let local = offset.to_datetime(stamp);
        message::DefineTimeDate {
            year: u32::from(local.year().unsigned_abs()),
            month: u32::from(local.month().unsigned_abs()),
            day_of_week: u32::from(local.weekday().to_sunday_zero_offset().unsigned_abs()),
            day: u32::from(local.day().unsigned_abs()),
            hour: u32::from(local.hour().unsigned_abs()),
            minute: u32::from(local.minute().unsigned_abs()),
            second: u32::from(local.second().unsigned_abs()),
            milliseconds: u32::from(local.millisecond().unsigned_abs()),
            system_time: u32::try_from(stamp.as_second()).unwrap_or(0),
        }
    }
}

fn place<T>(list: &[T], instance: u32) -> Option<&T> {
    list.get(usize::try_from(instance.checked_sub(1)?).ok()?)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
