//! The background picture and the ring tone that the site gives a phone. The phone is told where they are and fetches them; without
//! any its user's choice stands.

use alloc::{format, string::String, vec::Vec};

use selsius_phone_xml::{Encoding, SetBackground, SetRingTone};
use selsius_site::{DeviceName, Site};

use super::push::Address;
use crate::{arena::Handle, device::Device, exchange::Exchange, io::SessionId};

/// The applications that chan-sccp has these orders under.
const BACKGROUND: u32 = 9086;
const RING_TONE: u32 = 9087;

/// What the site says of one phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Look {
    background: String,
    ring_tone: String,
}

impl Look {
    fn of(site: &Site, name: &DeviceName) -> Self {
        let device = site.devices.get(name);
        device.map_or_else(Self::default, |device| Self {
            background: device.background.clone(),
            ring_tone: device.ring_tone.clone(),
        })
    }
}

impl Exchange {
    /// A phone is ready: it is told how it looks and rings.
    pub(crate) fn tell_look(&mut self, handle: Handle<Device>) {
        self.tell_changed_look(handle, &Look::default());
    }

    /// The site has changed: phones are told what is new of it. One that loses its picture keeps it until its user chooses another.
    pub(crate) fn look_changed(&mut self, before: &Site) {
        let all = self.devices.iter().filter(|(_, device)| device.ready);
        let all = all.map(|(handle, device)| (handle, Look::of(before, &device.name)));
        for (handle, before) in all.collect::<Vec<_>>() {
            self.tell_changed_look(handle, &before);
        }
    }

    fn tell_changed_look(&mut self, handle: Handle<Device>, before: &Look) {
        let Some(device) = self.devices.get(handle) else { return };
        // A site may not know the model of a phone, so that it is only seen here what the phone can do.
        if !device.facts().is_some_and(|facts| facts.look) {
            return;
        }
        let (session, look) = (device.session, Look::of(&self.site, &device.name));
        if look.background != before.background && !look.background.is_empty() {
            let image = self.file_url(session, &look.background);
            let icon = self.file_url(session, &thumbnail(&look.background));
            self.send_order(handle, BACKGROUND, &SetBackground { image, icon }.to_xml(Encoding::Ascii));
        }
        if look.ring_tone != before.ring_tone && !look.ring_tone.is_empty() {
            let ring_tone = self.file_url(session, &look.ring_tone);
            self.send_order(handle, RING_TONE, &SetRingTone { ring_tone }.to_xml(Encoding::Ascii));
        }
    }

    fn send_order(&mut self, handle: Handle<Device>, application: u32, xml: &[u8]) {
        let transaction = self.next_reference();
        let address = Address::of(application, (0, 0), transaction);
        if self.push_to(handle, address, xml).is_err() {
            self.counters.refuse("background or ring tone for a phone that takes none");
        }
    }

    /// Where a phone fetches a file of the manager's folder, or of another server.
    fn file_url(&self, session: SessionId, file: &str) -> String {
        match self.here(session) {
            Some(here) if !file.starts_with("http://") => format!("http://{here}/{file}"),
            _ => file.into(),
        }
    }
}

/// The small picture beside a picture, named as in the lists of the maker (`TN-Fountain.png`).
fn thumbnail(file: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/TN-{name}"),
        None => format!("TN-{file}"),
    }
}
