//! What holds for one phone: its own setting, else its pool's, else the office's.

use crate::{Device, DeviceName, Language, Pool, Site};

/// Language, time and date of one phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local<'a> {
    /// The language of its texts.
    pub language: Language,
    /// Its IANA time zone; `None` is the zone of the machine.
    pub time_zone: Option<&'a str>,
    /// How it writes a date.
    pub date_format: &'a str,
}

impl Site {
    /// What holds for this phone. A phone that is not in the site is as one that says nothing.
    pub fn local(&self, name: &DeviceName) -> Local<'_> {
        self.local_of(self.devices.get(name))
    }

    /// What holds for a phone with this entry.
    pub fn local_of<'a>(&'a self, device: Option<&'a Device>) -> Local<'a> {
        let pool = device.and_then(|device| device.pool.as_ref()).and_then(|pool| self.pools.get(pool));
        let settings = &self.settings;
        let own = |get: fn(&Device) -> Option<&str>| device.and_then(get);
        let shared = |get: fn(&Pool) -> Option<&str>| pool.and_then(get);
        Local {
            language: device
                .and_then(|device| device.language)
                .or_else(|| pool.and_then(|pool| pool.language))
                .unwrap_or(settings.language),
            time_zone: own(|device| device.time_zone.as_deref())
                .or_else(|| shared(|pool| pool.time_zone.as_deref()))
                .or(settings.time_zone.as_deref()),
            date_format: own(|device| device.date_format.as_deref())
                .or_else(|| shared(|pool| pool.date_format.as_deref()))
                .unwrap_or(&settings.date_format),
        }
    }

    /// Every time zone that some phone has.
    pub fn time_zones(&self) -> impl Iterator<Item = &str> {
        let devices = self.devices.values().filter_map(|device| device.time_zone.as_deref());
        let pools = self.pools.values().filter_map(|pool| pool.time_zone.as_deref());
        let schedules = self.schedules.values().filter_map(|schedule| schedule.time_zone.as_deref());
        devices.chain(pools).chain(schedules).chain(self.settings.time_zone.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_goes_before_its_pool_and_that_before_the_office() {
        let mut site = Site::default();
        site.settings.time_zone = Some("Europe/Berlin".into());
        let pool = Pool {
            time_zone: Some("Europe/Lisbon".into()),
            language: Some(Language::French),
            date_format: Some("D.M.Y".into()),
            ..Pool::default()
        };
        site.pools.insert("lisbon".parse().unwrap(), pool);
        let mut device = |name: &str, device: Device| site.devices.insert(name.parse().unwrap(), device);
        device("PLAIN", Device::default());
        let pool = Some("lisbon".parse().unwrap());
        device("POOLED", Device { pool: pool.clone(), ..Device::default() });
        let own = Device {
            language: Some(Language::Spanish),
            time_zone: Some("Asia/Tokyo".into()),
            ..Device::default()
        };
        device("OWN", Device { pool, ..own });
        let local = |name: &str| {
            let local = site.local(&name.parse().unwrap());
            (local.language, local.time_zone.unwrap(), local.date_format)
        };
        assert_eq!(local("UNKNOWN"), (Language::English, "Europe/Berlin", "D/M/Y"));
        assert_eq!(local("PLAIN"), local("UNKNOWN"));
        assert_eq!(local("POOLED"), (Language::French, "Europe/Lisbon", "D.M.Y"));
        assert_eq!(local("OWN"), (Language::Spanish, "Asia/Tokyo", "D.M.Y"));
        let zones: Vec<_> = site.time_zones().collect();
        assert_eq!(zones, ["Asia/Tokyo", "Europe/Lisbon", "Europe/Berlin"]);
    }
}
