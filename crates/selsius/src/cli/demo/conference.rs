//! A conference of three, and what is in the sound that each of them gets.

use std::{fs::File, net::SocketAddr, path::Path, time::Duration};

use anyhow::Context;
use selsius_client::{Phone, Snapshot};
use selsius_media::tone::detect::{BLOCK, Content, level_at};
use selsius_server::Server;
use selsius_station::{Action, ModelClass};
use tokio::time::sleep;

use super::{
    office::{self, ALICE, BOB, Person},
    report,
    stage::{Missing, PATIENCE, Stage, Told, in_state},
};

const CAROL: Person = Person {
    name: "Carol",
    number: "1003",
    device: "SEP020000001003",
    model: "7960",
    class: ModelClass::P7960,
    voice: 1700,
    column: 3,
};

pub(super) const PEOPLE: [Person; 3] = [ALICE, BOB, CAROL];

/// What is added for Carol.
const THIRD: &str = r#"
[lines.1003]
name = "Carol"

[devices.SEP020000001003]
model = "7960"
buttons = [{ line = "1003" }]
"#;

/// Who talks is no softer than this to the others, though their voices are added; in dBm0.
const PRESENT: f32 = -25.0;
/// One's own voice is softer than this: what is left of it is what coding adds everywhere.
const ABSENT: f32 = -50.0;
/// What is analysed of a recording, from its end: whole blocks, all of the conference.
const ANALYSED: usize = 5;
/// At least so much is recorded.
const LEAST: Duration = Duration::from_millis(1000);

pub(super) fn site() -> String {
    [&office::site(false), THIRD].concat()
}

pub(super) fn introduction(manager: SocketAddr) -> String {
    let people: String = PEOPLE.iter().map(Person::introduction).collect();
    format!("A manager on {manager}, and three phones:\n{people}")
}

pub(super) async fn play(stage: &Stage<'_>, server: &Server, folder: &Path) -> anyhow::Result<Told> {
    let mut told = Told::default();
    let mut phones = PEOPLE.map(|person| stage.phone(&person));
    let met = meet(stage, &mut phones, &mut told).await;
    if met.is_ok() {
        listen(stage, &phones, folder, &mut told).await?;
    }
    let parted = match met {
        Ok(()) => part(stage, &mut phones, &mut told).await,
        missing => missing,
    };
    told.missing.extend(parted.err().map(|Missing(what)| what));
    for phone in phones {
        phone.hang_up_and_leave(PATIENCE).await;
    }
    let records = report::records(server, |calls| calls.len() == 2).await?;
    told.recorded.extend(records.iter().map(|record| report::call_words(&record.call)));
    if records.len() != 2 {
        told.missing.push("the records of both calls".into());
    }
    Ok(told)
}

/// Alice calls Bob, then Carol, and puts all together.
async fn meet(stage: &Stage<'_>, phones: &mut [Phone; 3], told: &mut Told) -> Result<(), Missing> {
    let [alice, bob, carol] = phones;
    stage.note("the phones register");
    for (person, phone) in PEOPLE.iter().zip([&mut *alice, &mut *bob, &mut *carol]) {
        stage.wait(person, phone, "registered", |now| now.face.registered).await?;
    }
    stage.note("Alice calls Bob");
    stage.call(&ALICE, alice, BOB.number).await?;
    answer(stage, &BOB, bob).await?;
    stage.wait(&ALICE, alice, "Bob's voice", |now| now.voice.hears(BOB.voice)).await?;
    stage.note("Alice presses Confrn and calls Carol");
    stage.act(&ALICE, alice, Action::SoftKey("Confrn".into())).await?;
    stage.wait(&ALICE, alice, "dialtone", in_state("dialtone")).await?;
    stage.keys(&ALICE, alice, CAROL.number).await?;
    answer(stage, &CAROL, carol).await?;
    stage.wait(&ALICE, alice, "Carol's voice", |now| now.voice.hears(CAROL.voice)).await?;
    stage.note("Alice presses Confrn again: all three are together");
    stage.act(&ALICE, alice, Action::SoftKey("Confrn".into())).await?;
    for (at, phone) in [alice, bob, carol].into_iter().enumerate() {
        let person = &PEOPLE[at];
        let [one, other] = others(at);
        let what = format!("{} and {}", one.name, other.name);
        stage.wait(person, phone, &what, |now| hears_both(now, one, other)).await?;
    }
    for person in [&ALICE, &BOB, &CAROL] {
        let words = format!("{} Hz; the others mixed", person.voice);
        stage.stream((person.column, office::MANAGER), words);
    }
    told.done.push("Alice put Bob and Carol into a conference, and each heard two voices".into());
    Ok(())
}

async fn answer(stage: &Stage<'_>, person: &Person, phone: &mut Phone) -> Result<(), Missing> {
    stage.wait(person, phone, "ringing", in_state("ringing")).await?;
    sleep(stage.pace.ring).await;
    stage.note(&format!("{} answers", person.name));
    stage.act(person, phone, Action::OffHook).await?;
    stage.wait(person, phone, "connected", in_state("connected")).await
}

/// Records what each of them hears for a while, and says what is in it.
async fn listen(
    stage: &Stage<'_>,
    phones: &[Phone; 3],
    folder: &Path,
    told: &mut Told,
) -> anyhow::Result<()> {
    let file = |person: &Person| folder.join(format!("{}.wav", person.name));
    for (person, phone) in PEOPLE.iter().zip(phones) {
        phone.record(Some(file(person))).await.context("a phone is gone")??;
    }
    sleep(stage.pace.talk.max(LEAST)).await;
    for phone in phones {
        phone.record(None).await.context("a phone is gone")??;
    }
    for (at, person) in PEOPLE.iter().enumerate() {
        let path = file(person);
        let samples = samples(&path).with_context(|| format!("cannot read {}", path.display()))?;
        judge(at, &samples, told);
    }
    Ok(())
}

fn samples(path: &Path) -> Result<Vec<i16>, hound::Error> {
    hound::WavReader::new(File::open(path)?)?.into_samples().collect()
}

/// Says how loud everybody is in what one of them heard, and whether that is as it should be.
fn judge(at: usize, samples: &[i16], told: &mut Told) {
    let listener = &PEOPLE[at];
    let blocks: Vec<&[i16]> = samples.rchunks_exact(BLOCK).take(ANALYSED).collect();
    if blocks.len() < ANALYSED {
        let millis = samples.len() / 8;
        return told.missing.push(format!("{} heard {millis} ms only", listener.name));
    }
    // The block in the middle: a busy machine may be late with a packet.
    let level = |person: &Person| {
        let mut levels: Vec<_> = blocks.iter().map(|block| level_at(block, person.voice).as_dbm0()).collect();
        levels.sort_by(f32::total_cmp);
        levels.get(ANALYSED / 2).copied().unwrap_or(f32::NEG_INFINITY)
    };
    let [one, other] = others(at);
    let [one_level, other_level, own] = [level(one), level(other), level(listener)];
    told.heard.push(format!(
        "{:<6} {}  {} ({} Hz) at {one_level:.1} dBm0, {} ({} Hz) at {other_level:.1} dBm0; of the own {} Hz {own:.1} dBm0",
        listener.name, listener.number, one.name, one.voice, other.name, other.voice, listener.voice,
    ));
    let before = told.missing.len();
    for (talker, level) in [(one, one_level), (other, other_level)] {
        if level < PRESENT {
            told.missing.push(format!("{} in what {} heard", talker.name, listener.name));
        }
    }
    if own > ABSENT {
        told.missing.push(format!("silence of {0}'s own voice in what {0} heard", listener.name));
    }
    if told.missing.len() == before {
        told.done
            .push(format!("{0} heard {1} and {2}, and nothing of {0}", listener.name, one.name, other.name));
    }
}

/// Alice leaves: the other two go on.
async fn part(stage: &Stage<'_>, phones: &mut [Phone; 3], told: &mut Told) -> Result<(), Missing> {
    let [alice, bob, carol] = phones;
    stage.note("Alice hangs up: Bob and Carol talk to each other directly");
    stage.hang_up(&ALICE, alice).await?;
    stage.wait(&BOB, bob, "Carol's voice alone", |now| now.voice.hears(CAROL.voice)).await?;
    stage.wait(&CAROL, carol, "Bob's voice alone", |now| now.voice.hears(BOB.voice)).await?;
    stage.stream((BOB.column, CAROL.column), format!("{} Hz and {} Hz", BOB.voice, CAROL.voice));
    told.done.push("when Alice had left Bob and Carol heard each other alone".into());
    stage.note("the phones leave");
    Ok(())
}

fn others(at: usize) -> [&'static Person; 2] {
    match at {
        0 => [&BOB, &CAROL],
        1 => [&ALICE, &CAROL],
        _ => [&ALICE, &BOB],
    }
}

/// Whether these two tones are heard, and nothing else.
fn hears_both(now: &Snapshot, one: &Person, other: &Person) -> bool {
    let near = |heard: f32, person: &Person| (heard - f32::from(person.voice)).abs() < 5.0;
    matches!(now.voice.heard, Some(Content::Dual(low, high)) if near(low.frequency, one) && near(high.frequency, other))
}
