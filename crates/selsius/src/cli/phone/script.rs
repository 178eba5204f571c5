//! The language of phone scripts: one step a line.

use std::{fmt, path::PathBuf, time::Duration};

use selsius_client::AudioSource;
use selsius_wire::value::LampMode;

use super::words::{Situation, lamp_from_name};

/// What stands in the help text.
pub(super) const HELP: &str = "\
A script has one step a line; `#` begins a comment, texts with blanks stand in double quotes, times are written as
500ms, 3s or 2m.

  register                    connect and register (any other first step does it too)
  unregister                  leave the manager
  off-hook  on-hook  hang-up  the handset; hang-up is content if nothing is to be hung up
  speaker  headset            their keys
  dial 1002                   the whole number: from the idle phone at once, off hook digit by digit
  digits 12*#                 keys of the keypad, one by one
  press Answer                the soft key with this label, once it is shown
  line 1    speed-dial 1      their buttons
  flash                       a flash of the hook
  choose TEXT                 the item or soft key of this name on the screen that the manager sent; leave-screen
  wait STATE [10s]            STATE: registered unregistered idle dialtone ringing ringback proceed connected
                              hold remote-in-use call-waiting busy reorder silence; one that came and went
                              since the last action counts too
  expect [not] WHAT [within 3s]
      prompt TEXT             what stands at the foot of the display (part of it)
      caller 1001             caller-name TEXT, called 1002, called-name TEXT: parties of the calls
      lamp 1 on               off on wink flash blink, of line button 1
      soft-key LABEL          is shown
      background TEXT         is in the address of the picture that the manager sent; ring-tone TEXT: of the ring
      screen TEXT             is in title, text or items of the screen that the manager sent
      audio 440               this sine is heard; audio none: nothing is
      packets 100             so many voice packets were received in this call
      STATE                   as for wait
  play tone 440               or a WAV file, or silence: what the microphone hears
  record FILE.wav             what is heard; record off ends it
  pause 500ms                 as a person pauses
  print display               or any text

Exit codes: 0 everything passed, 1 an expectation failed, 2 the command line or the script is wrong, 3 the phone
could not connect or register.";

/// One line of a script.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: usize,
    /// As it was written.
    pub(super) text: String,
    pub(super) step: Step,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Register,
    Unregister,
    OffHook,
    OnHook,
    HangUp,
    Speaker,
    Headset,
    Dial(String),
    Digits(String),
    Press(String),
    LineKey(u32),
    SpeedDial(u32),
    Flash,
    Choose(String),
    LeaveScreen,
    Wait(Situation, Duration),
    Expect { what: Expected, not: bool, within: Duration },
    Play(AudioSource),
    Record(Option<PathBuf>),
    Pause(Duration),
    PrintDisplay,
    Print(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    Prompt(String),
    Caller(String),
    CallerName(String),
    Called(String),
    CalledName(String),
    Lamp(u32, LampMode),
    SoftKey(String),
    Screen(String),
    Background(String),
    RingTone(String),
    Audio(u16),
    NoAudio,
    Packets(u64),
    Situation(Situation),
}

/// How long an expectation may take unless the script says otherwise.
const EXPECT: Duration = Duration::from_secs(3);

/// A mistake in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScriptError {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) problem: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

impl std::error::Error for ScriptError {}

/// Reads a whole script; files that it plays are read now.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Line>, ScriptError> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let error = |problem| ScriptError { file: file.into(), line: number, problem };
        let words = split(line).map_err(error)?;
        if let Some((name, rest)) = words.split_first() {
            let mut words = Words { step: name, rest };
            let step = step(name, &mut words).and_then(|step| words.end().map(|()| step)).map_err(error)?;
            lines.push(Line { number, text: line.trim().into(), step });
        }
    }
    Ok(lines)
}

fn step(name: &str, words: &mut Words<'_>) -> Result<Step, String> {
    Ok(match name {
        "register" => Step::Register,
        "unregister" => Step::Unregister,
        "off-hook" => Step::OffHook,
        "on-hook" => Step::OnHook,
        "hang-up" => Step::HangUp,
        "speaker" => Step::Speaker,
        "headset" => Step::Headset,
        "dial" => Step::Dial(keys(words.next("a number")?)?),
        "digits" => Step::Digits(keys(words.next("keys of the keypad")?)?),
        "press" => Step::Press(words.all("the label of a soft key")?),
        "line" => Step::LineKey(words.number("the number of a line button")?),
        "speed-dial" => Step::SpeedDial(words.number("the number of a speed dial")?),
        "flash" => Step::Flash,
        "choose" => Step::Choose(words.all("what to choose on the screen")?),
        "leave-screen" => Step::LeaveScreen,
        "wait" => {
            let situation = situation(words.next("a state")?)?;
            let patience = words.optional().map(time).transpose()?.unwrap_or(situation.patience());
            Step::Wait(situation, patience)
        }
        "expect" => expect(words)?,
        "play" => Step::Play(source(words)?),
        "record" => match words.next("a file, or off")? {
            "off" => Step::Record(None),
            file => Step::Record(Some(file.into())),
        },
        "pause" => Step::Pause(time(words.next("a time")?)?),
        "print" => match words.all("display, or a text")? {
            what if what == "display" => Step::PrintDisplay,
            text => Step::Print(text),
        },
        other => {
            return Err(format!("there is no step `{other}` (`selsius phone --help` shows the language)"));
        }
    })
}

fn expect(words: &mut Words<'_>) -> Result<Step, String> {
    let mut name = words.next("what to expect")?;
    let not = name == "not";
    if not {
        name = words.next("what not to expect")?;
    }
    let what = match name {
        "prompt" => Expected::Prompt(words.next("a text in quotes")?.into()),
        "caller" => Expected::Caller(words.next("a number")?.into()),
        "caller-name" => Expected::CallerName(words.next("a name")?.into()),
        "called" => Expected::Called(words.next("a number")?.into()),
        "called-name" => Expected::CalledName(words.next("a name")?.into()),
        "lamp" => {
            let button = words.number("the number of a line button")?;
            let mode = words.next("off, on, wink, flash or blink")?;
            let mode = lamp_from_name(mode)
                .ok_or_else(|| format!("`{mode}` is no lamp mode: off, on, wink, flash or blink"))?;
            Expected::Lamp(button, mode)
        }
        "soft-key" => Expected::SoftKey(words.next("a label")?.into()),
        "screen" => Expected::Screen(words.next("a text in quotes")?.into()),
        "background" => Expected::Background(words.next("a part of its address")?.into()),
        "ring-tone" => Expected::RingTone(words.next("a part of its address")?.into()),
        "audio" | "tone" => match words.next("a frequency in Hz, or none")? {
            "none" => Expected::NoAudio,
            hertz => Expected::Audio(frequency(hertz)?),
        },
        "packets" => Expected::Packets(words.number("a number of packets")?.into()),
        state => Expected::Situation(situation(state).map_err(|problem| {
            let others = "prompt, caller, caller-name, called, called-name, lamp, soft-key, screen, background, \
                          ring-tone, audio, packets";
            format!("{problem}; other things to expect are {others}")
        })?),
    };
    let within = match words.optional() {
        Some("within") => time(words.next("a time")?)?,
        Some(other) => return Err(format!("`{other}` is too much; `within 3s` could stand here")),
        None => EXPECT,
    };
    Ok(Step::Expect { what, not, within })
}

fn source(words: &mut Words<'_>) -> Result<AudioSource, String> {
    match words.next("tone 440, silence, or a WAV file")? {
        "silence" => Ok(AudioSource::Silence),
        "tone" => Ok(AudioSource::Tone(frequency(words.next("a frequency in Hz")?)?)),
        file => AudioSource::open(file.as_ref()).map_err(|error| format!("{error}: {}", error.problem)),
    }
}

fn situation(name: &str) -> Result<Situation, String> {
    Situation::from_name(name).ok_or_else(|| {
        let names = Situation::ALL.map(Situation::name).join(", ");
        format!("there is no state `{name}`; states are {names}")
    })
}

/// `500ms`, `3s`, `2m`; a bare number is seconds.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        _ => f64::NAN,
    };
    let seconds = digits.parse::<f64>().unwrap_or(f64::NAN) * unit;
    // A day is longer than anybody waits, and keeps sums of times away from their limits.
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err(format!("`{text}` is not a time like 500ms, 3s or 2m"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn frequency(text: &str) -> Result<u16, String> {
    let hertz = text.trim_end_matches("Hz").parse().ok().filter(|hertz| (50..4000).contains(hertz));
    hertz.ok_or_else(|| format!("`{text}` is not a frequency from 50 to 3999 Hz"))
}

fn keys(text: &str) -> Result<String, String> {
    match text.chars().find(|char| !(char.is_ascii_digit() || "*#+ABCDabcd".contains(*char))) {
        Some(char) => Err(format!("there is no key `{char}`; keys are 0 to 9, *, #, + and A to D")),
        None => Ok(text.into()),
    }
}

/// The words after the step's name.
struct Words<'a> {
    step: &'a str,
    rest: &'a [String],
}

impl<'a> Words<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, String> {
        self.optional().ok_or_else(|| format!("`{}` needs {what}", self.step))
    }

    fn optional(&mut self) -> Option<&'a str> {
        let (word, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(word)
    }

    fn number(&mut self, what: &str) -> Result<u32, String> {
        let word = self.next(what)?;
        word.parse().map_err(|_| format!("`{word}` is not {what}"))
    }

    /// All words that are left, with one blank between them.
    fn all(&mut self, what: &str) -> Result<String, String> {
        let text = std::mem::take(&mut self.rest).join(" ");
        if text.is_empty() { Err(format!("`{}` needs {what}", self.step)) } else { Ok(text) }
    }

    fn end(&self) -> Result<(), String> {
        match self.rest.first() {
            Some(word) => Err(format!("`{word}` is too much after `{}`", self.step)),
            None => Ok(()),
        }
    }
}

/// Words, and texts in double quotes, up to a comment. A `#` within a word (`12#`) is a key of the keypad.
fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !is_comment(rest) {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                quoted.split_once('"').ok_or_else(|| "the closing quote is missing".to_owned())?
            }
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

/// `#` and a blank, or a `#` that cannot be a number to dial.
fn is_comment(rest: &str) -> bool {
    let Some(after) = rest.strip_prefix('#') else { return false };
    after.is_empty()
        || after.starts_with(|char: char| char.is_whitespace() || char == '#' || char.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<String> {
        parse("test", text).unwrap().into_iter().map(|line| format!("{:?}", line.step)).collect()
    }

    #[test]
    fn every_step_of_the_help_can_be_read() {
        let script = r#"
            # A comment, and a line without anything.

            register
            off-hook          # with a comment
            dial 1002
            digits 12*#
            digits *69 # call back
            press New Call
            press "Answer"
            line 1
            speed-dial 2
            wait connected
            wait ringing 500ms
            expect prompt "Connected"
            expect not caller 1001 within 2m
            expect lamp 1 wink
            expect tone 440
            expect audio none
            expect background Logo.png
            expect ring-tone Chime.raw
            expect packets 100 within 5s
            expect idle
            play tone 1000Hz
            play silence
            record off
            pause 1.5s
            print display
            print that was it
            flash
            hang-up
            on-hook
            speaker
            headset
            unregister
        "#;
        let steps = steps(script);
        assert_eq!(steps.len(), 32);
        let expected = [
            (3, r#"Digits("12*#")"#),
            (4, r#"Digits("*69")"#),
            (5, r#"Press("New Call")"#),
            (9, "Wait(Connected, 30s)"),
            (10, "Wait(Ringing, 500ms)"),
            (12, r#"Expect { what: Caller("1001"), not: true, within: 120s }"#),
            (14, "Expect { what: Audio(440), not: false, within: 3s }"),
            (16, r#"Expect { what: Background("Logo.png"), not: false, within: 3s }"#),
            (22, "Record(None)"),
            (23, "Pause(1.5s)"),
        ];
        for (at, step) in expected {
            assert_eq!(steps[at], step);
        }
    }

    #[test]
    fn mistakes_name_their_line_and_what_was_meant() {
        let table = [
            ("dance", "there is no step `dance` (`selsius phone --help` shows the language)"),
            ("dial", "`dial` needs a number"),
            ("dial 10x2", "there is no key `x`; keys are 0 to 9, *, #, + and A to D"),
            ("off-hook now", "`now` is too much after `off-hook`"),
            ("pause soon", "`soon` is not a time like 500ms, 3s or 2m"),
            ("pause -1s", "`-1s` is not a time like 500ms, 3s or 2m"),
            ("expect lamp 1 dark", "`dark` is no lamp mode: off, on, wink, flash or blink"),
            ("expect prompt \"Conn", "the closing quote is missing"),
            ("expect audio 9000", "`9000` is not a frequency from 50 to 3999 Hz"),
            ("expect idle soon", "`soon` is too much; `within 3s` could stand here"),
            ("line one", "`one` is not the number of a line button"),
        ];
        for (text, problem) in table {
            let error = parse("call.script", &format!("register\n\n{text}\n")).unwrap_err();
            assert_eq!(error.to_string(), format!("call.script:3: {problem}"));
        }
        let error = parse("f", "wait forever").unwrap_err().to_string();
        assert!(error.starts_with("f:1: there is no state `forever`; states are registered, "), "{error}");
        let error = parse("f", "play nothing.wav").unwrap_err().to_string();
        assert!(error.starts_with("f:1: nothing.wav: cannot open the file"), "{error}");
    }
}
