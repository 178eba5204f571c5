//! What came of it: what was heard, what the manager recorded, what is missing.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::Context;
use selsius_client::StreamReport;
use selsius_exchange::record::{CallEnded, CallQuality, CountedBy, LegEnd, StreamFigures, WallTime};
use selsius_server::Server;
use selsius_store::{CallFilter, CallRecord};
use tokio::time::{Instant, sleep};

use super::{
    Pace,
    office::{Office, Person},
    play::Played,
    stage::Told,
};

/// How long the record may take to be in the store.
const PATIENCE: Duration = Duration::from_secs(5);
/// Share of the packets that must have come, and of the talking time in which the tone was recognised: the first
/// tenths go by before playout has begun and the detector is sure.
pub(super) const MOST: f64 = 0.6;

/// The record of Alice's call, once the store has it, with what both phones counted. What a trunk brings in is a call of
/// its own, with the count of the phone that took it: that count is put to the others.
pub(super) async fn of_alices_call(server: &Server, office: &Office) -> anyhow::Result<Option<CallRecord>> {
    let from_alice = |calls: Vec<CallRecord>| {
        let is_alices = |record: &CallRecord| {
            record.call.calling.device.as_ref().is_some_and(|device| device.as_str() == office.alice.device)
        };
        let (from_alice, brought_in): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_alices);
        let mut record = from_alice.into_iter().next()?;
        record.quality.extend(brought_in.into_iter().flat_map(|record| record.quality));
        Some(record)
    };
    let is_whole = |calls: &[CallRecord]| calls.iter().map(|call| call.quality.len()).sum::<usize>() == 2;
    Ok(from_alice(records(server, is_whole).await?))
}

/// The records of all calls with what phones counted, the first call first, once this holds for them; what there is if that takes too long.
pub(super) async fn records(
    server: &Server,
    holds: impl Fn(&[CallRecord]) -> bool,
) -> anyhow::Result<Vec<CallRecord>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        server.store().flush().await.context("the store does not answer")?;
        let mut calls =
            server.store().calls(&CallFilter::default()).await.context("the store does not answer")?;
        for record in &mut calls {
            record.quality.retain(|quality| quality.counted_by == CountedBy::Phone);
        }
        if holds(&calls) || Instant::now() >= deadline {
            calls.sort_by_key(|record| record.call.started);
            return Ok(calls);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// What came of a call between two phones.
pub(super) fn of_call(office: &Office, played: Played, record: Option<&CallRecord>, pace: Pace) -> Told {
    let mut told = Told { done: played.done, ..Told::default() };
    let heard = [(&office.alice, &office.bob, &played.alice), (&office.bob, &office.alice, &played.bob)];
    if let Some(missing) = played.missing {
        told.missing.push(missing);
    } else {
        for (listener, speaker, heard) in heard {
            told.missing.extend(unheard(listener, speaker, heard, pace));
        }
    }
    for (person, _, heard) in heard {
        told.heard.push(format!("{:<6} {}  {}", person.name, person.number, heard_words(heard)));
    }
    match record {
        None => told.missing.push("the record of the call in the store".into()),
        Some(record) => {
            told.missing.extend(unrecorded(office, record));
            told.recorded.push(call_words(&record.call));
            told.recorded.extend(record.quality.iter().map(count_words));
        }
    }
    if told.missing.is_empty() {
        told.done.push("both heard the other's tone without loss, and the manager recorded the call".into());
    }
    told
}

/// The command that shows the capture file; with the port of SIP where there is some.
pub(super) fn how_to_read(path: &Path, manager: SocketAddr, sip: Option<u16>) -> String {
    let (file, port) = (path.display(), manager.port());
    let (decode, show) = match sip {
        Some(sip) => (format!(" -d udp.port=={sip},sip"), "'skinny or sip'"),
        None => (String::new(), "skinny"),
    };
    format!(
        "\nRead the traffic with\n  tshark -r {file} -d tcp.port=={port},skinny{decode} -Y {show}\n  \
         selsius dissect --port {port} --format ladder {file}\n"
    )
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

/// What a phone counted.
pub(super) fn count_words(quality: &CallQuality) -> String {
    let StreamFigures { packets_sent, packets_received, packets_lost, mos, .. } = quality.figures;
    let who = match &quality.end {
        LegEnd::Phone(device) => device.as_str(),
        LegEnd::Trunk(name) => name,
    };
    let score = mos.map_or_else(String::new, |mos| format!(": a score of {:.1}", mos.score()));
    format!(
        "{who} counted {packets_sent} packets sent, {packets_received} received, {packets_lost} lost{score}"
    )
}

/// A call's record in a line.
pub(super) fn call_words(call: &CallEnded) -> String {
    let between = |from: WallTime, to: WallTime| (to.0 - from.0) as f64 / 1e6;
    let talked = match call.answered {
        Some(answered) => format!("talked {:.1} s", between(answered, call.ended)),
        None => "not answered".into(),
    };
    let rang =
        call.ringing.map(|ringing| between(ringing, call.answered.unwrap_or(call.ended))).unwrap_or_default();
    let called = match call.trunk.as_str() {
        "" => format!("{} {}", call.called.name, call.called.number),
        trunk if call.calling.device.is_none() => {
            format!("{} {}, in over the trunk \"{trunk}\"", call.called.name, call.called.number)
        }
        trunk => format!("{} over the trunk \"{trunk}\"", call.dialed),
    };
    let calling = format!("{} {}", call.calling.name, call.calling.number);
    let calling = calling.trim_start();
    format!("{calling} called {called}: rang {rang:.1} s, {talked}, {}, {}", call.codec, call.cause.name())
}
