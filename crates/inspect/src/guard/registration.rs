//! Who a connection is, and whether it may speak already.

use alloc::{format, string::ToString, sync::Arc};
use core::{net::IpAddr, time::Duration};

use selsius_wire::{
    Context, ManagerMessage, StationMessage, Time,
    rate::{Meter, Rate},
};

use super::{finding::FindingKind, judge::Found, policy::Policy};
use crate::words::clean;

/// The registration of one connection.
#[derive(Debug)]
pub(super) struct Registration {
    state: State,
    /// The device, from its first Register on.
    pub(super) device: Option<Arc<str>>,
    /// The address that it says is its own.
    pub(super) own_address: Option<IpAddr>,
    offered: u8,
    context: Context,
    /// KeepAlives that are not answered yet.
    waiting: u32,
    keep_alive: Rate,
    keep_alives: Meter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has said nothing of who it is.
    New,
    /// It has asked, and has no answer yet.
    Asked,
    /// The manager has taken it.
    Registered,
}

/// How often a connection may say KeepAlive while it is not known how often it shall: phones before their registration.
const UNTOLD: (u32, u32) = (1, 10);
/// So many at once are taken from a phone that was told how often: after an interruption they come together.
const KEEP_ALIVES_AT_ONCE: u32 = 5;

impl Registration {
    pub(super) fn new() -> Self {
        Self {
            state: State::New,
            device: None,
            own_address: None,
            offered: 0,
            context: Context::default(),
            waiting: 0,
            keep_alive: Rate::per_second(UNTOLD.0, UNTOLD.1),
            keep_alives: Meter::UNUSED,
        }
    }

    /// In which version its messages are read.
    pub(super) fn context(&self) -> Context {
        self.context
    }

    pub(super) fn is_registered(&self) -> bool {
        self.state == State::Registered
    }

    /// A connection that is seen from its middle may be registered already.
    pub(super) fn assume(&mut self, header_version: u32) {
        self.state = State::Registered;
        self.context = Context::new(self.context.effective(header_version));
    }

    /// May a phone say this now?
    pub(super) fn check_station(
        &mut self,
        now: Time,
        message: &StationMessage,
        policy: &Policy,
        found: &mut Found,
    ) {
        use StationMessage as S;
        match message {
            S::Register(register) => {
                let name = register.device_name.bytes();
                self.check_name(name, policy, found);
                if let (Some(device), true) = (&self.device, self.is_registered())
                    && **device != *clean(&register.device_name.to_string())
                {
                    found.add(FindingKind::DeviceChanged);
                }
            }
            S::RegisterTokenReq(ask) => self.check_name(ask.device_name.bytes(), policy, found),
            S::SpcpRegisterTokenReq(ask) => self.check_name(ask.device_name.bytes(), policy, found),
            S::KeepAlive(_) if self.keep_alives.take(now, self.keep_alive) => {}
            S::KeepAlive(_) => found.add(FindingKind::KeepAliveOdd),
            S::Alarm(_) | S::EnhancedAlarm(_) | S::LocationInfo(_) => {}
            _ if self.state == State::New => found.add(FindingKind::BeforeRegister),
            _ => {}
        }
    }

    fn check_name(&self, name: &[u8], policy: &Policy, found: &mut Found) {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        if name.is_empty() || !name.iter().all(is_name) || !policy.allows_name(name) {
            found.say(FindingKind::DeviceName, format!("\"{}\"", name.escape_ascii()));
        }
    }

    /// May a manager say this now?
    pub(super) fn check_manager(&self, message: &ManagerMessage, found: &mut Found) {
        use ManagerMessage as M;
        match message {
            M::RegisterAck(ack) => {
                if self.state == State::New {
                    found.add(FindingKind::AnswerUnasked);
                } else if ack.max_protocol_ver > self.offered {
                    let detail = format!("{} of at most {}", ack.max_protocol_ver, self.offered);
                    found.say(FindingKind::VersionRaised, detail);
                }
            }
            M::KeepAliveAck(_) if self.waiting > 0 => {}
            M::KeepAliveAck(_) => found.add(FindingKind::KeepAliveOdd),
            M::RegisterReject(_) if self.state == State::New => found.add(FindingKind::AnswerUnasked),
            M::RegisterReject(_)
            | M::RegisterTokenAck(_)
            | M::RegisterTokenReject(_)
            | M::SpcpRegisterTokenAck(_)
            | M::SpcpRegisterTokenReject(_)
            | M::Reset(_)
            | M::UnregisterAck(_) => {}
            _ if self.state == State::New => found.add(FindingKind::OrderBeforeRegister),
            _ => {}
        }
    }

    /// A phone has said this.
    pub(super) fn learn_station(&mut self, message: &StationMessage) {
        match message {
            StationMessage::Register(register) => {
                self.state = State::Asked;
                self.device = Some(clean(&register.device_name.to_string()).into());
                self.offered = register.protocol_ver;
                self.context = Context::default();
                let address = IpAddr::V4(register.station_ip_addr);
                self.own_address = Some(address).filter(|address| !address.is_unspecified());
            }
            StationMessage::KeepAlive(_) => self.waiting = self.waiting.saturating_add(1),
            _ => {}
        }
    }

    /// A manager has said this.
    pub(super) fn learn_manager(&mut self, message: &ManagerMessage) {
        match message {
            ManagerMessage::RegisterAck(ack) => {
                self.state = State::Registered;
                self.context = Context::new(ack.max_protocol_ver.min(self.offered));
                let interval = Duration::from_secs(ack.keep_alive_interval.clamp(3, 3600).into());
                self.keep_alive = Rate::every(interval / 3, KEEP_ALIVES_AT_ONCE);
                self.keep_alives = Meter::UNUSED;
            }
            ManagerMessage::RegisterReject(_) | ManagerMessage::UnregisterAck(_) => self.state = State::New,
            ManagerMessage::KeepAliveAck(_) => self.waiting = self.waiting.saturating_sub(1),
            _ => {}
        }
    }
}
