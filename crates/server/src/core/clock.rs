//! The time of day, as phones show it.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use selsius_exchange::{Time, WallClock, record::WallTime};
use selsius_site::Site;

/// The zone that phones show their time in.
pub(crate) fn zone(site: &Site) -> TimeZone {
    let Some(name) = &site.settings.time_zone else { return TimeZone::system() };
    TimeZone::get(name).unwrap_or_else(|error| {
        tracing::warn!(%error, zone = name, "unknown time zone; phones show UTC");
        TimeZone::UTC
    })
}

/// The zones that phones and pools have of their own, and their offsets as the exchange was told them.
#[derive(Debug, Default)]
pub(super) struct ZoneTable {
    zones: BTreeMap<String, TimeZone>,
    told: Option<BTreeMap<String, i32>>,
}

impl ZoneTable {
    pub(super) fn of(site: &Site) -> Self {
        let mut zones = BTreeMap::new();
        for name in site.time_zones() {
            if zones.contains_key(name) {
                continue;
            }
            match TimeZone::get(name) {
                Ok(zone) => drop(zones.insert(name.to_owned(), zone)),
                Err(error) => {
                    tracing::warn!(%error, zone = name, "unknown time zone; its phones show the office's time");
                }
            }
        }
        Self { zones, told: None }
    }

    /// The offsets, if they are not as they were the last time.
    pub(super) fn news(&mut self) -> Option<BTreeMap<String, i32>> {
        let now = Timestamp::now();
        let offsets: BTreeMap<_, _> =
            self.zones.iter().map(|(name, zone)| (name.clone(), zone.to_offset(now).seconds())).collect();
        if self.told.as_ref() == Some(&offsets) {
            return None;
        }
        self.told = Some(offsets.clone());
        Some(offsets)
    }
}

pub(super) fn wall_clock(at: Time, zone: &TimeZone) -> WallClock {
    let now = Timestamp::now();
    let offset_seconds = zone.to_offset(now).seconds();
    WallClock { at, wall: WallTime(now.as_microsecond()), offset_seconds }
}
