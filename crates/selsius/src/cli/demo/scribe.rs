//! Writes down what happens: the ladder, and the capture file.
//!
//! It has a thread of its own, so that a slow terminal or disk does not hold up the phones' voices.

use std::{
    fs::File,
    io::{BufWriter, Write, stdout},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, anyhow};
use pcap_file::{
    DataLink, TsResolution,
    pcap::{PcapHeader, PcapPacket, PcapWriter},
};
use selsius_client::{Clock, Said, Tap, Tapped, Traffic, Way};
use selsius_inspect::{
    ladder::{Event, Ladder, Style},
    packet::{
        Datagram,
        build::{self, TcpFlow},
    },
    reassembly,
};
use selsius_wire::Time;

use super::office::{MANAGER, Office, Person};

/// What can wait to be written; more is lost, and said to be.
const QUEUE: usize = 100_000;

/// The way to the thread that writes.
pub(super) struct Scribe {
    queue: SyncSender<Entry>,
    thread: JoinHandle<anyhow::Result<()>>,
}

/// Something to write down.
enum Entry {
    Text(String),
    Head,
    Draw(Event),
    Opened { column: usize, at: u64, local: SocketAddr, remote: SocketAddr },
    Frame { column: usize, at: u64, way: reassembly::Way, bytes: Vec<u8>, event: Event },
    Datagram { at: u64, from: SocketAddr, to: SocketAddr, bytes: Vec<u8> },
    Closed { column: usize, at: u64, way: reassembly::Way },
    End,
}

impl Scribe {
    /// Starts to write; the capture file is made now, so that a wrong path is found before the call.
    pub(super) fn start(style: Style, width: usize, pcap: Option<&Path>) -> anyhow::Result<Self> {
        let (queue, entries) = sync_channel(QUEUE);
        let capture = pcap.map(Capture::create).transpose()?;
        let office = Office::new(SocketAddr::from(([0, 0, 0, 0], 0)), false);
        let ladder = Ladder::new([office.alice.title(), "manager".into(), office.bob.title()], width, style);
        let ladder = ladder.starting_at(Time::ZERO);
        let thread =
            std::thread::Builder::new().name("scribe".into()).spawn(move || write(&entries, ladder, capture));
        Ok(Self { queue, thread: thread.context("no thread")? })
    }

    /// Writes a text.
    pub(super) fn say(&self, text: &str) {
        send(&self.queue, Entry::Text(text.into()));
    }

    /// Writes the participants' names.
    pub(super) fn head(&self) {
        send(&self.queue, Entry::Head);
    }

    /// Draws something that is not on a phone's wire.
    pub(super) fn draw(&self, event: Event) {
        send(&self.queue, Entry::Draw(event));
    }

    /// Writes down what is on a phone's wire.
    pub(super) fn tap(&self, person: &Person, clock: Clock) -> Tap {
        let (queue, column) = (self.queue.clone(), person.column);
        Box::new(move |tapped| {
            if let Some(entry) = entry(column, &clock, tapped) {
                send(&queue, entry);
            }
        })
    }

    /// Writes what is left, and ends.
    ///
    /// # Errors
    /// Where the capture file could not be written, or not everything was written down.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        // Unlike everything else this waits for its place in the queue.
        let _ = self.queue.send(Entry::End);
        self.thread.join().map_err(|_| anyhow!("the thread that writes panicked"))?
    }
}

fn send(queue: &SyncSender<Entry>, entry: Entry) {
    // A terminal that stands still for minutes loses the newest lines, not the call.
    let _ = queue.try_send(entry);
}

fn entry(column: usize, clock: &Clock, tapped: Tapped<'_>) -> Option<Entry> {
    let at = clock.unix_micros(tapped.at);
    let of = |way| match way {
        Way::Sent => reassembly::Way::Forward,
        Way::Received => reassembly::Way::Backward,
    };
    Some(match tapped.traffic {
        Traffic::Opened { local, remote } => Entry::Opened { column, at, local, remote },
        Traffic::Message { message, bytes } => {
            let (way, event) = match message {
                Said::Station(message) => (Way::Sent, Event::station(tapped.at, column, MANAGER, message)),
                Said::Manager(message) => {
                    (Way::Received, Event::manager(tapped.at, column, MANAGER, message))
                }
            };
            Entry::Frame { column, at, way: of(way), bytes: bytes.into(), event }
        }
        // Each packet is sent by one phone and received by the other: once is enough.
        Traffic::Voice { way: Way::Received, .. } => return None,
        Traffic::Voice { way: Way::Sent, from, to, datagram } => {
            Entry::Datagram { at, from, to, bytes: datagram.into() }
        }
        Traffic::Closed { way } => Entry::Closed { column, at, way: of(way) },
    })
}

fn write(entries: &Receiver<Entry>, mut ladder: Ladder, mut capture: Option<Capture>) -> anyhow::Result<()> {
    let mut out = stdout();
    let mut written = Ok(());
    for entry in entries {
        let text = match &entry {
            Entry::Text(text) => text.clone(),
            Entry::Head => ladder.head(),
            Entry::Draw(event) | Entry::Frame { event, .. } => ladder.push(event),
            Entry::End => break,
            _ => String::new(),
        };
        // Whoever read it may have gone; the call goes on.
        let _ = out.write_all(text.as_bytes());
        if let (Some(file), Ok(())) = (&mut capture, &written) {
            written = file.take(entry);
        }
    }
    let _ = out.flush();
    match capture {
        Some(file) => written.and_then(|()| file.finish()),
        None => Ok(()),
    }
}

/// A capture file: what a capture on the loopback interface would have, made from the phones' own view.
struct Capture {
    path: PathBuf,
    writer: PcapWriter<BufWriter<File>>,
    /// The connections of the phones, by column.
    flows: [Option<TcpFlow>; 3],
}

impl Capture {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("cannot write {}", path.display());
        let file = BufWriter::new(File::create(path).with_context(context)?);
        let header = PcapHeader {
            datalink: DataLink::ETHERNET,
            ts_resolution: TsResolution::MicroSecond,
            ..PcapHeader::default()
        };
        let writer = PcapWriter::with_header(file, header).with_context(context)?;
        Ok(Self { path: path.into(), writer, flows: [None, None, None] })
    }

    fn take(&mut self, entry: Entry) -> anyhow::Result<()> {
        let (at, packets) = match entry {
            Entry::Opened { column, at, local, remote } => {
                let mut flow = TcpFlow::new(local, remote);
                let packets = flow.open();
                if let Some(place) = self.flows.get_mut(column) {
                    *place = Some(flow);
                }
                (at, packets)
            }
            Entry::Frame { column, at, way, bytes, .. } => {
                let flow = self.flows.get_mut(column).and_then(Option::as_mut);
                (at, flow.map(|flow| flow.send(way, &bytes)).unwrap_or_default())
            }
            Entry::Closed { column, at, way } => {
                let flow = self.flows.get_mut(column).and_then(Option::take);
                (at, flow.map(|mut flow| flow.close(way)).unwrap_or_default())
            }
            Entry::Datagram { at, from, to, bytes } => {
                let datagram = Datagram { source: from, destination: to, payload: &bytes, cut: false };
                (at, Vec::from_iter(build::udp(&datagram)))
            }
            Entry::Text(_) | Entry::Head | Entry::Draw(_) | Entry::End => return Ok(()),
        };
        for packet in packets {
            let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
            let packet = PcapPacket::new(Duration::from_micros(at), length, &packet);
            self.writer
                .write_packet(&packet)
                .with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        let mut file = self.writer.into_writer();
        file.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}
