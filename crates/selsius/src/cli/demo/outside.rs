//! The outside world by SIP: Alice calls there, and is called from there.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use selsius_client::{Phone, Snapshot};
use selsius_exchange::record::CallEnded;
use selsius_server::Server;
use selsius_station::Action;
use selsius_store::CallRecord;
use tokio::time::sleep;

use super::{
    office::ALICE,
    report,
    sipp::{self, Sipp},
    stage::{Missing, PATIENCE, Stage, Told, in_state, tone, tone_words},
};

/// Alice, and a trunk for numbers with a 9 in front.
const SITE: &str = r#"
[settings]
name = "selsius demo"
codecs = ["pcmu"]

[lines.1001]
name = "Alice"

[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }]

[routes."9.XXXX"]
trunks = ["outside"]

[trunks.outside]
kind = "sip"
"#;

/// The other system's column in the ladder.
pub(super) const COLUMN: usize = 2;
/// Who is there.
const NAME: &str = "Zoe";
const NUMBER: &str = "2000";

/// Another telephone system, and our port towards it.
pub(super) struct Outside {
    pub(super) own: SocketAddr,
    sipp: Sipp,
}

impl Outside {
    /// If a program that plays it is installed.
    pub(super) fn find() -> anyhow::Result<Option<Self>> {
        let Some(sipp) = Sipp::find()? else { return Ok(None) };
        Ok(Some(Self { own: (Ipv4Addr::LOCALHOST, sipp::free_port()?).into(), sipp }))
    }

    pub(super) fn site(&self) -> String {
        format!("{SITE}servers = [\"{}\"]\n", self.sipp.address)
    }

    pub(super) fn titles(&self) -> Vec<String> {
        vec![ALICE.title(), "manager".into(), format!("SIPp {NUMBER}")]
    }

    pub(super) fn introduction(&self, manager: SocketAddr) -> String {
        let (own, peer, alice) = (self.own, self.sipp.address, ALICE.introduction());
        format!(
            "A manager on {manager}, a SIP trunk from {own} to SIPp on {peer}, which says back what it hears, and a phone:\n{alice}"
        )
    }

    pub(super) async fn play(
        &self,
        stage: &Stage<'_>,
        server: &Server,
        folder: &Path,
    ) -> anyhow::Result<Told> {
        let mut told = Told::default();
        let mut alice = stage.phone(&ALICE);
        let mut played = self.out(stage, folder, &mut alice, &mut told).await;
        if let Ok(Ok(())) = played {
            played = self.back_in(stage, folder, &mut alice, &mut told).await;
        }
        alice.hang_up_and_leave(PATIENCE).await;
        told.missing.extend(played?.err().map(|Missing(what)| what));
        let records = report::records(server, |calls| {
            calls.len() == 2 && calls.iter().all(|call| !call.quality.is_empty())
        });
        recorded(&mut told, &records.await?);
        Ok(told)
    }

    /// Alice calls SIPp.
    async fn out(
        &self,
        stage: &Stage<'_>,
        folder: &Path,
        alice: &mut Phone,
        told: &mut Told,
    ) -> anyhow::Result<Result<(), Missing>> {
        let waits = self.sipp.answers(folder, stage.pace.ring).await?;
        let call = async {
            stage.note("the phone registers");
            stage.wait(&ALICE, alice, "registered", |now| now.face.registered).await?;
            stage.note(&format!("Alice lifts her handset and dials 9{NUMBER}"));
            stage.call(&ALICE, alice, &format!("9{NUMBER}")).await?;
            stage.wait(&ALICE, alice, "ringback", in_state("ringback")).await?;
            stage.wait(&ALICE, alice, "connected", in_state("connected")).await?;
            self.talk(stage, alice, "the call that went out", told).await
        };
        if let Err(missing) = call.await {
            return Ok(Err(missing));
        }
        told.done.push("Alice called out over SIP, SIPp rang and answered, and she heard herself".into());
        Ok(succeeded(waits, "SIPp's end of the call that went out").await)
    }

    /// SIPp calls Alice.
    async fn back_in(
        &self,
        stage: &Stage<'_>,
        folder: &Path,
        alice: &mut Phone,
        told: &mut Told,
    ) -> anyhow::Result<Result<(), Missing>> {
        stage.note(&format!("SIPp calls {}", ALICE.number));
        let calls = self.sipp.calls(folder, self.own, (NAME, NUMBER), ALICE.number)?;
        let call = async {
            stage.wait(&ALICE, alice, "ringing", in_state("ringing")).await?;
            let shown = |now: &Snapshot| now.face.calls.iter().any(|call| call.calling_number == NUMBER);
            stage.wait(&ALICE, alice, "SIPp's number on the display", shown).await?;
            sleep(stage.pace.ring).await;
            stage.note("Alice answers");
            stage.act(&ALICE, alice, Action::OffHook).await?;
            stage.wait(&ALICE, alice, "connected", in_state("connected")).await?;
            self.talk(stage, alice, "the call that came in", told).await
        };
        if let Err(missing) = call.await {
            return Ok(Err(missing));
        }
        told.done
            .push(format!("SIPp called in, Alice's phone showed {NUMBER}, she answered and heard herself"));
        Ok(succeeded(calls, "SIPp's end of the call that came in").await)
    }

    /// Talks until Alice has heard herself, and hangs up.
    async fn talk(
        &self,
        stage: &Stage<'_>,
        alice: &mut Phone,
        call: &str,
        told: &mut Told,
    ) -> Result<(), Missing> {
        stage.wait(&ALICE, alice, "her own tone, from SIPp", |now| now.voice.hears(ALICE.voice)).await?;
        let codec = alice.now().voice.codec.map(|codec| codec.to_string()).unwrap_or_default();
        let words = format!("RTP {codec} through the manager, {} Hz there and back", ALICE.voice);
        stage.stream((ALICE.column, COLUMN), words);
        sleep(stage.pace.talk).await;
        let now = alice.now();
        told.heard.push(format!("{:<6} {}  {} in {call}", ALICE.name, ALICE.number, echo(&now)));
        let heard = tone(&now, ALICE.voice).map_or(0.0, |tone| tone.lasted.as_secs_f64());
        if heard < stage.pace.talk.as_secs_f64() * report::MOST {
            told.missing.push(format!("her own tone for longer than {heard:.1} s in {call}"));
        }
        stage.note("Alice hangs up");
        stage.hang_up(&ALICE, alice).await
    }
}

async fn succeeded(sipp: sipp::Running, what: &str) -> Result<(), Missing> {
    if sipp.succeeded().await { Ok(()) } else { Err(Missing(what.into())) }
}

/// What Alice has heard of her own voice.
fn echo(now: &Snapshot) -> String {
    let voice = &now.voice;
    let heard = tone(now, ALICE.voice).map_or("no tone".into(), |tone| tone_words(&tone));
    let (sent, received) = (voice.packets_sent, &voice.received);
    format!("{heard}, {sent} packets sent, {} received, {} lost,", received.packets, received.lost)
}

/// What the store has of both calls.
fn recorded(told: &mut Told, records: &[CallRecord]) {
    let is_alice = |call: &CallEnded, out: bool| {
        let party = if out { &call.calling } else { &call.called };
        party.number == ALICE.number && party.device.is_some()
    };
    for (out, what) in [(true, "the call that went out"), (false, "the call that came in")] {
        let of_it = records.iter().find(|record| is_alice(&record.call, out));
        match of_it {
            Some(record) if record.call.trunk == "outside" && record.call.answered.is_some() => {
                told.recorded.push(report::call_words(&record.call));
                told.recorded.extend(record.quality.iter().map(report::count_words));
            }
            _ => told.missing.push(format!("the record of {what}")),
        }
    }
    if told.missing.is_empty() {
        told.done.push("the manager recorded both calls with their trunk".into());
    }
}
