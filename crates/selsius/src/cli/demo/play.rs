//! The call: lift, dial, ring, answer, talk, hang up.

use selsius_client::{Phone, Snapshot, StreamReport};
use selsius_server::Server;
use selsius_station::Action;
use tokio::time::sleep;

use super::{
    office::Office,
    report,
    stage::{Missing, PATIENCE, Stage, Told, in_state, is_up},
};

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

/// Alice calls Bob; what came of it.
pub(super) async fn call(stage: &Stage<'_>, office: &Office, server: &Server) -> anyhow::Result<Told> {
    let mut played = Played::default();
    let (mut alice, mut bob) = (stage.phone(&office.alice), stage.phone(&office.bob));
    if let Err(Missing(what)) = talk(stage, office, &mut alice, &mut bob, &mut played).await {
        played.missing = Some(what);
    }
    (played.alice, played.bob) = (alice.now().voice, bob.now().voice);
    alice.hang_up_and_leave(PATIENCE).await;
    bob.hang_up_and_leave(PATIENCE).await;
    let record = report::of_alices_call(server, office).await?;
    Ok(report::of_call(office, played, record.as_ref(), stage.pace))
}

async fn talk(
    stage: &Stage<'_>,
    office: &Office,
    alice: &mut Phone,
    bob: &mut Phone,
    played: &mut Played,
) -> Result<(), Missing> {
    let Office { alice: caller, bob: called, .. } = office;

    stage.note("the phones register");
    stage.wait(caller, alice, "registered", |now| now.face.registered).await?;
    stage.wait(called, bob, "registered", |now| now.face.registered).await?;
    played.done.push("both phones registered".into());

    let dialed = office.dialed();
    stage.note(&format!("Alice lifts her handset and dials {dialed}"));
    stage.call(caller, alice, &dialed).await?;
    stage.wait(caller, alice, "ringback", in_state("ringback")).await?;
    stage.wait(called, bob, "ringing", in_state("ringing")).await?;
    let shown = |now: &Snapshot| {
        now.face
            .calls
            .iter()
            .any(|call| call.calling_name == caller.name && call.calling_number == caller.number)
    };
    stage.wait(called, bob, "Alice's name and number on the display", shown).await?;
    played.done.push("Alice heard dial tone and ringback, Bob's phone rang and showed \"Alice\" 1001".into());

    sleep(stage.pace.ring).await;
    stage.note("Bob answers");
    stage.act(called, bob, Action::OffHook).await?;
    stage.wait(caller, alice, "connected", in_state("connected")).await?;
    stage.wait(called, bob, "connected", in_state("connected")).await?;
    stage.wait(caller, alice, "Bob's voice", |now| now.voice.hears(called.voice)).await?;
    stage.wait(called, bob, "Alice's voice", |now| now.voice.hears(caller.voice)).await?;
    let codec = alice.now().voice.codec.map(|codec| codec.to_string()).unwrap_or_default();
    let words = format!("RTP {codec}, {} Hz from Alice, {} Hz from Bob", caller.voice, called.voice);
    stage.stream((caller.column, called.column), words);
    played.done.push("Bob answered, and they heard each other".into());

    sleep(stage.pace.talk).await;
    stage.note("Alice hangs up");
    stage.hang_up(caller, alice).await?;
    // Bob's phone is still off the hook: what he hears tells him that it is over.
    stage
        .wait(called, bob, "the end of the call", |now| now.face.calls.iter().all(|call| !is_up(call.state)))
        .await?;
    if bob.now().face.off_hook {
        stage.act(called, bob, Action::OnHook).await?;
    }
    stage.wait(called, bob, "idle", in_state("idle")).await?;
    played.done.push("after Alice hung up both phones were idle as before".into());
    stage.note("the phones leave");
    Ok(())
}
