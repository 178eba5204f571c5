//! What phones hear whose audio goes through the manager. Each says a tone of its own, and the others recognise it.

use std::fs;

use selsius_client::{AudioSource, Options, Phone, Snapshot};
use selsius_media::tone::detect::Content;
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::support::{Manager, until};

/// Alice, Bob and Carol; Alice and Bob have a line together.
const OFFICE: &str = r#"
[settings]
codecs = ["g722", "pcmu", "pcma"]
[lines.1001]
[lines.1002]
[lines.1003]
[lines.2000]
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }, { line = "2000" }]
[devices.SEP020000001002]
model = "7960"
buttons = [{ line = "1002" }, { line = "2000" }]
[devices.SEP020000001003]
model = "7960"
buttons = [{ line = "1003" }]
[paging-groups.800]
lines = ["1002", "1003"]
mode = "unicast"
"#;

const TONES: [u16; 3] = [440, 1000, 1700];
const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// A manager and the three phones, each with its tone.
async fn office(ports: &str) -> (Manager, tempfile::TempDir, [Phone; 3]) {
    let top = tempfile::tempdir().unwrap();
    let config = top.path().join("selsius.toml");
    fs::write(&config, format!("[media]\nports = \"{ports}\"")).unwrap();
    let manager = Manager::start(top.path(), &["--config", config.to_str().unwrap()]);
    manager.apply(OFFICE);
    let mut phones = [0, 1, 2].map(|at| {
        let options = Options { source: AudioSource::Tone(TONES[at]), ..Options::default() };
        let name = format!("SEP02000000100{}", at + 1);
        Phone::start(manager.sccp.into(), Config::new(&name, ModelClass::P7960), options)
    });
    for phone in &mut phones {
        until(phone, |now| now.face.registered).await;
    }
    (manager, top, phones)
}

/// One calls another, who answers.
async fn call(phones: &mut [Phone; 3], caller: usize, called: usize, number: &str) {
    phones[caller].act(Action::OffHook).await.unwrap();
    until(&mut phones[caller], |now| now.face.tone.is_some()).await;
    dial(phones, caller, called, number).await;
}

async fn dial(phones: &mut [Phone; 3], caller: usize, called: usize, number: &str) {
    phones[caller].act(Action::Dial(number.into())).await.unwrap();
    until(&mut phones[called], |now| now.face.ringing.is_some()).await;
    phones[called].act(Action::OffHook).await.unwrap();
    for phone in [caller, called] {
        until(&mut phones[phone], |now| now.face.calls.iter().any(|call| call.state == CallState::Connected))
            .await;
    }
}

/// The call of another phone that a phone shows.
fn remote(now: &Snapshot) -> Option<u32> {
    let call = now.face.calls.iter().find(|call| call.state == CallState::CallRemoteMultiline)?;
    Some(call.reference)
}

/// Waits until a phone hears these tones, and nothing else.
async fn hears(phones: &mut [Phone; 3], phone: usize, of: &[usize]) {
    let near = |heard: f32, at: usize| (heard - f32::from(TONES[at])).abs() < 5.0;
    until(&mut phones[phone], |now| match (now.voice.heard, of) {
        (Some(Content::Silence), []) => true,
        (Some(Content::Single(peak)), &[one]) => near(peak.frequency, one),
        (Some(Content::Dual(low, high)), &[one, other]) => {
            near(low.frequency, one) && near(high.frequency, other)
        }
        _ => false,
    })
    .await;
}

/// Alice calls Bob, then Carol, and puts all together.
async fn confer(phones: &mut [Phone; 3]) {
    call(phones, ALICE, BOB, "1002").await;
    hears(phones, ALICE, &[BOB]).await;
    phones[ALICE].act(Action::SoftKey("Confrn".into())).await.unwrap();
    until(&mut phones[ALICE], |now| now.face.calls.len() == 2 && now.face.tone.is_some()).await;
    dial(phones, ALICE, CAROL, "1003").await;
    hears(phones, CAROL, &[ALICE]).await;
    phones[ALICE].act(Action::SoftKey("Confrn".into())).await.unwrap();
}

#[tokio::test]
async fn in_a_conference_each_hears_the_others_and_not_himself() {
    let (_manager, _top, mut phones) = office("16400-17399").await;
    confer(&mut phones).await;
    hears(&mut phones, ALICE, &[BOB, CAROL]).await;
    hears(&mut phones, BOB, &[ALICE, CAROL]).await;
    hears(&mut phones, CAROL, &[ALICE, BOB]).await;
    // One leaves: the other two go on, and talk to each other directly.
    phones[ALICE].act(Action::OnHook).await.unwrap();
    hears(&mut phones, BOB, &[CAROL]).await;
    hears(&mut phones, CAROL, &[BOB]).await;
}

#[tokio::test]
async fn who_barges_in_hears_both_and_is_heard_by_both() {
    let (_manager, _top, mut phones) = office("17400-18399").await;
    call(&mut phones, CAROL, ALICE, "2000").await;
    hears(&mut phones, CAROL, &[ALICE]).await;
    until(&mut phones[BOB], |now| remote(now).is_some()).await;
    let call = remote(&phones[BOB].now()).unwrap();
    phones[BOB].act(Action::Select(call)).await.unwrap();
    phones[BOB].act(Action::SoftKey("Barge".into())).await.unwrap();
    hears(&mut phones, BOB, &[ALICE, CAROL]).await;
    hears(&mut phones, ALICE, &[BOB, CAROL]).await;
    hears(&mut phones, CAROL, &[ALICE, BOB]).await;
    phones[BOB].act(Action::OnHook).await.unwrap();
    hears(&mut phones, CAROL, &[ALICE]).await;
    hears(&mut phones, ALICE, &[CAROL]).await;
}

#[tokio::test]
async fn a_page_by_unicast_is_heard_by_all_and_they_are_not() {
    let (_manager, _top, mut phones) = office("18400-19399").await;
    phones[ALICE].act(Action::OffHook).await.unwrap();
    until(&mut phones[ALICE], |now| now.face.tone.is_some()).await;
    phones[ALICE].act(Action::Dial("800".into())).await.unwrap();
    hears(&mut phones, BOB, &[ALICE]).await;
    hears(&mut phones, CAROL, &[ALICE]).await;
    assert_eq!(phones[BOB].now().voice.packets_sent, 0, "who is paged says nothing");
}

#[tokio::test]
async fn where_ports_are_missing_the_others_hear_each_other() {
    // Two pairs for three parties.
    let (mut manager, _top, mut phones) = office("19400-19403").await;
    confer(&mut phones).await;
    assert!(manager.log.find(|line| line.contains("no ports for voice")).is_some());
    // Carol is the last one to be joined.
    hears(&mut phones, ALICE, &[BOB]).await;
    hears(&mut phones, BOB, &[ALICE]).await;
    // One of them leaves, and the two that are left need no port.
    phones[ALICE].act(Action::OnHook).await.unwrap();
    hears(&mut phones, BOB, &[CAROL]).await;
    hears(&mut phones, CAROL, &[BOB]).await;
}
