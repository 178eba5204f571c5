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
        writeln!(
            f,
            "calls       {} due in {:.1} s, {} completed, {} failed",
            calls.attempts,
            calls.seconds,
            calls.completed,
            calls.failed.values().sum::<u64>()
        )?;
        reasons(f, &calls.failed)?;
        writeln!(f, "wrong       {}", self.wrong.values().sum::<u64>())?;
        reasons(f, &self.wrong)?;
        for example in &self.examples {
            writeln!(f, "              {example}")?;
        }
        writeln!(
            f,
            "messages    {} sent ({:.0}/s), {} received ({:.0}/s)\n",
            messages.sent, messages.sent_per_second, messages.received, messages.received_per_second
        )?;
        writeln!(
            f,
            "{:<26}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "milliseconds", "count", "p50", "p90", "p99", "p99.9", "max"
        )?;
        for (name, latency) in self.latency_us.all() {
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
        match latency.count {
            0 => write!(f, "{:>10}", "-")?,
            _ => write!(f, "{:>10.3}", micros as f64 / 1e3)?,
        }
    }
    writeln!(f)
}
