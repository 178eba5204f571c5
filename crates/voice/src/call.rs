//! One caller in one application.

use alloc::{collections::VecDeque, string::String, vec, vec::Vec};
use core::time::Duration;

use jiff::civil::DateTime;

use crate::{Application, Input, Limits, Output, Say, mailbox::Owner, visit::Visit};

/// One caller in one application.
#[derive(Debug)]
pub struct Call {
    pub(crate) limits: Limits,
    stage: Stage,
    /// Nobody is there any more.
    gone: bool,
    out: VecDeque<Output>,
}

/// Where it stands.
#[derive(Debug)]
enum Stage {
    /// Nobody listens yet.
    New(Application),
    /// The caller is told what the echo is, or hears it.
    Echo,
    Clock(Clock),
    /// The last words are said; the call ends after them.
    LastWords,
    Leave(Leave),
    Listen(Owner),
    Room(Visit),
    Over,
}

/// What to do after a step of a longer dialogue.
pub(crate) enum Step {
    Stays,
    Ends,
    /// This is said, and the call ends.
    Says(Vec<Say>),
}

/// What the clock does, and until when it goes on.
#[derive(Debug)]
struct Clock {
    until: DateTime,
    /// The moment that was announced.
    next: DateTime,
}

/// A message that is being left.
#[derive(Debug)]
struct Leave {
    mailbox: String,
    at: LeaveStep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeaveStep {
    Opening,
    Greeting,
    Recording,
    Measuring,
    Keeping,
}

/// The clock announces each tenth second, and needs so long to say it.
const CLOCK_STEP: i8 = 10;
const CLOCK_WORDS: Duration = Duration::from_secs(7);

impl Call {
    /// Somebody calls.
    pub fn new(application: Application, limits: Limits) -> Self {
        Self { limits, stage: Stage::New(application), gone: false, out: VecDeque::new() }
    }

    /// Something has happened; `now` is the time in the office's zone.
    pub fn handle(&mut self, now: DateTime, input: Input) {
        let stage = core::mem::replace(&mut self.stage, Stage::Over);
        self.gone |= input == Input::HungUp;
        self.stage = match stage {
            Stage::New(application) => self.begin(now, application, input),
            Stage::Echo => self.echo(input),
            Stage::Clock(clock) => self.clock(now, clock, input),
            Stage::LastWords => match input {
                Input::Played => self.hang_up(),
                Input::HungUp => Stage::Over,
                _ => Stage::LastWords,
            },
            Stage::Leave(leave) => self.leave(leave, input),
            Stage::Listen(mut owner) => match owner.handle(self, now, input) {
                Step::Stays => Stage::Listen(owner),
                Step::Ends => Stage::Over,
                Step::Says(said) => self.last_words(said),
            },
            Stage::Room(mut visit) => match visit.handle(self, input) {
                Step::Stays => Stage::Room(visit),
                Step::Ends => Stage::Over,
                Step::Says(said) => self.last_words(said),
            },
            Stage::Over => Stage::Over,
        };
    }

    /// What shall happen next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Is there nothing more to do?
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    pub(crate) fn order(&mut self, output: Output) {
        self.out.push_back(output);
    }

    pub(crate) fn play(&mut self, said: impl Into<Vec<Say>>) {
        self.order(Output::Play(said.into()));
    }

    fn begin(&mut self, now: DateTime, application: Application, input: Input) -> Stage {
        match (input, application) {
            (Input::HungUp, _) => Stage::Over,
            (Input::Begin, Application::Echo) => {
                self.play([Say::Prompt("echo"), Say::Beep]);
                Stage::Echo
            }
            (Input::Begin, Application::Clock) => {
                let until = now.saturating_add(self.limits.stay);
                self.announce_time(now, until)
            }
            (Input::Begin, Application::Announcement(file)) => self.last_words(vec![Say::File(file)]),
            (Input::Begin, Application::Listen(own)) => {
                let owner = Owner::new(self, own);
                Stage::Listen(owner)
            }
            (Input::Begin, Application::Room(access)) => Stage::Room(Visit::new(self, access)),
            (Input::Begin, Application::Leave(mailbox)) => {
                self.order(Output::Open(mailbox.clone()));
                Stage::Leave(Leave { mailbox, at: LeaveStep::Opening })
            }
            (_, application) => Stage::New(application),
        }
    }

    fn echo(&mut self, input: Input) -> Stage {
        match input {
            Input::Played => {
                self.order(Output::Echo);
                self.order(Output::Wait(self.limits.stay));
                Stage::Echo
            }
            Input::Timeout => self.hang_up(),
            Input::HungUp => Stage::Over,
            _ => Stage::Echo,
        }
    }

    fn announce_time(&mut self, now: DateTime, until: DateTime) -> Stage {
        // The next full ten seconds that can be announced before they are there.
        let ready = now.saturating_add(CLOCK_WORDS);
        let over = ready.second() % CLOCK_STEP;
        let whole = ready.with().subsec_nanosecond(0).build().unwrap_or(ready);
        let next = whole.saturating_add(Duration::from_secs(u64::from((CLOCK_STEP - over).unsigned_abs())));
        let seconds = next.second().unsigned_abs().into();
        self.play([Say::Prompt("clock"), Say::Time(next.time()), Say::Seconds(seconds)]);
        Stage::Clock(Clock { until, next })
    }

    fn clock(&mut self, now: DateTime, clock: Clock, input: Input) -> Stage {
        match input {
            Input::Played if now >= clock.next && now >= clock.until => self.hang_up(),
            // The tone is over.
            Input::Played if now >= clock.next => self.announce_time(now, clock.until),
            Input::Played => {
                let left = clock.next.duration_since(now);
                self.order(Output::Wait(left.unsigned_abs()));
                Stage::Clock(clock)
            }
            Input::Timeout => {
                self.play([Say::Beep]);
                Stage::Clock(clock)
            }
            Input::HungUp => Stage::Over,
            _ => Stage::Clock(clock),
        }
    }

    fn leave(&mut self, mut leave: Leave, input: Input) -> Stage {
        match (leave.at, input) {
            (LeaveStep::Opening, Input::Mailbox(Some(mailbox))) if !mailbox.full => {
                if mailbox.greeting {
                    self.play([Say::Greeting(mailbox.number), Say::Beep]);
                } else {
                    self.play([
                        Say::Prompt("you-reached"),
                        Say::Digits(mailbox.number),
                        Say::Prompt("not-available"),
                        Say::Prompt("leave"),
                        Say::Beep,
                    ]);
                }
                leave.at = LeaveStep::Greeting;
            }
            (LeaveStep::Opening, Input::Mailbox(Some(_))) => return self.last_words([Say::Prompt("full")]),
            (LeaveStep::Opening, Input::Mailbox(None)) => {
                return self.last_words([Say::Prompt("no-mailbox")]);
            }
            // Who knows the greeting does not wait for its end.
            (LeaveStep::Greeting, Input::Key('#')) => self.play([Say::Beep]),
            (LeaveStep::Greeting, Input::Played) => {
                self.order(Output::Record);
                self.order(Output::Wait(self.limits.longest));
                leave.at = LeaveStep::Recording;
            }
            (LeaveStep::Recording, Input::Key('#') | Input::Timeout | Input::HungUp) => {
                self.order(Output::StopRecording);
                leave.at = LeaveStep::Measuring;
            }
            (LeaveStep::Measuring, Input::Recorded(length)) if length >= self.limits.shortest => {
                self.order(Output::Keep(leave.mailbox.clone()));
                leave.at = LeaveStep::Keeping;
            }
            (LeaveStep::Measuring, Input::Recorded(_)) if !self.gone => {
                self.play([Say::Prompt("too-short"), Say::Beep]);
                leave.at = LeaveStep::Greeting;
            }
            (LeaveStep::Measuring, Input::Recorded(_)) => return Stage::Over,
            (LeaveStep::Keeping, Input::Done(_)) if self.gone => return Stage::Over,
            (LeaveStep::Keeping, Input::Done(true)) => {
                return self.last_words([Say::Prompt("saved"), Say::Prompt("goodbye")]);
            }
            (LeaveStep::Keeping, Input::Done(false)) => return self.last_words([Say::Prompt("failed")]),
            (LeaveStep::Opening | LeaveStep::Greeting, Input::HungUp) => return Stage::Over,
            _ => {}
        }
        Stage::Leave(leave)
    }

    fn last_words(&mut self, said: impl Into<Vec<Say>>) -> Stage {
        self.play(said);
        Stage::LastWords
    }

    fn hang_up(&mut self) -> Stage {
        self.order(Output::HangUp);
        Stage::Over
    }
}

#[cfg(test)]
mod tests;
