//! How a conversation sounds, as one number: the mean opinion score that the E-model estimates.
//!
//! ITU-T G.107 with all but delay and loss at their defaults, in the usual short form: R begins at 93.2; delay takes off
//! `0.024 d + 0.11 (d - 177.3)` for `d` in milliseconds, the second part only above 177.3 (R. G. Cole and J. H. Rosenbluth,
//! "Voice over IP performance monitoring", 2001); codec and loss take off `Ie + (95 - Ie) · Ppl / (Ppl + Bpl)` (G.107,
//! equation 7-29 with random loss), with `Ie` and `Bpl` from ITU-T G.113, appendix I. R becomes a score by G.107, annex B.

use core::time::Duration;

use crate::{Codec, PacketTime};

/// A mean opinion score, 1.0 (bad) to 4.5 (as good as narrow-band telephony can be).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Mos(f32);

impl Mos {
    /// The score for this codec, share of packets that were not played in time (0.0 to 1.0), and delay from mouth to ear.
    pub fn estimate(codec: Codec, loss: f64, delay: Duration) -> Self {
        let (impairment, robustness) = match codec {
            // With concealment.
            Codec::Pcmu | Codec::Pcma => (0.0, 25.1),
            // G.113 has it as a wide-band codec only; concealment as with G.711.
            Codec::G722 => (0.0, 25.1),
            Codec::G729 => (11.0, 19.0),
            // G.113 does not have it. At 24 kbit/s listeners find it as good as what went in, and it conceals well.
            Codec::Opus => (0.0, 25.1),
        };
        let percent = loss.clamp(0.0, 1.0) * 100.0;
        let equipment = impairment + (95.0 - impairment) * percent / (percent + robustness);
        let millis = delay.as_secs_f64() * 1000.0;
        let delay = 0.024 * millis + 0.11 * (millis - 177.3).max(0.0);
        let rating = (93.2 - delay - equipment).clamp(0.0, 100.0);
        let score = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
        Self((score as f32).max(1.0))
    }

    /// The score of a stream by this codec of which this share of packets (0.0 to 1.0) was lost or came too late. The delay
    /// is half of the way there and back, a packet that has to be full, and a buffer as large as the jitter makes it.
    pub fn of_stream(
        codec: Codec,
        loss: f64,
        jitter: Duration,
        packet_time: PacketTime,
        round_trip: Option<Duration>,
    ) -> Self {
        let buffer = Duration::from_millis(20) + 2 * jitter;
        Self::estimate(codec, loss, round_trip.unwrap_or_default() / 2 + packet_time.duration() + buffer)
    }

    /// The score.
    pub const fn score(self) -> f32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_recommendation() {
        let score = |codec, loss, millis| Mos::estimate(codec, loss, Duration::from_millis(millis)).score();
        // The default of G.107 is 4.41.
        let table = [
            (Codec::Pcmu, 0.0, 0, 4.41),
            (Codec::G729, 0.0, 0, 4.09),
            // One in a hundred takes off 95 / 26.1, which leaves 89.6.
            (Codec::Pcma, 0.01, 0, 4.33),
            // 300 ms take off 7.2 and 13.5, which leaves 72.5.
            (Codec::Pcma, 0.0, 300, 3.72),
            // All lost: 17.3 is left.
            (Codec::Pcmu, 1.0, 0, 1.18),
            (Codec::Pcmu, 1.0, 5000, 1.0),
        ];
        for (codec, loss, millis, expected) in table {
            let score = score(codec, loss, millis);
            assert!((score - expected).abs() < 0.06, "{codec} {loss} {millis}: {score}");
        }
    }
}
