//! `selsius dissect`: reads captured SCCP.

mod audio;
mod json;
mod keep;
mod ladder;
mod live;
mod progress;
mod rtp;
mod select;
mod sip;
pub(crate) mod source;
mod ss7;
mod summary;
mod text;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, ErrorKind, IsTerminal, Write, stderr, stdout},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use keep::Keeper;
use progress::{Shown, Watch};
use select::{Chosen, Scope};
use selsius_inspect::{
    capture::Packet,
    conversation::{Closed, Config, ConnectionId, Event, Opened, Seen, Tracker, Trouble},
    filter::Filter,
    ladder::Style,
    packet::{Content, Datagram, Defragmenter, LinkType, Segment, Stamp, parse},
    sip::Message as Sip,
    ss7::Message,
};
use source::{Capture, Ending};
use ss7::Ss7;
use summary::Found;

use super::out::Heading;

/// Shows the SCCP in a capture: one line a message, JSON, a summary, or a ladder.
///
/// Reads pcap and pcapng, also gzipped. SCCP is read on TCP port 2000, and on whatever port a connection reads like it. The other
/// SCCP, that of SS7 (Q.713), is read too, and called SS7-SCCP.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct DissectArgs {
    /// The capture; `-` for standard input.
    #[arg(value_name = "FILE", required_unless_present = "interface")]
    file: Option<PathBuf>,
    /// Capture on this network interface until interrupted, instead of reading a file.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    interface: Option<String>,
    /// A manager's port besides 2000; may be given several times.
    #[arg(long = "port", value_name = "PORT")]
    ports: Vec<u16>,
    /// What to show.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// All fields of each message (text).
    #[arg(short, long)]
    verbose: bool,
    /// All fields with their bytes (text).
    #[arg(short = 'x', long)]
    hex: bool,
    /// Only messages that fit, such as `name == CallState && fields.call_state == Connected`, `device =~ "SEP00.*"`,
    /// `from == station` (docs/dissect.md has the whole language).
    #[arg(long, value_name = "EXPRESSION", value_parser = select::filter)]
    filter: Option<Filter>,
    /// Only this call, by its number in the summary.
    #[arg(long, value_name = "N", conflicts_with = "device")]
    call: Option<usize>,
    /// Only this phone, such as SEP001122334455.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Write here, not to standard output; a ladder becomes a picture if the name ends in `.svg`.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write the packets of the messages that are shown to this file, as pcapng; with --call also the media.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Also write the audio of each call (or of --call) into this folder: G.711 and G.722 as WAV, the caller left, the called one right.
    #[arg(long, value_name = "FOLDER")]
    export_audio: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a message.
    Text,
    /// One JSON object a line.
    Json,
    /// Phones, calls, media, response times, messages, anomalies.
    Summary,
    /// A call, a phone, or everything as a ladder.
    Ladder,
}

/// Something that shows what was found. Errors are those of writing.
trait View {
    /// Before the first packet.
    fn begin(&mut self, out: &mut dyn Write) -> Result<()> {
        let _ = out;
        Ok(())
    }
    /// A message.
    fn seen(&mut self, seen: &Seen, ends: &Opened, out: &mut dyn Write) -> Result<()>;
    /// Something missing or damaged between messages.
    fn trouble(&mut self, trouble: &Trouble, ends: &Opened, out: &mut dyn Write) -> Result<()>;
    /// A conversation begins.
    fn opened(&mut self, opened: &Opened) {
        let _ = opened;
    }
    /// A conversation is over.
    fn closed(&mut self, closed: &Closed, ends: &Opened) {
        let _ = (closed, ends);
    }
    /// A message of the other SCCP, that of SS7.
    fn ss7(&mut self, message: &Message, out: &mut dyn Write) -> Result<()> {
        let _ = (message, out);
        Ok(())
    }
    /// A message of SIP, with its sender and receiver.
    fn sip(
        &mut self,
        stamp: Stamp,
        ends: [SocketAddr; 2],
        message: &Sip<'_>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let _ = (stamp, ends, message, out);
        Ok(())
    }
    /// A UDP datagram, which may be media.
    fn datagram(&mut self, stamp: Stamp, datagram: &Datagram<'_>) {
        let _ = (stamp, datagram);
    }
    /// The capture is over.
    fn finish(&mut self, out: &mut dyn Write) -> Result<()> {
        let _ = out;
        Ok(())
    }
}

pub(crate) fn run(args: DissectArgs) -> Result<ExitCode> {
    // Calls have numbers, and a ladder its columns, only when everything was seen.
    let chosen = args.call.is_some() || args.device.is_some();
    let twice = args.format == Format::Ladder || chosen || args.export_audio.is_some();
    if args.format == Format::Summary && (chosen || args.filter.is_some()) {
        bail!(
            "a summary is of the whole capture: leave out --call, --device and --filter, or choose another --format"
        );
    }
    let started = Instant::now();
    let capture = open(&args, twice)?;
    let found = if twice {
        let mut summary = summary::Summary::default();
        let watch = Watch::new("reading (1 of 2)", started, Shown::Elsewhere);
        read(&capture, watch, Reader::new(&args), &mut summary, &mut std::io::sink())?;
        let mut found = summary.found;
        if let Some(found) = found.as_mut().filter(|_| args.filter.is_some()) {
            // No filter asks for SIP.
            found.sip = sip::Dialogs::default();
        }
        found
    } else {
        None
    };
    let colour = args.output.is_none() && coloured();
    let scope =
        found.as_ref().map(|found| Scope::new(found, args.call, args.device.as_deref())).transpose()?;
    let mut view = view(&args, found.as_ref(), scope.as_ref(), colour)?;
    let mut reader = Reader::new(&args);
    if let Some(path) = &args.write {
        let call = scope.as_ref().and_then(Scope::call).zip(found.as_ref());
        reader.keeper = Some(Keeper::create(path, call.map(|(call, found)| found.targets(call)))?);
    }
    if let (Some(folder), Some(found)) = (&args.export_audio, &found) {
        reader.audio = Some(audio::Audio::create(folder, found, args.call)?);
    }
    reader.chosen = Chosen { scope, filter: args.filter.clone() };
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => {
            let context = || format!("cannot write {}", path.display());
            Box::new(BufWriter::with_capacity(64 * 1024, File::create(path).with_context(context)?))
        }
        None => Box::new(BufWriter::with_capacity(64 * 1024, stdout().lock())),
    };
    let label = if twice { "reading (2 of 2)" } else { "reading" };
    let silent = args.output.is_some() || args.format == Format::Summary;
    let watch = Watch::new(label, started, if silent { Shown::Elsewhere } else { Shown::Stdout });
    let shown = read(&capture, watch, reader, view.as_mut(), &mut out).and_then(|end| {
        out.flush()?;
        Ok(end)
    });
    match shown {
        Ok(end) => Ok(report(&capture, &end, args.format)),
        // Whoever reads it may stop reading.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

fn open(args: &DissectArgs, twice: bool) -> Result<Capture> {
    let Some(file) = &args.file else {
        if twice {
            bail!(
                "--call, --device, --export-audio and ladders need a whole capture: keep one with --write FILE, then read it"
            );
        }
        return Ok(Capture::Live(args.interface.clone().unwrap_or_default()));
    };
    // Read after they were emptied, they would hold nothing.
    for path in args.output.iter().chain(&args.write) {
        if let (Ok(one), Ok(other)) = (path.canonicalize(), file.canonicalize())
            && one == other
        {
            bail!("{} is the capture that is read: write to another file", path.display());
        }
    }
    Capture::new(file, twice)
}

/// What shows the capture as it was asked for.
fn view(
    args: &DissectArgs,
    found: Option<&Found>,
    scope: Option<&Scope>,
    colour: bool,
) -> Result<Box<dyn View>> {
    Ok(match (args.format, found, scope) {
        (Format::Summary, ..) => {
            Box::new(summary::Summary::new(if colour { Heading::Bold } else { Heading::Plain }))
        }
        (Format::Json, ..) => Box::new(json::Json::default()),
        (Format::Ladder, Some(found), Some(scope)) => {
            Box::new(ladder::Steps::new(found, scope.clone(), drawing(args, colour))?)
        }
        (Format::Text | Format::Ladder, ..) => {
            Box::new(text::Text::new(text::Depth::of(args.verbose, args.hex), colour))
        }
    })
}

fn drawing(args: &DissectArgs, colour: bool) -> ladder::Drawing {
    let svg = args
        .output
        .as_ref()
        .and_then(|path| path.extension())
        .is_some_and(|end| end.eq_ignore_ascii_case("svg"));
    if svg {
        return ladder::Drawing::Picture;
    }
    let terminal = args.output.is_none() && stdout().is_terminal();
    let width = if terminal { crossterm::terminal::size().map_or(120, |(columns, _)| columns) } else { 120 };
    let style = if colour { Style::Ansi } else { Style::Plain };
    ladder::Drawing::Text { width: width.into(), style }
}

/// How reading ended, and what was passed over.
struct End {
    ending: Ending,
    /// Packets on link layers that are not read, by the number of the link type.
    strange_links: BTreeMap<u32, u64>,
    /// What is to be said about the audio that was written.
    audio: Vec<String>,
    ss7: Ss7,
}

/// Leads the packets of a capture to a view.
fn read(
    capture: &Capture,
    watch: Option<Watch>,
    mut reader: Reader,
    view: &mut dyn View,
    out: &mut dyn Write,
) -> Result<End> {
    view.begin(out)?;
    let ending = capture.read(watch, &mut |stamp, packet| reader.packet(stamp, packet, view, out))?;
    reader.tracker.finish();
    reader.drain(view, out)?;
    view.finish(out)?;
    if let Some(keeper) = reader.keeper {
        keeper.finish()?;
    }
    let audio = reader.audio.map(audio::Audio::finish).transpose()?.unwrap_or_default();
    Ok(End { ending, strange_links: reader.strange_links, audio, ss7: reader.ss7 })
}

/// Follows the conversations in a capture.
struct Reader {
    tracker: Tracker,
    /// Who talks, while they do.
    ends: BTreeMap<ConnectionId, Opened>,
    strange_links: BTreeMap<u32, u64>,
    chosen: Chosen,
    keeper: Option<Keeper>,
    audio: Option<audio::Audio>,
    fragments: Defragmenter,
    ss7: Ss7,
    repeats: sip::Repeats,
    /// Somebody watches: nothing waits in a buffer.
    live: bool,
}

impl Reader {
    fn new(args: &DissectArgs) -> Self {
        let mut config = Config::default();
        config.ports.extend(&args.ports);
        Self {
            tracker: Tracker::new(config),
            ends: BTreeMap::new(),
            strange_links: BTreeMap::new(),
            chosen: Chosen::default(),
            keeper: None,
            audio: None,
            fragments: Defragmenter::default(),
            ss7: Ss7::default(),
            repeats: sip::Repeats::default(),
            live: args.interface.is_some(),
        }
    }

    fn packet(
        &mut self,
        stamp: Stamp,
        packet: &Packet<'_>,
        view: &mut dyn View,
        out: &mut dyn Write,
    ) -> Result<()> {
        let Some(link) = LinkType::from_capture(packet.link) else {
            *self.strange_links.entry(packet.link).or_default() += 1;
            return Ok(());
        };
        match parse(link, packet.bytes) {
            Content::Fragment(fragment) => match self.fragments.take(stamp.time, &fragment) {
                Some(whole) => self.content(stamp, packet, &whole.content(), view, out),
                None => Ok(()),
            },
            content => self.content(stamp, packet, &content, view, out),
        }
    }

    fn content(
        &mut self,
        stamp: Stamp,
        packet: &Packet<'_>,
        content: &Content<'_>,
        view: &mut dyn View,
        out: &mut dyn Write,
    ) -> Result<()> {
        match content {
            Content::Tcp(segment) => {
                if let Some(keeper) = &mut self.keeper {
                    keeper.hold(stamp.number, packet, segment);
                }
                if sip::messages(segment.payload).next().is_some() && self.repeats.is_new(segment) {
                    let ends = [segment.source, segment.destination];
                    self.sip(stamp, ends, segment.payload, view, out)?;
                }
                self.segment(stamp, segment, view, out)
            }
            Content::Udp(datagram) => {
                if let Some(keeper) = &mut self.keeper {
                    keeper.media(packet, datagram.destination)?;
                }
                if let Some(audio) = &mut self.audio {
                    audio.datagram(stamp, datagram)?;
                }
                view.datagram(stamp, datagram);
                let ends = [datagram.source, datagram.destination];
                self.sip(stamp, ends, datagram.payload, view, out)
            }
            Content::Sctp(sctp) => {
                let messages = self.ss7.sctp(stamp, sctp);
                self.ss7(packet, &messages, view, out)
            }
            Content::Ss7(carried) => {
                let message = self.ss7.unit(stamp, packet, carried);
                self.ss7(packet, &[message], view, out)
            }
            Content::Fragment(_) | Content::OtherProtocol(_) | Content::NotIp | Content::Damaged(_) => Ok(()),
        }
    }

    /// Shows the messages of SIP in a payload. No filter asks for them.
    fn sip(
        &mut self,
        stamp: Stamp,
        ends: [SocketAddr; 2],
        payload: &[u8],
        view: &mut dyn View,
        out: &mut dyn Write,
    ) -> Result<()> {
        if self.chosen.filter.is_none() {
            for message in sip::messages(payload) {
                view.sip(stamp, ends, &message, out)?;
            }
        }
        Ok(())
    }

    /// Shows the messages of SS7 that a packet completes.
    fn ss7(
        &mut self,
        packet: &Packet<'_>,
        messages: &[Message],
        view: &mut dyn View,
        out: &mut dyn Write,
    ) -> Result<()> {
        let mut chosen = false;
        for message in messages.iter().filter(|message| self.chosen.takes_ss7(message)) {
            view.ss7(message, out)?;
            chosen = true;
        }
        if let Some(keeper) = self.keeper.as_mut().filter(|_| chosen) {
            keeper.packet(packet)?;
        }
        if chosen && self.live {
            out.flush()?;
        }
        Ok(())
    }

    fn segment(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        view: &mut dyn View,
        out: &mut dyn Write,
    ) -> Result<()> {
        self.tracker.segment(stamp, segment);
        self.drain(view, out)
    }

    fn drain(&mut self, view: &mut dyn View, out: &mut dyn Write) -> Result<()> {
        let mut news = false;
        while let Some(event) = self.tracker.poll_event() {
            news = true;
            match event {
                Event::Opened(opened) => {
                    view.opened(&opened);
                    self.ends.insert(opened.connection, opened);
                }
                Event::Seen(seen) => {
                    if let Some(ends) = self.ends.get(&seen.connection)
                        && self.chosen.takes(&seen, ends)
                    {
                        view.seen(&seen, ends, out)?;
                        if let Some(keeper) = &mut self.keeper {
                            keeper.keep(&seen, ends)?;
                        }
                    }
                }
                Event::Trouble(trouble) => {
                    if let Some(ends) = self.ends.get(&trouble.connection)
                        && self.chosen.takes_trouble(&trouble, ends)
                    {
                        view.trouble(&trouble, ends, out)?;
                    }
                }
                Event::Closed(closed) => {
                    if let Some(ends) = self.ends.remove(&closed.connection) {
                        view.closed(&closed, &ends);
                    }
                }
            }
        }
        if news && self.live {
            out.flush()?;
        }
        Ok(())
    }
}

/// Says what could not be read. A capture that breaks off is a failure, though all that it holds was shown.
fn report(capture: &Capture, end: &End, format: Format) -> ExitCode {
    let mut err = stderr();
    for line in &end.audio {
        let _ = writeln!(err, "{line}");
    }
    for (link, packets) in &end.strange_links {
        // Nowhere else to say it, should standard error be closed.
        let _ =
            writeln!(err, "selsius: {packets} packets of link type {link} were passed over: it is not read");
    }
    match end.ss7.messages {
        messages if messages == 0 || format != Format::Ladder => {}
        1 => {
            let _ = writeln!(err, "selsius: 1 message of SS7-SCCP is in no ladder: see --format text");
        }
        messages => {
            let _ =
                writeln!(err, "selsius: {messages} messages of SS7-SCCP are in no ladder: see --format text");
        }
    }
    match end.ss7.incomplete() {
        0 => {}
        1 => {
            let _ = writeln!(err, "selsius: 1 SCTP chunk is part of a message that never became whole");
        }
        chunks => {
            let _ =
                writeln!(err, "selsius: {chunks} SCTP chunks are parts of messages that never became whole");
        }
    }
    match &end.ending {
        Ending::Whole => ExitCode::SUCCESS,
        Ending::Broken { packets, at, why } => {
            let name = capture.name();
            let _ = writeln!(
                err,
                "selsius: {name} is damaged after packet {packets}, at byte {at}: {why}; everything before that was shown"
            );
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Whether standard output may show colours.
fn coloured() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
