//! The outside world by SIP: Alice calls there, and is called from there.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use selsius_client::{Phone, Snapshot};
use selsius_exchange::record::CallEnded;
use selsius_server::Server;
use selsius_station::Action;
use selsius_store::CallRecord;
use tokio::{
    process::Child,
    time::{Instant, sleep, timeout},
};

use super::{
    baresip::{self, Baresip},
    office::ALICE,
    report,
    sipp::Sipp,
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

/// How long a program may take to start, and to end after its call.
const START: Duration = Duration::from_secs(5);

/// Another telephone system, and our port towards it.
pub(super) struct Outside {
    pub(super) own: SocketAddr,
    program: Program,
}

/// What plays it.
enum Program {
    Sipp(Sipp),
    Baresip(Baresip),
}

/// One call of a program, as a process. It is killed when this is dropped.
pub(super) struct Running {
    child: Child,
    /// It ends with its call, and says by its status whether that went as it should.
    judges: bool,
}

impl Program {
    const fn name(&self) -> &'static str {
        match self {
            Self::Sipp(_) => "SIPp",
            Self::Baresip(_) => "baresip",
        }
    }

    const fn address(&self) -> SocketAddr {
        match self {
            Self::Sipp(sipp) => sipp.address,
            Self::Baresip(baresip) => baresip.address,
        }
    }

    /// What Alice hears in a call that it makes: herself, or its own tone.
    const fn calling_voice(&self) -> u16 {
        match self {
            Self::Sipp(_) => ALICE.voice,
            Self::Baresip(_) => baresip::VOICE,
        }
    }

    /// Waits for a call, and answers it.
    async fn answers(&self, folder: &Path, ring: Duration) -> anyhow::Result<Running> {
        match self {
            Self::Sipp(sipp) => sipp.answers(folder, ring).await,
            Self::Baresip(baresip) => baresip.answers(folder, NUMBER).await,
        }
    }

    /// Calls Alice.
    fn calls(&self, folder: &Path, manager: SocketAddr) -> anyhow::Result<Running> {
        match self {
            Self::Sipp(sipp) => sipp.calls(folder, manager, (NAME, NUMBER), ALICE.number),
            Self::Baresip(baresip) => baresip.calls(folder, manager, (NAME, NUMBER), ALICE.number),
        }
    }
}

impl Outside {
    /// If a program that plays it is installed.
    pub(super) fn find() -> anyhow::Result<Option<Self>> {
        let program = match Sipp::find()? {
            Some(sipp) => Some(Program::Sipp(sipp)),
            None => Baresip::find()?.map(Program::Baresip),
        };
        let Some(program) = program else { return Ok(None) };
        Ok(Some(Self { own: (Ipv4Addr::LOCALHOST, free_port()?).into(), program }))
    }

    pub(super) fn site(&self) -> String {
        format!("{SITE}servers = [\"{}\"]\n", self.program.address())
    }

    pub(super) fn titles(&self) -> Vec<String> {
        vec![ALICE.title(), "manager".into(), format!("{} {NUMBER}", self.program.name())]
    }

    pub(super) fn introduction(&self, manager: SocketAddr) -> String {
        let (own, peer, alice) = (self.own, self.program.address(), ALICE.introduction());
        let name = self.program.name();
        format!(
            "A manager on {manager}, a SIP trunk from {own} to {name} on {peer}, which says back what it hears, and a phone:\n{alice}"
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

    /// Alice calls the other system.
    async fn out(
        &self,
        stage: &Stage<'_>,
        folder: &Path,
        alice: &mut Phone,
        told: &mut Told,
    ) -> anyhow::Result<Result<(), Missing>> {
        let waits = self.program.answers(folder, stage.pace.ring).await?;
        let call = async {
            stage.note("the phone registers");
            stage.wait(&ALICE, alice, "registered", |now| now.face.registered).await?;
            stage.note(&format!("Alice lifts her handset and dials 9{NUMBER}"));
            stage.call(&ALICE, alice, &format!("9{NUMBER}")).await?;
            // Who answers at once does not ring.
            if matches!(self.program, Program::Sipp(_)) {
                stage.wait(&ALICE, alice, "ringback", in_state("ringback")).await?;
            }
            stage.wait(&ALICE, alice, "connected", in_state("connected")).await?;
            self.talk(stage, alice, ALICE.voice, "the call that went out", told).await
        };
        if let Err(missing) = call.await {
            return Ok(Err(missing));
        }
        let name = self.program.name();
        told.done
            .push(format!("Alice called out over SIP, {name} answered, and she heard herself come back"));
        Ok(succeeded(waits, "the other end of the call that went out").await)
    }

    /// The other system calls Alice.
    async fn back_in(
        &self,
        stage: &Stage<'_>,
        folder: &Path,
        alice: &mut Phone,
        told: &mut Told,
    ) -> anyhow::Result<Result<(), Missing>> {
        let name = self.program.name();
        stage.note(&format!("{name} calls {}", ALICE.number));
        let calls = self.program.calls(folder, self.own)?;
        let call = async {
            stage.wait(&ALICE, alice, "ringing", in_state("ringing")).await?;
            let shown = |now: &Snapshot| now.face.calls.iter().any(|call| call.calling_number == NUMBER);
            stage.wait(&ALICE, alice, "the caller's number on the display", shown).await?;
            sleep(stage.pace.ring).await;
            stage.note("Alice answers");
            stage.act(&ALICE, alice, Action::OffHook).await?;
            stage.wait(&ALICE, alice, "connected", in_state("connected")).await?;
            self.talk(stage, alice, self.program.calling_voice(), "the call that came in", told).await
        };
        if let Err(missing) = call.await {
            return Ok(Err(missing));
        }
        let voice = self.program.calling_voice();
        told.done.push(format!(
            "{name} called in, Alice's phone showed {NUMBER}, she answered and heard {voice} Hz"
        ));
        Ok(succeeded(calls, "the other end of the call that came in").await)
    }

    /// Talks until Alice has heard this tone, and hangs up.
    async fn talk(
        &self,
        stage: &Stage<'_>,
        alice: &mut Phone,
        voice: u16,
        call: &str,
        told: &mut Told,
    ) -> Result<(), Missing> {
        let what = format!("{voice} Hz from the other end");
        stage.wait(&ALICE, alice, &what, |now| now.voice.hears(voice)).await?;
        let codec = alice.now().voice.codec.map(|codec| codec.to_string()).unwrap_or_default();
        let words = format!("RTP {codec} through the manager, {} Hz there, {voice} Hz back", ALICE.voice);
        stage.stream((ALICE.column, COLUMN), words);
        sleep(stage.pace.talk).await;
        let now = alice.now();
        told.heard.push(format!("{:<6} {}  {} in {call}", ALICE.name, ALICE.number, heard(&now, voice)));
        let lasted = tone(&now, voice).map_or(0.0, |tone| tone.lasted.as_secs_f64());
        if lasted < stage.pace.talk.as_secs_f64() * report::MOST {
            told.missing.push(format!("{what} for longer than {lasted:.1} s in {call}"));
        }
        stage.note("Alice hangs up");
        stage.hang_up(&ALICE, alice).await
    }
}

/// Waits for the end of a program, or ends it.
async fn succeeded(mut running: Running, what: &str) -> Result<(), Missing> {
    let ended =
        if running.judges { timeout(START, running.child.wait()).await } else { Ok(running.end().await) };
    match ended {
        Ok(Ok(status)) if status.success() || !running.judges => Ok(()),
        _ => Err(Missing(what.into())),
    }
}

impl Running {
    async fn end(&mut self) -> io::Result<std::process::ExitStatus> {
        self.child.start_kill()?;
        self.child.wait().await
    }
}

/// Whether there is such a program; it is run with an argument that does nothing.
pub(super) fn is_installed(program: &str, argument: &str) -> bool {
    let silent = |command: &mut Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    silent(Command::new(program).arg(argument)).is_ok()
}

/// Starts a program in a folder.
pub(super) fn start(program: &str, arguments: &[&str], folder: &Path) -> anyhow::Result<Running> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(folder).env("TERM", "dumb").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().with_context(|| format!("cannot run {program}"))?;
    Ok(Running { child, judges: program == "sipp" })
}

/// Waits until a program listens: then nobody else can have its port.
pub(super) async fn listening(running: &mut Running, address: SocketAddr) -> anyhow::Result<()> {
    let deadline = Instant::now() + START;
    while UdpSocket::bind(address).is_ok() {
        if let Some(ended) = running.child.try_wait()? {
            bail!("the program that should answer ended with {ended} before it was called");
        }
        if Instant::now() >= deadline {
            bail!("the program that should answer does not listen on {address}");
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// A port of loopback that nobody has now.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// What Alice has heard of a tone.
fn heard(now: &Snapshot, voice: u16) -> String {
    let heard = tone(now, voice).map_or("no tone".into(), |tone| tone_words(&tone));
    let (sent, received) = (now.voice.packets_sent, &now.voice.received);
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
