//! What answers a call that no person answers: echo test, speaking clock, announcements, mailboxes, rooms.
//!
//! A [`Call`] is one caller in one application. It does no I/O: what happens goes in by [`Call::handle`] with the time of day,
//! what shall happen comes out of [`Call::poll_output`], to be emptied after each of them. Who drives it plays, records, keeps
//! messages and watches the clock.
//!
//! ```
//! use selsius_voice::*;
//!
//! let now = jiff::civil::date(2026, 11, 28).at(14, 5, 31, 0);
//! let mut call = Call::new(Application::Clock, Limits::default());
//! call.handle(now, Input::Begin);
//! let Some(Output::Play(said)) = call.poll_output() else { panic!() };
//! let words = pieces(Language::English, &said);
//! assert_eq!(words[..4], ["clock", "2", "oh", "5"].map(Piece::Word));
//! ```
//!
//! | module | what lives there |
//! |---|---|
//! | [`Call`] | the applications, step by step |
//! | [`Room`] | what all callers of a room have in common |
//! | [`Say`], [`pieces`] | numbers, times and counts as words, in each language |
//! | [`Prompts`] | the sounds of the words |
//! | [`Keys`] | one key out of the two ways on which it is told |

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod call;
mod keys;
mod mailbox;
mod prompts;
mod room;
mod say;
mod visit;

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use jiff::civil::DateTime;

pub use call::Call;
pub use keys::{Keys, Way};
pub use prompts::Prompts;
pub use room::{Act, Closed, Member, MemberId, Notice, Role, Room, Rules, Stay};
pub use say::{Language, Piece, Say, pieces};
pub use visit::Access;

/// What a number leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Application {
    /// The caller hears himself.
    Echo,
    /// The time of day.
    Clock,
    /// A file is played.
    Announcement(String),
    /// Somebody listens to his messages: those of this mailbox, which is the caller's own, or he says which.
    Listen(Option<String>),
    /// A message is left in this mailbox.
    Leave(String),
    /// The caller meets others in a room, of which this opens him the door.
    Room(Access),
}

/// A message, as its mailbox names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// Has the owner heard it?
    pub heard: bool,
    /// When it was left, in the office's zone.
    pub at: DateTime,
    /// Who left it; empty if unknown.
    pub caller: String,
}

/// A mailbox, when it is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// Its number.
    pub number: String,
    /// What proves the owner at other phones than his own; without it only his own phone opens it.
    pub pin: Option<String>,
    /// Wrong PINs were entered too often.
    pub locked: bool,
    /// Has it a greeting of its own?
    pub greeting: bool,
    /// No message fits any more.
    pub full: bool,
    /// What is in it, the oldest first.
    pub messages: Vec<Message>,
}

/// Bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest message or greeting.
    pub longest: Duration,
    /// What is shorter is no message.
    pub shortest: Duration,
    /// Wrong PINs in one call.
    pub wrong: u32,
    /// How long somebody may think before a key.
    pub patience: Duration,
    /// The longest call of somebody who only listens: echo, clock.
    pub stay: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(180),
            shortest: Duration::from_secs(1),
            wrong: 3,
            patience: Duration::from_secs(10),
            stay: Duration::from_secs(300),
        }
    }
}

/// Something has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The caller hears us from now on.
    Begin,
    /// He pressed a key.
    Key(char),
    /// What was to be played is over. Not told of what was cut off by something else to play.
    Played,
    /// The time of [`Output::Wait`] is over.
    Timeout,
    /// The answer to [`Output::Open`]; `None` if there is none of that number.
    Mailbox(Option<Mailbox>),
    /// The answer to [`Output::StopRecording`]: so much was recorded.
    Recorded(Duration),
    /// The answer to what was to be kept or changed; `false` if it failed.
    Done(bool),
    /// Something of the room; after [`Output::Enter`] whether he is in it.
    Room(Notice),
    /// The caller has gone.
    HungUp,
}

/// Something shall happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Say this, instead of what is being said. What was to be told by [`Output::Wait`] is not told.
    Play(Vec<Say>),
    /// Say nothing more.
    Silence,
    /// Give the caller back what he says.
    Echo,
    /// Tell when this time is over, instead of what was to be told before.
    Wait(Duration),
    /// Record what the caller says.
    Record,
    /// That is it.
    StopRecording,
    /// Look into a mailbox.
    Open(String),
    /// The recording is a message for this mailbox.
    Keep(String),
    /// The recording is the greeting of this mailbox; `false`: it has none any more.
    SetGreeting(String, bool),
    /// The PIN of this mailbox.
    SetPin(String, String),
    /// The owner has heard a message.
    Heard(String, MessageId),
    /// A message is not wanted any more.
    Delete(String, MessageId),
    /// Somebody entered a wrong PIN for this number.
    WrongPin(String),
    /// The caller comes into the room, as this. What becomes of it comes as [`Input::Room`].
    Enter(Role),
    /// He wants something in it.
    Act(Act),
    /// He is there from now on.
    Stay(Stay),
    /// Others do not hear him, or do again.
    Mute(bool),
    /// He entered a wrong PIN for the room.
    WrongRoomPin,
    /// Send the caller on to this number.
    Redirect(String),
    /// End the call.
    HangUp,
}
