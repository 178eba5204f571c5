//! What came of a run.

mod html;
mod text;
mod timeline;

use std::{collections::BTreeMap, net::SocketAddr};

use hdrhistogram::Histogram;
use selsius_wire::Time;
use serde::Serialize;

pub use self::timeline::Sample;
pub(crate) use self::timeline::{Timeline, Totals};
use crate::{
    Plan,
    director::Director,
    tally::{Tally, Timed},
};

/// The version of the report's JSON form. It is raised when a key goes or changes its meaning, not for new keys.
pub const SCHEMA: u32 = 1;

/// What came of a run. Its JSON form is described in docs/load.md; its `Display` is for people.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The server.
    pub target: SocketAddr,
    /// Phones of the plan.
    pub phones: u32,
    /// How the run ended.
    pub ended: Ended,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What became of the registrations.
    pub registration: RegistrationReport,
    /// What became of the calls.
    pub calls: CallReport,
    /// What the server did wrong, other than being slow, by kind.
    pub wrong: BTreeMap<&'static str, u64>,
    /// The first cases of it, in words.
    pub examples: Vec<String>,
    /// Connections that are no phones as they should be.
    pub strangers: StrangerReport,
    /// How much was said.
    pub messages: MessageReport,
    /// Packets of voice.
    pub voice: VoiceReport,
    /// How long things took, in microseconds.
    pub latency_us: Latencies,
    /// What the generator itself was like.
    pub generator: GeneratorReport,
    /// How it went over time.
    pub timeline: Vec<Sample>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// As planned.
    Finished,
    /// Somebody stopped it.
    Interrupted,
}

/// What became of the registrations.
#[derive(Debug, Clone, Serialize)]
pub struct RegistrationReport {
    /// Connections begun, later attempts included.
    pub attempts: u64,
    /// Registrations that came to their end, later ones included.
    pub completed: u64,
    /// Phones that were registered when the run ended.
    pub registered: u32,
    /// From the start to the last phone that was ready before calls began, in seconds.
    pub seconds: f64,
    /// Attempts that failed and connections that were lost, by reason.
    pub failed: BTreeMap<String, u64>,
}

/// What became of the calls.
#[derive(Debug, Clone, Serialize)]
pub struct CallReport {
    /// Calls a second that were planned.
    pub rate: f64,
    /// How long calls were made, in seconds; 0 if it did not come to that.
    pub seconds: f64,
    /// Calls that were due.
    pub attempts: u64,
    /// Calls that came to their end as they should.
    pub completed: u64,
    /// Those, by kind.
    pub completed_by_kind: BTreeMap<&'static str, u64>,
    /// Calls that ended because a storm took one of their phones.
    pub cut: u64,
    /// Calls that did not, by reason.
    pub failed: BTreeMap<&'static str, u64>,
}

/// Connections that are no phones as they should be, and what the server did with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StrangerReport {
    /// Phones that stopped to read.
    pub slow_readers: u64,
    /// Those of them that the server dropped before the run ended.
    pub slow_readers_dropped: u64,
    /// Connections that said nothing, or half a message.
    pub half_open: u64,
    /// Those of them that the server closed before the run ended.
    pub half_open_closed: u64,
}

/// How much was said.
#[derive(Debug, Clone, Serialize)]
pub struct MessageReport {
    /// Messages to the server.
    pub sent: u64,
    /// Messages from the server.
    pub received: u64,
    /// Messages to the server a second, over the whole run.
    pub sent_per_second: f64,
    /// Messages from the server a second, over the whole run.
    pub received_per_second: f64,
}

/// Packets of voice; all 0 without any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VoiceReport {
    /// Sent.
    pub sent: u64,
    /// Received.
    pub received: u64,
    /// Missing in the streams that came, by their numbers.
    pub lost: u64,
}

/// How long things took. Each counts from the moment at which the action before it was due.
#[derive(Debug, Clone, Serialize)]
pub struct Latencies {
    /// From the moment that the connection was due to the phone that is ready, with all its questions answered.
    pub register_to_ready: Latency,
    /// From the moment that lifting the handset was due to the dial tone.
    pub off_hook_to_tone: Latency,
    /// From the last digit to the bell at the far end.
    pub digit_to_ring: Latency,
    /// From the answer to voice both ways at the caller.
    pub answer_to_media_caller: Latency,
    /// From the answer to voice both ways at the called phone.
    pub answer_to_media_callee: Latency,
    /// From hanging up to two phones whose call is over.
    pub hang_up_to_idle: Latency,
    /// From Resume to voice both ways on both sides.
    pub resume_to_media: Latency,
    /// From the second press of Transfer to voice both ways between the other two.
    pub transfer_to_media: Latency,
}

/// How long one kind of thing took, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// How often it was measured.
    pub count: u64,
    /// The shortest.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// Half of them took no longer.
    pub p50: u64,
    /// Nine of ten took no longer.
    pub p90: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    /// 999 of 1000 took no longer.
    pub p99_9: u64,
    /// The longest.
    pub max: u64,
}

/// What the generator itself was like. Where it is late or busy the latencies are partly its own.
#[derive(Debug, Clone, Serialize)]
pub struct GeneratorReport {
    /// How late it did what was due, in microseconds. Up to 1 ms is the granularity of its clock.
    pub behind_us: Latency,
    /// Processor time that it took, in seconds.
    pub cpu_seconds: f64,
    /// Processor time while calls were made, in microseconds for each; 0 without calls.
    pub cpu_us_per_call: f64,
    /// Its resident memory at the end, in bytes; 0 where the system does not tell.
    pub resident_bytes: u64,
}

/// Processor time of the process, in seconds, at the moments that matter.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    pub(crate) start: f64,
    pub(crate) calls_begin: f64,
    pub(crate) calls_end: f64,
}

impl Cpu {
    /// Processor time so far, in seconds.
    pub(crate) fn now() -> f64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
}

impl Report {
    pub(crate) fn new(plan: &Plan, director: &Director, cpu: Cpu, ended: Ended, now: Time) -> Self {
        let tally = &director.tally;
        let seconds = seconds(Time::ZERO, now);
        let (begin, end) = director.span.unwrap_or_default();
        let completed = tally.completed.values().sum();
        let cpu_us_per_call = match completed {
            0 => 0.0,
            calls => (cpu.calls_end - cpu.calls_begin) * 1e6 / calls as f64,
        };
        Self {
            schema: SCHEMA,
            target: plan.target,
            phones: plan.phones.count,
            ended,
            seconds,
            registration: RegistrationReport {
                attempts: tally.connects,
                completed: tally.registrations,
                registered: director.registered,
                seconds: self::seconds(Time::ZERO, director.ready_at),
                failed: tally.offline.clone(),
            },
            calls: CallReport {
                rate: plan.calls.rate.unwrap_or(0.0),
                seconds: self::seconds(begin, end),
                attempts: tally.calls,
                completed,
                completed_by_kind: tally
                    .completed
                    .iter()
                    .map(|(kind, count)| (kind.name(), *count))
                    .collect(),
                cut: tally.cut,
                failed: tally.failed.iter().map(|(failure, count)| (failure.name(), *count)).collect(),
            },
            wrong: tally.wrong.iter().map(|(wrong, count)| (wrong.name(), *count)).collect(),
            examples: tally.examples.clone(),
            strangers: StrangerReport {
                slow_readers: tally.strangers.slow_readers,
                slow_readers_dropped: tally.strangers.slow_readers_dropped,
                half_open: tally.strangers.half_open,
                half_open_closed: tally.strangers.half_open_closed,
            },
            messages: MessageReport {
                sent: tally.sent,
                received: tally.received,
                sent_per_second: tally.sent as f64 / seconds,
                received_per_second: tally.received as f64 / seconds,
            },
            voice: VoiceReport {
                sent: tally.voice.sent,
                received: tally.voice.received,
                lost: tally.voice.lost,
            },
            latency_us: Latencies::of(tally),
            generator: GeneratorReport {
                behind_us: Latency::of(tally, Timed::Behind),
                cpu_seconds: Cpu::now() - cpu.start,
                cpu_us_per_call,
                resident_bytes: resident_bytes(),
            },
            timeline: tally.timeline.samples.clone(),
        }
    }

    /// Whether every phone registered, stayed so, and every call went as it should.
    pub fn is_clean(&self) -> bool {
        u64::from(self.registration.registered) + self.strangers.slow_readers == u64::from(self.phones)
            && self.registration.failed.is_empty()
            && self.calls.failed.is_empty()
            && self.wrong.is_empty()
    }

    /// The report as one JSON object, indented.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has text keys and finite numbers only")
    }
}

impl Latencies {
    fn of(tally: &Tally) -> Self {
        let of = |timed| Latency::of(tally, timed);
        Self {
            register_to_ready: of(Timed::RegisterToReady),
            off_hook_to_tone: of(Timed::OffHookToTone),
            digit_to_ring: of(Timed::DigitToRing),
            answer_to_media_caller: of(Timed::AnswerToMediaCaller),
            answer_to_media_callee: of(Timed::AnswerToMediaCallee),
            hang_up_to_idle: of(Timed::HangUpToIdle),
            resume_to_media: of(Timed::ResumeToMedia),
            transfer_to_media: of(Timed::TransferToMedia),
        }
    }

    /// All of them with their names.
    pub fn all(&self) -> [(&'static str, &Latency); 8] {
        [
            ("register to ready", &self.register_to_ready),
            ("off hook to tone", &self.off_hook_to_tone),
            ("digit to ring", &self.digit_to_ring),
            ("answer to media, caller", &self.answer_to_media_caller),
            ("answer to media, called", &self.answer_to_media_callee),
            ("hang-up to idle", &self.hang_up_to_idle),
            ("resume to media", &self.resume_to_media),
            ("transfer to media", &self.transfer_to_media),
        ]
    }
}

impl Latency {
    fn of(tally: &Tally, timed: Timed) -> Self {
        tally.times.get(&timed).map(Self::from).unwrap_or_default()
    }
}

impl From<&Histogram<u64>> for Latency {
    fn from(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        // A bucket is reported by its highest value, which nothing may have taken.
        let quantile = |quantile| histogram.value_at_quantile(quantile).min(histogram.max());
        Self {
            count: histogram.len(),
            min: histogram.min(),
            mean: histogram.mean(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            max: histogram.max(),
        }
    }
}

fn seconds(from: Time, to: Time) -> f64 {
    to.since(from).as_secs_f64()
}

/// Resident memory, where Linux tells it.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
