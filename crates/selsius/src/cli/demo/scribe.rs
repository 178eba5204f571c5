//! Writes down what happens: the ladder as text and as a picture, and the capture file.
//!
//! It has a thread of its own, so that a slow terminal or disk does not hold up the phones' voices.

use std::{
    collections::BTreeMap,
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
    conversation::Side,
    ladder::{Event, Ladder, Style, Svg},
    packet::{
        Datagram,
        build::{self, TcpFlow},
    },
    reassembly, sip,
};
use selsius_server::SipTap;
use selsius_wire::Time;

use super::office::{MANAGER, Person};

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
    Datagram { at: u64, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>, event: Option<Event> },
    Closed { column: usize, at: u64, way: reassembly::Way },
    End,
}

/// Which packets of a phone's voice are written to the capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Those that it sends: the phones talk to each other directly, so all others are another phone's.
    Sent,
    /// All.
    Both,
}

/// What is written beside the text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Files<'a> {
    pub(super) pcap: Option<&'a Path>,
    pub(super) svg: Option<&'a Path>,
}

impl Scribe {
    /// Starts to write; the files are made now, so that a wrong path is found before the call.
    pub(super) fn start(
        titles: Vec<String>,
        style: Style,
        width: usize,
        files: Files<'_>,
    ) -> anyhow::Result<Self> {
        let (queue, entries) = sync_channel(QUEUE);
        let capture = files.pcap.map(Capture::create).transpose()?;
        let picture = files.svg.map(|path| Picture::create(path, &titles)).transpose()?;
        let ladder = Ladder::new(titles, width, style).starting_at(Time::ZERO);
        let page = Page { ladder, picture, capture };
        let thread = std::thread::Builder::new().name("scribe".into()).spawn(move || write(&entries, page));
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
    pub(super) fn tap(&self, person: &Person, clock: Clock, voice: Voice) -> Tap {
        let (queue, column) = (self.queue.clone(), person.column);
        Box::new(move |tapped| {
            if let Some(entry) = entry(column, &clock, voice, tapped) {
                send(&queue, entry);
            }
        })
    }

    /// Writes down what goes between the manager and a SIP system in this column.
    pub(super) fn sip_tap(&self, column: usize, clock: Clock) -> SipTap {
        let queue = self.queue.clone();
        SipTap::new(move |tapped| {
            let now = clock.now();
            let (columns, by) = match tapped.sent {
                true => ((MANAGER, column), Side::Manager),
                false => ((column, MANAGER), Side::Station),
            };
            let event =
                sip::Message::parse(tapped.datagram).map(|message| Event::sip(now, columns, by, &message));
            let (from, to, bytes) = (tapped.from, tapped.to, tapped.datagram.into());
            send(&queue, Entry::Datagram { at: clock.unix_micros(now), from, to, bytes, event });
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

fn entry(column: usize, clock: &Clock, voice: Voice, tapped: Tapped<'_>) -> Option<Entry> {
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
        Traffic::Voice { way: Way::Received, .. } if voice == Voice::Sent => return None,
        Traffic::Voice { from, to, datagram, .. } => {
            Entry::Datagram { at, from, to, bytes: datagram.into(), event: None }
        }
        Traffic::Closed { way } => Entry::Closed { column, at, way: of(way) },
    })
}

/// Where it is written.
struct Page {
    ladder: Ladder,
    picture: Option<Picture>,
    capture: Option<Capture>,
}

fn write(entries: &Receiver<Entry>, page: Page) -> anyhow::Result<()> {
    let Page { mut ladder, mut picture, mut capture } = page;
    let mut out = stdout();
    let mut written = Ok(());
    for entry in entries {
        let event = match &entry {
            Entry::Draw(event) | Entry::Frame { event, .. } => Some(event),
            Entry::Datagram { event, .. } => event.as_ref(),
            _ => None,
        };
        if let (Some(picture), Some(event)) = (&mut picture, event) {
            picture.svg.push(event);
        }
        let text = match (&entry, event) {
            (Entry::Text(text), _) => text.clone(),
            (Entry::Head, _) => ladder.head(),
            (Entry::End, _) => break,
            (_, Some(event)) => ladder.push(event),
            _ => String::new(),
        };
        // Whoever read it may have gone; the call goes on.
        let _ = out.write_all(text.as_bytes());
        if let (Some(file), Ok(())) = (&mut capture, &written) {
            written = file.take(entry);
        }
    }
    let _ = out.flush();
    let drawn = picture.map_or(Ok(()), Picture::finish);
    let captured = match capture {
        Some(file) => written.and_then(|()| file.finish()),
        None => Ok(()),
    };
    captured.and(drawn)
}

/// The ladder as a picture.
struct Picture {
    path: PathBuf,
    file: File,
    svg: Svg,
}

impl Picture {
    fn create(path: &Path, titles: &[String]) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path: path.into(), file, svg: Svg::new("selsius demo", titles.iter().cloned()) })
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let drawn = self.file.write_all(self.svg.finish().as_bytes());
        drawn.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// A capture file: what a capture on the loopback interface would have, made from the phones' own view.
struct Capture {
    path: PathBuf,
    writer: PcapWriter<BufWriter<File>>,
    /// The connections of the phones, by column.
    flows: BTreeMap<usize, TcpFlow>,
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
        Ok(Self { path: path.into(), writer, flows: BTreeMap::new() })
    }

    fn take(&mut self, entry: Entry) -> anyhow::Result<()> {
        let (at, packets) = match entry {
            Entry::Opened { column, at, local, remote } => {
                let mut flow = TcpFlow::new(local, remote);
                let packets = flow.open();
                self.flows.insert(column, flow);
                (at, packets)
            }
            Entry::Frame { column, at, way, bytes, .. } => {
                let flow = self.flows.get_mut(&column);
                (at, flow.map(|flow| flow.send(way, &bytes)).unwrap_or_default())
            }
            Entry::Closed { column, at, way } => {
                let flow = self.flows.remove(&column);
                (at, flow.map(|mut flow| flow.close(way)).unwrap_or_default())
            }
            Entry::Datagram { at, from, to, bytes, .. } => {
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
