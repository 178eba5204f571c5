//! Getting and keeping the manager: token, Register, the questions after it, keepalives, the end.

use alloc::{format, vec::Vec};
use core::{net::IpAddr, time::Duration};

use selsius_wire::{
    Dialect, Time, message,
    value::{AlarmSeverity, Bytes, Features, HeadsetMode, MediaAddress, MediaPathAbility, MediaPathId, Text},
};

use crate::{
    CloseReason, Event, Phase, Station, limits,
    registration::{Ask, Questions},
    timer::Timer,
};

impl Station {
    /// Starts with the alarm, which is the first message on a connection (4.1 capture, frame 86).
    pub(crate) fn register(&mut self, now: Time) {
        self.session.keepalive = Default::default();
        self.timers.stop_all();
        self.alarm();
        if self.config.token { self.ask_token(now) } else { self.send_register(now) }
    }

    pub(crate) fn ask_token(&mut self, now: Time) {
        self.phase = Phase::AskingToken;
        self.timers.set(Timer::Registration, now + limits::REGISTRATION);
        self.send(message::RegisterTokenReq {
            device_name: Text::new(&self.config.name),
            instance: self.config.instance,
            station_ip_addr: ipv4(self.config.address),
            device_type: self.config.device_type,
            station_ipv6_addr: MediaAddress::UNSPECIFIED,
            ..Default::default()
        });
    }

    pub(crate) fn token_granted(&mut self, now: Time) {
        self.timers.stop(Timer::Token);
        self.send_register(now);
    }

    pub(crate) fn token_refused(&mut self, now: Time, wait_s: u32) {
        self.tell(Event::TokenRefused { wait_s });
        let wait = Duration::from_secs(wait_s.into()).clamp(limits::KEEPALIVE_MIN, limits::KEEPALIVE_MAX);
        self.timers.stop(Timer::Registration);
        self.timers.set(Timer::Token, now + wait);
    }

    pub(crate) fn accepted(&mut self, now: Time, ack: message::RegisterAck) {
        let version = ack.max_protocol_ver.min(self.config.version);
        let features = common(ack.features, self.config.features);
        self.dialect = Dialect::new(version, features, self.config.device_type);
        let interval = |seconds| match seconds {
            0 => limits::KEEPALIVE,
            seconds => {
                Duration::from_secs(u64::from(seconds)).clamp(limits::KEEPALIVE_MIN, limits::KEEPALIVE_MAX)
            }
        };
        let keepalive = &mut self.session.keepalive;
        keepalive.interval = interval(ack.keep_alive_interval);
        keepalive.secondary = interval(ack.secondary_keep_alive_interval);
        keepalive.unacknowledged = 0;
        let keepalive_s = u32::try_from(keepalive.interval.as_secs()).unwrap_or(u32::MAX);
        self.timers.stop(Timer::Registration);
        self.timers.set(Timer::KeepAlive, now + self.session.keepalive.interval);
        self.phase = Phase::Loading;
        self.rejected = None;
        self.tell(Event::Accepted { version, keepalive_s });
        if let Some(port) = self.config.rtp_port {
            self.send(message::IpPort { rtp_media_port: port.into() });
        }
        self.session.questions = Questions::of(self.config.model);
        // A phone asks on once it told its capabilities (frames 90 to 92); a manager that never wants to know them is
        // not waited for long.
        self.timers.set(Timer::Answer, now + limits::ANSWER);
    }

    pub(crate) fn rejected(&mut self, text: &[u8]) {
        let text = self.text(text);
        self.rejected = Some(text.clone());
        self.tell(Event::Rejected(text));
        self.close(CloseReason::Rejected);
    }

    /// CapabilitiesReq: at registration it starts the questions.
    pub(crate) fn capabilities_wanted(&mut self, now: Time) {
        let caps: Vec<_> = self
            .config
            .capabilities
            .iter()
            .map(|(codec, frames)| message::AudioCapability::new(*codec, *frames))
            .collect();
        self.send(message::CapabilitiesRes::new(&caps));
        if self.phase == Phase::Loading && !self.session.questions.begun() {
            self.ask_next(now);
        }
    }

    /// An answer came. It moves the questions on if it is the one awaited.
    pub(crate) fn answered(&mut self, now: Time, answer: Ask) {
        if self.session.questions.waiting_for() == Some(answer) {
            self.ask_next(now);
        }
    }

    /// Asks on until an answer is to be waited for.
    pub(crate) fn ask_next(&mut self, now: Time) {
        self.timers.stop(Timer::Answer);
        while let Some(ask) = self.session.questions.next(&self.session.buttons, self.config.max_lines) {
            self.ask(ask);
            if ask.is_answered() {
                self.timers.set(Timer::Answer, now + limits::ANSWER);
                return;
            }
        }
        if self.phase == Phase::Loading {
            self.phase = Phase::Registered;
            self.tell(Event::Registered);
        }
    }

    pub(crate) fn unregistered(&mut self, now: Time, allowed: bool) {
        if allowed {
            return self.close(CloseReason::Unregistered);
        }
        // Not now, a call is up: everything goes on where it was.
        self.timers.stop(Timer::Registration);
        self.phase = Phase::Loading;
        self.ask_next(now);
    }

    pub(crate) fn unexpected(&mut self) {
        self.counts.unexpected += 1;
    }

    /// Frame 86: severity 2, parameters `00 08 01 00` and the address.
    fn alarm(&mut self) {
        let text = format!("Name={} Load={} Last={}", self.config.name, self.config.load, self.config.last);
        self.send(message::Alarm {
            alarm_severity: AlarmSeverity::Informational,
            text: Text::new(text),
            parm1: u32::from_le_bytes([0x00, 0x08, 0x01, 0x00]),
            parm2: u32::from_le_bytes(ipv4(self.config.address).octets()),
        });
    }

    fn send_register(&mut self, now: Time) {
        self.phase = Phase::Registering;
        self.timers.set(Timer::Registration, now + limits::REGISTRATION);
        let config = &self.config;
        let mut mac_address = [0; 12];
        mac_address[..6].copy_from_slice(&config.mac);
        let register = message::Register {
            device_name: Text::new(&config.name),
            reserved: 0,
            instance: config.instance,
            station_ip_addr: ipv4(config.address),
            device_type: config.device_type,
            max_streams: config.max_streams,
            active_streams: 0,
            protocol_ver: config.version,
            features: Features(config.features),
            max_conferences: 0,
            active_conferences: 0,
            mac_address: Bytes(mac_address),
            ipv4_address_scope: 1,
            max_number_of_lines: config.max_lines,
            station_ipv6_addr: match config.address {
                IpAddr::V6(address) => address,
                IpAddr::V4(_) => core::net::Ipv6Addr::UNSPECIFIED,
            },
            ipv6_address_scope: 0,
            firmware_load_name: Text::new(&config.load),
            config_version_stamp: Text::default(),
        };
        self.send(register);
    }

    fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Buttons => self.send(message::ButtonTemplateReq),
            Ask::SoftKeyTemplate => self.send(message::SoftKeyTemplateReq),
            Ask::SoftKeySets => self.send(message::SoftKeySetReq),
            Ask::Config => self.send(message::ConfigStatReq),
            Ask::Server => self.send(message::ServerReq),
            Ask::Version => self.send(message::VersionReq),
            Ask::Line(line_number) => self.send(message::LineStatReq { line_number }),
            Ask::Forward(line_number) => self.send(message::ForwardStatReq { line_number }),
            Ask::SpeedDial(speed_dial_number) => self.send(message::SpeedDialStatReq { speed_dial_number }),
            Ask::Feature(feature_index) => {
                self.send(message::FeatureStatReq { feature_index, ..Default::default() });
            }
            Ask::ServiceUrl(service_url_index) => self.send(message::ServiceUrlStatReq { service_url_index }),
            Ask::TimeDate => self.send(message::TimeDateReq),
            Ask::Headset => {
                let headset_status = if self.paths.headset { HeadsetMode::On } else { HeadsetMode::Off };
                self.send(message::HeadsetStatus { headset_status });
            }
            Ask::MediaPaths => {
                let paths: &[_] = match self.traits.has_speaker {
                    true => &[MediaPathId::Headset, MediaPathId::Handset, MediaPathId::Speaker],
                    false => &[MediaPathId::Handset],
                };
                for media_path_id in paths {
                    self.send(message::MediaPathCapability {
                        media_path_id: *media_path_id,
                        media_path_capabilities: MediaPathAbility::Enable,
                    });
                }
            }
            Ask::AvailableLines => {
                let lines = self.session.buttons.instances(selsius_wire::value::ButtonType::Line).count();
                let lines = u32::try_from(lines).unwrap_or(u32::MAX).clamp(1, self.config.max_lines.max(1));
                self.send(message::RegisterAvailableLines { max_num_of_avail_lines: lines });
            }
        }
    }
}

fn ipv4(address: IpAddr) -> core::net::Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => core::net::Ipv4Addr::UNSPECIFIED,
    }
}

/// What both sides can.
fn common(manager: Features, phone: [u8; 3]) -> [u8; 3] {
    let mut both = phone;
    for (mine, theirs) in both.iter_mut().zip(manager.0) {
        *mine &= theirs;
    }
    both
}
