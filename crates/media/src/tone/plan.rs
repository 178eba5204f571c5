//! The tones that people of a country know.
//!
//! Sources: ITU-T E.180 supplement 2 (various tones used in national networks) and Telcordia GR-506 (the
//! "precise" tone plan) for levels, pairs and cadences; DTMF from ITU-T Q.23. What a PBX adds to those (a zip, a
//! confirmation, the outside dial tone of 420 Hz) follows the defaults in the administration guides of Cisco's SPA
//! phones, as no standard has it.

use core::fmt;

use super::{Sine, Sound, Step, Then, Tone, digit_sound};
use crate::{Digit, Level};

/// A country's tones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Plan {
    /// The precise tone plan of North America.
    #[default]
    NorthAmerica,
    /// 425 Hz in the rhythms of Germany, near to those of most countries of Europe.
    Germany,
}

impl Plan {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::NorthAmerica, Self::Germany];

    /// The plan's name as in configuration files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NorthAmerica => "us",
            Self::Germany => "de",
        }
    }

    /// The plan of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.name() == name)
    }

    /// How this signal sounds here.
    pub fn tone(self, signal: Signal) -> Tone {
        if let Some(tone) = signal.everywhere() {
            return tone;
        }
        match self {
            Self::NorthAmerica => north_america(signal),
            Self::Germany => germany(signal),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a tone means. The number in each description is its `DeviceTone` in SCCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Dial: you have the PBX (0x21).
    InsideDial,
    /// Dial: you have the outside line (0x22).
    OutsideDial,
    /// The line you called is in use (0x23).
    Busy,
    /// The line you called rings (0x24).
    Alerting,
    /// No way there at this time (0x25).
    Reorder,
    /// A call on hold calls back (0x28).
    Reverting,
    /// You left the handset off the hook (0x29).
    OffHookWarning,
    /// Dial, and there are messages for you (0x2A).
    MessageWaiting,
    /// There is no such number (0x2B).
    NoSuchNumber,
    /// Somebody listens in (0x2C).
    BusyVerification,
    /// Another call waits, heard while you talk (0x2D).
    CallWaiting,
    /// Done (0x2E).
    Confirmation,
    /// Dial the second party of a transfer or conference (0x30).
    RecallDial,
    /// Two short ones (0x31).
    ZipZip,
    /// A short one: somebody is on your line, a call comes to your headset (0x32).
    Zip,
    /// High, low: refused (0x33).
    BeepBonk,
    /// The call is recorded (0x26).
    RecorderWarning,
    /// 1004 Hz at 0 dBm0 for ever (0x5F).
    Milliwatt,
    /// 440 Hz for ever (0x69).
    Hz440,
    /// A key, for as long as it is held (0x01 to 0x13).
    Key(Digit),
}

impl Signal {
    /// All but the keys.
    pub const CALL_PROGRESS: [Self; 19] = [
        Self::InsideDial,
        Self::OutsideDial,
        Self::Busy,
        Self::Alerting,
        Self::Reorder,
        Self::Reverting,
        Self::OffHookWarning,
        Self::MessageWaiting,
        Self::NoSuchNumber,
        Self::BusyVerification,
        Self::CallWaiting,
        Self::Confirmation,
        Self::RecallDial,
        Self::ZipZip,
        Self::Zip,
        Self::BeepBonk,
        Self::RecorderWarning,
        Self::Milliwatt,
        Self::Hz440,
    ];

    /// The signal of a `DeviceTone` in SCCP's StartTone. `None` for silence and for what is no tone of a phone's
    /// (music, announcements, trunk signalling).
    pub fn from_device_tone(number: u32) -> Option<Self> {
        let digit = match number {
            0x01..=0x09 => Digit::from_event(number as u8),
            0x0A => Some(Digit::Zero),
            0x0E => Some(Digit::Star),
            0x0F => Some(Digit::Pound),
            0x10..=0x13 => Digit::from_event(number as u8 - 4),
            _ => None,
        };
        if let Some(digit) = digit {
            return Some(Self::Key(digit));
        }
        Some(match number {
            0x21 => Self::InsideDial,
            0x22 => Self::OutsideDial,
            0x23 => Self::Busy,
            0x24 => Self::Alerting,
            0x25 => Self::Reorder,
            0x26 => Self::RecorderWarning,
            0x28 => Self::Reverting,
            0x29 => Self::OffHookWarning,
            0x2A => Self::MessageWaiting,
            0x2B => Self::NoSuchNumber,
            0x2C => Self::BusyVerification,
            0x2D => Self::CallWaiting,
            0x2E => Self::Confirmation,
            0x30 | 0x42 => Self::RecallDial,
            0x31 => Self::ZipZip,
            0x32 => Self::Zip,
            0x33 => Self::BeepBonk,
            0x5F | 0x60 => Self::Milliwatt,
            0x69 => Self::Hz440,
            _ => return None,
        })
    }

    /// The signals of no country.
    fn everywhere(self) -> Option<Tone> {
        const BEEP_BONK: &[Step] = &[Step::new(HIGH, 150), Step::new(LOW, 250)];
        let tone = match self {
            Self::Key(digit) => Tone::continuous(digit_sound(digit)),
            Self::Milliwatt => Tone::continuous(single(1004, 0.0)),
            Self::Hz440 => Tone::continuous(single(440, -13.0)),
            Self::BeepBonk => Tone::fixed(BEEP_BONK, Then::Stop),
            // ITU-T E.180 supplement 2 has this one in most countries: 1400 Hz every 15 seconds.
            Self::RecorderWarning => Tone::recorder_warning(15),
            _ => return None,
        };
        Some(tone)
    }
}

impl Tone {
    /// That a call is recorded, every so many seconds; below one it is without end.
    pub fn recorder_warning(seconds: u32) -> Self {
        let pause = seconds.saturating_mul(1000).saturating_sub(RECORDER_MILLIS);
        let steps = alloc::vec![Step::new(RECORDER, RECORDER_MILLIS), Step::silence(pause)];
        Self { steps: steps.into(), then: Then::RepeatFrom(0) }
    }
}

const RECORDER: Sound = single(1400, -18.0);
const RECORDER_MILLIS: u32 = 500;

const HIGH: Sound = single(1000, -18.0);
const LOW: Sound = single(500, -18.0);

const fn single(frequency: u16, dbm0: f32) -> Sound {
    Sound::Single(Sine::new(frequency, Level::dbm0(dbm0)))
}

const fn dual(low: u16, high: u16, dbm0: f32) -> Sound {
    Sound::Dual(Sine::new(low, Level::dbm0(dbm0)), Sine::new(high, Level::dbm0(dbm0)))
}

/// Levels per frequency from the precise tone plan: dial -13, ringback -19, busy and reorder -24.
fn north_america(signal: Signal) -> Tone {
    const DIAL: Sound = dual(350, 440, -13.0);
    const BUSY: Sound = dual(480, 620, -24.0);
    const RING: Sound = dual(440, 480, -19.0);
    const WAITING: Sound = single(440, -13.0);
    const ZIP: Sound = single(480, -17.0);

    const DIAL_STEPS: &[Step] = &[Step::new(DIAL, 1000)];
    const OUTSIDE: &[Step] = &[Step::new(single(420, -16.0), 1000)];
    const BUSY_STEPS: &[Step] = &[Step::new(BUSY, 500), Step::silence(500)];
    const REORDER: &[Step] = &[Step::new(BUSY, 250), Step::silence(250)];
    const ALERTING: &[Step] = &[Step::new(RING, 2000), Step::silence(4000)];
    const REVERTING: &[Step] = &[Step::new(RING, 500), Step::silence(500)];
    // The real one has four frequencies (1400+2060+2450+2600); two of them at the same rhythm alarm enough.
    const HOWLER: &[Step] = &[Step::new(dual(1400, 2060, -6.0), 100), Step::silence(100)];
    const STUTTER: &[Step] = &stutter::<21>(DIAL, 100);
    const RECALL: &[Step] = &stutter::<7>(DIAL, 100);
    // Special information tone "vacant code": 985.2, 1370.6 and 1776.7 Hz.
    const VACANT: &[Step] = &[
        Step::new(single(985, -24.0), 380),
        Step::new(single(1371, -24.0), 274),
        Step::new(single(1777, -24.0), 380),
        Step::silence(4000),
    ];
    const VERIFY: &[Step] = &[Step::new(WAITING, 1750), Step::silence(8000), Step::new(WAITING, 650)];
    const CALL_WAITING: &[Step] = &[Step::new(WAITING, 300), Step::silence(9700)];
    const CONFIRMATION: &[Step] = &[
        Step::new(DIAL, 100),
        Step::silence(100),
        Step::new(DIAL, 100),
        Step::silence(100),
        Step::new(DIAL, 300),
    ];
    const ZIP_STEPS: &[Step] = &[Step::new(ZIP, 300)];
    const ZIP_ZIP: &[Step] = &[Step::new(ZIP, 100), Step::silence(100), Step::new(ZIP, 100)];

    match signal {
        Signal::InsideDial => Tone::fixed(DIAL_STEPS, Then::Hold),
        Signal::OutsideDial => Tone::fixed(OUTSIDE, Then::Hold),
        Signal::Busy => Tone::fixed(BUSY_STEPS, Then::RepeatFrom(0)),
        Signal::Alerting => Tone::fixed(ALERTING, Then::RepeatFrom(0)),
        Signal::Reorder => Tone::fixed(REORDER, Then::RepeatFrom(0)),
        Signal::Reverting => Tone::fixed(REVERTING, Then::Stop),
        Signal::OffHookWarning => Tone::fixed(HOWLER, Then::RepeatFrom(0)),
        Signal::MessageWaiting => Tone::fixed(STUTTER, Then::Hold),
        Signal::RecallDial => Tone::fixed(RECALL, Then::Hold),
        Signal::NoSuchNumber => Tone::fixed(VACANT, Then::RepeatFrom(0)),
        // Long once, then short every eight seconds.
        Signal::BusyVerification => Tone::fixed(VERIFY, Then::RepeatFrom(1)),
        Signal::CallWaiting => Tone::fixed(CALL_WAITING, Then::RepeatFrom(0)),
        Signal::Confirmation => Tone::fixed(CONFIRMATION, Then::Stop),
        Signal::Zip => Tone::fixed(ZIP_STEPS, Then::Stop),
        Signal::ZipZip => Tone::fixed(ZIP_ZIP, Then::Stop),
        _ => Tone::SILENCE,
    }
}

/// E.180 supplement 2, Germany: 425 Hz everywhere, told apart by the rhythm.
fn germany(signal: Signal) -> Tone {
    const A: Sound = single(425, -13.0);
    const SOFT: Sound = single(425, -19.0);
    // The special dial tone.
    const SPECIAL: Sound = dual(400, 425, -16.0);

    const OUTSIDE: &[Step] = &[Step::new(A, 1000)];
    // The letter A in Morse: how PBXs there tell their own dial tone from the network's.
    const INSIDE: &[Step] = &[Step::new(A, 200), Step::silence(300), Step::new(A, 700), Step::silence(800)];
    const BUSY: &[Step] = &[Step::new(A, 480), Step::silence(480)];
    const REORDER: &[Step] = &[Step::new(A, 240), Step::silence(240)];
    const ALERTING: &[Step] = &[Step::new(SOFT, 1000), Step::silence(4000)];
    const REVERTING: &[Step] = &[Step::new(SOFT, 500), Step::silence(500)];
    const HOWLER: &[Step] = &[Step::new(dual(1400, 2060, -6.0), 100), Step::silence(100)];
    const SPECIAL_STEPS: &[Step] = &[Step::new(SPECIAL, 1000)];
    const RECALL: &[Step] = &stutter::<7>(A, 100);
    const INFORMATION: &[Step] = &[
        Step::new(single(950, -19.0), 330),
        Step::new(single(1400, -19.0), 330),
        Step::new(single(1800, -19.0), 330),
        Step::silence(1000),
    ];
    const CALL_WAITING: &[Step] =
        &[Step::new(SOFT, 200), Step::silence(200), Step::new(SOFT, 200), Step::silence(5000)];
    const INTRUSION: &[Step] = &[Step::new(SOFT, 240), Step::silence(1280)];
    const CONFIRMATION: &[Step] = &[Step::new(A, 500)];
    const ZIP: &[Step] = &[Step::new(SOFT, 300)];
    const ZIP_ZIP: &[Step] = &[Step::new(SOFT, 100), Step::silence(100), Step::new(SOFT, 100)];

    match signal {
        Signal::InsideDial => Tone::fixed(INSIDE, Then::RepeatFrom(0)),
        Signal::OutsideDial => Tone::fixed(OUTSIDE, Then::Hold),
        Signal::Busy => Tone::fixed(BUSY, Then::RepeatFrom(0)),
        Signal::Alerting => Tone::fixed(ALERTING, Then::RepeatFrom(0)),
        Signal::Reorder => Tone::fixed(REORDER, Then::RepeatFrom(0)),
        Signal::Reverting => Tone::fixed(REVERTING, Then::Stop),
        Signal::OffHookWarning => Tone::fixed(HOWLER, Then::RepeatFrom(0)),
        Signal::MessageWaiting => Tone::fixed(SPECIAL_STEPS, Then::Hold),
        Signal::RecallDial => Tone::fixed(RECALL, Then::Hold),
        Signal::NoSuchNumber => Tone::fixed(INFORMATION, Then::RepeatFrom(0)),
        Signal::BusyVerification => Tone::fixed(INTRUSION, Then::RepeatFrom(0)),
        Signal::CallWaiting => Tone::fixed(CALL_WAITING, Then::RepeatFrom(0)),
        Signal::Confirmation => Tone::fixed(CONFIRMATION, Then::Stop),
        Signal::Zip => Tone::fixed(ZIP, Then::Stop),
        Signal::ZipZip => Tone::fixed(ZIP_ZIP, Then::Stop),
        _ => Tone::SILENCE,
    }
}

/// Short bursts with gaps as long as they, the last of the `N` steps to be held: dial tone with a stutter.
const fn stutter<const N: usize>(sound: Sound, millis: u32) -> [Step; N] {
    let mut steps = [Step::new(sound, millis); N];
    let mut gap = 1;
    while gap < N {
        steps[gap] = Step::silence(millis);
        gap += 2;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToneGenerator;

    /// Power of one frequency in these samples by the definition of the Fourier transform, as a level.
    fn level_at(samples: &[i16], frequency: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in samples.iter().enumerate() {
            let angle = std::f64::consts::TAU * frequency * n as f64 / 8000.0;
            re += f64::from(sample) * angle.cos();
            im += f64::from(sample) * angle.sin();
        }
        let peak = 2.0 * (re * re + im * im).sqrt() / samples.len() as f64;
        // 0 dBm0 has a peak of 32636 / 10^(3.17 / 20).
        20.0 * (peak / (32636.0 / 10f64.powf(3.17 / 20.0))).log10()
    }

    fn play(plan: Plan, signal: Signal, samples: usize) -> Vec<i16> {
        let mut out = vec![0; samples];
        ToneGenerator::new(plan.tone(signal)).fill(&mut out);
        out
    }

    #[test]
    fn tones_have_the_frequencies_and_levels_of_the_plan() {
        use Plan::*;
        use Signal::*;
        type Row = (Plan, Signal, usize, &'static [(f64, f64)]);
        let table: [Row; 12] = [
            (NorthAmerica, InsideDial, 8000, &[(350.0, -13.0), (440.0, -13.0)]),
            (NorthAmerica, OutsideDial, 8000, &[(420.0, -16.0)]),
            (NorthAmerica, Busy, 4000, &[(480.0, -24.0), (620.0, -24.0)]),
            (NorthAmerica, Reorder, 2000, &[(480.0, -24.0), (620.0, -24.0)]),
            (NorthAmerica, Alerting, 16000, &[(440.0, -19.0), (480.0, -19.0)]),
            (NorthAmerica, CallWaiting, 2400, &[(440.0, -13.0)]),
            (NorthAmerica, Zip, 2400, &[(480.0, -17.0)]),
            (NorthAmerica, Milliwatt, 8000, &[(1004.0, 0.0)]),
            (Germany, OutsideDial, 8000, &[(425.0, -13.0)]),
            (Germany, Busy, 3840, &[(425.0, -13.0)]),
            (Germany, Alerting, 8000, &[(425.0, -19.0)]),
            (Germany, NoSuchNumber, 2400, &[(950.0, -19.0)]),
        ];
        for (plan, signal, samples, expected) in table {
            let sound = play(plan, signal, samples);
            for &(frequency, level) in expected {
                let measured = level_at(&sound, frequency);
                assert!((measured - level).abs() < 0.15, "{plan} {signal:?} {frequency}: {measured}");
            }
            for silent in [200.0, 550.0, 700.0, 1200.0, 2500.0] {
                let measured = level_at(&sound, silent);
                assert!(measured < -55.0, "{plan} {signal:?} {silent}: {measured}");
            }
        }
    }

    #[test]
    fn tones_have_the_rhythm_of_the_plan() {
        // Milliseconds in which anything sounds, as lengths of sound and silence in turn.
        let rhythm = |plan, signal| {
            let samples = play(plan, signal, 8000 * 13);
            let mut runs: Vec<(bool, u32)> = Vec::new();
            for millisecond in samples.chunks(8) {
                let sounds = millisecond.iter().any(|&sample| sample != 0);
                match runs.last_mut() {
                    Some((same, length)) if *same == sounds => *length += 1,
                    _ => runs.push((sounds, 1)),
                }
            }
            runs.iter().take(4).map(|run| run.1).collect::<Vec<_>>()
        };
        assert_eq!(rhythm(Plan::NorthAmerica, Signal::Busy), [500, 500, 500, 500]);
        assert_eq!(rhythm(Plan::NorthAmerica, Signal::Reorder), [250, 250, 250, 250]);
        assert_eq!(rhythm(Plan::NorthAmerica, Signal::Alerting), [2000, 4000, 2000, 4000]);
        assert_eq!(rhythm(Plan::NorthAmerica, Signal::CallWaiting), [300, 9700, 300, 2700]);
        assert_eq!(rhythm(Plan::NorthAmerica, Signal::MessageWaiting), [100; 4]);
        assert_eq!(rhythm(Plan::NorthAmerica, Signal::Zip), [300, 12_700]);
        assert_eq!(rhythm(Plan::Germany, Signal::Busy), [480, 480, 480, 480]);
        assert_eq!(rhythm(Plan::Germany, Signal::Alerting), [1000, 4000, 1000, 4000]);
        assert_eq!(rhythm(Plan::Germany, Signal::InsideDial), [200, 300, 700, 800]);
    }

    #[test]
    fn keys_sound_as_q23_has_them() {
        #[rustfmt::skip]
        let table = [
            ('1', 697., 1209.), ('2', 697., 1336.), ('3', 697., 1477.), ('A', 697., 1633.),
            ('4', 770., 1209.), ('5', 770., 1336.), ('6', 770., 1477.), ('B', 770., 1633.),
            ('7', 852., 1209.), ('8', 852., 1336.), ('9', 852., 1477.), ('C', 852., 1633.),
            ('*', 941., 1209.), ('0', 941., 1336.), ('#', 941., 1477.), ('D', 941., 1633.),
        ];
        for (char, low, high) in table {
            let sound = play(Plan::Germany, Signal::Key(Digit::from_char(char).unwrap()), 8000);
            assert!((level_at(&sound, low) + 9.0).abs() < 0.1, "{char}");
            assert!((level_at(&sound, high) + 7.0).abs() < 0.1, "{char}");
        }
    }

    #[test]
    fn device_tones_lead_to_signals() {
        let found: Vec<_> = (0..=0x8A).filter_map(Signal::from_device_tone).collect();
        for signal in Signal::CALL_PROGRESS {
            assert!(found.contains(&signal), "{signal:?}");
        }
        let keys: String = found
            .iter()
            .filter_map(|signal| match signal {
                Signal::Key(digit) => Some(digit.as_char()),
                _ => None,
            })
            .collect();
        assert_eq!(keys, "1234567890*#ABCD");
        assert_eq!((Signal::from_device_tone(0), Signal::from_device_tone(0x7F)), (None, None));
    }

    #[test]
    fn no_signal_is_silent_anywhere() {
        for plan in Plan::ALL {
            assert_eq!(Plan::from_name(plan.name()), Some(plan));
            for signal in Signal::CALL_PROGRESS {
                let first = play(plan, signal, 800);
                assert!(Level::of(&first) > Level::dbm0(-30.0), "{plan} {signal:?}");
            }
        }
        assert_eq!(Plan::from_name("xx"), None);
    }
}
