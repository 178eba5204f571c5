//! What is said, as samples.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use selsius_media::{
    Law, Level, SAMPLE_RATE, Tone, ToneGenerator,
    tone::{Sine, Sound},
};
use selsius_voice::{Language, Piece, Prompts, Say, pieces};

use super::mailboxes::Mailboxes;
use crate::wav;

/// The tone before a recording, and of the clock.
const BEEP_HZ: u16 = 1000;
const BEEP_MS: u32 = 400;
/// Who comes into a room is told by a tone that goes up, who leaves by one that goes down.
const STEPS: [u16; 2] = [620, 930];
const STEP_MS: u32 = 150;
/// No file is played longer than this, in seconds.
const LONGEST: usize = 600;

/// The sounds of all languages, and where those of the operator are.
#[derive(Debug)]
pub(super) struct Sounds {
    prompts: BTreeMap<Language, Prompts>,
    /// `prompts/en/hundred.wav` in the data directory is said instead of ours.
    own: PathBuf,
    announcements: PathBuf,
}

impl Sounds {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self {
            prompts: Language::ALL.into_iter().map(|language| (language, Prompts::of(language))).collect(),
            own: data_dir.join("prompts"),
            announcements: data_dir.join("announcements"),
        }
    }

    /// What is to be said, one after the other. Waits for the disk.
    pub(super) fn render(
        &self,
        said: &[Say],
        language: Language,
        mailbox: &str,
        mailboxes: &Mailboxes,
        recording: &[u8],
    ) -> Vec<i16> {
        let mut samples = Vec::new();
        for piece in pieces(language, said) {
            match piece {
                Piece::Word(name) => self.word(language, name, &mut samples),
                Piece::Message(id) => {
                    if let Some(path) = mailboxes.find(mailbox, id) {
                        file(&path, &mut samples);
                    }
                }
                Piece::Greeting(number) => file(&mailboxes.greeting(&number), &mut samples),
                Piece::Recording => Law::Mu.decode(recording, &mut samples),
                Piece::File(name) => file(&self.announcements.join(name), &mut samples),
                Piece::Beep => tone(BEEP_HZ, BEEP_MS, &mut samples),
                Piece::Came => STEPS.into_iter().for_each(|hertz| tone(hertz, STEP_MS, &mut samples)),
                Piece::Went => STEPS.into_iter().rev().for_each(|hertz| tone(hertz, STEP_MS, &mut samples)),
                Piece::Pause(millis) => {
                    let len = samples.len() + (millis * (SAMPLE_RATE / 1000)) as usize;
                    samples.resize(len, 0);
                }
            }
        }
        samples
    }

    fn word(&self, language: Language, name: &str, samples: &mut Vec<i16>) {
        let folder = match language {
            Language::English => "en",
            Language::German => "de",
        };
        let own = self.own.join(folder).join(name).with_extension("wav");
        if own.exists() {
            return file(&own, samples);
        }
        let sound = self.prompts.get(&language).and_then(|prompts| prompts.sound(name));
        Law::Mu.decode(sound.unwrap_or_default(), samples);
    }
}

fn tone(hertz: u16, millis: u32, samples: &mut Vec<i16>) {
    let tone = Tone::once(Sound::Single(Sine::new(hertz, Level::dbm0(-10.0))), millis);
    let from = samples.len();
    samples.resize(from + (millis * (SAMPLE_RATE / 1000)) as usize, 0);
    ToneGenerator::new(tone).fill(&mut samples[from..]);
}

/// A file that cannot be played is silence, and said in the log.
fn file(path: &Path, samples: &mut Vec<i16>) {
    match wav::read(path, LONGEST) {
        Ok(read) => samples.extend(read),
        Err(error) => tracing::warn!(file = %path.display(), %error, "cannot play"),
    }
}

#[cfg(test)]
mod tests {
    use selsius_voice::MessageId;

    use super::*;

    fn write(path: &Path, channels: u16, sample_rate: u32, bits_per_sample: u16, samples: &[i32]) {
        let spec = hound::WavSpec {
            channels,
            sample_rate,
            bits_per_sample,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        samples.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
    }

    #[test]
    fn things_are_said_one_after_the_other_and_own_prompts_win() {
        let folder = tempfile::tempdir().unwrap();
        let (sounds, mailboxes) =
            (Sounds::new(folder.path()), Mailboxes::open(folder.path().join("voicemail")));
        let render = |said: &[Say]| sounds.render(said, Language::English, "1001", &mailboxes, &[0xFF; 16]);
        assert_eq!(render(&[Say::Beep, Say::Pause(10), Say::Recording]).len(), 3200 + 80 + 16);
        let ours = render(&[Say::Number(1)]);
        assert!(ours.len() > 800);
        std::fs::create_dir_all(folder.path().join("prompts/en")).unwrap();
        write(&folder.path().join("prompts/en/1.wav"), 1, 8000, 16, &[7; 9]);
        assert_eq!(render(&[Say::Number(1)]), [7; 9]);
        let german = sounds.render(&[Say::Number(1)], Language::German, "1001", &mailboxes, &[]);
        assert!(german.len() > 800);
        assert!(render(&[Say::File("none.wav".into()), Say::Message(MessageId(1))]).is_empty());
    }
}
