//! Response times.

use alloc::collections::BTreeMap;
use core::time::Duration;

/// The response times of one kind of request, kept with three digits: at most 900 counters a decade.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// Requests that were not answered before their connection ended.
    pub unanswered: u64,
    count: u64,
    least: Option<u64>,
    most: u64,
    /// How many took so many microseconds, in rounded figures.
    buckets: BTreeMap<u64, u64>,
}

impl Times {
    /// Counts one.
    pub fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.count += 1;
        self.least = Some(self.least.map_or(micros, |least| least.min(micros)));
        self.most = self.most.max(micros);
        *self.buckets.entry(rounded(micros)).or_default() += 1;
    }

    /// How many were answered.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The shortest, exactly.
    pub fn least(&self) -> Option<Duration> {
        self.least.map(Duration::from_micros)
    }

    /// The longest, exactly.
    pub fn most(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_micros(self.most))
    }

    /// The time that so many of a thousand answers did not exceed, within half a percent: 500 is the median.
    pub fn quantile(&self, of_thousand: u64) -> Option<Duration> {
        let rank = (self.count * of_thousand.min(1_000)).div_ceil(1_000).max(1);
        let mut passed = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            passed += **count;
            passed >= rank
        });
        bucket.map(|(micros, _)| Duration::from_micros((*micros).clamp(self.least.unwrap_or(0), self.most)))
    }
}

fn rounded(micros: u64) -> u64 {
    let mut unit = 1;
    while micros / unit >= 1_000 {
        unit *= 10;
    }
    ((micros / unit) * unit).saturating_add(unit / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_half_a_percent() {
        let mut times = Times::default();
        assert_eq!((times.least(), times.quantile(500), times.most()), (None, None, None));
        for micros in 1..=100_000 {
            times.add(Duration::from_micros(micros));
        }
        for (quantile, exact) in [(1, 100.0), (500, 50_000.0), (990, 99_000.0), (1_000, 100_000.0)] {
            let found = times.quantile(quantile).unwrap().as_micros() as f64;
            assert!((found - exact).abs() <= exact * 0.005 + 1.0, "{quantile}: {found}");
        }
        assert_eq!(times.least(), Some(Duration::from_micros(1)));
        assert!(times.buckets.len() < 3_000);
    }

    #[test]
    fn one_is_its_own_median() {
        let mut times = Times::default();
        times.add(Duration::from_micros(145_085));
        assert_eq!(times.quantile(500), Some(Duration::from_micros(145_085)));
        times.add(Duration::from_micros(u64::MAX));
        assert_eq!(times.quantile(1_000), times.most());
    }
}
