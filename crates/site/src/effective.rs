//! What holds for one phone: what it says itself, else what its pool says, else the settings.

use crate::{DeviceName, Language, Name, Site};

/// What holds for one phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effective<'s> {
    /// Its IANA time zone; `None` is the zone of the machine.
    pub time_zone: Option<&'s str>,
    /// How it writes a date, see [`crate::Settings::date_format`].
    pub date_format: &'s str,
    /// The language of its texts.
    pub language: Language,
    /// What may be called from its lines that say nothing themselves; `None` is everything.
    pub rights: Option<&'s Name>,
    /// The name of the music that whom it holds hears; empty is the usual one.
    pub music: &'s str,
}

impl Site {
    /// What holds for this phone. A phone that the site does not have gets the settings.
    pub fn effective(&self, device: &DeviceName) -> Effective<'_> {
        let device = self.devices.get(device);
        let pool = device.and_then(|device| self.pools.get(device.pool.as_ref()?));
        let of_device = device.and_then(|device| device.time_zone.as_ref());
        let of_pool = pool.and_then(|pool| pool.time_zone.as_ref());
        let time_zone = of_device.or(of_pool).or(self.settings.time_zone.as_ref());
        let of_device = device.and_then(|device| device.date_format.as_ref());
        let of_pool = pool.and_then(|pool| pool.date_format.as_ref());
        let date_format = of_device.or(of_pool).unwrap_or(&self.settings.date_format);
        let of_device = device.and_then(|device| device.language);
        let of_pool = pool.and_then(|pool| pool.language);
        Effective {
            time_zone: time_zone.map(String::as_str),
            date_format,
            language: of_device.or(of_pool).unwrap_or(self.settings.language),
            rights: pool.and_then(|pool| pool.rights.as_ref()),
            music: pool.map_or("", |pool| &pool.music),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phone_comes_before_its_pool_and_the_pool_before_the_settings() {
        let site = Site::from_toml(
            "office.toml",
            r#"
            [settings]
            time-zone = "Europe/Berlin"
            date-format = "D.M.Y"
            language = "de"

            [lines.1001]
            partition = "office"

            [rights.local]
            partitions = ["office"]

            [pools.paris]
            time-zone = "Europe/Paris"
            language = "fr"
            rights = "local"
            music = "musette"

            [devices.PLAIN]

            [devices.POOLED]
            pool = "paris"

            [devices.OWN]
            pool = "paris"
            time-zone = "Europe/Madrid"
            date-format = "D/M/Y"
            language = "es"
            "#,
        )
        .unwrap();
        let local = "local".parse().unwrap();
        let german = Effective {
            time_zone: Some("Europe/Berlin"),
            date_format: "D.M.Y",
            language: Language::German,
            rights: None,
            music: "",
        };
        let french = Effective {
            time_zone: Some("Europe/Paris"),
            language: Language::French,
            rights: Some(&local),
            music: "musette",
            ..german
        };
        let spanish = Effective {
            time_zone: Some("Europe/Madrid"),
            date_format: "D/M/Y",
            language: Language::Spanish,
            ..french
        };
        for (name, expected) in [("PLAIN", german), ("UNKNOWN", german), ("POOLED", french), ("OWN", spanish)]
        {
            assert_eq!(site.effective(&name.parse().unwrap()), expected, "{name}");
        }
    }
}
