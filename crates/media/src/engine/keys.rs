//! Keys as tones in the sound: heard of a party that may have no other way to tell them, and made for one that knows no other.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::voice::Frame;
use crate::coder::Converter;
use crate::tone::detect::DtmfDetector;
use crate::tone::{Step, Then};
use crate::{Band, Digit, Time, Tone, ToneGenerator};

/// Somebody who tells keys by events and in the sound tells the second within this time after the first.
const SAME: Duration = Duration::from_millis(500);
/// Silence between two keys, by which the second is told from the first: 40 ms are needed (ITU-T Q.24).
const APART_MS: u32 = 80;
/// For as long a stream that begins softly is not at its loudness.
const SOFT_MS: u32 = 60;

/// Listens for keys in what a party says, until it turns out that it tells them by telephone events.
#[derive(Debug, Default)]
pub(super) struct Listener {
    detector: DtmfDetector,
    converter: Converter,
    told: Option<(Digit, Time)>,
    knows_events: bool,
}

impl Listener {
    /// Whether there is still a reason to listen.
    pub(super) const fn listens(&self) -> bool {
        !self.knows_events
    }

    /// Listens to a frame; the keys that were found in it.
    pub(super) fn hear(&mut self, now: Time, frame: &Frame) -> Vec<Digit> {
        if self.knows_events {
            return Vec::new();
        }
        let found = self.detector.push(&frame.in_band(Band::Narrow, &mut self.converter));
        self.told = found.last().map(|&digit| (digit, now)).or(self.told);
        found
    }

    /// The party tells a key by an event. From now on its tones tell nothing new; `false` if the one that came last was
    /// this key.
    pub(super) fn event(&mut self, now: Time, digit: Digit) -> bool {
        self.knows_events = true;
        let told = self.told.take();
        !told.is_some_and(|(told, at)| told == digit && now.since(at) < SAME)
    }
}

/// Keys that wait to be heard by a party as tones.
#[derive(Debug, Default)]
pub(super) struct Tones(VecDeque<ToneGenerator>);

impl Tones {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// One more key, held down for so long; `softly` if what is sent now may be softer than it should be.
    pub(super) fn press(&mut self, digit: Digit, length: Duration, softly: bool) {
        let millis = u32::try_from(length.as_millis()).unwrap_or(u32::MAX).min(LONGEST_MS);
        let mut steps = Vec::from([Step::silence(if softly { SOFT_MS } else { 0 })]);
        steps.extend_from_slice(&Tone::digit(digit, millis).steps);
        steps.push(Step::silence(APART_MS));
        self.0.push_back(ToneGenerator::new(Tone { steps: steps.into(), then: Then::Stop }));
    }

    /// Puts what is to be heard into a narrow-band frame; nothing if no key waits.
    pub(super) fn fill(&mut self, frame: &mut Frame) {
        let Some(tone) = self.0.front_mut() else { return };
        tone.fill(frame);
        if tone.is_finished() {
            self.0.pop_front();
        }
    }
}

/// As long as a telephone event can last: eight seconds.
const LONGEST_MS: u32 = 8000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pressed_is_heard_once_however_it_is_told() {
        let (mut tones, mut listener) = (Tones::default(), Listener::default());
        for digit in [Digit::One, Digit::One, Digit::Pound] {
            tones.press(digit, Duration::from_millis(100), digit == Digit::Pound);
        }
        let (mut heard, mut frames) = (Vec::new(), 0);
        while !tones.is_empty() {
            let mut frame = Frame::silence(Band::Narrow);
            tones.fill(&mut frame);
            heard.extend(listener.hear(Time::from_millis(frames * 20), &frame));
            frames += 1;
        }
        assert_eq!(heard, [Digit::One, Digit::One, Digit::Pound]);
        assert_eq!(frames, 3 * 9 + 3);

        // The same key by an event soon after is no other one; all others are.
        assert!(listener.listens());
        let at = |millis| Time::from_millis(frames * 20 + millis);
        assert!(!listener.event(at(100), Digit::Pound));
        assert!(!listener.listens());
        assert!(listener.event(at(150), Digit::Pound));
        assert!(Listener::default().event(at(0), Digit::One));
        tones.press(Digit::One, Duration::from_millis(100), false);
        for _ in 0..9 {
            let mut frame = Frame::silence(Band::Narrow);
            tones.fill(&mut frame);
            assert_eq!(listener.hear(at(200), &frame), []);
        }
        let mut late = Listener { told: Some((Digit::One, Time::ZERO)), ..Listener::default() };
        assert!(late.event(Time::from_millis(600), Digit::One), "that was another one");
    }
}
