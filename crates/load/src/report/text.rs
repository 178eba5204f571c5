//! The report for people.

use std::{collections::BTreeMap, fmt};

use super::{Ended, Latency, Report};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registration, calls, messages, generator, .. } = self;
        let how = match self.ended {
            Ended::Finished => "",
            Ended::Interrupted => ", interrupted",
        };
        writeln!(f, "{} phones against {}, {:.1} s{how}\n", self.phones, self.target, self.seconds)?;
        writeln!(
            f,
            "registered  {} of {} in {:.1} s, {} attempts",
            registration.registered, self.phones, registration.seconds, registration.attempts
        )?;
        reasons(f, &registration.failed)?;
        let cut = if calls.cut > 0 { format!(", {} cut by storms", calls.cut) } else { String::new() };
        writeln!(
            f,
            "calls       {} due in {:.1} s, {} completed, {} failed{cut}",
            calls.attempts,
            calls.seconds,
            calls.completed,
            calls.failed.values().sum::<u64>()
        )?;
        if calls.completed_by_kind.keys().any(|kind| *kind != "plain") {
            let kinds: Vec<_> =
                calls.completed_by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            writeln!(f, "            completed: {}", kinds.join(", "))?;
        }
        reasons(f, &calls.failed)?;
        writeln!(f, "wrong       {}", self.wrong.values().sum::<u64>())?;
        reasons(f, &self.wrong)?;
        for example in &self.examples {
            writeln!(f, "              {example}")?;
        }
        let strangers = &self.strangers;
        if strangers.slow_readers + strangers.half_open > 0 {
            writeln!(
                f,
                "strangers   {} slow readers, {} dropped by the server; {} half-open connections, {} closed by the server",
                strangers.slow_readers,
                strangers.slow_readers_dropped,
                strangers.half_open,
                strangers.half_open_closed
            )?;
        }
        writeln!(
            f,
            "messages    {} sent ({:.0}/s), {} received ({:.0}/s)",
            messages.sent, messages.sent_per_second, messages.received, messages.received_per_second
        )?;
        let voice = &self.voice;
        if voice.sent > 0 {
            writeln!(
                f,
                "voice       {} packets sent, {} received, {} lost",
                voice.sent, voice.received, voice.lost
            )?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "{:<26}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "milliseconds", "count", "p50", "p90", "p99", "p99.9", "max"
        )?;
        for (name, latency) in self.latency_us.all().into_iter().filter(|(_, latency)| latency.count > 0) {
            row(f, name, latency)?;
        }
        row(f, "generator behind by", &generator.behind_us)?;
        write!(f, "\ngenerator   {:.1} s of processor time", generator.cpu_seconds)?;
        if generator.cpu_us_per_call > 0.0 {
            write!(f, ", {:.0} µs a call", generator.cpu_us_per_call)?;
        }
        writeln!(f, "; {:.1} MiB resident", generator.resident_bytes as f64 / 1_048_576.0)
    }
}

fn reasons(f: &mut fmt::Formatter<'_>, counts: &BTreeMap<impl fmt::Display, u64>) -> fmt::Result {
    counts.iter().try_for_each(|(reason, count)| writeln!(f, "  {count:>9} {reason}"))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, latency: &Latency) -> fmt::Result {
    write!(f, "{name:<26}{:>9}", latency.count)?;
    for micros in [latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max] {
        write!(f, "{:>10.3}", micros as f64 / 1e3)?;
    }
    writeln!(f)
}
