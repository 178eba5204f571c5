//! How audio was: what the media engine and the phones have counted, as call records have it.

use std::time::Duration;

use selsius_exchange::record::{CountedBy, Mos, Record, StreamFigures};
use selsius_media::{
    Codec, PacketTime,
    engine::{self, Figures},
};

/// What the engine has counted of a party.
pub(crate) fn counted(figures: &Figures) -> StreamFigures {
    let Figures { received, sent_packets, loss_there, .. } = *figures;
    StreamFigures {
        packets_sent: sent_packets,
        octets_sent: figures.sent_octets,
        packets_received: count(received.packets),
        octets_received: count(received.octets),
        packets_lost: count(received.lost),
        jitter_ms: millis(received.jitter),
        round_trip_ms: figures.round_trip.map(millis),
        mos: figures.score.and_then(score),
        packets_lost_there: loss_there.map(|share| (share * f64::from(sent_packets)).round() as u32),
        jitter_there_ms: figures.jitter_there.map(millis),
        mos_there: figures.score_there.and_then(score),
    }
}

/// Estimates how good what a phone has heard sounded, unless it has said so itself: by its loss, its jitter and its delay.
pub(crate) fn estimate(record: &mut Record) {
    let Record::CallQuality(quality) = record else { return };
    let figures = &mut quality.figures;
    if quality.counted_by != CountedBy::Phone || figures.mos.is_some() || figures.packets_received == 0 {
        return;
    }
    let codec = Codec::ALL.iter().copied().find(|codec| codec.name() == quality.codec);
    let (Some(codec), Some(loss)) = (codec, figures.loss()) else { return };
    let jitter = Duration::from_millis(figures.jitter_ms.into());
    let round_trip = figures.round_trip_ms.map(|millis| Duration::from_millis(millis.into()));
    figures.mos = score(engine::Mos::of_stream(codec, loss, jitter, PacketTime::DEFAULT, round_trip));
}

fn score(mos: engine::Mos) -> Option<Mos> {
    Mos::new(mos.score())
}

fn count(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn millis(time: Duration) -> u32 {
    u32::try_from((time + Duration::from_micros(500)).as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use selsius_exchange::record::{CallId, CallQuality, LegEnd};

    use super::*;

    fn estimated(codec: &str, counted_by: CountedBy, figures: StreamFigures) -> Option<u16> {
        let mut record = Record::CallQuality(Box::new(CallQuality {
            call: CallId(1),
            party: 1,
            number: String::new(),
            end: LegEnd::Trunk("carrier".into()),
            counted_by,
            codec: codec.into(),
            figures,
        }));
        estimate(&mut record);
        let Record::CallQuality(quality) = record else { panic!("{record:?}") };
        quality.figures.mos.map(Mos::hundredths)
    }

    #[test]
    fn a_phone_that_does_not_say_how_it_sounded_is_estimated() {
        let good = StreamFigures { packets_received: 1000, ..StreamFigures::default() };
        let (by, other) = (CountedBy::Phone, CountedBy::Manager);
        // 40 ms of packet and buffer take off 0.96 of 93.2; the scores are those of the E-model for what is left.
        let table = [
            ("PCMU", by, good, Some(439)),
            ("G729", by, good, Some(406)),
            // One in fifty takes off 7.0, and 5 ms of jitter 0.24.
            ("PCMA", by, StreamFigures { packets_lost: 20, jitter_ms: 5, ..good }, Some(421)),
            // Its own score stands.
            ("PCMU", by, StreamFigures { mos: Mos::from_hundredths(330), ..good }, Some(330)),
            ("PCMU", by, StreamFigures { packets_received: 0, packets_lost: 9, ..good }, None),
            ("G723", by, good, None),
            ("", by, good, None),
            ("PCMU", other, good, None),
        ];
        for (codec, by, figures, expected) in table {
            let found = estimated(codec, by, figures);
            let off = found.unwrap_or(0).abs_diff(expected.unwrap_or(0));
            assert!(found.is_some() == expected.is_some() && off <= 3, "{codec} {figures:?}: {found:?}");
        }
    }
}
