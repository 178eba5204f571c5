//! The time of day, as phones show it.

use jiff::{Timestamp, tz::TimeZone};
use selsius_exchange::{Time, WallClock, record::WallTime};
use selsius_site::Site;

/// The zone that phones show their time in.
pub(super) fn zone(site: &Site) -> TimeZone {
    let Some(name) = &site.settings.time_zone else { return TimeZone::system() };
    TimeZone::get(name).unwrap_or_else(|error| {
        tracing::warn!(%error, zone = name, "unknown time zone; phones show UTC");
        TimeZone::UTC
    })
}

pub(super) fn wall_clock(at: Time, zone: &TimeZone) -> WallClock {
    let now = Timestamp::now();
    let offset_seconds = zone.to_offset(now).seconds();
    WallClock { at, wall: WallTime(now.as_microsecond()), offset_seconds }
}
