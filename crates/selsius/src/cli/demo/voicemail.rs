//! A message in a mailbox: left by Alice while Bob is away, heard by Bob.

use std::{net::SocketAddr, time::Duration};

use selsius_client::{Phone, Snapshot};
use selsius_server::Server;
use selsius_wire::value::LampMode;
use tokio::time::sleep;

use super::{
    office::{ALICE, BOB, DEVICES, MANAGER},
    report,
    stage::{Missing, PATIENCE, Stage, Told, tone, tone_words},
};

/// Alice and Bob, whose calls go to his mailbox while his phone is not there; without the phones.
const SITE: &str = r#"
[settings]
name = "selsius demo"
voicemail = "1999"

[trunks.house]
kind = "services"

[routes.1999]
trunks = ["house"]

[applications.1999]
kind = "mailbox"

[lines.1001]
name = "Alice"

[lines.1002]
name = "Bob"
forward-unregistered = "1999"
"#;

/// Before a recording.
const BEEP: u16 = 1000;
/// What is shorter is no message.
const LEAST: Duration = Duration::from_millis(2000);
/// What comes between keys, and what a detector needs, are no part of what is heard for sure.
const UNSURE: Duration = Duration::from_millis(600);
/// Speech is louder than this.
const SPEECH: f32 = -40.0;

pub(super) fn site() -> String {
    [SITE, DEVICES].concat()
}

pub(super) fn introduction(manager: SocketAddr) -> String {
    let (alice, bob) = (ALICE.introduction(), BOB.introduction());
    format!(
        "A manager on {manager} with mailboxes on 1999, and two phones, of which one is not there yet:\n{alice}{bob}"
    )
}

pub(super) async fn play(stage: &Stage<'_>, server: &Server) -> anyhow::Result<Told> {
    let mut told = Told::default();
    let said = stage.pace.talk.max(LEAST);
    let mut alice = stage.phone(&ALICE);
    let left = leave(stage, &mut alice, said, &mut told).await;
    alice.hang_up_and_leave(PATIENCE).await;
    let heard = match left {
        Ok(()) => {
            let mut bob = stage.phone(&BOB);
            let heard = hear(stage, &mut bob, said, &mut told).await;
            bob.hang_up_and_leave(PATIENCE).await;
            heard
        }
        missing => missing,
    };
    told.missing.extend(heard.err().map(|Missing(what)| what));
    let records = report::records(server, |calls| calls.len() == 2).await?;
    told.recorded.extend(records.iter().map(|record| report::call_words(&record.call)));
    if records.len() != 2 {
        told.missing.push("the records of both calls".into());
    }
    Ok(told)
}

/// Alice calls Bob, and talks to his mailbox.
async fn leave(stage: &Stage<'_>, alice: &mut Phone, said: Duration, told: &mut Told) -> Result<(), Missing> {
    stage.note("Alice's phone registers, Bob's does not");
    stage.wait(&ALICE, alice, "registered", |now| now.face.registered).await?;
    stage.note(&format!("Alice calls {}", BOB.number));
    stage.call(&ALICE, alice, BOB.number).await?;
    stage.wait(&ALICE, alice, "the greeting", speech).await?;
    stage.stream((ALICE.column, MANAGER), "the greeting".into());
    stage.listen(&ALICE, alice, "the beep", |now| now.voice.hears(BEEP)).await?;
    stage.stream((ALICE.column, MANAGER), format!("a beep, and then {} Hz from Alice", ALICE.voice));
    told.heard.push(format!("{:<6} {}  a greeting, and a beep of {BEEP} Hz", ALICE.name, ALICE.number));
    sleep(said).await;
    stage.note("Alice presses # and hangs up");
    stage.keys(&ALICE, alice, "#").await?;
    // What follows a recording is said when it is on the disk.
    stage.wait(&ALICE, alice, "that the message is kept", speech).await?;
    stage.hang_up(&ALICE, alice).await?;
    told.done.push(format!("Alice heard the greeting and the beep, and left {} Hz", ALICE.voice));
    Ok(())
}

/// Bob comes, sees the lamp, and listens.
async fn hear(stage: &Stage<'_>, bob: &mut Phone, said: Duration, told: &mut Told) -> Result<(), Missing> {
    stage.note("Bob's phone registers");
    stage.wait(&BOB, bob, "registered", |now| now.face.registered).await?;
    stage.wait(&BOB, bob, "the lamp for messages", |now| now.face.message_lamp == LampMode::On).await?;
    told.done.push("when Bob's phone came its lamp for messages was lit".into());
    stage.note("Bob calls 1999");
    stage.call(&BOB, bob, "1999").await?;
    let expected = said.saturating_sub(UNSURE);
    let heard = stage.listen(&BOB, bob, "Alice's tone for as long as she said it", |now| {
        tone(now, ALICE.voice).is_some_and(|tone| tone.lasted >= expected)
    });
    heard.await?;
    stage.stream((BOB.column, MANAGER), format!("{} Hz, the message", ALICE.voice));
    stage.note("Bob presses 3, which deletes it, and hangs up");
    stage.keys(&BOB, bob, "3").await?;
    stage.wait(&BOB, bob, "the lamp out", |now| now.face.message_lamp != LampMode::On).await?;
    if let Some(tone) = tone(&bob.now(), ALICE.voice) {
        told.heard.push(format!("{:<6} {}  {}", BOB.name, BOB.number, tone_words(&tone)));
    }
    stage.hang_up(&BOB, bob).await?;
    told.done
        .push(format!("Bob heard Alice's {} Hz, deleted the message, and the lamp went out", ALICE.voice));
    stage.note("the phone leaves");
    Ok(())
}

fn speech(now: &Snapshot) -> bool {
    now.voice.level.is_some_and(|level| level.as_dbm0() > SPEECH)
}
