//! How audio was: phones tell after a call what they have counted, the media services when a party leaves them.
//!
//! Either may come after the record of the call, or never. So each becomes a record of its own, which is prepared when the leg
//! ends and written as soon as the figures are there.

use alloc::{boxed::Box, string::String};

use selsius_wire::{
    message::{ConnectionStatisticsReq, ConnectionStatisticsRes},
    value::{Codec, Number, StatsProcessing},
};

use super::{Appears, End, Leg, media::encoding_name};
use crate::{
    arena::Handle,
    device::Device,
    exchange::Exchange,
    record::{CallId, CallQuality, CountedBy, LegEnd, Mos, Record, StreamFigures},
};

/// Legs that are gone and whose figures the media services still owe, at most: more of them, and it does not answer.
pub(crate) const MOST_OWED: usize = 1024;
/// A longer way than this is no way that audio takes, but two clocks that differ.
const MOST_LATENCY_MS: u32 = 5000;

/// A leg that is gone, and whose phone has been asked what it counted. Many phones never answer: so it is small.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// The call reference that the phone knows it by.
    pub(crate) reference: u32,
    call: CallId,
    party: u32,
    line: u32,
    spoken: Option<Codec>,
}

/// What the media services counted of a leg up to now. It leaves them whenever it needs them no more, such as on hold.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// How often it has left them and they have not told yet what they counted.
    owed: u32,
    so_far: Option<StreamFigures>,
}

impl Counted {
    /// It leaves them.
    pub(super) fn leaves(&mut self) {
        self.owed += 1;
    }

    fn take(&mut self, figures: Option<StreamFigures>) {
        self.owed = self.owed.saturating_sub(1);
        let Some(figures) = figures else { return };
        match &mut self.so_far {
            Some(so_far) => so_far.add(&figures),
            None => self.so_far = Some(figures),
        }
    }
}

/// A leg that is gone, while the media services owe figures of it.
#[derive(Debug)]
pub(crate) struct Owed {
    counted: Counted,
    record: Box<CallQuality>,
}

impl Exchange {
    /// Asks a phone what it counted of a stream that has ended. The answer may come any time or never.
    pub(super) fn ask_quality(&mut self, leg: &Leg, station: Appears, call: CallId) {
        let Some(device) = self.devices.get_mut(station.device).filter(|device| !device.quirks.no_statistics)
        else {
            return;
        };
        let Some(number) = device.appearance(station.line).map(|appearance| appearance.number.clone()) else {
            return;
        };
        let Leg { reference, party, spoken, .. } = *leg;
        device.expect_quality(Asked { reference, call, party, line: station.line, spoken });
        let session = device.session;
        let request = ConnectionStatisticsReq {
            directory_num: Number::new(number.as_str().as_bytes()),
            call_reference: reference,
            stats_processing_mode: StatsProcessing::Clear,
        };
        self.send(session, request);
    }

    /// A phone's count of a stream.
    pub(crate) fn phone_counted(&mut self, device: Handle<Device>, counted: &ConnectionStatisticsRes) {
        let Some(state) = self.devices.get_mut(device) else { return };
        let Some(asked) = state.quality_expected(counted.call_reference) else {
            return self.counters.refuse("statistics nobody asked for");
        };
        let figures = StreamFigures {
            packets_sent: counted.number_packets_sent,
            octets_sent: counted.number_octets_sent,
            packets_received: counted.number_packets_received,
            octets_received: counted.number_octets_received,
            packets_lost: counted.number_packets_lost,
            jitter_ms: counted.jitter,
            // By the times in the other side's RTCP reports, which leaves out the way back (Cisco's description of call
            // management records). It is 0 where there are no reports.
            round_trip_ms: Some(counted.latency)
                .filter(|latency| (1..=MOST_LATENCY_MS).contains(latency))
                .map(|latency| latency * 2),
            mos: listening_quality(&counted.data.0),
            ..StreamFigures::default()
        };
        let number = state.appearance(asked.line).map(|appearance| appearance.number.as_str());
        let record = CallQuality {
            call: asked.call,
            party: asked.party,
            number: number.unwrap_or_default().into(),
            end: LegEnd::Phone(state.name.clone()),
            counted_by: CountedBy::Phone,
            codec: spoken_name(asked.spoken),
            figures,
        };
        self.store(Record::CallQuality(Box::new(record)));
    }

    /// A leg is gone: what the media services counted of it is recorded when they have told all of it.
    pub(super) fn record_counted(&mut self, leg: &mut Leg, call: CallId) {
        let counted = core::mem::take(&mut leg.counted);
        if counted.owed == 0 && counted.so_far.is_none() {
            return;
        }
        let Some(record) = self.quality_of(leg, call) else { return };
        let owed = Owed { counted, record };
        if owed.counted.owed == 0 {
            return self.record_owed(owed);
        }
        self.owed.insert(leg.party, owed);
        if self.owed.len() > MOST_OWED
            && let Some((_, oldest)) = self.owed.pop_first()
        {
            self.counters.refuse("no figures of the media services");
            self.record_owed(oldest);
        }
    }

    /// The media services tell what they counted of a party that has left them; `None` if they did not know it.
    pub(crate) fn services_counted(&mut self, party: u32, figures: Option<StreamFigures>) {
        if let Some(&leg) = self.parties.get(&party) {
            let Some(leg) = self.legs.get_mut(leg).filter(|leg| leg.counted.owed > 0) else {
                return self.counters.refuse("figures of the media services for no leg that left them");
            };
            return leg.counted.take(figures);
        }
        let Some(owed) = self.owed.get_mut(&party) else {
            return self.counters.refuse("figures of the media services for no leg");
        };
        owed.counted.take(figures);
        if owed.counted.owed == 0
            && let Some(owed) = self.owed.remove(&party)
        {
            self.record_owed(owed);
        }
    }

    fn record_owed(&mut self, Owed { counted, mut record }: Owed) {
        // Where nothing passed there is nothing to say, such as of a trunk that did not answer.
        let passed = |figures: &StreamFigures| figures.packets_sent > 0 || figures.packets_received > 0;
        if let Some(figures) = counted.so_far.filter(passed) {
            record.figures = figures;
            self.store(Record::CallQuality(record));
        }
    }

    /// The manager's record of a leg, without figures yet.
    fn quality_of(&self, leg: &Leg, call: CallId) -> Option<Box<CallQuality>> {
        let end = match &leg.end {
            End::Station(station) => LegEnd::Phone(self.devices.get(station.device)?.name.clone()),
            End::Trunk(trunk) => match &trunk.extension {
                Some(at) => LegEnd::Phone(at.phone.clone()),
                None => LegEnd::Trunk(trunk.trunk.clone()),
            },
        };
        Some(Box::new(CallQuality {
            call,
            party: leg.party,
            number: leg.who.number.clone(),
            end,
            counted_by: CountedBy::Manager,
            codec: spoken_name(leg.spoken),
            figures: StreamFigures::default(),
        }))
    }
}

fn spoken_name(codec: Option<Codec>) -> String {
    codec.map_or_else(String::new, |codec| encoding_name(codec).into())
}

/// The score in a phone's text, such as `MLQK=4.4500;MLQKav=4.4000;MLQKmn=4.1000;..`: that over the whole call (`MLQKav`), or
/// else that of its last seconds. 0 says that there is none.
fn listening_quality(text: &[u8]) -> Option<Mos> {
    let text = core::str::from_utf8(text).ok()?;
    let score = |wanted: &str| {
        let mut fields = text.split(';').filter_map(|field| field.split_once('='));
        let (_, score) = fields.find(|(name, _)| name.trim() == wanted)?;
        Mos::new(score.trim_matches(['\0', ' ']).parse().ok()?)
    };
    score("MLQKav").or_else(|| score("MLQK"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_of_the_whole_call_comes_first() {
        let table: [(&[u8], Option<u16>); 9] = [
            (b"MLQK=4.4500;MLQKav=4.4000;MLQKmn=4.1000;MLQKmx=4.5000;ICR=0.0000;CCR=0.0000", Some(440)),
            (b"MLQK=4.5000", Some(450)),
            (b"MLQK=4.5000;MLQKav=0.0000", Some(450)),
            (b"ICR=0.0;MLQK=3.2\0", Some(320)),
            (b"MLQK=0.0000;MLQKav=0.0000", None),
            (b"MLQKvr=0.95", None),
            (b"MLQK", None),
            (b"MLQK=-inf;MLQKav=99999999999999999999999999999999999999999999", None),
            (b"\xFFMLQK=4.5", None),
        ];
        for (text, expected) in table {
            assert_eq!(listening_quality(text).map(Mos::hundredths), expected, "{text:?}");
        }
    }
}
