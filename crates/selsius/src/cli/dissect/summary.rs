//! The capture as a whole: phones, calls, media, response times, messages, what was odd.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    net::SocketAddr,
    time::Duration,
};

use anyhow::Result;
use jiff::{Timestamp, tz::TimeZone};
use selsius_inspect::{
    conversation::{Closed, Opened, Seen, Trouble},
    packet::{Datagram, Stamp},
    sip::Message as Sip,
    ss7::Message,
    survey::{Call, Count, Device, DeviceIndex, Oddity, Party, Report, Signalled, Survey, Times},
};
use selsius_media::rtp::Quality;
use selsius_wire::{Time, message_info};

use super::{
    View,
    rtp::{Flow, Flows},
    sip::Dialogs,
    ss7::names::meaning,
    text::span,
};
use crate::cli::out::{self, Heading};

/// The view; it speaks at the end.
#[derive(Default)]
pub(super) struct Summary {
    survey: Survey,
    flows: Flows,
    ss7: BTreeMap<u8, (&'static str, u64)>,
    sip: Dialogs,
    headings: Heading,
    /// When everything was seen.
    pub(super) found: Option<Found>,
}

/// What a whole capture told.
pub(super) struct Found {
    pub(super) report: Report,
    pub(super) flows: Flows,
    pub(super) sip: Dialogs,
    /// Messages of the other SCCP, by their type.
    ss7: BTreeMap<u8, (&'static str, u64)>,
    headings: Heading,
}

impl Summary {
    /// With the headings of its tables like that.
    pub(super) fn new(headings: Heading) -> Self {
        Self { headings, ..Self::default() }
    }
}

impl View for Summary {
    fn seen(&mut self, seen: &Seen, ends: &Opened, _: &mut dyn Write) -> Result<()> {
        self.survey.seen(seen, ends);
        Ok(())
    }

    fn trouble(&mut self, trouble: &Trouble, _: &Opened, _: &mut dyn Write) -> Result<()> {
        self.survey.trouble(trouble);
        Ok(())
    }

    fn opened(&mut self, opened: &Opened) {
        self.survey.opened(opened);
    }

    fn closed(&mut self, closed: &Closed, _: &Opened) {
        self.survey.closed(closed);
    }

    fn datagram(&mut self, stamp: Stamp, datagram: &Datagram<'_>) {
        self.flows.datagram(stamp, datagram);
    }

    fn sip(
        &mut self,
        stamp: Stamp,
        ends: [SocketAddr; 2],
        message: &Sip<'_>,
        _: &mut dyn Write,
    ) -> Result<()> {
        self.sip.message(stamp, ends, message);
        Ok(())
    }

    fn ss7(&mut self, message: &Message, _: &mut dyn Write) -> Result<()> {
        self.ss7.entry(message.id).or_insert((message.name, 0)).1 += 1;
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<()> {
        let (survey, flows) = (std::mem::take(&mut self.survey), std::mem::take(&mut self.flows));
        let (ss7, sip) = (std::mem::take(&mut self.ss7), std::mem::take(&mut self.sip));
        let (report, headings) = (survey.finish(), self.headings);
        let found = self.found.insert(Found { report, flows, sip, ss7, headings });
        found.write(out)
    }
}

impl Found {
    fn write(&self, page: &mut dyn Write) -> Result<()> {
        let Some((first, last)) = self.report.span else {
            match self.ss7.len() {
                0 => writeln!(page, "no SCCP in this capture")?,
                _ => writeln!(page, "no SCCP of phones in this capture")?,
            }
            return self.ss7(page);
        };
        let messages: u64 = self.report.counts.values().map(|count| count.station + count.manager).sum();
        let devices = self.report.devices.iter().filter(|device| device.messages > 0).count();
        writeln!(
            page,
            "{} of {} in {}, {} to {}",
            out::count(messages as usize, "message"),
            out::count(devices, "phone"),
            span(last.since(first)),
            day(first),
            clock(last),
        )?;
        self.devices(page)?;
        self.calls(page)?;
        self.media(page)?;
        self.times(page)?;
        self.messages(page)?;
        self.oddities(page)?;
        self.ss7(page)
    }

    fn devices(&self, page: &mut dyn Write) -> Result<()> {
        let seen = || self.report.devices.iter().filter(|device| device.messages > 0);
        let row = |device: &Device| {
            [
                device.name.clone(),
                device.kind.map(|kind| kind.to_string()).unwrap_or_default(),
                device.address.to_string(),
                device.manager.to_string(),
                device.version.to_string(),
                device.lines.join(" "),
                registration(device),
                device.messages.to_string(),
            ]
        };
        let heading = ["PHONE", "MODEL", "ADDRESS", "MANAGER", "VERSION", "LINES", "REGISTERED", "MESSAGES"];
        self.section(page, "Phones", heading, || seen().map(row))?;
        // Managers that are not there, mostly.
        let mut silent = BTreeMap::<_, u32>::new();
        for device in self.report.devices.iter().filter(|device| device.messages == 0) {
            *silent.entry((device.address.ip(), device.manager)).or_default() += device.connections;
        }
        for ((phone, manager), times) in silent.into_iter().filter(|(_, times)| *times > 0) {
            let connections = out::count(times as usize, "connection");
            writeln!(page, "  {connections} from {phone} to {manager} without a message")?;
        }
        for device in seen() {
            for (time, words) in &device.rejects {
                writeln!(page, "  {} was rejected at {}: “{words}”", device.name, clock(*time))?;
            }
        }
        Ok(())
    }

    fn calls(&self, page: &mut dyn Write) -> Result<()> {
        if self.report.calls.is_empty() {
            return nothing(page, "Calls");
        }
        let row = |call: &Call| {
            let after =
                |time: Option<Time>| time.map(|time| span(time.since(call.start))).unwrap_or_default();
            let end = call.ended.map_or_else(|| "goes on".into(), clock);
            let talked = call.answered.zip(call.ended).map(|(from, to)| span(to.since(from)));
            let who = match call.hung_up {
                Some(device) => self.name(device),
                None if call.ended.is_some() => "the manager".into(),
                None => String::new(),
            };
            [
                call.number.to_string(),
                clock(call.start),
                party(&call.calling),
                party(&call.called),
                after(call.rang),
                after(call.answered),
                talked.unwrap_or_default(),
                end,
                who,
            ]
        };
        let heading =
            ["CALL", "STARTED", "FROM", "TO", "RANG AFTER", "ANSWERED AFTER", "TALKED", "ENDED", "ENDED BY"];
        self.section(page, "Calls", heading, || self.report.calls.iter().map(row))?;
        for call in &self.report.calls {
            for leg in call.legs.iter().filter(|leg| !leg.states.is_empty()) {
                let states: Vec<_> = leg
                    .states
                    .iter()
                    .map(|(time, state)| format!("{state} +{}", span(time.since(call.start))))
                    .collect();
                writeln!(
                    page,
                    "  call {}, {} (reference {}): {}",
                    call.number,
                    self.name(leg.device),
                    leg.reference,
                    states.join(", ")
                )?;
            }
        }
        Ok(())
    }

    fn media(&self, page: &mut dyn Write) -> Result<()> {
        let (of_stream, strangers) = self.flows.matched(&self.report.streams);
        if of_stream.is_empty() && strangers.is_empty() {
            return nothing(page, "Media");
        }
        let mut calls = vec![None; of_stream.len()];
        for call in self.report.calls.iter().rev() {
            call.streams.iter().for_each(|&index| calls[index] = Some(call.number));
        }
        let announced = || {
            self.report.streams.iter().zip(&of_stream).zip(&calls).map(|((stream, flows), call)| {
                let seen = match flows.as_slice() {
                    [] => "never seen".into(),
                    flows => flows
                        .iter()
                        .map(|flow| flow.codec())
                        .collect::<BTreeSet<_>>()
                        .into_iter()
                        .collect::<Vec<_>>()
                        .join(", "),
                };
                let quality = sum(flows);
                row(
                    call.map(|number| number.to_string()).unwrap_or_default(),
                    self.sender(stream, flows),
                    self.receiver(stream),
                    format!("{} {} ms", stream.codec, stream.packet_ms),
                    seen,
                    quality,
                )
            })
        };
        let strange = |flow: &&Flow| {
            row(
                String::new(),
                flow.from.to_string(),
                flow.to.to_string(),
                "not announced".into(),
                flow.codec(),
                Some(flow.quality()),
            )
        };
        let heading = ["CALL", "FROM", "TO", "SIGNALLED", "SEEN", "PACKETS", "LOST", "JITTER", "MOST"];
        self.section(page, "Media", heading, || announced().chain(strangers.iter().map(strange)))?;
        if self.flows.left_out > 0 {
            writeln!(page, "  {} packets of further streams were not looked at", self.flows.left_out)?;
        }
        Ok(())
    }

    fn times(&self, page: &mut dyn Write) -> Result<()> {
        if self.report.times.is_empty() {
            return Ok(());
        }
        let time = |time: Option<Duration>| time.map(span).unwrap_or_default();
        let row = |(id, times): (&u32, &Times)| {
            let unanswered = if times.unanswered == 0 { String::new() } else { times.unanswered.to_string() };
            [
                name(*id),
                times.count().to_string(),
                unanswered,
                time(times.least()),
                time(times.quantile(500)),
                time(times.quantile(990)),
                time(times.most()),
            ]
        };
        let heading = ["REQUEST", "ANSWERED", "UNANSWERED", "MIN", "MEDIAN", "P99", "MAX"];
        self.section(page, "Response times", heading, || self.report.times.iter().map(row))
    }

    fn messages(&self, page: &mut dyn Write) -> Result<()> {
        let count = |count: u64| if count == 0 { String::new() } else { count.to_string() };
        let row = |(id, counts): (&u32, &Count)| {
            [format!("{id:#06x}"), name(*id), count(counts.station), count(counts.manager)]
        };
        let heading = ["ID", "NAME", "BY PHONES", "BY MANAGERS"];
        self.section(page, "Messages", heading, || self.report.counts.iter().map(row))
    }

    fn oddities(&self, page: &mut dyn Write) -> Result<()> {
        if self.report.odd == 0 {
            return nothing(page, "Anomalies");
        }
        let row = |odd: &Oddity| {
            let device = odd.device.map(|device| self.name(device)).unwrap_or_default();
            [clock(odd.time), odd.packet.to_string(), device, odd.words.clone()]
        };
        let heading = ["TIME", "PACKET", "PHONE", "WHAT"];
        self.section(page, "Anomalies", heading, || self.report.oddities.iter().map(row))?;
        let more = self.report.odd - self.report.oddities.len() as u64;
        if more > 0 {
            writeln!(page, "  and {more} more")?;
        }
        Ok(())
    }

    fn section<const N: usize, R: Iterator<Item = [String; N]>>(
        &self,
        page: &mut dyn Write,
        name: &str,
        heading: [&str; N],
        rows: impl Fn() -> R,
    ) -> Result<()> {
        writeln!(page, "\n{name}")?;
        out::write_table(page, heading, self.headings, rows)?;
        Ok(())
    }

    /// Whether there are messages of the other SCCP.
    pub(super) fn has_ss7(&self) -> bool {
        !self.ss7.is_empty()
    }

    fn ss7(&self, page: &mut dyn Write) -> Result<()> {
        if self.ss7.is_empty() {
            return Ok(());
        }
        let row = |(id, (name, count)): (&u8, &(&'static str, u64))| {
            [format!("{id:#04x}"), (*name).into(), meaning(name).into(), count.to_string()]
        };
        let heading = ["ID", "NAME", "MEANING", "MESSAGES"];
        let title = "SS7-SCCP (Q.713, not the SCCP of phones)";
        self.section(page, title, heading, || self.ss7.iter().map(row))
    }

    /// What a phone is called.
    pub(super) fn name(&self, device: DeviceIndex) -> String {
        self.report.devices.get(device.0).map(|device| device.name.clone()).unwrap_or_default()
    }

    /// A call by its number.
    pub(super) fn call(&self, number: usize) -> Option<&Call> {
        self.report.calls.get(number.checked_sub(1)?)
    }

    /// Where the media of a call went.
    pub(super) fn targets(&self, call: &Call) -> BTreeSet<SocketAddr> {
        call.streams
            .iter()
            .filter_map(|index| self.report.streams.get(*index))
            .map(|stream| stream.to)
            .collect()
    }

    fn sender(&self, stream: &Signalled, flows: &[&Flow]) -> String {
        match (stream.sender, flows.first()) {
            (Some((device, _)), _) => self.name(device),
            (None, Some(flow)) => flow.from.to_string(),
            (None, None) => "?".into(),
        }
    }

    fn receiver(&self, stream: &Signalled) -> String {
        match stream.receiver {
            Some(device) => format!("{} at {}", self.name(device), stream.to),
            None => stream.to.to_string(),
        }
    }
}

fn nothing(page: &mut dyn Write, name: &str) -> Result<()> {
    Ok(writeln!(page, "\n{name}\n  none")?)
}

fn row(
    call: String,
    from: String,
    to: String,
    signalled: String,
    seen: String,
    quality: Option<Quality>,
) -> [String; 9] {
    let [packets, lost, jitter, most] = match quality {
        None => [const { String::new() }; 4],
        Some(quality) => {
            let share = quality.loss_ratio() * 100.0;
            let lost =
                if quality.lost == 0 { "0".into() } else { format!("{} ({share:.1} %)", quality.lost) };
            [quality.packets.to_string(), lost, span(quality.jitter), span(quality.max_jitter)]
        }
    };
    [call, from, to, signalled, seen, packets, lost, jitter, most]
}

/// The flows of one stream together: there are several where the source changes.
pub(super) fn sum(flows: &[&Flow]) -> Option<Quality> {
    flows.iter().map(|flow| flow.quality()).reduce(|one, other| Quality {
        packets: one.packets + other.packets,
        expected: one.expected + other.expected,
        lost: one.lost + other.lost,
        jitter: one.jitter.max(other.jitter),
        max_jitter: one.max_jitter.max(other.max_jitter),
        ..one
    })
}

fn registration(device: &Device) -> String {
    match (device.registered, device.registrations) {
        (None, _) if !device.rejects.is_empty() => "rejected".into(),
        (None, _) => "before the capture, or not".into(),
        (Some(time), 1) => clock(time),
        (Some(time), times) => format!("{} ({times} times)", clock(time)),
    }
}

/// A party as people name it.
pub(super) fn party(party: &Party) -> String {
    match (party.name.is_empty(), party.number.is_empty()) {
        (true, true) => "?".into(),
        (true, false) => party.number.clone(),
        (false, true) => party.name.clone(),
        (false, false) => format!("{} ({})", party.number, party.name),
    }
}

fn name(id: u32) -> String {
    message_info(id).map_or("unknown", |info| info.name).into()
}

fn at(time: Time, format: &str) -> String {
    let micros = i64::try_from(time.as_micros()).unwrap_or_default();
    let at = Timestamp::from_microsecond(micros).unwrap_or_default();
    at.to_zoned_datetime(TimeZone::system()).strftime(format).to_string()
}

fn day(time: Time) -> String {
    at(time, "%Y-%m-%d %H:%M:%S.%3f")
}

fn clock(time: Time) -> String {
    at(time, "%H:%M:%S.%3f")
}
