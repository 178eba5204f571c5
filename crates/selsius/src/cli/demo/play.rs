//! The call: lift, dial, ring, answer, talk, hang up.

use std::time::Duration;

use selsius_client::{Options, Phone, Snapshot, StreamReport, Target};
use selsius_inspect::ladder::Event;
use selsius_station::Action;
use tokio::time::{sleep, timeout};

use super::{
    Pace,
    office::{Office, Person},
    scribe::Scribe,
};
use crate::cli::phone::{key, words};

/// How long anything may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call on its way.
pub(super) struct Play<'a> {
    office: &'a Office,
    scribe: &'a Scribe,
    pace: Pace,
}

/// What became of the call.
#[derive(Default)]
pub(super) struct Played {
    /// What happened, in order.
    pub(super) done: Vec<String>,
    /// What did not happen; nothing after it was tried.
    pub(super) missing: Option<String>,
    pub(super) alice: StreamReport,
    pub(super) bob: StreamReport,
}

/// Something did not happen: what, and what the phone shows.
struct Missing(String);

impl<'a> Play<'a> {
    pub(super) fn new(office: &'a Office, scribe: &'a Scribe, pace: Pace) -> Self {
        Self { office, scribe, pace }
    }

    pub(super) async fn call(self) -> Played {
        let mut played = Played::default();
        let mut alice = self.phone(&self.office.alice);
        let mut bob = self.phone(&self.office.bob);
        if let Err(Missing(what)) = self.talk(&mut alice, &mut bob, &mut played).await {
            played.missing = Some(what);
        }
        (played.alice, played.bob) = (alice.now().voice, bob.now().voice);
        alice.hang_up_and_leave(PATIENCE).await;
        bob.hang_up_and_leave(PATIENCE).await;
        played
    }

    async fn talk(&self, alice: &mut Phone, bob: &mut Phone, played: &mut Played) -> Result<(), Missing> {
        let Office { alice: caller, bob: called, .. } = self.office;

        self.note("the phones register");
        self.wait(caller, alice, "registered", |now| now.face.registered).await?;
        self.wait(called, bob, "registered", |now| now.face.registered).await?;
        played.done.push("both phones registered".into());

        let dialed = self.office.dialed();
        self.note(&format!("Alice lifts her handset and dials {dialed}"));
        self.act(caller, alice, Action::OffHook).await?;
        self.wait(caller, alice, "dialtone", in_state("dialtone")).await?;
        for digit in dialed.chars().filter_map(key) {
            sleep(self.pace.key).await;
            self.act(caller, alice, Action::Digit(digit)).await?;
        }
        self.wait(caller, alice, "ringback", in_state("ringback")).await?;
        self.wait(called, bob, "ringing", in_state("ringing")).await?;
        let shown = |now: &Snapshot| {
            now.face
                .calls
                .iter()
                .any(|call| call.calling_name == caller.name && call.calling_number == caller.number)
        };
        self.wait(called, bob, "Alice's name and number on the display", shown).await?;
        played
            .done
            .push("Alice heard dial tone and ringback, Bob's phone rang and showed \"Alice\" 1001".into());

        sleep(self.pace.ring).await;
        self.note("Bob answers");
        self.act(called, bob, Action::OffHook).await?;
        self.wait(caller, alice, "connected", in_state("connected")).await?;
        self.wait(called, bob, "connected", in_state("connected")).await?;
        self.wait(caller, alice, "Bob's voice", |now| now.voice.hears(called.voice)).await?;
        self.wait(called, bob, "Alice's voice", |now| now.voice.hears(caller.voice)).await?;
        let codec = alice.now().voice.codec.map(|codec| codec.to_string()).unwrap_or_default();
        let words = format!("RTP {codec}, {} Hz from Alice, {} Hz from Bob", caller.voice, called.voice);
        let columns = (caller.column, called.column);
        self.scribe.draw(Event::stream(self.office.clock.now(), columns, words));
        played.done.push("Bob answered, and they heard each other".into());

        sleep(self.pace.talk).await;
        self.note("Alice hangs up");
        self.act(caller, alice, Action::OnHook).await?;
        self.wait(caller, alice, "idle", in_state("idle")).await?;
        // Bob's phone is still off the hook: what he hears tells him that it is over.
        self.wait(called, bob, "the end of the call", |now| {
            now.face.calls.iter().all(|call| !is_up(call.state))
        })
        .await?;
        if bob.now().face.off_hook {
            self.act(called, bob, Action::OnHook).await?;
        }
        self.wait(called, bob, "idle", in_state("idle")).await?;
        played.done.push("after Alice hung up both phones were idle as before".into());
        self.note("the phones leave");
        Ok(())
    }

    fn phone(&self, person: &Person) -> Phone {
        let options = Options {
            source: person.source(),
            clock: self.office.clock,
            tap: Some(self.scribe.tap(person, self.office.clock)),
            ..Options::default()
        };
        Phone::start(Target::from(self.office.manager), person.config(), options)
    }

    fn note(&self, words: &str) {
        self.scribe.draw(Event::note(self.office.clock.now(), None, words));
    }

    async fn act(&self, person: &Person, phone: &Phone, action: Action) -> Result<(), Missing> {
        let done = phone.act(action.clone()).await;
        done.map_err(|error| Missing(format!("{}: {action:?}: {error}", person.name)))
    }

    async fn wait(
        &self,
        person: &Person,
        phone: &mut Phone,
        what: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Result<(), Missing> {
        if let Ok(Ok(_)) = timeout(PATIENCE, phone.wait_until(holds)).await {
            return Ok(());
        }
        let shown = words::display(person.device, &phone.now()).replace('\n', "\n    ");
        Err(Missing(format!("{}: {what}; the phone shows\n    {shown}", person.name)))
    }
}

fn in_state(name: &str) -> impl Fn(&Snapshot) -> bool + use<> {
    let situation = words::Situation::from_name(name).expect("the names stand in words.rs");
    move |now| situation.is_now(&now.face)
}

fn is_up(state: selsius_wire::value::CallState) -> bool {
    use selsius_wire::value::CallState as S;
    matches!(state, S::Connected | S::RingIn | S::RingOut | S::Proceed | S::Hold)
}
