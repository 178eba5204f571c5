//! The clock that stations and streams run on.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use selsius_wire::Time;

/// Where time begins. Phones that share a clock tell times that can be compared.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    /// The origin in microseconds since 1970.
    unix_micros: u64,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            origin: Instant::now(),
            unix_micros: u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// The time since the start.
    pub fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// A moment as microseconds since 1970, as capture files have it. Steps of the system's clock after the start do
    /// not show in it.
    pub fn unix_micros(&self, at: Time) -> u64 {
        self.unix_micros.saturating_add(at.as_micros())
    }

    /// A moment for the runtime's timer.
    pub(crate) fn instant(&self, at: Time) -> tokio::time::Instant {
        (self.origin + at.since(Time::ZERO)).into()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::start()
    }
}

/// The same moment for the streams.
pub(crate) fn media_time(at: Time) -> selsius_media::Time {
    selsius_media::Time::from_micros(at.as_micros())
}

/// The same moment for the station.
pub(crate) fn wire_time(at: selsius_media::Time) -> Time {
    Time::from_micros(at.as_micros())
}
