//! The settings.

use std::collections::BTreeSet;

use super::{Check, MAX_AUTO_NUMBERS, MAX_NAME_BYTES, Problem};
use crate::{CodecName, LineNumber, NumberRange, Settings, key::KeyPath, pattern::is_match};

impl Check<'_> {
    pub(super) fn settings(&mut self) {
        let at = KeyPath::new(&["settings"]);
        let Settings { name, time_zone, date_format, codecs, timers, auto_registration, firmware, .. } =
            &self.site.settings;
        self.text(at.key("name"), name, MAX_NAME_BYTES);
        self.time_zone(&at, time_zone.as_ref());
        self.date_format(&at, Some(date_format));
        if codecs.is_empty() {
            self.add(at.key("codecs"), Problem::Empty("at least one codec"));
        }
        if codecs.contains(&CodecName::Opus) {
            self.add(at.key("codecs"), Problem::NoPhoneSpeaks);
        }
        self.codecs(at.key("codecs"), codecs);
        self.known(at.key("music"), self.site.settings.music.as_ref(), &self.site.music, "music", "music");
        let packet_ms = self.site.settings.packet_ms;
        if !(10..=60).contains(&packet_ms) || !packet_ms.is_multiple_of(10) {
            self.add(at.key("packet-ms"), Problem::PacketTime(packet_ms));
        }
        let settings = &self.site.settings;
        self.range(at.key("keepalive-seconds"), settings.keepalive_seconds, 10, 600, "seconds");
        self.range(at.key("transfer-recall-seconds"), settings.transfer_recall_seconds, 0, 600, "seconds");
        self.range(at.key("conference-size"), settings.conference_size, 3, 64, "participants");
        if settings.recording_beep != 0 {
            self.range(at.key("recording-beep"), settings.recording_beep, 2, 600, "seconds, or 0 for never");
        }
        self.range(at.key("recordings-keep"), settings.recordings_keep, 0, 36_500, "days");
        self.range(at.key("recordings-mib"), settings.recordings_mib, 0, 100_000_000, "MiB");
        let clock = at.key("timers");
        for (key, seconds, min, max) in [
            ("first-digit", timers.first_digit, 1, 120),
            ("inter-digit", timers.inter_digit, 1, 60),
            ("no-answer", timers.no_answer, 5, 600),
            ("forward-no-answer", timers.forward_no_answer, 1, 600),
            ("park-reminder", timers.park_reminder, 0, 3600),
            ("park-return", timers.park_return, 0, 3600),
            ("callback", timers.callback, 5, 600),
            ("hold-reminder", timers.hold_reminder, 0, 3600),
            ("queue", timers.queue, 1, 3600),
        ] {
            self.range(clock.key(key), seconds, min, max, "seconds");
        }
        if let Some(range) = auto_registration {
            self.auto_registration(at.key("auto-registration"), range);
        }
        for (model, load) in firmware {
            let at = at.key("firmware").key(model.as_str());
            if model.facts().is_none() {
                self.add(at.clone(), Problem::UnknownModel(model.to_string()));
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if load.is_empty() || load.len() > 64 || !load.chars().all(plain) || load.contains("..") {
                self.add(at, Problem::Firmware(load.clone()));
            }
        }
    }

    pub(super) fn codecs(&mut self, at: KeyPath, codecs: &[CodecName]) {
        if codecs.iter().collect::<BTreeSet<_>>().len() < codecs.len() {
            self.add(at, Problem::CodecTwice);
        }
    }

    fn auto_registration(&mut self, at: KeyPath, range: &NumberRange) {
        if let Err(why) = check_range(range) {
            return self.add(at, Problem::AutoRange(why));
        }
        let emergency: Vec<_> = self
            .site
            .routes
            .iter()
            .filter(|(_, route)| route.emergency)
            .map(|(pattern, _)| pattern)
            .collect();
        let matched = range.numbers().find_map(|number| {
            // A line in the range has been given out already.
            if let Some(what) = self.numbers.what(&number).filter(|_| !self.site.lines.contains_key(&number))
            {
                return Some(Problem::AutoTaken { number, what });
            }
            let pattern = emergency.iter().find(|pattern| is_match(pattern.matches(number.as_str())))?;
            Some(Problem::AutoEmergency { number: number.to_string(), pattern: pattern.to_string() })
        });
        if let Some(problem) = matched {
            self.add(at, problem);
        }
    }
}

/// Is it a range, and not too long a one?
pub(super) fn check_range(range: &NumberRange) -> Result<(), &'static str> {
    let digits = |number: &LineNumber| number.as_str().chars().all(|c| c.is_ascii_digit());
    if !digits(&range.first) || !digits(&range.last) {
        return Err("is not a range of numbers; expected only digits in first and last");
    }
    if range.first.as_str().len() != range.last.as_str().len() {
        return Err("first and last differ in length; expected as many digits in both");
    }
    if range.first > range.last {
        return Err("first is greater than last");
    }
    if range.count().is_none_or(|count| count > MAX_AUTO_NUMBERS) {
        return Err("has more than 10,000 numbers");
    }
    Ok(())
}
