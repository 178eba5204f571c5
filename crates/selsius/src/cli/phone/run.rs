//! Running a script.

use std::{
    collections::VecDeque,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use selsius_client::{
    ActError, Backoff, Clock, End, Gone, Happened, Options, Phone, Said, Snapshot, Traffic,
};
use selsius_inspect::ladder::{self, Ladder, Style};
use selsius_station::{Action, Event, RejectReason};
use selsius_wire::{Time, value::KeypadKey};
use tokio::{
    sync::broadcast::{self, error::TryRecvError},
    time::{error::Elapsed, timeout},
};

use super::{
    PhoneSettings,
    script::{Expected, Line, Step},
    words::{self, Situation},
};

/// How long `press` waits for its key: a person looks for it, too.
const KEY: Duration = Duration::from_secs(3);
/// How long the manager may take to let the phone go.
const LEAVE: Duration = Duration::from_secs(5);

/// How a script went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    /// An expectation failed, or the phone could not do what it was told.
    Failed,
    /// The phone could not connect or register.
    Unregistered,
}

/// What a run prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Talk {
    /// Failures, and what the script prints.
    Quiet,
    /// Each step.
    Steps,
    /// Each step and each message.
    Trace,
}

/// A script on its way. It ends early where a step fails.
pub(super) struct Run<'a> {
    pub(super) file: &'a str,
    pub(super) settings: &'a PhoneSettings,
    pub(super) talk: Talk,
    pub(super) style: Style,
    pub(super) clock: Clock,
    pub(super) running: Option<Running>,
    pub(super) out: Arc<Mutex<dyn Write + Send>>,
}

/// A phone that was switched on, and what happened to it since its user did something last.
pub(super) struct Running {
    phone: Phone,
    happened: broadcast::Receiver<Happened>,
    seen: VecDeque<Event>,
}

/// Happenings that are kept; a script that waits for something older has lost its way.
const SEEN: usize = 256;

impl Running {
    fn new(phone: Phone) -> Self {
        Self { happened: phone.happened(), phone, seen: VecDeque::new() }
    }

    /// Takes in what happened up to now.
    fn look(&mut self) {
        loop {
            match self.happened.try_recv() {
                Ok(happened) => self.note(happened),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn note(&mut self, happened: Happened) {
        let Happened::Station(event) = happened else { return };
        if self.seen.len() == SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(event);
    }

    async fn act(&mut self, action: Action) -> Result<(), ActError> {
        self.look();
        self.seen.clear();
        self.phone.act(action).await
    }

    /// Waits until the phone is in this situation. One that has come and gone since the last action counts too: a
    /// script is not faster than the other party.
    async fn reach(&mut self, situation: Situation) -> Result<(), Gone> {
        loop {
            self.look();
            if let Some(place) = self.seen.iter().position(|event| situation.begins_with(event)) {
                self.seen.drain(..=place);
                return Ok(());
            }
            if situation.is_now(&self.phone.now().face) {
                return Ok(());
            }
            let happened = tokio::select! {
                changed = self.phone.changed() => changed.map(|_| None)?,
                happened = self.happened.recv() => happened.ok(),
            };
            happened.into_iter().for_each(|happened| self.note(happened));
        }
    }
}

/// Why a step failed.
struct Failure {
    verdict: Verdict,
    expected: String,
}

impl From<Gone> for Failure {
    fn from(_: Gone) -> Self {
        Self { verdict: Verdict::Failed, expected: "the phone has ended".into() }
    }
}

impl Run<'_> {
    pub(super) async fn script(mut self, lines: &[Line]) -> Verdict {
        let mut verdict = Verdict::Passed;
        for line in lines {
            if self.talk != Talk::Quiet {
                self.say(&format!("{:>9.3}  {}", seconds(self.clock.now()), line.text));
            }
            if let Err(failure) = self.step(&line.step).await {
                self.complain(line, &failure);
                verdict = failure.verdict;
                break;
            }
        }
        if let Some(running) = self.running.take() {
            match running.phone.hang_up_and_leave(LEAVE).await {
                End::Recording(error) => {
                    self.say(&format!("{error}: {}", error.problem));
                    verdict = Verdict::Failed;
                }
                End::Dropped | End::Closed(_) | End::Lost(_) => {}
            }
        }
        verdict
    }

    async fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Register => self.register().await,
            Step::Unregister => self.unregister().await,
            Step::OffHook => self.act(Action::OffHook).await,
            Step::OnHook => self.act(Action::OnHook).await,
            Step::HangUp => match self.registered().await?.act(Action::OnHook).await {
                Ok(()) | Err(ActError::Refused(RejectReason::NoEffect)) => Ok(()),
                Err(error) => Err(refused(&error)),
            },
            Step::Speaker => self.act(Action::Speaker).await,
            Step::Headset => self.act(Action::Headset).await,
            Step::Dial(number) => self.act(Action::Dial(number.clone())).await,
            Step::Digits(digits) => {
                for key in digits.chars().filter_map(key) {
                    self.act(Action::Digit(key)).await?;
                }
                Ok(())
            }
            Step::Press(label) => {
                self.until(KEY, &format!("the soft key {label}"), |now| now.face.has_soft_key(label)).await?;
                self.act(Action::SoftKey(label.clone())).await
            }
            Step::LineKey(instance) => self.act(Action::Line(*instance)).await,
            Step::SpeedDial(instance) => self.act(Action::SpeedDial(*instance)).await,
            Step::Flash => self.act(Action::HookFlash).await,
            Step::Choose(name) => {
                let shown = |now: &Snapshot| now.face.screen.as_ref().is_some_and(|screen| screen.has(name));
                self.until(KEY, &format!("{name} on the screen"), shown).await?;
                self.act(Action::Choose(name.clone())).await
            }
            Step::LeaveScreen => self.act(Action::LeaveScreen).await,
            // The phone is registered by then, or should not be.
            Step::Wait(Situation::Registered, patience) => self.register_within(*patience).await,
            Step::Wait(Situation::Unregistered, patience) => self.gone(*patience).await,
            Step::Wait(situation, patience) => {
                let reached = timeout(*patience, self.registered().await?.reach(*situation)).await;
                in_time(reached, &format!("the state {}", situation.name()), *patience)
            }
            Step::Expect { what, not, within } => {
                let words = format!("{}{}", if *not { "not " } else { "" }, describe(what));
                self.until(*within, &words, |now| holds(what, now) != *not).await
            }
            Step::Play(source) => Ok(self.registered().await?.phone.play(source.clone()).await?),
            Step::Record(path) => {
                let recorded = self.registered().await?.phone.record(path.clone()).await?;
                recorded.map_err(|error| Failure {
                    verdict: Verdict::Failed,
                    expected: format!("{error}: {}", error.problem),
                })
            }
            Step::Pause(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Step::PrintDisplay => {
                let text = match &self.running {
                    Some(running) => words::display(&self.settings.name, &running.phone.now()),
                    None => format!("phone   {}, not started", self.settings.name),
                };
                self.say(&text);
                Ok(())
            }
            Step::Print(text) => {
                self.say(text);
                Ok(())
            }
        }
    }

    async fn register(&mut self) -> Result<(), Failure> {
        self.register_within(Situation::Registered.patience()).await
    }

    /// Starts the phone if there is none, and waits until it can be used. A manager that is not there yet is waited
    /// for.
    async fn register_within(&mut self, patience: Duration) -> Result<(), Failure> {
        if self.running.is_none() {
            self.running = Some(Running::new(self.start()));
        }
        let Some(Running { phone, .. }) = &mut self.running else { return Ok(()) };
        let unregistered = |expected| Failure { verdict: Verdict::Unregistered, expected };
        let settled = |now: &Snapshot| now.face.registered || now.face.reject.is_some();
        match timeout(patience, phone.wait_until(settled)).await {
            Ok(Ok(now)) => match now.face.reject {
                Some(text) => Err(unregistered(format!("the manager takes the phone, but it said: {text}"))),
                None => Ok(()),
            },
            Ok(Err(Gone)) => Err(unregistered("the phone registers, but it ended".into())),
            Err(_) => Err(unregistered(format!("the phone is registered within {patience:?}"))),
        }
    }

    fn start(&self) -> Phone {
        let mut options = Options {
            source: self.settings.source.clone(),
            record: self.settings.record.clone(),
            ports: self.settings.ports.clone(),
            reconnect: Some(Backoff { first: Duration::from_millis(200), most: Duration::from_secs(5) }),
            clock: self.clock,
            loses: None,
            tap: None,
        };
        if self.talk == Talk::Trace {
            let mut rows = Ladder::new([self.settings.name.as_str(), "manager"], 100, self.style);
            rows = rows.starting_at(Time::ZERO);
            let _ = write!(self.lock(), "{}", rows.head());
            let out = self.out.clone();
            options.tap = Some(Box::new(move |tapped| {
                let event = match tapped.traffic {
                    Traffic::Message { message: Said::Station(message), .. } => {
                        ladder::Event::station(tapped.at, 0, 1, message)
                    }
                    Traffic::Message { message: Said::Manager(message), .. } => {
                        ladder::Event::manager(tapped.at, 0, 1, message)
                    }
                    Traffic::Opened { remote, .. } => {
                        ladder::Event::note(tapped.at, None, format!("connected to {remote}"))
                    }
                    Traffic::Closed { .. } => ladder::Event::note(tapped.at, None, "connection closed"),
                    Traffic::Voice { .. } => return,
                };
                let mut out = out.lock().expect("nobody panics while writing a line");
                let _ = out.write_all(rows.push(&event).as_bytes());
            }));
        }
        Phone::start(self.settings.target.clone(), self.settings.config.clone(), options)
    }

    /// The phone; it is started and registered where the script did not do it.
    async fn registered(&mut self) -> Result<&mut Running, Failure> {
        if self.running.is_none() {
            self.register().await?;
        }
        self.running.as_mut().ok_or_else(|| Gone.into())
    }

    async fn act(&mut self, action: Action) -> Result<(), Failure> {
        self.registered().await?.act(action).await.map_err(|error| refused(&error))
    }

    async fn unregister(&mut self) -> Result<(), Failure> {
        self.act(Action::Unregister).await?;
        self.gone(LEAVE).await
    }

    /// Waits until the phone is without a manager.
    async fn gone(&mut self, patience: Duration) -> Result<(), Failure> {
        let Some(Running { phone, .. }) = &mut self.running else { return Ok(()) };
        match timeout(patience, phone.wait_until(|now| Situation::Unregistered.is_now(&now.face))).await {
            Ok(_) => {}
            Err(_) => {
                let expected = format!("the state unregistered within {patience:?}");
                return Err(Failure { verdict: Verdict::Failed, expected });
            }
        }
        if let Some(running) = self.running.take() {
            running.phone.stop().await;
        }
        Ok(())
    }

    async fn until(
        &mut self,
        patience: Duration,
        expected: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Result<(), Failure> {
        let reached = timeout(patience, self.registered().await?.phone.wait_until(holds)).await;
        in_time(reached.map(|reached| reached.map(drop)), expected, patience)
    }

    fn complain(&self, line: &Line, failure: &Failure) {
        self.say(&format!("{}:{}: `{}` failed", self.file, line.number, line.text));
        self.say(&format!("expected: {}", failure.expected));
        if let Some(Running { phone, .. }) = &self.running {
            self.say("the phone shows:");
            for line in words::display(&self.settings.name, &phone.now()).lines() {
                self.say(&format!("  {line}"));
            }
        }
    }

    fn say(&self, text: &str) {
        // A reader that went away does not stop the script.
        let _ = writeln!(self.lock(), "{text}");
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, dyn Write + Send + 'static> {
        self.out.lock().expect("nobody panics while writing a line")
    }
}

/// What became of a wait.
fn in_time(
    reached: Result<Result<(), Gone>, Elapsed>,
    expected: &str,
    patience: Duration,
) -> Result<(), Failure> {
    match reached {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Gone)) => Err(Gone.into()),
        Err(_) => {
            Err(Failure { verdict: Verdict::Failed, expected: format!("{expected} within {patience:?}") })
        }
    }
}

fn refused(error: &ActError) -> Failure {
    Failure { verdict: Verdict::Failed, expected: format!("the phone does it, but {error}") }
}

fn holds(what: &Expected, now: &Snapshot) -> bool {
    let calls = &now.face.calls;
    match what {
        Expected::Prompt(text) => now.face.status().contains(text.as_str()),
        Expected::Caller(number) => calls.iter().any(|call| call.calling_number == *number),
        Expected::CallerName(name) => calls.iter().any(|call| call.calling_name == *name),
        Expected::Called(number) => calls.iter().any(|call| call.called_number == *number),
        Expected::CalledName(name) => calls.iter().any(|call| call.called_name == *name),
        Expected::Lamp(line, mode) => now.face.line(*line).is_some_and(|button| button.lamp == *mode),
        Expected::SoftKey(label) => now.face.has_soft_key(label),
        Expected::Screen(text) => now.face.screen.as_ref().is_some_and(|screen| screen.says(text)),
        Expected::Background(text) => now.face.look.background.contains(text.as_str()),
        Expected::RingTone(text) => now.face.look.ring_tone.contains(text.as_str()),
        Expected::Audio(hertz) => now.voice.hears(*hertz),
        Expected::NoAudio => {
            use selsius_media::tone::detect::Content;
            matches!(now.voice.heard, None | Some(Content::Silence))
        }
        Expected::Packets(packets) => now.voice.received.packets >= *packets,
        Expected::Situation(situation) => situation.is_now(&now.face),
    }
}

fn describe(what: &Expected) -> String {
    match what {
        Expected::Prompt(text) => format!("a prompt with \"{text}\""),
        Expected::Caller(number) => format!("a call from {number}"),
        Expected::CallerName(name) => format!("a call from \"{name}\""),
        Expected::Called(number) => format!("a call to {number}"),
        Expected::CalledName(name) => format!("a call to \"{name}\""),
        Expected::Lamp(line, mode) => format!("lamp {line} {}", words::lamp(*mode)),
        Expected::SoftKey(label) => format!("the soft key {label}"),
        Expected::Screen(text) => format!("a screen with \"{text}\""),
        Expected::Background(text) => format!("a background with \"{text}\" in its address"),
        Expected::RingTone(text) => format!("a ring tone with \"{text}\" in its address"),
        Expected::Audio(hertz) => format!("{hertz} Hz to be heard"),
        Expected::NoAudio => "silence from the other side".into(),
        Expected::Packets(packets) => format!("{packets} voice packets"),
        Expected::Situation(situation) => format!("the state {}", situation.name()),
    }
}

/// A key of the keypad.
pub(in crate::cli) fn key(char: char) -> Option<KeypadKey> {
    "0123456789ABCD*#+"
        .chars()
        .position(|known| known == char.to_ascii_uppercase())
        .and_then(|place| u32::try_from(place).ok())
        .map(KeypadKey::from)
}

fn seconds(time: Time) -> f64 {
    time.as_micros() as f64 / 1e6
}
