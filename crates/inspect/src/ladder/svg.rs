//! Ladders as pictures: one SVG file without anything outside of it, to be put into a report.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

use selsius_wire::Time;

use super::{Event, Kind, Step};
use crate::words::{clean, fit, wrap};

/// Left of the first line: the times.
const LEFT: usize = 110;
const RIGHT: usize = 110;
/// Between two participants.
const GAP: usize = 330;
/// Where the first row is: below title and names.
const TOP: usize = 104;
/// A letter of details is about so many tenths of a pixel wide, at 11 pixels.
const LETTER: usize = 60;

/// A ladder in the making, as a picture.
#[derive(Debug, Clone)]
pub struct Svg {
    title: String,
    names: Vec<String>,
    body: String,
    /// Where the next row begins.
    y: usize,
    origin: Option<Time>,
    written: Option<u64>,
    /// Another telephone system takes part: most ladders need not explain what that looks like.
    peers: bool,
}

impl Svg {
    /// A picture of the named participants from left to right.
    pub fn new<N: Into<String>>(title: impl Into<String>, participants: impl IntoIterator<Item = N>) -> Self {
        let names = participants.into_iter().map(Into::into).collect();
        Self {
            title: title.into(),
            names,
            body: String::new(),
            y: TOP,
            origin: None,
            written: None,
            peers: false,
        }
    }

    /// Draws one event below the others; one about participants who do not exist is left out.
    pub fn push(&mut self, event: &Event) {
        let exists = |column: usize| column < self.names.len();
        match &event.step {
            Step::Message { from, to, name, details, kind } if exists(*from) && exists(*to) => {
                self.time(event.time);
                self.peers |= *kind == Kind::Peer;
                self.message(*from, *to, name, details, *kind);
            }
            Step::Stream { between: (one, other), words } if exists(*one) && exists(*other) => {
                self.time(event.time);
                self.stream(*one, *other, words);
            }
            Step::Note { at, words } if at.is_none_or(exists) => {
                self.time(event.time);
                self.note(*at, words);
            }
            _ => {}
        }
    }

    /// The whole file.
    pub fn finish(&self) -> String {
        let width = LEFT + GAP * self.names.len().saturating_sub(1).max(1) + RIGHT;
        let height = self.y + 56;
        let bottom = self.y + 8;
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12">
<title>{title}</title>
<defs>"##,
            title = escape(&self.title)
        );
        for kind in KINDS {
            let (class, colour, _) = look(kind);
            let _ = write!(
                svg,
                r#"<marker id="{class}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto-start-reverse"><path d="M0 0.5 L8 4 L0 7.5 z" fill="{colour}"/></marker>"#
            );
        }
        let _ = write!(
            svg,
            "</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"16\" y=\"30\" font-size=\"17\" font-weight=\"bold\" fill=\"#1f2933\">{}</text>\n",
            escape(&fit(&self.title, width / 9))
        );
        for (column, name) in self.names.iter().enumerate() {
            let x = line(column);
            let name = escape(&fit(name, 26));
            let _ = writeln!(
                svg,
                "<line x1=\"{x}\" y1=\"78\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#c3ccd5\"/>\n\
                 <rect x=\"{}\" y=\"50\" width=\"176\" height=\"28\" rx=\"5\" fill=\"#eef2f6\" stroke=\"#b6c2cd\"/>\n\
                 <text x=\"{x}\" y=\"69\" text-anchor=\"middle\" font-weight=\"bold\" fill=\"#1f2933\">{name}</text>",
                x - 88
            );
        }
        svg.push_str(&self.body);
        let mut x = 24;
        for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Peer || self.peers) {
            let (class, colour, words) = look(kind);
            let y = bottom + 26;
            let _ = writeln!(
                svg,
                "<line x1=\"{x}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"1.6\" marker-end=\"url(#{class})\"/>\
                 <text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"#52606d\">{words}</text>",
                x + 24,
                x + 32,
                y + 4
            );
            x += 50 + words.len() * 6;
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The time of a row, unless the row above has the same.
    fn time(&mut self, time: Time) {
        let since = time.since(*self.origin.get_or_insert(time));
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        if self.written.replace(millis) == Some(millis) {
            return;
        }
        // Pauses can be seen.
        if self.y > TOP {
            self.y += 6;
        }
        let _ = writeln!(
            self.body,
            "<text x=\"14\" y=\"{}\" font-size=\"11\" fill=\"#7b8794\">{}.{:03}</text>",
            self.y + 16,
            millis / 1_000,
            millis % 1_000
        );
    }

    fn message(&mut self, from: usize, to: usize, name: &str, details: &str, kind: Kind) {
        if from == to {
            return self.note(Some(from), &format!("{name} {details}"));
        }
        let (class, colour, _) = look(kind);
        let (start, end) = (line(from), line(to));
        let left = start.min(end) + 18;
        let room = start.abs_diff(end) - 36;
        let y = self.y + 20;
        let (weight, opacity) = if kind == Kind::Quiet { ("normal", "0.6") } else { ("bold", "1") };
        let inside = room * 10 / LETTER;
        let name = fit(name, inside);
        let rest = inside.saturating_sub(name.chars().count() * 12 / 10 + 1);
        let details = clean(details);
        let fits = details.chars().count() <= rest;
        let beside = if fits { details.as_str() } else { "" };
        let _ = writeln!(
            self.body,
            "<g opacity=\"{opacity}\"><line x1=\"{start}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"1.6\" marker-end=\"url(#{class})\"/>\
             <text x=\"{left}\" y=\"{}\" font-size=\"11\"><tspan font-weight=\"{weight}\" fill=\"{colour}\">{}</tspan> <tspan fill=\"#3e4c59\">{}</tspan></text></g>",
            y - 5,
            escape(&name),
            escape(beside)
        );
        self.y += 24;
        if !fits {
            let lines = wrap(&details, inside);
            for (index, part) in lines.iter().take(2).enumerate() {
                let more = if index == 1 && lines.len() > 2 { " …" } else { "" };
                let _ = writeln!(
                    self.body,
                    "<text x=\"{left}\" y=\"{}\" font-size=\"11\" fill=\"#3e4c59\">{}{more}</text>",
                    self.y + 9,
                    escape(part)
                );
                self.y += 13;
            }
        }
    }

    fn stream(&mut self, one: usize, other: usize, words: &str) {
        let (left, right) = (line(one.min(other)) + 3, line(one.max(other)) - 3);
        let (class, colour, _) = look(Kind::Media);
        let y = self.y + 17;
        let _ = writeln!(
            self.body,
            "<rect x=\"{left}\" y=\"{}\" width=\"{}\" height=\"22\" fill=\"#f6eefb\"/>\
             <line x1=\"{left}\" y1=\"{}\" x2=\"{right}\" y2=\"{}\" stroke=\"{colour}\" stroke-width=\"2\" marker-start=\"url(#{class})\" marker-end=\"url(#{class})\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" font-weight=\"bold\" fill=\"{colour}\">{}</text>",
            y - 13,
            right.saturating_sub(left),
            y + 5,
            y + 5,
            usize::midpoint(left, right),
            y,
            escape(&fit(words, (right.saturating_sub(left)) * 10 / 64))
        );
        self.y += 32;
    }

    fn note(&mut self, at: Option<usize>, words: &str) {
        let x = at.map_or(LEFT - 44, |column| line(column) + 8);
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{}\" font-size=\"11\" font-style=\"italic\" fill=\"#52606d\">{}</text>",
            self.y + 16,
            escape(&fit(&clean(words), GAP * 10 / LETTER))
        );
        self.y += 22;
    }
}

const KINDS: [Kind; 6] = [Kind::Station, Kind::Manager, Kind::Peer, Kind::Media, Kind::Trouble, Kind::Quiet];

/// The name of an arrow's head, its colour, and what it means.
fn look(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Station => ("station", "#0b6e99", "from a phone"),
        Kind::Manager => ("manager", "#2f7d32", "from the manager"),
        Kind::Peer => ("peer", "#b26a00", "from another system"),
        Kind::Media => ("media", "#8e3fa8", "media"),
        Kind::Quiet => ("quiet", "#9aa5b1", "keepalive"),
        Kind::Trouble => ("trouble", "#c62828", "refusal or failure"),
    }
}

fn line(column: usize) -> usize {
    LEFT + GAP * column
}

/// Text for XML 1.0.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push('·'),
            // Not allowed in XML at all.
            '\u{fffe}' | '\u{ffff}' => out.push('·'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_said_stays_inside_its_element() {
        let mut svg = Svg::new("A & B", ["<phone>", "manager"]);
        for (from, to) in [(0, 1), (1, 0), (0, 0), (7, 0)] {
            let (name, details) = ("Alarm".into(), "\"</text>\" \u{7} ".repeat(20));
            svg.push(&Event {
                time: Time::from_millis(5),
                step: Step::Message { from, to, name, details, kind: Kind::Station },
            });
        }
        svg.push(&Event::stream(Time::from_millis(9), (0, 1), "RTP"));
        svg.push(&Event::note(Time::from_millis(9), Some(1), "<note>"));
        let svg = svg.finish();
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(!svg.contains("<phone>") && !svg.contains("<note>") && !svg.contains('\u{7}'), "{svg}");
        assert!(svg.contains("A &amp; B") && svg.contains("&lt;phone&gt;"));
        assert_eq!((svg.matches("0.000").count(), svg.matches("0.004").count()), (1, 1));
    }
}
