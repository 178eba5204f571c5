//! Meet-me rooms. Each phone says a tone of its own, and the others recognise it.

use std::time::Duration;

use selsius_client::{AudioSource, Options, Phone, Snapshot};
use selsius_media::tone::detect::{Content, level_of};
use selsius_server::api::Room;
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::support::{Manager, until};

/// 1990 is open to everybody, 1991 asks for a PIN, 1992 waits for its moderator.
const OFFICE: &str = r#"
[settings]
codecs = ["pcmu", "pcma"]
[trunks.house]
kind = "services"
[routes."199X"]
trunks = ["house"]
[applications.1990]
kind = "room"
[applications.1991]
kind = "room"
pin = "4711"
moderator-pin = "9999"
entry-tones = false
[applications.1992]
kind = "room"
wait-for-moderator = true
[lines.1001]
[lines.1002]
[lines.1003]
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }, { feature = "meet-me" }]
[devices.SEP020000001002]
model = "7960"
buttons = [{ line = "1002" }]
[devices.SEP020000001003]
model = "7960"
buttons = [{ line = "1003" }]
"#;

const TONES: [u16; 3] = [440, 1000, 1700];
const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
/// Of what the tone is made that tells that somebody comes.
const CAME: [u16; 2] = [620, 930];

async fn office() -> (tempfile::TempDir, Manager, Vec<Phone>) {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let phones = TONES.iter().enumerate().map(|(at, &tone)| {
        let options = Options { source: AudioSource::Tone(tone), ..Options::default() };
        let name = format!("SEP02000000100{}", at + 1);
        Phone::start(manager.sccp.into(), Config::new(&name, ModelClass::P7960), options)
    });
    let mut phones: Vec<_> = phones.collect();
    for phone in &mut phones {
        until(phone, |now| now.face.registered).await;
    }
    (top, manager, phones)
}

async fn call(phone: &mut Phone, number: &str) {
    phone.act(Action::OffHook).await.unwrap();
    until(phone, |now| now.face.tone.is_some()).await;
    phone.act(Action::Dial(number.into())).await.unwrap();
    until(phone, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
}

async fn types(phone: &Phone, keys: &str) {
    phone.act(Action::Dial(keys.into())).await.unwrap();
}

fn near(heard: f32, tone: u16) -> bool {
    (heard - f32::from(tone)).abs() < 5.0
}

/// Does a phone hear the tones of these, and nothing else?
fn hears_now(now: &Snapshot, of: &[usize]) -> bool {
    match (now.voice.heard, of) {
        (Some(Content::Silence), []) => true,
        (Some(Content::Single(peak)), &[one]) => near(peak.frequency, TONES[one]),
        (Some(Content::Dual(low, high)), &[one, other]) => {
            near(low.frequency, TONES[one]) && near(high.frequency, TONES[other])
        }
        _ => false,
    }
}

/// These tones in the order in which a recording has them.
fn order(wav: &std::path::Path, tones: [u16; 2]) -> Vec<u16> {
    let samples: Vec<i16> = hound::WavReader::open(wav).unwrap().samples().map(Result::unwrap).collect();
    let mut found = Vec::new();
    for piece in samples.chunks_exact(800) {
        let loud = |&tone: &u16| level_of(tone, piece).as_dbm0() > -20.0;
        found.extend(tones.iter().find(|tone| loud(tone)));
    }
    found.dedup();
    found
}

async fn hears(phone: &mut Phone, of: &[usize]) {
    until(phone, |now| hears_now(now, of)).await;
}

/// Waits until the room is like this.
async fn is(manager: &Manager, phone: &mut Phone, number: &str, like: impl Fn(&Room) -> bool) {
    until(phone, |_| like(&room(manager, number))).await;
}

fn room(manager: &Manager, number: &str) -> Room {
    let rooms: Vec<Room> = serde_json::from_str(&manager.ask(&["room", "list", "--json"])).unwrap();
    rooms.into_iter().find(|room| room.number == number).unwrap()
}

#[tokio::test]
async fn in_a_room_each_hears_the_others_and_who_leaves_or_dies_disturbs_nobody() {
    let (top, manager, mut phones) = office().await;
    call(&mut phones[ALICE], "1990").await;
    // "You are the first."
    until(&mut phones[ALICE], |now| now.voice.level.is_some_and(|level| level.as_dbm0() > -40.0)).await;
    let wav = top.path().join("alice.wav");
    phones[ALICE].record(Some(wav.clone())).await.unwrap().unwrap();
    call(&mut phones[BOB], "1990").await;
    hears(&mut phones[ALICE], &[BOB]).await;
    phones[ALICE].record(None).await.unwrap().unwrap();
    assert_eq!(order(&wav, CAME), CAME, "somebody comes: the tone goes up");
    call(&mut phones[CAROL], "1990").await;
    hears(&mut phones[ALICE], &[BOB, CAROL]).await;
    hears(&mut phones[BOB], &[ALICE, CAROL]).await;
    hears(&mut phones[CAROL], &[ALICE, BOB]).await;

    let seen = room(&manager, "1990");
    let numbers: Vec<_> = seen.members.iter().map(|member| member.who.number.as_str()).collect();
    assert_eq!((numbers, seen.locked), (vec!["1001", "1002", "1003"], false));
    // All tones are equally loud: one of them counts as the one who talks.
    is(&manager, &mut phones[ALICE], "1990", |room| room.members.iter().any(|member| member.talking)).await;

    // One is cut off, the next one leaves in order; those who stay lose nothing.
    let before = [ALICE, BOB].map(|who| phones[who].now().voice.received.lost);
    phones.pop().unwrap().stop().await;
    hears(&mut phones[ALICE], &[BOB]).await;
    hears(&mut phones[BOB], &[ALICE]).await;
    is(&manager, &mut phones[ALICE], "1990", |room| room.members.len() == 2).await;
    assert_eq!([ALICE, BOB].map(|who| phones[who].now().voice.received.lost), before);
    let wav = top.path().join("bob.wav");
    phones[BOB].record(Some(wav.clone())).await.unwrap().unwrap();
    phones[ALICE].act(Action::OnHook).await.unwrap();
    hears(&mut phones[BOB], &[]).await;
    phones[BOB].record(None).await.unwrap().unwrap();
    assert_eq!(order(&wav, CAME), [CAME[1], CAME[0]], "somebody leaves: it goes down");
    assert_eq!(phones[BOB].now().voice.received.lost, before[1]);
    phones[BOB].act(Action::OnHook).await.unwrap();
    is(&manager, &mut phones[BOB], "1990", |room| room.members.is_empty()).await;
    assert!(manager.ask(&["rooms", "list"]).contains("nobody"));
    assert_eq!(manager.status().calls.len(), 0);
}

#[tokio::test]
async fn a_wrong_pin_opens_nothing_and_the_moderator_has_his_keys() {
    let (_top, manager, mut phones) = office().await;
    call(&mut phones[CAROL], "1991").await;
    types(&phones[CAROL], "1234#1234#1234#").await;
    // Three were enough: the call ends.
    until(&mut phones[CAROL], |now| now.face.calls.iter().all(|call| call.state != CallState::Connected))
        .await;
    phones[CAROL].act(Action::OnHook).await.unwrap();
    assert!(room(&manager, "1991").members.is_empty());

    call(&mut phones[ALICE], "1991").await;
    types(&phones[ALICE], "9999#").await;
    is(&manager, &mut phones[ALICE], "1991", |room| room.members.iter().any(|member| member.moderator)).await;
    call(&mut phones[BOB], "1991").await;
    types(&phones[BOB], "4711#").await;
    hears(&mut phones[ALICE], &[BOB]).await;
    hears(&mut phones[BOB], &[ALICE]).await;

    // Bob cannot lock it; Alice can, and Carol stays outside.
    types(&phones[BOB], "*2").await;
    types(&phones[ALICE], "*2").await;
    is(&manager, &mut phones[ALICE], "1991", |room| room.locked).await;
    call(&mut phones[CAROL], "1991").await;
    types(&phones[CAROL], "4711#").await;
    until(&mut phones[CAROL], |now| now.face.calls.iter().all(|call| call.state != CallState::Connected))
        .await;
    phones[CAROL].act(Action::OnHook).await.unwrap();
    assert_eq!(room(&manager, "1991").members.len(), 2);

    // Bob is muted by himself, then by the moderator, then by an operator.
    let muted = |room: &Room| room.members.iter().any(|member| member.muted);
    types(&phones[BOB], "*6").await;
    hears(&mut phones[ALICE], &[]).await;
    types(&phones[BOB], "*6").await;
    hears(&mut phones[ALICE], &[BOB]).await;
    types(&phones[ALICE], "*3").await;
    is(&manager, &mut phones[ALICE], "1991", muted).await;
    hears(&mut phones[ALICE], &[]).await;
    types(&phones[ALICE], "*3").await;
    hears(&mut phones[ALICE], &[BOB]).await;
    let bob = room(&manager, "1991").members.iter().find(|member| !member.moderator).unwrap().id.to_string();
    manager.ask(&["room", "mute", "1991", &bob]);
    hears(&mut phones[ALICE], &[]).await;
    manager.ask(&["room", "unmute", "1991", &bob]);
    hears(&mut phones[ALICE], &[BOB]).await;
    assert!(manager.ask(&["log"]).contains(&format!("room mute 1991 {bob}")));

    // The end of the room is the end of both calls.
    types(&phones[ALICE], "*9").await;
    for who in [ALICE, BOB] {
        until(&mut phones[who], |now| now.face.calls.iter().all(|call| call.state != CallState::Connected))
            .await;
    }
    is(&manager, &mut phones[ALICE], "1991", |room| room.members.is_empty() && !room.locked).await;
}

#[tokio::test]
async fn guests_wait_until_somebody_opens_the_room_and_an_operator_puts_one_out() {
    let (_top, manager, mut phones) = office().await;
    for who in [BOB, CAROL] {
        call(&mut phones[who], "1992").await;
    }
    is(&manager, &mut phones[BOB], "1992", |room| {
        room.members.len() == 2 && room.members.iter().all(|member| member.waiting && !member.moderator)
    })
    .await;
    until(&mut phones[BOB], |now| now.voice.played_ms > 500).await;
    // The button goes off hook and asks for the room.
    phones[ALICE].act(Action::Button(1)).await.unwrap();
    until(&mut phones[ALICE], |now| now.face.tone.is_some()).await;
    types(&phones[ALICE], "1992").await;
    hears(&mut phones[ALICE], &[BOB, CAROL]).await;
    hears(&mut phones[BOB], &[ALICE, CAROL]).await;
    let seen = room(&manager, "1992");
    let moderators: Vec<_> = seen.members.iter().filter(|member| member.moderator).collect();
    assert_eq!(moderators.len(), 1);
    assert_eq!(moderators[0].who.number, "1001");
    let carol = seen.members.iter().find(|member| member.who.number == "1003").unwrap().id.to_string();
    manager.ask(&["room", "remove", "1992", &carol]);
    until(&mut phones[CAROL], |now| now.face.calls.iter().all(|call| call.state != CallState::Connected))
        .await;
    hears(&mut phones[ALICE], &[BOB]).await;
    let said = crate::support::fails(manager.command(&["room", "mute", "1992", &carol]));
    assert!(said.contains("`selsius room list` shows who is"), "{said}");
    // Star and hash is another way to go.
    types(&phones[BOB], "*#").await;
    until(&mut phones[BOB], |now| now.face.calls.iter().all(|call| call.state != CallState::Connected)).await;
    is(&manager, &mut phones[ALICE], "1992", |room| room.members.len() == 1).await;
    assert!(Duration::from_millis(phones[ALICE].now().voice.played_ms) > Duration::from_secs(1));
}
