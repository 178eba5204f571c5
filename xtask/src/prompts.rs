//! The spoken prompts: made by espeak-ng from the lists of texts in `crates/voice/prompts`, so that changing a word needs no studio.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

/// The languages, and espeak-ng's names for their voices.
const LANGUAGES: &[(&str, &str)] = &[("en", "en-us"), ("de", "de")];
/// Words a minute of single words and of sentences: numbers are a little slower than espeak-ng's default, since a telephone
/// takes away the consonants.
const SPEEDS: (&str, &str) = ("175", "190");
/// Silence at both ends goes, but for a breath at the end: numbers are put together from single words.
const FILTER: &str = "silenceremove=start_periods=1:start_threshold=-50dB,areverse,\
    silenceremove=start_periods=1:start_threshold=-50dB,areverse,apad=pad_dur=0.06";

/// Writes the sounds of each language (8000 µ-law codes a second, one prompt behind the other), and their lengths.
pub(crate) fn run() -> Result<()> {
    let folder = Path::new("crates/voice/prompts");
    let work = tempfile::tempdir()?;
    for &(language, voice) in LANGUAGES {
        let texts = fs::read_to_string(folder.join(language).with_extension("txt"))?;
        let (mut sounds, mut index) = (Vec::new(), String::new());
        for line in texts.lines() {
            let (name, text) =
                line.split_once(' ').with_context(|| format!("{language}: no text in {line:?}"))?;
            let sound = speak(work.path(), voice, text).with_context(|| format!("{language}: {name}"))?;
            index.push_str(&format!("{name} {}\n", sound.len()));
            sounds.extend(sound);
        }
        println!("    {language}: {} prompts, {} kB", index.lines().count(), sounds.len() / 1000);
        fs::write(folder.join(language).with_extension("ulaw"), sounds)?;
        fs::write(folder.join(language).with_extension("index"), index)?;
    }
    Ok(())
}

fn speak(work: &Path, voice: &str, text: &str) -> Result<Vec<u8>> {
    let (wav, raw) = (work.join("spoken.wav"), work.join("spoken.ulaw"));
    let speed = if text.split(' ').count() < 4 { SPEEDS.0 } else { SPEEDS.1 };
    let mut espeak = Command::new("espeak-ng");
    call(espeak.args(["-v", voice, "-s", speed, "-a", "80", "-w"]).arg(&wav).arg(text))?;
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-loglevel", "error", "-y", "-i"]).arg(&wav);
    call(ffmpeg.args(["-af", FILTER, "-ar", "8000", "-ac", "1", "-f", "mulaw"]).arg(&raw))?;
    let sound = fs::read(&raw)?;
    if sound.len() < 800 {
        bail!("{text:?} lasts less than a tenth of a second");
    }
    Ok(sound)
}

fn call(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot run {program:?} (Debian has a package of this name)"))?;
    if !status.success() {
        bail!("{program:?}: {status}");
    }
    Ok(())
}
