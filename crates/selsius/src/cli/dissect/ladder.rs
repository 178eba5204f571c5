//! A call, a phone, or everything as a ladder: text, or a picture.
//!
//! The capture is read twice: who takes part, and how much media there was, has to be known before the first line.

use std::{
    collections::BTreeMap,
    io::Write,
    net::{IpAddr, SocketAddr},
};

use anyhow::{Result, bail};
use selsius_inspect::{
    conversation::{Opened, Seen, Side, Trouble, TroubleKind},
    ladder::{Event, Kind, Ladder, Style, Svg},
    packet::Stamp,
    sip::Message as Sip,
    survey::{Call, DeviceIndex, Signalled},
};
use selsius_wire::Time;

use super::{
    View,
    rtp::Flow,
    select::Scope,
    sip::{Dialog, Ends},
    summary::{Found, party, sum},
};

/// More stand side by side on no page.
const MOST_COLUMNS: usize = 8;

/// The view.
pub(super) struct Steps {
    page: Page,
    scope: Scope,
    columns: Columns,
    /// Streams that were not drawn yet, the latest first.
    streams: Vec<Event>,
}

/// Where it is drawn.
enum Page {
    Text(Ladder),
    Picture(Box<Svg>),
}

/// Who stands where.
struct Columns {
    names: Vec<String>,
    devices: BTreeMap<DeviceIndex, usize>,
    manager: usize,
    /// Ends of media and SIP that are neither phones nor the manager.
    others: BTreeMap<IpAddr, usize>,
    /// Other systems on the manager's own machine.
    neighbours: BTreeMap<SocketAddr, usize>,
    /// The SIP that belongs here, by its Call-IDs.
    dialogs: BTreeMap<String, (Ends, usize)>,
}

/// How a ladder is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawing {
    Text { width: usize, style: Style },
    Picture,
}

impl Steps {
    pub(super) fn new(found: &Found, scope: Scope, drawing: Drawing) -> Result<Self> {
        let call = scope.call();
        let devices = scope.devices(&found.report);
        if devices.is_empty() {
            if found.has_ss7() {
                bail!(
                    "no SCCP of phones in this capture, only SS7-SCCP, which is in no ladder: see --format text"
                );
            }
            bail!("no SCCP in this capture");
        }
        if devices.len() + 1 > MOST_COLUMNS {
            bail!(
                "{} phones are too many for one ladder: choose with --device NAME or --call N (see --format summary)",
                devices.len()
            );
        }
        let mut columns = Columns::new(found, &devices);
        columns.sip(found, &scope, &devices);
        let streams = columns.streams(found, call);
        let title = match call {
            Some(call) => format!("Call {}: {} → {}", call.number, party(&call.calling), party(&call.called)),
            None => devices.iter().map(|device| found.name(*device)).collect::<Vec<_>>().join(", "),
        };
        let names = columns.names.clone();
        let page = match drawing {
            Drawing::Text { width, style } => Page::Text(Ladder::new(names, width, style)),
            Drawing::Picture => Page::Picture(Box::new(Svg::new(title, names))),
        };
        Ok(Self { page, scope, columns, streams })
    }

    fn draw(&mut self, event: &Event, out: &mut dyn Write) -> Result<()> {
        while let Some(stream) = self.streams.pop_if(|stream| stream.time <= event.time) {
            self.page.push(&stream, out)?;
        }
        self.page.push(event, out)
    }
}

impl Page {
    fn push(&mut self, event: &Event, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Text(ladder) => out.write_all(ladder.push(event).as_bytes())?,
            Self::Picture(svg) => svg.push(event),
        }
        Ok(())
    }
}

impl View for Steps {
    fn begin(&mut self, out: &mut dyn Write) -> Result<()> {
        if let Page::Text(ladder) = &self.page {
            out.write_all(ladder.head().as_bytes())?;
        }
        Ok(())
    }

    fn seen(&mut self, seen: &Seen, ends: &Opened, out: &mut dyn Write) -> Result<()> {
        let Some(device) = self.scope.takes(seen, ends) else { return Ok(()) };
        // Within a call keepalives are of no interest.
        if self.scope.call().is_some() && Kind::of(&seen.message) == Kind::Quiet {
            return Ok(());
        }
        let Some(&column) = self.columns.devices.get(&device) else { return Ok(()) };
        self.draw(&Event::seen(seen, column, self.columns.manager), out)
    }

    fn sip(
        &mut self,
        stamp: Stamp,
        [from, _]: [SocketAddr; 2],
        message: &Sip<'_>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let Some(&(ends, peer)) = self.columns.dialogs.get(message.call_id) else { return Ok(()) };
        let (columns, by) = match ends.is_manager(from) {
            true => ((self.columns.manager, peer), Side::Manager),
            false => ((peer, self.columns.manager), Side::Station),
        };
        self.draw(&Event::sip(stamp.time, columns, by, message), out)
    }

    fn trouble(&mut self, trouble: &Trouble, ends: &Opened, out: &mut dyn Write) -> Result<()> {
        // Where a capture begins in the middle that is so for every connection.
        if trouble.kind == TroubleKind::Missing(None) {
            return Ok(());
        }
        let device = self.scope.device(None, ends).filter(|_| self.scope.covers(trouble.stamp.time));
        let Some(&column) = device.and_then(|device| self.columns.devices.get(&device)) else {
            return Ok(());
        };
        let at = if trouble.from == Side::Station { column } else { self.columns.manager };
        self.draw(&Event::note(trouble.stamp.time, Some(at), trouble.kind.to_string()), out)
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<()> {
        while let Some(stream) = self.streams.pop() {
            self.page.push(&stream, out)?;
        }
        if let Page::Picture(svg) = &self.page {
            out.write_all(svg.finish().as_bytes())?;
        }
        Ok(())
    }
}

impl Columns {
    /// The first phone stands left of the manager, the others right of it.
    fn new(found: &Found, devices: &[DeviceIndex]) -> Self {
        let mut columns = Self {
            names: Vec::new(),
            devices: BTreeMap::new(),
            manager: 1,
            others: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            dialogs: BTreeMap::new(),
        };
        for device in devices {
            columns.devices.insert(*device, columns.names.len());
            columns.names.push(
                match found.report.devices.get(device.0).map(|device| device.lines.as_slice()) {
                    Some([line, ..]) => format!("{} · {line}", found.name(*device)),
                    _ => found.name(*device),
                },
            );
            if columns.names.len() == 1 {
                columns.names.push("manager".into());
            }
        }
        columns
    }

    /// The manager's SIP that is of interest, and columns for who is at its other end.
    fn sip(&mut self, found: &Found, scope: &Scope, devices: &[DeviceIndex]) {
        let whole = scope.is_everything();
        let lines =
            || devices.iter().filter_map(|at| found.report.devices.get(at.0)).flat_map(|at| &at.lines);
        let wanted = |dialog: &Dialog| match scope.call() {
            _ if whole => true,
            Some(call) => {
                let parties = dialog.has(&call.calling) || dialog.has(&call.called);
                dialog.is_call && parties && dialog.is_during(call)
            }
            None => dialog.is_call && lines().any(|line| dialog.has_number(line)),
        };
        let mut chosen: Vec<_> = found.sip.of(&found.report.devices, wanted).into_iter().collect();
        chosen.sort_by_key(|(_, (first, _))| *first);
        for (id, (_, ends)) in chosen {
            let column = match ends.share_a_machine() {
                true => self.neighbour(ends.peer),
                false => self.column(found, None, ends.peer.ip()),
            };
            if let Some(column) = column {
                self.dialogs.insert(id, (ends, column));
            }
        }
    }

    fn neighbour(&mut self, address: SocketAddr) -> Option<usize> {
        if let Some(&known) = self.neighbours.get(&address) {
            return Some(known);
        }
        let column = self.stand(address.to_string())?;
        self.neighbours.insert(address, column);
        Some(column)
    }

    /// A new column, if there is room for one.
    fn stand(&mut self, name: String) -> Option<usize> {
        if self.names.len() >= MOST_COLUMNS {
            return None;
        }
        self.names.push(name);
        Some(self.names.len() - 1)
    }

    /// The media as events, the latest first. Both directions between two participants are one.
    fn streams(&mut self, found: &Found, call: Option<&Call>) -> Vec<Event> {
        let (flows, _) = found.flows.matched(&found.report.streams);
        let mut between = BTreeMap::<(usize, usize), Both<'_>>::new();
        for (index, (stream, flows)) in found.report.streams.iter().zip(&flows).enumerate() {
            if call.is_some_and(|call| !call.streams.contains(&index)) || flows.is_empty() {
                continue;
            }
            let Some((from, to)) = self.ends(found, stream, flows) else { continue };
            let both = between.entry((from.min(to), from.max(to))).or_default();
            let direction = if from < to { &mut both.right } else { &mut both.left };
            direction.extend(flows);
        }
        let mut events: Vec<_> =
            between.into_iter().filter_map(|(columns, both)| both.event(columns)).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.time));
        events
    }

    /// The participants at the ends of a stream.
    fn ends(&mut self, found: &Found, stream: &Signalled, flows: &[&Flow]) -> Option<(usize, usize)> {
        let from = stream.sender.map(|(device, _)| device);
        let from = self.column(found, from, flows.first()?.from.ip())?;
        let to = self.column(found, stream.receiver, stream.to.ip())?;
        (from != to).then_some((from, to))
    }

    fn column(&mut self, found: &Found, device: Option<DeviceIndex>, ip: IpAddr) -> Option<usize> {
        if let Some(device) = device {
            return self.devices.get(&device).copied();
        }
        if found.report.devices.iter().any(|device| device.messages > 0 && device.manager.ip() == ip) {
            return Some(self.manager);
        }
        if let Some(&known) = self.others.get(&ip) {
            return Some(known);
        }
        let column = self.stand(ip.to_string())?;
        self.others.insert(ip, column);
        Some(column)
    }
}

/// The flows between two participants.
#[derive(Default)]
struct Both<'f> {
    right: Vec<&'f Flow>,
    left: Vec<&'f Flow>,
}

impl Both<'_> {
    fn event(&self, columns: (usize, usize)) -> Option<Event> {
        let flows = || self.right.iter().chain(&self.left);
        let start: Time = flows().map(|flow| flow.first).min()?;
        let codec = flows().next()?.codec();
        let words = |flows: &[&Flow], arrow: &str| {
            sum(flows).map(|quality| match quality.lost {
                0 => format!("{arrow} {}", quality.packets),
                lost => format!("{arrow} {} ({lost} lost)", quality.packets),
            })
        };
        let counts = [words(&self.left, "←"), words(&self.right, "→")];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        Some(Event::stream(start, columns, format!("RTP {codec}, packets {}", counts.join("  "))))
    }
}
