//! Privacy: the calls of a phone on shared lines are neither shown to the others nor open to them. And what phones
//! remember, of which privacy is a part.

use selsius_site::DeviceName;
use selsius_wire::Time;

use crate::{
    arena::Handle, call::Leg, device::Device, exchange::Exchange, record::Record, remembered::DeviceState,
    view::Transition,
};

impl Exchange {
    /// Does the phone hide its calls, by its button or by the site?
    pub(crate) fn has_privacy(&self, device: &Device) -> bool {
        let chosen = self.device_states.get(&device.name).and_then(|state| state.privacy);
        chosen.unwrap_or_else(|| self.site.devices.get(&device.name).is_some_and(|device| device.privacy))
    }

    /// Is the call nobody else's business, although others have the line too?
    pub(crate) fn is_hidden(&self, leg: &Leg) -> bool {
        if let Some(at) = leg.extension() {
            return self.site.lines.get(&at.line).is_some_and(|line| line.privacy);
        }
        let Some(station) = leg.station() else { return false };
        let Some(device) = self.devices.get(station.device) else { return false };
        let line = device.appearance(station.line).and_then(|line| self.site.lines.get(&line.number));
        line.is_some_and(|line| line.privacy) || self.has_privacy(device)
    }

    /// May another phone of the line take the call from hold, or go into it?
    pub(crate) fn is_closed(&self, leg: &Leg) -> bool {
        leg.private || self.is_hidden(leg)
    }

    /// The Privacy button: hides the phone's calls, or no longer.
    pub(crate) fn toggle_privacy(&mut self, now: Time, handle: Handle<Device>) {
        let Some(device) = self.devices.get(handle) else { return };
        let (name, on) = (device.name.clone(), self.has_privacy(device));
        self.change_device(now, &name, |state| state.privacy = Some(!on));
    }

    /// What a phone remembers.
    pub(crate) fn device_state(&self, device: &DeviceName) -> DeviceState {
        self.device_states.get(device).cloned().unwrap_or_default()
    }

    /// Changes what a phone remembers, and tells the phones that show it.
    pub(crate) fn change_device(
        &mut self,
        now: Time,
        name: &DeviceName,
        change: impl FnOnce(&mut DeviceState),
    ) {
        let old = self.device_state(name);
        let mut new = old.clone();
        change(&mut new);
        if new == old {
            return;
        }
        if new == DeviceState::default() {
            self.device_states.remove(name);
        } else {
            self.device_states.insert(name.clone(), new.clone());
        }
        let shown = (&old.privacy, &old.user) != (&new.privacy, &new.user);
        self.store(Record::DeviceState { device: name.clone(), state: new });
        let Some(&handle) = self.by_name.get(name).filter(|_| shown) else { return };
        self.render(now, handle, Transition::Change, None);
        let lines = self.devices.get(handle).map(|device| device.buttons.lines.clone()).unwrap_or_default();
        for line in lines {
            self.render_line(now, &line.number, handle);
        }
    }
}
