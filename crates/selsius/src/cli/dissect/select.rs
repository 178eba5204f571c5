//! Which messages are of interest: those of a call, those of a phone.

use std::{io::Write, time::Duration};

use anyhow::{Result, bail};
use selsius_inspect::{
    conversation::{Closed, Opened, Seen, Trouble},
    survey::{Call, Device, DeviceIndex, Report},
};
use selsius_wire::Time;

use super::{View, summary::Found};

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

/// A view of those messages only.
pub(super) struct Only<V> {
    view: V,
    scope: Option<Scope>,
}

impl<V: View> Only<V> {
    /// Of everything, without a scope.
    pub(super) fn new(view: V, scope: Option<Scope>) -> Self {
        Self { view, scope }
    }
}

impl<V: View> View for Only<V> {
    fn seen(&mut self, seen: &Seen, ends: &Opened, out: &mut dyn Write) -> Result<()> {
        if self.scope.as_ref().is_some_and(|scope| scope.takes(seen, ends).is_none()) {
            return Ok(());
        }
        self.view.seen(seen, ends, out)
    }

    fn trouble(&mut self, trouble: &Trouble, ends: &Opened, out: &mut dyn Write) -> Result<()> {
        let elsewhere = |scope: &Scope| !scope.covers(trouble.stamp.time) || !scope.concerns(ends);
        if self.scope.as_ref().is_some_and(elsewhere) {
            return Ok(());
        }
        self.view.trouble(trouble, ends, out)
    }

    fn closed(&mut self, closed: &Closed, ends: &Opened) {
        self.view.closed(closed, ends);
    }
}
