//! The task of a phone: one loop around the station, its connection and its voice.

use std::{future::Future, net::IpAddr, pin::Pin};

use selsius_station::{Action, CloseReason, Config, Event, Input, MediaOrder, Output, RejectReason, Station};
use selsius_wire::Time;
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::sleep_until,
};

use crate::{
    Connection, End, Happened, LinkError, Options, Said, Snapshot, Tapped, Target, Traffic, Way,
    clock::{media_time, wire_time},
    link::Link,
    phone::Command,
    voice::Voice,
};

pub(crate) struct Task {
    target: Target,
    config: Config,
    options: Options,
    commands: mpsc::Receiver<Command>,
    snapshot: watch::Sender<Snapshot>,
    happened: broadcast::Sender<Happened>,
    station: Station,
    voice: Voice,
    wire: Wire,
    /// Connections in a row that led to no registration.
    failures: u32,
    /// What is heard changes with each packet; it is shown so often.
    next_look: Option<Time>,
}

/// The connection, in one of its states.
enum Wire {
    Connecting(Pin<Box<dyn Future<Output = Result<Link, LinkError>> + Send>>),
    Up(Link),
    Waiting(Time),
}

/// What ended a wait.
enum Woken {
    Command(Option<Command>),
    Connected(Result<Link, LinkError>),
    Readable(std::io::Result<()>),
    Voice,
    Due,
}

/// How often a snapshot is made while somebody talks, in microseconds.
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

impl Task {
    pub(crate) fn new(
        target: Target,
        config: Config,
        mut options: Options,
        commands: mpsc::Receiver<Command>,
        snapshot: watch::Sender<Snapshot>,
        happened: broadcast::Sender<Happened>,
    ) -> Self {
        let source = std::mem::take(&mut options.source);
        Self {
            wire: Wire::Connecting(Box::pin(Link::connect(target.clone()))),
            station: Station::new(config.clone()),
            voice: Voice::new(options.ports.clone(), config.rtp_port, source, options.loses),
            target,
            config,
            options,
            commands,
            snapshot,
            happened,
            failures: 0,
            next_look: None,
        }
    }

    pub(crate) async fn run(mut self) -> End {
        if let Some(path) = self.options.record.take()
            && let Err(error) = self.voice.record(Some(&path))
        {
            self.show_end(&error.to_string());
            return End::Recording(error);
        }
        let end = loop {
            let woken = self.wait().await;
            let ended = match woken {
                Woken::Command(Some(command)) => self.command(command),
                Woken::Command(None) => Some(End::Dropped),
                Woken::Connected(Ok(link)) => self.connected(link),
                Woken::Connected(Err(error)) => self.lost(error),
                Woken::Readable(ready) => self.readable(ready),
                Woken::Voice => {
                    let now = self.now();
                    let tap = &mut self.options.tap;
                    self.voice.read(media_time(now), |way, from, to, datagram| {
                        tapped(tap, now, Traffic::Voice { way, from, to, datagram });
                    });
                    None
                }
                Woken::Due => self.due(),
            };
            if let Some(end) = ended {
                break end;
            }
            self.show();
        };
        if let Wire::Up(_) = self.wire {
            tapped(&mut self.options.tap, self.options.clock.now(), Traffic::Closed { way: Way::Sent });
        }
        self.show_end(&describe(&end));
        match (self.voice.finish(), end) {
            (Err(error), End::Dropped | End::Closed(_)) => End::Recording(error),
            (_, end) => end,
        }
    }

    async fn wait(&mut self) -> Woken {
        let deadline = self.deadline().map(|at| self.options.clock.instant(at));
        let due = async {
            match deadline {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let wire = async {
            match &mut self.wire {
                Wire::Connecting(link) => Woken::Connected(link.await),
                Wire::Up(link) => Woken::Readable(link.ready().await),
                Wire::Waiting(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            command = self.commands.recv() => Woken::Command(command),
            woken = wire => woken,
            () = self.voice.readable() => Woken::Voice,
            () = due => Woken::Due,
        }
    }

    fn deadline(&self) -> Option<Time> {
        let again = match self.wire {
            Wire::Waiting(at) => Some(at),
            _ => None,
        };
        let voice = self.voice.poll_timeout().map(wire_time);
        [self.station.poll_timeout(), voice, again].into_iter().flatten().min()
    }

    fn due(&mut self) -> Option<End> {
        let now = self.now();
        if let Wire::Waiting(at) = self.wire
            && at <= now
        {
            self.wire = Wire::Connecting(Box::pin(Link::connect(self.target.clone())));
        }
        let tap = &mut self.options.tap;
        let recorded = self.voice.handle_timeout(media_time(now), |way, from, to, datagram| {
            tapped(tap, now, Traffic::Voice { way, from, to, datagram });
        });
        if let Err(error) = recorded {
            self.tell(Happened::RecordingFailed(format!("{error}: {}", error.problem)));
        }
        if self.station.poll_timeout().is_some_and(|at| at <= now) {
            self.station.handle_timeout(now);
            return self.outputs().1;
        }
        None
    }

    fn command(&mut self, command: Command) -> Option<End> {
        // Whoever asked may have gone; then the answer is not needed.
        match command {
            Command::Act(action, answer) => {
                let (refused, end) = self.act(action);
                let _ = answer.send(refused.map_or(Ok(()), Err));
                end
            }
            Command::Play(source) => {
                self.voice.play(source);
                None
            }
            Command::Record(path, answer) => {
                let _ = answer.send(self.voice.record(path.as_deref()));
                None
            }
        }
    }

    fn act(&mut self, action: Action) -> (Option<RejectReason>, Option<End>) {
        self.station.handle(self.now(), Input::User(action));
        self.outputs()
    }

    fn connected(&mut self, link: Link) -> Option<End> {
        let now = self.now();
        tapped(&mut self.options.tap, now, Traffic::Opened { local: link.local, remote: link.remote });
        // Each connection gets a station of its own: its address is only known now. The handset stays where it is.
        let lifted = self.station.face().off_hook;
        self.config.address = link.local.ip();
        self.station = Station::new(self.config.clone());
        if lifted {
            self.station.handle(now, Input::User(Action::OffHook));
        }
        self.wire = Wire::Up(link);
        self.station.handle(now, Input::Connected);
        self.outputs().1
    }

    fn readable(&mut self, ready: std::io::Result<()>) -> Option<End> {
        let read = match &mut self.wire {
            Wire::Up(link) => {
                ready.map_err(LinkError::from).and_then(|()| link.flush()).and_then(|()| link.read())
            }
            _ => return None,
        };
        if let Err(error) = read {
            return self.lost(error);
        }
        let mut bytes = Vec::new();
        while let Wire::Up(link) = &mut self.wire {
            let message = match link.next(&self.station, &mut bytes) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(error) => return self.lost(error),
            };
            let now = self.now();
            let traffic = Traffic::Message { message: Said::Manager(&message), bytes: &bytes };
            tapped(&mut self.options.tap, now, traffic);
            // The latest figures, in case it asks for them.
            let counters: Vec<_> = self.voice.counters().collect();
            for input in counters {
                self.station.handle(now, input);
            }
            self.station.handle(now, Input::Message(message));
            if let (_, Some(end)) = self.outputs() {
                return Some(end);
            }
        }
        None
    }

    /// Does everything that the station wants. Whether it refused what the user did, and whether all is over.
    fn outputs(&mut self) -> (Option<RejectReason>, Option<End>) {
        let now = self.now();
        let mut refused = None;
        let mut closed = None;
        while let Some(output) = self.station.poll_output() {
            match output {
                Output::Send(message) => {
                    let Wire::Up(link) = &mut self.wire else { continue };
                    let bytes = link.push(&self.station, &message);
                    let traffic = Traffic::Message { message: Said::Station(&message), bytes };
                    tapped(&mut self.options.tap, now, traffic);
                }
                Output::Media(order) => self.order(now, order),
                Output::Close(reason) => closed = Some(reason),
                Output::Event(event) => {
                    if let Event::Refused(reason) = event {
                        refused = Some(reason);
                    }
                    if event == Event::Registered {
                        self.failures = 0;
                    }
                    self.tell(Happened::Station(event));
                }
            }
        }
        let flushed = match &mut self.wire {
            Wire::Up(link) => link.flush(),
            _ => Ok(()),
        };
        let end = match (flushed, closed) {
            (_, Some(reason)) => self.closed(now, reason),
            (Err(error), None) => self.lost(error),
            (Ok(()), None) => None,
        };
        (refused, end)
    }

    fn order(&mut self, now: Time, order: MediaOrder) {
        for input in self.voice.order(media_time(now), self.address(), order) {
            self.station.handle(now, input);
        }
    }

    /// The phone closes the connection.
    fn closed(&mut self, now: Time, reason: CloseReason) -> Option<End> {
        if let Wire::Up(_) = self.wire {
            tapped(&mut self.options.tap, now, Traffic::Closed { way: Way::Sent });
        }
        self.wire = Wire::Waiting(Time::NEVER);
        self.tell(Happened::Closed(reason));
        self.config.last = last(reason).into();
        self.retry(describe_close(reason), End::Closed(reason))
    }

    /// The connection ended, or did not come up.
    fn lost(&mut self, error: LinkError) -> Option<End> {
        let now = self.now();
        if let Wire::Up(_) = self.wire {
            tapped(&mut self.options.tap, now, Traffic::Closed { way: Way::Received });
            self.config.last = "CM-closed-TCP".into();
        }
        self.wire = Wire::Waiting(Time::NEVER);
        self.station.handle(now, Input::Disconnected);
        while let Some(output) = self.station.poll_output() {
            if let Output::Media(order) = output {
                self.order(now, order);
            }
        }
        let why = with_sources(&error);
        self.tell(Happened::Lost(why.clone()));
        self.retry(why, End::Lost(error))
    }

    /// Waits to connect again, or ends.
    fn retry(&mut self, why: String, end: End) -> Option<End> {
        let Some(backoff) = self.options.reconnect else { return Some(end) };
        if matches!(end, End::Closed(CloseReason::Unregistered)) {
            return Some(end);
        }
        let wait = backoff.after(self.failures);
        self.failures += 1;
        self.wire = Wire::Waiting(self.now() + wait);
        self.snapshot.send_modify(|snapshot| snapshot.connection = Connection::Waiting { why, wait });
        None
    }

    /// Tells whoever looks. Changes of sound alone are shown ten times a second.
    fn show(&mut self) {
        let now = self.now();
        let face = self.station.face();
        let looks = self.next_look.is_none_or(|at| at <= now);
        self.snapshot.send_if_modified(|snapshot| {
            let mut changed = false;
            let connection = match &self.wire {
                Wire::Connecting(_) => Connection::Connecting,
                Wire::Up(link) => Connection::Up { local: link.local, remote: link.remote },
                Wire::Waiting(_) => snapshot.connection.clone(),
            };
            if connection != snapshot.connection {
                (snapshot.connection, changed) = (connection, true);
            }
            if face != snapshot.face {
                (snapshot.face, changed) = (face, true);
            }
            if changed || looks {
                let voice = self.voice.report();
                if voice != snapshot.voice {
                    (snapshot.voice, changed) = (voice, true);
                }
            }
            changed
        });
        if looks {
            self.next_look = Some(now + LOOK);
        }
    }

    fn show_end(&self, why: &str) {
        let voice = self.voice.report();
        self.snapshot.send_modify(|snapshot| {
            snapshot.connection = Connection::Down { why: why.into() };
            snapshot.face = self.station.face();
            snapshot.voice = voice;
        });
    }

    fn tell(&self, happened: Happened) {
        // Nobody may be listening.
        let _ = self.happened.send(happened);
    }

    /// The phone's own address: that of its connection.
    fn address(&self) -> IpAddr {
        self.config.address
    }

    fn now(&self) -> Time {
        self.options.clock.now()
    }
}

fn tapped(tap: &mut Option<crate::Tap>, at: Time, traffic: Traffic<'_>) {
    if let Some(tap) = tap {
        tap(Tapped { at, traffic });
    }
}

/// What the alarm says at the next registration, in the words that phones use (captured-details.md).
fn last(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Rejected => "Registration-Rejected",
        CloseReason::Reset => "Reset-Reset",
        CloseReason::Restart => "Reset-Restart",
        CloseReason::Unregistered => "Phone-Unregistered",
        CloseReason::RegistrationTimeout | CloseReason::KeepAliveLost => "CM-aborted-TCP",
    }
}

fn describe(end: &End) -> String {
    match end {
        End::Dropped => "switched off".into(),
        End::Closed(reason) => describe_close(*reason),
        End::Lost(error) => with_sources(error),
        End::Recording(error) => with_sources(error),
    }
}

fn describe_close(reason: CloseReason) -> String {
    match reason {
        CloseReason::Rejected => "the manager refused the registration",
        CloseReason::Reset => "the manager reset the phone",
        CloseReason::Restart => "the manager restarted the phone",
        CloseReason::Unregistered => "unregistered",
        CloseReason::RegistrationTimeout => "the manager did not answer the registration",
        CloseReason::KeepAliveLost => "the manager did not acknowledge the keepalives",
    }
    .into()
}

/// An error and what caused it, in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
