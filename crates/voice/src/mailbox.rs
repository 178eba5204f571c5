//! The owner of a mailbox listens to his messages, and sets it up.

use alloc::{string::String, vec, vec::Vec};
use core::mem;

use jiff::civil::DateTime;

use crate::{Call, Input, Mailbox, Message, Output, Say, call::Step};

/// The owner's dialogue.
#[derive(Debug)]
pub(crate) struct Owner {
    at: At,
    mailbox: Mailbox,
    /// Only at his own phone nothing has to be proved.
    own: bool,
    /// Who only knows the PIN calls nobody at the office's expense.
    calls_back: bool,
    /// What he has typed so far.
    typed: String,
    wrong: u32,
    /// The messages that are still to be heard, the next one last.
    left: Vec<Message>,
    /// How many were announced.
    number: u32,
    /// He was asked that often without an answer.
    silent: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// He is asked for the number of his mailbox.
    Number,
    /// The mailbox is looked for; with the PIN that he typed.
    Opening(Option<String>),
    Pin,
    Menu,
    /// A message is played, or he is asked what to do with it.
    Message(Message, Asked),
    Greeting,
    /// The words before the recording.
    GreetingWords,
    GreetingRecording,
    GreetingMeasuring,
    GreetingDone,
    NewPin,
    PinAgain(String),
    /// Something is written down; then this is said and the menu follows.
    Writing(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
}

/// Nobody has a longer number, or PIN.
const MOST_TYPED: usize = 24;
/// How often somebody who does nothing is asked again.
const MOST_SILENT: u32 = 2;

impl Owner {
    pub(crate) fn new(call: &mut Call, own: Option<String>) -> Self {
        let mut owner = Self {
            at: At::Number,
            mailbox: Mailbox::default(),
            own: own.is_some(),
            calls_back: own.is_some(),
            typed: String::new(),
            wrong: 0,
            left: Vec::new(),
            number: 0,
            silent: 0,
        };
        match own {
            Some(number) => {
                owner.mailbox.number.clone_from(&number);
                owner.at = At::Opening(None);
                call.order(Output::Open(number));
            }
            None => call.play([Say::Prompt("enter-mailbox")]),
        }
        owner
    }

    pub(crate) fn handle(&mut self, call: &mut Call, now: DateTime, input: Input) -> Step {
        match input {
            Input::HungUp => return Step::Ends,
            Input::Key(key) => {
                self.silent = 0;
                return self.key(call, now, key);
            }
            Input::Mailbox(mailbox) => return self.opened(call, now, mailbox),
            Input::Played => return self.played(call),
            Input::Timeout => return self.timeout(call, now),
            Input::Recorded(length) if self.at == At::GreetingMeasuring => {
                if length < call.limits.shortest {
                    call.play([Say::Prompt("too-short"), Say::Beep]);
                    self.at = At::GreetingWords;
                } else {
                    call.play([Say::Recording, Say::Prompt("greeting-done")]);
                    self.at = At::GreetingDone;
                }
            }
            Input::Done(done) => {
                if let At::Writing(said) = self.at {
                    self.menu(call, [Say::Prompt(if done { said } else { "failed" })]);
                }
            }
            Input::Recorded(_) | Input::Begin | Input::Room(_) => {}
        }
        Step::Stays
    }

    fn key(&mut self, call: &mut Call, now: DateTime, key: char) -> Step {
        match (&self.at, key) {
            (At::Number | At::Pin | At::NewPin | At::PinAgain(_), '0'..='9') => {
                if self.typed.len() < MOST_TYPED {
                    self.typed.push(key);
                }
                // He has begun: what is said disturbs him.
                call.order(Output::Silence);
                call.order(Output::Wait(call.limits.patience));
            }
            (At::Number, '#') => {
                self.mailbox = Mailbox { number: mem::take(&mut self.typed), ..Mailbox::default() };
                self.ask_pin(call);
            }
            (At::Pin, '#') => {
                self.at = At::Opening(Some(mem::take(&mut self.typed)));
                call.order(Output::Open(self.mailbox.number.clone()));
            }
            (At::NewPin, '#') => match self.typed.len() {
                4..=10 => {
                    self.at = At::PinAgain(mem::take(&mut self.typed));
                    call.play([Say::Prompt("pin-again")]);
                }
                _ => self.new_pin(call, vec![Say::Prompt("wrong")]),
            },
            (At::PinAgain(first), '#') if *first == self.typed => {
                call.order(Output::SetPin(self.mailbox.number.clone(), mem::take(&mut self.typed)));
                self.at = At::Writing("pin-saved");
            }
            (At::PinAgain(_), '#') => self.new_pin(call, vec![Say::Prompt("wrong")]),
            (At::NewPin | At::PinAgain(_) | At::Greeting | At::GreetingDone | At::Message(..), '*') => {
                self.typed.clear();
                self.heard(call);
                self.menu(call, []);
            }
            // Somebody else at this phone, or at another of his mailboxes.
            (At::Menu, '*') => {
                self.own = false;
                self.calls_back = false;
                self.typed.clear();
                call.play([Say::Prompt("enter-mailbox")]);
                self.at = At::Number;
            }
            (At::Menu, '1') => {
                call.order(Output::Open(self.mailbox.number.clone()));
                self.at = At::Opening(None);
            }
            (At::Menu | At::GreetingDone, '2') => self.greeting_key(call),
            (At::Menu, '3') => self.new_pin(call, Vec::new()),
            (At::Message(message, _), '1') => {
                let message = message.clone();
                call.play([Say::Message(message.id), Say::Pause(500)]);
                self.at = At::Message(message, Asked::No);
            }
            (At::Message(..), '2' | '#') => {
                self.heard(call);
                self.next(call, now, vec![Say::Prompt("kept")]);
            }
            (At::Message(message, _), '3') => {
                call.order(Output::Delete(self.mailbox.number.clone(), message.id));
                self.next(call, now, vec![Say::Prompt("deleted")]);
            }
            (At::Message(..), '4') if !self.calls_back => call.play([Say::Prompt("failed")]),
            (At::Message(message, _), '4') if message.caller.is_empty() => {
                call.play([Say::Prompt("cannot-call-back")]);
            }
            (At::Message(message, _), '4') => {
                let number = message.caller.clone();
                self.heard(call);
                call.order(Output::Redirect(number));
                return Step::Ends;
            }
            (At::Greeting, '1') => self.record_greeting(call),
            (At::Greeting, '2') if self.mailbox.greeting => {
                call.play([Say::Greeting(self.mailbox.number.clone()), Say::Prompt("greeting-menu")]);
            }
            (At::Greeting, '2') => call.play([Say::Prompt("no-greeting"), Say::Prompt("greeting-menu")]),
            (At::Greeting, '3') => self.set_greeting(call, false),
            (At::GreetingRecording, '#') => {
                call.order(Output::StopRecording);
                self.at = At::GreetingMeasuring;
            }
            (At::GreetingDone, '1') => self.set_greeting(call, true),
            _ => {}
        }
        Step::Stays
    }

    fn greeting_key(&mut self, call: &mut Call) {
        if self.at == At::GreetingDone {
            return self.record_greeting(call);
        }
        call.play([Say::Prompt("greeting-menu")]);
        self.at = At::Greeting;
    }

    fn record_greeting(&mut self, call: &mut Call) {
        call.play([Say::Prompt("record-greeting"), Say::Beep]);
        self.at = At::GreetingWords;
    }

    fn set_greeting(&mut self, call: &mut Call, own: bool) {
        call.order(Output::SetGreeting(self.mailbox.number.clone(), own));
        self.mailbox.greeting = own;
        self.at = At::Writing("greeting-saved");
    }

    fn new_pin(&mut self, call: &mut Call, mut said: Vec<Say>) {
        self.typed.clear();
        said.push(Say::Prompt("new-pin"));
        call.play(said);
        self.at = At::NewPin;
    }

    fn ask_pin(&mut self, call: &mut Call) {
        self.typed.clear();
        call.play([Say::Prompt("enter-pin")]);
        self.at = At::Pin;
    }

    /// The mailbox is known, or that there is none. Who has to prove something hears the same in both cases.
    fn opened(&mut self, call: &mut Call, now: DateTime, mailbox: Option<Mailbox>) -> Step {
        let At::Opening(typed) = mem::replace(&mut self.at, At::Menu) else { return Step::Stays };
        if let Some(typed) = typed {
            let locked = mailbox.as_ref().is_some_and(|mailbox| mailbox.locked);
            let right = |mailbox: &&Mailbox| mailbox.pin.as_ref() == Some(&typed);
            if locked {
                return Step::Says(vec![Say::Prompt("locked")]);
            }
            if mailbox.as_ref().filter(right).is_none() {
                self.wrong += 1;
                call.order(Output::WrongPin(self.mailbox.number.clone()));
                if self.wrong >= call.limits.wrong {
                    return Step::Says(vec![Say::Prompt("wrong"), Say::Prompt("goodbye")]);
                }
                call.play([Say::Prompt("wrong"), Say::Prompt("enter-mailbox")]);
                self.at = At::Number;
                return Step::Stays;
            }
            self.own = true;
        }
        let Some(mailbox) = mailbox.filter(|_| self.own) else {
            return Step::Says(vec![Say::Prompt("no-mailbox")]);
        };
        self.mailbox = mailbox;
        let mut messages = mem::take(&mut self.mailbox.messages);
        let count = |heard| messages.iter().filter(|message| message.heard == heard).count();
        let [new, old] = [count(false), count(true)].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let mut said =
            vec![Say::Prompt("you-have"), Say::Count(new, "new-message", "new-messages"), Say::Prompt("and")];
        said.push(Say::Count(old, "saved-message", "saved-messages"));
        // New ones come first, and of those the oldest: the list is read from its end.
        messages.sort_by_key(|message| (!message.heard, core::cmp::Reverse(message.id)));
        self.left = messages;
        self.number = 0;
        if self.left.is_empty() {
            self.menu(call, said);
        } else {
            self.next(call, now, said);
        }
        Step::Stays
    }

    /// The next message, after these words.
    fn next(&mut self, call: &mut Call, now: DateTime, mut said: Vec<Say>) {
        let Some(message) = self.left.pop() else {
            said.push(Say::Prompt("no-more"));
            return self.menu(call, said);
        };
        self.number += 1;
        said.extend([
            Say::Prompt("message"),
            Say::Number(self.number),
            Say::Prompt("received"),
            Say::Day(message.at.date(), now.date()),
            Say::Prompt("at"),
            Say::Time(message.at.time()),
            Say::Prompt("from"),
        ]);
        said.push(match message.caller.is_empty() {
            true => Say::Prompt("unknown"),
            false => Say::Digits(message.caller.clone()),
        });
        said.extend([Say::Pause(300), Say::Message(message.id), Say::Pause(500)]);
        call.play(said);
        self.at = At::Message(message, Asked::No);
    }

    /// The present message counts as heard.
    fn heard(&mut self, call: &mut Call) {
        if let At::Message(message, _) = &mut self.at
            && !mem::replace(&mut message.heard, true)
        {
            call.order(Output::Heard(self.mailbox.number.clone(), message.id));
        }
    }

    fn menu(&mut self, call: &mut Call, said: impl IntoIterator<Item = Say>) {
        let mut said: Vec<Say> = said.into_iter().collect();
        said.push(Say::Prompt("main-menu"));
        call.play(said);
        self.at = At::Menu;
    }

    /// What was said is over.
    fn played(&mut self, call: &mut Call) -> Step {
        match &mut self.at {
            At::GreetingWords => {
                call.order(Output::Record);
                call.order(Output::Wait(call.limits.longest));
                self.at = At::GreetingRecording;
            }
            At::Message(_, asked) if *asked == Asked::No => {
                *asked = Asked::Yes;
                self.heard(call);
                call.play([Say::Prompt("message-menu")]);
            }
            _ => call.order(Output::Wait(call.limits.patience)),
        }
        Step::Stays
    }

    /// Nothing has come for a while: he is asked again, a few times.
    fn timeout(&mut self, call: &mut Call, now: DateTime) -> Step {
        if self.at == At::GreetingRecording {
            return self.key(call, now, '#');
        }
        self.silent += 1;
        if self.silent > MOST_SILENT {
            return Step::Says(vec![Say::Prompt("goodbye")]);
        }
        let again = match &self.at {
            At::Number => "enter-mailbox",
            At::Pin => "enter-pin",
            At::Menu => "main-menu",
            At::Message(..) => "message-menu",
            At::Greeting => "greeting-menu",
            At::GreetingDone => "greeting-done",
            At::NewPin => "new-pin",
            At::PinAgain(_) => "pin-again",
            At::Opening(_)
            | At::GreetingWords
            | At::GreetingRecording
            | At::GreetingMeasuring
            | At::Writing(_) => {
                return Step::Stays;
            }
        };
        call.play([Say::Prompt(again)]);
        Step::Stays
    }
}
