//! What came of it: what was heard, what the manager recorded, what is missing.

use std::{path::Path, time::Duration};

use anyhow::Context;
use selsius_client::StreamReport;
use selsius_exchange::record::{CallEnded, CountedBy, LegEnd, StreamFigures, WallTime};
use selsius_server::Server;
use selsius_store::{CallFilter, CallRecord};
use tokio::time::{Instant, sleep};

use super::{
    Pace,
    office::{Office, Person},
    play::Played,
};

/// How long the record may take to be in the store.
const PATIENCE: Duration = Duration::from_secs(5);
/// Share of the packets that must have come, and of the talking time in which the tone was recognised: the first
/// tenths go by before playout has begun and the detector is sure.
const MOST: f64 = 0.6;

/// The record of Alice's call, once the store has it, with what both phones counted. What a trunk brings in is a call of
/// its own, with the count of the phone that took it: that count is put to the others.
pub(super) async fn record(server: &Server, office: &Office) -> anyhow::Result<Option<CallRecord>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        server.store().flush().await.context("the store does not answer")?;
        let calls =
            server.store().calls(&CallFilter::default()).await.context("the store does not answer")?;
        let is_alices = |record: &CallRecord| {
            record.call.calling.device.as_ref().is_some_and(|device| device.as_str() == office.alice.device)
        };
        let (from_alice, brought_in): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_alices);
        let mut record = from_alice.into_iter().next();
        if let Some(record) = &mut record {
            record.quality.extend(brought_in.into_iter().flat_map(|record| record.quality));
        }
        if let Some(record) = &mut record {
            record.quality.retain(|quality| quality.counted_by == CountedBy::Phone);
        }
        let is_whole = record.as_ref().is_some_and(|record| record.quality.len() == 2);
        if is_whole || Instant::now() >= deadline {
            return Ok(record);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// What came of the demonstration.
pub(super) struct Report<'a> {
    office: &'a Office,
    played: Played,
    record: Option<CallRecord>,
    missing: Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(office: &'a Office, played: Played, record: Option<CallRecord>, pace: Pace) -> Self {
        let mut missing = Vec::from_iter(played.missing.clone());
        if played.missing.is_none() {
            missing.extend(unheard(&office.alice, &office.bob, &played.alice, pace));
            missing.extend(unheard(&office.bob, &office.alice, &played.bob, pace));
        }
        match &record {
            None => missing.push("the record of the call in the store".into()),
            Some(record) => missing.extend(unrecorded(office, record)),
        }
        Self { office, played, record, missing }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::from("\nWhat was heard\n");
        for (person, heard) in
            [(&self.office.alice, &self.played.alice), (&self.office.bob, &self.played.bob)]
        {
            text += &format!("  {:<6} {}  {}\n", person.name, person.number, heard_words(heard));
        }
        text += "\nThe manager's record\n";
        match &self.record {
            Some(record) => {
                text += &format!("  {}\n", call_words(&record.call));
                for quality in &record.quality {
                    let StreamFigures { packets_sent, packets_received, packets_lost, mos, .. } =
                        quality.figures;
                    let LegEnd::Phone(device) = &quality.end else { continue };
                    text += &format!(
                        "  {device} counted {packets_sent} packets sent, {packets_received} received, {packets_lost} lost"
                    );
                    text += &mos.map_or_else(String::new, |mos| format!(": a score of {:.1}", mos.score()));
                    text += "\n";
                }
            }
            None => text += "  none\n",
        }
        text
    }

    /// The command that shows the capture file.
    pub(super) fn how_to_read(&self, path: &Path) -> String {
        let (file, port) = (path.display(), self.office.manager.port());
        format!("\nRead the traffic with\n  tshark -r {file} -d tcp.port=={port},skinny -Y skinny\n")
    }

    pub(super) fn verdict(&self) -> String {
        let mut text = String::from("\n");
        for done in &self.played.done {
            text += &format!("✓ {done}\n");
        }
        for missing in &self.missing {
            text += &format!("✗ missing: {missing}\n");
        }
        if self.missing.is_empty() {
            text += "✓ both heard the other's tone without loss, and the manager recorded the call\n";
        }
        text
    }
}

/// What is missing of what a person should have heard of another.
fn unheard(listener: &Person, speaker: &Person, heard: &StreamReport, pace: Pace) -> Vec<String> {
    let who = listener.name;
    let mut missing = Vec::new();
    let expected = pace.talk.as_secs_f64();
    let of_tone = |tone: &&selsius_client::Tone| tone.content.to_string() == format!("{} Hz", speaker.voice);
    let lasted = heard.tones.iter().find(of_tone).map_or(0.0, |tone| tone.lasted.as_secs_f64());
    if lasted < expected * MOST {
        missing.push(format!("{who} heard {} Hz for {lasted:.1} s only", speaker.voice));
    }
    if heard.main_tone().is_none_or(|tone| !of_tone(&tone)) {
        missing.push(format!("{who} heard something else longer than {} Hz", speaker.voice));
    }
    let packets = heard.received.packets;
    // One packet each 20 ms.
    if (packets as f64) < expected * 50.0 * MOST {
        missing.push(format!("{who} received {packets} packets only"));
    }
    if heard.received.lost > 0 {
        missing.push(format!("{} packets on their way to {who}", heard.received.lost));
    }
    missing
}

/// What is missing in the record.
fn unrecorded(office: &Office, record: &CallRecord) -> Vec<String> {
    let call = &record.call;
    let parties = [(&call.calling, &office.alice), (&call.called, &office.bob)];
    let mut missing = Vec::new();
    for (party, person) in parties {
        // Of those behind a trunk only the number is known.
        let name = if office.with_trunk && party.device.is_none() { "" } else { person.name };
        if party.number != person.number || party.name != name {
            missing.push(format!("{} {} in the call's record", person.name, person.number));
        }
    }
    if call.dialed != office.dialed() || call.trunk.is_empty() == office.with_trunk {
        missing.push("the way in the call's record".into());
    }
    if record.quality.len() != 2 {
        missing.push("the count of both phones".into());
    }
    if call.answered.is_none() {
        missing.push("the answer in the call's record".into());
    }
    missing
}

fn heard_words(heard: &StreamReport) -> String {
    let Some(codec) = heard.codec else { return "nothing".into() };
    let tone = match heard.main_tone() {
        Some(tone) => format!("{:>7} for {:.1} s", tone.content.to_string(), tone.lasted.as_secs_f64()),
        None => "no tone".into(),
    };
    let received = &heard.received;
    let jitter = received.jitter.as_secs_f64() * 1e3;
    format!("{tone}, {codec}, {} packets, {} lost, jitter {jitter:.1} ms", received.packets, received.lost)
}

fn call_words(call: &CallEnded) -> String {
    let between = |from: WallTime, to: WallTime| (to.0 - from.0) as f64 / 1e6;
    let talked = match call.answered {
        Some(answered) => format!("talked {:.1} s", between(answered, call.ended)),
        None => "not answered".into(),
    };
    let rang =
        call.ringing.map(|ringing| between(ringing, call.answered.unwrap_or(call.ended))).unwrap_or_default();
    let called = match call.trunk.as_str() {
        "" => format!("{} {}", call.called.name, call.called.number),
        trunk => format!("{} over the trunk \"{trunk}\"", call.dialed),
    };
    format!(
        "{} {} called {called}: rang {rang:.1} s, {talked}, {}, {}",
        call.calling.name,
        call.calling.number,
        call.codec,
        call.cause.name()
    )
}
