//! The report as one HTML file: charts as SVG, nothing from elsewhere, no script.

use std::fmt::Write;

use super::{Ended, Latency, Report, timeline::Sample};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2733;--faint:#8a97a5;--line:#d8dee5;--back:#fff;--bad:#c0392b;--a:#1f6fb2;--b:#d9822b}\
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ee;--faint:#8896a5;--line:#33404d;--back:#151b21;--bad:#ff7b6b;--a:#5aa9e6;--b:#f0a35c}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;margin-bottom:0}h2{font-size:1.1rem;margin-top:2rem}p.sub{color:var(--faint);margin-top:0}\
dl{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem}dt{color:var(--faint)}dd{margin:0;font-size:1.4rem;font-variant-numeric:tabular-nums}\
.bad{color:var(--bad)}table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.2rem .8rem;text-align:right;border-bottom:1px solid var(--line)}\
th:first-child,td:first-child{text-align:left;padding-left:0}svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--faint)}\
.key span{margin-right:1.2rem}.key i{display:inline-block;width:1rem;height:.25rem;vertical-align:middle;margin-right:.3rem}";

/// Inks of the lines in a chart, in the order in which they are named.
const INKS: [&str; 3] = ["--a", "--b", "--bad"];

impl Report {
    /// The report as an HTML page that needs no network.
    pub fn to_html(&self) -> String {
        let mut page = String::new();
        // Writing to a String does not fail.
        let _ = self.write_html(&mut page);
        page
    }

    fn write_html(&self, page: &mut String) -> std::fmt::Result {
        let Self { registration, calls, messages, generator, .. } = self;
        let failed: u64 = calls.failed.values().sum();
        let wrong: u64 = self.wrong.values().sum();
        let how = match self.ended {
            Ended::Finished => "",
            Ended::Interrupted => ", interrupted",
        };
        write!(
            page,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>selsius load: {target}</title>\
             <style>{STYLE}</style></head><body>\n<h1>{phones} phones against {target}</h1>\
             <p class=\"sub\">{seconds:.1} s{how}; {rate} calls a second planned</p>\n<dl>",
            target = self.target,
            phones = self.phones,
            seconds = self.seconds,
            rate = calls.rate,
        )?;
        let missing = u64::from(self.phones.saturating_sub(registration.registered));
        figure(page, "registered", registration.registered.into(), missing > self.strangers.slow_readers)?;
        figure(page, "calls due", calls.attempts, false)?;
        figure(page, "completed", calls.completed, false)?;
        figure(page, "failed", failed, failed > 0)?;
        if calls.cut > 0 {
            figure(page, "cut by storms", calls.cut, false)?;
        }
        figure(page, "wrong", wrong, wrong > 0)?;
        figure(page, "messages sent", messages.sent, false)?;
        figure(page, "messages received", messages.received, false)?;
        page.push_str("</dl>\n");

        page.push_str("<h2>How long it took</h2>\n");
        let behind = [("generator behind by", &generator.behind_us)];
        let rows: Vec<_> = self
            .latency_us
            .all()
            .into_iter()
            .filter(|(_, latency)| latency.count > 0)
            .chain(behind)
            .collect();
        latency_chart(page, &rows)?;
        latency_table(page, &rows)?;

        let samples = &self.timeline;
        let a_second =
            |count: u64, of: &Sample| if of.seconds > 0.0 { count as f64 / of.seconds } else { 0.0 };
        if calls.attempts > 0 {
            let lines: [Line<'_>; 3] = [
                ("due", &|of| a_second(of.due, of)),
                ("completed", &|of| a_second(of.completed, of)),
                ("failed", &|of| a_second(of.failed, of)),
            ];
            chart(page, "Calls a second", samples, &lines)?;
            let lines: [Line<'_>; 3] = [
                ("digit to ring, median", &|of| of.ring_p50_us as f64 / 1e3),
                ("digit to ring, p99", &|of| of.ring_p99_us as f64 / 1e3),
                ("generator behind by, at most", &|of| of.behind_us as f64 / 1e3),
            ];
            chart(page, "Milliseconds", samples, &lines)?;
        }
        let lines: [Line<'_>; 2] =
            [("sent", &|of| a_second(of.sent, of)), ("received", &|of| a_second(of.received, of))];
        chart(page, "Messages a second", samples, &lines)?;
        chart(page, "Registered phones", samples, &[("registered", &|of| f64::from(of.registered))])?;

        reasons(page, "Registrations that failed, connections that were lost", &registration.failed)?;
        reasons(page, "Calls that failed", &calls.failed)?;
        reasons(page, "What was wrong", &self.wrong)?;
        if !self.examples.is_empty() {
            page.push_str("<ul>");
            for example in &self.examples {
                write!(page, "<li>{}</li>", escaped(example))?;
            }
            page.push_str("</ul>\n");
        }
        writeln!(
            page,
            "<p class=\"sub\">The generator took {:.1} s of processor time, {:.0} µs a call, and {:.1} MiB.</p></body></html>",
            generator.cpu_seconds,
            generator.cpu_us_per_call,
            generator.resident_bytes as f64 / 1_048_576.0
        )
    }
}

fn figure(page: &mut String, name: &str, value: u64, is_bad: bool) -> std::fmt::Result {
    let class = if is_bad { " class=\"bad\"" } else { "" };
    write!(page, "<div><dt>{name}</dt><dd{class}>{value}</dd></div>")
}

fn reasons<K: AsRef<str>>(
    page: &mut String,
    heading: &str,
    counts: &std::collections::BTreeMap<K, u64>,
) -> std::fmt::Result {
    if counts.is_empty() {
        return Ok(());
    }
    write!(page, "<h2>{heading}</h2><table>")?;
    for (reason, count) in counts {
        write!(page, "<tr><td>{}</td><td>{count}</td></tr>", escaped(reason.as_ref()))?;
    }
    page.push_str("</table>\n");
    Ok(())
}

fn latency_table(page: &mut String, rows: &[(&str, &Latency)]) -> std::fmt::Result {
    page.push_str(
        "<table><tr><th>milliseconds</th><th>count</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>",
    );
    for (name, latency) in rows {
        write!(page, "<tr><td>{name}</td><td>{}</td>", latency.count)?;
        for (_, micros) in quantiles(latency) {
            write!(page, "<td>{:.3}</td>", micros as f64 / 1e3)?;
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>\n");
    Ok(())
}

fn quantiles(latency: &Latency) -> [(&'static str, u64); 5] {
    let Latency { p50, p90, p99, p99_9, max, .. } = *latency;
    [("p50", p50), ("p90", p90), ("p99", p99), ("p99.9", p99_9), ("max", max)]
}

const WIDTH: f64 = 900.0;
/// Room for the names of rows, or the figures of an axis.
const LEFT: f64 = 170.0;
const AXIS: f64 = 60.0;
const RIGHT: f64 = 36.0;

/// From the median to the longest, on a logarithmic axis from a tenth of a millisecond on: one row for each.
fn latency_chart(page: &mut String, rows: &[(&str, &Latency)]) -> std::fmt::Result {
    let longest = rows.iter().map(|(_, latency)| latency.max).max().unwrap_or(0);
    // Microseconds, as powers of ten.
    let (low, high) = (2.0, (longest.max(1000) as f64).log10().ceil());
    let x = |micros: f64| {
        let part = (micros.max(1.0).log10() - low).max(0.0) / (high - low);
        LEFT + part * (WIDTH - LEFT - RIGHT)
    };
    let height = 30.0 + 26.0 * rows.len() as f64;
    write!(page, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"latencies\">")?;
    let mut tick = low;
    while tick <= high {
        let (at, millis) = (x(10_f64.powf(tick)), 10_f64.powf(tick - 3.0));
        write!(
            page,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"4\" y2=\"{:.0}\" stroke=\"var(--line)\"/>\
             <text x=\"{at:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{millis} ms</text>",
            height - 22.0,
            height - 6.0
        )?;
        tick += 1.0;
    }
    for ((name, latency), row) in rows.iter().zip(0_u32..) {
        let y = 18.0 + 26.0 * f64::from(row);
        let (from, to) = (x(latency.p50 as f64), x(latency.max as f64));
        write!(
            page,
            "<text x=\"0\" y=\"{:.0}\">{name}</text><line x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{y}\" y2=\"{y}\" \
             stroke=\"var(--a)\" stroke-width=\"2\"/>",
            y + 4.0
        )?;
        for ((quantile, micros), radius) in quantiles(latency).into_iter().zip([5.0, 4.0, 4.0, 3.0, 3.0]) {
            write!(
                page,
                "<circle cx=\"{:.1}\" cy=\"{y}\" r=\"{radius}\" fill=\"var(--a)\"><title>{name}, {quantile}: {:.3} ms</title></circle>",
                x(micros as f64),
                micros as f64 / 1e3
            )?;
        }
    }
    page.push_str("</svg>\n<p class=\"sub\">From left to right: p50, p90, p99, p99.9, max.</p>\n");
    Ok(())
}

type Line<'a> = (&'a str, &'a dyn Fn(&Sample) -> f64);

/// Figures over the time of the run, one line for each.
fn chart(page: &mut String, heading: &str, samples: &[Sample], lines: &[Line<'_>]) -> std::fmt::Result {
    let end = samples.last().map_or(0.0, |last| last.at + last.seconds);
    let most =
        samples.iter().flat_map(|sample| lines.iter().map(|(_, value)| value(sample))).fold(0.0, f64::max);
    if end <= 0.0 || most <= 0.0 {
        return Ok(());
    }
    let (top, height) = (nice(most), 180.0);
    let (x, y) = (
        |at: f64| AXIS + at / end * (WIDTH - AXIS - RIGHT),
        |value: f64| 10.0 + (1.0 - value / top) * (height - 40.0),
    );
    write!(page, "<h2>{heading}</h2><p class=\"key\">")?;
    for ((name, _), ink) in lines.iter().zip(INKS) {
        write!(page, "<span><i style=\"background:var({ink})\"></i>{name}</span>")?;
    }
    write!(page, "</p><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{heading}\">")?;
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let at = y(part * top);
        write!(
            page,
            "<line x1=\"{AXIS}\" x2=\"{:.0}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"var(--line)\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            AXIS - 6.0,
            at + 4.0,
            plain(part * top)
        )?;
        let seconds = part * end;
        write!(
            page,
            "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{} s</text>",
            x(seconds),
            height - 8.0,
            plain((seconds * 10.0).round() / 10.0)
        )?;
    }
    for ((name, value), ink) in lines.iter().zip(INKS) {
        write!(page, "<polyline fill=\"none\" stroke=\"var({ink})\" stroke-width=\"1.5\" points=\"")?;
        for sample in samples {
            write!(page, "{:.1},{:.1} ", x(sample.at + sample.seconds / 2.0), y(value(sample)))?;
        }
        write!(page, "\"><title>{name}</title></polyline>")?;
    }
    page.push_str("</svg>\n");
    Ok(())
}

/// The next higher number that can be read easily in quarters.
fn nice(most: f64) -> f64 {
    let power = 10_f64.powf(most.log10().floor());
    let step = [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().find(|step| step * power >= most);
    step.unwrap_or(10.0) * power
}

/// A number without zeros that say nothing.
fn plain(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

/// Servers say what they like, also in texts that end up here.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let tops: Vec<_> = [0.3, 1.0, 3.0, 501.0, 900.0].map(nice).into();
        assert_eq!(tops, [0.4, 1.0, 4.0, 800.0, 1000.0]);
        assert_eq!([0.75 * 0.4, 0.25, 150.0, 0.0].map(plain), ["0.3", "0.25", "150", "0"]);
    }

    #[test]
    fn what_servers_say_is_text() {
        assert_eq!(escaped("<script>\"&"), "&lt;script&gt;&quot;&amp;");
    }
}
