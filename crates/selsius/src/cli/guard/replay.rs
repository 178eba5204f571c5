//! `selsius guard --replay`: what would have happened.

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use selsius_guard::policy::{Rules, message_name};
use selsius_inspect::{
    guard::{Config, Finding, Output, Replay},
    packet::{Content, Defragmenter, LinkType, Stamp, parse},
};

use crate::cli::{
    dissect::source::{Capture, Ending},
    out,
};

/// The exit code says whether anything would have been kept from going on: then it is 1.
pub(super) fn run(file: &Path, rules: Rules, ports: &[u16]) -> Result<ExitCode> {
    let ports = [&[2000], ports].concat();
    let config = Config { policy: rules.policy, translation: rules.translation };
    let mut replay = Replay::new(config, ports.clone());
    let mut defragmenter = Defragmenter::default();
    let mut last = Stamp::default();
    let capture = Capture::new(file, false)?;
    let ending = capture.read(None, &mut |stamp, packet| {
        last = stamp;
        let Some(link) = LinkType::from_capture(packet.link) else { return Ok(()) };
        match parse(link, packet.bytes) {
            Content::Tcp(segment) => replay.segment(stamp, &segment),
            Content::Fragment(fragment) => {
                if let Some(whole) = defragmenter.take(stamp.time, &fragment)
                    && let Content::Tcp(segment) = whole.content()
                {
                    replay.segment(stamp, &segment);
                }
            }
            _ => {}
        }
        while let Some(output) = replay.poll_output() {
            if let Output::Finding(finding) = output {
                out::print(&line(stamp, &finding))?;
            }
        }
        Ok(())
    })?;
    replay.finish(last);
    if let Ending::Broken { packets, at, why } = ending {
        out::print(&format!("{} ends after {packets} packets, at byte {at}: {why}\n", capture.name()))?;
    }
    let counters = replay.guard().counters();
    if counters.connections == 0 {
        let ports = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        out::print(&format!("no connection to a manager at port {ports}; --port names another one\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let kept = counters.dropped.iter().sum::<u64>() + counters.resets;
    out::print(&format!(
        "{}: {} of phones, {} of managers; {} dropped, {} changed, {} reset\n",
        out::count(usize::try_from(counters.connections)?, "connection"),
        out::count(usize::try_from(counters.messages[0])?, "message"),
        counters.messages[1],
        counters.dropped.iter().sum::<u64>(),
        counters.changed,
        out::count(usize::try_from(counters.resets)?, "connection"),
    ))?;
    Ok(if kept == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(stamp: Stamp, finding: &Finding) -> String {
    let device = finding.device.as_deref().map_or_else(|| finding.ends.station.to_string(), Into::into);
    let message = finding.message.map(message_name).unwrap_or_default();
    let field = finding.field.map(|(name, at)| format!(" {name} at {at}")).unwrap_or_default();
    let times = if finding.count > 1 { format!(" ({} times)", finding.count) } else { String::new() };
    let detail =
        if finding.detail.is_empty() { String::new() } else { format!(": {}", out::clean(&finding.detail)) };
    format!(
        "packet {:<7} {device:<16} {:<6} {:<22} {} {message}{field}{detail}{times}\n",
        stamp.number,
        finding.action.name(),
        finding.kind.name(),
        finding.from,
    )
}
