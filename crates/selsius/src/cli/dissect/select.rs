//! Which messages are of interest: those of a call, those of a phone.

use std::time::Duration;

use anyhow::{Result, bail};
use selsius_inspect::{
    conversation::{Opened, Seen, Trouble},
    filter::Filter,
    ss7::Message,
    survey::{Call, Device, DeviceIndex, Report},
};
use selsius_wire::Time;

use super::{ss7::VOCABULARY, summary::Found};

/// What was asked for.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    devices: Vec<Device>,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    All,
    Device(DeviceIndex),
    Call(Box<Call>),
}

/// What a user does before the manager gives the call a reference, and what follows its end.
const AROUND: Duration = Duration::from_millis(250);

impl Scope {
    pub(super) fn new(found: &Found, call: Option<usize>, device: Option<&str>) -> Result<Self> {
        let devices = &found.report.devices;
        let what = match (call, device) {
            (Some(number), _) => match found.call(number) {
                Some(call) => What::Call(Box::new(call.clone())),
                None if found.report.calls.is_empty() => bail!("there is no call in this capture"),
                None => bail!(
                    "there is no call {number}: the calls are 1 to {} (see --format summary)",
                    found.report.calls.len()
                ),
            },
            (None, Some(name)) => {
                let index = devices
                    .iter()
                    .position(|device| device.messages > 0 && device.name.eq_ignore_ascii_case(name));
                let Some(index) = index else {
                    let names: Vec<_> = devices
                        .iter()
                        .filter(|device| device.messages > 0)
                        .take(10)
                        .map(|device| device.name.as_str())
                        .collect();
                    bail!("there is no phone {name}: there are {}", names.join(", "));
                };
                What::Device(DeviceIndex(index))
            }
            (None, None) => What::All,
        };
        Ok(Self { devices: devices.clone(), what })
    }

    /// Whether it is the whole capture.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.what, What::All)
    }

    /// The call, if it is one.
    pub(super) fn call(&self) -> Option<&Call> {
        match &self.what {
            What::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The phones that take part, the caller first.
    pub(super) fn devices(&self, report: &Report) -> Vec<DeviceIndex> {
        match &self.what {
            What::Device(device) => vec![*device],
            What::Call(call) => {
                let mut devices = Vec::new();
                for leg in &call.legs {
                    if !devices.contains(&leg.device) {
                        devices.push(leg.device);
                    }
                }
                devices
            }
            What::All => (0..report.devices.len())
                .map(DeviceIndex)
                .filter(|at| report.devices[at.0].messages > 0)
                .collect(),
        }
    }

    /// The phone of a message, if the message is of interest.
    pub(super) fn takes(&self, seen: &Seen, ends: &Opened) -> Option<DeviceIndex> {
        let device = self.device(seen.device.as_deref(), ends)?;
        let wanted = match &self.what {
            What::All => true,
            What::Device(wanted) => *wanted == device,
            What::Call(call) => {
                let reference = seen.message.place().1;
                call.legs.iter().filter(|leg| leg.device == device).any(|leg| {
                    let during = leg.first <= seen.time + AROUND && seen.time <= leg.last + AROUND;
                    during && (reference == 0 || leg.reference == reference)
                })
            }
        };
        wanted.then_some(device)
    }

    /// Who is at the other end of the manager: by the name that it said, or by its address.
    pub(super) fn device(&self, name: Option<&str>, ends: &Opened) -> Option<DeviceIndex> {
        let named = name.and_then(|name| self.devices.iter().position(|device| device.name == name));
        let by_address = || self.devices.iter().position(|device| device.address == ends.station);
        named.or_else(by_address).map(DeviceIndex)
    }

    /// Whether it is a connection of one of its phones.
    fn concerns(&self, ends: &Opened) -> bool {
        let Some(device) = self.device(None, ends) else { return false };
        match &self.what {
            What::All => true,
            What::Device(wanted) => *wanted == device,
            What::Call(call) => call.legs.iter().any(|leg| leg.device == device),
        }
    }

    /// Whether something at that time may be of interest.
    pub(super) fn covers(&self, time: Time) -> bool {
        self.call().is_none_or(|call| {
            let end = call.legs.iter().map(|leg| leg.last).max().unwrap_or(call.start);
            call.start <= time + AROUND && time <= end + AROUND
        })
    }
}

/// Which messages are shown, and written.
#[derive(Default)]
pub(super) struct Chosen {
    pub(super) scope: Option<Scope>,
    pub(super) filter: Option<Filter>,
}

impl Chosen {
    pub(super) fn takes(&self, seen: &Seen, ends: &Opened) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.takes(seen, ends))
            && self.scope.as_ref().is_none_or(|scope| scope.takes(seen, ends).is_some())
    }

    /// Calls and phones are of the other protocol.
    pub(super) fn takes_ss7(&self, message: &Message) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.takes_ss7(message))
            && self.scope.as_ref().is_none_or(|scope| matches!(scope.what, What::All))
    }

    /// What is between messages passes no filter.
    pub(super) fn takes_trouble(&self, trouble: &Trouble, ends: &Opened) -> bool {
        self.filter.is_none()
            && self
                .scope
                .as_ref()
                .is_none_or(|scope| scope.covers(trouble.stamp.time) && scope.concerns(ends))
    }
}

/// Reads a filter; what is wrong with it is shown below it.
pub(super) fn filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text, VOCABULARY).map_err(|error| {
        let columns = |part: Option<&str>| part.unwrap_or_default().chars().count();
        let (before, long) =
            (columns(text.get(..error.at.start)), columns(text.get(error.at.clone())).max(1));
        // On one line, as clap shows it; and tabs would move the mark.
        let shown = text.replace(char::is_control, " ");
        format!("{error}\n  {shown}\n  {:before$}{}", "", "^".repeat(long))
    })
}
