//! Many phones at once against any SCCP server, and what was seen of it.
//!
//! A [`Plan`] says which phones there are, at which server, and what they do; [`run`] does it on the calling thread and
//! gives a [`Report`]. The phones are the stations of `selsius phone`; one poll serves them all, and none of them has a
//! task, a timer or a buffer of its own.
//!
//! ```text
//!  Schedule ──due──> Director ──Act──> Fleet: station, connection ──TCP──> server
//!                       ^                 │
//!                       └──event, media───┘      Director: what a call waits for, what was wrong, how long it took
//! ```
//!
//! # What a latency is
//! The schedule is open: a call is due when the schedule says so, whether those before it went well or not. A latency counts
//! from the moment at which its action was due, so a server that answers late is not asked less often. What the
//! generator itself is late by is told apart ([`Report::generator`]).

mod agenda;
mod director;
mod fleet;
mod limits;
mod media;
mod plan;
mod report;
mod scenario;
mod schedule;
mod site;
mod tally;

pub use director::Wrong;
pub use fleet::{Progress, RunError, Stop, run};
pub use limits::{LimitError, raise_open_files};
pub use plan::{
    CallKind, Calls, Mix, NamePattern, PatternError, Phones, Plan, PlanError, Rtp, RtpError, Sources,
    SourcesError, Storm, StormKind,
};
pub use report::{
    CallReport, Ended, GeneratorReport, Latencies, Latency, MessageReport, RegistrationReport, Report,
    SCHEMA, Sample, StrangerReport, VoiceReport,
};
pub use scenario::{CallsPart, PhonesPart, RunPart, Scenario, ScenarioError};
pub use schedule::Rate;
pub use site::site_toml;
