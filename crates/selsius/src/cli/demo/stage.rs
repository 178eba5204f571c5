//! What every scene needs: phones, keys, patience, remarks in the ladder.

use std::{net::SocketAddr, time::Duration};

use selsius_client::{Clock, Options, Phone, Snapshot, Target, Tone};
use selsius_inspect::ladder::Event;
use selsius_media::tone::detect::Content;
use selsius_station::Action;
use selsius_wire::value::CallState;
use tokio::time::{sleep, timeout};

use super::{
    Pace,
    office::Person,
    scribe::{Scribe, Voice},
};
use crate::cli::phone::{key, words};

/// How long anything may take that takes a moment.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The same, of something that comes after much has been said.
const PATIENT: Duration = Duration::from_secs(40);

/// Where a scene is played.
pub(super) struct Stage<'a> {
    pub(super) manager: SocketAddr,
    pub(super) clock: Clock,
    pub(super) scribe: &'a Scribe,
    pub(super) pace: Pace,
    /// Which packets of voice the capture file gets.
    pub(super) voice: Voice,
}

/// Something did not happen: what, and what the phone shows.
pub(super) struct Missing(pub(super) String);

/// What came of a scene.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What was heard, a line each.
    pub(super) heard: Vec<String>,
    /// What the manager recorded, a line each.
    pub(super) recorded: Vec<String>,
    /// What happened, in order.
    pub(super) done: Vec<String>,
    /// What did not.
    pub(super) missing: Vec<String>,
}

impl Told {
    /// What was heard and recorded.
    pub(super) fn text(&self) -> String {
        let lines = |lines: &[String]| match lines {
            [] => "  nothing\n".into(),
            lines => lines.iter().map(|line| format!("  {line}\n")).collect::<String>(),
        };
        let (heard, recorded) = (lines(&self.heard), lines(&self.recorded));
        format!("\nWhat was heard\n{heard}\nThe manager's record\n{recorded}")
    }

    pub(super) fn verdict(&self) -> String {
        let done = self.done.iter().map(|done| format!("✓ {done}\n"));
        let missing = self.missing.iter().map(|missing| format!("✗ missing: {missing}\n"));
        ["\n".into()].into_iter().chain(done).chain(missing).collect()
    }
}

impl Stage<'_> {
    /// A person's phone, which registers by itself.
    pub(super) fn phone(&self, person: &Person) -> Phone {
        let options = Options {
            source: person.source(),
            clock: self.clock,
            tap: Some(self.scribe.tap(person, self.clock, self.voice)),
            ..Options::default()
        };
        Phone::start(Target::from(self.manager), person.config(), options)
    }

    /// A remark across the page.
    pub(super) fn note(&self, words: &str) {
        self.scribe.draw(Event::note(self.clock.now(), None, words));
    }

    /// Voice between two columns.
    pub(super) fn stream(&self, columns: (usize, usize), words: String) {
        self.scribe.draw(Event::stream(self.clock.now(), columns, words));
    }

    pub(super) async fn act(&self, person: &Person, phone: &Phone, action: Action) -> Result<(), Missing> {
        let done = phone.act(action.clone()).await;
        done.map_err(|error| Missing(format!("{}: {action:?}: {error}", person.name)))
    }

    /// Lifts, waits for the dial tone and dials.
    pub(super) async fn call(&self, person: &Person, phone: &mut Phone, number: &str) -> Result<(), Missing> {
        self.act(person, phone, Action::OffHook).await?;
        self.wait(person, phone, "dialtone", in_state("dialtone")).await?;
        self.keys(person, phone, number).await
    }

    /// Presses keys as a person does.
    pub(super) async fn keys(&self, person: &Person, phone: &Phone, keys: &str) -> Result<(), Missing> {
        for digit in keys.chars().filter_map(key) {
            sleep(self.pace.key).await;
            self.act(person, phone, Action::Digit(digit)).await?;
        }
        Ok(())
    }

    pub(super) async fn wait(
        &self,
        person: &Person,
        phone: &mut Phone,
        what: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Result<(), Missing> {
        self.wait_for(PATIENCE, person, phone, what, holds).await
    }

    /// Listens to somebody who talks for a while, until this holds.
    pub(super) async fn listen(
        &self,
        person: &Person,
        phone: &mut Phone,
        what: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Result<(), Missing> {
        self.wait_for(PATIENT, person, phone, what, holds).await
    }

    async fn wait_for(
        &self,
        patience: Duration,
        person: &Person,
        phone: &mut Phone,
        what: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Result<(), Missing> {
        if let Ok(Ok(_)) = timeout(patience, phone.wait_until(holds)).await {
            return Ok(());
        }
        let shown = words::display(person.device, &phone.now()).replace('\n', "\n    ");
        Err(Missing(format!("{}: {what}; the phone shows\n    {shown}", person.name)))
    }

    /// Puts the handset back and waits until the phone is as before.
    pub(super) async fn hang_up(&self, person: &Person, phone: &mut Phone) -> Result<(), Missing> {
        self.act(person, phone, Action::OnHook).await?;
        self.wait(person, phone, "idle", in_state("idle")).await
    }
}

/// The tone of so many Hz that a phone has heard, its time in all.
pub(super) fn tone(now: &Snapshot, frequency: u16) -> Option<Tone> {
    let near = |tone: &&Tone| match tone.content {
        Content::Single(peak) => (peak.frequency - f32::from(frequency)).abs() < 5.0,
        _ => false,
    };
    now.voice.tones.iter().filter(near).max_by_key(|tone| tone.lasted).copied()
}

/// A tone in words: `440 Hz for 3.0 s at -10.0 dBm0`.
pub(super) fn tone_words(tone: &Tone) -> String {
    let (what, seconds) = (tone.content, tone.lasted.as_secs_f64());
    match what {
        Content::Single(peak) => format!("{what} for {seconds:.1} s at {:.1} dBm0", peak.level.as_dbm0()),
        _ => format!("{what} for {seconds:.1} s"),
    }
}

/// Whether a phone is in a state of this name.
pub(super) fn in_state(name: &str) -> impl Fn(&Snapshot) -> bool + use<> {
    let situation = words::Situation::from_name(name).expect("the names stand in words.rs");
    move |now| situation.is_now(&now.face)
}

/// Whether a call is there for its user to talk in, to answer or to wait for.
pub(super) fn is_up(state: CallState) -> bool {
    use CallState as S;
    matches!(state, S::Connected | S::RingIn | S::RingOut | S::Proceed | S::Hold)
}
