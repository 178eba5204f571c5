//! The time of day, where the way of a call depends on it.
//!
//! Zones and their rules are the driver's: it says how far each zone of the site is from UTC now
//! ([`crate::Input::Zones`]), as it says it of the site's own ([`crate::WallClock::offset_seconds`]).

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use selsius_site::Name;

use crate::exchange::Exchange;

impl Exchange {
    /// Is a schedule of the site open now? One that is not there is not.
    pub(super) fn is_open(&self, schedule: &Name) -> bool {
        let schedule = self.site.schedules.get(schedule);
        schedule.is_some_and(|schedule| schedule.is_open(self.local_time(schedule.time_zone.as_deref())))
    }

    /// The time of day in a zone; in the site's where that is not known, or `None`.
    fn local_time(&self, zone: Option<&str>) -> DateTime {
        let known = zone.and_then(|zone| self.zones.get(zone));
        let seconds = known.copied().unwrap_or(self.wall.offset_seconds);
        let stamp = Timestamp::from_microsecond(self.wall.wall(self.now).0).unwrap_or(Timestamp::UNIX_EPOCH);
        Offset::from_seconds(seconds).unwrap_or(Offset::UTC).to_datetime(stamp)
    }
}
