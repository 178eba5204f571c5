//! A running exchange, its log, and phones over real sockets that say exactly what a test lets them say.
//!
//! Nothing here sleeps: whoever waits reads, and a read has a deadline, at which the test fails.
#![allow(dead_code, reason = "each test file uses its own part of the bench")]
#![allow(clippy::unwrap_used, reason = "a bench for tests")]

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Mutex, Once,
        mpsc::{Receiver, channel},
    },
    thread::ThreadId,
    time::{Duration, Instant},
};

use selsius_exchange::{Config, Rate, record::Record};
use selsius_server::core::{Command, Handle, Limits, Running, Start, Status, start};
use selsius_site::{Button, Device, Line, Site};
use selsius_store::Remembered;
use selsius_wire::{
    Codec, Context, DeviceType, Dialect, Framer, KeypadKey, ManagerMessage, MediaStatus, RawFrame, SoftKey,
    StationMessage, Text, message,
};
use tokio::sync::oneshot;

/// How long anything may take that has to happen. Long, since the machine may be busy; nothing waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A manager's exchange on a free port of loopback.
pub(crate) struct Manager {
    running: Option<Running>,
    address: SocketAddr,
    thread: ThreadId,
    records: Receiver<Record>,
}

/// The numbers 1001 to 1004 on phones of their own.
pub(crate) fn office() -> Site {
    let mut site = Site::default();
    for (number, name) in [("1001", "Alice"), ("1002", "Bob"), ("1003", "Carol"), ("1004", "Dave")] {
        // Nobody is to be rung while in a call: the tests see that nobody is disturbed.
        let line = Line { name: name.into(), call_waiting: Some(false), ..Line::default() };
        site.lines.insert(number.parse().unwrap(), line);
        let button = Button::Line { number: number.parse().unwrap(), label: name.into() };
        let device = Device { buttons: vec![button], ..Device::default() };
        site.devices.insert(device_name(number).parse().unwrap(), device);
    }
    site
}

/// The usual limits, but that a busy machine makes no test's manager overloaded.
pub(crate) fn limits() -> Limits {
    Limits { late: Duration::from_secs(60), ..Limits::default() }
}

/// Limits of a manager that lets phones say as much as they like, to see the other limits.
pub(crate) fn talkative() -> Limits {
    Limits { message_rate: Rate::per_second(1_000_000, 1_000_000), ..limits() }
}

pub(crate) fn device_name(number: &str) -> String {
    format!("SEP00000000{number}")
}

impl Manager {
    pub(crate) fn new() -> Self {
        Self::with(limits(), Config::default(), office())
    }

    pub(crate) fn with(limits: Limits, exchange: Config, site: Site) -> Self {
        Self::with_sink(limits, exchange, site, |_| {})
    }

    /// One whose records are seen by `sink` as well, on the exchange's own thread.
    pub(crate) fn with_sink(
        limits: Limits,
        exchange: Config,
        site: Site,
        mut sink: impl FnMut(&Record) + Send + 'static,
    ) -> Self {
        listen_to_the_log();
        let (sender, records) = channel();
        let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let start_with = Start { listen, dscp: 0, exchange, site, remembered: Remembered::default(), limits };
        let keep = move |record: Record| {
            let sent = sender.send(record.clone()).is_ok();
            sink(&record);
            sent
        };
        let running = start(start_with, Box::new(keep)).unwrap();
        let (address, thread) = (running.addresses[0], running.thread.thread().id());
        Self { running: Some(running), address, thread, records }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn status(&self) -> Status {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(self.handle().status()).unwrap()
    }

    /// Asks for the status until it is as wanted: for what another thread's socket has to notice first.
    pub(crate) fn status_when(&self, wanted: impl Fn(&Status) -> bool) -> Status {
        let end = Instant::now() + DEADLINE;
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(Instant::now() < end, "the status stays {status:?}");
            std::thread::yield_now();
        }
    }

    /// What lines and phones remember.
    pub(crate) fn remembered(&self) -> Remembered {
        let (answer, wait) = oneshot::channel();
        self.running.as_ref().unwrap().handle.send(Command::Remembered(answer)).unwrap();
        wait.blocking_recv().unwrap()
    }

    /// How often something was refused for this reason.
    pub(crate) fn refused(&self, reason: &str) -> u64 {
        self.status().counters.refused.get(reason).copied().unwrap_or(0)
    }

    /// Lines of this manager's log with this text.
    pub(crate) fn logged(&self, text: &str) -> usize {
        self.log().iter().filter(|line| line.contains(text)).count()
    }

    /// This manager's log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        LOG.lock().unwrap().get(&format!("{:?}", self.thread)).cloned().unwrap_or_default()
    }

    /// The way to the exchange.
    pub(crate) fn handle(&self) -> &Handle {
        &self.running.as_ref().unwrap().handle
    }

    /// Waits until the exchange's thread has ended by itself.
    pub(crate) fn ends(mut self) {
        self.running.take().unwrap().thread.join().unwrap();
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.try_iter().collect()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let _ = running.handle.send(Command::Stop);
        // A panic of the exchange's thread is a failure of the test, whatever the test looks at.
        let ended = running.thread.join();
        assert!(ended.is_ok() || std::thread::panicking(), "the exchange's thread panicked");
    }
}

/// The logs of all managers in this process, by the thread that wrote them.
static LOG: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

fn listen_to_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
}

/// Keeps what is logged at INFO and above.
struct Listener;

impl tracing::Subscriber for Listener {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO && metadata.target().starts_with("selsius")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = LogLine(format!("{}", event.metadata().level()));
        event.record(&mut line);
        let thread = format!("{:?}", std::thread::current().id());
        LOG.lock().unwrap().entry(thread).or_default().push(line.0);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// One line of the log.
struct LogLine(String);

impl tracing::field::Visit for LogLine {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        let _ = write!(self.0, " {field}={value:?}");
    }
}

/// A phone: a connection, and what it knows.
pub(crate) struct Phone {
    pub(crate) stream: TcpStream,
    pub(crate) dialect: Dialect,
    framer: Framer,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The manager closed it.
    Closed,
    /// Nothing came until the deadline.
    Open,
}

impl Phone {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_from(Ipv4Addr::LOCALHOST, address).unwrap()
    }

    /// A connection from one of the addresses 127.0.0.0/8, to be somebody else.
    pub(crate) fn connect_from(from: Ipv4Addr, to: SocketAddr) -> io::Result<Self> {
        Self::connect_by(socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?, from, to)
    }

    /// A connection whose own end takes only about so many bytes that nobody reads.
    pub(crate) fn connect_narrow(to: SocketAddr, bytes: usize) -> io::Result<Self> {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.set_recv_buffer_size(bytes)?;
        Self::connect_by(socket, Ipv4Addr::LOCALHOST, to)
    }

    fn connect_by(socket: socket2::Socket, from: Ipv4Addr, to: SocketAddr) -> io::Result<Self> {
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect(&to.into())?;
        let stream: TcpStream = socket.into();
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        Ok(Self { stream, dialect: Dialect::default(), framer: Framer::new() })
    }

    /// A registered phone that has said what it can do.
    pub(crate) fn register(manager: &Manager, number: &str) -> Self {
        Self::register_at(manager.address(), number)
    }

    /// The same, where there is only an address.
    pub(crate) fn register_at(address: SocketAddr, number: &str) -> Self {
        let mut phone = Self::connect(address);
        phone.say_register(&device_name(number));
        phone.settle();
        assert_eq!(phone.dialect.version(), 17, "registered");
        let capabilities = message::AudioCapability::new(Codec::G711Ulaw64k, 40);
        phone.say(message::CapabilitiesRes::new(&[capabilities]));
        phone
    }

    pub(crate) fn say_register(&mut self, name: &str) {
        self.say(message::Register {
            device_name: Text::full(name.as_bytes()),
            device_type: DeviceType::from(436),
            protocol_ver: 17,
            ..message::Register::default()
        });
    }

    pub(crate) fn frame(&self, message: impl Into<StationMessage>) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.dialect.encode_station(&message.into(), &mut bytes);
        bytes
    }

    pub(crate) fn say(&mut self, message: impl Into<StationMessage>) {
        let bytes = self.frame(message);
        self.send(&bytes);
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// A frame with any id and body.
    pub(crate) fn say_raw(&mut self, id: u32, body: &[u8]) {
        let mut bytes = Vec::new();
        RawFrame { header_version: 0, id, body }.encode(&mut bytes);
        self.send(&bytes);
    }

    /// The next message; `None` if the manager closed.
    pub(crate) fn next(&mut self) -> Option<ManagerMessage> {
        self.next_raw().map(|(message, _)| message)
    }

    /// The next message and its length.
    pub(crate) fn next_raw(&mut self) -> Option<(ManagerMessage, usize)> {
        loop {
            let context =
                if self.dialect.version() == 0 { Context::default() } else { self.dialect.context() };
            if let Some(frame) = self.framer.next().unwrap() {
                let length = frame.length();
                let received = ManagerMessage::decode(frame, context).unwrap();
                if let ManagerMessage::RegisterAck(ack) = &received.message {
                    self.dialect = Dialect::new(ack.max_protocol_ver, ack.features, DeviceType::from(436));
                }
                return Some((received.message, length));
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.framer.feed(&buffer[..length]),
                Err(error) if is_reset(&error) => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// Everything that the manager has to say until it answers a KeepAlive of this phone: it does what a connection
    /// says in order, so it has seen everything that was said before.
    pub(crate) fn settle(&mut self) -> Vec<ManagerMessage> {
        self.settle_raw().into_iter().map(|(message, _)| message).collect()
    }

    /// As [`Self::settle`], with lengths.
    pub(crate) fn settle_raw(&mut self) -> Vec<(ManagerMessage, usize)> {
        self.say(message::KeepAlive);
        self.until_ack()
    }

    /// What comes until a KeepAliveAck does, without it.
    pub(crate) fn until_ack(&mut self) -> Vec<(ManagerMessage, usize)> {
        let mut messages = Vec::new();
        loop {
            match self.next_raw().expect("the connection stays") {
                (ManagerMessage::KeepAliveAck(_), _) => return messages,
                message => messages.push(message),
            }
        }
    }

    /// Names of what [`Self::settle`] brings.
    pub(crate) fn hears(&mut self) -> Vec<&'static str> {
        self.settle().iter().map(ManagerMessage::name).collect()
    }

    /// What comes until this message does, with it.
    pub(crate) fn until(&mut self, wanted: impl Fn(&ManagerMessage) -> bool) -> Vec<ManagerMessage> {
        let mut messages = Vec::new();
        loop {
            let message = self.next().unwrap_or_else(|| panic!("closed after {messages:?}"));
            let found = wanted(&message);
            messages.push(message);
            if found {
                return messages;
            }
        }
    }

    /// Waits until the manager closes; what it said before.
    pub(crate) fn ends(&mut self) -> Vec<ManagerMessage> {
        let mut messages = Vec::new();
        while let Some(message) = self.next() {
            messages.push(message);
        }
        messages
    }

    pub(crate) fn local_ip(&self) -> IpAddr {
        self.stream.local_addr().unwrap().ip()
    }

    pub(crate) fn off_hook(&mut self) {
        self.say(message::OffHook::default());
    }

    pub(crate) fn on_hook(&mut self) {
        self.say(message::OnHook::default());
    }

    pub(crate) fn press(&mut self, key: SoftKey, call_reference: u32) {
        self.say(message::SoftKeyEvent { soft_key_event: key, line_instance: 1, call_reference });
    }

    pub(crate) fn dial(&mut self, digits: &str) {
        for digit in digits.bytes() {
            let kp_button = KeypadKey::from(u32::from(digit - b'0'));
            self.say(message::KeypadButton { kp_button, ..message::KeypadButton::default() });
        }
    }

    pub(crate) fn ack(&mut self, party: u32, listens: impl Into<SocketAddr>) {
        let listens = listens.into();
        self.say(message::OpenReceiveChannelAck {
            media_reception_status: MediaStatus::Ok,
            ip_addr: listens.ip().into(),
            port_number: listens.port().into(),
            pass_through_party_id: party,
            ..message::OpenReceiveChannelAck::default()
        });
    }
}

pub(crate) fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted)
}

/// Two phones that have nothing to do with the rest of a test, and talk all the while.
pub(crate) struct Pair {
    pub(crate) caller: Phone,
    pub(crate) called: Phone,
}

impl Pair {
    /// Carol and Dave.
    pub(crate) fn new(manager: &Manager) -> Self {
        let mut pair =
            Self { caller: Phone::register(manager, "1003"), called: Phone::register(manager, "1004") };
        pair.call();
        pair
    }

    /// A normal call, from lifting to audio both ways.
    pub(crate) fn call(&mut self) {
        let Self { caller, called } = self;
        caller.settle();
        called.settle();
        caller.off_hook();
        caller.dial("1004");
        called.until(|message| matches!(message, ManagerMessage::SetRinger(_)));
        called.off_hook();
        for (phone, port) in [(&mut *called, 4000), (&mut *caller, 3000)] {
            let heard = phone.until(|message| matches!(message, ManagerMessage::OpenReceiveChannel(_)));
            let Some(ManagerMessage::OpenReceiveChannel(open)) = heard.last() else { unreachable!() };
            phone.ack(open.pass_through_party_id, ([127, 0, 0, 1], port));
        }
        for (phone, port) in [(&mut *called, 3000), (&mut *caller, 4000)] {
            let heard = phone.until(|message| matches!(message, ManagerMessage::StartMediaTransmission(_)));
            let Some(ManagerMessage::StartMediaTransmission(start)) = heard.last() else { unreachable!() };
            assert_eq!(start.remote_port_number, port);
            phone.settle();
        }
    }

    /// The call that was up all the while is still up and nobody was told anything; it ends as it should, and
    /// another one works.
    pub(crate) fn assert_unaffected(&mut self) {
        assert_eq!(self.caller.hears(), [""; 0]);
        assert_eq!(self.called.hears(), [""; 0]);
        self.caller.on_hook();
        for phone in [&mut self.caller, &mut self.called] {
            let heard = phone.settle();
            let names: Vec<_> = heard.iter().map(ManagerMessage::name).collect();
            for name in ["CloseReceiveChannel", "StopMediaTransmission", "CallState"] {
                assert!(names.contains(&name), "{names:?}");
            }
        }
        self.call();
    }
}
